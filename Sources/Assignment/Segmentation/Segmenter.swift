// SPDX-License-Identifier: Apache-2.0

/// Gives each account its one verdict under a policy, for the cut of one day.
///
/// A verdict depends on the account alone, so the order of the rows does not matter. Only the invitation to mediation
/// looks at more than one account; it is chosen afterwards (``InvitationRound``).
/// - Source: ASG-01.
package struct Segmenter: Sendable {
    package let policy: Policy
    /// Every tactic of the policy, by name once; ``Placement/tactic`` counts in here.
    package let tactics: [String]
    private let relief: [BoundCondition]
    private let exclusions: [BoundCondition]
    private let strategies: [BoundStrategy]
    private let invitation: BoundInvitation?

    package init(_ policy: Policy, cut: LocalDate) {
        var names: [String] = []
        func index(_ name: String) -> Int16 {
            if let found = names.firstIndex(of: name) { return Int16(found) }
            names.append(name)
            return Int16(names.count - 1)
        }
        self.policy = policy
        self.relief = policy.relief.prefix(Policy.reliefMax).map { $0.when.bound(to: cut) }
        self.exclusions = policy.exclusions.map { $0.when.bound(to: cut) }
        self.strategies = policy.strategies.map { rule in
            BoundStrategy(
                strategy: rule.strategy, when: rule.when.bound(to: cut),
                portfolio: BoundChoice(rule.portfolio, cut: cut),
                urgent: rule.urgent.map { ($0.when.bound(to: cut), $0.value) },
                tactics: rule.tactics.map { ($0.when.bound(to: cut), index($0.name), $0.priority) },
                rest: (index(rule.rest.name), rule.rest.priority))
        }
        self.invitation = policy.invitation.map { rule in
            BoundInvitation(
                from: rule.from, when: rule.when.bound(to: cut), portfolio: BoundChoice(rule.portfolio, cut: cut))
        }
        self.tactics = names
    }

    package func verdict(for row: borrowing AccountRow) -> PolicyVerdict {
        verdict(for: row, offers: offers(for: row))
    }

    /// The same where the offers are known already.
    package func verdict(for row: borrowing AccountRow, offers: UInt64) -> PolicyVerdict {
        for index in exclusions.indices where exclusions[index].holds(for: row, offers: offers) {
            return .excluded(index)
        }
        for rule in strategies where rule.when.holds(for: row, offers: offers) {
            return .placed(rule.placement(for: row, offers: offers))
        }
        return .nothingToCollect
    }

    /// What the account may be offered: bit i stands for relief i of the policy. It does not depend on the verdict.
    package func offers(for row: borrowing AccountRow) -> UInt64 {
        var offers: UInt64 = 0
        for index in relief.indices where relief[index].holds(for: row) { offers |= 1 << UInt64(index) }
        return offers
    }

    /// Where the account goes if it is invited; `nil` where it may not be.
    package func invited(_ row: borrowing AccountRow, placed: Placement) -> Placement? {
        guard let invitation, placed.strategy == invitation.from else { return nil }
        let offers = offers(for: row)
        guard invitation.when.holds(for: row, offers: offers) else { return nil }
        var invited = placed
        invited.strategy = Invitation.strategy
        invited.portfolio = invitation.portfolio.value(for: row, offers: offers)
        return invited
    }

    /// The name of the rule behind a placement, as the policy's `strategy.tactic`.
    package func rule(_ placement: Placement) -> String {
        "\(placement.strategy.name).\(tactics[Int(placement.tactic)])"
    }
}

/// What the policy says of one account.
package enum PolicyVerdict: Hashable, Sendable {
    /// By the exclusion of this number in the policy.
    case excluded(Int)
    case placed(Placement)
    /// No rule asks for anything: the account is current.
    case nothingToCollect
}

/// How one account is worked.
package struct Placement: Hashable, Sendable {
    package var strategy: Strategy
    /// Its number in ``Segmenter/tactics``.
    package var tactic: Int16
    package var portfolio: Portfolio
    /// 1 is served first.
    package var priority: Int16

    package init(strategy: Strategy, tactic: Int16, portfolio: Portfolio, priority: Int16) {
        self.strategy = strategy
        self.tactic = tactic
        self.portfolio = portfolio
        self.priority = priority
    }
}

private struct BoundChoice<Value: Hashable & Sendable>: Sendable {
    let options: [(when: BoundCondition, value: Value)]
    let otherwise: Value

    init(_ choice: Choice<Value>, cut: LocalDate) {
        self.options = choice.options.map { ($0.when.bound(to: cut), $0.value) }
        self.otherwise = choice.otherwise
    }

    func value(for row: borrowing AccountRow, offers: UInt64) -> Value {
        for option in options where option.when.holds(for: row, offers: offers) { return option.value }
        return otherwise
    }
}

private struct BoundStrategy: Sendable {
    let strategy: Strategy
    let when: BoundCondition
    let portfolio: BoundChoice<Portfolio>
    let urgent: [(when: BoundCondition, priority: Int16)]
    let tactics: [(when: BoundCondition, index: Int16, priority: Int16)]
    let rest: (index: Int16, priority: Int16)

    func placement(for row: borrowing AccountRow, offers: UInt64) -> Placement {
        var placement = Placement(
            strategy: strategy, tactic: rest.index, portfolio: portfolio.value(for: row, offers: offers),
            priority: rest.priority)
        for tactic in tactics where tactic.when.holds(for: row, offers: offers) {
            placement.tactic = tactic.index
            placement.priority = tactic.priority
            break
        }
        for option in urgent where option.when.holds(for: row, offers: offers) {
            placement.priority = option.priority
            break
        }
        return placement
    }
}

private struct BoundInvitation: Sendable {
    let from: Strategy
    let when: BoundCondition
    let portfolio: BoundChoice<Portfolio>
}
