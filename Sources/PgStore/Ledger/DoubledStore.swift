// SPDX-License-Identifier: Apache-2.0

package import Assignment

extension PgLink {
    /// How many accounts are somebody's twice: leased, or waiting in an open hand to be, more than once at the same time. There is no such
    /// account where all who open hands keep to the periods' lock.
    ///
    /// - Parameter delegation: of its hands; `nil`: of all of them, an account that is in two delegations' counts too.
    package func countDoubled(in delegation: Delegation?) throws(PgError) -> Int64 {
        try run(
            """
            WITH mine AS (
                SELECT p.account_id
                  FROM hand h
                  LEFT JOIN LATERAL (SELECT g.last_position FROM lease_grant g
                                      WHERE g.delegation_id = h.delegation_id AND g.hand_id = h.hand_id
                                      ORDER BY g.first_position DESC LIMIT 1) c ON true
                  JOIN position p ON p.delegation_id = h.delegation_id AND p.hand_id = h.hand_id
                                 AND p.position > coalesce(c.last_position, 0)
                 WHERE h.state = 'open' AND ($1::smallint IS NULL OR h.delegation_id = $1) AND \(unended)
                 UNION ALL
                SELECT p.account_id
                  FROM lease_grant g
                  JOIN position p ON p.delegation_id = g.delegation_id AND p.hand_id = g.hand_id
                                 AND p.position BETWEEN g.first_position AND g.last_position
                                 AND p.position <> ALL (coalesce(g.skipped, '{}'))
                 WHERE g.state = 'open' AND g.key IS NOT NULL AND ($1::smallint IS NULL OR g.delegation_id = $1)
                   AND \(unended))
            SELECT count(*) FROM (SELECT account_id FROM mine GROUP BY account_id HAVING count(*) > 1) doubled
            """, [.optional(delegation?.value)]
        ).first?.int64(0) ?? 0
    }
}

private let unended = """
    NOT EXISTS (SELECT FROM ending e WHERE e.delegation_id = p.delegation_id AND e.account_id = p.account_id
                                       AND e.epoch = p.epoch)
    """
