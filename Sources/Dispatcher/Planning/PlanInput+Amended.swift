// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

extension PlanInput {
    /// The same with what is ordered apart from contracts and settings: strategies that are suspended for an agency, and
    /// the shares of the arms where an experiment covers the period. A single band of a strategy is left out where accounts
    /// are dealt (ASG-06).
    func amended(_ link: PgLink, period: Period) throws -> PlanInput {
        var input = self
        let suspensions = try link.readSuspensions().filter(\.band.isEmpty)
        for index in input.contracts.indices {
            let agency = input.contracts[index].agency
            input.contracts[index].suspended += suspensions.filter { $0.agency == agency }
                .map { PlanContract.Suspension(strategy: $0.strategy) }
                .sorted { $0.strategy < $1.strategy }
        }
        let agencies = Dictionary(contracts.map { ($0.contract, $0.agency) }) { first, _ in first }
        for design in try ExperimentStore(link).designs() {
            input.targets.merge(design.targets(in: period, contracts: agencies)) { _, arms in arms }
        }
        return input
    }
}
