// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
@testable import Dispatcher
import PgStore
import TestSupport
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

    /// Terms are 30 days, and grace 24 hours.
    @Test func `a live lease is told with its term, one that ran out with its expiry`() async throws {
        try await DealtMonth.with { month in
            let agent = try await month.connect(1)
            _ = try await agent.lease(DealtMonth.lease(1, max: 2))
            let link = try month.database.link()
            let live = try #require(try AccountAudit(link, account: 1001).holdings.first)
            let term = try #require(live.term)
            #expect(live.until == term && live.ending == nil)
            #expect(try #require(live.enforced) > term)
            #expect(
                try AccountAudit(link, account: 1001).lines.contains {
                    $0.hasPrefix("held by ACE01")
                        && $0.contains("until \(term), its term; with grace and outages until ")
                })

            try link.script("UPDATE lease_grant SET state = 'closed', closed_at = term + interval '1 day'")
            let over = try #require(try AccountAudit(link, account: 1001).holdings.first)
            #expect(over.enforced == nil && over.until == live.enforced)
            #expect(over.ending?.hasPrefix("expiry at ") == true && over.ending?.hasSuffix("its term \(term)") == true)
            #expect(try AccountAudit(link, account: 1001).lines.contains { $0.hasPrefix("  ended: expiry at ") })
        }
    }

    @Test func `what nobody leased says for whom it waits, and what took it away`() async throws {
        try await DealtMonth.with { month in
            let agent = try await month.connect(1)
            _ = try await agent.lease(DealtMonth.lease(1, max: 2))
            let link = try month.database.link()
            func told() throws -> String { try AccountAudit(link, account: 1005).lines[1...].joined(separator: "\n") }
            #expect(try told().contains("waits for ACE01 under contract 1, which may pull it"))
            let waiting = try #require(try AccountAudit(link, account: 1005).holdings.first)
            #expect(waiting.waiting == .waits && waiting.dealtTo.map(\.contract) == [1])

            try link.script("UPDATE hand SET state = 'closed' WHERE hand_id = 1")
            #expect(
                try told().contains("was dealt to ACE01 under contract 1, and not pulled before its hand was closed"))
            try link.script(
                "UPDATE hand SET withdrawn_at = now_instant(), withdrawn_from = 2, withdrawn_reason = 'hold' WHERE hand_id = 1"
            )
            #expect(try told().contains("was dealt to ACE01 under contract 1, and withdrawn before it was pulled"))
            try link.script("UPDATE lease_grant SET last_position = 5, skipped = '{3,4,5}'")
            #expect(try told().contains("passed over by the pull that came to it"))
            try link.script(
                "UPDATE hand SET state = 'open', withdrawn_at = NULL, withdrawn_from = NULL, withdrawn_reason = NULL")
            #expect(try told().contains("passed over"))
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
