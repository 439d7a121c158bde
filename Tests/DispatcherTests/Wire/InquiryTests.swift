// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import PgStore
import TestSupport
import Testing

/// The verbs that ask, and the agency's own pause, against a real node.
struct InquiryTests {
    @Test func `HELD pages through what is held, and through nothing else`() async throws {
        try await DealtMonth.with { month in
            let agent = try await month.connect(1)
            let accounts = try await agent.lease(DealtMonth.lease(1, max: 7)).leasedAccounts
            _ = try await agent.giveBack(DealtMonth.giveBack(2, accounts[3]))
            var listed: [String] = []
            var request = HeldRequest(max: 2)
            while true {
                let page = try await agent.held(request)
                listed += page.data.compactMap { $0["account"] }
                guard let next = page.fields["next"] else { break }
                let parts = next.split(separator: ".").compactMap { Int32($0) }
                request.after = HeldPlace(delegation: DealtMonth.delegation, hand: parts[1], position: parts[2])
            }
            let expected = accounts.enumerated().filter { $0.offset != 3 }.map { "\($0.element.account)" }
            let first = try await agent.held(HeldRequest(delegation: DealtMonth.delegation)).data[0]

            #expect(listed == expected)
            #expect(first["term"] == "2024-04-03T06:00:00.000Z")
            #expect(first["next"] == "call/2024-03-04")
            #expect(first["strategy"] == "administrative")
            #expect(try await month.connect(2).held(HeldRequest()).data.isEmpty)
        }
    }

    /// The links of a node that nobody asked anything are lost without its noticing.
    @Test(.timeLimit(.minutes(1)))
    func `the first sign-in and the first question after the database ended all links are answered`() async throws {
        try await DealtMonth.with { month in
            let agent = try await month.connect(1)
            #expect(try await agent.status(StatusRequest()).isOK)
            func endLinks() throws {
                try month.database.link().script(
                    """
                    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
                     WHERE datname = current_database() AND application_name IN ('reparto-admission', 'reparto-inquiry')
                    """)
            }
            try endLinks()
            _ = try await month.connect(2)
            #expect(try await agent.held(HeldRequest()).isOK)
            try endLinks()
            _ = try await month.connect(2, sequence: 2)
            #expect(try await agent.status(StatusRequest()).isOK)
            try endLinks()
            #expect(
                try await agent.quiet(
                    QuietRequest(delegation: DealtMonth.delegation, strategy: .administrative, state: .on)
                ).isOK)
        }
    }

    @Test func `STATUS tells what is free, held and left, and what would stop a pull`() async throws {
        try await DealtMonth.with(.init(limitAccounts: 5)) { month in
            let agent = try await month.connect(1)
            let before = try await agent.status(StatusRequest()).data
            _ = try await agent.lease(DealtMonth.lease(1, max: 5))
            let after = try await agent.status(StatusRequest(delegation: DealtMonth.delegation)).data

            #expect(before.map { $0["stop"] } == ["limit"])
            #expect(before.map { $0["free"] } == ["20"])
            #expect(after.map { $0["free"] } == ["15"])
            #expect(after.map { $0["held"] } == ["5"])
            #expect(after.map { $0["quota-left"] } == ["0"])
            #expect(after.map { $0["stop"] } == ["quota"])
            #expect(try await agent.status(StatusRequest(strategy: .dual)).data.isEmpty)
        }
    }

    @Test func `EXPLAIN tells an account's history to its holder alone`() async throws {
        try await DealtMonth.with { month in
            let agent = try await month.connect(1)
            let account = try #require(try await agent.lease(DealtMonth.lease(1)).leasedAccounts.first)
            let outcome = try await agent.report(DealtMonth.report(9, account)).fields["outcome"]
            try month.database.link().script(
                "INSERT INTO review VALUES (202403, 9, \(outcome ?? "0"), 'rejected', 'not-called', 'eva', now_instant())"
            )
            _ = try await agent.giveBack(DealtMonth.giveBack(2, account))
            let request = ExplainRequest(delegation: DealtMonth.delegation, subject: .account(account.account))
            let why = try await agent.explain(request)
            let few = try await agent.explain(
                ExplainRequest(delegation: DealtMonth.delegation, subject: .strategy(.administrative)))

            #expect(why.data.map { $0["event"] } == ["placed", "dealt", "leased", "reported", "ended"])
            #expect(why.data[3]["outcome"] == outcome && why.data[3]["result"] == "no-answer")
            #expect(why.data[3]["review"] == "rejected" && why.data[3]["review-reason"] == "not-called")
            #expect(why.data.last?["kind"] == "return")
            #expect(try await month.connect(2).explain(request).code == .unknown)
            #expect(few.data.map { $0["pool"] } == ["40"])
            #expect(few.data.map { $0["sharers"] } == ["2"])
            #expect(few.data.map { $0["drawn"] } == ["5"])
            #expect(
                try await agent.explain(
                    ExplainRequest(delegation: DealtMonth.delegation, subject: .strategy(.mediation))
                ).code == .scope)
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func `QUIET pauses a strategy for all installations until it is lifted, and the institution's pause stays`()
        async throws
    {
        try await DealtMonth.with(pace: DealtMonth.quickPace) { month in
            let agent = try await month.connect(1)
            let other = try await month.connect(1, instance: "two")
            func quiet(_ state: QuietState) async throws -> ClientReply {
                try await agent.quiet(
                    QuietRequest(delegation: DealtMonth.delegation, strategy: .administrative, state: state))
            }
            #expect(try await quiet(.on).fields["paused"] == "yes")
            #expect(try await agent.lease(DealtMonth.lease(1)).leaseSummary?.stop == .paused)
            #expect(await other.next(.paused)?["by"] == "agency")
            #expect(try await quiet(.on).fields["paused"] == "yes")
            let link = try month.database.link()
            let order = try PauseOrder(
                strategy: "administrative", delegation: 9, agency: nil, reason: "audit", until: nil)
            _ = try order.set(link)
            // Who signs in at that moment may be told of the first one twice: as it is said, and as what stands.
            var by: String?
            repeat { by = await other.next(.paused)?["by"] } while by == "agency"
            #expect(by == "institution")
            #expect(try await quiet(.off).fields["paused"] == "yes")
            #expect(await other.next(.resumed)?["by"] == "agency")
            _ = try order.lift(link)
            #expect(await other.next(.resumed)?["by"] == "institution")
            try await until { try await agent.lease(DealtMonth.lease(1)).leaseSummary?.stop != .paused }
            #expect(try month.number("SELECT count(*) FROM pause") == 0)
        }
    }

    @Test func `RESUME by list tells exactly what is lost and why, and what is held besides`() async throws {
        try await DealtMonth.with { month in
            let agent = try await month.connect(1)
            let accounts = try await agent.lease(DealtMonth.lease(1)).leasedAccounts
            _ = try await agent.giveBack(DealtMonth.giveBack(2, accounts[0]))
            func entry(_ account: AccountID, _ epoch: Epoch) -> HeldList.Entry {
                HeldList.Entry(delegation: DealtMonth.delegation, account: account, epoch: epoch)
            }
            let list =
                accounts[0...3].map { entry($0.account, $0.epoch) }
                + [entry(try #require(AccountID(9_999)), accounts[0].epoch)]
            let all = try await agent.resume(ResumeRequest(leases: list))
            #expect(all.data.map { $0["status"] } == ["lost", "lost", "held"])
            #expect(all.data.map { $0["reason"] } == ["CLOSED", "UNKNOWN", nil])
            #expect(all.data.last?["account"] == "\(accounts[4].account)")
            #expect(all.fields["keep"] == "3")
            // In parts: the first speaks for the first two accounts, the second for all behind them.
            let place = HeldCursor(delegation: DealtMonth.delegation, account: accounts[1].account)
            let first = try await agent.resume(ResumeRequest(leases: Array(list[0...1]), through: place))
            let second = try await agent.resume(ResumeRequest(leases: Array(list[2...3]), after: place))
            #expect(first.fields["keep"] == "1")
            #expect(first.fields["besides"] == "0")
            #expect(second.fields["keep"] == "2")
            #expect(second.fields["besides"] == "1")
        }
    }

    @Test(.timeLimit(.minutes(2))) func `a term that is near is told once, and again after an extension`() async throws
    {
        try await DealtMonth.with(pace: DealtMonth.quickPace) { month in
            let agent = try await month.connect(1)
            let grant = try #require(try await agent.lease(DealtMonth.lease(1)).leaseSummary?.grant)
            try month.setClock("2024-04-01T06:00:00Z")
            #expect(await agent.next(.expiring)?["term"] == "2024-04-03T06:00:00.000Z")
            _ = try await agent.extend(
                ExtendRequest(
                    key: 2, delegation: DealtMonth.delegation, grant: grant,
                    until: try #require(Timestamp(text: "2024-04-04T06:00:00Z"))))
            #expect(await agent.next(.expiring)?["term"] == "2024-04-04T06:00:00.000Z")
            #expect(try month.number("SELECT count(*) FROM push WHERE kind = 'EXPIRING'") == 2)
        }
    }
}
