// SPDX-License-Identifier: Apache-2.0

/// Brings a flow as near to the targets as it gets without losing weight: the worst rank as low as possible, then the
/// next worst, and so on.
///
/// Takes the worst arc and looks for a ring of exchanges that brings it one account nearer to its target while no other
/// arc becomes as bad as it is. Where there is none, there never will be: the arc is settled. Costs that grow
/// steeply with the rank are convex, and a flow costs least when no ring improves it; so what is settled is best.
///
/// Cells and limits that no way joins (``PlanComponents``) are settled one after the other, each with a sink and weight
/// groups of its own: a flow of the greatest weight has the greatest weight in each of them, so no ring leads from one
/// to another, and of the whole the worst rank is the worst of its parts.
struct ShareBalance {
    private(set) var flow: PlanFlow
    private let network: PlanNetwork
    /// Accounts of the first groups, per cell.
    private let reach: [[Int64]]
    private var stamp: Int32 = 0
    private var seen: [Int32]
    private var steps: [Step]
    private var queue: [Int] = []
    /// Per arc: ``ShareRank/key`` with one account more and with one less; `max` where that cannot be.
    private var keysUp: [UInt64]
    private var keysDown: [UInt64]
    /// No ring leads from one region to another: a search that fails shuts off what it reached. Nothing that is
    /// allowed later leads out of there, as less and less is, and a ring that cannot leave cannot enter.
    private var regions: [Int32]
    private var regionsMade: Int32 = 0
    private var lastGroups: [Int]
    private var nextGroups: [Int]
    // Flat copies of the network, for the inner loops.
    private let facts: [ShareRank.Facts]
    private let arcsOf: [Range<Int>]
    private let cellOf: [Int]
    private let rooms: [Int64]
    private let stations: [Int]
    private let parents: [Int]
    private let components: PlanComponents
    /// Nodes of one component behind the limits: its sink and its weight groups.
    private let nodesOfComponent: Int
    private(set) var searches = 0
    private(set) var pushes = 0

    /// One exchange of a ring: which way it came, and from where.
    private struct Step {
        enum Kind { case none, arc, limit, group }
        var kind = Kind.none
        var index = 0
        var sign: Int64 = 0
        var from = 0
    }

    init(_ flow: PlanFlow) {
        self.flow = PlanFilling(leveling: flow).flow
        self.network = flow.network
        self.reach = flow.network.cells.map { cell in
            var sum: Int64 = 0
            return cell.demand.map {
                sum += $0
                return sum
            }
        }
        let network = flow.network
        let components = PlanComponents(network)
        let nodesOfComponent = 1 + network.weights.count
        let nodes = flow.sink + components.count * nodesOfComponent
        self.components = components
        self.nodesOfComponent = nodesOfComponent
        self.facts = network.arcs.map { arc in
            ShareRank.Facts(
                goal: network.cells[arc.cell].base * arc.part, held: arc.held, lastMonth: arc.lastMonth)
        }
        self.arcsOf = network.cells.map(\.arcs)
        self.cellOf = network.arcs.map(\.cell)
        self.rooms = network.limits.map(\.room)
        self.stations = network.arcs.map { network.cells.count + $0.station }
        self.parents = network.limits.indices.map { limit in
            network.limits[limit].parent.map { network.cells.count + $0 }
                ?? flow.sink + components.ofLimit[limit] * nodesOfComponent
        }
        self.keysUp = network.arcs.map { _ in 0 }
        self.keysDown = keysUp
        self.lastGroups = network.cells.map { _ in 0 }
        self.nextGroups = lastGroups
        self.seen = [Int32](repeating: 0, count: nodes)
        self.regions = seen
        self.steps = [Step](repeating: Step(), count: nodes)
        for cells in components.cells { settle(cells) }
    }

    private mutating func settle(_ cells: [Int]) {
        var heap = ShareRankHeap()
        for arc in cells.lazy.flatMap({ [arcsOf] in arcsOf[$0] }) {
            heap.insert(rank(arc, flow.accounts[arc]))
            note(arc)
        }
        while let worst = heap.popWorst() {
            let arc = worst.arc
            let nearer: Int64 = worst.isAbove ? -1 : 1
            // An arc that moved since it was put here is here again.
            let isStale = rank(arc, flow.accounts[arc]) < worst || worst < rank(arc, flow.accounts[arc])
            guard !isStale, worst.numerator > 0, rank(arc, flow.accounts[arc] + nearer) < worst,
                let ring = ring(through: arc, worst)
            else { continue }
            for arc in push(ring) {
                heap.insert(rank(arc, flow.accounts[arc]))
                note(arc)
            }
        }
    }

    /// Keeps what searches ask for again and again.
    private mutating func note(_ arc: Int) {
        let accounts = flow.accounts[arc]
        keysUp[arc] = accounts < flow.caps[arc] ? rank(arc, accounts + 1).key : UInt64.max
        keysDown[arc] = accounts > 0 ? rank(arc, accounts - 1).key : UInt64.max
        let cell = cellOf[arc]
        let placed = flow.placed[cell]
        lastGroups[cell] = placed > 0 ? reach[cell].firstIndex { $0 >= placed } ?? -1 : -1
        nextGroups[cell] = reach[cell].firstIndex { $0 > placed } ?? -1
    }

    private func rank(_ arc: Int, _ accounts: Int64) -> ShareRank {
        ShareRank(facts[arc], arc: arc, accounts: accounts)
    }

    private func slack(_ limit: Int) -> Int64 { rooms[limit] - flow.loads[limit] }

    /// Whether one more account could go from an arc's station all the way out.
    private func hasWayOut(_ arc: Int) -> Bool {
        var node = stations[arc]
        while node < flow.sink {
            let limit = node - arcsOf.count
            if slack(limit) <= 0 { return false }
            node = parents[limit]
        }
        return true
    }

    // MARK: - Rings

    private struct Change {
        var kind: Step.Kind
        var index: Int
        var sign: Int64
    }

    private func isAllowed(_ arc: Int, _ sign: Int64, _ worst: ShareRank) -> Bool {
        let key = sign > 0 ? keysUp[arc] : keysDown[arc]
        if key != worst.key { return key < worst.key }
        return key < UInt64.max && rank(arc, flow.accounts[arc] + sign) < worst
    }

    private mutating func ring(through arc: Int, _ worst: ShareRank) -> [Change]? {
        let cell = cellOf[arc]
        let station = stations[arc]
        guard regions[cell] == regions[station] else { return nil }
        searches += 1
        if worst.isAbove {
            guard flow.accounts[arc] > 0 else { return nil }
            let mine = Change(kind: .arc, index: arc, sign: -1)
            // What left by this arc came all the way out, so from the sink it is undone down to the station.
            let back = network.ways[arc].map { Change(kind: .limit, index: $0, sign: -1) }
            if let taker = taker(in: cell, worst) {
                return [mine] + back + network.ways[taker].map { Change(kind: .limit, index: $0, sign: 1) }
                    + [Change(kind: .arc, index: taker, sign: 1)]
            }
            guard let found = search(from: cell, to: station, worst, stopsAtSink: true) else { return nil }
            return [mine] + found.changes + (found.endedAtSink ? back : [])
        }
        guard flow.accounts[arc] < flow.caps[arc] else { return nil }
        let mine = Change(kind: .arc, index: arc, sign: 1)
        guard let giver = giver(in: cell, worst) else {
            guard canTakeFromGroup(cell) else {
                regionsMade += 1
                regions[cell] = regionsMade
                return nil
            }
            return search(from: station, to: cell, worst, stopsAtSink: false).map { [mine] + $0.changes }
        }
        let back =
            network.ways[giver].map { Change(kind: .limit, index: $0, sign: -1) }
            + [Change(kind: .arc, index: giver, sign: -1)]
        if hasWayOut(arc) {
            return [mine] + network.ways[arc].map { Change(kind: .limit, index: $0, sign: 1) } + back
        }
        guard let found = search(from: station, to: cell, worst, stopsAtSink: true) else { return nil }
        return [mine] + found.changes + (found.endedAtSink ? back : [])
    }

    /// Of a cell's arcs with room all the way out, the one furthest below its target.
    private func taker(in cell: Int, _ worst: ShareRank) -> Int? {
        var best: ShareRank?
        for arc in arcsOf[cell] where isAllowed(arc, 1, worst) && hasWayOut(arc) {
            let rank = rank(arc, flow.accounts[arc])
            if let known = best, !rank.isBelow(known) { continue }
            best = rank
        }
        return best?.arc
    }

    /// Of a cell's arcs that can give, the one furthest above its target.
    private func giver(in cell: Int, _ worst: ShareRank) -> Int? {
        var best: ShareRank?
        for arc in arcsOf[cell] where isAllowed(arc, -1, worst) {
            let rank = rank(arc, flow.accounts[arc])
            if let known = best, !known.isBelow(rank) { continue }
            best = rank
        }
        return best?.arc
    }

    private func canTakeFromGroup(_ cell: Int) -> Bool {
        let group = nextGroups[cell]
        let component = components.ofCell[cell]
        return group >= 0 && regions[node(ofGroup: group, component)] == regions[cell]
            && components.cells[component].contains { $0 != cell && lastGroups[$0] == group }
    }

    private func sink(_ component: Int) -> Int { flow.sink + component * nodesOfComponent }

    private func node(ofGroup group: Int, _ component: Int) -> Int { sink(component) + 1 + group }

    /// The shortest way over exchanges that make nothing as bad as `worst`.
    private mutating func search(
        from start: Int, to goal: Int, _ worst: ShareRank, stopsAtSink: Bool
    ) -> (changes: [Change], endedAtSink: Bool)? {
        let cells = arcsOf.count
        let sink = sink(start < cells ? components.ofCell[start] : components.ofLimit[start - cells])
        stamp += 1
        queue.removeAll(keepingCapacity: true)
        visit(start, .none, 0, 0, from: start)
        var next = 0
        while next < queue.count {
            exchange(from: queue[next], worst)
            next += 1
            if seen[goal] == stamp { return (trace(from: start, to: goal), false) }
            if stopsAtSink, seen[sink] == stamp { return (trace(from: start, to: sink), true) }
        }
        regionsMade += 1
        for node in queue { regions[node] = regionsMade }
        return nil
    }

    private mutating func visit(_ node: Int, _ kind: Step.Kind, _ index: Int, _ sign: Int64, from: Int) {
        guard seen[node] != stamp, regions[node] == regions[from] else { return }
        seen[node] = stamp
        steps[node] = Step(kind: kind, index: index, sign: sign, from: from)
        queue.append(node)
    }

    /// Visits where one account can go from a node.
    private mutating func exchange(from node: Int, _ worst: ShareRank) {
        let cells = arcsOf.count
        if node < cells {
            for arc in arcsOf[node]
            where seen[stations[arc]] != stamp && regions[stations[arc]] == regions[node] && isAllowed(arc, 1, worst) {
                visit(stations[arc], .arc, arc, 1, from: node)
            }
            // Taken back into the group of the last account that was placed (heavier ones stay).
            let group = lastGroups[node]
            if group >= 0 {
                visit(self.node(ofGroup: group, components.ofCell[node]), .group, node, -1, from: node)
            }
        } else if node < flow.sink {
            let limit = node - cells
            if slack(limit) > 0 { visit(parents[limit], .limit, limit, 1, from: node) }
            for arc in flow.arcsInto[limit] {
                let cell = cellOf[arc]
                if seen[cell] != stamp, regions[cell] == regions[node], isAllowed(arc, -1, worst) {
                    visit(cell, .arc, arc, -1, from: node)
                }
            }
            for child in flow.childrenOf[limit] where flow.loads[child] > 0 {
                visit(cells + child, .limit, child, -1, from: node)
            }
        } else {
            let (component, place) = (node - flow.sink).quotientAndRemainder(dividingBy: nodesOfComponent)
            if place == 0 {
                for limit in components.topLimits[component] where flow.loads[limit] > 0 {
                    visit(cells + limit, .limit, limit, -1, from: node)
                }
            } else {
                for cell in components.cells[component] where nextGroups[cell] == place - 1 && seen[cell] != stamp {
                    visit(cell, .group, cell, 1, from: node)
                }
            }
        }
    }

    private func trace(from start: Int, to goal: Int) -> [Change] {
        var changes: [Change] = []
        var node = goal
        while node != start {
            let step = steps[node]
            changes.append(Change(kind: step.kind, index: step.index, sign: step.sign))
            node = step.from
        }
        return changes
    }

    // MARK: - Pushing

    /// Sends as many accounts round the ring as improve it one by one; the arcs that changed.
    private mutating func push(_ ring: [Change]) -> [Int] {
        pushes += 1
        var amount = ring.reduce(Int64.max) { min($0, room(for: $1)) }
        var low: Int64 = 1
        while low < amount {
            let middle = low + (amount - low + 1) / 2
            if isImproving(ring, middle) { low = middle } else { amount = middle - 1 }
        }
        for change in ring {
            switch change.kind {
            case .arc: flow.change(arc: change.index, by: change.sign * low)
            case .limit: flow.change(limit: change.index, by: change.sign * low)
            case .group, .none: break
            }
        }
        return ring.filter { $0.kind == .arc }.map(\.index)
    }

    private func room(for change: Change) -> Int64 {
        let isUp = change.sign > 0
        switch change.kind {
        case .arc:
            let accounts = flow.accounts[change.index]
            return isUp ? flow.caps[change.index] - accounts : accounts
        case .limit: return isUp ? slack(change.index) : flow.loads[change.index]
        case .group:
            let placed = flow.placed[change.index]
            let reach = reach[change.index]
            if isUp { return reach[nextGroups[change.index]] - placed }
            let last = lastGroups[change.index]
            return placed - (last > 0 ? reach[last - 1] : 0)
        case .none: return Int64.max
        }
    }

    /// Whether the last of `amount` accounts still improves the ring; then so did each before it.
    private func isImproving(_ ring: [Change], _ amount: Int64) -> Bool {
        let first = ring[0]
        let before = rank(first.index, flow.accounts[first.index] + first.sign * (amount - 1))
        return ring.allSatisfy { change in
            guard change.kind == .arc else { return true }
            let accounts = flow.accounts[change.index] + change.sign * amount
            let after = rank(change.index, accounts)
            if after < before { return true }
            return change.index != first.index && after < rank(change.index, accounts - change.sign)
        }
    }
}
