// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import PgStore
import TestSupport
import Testing

/// What an agency can learn again of what it was told once, and in time.
struct ToldAgainTests {
    @Test func `HELD has all that LEASE had said of terms`() async throws {
        try await DealtMonth.with { month in
            try month.database.link().script("UPDATE hand SET activity_days = 8")
            let node = try await DealtMonth.startNode(month.database)
            let agent = try await month.connect(1, to: node)
            let lease = try await agent.lease(DealtMonth.lease(1, max: 1))
            let held = try #require(try await agent.held(HeldRequest()).data.first)
            for key in ["term", "ceiling", "work-by", "grace"] {
                #expect(held[key] != nil && held[key] == lease.fields[key], "\(key)")
            }
            await node.stop()
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `the holder is told before the day by which the first work must be reported, of what has none`() async throws {
        try await DealtMonth.with(pace: DealtMonth.quickPace) { month in
            try month.database.link().script("UPDATE hand SET activity_days = 8")
            let node = try await DealtMonth.startNode(month.database, DealtMonth.quickPace)
            let agent = try await month.connect(1, to: node)
            let worked = try await agent.lease(DealtMonth.lease(1, max: 1)).leasedAccounts[0]
            #expect(try await agent.report(DealtMonth.report(2, worked)).isOK)
            let some = try await agent.lease(DealtMonth.lease(3, max: 2))
            #expect(try await agent.report(DealtMonth.report(4, some.leasedAccounts[0])).isOK)
            try month.setClock("2024-03-10T06:00:00Z")
            let told = await agent.next(.expiring)
            #expect(told?["grant"] == some.fields["grant"] && told?["work-by"] == some.fields["work-by"])
            #expect(told?["term"] == nil)
            #expect(try month.number("SELECT count(*) FROM push WHERE kind = 'EXPIRING'") == 1)
            await node.stop()
        }
    }

    /// The time is in the lease's reply to the millisecond, and kept to the microsecond.
    @Test func `the instant that CLOCK names is one that the same report passes with`() async throws {
        try await DealtMonth.with { month in
            try month.setClock("2024-03-04T15:00:00.000400Z")
            let agent = try await month.connect(1)
            let account = try #require(try await agent.lease(DealtMonth.lease(1, max: 1)).leasedAccounts.first)
            try month.setClock("2024-03-04T15:00:01Z")
            let early = try await agent.report(DealtMonth.report(2, account, at: "2024-03-04T15:00:00Z"))
            let granted = try #require(early.fields["granted"])
            #expect(early.code == .clock && granted == "2024-03-04T15:00:00.001Z")
            #expect(try await agent.report(DealtMonth.report(2, account, at: granted)).isOK)
        }
    }

    @Test func `STATUS and AUTH count contracts that are in force`() async throws {
        try await DealtMonth.with(.init(agencies: 1)) { month in
            let link = try month.database.link()
            #expect(try await month.connect(1).admission.fields["contracts"] == "1")
            try link.script("UPDATE contract SET ends_on = '2024-03-03'")
            let node = try await DealtMonth.startNode(month.database)
            let agent = try await month.connect(1, sequence: 2, to: node)
            #expect(agent.admission.fields["contracts"] == "0")
            #expect(try await agent.status(StatusRequest()).data.first?["stop"] == "scope")
            #expect(try await agent.lease(DealtMonth.lease(1)).code == .scope)
            await node.stop()
        }
    }

    @Test func `STATUS says of what is being dealt again what a pull would say`() async throws {
        try await DealtMonth.with(.init(agencies: 1)) { month in
            // Whoever works on the round is there to its end.
            let dealer = try month.database.link("dealer")
            try dealer.script(
                """
                UPDATE hand SET state = 'closed';
                INSERT INTO redeal (period, plan_id, reason, closes_all, ordered_by, seed, digest, state, started_at, backend,
                                    backend_start, beat_at)
                SELECT 202403, 1, 'order', true, 'ana', 1, '', 'dealing', now_instant(), pid, backend_start, clock_timestamp()
                  FROM pg_stat_activity WHERE pid = pg_backend_pid();
                INSERT INTO redeal_pool (redeal_id, delegation_id, strategy, portfolio, state)
                SELECT redeal_id, 9, 2, 1, 'closed' FROM redeal;
                INSERT INTO redeal_quota (redeal_id, delegation_id, contract_id, strategy, portfolio, accounts, limit_accounts, arm)
                SELECT redeal_id, 9, 1, 2, 1, 20, 20, 0 FROM redeal;
                """)
            let node = try await DealtMonth.startNode(month.database)
            let agent = try await month.connect(1, to: node)
            #expect(try await agent.lease(DealtMonth.lease(1)).fields["stop"] == "paused")
            #expect(try await agent.status(StatusRequest()).data.first?["stop"] == "paused")
            #expect(try dealer.run("SELECT state FROM redeal_pool").first?.text(0) == "closed")
            await node.stop()
        }
    }

    /// The follower waits for the table, as it waits where its link is opened anew; meanwhile somebody signs in.
    @Test(.timeLimit(.minutes(1)))
    func `what is pushed while its reading waits is told to who signed in meanwhile`() async throws {
        try await DealtMonth.with(pace: DealtMonth.quietQuickPushes) { month in
            let blocker = try month.database.link("blocker")
            try blocker.script("BEGIN; LOCK TABLE push IN ACCESS EXCLUSIVE MODE")
            try await until {
                try month.number(
                    """
                    SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
                     WHERE c.relname = 'push' AND NOT l.granted
                    """) > 0
            }
            let agent = try await month.connect(1)
            func push(_ amount: Int, _ link: PgLink) throws {
                try link.script(
                    """
                    INSERT INTO push (agency_id, kind, delegation_id, account_id, epoch, word, on_date, amount)
                    VALUES (1, 'UPDATE', 9, 1001, 1, 'payment', '2024-03-04', \(amount))
                    """)
            }
            try push(1, blocker)
            try blocker.script("COMMIT")
            try push(2, blocker)
            #expect(await agent.next(.update)?["amount"] == "0.01")
        }
    }
}

extension DealtMonth {
    /// Pushes are read often, and written by nobody but the test.
    fileprivate static var quietQuickPushes: Upkeep.Pace {
        var pace = Upkeep.Pace()
        pace.pushes = .milliseconds(20)
        pace.sweep = .seconds(3_600)
        return pace
    }
}
