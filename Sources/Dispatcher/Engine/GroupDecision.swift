// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
internal import Assignment
internal import PgStore

/// Decides every request of a group from what the database said, one after the other, so that a later one sees what an
/// earlier one did. Touches nothing: it gives the replies and what to write.
struct GroupDecision {
    private(set) var replies: [Reply] = []
    /// Pulls, by their place in the group, whose hand's limit is used up and who go on to another one before they are answered.
    private(set) var passed: [Int: QuotaKey] = [:]
    private(set) var writes: GroupWrites
    /// How far each hand was drawn.
    private(set) var cursors: [HandKey: Int32] = [:]

    private let answer: GroupAnswer
    private var draws: [HandKey: HandDraw] = [:]
    private var quotas: [QuotaKey: QuotaBalance]
    private var leases: [LeaseKey: GroupAnswer.Lease]
    private var machines: [GrantKey: GrantStateMachine] = [:]
    private var records: [LedgerRecord] = []
    private var outcomeNumbers: ArraySlice<Int64>
    private var evidenceNumbers: ArraySlice<Int64>
    /// Where the ledger's records belong: the period in which the group commits.
    private let ledgerPeriod: Period

    private var notices: [LeaseKey: RecallNotice] = [:]
    /// The objections of this group.
    private var objections: [LeaseKey: GroupAnswer.Objection] = [:]
    private let objectionHold: Duration
    private var evidence: EvidenceBounds
    /// On the clock of ``evidence``.
    private let uptime: Int64
    /// What came too late in this group and is kept, by agency.
    private(set) var evidenceCounts: [AgencyID: Int64] = [:]

    private var now: Timestamp { answer.now }

    init(
        _ plan: GroupPlan, _ answer: GroupAnswer, objectionHold: Duration, evidence: EvidenceBounds, uptime: Int64
    ) {
        self.answer = answer
        self.evidence = evidence
        self.uptime = uptime
        self.objectionHold = objectionHold
        self.quotas = answer.quotas
        self.leases = answer.leases
        self.outcomeNumbers = answer.outcomeNumbers[...]
        self.evidenceNumbers = answer.evidenceNumbers[...]
        self.ledgerPeriod = Period.ofWork(at: answer.now)
        self.writes = GroupWrites(now: answer.now, outage: answer.outage)
        for (key, hand) in answer.hands {
            draws[key] = HandDraw(
                cursor: hand.cursor, size: hand.size, window: hand.window.map(\.position), seen: hand.seen)
        }
        for step in plan.steps { replies.append(decide(step)) }
        for (key, draw) in draws { cursors[key] = draw.cursor }
        writes.blocks = LedgerBlock.seal(records)
    }

    private mutating func decide(_ step: GroupPlan.Step) -> Reply {
        // What is written into a restored database can be lost with it once more: the same request later loses nothing.
        if answer.awaitsRecovery { return .awaitsRecovery }
        return switch step.request.work {
        case .lease(let request): lease(request, step)
        case .report(let request): report(request, step)
        case .extend(let request): extend(request, step)
        case .giveBack(let request): giveBack(request, step)
        case .object(let request): object(request, step)
        }
    }

    // MARK: - LEASE

    private mutating func lease(_ request: LeaseRequest, _ step: GroupPlan.Step) -> Reply {
        if let known = answer.knownLeases[step.key] {
            guard known.requestHash == step.hash else { return .keyReused }
            guard !LeaseTerms.isKeyForgotten(grantEnd: known.end, at: now) else { return .refused(.keyExpired) }
            return .leased(
                accounts: known.accounts.map { LeasedAccount($0, known.contactRules, leasedAt: known.grantedAt) },
                grant: LeaseSummary(
                    grant: known.grant, contract: known.contract, portfolio: known.portfolio, term: known.term,
                    ceiling: known.ceiling,
                    workBy: LeaseTerms.workBy(
                        grantedAt: known.grantedAt, activityDays: known.activityDays, term: known.term),
                    graceSeconds: known.grace.components.seconds, left: known.left, stop: known.stop))
        }
        switch step.choice {
        case nil: return .refused(.scope)
        case .outOfScope(let part): return .refused(.scope, part.fields(request.delegation))
        case .noTactic:
            return .refused(
                .mixedHand,
                [ReplyField("field", "tactic"), ReplyField("expected", "no tactic: pulls take what is next")])
        case .unknownTactic(let names):
            return .refused(
                .badValue,
                [ReplyField("field", "tactic"), ReplyField("expected", names.sorted().joined(separator: " | "))])
        case .nothingDealt: return .nothing(stop: .empty)
        case .suspended: return .nothing(stop: .suspended)
        case .paused: return .nothing(stop: .paused)
        case .redealing: return .redealing
        case .hand(let route, let hasMoreHands, let goesOn):
            let reply = draw(request, step, route, hasMoreHands)
            guard case .leased(_, let summary) = reply, summary.grant == nil, summary.stop.isOfLimit else {
                return reply
            }
            // The reply is the next one of the group.
            if goesOn { passed[replies.count] = route.quota }
            return step.request.firstFull ?? reply
        }
    }

    private mutating func draw(
        _ request: LeaseRequest, _ step: GroupPlan.Step, _ route: HandRoute, _ hasMoreHands: Bool
    ) -> Reply {
        guard let hand = answer.hands[route.key], hand.isOpen, var draw = draws[route.key],
            var quota = quotas[route.quota]
        else { return .redealing }
        guard !hand.barred.contains(route.contract.value) else { return .nothing(stop: .suspended) }
        // Whichever node booked the pause: this is read after the locks, and the routes may be a second old.
        guard !answer.paused.contains(request.place(of: step.request.identity.agency)) else {
            return .nothing(stop: .paused)
        }
        let drawn = draw.take(request.max, from: &quota, hasMoreHands: hasMoreHands)
        let stop = drawn.stop == .quota && route.isCapacity(of: quota) ? .capacity : drawn.stop
        draws[route.key] = draw
        quotas[route.quota] = quota
        guard !drawn.taken.isEmpty || !drawn.skipped.isEmpty else {
            return .nothing(left: draw.left, stop: stop, of: route)
        }
        let row = grantRow(step, route, drawn, quota, left: draw.left, stop: stop)
        writes.grants.append(row)
        records.append(.grant(row, period: ledgerPeriod, at: now))
        guard !drawn.taken.isEmpty else {
            return .nothing(left: draw.left, stop: stop, of: route)
        }
        return .leased(
            accounts: hand.window[drawn.firstIndex...].prefix(drawn.taken.count).map {
                LeasedAccount($0, route.contactRules, leasedAt: now)
            },
            grant: LeaseSummary(
                grant: row.grant, contract: row.contract, portfolio: route.portfolio, term: row.term,
                ceiling: row.ceiling,
                workBy: LeaseTerms.workBy(
                    grantedAt: now, activityDays: route.terms.activityDays, term: row.term),
                graceSeconds: row.grace.components.seconds, left: row.left, stop: stop))
    }

    private func grantRow(
        _ step: GroupPlan.Step, _ route: HandRoute, _ drawn: HandDraw.Draw, _ quota: QuotaBalance, left: Int64,
        stop: PullStop
    ) -> GrantRow {
        var digest = HeldDigest.empty
        for account in drawn.taken { digest.add(route.key.delegation, account.account, account.epoch) }
        let identity = step.request.identity
        return GrantRow(
            // Only skipped positions make no lease, and leave the key free.
            key: drawn.taken.isEmpty ? nil : step.key, agency: identity.agency, instance: identity.instanceID,
            delegation: route.key.delegation, grant: GrantID(hand: route.key.hand, first: drawn.first),
            last: drawn.last,
            quota: route.quota.quota, contract: route.contract, requestHash: step.hash, skipped: drawn.skipped,
            accounts: drawn.taken.count, exposure: drawn.exposure, totalAccounts: quota.grantedAccounts,
            totalExposure: quota.grantedExposure, left: left, stop: stop, heldDigest: digest.bytes,
            term: route.terms.term(from: now), ceiling: route.terms.ceiling(from: now), grace: route.terms.grace)
    }

    // MARK: - REPORT

    private mutating func report(_ request: ReportRequest, _ step: GroupPlan.Step) -> Reply {
        let key = LeaseKey(delegation: request.delegation, account: request.account, epoch: request.epoch)
        // What the key will be of is settled in a moment, and elsewhere.
        guard !answer.busyKeys.contains(step.key) else { return .refused(.busy, after: 1) }
        // Evidence first: a late report that counts has an outcome as well, and its first answer was the refusal.
        if let known = answer.knownEvidence[step.key] {
            guard known.requestHash == step.hash else { return .keyReused }
            guard !isForgotten(leases[key]) else { return .refused(.keyExpired) }
            return .stale(
                ReplyCode(known.code), epoch: known.liveEpoch, evidence: known.evidence,
                counts: EvidenceCount(known.counts))
        }
        if let known = answer.knownOutcomes[step.key] {
            guard known.requestHash == step.hash else { return .keyReused }
            guard !isForgotten(leases[key]) else { return .refused(.keyExpired) }
            return .reported(
                outcome: known.outcome.number, receipt: LedgerRecord.outcome(known.outcome).receipt,
                marks: toldMarks(request, leases[key], isBanned: known.isVisitBanned))
        }
        guard request.at <= now else { return .refused(.clock, [ReplyField("time", now)]) }
        let period = Period.ofWork(at: request.at)
        if !answer.openPeriods.contains(period) { return outside(period, request, step, leases[key]) }
        guard let lease = leases[key], let contract = lease.contract else { return keep(request, step, .unknown, nil) }
        // Late as well as in time: what is void does not count for having waited. Another agency's lease is unknown all the same.
        if lease.facts.holder == step.request.identity.agency, lease.makesVoid(request) {
            return .refused(.badValue, [ReplyField("field", "solution"), ReplyField("expected", "payoff")])
        }
        if let reason = lease.facts.staleness(for: step.request.identity.agency, at: now) {
            return keep(request, step, reason, lease)
        }
        guard request.at >= lease.facts.grant.grantedAt else {
            return .refused(.clock, [ReplyField("granted", lease.facts.grant.grantedAt.roundedUp)])
        }
        let record = insert(request, step, lease, contract, period)
        return .reported(
            outcome: record.number, receipt: LedgerRecord.outcome(record).receipt,
            marks: toldMarks(request, lease, isBanned: lease.isVisitBanned))
    }

    /// The contact rules that the work breaks, as far as it alone tells: the same for a request and its repetition. What the follower
    /// marks later, from the work before it, is no part of the reply.
    ///
    /// - Parameter isBanned: whether visits were banned there when the report came; bans change, and the outcome keeps its mark.
    private func toldMarks(
        _ request: ReportRequest, _ lease: GroupAnswer.Lease?, isBanned: Bool
    ) -> [ContactMark] {
        lease?.marks(of: request, isVisitBanned: isBanned) ?? []
    }

    /// What is said of work in a month that takes none. `PERIOD-CLOSED` is for a month that was open once: where there was
    /// none yet, the time is wrong, or the month is still to be opened.
    private func outside(
        _ period: Period, _ request: ReportRequest, _ step: GroupPlan.Step, _ lease: GroupAnswer.Lease?
    ) -> Reply {
        let month = ReplyField("period", period.description)
        if answer.knownPeriods.contains(period) { return .refused(.periodClosed, [month]) }
        if let facts = lease?.facts, facts.holder == step.request.identity.agency,
            request.at < facts.grant.grantedAt
        {
            return .refused(.clock, [ReplyField("granted", facts.grant.grantedAt.roundedUp)])
        }
        guard let first = answer.knownPeriods.min(), first < period else { return .refused(.clock, [month]) }
        return .refused(Refusal(.periodNotOpen, after: Self.openingSeconds, [month]))
    }

    /// A month is opened by its first file, which takes people hours rather than seconds.
    private static let openingSeconds: Int64 = 3_600

    @discardableResult
    private mutating func insert(
        _ request: ReportRequest, _ step: GroupPlan.Step, _ lease: GroupAnswer.Lease, _ contract: ContractID,
        _ period: Period, mark: String? = nil
    ) -> OutcomeRow {
        let row = OutcomeRow(
            key: step.key, period: period, number: outcomeNumbers.popFirst() ?? 0, account: request.account,
            epoch: request.epoch, contract: contract, workedAt: request.at, receivedAt: now,
            channel: request.channel.rawValue, contact: request.contact.rawValue, result: request.result.rawValue,
            amount: request.amount, promisedOn: request.promised, requestHash: step.hash)
        let broken = toldMarks(request, lease, isBanned: lease.isVisitBanned)
        let marks = (mark.map { [$0] } ?? []) + broken.map(\.rawValue)
        writes.outcomes.append(
            OutcomeInsert(
                row: row, hand: lease.hand, position: lease.position, marks: marks, extra: OutcomeExtra.json(request)))
        records.append(.outcome(row))
        return row
    }

    /// Keeps a report that came too late or to the wrong lease, and says whether it will count.
    private mutating func keep(
        _ request: ReportRequest, _ step: GroupPlan.Step, _ reason: StaleReason, _ lease: GroupAnswer.Lease?
    ) -> Reply {
        if let refusal = takeEvidenceRoom(step) { return refusal }
        // Another agency's lease is unknown to this one: nothing of it may show.
        let own = reason == .unknown ? nil : lease
        let judgement = own?.facts.judgeLate(workedAt: request.at, at: now) ?? .doesNot
        let row = EvidenceRow(
            verb: .report, key: step.key, number: evidenceNumbers.popFirst() ?? 0, code: reason,
            account: request.account,
            epoch: request.epoch, liveEpoch: own?.facts.presentEpoch, counts: judgement.counts,
            content: String(decoding: request.canonicalContent, as: UTF8.self), requestHash: step.hash)
        writes.evidence.append(row)
        records.append(.evidence(row, period: ledgerPeriod, at: now))
        if judgement == .counts, let own, let contract = own.contract {
            insert(request, step, own, contract, Period.ofWork(at: request.at), mark: "late")
        }
        return .stale(ReplyCode(reason), epoch: row.liveEpoch, evidence: row.number, counts: EvidenceCount(row.counts))
    }

    // MARK: - EXTEND

    private mutating func extend(_ request: ExtendRequest, _ step: GroupPlan.Step) -> Reply {
        let key = GrantKey(delegation: request.delegation, grant: request.grant)
        let end = answer.grants[key].map { $0.machine.end(credit: $0.credit) }
        if let reply = known(.extend, step, grantEnd: end) { return reply }
        guard let grant = answer.grants[key], grant.holder == step.request.identity.agency else {
            return kept(.extend, step, .stale(.unknown))
        }
        var machine = machines[key] ?? grant.machine
        let ended = writes.endings.count {
            $0.lease.delegation == request.delegation && leases[$0.lease]?.grant == request.grant
        }
        let bar = grant.held <= Int64(ended) ? .nothingHeld : grant.bar
        let action = machine.extend(to: request.until, at: now, credit: grant.credit, bar: bar)
        machines[key] = machine
        switch action {
        case .write(let term):
            writes.extensions.removeAll { $0.grant == key }
            writes.extensions.append((key, term))
            let record = LedgerRecord.extension_(key, term: term, period: ledgerPeriod, at: now)
            records.append(record)
            let ceiling = if case .open(_, let ceiling) = machine.state { ceiling } else { term }
            return kept(.extend, step, .extended(term: term, ceiling: ceiling, receipt: record.receipt))
        case .refuseBeyond(let ceiling):
            return .refused(.beyondCeiling, [ReplyField("ceiling", ceiling)])
        case .refuseNotLater(let term):
            return .refused(
                .badValue,
                [ReplyField("field", "until"), ReplyField("expected", "later than term="), ReplyField("term", term)])
        case .refuseExpired:
            return kept(.extend, step, .stale(.expired))
        // Neither binds the key: a recall can be withdrawn, and then the same request passes.
        case .refuseBarred(.noticed(let account)):
            return .refused(.noticed, [ReplyField("account", account)])
        case .refuseBarred(.terminated):
            return .refused(.terminated)
        case .refuseBarred(.nothingHeld):
            return kept(.extend, step, .stale(.closed))
        }
    }

    // MARK: - RETURN

    private mutating func giveBack(_ request: ReturnRequest, _ step: GroupPlan.Step) -> Reply {
        let key = LeaseKey(delegation: request.delegation, account: request.account, epoch: request.epoch)
        if let reply = known(.return, step, grantEnd: leases[key]?.grantEnd) { return reply }
        guard let lease = leases[key] else { return late(.return, step, key, .unknown, nil, request.canonicalContent) }
        if let reason = lease.facts.staleness(for: step.request.identity.agency, at: now) {
            return late(.return, step, key, reason, lease, request.canonicalContent)
        }
        let row = EndingRow(
            lease: key, kind: .return, reason: request.reason.rawValue, hand: lease.hand, position: lease.position,
            quota: lease.quota, exposure: lease.exposure)
        writes.endings.append(row)
        leases[key] = lease.ended(.init(kind: .return, at: now))
        let record = LedgerRecord.ending(row, period: ledgerPeriod, at: now)
        records.append(record)
        return kept(.return, step, .returned(receipt: record.receipt))
    }

    // MARK: - OBJECT

    private mutating func object(_ request: ObjectRequest, _ step: GroupPlan.Step) -> Reply {
        let key = LeaseKey(delegation: request.delegation, account: request.account, epoch: request.epoch)
        if let reply = known(.object, step, grantEnd: leases[key]?.grantEnd) { return reply }
        guard let lease = leases[key] else { return late(.object, step, key, .unknown, nil, request.canonicalContent) }
        if let reason = lease.facts.staleness(for: step.request.identity.agency, at: now) {
            return late(.object, step, key, reason, lease, request.canonicalContent)
        }
        guard let notice = notices[key] ?? lease.notice else { return kept(.object, step, .refused(.noNotice)) }
        // Its date has come, and nobody has ended the lease yet: that is a matter of a second, and the objection is late.
        if let due = notice.due, due <= now {
            return late(.object, step, key, .recalled, lease, request.canonicalContent)
        }
        switch notice.object(at: now, hold: objectionHold) {
        case .write(let heldUntil):
            let row = ObjectionRow(lease: key, reason: request.reason.rawValue, heldUntil: heldUntil)
            writes.objections.append(row)
            notices[key] = RecallNotice(state: .objected(heldUntil: heldUntil), finalAt: notice.finalAt)
            objections[key] = GroupAnswer.Objection(row: row, at: now)
            let record = LedgerRecord.objection(row, period: ledgerPeriod, at: now)
            records.append(record)
            return kept(
                .object, step,
                .listed([], end: [ReplyField("until", heldUntil), ReplyField("receipt", bytes: record.receipt)]))
        case .keep(let heldUntil):
            // The first one stands: this one is told what that one was, by the receipt of its record.
            var end = [ReplyField("until", heldUntil)]
            if let first = objections[key] ?? lease.objection {
                let record = LedgerRecord.objection(first.row, period: Period.ofWork(at: first.at), at: first.at)
                end.append(ReplyField("receipt", bytes: record.receipt))
            }
            return kept(.object, step, .listed([], end: end))
        case .refuse:
            return kept(.object, step, .refused(.noNotice))
        }
    }

    // MARK: - What came too late

    /// Keeps what was said of a lease that is over, or of none: it changes nothing of it any more, and nobody shall say that it
    /// was not said.
    private mutating func late(
        _ verb: LateVerb, _ step: GroupPlan.Step, _ key: LeaseKey, _ reason: StaleReason, _ lease: GroupAnswer.Lease?,
        _ content: [UInt8]
    ) -> Reply {
        if let refusal = takeEvidenceRoom(step) { return refusal }
        let row = EvidenceRow(
            verb: verb, key: step.key, number: evidenceNumbers.popFirst() ?? 0, code: reason, account: key.account,
            epoch: key.epoch, liveEpoch: reason == .unknown ? nil : lease?.facts.presentEpoch, counts: false,
            content: String(decoding: content, as: UTF8.self), requestHash: step.hash)
        writes.evidence.append(row)
        records.append(.evidence(row, period: ledgerPeriod, at: now))
        return kept(
            verb == .object ? .object : .return, step,
            .stale(ReplyCode(reason), epoch: row.liveEpoch, evidence: row.number, counts: .no))
    }

    /// What an agency says too late is kept up to a bound, and beyond it refused for now.
    private mutating func takeEvidenceRoom(_ step: GroupPlan.Step) -> Reply? {
        let agency = step.request.identity.agency
        guard evidence.room(of: agency, at: uptime) > 0 else {
            return .refused(
                .limit, after: evidence.wait(of: agency, at: uptime), [ReplyField("reason", "evidence")])
        }
        evidence.keep(1, of: agency, at: uptime)
        evidenceCounts[agency, default: 0] += 1
        return nil
    }

    // MARK: - Kept replies

    private func known(_ verb: KeptVerb, _ step: GroupPlan.Step, grantEnd: Timestamp?) -> Reply? {
        guard let known = answer.knownReplies[verb]?[step.key] else { return nil }
        guard known.requestHash == step.hash else { return .keyReused }
        if let grantEnd, LeaseTerms.isKeyForgotten(grantEnd: grantEnd, at: now) { return .refused(.keyExpired) }
        return .recorded(RecordedReply(text: known.reply))
    }

    private func isForgotten(_ lease: GroupAnswer.Lease?) -> Bool {
        lease.map { LeaseTerms.isKeyForgotten(grantEnd: $0.grantEnd, at: now) } ?? false
    }

    /// Binds the key to this reply for good.
    private mutating func kept(_ verb: KeptVerb, _ step: GroupPlan.Step, _ reply: Reply) -> Reply {
        writes.replies.append(
            KeptReplyRow(verb: verb, key: step.key, requestHash: step.hash, reply: RecordedReply(reply).text))
        return reply
    }
}

extension PullStop {
    /// Whether a limit of the contract is used up.
    fileprivate var isOfLimit: Bool {
        switch self {
        case .quota, .capacity, .bond: true
        case .limit, .hand, .empty, .paused, .suspended: false
        }
    }
}

extension GroupAnswer.Lease {
    /// The contact rules that the work breaks by itself, by the clocks of the debtor's municipality.
    func marks(of request: ReportRequest, isVisitBanned: Bool) -> [ContactMark] {
        contactRules.marks(
            request.channel, at: request.at, in: municipality?.timeZone ?? request.delegation.timeZone,
            isVisitBanned: isVisitBanned)
    }

    /// Whether the report is of an agreement that the account cannot have: a broken restructure can only be paid off.
    /// - Source: FIN-08.
    func makesVoid(_ request: ReportRequest) -> Bool {
        request.result == .agreementSigned && tactic == Self.payoffOnly && contactRules.packs.contains(.fonacot)
            && request.solution?.text != "payoff"
    }

    /// The tactic of `fonacot` for restructures that were broken.
    private static let payoffOnly = "payoff-only"

    /// When the grant ended, or will end if nothing is extended.
    fileprivate var grantEnd: Timestamp { facts.grant.end(credit: facts.credit) }
}

extension Timestamp {
    /// The first instant that replies can show, which is in whole milliseconds, and that is not before this one.
    fileprivate var roundedUp: Timestamp { Timestamp(microseconds: (microseconds + 999) / 1_000 * 1_000) }
}

extension LeaseFacts.LateJudgement {
    /// As evidence has it; `nil` waits for a person.
    fileprivate var counts: Bool? {
        switch self {
        case .counts: true
        case .doesNot: false
        case .waits: nil
        }
    }
}

extension Reply {
    static let keyReused = Reply.refused(
        .keyReused, [ReplyField("field", "key"), ReplyField("expected", "a key that no other request had")])

    /// A pull that brought nothing. `after=` says when asking again makes sense: at once where it is the next hand's turn; an hour
    /// later where an order, or a month, has to change; a minute later where returns, payments, files and other agencies' pulls do.
    /// Where a limit is used up, it names whose: that of `route`.
    fileprivate static func nothing(left: Int64 = 0, stop: PullStop, of route: HandRoute? = nil) -> Reply {
        let after: Int64? =
            switch stop {
            case .limit, .hand: nil
            case .suspended: 3_600
            case .paused, .empty, .quota, .capacity, .bond: 60
            }
        let limited = stop.isOfLimit ? route : nil
        return .leased(
            accounts: [],
            grant: .nothing(
                contract: limited?.contract, portfolio: limited?.portfolio, left: left, stop: stop, after: after))
    }

    /// What is left is being dealt again, which takes seconds.
    fileprivate static var redealing: Reply {
        .leased(accounts: [], grant: .nothing(stop: .paused, after: 1))
    }

    /// Nothing was done; a person is at work on it.
    static let awaitsRecovery = Reply.refused(.unavailable, after: 60, [ReplyField("reason", "restored")])
}

extension EvidenceCount {
    init(_ counts: Bool?) { self = counts.map { $0 ? .yes : .no } ?? .pending }
}

extension ReplyCode {
    init(_ reason: StaleReason) {
        switch reason {
        case .expired: self = .expired
        case .reassigned: self = .reassigned
        case .recalled: self = .recalled
        case .closed: self = .closed
        case .unknown: self = .unknown
        }
    }
}
