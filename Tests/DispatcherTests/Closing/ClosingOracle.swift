// SPDX-License-Identifier: Apache-2.0

import PgStore

/// The same month in plain SQL, written apart from the close: row by row where that counts by groups, in numeric where
/// that counts in centavos.
enum ClosingOracle {
    struct Totals: Equatable, Sendable, CustomStringConvertible {
        let contract: Int32
        let figures: [String]
        var description: String { "\(contract): \(figures)" }
    }

    /// Fees, penalties, IVA on fees, IVA on penalties, ascending by contract.
    static func totals(_ link: PgLink) throws -> [Totals] {
        try link.run(sql).map { row in
            Totals(contract: row.int32(0), figures: (1...4).map { row.text($0) })
        }
    }

    private static let sql = """
        WITH valid AS (
            SELECT o.*, h.strategy,
                CASE WHEN o.result = 'agreement-signed' THEN 'agreement'
                    WHEN o.channel LIKE 'phone%' THEN 'phone'
                    WHEN o.channel IN ('letter', 'mediation-invitation') THEN 'letter'
                    WHEN o.channel IN ('email', 'sms') THEN 'message'
                    WHEN o.channel LIKE '%visit' THEN 'visit'
                    WHEN o.result IN ('session-scheduled', 'no-show', 'no-answer') THEN NULL ELSE 'session' END AS kind
            FROM outcome o JOIN hand h ON h.hand_id = o.hand_id
            WHERE CASE WHEN o.result ~ '^dwelling-|^agreement-signed$' OR 'HRS-01' = ANY (o.marks)
                THEN EXISTS (SELECT FROM review r WHERE r.outcome_id = o.outcome_id AND r.decision = 'approved')
                ELSE NOT EXISTS (SELECT FROM review r WHERE r.outcome_id = o.outcome_id AND r.decision = 'rejected') END),
        ranked AS (
            SELECT *, row_number() OVER (PARTITION BY account_id, strategy, kind ORDER BY outcome_id) AS n FROM valid),
        place AS (SELECT DISTINCT contract_id, delegation_id FROM contract_capacity),
        fee AS (
            SELECT p.contract_id, p.delegation_id, coalesce((
                SELECT sum(s.value::numeric) FROM ranked r
                JOIN schedule s ON s.schedule = 'fees'
                    AND s.parameter = CASE r.strategy WHEN 2 THEN 'administrative' ELSE 'dual' END || '.' || r.kind
                WHERE r.n = 1 AND r.contract_id = p.contract_id AND r.delegation_id = p.delegation_id), 0) AS amount
            FROM place p),
        latest AS (
            SELECT DISTINCT ON (h.contract_ids[1], d.account_id) h.contract_ids[1] AS contract_id, h.delegation_id,
                h.portfolio, e.kind, e.reason, e.ended_at, EXISTS (
                    SELECT FROM outcome o JOIN review r USING (outcome_id) WHERE o.account_id = d.account_id
                        AND o.epoch = d.epoch AND o.contact = 'unlocatable' AND r.decision = 'approved') AS is_confirmed
            FROM deal d JOIN hand h ON h.hand_id = d.hand_id
            LEFT JOIN ending e ON e.account_id = d.account_id AND e.epoch = d.epoch
            ORDER BY h.contract_ids[1], d.account_id, d.epoch DESC),
        assigned AS (
            SELECT contract_id, delegation_id, portfolio, count(*) AS n FROM latest
            WHERE kind IS NULL OR kind = 'payoff' OR ended_at >= '2024-04-01T06:00:00Z'
                OR (kind = 'return' OR kind = 'recall' AND reason = 'unlocatable')
                    AND NOT (reason = 'unlocatable' AND is_confirmed)
            GROUP BY 1, 2, 3),
        present AS (
            SELECT DISTINCT ON (contract_id, delegation_id, portfolio) contract_id, delegation_id, portfolio,
                value::numeric AS n
            FROM fact f
            WHERE kind = 'staffing' AND fact_id NOT IN (SELECT supersedes FROM fact WHERE supersedes IS NOT NULL)
            ORDER BY contract_id, delegation_id, portfolio, on_date DESC),
        capacity AS (
            SELECT contract_id, delegation_id,
                sum(greatest(ceil(a.n / 7.0) - p.n, 0) * CASE portfolio WHEN 1 THEN 7000 ELSE 9000 END) AS amount
            FROM assigned a JOIN present p USING (contract_id, delegation_id, portfolio) GROUP BY 1, 2),
        visited AS (
            SELECT DISTINCT contract_id, delegation_id FROM fact
            WHERE subject = 'adviser-absent' OR subject = 'office-closed' AND value = 'no'),
        refused AS (
            SELECT o.contract_id, o.delegation_id, o.result AS class FROM outcome o JOIN review r USING (outcome_id)
            WHERE o.result IN ('dwelling-irregular', 'agreement-signed') GROUP BY 1, 2, 3
            HAVING avg((r.decision = 'rejected')::int::numeric) > 0.30),
        penalty AS (
            SELECT f.contract_id, f.delegation_id, f.amount AS fee,
                coalesce((SELECT amount FROM capacity c WHERE c.contract_id = f.contract_id
                    AND c.delegation_id = f.delegation_id), 0)
                + (SELECT count(*) FROM visited v WHERE v.contract_id = f.contract_id
                    AND v.delegation_id = f.delegation_id) * round(f.amount * 0.025, 2)
                + (SELECT count(*) FROM refused r WHERE r.contract_id = f.contract_id
                    AND r.delegation_id = f.delegation_id) * round(f.amount * 0.05, 2) AS penalty
            FROM fee f)
        SELECT contract_id, sum(fee)::numeric(20,2)::text, sum(penalty)::numeric(20,2)::text,
            sum(round(fee * 0.16, 2))::numeric(20,2)::text, sum(round(penalty * 0.16, 2))::numeric(20,2)::text
        FROM penalty GROUP BY contract_id ORDER BY contract_id
        """
}
