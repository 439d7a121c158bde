// SPDX-License-Identifier: Apache-2.0

import Assignment
import Testing

/// FIN-09 with the figures of the catalogue: 10,000 are 2,000 down and twenty of 400; on time twenty of 320, 8,400 in all.
struct InstalmentPlanTests {
    @Test func `plan 20,20,20 on ten thousand comes to the printed 8,400`() throws {
        let plan = try #require(InstalmentPlan(on: Cents(10_000_00)))

        #expect(plan.down == Cents(2_000_00))
        #expect(plan.instalments == Array(repeating: Cents(400_00), count: 20))
        #expect((0..<20).allSatisfy { plan.onTime($0) == Cents(320_00) })
        #expect(plan.total(onTime: 20) - plan.down == Cents(6_400_00))
        #expect(plan.total(onTime: 20) == Cents(8_400_00))
    }

    @Test(arguments: [(0, 10_000_00), (1, 9_920_00), (7, 9_440_00), (19, 8_480_00), (20, 8_400_00)] as [(Int, Int64)])
    func `one that is late ends the discount from there on`(onTime: Int, total: Int64) throws {
        #expect(try #require(InstalmentPlan(on: Cents(10_000_00))).total(onTime: onTime) == Cents(total))
    }

    @Test(arguments: [(1, 20), (12, 20), (10_000_01, 20), (77_777_77, 7), (99_999_999_999_99, 20)] as [(Int64, Int)])
    func `no centavo is lost between the parts, and none is asked of nothing`(balance: Int64, count: Int) {
        guard let plan = InstalmentPlan(on: Cents(balance), instalments: count) else {
            #expect(balance < 20)
            return
        }
        #expect(plan.instalments.count == count)
        #expect(plan.instalments.reduce(plan.down, +) == Cents(balance))
    }

    @Test(arguments: [(0, 20), (-100, 20), (100_00, 0), (100_00, 21)] as [(Int64, Int)])
    func `there is none of nothing, and none of more than twenty instalments`(balance: Int64, count: Int) {
        #expect(InstalmentPlan(on: Cents(balance), instalments: count) == nil)
    }
}
