// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
import FoundationEssentials
import Glibc
import PgStore
import Testing

struct CutImportTests {
    private static let two: [[String: String]] = [["account": "1"], ["account": "2", "balance": "0.07"]]

    @Test func `a cut becomes the period's partition with its codes and units`() async throws {
        try await ImportSite.with { site in
            let report = try site.load(.cut, CutText.file(Self.two))
            let row = try #require(
                try site.link.run(
                    """
                    SELECT period, line, balance, regime, instalment_drop_bp, lawsuit_on, has_phone, reference
                    FROM account WHERE delegation_id = 14 AND account_id = 2
                    """
                ).first)

            #expect(report.result == .imported)
            #expect(report.rowsGood == 2)
            #expect(row.int32(0) == 202_403)
            #expect(row.int32(1) == 3)
            #expect(row.int64(2) == 7)
            #expect(row.int16(3) == 1)
            #expect(row.int32(4) == 5_250)
            #expect(row.isNull(5))
            #expect(row.bool(6))
            #expect(row.text(7) == "19000123450")
        }
    }

    @Test
    func `months in arrears are the unpaid instalments, unless the cut has a column of its own for them (AMB-20)`()
        async throws
    {
        try await ImportSite.with { site in
            func arrears(_ columns: [ColumnFormat], unpaid: String, arrears: String) throws -> [Int16] {
                let row = columns.map { ["unpaid": unpaid, "arrears": arrears][$0.name] ?? $0.example }
                try site.load(
                    .cut, columns.map(\.name).joined(separator: ",") + "\n" + row.joined(separator: ",") + "\n")
                return try site.link.run("SELECT unpaid, arrears FROM account").flatMap { [$0.int16(0), $0.int16(1)] }
            }
            let both = TableFormat.cut.columns
            let one = both.filter { $0.name != "arrears" }

            #expect(try arrears(both, unpaid: "7", arrears: "4") == [7, 4])
            #expect(try arrears(one, unpaid: "7", arrears: "") == [7, 7])
            #expect(try arrears(one, unpaid: "0", arrears: "") == [0, 0])
            let failure = try site.refusal(
                .cut, both.filter { $0.name != "unpaid" }.map(\.name).joined(separator: ",") + "\n")
            #expect(failure.found.contains("missing: `unpaid`"))
        }
    }

    @Test func `a cut without the columns that came later is taken, each with what it then counts as`() async throws {
        try await ImportSite.with { site in
            let old = TableFormat.cut.columns.filter { $0.leftOut == .refused || $0.name == "arrears" }
            let header = old.map(\.name).joined(separator: ",")
            let row = old.map(\.example).joined(separator: ",")
            try site.load(.cut, "\(header),pension_enrolments\n\(row),2\n")
            let found = try #require(
                try site.link.run(
                    """
                    SELECT continuous_payments, paid_4m_bp, opened_on, affiliated_employer, pension_enrolments,
                           reference
                    FROM account
                    """
                ).first)

            #expect(found.int16(0) == 0)
            #expect(found.int32(1) == 10_000)
            #expect(found.isNull(2))
            #expect(!found.bool(3))
            #expect(found.int16(4) == 2)
            #expect(found.text(5) == "19000123450")
        }
    }

    @Test func `a misspelt name of a column that may be left out is still refused`() async throws {
        try await ImportSite.with { site in
            let text = CutText.file(Self.two).replacing("fpp_months", with: "fpp_month", maxReplacements: 1)
            let failure = try site.refusal(.cut, text)

            #expect(
                failure.found
                    == "cut.csv, line 1: the header is wrong: `fpp_month` is unknown (did you mean `fpp_months`?)")
        }
    }

    @Test func `the same file again changes nothing and says so`() async throws {
        try await ImportSite.with { site in
            try site.load(.cut, CutText.file(Self.two))
            let again = try site.load(.cut, CutText.file(Self.two))

            #expect(again.result == .unchanged)
            #expect(again.rowsGood == 2)
            #expect(try site.count("import") == 1)
        }
    }

    @Test func `a later cut replaces the former one, and the former can come back`() async throws {
        try await ImportSite.with { site in
            try site.load(.cut, CutText.file(Self.two))
            try site.load(.cut, CutText.file([["account": "3"]]))
            #expect(try site.count("account") == 1)
            let back = try site.load(.cut, CutText.file(Self.two))

            #expect(back.result == .imported)
            #expect(try site.count("account") == 2)
        }
    }

    @Test func `periods do not touch each other`() async throws {
        try await ImportSite.with { site in
            try site.load(.cut, CutText.file(Self.two))
            try site.load(
                .cut, CutText.file([["account": "1", "last_payment_on": "2024-01-29", "job_lost_on": ""]]),
                period: ImportSite.march.advanced(byMonths: -1))

            #expect(try site.count("account WHERE period = 202403") == 2)
            #expect(try site.count("account WHERE period = 202402") == 1)
        }
    }

    @Test func `a bad row keeps the whole file out and is listed with line, column, value and reason`() async throws {
        try await ImportSite.with { site in
            let report = try site.load(.cut, CutText.file(Self.two + [["account": "3", "balance": "-1"]]))

            #expect(report.result == .refused)
            #expect(report.failure?.exit == .findings)
            #expect(
                report.failure?.found == "bad rows: 1 of 3; nothing was imported")
            #expect(
                try site.badRows(.cut)
                    == "line,column,value,reason\n"
                    + "4,balance,-1,\"is negative; it must be 0.00 to 99999999999.99, two decimals at most\"\n"
            )
            #expect(try site.count("account") == 0)
            #expect(try site.count("period") == 0)
        }
    }

    @Test func `the good rows are taken when asked for`() async throws {
        try await ImportSite.with { site in
            let report = try site.load(.cut, CutText.file(Self.two + [["account": "x"]]), acceptsGood: true)

            #expect(report.result == .imported)
            #expect(report.rowsBad == 1)
            #expect(try site.count("account") == 2)
            #expect(try site.count("import WHERE rows_good = 2 AND rows_bad = 1") == 1)
        }
    }

    @Test func `a duplicate account is found over all delegations, with both lines`() async throws {
        try await ImportSite.with { site in
            let double = ["account": "1", "delegation": "9", "municipality": "09002"]
            let report = try site.load(.cut, CutText.file(Self.two + [double]))

            #expect(report.badValues.map(\.line) == [2, 4])
            #expect(
                report.badValues.map(\.reason) == [
                    "the same account is in line 4 too", "the same account is in line 2 too",
                ])
            #expect(report.badValues.map(\.value) == ["1", "1"])
        }
    }

    @Test func `of duplicates none is taken`() async throws {
        try await ImportSite.with { site in
            let report = try site.load(
                .cut, CutText.file(Self.two + [["account": "1"], ["account": "1"]]), acceptsGood: true)

            #expect(report.rowsGood == 1)
            #expect(report.badValues.first?.reason == "the same account is in line 5 too, 3 times in all")
            #expect(try site.count("account WHERE account_id = 1") == 0)
        }
    }

    @Test func `a dry run checks all and changes nothing`() async throws {
        try await ImportSite.with { site in
            let good = try site.load(.cut, CutText.file(Self.two), dryRun: true)
            let double = try site.load(.cut, CutText.file(Self.two + Self.two), dryRun: true)

            #expect(good.result == .checked)
            #expect(double.result == .refused)
            #expect(try site.count("account") == 0)
            #expect(try site.count("import") == 0)
            #expect(try site.count("pg_class WHERE relname LIKE 'account\\_2%'") == 0)
        }
    }

    @Test func `a new cut drops the segmentation of the former one`() async throws {
        try await ImportSite.with { site in
            try site.load(.cut, CutText.file(Self.two))
            try site.link.script(
                """
                CREATE TABLE placement_202403 PARTITION OF placement FOR VALUES IN (202403);
                INSERT INTO placement VALUES (202403, 14, 1, 2, 'rest', 2, 1, 'SEG-02', NULL);
                INSERT INTO policy VALUES ('\\x01', 'p', '1', '2024-01-01', 'body', now());
                INSERT INTO segmentation VALUES (202403, 'p', '1', '\\x01', '\\x', 2, 2, 0, '\\x', now());
                """)
            let report = try site.load(.cut, CutText.file([["account": "3"]]))

            #expect(report.lines.contains("  segmentations of the former cut dropped: 1"))
            #expect(try site.count("placement") == 0)
            #expect(try site.count("segmentation") == 0)
        }
    }

    @Test(arguments: ["applied", "dealing"]) func `a period whose plan is out keeps its cut`(state: String) async throws
    {
        try await ImportSite.with { site in
            try site.load(.cut, CutText.file(Self.two))
            try site.link.script(
                """
                INSERT INTO plan (period, state, seed, segmentation_digest, digest, made_at)
                VALUES (202403, '\(state)', 1, '\\x', '\\x', now())
                """)
            let failure = try site.refusal(.cut, CutText.file([["account": "3"]]))

            #expect(failure.exit == .usage)
            #expect(
                failure.found
                    == "period 2024-03 has a plan that is \(state); "
                    + "its accounts are handed out by the cut that is there"
            )
            #expect(try site.count("account") == 2)
            #expect(try site.load(.cut, CutText.file(Self.two)).result == .unchanged)
        }
    }

    @Test func `good rows are not taken where the bad ones cannot be listed`() async throws {
        try await ImportSite.with { site in
            try site.write(.cut, CutText.file([["account": "1"], ["account": "2", "balance": "-1"]]))
            var run = ImportRun(.cut, path: site.path(.cut), period: ImportSite.march)
            run.acceptsGood = true
            run.badRowsPath = site.folder
            let failure = #expect(throws: CommandFailure.self) { try run.run(on: site.link) }

            #expect(failure?.exit == .environment)
            #expect(try site.count("account") == 0)
        }
    }

    @Test(arguments: ["closed", "closing"]) func `a period that is not open takes nothing`(state: String) async throws {
        try await ImportSite.with { site in
            try site.link.script("INSERT INTO period VALUES (202403, '\(state)', now(), now())")
            let failure = try site.refusal(.cut, CutText.file(Self.two))

            #expect(failure.exit == .usage)
            #expect(failure.found == "period 2024-03 is \(state)")
        }
    }

    @Test func `a day after today lies in the future even inside the period`() async throws {
        try await ImportSite.with { site in
            try site.link.script("UPDATE clock SET virtual_now = '2024-03-10T06:00:00Z'")
            let report = try site.load(.cut, CutText.file([["last_payment_on": "2024-03-11"]]))

            #expect(report.badValues.map(\.reason) == ["lies in the future; the latest day is 2024-03-10"])
        }
    }

    @Test func `a file cut off in the middle leaves nothing behind`() async throws {
        try await ImportSite.with { site in
            let whole = CutText.file(Self.two)
            let failure = try site.refusal(.cut, String(whole.dropLast(60)))

            #expect(failure.exit == .findings)
            #expect(failure.found.hasPrefix("cut.csv, line 3: the file is cut off: the row has"))
            #expect(try site.count("period") == 0)
            #expect(try site.load(.cut, whole).result == .imported)
        }
    }

    @Test func `a wrong header names what is missing and what was meant`() async throws {
        try await ImportSite.with { site in
            let text = CutText.file(Self.two).split(separator: "balance", maxSplits: 1).joined(separator: "balence")
            let failure = try site.refusal(.cut, text)

            #expect(
                failure.found
                    == "cut.csv, line 1: the header is wrong: `balence` is unknown (did you mean `balance`?); "
                    + "missing: `balance`"
            )
        }
    }

    @Test func `what is no file of rows says so`() async throws {
        try await ImportSite.with { site in
            let none = try #require(throws: CommandFailure.self) {
                try ImportRun(.cut, path: "\(site.folder)/none.csv", period: ImportSite.march).run(on: site.link)
            }
            let folder = try #require(throws: CommandFailure.self) {
                try ImportRun(.cut, path: site.folder, period: ImportSite.march).run(on: site.link)
            }
            mkfifo("\(site.folder)/pipe", 0o600)
            let pipe = try #require(throws: CommandFailure.self) {
                try ImportRun(.cut, path: "\(site.folder)/pipe", period: ImportSite.march).run(on: site.link)
            }
            let empty = try site.refusal(.cut, "")

            #expect(none.exit == .usage)
            #expect(none.found == "there is no file \(site.folder)/none.csv")
            #expect(folder.exit == .usage)
            #expect(folder.found == "\(site.folder) is a folder")
            #expect(pipe.found == "\(site.folder)/pipe is no regular file")
            #expect(empty.exit == .findings)
            #expect(empty.found == "cut.csv is empty")
        }
    }

    @Test func `a list of bad rows that cannot be written stops the import`() async throws {
        try await ImportSite.with { site in
            try site.write(.cut, CutText.file([["account": "x"]]))
            var run = ImportRun(.cut, path: site.path(.cut), period: ImportSite.march)
            run.badRowsPath = "\(site.folder)/no/such/list.csv"
            let failure = try #require(throws: CommandFailure.self) { try run.run(on: site.link) }

            #expect(failure.exit == .environment)
            #expect(failure.found.contains("the list of bad rows cannot be written"))
        }
    }

    @Test(arguments: ["cut.csv", "./cut.csv", "soft.csv", "hard.csv", "part"])
    func `the list of bad rows is not written over the file`(name: String) async throws {
        try await ImportSite.with { site in
            let text = CutText.file([["account": "x"]])
            try site.write(.cut, text)
            #expect(symlink(site.path(.cut), "\(site.folder)/soft.csv") == 0)
            #expect(link(site.path(.cut), "\(site.folder)/hard.csv") == 0)
            #expect(link(site.path(.cut), "\(site.folder)/part.part") == 0)
            var run = ImportRun(.cut, path: site.path(.cut), period: ImportSite.march)
            run.badRowsPath = "\(site.folder)/\(name)"
            let failure = try #require(throws: CommandFailure.self) { try run.run(on: site.link) }
            let asked = try #require(throws: CommandFailure.self) {
                try ImportRequest(
                    kind: "cut", file: site.path(.cut), period: "2024-03", isDryRun: false, acceptsGood: false,
                    badRowsPath: "\(site.folder)/\(name)")
            }

            #expect(failure.exit == .usage)
            #expect(asked.exit == .usage)
            #expect(try String(contentsOf: URL(filePath: site.path(.cut)), encoding: .utf8) == text)
        }
    }

    @Test func `more rows than one buffer holds come in whole`() async throws {
        try await ImportSite.with { site in
            let rows = (1...3_000).map { ["account": "\($0)"] }
            let report = try site.load(.cut, CutText.file(rows))

            #expect(report.rowsGood == 3_000)
            #expect(try site.count("account WHERE line = account_id + 1") == 3_000)
        }
    }

    @Test func `the report is the same for programs`() async throws {
        try await ImportSite.with { site in
            let json = try site.load(.cut, CutText.file(Self.two)).json()

            #expect(json.contains("\"rowsGood\" : 2"))
            #expect(json.contains("\"result\" : \"imported\""))
        }
    }
}
