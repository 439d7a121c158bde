// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// One term of a strategy that two policies give otherwise: the same accounts, held for longer or shorter.
package struct TermChange: Encodable, Hashable, Sendable {
    package let strategy: String
    /// In the policy's word: `term`, `ceiling`, `grace`, `late_report`, `activity` or `unlocatable`.
    package let term: String
    /// With its unit, as in `20 days`; absent where that policy does not limit it.
    package let old: String?
    package let new: String?
    /// Accounts that the new policy has in the strategy.
    package let accounts: Int64

    /// Of the strategies that both policies have; whoever goes to another strategy is told as a move.
    static func all(from old: Policy, to new: Policy, accounts: (Strategy) -> Int64) -> [TermChange] {
        Strategy.allCases.reversed().flatMap { strategy -> [TermChange] in
            guard let before = old.holding(strategy), let after = new.holding(strategy) else { return [] }
            return zip(before.words, after.words).filter { $0.value != $1.value }.map { before, after in
                TermChange(
                    strategy: strategy.name, term: before.name, old: before.value, new: after.value,
                    accounts: accounts(strategy))
            }
        }
    }

    /// A line for each, below a heading; nothing where there is none.
    static func lines(_ changes: [TermChange]) -> [String] {
        guard !changes.isEmpty else { return [] }
        var table = TextTable(columns: [.left, .left, .left, .left, .left, .right])
        table.row(["  strategy", "term", "old", "", "new", "accounts"])
        for change in changes {
            table.row([
                "  " + change.strategy, change.term, change.old ?? "none", "->", change.new ?? "none",
                Figure.grouped(change.accounts),
            ])
        }
        return ["held otherwise in the same strategy:"] + table.lines
    }
}

extension Holding {
    /// Each term by the policy's word, with its unit.
    fileprivate var words: [(name: String, value: String?)] {
        [
            ("term", Self.days(termDays)), ("ceiling", Self.days(ceilingDays)), ("grace", Self.hours(graceHours)),
            ("late_report", Self.hours(lateReportHours)), ("activity", activityDays.map(Self.days)),
            ("unlocatable", unlocatableDays.map(Self.days)),
        ]
    }

    private static func days(_ count: Int32) -> String { "\(count) \(count == 1 ? "day" : "days")" }
    private static func hours(_ count: Int32) -> String { "\(count) \(count == 1 ? "hour" : "hours")" }
}
