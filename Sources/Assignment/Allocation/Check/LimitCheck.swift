// SPDX-License-Identifier: Apache-2.0

/// Verifies that the limits of a plan, widened where hands are shared, can all be filled at once without one contract
/// passing its advisers or its agency the cap. Adds up and compares; shares no code with what widens.
package struct LimitCheck {
    package struct Fault: Hashable, Sendable, CustomStringConvertible {
        package let limit: PlanLimit
        package let used: Int64
        package let room: Int64

        package var description: String { "the limits in force of \(limit) come to \(used), above \(room)" }
    }

    /// In a fixed order; empty where all limits hold together.
    package private(set) var faults: [Fault] = []

    /// - Parameter limits: accounts by pool and contract, what is held included.
    package init(_ limits: [PlanKey: Int64], of input: PlanInput) {
        var agencies: [AgencyID: (used: Int64, held: Int64)] = [:]
        var everything = input.demands.reduce(Int64(0)) { $0 + $1.classes.reduce(0) { $0 + $1.accounts } }
        let byContract = Dictionary(grouping: limits, by: \.key.contract)
        for contract in input.contracts {
            let held = contract.held.values.reduce(Int64(0)) { $0 + $1.accounts }
            everything += held
            let mine = byContract[contract.contract] ?? []
            let before = agencies[contract.agency] ?? (0, 0)
            agencies[contract.agency] = (before.used + mine.reduce(0) { $0 + $1.value }, before.held + held)
            for (station, staffing) in contract.staffing.sorted(by: { $0.key < $1.key }) {
                compare(.station(contract.contract, station), mine, contract, staffing) {
                    $0.delegation == station.delegation && $0.portfolio == station.portfolio
                }
            }
            for (portfolio, staffing) in contract.portfolios.sorted(by: { $0.key < $1.key }) {
                compare(.portfolio(contract.contract, portfolio), mine, contract, staffing) {
                    $0.portfolio == portfolio
                }
            }
        }
        guard let cap = input.agencyCap else { return }
        for (agency, sum) in agencies.sorted(by: { $0.key < $1.key }) {
            let room = max(sum.held, everything * cap.value / BasisPoints.whole)
            if sum.used > room { faults.append(Fault(limit: .agency(agency), used: sum.used, room: room)) }
        }
    }

    /// What is held already may pass the advisers; then the limits may be just that.
    private mutating func compare(
        _ limit: PlanLimit, _ mine: [(key: PlanKey, value: Int64)], _ contract: PlanContract,
        _ staffing: PlanContract.Staffing,
        where isHere: (PoolKey) -> Bool
    ) {
        let used = mine.reduce(Int64(0)) { isHere($1.key.cell.pool) ? $0 + $1.value : $0 }
        let held = contract.held.reduce(Int64(0)) { isHere($1.key.pool) ? $0 + $1.value.accounts : $0 }
        let room = max(held, staffing.limit(contract.basis))
        if used > room { faults.append(Fault(limit: limit, used: used, room: room)) }
    }
}
