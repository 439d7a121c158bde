// SPDX-License-Identifier: Apache-2.0

/// Parts each contract's bond over its cells and fills, so that the weight placed is as large as can be proved or
/// found.
struct BondParting {
    let network: PlanNetwork
    private(set) var filling: PlanFilling
    private(set) var certificate: PlanCertificate
    /// The weight that no plan can pass, by the certificate.
    private(set) var bound: Int64

    /// Restarts of the pricing at most, and steps for each.
    private static let restartsMax = 24
    /// So many of them also for a gap that is small beside all bonds.
    private static let nearRestartsMax = 4
    private static let stepsPerRestart = 160

    init(_ network: PlanNetwork) {
        self.network = network
        self.filling = PlanFilling(network, caps: Self.byNeed(network))
        self.certificate = PlanCertificate(scale: 1, prices: [:])
        self.bound = 0
        certify(with: filling)
        // Nothing was kept back by a bond, or what was found its way otherwise.
        for _ in 0..<4 where filling.flow.weight < bound { refill(filling.flow.accounts) }
        guard filling.flow.weight < bound else { return }
        // Prices of a cut through parts of a bond charge what stands beside them for nothing: without any bond the cut bounds, too.
        certify(with: PlanFilling(network, caps: network.arcs.map { _ in PlanNetwork.unlimited }))
        search()
    }

    /// By prices: the relaxation proposes parts, and each proposal is filled.
    private mutating func search() {
        var pricing = BondPricing(network)
        let allowance = allowance
        for restart in 0..<Self.restartsMax {
            let gap = bound - filling.flow.weight
            guard gap > (restart < Self.nearRestartsMax ? nearAllowance : allowance) else { return }
            pricing.run(Self.stepsPerRestart)
            offer(pricing.prices)
            refill(pricing.accounts)
            refill(filling.flow.accounts)
        }
    }

    /// One account of the heaviest weight for each contract and delegation with a bond.
    private var allowance: Int64 {
        Int64(places(of: network.arcs.indices.filter { network.arcs[$0].mean > 0 })) * (network.weights.first ?? 1)
    }

    /// The same where a part of a bond keeps something back, for accounts that are kept back: what is short in one
    /// place is no excuse for what another place could have.
    private var nearAllowance: Int64 {
        var heaviest: Int64 = 0
        for (cell, placed) in zip(network.cells, filling.flow.placed) {
            var left = placed
            for (group, demand) in cell.demand.enumerated() where !cell.arcs.isEmpty {
                left -= demand
                if left < 0 { heaviest = max(heaviest, network.weights[group]) }
            }
        }
        return Int64(places(of: filling.arcsInCut)) * heaviest
    }

    private func places(of arcs: some Sequence<Int>) -> Int {
        Set(
            arcs.map { arc in
                [network.arcs[arc].contract, Int(network.cells[network.arcs[arc].cell].key.pool.delegation.value)]
            }
        ).count
    }

    /// What each contract's part of the bond lets an arc carry: what it carries, and of what is left over its part by
    /// need, so that shares have room.
    var widenedCaps: [Int64] {
        let accounts = filling.flow.accounts
        var caps = filling.flow.caps
        let goals = Self.goals(network)
        for (contract, arcs) in network.arcsByContract.enumerated() {
            guard let room = network.contracts[contract].bondRoom else { continue }
            let limited = arcs.filter { network.arcs[$0].mean > 0 }
            let used = limited.reduce(0) { $0 + accounts[$1] * network.arcs[$1].mean }
            let needs = limited.map { max(1, goals[$0] - accounts[$0]) * network.arcs[$0].mean }
            for (arc, part) in zip(limited, Proportion.split(room - used, weights: needs)) {
                caps[arc] = accounts[arc] + part / network.arcs[arc].mean
            }
        }
        return caps
    }

    // MARK: - Parts

    private static func goals(_ network: PlanNetwork) -> [Int64] {
        network.arcs.map { arc in
            let cell = network.cells[arc.cell]
            let goal = cell.base * arc.part / ShareTarget.whole + 1 - arc.held
            return min(max(goal, 1), max(cell.accounts, 1))
        }
    }

    /// Each contract's bond in proportion to what its targets need of it.
    private static func byNeed(_ network: PlanNetwork) -> [Int64] {
        let goals = goals(network)
        return caps(network) { arc in goals[arc] }
    }

    /// What parts of the bond allow when they are in proportion to `accounts` of each arc's mean.
    private static func caps(_ network: PlanNetwork, accounts: (Int) -> Int64) -> [Int64] {
        var caps = network.arcs.map { _ in PlanNetwork.unlimited }
        for (contract, arcs) in network.arcsByContract.enumerated() {
            guard let room = network.contracts[contract].bondRoom else { continue }
            let limited = arcs.filter { network.arcs[$0].mean > 0 }
            let needs = limited.map { accounts($0) * network.arcs[$0].mean }
            for (arc, part) in zip(limited, Proportion.split(room, weights: needs)) {
                caps[arc] = part / network.arcs[arc].mean
            }
        }
        return caps
    }

    /// Keeps to `proposal` as far as the bond goes; what is left of the bond goes to the arcs that kept something back.
    private mutating func refill(_ proposal: [Int64]) {
        var caps = Self.caps(network) { proposal[$0] }
        for (contract, arcs) in network.arcsByContract.enumerated() {
            guard let room = network.contracts[contract].bondRoom else { continue }
            let limited = arcs.filter { network.arcs[$0].mean > 0 }
            for arc in limited { caps[arc] = min(caps[arc], proposal[arc]) }
            var left = room - limited.reduce(0) { $0 + caps[$1] * network.arcs[$1].mean }
            let short = limited.filter { filling.arcsInCut.contains($0) }
            let needs = short.map { arc in
                network.arcs[arc].mean * max(1, network.cells[network.arcs[arc].cell].accounts - caps[arc])
            }
            for (arc, part) in zip(short, Proportion.split(left, weights: needs)) {
                let more = part / network.arcs[arc].mean
                caps[arc] += more
                left -= more * network.arcs[arc].mean
            }
            // The last pieces go one account at a time, the cheapest first.
            let order = (short.isEmpty ? limited : short).sorted {
                (network.arcs[$0].mean, $0) < (network.arcs[$1].mean, $1)
            }
            for arc in order where network.arcs[arc].mean <= left {
                let more = short.isEmpty ? left / network.arcs[arc].mean : 1
                caps[arc] += more
                left -= more * network.arcs[arc].mean
            }
        }
        let found = PlanFilling(network, caps: caps)
        if found.flow.weight > filling.flow.weight { filling = found }
        certify(with: found)
    }

    // MARK: - Proof

    private mutating func certify(with filling: PlanFilling) {
        offer(limits: filling.prices, bonds: network.contracts.map { _ in 0 }, scale: 1)
    }

    private mutating func offer(_ prices: (limits: [Int64], bonds: [Int64])) {
        offer(limits: prices.limits, bonds: prices.bonds, scale: BondPricing.scale)
    }

    /// Keeps the prices that bound lowest.
    private mutating func offer(limits: [Int64], bonds: [Int64], scale: Int64) {
        let value = value(limits, bonds, scale)
        guard certificate.prices.isEmpty && bound == 0 || value < bound else { return }
        bound = value
        var named: [PlanLimit: Int64] = [:]
        for (limit, price) in zip(network.limits, limits) where price > 0 { named[limit.key] = price }
        for (contract, price) in zip(network.contracts, bonds) where price > 0 {
            named[.bond(contract.contract)] = price
        }
        certificate = PlanCertificate(scale: scale, prices: named)
    }

    private func value(_ limits: [Int64], _ bonds: [Int64], _ scale: Int64) -> Int64 {
        var total: Int64 = 0
        for (limit, price) in zip(network.limits, limits) where price > 0 { total += min(limit.room, 1 << 30) * price }
        for (contract, price) in zip(network.contracts, bonds) where price > 0 {
            let (quotient, remainder) = PlanCertificate.bondUnit.dividingFullWidth(
                price.multipliedFullWidth(by: contract.bondRoom ?? 0))
            total += quotient + (remainder > 0 ? 1 : 0)
        }
        for cell in network.cells {
            var cheapest = Int64.max
            for arc in cell.arcs {
                let details = network.arcs[arc]
                let product = bonds[details.contract].multipliedFullWidth(by: details.mean)
                var cost = PlanCertificate.bondUnit.dividingFullWidth(product).quotient
                for limit in network.ways[arc] { cost += limits[limit] }
                cheapest = min(cheapest, cost)
            }
            for (group, demand) in cell.demand.enumerated() where !cell.arcs.isEmpty {
                total += demand * max(0, network.weights[group] * scale - cheapest)
            }
        }
        return total / scale
    }
}
