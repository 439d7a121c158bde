// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import PgStore
import Testing

/// An auditor's questions about one account, and about one peso.
struct AuditTests {
    @Test func `an account tells who held it, why, and what was done and paid, each with its receipt`() async throws {
        try await ProvenMonth.with { month in
            let audit = try AccountAudit(month.link, account: 1003)
            let holding = try #require(audit.holdings.first)

            #expect(audit.holdings.count == 1)
            #expect(holding.agency == "ACE01" && holding.contract == 1 && holding.position == 3 && holding.seed == 1)
            #expect(audit.events.map(\.kind) == ["outcome", "review"])
            #expect(audit.events[0].receipt == LedgerTree.hex(month.receipts[2]))
            #expect(
                audit.lines.contains { $0.hasPrefix("held by ACE01 agency under contract 1 (n) from 2024-03-04T15:00") }
            )
            // What was told of it is proved by its receipt.
            let receipt = try #require(LedgerTree.bytes(hex: audit.events[1].receipt))
            #expect(try RootSigning(month.link).prove(receipt: receipt).check().record.hasPrefix("review outcome="))
        }
    }

    @Test func `on a day it tells who held it then, and what had happened`() async throws {
        try await ProvenMonth.with(signs: false) { month in
            for (day, holdings, events) in [
                ("2024-03-03", 0, 0), ("2024-03-04", 1, 1), ("2024-03-05", 1, 2), ("2024-04-02", 1, 2),
                ("2024-04-05", 0, 2),
            ] {
                let audit = try AccountAudit(month.link, account: 1001, on: day)

                #expect(audit.holdings.count == holdings, "on \(day)")
                #expect(audit.events.count == events, "on \(day)")
            }
        }
    }

    @Test func `an account that was returned ended there, and one that nobody knows is said to be`() async throws {
        try await ProvenMonth.with(signs: false) { month in
            let audit = try AccountAudit(month.link, account: 1005)
            #expect(audit.holdings[0].ending?.hasPrefix("return (unlocatable) at 2024-03-04") == true)
            #expect(try AccountAudit(month.link, account: 1020).holdings[0].agency == nil)
            let failure = #expect(throws: CommandFailure.self) { try AccountAudit(month.link, account: 99) }
            #expect(failure?.found == "no cut has an account 99")
        }
    }

    private func explain(
        _ month: ProvenMonth, _ change: (inout StatementExplanation.Question) -> Void
    ) throws -> StatementExplanation {
        var question = StatementExplanation.Question()
        change(&question)
        return try StatementExplanation(month.link, period: ProvenMonth.period, question)
    }

    /// Two accounts by telephone at 10.00 and an agreement at 300.00: 320.00 and 51.20 of IVA.
    private static let figures: [(amount: String, lines: [String], sum: String)] = [
        ("300.00", ["300.00"], "is the line FEE-11 administrative.agreement"),
        ("348.00", ["300.00"], "with IVA 48.00"), ("320.00", ["20.00", "300.00"], "is the sum of its fees, 2 lines"),
        ("371.20", ["20.00", "300.00", "51.20"], "is the sum of its fees with IVA, 3 lines"),
        ("51.20", ["51.20"], "is the line IVA"),
    ]

    @Test func `a figure is led back to the lines that it is made of`() async throws {
        try await ProvenMonth.with(signs: false) { month in
            for figure in Self.figures {
                let explanation = try explain(month) {
                    $0.amount = Cents(pesos: figure.amount)
                    $0.contract = 1
                }

                #expect(explanation.lines.map(\.amount) == figure.lines)
                #expect(explanation.sums.count == 1 && explanation.sums[0].contains(figure.sum))
            }
        }
    }

    @Test func `a line leads to its outcomes, their reviews and their receipts`() async throws {
        try await ProvenMonth.with(signs: false) { month in
            let explanation = try explain(month) {
                $0.contract = 1
                $0.rule = "FEE-11"
            }
            let records = explanation.lines.flatMap(\.records)

            #expect(records.map(\.receipt) == month.receipts.prefix(3).map { LedgerTree.hex($0) })
            #expect(records.last?.review == "approved by Ana Ruiz: evidence is complete")
            #expect(records.map(\.account) == ["1001", "1002", "1003"])
            #expect(try explain(month) { $0.recordsMax = 1 }.lines[0].records.count == 1)
            #expect(throws: CommandFailure.self) { try explain(month) { $0.amount = Cents(77) } }
        }
    }
}
