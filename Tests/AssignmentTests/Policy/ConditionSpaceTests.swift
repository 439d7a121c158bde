// SPDX-License-Identifier: Apache-2.0

import Assignment
import Testing

struct ConditionSpaceTests {
    private func space(_ condition: Condition) throws -> ConditionSpace {
        try #require(ConditionSpace(condition, relief: []))
    }

    private func range(_ field: AccountField, _ low: Int64?, _ high: Int64?) -> Condition {
        .range(field, atLeast: low.map { .value($0) }, atMost: high.map { .value($0) })
    }

    @Test func `two halves cover the whole, and what lies between them does not`() throws {
        let whole = try space(range(.arrears, 1, 9))

        #expect(
            try whole.subtracting(space(range(.arrears, nil, 4)))?.subtracting(space(range(.arrears, 5, nil)))?.isEmpty
                == true)
        #expect(
            try whole.subtracting(space(range(.arrears, nil, 4)))?.subtracting(space(range(.arrears, 6, nil)))?.isEmpty
                == false)
    }

    @Test func `those that cover are named, and nobody is where one account is left`() throws {
        let whole = try space(range(.arrears, 1, 9))
        let parts = try [(0, 0), (1, 4), (20, 30), (3, 8), (9, 12)].map { try space(range(.arrears, $0.0, $0.1)) }

        #expect(whole.cover(parts) == [1, 3, 4])
        #expect(whole.cover(Array(parts.dropLast())) == nil)
        #expect(whole.cover([]) == nil)
        #expect(try space(.any([])).cover([]) == [])
    }

    /// Each of the fields halves what is left, so that the boxes would be 2 to the power of their number.
    @Test func `a proof that takes too long is given up, and a way out is found at once`() throws {
        let fields: [AccountField] = [
            .unpaid, .arrears, .daysLate, .extensionMonths, .incompletePayments, .restructures, .continuousPayments,
            .pensionEnrolments, .fppMonths, .maxArrears4M, .balance, .due, .overdue, .originalAmount, .paid4M,
            .reserveShare,
        ]
        let whole = try space(.always)
        let holes = try fields.indices.flatMap { index in
            try fields.indices.filter { $0 != index }.map { other in
                try space(.all([range(fields[index], 1, 2), range(fields[other], 5, 9)]))
            }
        }

        #expect(whole.cover(holes) == nil)
    }

    @Test func `the values of a field are those of all accounts together, and what is left of them lies outside`()
        throws
    {
        let some = try space(.any([.all([range(.arrears, 4, nil), range(.unpaid, 1, 2)]), range(.arrears, 1, 2)]))
        let everyone = try space(.always)

        #expect(some.values(of: .arrears) == [1...2, 4...999])
        #expect(everyone.values(of: .arrears, outside: some) == [0...0, 3...3])
        // Whoever has one or two arrears belongs here whatever is unpaid.
        #expect(some.values(of: .unpaid) == [0...999])
        #expect(everyone.values(of: .unpaid, outside: some) == [])
        // Four arrears do not suffice.
        #expect(some.sufficient(of: .arrears) == [1...2])
        #expect(some.sufficient(of: .unpaid) == [])
        #expect(everyone.sufficient(of: .arrears) == [0...999])
        // Where a share is not known, it is none of the values.
        #expect(try space(.not(.isKnown(.balanceShare))).values(of: .balanceShare) == [])
    }

    @Test func `how the ends of a range were written decides nothing`() throws {
        let above = Condition.range(.arrears, atLeast: .value(5), atMost: nil, written: .init(isAbove: true))

        #expect(above == range(.arrears, 5, nil))
        #expect(Set([above, range(.arrears, 5, nil)]).count == 1)
        #expect(above != range(.arrears, 6, nil))
    }

    @Test func `no account has what the cut does not take`() throws {
        #expect(try space(range(.arrears, 1_000, nil)).isEmpty)
        #expect(try space(range(.arrears, 999, nil)).isEmpty == false)
        #expect(try space(.oneOf(.municipality, [14_000, 33_001])).isEmpty)
        #expect(try space(.oneOf(.municipality, [14_000, 32_999])).isEmpty == false)
        #expect(try space(range(.paymentProbability, 10_001, nil)).isEmpty)
        #expect(try space(range(.balanceShare, 20_001, nil)).isEmpty == false)
    }

    @Test func `yes and no cover every account, known does not cover every date`() throws {
        let all = try space(.always)

        #expect(
            try all.subtracting(space(.oneOf(.signed, [0])))?.subtracting(space(.oneOf(.signed, [1])))?.isEmpty == true)
        #expect(try all.subtracting(space(.isKnown(.lawsuitOn)))?.isEmpty == false)
        #expect(
            try all.subtracting(space(.isKnown(.lawsuitOn)))?.subtracting(space(.not(.isKnown(.lawsuitOn))))?.isEmpty
                == true)
    }

    @Test func `a date by the calendar and a date by the cut are not compared`() throws {
        let recent = Condition.range(.jobLostOn, atLeast: .cut(days: -60), atMost: .cut(days: 0))
        let early = range(.jobLostOn, nil, 19_000)

        #expect(try space(.all([recent, early])).isEmpty == false)
        #expect(try space(.all([recent, .not(.isKnown(.jobLostOn))])).isEmpty)
        #expect(try space(.all([recent, .not(recent)])).isEmpty)
    }

    @Test func `what is asked of a relief is what the relief asks`() throws {
        let relief = [
            Clause(name: "r", title: Title(spanish: "", english: ""), origins: [], when: range(.unpaid, 1, 9))
        ]
        let offered = try #require(ConditionSpace(.offered(0), relief: relief))

        #expect(try offered.subtracting(space(range(.unpaid, 1, 9)))?.isEmpty == true)
        #expect(try space(range(.unpaid, 1, 9)).subtracting(offered)?.isEmpty == true)
    }

    /// A proof of emptiness is never wrong: random conditions against random accounts.
    @Test(arguments: 0..<300 as Range<UInt64>) func `what is proved covered is covered for every account`(seed: UInt64)
        throws
    {
        var random = SplitMix64(seed: seed)
        let first = Self.condition(&random, depth: 0)
        let second = Self.condition(&random, depth: 0)
        guard let one = ConditionSpace(first, relief: []), let other = ConditionSpace(second, relief: []) else {
            return
        }
        let isCovered = one.subtracting(other)?.isEmpty == true
        let areApart = one.intersection(other)?.isEmpty == true
        let cut = LocalDate(daysSince1970: 19_782)
        let (left, right) = (first.bound(to: cut), second.bound(to: cut))

        for _ in 0..<60 {
            var row = AccountRow(cut: cut)
            for field in Self.fields { row[field] = Self.value(field, &random) }
            if isCovered { #expect(!left.holds(for: row) || right.holds(for: row)) }
            if areApart { #expect(!(left.holds(for: row) && right.holds(for: row))) }
            if one.isEmpty { #expect(!left.holds(for: row)) }
        }
    }

    private static let fields: [AccountField] = [.arrears, .unpaid, .signed, .regime, .jobLostOn]

    private static func value(_ field: AccountField, _ random: inout SplitMix64) -> Int64? {
        switch field {
        case .signed: Int64(random.below(2))
        case .regime: Int64(random.below(3)) + 1
        case .jobLostOn: random.below(3) == 0 ? nil : 19_776 + Int64(random.below(12))
        default: Int64(random.below(8))
        }
    }

    private static func condition(_ random: inout SplitMix64, depth: Int) -> Condition {
        let field = fields[Int(random.below(UInt64(fields.count)))]
        let bounds = [value(field, &random) ?? 0, value(field, &random) ?? 0].sorted()
        switch random.below(depth > 2 ? 4 : 7) {
        case 0: return .range(field, atLeast: .value(bounds[0]), atMost: random.below(2) == 0 ? nil : .value(bounds[1]))
        case 1: return .oneOf(field, bounds)
        case 2: return .isKnown(.jobLostOn)
        case 3:
            return .range(
                .jobLostOn, atLeast: .cut(days: Int64(random.below(6)) - 6),
                atMost: random.below(2) == 0 ? .cut(days: 0) : .value(19_780))
        case 4: return .not(condition(&random, depth: depth + 1))
        case 5: return .all([condition(&random, depth: depth + 1), condition(&random, depth: depth + 1)])
        default: return .any([condition(&random, depth: depth + 1), condition(&random, depth: depth + 1)])
        }
    }
}
