// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import Crypto
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
    private let incarnation: Int64
    private let tactics: [String]

    init(_ draft: PlanDraft, delegation: Delegation, incarnation: Int64) {
        self.draft = draft
        self.delegation = delegation
        self.incarnation = incarnation
        self.tactics = Segmenter(draft.policy.policy, cut: LocalDate(daysSince1970: 0)).tactics
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
            guard let holding = draft.policy.policy.holding(pool.strategy) else { continue }
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
        let strata = rows.map { Int16(tactics.firstIndex(of: $0.tactic) ?? tactics.count) + 1 }
        let candidates = rows.indices.map { place in
            Dealing.Candidate(
                account: rows[place].account, priority: rows[place].priority, stratum: strata[place],
                overdue: rows[place].overdue, balance: rows[place].balance)
        }
        let shares = quotas.map { quota in
            Dealing.Share(
                contract: quota.contract, accounts: quota.accounts, exposureMax: quota.exposureMax,
                exposure: exposure(of: quota.contract))
        }
        let dealt = Dealing(candidates, shares: shares, seed: seed(of: pool))
        result.trimmed += Int64(dealt.beyondBond.count)
        for (hand, number) in zip(dealt.hands, numbers) {
            let exposure = exposure(of: hand.contract)
            var hash = SHA256()
            for (index, place) in hand.places.enumerated() {
                let row = rows[place]
                let epoch = incarnation << 32 + row.latestDeal + 1
                withUnsafeBytes(of: row.account.bigEndian) { hash.update(bufferPointer: $0) }
                withUnsafeBytes(of: epoch.bigEndian) { hash.update(bufferPointer: $0) }
                result.positions.append(
                    PositionRow(
                        hand: number, position: Int32(index) + 1, epoch: epoch,
                        exposure: exposure.of(overdue: row.overdue, balance: row.balance), stratum: strata[place],
                        dealt: row))
            }
            result.hands.append(
                HandRow(
                    hand: number, contract: hand.contract, strategy: pool.strategy, portfolio: pool.portfolio,
                    size: Int32(hand.places.count), holding: holding, digest: Array(hash.finalize())))
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
