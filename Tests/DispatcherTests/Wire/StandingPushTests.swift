// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import PgStore
import TestSupport
import Testing

/// What a connection is told once it has signed in: how things stand, said before or not.
struct StandingPushTests {
    private func pause(_ month: DealtMonth) throws {
        let order = try PauseOrder(
            strategy: "administrative", delegation: 9, agency: "ACE01", reason: "audit", until: nil)
        _ = try order.set(try month.database.link())
    }

    @Test(.timeLimit(.minutes(1)))
    func `who signs in is told of pauses in force and terms that are near, and nobody else is told again`() async throws
    {
        try await DealtMonth.with(pace: DealtMonth.quickPace) { month in
            let first = try await month.connect(1)
            let grant = try #require(try await first.lease(DealtMonth.lease(1)).leaseSummary?.grant)
            let given = try await first.lease(DealtMonth.lease(2, max: 1)).leasedAccounts[0]
            #expect(try await first.giveBack(DealtMonth.giveBack(3, given)).isOK)
            try pause(month)
            try month.setClock("2024-04-01T06:00:00Z")
            #expect(await first.next(.paused)?["reason"] == "audit")
            #expect(await first.next(.expiring) != nil)

            let second = try await month.connect(1, instance: "two")
            let paused = await second.next(.paused)
            #expect(paused?["reason"] == "audit" && paused?["by"] == "institution")
            #expect(await second.next(.expiring)?["grant"] == "\(grant)")
            // Everything that was said by then is heard before the end of a session.
            let stranger = try await month.connect(2)
            try await stranger.settled(month, agency: 2)
            for agent in [first, stranger] {
                try await agent.bye()
                for await push in agent.pushes { Issue.record("\(push)") }
            }
            // Of that one nothing is held any more.
            try await second.bye()
            for await push in second.pushes { Issue.record("\(push)") }
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a pause that is over and a term that is far are not told`() async throws {
        try await DealtMonth.with(pace: DealtMonth.quickPace) { month in
            let first = try await month.connect(1)
            _ = try await first.lease(DealtMonth.lease(1))
            try pause(month)
            let order = try PauseOrder(
                strategy: "administrative", delegation: 9, agency: "ACE01", reason: "audit", until: nil)
            _ = try order.lift(try month.database.link())
            let second = try await month.connect(1, instance: "two")
            try await second.settled(month, agency: 1)
            try await second.bye()
            for await push in second.pushes { Issue.record("\(push)") }
        }
    }

    /// Four grants of the fourth: of one all was worked, of one nothing, of one the second account, of one what was not worked was given
    /// back. The day of their first work is the twelfth, of a fifth grant a week later.
    @Test(.timeLimit(.minutes(1)))
    func `who signs in behind the warning is told of the day of first work, where some of a grant was not worked`()
        async throws
    {
        try await DealtMonth.with(pace: DealtMonth.quickPace) { month in
            try month.database.link().script("UPDATE hand SET activity_days = 8")
            let first = try await month.connect(1)
            var grants: [[LeasedAccount]] = []
            for key in 1...4 as ClosedRange<Int64> {
                grants.append(try await first.lease(DealtMonth.lease(key, max: 2)).leasedAccounts)
            }
            for (key, account) in zip(11..., grants[0] + [grants[2][1], grants[3][0]]) {
                #expect(try await first.report(DealtMonth.report(Int64(key), account)).isOK)
            }
            #expect(try await first.giveBack(DealtMonth.giveBack(21, grants[3][1])).isOK)
            try month.setClock("2024-03-11T06:00:00Z")
            _ = try await first.lease(DealtMonth.lease(5, max: 1))
            var told: [String?] = []
            for _ in 0..<2 { told.append(await first.next(.expiring)?["grant"]) }
            #expect(Set(told.compactMap(\.self)) == Set(([3, 5] as [Int32]).map { "\(GrantID(hand: 1, first: $0))" }))

            let second = try await month.connect(1, instance: "two")
            for grant in [3, 5] as [Int32] {
                let push = await second.next(.expiring)
                #expect(push?["grant"] == "\(GrantID(hand: 1, first: grant))")
                #expect(push?["work-by"] == "2024-03-12T06:00:00.000Z" && push?["term"] == nil)
            }
            // Another agency hears nothing of it, nor does anybody once it was worked.
            for (key, account) in zip(31..., grants[1] + [grants[2][0]]) {
                #expect(
                    try await second.report(DealtMonth.report(Int64(key), account, at: "2024-03-11T06:00:00Z")).isOK)
            }
            let strangers = [try await month.connect(2), try await month.connect(1, instance: "three")]
            for (agent, agency) in zip(strangers, [2, 1] as [Int32]) { try await agent.settled(month, agency: agency) }
            for agent in [first, second] + strangers {
                try await agent.bye()
                for await push in agent.pushes where push.name != "UPDATE" { Issue.record("\(push)") }
            }
        }
    }

    /// What is told of each grant without being asked comes behind that, and to everybody.
    @Test(.timeLimit(.minutes(1)))
    func `however many terms are near, a new connection is told of the nearest two hundred`() async throws {
        try await DealtMonth.with(.init(agencies: 1, handSize: 5_001), pace: DealtMonth.quickPace) { month in
            try month.database.link().script(
                """
                INSERT INTO lease_grant (delegation_id, hand_id, first_position, last_position, quota_id, contract_id,
                       agency_id, instance_id, key, request_hash, skipped, accounts, exposure, total_accounts, total_exposure,
                       left_accounts, stop, held_digest, granted_at, granted_term, term, ceiling, grace_us, outage_us)
                SELECT 9, 1, i, i, 1, 1, 1, 0, i, '', NULL, 1, 10000, i, i * 10000, 0, 'limit', '', now_instant(), t, t, t,
                       86400000000, 0
                  FROM generate_series(1, 5001) i, LATERAL (VALUES (now_instant() + interval '2 days' - i * interval '1 s')) v (t);
                INSERT INTO announced_term (delegation_id, hand_id, first_position, term)
                SELECT delegation_id, hand_id, first_position, term FROM lease_grant
                """)
            let agent = try await month.connect(1)
            var told: [String] = []
            for await push in agent.pushes where ["EXPIRING", "UPDATE"].contains(push.name) {
                guard push.name == "EXPIRING" else { break }
                told.append(push.fields["grant"] ?? "")
                if told.count == 200 { try sayUpdate(month, agency: 1) }
            }
            #expect(told == (4_802...5_001).reversed().map { "\(GrantID(hand: 1, first: Int32($0)))" })
        }
    }

    /// The standing cannot be read while its table is not there.
    @Test(.timeLimit(.minutes(1)))
    func `news are told whatever becomes of the standing, which is told later`() async throws {
        try await DealtMonth.with(pace: DealtMonth.quickPace) { month in
            let first = try await month.connect(1)
            try pause(month)
            #expect(await first.next(.paused) != nil)
            try month.database.link().script("ALTER TABLE pause RENAME TO pause_away")
            let second = try await month.connect(1, instance: "two")
            try sayUpdate(month, agency: 1)
            #expect(await first.next(.update) != nil)
            #expect(await second.next(.update) != nil)
            try month.database.link().script("ALTER TABLE pause_away RENAME TO pause")
            #expect(await second.next(.paused)?["reason"] == "audit")
        }
    }
}

extension AgentConnection {
    /// Until what a new connection is told would have been told to this one. A push may come in the look that tells how things stand;
    /// one that was written after it was heard comes in a later one.
    fileprivate func settled(_ month: DealtMonth, agency: Int32) async throws {
        for _ in 0..<2 {
            try sayUpdate(month, agency: agency)
            #expect(await next(.update) != nil)
        }
    }
}

private func sayUpdate(_ month: DealtMonth, agency: Int32) throws {
    try month.database.link().script(
        """
        INSERT INTO push (agency_id, kind, delegation_id, account_id, epoch, word, on_date)
        VALUES (\(agency), 'UPDATE', 9, 1, 1, 'job-loss', '2024-03-04')
        """)
}
