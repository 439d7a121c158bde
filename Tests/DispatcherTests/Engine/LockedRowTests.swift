// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import PgStore
import TestSupport
import Testing

/// Somebody at the institution keeps rows locked: an import, an order, a command that hangs.
struct LockedRowTests {
    private static let rows = ["hand WHERE hand_id = 1", "quota WHERE contract_id = 1"]

    /// Without the bound one group waits for the lock, and everybody behind it; with it, each new request for the same row would
    /// cost the others a quarter of a second once more.
    @Test(.timeLimit(.minutes(1)), arguments: rows)
    func `what is locked holds up who draws from it, and the others once for a quarter of a second at most`(
        row: String
    ) async throws {
        try await DealtMonth.with { month in
            let (first, second) = (try await month.connect(1), try await month.connect(2))
            let locker = try month.database.link()
            try locker.script("BEGIN; SELECT 1 FROM \(row) FOR UPDATE")
            let clock = ContinuousClock()
            var blocked: [Task<ClientReply, any Error>] = []
            let took = try await clock.measure {
                for key in 1...12 as ClosedRange<Int64> {
                    blocked.append(Task { try await first.lease(DealtMonth.lease(key, max: 1)) })
                    let lease = try await second.lease(DealtMonth.lease(key, max: 1))
                    #expect(lease.leasedAccounts.count == 1)
                }
            }
            #expect(took < .seconds(2), "one wait of 250 ms, and twelve groups; it took \(took)")
            #expect(try month.number("SELECT count(*) FROM lease_grant WHERE agency_id = 1") == 0)
            try locker.script("ROLLBACK")
            for task in blocked { #expect(try await task.value.leasedAccounts.count == 1) }
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a grant that is locked holds up what is said about it, and neither its holder's leases nor the others`()
        async throws
    {
        try await DealtMonth.with { month in
            let (first, second) = (try await month.connect(1), try await month.connect(2))
            let mine = try await first.lease(DealtMonth.lease(1, max: 12)).leasedAccounts
            let theirs = try await second.lease(DealtMonth.lease(1, max: 12)).leasedAccounts
            let locker = try month.database.link()
            try locker.script("BEGIN; SELECT 1 FROM lease_grant WHERE agency_id = 1 FOR UPDATE")
            var blocked: [Task<ClientReply, any Error>] = []
            let took = try await ContinuousClock().measure {
                for (index, account) in mine.enumerated() {
                    let key = Int64(index) + 10
                    blocked.append(Task { try await first.report(DealtMonth.report(key, account)) })
                    let report = try await second.report(DealtMonth.report(key, theirs[index]))
                    #expect(report.isOK)
                }
                let lease = try await first.lease(DealtMonth.lease(2, max: 1))
                #expect(lease.leasedAccounts.count == 1)
            }
            #expect(took < .seconds(2), "\(took)")
            #expect(try month.number("SELECT count(*) FROM outcome WHERE agency_id = 1") == 0)
            try locker.script("ROLLBACK")
            for task in blocked { #expect(try await task.value.isOK) }
            #expect(try month.number("SELECT count(*) FROM outcome") == 24)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a locked installation holds up its own agency's sign-ins, which are told BUSY, and the others' once`()
        async throws
    {
        try await DealtMonth.with { month in
            _ = try await month.connect(1)
            let locker = try month.database.link()
            try locker.script("BEGIN; SELECT 1 FROM agency_instance FOR UPDATE")
            func signIn(_ sequence: Int64) async throws -> ReplyCode? {
                do {
                    _ = try await month.connect(1, sequence: sequence)
                    return nil
                } catch AgentConnectionError.refused(let reply) {
                    return reply.code
                }
            }
            let took = try await ContinuousClock().measure {
                let blocked = (2...13 as ClosedRange<Int64>).map { sequence in
                    Task { try await signIn(sequence) }
                }
                _ = try await month.connect(2)
                for task in blocked { #expect(try await task.value == .busy) }
            }
            // Before, each of the twelve waited for five seconds, one after the other.
            #expect(took < .seconds(4), "\(took)")
            try locker.script("ROLLBACK")
            var sequence: Int64 = 20
            while try await signIn(sequence) == .busy { sequence += 1 }
            #expect(try month.number("SELECT sequence FROM agency_instance WHERE agency_id = 1") == sequence)
        }
    }

    /// A process that was stopped in a transaction answers nothing, and the server cannot tell it from one that thinks.
    @Test(.timeLimit(.minutes(1)))
    func `a transaction of a process that was stopped loses its locks, and its link`() async throws {
        try await DealtMonth.with { month in
            let stopped = try month.database.link()
            try stopped.prepareForEngine()
            #expect(try stopped.run("SHOW idle_in_transaction_session_timeout")[0].text(0) == "10s")
            try stopped.prepareForEngine(pause: .milliseconds(600))
            try stopped.script("BEGIN; SELECT 1 FROM hand WHERE hand_id = 1 FOR UPDATE")
            let agent = try await month.connect(1)
            #expect(try await agent.lease(DealtMonth.lease(1)).leasedAccounts.count == 5)
            let failure = #expect(throws: PgError.self) { try stopped.script("COMMIT") }
            #expect(failure?.isConnectionLost == true && failure?.isRetryable == true)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `who has waited for a lock long enough is told BUSY, nothing was done, and the same key works later`()
        async throws
    {
        var limits = LeaseEngine.Limits()
        limits.lockWait = .milliseconds(50)
        limits.lockPatience = .milliseconds(200)
        try await DealtMonth.with(engine: limits) { month in
            let agent = try await month.connect(1)
            let locker = try month.database.link()
            try locker.script("BEGIN; SELECT 1 FROM hand WHERE hand_id = 1 FOR UPDATE")
            let busy = try await agent.lease(DealtMonth.lease(1))
            #expect(busy.code == .busy && busy.replyClass == .retry && busy.fields["after"] == "1")
            try locker.script("ROLLBACK")
            #expect(try await agent.lease(DealtMonth.lease(1)).leasedAccounts.count == 5)
            #expect(try month.number("SELECT count(*) FROM lease_grant") == 1)
        }
    }
}
