// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// Values of one field that a list of conditions leaves out; told only where that is so for every account.
enum ConditionGap {
    /// What accounts of `whole` can have of one field and none can have who meets one of the conditions, as `unpaid 10 or more`.
    static func left(_ whole: Condition, by conditions: [Condition], relief: [Relief]) -> [String] {
        guard let space = ConditionSpace(whole, relief: relief),
            let taken = ConditionSpace(.any(conditions), relief: relief)
        else { return [] }
        return measures(conditions, relief: relief).flatMap { field in
            space.values(of: field, outside: taken).map { field.words(in: $0) }
        }
    }

    /// The numbers, amounts and percents that the conditions read, also by way of the relief that they ask for. Numbers that
    /// are names, as a delegation's, have no gaps.
    static func measures(_ conditions: [Condition], relief: [Relief]) -> [AccountField] {
        let asked = conditions.flatMap { $0.offers }.filter { relief.indices.contains($0) }.map { relief[$0].when }
        let fields = Set((conditions + asked).flatMap(\.fields))
        return AccountField.banded.filter { fields.contains($0) && $0 != .delegation && $0 != .municipality }
    }
}

extension Condition {
    /// The relief that it asks for, by number.
    fileprivate var offers: [Int] {
        switch self {
        case .always, .range, .oneOf, .isKnown: []
        case .offered(let index): [index]
        case .all(let conditions), .any(let conditions): conditions.flatMap(\.offers)
        case .not(let condition), .named(_, let condition): condition.offers
        }
    }
}

extension AccountField {
    /// A range of values with the field's name: `arrears 4`, `arrears 4 to 9`, `arrears 10 or more`.
    func words(in range: ClosedRange<Int64>) -> String {
        let (first, last) = (words(for: range.lowerBound), range.upperBound)
        if range.count == 1 { return "\(name) \(first)" }
        return last == domain.last?.upperBound ? "\(name) \(first) or more" : "\(name) \(first) to \(words(for: last))"
    }
}
