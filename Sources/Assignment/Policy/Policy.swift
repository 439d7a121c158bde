// SPDX-License-Identifier: Apache-2.0

/// What a policy decides: which accounts may not be collected, how the others are, and for how long they are held.
///
/// Relief is worked out first, and rules can ask for it. Then order is meaning: the first exclusion that holds excludes, the first strategy that holds places, the first tactic
/// that holds names the work. So every account has exactly one verdict.
/// - Source: ASG-10, SEG-01…06, SEG-08, STR-01…06; no source states the order of strategies (GAP-match-order).
package struct Policy: Hashable, Sendable {
    package var name: String
    package var version: String
    /// The first day it may be used for.
    package var effectiveOn: LocalDate
    package var title: Title
    /// Rule packs it brings: nothing applies that neither policy nor contract names.
    package var packs: [String]
    /// The solutions that an account may be offered, at most ``reliefMax``; all that hold count, not only the first.
    package var relief: [Relief]
    package var exclusions: [Exclusion]
    package var strategies: [StrategyRule]
    package var invitation: Invitation?
    package var exhaustion: Exhaustion?

    /// One bit each.
    package static let reliefMax = 64

    package init(
        name: String, version: String, effectiveOn: LocalDate, title: Title, packs: [String], relief: [Relief] = [],
        exclusions: [Exclusion], strategies: [StrategyRule], invitation: Invitation?, exhaustion: Exhaustion? = nil
    ) {
        self.name = name
        self.version = version
        self.effectiveOn = effectiveOn
        self.title = title
        self.packs = packs
        self.relief = relief
        self.exclusions = exclusions
        self.strategies = strategies
        self.invitation = invitation
        self.exhaustion = exhaustion
    }

    /// How long accounts of a strategy are held; `nil` where the policy does not place any there.
    package func holding(_ strategy: Strategy) -> Holding? {
        if let invitation, strategy == Invitation.strategy { return invitation.holding }
        return strategies.first { $0.strategy == strategy }?.holding
    }

    /// Where a tactic stands in the order in which its strategy asks for it; behind all of them where it is none of them.
    /// Mediation keeps the order of the strategy that it invites from.
    package func place(ofTactic name: String, in strategy: Strategy) -> Int {
        guard let rule = rule(asking: strategy) else { return Int.max }
        return rule.tactics.firstIndex { $0.name == name } ?? rule.tactics.count
    }

    /// The names of a strategy's tactics in the order in which they are asked, the rest last; none where it has no rule.
    package func tactics(of strategy: Strategy) -> [String] {
        rule(asking: strategy).map { rule in rule.tactics.map(\.name) + [rule.rest.name] } ?? []
    }

    /// Who is invited keeps the tactic of the strategy that it comes from.
    private func rule(asking strategy: Strategy) -> StrategyRule? {
        let asking = strategy == Invitation.strategy ? invitation?.from ?? strategy : strategy
        return strategies.first { $0.strategy == asking }
    }
}

/// A plain title for people, in both languages.
package struct Title: Hashable, Sendable {
    package var spanish: String
    package var english: String

    package init(spanish: String, english: String) {
        self.spanish = spanish
        self.english = english
    }
}

/// A condition with a name and what it stands for.
package struct Clause: Hashable, Sendable {
    package var name: String
    package var title: Title
    package var origins: [String]
    package var when: Condition

    package init(name: String, title: Title, origins: [String], when: Condition) {
        self.name = name
        self.title = title
        self.origins = origins
        self.when = when
    }
}

/// A solution, and who may be offered it.
package typealias Relief = Clause

/// What has to be met before social collection ends, and two reports of the same kind. None of them places an account.
package struct Exhaustion: Hashable, Sendable {
    /// All of them, for a certificate.
    package var clauses: [Clause]
    /// All of them, to be taken off the balance sheet; empty where the policy does not say.
    package var segregation: [Clause]
    /// All of them, to come back to it; empty where the policy does not say.
    package var returnToBalance: [Clause]

    package init(clauses: [Clause], segregation: [Clause], returnToBalance: [Clause]) {
        self.clauses = clauses
        self.segregation = segregation
        self.returnToBalance = returnToBalance
    }
}

/// A reason why an account may not be collected now (ASG-10).
package struct Exclusion: Hashable, Sendable {
    package var reason: String
    package var title: Title
    package var origins: [String]
    package var when: Condition
    /// The date that ends it; `nil`: nothing but a new cut does.
    package var until: AccountField?

    package init(reason: String, title: Title, origins: [String], when: Condition, until: AccountField?) {
        self.reason = reason
        self.title = title
        self.origins = origins
        self.when = when
        self.until = until
    }
}

/// A named way of working inside strategies, with the class by which it is served.
package struct Tactic: Hashable, Sendable {
    package var name: String
    package var title: Title
    package var origins: [String]
    package var when: Condition
    /// 1 is served first.
    package var priority: Int16

    package init(name: String, title: Title, origins: [String], when: Condition, priority: Int16) {
        self.name = name
        self.title = title
        self.origins = origins
        self.when = when
        self.priority = priority
    }
}

/// Values in order of their conditions; what meets none of them gets the last.
package struct Choice<Value: Hashable & Sendable>: Hashable, Sendable {
    package struct Option: Hashable, Sendable {
        package var value: Value
        package var when: Condition

        package init(_ value: Value, when: Condition) {
            self.value = value
            self.when = when
        }
    }
    package var options: [Option]
    package var otherwise: Value

    package init(_ options: [Option] = [], otherwise: Value) {
        self.options = options
        self.otherwise = otherwise
    }
}

/// How long accounts are held: the terms that a hand is dealt with.
package struct Holding: Hashable, Sendable {
    /// Days from the grant to its term (plazo de gestión).
    package var termDays: Int32
    /// The furthest that extensions reach, in days from the grant; at least the term.
    package var ceilingDays: Int32
    /// Hours after the term in which work still counts.
    package var graceHours: Int32
    /// Hours after an ending in which a report of earlier work is still weighed.
    package var lateReportHours: Int32
    /// Days from the grant in which the first work must be reported; `nil`: the term alone counts.
    package var activityDays: Int32?
    /// Days from the report that a debtor cannot be found in which the account must be back; `nil`: the term alone.
    package var unlocatableDays: Int32?

    package init(
        termDays: Int32, ceilingDays: Int32, graceHours: Int32, lateReportHours: Int32, activityDays: Int32? = nil,
        unlocatableDays: Int32? = nil
    ) {
        self.termDays = termDays
        self.ceilingDays = ceilingDays
        self.graceHours = graceHours
        self.lateReportHours = lateReportHours
        self.activityDays = activityDays
        self.unlocatableDays = unlocatableDays
    }
}

/// Which accounts a strategy takes, and how it works them.
package struct StrategyRule: Hashable, Sendable {
    package var strategy: Strategy
    package var title: Title
    package var origins: [String]
    package var when: Condition
    package var portfolio: Choice<Portfolio>
    /// Classes that go before the tactic's own, for accounts that cannot wait.
    package var urgent: [Choice<Int16>.Option]
    package var tactics: [Tactic]
    /// What meets none of the tactics; its own condition is not asked.
    package var rest: Tactic
    package var holding: Holding

    package init(
        strategy: Strategy, title: Title, origins: [String], when: Condition, portfolio: Choice<Portfolio>,
        urgent: [Choice<Int16>.Option], tactics: [Tactic], rest: Tactic, holding: Holding
    ) {
        self.strategy = strategy
        self.title = title
        self.origins = origins
        self.when = when
        self.portfolio = portfolio
        self.urgent = urgent
        self.tactics = tactics
        self.rest = rest
        self.holding = holding
    }
}

/// Mediation: an invitation on top of another strategy, up to each delegation's session capacity; the rest stays
/// where it is (SEG-08, STR-09, GAP-match-order).
package struct Invitation: Hashable, Sendable {
    package static let strategy = Strategy.mediation

    package var from: Strategy
    package var title: Title
    package var origins: [String]
    package var when: Condition
    package var sessions: Sessions
    package var portfolio: Choice<Portfolio>
    package var holding: Holding

    /// How many sessions a delegation can hold in the period, one per invited account.
    package struct Sessions: Hashable, Sendable {
        /// One session per so many accounts of the delegation's cut, rounded down; `nil`: only the fixed numbers.
        package var accountsPerSession: Int64?
        /// What a delegation's supervisor has fixed; goes before the ratio.
        package var fixed: [Int16: Int64]

        package init(accountsPerSession: Int64?, fixed: [Int16: Int64]) {
            self.accountsPerSession = accountsPerSession
            self.fixed = fixed
        }

        package func capacity(delegation: Int16, accounts: Int64) -> Int64 {
            if let fixed = fixed[delegation] { return fixed }
            guard let accountsPerSession, accountsPerSession > 0 else { return 0 }
            return accounts / accountsPerSession
        }
    }

    package init(
        from: Strategy, title: Title, origins: [String], when: Condition, sessions: Sessions,
        portfolio: Choice<Portfolio>, holding: Holding
    ) {
        self.from = from
        self.title = title
        self.origins = origins
        self.when = when
        self.sessions = sessions
        self.portfolio = portfolio
        self.holding = holding
    }
}
