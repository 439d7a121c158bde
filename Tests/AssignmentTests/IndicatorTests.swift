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
