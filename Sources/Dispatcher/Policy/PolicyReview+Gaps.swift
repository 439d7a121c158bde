// SPDX-License-Identifier: Apache-2.0

internal import Assignment

extension PolicyReview {
    /// Values of one field that no strategy takes, between those that strategies take or above them.
    ///
    /// Below the lowest there is nothing to say: an account with nothing to collect is nobody's. Each gap has an account that
    /// shows it: one that has the value, and of which nothing else is asked.
    mutating func reviewGaps(_ policy: Policy) {
        let conditions = policy.strategies.map(\.when)
        // What a strategy with a slip of the pen would take is not known.
        guard !policy.strategies.contains(where: { outOfRange.contains("strategies.\($0.strategy.name)") }) else {
            return
        }
        guard let everyone = ConditionSpace(.always, relief: []) else { return }
        let taken = ConditionSpace(.any(conditions), relief: policy.relief)
        let probe = GapProbe(policy)
        for field in ConditionGap.measures(conditions, relief: policy.relief) where !field.isDerived {
            let lowest = field.domain.first?.lowerBound ?? 0
            var told: [ClosedRange<Int64>] = bandGaps.filter { $0.field == field }.map(\.range)
            let holes = taken.map { everyone.values(of: field, outside: $0) } ?? []
            for hole in holes where hole.lowerBound > lowest && !told.contains(where: hole.overlaps) {
                guard probe.isLeft(field, hole) else { continue }
                told.append(hole)
                warnGap(policy, field, hole)
            }
            let alone = policy.strategies.flatMap { rule in
                (ConditionSpace(rule.when, relief: policy.relief)?.sufficient(of: field) ?? []).map { (rule, $0) }
            }
            for (lower, upper) in Self.neighbours(alone) {
                let hole = lower.1.upperBound + 1...upper.1.lowerBound - 1
                guard !told.contains(where: hole.overlaps), probe.isLeft(field, hole) else { continue }
                told.append(hole)
                warn(
                    "strategies.\(upper.0.strategy.name)",
                    "an account with \(field.words(in: hole)) and nothing else to take it by has no strategy: "
                        + "'\(lower.0.strategy.name)' takes \(field.words(in: lower.1)), "
                        + "'\(upper.0.strategy.name)' \(field.words(in: upper.1))",
                    "let one start right after the other ends, if such an account is to be collected")
            }
        }
    }

    private mutating func warnGap(_ policy: Policy, _ field: AccountField, _ hole: ClosedRange<Int64>) {
        let reaches = policy.strategies.filter { rule in
            ConditionSpace(rule.when, relief: policy.relief)?.values(of: field)
                .contains { $0.upperBound == hole.lowerBound - 1 || $0.lowerBound - 1 == hole.upperBound } ?? false
        }
        guard let rule = reaches.first ?? policy.strategies.first else { return }
        warn(
            "strategies.\(rule.strategy.name)", "no strategy takes an account with \(field.words(in: hole))",
            "let one of them reach that far, if such an account is to be collected")
    }

    /// Ranges that have another one above them and a hole between, with it.
    private static func neighbours(
        _ ranges: [(StrategyRule, ClosedRange<Int64>)]
    ) -> [((StrategyRule, ClosedRange<Int64>), (StrategyRule, ClosedRange<Int64>))] {
        var found: [((StrategyRule, ClosedRange<Int64>), (StrategyRule, ClosedRange<Int64>))] = []
        var highest: (StrategyRule, ClosedRange<Int64>)?
        for next in ranges.sorted(by: { $0.1.lowerBound < $1.1.lowerBound }) {
            if let below = highest, below.1.upperBound < next.1.lowerBound - 1 { found.append((below, next)) }
            if highest.map({ $0.1.upperBound < next.1.upperBound }) ?? true { highest = next }
        }
        return found
    }
}

/// An account of which everything is zero, no or not known but one field: what the policy says of it is what it says of that field.
private struct GapProbe {
    private let segmenter: Segmenter
    private let cut: LocalDate

    init(_ policy: Policy) {
        cut = policy.effectiveOn.advanced(byDays: -1)
        segmenter = Segmenter(policy, cut: cut)
    }

    /// Whether it is neither excluded nor placed at both ends of a range.
    func isLeft(_ field: AccountField, _ range: ClosedRange<Int64>) -> Bool {
        [range.lowerBound, range.upperBound].allSatisfy { value in
            var row = AccountRow(cut: cut)
            for each in AccountField.stored where each.kind != .date {
                row[each] = each.domain.first?.lowerBound ?? 0
            }
            row[field] = value
            return segmenter.verdict(for: row) == .nothingToCollect
        }
    }
}
