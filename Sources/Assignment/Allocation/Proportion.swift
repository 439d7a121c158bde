// SPDX-License-Identifier: Apache-2.0

/// Splits an amount into whole pieces.
package enum Proportion {
    /// Splits `amount`, 0 or more, in proportion to `weights`, exactly: rounded down first, then one more to the largest
    /// remainders, ties by order. All zero where no weight is above zero.
    package static func split(_ amount: Int64, weights: [Int64]) -> [Int64] {
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
