// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// Payments and facts: appended, never changed. A row that is there already, word for word, changes nothing.
extension ImportStore {
    // MARK: Payments

    var paymentChecks: [String] {
        [
            duplicates("payment_id", column: "payment", value: "s.payment_id", what: "the same payment"),
            """
            SELECT s.line, 'payment', s.payment_id,
                   'the payment is loaded already, with other content; it takes a number of its own'
            FROM   import_row s JOIN payment p USING (payment_id)
            WHERE  (p.delegation_id, p.account_id, p.paid_on, p.amount, p.origin, p.reverses)
                   IS DISTINCT FROM (s.delegation_id, s.account_id, s.paid_on, s.amount, s.origin, s.reverses)
            """,
            duplicates(
                "reverses", column: "reverses", value: "s.reverses", what: "what takes the same payment back"),
            """
            SELECT s.line, 'reverses', s.reverses, 'that payment is taken back already, by ' || min(p.payment_id)
            FROM   import_row s JOIN payment p USING (reverses)
            WHERE  p.payment_id <> s.payment_id
            GROUP  BY s.line, s.reverses
            """,
            reversalCheck,
        ]
    }

    /// A reversal takes back one payment, of the same account and origin, once, not before its day, in no feed of before its own, and for no
    /// more than it was. Its delegation may be another one: that to which the debtor moved.
    private var reversalCheck: String {
        let isOther = "r.account_id IS DISTINCT FROM s.account_id"
        return """
            SELECT s.line,
                   CASE WHEN \(isOther) OR r.reverses IS NOT NULL OR r.period > \(period.number) THEN 'reverses'
                        WHEN r.origin <> s.origin THEN 'origin'
                        WHEN s.amount > r.amount THEN 'amount' ELSE 'paid_on' END,
                   CASE WHEN \(isOther) OR r.reverses IS NOT NULL OR r.period > \(period.number) THEN s.reverses
                        WHEN r.origin <> s.origin THEN s.origin
                        WHEN s.amount > r.amount THEN trim_scale(s.amount / 100.0)::text ELSE s.paid_on::text END,
                   CASE WHEN r.payment_id IS NULL THEN 'there is no such payment, neither loaded nor good in this file'
                        WHEN r.account_id <> s.account_id THEN 'that payment is of another account'
                        WHEN r.reverses IS NOT NULL THEN 'that payment takes one back itself; only payments are taken back'
                        WHEN r.period > \(period.number)
                            THEN 'that payment is of the feed of ' || r.period / 100 || '-' || lpad((r.period % 100)::text, 2, '0')
                                || '; what takes it back is of that month or a later one'
                        WHEN r.origin <> s.origin
                            THEN 'that payment is of origin ' || r.origin || '; what takes it back is of the same'
                        WHEN s.amount > r.amount
                            THEN 'is more than the payment that it takes back, ' || trim_scale(r.amount / 100.0)
                        ELSE 'is before the payment that it takes back, of ' || r.paid_on END
            FROM   import_row s
            LEFT   JOIN LATERAL (
                       SELECT payment_id, account_id, amount, paid_on, origin, reverses, period FROM payment p
                       WHERE p.payment_id = s.reverses
                       UNION ALL
                       SELECT payment_id, account_id, amount, paid_on, origin, reverses, \(period.number)
                       FROM import_row o WHERE o.payment_id = s.reverses AND o.line <> s.line
                       LIMIT 1) r ON true
            WHERE  s.reverses IS NOT NULL
            AND    (\(isOther) OR r.reverses IS NOT NULL OR r.period > \(period.number) OR r.origin <> s.origin
                    OR s.amount > r.amount OR s.paid_on < r.paid_on)
            """
    }

    func applyPayments(_ importID: Int64) throws(PgError) -> [ImportCount] {
        let rows = try link.run(
            """
            INSERT INTO payment
                   (period, payment_id, delegation_id, account_id, paid_on, amount, origin, reverses, import_id)
            SELECT $1, payment_id, delegation_id, account_id, paid_on, amount, origin, reverses, $2
            FROM   import_row ORDER BY line
            ON CONFLICT (payment_id) DO NOTHING
            """, [.int32(period.number), .int64(importID)]
        ).affected
        return try addedCounts(Int64(rows), what: "payments")
    }

    /// Rows that no cut has: the account is in none, or in another delegation than the row says. Payments may come before
    /// the cut, so they are taken all the same; but what is never found counts for nobody.
    ///
    /// - Returns: how many, and the first `limit` of them by line, with the delegation that has the account.
    package func rowsOffTheCut(
        limit: Int32
    ) throws(PgError) -> (count: Int64, first: [(line: Int, account: Int64, delegation: Int16?)]) {
        let rows = try link.run(
            """
            SELECT u.line, u.account_id, u.total, a.delegation_id
            FROM   (SELECT s.line, s.account_id, count(*) OVER () AS total
                    FROM   import_row s
                    WHERE  s.account_id IS NOT NULL
                    AND    NOT EXISTS (SELECT FROM account a
                                       WHERE a.delegation_id = s.delegation_id AND a.account_id = s.account_id)
                    ORDER  BY s.line LIMIT $1) u
            LEFT   JOIN LATERAL (SELECT max(a.delegation_id) AS delegation_id FROM account a
                                 WHERE a.delegation_id = ANY (ARRAY(SELECT generate_series(1, 32)::smallint))
                                 AND   a.account_id = u.account_id) a ON true
            ORDER  BY u.line
            """, [.int32(limit)])
        return (
            rows.first?.int64(2) ?? 0,
            rows.map { (line: Int($0.int32(0)), account: $0.int64(1), delegation: $0.optionalInt16(3)) }
        )
    }

    // MARK: Facts

    var factChecks: [String] {
        [
            duplicates("fact_id", column: "fact", value: "s.fact_id", what: "the same fact"),
            """
            SELECT s.line, 'fact', s.fact_id,
                   'the fact is loaded already, with other content; a correction is a new fact that supersedes it'
            FROM   import_row s JOIN fact f USING (fact_id)
            WHERE  (f.kind, f.contract_id, f.delegation_id, f.on_date, f.portfolio, f.subject,
                    f.value, f.minimum, f.weight, f.note, f.supersedes)
                   IS DISTINCT FROM
                   (s.kind, s.contract_id, s.delegation_id, s.on_date, s.portfolio, s.subject,
                    coalesce(s.value, ''), s.minimum, s.weight, s.note, s.supersedes)
            """,
            """
            SELECT s.line, 'contract', s.contract_id::text, 'there is no such contract; import contracts first'
            FROM   import_row s
            WHERE  NOT EXISTS (SELECT FROM contract c WHERE c.contract_id = s.contract_id)
            """,
            """
            SELECT s.line, 'delegation', s.delegation_id::text,
                   'contract ' || s.contract_id || ' does not work in that delegation'
            FROM   import_row s
            WHERE  NOT EXISTS (SELECT FROM contract_capacity c
                               WHERE c.contract_id = s.contract_id AND c.delegation_id = s.delegation_id)
            """,
            """
            SELECT s.line, 'on_date', s.on_date::text, 'lies before the period'
            FROM   import_row s WHERE s.on_date < '\(period.firstDay)'
            """,
            """
            SELECT s.line, 'note', '', 'is empty, and the goal comes after the contract''s first grant there, which froze its plan at '
                       || to_char(b.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') || '; say why'
            FROM   import_row s
            JOIN   (SELECT g.contract_id, g.delegation_id, min(g.granted_at) AS at
                    FROM lease_grant g JOIN hand h USING (delegation_id, hand_id)
                    WHERE h.period = \(period.number) GROUP BY 1, 2) b USING (contract_id, delegation_id)
            WHERE  s.kind = 'goal' AND s.note IS NULL
            AND    NOT EXISTS (SELECT FROM fact f WHERE f.fact_id = s.fact_id)
            """,
            staffedTwice,
            duplicates("supersedes", column: "supersedes", value: "s.supersedes", what: "what corrects the same fact"),
            """
            SELECT s.line, 'supersedes', s.supersedes,
                   'that fact is corrected already, by ' || min(f.fact_id) || '; a further correction is of that one'
            FROM   import_row s JOIN fact f USING (supersedes)
            WHERE  f.fact_id <> s.fact_id
            GROUP  BY s.line, s.supersedes
            """,
        ]
    }

    /// Rows that stand: corrected neither by what is loaded nor by another row, and not refused as one of two corrections of one fact.
    private static let standingStaffing = """
        SELECT * FROM import_row r
        WHERE  r.kind = 'staffing'
        AND    NOT EXISTS (SELECT FROM import_row l WHERE l.supersedes = r.fact_id)
        AND    NOT EXISTS (SELECT FROM fact l WHERE l.supersedes = r.fact_id)
        AND    NOT EXISTS (SELECT FROM import_row l WHERE l.supersedes = r.supersedes AND l.line <> r.line)
        """

    /// Of two staffing reports of one day nobody can tell which one is right, unless one corrects the other.
    private var staffedTwice: String {
        """
        SELECT s.line, 'on_date', s.on_date::text,
               'the same contract''s advisers of that portfolio and day are in line '
                   || CASE WHEN s.line = d.first THEN d.last ELSE d.first END
                   || ' too; a correction names the fact that it supersedes'
        FROM   (\(Self.standingStaffing)) s
        JOIN   (SELECT contract_id, delegation_id, portfolio, on_date, min(line) AS first, max(line) AS last
                FROM (\(Self.standingStaffing)) r GROUP BY 1, 2, 3, 4 HAVING count(*) > 1) d
               USING (contract_id, delegation_id, portfolio, on_date)
        """
    }

    /// Staffing reports of a day of which one is loaded that none corrects: the one that is loaded last counts (AMB-18), and often the
    /// first one was meant to be corrected.
    ///
    /// - Returns: how many, and the first `limit` of them by line, with the fact that is loaded.
    package func staffedBefore(limit: Int32) throws(PgError) -> (
        count: Int64, first: [(line: Int, day: String, fact: String)]
    ) {
        let rows = try link.run(
            """
            SELECT s.line, s.on_date::text, f.fact_id, count(*) OVER ()
            FROM   (\(Self.standingStaffing)) s
            CROSS  JOIN LATERAL (
                       SELECT max(f.fact_id) AS fact_id FROM fact f
                       WHERE f.period = $1 AND f.kind = s.kind AND f.contract_id = s.contract_id
                       AND   f.delegation_id = s.delegation_id AND f.portfolio = s.portfolio AND f.on_date = s.on_date
                       AND   NOT EXISTS (SELECT FROM fact l WHERE l.supersedes = f.fact_id)
                       AND   NOT EXISTS (SELECT FROM import_row l WHERE l.supersedes = f.fact_id)) f
            WHERE  f.fact_id IS NOT NULL AND NOT EXISTS (SELECT FROM fact l WHERE l.fact_id = s.fact_id)
            ORDER  BY s.line LIMIT $2
            """, [.int32(period.number), .int32(limit)])
        return (
            rows.first?.int64(3) ?? 0,
            rows.map { (line: Int($0.int32(0)), day: $0.text(1), fact: $0.text(2)) }
        )
    }

    /// Goals that ask for nothing: no verdict of PEN-02 or PEN-22 has them.
    ///
    /// - Returns: how many, and the first `limit` of them by line, with the column that is zero.
    package func idleGoals(limit: Int32) throws(PgError) -> (
        count: Int64, first: [(line: Int, column: String, value: String)]
    ) {
        let rows = try link.run(
            """
            SELECT s.line, CASE WHEN s.minimum::numeric = 0 THEN 'minimum' ELSE 'weight' END,
                   CASE WHEN s.minimum::numeric = 0 THEN s.minimum ELSE s.weight END, count(*) OVER ()
            FROM   import_row s
            WHERE  s.kind = 'goal' AND (s.minimum::numeric = 0 OR s.weight::numeric = 0)
            AND    NOT EXISTS (SELECT FROM import_row l WHERE l.supersedes = s.fact_id)
            AND    NOT EXISTS (SELECT FROM fact l WHERE l.fact_id = s.fact_id OR l.supersedes = s.fact_id)
            ORDER  BY s.line LIMIT $1
            """, [.int32(limit)])
        return (
            rows.first?.int64(3) ?? 0,
            rows.map { (line: Int($0.int32(0)), column: $0.text(1), value: $0.text(2)) }
        )
    }

    var factSupersedesCheck: String {
        """
        SELECT s.line, 'supersedes', s.supersedes,
               CASE WHEN r.fact_id IS NULL THEN 'there is no such fact, neither loaded nor good in this file'
                    WHEN (r.kind, r.contract_id, r.delegation_id) IS DISTINCT FROM (s.kind, s.contract_id, s.delegation_id)
                        THEN 'that fact is of another kind, contract or delegation'
                    WHEN r.is_ahead THEN 'that commitment is due on ' || r.on_date || ', and was not missed before'
                    ELSE 'that fact is of another period; what is wrong in it is put right by a '
                        || 'credit or a debit' END
        FROM   import_row s
        LEFT   JOIN LATERAL (
                   SELECT f.*, kind = 'improvement' AND value = '' AS is_open,
                          kind = 'improvement' AND value = '' AND s.value = 'no' AND s.on_date < on_date AS is_ahead
                   FROM (SELECT fact_id, kind, contract_id, delegation_id, period, on_date, value FROM fact
                         UNION ALL
                         SELECT fact_id, kind, contract_id, delegation_id, \(period.number), on_date, coalesce(value, '')
                         FROM import_row o WHERE o.line <> s.line) f
                   WHERE f.fact_id = s.supersedes
                   LIMIT 1) r ON true
        WHERE  s.supersedes IS NOT NULL
        AND    ((r.kind, r.contract_id, r.delegation_id) IS DISTINCT FROM (s.kind, s.contract_id, s.delegation_id)
                OR r.is_ahead OR r.period > \(period.number) OR r.period < \(period.number) AND NOT r.is_open)
        """
    }

    /// Each of them is corrected by the next, so that none of them would stand. Every other row leads to one of no ring: a fact that is
    /// loaded, or that corrects none.
    var factRingCheck: String {
        """
        WITH RECURSIVE led AS (
            SELECT s.fact_id FROM import_row s
            WHERE  s.supersedes IS NULL OR NOT EXISTS (SELECT FROM import_row o WHERE o.fact_id = s.supersedes)
            UNION
            SELECT s.fact_id FROM import_row s JOIN led ON s.supersedes = led.fact_id)
        SELECT s.line, 'supersedes', s.supersedes,
               'the facts correct one another in a ring, so that none of them would stand'
        FROM   import_row s LEFT JOIN led USING (fact_id)
        WHERE  led.fact_id IS NULL
        """
    }

    func applyFacts(_ importID: Int64) throws(PgError) -> [ImportCount] {
        let rows = try link.run(
            """
            INSERT INTO fact
                   (period, fact_id, kind, contract_id, delegation_id, on_date, portfolio, subject, value,
                    minimum, weight, note, supersedes, import_id)
            SELECT $1, fact_id, kind, contract_id, delegation_id, on_date, portfolio, subject, coalesce(value, ''),
                   minimum, weight, note, supersedes, $2
            FROM   import_row ORDER BY line
            ON CONFLICT (fact_id) DO NOTHING
            """, [.int32(period.number), .int64(importID)]
        ).affected
        return try addedCounts(Int64(rows), what: "facts")
    }

    private func addedCounts(_ added: Int64, what: String) throws(PgError) -> [ImportCount] {
        [
            ImportCount("\(what) added", added),
            ImportCount("\(what) already there", try count("SELECT count(*) FROM import_row") - added),
        ]
    }
}
