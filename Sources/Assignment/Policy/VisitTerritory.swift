// SPDX-License-Identifier: Apache-2.0

/// Where the rule packs of a policy have no visits: whole delegations, and single municipalities.
///
/// A ban names the pack that it comes from. It holds for a contract that has the pack, which the plan sees to, and for a
/// policy that brings it, whoever works the account then.
/// - Source: GEO-02.
package struct VisitTerritory: Hashable, Sendable {
    package private(set) var delegations: Set<Delegation> = []
    package private(set) var municipalities: Set<Municipality> = []

    package init() {}

    package var isEmpty: Bool { delegations.isEmpty && municipalities.isEmpty }

    package mutating func ban(_ delegation: Delegation) { delegations.insert(delegation) }
    package mutating func ban(_ municipality: Municipality) { municipalities.insert(municipality) }

    /// In order, as `delegation 7, municipality 14039`.
    package var words: String {
        (delegations.sorted().map { "delegation \($0)" } + ordered.map { "municipality \($0)" })
            .joined(separator: ", ")
    }

    private var ordered: [Municipality] { municipalities.sorted { $0.value < $1.value } }

    fileprivate var condition: Condition {
        var parts: [Condition] = []
        if !delegations.isEmpty { parts.append(.oneOf(.delegation, delegations.sorted().map { Int64($0.value) })) }
        if !municipalities.isEmpty {
            parts.append(.oneOf(.municipality, ordered.map { Int64($0.value) }))
        }
        return .named("no visits there (GEO-02)", parts.count == 1 ? parts[0] : .any(parts))
    }
}

extension Policy {
    /// The same policy where nobody is visited in a territory: what it would have visited there is worked by telephone.
    package func withoutVisits(in territory: VisitTerritory) -> Policy {
        guard !territory.isEmpty else { return self }
        var policy = self
        for index in strategies.indices { policy.strategies[index].portfolio.callOnly(territory.condition) }
        policy.invitation?.portfolio.callOnly(territory.condition)
        return policy
    }
}

extension Choice<Portfolio> {
    /// Puts the telephone first for some accounts, where a visit may be chosen at all.
    fileprivate mutating func callOnly(_ there: Condition) {
        guard otherwise == .homeVisit || options.contains(where: { $0.value == .homeVisit }) else { return }
        options.insert(Option(.telephone, when: there), at: 0)
    }
}
