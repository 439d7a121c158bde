// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import PgStore
import TestSupport
import Testing

/// A round of dealing again holds pulls of one pool at a time, and as short as it can: by its order, its locks and its pauses.
struct RedealPaceTests {
    private static let scope = RedealScope(
        .everything, delegations: [DealtMonth.delegation], strategies: [.administrative])

    /// Each turn of a pool, in its order: which pool and state, in which transaction, and how many hands of pools that wait for their
    /// turn were closed by then.
    private static let watch = """
        CREATE TABLE turn (number serial, pool text, state text, xact xid8, early bigint);
        CREATE FUNCTION note_turn() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            INSERT INTO turn (pool, state, xact, early)
            SELECT concat_ws('/', NEW.delegation_id, NEW.strategy, NEW.portfolio), NEW.state, pg_current_xact_id(), count(h.hand_id)
              FROM redeal_pool w
              LEFT JOIN hand h ON h.delegation_id = w.delegation_id AND h.strategy = w.strategy AND h.portfolio = w.portfolio
                              AND h.state = 'closed'
             WHERE w.redeal_id = NEW.redeal_id AND w.state = 'waiting';
            RETURN NULL; END $$;
        CREATE TRIGGER note_turn AFTER UPDATE ON redeal_pool FOR EACH ROW EXECUTE FUNCTION note_turn()
        """

    @Test(.timeLimit(.minutes(2)))
    func `one pool is closed at a time, and its new hands are committed before the next one is closed`() async throws {
        try await StartedMonth.with { month in
            try month.link.script(Self.watch)
            _ = try month.redeal(.everything)
            let turns = try month.link.run("SELECT pool, state, xact::text, early FROM turn ORDER BY number")
            let pools = try month.count("redeal_pool")

            #expect(pools > 3 && turns.count == 2 * Int(pools))
            #expect(turns.map { $0.text(1) } == (0..<Int(pools)).flatMap { _ in ["closed", "done"] })
            for (closed, done) in zip(turns, turns.dropFirst()) where closed.text(1) == "closed" {
                #expect(closed.text(0) == done.text(0))
            }
            #expect(Set(turns.map { $0.text(2) }).count == turns.count)
            #expect(turns.allSatisfy { $0.int64(3) == 0 })
        }
    }

    /// Writing takes a third of a second for each pool that is written; the next one is closed after as long.
    @Test(.timeLimit(.minutes(2)))
    func `between two pools pulls have as much time as they had to wait`() async throws {
        try await StartedMonth.with { month in
            try month.link.script(
                """
                CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.3); RETURN NULL; END $$;
                CREATE TRIGGER slow BEFORE INSERT ON position FOR EACH STATEMENT EXECUTE FUNCTION slow()
                """)
            _ = try RedealRun(month.link, scope: Self.scope, reason: "rebalance", by: "ana").run()
            let rows = try month.link.run(
                """
                SELECT extract(epoch FROM opened_at - closed_at)::float8 >= 0.3,
                       lead(closed_at) OVER w - opened_at >= least(opened_at - closed_at, interval '1 s')
                  FROM redeal_pool WHERE redeal_id = (SELECT min(redeal_id) FROM redeal) WINDOW w AS (ORDER BY closed_at)
                """)

            #expect(rows.count == 2 && rows.allSatisfy { $0.bool(0) })
            #expect(rows[0].optionalBool(1) == true)
        }
    }

    /// The round stands still in the middle of writing its first pool, the telephone accounts.
    @Test(.timeLimit(.minutes(1)))
    func `while a pool is written other pools are pulled from, and what was leased of it is reported and given back`()
        async throws
    {
        try await StartedMonth.with { month in
            try month.link.script(
                """
                CREATE FUNCTION stand() RETURNS trigger LANGUAGE plpgsql AS
                    $$ BEGIN PERFORM pg_advisory_xact_lock(77); RETURN NULL; END $$;
                CREATE TRIGGER stand BEFORE INSERT ON position FOR EACH STATEMENT EXECUTE FUNCTION stand()
                """)
            var pace = DealtMonth.quickPace
            pace.redeal = .seconds(3_600)
            let node = try await DealtMonth.startNode(month.database, pace)
            let agent = try await month.agency(at: node)
            func pull(_ key: Int64, _ portfolio: Portfolio) async throws -> ClientReply {
                var request = DealtMonth.lease(key, max: 2)
                request.portfolio = portfolio
                return try await agent.lease(request)
            }
            let held = try await pull(1, .telephone).leasedAccounts
            #expect(held.count == 2)

            let holder = try month.database.link()
            try holder.script("SELECT pg_advisory_lock(77)")
            let database = month.database
            async let accounts = onThread {
                try RedealRun(
                    try database.link("dealer"), scope: Self.scope, reason: "rebalance", by: "ana", showsProgress: false
                ).run().accounts
            }
            try await until {
                try month.count(
                    "pg_stat_activity WHERE application_name = 'dealer' AND wait_event = 'advisory' AND datname = current_database()"
                ) == 1
            }
            #expect(try month.count("redeal_pool WHERE state = 'closed' AND portfolio = 1") == 1)
            let paused = try await pull(2, .telephone)
            #expect(paused.fields["stop"] == "paused" && paused.fields["after"] == "1")
            #expect(try await pull(3, .homeVisit).leasedAccounts.count == 2)
            let at = try month.link.readNow().description
            #expect(try await agent.report(DealtMonth.report(4, held[0], at: at)).isOK)
            #expect(try await agent.giveBack(DealtMonth.giveBack(5, held[1])).isOK)
            #expect(try month.count("redeal_pool WHERE state = 'closed'") == 1)

            try holder.script("SELECT pg_advisory_unlock(77)")
            #expect(try await accounts > 0)
            #expect(try await pull(6, .telephone).leasedAccounts.count == 2)
            await node.stop()
            #expect(try month.broken() == [])
        }
    }
}
