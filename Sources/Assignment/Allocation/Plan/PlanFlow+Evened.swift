// SPDX-License-Identifier: Apache-2.0

extension PlanFlow {
    /// Accounts of each cell, with as many of every weight group in each component as the flow has: of a group that is placed in
    /// part, every cell of the component up to one level of its target. Whether they find their ways is not asked.
    func evened(_ components: PlanComponents) -> [Int64] {
        var amounts = placed
        let held = network.cells.map { cell in cell.arcs.reduce(Int64(0)) { $0 + network.arcs[$1].held } }
        for cells in components.cells where cells.count > 1 {
            var before = cells.map { _ in Int64(0) }
            for group in network.weights.indices {
                let demands = cells.map { network.cells[$0].demand[group] }
                let here = zip(cells, zip(before, demands)).map { cell, own in
                    min(max(0, placed[cell] - own.0), own.1)
                }
                let sum = here.reduce(0, +)
                if sum > 0, sum < demands.reduce(0, +) {
                    let rooms = zip(cells.indices, cells).map { place, cell in
                        (base: network.cells[cell].base, used: before[place] + held[cell], most: demands[place])
                    }
                    for ((cell, part), old) in zip(zip(cells, Self.evenly(sum, rooms)), here) {
                        amounts[cell] += part - old
                    }
                }
                for place in cells.indices { before[place] += demands[place] }
            }
        }
        return amounts
    }

    /// Parts of an amount that bring each up to one level of its base, counting what is used already, and to no more than its
    /// most.
    private static func evenly(_ amount: Int64, _ rooms: [(base: Int64, used: Int64, most: Int64)]) -> [Int64] {
        func parts(_ level: Int64) -> [Int64] {
            rooms.map { room in
                let whole = level.multipliedFullWidth(by: room.base)
                let goal = (Int64(1) << 20).dividingFullWidth(whole).quotient
                return min(max(0, goal - room.used), room.most)
            }
        }
        var low: Int64 = 0
        var high: Int64 = 1 << 24
        while low < high {
            let middle = low + (high - low + 1) / 2
            if parts(middle).reduce(0, +) <= amount { low = middle } else { high = middle - 1 }
        }
        var found = parts(low)
        var left = amount - found.reduce(0, +)
        for place in rooms.indices where left > 0 {
            let more = min(left, rooms[place].most - found[place])
            found[place] += more
            left -= more
        }
        return found
    }
}
