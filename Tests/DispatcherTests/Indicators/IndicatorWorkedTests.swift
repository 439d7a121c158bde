// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import PgStore
import TestSupport
import Testing

/// IND-05 to IND-10 of eight accounts that were counted by hand, at the thresholds, by several cuts.
struct IndicatorWorkedTests {
    private static let period = ClosingFixture.period

    /// Amounts in centavos. `next` and `later` are the cuts of April and July, `–` where the account is in it no more.
    ///
    ///     account contract tactic days  months books   due   overdue paid   regime next: months books  later: books  since
    ///     1001    1        signed  45   2      overdue 50000 30000   30001  REA    2     overdue       –             February
    ///     1002    1        signed  45   2      overdue 50000 30000   10000  other  3     current       –             March
    ///     1003    1        rest    10   1      overdue 20000 20000   20000  REA    0     current       –             February
    ///     1004    1        rest     0   0      current 10000     0       0  REA    0     current       current       March
    ///     1005    1        rest     0   0      current 10000     0     500  REA    1     overdue       overdue       March
    ///     1006    1        signed 130   5      overdue 90000 80000       0  REA    –     –             –             March
    ///     2001    2        signed 130   5      overdue 70000 60000   60000  other  4     overdue       –             March
    ///     2002    2        rest     0   0      current  5000     0     100  other  –     –             –             March
    ///
    /// 1006 paid 1,000 centavos and they were taken back. The delegation programmed 1,000.00 of flow, in the place of 700.00.
    private static let accounts = """
        INSERT INTO period VALUES (202402, 'closed', '2024-02-01', '2024-03-05', NULL), (202404, 'open', '2024-04-01', NULL, NULL),
            (202407, 'open', '2024-04-01', NULL, NULL);
        CREATE TABLE account_202403 PARTITION OF account FOR VALUES IN (202403);
        CREATE TABLE account_202404 PARTITION OF account FOR VALUES IN (202404);
        CREATE TABLE account_202407 PARTITION OF account FOR VALUES IN (202407);
        INSERT INTO plan (period, state, seed, segmentation_digest, digest, made_at)
        VALUES (202403, 'applied', 1, '', '', '2024-03-01');
        CREATE TEMP TABLE told (account bigint, contract int, position int, tactic text, days int, months int, books int, due bigint,
            overdue bigint, regime int, next_months int, next_books int, later_books int, since int);
        INSERT INTO told VALUES
            (1001, 1, 1, 'signed', 45, 2, 2, 50000, 30000, 1, 2, 2, NULL, 202402),
            (1002, 1, 2, 'signed', 45, 2, 2, 50000, 30000, 2, 3, 1, NULL, 202403),
            (1003, 1, 3, 'rest', 10, 1, 2, 20000, 20000, 1, 0, 1, NULL, 202402),
            (1004, 1, 4, 'rest', 0, 0, 1, 10000, 0, 1, 0, 1, 1, 202403),
            (1005, 1, 5, 'rest', 0, 0, 1, 10000, 0, 1, 1, 2, 2, 202403),
            (1006, 1, 6, 'signed', 130, 5, 2, 90000, 80000, 1, NULL, NULL, NULL, 202403),
            (2001, 2, 1, 'signed', 130, 5, 2, 70000, 60000, 2, 4, 2, NULL, 202403),
            (2002, 2, 2, 'rest', 0, 0, 1, 5000, 0, 2, NULL, NULL, NULL, 202403);
        INSERT INTO hand SELECT 9, n, ARRAY[CASE n WHEN 2 THEN 2 ELSE 1 END], 2, 1, CASE n WHEN 3 THEN 202402 ELSE 202403 END, 1, false,
            CASE n WHEN 3 THEN 'closed' ELSE 'open' END, CASE n WHEN 1 THEN 6 ELSE 2 END, 30, 60, 0, 0, '' FROM generate_series(1, 3) n;
        INSERT INTO position
        SELECT 9, contract, position, account, CASE since WHEN 202402 THEN 2 ELSE 1 END, 0, 0, 0, 1, tactic, months, due, overdue, 9001, ''
        FROM told;
        INSERT INTO position
        SELECT 9, 3, row_number() OVER (ORDER BY account), account, 1, 0, 0, 0, 1, tactic, months, due, overdue, 9001, ''
        FROM told WHERE since = 202402;
        INSERT INTO deal SELECT delegation_id, account_id, epoch, hand_id, position FROM position;
        INSERT INTO lease_grant (delegation_id, hand_id, first_position, last_position, quota_id, contract_id, agency_id, instance_id, key,
            request_hash, skipped, accounts, exposure, total_accounts, total_exposure, left_accounts, stop, held_digest, granted_at,
            granted_term, term, ceiling, grace_us, outage_us)
        SELECT 9, hand_id, 1, size, 1, contract_ids[1], 1, 1, hand_id, '', NULL, size, 0, 0, 0, 0, 'limit', '', '2024-03-02T18:00:00Z',
            '2024-04-10', '2024-04-10', '2024-05-01', 0, 0
        FROM hand WHERE period = 202403;
        INSERT INTO account (period, delegation_id, account_id, line, municipality, regime, accounting, situation, book, currency,
            original_amount, balance, due, overdue, unpaid, arrears, days_late, extension_months, incomplete_payments, restructures,
            restructure_in_cure, suit_profiled, agreement_available, instalment_drop_bp, signed, payment_probability_bp, cofinanced,
            has_phone, has_email, has_address, reference)
        SELECT cut, 9, account, 1, 9001, regime, books, 1, 1, 1, 1, 1, due, overdue, months, months, days, 0, 0, 0, false, false, true, 0,
            false, 0, false, true, true, true, 'r'
        FROM (SELECT 202403 AS cut, account, regime, books, due, overdue, months, days FROM told
            UNION ALL SELECT 202404, account, regime, next_books, due, overdue, next_months, days FROM told WHERE next_books IS NOT NULL
            UNION ALL SELECT 202407, account, regime, later_books, due, overdue, 0, days FROM told WHERE later_books IS NOT NULL) cuts;
        INSERT INTO import (kind, period, file_name, digest, rows_good, rows_bad, imported_at)
        VALUES ('payments', 202403, 'f', '', 1, 0, '2024-03-31');
        INSERT INTO payment
        SELECT 202403, 'P' || account, 9, account, '2024-03-05', amount, 'borrower', NULL, 1
        FROM (VALUES (1001, 30001), (1002, 10000), (1003, 20000), (1005, 500), (1006, 1000), (2001, 60000), (2002, 100)) p (account, amount);
        INSERT INTO payment VALUES (202403, 'R1006', 9, 1006, '2024-03-20', 1000, 'borrower', 'P1006', 1);
        INSERT INTO work_goal (period, goal_id, delegation_id, indicator, minimum, weight, import_id, decision, decided_by, decided_at,
            replaces)
        VALUES (202403, 'F-8', 9, 'flow', '700', '1', 1, 'approved', 'Ana', '2024-03-01', NULL),
            (202403, 'F-9', 9, 'flow', '1000', '1', 1, 'approved', 'Ana', '2024-03-02', 'F-8'),
            (202403, 'F-10', 9, 'flow', '5000', '1', 1, 'rejected', 'Ana', '2024-03-03', 'F-9');
        """

    /// What is divided, `n/d`, and the figure behind it; `–` where there is nothing to be divided by.
    private static let expected: [IndicatorCut: [String]] = [
        .total: [
            "all IND-05 120000/220000 54.55", "all IND-06 120601/305000 39.54", "all IND-07 50501/100000 50.50",
            "all IND-08 4/6 66.67", "all IND-09 2/4 50.00", "all IND-10 1/2 50.00",
        ],
        .delegation: [
            "9 IND-05 120000/220000 54.55", "9 IND-06 120601/305000 39.54", "9 IND-07 50501/100000 50.50",
            "9 IND-08 4/6 66.67", "9 IND-09 2/4 50.00", "9 IND-10 1/2 50.00",
        ],
        .contract: [
            "1 IND-05 60000/160000 37.50", "1 IND-06 60501/230000 26.30", "1 IND-08 3/5 60.00", "1 IND-09 2/3 66.67",
            "1 IND-10 1/2 50.00",
            "2 IND-05 60000/60000 100.00", "2 IND-06 60100/75000 80.13", "2 IND-08 1/1 100.00", "2 IND-09 0/1 0.00",
        ],
        .band: [
            "current IND-06 600/25000 2.40", "current IND-08 1/2 50.00", "current IND-10 1/2 50.00",
            "1–30 IND-05 20000/20000 100.00", "1–30 IND-06 20000/20000 100.00", "1–30 IND-08 1/1 100.00",
            "1–30 IND-09 1/1 100.00",
            "31–60 IND-05 40000/60000 66.67", "31–60 IND-06 40001/100000 40.00", "31–60 IND-08 1/2 50.00",
            "31–60 IND-09 1/2 50.00",
            "> 120 IND-05 60000/140000 42.86", "> 120 IND-06 60000/160000 37.50", "> 120 IND-08 1/1 100.00",
            "> 120 IND-09 0/1 0.00",
        ],
        .tactic: [
            "rest IND-05 20000/20000 100.00", "rest IND-06 20600/45000 45.78", "rest IND-08 2/3 66.67",
            "rest IND-09 1/1 100.00", "rest IND-10 1/2 50.00",
            "signed IND-05 100000/200000 50.00", "signed IND-06 100001/260000 38.46", "signed IND-08 2/3 66.67",
            "signed IND-09 1/3 33.33",
        ],
        .vintage: [
            "2024-02 IND-05 50000/50000 100.00", "2024-02 IND-06 50001/70000 71.43", "2024-02 IND-08 2/2 100.00",
            "2024-02 IND-09 1/2 50.00",
            "2024-03 IND-05 70000/170000 41.18", "2024-03 IND-06 70600/235000 30.04", "2024-03 IND-08 2/4 50.00",
            "2024-03 IND-09 1/2 50.00", "2024-03 IND-10 1/2 50.00",
        ],
    ]

    @Test(arguments: [IndicatorCut.total, .delegation, .contract, .band, .tactic, .vintage])
    func `recovery, containment and cure of eight accounts are those that were counted by hand (IND-05 to IND-10)`(
        cut: IndicatorCut
    ) async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try link.script(
                ClosingFixture.isOver + ClosingFixture.parties + ClosingFixture.schedules + Self.accounts)
            let wanted: [Indicator] = [
                .recoveredValue, .efficiency, .programmedFlow, .containment, .cured, .stayedCurrent,
            ]
            let found = try IndicatorReport(link, period: Self.period).rows(by: cut).flatMap { row in
                row.figures.filter { wanted.contains($0.indicator) && $0.denominator != 0 }.map {
                    "\(row.key) \($0.indicator.rawValue) \($0.numerator)/\($0.denominator) \($0.value ?? "–")"
                }
            }

            #expect(found == Self.expected[cut])
        }
    }

    /// Accounts 1002, 1004, 1005 and 2001 live in delegation 14 from April on.
    @Test(arguments: [IndicatorCut.total, .delegation, .contract, .band])
    func `what a later cut has in another delegation counts where it was dealt (IND-08 to IND-10)`(cut: IndicatorCut)
        async throws
    {
        try await TestDatabase.with { database in
            let link = try database.link()
            try link.script(
                ClosingFixture.isOver + ClosingFixture.parties + ClosingFixture.schedules + Self.accounts)
            func found() throws -> [String] {
                try IndicatorReport(link, period: Self.period).rows(by: cut).flatMap { row in
                    row.figures.map { "\(row.key) \($0.indicator.rawValue) \($0.numerator)/\($0.denominator)" }
                }
            }
            let before = try found()
            try link.script(
                "UPDATE account SET delegation_id = 14 WHERE period > 202403 AND account_id IN (1002, 1004, 1005, 2001)"
            )

            #expect(try found() == before)
        }
    }
}
