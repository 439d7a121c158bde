// SPDX-License-Identifier: Apache-2.0

/// Verifies a plan against its input and its own certificate. Written apart from what makes plans and sharing nothing
/// with it but the values, so that a mistake there is found here.
///
/// What is checked: that every quota is within what waits, advisers, bond and cap; that what is left over adds up;
/// that the prices of the certificate bound every plan at what the plan says; and that no ring of exchanges brings it
/// nearer to the targets (``PlanRings``).
package struct PlanCheck {
    package enum Fault: Hashable, Sendable {
        /// The quotas are not one for each contract that takes part in a cell, in order.
        case quotaList
        /// A contract that is away, or whose target is nothing, has a quota.
        case takesNoPart(PlanKey)
        /// Held, part, target, last month or arm is not what the input says.
        case details(PlanKey)
        case belowZero(PlanKey)
        case moreThanWaits(PlanCell)
        case unplacedSum(PlanCell)
        case unplacedReason(PlanCell)
        case limit(PlanLimit, used: Int64, room: Int64)
        /// The parts of a bond pass the bond, or a quota passes its part.
        case bondPart(ContractID)
        case exposure(PlanKey)
        case binding(PlanKey)
        case weight(found: Int64)
        case negativePrice(PlanLimit)
        case unknownPrice(PlanLimit)
        case bound(found: Int64)
        /// More is placed than the prices allow: one of both is wrong.
        case weightAboveBound
        /// A ring of exchanges would bring this quota nearer to its target, and no other as far away.
        case notNearest(PlanKey)
    }

    let input: PlanInput
    let plan: AllocationPlan
    let contracts: [ContractID: PlanContract]
    let demands: [PlanCell: PlanDemand]
    let cap: AgencyCap?
    /// Of all contracts, ascending.
    private let numbers: [ContractID]
    package private(set) var faults: [Fault] = []

    /// Whether the plan is what it says it is, and as good.
    package var isAccepted: Bool { faults.isEmpty }

    package init(_ plan: AllocationPlan, of input: PlanInput) {
        self.input = input
        self.plan = plan
        self.contracts = Dictionary(input.contracts.map { ($0.contract, $0) }) { first, _ in first }
        self.demands = Dictionary(input.demands.map { ($0.cell, $0) }) { first, _ in first }
        self.cap = AgencyCap(input, contracts)
        self.numbers = contracts.keys.sorted()
        checkList()
        guard faults.isEmpty else { return }
        checkDetails()
        checkCells()
        checkLimits()
        checkBonds()
        checkBound()
        guard faults.isEmpty else { return }
        faults += PlanRings(input, plan).improvable.map(Fault.notNearest)
    }

    private func absence(_ key: PlanKey) -> Bool {
        contracts[key.contract]?.absence(from: key.cell, on: input.firstDay) != nil
    }

    private func target(_ cell: PlanCell) -> ShareTarget {
        input.targets[TargetKey(delegation: cell.pool.delegation, strategy: cell.pool.strategy)] ?? .equal
    }

    private func held(_ key: PlanKey) -> Int64 { contracts[key.contract]?.held[key.cell]?.accounts ?? 0 }

    // MARK: - Who has a quota, and what it says

    private mutating func checkList() {
        var expected: [PlanKey] = []
        for cell in demands.keys.sorted() {
            let takers = numbers.filter { !absence(PlanKey(cell: cell, contract: $0)) }
            let parts = target(cell).parts(of: takers)
            expected += zip(takers, parts).filter { $1 > 0 }.map { PlanKey(cell: cell, contract: $0.0) }
        }
        let listed = plan.quotas.map(\.key)
        if listed != expected { faults.append(.quotaList) }
        faults += Set(listed).subtracting(expected).sorted().map(Fault.takesNoPart)
    }

    private mutating func checkDetails() {
        for (cell, quotas) in Dictionary(grouping: plan.quotas, by: \.key.cell) {
            guard let demand = demands[cell] else { continue }
            let takers = numbers.filter { !absence(PlanKey(cell: cell, contract: $0)) }
            let parts = Dictionary(uniqueKeysWithValues: zip(takers, target(cell).parts(of: takers)))
            let base = demand.accounts + quotas.reduce(0) { $0 + held($1.key) }
            for quota in quotas {
                let part = parts[quota.key.contract] ?? 0
                let isRight =
                    quota.held == held(quota.key) && quota.part == part
                    && quota.target == base * part / ShareTarget.whole
                    && quota.lastMonth == input.lastMonth[quota.key] ?? 0
                    && quota.arm == target(cell).arm(of: quota.key.contract)
                if !isRight { faults.append(.details(quota.key)) }
                if quota.accounts < 0 { faults.append(.belowZero(quota.key)) }
            }
        }
    }

    private mutating func checkCells() {
        let placed = Dictionary(grouping: plan.quotas, by: \.key.cell).mapValues { $0.reduce(0) { $0 + $1.accounts } }
        let left = Dictionary(grouping: plan.unplaced, by: \.cell)
        if !Set(left.keys).isSubset(of: demands.keys) { faults.append(.quotaList) }
        for (cell, demand) in demands {
            let waiting = demand.accounts
            let here = placed[cell] ?? 0
            let rows = left[cell] ?? []
            if here > waiting { faults.append(.moreThanWaits(cell)) }
            if rows.contains(where: { $0.accounts <= 0 })
                || here + rows.reduce(0, { $0 + $1.accounts }) != waiting + demand.banned
            {
                faults.append(.unplacedSum(cell))
            }
            for row in rows where !isReason(row.reason, cell, row.accounts, demand, hasTakers: placed[cell] != nil) {
                faults.append(.unplacedReason(cell))
            }
        }
    }

    private func isReason(
        _ reason: AllocationPlan.Unplaced.Reason, _ cell: PlanCell, _ accounts: Int64, _ demand: PlanDemand,
        hasTakers: Bool
    ) -> Bool {
        let away = Set(contracts.values.map { $0.absence(from: cell, on: input.firstDay) })
        switch reason {
        case .capacity, .cap: return hasTakers
        case .bond: return hasTakers && contracts.values.contains { $0.exposure.isLimiting }
        case .hold: return !hasTakers && (away.contains(.hold) || away.contains(.suspended))
        case .ban: return accounts == demand.banned || !hasTakers && away.contains(.ban)
        case .noContract: return !hasTakers && away.isDisjoint(with: [.hold, .suspended, .ban])
        }
    }

    // MARK: - Limits

    /// The limits that an account of a quota passes.
    static func limits(_ key: PlanKey, _ contract: PlanContract, isCapped: Bool) -> [PlanLimit] {
        let pool = key.cell.pool
        let station = Station(delegation: pool.delegation, portfolio: pool.portfolio)
        let own: [PlanLimit] = [
            .station(key.contract, station), .portfolio(key.contract, pool.portfolio),
        ]
        return isCapped ? own + [.agency(contract.agency)] : own
    }

    /// What a limit lets through; `nil` where it limits nothing, or is none of this input.
    static func room(_ limit: PlanLimit, _ cap: AgencyCap?, _ contracts: [ContractID: PlanContract]) -> Int64? {
        switch limit {
        case .station(let contract, let station): contracts[contract]?.room(at: station)
        case .portfolio(let contract, let portfolio): contracts[contract]?.room(in: portfolio)
        case .bond(let contract): contracts[contract]?.bondRoom
        case .agency(let agency): cap?.room(agency)
        }
    }

    /// What each agency may be given, where there is a cap: of everything that waits or is held, less what it holds.
    struct AgencyCap {
        private let most: Int64
        private var held: [AgencyID: Int64] = [:]

        init?(_ input: PlanInput, _ contracts: [ContractID: PlanContract]) {
            guard let cap = input.agencyCap else { return nil }
            for contract in contracts.values {
                held[contract.agency, default: 0] += contract.held.values.reduce(0) { $0 + $1.accounts }
            }
            let whole = input.demands.reduce(0) { $0 + $1.accounts } + held.values.reduce(0, +)
            most = whole * cap.value / BasisPoints.whole
        }

        func room(_ agency: AgencyID) -> Int64 { max(0, most - (held[agency] ?? 0)) }
    }

    private mutating func checkLimits() {
        var used: [PlanLimit: Int64] = [:]
        for quota in plan.quotas {
            guard let contract = contracts[quota.key.contract] else { continue }
            for limit in Self.limits(quota.key, contract, isCapped: input.agencyCap != nil) {
                used[limit, default: 0] += quota.accounts
            }
        }
        let rooms = used.keys.reduce(into: [PlanLimit: Int64]()) { $0[$1] = Self.room($1, cap, contracts) }
        for (limit, accounts) in used {
            guard let room = rooms[limit], accounts > room else { continue }
            faults.append(.limit(limit, used: accounts, room: room))
        }
        let placed = Dictionary(grouping: plan.quotas, by: \.key.cell).mapValues { $0.reduce(0) { $0 + $1.accounts } }
        for quota in plan.quotas {
            guard let contract = contracts[quota.key.contract] else { continue }
            let full = Self.limits(quota.key, contract, isCapped: true).filter {
                rooms[$0] == used[$0] && rooms[$0] != nil
            }
            let isFull = { (isAgency: Bool) in
                full.contains { if case .agency = $0 { isAgency } else { !isAgency } }
            }
            let isTrue =
                switch quota.binding {
                case .share: true
                case .demand: placed[quota.key.cell] == demands[quota.key.cell]?.accounts
                case .capacity: isFull(false)
                case .cap: isFull(true)
                case .bond: quota.accounts == quota.bondAccountsMax
                }
            if !isTrue { faults.append(.binding(quota.key)) }
        }
    }

    private mutating func checkBonds() {
        for (id, quotas) in Dictionary(grouping: plan.quotas, by: \.key.contract) {
            guard let contract = contracts[id] else { continue }
            var parts: Int64 = 0
            var exposure: Int64 = 0
            for quota in quotas {
                let mean = demands[quota.key.cell]?.meanExposure(contract.exposure) ?? 0
                parts += (quota.bondAccountsMax ?? 0) * mean
                exposure += quota.exposureMax ?? 0
                let isLimited = contract.exposure.isLimiting
                let isRight =
                    (quota.bondAccountsMax != nil) == (isLimited && mean > 0)
                    && (quota.exposureMax != nil) == isLimited && quota.exposureExpected == quota.accounts * mean
                    && quota.exposureExpected <= quota.exposureMax ?? Int64.max
                if !isRight { faults.append(.exposure(quota.key)) }
                if quota.accounts > quota.bondAccountsMax ?? Int64.max { faults.append(.bondPart(id)) }
            }
            if let room = contract.bondRoom, parts > room || exposure > room { faults.append(.bondPart(id)) }
        }
    }

    // MARK: - The bound

    private mutating func checkBound() {
        let weights = input.weightByClass
        let quotas = Dictionary(grouping: plan.quotas, by: \.key.cell)
        var weight: Int64 = 0
        for (cell, demand) in demands {
            var left = (quotas[cell] ?? []).reduce(0) { $0 + $1.accounts }
            for item in demand.classes.sorted(by: { $0.priority < $1.priority }) {
                weight += min(left, item.accounts) * (weights[item.priority] ?? 0)
                left -= min(left, item.accounts)
            }
        }
        if weight != plan.weight { faults.append(.weight(found: weight)) }
        guard plan.certificate.scale > 0 else { return faults.append(.bound(found: 0)) }
        var bound: Int64 = 0
        for (limit, price) in plan.certificate.prices {
            guard price >= 0 else { return faults.append(.negativePrice(limit)) }
            guard let room = Self.room(limit, cap, contracts) else { return faults.append(.unknownPrice(limit)) }
            if case .bond = limit {
                let (pesos, rest) = PlanCertificate.bondUnit.dividingFullWidth(price.multipliedFullWidth(by: room))
                bound += pesos + (rest > 0 ? 1 : 0)
            } else {
                bound += price * room
            }
        }
        for (cell, demand) in demands { bound += gain(quotas[cell] ?? [], demand, weights) }
        bound /= plan.certificate.scale
        if bound != plan.bound { faults.append(.bound(found: bound)) }
        if weight > bound { faults.append(.weightAboveBound) }
    }

    /// What a cell's accounts can be worth at most above the prices of their cheapest way.
    private func gain(
        _ quotas: [AllocationPlan.Quota], _ demand: PlanDemand, _ weights: [Int16: Int64]
    ) -> Int64 {
        let ways = quotas.compactMap { quota -> Int64? in
            contracts[quota.key.contract].map { contract in
                let limits = Self.limits(quota.key, contract, isCapped: true)
                let price = plan.certificate.prices[.bond(quota.key.contract)] ?? 0
                let product = price.multipliedFullWidth(by: demand.meanExposure(contract.exposure))
                return limits.reduce(0) { $0 + (plan.certificate.prices[$1] ?? 0) }
                    + PlanCertificate.bondUnit.dividingFullWidth(product).quotient
            }
        }
        guard let cheapest = ways.min() else { return 0 }
        return demand.classes.reduce(0) {
            $0 + $1.accounts * max(0, (weights[$1.priority] ?? 0) * plan.certificate.scale - cheapest)
        }
    }
}
