// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import PgStore
import TestSupport
import Testing

/// Contact rules of a pack that the policy brings, and no contract names: they hold for what is dealt by that policy.
struct PolicyPackTests {
    /// A March by `fna-bands` on its first day, placed and not dealt. Contract 1 has the pack `infonavit-2023`, the others none.
    private func with(_ body: (TestDatabase, PlannedMonth) async throws -> Void) async throws {
        let fna = try PolicyFile(text: ShippedPolicy.text("fna-bands"))
        try await TestDatabase.with { database in
            let month = PlannedMonth(link: try database.link(), policy: fna)
            try month.openPeriod(PlannedMonth.march)
            try month.addContracts()
            try month.addCut(count: 420)
            try month.segment()
            try month.link.script(
                """
                UPDATE clock SET virtual_now = '2024-03-01T15:00:00Z';
                UPDATE contract SET rule_packs = '{infonavit-2023}' WHERE contract_id = 1;
                CREATE TABLE outcome_202403 PARTITION OF outcome FOR VALUES IN (202403)
                """)
            try await body(database, month)
        }
    }

    private func packs(_ month: PlannedMonth, _ contract: Int, _ which: String = "true") throws -> [String] {
        try month.link.run(
            "SELECT DISTINCT rule_packs::text FROM hand WHERE contract_ids = ARRAY[\(contract)] AND \(which)"
        ).map { $0.text(0) }
    }

    @Test func `a hand is dealt under the packs of its contract and those of the policy`() async throws {
        try await with { _, month in
            _ = try month.plan().apply()

            #expect(try packs(month, 1) == ["{fna,infonavit-2023}"])
            #expect(try packs(month, 2) == ["{fna}"])
            #expect(try packs(month, 4) == ["{fna}"])
        }
    }

    @Test func `so are hands of starts, and what is dealt again`() async throws {
        try await StartedMonth.with { month in
            try month.link.script("UPDATE contract SET rule_packs = '{fonacot}'")
            try month.makeRoom(1)
            try month.start("900014,9,job-loss,2024-03-11")
            let started = try packs(month.month, 4, "is_front")
            try month.start("900028,9,job-loss,2024-03-11")
            try month.makeRoom(1)
            _ = try month.redeal(.leftOver)

            #expect(started == ["{fonacot,infonavit-2023}"])
            #expect(try packs(month.month, 4, "redeal_id IS NOT NULL") == ["{fonacot,infonavit-2023}"])
            // What was dealt before the contract had it keeps what it was dealt under.
            #expect(try packs(month.month, 4, "NOT is_front") == ["{infonavit-2023}"])
        }
    }

    // GEO-02, HRS-01, HRS-02: without the pack a call at 21:00 is inside the hours, and a visit may be made anywhere.
    @Test func `a visit where the policy's pack has none, and a call outside of its hours, are marked`() async throws {
        try await with { database, month in
            _ = try month.plan().apply()
            _ = try VisitBanOrder(delegation: 9, municipality: "09001", pack: "fna").add(month.link)
            let key = AgencyPrivateKey()
            try month.link.run(
                "INSERT INTO agency_key (agency_id, key_name, public_key, added_at) VALUES (2, 'k', $1, now_instant())",
                [.bytes(key.publicKey)])
            try month.link.script("UPDATE clock SET virtual_now = '2024-03-05T15:00:00Z'")
            let node = try await DealtMonth.startNode(database)
            let agent = try await AgentConnection.connect(
                AgentConnectionSettings(
                    port: node.port, agency: try #require(AgencyID(2)), instance: try #require(Token("one")),
                    sequence: 1, privateKey: key))
            let leased = try await agent.lease(DealtMonth.lease(1, max: 3)).leasedAccounts
            try month.link.script("UPDATE clock SET virtual_now = '2024-03-06T15:00:00Z'")
            try #require(leased.count == 3)
            var visit = try DealtMonth.report(2, leased[0], at: "2024-03-05T18:00:00Z")
            visit.channel = .visit
            #expect(try await agent.report(visit).isOK)
            #expect(try await agent.report(DealtMonth.report(3, leased[1], at: "2024-03-06T01:59:59Z")).isOK)
            #expect(try await agent.report(DealtMonth.report(4, leased[2], at: "2024-03-06T02:00:00Z")).isOK)
            await node.stop()

            #expect(leased.map(\.window) == Array(repeating: "06:30-20:00/America/Mexico_City", count: 3))
            #expect(
                try month.link.run("SELECT coalesce(marks, '{}')::text FROM outcome ORDER BY outcome_id").map {
                    $0.text(0)
                } == ["{visit-ban}", "{}", "{contact-window}"])
        }
    }
}
