// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import PgStore
import TestSupport
import Testing

/// Seconds in which no node could answer move every end of a lease, whoever looks at it and whether a node has booked them or not.
struct OutageTests {
    /// What ends leases is left to the test, and so is what books outages.
    private static var pace: Upkeep.Pace {
        var pace = Upkeep.Pace()
        pace.sweep = .seconds(3_600)
        pace.beat = .seconds(3_600)
        return pace
    }

    /// The enforced term was over 50 seconds ago.
    @Test(arguments: [(100, 0), (60, 0), (40, 1), (0, 1)])
    func `a sweep goes by an outage that no node has booked yet`(outage: Int, closed: Int) async throws {
        try await DealtMonth.with(pace: Self.pace) { month in
            _ = try await month.connect(1).lease(DealtMonth.lease(1))
            let link = try month.database.link()
            try link.script(
                """
                UPDATE clock SET virtual_now = NULL, latest_beat = clock_timestamp() - interval '\(outage) s';
                UPDATE lease_grant SET granted_at = clock_timestamp() - interval '9 days',
                       term = clock_timestamp() - interval '50 s' - grace_us * interval '1 microsecond'
                """)
            #expect(try Sweep.run(link) == closed)
        }
    }

    /// The deadline of the first work, with its grace, was over 50 seconds ago.
    @Test(arguments: [(100, 0), (40, 5)])
    func `idle leases are taken back by the same end`(outage: Int, ended: Int) async throws {
        try await DealtMonth.with(pace: Self.pace) { month in
            let link = try month.database.link()
            try link.script("UPDATE hand SET activity_days = 2")
            _ = try await month.connect(1).lease(DealtMonth.lease(1))
            try link.script(
                """
                UPDATE clock SET virtual_now = NULL, latest_beat = clock_timestamp() - interval '\(outage) s';
                UPDATE lease_grant SET granted_at = clock_timestamp() - interval '9 days',
                       term = clock_timestamp() + interval '9 days';
                UPDATE lease_grant
                   SET grace_us = 1000000 * extract(epoch FROM clock_timestamp() - interval '50 s'
                           - ((granted_at AT TIME ZONE 'America/Mexico_City')::date + 2)::timestamp
                             AT TIME ZONE 'America/Mexico_City')::bigint
                """)
            #expect(try IdleLeases.takeBack(link) == ended)
        }
    }

    enum Booking: CaseIterable, Sendable { case beat, group, nobody }

    /// Nodes beat every five seconds. The bound is fifteen seconds, far from both; where the machine took so long in between that it
    /// could have been passed, it is looked at again.
    @Test(.timeLimit(.minutes(1)), arguments: Booking.allCases, [(6, false), (26, true)] as [(Int, Bool)])
    func `seconds without a beat are an outage from fifteen on, whoever books them`(
        booking: Booking, gap: (Int, Bool)
    ) async throws {
        let (seconds, isOutage) = gap
        try await TestDatabase.with { database in
            let link = try database.link()
            var (outage, took) = (Duration.zero, Duration.seconds(60))
            while took > .seconds(5) {
                let before = try link.readOutageBooked()
                let start = ContinuousClock.now
                try link.script(
                    "UPDATE clock SET virtual_now = NULL, latest_beat = clock_timestamp() - interval '\(seconds) s'")
                switch booking {
                case .beat: try link.bookOutage()
                case .group:
                    _ = try link.openGroup(GroupQuestion())
                    try link.finishGroup(GroupWrites(now: try link.readNow(), outage: .zero))
                case .nobody: break
                }
                let after = try booking == .nobody ? link.readTermClock().outage : link.readOutageBooked()
                (outage, took) = (after - before, .now - start)
            }
            #expect(isOutage ? outage >= .seconds(seconds) : outage == .zero, "\(outage)")
        }
    }

    /// A recall in the year of the virtual clock is long due by the real one.
    @Test(arguments: [(3_600, 0), (0, 1)])
    func `a server whose clock is behind what was committed ends no recall`(behind: Int, ended: Int) async throws {
        try await DealtMonth.after(pace: Self.pace) { month in
            let account = try await month.connect(1).lease(DealtMonth.lease(1, max: 1)).leasedAccounts.first
            try month.notice([try #require(account)], on: "2024-03-08T06:00:00Z")
        } _: { month, _ in
            let link = try month.database.link()
            try link.script(
                "UPDATE clock SET virtual_now = NULL, latest_beat = clock_timestamp() + interval '\(behind) s'")
            #expect(try Recalls.finish(link) == ended)
            #expect(try month.number("SELECT count(*) FROM ending") == ended)
        }
    }

    /// Grants of every kind around the instant that is asked about, which is one of their ends, or a microsecond beside it.
    @Test(.timeLimit(.minutes(2)), arguments: 1...12 as ClosedRange<UInt64>)
    func `what HELD and RESUME count is what a report would be taken of`(seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        try await DealtMonth.with(.init(agencies: 1, handSize: 40), pace: Self.pace) { month in
            let agent = try await month.connect(1)
            var leases: [LeasedAccount] = []
            for key in 1...10 as ClosedRange<Int64> {
                leases += try await agent.lease(DealtMonth.lease(key, max: 4)).leasedAccounts
            }
            for (index, account) in leases.enumerated() where random.next() % 5 == 0 {
                #expect(try await agent.giveBack(DealtMonth.giveBack(100 + Int64(index), account)).isOK)
            }
            let link = try month.database.link()
            // Ends lie on whole hours, so that some are the same.
            try link.run(
                """
                UPDATE lease_grant g
                   SET term = timestamptz '2024-04-01T00:00:00Z' + r.hours * interval '1 hour', grace_us = r.grace * 3600000000,
                       outage_us = r.outage * 3600000000
                  FROM unnest($1::int[], $2::bigint[], $3::bigint[], $4::bigint[]) AS r (first, hours, grace, outage)
                 WHERE g.first_position = r.first
                """,
                [
                    .int32s((0..<10).map { 1 + 4 * $0 }),
                    .int64s((0..<10).map { _ in Int64(random.next() % 6) }),
                    .int64s((0..<10).map { _ in Int64(random.next() % 3) }),
                    .int64s((0..<10).map { _ in Int64(random.next() % 3) }),
                ])
            try link.script("UPDATE lease_grant SET state = 'closed', closed_at = term WHERE first_position = 1")
            try link.script("UPDATE clock SET outage_us = 3 * 3600000000::bigint")
            let hour = try #require(Timestamp(text: "2024-04-01T00:00:00Z")).advanced(
                by: .seconds(3_600 * Int(2 + random.next() % 7)))
            let now = hour.advanced(by: .microseconds(Int(random.next() % 3) - 1))
            try link.run("UPDATE clock SET virtual_now = $1", [.timestamp(now)])

            let (read, facts) = try link.readLeases(leases.map(DealtMonth.key))
            let agency = try #require(AgencyID(1))
            let live = leases.filter { facts[DealtMonth.key($0)]?.staleness(for: agency, at: read) == nil }
            var digest = HeldDigest.empty
            for account in live { digest.add(DealtMonth.delegation, account.account, account.epoch) }
            let held = try await agent.held(HeldRequest()).data.map { $0["account"] }
            let same = try await agent.resume(ResumeRequest(count: digest.count, digest: digest.bytes))
            let listed = try await agent.resume(ResumeRequest(count: 0, digest: HeldDigest.empty.bytes))
            let entries = leases.sorted { $0.account < $1.account }.map {
                HeldList.Entry(delegation: DealtMonth.delegation, account: $0.account, epoch: $0.epoch)
            }
            let parts = try await agent.resume(ResumeRequest(leases: entries))

            #expect(read == now)
            #expect(Set(held) == Set(live.map { "\($0.account)" }))
            #expect(same.fields["match"] == "yes")
            #expect(live.isEmpty || Set(listed.data.map { $0["account"] }) == Set(live.map { "\($0.account)" }))
            #expect(parts.fields["keep"] == "\(live.count)")
            #expect(
                Set(parts.data.filter { $0["reason"] == "EXPIRED" }.map { $0["account"] })
                    == Set(
                        leases.filter { facts[DealtMonth.key($0)]?.staleness(for: agency, at: read) == .expired }
                            .map { "\($0.account)" }))
        }
    }
}

extension PgLink {
    fileprivate func readOutageBooked() throws -> Duration {
        .microseconds(try run("SELECT outage_us FROM clock")[0].int64(0))
    }
}
