// SPDX-License-Identifier: Apache-2.0

import Assignment
import Testing

struct ConditionTests {
    private let cut = LocalDate(daysSince1970: 19_782)

    @Test(arguments: [(4, false), (5, true), (9, true), (10, false), (nil, false)] as [(Int64?, Bool)])
    func `a range includes both of its ends and never a missing value`(arrears: Int64?, holds: Bool) {
        let condition = Condition.range(.arrears, atLeast: .value(5), atMost: .value(9))

        #expect(condition.bound(to: cut).holds(for: .with(.arrears, arrears)) == holds)
    }

    @Test(
        arguments: [(19_721, false), (19_722, true), (19_782, true), (19_783, false), (nil, false)] as [(Int64?, Bool)])
    func `a date relative to the cut counts from the cut's day`(day: Int64?, holds: Bool) {
        let condition = Condition.range(.jobLostOn, atLeast: .cut(days: -60), atMost: .cut(days: 0))

        #expect(condition.bound(to: cut).holds(for: .with(.jobLostOn, day)) == holds)
    }

    @Test func `a missing value meets nothing but not and unknown`() {
        let row = AccountRow.with(.lawsuitOn, nil)

        #expect(!Condition.isKnown(.lawsuitOn).bound(to: cut).holds(for: row))
        #expect(!Condition.oneOf(.lawsuitOn, [0, AccountRow.missing]).bound(to: cut).holds(for: row))
        #expect(!Condition.range(.lawsuitOn, atLeast: nil, atMost: .value(5)).bound(to: cut).holds(for: row))
        #expect(Condition.not(.isKnown(.lawsuitOn)).bound(to: cut).holds(for: row))
    }

    @Test func `a range that ends before it starts holds for nothing`() {
        let condition = Condition.range(.arrears, atLeast: .value(9), atMost: .value(5))

        #expect(!condition.bound(to: cut).holds(for: .with(.arrears, 7)))
    }

    @Test(arguments: [(0, 0), (0, 1), (1, 0), (1, 1)] as [(Int64, Int64)])
    func `all, any and not follow logic`(left: Int64, right: Int64) {
        var row = AccountRow(cut: LocalDate(daysSince1970: 19_782))
        row[.signed] = left
        row[.hasPhone] = right
        let signed = Condition.oneOf(.signed, [1])
        let phone = Condition.oneOf(.hasPhone, [1])

        #expect(Condition.all([signed, phone]).bound(to: cut).holds(for: row) == (left == 1 && right == 1))
        #expect(Condition.any([signed, phone]).bound(to: cut).holds(for: row) == (left == 1 || right == 1))
        #expect(Condition.not(signed).bound(to: cut).holds(for: row) == (left == 0))
    }

    @Test func `fields are named as the columns of the cut and found by name`() {
        for field in AccountField.allCases { #expect(AccountField(name: field.name) == field) }
        #expect(AccountField(name: "debtor") == nil)
    }

    @Test func `a condition names the fields that it reads once`() {
        let condition = Condition.all([.isKnown(.due), .any([.isKnown(.balance), .not(.isKnown(.due))])])

        #expect(condition.fields == [.balance, .due])
    }
}

extension AccountRow {
    static func with(_ field: AccountField, _ value: Int64?) -> AccountRow {
        var row = AccountRow(cut: LocalDate(daysSince1970: 19_782))
        row[field] = value
        return row
    }
}
