// SPDX-License-Identifier: Apache-2.0

/// A start for a fair filling: each arc is brought up to its target times a level, the lowest of its cell's and of the
/// limits' on its way. A cell's level gives out what it has to give, a limit's fills its room; they are found in turns.
/// Only a start: what it proposes is roughly within the limits.
struct ShareLevels {
    private let network: PlanNetwork
    /// Per arc, in 64ths of an account, so that small targets do not vanish.
    private let goals: [Int64]
    /// Per arc: what it has already.
    private let offsets: [Int64]
    /// Per cell and per limit, in 1/one of the target.
    private var cellLevels: [Int64]
    private var limitLevels: [Int64]

    private static let one: Int64 = 1 << 20
    private static let top: Int64 = 1 << 24
    private static let rounds = 6

    /// - Parameter amounts: what each cell gives out, on top of what the flow carries.
    init(_ flow: PlanFlow, amounts: [Int64]) {
        let network = flow.network
        self.network = network
        self.goals = network.arcs.map { network.cells[$0.cell].base * $0.part / (ShareTarget.whole >> 6) }
        self.offsets = network.arcs.indices.map { network.arcs[$0].held + flow.accounts[$0] }
        self.cellLevels = network.cells.map { _ in Self.top }
        self.limitLevels = network.limits.map { _ in Self.top }
        for _ in 0..<Self.rounds {
            for cell in cellLevels.indices where amounts[cell] > 0 {
                cellLevels[cell] = Self.top
                cellLevels[cell] = level(Array(network.cells[cell].arcs), amount: amounts[cell])
            }
            for limit in limitLevels.indices where network.limits[limit].room < PlanNetwork.unlimited {
                limitLevels[limit] = Self.top
                limitLevels[limit] = level(
                    network.arcsBelow[limit].filter { amounts[network.arcs[$0].cell] > 0 }, amount: flow.slack(limit))
            }
        }
    }

    /// What an arc gets on top.
    func accounts(_ arc: Int) -> Int64 { max(0, goals[arc] * level(arc) / (Self.one << 6) - offsets[arc]) }

    private func level(_ arc: Int) -> Int64 {
        var level = cellLevels[network.arcs[arc].cell]
        for limit in network.ways[arc] { level = min(level, limitLevels[limit]) }
        return level
    }

    /// The level up to which arcs, each held to its other levels, together take `amount`. Starts as if none were held
    /// lower and none had more already, and leaves those out step by step.
    private func level(_ arcs: [Int], amount: Int64) -> Int64 {
        var open = arcs.map { (goal: goals[$0], level: level($0), offset: offsets[$0] * (Self.one << 6)) }
        var left = open.reduce(amount * (Self.one << 6)) { $0 + $1.offset }
        while true {
            let sum = open.reduce(0) { $0 + $1.goal }
            guard sum > 0 else { return Self.top }
            let level = min(max(left, 0) / sum, Self.top)
            let before = open.count
            open.removeAll { arc in
                if arc.goal * level <= arc.offset {
                    left -= arc.offset
                    return true
                }
                if arc.level > level { return false }
                left -= max(arc.goal * arc.level, arc.offset)
                return true
            }
            if open.count == before { return level }
        }
    }
}
