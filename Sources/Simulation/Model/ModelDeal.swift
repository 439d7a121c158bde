// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// A month's hands, made by the planner and the dealing of the engine, from placements and contracts.
struct ModelDeal: Sendable {
    struct Hand: Sendable {
        let contract: ContractID
        let pool: PoolKey
        /// Places in the world's accounts, in the order in which they are leased, with the centavos that each takes of the bond.
        let positions: [(place: Int, exposure: Int64)]
        let limitAccounts: Int64
        let limitExposure: Int64?
    }

    /// What somebody held already when the month was dealt: it stays there, and takes its room.
    struct Kept: Sendable {
        let contract: ContractID
        let pool: PoolKey
        /// Centavos.
        let exposure: Int64
    }

    let hands: [Hand]
    let placed: Int
    /// Without a holder for want of contract, advisers or bond.
    let unplaced: Int
    /// Places in the world's accounts of those among them for which quotas are left and no bond has room, in the order in which they would
    /// have been dealt.
    let bonded: [Int]

    /// - Parameter kept: by account, also of such that the month's cut does not have.
    /// - Throws: ``SimulationFailure`` (usage) where the contracts contradict themselves.
    init(
        _ world: ModelWorld, _ placement: ModelPlacement, _ policy: ModelPolicy, seed: UInt64,
        kept: [CaseKey: Kept] = [:]
    ) throws(SimulationFailure) {
        var pools: [PoolKey: [Int]] = [:]
        for (place, placed) in placement.placements.enumerated() {
            let account = world.accounts[place]
            guard let placed, kept[CaseKey(delegation: account.delegation, account: account.account)] == nil else {
                continue
            }
            let key = PoolKey(
                delegation: account.delegation, strategy: placed.strategy, portfolio: placed.portfolio)
            pools[key, default: []].append(place)
        }
        let plan = try Self.plan(world, placement, pools, policy.settings, kept)
        let agencies = Dictionary(world.contracts.map { ($0.contract, $0) }) { first, _ in first }
        let quotas = Dictionary(grouping: plan.quotas, by: \.key.cell.pool)
        var hands: [Hand] = []
        var bonded: [Int] = []
        var dealings: [Delegation: DelegationDealing] = [:]
        for pool in quotas.keys.sorted() {
            let shares = (quotas[pool] ?? []).compactMap { quota in
                agencies[quota.key.contract].map {
                    DealShare(
                        contract: $0.contract, agency: $0.agency, accounts: quota.accounts,
                        exposureMax: quota.exposureMax, exposure: $0.exposure, arm: quota.arm)
                }
            }
            let places = pools[pool] ?? []
            let candidates = places.map {
                Self.candidate(
                    world.accounts[$0], placement.placements[$0], keepsTogether: policy.settings.keepsTogether)
            }
            var dealing = dealings[pool.delegation] ?? DelegationDealing()
            // As the engine seeds the shuffle of a pool, so that the same month is dealt the same way.
            let parts = [Int64(pool.delegation.value), Int64(pool.strategy.rawValue), Int64(pool.portfolio.rawValue)]
            var random = Assignment.SplitMix64(seed: seed, parts: parts.map { UInt64(bitPattern: $0) })
            let dealt = dealing.deal(candidates, shares, seed: random.next())
            dealings[pool.delegation] = dealing
            bonded += dealt.left.filter { $0.reason == .bond }.map { places[Int($0.place)] }
            // No shared hands are asked for above, so each has one contract.
            for hand in dealt.hands where !hand.positions.isEmpty {
                guard let contract = hand.contracts.first else { continue }
                hands.append(
                    Hand(
                        contract: contract, pool: pool,
                        positions: hand.positions.map { (places[Int($0.place)], $0.exposure) },
                        limitAccounts: Int64(hand.positions.count),
                        limitExposure: agencies[contract]?.exposure.isLimiting == true ? hand.exposure : nil))
            }
        }
        self.hands = hands
        self.placed = placement.placements.count { $0 != nil }
        self.unplaced =
            pools.values.reduce(0) { $0 + $1.count } - hands.reduce(0) { $0 + $1.positions.count }
        self.bonded = bonded
    }

    private static func holding(_ kept: [CaseKey: Kept], _ contracts: [PlanContract]) -> [PlanContract] {
        let byContract = Dictionary(grouping: kept.values, by: \.contract)
        return contracts.map { contract in
            var contract = contract
            for lease in byContract[contract.contract] ?? [] {
                var held = contract.held[PlanCell(lease.pool)] ?? PlanContract.Held(accounts: 0)
                held.accounts += 1
                held.exposure += lease.exposure
                contract.held[PlanCell(lease.pool)] = held
            }
            return contract
        }
    }

    private static func candidate(
        _ account: ModelAccount, _ placed: Placement?, keepsTogether: Bool
    ) -> DealCandidate {
        var candidate = DealCandidate(
            account: account.account.value, priority: placed?.priority ?? 1,
            stratum: StratumKey(tactic: Int(placed?.tactic ?? 0) + 1), overdue: account.value(.overdue),
            balance: account.value(.balance))
        if keepsTogether { candidate.debtor = account.debtor }
        return candidate
    }

    private static func plan(
        _ world: ModelWorld, _ placement: ModelPlacement, _ pools: [PoolKey: [Int]], _ settings: PlanSettings,
        _ kept: [CaseKey: Kept]
    ) throws(SimulationFailure) -> AllocationPlan {
        let demands = pools.keys.sorted().map { pool in
            var classes: [Int16: PlanDemand.PriorityClass] = [:]
            for place in pools[pool] ?? [] {
                let priority = placement.placements[place]?.priority ?? 1
                var group = classes[priority] ?? PlanDemand.PriorityClass(priority: priority, accounts: 0)
                group.accounts += 1
                group.overdue += max(0, world.accounts[place].value(.overdue))
                group.balance += max(0, world.accounts[place].value(.balance))
                classes[priority] = group
            }
            return PlanDemand(cell: PlanCell(pool), classes: classes.keys.sorted().compactMap { classes[$0] })
        }
        var input = PlanInput(
            firstDay: world.period.firstDay, demands: demands, contracts: holding(kept, world.contracts),
            agencyCap: settings.agencyCap, weights: settings.weights)
        input.targets = TargetSource(settings).targets(of: input).0
        do {
            return try AllocationPlan(input)
        } catch {
            throw SimulationFailure(
                .usage, "the month cannot be planned: \(error)", remedy: "Check contracts and settings")
        }
    }
}
