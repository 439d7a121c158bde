// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// Deals one delegation's pools into hands. Holds that delegation's accounts in memory, and no more.
struct DelegationDeal {
    struct Result {
        var hands: [HandRow] = []
        /// By hand and position.
        var positions: [PositionRow] = []
        var trimmed: Int64 = 0
    }

    private let draft: PlanDraft
    private let delegation: Delegation
    private let dealer: HandDealer

    init(_ draft: PlanDraft, delegation: Delegation, incarnation: Int64) {
        self.draft = draft
        self.delegation = delegation
        self.dealer = HandDealer(
            tactics: Segmenter(draft.policy, cut: LocalDate(daysSince1970: 0)).tactics, incarnation: incarnation)
    }

    func make(_ store: PlanningStore) throws -> Result {
        var pools: [PoolKey: [DealableRow]] = [:]
        try store.readDealable(delegation) { row in
            let key = PoolKey(delegation: delegation, strategy: row.strategy, portfolio: row.portfolio)
            pools[key, default: []].append(row)
        }
        let quotas = Dictionary(
            grouping: draft.allocation.quotas.filter { $0.pool.delegation == delegation }, by: \.pool)
        var numbers = try store.handNumbers(quotas.values.reduce(0) { $0 + $1.count })[...]
        var result = Result()
        for pool in quotas.keys.sorted() {
            guard let holding = draft.policy.holding(pool.strategy) else { continue }
            let mine = quotas[pool] ?? []
            deal(
                pool, pools.removeValue(forKey: pool) ?? [], quotas: mine, numbers: Array(numbers.prefix(mine.count)),
                holding: holding, into: &result)
            numbers = numbers.dropFirst(mine.count)
        }
        return result
    }

    private func deal(
        _ pool: PoolKey, _ rows: [DealableRow], quotas: [Allocation.Quota], numbers: [Int32], holding: Holding,
        into result: inout Result
    ) {
        let shares = quotas.map { quota in
            Dealing.Share(
                contract: quota.contract, accounts: quota.accounts, exposureMax: quota.exposureMax,
                exposure: exposure(of: quota.contract))
        }
        let (dealing, strata) = dealer.deal(rows, shares: shares, seed: seed(of: pool))
        result.trimmed += Int64(dealing.beyondBond.count)
        for (hand, number) in zip(dealing.hands, numbers) {
            let (row, positions) = dealer.hand(
                hand, number: number, pool: pool, rows: rows, strata: strata, holding: holding,
                exposure: exposure(of: hand.contract))
            result.hands.append(row)
            result.positions += positions
        }
    }

    private func exposure(of contract: ContractID) -> Exposure {
        draft.contracts[contract]?.exposure ?? Exposure(basis: .none, factorBasisPoints: 0)
    }

    /// A shuffle of its own for each pool, from the plan's seed.
    private func seed(of pool: PoolKey) -> UInt64 {
        let parts = [Int64(pool.delegation.value), Int64(pool.strategy.rawValue), Int64(pool.portfolio.rawValue)]
        var random = SplitMix64(seed: UInt64(bitPattern: draft.seed), parts: parts.map { UInt64(bitPattern: $0) })
        return random.next()
    }
}
