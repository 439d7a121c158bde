// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
internal import Assignment
internal import PgStore

/// Requests that wait aside for rows that somebody else keeps locked, so that nobody else waits for them too.
struct Detained: Sendable {
    /// What a request would lock.
    struct Needs: Sendable {
        var hand: HandKey?
        var quota: QuotaKey?
        var lease: LeaseKey?
        var grant: GrantKey?
        /// How many positions of the hand it may take.
        var accounts = 0
    }

    private struct Entry {
        let request: PendingRequest
        let needs: Needs
    }

    /// Grants have one holder, and which one a lease belongs to only the database knows: while one of a holder's in a
    /// delegation is locked, all that it says there is looked at first.
    private struct Holder: Hashable {
        let agency: AgencyID
        let delegation: Delegation

        init(_ request: PendingRequest) {
            agency = request.identity.agency
            delegation = request.key.delegation
        }
    }

    /// Requests of one look.
    private static let lookMax = 1_024

    private var entries: [Entry] = []
    private var counts: [AgencyID: Int] = [:]
    private var hands: Set<HandKey> = []
    private var quotas: Set<QuotaKey> = []
    private var holders: Set<Holder> = []
    private var nextLook: ContinuousClock.Instant?

    var isEmpty: Bool { entries.isEmpty }
    var count: Int { entries.count }

    func count(of agency: AgencyID) -> Int { counts[agency] ?? 0 }

    /// - Returns: whether the step needs what is locked; then it is among the detained.
    mutating func detain(_ step: GroupPlan.Step, by locked: LockedRows) -> Bool {
        let needs = step.needs
        guard needs.isHeld(by: locked) else { return false }
        add(Entry(request: step.request, needs: needs))
        hands.formUnion(locked.hands)
        quotas.formUnion(locked.quotas)
        if needs.touchesGrant { holders.insert(Holder(step.request)) }
        return true
    }

    /// The same by what the latest look has seen, without asking.
    mutating func detainsKnown(_ step: GroupPlan.Step) -> Bool {
        let needs = step.needs
        let isHeld =
            needs.hand.map(hands.contains) ?? false || needs.quota.map(quotas.contains) ?? false
            || needs.touchesGrant && holders.contains(Holder(step.request))
        guard isHeld else { return false }
        add(Entry(request: step.request, needs: needs))
        return true
    }

    /// What to look at now; `nil` where nobody waits, or the latest look was just now.
    func question(at now: ContinuousClock.Instant) -> GroupQuestion? {
        guard !entries.isEmpty, nextLook.map({ now >= $0 }) ?? true else { return nil }
        var question = GroupQuestion()
        for entry in entries.prefix(Self.lookMax) {
            if let hand = entry.needs.hand { question.hands[hand, default: 0] += entry.needs.accounts }
            if let quota = entry.needs.quota { question.quotas.insert(quota) }
            if let lease = entry.needs.lease { question.leases.insert(lease) }
            if let grant = entry.needs.grant { question.grants.insert(grant) }
        }
        return question
    }

    /// Takes those out that have waited for longer than anybody does.
    mutating func removeOverdue(at now: ContinuousClock.Instant, patience: Duration) -> [PendingRequest] {
        let (out, rest) = split(entries[...]) { now - $0.request.asked >= patience }
        return remove(out, leaving: rest)
    }

    /// Takes those out whose rows are free, while `accept` agrees, in the order of this queue. That is the one in which they came
    /// as long as no more wait than are asked about at once. Of more, those that were asked about and stay go behind those that
    /// were not, so that everybody is asked about in turn; younger ones may then be taken up before them.
    ///
    /// - Parameter next: when to look again.
    mutating func removeFree(
        _ locked: LockedRows, at next: ContinuousClock.Instant, while accept: (PendingRequest) -> Bool
    ) -> [PendingRequest] {
        nextLook = next
        hands = locked.hands
        quotas = locked.quotas
        let (out, stay) = split(entries.prefix(Self.lookMax)) {
            !$0.needs.isHeld(by: locked) && accept($0.request)
        }
        let rest = entries.dropFirst(Self.lookMax) + stay
        // Of those that were not asked about nothing new is known.
        holders = Set(rest.filter(\.needs.touchesGrant).map { Holder($0.request) })
        return remove(out, leaving: Array(rest))
    }

    private func split(_ some: ArraySlice<Entry>, _ isOut: (Entry) -> Bool) -> (out: [Entry], rest: [Entry]) {
        var (out, rest): ([Entry], [Entry]) = ([], [])
        for entry in some {
            if isOut(entry) { out.append(entry) } else { rest.append(entry) }
        }
        return (out, rest)
    }

    private mutating func remove(_ out: [Entry], leaving rest: [Entry]) -> [PendingRequest] {
        for entry in out {
            let agency = entry.request.identity.agency
            let left = count(of: agency) - 1
            counts[agency] = left == 0 ? nil : left
        }
        entries = rest
        if rest.isEmpty { self = Detained() }
        return out.map(\.request)
    }

    private mutating func add(_ entry: Entry) {
        entries.append(entry)
        counts[entry.request.identity.agency, default: 0] += 1
    }
}

extension Detained.Needs {
    fileprivate var touchesGrant: Bool { lease != nil || grant != nil }

    fileprivate func isHeld(by locked: LockedRows) -> Bool {
        hand.map(locked.hands.contains) ?? false || quota.map(locked.quotas.contains) ?? false
            || lease.map(locked.leases.contains) ?? false || grant.map(locked.grants.contains) ?? false
    }
}

extension GroupPlan.Step {
    /// What the request locks.
    var needs: Detained.Needs {
        func lease(_ delegation: Delegation, _ account: AccountID, _ epoch: Epoch) -> Detained.Needs {
            Detained.Needs(lease: LeaseKey(delegation: delegation, account: account, epoch: epoch))
        }
        switch request.work {
        case .lease(let lease):
            guard case .hand(let route, _, _) = choice else { return Detained.Needs() }
            return Detained.Needs(hand: route.key, quota: route.quota, accounts: lease.max)
        case .report(let report): return lease(report.delegation, report.account, report.epoch)
        case .giveBack(let giveBack): return lease(giveBack.delegation, giveBack.account, giveBack.epoch)
        case .object(let object): return lease(object.delegation, object.account, object.epoch)
        case .extend(let extend):
            return Detained.Needs(grant: GrantKey(delegation: extend.delegation, grant: extend.grant))
        }
    }
}
