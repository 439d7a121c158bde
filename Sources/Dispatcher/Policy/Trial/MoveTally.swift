// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// Counts from which verdict of one policy to which of another accounts go, while the delegations go by.
struct MoveTally: Sendable {
    /// A verdict of the old policy and one of the new, in the numbers of their tables.
    struct Pair: Hashable, Sendable {
        let old: Int32
        let new: Int32
    }
    struct ClassPair: Hashable, Sendable {
        let pair: Pair
        let old: Int16
        let new: Int16
    }

    private(set) var pairs: [Pair: VerdictTotals] = [:]
    /// Accounts that both policies place, in other classes.
    private(set) var classes: [ClassPair: Int64] = [:]
    /// Accounts by relief, for each of the two policies.
    private(set) var relief: [[Int64]]

    init(reliefs: [Int]) { self.relief = reliefs.map { [Int64](repeating: 0, count: $0) } }

    /// - Parameter codes: how many the tables of the two policies have.
    mutating func add(_ slice: PolicyTrial.Slice, codes: [Int]) {
        let (old, new) = (slice.outcomes[0], slice.outcomes[1])
        if codes[0] * codes[1] <= Self.gridMax {
            addByGrid(slice, codes: codes)
        } else {
            for index in slice.accounts.indices {
                pairs[Pair(old: old.codes[index], new: new.codes[index]), default: VerdictTotals()]
                    .add(overdue: slice.overdue[index], balance: slice.balance[index])
            }
        }
        for index in slice.accounts.indices where old.priorities[index] != new.priorities[index] {
            let (before, after) = (old.priorities[index], new.priorities[index])
            guard before > 0, after > 0 else { continue }
            let pair = Pair(old: old.codes[index], new: new.codes[index])
            classes[ClassPair(pair: pair, old: before, new: after), default: 0] += 1
        }
        for (side, outcome) in slice.outcomes.enumerated() {
            for offers in outcome.offers where offers != 0 { count(offers, side: side) }
        }
    }

    /// Counting in a table of all pairs is much faster than looking each one up; 64 bytes for each pair.
    private static let gridMax = 65_536

    private mutating func addByGrid(_ slice: PolicyTrial.Slice, codes: [Int]) {
        let (old, new) = (slice.outcomes[0].codes, slice.outcomes[1].codes)
        var grid = [VerdictTotals](repeating: VerdictTotals(), count: codes[0] * codes[1])
        for index in slice.accounts.indices {
            grid[Int(old[index]) * codes[1] + Int(new[index])]
                .add(overdue: slice.overdue[index], balance: slice.balance[index])
        }
        for (place, totals) in grid.enumerated() where totals.accounts > 0 {
            pairs[Pair(old: Int32(place / codes[1]), new: Int32(place % codes[1])), default: VerdictTotals()] += totals
        }
    }

    private mutating func count(_ offers: UInt64, side: Int) {
        var left = offers
        while left != 0 {
            relief[side][left.trailingZeroBitCount] += 1
            left &= left - 1
        }
    }
}
