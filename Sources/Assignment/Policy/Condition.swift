// SPDX-License-Identifier: Apache-2.0

/// What must hold of an account for a rule to match, as the policy says it: dates may be relative to the cut.
///
/// A missing value meets no comparison, range or set; only `not` and ``isKnown(_:)`` tell that it is missing.
package indirect enum Condition: Hashable, Sendable {
    case always
    /// Both ends belong to the range; `nil` is open. An end below the other makes a range that nothing meets.
    case range(AccountField, atLeast: Bound?, atMost: Bound?, written: WrittenEnds = WrittenEnds())
    case oneOf(AccountField, [Int64])
    case isKnown(AccountField)
    case all([Condition])
    case any([Condition])
    case not(Condition)
    /// The relief of this number in ``Policy/relief`` may be offered.
    case offered(Int)
    /// A band or another condition with a name; the name is for people and decides nothing.
    case named(String, Condition)

    package enum Bound: Hashable, Sendable {
        case value(Int64)
        /// The day of the cut plus so many days.
        case cut(days: Int64)
    }

    /// Which ends of a range the policy wrote by the value beside them: `above: 4` for 5 and more.
    ///
    /// It is for people and decides nothing, so ranges that differ in nothing else are the same.
    package struct WrittenEnds: Hashable, Sendable {
        /// `above` and `after`: one below the lower end was written.
        package var isAbove = false
        /// `below` and `before`: one above the upper end was written.
        package var isBelow = false

        package init(isAbove: Bool = false, isBelow: Bool = false) {
            self.isAbove = isAbove
            self.isBelow = isBelow
        }

        package static func == (left: WrittenEnds, right: WrittenEnds) -> Bool { true }
        package func hash(into hasher: inout Hasher) {}
    }

    /// This condition for the cut of one day.
    package func bound(to cut: LocalDate) -> BoundCondition {
        switch self {
        case .always:
            return .always
        case .range(let field, let atLeast, let atMost, _):
            // Whatever would reach the missing value is cut off just above it.
            let lower = max(atLeast?.value(on: cut) ?? Int64.min, AccountRow.missing + 1)
            let upper = atMost?.value(on: cut) ?? Int64.max
            return lower <= upper ? .within(field, lower...upper) : .never
        case .oneOf(let field, let values):
            return .oneOf(field, values.filter { $0 != AccountRow.missing })
        case .isKnown(let field):
            return .within(field, AccountRow.missing + 1...Int64.max)
        case .all(let conditions):
            return .all(conditions.map { $0.bound(to: cut) })
        case .any(let conditions):
            return .any(conditions.map { $0.bound(to: cut) })
        case .not(let condition):
            return .not(condition.bound(to: cut))
        case .offered(let index):
            return .offered(index)
        case .named(_, let condition):
            return condition.bound(to: cut)
        }
    }

    /// The fields that it reads, each once, in their order. Those of a relief that it asks for are not among them.
    package var fields: [AccountField] {
        var found: Set<Int> = []
        collect(into: &found)
        return found.sorted().compactMap(AccountField.init(rawValue:))
    }

    private func collect(into found: inout Set<Int>) {
        switch self {
        case .always, .offered: break
        case .range(let field, _, _, _), .oneOf(let field, _), .isKnown(let field): found.insert(field.rawValue)
        case .all(let conditions), .any(let conditions): for each in conditions { each.collect(into: &found) }
        case .not(let condition), .named(_, let condition): condition.collect(into: &found)
        }
    }
}

extension Condition.Bound {
    fileprivate func value(on cut: LocalDate) -> Int64 {
        switch self {
        case .value(let value):
            return value
        case .cut(let days):
            let (sum, overflowed) = Int64(cut.daysSince1970).addingReportingOverflow(days)
            return overflowed ? (days < 0 ? AccountRow.missing + 1 : Int64.max) : sum
        }
    }
}

/// A condition with its dates worked out for one cut: what is evaluated.
package indirect enum BoundCondition: Hashable, Sendable {
    case always
    case never
    case within(AccountField, ClosedRange<Int64>)
    case oneOf(AccountField, [Int64])
    case all([BoundCondition])
    case any([BoundCondition])
    case not(BoundCondition)
    case offered(Int)

    /// - Parameter offers: the reliefs that may be offered, by bits; see ``Segmenter/offers(for:)``.
    package func holds(for row: borrowing AccountRow, offers: UInt64 = 0) -> Bool {
        switch self {
        case .always: return true
        case .never: return false
        case .within(let field, let range): return range.contains(row.raw(field))
        case .oneOf(let field, let values): return values.contains(row.raw(field))
        case .all(let conditions):
            for condition in conditions where !condition.holds(for: row, offers: offers) { return false }
            return true
        case .any(let conditions):
            for condition in conditions where condition.holds(for: row, offers: offers) { return true }
            return false
        case .not(let condition): return !condition.holds(for: row, offers: offers)
        case .offered(let index): return offers & 1 << UInt64(index) != 0
        }
    }
}
