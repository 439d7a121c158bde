// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// What ends or forbids a lease follows from something: a RETURN of the holder, an enforced term, the cut.
struct CauseChecks {
    let history: History
    let leases: [Lease]
    let records: LedgerRecords

    func run(_ verdict: inout Verdict) {
        let byHeld = Dictionary(leases.map { ($0.held, $0) }) { first, _ in first }
        returns(byHeld, &verdict)
        extensions(&verdict)
        cut(&verdict)
        turned(&verdict)
        overdue(byHeld, &verdict)
        let credits = OutageCredits(history)
        credited(credits, &verdict)
        refusedEarly(byHeld, credits, &verdict)
        keys(&verdict)
    }

    // MARK: - Returns

    /// An agency gives back by RETURN alone: each such ending has the one request, of its holder, whose reply names its record. Where the
    /// ledger was not read, there are as many requests as endings.
    private func returns(_ byHeld: [Held: Lease], _ verdict: inout Verdict) {
        let returned = returnRecords()
        let receipts = receipts(of: "RETURN")
        var unmatched: [Int32: [(ending: History.Ending, lease: Lease)]] = [:]
        for ending in history.endings where ending.kind == "return" {
            verdict.count(.endings)
            guard let lease = byHeld[ending.held] else { continue }
            if let record = returned[ending.held] {
                guard receipts[record, default: []] != [lease.grant.agency] else { continue }
                let others = receipts[record, default: []].map(String.init).joined(separator: ", ")
                add(
                    ending, lease,
                    others.isEmpty
                        ? "no RETURN was answered with the receipt of its record"
                        : "its receipt was the answer to RETURNs of agency \(others)", &verdict)
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

    /// The agencies that were answered with each receipt, one for each request.
    private func receipts(of verb: String) -> [[UInt8]: [Int32]] {
        var receipts: [[UInt8]: [Int32]] = [:]
        for answered in history.answered where answered.request.verb == verb {
            if let receipt = answered.receipt { receipts[receipt, default: []].append(answered.request.agency) }
        }
        return receipts
    }

    /// A term is prolonged by EXTEND alone, once for each: every such record is what one request of the holder was answered with.
    private func extensions(_ verdict: inout Verdict) {
        guard history.hasLedger else { return }
        var left = receipts(of: "EXTEND")
        let grants = Dictionary(history.grants.map { ($0.grant, $0) }) { first, _ in first }
        for record in records.of("extension") {
            guard let grant = record.fields.grant.flatMap({ grants[$0] }) else { continue }
            verdict.count(.terms)
            let leaf = record.leaf
            if let index = left[leaf]?.firstIndex(of: grant.agency) {
                left[leaf]?.remove(at: index)
                continue
            }
            let others = left[leaf, default: []].map(String.init).joined(separator: ", ")
            verdict.add(
                Finding(
                    .terms, history.delegation, "a lease was prolonged that its holder did not ask for",
                    events: [
                        "grant \(grant.grant) of contract \(grant.contract), agency \(grant.agency)",
                        String(record.text.prefix(240)),
                        others.isEmpty
                            ? "no EXTEND was answered with the receipt of that record"
                            : "its receipt was the answer to EXTENDs of agency \(others)",
                    ]))
        }
    }

    private func returnRecords() -> [Held: [UInt8]] {
        var returned: [Held: [UInt8]] = [:]
        for record in records.of("ending") {
            let fields = record.fields
            guard fields["kind"] == "return", let held = fields.held else { continue }
            returned[held] = record.leaf
        }
        return returned
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

    /// Nobody is told that a lease has run out before it has: in a refusal that was kept, in one of an extension, whose instant is kept
    /// with its key, or in one that is in the client's log alone, and so is of before the history's end.
    private func refusedEarly(_ byHeld: [Held: Lease], _ credits: OutageCredits, _ verdict: inout Verdict) {
        for refusal in history.refused where refusal.code == "EXPIRED" {
            guard let lease = byHeld[refusal.held], lease.grant.agency == refusal.agency else { continue }
            expired(
                lease.grant, lease.line, at: refusal.receivedAt, credits,
                "evidence \(refusal.number) of a \(refusal.verb) on \(refusal.held) was refused as EXPIRED at "
                    + "\(refusal.receivedAt)", &verdict)
        }
        let grants = Dictionary(history.grants.map { ($0.grant, $0) }) { first, _ in first }
        let instants = Dictionary(history.answered.map { ($0.request, $0.receivedAt) }) { first, _ in first }
        for operation in history.operations {
            guard case .refused(let refusal) = operation.reply, refusal.code == "EXPIRED", refusal.evidence == nil,
                let grant = refusal.grant.flatMap({ grants[$0] }) ?? refusal.held.flatMap({ byHeld[$0]?.grant }),
                grant.agency == operation.agency.value
            else { continue }
            let request = history.instance(of: operation).map {
                History.Request(
                    agency: operation.agency.value, instance: $0, verb: refusal.verb, key: operation.key)
            }
            expired(
                grant, "grant \(grant.grant) of contract \(grant.contract) at \(grant.grantedAt)",
                at: request.flatMap { instants[$0] } ?? history.now, credits,
                "\(operation.place) of \(operation.agency): \(ClientLog.line(operation).prefix(200))", &verdict)
        }
    }

    private func expired(
        _ grant: History.Grant, _ name: String, at instant: Timestamp, _ credits: OutageCredits, _ told: String,
        _ verdict: inout Verdict
    ) {
        verdict.count(.expiry)
        let termAndGrace = grant.term.advanced(by: .microseconds(grant.graceMicroseconds))
        let owed = credits.booked(since: grant, by: instant)
        guard instant < termAndGrace.advanced(by: .microseconds(owed?.microseconds ?? 0)) else { return }
        verdict.add(
            Finding(
                .expiry, history.delegation, "a holder was refused as expired before the enforced term",
                events: [name + ", term and grace until \(termAndGrace)"] + (owed.map { [$0.words] } ?? [])
                    + [told + "; that was by \(instant)"]))
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
        for refusal in history.refused where refusal.verb == "REPORT" {
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
    /// The key that it came with.
    var request: History.Request {
        History.Request(agency: agency, instance: instance, verb: verb, key: key)
    }
}
