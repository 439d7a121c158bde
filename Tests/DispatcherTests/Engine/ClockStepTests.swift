// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
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

    @Test func `real time that would end the terms of open grants is refused until it is said to be meant`()
        async throws
    {
        try await DealtMonth.with(.init(agencies: 1, handSize: 3)) { month in
            let link = try month.database.link()
            _ = try await month.connect(1).lease(DealtMonth.lease(1, max: 1))

            let failure = #expect(throws: CommandFailure.self) { try DatabaseClock.setReal(link) }
            #expect(failure?.exit == .usage)
            #expect(failure?.found == "the term of one open grant would be over at once")
            #expect(try month.number("SELECT count(*) FROM clock WHERE virtual_now IS NULL") == 0)

            try DatabaseClock.setReal(link, endsTerms: true)
            #expect(try month.number("SELECT count(*) FROM clock WHERE virtual_now IS NULL") == 1)
        }
        // Nothing is out: the month that was dealt would be over all the same.
        try await DealtMonth.with(.init(agencies: 1, handSize: 3)) { month in
            let link = try month.database.link()
            let failure = #expect(throws: CommandFailure.self) { try DatabaseClock.setReal(link) }
            #expect(
                failure?.exit == .usage && failure?.found.hasPrefix("a month was dealt by the virtual clock") == true)
            #expect(try month.number("SELECT count(*) FROM clock WHERE virtual_now IS NULL") == 0)

            try DatabaseClock.setReal(link, endsTerms: true)
            #expect(try month.number("SELECT count(*) FROM clock WHERE virtual_now IS NULL") == 1)
        }
        try await TestDatabase.with { database in
            let link = try database.link()
            try DatabaseClock.setReal(link)
            #expect(try link.run("SELECT virtual_now IS NULL FROM clock")[0].bool(0))
        }
    }

    @Test func `a virtual clock is refused from the first dealt plan on, and from the first lease on`() async throws {
        let shape = DealtMonth.Shape(agencies: 1, handSize: 3)
        for (dealt, found) in [
            ("lease_grant", "has leases"), ("plan", "has a plan, whose hands and terms a virtual clock would falsify"),
        ] {
            try await DealtMonth.with(shape) { month in
                let link = try month.database.link()
                if dealt == "lease_grant" { _ = try await month.connect(1).lease(DealtMonth.lease(1, max: 1)) }
                try link.script("UPDATE clock SET virtual_now = NULL")
                let failure = #expect(throws: CommandFailure.self) { try DatabaseClock.set("2024-03-12T06:00Z", link) }

                #expect(failure?.exit == .usage)
                #expect(failure?.found.contains(found) == true)
                #expect(try month.number("SELECT count(*) FROM clock WHERE virtual_now IS NULL") == 1)
            }
        }
        try await TestDatabase.with { database in
            let link = try database.link()
            try link.script(
                "UPDATE clock SET virtual_now = NULL; INSERT INTO period VALUES (202403, 'open', now(), NULL, NULL)")
            try DatabaseClock.set("2024-03-12T06:00Z", link)
            #expect(try link.readNow() == Timestamp(text: "2024-03-12T06:00:00Z"))
        }
    }
}
