// SPDX-License-Identifier: Apache-2.0

import Assignment
import Testing

/// When a debtor may be contacted, by rule pack.
struct ContactRuleTests {
    @Test(arguments: [
        ("2024-01-01", true), ("2024-02-05", true), ("2024-02-12", false), ("2024-03-18", true), ("2024-03-21", false),
        ("2024-05-01", true), ("2024-09-16", true), ("2024-10-01", true), ("2025-10-01", false), ("2030-10-01", true),
        ("2018-12-01", true), ("2024-12-01", false), ("2024-11-18", true), ("2024-11-20", false), ("2024-12-25", true),
        ("2026-02-02", true), ("2026-03-16", true), ("2026-11-16", true), ("2024-12-12", false),
    ])
    func `Mexico's federal holidays follow from the law, in any year`(day: String, isHoliday: Bool) throws {
        #expect(MexicanHoliday.contains(try #require(LocalDate(text: day))) == isHoliday)
    }

    /// A Monday, a Saturday, a Sunday and a holiday that is a Monday, by the clocks of Mexico City, six hours behind UTC.
    @Test(arguments: [
        ("2024-03-04T12:29:59Z", false), ("2024-03-04T12:30:00Z", true), ("2024-03-05T01:59:59Z", true),
        ("2024-03-05T02:00:00Z", false), ("2024-03-09T12:59:59Z", false), ("2024-03-09T13:00:00Z", true),
        ("2024-03-09T23:59:59Z", true), ("2024-03-10T00:00:00Z", false), ("2024-03-10T15:00:00Z", false),
        ("2024-03-18T15:00:00Z", false),
    ])
    func `fna has hours of its own by the day, and no calls on Sundays and holidays`(
        instant: String, isAllowed: Bool
    ) throws {
        let rules = ContactRules(packs: [.fna])
        let marks = rules.marks(
            .phoneOut, at: try #require(Timestamp(text: instant)), in: .mexicoCity, isVisitBanned: false)

        #expect(marks == (isAllowed ? [] : [.window]))
    }

    /// The contract's pack and the policy's can differ: a Monday from seven, where `fna` alone begins at half past six, until eight at
    /// night, where the other one goes on to ten; and the Saturday and the Sunday of `fna`.
    @Test(
        arguments: [
            ("2024-03-04T12:59:59Z", false), ("2024-03-04T13:00:00Z", true), ("2024-03-05T01:59:59Z", true),
            ("2024-03-05T02:00:00Z", false), ("2024-03-09T12:59:59Z", false), ("2024-03-09T13:00:00Z", true),
            ("2024-03-10T15:00:00Z", false),
        ], [RulePack.infonavit2023, .fonacot])
    func `where two packs have hours both are kept`(hour: (instant: String, isAllowed: Bool), other: RulePack) throws {
        let rules = ContactRules(packs: [.fna, other])
        let marks = rules.marks(
            .phoneOut, at: try #require(Timestamp(text: hour.instant)), in: .mexicoCity, isVisitBanned: false)

        #expect(marks == (hour.isAllowed ? [] : [.window]))
        #expect(rules.windowText == "07:00-20:00")
        #expect(ContactRules(packs: [.fna]).windowText == "06:30-20:00")
        #expect(ContactRules(packs: [other]).windowText == "07:00-22:00")
    }

    @Test(arguments: [
        ("2024-03-10T12:59:59Z", false), ("2024-03-10T13:00:00Z", true), ("2024-03-10T17:59:59Z", true),
        ("2024-03-10T18:00:00Z", false),
    ])
    func `fna allows visits on a Sunday from seven to twelve`(instant: String, isAllowed: Bool) throws {
        let marks = ContactRules(packs: [.fna]).marks(
            .visit, at: try #require(Timestamp(text: instant)), in: .mexicoCity, isVisitBanned: false)

        #expect(marks == (isAllowed ? [] : [.window]))
    }

    @Test func `a visit where none may be made is marked, a call there is not`() throws {
        let noon = try #require(Timestamp(text: "2024-03-04T18:00:00Z"))
        let rules = ContactRules(packs: [.fna])

        #expect(rules.marks(.visit, at: noon, in: .mexicoCity, isVisitBanned: true) == [.visitBan])
        #expect(rules.marks(.phoneOut, at: noon, in: .mexicoCity, isVisitBanned: true) == [])
    }

    @Test func `who is called back or writes a letter chooses no hour`() throws {
        let night = try #require(Timestamp(text: "2024-03-04T09:00:00Z"))
        for channel in [OutcomeChannel.phoneIn, .letter, .email, .mediationSession] {
            #expect(ContactRules(packs: []).marks(channel, at: night, in: .mexicoCity, isVisitBanned: false) == [])
        }
        #expect(ContactRules(packs: []).marks(.sms, at: night, in: .mexicoCity, isVisitBanned: false) == [.window])
    }

    @Test(
        arguments: [
            ([], "2024-03-04T15:00:00Z", "2024-03-04"), ([], "2024-03-05T04:00:00Z", "2024-03-05"),
            // Saturday at six in the evening: Sunday has no calls, and the Monday is a holiday.
            ([.fna], "2024-03-17T00:00:00Z", "2024-03-19"), ([.fna], "2024-03-16T23:59:59Z", "2024-03-16"),
        ] as [(Set<RulePack>, String, String)])
    func `the next day for a call is the first one that still has hours`(
        packs: Set<RulePack>, instant: String, day: String
    ) throws {
        let next = ContactRules(packs: packs).nextDay(from: try #require(Timestamp(text: instant)), in: .mexicoCity)

        #expect(next.description == day)
    }
}

/// The steps of `fna`, and what breaks them.
struct CadenceTests {
    private static let noon = 12 * 3_600

    private func day(_ number: Int) throws -> LocalDate {
        try #require(LocalDate(text: "2024-03-04")).advanced(byDays: number)
    }

    @Test(arguments: [(7, [.callEarly]), (8, []), (9, [])] as [(Int, [ContactMark])])
    func `the second call of the first band comes on day eight (CAD-01)`(number: Int, marks: [ContactMark]) throws {
        var history = ContactHistory()
        #expect(history.add(.phoneOut, .direct, on: try day(0), secondOfDay: Self.noon, band: .to30) == [])

        #expect(history.next(band: .to30, today: try day(1))?.what == "call+letter")
        #expect(history.next(band: .to30, today: try day(1))?.day == (try day(8)))
        #expect(history.add(.phoneOut, .direct, on: try day(number), secondOfDay: Self.noon, band: .to30) == marks)
    }

    @Test func `a third party is called on day five (CAD-02)`() throws {
        var history = ContactHistory()
        _ = history.add(.phoneOut, .thirdParty, on: try day(3), secondOfDay: Self.noon, band: .to30)

        #expect(
            history.add(.phoneOut, .thirdParty, on: try day(7), secondOfDay: Self.noon, band: .to30) == [.callEarly])
        var patient = ContactHistory()
        _ = patient.add(.phoneOut, .thirdParty, on: try day(3), secondOfDay: Self.noon, band: .to30)
        #expect(patient.add(.phoneOut, .thirdParty, on: try day(8), secondOfDay: Self.noon, band: .to30) == [])
    }

    @Test(arguments: Cadence.Band.allCases)
    func `a call beyond the last step is marked, and there is no next step`(band: Cadence.Band) throws {
        var history = ContactHistory()
        let steps = Cadence.steps(band, reachesOthers: false)
        for step in steps {
            let marks = history.add(.phoneOut, .nobody, on: try day(step.day), secondOfDay: Self.noon, band: band)
            #expect(!marks.contains(.callCap) && !marks.contains(.callEarly))
        }

        // What else is due is a letter or a visit (CAD-12, CAD-13, CAD-15), never a call.
        let next = history.next(band: band, today: try day(60))?.what
        #expect(next == (band.hasCertifiedMail ? "letter" : band.hasVisits ? "visit" : nil))
        #expect(
            history.add(.phoneOut, .nobody, on: try day(60), secondOfDay: Self.noon, band: band).first == .callCap)
        #expect(steps.count == (band == .over120 ? 2 : 3))
    }

    @Test(
        arguments: [
            (8 * 3_600 - 1, [.window]), (8 * 3_600, []), (18 * 3_600 - 1, []), (18 * 3_600, [.window]),
        ] as [(Int, [ContactMark])])
    func `who has been reached is called from eight to six (HRS-01, HRS-02)`(second: Int, marks: [ContactMark]) throws {
        var history = ContactHistory(firstCallOn: try day(0), calls: 1, reachedDebtor: true)
        var unknown = ContactHistory(firstCallOn: try day(0), calls: 1)

        #expect(history.add(.phoneOut, .direct, on: try day(8), secondOfDay: second, band: .to30) == marks)
        #expect(unknown.add(.phoneOut, .direct, on: try day(8), secondOfDay: second, band: .to30) == [])
    }

    @Test(
        arguments: [(13, false, [.letterEarly]), (14, false, []), (14, true, [.letterEarly])]
            as [(Int, Bool, [ContactMark])])
    func `a letter of the first band needs two weeks without anybody on the phone (CAD-10)`(
        number: Int, isReached: Bool, marks: [ContactMark]
    ) throws {
        var history = ContactHistory(firstCallOn: try day(0), calls: 1, reachedDebtor: isReached)

        #expect(history.add(.letter, .nobody, on: try day(number), secondOfDay: Self.noon, band: .to30) == marks)
    }

    @Test(arguments: [(-1, 1), (0, 1), (1, 1), (2, 2), (4, 4), (5, 5), (40, 5)] as [(Int16, Int)])
    func `bands follow from the months in arrears`(arrears: Int16, band: Int) {
        #expect(Cadence.Band(arrears: arrears).rawValue == band)
    }
}
