// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// What the clients were told against what the database kept, and nothing twice.
struct PromiseChecks {
    let history: History
    let leases: [Lease]
    private let returned: Set<Held>
    private let leasesByHeld: [Held: Lease]
    private let evidence: [Int64: History.Evidence]

    init(history: History, leases: [Lease]) {
        self.history = history
        self.leases = leases
        self.evidence = Dictionary(history.refused.map { ($0.number, $0) }) { first, _ in first }
        self.leasesByHeld = Dictionary(leases.map { ($0.held, $0) }) { first, _ in first }
        self.returned = Set(history.endings.filter { $0.kind == "return" }.map(\.held))
    }

    private struct Key: Hashable {
        var agency: Int32
        var instance: Int32
        var key: Int64
    }

    func run(_ verdict: inout Verdict) {
        let grants = Dictionary(
            history.grants.compactMap { grant in
                grant.key.map { (Key(agency: grant.agency, instance: grant.instance, key: $0), grant) }
            }
        ) { first, _ in first }
        let outcomes = Dictionary(grouping: history.outcomes) {
            Key(agency: $0.agency, instance: $0.instance, key: $0.key)
        }
        let leasesByGrant = Dictionary(grouping: leases, by: \.grant.grant)
        for operation in history.operations {
            verdict.count(.nothingLost)
            guard let instance = history.instance(of: operation) else {
                if case .refused(let refusal) = operation.reply, refusal.evidence == nil { continue }
                lost(operation, "the database does not know the installation", &verdict)
                continue
            }
            let key = Key(agency: operation.agency.value, instance: instance, key: operation.key)
            switch operation.reply {
            case .granted(let grant): check(operation, grant, grants[key], leasesByGrant, &verdict)
            case .reported(let report): check(operation, report, outcomes[key] ?? [], &verdict)
            case .extended(let extended): check(operation, extended, key, grants: history.grants, &verdict)
            case .returned(let returned): check(operation, returned, key, &verdict)
            // The ledger's to tell, and nobody else's.
            case .disclosed: break
            // Told with the refusals.
            case .compared: break
            case .refused(let refusal): check(operation, refusal, &verdict)
            case .repeated(let verb, let isEqual): check(operation, verb, isEqual, &verdict)
            case .altered(let verb, let code): checkAltered(operation, verb, code, &verdict)
            }
        }
        twice(outcomes, &verdict)
        acknowledgedOnce(&verdict)
        let changes = history.requests.filter { ["EXTEND", "RETURN"].contains($0.verb) }
            .map { Key(agency: $0.agency, instance: $0.instance, key: $0.key) }
        let refused = history.refused.map { Key(agency: $0.agency, instance: $0.instance, key: $0.key) }
        unlogged(Set(grants.keys).union(outcomes.keys).union(changes).union(refused), &verdict)
    }

    /// What was done and stands in no log, though its client keeps one: its answer was lost with the client, or the log was cut.
    private func unlogged(_ stored: Set<Key>, _ verdict: inout Verdict) {
        var told: Set<Key> = []
        var writers: Set<Int32> = []
        for operation in history.operations {
            guard let instance = history.instance(of: operation) else { continue }
            told.insert(Key(agency: operation.agency.value, instance: instance, key: operation.key))
            writers.insert(instance)
        }
        verdict.countUnlogged(stored.count { writers.contains($0.instance) && !told.contains($0) })
    }

    private func check(
        _ operation: ClientOperation, _ told: ClientOperation.Grant, _ kept: History.Grant?,
        _ leasesByGrant: [GrantID: [Lease]], _ verdict: inout Verdict
    ) {
        guard let kept else { return lost(operation, "no grant has this key", &verdict) }
        // The wire has milliseconds.
        guard kept.grant == told.grant, kept.announcedTerm.description == told.term.description else {
            return lost(operation, "the key has grant \(kept.grant) with the term \(kept.announcedTerm)", &verdict)
        }
        if let grace = told.grace, grace != kept.graceMicroseconds / 1_000_000 {
            lost(operation, "the grant has a grace of \(kept.graceMicroseconds / 1_000_000) s", &verdict)
        }
        if let hand = history.dealtHands[kept.grant.hand], hand.strategy != told.strategy.rawValue {
            lost(operation, "the grant is of \(Strategy(rawValue: hand.strategy)?.name ?? "?")", &verdict)
        }
        let held = Set((leasesByGrant[kept.grant] ?? []).map(\.held))
        let acknowledged = Set(told.accounts)
        if let missing = acknowledged.subtracting(held).min(by: { $0.account < $1.account }) {
            lost(operation, "the grant does not have \(missing)", &verdict)
        } else if let extra = held.subtracting(acknowledged).min(by: { $0.account < $1.account }) {
            lost(operation, "the grant also has \(extra), which the client was not told", &verdict)
        }
    }

    private func check(
        _ operation: ClientOperation, _ told: ClientOperation.Report, _ kept: [History.Outcome],
        _ verdict: inout Verdict
    ) {
        guard let outcome = kept.first else { return lost(operation, "no outcome has this key", &verdict) }
        var kept = outcome.report
        // Logs of before do not say it; the record's hash covers it all the same.
        if told.solution == nil { kept.solution = nil }
        guard kept == told else {
            return lost(operation, "the key has outcome \(outcome.report.outcome) with other content", &verdict)
        }
    }

    private func check(
        _ operation: ClientOperation, _ told: ClientOperation.Extension, _ key: Key, grants: [History.Grant],
        _ verdict: inout Verdict
    ) {
        guard history.requests.contains(request(key, "EXTEND")) else {
            return lost(operation, "no extension has this key", &verdict)
        }
        guard let grant = grants.first(where: { $0.grant == told.grant }),
            grant.term.microseconds / 1_000 >= told.term.microseconds / 1_000
        else {
            return lost(operation, "the grant's term is earlier than the acknowledged one", &verdict)
        }
        guard grant.agency != operation.agency.value else { return }
        stranger(operation, "grant \(grant.grant) is of contract \(grant.contract), agency \(grant.agency)", &verdict)
    }

    private func check(
        _ operation: ClientOperation, _ told: ClientOperation.Return, _ key: Key, _ verdict: inout Verdict
    ) {
        guard history.requests.contains(request(key, "RETURN")) else {
            return lost(operation, "no return has this key", &verdict)
        }
        guard returned.contains(told.held) else {
            return lost(operation, "\(told.held) has no ending by return", &verdict)
        }
        guard let lease = leasesByHeld[told.held], lease.grant.agency != operation.agency.value else { return }
        stranger(operation, lease.line + ", of agency \(lease.grant.agency)", &verdict)
    }

    private func stranger(_ operation: ClientOperation, _ why: String, _ verdict: inout Verdict) {
        verdict.add(
            Finding(
                .fencing, history.delegation, "an agency prolonged or gave back what another one held",
                events: [event(operation), why]))
    }

    /// What is said too late in these is kept, whatever word it is refused by.
    private static let keptVerbs: Set = ["REPORT", "RETURN"]
    private static let staleCodes: Set = ["EXPIRED", "REASSIGNED", "RECALLED", "CLOSED", "UNKNOWN"]

    private func check(_ operation: ClientOperation, _ told: ClientOperation.Refusal, _ verdict: inout Verdict) {
        guard let number = told.evidence else {
            guard Self.keptVerbs.contains(told.verb), Self.staleCodes.contains(told.code) else { return }
            return lost(operation, "it was refused as too late, and nothing was kept of it", &verdict)
        }
        guard let code = history.evidence[number] else {
            return lost(operation, "there is no evidence \(number)", &verdict)
        }
        if code != told.code { lost(operation, "evidence \(number) was kept as \(code)", &verdict) }
        guard Self.keptVerbs.contains(told.verb), let kept = evidence[number] else { return }
        guard
            kept.verb == told.verb, kept.agency == operation.agency.value,
            kept.instance == history.instance(of: operation),
            kept.key == operation.key, told.held.map({ $0 == kept.held }) ?? true
        else {
            return lost(
                operation,
                "evidence \(number) is of a \(kept.verb) of agency \(kept.agency), installation \(kept.instance), key \(kept.key), "
                    + "on \(kept.held)",
                &verdict)
        }
    }

    private func check(_ operation: ClientOperation, _ verb: String, _ isEqual: Bool, _ verdict: inout Verdict) {
        verdict.count(.countedOnce)
        guard !isEqual else { return }
        verdict.add(
            Finding(
                .countedOnce, history.delegation, "a repeated \(verb) got another reply than the first one",
                events: [event(operation)]))
    }

    /// What a used key may be answered with where the content is another one.
    private static let refusingCodes: Set = ["KEY-REUSED", "KEY-EXPIRED"]

    private func checkAltered(_ operation: ClientOperation, _ verb: String, _ code: String, _ verdict: inout Verdict) {
        verdict.count(.countedOnce)
        guard !Self.refusingCodes.contains(code) else { return }
        let first = history.operations.first {
            $0.key == operation.key && $0.agency == operation.agency && $0.instance == operation.instance
                && $0.boundKind == verb
        }
        verdict.add(
            Finding(
                .countedOnce, history.delegation, "a used key was not refused for another \(verb)",
                events: [first, operation].compactMap { $0.map(event) }))
    }

    private func twice(_ outcomes: [Key: [History.Outcome]], _ verdict: inout Verdict) {
        var numbers: [Int64: History.Outcome] = [:]
        let doubled = outcomes.filter { $0.value.count > 1 }.sorted {
            ($0.key.agency, $0.key.instance, $0.key.key) < ($1.key.agency, $1.key.instance, $1.key.key)
        }
        for (_, same) in doubled {
            verdict.add(
                Finding(
                    .countedOnce, history.delegation, "one key has \(same.count) outcomes",
                    events: same.map {
                        "outcome \($0.report.outcome) on \($0.report.held), key \($0.key) of agency \($0.agency)"
                    }))
        }
        for outcome in history.outcomes {
            verdict.count(.countedOnce)
            guard let other = numbers.updateValue(outcome, forKey: outcome.report.outcome) else { continue }
            verdict.add(
                Finding(
                    .countedOnce, history.delegation, "one outcome number stands twice",
                    events: [other, outcome].map {
                        "outcome \($0.report.outcome), key \($0.key) of agency \($0.agency)"
                    }))
        }
    }

    /// One key never gets two different acknowledgements, whatever the database says now; and the same one is written down once: what is
    /// answered again under its key is a repetition, and a log that says things twice was put together by somebody else than its client.
    private func acknowledgedOnce(_ verdict: inout Verdict) {
        struct Said: Hashable {
            var agency: AgencyID
            var instance: String
            var kind: String
            var key: Int64
        }
        var said: [Said: ClientOperation] = [:]
        var repeated: [String: [(first: ClientOperation, second: ClientOperation)]] = [:]
        for operation in history.operations {
            guard let kind = operation.boundKind ?? operation.evidenceKind else { continue }
            verdict.count(.logs)
            let key = Said(agency: operation.agency, instance: operation.instance, kind: kind, key: operation.key)
            guard let other = said.updateValue(operation, forKey: key) else { continue }
            guard other.reply == operation.reply else {
                verdict.add(
                    Finding(
                        .countedOnce, history.delegation, "one key got two acknowledgements",
                        events: [event(other), event(operation)]))
                continue
            }
            repeated["\(operation.agency) \(operation.instance)", default: []].append((other, operation))
        }
        // One for each installation: a log that was written into itself would be a wall of them.
        for (_, pairs) in repeated.sorted(by: { $0.key < $1.key }) {
            guard let pair = pairs.first else { continue }
            verdict.add(
                Finding(
                    .logs, history.delegation, ReceiptChecks.repetition,
                    events: [event(pair.first), event(pair.second)]
                        + (pairs.count > 1 ? ["and so do \(pairs.count - 1) more of this installation"] : [])))
        }
    }

    private func request(_ key: Key, _ verb: String) -> History.Request {
        History.Request(agency: key.agency, instance: key.instance, verb: verb, key: key.key)
    }

    private func lost(_ operation: ClientOperation, _ why: String, _ verdict: inout Verdict) {
        verdict.add(
            Finding(
                .nothingLost, history.delegation, "an acknowledged operation is not in the database",
                events: [event(operation), why]))
    }

    private func event(_ operation: ClientOperation) -> String { operation.line }
}

extension ClientOperation {
    /// For people: where it stands, and what it says.
    var line: String { "\(place) of \(agency): \(ClientLog.line(self).prefix(240))" }

    /// Of a refusal that was kept, which binds its key as well; `nil` for everything else.
    fileprivate var evidenceKind: String? {
        guard case .refused(let refusal) = reply, refusal.evidence != nil else { return nil }
        return "\(refusal.verb) evidence"
    }

    /// The verb whose key the reply has bound; `nil` where the reply binds none.
    fileprivate var boundKind: String? {
        switch reply {
        case .granted: "LEASE"
        case .reported: "REPORT"
        case .extended: "EXTEND"
        case .returned: "RETURN"
        case .disclosed, .compared, .refused, .repeated, .altered: nil
        }
    }
}
