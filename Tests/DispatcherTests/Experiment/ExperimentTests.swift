// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
import PgStore
import TestSupport
import Testing

/// Champion and challengers from the definition over the plan to the reading.
struct ExperimentTests {
    private func define(
        _ month: StartedMonth, name: String = "letters", arms: [String] = ["usual=75:ACE01", "letters=25:ACE02"],
        delegations: [Int16] = [9], from: String = "2024-03", until: String? = nil, sample: Int64 = 20
    ) throws -> String {
        try ExperimentCommands.Definition(
            name: name, strategy: "administrative", delegations: delegations, from: from, until: until, strata: [],
            smallestSample: sample, arms: arms, by: "ana"
        ).run(on: month.link)
    }

    @Test func `the plan deals each arm its part, and every position says which arm it is in`() async throws {
        try await StartedMonth.with(accounts: 1_200, applied: false) { month in
            _ = try define(month)
            _ = try month.month.plan().apply()
            func dealt(_ contract: Int) throws -> Int64 {
                try month.count(
                    """
                    position p JOIN hand h USING (delegation_id, hand_id)
                     WHERE h.delegation_id = 9 AND h.strategy = 2 AND h.contract_ids = '{\(contract)}' AND p.arm = \(contract)
                    """)
            }
            let (champion, challenger) = (try dealt(1), try dealt(2))

            #expect(challenger > 20 && abs(champion - 3 * challenger) <= 8)
            #expect(
                try month.count(
                    "position p JOIN hand h USING (delegation_id, hand_id) WHERE h.delegation_id = 14 AND p.arm <> 0")
                    == 0)
            #expect(try month.ledger().contains("experiment name=letters delegation=9 strategy=administrative"))
        }
    }

    /// Agency 3 has no contract in delegation 9, and agency 2 is in no arm.
    @Test func `where an arm has no contract the plan deals as without the experiment, and says so`() async throws {
        try await StartedMonth.with(accounts: 1_200, applied: false) { month in
            let before = try month.month.plan().preview()
            _ = try define(month, arms: ["usual=75:ACE01", "letters=25:ACE03"], delegations: [9, 14])
            let preview = try month.month.plan().preview()
            let warning = preview.warnings.filter { $0.contains("experiment letters") }

            #expect(warning.count == 1 && warning.first?.contains("delegation 9:") == true)
            func pools(_ report: PlanReport, _ delegation: Int16) -> [PlanReport.PoolLine] {
                report.pools.filter { $0.delegation == delegation && $0.strategy == "administrative" }
            }
            #expect(!pools(preview, 9).isEmpty)
            #expect(
                pools(preview, 9).map { $0.quotas.map(\.accounts) }
                    == pools(before, 9).map { $0.quotas.map(\.accounts) })
            #expect(pools(preview, 14).flatMap(\.quotas).allSatisfy { $0.arm > 0 })
            _ = try define(month, name: "both", delegations: [9], from: "2024-04")
            #expect(try month.month.plan().preview().warnings.filter { $0.contains("experiment both") } == [])
        }
    }

    @Test func `a definition says where every arm has a contract, and is refused where that is nowhere`() async throws {
        try await StartedMonth.with(accounts: 60, applied: false) { month in
            // Agency 3 works in delegation 14 alone, agency 4 has no administrative.
            let some = try define(
                month, arms: ["usual=75:ACE01", "letters=25:ACE03"], delegations: [9, 14], until: "2024-04")
            #expect(some.contains("2024-03 to 2024-04") && some.contains("in 1 of 2 delegations (14)"))
            let all = try define(month, name: "all", delegations: [9], from: "2024-05")
            #expect(all.contains("in its delegation") && !all.contains("dealt as without it"))
            let both = try define(month, name: "both", delegations: [9, 14], from: "2024-06")
            #expect(both.contains("in all 2 delegations"))

            let none = #expect(throws: CommandFailure.self) {
                try define(
                    month, name: "none", arms: ["usual=75:ACE01,ACE02", "letters=25:ACE04"], delegations: [9, 14],
                    from: "2024-08")
            }
            #expect(none?.exit == .usage && none?.found.contains("(usual in 2 of 2, letters in 0 of 2)") == true)
            // Contracts end with the year.
            let over = #expect(throws: CommandFailure.self) { try define(month, name: "over", from: "2025-01") }
            #expect(over?.found.contains("would compare nothing") == true)
            let last = try define(month, name: "last", from: "2024-12", until: "2025-01")
            #expect(last.contains("in its delegation"))
            // One that begins in between is told apart.
            try month.link.script("UPDATE contract SET starts_on = '2024-11-01' WHERE contract_id = 3")
            let later = try define(
                month, name: "later", arms: ["usual=75:ACE01", "letters=25:ACE03"], delegations: [9, 14],
                from: "2024-10", until: "2024-11")
            #expect(later.contains("in 1 of 2 delegations (14), in 0 of them from 2024-10 on"))
            #expect(try month.count("experiment") == 5)
        }
    }

    @Test func `a month that is dealt takes no experiment, the next one does`() async throws {
        try await StartedMonth.with(accounts: 60) { month in
            let failure = #expect(throws: CommandFailure.self) { try define(month) }
            #expect(failure?.exit == .usage && failure?.remedy.contains("--from 2024-04") == true)
            #expect(throws: CommandFailure.self) { try define(month, from: "2024-02", until: "2024-05") }
            #expect(try month.count("experiment") == 0)
            _ = try define(month, from: "2024-04")
        }
    }

    /// It is March.
    @Test func `a month that is over takes no experiment, the one that runs does`() async throws {
        try await StartedMonth.with(accounts: 60, applied: false) { month in
            let failure = #expect(throws: CommandFailure.self) { try define(month, from: "2024-02", until: "2024-12") }
            #expect(failure?.found == "2024-02 is over" && failure?.remedy.contains("--from 2024-03") == true)
            #expect(throws: CommandFailure.self) { try define(month, from: "2020-01") }
            _ = try define(month)
        }
    }

    @Test func `a trait that the plan's hands do not tell apart is told at the definition and in the reading`()
        async throws
    {
        try await StartedMonth.with(accounts: 1_200, applied: false) { month in
            func defined(_ name: String, _ from: String) throws -> String {
                try ExperimentCommands.Definition(
                    name: name, strategy: "administrative", delegations: [9], from: from, until: nil,
                    strata: ["balance", "employment"], smallestSample: 20,
                    arms: ["usual=75:ACE01", "letters=25:ACE02"], by: "Ana Ruiz"
                ).run(on: month.link)
            }
            let file = try PlanSettingsFile(text: "settings: mine\nstrata: [employment]\n")
            _ = try PlanSettingsBook(month.link).put(file, from: PlannedMonth.march, by: "ana")
            #expect(try defined("one", "2024-03").contains("do not tell balance apart"))
            let both = try PlanSettingsFile(text: "settings: both\nstrata: [balance, employment]\n")
            _ = try PlanSettingsBook(month.link).put(both, from: PlannedMonth.april, by: "ana")
            #expect(try !defined("two", "2024-04").contains("apart"))
            #expect(try month.ledger().contains("by=Ana%20Ruiz"))

            _ = try month.month.plan().apply()
            let read = try ExperimentCommands.read(name: "one", asJSON: false, month.link)
            #expect(read.contains("balance-untold employment-") && !read.contains("balance-0"))
        }
    }

    private func withdraw(_ month: StartedMonth, _ name: String = "letters", by: String = "Ana Ruiz") throws -> String {
        try ExperimentWithdrawal(name: name, motive: "no-contract", by: by).run(on: month.link)
    }

    @Test func `an experiment that has dealt nothing is withdrawn as a whole, and its name and places are free`()
        async throws
    {
        try await StartedMonth.with(accounts: 1_200, applied: false) { month in
            let before = try month.month.plan().preview()
            _ = try define(month, until: "2024-05")
            #expect(throws: CommandFailure.self) { try withdraw(month, "other") }
            #expect(try withdraw(month).contains("nothing was dealt by it"))
            #expect(try month.month.plan().preview().digest == before.digest)
            #expect(try month.count("experiment") == 0 && month.count("experiment_arm") == 0)
            #expect(
                try month.ledger().contains(
                    "experiment-end name=letters delegation=9 strategy=administrative last=none motive=no-contract by=Ana%20Ruiz"
                ))
            #expect(throws: CommandFailure.self) { try withdraw(month) }
            _ = try define(month)
        }
    }

    /// Agency 3 has lost its delegation by the time of the plan, so that nothing is dealt by the experiment.
    @Test func `one whose month was dealt without it is withdrawn as a whole too`() async throws {
        try await StartedMonth.with(accounts: 1_200, applied: false) { month in
            _ = try define(
                month, arms: ["usual=75:ACE01", "letters=25:ACE03"], delegations: [14], until: "2024-04")
            try month.link.script("UPDATE contract SET ends_on = '2024-02-28' WHERE contract_id = 3")
            _ = try month.month.plan().apply()
            #expect(try withdraw(month).contains("nothing was dealt by it"))
        }
    }

    @Test func `one that has dealt ends with the month that is dealt, and is read on`() async throws {
        try await StartedMonth.with(accounts: 1_200, applied: false) { month in
            _ = try define(month, until: "2024-05")
            try month.link.script(
                """
                INSERT INTO plan (period, state, seed, segmentation_digest, digest, made_at)
                VALUES (202403, 'dealing', 1, '', 'x', now_instant())
                """)
            let dealing = #expect(throws: CommandFailure.self) { try withdraw(month) }
            #expect(dealing?.found == "a plan of 2024-03 is being dealt")
            try month.link.script("DELETE FROM plan")
            _ = try month.month.plan().apply()

            #expect(try withdraw(month).contains("letters ends with 2024-03"))
            #expect(try month.number("SELECT last_period::bigint FROM experiment") == 202_403)
            #expect(try month.count("position WHERE arm = 2") > 0)
            #expect(try ExperimentCommands.read(name: "letters", asJSON: false, month.link).contains("champion"))
            #expect(try month.ledger().contains("last=2024-03 motive=no-contract"))
            let again = #expect(throws: CommandFailure.self) { try withdraw(month) }
            #expect(again?.exit == .usage && again?.found.contains("ends with 2024-03, which is dealt") == true)
            _ = try define(month, name: "next", from: "2024-04")
        }
    }

    /// Contract 2 has room for 20 of some 150 accounts.
    @Test func `a plan says where an arm has no room for its part`() async throws {
        try await StartedMonth.with(accounts: 1_200, applied: false) { month in
            _ = try define(month, arms: ["usual=50:ACE01", "letters=50:ACE02"])
            func told() throws -> [String] { try month.month.plan().preview().warnings.filter { $0.contains("arm ") } }
            #expect(try told() == [])
            try month.link.script(
                "UPDATE contract_capacity SET committed_advisers = 1, accounts_per_adviser = 10 WHERE contract_id = 2")
            let warnings = try told()
            #expect(warnings.count == 1)
            #expect(warnings.first?.hasPrefix("arm 2 of administrative gets ") == true)
            #expect(warnings.first?.contains(" in delegation 9, by capacity") == true)
        }
    }

    @Test func `a reading counts work and money per arm, and says when it is not enough yet`() async throws {
        try await StartedMonth.with(accounts: 1_200, applied: false) { month in
            _ = try define(month)
            _ = try month.month.plan().apply()
            try month.link.script(
                """
                CREATE TEMPORARY TABLE chosen AS
                SELECT p.*, row_number() OVER (PARTITION BY p.arm ORDER BY p.position) AS n, h.contract_ids[1] AS contract_id
                  FROM position p JOIN hand h USING (delegation_id, hand_id) WHERE p.arm > 0;
                INSERT INTO outcome (period, delegation_id, agency_id, instance_id, key, outcome_id, account_id, epoch, hand_id,
                                     position, contract_id, worked_at, received_at, channel, contact, result, request_hash)
                SELECT 202403, delegation_id, contract_id, 1, account_id, account_id, account_id, epoch, hand_id, position,
                       contract_id, now_instant(), now_instant(), 'phone-out', 'direct', 'promise', ''
                  FROM chosen WHERE n <= arm * 5;
                INSERT INTO payment (period, payment_id, delegation_id, account_id, paid_on, amount, origin, import_id)
                SELECT 202403, 'P' || account_id, delegation_id, account_id, '2024-03-12', 10000, 'borrower',
                       (SELECT max(import_id) FROM import)
                  FROM chosen WHERE n <= 2 + (arm - 1) * 16;
                INSERT INTO schedule VALUES ('f', 'fee', '2023-01-01', 'FEE-11', 'administrative.phone', '12.50')
                """)
            let read = try ExperimentCommands.read(name: "letters", asJSON: false, month.link)
            let lines = read.split(separator: "\n").map(String.init)
            let json = try ExperimentCommands.read(name: "letters", asJSON: true, month.link)

            #expect(lines[1].hasPrefix("all") && lines[1].contains("usual") && lines[1].contains("champion"))
            #expect(lines[1].contains("200.00") && lines[1].contains("62.50"))
            #expect(lines[2].contains("letters") && lines[2].contains("1800.00") && lines[2].contains("125.00"))
            #expect(lines[2].contains("*"))
            #expect(lines.contains { $0.contains("not enough yet") })
            #expect(read.contains("Newcombe") && json.contains("\"isEnough\""))
        }
    }

    @Test func `a design that contradicts itself or another one is refused`() async throws {
        try await StartedMonth.with(accounts: 60, applied: false) { month in
            #expect(throws: CommandFailure.self) { try define(month, arms: ["usual=75:ACE01", "letters=24.99:ACE02"]) }
            #expect(throws: CommandFailure.self) { try define(month, arms: ["usual=75:ACE01", "letters=25:ACE01"]) }
            #expect(throws: CommandFailure.self) { try define(month, arms: ["usual=75:ACE01", "letters=25:ACE77"]) }
            #expect(throws: CommandFailure.self) { try define(month, arms: ["usual:75:ACE01", "letters=25:ACE02"]) }
            _ = try define(month, until: "2024-05")
            #expect(throws: CommandFailure.self) { try define(month, delegations: [14]) }
            #expect(throws: CommandFailure.self) { try define(month, name: "other", from: "2024-05") }
            _ = try define(month, name: "other", from: "2024-06")
            _ = try define(month, name: "elsewhere", delegations: [14])
            #expect(try ExperimentCommands.list(asJSON: false, month.link).split(separator: "\n").count == 7)
            #expect(throws: CommandFailure.self) {
                try ExperimentCommands.read(name: "none", asJSON: false, month.link)
            }
        }
    }
}
