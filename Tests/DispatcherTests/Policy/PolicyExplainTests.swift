// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import PgStore
import Testing

struct PolicyExplainTests {
    @Test(arguments: 1...2 as ClosedRange<Int32>)
    func `it agrees with segment for every account of a random cut`(seed: Int32) async throws {
        try await PlannedMonth.with { month in
            try month.addRandomCut(seed: seed, count: 150)
            let policy = try month.variant([("one_per: 950", "one_per: 30")])
            try month.segment(by: policy)

            let rows = try month.link.run(
                """
                SELECT a.account_id, coalesce(p.rule, 'none'), p.portfolio, p.priority
                  FROM account a LEFT JOIN placement p USING (period, delegation_id, account_id)
                """)
            var wrong: [String] = []
            for row in rows {
                let report = try month.explain(row.int64(0))
                let portfolio = row.optionalInt16(2).flatMap(Portfolio.init(rawValue:))?.name
                let decision = report.decision
                if decision.rule != row.text(1) || decision.portfolio != portfolio
                    || decision.priority != row.optionalInt16(3) || !report.notes.isEmpty
                {
                    wrong.append("\(row.int64(0)): explained \(decision.rule), placed \(row.text(1))")
                }
            }
            #expect(rows.count == 300)
            #expect(wrong == [])
        }
    }

    @Test(arguments: 1...4 as ClosedRange<Int32>)
    func `the marks of the rules alone lead to the decision`(seed: Int32) async throws {
        try await PlannedMonth.with { month in
            try month.addRandomCut(seed: seed, count: 60)
            let policy = PolicyChoice.Wish.file(month.policy)
            var wrong: [Int64] = []
            for row in try month.link.run("SELECT account_id FROM account") {
                let report = try month.explain(row.int64(0), policy)
                let exclusion = report.exclusions.first { $0.held }.map { "exclusion.\($0.rule)" }
                let strategy = report.strategies.first { $0.rule.held }
                let work = strategy.flatMap { taken in
                    taken.tactics.first { $0.held }.map { tactic in
                        "\(report.invitation?.isInvited == true ? "mediation" : taken.rule.rule).\(tactic.rule)"
                    }
                }
                if (exclusion ?? work ?? "none") != report.decision.rule { wrong.append(row.int64(0)) }
            }
            #expect(wrong == [])
        }
    }

    @Test func `an account of which nothing is asked has that on record, and only in a month that is segmented`()
        async throws
    {
        try await PlannedMonth.with { month in
            try month.addCut()
            let wish = PolicyChoice.Wish.file(month.policy)
            let account = try month.number(
                "SELECT min(account_id) FROM account WHERE arrears = 0 AND unpaid = 0 AND extension_until IS NULL")
            #expect(try month.explain(account, wish).recorded == nil)
            try month.segment()
            #expect(try month.number("SELECT count(*) FROM placement WHERE account_id = \(account)") == 0)

            let report = try month.explain(account)
            #expect(report.decision.rule == "none")
            #expect(report.recorded?.rule == "none")
            #expect(report.lines.contains("on record: the same"))
            #expect(report.notes == [])
        }
    }

    /// A centavo overdue is something; without one there is nothing to collect.
    @Test(
        arguments: [(0, "nothing to collect"), (1, "no strategy takes it, and 0.01 pesos are overdue")]
            as [(Int64, String)])
    func `an account that no strategy takes is told apart from one that owes nothing`(overdue: Int64, words: String)
        async throws
    {
        try await PlannedMonth.with { month in
            try month.addCut()
            let account = try month.number(
                "SELECT min(account_id) FROM account WHERE arrears = 0 AND unpaid = 0 AND extension_until IS NULL")
            try month.link.script("UPDATE account SET overdue = \(overdue) WHERE account_id = \(account)")
            let report = try month.explain(account, .file(month.policy))

            #expect(report.decision.rule == "none")
            #expect(report.overdue == Pesos(Int128(overdue)))
            #expect(report.lines.contains("decision: \(words)"))
        }
    }

    @Test func `values are in the words of the policy`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.link.script(
                """
                UPDATE account SET job_lost_on = '2024-02-12', balance = 32912345, payment_probability_bp = 3725
                 WHERE account_id = 1400002
                """)
            let policy = try month.variant([
                ("when: {lawsuit_on: known}", "when: {any: [lawsuit_on: known, balance: {above: 999999.99 pesos}]}")
            ])
            let lines = try month.explain(1_400_002, .file(policy)).lines

            #expect(lines.contains { $0.hasSuffix("[ ] lawsuit_on known: not known") })
            #expect(lines.contains { $0.hasSuffix("[ ] balance above 999999.99 pesos: 329123.45 pesos") })
            #expect(lines.contains { $0.hasSuffix("[ ] situation is liquidated: active") })
            #expect(lines.contains { $0.hasSuffix("[ ] payment_probability at least 70 %: 37.25 %") })
            #expect(
                lines.contains {
                    $0.hasSuffix(
                        "[x] job_lost_on between 60 days before cut (2023-12-31) and cut (2024-02-29): 2024-02-12")
                })
        }
    }

    /// Each comparison at its threshold, beside it and on the other side; the words are those of the file.
    @Test(
        arguments: [
            ("arrears: {above: 4}", "arrears above 4", 4, false), ("arrears: {above: 4}", "arrears above 4", 5, true),
            ("arrears: {at_least: 5}", "arrears at least 5", 5, true),
            ("arrears: {below: 4}", "arrears below 4", 4, false), ("arrears: {below: 4}", "arrears below 4", 3, true),
            ("arrears: {at_most: 3}", "arrears at most 3", 3, true),
            ("arrears: {above: 1, below: 4}", "arrears above 1 and below 4", 4, false),
            ("arrears: {above: 1, at_most: 4}", "arrears above 1 and at most 4", 4, true),
            ("arrears: {between: [1, 4]}", "arrears between 1 and 4", 4, true), ("arrears: 4", "arrears is 4", 4, true),
        ] as [(String, String, Int64, Bool)])
    func `a comparison is told as it was written`(written: String, words: String, arrears: Int64, holds: Bool) throws {
        let line = try trace(written, .current.with([.arrears: arrears]))

        #expect(line == "\(holds ? "[x]" : "[ ]") \(words): \(arrears)")
    }

    @Test(
        arguments: [
            ("{after: 2024-01-01}", "after 2024-01-01"), ("{on_or_after: 2024-01-01}", "on or after 2024-01-01"),
            ("{before: cut}", "before cut (2024-02-29)"), ("{on_or_before: cut}", "on or before cut (2024-02-29)"),
            ("{after: 60 days before cut}", "after 60 days before cut (2023-12-31)"),
            ("{after: 2024-01-01, before: cut}", "after 2024-01-01 and before cut (2024-02-29)"),
        ] as [(String, String)])
    func `a comparison of days is told as it was written`(written: String, words: String) throws {
        let line = try trace("job_lost_on: \(written)", .current.with([.jobLostOn: day("2024-02-12")]))

        #expect(line == "[x] job_lost_on \(words): 2024-02-12")
    }

    private func trace(_ condition: String, _ row: AccountRow) throws -> String {
        let text = try ShippedPolicy.text("infonavit-2023").replacing(
            "when: {lawsuit_on: known}", with: "when: {\(condition)}")
        let policy = try PolicyFile(text: text).policy
        return PolicyTracer(Segmenter(policy, cut: cutOfMarch), row: row, cut: cutOfMarch).exclusions[0].condition
            .lines(indent: 0).joined()
    }

    @Test func `a candidate has its rank among the delegation's candidates`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            let invited = try month.number("SELECT min(account_id) FROM placement WHERE strategy = 4")
            let waiting = try month.number(
                """
                SELECT max(account_id) FROM placement JOIN account USING (delegation_id, account_id)
                 WHERE strategy = 3 AND arrears > 9
                """)
            let first = try month.explain(invited)
            let last = try month.explain(waiting)

            #expect(first.invitation?.isInvited == true)
            #expect(first.invitation?.capacity == 2)
            #expect(first.decision.strategy == "mediation")
            #expect(last.invitation?.isInvited == false)
            #expect(last.decision.strategy == "dual")
            #expect(
                last.lines.contains {
                    $0.contains("candidates in delegation 14 for 2 sessions: not invited")
                })
        }
    }

    @Test func `an exclusion has the day that ends it`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            let report = try month.explain(1_400_003)

            #expect(report.decision.rule == "exclusion.extension")
            #expect(report.decision.until == "2024-12-31")
            #expect(report.recorded?.rule == "exclusion.extension")
            #expect(report.strategies.allSatisfy { !$0.rule.isAsked })
        }
    }

    @Test func `news since the segmentation is told`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            try month.addStop(account: 1_400_005, reason: "lawsuit")
            let report = try month.explain(1_400_005)

            #expect(report.decision.rule == "exclusion.lawsuit")
            #expect(report.recorded?.rule != "exclusion.lawsuit")
            #expect(report.notes.count == 1)
        }
    }

    @Test func `an account that is not in the cut is a plain error`() async throws {
        try await PlannedMonth.with { month in
            let uncut = #expect(throws: CommandFailure.self) { try month.explain(1_400_005) }
            try month.addCut()
            try month.segment()
            let unknown = #expect(throws: CommandFailure.self) { try month.explain(77) }

            #expect(uncut?.found == "2024-03 has no cut")
            #expect(unknown?.found == "account 77 is not in the cut of 2024-03")
            #expect(unknown?.exit == .usage)
        }
    }
}
