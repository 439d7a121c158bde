// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
@testable import Dispatcher
import PgStore
import TestSupport
import Testing

/// The nodes' own verification of the ledger.
struct LedgerWatchTests {
    private static let hour = "UPDATE clock SET virtual_now = now_instant() + interval '1 hour'"

    @Test func `it looks when it is due, and keeps what it found`() async throws {
        try await ProvenMonth.with { month in
            let first = try #require(try LedgerWatch.run(month.link, every: .seconds(3_600)))
            #expect(first.findings == [] && first.delegations.count == 1)
            #expect(try LedgerWatch.run(month.link, every: .seconds(3_600)) == nil)
            let clean = try LedgerWatch.lines(month.link)
            #expect(!clean.hasFindings && clean.lines.contains("1 looks, 0 with findings"))

            try month.link.script("UPDATE payment SET amount = amount + 1 WHERE payment_id = 'P-1'")
            // One delegation an hour, by a seed that goes on: the one with the payment comes up before long.
            var looks: [LedgerWatch.Look] = []
            while looks.last?.delegations != [DealtMonth.delegation.value], looks.count < 64 {
                try month.link.script(Self.hour)
                looks.append(try #require(try LedgerWatch.run(month.link, every: .seconds(3_600))))
            }
            let last = try #require(looks.last)
            #expect(last.records == 19)
            #expect(last.findings.contains { $0.contains("payment id=P-1 is stored otherwise") })
            #expect(looks.dropLast().allSatisfy { $0.findings.isEmpty && $0.delegations == [1] })
            let found = try LedgerWatch.lines(month.link)
            #expect(found.hasFindings)
            #expect(found.lines.contains { $0.contains("payment id=P-1") })
        }
    }

    @Test func `a node looks by itself, and keeps what it found`() async throws {
        var pace = Upkeep.Pace()
        pace.watch = .milliseconds(20)
        pace.ledgerWatch = .seconds(3_600)
        try await DealtMonth.with(pace: pace) { month in
            // Nothing was recorded yet, so there is nothing to look at.
            try await until { try month.number("SELECT count(*) FROM ledger_watch") == 1 }
            // A hand that no record speaks of is something to find; a first block makes the delegation one to look at.
            let agent = try await month.connect(1)
            _ = try await agent.lease(DealtMonth.lease(1))
            try await agent.bye()
            let link = try month.database.link()
            try link.script(Self.hour)
            try await until { try month.number("SELECT count(*) FROM ledger_watch WHERE records > 0") > 0 }
            // What is not due is not done again, until the domain's time goes on.
            #expect(try month.number("SELECT count(*) FROM ledger_watch WHERE records > 0") == 1)
            #expect(
                try LedgerWatch.lines(link).lines.contains { $0.contains("hand 1 is there, and was never recorded") })
            let before = try month.number("SELECT count(*) FROM ledger_watch")
            try link.script(Self.hour)
            try await until { try month.number("SELECT count(*) FROM ledger_watch") > before }
        }
    }
}
