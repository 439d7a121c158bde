// SPDX-License-Identifier: Apache-2.0

/// What needs a review here is what ``ClosingStatements/work`` counts for nothing without one.
enum ReviewStatements {
    /// $1 open periods, $2 results that need a review, $3 marks that do not, $4 the periods whose time is not over, $5 contested outcomes
    /// of the others that are in their own time. One row per staged line. That a debtor cannot be found needs no review and may have one:
    /// it is what confirms a return.
    static let target = """
        CREATE TEMP TABLE review_target ON COMMIT DROP AS
        SELECT w.line, w.delegation_id, w.outcome_id, w.decision, w.reason, w.reviewer, o.period,
            o.result = ANY ($2::text[]) OR NOT coalesce(o.marks <@ $3::text[], true) OR q.outcome_id IS NOT NULL
                OR o.contact = 'unlocatable' AS needs_review,
            CASE WHEN c.outcome_id IS NULL THEN r.decision END AS kept_decision, r.reason AS kept_reason,
            r.reviewer AS kept_reviewer, c.outcome_id IS NOT NULL AS is_contested,
            first_value(w.line) OVER same AS first_line, first_value(w.decision) OVER same AS first_decision,
            first_value(w.reason) OVER same AS first_reason
        FROM review_row w
        LEFT JOIN outcome o ON o.period = ANY ($1::int[]) AND o.delegation_id = w.delegation_id
            AND o.outcome_id = w.outcome_id
            AND (o.period = ANY ($4::int[]) OR o.outcome_id = ANY ($5::bigint[]))
        LEFT JOIN standing_review r ON r.delegation_id = w.delegation_id AND r.outcome_id = w.outcome_id
        LEFT JOIN contest c ON c.delegation_id = w.delegation_id AND c.outcome_id = w.outcome_id
            AND c.decision IS NULL
        LEFT JOIN review_demand q ON q.delegation_id = w.delegation_id AND q.outcome_id = w.outcome_id
        WINDOW same AS (PARTITION BY w.delegation_id, w.outcome_id ORDER BY w.line)
        """

    /// One reason per line, the first that applies. An outcome that no open period has is looked for in the others only
    /// here, once for all of them.
    static let faults = """
        WITH lost AS (SELECT line, delegation_id, outcome_id FROM review_target WHERE period IS NULL),
        late AS (
            SELECT lost.line, o.period FROM outcome o JOIN lost USING (delegation_id, outcome_id))
        SELECT t.line,
            CASE WHEN t.period IS NULL OR NOT t.needs_review THEN 'outcome' ELSE 'decision' END,
            CASE WHEN t.period IS NULL OR NOT t.needs_review THEN t.outcome_id::text ELSE t.decision END,
            CASE
                WHEN t.period IS NULL AND late.period IS NOT NULL THEN
                    'belongs to ' || to_char(late.period / 100, 'FM0000') || '-' || to_char(late.period % 100, 'FM00')
                    || ', which takes no more reviews'
                WHEN t.period IS NULL THEN 'is no outcome of this delegation'
                WHEN NOT t.needs_review THEN 'needs no review'
                WHEN (t.decision, t.reason) IS DISTINCT FROM (t.first_decision, t.first_reason) THEN
                    'differs from line ' || t.first_line || ', which is about the same outcome'
                ELSE 'was decided before: ' || t.kept_decision || ' (' || t.kept_reason || ') by ' || t.kept_reviewer
            END
        FROM review_target t LEFT JOIN late USING (line)
        WHERE t.period IS NULL OR NOT t.needs_review
            OR (t.decision, t.reason) IS DISTINCT FROM (t.first_decision, t.first_reason)
            OR (t.kept_decision IS NOT NULL
                AND (t.decision, t.reason) IS DISTINCT FROM (t.kept_decision, t.kept_reason))
        ORDER BY t.line
        """

    static let apply = """
        WITH fresh AS (
            SELECT DISTINCT ON (delegation_id, outcome_id)
                period, delegation_id, outcome_id, decision, reason, reviewer, is_contested
            FROM review_target WHERE kept_decision IS NULL
            ORDER BY delegation_id, outcome_id, line),
        written AS (
            INSERT INTO review (period, delegation_id, outcome_id, decision, reason, reviewer, reviewed_at)
            SELECT period, delegation_id, outcome_id, decision, reason, reviewer, now_instant()
            FROM fresh WHERE NOT is_contested
            RETURNING \(RecordedRows.reviewColumns)),
        decided AS (
            UPDATE contest c
            SET decision = f.decision, decision_reason = f.reason, reviewer = f.reviewer, decided_at = now_instant()
            FROM fresh f
            WHERE f.is_contested AND c.delegation_id = f.delegation_id AND c.outcome_id = f.outcome_id
                AND c.decision IS NULL
            RETURNING c.delegation_id, c.period, c.outcome_id, c.decision, c.decision_reason, c.reviewer, c.decided_at)
        SELECT * FROM written UNION ALL SELECT * FROM decided ORDER BY 1, 3
        """

    static let staged = "SELECT count(*) FROM review_target"

    /// COPY takes no parameters; the values are numbers and our own tokens.
    static func pending(_ period: Int32, _ results: [String], _ marks: [String]) -> String {
        """
        COPY (
            SELECT o.outcome_id, o.delegation_id, o.contract_id, o.agency_id, o.account_id, o.worked_at, o.channel,
                o.contact, o.result, o.amount
            FROM outcome o
            LEFT JOIN review r ON r.delegation_id = o.delegation_id AND r.outcome_id = o.outcome_id
            LEFT JOIN contest c ON c.delegation_id = o.delegation_id AND c.outcome_id = o.outcome_id
            LEFT JOIN review_demand q ON q.delegation_id = o.delegation_id AND q.outcome_id = o.outcome_id
            WHERE o.period = \(period) AND (r.outcome_id IS NULL OR (c.outcome_id IS NOT NULL AND c.decision IS NULL))
                AND (o.result IN (\(results.map { "'\($0)'" }.joined(separator: ", ")))
                    OR NOT coalesce(o.marks <@ ARRAY[\(marks.map { "'\($0)'" }.joined(separator: ", "))], true)
                    OR q.outcome_id IS NOT NULL)
            ORDER BY o.delegation_id, o.outcome_id
        ) TO STDOUT (FORMAT binary)
        """
    }

    /// Outcomes without a review behind an account that was given back because its debtor cannot be found: what a delegation may
    /// confirm. COPY takes no parameters; the value is a number.
    static func unlocatable(_ period: Int32) -> String {
        """
        COPY (
            SELECT o.outcome_id, o.delegation_id, o.contract_id, o.agency_id, o.account_id, o.worked_at, o.channel,
                o.contact, o.result, o.amount
            FROM outcome o
            JOIN ending e ON e.delegation_id = o.delegation_id AND e.account_id = o.account_id AND e.epoch = o.epoch
            LEFT JOIN review r ON r.delegation_id = o.delegation_id AND r.outcome_id = o.outcome_id
            WHERE o.period = \(period) AND o.contact = 'unlocatable' AND e.kind IN ('return', 'recall')
                AND e.reason = 'unlocatable' AND r.outcome_id IS NULL
            ORDER BY o.delegation_id, o.outcome_id
        ) TO STDOUT (FORMAT binary)
        """
    }

    /// $1 period, $2 results, $3 marks.
    static let progress = """
        SELECT o.delegation_id, count(*) FILTER (WHERE r.decision = 'approved'),
            count(*) FILTER (WHERE r.decision = 'rejected'), count(*) FILTER (WHERE r.decision IS NULL)
        FROM outcome o
        LEFT JOIN standing_review r ON r.period = $1::int AND r.delegation_id = o.delegation_id AND r.outcome_id = o.outcome_id
        LEFT JOIN review_demand q ON q.period = $1::int AND q.delegation_id = o.delegation_id AND q.outcome_id = o.outcome_id
        WHERE o.period = $1::int
            AND (o.result = ANY ($2::text[]) OR NOT coalesce(o.marks <@ $3::text[], true) OR q.outcome_id IS NOT NULL)
        GROUP BY o.delegation_id
        ORDER BY o.delegation_id
        """
}
