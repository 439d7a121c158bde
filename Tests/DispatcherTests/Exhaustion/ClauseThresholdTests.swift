// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
import Testing

/// The clauses of the shipped policy at, below and above each threshold.
struct ClauseThresholdTests {
    /// Which clauses an account misses that otherwise meets all of them.
    private func missing(
        _ subject: ClauseSheet.Subject, _ base: [AccountField: Int64?], _ change: [AccountField: Int64?]
    ) throws -> [String] {
        let sheet = try #require(ClauseSheet(subject, of: try ShippedPolicy.infonavit().policy, cut: cutOfMarch))
        let met = sheet.met(by: AccountRow.current.with(base).with(change))
        return zip(sheet.clauses, met).filter { !$0.1 }.map(\.0.name)
    }

    private static let exhausted: [AccountField: Int64?] = [
        .unpaid: 10, .regime: 1, .extensionMonths: 24, .restructures: 1, .irregularDwelling: 0,
    ]

    @Test(
        arguments: [
            ([:], []), ([.unpaid: 9], ["unpaid"]), ([.unpaid: 11], []), ([.regime: 2], []),
            ([.regime: 3], ["no-restructure"]), ([.extensionMonths: 23], ["no-means-left"]),
            ([.extensionMonths: 25], []), ([.restructures: 0], ["no-means-left"]), ([.restructures: 2], []),
            ([.extensionMonths: 0, .restructures: 0, .irregularDwelling: 1], []),
            ([.unpaid: 9, .irregularDwelling: 1], ["unpaid"]),
        ] as [([AccountField: Int64?], [String])])
    func `exhaustion needs more than nine unpaid, no restructure in force, and no means left`(
        change: [AccountField: Int64?], expected: [String]
    ) throws {
        #expect(try missing(.exhaustion, Self.exhausted, change) == expected)
    }

    private static let segregated: [AccountField: Int64?] = [
        .arrears: 48, .reserveShare: 10_000, .regime: 1, .accounting: 2, .situation: 1, .book: 1, .cofinanced: 0,
        .restructureInCure: 0,
    ]

    @Test(
        arguments: [
            ([:], []), ([.arrears: 47], ["arrears"]), ([.arrears: 49], []), ([.reserveShare: 9_999], ["reserves"]),
            ([.reserveShare: 10_001], []), ([.regime: 2], ["own-book"]), ([.book: 2], ["own-book"]),
            ([.cofinanced: 1], ["own-book"]), ([.accounting: 1], ["status"]), ([.situation: 2], ["status"]),
            ([.restructureInCure: 1], ["no-cure"]),
        ] as [([AccountField: Int64?], [String])])
    func `segregation needs all of its clauses`(change: [AccountField: Int64?], expected: [String]) throws {
        #expect(try missing(.segregation, Self.segregated, change) == expected)
    }

    private static let returning: [AccountField: Int64?] = [
        .book: 2, .accounting: 1, .situation: 1, .continuousPayments: 12,
    ]

    @Test(
        arguments: [
            ([:], []), ([.continuousPayments: 11], ["payments"]), ([.continuousPayments: 13], []),
            ([.book: 1], ["segregated"]), ([.accounting: 2], ["status"]), ([.situation: 3], ["status"]),
        ] as [([AccountField: Int64?], [String])])
    func `a return to balance needs all of its clauses`(change: [AccountField: Int64?], expected: [String]) throws {
        #expect(try missing(.returnToBalance, Self.returning, change) == expected)
    }

    @Test func `a sheet names the fields that it reads`() throws {
        let sheet = try #require(ClauseSheet(.exhaustion, of: try ShippedPolicy.infonavit().policy, cut: cutOfMarch))

        #expect(sheet.shown == [.regime, .unpaid, .extensionMonths, .restructures, .irregularDwelling])
        #expect(sheet.fields == sheet.shown)
    }
}
