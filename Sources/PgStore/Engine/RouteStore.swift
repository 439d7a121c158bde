// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// One open hand as one contract may draw from it.
package struct HandRoute: Sendable {
    package let key: HandKey
    package let strategy: Strategy
    package let portfolio: Portfolio
    package let isFront: Bool
    package let size: Int32
    package let cursor: Int32
    package let terms: LeaseTerms
    package let contactRules: ContactRules
    package let contract: ContractID
    package let agency: AgencyID
    /// Whether the agency or the institution wants no more of that strategy there, for now.
    package var isPaused: Bool
    package let quota: QuotaKey
    /// Where pulls may name a tactic, the only one of the hand, empty where nothing was dealt; `nil`: they may not.
    package let tactic: String?
    /// The priority class of all of such a hand.
    package let priority: Int16?
    /// Whether other contracts draw from it too.
    package let isShared: Bool
    /// How many accounts the contract's advisers carry there; `nil`: nobody has said.
    package let capacity: Int64?

    /// Whether the advisers are what limits the accounts, and not the share.
    package func isCapacity(of quota: QuotaBalance) -> Bool { capacity.map { quota.limitAccounts >= $0 } ?? false }
}

/// Where an agency has a contract in force, dealt to or not.
package struct AgencyPlace: Hashable, Sendable {
    package let delegation: Delegation
    package let agency: AgencyID
    package let strategy: Strategy

    package init(delegation: Delegation, agency: AgencyID, strategy: Strategy) {
        self.delegation = delegation
        self.agency = agency
        self.strategy = strategy
    }
}

/// What a contract in force lets its agency work in one place.
package struct ContractPlace: Hashable, Sendable {
    package let place: AgencyPlace
    package let contract: ContractID
    package let portfolio: Portfolio

    package init(place: AgencyPlace, contract: ContractID, portfolio: Portfolio) {
        self.place = place
        self.contract = contract
        self.portfolio = portfolio
    }
}

/// Where pulls go: the open hands, and how far the contracts go, whether anything was dealt to them or not.
package struct Routing: Sendable {
    package let hands: [HandRoute]
    package let contracts: Set<ContractPlace>
    /// Of the places those of which nothing is given now.
    package let suspended: Set<AgencyPlace>
    /// Places of which hands are closed because they are being dealt again.
    package let redealing: Set<AgencyPlace>

    package init(
        hands: [HandRoute] = [], contracts: Set<ContractPlace> = [], suspended: Set<AgencyPlace> = [],
        redealing: Set<AgencyPlace> = []
    ) {
        self.hands = hands
        self.contracts = contracts
        self.suspended = suspended
        self.redealing = redealing
    }
}

extension PgLink {
    package func readRouting() throws(PgError) -> Routing {
        Routing(
            hands: try readRoutes(), contracts: try readContractPlaces(),
            suspended: try readPlaces(RouteStatements.suspended),
            redealing: try readPlaces(RouteStatements.redealing))
    }

    /// The places of all contracts that are in force on the database's day.
    package func readPlaces() throws(PgError) -> Set<AgencyPlace> { try readPlaces(RouteStatements.places) }

    private func readContractPlaces() throws(PgError) -> Set<ContractPlace> {
        var places: Set<ContractPlace> = []
        for row in try run(RouteStatements.places) {
            guard let delegation = Delegation(row.int16(0)), let agency = AgencyID(row.int32(1)),
                let strategy = Strategy(rawValue: row.int16(2)), let contract = ContractID(row.int32(3)),
                let portfolio = Portfolio(rawValue: row.int16(4))
            else { continue }
            let place = AgencyPlace(delegation: delegation, agency: agency, strategy: strategy)
            places.insert(ContractPlace(place: place, contract: contract, portfolio: portfolio))
        }
        return places
    }

    private func readPlaces(_ statement: String) throws(PgError) -> Set<AgencyPlace> {
        var places: Set<AgencyPlace> = []
        for row in try run(statement) {
            guard let delegation = Delegation(row.int16(0)), let agency = AgencyID(row.int32(1)),
                let strategy = Strategy(rawValue: row.int16(2))
            else { continue }
            places.insert(AgencyPlace(delegation: delegation, agency: agency, strategy: strategy))
        }
        return places
    }

    /// All open hands with the contracts that draw from them, in the order in which they are served: front hands first, then
    /// those of one contract before those that it shares, so that its limit is not used up for what only it can have;
    /// then by contract, portfolio and number.
    private func readRoutes() throws(PgError) -> [HandRoute] {
        try run(RouteStatements.routes).compactMap { row in
            guard let delegation = Delegation(row.int16(0)), let strategy = Strategy(rawValue: row.int16(2)),
                let portfolio = Portfolio(rawValue: row.int16(3)), let contract = ContractID(row.int32(11)),
                let agency = AgencyID(row.int32(12))
            else { return nil }
            return HandRoute(
                key: HandKey(delegation: delegation, hand: row.int32(1)), strategy: strategy, portfolio: portfolio,
                isFront: row.bool(4), size: row.int32(5), cursor: row.int32(6),
                terms: LeaseTerms(
                    termDays: Int(row.int32(7)), ceilingDays: Int(row.int32(8)), grace: .microseconds(row.int64(9)),
                    lateReport: .microseconds(row.int64(10)), activityDays: row.optionalInt32(16).map(Int.init),
                    contractEndsOn: row.date(13)), contactRules: ContactRules(names: row.texts(17)),
                contract: contract, agency: agency, isPaused: row.bool(15),
                quota: QuotaKey(delegation: delegation, quota: row.int32(14)), tactic: row.optionalText(18),
                priority: row.optionalInt16(19), isShared: row.bool(20), capacity: row.optionalInt64(21))
        }
    }

    /// The latest month that was placed, with the digest of the policy that did.
    package func readLatestPolicy() throws(PgError) -> (period: Period, digest: [UInt8])? {
        let rows = try run("SELECT period, policy_digest FROM segmentation ORDER BY period DESC LIMIT 1")
        return rows.first.flatMap { row in Period(number: row.int32(0)).map { ($0, row.bytes(1)) } }
    }

    /// The database's own time, virtual or real.
    package func readNow() throws(PgError) -> Timestamp {
        let rows = try run("SELECT now_instant()")
        return rows[0].timestamp(0)
    }
}

private enum RouteStatements {
    static let places = """
        SELECT DISTINCT k.delegation_id, c.agency_id, s.strategy, c.contract_id, k.portfolio
          FROM contract c
          JOIN contract_capacity k ON k.contract_id = c.contract_id
         CROSS JOIN unnest(c.strategies) AS s (strategy)
         WHERE (now_instant() AT TIME ZONE 'America/Mexico_City')::date BETWEEN c.starts_on AND c.ends_on
         ORDER BY k.delegation_id, c.agency_id, s.strategy, c.contract_id, k.portfolio
        """

    /// Places of which an agency is given nothing now: it is on hold or terminated, or the strategy is suspended for it
    /// with every band.
    static let suspended = """
        SELECT DISTINCT k.delegation_id, c.agency_id, s.strategy
          FROM contract c
          JOIN contract_capacity k ON k.contract_id = c.contract_id
          JOIN agency a ON a.agency_id = c.agency_id
         CROSS JOIN unnest(c.strategies) AS s (strategy)
         WHERE a.status <> 'active'
            OR EXISTS (SELECT FROM agency_suspension u
                        WHERE u.agency_id = c.agency_id AND u.strategy = s.strategy AND u.band = '')
         ORDER BY k.delegation_id, c.agency_id, s.strategy
        """

    static let redealing = """
        SELECT DISTINCT q.delegation_id, c.agency_id, q.strategy
          FROM redeal r
          JOIN redeal_pool p ON p.redeal_id = r.redeal_id AND p.state = 'closed'
          JOIN redeal_quota q ON q.redeal_id = p.redeal_id AND q.delegation_id = p.delegation_id
                             AND q.strategy = p.strategy AND q.portfolio = p.portfolio
          JOIN contract c ON c.contract_id = q.contract_id
         WHERE r.state = 'dealing'
         ORDER BY q.delegation_id, c.agency_id, q.strategy
        """

    static let routes = """
        SELECT h.delegation_id, h.hand_id, h.strategy, h.portfolio, h.is_front, h.size,
               coalesce((SELECT g.last_position FROM lease_grant g
                          WHERE g.delegation_id = h.delegation_id AND g.hand_id = h.hand_id
                          ORDER BY g.first_position DESC LIMIT 1), 0),
               h.term_days, h.ceiling_days, h.grace_us, h.late_report_us, c.contract_id, c.agency_id, c.ends_on,
               q.quota_id,
               EXISTS (SELECT FROM pause p
                        WHERE p.delegation_id = h.delegation_id AND p.agency_id = c.agency_id AND p.strategy = h.strategy),
               h.activity_days, h.rule_packs, h.tactic, h.priority, cardinality(h.contract_ids) > 1,
               k.committed_advisers::bigint * k.accounts_per_adviser
          FROM hand h
          JOIN contract c ON c.contract_id = ANY (h.contract_ids) AND c.contract_id <> ALL (h.barred_ids)
          JOIN quota q ON q.delegation_id = h.delegation_id AND q.contract_id = c.contract_id
                      AND q.strategy = h.strategy AND q.portfolio = h.portfolio
          LEFT JOIN contract_capacity k ON k.contract_id = c.contract_id AND k.delegation_id = h.delegation_id
                                       AND k.portfolio = h.portfolio
         WHERE h.state = 'open'
         ORDER BY h.delegation_id, c.agency_id, h.strategy, NOT h.is_front, cardinality(h.contract_ids) > 1, c.contract_id,
                  h.portfolio, h.hand_id
        """
}
