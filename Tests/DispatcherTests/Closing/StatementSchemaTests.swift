// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import FoundationEssentials
import PgStore
import Testing
import TestSupport

/// docs/statement.schema.json and the statements say the same.
struct StatementSchemaTests {
    private func schema() throws -> JSONSchema {
        try JSONSchema(String(contentsOfFile: Checkout.root + "/docs/statement.schema.json", encoding: .utf8))
    }

    @Test func `statements of full months keep the schema`() async throws {
        let schema = try schema()
        try await TestDatabase.with { database in
            let link = try database.link()
            for seed in [51, 52] {
                try ClosingFixture.make(link, seed: seed)
                try link.script(ClosingSectionOracle.facts)
                for statement in try MonthClosing(link, period: ClosingFixture.period).preview().statements {
                    #expect(try schema.faults(AnyJSON.read(statement.body)) == [])
                }
                try link.script(ClosingSectionOracle.emptied + ClosingFixture.emptied)
            }
        }
    }

    /// A waiver in March; a credit and a debit about March in April.
    @Test func `what persons changed keeps the schema`() async throws {
        let schema = try schema()
        try await ClosingStageSite.with { link, stages in
            let (march, april) = (ClosingFixture.period, ClosingFixture.period.advanced(byMonths: 1))
            func change(_ adjustment: Adjustment, in period: Period) throws {
                let number = try stages.propose(adjustment, in: period, contract: 1, delegation: 9, by: "Ana")
                try stages.decide(adjustment: number, isApproved: true, reason: "r", by: "Luis")
            }
            func kinds(_ statements: [PeriodStore.StoredStatement]) throws -> Set<String> {
                for statement in statements { #expect(try schema.faults(AnyJSON.read(statement.body)) == []) }
                return Set(
                    try statements.flatMap { try StatementDocument($0.body).sections }.flatMap(\.lines).map(\.kind))
            }
            try change(ClosingStageSite.waiver("PEN-03"), in: march)
            try link.script(
                """
                INSERT INTO period VALUES (202404, 'open', '2024-04-01', NULL, NULL);
                CREATE TABLE outcome_202404 PARTITION OF outcome FOR VALUES IN (202404)
                """)
            #expect(try kinds(MonthClosing(link, period: march).close().month.statements).contains("waiver"))
            for kind in [Adjustment.Kind.credit, .debit] {
                try change(
                    Adjustment(number: 0, kind: kind, rule: "FEE-11", amount: Cents(100), about: march, reason: "r"),
                    in: april)
            }
            #expect(
                try kinds(MonthClosing(link, period: april).preview().statements).isSuperset(of: ["credit", "debit"]))
        }
    }

    /// Pages are printed: without their links to others, with the headings of a table on each sheet, and numbered.
    @Test func `the pages of a month are made for paper, too`() async throws {
        let folder = "/tmp/pages-\(UInt64.random(in: 0...UInt64.max))"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 51)
            _ = try StatementFiles(folder).write(MonthClosing(link, period: ClosingFixture.period).close().month)
        }
        for file in ["index.html", "statements/C1.html"] {
            let page = try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8)
            let style = try #require(page.split(separator: "<style>").last?.split(separator: "</style>").first)
            let print = try #require(style.split(separator: "@media print {").last)

            #expect(style.contains("@media print {"))
            for rule in [
                "nav { display: none }", ".t { overflow: visible }", "thead { display: table-header-group }",
                "tr { break-inside: avoid }", "h2 { break-after: avoid }",
            ] { #expect(print.contains(rule), "\(file): \(rule)") }
            #expect(style.contains("@page { margin: 15mm; @bottom-right { content: counter(page)"))
            // What is said of them is there.
            for element in ["<thead>", "<h2", "class=\"t\""] { #expect(page.contains(element), "\(file): \(element)") }
        }
    }

    @Test func `what is missing, unknown or spelt otherwise is a fault`() async throws {
        let schema = try schema()
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 53)
            let body = try #require(try MonthClosing(link, period: ClosingFixture.period).preview().statements.first)
                .body
            for (found, instead) in [
                ("\"format\":\"reparto-statement-1\"", "\"format\":\"other\""), ("\"agencyName\":", "\"agencyname\":"),
                ("\"kind\":\"fee\"", "\"kind\":\"gift\""), ("\"pulled\":", "\"pulled\":-"),
                ("\"totals\":{\"fees\":\"", "\"totals\":{\"fees\":\"1,"),
            ] {
                let changed = body.replacing(found, with: instead)
                #expect(changed != body, "\(found) is there")
                #expect(try !schema.faults(AnyJSON.read(changed)).isEmpty, "\(instead) is found")
            }
        }
    }

    /// Both languages on one page: the clause that binds in Spanish, what it is about and the sum in English.
    @Test func `the page tells every line in Spanish and English`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 54)
            let folder = "/tmp/pages-\(UInt64.random(in: 0...UInt64.max))"
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let month = try MonthClosing(link, period: ClosingFixture.period).preview()
            _ = try StatementFiles(folder).write(month)
            let page = try String(contentsOfFile: folder + "/statements/C1.html", encoding: .utf8)
            let document = try StatementDocument(month.statements[0].body)
            for line in document.sections.flatMap(\.lines) {
                let english = EnglishClause.text(kind: line.kind, rule: line.rule)
                #expect(!english.isEmpty && page.contains(english), "\(line.kind) \(line.rule)")
            }
            #expect(document.sections.allSatisfy { $0.notes.count == $0.notesInEnglish?.count })
            let notes = document.sections.flatMap { $0.notesInEnglish ?? [] }
            #expect(!notes.isEmpty && notes.allSatisfy { $0.contains("'") || page.contains($0) })
        }
    }

    @Test func `the page of formats has every member of the month's summary, and no other`() async throws {
        let page = try String(contentsOfFile: Checkout.root + "/docs/formats.md", encoding: .utf8)
        let begin = try #require(page.firstRange(of: "## What the close writes")?.upperBound)
        let end = try #require(page.firstRange(of: "## zones")?.lowerBound)
        let named = page[begin..<end].split(separator: "\n").filter { $0.hasPrefix("| `") }.flatMap { row in
            // Members are in the first column, each in backquotes.
            (row.split(separator: "|").first ?? "").split(separator: "`", omittingEmptySubsequences: false).enumerated()
                .compactMap { $0.offset % 2 == 1 ? String($0.element) : nil }
        }
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 55)
            try link.script(
                """
                INSERT INTO policy VALUES ('', 'p', '2024-01-01', '2024-01-01', '', '2024-03-01');
                INSERT INTO segmentation (period, policy, policy_version, policy_digest, cut_digest, accounts, placed, excluded,
                    digest, made_at) VALUES (202403, 'p', '2024-01-01', '', '', 2, 2, 0, '', '2024-03-01')
                """)
            guard
                case .object(let members) = try MonthClosing(link, period: ClosingFixture.period).preview().summary.json
            else { return }

            #expect(Set(named) == Set(members.keys))
        }
    }

    @Test func `a page leaves out lines of nothing and says how many there are`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 56)
            try link.script("UPDATE schedule SET value = '0.00' WHERE rule = 'FEE-11' AND parameter LIKE '%.phone'")
            let folder = "/tmp/pages-\(UInt64.random(in: 0...UInt64.max))"
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let month = try MonthClosing(link, period: ClosingFixture.period).preview()
            _ = try StatementFiles(folder).write(month)
            let page = try String(contentsOfFile: folder + "/statements/C1.html", encoding: .utf8)
            let csv = try String(contentsOfFile: folder + "/statements/C1.csv", encoding: .utf8)
            let document = try StatementDocument(month.statements[0].body)
            let idle = document.sections.map { $0.lines.count { $0.amount == "0.00" } }.filter { $0 > 0 }

            #expect(!idle.isEmpty)
            for count in idle { #expect(page.contains("Lines of 0.00, which the JSON and CSV files have: \(count)")) }
            #expect(!page.contains("× 0.00 = 0.00"))
            #expect(csv.contains("× 0.00 = 0.00"))
        }
    }
}
