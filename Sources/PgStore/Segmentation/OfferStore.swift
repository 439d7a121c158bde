// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// Which accounts of a period may be offered which solutions: what was recorded when they were placed.
package struct OfferStore {
    /// One account with offers on record.
    package struct Account: Sendable {
        package let account: Int64
        /// Of the placement: `dual.rest`, `exclusion.lawsuit`.
        package let rule: String
        package let isExcluded: Bool
        /// Bits of the policy's relief, by its order.
        package let offers: UInt64
        /// Who holds it, or has it waiting in a hand of its own; `nil` where nobody does.
        package let contract: Int32?
    }

    private let link: PgLink
    private let period: Period

    package init(_ link: PgLink, period: Period) {
        self.link = link
        self.period = period
    }

    /// Gives the accounts of one delegation in the order of their numbers.
    ///
    /// - Parameters:
    ///   - bits: the solutions that are asked for; an account with none of them is not given.
    ///   - contract: only those of one contract.
    package func each(
        _ delegation: Delegation, bits: UInt64, contract: Int32?, _ body: (Account) throws -> Void
    ) throws {
        try link.copyOut(Self.copyOffers(period.number, delegation.value, Int64(bitPattern: bits), contract)) {
            reader in
            let account = reader.int64()
            let rule = reader.text()
            let (isExcluded, offers, contract) = (reader.int16() == 1, reader.int64(), reader.int32())
            try body(
                Account(
                    account: account, rule: rule, isExcluded: isExcluded, offers: UInt64(bitPattern: offers),
                    contract: contract == 0 ? nil : contract))
        }
    }

    /// Contracts are numbered from 1 on; 0 is none. Of a shared hand that nobody has leased from, the account is nobody's yet.
    private static func copyOffers(_ period: Int32, _ delegation: Int16, _ bits: Int64, _ contract: Int32?) -> String {
        """
        COPY (SELECT * FROM (
                SELECT p.account_id, p.rule, (p.exclusion IS NOT NULL)::integer::smallint, p.offers,
                       CASE WHEN d.is_live THEN coalesce(d.contract, 0) ELSE 0 END AS contract
                  FROM placement p
                  LEFT JOIN LATERAL (
                       SELECT CASE WHEN g.last_position >= d.position THEN g.contract_id
                                   WHEN cardinality(h.contract_ids) = 1 THEN h.contract_ids[1] END AS contract,
                              NOT EXISTS (SELECT FROM ending e
                                           WHERE e.delegation_id = d.delegation_id AND e.account_id = d.account_id
                                             AND e.epoch = d.epoch)
                              AND CASE WHEN g.last_position >= d.position
                                       THEN g.state = 'open' AND d.position <> ALL (coalesce(g.skipped, '{}'))
                                       ELSE h.state <> 'closed' END AS is_live
                         FROM deal d
                         JOIN hand h ON h.delegation_id = d.delegation_id AND h.hand_id = d.hand_id
                         LEFT JOIN LATERAL (SELECT x.last_position, x.skipped, x.state, x.contract_id FROM lease_grant x
                                             WHERE x.delegation_id = d.delegation_id AND x.hand_id = d.hand_id
                                               AND x.first_position <= d.position
                                             ORDER BY x.first_position DESC LIMIT 1) g ON true
                        WHERE d.delegation_id = p.delegation_id AND d.account_id = p.account_id
                        ORDER BY d.epoch DESC LIMIT 1) d ON true
                 WHERE p.period = \(period) AND p.delegation_id = \(delegation) AND p.offers & '\(bits)'::bigint <> 0) x
               \(contract.map { "WHERE contract = \($0)" } ?? "")
               ORDER BY account_id) TO STDOUT (FORMAT binary)
        """
    }
}
