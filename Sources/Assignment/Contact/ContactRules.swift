// SPDX-License-Identifier: Apache-2.0

/// A set of one institution's rules that a contract or a policy names.
package enum RulePack: String, Sendable, CaseIterable {
    case infonavit2023 = "infonavit-2023"
    case fonacot
    case fna
}

/// When and how a debtor may be contacted under the rule packs of the contract and of the policy that placed the account. What breaks
/// a contact rule is recorded and marked, because it happened; pulling accounts is not contacting, and has no hours.
///
/// Seven in the morning to ten at night by the debtor's clocks is for every pack but `fna`. That one has hours of its own, which
/// depend on the day and on whom the debtor has been reached by (HRS-01, HRS-02, HRS-03, HRS-04), and territories without visits
/// (GEO-02). Beside another pack both hours are kept.
package struct ContactRules: Hashable, Sendable {
    package let packs: Set<RulePack>
    /// Of the cadence, where there is one.
    package let reading: CadenceReading

    package init(packs: Set<RulePack>) {
        self.packs = packs
        reading = CadenceReading()
    }

    /// - Parameter names: as a hand has them, packs and readings; what is neither does not count.
    package init(names: [String]) {
        packs = Set(names.compactMap { RulePack(rawValue: $0) })
        reading = CadenceReading(names: names)
    }

    /// Seven to ten, half-open, in seconds of the local day.
    package static let general = 7 * 3_600..<22 * 3_600

    /// Whether contacts follow a cadence of steps (``Cadence``).
    package var hasCadence: Bool { packs.contains(.fna) }

    /// The hours of a day in which a debtor may be contacted at all, whoever has been reached before; empty: not on that day.
    ///
    /// - Parameter channel: on Sundays and holidays `fna` allows only visits (HRS-04).
    package func hours(on date: LocalDate, by channel: OutcomeChannel) -> Range<Int> {
        guard packs.contains(.fna) else { return Self.general }
        if date.weekday == 7 || MexicanHoliday.contains(date) {
            return channel.isVisit ? 7 * 3_600..<12 * 3_600 : 0..<0
        }
        if date.weekday == 6 { return 7 * 3_600..<18 * 3_600 }
        // HRS-01 and HRS-02 together; which of them holds, the debtor's history tells.
        let workday = 6 * 3_600 + 1_800..<20 * 3_600
        return packs.count == 1 ? workday : workday.clamped(to: Self.general)
    }

    /// What breaks these rules and can be told from the contact alone; see ``ContactHistory`` for what needs the ones before.
    package func marks(
        _ channel: OutcomeChannel, at instant: Timestamp, in zone: MexicanTimeZone, isVisitBanned: Bool
    ) -> [ContactMark] {
        var marks: [ContactMark] = []
        let (date, second) = zone.local(instant)
        if channel.hasHours, !hours(on: date, by: channel).contains(second) { marks.append(.window) }
        if channel.isVisit, isVisitBanned { marks.append(.visitBan) }
        return marks
    }

    /// The first day from `instant` on that still has hours for a call, or for another channel.
    package func nextDay(
        from instant: Timestamp, in zone: MexicanTimeZone, by channel: OutcomeChannel = .phoneOut
    ) -> LocalDate {
        let (date, second) = zone.local(instant)
        var day = date
        var passed = second
        // No rule closes more than some days in a row: a Sunday and a holiday or two.
        for _ in 0..<14 {
            if passed < hours(on: day, by: channel).upperBound { break }
            day = day.advanced(byDays: 1)
            passed = 0
        }
        return day
    }

    /// The hours of a working day, as `window=` tells them: `07:00-22:00`.
    package var windowText: String {
        guard packs.contains(.fna) else { return "07:00-22:00" }
        return packs.count == 1 ? "06:30-20:00" : "07:00-20:00"
    }
}

/// A contact rule that an outcome broke. The words are those of the tables and of reviews.
package enum ContactMark: String, Sendable, CaseIterable {
    /// Outside the hours of the packs (HRS, or seven to ten).
    case window = "contact-window"
    /// A visit where none may be made (GEO-02).
    case visitBan = "visit-ban"
    /// More calls than the cadence has steps.
    case callCap = "call-cap"
    /// A call before its step's day.
    case callEarly = "call-early"
    /// A letter or e-mail that the cadence does not have yet (CAD-10, CAD-11).
    case letterEarly = "letter-early"
    /// A call while the certified mail of its band is missing (CAD-12, CAD-13).
    case letterMissing = "letter-missing"
    /// A call while a visit is missing that was due before (CAD-09, CAD-14, CAD-15).
    case visitMissing = "visit-missing"
    /// A call while a new address is not searched (CAD-14, CAD-15).
    case searchMissing = "search-missing"
    /// A visit where a conciliation centre is the way (CAD-16).
    case centre = "conciliation-centre"
}

extension OutcomeChannel {
    package var isVisit: Bool {
        switch self {
        case .visit, .locationVisit: true
        case .phoneOut, .phoneIn, .letter, .email, .sms, .mediationInvitation, .mediationSession: false
        }
    }

    /// Whether it reaches the debtor at an hour of the agency's choosing.
    package var hasHours: Bool {
        switch self {
        case .phoneOut, .sms, .visit, .locationVisit: true
        case .phoneIn, .letter, .email, .mediationInvitation, .mediationSession: false
        }
    }
}
