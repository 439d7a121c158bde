// SPDX-License-Identifier: Apache-2.0

import Assignment
import Testing

struct IndicatorTests {
    /// The published means per credit, in pesos: recovered, spent, and pesos per peso.
    @Test(
        arguments: [
            ("1949.58", "219.23", "8.89"), ("2257.90", "237.70", "9.50"), ("3809.95", "397.74", "9.58"),
            ("5447.33", "482.34", "11.29"), ("2856.76", "226.02", "12.64"), ("3357.26", "260.46", "12.89"),
            ("3649.37", "230.99", "15.80"), ("4009.17", "241.91", "16.57"),
        ])
    func `pesos per peso are the printed ones (ORA-20, ORA-21)`(recovered: String, spent: String, printed: String)
        throws
    {
        let figure = IndicatorFigure(
            .perPeso, try #require(Cents(pesos: recovered)).value, over: try #require(Cents(pesos: spent)).value)

        #expect(figure.value == printed)
        #expect(figure.numeratorText == recovered)
    }

    /// Overdue and current accounts of a year: credits, spent and recovered per credit; and what both come to, in ten thousands of pesos.
    @Test(
        arguments: [
            ([257_717, 2_679_602], ["219.23", "226.02"], ["1949.58", "2856.76"], 66_214, 815_742, "12.32"),
            ([189_277, 2_584_154], ["237.70", "260.46"], ["2257.90", "3357.26"], 71_806, 910_305, "12.68"),
            ([217_936, 2_175_788], ["397.74", "230.99"], ["3809.95", "3649.37"], 58_927, 877_058, "14.88"),
            ([333_437, 2_373_473], ["482.34", "241.91"], ["5447.33", "4009.17"], 73_500, 1_133_200, "15.42"),
        ] as [([Int64], [String], [String], Int64, Int64, String)])
    func `a year's totals and its pesos per peso follow from the printed units (ORA-22, ORA-23, ORA-24)`(
        credits: [Int64], spent: [String], recovered: [String], spentInAll: Int64, recoveredInAll: Int64,
        perPeso: String
    ) throws {
        func total(_ units: [String]) throws -> Cents {
            try zip(credits, units).reduce(Cents.zero) { $0 + (try #require(Cents(pesos: $1.1))).times($1.0) }
        }
        let (spend, recovery) = (try total(spent), try total(recovered))

        #expect((spend.value + 500_000) / 1_000_000 == spentInAll)
        #expect((recovery.value + 500_000) / 1_000_000 == recoveredInAll)
        #expect(IndicatorFigure(.perPeso, recovery.value, over: spend.value).value == perPeso)
    }

    /// 11,063 mdp of a programmed 10,414.
    @Test func `the assigned flow of the programmed is the printed one (IND-07, ORA-18)`() {
        #expect(IndicatorFigure(.programmedFlow, 1_106_300_000_000, over: 1_041_400_000_000).value == "106.23")
    }

    /// The mean payment is in pesos per account.
    @Test func `a mean divides pesos by accounts`() {
        let figure = IndicatorFigure(.meanPayment, 677_200, over: 2)
        #expect(figure.value == "3386.00" && figure.numeratorText == "6772.00" && figure.denominatorText == "2")
    }

    @Test(
        arguments: [(1, 3, "33.33"), (2, 3, "66.67"), (1, 200, "0.50"), (5, 0, nil), (0, 7, "0.00"), (-1, 8, "-12.50")]
            as [(Int64, Int64, String?)])
    func `a share is shown in percent, rounded half away from zero, or not at all`(
        numerator: Int64, denominator: Int64, value: String?
    ) {
        #expect(IndicatorFigure(.contacted, numerator, over: denominator).value == value)
    }
}
