// SPDX-License-Identifier: Apache-2.0

import Assignment
import Testing

/// Points relative to the best of a delegation.
struct ScorecardTests {
    private typealias Figure = ScorecardEntry.Figure

    private func contract(_ number: Int32) -> ContractID {
        guard let contract = ContractID(number) else { preconditionFailure("\(number) is no contract") }
        return contract
    }

    private func entry(_ number: Int32, _ figures: [ScorecardEntry.Figure]) -> ScorecardEntry {
        ScorecardEntry(contract(number), figures)
    }

    private let weights = ScorecardWeights([
        ScorecardWeights.Entry(.contacted, weight: 3, sample: 30),
        ScorecardWeights.Entry(.compliance, weight: 1, sample: 0),
    ])

    @Test func `the best has all points and the others their part of it, by weight`() {
        let rows = ScorecardMonth.rows(
            [
                entry(2, [Figure(.contacted, 30, over: 100), Figure(.compliance, 1_000_000, over: 1_000_000)]),
                entry(1, [Figure(.contacted, 60, over: 100), Figure(.compliance, 500_000, over: 1_000_000)]),
            ], weights: weights)

        #expect(rows.map(\.contract.value) == [1, 2])
        #expect(rows[0].parts.map(\.relative) == [1_000_000, 500_000])
        #expect(rows[0].points == 875_000)
        #expect(rows[1].points == 625_000)
        #expect(rows.allSatisfy { !$0.isNeutral })
    }

    @Test(arguments: [(29, false), (30, true), (31, true)] as [(Int64, Bool)])
    func `a measure counts from its sample on`(denominator: Int64, counts: Bool) {
        let rows = ScorecardMonth.rows(
            [
                entry(1, [Figure(.contacted, 10, over: denominator), Figure(.compliance, 1, over: 1)]),
                entry(2, [Figure(.contacted, 50, over: 100), Figure(.compliance, 1, over: 1)]),
            ], weights: weights)

        #expect((rows[0].parts[0].relative != nil) == counts)
    }

    @Test func `too small a sample has the mean of the others, and nobody's sample gives no points`() {
        let small = entry(3, [Figure(.contacted, 1, over: 2), Figure(.compliance, 1, over: 1)])
        let rows = ScorecardMonth.rows(
            [
                entry(1, [Figure(.contacted, 60, over: 100), Figure(.compliance, 1, over: 1)]),
                entry(2, [Figure(.contacted, 30, over: 100), Figure(.compliance, 1, over: 1)]), small,
            ], weights: weights)

        #expect(rows[2].isNeutral)
        #expect(rows[2].points == ((rows[0].points ?? 0) + (rows[1].points ?? 0)) / 2)
        #expect(ScorecardMonth.rows([small], weights: weights).map(\.points) == [nil])
    }

    @Test func `of unlocatable accounts less is better`() {
        let weights = ScorecardWeights([ScorecardWeights.Entry(.unlocatable, weight: 1, sample: 1)])
        let rows = ScorecardMonth.rows(
            [entry(1, [Figure(.unlocatable, 20, over: 100)]), entry(2, [Figure(.unlocatable, 60, over: 100)])],
            weights: weights)

        #expect(rows.map(\.points) == [1_000_000, 500_000])
    }

    @Test func `what nobody has tells nobody apart`() {
        let rows = ScorecardMonth.rows(
            [entry(1, [Figure(.contacted, 0, over: 100), Figure(.compliance, 1, over: 1)])],
            weights: ScorecardWeights([
                ScorecardWeights.Entry(.contacted, weight: 1, sample: 1),
                ScorecardWeights.Entry(.compliance, weight: 1, sample: 0),
            ]))

        #expect(rows[0].parts.map(\.relative) == [nil, 1_000_000])
        #expect(rows[0].points == 1_000_000)
    }

    @Test(arguments: 1...50)
    func `points lie between nothing and the whole whatever the order`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let entries = (1...8).map { number in
            entry(
                Int32(number),
                ScorecardMeasure.allCases.map { measure in
                    let all = Int64(random.next() % 1_000)
                    return Figure(measure, all == 0 ? 0 : Int64(random.next() % UInt64(all + 1)), over: all)
                })
        }
        let rows = ScorecardMonth.rows(entries, weights: .standard)

        #expect(rows == ScorecardMonth.rows(entries.reversed(), weights: .standard))
        #expect(rows.allSatisfy { $0.points.map { (0...1_000_000).contains($0) } ?? true })
        #expect(rows.flatMap(\.parts).allSatisfy { $0.relative.map { (0...1_000_000).contains($0) } ?? true })
    }
}

/// Conduct per agency by index and share (IDT-01, IDT-02, IDT-06).
struct ConductScoreTests {
    private typealias Count = ConductScore.Count

    private func agency(_ number: Int32) -> AgencyID {
        guard let agency = AgencyID(number) else { preconditionFailure("\(number) is no agency") }
        return agency
    }

    @Test func `the criteria are worth 100 points together`() {
        #expect(ConductScore.Criterion.allCases.reduce(0) { $0 + $1.weight } == 100)
    }

    /// Claims of the first half of 2018: SHF 8 of 45, Bansefi 1 of 276, Banjército 3 of 91.
    @Test func `published claims score by index and share (IDT-10)`() {
        let scores = ConductScore.scores([
            agency(1): [.complaints: Count(bad: 8, all: 45)], agency(2): [.complaints: Count(bad: 1, all: 276)],
            agency(3): [.complaints: Count(bad: 3, all: 91)],
        ]).map(\.process.criteria[0])

        #expect(scores.map(\.indexPoints.hundredths) == ["1.00", "39.21", "32.77"])
        #expect(scores.map { $0.sharePoints?.hundredths } == ["1.00", "35.13", "25.38"])
        #expect(scores.map(\.points.hundredths) == ["1.00", "37.17", "29.07"])
    }

    @Test func `who has nothing against it has all points, the worst one in each criterion`() {
        let scores = ConductScore.scores([
            agency(1): [.complaints: Count(bad: 0, all: 500), .dwelling: Count(bad: 0, all: 0)],
            agency(2): [.complaints: Count(bad: 10, all: 100)],
            agency(3): [.complaints: Count(bad: 10, all: 400)],
        ])

        #expect(scores.map(\.agency.value) == [1, 2, 3])
        #expect(scores[0].points == Ratio(100))
        // 40 points at nothing, 1 at the worst index and share: the second agency has both.
        #expect(scores[1].points == Ratio(61))
        // A quarter of the worst index, and the worst share: (40 − 39 × 0.25 + 1) ÷ 2.
        #expect(scores[2].process.criteria[0].points == Ratio(40 * 4 - 39 + 4, over: 8))
    }
}

/// Minimums that fall with what the institution takes away.
struct WorkGoalTests {
    @Test(
        arguments: [(100, 0, 120_0000), (100, 25, 90_0000), (100, 100, 0), (0, 0, 120_0000), (3, 1, 80_0000)]
            as [(Int64, Int64, Int64)])
    func `a minimum in accounts falls in proportion, cut off`(dealt: Int64, taken: Int64, left: Int64) {
        #expect(WorkGoal.prorated(120_0000, taken: (dealt, taken)) == left)
    }

    @Test func `what does not come out even is cut off for the agency`() {
        #expect(WorkGoal.prorated(100_0000, taken: (3, 1)) == 66_6666)
    }
}
