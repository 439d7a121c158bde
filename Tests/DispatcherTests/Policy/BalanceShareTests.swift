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

    /// 13.1393 % (RES-09), and what the same account has with one year more: a probability is compared in millionths.
    @Test(arguments: [
        ("above: 13.13 %", true), ("above: 13.14 %", false), ("at_least: 13.14 %", false), ("at_most: 13.13 %", false),
        ("at_most: 13.14 %", true), ("below: 13.14 %", true), ("between: [13.13 %, 13.14 %]", true),
        ("between: [13.14 %, 13.15 %]", false),
    ])
    func `a default probability is not rounded to whole hundredths of a percent`(test: String, holds: Bool) throws {
        let text = try BrokenPolicyTests.text("shape-percent-without-sign.yaml")
            .replacing("{balance_share: {below: 25}}", with: "{default_probability: {\(test)}}")
            .replacing("packs: [infonavit-2023]", with: "packs: [infonavit-2023, fonacot]")
        let row = AccountRow.current.with([
            .daysLate: 0, .maxArrears4M: 0, .paid4M: 10_000, .affiliatedEmployer: 1, .openedOn: day("2019-02-20"),
        ])

        #expect(row[.defaultProbability] == 131_393)
        #expect(
            (Segmenter(try PolicyFile(text: text).policy, cut: cutOfMarch).verdict(for: row) == .excluded(0)) == holds)
    }

    @Test func `explain tells a probability with all of its decimals`() throws {
        let row = AccountRow.current.with([
            .daysLate: 0, .maxArrears4M: 0, .paid4M: 10_000, .affiliatedEmployer: 1, .openedOn: day("2019-02-20"),
        ])
        let tracer = ConditionTracer(row: row, cut: cutOfMarch, offers: 0, relief: [])
        func line(_ low: Int64?, _ high: Int64?) -> String {
            tracer.trace(.range(.defaultProbability, atLeast: low.map { .value($0) }, atMost: high.map { .value($0) }))
                .lines(indent: 0).joined()
        }

        #expect(line(131_301, nil) == "[x] default_probability above 13.13 %: 13.1393 %")
        #expect(line(131_400, nil) == "[ ] default_probability at least 13.14 %: 13.1393 %")
        #expect(line(nil, 131_399) == "[x] default_probability below 13.14 %: 13.1393 %")
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
