// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import PgStore
import TestSupport
import Testing

/// Every figure that is shown is found as it is shown, and what is found says its sum.
struct ExplainedFigureTests {
    private func asked(
        _ link: PgLink, _ amount: Cents?, _ change: (inout StatementExplanation.Question) -> Void = { _ in }
    ) throws -> StatementExplanation {
        var question = StatementExplanation.Question()
        question.amount = amount
        question.linesMax = 1_000
        change(&question)
        return try StatementExplanation(link, period: ClosingFixture.period, question)
    }

    /// One peso of the first PEN-01 that charges more is waived.
    private func with(_ body: (PgLink, ClosedMonth) throws -> Void) async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 7)
            let preview = try MonthClosing(link, period: ClosingFixture.period).preview()
            let document = try #require(
                try preview.statements.map { try StatementDocument($0.body) }.first { document in
                    document.sections.contains { $0.lines.contains(where: Self.isCharged) }
                })
            let section = try #require(document.sections.first { $0.lines.contains(where: Self.isCharged) })
            let line = try #require(section.lines.first(where: Self.isCharged))
            try link.script(
                """
                INSERT INTO adjustment (period, about, contract_id, delegation_id, kind, rule, amount, decision, reason, proposed_by,
                    proposed_at, decided_by, decided_at)
                VALUES (202403, 202403, \(document.contract), \(section.delegation ?? 0), 'waiver', 'PEN-01:\(line.subject)', 100,
                    'approved', 'r', 'Ana', now(), 'Luis', now());
                """)
            try body(link, try MonthClosing(link, period: ClosingFixture.period).close().month)
        }
    }

    private static func isCharged(_ line: StatementDocument.Line) -> Bool {
        line.kind == "penalty" && line.rule == "PEN-01" && (Cents(pesos: line.amount) ?? .zero) > Cents(100)
    }

    @Test func `every figure of the month's tables and of statement list is found, with either sign`() async throws {
        try await with { link, month in
            let tally = month.summary.tally
            let totals = tally.totals
            var figures = [totals.fees, totals.taxOnFees, totals.penalties, totals.taxOnPenalties, totals.payable]
            figures += tally.services.values.map(\.amount) + tally.penalties.values.map(\.amount)
            figures += tally.bands.values.map(\.amount) + tally.changes.values.map(\.amount)
            for row in try StatementList(link, period: ClosingFixture.period).statements {
                figures += [row.fees, row.penalties, row.tax, row.payable].compactMap { Cents(pesos: $0) }
            }
            try #require(tally.changes[.waiver]?.amount == Cents(-100))
            for figure in figures where figure != .zero {
                for shown in [figure, -figure] {
                    #expect(throws: Never.self, "\(shown)") { try asked(link, shown) }
                }
            }
        }
    }

    @Test func `what a rule or a service charges is found beside what is left of it after a waiver`() async throws {
        try await with { link, month in
            let charged = try #require(month.summary.tally.penalties[.capacity]?.amount)
            for amount in [charged, charged - Cents(100)] {
                let explanation = try asked(link, amount) { $0.rule = "PEN-01" }
                let isCharged = amount == charged
                #expect(explanation.sums.count == 1)
                #expect(
                    explanation.sums.first?.hasPrefix(
                        "3 contracts: \(grouped(amount)) is the sum of \(isCharged ? "what PEN-01 charges" : "PEN-01"), "
                    ) == true)
                #expect(
                    explanation.sums.first?.contains(" − 1.00 = \(grouped(amount)) (PEN-01, PEN-01 waiver)")
                        == !isCharged)
                #expect(explanation.lines.contains { $0.kind == "waiver" } == !isCharged)
            }
            for (service, charge) in month.summary.tally.services {
                let explanation = try asked(link, charge.amount) { $0.rule = "FEE-11" }
                #expect(explanation.lines.allSatisfy { $0.subject == service.description }, "\(explanation.sums)")
            }
        }
    }

    @Test func `a total says its sum first, what is taken off has a minus, and lines of nothing come last`()
        async throws
    {
        try await with { link, month in
            let statement = try StatementDocument(try #require(month.statements.first).body)
            let totals = statement.totals
            let payable = try #require(Cents(pesos: totals.payable))
            func text(_ pesos: String) -> String { Cents(pesos: pesos).map { grouped($0) } ?? "" }
            let sum =
                "\(text(totals.fees)) + \(text(totals.taxOnFees)) − \(text(totals.penalties)) − \(text(totals.taxOnPenalties)) = "
                + text(totals.payable)
            for amount in [payable, -payable] {
                let explanation = try asked(link, amount) { $0.contract = 1 }
                #expect(explanation.sums.count == 1)
                #expect(explanation.sums.first?.hasSuffix(": \(sum) (fees, IVA, penalties, IVA)") == true)
                #expect(explanation.words.first == explanation.sums.first)
                let kinds = explanation.lines.map { $0.amount == "0.00" }
                #expect(kinds == kinds.sorted { !$0 && $1 })
                #expect(explanation.emptyLineCount == kinds.count { $0 })
                #expect(explanation.lineCount == statement.sections.flatMap(\.lines).count)
            }
        }
    }

    @Test func `a penalty is found by its amount with the minus of its page, and shown with it`() async throws {
        try await with { link, month in
            let lines = try month.statements.flatMap { try StatementDocument($0.body).sections.flatMap(\.lines) }
            let line = try #require(lines.first { $0.rule == "PEN-03" && $0.amount != "0.00" })
            let amount = try #require(Cents(pesos: line.amount))
            for shown in [amount, -amount] {
                let explanation = try asked(link, shown) { $0.rule = "PEN-03" }
                #expect(explanation.sums.first?.contains(": \(grouped(shown)) is the line PEN-03") == true)
                #expect(explanation.words.contains { $0.hasPrefix("\(grouped(-amount))  PEN-03") })
            }
        }
    }

    @Test func `a question of which a word names nothing is told which, and what there is`() async throws {
        try await with { link, _ in
            func fault(
                _ amount: Cents? = nil, _ change: (inout StatementExplanation.Question) -> Void
            ) -> CommandFailure? {
                #expect(throws: CommandFailure.self) { try asked(link, amount, change) }
            }
            let beyond = fault { $0.delegation = 33 }
            #expect(beyond?.found == "33 is no delegation" && beyond?.remedy == "Delegations are 1 to 32.")
            let contract = fault { $0.contract = 99 }
            #expect(contract?.found == "there is no statement of contract 99 of 2024-03")
            #expect(contract?.remedy == "There are those of 1, 2, 3.")
            let delegation = fault {
                $0.contract = 1
                $0.delegation = 5
            }
            #expect(delegation?.found == "there is no delegation 5 in the statement of contract 1 of 2024-03")
            #expect(delegation?.remedy == "There are the delegations 9, 14.")
            let rule = fault { $0.rule = "PEN-XX" }
            #expect(rule?.found == "there is no line of PEN-XX in the statements of 2024-03")
            #expect(rule?.remedy.hasPrefix("There are lines of FEE-11, IVA, PEN-01") == true)
            let amount = fault(Cents(77)) { $0.contract = 1 }
            #expect(
                amount?.found.hasPrefix("0.77 is no line, sum of a rule or total in the statement of contract 1 ")
                    == true)
        }
    }
}
