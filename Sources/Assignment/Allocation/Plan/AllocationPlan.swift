// SPDX-License-Identifier: Apache-2.0

/// Who gets how many of what waits, why not more, and the proof that nobody could have been given more.
///
/// Among the plans within all limits the one that places the greatest weight; of these the one nearest to the targets,
/// the largest relative deviation first; of these the one with the fewest moves from last month, where deviations tie.
/// ``PlanCheck`` verifies it from the input.
/// - Source: AGY-07…09, AGY-16, GEO-02, ASG-06, ASG-07, GAP-allocation.
package struct AllocationPlan: Hashable, Sendable, Codable {
    /// What kept a contract from more.
    package enum Binding: String, Sendable, CaseIterable, Codable { case share, demand, capacity, bond, cap }

    package struct Quota: Hashable, Sendable, Codable {
        package var key: PlanKey
        /// To be dealt, on top of what is held.
        package var accounts: Int64
        package var held: Int64
        /// The target, in millionths of what waits and is held.
        package var part: Int64
        /// The same in accounts, rounded down.
        package var target: Int64
        package var lastMonth: Int64
        /// Accounts of the cell's mean that the contract's part of the bond covers; `nil`: no bond limits it.
        package var bondAccountsMax: Int64?
        /// Centavos that may be dealt at most, and what so many accounts of the mean take.
        package var exposureMax: Int64?
        package var exposureExpected: Int64
        package var binding: Binding
        package var arm: Int16
    }

    package struct Unplaced: Hashable, Sendable, Codable {
        package enum Reason: String, Sendable, CaseIterable, Codable {
            case noContract = "no-contract"
            case hold, ban, capacity, bond, cap
        }
        package var cell: PlanCell
        package var accounts: Int64
        package var reason: Reason
    }

    /// By cell, then by contract: one for everyone who takes part, with 0 accounts too.
    package var quotas: [Quota]
    /// By cell, what is banned last.
    package var unplaced: [Unplaced]
    /// Accounts placed, each times the weight of its class.
    package var weight: Int64
    /// What no plan can pass, by the certificate; equal to the weight unless bonds are scarce.
    package var bound: Int64
    package var certificate: PlanCertificate

    package var gap: Int64 { bound - weight }

    /// - Throws: ``PlanInputError`` where the input contradicts itself.
    package init(_ input: PlanInput) throws(PlanInputError) {
        try input.validate()
        let network = PlanNetwork(input)
        let parting = BondParting(network)
        let caps = parting.widenedCaps
        let filled = parting.filling.flow
        let flow = ShareBalance(caps == filled.caps ? filled : PlanFilling(network, caps: caps).flow).flow
        self.quotas = Self.quotas(flow, input)
        self.unplaced = Self.unplaced(flow, input)
        self.weight = flow.weight
        self.bound = parting.bound
        self.certificate = parting.certificate
    }

    // MARK: - Quotas

    private static func quotas(_ flow: PlanFlow, _ input: PlanInput) -> [Quota] {
        let network = flow.network
        let exposures = exposures(flow)
        return network.arcs.indices.map { arc in
            let details = network.arcs[arc]
            let cell = network.cells[details.cell]
            let contract = network.contracts[details.contract]
            let pool = cell.key.pool
            let target = input.targets[TargetKey(delegation: pool.delegation, strategy: pool.strategy)] ?? .equal
            let isLimited = contract.exposure.isLimiting
            return Quota(
                key: PlanKey(cell: cell.key, contract: contract.contract), accounts: flow.accounts[arc],
                held: details.held, part: details.part, target: cell.base * details.part / ShareTarget.whole,
                lastMonth: details.lastMonth,
                bondAccountsMax: isLimited && details.mean > 0 ? flow.caps[arc] : nil,
                exposureMax: isLimited ? exposures[arc] : nil,
                exposureExpected: flow.accounts[arc] * details.mean, binding: binding(flow, arc),
                arm: target.arm(of: contract.contract))
        }
    }

    /// Each contract's whole bond, over what it is dealt in proportion to what that takes of it, so that dealing has
    /// room for accounts above the mean.
    private static func exposures(_ flow: PlanFlow) -> [Int64] {
        let network = flow.network
        var exposures = network.arcs.map { _ in Int64(0) }
        for (contract, arcs) in network.arcsByContract.enumerated() {
            guard let room = network.contracts[contract].bondRoom else { continue }
            let needs = arcs.map { flow.accounts[$0] * network.arcs[$0].mean }
            let left = room - needs.reduce(0, +)
            for ((arc, need), more) in zip(zip(arcs, needs), Proportion.split(left, weights: needs)) {
                exposures[arc] = need + more
            }
        }
        return exposures
    }

    private static func binding(_ flow: PlanFlow, _ arc: Int) -> Binding {
        let network = flow.network
        let details = network.arcs[arc]
        let cell = network.cells[details.cell]
        let goal = cell.base * details.part
        if (flow.accounts[arc] + details.held + 1) * ShareTarget.whole > goal {
            return flow.accounts[arc] == cell.accounts ? .demand : .share
        }
        return tight(flow, arc) ?? (flow.placed[details.cell] == cell.accounts ? .demand : .share)
    }

    /// The limit that an arc meets first.
    private static func tight(_ flow: PlanFlow, _ arc: Int) -> Binding? {
        if flow.accounts[arc] == flow.caps[arc] { return .bond }
        guard let limit = flow.network.ways[arc].first(where: { flow.slack($0) == 0 }) else { return nil }
        if case .agency = flow.network.limits[limit].key { return .cap }
        return .capacity
    }

    // MARK: - What is left

    private static func unplaced(_ flow: PlanFlow, _ input: PlanInput) -> [Unplaced] {
        let network = flow.network
        let banned = Dictionary(input.demands.map { ($0.cell, $0.banned) }) { $0 + $1 }
        return network.cells.indices.flatMap { index -> [Unplaced] in
            let cell = network.cells[index]
            var found: [Unplaced] = []
            let left = cell.accounts - flow.placed[index]
            if left > 0 {
                let reason = cell.arcs.isEmpty ? absence(cell.key, input) : shortage(flow, cell)
                found.append(Unplaced(cell: cell.key, accounts: left, reason: reason))
            }
            if let accounts = banned[cell.key], accounts > 0 {
                found.append(Unplaced(cell: cell.key, accounts: accounts, reason: .ban))
            }
            return found
        }
    }

    /// Why nobody takes the cell: whoever could if something were lifted comes first.
    private static func absence(_ cell: PlanCell, _ input: PlanInput) -> Unplaced.Reason {
        let absences = input.contracts.map { $0.absence(from: cell, on: input.firstDay) }
        if absences.contains(.hold) || absences.contains(.suspended) { return .hold }
        return absences.contains(.ban) ? .ban : .noContract
    }

    private static func shortage(_ flow: PlanFlow, _ cell: PlanNetwork.Cell) -> Unplaced.Reason {
        let limits = Set(cell.arcs.map { tight(flow, $0) })
        if limits.contains(.bond) { return .bond }
        return limits.contains(.cap) ? .cap : .capacity
    }
}
