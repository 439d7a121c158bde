// SPDX-License-Identifier: Apache-2.0

/// Turns the rules of shares into the targets of one plan.
package struct TargetSource: Sendable {
    /// What scored contracts have reached, by period, delegation and contract; 0...1_000_000.
    package struct Scores: Hashable, Sendable {
        package var points: [Period: [Delegation: [ContractID: Int64]]]
        /// The latest closed period that has scores.
        package var latestClosed: Period?

        package init(points: [Period: [Delegation: [ContractID: Int64]]] = [:], latestClosed: Period? = nil) {
            self.points = points
            self.latestClosed = latestClosed
        }
    }

    /// What a person should know of the targets before the plan is applied.
    package enum Finding: Hashable, Sendable {
        /// A share for a contract that does not work the strategy there.
        case worksNotThere(ContractID, TargetKey)
        /// Fixed shares of those who work there that leave something over: it is placed all the same.
        case belowWhole(TargetKey, BasisPoints)
        /// Works there, and none of the fixed shares is its own.
        case notNamed(ContractID, TargetKey)
        /// Shares by scorecard where nobody who works there has points go towards equal ones, no faster than by points.
        case noScores(TargetKey, Period?)
    }

    private let settings: PlanSettings
    private let scores: Scores

    package init(_ settings: PlanSettings, scores: Scores = Scores()) {
        self.settings = settings
        self.scores = scores
    }

    /// The targets of all delegations and strategies that have a rule, and what is to be said of them.
    ///
    /// - Parameter input: with its contracts and last month's quotas; its own targets are not looked at.
    package func targets(of input: PlanInput) -> ([TargetKey: ShareTarget], [Finding]) {
        var found: [TargetKey: ShareTarget] = [:]
        var findings: [Finding] = []
        for delegation in Delegation.all {
            for strategy in Strategy.allCases {
                let key = TargetKey(delegation: delegation, strategy: strategy)
                guard let rule = settings.rule(key) else { continue }
                let here = Set(input.contracts.filter { $0.works(key) }.map(\.contract))
                findings += absent(rule, key, here)
                if let target = target(rule, key, here, input, &findings) { found[key] = target }
            }
        }
        return (found, findings)
    }

    /// Named for delegations of the rule's own choice; a rule for the whole country names contracts of everywhere.
    private func absent(_ rule: PlanSettings.ShareRule, _ key: TargetKey, _ here: Set<ContractID>) -> [Finding] {
        guard rule.delegations != nil else { return [] }
        return rule.share.named.subtracting(here).sorted().map { .worksNotThere($0, key) }
    }

    private func target(
        _ rule: PlanSettings.ShareRule, _ key: TargetKey, _ here: Set<ContractID>, _ input: PlanInput,
        _ findings: inout [Finding]
    ) -> ShareTarget? {
        switch rule.share {
        case .equal: return .equal
        case .fixed(let shares):
            let mine = shares.filter { here.contains($0.key) }
            guard !mine.isEmpty else { return nil }
            findings += here.subtracting(mine.keys).sorted().map { .notNamed($0, key) }
            if let share = BasisPoints(mine.values.reduce(0) { $0 + $1.value }), share.value < BasisPoints.whole {
                findings.append(.belowWhole(key, share))
            }
            return .fixed(mine)
        case .arms(let arms):
            let mine = arms.map {
                ShareTarget.Arm(number: $0.number, share: $0.share, contracts: $0.contracts.filter(here.contains))
            }
            return mine.allSatisfy(\.contracts.isEmpty) ? nil : .arms(mine)
        case .scorecard(let card):
            guard !here.isEmpty else { return nil }
            let period = card.period ?? scores.latestClosed
            var points = period.flatMap { scores.points[$0]?[key.delegation] } ?? [:]
            if !here.contains(where: { points[$0, default: 0] > 0 }) {
                findings.append(.noScores(key, period))
                points = Dictionary(uniqueKeysWithValues: here.map { ($0, 1) })
            }
            return .scorecard(
                Scorecard(
                    points: points, lastShares: lastShares(key, input), changeMax: card.changeMax, floor: card.floor))
        }
    }

    /// What each contract had of the delegation's strategy last month, rounded down.
    private func lastShares(_ key: TargetKey, _ input: PlanInput) -> [ContractID: BasisPoints] {
        var accounts: [ContractID: Int64] = [:]
        for (place, count) in input.lastMonth where place.cell.pool.delegation == key.delegation {
            if place.cell.pool.strategy == key.strategy { accounts[place.contract, default: 0] += count }
        }
        let whole = accounts.values.reduce(0, +)
        guard whole > 0 else { return [:] }
        return accounts.filter { $0.value > 0 }.compactMapValues { BasisPoints($0 * BasisPoints.whole / whole) }
    }
}

extension PlanSettings.Share {
    /// Contracts that are named.
    package var named: Set<ContractID> {
        switch self {
        case .equal, .scorecard: []
        case .fixed(let shares): Set(shares.keys)
        case .arms(let arms): Set(arms.flatMap(\.contracts))
        }
    }
}

extension PlanContract {
    /// Whether the contract covers a delegation's strategy, in whatever portfolio.
    package func works(_ key: TargetKey) -> Bool {
        strategies.contains(key.strategy) && stations.contains { $0.delegation == key.delegation }
    }
}
