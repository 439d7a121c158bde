// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// Walks a policy's rules in their order for one account, and notes what each of them says.
struct PolicyTracer {
    let relief: [RuleTrace]
    let exclusions: [RuleTrace]
    let strategies: [StrategyTrace]
    /// Whether it may be invited; `nil` where the policy invites nobody from where the account is.
    let mediation: StrategyTrace?
    /// What the rules come to before anybody is invited.
    let verdict: PolicyVerdict
    /// Where it goes if it is invited; `nil` where it is no candidate.
    let invited: Placement?

    init(_ segmenter: Segmenter, row: AccountRow, cut: LocalDate) {
        let policy = segmenter.policy
        let offers = segmenter.offers(for: row)
        let asked = ConditionTracer(row: row, cut: cut, offers: offers, relief: policy.relief)
        // A relief cannot ask for another one.
        let first = ConditionTracer(row: row, cut: cut, offers: 0, relief: policy.relief)
        self.relief = policy.relief.map { clause in
            RuleTrace(clause.name, clause.title, clause.origins, first.trace(clause.when), isAsked: true)
        }
        let verdict = segmenter.verdict(for: row, offers: offers)
        self.verdict = verdict
        self.exclusions = Self.exclusions(policy, verdict, asked)
        self.strategies = Self.strategies(segmenter, verdict, asked)
        if case .placed(let placement) = verdict {
            let invited = segmenter.invited(row, placed: placement)
            self.invited = invited
            self.mediation = policy.invitation.flatMap { rule in
                guard rule.from == placement.strategy else { return nil }
                let trace = RuleTrace(
                    Invitation.strategy.name, rule.title, rule.origins, asked.trace(rule.when), isAsked: true)
                let choices = invited.map { [Self.portfolio(rule.portfolio, $0.portfolio, asked)] } ?? []
                return StrategyTrace(rule: trace, tactics: [], choices: choices)
            }
        } else {
            self.invited = nil
            self.mediation = nil
        }
    }

    private static func exclusions(
        _ policy: Policy, _ verdict: PolicyVerdict, _ asked: ConditionTracer
    ) -> [RuleTrace] {
        var decided = policy.exclusions.count
        if case .excluded(let index) = verdict { decided = index }
        return policy.exclusions.enumerated().map { index, rule in
            RuleTrace(rule.reason, rule.title, rule.origins, asked.trace(rule.when), isAsked: index <= decided)
        }
    }

    private static func strategies(
        _ segmenter: Segmenter, _ verdict: PolicyVerdict, _ asked: ConditionTracer
    ) -> [StrategyTrace] {
        var isAsked = true
        if case .excluded = verdict { isAsked = false }
        return segmenter.policy.strategies.map { rule in
            let trace = RuleTrace(
                rule.strategy.name, rule.title, rule.origins, asked.trace(rule.when), isAsked: isAsked)
            guard isAsked, trace.held, case .placed(let placement) = verdict else {
                return StrategyTrace(rule: trace, tactics: [], choices: [])
            }
            isAsked = false
            return StrategyTrace(
                rule: trace, tactics: tactics(rule, taken: segmenter.tactics[Int(placement.tactic)], asked),
                choices: [
                    portfolio(rule.portfolio, placement.portfolio, asked), priority(rule, placement.priority, asked),
                ])
        }
    }

    private static func tactics(_ rule: StrategyRule, taken: String, _ asked: ConditionTracer) -> [RuleTrace] {
        var isAsked = true
        var rest = rule.rest
        rest.when = .always
        return (rule.tactics + [rest]).map { tactic in
            defer { if tactic.name == taken { isAsked = false } }
            return RuleTrace(
                tactic.name, tactic.title, tactic.origins, asked.trace(tactic.when), isAsked: isAsked)
        }
    }

    private static func portfolio(
        _ choice: Choice<Portfolio>, _ taken: Portfolio, _ asked: ConditionTracer
    ) -> ChoiceTrace {
        ChoiceTrace(
            of: "portfolio", value: taken.name, options: options(choice.options, asked) { $0.name })
    }

    private static func priority(_ rule: StrategyRule, _ taken: Int16, _ asked: ConditionTracer) -> ChoiceTrace {
        ChoiceTrace(of: "class", value: String(taken), options: options(rule.urgent, asked) { String($0) })
    }

    private static func options<Value>(
        _ options: [Choice<Value>.Option], _ asked: ConditionTracer, _ name: (Value) -> String
    ) -> [ChoiceTrace.Option] {
        var isOpen = true
        return options.compactMap { option in
            guard isOpen else { return nil }
            let trace = asked.trace(option.when)
            isOpen = !trace.held
            return ChoiceTrace.Option(value: name(option.value), condition: trace)
        }
    }
}
