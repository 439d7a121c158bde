// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// What becomes of leases that are alive when the next period is applied.
extension PlanningStore {
    /// Live leases of earlier periods that the new placements take from their holders: the account is collected by
    /// another strategy now, or may not be collected. Those with a recall under way are left out.
    package func turned() throws(PgError) -> [(lease: LeaseKey, isExcluded: Bool)] {
        try link.run(
            """
            SELECT p.delegation_id, p.account_id, p.epoch, n.strategy IS NULL
              FROM lease_grant g
              JOIN hand h ON h.delegation_id = g.delegation_id AND h.hand_id = g.hand_id AND h.period < $1
              JOIN position p ON p.delegation_id = g.delegation_id AND p.hand_id = g.hand_id
                             AND p.position BETWEEN g.first_position AND g.last_position
              JOIN placement n ON n.period = $1 AND n.delegation_id = p.delegation_id AND n.account_id = p.account_id
             WHERE g.state = 'open' AND g.key IS NOT NULL AND p.position <> ALL (coalesce(g.skipped, '{}'))
               AND n.strategy IS DISTINCT FROM h.strategy
               AND NOT EXISTS (SELECT FROM ending e
                                WHERE e.delegation_id = p.delegation_id AND e.account_id = p.account_id
                                  AND e.epoch = p.epoch)
               AND NOT EXISTS (SELECT FROM notice o
                                WHERE o.delegation_id = p.delegation_id AND o.account_id = p.account_id
                                  AND o.epoch = p.epoch)
             ORDER BY p.delegation_id, p.account_id
            """, [.int32(period.number)]
        ).compactMap { row in LeaseKey(row).map { ($0, row.bool(3)) } }
    }
}
