// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import PgStore
import TestSupport
import Testing

/// The engine as an agency meets it: a real node, a real server, real sockets.
struct EngineTests {
    /// The advisers of each contract carry 1,000 accounts.
    @Test(arguments: [(999, "quota"), (1_000, "capacity"), (1_001, "capacity")] as [(Int64, String)])
    func `a limit that the advisers set stops a pull as capacity, a lower one as quota`(
        limit: Int64, stop: String
    ) async throws {
        try await DealtMonth.with(.init(agencies: 1, handSize: 1_005, limitAccounts: limit)) { month in
            let agent = try await month.connect(1)
            _ = try await agent.lease(DealtMonth.lease(1, max: 1_000))
            let second = try await agent.lease(DealtMonth.lease(2, max: 5))
            let third = try await agent.lease(DealtMonth.lease(3, max: 5))

            #expect(second.fields["stop"] == stop && third.fields["stop"] == stop)
            #expect(third.fields["granted"] == "0")
            #expect(try await agent.status(StatusRequest()).data.map { $0["stop"] } == [stop])
        }
    }

    @Test func `a grant is extended while one of its accounts is held, and is closed when none is`() async throws {
        try await DealtMonth.with { month in
            let agent = try await month.connect(1)
            let lease = try await agent.lease(DealtMonth.lease(1, max: 2))
            let (accounts, grant) = (lease.leasedAccounts, try #require(lease.leaseSummary?.grant))
            func extend(_ key: Int64, _ day: Int) async throws -> ClientReply {
                try await agent.extend(
                    ExtendRequest(
                        key: key, delegation: DealtMonth.delegation, grant: grant,
                        until: try #require(Timestamp(text: "2024-04-\(day)T06:00:00Z"))))
            }
            _ = try await agent.giveBack(DealtMonth.giveBack(2, accounts[0]))
            #expect(try await extend(3, 10).isOK)
            _ = try await agent.giveBack(DealtMonth.giveBack(4, accounts[1]))
            let closed = try await extend(5, 11)

            #expect(closed.code == .closed && closed.replyClass == .refresh)
            #expect(try await extend(5, 11).text == closed.text)
        }
    }

    @Test func `a lease takes the next accounts in dealt order`() async throws {
        try await DealtMonth.with { month in
            let agent = try await month.connect(1)
            let first = try await agent.lease(DealtMonth.lease(1, max: 3))
            let second = try await agent.lease(DealtMonth.lease(2, max: 2))

            #expect(first.leasedAccounts.map(\.account.value) == [1_001, 1_002, 1_003])
            #expect(second.leasedAccounts.map(\.account.value) == [1_004, 1_005])
            #expect(first.leaseSummary?.stop == .limit)
            #expect(first.leaseSummary?.left == 17)
            #expect(first.leaseSummary?.term?.description == "2024-04-03T06:00:00.000Z")
        }
    }

    @Test func `a repeated request gets the same reply and has no second effect`() async throws {
        try await DealtMonth.with { month in
            let agent = try await month.connect(1)
            let lease = try await agent.lease(DealtMonth.lease(1))
            let account = try #require(lease.leasedAccounts.first)
            let report = try await agent.report(DealtMonth.report(2, account))
            let giveBack = try await agent.giveBack(DealtMonth.giveBack(3, account))
            agent.abandon()
            let again = try await month.connect(1, sequence: 2)

            #expect(try await again.lease(DealtMonth.lease(1)).text == lease.text)
            #expect(try await again.report(DealtMonth.report(2, account)).text == report.text)
            #expect(try await again.giveBack(DealtMonth.giveBack(3, account)).text == giveBack.text)
            #expect(try month.number("SELECT sum(accounts)::bigint FROM lease_grant") == 5)
            #expect(try month.number("SELECT count(*) FROM outcome") == 1)
            #expect(try month.number("SELECT count(*) FROM ending") == 1)
        }
    }

    @Test func `requests with one key in one burst have one effect`() async throws {
        try await DealtMonth.with { month in
            let agent = try await month.connect(1)
            let replies = try await agent.send((0..<8).map { _ in .lease(DealtMonth.lease(7)) })

            #expect(Set(replies.map(\.text)).count == 1)
            #expect(try month.number("SELECT count(*) FROM lease_grant") == 1)
        }
    }

    @Test func `a key with other content is refused`() async throws {
        try await DealtMonth.with { month in
            let agent = try await month.connect(1)
            let lease = try await agent.lease(DealtMonth.lease(1))
            let account = try #require(lease.leasedAccounts.first)
            _ = try await agent.report(DealtMonth.report(2, account))

            #expect(try await agent.lease(DealtMonth.lease(1, max: 6)).code == .keyReused)
            #expect(try await agent.report(DealtMonth.report(2, account, result: .refusal)).code == .keyReused)
        }
    }

    @Test func `two agencies never hold one account, and neither passes its quota`() async throws {
        try await DealtMonth.with(.init(agencies: 4, handSize: 200, limitAccounts: 33)) { month in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for agency in 1...4 {
                    for instance in 1...3 {
                        group.addTask {
                            let agent = try await month.connect(agency, instance: "i\(instance)")
                            for key in 1...10 as ClosedRange<Int64> {
                                _ = try await agent.lease(DealtMonth.lease(key, max: 4))
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }

            #expect(
                try month.number(
                    "SELECT count(*) FROM (SELECT quota_id FROM lease_grant GROUP BY 1 HAVING sum(accounts) <> 33) x")
                    == 0)
            #expect(try month.number("SELECT sum(accounts)::bigint FROM lease_grant") == 4 * 33)
            #expect(
                try month.number(
                    """
                    SELECT count(*) FROM (SELECT p.account_id FROM lease_grant g JOIN position p ON p.hand_id = g.hand_id
                     AND p.position BETWEEN g.first_position AND g.last_position GROUP BY 1 HAVING count(*) > 1) x
                    """) == 0)
        }
    }

    @Test func `two nodes share one database without passing a limit`() async throws {
        try await DealtMonth.with(.init(agencies: 1, handSize: 300, limitAccounts: 100)) { month in
            let other = try await DealtMonth.startNode(month.database)
            try await withThrowingTaskGroup(of: Int.self) { group in
                for (index, node) in [month.node, other, month.node, other].enumerated() {
                    group.addTask {
                        let agent = try await month.connect(1, instance: "i\(index)", to: node)
                        var granted = 0
                        for key in 1...40 as ClosedRange<Int64> {
                            granted += try await agent.lease(DealtMonth.lease(key, max: 3)).leasedAccounts.count
                        }
                        return granted
                    }
                }
                var total = 0
                for try await granted in group { total += granted }

                #expect(total == 100)
            }
            await other.stop()
        }
    }

    @Test func `a bond is kept to the centavo`() async throws {
        try await DealtMonth.with(.init(agencies: 1, limitExposure: 70_000)) { month in
            let agent = try await month.connect(1)
            let reply = try await agent.lease(DealtMonth.lease(1, max: 20))

            #expect(reply.leasedAccounts.count == 7)
            #expect(reply.leaseSummary?.stop == .bond)
        }
    }

    @Test func `an excluded account is passed over, also when everything asked for is excluded`() async throws {
        try await DealtMonth.with { month in
            try month.database.link().script(
                """
                INSERT INTO ending SELECT 9, account_id, 1, 'exclusion', 'lawsuit', now_instant(), 1, position, false
                  FROM position WHERE hand_id = 1 AND position IN (1, 2, 4)
                """)
            let agent = try await month.connect(1)
            let reply = try await agent.lease(DealtMonth.lease(1, max: 3))

            #expect(reply.leasedAccounts.map(\.account.value) == [1_003, 1_005, 1_006])
        }
    }

    @Test func `a report after a return is refused by name and kept as evidence`() async throws {
        try await DealtMonth.with { month in
            let agent = try await month.connect(1)
            let account = try #require(try await agent.lease(DealtMonth.lease(1)).leasedAccounts.first)
            _ = try await agent.giveBack(DealtMonth.giveBack(2, account))
            let stale = try await agent.report(DealtMonth.report(3, account))

            #expect(stale.code == .closed)
            #expect(stale.fields["counts"] == "no")
            #expect(try month.number("SELECT count(*) FROM evidence WHERE code = 'CLOSED'") == 1)
            #expect(try month.number("SELECT count(*) FROM outcome") == 0)
        }
    }

    @Test func `an account of another agency is unknown to this one`() async throws {
        try await DealtMonth.with { month in
            let owner = try await month.connect(1)
            let stranger = try await month.connect(2)
            let account = try #require(try await owner.lease(DealtMonth.lease(1)).leasedAccounts.first)

            #expect(try await stranger.report(DealtMonth.report(1, account)).code == .unknown)
            #expect(try await stranger.giveBack(DealtMonth.giveBack(2, account)).code == .unknown)
            #expect(try await owner.report(DealtMonth.report(2, account)).isOK)
        }
    }

    @Test func `a report from the future, before the lease, or of a closed month is refused by its own code`()
        async throws
    {
        try await DealtMonth.with { month in
            try month.database.link().script(
                """
                INSERT INTO period (period, state, opened_at, closed_at)
                VALUES (202401, 'closed', now_instant(), now_instant())
                """)
            let agent = try await month.connect(1)
            let account = try #require(try await agent.lease(DealtMonth.lease(1)).leasedAccounts.first)

            #expect(try await agent.report(DealtMonth.report(2, account, at: "2024-03-04T15:00:01Z")).code == .clock)
            #expect(try await agent.report(DealtMonth.report(2, account, at: "2024-03-04T14:59:59Z")).code == .clock)
            #expect(
                try await agent.report(DealtMonth.report(2, account, at: "2024-01-04T15:00:00Z")).code == .periodClosed)
            // February was never opened, so it is not closed either: the work lies before the lease.
            let early = try await agent.report(DealtMonth.report(2, account, at: "2024-02-04T15:00:00Z"))
            #expect(early.code == .clock)
            #expect(early.fields["granted"] == "2024-03-04T15:00:00.000Z")
            #expect(try await agent.report(DealtMonth.report(2, account, at: "2023-12-04T15:00:00Z")).code == .clock)
            // What was refused as wrong has not used the key up: all of these codes are of class fix.
            #expect(try await agent.report(DealtMonth.report(2, account)).isOK)
            #expect(
                ReplyCode.allCases.filter { [.clock, .periodClosed].contains($0) }.allSatisfy { $0.replyClass == .fix })
        }
    }

    /// Outcomes lie by month, and a key is looked up in the month of the work and those beside it.
    @Test(arguments: [("2024-03-04", true), ("2024-04-30", true), ("2024-05-02", false)])
    func `a report's key is another request's from two months on, and a repetition finds its own`(
        day: String, isReused: Bool
    ) async throws {
        try await DealtMonth.with(.init(termDays: 60)) { month in
            try month.database.link().script(
                [202_404, 202_405].map {
                    """
                    INSERT INTO period (period, opened_at) VALUES (\($0), now_instant());
                    CREATE TABLE outcome_\($0) PARTITION OF outcome FOR VALUES IN (\($0));
                    """
                }.joined())
            let agent = try await month.connect(1)
            let accounts = try await agent.lease(DealtMonth.lease(1)).leasedAccounts
            let first = try await agent.report(DealtMonth.report(2, accounts[0]))
            try month.setClock("2024-05-02T15:00:00Z")
            let second = try await agent.report(DealtMonth.report(2, accounts[1], at: "\(day)T15:00:00Z"))

            #expect(second.isOK != isReused)
            #expect((second.code == .keyReused) == isReused)
            #expect(try await agent.report(DealtMonth.report(2, accounts[0])).text == first.text)
            #expect(try month.number("SELECT count(*) FROM outcome") == (isReused ? 1 : 2))
        }
    }

    @Test func `every verb's key is answered until ninety days after its grant's end, and then known to be used`()
        async throws
    {
        var pace = Upkeep.Pace()
        pace.sweep = .seconds(3_600)
        try await DealtMonth.with(pace: pace) { month in
            let agent = try await month.connect(1)
            let lease = try await agent.lease(DealtMonth.lease(1))
            let accounts = lease.leasedAccounts
            try month.notice([accounts[1]])
            _ = try await agent.object(DealtMonth.object(9, accounts[1]))
            _ = try Recalls.decide(
                try month.database.link(), DealtMonth.key(accounts[1]), .withdrawn, reason: "x", by: "test")
            let requests: [AgentRequest] = [
                .lease(DealtMonth.lease(1)), .report(try DealtMonth.report(1, accounts[0])),
                .extend(
                    ExtendRequest(
                        key: 1, delegation: DealtMonth.delegation, grant: try #require(lease.leaseSummary?.grant),
                        until: try #require(Timestamp(text: "2024-04-10T06:00:00Z")))),
                .giveBack(DealtMonth.giveBack(1, accounts[2])), .object(DealtMonth.object(9, accounts[1])),
            ]
            let first = try await agent.send(requests)
            #expect(first.allSatisfy { $0.isOK })
            // The term, a day of grace, ninety days.
            try month.setClock("2024-07-10T05:59:59Z")
            #expect(try await agent.send(requests).map(\.text) == first.map(\.text))
            try month.setClock("2024-07-10T06:00:00Z")
            #expect(try await agent.send(requests).map(\.code) == [ReplyCode?](repeating: .keyExpired, count: 5))
            #expect(try month.number("SELECT count(*) FROM outcome") == 1)
        }
    }

    @Test func `work before the first month that was opened is a matter of the clock, leased or not`() async throws {
        try await DealtMonth.with { month in
            try month.setClock("2024-02-28T15:00:00Z")
            let agent = try await month.connect(1)
            let account = try #require(try await agent.lease(DealtMonth.lease(1)).leasedAccounts.first)
            var other = try DealtMonth.report(2, account, at: "2024-02-28T15:00:00Z")
            let leased = try await agent.report(other)
            other.epoch = try #require(Epoch(99))
            let unleased = try await agent.report(other)

            #expect([leased.code, unleased.code] == [.clock, .clock])
            #expect(leased.fields["period"] == "2024-02")
            #expect(try month.number("SELECT count(*) FROM evidence") == 0)
        }
    }

    @Test func `work in a month that nobody has opened yet is taken once it is open`() async throws {
        try await DealtMonth.with { month in
            let agent = try await month.connect(1)
            let account = try #require(try await agent.lease(DealtMonth.lease(1)).leasedAccounts.first)
            try month.setClock("2024-04-02T15:00:00Z")
            let report = try DealtMonth.report(2, account, at: "2024-04-02T15:00:00Z")
            let early = try await agent.report(report)
            try month.database.link().script(
                """
                INSERT INTO period (period, opened_at) VALUES (202404, now_instant());
                CREATE TABLE outcome_202404 PARTITION OF outcome FOR VALUES IN (202404);
                """)

            #expect(early.code == .periodNotOpen)
            #expect(early.replyClass == .retry)
            #expect(try await agent.report(report).isOK)
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func `a term is enforced after its grace, swept or not, and the sweep releases the quota`() async throws {
        var pace = Upkeep.Pace()
        pace.sweep = .seconds(3_600)
        try await DealtMonth.with(.init(agencies: 1, limitAccounts: 5, contractEnds: "2024-03-31"), pace: pace) {
            month in
            let agent = try await month.connect(1)
            let lease = try await agent.lease(DealtMonth.lease(1))
            let account = try #require(lease.leasedAccounts.first)
            // The contract ends on 31 March, and so does the term; the grace of a day follows.
            #expect(lease.leaseSummary?.term?.description == "2024-04-01T06:00:00.000Z")
            try month.setClock("2024-04-02T05:59:59Z")
            #expect(try await agent.report(DealtMonth.report(2, account)).isOK)
            try month.setClock("2024-04-02T06:00:00Z")
            let late = try await agent.report(DealtMonth.report(3, account))
            #expect(late.code == .expired)
            #expect(late.fields["counts"] == "yes")

            // A server whose clock is behind what was committed does not know what is over; a beat does not hide that.
            let link = try month.database.link()
            try link.script("UPDATE clock SET virtual_now = NULL, latest_beat = clock_timestamp() + interval '1 hour'")
            try link.bookOutage()
            #expect(try Sweep.run(link) == 0)
            // A virtual clock is in the database, and behind nothing.
            try month.setClock("2024-04-02T06:00:00Z")
            #expect(try Sweep.run(try month.database.link()) == 1)
            #expect(try Sweep.run(try month.database.link()) == 0)
            try await until { try month.database.link().foldReleases(limit: 100) > 0 }
            #expect(try month.number("SELECT released_accounts FROM quota") == 5)
            #expect(try month.number("SELECT released_exposure FROM quota") == 5 * 10_000)
        }
    }

    @Test func `an extension is bounded and durable`() async throws {
        try await DealtMonth.with { month in
            let agent = try await month.connect(1)
            let grant = try #require(try await agent.lease(DealtMonth.lease(1)).leaseSummary?.grant)
            func extend(_ key: Int64, _ until: String) async throws -> ClientReply {
                try await agent.extend(
                    ExtendRequest(
                        key: key, delegation: DealtMonth.delegation, grant: grant,
                        until: try #require(Timestamp(text: until))))
            }

            #expect(try await extend(2, "2024-04-20T06:00:00Z").isOK)
            #expect(try await extend(3, "2024-05-03T06:00:00Z").isOK)
            #expect(try await extend(4, "2024-05-03T06:00:01Z").code == .beyondCeiling)
            let same = try await extend(5, "2024-05-03T06:00:00Z")
            #expect(same.code == .badValue)
            #expect(same.fields["expected"] == "later than term=")
            #expect(same.fields["term"] == "2024-05-03T06:00:00.000Z")
            #expect(try month.number("SELECT count(*) FROM lease_grant WHERE term = '2024-05-03T06:00:00Z'") == 1)
        }
    }

    @Test func `a client resumes by digest, and learns the difference`() async throws {
        try await DealtMonth.with { month in
            let agent = try await month.connect(1)
            let accounts = try await agent.lease(DealtMonth.lease(1)).leasedAccounts
            _ = try await agent.giveBack(DealtMonth.giveBack(2, accounts[0]))
            agent.abandon()
            var digest = HeldDigest.empty
            for account in accounts.dropFirst() { digest.add(DealtMonth.delegation, account.account, account.epoch) }
            let again = try await month.connect(1, sequence: 2)
            let match = try await again.resume(ResumeRequest(count: digest.count, digest: digest.bytes))
            let empty = HeldDigest.empty
            let difference = try await again.resume(ResumeRequest(count: 0, digest: empty.bytes))

            #expect(match.fields["match"] == "yes")
            #expect(difference.fields["match"] == "no")
            #expect(difference.heldAccounts.map(\.account) == accounts.dropFirst().map(\.account))
        }
    }

    @Test func `the same sequence twice is a clone, a wrong key tells nothing`() async throws {
        try await DealtMonth.with { month in
            _ = try await month.connect(1, sequence: 5)
            let clone = await #expect(throws: AgentConnectionError.self) { try await month.connect(1, sequence: 5) }
            let liar = DealtMonth(
                database: month.database, node: month.node, keys: [AgencyPrivateKey(), AgencyPrivateKey()])
            let wrong = await #expect(throws: AgentConnectionError.self) { try await liar.connect(1, sequence: 9) }

            #expect(clone.flatMap(refusal) == .clone)
            #expect(wrong.flatMap(refusal) == .auth)
        }
    }

    private func refusal(_ error: AgentConnectionError) -> ReplyCode? {
        if case .refused(let reply) = error { reply.code } else { nil }
    }

    @Test(.timeLimit(.minutes(2))) func `every receipt is a leaf of a block that the sequencer chains`() async throws {
        try await DealtMonth.with { month in
            let agent = try await month.connect(1)
            let accounts = try await agent.lease(DealtMonth.lease(1)).leasedAccounts
            let reports = try accounts.enumerated().map {
                AgentRequest.report(try DealtMonth.report(Int64($0.offset) + 2, $0.element))
            }
            let receipts = try await agent.send(reports).compactMap { $0.fields["receipt"] }
            let link = try month.database.link()
            // It waits for every older transaction of the server, and other tests have some.
            try await until {
                try Sequencer.run(link)
                return try month.number("SELECT (SELECT count(*) FROM block) - (SELECT count(*) FROM chain)") == 0
            }
            let blocks = try link.run("SELECT records, root FROM block").map { ($0.bytes(0), $0.bytes(1)) }
            let leaves = blocks.flatMap { LedgerBlock.unpack($0.0).map(LedgerTree.leaf) }

            #expect(receipts.count == 5)
            #expect(Set(receipts).isSubset(of: Set(leaves.map(LedgerTree.hex))))
            #expect(blocks.allSatisfy { LedgerTree.root(LedgerBlock.unpack($0.0).map(LedgerTree.leaf)) == $0.1 })
            #expect(try month.number("SELECT count(*) FROM chain") == Int64(blocks.count))
        }
    }

    @Test func `nothing that was answered is lost when the node is gone`() async throws {
        try await DealtMonth.with { month in
            let other = try await DealtMonth.startNode(month.database)
            let agent = try await month.connect(1, to: other)
            let lease = try await agent.lease(DealtMonth.lease(1))
            let account = try #require(lease.leasedAccounts.first)
            let report = try await agent.report(DealtMonth.report(2, account))
            await other.stop()
            let again = try await month.connect(1, sequence: 2)

            #expect(try await again.lease(DealtMonth.lease(1)).text == lease.text)
            #expect(try await again.report(DealtMonth.report(2, account)).text == report.text)
        }
    }

    /// The term and its grace were over 50 seconds ago.
    @Test(arguments: [(100, true), (60, true), (40, false), (0, false)])
    func `a node takes what is said where the seconds in which no node could answer reach over the term`(
        outage: Int, isTaken: Bool
    ) async throws {
        try await DealtMonth.with { month in
            let agent = try await month.connect(1)
            let lease = try await agent.lease(DealtMonth.lease(1))
            let (account, grant) = (try #require(lease.leasedAccounts.first), lease.leaseSummary?.grant)
            let link = try month.database.link()
            try link.script("UPDATE clock SET virtual_now = NULL, latest_beat = clock_timestamp()")
            let now = try link.readNow()
            let period = Period.ofWork(at: now).number
            try link.script(
                """
                INSERT INTO period (period, opened_at) VALUES (\(period), now_instant());
                CREATE TABLE outcome_\(period) PARTITION OF outcome FOR VALUES IN (\(period));
                UPDATE clock SET latest_beat = clock_timestamp() - interval '\(outage) s';
                UPDATE lease_grant SET granted_at = clock_timestamp() - interval '9 days',
                       term = clock_timestamp() - interval '50 s' - grace_us * interval '1 microsecond',
                       ceiling = clock_timestamp() + interval '9 days'
                """)
            let reply = try await agent.report(
                ReportRequest(
                    key: 2, delegation: DealtMonth.delegation, account: account.account, epoch: account.epoch, at: now,
                    channel: .sms, contact: .nobody, result: .noAnswer))
            let extended = try await agent.extend(
                ExtendRequest(
                    key: 3, delegation: DealtMonth.delegation, grant: try #require(grant),
                    until: now.advanced(by: .seconds(86_400))))
            let back = try await agent.giveBack(DealtMonth.giveBack(4, account))

            for reply in [reply, extended, back] {
                #expect(isTaken ? reply.isOK : reply.code == .expired, "\(reply.text)")
            }
        }
    }

    @Test func `an outage of all nodes is credited to the terms`() async throws {
        try await DealtMonth.with { month in
            let link = try month.database.link()
            try link.script(
                "UPDATE clock SET virtual_now = NULL, latest_beat = clock_timestamp() - interval '100 s'")
            try link.bookOutage()
            let first = try month.number("SELECT outage_us FROM clock")
            try link.bookOutage()

            #expect((100_000_000..<110_000_000).contains(first))
            #expect(try month.number("SELECT outage_us FROM clock") == first)
            let kept = try link.run(
                "SELECT count(*), sum(microseconds)::bigint, max(total_us), bool_and(booked_at > from_at + interval '99 s') FROM outage"
            )[0]
            #expect(kept.int64(0) == 1 && kept.int64(1) == first && kept.int64(2) == first && kept.bool(3))
            #expect(throws: PgError.self) { try link.script("UPDATE clock SET outage_us = outage_us - 1") }
        }
    }
}
