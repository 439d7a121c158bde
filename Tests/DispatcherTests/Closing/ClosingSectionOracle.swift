// SPDX-License-Identifier: Apache-2.0

import PgStore

/// A whole month's statements in plain SQL, section by section: indicators, money received, every penalty of administrative
/// contracts. Shares no code with the close, and counts otherwise: row by row, in numeric.
enum ClosingSectionOracle {
    /// What ``ClosingFixture`` has not: goals, commitments, some of which lay ahead in February, scores, earlier breaches, payments and what is taken back of them.
    static let facts = """
        INSERT INTO schedule VALUES
            ('fines', 'penalty', '2023-01-01', 'PEN-02', 'rate', '5'), ('fines', 'penalty', '2023-01-01', 'PEN-02', 'threshold', '80'),
            ('fines', 'penalty', '2023-01-01', 'PEN-04', 'low', '1.5'), ('fines', 'penalty', '2023-01-01', 'PEN-04', 'medium', '2'),
            ('fines', 'penalty', '2023-01-01', 'PEN-04', 'high', '2.5'), ('fines', 'penalty', '2023-01-01', 'PEN-06', 'rate', '2'),
            ('fines', 'penalty', '2023-01-01', 'PEN-06', 'threshold', '80'), ('fines', 'penalty', '2023-01-01', 'PEN-08', 'rate', '1'),
            ('fines', 'penalty', '2023-01-01', 'PEN-08', 'count', '3'), ('fines', 'penalty', '2023-01-01', 'PEN-08', 'months', '6');
        INSERT INTO fact (period, fact_id, kind, contract_id, delegation_id, on_date, subject, value, minimum, weight, import_id)
        SELECT 202403, 'G' || c || '-' || d || '-' || s, 'goal', c, d, '2024-03-01', s,
            CASE WHEN random() < 0.3 THEN floor(random() * 30)::text ELSE '' END, (5 + floor(random() * 20))::text,
            (1 + floor(random() * 3))::text, 1
        FROM generate_series(1, 3) c, unnest('{9,14}'::int[]) d, unnest('{worked,contacted,promises,agreements}'::text[]) s
        WHERE random() < 0.7;
        INSERT INTO fact (period, fact_id, kind, contract_id, delegation_id, on_date, subject, value, import_id)
        SELECT 202403, 'I' || c || '-' || d || '-' || n, 'improvement', c, d, '2024-03-20',
            (ARRAY['low', 'medium', 'high'])[1 + floor(random() * 3)::int], CASE WHEN random() < 0.5 THEN 'yes' ELSE 'no' END, 1
        FROM generate_series(1, 3) c, unnest('{9,14}'::int[]) d, generate_series(1, 2) n WHERE random() < 0.5;
        INSERT INTO fact (period, fact_id, kind, contract_id, delegation_id, on_date, portfolio, value, import_id)
        SELECT 202403, 'Q' || c || '-' || d, 'quality', c, d, '2024-03-20', 1, (60 + floor(random() * 40))::text, 1
        FROM generate_series(1, 3) c, unnest('{9,14}'::int[]) d WHERE random() < 0.8;
        INSERT INTO fact (period, fact_id, kind, contract_id, delegation_id, on_date, subject, value, import_id)
        SELECT 202402, 'A' || c || '-' || d, 'improvement', c, d, '2024-03-10'::date + 10 * floor(random() * 4)::int,
            (ARRAY['low', 'medium', 'high'])[1 + floor(random() * 3)::int], '', 1
        FROM generate_series(1, 3) c, unnest('{9,14}'::int[]) d WHERE random() < 0.6;
        INSERT INTO fact (period, fact_id, kind, contract_id, delegation_id, on_date, subject, value, supersedes, import_id)
        SELECT 202403, fact_id || '-judged', kind, contract_id, delegation_id, '2024-03-30', subject,
            CASE WHEN random() < 0.5 THEN 'yes' ELSE 'no' END, fact_id, 1
        FROM fact WHERE period = 202402 AND random() < 0.5;
        INSERT INTO opening_breach
        SELECT p, c, d, r, 1 FROM unnest('{202309,202310,202311,202312,202401,202402}'::int[]) p, generate_series(1, 3) c,
            unnest('{9,14}'::int[]) d, unnest('{PEN-02,PEN-04}'::text[]) r WHERE random() < 0.2;
        INSERT INTO payment
        SELECT 202403, 'P' || delegation_id || '-' || account_id || '-' || n, delegation_id, account_id,
            '2024-03-01'::date + floor(random() * 31)::int, 1000 + floor(random() * 9000)::int,
            (ARRAY['borrower', 'employer', 'fpp'])[1 + floor(random() * 3)::int], NULL, 1
        FROM (SELECT DISTINCT delegation_id, account_id FROM position) a, generate_series(1, 2) n WHERE random() < 0.3;
        INSERT INTO payment
        SELECT 202403, payment_id || '-back', delegation_id, account_id, '2024-03-31', amount, origin, payment_id, 1
        FROM payment WHERE random() < 0.2;
        INSERT INTO review
        SELECT period, delegation_id, outcome_id, CASE WHEN random() < 0.7 THEN 'approved' ELSE 'rejected' END, 'r', 's', '2024-03-31'
        FROM outcome o WHERE contact = 'unlocatable' AND random() < 0.6
            AND NOT EXISTS (SELECT FROM review r WHERE r.outcome_id = o.outcome_id) AND result !~ '^dwelling-|^agreement-'
            AND NOT coalesce('HRS-01' = ANY (marks), false);

        """

    static let emptied = "TRUNCATE payment;"

    /// By contract and delegation: dealt, assigned, pulled, worked, contacted, promises, agreements, outcomes, valid, waiting, received,
    /// received of borrowers, fees, and the penalties PEN-01 to PEN-05, PEN-07 and PEN-08; in pesos. Then what was withdrawn, recalled,
    /// excluded and confirmed unlocatable by portfolio, what was returned by reason, and IVA on fees and on penalties and payable.
    static func sections(_ link: PgLink) throws -> [String] {
        try link.run("\(common) SELECT * FROM section ORDER BY contract_id::int, delegation_id::int").map { row in
            (0..<30).map { row.text($0) }.joined(separator: " ")
        }
    }

    /// By contract: fees, penalties, IVA on fees, IVA on penalties and payable of the whole statement, each section's IVA rounded by itself.
    static func statements(_ link: PgLink) throws -> [String] {
        try link.run(
            """
            \(common), invoice AS (
                SELECT s.contract_id, sum(s.fee::numeric) AS fee, sum(s.fines::numeric) AS fines, sum(s.tax_on_fees::numeric) AS tax,
                    sum(s.tax_on_fines::numeric) AS tax_on_fines,
                    CASE WHEN (SELECT avg(value::numeric) FROM fact f WHERE f.kind = 'quality' AND f.contract_id::text = s.contract_id) < 80
                        THEN round(sum(s.fee::numeric) * 0.02, 2) ELSE 0 END AS pen06
                FROM section s GROUP BY s.contract_id)
            SELECT contract_id, fee::numeric(20,2)::text, (fines + pen06)::numeric(20,2)::text, tax::numeric(20,2)::text,
                (tax_on_fines + round(pen06 * 0.16, 2))::numeric(20,2)::text,
                (fee + tax - fines - pen06 - tax_on_fines - round(pen06 * 0.16, 2))::numeric(20,2)::text
            FROM invoice ORDER BY contract_id
            """
        ).map { row in (0..<6).map { row.text($0) }.joined(separator: " ") }
    }

    /// By contract: the penalty on the whole invoice, or 0.00.
    static func invoices(_ link: PgLink) throws -> [String] {
        try link.run(
            """
            \(common)
            SELECT s.contract_id::text, CASE WHEN (SELECT avg(value::numeric) FROM fact f WHERE f.kind = 'quality'
                    AND f.contract_id::text = s.contract_id) < 80
                THEN round(sum(s.fee::numeric) * 0.02, 2) ELSE 0.00 END::numeric(20,2)::text
            FROM section s GROUP BY s.contract_id ORDER BY s.contract_id
            """
        ).map { "\($0.text(0)) \($0.text(1))" }
    }

    private static let common = """
        WITH standing AS (
            SELECT * FROM fact WHERE fact_id NOT IN (SELECT supersedes FROM fact WHERE supersedes IS NOT NULL)),
        checked AS (
            SELECT o.*, h.strategy, r.decision,
                CASE WHEN o.result = 'agreement-signed' THEN 'agreement' WHEN o.channel LIKE 'phone%' THEN 'phone'
                    WHEN o.channel IN ('letter', 'mediation-invitation') THEN 'letter'
                    WHEN o.channel IN ('email', 'sms') THEN 'message' WHEN o.channel LIKE '%visit' THEN 'visit'
                    WHEN o.result IN ('session-scheduled', 'no-show', 'no-answer') THEN NULL ELSE 'session' END AS kind,
                o.result ~ '^dwelling-|^agreement-signed$' OR coalesce('HRS-01' = ANY (o.marks), false) AS needs
            FROM outcome o JOIN hand h ON h.hand_id = o.hand_id LEFT JOIN review r ON r.outcome_id = o.outcome_id),
        valid AS (SELECT * FROM checked WHERE coalesce(decision = 'approved', NOT needs)),
        ranked AS (
            SELECT *, row_number() OVER (PARTITION BY account_id, strategy, kind ORDER BY outcome_id) AS n FROM valid),
        latest AS (
            SELECT DISTINCT ON (h.contract_ids[1], d.account_id) h.contract_ids[1] AS contract_id, h.delegation_id,
                h.portfolio, CASE WHEN e.kind IS NULL OR e.ended_at >= '2024-04-01T06:00:00Z' THEN true
                    WHEN e.kind = 'payoff' THEN true
                    WHEN e.kind = 'return' OR e.kind = 'recall' AND e.reason = 'unlocatable' THEN NOT (e.reason = 'unlocatable'
                        AND EXISTS (SELECT FROM outcome o JOIN review r USING (outcome_id) WHERE o.account_id = d.account_id
                            AND o.epoch = d.epoch AND o.contact = 'unlocatable' AND r.decision = 'approved'))
                    ELSE false END AS is_assigned,
                CASE WHEN e.ended_at >= '2024-04-01T06:00:00Z' THEN NULL WHEN e.kind IN ('withdrawal', 'exclusion') THEN e.kind
                    WHEN e.kind = 'recall' AND e.reason <> 'unlocatable' THEN 'recall'
                    WHEN e.kind IN ('return', 'recall') AND e.reason = 'unlocatable' AND EXISTS (
                        SELECT FROM outcome o JOIN review r USING (outcome_id) WHERE o.account_id = d.account_id
                            AND o.epoch = d.epoch AND o.contact = 'unlocatable' AND r.decision = 'approved') THEN 'unlocatable' END AS fate,
                coalesce(e.kind IN ('recall', 'withdrawal', 'exclusion') AND NOT (e.kind = 'recall' AND e.reason = 'unlocatable')
                    AND e.ended_at < '2024-04-01T06:00:00Z', false) AS is_taken
            FROM deal d JOIN hand h ON h.hand_id = d.hand_id
            LEFT JOIN ending e ON e.account_id = d.account_id AND e.epoch = d.epoch
            ORDER BY h.contract_ids[1], d.account_id, d.epoch DESC),
        present AS (
            SELECT DISTINCT ON (contract_id, delegation_id, portfolio) contract_id, delegation_id, portfolio, value::numeric AS n
            FROM standing WHERE kind = 'staffing' ORDER BY contract_id, delegation_id, portfolio, on_date DESC),
        paid AS (
            SELECT y.amount * CASE WHEN y.reverses IS NULL THEN 1 ELSE -1 END AS amount, y.origin, y.delegation_id,
                \(OraclePayments.ofHolder)),
        place AS (SELECT DISTINCT contract_id, delegation_id FROM contract_capacity),
        base AS (
            SELECT p.*,
                (SELECT count(*) FROM latest l WHERE (l.contract_id, l.delegation_id) = (p.contract_id, p.delegation_id)) AS dealt,
                (SELECT count(*) FROM latest l WHERE (l.contract_id, l.delegation_id) = (p.contract_id, p.delegation_id)
                    AND l.is_assigned) AS assigned,
                (SELECT count(*) FROM latest l WHERE (l.contract_id, l.delegation_id) = (p.contract_id, p.delegation_id)
                    AND NOT l.is_taken) AS left_over,
                (SELECT coalesce(sum(g.accounts), 0) FROM lease_grant g
                    WHERE (g.contract_id, g.delegation_id) = (p.contract_id, p.delegation_id)) AS pulled,
                (SELECT count(DISTINCT account_id) FROM valid v
                    WHERE (v.contract_id, v.delegation_id) = (p.contract_id, p.delegation_id)) AS worked,
                (SELECT count(DISTINCT account_id) FROM valid v WHERE (v.contract_id, v.delegation_id) = (p.contract_id, p.delegation_id)
                    AND contact IN ('direct', 'third-party')) AS contacted,
                (SELECT count(DISTINCT account_id) FROM valid v WHERE (v.contract_id, v.delegation_id) = (p.contract_id, p.delegation_id)
                    AND result = 'promise') AS promises,
                (SELECT count(DISTINCT account_id) FROM valid v WHERE (v.contract_id, v.delegation_id) = (p.contract_id, p.delegation_id)
                    AND result = 'agreement-signed') AS agreements,
                (SELECT count(*) FROM checked v WHERE (v.contract_id, v.delegation_id) = (p.contract_id, p.delegation_id)) AS outcomes,
                (SELECT count(*) FROM valid v WHERE (v.contract_id, v.delegation_id) = (p.contract_id, p.delegation_id)) AS valid,
                (SELECT count(*) FROM checked v WHERE (v.contract_id, v.delegation_id) = (p.contract_id, p.delegation_id)
                    AND needs AND decision IS NULL) AS waiting,
                (SELECT coalesce(sum(amount), 0) FROM paid y WHERE (y.contract_id, y.delegation_id) = (p.contract_id, p.delegation_id))
                    / 100.0 AS received,
                (SELECT coalesce(sum(amount), 0) FROM paid y WHERE (y.contract_id, y.delegation_id) = (p.contract_id, p.delegation_id)
                    AND origin = 'borrower') / 100.0 AS of_borrowers,
                (SELECT coalesce(sum(s.value::numeric), 0) FROM ranked r JOIN schedule s ON s.schedule = 'fees'
                    AND s.parameter = CASE r.strategy WHEN 2 THEN 'administrative' ELSE 'dual' END || '.' || r.kind
                    WHERE r.n = 1 AND (r.contract_id, r.delegation_id) = (p.contract_id, p.delegation_id)) AS fee
            FROM place p),
        judged AS (
            SELECT b.*,
                coalesce((SELECT sum(greatest(ceil(a.n / 7.0) - s.n, 0) * CASE s.portfolio WHEN 1 THEN 7000 ELSE 9000 END)
                    FROM present s, LATERAL (SELECT count(*) AS n FROM latest l WHERE l.is_assigned AND l.portfolio = s.portfolio
                        AND (l.contract_id, l.delegation_id) = (b.contract_id, b.delegation_id)) a
                    WHERE (s.contract_id, s.delegation_id) = (b.contract_id, b.delegation_id)), 0) AS pen01,
                (SELECT sum(g.weight::numeric * CASE WHEN g.value <> '' THEN g.value::numeric / g.minimum::numeric
                        ELSE CASE g.subject WHEN 'worked' THEN b.worked WHEN 'contacted' THEN b.contacted WHEN 'promises' THEN b.promises
                            ELSE b.agreements END / nullif(trunc(g.minimum::numeric * b.left_over / nullif(b.dealt, 0), 4), 0) END)
                        / sum(g.weight::numeric) < 0.80
                    FROM standing g WHERE g.kind = 'goal' AND (g.contract_id, g.delegation_id) = (b.contract_id, b.delegation_id)
                        AND g.minimum::numeric > 0) AS missed,
                (SELECT max(CASE subject WHEN 'low' THEN 0.015 WHEN 'medium' THEN 0.02 ELSE 0.025 END) FROM standing i
                    WHERE i.kind = 'improvement' AND i.value = 'no'
                        AND (i.contract_id, i.delegation_id) = (b.contract_id, b.delegation_id)) AS impact,
                EXISTS (SELECT FROM standing v WHERE (v.contract_id, v.delegation_id) = (b.contract_id, b.delegation_id)
                    AND (v.subject = 'adviser-absent' OR v.subject = 'office-closed' AND v.value = 'no')) AS was_absent,
                (SELECT avg((decision = 'rejected')::int::numeric) FROM checked v WHERE result = 'dwelling-irregular' AND decision IS NOT NULL
                    AND (v.contract_id, v.delegation_id) = (b.contract_id, b.delegation_id)) AS dwelling,
                (SELECT avg((decision = 'rejected')::int::numeric) FROM checked v WHERE result = 'agreement-signed'
                    AND decision IS NOT NULL AND (v.contract_id, v.delegation_id) = (b.contract_id, b.delegation_id)) AS agreement,
                (SELECT count(*) FROM opening_breach o WHERE o.period >= 202310
                    AND (o.contract_id, o.delegation_id) = (b.contract_id, b.delegation_id)) AS before
            FROM base b),
        returned AS (
            SELECT h.contract_ids[1] AS contract_id, e.delegation_id, e.reason, count(*) AS n FROM ending e JOIN hand h USING (hand_id)
            WHERE e.ended_at < '2024-04-01T06:00:00Z' AND (e.kind = 'return' OR e.kind = 'recall' AND e.reason = 'unlocatable')
            GROUP BY 1, 2, 3),
        fined AS (
            SELECT j.*, pen01 + CASE WHEN missed THEN round(fee * 0.05, 2) ELSE 0 END
                + CASE WHEN was_absent THEN round(fee * 0.025, 2) ELSE 0 END + coalesce(round(fee * impact, 2), 0)
                + CASE WHEN dwelling > 0.30 THEN round(fee * 0.05, 2) ELSE 0 END
                + CASE WHEN agreement > 0.30 THEN round(fee * 0.05, 2) ELSE 0 END
                + CASE WHEN before + coalesce(missed, false)::int + (impact IS NOT NULL)::int >= 3 THEN round(fee * 0.01, 2) ELSE 0 END
                AS fines
            FROM judged j),
        section AS (
            SELECT contract_id::text, delegation_id::text, dealt::text, assigned::text, pulled::text, worked::text, contacted::text,
                promises::text, agreements::text, outcomes::text, valid::text, waiting::text, received::numeric(20,2)::text,
                of_borrowers::numeric(20,2)::text, fee::numeric(20,2)::text, pen01::numeric(20,2)::text,
                CASE WHEN missed THEN round(fee * 0.05, 2) ELSE 0 END::numeric(20,2)::text,
                CASE WHEN was_absent THEN round(fee * 0.025, 2) ELSE 0 END::numeric(20,2)::text,
                coalesce(round(fee * impact, 2), 0)::numeric(20,2)::text,
                CASE WHEN dwelling > 0.30 THEN round(fee * 0.05, 2) ELSE 0 END::numeric(20,2)::text
                    || '/' || CASE WHEN agreement > 0.30 THEN round(fee * 0.05, 2) ELSE 0 END::numeric(20,2)::text,
                CASE WHEN before + coalesce(missed, false)::int + (impact IS NOT NULL)::int >= 3
                    THEN round(fee * 0.01, 2) ELSE 0 END::numeric(20,2)::text,
                \(fates("withdrawal")), \(fates("recall")), \(fates("exclusion")), \(fates("unlocatable")),
                coalesce((SELECT string_agg(reason || '=' || n, ',' ORDER BY reason) FROM returned r
                    WHERE (r.contract_id, r.delegation_id) = (j.contract_id, j.delegation_id)), '-'),
                fines::numeric(20,2)::text AS fines, round(fee * 0.16, 2)::numeric(20,2)::text AS tax_on_fees,
                round(fines * 0.16, 2)::numeric(20,2)::text AS tax_on_fines,
                (fee + round(fee * 0.16, 2) - fines - round(fines * 0.16, 2))::numeric(20,2)::text
            FROM fined j)
        """

    /// Accounts of a section that went that way by the latest deal, `telephone/home-visit`.
    private static func fates(_ fate: String) -> String {
        """
        (SELECT count(*) FILTER (WHERE portfolio = 1) || '/' || count(*) FILTER (WHERE portfolio = 2) FROM latest l
            WHERE l.fate = '\(fate)' AND (l.contract_id, l.delegation_id) = (j.contract_id, j.delegation_id))
        """
    }
}
