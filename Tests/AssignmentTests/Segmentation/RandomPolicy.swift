// SPDX-License-Identifier: Apache-2.0

import Assignment

/// Policies and accounts that nobody would write, from a seed: every kind of condition, nested, empty and contradictory,
/// over values at, around and far from the thresholds.
struct RandomPolicy {
    private var random: SplitMix64
    let cut = LocalDate(daysSince1970: 19_783)

    init(seed: UInt64) { self.random = SplitMix64(seed: seed) }

    mutating func below(_ bound: Int) -> Int { Int(random.below(UInt64(bound))) }

    mutating func pick<Item>(_ items: [Item]) -> Item { items[below(items.count)] }

    mutating func field() -> AccountField { pick(AccountField.allCases) }

    /// A small number mostly, so that tests hit; else something at an end of what the column holds.
    mutating func value(_ field: AccountField) -> Int64 {
        let range = field.width.range
        switch below(12) {
        case 0: return range.lowerBound
        case 1: return range.upperBound
        case 2: return Int64(below(255)) - 127
        case 3: return min(range.upperBound, max(range.lowerBound, Int64(bitPattern: random.next()) / 3))
        default:
            if case .date = field.kind { return Int64(cut.daysSince1970) + Int64(below(7)) - 3 }
            return Int64(below(5))
        }
    }

    /// A value of a condition: it may be one that no column holds.
    mutating func limit(_ field: AccountField) -> Condition.Bound {
        switch below(16) {
        case 0: return .value(Int64.min)
        case 1: return .value(Int64.max)
        case 2: return .value(field.width.range.upperBound + (field.width == .int64 ? 0 : 1))
        case 3: return .value(field.width.missing)
        case 4: return .cut(days: pick([Int64(below(9)) - 4, Int64.min, Int64.max]))
        default: return .value(value(field))
        }
    }

    mutating func condition(depth: Int = 0) -> Condition {
        let field = field()
        switch below(depth > 3 ? 7 : 11) {
        case 0: return .always
        case 1: return .range(field, atLeast: limit(field), atMost: nil)
        case 2: return .range(field, atLeast: nil, atMost: limit(field))
        case 3: return .range(field, atLeast: limit(field), atMost: limit(field))
        case 4: return .oneOf(field, (0..<below(14)).map { _ in value(field) })
        case 5: return .isKnown(field)
        case 6: return .offered(below(12))
        case 7, 8: return .all((0..<below(4)).map { _ in condition(depth: depth + 1) })
        case 9: return .any((0..<below(4)).map { _ in condition(depth: depth + 1) })
        default: return .not(condition(depth: depth + 1))
        }
    }

    mutating func row() -> AccountRow {
        var row = AccountRow(cut: cut)
        for field in AccountField.stored where below(5) > 0 { row[field] = value(field) }
        return row
    }

    // MARK: - Policies

    private let title = Title(spanish: "x", english: "x")

    mutating func policy() -> Policy {
        let shared = (0..<6).map { index in tactic("t\(index)") }
        let relief = (0..<below(12)).map { index in
            Relief(name: "o\(index)", title: title, origins: [], when: .named("n", condition()))
        }
        let exclusions = (0..<below(5)).map { index in
            Exclusion(reason: "r\(index)", title: title, origins: [], when: condition(), until: nil)
        }
        let strategies = (0..<1 + below(4)).map { _ in strategy(shared) }
        return Policy(
            name: "random", version: "1", effectiveOn: cut, title: title, packs: [], relief: relief,
            exclusions: exclusions,
            strategies: strategies, invitation: below(3) > 0 ? invitation() : nil)
    }

    private mutating func tactic(_ name: String) -> Tactic {
        Tactic(name: name, title: title, origins: [], when: condition(), priority: Int16(1 + below(3)))
    }

    private mutating func portfolio() -> Choice<Portfolio> {
        Choice(
            (0..<below(3)).map { _ in .init(pick(Portfolio.allCases), when: condition()) },
            otherwise: pick(Portfolio.allCases))
    }

    private let holding = Holding(termDays: 30, ceilingDays: 60, graceHours: 24, lateReportHours: 48)

    private mutating func strategy(_ shared: [Tactic]) -> StrategyRule {
        StrategyRule(
            strategy: pick([.preventive, .administrative, .dual]), title: title, origins: [], when: condition(),
            portfolio: portfolio(),
            urgent: (0..<below(3)).map { _ in .init(Int16(1 + below(9)), when: condition()) },
            tactics: (0..<below(5)).map { _ in pick(shared) }, rest: tactic("rest"), holding: holding)
    }

    private mutating func invitation() -> Invitation {
        Invitation(
            from: pick([.preventive, .administrative, .dual]), title: title, origins: [], when: condition(),
            sessions: .init(accountsPerSession: 950, fixed: [:]), portfolio: portfolio(), holding: holding)
    }
}
