// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import Testing

/// A part of the original amount is no whole number of basis points, and is not rounded to one.
struct BalanceShareTests {
    @Test(arguments: [
        ("above: 25 %", [false, false, true]), ("at_least: 25 %", [false, true, true]),
        ("below: 25 %", [true, false, false]), ("at_most: 25 %", [true, true, false]),
        ("between: [25 %, 25 %]", [false, true, false]), ("between: [24.99 %, 25 %]", [true, true, false]),
        ("between: [25 %, 25.01 %]", [false, true, true]),
    ])
    func `a balance share is compared exactly, by the centavo below, at and above its threshold`(
        test: String, holds: [Bool]
    ) throws {
        let text = try BrokenPolicyTests.text("shape-percent-without-sign.yaml")
            .replacing("{balance_share: {below: 25}}", with: "{balance_share: {\(test)}}")
        let segmenter = Segmenter(try PolicyFile(text: text).policy, cut: cutOfMarch)
        let found = ([24_999_999, 25_000_000, 25_000_001] as [Int64]).map { balance in
            var row = AccountRow(cut: cutOfMarch)
            row[.balance] = balance
            row[.originalAmount] = 100_000_000
            return segmenter.verdict(for: row) == .excluded(0)
        }

        #expect(found == holds)
    }

    @Test func `explain tells a share between two basis points as what it is`() throws {
        var row = AccountRow(cut: cutOfMarch)
        row[.balance] = 25_000_001
        row[.originalAmount] = 100_000_000
        let tracer = ConditionTracer(row: row, cut: cutOfMarch, offers: 0, relief: [])
        func line(_ low: Int64?, _ high: Int64?) -> String {
            tracer.trace(.range(.balanceShare, atLeast: low.map { .value($0) }, atMost: high.map { .value($0) }))
                .lines(indent: 0).joined()
        }

        #expect(line(5_001, nil) == "[x] balance_share above 25 %: above 25 % and below 25.01 %")
        #expect(line(nil, 5_000) == "[ ] balance_share at most 25 %: above 25 % and below 25.01 %")
        #expect(line(nil, 4_999) == "[ ] balance_share below 25 %: above 25 % and below 25.01 %")
        #expect(line(1_000, 10_001) == "[x] balance_share at least 5 % and below 50.01 %: above 25 % and below 25.01 %")
    }
}
