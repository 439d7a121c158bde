// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// A round of dealing again within an applied month, as it is kept until all of its pools are dealt.
package struct RedealRow: Sendable {
    package let id: Int64
    package let period: Period
    package let plan: Int64
    package let reason: String
    /// Whether every hand of its pools is closed, or only what waits for nobody is dealt.
    package let closesAll: Bool
    package let by: String
    package let seed: Int64
    package let startedAt: Timestamp
    /// Whether the process that began it is still at work.
    package let isAlive: Bool
    package let pools: Int64
    package let poolsDone: Int64

    package init(
        id: Int64, period: Period, plan: Int64, reason: String, closesAll: Bool, by: String, seed: Int64,
        startedAt: Timestamp, isAlive: Bool, pools: Int64, poolsDone: Int64
    ) {
        self.id = id
        self.period = period
        self.plan = plan
        self.reason = reason
        self.closesAll = closesAll
        self.by = by
        self.seed = seed
        self.startedAt = startedAt
        self.isAlive = isAlive
        self.pools = pools
        self.poolsDone = poolsDone
    }
}

/// One quota as it stands: its limits, what is held of it, and what waits for its contract in open hands.
package struct QuotaState: Sendable {
    package let key: PlanKey
    package let limitAccounts: Int64
    package let limitExposure: Int64?
    package let heldAccounts: Int64
    package let heldExposure: Int64
    package let waitingAccounts: Int64
    package let waitingExposure: Int64

    /// The same contract once nothing waits for it and its limits are what it holds.
    package var emptied: QuotaState {
        QuotaState(
            key: key, limitAccounts: min(limitAccounts, heldAccounts),
            limitExposure: limitExposure.map { min($0, heldExposure) },
            heldAccounts: heldAccounts, heldExposure: heldExposure, waitingAccounts: 0, waitingExposure: 0)
    }
}

/// What a quota is to be when its pool has been dealt.
package struct RedealQuota: Hashable, Sendable {
    package var key: PlanKey
    /// To be dealt by the round, at most.
    package var accounts: Int64
    package var limitAccounts: Int64
    package var limitExposure: Int64?
    package var arm: Int16

    package init(key: PlanKey, accounts: Int64, limitAccounts: Int64, limitExposure: Int64?, arm: Int16) {
        self.key = key
        self.accounts = accounts
        self.limitAccounts = limitAccounts
        self.limitExposure = limitExposure
        self.arm = arm
    }
}

/// The tables of dealing again. All calls that write belong into transactions of the caller.
package struct RedealStore {
    package let link: PgLink

    package init(_ link: PgLink) { self.link = link }

    /// The latest period whose plan is applied, where it is open, with the plan.
    package func dealtPeriod() throws(PgError) -> (period: Period, plan: Int64)? {
        try link.run(RedealStatements.dealtPeriod).first.flatMap { row in
            Period(number: row.int32(0)).map { ($0, row.int64(1)) }
        }
    }

    /// The latest period with a plan that is not open yet, with the plan: it is being dealt, or was stopped.
    package func dealingPeriod() throws(PgError) -> (period: Period, plan: Int64)? {
        try link.run("SELECT period, plan_id FROM plan WHERE state = 'dealing' ORDER BY period DESC LIMIT 1")
            .first.flatMap { row in Period(number: row.int32(0)).map { ($0, row.int64(1)) } }
    }

    /// The round that is not done.
    package func unfinished() throws(PgError) -> RedealRow? {
        try link.run(RedealStatements.unfinished).first.flatMap { row in
            Period(number: row.int32(1)).map { period in
                RedealRow(
                    id: row.int64(0), period: period, plan: row.int64(2), reason: row.text(3), closesAll: row.bool(4),
                    by: row.text(5), seed: row.int64(6), startedAt: row.timestamp(7), isAlive: row.bool(8),
                    pools: row.int64(9), poolsDone: row.int64(10))
            }
        }
    }

    /// Every quota, by delegation, contract, strategy and portfolio. Locks nothing.
    package func states() throws(PgError) -> [QuotaState] { try states(RedealStatements.states, []) }

    /// The same with nothing counted as waiting: quick enough to be asked for while pulls wait for the locks.
    package func heldStates() throws(PgError) -> [QuotaState] { try states(RedealStatements.heldStates, []) }

    package func states(of pool: PoolKey) throws(PgError) -> [QuotaState] {
        try states(RedealStatements.statesOfPool, Self.key(pool))
    }

    private func states(_ sql: String, _ values: [PgValue]) throws(PgError) -> [QuotaState] {
        try link.run(sql, values).compactMap { row in
            guard let key = PlanKey(row) else { return nil }
            return QuotaState(
                key: key, limitAccounts: row.int64(4), limitExposure: row.optionalInt64(5), heldAccounts: row.int64(6),
                heldExposure: row.int64(7), waitingAccounts: row.int64(8), waitingExposure: row.int64(9))
        }
    }

    /// What of each pool nobody holds and the institution need not look into; with `leavesWaiting` without what waits in
    /// open hands. By pool, priority class, former holder,
    /// suspended band and rule packs without visits.
    ///
    /// - Parameters:
    ///   - withdrawal: counted as if it were in force: what it would take out of hands waits in none.
    ///   - banned: municipalities that nobody works, by portfolio; their accounts are left out.
    package func demands(
        _ planning: PlanningStore, leavesWaiting: Bool, supposing withdrawal: OrderedWithdrawal? = nil,
        banned: [Portfolio: Set<Int32>]
    ) throws(PgError) -> [DemandRow] {
        let period = planning.period
        return try link.run(
            RedealStatements.demands(
                leavesWaiting: leavesWaiting, supposing: withdrawal, banned: banned,
                parted: try planning.partedDemands()),
            [.int32(period.number), .date(planning.cut), .date(period.lastDay)]
        ).compactMap { row in
            DemandRow(row, banned: 0, former: AgencyID(row.int32(9)))
        }
    }

    /// Gives each account of a pool that can be dealt again and waits nowhere, in any order.
    ///
    /// - Parameters:
    ///   - leavesWaiting: false counts what waits in open hands as if they were closed.
    ///   - withdrawal: counted as if it were in force.
    package func readDealable(
        _ pool: PoolKey, _ planning: PlanningStore, _ memory: DealMemory, leavesWaiting: Bool = true,
        supposing withdrawal: OrderedWithdrawal? = nil, _ body: (DealableRow) throws -> Void
    ) throws {
        try planning.readDealable(
            PlanningStatements.copyDealable(
                period: planning.period, delegations: [pool.delegation], cut: planning.cut, memory: memory,
                held: RedealStatements.taken(
                    planning.period, pool.delegation, leavesWaiting: leavesWaiting, supposing: withdrawal), pool: pool)
        ) { _, row in try body(row) }
    }

    /// Who had accounts of the pool within the period and has them no more, the latest first.
    package func formerHolders(of pool: PoolKey, in period: Period) throws(PgError) -> [Int64: [AgencyID]] {
        var holders: [Int64: [AgencyID]] = [:]
        for row in try link.run(RedealStatements.formerHolders, Self.key(pool) + [.int32(period.number)]) {
            var agencies: [AgencyID] = []
            for agency in row.int32s(1).compactMap({ AgencyID($0) }) where !agencies.contains(agency) {
                agencies.append(agency)
            }
            holders[row.int64(0)] = agencies
        }
        return holders
    }

    /// - Locks: every quota, ascending, until the transaction ends.
    package func lockQuotas() throws(PgError) { try link.run(PlanningStatements.lockQuotas) }

    // MARK: - One round

    /// Notes a round with its pools and limits.
    ///
    /// - Returns: its number; `nil` where another round is not done.
    package func insert(
        period: Period, plan: Int64, reason: String, closesAll: Bool, by: String, seed: Int64, digest: [UInt8],
        pools: [PoolKey], quotas: [RedealQuota]
    ) throws(PgError) -> Int64? {
        let inserted = try link.run(
            RedealStatements.insert,
            [
                .int32(period.number), .int64(plan), .text(reason), .bool(closesAll), .text(by), .int64(seed),
                .bytes(digest),
            ])
        guard let redeal = inserted.first?.int64(0) else { return nil }
        try link.run(
            RedealStatements.insertPools,
            [
                .int64(redeal), .int16s(pools.map(\.delegation.value)), .int16s(pools.map(\.strategy.rawValue)),
                .int16s(pools.map(\.portfolio.rawValue)),
            ])
        try link.run(
            RedealStatements.insertQuotas,
            [.int64(redeal)] + Self.columns(quotas) + [.int64s(quotas.map(\.accounts))])
        return redeal
    }

    /// The number that the next round will have, unless another begins meanwhile.
    package func nextRound() throws(PgError) -> Int64 {
        try link.run("SELECT coalesce(max(redeal_id), 0) + 1 FROM redeal").first?.int64(0) ?? 1
    }

    /// Takes a round over whose process is gone.
    ///
    /// - Returns: whether this process has it now; another one may have been first.
    package func takeOver(_ redeal: Int64) throws(PgError) -> Bool {
        try link.run(RedealStatements.takeOver, [.int64(redeal)]).affected == 1
    }

    /// Says that this process is at work, and keeps others out until the transaction ends.
    ///
    /// - Returns: whether the round is still this process's.
    package func beat(_ redeal: Int64) throws(PgError) -> Bool {
        try link.run(RedealStatements.beat, [.int64(redeal)]).affected == 1
    }

    /// The pools that are not dealt, in the order in which they were noted, and whether each is closed.
    package func openPools(_ redeal: Int64) throws(PgError) -> [(pool: PoolKey, isClosed: Bool)] {
        try link.run(RedealStatements.openPools, [.int64(redeal)]).compactMap { row in
            PoolKey(row, 0, 1, 2).map { ($0, row.bool(3)) }
        }
    }

    package func quotas(_ redeal: Int64, of pool: PoolKey) throws(PgError) -> [RedealQuota] {
        try link.run(RedealStatements.quotas, [.int64(redeal)] + Self.key(pool)).compactMap { row in
            guard let key = PlanKey(row) else { return nil }
            return RedealQuota(
                key: key, accounts: row.int64(7), limitAccounts: row.int64(4), limitExposure: row.optionalInt64(5),
                arm: row.int16(6))
        }
    }

    /// Of all pools of a round, by key.
    package func quotas(_ redeal: Int64) throws(PgError) -> [RedealQuota] {
        try link.run(RedealStatements.allQuotas, [.int64(redeal)]).compactMap { row in
            guard let key = PlanKey(row) else { return nil }
            return RedealQuota(
                key: key, accounts: row.int64(7), limitAccounts: row.int64(4), limitExposure: row.optionalInt64(5),
                arm: row.int16(6))
        }.sorted { $0.key < $1.key }
    }

    package func markClosed(_ redeal: Int64, _ pool: PoolKey) throws(PgError) {
        try link.run(RedealStatements.markClosed, [.int64(redeal)] + Self.key(pool))
    }

    /// Puts the pool's limits in force and opens the hands that were dealt of it.
    ///
    /// - Returns: how long pulls of the pool were held; `nil` where it was never closed.
    /// - Locks: the pool's quotas, ascending.
    package func open(
        _ redeal: Int64, _ pool: PoolKey, plan: Int64, quotas: [RedealQuota], accounts: Int64
    ) throws(PgError) -> Duration? {
        try link.run(RedealStatements.lockQuotasOfPool, Self.key(pool))
        try link.run(RedealStatements.putQuotas, [.int64(plan)] + Self.columns(quotas))
        try link.run(RedealStatements.openHands, [.int64(redeal)] + Self.key(pool))
        let rows = try link.run(
            RedealStatements.markDone, [.int64(redeal)] + Self.key(pool) + [.int64(accounts)])
        return rows.first?.optionalInt64(0).map { .microseconds($0) }
    }

    /// Lowers limits before anything is raised, never below what is held or waits.
    ///
    /// - Returns: the limits that were lowered, as they are now.
    /// - Locks: the caller has every quota.
    package func lower(_ quotas: [RedealQuota], plan: Int64) throws(PgError) -> [QuotaRow] {
        try link.run(RedealStatements.lowerQuotas, [.int64(plan)] + Self.columns(quotas)).compactMap { row in
            guard let pool = PoolKey(row, 0, 1, 2), let contract = ContractID(row.int32(3)) else { return nil }
            return QuotaRow(
                pool: pool, contract: contract, limitAccounts: row.int64(4), limitExposure: row.optionalInt64(5))
        }
    }

    package func finish(_ redeal: Int64) throws(PgError) {
        try link.run(
            "UPDATE redeal SET state = 'done', ended_at = now_instant() WHERE redeal_id = $1", [.int64(redeal)])
    }

    private static func key(_ pool: PoolKey) -> [PgValue] {
        [.int16(pool.delegation.value), .int16(pool.strategy.rawValue), .int16(pool.portfolio.rawValue)]
    }

    private static func columns(_ quotas: [RedealQuota]) -> [PgValue] {
        [
            .int16s(quotas.map(\.key.cell.pool.delegation.value)), .int32s(quotas.map(\.key.contract.value)),
            .int16s(quotas.map(\.key.cell.pool.strategy.rawValue)),
            .int16s(quotas.map(\.key.cell.pool.portfolio.rawValue)), .int64s(quotas.map(\.limitAccounts)),
            .optionalInt64s(quotas.map(\.limitExposure)), .int16s(quotas.map(\.arm)),
        ]
    }
}

extension PoolKey {
    init?(_ row: PgRow, _ delegation: Int, _ strategy: Int, _ portfolio: Int) {
        guard let delegation = Delegation(row.int16(delegation)),
            let strategy = Strategy(rawValue: row.int16(strategy)),
            let portfolio = Portfolio(rawValue: row.int16(portfolio))
        else { return nil }
        self.init(delegation: delegation, strategy: strategy, portfolio: portfolio)
    }
}

extension PlanKey {
    /// Reads delegation, contract, strategy and portfolio from the first four columns.
    fileprivate init?(_ row: PgRow) {
        guard let pool = PoolKey(row, 0, 2, 3), let contract = ContractID(row.int32(1)) else { return nil }
        self.init(cell: PlanCell(pool), contract: contract)
    }
}
