// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// One holder at a time, epochs that rise and live once, and nothing that counts after its lease's end.
struct LeaseChecks {
    let history: History
    let leases: [Lease]
    let order: LedgerOrder

    func run(_ verdict: inout Verdict) {
        let byAccount = Dictionary(grouping: leases, by: \.held.account)
        for account in byAccount.keys.sorted() {
            let ordered = (byAccount[account] ?? []).sorted { ($0.from, $0.held.epoch) < ($1.from, $1.held.epoch) }
            oneHolder(account, ordered, &verdict)
            rising(account, ordered, &verdict)
        }
        dealtOnce(&verdict)
        dealtRising(&verdict)
        waitingOnce(byAccount, &verdict)
        fencing(&verdict)
        givenBackInTime(&verdict)
    }

    /// A lease that ends in the instant in which the next one begins does not overlap it, where its end was committed before: under a
    /// virtual clock many things happen in one instant.
    private func oneHolder(_ account: AccountID, _ ordered: [Lease], _ verdict: inout Verdict) {
        verdict.count(.oneHolder, ordered.count)
        for (earlier, later) in zip(ordered, ordered.dropFirst()) {
            let blocks = order.block(ofEndOf: earlier).flatMap { end in
                order.block(of: later.grant.grant).map { (end: end, next: $0) }
            }
            if let until = earlier.until, until <= later.from, blocks.map({ order.isBehind($0.next, $0.end) }) ?? true {
                continue
            }
            verdict.add(
                Finding(
                    .oneHolder, history.delegation, "account \(account) was leased again while its lease was live",
                    events: [earlier.line, later.line]
                        + (blocks.map { ["the end is of block \($0.end), the later grant of block \($0.next)"] } ?? []))
            )
        }
    }

    private func rising(_ account: AccountID, _ ordered: [Lease], _ verdict: inout Verdict) {
        verdict.count(.epochs, ordered.count)
        for (earlier, later) in zip(ordered, ordered.dropFirst()) where later.held.epoch <= earlier.held.epoch {
            verdict.add(
                Finding(
                    .epochs, history.delegation, "account \(account) was leased with an epoch that does not rise",
                    events: [earlier.line, later.line]))
        }
    }

    private func dealtOnce(_ verdict: inout Verdict) {
        var places: [Held: History.Position] = [:]
        for position in history.positions {
            verdict.count(.epochs)
            guard let other = places[position.held] else {
                places[position.held] = position
                continue
            }
            verdict.add(
                Finding(
                    .epochs, history.delegation, "\(position.held) was dealt twice",
                    events: [other, position].map { "hand \($0.hand) position \($0.position) has \($0.held)" }))
        }
        for deal in history.deals {
            verdict.count(.epochs)
            let place = places[deal.held]
            guard place?.hand != deal.hand || place?.position != deal.position else { continue }
            let found = place.map { "hand \($0.hand) position \($0.position)" } ?? "no position"
            verdict.add(
                Finding(
                    .epochs, history.delegation, "\(deal.held) is not where its deal says",
                    events: ["dealt to hand \(deal.hand) position \(deal.position)", "found at \(found)"]))
        }
    }

    /// Hands are numbered in the order in which they are dealt, and nothing is dealt into one later: so an account's epochs rise with
    /// them, leased or not.
    private func dealtRising(_ verdict: inout Verdict) {
        let dealt = Dictionary(grouping: history.deals, by: \.held.account).filter { $0.value.count > 1 }
        for (account, deals) in dealt.sorted(by: { $0.key < $1.key }) {
            let ordered = deals.sorted { ($0.hand, $0.held.epoch) < ($1.hand, $1.held.epoch) }
            verdict.count(.epochs, ordered.count - 1)
            for (earlier, later) in zip(ordered, ordered.dropFirst()) where later.held.epoch <= earlier.held.epoch {
                verdict.add(
                    Finding(
                        .epochs, history.delegation, "account \(account) was dealt an epoch that does not rise",
                        events: [earlier, later].map { "hand \($0.hand) position \($0.position) has \($0.held)" }))
            }
        }
    }

    /// What waits in an open hand, a front hand of starts too, is neither held nor waits in another one.
    private func waitingOnce(_ byAccount: [AccountID: [Lease]], _ verdict: inout Verdict) {
        var cursors: [Int32: Int32] = [:]
        for grant in history.grants { cursors[grant.grant.hand] = max(cursors[grant.grant.hand] ?? 0, grant.last) }
        let ended = Set(history.endings.map(\.held))
        var waiting: [AccountID: History.Position] = [:]
        for position in history.positions
        where history.openHands.contains(position.hand) && position.position > cursors[position.hand] ?? 0
            && !ended.contains(position.held)
        {
            verdict.count(.epochs)
            let event = "hand \(position.hand) position \(position.position) has \(position.held), not leased yet"
            if let other = waiting.updateValue(position, forKey: position.held.account) {
                verdict.add(
                    Finding(
                        .epochs, history.delegation, "account \(position.held.account) waits in two hands",
                        events: ["hand \(other.hand) position \(other.position) has \(other.held)", event]))
            }
            guard let live = byAccount[position.held.account]?.first(where: { $0.until == nil }) else { continue }
            verdict.add(
                Finding(
                    .epochs, history.delegation, "account \(position.held.account) waits in a hand while it is held",
                    events: [live.line, event]))
        }
    }

    /// What is given back is given back by its holder while it is one: later it is evidence, and moves nothing.
    private func givenBackInTime(_ verdict: inout Verdict) {
        let byHeld = Dictionary(leases.map { ($0.held, $0) }) { first, _ in first }
        for ending in history.endings where ending.kind == "return" {
            verdict.count(.fencing)
            guard let lease = byHeld[ending.held] else { continue }
            let end = min(lease.grant.closedAt ?? lease.enforcedTerm, lease.enforcedTerm)
            let isSwept = lease.grant.closedAt != nil && order.isReturned(ending.held, behindSweepOf: lease.grant.grant)
            guard ending.endedAt > end || isSwept else { continue }
            verdict.add(
                Finding(
                    .fencing, history.delegation, "an account was given back after its lease had ended",
                    events: [
                        lease.line + ", enforced until \(lease.enforcedTerm)",
                        "\(ending.held) ended by return (\(ending.reason)) at \(ending.endedAt)",
                    ]))
        }
    }

    private func fencing(_ verdict: inout Verdict) {
        let byHeld = Dictionary(leases.map { ($0.held, $0) }) { first, _ in first }
        for outcome in history.outcomes {
            verdict.count(.fencing)
            let report = outcome.report
            let event =
                "outcome \(report.outcome) on \(report.held) by agency \(outcome.agency), worked at \(report.at), "
                + "received at \(outcome.receivedAt)"
            guard let lease = byHeld[report.held], lease.grant.agency == outcome.agency else {
                verdict.add(
                    Finding(
                        .fencing, history.delegation, "an outcome counts for an account that its agency did not hold",
                        events: [byHeld[report.held]?.line ?? "\(report.held) was never leased", event]))
                continue
            }
            // The agency may have two contracts here, and each is paid for its own.
            if let contract = outcome.contract, contract != lease.grant.contract {
                verdict.add(
                    Finding(
                        .fencing, history.delegation, "an outcome is booked on another contract than its lease's",
                        events: [lease.line, event + ", on contract \(contract)"]))
            }
            let enforced = lease.enforcedTerm
            let end = min(lease.until ?? enforced, enforced)
            // What was done before the end and told too late counts where that was decided, and only there.
            let isLateAccepted =
                report.at <= end
                && history.lateAccepted.contains(
                    History.Request(
                        agency: outcome.agency, instance: outcome.instance, verb: "REPORT", key: outcome.key))
            let block = order.block(ofOutcome: report.outcome)
            let isAfterEnd =
                (outcome.receivedAt > end || order.isBehind(block, theEndOf: lease)) && !isLateAccepted
            let isBeforeGrant =
                block.flatMap { block in order.block(of: lease.grant.grant).map { order.isBehind($0, block) } } ?? false
            if isAfterEnd || isBeforeGrant || report.at < lease.from || report.at > outcome.receivedAt {
                verdict.add(
                    Finding(
                        .fencing, history.delegation, "an outcome counts outside its lease",
                        events: [lease.line + ", enforced until \(enforced)", event]
                            + (block.map { [order.words(of: lease) + ", the outcome's \($0)"] } ?? [])))
            }
        }
    }
}

extension Lease {
    /// Term and grace, without the outage that may be credited on top.
    var termAndGrace: Timestamp { grant.term.advanced(by: .microseconds(grant.graceMicroseconds)) }
    /// The latest instant at which it can still have been held, with all outage that was ever credited.
    var enforcedTerm: Timestamp { termAndGrace.advanced(by: .microseconds(creditMicroseconds)) }
}
