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
    private static let stepsPerRestart = 160

    init(_ network: PlanNetwork) {
        self.network = network
        self.filling = PlanFilling(network, caps: Self.byNeed(network))
        self.certificate = PlanCertificate(scale: 1, prices: [:])
        self.bound = 0
        certify(with: filling)
        // Nothing was kept back by a bond, or what was found its way otherwise.
        for _ in 0..<4 where filling.flow.weight < bound { refill(filling.flow.accounts) }
        if filling.flow.weight < bound { search() }
    }

    /// By prices: the relaxation proposes parts, and each proposal is filled.
    private mutating func search() {
        let pairs = network.arcsByContract.enumerated().reduce(0) { sum, arcs in
            guard network.contracts[arcs.offset].bondRoom != nil else { return sum }
            return sum + Set(arcs.element.map { network.cells[network.arcs[$0].cell].key.pool.delegation }).count
        }
        let allowance = Int64(pairs) * (network.weights.first ?? 1)
        var pricing = BondPricing(network)
        for _ in 0..<Self.restartsMax where bound - filling.flow.weight > allowance {
            pricing.run(Self.stepsPerRestart)
            offer(pricing.prices)
            refill(pricing.accounts)
            refill(filling.flow.accounts)
        }
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
