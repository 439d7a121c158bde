// SPDX-License-Identifier: Apache-2.0

/// Looks for rings of exchanges that would bring a plan nearer to its targets. A plan without one is the nearest within
/// the parts of the bonds that it states (docs/allocation.md says why).
///
/// Draws every exchange of one account that keeps the plan within its limits as an arrow; a quota can be bettered if
/// arrows that make nothing as bad as it is lead round.
struct PlanRings {
    private struct Badness {
        let part: Int64
        let whole: Int64
        /// Where deviations tie: whether the last account is a move, then whether it is above the target, then its place.
        let tie: Int

        static func < (left: Badness, right: Badness) -> Bool {
            let a = left.part.multipliedFullWidth(by: right.whole)
            let b = right.part.multipliedFullWidth(by: left.whole)
            if a == b { return left.tie < right.tie }
            return (a.high, a.low) < (b.high, b.low)
        }
    }
    private struct Arrow {
        let to: Int
        /// How bad the quota is afterwards; `nil`: no quota changes.
        let after: Badness?
    }

    private let plan: AllocationPlan
    private let bases: [PlanCell: Int64]
    private var numbers: [Node: Int] = [:]
    private var arrows: [[Arrow]] = []

    private enum Node: Hashable {
        case cell(PlanCell)
        case limit(PlanLimit)
        case weight(Int64)
        case out
    }

    init(_ input: PlanInput, _ plan: AllocationPlan) {
        self.plan = plan
        let contracts = Dictionary(input.contracts.map { ($0.contract, $0) }) { first, _ in first }
        let held = Dictionary(grouping: plan.quotas, by: \.key.cell).mapValues { $0.reduce(0) { $0 + $1.held } }
        self.bases = Dictionary(input.demands.map { ($0.cell, $0.accounts + (held[$0.cell] ?? 0)) }) { $1 }
        var loads: [PlanLimit: Int64] = [:]
        var nexts: [PlanLimit: Node] = [:]
        for (place, quota) in plan.quotas.enumerated() {
            guard let contract = contracts[quota.key.contract] else { continue }
            let limits = PlanCheck.limits(quota.key, contract, isCapped: true)
            drawQuota(place, quota, to: .limit(limits[0]))
            for (limit, next) in zip(limits, limits.dropFirst().map(Node.limit) + [.out]) {
                loads[limit, default: 0] += quota.accounts
                nexts[limit] = next
            }
        }
        for (limit, next) in nexts {
            let load = loads[limit] ?? 0
            if load < PlanCheck.room(limit, input, contracts) ?? Int64.max { draw(.limit(limit), next, nil) }
            if load > 0 { draw(next, .limit(limit), nil) }
        }
        drawWeights(input)
    }

    private mutating func number(_ node: Node) -> Int {
        if let known = numbers[node] { return known }
        numbers[node] = arrows.count
        arrows.append([])
        return arrows.count - 1
    }

    private mutating func draw(_ from: Node, _ to: Node, _ after: Badness?) {
        let start = number(from)
        let arrow = Arrow(to: number(to), after: after)
        arrows[start].append(arrow)
    }

    private mutating func drawQuota(_ place: Int, _ quota: AllocationPlan.Quota, to limit: Node) {
        if quota.accounts < quota.bondAccountsMax ?? Int64.max {
            draw(.cell(quota.key.cell), limit, badness(place, quota.accounts + 1))
        }
        if quota.accounts > 0 { draw(limit, .cell(quota.key.cell), badness(place, quota.accounts - 1)) }
    }

    /// A cell may take back an account of the weight that it placed last, and place one of the weight that is next: one
    /// for the other changes nothing of the whole weight.
    private mutating func drawWeights(_ input: PlanInput) {
        let weights = input.weightByClass
        let placed = Dictionary(grouping: plan.quotas, by: \.key.cell).mapValues { $0.reduce(0) { $0 + $1.accounts } }
        for demand in input.demands {
            var below = placed[demand.cell] ?? 0
            var last: Int64?
            var next: Int64?
            for item in demand.classes.sorted(by: { $0.priority < $1.priority }) where item.accounts > 0 {
                if below > 0 { last = weights[item.priority] }
                if below < item.accounts, next == nil { next = weights[item.priority] }
                below = max(0, below - item.accounts)
            }
            if let last { draw(.cell(demand.cell), .weight(last), nil) }
            if let next { draw(.weight(next), .cell(demand.cell), nil) }
        }
    }

    private func badness(_ place: Int, _ accounts: Int64) -> Badness {
        let quota = plan.quotas[place]
        let total = accounts + quota.held
        let goal = (bases[quota.key.cell] ?? 0) * quota.part
        let distance = total * ShareTarget.whole - goal
        let isMove = distance > 0 ? total > quota.lastMonth : total < quota.lastMonth
        return Badness(
            part: abs(distance), whole: max(goal, 1),
            tie: ((isMove ? 2 : 0) + (distance > 0 ? 1 : 0)) * (plan.quotas.count + 1) + plan.quotas.count - place)
    }

    /// The quotas that some ring would better.
    var improvable: [PlanKey] {
        plan.quotas.indices.filter { place in
            let quota = plan.quotas[place]
            let now = badness(place, quota.accounts)
            let isAbove = (quota.accounts + quota.held) * ShareTarget.whole > (bases[quota.key.cell] ?? 0) * quota.part
            let nearer = quota.accounts + (isAbove ? -1 : 1)
            guard now.part > 0, nearer >= 0, nearer <= quota.bondAccountsMax ?? Int64.max, badness(place, nearer) < now,
                let cell = numbers[.cell(quota.key.cell)],
                let station = numbers[
                    .limit(
                        .station(
                            quota.key.contract,
                            Station(
                                delegation: quota.key.cell.pool.delegation, portfolio: quota.key.cell.pool.portfolio)))]
            else { return false }
            return isAbove ? leads(from: cell, to: station, now) : leads(from: station, to: cell, now)
        }.map { plan.quotas[$0].key }
    }

    private func leads(from start: Int, to goal: Int, _ worst: Badness) -> Bool {
        var seen = arrows.map { _ in false }
        var waiting = [start]
        seen[start] = true
        while let node = waiting.popLast() {
            if node == goal { return true }
            for arrow in arrows[node] where !seen[arrow.to] {
                if let after = arrow.after, !(after < worst) { continue }
                seen[arrow.to] = true
                waiting.append(arrow.to)
            }
        }
        return false
    }
}
