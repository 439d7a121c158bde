// SPDX-License-Identifier: Apache-2.0

/// What matters to a cadence about where a debtor lives.
package struct ContactPlace: Equatable, Sendable {
    /// No visits are made there (GEO-02), so that none is advised or missed.
    package let isVisitBanned: Bool
    /// There is a conciliation centre (CAD-16).
    package let hasCentre: Bool
    /// Since when the address is another one than before; `nil`: it did not change.
    package let addressSince: LocalDate?

    package init(isVisitBanned: Bool = false, hasCentre: Bool = false, addressSince: LocalDate? = nil) {
        self.isVisitBanned = isVisitBanned
        self.hasCentre = hasCentre
        self.addressSince = addressSince
    }
}

/// What was done about one leased account so far, as the follower of outcomes has added it up: enough to judge the next contact and to
/// advise on the next step. Knows no table.
package struct ContactHistory: Equatable, Sendable {
    /// The local day of the first call.
    package var firstCallOn: LocalDate?
    package var calls: Int
    /// The debtor was reached, or a third party.
    package var reachedDebtor: Bool
    package var reachedOthers: Bool
    /// Reported as unlocatable, and reached by nobody since.
    package var unlocatableOn: LocalDate?
    /// The first letter or e-mail, and the first letter, which is certified mail.
    package var letterOn: LocalDate?
    package var certifiedOn: LocalDate?
    /// The latest visit, and the latest location visit.
    package var visitedOn: LocalDate?
    package var searchedOn: LocalDate?

    package init(
        firstCallOn: LocalDate? = nil, calls: Int = 0, reachedDebtor: Bool = false, reachedOthers: Bool = false,
        unlocatableOn: LocalDate? = nil, letterOn: LocalDate? = nil, certifiedOn: LocalDate? = nil,
        visitedOn: LocalDate? = nil, searchedOn: LocalDate? = nil
    ) {
        self.firstCallOn = firstCallOn
        self.calls = calls
        self.reachedDebtor = reachedDebtor
        self.reachedOthers = reachedOthers
        self.unlocatableOn = unlocatableOn
        self.letterOn = letterOn
        self.certifiedOn = certifiedOn
        self.visitedOn = visitedOn
        self.searchedOn = searchedOn
    }

    /// Adds a contact, and tells what of the cadence and of the hours it broke. What was left undone is marked on the next call that
    /// the cadence has: a letter, a visit or a search that was due on a day before it.
    ///
    /// - Source: CAD-01 … CAD-16, HRS-01, HRS-02, HRS-03, HRS-04; AMB-05, AMB-06.
    package mutating func add(
        _ channel: OutcomeChannel, _ contact: OutcomeContact, on date: LocalDate, secondOfDay second: Int,
        band: Cadence.Band, at place: ContactPlace = ContactPlace(), reading: CadenceReading = CadenceReading()
    ) -> [ContactMark] {
        var marks: [ContactMark] = []
        if channel.hasHours, isOutsideOwnHours(date, second) { marks.append(.window) }
        switch channel {
        case .phoneOut:
            marks += marksOfCall(on: date, band: band, at: place, reading)
            calls += 1
            firstCallOn = firstCallOn ?? date
        case .letter, .email:
            if isLetterEarly(on: date, band: band, reading) { marks.append(.letterEarly) }
            letterOn = letterOn ?? date
            if channel == .letter { certifiedOn = certifiedOn ?? date }
        case .visit:
            // CAD-16: in 91–120 the centre is the way, where there is one.
            if band == .to120, place.hasCentre { marks.append(.centre) }
            visitedOn = max(visitedOn ?? date, date)
        case .locationVisit: searchedOn = max(searchedOn ?? date, date)
        case .phoneIn, .sms, .mediationInvitation, .mediationSession: break
        }
        switch contact {
        case .direct:
            reachedDebtor = true
            unlocatableOn = nil
        case .thirdParty:
            reachedOthers = true
            unlocatableOn = nil
        case .unlocatable: unlocatableOn = date
        case .nobody: break
        }
        return marks
    }

    /// The next step: what, and the first day for it, which may have passed; `nil` after the last one.
    ///
    /// Of several steps the one that is due first; on one day the letter before the visit before the search before the call. What falls on a
    /// day that has no hours for this debtor moves to the next one that has.
    /// - Parameter today: the first day on which a call can be made.
    /// - Source: CAD-01 … CAD-16, HRS-01, HRS-03, HRS-04.
    package func next(
        band: Cadence.Band, at place: ContactPlace = ContactPlace(), today: LocalDate,
        reading: CadenceReading = CadenceReading()
    ) -> (what: String, day: LocalDate)? {
        if let unlocatableOn { return ("crossing+return", unlocatableOn) }
        guard let first = firstCallOn else { return ("call", today) }
        var steps: [(what: String, day: LocalDate)] = []
        if isCertifiedMailMissing(band) { steps.append(("letter", first)) }
        if let due = visitDueOn(band, place) { steps.append(("visit", openDay(from: due, by: .visit))) }
        if let due = searchDueOn(band, place) {
            steps.append(("location-visit", openDay(from: due, by: .locationVisit)))
        }
        let cadence = Cadence.steps(band, reachesOthers: reachesOthersOnly, reading)
        if calls < cadence.count {
            let due = first.advanced(byDays: cadence[calls].day)
            steps.append((cadence[calls].hasLetter ? "call+letter" : "call", openDay(from: due, by: .phoneOut)))
        }
        // The first of equals stays.
        return steps.dropFirst().reduce(steps.first) { best, step in
            best.map { step.day < $0.day ? step : $0 }
        }
    }

    /// The first day from `day` on that has hours for this debtor: weekends and holidays are for whom nobody was reached of (HRS-03), and
    /// Sundays and holidays for visits alone (HRS-04).
    private func openDay(from day: LocalDate, by channel: OutcomeChannel) -> LocalDate {
        var day = day
        // No rule closes more than some days in a row: a weekend and a holiday or two.
        for _ in 0..<14 {
            let isRest = day.weekday == 7 || MexicanHoliday.contains(day)
            let isOpen = isUnreached ? channel.isVisit || !isRest : day.weekday < 6 && !isRest
            if isOpen { break }
            day = day.advanced(byDays: 1)
        }
        return day
    }

    private var reachesOthersOnly: Bool { reachedOthers && !reachedDebtor }
    private var isUnreached: Bool { !reachedDebtor && !reachedOthers }

    private func marksOfCall(
        on date: LocalDate, band: Cadence.Band, at place: ContactPlace, _ reading: CadenceReading
    ) -> [ContactMark] {
        let steps = Cadence.steps(band, reachesOthers: reachesOthersOnly, reading)
        var marks: [ContactMark] = []
        if calls >= Cadence.callMax(band, reachesOthers: reachesOthersOnly, reading) {
            marks.append(.callCap)
        } else if let first = firstCallOn, calls < steps.count, first.days(to: date) < steps[calls].day {
            return [.callEarly]
        }
        guard let first = firstCallOn else { return marks }
        if isCertifiedMailMissing(band), date > first { marks.append(.letterMissing) }
        if let due = visitDueOn(band, place), date > due { marks.append(.visitMissing) }
        if let due = searchDueOn(band, place), date > due { marks.append(.searchMissing) }
        return marks
    }

    /// A letter that no step so far has: under 31 days only after two weeks that brought nobody to the phone (CAD-10), to 60 days only
    /// while nobody was reached (CAD-11). Later bands have letters in any case.
    private func isLetterEarly(on date: LocalDate, band: Cadence.Band, _ reading: CadenceReading) -> Bool {
        let steps = Cadence.steps(band, reachesOthers: reachesOthersOnly, reading)
        guard !steps.prefix(max(1, calls)).contains(where: \.hasLetter) else { return false }
        switch band {
        case .to30: return !isUnreached || firstCallOn.map { $0.days(to: date) < 14 } ?? true
        case .to60: return !isUnreached
        case .to90, .to120, .over120: return false
        }
    }

    /// - Source: CAD-12, CAD-13.
    private func isCertifiedMailMissing(_ band: Cadence.Band) -> Bool {
        band.hasCertifiedMail && calls > 0 && certifiedOn == nil
    }

    /// From when on a visit is due; `nil`: none is, or it was made.
    ///
    /// - Source: CAD-09 and CAD-14, where calls and letters reached nobody; CAD-15, in any case, but for CAD-16.
    private func visitDueOn(_ band: Cadence.Band, _ place: ContactPlace) -> LocalDate? {
        guard !place.isVisitBanned, visitedOn == nil, let first = firstCallOn else { return nil }
        if band.hasVisits { return place.hasCentre ? nil : first }
        guard isUnreached, searchedOn == nil, let letterOn else { return nil }
        return max(first, letterOn.advanced(byDays: Cadence.letterDays))
    }

    /// From when on a location visit is due; `nil`: none is, or it was made.
    private func searchDueOn(_ band: Cadence.Band, _ place: ContactPlace) -> LocalDate? {
        guard band.hasSearches, !place.isVisitBanned, let since = place.addressSince else { return nil }
        if let searchedOn, searchedOn >= since { return nil }
        return since
    }

    /// Early, late and weekend hours are for debtors whom nobody has reached (HRS-02, HRS-03, HRS-04).
    private func isOutsideOwnHours(_ date: LocalDate, _ second: Int) -> Bool {
        guard !isUnreached else { return false }
        if date.weekday >= 6 || MexicanHoliday.contains(date) { return true }
        return !(8 * 3_600..<18 * 3_600).contains(second)
    }
}
