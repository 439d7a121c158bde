// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// How one contract of an agency stands in one delegation, strategy and portfolio.
package struct Standing: Sendable {
    package let delegation: Delegation
    package let contract: ContractID
    package let strategy: Strategy
    package let portfolio: Portfolio
    package let quota: QuotaBalance
    /// Dealt to its open hands, and not drawn yet.
    package let free: Int64
    /// Dealt to its open hands in all.
    package let dealt: Int64
    /// Dealt to everybody's open hands of that delegation, strategy and portfolio, and how many contracts that are.
    package let pool: (dealt: Int64, contracts: Int64)
    package let advisers: (committed: Int32, accountsEach: Int32)?
    package let isSuspended: Bool
    /// Whether the contract is in force today: only then it gives anything.
    package let isInForce: Bool
    /// Whether what is left of it is being dealt again.
    package let isRedealing: Bool
    /// Who paused it: `agency`, `institution`.
    package let pausedBy: [String]
    /// The rule packs of the contract, and of the policies that placed what is dealt to it there; ascending.
    package let rulePacks: [String]
    /// Since when the present limits are in force, and the plan that set them.
    package let limitSince: Timestamp?
    package let plan: Int64

    /// What a pull would say now, as far as it can be known beforehand; ``PullStop/limit`` where nothing stops it. `nil`: the
    /// contract is not in force, and a pull that names it is refused.
    package var stop: PullStop? {
        if isSuspended { return .suspended }
        guard isInForce else { return nil }
        if !pausedBy.isEmpty { return .paused }
        if free == 0 { return isRedealing ? .paused : .empty }
        if quota.freeAccounts == 0 { return isCapacity ? .capacity : .quota }
        if let limit = quota.limitExposure, quota.heldExposure >= limit { return .bond }
        return .limit
    }

    /// Whether the advisers are what limits the accounts, and not the share.
    package var isCapacity: Bool { capacity.map { quota.limitAccounts >= $0 } ?? false }

    /// How many accounts the advisers can carry.
    package var capacity: Int64? { advisers.map { Int64($0.committed) * Int64($0.accountsEach) } }
}

extension PgLink {
    /// All quotas of an agency's contracts in one statement, by delegation, contract, strategy and portfolio.
    package func readStandings(
        of agency: AgencyID, in delegation: Delegation?, strategy: Strategy?
    ) throws(PgError) -> [Standing] {
        let delegations = delegation.map { [$0] } ?? Delegation.all
        return try run(
            standingStatement,
            [.int32(agency.value), .int16s(delegations.map(\.value)), .optional(strategy?.rawValue)]
        ).compactMap(Standing.init)
    }
}

extension Standing {
    fileprivate init?(_ row: PgRow) {
        guard let delegation = Delegation(row.int16(0)), let contract = ContractID(row.int32(1)),
            let strategy = Strategy(rawValue: row.int16(2)), let portfolio = Portfolio(rawValue: row.int16(3))
        else { return nil }
        self.delegation = delegation
        self.contract = contract
        self.strategy = strategy
        self.portfolio = portfolio
        quota = QuotaBalance(
            limitAccounts: row.int64(4), limitExposure: row.optionalInt64(5).map(Cents.init),
            grantedAccounts: row.int64(6), grantedExposure: Cents(row.int64(7)), releasedAccounts: row.int64(8),
            releasedExposure: Cents(row.int64(9)))
        free = row.int64(10)
        dealt = row.int64(11)
        pool = (row.int64(12), row.int64(13))
        advisers = row.optionalInt32(14).map { ($0, row.optionalInt32(15) ?? 0) }
        isSuspended = row.bool(16)
        pausedBy = row.texts(17)
        limitSince = row.optionalTimestamp(18)
        plan = row.int64(19)
        rulePacks = row.texts(20)
        isInForce = row.bool(21)
        isRedealing = row.bool(22)
    }
}

/// $1 agency, $2 delegations, $3 strategy or null
private let standingStatement = """
    SELECT q.delegation_id, q.contract_id, q.strategy, q.portfolio, q.limit_accounts, q.limit_exposure,
           coalesce(t.total_accounts, 0), coalesce(t.total_exposure, 0), q.released_accounts, q.released_exposure,
           own.free, own.dealt, pool.dealt, pool.contracts, k.committed_advisers, k.accounts_per_adviser,
           a.status <> 'active' OR EXISTS (SELECT FROM agency_suspension u
                                            WHERE u.agency_id = c.agency_id AND u.strategy = q.strategy AND u.band = ''),
           ARRAY(SELECT p.side FROM pause p
                  WHERE p.delegation_id = q.delegation_id AND p.agency_id = c.agency_id AND p.strategy = q.strategy
                  ORDER BY p.side),
           (SELECT max(y.since) FROM quota_history y
             WHERE y.delegation_id = q.delegation_id AND y.quota_id = q.quota_id), q.plan_id,
           ARRAY(SELECT unnest(c.rule_packs)
                  UNION
                 SELECT unnest(h.rule_packs) FROM hand h
                  WHERE h.delegation_id = q.delegation_id AND q.contract_id = ANY (h.contract_ids)
                    AND h.strategy = q.strategy AND h.portfolio = q.portfolio AND h.state = 'open'
                  ORDER BY 1),
           (now_instant() AT TIME ZONE 'America/Mexico_City')::date BETWEEN c.starts_on AND c.ends_on,
           EXISTS (SELECT FROM redeal r JOIN redeal_pool w ON w.redeal_id = r.redeal_id
                    WHERE r.state = 'dealing' AND w.state = 'closed' AND w.delegation_id = q.delegation_id
                      AND w.strategy = q.strategy AND w.portfolio = q.portfolio)
      FROM contract c
      JOIN agency a ON a.agency_id = c.agency_id
      JOIN quota q ON q.delegation_id = ANY ($2) AND q.contract_id = c.contract_id
      LEFT JOIN contract_capacity k ON k.contract_id = q.contract_id AND k.delegation_id = q.delegation_id
                                   AND k.portfolio = q.portfolio
      LEFT JOIN LATERAL (SELECT g.total_accounts, g.total_exposure FROM lease_grant g
                          WHERE g.delegation_id = q.delegation_id AND g.quota_id = q.quota_id
                          ORDER BY g.total_accounts DESC LIMIT 1) t ON true
     CROSS JOIN LATERAL (SELECT coalesce(sum(h.size - coalesce(d.last_position, 0)), 0)::bigint AS free,
                                coalesce(sum(h.size), 0)::bigint AS dealt
                           FROM hand h
                           LEFT JOIN LATERAL (SELECT g.last_position FROM lease_grant g
                                               WHERE g.delegation_id = h.delegation_id AND g.hand_id = h.hand_id
                                               ORDER BY g.first_position DESC LIMIT 1) d ON true
                          WHERE h.delegation_id = q.delegation_id AND q.contract_id = ANY (h.contract_ids)
                            AND h.strategy = q.strategy AND h.portfolio = q.portfolio AND h.state = 'open') own
     CROSS JOIN LATERAL (SELECT coalesce(sum(h.size / cardinality(h.contract_ids)), 0)::bigint AS dealt,
                                count(DISTINCT m.contract_id) AS contracts
                           FROM hand h CROSS JOIN unnest(h.contract_ids) AS m (contract_id)
                          WHERE h.delegation_id = q.delegation_id AND h.strategy = q.strategy
                            AND h.portfolio = q.portfolio AND h.state = 'open') pool
     WHERE c.agency_id = $1 AND ($3::smallint IS NULL OR q.strategy = $3)
     ORDER BY q.delegation_id, q.contract_id, q.strategy, q.portfolio
    """
