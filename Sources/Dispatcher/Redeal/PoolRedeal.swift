// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// Deals one pool of a round again: closes its hands, and deals what nobody has into new ones.
///
/// Two transactions, so that no pull waits for a lock while accounts are written: in between pulls of the pool get
/// `paused`. Both say first that the round is still this process's.
struct PoolRedeal {
    struct Result {
        var hands = 0
        var accounts: Int64 = 0
        var withdrawn: Int64 = 0
        /// Accounts that found no room, by why.
        var left: [DealResult.Left.Reason: Int64] = [:]
        /// What contracts were to be dealt whose agencies were ordered, since the limits were computed, to get nothing.
        var withheld: Int64 = 0
        /// How long pulls of the pool got nothing.
        var pause: Duration = .zero
    }

    let link: PgLink
    let store: RedealStore
    let round: RedealRow
    let policy: Policy
    let tactics: [String]
    let settings: PlanSettings
    let contracts: [ContractID: ContractRow]
    /// Placed accounts that somebody of another delegation holds, by where they are placed.
    let elsewhere: [Delegation: Set<Int64>]
    /// Whether hands are only counted, and not written.
    var isTrial = false

    /// What dealing a pool would come to, by limits that are only thought of. Writes nothing and locks nothing.
    func tried(
        _ pool: PoolKey, _ quotas: [RedealQuota], _ states: [PlanKey: QuotaState],
        supposing withdrawal: OrderedWithdrawal?
    ) throws -> Result {
        var result = Result()
        let planning = PlanningStore(link, period: round.period, cut: SegmentationRun.cutDay(round.period))
        var rows: [DealableRow] = []
        let held = elsewhere[pool.delegation] ?? []
        try store.readDealable(
            pool, planning, DealMemory(settings, today: try planning.today()), leavesWaiting: !round.closesAll,
            supposing: withdrawal
        ) {
            if !held.contains($0.account) { rows.append($0) }
        }
        let standing = round.closesAll ? states.mapValues(\.emptied) : states
        var shares = quotas.compactMap { share($0, standing[$0.key]) }.filter { $0.accounts > 0 }
        if round.closesAll, settings.isShared(pool.target) { shares = joined(shares, quotas, standing) }
        _ = try write(rows, shares, pool, planning, &result)
        return result
    }

    /// - Returns: `nil` where the month is over, or the next one is being dealt: then nothing is dealt any more.
    func run(_ pool: PoolKey, isClosed: Bool) throws -> Result? {
        var result = Result()
        if round.closesAll, !isClosed {
            guard let withdrawn = try close(pool) else { return nil }
            result.withdrawn = withdrawn
        }
        return try deal(pool, &result) ? result : nil
    }

    private func close(_ pool: PoolKey) throws -> Int64? {
        try transaction {
            guard try isDealt() else { return nil }
            let hands = try link.withdrawHands(WithdrawalScope(pool: pool), reason: round.reason)
            try store.markClosed(round.id, pool)
            let now = try link.readNow()
            let month = Period.ofWork(at: now)
            try link.insertBlocks(
                LedgerBlock.seal(hands.map { .withdrawal($0, reason: round.reason, period: month, at: now) }))
            return hands.reduce(0) { $0 + $1.accounts }
        }
    }

    private func deal(_ pool: PoolKey, _ result: inout Result) throws -> Bool {
        try transaction {
            let planning = PlanningStore(link, period: round.period, cut: SegmentationRun.cutDay(round.period))
            guard try isDealt() else { return false }
            // Limits were computed before; an order that came since is kept to here, and a later one finds the hands open.
            let orders = try link.lockOrders()
            var rows: [DealableRow] = []
            // The pool's hands are closed where they are to be; what waits now was dealt by starts in between, or waits in
            // another pool that its account was placed in before.
            let held = elsewhere[pool.delegation] ?? []
            try store.readDealable(pool, planning, DealMemory(settings, today: try planning.today())) {
                if !held.contains($0.account) { rows.append($0) }
            }
            let states = Dictionary(try store.states(of: pool).map { ($0.key, $0) }) { first, _ in first }
            let planned = try store.quotas(round.id, of: pool)
            let quotas = planned.map { allowed($0, states[$0.key], orders) }
            result.withheld = zip(planned, quotas).reduce(0) { $0 + $1.0.accounts - $1.1.accounts }
            var shares = quotas.compactMap { share($0, states[$0.key]) }.filter { $0.accounts > 0 }
            if round.closesAll, settings.isShared(pool.target) { shares = joined(shares, quotas, states) }
            let written = try write(rows, shares, pool, planning, &result)
            if let pause = try store.open(
                round.id, pool, plan: round.plan, quotas: quotas, accounts: result.accounts)
            {
                result.pause = pause
            }
            let month = Period.ofWork(at: try link.readNow())
            let opened = try RecordedHands(link).openings(pool.delegation, written.map(\.hand))
            let deals = written.map {
                LedgerRecord.deal(
                    $0, delegation: pool.delegation, period: month, round, openedAt: opened[$0.hand])
            }
            let limits = quotas.map {
                LedgerRecord.limit(
                    QuotaRow(
                        pool: pool, contract: $0.key.contract, limitAccounts: $0.limitAccounts,
                        limitExposure: $0.limitExposure), why: round.reason, period: month)
            }
            try link.insertBlocks(LedgerBlock.seal(deals + limits))
            return true
        }
    }

    /// Whether the round's month is still the one that agencies draw from.
    private func isDealt() throws -> Bool {
        try store.dealtPeriod()?.period == round.period
    }

    /// The quota as it was planned; where the agency was ordered to get nothing of the strategy, what is held, as the order left it.
    private func allowed(_ quota: RedealQuota, _ state: QuotaState?, _ orders: OrdersInForce) -> RedealQuota {
        guard let agency = contracts[quota.key.contract]?.agency, orders.stops(agency, quota.key.cell.pool.strategy)
        else { return quota }
        var allowed = quota
        allowed.accounts = 0
        allowed.limitAccounts = min(quota.limitAccounts, state?.heldAccounts ?? 0)
        allowed.limitExposure = quota.limitExposure.map { min($0, state?.heldExposure ?? 0) }
        return allowed
    }

    /// What the contract may still be dealt: what the round gives it, within its limit less what it has by now.
    private func share(_ quota: RedealQuota, _ state: QuotaState?) -> DealShare? {
        guard let contract = contracts[quota.key.contract] else { return nil }
        let accounts = (state?.heldAccounts ?? 0) + (state?.waitingAccounts ?? 0)
        let exposure = (state?.heldExposure ?? 0) + (state?.waitingExposure ?? 0)
        return DealShare(
            contract: contract.contract, agency: contract.agency,
            accounts: min(quota.accounts, max(0, quota.limitAccounts - accounts)),
            exposureMax: quota.limitExposure.map { max(0, $0 - exposure) },
            exposure: contract.exposure, searches: settings.searchAgencies.contains(contract.agency), arm: quota.arm)
    }

    /// Whoever may hold more than it holds pulls of the shared hand, with a part in the deal or without.
    private func joined(
        _ shares: [DealShare], _ quotas: [RedealQuota], _ states: [PlanKey: QuotaState]
    ) -> [DealShare] {
        let sharers = Set(
            quotas.filter { quota in
                let state = states[quota.key]
                return quota.limitAccounts > state?.heldAccounts ?? 0
                    && quota.limitExposure ?? .max > state?.heldExposure ?? 0
            }.map(\.key.contract))
        let all = quotas.compactMap { quota -> DealShare? in
            if let share = shares.first(where: { $0.contract == quota.key.contract }) { return share }
            guard var share = share(quota, nil) else { return nil }
            share.accounts = 0
            return share
        }
        return SharedHands.joined(all, sharers: sharers, contracts).filter { $0.accounts > 0 || $0.sharing != nil }
    }

    private func write(
        _ rows: [DealableRow], _ shares: [DealShare], _ pool: PoolKey, _ planning: PlanningStore,
        _ result: inout Result
    ) throws -> [HandRow] {
        guard !rows.isEmpty, !shares.isEmpty, let holding = policy.holding(pool.strategy) else {
            if !rows.isEmpty { result.left[.quota, default: 0] += Int64(rows.count) }
            return []
        }
        let dealer = HandDealer(
            strata: Strata(tactics: tactics, traits: settings.strata),
            incarnation: try Recovery.dealingIncarnation(link))
        var bars = try DealBars(contracts, link)
        let debtors = settings.keepsTogether ? try planning.heldDebtors(pool.delegation) : [:]
        let together = HandDealer.debtors(of: rows, held: debtors)
        let candidates = try restricted(
            bars.barring(dealer.candidates(rows, together: together), rows), rows, pool, Set(shares.map(\.agency)))
        var dealing = DelegationDealing(debtors: debtors)
        let dealt = dealing.deal(candidates, shares, seed: seed(of: pool), bars: bars.sets)
        for left in dealt.left { result.left[left.reason, default: 0] += 1 }
        if isTrial {
            result.accounts += dealt.hands.reduce(0) { $0 + Int64($1.positions.count) }
            return []
        }
        let (hands, positions) = try dealer.hands(
            dealt.hands, pool: pool, rows: rows, candidates: candidates, holding: holding,
            isPicked: settings.isPicked(pool.target), keepsEmpty: false, numbers: planning.handNumbers)
        try planning.writeHands(
            pool.delegation, plan: round.plan, hands: hands, dealt: [DealtRows(rows: rows, positions: positions)],
            packs: policy.packs, front: !round.closesAll, redeal: round.id)
        result.hands += hands.count
        result.accounts += Int64(positions.count)
        return hands
    }

    /// An account goes to no agency that had it within the month and gave it back, let it expire or had it taken away.
    /// Where every agency with room had it, it is kept from the latest one alone, so that it ends nowhere.
    private func restricted(
        _ candidates: [DealCandidate], _ rows: [DealableRow], _ pool: PoolKey, _ open: Set<AgencyID>
    ) throws -> [DealCandidate] {
        let former = try store.formerHolders(of: pool, in: round.period)
        guard !former.isEmpty else { return candidates }
        return zip(candidates, rows).map { candidate, row in
            guard let agencies = former[row.account] else { return candidate }
            var restricted = candidate
            let all = candidate.former.adding(agencies)
            restricted.former = open.allSatisfy(all.contains) ? FormerHolders(Array(agencies.prefix(1))) : all
            return restricted
        }
    }

    /// A shuffle of its own for each pool and round.
    private func seed(of pool: PoolKey) -> UInt64 {
        let parts = [
            Int64(pool.delegation.value), Int64(pool.strategy.rawValue), Int64(pool.portfolio.rawValue), round.id,
        ]
        var random = SplitMix64(seed: UInt64(bitPattern: round.seed), parts: parts.map { UInt64(bitPattern: $0) })
        return random.next()
    }

    /// - Locks: every period that is not closed: neither a close nor a plan begins meanwhile.
    private func lockPeriods() throws {
        _ = try PlanningStore(link, period: round.period, cut: SegmentationRun.cutDay(round.period)).lockPeriods()
    }

    private func transaction<Value>(_ body: () throws -> Value) throws -> Value {
        try link.transaction {
            // Its hands are locked: who is stopped here keeps pulls waiting, and ledger and quotas of all nodes behind.
            try link.boundPause(PgLink.longestDeal)
            // The periods before the round, as who begins one takes them: the other way round two nodes wait for each other.
            try lockPeriods()
            guard try store.beat(round.id) else {
                throw RedealRun.Outrun(
                    "redeal \(round.id) was taken over by another command, which goes on with it",
                    remedy: "Look at it with dispatcherd plan rebalance --preview when that has ended.")
            }
            return try body()
        }
    }
}

extension LedgerRecord {
    fileprivate static func deal(
        _ hand: HandRow, delegation: Delegation, period: Period, _ round: RedealRow, openedAt: Timestamp?
    ) -> LedgerRecord {
        LedgerRecord(
            delegation: delegation, period: period,
            "deal plan=\(round.plan) delegation=\(delegation) hand=\(hand.hand) contract=\(hand.contractWords) "
                + "strategy=\(hand.strategy.name) portfolio=\(hand.portfolio.name) accounts=\(hand.size) "
                + "leases=\(LedgerTree.hex(hand.digest))\(round.closesAll ? "" : " front=yes") redeal=\(round.id)"
                + (openedAt.map { " opened=\($0)" } ?? ""))
    }
}
