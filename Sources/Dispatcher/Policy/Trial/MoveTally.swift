// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// From which verdict of one policy to which of another accounts go.
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

    init() {}

    mutating func add(_ cells: [TrialCell: VerdictTotals]) {
        for (cell, totals) in cells {
            let (old, new) = (cell.sides[0], cell.sides[1])
            let pair = Pair(old: old.code, new: new.code)
            pairs[pair, default: VerdictTotals()] += totals
            if old.priority != new.priority, old.priority > 0, new.priority > 0 {
                classes[ClassPair(pair: pair, old: old.priority, new: new.priority), default: 0] += totals.accounts
            }
        }
    }
}
