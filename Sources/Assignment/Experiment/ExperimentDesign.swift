// SPDX-License-Identifier: Apache-2.0

/// Champion and challengers over the pools of one strategy: who is in which arm, and how much each arm gets.
package struct ExperimentDesign: Hashable, Sendable {
    package struct Arm: Hashable, Sendable {
        /// From 1; 1 is the champion. Stored with each position.
        package let number: Int16
        package let name: String
        package let share: BasisPoints
        package let agencies: [AgencyID]

        package init(number: Int16, name: String, share: BasisPoints, agencies: [AgencyID]) {
            self.number = number
            self.name = name
            self.share = share
            self.agencies = agencies
        }
    }

    /// What else than the tactic tells strata apart.
    package enum Trait: String, Sendable, CaseIterable { case band, balance, probability, employment }

    package static let armsMax = 9

    package let name: String
    package let strategy: Strategy
    package let delegations: [Delegation]
    package let first: Period
    package let last: Period
    package let traits: [Trait]
    /// Accounts that an arm, or one of its strata, must have before anything is said of it.
    package let smallestSample: Int64
    package let arms: [Arm]

    package init(
        name: String, strategy: Strategy, delegations: [Delegation], first: Period, last: Period, traits: [Trait],
        smallestSample: Int64, arms: [Arm]
    ) {
        self.name = name
        self.strategy = strategy
        self.delegations = delegations
        self.first = first
        self.last = last
        self.traits = traits
        self.smallestSample = smallestSample
        self.arms = arms
    }

    /// What is wrong with it, in words; `nil` where nothing is.
    package var fault: String? {
        if arms.count < 2 { return "it has \(arms.count) arm, and a challenger needs a champion" }
        if arms.count > Self.armsMax {
            return "it has \(arms.count) arms, and at most \(Self.armsMax) can be told apart"
        }
        if Set(arms.map(\.name)).count < arms.count { return "two arms have one name" }
        let shares = arms.reduce(0) { $0 + $1.share.value }
        if shares != BasisPoints.whole {
            return "the arms' shares make \(Cents(shares)) %, and they share the whole"
        }
        let agencies = arms.flatMap(\.agencies)
        if Set(agencies).count < agencies.count { return "an agency is in two arms" }
        if let empty = arms.first(where: { $0.agencies.isEmpty }) { return "arm \(empty.name) has no agency" }
        if last < first { return "it ends before it begins" }
        return nil
    }

    /// The shares that a plan of `period` goes by, in the strategy of the experiment and those of its delegations where every
    /// arm has a contract: elsewhere there is nothing to compare, and an arm alone would leave what it has no room for.
    ///
    /// - Parameters:
    ///   - contracts: those that take part, of all agencies.
    ///   - day: the one on which they are to be in force.
    package func targets(
        in period: Period, contracts: [PlanContract], on day: LocalDate
    ) -> [TargetKey: ShareTarget] {
        guard first <= period, period <= last else { return [:] }
        var targets: [TargetKey: ShareTarget] = [:]
        for delegation in delegations {
            let parts = parts(in: delegation, contracts: contracts, on: day)
            if parts.contains(where: \.contracts.isEmpty) { continue }
            targets[TargetKey(delegation: delegation, strategy: strategy)] = .arms(parts)
        }
        return targets
    }

    /// What each arm has to work with in a delegation, by arm: its contracts of the strategy that are in force on `day`, ascending,
    /// which may be none.
    package func parts(
        in delegation: Delegation, contracts: [PlanContract], on day: LocalDate
    ) -> [ShareTarget.Arm] {
        let working = contracts.filter {
            $0.firstDay <= day && day <= $0.lastDay && $0.strategies.contains(strategy)
                && $0.stations.contains { $0.delegation == delegation }
        }
        return arms.map { arm in
            ShareTarget.Arm(
                number: arm.number, share: arm.share,
                contracts: working.filter { arm.agencies.contains($0.agency) }.map(\.contract).sorted())
        }
    }
}
