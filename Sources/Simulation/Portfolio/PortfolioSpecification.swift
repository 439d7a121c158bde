// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// What a portfolio is made from: the same specification gives the same bytes.
package struct PortfolioSpecification: Sendable {
    package static let accountsMax = 10_000_000
    /// One for each connection of the largest load.
    package static let agenciesMax = 20_000
    static let contractsMax = 98_000
    /// Of a portfolio of which nobody says how many there are (AGY-02).
    package static let contractsUsual = 88

    package let accounts: Int
    package let seed: UInt64
    package let period: Period
    package let agencies: Int
    package let contracts: Int
    package let zones: ZoneMap
    /// A disaster in Guerrero before the cut (ORA-60).
    package var hasDisaster = false
    /// How often each kind of ``Damage`` is planted into the cut; `nil`: a clean one.
    package var messTimes: Int?
    /// How many of the months behind the period get a cut, facts, stops and starts, 0...4 (``AccountCourse``).
    package var cutsAfter = 0

    /// - Parameter accounts: 1...10,000,000.
    /// - Parameter agencies: 3...20,000: two hold the preventive contracts (AGY-03), the others the integral ones.
    /// - Parameter contracts: at least a preventive and an integral one for each zone, and one for each agency; `nil`: 88, or as many
    ///   as there have to be.
    /// - Throws: ``SimulationFailure`` (usage) with the bound that was missed.
    package init(
        accounts: Int, seed: UInt64, period: Period, agencies: Int, contracts: Int?, zones: ZoneMap
    ) throws(SimulationFailure) {
        func require(_ holds: Bool, _ found: String, _ remedy: String) throws(SimulationFailure) {
            if !holds { throw SimulationFailure(.usage, found, remedy: remedy) }
        }
        try require(
            (1...Self.accountsMax).contains(accounts), "\(accounts) accounts are out of range", "Take 1 to 10000000")
        try require(
            (3...Self.agenciesMax).contains(agencies), "\(agencies) agencies are out of range",
            "Take 3 to \(Self.agenciesMax)")
        let leastContracts = max(2 * zones.zones.count, zones.zones.count + agencies - 2)
        let contracts = contracts ?? max(Self.contractsUsual, leastContracts)
        try require(
            (leastContracts...Self.contractsMax).contains(contracts), "\(contracts) contracts are out of range",
            "With \(zones.zones.count) zones and \(agencies) agencies take \(leastContracts) to \(Self.contractsMax)")
        self.accounts = accounts
        self.seed = seed
        self.period = period
        self.agencies = agencies
        self.contracts = contracts
        self.zones = zones
    }

    /// The same portfolio some months later.
    func later(months: Int) throws(SimulationFailure) -> PortfolioSpecification {
        var later = try PortfolioSpecification(
            accounts: accounts, seed: seed, period: period.advanced(byMonths: months), agencies: agencies,
            contracts: contracts, zones: zones)
        later.hasDisaster = hasDisaster
        return later
    }

    var maker: AccountMaker { AccountMaker(seed: seed, asOf: asOf, hasDisaster: hasDisaster) }
    var course: AccountCourse { AccountCourse(seed: seed, asOf: asOf) }

    /// The last day before the period: what the cut shows is as of its end.
    package var asOf: LocalDate { period.firstDay.advanced(byDays: -1) }
}

/// Which delegations each contract zone has. The sources name 20 zones and not their map (GEO-01), so it is an
/// assumption.
package struct ZoneMap: Sendable {
    /// Delegations of each zone, both ascending.
    package let zones: [(zone: Int, delegations: [Int])]

    /// Reads `zone,delegation`; every delegation once.
    package init(path: String) throws(SimulationFailure) {
        let table = try Table(path: path, required: ["zone", "delegation"])
        var pairs: [(zone: Int, delegation: Int)] = []
        for row in table.rows {
            guard let zone = Zone(text: table.text(row, "zone")),
                let delegation = Delegation(text: table.text(row, "delegation"))
            else {
                throw SimulationFailure(
                    .usage, "\(path) has the row \(row.joined(separator: ","))",
                    remedy: "Zones are 1 to 20, delegations 1 to 32")
            }
            pairs.append((Int(zone.value), Int(delegation.value)))
        }
        guard Set(pairs.map(\.delegation)).count == 32, pairs.count == 32 else {
            throw SimulationFailure(
                .usage, "\(path) does not name each delegation once", remedy: "Give 32 rows, one per delegation")
        }
        self.init(pairs: pairs)
    }

    /// The map that is used where no file is given.
    package init() {
        let delegations = [
            [2, 3], [26], [8], [5, 10], [19], [28], [18, 25], [14], [6, 16], [1, 32], [24], [11], [13, 22], [15], [9],
            [12, 17], [21, 29], [30], [7, 20, 27], [4, 23, 31],
        ]
        self.init(pairs: delegations.enumerated().flatMap { zone, members in members.map { (zone + 1, $0) } })
    }

    private init(pairs: [(zone: Int, delegation: Int)]) {
        let groups = Dictionary(grouping: pairs, by: \.zone)
        self.zones = groups.keys.sorted().map { zone in (zone, (groups[zone] ?? []).map(\.delegation).sorted()) }
    }
}
