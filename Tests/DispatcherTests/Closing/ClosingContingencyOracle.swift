// SPDX-License-Identifier: Apache-2.0

import Assignment
import PgStore

/// Fees by band, budgets, limits of penalties and the penalties of preventive contracts, computed a second time in plain SQL from what
/// docs/closing.md says. Shares no code with the close, and counts otherwise: account by account, in numeric.
enum ClosingContingencyOracle {
    /// Contracts 1 and 2, of agency 1, pay by band, with a budget that may run out and a limit of penalties; contract 3 is a
    /// preventive one.
    static let terms = bands + others

    /// FEE-01 to FEE-05 as they ship, in the fixture's schedule of fees. Without the file it is no SQL, and every test that takes it fails.
    private static let bands: String = {
        let rows = ((try? ShippedSchedules.rows("schedules-fna.csv")) ?? []).filter { MoraBand(rawValue: $0[3]) != nil }
        let values = rows.map { "('fees', 'fee', '2023-01-01', '\($0[3])', '\($0[4])', '\($0[5])')" }
        return "INSERT INTO schedule VALUES \(values.joined(separator: ", "));\n"
    }()

    private static let others = """
        CREATE TABLE account_202403 PARTITION OF account FOR VALUES IN (202403);
        UPDATE position SET overdue = 1000 + (account_id * 7919 % 20000);
        INSERT INTO account (period, delegation_id, account_id, line, municipality, regime, accounting, situation, book, currency,
            original_amount, balance, due, overdue, unpaid, arrears, days_late, extension_months, incomplete_payments,
            restructures, restructure_in_cure, suit_profiled, agreement_available, instalment_drop_bp, signed,
            payment_probability_bp, cofinanced, has_phone, has_email, has_address, reference)
        SELECT DISTINCT ON (delegation_id, account_id) 202403, delegation_id, account_id, 1, 9001, 1, 2, 1, 1, 1, 1, 1, 1, overdue, 2,
            2, (ARRAY[0, 1, 30, 31, 60, 61, 90, 91, 120, 121, 500])[1 + account_id % 11], 0, 0, 0, false, false, true, 0, false, 0,
            false, true, true, true, 'r'
        FROM position;
        INSERT INTO schedule VALUES ('fees', 'fee', '2023-01-01', 'FEE-10', 'origin.borrower', 'yes'),
            ('fees', 'fee', '2023-01-01', 'FEE-10', 'origin.employer', 'yes'), ('fees', 'fee', '2023-01-01', 'FEE-10', 'origin.fpp', 'no');
        INSERT INTO schedule SELECT 'budgeted', kind, effective_on, rule, parameter, value FROM schedule WHERE schedule = 'fees';
        INSERT INTO schedule VALUES ('budgeted', 'fee', '2023-01-01', 'AGY-15', 'budget', (500 + floor(random() * 1500))::text);
        UPDATE contract SET fee_schedule = 'budgeted' WHERE contract_id = 2;
        INSERT INTO schedule VALUES ('fines', 'penalty', '2023-01-01', 'AMB-15', 'max_total_pct', (5 + floor(random() * 500) / 10)::text),
            ('plain', 'fee', '2023-01-01', 'FEE-11', 'administrative.phone', '10.00'),
            ('preventive', 'penalty', '2023-01-01', 'PEN-20', 'rate', '5'),
            ('preventive', 'penalty', '2023-01-01', 'PEN-20', 'threshold', '80'),
            ('preventive', 'penalty', '2023-01-01', 'PEN-21', 'rate', '2'), ('preventive', 'penalty', '2023-01-01', 'PEN-22', 'rate', '2'),
            ('preventive', 'penalty', '2023-01-01', 'PEN-22', 'threshold', '80'),
            ('preventive', 'penalty', '2023-01-01', 'IVA', 'rate', '16');
        INSERT INTO schedule
        SELECT 'plain', kind, effective_on, rule, parameter, value FROM schedule WHERE schedule = 'fees' AND rule = 'FEE-11'
        ON CONFLICT DO NOTHING;
        UPDATE contract SET fee_schedule = 'plain', penalty_schedule = 'preventive' WHERE contract_id = 3;
        INSERT INTO payment
        SELECT 202403, 'P' || delegation_id || '-' || account_id || '-' || n, delegation_id, account_id,
            '2024-03-01'::date + floor(random() * 31)::int, 500 + floor(random() * 15000)::int,
            (ARRAY['borrower', 'employer', 'fpp'])[1 + floor(random() * 3)::int], NULL, 1
        FROM (SELECT DISTINCT delegation_id, account_id FROM position) a, generate_series(1, 2) n WHERE random() < 0.6;
        INSERT INTO payment
        SELECT 202403, payment_id || '-back', delegation_id, account_id, '2024-03-31', amount, origin, payment_id, 1
        FROM payment WHERE random() < 0.15;
        INSERT INTO fact (period, fact_id, kind, contract_id, delegation_id, on_date, portfolio, value, import_id)
        SELECT 202403, 'Q' || d || n, 'quality', 3, d, '2024-03-20', 1, (65 + floor(random() * 30))::text, 1
        FROM unnest('{9,14}'::int[]) d, generate_series(1, 2) n WHERE random() < 0.8;
        INSERT INTO fact (period, fact_id, kind, contract_id, delegation_id, on_date, value, import_id)
        SELECT 202403, 'R' || d || n, 'requirement', 3, d, '2024-03-20', CASE WHEN random() < 0.7 THEN 'yes' ELSE 'no' END, 1
        FROM unnest('{9,14}'::int[]) d, generate_series(1, 2) n;
        INSERT INTO fact (period, fact_id, kind, contract_id, delegation_id, on_date, subject, value, minimum, weight, import_id)
        SELECT 202403, 'G' || d || n, 'goal', 3, d, '2024-03-01', 'worked', (60 + floor(random() * 60))::text, '100', n::text, 1
        FROM unnest('{9,14}'::int[]) d, generate_series(1, 2) n WHERE random() < 0.8;

        """

    static let emptied = "DROP TABLE account_202403; TRUNCATE payment, fact CASCADE;"

    /// By contract: fees by band, cut by the budget, penalties before the limit, what the limit takes, PEN-20, PEN-21 and PEN-22, then all
    /// fees, penalties, IVA on fees and IVA on penalties; in pesos.
    static func contracts(_ link: PgLink) throws -> [String] {
        try link.run(sql).map { row in (0..<12).map { row.text($0) }.joined(separator: " ") }
    }

    /// By contract, delegation and band: overdue value assigned, what of it was recovered, and that in whole percent; in pesos.
    static func bands(_ link: PgLink) throws -> [String] {
        try link.run(
            """
            \(common)
            SELECT contract_id, delegation_id, rule, (sum(overdue) / 100.0)::numeric(20,2)::text,
                (sum(recovered) / 100.0)::numeric(20,2)::text, trunc(100.0 * sum(recovered) / sum(overdue))::int::text
            FROM counted GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
            """
        ).map { "\($0.int32(0)) \($0.int16(1)) " + [2, 3, 4, 5].map($0.text).joined(separator: " ") }
    }

    private static let common = """
        WITH valid AS (
            SELECT o.*, h.strategy,
                CASE WHEN o.result = 'agreement-signed' THEN 'agreement' WHEN o.channel LIKE 'phone%' THEN 'phone'
                    WHEN o.channel IN ('letter', 'mediation-invitation') THEN 'letter' WHEN o.channel IN ('email', 'sms') THEN 'message'
                    WHEN o.channel LIKE '%visit' THEN 'visit'
                    WHEN o.result IN ('session-scheduled', 'no-show', 'no-answer') THEN NULL ELSE 'session' END AS kind
            FROM outcome o JOIN hand h ON h.hand_id = o.hand_id LEFT JOIN review r ON r.outcome_id = o.outcome_id
            WHERE coalesce(r.decision = 'approved',
                NOT (o.result ~ '^dwelling-|^agreement-signed$' OR coalesce('HRS-01' = ANY (o.marks), false)))),
        ranked AS (
            SELECT *, row_number() OVER (PARTITION BY account_id, strategy, kind ORDER BY outcome_id) AS n FROM valid),
        place AS (
            SELECT DISTINCT k.contract_id, k.delegation_id, c.fee_schedule, c.penalty_schedule, c.agency_id
            FROM contract_capacity k JOIN contract c USING (contract_id)),
        held AS (
            SELECT y.account_id, y.origin, y.amount * CASE WHEN y.reverses IS NULL THEN 1 ELSE -1 END AS amount,
                \(OraclePayments.ofHolder)),
        paid AS (
            SELECT contract_id, account_id, sum(amount) AS amount FROM held WHERE origin IN ('borrower', 'employer') GROUP BY 1, 2),
        latest AS (
            SELECT DISTINCT ON (h.contract_ids[1], d.account_id) h.contract_ids[1] AS contract_id, d.delegation_id, d.account_id,
                h.portfolio, p.overdue, a.days_late,
                coalesce(e.ended_at < '2024-04-01T06:00:00Z' AND (e.kind IN ('withdrawal', 'exclusion')
                    OR e.kind = 'recall' AND e.reason <> 'unlocatable'
                    OR e.kind IN ('return', 'recall') AND e.reason = 'unlocatable' AND EXISTS (
                        SELECT FROM outcome o JOIN review r USING (outcome_id)
                        WHERE o.account_id = d.account_id AND o.epoch = d.epoch AND o.contact = 'unlocatable' AND r.decision = 'approved')),
                    false) AS is_out
            FROM deal d JOIN hand h ON h.hand_id = d.hand_id JOIN position p ON p.hand_id = d.hand_id AND p.position = d.position
            JOIN account a ON a.account_id = d.account_id
            LEFT JOIN ending e ON e.account_id = d.account_id AND e.epoch = d.epoch
            ORDER BY h.contract_ids[1], d.account_id, d.epoch DESC),
        counted AS (
            SELECT l.*, CASE WHEN days_late <= 30 THEN 'FEE-01' WHEN days_late <= 60 THEN 'FEE-02' WHEN days_late <= 90 THEN 'FEE-03'
                    WHEN days_late <= 120 THEN 'FEE-04' ELSE 'FEE-05' END AS rule,
                CASE WHEN coalesce(paid.amount, 0) < 0 THEN 0 WHEN coalesce(paid.amount, 0) > overdue THEN overdue
                    ELSE coalesce(paid.amount, 0) END AS recovered
            FROM latest l LEFT JOIN paid USING (contract_id, account_id)
            WHERE days_late > 0 AND contract_id < 3 AND (NOT is_out OR paid.amount > 0))
        """

    private static let sql = """
        \(common),
        share AS (
            SELECT rule, trunc(100.0 * sum(recovered) / sum(overdue)) AS percent FROM counted GROUP BY rule),
        rate AS (
            SELECT rule, (
                SELECT s.value::numeric FROM schedule s
                WHERE s.schedule = 'fees' AND s.rule = share.rule AND s.parameter <> 'minimum'
                    AND split_part(s.parameter, '-', 1)::int <= percent
                ORDER BY split_part(s.parameter, '-', 1)::int DESC LIMIT 1) AS rate
            FROM share),
        band AS (
            SELECT contract_id, delegation_id, sum(round(recovered * rate / 10000.0, 2)) AS amount
            FROM (SELECT contract_id, delegation_id, rule, sum(recovered) AS recovered FROM counted GROUP BY 1, 2, 3) b
            JOIN rate USING (rule)
            GROUP BY 1, 2),
        fee AS (
            SELECT p.*, coalesce((SELECT amount FROM band b WHERE (b.contract_id, b.delegation_id) = (p.contract_id, p.delegation_id)), 0)
                AS by_band,
                coalesce((SELECT sum(s.value::numeric) FROM ranked r JOIN schedule s ON s.schedule = p.fee_schedule
                    AND s.parameter = CASE r.strategy WHEN 2 THEN 'administrative' ELSE 'dual' END || '.' || r.kind
                    WHERE r.n = 1 AND (r.contract_id, r.delegation_id) = (p.contract_id, p.delegation_id)), 0) AS by_service
            FROM place p),
        present AS (
            SELECT DISTINCT ON (contract_id, delegation_id, portfolio) contract_id, delegation_id, portfolio, value::numeric AS n
            FROM fact WHERE kind = 'staffing' AND fact_id NOT IN (SELECT supersedes FROM fact WHERE supersedes IS NOT NULL)
            ORDER BY contract_id, delegation_id, portfolio, on_date DESC),
        section AS (
            SELECT f.*, by_band + by_service AS fees, CASE WHEN f.contract_id = 3 THEN 0 ELSE
                coalesce((SELECT sum(greatest(ceil((SELECT count(*) FROM latest l WHERE NOT l.is_out AND l.portfolio = s.portfolio
                        AND (l.contract_id, l.delegation_id) = (f.contract_id, f.delegation_id)) / 7.0) - s.n, 0)
                        * CASE s.portfolio WHEN 1 THEN 7000 ELSE 9000 END)
                    FROM present s WHERE (s.contract_id, s.delegation_id) = (f.contract_id, f.delegation_id)), 0)
                + CASE WHEN EXISTS (SELECT FROM fact v WHERE (v.contract_id, v.delegation_id) = (f.contract_id, f.delegation_id)
                        AND (v.subject = 'adviser-absent' OR v.subject = 'office-closed' AND v.value = 'no'))
                    THEN round((by_band + by_service) * 0.025, 2) ELSE 0 END
                + (SELECT count(*) FROM (SELECT FROM outcome o JOIN review r USING (outcome_id)
                        WHERE o.result IN ('dwelling-irregular', 'agreement-signed')
                            AND (o.contract_id, o.delegation_id) = (f.contract_id, f.delegation_id)
                        GROUP BY o.result HAVING avg((r.decision = 'rejected')::int::numeric) > 0.30) x)
                    * round((by_band + by_service) * 0.05, 2) END AS fines
            FROM fee f),
        whole AS (
            SELECT contract_id, sum(by_band) AS by_band, sum(fees) AS fees, sum(fines) AS fines,
                sum(round(fees * 0.16, 2)) AS tax_on_fees, sum(round(fines * 0.16, 2)) AS tax_on_fines
            FROM section GROUP BY contract_id),
        limited AS (
            SELECT w.*,
                CASE WHEN contract_id = 2 THEN greatest(fees
                    - (SELECT value::numeric FROM schedule WHERE rule = 'AGY-15'), 0) ELSE 0 END AS cut,
                CASE WHEN contract_id < 3 THEN greatest(fines - round(fees
                    * (SELECT value::numeric FROM schedule WHERE rule = 'AMB-15') / 100, 2), 0) ELSE 0 END AS over,
                CASE WHEN contract_id = 3 AND (SELECT avg(value::numeric) FROM fact WHERE kind = 'quality') < 80
                    THEN round(fees * 0.05, 2) ELSE 0 END AS pen20,
                CASE WHEN contract_id = 3 AND EXISTS (SELECT FROM fact WHERE kind = 'requirement' AND value = 'no')
                    THEN round(fees * 0.02, 2) ELSE 0 END AS pen21,
                CASE WHEN contract_id = 3 AND EXISTS (SELECT FROM fact WHERE kind = 'goal' GROUP BY delegation_id
                        HAVING sum(weight::numeric * value::numeric / minimum::numeric) / sum(weight::numeric) < 0.80)
                    THEN round(fees * 0.02, 2) ELSE 0 END AS pen22
            FROM whole w)
        SELECT contract_id::text, by_band::numeric(20,2)::text, cut::numeric(20,2)::text, fines::numeric(20,2)::text,
            over::numeric(20,2)::text, pen20::numeric(20,2)::text, pen21::numeric(20,2)::text, pen22::numeric(20,2)::text,
            (fees - cut)::numeric(20,2)::text, (fines - over + pen20 + pen21 + pen22)::numeric(20,2)::text,
            (tax_on_fees - round(cut * 0.16, 2))::numeric(20,2)::text,
            (tax_on_fines + round((pen20 + pen21 + pen22 - over) * 0.16, 2))::numeric(20,2)::text
        FROM limited ORDER BY contract_id
        """
}
