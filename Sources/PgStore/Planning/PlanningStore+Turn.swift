// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// Why the new placements take a live lease from its holder, in the word that the notice says.
package enum TurnReason: String, Sendable, CaseIterable {
    case strategy = "strategy-changed"
    /// The debtor moved.
    case delegation = "delegation-changed"
    case excluded
}

/// A live lease of an account that the period places in another delegation.
package struct LeaseElsewhere: Sendable {
    package let lease: LeaseKey
    package let placedIn: Delegation
    package let isExcluded: Bool
    /// Whether a recall of it is under way, or was withdrawn in this period.
    package let isNoticed: Bool
}

/// What becomes of leases that are alive when the next period is applied.
extension PlanningStore {
    /// Live leases of earlier periods that the new placements take from their holders: the account is collected by
    /// another strategy or in another delegation now, or may not be collected. Those with a recall under way are left
    /// out, and those whose recall a person withdrew since the period was dealt.
    package func turned() throws(PgError) -> [(lease: LeaseKey, reason: TurnReason)] {
        let moved = try heldElsewhere().filter { !$0.isNoticed }
        return try changed() + moved.map { ($0.lease, $0.isExcluded ? .excluded : .delegation) }
    }

    /// Live leases of earlier periods whose accounts the period places in another delegation: one account has one holder, so
    /// these are not dealt there.
    package func heldElsewhere() throws(PgError) -> [LeaseElsewhere] {
        try link.run(
            """
            WITH held AS MATERIALIZED (
                SELECT p.delegation_id, p.account_id, p.epoch
                  FROM lease_grant g
                  JOIN hand h ON h.delegation_id = g.delegation_id AND h.hand_id = g.hand_id AND h.period < $1
                  JOIN position p ON p.delegation_id = g.delegation_id AND p.hand_id = g.hand_id
                                 AND p.position BETWEEN g.first_position AND g.last_position
                 WHERE g.state = 'open' AND g.key IS NOT NULL AND p.position <> ALL (coalesce(g.skipped, '{}'))
                   AND NOT EXISTS (SELECT FROM ending e
                                    WHERE e.delegation_id = p.delegation_id AND e.account_id = p.account_id
                                      AND e.epoch = p.epoch))
            SELECT l.delegation_id, l.account_id, l.epoch, n.delegation_id, n.strategy IS NULL,
                   \(Self.isNoticed("l"))
              FROM placement n
              JOIN held l ON l.account_id = n.account_id AND l.delegation_id <> n.delegation_id
             WHERE n.period = $1
             ORDER BY l.delegation_id, l.account_id
            """, [.int32(period.number)]
        ).compactMap { row in
            guard let lease = LeaseKey(row), let place = Delegation(row.int16(3)) else { return nil }
            return LeaseElsewhere(lease: lease, placedIn: place, isExcluded: row.bool(4), isNoticed: row.bool(5))
        }
    }

    /// Of a position: whether a recall of it is under way, or was withdrawn since the plan of the period $1 was applied. What a person
    /// decided about an earlier recall says nothing of this period's cut.
    private static func isNoticed(_ position: String) -> String {
        """
        EXISTS (SELECT FROM notice o
                 WHERE o.delegation_id = \(position).delegation_id AND o.account_id = \(position).account_id
                   AND o.epoch = \(position).epoch
                   AND (o.decision IS DISTINCT FROM 'withdrawn'
                        OR o.decided_at >= (SELECT min(applied_at) FROM plan WHERE period = $1)))
        """
    }

    /// The accounts of ``heldElsewhere()``, by where the period places them.
    package func placedElsewhere() throws(PgError) -> [Delegation: Set<Int64>] {
        Dictionary(grouping: try heldElsewhere(), by: \.placedIn).mapValues { Set($0.map(\.lease.account.value)) }
    }

    private func changed() throws(PgError) -> [(lease: LeaseKey, reason: TurnReason)] {
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
               AND NOT \(Self.isNoticed("p"))
             ORDER BY p.delegation_id, p.account_id
            """, [.int32(period.number)]
        ).compactMap { row in LeaseKey(row).map { ($0, row.bool(3) ? .excluded : .strategy) } }
    }
}
