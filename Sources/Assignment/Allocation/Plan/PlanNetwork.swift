// SPDX-License-Identifier: Apache-2.0

/// A plan's input as a network. Accounts flow from a cell over an arc (one contract's part of the cell) to the
/// contract's station, on to its portfolio and to its agency, and out; each of these may let through so many.
///
/// Everything is sorted by what it stands for, so equal inputs make equal networks. Node numbers: the cells, then the
/// limits, then the sink.
struct PlanNetwork {
    /// A way out that may be narrow. Stations lead to portfolios or agencies, portfolios to agencies.
    struct Limit {
        let key: PlanLimit
        let room: Int64
        /// The next limit on the way; `nil`: out.
        let parent: Int?
    }
    struct Arc {
        let cell: Int
        let contract: Int
        let station: Int
        /// The target, in millionths of the cell.
        let part: Int64
        let held: Int64
        let lastMonth: Int64
        /// Centavos of bond that an account of the cell's mean takes; 0 where the bond limits nothing.
        let mean: Int64
    }
    struct Cell {
        let key: PlanCell
        /// Accounts by weight group, the heaviest first.
        let demand: [Int64]
        /// What waits and what those who take part hold: what targets are parts of.
        var base: Int64
        var arcs: Range<Int>

        var accounts: Int64 { demand.reduce(0, +) }
    }

    /// Falling and distinct.
    let weights: [Int64]
    private(set) var cells: [Cell] = []
    private(set) var arcs: [Arc] = []
    private(set) var limits: [Limit] = []
    let contracts: [PlanContract]
    /// Per contract: its arcs, ascending.
    private(set) var arcsByContract: [[Int]]

    /// Per arc: the limits on its way out.
    private(set) var ways: [[Int]] = []
    /// Per limit: the arcs that lead to it, and the limits.
    private(set) var arcsInto: [[Int]] = []
    private(set) var childrenOf: [[Int]] = []
    /// Per limit: every arc whose way leads through it.
    private(set) var arcsBelow: [[Int]] = []

    static let unlimited: Int64 = 1 << 48

    init(_ input: PlanInput) {
        let weightByClass = input.weightByClass
        self.weights = Set(weightByClass.values).sorted(by: >)
        self.contracts = input.contracts.sorted { $0.contract < $1.contract }
        self.arcsByContract = contracts.map { _ in [] }
        var makers = LimitMaker(input)
        var doors: [Station: [Door]] = [:]
        for demand in input.demands.sorted(by: { $0.cell < $1.cell }) {
            add(demand, input, weightByClass, &makers, &doors)
        }
        self.limits = makers.limits
        let waysOfLimits = limits.indices.map(way(from:))
        self.ways = arcs.map { waysOfLimits[$0.station] }
        self.childrenOf = limits.map { _ in [] }
        for (index, limit) in limits.enumerated() {
            if let parent = limit.parent { childrenOf[parent].append(index) }
        }
        var into = limits.map { _ in 0 }
        for arc in arcs { into[arc.station] += 1 }
        self.arcsInto = into.map { count in
            var list: [Int] = []
            list.reserveCapacity(count)
            return list
        }
        for (index, arc) in arcs.enumerated() { arcsInto[arc.station].append(index) }
        self.arcsBelow = arcsInto
        for (limit, children) in childrenOf.enumerated() where !children.isEmpty { arcsBelow[limit] = [] }
        for (index, way) in ways.enumerated() {
            for limit in way where !childrenOf[limit].isEmpty { arcsBelow[limit].append(index) }
        }
    }

    /// What ranks of the arcs follow from.
    var facts: [ShareRank.Facts] {
        arcs.map { arc in
            ShareRank.Facts(goal: cells[arc.cell].base * arc.part, held: arc.held, lastMonth: arc.lastMonth)
        }
    }

    /// A contract that works at a station, and the number of that limit once some arc leads there.
    private struct Door {
        let contract: Int
        let number: ContractID
        let isLimitedByBond: Bool
        var limit: Int?
    }

    private mutating func add(
        _ demand: PlanDemand, _ input: PlanInput, _ weightByClass: [Int16: Int64], _ maker: inout LimitMaker,
        _ doors: inout [Station: [Door]]
    ) {
        var groups = weights.map { _ in Int64(0) }
        for item in demand.classes {
            guard let group = weights.firstIndex(of: weightByClass[item.priority] ?? 0) else { continue }
            groups[group] += item.accounts
        }
        let pool = demand.cell.pool
        let station = Station(delegation: pool.delegation, portfolio: pool.portfolio)
        if doors[station] == nil {
            doors[station] = contracts.indices.filter { contracts[$0].isOpen(at: station, on: input.firstDay) }.map {
                Door(
                    contract: $0, number: contracts[$0].contract,
                    isLimitedByBond: contracts[$0].exposure.isLimiting, limit: nil)
            }
        }
        var here = doors[station] ?? []
        let takers = here.indices.filter { contracts[here[$0].contract].takes(demand.cell) }
        let target = input.targets[TargetKey(delegation: pool.delegation, strategy: pool.strategy)] ?? .equal
        let parts = target.parts(of: takers.map { here[$0].number })
        let first = arcs.count
        var base = groups.reduce(0, +)
        for (taker, part) in zip(takers, parts) where part > 0 {
            let contract = here[taker].contract
            let limit = here[taker].limit ?? maker.station(contracts[contract], station)
            here[taker].limit = limit
            let held = contracts[contract].held[demand.cell]?.accounts ?? 0
            base += held
            arcsByContract[contract].append(arcs.count)
            arcs.append(
                Arc(
                    cell: cells.count, contract: contract, station: limit, part: part, held: held,
                    lastMonth: input.lastMonth[PlanKey(cell: demand.cell, contract: here[taker].number)] ?? 0,
                    mean: here[taker].isLimitedByBond ? demand.meanExposure(contracts[contract].exposure) : 0))
        }
        doors[station] = here
        cells.append(Cell(key: demand.cell, demand: groups, base: base, arcs: first..<arcs.count))
    }

    /// The limits that lead out from one, itself first.
    private func way(from limit: Int) -> [Int] {
        var way = [limit]
        while let last = way.last, let parent = limits[last].parent { way.append(parent) }
        return way
    }
}

/// Makes each limit once, and only those that some arc leads to. A limit's parent comes after the first limit below it.
private struct LimitMaker {
    private let agencyRooms: [AgencyID: Int64]
    private var numbers: [PlanLimit: Int] = [:]
    private(set) var limits: [PlanNetwork.Limit] = []

    init(_ input: PlanInput) { self.agencyRooms = input.agencyRooms }

    mutating func station(_ contract: PlanContract, _ station: Station) -> Int {
        let parent = portfolio(contract, station.portfolio) ?? agency(contract.agency)
        return number(.station(contract.contract, station), contract.room(at: station), parent: parent)
    }

    private mutating func portfolio(_ contract: PlanContract, _ portfolio: Portfolio) -> Int? {
        guard let room = contract.room(in: portfolio) else { return nil }
        return number(.portfolio(contract.contract, portfolio), room, parent: agency(contract.agency))
    }

    private mutating func agency(_ agency: AgencyID) -> Int? {
        agencyRooms[agency].map { number(.agency(agency), $0, parent: nil) }
    }

    private mutating func number(_ key: PlanLimit, _ room: Int64?, parent: Int?) -> Int {
        if let known = numbers[key] { return known }
        numbers[key] = limits.count
        limits.append(PlanNetwork.Limit(key: key, room: room ?? PlanNetwork.unlimited, parent: parent))
        return limits.count - 1
    }
}

extension PlanInput {
    /// What each agency may still get under the cap: the part of everything that waits or is held, rounded down, less
    /// what its contracts hold. Empty where there is no cap.
    package var agencyRooms: [AgencyID: Int64] {
        guard let agencyCap else { return [:] }
        var held: [AgencyID: Int64] = [:]
        for contract in contracts {
            held[contract.agency, default: 0] += contract.held.values.reduce(0) { $0 + $1.accounts }
        }
        let everything = demands.reduce(0) { $0 + $1.accounts } + held.values.reduce(0, +)
        let limit = everything * agencyCap.value / BasisPoints.whole
        return held.mapValues { max(0, limit - $0) }
    }
}
