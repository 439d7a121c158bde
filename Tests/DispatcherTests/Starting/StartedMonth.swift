// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
import FoundationEssentials
import PgStore
import TestSupport
import Testing

/// A planned March in a database of its own with its plan applied, on the twelfth, and a folder for files.
///
/// Accounts are numbered delegation × 100000 + n; n arrears of 0 to 13 in turn (see ``PlannedMonth/addCut``). The
/// preventive ones are dealt to contract 4 alone, and every quota is dealt to its last account.
struct StartedMonth {
    let database: TestDatabase
    let month: PlannedMonth
    let folder: String
    var link: PgLink { month.link }

    static let header = "account,delegation,reason,on_date"

    static func with(accounts: Int32 = 420, applied: Bool = true, _ body: (StartedMonth) async throws -> Void)
        async throws
    {
        let policy = try ShippedPolicy.infonavit()
        try await TestDatabase.with { database in
            let month = PlannedMonth(link: try database.link(), policy: policy)
            try month.openPeriod(PlannedMonth.march)
            try month.addContracts()
            try month.addCut(count: accounts)
            try month.segment()
            if applied { _ = try month.plan().apply() }
            try month.link.script("UPDATE clock SET virtual_now = '2024-03-12T15:00:00Z'")
            let folder = FileManager.default.temporaryDirectory.path() + "/starts-\(UInt64.random(in: 0...UInt64.max))"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: folder) }
            try await body(StartedMonth(database: database, month: month, folder: folder))
        }
    }

    @discardableResult
    func load(
        _ kind: ImportKind, _ text: String, dryRun: Bool = false, on other: PgLink? = nil
    ) throws -> ImportReport {
        let path = "\(folder)/\(kind.rawValue)-\(UInt64.random(in: 0...UInt64.max)).csv"
        try Data(text.utf8).write(to: URL(filePath: path))
        var run = ImportRun(kind, path: path, period: PlannedMonth.march)
        run.isDryRun = dryRun
        return try run.run(on: other ?? link)
    }

    /// Loads rows of account, delegation, reason and day.
    @discardableResult
    func start(_ rows: String..., columns: String = "") throws -> ImportReport {
        try load(.starts, Self.header + columns + "\n" + rows.joined(separator: "\n") + "\n")
    }

    @discardableResult
    func stop(_ rows: String...) throws -> ImportReport {
        try load(
            .stops, "account,delegation,municipality,reason,from_on,until_on\n" + rows.joined(separator: "\n") + "\n")
    }

    /// Makes room in a pool by taking accounts back that only wait in their hands, the last ones first.
    func makeRoom(_ count: Int, strategy: Int = 1, delegation: Int = 9) throws {
        for _ in 0..<count {
            let account = try number(
                """
                SELECT p.account_id FROM position p JOIN hand h USING (delegation_id, hand_id)
                 WHERE p.delegation_id = \(delegation) AND h.strategy = \(strategy) AND NOT h.is_front
                   AND NOT EXISTS (SELECT FROM ending e WHERE e.account_id = p.account_id AND e.epoch = p.epoch)
                 ORDER BY p.position DESC, p.account_id LIMIT 1
                """)
            try stop("\(account),\(delegation),,payoff,2024-03-10,")
        }
    }

    func count(_ sql: String) throws -> Int64 { try number("SELECT count(*) FROM \(sql)") }
    func number(_ sql: String) throws -> Int64 { try link.run(sql).first?.int64(0) ?? -1 }
    func text(_ sql: String) throws -> String { try link.run(sql).first?.optionalText(0) ?? "" }

    func fate(_ account: Int64) throws -> String {
        try text("SELECT fate FROM start WHERE account_id = \(account) ORDER BY start_id DESC LIMIT 1")
    }

    func ledger() throws -> String {
        try link.run("SELECT records FROM block ORDER BY transaction, block_id").map {
            LedgerBlock.unpack($0.bytes(0)).map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\n")
        }.joined(separator: "\n")
    }
}

extension ImportReport {
    func count(_ label: String) -> Int64? { counts.first { $0.label == label }?.count }
}
