// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
import PgStore
import Testing

/// A plan after it was made: verified again, explained, compared, tried otherwise.
struct PlanRecordTests {
    @Test func `an applied plan is verified from its record, and what was changed afterwards is told`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            _ = try month.plan().apply(by: "ana")
            let check = PlanCheckRun(month.link, period: PlannedMonth.march)
            let fine = try check.run()
            #expect(fine.faults == [])
            #expect(fine.appliedBy == ["ana"] && fine.appliedAt != nil)
            #expect(
                try month.number(
                    "SELECT count(*) FROM block WHERE position('by=ana'::bytea IN records) > 0 AND position('plan plan=1'::bytea IN records) > 0"
                ) == 2, "in each of the two delegations")

            // The quotas of today do not matter, what was put in force does.
            try month.link.script("UPDATE contract_capacity SET committed_advisers = 1; DELETE FROM placement")
            #expect(try check.run().faults == [])
            try month.link.script(
                "UPDATE quota_history SET limit_accounts = limit_accounts + 1 WHERE quota_id = (SELECT min(quota_id) FROM quota_history)"
            )
            #expect(try check.run().faults.count == 1)
            try month.link.script(
                "UPDATE quota_history SET limit_accounts = limit_accounts - 1 WHERE quota_id = (SELECT min(quota_id) FROM quota_history)"
            )
            try month.link.script(
                """
                UPDATE plan_proof SET body = regexp_replace(body, '"seed":202403', '"seed":202404')
                """)
            #expect(try check.run().faults.first?.contains("digest") == true)
            try month.link.script("UPDATE plan_proof SET body = 'x'")
            #expect(throws: CommandFailure.self) { try check.run() }
        }
    }

    @Test func `of two limits that are put in force in one instant both are kept, and the later one is in force`()
        async throws
    {
        try await PlannedMonth.with { month in
            try month.addCut(count: 420)
            try month.segment()
            _ = try month.plan().apply(by: "ana")
            let quotas = try month.number("SELECT count(*) FROM quota")
            let lowered = try month.number("SELECT count(*) FROM quota WHERE contract_id = 1 AND limit_accounts > 0")
            let given = try month.number("SELECT sum(limit_accounts)::bigint FROM quota WHERE contract_id = 1")
            try month.link.transaction {
                _ = try month.link.lowerQuotas(of: try #require(AgencyID(1)), strategy: nil)
            }

            #expect(lowered > 0 && given > 0)
            #expect(try month.number("SELECT count(*) FROM quota_history") == quotas + lowered)
            #expect(try month.number("SELECT count(DISTINCT since) FROM quota_history") == 1)
            #expect(try month.number("SELECT count(*) FROM quota_history WHERE cause = 'order'") == lowered)
            #expect(try PlanCheckRun(month.link, period: PlannedMonth.march).run().faults == [])
            // What a month had last is what was in force at its end.
            let april = PlanningStore(month.link, period: PlannedMonth.april, cut: PlannedMonth.april.firstDay)
            #expect(try april.lastMonth().filter { $0.key.contract.value == 1 }.values.reduce(0, +) == 0)
            // A record that says otherwise than what was put in force by the plan is told as before.
            try month.link.script(
                "UPDATE quota_history SET limit_accounts = limit_accounts + 1 WHERE cause = 'order'")
            #expect(try PlanCheckRun(month.link, period: PlannedMonth.march).run().faults == [])
            try month.link.script(
                "UPDATE quota_history SET limit_accounts = limit_accounts + 1 WHERE cause = 'plan'")
            #expect(try PlanCheckRun(month.link, period: PlannedMonth.march).run().faults.count == Int(quotas))
        }
    }

    @Test(arguments: [("2024-03-30", true), ("2024-03-31", false)] as [(String, Bool)])
    func `a plan warns of a contract that ends within its month, with what is dealt to it`(
        endsOn: String, isWarned: Bool
    ) async throws {
        try await PlannedMonth.with { month in
            try month.addCut(count: 420)
            try month.segment()
            try month.link.run("UPDATE contract SET ends_on = $1::text::date WHERE contract_id = 1", [.text(endsOn)])
            let report = try month.plan().preview()
            let accounts = report.pools.flatMap(\.quotas).filter { $0.contract == 1 }.reduce(0) { $0 + $1.accounts }

            #expect(accounts > 0)
            #expect(
                report.warnings.contains {
                    $0.hasPrefix("contract 1 of ACE01 ends on \(endsOn), within the month")
                        && $0.contains(" of \(accounts) accounts")
                } == isWarned)
        }
    }

    @Test func `explain tells what binds a quota, who else takes the pool, and why accounts were dealt`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            let explain = PlanExplain(month.link, period: PlannedMonth.march)
            let third = try #require(AgencyID(3))
            let before = try explain.run(third, Delegation.all[13])
            #expect(before.plan == nil)
            _ = try month.plan().apply()
            let report = try explain.run(third, Delegation.all[13])

            let bond = try #require(report.quotas.first { $0.binding == "bond" })
            #expect(bond.why.hasPrefix("its part of the bond, ") && bond.others.count == 2)
            #expect(
                report.quotas.reduce(0) { $0 + $1.accounts }
                    - report.quotas.flatMap(\.dealt).reduce(0) { $0 + $1.accounts }
                    <= 2)
            #expect(report.away.contains { $0.strategy == "dual" && $0.reason == "no-contract" })
            #expect(try explain.run(third, Delegation.all[8]).quotas.isEmpty)
            #expect(throws: CommandFailure.self) { try explain.run(try #require(AgencyID(77)), Delegation.all[8]) }
        }
    }

    @Test func `what-if shows another plan beside this one and writes nothing`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            let second = try #require(AgencyID(2))
            let held = try month.whatIf([.hold(second)])
            #expect(held.agencies.first { $0.what == "ACE02" }?.after ?? 0 == 0)
            #expect((held.agencies.first { $0.what == "ACE02" }?.before ?? 0) > 0)
            #expect((held.agencies.first { $0.what == "ACE01" }.map { $0.after > $0.before }) == true)
            let more = try month.whatIf([try .init(bond: "3=99999999.00"), try .init(cap: "90")])
            #expect((more.agencies.first { $0.what == "ACE03" }.map { $0.after > $0.before }) == true)
            let fewer = try month.whatIf([
                try .init(advisers: "4/9/telephone=0"), try .init(advisers: "4/9/home-visit=0"),
            ])
            #expect(fewer.unplaced.contains { $0.what == "capacity" && $0.after > 0 })
            #expect(try month.whatIf([]).quotas.isEmpty)
            #expect(throws: CommandFailure.self) { try PlanTrial.Change(advisers: "4/9=0") }
            #expect(throws: CommandFailure.self) { try PlanTrial.Change(bond: "4=-1") }
            #expect(throws: CommandFailure.self) { try month.whatIf([try .init(bond: "77=1.00")]) }
            #expect(try month.number("SELECT (SELECT count(*) FROM plan) + (SELECT count(*) FROM quota)") == 0)
        }
    }

    @Test func `where the settings ask for two persons one person twice deals nothing`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            let file = try PlanSettingsFile(text: "settings: mine\npersons: 2\n")
            _ = try PlanSettingsBook(month.link).put(file, from: PlannedMonth.march, by: "ana")
            #expect(try month.plan().apply(by: "ana").state == .awaiting)
            #expect(try month.plan().apply(by: "ana").state == .awaiting)
            #expect(try month.plan().apply(by: "Ana ").state == .awaiting)
            // Another plan is another wish.
            #expect(try month.plan(seed: 7).apply(by: "luis").state == .awaiting)
            #expect(try month.number("SELECT (SELECT count(*) FROM plan) + (SELECT count(*) FROM hand)") == 0)

            let report = try month.plan().apply(by: "luis")
            #expect(report.state == .applied && report.persons.map { $0.lowercased() }.sorted().last == "luis")
            #expect(report.persons.count == 2)
            #expect(try month.number("SELECT count(*) FROM plan WHERE cardinality(applied_by) = 2") == 1)
        }
    }

    @Test func `where the settings ask for two persons, whoever names nobody is none of them`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            let file = try PlanSettingsFile(text: "settings: mine\npersons: 2\n")
            _ = try PlanSettingsBook(month.link).put(file, from: PlannedMonth.march, by: "ana")
            for name in [nil, "operator", " Operator"] as [String?] {
                let failure = #expect(throws: CommandFailure.self) {
                    if let name { _ = try month.plan().apply(by: name) } else { _ = try month.plan().apply() }
                }
                #expect(failure?.exit == .usage && failure?.remedy.contains("--by NAME") == true)
            }
            #expect(throws: CommandFailure.self) { try month.plan().apply(by: " ") }
            #expect(throws: CommandFailure.self) { try month.plan().apply(by: String(repeating: "a", count: 81)) }
            #expect(try month.number("SELECT count(*) FROM plan_approval") == 0)

            #expect(try month.plan().apply(by: String(repeating: "a", count: 80)).state == .awaiting)
            #expect(try month.plan().apply(by: "Ana Ruiz").state == .applied)
            // Names are sorted by the database's collation.
            let first = try month.number(
                "SELECT count(*) FROM block WHERE position('by=Ana%20Ruiz,'::bytea IN records) > 0")
            let second = try month.number(
                "SELECT count(*) FROM block WHERE position(',Ana%20Ruiz'::bytea IN records) > 0")
            #expect(first + second == 2, "in each of the two delegations")
            // What is applied is looked at without a name.
            #expect(try month.plan().apply().state == .unchanged)
        }
    }

    @Test func `one person is enough where the settings ask for one, and need not be named`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            #expect(try month.plan().apply().persons == ["operator"])
        }
    }

    @Test func `a preview tells missing advisers with their penalty, what more is worth, and where bonds rule`()
        async throws
    {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            try month.link.script(
                """
                INSERT INTO schedule VALUES ('p', 'penalty', '2023-01-01', 'PEN-01', 'telephone', '7000.00'),
                                            ('p', 'penalty', '2023-01-01', 'PEN-01', 'home-visit', '9000.00');
                UPDATE contract_capacity SET committed_advisers = 2, accounts_per_adviser = 30;
                INSERT INTO fact (period, fact_id, kind, contract_id, delegation_id, on_date, portfolio, value, import_id)
                SELECT 202403, 's', 'staffing', 1, 9, date '2024-03-01', 1, '0', max(import_id) FROM import
                """)
            let report = try month.plan().preview()

            // By committed advisers two of them can be full, of whom none is there.
            let short = report.staffing.filter { $0.missing > 0 }
            #expect(short.map(\.contract) == [1] && short.map(\.missing) == short.map(\.needed))
            #expect(short.first?.penalty == Cents(700_000).times(short.first?.missing ?? 0).description)
            #expect(report.unassigned.contains { $0.reason == "capacity" })
            #expect(report.worth.contains { $0.more == "one adviser" && $0.accounts == 30 })
            #expect(report.bound >= report.weight)

            try month.link.script(
                """
                UPDATE contract_capacity SET committed_advisers = 20, accounts_per_adviser = 300;
                UPDATE contract SET exposure_basis = 'overdue', bond = 5000000 WHERE contract_id IN (1, 2)
                """)
            let bound = try month.plan().preview()
            #expect(bound.warnings.contains { $0.hasPrefix("the bond binds ") })
            #expect(bound.unassigned.contains { $0.reason == "bond" })

            // So much more bond places what the preview says, and no peso of it was worth more than was proved.
            let worth = try #require(bound.worth.first { $0.perPeso != nil && $0.accounts > 0 })
            let contract = try #require(worth.limit.split(separator: " ").last.flatMap { Int32($0) })
            let more = try #require(Cents(pesos: worth.more.split(separator: " ")[0].filter { $0 != "," }))
            try month.link.run(
                "UPDATE contract SET bond = bond + $2 WHERE contract_id = $1", [.int32(contract), .int64(more.value)])
            let richer = try month.plan().preview()
            #expect(richer.assigned - bound.assigned == worth.accounts)
            #expect(richer.weight - bound.weight == worth.weight)
            let millionths = try #require(worth.perPeso.flatMap { Int64($0.filter { $0 != "." }) })
            #expect(richer.weight <= bound.bound + (more.value / 100 + 1) * millionths / 1_000_000 + 1)
        }
    }
}

extension PlannedMonth {
    func whatIf(_ changes: [PlanTrial.Change]) throws -> PlanComparison {
        try PlanTrial(link, period: Self.march, settings: nil, changes: changes).run()
    }
}
