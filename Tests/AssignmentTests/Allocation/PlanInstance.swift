// SPDX-License-Identifier: Apache-2.0

import Assignment

/// Random inputs of plans; the seed is the whole recipe.
struct PlanInstance {
    private var random: SplitMix64
    private let seed: UInt64
    private let size: UInt64
    private let delegations: Int16
    private let strategies: [Strategy]
    private let firstDay = LocalDate(daysSince1970: 19_723)

    /// `size` bounds the accounts of a class.
    static func input(_ seed: UInt64, size: UInt64 = 40) -> PlanInput {
        var instance = PlanInstance(seed, size: size, delegations: 3, strategies: Strategy.allCases)
        return instance.input(contracts: 5, classes: 3)
    }

    /// So small that every plan of it can be tried.
    static func tiny(_ seed: UInt64) -> PlanInput {
        var instance = PlanInstance(seed, size: 4, delegations: 1, strategies: [.dual, .administrative])
        return instance.input(contracts: 3, classes: 2)
    }

    private init(_ seed: UInt64, size: UInt64, delegations: Int16, strategies: [Strategy]) {
        self.seed = seed
        self.random = SplitMix64(seed: seed)
        self.size = size
        self.delegations = Int16(random.below(UInt64(delegations))) + 1
        self.strategies = strategies
    }

    private mutating func oneIn(_ count: UInt64) -> Bool { random.below(count) == 0 }

    private mutating func input(contracts: UInt64, classes: UInt64) -> PlanInput {
        let count = Int32(random.below(contracts)) + 1
        var input = PlanInput(firstDay: firstDay, demands: demands(classes: classes), contracts: [])
        for number in 1...count { input.contracts.append(contract(number, input.demands)) }
        for demand in input.demands {
            for number in 1...count where oneIn(2) {
                input.lastMonth[PlanKey(cell: demand.cell, contract: .number(number))] = Int64(random.below(size))
            }
        }
        targets(&input, contracts: count)
        if oneIn(3) { input.agencyCap = BasisPoints(Int64(random.below(6_000)) + 500) }
        return input
    }

    private mutating func demands(classes: UInt64) -> [PlanDemand] {
        let classes = Int16(random.below(classes)) + 1
        var demands: [PlanDemand] = []
        for delegation in 1...delegations {
            for strategy in strategies where !oneIn(3) {
                for portfolio in Portfolio.allCases where !oneIn(3) {
                    let overdue = Int64(random.below(300_000)) + 2_000
                    let found = (1...classes).map { priority in
                        let accounts = Int64(random.below(size))
                        return PlanDemand.PriorityClass(
                            priority: priority, accounts: accounts, overdue: accounts * overdue,
                            balance: accounts * overdue * 12)
                    }
                    demands.append(
                        PlanDemand(
                            cell: PlanCell(.key(strategy, in: delegation, portfolio)), classes: found,
                            banned: oneIn(4) ? 2 : 0))
                }
            }
        }
        return demands
    }

    private mutating func contract(_ number: Int32, _ demands: [PlanDemand]) -> PlanContract {
        var contract = PlanContract.contract(number, agency: number % 3 + 1)
        contract.strategies = strategies.filter { _ in !oneIn(5) }
        for portfolio in Portfolio.allCases where oneIn(3) {
            contract.portfolios[portfolio] = .init(committed: Int64(random.below(size * 3)))
        }
        for delegation in 1...delegations {
            for portfolio in Portfolio.allCases where !oneIn(5) {
                let isCountedHere = contract.portfolios[portfolio] == nil || oneIn(2)
                let advisers = Int64(random.below(size * 3))
                contract.stations.insert(.at(delegation, portfolio))
                if isCountedHere { contract.staffing[.at(delegation, portfolio)] = .init(committed: advisers) }
            }
        }
        if oneIn(2) {
            let basis = Exposure.Basis.allCases[Int(random.below(3))]
            contract.exposure = Exposure(basis: basis, factorBasisPoints: Int64(random.below(15_000)))
            contract.bond = Int64(random.below(800_000 * size))
        }
        if oneIn(12) { contract.standing = .onHold(motive: "quality") }
        if oneIn(12) { contract.suspended = [.init(strategy: .dual)] }
        if oneIn(12) { contract.bans = [.at(1, .homeVisit)] }
        for demand in demands where oneIn(5) {
            contract.held[demand.cell] = .init(
                accounts: Int64(random.below(5)), exposure: Int64(random.below(100_000)))
        }
        return contract
    }

    private mutating func targets(_ input: inout PlanInput, contracts: Int32) {
        for delegation in 1...delegations {
            for strategy in strategies where oneIn(2) {
                let key = TargetKey(delegation: .number(delegation), strategy: strategy)
                let shares = (1...contracts).map { ContractID.number($0) }.map { contract in
                    (contract, BasisPoints.points(Int64(random.below(10_000 / UInt64(contracts)))))
                }
                input.targets[key] = .fixed(Dictionary(uniqueKeysWithValues: shares))
            }
        }
    }
}

// MARK: - Readable values

extension BasisPoints {
    static func points(_ value: Int64) -> BasisPoints {
        guard let points = BasisPoints(value) else { preconditionFailure("\(value) is no share") }
        return points
    }
}

extension AgencyID {
    static func number(_ value: Int32) -> AgencyID {
        guard let agency = AgencyID(value) else { preconditionFailure("\(value) is no agency") }
        return agency
    }
}

extension PlanContract {
    /// In force all year, one account per adviser.
    static func contract(
        _ number: Int32, agency: Int32? = nil, staffing: [Station: Staffing] = [:]
    ) -> PlanContract {
        var contract = PlanContract(
            contract: .number(number), agency: .number(agency ?? number),
            firstDay: LocalDate(daysSince1970: 19_700), lastDay: LocalDate(daysSince1970: 20_000),
            strategies: Strategy.allCases, stations: Set(staffing.keys))
        contract.staffing = staffing
        return contract
    }

    static func contract(_ number: Int32, advisers: Int64, in delegations: [Int16] = [14]) -> PlanContract {
        let places = delegations.map { (Station.at($0), Staffing(committed: advisers)) }
        return contract(number, staffing: Dictionary(uniqueKeysWithValues: places))
    }

    func bonded(_ centavos: Int64) -> PlanContract {
        var contract = self
        contract.exposure = .overdue
        contract.bond = centavos
        return contract
    }
}

extension PlanDemand {
    /// Accounts, one class after the other, each of `overdue` centavos.
    static func demand(
        _ accounts: [Int64], _ strategy: Strategy = .administrative, in delegation: Int16 = 14,
        _ portfolio: Portfolio = .telephone, overdue: Int64 = 0
    ) -> PlanDemand {
        let classes = accounts.enumerated().map {
            PriorityClass(priority: Int16($0) + 1, accounts: $1, overdue: $1 * overdue)
        }
        return PlanDemand(cell: PlanCell(.key(strategy, in: delegation, portfolio)), classes: classes)
    }
}

extension PlanInput {
    static func input(_ demands: [PlanDemand], _ contracts: [PlanContract]) -> PlanInput {
        PlanInput(firstDay: LocalDate(daysSince1970: 19_723), demands: demands, contracts: contracts)
    }

    func target(_ target: ShareTarget, _ strategy: Strategy = .administrative, in delegation: Int16 = 14) -> PlanInput {
        var input = self
        input.targets[TargetKey(delegation: .number(delegation), strategy: strategy)] = target
        return input
    }

    func capped(_ cap: Int64) -> PlanInput {
        var input = self
        input.agencyCap = .points(cap)
        return input
    }

    func lastMonth(_ accounts: [Int32: Int64]) -> PlanInput {
        var input = self
        let cell = PlanCell(.key())
        for (contract, count) in accounts {
            input.lastMonth[PlanKey(cell: cell, contract: .number(contract))] = count
        }
        return input
    }
}
