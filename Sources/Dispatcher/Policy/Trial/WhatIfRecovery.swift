// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// What the published averages give for a policy's placements: by strategy in pesos, by tactic in accounts.
///
/// One institution published them, of its own programmes. So they are applied to strategies that come from its rules; of those
/// of another institution they say nothing, and these are left out by name.
/// - Source: STR-01…07, ORA-10…13.
struct WhatIfRecovery {
    private let sides: [WhatIfSide]
    private let scopes: [Scope]
    private let tactics: [Tactic]

    init(_ draft: PolicyWhatIf.Draft) {
        self.sides = draft.sides
        self.scopes = draft.choices.map { Scope($0.policy) }
        var seen: Set<String> = []
        self.tactics = draft.choices[0].policy.strategies.flatMap { $0.tactics + [$0.rest] }
            .filter { seen.insert($0.name).inserted }
    }

    var all: [WhatIfReport.Recovery] {
        let strategies = byStrategy
        return strategies + (strategies.isEmpty ? [] : [allStrategies] + dual) + byTactic
            + (strategies.isEmpty ? [] : [payers, payments])
    }

    /// Why strategies with accounts have no figure, a line for each policy.
    var leftOut: [String] {
        zip(sides, scopes).compactMap { side, scope in
            let names = Strategy.allCases.reversed()
                .filter { side.strategies[$0]?.accounts ?? 0 > 0 && !scope.covers($0) }.map(\.name)
            guard !names.isEmpty else { return nil }
            return
                "\(names.joined(separator: ", ")) of \(scope.policy.name): the published averages are those of Infonavit's own "
                + "programmes (ORA-10…13), and these strategies come from the rules of another institution "
                + "(\(scope.policy.packs.filter { $0 != Scope.pack }.map { "pack \($0)" }.joined(separator: ", ")))"
        }
    }

    /// The strategies' pesos together.
    private var allStrategies: WhatIfReport.Recovery {
        let sums = sides.indices.map { index -> WhatIfReport.Quantity? in
            let covered = sides[index].strategies.filter { scopes[index].covers($0.key) }
            guard !covered.isEmpty else { return nil }
            let sum = covered.reduce(Int128(0)) { sum, each in
                sum
                    + PublishedRates.yield(each.key).yield.expected(
                        accounts: each.value.accounts, overdue: each.value.overdue)
            }
            return .pesos(Pesos(sum))
        }
        return WhatIfReport.Recovery(
            of: "all strategies", origin: "", rate: "", appliedTo: "accounts", base: .accounts(covered[0]),
            expected: sums[0], expectedNow: sums.count > 1 ? sums[1] : nil)
    }

    private var byStrategy: [WhatIfReport.Recovery] {
        Strategy.allCases.reversed().compactMap { strategy in
            let (origin, yield) = PublishedRates.yield(strategy)
            let expected = sides.indices.map { index -> WhatIfReport.Quantity? in
                guard scopes[index].covers(strategy) else { return nil }
                let its = sides[index].strategies[strategy] ?? VerdictTotals()
                return .pesos(Pesos(yield.expected(accounts: its.accounts, overdue: its.overdue)))
            }
            guard expected[0] != nil, let mine = sides[0].strategies[strategy] else { return nil }
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
        let accounts = sides.indices.map { index in
            [Strategy.dual, .mediation].filter { scopes[index].covers($0) }
                .reduce(Int64(0)) { $0 + (sides[index].strategies[$1]?.accounts ?? 0) }
        }
        guard accounts[0] > 0 else { return [] }
        return [
            ("some payment", PublishedRates.dualSomePercent), ("payment in full", PublishedRates.dualFullPercent),
        ].map { words, percent in
            shares("dual and mediation, \(words)", "ORA-13", percent, of: "accounts", accounts)
        }
    }

    private var byTactic: [WhatIfReport.Recovery] {
        tactics.compactMap { tactic in
            guard sides[0].tactics[tactic.name] != nil,
                let (origin, percent) = PublishedRates.efficiency(of: tactic.origins)
            else { return nil }
            return shares(
                tactic.name, origin, percent, of: "accounts",
                sides.indices.map { index in
                    scopes[index].has(tactic.name, origin) ? sides[index].tactics[tactic.name]?.accounts ?? 0 : 0
                })
        }
    }

    /// Accounts placed in strategies that the averages speak of.
    private var covered: [Int64] {
        sides.indices.map { index in
            sides[index].strategies.filter { scopes[index].covers($0.key) }.reduce(0) { $0 + $1.value.accounts }
        }
    }

    private var payers: WhatIfReport.Recovery {
        shares("all placed, payers", "ORA-10", PublishedRates.payersPercent, of: "accounts", covered)
    }

    private var payments: WhatIfReport.Recovery {
        let payers = covered.map { $0 * PublishedRates.payersPercent / 100 }
        let mean = Int128(PublishedRates.meanPayment.value)
        let pesos = payers.map { WhatIfReport.Quantity.pesos(Pesos(Int128($0) * mean)) }
        return WhatIfReport.Recovery(
            of: "all placed, payments", origin: "ORA-10",
            rate: "\(Figure.grouped(Pesos(mean))) pesos each", appliedTo: "payers", base: .accounts(payers[0]),
            expected: pesos[0], expectedNow: now(pesos))
    }

    /// So many percent of the accounts, rounded down.
    private func shares(
        _ of: String, _ origin: String, _ percent: Int64, of words: String, _ accounts: [Int64]
    ) -> WhatIfReport.Recovery {
        let expected = accounts.map { WhatIfReport.Quantity.accounts($0 * percent / 100) }
        return WhatIfReport.Recovery(
            of: of, origin: origin, rate: "\(percent) %", appliedTo: words, base: .accounts(accounts[0]),
            expected: expected[0], expectedNow: now(expected))
    }

    /// The figure of the policy in force, where the averages speak of any of its strategies.
    private func now(_ figures: [WhatIfReport.Quantity]) -> WhatIfReport.Quantity? {
        figures.count > 1 && sides[1].strategies.keys.contains(where: scopes[1].covers) ? figures[1] : nil
    }

    /// What the averages speak of in one policy.
    private struct Scope {
        /// Whose they are.
        static let pack = "infonavit-2023"
        let policy: Policy

        init(_ policy: Policy) { self.policy = policy }

        /// A strategy by a rule of that institution; one by rules that are nobody's counts with the policy's packs.
        func covers(_ strategy: Strategy) -> Bool {
            let origins =
                strategy == Invitation.strategy
                ? policy.invitation?.origins : policy.strategies.first { $0.strategy == strategy }?.origins
            let owners = Set((origins ?? []).compactMap { PolicyPack.owner(of: $0) })
            guard policy.packs.contains(Self.pack), origins != nil else { return false }
            return owners.isEmpty || owners.contains(Self.pack)
        }

        func has(_ tactic: String, _ origin: String) -> Bool {
            policy.strategies.contains { rule in
                (rule.tactics + [rule.rest]).contains { $0.name == tactic && $0.origins.contains(origin) }
            }
        }
    }
}
