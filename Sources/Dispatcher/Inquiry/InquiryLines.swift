// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
internal import Assignment
internal import PgStore

extension HeldDetail {
    /// The data line of `HELD`.
    func fields(at now: Timestamp) -> [ReplyField] {
        let told = LeasedAccount(dealt, contactRules, leasedAt: grantedAt)
        var fields = lease.fields
        fields.append(ReplyField("grant", grant))
        if let contract { fields.append(ReplyField("contract", contract)) }
        if let strategy { fields.append(ReplyField("strategy", strategy)) }
        if let portfolio { fields.append(ReplyField("portfolio", portfolio)) }
        fields += [ReplyField("term", term), ReplyField("ceiling", ceiling)]
        if let workBy { fields.append(ReplyField("work-by", workBy)) }
        fields += [
            ReplyField("grace", grace.components.seconds), ReplyField("tactic", dealt.tactic),
            ReplyField("band", told.band),
            ReplyField("due", dealt.due), ReplyField("overdue", dealt.overdue),
            ReplyField("reference", dealt.reference), ReplyField("window", told.window),
        ]
        if let next = nextStep(at: now) { fields.append(ReplyField("next", next)) }
        return fields + (paid?.fields ?? []) + (started?.fields ?? []) + (recall?.fields ?? [])
    }
}

extension StartedSince {
    var fields: [ReplyField] { [ReplyField("changed", reason), ReplyField("changed-on", on)] }
}

extension PaidSince {
    var fields: [ReplyField] {
        var fields: [ReplyField] = []
        if amount > .zero, let latest { fields += [ReplyField("paid", amount), ReplyField("paid-on", latest)] }
        if reversed > .zero { fields.append(ReplyField("reversed", reversed)) }
        return fields
    }
}

extension PendingRecall {
    var fields: [ReplyField] {
        var fields = [ReplyField("recall", notice.due ?? notice.finalAt), ReplyField("recall-reason", reason)]
        switch notice.state {
        case .pending: break
        case .objected: fields.append(ReplyField("objection", "open"))
        case .upheld: if isObjected { fields.append(ReplyField("objection", "refused")) }
        // What was withdrawn although nobody objected is no answer to an objection.
        case .withdrawn:
            fields.append(isObjected ? ReplyField("objection", "accepted") : ReplyField("decision", "withdrawn"))
        }
        return fields
    }
}

extension HeldDetail {
    /// The next step and the first day for it, by the clocks of the municipality: `call/2024-03-05`; `nil` after the last step of a
    /// cadence, where a payment came since the lease, and where a recall makes it idle.
    fileprivate func nextStep(at now: Timestamp) -> String? {
        let zone = dealt.municipality?.timeZone ?? .mexicoCity
        var step = ("call", contactRules.nextDay(from: now, in: zone))
        if contactRules.hasCadence, let paid, paid.amount > .zero { return nil }
        if contactRules.hasCadence, let history {
            let band = Cadence.Band(arrears: dealt.arrears)
            guard let next = history.next(band: band, at: place, today: step.1, reading: contactRules.reading)
            else { return nil }
            let isVisit = next.what.hasSuffix("visit")
            step = (
                next.what, max(next.day, contactRules.nextDay(from: now, in: zone, by: isVisit ? .visit : .phoneOut))
            )
        }
        if let due = recall?.notice.due, zone.local(due).date <= step.1 { return nil }
        return "\(step.0)/\(step.1)"
    }
}

extension ProjectionStore.Row {
    /// A data line of `STATUS` about a penalty or minimum that the month would end in.
    var fields: [ReplyField] {
        var fields = [
            ReplyField("warning", line.rule), ReplyField("level", line.level.rawValue),
            ReplyField("period", period.description),
        ]
        if let delegation = line.delegation { fields.append(ReplyField("delegation", delegation)) }
        fields.append(ReplyField("contract", contract))
        if !line.subject.isEmpty { fields.append(ReplyField("subject", line.subject)) }
        if !line.now.isEmpty { fields.append(ReplyField("now", line.now)) }
        fields.append(ReplyField("limit", line.limit))
        if !line.end.isEmpty { fields.append(ReplyField("end", line.end)) }
        if !line.need.isEmpty { fields.append(ReplyField("need", line.need)) }
        if let unit = line.unit { fields.append(ReplyField("unit", unit)) }
        if line.charge > .zero { fields.append(ReplyField("charge", line.charge)) }
        return fields
    }
}

extension Standing {
    /// The data line of `STATUS`.
    var statusFields: [ReplyField] {
        var fields =
            place + [
                ReplyField("free", free), ReplyField("held", quota.heldAccounts),
                ReplyField("quota", quota.limitAccounts), ReplyField("quota-left", quota.freeAccounts),
            ]
        if let advisers, let capacity {
            fields += [ReplyField("advisers", Int64(advisers.committed)), ReplyField("capacity", capacity)]
        }
        if let limit = quota.limitExposure {
            fields.append(ReplyField("room", max(.zero, limit - quota.heldExposure)))
        }
        fields.append(ReplyField("stop", stop?.rawValue ?? "scope"))
        if !pausedBy.isEmpty { fields.append(ReplyField("paused-by", pausedBy.joined(separator: "+"))) }
        return fields + [ReplyField("packs", rulePacks.joined(separator: "+"))]
    }

    /// The data line of `EXPLAIN` about a strategy: what there was to deal, what was dealt to whom, and what limits a pull now.
    var explanation: [ReplyField] {
        var fields =
            place + [
                ReplyField("pool", pool.dealt), ReplyField("sharers", pool.contracts), ReplyField("dealt", dealt),
                ReplyField("drawn", dealt - free), ReplyField("free", free), ReplyField("held", quota.heldAccounts),
                ReplyField("quota", quota.limitAccounts), ReplyField("plan", plan),
            ]
        if let limitSince { fields.append(ReplyField("since", limitSince)) }
        if let advisers, let capacity {
            fields += [
                ReplyField("advisers", Int64(advisers.committed)), ReplyField("each", Int64(advisers.accountsEach)),
                ReplyField("capacity", capacity),
            ]
        }
        if let limit = quota.limitExposure {
            fields += [ReplyField("exposure", quota.heldExposure), ReplyField("exposure-limit", limit)]
        }
        fields.append(ReplyField("stop", stop?.rawValue ?? "scope"))
        if !pausedBy.isEmpty { fields.append(ReplyField("paused-by", pausedBy.joined(separator: "+"))) }
        return fields
    }

    private var place: [ReplyField] {
        [
            ReplyField("delegation", delegation), ReplyField("contract", contract), ReplyField("strategy", strategy),
            ReplyField("portfolio", portfolio),
        ]
    }
}

extension KeptEvidence {
    /// What came too late, in the data lines of `EXPLAIN`, with what became of it.
    var event: [ReplyField] {
        let name =
            switch verb {
            case .report: "late-report"
            case .return: "late-return"
            case .object: "late-objection"
            }
        var fields = [
            ReplyField("event", name), ReplyField("epoch", lease.epoch), ReplyField("evidence", number),
            ReplyField("code", code), ReplyField("at", receivedAt),
        ]
        if let given { fields.append(ReplyField("reason", given)) }
        return fields + [ReplyField("counts", decision?.word ?? EvidenceCount(counts).rawValue)]
    }

    /// The reason that a return or an objection gave.
    var given: String? {
        switch verb {
        case .report: nil
        case .return: ReturnRequest(kept: content, key: key.key)?.reason.rawValue
        case .object: ObjectRequest(kept: content, key: key.key)?.reason.rawValue
        }
    }
}

extension AccountOutcome {
    fileprivate var fields: [ReplyField] {
        var fields = [
            ReplyField("outcome", number), ReplyField("at", workedAt), ReplyField("channel", channel),
            ReplyField("contact", contact), ReplyField("result", result),
        ]
        if let amount { fields.append(ReplyField("amount", amount)) }
        if let promisedOn { fields.append(ReplyField("promised", promisedOn)) }
        if isLate { fields.append(ReplyField("late", true)) }
        if let review { fields += [ReplyField("review", review.decision), ReplyField("review-reason", review.reason)] }
        return fields
    }
}

extension AccountDeal {
    /// What happened to the account under this epoch, in order: the data lines of `EXPLAIN` about an account.
    ///
    /// - Parameter outcomes: what the agency reported under it.
    func history(_ outcomes: [AccountOutcome]) -> [[ReplyField]] {
        var lines: [[ReplyField]] = []
        var placed = event("placed") + [ReplyField("period", period.description)]
        if let rule { placed.append(ReplyField("rule", rule)) }
        if let policy { placed += [ReplyField("policy", policy.name), ReplyField("policy-version", policy.version)] }
        if let strategy { placed.append(ReplyField("strategy", strategy)) }
        placed.append(ReplyField("tactic", tactic))
        if let portfolio { placed.append(ReplyField("portfolio", portfolio)) }
        lines.append(placed + [ReplyField("priority", Int64(priority))])
        lines.append(
            event("dealt") + [
                ReplyField("plan", plan), ReplyField("hand", Int64(hand)), ReplyField("position", Int64(position)),
                ReplyField("of", Int64(handSize)),
            ])
        var leased = event("leased") + [ReplyField("grant", grant)]
        if let contract { leased.append(ReplyField("contract", contract)) }
        lines.append(leased + [ReplyField("at", grantedAt), ReplyField("term", term)])
        if let recall { lines.append(event("recall-noticed") + recall.fields) }
        lines += outcomes.map { event("reported") + $0.fields }
        // What ended the deal later, a stop for example, ended nothing of the lease.
        if let ending, closedAt.map({ ending.at < $0 }) ?? true {
            lines.append(
                event("ended") + [
                    ReplyField("kind", ending.kind), ReplyField("reason", ending.reason), ReplyField("at", ending.at),
                ])
        } else if let closedAt {
            lines.append(event("ended") + [ReplyField("kind", "term"), ReplyField("at", closedAt)])
        }
        return lines
    }

    private func event(_ name: String) -> [ReplyField] { [ReplyField("event", name), ReplyField("epoch", epoch)] }
}
