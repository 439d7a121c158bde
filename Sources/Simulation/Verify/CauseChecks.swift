// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// What ends or forbids a lease follows from something: a RETURN of the holder, an enforced term, the cut.
struct CauseChecks {
    let history: History
    let leases: [Lease]

    func run(_ verdict: inout Verdict) {
        let byHeld = Dictionary(leases.map { ($0.held, $0) }) { first, _ in first }
        returns(byHeld, &verdict)
        cut(&verdict)
        turned(&verdict)
        overdue(byHeld, &verdict)
        let credits = OutageCredits(history)
        credited(credits, &verdict)
        refusedEarly(byHeld, credits, &verdict)
        keys(&verdict)
    }

    // MARK: - Returns

    /// An agency gives back by RETURN alone: each such ending has the request whose reply names its record. Where the ledger was not
    /// read, there are as many requests as endings.
    private func returns(_ byHeld: [Held: Lease], _ verdict: inout Verdict) {
        let records = returnRecords()
        let receipts = Set(history.givenBack.compactMap(\.receipt))
        var unmatched: [Int32: [(ending: History.Ending, lease: Lease)]] = [:]
        for ending in history.endings where ending.kind == "return" {
            verdict.count(.endings)
            guard let lease = byHeld[ending.held] else { continue }
            if let record = records[ending.held] {
                guard !receipts.contains(record) else { continue }
                add(ending, lease, "no RETURN was answered with the receipt of its record", &verdict)
            } else if !history.hasLedger {
                unmatched[lease.grant.agency, default: []].append((ending, lease))
            }
        }
        for (agency, endings) in unmatched.sorted(by: { $0.key < $1.key }) {
            let requests = history.requests.count { $0.agency == agency && $0.verb == "RETURN" }
            for (ending, lease) in endings.sorted(by: { $0.ending.endedAt < $1.ending.endedAt }).dropFirst(requests) {
                add(ending, lease, "agency \(agency) has \(requests) RETURNs and \(endings.count) of them", &verdict)
            }
        }
    }

    private func returnRecords() -> [Held: [UInt8]] {
        var records: [Held: [UInt8]] = [:]
        for block in history.blocks {
            for bytes in Merkle.records(block.records) where bytes.starts(with: "ending ".utf8) {
                let fields = LogFields(String(decoding: bytes, as: UTF8.self)[...])
                guard fields["kind"] == "return", let held = fields.held else { continue }
                records[held] = Merkle.leaf(bytes)
            }
        }
        return records
    }

    private func add(_ ending: History.Ending, _ lease: Lease, _ why: String, _ verdict: inout Verdict) {
        verdict.add(
            Finding(
                .endings, history.delegation, "an account was given back that its holder did not give back",
                events: [
                    lease.line, "\(ending.held) ended by return (\(ending.reason)) at \(ending.endedAt)", why,
                ]))
    }

    // MARK: - The cut

    private struct Excluded: Hashable {
        let period: Int32
        let account: AccountID
    }

    /// What the cut of a month says of an account keeps it from being leased out of that month's hands.
    private func cut(_ verdict: inout Verdict) {
        guard !history.cutExclusions.isEmpty else { return }
        let excluded = Dictionary(
            history.cutExclusions.map { (Excluded(period: $0.period, account: $0.account), $0) }
        ) { first, _ in first }
        for lease in leases where lease.grant.instance != 0 {
            guard let period = history.handPeriods[lease.grant.grant.hand] else { continue }
            verdict.count(.exclusions)
            guard let found = excluded[Excluded(period: period, account: lease.held.account)],
                found.since <= lease.from
            else { continue }
            verdict.add(
                Finding(
                    .exclusions, history.delegation, "an account that the cut excludes was granted",
                    events: [
                        "account \(found.account) is excluded in \(period) by \(found.reason), since \(found.since)",
                        lease.line,
                    ]))
        }
    }

    /// Who is held over the turn of a month and excluded by the next one's cut is recalled when that month is put in force.
    private func turned(_ verdict: inout Verdict) {
        let byAccount = Dictionary(grouping: leases, by: \.held.account)
        for found in history.cutExclusions {
            guard let applied = history.plansAppliedAt[found.period], history.now > applied else { continue }
            for lease in byAccount[found.account] ?? [] {
                guard let period = history.handPeriods[lease.grant.grant.hand], period < found.period else { continue }
                verdict.count(.exclusions)
                guard found.since <= applied, lease.from < applied, isKept(lease, over: applied) else { continue }
                verdict.add(
                    Finding(
                        .exclusions, history.delegation,
                        "an account that the next month's cut excludes was neither recalled nor given notice",
                        events: [
                            lease.line,
                            "account \(found.account) is excluded in \(found.period) by \(found.reason), since \(found.since)",
                            "that month was put in force at \(applied); the history ends at \(history.now)",
                        ]))
            }
        }
    }

    /// Whether it went on after a month was put in force, and no recall was under way. One that was withdrawn before is none.
    private func isKept(_ lease: Lease, over applied: Timestamp) -> Bool {
        guard lease.until.map({ $0 > applied.advanced(by: history.importSpan) }) ?? true else { return false }
        guard let notice = history.notices[lease.held] else { return true }
        return notice.decision == "withdrawn" && notice.decidedAt.map { $0 < applied } ?? false
    }

    /// A recall whose day has come is made final: what was granted or reported long after it shows that a node was there to do it.
    private func overdue(_ byHeld: [Held: Lease], _ verdict: inout Verdict) {
        guard !history.notices.isEmpty else { return }
        let busy = (history.grants.map(\.grantedAt) + history.outcomes.map(\.receivedAt)).sorted()
        for (held, notice) in history.notices.sorted(by: { $0.key.account < $1.key.account }) {
            guard let due = notice.due, let lease = byHeld[held] else { continue }
            verdict.count(.exclusions)
            let latest = due.advanced(by: history.importSpan)
            guard let shown = busy.first(where: { $0 > latest }), lease.until.map({ $0 > shown }) ?? true else {
                continue
            }
            verdict.add(
                Finding(
                    .exclusions, history.delegation, "a recall was never made final",
                    events: [lease.line, notice.words, "nodes were at work at \(shown)"]))
        }
    }

    // MARK: - Outages

    /// A lease that was closed has had all the outage that is known to have been booked since its grant, or to have begun within it.
    private func credited(_ credits: OutageCredits, _ verdict: inout Verdict) {
        var told: Set<GrantID> = []
        for lease in leases where lease.end == "closed" || lease.end == "sweep" {
            guard let until = lease.until, let owed = credits.owed(to: lease, closedAt: until) else { continue }
            verdict.count(.expiry)
            let enforced = lease.termAndGrace.advanced(by: .microseconds(owed.microseconds))
            // What is closed before the term itself is told by the term.
            guard until >= lease.termAndGrace, until < enforced, told.insert(lease.grant.grant).inserted else {
                continue
            }
            verdict.add(
                Finding(
                    .expiry, history.delegation, "a lease was closed without the credit for an outage",
                    events: [
                        lease.line + ", term and grace until \(lease.termAndGrace)", owed.words,
                        "it was enforced until \(enforced)",
                    ]))
        }
    }

    /// Nobody is told that a lease has run out before it has.
    private func refusedEarly(_ byHeld: [Held: Lease], _ credits: OutageCredits, _ verdict: inout Verdict) {
        for refusal in history.refused where refusal.code == "EXPIRED" {
            guard let lease = byHeld[refusal.held], lease.grant.agency == refusal.agency else { continue }
            verdict.count(.expiry)
            let owed = credits.booked(since: lease.grant, by: refusal.receivedAt)
            let enforced = lease.termAndGrace.advanced(by: .microseconds(owed?.microseconds ?? 0))
            guard refusal.receivedAt < enforced else { continue }
            verdict.add(
                Finding(
                    .expiry, history.delegation, "a report was refused as expired before the enforced term",
                    events: [lease.line + ", term and grace until \(lease.termAndGrace)"]
                        + (owed.map { [$0.words] } ?? []) + [
                            "evidence \(refusal.number) on \(refusal.held) was refused as EXPIRED at \(refusal.receivedAt)"
                        ]))
        }
    }

    // MARK: - Keys

    private struct Key: Hashable {
        let agency: Int32
        let instance: Int32
        let key: Int64
    }

    /// One key of a report is one report: taken, or refused and kept, never both.
    private func keys(_ verdict: inout Verdict) {
        guard !history.refused.isEmpty else { return }
        let taken = Dictionary(
            history.outcomes.map { (Key(agency: $0.agency, instance: $0.instance, key: $0.key), $0) }
        ) { first, _ in first }
        for refusal in history.refused {
            verdict.count(.countedOnce)
            let key = Key(agency: refusal.agency, instance: refusal.instance, key: refusal.key)
            guard let outcome = taken[key] else { continue }
            // Late work that a person or a rule accepts becomes an outcome under the key that it came with.
            guard outcome.report.held != refusal.held || !history.lateAccepted.contains(refusal.request) else {
                continue
            }
            verdict.add(
                Finding(
                    .countedOnce, history.delegation, "one key was taken for two reports",
                    events: [
                        "outcome \(outcome.report.outcome) on \(outcome.report.held), key \(outcome.key) of agency "
                            + "\(outcome.agency), received at \(outcome.receivedAt)",
                        "evidence \(refusal.number) on \(refusal.held), the same key, received at \(refusal.receivedAt)",
                    ]))
        }
    }
}

extension History.Evidence {
    fileprivate var request: History.Request {
        History.Request(agency: agency, instance: instance, verb: "REPORT", key: key)
    }
}
