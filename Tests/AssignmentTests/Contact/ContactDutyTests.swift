// SPDX-License-Identifier: Apache-2.0

import Assignment
import Testing

/// Letters, visits and searches that the cadence of `fna` asks for besides calls.
struct ContactDutyTests {
    private static let start = LocalDate(daysSince1970: 19_786)  // 2024-03-04, a Monday

    private func day(_ number: Int) -> LocalDate { Self.start.advanced(byDays: number) }

    private func add(
        _ history: inout ContactHistory, _ channel: OutcomeChannel, _ contact: OutcomeContact = .nobody, on number: Int,
        _ band: Cadence.Band, _ place: ContactPlace = ContactPlace()
    ) -> [ContactMark] {
        history.add(channel, contact, on: day(number), secondOfDay: 12 * 3_600, band: band, at: place)
    }

    private func next(
        _ history: ContactHistory, _ band: Cadence.Band, _ place: ContactPlace = ContactPlace()
    ) -> String? {
        history.next(band: band, at: place, today: day(0)).map { "\($0.what)/\(Self.start.days(to: $0.day))" }
    }

    /// One call on day 0, and as many days later the next one.
    private func marks(
        secondCall number: Int, _ band: Cadence.Band, _ place: ContactPlace = ContactPlace(),
        after contacts: [(OutcomeChannel, OutcomeContact, Int)] = []
    ) -> [ContactMark] {
        var history = ContactHistory()
        _ = add(&history, .phoneOut, on: 0, band, place)
        for (channel, contact, day) in contacts { _ = add(&history, channel, contact, on: day, band, place) }
        return add(&history, .phoneOut, on: number, band, place)
    }

    /// The cells of the first band have one call, those over 120 days three (AMB-05); the third step of 31–60 is fifteen days behind the
    /// second, not behind the first (AMB-06).
    @Test(
        arguments: [
            (.to30, false, [0, 8, 15]), (.to30, true, [0, 5, 15]), (.to60, false, [0, 5, 20]),
            (.to60, true, [0, 5, 20]),
            (.to90, false, [0, 8, 15]), (.to120, false, [0, 10, 15]), (.over120, false, [0, 8]),
            (.over120, true, [0, 8]),
        ] as [(Cadence.Band, Bool, [Int])])
    func `calls come on the days of the text, and as many as it has`(
        band: Cadence.Band, reachesOthers: Bool, days: [Int]
    ) {
        #expect(Cadence.steps(band, reachesOthers: reachesOthers).map(\.day) == days)
    }

    /// Fifteen days from the first step, and whatever other bands have.
    @Test(arguments: Cadence.Band.allCases, [false, true])
    func `the third step of 31–60 may be read from the first (AMB-06)`(band: Cadence.Band, reachesOthers: Bool) {
        let text = Cadence.steps(band, reachesOthers: reachesOthers)
        let read = Cadence.steps(band, reachesOthers: reachesOthers, CadenceReading([.thirdFromFirst]))

        #expect(read.map(\.hasLetter) == text.map(\.hasLetter))
        #expect(read.map(\.day) == (band == .to60 ? [0, 5, 15] : text.map(\.day)))
    }

    /// To 30 days the text has three calls and the cell one; over 120 the text two and the cell three, which no day is given for.
    @Test(
        arguments: [
            (.to30, [], [8, 15], [[], []]), (.to30, [.callsOfCell], [8, 15], [[.callCap], [.callCap]]),
            (.over120, [], [8, 9], [[], [.callCap]]), (.over120, [.callsOfCell], [8, 9, 9], [[], [], [.callCap]]),
            (.over120, [.callsOfCell], [7], [[.callEarly]]),
            (.to60, [.callsOfCell], [5, 20, 21], [[], [], [.callCap]]),
            (.to60, [.callsOfCell, .thirdFromFirst], [5, 15], [[], []]), (.to60, [], [5, 15], [[], [.callEarly]]),
        ] as [(Cadence.Band, Set<CadenceReading.Word>, [Int], [[ContactMark]])])
    func `as many calls as the cell has are a reading of their own (AMB-05)`(
        band: Cadence.Band, words: Set<CadenceReading.Word>, days: [Int], expected: [[ContactMark]]
    ) {
        let reading = CadenceReading(words)
        var history = ContactHistory()
        func call(on number: Int) -> [ContactMark] {
            history.add(
                .phoneOut, .nobody, on: day(number), secondOfDay: 12 * 3_600, band: band, at: ContactPlace(),
                reading: reading)
        }
        _ = call(on: 0)
        // Certified mail is a duty of its own.
        _ = history.add(.letter, .nobody, on: day(0), secondOfDay: 12 * 3_600, band: band, reading: reading)
        _ = history.add(.visit, .nobody, on: day(5), secondOfDay: 12 * 3_600, band: band, reading: reading)

        #expect(days.map(call) == expected)
    }

    @Test func `what a cell has beyond the text is advised on no day, and what it lacks is not advised (AMB-05)`() {
        let cell = CadenceReading([.callsOfCell])
        func next(_ history: ContactHistory, _ band: Cadence.Band, _ reading: CadenceReading) -> String? {
            history.next(band: band, today: day(0), reading: reading).map {
                "\($0.what)/\(Self.start.days(to: $0.day))"
            }
        }
        var once = ContactHistory()
        _ = add(&once, .phoneOut, .direct, on: 0, .to30)
        #expect(next(once, .to30, CadenceReading()) == "call+letter/8")
        #expect(next(once, .to30, cell) == nil)
        var twice = ContactHistory(certifiedOn: day(0))
        for number in [0, 8] { _ = add(&twice, .phoneOut, .direct, on: number, .over120) }
        #expect(next(twice, .over120, CadenceReading()) == nil && next(twice, .over120, cell) == nil)
    }

    @Test func `readings are words among the packs, and no packs`() {
        let rules = ContactRules(names: ["fna", "fna-third-from-first", "fna-calls-of-cell", "other"])
        #expect(rules.reading == CadenceReading([.thirdFromFirst, .callsOfCell]))
        // Beside another pack the hours are others; a reading is none.
        #expect(rules.packs == [.fna] && rules.windowText == "06:30-20:00")
        #expect(ContactRules(names: ["fna"]).reading == CadenceReading())
    }

    /// The second call of the band is due five days after the first, the third twenty: a Friday, a Saturday, a Sunday, and the holiday of
    /// 18 March.
    @Test(
        arguments: [
            (4, 9, .nobody, "call+letter/9"), (-1, 4, .direct, "call+letter/4"), (0, 5, .nobody, "call+letter/5"),
            (0, 5, .direct, "call+letter/7"), (0, 5, .thirdParty, "call+letter/7"), (1, 6, .nobody, "call+letter/7"),
            (1, 6, .direct, "call+letter/7"), (9, 14, .nobody, "call+letter/15"), (9, 14, .direct, "call+letter/15"),
        ] as [(Int, Int, OutcomeContact, String)])
    func `the next call is on a day that has hours for the debtor (HRS-03, HRS-04)`(
        first: Int, due: Int, contact: OutcomeContact, expected: String
    ) {
        var history = ContactHistory()
        _ = add(&history, .phoneOut, contact, on: first, .to60)

        #expect(first + Cadence.steps(.to60, reachesOthers: false)[1].day == due)
        #expect(next(history, .to60) == expected)
        let day = Int(expected.split(separator: "/")[1]) ?? 0
        #expect(add(&history, .phoneOut, on: day, .to60) == [], "what is advised breaks nothing")
    }

    /// Whom nobody was reached of is visited on a Sunday, too.
    @Test(arguments: [(OutcomeContact.nobody, "visit/6"), (.direct, "visit/7")])
    func `a visit waits for a working day once somebody was reached (HRS-01, HRS-04)`(
        contact: OutcomeContact, expected: String
    ) {
        var history = ContactHistory()
        _ = add(&history, .phoneOut, contact, on: 6, .to120)

        #expect(next(history, .to120) == expected)
    }

    @Test(arguments: Cadence.Band.allCases)
    func `who is unlocatable is crossed with other data and given back, until somebody is reached (CAD-09)`(
        band: Cadence.Band
    ) {
        var history = ContactHistory()
        _ = add(&history, .visit, .unlocatable, on: 3, band)
        #expect(next(history, band) == "crossing+return/3")

        _ = add(&history, .phoneIn, .thirdParty, on: 4, band)
        #expect(next(history, band)?.hasPrefix("crossing") == false)
    }

    /// The letter of day 0 has failed on day 5; the next call of the band is later than that.
    @Test(arguments: [(Cadence.Band.to30, 8), (.to60, 7), (.to90, 8), (.over120, 8)])
    func `a visit is due once calls and a letter have failed (CAD-09, CAD-14)`(band: Cadence.Band, second: Int) {
        var history = ContactHistory()
        _ = add(&history, .phoneOut, on: 0, band)
        #expect(next(history, band)?.hasPrefix("visit") == false)
        _ = add(&history, .letter, on: 0, band)
        #expect(next(history, band) == "visit/5")

        #expect(marks(secondCall: second, band, after: [(.letter, .nobody, 0)]) == [.visitMissing])
        #expect(marks(secondCall: second, band, after: [(.letter, .nobody, 0), (.visit, .nobody, 5)]) == [])
        #expect(marks(secondCall: second, band, after: [(.letter, .nobody, 0), (.locationVisit, .nobody, 5)]) == [])
        #expect(marks(secondCall: second, band, after: [(.letter, .thirdParty, 0)]) == [])
        #expect(
            marks(secondCall: second, band, ContactPlace(isVisitBanned: true), after: [(.letter, .nobody, 0)]) == [])
    }

    @Test(arguments: [(2, [.visitMissing]), (3, []), (4, [])] as [(Int, [ContactMark])])
    func `a letter leaves five days, and the visit is missed only after them (CAD-05, CAD-14)`(
        letter: Int, marks expected: [ContactMark]
    ) {
        #expect(marks(secondCall: 8, .to90, after: [(.letter, .nobody, letter)]) == expected)
    }

    @Test(
        arguments: [(.nobody, []), (.thirdParty, [.letterEarly]), (.direct, [.letterEarly])]
            as [(OutcomeContact, [ContactMark])])
    func `to sixty days a letter before its step is for whom no call reached (CAD-11)`(
        contact: OutcomeContact, expected: [ContactMark]
    ) {
        for channel in [OutcomeChannel.letter, .email] {
            var history = ContactHistory()
            _ = add(&history, .phoneOut, contact, on: 0, .to60)
            #expect(add(&history, channel, on: 4, .to60) == expected)
            // The second step has a letter, whoever was reached.
            _ = add(&history, .phoneOut, contact, on: 5, .to60)
            #expect(add(&history, channel, on: 5, .to60) == [])
        }
    }

    @Test(arguments: Cadence.Band.allCases)
    func `certified mail goes out in any case to ninety days and over 120 (CAD-12, CAD-13)`(band: Cadence.Band) {
        let isAsked = band == .to90 || band == .over120
        func misses(_ contacts: [(OutcomeChannel, OutcomeContact, Int)]) -> Bool {
            marks(secondCall: 10, band, after: contacts).contains(.letterMissing)
        }
        #expect(misses([]) == isAsked)
        #expect(misses([(.phoneIn, .direct, 1)]) == isAsked)
        // E-mail is no certified mail.
        #expect(misses([(.email, .nobody, 0)]) == isAsked)
        #expect(!misses([(.letter, .nobody, 9)]))

        var history = ContactHistory()
        _ = add(&history, .phoneOut, .direct, on: 0, band)
        #expect((next(history, band) == "letter/0") == isAsked)
        _ = add(&history, .letter, on: 0, band)
        #expect(next(history, band) != "letter/0")
    }

    @Test func `from day ninety a visit is a duty, whoever was reached (CAD-15)`() {
        var history = ContactHistory()
        _ = add(&history, .phoneOut, .direct, on: 0, .to120)
        #expect(next(history, .to120) == "visit/0")

        // The call of day 9 is early and is marked as that; on day 10 the visit is missing.
        #expect(marks(secondCall: 9, .to120) == [.callEarly])
        #expect(marks(secondCall: 10, .to120) == [.visitMissing])
        #expect(marks(secondCall: 10, .to120, after: [(.visit, .nobody, 10)]) == [])
        // A search is no collection visit.
        #expect(marks(secondCall: 10, .to120, after: [(.locationVisit, .nobody, 10)]) == [.visitMissing])
        #expect(marks(secondCall: 10, .to120, ContactPlace(isVisitBanned: true)) == [])
    }

    @Test(arguments: Cadence.Band.allCases)
    func `a new address is searched from 61 to 120 days (CAD-14, CAD-15)`(band: Cadence.Band) {
        let isAsked = band == .to90 || band == .to120
        func misses(_ search: Int?, since: Int) -> Bool {
            marks(
                secondCall: 10, band, ContactPlace(addressSince: day(since)),
                after: search.map { [(.locationVisit, .nobody, $0)] } ?? []
            ).contains(.searchMissing)
        }
        #expect(misses(nil, since: 9) == isAsked)
        // On the day of the call the address is too new to be missed.
        #expect(!misses(nil, since: 10))
        #expect(misses(4, since: 5) == isAsked)
        #expect(!misses(5, since: 5))

        var history = ContactHistory()
        _ = add(&history, .phoneOut, .direct, on: 0, band)
        _ = add(&history, .letter, on: 0, band)
        _ = add(&history, .visit, on: 0, band)
        #expect((next(history, band, ContactPlace(addressSince: day(1))) == "location-visit/1") == isAsked)
        #expect(next(history, band, ContactPlace(isVisitBanned: true, addressSince: day(1)))?.hasPrefix("call") == true)
    }

    @Test(arguments: Cadence.Band.allCases)
    func `where a conciliation centre is, it sees debtors of 91 to 120 days (CAD-16)`(band: Cadence.Band) {
        let place = ContactPlace(hasCentre: true)
        var history = ContactHistory()
        _ = add(&history, .phoneOut, .direct, on: 0, band, place)
        #expect(next(history, band, place)?.hasPrefix("visit") == false)
        #expect(add(&history, .visit, on: 1, band, place) == (band == .to120 ? [.centre] : []))
        #expect(add(&history, .locationVisit, on: 1, band, place) == [])
        #expect(!marks(secondCall: 10, band, place).contains(.visitMissing))
        var elsewhere = ContactHistory()
        #expect(add(&elsewhere, .visit, on: 1, band) == [])
    }
}
