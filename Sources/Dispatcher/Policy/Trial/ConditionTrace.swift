// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// One condition with what the account says to it, down to the single tests.
package struct ConditionTrace: Encodable, Sendable, Hashable {
    /// In the words of the policy: `arrears above 4`, `all of`.
    package let test: String
    /// The account's own value, in the same words; absent where the parts have them.
    package let value: String?
    package let held: Bool
    package let parts: [ConditionTrace]

    /// One line per test, parts below what they are part of.
    func lines(indent: Int) -> [String] {
        let space = String(repeating: " ", count: indent)
        let tail = value.map { ": \($0)" } ?? ""
        return ["\(space)\(held ? "[x]" : "[ ]") \(test)\(tail)"] + parts.flatMap { $0.lines(indent: indent + 4) }
    }
}

/// Asks one account the conditions of a policy and notes each answer.
struct ConditionTracer: Sendable {
    let row: AccountRow
    let cut: LocalDate
    /// Bits of the policy's reliefs.
    let offers: UInt64
    let relief: [Relief]

    func trace(_ condition: Condition) -> ConditionTrace {
        let held = condition.bound(to: cut).holds(for: row, offers: offers)
        switch condition {
        case .always:
            return ConditionTrace(test: "always", value: nil, held: held, parts: [])
        case .range(let field, let lower, let upper, let written):
            return leaf(field, range(field, lower, upper, written), held)
        case .oneOf(let field, let values):
            let words = values.map { field.words(for: $0) }.joined(separator: ", ")
            return leaf(field, values.count == 1 ? "is \(words)" : "is one of \(words)", held)
        case .isKnown(let field):
            return leaf(field, "known", held)
        case .not(.isKnown(let field)):
            return leaf(field, "unknown", held)
        case .all(let parts):
            return ConditionTrace(test: "all of", value: nil, held: held, parts: parts.map(trace))
        case .any(let parts):
            return ConditionTrace(test: "any of", value: nil, held: held, parts: parts.map(trace))
        case .not(let part):
            return ConditionTrace(test: "not", value: nil, held: held, parts: [trace(part)])
        case .offered(let index):
            let name = relief.indices.contains(index) ? relief[index].name : String(index)
            return ConditionTrace(
                test: "relief \(name)", value: held ? "offered" : "not offered", held: held, parts: [])
        case .named(let name, let part):
            return ConditionTrace(test: name, value: nil, held: held, parts: [trace(part)])
        }
    }

    private func leaf(_ field: AccountField, _ test: String, _ held: Bool) -> ConditionTrace {
        ConditionTrace(test: "\(field.name) \(test)", value: field.words(for: row[field]), held: held, parts: [])
    }

    /// With the words that the policy has: `above 4` and not "at least 5", which for money is another figure than the one that
    /// was written.
    private func range(
        _ field: AccountField, _ lower: Condition.Bound?, _ upper: Condition.Bound?, _ written: Condition.WrittenEnds
    ) -> String {
        if field.numbersPerBasisPoint > 1 { return shareRange(field, lower?.plain, upper?.plain) }
        if let lower, let upper, !written.isAbove, !written.isBelow {
            return lower == upper
                ? "is \(bound(field, lower))" : "between \(bound(field, lower)) and \(bound(field, upper))"
        }
        let isDate = field.kind == .date
        let low = lower.map { end in
            written.isAbove
                ? "\(isDate ? "after" : "above") \(bound(field, end.advanced(by: -1)))"
                : "\(isDate ? "on or after" : "at least") \(bound(field, end))"
        }
        let high = upper.map { end in
            written.isBelow
                ? "\(isDate ? "before" : "below") \(bound(field, end.advanced(by: 1)))"
                : "\(isDate ? "on or before" : "at most") \(bound(field, end))"
        }
        let words = [low, high].compactMap { $0 }
        return words.isEmpty ? "known" : words.joined(separator: " and ")
    }

    /// Ends that lie right beside a basis point leave that one out.
    private func shareRange(_ field: AccountField, _ lower: Int64?, _ upper: Int64?) -> String {
        if let lower, lower == upper { return "is \(field.words(for: lower))" }
        let step = field.numbersPerBasisPoint
        let low = lower.map {
            $0 % step == 1 ? "above " + field.words(for: $0 - 1) : "at least " + field.words(for: $0)
        }
        let high = upper.map {
            ($0 + 1) % step == 0 ? "below " + field.words(for: $0 + 1) : "at most " + field.words(for: $0)
        }
        let words = [low, high].compactMap { $0 }
        return words.isEmpty ? "known" : words.joined(separator: " and ")
    }

    /// Days that are counted from the cut are told both ways.
    private func bound(_ field: AccountField, _ bound: Condition.Bound) -> String {
        switch bound {
        case .value(let value): return field.words(for: value)
        case .cut(let days):
            let count = days.magnitude
            let words =
                days == 0 ? "cut" : "\(count) \(count == 1 ? "day" : "days") \(days < 0 ? "before" : "after") cut"
            return "\(words) (\(cut.advanced(byDays: Int(days))))"
        }
    }
}

extension AccountField {
    /// A value as policies write it.
    func words(for value: Int64?) -> String {
        guard let value else { return "not known" }
        switch kind {
        case .number: return String(value)
        case .money: return "\(Cents(value)) pesos"
        case .percent:
            let (whole, rest) = value.quotientAndRemainder(dividingBy: numbersPerBasisPoint)
            if rest > 0, let exact = exactPercent(value) { return "\(exact) %" }
            return rest == 0
                ? "\(Self.percent(whole)) %" : "above \(Self.percent(whole)) % and below \(Self.percent(whole + 1)) %"
        case .date: return Int32(exactly: value).map { LocalDate(daysSince1970: $0).description } ?? String(value)
        case .flag: return value == 0 ? "no" : "yes"
        case .code(let words):
            let index = Int(value) - 1
            return words.indices.contains(index) ? words[index] : String(value)
        }
    }

    /// Of a percentage in millionths all four decimals; `nil` where the number is only a place between two basis points.
    func exactPercent(_ value: Int64) -> String? {
        guard numbersPerBasisPoint == 100 else { return nil }
        let (percents, rest) = value.quotientAndRemainder(dividingBy: 10_000)
        let digits = String(rest)
        return "\(percents)." + String(repeating: "0", count: 4 - digits.count) + digits
    }

    /// Without trailing zeros; also beyond 100 %, which a derived value can be.
    private static func percent(_ value: Int64) -> String {
        BasisPoints(value)?.description ?? Cents(value).description
    }
}
