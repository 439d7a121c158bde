// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// What the published averages give for a policy's placements: by strategy in pesos, by tactic in accounts.
/// - Source: STR-01…07, ORA-10…13.
struct WhatIfRecovery {
    private let sides: [WhatIfSide]
    private let tactics: [Tactic]

    init(_ draft: PolicyWhatIf.Draft) {
        self.sides = draft.sides
        var seen: Set<String> = []
        self.tactics = draft.choices[0].policy.strategies.flatMap { $0.tactics + [$0.rest] }
            .filter { seen.insert($0.name).inserted }
    }

    var all: [WhatIfReport.Recovery] { byStrategy + [allStrategies] + dual + byTactic + [payers, payments] }

    /// The strategies' pesos together.
    private var allStrategies: WhatIfReport.Recovery {
        let sums = sides.map { side in
            side.strategies.reduce(Int128(0)) { sum, each in
                sum
                    + PublishedRates.yield(each.key).yield.expected(
                        accounts: each.value.accounts, overdue: each.value.overdue)
            }
        }.map { WhatIfReport.Quantity.pesos(Pesos($0)) }
        return WhatIfReport.Recovery(
            of: "all strategies", origin: "", rate: "", appliedTo: "accounts",
            base: .accounts(sides[0].placed.accounts), expected: sums[0], expectedNow: sums.count > 1 ? sums[1] : nil)
    }

    private var byStrategy: [WhatIfReport.Recovery] {
        let totals = sides.map(\.strategies)
        return Strategy.allCases.reversed().compactMap { strategy in
            guard let mine = totals[0][strategy] else { return nil }
            let (origin, yield) = PublishedRates.yield(strategy)
            let expected = totals.map { side in
                let its = side[strategy] ?? VerdictTotals()
                return WhatIfReport.Quantity.pesos(
                    Pesos(yield.expected(accounts: its.accounts, overdue: its.overdue)))
            }
            let (rate, appliedTo, base) =
                switch yield {
                case .overdue(let percent):
                    ("\(percent) %", "pesos overdue", WhatIfReport.Quantity.pesos(Pesos(mine.overdue)))
                case .perAccount(let pesos, let accounts):
                    (
                        "\(Figure.grouped(pesos)) pesos a month from \(Figure.grouped(accounts)) accounts",
                        "accounts", .accounts(mine.accounts)
                    )
                }
            return WhatIfReport.Recovery(
                of: strategy.name, origin: origin, rate: rate, appliedTo: appliedTo, base: base,
                expected: expected[0], expectedNow: expected.count > 1 ? expected[1] : nil)
        }
    }

    /// Mediation only invites from dual, so its accounts are dual ones.
    private var dual: [WhatIfReport.Recovery] {
        let accounts = sides.map { side in
            [Strategy.dual, .mediation].reduce(Int64(0)) { $0 + (side.strategies[$1]?.accounts ?? 0) }
        }
        guard accounts[0] > 0 else { return [] }
        return [
            ("some payment", PublishedRates.dualSomePercent), ("payment in full", PublishedRates.dualFullPercent),
        ].map { words, percent in
            shares("dual and mediation, \(words)", "ORA-13", percent, of: "accounts", accounts)
        }
    }

    private var byTactic: [WhatIfReport.Recovery] {
        let totals = sides.map(\.tactics)
        return tactics.compactMap { tactic in
            guard totals[0][tactic.name] != nil, let (origin, percent) = PublishedRates.efficiency(of: tactic.origins)
            else { return nil }
            return shares(
                tactic.name, origin, percent, of: "accounts", totals.map { $0[tactic.name]?.accounts ?? 0 })
        }
    }

    private var payers: WhatIfReport.Recovery {
        shares(
            "all placed, payers", "ORA-10", PublishedRates.payersPercent, of: "accounts", sides.map(\.placed.accounts))
    }

    private var payments: WhatIfReport.Recovery {
        let payers = sides.map { $0.placed.accounts * PublishedRates.payersPercent / 100 }
        let mean = Int128(PublishedRates.meanPayment.value)
        let pesos = payers.map { WhatIfReport.Quantity.pesos(Pesos(Int128($0) * mean)) }
        return WhatIfReport.Recovery(
            of: "all placed, payments", origin: "ORA-10",
            rate: "\(Figure.grouped(Pesos(mean))) pesos each", appliedTo: "payers", base: .accounts(payers[0]),
            expected: pesos[0], expectedNow: pesos.count > 1 ? pesos[1] : nil)
    }

    /// So many percent of the accounts, rounded down.
    private func shares(
        _ of: String, _ origin: String, _ percent: Int64, of words: String, _ accounts: [Int64]
    ) -> WhatIfReport.Recovery {
        let expected = accounts.map { WhatIfReport.Quantity.accounts($0 * percent / 100) }
        return WhatIfReport.Recovery(
            of: of, origin: origin, rate: "\(percent) %", appliedTo: words, base: .accounts(accounts[0]),
            expected: expected[0], expectedNow: expected.count > 1 ? expected[1] : nil)
    }
}
