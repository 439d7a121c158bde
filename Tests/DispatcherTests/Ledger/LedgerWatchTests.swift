// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import PgStore
import Testing

/// The nodes' own verification of the ledger.
struct LedgerWatchTests {
    @Test func `it looks when it is due, and keeps what it found`() async throws {
        try await ProvenMonth.with { month in
            let first = try #require(try LedgerWatch.run(month.link, every: .seconds(3_600)))
            #expect(first.findings == [] && first.records == 17)
            #expect(first.delegations == [DealtMonth.delegation.value])
            #expect(try LedgerWatch.run(month.link, every: .seconds(3_600)) == nil)
            let clean = try LedgerWatch.lines(month.link)
            #expect(!clean.hasFindings && clean.lines.contains("1 looks, 0 with findings"))

            try month.link.script("UPDATE payment SET amount = amount + 1 WHERE payment_id = 'P-1'")
            try month.link.script("UPDATE clock SET virtual_now = now_instant() + interval '1 hour'")
            let second = try #require(try LedgerWatch.run(month.link, every: .seconds(3_600)))
            #expect(second.findings.contains { $0.contains("payment id=P-1 is stored otherwise") })
            let found = try LedgerWatch.lines(month.link)
            #expect(found.hasFindings)
            #expect(found.lines.contains { $0.contains("payment id=P-1") })
        }
    }
}
