// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import Crypto
internal import PgStore

/// Takes accounts into collection within a month that is dealt: places them by the month's policy and deals what may
/// be collected into front hands of contracts that have room (SEG-01: immediate contact; GAP-distribution-frequency).
///
/// Runs inside the transaction of the import. Front hands are new ones, so nothing that agencies draw from is changed;
/// a node serves them as soon as it has read the open hands again.
struct StartRun {
    private let link: PgLink
    private let period: Period
    private let store: StartStore
    private let planning: PlanningStore
    /// The day as of which accounts are placed, and dates of the policy count.
    private let today: LocalDate
    private let plan: (id: Int64, seed: Int64)
    private let policy: Policy
    private let segmenter: Segmenter
    private let settings: PlanSettings

    /// - Throws: ``CommandFailure`` (usage) where the period is not dealt, or a later one is.
    /// - Locks: every period that is not closed, as a plan does: no stop is imported and nothing else dealt meanwhile.
    init(_ link: PgLink, period: Period) throws {
        let planning = PlanningStore(link, period: period, cut: SegmentationRun.cutDay(period))
        _ = try planning.lockPeriods()
        let today = try min(
            max(ImportStore(link, kind: .starts, period: period).today(), SegmentationRun.cutDay(period)),
            period.lastDay)
        let store = StartStore(link, period: period, today: today)
        let plans = try store.plans()
        guard let plan = plans.mine, plan.state == "applied" else {
            throw CommandFailure(
                .usage, "\(period) has no plan that is applied",
                remedy: "What changes before the deal belongs into the cut; afterwards starts can be loaded.")
        }
        if let later = plans.later {
            throw CommandFailure(
                .usage, "\(later) is planned already, so nothing is dealt in \(period) any more",
                remedy: "Load the starts into \(later).")
        }
        self.link = link
        self.period = period
        self.store = store
        self.planning = planning
        self.today = today
        self.plan = (plan.id, plan.seed)
        self.policy = try PlanDraft.placements(link, period: period).1.policy(for: period)
        self.segmenter = Segmenter(policy, cut: today)
        self.settings = try PlanSettingsBook(link).inForce(period).settings
    }

    /// - Returns: what was done, in words for people.
    func apply(importID: Int64, digest: [UInt8]) throws -> [ImportCount] {
        let prepared = try store.prepare(TableFormat.startColumns, importID: importID)
        var placed = 0
        for delegation in prepared.delegations {
            var verdicts: [StartStore.Verdict] = []
            try store.readAccounts(delegation) { account, row in verdicts.append(verdict(account, row)) }
            try store.writeVerdicts(delegation, verdicts)
            placed += verdicts.count
            Console.progress("starts placed", done: placed, of: nil)
        }
        Console.progress("starts placed", done: placed, of: nil, isDone: true)
        let ended = try store.place { endings, now in
            LedgerBlock.seal(endings.map { LedgerRecord.ending($0, period: Period.ofWork(at: now), at: now) })
        }
        let accounts = try store.accounts()
        let deal = try deal(accounts, digest: digest)
        let recorded = try store.record(deal.fates, importID: importID)
        let fates = Dictionary(grouping: deal.fates, by: \.fate).mapValues { Int64($0.count) }
        try link.insertBlocks(LedgerBlock.seal(deal.records + records(accounts, deal.fates)))
        return [
            ImportCount("starts recorded", recorded), ImportCount("starts already recorded", prepared.known),
            ImportCount("stops ended", prepared.stopsEnded),
        ] + StartFate.allCases.map { ImportCount($0.label, fates[$0.rawValue] ?? 0) } + [
            ImportCount("dealt accounts taken back", ended.ended),
            ImportCount("of them held and recalled", ended.held),
        ]
    }

    private func verdict(_ account: Int64, _ row: borrowing AccountRow) -> StartStore.Verdict {
        let offers = segmenter.offers(for: row)
        let placed: PlacementRow? =
            switch segmenter.verdict(for: row, offers: offers) {
            case .excluded(let index): PlacementRow.excluded(account, policy.exclusions[index].reason)
            case .placed(let placement): PlacementRow.placed(account, placement, segmenter)
            case .nothingToCollect: nil
            }
        return StartStore.Verdict(account: account, placement: placed, offers: offers)
    }

    // MARK: - The deal

    private struct Deal {
        var fates: [StartStore.Fate] = []
        var records: [LedgerRecord] = []
        var hands: [Delegation: [HandRow]] = [:]
        var positions: [Delegation: [PositionRow]] = [:]
    }

    private func deal(_ accounts: [StartStore.Account], digest: [UInt8]) throws -> Deal {
        var deal = Deal()
        var pools: [PoolKey: [DealableRow]] = [:]
        for account in accounts {
            if let fate = StartFate(withoutDeal: account) {
                deal.fates.append(account.fate(fate, epoch: account.liveEpoch))
            } else if let row = account.dealable {
                let key = PoolKey(delegation: account.delegation, strategy: row.strategy, portfolio: row.portfolio)
                pools[key, default: []].append(row)
            }
        }
        let rooms = Dictionary(grouping: try store.rooms(), by: \.pool)
        let contracts = Dictionary(uniqueKeysWithValues: try planning.contracts().map { ($0.contract, $0) })
        let incarnation = try planning.incarnation()
        var bars = try DealBars(contracts, link)
        for pool in pools.keys.sorted() {
            let rooms = rooms[pool] ?? []
            let shares = rooms.compactMap { room in
                contracts[room.contract].map {
                    DealShare(
                        contract: $0.contract, agency: $0.agency, accounts: room.accounts, exposureMax: room.exposure,
                        exposure: $0.exposure)
                }
            }
            try self.deal(
                pool, pools[pool] ?? [], shares: shares, &bars, incarnation: incarnation, digest: digest,
                into: &deal)
            Console.progress("starts dealt or left", done: deal.fates.count, of: accounts.count)
        }
        Console.progress("starts dealt or left", done: deal.fates.count, of: accounts.count, isDone: true)
        for delegation in deal.hands.keys.sorted() {
            try planning.writeHands(
                delegation, plan: plan.id, hands: deal.hands[delegation] ?? [],
                positions: deal.positions[delegation] ?? [], front: true)
        }
        return deal
    }

    private func deal(
        _ pool: PoolKey, _ rows: [DealableRow], shares: [DealShare], _ bars: inout DealBars, incarnation: Int64,
        digest: [UInt8], into deal: inout Deal
    ) throws {
        func left(_ row: DealableRow, _ fate: StartFate) {
            deal.fates.append(
                StartStore.Fate(delegation: pool.delegation, account: row.account, fate: fate.rawValue, epoch: nil))
        }
        guard !shares.isEmpty, let holding = policy.holding(pool.strategy) else {
            for row in rows { left(row, .noContract) }
            return
        }
        let dealer = HandDealer(
            strata: Strata(tactics: segmenter.tactics, traits: settings.strata), incarnation: incarnation)
        let candidates = bars.barring(dealer.candidates(rows), rows)
        var dealing = DelegationDealing()
        let dealt = dealing.deal(candidates, shares, seed: seed(of: pool, digest), bars: bars.sets)
        for each in dealt.left { left(rows[Int(each.place)], StartFate(each.reason)) }
        let (hands, positions) = try dealer.hands(
            dealt.hands, pool: pool, rows: rows, candidates: candidates, holding: holding,
            isPicked: settings.isPicked(pool.target), keepsEmpty: false, numbers: planning.handNumbers)
        deal.hands[pool.delegation, default: []] += hands
        deal.positions[pool.delegation, default: []] += positions
        deal.records += hands.map {
            .deal($0, delegation: pool.delegation, period: period, plan: plan.id, isFront: true)
        }
        deal.fates += positions.map {
            StartStore.Fate(
                delegation: pool.delegation, account: $0.dealt.account, fate: StartFate.dealt.rawValue,
                epoch: $0.epoch)
        }
    }

    /// Each file is shuffled by itself, from the plan's seed and its own bytes: how often an import was tried changes nothing.
    private func seed(of pool: PoolKey, _ digest: [UInt8]) -> UInt64 {
        let file = digest.prefix(8).reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
        let parts = [
            Int64(pool.delegation.value), Int64(pool.strategy.rawValue), Int64(pool.portfolio.rawValue),
            Int64(bitPattern: file),
        ]
        var random = SplitMix64(
            seed: UInt64(bitPattern: plan.seed), parts: parts.map { UInt64(bitPattern: $0) })
        return random.next()
    }

    private func records(_ accounts: [StartStore.Account], _ fates: [StartStore.Fate]) -> [LedgerRecord] {
        let byAccount = Dictionary(fates.map { ($0.account, $0) }) { first, _ in first }
        return accounts.compactMap { account in
            byAccount[account.account].map { .start(account, $0, period: period) }
        }
    }
}

/// What became of a started account.
enum StartFate: String, CaseIterable {
    case dealt
    /// Held, or waiting in a hand: it is not dealt twice.
    case inHand = "in-hand"
    case excluded
    case nothingToCollect = "nothing-to-collect"
    /// No contract in force collects its strategy and portfolio there.
    case noContract = "no-contract"
    /// Every contract has as many accounts as its quota allows.
    case quota
    case bond
    /// Only agencies that had it before have room.
    case rotation
    /// No agency that searches has room (ASG-08).
    case search
    /// Whoever has room may not work it: its band is suspended, or there are no visits.
    case ban

    init(_ left: DealResult.Left.Reason) {
        switch left {
        case .quota: self = .quota
        case .bond: self = .bond
        case .rotation: self = .rotation
        case .search: self = .search
        case .ban: self = .ban
        }
    }

    /// The fate of an account that cannot be dealt; `nil` where it can.
    init?(withoutDeal account: StartStore.Account) {
        if account.isExcluded {
            self = .excluded
        } else if account.liveEpoch != nil {
            self = .inHand
        } else if account.dealable == nil {
            self = .nothingToCollect
        } else {
            return nil
        }
    }

    var label: String {
        switch self {
        case .dealt: "dealt into front hands"
        case .inHand: "dealt or held already"
        case .excluded: "excluded"
        case .nothingToCollect: "nothing to collect"
        case .noContract: "unassigned, no contract works there"
        case .quota: "unassigned, no quota is left"
        case .bond: "unassigned, no bond is left"
        case .rotation: "unassigned, only agencies that had them have room"
        case .search: "unassigned, no agency that searches has room"
        case .ban: "unassigned, whoever has room may not work them"
        }
    }
}

extension StartStore.Account {
    fileprivate func fate(_ fate: StartFate, epoch: Int64?) -> StartStore.Fate {
        StartStore.Fate(delegation: delegation, account: account, fate: fate.rawValue, epoch: epoch)
    }
}

extension LedgerRecord {
    static func start(_ account: StartStore.Account, _ fate: StartStore.Fate, period: Period) -> LedgerRecord {
        var text = "start delegation=\(account.delegation) account=\(account.account) reason=\(account.reason)"
        text += " on=\(account.onDate) rule=\(account.rule ?? "none") fate=\(fate.fate)"
        if let epoch = fate.epoch { text += " epoch=\(epoch)" }
        return LedgerRecord(delegation: account.delegation, period: period, text)
    }
}
