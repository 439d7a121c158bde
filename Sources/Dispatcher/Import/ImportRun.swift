// SPDX-License-Identifier: Apache-2.0

package import Assignment
package import PgStore

/// One file on its way into the database: read, checked, staged and applied in one transaction, in constant memory.
package struct ImportRun {
    package let kind: ImportKind
    package let path: String
    package let period: Period
    /// Checks everything and changes nothing.
    package var isDryRun = false
    /// Takes the good rows of a file that has bad ones.
    package var acceptsGood = false
    /// Takes schedules whose new version names fewer rules than the one before it.
    package var acceptsFewerRules = false
    /// Where bad rows are listed; beside the file without one.
    package var badRowsPath: String?

    package init(_ kind: ImportKind, path: String, period: Period) {
        self.kind = kind
        self.path = path
        self.period = period
    }

    /// - Throws: ``CommandFailure`` where nothing of the file can be taken: unreadable, cut off, a wrong header, a
    /// period
    ///   that is not open. Bad rows are no failure but a report.
    package func run(on link: PgLink) throws -> ImportReport {
        Interruption.arm()
        defer { Interruption.disarm() }
        let file = try openInput()
        guard file.sizeBytes > 0 else {
            throw CommandFailure(.findings, "\(file.name) is empty", remedy: "Ask its sender for it again.")
        }
        let (digest, lines) = try file.survey()
        file.rewind()
        let badRows = BadRowFile(listPath)
        do {
            let report = try link.transaction {
                let report = try load(file, digest: digest, lines: lines, badRows: badRows, link)
                // The way to roll back is to throw.
                guard report.result == .imported else { throw Kept(report: report) }
                try badRows.finish()
                Interruption.enter(.committing)
                return report
            }
            Console.committed("\(Console.grouped(report.rowsGood)) rows of \(file.name) are imported")
            if report.rowsBad == 0 { badRows.removeFormer() }
            return report
        } catch let kept as Kept {
            try badRows.finish()
            return kept.report
        } catch let error as PgError {
            throw CommandFailure(error, work: "period \(period) or on the same accounts", left: "nothing was imported")
        }
    }

    private var listPath: String { badRowsPath ?? path + ".bad.csv" }

    /// Opens the file that is read, and makes sure that the list of bad rows cannot be written over it.
    func openInput() throws(CommandFailure) -> InputFile {
        let file = try InputFile(path)
        guard !BadRowFile.paths(listPath).contains(where: file.isAlso) else {
            throw CommandFailure(
                .usage, "the list of bad rows, \(listPath), would be written over the file that is read",
                remedy: "Name another place with --bad-rows.")
        }
        return file
    }

    /// What is to be told although nothing is to be committed.
    private struct Kept: Error { let report: ImportReport }

    private func load(
        _ file: InputFile, digest: [UInt8], lines: Int, badRows: BadRowFile, _ link: PgLink
    ) throws -> ImportReport {
        let store = ImportStore(link, kind: kind, period: period)
        // First, because it locks every open period, and all who do lock them in one order.
        let starts = kind == .starts ? try StartRun(link, period: period) : nil
        let opening = kind == .opening ? try OpeningRun(link, period: period) : nil
        let (state, isNew) = try store.lockPeriod()
        // Before anything is refused: what is loaded already is no change, in whatever state the period is.
        if let former = try store.former(digest: digest) {
            return report(
                .unchanged, file, digest, good: Int(former.rowsGood), bad: Int(former.rowsBad), badRows, [])
        }
        try requireOpen(state, store)
        // In a month without one a stop would overlay nothing: most often another month is meant.
        if kind == .stops { try SegmentationStore(link, period: period).requireCut() }
        try opening?.requireUnplanned()
        let latestDay = min(period.lastDay, try store.today())
        let copy = try store.stage(kind.format.stagedColumns)
        let read = try copyRows(file, latestDay: latestDay, lines: lines, copy, badRows, link)
        guard file.digest == digest else {
            throw CommandFailure(
                .environment, "\(file.name) changed while it was read", remedy: "Import it once it is complete.")
        }
        Interruption.enter(.statement)
        let tactics = kind == .goals || kind == .facts ? try KnownTactics(link, period: period) : nil
        let contradicting = try store.check(
            contractLevelColumns: TableFormat.contractLevel,
            tactics: tactics.map { ImportStore.GoalTactics($0.names, fault: $0.fault) })
        if contradicting > 0 { try listContradictions(store, badRows) }
        let good = read.good - contradicting
        let bad = read.bad + contradicting
        if good == 0 || (bad > 0 && !acceptsGood) {
            return report(.refused, file, digest, good: good, bad: bad, badRows, [])
        }
        let ended = kind == .schedules ? try store.endedRules() : []
        if !acceptsFewerRules { try refuse(ended) }
        let unknown = tactics == nil ? try store.tacticsNamed(limit: Int32(BadRowFile.shownMax)) : []
        let staffed =
            kind == .facts ? try store.staffedBefore(limit: Int32(BadRowFile.shownMax)) : (count: 0, first: [])
        let idle = kind == .facts ? try store.idleGoals(limit: Int32(BadRowFile.shownMax)) : (count: 0, first: [])
        let importID = try store.record(
            fileName: file.name, digest: digest, rowsGood: Int64(good), rowsBad: Int64(bad))
        let started = try starts?.apply(importID: importID, digest: digest)
        let counts =
            try started?.counts ?? opening?.apply(importID: importID)
            ?? store.apply(importID: importID) { endings, now in
                LedgerBlock.seal(endings.map { LedgerRecord.ending($0, period: Period.ofWork(at: now), at: now) })
            }
        try FileRecords.write(kind, import: importID, link)
        var taken = report(isDryRun ? .checked : .imported, file, digest, good: good, bad: bad, badRows, counts)
        taken.warnings = started?.warnings ?? []
        taken.warnings += unknown.map { row in
            BadValue(
                line: row.line, column: row.column, value: row.tactic,
                reason: "\(period) is not segmented yet, so nobody can tell whether its policy has this tactic")
        }
        if staffed.count > 0 {
            taken.counts.append(ImportCount("staffing reports beside one of the same day", staffed.count))
            taken.warnings += staffed.first.map { row in
                BadValue(
                    line: row.line, column: "on_date", value: row.day,
                    reason:
                        "fact \(row.fact) is of the same contract, portfolio and day; from now on this one counts. A correction names "
                        + "in supersedes the fact that it corrects")
            }
        }
        if idle.count > 0 {
            taken.counts.append(ImportCount("goals that ask for nothing", idle.count))
            taken.warnings += idle.first.map { row in
                BadValue(
                    line: row.line, column: row.column, value: row.value,
                    reason: "the goal asks for nothing, so that neither PEN-02 nor PEN-22 judges it")
            }
        }
        if kind == .payments || kind == .stops { try warn(of: store, in: &taken) }
        taken.opensPeriod = isNew
        if !ended.isEmpty {
            taken.counts.append(ImportCount("rules that end", Int64(ended.reduce(0) { $0 + $1.rules.count })))
            taken.warnings += ended.map {
                BadValue(
                    line: $0.line, column: "schedule", value: "\($0.version)",
                    reason:
                        "lacks \($0.rules.joined(separator: ", ")), which \($0.former) has: they count no more from then on"
                )
            }
        }
        return taken
    }

    /// A version replaces the one before it as a whole, and what it leaves out is charged and paid no more: most often rows are missing.
    private func refuse(_ ended: [ImportStore.EndedRules]) throws(CommandFailure) {
        guard !ended.isEmpty else { return }
        let texts = ended.map { "\($0.version) lacks \($0.rules.joined(separator: ", ")), which \($0.former) has" }
        throw CommandFailure(
            .findings, Words.list(texts, shown: 10) + "; nothing was imported",
            remedy: "A version replaces the one before it as a whole: add the rows of these rules, or say with "
                + "--fewer-rules that they end.")
    }

    /// Payments and stops on accounts that no cut has: most often a wrong delegation or a file of another portfolio, sometimes
    /// a feed that is ahead of its cut. Nobody else would say it in time: the close is late for a payment, and whom a stop
    /// misses is collected on.
    private func warn(of store: ImportStore, in report: inout ImportReport) throws {
        let found = try store.rowsOffTheCut(limit: Int32(BadRowFile.shownMax))
        guard found.count > 0 else { return }
        report.counts.append(ImportCount("\(kind.rawValue) on accounts that no cut has there", found.count))
        report.warnings = found.first.map { row in
            BadValue(
                line: row.line, column: "account", value: "\(row.account)",
                reason: row.delegation.map { "the account is in delegation \($0) by the cut" }
                    ?? "the account is in no cut that is loaded")
        }
    }

    private func requireOpen(_ state: String, _ store: ImportStore) throws {
        // Scores are made of a month that is over, and change nothing of it.
        guard state == "open" || kind == .scores else {
            throw CommandFailure(
                .usage, "period \(period) is \(state)",
                remedy: state == "closing"
                    ? "Wait for its close; one that was killed is given back with "
                        + "'dispatcherd close --period \(period) --give-back'."
                    : "Its statements stand; load what came late into a period that is open.")
        }
        guard kind == .cut, let plan = try store.planState() else { return }
        throw CommandFailure(
            .usage,
            "period \(period) has a plan that is \(plan); its accounts are handed out by the cut that is there",
            remedy: "Load changes of single accounts as stops, or the new cut into the next period.")
    }

    /// Streams the good rows into the staging table, and the bad ones into their list.
    private func copyRows(
        _ file: InputFile, latestDay: LocalDate, lines: Int, _ copy: String, _ badRows: BadRowFile, _ link: PgLink
    ) throws -> (good: Int, bad: Int) {
        var reader = TableReader(kind.format, latestDay: latestDay, rowCheck: kind.rowCheck)
        let columns = kind.format.columns.map(\.type.storage)
        let label = "Reading \(file.name)"
        let total = max(lines - 1, 1)
        var bad = 0
        do {
            let good = try link.copyIn(copy) { writer in
                reading: while true {
                    switch try reader.next() {
                    case .row: try write(reader, columns, to: &writer)
                    case .bad(let values):
                        bad += 1
                        try badRows.add(values)
                    case .hungry:
                        try Interruption.check()
                        Console.progress(label, done: reader.rowCount, of: max(total, reader.rowCount))
                        try reader.fill { try file.read(into: $0) }
                    case .end: break reading
                    }
                }
            }
            Console.progress(label, done: reader.rowCount, of: reader.rowCount, isDone: true)
            return (good, bad)
        } catch let unreadable as TableReader.Unreadable {
            throw CommandFailure(
                .findings, "\(file.name), line \(unreadable.line): \(unreadable.reason)", remedy: unreadable.remedy)
        }
    }

    private func write(
        _ row: TableReader, _ columns: [ColumnType.Storage], to writer: inout PgCopyWriter
    ) throws(PgError) {
        // Every plan and every report reads a delegation's accounts; in the order of most files they lie on all pages of the table.
        if kind == .cut {
            try writer.row(
                columns: columns.count + 1, group: Int16(truncatingIfNeeded: row.number(TableFormat.cutDelegation)))
        } else {
            try writer.row(columns: columns.count + 1)
        }
        writer.int32(Int32(clamping: row.line))
        for index in columns.indices {
            if row.isNull(index) {
                writer.null()
                continue
            }
            // Every number is inside its column's range, and the range inside the column's storage.
            switch columns[index] {
            case .int16: writer.int16(Int16(truncatingIfNeeded: row.number(index)))
            case .int32: writer.int32(Int32(truncatingIfNeeded: row.number(index)))
            case .int64: writer.int64(row.number(index))
            case .bool: writer.bool(row.number(index) != 0)
            case .date: writer.date(LocalDate(daysSince1970: Int32(truncatingIfNeeded: row.number(index))))
            case .text: writer.bytes(row.bytes(index))
            }
        }
    }

    private func listContradictions(_ store: ImportStore, _ badRows: BadRowFile) throws {
        let columns = kind.format.columns
        try store.readBad { line, column, value, reason in
            let name = columns.first { $0.sqlName == column }?.name ?? column
            try badRows.add([BadValue(line: line, column: name, value: value, reason: reason)])
        }
    }

    private func report(
        _ result: ImportReport.Result, _ file: InputFile, _ digest: [UInt8], good: Int, bad: Int, _ badRows: BadRowFile,
        _ counts: [ImportCount]
    ) -> ImportReport {
        ImportReport(
            kind: kind, period: period, file: file.name, result: result, digest: digest, rowsGood: good, rowsBad: bad,
            badRowsFile: badRows.valueCount > 0 ? badRows.path : nil, badValues: badRows.shown,
            badValueCount: badRows.valueCount, counts: counts)
    }
}
