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
