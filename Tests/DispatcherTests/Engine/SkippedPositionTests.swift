// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import PgStore
import TestSupport
import Testing

/// Accounts that ended while they waited: pulls pass them by, and they are part of no lease.
struct SkippedPositionTests {
    private func end(_ month: DealtMonth, _ positions: ClosedRange<Int>) throws {
        try month.database.link().script(
            """
            INSERT INTO ending (delegation_id, account_id, epoch, kind, reason, ended_at, hand_id, position, was_held)
            SELECT 9, account_id, epoch, 'exclusion', 'lawsuit', now_instant(), hand_id, position, false FROM position
             WHERE hand_id = 1 AND position BETWEEN \(positions.lowerBound) AND \(positions.upperBound)
            """)
    }

    private static var pace: Upkeep.Pace {
        var pace = Upkeep.Pace()
        pace.sweep = .seconds(3_600)
        return pace
    }

    /// Pulls look 1,024 positions further than they want accounts.
    @Test(.timeLimit(.minutes(1)), arguments: [1_000, 500, 10])
    func `behind a long run of stopped accounts all others are leased, each once`(max: Int) async throws {
        let shape = DealtMonth.Shape(agencies: 1, handSize: 3_000, limitAccounts: 5_000)
        try await DealtMonth.with(shape, pace: Self.pace) { month in
            try end(month, 1...2_500)
            let agent = try await month.connect(1)
            var leased: [Int64] = []
            for key in 1...200 as ClosedRange<Int64> {
                let reply = try await agent.lease(DealtMonth.lease(key, max: max))
                leased += reply.leasedAccounts.map(\.account.value)
                if reply.fields["stop"] == "empty" { break }
            }
            #expect(leased == Array(3_501...3_500 + 500))
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a replay, a comparison and a sweep leave out what the pull passed by`() async throws {
        try await DealtMonth.with(pace: Self.pace) { month in
            try end(month, 2...2)
            let agent = try await month.connect(1)
            let lease = try await agent.lease(DealtMonth.lease(1, max: 3))
            #expect(lease.leasedAccounts.map(\.account.value) == [1_001, 1_003, 1_004])

            #expect(try await agent.lease(DealtMonth.lease(1, max: 3)).text == lease.text)

            var digest = HeldDigest.empty
            for account in lease.leasedAccounts { digest.add(DealtMonth.delegation, account.account, account.epoch) }
            let resumed = try await agent.resume(ResumeRequest(count: digest.count, digest: digest.bytes))
            #expect(resumed.fields["match"] == "yes")
            #expect(resumed.fields["held"] == "3")

            try month.setClock("2024-04-05T07:00:00Z")
            _ = try Sweep.run(try month.database.link())
            try await until { try month.number("SELECT count(*) FROM lease_grant WHERE state = 'closed'") == 1 }
            #expect(try month.number("SELECT sum(accounts)::bigint FROM release") == 3)
            #expect(try month.number("SELECT sum(exposure)::bigint FROM release") == 3 * 10_000)
        }
    }
}
