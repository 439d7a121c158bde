// SPDX-License-Identifier: Apache-2.0

import PgStore

/// Contingency over the ends of months, computed a second time in plain SQL, account by account: leases that go on from month to month,
/// accounts dealt to one contract again and again, hands that contracts share, payments that come late or in grace, and payments that a
/// later feed takes back.
/// Shares no code with the close.
enum ClosingCarriedOracle {
    /// Behind ``ClosingContingencyOracle/terms``: deals of January and February, some of accounts that March has as well; ten days of grace
    /// after a return; and payments that March's feed has of any day since February. Some hands of each month are shared: in those of
    /// March one contract pulled first and another one behind it, and what nobody pulled is nobody's; what was dealt again in March is
    /// overdue otherwise than before, and some of it was taken back.
    static let terms = """
        INSERT INTO period VALUES (202401, 'closed', now(), now(), NULL), (202402, 'closed', now(), now(), NULL);
        CREATE TABLE account_202401 PARTITION OF account FOR VALUES IN (202401);
        CREATE TABLE account_202402 PARTITION OF account FOR VALUES IN (202402);
        INSERT INTO schedule SELECT s, 'fee', '2023-01-01', 'GAP-late-payment', 'days', '10' FROM unnest('{fees,budgeted}'::text[]) s;
        CREATE TEMP TABLE earlier AS
        SELECT delegation_id, account_id, month, 300 + month * 10 + contract AS hand_id, contract, random() < 0.85 AS is_leased,
            row_number() OVER (PARTITION BY delegation_id, month, contract ORDER BY account_id)::int AS position,
            CASE WHEN month = 1 THEN '2024-01-31T18:00:00Z'
                WHEN account_id < 900000 THEN (ARRAY['2024-02-20T18:00:00Z', '2024-03-01T06:00:00Z', '2024-03-02T12:00:00Z'])[dice]
                ELSE (ARRAY['2024-02-20T18:00:00Z', '2024-03-10T18:00:00Z', '2024-04-15T06:00:00Z'])[dice] END::timestamptz AS term
        FROM (
            SELECT DISTINCT p.delegation_id, p.account_id, month, 1 + floor(random() * 3)::int AS contract, 1 + floor(random() * 3)::int AS dice
            FROM (SELECT DISTINCT delegation_id, account_id FROM position) p, generate_series(1, 2) month WHERE random() < 0.5
            UNION ALL
            SELECT d, 900000 + d * 100 + n, month, 1 + n % 3, 1 + floor(random() * 3)::int
            FROM unnest('{9,14}'::int[]) d, generate_series(1, 24) n, generate_series(1, 2) month WHERE month = 2 OR n % 2 = 0) x;
        INSERT INTO hand
        SELECT d, 300 + m * 10 + c, ARRAY[c], 2, 1, 202400 + m, 1, false, 'open',
            (SELECT count(*) FROM earlier e WHERE e.delegation_id = d AND e.hand_id = 300 + m * 10 + c), 30, 60, 0, 0, ''
        FROM generate_series(1, 3) c, unnest('{9,14}'::int[]) d, generate_series(1, 2) m;
        INSERT INTO position
        SELECT delegation_id, hand_id, position, account_id, month - 2, 0, 0, 0, 1, 'rest', 1, 0, 0, 9001, '' FROM earlier;
        UPDATE position SET overdue = 1000 + floor(random() * 20000)::int WHERE hand_id > 300;
        INSERT INTO deal SELECT delegation_id, account_id, month - 2, hand_id, position FROM earlier;
        INSERT INTO lease_grant (delegation_id, hand_id, first_position, last_position, quota_id, contract_id, agency_id,
            instance_id, key, request_hash, skipped, accounts, exposure, total_accounts, total_exposure, left_accounts,
            stop, held_digest, granted_at, granted_term, term, ceiling, grace_us, outage_us)
        SELECT delegation_id, hand_id, position, position, 1, contract, 1, 1, hand_id * 1000 + position, '', NULL, 1, 0, 0, 0, 0, 'limit',
            '', make_timestamptz(2024, month, 5, 18, 0, 0, 'UTC'), term, term, '2024-05-15', 0, 0
        FROM earlier WHERE is_leased;
        INSERT INTO ending
        SELECT delegation_id, account_id, month - 2, (ARRAY['return', 'return', 'return', 'recall', 'withdrawal'])[1 + floor(random() * 5)::int],
            'capacity', least(term, make_timestamptz(2024, month + floor(random() * 2)::int, 14, 18, 0, 0, 'UTC')), hand_id, position, true
        FROM earlier WHERE is_leased AND random() < 0.5;
        INSERT INTO account (period, delegation_id, account_id, line, municipality, regime, accounting, situation, book, currency,
            original_amount, balance, due, overdue, unpaid, arrears, days_late, extension_months, incomplete_payments,
            restructures, restructure_in_cure, suit_profiled, agreement_available, instalment_drop_bp, signed,
            payment_probability_bp, cofinanced, has_phone, has_email, has_address, reference)
        SELECT 202400 + m, delegation_id, account_id, 1, 9001, 1, 2, 1, 1, 1, 1, 1, 1, 1, 2, 2,
            (ARRAY[0, 1, 30, 31, 60, 61, 90, 91, 120, 121, 500])[1 + (account_id * m) % 11], 0, 0, 0, false, false, true, 0, false, 0,
            false, true, true, true, 'r'
        FROM (SELECT DISTINCT delegation_id, account_id FROM earlier) e, generate_series(1, 3) m
        WHERE m < 3 OR account_id > 900000 AND account_id % 3 > 0;
        INSERT INTO payment
        SELECT 202403, 'L' || delegation_id || '-' || account_id || '-' || n, delegation_id, account_id,
            '2024-02-06'::date + floor(random() * 48)::int, 500 + floor(random() * 12000)::int,
            (ARRAY['borrower', 'employer', 'fpp'])[1 + floor(random() * 3)::int], NULL, 1
        FROM (SELECT DISTINCT delegation_id, account_id FROM earlier) a, generate_series(1, 2) n WHERE random() < 0.6;
        INSERT INTO payment
        SELECT 202403, payment_id || '-back', delegation_id, account_id, '2024-03-31', amount, origin, payment_id, 1
        FROM payment WHERE payment_id LIKE 'L%' AND random() < 0.15;
        UPDATE hand SET contract_ids = CASE WHEN hand_id IN (2, 5, 103, 311, 322) THEN '{1,2}' ELSE '{2,3}' END::int[]
        WHERE hand_id IN (2, 5, 10, 103, 104, 311, 322, 323);
        UPDATE lease_grant g SET contract_id = h.contract_ids[1 + (g.first_position > 6)::int] FROM hand h
        WHERE h.delegation_id = g.delegation_id AND h.hand_id = g.hand_id AND cardinality(h.contract_ids) > 1 AND g.hand_id < 300;
        UPDATE lease_grant g SET contract_id = h.contract_ids[1 + floor(random() * 2)::int] FROM hand h
        WHERE h.delegation_id = g.delegation_id AND h.hand_id = g.hand_id AND cardinality(h.contract_ids) > 1 AND g.hand_id > 300;
        UPDATE outcome o SET contract_id = g.contract_id FROM lease_grant g
        WHERE g.delegation_id = o.delegation_id AND g.hand_id = o.hand_id AND o.position BETWEEN g.first_position AND g.last_position;
        UPDATE position SET overdue = 1000 + floor(random() * 20000)::int WHERE hand_id BETWEEN 101 AND 106;
        INSERT INTO ending
        SELECT delegation_id, account_id, epoch, (ARRAY['return', 'recall', 'exclusion', 'withdrawal'])[1 + floor(random() * 4)::int],
            (ARRAY['unlocatable', 'capacity'])[1 + floor(random() * 2)::int], '2024-03-25T18:00:00Z', hand_id, position, true
        FROM position WHERE hand_id BETWEEN 101 AND 106 AND random() < 0.3;
        DROP TABLE earlier;
        ANALYZE;

        """

    /// April: contract 2 is over, no schedule has grace any more, and the feed takes payments of March's back.
    static let april = """
        INSERT INTO period VALUES (202404, 'open', now(), NULL, NULL);
        CREATE TABLE outcome_202404 PARTITION OF outcome FOR VALUES IN (202404);
        UPDATE contract SET ends_on = '2024-03-31' WHERE contract_id = 2;
        INSERT INTO schedule SELECT schedule, kind, '2024-04-01', rule, parameter, value FROM schedule
        WHERE kind = 'fee' AND effective_on = '2023-01-01' AND rule <> 'GAP-late-payment';
        INSERT INTO payment
        SELECT 202404, payment_id || '-april', delegation_id, account_id, '2024-04-05', amount, origin, payment_id, 1
        FROM payment y WHERE reverses IS NULL AND random() < 0.3
            AND NOT EXISTS (SELECT FROM payment r WHERE r.reverses = y.payment_id);
        UPDATE clock SET virtual_now = '2024-05-20T06:00:00Z';

        """

    static let emptied = """
        DROP TABLE IF EXISTS whose, every, counted; DROP TABLE outcome_202404, account_202401, account_202402;

        """

    /// Whose each payment is, whose each deal is, and what each account counts in March: tables `whose`, `every` and `counted`.
    static let tables = """
        CREATE TEMP TABLE whose AS
        SELECT y.payment_id, y.period, y.reverses, y.account_id, y.delegation_id, y.origin, x.contract_id, x.epoch,
            y.amount * CASE WHEN y.reverses IS NULL THEN 1 ELSE -1 END AS amount
        FROM payment y
        CROSS JOIN LATERAL (
            SELECT coalesce((SELECT o.paid_on FROM payment o WHERE o.payment_id = y.reverses), y.paid_on) AS paid_on) day
        LEFT JOIN LATERAL (
            SELECT g.contract_id, d.epoch
            FROM deal d JOIN lease_grant g ON g.delegation_id = d.delegation_id AND g.hand_id = d.hand_id
                AND d.position BETWEEN g.first_position AND g.last_position AND (g.skipped IS NULL OR d.position <> ALL (g.skipped))
            LEFT JOIN ending e ON e.delegation_id = d.delegation_id AND e.account_id = d.account_id AND e.epoch = d.epoch
            CROSS JOIN LATERAL (SELECT (least(e.ended_at, g.term) AT TIME ZONE interval '-6 hours')::date AS upto) last
            WHERE d.delegation_id = y.delegation_id AND d.account_id = y.account_id AND (g.granted_at AT TIME ZONE interval '-6 hours')::date <= day.paid_on
                AND last.upto + CASE WHEN e.kind = 'return' AND g.contract_id < 3 THEN 10 ELSE 0 END >= day.paid_on
            ORDER BY CASE WHEN last.upto >= day.paid_on THEN 0 ELSE 1 END, g.granted_at DESC, d.epoch DESC LIMIT 1) x ON true;
        ANALYZE whose;
        CREATE TEMP TABLE every AS
            SELECT whom.contract_id, d.delegation_id, d.account_id, d.epoch, h.period, p.overdue, g.term, e.ended_at,
                (SELECT a.days_late FROM account a WHERE a.period = h.period AND a.account_id = d.account_id) AS own,
                rank() OVER (PARTITION BY d.account_id, whom.contract_id, h.period ORDER BY d.epoch DESC) AS place,
                coalesce(e.ended_at < '2024-04-01T06:00:00Z' AND (e.kind IN ('withdrawal', 'exclusion')
                    OR e.kind = 'recall' AND e.reason <> 'unlocatable'
                    OR e.kind IN ('return', 'recall') AND e.reason = 'unlocatable' AND EXISTS (
                        SELECT FROM outcome o JOIN review r USING (outcome_id)
                        WHERE o.account_id = d.account_id AND o.epoch = d.epoch AND o.contact = 'unlocatable' AND r.decision = 'approved')),
                    false) AS is_out,
                (SELECT sum(w.amount) FROM whose w WHERE w.account_id = d.account_id AND w.contract_id = whom.contract_id
                    AND w.epoch = d.epoch AND w.period = 202403 AND w.origin <> 'fpp') AS own_paid
            FROM deal d JOIN hand h USING (delegation_id, hand_id)
            JOIN position p ON p.delegation_id = d.delegation_id AND p.hand_id = d.hand_id AND p.position = d.position
            LEFT JOIN lease_grant g ON g.delegation_id = d.delegation_id AND g.hand_id = d.hand_id
                AND d.position BETWEEN g.first_position AND g.last_position AND (g.skipped IS NULL OR d.position <> ALL (g.skipped))
            LEFT JOIN ending e ON e.delegation_id = d.delegation_id AND e.account_id = d.account_id AND e.epoch = d.epoch
            CROSS JOIN LATERAL (SELECT CASE WHEN array_length(h.contract_ids, 1) = 1 THEN h.contract_ids[1] ELSE g.contract_id END
                AS contract_id) whom
            WHERE whom.contract_id IS NOT NULL;
        CREATE TEMP TABLE counted AS
        WITH paid AS (
            SELECT contract_id, account_id, sum(amount) AS amount FROM whose
            WHERE period = 202403 AND origin <> 'fpp' GROUP BY 1, 2),
        taking AS (
            SELECT v.* FROM every v LEFT JOIN paid USING (contract_id, account_id)
            WHERE contract_id < 3 AND CASE
                WHEN period = 202403 THEN place = 1 AND (NOT is_out OR paid.amount > 0)
                WHEN own_paid > 0 THEN true
                ELSE least(ended_at, term) >= '2024-03-01T06:00:00Z' AND term IS NOT NULL AND NOT is_out END),
        of_account AS (
            SELECT contract_id, delegation_id, account_id, max(overdue) AS overdue,
                (SELECT a.days_late FROM account a WHERE a.period = 202403 AND a.account_id = t.account_id) AS now,
                (SELECT b.own FROM taking b WHERE b.account_id = t.account_id AND b.contract_id = t.contract_id AND b.own > 0
                    AND b.period < 202403 AND (b.own_paid > 0
                        OR NOT EXISTS (SELECT FROM account a WHERE a.period = 202403 AND a.account_id = t.account_id))
                    ORDER BY b.epoch DESC LIMIT 1) AS before
            FROM taking t GROUP BY 1, 2, 3)
        SELECT contract_id, delegation_id, account_id, overdue, greatest(coalesce(paid.amount, 0), 0) AS paid,
            CASE WHEN late <= 30 THEN 'FEE-01' WHEN late <= 60 THEN 'FEE-02' WHEN late <= 90 THEN 'FEE-03' WHEN late <= 120 THEN 'FEE-04'
                ELSE 'FEE-05' END AS rule
        FROM of_account LEFT JOIN paid USING (contract_id, account_id)
        CROSS JOIN LATERAL (SELECT CASE WHEN now > 0 THEN now ELSE before END AS late) l
        WHERE late > 0;

        """

    /// March by contract and delegation: accounts assigned.
    static func assigned(_ link: PgLink) throws -> [String] {
        try link.run(
            """
            SELECT concat_ws(' ', contract_id, delegation_id, count(*)) FROM every WHERE period = 202403 AND place = 1 AND NOT is_out
            GROUP BY contract_id, delegation_id ORDER BY contract_id, delegation_id
            """
        ).map { $0.text(0) }
    }

    /// Accounts that a contract pulled from a shared hand of March and was dealt again.
    static func sharedAgain(_ link: PgLink) throws -> Int64 {
        try link.run(
            """
            SELECT count(*) FROM every v JOIN deal d USING (delegation_id, account_id, epoch)
            JOIN hand h ON h.delegation_id = d.delegation_id AND h.hand_id = d.hand_id
            WHERE v.period = 202403 AND place > 1 AND array_length(h.contract_ids, 1) > 1
            """)[0].int64(0)
    }

    /// March by contract, delegation and band: overdue value assigned, and recovered.
    static func bands(_ link: PgLink) throws -> [String] {
        try link.run(
            """
            SELECT concat_ws(' ', contract_id, delegation_id, rule, (sum(overdue) / 100.0)::numeric(20,2),
                (sum(least(paid, overdue)) / 100.0)::numeric(20,2))
            FROM counted GROUP BY contract_id, delegation_id, rule ORDER BY contract_id, delegation_id, rule
            """
        ).map { $0.text(0) }
    }

    /// What April takes back, by contract, delegation and band: overdue value that does not count any more.
    static func back(_ link: PgLink) throws -> [String] {
        try link.run(
            """
            WITH taken AS (
                SELECT w.contract_id, w.account_id, sum(r.amount) AS amount FROM payment r JOIN whose w ON w.payment_id = r.reverses
                WHERE r.period = 202404 AND w.origin <> 'fpp' GROUP BY 1, 2)
            SELECT concat_ws(' ', contract_id, delegation_id, rule, (sum(lost) / 100.0)::numeric(20,2))
            FROM (
                SELECT c.*, least(paid, overdue) - least(greatest(paid - amount, 0), overdue) AS lost
                FROM counted c JOIN taken USING (contract_id, account_id)) x
            WHERE lost > 0 GROUP BY contract_id, delegation_id, rule ORDER BY contract_id, delegation_id, rule
            """
        ).map { $0.text(0) }
    }

    /// What is recovered by a month's feed, by contract and delegation.
    static func recovered(_ link: PgLink, _ period: Int32) throws -> [String] {
        try link.run(
            """
            SELECT concat_ws(' ', contract_id, delegation_id, (sum(amount) / 100.0)::numeric(20,2)) FROM whose
            WHERE period = $1 AND contract_id IS NOT NULL GROUP BY contract_id, delegation_id
            HAVING sum(amount) <> 0 ORDER BY contract_id, delegation_id
            """, [.int32(period)]
        ).map { $0.text(0) }
    }
}
