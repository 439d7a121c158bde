// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import PgStore
import Simulation
import TestSupport
import Testing

/// Four nodes and a hundred agencies that pull, return and pull again while the month is dealt again under them.
struct ManyAgenciesTests {
    private static let agencies: Int32 = 100
    private static let nodes = 4

    /// Every account's exposure is a multiple of it.
    private static let step: Int64 = 330_000
    /// Bonds are one centavo less than whole accounts take, and the bonded have one pool each: a grant that passed its limit by a
    /// centavo would take an account more.
    private static let bond = 27 * step - 1
    private static let fallenBond = 3 * step - 1

    /// A hundred contracts of the administrative strategy in delegation 9; every other one by a bond that is scarce, and by
    /// telephone alone.
    private func addContracts(_ month: PlannedMonth, keys: [AgencyPrivateKey]) throws {
        try month.link.script(
            """
            INSERT INTO agency (agency_id, name) SELECT n, 'A' || n FROM generate_series(1, \(Self.agencies)) n;
            INSERT INTO contract (contract_id, agency_id, number, tender, zone_id, strategies, starts_on, ends_on,
                                  capacity_basis, bond, exposure_basis, exposure_factor_bp, fee_schedule,
                                  penalty_schedule, rule_packs)
            SELECT n, n, 'C' || n, 'T', 1, '{2}', '2023-01-01', '2024-12-31', 'committed', \(Self.bond),
                   CASE WHEN n % 2 = 0 THEN 'overdue' ELSE 'none' END, 10000, 'f', 'p', '{}'
              FROM generate_series(1, \(Self.agencies)) n;
            INSERT INTO contract_capacity
            SELECT n, 9, p, 1, 8 + n % 5 FROM generate_series(1, \(Self.agencies)) n, generate_series(1, 2) p
             WHERE p = 1 OR n % 2 = 1;
            """)
        for (index, key) in keys.enumerated() {
            try month.link.run(
                "INSERT INTO agency_key (agency_id, key_name, public_key, added_at) VALUES ($1, 'k', $2, now_instant())",
                [.int32(Int32(index) + 1), .bytes(key.publicKey)])
        }
    }

    /// Pulls until there is nothing more for a while; every third account goes back at once.
    private func work(_ agent: AgentConnection, rounds: ClosedRange<Int64>) async throws -> Int {
        var pulled = 0
        for round in rounds {
            let accounts = try await agent.lease(DealtMonth.lease(round, max: 1 + Int(round % 4))).leasedAccounts
            pulled += accounts.count
            for (index, account) in accounts.enumerated() where index % 3 == 0 && round % 2 == 0 {
                _ = try await agent.giveBack(DealtMonth.giveBack(round * 10 + Int64(index), account))
            }
        }
        return pulled
    }

    @Test(.timeLimit(.minutes(3)), arguments: [false, true])
    func `no grant passes a limit in force by one account or one centavo, also while the month is dealt again`(
        sharesHands: Bool
    ) async throws {
        let policy = try ShippedPolicy.infonavit()
        try await TestDatabase.with { database in
            let month = PlannedMonth(link: try database.link(), policy: policy)
            let keys = (0..<Self.agencies).map { _ in AgencyPrivateKey() }
            try month.openPeriod(PlannedMonth.march)
            try addContracts(month, keys: keys)
            try month.addCut(count: 2_400)
            try month.segment()
            if sharesHands {
                let settings = try PlanSettingsFile(text: "settings: shared\nshared: [{delegations: [9]}]")
                _ = try PlanSettingsBook(month.link).put(settings, from: PlannedMonth.march, by: "ana")
            }
            _ = try month.plan().apply()
            #expect(
                try month.number("SELECT count(*) FROM hand WHERE cardinality(contract_ids) = 50")
                    == (sharesHands ? 3 : 0), "by telephone with bonds and without, home visits without")
            #expect(
                try month.number("SELECT count(*) FROM position WHERE exposure % \(Self.step) <> 0 OR exposure < 0")
                    == 0)
            // Time goes on, so that what was in force at a grant can be told.
            let ticking = Task {
                let link = try database.link("ticking")
                while !Task.isCancelled {
                    try link.script("UPDATE clock SET virtual_now = virtual_now + interval '1 second'")
                    try? await Task.sleep(for: .milliseconds(3))
                }
            }
            var nodes: [DispatcherNode.Running] = []
            for _ in 0..<Self.nodes {
                nodes.append(try await DealtMonth.startNode(database, DealtMonth.quickPace))
            }
            let ports = nodes.map(\.port)
            let pulled: Int
            do {
                pulled = try await withThrowingTaskGroup(of: Int.self) { group in
                    for (index, key) in keys.enumerated() {
                        group.addTask {
                            let agent = try await AgentConnection.connect(
                                AgentConnectionSettings(
                                    port: ports[index % ports.count],
                                    agency: try #require(AgencyID(Int32(index) + 1)),
                                    instance: try #require(Token("one")), sequence: 1, privateKey: key))
                            return try await work(agent, rounds: 1...14)
                        }
                    }
                    group.addTask {
                        let link = try database.link("redeal")
                        // Every third contract loses advisers, every fourth most of its bond, one is put on hold.
                        try link.script(
                            """
                            UPDATE contract_capacity SET accounts_per_adviser = 2 WHERE contract_id % 3 = 0;
                            UPDATE contract SET bond = \(Self.fallenBond) WHERE contract_id % 4 = 0;
                            INSERT INTO import (kind, period, file_name, digest, rows_good, rows_bad, imported_at)
                            VALUES ('contracts', 202403, 'contracts.csv', sha256('fallen'), 150, 0, now_instant())
                            """)
                        // First the hands stay out, so that pulls meet the limits that fell.
                        for manner in [RedealScope.Manner.leftOver, .everything, .leftOver, .everything] {
                            _ = try RedealRun(
                                link, scope: RedealScope(manner), reason: "rebalance", by: "test"
                            ).run()
                        }
                        _ = try AgencyOrder(
                            .hold, agency: "ACE07", strategy: nil, band: nil, motive: "audit", recallOn: nil, by: "test"
                        ).run(on: link, isPreview: false, asJSON: false)
                        return 0
                    }
                    return try await group.reduce(0, +)
                }
            } catch {
                for node in nodes { await node.stop() }
                ticking.cancel()
                throw error
            }
            for node in nodes { await node.stop() }
            ticking.cancel()
            try await ticking.value
            let verdict = Judge.judge(
                try HistoryReader(month.link, operations: []).history(DealtMonth.delegation))

            #expect(pulled > 300)
            #expect(verdict.findings.map { "\($0)" } == [])
            #expect(try month.number("SELECT count(*) FROM redeal WHERE state = 'done'") >= 3)
            #expect(
                try month.number("SELECT count(*) FROM hand WHERE withdrawn_reason = 'rebalance'")
                    > (sharesHands ? 3 : 50))
            // What a contract's quotas allow together never passes its bond, though more was held by some when it fell.
            let bonded = """
                (SELECT c.bond, sum(q.limit_exposure) AS limits FROM quota q JOIN contract c USING (contract_id)
                  WHERE c.exposure_basis <> 'none' GROUP BY q.contract_id, c.bond) bonded
                """
            #expect(try month.number("SELECT count(*) FROM \(bonded)") == 50)
            #expect(try month.number("SELECT count(*) FROM \(bonded) WHERE limits > bond") == 0)
            #expect(try month.number("SELECT count(*) FROM \(bonded) WHERE limits > 0 AND bond = \(Self.bond)") > 0)
            // Nobody may hold more than its advisers carry; who lost some, no more than they carried before.
            let carried = "CASE WHEN q.contract_id % 3 = 0 THEN 8 + q.contract_id % 5 ELSE k.accounts_per_adviser END"
            #expect(
                try month.number(
                    """
                    SELECT count(*) FROM quota q
                      JOIN contract_capacity k USING (contract_id, delegation_id, portfolio)
                     WHERE q.limit_accounts > \(carried)
                    """) == 0)
        }
    }
}
