// SPDX-License-Identifier: Apache-2.0

/// The input of a plan contradicts itself: the caller's mistake, nothing is planned.
package enum PlanInputError: Error, Hashable, Sendable {
    case targetAboveWhole(Delegation, Strategy, basisPoints: Int64)
    /// A contract stands in two arms of one target.
    case contractInTwoArms(ContractID, Delegation, Strategy)
    case cellTwice(PlanCell)
    case contractTwice(ContractID)
    /// A count or an amount below zero, or above what a plan can count (2³² accounts, 2⁵⁶ centavos).
    case outOfRange(String)
    /// Weights must be 1...1_000 and must not rise from one class to the next.
    case weightRises(priority: Int16, weight: Int64, above: Int64)
}

/// Something that a person should look at before a plan is applied.
package enum PlanWarning: Hashable, Sendable {
    /// The contract is not in force on the period's first day.
    case outsideDates(ContractID)
    case noAdvisers(ContractID, Station, part: Int64)
    /// Accounts wait, and nobody takes the strategy there.
    case noContract(PlanCell, accounts: Int64)
    /// The bond does not cover one account of the cheapest cell's mean.
    case bondBelowAccount(ContractID, bond: Int64, cheapest: Int64)
    case holdsMoreThanCapacity(ContractID, Station, held: Int64, limit: Int64)
}

extension PlanInput {
    private static let accountsMax: Int64 = 1 << 32
    private static let centavosMax: Int64 = 1 << 56

    package func validate() throws(PlanInputError) {
        for (key, target) in targets {
            guard target.total <= BasisPoints.whole else {
                throw .targetAboveWhole(key.delegation, key.strategy, basisPoints: target.total)
            }
            guard case .arms(let arms) = target else { continue }
            let named = arms.flatMap(\.contracts)
            if let twice = named.first(where: { contract in named.count { $0 == contract } > 1 }) {
                throw .contractInTwoArms(twice, key.delegation, key.strategy)
            }
        }
        var cells: Set<PlanCell> = []
        for demand in demands {
            guard cells.insert(demand.cell).inserted else { throw .cellTwice(demand.cell) }
            let isSane = demand.classes.allSatisfy {
                (0...Self.accountsMax).contains($0.accounts) && (0...Self.centavosMax).contains($0.overdue)
                    && (0...Self.centavosMax).contains($0.balance)
            }
            guard isSane, (0...Self.accountsMax).contains(demand.banned) else { throw .outOfRange("demand") }
        }
        try validateAmounts()
        try validateContracts()
        try validateWeights()
    }

    /// Everything that waits together is within what one account may owe with factors of up to ten: then no sum that a plan
    /// makes of means and counts passes 2⁶³.
    private func validateAmounts() throws(PlanInputError) {
        var (overdue, balance): (Int64, Int64) = (0, 0)
        for item in demands.lazy.flatMap(\.classes) {
            overdue += item.overdue
            balance += item.balance
            guard max(overdue, balance) <= Self.centavosMax else {
                throw .outOfRange("all accounts that wait owe \(Cents(max(overdue, balance))) together or more")
            }
        }
    }

    private func validateContracts() throws(PlanInputError) {
        var known: Set<ContractID> = []
        for contract in contracts {
            guard known.insert(contract.contract).inserted else { throw .contractTwice(contract.contract) }
            let staffings = Array(contract.staffing.values) + contract.portfolios.values
            let counts =
                staffings.flatMap { [$0.committed, $0.present ?? 0, $0.accountsPerAdviser] }
                + contract.held.values.map(\.accounts)
            guard counts.allSatisfy({ (0...1_000_000_000).contains($0) }) else {
                throw .outOfRange("contract \(contract.contract): advisers or accounts")
            }
            let amounts = contract.held.values.map(\.exposure) + [contract.bond]
            guard amounts.allSatisfy({ (0...Self.centavosMax).contains($0) }) else {
                throw .outOfRange("contract \(contract.contract): bond or exposure")
            }
        }
    }

    private func validateWeights() throws(PlanInputError) {
        var last: Int64 = 1_000
        for (priority, weight) in weightByClass.sorted(by: { $0.key < $1.key }) {
            guard (1...last).contains(weight) else {
                throw .weightRises(priority: priority, weight: weight, above: last)
            }
            last = weight
        }
    }

    /// In a fixed order; nothing here keeps a plan from being made.
    package var warnings: [PlanWarning] {
        contracts.sorted { $0.contract < $1.contract }.flatMap(warnings)
            + demands.sorted { $0.cell < $1.cell }
            .compactMap { demand in
                let isTaken = contracts.contains { $0.absence(from: demand.cell, on: firstDay) != .noContract }
                return isTaken || demand.accounts == 0
                    ? nil : .noContract(demand.cell, accounts: demand.accounts)
            }
    }

    private func warnings(_ contract: PlanContract) -> [PlanWarning] {
        var found: [PlanWarning] = []
        if firstDay < contract.firstDay || contract.lastDay < firstDay {
            found.append(.outsideDates(contract.contract))
        }
        for (station, staffing) in contract.staffing.sorted(by: { $0.key < $1.key }) {
            let limit = staffing.limit(contract.basis)
            let held = contract.held.reduce(Int64(0)) { sum, held in
                let pool = held.key.pool
                let isHere = pool.delegation == station.delegation && pool.portfolio == station.portfolio
                return sum + (isHere ? held.value.accounts : 0)
            }
            if held > limit {
                found.append(.holdsMoreThanCapacity(contract.contract, station, held: held, limit: limit))
            }
            if limit == 0, let part = largestPart(contract, station), part > 0 {
                found.append(.noAdvisers(contract.contract, station, part: part))
            }
        }
        if let room = contract.bondRoom {
            let means = demands.filter { contract.absence(from: $0.cell, on: firstDay) == nil }
                .map { $0.meanExposure(contract.exposure) }.filter { $0 > 0 }
            if let cheapest = means.min(), room < cheapest {
                found.append(.bondBelowAccount(contract.contract, bond: room, cheapest: cheapest))
            }
        }
        return found
    }

    /// The largest fixed part that a contract should get at a station, of strategies that have accounts there: one that is worked by
    /// telephone alone wants no other advisers.
    private func largestPart(_ contract: PlanContract, _ station: Station) -> Int64? {
        contract.strategies.compactMap { strategy -> Int64? in
            let pool = PoolKey(delegation: station.delegation, strategy: strategy, portfolio: station.portfolio)
            guard demands.contains(where: { $0.cell.pool == pool && $0.accounts > 0 }) else { return nil }
            let key = TargetKey(delegation: station.delegation, strategy: strategy)
            guard let target = targets[key] else { return nil }
            return target.parts(of: [contract.contract]).first
        }.max()
    }
}
