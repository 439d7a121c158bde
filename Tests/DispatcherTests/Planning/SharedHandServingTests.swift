// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import PgStore
import TestSupport
import Testing

/// Hands that contracts share and hands that a pull may choose a tactic of, from the settings to the socket.
struct SharedHandServingTests {
    private static let settings = """
        settings: both
        shared: [{delegations: [9], strategies: [administrative]}]
        pick: [{delegations: [14], strategies: [administrative]}]
        """
    private static let shared = "hand WHERE delegation_id = 9 AND strategy = 2 AND contract_ids = '{1,2}'"

    /// A month by those settings; contract 1 carries forty accounts by telephone in delegation 9.
    private static func with(_ body: (StartedMonth) async throws -> Void) async throws {
        try await StartedMonth.with(applied: false) { month in
            try month.link.script(
                """
                UPDATE contract_capacity SET committed_advisers = 1, accounts_per_adviser = 40
                 WHERE contract_id = 1 AND delegation_id = 9 AND portfolio = 1
                """)
            _ = try PlanSettingsBook(month.link).put(
                PlanSettingsFile(text: settings), from: PlannedMonth.march, by: "ana")
            try await body(month)
        }
    }

    private static func served(
        _ month: StartedMonth, _ body: ([AgentConnection]) async throws -> Void
    ) async throws {
        let keys = (0..<2).map { _ in AgencyPrivateKey() }
        for (index, key) in keys.enumerated() {
            try month.link.run(
                "INSERT INTO agency_key (agency_id, key_name, public_key, added_at) VALUES ($1, 'k', $2, now_instant())",
                [.int32(Int32(index) + 1), .bytes(key.publicKey)])
        }
        try month.link.recordKeys()
        let node = try await DealtMonth.startNode(month.database, DealtMonth.quickPace)
        do {
            var agents: [AgentConnection] = []
            for (index, key) in keys.enumerated() {
                agents.append(
                    try await AgentConnection.connect(
                        AgentConnectionSettings(
                            port: node.port, agency: try #require(AgencyID(Int32(index) + 1)),
                            instance: try #require(Token("one")), sequence: 1, privateKey: key)))
            }
            try await body(agents)
        } catch {
            await node.stop()
            throw error
        }
        await node.stop()
    }

    @Test
    func `sharers pull first come first served, each within its own limit, and the next deal goes by what is left`()
        async throws
    {
        try await Self.with { month in
            let preview = try month.month.plan().preview()
            let quotas = preview.pools.filter { $0.delegation == 9 && $0.strategy == "administrative" }.flatMap(
                \.quotas)
            #expect(!quotas.isEmpty && quotas.allSatisfy { $0.limit.map { $0 > 0 } ?? false })
            #expect(preview.pools.filter { $0.delegation == 14 }.flatMap(\.quotas).allSatisfy { $0.limit == nil })
            let applied = try month.month.plan().apply()
            #expect(applied.dealt?.accounts == applied.assigned)
            #expect(try PlanCheckRun(month.link, period: PlannedMonth.march).run().faults == [])
            let explained = try PlanExplain(month.link, period: PlannedMonth.march).run(
                try #require(AgencyID(2)), DealtMonth.delegation)
            #expect(explained.quotas.contains { $0.limit != nil && $0.dealt.contains { $0.reason == "shared" } })

            let size = try month.number("SELECT sum(size)::bigint FROM \(Self.shared) AND portfolio = 1")
            let limit = try month.number(
                "SELECT limit_accounts FROM quota WHERE delegation_id = 9 AND contract_id = 1 AND strategy = 2 AND portfolio = 1"
            )
            #expect(size > limit && limit > 0 && limit <= 40)
            #expect(
                try month.number(
                    "SELECT limit_accounts FROM quota WHERE delegation_id = 9 AND contract_id = 2 AND strategy = 2 AND portfolio = 1"
                )
                    == size)
            try await Self.served(month) { agents in
                func pull(_ agent: Int, _ key: Int64, max: Int) async throws -> (Set<Int64>, String?) {
                    let reply = try await agents[agent].lease(
                        LeaseRequest(
                            key: key, delegation: DealtMonth.delegation, strategy: .administrative,
                            portfolio: .telephone, max: max))
                    return (Set(reply.leasedAccounts.map(\.account.value)), reply.fields["stop"])
                }
                let (first, _) = try await pull(0, 1, max: 5)
                let (second, _) = try await pull(1, 1, max: 5)
                let (rest, stop) = try await pull(0, 2, max: 1_000)
                #expect(first.count == 5 && second.count == 5 && first.isDisjoint(with: second))
                // Its advisers are what the plan's limit goes by.
                #expect(stop == "capacity" && Int64(first.count + rest.count) == limit)
                _ = try month.redeal(.everything)
                // Contract 1 has all that it may hold, and shares in nothing.
                #expect(
                    try month.count(
                        "hand WHERE delegation_id = 9 AND strategy = 2 AND portfolio = 1 AND state = 'open' AND contract_ids = '{2}'"
                    ) == 1)
                #expect(
                    try month.number(
                        "SELECT limit_accounts FROM quota WHERE delegation_id = 9 AND contract_id = 1 AND strategy = 2 AND portfolio = 1"
                    )
                        <= 40)
                var last: Set<Int64> = []
                for key in 3...200 as ClosedRange<Int64> where last.isEmpty {
                    last = try await pull(1, key, max: 1_000).0
                    if last.isEmpty { try await Task.sleep(for: .milliseconds(20)) }
                }
                #expect(Int64(last.count) == size - limit - 5)
                #expect(last.isDisjoint(with: first.union(second).union(rest)))
            }
            #expect(try month.broken() == [])
            #expect(try LedgerVerification(month.link).run().findings == [])
        }
    }

    @Test func `a sharer's bond ends its pulls to the centavo, and what comes back helps only once it covers the rest`()
        async throws
    {
        try await Self.with { month in
            try month.link.script(
                "UPDATE contract SET exposure_basis = 'overdue', bond = 4000000000 WHERE contract_id IN (1, 2)")
            _ = try month.month.plan().apply()
            let pool = "delegation_id = 9 AND strategy = 2 AND portfolio = 1"
            let exposures = try month.link.run(
                """
                SELECT p.exposure FROM position p JOIN hand h USING (delegation_id, hand_id)
                 WHERE h.delegation_id = 9 AND h.strategy = 2 AND h.portfolio = 1 AND h.contract_ids = '{1,2}'
                 ORDER BY p.position LIMIT 4
                """
            ).map { $0.int64(0) }
            let three = exposures.prefix(3).reduce(0, +)
            #expect(exposures.count == 4 && exposures.allSatisfy { $0 > 1 })
            func limit(_ centavos: Int64) throws {
                try month.link.script("UPDATE quota SET limit_exposure = \(centavos) WHERE contract_id = 1 AND \(pool)")
            }
            try await Self.served(month) { agents in
                func pull(_ agent: Int, _ key: Int64, max: Int = 10) async throws -> ([LeasedAccount], String?) {
                    let reply = try await agents[agent].lease(
                        LeaseRequest(
                            key: key, delegation: DealtMonth.delegation, strategy: .administrative,
                            portfolio: .telephone, max: max))
                    return (reply.leasedAccounts, reply.fields["stop"])
                }
                try limit(three - 1)
                let below = try await pull(0, 1)
                try limit(three)
                let at = try await pull(0, 2)
                try limit(three + 1)
                let above = try await pull(0, 3)
                #expect([below, at, above].map(\.0.count) == [2, 1, 0])
                #expect([below, at, above].allSatisfy { $0.1 == "bond" })
                #expect(try await pull(1, 1, max: 1).0.count == 1)

                // The bond falls by a centavo below what is held: what waits is for the other alone.
                try month.link.script("UPDATE contract SET bond = \(three - 1) WHERE contract_id = 1")
                _ = try month.redeal(.everything)
                let open = "hand WHERE \(pool) AND state = 'open' AND size > 0"
                #expect(try month.count(open + " AND 1 = ANY (contract_ids)") == 0)
                #expect(try month.count(open + " AND contract_ids = '{2}'") == 1)
                #expect(
                    try month.number("SELECT sum(limit_exposure)::bigint FROM quota WHERE contract_id = 1") == three - 1
                )
                // It gives one back and holds less than its bond. With that it may share again.
                _ = try await agents[0].giveBack(DealtMonth.giveBack(9, below.0[0]))
                while try month.link.foldReleases(limit: 100) > 0 {}
                try month.link.script("UPDATE contract SET bond = \(three * 3) WHERE contract_id = 1")
                _ = try month.redeal(.everything)
                #expect(try month.count(open + " AND contract_ids = '{1,2}'") == 1)
                let limits = try month.number("SELECT sum(limit_exposure)::bigint FROM quota WHERE contract_id = 1")
                #expect(limits <= three * 3 && limits > three)
            }
        }
    }

    @Test func `a sharer on hold pulls no more, whatever it gives back, and the other goes on with the same hand`()
        async throws
    {
        try await Self.with { month in
            _ = try month.month.plan().apply()
            let open = try month.count(Self.shared + " AND state = 'open'")
            #expect(open > 0)
            try await Self.served(month) { agents in
                let held = try await agents[0].lease(DealtMonth.lease(1, max: 2)).leasedAccounts
                let hold = try AgencyOrder(
                    .hold, agency: "ACE01", strategy: nil, band: nil, motive: "audit", recallOn: nil, by: "ana")
                _ = try hold.run(on: month.link, isPreview: false, asJSON: false)
                for (index, account) in held.enumerated() {
                    _ = try await agents[0].giveBack(DealtMonth.giveBack(Int64(index) + 2, account))
                }
                while try month.link.foldReleases(limit: 100) > 0 {}
                let stopped = try await agents[0].lease(DealtMonth.lease(9, max: 2))
                #expect(stopped.leasedAccounts.isEmpty && stopped.fields["stop"] == "suspended")
                #expect(try await agents[1].lease(DealtMonth.lease(9, max: 2)).leasedAccounts.count == 2)
            }
            #expect(try month.count(Self.shared + " AND state = 'open' AND barred_ids = '{1}'") == open)
            #expect(try month.broken() == [])
        }
    }

    /// As where a node has not read the hands again yet.
    @Test func `whoever is barred from a hand is given nothing of it under its lock`() async throws {
        var shape = DealtMonth.Shape()
        shape.agencies = 1
        try await DealtMonth.with(shape) { month in
            let agent = try await month.connect(1)
            #expect(try await agent.lease(DealtMonth.lease(1, max: 1)).leasedAccounts.count == 1)
            try month.database.link().script("UPDATE hand SET barred_ids = contract_ids")
            let barred = try await agent.lease(DealtMonth.lease(2, max: 1))
            #expect(barred.leasedAccounts.isEmpty && barred.fields["stop"] != "limit")
        }
    }

    @Test func `a band that is suspended for a sharer leaves the shared hand and goes to the other alone`() async throws
    {
        try await Self.with { month in
            _ = try month.month.plan().apply()
            let tactic = try month.text(
                "SELECT p.tactic FROM position p JOIN \(Self.shared.replacing("hand WHERE", with: "hand h USING (delegation_id, hand_id) WHERE")) ORDER BY p.position LIMIT 1"
            )
            _ = try AgencyOrder(
                .suspend, agency: "ACE01", strategy: "administrative", band: tactic, motive: "goal-missed",
                recallOn: nil, by: "ana"
            ).run(on: month.link, isPreview: false, asJSON: false)
            let waiting = month.waiting + " AND h.delegation_id = 9 AND h.strategy = 2 AND p.tactic = '\(tactic)'"
            #expect(try month.count(waiting + " AND 1 = ANY (h.contract_ids)") == 0)
            #expect(try month.count(waiting + " AND h.contract_ids = '{2}'") > 0)
            #expect(try month.broken() == [])
        }
    }

    @Test func `a pull names a tactic where the setting lets it, and is refused by name elsewhere`() async throws {
        try await Self.with { month in
            _ = try month.month.plan().apply()
            let place = Delegation.all[13]
            let tactics = try month.link.run(
                """
                SELECT tactic, sum(size)::bigint FROM hand
                 WHERE delegation_id = 14 AND strategy = 2 AND contract_ids = '{1}' AND size > 0 GROUP BY tactic ORDER BY 2, 1
                """)
            #expect(tactics.count > 1)
            #expect(
                try month.count(
                    "hand h JOIN position p USING (delegation_id, hand_id) WHERE h.tactic <> p.tactic OR h.priority <> p.priority"
                )
                    == 0)
            let tactic = try #require(tactics.first?.text(0))
            try await Self.served(month) { agents in
                func lease(_ key: Int64, in delegation: Delegation, tactic: String?, max: Int) async throws
                    -> ClientReply
                {
                    try await agents[0].lease(
                        LeaseRequest(
                            key: key, delegation: delegation, strategy: .administrative,
                            tactic: tactic.flatMap { Token($0) }, max: max))
                }
                let named = try await lease(1, in: place, tactic: tactic, max: 2)
                #expect(!named.leasedAccounts.isEmpty && named.leasedAccounts.allSatisfy { $0.tactic == tactic })
                let unknown = try await lease(2, in: place, tactic: "no-such", max: 2)
                #expect(unknown.code == .badValue && unknown.fields["field"] == "tactic")
                #expect(unknown.fields["expected"]?.split(separator: " | ").contains(tactic[...]) == true)
                #expect(try await lease(3, in: DealtMonth.delegation, tactic: tactic, max: 2).code == .mixedHand)
                // Without a name the higher class goes first, whatever its tactic.
                let plain = try await lease(4, in: place, tactic: nil, max: 3)
                let account = try #require(plain.leasedAccounts.first?.account.value)
                #expect(
                    try month.number("SELECT priority::bigint FROM position WHERE account_id = \(account)")
                        == month.number(
                            """
                            SELECT min(priority)::bigint FROM hand h WHERE delegation_id = 14 AND strategy = 2 AND portfolio = 1
                               AND contract_ids = '{1}' AND size > coalesce((SELECT max(last_position) FROM lease_grant g
                                   WHERE g.delegation_id = 14 AND g.hand_id = h.hand_id AND g.key < 4), 0)
                            """))
            }
            #expect(try month.broken() == [])
        }
    }

    @Test func `where a rule pack has no visits in a municipality, home visits there go to others or to nobody`()
        async throws
    {
        try await StartedMonth.with(applied: false) { month in
            try month.link.script(
                """
                UPDATE contract SET rule_packs = '{fna}' WHERE contract_id = 2;
                INSERT INTO visit_ban VALUES (9, 9001, 'fna', now_instant())
                """)
            let visits =
                "hand h JOIN position p USING (delegation_id, hand_id) WHERE h.delegation_id = 9 AND h.portfolio = 2"
            let report = try month.month.plan().apply()
            #expect(report.dealt?.accounts == report.assigned)
            #expect(report.pools.contains { $0.part == "no visits under fna" })
            #expect(try month.count(visits + " AND 2 = ANY (h.contract_ids)") == 0)
            #expect(try month.count(visits + " AND 1 = ANY (h.contract_ids)") > 0)
            try month.link.script("UPDATE contract SET rule_packs = '{fna}'")
            let nobody = try month.redeal(.everything)
            #expect(try month.count(month.waiting + " AND h.delegation_id = 9 AND h.portfolio = 2") == 0)
            #expect(nobody.accounts > 0)
            #expect(try month.broken() == [])
        }
    }
}
