// SPDX-License-Identifier: Apache-2.0

import Assignment
import Testing

/// FEE-01 to FEE-05 to the letter, with money: at every percent, and a centavo below it.
struct ContingencyEdgeTests {
    /// As the catalogue prints them: band, minimum, and the rates of the ranges that end with these percents, in tenths of a percent.
    private static let letter: [(band: MoraBand, minimum: Int64, ends: [Int64], rates: [Int64])] = [
        (.days1to30, 75, [50, 60, 70, 80, 90, 100], [30, 35, 40, 45, 50, 55]),
        (.days31to60, 65, [40, 50, 60, 70, 80, 90], [40, 45, 50, 55, 60, 65]),
        (.days61to90, 55, [30, 40, 50, 60, 70, 80], [45, 50, 55, 60, 65, 70]),
        (.days91to120, 40, [30, 40, 50, 60, 70, 80], [50, 55, 60, 65, 70, 75]),
        (.over120, 20, [20, 30, 40, 50, 60, 70], [50, 60, 65, 70, 75, 80]),
    ]

    /// Half away from zero, of a rate in tenths of a percent.
    private func charge(_ recovered: Int64, _ rate: Int64) -> Int64 { (recovered * rate * 2 + 1_000) / 2_000 }

    /// 10,000.03 pesos are assigned, so that no whole percent is a whole centavo.
    @Test(arguments: 0..<5)
    func `every percent pays its range's rate of what was recovered, and a centavo less than it the one before`(
        index: Int
    ) throws {
        let (band, minimum, ends, rates) = Self.letter[index]
        let tariff = try FeeTariff(Sample.schedule("fna", ContingencyScaleTests.values))
        let assigned: Int64 = 1_000_003
        func expected(_ percent: Int64) -> Int64 { rates[ends.firstIndex { percent <= $0 } ?? 5] }
        for percent in Int64(1)...100 {
            // The least centavos that make the percent, cut off.
            let least = (assigned * percent + 99) / 100
            for (recovered, whole) in [(least, percent), (least - 1, percent - 1)] where recovered > 0 {
                let recovery = BandRecovery(
                    band: band, assigned: Cents(assigned), recovered: Cents(recovered), payments: ["P"])
                let line = try #require(try tariff.lines(for: [], bands: [recovery]).first)
                let words = "\(band.rawValue), \(recovered) of \(assigned)"

                #expect(line.rule == band.rawValue && recovery.wholePercent == whole, "\(words)")
                #expect(line.amount == Cents(charge(recovered, expected(whole))), "\(words)")
                #expect(
                    line.arithmetic.english.contains(whole >= minimum ? " met)" : "(below the minimum of "), "\(words)")
            }
        }
    }

    /// What a credit of an objection adds is billed as any fee: a budget of 1,000.00 that 400.00 and 500.00 leave 100.00 of.
    @Test(
        arguments: [
            (nil, "500.00", false, "100.00"), ("99.99", "599.99", false, "0.01"), ("100.00", "600.00", true, "0.00"),
            ("250.00", "750.00", true, "0.00"),
        ] as [(String?, String, Bool, String)])
    func `a credit beyond a budget is paid, uses it up, and leaves later months nothing (AGY-15)`(
        credit: String?, fees: String, isUsedUp: Bool, left: String
    ) throws {
        let tariff = try FeeTariff(
            Sample.schedule("t", [("FEE-11", "administrative.phone", "500.00"), ("AGY-15", "budget", "1000.00")]))
        func statement(before: Cents, credit: String?) throws -> Statement {
            var contract = try Sample.contract([
                Sample.month { month in
                    month.billed = [BilledService(service: FeeService(.administrative, .phone), outcomes: [1])]
                    month.adjustments =
                        credit.flatMap { Cents(pesos: $0) }.map {
                            [
                                Adjustment(
                                    number: 4, kind: .credit, rule: "FEE-11", amount: $0, about: Sample.march,
                                    reason: "r",
                                    objection: 2)
                            ]
                        } ?? []
                }
            ])
            contract.spentBefore = before
            return try Statement(contract, tariff: tariff, terms: Sample.administrative())
        }
        let first = try statement(before: Cents(400_00), credit: credit)
        #expect(first.totals.fees.description == fees && first.isBudgetUsedUp == isUsedUp)
        #expect(!first.sections.flatMap(\.lines).contains { $0.rule == "AGY-15" })
        // The next month's work is worth 500.00 again, and is paid what is left.
        let next = try statement(before: Cents(400_00) + first.totals.fees, credit: nil)
        #expect(next.totals.fees.description == left && next.isBudgetUsedUp)
        // A credit there is paid all the same: two persons said so.
        let credited = try statement(before: Cents(400_00) + first.totals.fees, credit: "20.00")
        #expect(credited.totals.fees - next.totals.fees == Cents(20_00))
    }
}
