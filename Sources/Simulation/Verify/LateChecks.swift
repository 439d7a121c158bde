// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// Late work counts by a rule that is looked at again here, or by a person whose decision is recorded; never where the next holder
/// has reported.
struct LateChecks {
    let history: History
    let leases: [Lease]
    let order: LedgerOrder

    func run(_ verdict: inout Verdict) {
        let byHeld = Dictionary(leases.map { ($0.held, $0) }) { first, _ in first }
        let byAccount = Dictionary(grouping: leases, by: \.held.account)
        let outcomes = Dictionary(grouping: history.outcomes, by: \.report.held)
        let own = Dictionary(history.outcomes.map { ($0.request, $0) }) { first, _ in first }
        for evidence in history.refused where evidence.verb == "REPORT" {
            guard evidence.counts == true || evidence.decision == "accepted" else { continue }
            verdict.count(.fencing)
            // That nobody had it is told with the outcome.
            guard let lease = byHeld[evidence.held] else { continue }
            let later = (byAccount[evidence.held.account] ?? []).filter { $0.held.epoch > evidence.held.epoch }
            let why =
                evidence.counts == true
                ? ruled(evidence, lease, later)
                : decided(evidence, later.flatMap { outcomes[$0.held] ?? [] }, own[evidence.request])
            guard let why else { continue }
            verdict.add(
                Finding(
                    .fencing, history.delegation, "late work counts that nothing lets count",
                    events: [
                        lease.line,
                        "evidence \(evidence.number) on \(evidence.held), refused as \(evidence.code) at \(evidence.receivedAt), "
                            + (evidence.counts == true ? "counts by rule" : "was accepted"),
                        why,
                    ]))
        }
    }

    /// By rule: within its hand's span behind the end, after no return of the agency's own, and where nobody has the account since.
    private func ruled(_ evidence: History.Evidence, _ lease: Lease, _ later: [Lease]) -> String? {
        if lease.end == "return" || lease.end == "agreement" { return "its holder had given it back itself" }
        if let next = later.first(where: { $0.from < evidence.receivedAt }) {
            return "it had been leased again: \(next.line)"
        }
        guard let hand = history.dealtHands[lease.grant.grant.hand] else { return nil }
        let end = min(lease.until ?? lease.enforcedTerm, lease.enforcedTerm)
        let latest = end.advanced(by: .microseconds(hand.lateReportMicroseconds))
        return evidence.receivedAt <= latest
            ? nil
            : "its hand takes what comes \(hand.lateReportMicroseconds / 3_600_000_000) h late, which was until \(latest)"
    }

    /// By a person: there is a record of it, and no report of a later holder stood before it.
    private func decided(
        _ evidence: History.Evidence, _ later: [History.Outcome], _ outcome: History.Outcome?
    ) -> String? {
        let block = order.block(ofAcceptance: evidence.number)
        guard !history.hasLedger || block != nil else { return "no record says that somebody accepted it" }
        let first = later.first { other in
            if let block, let its = order.block(ofOutcome: other.report.outcome) { return order.isBehind(block, its) }
            return outcome.map { other.receivedAt < $0.receivedAt } ?? false
        }
        return first.map {
            "outcome \($0.report.outcome) of the later holder, agency \($0.agency), had been received at \($0.receivedAt)"
        }
    }
}

extension History.Outcome {
    /// The key that it came with.
    var request: History.Request {
        History.Request(agency: agency, instance: instance, verb: "REPORT", key: key)
    }
}
