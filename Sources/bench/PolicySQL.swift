// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import Dispatcher

/// A policy as one query over a table of its fields, for a database that evaluates columns too.
///
/// Relief and derived values are columns of an inner query, so that they are worked out once. The outcome is one number;
/// ``outcomes`` tells what it means.
struct PolicySQL {
    let table: String
    let query: String
    /// By number, the name of the outcome (``Segmenter/name(_:)``).
    private(set) var outcomes: [String: String] = [:]
    private let policy: Policy
    private let cut: LocalDate
    private let segmenter: Segmenter

    init(_ policy: Policy, cut: LocalDate, fields: [AccountField]) throws(CommandFailure) {
        self.policy = policy
        self.cut = cut
        self.segmenter = Segmenter(policy, cut: cut)
        let types = fields.map { field in "\(field.name) \(Self.type(field.width))" }
        self.table = "CREATE TABLE account (\(types.joined(separator: ", ")))"
        var inner = "account"
        for field in Set(Self.read(policy).filter(\.isDerived)).sorted(by: { $0.rawValue < $1.rawValue }) {
            for level in try Self.levels(field, cut) { inner = "(SELECT *, \(level) FROM \(inner))" }
        }
        let relief = policy.relief.enumerated().map { index, relief in
            "\(Self.sql(relief.when.bound(to: cut))) AS offer_\(index)"
        }
        let offered = relief.isEmpty ? inner : "(SELECT *, \(relief.joined(separator: ", ")) FROM \(inner))"
        let offers = policy.relief.indices.map { ", count_if(offer_\($0))" }.joined()
        let outcome = Self.outcome(policy, cut)
        self.query = """
            SELECT outcome, count(*)\(offers)
              FROM (SELECT *, \(outcome) AS outcome FROM \(offered)) GROUP BY outcome
            """
        self.outcomes = names()
    }

    // MARK: - Conditions

    private static func type(_ width: ColumnWidth) -> String {
        switch width {
        case .int8: "TINYINT"
        case .int16: "SMALLINT"
        case .int32: "INTEGER"
        case .int64: "BIGINT"
        }
    }

    /// The columns that lead to a derived one, each level known to the next.
    private static func levels(_ field: AccountField, _ cut: LocalDate) throws(CommandFailure) -> [String] {
        switch field {
        case .balanceShare:
            // As the policy compares: twice the basis points, one more where they are not whole.
            let share =
                "balance * 10000 // original_amount * 2 + CASE WHEN balance * 10000 % original_amount = 0 THEN 0 ELSE 1 END"
            return ["CASE WHEN balance >= 0 AND original_amount > 0 THEN \(share) END AS \(field.name)"]
        case .defaultProbability, .expectedLoss: return DefaultRiskSQL.levels(field, cut: cut)
        default:
            throw CommandFailure(
                .usage, "\(field.name) has no formula in SQL here", remedy: "Take a policy that does not read it.")
        }
    }

    private static func read(_ policy: Policy) -> [AccountField] {
        var conditions = policy.relief.map(\.when) + policy.exclusions.map(\.when)
        for rule in policy.strategies {
            conditions += [rule.when] + rule.portfolio.options.map(\.when) + rule.urgent.map(\.when)
            conditions += rule.tactics.map(\.when)
        }
        if let invitation = policy.invitation {
            conditions += [invitation.when] + invitation.portfolio.options.map(\.when)
        }
        return conditions.flatMap(\.fields)
    }

    /// A test of a missing value is unknown in SQL, which is as good as false everywhere but under `not`.
    private static func sql(_ condition: BoundCondition) -> String {
        switch condition {
        case .always: return "true"
        case .never: return "false"
        case .within(let field, let range):
            let held = field.width.range
            guard range.overlaps(held) else { return "false" }
            let clipped = range.clamped(to: held)
            switch (clipped.lowerBound == held.lowerBound, clipped.upperBound == held.upperBound) {
            case (true, true): return "\(field.name) IS NOT NULL"
            case (true, false): return "\(field.name) <= \(clipped.upperBound)"
            case (false, true): return "\(field.name) >= \(clipped.lowerBound)"
            case (false, false) where clipped.count == 1: return "\(field.name) = \(clipped.lowerBound)"
            case (false, false): return "\(field.name) BETWEEN \(clipped.lowerBound) AND \(clipped.upperBound)"
            }
        case .oneOf(let field, let values):
            let held = values.filter { field.width.range.contains($0) }
            if held.count == 1 { return "\(field.name) = \(held[0])" }
            return held.isEmpty ? "false" : "\(field.name) IN (\(held.map(String.init).joined(separator: ", ")))"
        case .all(let conditions): return joined(conditions, "AND", empty: "true")
        case .any(let conditions): return joined(conditions, "OR", empty: "false")
        case .not(let condition): return "(NOT coalesce(\(sql(condition)), false))"
        case .offered(let index): return "offer_\(index)"
        }
    }

    private static func joined(_ conditions: [BoundCondition], _ word: String, empty: String) -> String {
        conditions.isEmpty ? empty : "(\(conditions.map { sql($0) }.joined(separator: " \(word) ")))"
    }

    // MARK: - The outcome

    /// The places of a number: strategy rule, tactic of the rule, urgent class, portfolio, portfolio if invited.
    private static let (rulePlace, tacticPlace, urgentPlace, portfolioPlace) = (10_000_000, 10_000, 100, 10)

    private static func outcome(_ policy: Policy, _ cut: LocalDate) -> String {
        func choice(_ options: [(Condition, Int)], _ otherwise: Int) -> String {
            guard !options.isEmpty else { return "\(otherwise)" }
            let cases = options.map { "WHEN \(sql($0.0.bound(to: cut))) THEN \($0.1)" }
            return "(CASE \(cases.joined(separator: " ")) ELSE \(otherwise) END)"
        }
        func places(_ portfolio: Choice<Portfolio>) -> String {
            choice(portfolio.options.map { ($0.when, Int($0.value.rawValue)) }, Int(portfolio.otherwise.rawValue))
        }
        var cases = policy.exclusions.enumerated().map { index, exclusion in
            "WHEN \(sql(exclusion.when.bound(to: cut))) THEN \(-1 - index)"
        }
        for (number, rule) in policy.strategies.enumerated() {
            let tactic = choice(rule.tactics.enumerated().map { ($1.when, $0) }, rule.tactics.count)
            let urgent = choice(rule.urgent.enumerated().map { ($1.when, $0 + 1) }, 0)
            var sum = "\((number + 1) * rulePlace) + \(tactic) * \(tacticPlace) + \(urgent) * \(urgentPlace)"
            sum += " + \(places(rule.portfolio)) * \(portfolioPlace)"
            if let invitation = policy.invitation, invitation.from == rule.strategy {
                let when = sql(invitation.when.bound(to: cut))
                sum += " + (CASE WHEN \(when) THEN \(places(invitation.portfolio)) ELSE 0 END)"
            }
            cases.append("WHEN \(sql(rule.when.bound(to: cut))) THEN \(sum)")
        }
        return "CAST(CASE \(cases.joined(separator: " ")) ELSE 0 END AS INTEGER)"
    }

    private func names() -> [String: String] {
        var names = ["0": segmenter.name(.nothingToCollect)]
        for index in policy.exclusions.indices { names["\(-1 - index)"] = segmenter.name(.excluded(index)) }
        for (number, rule) in policy.strategies.enumerated() {
            for (tacticNumber, tactic) in (rule.tactics + [rule.rest]).enumerated() {
                for urgent in 0...rule.urgent.count {
                    for portfolio in Portfolio.allCases {
                        let placed = Placement(
                            strategy: rule.strategy,
                            tactic: Int16(segmenter.tactics.firstIndex(of: tactic.name) ?? 0), portfolio: portfolio,
                            priority: urgent == 0 ? tactic.priority : rule.urgent[urgent - 1].value)
                        let base =
                            (number + 1) * Self.rulePlace + tacticNumber * Self.tacticPlace
                            + urgent * Self.urgentPlace + Int(portfolio.rawValue) * Self.portfolioPlace
                        names["\(base)"] = segmenter.name(.placed(placed, invited: nil))
                        for other in Portfolio.allCases {
                            var invited = placed
                            invited.strategy = Invitation.strategy
                            invited.portfolio = other
                            names["\(base + Int(other.rawValue))"] = segmenter.name(.placed(placed, invited: invited))
                        }
                    }
                }
            }
        }
        return names
    }
}
