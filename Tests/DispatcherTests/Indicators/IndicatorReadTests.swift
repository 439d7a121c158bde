// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import PgStore
import Testing
import TestSupport

/// How many rows the indicators of a closed month read: so many per account, however many accounts there are.
struct IndicatorReadTests {
    private static let tables = ["account_202403", "outcome_202403", "position", "deal", "payment", "lease_grant"]

    /// One hand of contract 1 in delegation 9, pulled in ten grants, every account worked once.
    private func deal(_ accounts: Int, _ link: PgLink) throws {
        try link.script(
            ClosingFixture.isOver + ClosingFixture.parties + ClosingFixture.schedules
                + """
                INSERT INTO plan (period, state, seed, segmentation_digest, digest, made_at)
                VALUES (202403, 'applied', 1, '', '', '2024-03-01');
                INSERT INTO import (kind, period, file_name, digest, rows_good, rows_bad, imported_at)
                VALUES ('facts', 202403, 'f', '', 1, 0, '2024-03-31');
                INSERT INTO hand VALUES (9, 1, '{1}', 2, 1, 202403, 1, false, 'open', \(accounts), 30, 60, 0, 0, '');
                INSERT INTO position
                SELECT 9, 1, n, 1000 + n, 1, 0, 0, 0, 1, 'rest', 1, 0, 0, 9001, '' FROM generate_series(1, \(accounts)) n;
                INSERT INTO deal SELECT delegation_id, account_id, epoch, hand_id, position FROM position;
                INSERT INTO lease_grant (delegation_id, hand_id, first_position, last_position, quota_id, contract_id, agency_id,
                    instance_id, key, request_hash, accounts, exposure, total_accounts, total_exposure, left_accounts, stop,
                    held_digest, granted_at, granted_term, term, ceiling, grace_us, outage_us)
                SELECT 9, 1, 1 + n * \(accounts / 10), (n + 1) * \(accounts / 10), 1, 1, 1, 1, n, '', \(accounts / 10), 0, 0, 0, 0,
                    'limit', '', '2024-03-02T18:00:00Z', '2024-04-01', '2024-04-01', '2024-05-01', 0, 0
                FROM generate_series(0, 9) n;
                INSERT INTO outcome
                SELECT 202403, 9, 1, 1, n, n, 1000 + n, 1, 1, n, 1, '2024-03-17T18:00:00Z', '2024-03-17T19:00:00Z', 'phone-out',
                    'direct', 'refusal', NULL, NULL, NULL, NULL, ''
                FROM generate_series(1, \(accounts)) n;

                """ + ClosingContingencyOracle.terms)
        // As an import makes the month's cut.
        try link.script("ALTER TABLE account_202403 ADD PRIMARY KEY (delegation_id, account_id); ANALYZE")
    }

    /// Rows that scans of tables and of their indexes have read so far.
    private func reads(_ link: PgLink) throws -> [String: Int64] {
        _ = try link.run("SELECT pg_stat_force_next_flush()")
        let rows = try link.run(
            """
            SELECT t.relname::text, (t.seq_tup_read + coalesce((SELECT sum(i.idx_tup_read) FROM pg_stat_user_indexes i
                WHERE i.relid = t.relid), 0))::bigint
            FROM pg_stat_user_tables t WHERE t.relname = ANY ($1::text[])
            """, [.texts(Self.tables)])
        return Dictionary(rows.map { ($0.text(0), $0.int64(1)) }, uniquingKeysWith: +)
    }

    @Test(.timeLimit(.minutes(2)))
    func `the indicators of a closed month read each account a bounded number of times`() async throws {
        let accounts: Int64 = 4_000
        try await TestDatabase.with { database in
            let link = try database.link()
            try deal(Int(accounts), link)
            _ = try MonthClosing(link, period: ClosingFixture.period).close()
            let before = try reads(link)
            let rows = try IndicatorReport(link, period: ClosingFixture.period).rows(by: .strategy)
            let after = try reads(link)

            #expect(rows.map(\.key) == ["administrative"])
            #expect(rows[0].figures.contains { $0.indicator == .perPeso && $0.denominator > 0 })
            #expect(before.count == Self.tables.count)
            for table in Self.tables {
                let read = after[table, default: 0] - before[table, default: 0]
                #expect(read <= accounts * 30, "\(table): \(read) rows read of \(accounts) accounts")
            }
            // Nor is it nothing: the figures were counted.
            #expect(after["outcome_202403", default: 0] - before["outcome_202403", default: 0] >= accounts)
        }
    }
}
