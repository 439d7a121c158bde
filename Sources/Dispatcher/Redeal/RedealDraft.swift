// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import Crypto
internal import PgStore

/// The limits that dealing again comes to, as they follow from what is in the tables now. Writes nothing.
///
/// Within the scope a contract is counted with what it holds and, where its hands stay, with what waits in them; outside
/// of it with its limits, which it may fill while this goes on. So limits can be put in force pool by pool, lowered ones
/// first, and no adviser and no centavo of bond counts twice in between.
struct RedealDraft {
    let scope: RedealScope
    let period: Period
    let plan: AllocationPlan
    let states: [PlanKey: QuotaState]
    let contracts: [ContractID: ContractRow]
    /// Every limit in the scope, by key.
    let quotas: [RedealQuota]
    /// To be dealt, in this order.
    let pools: [PoolKey]
    /// Accounts that nobody holds and, where hands stay, that wait in none.
    let demand: Int64
    let warnings: [String]

    /// - Parameter withdrawal: counted as if it were in force already; the caller has put the order's standing in force.
    /// - Throws: ``CommandFailure`` where the planner refuses the input.
    static func make(
        _ link: PgLink, period: Period, scope: RedealScope, supposing withdrawal: OrderedWithdrawal? = nil,
        today: LocalDate
    ) throws -> RedealDraft {
        let store = PlanningStore(link, period: period, cut: SegmentationRun.cutDay(period))
        let supply = try PlanSupply.read(store)
        let redeals = RedealStore(link)
        let waiting = try Self.waiting(store, scope, supposing: withdrawal, supply.settings.settings)
        let all = try redeals.states().map { withdrawal?.emptied($0, supply.contracts) ?? $0 }
        let states = Dictionary(all.map { ($0.key, $0) }) { first, _ in first }
        var supplied = supply.input(waiting.demands)
        supplied.firstDay = today
        var (input, experiments) = try supplied.amended(link, period: period)
        staff(&input, try store.capacities(staffedBy: today))
        let suspensions = try link.readSuspensions()
        for index in input.contracts.indices {
            let packs = supply.contracts[input.contracts[index].contract]?.packs ?? []
            waiting.restrict(&input.contracts[index], suspensions, packs: packs)
            count(&input.contracts[index], all, scope)
            input.contracts[index].bans.formUnion(scope.excluded[input.contracts[index].contract] ?? [])
        }
        let plan = try PlanDraft.verified(input)
        let quotas = limits(plan, input, states, scope)
        return RedealDraft(
            scope: scope, period: period, plan: plan, states: states, contracts: supply.contracts, quotas: quotas,
            pools: pools(plan, all, scope), demand: waiting.accounts, warnings: supply.warnings + experiments)
    }

    /// What there is to deal, without what nobody works.
    static func waiting(
        _ store: PlanningStore, _ scope: RedealScope, supposing withdrawal: OrderedWithdrawal? = nil,
        _ settings: PlanSettings
    ) throws -> PoolParts {
        let rows = try RedealStore(store.link).demands(
            store, leavesWaiting: scope.manner == .leftOver, supposing: withdrawal,
            banned: settings.bannedMunicipalities)
        return PoolParts(rows.filter { scope.contains($0.pool) }, byFormer: scope.manner == .leftOver)
    }

    /// What counts against the contract's advisers and bond before anything is dealt.
    private static func count(_ contract: inout PlanContract, _ states: [QuotaState], _ scope: RedealScope) {
        contract.held = [:]
        for state in states where state.key.contract == contract.contract {
            let held = reserved(state, scope)
            if held.accounts > 0 || held.exposure > 0 { contract.held[state.key.cell] = held }
        }
    }

    private static func reserved(_ state: QuotaState, _ scope: RedealScope) -> PlanContract.Held {
        switch (scope.contains(state.key.cell.pool), scope.manner) {
        case (true, .everything):
            PlanContract.Held(accounts: state.heldAccounts, exposure: state.heldExposure)
        case (true, .leftOver):
            PlanContract.Held(
                accounts: state.heldAccounts + state.waitingAccounts,
                exposure: state.heldExposure + state.waitingExposure)
        case (false, _):
            PlanContract.Held(
                accounts: max(state.limitAccounts, state.heldAccounts),
                exposure: max(state.limitExposure ?? 0, state.heldExposure))
        }
    }

    /// Present advisers are those of the latest fact up to today.
    private static func staff(_ input: inout PlanInput, _ capacities: [CapacityRow]) {
        let places = Dictionary(
            input.contracts.enumerated().map { ($1.contract, $0) }, uniquingKeysWith: { first, _ in first })
        for capacity in capacities {
            guard let index = places[capacity.contract] else { continue }
            input.contracts[index].staffing[capacity.station]?.present = capacity.present.map(Int64.init)
        }
    }

    // MARK: - Limits

    private static func limits(
        _ plan: AllocationPlan, _ input: PlanInput, _ states: [PlanKey: QuotaState], _ scope: RedealScope
    ) -> [RedealQuota] {
        var limits: [PlanKey: RedealQuota] = [:]
        let contracts = Dictionary(input.contracts.map { ($0.contract, $0) }) { first, _ in first }
        for (key, state) in states where scope.contains(key.cell.pool) {
            let held = reserved(state, scope)
            let isLimiting = contracts[key.contract]?.exposure.isLimiting ?? false
            limits[key] = RedealQuota(
                key: key, accounts: 0, limitAccounts: held.accounts,
                limitExposure: isLimiting ? held.exposure : nil, arm: 0)
        }
        for quota in plan.quotas {
            // A pool's quota is over all of its parts.
            let key = PlanKey(cell: PlanCell(quota.key.cell.pool), contract: quota.key.contract)
            let before = limits[key]
            limits[key] = RedealQuota(
                key: key, accounts: (before?.accounts ?? 0) + quota.accounts,
                limitAccounts: (before?.limitAccounts ?? 0) + quota.accounts,
                limitExposure: quota.exposureMax.map { $0 + (before?.limitExposure ?? 0) }, arm: quota.arm)
        }
        if scope.manner == .leftOver { giveBack(&limits, plan, contracts, states, on: input.firstDay) }
        widen(&limits, input, states, scope)
        keepSharersWithinAdvisers(&limits, input, states, scope)
        keepWithinAdvisers(&limits, input.contracts, states, scope)
        keepWithinBonds(&limits, input.contracts, states, scope)
        return limits.values.sorted { $0.key < $1.key }
    }

    /// Where hands stay, a contract keeps the room that it had for starts, as far as its advisers allow.
    private static func giveBack(
        _ limits: inout [PlanKey: RedealQuota], _ plan: AllocationPlan, _ contracts: [ContractID: PlanContract],
        _ states: [PlanKey: QuotaState], on day: LocalDate
    ) {
        var spare: [Place: Int64] = [:]
        for quota in plan.quotas { spare[Place(quota.key), default: 0] -= quota.accounts }
        for key in limits.keys.sorted() {
            guard let contract = contracts[key.contract], contract.absence(from: key.cell, on: day) == nil,
                let former = states[key]?.limitAccounts, let limit = limits[key]?.limitAccounts, former > limit
            else { continue }
            let place = Place(key)
            let station = Station(delegation: key.cell.pool.delegation, portfolio: key.cell.pool.portfolio)
            let room = (contract.room(at: station) ?? Int64.max / 2) + (spare[place] ?? 0)
            let back = min(former - limit, max(0, room))
            limits[key]?.limitAccounts += back
            spare[place, default: 0] -= back
        }
    }

    /// Where hands are shared, limits pass the quotas by what each contract has left.
    private static func widen(
        _ limits: inout [PlanKey: RedealQuota], _ input: PlanInput, _ states: [PlanKey: QuotaState],
        _ scope: RedealScope
    ) {
        var waiting: [PoolKey: Int64] = [:]
        var planned: [PlanKey: Int64] = [:]
        for (key, limit) in limits {
            guard let state = states[key] else {
                planned[key] = limit.limitAccounts
                continue
            }
            planned[key] = limit.limitAccounts - reserved(state, scope).accounts
            if scope.manner == .leftOver { waiting[key.cell.pool, default: 0] += state.waitingAccounts }
        }
        var bonds: [PlanKey: Int64] = [:]
        for (key, limit) in limits {
            bonds[key] = limit.limitExposure.map { $0 - (states[key].map { reserved($0, scope).exposure } ?? 0) }
        }
        for (key, more) in SharedRoom(input, planned: planned, bonds: bonds, waiting: waiting).extra {
            limits[key]?.limitAccounts += more
        }
    }

    /// Where shared hands stay, each sharer counts its part of what waits, rounded up, and may hold its advisers' number
    /// already: a limit then is what they carry, or what is held where that is more.
    private static func keepSharersWithinAdvisers(
        _ limits: inout [PlanKey: RedealQuota], _ input: PlanInput, _ states: [PlanKey: QuotaState],
        _ scope: RedealScope
    ) {
        let shared = Set(input.shared ?? [])
        guard !shared.isEmpty else { return }
        for contract in input.contracts {
            let stations = contract.staffing.map { station, staffing in
                (staffing.limit(contract.basis), { (pool: PoolKey) in pool.station == station })
            }
            let portfolios = contract.portfolios.map { portfolio, staffing in
                (staffing.limit(contract.basis), { (pool: PoolKey) in pool.portfolio == portfolio })
            }
            let mine = limits.keys.filter { $0.contract == contract.contract }.sorted()
            let elsewhere = states.values.filter {
                $0.key.contract == contract.contract && !scope.contains($0.key.cell.pool)
            }
            for (carried, isHere) in stations + portfolios {
                let here = mine.filter { isHere($0.cell.pool) }
                var above = here.reduce(-carried) { $0 + (limits[$1]?.limitAccounts ?? 0) }
                above += elsewhere.reduce(0) { $0 + (isHere($1.key.cell.pool) ? reserved($1, scope).accounts : 0) }
                for key in here where above > 0 && shared.contains(key.cell.pool.target) {
                    let spare = (limits[key]?.limitAccounts ?? 0) - (states[key]?.heldAccounts ?? 0)
                    let less = min(above, max(0, spare))
                    limits[key]?.limitAccounts -= less
                    above -= less
                }
            }
        }
    }

    /// Where advisers fell below what their contract holds, or what waits for it, limits are lowered: what comes back makes no
    /// room, for a start neither, before they carry the rest.
    private static func keepWithinAdvisers(
        _ limits: inout [PlanKey: RedealQuota], _ contracts: [PlanContract], _ states: [PlanKey: QuotaState],
        _ scope: RedealScope
    ) {
        let places = Dictionary(grouping: limits.keys.sorted(), by: \.contract)
        let outside = Dictionary(
            grouping: states.values.filter { !scope.contains($0.key.cell.pool) }, by: \.key.contract)
        for contract in contracts {
            let mine = places[contract.contract] ?? []
            let elsewhere = (outside[contract.contract] ?? []).reduce(into: [PoolKey: Int64]()) {
                $0[$1.key.cell.pool, default: 0] += reserved($1, scope).accounts
            }
            let accounts = contract.withinAdvisers(
                mine.map { ($0.cell.pool, limits[$0]?.limitAccounts ?? 0, held: states[$0]?.heldAccounts ?? 0) },
                elsewhere: elsewhere)
            for (key, limit) in zip(mine, accounts) { limits[key]?.limitAccounts = limit }
        }
    }

    /// Where a bond fell below what its contract holds, or sharers' parts of what waits pass it, limits are lowered.
    private static func keepWithinBonds(
        _ limits: inout [PlanKey: RedealQuota], _ contracts: [PlanContract], _ states: [PlanKey: QuotaState],
        _ scope: RedealScope
    ) {
        for contract in contracts where contract.exposure.isLimiting {
            let mine = limits.keys.filter { $0.contract == contract.contract }.sorted()
            let elsewhere = states.values.filter {
                $0.key.contract == contract.contract && !scope.contains($0.key.cell.pool)
            }
            let exposures = contract.withinBond(
                mine.map { (limits[$0]?.limitExposure ?? 0, held: states[$0]?.heldExposure ?? 0) },
                elsewhere: elsewhere.reduce(0) { $0 + reserved($1, scope).exposure })
            for (key, exposure) in zip(mine, exposures) { limits[key]?.limitExposure = exposure }
        }
    }

    private struct Place: Hashable {
        let contract: ContractID
        let station: Station

        init(_ key: PlanKey) {
            contract = key.contract
            station = Station(delegation: key.cell.pool.delegation, portfolio: key.cell.pool.portfolio)
        }
    }

    private static func pools(_ plan: AllocationPlan, _ states: [QuotaState], _ scope: RedealScope) -> [PoolKey] {
        var pools = Set(plan.quotas.filter { $0.accounts > 0 }.map(\.key.cell.pool))
        if scope.manner == .everything {
            pools.formUnion(
                states.filter { $0.waitingAccounts > 0 && scope.contains($0.key.cell.pool) }.map(\.key.cell.pool))
        }
        return pools.sorted()
    }

    // MARK: - Before it is put in force

    /// Whether the limits still stand after what was drawn since: no contract holds more than it is to have, or than it had
    /// where its bond or its advisers cover less. What waits does not matter: where hands stay, a pull only turns what waits into what is
    /// held.
    func fits(_ now: [QuotaState]) -> Bool {
        let limits = Dictionary(quotas.map { ($0.key, $0) }) { first, _ in first }
        return now.allSatisfy { state in
            guard let limit = limits[state.key] else { return !scope.contains(state.key.cell.pool) }
            let held = Self.reserved(state, scope)
            let before = states[state.key]
            return held.accounts <= max(before?.heldAccounts ?? 0, limit.limitAccounts)
                && held.exposure <= max(before?.heldExposure ?? 0, limit.limitExposure ?? .max)
        }
    }

    /// Whether a limit falls of somebody who can be granted something: that has to be in force though nothing waits to be
    /// dealt.
    var lowersLimits: Bool {
        quotas.contains { quota in
            guard let before = states[quota.key], contracts[quota.key.contract]?.agencyStatus == "active"
            else { return false }
            return quota.limitAccounts < before.limitAccounts
                || quota.limitExposure ?? .max < before.limitExposure ?? .max
        }
    }

    var digest: [UInt8] { Self.digest(of: quotas) }

    /// SHA-256 over every limit.
    ///
    /// - Parameter quotas: by key.
    static func digest(of quotas: [RedealQuota]) -> [UInt8] {
        var hash = SHA256()
        for quota in quotas {
            let exposure = quota.limitExposure.map(String.init) ?? "none"
            let line =
                "\(quota.key.cell.pool.words) contract=\(quota.key.contract) \(quota.limitAccounts) \(exposure)\n"
            hash.update(data: Array(line.utf8))
        }
        return Array(hash.finalize())
    }
}

extension OrderedWithdrawal {
    /// A quota as it would stand: nothing waits for a contract whose hands are withdrawn as a whole. Of a tactic alone, what
    /// waits beside it is not told apart, and counts.
    fileprivate func emptied(_ state: QuotaState, _ contracts: [ContractID: ContractRow]) -> QuotaState? {
        guard band == nil, contracts[state.key.contract]?.agency == agency,
            strategy ?? state.key.cell.pool.strategy == state.key.cell.pool.strategy
        else { return nil }
        return state.emptied
    }
}
