// SPDX-License-Identifier: Apache-2.0

/// One grant, from its leasing to its close. Knows no clock, socket or table: every event brings its own `now`.
///
///     open ──extend──▶ open      open ──sweep, after the enforced term──▶ closed
///
/// The term that is enforced is the announced one plus the grace plus the outage booked since the grant was made.
/// - Source: ASG-03 (the term ends, the accounts go back).
package struct GrantStateMachine: Equatable, Sendable {
    package enum State: Equatable, Sendable {
        case open(term: Timestamp, ceiling: Timestamp)
        case closed(at: Timestamp)
    }
    package private(set) var state: State
    package let grantedAt: Timestamp
    package let grace: Duration

    package init(state: State, grantedAt: Timestamp, grace: Duration) {
        self.state = state
        self.grantedAt = grantedAt
        self.grace = grace
    }

    /// Whether the lease has run out at `now`, swept or not. `credit` is the outage booked since the grant was made.
    package func hasExpired(at now: Timestamp, credit: Duration) -> Bool {
        switch state {
        case .open(let term, _): now >= term.advanced(by: grace + credit)
        case .closed: true
        }
    }

    /// When the lease ended, or will end if nothing is extended.
    package func end(credit: Duration) -> Timestamp {
        switch state {
        case .open(let term, _): term.advanced(by: grace + credit)
        case .closed(let at): at
        }
    }

    package enum ExtendAction: Equatable, Sendable {
        case write(term: Timestamp)
        case refuseExpired
        case refuseBeyond(ceiling: Timestamp)
        /// Not later than the term that it already has.
        case refuseNotLater(term: Timestamp)
        case refuseBarred(ExtensionBar)
    }

    /// Why nothing of a grant may be held longer, although it is live.
    package enum ExtensionBar: Equatable, Sendable {
        /// A recall of one of its accounts was noticed and is neither over nor withdrawn.
        case noticed(AccountID)
        /// Its holder is terminated: what it holds runs out.
        case terminated
        /// Nothing of it is held any more: all of its accounts were given back, paid off or taken away.
        case nothingHeld
    }

    /// The holder asks for more time.
    ///
    /// - Parameter bar: what keeps all of its accounts from being held longer; `nil` where nothing does.
    package mutating func extend(
        to wanted: Timestamp, at now: Timestamp, credit: Duration, bar: ExtensionBar?
    ) -> ExtendAction {
        // What was given back or taken away before its term did not end by it.
        if bar == .nothingHeld { return .refuseBarred(.nothingHeld) }
        switch state {
        case .open where hasExpired(at: now, credit: credit):
            // The sweep may be late; a late extension must not bring the grant back.
            return .refuseExpired
        case .open(let term, let ceiling):
            if let bar { return .refuseBarred(bar) }
            guard wanted > term else { return .refuseNotLater(term: term) }
            guard wanted <= ceiling else { return .refuseBeyond(ceiling: ceiling) }
            state = .open(term: wanted, ceiling: ceiling)
            return .write(term: wanted)
        case .closed:
            return .refuseExpired
        }
    }

    package enum SweepAction: Equatable, Sendable {
        case close(at: Timestamp)
        case keep
    }

    /// The sweep looks at the grant: it closes after the enforced term and never before.
    package mutating func sweep(at now: Timestamp, credit: Duration) -> SweepAction {
        switch state {
        case .open where hasExpired(at: now, credit: credit):
            let end = end(credit: credit)
            state = .closed(at: end)
            return .close(at: end)
        case .open, .closed:
            return .keep
        }
    }
}
