// SPDX-License-Identifier: Apache-2.0

import Assignment
import Testing

struct DerivedFieldTests {
    // RES-09.
    @Test(
        arguments: [
            (0, 0, 10_000, 5, true, false, 131_393), (1, 1, 7_500, 5, true, false, 313_055),
            (3, 3, 2_500, 2, false, false, 979_366),
        ] as [(Int64, Int64, Int64, Int64, Bool, Bool, Int64)])
    func `the computed cases come out to their printed digits`(
        late: Int64, latest: Int64, paid: Int64, years: Int64, isEmployed: Bool, isCivilServant: Bool, millionths: Int64
    ) {
        let risk = DefaultRisk(
            latePayments: late, latePaymentsMax: latest, paidShare: paid, years: years, isEmployed: isEmployed,
            isCivilServant: isCivilServant)

        #expect(risk.probability == millionths)
    }

    // RES-02, RES-04: late payments are days over the days of the month, rounded up.
    @Test(
        arguments: [(60, 31, false), (90, 30, false), (91, 31, true), (91, 30, true), (93, 31, true), (88, 29, true)]
            as [(Int64, Int64, Bool)])
    func `four late payments or more than ninety days are certain default`(days: Int64, month: Int64, isCertain: Bool) {
        let risk = DefaultRisk(
            daysLate: days, daysInMonth: month, latePaymentsMax: 0, paidShare: 10_000, years: 0, isEmployed: true,
            isCivilServant: true)

        #expect((risk.probability == 1_000_000) == isCertain)
    }

    // RES-07.
    @Test(
        arguments: [
            (9, true, 32), (10, true, 100), (4, false, 71), (5, false, 100),
        ] as [(Int64, Bool, Int64)])
    func `what is lost depends on the employer and on late payments`(late: Int64, isEmployed: Bool, percent: Int64) {
        let risk = DefaultRisk(
            latePayments: late, latePaymentsMax: 0, paidShare: 0, years: 0, isEmployed: isEmployed,
            isCivilServant: false)

        #expect(risk.severity == percent)
        #expect(risk.expectedLoss(of: 100_000_00) == 100_000 * percent)
    }

    // RES-06: the civil servants' institute counts only for the employed.
    @Test func `insurance as a civil servant counts with a job`() {
        func probability(_ isEmployed: Bool, _ isCivilServant: Bool) -> Int64 {
            DefaultRisk(
                latePayments: 1, latePaymentsMax: 1, paidShare: 5_000, years: 1, isEmployed: isEmployed,
                isCivilServant: isCivilServant
            ).probability
        }

        #expect(probability(true, true) < probability(true, false))
        #expect(probability(false, true) == probability(false, false))
    }

    @Test func `a probability stays between nothing and one, whatever the values`() {
        for paid in [Int64.min, 0, 100_000, .max] {
            for years in [0, 100, Int64.max] {
                let risk = DefaultRisk(
                    daysLate: 31, daysInMonth: 31, latePaymentsMax: .max, paidShare: paid, years: years,
                    isEmployed: true, isCivilServant: true)

                #expect((0...1_000_000).contains(risk.probability))
                #expect(risk.expectedLoss(of: 99_999_999_999_99) <= 99_999_999_999_99)
            }
        }
    }

    @Test(
        arguments: [
            (24_99, 100_00, 4_998), (1, 3, 6_667), (0, 1, 0), (5, 0, nil), (nil, 1, nil), (1, nil, nil),
            (99_999_999_999_99, 1, 199_999_999_999_980_000), (25_000_000, 100_000_000, 5_000),
            (24_999_999, 100_000_000, 4_999), (25_000_001, 100_000_000, 5_001),
            (.max, 2, .max), (.max / 20_000, 1, .max / 20_000 * 20_000), (.max / 20_000 + 1, 1, .max),
        ] as [(Int64?, Int64?, Int64?)])
    func `a share between two basis points has a number between theirs, and one of nothing is missing`(
        balance: Int64?, original: Int64?, share: Int64?
    ) {
        var row = AccountRow(cut: LocalDate(daysSince1970: 19_782))
        row[.balance] = balance
        row[.originalAmount] = original

        #expect(row[.balanceShare] == share)
    }

    @Test func `a score is read from the row at the day of its cut`() throws {
        var row = AccountRow(cut: try #require(LocalDate(text: "2024-02-29")))
        #expect(row[.defaultProbability] == nil)
        row[.daysLate] = 0
        row[.maxArrears4M] = 0
        row[.paid4M] = 10_000
        row[.affiliatedEmployer] = 1
        row[.openedOn] = LocalDate(text: "2019-02-20").map { Int64($0.daysSince1970) }
        row[.balance] = 1_000_000_00

        // 13.1393 %, in millionths.
        #expect(row[.defaultProbability] == 131_393)
        #expect(row[.expectedLoss] == 42_045_76)
        row[.expectedLoss] = 7
        #expect(row[.expectedLoss] == 42_045_76)
    }

    @Test func `derived fields are the last ones and name stored inputs`() {
        #expect(AccountField.stored.map(\.rawValue) == Array(0..<AccountField.stored.count))
        for field in AccountField.allCases {
            #expect(field.inputs.allSatisfy { !$0.isDerived })
            #expect(field.isDerived || field.inputs == [field])
        }
    }

    @Test func `a condition can ask for a relief, and a name changes nothing`() {
        let row = AccountRow.with(.arrears, 5)
        let asked = Condition.all([.offered(3), .named("late", .range(.arrears, atLeast: .value(5), atMost: nil))])
        let bound = asked.bound(to: row.cut)

        #expect(bound.holds(for: row, offers: 0b1000))
        #expect(!bound.holds(for: row, offers: 0b0111))
        #expect(!bound.holds(for: row))
        #expect(asked.fields == [.arrears])
    }
}
