// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// Contracts of the tables as the planner sees them.
struct PlannedContracts {
    private let settings: PlanSettings
    private let capacities: [ContractID: [CapacityRow]]
    private let holdings: [ContractID: [HoldingRow]]

    init(_ settings: PlanSettings, capacities: [CapacityRow], holdings: [HoldingRow]) {
        self.settings = settings
        self.capacities = Dictionary(grouping: capacities, by: \.contract)
        self.holdings = Dictionary(grouping: holdings, by: \.contract)
    }

    func contract(_ row: ContractRow) -> PlanContract {
        let stations = (capacities[row.contract] ?? []).filter { $0.committed > 0 || isNamed(row, $0.station) }
        var contract = PlanContract(
            contract: row.contract, agency: row.agency, firstDay: row.startsOn, lastDay: row.endsOn,
            strategies: row.strategies, stations: Set(stations.map(\.station)))
        switch row.agencyStatus {
        case "active": contract.standing = .active
        case "hold": contract.standing = .onHold(motive: row.motive)
        default: contract.standing = .terminated(motive: row.motive)
        }
        for capacity in stations {
            contract.staffing[capacity.station] = PlanContract.Staffing(
                committed: Int64(capacity.committed), present: capacity.present.map(Int64.init),
                accountsPerAdviser: Int64(capacity.accountsPerAdviser))
        }
        contract.basis = row.capacityBasis
        contract.bond = row.bond
        contract.exposure = row.exposure
        contract.bans = contract.stations.filter { settings.isBanned($0, packs: row.packs) }
        for holding in holdings[row.contract] ?? [] {
            contract.held[PlanCell(holding.pool)] = PlanContract.Held(
                accounts: holding.accounts, exposure: holding.exposure)
        }
        return contract
    }

    /// Where a contract promises no advisers it does not work; but a share of its own there is worth a warning.
    private func isNamed(_ row: ContractRow, _ station: Station) -> Bool {
        row.strategies.contains { strategy in
            settings.rule(TargetKey(delegation: station.delegation, strategy: strategy))?.share.named
                .contains(row.contract) ?? false
        }
    }
}
