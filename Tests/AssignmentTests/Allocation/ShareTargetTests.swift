// SPDX-License-Identifier: Apache-2.0

import Assignment
import Testing

struct ShareTargetTests {
    private let three = (1...3 as ClosedRange<Int32>).map(ContractID.number)

    @Test func `equal parts are equal`() {
        #expect(ShareTarget.equal.parts(of: three) == [333_333, 333_333, 333_333])
    }

    @Test func `a fixed part stays what it is when another is away`() {
        let target = ShareTarget.fixed([.number(1): .points(5_000), .number(2): .points(3_000)])

        #expect(target.parts(of: [.number(2), .number(3)]) == [300_000, 0])
    }

    @Test func `an arm's part is shared equally within it`() {
        let target = ShareTarget.arms([
            .init(number: 1, share: .points(8_000), contracts: [.number(1), .number(2)]),
            .init(number: 2, share: .points(2_000), contracts: [.number(3)]),
        ])

        #expect(target.parts(of: three) == [400_000, 400_000, 200_000])
        #expect(three.map(target.arm) == [1, 1, 2])
    }

    @Test func `targets above the whole are refused`() {
        let target = ShareTarget.fixed([.number(1): .points(6_000), .number(2): .points(4_001)])
        let input = PlanInput.input([.demand([10])], [.contract(1, advisers: 10)]).target(target)

        #expect(throws: PlanInputError.targetAboveWhole(.number(14), .administrative, basisPoints: 10_001)) {
            try AllocationPlan(input)
        }
    }

    @Test func `without bounds in the way a scorecard shares by points`() {
        let card = Scorecard(
            points: [.number(1): 50, .number(2): 30, .number(3): 20], lastShares: [:], changeMax: .points(2_000),
            floor: .points(0))

        #expect(card.parts(of: three) == [500_000, 300_000, 200_000])
    }

    @Test func `a share changes by no more than a fifth of itself in a month`() {
        let last = [5_000, 3_000, 2_000].map(BasisPoints.points)
        let card = Scorecard(
            points: [.number(1): 0, .number(2): 10, .number(3): 90],
            lastShares: Dictionary(uniqueKeysWithValues: zip(three, last)), changeMax: .points(2_000), floor: .points(0)
        )

        // The first may fall to 40 %, the third rise to 24 %; the second takes the rest, 36 %.
        #expect(card.parts(of: three) == [400_000, 360_000, 240_000])
    }

    @Test func `nobody falls below the floor`() {
        let card = Scorecard(
            points: [.number(2): 50, .number(3): 50], lastShares: [:], changeMax: .points(2_000), floor: .points(500))

        #expect(card.parts(of: three) == [50_000, 475_000, 475_000])
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `parts by scorecard add up to the whole and keep their bounds where they can`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let count = Int32(random.below(8)) + 1
        let contracts = (1...count).map(ContractID.number)
        let last = Proportion.split(10_000, weights: contracts.map { _ in Int64(random.below(100)) + 1 })
        let card = Scorecard(
            points: Dictionary(uniqueKeysWithValues: contracts.map { ($0, Int64(random.below(1_000))) }),
            lastShares: Dictionary(uniqueKeysWithValues: zip(contracts, last.map(BasisPoints.points))),
            changeMax: .points(2_000), floor: .points(0))
        let parts = card.parts(of: contracts)

        #expect(parts.reduce(0, +) == ShareTarget.whole)
        for (part, last) in zip(parts, last) { #expect((last * 80...last * 120).contains(part)) }
    }

    @Test func `what needs a look before it is applied is told`() {
        var late = PlanContract.contract(2, advisers: 10)
        late.firstDay = LocalDate(daysSince1970: 19_724)
        let poor = PlanContract.contract(3, advisers: 10).bonded(19_999)
        let input = PlanInput.input(
            [.demand([10], overdue: 20_000), .demand([5], .dual, in: 9)],
            [.contract(1, advisers: 0), late, poor]
        ).target(.fixed([.number(1): .points(5_000)]))

        #expect(
            input.warnings == [
                .noAdvisers(.number(1), .at(14), part: 500_000), .outsideDates(.number(2)),
                .bondBelowAccount(.number(3), bond: 19_999, cheapest: 20_000),
                .noContract(PlanCell(.key(.dual, in: 9)), accounts: 5),
            ])
    }

    @Test(arguments: [(Int64(0), false), (1, true)])
    func `advisers are missing for a target only where the strategy has accounts in their portfolio`(
        visited: Int64, isTold: Bool
    ) {
        let visits = Station.at(14, .homeVisit)
        let contract = PlanContract.contract(
            1, staffing: [.at(14): PlanContract.Staffing(committed: 10), visits: PlanContract.Staffing(committed: 0)])
        let pool = PoolKey(delegation: visits.delegation, strategy: .administrative, portfolio: .homeVisit)
        let demand = PlanDemand(
            cell: PlanCell(pool), classes: [PlanDemand.PriorityClass(priority: 1, accounts: visited, overdue: 0)])
        let input = PlanInput.input([.demand([10]), demand], [contract]).target(.fixed([.number(1): .points(5_000)]))

        #expect(input.warnings.contains(.noAdvisers(.number(1), visits, part: 500_000)) == isTold)
    }
}
