// SPDX-License-Identifier: Apache-2.0

/// How long a hand's accounts may be held: the policy's settings of the strategy, as they were when the hand was dealt.
package struct LeaseTerms: Equatable, Sendable {
    /// Days from the grant's day to its term.
    package let termDays: Int
    /// Days from the grant's day to the furthest term that extensions reach.
    package let ceilingDays: Int
    /// How much later than announced the term is enforced, for reports that are on their way.
    package let grace: Duration
    /// How long after a lease's end a report of work done before it may still count.
    package let lateReport: Duration
    /// Days from the grant's day in which the first work on an account must be reported; `nil`: the term alone counts (ASG-04).
    package let activityDays: Int?
    /// The contract's last day. No term passes it.
    package let contractEndsOn: LocalDate

    package init(
        termDays: Int, ceilingDays: Int, grace: Duration, lateReport: Duration, activityDays: Int? = nil,
        contractEndsOn: LocalDate
    ) {
        self.activityDays = activityDays
        self.termDays = termDays
        self.ceilingDays = ceilingDays
        self.grace = grace
        self.lateReport = lateReport
        self.contractEndsOn = contractEndsOn
    }

    /// For so long after a grant's end the keys of its requests get the replies that they got; afterwards they are only known to be
    /// used.
    package static let keyRetention: Duration = .seconds(90 * 86_400)

    package static func isKeyForgotten(grantEnd: Timestamp, at now: Timestamp) -> Bool {
        now >= grantEnd.advanced(by: keyRetention)
    }

    /// The term of a grant made at `now`: midnight in Mexico City, `termDays` later, or the end of the contract.
    package func term(from now: Timestamp) -> Timestamp { midnight(days: termDays, from: now) }
    /// When accounts of a grant on which nothing was reported are taken back, but for the grace: at midnight in Mexico City so many
    /// days after it, or at the term. From what never changes of a grant, so that a replay says the same.
    package static func workBy(grantedAt: Timestamp, activityDays: Int?, term: Timestamp) -> Timestamp? {
        activityDays.map { days in
            let zone = MexicanTimeZone.mexicoCity
            let day = zone.local(grantedAt).date.advanced(byDays: days)
            return min(term, Timestamp(date: day, offsetSeconds: zone.standardOffsetSeconds))
        }
    }
    /// The furthest term that extensions of a grant made at `now` may reach.
    package func ceiling(from now: Timestamp) -> Timestamp { midnight(days: ceilingDays, from: now) }

    private func midnight(days: Int, from now: Timestamp) -> Timestamp {
        let today = MexicanTimeZone.mexicoCity.local(now).date
        let day = min(today.advanced(byDays: days), contractEndsOn.advanced(byDays: 1))
        return Timestamp(date: day, offsetSeconds: MexicanTimeZone.mexicoCity.standardOffsetSeconds)
    }
}
