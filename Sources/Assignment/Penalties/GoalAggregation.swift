// SPDX-License-Identifier: Apache-2.0

/// How the goals of a delegation make one verdict (AMB-04).
package enum GoalAggregation: String, Sendable {
    /// Any goal below the threshold is a breach.
    case any
    /// The weighted mean of achieved ÷ minimum below the threshold is a breach.
    case mean
}

/// Whether the work plan of one delegation was missed, decided exactly.
package struct GoalVerdict: Equatable, Sendable {
    package let isBreach: Bool
    /// The share that was judged, in hundredths of one percent, cut off: the mean, or the worst goal.
    package let judged: Int64
    package let facts: [String]
    /// How it came to that, in figures: each goal's weight × achieved ÷ minimum, or the worst goal.
    package let sum: String

    /// Goals with a minimum or a weight of zero ask for nothing and are left out; `nil` where none is left.
    package init?(_ goals: [Goal], threshold: BasisPoints, aggregation: GoalAggregation) {
        let goals = goals.filter { $0.minimum > 0 && $0.weight > 0 }
        guard !goals.isEmpty else { return nil }
        facts = goals.map(\.fact).sorted()
        switch aggregation {
        case .any:
            let shares = goals.map { Share([$0]) }
            isBreach = shares.contains { $0.isBelow(threshold) }
            judged = shares.map(\.hundredthsOfPercent).min() ?? 0
            let judged = judged
            let worst = zip(goals, shares).first { $0.1.hundredthsOfPercent == judged }?.0
            sum = worst.map { "\($0.fact): \(scaledText($0.achieved)) ÷ \(scaledText($0.minimum))" } ?? ""
        case .mean:
            let share = Share(goals)
            isBreach = share.isBelow(threshold)
            judged = share.hundredthsOfPercent
            let terms = goals.sorted { $0.fact < $1.fact }.map { goal in
                "\(scaledText(goal.weight)) × \(scaledText(goal.achieved)) ÷ \(scaledText(goal.minimum))"
            }
            let weights = goals.reduce(Int64(0)) { $0 + $1.weight }
            sum = "(\(terms.joined(separator: " + "))) ÷ \(scaledText(weights))"
        }
    }
}

/// Ten-thousandths with their thousands apart and without zeros at the end: 1,234.5.
func scaledText(_ value: Int64) -> String {
    let rest = value % WorkGoal.scale
    guard rest != 0 else { return grouped(value / WorkGoal.scale) }
    var digits = String("\(WorkGoal.scale + rest)".dropFirst())
    while digits.hasSuffix("0") { digits.removeLast() }
    return grouped(value / WorkGoal.scale) + "." + digits
}

/// Σ weight × achieved ÷ minimum, over Σ weight, as one exact fraction. The product of many minimums outgrows every
/// machine word, and a limit that is met exactly must not be missed by a rounding.
private struct Share {
    private let numerator: WideNumber
    private let denominator: WideNumber

    init(_ goals: [Goal]) {
        var sum = WideNumber(0)
        for (index, goal) in goals.enumerated() {
            var term = WideNumber(UInt64(max(goal.achieved, 0))).times(UInt64(goal.weight))
            for (other, factor) in goals.enumerated() where other != index { term = term.times(UInt64(factor.minimum)) }
            sum = sum.plus(term)
        }
        numerator = sum
        var product = WideNumber(goals.reduce(0) { $0 + UInt64($1.weight) })
        for goal in goals { product = product.times(UInt64(goal.minimum)) }
        denominator = product
    }

    func isBelow(_ threshold: BasisPoints) -> Bool {
        numerator.times(UInt64(BasisPoints.whole)) < denominator.times(UInt64(threshold.value))
    }

    /// The greatest number of hundredths of one percent that is not above the share; at most 1,000,000,000.
    var hundredthsOfPercent: Int64 {
        let scaled = numerator.times(UInt64(BasisPoints.whole))
        var low: UInt64 = 0
        var high: UInt64 = 1_000_000_001
        while high - low > 1 {
            let middle = (low + high) / 2
            if scaled < denominator.times(middle) { high = middle } else { low = middle }
        }
        return Int64(low)
    }
}

/// A whole number without an upper limit: just enough to compare two products.
private struct WideNumber: Comparable {
    /// Least significant word first, no leading zero words.
    private var words: [UInt64]

    init(_ value: UInt64) { words = value == 0 ? [] : [value] }

    func times(_ factor: UInt64) -> WideNumber {
        var result = WideNumber(0)
        guard factor > 0 else { return result }
        var carry: UInt64 = 0
        for word in words {
            let (high, low) = word.multipliedFullWidth(by: factor)
            let (sum, overflowed) = low.addingReportingOverflow(carry)
            result.words.append(sum)
            carry = high + (overflowed ? 1 : 0)
        }
        if carry > 0 { result.words.append(carry) }
        return result
    }

    func plus(_ other: WideNumber) -> WideNumber {
        var result = WideNumber(0)
        var carry: UInt64 = 0
        for index in 0..<max(words.count, other.words.count) {
            let left = index < words.count ? words[index] : 0
            let right = index < other.words.count ? other.words[index] : 0
            let (first, firstOverflowed) = left.addingReportingOverflow(right)
            let (second, secondOverflowed) = first.addingReportingOverflow(carry)
            result.words.append(second)
            carry = (firstOverflowed ? 1 : 0) + (secondOverflowed ? 1 : 0)
        }
        if carry > 0 { result.words.append(carry) }
        return result
    }

    static func < (left: WideNumber, right: WideNumber) -> Bool {
        if left.words.count != right.words.count { return left.words.count < right.words.count }
        for index in left.words.indices.reversed() where left.words[index] != right.words[index] {
            return left.words[index] < right.words[index]
        }
        return false
    }
}
