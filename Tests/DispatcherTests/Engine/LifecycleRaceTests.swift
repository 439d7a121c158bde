// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import PgStore
import TestSupport
import Testing

/// What ends leases by itself, while somebody else keeps their grants locked. A node sweeps when it starts, however late a busy machine
/// lets it: none is there any more when the tests sweep.
struct LifecycleRaceTests {
    private static var pace: Upkeep.Pace {
        var pace = Upkeep.Pace()
        pace.sweep = .seconds(3_600)
        return pace
    }

    /// The terms and the grace of all leases of the fourth of March are over.
    private static let over = "2024-04-05T07:00:00Z"

    private func waits(_ month: DealtMonth) throws -> Bool {
        try month.database.waiting("chore") == 1
    }

    /// What keeps the grant of an agency and does not wait for others' locks for long.
    private func chore(_ month: DealtMonth) throws -> PgLink {
        let link = try month.database.link("chore")
        try link.script("SET lock_timeout = '200ms'")
        return link
    }

    /// The stops have ended three of five leases, and are committed while the sweep waits for the grant.
    @Test(.timeLimit(.minutes(1)))
    func `what was ended while the sweep waited for the grant is released once`() async throws {
        try await DealtMonth.after(pace: Self.pace) { month in
            try await month.connect(1).lease(DealtMonth.lease(1, max: 5)).leasedAccounts
        } _: { month, accounts in
            try month.setClock(Self.over)
            let stops = try month.database.link("stops")
            try stops.script("BEGIN")
            let endings = DealEndings(stops)
            try endings.stage()
            let staged = accounts.prefix(3).map { "(9, \($0.account), 'exclusion', 'lawsuit')" }.joined(separator: ", ")
            try stops.script("INSERT INTO to_end VALUES \(staged)")
            #expect(try endings.run { _, _ in [] }.held == 3)
            async let closed = onThread { try Sweep.run(try month.database.link("chore")) }
            try await until { try waits(month) }
            try stops.script("COMMIT")

            #expect(try await closed == 1)
            #expect(try month.number("SELECT sum(accounts)::bigint FROM release") == 5)
            #expect(try month.number("SELECT sum(exposure)::bigint FROM release") == 5 * 10_000)
            let records = try month.database.link().run("SELECT records FROM block").flatMap {
                LedgerBlock.unpack($0.bytes(0)).map { String(decoding: $0, as: UTF8.self) }
            }
            #expect(records.filter { $0.hasPrefix("sweep ") && $0.contains(" accounts=2 ") }.count == 1)
        }
    }

    enum Chore: CaseIterable, Sendable { case sweep, recalls, unworked, unlocatable }

    private func run(_ chore: Chore, _ link: PgLink) throws -> Int {
        switch chore {
        case .sweep: try Sweep.run(link)
        case .recalls: try Recalls.finish(link)
        case .unworked, .unlocatable: try IdleLeases.takeBack(link)
        }
    }

    @Test(.timeLimit(.minutes(1)), arguments: Chore.allCases)
    func `a grant that somebody keeps locked holds no other one up, and is taken up later`(chore: Chore)
        async throws
    {
        var pace = Self.pace
        pace.round = .seconds(3_600)
        let changes =
            chore == .unworked
            ? "UPDATE hand SET activity_days = 8" : "UPDATE hand SET unlocatable_days = 5, grace_us = 0"
        try await DealtMonth.after(pace: pace, changes: changes) { month in
            for agency in 1...2 {
                let agent = try await month.connect(agency)
                let account = try #require(try await agent.lease(DealtMonth.lease(1, max: 1)).leasedAccounts.first)
                var report = try DealtMonth.report(2, account)
                report.contact = .unlocatable
                if chore == .unlocatable { #expect(try await agent.report(report).isOK) }
                if chore == .recalls { try month.notice([account], on: "2024-03-08T06:00:00Z") }
            }
        } _: { month, _ in
            let blocker = try month.database.link("blocker")
            try blocker.script("BEGIN; SELECT FROM lease_grant WHERE agency_id = 1 FOR KEY SHARE")
            try month.setClock(chore == .sweep ? Self.over : "2024-03-20T06:00:00Z")
            func ended() throws -> [Int64] {
                try month.database.link().run(
                    """
                    SELECT agency_id::bigint FROM lease_grant g
                     WHERE state = 'closed' OR EXISTS (SELECT FROM ending e WHERE e.hand_id = g.hand_id) ORDER BY 1
                    """
                ).map { $0.int64(0) }
            }
            let link = try self.chore(month)
            let failure = #expect(throws: PgError.self) { try run(chore, link) }
            #expect(failure?.isLockTimeout == true)
            #expect(try ended() == [2])
            try blocker.script("ROLLBACK")
            #expect(try run(chore, link) == 1)
            #expect(try ended() == [1, 2])
        }
    }

    /// A due recall whose grant is locked fails again and again; the pause is none of its business.
    @Test(.timeLimit(.minutes(1)))
    func `a pause that is over is lifted while a due recall waits for its grant`() async throws {
        var pace = DealtMonth.quickPace
        pace.sweep = .seconds(3_600)
        try await DealtMonth.with(pace: pace) { month in
            let agent = try await month.connect(1)
            let account = try #require(try await agent.lease(DealtMonth.lease(1, max: 1)).leasedAccounts.first)
            try month.notice([account], on: "2024-03-08T06:00:00Z")
            let order = try PauseOrder(
                strategy: "administrative", delegation: 9, agency: "ACE01", reason: "audit",
                until: "2024-03-06")
            _ = try order.set(try month.database.link())
            let blocker = try month.database.link("blocker")
            try blocker.script("BEGIN; SELECT FROM lease_grant FOR UPDATE")
            try month.setClock("2024-03-08T06:00:00Z")
            try await until { try month.number("SELECT count(*) FROM pause") == 0 }
            #expect(try month.number("SELECT count(*) FROM ending") == 0)
            try blocker.script("ROLLBACK")
            try await until { try month.number("SELECT count(*) FROM ending") == 1 }
        }
    }

    /// The report that reached the debtor holds the grant until it is committed.
    @Test(.timeLimit(.minutes(1)))
    func `whoever is reached in a report that is under way is not taken back as unlocatable`() async throws {
        try await DealtMonth.after(
            pace: Self.pace, changes: "UPDATE hand SET unlocatable_days = 5, grace_us = 0"
        ) { month in
            let agent = try await month.connect(1)
            let account = try #require(try await agent.lease(DealtMonth.lease(1, max: 1)).leasedAccounts.first)
            var report = try DealtMonth.report(2, account)
            report.contact = .unlocatable
            #expect(try await agent.report(report).isOK)
        } _: { month, _ in
            try month.setClock("2024-03-10T06:00:00Z")
            let reporting = try month.database.link("reporting")
            try reporting.script(
                """
                BEGIN;
                SELECT FROM lease_grant FOR KEY SHARE;
                INSERT INTO outcome (period, delegation_id, agency_id, instance_id, key, outcome_id, account_id, epoch, hand_id,
                       position, contract_id, worked_at, received_at, channel, contact, result, request_hash)
                SELECT period, delegation_id, agency_id, instance_id, 99, 9000, account_id, epoch, hand_id, position, contract_id,
                       now_instant(), now_instant(), 'phone-out', 'direct', 'refusal', ''
                  FROM outcome
                """)
            async let ended = onThread { try IdleLeases.takeBack(try month.database.link("chore")) }
            try await until { try waits(month) }
            try reporting.script("COMMIT")

            #expect(try await ended == 0)
            #expect(try month.number("SELECT count(*) FROM ending") == 0)
        }
    }

    /// The pull has read which accounts it may lease, and is writing its grant when the stop comes.
    @Test(.timeLimit(.minutes(1)))
    func `a stop waits for the pull that is under way, and recalls what that leased`() async throws {
        try await DealtMonth.with(pace: Self.pace) { month in
            let link = try month.database.link()
            try link.script(
                """
                CREATE TABLE brake ();
                INSERT INTO brake DEFAULT VALUES;
                CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    WHILE EXISTS (SELECT FROM brake) LOOP PERFORM pg_sleep(0.01); END LOOP; RETURN NULL; END $$;
                CREATE TRIGGER slow BEFORE INSERT ON lease_grant FOR EACH STATEMENT EXECUTE FUNCTION slow()
                """)
            let agent = try await month.connect(1)
            async let pulled = agent.lease(DealtMonth.lease(1, max: 2))
            try await until {
                try month.number(
                    """
                    SELECT count(*) FROM pg_stat_activity
                     WHERE datname = current_database() AND application_name = 'reparto-groups' AND wait_event = 'PgSleep'
                    """) > 0
            }
            async let count = onThread {
                let stops = try month.database.link("stops")
                return try stops.transaction {
                    let endings = DealEndings(stops)
                    try endings.stage()
                    try stops.script("INSERT INTO to_end VALUES (9, 1001, 'exclusion', 'lawsuit')")
                    return try endings.run { _, _ in [] }
                }
            }
            // It waits for the hand; one that did not would have ended what nobody held yet.
            try await until {
                try month.database.waiting("stops") == 1 || month.number("SELECT count(*) FROM ending") == 1
            }
            try link.script("DELETE FROM brake")

            let accounts = try await pulled.leasedAccounts
            #expect(accounts.map(\.account.value) == [1_001, 1_002])
            let ended = try await count
            #expect(ended.ended == 1 && ended.held == 1)
            #expect(try month.number("SELECT count(*) FROM release WHERE accounts = 1 AND exposure = 10000") == 1)
            #expect(try await agent.report(DealtMonth.report(2, accounts[0])).code == .recalled)
        }
    }

    /// The objection holds the grant until it is committed; the recall was read as due before.
    @Test(.timeLimit(.minutes(1)))
    func `an objection that is under way when the recall's date comes is heard`() async throws {
        var pace = Self.pace
        pace.round = .seconds(3_600)
        try await DealtMonth.after(pace: pace) { month in
            let account = try await month.connect(1).lease(DealtMonth.lease(1, max: 1)).leasedAccounts.first
            try month.notice([try #require(account)], on: "2024-03-08T06:00:00Z")
        } _: { month, _ in
            try month.setClock("2024-03-08T06:00:00Z")
            let objecting = try month.database.link("objecting")
            try objecting.script(
                """
                BEGIN;
                SELECT FROM lease_grant FOR KEY SHARE;
                UPDATE notice SET objected_at = now_instant() - interval '1 second', objection = 'promise-pending',
                                  held_until = now_instant() + interval '10 days'
                """)
            async let ended = onThread { try Recalls.finish(try month.database.link("chore")) }
            try await until { try waits(month) }
            try objecting.script("COMMIT")

            #expect(try await ended == 0)
            #expect(try month.number("SELECT count(*) FROM ending") == 0)
            try month.setClock("2024-03-18T06:00:00Z")
            #expect(try Recalls.finish(try month.database.link()) == 1)
        }
    }
}
