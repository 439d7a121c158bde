// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import FoundationEssentials
import PgStore
import TestSupport
import Testing

/// The table of verbs and states of a lease in docs/protocol.md, cell by cell against a node.
struct LeaseStateTests {
    private static let document = ProtocolDocument()
    private static let verbs = ["CONTACT", "REPORT", "EXTEND", "RETURN", "OBJECT"]
    private static let cipher = ContactCipher(bytes: [UInt8](repeating: 7, count: 32))

    /// How the state comes about, in the order of the table's columns.
    enum State: Int, CaseIterable, Sendable {
        case held, noticed, over, dealtAnew, recalled, givenBack, neverYours
    }

    @Test func `the table has a row for each verb about a lease, and each of its cells is filled`() {
        let rows = Self.document.table(under: "| verb | held")

        #expect(rows.map { $0[0] } == Self.verbs)
        #expect(rows.allSatisfy { $0.count == State.allCases.count + 1 && !$0.contains("") })
    }

    @Test(.timeLimit(.minutes(1)), arguments: State.allCases)
    func `each verb says of a lease what the table says`(_ state: State) async throws {
        try await DealtMonth.with(pace: DealtMonth.quickPace, cipher: Self.cipher) { month in
            let holder = try await month.connect(1)
            let lease = try await holder.lease(DealtMonth.lease(1, max: 1))
            let account = try #require(lease.leasedAccounts.first)
            let grant = try #require(lease.leaseSummary?.grant)
            try loadContact(account, month)
            try await bring(account, to: state, month, holder)
            let agent = state == .neverYours ? try await month.connect(2) : holder

            var said: [String] = []
            for reply in try await ask(agent, account, grant) { said.append(reply.isOK ? "OK" : reply.codeText) }
            let rows = Self.document.table(under: "| verb | held")
            #expect(said == rows.map { $0[state.rawValue + 1] })
        }
    }

    /// In the order of the table, `OBJECT` before what gives the account back.
    private func ask(_ agent: AgentConnection, _ account: LeasedAccount, _ grant: GrantID) async throws -> [ClientReply]
    {
        let contact = try await agent.contact(
            ContactRequest(delegation: DealtMonth.delegation, account: account.account, epoch: account.epoch))
        let report = try await agent.report(DealtMonth.report(50, account))
        let extend = try await agent.extend(
            ExtendRequest(
                key: 51, delegation: DealtMonth.delegation, grant: grant,
                until: try #require(Timestamp(text: "2024-04-20T06:00:00Z"))))
        let object = try await agent.object(DealtMonth.object(52, account))
        let back = try await agent.giveBack(DealtMonth.giveBack(53, account))
        return [contact, report, extend, back, object]
    }

    private func bring(
        _ account: LeasedAccount, to state: State, _ month: DealtMonth, _ holder: AgentConnection
    ) async throws {
        switch state {
        case .held, .neverYours: break
        case .noticed: try month.notice([account])
        case .over: try month.setClock("2024-04-05T07:00:00Z")
        case .recalled:
            try month.notice([account])
            try month.setClock("2024-03-20T06:00:01Z")
            try await until { try month.number("SELECT count(*) FROM ending WHERE kind = 'recall'") > 0 }
        case .givenBack:
            #expect(try await holder.giveBack(DealtMonth.giveBack(40, account)).isOK)
        case .dealtAnew:
            #expect(try await holder.giveBack(DealtMonth.giveBack(40, account)).isOK)
            try await month.dealAnew(account, to: 2)
        }
    }

    private func loadContact(_ account: LeasedAccount, _ month: DealtMonth) throws {
        let path = FileManager.default.temporaryDirectory.path() + "/contacts-\(UInt64.random(in: 0...UInt64.max)).csv"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let csv =
            "account,delegation,name,phone_1,phone_2,phone_3,email,address\n\(account.account),9,Ana Torres,,,,,\n"
        try Data(csv.utf8).write(to: URL(filePath: path))
        _ = try ContactImport(file: path, cipher: Self.cipher).run(on: try month.database.link())
    }

    @Test(.timeLimit(.minutes(1)), arguments: [true, false])
    func `EXTEND tells how its grant ended, whatever came behind it`(isReturned: Bool) async throws {
        try await DealtMonth.with(pace: DealtMonth.quickPace) { month in
            let agent = try await month.connect(1)
            let lease = try await agent.lease(DealtMonth.lease(1, max: 1))
            let account = try #require(lease.leasedAccounts.first)
            let grant = try #require(lease.leaseSummary?.grant)
            if isReturned { #expect(try await agent.giveBack(DealtMonth.giveBack(2, account)).isOK) }
            try month.setClock("2024-04-05T07:00:00Z")
            try await until { try month.number("SELECT count(*) FROM lease_grant WHERE state = 'closed'") == 1 }
            try await month.dealAnew(account, to: 2)
            let extend = ExtendRequest(
                key: 3, delegation: DealtMonth.delegation, grant: grant,
                until: try #require(Timestamp(text: "2024-04-20T06:00:00Z")))
            #expect(try await agent.extend(extend).code == (isReturned ? .closed : .expired))
        }
    }

    @Test(.timeLimit(.minutes(1)), arguments: [1, 2])
    func `the epoch under which an account is held now is told to its holder alone`(next: Int32) async throws {
        try await DealtMonth.with(pace: DealtMonth.quickPace, cipher: Self.cipher) { month in
            let agent = try await month.connect(1)
            let lease = try await agent.lease(DealtMonth.lease(1, max: 1))
            let account = try #require(lease.leasedAccounts.first)
            #expect(try await agent.giveBack(DealtMonth.giveBack(2, account)).isOK)
            try await month.dealAnew(account, to: next)
            func replies(_ key: Int64) async throws -> [ClientReply] {
                [
                    try await agent.report(DealtMonth.report(key, account)),
                    try await agent.giveBack(DealtMonth.giveBack(key, account)),
                    try await agent.contact(
                        ContactRequest(
                            delegation: DealtMonth.delegation, account: account.account, epoch: account.epoch)),
                ]
            }
            let held = try await replies(5)
            #expect(held.allSatisfy { $0.code == .reassigned })
            #expect(held.map { $0.fields["epoch"] } == Array(repeating: next == 1 ? "2" : nil, count: 3))
            // Given back once more, there is no present one.
            let again = ReturnRequest(
                key: 6, delegation: DealtMonth.delegation, account: account.account, epoch: try #require(Epoch(2)),
                reason: .other)
            #expect(try await month.connect(Int(next), instance: "two").giveBack(again).isOK)
            #expect(try await replies(7).allSatisfy { $0.code == .reassigned && $0.fields["epoch"] == nil })
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `an account that was dealt anew and passed over, because a stop came first, has no next holder`()
        async throws
    {
        try await DealtMonth.with(pace: DealtMonth.quickPace) { month in
            let agent = try await month.connect(1)
            let accounts = try await agent.lease(DealtMonth.lease(1, max: 2)).leasedAccounts
            try month.setClock("2024-04-04T07:00:00Z")
            try await until { try month.number("SELECT count(*) FROM lease_grant WHERE state = 'closed'") == 1 }
            try await month.dealAnew(accounts[1], excluding: accounts[0], to: 2)
            let report = try await agent.report(DealtMonth.report(2, accounts[0]))
            #expect(report.code == .expired && report.fields["counts"] == "yes", "\(report.text)")
            #expect(try await agent.giveBack(DealtMonth.giveBack(3, accounts[0])).code == .expired)
            #expect(try await agent.report(DealtMonth.report(4, accounts[1])).code == .reassigned)
        }
    }
}

extension DealtMonth {
    /// Deals an account again, under epoch 2, in a hand of its own, and leases it there.
    ///
    /// - Parameter excluded: dealt in front of it, and taken out of collection before it is drawn.
    fileprivate func dealAnew(
        _ account: LeasedAccount, excluding excluded: LeasedAccount? = nil, to agency: Int32
    ) async throws {
        let accounts = [excluded, account].compactMap { $0?.account }
        let link = try database.link()
        try link.script(
            """
            UPDATE hand SET state = 'closed';
            INSERT INTO hand (delegation_id, hand_id, contract_ids, strategy, portfolio, period, plan_id, is_front, state,
                   size, term_days, ceiling_days, grace_us, late_report_us, digest)
            SELECT 9, 3, '{\(agency)}', 2, 1, 202403, 1, true, 'open', \(accounts.count), 30, 60, 86400000000, 172800000000, '';
            """)
        for (position, account) in zip(1..., accounts) {
            try link.script(
                """
                INSERT INTO position SELECT 9, 3, \(position), \(account), 2, 10000, 0, 0, 1, 'containment', 2, 431022, 912087,
                       9010, 'ref';
                INSERT INTO deal VALUES (9, \(account), 2, 3, \(position))
                """)
        }
        if let excluded {
            try link.script(
                """
                INSERT INTO ending (delegation_id, account_id, epoch, kind, reason, ended_at, hand_id, position, was_held)
                VALUES (9, \(excluded.account), 2, 'exclusion', 'lawsuit', now_instant(), 3, 1, false)
                """)
        }
        let next = try await connect(Int(agency), instance: "next")
        // The node reads the open hands every 50 ms.
        var key: Int64 = 0
        try await until {
            key += 1
            return try await next.lease(Self.lease(key, max: 1)).leasedAccounts.first?.epoch.value == 2
        }
    }
}
