// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import PgStore
import Synchronization
import TestSupport
import Testing

/// What came of a held account since the lease: pushes, `HELD` and `RESUME` tell the same of it, and clients keep it.
struct HeldNewsTests {
    /// Loads a file with one row about an account of hand 1, at the time that the clock shows.
    private func load(
        _ month: DealtMonth, _ number: Int, account: Int64 = 1_001, delegation: Int = 9, paidOn: String, amount: Int64,
        reverses: Int? = nil
    ) throws {
        try month.database.link().script(
            """
            WITH f AS (INSERT INTO import (kind, period, file_name, digest, rows_good, rows_bad, imported_at)
                       VALUES ('payments', 202403, 'p', 'p\(number)', 1, 0, now_instant()) RETURNING import_id)
            INSERT INTO payment (period, payment_id, delegation_id, account_id, paid_on, amount, origin, reverses, import_id)
            SELECT 202403, 'P\(number)', \(delegation), \(account), '\(paidOn)', \(amount), 'borrower',
                   \(reverses.map { "'P\($0)'" } ?? "NULL"), import_id FROM f
            """)
    }

    /// A file of starts with one row about an account that is held.
    private func start(
        _ month: DealtMonth, _ number: Int, account: Int64 = 1_001, reason: String = "job-loss", on: String
    ) throws {
        try month.database.link().script(
            """
            WITH f AS (INSERT INTO import (kind, period, file_name, digest, rows_good, rows_bad, imported_at)
                       VALUES ('starts', 202403, 's', 's\(number)', 1, 0, now_instant()) RETURNING import_id)
            INSERT INTO start (period, delegation_id, account_id, reason, on_date, changes, former, placed_on, fate,
                   epoch, import_id)
            SELECT 202403, 9, \(account), '\(reason)', '\(on)', '{}', '{}', '2024-03-04', 'in-hand', 1, import_id FROM f
            """)
    }

    /// A client of ACE01 that connects again at once.
    private func client(_ month: DealtMonth) throws -> AgentClient {
        let latest = Mutex<Int64>(0)
        var settings = try AgentClientSettings(
            addresses: [.init(host: "127.0.0.1", port: month.node.port)], agency: "ACE01", instance: "client",
            key: month.keys[0].bytes,
            nextSequence: {
                latest.withLock {
                    $0 += 1
                    return $0
                }
            })
        settings.pauseFirst = .milliseconds(10)
        return AgentClient(settings)
    }

    private func told(_ fields: ReplyFields?) -> [String?] {
        ["paid", "paid-on", "reversed"].map { fields?[$0] }
    }

    @Test(.timeLimit(.minutes(2)))
    func `a payment counts by when it became known, and the push, HELD and RESUME agree about it`() async throws {
        try await DealtMonth.with(pace: DealtMonth.quickPace) { month in
            // Known on the day before the lease, to the last second: part of what was known when it was leased.
            try month.setClock("2024-03-04T05:59:59Z")
            try load(month, 1, paidOn: "2024-03-02", amount: 100)
            // Its news is for nobody: there is no holder yet.
            try await until { try month.number("SELECT count(*) FROM announced_import") > 0 }
            try month.setClock("2024-03-04T15:00:00Z")
            let agent = try await month.connect(1)
            _ = try await agent.lease(DealtMonth.lease(1, max: 2))
            #expect(told(try await agent.held(HeldRequest()).data.first) == [nil, nil, nil])

            // Paid before the lease and known after it; and a second one on the day after.
            try load(month, 2, paidOn: "2024-03-03", amount: 5_000)
            #expect(told(await agent.next(.update)) == ["50.00", "2024-03-03", nil])
            try month.setClock("2024-03-05T15:00:00Z")
            try load(month, 3, paidOn: "2024-03-05", amount: 2_500)
            let push = await agent.next(.update)
            #expect(push?["amount"] == "25.00")
            let expected = ["75.00", "2024-03-05", nil] as [String?]
            #expect(told(push) == expected)
            #expect(told(try await agent.held(HeldRequest()).data.first) == expected)
            let all = try await agent.resume(ResumeRequest(count: 0, digest: HeldDigest.empty.bytes))
            #expect(all.data.map { told($0) } == [expected, [nil, nil, nil]])
            let listed = try await agent.resume(ResumeRequest(leases: []))
            #expect(listed.data.map { told($0) } == [expected, [nil, nil, nil]])
        }
    }

    /// The debtor of account 1001 moves to delegation 14; its lease is recalled, which is not final yet.
    @Test(.timeLimit(.minutes(2)))
    func `what a debtor pays who moved is told to who holds the account, and so is what is taken back of it`()
        async throws
    {
        try await DealtMonth.with(pace: DealtMonth.quickPace) { month in
            let agent = try await month.connect(1)
            let accounts = try await agent.lease(DealtMonth.lease(1, max: 2)).leasedAccounts
            try load(month, 1, paidOn: "2024-03-04", amount: 5_000)
            #expect(told(await agent.next(.update)) == ["50.00", "2024-03-04", nil])
            try month.notice([accounts[0]])
            try load(month, 2, delegation: 14, paidOn: "2024-03-04", amount: 2_500)
            let push = await agent.next(.update)
            #expect(told(push) == ["75.00", "2024-03-04", nil])
            #expect(push?["delegation"] == "9" && push?["account"] == "1001")
            try load(month, 3, delegation: 14, paidOn: "2024-03-04", amount: 5_000, reverses: 1)
            #expect(told(await agent.next(.update)) == ["25.00", "2024-03-04", nil])
            #expect(told(try await agent.held(HeldRequest()).data.first) == ["25.00", "2024-03-04", nil])
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func
        `what is taken back is told: of known payments in full, and of earlier ones by itself, never as less than nothing`()
        async throws
    {
        try await DealtMonth.with(pace: DealtMonth.quickPace) { month in
            try month.database.link().script("UPDATE hand SET rule_packs = '{fna}'")
            try month.setClock("2024-03-03T15:00:00Z")
            try load(month, 1, paidOn: "2024-03-02", amount: 700)
            // Its news is for nobody: there is no holder yet.
            try await until { try month.number("SELECT count(*) FROM announced_import") > 0 }
            try month.setClock("2024-03-04T15:00:00Z")
            let agent = try await month.connect(1)
            _ = try await agent.lease(DealtMonth.lease(1, max: 1))
            func next() async throws -> String? { try await agent.held(HeldRequest()).data.first?["next"] }
            let before = try await next()
            #expect(before?.hasPrefix("call/") == true)

            try load(month, 2, paidOn: "2024-03-03", amount: 5_000)
            #expect(told(await agent.next(.update)) == ["50.00", "2024-03-03", nil])
            #expect(try await next() == nil)
            try load(month, 3, paidOn: "2024-03-03", amount: 2_000, reverses: 2)
            #expect(told(await agent.next(.update)) == ["30.00", "2024-03-03", nil])
            try load(month, 4, paidOn: "2024-03-04", amount: 700, reverses: 1)
            #expect(told(await agent.next(.update)) == ["30.00", "2024-03-03", "7.00"])
            #expect(told(try await agent.held(HeldRequest()).data.first) == ["30.00", "2024-03-03", "7.00"])
            #expect(try await next() == nil)
            // One that is wholly taken back leaves the day of the one before it.
            try load(month, 5, paidOn: "2024-03-04", amount: 1_000)
            #expect(told(await agent.next(.update)) == ["40.00", "2024-03-04", "7.00"])
            try load(month, 6, paidOn: "2024-03-04", amount: 1_000, reverses: 5)
            #expect(told(await agent.next(.update)) == ["30.00", "2024-03-03", "7.00"])
            #expect(told(try await agent.held(HeldRequest()).data.first) == ["30.00", "2024-03-03", "7.00"])
            // The rest goes back as well: the debtor is called again.
            try month.database.link().script("UPDATE payment SET amount = 5000 WHERE payment_id = 'P3'")
            #expect(told(try await agent.held(HeldRequest()).data.first) == [nil, nil, "7.00"])
            #expect(try await next() == before)
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func `RESUME since an instant tells what came of leases that both sides agree on, page by page, and nothing else`()
        async throws
    {
        try await DealtMonth.with { month in
            let agent = try await month.connect(1)
            let accounts = try await agent.lease(DealtMonth.lease(1, max: 4)).leasedAccounts
            var digest = HeldDigest.empty
            for account in accounts { digest.add(DealtMonth.delegation, account.account, account.epoch) }
            func since(_ text: String?) async throws -> ClientReply {
                try await agent.resume(
                    ResumeRequest(
                        count: digest.count, digest: digest.bytes,
                        since: try text.map { try #require(Timestamp(text: $0)) }))
            }
            try month.setClock("2024-03-06T15:00:00Z")
            #expect(try await since("2024-03-04T15:00:00Z").data.isEmpty)
            try load(month, 1, account: 1_002, paidOn: "2024-03-05", amount: 100)
            try month.setClock("2024-03-07T15:00:00Z")
            try month.notice([accounts[2], accounts[3]])
            _ = try Recalls.decide(
                try month.database.link(), DealtMonth.key(accounts[3]), .withdrawn, reason: "x", by: "test")

            #expect(try await since(nil).data.isEmpty)
            let all = try await since("2024-03-06T15:00:00Z")
            #expect(all.fields["match"] == "yes")
            #expect(all.data.map { $0["account"] } == ["1002", "1003", "1004"])
            #expect(all.data.map { $0["paid"] } == ["1.00", nil, nil])
            #expect(all.data.map { $0["recall"] } == [nil, "2024-03-20T06:00:00.000Z", nil])
            // An hour more than was asked for, for files that took their time.
            #expect(try await since("2024-03-06T16:00:00Z").data.map { $0["account"] } == ["1002", "1003", "1004"])
            #expect(try await since("2024-03-06T16:00:01Z").data.map { $0["account"] } == ["1003", "1004"])
            #expect(try await since("2024-03-07T16:00:01Z").data.isEmpty)
            // Nothing else came since: what happened to a debtor is news by itself.
            try month.setClock("2024-03-09T15:00:00Z")
            try start(month, 1, on: "2024-03-08")
            let started = try await since("2024-03-09T15:00:00Z").data
            #expect(started.map { $0["account"] } == ["1001"] && started.first?["changed-on"] == "2024-03-08")
            #expect(try await since("2024-03-09T16:00:01Z").data.isEmpty)
            let wrong = try await agent.resume(ResumeRequest(count: 0, digest: HeldDigest.empty.bytes))
            #expect(wrong.data.count == 4)
            #expect(wrong.data[2]["recall-reason"] == "over-limit")
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func `what happened to a debtor is told by the push, HELD and RESUME, and kept by clients`() async throws {
        try await DealtMonth.with(pace: DealtMonth.quickPace) { month in
            let client = try self.client(month)
            _ = try await client.lease(delegation: 9, strategy: "administrative", max: 3)
            func news(_ account: Int64) async -> [String: String]? {
                await client.news[AgentLease(delegation: 9, account: account, epoch: 1)]
            }
            func hear(_ isWanted: (AgentClientEvent) -> Bool) async {
                for await event in client.events where isWanted(event) { return }
            }
            try load(month, 1, paidOn: "2024-03-04", amount: 5_000)
            await hear { if case .push("UPDATE", _) = $0 { true } else { false } }
            try start(month, 1, on: "2024-03-03")
            await hear { if case .push("UPDATE", _) = $0 { true } else { false } }
            // It says nothing of payments, and takes nothing away of them.
            let both = ["paid": "50.00", "paid-on": "2024-03-04", "changed": "job-loss", "changed-on": "2024-03-03"]
            #expect(await news(1_001) == both)

            await client.cut()
            try start(month, 2, account: 1_002, reason: "missed-payment", on: "2024-03-04")
            #expect(try await client.send("PING").isOK)
            // By the comparison, or by the push where that is sent when the client is back already.
            await hear {
                switch $0 {
                case .news, .push("UPDATE", _): true
                default: false
                }
            }
            #expect(await news(1_001) == both)
            #expect(await news(1_002) == ["changed": "missed-payment", "changed-on": "2024-03-04"])
            await client.close()

            let agent = try await month.connect(1)
            let wrong = try await agent.resume(ResumeRequest(count: 0, digest: HeldDigest.empty.bytes))
            #expect(wrong.data.map { $0["changed"] } == ["job-loss", "missed-payment", nil])
            var digest = HeldDigest.empty
            for account in wrong.heldAccounts { digest.add(account.delegation, account.account, account.epoch) }
            let since = try await agent.resume(
                ResumeRequest(
                    count: digest.count, digest: digest.bytes,
                    since: Timestamp(text: "2024-03-04T15:00:00Z")))
            #expect(since.data.map { $0["changed-on"] } == ["2024-03-03", "2024-03-04"])
            let held = try await agent.held(HeldRequest()).data.map { $0["changed"] }
            #expect(held == ["job-loss", "missed-payment", nil])
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func `a client knows what was pushed to it, and after a lost connection what it missed`() async throws {
        try await DealtMonth.with(pace: DealtMonth.quickPace) { month in
            let client = try self.client(month)
            _ = try await client.lease(delegation: 9, strategy: "administrative", max: 3)
            func hear(_ isWanted: (AgentClientEvent) -> Bool) async {
                for await event in client.events where isWanted(event) { return }
            }
            func news(_ account: Int64) async -> [String: String]? {
                await client.news[AgentLease(delegation: 9, account: account, epoch: 1)]
            }
            try load(month, 1, paidOn: "2024-03-03", amount: 5_000)
            await hear { if case .push("UPDATE", _) = $0 { true } else { false } }
            #expect(await news(1_001) == ["paid": "50.00", "paid-on": "2024-03-03"])

            await client.cut()
            let noticed = try Recalls.notice(
                try month.database.link(),
                [
                    LeaseKey(
                        delegation: DealtMonth.delegation, account: try #require(AccountID(1_002)),
                        epoch: try #require(Epoch(1)))
                ],
                reason: "over-limit", finalAt: try #require(Timestamp(text: "2024-03-20T06:00:00Z")), by: "test")
            #expect(noticed.count == 1)
            try load(month, 2, paidOn: "2024-03-04", amount: 1_000, reverses: 1)
            #expect(try await client.send("PING").isOK)
            // By the comparison, or by the pushes where they are sent when the client is back already.
            while await news(1_001)?["paid"] != "40.00" { try await Task.sleep(for: .milliseconds(10)) }
            while await news(1_002) == nil { try await Task.sleep(for: .milliseconds(10)) }
            #expect(await news(1_001) == ["paid": "40.00", "paid-on": "2024-03-03"])
            #expect(await news(1_002) == ["recall": "2024-03-20T06:00:00.000Z", "recall-reason": "over-limit"])
            #expect(await news(1_003) == nil)
            _ = try await client.giveBack(AgentLease(delegation: 9, account: 1_001, epoch: 1), reason: "paid")
            #expect(await news(1_001) == nil)
            await client.close()
        }
    }
}
