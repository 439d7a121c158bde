// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import PgStore
import Testing
import TestSupport

/// Contingency over the ends of months (FEE-01 … FEE-05, decisions 62 and 141).
struct ClosingCarriedTests {
    private static let march = ClosingFixture.period
    private static let april = ClosingFixture.period.advanced(byMonths: 1)

    private func sections(
        _ statements: [PeriodStore.StoredStatement]
    ) throws -> [(contract: Int32, section: StatementDocument.Section)] {
        try statements.flatMap { statement in
            try StatementDocument(statement.body).sections.map { (statement.contract, $0) }
        }
    }

    private func recovered(_ statements: [PeriodStore.StoredStatement]) throws -> [String] {
        try sections(statements).compactMap { contract, section in
            guard let recovered = section.indicators?.recovered, recovered != "0.00",
                let delegation = section.delegation
            else { return nil }
            return "\(contract) \(delegation) \(recovered)"
        }
    }

    @Test
    func `two months with carried leases, shared hands, late payments and reversals agree with plain SQL, fifty times`()
        async throws
    {
        try await TestDatabase.with { database in
            let link = try database.link()
            var (bands, back, recovered) = (0, 0, 0)
            var sharedAgain: Int64 = 0
            for seed in 301...350 {
                try ClosingFixture.make(link, seed: seed)
                try link.script(ClosingContingencyOracle.terms + ClosingCarriedOracle.terms)
                let march = try MonthClosing(link, period: Self.march).preview().statements
                try link.script(ClosingCarriedOracle.tables)
                let found = try sections(march).flatMap { contract, section in
                    (section.bands ?? []).map {
                        "\(contract) \(section.delegation ?? 0) \($0.band) \($0.assigned) \($0.recovered)"
                    }
                }
                #expect(try found == ClosingCarriedOracle.bands(link), "seed \(seed)")
                #expect(try self.recovered(march) == ClosingCarriedOracle.recovered(link, 202403), "seed \(seed)")
                let assigned = try sections(march).compactMap { contract, section in
                    section.indicators.flatMap {
                        $0.assigned > 0 ? "\(contract) \(section.delegation ?? 0) \($0.assigned)" : nil
                    }
                }
                #expect(try assigned == ClosingCarriedOracle.assigned(link), "seed \(seed)")
                sharedAgain += try ClosingCarriedOracle.sharedAgain(link)
                bands += found.count
                try PeriodStore(link, period: Self.march).keep(march)
                try link.script(
                    "DROP TABLE whose, every, counted;" + ClosingCarriedOracle.april + ClosingCarriedOracle.tables)
                let april = try MonthClosing(link, period: Self.april).preview().statements
                let taken = try sections(april).flatMap { contract, section in
                    section.lines.filter { $0.kind == "fee-cut" && MoraBand(rawValue: $0.rule) != nil }
                        .sorted { $0.rule < $1.rule }
                        .map { "\(contract) \(section.delegation ?? 0) \($0.rule) \($0.base.pesos ?? "")" }
                }
                #expect(try taken == ClosingCarriedOracle.back(link), "seed \(seed)")
                #expect(try self.recovered(april) == ClosingCarriedOracle.recovered(link, 202404), "seed \(seed)")
                back += taken.count
                recovered += try self.recovered(april).filter { $0.hasPrefix("2 ") }.count
                try link.script(
                    ClosingCarriedOracle.emptied + ClosingContingencyOracle.emptied + ClosingFixture.emptied)
            }
            // Contract 2 is over in April, and has statements all the same.
            #expect(bands > 500 && back > 100 && recovered > 25)
            #expect(sharedAgain > 10)
        }
    }

    // MARK: - One account

    /// The fixture's month without deals of chance: hand 1 of contract 1 and delegation 9 has account 1001, 100.00 overdue, 45 days
    /// late. Hand 501 of January and 502 of February have it as well where the test says so.
    private func with(_ change: String, _ body: (PgLink) throws -> Void) async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 9)
            try link.script(
                SuspensionsTests.bands
                    + """
                    DELETE FROM payment; DELETE FROM review; DELETE FROM outcome; DELETE FROM ending;
                    DELETE FROM deal WHERE epoch = 2; DELETE FROM position WHERE epoch = 2;
                    DELETE FROM lease_grant WHERE hand_id > 1; DELETE FROM deal WHERE hand_id > 1 OR account_id <> 1001;
                    DELETE FROM position WHERE hand_id > 1 OR account_id <> 1001; DELETE FROM account WHERE account_id <> 1001;
                    DELETE FROM hand WHERE hand_id > 1; DELETE FROM lease_grant WHERE first_position > 1;
                    UPDATE hand SET size = 1; UPDATE lease_grant SET last_position = 1;
                    INSERT INTO schedule VALUES ('fees', 'fee', '2023-01-01', 'FEE-01', 'minimum', '75'),
                        ('fees', 'fee', '2023-01-01', 'FEE-01', '0-100', '3');
                    INSERT INTO period SELECT p, 'closed', now(), now(), NULL FROM unnest('{202401,202402}'::int[]) p;
                    CREATE TABLE account_202401 PARTITION OF account FOR VALUES IN (202401);
                    CREATE TABLE account_202402 PARTITION OF account FOR VALUES IN (202402);
                    """ + change)
            try body(link)
        }
    }

    /// Account 1001 in another month's hand of contract 1: leased on its fifth until `term` unless that is nil.
    private func dealt(
        _ month: Int, overdue: Int, daysLate: Int = 45, until term: String?, returned: String? = nil
    ) -> String {
        let hand = 500 + month
        return """
            INSERT INTO hand VALUES (9, \(hand), '{1}', 2, 1, \(202400 + month), 1, false, 'open', 1, 30, 60, 0, 0, '');
            INSERT INTO position VALUES (9, \(hand), 1, 1001, \(month - 3), 0, 0, 0, 1, 'rest', 1, 0, 0, 9001, '');
            UPDATE position SET overdue = \(overdue) WHERE hand_id = \(hand);
            INSERT INTO deal VALUES (9, 1001, \(month - 3), \(hand), 1);
            INSERT INTO account SELECT (r).* FROM (
                SELECT jsonb_populate_record(a, '{"period": \(202400 + month), "days_late": \(daysLate)}') AS r FROM account a
                WHERE period = 202403) x;
            """
                + (term.map {
                    """
                    INSERT INTO lease_grant (delegation_id, hand_id, first_position, last_position, quota_id, contract_id, agency_id,
                        instance_id, key, request_hash, skipped, accounts, exposure, total_accounts, total_exposure, left_accounts,
                        stop, held_digest, granted_at, granted_term, term, ceiling, grace_us, outage_us)
                    VALUES (9, \(hand), 1, 1, 1, 1, 1, 1, \(hand), '', NULL, 1, 0, 0, 0, 0, 'limit', '', '2024-0\(month)-05T18:00:00Z',
                        '\($0)', '\($0)', '2024-05-15', 0, 0);
                    """
                } ?? "")
                + (returned.map {
                    "INSERT INTO ending VALUES (9, 1001, \(month - 3), 'return', 'x', '\($0)', \(hand), 1, true);"
                } ?? "")
    }

    private func payment(
        _ id: String, _ day: String, _ amount: Int, feed: Int = 202403, reverses: String? = nil
    ) -> String {
        "INSERT INTO payment VALUES (\(feed), '\(id)', 9, 1001, '\(day)', \(amount), 'borrower', "
            + (reverses.map { "'\($0)'" } ?? "NULL") + ", 1);"
    }

    private func bands(_ link: PgLink, _ period: Period = march) throws -> [String] {
        try sections(MonthClosing(link, period: period).preview().statements).flatMap { _, section in
            (section.bands ?? []).map { "\($0.band) \($0.recovered) of \($0.assigned)" }
        }
    }

    /// March's deal alone is what can be owed: 30.00.
    @Test func `a lease that expired months ago assigns nothing when its account pays under another deal`() async throws
    {
        let change =
            dealt(1, overdue: 10_000, until: "2024-01-31T18:00:00Z")
            + "UPDATE position SET overdue = 3000 WHERE hand_id = 1;"
        try await with(change + payment("P", "2024-03-10", 5_000)) { link in
            let found = try bands(link)
            #expect(found == ["FEE-02 30.00 of 30.00"])
        }
    }

    /// March has the account no more. February's lease is paid in grace; January's was in another band, below it or above.
    @Test(arguments: [(20, 45, "FEE-02"), (45, 20, "FEE-01")])
    func `a payment counts in one band, that of the latest lease it is paid for`(
        january: Int, february: Int, band: String
    ) async throws {
        let change =
            dealt(
                1, overdue: 10_000, daysLate: january, until: "2024-01-31T18:00:00Z", returned: "2024-01-30T18:00:00Z")
            + dealt(2, overdue: 4_000, daysLate: february, until: "2024-03-20T18:00:00Z")
                + """
                DELETE FROM account WHERE period = 202403; DELETE FROM lease_grant WHERE hand_id = 1; DELETE FROM deal WHERE hand_id = 1;
                DELETE FROM position WHERE hand_id = 1;
                INSERT INTO schedule VALUES ('fees', 'fee', '2023-01-01', 'GAP-late-payment', 'days', '10');
                """
        try await with(change + payment("P", "2024-02-03", 1_000) + payment("Q", "2024-03-10", 2_500)) { link in
            // Both leases are paid for: the most that was overdue of it is what it counts at most, in February's band.
            let found = try bands(link)
            #expect(found == ["\(band) 35.00 of 100.00"])
        }
    }

    /// 45 days late in February, all paid on its last day; the row is in March's feed, and March's cut has it as current.
    @Test func `a late payment that made the account current counts in the band of the month in which it was worked`()
        async throws
    {
        let change =
            dealt(2, overdue: 4_000, until: "2024-03-01T12:00:00Z")
                + """
                UPDATE account SET days_late = 0 WHERE period = 202403; DELETE FROM lease_grant WHERE hand_id = 1;
                DELETE FROM deal WHERE hand_id = 1; DELETE FROM position WHERE hand_id = 1;
                """
        try await with(change) { link in
            // Nothing came of it in this feed: what is current is not assigned.
            #expect(try bands(link) == [])
            try link.script(payment("P", "2024-02-28", 4_000))
            #expect(try bands(link) == ["FEE-02 40.00 of 40.00"])
        }
    }

    /// January's deal was never pulled: 100.00 were overdue then, 20.00 are under March's lease. 50.00 were paid, 20.00 counted, and
    /// 20.00 are paid still when April takes 30.00 back.
    @Test(arguments: [(3_000, [String]()), (3_500, ["FEE-02 5.00 0.33"])])
    func `no more contingency is given back than was paid`(amount: Int, lines: [String]) async throws {
        let change =
            dealt(1, overdue: 10_000, until: nil) + "UPDATE position SET overdue = 2000 WHERE hand_id = 1;"
            + payment("P", "2024-03-10", amount) + payment("Q", "2024-03-11", 5_000 - amount)
        try await with(change) { link in
            let march = try MonthClosing(link, period: Self.march).preview().statements
            #expect(
                try sections(march).flatMap(\.section.lines).filter { $0.kind == "fee" }.map(\.base.pesos) == ["20.00"])
            try PeriodStore(link, period: Self.march).keep(march)
            try link.script(
                """
                INSERT INTO period VALUES (202404, 'open', now(), NULL, NULL);
                CREATE TABLE outcome_202404 PARTITION OF outcome FOR VALUES IN (202404);
                UPDATE clock SET virtual_now = '2024-05-20T06:00:00Z';
                """ + payment("R", "2024-04-02", amount, feed: 202404, reverses: "P"))
            let back = try sections(MonthClosing(link, period: Self.april).preview().statements)
                .flatMap(\.section.lines).filter { $0.kind == "fee-cut" }
            #expect(back.map { "\($0.rule) \($0.base.pesos ?? "") \($0.amount)" } == lines)
        }
    }

    /// Returned on March 10 and paid on the 15th, in ten days of grace; April's version of the schedule has none.
    @Test(arguments: [false, true])
    func `a reversal is of whom its payment counted for, also where the grace has ended and the contract is over`(
        isOver: Bool
    ) async throws {
        let change =
            """
            INSERT INTO ending VALUES (9, 1001, 1, 'return', 'x', '2024-03-10T18:00:00Z', 1, 1, true);
            INSERT INTO schedule SELECT 'fees', 'fee', '2024-04-01', rule, parameter, value FROM schedule WHERE kind = 'fee';
            INSERT INTO schedule VALUES ('fees', 'fee', '2023-01-01', 'GAP-late-payment', 'days', '10');
            """ + payment("P", "2024-03-15", 5_000)
        try await with(change) { link in
            let march = try MonthClosing(link, period: Self.march).preview().statements
            #expect(try recovered(march) == ["1 9 50.00"])
            try PeriodStore(link, period: Self.march).keep(march)
            try link.script(
                """
                INSERT INTO period VALUES (202404, 'open', now(), NULL, NULL);
                CREATE TABLE outcome_202404 PARTITION OF outcome FOR VALUES IN (202404);
                UPDATE clock SET virtual_now = '2024-05-20T06:00:00Z';
                """ + payment("R", "2024-04-02", 5_000, feed: 202404, reverses: "P")
                    + (isOver ? "UPDATE contract SET ends_on = '2024-03-31' WHERE contract_id = 1;" : ""))
            let april = try MonthClosing(link, period: Self.april).preview().statements
            #expect(try recovered(april) == ["1 9 -50.00"])
            let back = try sections(april).flatMap(\.section.lines).filter { $0.kind == "fee-cut" }
            #expect(back.map(\.base.pesos) == ["50.00"])
        }
    }
}
