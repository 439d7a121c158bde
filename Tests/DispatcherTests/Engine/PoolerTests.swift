// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import Glibc
import PgStore
import TestSupport
import Testing

/// Nodes behind pgbouncer in transaction mode, whose few sessions change hands with every transaction.
struct PoolerTests {
    @Test(.timeLimit(.minutes(1)))
    func `two nodes behind a pooler lease, replay, report, push and resume`() async throws {
        try await DealtMonth.with { month in
            let address = String(cString: try #require(getenv("REPARTO_TEST_POOLER")))
            let name = try #require(month.database.conninfo.split(separator: "=").last)
            let pooled = TestDatabase(conninfo: "\(address) dbname=\(name)")
            let first = try await DealtMonth.startNode(pooled, DealtMonth.quickPace, prepares: false)
            let second = try await DealtMonth.startNode(pooled, DealtMonth.quickPace, prepares: false)
            let agent = try await month.connect(1, to: first)
            let other = try await month.connect(1, instance: "two", to: second)
            let lease = try await agent.lease(DealtMonth.lease(1))
            let accounts = lease.leasedAccounts
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for key in 1...40 as ClosedRange<Int64> {
                    for link in [agent, other] {
                        group.addTask { try await link.report(DealtMonth.report(key, accounts[Int(key) % 5])).isOK }
                    }
                }
                for try await isOK in group { #expect(isOK) }
            }

            #expect(try await agent.lease(DealtMonth.lease(1)).text == lease.text)
            #expect(try month.number("SELECT count(*) FROM outcome") == 80)
            var digest = HeldDigest.empty
            for account in accounts { digest.add(DealtMonth.delegation, account.account, account.epoch) }
            let resumed = try await other.resume(ResumeRequest(count: digest.count, digest: digest.bytes))
            #expect(resumed.fields["match"] == "yes")
            try month.notice([accounts[0]])
            #expect(await other.next(.recall)?["account"] == "\(accounts[0].account)")
            await first.stop()
            await second.stop()
            #expect(try Self.leftOver(pooled).isEmpty)
        }
    }

    /// What is set in the sessions of the pool, of which there are four at most; a pooler itself sets what it keeps for its clients.
    /// A transaction that is open has a session to itself. A COPY outside of ``PgLink/transaction(_:)`` is told nothing before it.
    private static func leftOver(_ pooled: TestDatabase) throws -> Set<String> {
        let links = try (0..<4).map { _ in try PgLink(pooled.conninfo, application: "test", prepares: false) }
        for link in links { try link.script("BEGIN") }
        var found: Set<String> = []
        for link in links {
            try link.copyOut(
                """
                COPY (SELECT name || ' = ' || setting FROM pg_settings
                       WHERE source = 'session' AND name NOT IN
                             ('application_name', 'client_encoding', 'DateStyle', 'TimeZone', 'standard_conforming_strings',
                              'IntervalStyle', 'search_path', 'default_transaction_read_only'))
                TO STDOUT (FORMAT binary)
                """
            ) { found.insert($0.text()) }
            try link.script("COMMIT")
        }
        return found
    }
}
