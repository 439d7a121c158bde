// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
import PgStore
import TestSupport
import Testing

struct SequencerTests {
    /// The first time there is no row to lock: the second waits for the row of the first, and must read where that one ended.
    @Test(.timeLimit(.minutes(1)))
    func `of two nodes that chain for the first time at once, the second goes on where the first ended`() async throws {
        try await TestDatabase.with { database in
            let first = try database.link()
            try first.script("INSERT INTO period (period, opened_at) VALUES (202403, now_instant())")
            let delegation = try #require(Delegation(9))
            let period = try #require(Period(text: "2024-03"))
            try first.insertBlocks(
                LedgerBlock.seal([LedgerRecord(delegation: delegation, period: period, "deal plan=1 delegation=9")]))
            try first.script(
                "BEGIN; INSERT INTO follower (name, transaction, number) VALUES ('sequencer', '9223372036854775807', 0)"
            )
            let conninfo = database.conninfo
            let second = Task.detached { try Sequencer.run(try PgLink(conninfo, application: "second")) }
            let watch = try database.link()
            let waiting = "SELECT FROM pg_stat_activity WHERE application_name = 'second' AND wait_event_type = 'Lock'"
            while try watch.run(waiting).isEmpty { try await Task.sleep(for: .milliseconds(5)) }
            try first.script("COMMIT")

            #expect(try await second.value == 0)
            #expect(try watch.run("SELECT FROM chain").isEmpty)
        }
    }
}
