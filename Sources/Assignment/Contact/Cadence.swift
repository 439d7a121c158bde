// SPDX-License-Identifier: Apache-2.0

/// One step of a cadence: so many days after the first call, a call, and with some steps a letter.
package struct CadenceStep: Equatable, Sendable {
    package let day: Int
    package let hasLetter: Bool
}

/// The steps by which `fna` has a debtor contacted, by band of days late and by whom the calls reach.
///
/// Day 0 is the first call. A third step of 31–60 comes fifteen days after the second (AMB-06).
/// - Source: CAD-01 … CAD-08.
package enum Cadence {
    /// Bands of days late as the catalogue parts them (SEG-11), from whole months in arrears.
    package enum Band: Int, Sendable, CaseIterable {
        case to30 = 1
        case to60
        case to90
        case to120
        case over120

        package init(arrears: Int16) { self = Band(rawValue: Int(arrears)) ?? (arrears < 1 ? .to30 : .over120) }
    }

    /// - Parameter reachesOthers: the calls reach a third party, not the debtor.
    package static func steps(_ band: Band, reachesOthers: Bool) -> [CadenceStep] {
        let steps: [(Int, Bool)] =
            switch (band, reachesOthers) {
            case (.to30, false): [(0, false), (8, true), (15, false)]  // CAD-01
            case (.to30, true): [(0, false), (5, false), (15, true)]  // CAD-02
            case (.to60, _): [(0, false), (5, true), (20, true)]  // CAD-03, CAD-04
            case (.to90, _): [(0, true), (8, true), (15, true)]  // CAD-05
            case (.to120, _): [(0, true), (10, true), (15, true)]  // CAD-06
            case (.over120, _): [(0, true), (8, false)]  // CAD-07, CAD-08
            }
        return steps.map { CadenceStep(day: $0.0, hasLetter: $0.1) }
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
    package var unlocatableOn: LocalDate?

    package init(
        firstCallOn: LocalDate? = nil, calls: Int = 0, reachedDebtor: Bool = false, reachedOthers: Bool = false,
        unlocatableOn: LocalDate? = nil
    ) {
        self.firstCallOn = firstCallOn
        self.calls = calls
        self.reachedDebtor = reachedDebtor
        self.reachedOthers = reachedOthers
        self.unlocatableOn = unlocatableOn
    }

    /// Adds a contact, and tells what of the cadence and of the hours it broke.
    ///
    /// - Source: CAD-01 … CAD-08, CAD-10, HRS-01, HRS-02, HRS-03, HRS-04.
    package mutating func add(
        _ channel: OutcomeChannel, _ contact: OutcomeContact, on date: LocalDate, secondOfDay second: Int,
        band: Cadence.Band
    ) -> [ContactMark] {
        var marks: [ContactMark] = []
        if channel.hasHours, isOutsideOwnHours(date, second) { marks.append(.window) }
        switch channel {
        case .phoneOut:
            let steps = Cadence.steps(band, reachesOthers: reachesOthersOnly)
            if calls >= steps.count {
                marks.append(.callCap)
            } else if let first = firstCallOn, first.days(to: date) < steps[calls].day {
                marks.append(.callEarly)
            }
            calls += 1
            firstCallOn = firstCallOn ?? date
        case .letter, .email:
            // CAD-10: only where two weeks brought nobody to the phone.
            let isTooEarly = firstCallOn.map { $0.days(to: date) < 14 } ?? true
            let steps = Cadence.steps(band, reachesOthers: reachesOthersOnly)
            let belongs = steps.prefix(max(1, calls)).contains(where: \.hasLetter)
            if band == .to30, !belongs, isTooEarly || reachedDebtor || reachedOthers { marks.append(.letterEarly) }
        case .phoneIn, .sms, .visit, .locationVisit, .mediationInvitation, .mediationSession: break
        }
        switch contact {
        case .direct: reachedDebtor = true
        case .thirdParty: reachedOthers = true
        case .unlocatable: unlocatableOn = date
        case .nobody: break
        }
        return marks
    }

    /// The next step: what, and the first day for it; `nil` after the last one.
    package func next(band: Cadence.Band) -> (what: String, day: LocalDate)? {
        guard let first = firstCallOn else { return nil }
        let steps = Cadence.steps(band, reachesOthers: reachesOthersOnly)
        guard calls < steps.count else { return nil }
        return (steps[calls].hasLetter ? "call+letter" : "call", first.advanced(byDays: steps[calls].day))
    }

    private var reachesOthersOnly: Bool { reachedOthers && !reachedDebtor }

    /// Early, late and weekend hours are for debtors whom nobody has reached (HRS-02, HRS-03, HRS-04).
    private func isOutsideOwnHours(_ date: LocalDate, _ second: Int) -> Bool {
        guard reachedDebtor || reachedOthers else { return false }
        if date.weekday >= 6 || MexicanHoliday.contains(date) { return true }
        return !(8 * 3_600..<18 * 3_600).contains(second)
    }
}
