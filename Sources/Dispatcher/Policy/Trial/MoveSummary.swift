// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// What a change of policy comes to for the people: who is collected now, who no more, who otherwise. Rules of two policies
/// have names of their own, so that a move from one to another need not change anything for the account.
///
/// The parts share out all accounts: each is in exactly one.
package struct MoveSummary: Encodable, Sendable {
    package struct Part: Encodable, Sendable {
        package fileprivate(set) var accounts: Int64 = 0
        package var overdue: Pesos { Pesos(centavos) }
        private var centavos: Int128 = 0

        fileprivate mutating func add(_ totals: VerdictTotals) {
            accounts += totals.accounts
            centavos += totals.overdue
        }

        private enum CodingKeys: String, CodingKey { case accounts, overdue }

        package func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(accounts, forKey: .accounts)
            try container.encode(overdue, forKey: .overdue)
        }
    }

    /// Placed by the new policy and not by the old one.
    package private(set) var collectedNow = Part()
    /// Placed by the old policy and not by the new one.
    package private(set) var collectedNoMore = Part()
    /// Placed by both, in another strategy.
    package private(set) var otherStrategy = Part()
    /// Placed by both in the same strategy, by another portfolio.
    package private(set) var otherPortfolio = Part()
    /// Placed by both in the same strategy, by the same portfolio.
    package private(set) var asBefore = Part()
    /// Placed by neither.
    package private(set) var neither = Part()

    init(_ tally: MoveTally, parties: [PolicyTrial.Party]) {
        for (pair, totals) in tally.pairs {
            let (old, new) = (parties[0].table.verdict(pair.old), parties[1].table.verdict(pair.new))
            switch (old.kind.strategy, new.kind.strategy) {
            case (nil, nil): neither.add(totals)
            case (nil, .some): collectedNow.add(totals)
            case (.some, nil): collectedNoMore.add(totals)
            case (.some(let from), .some(let to)):
                if from != to {
                    otherStrategy.add(totals)
                } else if old.portfolio != new.portfolio {
                    otherPortfolio.add(totals)
                } else {
                    asBefore.add(totals)
                }
            }
        }
    }

    var lines: [String] {
        var table = TextTable(columns: [.left, .right, .right])
        table.row(["in sum", "accounts", "overdue"])
        for (words, part) in [
            ("collected now, not before", collectedNow), ("collected no more", collectedNoMore),
            ("in another strategy", otherStrategy), ("by another portfolio, in the same strategy", otherPortfolio),
            ("in the same strategy and portfolio", asBefore), ("collected by neither", neither),
        ] {
            table.row([words, Figure.grouped(part.accounts), Figure.grouped(part.overdue)])
        }
        return table.lines
    }
}
