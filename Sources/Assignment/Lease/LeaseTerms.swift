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
    /// The contract's last day. No term passes it.
    package let contractEndsOn: LocalDate

    package init(
        termDays: Int, ceilingDays: Int, grace: Duration, lateReport: Duration, contractEndsOn: LocalDate
    ) {
        self.termDays = termDays
        self.ceilingDays = ceilingDays
        self.grace = grace
        self.lateReport = lateReport
        self.contractEndsOn = contractEndsOn
    }

    /// The term of a grant made at `now`: midnight in Mexico City, `termDays` later, or the end of the contract.
    package func term(from now: Timestamp) -> Timestamp { midnight(days: termDays, from: now) }
    /// The furthest term that extensions of a grant made at `now` may reach.
    package func ceiling(from now: Timestamp) -> Timestamp { midnight(days: ceilingDays, from: now) }

    private func midnight(days: Int, from now: Timestamp) -> Timestamp {
        let today = MexicanTimeZone.mexicoCity.local(now).date
        let day = min(today.advanced(byDays: days), contractEndsOn.advanced(byDays: 1))
        return Timestamp(date: day, offsetSeconds: MexicanTimeZone.mexicoCity.standardOffsetSeconds)
    }
}
