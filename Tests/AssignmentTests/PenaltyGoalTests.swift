// SPDX-License-Identifier: Apache-2.0

import Assignment
import Testing

/// AMB-04: many goals, one verdict.
struct PenaltyGoalTests {
    private func verdict(_ goals: [Goal], _ aggregation: GoalAggregation) throws -> GoalVerdict? {
        let threshold = try #require(BasisPoints(percent: "80"))
        return GoalVerdict(goals, threshold: threshold, aggregation: aggregation)
    }

    @Test(arguments: [("70", "90", false), ("70", "89.99", true), ("0", "160", false)] as [(String, String, Bool)])
    func `the weighted mean decides by default`(first: String, second: String, isBreach: Bool) throws {
        let goals = [Sample.goal(first, of: "100"), Sample.goal(second, of: "100")]

        #expect(try verdict(goals, .mean)?.isBreach == isBreach)
    }

    @Test func `a heavier goal counts for more`() throws {
        let goals = [Sample.goal("70", of: "100", weight: "3"), Sample.goal("90", of: "100", weight: "1")]

        #expect(try verdict(goals, .mean)?.judged == 7_500)
    }

    @Test(arguments: [("79.99", true), ("80.00", false), ("80.01", false)])
    func `with any, one goal below the threshold is a breach`(achieved: String, isBreach: Bool) throws {
        let goals = [Sample.goal(achieved, of: "100"), Sample.goal("500", of: "100")]

        #expect(try verdict(goals, .any)?.isBreach == isBreach)
        #expect(try verdict(goals, .mean)?.isBreach == false)
    }

    @Test func `a mean of thirds that meets the threshold exactly is no breach, whatever the number of goals`() throws {
        // Σ of 5 × (2/3) and 10 × (13/15), over 15, is exactly 0.8; no decimal fraction holds its terms.
        let goals =
            (0..<5).map { _ in Sample.goal("2000002", of: "3000003") }
            + (0..<10).map { _ in Sample.goal("13000013", of: "15000015") }
        let missed = goals.dropLast() + [Sample.goal("13000012.99", of: "15000015")]

        #expect(try verdict(goals, .mean)?.isBreach == false)
        #expect(try verdict(goals, .mean)?.judged == 8_000)
        #expect(try verdict(Array(missed), .mean)?.isBreach == true)
        #expect(try verdict(Array(missed), .mean)?.judged == 7_999)
    }

    @Test func `goals that ask for nothing are left out`() throws {
        #expect(try verdict([Sample.goal("0", of: "0"), Sample.goal("0", of: "9", weight: "0")], .mean) == nil)
    }
}
