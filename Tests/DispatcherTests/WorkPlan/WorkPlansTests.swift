// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import PgStore
import Testing
import TestSupport

/// Work plans from proposal to the statement (WP-01, WP-03).
struct WorkPlansTests {
    private let period = ClosingFixture.period

    private func with(_ grants: Bool, _ body: (PgLink, WorkPlans) throws -> Void) async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 21)
            if !grants { try link.script("DELETE FROM outcome; DELETE FROM lease_grant") }
            try link.script(
                """
                INSERT INTO schedule VALUES ('fines', 'penalty', '2023-01-01', 'PEN-02', 'rate', '5'),
                    ('fines', 'penalty', '2023-01-01', 'PEN-02', 'threshold', '80');
                INSERT INTO work_goal (period, goal_id, contract_id, delegation_id, tactic, indicator, minimum, weight, import_id)
                VALUES (202403, 'W1', 1, 9, NULL, 'worked', '1000', '1', 1), (202403, 'W2', 1, 9, 'rest', 'contacted', '400', '1', 1),
                    (202403, 'D1', NULL, 9, NULL, 'worked', '10', '1', 1);
                """)
            try body(link, try WorkPlans(link, period: period))
        }
    }

    private func scope(_ contract: Int32?) -> WorkPlans.Scope {
        WorkPlans.Scope(contract: contract, delegation: nil, goal: nil)
    }

    @Test func `an approved goal is a fact, and a waiting or rejected one is none`() async throws {
        try await with(false) { link, plans in
            #expect(throws: CommandFailure.self) {
                try plans.decide(scope(2), isApproved: true, reason: nil, by: "Ana")
            }
            #expect(throws: CommandFailure.self) {
                try plans.decide(scope(1), isApproved: false, reason: nil, by: "Ana")
            }
            #expect(
                try plans.decide(scope(1), isApproved: true, reason: nil, by: "Ana")
                    == WorkPlans.Decided(goals: 2, late: 0, replaced: 0))
            let facts = try link.run("SELECT fact_id, subject, minimum FROM fact WHERE kind = 'goal' ORDER BY fact_id")
            #expect(
                facts.map { [$0.text(0), $0.text(1), $0.text(2)] } == [
                    ["W1", "worked", "1000"], ["W2", "contacted:rest", "400"],
                ])
            // The delegation's own goal is nobody's penalty.
            _ = try plans.decide(scope(nil), isApproved: true, reason: nil, by: "Ana")
            #expect(try link.run("SELECT count(*) FROM fact WHERE kind = 'goal'")[0].int64(0) == 2)
            #expect(try plans.lines().map(\.state) == ["approved", "approved", "approved"])
            // The fixture's other facts have no records; a goal's approval has written its own.
            func findings() throws -> [String] {
                try LedgerVerification(link).run().findings.map(\.found).filter { $0.contains("id=W1") }
            }
            #expect(try findings() == [])
            try link.script("UPDATE fact SET minimum = '1' WHERE fact_id = 'W1'")
            #expect(try !findings().isEmpty)
        }
    }

    @Test func `after the first grant a change needs a reason, replaces the former and shows`() async throws {
        try await with(true) { link, plans in
            #expect(throws: CommandFailure.self) {
                try plans.decide(scope(1), isApproved: true, reason: nil, by: "Ana")
            }
            #expect(try plans.decide(scope(1), isApproved: true, reason: "flood", by: "Ana").late == 2)
            try link.script(
                """
                INSERT INTO work_goal (period, goal_id, contract_id, delegation_id, tactic, indicator, minimum, weight, import_id)
                VALUES (202403, 'W3', 1, 9, NULL, 'worked', '2', '1', 1)
                """)
            #expect(
                try plans.decide(scope(1), isApproved: true, reason: "second thoughts", by: "Ana")
                    == WorkPlans.Decided(goals: 1, late: 1, replaced: 1))
            #expect(try plans.lines().first { $0.row.goal.id == "W1" }?.state == "replaced")
            let month = try MonthClosing(link, period: period).preview()
            let body = try #require(month.statements.first { $0.contract == 1 })
            let section = try #require(try StatementDocument(body.body).sections.first { $0.delegation == 9 })

            #expect(section.notes.contains { $0.contains("W3 (worked)") && $0.contains("antes 1,000") })
            #expect(section.notes.contains { $0.contains("second thoughts") })
            #expect(!section.notes.contains { $0.contains("W1 (") })
        }
    }

    @Test func `a goal in accounts falls with what the institution took, and the statement says so`() async throws {
        try await with(true) { link, plans in
            _ = try plans.decide(scope(1), isApproved: true, reason: "late plan", by: "Ana")
            _ = try plans.decide(scope(nil), isApproved: true, reason: "late plan", by: "Ana")
            let body = try #require(
                try MonthClosing(link, period: period).preview().statements.first { $0.contract == 1 })
            let section = try #require(try StatementDocument(body.body).sections.first { $0.delegation == 9 })
            let indicators = try #require(section.indicators)
            let dealt = indicators.dealt.values.reduce(0, +)
            #expect(dealt > indicators.assigned)

            let line = try #require(try plans.lines().first { $0.row.goal.id == "W1" })
            #expect(line.minimum == 1_000 * WorkGoal.scale * indicators.assigned / dealt)
            #expect(line.achieved == indicators.worked * WorkGoal.scale)
            #expect(section.notes.contains { $0.contains("W1 (worked): mínimo 1,000 ×") })
            #expect(section.lines.contains { $0.rule == "PEN-02" && $0.facts == ["W1", "W2"] })
            // The delegation's own: all contracts together.
            let own = try #require(try plans.lines().first { $0.row.goal.id == "D1" })
            let worked = try link.run(
                """
                SELECT count(DISTINCT (o.contract_id, o.account_id)) FROM outcome o LEFT JOIN review r USING (outcome_id)
                WHERE o.delegation_id = 9 AND CASE WHEN o.result ~ '^dwelling-|^agreement-signed$' OR 'HRS-01' = ANY (o.marks)
                    THEN r.decision = 'approved' ELSE true END
                """)[0].int64(0)
            #expect(own.achieved == worked * WorkGoal.scale)
        }
    }

    private static let goalHeader = "goal,contract,delegation,tactic,indicator,minimum,weight,note\n"
    private static let factHeader =
        "fact,kind,contract,delegation,on_date,portfolio,subject,value,minimum,weight,note,supersedes\n"

    @Test func `a goal of a tactic that the month's policy has not is refused, and the known ones are named`()
        async throws
    {
        try await StartedMonth.with(accounts: 60, applied: false) { month in
            let known = "incomplete-payment, signed, high-payment-probability, containment, agreements-50, rest"
            let refused = try month.load(
                .goals,
                Self.goalHeader + "W-1,1,9,rest,worked,10,1,\nW-2,1,9,remnant,worked,10,1,\nW-3,1,9,,contacted,10,1,\n")
            #expect(refused.result == .refused && refused.rowsBad == 1)
            let fault = try #require(refused.badValues.first)
            #expect(fault.line == 3 && fault.column == "tactic" && fault.value == "remnant")
            #expect(
                fault.reason.hasPrefix("is no tactic of policy infonavit-2023 ")
                    && fault.reason.hasSuffix(", which placed the month; it has \(known)"))
            // So it is with a fact, which nobody approves.
            let fact = try month.load(
                .facts,
                Self.factHeader
                    + "G-1,goal,1,9,2024-03-01,,worked:remnant,,10,1,,\nG-2,goal,1,9,2024-03-01,,worked:rest,,10,1,,\n")
            #expect(fact.result == .refused && fact.badValues.map(\.column) == ["subject"])
            #expect(fact.badValues.map(\.value) == ["remnant"])
            let taken = try month.load(
                .goals, Self.goalHeader + "W-1,1,9,rest,worked,10,1,\nW-3,1,9,,contacted,10,1,\n")
            #expect(taken.result == .imported && taken.warnings.isEmpty)
        }
    }

    @Test func `before a month is segmented nobody knows its tactics, and what is unknown then is not approved`()
        async throws
    {
        try await StartedMonth.with(accounts: 60, applied: false) { month in
            try month.link.script(
                "CREATE TEMP TABLE kept AS SELECT * FROM segmentation; DELETE FROM segmentation;"
                    + "INSERT INTO schedule VALUES ('f', 'fee', '2024-01-01', 'FEE-11', 'administrative.phone', '10'), "
                    + "('p', 'penalty', '2024-01-01', 'IVA', 'rate', '16')")
            let report = try month.load(
                .goals,
                Self.goalHeader + "W-1,1,9,rest,worked,10,1,\nW-2,1,9,remnant,worked,10,1,\nW-3,1,9,,contacted,10,1,\n")
            #expect(report.result == .imported)
            #expect(report.warnings.map { "\($0.line) \($0.value)" } == ["2 rest", "3 remnant"])
            #expect(report.warnings.allSatisfy { $0.reason.hasPrefix("2024-03 is not segmented yet") })
            let facts = try month.load(
                .facts,
                Self.factHeader
                    + "G-1,goal,1,9,2024-03-01,,worked:remnant,,10,1,,\nG-2,goal,1,9,2024-03-01,,worked:rest,,10,1,,\n")
            #expect(facts.result == .imported)
            try month.link.script("INSERT INTO segmentation SELECT * FROM kept")
            let plans = try WorkPlans(month.link, period: PlannedMonth.march)
            let failure = #expect(throws: CommandFailure.self) {
                try plans.decide(scope(1), isApproved: true, reason: nil, by: "Ana")
            }
            #expect(
                failure?.found.hasPrefix("goal W-2 is of the tactic `remnant`, which is no tactic of policy") == true)
            #expect(try plans.lines().map(\.state) == ["waits", "waits; no tactic of the month", "waits"])
            let other = WorkPlans.Scope(contract: 1, delegation: nil, goal: "W-2")
            #expect(try plans.decide(other, isApproved: false, reason: "no such tactic", by: "Ana").goals == 1)
            #expect(try plans.decide(scope(1), isApproved: true, reason: nil, by: "Ana").goals == 2)
            // A fact is approved by nobody: who closes the month is told.
            let warnings = try MonthClosing(month.link, period: PlannedMonth.march).preview().summary.warnings
            #expect(
                warnings.filter { $0.hasPrefix("goal ") }.map { $0.prefix(64) }
                    == ["goal G-1 of contract 1 is of the tactic `remnant`, which is no tactic of policy".prefix(64)])
        }
    }
}
