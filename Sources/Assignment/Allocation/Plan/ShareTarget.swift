// SPDX-License-Identifier: Apache-2.0

/// What part of a delegation's strategy each contract should get. The same part applies to the strategy's telephone and
/// home-visit pools and to each band.
package enum ShareTarget: Hashable, Sendable, Codable {
    case equal
    /// Who is not named gets nothing.
    case fixed([ContractID: BasisPoints])
    /// By performance: see ``Scorecard``.
    case scorecard(Scorecard)
    /// Champion and challenger: each arm its part, equal within it.
    case arms([Arm])

    package struct Arm: Hashable, Sendable, Codable {
        /// Stored with each position.
        package let number: Int16
        package let share: BasisPoints
        package let contracts: [ContractID]

        package init(number: Int16, share: BasisPoints, contracts: [ContractID]) {
            self.number = number
            self.share = share
            self.contracts = contracts
        }
    }

    /// Shares are counted in millionths.
    package static let whole: Int64 = 1_000_000

    /// Each contract's part in millionths, in the order asked; parts add up to the whole or less. A contract that is
    /// away leaves its part to the others, in proportion to theirs, except where parts are fixed.
    package func parts(of contracts: [ContractID]) -> [Int64] {
        switch self {
        case .equal:
            // Equal parts are exactly equal: the millionth that is left over goes to nobody.
            return contracts.map { _ in Self.whole / Int64(max(1, contracts.count)) }
        case .fixed(let shares):
            return contracts.map { (shares[$0]?.value ?? 0) * 100 }
        case .scorecard(let scorecard):
            return scorecard.parts(of: contracts)
        case .arms(let arms):
            let sizes = arms.map { arm in Int64(contracts.count { arm.contracts.contains($0) }) }
            return contracts.map { contract in
                guard let arm = arms.firstIndex(where: { $0.contracts.contains(contract) }) else { return 0 }
                return arms[arm].share.value * 100 / sizes[arm]
            }
        }
    }

    /// The arm that a contract is in; 0: none.
    package func arm(of contract: ContractID) -> Int16 {
        guard case .arms(let arms) = self else { return 0 }
        return arms.first { $0.contracts.contains(contract) }?.number ?? 0
    }

    /// Hundredths of a percent that are given away; above 10,000 the target cannot be met.
    package var total: Int64 {
        switch self {
        case .equal, .scorecard: BasisPoints.whole
        case .fixed(let shares): shares.values.reduce(0) { $0 + $1.value }
        case .arms(let arms): arms.reduce(0) { $0 + $1.share.value }
        }
    }
}

/// Shares in proportion to performance, but not faster than agencies can staff, and never so low that one cannot
/// recover.
package struct Scorecard: Hashable, Sendable, Codable {
    /// 0...1_000_000; who is not named has none and gets the least that the bounds allow.
    package var points: [ContractID: Int64]
    /// Shares of last month; a newcomer has none and may start anywhere.
    package var lastShares: [ContractID: BasisPoints]
    /// How much of its last share a contract may win or lose in a month.
    package var changeMax: BasisPoints
    package var floor: BasisPoints

    package init(
        points: [ContractID: Int64], lastShares: [ContractID: BasisPoints],
        changeMax: BasisPoints, floor: BasisPoints
    ) {
        self.points = points
        self.lastShares = lastShares
        self.changeMax = changeMax
        self.floor = floor
    }

    /// Millionths that add up to the whole: in proportion to the points, held within each one's bounds. Where the
    /// bounds leave no such parts (all last shares small, or many floors) they are kept in proportion to the bounds.
    package func parts(of contracts: [ContractID]) -> [Int64] {
        let bounds = contracts.map(bounds)
        let lower = bounds.reduce(0) { $0 + $1.lowerBound }
        let upper = bounds.reduce(0) { $0 + $1.upperBound }
        if lower >= ShareTarget.whole {
            return Proportion.split(ShareTarget.whole, weights: bounds.map(\.lowerBound))
        }
        if upper <= ShareTarget.whole {
            return Proportion.split(ShareTarget.whole, weights: bounds.map(\.upperBound))
        }
        return level(contracts.map { points[$0] ?? 0 }, within: bounds)
    }

    private func bounds(_ contract: ContractID) -> ClosedRange<Int64> {
        let floor = floor.value * 100
        guard let last = lastShares[contract]?.value else { return floor...max(floor, ShareTarget.whole) }
        // Rounded inward, so that the change is never passed by a millionth.
        let lower = max(floor, (last * (BasisPoints.whole - changeMax.value) + 99) / 100)
        return lower...max(lower, last * (BasisPoints.whole + changeMax.value) / 100)
    }

    /// Finds the level: the greatest multiple of the points whose bounded parts do not pass the whole; what is then
    /// left goes to those who may have more, the most points first, ties by order.
    private func level(_ points: [Int64], within bounds: [ClosedRange<Int64>]) -> [Int64] {
        func parts(_ level: Int64) -> [Int64] {
            zip(points, bounds).map { points, bounds in
                let (high, low) = points.multipliedFullWidth(by: level)
                let wanted = high == 0 && low <= UInt64(Int64.max) ? Int64(low) >> 20 : Int64.max
                return min(max(wanted, bounds.lowerBound), bounds.upperBound)
            }
        }
        var low: Int64 = 0
        var high: Int64 = ShareTarget.whole << 21
        while low < high {
            let middle = low + (high - low + 1) / 2
            if parts(middle).reduce(0, +) <= ShareTarget.whole { low = middle } else { high = middle - 1 }
        }
        var found = parts(low)
        var left = ShareTarget.whole - found.reduce(0, +)
        for place in points.indices.sorted(by: { (points[$1], $0) < (points[$0], $1) }) {
            let more = min(left, bounds[place].upperBound - found[place])
            found[place] += more
            left -= more
        }
        return found
    }
}
