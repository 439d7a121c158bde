// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
import FoundationEssentials
import PgStore
@testable import Simulation
import TestSupport
import Testing

/// What is known of one month: from a folder that may have several, or from the database.
struct RecordTests {
    private static let march = Period(text: "2024-03")
    private static let delegation = Delegation(14)

    /// A folder in which account 101 is ACE07's in March, given back and then ACE08's, and ACE07's again in April.
    private func folder() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        var logs: [Int32: AgencyLog] = [:]
        for number: Int32 in [7, 8] {
            logs[number] = try AgencyLog(
                folder: folder.path, agency: try #require(AgencyID(number)), instance: "sim")
        }
        let delegation = try #require(Self.delegation)
        func write(_ agency: Int32, _ day: String, _ key: Int64, _ reply: ClientOperation.Reply) throws {
            let now: Timestamp = try #require(Timestamp(text: "\(day)T18:00:00.000Z"))
            logs[agency]?.now = now
            logs[agency]?.write(key: key, delegation: delegation, reply)
            try logs[agency]?.flush()
        }
        try write(7, "2024-03-04", 1, try Self.grant(1, .administrative, [(101, 1), (102, 1)], term: "2024-03-30"))
        try write(7, "2024-03-05", 2, try Self.report(101, 1, "2024-03-05", outcome: 1))
        try write(7, "2024-03-08", 3, .returned(.init(held: try .sample(101), reason: "capacity")))
        try write(8, "2024-03-11", 1, try Self.grant(2, .dual, [(101, 2)], term: "2024-04-10"))
        try write(8, "2024-03-12", 2, try Self.report(101, 2, "2024-03-12", outcome: 2))
        try write(8, "2024-03-13", 3, try Self.report(101, 2, "2024-03-13", outcome: 3))
        try write(8, "2024-04-02", 4, try Self.report(101, 2, "2024-04-02", outcome: 4))
        try write(7, "2024-04-12", 4, try Self.grant(3, .administrative, [(101, 3), (103, 1)], term: "2024-05-10"))
        try write(7, "2024-04-13", 5, try Self.report(101, 3, "2024-04-13", outcome: 5))
        let payments = [("P1", "2024-03-06", 10_000), ("P2", "2024-03-20", 20_000), ("P3", "2024-04-20", 40_000)]
        let feed = PaymentFeed(folder: folder.path)
        for (identifier, day, amount) in payments {
            let on = try #require(LocalDate(text: day))
            try feed.write(
                [
                    PlannedPayment(
                        identifier: identifier, key: try Self.key(101), on: on, amount: Cents(Int64(amount)),
                        origin: "borrower")
                ], of: on)
        }
        try Data("account,delegation,due,overdue\n101,14,300.00,900.00\n102,14,300.00,0.00\n103,14,300.00,0.00\n".utf8)
            .write(to: URL(filePath: "\(folder.path)/cut.csv"))
        return folder
    }

    private static func key(_ account: Int64) throws -> CaseKey {
        CaseKey(delegation: try #require(delegation), account: try #require(AccountID(account)))
    }

    private static func grant(
        _ hand: Int32, _ strategy: Strategy, _ accounts: [(Int64, Int64)], term: String
    ) throws -> ClientOperation.Reply {
        .granted(
            ClientOperation.Grant(
                grant: GrantID(hand: hand, first: 1), strategy: strategy,
                term: try #require(Timestamp(text: "\(term)T06:00:00.000Z")),
                accounts: try accounts.map { try .sample($0.0, $0.1) }))
    }

    private static func report(
        _ account: Int64, _ epoch: Int64, _ day: String, outcome: Int64
    ) throws -> ClientOperation.Reply {
        .reported(
            ClientOperation.Report(
                held: try .sample(account, epoch), at: try #require(Timestamp(text: "\(day)T17:00:00.000Z")),
                channel: "phone-out", contact: "direct", result: "refusal", outcome: outcome))
    }

    @Test func `each holder has the reports under its own epoch, and what was paid while it was the last one`() throws {
        let folder = try folder()
        let record = try MonthRecord(log: folder.path, period: try #require(Self.march))
        let holdings = try #require(record.holdings[try Self.key(101)])

        #expect(holdings.map(\.agency.value) == [7, 8])
        #expect(holdings.map(\.strategy) == [.administrative, .dual])
        #expect(holdings.map(\.reports) == [1, 2])
        #expect(holdings.map(\.paid) == [10_000, 20_000])
    }

    @Test func `what is taken back is taken from whoever its payment counted for, whoever has the account by then`()
        throws
    {
        let folder = try folder()
        let feed = PaymentFeed(folder: folder.path)
        func pay(_ id: String, _ account: Int64, _ day: String, _ amount: Int64, reverses: String? = nil) throws {
            let on = try #require(LocalDate(text: day))
            try feed.write(
                [
                    PlannedPayment(
                        identifier: id, key: try Self.key(account), on: on, amount: Cents(amount), origin: "borrower",
                        reverses: reverses)
                ], of: on)
        }
        // Of the sixth, while ACE07 held it; taken back while ACE08 does.
        try pay("P4", 101, "2024-03-14", 10_000, reverses: "P1")
        // Of the twentieth of March, while ACE08 held it; taken back in April, while ACE07 does.
        try pay("P5", 101, "2024-04-15", 20_000, reverses: "P2")
        // Before anybody held it, and taken back while ACE07 does.
        try pay("P6", 102, "2024-03-02", 5_000)
        try pay("P7", 102, "2024-03-18", 2_000, reverses: "P6")
        let march = try MonthRecord(log: folder.path, period: try #require(Self.march))
        let april = try MonthRecord(log: folder.path, period: try #require(Period(text: "2024-04")))

        #expect(march.holdings[try Self.key(101)]?.map(\.paid) == [0, 20_000])
        #expect(march.holdings[try Self.key(102)]?.map(\.paid) == [0])
        #expect(march.unheldPaid == 3_000)
        #expect(april.holdings[try Self.key(101)]?.map(\.paid) == [-20_000, 40_000])
        #expect(april.unheldPaid == 0)
    }

    @Test func `the other months of a folder are left out, and what is held over the month's end is in both`() throws {
        let folder = try folder()
        let march = try MonthRecord(log: folder.path, period: try #require(Self.march))
        let april = try MonthRecord(log: folder.path, period: try #require(Period(text: "2024-04")))

        #expect(march.holdings[try Self.key(103)] == nil)
        #expect(april.holdings[try Self.key(102)] == nil)
        let holdings = try #require(april.holdings[try Self.key(101)])
        #expect(holdings.map(\.agency.value) == [8, 7])
        #expect(holdings.map(\.reports) == [1, 1])
        #expect(holdings.map(\.paid) == [0, 40_000])
    }

    /// Months begin at midnight in Mexico City, which is 06:00 UTC.
    @Test(arguments: [
        ("2024-04-01T05:59:59.999Z", 0), ("2024-04-01T06:00:00.000Z", 0), ("2024-04-01T06:00:00.001Z", 1),
    ])
    func `a lease whose term ends with the month is not of the next one`(term: String, holdings: Int) throws {
        let folder = try TemporaryFolder()
        var log = try AgencyLog(folder: folder.path, agency: try #require(AgencyID(7)), instance: "sim")
        let leased: Timestamp = try #require(Timestamp(text: "2024-03-04T18:00:00.000Z"))
        log.now = leased
        log.write(
            key: 1, delegation: try #require(Self.delegation),
            .granted(
                ClientOperation.Grant(
                    grant: History.first, strategy: .administrative, term: try #require(Timestamp(text: term)),
                    accounts: [try .sample(101)])))
        try log.flush()

        #expect(try MonthRecord(log: folder.path, period: try #require(Self.march)).holdings.count == 1)
        let april = try #require(Period(text: "2024-04"))
        #expect(try MonthRecord(log: folder.path, period: april).holdings.count == holdings)
    }

    @Test func `what a delegation rejected is no valid work`() throws {
        let folder = try folder()
        let record = try MonthRecord(log: folder.path, period: try #require(Self.march), rejected: [1, 2])

        #expect(record.holdings[try Self.key(101)]?.map(\.validReports) == [0, 1])
    }

    @Test func `a report of the month counts each account under the strategies that it was held under`() throws {
        let folder = try folder()
        let figures = try MonthFigures(
            log: folder.path, cut: "\(folder.path)/cut.csv", reviews: nil, period: try #require(Self.march)
        ).measured
        func figure(_ id: String, _ name: String) throws -> MeasuredFigure {
            try #require(figures.first { $0.figure.id == id && $0.figure.name == name })
        }
        // 101 and 102 by ACE07, of which 101 was worked and paid 100 pesos; 101 again in dual.
        let worked = try figure("ORA-10", "with valid work")
        #expect(worked.part == 1 && worked.count == 2)
        #expect(try figure("ORA-10", "mean payment").got == 10_000)
        #expect(try figure("ORA-12", "recovered of what was overdue").base == 120_000)
        let dual = try figure("ORA-13", "with some payment")
        #expect(dual.part == 1 && dual.count == 1)
        #expect(try figure("ORA-13", "mean payment").got == 20_000)
    }

    @Test func `the command prints every figure, and ends with 1 where one is outside`() throws {
        let folder = try folder()
        func run(_ more: String...) throws -> (code: Int32, text: String) {
            try ChildProcess.run(
                ChildProcess.sibling("agentsim"),
                ["report", "--log", folder.path, "--cut", "\(folder.path)/cut.csv", "--period", "2024-03"] + more)
        }
        let (code, text) = try run()
        // Two accounts are allowed anything that chance may do to two.
        #expect(code == 0)
        #expect(text.contains("\n3 leases of 2 accounts; 1 leased again within the month"), "\(text)")
        for id in ["ORA-10", "ORA-11", "ORA-12", "ORA-13", "ORA-30", "ORA-32"] { #expect(text.contains("  \(id)")) }
        #expect(try run("--json").text.contains("\"id\": \"ORA-32\""))
        let day = try #require(LocalDate(text: "2024-03-21"))
        try PaymentFeed(folder: folder.path).write(
            [
                PlannedPayment(
                    identifier: "P9", key: try Self.key(102), on: day, amount: Cents(100_000_000), origin: "borrower")
            ], of: day)
        let outside = try run()
        #expect(outside.code == 1 && outside.text.contains("outside of the tolerance: ORA-10"), "\(outside.text)")
        #expect(try run("--reviews", "\(folder.path)/none.csv").code == 2)
    }

    @Test func `a month is not replayed on the cut of a portfolio's first one`() throws {
        let folder = try TemporaryFolder()
        let march = try #require(Self.march)
        try Data("fact,on_date\nf,2024-03-01\n".utf8).write(to: URL(filePath: "\(folder.path)/facts-opening.csv"))
        #expect(try MonthFileNames(of: march, in: folder.path).cut == "\(folder.path)/cut.csv")
        let april = march.advanced(byMonths: 1)
        let failure = #expect(throws: SimulationFailure.self) { try MonthFileNames(of: april, in: folder.path) }
        #expect(failure?.found == "\(folder.path) has no cut of 2024-04: its cut.csv is of 2024-03")
        try Data().write(to: URL(filePath: "\(folder.path)/cut-2024-04.csv"))
        #expect(try MonthFileNames(of: april, in: folder.path).cut == "\(folder.path)/cut-2024-04.csv")
    }

    @Test(.timeLimit(.minutes(3)))
    func `a replay of the database knows what one of the logs does, and what began and stopped besides`() async throws {
        try await RealMonth.with(accounts: 1_500) { month in
            let period = try #require(Self.march)
            let file = try PolicyFile(path: "\(Checkout.root)/policies/infonavit-2023.yaml")
            let policy = ModelPolicy(name: "the same", policy: try file.policy(for: period), settings: .standard)
            func replay(_ source: ReplayRun.Source) throws -> ReplayRun {
                try ReplayRun(
                    source, cut: "\(month.inputs)/cut.csv", contracts: "\(month.inputs)/contracts.csv",
                    facts: "\(month.inputs)/facts-opening.csv", period: period, policy: policy,
                    seed: UInt64(period.number))
            }
            let byLogs = try replay(.logs(month.logs))
            let byDatabase = try replay(.database(month.database.conninfo))
            #expect(byDatabase.recorded == byLogs.recorded)
            #expect(byDatabase.recorded.accounts > 100 && byDatabase.recorded.paid > 0)
            #expect(byLogs.sums[.stopped] == nil)
            #expect(
                (byDatabase.sums[.stopped]?.accounts ?? 0) + (byDatabase.sums[.unrecorded]?.accounts ?? 0)
                    == byLogs.sums[.unrecorded]?.accounts ?? 0)
            // The same policy deals the same: what was leased of the plan's hands stands.
            #expect((byDatabase.sums[.stands]?.accounts ?? 0) > byDatabase.recorded.accounts * 9 / 10)
            #expect(byLogs.unknown.contains { $0.contains("--database") })
            #expect(!byDatabase.unknown.contains { $0.contains("--database") })

            // One that began before it was leased would have been dealt by whoever had room then.
            try month.database.link().script(
                """
                INSERT INTO start (period, delegation_id, account_id, reason, on_date, changes, placed_on, fate, import_id)
                SELECT DISTINCT ON (p.delegation_id, p.account_id)
                       202403, p.delegation_id, p.account_id, 'missed-payment', '2024-03-02', '{}', '2024-03-02', 'dealt',
                       (SELECT min(import_id) FROM import)
                  FROM lease_grant g
                  JOIN position p ON p.delegation_id = g.delegation_id AND p.hand_id = g.hand_id
                                 AND p.position = g.first_position
                 WHERE g.accounts > 0 AND g.skipped IS NULL ORDER BY 2, 3 LIMIT 5
                """)
            let after = try replay(.database(month.database.conninfo))
            #expect((1...5).contains(after.sums[.began]?.accounts ?? 0))
            #expect(after.recorded == byDatabase.recorded)

            try Self.expectFeed(byDatabase, month)
            try Self.reverse(month)
            let reversed = try replay(.database(month.database.conninfo))
            try Self.expectFeed(reversed, month)
            #expect(reversed.recorded.paid == byDatabase.recorded.paid - 100_000)
            #expect(reversed.unheldPaid == byDatabase.unheldPaid)
        }
    }

    /// What a replay tells as paid is the month's feed, to the centavo.
    private static func expectFeed(_ replay: ReplayRun, _ month: RealMonth) throws {
        let feed = try month.database.link().run(
            """
            SELECT sum(CASE WHEN reverses IS NULL THEN amount ELSE -amount END)::bigint FROM payment WHERE period = 202403
            """)
        #expect(Int64(replay.recorded.paid + replay.unheldPaid) == feed[0].int64(0))
    }

    /// One account gets a second holder on the sixteenth. On the seventeenth two payments are taken back that came while the first one held
    /// it: one of the fourteenth, by a row of the delegation to which its debtor moved, and one of 20 February, of that month's feed.
    private static func reverse(_ month: RealMonth) throws {
        let link = try month.database.link()
        try link.script(
            """
            CREATE TEMP TABLE held AS
            SELECT g.delegation_id, g.hand_id, g.first_position, g.agency_id, p.account_id
              FROM lease_grant g
              JOIN position p ON p.delegation_id = g.delegation_id AND p.hand_id = g.hand_id AND p.position = g.first_position
             WHERE g.accounts > 0 AND g.skipped IS NULL AND p.account_id NOT IN (SELECT account_id FROM payment)
               AND NOT EXISTS (SELECT FROM deal d WHERE d.account_id = p.account_id AND d.hand_id <> p.hand_id)
               AND NOT EXISTS (SELECT FROM ending e WHERE e.account_id = p.account_id)
             ORDER BY 1, 2, 3 LIMIT 1;
            INSERT INTO hand SELECT (jsonb_populate_record(h, '{"hand_id": 900001}')).* FROM hand h JOIN held USING (delegation_id, hand_id);
            INSERT INTO position
            SELECT (jsonb_populate_record(p, jsonb_build_object('hand_id', 900001, 'position', 1, 'epoch', p.epoch + 1))).*
              FROM position p JOIN held h ON (p.delegation_id, p.hand_id, p.position) = (h.delegation_id, h.hand_id, h.first_position);
            INSERT INTO lease_grant
            SELECT (jsonb_populate_record(g, jsonb_build_object('hand_id', 900001, 'first_position', 1, 'last_position', 1, 'accounts', 1,
                'agency_id', CASE g.agency_id WHEN 17 THEN 18 ELSE 17 END, 'key', 900001, 'granted_at', '2024-03-16T18:00:00Z'))).*
              FROM lease_grant g JOIN held USING (delegation_id, hand_id, first_position);
            UPDATE lease_grant g SET granted_at = '2024-02-10T18:00:00Z' FROM held h
             WHERE (g.delegation_id, g.hand_id, g.first_position) = (h.delegation_id, h.hand_id, h.first_position);
            INSERT INTO payment (period, payment_id, delegation_id, account_id, paid_on, amount, origin, reverses, import_id)
            SELECT v.period, v.id, CASE WHEN v.has_moved THEN delegation_id % 32 + 1 ELSE delegation_id END, account_id, v.day::date,
                   v.amount, 'borrower', v.reverses, (SELECT min(import_id) FROM import)
              FROM held, (VALUES (202403, 'T1', false, '2024-03-14', 250736, NULL), (202403, 'T2', true, '2024-03-17', 250736, 'T1'),
                                 (202402, 'T3', false, '2024-02-20', 100000, NULL), (202403, 'T4', false, '2024-03-17', 100000, 'T3'))
                         v (period, id, has_moved, day, amount, reverses);
            """)
        let row = try link.run("SELECT delegation_id, account_id, agency_id FROM held")[0]
        let key = CaseKey(
            delegation: try #require(Delegation(row.int16(0))), account: try #require(AccountID(row.int64(1))))
        let record = try MonthRecord(database: month.database.conninfo, period: try #require(march))
        let holdings = try #require(record.holdings[key])
        let first = row.int32(2)
        #expect(holdings.map(\.agency.value) == [first, first == 17 ? 18 : 17])
        #expect(holdings.map(\.paid) == [-100_000, 0])
    }
}
