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

    /// The values that a field can have among these accounts, in ranges, ascending. None of them has another one; where a field
    /// can be missing, that is not among them.
    package func values(of field: AccountField) -> [ClosedRange<Int64>] { known(field).ranges }

    /// Of those, the ones that no account of the other set can have.
    package func values(of field: AccountField, outside other: ConditionSpace) -> [ClosedRange<Int64>] {
        known(field).subtracting(other.known(field)).ranges
    }

    /// The values of a field that suffice: whoever has one of them belongs here, whatever else is said of it.
    package func sufficient(of field: AccountField) -> [ClosedRange<Int64>] {
        let axis = Axis(field, isRelative: false)
        return ValueSet(boxes.flatMap { $0.values(onlyOn: axis)?.ranges ?? [] }).intersection(.known).ranges
    }

    private func known(_ field: AccountField) -> ValueSet {
        let axis = Axis(field, isRelative: false)
        return ValueSet(boxes.flatMap { $0.values(axis).ranges }).intersection(.known)
    }

    package func intersection(_ other: ConditionSpace) -> ConditionSpace? {
        guard let boxes = Self.product(boxes, other.boxes) else { return nil }
        return ConditionSpace(boxes: boxes)
    }

    /// These accounts without those; `nil` where they take more than `most` boxes.
    package func subtracting(_ other: ConditionSpace, upTo most: Int = boxesMax) -> ConditionSpace? {
        var rest = boxes
        for hole in other.boxes {
            rest = rest.flatMap { $0.subtracting(hole) }
            guard rest.count <= most else { return nil }
        }
        return ConditionSpace(boxes: rest)
    }

    /// How often a box is cut in a proof that others take everything, before it is given up.
    package static let cutsMax = 1_000

    /// Which of `others`, by their places, together take every one of these accounts; `nil` where one of the accounts is in
    /// none of them, and where the proof takes more than ``cutsMax`` cuts.
    ///
    /// What is left of a box is followed to its end before its neighbours are: in a long list most rules have an account
    /// of their own, and the first one found ends the search.
    package func cover(_ others: [ConditionSpace]) -> [Int]? {
        let holes = others.enumerated().flatMap { place, space in space.boxes.map { (place, $0) } }
        var open = boxes.reversed().map { (box: $0, from: 0) }
        var used: Set<Int> = []
        var cuts = 0
        following: while let (box, from) = open.popLast() {
            for index in from..<holes.count {
                let (place, hole) = holes[index]
                guard let parts = box.cut(hole) else { continue }
                cuts += 1
                guard cuts <= Self.cutsMax else { return nil }
                used.insert(place)
                open += parts.reversed().map { ($0, index + 1) }
                continue following
            }
            return nil
        }
        return used.sorted()
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
        case .range(let field, let atLeast, let atMost, _):
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
    /// Ascending by axis, each once; none of the sets is empty.
    private var allowed: [(axis: Axis, values: ValueSet)] = []

    func restricted(_ axis: Axis, to values: ValueSet) -> Box {
        var box = self
        if let index = allowed.firstIndex(where: { $0.axis >= axis }) {
            if allowed[index].axis == axis {
                box.allowed[index].values = values
            } else {
                box.allowed.insert((axis, values), at: index)
            }
        } else {
            box.allowed.append((axis, values))
        }
        return box
    }

    private func named(_ axis: Axis) -> ValueSet? { allowed.first { $0.axis == axis }?.values }
    func values(_ axis: Axis) -> ValueSet { named(axis) ?? .domain(of: axis.field) }

    /// What an axis may be where no other one is restricted; `nil` where another one is.
    func values(onlyOn axis: Axis) -> ValueSet? { allowed.allSatisfy { $0.axis == axis } ? values(axis) : nil }

    func intersection(_ other: Box) -> Box? {
        guard overlaps(other) else { return nil }
        var box = self
        for (axis, values) in other.allowed {
            let both = named(axis).map { $0.intersection(values) } ?? values
            box = box.restricted(axis, to: both)
        }
        return box.isPossible ? box : nil
    }

    /// Whether no axis keeps them apart, which is told without making a box: most pairs of rules end here.
    private func overlaps(_ other: Box) -> Bool {
        var (mine, theirs) = (0, 0)
        while mine < allowed.count, theirs < other.allowed.count {
            let (left, right) = (allowed[mine].axis, other.allowed[theirs].axis)
            if left == right {
                guard allowed[mine].values.overlaps(other.allowed[theirs].values) else { return false }
                mine += 1
                theirs += 1
            } else if left < right {
                mine += 1
            } else {
                theirs += 1
            }
        }
        return true
    }

    /// A date is missing on both of its axes or on none.
    private var isPossible: Bool {
        for (axis, values) in allowed where axis.isRelative {
            guard let plain = named(Axis(axis.field, isRelative: false)) else { continue }
            let canBeMissing = plain.contains(AccountRow.missing) && values.contains(AccountRow.missing)
            if !canBeMissing, !(plain.overlaps(.known) && values.overlaps(.known)) { return false }
        }
        return true
    }

    /// This box without another one, in boxes that do not overlap.
    func subtracting(_ other: Box) -> [Box] { cut(other) ?? [self] }

    /// The same; `nil` where the other one takes nothing of it.
    func cut(_ other: Box) -> [Box]? {
        guard intersection(other) != nil else { return nil }
        var found: [Box] = []
        var rest = self
        // In the order of the fields, so that the same policy always takes the same number of boxes.
        for (axis, hole) in other.allowed {
            let mine = rest.values(axis)
            let outside = mine.subtracting(hole)
            if outside.isEmpty { continue }
            let part = rest.restricted(axis, to: outside)
            if part.isPossible { found.append(part) }
            rest = rest.restricted(axis, to: mine.intersection(hole))
        }
        return found
    }
}

/// A set of values as ranges, ascending and apart from each other; the missing value is one of them.
private struct ValueSet: Hashable, Sendable {
    let ranges: [ClosedRange<Int64>]

    init(_ ranges: [ClosedRange<Int64>]) {
        guard ranges.count > 1 else {
            self.ranges = ranges
            return
        }
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

    /// What an account can have at all, on either of a date's axes.
    static func domain(of field: AccountField) -> ValueSet { domains[field.rawValue] }

    private static let domains = AccountField.allCases.map { field in
        let missing = field.canBeMissing ? [AccountRow.missing...AccountRow.missing] : []
        // A day of the calendar and its distance from the cut are both days here, and the second has no ends of its own.
        return ValueSet(missing + (field.kind == .date ? [AccountRow.missing + 1...Int64.max] : field.domain))
    }

    var isEmpty: Bool { ranges.isEmpty }
    func contains(_ value: Int64) -> Bool { ranges.contains { $0.contains(value) } }

    func overlaps(_ other: ValueSet) -> Bool {
        var (mine, theirs) = (0, 0)
        while mine < ranges.count, theirs < other.ranges.count {
            if ranges[mine].upperBound < other.ranges[theirs].lowerBound {
                mine += 1
            } else if other.ranges[theirs].upperBound < ranges[mine].lowerBound {
                theirs += 1
            } else {
                return true
            }
        }
        return false
    }

    func intersection(_ other: ValueSet) -> ValueSet {
        var found: [ClosedRange<Int64>] = []
        var (mine, theirs) = (0, 0)
        while mine < ranges.count, theirs < other.ranges.count {
            let (left, right) = (ranges[mine], other.ranges[theirs])
            if left.overlaps(right) { found.append(left.clamped(to: right)) }
            if left.upperBound < right.upperBound { mine += 1 } else { theirs += 1 }
        }
        return ValueSet(found)
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
