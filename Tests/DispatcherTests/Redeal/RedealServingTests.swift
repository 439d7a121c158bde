// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import PgStore
import TestSupport
import Testing

/// What agencies and nodes see of a round of dealing again: a real node, a real server, real sockets.
struct RedealServingTests {
    /// Stops a round in the middle of its first pool in delegation 9 that contract 1 draws from; the link is alive.
    private func stopInTheMiddle(_ month: StartedMonth, _ link: PgLink) throws {
        try month.link.script(
            """
            CREATE FUNCTION stop_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'the plug is pulled'; END $$;
            CREATE TRIGGER stop_it BEFORE UPDATE ON redeal_pool FOR EACH ROW WHEN (NEW.state = 'done')
                EXECUTE FUNCTION stop_it()
            """)
        let scope = RedealScope(.everything, delegations: [DealtMonth.delegation], strategies: [.administrative])
        #expect(throws: CommandFailure.self) {
            try RedealRun(link, scope: scope, reason: "rebalance", by: "ana").run()
        }
        try month.link.script("DROP TRIGGER stop_it ON redeal_pool")
    }

    @Test(.timeLimit(.minutes(1)))
    func `pulls of a closed pool are told to wait, and a node goes on with a round whose command is gone`()
        async throws
    {
        try await StartedMonth.with { month in
            // What of the strategy lies in the other portfolio would be pulled meanwhile.
            try month.link.script("UPDATE hand SET state = 'closed' WHERE strategy = 2 AND portfolio = 2")
            var command: PgLink? = try month.database.link()
            if let command { try stopInTheMiddle(month, command) }
            var pace = DealtMonth.quickPace
            pace.redeal = .milliseconds(50)
            let node = try await DealtMonth.startNode(month.database, pace)
            do {
                let agent = try await month.agency(at: node)
                let waiting = try await agent.lease(DealtMonth.lease(1, max: 1))
                #expect(waiting.fields["stop"] == "paused" && waiting.fields["after"] == "1")
                command = nil
                var first: [LeasedAccount] = []
                for key in 2...400 as ClosedRange<Int64> where first.isEmpty {
                    first = try await agent.lease(DealtMonth.lease(key, max: 1)).leasedAccounts
                    try await Task.sleep(for: .milliseconds(20))
                }

                #expect(command == nil && first.first?.epoch.value == 1 << 32 + 2)
                try await until { try month.count("redeal WHERE state = 'done'") > 0 }
                #expect(try month.count("hand WHERE state = 'inactive'") == 0)
            } catch {
                await node.stop()
                throw error
            }
            await node.stop()
        }
    }
}
