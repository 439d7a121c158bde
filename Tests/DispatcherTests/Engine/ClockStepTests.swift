// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Dispatcher
import PgStore
import TestSupport
import Testing

/// A step of the virtual clock, against a real node whose own sweep would come an hour later.
struct ClockStepTests {
    @Test(.timeLimit(.minutes(1))) func `a step of the clock returns when the node has kept house at that time`()
        async throws
    {
        var pace = Upkeep.Pace()
        pace.sweep = .seconds(3_600)
        try await DealtMonth.with(pace: pace) { month in
            let link = try month.database.link()
            try link.script("UPDATE hand SET activity_days = 8, grace_us = 0")
            // Another one than the month's, which may have read the hands before.
            let node = try await DealtMonth.startNode(month.database, pace)
            let agent = try await month.connect(1, to: node)
            _ = try await agent.lease(DealtMonth.lease(1, max: 3))

            try DatabaseClock.set("2024-03-12T05:59Z", try month.database.link())
            #expect(try month.number("SELECT count(*) FROM ending") == 0)
            try DatabaseClock.set("2024-03-12T06:00Z", try month.database.link())
            #expect(try month.number("SELECT count(*) FROM ending WHERE reason = 'not-worked'") == 3)
            await node.stop()
        }
    }

    @Test(.timeLimit(.minutes(1))) func `a step waits for nobody where nobody serves`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            let start = ContinuousClock.now
            try DatabaseClock.set("2024-03-12T06:00Z", link)

            #expect(ContinuousClock.now - start < .seconds(5))
            #expect(try link.nodesBehind(try link.readNow()) == 0)
        }
    }
}
