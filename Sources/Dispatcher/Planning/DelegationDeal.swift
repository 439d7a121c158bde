// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// Deals one delegation's pools into hands. Holds that delegation's accounts in memory, and no more.
struct DelegationDeal {
    struct Result {
        var hands: [HandRow] = []
        /// By hand and position.
        var positions: [PositionRow] = []
        /// Accounts within a quota that found no room, by why.
        var left: [DealResult.Left.Reason: Int64] = [:]
        /// Credits whose debtor has others with an agency that had no room.
        var apart: Int64 = 0
    }

    /// The same without the accounts.
    struct Summary: Sendable {
        let delegation: Delegation
        let hands: [HandRow]
        let accounts: Int64
        let reasons: [DealResult.Reason: Int64]
        let left: [DealResult.Left.Reason: Int64]
        let apart: Int64
    }

    private let draft: PlanDraft
    private let delegation: Delegation
    private let dealer: HandDealer

    init(_ draft: PlanDraft, delegation: Delegation, incarnation: Int64) {
        self.draft = draft
        self.delegation = delegation
        self.dealer = HandDealer(
            strata: Strata(
                tactics: Segmenter(draft.policy, cut: LocalDate(daysSince1970: 0)).tactics,
                traits: draft.settings.settings.strata), incarnation: incarnation)
    }

    func make(_ store: PlanningStore) throws -> Result {
        var pools: [PoolKey: [DealableRow]] = [:]
        let settings = draft.settings.settings
        try store.readDealable(delegation, DealMemory(settings, today: try store.today())) { row in
            let key = PoolKey(delegation: delegation, strategy: row.strategy, portfolio: row.portfolio)
            pools[key, default: []].append(row)
        }
        let quotas = Dictionary(
            grouping: draft.plan.quotas.filter { $0.key.cell.pool.delegation == delegation }, by: \.key.cell.pool)
        var bars = try DealBars(draft.contracts, store.link)
        var dealing = DelegationDealing(debtors: settings.keepsTogether ? try store.heldDebtors(delegation) : [:])
        var result = Result()
        for pool in quotas.keys.sorted() {
            guard let holding = draft.policy.holding(pool.strategy) else { continue }
            try deal(
                pool, pools.removeValue(forKey: pool) ?? [], quotas: quotas[pool] ?? [], holding: holding, &bars,
                &dealing, into: &result, numbers: store.handNumbers)
        }
        return result
    }

    private func deal(
        _ pool: PoolKey, _ rows: [DealableRow], quotas: [AllocationPlan.Quota], holding: Holding,
        _ bars: inout DealBars,
        _ dealing: inout DelegationDealing, into result: inout Result, numbers: (Int) throws -> [Int32]
    ) throws {
        let candidates = bars.barring(dealer.candidates(rows), rows)
        let dealt = dealing.deal(candidates, shares(quotas, of: pool), seed: seed(of: pool), bars: bars.sets)
        for left in dealt.left { result.left[left.reason, default: 0] += 1 }
        result.apart += Int64(dealt.apart.count)
        let (hands, positions) = try dealer.hands(
            dealt.hands, pool: pool, rows: rows, candidates: candidates, holding: holding,
            isPicked: draft.settings.settings.isPicked(pool.target), keepsEmpty: true, numbers: numbers)
        result.hands += hands
        result.positions += positions
    }

    /// One for each contract, over all parts of the pool.
    private func shares(_ quotas: [AllocationPlan.Quota], of pool: PoolKey) -> [DealShare] {
        var shares: [ContractID: DealShare] = [:]
        for quota in quotas {
            guard let contract = draft.contracts[quota.key.contract] else { continue }
            let before = shares[contract.contract]
            shares[contract.contract] = DealShare(
                contract: contract.contract, agency: contract.agency,
                accounts: quota.accounts + (before?.accounts ?? 0),
                exposureMax: quota.exposureMax.map { $0 + (before?.exposureMax ?? 0) }, exposure: contract.exposure,
                searches: draft.settings.settings.searchAgencies.contains(contract.agency), arm: quota.arm)
        }
        let sharers = draft.sharedRoom.extra.filter { key, more in
            key.cell.pool == pool && more + (shares[key.contract]?.accounts ?? 0) > 0
        }.keys.map(\.contract)
        return SharedHands.joined(
            shares.values.sorted { $0.contract < $1.contract }, sharers: Set(sharers), draft.contracts)
    }

    /// A shuffle of its own for each pool, from the plan's seed.
    private func seed(of pool: PoolKey) -> UInt64 {
        let parts = [Int64(pool.delegation.value), Int64(pool.strategy.rawValue), Int64(pool.portfolio.rawValue)]
        var random = SplitMix64(seed: UInt64(bitPattern: draft.seed), parts: parts.map { UInt64(bitPattern: $0) })
        return random.next()
    }
}

extension DelegationDeal.Result {
    func summary(_ delegation: Delegation) -> DelegationDeal.Summary {
        var reasons: [DealResult.Reason: Int64] = [:]
        for row in positions { reasons[row.reason, default: 0] += 1 }
        return DelegationDeal.Summary(
            delegation: delegation, hands: hands, accounts: Int64(positions.count), reasons: reasons, left: left,
            apart: apart)
    }
}

/// What all delegations of a plan were dealt.
struct DealTally {
    private var hands = 0
    private(set) var accounts: Int64 = 0
    private var reasons: [DealResult.Reason: Int64] = [:]
    private var left: [DealResult.Left.Reason: Int64] = [:]
    private var apart: Int64 = 0

    mutating func add(_ part: DelegationDeal.Summary) {
        hands += part.hands.count
        accounts += part.accounts
        reasons.merge(part.reasons, uniquingKeysWith: +)
        left.merge(part.left, uniquingKeysWith: +)
        apart += part.apart
    }

    func report(earlierHandsClosed: Int) -> PlanReport.Dealt {
        PlanReport.Dealt(
            hands: hands, accounts: accounts,
            // What no quota was left for, the plan has counted already.
            left: DealResult.Left.Reason.allCases.filter { $0 != .quota }.compactMap { reason in
                left[reason].map { PlanReport.Left(reason: reason.name, accounts: $0) }
            },
            reasons: DealResult.Reason.allCases.compactMap { reason in
                reasons[reason].map { PlanReport.Left(reason: reason.name, accounts: $0) }
            }, apart: apart, earlierHandsClosed: earlierHandsClosed)
    }
}
