// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import FoundationEssentials
import PgStore
import TestSupport
import Testing

/// Recalls in two steps, as the agency and the operator meet them.
struct RecallTests {
    @Test(.timeLimit(.minutes(2)))
    func `a noticed account can be reported on and returned, its grant not extended, and it is final at the date`()
        async throws
    {
        try await DealtMonth.with(pace: DealtMonth.quickPace) { month in
            let agent = try await month.connect(1)
            let lease = try await agent.lease(DealtMonth.lease(1))
            let accounts = lease.leasedAccounts
            try month.notice(Array(accounts[0...1]))
            let push = await agent.next(.recall)
            #expect(push?["account"] == "\(accounts[0].account)")
            #expect(push?["final"] == "no")
            let extend = ExtendRequest(
                key: 2, delegation: DealtMonth.delegation, grant: try #require(lease.leaseSummary?.grant),
                until: try #require(Timestamp(text: "2024-04-20T06:00:00Z")))

            #expect(try await agent.report(DealtMonth.report(2, accounts[0])).isOK)
            let refused = try await agent.extend(extend)
            #expect(refused.code == .noticed)
            #expect(refused.fields["account"] == "\(accounts[0].account)")
            #expect(try await agent.giveBack(DealtMonth.giveBack(3, accounts[1])).isOK)
            try month.setClock("2024-03-20T06:00:00Z")
            #expect(await agent.next(.recall)?["account"] == "\(accounts[1].account)")
            let final = await agent.next(.recall)
            #expect(final?["final"] == "yes")
            #expect(final?["account"] == "\(accounts[0].account)")
            let late = try await agent.report(DealtMonth.report(4, accounts[0], at: "2024-03-19T15:00:00Z"))
            #expect(late.code == .recalled)
            #expect(late.fields["counts"] == "yes")
            // What is over binds nobody any more, and the refusal did not bind the key.
            #expect(try await agent.extend(extend).isOK)
            #expect(try month.number("SELECT count(*) FROM ending WHERE kind = 'recall'") == 1)
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func `an objection holds the date up until a person decides`() async throws {
        try await DealtMonth.with(pace: DealtMonth.quickPace) { month in
            let agent = try await month.connect(1)
            let accounts = try await agent.lease(DealtMonth.lease(1)).leasedAccounts
            #expect(try await agent.object(DealtMonth.object(1, accounts[0])).code == .noNotice)
            try month.notice(Array(accounts[0...2]), on: "2024-03-05T06:00:00Z")
            let early = #expect(throws: CommandFailure.self) {
                try Recalls.decide(
                    try month.database.link(), DealtMonth.key(accounts[0]), .upheld, reason: "no", by: "ana")
            }
            #expect(early?.found.hasPrefix("nobody objected") == true)
            #expect(try await agent.held(HeldRequest()).data.allSatisfy { $0["objection"] == nil })
            let first = try await agent.object(DealtMonth.object(2, accounts[0]))
            #expect(first.fields["until"] == "2024-03-14T15:00:00.000Z")
            #expect(try await agent.object(DealtMonth.object(2, accounts[0])).text == first.text)
            #expect(try await agent.object(DealtMonth.object(2, accounts[1])).code == .keyReused)
            // Under another key it is told what the first one was, which stands.
            let second = try await agent.object(DealtMonth.object(4, accounts[0]))
            #expect(second.fields["receipt"] != nil && second.text == first.text)
            let inOneGo = try await agent.send([
                .object(DealtMonth.object(5, accounts[2])), .object(DealtMonth.object(6, accounts[2])),
            ])
            #expect(inOneGo[0].fields["receipt"] != nil && inOneGo[0].text == inOneGo[1].text)
            _ = try Recalls.decide(
                try month.database.link(), DealtMonth.key(accounts[2]), .upheld, reason: "no", by: "ana")
            #expect(try await agent.object(DealtMonth.object(3, accounts[1])).isOK)
            let link = try month.database.link()
            let kept = try Recalls.decide(
                link, DealtMonth.key(accounts[1]), .withdrawn, reason: "promise", by: "test")
            #expect(kept != nil)
            try month.notice([accounts[3]])
            _ = try Recalls.decide(link, DealtMonth.key(accounts[3]), .withdrawn, reason: "error", by: "test")
            for (account, objection, decision) in [
                (accounts[1], "accepted", nil), (accounts[2], "refused", nil), (accounts[3], nil, "withdrawn"),
            ] as [(LeasedAccount, String?, String?)] {
                let noticed = try await agent.explain(
                    ExplainRequest(delegation: DealtMonth.delegation, subject: .account(account.account))
                ).data.first { $0["event"] == "recall-noticed" }
                #expect(noticed?["objection"] == objection && noticed?["decision"] == decision)
            }

            try month.setClock("2024-03-05T06:00:00Z")
            // Only the one without an objection goes at its date.
            try await until { try month.number("SELECT count(*) FROM ending WHERE kind = 'recall'") > 0 }
            #expect(
                try month.number("SELECT account_id FROM ending WHERE kind = 'recall'") == accounts[2].account.value)
            #expect(
                try Recalls.decide(link, DealtMonth.key(accounts[1]), .upheld, reason: "x", by: "test") == nil)
            #expect(
                try Recalls.decide(link, DealtMonth.key(accounts[0]), .upheld, reason: "no", by: "test") != nil)
            try await until { try month.number("SELECT count(*) FROM ending WHERE kind = 'recall'") > 1 }
            #expect(try await agent.report(DealtMonth.report(9, accounts[0])).code == .recalled)
            #expect(try await agent.report(DealtMonth.report(10, accounts[1])).isOK)
        }
    }

    /// Both are held up at the grant until both have begun.
    @Test(.timeLimit(.minutes(1)))
    func `of two who decide at the same time one is told that the other came first`() async throws {
        try await DealtMonth.with { month in
            let agent = try await month.connect(1)
            let account = try await agent.lease(DealtMonth.lease(1)).leasedAccounts[0]
            try month.notice([account])
            #expect(try await agent.object(DealtMonth.object(2, account)).isOK)
            let blocker = try month.database.link("blocker")
            try blocker.script("BEGIN; SELECT FROM lease_grant FOR UPDATE")
            let told = try await withThrowingTaskGroup(of: String.self) { group in
                for (by, upholds) in [("ana", true), ("luis", false)] {
                    group.addTask {
                        try await onThread {
                            do {
                                return try RecallCommands.Decision(
                                    delegation: 9, account: account.account.value, epoch: 1, upholds: upholds,
                                    reason: "r", by: by
                                ).run(on: try month.database.link("person"))
                            } catch let failure as CommandFailure {
                                return failure.found
                            }
                        }
                    }
                }
                try await until { try month.database.waiting("person") == 2 }
                try blocker.script("ROLLBACK")
                return try await group.reduce(into: [String]()) { $0.append($1) }
            }

            let second = told.filter { $0.hasSuffix(", which ana had upheld") || $0.hasSuffix("waits for that") }
            #expect(second.count == 1, "\(told)")
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func `a payment is told to the holder alone, on whichever node`() async throws {
        try await DealtMonth.with(pace: DealtMonth.quickPace) { month in
            let other = try await DealtMonth.startNode(month.database, DealtMonth.quickPace)
            let agent = try await month.connect(1)
            let elsewhere = try await month.connect(1, instance: "two", to: other)
            let stranger = try await month.connect(2)
            let account = try #require(try await agent.lease(DealtMonth.lease(1)).leasedAccounts.first)
            try month.database.link().script(
                """
                BEGIN;
                INSERT INTO import (kind, period, file_name, digest, rows_good, rows_bad, imported_at)
                VALUES ('payments', 202403, 'p', '1', 1, 0, now_instant());
                INSERT INTO payment (period, payment_id, delegation_id, account_id, paid_on, amount, origin, import_id)
                SELECT 202403, 'P1', 9, \(account.account), '2024-03-04', 12345, 'borrower', min(import_id) FROM import;
                COMMIT;
                """)
            let update = await elsewhere.next(.update)
            #expect(update?["amount"] == "123.45")
            #expect(update?["epoch"] == "\(account.epoch)")
            let held = try await agent.held(HeldRequest())
            #expect(held.data.first?["paid"] == "123.45")
            #expect(held.data.first?["paid-on"] == "2024-03-04")
            try await stranger.bye()
            var told = 0
            for await _ in stranger.pushes { told += 1 }
            #expect(told == 0)
            await other.stop()
        }
    }

    /// What its file does is done by the import; nodes tell of it.
    @Test(.timeLimit(.minutes(2)))
    func `a stop ends a lease at once, and its holder is told on whichever node, and nobody else`() async throws {
        try await DealtMonth.with(pace: DealtMonth.quickPace) { month in
            let other = try await DealtMonth.startNode(month.database, DealtMonth.quickPace)
            let agent = try await month.connect(1)
            let elsewhere = try await month.connect(1, instance: "two", to: other)
            let stranger = try await month.connect(2, to: other)
            let account = try #require(try await agent.lease(DealtMonth.lease(1)).leasedAccounts.first)
            let folder = FileManager.default.temporaryDirectory.path() + "/stop-\(UInt64.random(in: 0...UInt64.max))"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let site = ImportSite(link: try month.database.link(), folder: folder)
            try site.addCutOfOne()
            let report = try site.load(
                .stops, "account,delegation,reason,from_on,until_on\n\(account.account),9,lawsuit,2024-03-04,\n")
            #expect(report.lines.contains("  of them held and recalled: 1"))
            for connection in [agent, elsewhere] {
                let push = await connection.next(.recall)
                #expect(push?["account"] == "\(account.account)" && push?["epoch"] == "\(account.epoch)")
                #expect(push?["final"] == "yes" && push?["reason"] == "lawsuit")
            }
            let late = try await agent.report(DealtMonth.report(2, account))
            #expect(late.code == .recalled)
            try await stranger.bye()
            var told = 0
            for await _ in stranger.pushes { told += 1 }
            #expect(told == 0)
            await other.stop()
        }
    }

    @Test func `the command previews, gives notice, lists and decides`() async throws {
        try await DealtMonth.with { month in
            let agent = try await month.connect(1)
            let accounts = try await agent.lease(DealtMonth.lease(1)).leasedAccounts
            let link = try month.database.link()
            func order(_ reason: String, _ on: String, agency: String? = "ACE01") throws -> RecallOrder {
                try RecallOrder(
                    delegation: nil, accounts: [], agency: agency, contract: nil, strategy: "administrative", limit: 2,
                    reason: reason, on: on, by: "ana")
            }
            #expect(throws: CommandFailure.self) { try order("lawsuit", "2024-03-20") }
            #expect(throws: CommandFailure.self) { try order("over-limit", "2024-03-20", agency: nil) }
            #expect(throws: CommandFailure.self) {
                try order("over-limit", "2024-03-01").run(on: link, applies: true, asJSON: false)
            }
            let recall = try order("over-limit", "2024-03-20")
            #expect(try recall.run(on: link, applies: false, asJSON: false).hasSuffix("these 2 accounts"))
            #expect(try month.number("SELECT count(*) FROM notice") == 0)
            _ = try recall.run(on: link, applies: true, asJSON: true)
            // Those leased last go first.
            #expect(try month.number("SELECT min(account_id) FROM notice") == accounts[3].account.value)
            #expect(try RecallCommands.list(objected: true, asJSON: false, link) == "no objection waits")
            #expect(try RecallCommands.list(objected: false, asJSON: false, link).split(separator: "\n").count == 3)
            let decision = try RecallCommands.Decision(
                delegation: 9, account: accounts[3].account.value, epoch: 1, upholds: false, reason: "kept", by: "ana")
            #expect(try decision.run(on: link) == "ACE01 account \(accounts[3].account): recall withdrawn")
            #expect(throws: CommandFailure.self) { try decision.run(on: link) }
        }
    }

    /// Of ten accounts of three classes the limit falls to six, or what they owe to 650.00 of 1,000.00.
    @Test(.timeLimit(.minutes(1)), arguments: ["limit_accounts = 6", "limit_exposure = 65000"])
    func `what is held above a lowered limit is recalled by order, the lowest classes first`(lowered: String)
        async throws
    {
        try await DealtMonth.with { month in
            let link = try month.database.link()
            // 1001 and 1005 are of the lowest class; 1002 of the one above it.
            try link.script(
                """
                UPDATE position SET priority = CASE WHEN account_id IN (1001, 1005) THEN 3 WHEN account_id = 1002 THEN 2 ELSE 1 END
                """)
            let agent = try await month.connect(1)
            _ = try await agent.lease(DealtMonth.lease(1, max: 5))
            try month.setClock("2024-03-04T16:00:00Z")
            let later = try await agent.lease(DealtMonth.lease(2, max: 5)).leasedAccounts
            _ = try await month.connect(2).lease(DealtMonth.lease(1, max: 5))
            func order() throws -> RecallOrder {
                try RecallOrder(
                    aboveLimitsIn: nil, agency: nil, contract: nil, strategy: nil, on: "2024-03-20", by: "ana")
            }
            func run(_ applies: Bool) throws -> String {
                try order().run(on: link, applies: applies, asJSON: false)
            }
            #expect(try run(false) == "nothing is held above a limit that has no recall under way")
            // One of those that would go is under way already, and is one of the four.
            try month.notice([later[4]])
            try link.script("UPDATE quota SET \(lowered) WHERE contract_id = 1")
            #expect(try run(false).hasSuffix("gives notice of these 3 accounts"))
            #expect(try month.number("SELECT count(*) FROM notice") == 1)
            _ = try run(true)
            #expect(
                try link.run("SELECT account_id FROM notice ORDER BY account_id").map { $0.int64(0) }
                    == [1_001, 1_002, 1_005, 1_010])
            #expect(try month.number("SELECT count(*) FROM notice WHERE reason = 'over-limit'") == 4)
            #expect(try run(true) == "nothing is held above a limit that has no recall under way")
        }
    }
}
