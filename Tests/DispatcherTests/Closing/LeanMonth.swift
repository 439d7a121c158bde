// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import PgStore
import TestSupport
import Testing

/// March 2024 with the parties and schedules of ``ClosingFixture`` and nothing dealt: a test deals what its scenario is about.
struct LeanMonth {
    static let march = ClosingFixture.period
    static let april = ClosingFixture.period.advanced(byMonths: 1)
    let link: PgLink

    /// - Parameter sql: what the month has besides.
    static func with(_ sql: String = "", _ body: (LeanMonth) throws -> Void) async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try link.script(
                ClosingFixture.isOver + ClosingFixture.parties + ClosingFixture.schedules
                    + """
                    INSERT INTO plan (period, state, seed, segmentation_digest, digest, made_at)
                    VALUES (202403, 'applied', 1, '', '', '2024-03-01');
                    INSERT INTO import (kind, period, file_name, digest, rows_good, rows_bad, imported_at)
                    VALUES ('facts', 202403, 'f', '', 1, 0, '2024-03-31');
                    """ + ClosingFixture.checked + sql)
            try body(LeanMonth(link: link))
        }
    }

    /// A hand with those accounts in their order, of the strategy `administrative` by telephone.
    static func hand(
        _ id: Int, _ accounts: ClosedRange<Int>, contracts: [Int] = [1], delegation: Int = 9, period: Int = 202403,
        epoch: Int = 1, tactic: String = "rest", overdue: Int = 0, isFront: Bool = false
    ) -> String {
        """
        INSERT INTO hand VALUES (\(delegation), \(id), '{\(contracts.map(String.init).joined(separator: ","))}', 2, 1, \(period), 1,
            \(isFront), 'open', \(accounts.count), 30, 60, 0, 0, '');
        INSERT INTO position
        SELECT \(delegation), \(id), n - \(accounts.lowerBound) + 1, n, \(epoch), 0, 0, 0, 1, '\(tactic)', 1, 0, \(overdue), 9001, ''
        FROM generate_series(\(accounts.lowerBound), \(accounts.upperBound)) n;
        INSERT INTO deal SELECT delegation_id, account_id, epoch, hand_id, position FROM position
        WHERE delegation_id = \(delegation) AND hand_id = \(id);

        """
    }

    /// Positions of a hand that a contract pulled, from `at` on.
    static func grant(
        _ hand: Int, _ positions: ClosedRange<Int>, contract: Int = 1, delegation: Int = 9,
        at: String = "2024-03-02T18:00:00Z", until term: String = "2024-04-01"
    ) -> String {
        """
        INSERT INTO lease_grant (delegation_id, hand_id, first_position, last_position, quota_id, contract_id, agency_id,
            instance_id, key, request_hash, skipped, accounts, exposure, total_accounts, total_exposure, left_accounts,
            stop, held_digest, granted_at, granted_term, term, ceiling, grace_us, outage_us)
        VALUES (\(delegation), \(hand), \(positions.lowerBound), \(positions.upperBound), 1, \(contract), 1, 1,
            \(hand * 10_000 + positions.lowerBound), '', NULL, \(positions.count), 0, 0, 0, 0, 'limit', '', '\(at)', '\(term)', '\(term)',
            '2024-08-15', 0, 0);

        """
    }

    /// What ended the positions of a hand that are named.
    static func ended(
        _ hand: Int, _ positions: ClosedRange<Int>, _ kind: String, _ reason: String, delegation: Int = 9,
        at: String = "2024-03-15T18:00:00Z", wasHeld: Bool = true
    ) -> String {
        """
        INSERT INTO ending SELECT delegation_id, account_id, epoch, '\(kind)', '\(reason)', '\(at)', hand_id, position, \(wasHeld)
        FROM position WHERE delegation_id = \(delegation) AND hand_id = \(hand)
            AND position BETWEEN \(positions.lowerBound) AND \(positions.upperBound);

        """
    }

    /// A call on each of the positions of a hand that are named, with nobody reached.
    static func worked(
        _ hand: Int, _ positions: ClosedRange<Int>, contract: Int = 1, delegation: Int = 9, period: Int = 202403,
        at: String = "2024-03-17T18:00:00Z"
    ) -> String {
        """
        INSERT INTO outcome
        SELECT \(period), delegation_id, 1, 1, nextval('outcome_number'), lastval(), account_id, epoch, hand_id, position, \(contract),
            '\(at)', '\(at)', 'phone-out', 'none', 'no-answer', NULL, NULL, '{}', NULL, ''
        FROM position WHERE delegation_id = \(delegation) AND hand_id = \(hand)
            AND position BETWEEN \(positions.lowerBound) AND \(positions.upperBound) ORDER BY position;

        """
    }

    /// A fact of March about contract 1 in delegation 9.
    static func fact(_ id: String, _ columns: String, _ values: String) -> String {
        """
        INSERT INTO fact (period, fact_id, contract_id, delegation_id, import_id, on_date, \(columns))
        VALUES (202403, '\(id)', 1, 9, 1, '2024-03-29', \(values));

        """
    }

    /// Opens April and stands in its review.
    static let aprilIsOver = """
        INSERT INTO period VALUES (202404, 'open', '2024-04-01', NULL, NULL);
        CREATE TABLE outcome_202404 PARTITION OF outcome FOR VALUES IN (202404);
        CREATE TABLE placement_202404 PARTITION OF placement FOR VALUES IN (202404);
        UPDATE clock SET virtual_now = '2024-05-20T06:00:00Z';

        """

    func statements(_ period: Period = march) throws -> [PeriodStore.StoredStatement] {
        try MonthClosing(link, period: period).preview().statements
    }

    func sections(_ contract: Int32 = 1, _ period: Period = march) throws -> [StatementDocument.Section] {
        let body = try #require(try statements(period).first { $0.contract == contract }).body
        return try StatementDocument(body).sections
    }

    func section(
        _ contract: Int32 = 1, delegation: Int = 9, _ period: Period = march
    ) throws -> StatementDocument.Section {
        try #require(try sections(contract, period).first { $0.delegation == delegation })
    }

    /// Rule and amount of a contract's lines of a kind, section by section.
    func lines(_ kind: String, _ contract: Int32 = 1, _ period: Period = march) throws -> [String] {
        try sections(contract, period).flatMap(\.lines).filter { $0.kind == kind }.map { "\($0.rule) \($0.amount)" }
    }
}
