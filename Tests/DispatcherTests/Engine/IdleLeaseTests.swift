// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import PgStore
import TestSupport
import Testing

/// What is held and not worked goes back, against a real node, which leaves the sweep to the test.
struct IdleLeaseTests {
    private static var pace: Upkeep.Pace {
        var pace = Upkeep.Pace()
        pace.sweep = .seconds(3_600)
        return pace
    }

    /// Days in Mexico City: leased on the fourth, so a deadline of eight days is the midnight that begins the twelfth, and a day
    /// of grace later it is enforced.
    @Test(.timeLimit(.minutes(1)))
    func
        `an account on which nothing was reported goes back after the activity deadline and its grace, and not before`()
        async throws
    {
        try await DealtMonth.with(pace: Self.pace) { month in
            let link = try month.database.link()
            try link.script("UPDATE hand SET activity_days = 8")
            let node = try await DealtMonth.startNode(month.database, Self.pace)
            let agent = try await month.connect(1, to: node)
            let lease = try await agent.lease(DealtMonth.lease(1, max: 3))
            let accounts = lease.leasedAccounts
            #expect(lease.leaseSummary?.workBy?.description == "2024-03-12T06:00:00.000Z")
            #expect(try await agent.lease(DealtMonth.lease(1, max: 3)).text == lease.text)
            #expect(try await agent.report(DealtMonth.report(2, accounts[1])).isOK)

            try month.setClock("2024-03-13T05:59:59Z")
            #expect(try IdleLeases.takeBack(link) == 0)
            try month.setClock("2024-03-13T06:00:00Z")
            #expect(try IdleLeases.takeBack(link) == 2)
            #expect(try IdleLeases.takeBack(link) == 0)
            let late = try await agent.report(DealtMonth.report(3, accounts[0], at: "2024-03-12T15:00:00Z"))
            #expect(late.code == .recalled)
            #expect(late.fields["counts"] == "yes")
            #expect(try await agent.report(DealtMonth.report(4, accounts[1])).isOK)
            #expect(
                try month.number("SELECT count(*) FROM push WHERE kind = 'RECALL' AND word = 'not-worked' AND is_final")
                    == 2)
            #expect(try month.number("SELECT sum(accounts)::bigint FROM release") == 2)
            await node.stop()
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `an unlocatable debtor's account goes back after the days for it, unless somebody was reached since`()
        async throws
    {
        try await DealtMonth.with(pace: Self.pace) { month in
            let link = try month.database.link()
            try link.script("UPDATE hand SET unlocatable_days = 5, grace_us = 0")
            // Another one than the month's, which may have read the hands before.
            let node = try await DealtMonth.startNode(month.database, Self.pace)
            let agent = try await month.connect(1, to: node)
            let accounts = try await agent.lease(DealtMonth.lease(1, max: 3)).leasedAccounts
            for (key, account) in zip(2..., accounts) {
                var report = try DealtMonth.report(Int64(key), account)
                report.contact = .unlocatable
                #expect(try await agent.report(report).isOK)
            }
            try month.setClock("2024-03-05T15:00:00Z")
            var found = try DealtMonth.report(9, accounts[2], at: "2024-03-05T15:00:00Z")
            found.contact = .direct
            #expect(try await agent.report(found).isOK)
            #expect(try await agent.giveBack(DealtMonth.giveBack(10, accounts[1])).isOK)

            // The fifth day after the fourth is the ninth, which is the holder's to its end.
            try month.setClock("2024-03-10T05:59:59Z")
            #expect(try IdleLeases.takeBack(link) == 0)
            try month.setClock("2024-03-10T06:00:00Z")
            #expect(try IdleLeases.takeBack(link) == 1)
            #expect(
                try month.number("SELECT account_id FROM ending WHERE reason = 'unlocatable' AND kind = 'recall'")
                    == accounts[0].account.value)
            await node.stop()
        }
    }
}
