// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// Deals delegations' pools into hands. Holds the accounts of a group of them in memory, and no more.
struct DelegationDeal: Sendable {
    struct Result {
        var hands: [HandRow] = []
        /// By hand.
        var dealt: [DealtRows] = []
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
    private let dealer: HandDealer
    let incarnation: Int64
    /// Placed accounts that somebody of another delegation holds, by where they are placed.
    private let elsewhere: [Delegation: Set<Int64>]

    /// Of the policy that placed the accounts.
    var packs: [String] { draft.policy.packs }

    init(_ draft: PlanDraft, incarnation: Int64, elsewhere: [Delegation: Set<Int64>]) {
        self.draft = draft
        self.elsewhere = elsewhere
        self.incarnation = incarnation
        self.dealer = HandDealer(
            strata: Strata(
                tactics: Segmenter(draft.policy, cut: LocalDate(daysSince1970: 0)).tactics,
                traits: draft.settings.settings.strata), incarnation: incarnation)
    }

    /// Accounts of one group at most, unless one delegation alone has more. A cut need not lie in the order of delegations, and
    /// reading a group then goes through most of it; so groups are as large as memory allows.
    private static let groupMax: Int64 = 400_000
    /// What is read in a moment is not parted: to plan the statement takes as long.
    private static let groupMin: Int64 = 20_000
    /// So many groups for each thread at least, so that all are done at nearly the same time.
    private static let groupsPerThread: Int64 = 4

    /// The delegations that have quotas, ascending, in groups that are read together.
    static func groups(_ draft: PlanDraft, threads: Int) -> [[Delegation]] {
        let delegations = Set(draft.plan.quotas.map(\.key.cell.pool.delegation)).sorted()
        var sizes: [Delegation: Int64] = [:]
        for demand in draft.input.demands { sizes[demand.cell.pool.delegation, default: 0] += demand.accounts }
        return groups(
            delegations.map { ($0, sizes[$0] ?? 0) },
            of: max(groupMin, min(groupMax, draft.waiting / (Int64(threads) * groupsPerThread))))
    }

    /// - Parameter max: accounts of a group, unless it is of one delegation.
    static func groups(_ sizes: [(delegation: Delegation, accounts: Int64)], of max: Int64) -> [[Delegation]] {
        var groups: [[Delegation]] = []
        var room: Int64 = 0
        for (delegation, accounts) in sizes {
            if accounts > room || groups.isEmpty {
                groups.append([])
                room = max
            }
            groups[groups.count - 1].append(delegation)
            room -= accounts
        }
        return groups
    }

    /// Reads a group and deals one delegation after the other.
    ///
    /// - Parameters:
    ///   - isTrial: hands get no numbers, because nothing of them is written.
    ///   - write: gets what each was dealt.
    func make<Part>(
        _ delegations: [Delegation], _ store: PlanningStore, isTrial: Bool = false,
        write: (Delegation, Result) throws -> Part
    ) throws -> [Part] {
        let settings = draft.settings.settings
        var pools = PooledRows()
        try store.readDealable(delegations, DealMemory(settings, today: try store.today())) { delegation, row in
            if !elsewhere.isEmpty, elsewhere[delegation]?.contains(row.account) ?? false { return }
            pools.add(row, in: delegation)
        }
        let quotas = Dictionary(grouping: draft.plan.quotas, by: \.key.cell.pool)
        var bars = try DealBars(draft.contracts, store.link)
        return try delegations.map { delegation in
            let debtors = settings.keepsTogether ? try store.heldDebtors(delegation) : [:]
            let together =
                settings.keepsTogether ? HandDealer.debtors(of: pools.rows(in: delegation), held: debtors) : []
            var dealing = DelegationDealing(debtors: debtors)
            var result = Result()
            for pool in quotas.keys.filter({ $0.delegation == delegation }).sorted() {
                guard let holding = draft.policy.holding(pool.strategy) else { continue }
                try deal(
                    pool, pools.take(pool), quotas: quotas[pool] ?? [], holding: holding,
                    together, &bars, &dealing, into: &result,
                    numbers: { try isTrial ? [Int32](repeating: 0, count: $0) : store.handNumbers($0) })
            }
            return try write(delegation, result)
        }
    }

    private func deal(
        _ pool: PoolKey, _ rows: [DealableRow], quotas: [AllocationPlan.Quota], holding: Holding,
        _ together: Set<Int64>, _ bars: inout DealBars, _ dealing: inout DelegationDealing, into result: inout Result,
        numbers: (Int) throws -> [Int32]
    ) throws {
        let candidates = bars.barring(dealer.candidates(rows, together: together), rows)
        let dealt = dealing.deal(candidates, shares(quotas, of: pool), seed: seed(of: pool), bars: bars.sets)
        for left in dealt.left { result.left[left.reason, default: 0] += 1 }
        result.apart += Int64(dealt.apart.count)
        let (hands, positions) = try dealer.hands(
            dealt.hands, pool: pool, rows: rows, candidates: candidates, holding: holding,
            isPicked: draft.settings.settings.isPicked(pool.target), keepsEmpty: true, numbers: numbers)
        result.hands += hands
        result.dealt.append(DealtRows(rows: rows, positions: positions))
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
        var counts = [Int64](repeating: 0, count: DealResult.Reason.allCases.count)
        for part in dealt {
            for position in part.positions { counts[Int(position.reason.rawValue)] += 1 }
        }
        let reasons = DealResult.Reason.allCases.map { ($0, counts[Int($0.rawValue)]) }.filter { $0.1 > 0 }
        return DelegationDeal.Summary(
            delegation: delegation, hands: hands, accounts: counts.reduce(0, +),
            reasons: Dictionary(uniqueKeysWithValues: reasons), left: left, apart: apart)
    }
}

/// The accounts of a group of delegations by their pools, as they are read.
private struct PooledRows {
    private var numbers: [PoolKey: Int] = [:]
    private var pools: [[DealableRow]] = []
    /// Rows of one pool often come one after the other.
    private var last: (key: PoolKey, number: Int)?

    mutating func add(_ row: DealableRow, in delegation: Delegation) {
        let key = PoolKey(delegation: delegation, strategy: row.strategy, portfolio: row.portfolio)
        if let last, last.key == key {
            pools[last.number].append(row)
            return
        }
        let number = numbers[key] ?? pools.count
        if number == pools.count {
            numbers[key] = number
            pools.append([])
        }
        last = (key, number)
        pools[number].append(row)
    }

    func rows(in delegation: Delegation) -> some Sequence<DealableRow> {
        numbers.filter { $0.key.delegation == delegation }.map { pools[$0.value] }.joined()
    }

    /// Gives the rows of a pool, and keeps them no longer.
    mutating func take(_ pool: PoolKey) -> [DealableRow] {
        guard let number = numbers[pool] else { return [] }
        let rows = pools[number]
        pools[number] = []
        return rows
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
