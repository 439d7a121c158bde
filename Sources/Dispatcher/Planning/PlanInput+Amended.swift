// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

extension PlanInput {
    /// The same with what is ordered apart from contracts and settings: strategies that are suspended for an agency, and
    /// the shares of the arms where an experiment covers the period. A single band of a strategy is left out where accounts
    /// are dealt (ASG-06).
    ///
    /// - Returns: with it what a person should know of the experiments.
    func amended(_ link: PgLink, period: Period) throws -> (input: PlanInput, warnings: [String]) {
        var input = self
        let suspensions = try link.readSuspensions().filter(\.band.isEmpty)
        for index in input.contracts.indices {
            let agency = input.contracts[index].agency
            input.contracts[index].suspended += suspensions.filter { $0.agency == agency }
                .map { PlanContract.Suspension(strategy: $0.strategy) }
                .sorted { $0.strategy < $1.strategy }
        }
        var warnings: [String] = []
        for design in try ExperimentStore(link).designs() where design.first <= period && period <= design.last {
            let targets = design.targets(in: period, contracts: contracts, on: firstDay)
            input.targets.merge(targets) { _, arms in arms }
            let waiting = Set(demands.map(\.cell.pool).filter { $0.strategy == design.strategy }.map(\.delegation))
            let without = design.delegations.filter {
                waiting.contains($0) && targets[TargetKey(delegation: $0, strategy: design.strategy)] == nil
            }
            if let warning = Self.warning(design, without: without) { warnings.append(warning) }
        }
        return (input, warnings)
    }

    private static func warning(_ design: ExperimentDesign, without delegations: [Delegation]) -> String? {
        guard !delegations.isEmpty else { return nil }
        let shown = delegations.prefix(12).map(\.description).joined(separator: ", ")
        let more = delegations.count > 12 ? " and \(delegations.count - 12) more" : ""
        return "experiment \(design.name) has nothing to compare in delegation\(delegations.count == 1 ? "" : "s") "
            + "\(shown)\(more): not every arm has a contract of \(design.strategy.name) there, so "
            + "\(delegations.count == 1 ? "it is" : "they are") dealt as without it"
    }
}
