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

    /// - Returns: what became of the file; bad rows are no error but a report, whose ``ReviewReport/failure`` says so.
    /// - Throws: ``CommandFailure`` where the file cannot be read, or no period takes reviews.
    package func run(on link: PgLink) throws -> ReviewReport {
        let badRows = BadRowFile(badRowsPath)
        do {
            let report = try link.transaction {
                let report = try load(link, badRows)
                try badRows.finish()
                return report
            }
            if report.bad == 0 { badRows.removeFormer() }
            return report
        } catch let refused as Refused {
            try badRows.finish()
            return ReviewReport(refused: refused.bad, badRows.shown, badRowsPath: badRows.path)
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
        var reader = TableReader(
            .reviews, latestDay: LocalDate(daysSince1970: .max), rowCheck: { ReviewWords.faults($0) })
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
    /// What was taken; `nil` where bad rows kept all of it out.
    package let applied: ReviewStore.Applied?
    /// Rows that were left out.
    package let bad: Int
    package let badRowsPath: String?
    /// The first of them.
    package let badValues: [BadValue]

    init(_ applied: ReviewStore.Applied, bad: Int = 0, badRowsPath: String? = nil) {
        self.applied = applied
        self.bad = bad
        self.badRowsPath = badRowsPath
        self.badValues = []
    }

    init(refused bad: Int, _ badValues: [BadValue], badRowsPath: String) {
        self.applied = nil
        self.bad = bad
        self.badRowsPath = badRowsPath
        self.badValues = badValues
    }

    package var lines: [String] {
        var lines = badValues.map { "line \($0.line), \($0.column) `\($0.value)`: \($0.reason)" }
        if let applied {
            lines.append(
                "reviews: \(grouped(applied.approved)) approved, \(grouped(applied.rejected)) rejected, "
                    + "\(grouped(applied.unchanged)) there already")
        }
        if let badRowsPath { lines.append("left out: \(bad) bad rows, listed in \(badRowsPath)") }
        return lines
    }

    package var json: CanonicalJSON {
        var fields: [String: CanonicalJSON] = [
            "result": .string(applied == nil ? "refused" : "imported"),
            "approved": .number(applied?.approved ?? 0), "rejected": .number(applied?.rejected ?? 0),
            "unchanged": .number(applied?.unchanged ?? 0), "bad": .number(Int64(bad)),
        ]
        if let badRowsPath { fields["badRowsFile"] = .string(badRowsPath) }
        return .object(fields)
    }

    /// Why the command ends with 1; `nil` where all is well.
    package var failure: CommandFailure? {
        guard applied == nil else { return nil }
        return CommandFailure(
            .findings, "bad rows: \(grouped(Int64(bad))); nothing was taken",
            remedy: "Correct what is listed, or take the others with --accept-good.")
    }
}

extension CommandFailure {
    static var noOpenPeriod: CommandFailure {
        CommandFailure(
            .usage, "no period takes reviews: each is closed, or its deadline is over",
            remedy:
                "review.deadline-days sets the deadline; the statements of closed periods stand. A period that a killed close left "
                + "closing is given back with `dispatcherd close --period PERIOD --give-back`.")
    }
}
