// SPDX-License-Identifier: Apache-2.0

internal import Assignment

extension PolicyReview {
    /// Values that no account can have: the cut takes none of them, so the test is a slip of the pen.
    mutating func reviewValues(_ policy: Policy) {
        for relief in policy.relief { reviewValues("relief.\(relief.name)", relief.when) }
        for exclusion in policy.exclusions { reviewValues("exclusions.\(exclusion.reason)", exclusion.when) }
        var tactics: Set<String> = []
        for rule in policy.strategies {
            let path = "strategies.\(rule.strategy.name)"
            reviewValues(path, rule.when)
            for option in rule.portfolio.options { reviewValues(path, option.when) }
            for option in rule.urgent { reviewValues(path, option.when) }
            for tactic in rule.tactics {
                let name = "tactics.\(tactic.name)"
                if tactics.insert(tactic.name).inserted { reviewValues(name, tactic.when) }
                // The review speaks of it under each strategy that names it.
                if outOfRange.contains(name) { outOfRange.insert("\(path).\(tactic.name)") }
            }
        }
        if let invitation = policy.invitation {
            reviewValues("mediation", invitation.when)
            for option in invitation.portfolio.options { reviewValues("mediation", option.when) }
        }
        guard let exhaustion = policy.exhaustion else { return }
        let lists = [
            ("clauses", exhaustion.clauses), ("segregation", exhaustion.segregation),
            ("return_to_balance", exhaustion.returnToBalance),
        ]
        for (name, clauses) in lists {
            for clause in clauses { reviewValues("exhaustion.\(name).\(clause.name)", clause.when) }
        }
    }

    private mutating func reviewValues(_ rule: String, _ condition: Condition) {
        for (field, test) in Self.strangers(condition) {
            warn(rule, "no account has \(field.name) \(test)", "it is \(field.domainWords)")
            outOfRange.insert(rule)
        }
    }

    /// The tests of a condition that ask for what lies outside of their field's domain.
    private static func strangers(_ condition: Condition) -> [(AccountField, String)] {
        switch condition {
        case .always, .isKnown, .offered: return []
        case .named(_, let inner), .not(let inner): return strangers(inner)
        case .all(let conditions), .any(let conditions): return conditions.flatMap(strangers)
        case .oneOf(let field, let values):
            return values.filter { !field.allows($0...$0) }.map { (field, field.words(for: $0)) }
        case .range(let field, let lower, let upper, let written):
            let (low, high) = (lower?.plain, upper?.plain)
            // Ends that contradict each other are another fault.
            guard low ?? .min <= high ?? .max, !field.allows((low ?? .min)...(high ?? .max)) else { return [] }
            if let low, low == high { return [(field, field.words(for: low))] }
            let words = [
                low.map { written.isAbove ? "above \(field.words(for: $0 - 1))" : "from \(field.words(for: $0)) on" },
                high.map { written.isBelow ? "below \(field.words(for: $0 + 1))" : "up to \(field.words(for: $0))" },
            ]
            return [(field, words.compactMap { $0 }.joined(separator: ", "))]
        }
    }
}

extension AccountField {
    fileprivate func allows(_ range: ClosedRange<Int64>) -> Bool { domain.contains { $0.overlaps(range) } }

    /// What the cut takes, as a policy writes it.
    fileprivate var domainWords: String {
        guard let first = domain.first, let last = domain.last else { return "nothing" }
        if self == .municipality { return "a delegation of 1 to 32 and three digits from 001 on, as in 14039" }
        return last.upperBound == .max
            ? "\(words(for: first.lowerBound)) or more"
            : "\(words(for: first.lowerBound)) to \(words(for: last.upperBound))"
    }
}
