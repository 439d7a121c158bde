// SPDX-License-Identifier: Apache-2.0

/// How far a month has come, from its first import to what later statements say about it.
package enum PeriodStage: String, Sendable, CaseIterable {
    /// It runs: accounts are leased and worked.
    case open
    /// It is over, and delegations review.
    case review
    /// Pre-statements are out, and agencies may object.
    case preStatement = "pre-statement"
    /// The time to object is over, or an objection or a waiver waits for its decision.
    case objections
    /// A close was begun and not finished.
    case closing
    /// Closed, with a root that nobody signed.
    case closed
    /// Closed and signed.
    case final
    /// Final, and a later statement has a credit or a debit about it.
    case adjusted

    package struct Facts: Equatable, Sendable {
        package var isClosing = false
        package var isClosed = false
        package var isSigned = false
        package var isAdjusted = false
        package var end: Timestamp
        /// The last instant for objections; `nil` where no pre-statement is out.
        package var objectionsUntil: Timestamp?
        /// Objections and proposals without a decision.
        package var undecided: Int64 = 0

        package init(end: Timestamp) { self.end = end }
    }

    package init(_ facts: Facts, at now: Timestamp) {
        if facts.isClosed {
            self = facts.isSigned ? (facts.isAdjusted ? .adjusted : .final) : .closed
        } else if facts.isClosing {
            self = .closing
        } else if let until = facts.objectionsUntil {
            self = now < until && facts.undecided == 0 ? .preStatement : .objections
        } else {
            self = now < facts.end ? .open : .review
        }
    }
}

extension LocalDate {
    /// The day so many business days later: Monday to Friday, holidays not known.
    ///
    /// - Parameter days: 0 or more; 0 is the day itself.
    package func advanced(byBusinessDays days: Int) -> LocalDate {
        var day = self
        var left = days
        while left > 0 {
            day = day.advanced(byDays: 1)
            if day.weekday <= 5 { left -= 1 }
        }
        return day
    }
}

extension Timestamp {
    /// The first instant after the so-many-th business day behind this one's day, by the clock of Mexico City.
    package func deadline(businessDays days: Int) -> Timestamp {
        let offset = MexicanTimeZone.mexicoCity.standardOffsetSeconds
        let today = local(offsetSeconds: offset).date
        return Timestamp(date: today.advanced(byBusinessDays: days).advanced(byDays: 1), offsetSeconds: offset)
    }
}

extension Period {
    /// The first instant at which reviews of its outcomes are late: behind so many business days after its last day.
    package func reviewDeadline(businessDays days: Int) -> Timestamp {
        Timestamp(
            date: lastDay.advanced(byBusinessDays: days).advanced(byDays: 1),
            offsetSeconds: MexicanTimeZone.mexicoCity.standardOffsetSeconds)
    }
}
