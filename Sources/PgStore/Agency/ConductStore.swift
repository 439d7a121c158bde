// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// How one agency behaved in a month: counts, from what is recorded anyway.
package struct ConductRow: Sendable {
    package let agency: AgencyID
    /// Accounts dealt to its contracts, with its part of shared hands, and leased by it, in the month's hands.
    package let dealt: Int64
    package let pulled: Int64
    package let outcomes: Int64
    /// Accounts with an outcome.
    package let worked: Int64
    /// The most outcomes on one account.
    package let mostOnOne: Int64
    /// Outcomes that came more than 24 hours after the work.
    package let late: Int64
    /// Accounts on which the debtor was reached, and those of them with a payment in the month.
    package let reached: Int64
    package let reachedAndPaid: Int64
    package let returned: Int64
    /// Reports that were refused and kept.
    package let evidence: Int64
    /// Sign-ins that were refused because the installation's sequence had been seen: a copied client, or one restored from a backup.
    package let clones: Int64
}

extension PgLink {
    /// Every agency with a contract, ascending.
    package func readConduct(_ period: Period, from first: Timestamp, until end: Timestamp) throws(PgError)
        -> [ConductRow]
    {
        try run(ConductStatements.rows, [.int32(period.number), .timestamp(first), .timestamp(end)]).compactMap { row in
            guard let agency = AgencyID(row.int32(0)) else { return nil }
            return ConductRow(
                agency: agency, dealt: row.int64(1), pulled: row.int64(2), outcomes: row.int64(3), worked: row.int64(4),
                mostOnOne: row.int64(5), late: row.int64(6), reached: row.int64(7), reachedAndPaid: row.int64(8),
                returned: row.int64(9), evidence: row.int64(10), clones: row.int64(11))
        }
    }
}

extension PgLink {
    /// Whether payments of a period were loaded.
    package func hasPayments(_ period: Period) throws(PgError) -> Bool {
        try run("SELECT EXISTS (SELECT FROM payment WHERE period = $1)", [.int32(period.number)]).first?.bool(0)
            ?? false
    }
}

private enum ConductStatements {
    /// $1 period, $2 and $3 the month's first instant and its end. Of a hand that several contracts share each agency was dealt what
    /// would be its own if all pulled alike, or what it pulled where that is more: who pulls nothing shows, and who pulls more stands
    /// at all of it.
    static let rows = """
        WITH dealt AS (
            SELECT agency_id, sum(n)::bigint AS n
              FROM (SELECT c.agency_id,
                           greatest(
                               h.size::bigint * count(*) / cardinality(h.contract_ids),
                               CASE WHEN cardinality(h.contract_ids) > 1 THEN (
                                   SELECT sum(g.accounts) FROM lease_grant g
                                    WHERE g.delegation_id = h.delegation_id AND g.hand_id = h.hand_id
                                      AND g.agency_id = c.agency_id AND g.key IS NOT NULL) END) AS n
                      FROM hand h CROSS JOIN unnest(h.contract_ids) AS s (contract_id) JOIN contract c USING (contract_id)
                     WHERE h.period = $1 AND h.state <> 'inactive'
                     GROUP BY h.delegation_id, h.hand_id, h.size, h.contract_ids, c.agency_id) part
             GROUP BY 1),
        pulled AS (
            SELECT g.agency_id, sum(g.accounts)::bigint AS n
              FROM hand h JOIN lease_grant g ON g.delegation_id = h.delegation_id AND g.hand_id = h.hand_id
             WHERE h.period = $1 AND g.key IS NOT NULL GROUP BY 1),
        paid AS (
            SELECT account_id FROM payment WHERE period = $1
             GROUP BY 1 HAVING sum(CASE WHEN reverses IS NULL THEN amount ELSE -amount END) > 0),
        per AS (
            SELECT o.agency_id, o.delegation_id, o.account_id, count(*) AS n,
                count(*) FILTER (WHERE o.received_at - o.worked_at > interval '24 hours') AS late,
                bool_or(o.contact = 'direct') AS reached
              FROM outcome o WHERE o.period = $1 GROUP BY 1, 2, 3),
        work AS (
            SELECT agency_id, sum(n)::bigint AS outcomes, count(*) AS worked, max(n) AS most, sum(late)::bigint AS late,
                count(*) FILTER (WHERE reached) AS reached,
                count(*) FILTER (WHERE reached AND paid.account_id IS NOT NULL) AS reached_paid
              FROM per LEFT JOIN paid USING (account_id) GROUP BY 1),
        given AS (
            SELECT g.agency_id, count(*) AS n
              FROM hand h
              JOIN ending e ON e.delegation_id = h.delegation_id AND e.hand_id = h.hand_id AND e.kind = 'return'
              JOIN lease_grant g ON g.delegation_id = e.delegation_id AND g.hand_id = e.hand_id
                  AND e.position BETWEEN g.first_position AND g.last_position
             WHERE h.period = $1 GROUP BY 1),
        kept AS (
            SELECT agency_id, count(*) AS n FROM evidence
             WHERE verb = 'REPORT' AND received_at >= $2 AND received_at < $3 GROUP BY 1),
        entries AS (
            SELECT agency_id, sum(reply::bigint)::bigint AS n FROM request
             WHERE delegation_id = 0 AND verb = 'HELLO' AND received_at >= $2 AND received_at < $3 GROUP BY 1)
        SELECT a.agency_id, coalesce(dealt.n, 0), coalesce(pulled.n, 0), coalesce(outcomes, 0), coalesce(worked, 0),
               coalesce(most, 0), coalesce(late, 0), coalesce(reached, 0), coalesce(reached_paid, 0), coalesce(given.n, 0),
               coalesce(kept.n, 0), coalesce(entries.n, 0)
          FROM (SELECT DISTINCT agency_id FROM contract) a
          LEFT JOIN dealt USING (agency_id) LEFT JOIN pulled USING (agency_id) LEFT JOIN work USING (agency_id)
          LEFT JOIN given USING (agency_id) LEFT JOIN kept USING (agency_id) LEFT JOIN entries USING (agency_id)
         ORDER BY a.agency_id
        """
}
