// SPDX-License-Identifier: Apache-2.0

import Assignment
import Testing

/// IDT-01…06 against the printed sheets of the first half of 2018 (IDT-07).
struct IndexScoreTests {
    private typealias Measure = ScoreCriterion.Measure

    /// A criterion whose value earns all of its points.
    private func full(_ name: String, _ weight: Int64) -> ScoreCriterion {
        ScoreCriterion(name, weight: weight, index: Measure(.zero, worst: Ratio(1)))
    }

    /// An index and a share in whole-number fractions of the sector's maximum.
    private func both(_ name: String, _ weight: Int64, _ index: Measure, _ share: Measure) -> ScoreCriterion {
        ScoreCriterion(name, weight: weight, index: index, share: share)
    }

    private let worst = Measure(Ratio(1), worst: Ratio(1))
    private let best = Measure(.zero, worst: Ratio(1))

    /// SHF, ordinary handling, January to June: seven criteria and a time beyond the bound.
    private var shf: ScoreProcess {
        PublishedProcess.ordinary.process([
            (best, nil), (Measure(Ratio(574, over: 100), worst: Ratio(5094, over: 1000)), nil), (best, nil),
            (best, nil),
            (best, nil),
            (
                Measure(Ratio(60, over: 100), worst: Ratio(1)),
                Measure(Ratio(75, over: 100), worst: Ratio(75, over: 100))
            ),
            (Measure(Ratio(2, over: 3), worst: Ratio(1)), worst), (worst, worst),
        ])
    }

    @Test(arguments: PublishedProcess.allCases)
    func `the published weights of a process add up to 100 (IDT-05)`(process: PublishedProcess) {
        #expect(process.criteria.reduce(0) { $0 + $1.weight } == 100)
    }

    /// As printed, criterion by criterion.
    @Test(
        arguments: [
            (.electronic, [10, 5, 5, 10, 15, 5, 5, 20, 15, 10]), (.ordinary, [10, 10, 10, 15, 10, 20, 15, 10]),
            (.conciliation, [20, 20, 20, 40]),
        ] as [(PublishedProcess, [Int64])])
    func `each criterion has its published weight (IDT-05)`(process: PublishedProcess, weights: [Int64]) {
        #expect(process.criteria.map(\.weight) == weights)
    }

    /// Of the criteria that earned all of their points, the printed sheet has no share for one of 10 points (0 of 0), and does not say
    /// which; a time has none at all. By share they are 38.00, whichever it is, and the whole stays what it is.
    @Test(arguments: [0, 2, 4])
    func `SHF's criteria score the printed 38 points by share`(without: Int) {
        let shares = shf.criteria.enumerated().map { index, criterion in
            index == 1 || index == without || criterion.share != nil
                ? criterion
                : ScoreCriterion(criterion.name, weight: criterion.weight, index: criterion.index, share: best)
        }
        let process = ScoreProcess("GO", shares)

        #expect(shares.compactMap(\.sharePoints).reduce(.zero) { $0 + $1 }.hundredths == "38.00")
        #expect(process.points.hundredths == "55.13")
    }

    /// Bansefi's conciliation: the worst in deferred cases, nothing in the others.
    @Test func `Bansefi's conciliation scores 81 in the half-year and in the second quarter`() {
        let process = PublishedProcess.conciliation.process([(worst, worst), (best, best), (best, best), (best, best)])

        #expect(process.points == Ratio(81))
        #expect(process.score.hundredths == "8.10")
    }

    @Test func `SHF's ordinary handling scores the printed 55 point 13`() {
        #expect(shf.points.hundredths == "55.13")
        #expect(shf.points == Ratio(554, over: 10) - Ratio(4, over: 15))
        #expect(shf.score.hundredths == "5.51")
    }

    @Test func `its criteria score the printed points by index and by share`() throws {
        let criteria = shf.criteria

        #expect(criteria[5].indexPoints.hundredths == "8.60")
        #expect(criteria[5].sharePoints?.hundredths == "1.00")
        #expect(criteria[5].points.hundredths == "4.80")
        #expect(criteria[6].indexPoints.rounded(places: 4) == 56_667)
        #expect(criteria[6].points.rounded(places: 4) == 33_333)
        #expect(criteria.reduce(.zero) { $0 + $1.indexPoints }.hundredths == "61.27")
    }

    @Test func `SHF's first quarter scores 53 point 75 and its second 61 point 26`() {
        let first = ScoreProcess(
            "Q1",
            [
                full("a", 10),
                ScoreCriterion("b", weight: 10, index: Measure(Ratio(869, over: 100), worst: Ratio(5094, over: 1000))),
                full("c", 10), full("d", 15), full("e", 10),
                both("f", 20, Measure(Ratio(1, over: 2), worst: Ratio(1)), worst), both("g", 15, worst, worst),
                both("h", 10, worst, worst),
            ])
        let time = ScoreCriterion(
            "t", weight: 10, index: Measure(Ratio(65, over: 18), best: Ratio(1), worst: Ratio(5094, over: 1000)))

        #expect(first.points.hundredths == "53.75")
        #expect((Ratio(57) + time.points).hundredths == "61.26")
    }

    /// Days over cases, as the sheets print both.
    @Test(
        arguments: [
            (113, 13, "8.69"), (65, 18, "3.61"), (178, 31, "5.74"), (1_330, 86, "15.47"), (1_710, 117, "14.62"),
            (3_040, 203, "14.98"),
        ] as [(Int128, Int128, String)])
    func `mean times are the printed ones (IDT-09)`(days: Int128, cases: Int128, mean: String) {
        #expect(Ratio(days, over: cases).hundredths == mean)
    }

    /// 65 days over 18 cases. Only one sheet has a time between its bounds, so that both fit it: a bound is given with each criterion.
    @Test(arguments: [(0, 5_662), (1, 5_094)] as [(Int128, Int128)])
    func `the bounds of the ordinary time criterion are open, and either pair gives the printed points (AMB-13)`(
        best: Int128, worstThousandths: Int128
    ) {
        func points(_ days: Ratio) -> String {
            ScoreCriterion.points(
                Measure(days, best: Ratio(best), worst: Ratio(worstThousandths, over: 1_000)), weight: 10
            ).hundredths
        }

        #expect(points(Ratio(65, over: 18)) == "4.26")
        #expect(points(Ratio(574, over: 100)) == "1.00")
        #expect(points(Ratio(869, over: 100)) == "1.00")
        #expect(points(Ratio(best)) == "10.00")
        #expect(points(Ratio(best, over: 2)) == "10.00")
    }

    @Test func `SHF has not joined electronic handling and scores 4 point 10 in all`() {
        let integral = IntegralScore.value(electronic: nil, ordinary: shf.score, conciliation: Ratio(10))

        #expect(integral.rounded(places: 5) == 410_267)
        #expect(integral.hundredths == "4.10")
    }

    /// 3,040 days over 203 cases, between one and twenty days.
    private var bansefi: Ratio {
        let time = ScoreCriterion(
            "tiempo directos", weight: 5,
            index: Measure(Ratio(149_754, over: 10_000), best: Ratio(1), worst: Ratio(20)))
        return ScoreProcess(
            "electrónica",
            [full("vencidos", 10), time] + (1...8).map { ScoreCriterion("c\($0)", weight: 10, index: worst) }
        ).points
    }

    @Test func `Bansefi's electronic handling scores 20 point 06`() {
        #expect(bansefi.rounded(places: 4) == 200_578)
        #expect(bansefi.hundredths == "20.06")
        #expect((bansefi / Ratio(10)).hundredths == "2.01")
    }

    @Test func `without ordinary cases their share is split, and only the end is rounded`() {
        let integral = IntegralScore.value(
            electronic: bansefi / Ratio(10), ordinary: nil, conciliation: Ratio(81, over: 10))

        #expect((Ratio(6, over: 10) * bansefi / Ratio(10)).hundredths == "1.20")
        #expect(integral.hundredths == "4.44")
    }

    @Test(
        arguments: [(0, "20.00"), (1, "19.81"), (50, "10.50"), (99, "1.19"), (100, "1.00"), (150, "1.00")]
            as [(Int128, String)])
    func `points fall in a straight line and stay within weight and floor`(percent: Int128, points: String) {
        #expect(
            ScoreCriterion.points(Measure(Ratio(percent, over: 100), worst: Ratio(1)), weight: 20).hundredths == points)
    }

    @Test func `nothing over nothing in the sector earns all points`() {
        #expect(ScoreCriterion.points(Measure(.zero, worst: .zero), weight: 15) == Ratio(15))
    }
}
