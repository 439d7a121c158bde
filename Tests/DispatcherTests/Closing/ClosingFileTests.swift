// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import FoundationEssentials
import PgStore
import Testing
import TestSupport

struct ClosingFileTests {
    private func withFolder(_ body: (URL) throws -> Void) throws {
        let folder = URL(filePath: "/tmp/close \(UInt64.random(in: 0...UInt64.max))", directoryHint: .isDirectory)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder)
    }

    private func text(_ folder: URL, _ name: String) throws -> String {
        String(decoding: try Data(contentsOf: folder.appending(path: name)), as: UTF8.self)
    }

    @Test func `the files hold what was closed, and pages escape names`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 8)
            let closing = MonthClosing(link, period: ClosingFixture.period)
            let month = try closing.close().month
            try withFolder { folder in
                #expect(try StatementFiles(folder.path).write(month) == 13)
                #expect(try text(folder, "statements/C3.json") == month.statements[2].body)
                let page = try text(folder, "statements/C3.html")
                #expect(page.contains("Dos &amp; Hijos &lt;SA&gt;"))
                #expect(!page.contains("{{"))
                #expect(!page.contains("−0.00"))
                #expect(page.contains("../index.html"))
                #expect(page.contains("Honorario") && page.contains("administrativa"))
                let total = try StatementDocument(month.statements[2].body).totals.fees
                #expect(page.contains(Cents(pesos: total).map { grouped($0) } ?? "?"))
                let index = try text(folder, "index.html")
                #expect(["html", "csv", "json"].allSatisfy { index.contains("statements/C1.\($0)") })
                #expect(!index.contains("{{"))
                #expect(try text(folder, "summary.json").contains("\"period\":\"2024-03\""))
                let fees = try text(folder, "fees.csv").split(separator: "\r\n").dropFirst()
                let sum = try month.statements.map { try StatementDocument($0.body).totals.fees }
                    .compactMap { Cents(pesos: $0) }.reduce(.zero, +)
                let table = try text(folder, "statements/C1.csv")
                #expect(table.hasPrefix(StatementTable.header.joined(separator: ",") + "\r\n"))
                #expect(table.contains("Price per service; an account is billed at most once per service and period.,"))
                #expect(table.contains(" accounts × "))
                // Amount is the thirteenth column; the base before it holds no comma.
                #expect(
                    fees.compactMap { Cents(pesos: $0.split(separator: ",", omittingEmptySubsequences: false)[12]) }
                        .reduce(.zero, +) == sum)
            }
            try withFolder { folder in
                // 2024-04-16 06:00 UTC is midnight in Mexico City: the day before is the last one.
                let until = [
                    Int32(1): Timestamp(text: "2024-04-16T06:00:00Z")!, 2: Timestamp(text: "2024-04-12T06:00:00Z")!,
                ]
                try StatementFiles(folder.path).write(issued: closing.kept(), of: month.period, until: until)
                #expect(try text(folder, "statements/C1.json") == month.statements[0].body)
                let page = try text(folder, "statements/C1.html")
                #expect(page.contains("<h1>Preestado de cuenta 2024-03 <small>Pre-statement</small></h1>"))
                #expect(page.contains("puede objetarlo hasta el 2024-04-15 inclusive."))
                #expect(
                    try text(folder, "statements/C2.html").contains("puede objetarlo hasta el 2024-04-11 inclusive."))
                #expect(try text(folder, "statements/C3.html").contains("puede objetarlo."))
                let list = try text(folder, "index.html")
                #expect(list.contains("<title>Preestados de cuenta 2024-03</title>") && list.contains("2024-04-15"))
                #expect(list.contains("href=\"statements/C1.html\"") && !list.contains("como se cerraron"))
                // The close's own pages and list take their place.
                try StatementFiles(folder.path).write(kept: closing.kept(), of: month.period)
                #expect(try text(folder, "index.html").contains("como se cerraron"))
                #expect(try !text(folder, "statements/C1.html").contains("Preestado"))
            }
            try withFolder { folder in
                try StatementFiles(folder.path).write(month, as: .preview(LocalDate(text: "2024-03-15")!))
                #expect(try text(folder, "statements/C1.json") == month.statements[0].body)
                for (name, title) in [
                    ("index.html", "Vista previa del cierre 2024-03"),
                    ("statements/C1.html", "Vista previa del estado de cuenta 2024-03"),
                ] {
                    let page = try text(folder, name)
                    #expect(
                        page.contains("<h1>\(title) <small>")
                            && page.contains("Vista previa al 2024-03-15: el mes no está cerrado"))
                }
                try StatementFiles(folder.path).write(month)
                for name in ["index.html", "statements/C1.html"] {
                    #expect(try !text(folder, name).contains("Vista previa"))
                }
            }
        }
    }

    /// The folder held a close of March, or a preview; what is written into it has no such tables.
    @Test(arguments: [true, false])
    func `a folder keeps no tables of other statements, and what is nobody's of ours stays`(isIssued: Bool) async throws
    {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 8)
            let closing = MonthClosing(link, period: ClosingFixture.period)
            let month = try closing.close().month
            let (kept, april) = (try closing.kept(), ClosingFixture.period.advanced(byMonths: 1))
            let tables = ["summary.json", "fees.csv", "penalties.csv"]
            func names(_ folder: URL) throws -> Set<String> {
                Set(try FileManager.default.contentsOfDirectory(atPath: folder.path))
            }
            try withFolder { folder in
                try StatementFiles(folder.path).write(month)
                // Of that very month they stay.
                try StatementFiles(folder.path).write(kept: kept, of: ClosingFixture.period)
                #expect(try names(folder) == Set(tables + ["index.html", "statements"]))
                if isIssued {
                    try StatementFiles(folder.path).write(issued: kept, of: ClosingFixture.period, until: [:])
                } else {
                    try StatementFiles(folder.path).write(kept: kept, of: april)
                }
                #expect(try names(folder) == ["index.html", "statements"])
            }
            try withFolder { folder in
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
                for name in tables {
                    try Data("{\"format\":\"mine\"}".utf8).write(to: folder.appending(path: name))
                }
                try StatementFiles(folder.path).write(kept: kept, of: april)
                #expect(try names(folder) == Set(tables + ["index.html", "statements"]))
            }
        }
    }

    @Test(arguments: ["", "/below"]) func `a file where the folder is to be is told as such`(below: String) throws {
        try withFolder { folder in
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let file = folder.appending(path: "cut.csv")
            try Data("x".utf8).write(to: file)
            let failure = ClosingStageSite.failure {
                try StatementFiles(file.path + below).write(kept: [], of: ClosingFixture.period)
            }
            #expect(failure.found == "cannot write \(file.path)\(below): it is a file, or lies below one")
            #expect(failure.exit == .environment)
            #expect(try text(folder, "cut.csv") == "x")
        }
    }

    /// A waiver, a credit, a debit, a budget and a limit of penalties in one month.
    private let changes = """
        INSERT INTO fact (period, fact_id, kind, contract_id, delegation_id, on_date, subject, value, import_id)
        VALUES (202403, 'V-9', 'visit', 1, 9, '2024-03-10', 'adviser-absent', 'no', 1);
        INSERT INTO schedule VALUES ('fees', 'fee', '2023-01-01', 'AGY-15', 'budget', '900.00'),
            ('fines', 'penalty', '2023-01-01', 'AMB-15', 'max_total_pct', '40');
        INSERT INTO period VALUES (202402, 'closed', now(), now(), NULL);
        INSERT INTO adjustment (period, about, contract_id, delegation_id, kind, rule, amount, reason, proposed_by, proposed_at,
            decision, decided_by, decided_at)
        VALUES (202403, 202403, 1, 9, 'waiver', 'PEN-03', 123, 'r', 'Ana', now(), 'approved', 'Luis', now()),
            (202403, 202402, 1, 9, 'credit', 'FEE-11', 3100, 'r', 'Ana', now(), 'approved', 'Luis', now()),
            (202403, 202402, 2, NULL, 'debit', 'PEN-03', 77777, 'r', 'Ana', now(), 'approved', 'Luis', now());
        """

    @Test func `the month's page is in Spanish, adds its tables up and tells how penalties divide (PEN-33)`()
        async throws
    {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 8)
            try link.script(changes)
            let summary = try MonthClosing(link, period: ClosingFixture.period).preview().summary
            let page = try StatementPage().html(summary, [], seal: "")
            let totals = summary.tally.totals

            #expect(!summary.notes.isEmpty && summary.warnings == summary.notes.map(\.english))
            for note in summary.notes {
                #expect(
                    page.contains("<p class=\"note\">\(note.spanish)<span class=\"en\" lang=\"en\">\(note.english)"))
            }
            for (columns, total) in [(2, totals.fees), (3, totals.penalties)] {
                #expect(
                    page.contains(
                        "<tfoot><tr><td colspan=\"\(columns)\">Total</td><td class=\"n\">\(grouped(total))</td></tr></tfoot>"
                    )
                )
            }
            let rules = summary.tally.penalties.keys
            #expect(rules.count > 2)
            for rule in rules {
                let percent = try #require(summary.mix.percent(rule))
                #expect(page.contains("<td class=\"n\">\(percent) %</td>"))
                #expect(summary.json.text.contains("\"percent\":\"\(percent)\",\"rule\":\"\(rule.rawValue)\""))
            }
            // On paper a foot stands at the end of its table, not of each page.
            #expect(page.contains("tfoot { display: table-row-group }"))
        }
    }

    @Test func `tables and the month's page add up to the totals, whatever was waived, cut or put right`() async throws
    {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 8)
            try link.script(changes)
            let month = try MonthClosing(link, period: ClosingFixture.period).preview()
            let (tally, totals) = (month.summary.tally, month.summary.tally.totals)
            func sum(_ part: StatementTotals.Part) -> Cents {
                tally.changes.filter { $0.key.part.total == part }.reduce(.zero) { $0 + $1.value.amount }
            }
            #expect(Set(tally.changes.keys) == [.waiver, .credit, .debit, .feeCut, .penaltyCap])
            #expect(tally.services.values.reduce(sum(.fees)) { $0 + $1.amount } == totals.fees)
            #expect(tally.penalties.values.reduce(sum(.penalties)) { $0 + $1.amount } == totals.penalties)
            #expect(tally.changes[.waiver]?.amount.description == "-1.23")
            try withFolder { folder in
                try StatementFiles(folder.path).write(month)
                for (name, total) in [("fees.csv", totals.fees), ("penalties.csv", totals.penalties)] {
                    let rows = try text(folder, name).split(separator: "\r\n").dropFirst().map {
                        $0.split(separator: ",", omittingEmptySubsequences: false)
                    }
                    // Kind is the fifth column and amount the thirteenth.
                    let amounts = try rows.map { row in
                        let amount = try #require(Cents(pesos: row[12]))
                        return try #require(StatementLine.Kind(rawValue: String(row[4]))).part.isLowering
                            ? -amount : amount
                    }
                    #expect(amounts.reduce(Cents.zero) { $0 + $1 } == total)
                }
                let index = try text(folder, "index.html")
                for words in [
                    "condonaciones", "ajustes a favor", "ajustes a cargo", "fuera de presupuesto", "sobre el tope",
                ] {
                    #expect(index.contains(words))
                }
                #expect(try text(folder, "statements/C2.html").contains(grouped(-Cents(777_77))))
                #expect(try text(folder, "statements/C1.html").contains("<td class=\"n\">1.23</td></tr>"))
            }
        }
    }

    /// 60 of 100 pesos against a minimum of 60 is met, of 61 missed.
    @Test(arguments: [("60", "cumplido <small>met"), ("61", "no cumplido <small>missed")])
    func `a statement's page has the goals of its bands`(minimum: String, verdict: String) throws {
        var delegation = DelegationMonth(Delegation.all[13])
        delegation.bands = [
            BandRecovery(band: .days61to90, assigned: Cents(100_00), recovered: Cents(60_00), payments: ["P-1"])
        ]
        func schedule(_ values: [(String, String, String)]) throws -> Schedule {
            Schedule(
                version: ScheduleVersion(name: "s", effectiveOn: try #require(LocalDate(text: "2023-01-01"))),
                values: values.map { ScheduleValue(rule: $0.0, parameter: $0.1, value: $0.2) })
        }
        let month = ContractMonth(
            period: ClosingFixture.period, contract: try #require(ContractID(12)), agency: try #require(AgencyID(7)),
            agencyName: "A", number: "N", tender: "T", delegations: [delegation])
        let statement = try Statement(
            month, tariff: FeeTariff(schedule([("FEE-03", "minimum", minimum), ("FEE-03", "0-100", "6")])),
            terms: PenaltyTerms(schedule([("IVA", "rate", "16")])))
        let document = try StatementDocument(String(decoding: statement.json.bytes, as: UTF8.self))
        let page = try StatementPage().html(document, digest: "")

        #expect(page.contains("<tr><td>FEE-03 61–90</td><td class=\"n\">100.00</td><td class=\"n\">60.00</td>"))
        #expect(page.contains("<td>\(verdict)</small>"))
    }

    @Test func `an export gives the bytes of the close wherever it goes, and every page leads to an index`()
        async throws
    {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 8)
            let closing = MonthClosing(link, period: ClosingFixture.period)
            // What a preview of before showed otherwise.
            try link.script("UPDATE agency SET name = 'Otra' WHERE agency_id = 2")
            let preview = try closing.preview()
            try link.script("UPDATE agency SET name = 'Dos & Hijos <SA>' WHERE agency_id = 2")
            let month = try closing.close().month
            func files(_ folder: URL) throws -> [String: String] {
                let names = try FileManager.default.contentsOfDirectory(
                    atPath: folder.appending(path: "statements").path)
                return try Dictionary(uniqueKeysWithValues: names.map { ($0, try text(folder, "statements/\($0)")) })
            }
            try withFolder { closed in
                try StatementFiles(closed.path).write(preview)
                let stale = try text(closed, "index.html")
                try StatementFiles(closed.path).write(month)
                let before = try files(closed)
                let page = try text(closed, "index.html")
                try withFolder { elsewhere in
                    let count = try StatementFiles(elsewhere.path).write(kept: closing.kept(), of: month.period)
                    #expect(count == before.count + 1)
                    #expect(try files(elsewhere) == before)
                    let list = try text(elsewhere, "index.html")
                    for contract in 1...3 { #expect(list.contains("href=\"statements/C\(contract).html\"")) }
                    #expect(!list.contains("{{") && list.contains("Dos &amp; Hijos &lt;SA&gt;"))
                    // Another month's index is replaced, and that of other statements; this close's stays.
                    for (body, stays) in [
                        (page.replacing("2024-03", with: "2024-02"), false), (page, true), (stale, false),
                    ] {
                        try Data(body.utf8).write(to: elsewhere.appending(path: "index.html"))
                        try StatementFiles(elsewhere.path).write(kept: closing.kept(), of: month.period)
                        #expect(try text(elsewhere, "index.html") == (stays ? page : list))
                    }
                }
                try StatementFiles(closed.path).write(kept: closing.kept(), of: month.period)
                #expect(try files(closed) == before)
                #expect(try text(closed, "index.html") == page)
            }
        }
    }

    @Test func `a probe leaves what was there`() throws {
        try withFolder { folder in
            let manager = FileManager.default
            let out = folder.appending(path: "new/month")
            try StatementFiles(out.path).probe()
            #expect(!manager.fileExists(atPath: folder.path))

            try manager.createDirectory(at: out.appending(path: "statements"), withIntermediateDirectories: true)
            try StatementFiles(out.path).probe()
            #expect(try manager.contentsOfDirectory(atPath: out.path) == ["statements"])
        }
    }

    @Test func `two that write into one new folder at once both succeed`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 8)
            let month = try MonthClosing(link, period: ClosingFixture.period).close().month
            let folder = URL(filePath: "/tmp/close at once \(UInt64.random(in: 0...UInt64.max))")
            defer { try? FileManager.default.removeItem(at: folder) }
            for round in 0..<10 {
                let path = folder.appending(path: "\(round)/month").path
                try await withThrowingTaskGroup(of: Int.self) { group in
                    for writer in 0..<4 {
                        group.addTask {
                            if writer == 0 { try StatementFiles(path).probe() }
                            return try StatementFiles(path).write(month)
                        }
                    }
                    for try await count in group { #expect(count == 13) }
                }
                #expect(try !FileManager.default.contentsOfDirectory(atPath: path).contains(".part"))
            }
        }
    }

    @Test func `a folder that another writes into for long is refused by its name`() throws {
        try withFolder { folder in
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try FileLock.holding(folder: folder.path, waitMax: .zero, make: {}, check: {}) {
                let failure = #expect(throws: CommandFailure.self) {
                    try StatementFiles(folder.path, waitMax: .milliseconds(100)).probe()
                }
                #expect(
                    failure?.found.hasPrefix("another command has been writing its files into \(folder.path)") == true)
            }
            try StatementFiles(folder.path, waitMax: .zero).probe()
        }
    }

    @Test func `an earlier month's statements go, other files stay, and a failure leaves what was there`() async throws
    {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 8)
            let month = try MonthClosing(link, period: ClosingFixture.period).close().month
            try withFolder { folder in
                let statements = folder.appending(path: "statements", directoryHint: .isDirectory)
                try FileManager.default.createDirectory(at: statements, withIntermediateDirectories: true)
                for name in ["C9999.json", "notes.txt"] {
                    try Data("old".utf8).write(to: statements.appending(path: name))
                }
                try FileManager.default.createDirectory(
                    at: folder.appending(path: "index.html", directoryHint: .isDirectory),
                    withIntermediateDirectories: true)
                #expect(throws: CommandFailure.self) { try StatementFiles(folder.path).write(month) }
                #expect(try !FileManager.default.contentsOfDirectory(atPath: folder.path).contains(".part"))
                try FileManager.default.removeItem(at: folder.appending(path: "index.html"))
                try StatementFiles(folder.path).write(month)

                let left = try FileManager.default.contentsOfDirectory(atPath: statements.path)
                #expect(left.contains("notes.txt") && left.contains("C1.json") && !left.contains("C9999.json"))
                #expect(try !FileManager.default.contentsOfDirectory(atPath: folder.path).contains(".part"))
            }
        }
    }

    @Test func `a folder that cannot be written to is the environment's fault`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 9)
            let month = try MonthClosing(link, period: ClosingFixture.period).preview()

            #expect(throws: CommandFailure.self) { try StatementFiles("/proc/nothing").write(month) }
        }
    }

    @Test func `the month's page and its text add up to the cut and carry the same figures`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 8)
            try link.script(
                """
                INSERT INTO policy VALUES ('p', 'p', '1', '2024-01-01', '', '2024-03-01');
                INSERT INTO segmentation VALUES (202403, 'p', '1', 'p', '', 200000, 48211, 12345, '', '2024-03-01');
                """)
            let month = try MonthClosing(link, period: ClosingFixture.period).preview()
            let page = MonthPage(month.summary).lines.joined(separator: "\n")
            try withFolder { folder in
                _ = try StatementFiles(folder.path).write(month)
                let index = try text(folder, "index.html")
                let services = month.summary.tally.services.values.map { grouped($0.amount) }
                for figure in ["200,000", "48,211", "12,345", "139,444"] + services {
                    #expect(index.contains(figure) && page.contains(figure))
                }
                #expect(page.contains("48,211  of the cut; above, with the starts within the month"))
                #expect(index.contains("of the cut, without the starts within the"))
                for warning in month.summary.warnings { #expect(index.contains(warning) && page.contains(warning)) }
            }
        }
    }
}
