// SPDX-License-Identifier: Apache-2.0

import Assignment
import Testing

/// A centavo for each month, in the month's own feed.
private func inTime(_ paid: some Sequence<Period>, byEmployer: Set<Period> = []) -> [AgreementCourse.Money] {
    paid.map { AgreementCourse.Money(month: $0, feed: $0, amount: 1, byEmployer: byEmployer.contains($0) ? 1 : 0) }
}

/// SOL-14, IND-13: second and third payment, cure and maintenance of an agreement signed in July.
struct AgreementCourseTests {
    private let july = Period(year: 2024, month: 7) ?? Period(monthsSinceYear0: 0)

    /// - Parameters:
    ///   - paid: months behind July, 0 to 5.
    ///   - through: the last one that is known; -1: July itself is not over.
    private func course(_ paid: [Int], through: Int) -> AgreementCourse {
        AgreementCourse(
            signedIn: july, money: inTime(paid.map { july.advanced(byMonths: $0) }),
            through: july.advanced(byMonths: through))
    }

    @Test(
        arguments: [
            ([], -1, .signed), ([0], -1, .signed), ([0], 0, .inCure), ([0, 1], 1, .inCure), ([0, 1, 2], 2, .cured),
            ([0, 1, 2, 3, 4], 4, .cured), ([0, 1, 2, 3, 4, 5], 5, .maintained), ([0, 1, 2, 3, 4, 5], 9, .maintained),
            ([], 1, .broken), ([0], 1, .broken), ([1, 2], 2, .broken), ([0, 1, 2], 3, .broken),
            ([0, 1, 2, 4, 5], 5, .broken),
            // July and September begin a bimester: in them a miss is open.
            ([], 0, .signed), ([0, 1], 2, .inCure), ([0, 1], 3, .broken), ([0, 1, 2, 3], 4, .cured),
        ] as [([Int], Int, AgreementCourse.State)])
    func `a month without a payment breaks it, three make the cure, six the maintenance`(
        paid: [Int], through: Int, state: AgreementCourse.State
    ) {
        #expect(course(paid, through: through).state == state)
    }

    @Test func `what cannot be known yet is neither yes nor no`() {
        let running = course([0, 1], through: 1)
        #expect(running.hasSecondPayment == true)
        #expect(running.hasThirdPayment == nil && running.isCured == nil && running.isMaintained == nil)

        let lapsed = course([0, 1, 2], through: 3)
        #expect(lapsed.isCured == true && lapsed.isMaintained == false)

        let broken = course([0], through: 1)
        #expect(broken.hasSecondPayment == false && broken.hasThirdPayment == false && broken.isMaintained == false)
    }

    /// At a close of December: second payment of cohorts until November, third and cure until October, maintenance until July.
    @Test(arguments: [(11, 1), (10, 2), (7, 5)])
    func `the cohorts are the published ones`(month: Int, behind: Int) throws {
        let signed = try #require(Period(year: 2023, month: month))
        let december = try #require(Period(year: 2023, month: 12))
        func known(_ signed: Period) -> [Bool] {
            let course = AgreementCourse(
                signedIn: signed, money: inTime((0...5).map { signed.advanced(byMonths: $0) }), through: december)
            return [course.hasSecondPayment, course.hasThirdPayment, course.isMaintained].map { $0 != nil }
        }
        let index = [1: 0, 2: 1, 5: 2][behind] ?? 0

        #expect(known(signed)[index])
        #expect(!known(signed.advanced(byMonths: 1))[index])
    }

    /// The calendar pairs July with August, and September with October.
    @Test(
        arguments: [
            (7, [0, 2], .calendar, true), (7, [1, 2], .calendar, true), (7, [0, 1], .calendar, false),
            (7, [0, 2], .signature, true), (8, [0, 1], .calendar, true), (8, [0, 1], .signature, false),
            (8, [0, 2], .calendar, true), (8, [0, 2], .signature, true), (8, [1, 2], .calendar, false),
            (8, [1, 2], .signature, true), (8, [0], .calendar, false),
            // An employer that paid in July pays again in September: August is paid, though nobody had signed yet.
            (8, [-1, 1], .calendar, true), (8, [-1, 1], .signature, false),
        ] as [(Int, [Int], AgreementCourse.Bimester, Bool)])
    func `an employer's payment is of both months of its bimester (AMB-22)`(
        month: Int, paid: [Int], bimester: AgreementCourse.Bimester, isCured: Bool
    ) throws {
        let signed = try #require(Period(year: 2024, month: month))
        let months = Set(paid.map { signed.advanced(byMonths: $0) })
        func course(_ paidByEmployer: Set<Period>) -> AgreementCourse {
            AgreementCourse(
                signedIn: signed, money: inTime(months, byEmployer: paidByEmployer), bimester: bimester,
                through: signed.advanced(byMonths: 3))
        }

        #expect(course(months).isCured == isCured)
        // What the debtor pays is of its own month alone.
        #expect(course([]).isCured == false)
    }

    /// Of five months, the one before the signature first: in each nobody pays, the debtor or the employer, in all ways there are.
    @Test(arguments: AgreementCourse.Bimester.allCases, [7, 8])
    func `what is known at one close is so at every later one, whoever pays (IND-13)`(
        bimester: AgreementCourse.Bimester, month: Int
    ) throws {
        let signed = try #require(Period(year: 2024, month: month))
        var known = 0
        var changed: [String] = []
        for way in 0..<243 {
            let payers = [1, 3, 9, 27, 81].enumerated().map { place, power in
                (month: signed.advanced(byMonths: place - 1), payer: way / power % 3)
            }
            var former: [Bool?] = [nil, nil, nil, nil]
            for last in -1...5 {
                let through = signed.advanced(byMonths: last)
                let paid = payers.filter { $0.payer > 0 && $0.month <= through }
                let course = AgreementCourse(
                    signedIn: signed,
                    money: inTime(paid.map(\.month), byEmployer: Set(paid.filter { $0.payer == 2 }.map(\.month))),
                    bimester: bimester, through: through)
                let answers = [course.hasSecondPayment, course.hasThirdPayment, course.isCured, course.isMaintained]
                known += former.count { $0 != nil }
                if zip(former, answers).contains(where: { $0 != nil && $0 != $1 }) {
                    changed.append("\(way) through \(through)")
                }
                former = answers
            }
        }

        #expect(changed.isEmpty)
        #expect(known > 1_000)
    }

    /// Signed in July, paid in July, August and September; each in the feed so many months behind its own.
    @Test(
        arguments: [
            // July's bimester is over with August's feed, September's with that of October.
            ([0, 0, 0], true), ([1, 0, 1], true), ([2, 0, 0], false), ([0, 1, 0], false), ([0, 0, 2], false),
        ] as [([Int], Bool)])
    func `a payment that comes in a later feed than that of its bimester's end mends nothing (IND-13)`(
        late: [Int], isCured: Bool
    ) {
        let money = late.enumerated().map { place, months in
            let month = july.advanced(byMonths: place)
            return AgreementCourse.Money(
                month: month, feed: month.advanced(byMonths: months), amount: 1, byEmployer: 0)
        }
        for months in [3, 4, 9] {
            let course = AgreementCourse(signedIn: july, money: money, through: july.advanced(byMonths: months))
            #expect(course.isCured == isCured)
            #expect(course.paidMonths.count == (isCured ? 3 : 2))
        }
    }

    /// Of five months, the one before the signature first: each is paid in a feed up to two months behind its own, in all ways there
    /// are.
    @Test(arguments: AgreementCourse.Bimester.allCases, [0, 1] as [Int64])
    func `what is known at one close is so at every later one, whatever comes late (IND-13)`(
        bimester: AgreementCourse.Bimester, byEmployer: Int64
    ) {
        var known = 0
        var changed: [String] = []
        for way in 0..<243 {
            let money = [1, 3, 9, 27, 81].enumerated().map { place, power in
                let month = july.advanced(byMonths: place - 1)
                return AgreementCourse.Money(
                    month: month, feed: month.advanced(byMonths: way / power % 3), amount: 1, byEmployer: byEmployer)
            }
            var former: [Bool?] = [nil, nil, nil, nil]
            for last in -1...8 {
                let course = AgreementCourse(
                    signedIn: july, money: money, bimester: bimester, through: july.advanced(byMonths: last))
                let answers = [course.hasSecondPayment, course.hasThirdPayment, course.isCured, course.isMaintained]
                known += former.count { $0 != nil }
                if zip(former, answers).contains(where: { $0 != nil && $0 != $1 }) { changed.append("\(way) \(last)") }
                former = answers
            }
        }

        #expect(changed.isEmpty)
        #expect(known > 2_000)
    }

    @Test func `what is taken back breaks, and paid anew in the same feed it holds (IND-13)`() {
        func course(_ later: [(feed: Int, amount: Int64)], through: Int) -> AgreementCourse {
            let anew = later.map {
                AgreementCourse.Money(
                    month: july, feed: july.advanced(byMonths: $0.feed), amount: $0.amount, byEmployer: 0)
            }
            return AgreementCourse(
                signedIn: july, money: inTime((0...5).map { july.advanced(byMonths: $0) }) + anew,
                through: july.advanced(byMonths: through))
        }

        #expect(course([], through: 5).state == .maintained)
        #expect(course([(4, 0)], through: 5).state == .maintained)
        #expect(course([(4, -1)], through: 3).isCured == true)
        #expect(course([(4, -1)], through: 4).isCured == false)
        // What a close in between showed stays.
        #expect(course([(4, -1), (5, 1)], through: 5).isCured == false)
    }

    @Test func `the payments of a cure are a setting`() {
        let course = AgreementCourse(signedIn: july, money: inTime([july]), through: july, curePayments: 1)

        #expect(course.isCured == true && course.state == .cured)
    }

    @Test(
        arguments: [
            ("100", "100", "2024-03-10", .kept), ("100", "99.99", "2024-03-12", .pending),
            ("100", "99.99", "2024-03-13", .broken), ("100", "0", "2024-03-09", .pending),
            (nil, "0.01", "2024-03-20", .kept),
            (nil, "0", "2024-03-20", .broken), ("100", "-5", "2024-03-20", .broken),
            ("100", "250", "2024-03-01", .kept),
        ] as [(String?, String, String, PromiseVerdict)])
    func `a promise is kept by its amount until its day and grace`(
        amount: String?, paid: String, today: String, verdict: PromiseVerdict
    ) throws {
        let day = try #require(LocalDate(text: "2024-03-10"))

        #expect(
            PromiseVerdict(
                amount: amount.flatMap { Cents(pesos: $0) }, by: day, graceDays: 2,
                paid: try #require(Cents(pesos: paid)),
                today: try #require(LocalDate(text: today))) == verdict)
    }
}
