// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// A hand that was closed within its period: nothing more is drawn from it.
package struct WithdrawnHand: Sendable {
    package let key: HandKey
    package let contracts: [ContractID]
    package let strategy: Strategy
    package let portfolio: Portfolio
    /// The last position that was drawn.
    package let cursor: Int32
    package let size: Int32
    /// Behind the cursor, without those that had ended.
    package let accounts: Int64
}

/// Which open hands are withdrawn.
package struct WithdrawalScope: Sendable {
    /// Those that only this agency's contracts draw from.
    package var agency: AgencyID?
    package var pool: PoolKey?
    package var delegation: Delegation?
    package var strategy: Strategy?
    package var hands: [HandKey]?

    package init(
        agency: AgencyID? = nil, pool: PoolKey? = nil, delegation: Delegation? = nil, strategy: Strategy? = nil,
        hands: [HandKey]? = nil
    ) {
        self.agency = agency
        self.pool = pool
        self.delegation = delegation
        self.strategy = strategy
        self.hands = hands
    }
}

/// What an order about an agency takes out of hands: those of its own as a whole, or one tactic of all that it draws from,
/// shared ones too.
package struct OrderedWithdrawal: Hashable, Sendable {
    package let agency: AgencyID
    /// `nil`: every one.
    package let strategy: Strategy?
    /// A tactic; `nil`: whole hands.
    package let band: String?

    package init(agency: AgencyID, strategy: Strategy?, band: String?) {
        self.agency = agency
        self.strategy = strategy
        self.band = band
    }

    /// Whether a position `p` behind the cursor of a hand `h` is taken out of it. COPY takes no parameters, so all is written
    /// out.
    var condition: String {
        let mine = "ARRAY(SELECT contract_id FROM contract WHERE agency_id = \(agency.value))"
        let place = strategy.map { "h.strategy = \($0.rawValue) AND " } ?? ""
        guard let band else { return "\(place)h.contract_ids <@ \(mine)" }
        let tactic = band.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''")
        return "\(place)h.contract_ids && \(mine) AND p.tactic = '\(tactic)'"
    }
}

/// Takes back what waits in hands: whole hands by closing them, one band of a hand by endings. The callers hold
/// transactions and seal what they did.
extension PgLink {
    /// Closes open hands; what they did not give out is withdrawn as a whole, without a row for each account. From hands
    /// that an agency shares with others it is barred instead, and they go on.
    ///
    /// - Locks: those hands, ascending, until the transaction ends: a pull that waited for one finds it closed.
    package func withdrawHands(_ scope: WithdrawalScope, reason: String) throws(PgError) -> [WithdrawnHand] {
        let values: [PgValue] = [
            .optional(scope.agency?.value), .optional(scope.pool?.delegation.value ?? scope.delegation?.value),
            .optional(scope.pool?.strategy.rawValue ?? scope.strategy?.rawValue),
            .optional(scope.pool?.portfolio.rawValue), .bool(scope.hands != nil),
            .int16s(scope.hands?.map(\.delegation.value) ?? []), .int32s(scope.hands?.map(\.hand) ?? []),
            .bool(scope.agency != nil),
        ]
        let locked = try run(WithdrawalStatements.lock, values)
        let shared = locked.filter { !$0.bool(2) }
        if let agency = scope.agency, !shared.isEmpty {
            try run(
                WithdrawalStatements.bar,
                [.int16s(shared.map { $0.int16(0) }), .int32s(shared.map { $0.int32(1) }), .int32(agency.value)])
        }
        let own = locked.filter { $0.bool(2) }
        guard !own.isEmpty else { return [] }
        let keys: [PgValue] = [.int16s(own.map { $0.int16(0) }), .int32s(own.map { $0.int32(1) })]
        try run(WithdrawalStatements.close, keys + [.text(reason)])
        return try run(WithdrawalStatements.closed, keys).compactMap { row in
            guard let delegation = Delegation(row.int16(0)), let strategy = Strategy(rawValue: row.int16(3)),
                let portfolio = Portfolio(rawValue: row.int16(4))
            else { return nil }
            return WithdrawnHand(
                key: HandKey(delegation: delegation, hand: row.int32(1)),
                contracts: row.int32s(2).compactMap { ContractID($0) }, strategy: strategy, portfolio: portfolio,
                cursor: row.int32(5), size: row.int32(6), accounts: row.int64(7))
        }
    }

    /// Ends what waits of one tactic in the open hands that this agency draws from, alone or with others.
    ///
    /// - Returns: an ending for each account, not held.
    /// - Locks: those hands, ascending, until the transaction ends.
    package func withdrawBand(
        _ band: String, of strategy: Strategy, from agency: AgencyID, reason: String
    ) throws(PgError) -> [EndingRow] {
        let values: [PgValue] = [
            .int32(agency.value), .null, .int16(strategy.rawValue), .null, .bool(false), .int16s([]),
            .int32s([]), .bool(true),
        ]
        let locked = try run(WithdrawalStatements.lock, values)
        guard !locked.isEmpty else { return [] }
        let keys: [PgValue] = [.int16s(locked.map { $0.int16(0) }), .int32s(locked.map { $0.int32(1) })]
        return try run(WithdrawalStatements.endBand, keys + [.text(band), .text(reason)]).compactMap { row in
            guard let lease = LeaseKey(row) else { return nil }
            return EndingRow(
                lease: lease, kind: .withdrawal, reason: reason, hand: row.int32(3), position: row.int32(4), quota: 0,
                exposure: Cents(row.int64(5)))
        }
    }

    /// What a withdrawal would take back, by delegation and strategy. Locks nothing.
    package func countWaiting(_ withdrawal: OrderedWithdrawal) throws(PgError) -> [AgencyPlace: Int64] {
        var counts: [AgencyPlace: Int64] = [:]
        for row in try run(WithdrawalStatements.count(withdrawal), []) {
            guard let delegation = Delegation(row.int16(0)), let strategy = Strategy(rawValue: row.int16(1))
            else { continue }
            counts[AgencyPlace(delegation: delegation, agency: withdrawal.agency, strategy: strategy)] = row.int64(2)
        }
        return counts
    }

    /// Lowers the limits of an agency to what its contracts hold, so that nothing takes the place of what goes.
    ///
    /// - Returns: the limits that were lowered, as they are now.
    /// - Locks: those quotas, ascending, until the transaction ends. Hands before them.
    package func lowerQuotas(of agency: AgencyID, strategy: Strategy?) throws(PgError) -> [QuotaRow] {
        let values: [PgValue] = [
            .int32(agency.value), .optional(strategy?.rawValue), .int16s(Delegation.all.map(\.value)),
        ]
        try run(WithdrawalStatements.lockQuotas, values)
        return try run(WithdrawalStatements.lowerQuotas, values).compactMap { row in
            guard let delegation = Delegation(row.int16(0)), let contract = ContractID(row.int32(1)),
                let strategy = Strategy(rawValue: row.int16(2)), let portfolio = Portfolio(rawValue: row.int16(3))
            else { return nil }
            return QuotaRow(
                pool: PoolKey(delegation: delegation, strategy: strategy, portfolio: portfolio), contract: contract,
                limitAccounts: row.int64(4), limitExposure: row.optionalInt64(5))
        }
    }
}

private enum WithdrawalStatements {
    /// $1 agency, $2 delegation, $3 strategy, $4 portfolio, each or null; $5 whether only these: $6 delegation
    /// smallint[], $7 hand integer[]; $8 whether hands that the agency shares count
    static let lock = """
        SELECT h.delegation_id, h.hand_id,
               $1::integer IS NULL OR h.contract_ids <@ ARRAY(SELECT contract_id FROM contract WHERE agency_id = $1)
          FROM hand h
         WHERE h.state = 'open'
           AND ($1::integer IS NULL OR h.contract_ids <@ ARRAY(SELECT contract_id FROM contract WHERE agency_id = $1)
                OR $8 AND h.contract_ids && ARRAY(SELECT contract_id FROM contract WHERE agency_id = $1))
           AND ($2::smallint IS NULL OR h.delegation_id = $2) AND ($3::smallint IS NULL OR h.strategy = $3)
           AND ($4::smallint IS NULL OR h.portfolio = $4)
           AND (NOT $5 OR (h.delegation_id, h.hand_id) IN (SELECT * FROM unnest($6::smallint[], $7::integer[])))
         ORDER BY h.delegation_id, h.hand_id
           FOR NO KEY UPDATE
        """

    /// $1 delegation smallint[], $2 hand integer[], $3 agency
    static let bar = """
        UPDATE hand h
           SET barred_ids = ARRAY(SELECT unnest(h.barred_ids) UNION
                                  SELECT contract_id FROM contract
                                   WHERE agency_id = $3 AND contract_id = ANY (h.contract_ids) ORDER BY 1)
          FROM unnest($1::smallint[], $2::integer[]) AS r (delegation_id, hand_id)
         WHERE h.delegation_id = r.delegation_id AND h.hand_id = r.hand_id
        """

    private static let cursor = """
        coalesce((SELECT g.last_position FROM lease_grant g
                   WHERE g.delegation_id = h.delegation_id AND g.hand_id = h.hand_id
                   ORDER BY g.first_position DESC LIMIT 1), 0)
        """

    /// In a statement behind the lock, so that it sees the grants that were waited for. $1 delegation smallint[],
    /// $2 hand integer[], $3 reason
    static let close = """
        UPDATE hand h SET state = 'closed', withdrawn_at = now_instant(), withdrawn_reason = $3, withdrawn_from = \(cursor)
          FROM unnest($1::smallint[], $2::integer[]) AS r (delegation_id, hand_id)
         WHERE h.delegation_id = r.delegation_id AND h.hand_id = r.hand_id AND h.state = 'open'
        """

    /// $1 delegation smallint[], $2 hand integer[]
    static let closed = """
        SELECT h.delegation_id, h.hand_id, h.contract_ids, h.strategy, h.portfolio, h.withdrawn_from, h.size,
               (SELECT count(*) FROM position p
                 WHERE p.delegation_id = h.delegation_id AND p.hand_id = h.hand_id AND p.position > h.withdrawn_from
                   AND NOT EXISTS (SELECT FROM ending e WHERE e.delegation_id = p.delegation_id
                                      AND e.account_id = p.account_id AND e.epoch = p.epoch))
          FROM unnest($1::smallint[], $2::integer[]) AS r (delegation_id, hand_id)
          JOIN hand h ON h.delegation_id = r.delegation_id AND h.hand_id = r.hand_id
         WHERE h.withdrawn_at IS NOT NULL
         ORDER BY h.delegation_id, h.hand_id
        """

    /// $1 delegation smallint[], $2 hand integer[], $3 tactic, $4 reason
    static let endBand = """
        WITH gone AS (
            INSERT INTO ending (delegation_id, account_id, epoch, kind, reason, ended_at, hand_id, position, was_held)
            SELECT p.delegation_id, p.account_id, p.epoch, 'withdrawal', $4, (SELECT now_instant()), p.hand_id,
                   p.position, false
              FROM unnest($1::smallint[], $2::integer[]) AS r (delegation_id, hand_id)
              JOIN hand h ON h.delegation_id = r.delegation_id AND h.hand_id = r.hand_id
              JOIN position p ON p.delegation_id = h.delegation_id AND p.hand_id = h.hand_id AND p.position > \(cursor)
             WHERE p.tactic = $3
            ON CONFLICT (delegation_id, account_id, epoch) DO NOTHING
            RETURNING *)
        SELECT g.delegation_id, g.account_id, g.epoch, g.hand_id, g.position, p.exposure
          FROM gone g JOIN position p USING (delegation_id, hand_id, position)
         ORDER BY g.delegation_id, g.account_id
        """

    static func count(_ withdrawal: OrderedWithdrawal) -> String {
        """
        SELECT h.delegation_id, h.strategy, count(*)
          FROM hand h
          JOIN position p ON p.delegation_id = h.delegation_id AND p.hand_id = h.hand_id AND p.position > \(cursor)
         WHERE h.state = 'open' AND \(withdrawal.condition)
           AND NOT EXISTS (SELECT FROM ending e WHERE e.delegation_id = p.delegation_id
                              AND e.account_id = p.account_id AND e.epoch = p.epoch)
         GROUP BY h.delegation_id, h.strategy
         ORDER BY h.delegation_id, h.strategy
        """
    }

    /// $1 agency, $2 strategy or null, $3 delegations
    private static let quotas = """
        quota q
         WHERE q.delegation_id = ANY ($3) AND q.contract_id IN (SELECT contract_id FROM contract WHERE agency_id = $1)
           AND ($2::smallint IS NULL OR q.strategy = $2)
        """

    static let lockQuotas =
        "SELECT q.quota_id FROM \(quotas) ORDER BY q.delegation_id, q.quota_id FOR NO KEY UPDATE"

    static let lowerQuotas = """
        WITH held AS MATERIALIZED (
            SELECT q.delegation_id, q.quota_id,
                   \(ReleasedStatements.heldAccounts) AS accounts,
                   \(ReleasedStatements.heldExposure) AS exposure
              FROM quota q
              LEFT JOIN LATERAL (SELECT g.total_accounts, g.total_exposure FROM lease_grant g
                                  WHERE g.delegation_id = q.delegation_id AND g.quota_id = q.quota_id
                                  ORDER BY g.total_accounts DESC LIMIT 1) t ON true
              \(ReleasedStatements.unfolded)
             WHERE (q.delegation_id, q.quota_id) IN (SELECT q.delegation_id, q.quota_id FROM \(quotas))),
        lowered AS (
            UPDATE quota q
               SET limit_accounts = least(q.limit_accounts, h.accounts),
                   limit_exposure = least(q.limit_exposure, CASE WHEN q.limit_exposure IS NOT NULL THEN h.exposure END)
              FROM held h
             WHERE q.delegation_id = h.delegation_id AND q.quota_id = h.quota_id
               AND (q.limit_accounts > h.accounts OR q.limit_exposure > h.exposure)
            RETURNING q.*),
        kept AS (
            INSERT INTO quota_history (delegation_id, quota_id, since, limit_accounts, limit_exposure, plan_id, cause)
            SELECT delegation_id, quota_id, now_instant(), limit_accounts, limit_exposure, plan_id, 'order' FROM lowered)
        SELECT delegation_id, contract_id, strategy, portfolio, limit_accounts, limit_exposure
          FROM lowered ORDER BY delegation_id, contract_id, strategy, portfolio
        """
}
