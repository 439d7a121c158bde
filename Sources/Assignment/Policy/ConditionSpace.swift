// SPDX-License-Identifier: Apache-2.0

/// Which accounts meet a condition, as a set: to prove that a rule gets none, whatever the cut and its day.
///
/// A set is a union of boxes, and a box allows for each field a set of values. Values relative to the cut are kept apart
/// from plain ones, as if a date had two independent values. That only adds accounts that cannot exist, so what is proved
/// empty is empty; what is not proved says nothing. A set that grows beyond ``boxesMax`` is given up.
package struct ConditionSpace: Sendable {
    package static let boxesMax = 512

    private var boxes: [Box]

    /// The accounts that meet a condition; `nil` where they take too many boxes.
    /// - Parameter relief: what `offered` stands for.
    package init?(_ condition: Condition, relief: [Relief]) {
        guard let boxes = Self.boxes(of: condition, isMet: true, relief: relief) else { return nil }
        self.boxes = boxes
    }

    package var isEmpty: Bool { boxes.isEmpty }

    package func intersection(_ other: ConditionSpace) -> ConditionSpace? {
        guard let boxes = Self.product(boxes, other.boxes) else { return nil }
        return ConditionSpace(boxes: boxes)
    }

    /// These accounts without those; `nil` where they take too many boxes.
    package func subtracting(_ other: ConditionSpace) -> ConditionSpace? {
        var rest = boxes
        for hole in other.boxes {
            rest = rest.flatMap { $0.subtracting(hole) }
            guard rest.count <= Self.boxesMax else { return nil }
        }
        return ConditionSpace(boxes: rest)
    }

    private init(boxes: [Box]) { self.boxes = boxes }

    private static func product(_ left: [Box], _ right: [Box]) -> [Box]? {
        guard left.count * right.count <= boxesMax * 4 else { return nil }
        let found = left.flatMap { box in right.compactMap { box.intersection($0) } }
        return found.count <= boxesMax ? found : nil
    }

    /// The boxes of a condition, or of its opposite.
    private static func boxes(of condition: Condition, isMet: Bool, relief: [Relief]) -> [Box]? {
        switch condition {
        case .always:
            return isMet ? [Box()] : []
        case .named(_, let inner):
            return boxes(of: inner, isMet: isMet, relief: relief)
        case .not(let inner):
            return boxes(of: inner, isMet: !isMet, relief: relief)
        case .offered(let index):
            guard relief.indices.contains(index) else { return nil }
            return boxes(of: relief[index].when, isMet: isMet, relief: [])
        case .all(let conditions):
            return isMet
                ? every(conditions, isMet: true, relief: relief) : some(conditions, isMet: false, relief: relief)
        case .any(let conditions):
            return isMet
                ? some(conditions, isMet: true, relief: relief) : every(conditions, isMet: false, relief: relief)
        case .range(let field, let atLeast, let atMost):
            return range(field, atLeast, atMost, isMet: isMet)
        case .oneOf(let field, let values):
            let known = values.filter { $0 != AccountRow.missing }
            return atom(Axis(field, isRelative: false), ValueSet(known.map { $0...$0 }), isMet: isMet)
        case .isKnown(let field):
            return atom(Axis(field, isRelative: false), .known, isMet: isMet)
        }
    }

    private static func every(_ conditions: [Condition], isMet: Bool, relief: [Relief]) -> [Box]? {
        var found = [Box()]
        for condition in conditions {
            guard let next = boxes(of: condition, isMet: isMet, relief: relief),
                let joined = product(found, next)
            else { return nil }
            found = joined
        }
        return found
    }

    private static func some(_ conditions: [Condition], isMet: Bool, relief: [Relief]) -> [Box]? {
        var found: [Box] = []
        for condition in conditions {
            guard let next = boxes(of: condition, isMet: isMet, relief: relief) else { return nil }
            found += next
            guard found.count <= boxesMax else { return nil }
        }
        return found
    }

    private static func range(
        _ field: AccountField, _ atLeast: Condition.Bound?, _ atMost: Condition.Bound?, isMet: Bool
    ) -> [Box]? {
        /// The part of the range that its ends of one sort make; open where it has none.
        func values(isRelative: Bool) -> ValueSet {
            let lower = atLeast?.number(isRelative: isRelative) ?? AccountRow.missing + 1
            let upper = atMost?.number(isRelative: isRelative) ?? Int64.max
            let low = max(lower, AccountRow.missing + 1)
            return low <= upper ? ValueSet([low...upper]) : ValueSet([])
        }
        let plain = atom(Axis(field, isRelative: false), values(isRelative: false), isMet: isMet)
        guard atLeast?.isRelative == true || atMost?.isRelative == true else { return plain }
        let relative = atom(Axis(field, isRelative: true), values(isRelative: true), isMet: isMet)
        return isMet ? product(plain, relative) : plain + relative
    }

    private static func atom(_ axis: Axis, _ values: ValueSet, isMet: Bool) -> [Box] {
        let domain = ValueSet.domain(of: axis.field)
        let allowed = isMet ? domain.intersection(values) : domain.subtracting(values)
        return allowed.isEmpty ? [] : [Box().restricted(axis, to: allowed)]
    }
}

extension Condition.Bound {
    fileprivate var isRelative: Bool {
        switch self {
        case .value: false
        case .cut: true
        }
    }

    fileprivate func number(isRelative: Bool) -> Int64? {
        switch self {
        case .value(let value): isRelative ? nil : value
        case .cut(let days): isRelative ? days : nil
        }
    }
}

/// A field, by its values or by its distance from the cut in days.
private struct Axis: Hashable, Comparable, Sendable {
    let field: AccountField
    let isRelative: Bool

    init(_ field: AccountField, isRelative: Bool) {
        self.field = field
        self.isRelative = isRelative
    }

    static func < (left: Axis, right: Axis) -> Bool {
        (left.field.rawValue, left.isRelative ? 1 : 0) < (right.field.rawValue, right.isRelative ? 1 : 0)
    }
}

/// What each axis may be; one that is not named may be anything.
private struct Box: Sendable {
    private var allowed: [Axis: ValueSet] = [:]

    func restricted(_ axis: Axis, to values: ValueSet) -> Box {
        var box = self
        box.allowed[axis] = values
        return box
    }

    private func values(_ axis: Axis) -> ValueSet { allowed[axis] ?? .domain(of: axis.field) }

    func intersection(_ other: Box) -> Box? {
        var box = self
        for (axis, values) in other.allowed {
            let both = self.values(axis).intersection(values)
            if both.isEmpty { return nil }
            box.allowed[axis] = both
        }
        return box.isPossible ? box : nil
    }

    /// A date is missing on both of its axes or on none.
    private var isPossible: Bool {
        for (axis, values) in allowed where axis.isRelative {
            guard let plain = allowed[Axis(axis.field, isRelative: false)] else { continue }
            let canBeMissing = plain.contains(AccountRow.missing) && values.contains(AccountRow.missing)
            let canBeKnown =
                !plain.intersection(.known).isEmpty && !values.intersection(.known).isEmpty
            if !canBeMissing, !canBeKnown { return false }
        }
        return true
    }

    /// This box without another one, in boxes that do not overlap.
    func subtracting(_ other: Box) -> [Box] {
        guard intersection(other) != nil else { return [self] }
        var found: [Box] = []
        var rest = self
        // In the order of the fields, so that the same policy always takes the same number of boxes.
        for (axis, hole) in other.allowed.sorted(by: { $0.key < $1.key }) {
            let outside = rest.values(axis).subtracting(hole)
            let part = rest.restricted(axis, to: outside)
            if !outside.isEmpty, part.isPossible { found.append(part) }
            rest = rest.restricted(axis, to: rest.values(axis).intersection(hole))
        }
        return found
    }
}

/// A set of values as ranges, ascending and apart from each other; the missing value is one of them.
private struct ValueSet: Hashable, Sendable {
    private let ranges: [ClosedRange<Int64>]

    init(_ ranges: [ClosedRange<Int64>]) {
        var joined: [ClosedRange<Int64>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = joined.last, last.upperBound == .max || range.lowerBound <= last.upperBound + 1 {
                joined[joined.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                joined.append(range)
            }
        }
        self.ranges = joined
    }

    static let known = ValueSet([AccountRow.missing + 1...Int64.max])

    /// What an account can have at all: the cut's table takes nothing else.
    static func domain(of field: AccountField) -> ValueSet {
        switch field.kind {
        case _ where field == .delegation:
            ValueSet([Int64(Delegation.range.lowerBound)...Int64(Delegation.range.upperBound)])
        case .flag: ValueSet([0...1])
        case .code(let words): ValueSet([1...Int64(words.count)])
        case .number, .money, .percent:
            field.isDerived ? ValueSet([missing, 0...Int64.max]) : ValueSet([0...Int64.max])
        case .date: ValueSet([AccountRow.missing...Int64.max])
        }
    }
    private static let missing = AccountRow.missing...AccountRow.missing

    var isEmpty: Bool { ranges.isEmpty }
    func contains(_ value: Int64) -> Bool { ranges.contains { $0.contains(value) } }

    func intersection(_ other: ValueSet) -> ValueSet {
        ValueSet(ranges.flatMap { range in other.ranges.filter(range.overlaps).map { range.clamped(to: $0) } })
    }

    func subtracting(_ other: ValueSet) -> ValueSet {
        var rest = ranges
        for hole in other.ranges {
            rest = rest.flatMap { range -> [ClosedRange<Int64>] in
                guard range.overlaps(hole) else { return [range] }
                var parts: [ClosedRange<Int64>] = []
                if range.lowerBound < hole.lowerBound { parts.append(range.lowerBound...hole.lowerBound - 1) }
                if range.upperBound > hole.upperBound { parts.append(hole.upperBound + 1...range.upperBound) }
                return parts
            }
        }
        return ValueSet(rest)
    }
}
