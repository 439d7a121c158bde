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
    /// What a search takes for as bad as the worst: the worst itself, or for a first try, less.
    private var ceiling: UInt64 = 0
    private var seen: [Int32]
    private var steps: [Step]
    private var goal = 0
    private var sink = 0
    private var end: Int?
    /// Per node, the arc that leads from it to the goal of the search with that stamp.
    private var lastArcs: [(stamp: Int32, arc: Int32)]
    private var queue: [Int] = []
    /// Per arc: ``ShareRank/key`` with one account more and with one less; `max` where that cannot be.
    private var keysUp: [UInt64]
    private var keysDown: [UInt64]
    /// No ring leads from one region to another: a search that fails shuts off what it reached. Nothing that is
    /// allowed later leads out of there, as less and less is, and a ring that cannot leave cannot enter.
    private var regions: [Int32]
    private var regionsMade: Int32 = 0
    private var heap: ShareRankHeap
    /// The ring that was found last, as changes from the worst arc on; in no order.
    private var ring: [Change] = []
    private var lastGroups: [Int]
    private var nextGroups: [Int]
    // Flat copies of the network, for the inner loops.
    private let facts: [ShareRank.Facts]
    private let arcsOf: [Range<Int>]
    private let cellOf: [Int]
    private let rooms: [Int64]
    private let stations: [Int]
    private let parents: [Int]
    private let hasChildren: [Bool]
    /// The arcs into each limit, one limit after the other.
    private let arcsInto: [Int]
    private let placesInto: [Range<Int>]
    private let components: PlanComponents
    /// Per component: how many more searches go without the first try, after one that failed.
    private var waits: [Int32]
    private static let waitsAfterFailure: Int32 = 4
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
        let components = PlanComponents(flow.network)
        self.flow = PlanFilling.leveled(flow, components)
        self.network = flow.network
        self.reach = flow.network.cells.map { cell in
            var sum: Int64 = 0
            return cell.demand.map {
                sum += $0
                return sum
            }
        }
        let network = flow.network
        let nodesOfComponent = 1 + network.weights.count
        let nodes = flow.sink + components.count * nodesOfComponent
        self.components = components
        self.nodesOfComponent = nodesOfComponent
        self.facts = network.facts
        self.arcsOf = network.cells.map(\.arcs)
        self.cellOf = network.arcs.map(\.cell)
        self.rooms = network.limits.map(\.room)
        self.stations = network.arcs.map { network.cells.count + $0.station }
        self.parents = network.limits.indices.map { limit in
            network.limits[limit].parent.map { network.cells.count + $0 }
                ?? flow.sink + components.ofLimit[limit] * nodesOfComponent
        }
        self.arcsInto = network.arcsInto.flatMap(\.self)
        var place = 0
        self.placesInto = network.arcsInto.map { arcs in
            place += arcs.count
            return place - arcs.count..<place
        }
        self.heap = ShareRankHeap(arcs: network.arcs.count)
        self.keysUp = network.arcs.map { _ in 0 }
        self.keysDown = keysUp
        self.lastGroups = network.cells.map { _ in 0 }
        self.nextGroups = lastGroups
        self.seen = [Int32](repeating: 0, count: nodes)
        self.regions = seen
        self.lastArcs = seen.map { _ in (0, 0) }
        self.steps = [Step](repeating: Step(), count: nodes)
        self.waits = [Int32](repeating: 0, count: components.count)
        self.hasChildren = network.childrenOf.map { !$0.isEmpty }
        for cells in components.cells { settle(cells) }
    }

    private mutating func settle(_ cells: [Int]) {
        for arc in cells.lazy.flatMap({ [arcsOf] in arcsOf[$0] }) {
            note(arc)
            heap.put(rank(arc, flow.accounts[arc]))
        }
        while let worst = heap.popWorst() {
            let arc = worst.arc
            ceiling = worst.key
            guard worst.numerator > 0, isAllowed(arc, worst.isAbove ? -1 : 1, worst), findRing(through: arc, worst)
            else { continue }
            push()
            for change in ring where change.kind == .arc {
                note(change.index)
                heap.put(rank(change.index, flow.accounts[change.index]))
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
        if key != ceiling { return key < ceiling }
        return key == worst.key && key < UInt64.max && rank(arc, flow.accounts[arc] + sign) < worst
    }

    /// Whether there is one; it is then in `ring`, the arc first.
    private mutating func findRing(through arc: Int, _ worst: ShareRank) -> Bool {
        let cell = cellOf[arc]
        let station = stations[arc]
        guard regions[cell] == regions[station] else { return false }
        searches += 1
        ring.removeAll(keepingCapacity: true)
        ring.append(Change(kind: .arc, index: arc, sign: worst.isAbove ? -1 : 1))
        return worst.isAbove ? findTaker(of: arc, cell, station, worst) : findGiver(to: arc, cell, station, worst)
    }

    private mutating func findTaker(of arc: Int, _ cell: Int, _ station: Int, _ worst: ShareRank) -> Bool {
        // What left by this arc came all the way out, so from the sink it is undone down to the station.
        if let taker = taker(in: cell, worst) {
            addWay(of: arc, -1)
            addWay(of: taker, 1)
            ring.append(Change(kind: .arc, index: taker, sign: 1))
            return true
        }
        guard let end = search(from: cell, to: station, worst, stopsAtSink: true) else { return false }
        if end != station { addWay(of: arc, -1) }
        return true
    }

    private mutating func findGiver(to arc: Int, _ cell: Int, _ station: Int, _ worst: ShareRank) -> Bool {
        guard let giver = giver(in: cell, worst) else {
            if canTakeFromGroup(cell) { return search(from: station, to: cell, worst, stopsAtSink: false) != nil }
            regionsMade += 1
            regions[cell] = regionsMade
            return false
        }
        if hasWayOut(arc) {
            addWay(of: arc, 1)
        } else {
            guard let end = search(from: station, to: cell, worst, stopsAtSink: true) else { return false }
            if end == cell { return true }
        }
        addWay(of: giver, -1)
        ring.append(Change(kind: .arc, index: giver, sign: -1))
        return true
    }

    private mutating func addWay(of arc: Int, _ sign: Int64) {
        for limit in network.ways[arc] { ring.append(Change(kind: .limit, index: limit, sign: sign)) }
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

    /// Adds a way to the ring over exchanges that make nothing as bad as `worst`; where it ends. First one is looked for
    /// that makes nothing nearly as bad, so that what gives way is not the next to be the worst: that more than halves
    /// the rings. A first try that fails has looked at all that can be reached, and the next ones there are likely to as well.
    private mutating func search(from start: Int, to goal: Int, _ worst: ShareRank, stopsAtSink: Bool) -> Int? {
        let cells = arcsOf.count
        let component = start < cells ? components.ofCell[start] : components.ofLimit[start - cells]
        let sink = stopsAtSink ? sink(component) : goal
        var end: Int?
        if waits[component] > 0 {
            waits[component] -= 1
        } else {
            ceiling = worst.key / 4 * 3
            end = spread(from: start, to: goal, or: sink, worst)
            if end == nil { waits[component] = Self.waitsAfterFailure }
        }
        if end == nil {
            ceiling = worst.key
            end = spread(from: start, to: goal, or: sink, worst)
        }
        guard let end else {
            regionsMade += 1
            for node in queue { regions[node] = regionsMade }
            return nil
        }
        var node = end
        while node != start {
            let step = steps[node]
            ring.append(Change(kind: step.kind, index: step.index, sign: step.sign))
            node = step.from
        }
        return end
    }

    /// Goes out from a node over all that is allowed until it comes to one of two others; which.
    private mutating func spread(from start: Int, to goal: Int, or sink: Int, _ worst: ShareRank) -> Int? {
        stamp += 1
        queue.removeAll(keepingCapacity: true)
        (self.goal, self.sink, end) = (goal, sink, nil)
        markLastArcs(to: goal, worst)
        visit(start, .none, 0, 0, from: start)
        var next = 0
        while next < queue.count, end == nil {
            exchange(from: queue[next], worst)
            next += 1
        }
        return end
    }

    /// The goal is found with the first node that an arc leads to it from.
    private mutating func markLastArcs(to goal: Int, _ worst: ShareRank) {
        if goal < arcsOf.count {
            for arc in arcsOf[goal] where isAllowed(arc, -1, worst) { lastArcs[stations[arc]] = (stamp, Int32(arc)) }
        } else {
            for place in placesInto[goal - arcsOf.count] where isAllowed(arcsInto[place], 1, worst) {
                lastArcs[cellOf[arcsInto[place]]] = (stamp, Int32(arcsInto[place]))
            }
        }
    }

    private mutating func visit(_ node: Int, _ kind: Step.Kind, _ index: Int, _ sign: Int64, from: Int) {
        guard seen[node] != stamp, regions[node] == regions[from] else { return }
        seen[node] = stamp
        steps[node] = Step(kind: kind, index: index, sign: sign, from: from)
        queue.append(node)
        if node == goal || node == sink {
            end = node
        } else if lastArcs[node].stamp == stamp {
            steps[goal] = Step(
                kind: .arc, index: Int(lastArcs[node].arc), sign: node < arcsOf.count ? 1 : -1, from: node)
            end = goal
        } else if node >= arcsOf.count, node < flow.sink {
            // The way out is often all that is looked for.
            let limit = node - arcsOf.count
            if parents[limit] == sink, slack(limit) > 0 { visit(sink, .limit, limit, 1, from: node) }
        }
    }

    /// Visits where one account can go from a node.
    private mutating func exchange(from node: Int, _ worst: ShareRank) {
        let cells = arcsOf.count
        if node < cells {
            let region = regions[node]
            for arc in arcsOf[node] where keysUp[arc] <= ceiling {
                let station = stations[arc]
                if seen[station] != stamp, regions[station] == region, isAllowed(arc, 1, worst) {
                    visit(station, .arc, arc, 1, from: node)
                    if end != nil { return }
                }
            }
            // Taken back into the group of the last account that was placed (heavier ones stay).
            let group = lastGroups[node]
            if group >= 0 {
                visit(self.node(ofGroup: group, components.ofCell[node]), .group, node, -1, from: node)
            }
        } else if node < flow.sink {
            let limit = node - cells
            if slack(limit) > 0 { visit(parents[limit], .limit, limit, 1, from: node) }
            for place in placesInto[limit] {
                let arc = arcsInto[place]
                let cell = cellOf[arc]
                if keysDown[arc] <= ceiling, seen[cell] != stamp, regions[cell] == regions[node],
                    isAllowed(arc, -1, worst)
                {
                    visit(cell, .arc, arc, -1, from: node)
                }
            }
            if hasChildren[limit] {
                for child in network.childrenOf[limit] where flow.loads[child] > 0 {
                    visit(cells + child, .limit, child, -1, from: node)
                }
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

    // MARK: - Pushing

    /// Sends as many accounts round the ring as improve it one by one.
    private mutating func push() {
        pushes += 1
        var amount = ring.reduce(Int64.max) { min($0, room(for: $1)) }
        var low: Int64 = 1
        // Mostly one account, seldom two.
        while 2 * low <= amount, isImproving(2 * low) { low *= 2 }
        amount = min(amount, 2 * low - 1)
        while low < amount {
            let middle = low + (amount - low + 1) / 2
            if isImproving(middle) { low = middle } else { amount = middle - 1 }
        }
        for change in ring {
            switch change.kind {
            case .arc: flow.change(arc: change.index, by: change.sign * low)
            case .limit: flow.change(limit: change.index, by: change.sign * low)
            case .group, .none: break
            }
        }
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
    private func isImproving(_ amount: Int64) -> Bool {
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
