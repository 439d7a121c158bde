// SPDX-License-Identifier: Apache-2.0

import Assignment
import Testing

struct AllocationTests {
    @Test func `a pool is shared equally between the contracts that take it`() {
        let plan = Allocation(pools: [.pool(100)], contracts: [.room(1, 500), .room(2, 500), .room(3, 500)])

        #expect(plan.quotas.map(\.accounts) == [34, 33, 33])
        #expect(plan.quotas.map(\.binding) == [.share, .share, .share])
        #expect(plan.unassigned.isEmpty)
    }

    @Test(
        arguments: [(19, [19, 81], .capacity), (50, [50, 50], .share), (51, [50, 50], .share)]
            as [(Int64, [Int64], Allocation.Binding)])
    func `what one contract's capacity cannot take goes to the other`(
        capacity: Int64, shares: [Int64], binding: Allocation.Binding
    ) {
        let plan = Allocation(pools: [.pool(100)], contracts: [.room(1, capacity), .room(2, 500)])

        #expect(plan.quotas.map(\.accounts) == shares)
        #expect(plan.quotas[0].binding == binding)
    }

    @Test func `what fits nobody stays unassigned and names the capacity`() {
        let plan = Allocation(pools: [.pool(100)], contracts: [.room(1, 30), .room(2, 40)])

        #expect(plan.unassigned == [.init(pool: .key(), accounts: 30, reason: .capacity)])
    }

    @Test func `a pool that no contract takes names that`() {
        let plan = Allocation(pools: [.pool(100, .dual)], contracts: [.room(1, 30)])

        #expect(plan.unassigned == [.init(pool: .key(.dual), accounts: 100, reason: .noContract)])
    }

    @Test func `strategies share one capacity in their turn`() {
        let plan = Allocation(
            pools: [.pool(80, .preventive), .pool(50, .administrative), .pool(30, .dual), .pool(10, .mediation)],
            contracts: [.room(1, 100, strategies: [.preventive, .administrative, .dual, .mediation])])

        #expect(plan.quotas.map(\.pool.strategy) == [.mediation, .dual, .administrative, .preventive])
        #expect(plan.quotas.map(\.accounts) == [10, 30, 50, 10])
    }

    /// 100 accounts of 1,000.00 each: half of the pool is 50,000.00.
    @Test(
        arguments: [
            (4_999_999, 49, .bond), (5_000_000, 50, .share), (5_000_001, 50, .share), (100_000, 1, .bond),
            (99_999, 0, .bond),
        ] as [(Int64, Int64, Allocation.Binding)])
    func `a bond bounds the accounts by the pool's mean exposure, rounded down`(
        bond: Int64, accounts: Int64, binding: Allocation.Binding
    ) {
        let plan = Allocation(
            pools: [.pool(100, overdue: 10_000_000)],
            contracts: [.room(1, 500, bond: bond, exposure: .overdue), .room(2, 500)])

        #expect(plan.quotas.map(\.accounts) == [accounts, 100 - accounts])
        #expect(plan.quotas[0].binding == binding)
        #expect(plan.quotas[0].exposureMax == bond)
        #expect(plan.quotas[1].exposureMax == nil)
    }

    @Test func `a bond is spread over delegations in proportion to what they need`() {
        let plan = Allocation(
            pools: [.pool(100, overdue: 10_000_000, in: 1), .pool(300, overdue: 30_000_000, in: 2)],
            contracts: [.room(1, 500, in: [1, 2], bond: 4_000_000, exposure: .overdue)])

        #expect(plan.quotas.map(\.exposureMax) == [1_000_000, 3_000_000])
        #expect(plan.quotas.map(\.accounts) == [10, 30])
        #expect(plan.unassigned.map(\.reason) == [.bond, .bond])
    }

    @Test(arguments: 0..<300 as Range<UInt64>)
    func `quotas add up and no limit is ever passed`(seed: UInt64) {
        let (pools, contracts) = instance(seed)
        let plan = Allocation(pools: pools, contracts: contracts)

        for pool in pools {
            let quotas = plan.quotas.filter { $0.pool == pool.key }.reduce(0) { $0 + $1.accounts }
            let left = plan.unassigned.filter { $0.pool == pool.key }.reduce(0) { $0 + $1.accounts }
            #expect(quotas + left == pool.accounts)
        }
        for contract in contracts {
            let mine = plan.quotas.filter { $0.contract == contract.contract }
            for (station, capacity) in contract.capacity {
                let used = mine.filter {
                    $0.pool.delegation == station.delegation && $0.pool.portfolio == station.portfolio
                }
                #expect(used.reduce(0) { $0 + $1.accounts } <= capacity)
            }
            #expect(mine.allSatisfy { contract.strategies.contains($0.pool.strategy) })
            guard contract.exposure.isLimiting else { continue }
            #expect(mine.reduce(0) { $0 + ($1.exposureMax ?? 0) } <= contract.bond)
            #expect(mine.allSatisfy { $0.exposureExpected <= $0.exposureMax ?? 0 })
        }
    }

    @Test(arguments: 0..<100 as Range<UInt64>)
    func `the order of pools and contracts does not matter`(seed: UInt64) {
        var (pools, contracts) = instance(seed)
        let plan = Allocation(pools: pools, contracts: contracts)
        var random = SplitMix64(seed: seed &+ 1_000)
        random.shuffle(&pools)
        random.shuffle(&contracts)

        #expect(Allocation(pools: pools, contracts: contracts) == plan)
    }

    @Test(arguments: 0..<100 as Range<UInt64>)
    func `nothing stays unassigned while a contract that takes it has room`(seed: UInt64) {
        let (pools, contracts) = instance(seed)
        let plan = Allocation(pools: pools, contracts: contracts.map { $0.without(bond: true) })

        for left in plan.unassigned {
            for contract in contracts where contract.strategies.contains(left.pool.strategy) {
                let station = Station(delegation: left.pool.delegation, portfolio: left.pool.portfolio)
                let used = plan.quotas.filter {
                    $0.contract == contract.contract && $0.pool.delegation == station.delegation
                        && $0.pool.portfolio == station.portfolio
                }
                #expect(used.reduce(0) { $0 + $1.accounts } == contract.capacity[station] ?? 0)
            }
        }
    }

    private func instance(_ seed: UInt64) -> (pools: [Pool], contracts: [ContractRoom]) {
        var random = SplitMix64(seed: seed)
        var pools: [Pool] = []
        for delegation in 1...3 as ClosedRange<Int16> {
            for strategy in Strategy.allCases {
                for portfolio in Portfolio.allCases where random.below(3) > 0 {
                    let accounts = Int64(random.below(300))
                    pools.append(
                        Pool(
                            key: .key(strategy, in: delegation, portfolio), accounts: accounts,
                            overdue: accounts * Int64(random.below(900_000)),
                            balance: accounts * Int64(random.below(40_000_000))))
                }
            }
        }
        let contracts = (1...5 as ClosedRange<Int32>).map { number in
            var capacity: [Station: Int64] = [:]
            for delegation in 1...3 as ClosedRange<Int16> where random.below(4) > 0 {
                for portfolio in Portfolio.allCases {
                    capacity[.at(delegation, portfolio)] = Int64(random.below(400))
                }
            }
            let basis = Exposure.Basis.allCases[Int(random.below(3))]
            return ContractRoom(
                contract: .number(number), strategies: Strategy.allCases.filter { _ in random.below(3) > 0 },
                capacity: capacity, bond: Int64(random.below(5_000_000_000)),
                exposure: Exposure(basis: basis, factorBasisPoints: Int64(random.below(20_000))))
        }
        return (pools, contracts)
    }
}

// MARK: - Readable values

extension Delegation {
    static func number(_ value: Int16) -> Delegation { Delegation(value) ?? Delegation.all[0] }
}

extension ContractID {
    static func number(_ value: Int32) -> ContractID {
        guard let id = ContractID(value) else { preconditionFailure("\(value) is no contract") }
        return id
    }
}

extension PoolKey {
    static func key(
        _ strategy: Strategy = .administrative, in delegation: Int16 = 14, _ portfolio: Portfolio = .telephone
    ) -> PoolKey {
        PoolKey(delegation: .number(delegation), strategy: strategy, portfolio: portfolio)
    }
}

extension Station {
    static func at(_ delegation: Int16, _ portfolio: Portfolio = .telephone) -> Station {
        Station(delegation: .number(delegation), portfolio: portfolio)
    }
}

extension Exposure {
    static let none = Exposure(basis: .none, factorBasisPoints: 10_000)
    static let overdue = Exposure(basis: .overdue, factorBasisPoints: 10_000)
}

extension Pool {
    static func pool(
        _ accounts: Int64, _ strategy: Strategy = .administrative, overdue: Int64 = 0, in delegation: Int16 = 14
    ) -> Pool {
        Pool(key: .key(strategy, in: delegation), accounts: accounts, overdue: overdue, balance: 0)
    }
}

extension ContractRoom {
    static func room(
        _ number: Int32, _ capacity: Int64, in delegations: [Int16] = [14], strategies: [Strategy] = [.administrative],
        bond: Int64 = 0, exposure: Exposure = .none
    ) -> ContractRoom {
        ContractRoom(
            contract: .number(number), strategies: strategies + (strategies == [.administrative] ? [.preventive] : []),
            capacity: Dictionary(uniqueKeysWithValues: delegations.map { (.at($0), capacity) }), bond: bond,
            exposure: exposure)
    }

    func without(bond: Bool) -> ContractRoom {
        ContractRoom(contract: contract, strategies: strategies, capacity: capacity, bond: 0, exposure: .none)
    }
}
