// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import PgStore
import TestSupport
import Testing

/// Which rows a group locks, in which order, and that it decides by what was committed while it waited for them.
struct GroupLockTests {
    /// Three hands and quotas, with a lease of two accounts of each.
    private func with(_ body: (DealtMonth, [LeasedAccount]) async throws -> Void) async throws {
        var pace = Upkeep.Pace()
        // Folding locks quotas, too.
        pace.round = .seconds(3_600)
        pace.sweep = .seconds(3_600)
        try await DealtMonth.with(.init(agencies: 3), pace: pace) { month in
            var accounts: [LeasedAccount] = []
            for agency in 1...3 {
                accounts += try await month.connect(agency).lease(DealtMonth.lease(1, max: 2)).leasedAccounts
            }
            try await body(month, accounts)
        }
    }

    private static func question(_ accounts: [LeasedAccount]) -> GroupQuestion {
        var question = GroupQuestion()
        for number in [3, 1, 2] as [Int32] {
            question.hands[HandKey(delegation: DealtMonth.delegation, hand: number)] = 1
            question.quotas.insert(QuotaKey(delegation: DealtMonth.delegation, quota: number))
        }
        question.leases = Set(accounts.map(DealtMonth.key))
        question.changesGrants = true
        return question
    }

    private static let tables = [
        ("hand", "hand_id"), ("quota", "quota_id"), ("lease_grant", "hand_id"),
    ]

    /// What nobody has locked, of each table.
    private func free(_ link: PgLink) throws -> [[Int32]] {
        try Self.tables.map { table, key in
            try link.run("SELECT \(key) FROM \(table) ORDER BY \(key) FOR UPDATE SKIP LOCKED").map { $0.int32(0) }
        }
    }

    /// A group waits for one row. What comes before it is locked by the group, what comes behind it is not: in another order two groups
    /// could wait for each other.
    @Test(.timeLimit(.minutes(1)), arguments: 0..<9)
    func `hands, then quotas, then grants, each ascending, are locked one after the other`(row: Int) async throws {
        try await with { month, accounts in
            let (table, number) = (row / 3, row % 3 + 1)
            let database = month.database
            let locker = try database.link()
            let (name, key) = Self.tables[table]
            try locker.script("BEGIN; SELECT FROM \(name) WHERE \(key) = \(number) FOR UPDATE")
            let question = Self.question(accounts)
            async let group: Void = onThread {
                let link = try database.link("group")
                try link.prepareForEngine(lockWait: .seconds(60))
                _ = try link.openGroup(question)
                link.abandonGroup()
            }
            try await until {
                try month.number(
                    """
                    SELECT count(*) FROM pg_stat_activity
                     WHERE datname = current_database() AND application_name = 'group' AND wait_event_type = 'Lock'
                    """) == 1
            }
            let left = try free(database.link())
            try locker.script("ROLLBACK")
            try await group

            let rows = Self.tables.indices.map { other in
                (1...3).filter { other > table || other == table && $0 > number }.map(Int32.init)
            }
            #expect(left == rows)
            #expect(try free(database.link()) == Array(repeating: [1, 2, 3], count: 3))
        }
    }

    /// Somebody else reports on another account of the grant, in a transaction that is not over.
    @Test(.timeLimit(.minutes(1)))
    func `reports share their grant, and a return or an extension has it alone`() async throws {
        var limits = LeaseEngine.Limits()
        limits.lockPatience = .milliseconds(300)
        try await DealtMonth.with(engine: limits) { month in
            let agent = try await month.connect(1)
            let lease = try await agent.lease(DealtMonth.lease(1))
            let grant = try #require(lease.leaseSummary?.grant)
            let accounts = lease.leasedAccounts
            let other = try month.database.link()
            try other.script("BEGIN; SELECT FROM lease_grant FOR KEY SHARE")
            #expect(try await agent.report(DealtMonth.report(2, accounts[0])).isOK)
            #expect(try await agent.giveBack(DealtMonth.giveBack(3, accounts[1])).code == .busy)
            let longer = ExtendRequest(
                key: 4, delegation: DealtMonth.delegation, grant: grant,
                until: try #require(Timestamp(text: "2024-04-13T06:00:00Z")))
            #expect(try await agent.extend(longer).code == .busy)
            try other.script("ROLLBACK")
            #expect(try await agent.giveBack(DealtMonth.giveBack(3, accounts[1])).isOK)
            #expect(try await agent.extend(longer).isOK)
        }
    }

    /// The row that a group needs is locked by whoever changes what the group decides by, and commits while it waits.
    @Test(
        .timeLimit(.minutes(1)),
        arguments: [
            ("UPDATE clock SET virtual_now = '2024-05-20T06:00:00Z'", ReplyCode.expired),
            (
                """
                INSERT INTO ending SELECT delegation_id, account_id, epoch, 'recall', 'lawsuit', now_instant(), hand_id, position, true
                  FROM deal WHERE account_id = 1001
                """, .recalled
            ),
        ])
    func `a group decides by the clock and the endings that were committed while it waited`(
        change: String, code: ReplyCode
    ) async throws {
        var limits = LeaseEngine.Limits()
        limits.lockWait = .seconds(30)
        limits.lockPatience = .seconds(60)
        try await DealtMonth.with(.init(agencies: 1), engine: limits) { month in
            let agent = try await month.connect(1)
            let account = try #require(try await agent.lease(DealtMonth.lease(1)).leasedAccounts.first)
            #expect(account.account.value == 1_001)
            let other = try month.database.link()
            try other.script("BEGIN; SELECT FROM lease_grant FOR UPDATE")
            async let reply = agent.report(DealtMonth.report(2, account))
            try await until {
                try month.number(
                    """
                    SELECT count(*) FROM pg_stat_activity
                     WHERE datname = current_database() AND application_name = 'reparto-groups' AND wait_event_type = 'Lock'
                    """) == 1
            }
            try other.script("\(change); COMMIT")
            #expect(try await reply.code == code)
        }
    }

    /// An UPDATE would leave a dead row for each lease, which no vacuum can remove under an old snapshot. Only an extension updates its grant.
    @Test func `leases, reports and returns insert, and update no hand, quota, position, deal or grant`() async throws {
        var pace = Upkeep.Pace()
        pace.round = .seconds(3_600)
        pace.sweep = .seconds(3_600)
        try await DealtMonth.with(pace: pace) { month in
            func versions() throws -> [String] {
                try ["hand", "quota", "position", "deal", "lease_grant"].flatMap { table in
                    try month.database.link().run("SELECT '\(table)' || ctid::text FROM \(table) ORDER BY ctid").map {
                        $0.text(0)
                    }
                }
            }
            let agent = try await month.connect(1)
            let accounts = try await agent.lease(DealtMonth.lease(1)).leasedAccounts
            let before = Set(try versions())
            #expect(try await agent.report(DealtMonth.report(2, accounts[0])).isOK)
            #expect(try await agent.giveBack(DealtMonth.giveBack(3, accounts[1])).isOK)
            #expect(try await agent.lease(DealtMonth.lease(4, max: 3)).leasedAccounts.count == 3)

            #expect(before.subtracting(try versions()) == [])
            #expect(try month.number("SELECT count(*) FROM lease_grant") == 2)
        }
    }
}
