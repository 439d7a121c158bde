// SPDX-License-Identifier: Apache-2.0

import PgStore

/// IND-13 by agency in plain SQL: month by month, without what the report computes with.
enum AgreementOracle {
    /// Agreements of January to March under three contracts of two agencies, approved or not, some of an account twice; payments of
    /// debtors and employers until July, some taken back in a later feed.
    static let months = """
        INSERT INTO period SELECT p, 'open', '2024-01-01', NULL, NULL FROM generate_series(202401, 202407) p;
        CREATE TABLE outcome_202401 PARTITION OF outcome FOR VALUES IN (202401);
        CREATE TABLE outcome_202402 PARTITION OF outcome FOR VALUES IN (202402);
        CREATE TABLE outcome_202403 PARTITION OF outcome FOR VALUES IN (202403);
        INSERT INTO agency (agency_id, name) VALUES (1, 'Uno'), (12, 'Doce');
        INSERT INTO contract
        SELECT c, CASE WHEN c = 3 THEN 12 ELSE 1 END, 'N-' || c, 't', 1, '{2,3}', '2023-01-01', '2024-12-31', 'committed', 0, 'none',
            10000, 'fees', 'fines', '{}'
        FROM generate_series(1, 3) c;
        INSERT INTO import (kind, period, file_name, digest, rows_good, rows_bad, imported_at)
        VALUES ('payments', 202401, 'f', '', 1, 0, '2024-01-31');
        INSERT INTO outcome
        SELECT 202401 + n % 3, 9 + n % 2, 7, 1, n, n, (n + 4) / 5, 1, 1, 1, 1 + (n / 7) % 3,
            make_timestamptz(2024, 1 + n % 3, 10, 16, 0, 0, 'UTC'), '2024-04-01', 'mediation-session', 'direct', 'agreement-signed',
            10000, NULL, NULL, NULL, ''
        FROM generate_series(1, 300) n;
        INSERT INTO review SELECT period, delegation_id, outcome_id, CASE WHEN random() < 0.8 THEN 'approved' ELSE 'rejected' END, 'r',
            's', '2024-04-01'
        FROM outcome WHERE random() < 0.9;
        INSERT INTO payment
        SELECT 202400 + m, 'P' || d || '-' || a || '-' || m, d, a, make_date(2024, m, 20), 100, CASE WHEN random() < 0.6 THEN 'borrower'
            WHEN random() < 0.7 THEN 'employer' ELSE 'fpp' END, NULL, 1
        FROM generate_series(1, 60) a, unnest('{9,10}'::int[]) d, generate_series(1, 7) m
        WHERE random() < CASE WHEN a % 3 = 0 THEN 0.95 ELSE 0.6 END;
        INSERT INTO payment
        SELECT least(period + 1, 202407), payment_id || 'r', delegation_id, account_id, '2024-07-31', amount, origin, payment_id, 1
        FROM payment WHERE random() < 0.1;
        """

    /// `month agency agreements second third cured maintained`, each share as count over known, by month and agency.
    static func cohorts(_ link: PgLink, through: Int32, byCalendar: Bool, cure: Int) throws -> [String] {
        let sides = [2, 3, cure, 6].map { payments in
            """
            count(*) FILTER (WHERE covered >= \(payments)) || '/' || count(*) FILTER (WHERE covered >= \(payments) OR
                covered < least(\(payments), over))
            """
        }
        // A month is covered by anything of its own, or by an employer's payment of the other month of its pair; uncovered, it is settled
        // with the later month of the pair.
        return try link.run(
            """
            WITH signed AS (
                SELECT period, delegation_id, account_id, min(outcome_id) AS outcome_id FROM outcome JOIN review USING (period, delegation_id, outcome_id)
                WHERE decision = 'approved' AND period <= $1 GROUP BY 1, 2, 3),
            money AS (
                SELECT p.delegation_id, p.account_id, p.origin, extract(month FROM p.paid_on)::int AS month,
                    p.amount - coalesce((SELECT sum(amount) FROM payment r WHERE r.reverses = p.payment_id AND r.period <= $1), 0) AS left_over
                FROM payment p WHERE p.reverses IS NULL AND p.period <= $1),
            months AS (
                SELECT s.*, k, s.period % 100 + k AS month, s.period % 100 + k <= $1 % 100 AS is_over,
                    CASE WHEN \(byCalendar) THEN s.period % 100 + k + (s.period % 100 + k) % 2
                        ELSE s.period % 100 + k + (k + 1) % 2 END <= $1 % 100 AS is_settled
                FROM signed s, generate_series(0, 5) k),
            judged AS (
                SELECT m.*, EXISTS (SELECT FROM money x WHERE (x.delegation_id, x.account_id) = (m.delegation_id, m.account_id)
                    AND x.left_over > 0 AND (x.month = m.month OR x.origin = 'employer' AND CASE WHEN \(byCalendar)
                        THEN (x.month + 1) / 2 = (m.month + 1) / 2
                        ELSE floor((x.month - m.period % 100) / 2.0) = floor((m.month - m.period % 100) / 2.0) END)) AS is_paid
                FROM months m),
            course AS (
                SELECT period, outcome_id, coalesce(min(k) FILTER (WHERE NOT (is_paid AND is_over)), 6) AS covered,
                    count(*) FILTER (WHERE is_over AND (is_paid OR is_settled)) AS over
                FROM judged GROUP BY 1, 2)
            SELECT c.period || ' ACE' || lpad(t.agency_id::text, 2, '0') || ' ' || count(*) || ' ' || \(sides.joined(separator: " || ' ' || "))
            FROM course c JOIN outcome o ON o.period = c.period AND o.outcome_id = c.outcome_id JOIN contract t USING (contract_id)
            GROUP BY c.period, t.agency_id ORDER BY c.period, t.agency_id
            """, [.int32(through)]
        ).map { $0.text(0) }
    }
}
