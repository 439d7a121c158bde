// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
@testable import Dispatcher
import PgStore
import TestSupport
import Testing

/// The close judges what the nodes' follower of contacts has not read yet.
struct ClosingContactTests {
    /// Three calls under a pack with a cadence, of a node whose follower never runs.
    private func with(_ body: (DealtMonth, PgLink) async throws -> Void) async throws {
        var pace = Upkeep.Pace()
        pace.round = .seconds(3_600)
        try await DealtMonth.with(.init(agencies: 1, handSize: 20), pace: pace) { month in
            let link = try month.database.link()
            try link.script(
                """
                UPDATE hand SET rule_packs = '{fna}';
                INSERT INTO schedule VALUES
                    ('f', 'fee', '2024-01-01', 'FEE-11', 'administrative.phone', '10'),
                    ('p', 'penalty', '2024-01-01', 'IVA', 'rate', '16');
                """)
            let agent = try await month.connect(1)
            let account = try #require(try await agent.lease(DealtMonth.lease(1, max: 1)).leasedAccounts.first)
            // Two months in arrears: a second call five days after the first, by CAD-03.
            for (key, at) in zip(2..., ["2024-03-04T15:00:00Z", "2024-03-05T15:00:00Z", "2024-03-06T15:00:00Z"]) {
                try month.setClock(at)
                var report = try DealtMonth.report(Int64(key), account, at: at)
                report.contact = key == 2 ? .direct : .nobody
                #expect(try await agent.report(report).isOK)
            }
            try await agent.bye()
            // After the month and before the leases end.
            try month.setClock("2024-04-02T06:00:00Z")
            try await body(month, link)
        }
    }

    private func marked(_ month: DealtMonth) throws -> Int64 {
        try month.number("SELECT count(*) FROM outcome WHERE marks <> '{}'")
    }

    @Test func `the close reads on where the follower stands, so that what broke a cadence waits for its review`()
        async throws
    {
        try await with { month, link in
            try link.script("UPDATE outcome SET marks = NULL; DELETE FROM follower WHERE name = 'contacts'")
            let period = ClosingFixture.period
            let told = try MonthClosing(link, period: period).unjudged()
            #expect(told?.contains("blocks of the ledger are not judged yet") == true)
            var steps: [String] = []
            let result = try MonthClosing(link, period: period) { steps.append($0) }.close()
            let section = try StatementDocument(result.month.statements[0].body).sections[0]

            #expect(steps.contains { $0.hasPrefix("contacts: ") })
            let marked = try marked(month)
            #expect(marked > 0)
            #expect(section.indicators?.pendingOutcomes == marked)
            #expect(try MonthClosing(link, period: period).unjudged() == nil)
        }
    }

    @Test func `where the follower is at the end, or no hand follows a cadence, nothing is waited for`() async throws {
        try await with { _, link in
            try ContactFollower.run(link)
            #expect(try MonthClosing(link, period: ClosingFixture.period).unjudged() == nil)
            try link.script("DELETE FROM follower WHERE name = 'contacts'")
            #expect(try MonthClosing(link, period: ClosingFixture.period).unjudged() != nil)
            try link.script("UPDATE hand SET rule_packs = '{infonavit-2023}'")
            var steps: [String] = []
            _ = try MonthClosing(link, period: ClosingFixture.period) { steps.append($0) }.close()

            #expect(!steps.contains { $0.hasPrefix("contacts: ") })
        }
    }
}
