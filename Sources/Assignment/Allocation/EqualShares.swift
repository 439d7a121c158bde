// SPDX-License-Identifier: Apache-2.0

/// Hands out a number of equal pieces so that nobody gets more than may be held, and what one cannot take goes to the
/// others: the largest of the shares is as small as the limits allow.
package enum EqualShares {
    /// - Parameter amount: pieces to hand out, 0 or more.
    /// - Parameter limits: what each may get, 0 or more; the order settles ties, the first goes first.
    /// - Returns: one share per limit. They add up to `amount`, or to all limits where that is less. Two shares below
    ///   their limits differ by one at most, and the larger one comes first: with equal targets all remainders are
    ///   equal, so leftovers go by order.
    package static func fill(_ amount: Int64, limits: [Int64]) -> [Int64] {
        var shares = [Int64](repeating: 0, count: limits.count)
        var left = amount
        var open = Array(limits.indices)
        while !open.isEmpty {
            let level = left / Int64(open.count)
            let full = open.filter { limits[$0] <= level }
            if full.isEmpty {
                // Everyone left may hold more than the level, so one more piece fits each.
                let extra = left % Int64(open.count)
                for (place, index) in open.enumerated() { shares[index] = level + (Int64(place) < extra ? 1 : 0) }
                return shares
            }
            for index in full {
                shares[index] = limits[index]
                left -= limits[index]
            }
            open.removeAll { limits[$0] <= level }
        }
        return shares
    }

    /// Splits `amount` in proportion to `weights`, exactly: rounded down first, then one more to the largest
    /// remainders, ties by order. All zero where no weight is above zero.
    package static func proportion(_ amount: Int64, weights: [Int64]) -> [Int64] {
        let total = weights.reduce(0, +)
        guard total > 0, amount > 0 else { return weights.map { _ in 0 } }
        var remainders: [(index: Int, remainder: Int64)] = []
        var shares: [Int64] = []
        for (index, weight) in weights.enumerated() {
            let (quotient, remainder) = total.dividingFullWidth(amount.multipliedFullWidth(by: weight))
            shares.append(quotient)
            remainders.append((index, remainder))
        }
        let leftover = Int(amount - shares.reduce(0, +))
        remainders.sort { ($1.remainder, $0.index) < ($0.remainder, $1.index) }
        for (index, _) in remainders.prefix(leftover) { shares[index] += 1 }
        return shares
    }
}
