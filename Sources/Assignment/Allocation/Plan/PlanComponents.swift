// SPDX-License-Identifier: Apache-2.0

/// The parts of a network that no way joins, sink and weights aside. Where advisers are counted by delegation, and no cap
/// and no portfolio's staffing spans them, each delegation's portfolio is one.
struct PlanComponents {
    /// By cell and by limit, the number of its part.
    let ofCell: [Int]
    let ofLimit: [Int]
    /// By part: its cells, and its limits that lead out. Ascending.
    let cells: [[Int]]
    let topLimits: [[Int]]

    var count: Int { cells.count }

    init(_ network: PlanNetwork) {
        let first = network.cells.count
        var roots = Array(0..<first + network.limits.count)
        func root(_ node: Int) -> Int {
            var node = node
            while roots[node] != node {
                roots[node] = roots[roots[node]]
                node = roots[node]
            }
            return node
        }
        func join(_ one: Int, _ other: Int) {
            let (one, other) = (root(one), root(other))
            if one != other { roots[max(one, other)] = min(one, other) }
        }
        for arc in network.arcs { join(arc.cell, first + arc.station) }
        for (limit, details) in network.limits.enumerated() {
            if let parent = details.parent { join(first + limit, first + parent) }
        }
        var numbers: [Int: Int] = [:]
        var parts = roots
        for node in roots.indices {
            let root = root(node)
            let number = numbers[root] ?? numbers.count
            numbers[root] = number
            parts[node] = number
        }
        var cells = [[Int]](repeating: [], count: numbers.count)
        var topLimits = cells
        for cell in network.cells.indices { cells[parts[cell]].append(cell) }
        for (limit, details) in network.limits.enumerated() where details.parent == nil {
            topLimits[parts[first + limit]].append(limit)
        }
        self.ofCell = Array(parts[..<first])
        self.ofLimit = Array(parts[first...])
        self.cells = cells
        self.topLimits = topLimits
    }
}
