// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// Nobody loses a lease but by something that came in: a stop, a start or a certificate, a recall whose notice is due, or work that
/// was not done in its days. A socket that closed is none of them.
struct TakenBackChecks {
    let history: History
    let leases: [Lease]

    func run(_ verdict: inout Verdict) {
        let byHeld = Dictionary(leases.map { ($0.held, $0) }) { first, _ in first }
        let outcomes = Dictionary(grouping: history.outcomes, by: \.report.held)
        for ending in history.endings {
            guard let lease = byHeld[ending.held] else { continue }
            verdict.count(.endings)
            dead(ending, lease, &verdict)
            guard ending.kind != "return", let missing = missing(ending, lease, outcomes[ending.held] ?? []) else {
                continue
            }
            verdict.add(
                Finding(
                    .endings, history.delegation, "a lease was ended without a cause",
                    events: [
                        lease.line, "\(ending.held) ended by \(ending.kind) (\(ending.reason)) at \(ending.endedAt)",
                        missing,
                    ]))
        }
    }

    /// What was ended while it waited is skipped, and leased no more. A stop also ends what was leased and is over; it was not held then.
    private func dead(_ ending: History.Ending, _ lease: Lease, _ verdict: inout Verdict) {
        let wasOver = lease.grant.closedAt.map { $0 <= ending.endedAt } ?? false
        guard !ending.wasHeld && !wasOver || ending.endedAt < lease.from else { return }
        verdict.add(
            Finding(
                .epochs, history.delegation, "an account was leased under an epoch that had ended",
                events: [
                    "\(ending.held) ended by \(ending.kind) (\(ending.reason)) at \(ending.endedAt)"
                        + (ending.wasHeld ? "" : ", while it waited"), lease.line,
                ]))
    }

    /// - Returns: why nothing that came in has ended the lease; `nil` where something has.
    private func missing(_ ending: History.Ending, _ lease: Lease, _ outcomes: [History.Outcome]) -> String? {
        // What never was a lease is told by itself.
        guard ending.wasHeld, ending.endedAt >= lease.from else { return nil }
        switch ending.kind {
        case "payoff", "exclusion": return cause(of: ending)
        case "recall":
            if let notice = history.notices[ending.held], notice.reason == ending.reason {
                guard let due = notice.due, notice.noticedAt <= ending.endedAt, due <= ending.endedAt else {
                    return notice.words
                }
                return nil
            }
            switch ending.reason {
            case "not-worked": return worked(ending, lease, outcomes)
            case "unlocatable": return located(ending, lease, outcomes)
            default: return history.notices[ending.held].map(\.words) ?? "no notice of its recall was given"
            }
        // The end of the term, which is judged as one.
        case "sweep": return nil
        // Only what waits is withdrawn.
        default: return "only what nobody has leased yet is ended so"
        }
    }

    /// A stop, a certificate or a start that was known by then and had not ended before.
    private func cause(of ending: History.Ending) -> String? {
        let all = history.causes[ending.held.account] ?? []
        let latest = ending.endedAt.advanced(by: history.importSpan)
        // By the earlier of the country's clocks: the last day is still in force.
        let day = ending.endedAt.local(offsetSeconds: -8 * 3_600).date
        let isCaused = all.contains { cause in
            (cause.reason == ending.reason || cause.reason == "start" && ending.kind == "exclusion")
                && cause.knownAt <= latest && cause.until.map { $0 >= day } ?? true
                && cause.revokedAt.map { $0 >= ending.endedAt } ?? true
        }
        guard !isCaused else { return nil }
        return all.isEmpty
            ? "nothing came in for the account"
            : "there is "
                + all.map { cause in
                    "\(cause.reason)" + (cause.until.map { " until \($0)" } ?? "") + ", known at \(cause.knownAt)"
                        + (cause.revokedAt.map { ", revoked at \($0)" } ?? "")
                }.sorted().joined(separator: "; ")
    }

    /// Taken back for want of work: nothing was reported, and the days for it were over.
    private func worked(_ ending: History.Ending, _ lease: Lease, _ outcomes: [History.Outcome]) -> String? {
        let done = outcomes.filter { $0.receivedAt <= ending.endedAt && !history.lateAccepted.contains($0.request) }
        if let first = done.min(by: { $0.receivedAt < $1.receivedAt }) {
            return "outcome \(first.report.outcome) was reported on it at \(first.receivedAt)"
        }
        return early(ending, lease, from: lease.from, days: history.dealtHands[lease.grant.grant.hand]?.activityDays)
    }

    /// Taken back because the debtor cannot be found: so it was reported, and the days for giving it back were over.
    private func located(_ ending: History.Ending, _ lease: Lease, _ outcomes: [History.Outcome]) -> String? {
        let known = outcomes.filter { $0.receivedAt <= ending.endedAt }
        let reached = known.filter { ["direct", "third-party"].contains($0.report.contact) }.map(\.report.at).max()
        let lost = known.filter { $0.report.contact == "unlocatable" && $0.report.at >= reached ?? $0.report.at }
        guard let first = lost.map(\.report.at).min() else {
            return "nobody reported that its debtor cannot be found, or somebody was reached since"
        }
        let days = history.dealtHands[lease.grant.grant.hand]?.unlocatableDays
        return early(ending, lease, from: first, days: days.map { $0 + 1 })
    }

    /// - Parameter from: what the days count from, in Mexico City, to the end of the last one; grace is added, outages are not.
    private func early(_ ending: History.Ending, _ lease: Lease, from: Timestamp, days: Int32?) -> String? {
        guard let days else { return "its hand takes nothing back for that" }
        let day = from.local(offsetSeconds: -6 * 3_600).date.advanced(byDays: Int(days))
        // 05:00 in the summers that had another time.
        let midnight = Timestamp(date: day, secondsOfDay: 5 * 3_600)
        let earliest = midnight.advanced(by: .microseconds(lease.grant.graceMicroseconds))
        return ending.endedAt >= earliest ? nil : "its \(days) days and its grace were not over before \(earliest)"
    }
}
