// SPDX-License-Identifier: Apache-2.0

package import Assignment
package import PgStore

/// One file of decisions on its way into the database: read, checked and applied in one transaction.
package struct ReviewImport {
    private let path: String
    private let acceptsGood: Bool
    private let badRowsPath: String
    /// Business days behind a month's end in which its reviews count; `nil`: until its close.
    package var deadlineDays: Int?

    /// - Parameters:
    ///   - acceptsGood: takes the good rows of a file that has bad ones.
    ///   - badRowsPath: where bad rows are listed; beside the file without one.
    /// - Throws: ``CommandFailure`` where there is no such file, before a database is looked for.
    package init(_ path: String, acceptsGood: Bool = false, badRowsPath: String? = nil) throws(CommandFailure) {
        _ = try InputFile(path)
        self.path = path
        self.acceptsGood = acceptsGood
        self.badRowsPath = badRowsPath ?? path + ".bad.csv"
    }

    /// What is to be told although nothing is to be committed.
    private struct Refused: Error { let bad: Int }

    /// - Throws: ``CommandFailure`` where nothing of the file was taken.
    package func run(on link: PgLink) throws -> ReviewReport {
        let badRows = BadRowFile(badRowsPath)
        do {
            return try link.transaction {
                let report = try load(link, badRows)
                try badRows.finish()
                return report
            }
        } catch let refused as Refused {
            try badRows.finish()
            for bad in badRows.shown { Console.note("line \(bad.line), \(bad.column) `\(bad.value)`: \(bad.reason)") }
            throw CommandFailure(
                .findings, "\(refused.bad) rows are bad and nothing was taken; all are listed in \(badRows.path)",
                remedy: "Correct them, or take the others with --accept-good.")
        } catch let error as PgError where error.code == "23505" {
            throw CommandFailure(
                .environment, "another review of the same outcomes was committed meanwhile; nothing was taken",
                remedy: "Run the same command again.")
        }
    }

    private func load(_ link: PgLink, _ badRows: BadRowFile) throws -> ReviewReport {
        let store = ReviewStore(link)
        let periods = try store.lockOpenPeriods(deadlineDays: deadlineDays)
        guard !periods.isEmpty else { throw CommandFailure.noOpenPeriod }
        try store.stage()
        var bad = try copyRows(link, badRows)
        try store.check(periods: periods) { fault in
            bad += 1
            try badRows.add([
                BadValue(line: Int(fault.line), column: fault.column, value: fault.value, reason: fault.reason)
            ])
        }
        guard bad == 0 || acceptsGood else { throw Refused(bad: bad) }
        let applied = try store.apply { try link.insertBlocks(LedgerBlock.seal($0.map(LedgerRecord.review))) }
        return ReviewReport(applied, bad: bad, badRowsPath: bad > 0 ? badRows.path : nil)
    }

    /// - Returns: how many rows are bad by themselves.
    private func copyRows(_ link: PgLink, _ badRows: BadRowFile) throws -> Int {
        let file = try InputFile(path)
        var reader = TableReader(.reviews, latestDay: LocalDate(daysSince1970: .max))
        var bad = 0
        do {
            try link.copyIn(ReviewStore.stageSQL) { writer in
                reading: while true {
                    switch try reader.next() {
                    case .row:
                        try writer.row(columns: 6)
                        writer.int32(Int32(clamping: reader.line))
                        writer.int16(Int16(truncatingIfNeeded: reader.number("delegation")))
                        writer.int64(reader.number("outcome"))
                        for column in ["decision", "reason", "reviewer"] {
                            writer.text(reader.text(named: column) ?? "")
                        }
                    case .bad(let values):
                        bad += 1
                        try badRows.add(values)
                    case .hungry: try reader.fill { try file.read(into: $0) }
                    case .end: break reading
                    }
                }
            }
        } catch let unreadable as TableReader.Unreadable {
            throw CommandFailure(
                .findings, "\(file.name), line \(unreadable.line): \(unreadable.reason)", remedy: unreadable.remedy)
        }
        return bad
    }
}

/// What became of a set of decisions.
package struct ReviewReport: Sendable {
    package let applied: ReviewStore.Applied
    /// Rows that were left out.
    package let bad: Int
    package let badRowsPath: String?

    init(_ applied: ReviewStore.Applied, bad: Int = 0, badRowsPath: String? = nil) {
        self.applied = applied
        self.bad = bad
        self.badRowsPath = badRowsPath
    }

    package var lines: [String] {
        var lines = [
            "reviews: \(grouped(applied.approved)) approved, \(grouped(applied.rejected)) rejected, "
                + "\(grouped(applied.unchanged)) there already"
        ]
        if let badRowsPath { lines.append("left out: \(bad) bad rows, listed in \(badRowsPath)") }
        return lines
    }

    package var json: CanonicalJSON {
        .object([
            "approved": .number(applied.approved), "rejected": .number(applied.rejected),
            "unchanged": .number(applied.unchanged), "bad": .number(Int64(bad)),
        ])
    }
}

extension CommandFailure {
    static var noOpenPeriod: CommandFailure {
        CommandFailure(
            .usage, "no period takes reviews: each is closed, or its deadline is over",
            remedy: "review.deadline-days sets the deadline; the statements of closed periods stand.")
    }
}
