// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// The advisers that each contract needs for what a plan gives it, against those promised and there.
/// - Source: AGY-07, PEN-01.
struct PlanStaffing {
    /// PEN-01's price of one missing adviser, by schedule and portfolio.
    private let prices: [String: [Portfolio: Cents]]
    private let schedules: [ContractID: String]

    init(_ contracts: some Collection<ContractRow>, penalties: [String: [Schedule]], firstDay: LocalDate) {
        self.schedules = Dictionary(contracts.map { ($0.contract, $0.penaltySchedule) }) { first, _ in first }
        self.prices = penalties.compactMapValues { versions in
            Schedule.inForce(on: firstDay, of: versions).map { schedule in
                Portfolio.allCases.reduce(into: [:]) { prices, portfolio in
                    prices[portfolio] = schedule.value(PenaltyRule.capacity.rawValue, portfolio.name)
                        .flatMap { Cents(pesos: $0) }
                }
            }
        }
    }

    /// By delegation, portfolio and contract; only where something is dealt or held.
    func lines(_ plan: AllocationPlan, _ input: PlanInput) -> [PlanReport.Staffing] {
        var accounts: [Station: [ContractID: Int64]] = [:]
        for contract in input.contracts {
            for (cell, held) in contract.held where held.accounts > 0 {
                accounts[cell.pool.station, default: [:]][contract.contract, default: 0] += held.accounts
            }
        }
        for quota in plan.quotas where quota.accounts > 0 {
            accounts[quota.key.cell.pool.station, default: [:]][quota.key.contract, default: 0] += quota.accounts
        }
        let contracts = Dictionary(input.contracts.map { ($0.contract, $0) }) { first, _ in first }
        return accounts.keys.sorted().flatMap { station in
            (accounts[station] ?? [:]).sorted { $0.key < $1.key }.compactMap { id, count in
                contracts[id].flatMap { line($0, station, count) }
            }
        }
    }

    private func line(_ contract: PlanContract, _ station: Station, _ accounts: Int64) -> PlanReport.Staffing? {
        guard let staffing = contract.staffing[station] else { return nil }
        let needed = (accounts + staffing.accountsPerAdviser - 1) / max(1, staffing.accountsPerAdviser)
        let missing = max(0, needed - (staffing.present ?? staffing.committed))
        let price = schedules[contract.contract].flatMap { prices[$0]?[station.portfolio] }
        return PlanReport.Staffing(
            delegation: station.delegation.value, portfolio: station.portfolio.name,
            contract: contract.contract.value, agency: contract.agency.description, accounts: accounts,
            needed: needed, committed: staffing.committed, present: staffing.present, missing: missing,
            penalty: missing > 0 ? price.map { $0.times(missing).description } : nil)
    }
}
