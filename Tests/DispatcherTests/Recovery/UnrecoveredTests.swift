// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import PgStore
import TestSupport
import Testing

@testable import Dispatcher

/// What a database that was restored does, and does not, until somebody recovers it.
struct UnrecoveredTests {
    private func counts(_ month: DealtMonth) throws -> [Int64] {
        let row = try month.database.link().run(
            """
            SELECT (SELECT count(*) FROM lease_grant WHERE state = 'closed'), (SELECT count(*) FROM ending),
                   (SELECT count(*) FROM chain), (SELECT sum(released_accounts)::bigint FROM quota)
            """)[0]
        return (0..<4).map { row.int64($0) }
    }

    /// Grants are over, a recall is due, a block waits for the chain and a release for its quota.
    @Test(.timeLimit(.minutes(1)))
    func `nothing is swept, ended, chained or folded before a recovery, and all of it behind it`() async throws {
        var idle = Upkeep.Pace()
        (idle.round, idle.sweep) = (.seconds(3_600), .seconds(3_600))
        try await DealtMonth.after(pace: idle) { month in
            for agency in 1...2 {
                let accounts = try await month.connect(agency).lease(DealtMonth.lease(1, max: 2)).leasedAccounts
                if agency == 2 { try month.notice([accounts[0]], on: "2024-03-08T06:00:00Z") }
            }
        } _: { month, _ in
            let link = try month.database.link()
            try link.script(
                """
                UPDATE lease_grant SET term = now_instant() + interval '90 days',
                       ceiling = now_instant() + interval '90 days' WHERE agency_id = 2;
                INSERT INTO block (delegation_id, period, records, count, root) VALUES (9, 202403, '', 0, '\\x00');
                INSERT INTO release (delegation_id, quota_id, accounts, exposure) SELECT 9, min(quota_id), 1, 0 FROM quota;
                UPDATE clock SET restored_at = clock_timestamp()
                """)
            let before = try counts(month)
            #expect(Array(before.prefix(2)) == [0, 0] && before[3] == 0)
            let node = try await DealtMonth.startNode(month.database, DealtMonth.quickPace)
            // Each step returns when the node has kept house at that time.
            try DatabaseClock.set("2024-04-05T07:00Z", try month.database.link())
            try DatabaseClock.set("2024-04-05T08:00Z", try month.database.link())
            #expect(try counts(month) == before)

            _ = try Recovery(link, nothingLost: true, by: "ana").run()
            try await until {
                let now = try counts(month)
                return now[0] == 1 && now[1] == 1 && now[2] > before[2] && now[3] > 0
            }
            await node.stop()
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a recovery waits for the deal that is under way, whose epochs are of the incarnation before`() async throws {
        try await TestDatabase.with { database in
            let dealing = try database.link()
            try dealing.script("BEGIN")
            let before = try Recovery.dealingIncarnation(dealing)
            async let recovered = onThread {
                try Recovery(try database.link("recovery"), nothingLost: true, by: "ana").run().incarnation
            }
            func incarnation() throws -> Int64 {
                try database.link().run("SELECT incarnation::bigint FROM clock")[0].int64(0)
            }
            try await until { try database.waiting("recovery") == 1 || incarnation() != before }
            #expect(try incarnation() == before)
            try dealing.script("COMMIT")
            #expect(try await Int64(recovered) > before)
        }
    }
}
