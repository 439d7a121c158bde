// SPDX-License-Identifier: Apache-2.0

internal import Assignment

extension PgLink {
    /// What makes up the excess of contracts that hold more than their limits: of each limit the lowest priority classes first, in a
    /// class those leased last, as many as are held above it, in accounts or in exposure. Recalls under way count; so there
    /// is nothing left once all of the excess is noticed. By delegation and account; locks nothing.
    ///
    /// - Parameter scope: of these limits; its accounts, tactic and number do not matter.
    package func readOverLimit(_ scope: RecallScope, limit: Int32) throws(PgError) -> [RecallRow] {
        try run(
            RecallStatements.overLimit,
            [
                .int16s(scope.delegation.map { [$0.value] } ?? Delegation.all.map(\.value)),
                .optional(scope.agency?.value), .optional(scope.contract?.value), .optional(scope.strategy?.rawValue),
                .int32(limit),
            ]
        ).compactMap(RecallRow.init)
    }
}

extension RecallStatements {
    /// $1 delegations, $2 agency, $3 contract, $4 strategy, each of these or null; $5 how many
    fileprivate static let overLimit = """
        WITH excess AS MATERIALIZED (
            SELECT q.delegation_id, q.quota_id, \(ReleasedStatements.heldAccounts) - q.limit_accounts AS above_accounts,
                   \(ReleasedStatements.heldExposure) - q.limit_exposure AS above_exposure
              FROM quota q
              LEFT JOIN LATERAL (SELECT g.total_accounts, g.total_exposure FROM lease_grant g
                                  WHERE g.delegation_id = q.delegation_id AND g.quota_id = q.quota_id
                                  ORDER BY g.total_accounts DESC LIMIT 1) t ON true
              \(ReleasedStatements.unfolded)
             WHERE q.delegation_id = ANY ($1) AND ($3::integer IS NULL OR q.contract_id = $3)
               AND ($4::smallint IS NULL OR q.strategy = $4)
               AND ($2::integer IS NULL OR q.contract_id IN (SELECT contract_id FROM contract WHERE agency_id = $2))),
        ranked AS (
            SELECT \(columns), x.above_accounts, x.above_exposure, row_number() OVER w AS place,
                   sum(p.exposure) OVER w - p.exposure AS exposure_before
              FROM excess x
              JOIN lease_grant g ON g.delegation_id = x.delegation_id AND g.quota_id = x.quota_id
              JOIN hand h ON h.delegation_id = g.delegation_id AND h.hand_id = g.hand_id
              JOIN position p ON p.delegation_id = g.delegation_id AND p.hand_id = g.hand_id
                             AND p.position BETWEEN g.first_position AND g.last_position
                             AND p.position <> ALL (coalesce(g.skipped, '{}'))
              LEFT JOIN notice n ON n.delegation_id = p.delegation_id AND n.account_id = p.account_id AND n.epoch = p.epoch
             WHERE (x.above_accounts > 0 OR x.above_exposure > 0) AND \(live)
            WINDOW w AS (PARTITION BY x.delegation_id, x.quota_id
                             ORDER BY n.epoch IS NULL OR n.decision IS NOT DISTINCT FROM 'withdrawn', p.priority DESC,
                                      g.granted_at DESC, p.hand_id, p.position DESC
                              ROWS UNBOUNDED PRECEDING))
        SELECT * FROM ranked
         WHERE (place <= above_accounts OR exposure_before < above_exposure)
           AND (final_at IS NULL OR decision IS NOT DISTINCT FROM 'withdrawn')
         ORDER BY delegation_id, account_id
         LIMIT $5
        """
}
