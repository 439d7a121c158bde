// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
import FoundationEssentials
import Glibc
import PgStore
import TestSupport
import Testing

/// A database and a folder for the files of one test. Its clock stands at the end of March 2024.
struct ImportSite {
    static let march = Period(text: "2024-03") ?? Period(monthsSinceYear0: 0)
    let link: PgLink
    let folder: String

    static func with(_ body: (ImportSite) throws -> Void) async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try link.script("UPDATE clock SET virtual_now = '2024-04-01T05:00:00Z'")
            let folder = FileManager.default.temporaryDirectory.path() + "/import-\(UInt64.random(in: 0...UInt64.max))"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: folder) }
            try body(ImportSite(link: link, folder: folder))
        }
    }

    func path(_ kind: ImportKind) -> String { "\(folder)/\(kind.rawValue).csv" }

    func write(_ kind: ImportKind, _ text: String) throws { try Data(text.utf8).write(to: URL(filePath: path(kind))) }

    /// Imports `text` as a file of that kind.
    @discardableResult
    func load(
        _ kind: ImportKind, _ text: String, period: Period = march, dryRun: Bool = false, acceptsGood: Bool = false,
        acceptsFewerRules: Bool = false
    ) throws -> ImportReport {
        try write(kind, text)
        var run = ImportRun(kind, path: path(kind), period: period)
        run.isDryRun = dryRun
        run.acceptsGood = acceptsGood
        run.acceptsFewerRules = acceptsFewerRules
        return try run.run(on: link)
    }

    /// Imports what is expected to be refused as a whole.
    func refusal(_ kind: ImportKind, _ text: String, period: Period = march) throws -> CommandFailure {
        try #require(throws: CommandFailure.self) { try load(kind, text, period: period) }
    }

    func badRows(_ kind: ImportKind) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: path(kind) + ".bad.csv")), as: UTF8.self)
    }

    func count(_ sql: String) throws -> Int64 { try link.run("SELECT count(*) FROM \(sql)").first?.int64(0) ?? -1 }

    /// A cut of one account in delegation 1, as if it had been imported: nothing else is recorded of it.
    func addCutOfOne() throws {
        try link.script(
            """
            INSERT INTO period (period, opened_at) VALUES (202403, now_instant()) ON CONFLICT DO NOTHING;
            INSERT INTO import (kind, period, file_name, digest, rows_good, rows_bad, imported_at)
            VALUES ('cut', 202403, 'cut.csv', '\\x00', 1, 0, now_instant());
            CREATE TABLE account_202403 (LIKE account INCLUDING ALL);
            ALTER TABLE account_202403 ADD PRIMARY KEY (delegation_id, account_id);
            ALTER TABLE account ATTACH PARTITION account_202403 FOR VALUES IN (202403);
            INSERT INTO account
            SELECT 202403, 1, 1, 1, 1001, NULL, 2, 1, 1, 1, 1, 45000000, 32900000, 330000, 0, 0, 0, 0, NULL, 0, NULL, NULL, NULL,
                   NULL, 0, 0, false, NULL, false, NULL, NULL, false, 6000, false, 1000, false, true, true, true, 'R1'
            """)
    }

    /// Zones 9 and 10, one schedule of each kind, and contract 31 of ACE07 in delegations 14 and 15.
    func seedContracts() throws {
        try load(.zones, "zone,delegation\n9,14\n9,15\n10,9\n")
        try load(.schedules, ScheduleText.file())
        try load(
            .contracts,
            ContractText.file(["14", "15"].map { ["delegation": $0, "strategies": "dual;administrative"] }))
    }
}

enum ScheduleText {
    /// A whole version of the penalties: one rule with both of its values, and IVA.
    static func penalties(_ day: String) -> String {
        [("PEN-02", "rate", "5"), ("PEN-02", "threshold", "80"), ("IVA", "rate", "16")]
            .map { "penalties-248-2022,penalty,\(day),\($0.0),\($0.1),\($0.2)\n" }.joined()
    }
    static let header = "schedule,kind,effective_on,rule,parameter,value\n"
    static func file(_ rows: String = "") -> String {
        header + "fees-2022,fee,2022-11-01,FEE-11,administrative.phone,12.50\n"
            + penalties("2022-11-01") + rows
    }
}

/// Files of contracts and facts: the examples of the formats, with what a test changes.
enum ContractText {
    static func file(_ rows: [[String: String]]) -> String { ExampleText.file(.contracts, rows) }
}

enum ExampleText {
    static func file(_ format: TableFormat, _ rows: [[String: String]]) -> String {
        let header = format.columns.map(\.name).joined(separator: ",")
        let lines = rows.map { changes in
            format.columns.map { changes[$0.name] ?? $0.example }.joined(separator: ",")
        }
        return ([header] + lines).joined(separator: "\n") + "\n"
    }
}
