// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// Who could take a period's accounts, and how many on top of what they hold: the side of a plan that does not depend on
/// the placements. Locks nothing and writes nothing.
struct PlanSupply {
    let contracts: [ContractID: ContractRow]
    /// Contracts that take part.
    let rooms: [ContractRoom]
    /// Of the contracts that take part.
    let capacities: [CapacityRow]
    let holdings: [HoldingRow]
    let warnings: [String]

    /// The last day of the period whose staffing facts still count as staffing at its start.
    static func staffingDay(_ period: Period) -> LocalDate { period.firstDay.advanced(byDays: 6) }

    static func read(_ store: PlanningStore) throws -> PlanSupply {
        let holdings = try store.holdings()
        var warnings: [String] = []
        let contracts = try store.contracts()
        let inForce = contracts.filter { contract in
            guard let motive = absence(contract, period: store.period) else { return true }
            warnings.append("contract \(contract.contract) of \(contract.agency) is left out: \(motive)")
            return false
        }
        let capacities = try store.capacities(staffedBy: staffingDay(store.period))
        let rooms = inForce.map { room($0, capacities: capacities, holdings: holdings, warnings: &warnings) }
        let taking = Set(inForce.map(\.contract))
        return PlanSupply(
            contracts: Dictionary(uniqueKeysWithValues: contracts.map { ($0.contract, $0) }), rooms: rooms,
            capacities: capacities.filter { taking.contains($0.contract) }, holdings: holdings, warnings: warnings)
    }

    /// Why a contract takes no part; `nil` where it does. It must be in force when the period starts, because from then
    /// on its hands can be pulled.
    private static func absence(_ contract: ContractRow, period: Period) -> String? {
        if contract.startsOn > period.firstDay { return "it starts on \(contract.startsOn)" }
        if contract.endsOn < period.firstDay { return "it ended on \(contract.endsOn)" }
        return contract.agencyStatus == "active" ? nil : "the agency is on \(contract.agencyStatus)"
    }

    /// What the contract can take on top of what it holds (AGY-09).
    private static func room(
        _ contract: ContractRow, capacities: [CapacityRow], holdings: [HoldingRow], warnings: inout [String]
    ) -> ContractRoom {
        let held = holdings.filter { $0.contract == contract.contract }
        var capacity: [Station: Int64] = [:]
        var unstaffed: [Station] = []
        // Where the contract promises no advisers, it does not work.
        for row in capacities where row.contract == contract.contract && row.committed > 0 {
            var advisers = row.committed
            if contract.capacityBasis == "present" {
                if let present = row.present { advisers = present } else { unstaffed.append(row.station) }
            }
            let heldHere = held.filter {
                $0.pool.delegation == row.station.delegation && $0.pool.portfolio == row.station.portfolio
            }
            let limit = Int64(advisers) * Int64(row.accountsPerAdviser)
            capacity[row.station] = max(0, limit - heldHere.reduce(0) { $0 + $1.accounts })
        }
        if !unstaffed.isEmpty {
            let places = Set(unstaffed.map { $0.delegation }).sorted().map(\.description).joined(separator: ", ")
            warnings.append(
                "contract \(contract.contract) goes by present advisers and has no staffing fact for delegation "
                    + "\(places): the committed ones are taken")
        }
        return ContractRoom(
            contract: contract.contract, strategies: contract.strategies, capacity: capacity,
            bond: max(0, contract.bond - held.reduce(0) { $0 + $1.exposure }), exposure: contract.exposure)
    }
}
