// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// Quotas in force at each grant, stops, expiry, and the ends of contracts.
struct LimitChecks {
    let history: History
    let leases: [Lease]
    let order: LedgerOrder

    func run(_ verdict: inout Verdict) {
        let byQuota = Dictionary(grouping: history.grants, by: \.quota)
        let leasesByQuota = Dictionary(grouping: leases, by: \.grant.quota)
        let limits = Dictionary(grouping: history.limits, by: \.quota)
        for quota in byQuota.keys.sorted() {
            let grants = (byQuota[quota] ?? []).filter { $0.accounts > 0 }.sorted {
                $0.totalAccounts < $1.totalAccounts
            }
            totals(grants, &verdict)
            QuotaCheck(
                history: history, quota: quota, limits: limits[quota] ?? [],
                leases: leasesByQuota[quota] ?? [], order: order
            ).run(grants, &verdict)
        }
        inForce(limits, &verdict)
        dealt(limits, &verdict)
        dealtTogether(limits, &verdict)
        exclusions(&verdict)
        holds(&verdict)
        expiry(&verdict)
        terms(&verdict)
    }

    /// A grant's figures follow from its positions, and its running totals from the grant before.
    private func totals(_ grants: [History.Grant], _ verdict: inout Verdict) {
        let byGrant = Dictionary(grouping: leases, by: \.grant.grant)
        var accounts: Int64 = 0
        var exposure: Int64 = 0
        for grant in grants {
            verdict.count(.quotas)
            let held = byGrant[grant.grant] ?? []
            let sum = held.reduce(0) { $0 + $1.exposure }
            accounts += Int64(held.count)
            exposure += sum
            let isEqual =
                Int64(grant.accounts) == Int64(held.count) && grant.exposure == sum && grant.totalAccounts == accounts
                && grant.totalExposure == exposure
            guard !isEqual else { continue }
            verdict.add(
                Finding(
                    .quotas, history.delegation, "a grant's figures are not those of its accounts",
                    events: [
                        "grant \(grant.grant) of quota \(grant.quota) says \(grant.accounts) accounts, \(Cents(grant.exposure)), "
                            + "in all \(grant.totalAccounts), \(Cents(grant.totalExposure))",
                        "its positions make \(held.count) accounts, \(Cents(sum)), in all \(accounts), \(Cents(exposure))",
                    ]))
            // Go on from what the grant says, so that one wrong figure is told once.
            accounts = grant.totalAccounts
            exposure = grant.totalExposure
        }
    }

    /// What a quota allows now is what it was last set to: a limit that is raised beside its history lets through what no plan
    /// and nobody has allowed, before any grant shows it.
    private func inForce(_ limits: [Int32: [History.Limit]], _ verdict: inout Verdict) {
        for now in history.limitsInForce {
            verdict.count(.quotas)
            let last = limits[now.quota]?.last
            guard last?.accounts != now.accounts || last?.exposure != now.exposure else { continue }
            verdict.add(
                Finding(
                    .quotas, history.delegation, "a limit is not the one that was last put in force",
                    events: [
                        last.map { "quota \(now.quota) was set to \($0.words) at \($0.since)" }
                            ?? "quota \(now.quota) was never set",
                        "it allows \(now.words)",
                    ]))
        }
    }

    /// A hand is dealt within its contract's quota, which is within capacity and bond: one that is larger than all limits that the
    /// quota ever had was not.
    private func dealt(_ limits: [Int32: [History.Limit]], _ verdict: inout Verdict) {
        let sizes = Dictionary(grouping: history.positions, by: \.hand).mapValues(\.count)
        for hand in history.hands {
            verdict.count(.deals)
            let most = limits[hand.quota]?.map(\.accounts).max() ?? 0
            let size = max(Int64(hand.size), Int64(sizes[hand.hand] ?? 0))
            guard size > most else { continue }
            verdict.add(
                Finding(
                    .deals, history.delegation, "a hand was dealt more accounts than its quota ever allowed",
                    events: [
                        "quota \(hand.quota) allowed \(most) accounts at the most",
                        "hand \(hand.hand) has \(size) accounts",
                    ]))
        }
    }

    /// What of a quota's hands waits or is held is no more than the quota ever allowed, over all of them: a plan's and those of the
    /// rounds behind it.
    private func dealtTogether(_ limits: [Int32: [History.Limit]], _ verdict: inout Verdict) {
        let quotas = Dictionary(history.hands.map { ($0.hand, $0.quota) }) { first, _ in first }
        var cursors: [Int32: Int32] = [:]
        for grant in history.grants { cursors[grant.grant.hand] = max(cursors[grant.grant.hand] ?? 0, grant.last) }
        let ended = Set(history.endings.map(\.held))
        var parts: [Int32: [Int32: Int64]] = [:]
        for position in history.positions
        where history.openHands.contains(position.hand) && position.position > cursors[position.hand] ?? 0
            && !ended.contains(position.held)
        {
            guard let quota = quotas[position.hand] else { continue }
            parts[quota, default: [:]][position.hand, default: 0] += 1
        }
        for lease in leases where lease.until == nil {
            let hand = lease.grant.grant.hand
            guard history.openHands.contains(hand), let quota = quotas[hand] else { continue }
            parts[quota, default: [:]][hand, default: 0] += 1
        }
        for (quota, hands) in parts.sorted(by: { $0.key < $1.key }) where hands.count > 1 {
            verdict.count(.deals)
            let (all, most) = (hands.values.reduce(0, +), limits[quota]?.map(\.accounts).max() ?? 0)
            guard all > most else { continue }
            verdict.add(
                Finding(
                    .deals, history.delegation, "hands were dealt more accounts together than their quota ever allowed",
                    events: [
                        "quota \(quota) allowed \(most) accounts at the most",
                        "in its \(hands.count) open hands \(all) accounts wait or are held: "
                            + hands.sorted { $0.key < $1.key }.prefix(6).map { "\($0.value) of hand \($0.key)" }
                            .joined(separator: ", "),
                    ]))
        }
    }

    private func exclusions(_ verdict: inout Verdict) {
        let byAccount = Dictionary(grouping: leases, by: \.held.account)
        for stop in history.stops {
            for lease in byAccount[stop.account] ?? [] {
                verdict.count(.exclusions)
                let known =
                    "account \(stop.account) stopped by \(stop.reason) from \(stop.from)"
                    + (stop.until.map { " until \($0)" } ?? "") + ", known at \(stop.importedAt)"
                if lease.from > stop.importedAt, stop.isInForce(at: lease.from) {
                    verdict.add(
                        Finding(
                            .exclusions, history.delegation, "a stopped account was granted",
                            events: [known, lease.line]))
                }
                kept(lease, stop, known, &verdict)
            }
        }
        verdict.count(.exclusions, history.stops.count)
    }

    /// A stop that comes in while the account is held ends the lease, there and then, whatever notice was given of its recall; one that
    /// went on, to whatever end, was kept.
    private func kept(_ lease: Lease, _ stop: History.Stop, _ known: String, _ verdict: inout Verdict) {
        guard lease.from <= stop.importedAt else { return }
        let isLive = lease.until == nil && history.now > stop.importedAt && stop.isInForce(at: history.now)
        // What ended it within the time that a file may take is as good.
        let isOutlived =
            stop.isInForce(at: stop.importedAt)
            && lease.until.map { $0 > stop.importedAt.advanced(by: history.importSpan) } ?? false
        guard isLive || isOutlived else { return }
        verdict.add(
            Finding(
                .exclusions, history.delegation, "a stopped account was not taken back",
                events: [lease.line, known, "the history ends at \(history.now)"]))
    }

    /// From the instant of a hold on, and until its release, the agency is granted nothing. What is ordered and granted
    /// in one instant may have come in either order.
    private func holds(_ verdict: inout Verdict) {
        let orders = Dictionary(grouping: history.orders, by: \.agency)
        guard !orders.isEmpty else { return }
        for grant in history.grants where grant.accounts > 0 {
            guard let mine = orders[grant.agency] else { continue }
            verdict.count(.exclusions)
            let atInstant = mine.contains { $0.at == grant.grantedAt }
            guard let last = mine.last(where: { $0.at <= grant.grantedAt }), last.isHold, !atInstant else { continue }
            verdict.add(
                Finding(
                    .exclusions, history.delegation, "an agency on hold was granted accounts",
                    events: [
                        "agency \(grant.agency) on hold or terminated since \(last.at)",
                        "grant \(grant.grant) of \(grant.accounts) accounts at \(grant.grantedAt)",
                    ]))
        }
    }

    private func expiry(_ verdict: inout Verdict) {
        grace(&verdict)
        swept(&verdict)
        for lease in leases where lease.end == "closed" || lease.end == "sweep" {
            verdict.count(.expiry)
            guard let until = lease.until, until < lease.termAndGrace else { continue }
            verdict.add(
                Finding(
                    .expiry, history.delegation, "a lease was closed before its enforced term",
                    events: [lease.line, "its term was \(lease.grant.term), with grace \(lease.termAndGrace)"]))
        }
    }

    /// A sweep closes what is over when it runs: the end that it works out lies ahead neither of its own instant nor of the history's end.
    private func swept(_ verdict: inout Verdict) {
        for grant in history.grants {
            guard let closedAt = grant.closedAt else { continue }
            verdict.count(.expiry)
            let sweep = order.sweep(of: grant.grant)
            guard closedAt > history.now || sweep.map({ $0.ranAt < $0.end }) ?? false else { continue }
            verdict.add(
                Finding(
                    .expiry, history.delegation, "a lease was closed before its end had come",
                    events: [
                        "grant \(grant.grant) of contract \(grant.contract) was closed as of \(closedAt)",
                        sweep.map { "that was done at \($0.ranAt)" } ?? "the history ends at \(history.now)",
                    ]))
        }
    }

    /// A lease has the grace that its hand was dealt with, and no outage of before is taken from it that was not booked by then.
    private func grace(_ verdict: inout Verdict) {
        for grant in history.grants where grant.instance != 0 {
            guard let hand = history.dealtHands[grant.grant.hand] else { continue }
            verdict.count(.expiry)
            let name = "grant \(grant.grant) of contract \(grant.contract) at \(grant.grantedAt)"
            if grant.graceMicroseconds != hand.graceMicroseconds {
                verdict.add(
                    Finding(
                        .expiry, history.delegation, "a grant has another grace than its hand",
                        events: [
                            name + " has \(grant.graceMicroseconds / 1_000_000) s",
                            "hand \(grant.grant.hand) was dealt with \(hand.graceMicroseconds / 1_000_000) s",
                        ]))
            }
            guard history.hasLedger, grant.outageMicroseconds > booked(by: grant.grantedAt) else { continue }
            verdict.add(
                Finding(
                    .expiry, history.delegation, "a grant counts more outage than was booked before it",
                    events: [
                        name + " counts \(grant.outageMicroseconds / 1_000_000) s",
                        "by then \(booked(by: grant.grantedAt) / 1_000_000) s were booked",
                    ]))
        }
    }

    /// The most that was booked by an instant. Under a virtual clock outages of real time from before it count whatever day they were on.
    private func booked(by instant: Timestamp) -> Int64 {
        history.outages.filter { $0.bookedAt <= instant || history.isVirtual && $0.from != nil }
            .map(\.totalMicroseconds).max() ?? 0
    }

    /// The day of a contract's end ends by local midnight, at 08:00 UTC at the latest.
    private func terms(_ verdict: inout Verdict) {
        for grant in history.grants {
            guard let end = history.contractEnds[grant.contract] else { continue }
            verdict.count(.terms)
            let latest = Timestamp(date: end.advanced(byDays: 1), secondsOfDay: 8 * 3_600)
            guard grant.term > latest || grant.announcedTerm > latest else { continue }
            verdict.add(
                Finding(
                    .terms, history.delegation, "a term passes the end of its contract",
                    events: [
                        "contract \(grant.contract) ends on \(end)",
                        "grant \(grant.grant) of \(grant.grantedAt) has the term \(max(grant.term, grant.announcedTerm))",
                    ]))
        }
    }
}

extension History.Stop {
    /// By the country's clocks, which are five to eight hours behind: a border hour is given to the holder. The last day is in force.
    func isInForce(at instant: Timestamp) -> Bool {
        instant.local(offsetSeconds: -8 * 3_600).date >= from
            && until.map { instant.local(offsetSeconds: -5 * 3_600).date <= $0 } ?? true
    }
}

/// Walks the grants of one quota in the order of its running totals and compares what was held with the limit.
struct QuotaCheck {
    let history: History
    let quota: Int32
    let limits: [History.Limit]
    let leases: [Lease]
    let order: LedgerOrder

    func run(_ grants: [History.Grant], _ verdict: inout Verdict) {
        let releases = Releases(leases, before: grants, order)
        for grant in grants {
            verdict.count(.quotas)
            let (released, gone) = releases.before(grant)
            let accounts = grant.totalAccounts - Int64(released)
            let exposure = grant.totalExposure - gone
            let (limitAccounts, limitExposure) = inForce(grant.grantedAt)
            guard accounts > limitAccounts || exposure > limitExposure ?? .max else { continue }
            verdict.add(
                finding(grant, held: (accounts, exposure), released: released, limit: (limitAccounts, limitExposure)))
        }
    }

    /// Where limits changed in the instant of a grant, each of them may have been the one it saw.
    private func inForce(_ instant: Timestamp) -> (Int64, Int64?) {
        let before = limits.last { $0.since < instant }
        let candidates = (before.map { [$0] } ?? []) + limits.filter { $0.since == instant }
        let accounts = candidates.map(\.accounts).max() ?? 0
        let exposures = candidates.map(\.exposure)
        return (accounts, exposures.contains(nil) || exposures.isEmpty ? nil : exposures.compactMap { $0 }.max())
    }

    private func finding(
        _ grant: History.Grant, held: (Int64, Int64), released: Int, limit: (Int64, Int64?)
    ) -> Finding {
        let limitText = History.Limit(quota: quota, since: grant.grantedAt, accounts: limit.0, exposure: limit.1).words
        return Finding(
            .quotas, history.delegation, "quota \(quota) of contract \(grant.contract) was exceeded",
            events: [
                "limit in force at \(grant.grantedAt): \(limitText)",
                "leases ended by then: \(released) of \(grant.totalAccounts)",
                "grant \(grant.grant) of \(grant.accounts) accounts brought it to \(held.0) accounts, exposure \(Cents(held.1))",
            ])
    }
}

extension History.Limit {
    fileprivate var words: String { "\(accounts) accounts" + (exposure.map { ", exposure \(Cents($0))" } ?? "") }
}
