// SPDX-License-Identifier: Apache-2.0

/// Looks for rings of exchanges that would bring a plan nearer to its targets. A plan without one is the nearest within
/// the parts of the bonds that it states (docs/allocation.md says why).
///
/// Draws every exchange of one account that keeps the plan within its limits as an arrow; a quota can be bettered if
/// arrows that make nothing as bad as it is lead round. There are tens of thousands of stations, with a few arrows each; whoever looks
/// for a way passes them by, over arrows that stand for one into a station and one out of it.
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
    private var isStation: [Bool] = []
    /// Of each station the arrows that lead to it, each with the node that it comes from.
    private var into: [[Arrow]] = []
    /// Of each other node the arrows that lead past the stations.
    private var passing: [[Arrow]] = []

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
        let cap = PlanCheck.AgencyCap(input, contracts)
        for (limit, next) in nexts {
            let load = loads[limit] ?? 0
            if load < PlanCheck.room(limit, cap, contracts) ?? Int64.max { draw(.limit(limit), next, nil) }
            if load > 0 { draw(next, .limit(limit), nil) }
        }
        drawWeights(input)
        passStations()
    }

    private mutating func number(_ node: Node) -> Int {
        if let known = numbers[node] { return known }
        numbers[node] = arrows.count
        arrows.append([])
        if case .limit(.station) = node { isStation.append(true) } else { isStation.append(false) }
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

    /// What leads over a station leads past it, as bad as the worse of its two arrows. Of all that lead from one node to another the
    /// best one alone matters.
    private mutating func passStations() {
        struct Ends: Hashable { let from: Int, to: Int }
        var best: [Ends: Badness?] = [:]
        func consider(_ from: Int, _ to: Int, _ after: Badness?) {
            let ends = Ends(from: from, to: to)
            guard let known = best[ends] else { return best[ends] = .some(after) }
            if Self.isWorse(known, than: after) { best[ends] = .some(after) }
        }
        into = arrows.map { _ in [] }
        for node in arrows.indices where !isStation[node] {
            for arrow in arrows[node] {
                if isStation[arrow.to] {
                    into[arrow.to].append(Arrow(to: node, after: arrow.after))
                } else {
                    consider(node, arrow.to, arrow.after)
                }
            }
        }
        for station in arrows.indices where isStation[station] {
            for way in into[station] {
                for arrow in arrows[station] where arrow.to != way.to {
                    consider(way.to, arrow.to, Self.isWorse(way.after, than: arrow.after) ? way.after : arrow.after)
                }
            }
        }
        passing = arrows.map { _ in [] }
        for (ends, after) in best { passing[ends.from].append(Arrow(to: ends.to, after: after)) }
    }

    /// - Parameters: `nil`: no quota changes, which is never worse.
    private static func isWorse(_ one: Badness?, than other: Badness?) -> Bool {
        guard let one else { return false }
        guard let other else { return true }
        return other < one
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
        var seen = Seen(arrows.count)
        return plan.quotas.indices.filter { place in
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
            // To a station lead the arrows into it, from one those out of it.
            let way = isAbove ? into[station] : arrows[station]
            let ends = way.filter { $0.after.map { $0 < now } ?? true }.map(\.to)
            return isAbove ? leads(from: [cell], to: ends, now, &seen) : leads(from: ends, to: [cell], now, &seen)
        }.map { plan.quotas[$0].key }
    }

    /// - Parameters: nodes that are no stations.
    private func leads(from starts: [Int], to goals: [Int], _ worst: Badness, _ seen: inout Seen) -> Bool {
        seen.forget()
        var waiting = starts
        for node in starts { seen.add(node) }
        while let node = waiting.popLast() {
            if goals.contains(node) { return true }
            for arrow in passing[node] where !seen.has(arrow.to) {
                if let after = arrow.after, !(after < worst) { continue }
                seen.add(arrow.to)
                waiting.append(arrow.to)
            }
        }
        return false
    }

    /// The nodes of one search. Forgetting them costs nothing: there is a search for each quota, and most see little of the network.
    private struct Seen {
        private var rounds: [Int32]
        private var round: Int32 = 0

        init(_ count: Int) { rounds = [Int32](repeating: 0, count: count) }

        mutating func forget() { round += 1 }
        mutating func add(_ node: Int) { rounds[node] = round }
        func has(_ node: Int) -> Bool { rounds[node] == round }
    }
}
