// SPDX-License-Identifier: Apache-2.0

/// Accounts on their way through a network: never above a limit, never more than a cell has.
struct PlanFlow {
    let network: PlanNetwork
    /// Per arc: what it carries, and what the contract's part of the bond lets it carry.
    private(set) var accounts: [Int64]
    var caps: [Int64]
    /// Per limit, and per cell.
    private(set) var loads: [Int64]
    private(set) var placed: [Int64]
    var arcsInto: [[Int]] { network.arcsInto }
    var childrenOf: [[Int]] { network.childrenOf }

    var sink: Int { network.cells.count + network.limits.count }

    init(_ network: PlanNetwork, caps: [Int64]) {
        self.network = network
        self.caps = caps
        self.accounts = network.arcs.map { _ in 0 }
        self.loads = network.limits.map { _ in 0 }
        self.placed = network.cells.map { _ in 0 }
    }

    func slack(_ limit: Int) -> Int64 { network.limits[limit].room - loads[limit] }

    /// How much more could flow over an arc and out, the cell aside.
    func slackOut(_ arc: Int) -> Int64 {
        var slack = caps[arc] - accounts[arc]
        var limit: Int? = network.arcs[arc].station
        while let at = limit {
            slack = min(slack, self.slack(at))
            limit = network.limits[at].parent
        }
        return slack
    }

    /// Sends `amount` more (less where it is below zero) over one arc and all the way out.
    mutating func send(_ amount: Int64, over arc: Int) {
        accounts[arc] += amount
        placed[network.arcs[arc].cell] += amount
        var limit: Int? = network.arcs[arc].station
        while let at = limit {
            loads[at] += amount
            limit = network.limits[at].parent
        }
    }

    mutating func change(arc: Int, by amount: Int64) {
        accounts[arc] += amount
        placed[network.arcs[arc].cell] += amount
    }

    mutating func change(limit: Int, by amount: Int64) { loads[limit] += amount }

    /// The weight of all that is placed: each cell fills its heaviest group first.
    var weight: Int64 {
        network.cells.indices.reduce(0) { sum, cell in
            var left = placed[cell]
            var weight = sum
            for (group, demand) in network.cells[cell].demand.enumerated() {
                let here = min(left, demand)
                weight += here * network.weights[group]
                left -= here
            }
            return weight
        }
    }
}

// MARK: - As much as fits

/// Places the most, weight group by weight group. What a set of cells can send out is a polymatroid, so filling the
/// heaviest group first and never taking an account back gives the greatest weight, for all falling weights at once.
struct PlanFilling {
    private(set) var flow: PlanFlow
    /// The prices that the cuts give (see ``PlanCertificate``), in whole weights, per limit.
    private(set) var prices: [Int64]
    /// Arcs whose part of the bond is in a cut: then the prices do not prove the flow best for all ways to part the
    /// bond.
    private(set) var arcsInCut: Set<Int> = []
    private var open: [Int64]
    private var levels: [Int32] = []
    private var tried: [Int] = []

    init(_ network: PlanNetwork, caps: [Int64]) {
        self.flow = PlanFlow(network, caps: caps)
        self.prices = network.limits.map { _ in 0 }
        self.open = network.cells.map { _ in 0 }
        for group in network.weights.indices {
            for cell in network.cells.indices { open[cell] += network.cells[cell].demand[group] }
            fillByTarget(group)
            while climb() { block() }
            let next = group + 1 < network.weights.count ? network.weights[group + 1] : 0
            price(network.weights[group] - next)
        }
    }

    /// As much weight along ways that are near the targets: of a group that is placed in part, each cell the same part of its
    /// target where that can be.
    static func leveled(_ flow: PlanFlow, _ components: PlanComponents) -> PlanFlow {
        let evened = flow.evened(components)
        if evened != flow.placed {
            let found = PlanFilling(leveling: flow, amounts: evened).flow
            if found.weight == flow.weight { return found }
        }
        return PlanFilling(leveling: flow, amounts: flow.placed).flow
    }

    private init(leveling flow: PlanFlow, amounts: [Int64]) {
        self.flow = PlanFlow(flow.network, caps: flow.caps)
        self.prices = flow.network.limits.map { _ in 0 }
        self.open = amounts
        let levels = ShareLevels(self.flow, amounts: open)
        for (arc, details) in flow.network.arcs.enumerated() {
            let fits = min(self.flow.slackOut(arc), open[details.cell] - self.flow.placed[details.cell])
            self.flow.send(min(levels.accounts(arc), fits), over: arc)
        }
        let facts = flow.network.facts
        for cell in flow.network.cells.indices { placeOneEach(cell, facts) }
        while climb() { block() }
    }

    /// What rounding left over in a cell goes one account each to those that have room, in the order in which that leaves the
    /// least ranks: first whom it brings nearer to its target, the worst of them before the others, then whom it takes the least
    /// away. Where more is left than that, the levels were too rough, and ways are found by climbing.
    private mutating func placeOneEach(_ cell: Int, _ facts: [ShareRank.Facts]) {
        let arcs = flow.network.cells[cell].arcs
        let left = open[cell] - flow.placed[cell]
        guard left > 0, left <= arcs.count else { return }
        var turns: [(brings: Bool, rank: ShareRank)] = []
        turns.reserveCapacity(arcs.count)
        for arc in arcs where flow.slackOut(arc) > 0 {
            let before = ShareRank(facts[arc], arc: arc, accounts: flow.accounts[arc])
            let after = ShareRank(facts[arc], arc: arc, accounts: flow.accounts[arc] + 1)
            let brings = after < before
            turns.append((brings, brings ? before : after))
        }
        turns.sort { one, other in
            if one.brings != other.brings { return one.brings }
            return one.brings ? other.rank < one.rank : one.rank < other.rank
        }
        // An earlier one can have taken the room of a limit that both lead to.
        for turn in turns where open[cell] > flow.placed[cell] && flow.slackOut(turn.rank.arc) > 0 {
            flow.send(1, over: turn.rank.arc)
        }
    }

    /// A quick start: everyone the target's part of the group, less in proportion where a limit on the way is too
    /// narrow for all that want to pass.
    private mutating func fillByTarget(_ group: Int) {
        let network = flow.network
        var wanted = network.arcs.map { _ in Int64(0) }
        var wantedByLimit = network.limits.map { _ in Int64(0) }
        for cell in network.cells {
            let parts = cell.arcs.map { network.arcs[$0].part }
            for (arc, part) in zip(cell.arcs, Proportion.split(cell.demand[group], weights: parts)) {
                wanted[arc] = part
                for limit in network.ways[arc] { wantedByLimit[limit] += part }
            }
        }
        let slack = network.limits.indices.map { flow.slack($0) }
        for arc in network.arcs.indices where wanted[arc] > 0 {
            var share = min(wanted[arc], flow.caps[arc] - flow.accounts[arc])
            for limit in network.ways[arc] where wantedByLimit[limit] > slack[limit] {
                let product = wanted[arc].multipliedFullWidth(by: slack[limit])
                share = min(share, wantedByLimit[limit].dividingFullWidth(product).quotient)
            }
            flow.send(share, over: arc)
        }
    }

    // MARK: Dinic's algorithm; the source leads to every cell that has something open

    /// Levels by distance from the cells with something open; whether the sink has one.
    private mutating func climb() -> Bool {
        let cells = flow.network.cells.count
        levels = [Int32](repeating: -1, count: flow.sink + 1)
        tried = [Int](repeating: 0, count: flow.sink)
        var queue = flow.network.cells.indices.filter { open[$0] > flow.placed[$0] }
        for cell in queue { levels[cell] = 0 }
        var next = 0
        while next < queue.count {
            let node = queue[next]
            next += 1
            func reach(_ other: Int) {
                guard levels[other] < 0 else { return }
                levels[other] = levels[node] + 1
                if other < flow.sink { queue.append(other) }
            }
            if node < cells {
                for arc in flow.network.cells[node].arcs where flow.accounts[arc] < flow.caps[arc] {
                    reach(cells + flow.network.arcs[arc].station)
                }
            } else {
                let limit = node - cells
                if flow.slack(limit) > 0 { reach(flow.network.limits[limit].parent.map { cells + $0 } ?? flow.sink) }
                for arc in flow.arcsInto[limit] where flow.accounts[arc] > 0 { reach(flow.network.arcs[arc].cell) }
                for child in flow.childrenOf[limit] where flow.loads[child] > 0 { reach(cells + child) }
            }
        }
        return levels[flow.sink] >= 0
    }

    private mutating func block() {
        for cell in flow.network.cells.indices {
            while open[cell] > flow.placed[cell] {
                if push(open[cell] - flow.placed[cell], from: cell) == 0 { break }
            }
        }
    }

    /// Sends up to `amount` from a node along rising levels to the sink; how much arrived.
    private mutating func push(_ amount: Int64, from node: Int) -> Int64 {
        let cells = flow.network.cells.count
        if node == flow.sink { return amount }
        if node < cells {
            let arcs = flow.network.cells[node].arcs
            while tried[node] < arcs.count {
                let arc = arcs.lowerBound + tried[node]
                let station = cells + flow.network.arcs[arc].station
                let fits = min(amount, flow.caps[arc] - flow.accounts[arc])
                if fits > 0, levels[station] == levels[node] + 1 {
                    let sent = push(fits, from: station)
                    flow.change(arc: arc, by: sent)
                    if sent > 0 { return sent }
                }
                tried[node] += 1
            }
            return 0
        }
        return pushOn(amount, from: node)
    }

    private mutating func pushOn(_ amount: Int64, from node: Int) -> Int64 {
        let cells = flow.network.cells.count
        let limit = node - cells
        let into = flow.arcsInto[limit]
        let children = flow.childrenOf[limit]
        while tried[node] <= into.count + children.count {
            let turn = tried[node]
            var sent: Int64 = 0
            if turn == 0 {
                let parent = flow.network.limits[limit].parent.map { cells + $0 } ?? flow.sink
                if levels[parent] == levels[node] + 1, flow.slack(limit) > 0 {
                    sent = push(min(amount, flow.slack(limit)), from: parent)
                    flow.change(limit: limit, by: sent)
                }
            } else if turn <= into.count {
                let arc = into[turn - 1]
                let cell = flow.network.arcs[arc].cell
                if levels[cell] == levels[node] + 1, flow.accounts[arc] > 0 {
                    sent = push(min(amount, flow.accounts[arc]), from: cell)
                    flow.change(arc: arc, by: -sent)
                }
            } else {
                let child = children[turn - 1 - into.count]
                if levels[cells + child] == levels[node] + 1, flow.loads[child] > 0 {
                    sent = push(min(amount, flow.loads[child]), from: cells + child)
                    flow.change(limit: child, by: -sent)
                }
            }
            if sent > 0 { return sent }
            tried[node] += 1
        }
        return 0
    }

    /// After the last climb the nodes with a level are the near side of a least cut.
    private mutating func price(_ weight: Int64) {
        let cells = flow.network.cells.count
        for (index, limit) in flow.network.limits.enumerated() where levels[cells + index] >= 0 {
            let isFar = limit.parent.map { levels[cells + $0] < 0 } ?? true
            if isFar { prices[index] += weight }
        }
        for cell in flow.network.cells.indices where levels[cell] >= 0 {
            for arc in flow.network.cells[cell].arcs where levels[cells + flow.network.arcs[arc].station] < 0 {
                arcsInCut.insert(arc)
            }
        }
    }
}
