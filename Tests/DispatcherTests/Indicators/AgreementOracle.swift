// SPDX-License-Identifier: Apache-2.0

import Assignment
import PgStore

/// IND-13 by agency in plain SQL: month by month, without what the report computes with.
enum AgreementOracle {
    /// Agreements of January to March under three contracts of two agencies, approved or not, some of an account twice; payments of
    /// debtors and employers until July, some in a later feed than their own month's, some taken back in a later one.
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
        SELECT 202401 + n % 3, 9 + n % 2, 7, 1, n, n, (n + 4) / 5 + 700 * (n % 2), 1, 1, 1, 1 + (n / 7) % 3,
            make_timestamptz(2024, 1 + n % 3, 10, 16, 0, 0, 'UTC'), '2024-04-01', 'mediation-session', 'direct', 'agreement-signed',
            10000, NULL, NULL, NULL, ''
        FROM generate_series(1, 300) n;
        INSERT INTO review SELECT period, delegation_id, outcome_id, CASE WHEN random() < 0.8 THEN 'approved' ELSE 'rejected' END, 'r',
            's', '2024-04-01'
        FROM outcome WHERE random() < 0.9;
        INSERT INTO payment
        SELECT least(202407, 202400 + m + CASE WHEN random() < 0.75 THEN 0 ELSE 1 + floor(random() * 3)::int END), 'P' || d || '-' || a || '-' || m, d,
            a + 700 * (d - 9), make_date(2024, m, 20), 100, CASE WHEN random() < 0.6 THEN 'borrower'
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
        return try link.run(
            """
            \(course(byCalendar: byCalendar))
            SELECT c.period || ' ACE' || lpad(t.agency_id::text, 2, '0') || ' ' || count(*) || ' ' || \(sides.joined(separator: " || ' ' || "))
            FROM course c JOIN outcome o ON o.period = c.period AND o.outcome_id = c.outcome_id JOIN contract t USING (contract_id)
            GROUP BY c.period, t.agency_id ORDER BY c.period, t.agency_id
            """, [.int32(through)]
        ).map { $0.text(0) }
    }

    /// What each agreement has come to by a close of $1, a month of 2024: how many payments in a row, of how many months that are known.
    ///
    /// A month is covered by anything of its own, or by an employer's payment of the other month of its pair; uncovered, it is settled
    /// with the later month of the pair, and what comes in later feeds covers it no more: it was covered at every close since then.
    private static func course(byCalendar: Bool) -> String {
        """
        WITH signed AS (
            SELECT period, delegation_id, account_id, min(outcome_id) AS outcome_id FROM outcome JOIN review USING (period, delegation_id, outcome_id)
            WHERE decision = 'approved' AND period <= $1 GROUP BY 1, 2, 3),
        money AS (
            SELECT g % 100 AS as_of, p.delegation_id, p.account_id, p.origin, extract(month FROM p.paid_on)::int AS month
            FROM generate_series(202401, $1) g JOIN payment p ON p.reverses IS NULL AND p.period <= g
            LEFT JOIN payment r ON r.reverses = p.payment_id AND r.period <= g
            WHERE p.amount > coalesce(r.amount, 0)),
        months AS (
            SELECT s.*, k, s.period % 100 + k AS month, s.period % 100 + k <= $1 % 100 AS is_over,
                CASE WHEN \(byCalendar) THEN s.period % 100 + k + (s.period % 100 + k) % 2
                    ELSE s.period % 100 + k + (k + 1) % 2 END AS settled
            FROM signed s, generate_series(0, 5) k),
        paid AS (
            SELECT m.period, m.outcome_id, m.k, count(DISTINCT x.as_of) AS closes
            FROM months m JOIN money x USING (delegation_id, account_id)
            WHERE x.as_of >= least(settled, $1 % 100) AND (x.month = m.month OR x.origin = 'employer' AND CASE WHEN \(byCalendar)
                THEN (x.month + 1) / 2 = (m.month + 1) / 2
                ELSE floor((x.month - m.period % 100) / 2.0) = floor((m.month - m.period % 100) / 2.0) END)
            GROUP BY 1, 2, 3),
        judged AS (
            SELECT m.*, settled <= $1 % 100 AS is_settled,
                coalesce(closes, 0) = $1 % 100 - least(settled, $1 % 100) + 1 AS is_paid
            FROM months m LEFT JOIN paid USING (period, outcome_id, k)),
        course AS (
            SELECT period, outcome_id, coalesce(min(k) FILTER (WHERE NOT (is_paid AND is_over)), 6) AS covered,
                count(*) FILTER (WHERE is_over AND (is_paid OR is_settled)) AS over
            FROM judged GROUP BY 1, 2)
        """
    }

    /// Two hands of each of three strategies and months of the first deal, in each delegation; every tenth agreement is of none that is
    /// known, every seventh account in no cut.
    static let dealt = """
        INSERT INTO period SELECT p, 'closed', '2023-11-01', NULL, NULL FROM unnest('{202311,202312}'::int[]) p;
        INSERT INTO plan (period, state, seed, segmentation_digest, digest, made_at)
        VALUES (202401, 'applied', 1, '', '', '2024-01-01');
        INSERT INTO hand
        SELECT d, h, '{1}', 2 + h % 3, 1, (ARRAY[202311, 202312, 202401])[1 + (h + d) % 3], 1, false, 'open', 300, 30, 60, 0, 0, ''
        FROM unnest('{9,10}'::int[]) d, generate_series(1, 6) h;
        UPDATE outcome SET hand_id = CASE WHEN outcome_id % 10 = 0 THEN 99 ELSE 1 + outcome_id % 6 END, position = outcome_id;
        INSERT INTO position
        SELECT delegation_id, hand_id, position, account_id, outcome_id, 0, 0, 0, 1, 'tactic-' || outcome_id % 4, 1, 0, 0, 9001, ''
        FROM outcome WHERE hand_id <> 99;
        INSERT INTO deal SELECT delegation_id, account_id, epoch, hand_id, position FROM position;
        CREATE TABLE account_202401 PARTITION OF account FOR VALUES IN (202401);
        CREATE TABLE account_202402 PARTITION OF account FOR VALUES IN (202402);
        CREATE TABLE account_202403 PARTITION OF account FOR VALUES IN (202403);
        INSERT INTO account (period, delegation_id, account_id, line, municipality, regime, accounting, situation, book, currency,
            original_amount, balance, due, overdue, unpaid, arrears, days_late, extension_months, incomplete_payments, restructures,
            restructure_in_cure, suit_profiled, agreement_available, instalment_drop_bp, signed, payment_probability_bp, cofinanced,
            has_phone, has_email, has_address, reference)
        SELECT p, d, a + 700 * (d - 9), a, 9001, 1, 2, 1, 1, 1, 1, 1, 1, 10000, 2, 2, (ARRAY[0, 20, 45, 130])[1 + (a + p) % 4], 0, 0, 0, false, false,
            true, 0, false, 0, false, true, true, true, 'r'
        FROM generate_series(202401, 202403) p, unnest('{9,10}'::int[]) d, generate_series(1, 60) a WHERE a % 7 <> 0;
        """

    /// How the value of a cut is named, of an agreement's outcome `o`.
    private static func name(_ cut: IndicatorCut) -> String {
        func ofHand(_ expression: String) -> String {
            "coalesce((SELECT \(expression) FROM hand h WHERE h.delegation_id = o.delegation_id AND h.hand_id = o.hand_id), 'unknown')"
        }
        return switch cut {
        case .total: "'all'"
        case .agency:
            "(SELECT 'ACE' || lpad(agency_id::text, 2, '0') FROM contract t WHERE t.contract_id = o.contract_id)"
        case .contract: "o.contract_id::text"
        case .delegation: "o.delegation_id::text"
        case .contractDelegation: "o.contract_id || '/' || o.delegation_id"
        case .strategy:
            ofHand("CASE h.strategy WHEN 2 THEN 'administrative' WHEN 3 THEN 'dual' WHEN 4 THEN 'mediation' END")
        case .tactic: "CASE WHEN o.hand_id = 99 THEN 'unknown' ELSE 'tactic-' || o.outcome_id % 4 END"
        case .band:
            """
            CASE WHEN o.account_id % 7 = 0 THEN 'unknown'
                ELSE (ARRAY['current', '1–30', '31–60', '> 120'])[1 + (o.account_id + o.period) % 4] END
            """
        case .vintage:
            """
            coalesce((SELECT to_char(min(h.period) / 100, 'FM0000') || '-' || to_char(min(h.period) % 100, 'FM00')
                FROM outcome d JOIN hand h ON h.delegation_id = d.delegation_id AND h.hand_id = d.hand_id
                WHERE (d.delegation_id, d.account_id) = (o.delegation_id, o.account_id)), 'unknown')
            """
        }
    }

    /// `value figure count denominator` of a close, sorted: over the months of signature of which everything is known.
    static func figures(_ link: PgLink, through: Int32, by cut: IndicatorCut) throws -> [String] {
        try [("second", 2), ("third", 3), ("cure", 3), ("maintenance", 6)].flatMap { figure, payments in
            try link.run(
                """
                \(course(byCalendar: true)),
                whole AS (
                    SELECT period FROM course GROUP BY 1
                    HAVING bool_and(covered >= \(payments) OR covered < least(\(payments), over)))
                SELECT key || ' IND-13/\(figure) ' || count(*) FILTER (WHERE covered >= \(payments)) || ' ' || count(*)
                FROM (SELECT \(name(cut)) AS key, c.covered
                    FROM course c JOIN whole USING (period) JOIN outcome o ON o.period = c.period AND o.outcome_id = c.outcome_id) named
                GROUP BY key
                """, [.int32(through)]
            ).map { $0.text(0) }
        }.sorted()
    }
}
