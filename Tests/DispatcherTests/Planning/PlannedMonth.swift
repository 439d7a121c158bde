// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
import PgStore
import TestSupport

/// A small operation in a database of its own: two delegations, four contracts, a cut of every kind of account.
struct PlannedMonth {
    static let march = Period(monthsSinceYear0: 2024 * 12 + 2)
    static let april = Period(monthsSinceYear0: 2024 * 12 + 3)

    let link: PgLink
    let policy: PolicyFile

    static func with(_ body: (PlannedMonth) throws -> Void) async throws {
        let policy = try ShippedPolicy.infonavit()
        try await TestDatabase.with { database in
            let month = PlannedMonth(link: try database.link(), policy: policy)
            try month.openPeriod(march)
            try month.addContracts()
            try body(month)
        }
    }

    func openPeriod(_ period: Period) throws {
        try link.run("INSERT INTO period (period, opened_at) VALUES ($1, now_instant())", [.int32(period.number)])
        try link.run(
            """
            INSERT INTO import (kind, period, file_name, digest, rows_good, rows_bad, imported_at)
            VALUES ('cut', $1, 'test.csv', '\\x00', 0, 0, now_instant())
            """, [.int32(period.number)])
    }

    /// `count` accounts in each of the delegations 9 and 14: n arrears of 0 to 13 in turn; every third of those above four
    /// was transferred in 2020, every seventh account has an extension.
    func addCut(_ period: Period = march, count: Int32 = 1_900, descending: Bool = false) throws {
        let partition = "account_\(period.number)"
        try link.script(
            """
            CREATE TABLE \(partition) (LIKE account INCLUDING ALL);
            ALTER TABLE \(partition) ADD PRIMARY KEY (delegation_id, account_id);
            ALTER TABLE account ATTACH PARTITION \(partition) FOR VALUES IN (\(period.number))
            """)
        try link.run(
            """
            INSERT INTO account
            SELECT $1, d, d * 100000 + n, n, d * 1000 + 1, NULL, 2, 1, 1, 1, 1, 45000000, 32900000, 330000,
                   330000 * (n % 14), n % 14, n % 14, 30 * (n % 14), CASE WHEN n % 7 = 3 THEN date '2024-12-31' END, 0, NULL,
                   NULL, NULL, NULL, CASE WHEN n % 11 = 0 THEN 1 ELSE 0 END, 0, false,
                   CASE WHEN n % 14 > 4 AND n % 3 = 0 THEN date '2020-05-04' END, false, NULL, NULL, n % 2 = 0, 6000,
                   n % 13 = 0, 1000, false, n % 5 <> 0, true, true, 'R' || n
              FROM (VALUES (9::smallint), (14::smallint)) AS v (d), generate_series(1, $2) AS n
             ORDER BY CASE WHEN $3 THEN -n ELSE n END
            """, [.int32(period.number), .int32(count), .bool(descending)])
    }

    /// Contracts 1 and 2 of all strategies in both delegations, 3 in delegation 14 alone with a bond, 4 preventive.
    func addContracts() throws {
        try link.script(
            """
            INSERT INTO agency (agency_id, name) SELECT n, 'A' || n FROM generate_series(1, 4) n;
            INSERT INTO contract (contract_id, agency_id, number, tender, zone_id, strategies, starts_on, ends_on,
                                  capacity_basis, bond, exposure_basis, exposure_factor_bp, fee_schedule,
                                  penalty_schedule, rule_packs)
            VALUES (1, 1, 'C1', 'T', 1, '{2,3,4}', '2023-01-01', '2024-12-31', 'committed', 0, 'none', 10000, 'f', 'p', '{}'),
                   (2, 2, 'C2', 'T', 1, '{2,3,4}', '2023-01-01', '2024-12-31', 'committed', 0, 'none', 10000, 'f', 'p', '{}'),
                   (3, 3, 'C3', 'T', 1, '{2}', '2023-01-01', '2024-12-31', 'committed', 10000000, 'overdue', 10000, 'f', 'p', '{}'),
                   (4, 4, 'C4', 'T', 1, '{1}', '2023-01-01', '2024-12-31', 'present', 0, 'none', 10000, 'f', 'p', '{}');
            INSERT INTO contract_capacity
            SELECT c, d, p, 10, 200 FROM generate_series(1, 4) c, (VALUES (9), (14)) AS v (d), generate_series(1, 2) p
             WHERE c <> 3 OR d = 14
            """)
    }

    func addStop(account: Int64, reason: String, in period: Period = march) throws {
        try link.run(
            """
            INSERT INTO stop (period, delegation_id, account_id, reason, from_on, import_id)
            SELECT $1, $2 / 100000, $2, $3, '2024-03-01', max(import_id) FROM import
            """, [.int32(period.number), .int64(account), .text(reason)])
    }

    @discardableResult
    func segment(_ period: Period = march) throws -> SegmentationReport {
        try SegmentationRun(link, period: period, policy: policy).run()
    }

    func plan(_ period: Period = march, seed: Int64? = nil) -> PlanRun { PlanRun(link, period: period, seed: seed) }

    func number(_ sql: String) throws -> Int64 { try link.run(sql).first?.int64(0) ?? -1 }

    /// Leases the first `accounts` positions of a hand, as a pull would.
    func lease(hand: Int32, accounts: Int32) throws {
        try link.run(
            """
            INSERT INTO lease_grant (delegation_id, hand_id, first_position, last_position, quota_id, contract_id, agency_id,
                                     instance_id, key, request_hash, accounts, exposure, total_accounts, total_exposure,
                                     left_accounts, stop, held_digest, granted_at, granted_term, term, ceiling, grace_us,
                                     outage_us)
            SELECT h.delegation_id, h.hand_id, 1, $2, q.quota_id, q.contract_id, q.contract_id, 1, h.hand_id, '', $2, 0, $2, 0, 0,
                   'limit', '', now_instant(), now_instant() + interval '60 days', now_instant() + interval '60 days',
                   now_instant() + interval '60 days', 86400000000, 0
              FROM hand h
              JOIN quota q ON q.delegation_id = h.delegation_id AND q.contract_id = h.contract_ids[1]
                          AND q.strategy = h.strategy AND q.portfolio = h.portfolio
             WHERE h.hand_id = $1
            """, [.int32(hand), .int32(accounts)])
    }
}
