// SPDX-License-Identifier: Apache-2.0

/// A contract as a plan sees it: what it may take, with how many advisers and how much bond, and what it holds.
package struct PlanContract: Hashable, Sendable, Codable {
    /// Whether the agency is given work at all. A hold is a person's decision and has a motive (AGY-16).
    package enum Standing: Hashable, Sendable, Codable {
        case active
        case onHold(motive: String)
        case terminated(motive: String)
    }

    /// Nothing new of a strategy, or of one band of it (ASG-06, SUS-01).
    package struct Suspension: Hashable, Sendable, Codable {
        package let strategy: Strategy
        /// `nil`: every band.
        package let band: Int16?

        package init(strategy: Strategy, band: Int16? = nil) {
            self.strategy = strategy
            self.band = band
        }
    }

    package enum CapacityBasis: String, Sendable, CaseIterable, Codable { case committed, present }

    /// Advisers of one place, as promised and, where a fact says so, as there, and how many accounts each may carry.
    package struct Staffing: Hashable, Sendable, Codable {
        package var committed: Int64
        package var present: Int64?
        package var accountsPerAdviser: Int64

        package init(committed: Int64, present: Int64? = nil, accountsPerAdviser: Int64 = 1) {
            self.committed = committed
            self.present = present
            self.accountsPerAdviser = accountsPerAdviser
        }

        /// Accounts that the advisers who count may carry.
        package func limit(_ basis: CapacityBasis) -> Int64 { advisers(basis) * accountsPerAdviser }

        package func advisers(_ basis: CapacityBasis) -> Int64 {
            switch basis {
            case .committed: committed
            case .present: present ?? committed
            }
        }
    }

    package struct Held: Hashable, Sendable, Codable {
        package var accounts: Int64
        /// Centavos, as fixed when they were dealt.
        package var exposure: Int64

        package init(accounts: Int64, exposure: Int64 = 0) {
            self.accounts = accounts
            self.exposure = exposure
        }
    }

    package var contract: ContractID
    package var agency: AgencyID
    package var standing: Standing = .active
    package var firstDay: LocalDate
    package var lastDay: LocalDate
    package var strategies: [Strategy]
    package var suspended: [Suspension] = []
    /// Where it works.
    package var stations: Set<Station>
    /// Advisers where they are counted for one delegation alone.
    package var staffing: [Station: Staffing] = [:]
    /// Advisers where they are counted over all delegations; where both are counted, both hold.
    package var portfolios: [Portfolio: Staffing] = [:]
    package var basis: CapacityBasis = .committed
    /// Centavos, before what is held.
    package var bond: Int64 = 0
    package var exposure = Exposure(basis: .none, factorBasisPoints: 0)
    /// Where its rule pack leaves a portfolio no channel (GEO-02).
    package var bans: Set<Station> = []
    /// Parts of pools (``PlanCell/band``) in municipalities where its rule pack has no visits; `nil`: none.
    package var visitless: [Int16]?
    package var held: [PlanCell: Held] = [:]

    package init(
        contract: ContractID, agency: AgencyID, firstDay: LocalDate, lastDay: LocalDate, strategies: [Strategy],
        stations: Set<Station>
    ) {
        self.contract = contract
        self.agency = agency
        self.firstDay = firstDay
        self.lastDay = lastDay
        self.strategies = strategies
        self.stations = stations
    }

    /// Why the contract takes nothing of a cell.
    package enum Absence: String, Sendable, CaseIterable {
        /// The strategy or the delegation is not in the contract, it works without advisers there, or its dates do not
        /// cover the period's first day.
        case noContract = "no-contract"
        case hold, suspended, terminated, ban
    }

    /// `nil` where it takes part. What the contract never covers comes before what keeps it away now.
    package func absence(from cell: PlanCell, on day: LocalDate) -> Absence? {
        let station = Station(delegation: cell.pool.delegation, portfolio: cell.pool.portfolio)
        guard strategies.contains(cell.pool.strategy), stations.contains(station),
            staffing[station] != nil || portfolios[cell.pool.portfolio] != nil, firstDay <= day, day <= lastDay
        else { return .noContract }
        switch standing {
        case .active: break
        case .onHold: return .hold
        case .terminated: return .terminated
        }
        if bans.contains(station) || visitless?.contains(cell.band) ?? false { return .ban }
        let isSuspended = suspended.contains {
            $0.strategy == cell.pool.strategy && ($0.band == nil || $0.band == cell.band)
        }
        return isSuspended ? .suspended : nil
    }

    /// Whether it takes part in anything at a station, whatever the strategy; with ``takes(_:)`` the same as no
    /// ``absence(from:on:)``.
    func isOpen(at station: Station, on day: LocalDate) -> Bool {
        guard case .active = standing, firstDay <= day, day <= lastDay, stations.contains(station) else { return false }
        return (staffing[station] != nil || portfolios[station.portfolio] != nil) && !bans.contains(station)
    }

    /// Whether it may take a cell of a station where it is open.
    func takes(_ cell: PlanCell) -> Bool {
        strategies.contains(cell.pool.strategy) && visitless?.contains(cell.band) != true
            && !suspended.contains {
                $0.strategy == cell.pool.strategy && ($0.band == nil || $0.band == cell.band)
            }
    }

    /// Accounts that its advisers in one place can still carry; `nil` where they are not counted there.
    package func room(at station: Station) -> Int64? {
        guard let staffing = staffing[station] else { return nil }
        let held = held.filter {
            $0.key.pool.delegation == station.delegation && $0.key.pool.portfolio == station.portfolio
        }
        return room(staffing, held: held)
    }

    /// The same over all delegations.
    package func room(in portfolio: Portfolio) -> Int64? {
        guard let staffing = portfolios[portfolio] else { return nil }
        return room(staffing, held: held.filter { $0.key.pool.portfolio == portfolio })
    }

    private func room(_ staffing: Staffing, held: [PlanCell: Held]) -> Int64 {
        max(0, staffing.limit(basis) - held.values.reduce(0) { $0 + $1.accounts })
    }

    /// Centavos of bond that nothing uses yet; `nil` where the bond limits nothing.
    package var bondRoom: Int64? {
        exposure.isLimiting ? max(0, bond - held.values.reduce(0) { $0 + $1.exposure }) : nil
    }

    /// Limits of exposure as they may be in force together without what is held ever passing the bond again.
    ///
    /// - Parameter elsewhere: centavos that limits beside these reserve already.
    /// - Source: AGY-08.
    package func withinBond(_ limits: [(limit: Int64, held: Int64)], elsewhere: Int64 = 0) -> [Int64] {
        exposure.isLimiting ? Self.together(limits, within: max(0, bond - elsewhere)) : limits.map(\.limit)
    }

    /// Limits of accounts as they may be in force together without what is held ever passing again what its advisers
    /// carry, in each place and over all of them.
    ///
    /// - Parameter elsewhere: accounts that limits of pools beside these reserve already.
    /// - Source: AGY-07.
    package func withinAdvisers(
        _ limits: [(pool: PoolKey, limit: Int64, held: Int64)], elsewhere: [PoolKey: Int64] = [:]
    ) -> [Int64] {
        var found = limits.map(\.limit)
        func lower(to carried: Int64, where isHere: (PoolKey) -> Bool) {
            let here = limits.indices.filter { isHere(limits[$0].pool) }
            let others = elsewhere.reduce(0) { isHere($1.key) ? $0 + $1.value : $0 }
            let lowered = Self.together(
                here.map { (found[$0], held: limits[$0].held) }, within: max(0, carried - others))
            for (index, limit) in zip(here, lowered) { found[index] = limit }
        }
        for (station, staffing) in staffing.sorted(by: { $0.key < $1.key }) {
            lower(to: staffing.limit(basis)) { $0.station == station }
        }
        for (portfolio, staffing) in portfolios.sorted(by: { $0.key < $1.key }) {
            lower(to: staffing.limit(basis)) { $0.portfolio == portfolio }
        }
        return found
    }

    /// Where limits come to more than there is room for, what each allows on top of what is held is cut in proportion; where
    /// not even what is held has room, each is lowered by the whole of what is missing, so that what comes back makes no
    /// room anywhere before the rest has room.
    private static func together(_ limits: [(limit: Int64, held: Int64)], within room: Int64) -> [Int64] {
        guard limits.reduce(0, { $0 + max($1.limit, $1.held) }) > room else { return limits.map(\.limit) }
        let missing = limits.reduce(-room) { $0 + $1.held }
        if missing > 0 { return limits.map { max(0, min($0.limit, $0.held - missing)) } }
        let spares = limits.map { max(0, $0.limit - $0.held) }
        return zip(limits, Proportion.split(-missing, weights: spares)).map { min($0.limit, $0.held) + $1 }
    }
}
