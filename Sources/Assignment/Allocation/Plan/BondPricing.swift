// SPDX-License-Identifier: Apache-2.0

/// Approaches the best way to part scarce bonds, and prices that bound every way.
///
/// A bond weighs accounts by their exposure, so with it the problem is no flow. This is the primal-dual hybrid gradient
/// method with averaging and restarts for its relaxation (parts of accounts allowed), in fixed-point integers. It only
/// proposes: the caller rounds the parts and fills again, and any prices bound (``PlanCertificate``), so that an
/// inexact step costs quality and never truth.
struct BondPricing {
    /// One weight in prices.
    static let scale: Int64 = 1 << 24
    private static let unit: Int64 = 1 << 16

    private let network: PlanNetwork
    /// One account in flow units.
    private let account: Int64
    private let ways: [Int]
    /// Per arc, in 1/unit of its contract's mean account; 0: no bond.
    private let burdens: [Int64]
    private let meanOfContract: [Int64]
    private let bondRooms: [Int64]
    private let weights: [Int64]
    private let arcCounts: (cells: [Int64], limits: [Int64], bonds: [Int64])

    private var state: State
    private var sum: State
    private var steps: Int64 = 0
    /// Flow units per price unit, the larger the bolder the flows and the more cautious the prices.
    private(set) var boldness: Int64 = 64

    private struct State {
        var flows: [Int64]
        var opened: [Int64]
        var cellPrices: [Int64]
        var limitPrices: [Int64]
        var bondPrices: [Int64]
    }

    init(_ network: PlanNetwork) {
        self.network = network
        let total = max(1, network.cells.reduce(0) { $0 + $1.accounts })
        let typical = max(1, total / Int64(max(1, network.arcs.count)))
        self.account = max(1, (1 << 30) / typical)
        self.ways = network.arcs.indices.flatMap { arc in
            let way = network.ways[arc]
            return way + Array(repeating: network.limits.count, count: 3 - way.count)
        }
        var meanOfContract = network.contracts.map { _ in Int64(1) }
        for (contract, arcs) in network.arcsByContract.enumerated() {
            let means = arcs.map { network.arcs[$0].mean }.filter { $0 > 0 }
            if !means.isEmpty { meanOfContract[contract] = max(1, means.reduce(0, +) / Int64(means.count)) }
        }
        self.meanOfContract = meanOfContract
        self.burdens = network.arcs.map { $0.mean * Self.unit / meanOfContract[$0.contract] }
        let account = account
        self.bondRooms = network.contracts.enumerated().map { index, contract in
            guard let room = contract.bondRoom else { return 0 }
            let mean = meanOfContract[index]
            // The rest may be of as many centavos as a mean: times an account it passes 64 bits.
            let rest = mean.dividingFullWidth((room % mean).multipliedFullWidth(by: account)).quotient
            return min(room / mean, total) * account + rest
        }
        let heaviest = network.weights.first ?? 1
        self.weights = network.weights.map { $0 * Self.scale / heaviest }
        self.arcCounts = Self.counts(network, burdens)
        let zero = State(
            flows: network.arcs.map { _ in 0 },
            opened: [Int64](repeating: 0, count: network.cells.count * network.weights.count),
            cellPrices: network.cells.map { _ in 0 },
            // One more: the free limit at the end of short ways.
            limitPrices: [Int64](repeating: 0, count: network.limits.count + 1),
            bondPrices: network.contracts.map { _ in 0 })
        self.state = zero
        self.sum = zero
    }

    private static func counts(
        _ network: PlanNetwork, _ burdens: [Int64]
    ) -> (cells: [Int64], limits: [Int64], bonds: [Int64]) {
        var limits = network.limits.map { _ in Int64(0) }
        var bonds = network.contracts.map { _ in Int64(0) }
        for arc in network.arcs.indices {
            for limit in network.ways[arc] { limits[limit] += 1 }
            bonds[network.arcs[arc].contract] += burdens[arc]
        }
        return (
            network.cells.map { Int64($0.arcs.count + network.weights.count) }, limits,
            bonds.map { max(1, $0 / unit) }
        )
    }

    // MARK: - Steps

    /// So many steps, then a restart from their mean.
    mutating func run(_ count: Int) {
        let start = state
        for _ in 0..<count { step() }
        let steps = steps
        state.flows = sum.flows.map { $0 / steps }
        state.opened = sum.opened.map { $0 / steps }
        state.cellPrices = sum.cellPrices.map { $0 / steps }
        state.limitPrices = sum.limitPrices.map { $0 / steps }
        state.bondPrices = sum.bondPrices.map { $0 / steps }
        self.steps = 0
        sum = State(
            flows: sum.flows.map { _ in 0 }, opened: sum.opened.map { _ in 0 },
            cellPrices: sum.cellPrices.map { _ in 0 }, limitPrices: sum.limitPrices.map { _ in 0 },
            bondPrices: sum.bondPrices.map { _ in 0 })
        weigh(since: start)
    }

    /// Half way, in powers, to how far flows moved for what prices moved: both should arrive together.
    private mutating func weigh(since start: State) {
        let flows = Self.distance(state.flows, start.flows) + Self.distance(state.opened, start.opened)
        let prices =
            Self.distance(state.cellPrices, start.cellPrices) + Self.distance(state.limitPrices, start.limitPrices)
            + Self.distance(state.bondPrices, start.bondPrices)
        guard flows > 0, prices > 0 else { return }
        boldness = min(max((boldness * max(1, flows / prices)).squareRoot, 1), 1 << 12)
    }

    /// The length of a difference, good to a few parts in a thousand.
    private static func distance(_ left: [Int64], _ right: [Int64]) -> Int64 {
        var longest: Int64 = 0
        for place in left.indices { longest = max(longest, abs(left[place] - right[place])) }
        let unit = longest / (1 << 20) + 1
        var sum: Int64 = 0
        for place in left.indices {
            let part = (left[place] - right[place]) / unit
            sum += part * part
        }
        return sum.squareRoot * unit
    }

    private mutating func step() {
        steps += 1
        var cellLoads = network.cells.map { _ in Int64(0) }
        var limitLoads = [Int64](repeating: 0, count: network.limits.count + 1)
        var bondLoads = network.contracts.map { _ in Int64(0) }
        moveFlows(&cellLoads, &limitLoads, &bondLoads)
        moveOpened(&cellLoads)
        for cell in cellLoads.indices {
            let wish = cellLoads[cell] / (boldness * arcCounts.cells[cell])
            state.cellPrices[cell] = max(0, state.cellPrices[cell] + wish)
            sum.cellPrices[cell] += state.cellPrices[cell]
        }
        for limit in network.limits.indices {
            let room = min(network.limits[limit].room, 1 << 23) * account
            let wish = (limitLoads[limit] - room) / (boldness * arcCounts.limits[limit])
            state.limitPrices[limit] = max(0, state.limitPrices[limit] + wish)
            sum.limitPrices[limit] += state.limitPrices[limit]
        }
        for bond in bondLoads.indices where meanOfContract[bond] > 1 {
            let wish = (bondLoads[bond] - bondRooms[bond]) / (boldness * arcCounts.bonds[bond])
            state.bondPrices[bond] = max(0, state.bondPrices[bond] + wish)
            sum.bondPrices[bond] += state.bondPrices[bond]
        }
    }

    /// Each load counts what a flow becomes and once more what it won.
    private mutating func moveFlows(_ cellLoads: inout [Int64], _ limitLoads: inout [Int64], _ bondLoads: inout [Int64])
    {
        for arc in network.arcs.indices {
            let cell = network.arcs[arc].cell
            let contract = network.arcs[arc].contract
            let burden = burdens[arc]
            var gain = state.cellPrices[cell] - state.bondPrices[contract] * burden / Self.unit
            for place in 3 * arc..<3 * arc + 3 { gain -= state.limitPrices[ways[place]] }
            let before = state.flows[arc]
            let after = max(0, before + gain * boldness * Self.unit / (4 * Self.unit + burden))
            state.flows[arc] = after
            sum.flows[arc] += after
            let load = 2 * after - before
            cellLoads[cell] -= load
            for place in 3 * arc..<3 * arc + 3 { limitLoads[ways[place]] += load }
            bondLoads[contract] += load / Self.unit * burden
        }
    }

    private mutating func moveOpened(_ cellLoads: inout [Int64]) {
        for (cell, details) in network.cells.enumerated() {
            for group in weights.indices {
                let place = cell * weights.count + group
                let before = state.opened[place]
                let wish = before + (weights[group] - state.cellPrices[cell]) * boldness
                let after = min(max(0, wish), details.demand[group] * account)
                state.opened[place] = after
                sum.opened[place] += after
                cellLoads[cell] += 2 * after - before
            }
        }
    }

    // MARK: - What it proposes

    /// Accounts per arc, rounded down, not yet within every limit.
    var accounts: [Int64] { state.flows.map { ($0 + account / 64) / account } }

    /// Prices in units of one heaviest weight / ``scale``.
    var prices: (limits: [Int64], bonds: [Int64]) {
        let heaviest = network.weights.first ?? 1
        let bonds = state.bondPrices.indices.map { contract -> Int64 in
            let product = (state.bondPrices[contract] * heaviest).multipliedFullWidth(by: PlanCertificate.bondUnit)
            return meanOfContract[contract].dividingFullWidth(product).quotient
        }
        return (state.limitPrices.dropLast().map { $0 * heaviest }, bonds)
    }
}

extension Int64 {
    /// The greatest number whose square is not above this one, which is 0 or more.
    fileprivate var squareRoot: Int64 {
        guard self > 1 else { return self }
        var guess = Int64(1) << ((Int64.bitWidth - leadingZeroBitCount + 1) / 2)
        while true {
            let next = (guess + self / guess) / 2
            if next >= guess { return guess }
            guess = next
        }
    }
}
