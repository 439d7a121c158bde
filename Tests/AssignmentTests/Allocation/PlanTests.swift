// SPDX-License-Identifier: Apache-2.0

import Assignment
import Testing

struct PlanTests {
    @Test func `without targets a pool is shared equally`() throws {
        let plan = try AllocationPlan(
            .input(
                [.demand([99])], [.contract(1, advisers: 50), .contract(2, advisers: 50), .contract(3, advisers: 50)]))

        #expect(plan.quotas.map(\.accounts) == [33, 33, 33])
        #expect(plan.quotas.map(\.binding) == [.share, .share, .share])
        #expect(plan.gap == 0)
    }

    @Test(
        arguments: [([1: 34], [34, 33, 33]), ([2: 34], [33, 34, 33]), ([3: 34], [33, 33, 34])]
            as [([Int32: Int64], [Int64])])
    func `the account that equal shares leave over stays where it was last month`(
        last: [Int32: Int64], shares: [Int64]
    ) throws {
        let contracts = (1...3).map { PlanContract.contract($0, advisers: 50) }
        let plan = try AllocationPlan(.input([.demand([100])], contracts).lastMonth(last))

        #expect(plan.quotas.map(\.accounts) == shares)
    }

    @Test func `a fixed target is met where limits allow`() throws {
        let target = ShareTarget.fixed([.number(1): .points(7_000), .number(2): .points(3_000)])
        let plan = try AllocationPlan(
            .input([.demand([200])], [.contract(1, advisers: 500), .contract(2, advisers: 500)]).target(target))

        #expect(plan.quotas.map(\.accounts) == [140, 60])
    }

    @Test func `what one cannot take goes to the others in proportion to their targets`() throws {
        let target = ShareTarget.fixed([
            .number(1): .points(5_000), .number(2): .points(3_000), .number(3): .points(2_000),
        ])
        let contracts = [
            PlanContract.contract(1, advisers: 25), .contract(2, advisers: 99), .contract(3, advisers: 99),
        ]
        let plan = try AllocationPlan(.input([.demand([100])], contracts).target(target))

        #expect(plan.quotas.map(\.accounts) == [25, 45, 30])
        #expect(plan.quotas[0].binding == .capacity)
    }

    @Test func `who is not in a fixed target gets nothing`() throws {
        let plan = try AllocationPlan(
            .input([.demand([10])], [.contract(1, advisers: 5), .contract(2, advisers: 50)])
                .target(.fixed([.number(1): .points(10_000)])))

        #expect(plan.quotas.map(\.accounts) == [5])
        #expect(plan.unplaced.map(\.accounts) == [5])
    }

    @Test func `short capacity is shared by strategies in proportion to what waits`() throws {
        let plan = try AllocationPlan(
            .input([.demand([30], .dual), .demand([90], .administrative)], [.contract(1, advisers: 40)]))

        #expect(plan.quotas.map(\.accounts) == [10, 30])
        #expect(plan.unplaced.map(\.reason) == [.capacity, .capacity])
    }

    @Test func `the higher class is placed first, whatever the shares`() throws {
        let plan = try AllocationPlan(
            .input([.demand([0, 30], .dual), .demand([35, 30], .administrative)], [.contract(1, advisers: 40)]))

        // 35 of the first class; the five that are left lessen the larger shortfall.
        #expect(plan.quotas.map(\.accounts) == [5, 35])
        #expect(plan.weight == 35 * 2 + 5)
    }

    @Test func `placing more goes before meeting targets`() throws {
        // Only contract 1 takes dual, so administrative goes to contract 2 against its target.
        var second = PlanContract.contract(2, advisers: 20)
        second.strategies = [.administrative]
        let plan = try AllocationPlan(
            .input([.demand([10], .dual), .demand([20], .administrative)], [.contract(1, advisers: 10), second]))

        #expect(plan.quotas.map(\.accounts) == [10, 0, 20])
        #expect(plan.unplaced.isEmpty)
    }

    @Test func `what is held counts for capacity and for the target`() throws {
        var first = PlanContract.contract(1, advisers: 60)
        first.held[PlanCell(.key())] = .init(accounts: 20)
        let plan = try AllocationPlan(.input([.demand([80])], [first, .contract(2, advisers: 60)]))

        #expect(plan.quotas.map(\.accounts) == [30, 50])
        #expect(plan.quotas.map(\.target) == [50, 50])
    }

    @Test func `advisers counted for the portfolio bound all delegations together`() throws {
        var contract = PlanContract.contract(1, advisers: 50, in: [2])
        contract.stations.insert(.at(1))
        contract.portfolios[.telephone] = .init(committed: 40)
        let plan = try AllocationPlan(.input([.demand([60], in: 1), .demand([20], in: 2)], [contract]))

        #expect(plan.quotas.map(\.accounts) == [30, 10])
    }

    @Test(
        arguments: [(PlanContract.CapacityBasis.committed, 40), (.present, 25)] as [(PlanContract.CapacityBasis, Int64)]
    )
    func `capacity goes by the contract's basis`(basis: PlanContract.CapacityBasis, accounts: Int64) throws {
        var contract = PlanContract.contract(1, staffing: [.at(14): .init(committed: 40, present: 25)])
        contract.basis = basis
        let plan = try AllocationPlan(.input([.demand([100])], [contract]))

        #expect(plan.quotas.map(\.accounts) == [accounts])
    }

    @Test func `no agency gets more than the cap over all of its contracts`() throws {
        var second = PlanContract.contract(2, advisers: 100)
        second.agency = .number(1)
        let plan = try AllocationPlan(
            .input([.demand([100])], [.contract(1, advisers: 100), second, .contract(3, advisers: 100)]).capped(4_000))

        #expect(plan.quotas.map(\.accounts) == [20, 20, 40])
        #expect(plan.unplaced.map(\.reason) == [.cap])
    }

    @Test func `a scarce bond takes the accounts that need least of it`() throws {
        let plan = try AllocationPlan(
            .input(
                [.demand([50], .dual, overdue: 100_000), .demand([50], .administrative, overdue: 20_000)],
                [.contract(1, advisers: 500).bonded(1_500_000)]))

        #expect(plan.quotas.map(\.accounts) == [5, 50])
        #expect(plan.gap == 0)
        #expect(plan.quotas[0].binding == .bond)
        #expect(plan.unplaced.map(\.reason) == [.bond])
    }

    /// Amounts at the most that the formats allow: balances of eleven digits of pesos, a bond of as many, factor 1000 %.
    @Test(arguments: [(9_999_999_999_999, 0), (99_999_999_999_990, 1), (199_999_999_999_979, 1)] as [(Int64, Int64)])
    func `the largest amounts are planned by like any other`(bond: Int64, accounts: Int64) throws {
        var contract = PlanContract.contract(1, advisers: 500).bonded(bond)
        contract.exposure = Exposure(basis: .overdue, factorBasisPoints: 100_000)
        let input = PlanInput.input(
            [
                .demand([50], .dual, overdue: 9_999_999_999_999),
                .demand([50], .administrative, overdue: 9_999_999_999_999),
            ],
            [contract])
        let plan = try AllocationPlan(input)

        #expect(plan.quotas.reduce(0) { $0 + $1.accounts } == accounts)
        #expect(PlanCheck(plan, of: input).faults == [])
    }

    @Test func `amounts that no sum could hold are refused, and not one centavo less`() throws {
        func input(_ overdue: Int64) -> PlanInput {
            var demands = [
                PlanDemand.demand([1], .dual, overdue: 1 << 55), .demand([1], .administrative, overdue: 1 << 55),
            ]
            demands[1].classes[0].overdue = overdue
            return .input(demands, [.contract(1, advisers: 5)])
        }
        #expect(throws: Never.self) { try AllocationPlan(input(1 << 55)) }
        #expect(throws: PlanInputError.self) { try AllocationPlan(input((1 << 55) + 1)) }
    }

    /// Standard weights of five classes are 5, 4, 3, 2, 1.
    @Test(
        arguments: [
            ([:], [5, 4, 3, 2, 1]), ([1: 5, 2: 2], [5, 2, 2, 2, 1]), ([3: 9], [9, 9, 9, 2, 1]),
            ([2: 1], [5, 1, 1, 1, 1]),
            ([1: 3], [3, 3, 3, 2, 1]),
        ] as [([Int16: Int64], [Int64])])
    func `a class without a weight of its own stays between those above and below it`(
        weights: [Int16: Int64], found: [Int64]
    ) throws {
        var input = PlanInput.input([.demand([1, 1, 1, 1, 1])], [.contract(1, advisers: 5)])
        input.weights = weights
        #expect(input.weightByClass.sorted { $0.key < $1.key }.map(\.value) == found)
        #expect(throws: Never.self) { try AllocationPlan(input) }
    }

    @Test func `weights that rise are refused with both`() throws {
        var input = PlanInput.input([.demand([1, 1])], [.contract(1, advisers: 5)])
        input.weights = [1: 2, 2: 3]
        #expect(throws: PlanInputError.weightRises(priority: 2, weight: 3, above: 2)) { try AllocationPlan(input) }
    }

    @Test(arguments: [(19_999, 0), (20_000, 1), (39_999, 1), (40_000, 2)] as [(Int64, Int64)])
    func `a bond covers accounts of the mean, rounded down`(bond: Int64, accounts: Int64) throws {
        let plan = try AllocationPlan(
            .input([.demand([50], overdue: 20_000)], [.contract(1, advisers: 500).bonded(bond)]))

        #expect(plan.quotas.map(\.accounts) == [accounts])
        #expect(plan.gap <= 1)
    }

    @Test(
        arguments: [
            (.onHold(motive: "m"), .hold), (.terminated(motive: "m"), .noContract),
        ] as [(PlanContract.Standing, AllocationPlan.Unplaced.Reason)])
    func `a contract that is away gets nothing, and the reason is told`(
        standing: PlanContract.Standing, reason: AllocationPlan.Unplaced.Reason
    ) throws {
        var contract = PlanContract.contract(1, advisers: 10)
        contract.standing = standing
        let plan = try AllocationPlan(.input([.demand([10])], [contract]))

        #expect(plan.quotas.isEmpty)
        #expect(plan.unplaced.map(\.reason) == [reason])
    }

    /// SUS-01: the handing out of one band is suspended, the rest goes on.
    @Test func `a suspended band takes nothing and the others do`() throws {
        var contract = PlanContract.contract(1, advisers: 100)
        contract.suspended = [.init(strategy: .administrative, band: 2)]
        let classes = [PlanDemand.PriorityClass(priority: 1, accounts: 10)]
        let bands = (1...2).map { PlanDemand(cell: PlanCell(.key(), band: $0), classes: classes) }
        let plan = try AllocationPlan(.input(bands, [contract]))

        #expect(plan.quotas.map(\.key.cell.band) == [1])
        #expect(plan.unplaced.map(\.reason) == [.hold])
    }

    /// GEO-02: no visits in the territories whose channels are banned.
    @Test func `a channel ban leaves home visits unplaced and telephone not`() throws {
        let staffing = PlanContract.Staffing(committed: 50)
        var contract = PlanContract.contract(1, staffing: [.at(14): staffing, .at(14, .homeVisit): staffing])
        contract.bans = [.at(14, .homeVisit)]
        let classes = [PlanDemand.PriorityClass(priority: 1, accounts: 10)]
        let demands = Portfolio.allCases.map {
            PlanDemand(cell: PlanCell(.key(.administrative, in: 14, $0)), classes: classes, banned: 3)
        }
        let plan = try AllocationPlan(.input(demands, [contract]))

        #expect(plan.quotas.map(\.key.cell.pool.portfolio) == [.telephone])
        #expect(plan.unplaced.map(\.reason) == [.ban, .ban, .ban])
        #expect(plan.unplaced.map(\.accounts) == [3, 10, 3])
    }

    @Test func `one more adviser is worth what it would place`() throws {
        let input = PlanInput.input(
            [.demand([10, 0], .dual), .demand([0, 50], .administrative)], [.contract(1, advisers: 30)])

        #expect(input.worth(ofAdvisers: 1, .number(1), in: .telephone, at: .number(14)).weight == 1)
        #expect(input.worth(ofAdvisers: 99, .number(1), in: .telephone, at: .number(14)).accounts == 30)
        #expect(try AllocationPlan(input).scarce == [.station(.number(1), .at(14))])
    }

    /// Balances, bonds and factors of the most that files may say, and one below and above a whole account.
    @Test(
        arguments: [
            (9_999_999_999_999, 100_000, 0), (9_999_999_999_999, 10_000, 1), (9_999_999_999_998, 10_000, 0),
            (9_999_999_999_999, 3_333, 3),
        ] as [(Int64, Int64, Int64)])
    func `amounts of the most that can be imported are planned`(bond: Int64, factor: Int64, placed: Int64) throws {
        let most: Int64 = 9_999_999_999_999
        let demands = (1...4).map { delegation in
            PlanDemand(
                cell: PlanCell(.key(.administrative, in: delegation)),
                classes: [.init(priority: 1, accounts: 30, overdue: 30 * most, balance: 30 * most)])
        }
        var contract = PlanContract.contract(1, advisers: 5_000, in: [1, 2, 3, 4])
        contract.exposure = Exposure(basis: .total, factorBasisPoints: factor)
        contract.bond = bond
        let input = PlanInput.input(demands, [contract, .contract(2, advisers: 1, in: [1])])
        let plan = try AllocationPlan(input)

        #expect(PlanCheck(plan, of: input).faults.isEmpty)
        let mine = plan.quotas.filter { $0.key.contract == .number(1) }.reduce(0) { $0 + $1.accounts }
        #expect(mine == placed)
    }

    /// One bond is scarce in one place; seventeen others cover whatever waits in theirs.
    @Test func `bonds that cover everything do not widen the gap of one that does not`() throws {
        let scarce = PlanContract.contract(
            63, staffing: [.at(15): .init(committed: 300), .at(15, .homeVisit): .init(committed: 150)]
        ).bonded(449_085_000)
        let beside = PlanContract.contract(
            64, staffing: [.at(15): .init(committed: 150), .at(15, .homeVisit): .init(committed: 75)])
        let ample = (1...14).map {
            PlanContract.contract(Int32($0), advisers: 900, in: [Int16($0)]).bonded(999_999_999)
        }
        let input = PlanInput.input(
            [
                .demand([11, 7, 0, 18, 60], .dual, in: 15, .homeVisit, overdue: 3_490_310),
                .demand([9, 2, 0, 3, 23], .administrative, in: 15, .homeVisit, overdue: 3_606_703),
                .demand([40, 20, 0, 27, 143], .administrative, in: 15, overdue: 3_196_319),
                .demand([5, 0, 0, 0, 0], .mediation, in: 15, overdue: 3_016_406),
            ] + (1...14).map { .demand([1, 1, 1, 1, 1], .dual, in: $0, overdue: 1_000_000) }, [scarce, beside] + ample)
        let plan = try AllocationPlan(input)

        #expect(PlanCheck(plan, of: input).faults == [])
        // Every account counts one there, for the heavier classes are placed.
        #expect(plan.gap <= 1)
        #expect(plan.unplaced.reduce(0) { $0 + $1.accounts } <= 8)
        #expect(plan.bondPrice(.number(63)) > 0)
    }

    @Test func `one more peso of bond is worth its part of an account`() throws {
        let input = PlanInput.input(
            [.demand([50], overdue: 20_000)], [.contract(1, advisers: 500).bonded(400_000)])

        #expect(input.worth(ofBond: 60_000, .number(1)).accounts == 3)
        // One account for 20,000 centavos: 50 millionths of a weight for each.
        let price = try AllocationPlan(input).bondPrice(.number(1))
        #expect(abs(price - 50_000_000) < 500_000)
    }
}
