// SPDX-License-Identifier: Apache-2.0

import Assignment
import Testing

/// Hands that several contracts share, and how far each may go in them.
struct SharedHandTests {
    private static func pool(_ accounts: Int64) -> [DealCandidate] {
        (1...accounts).map {
            DealCandidate(
                account: $0, priority: Int16($0 % 2) + 1, stratum: StratumKey(tactic: Int($0 % 3)), overdue: 100,
                balance: 1_000)
        }
    }

    private static func shares(_ accounts: Int64...) -> [DealShare] {
        accounts.enumerated().map { index, count in
            var share = DealShare.share(Int32(index) + 1, count)
            share.sharing = index < 2 ? 0 : nil
            return share
        }
    }

    @Test func `contracts of one hand have in it all that any of them may have, in one order`() {
        var dealing = DelegationDealing()
        let candidates = Self.pool(90)
        let result = dealing.deal(candidates, Self.shares(40, 20, 30), seed: 7)

        #expect(result.hands.map { $0.contracts.map(\.value) } == [[1], [2], [3], [1, 2]])
        #expect(result.hands.map(\.positions.count) == [0, 0, 30, 60])
        #expect(result.hands[3].positions.allSatisfy { $0.reason == .shared })
        #expect(Set(result.hands.flatMap { $0.positions.map(\.place) }).count == 90)
        let priorities = result.hands[3].positions.map { candidates[Int($0.place)].priority }
        #expect(priorities == priorities.sorted())
        // Each tactic has its part of the first ten, of the class's thirty.
        for tactic in 0...2 {
            let early = result.hands[3].positions.prefix(10).count {
                candidates[Int($0.place)].stratum.tactic == tactic
            }
            #expect((3...4).contains(early))
        }
    }

    @Test func `what one of the sharers may not have waits in the other's own hand`() {
        var candidates = Self.pool(60)
        candidates[0].former = FormerHolders([.number(1)])
        candidates[1].promisedTo = .number(2)
        candidates[2].debtor = 5
        candidates[3].bar = 1
        // Whom it cannot go to does not share: everybody who does may have it.
        candidates[4].former = FormerHolders([.number(3)])
        var dealing = DelegationDealing()
        let result = dealing.deal(candidates, Self.shares(30, 30), seed: 3, bars: [[.number(2)]])

        #expect(result.hands[2].positions.count == 57 - 1)
        func owner(_ place: Int32) -> [Int32] {
            result.hands.first { $0.positions.contains { $0.place == place } }?.contracts.map(\.value) ?? []
        }
        #expect(owner(0) == [2] && owner(1) == [2] && owner(3) == [1])
        #expect(owner(2).count == 1 && owner(4) == [1, 2])
        #expect(result.left.isEmpty)
    }

    @Test func `whoever is barred is dealt nothing, though it has room`() {
        var candidates = Self.pool(10)
        for index in 0..<10 { candidates[index].bar = 1 }
        var dealing = DelegationDealing()
        let all = dealing.deal(candidates, Self.shares(5, 5), seed: 1, bars: [[.number(1), .number(2)]])
        #expect(all.left.count == 10 && all.left.allSatisfy { $0.reason == .ban })
        let one = dealing.deal(candidates, Self.shares(5, 5), seed: 1, bars: [[.number(1)]])
        #expect(one.hands.map(\.positions.count) == [0, 5, 0] && one.left.allSatisfy { $0.reason == .ban })
    }

    @Test(arguments: 0..<400 as Range<UInt64>)
    func `the limits of shared pools together never pass advisers or a cap, and one more would`(seed: UInt64) throws {
        var input = PlanInstance.input(seed)
        input.shared = Set(
            input.demands.map {
                TargetKey(delegation: $0.cell.pool.delegation, strategy: $0.cell.pool.strategy)
            }
        ).filter { $0.strategy != .mediation }.sorted {
            ($0.delegation, $0.strategy.turn) < ($1.delegation, $1.strategy.turn)
        }
        let plan = try AllocationPlan(input)
        let room = SharedRoom(input, planned: plan.byPool, bonds: [:])
        var limits = plan.byPool.merging(room.extra, uniquingKeysWith: +)
        for contract in input.contracts {
            for (cell, held) in contract.held {
                limits[PlanKey(cell: PlanCell(cell.pool), contract: contract.contract), default: 0] += held.accounts
            }
        }
        #expect(LimitCheck(limits, of: input).faults == [])
        #expect(room.extra.values.allSatisfy { $0 >= 0 })
        #expect(room.extra.keys.allSatisfy { $0.cell.pool.strategy != .mediation })
        // Whoever is given less than the whole pool has no adviser left, or its agency no part of the cap.
        var sizes: [PoolKey: Int64] = [:]
        for (key, accounts) in plan.byPool { sizes[key.cell.pool, default: 0] += accounts }
        for (key, more) in room.extra where more + (plan.byPool[key] ?? 0) < sizes[key.cell.pool] ?? 0 {
            var wider = limits
            wider[key, default: 0] += 1
            #expect(LimitCheck(wider, of: input).faults != [])
        }
    }

    @Test(arguments: [(-1, nil), (0, nil), (1, 40)] as [(Int64, Int64?)])
    func `a sharer gets room only while something is left of its bond, whatever its advisers carry`(
        left: Int64, extra: Int64?
    ) {
        let staffing = [Station.at(14): PlanContract.Staffing(committed: 1, accountsPerAdviser: 50)]
        let contracts = [PlanContract.contract(1, staffing: staffing), PlanContract.contract(2, staffing: staffing)]
        let keys = contracts.map { PlanKey(cell: PlanCell(.key()), contract: $0.contract) }
        let input = PlanInput(
            firstDay: LocalDate(daysSince1970: 19_783), demands: [], contracts: contracts,
            shared: [TargetKey(delegation: .number(14), strategy: .administrative)])
        let room = SharedRoom(input, planned: [keys[0]: 10, keys[1]: 40], bonds: [keys[0]: left])
        #expect(room.extra[keys[0]] == extra)
        #expect(room.extra[keys[1]] == 10)
    }

    @Test(
        arguments: [
            (89, [29, 59], [32, 56]), (90, [30, 60], [33, 57]), (99, [33, 66], [33, 66]), (100, [33, 67], [33, 67]),
            (101, [33, 67], [33, 67]),
        ] as [(Int64, [Int64], [Int64])])
    func `limits come to no centavo more than the bond, and what is held counts first`(
        bond: Int64, limits: [Int64], allHeldButTen: [Int64]
    ) {
        var contract = PlanContract.contract(1)
        contract.bond = bond
        contract.exposure = .overdue
        #expect(contract.withinBond([(33, held: 30), (67, held: 60)]) == limits)
        #expect(contract.withinBond([(33, held: 33), (67, held: 57)]) == allHeldButTen)
        #expect(contract.withinBond([(33, held: 30), (67, held: 60)], elsewhere: bond) == [0, 0])
        contract.exposure = .none
        #expect(contract.withinBond([(33, held: 30), (67, held: 60)], elsewhere: bond) == [33, 67])
    }

    /// Thirty and sixty are held in two pools of one place; 10 more are held or reserved by a pool of another one.
    @Test(
        arguments: [
            (0, [0, 0]), (30, [0, 0]), (89, [29, 59]), (90, [30, 60]), (99, [33, 66]), (100, [33, 67]),
            (101, [33, 67]),
        ] as [(Int64, [Int64])])
    func `limits come to no account more than advisers carry, and what is held counts first`(
        carried: Int64, limits: [Int64]
    ) {
        let (first, second) = (PoolKey.key(.administrative), PoolKey.key(.dual))
        let elsewhere = PoolKey.key(.administrative, in: 9)
        let asked = [(first, 33, held: 30), (second, 67, held: 60)] as [(pool: PoolKey, limit: Int64, held: Int64)]
        var contract = PlanContract.contract(1, staffing: [first.station: .init(committed: carried)])
        #expect(contract.withinAdvisers(asked) == limits)
        #expect(contract.withinAdvisers(asked, elsewhere: [elsewhere: 10]) == limits)
        #expect(contract.withinAdvisers(asked, elsewhere: [PoolKey.key(.mediation): carried]) == [0, 0])
        // Counted over all delegations, the other place counts.
        contract.staffing = [:]
        contract.portfolios = [first.portfolio: .init(committed: carried + 10)]
        #expect(contract.withinAdvisers(asked, elsewhere: [elsewhere: 10]) == limits)
        // Where they are not counted, they limit nothing.
        contract.portfolios = [:]
        #expect(contract.withinAdvisers(asked) == [33, 67])
    }

    @Test func `without a setting no limit passes its quota`() throws {
        let input = PlanInstance.input(5)
        #expect(SharedRoom(input, planned: try AllocationPlan(input).byPool, bonds: [:]).extra.isEmpty)
    }
}
