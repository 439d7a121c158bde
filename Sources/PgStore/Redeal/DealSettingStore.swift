// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// How the month is dealt in one delegation and strategy.
package struct DealSettingRow: Sendable {
    package let delegation: Delegation
    package let strategy: Strategy
    /// `nil`: what nobody pulls stays where it is.
    package let unpulledDays: Int32?
    package let by: String
    package let at: Timestamp
}

/// A hand that its contract has not drawn from for as long as the setting allows.
package struct UnpulledHand: Sendable {
    package let key: HandKey
    package let contract: ContractID
    package let strategy: Strategy
    package let station: Station
}

extension PgLink {
    package func setUnpulledDays(
        _ days: Int32?, _ strategy: Strategy, _ delegations: [Delegation], by: String
    ) throws(PgError) {
        try run(
            DealSettingStatements.set,
            [.int16s(delegations.map(\.value)), .int16(strategy.rawValue), .optional(days), .text(by)])
    }

    /// By delegation and strategy.
    package func readDealSettings() throws(PgError) -> [DealSettingRow] {
        try run(
            "SELECT delegation_id, strategy, unpulled_days, set_by, set_at FROM deal_setting ORDER BY delegation_id, strategy"
        ).compactMap { row in
            guard let delegation = Delegation(row.int16(0)), let strategy = Strategy(rawValue: row.int16(1))
            else { return nil }
            return DealSettingRow(
                delegation: delegation, strategy: strategy, unpulledDays: row.optionalInt32(2), by: row.text(3),
                at: row.timestamp(4))
        }
    }

    /// Open hands of one contract with accounts left, which drew nothing of that pool for the days of the setting. Locks
    /// nothing: what is withdrawn is decided under the hands' locks.
    package func readUnpulledHands(limit: Int32) throws(PgError) -> [UnpulledHand] {
        try run(DealSettingStatements.unpulled, [.int32(limit)]).compactMap { row in
            guard let delegation = Delegation(row.int16(0)), let contract = ContractID(row.int32(2)),
                let strategy = Strategy(rawValue: row.int16(3)), let portfolio = Portfolio(rawValue: row.int16(4))
            else { return nil }
            return UnpulledHand(
                key: HandKey(delegation: delegation, hand: row.int32(1)), contract: contract, strategy: strategy,
                station: Station(delegation: delegation, portfolio: portfolio))
        }
    }

    /// Open hands with accounts left whose contracts have all ended, by delegation and number: whoever pulls is of another contract.
    /// A contract works on its last day still, by the clock of Mexico City. Locks nothing.
    package func readEndedHands(limit: Int32) throws(PgError) -> [(key: HandKey, pool: PoolKey)] {
        try run(DealSettingStatements.ended, [.int32(limit)]).compactMap { row in
            guard let pool = PoolKey(row, 0, 2, 3) else { return nil }
            return (HandKey(delegation: pool.delegation, hand: row.int32(1)), pool)
        }
    }

    /// Whether it is so long since the month was dealt, or anything of it again.
    package func isDealOlder(than seconds: Int64) throws(PgError) -> Bool {
        try run(DealSettingStatements.isOlder, [.int64(seconds)]).first?.bool(0) ?? false
    }
}

private enum DealSettingStatements {
    /// $1 delegations, $2 strategy, $3 days or null, $4 by
    static let set = """
        INSERT INTO deal_setting (delegation_id, strategy, unpulled_days, set_by, set_at)
        SELECT d, $2, $3::integer, $4, now_instant() FROM unnest($1::smallint[]) AS d
        ON CONFLICT (delegation_id, strategy) DO UPDATE
           SET unpulled_days = excluded.unpulled_days, set_by = excluded.set_by, set_at = excluded.set_at
        """

    /// $1 how many
    static let unpulled = """
        SELECT h.delegation_id, h.hand_id, h.contract_ids[1], h.strategy, h.portfolio
          FROM deal_setting s
          JOIN hand h ON h.delegation_id = s.delegation_id AND h.strategy = s.strategy
          JOIN plan l ON l.plan_id = h.plan_id
          JOIN quota q ON q.delegation_id = h.delegation_id AND q.contract_id = h.contract_ids[1]
                      AND q.strategy = h.strategy AND q.portfolio = h.portfolio
          LEFT JOIN LATERAL (SELECT g.last_position FROM lease_grant g
                              WHERE g.delegation_id = h.delegation_id AND g.hand_id = h.hand_id
                              ORDER BY g.first_position DESC LIMIT 1) c ON true
          LEFT JOIN LATERAL (SELECT g.granted_at FROM lease_grant g
                              WHERE g.delegation_id = q.delegation_id AND g.quota_id = q.quota_id
                              ORDER BY g.total_accounts DESC LIMIT 1) t ON true
         WHERE s.unpulled_days IS NOT NULL AND h.state = 'open' AND cardinality(h.contract_ids) = 1
           AND coalesce(c.last_position, 0) < h.size
           AND greatest(t.granted_at, h.opened_at, l.made_at, s.set_at) + s.unpulled_days * interval '1 day' <= now_instant()
         ORDER BY h.delegation_id, h.hand_id
         LIMIT $1
        """

    /// $1 how many
    static let ended = """
        WITH over AS MATERIALIZED (
            SELECT coalesce(array_agg(contract_id), '{}') AS contracts FROM contract
             WHERE ends_on < (now_instant() AT TIME ZONE interval '-6 hours')::date)
        SELECT h.delegation_id, h.hand_id, h.strategy, h.portfolio
          FROM over
          JOIN hand h ON h.state = 'open' AND h.contract_ids <@ over.contracts
          LEFT JOIN LATERAL (SELECT g.last_position FROM lease_grant g
                              WHERE g.delegation_id = h.delegation_id AND g.hand_id = h.hand_id
                              ORDER BY g.first_position DESC LIMIT 1) c ON true
         WHERE coalesce(c.last_position, 0) < h.size
         ORDER BY h.delegation_id, h.hand_id
         LIMIT $1
        """

    /// $1 seconds
    static let isOlder = """
        SELECT greatest(max(l.made_at), (SELECT max(started_at) FROM redeal)) + $1 * interval '1 second' <= now_instant()
          FROM plan l WHERE l.state = 'applied'
        """
}
