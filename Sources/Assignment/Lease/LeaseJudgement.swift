// SPDX-License-Identifier: Apache-2.0

/// What ended one account's deal: its lease before the term, or what waited, or waits, to be leased.
package enum EndingKind: String, Sendable, CaseIterable {
    case `return`, recall, payoff, exclusion, withdrawal, sweep, agreement
}

/// Everything that decides whether a holder's word about one account still counts. Read after the locks are held.
package struct LeaseFacts: Equatable, Sendable {
    package struct Ending: Equatable, Sendable {
        package let kind: EndingKind
        package let at: Timestamp
        package init(kind: EndingKind, at: Timestamp) {
            self.kind = kind
            self.at = at
        }
    }
    package let holder: AgencyID
    package let grant: GrantStateMachine
    /// Outage booked since the grant was made.
    package let credit: Duration
    /// Of the deal, and so of the lease only where it came before the enforced term: a stop or a certificate ends also what was leased
    /// once and is over.
    package let ending: Ending?
    /// A later epoch under which the account was leased again; `nil` where it was not.
    package let laterEpoch: Epoch?
    /// The same where it is the holder itself that holds the account under it; `nil` where another agency does, or nobody. What
    /// another agency holds is not told.
    package let presentEpoch: Epoch?
    package let lateReport: Duration

    /// - Parameter holdsLater: whether the holder itself holds the account under ``laterEpoch``.
    package init(
        holder: AgencyID, grant: GrantStateMachine, credit: Duration, ending: Ending?, laterEpoch: Epoch?,
        holdsLater: Bool, lateReport: Duration
    ) {
        self.holder = holder
        self.grant = grant
        self.credit = credit
        self.ending = ending
        self.laterEpoch = laterEpoch
        self.presentEpoch = holdsLater ? laterEpoch : nil
        self.lateReport = lateReport
    }
}

/// Why a word about a lease came too late, or to the wrong lease. Five reasons, because each asks for something else.
package enum StaleReason: String, Sendable, CaseIterable {
    /// The term is over.
    case expired = "EXPIRED"
    /// The account was leased again under a later epoch, mostly to another agency.
    case reassigned = "REASSIGNED"
    /// The institution took it back.
    case recalled = "RECALLED"
    /// It was returned, paid off or settled.
    case closed = "CLOSED"
    /// No lease of this agency has this account and epoch.
    case unknown = "UNKNOWN"
}

extension LeaseFacts {
    /// The same lease, ended: what the next request of a group sees after one that ended it.
    package func ended(_ ending: Ending) -> LeaseFacts {
        LeaseFacts(
            holder: holder, grant: grant, credit: credit, ending: self.ending ?? ending, laterEpoch: laterEpoch,
            holdsLater: presentEpoch != nil, lateReport: lateReport)
    }

    /// Why `agency` no longer holds the account at `now`; `nil` while the lease is live.
    package func staleness(for agency: AgencyID, at now: Timestamp) -> StaleReason? {
        guard holder == agency else { return .unknown }
        if laterEpoch != nil { return .reassigned }
        switch earlyEnding?.kind {
        case .recall, .exclusion, .withdrawal: return .recalled
        case .return, .payoff, .agreement: return .closed
        case .sweep: return .expired
        case nil: return ending != nil || grant.hasExpired(at: now, credit: credit) ? .expired : nil
        }
    }

    /// When the lease ended or will end.
    package var end: Timestamp { earlyEnding?.at ?? grant.end(credit: credit) }

    /// What ended the lease before its enforced term did.
    private var earlyEnding: Ending? {
        ending.flatMap { $0.at < grant.end(credit: credit) ? $0 : nil }
    }

    /// What the rule says about a report that came after the lease's end.
    package enum LateJudgement: Equatable, Sendable {
        case counts
        case doesNot
        /// No rule settles it: a person does.
        case waits
    }

    /// Whether work done at `worked` and reported only at `now`, after the lease's end, still counts.
    ///
    /// It counts after a recall, a payoff or the term's end, where it was done inside the lease and arrives within the policy's
    /// span. It does not where it was done outside the lease, or after the agency's own return. Where it comes later than the
    /// span, or the account has a next holder, whose report might compete with it, a person decides.
    package func judgeLate(workedAt worked: Timestamp, at now: Timestamp) -> LateJudgement {
        guard worked >= grant.grantedAt, worked < end else { return .doesNot }
        switch earlyEnding?.kind {
        case .return, .agreement: return .doesNot
        case nil, .recall, .exclusion, .withdrawal, .payoff, .sweep: break
        }
        return laterEpoch == nil && now <= end.advanced(by: lateReport) ? .counts : .waits
    }
}
