// SPDX-License-Identifier: Apache-2.0

package import Assignment
internal import FoundationEssentials
internal import Glibc
package import PgStore

/// Writes a month's files into a folder: each statement as JSON, CSV and page, and the month's page and tables.
///
/// All are written into a folder of a passing name first, and moved when they are whole, the month's page last: what stops it on
/// the way leaves what was there before. Who writes holds the folder's lock: two at once write one after the other.
package struct StatementFiles {
    private let folder: URL
    private let waitMax: Duration
    private var passing: URL { folder.appending(path: ".part", directoryHint: .isDirectory) }
    private static let statements = "statements"
    private static let month = "index.html"

    /// - Parameters:
    ///   - path: is made where it does not exist.
    ///   - waitMax: how long another may write there before we give up.
    package init(_ path: String, waitMax: Duration = .seconds(60)) {
        folder = URL(filePath: path, directoryHint: .isDirectory)
        self.waitMax = waitMax
    }

    /// Makes the folders and writes a file there, so that a close that could not leave its files is not begun. Leaves what was
    /// there: the close may be refused yet.
    package func probe() throws {
        let missing = missingFolders()
        do {
            try locked {
                defer { for folder in missing { rmdir(folder) } }
                do {
                    try makeFolders()
                    try write("probe", "probe")
                    try remove(passing)
                } catch {
                    try? remove(passing)
                    throw error
                }
            }
        } catch let failure as CommandFailure {
            throw CommandFailure(.environment, "\(failure.found); nothing was closed", remedy: failure.remedy)
        }
    }

    /// The folders on the way to the statements that do not exist, the deepest first.
    private func missingFolders() -> [String] {
        var missing: [String] = []
        var place = folder.appending(path: Self.statements, directoryHint: .isDirectory)
        var status = stat()
        while lstat(place.path, &status) != 0, place.path != "/", place.path.split(separator: "/").count > 0 {
            missing.append(place.path)
            place.deleteLastPathComponent()
        }
        return missing
    }

    /// - Parameter stage: what the pages say that their figures are worth.
    /// - Returns: how many files were written.
    @discardableResult
    package func write(_ month: ClosedMonth, as stage: PageStage = .closed) throws -> Int {
        try replacing { names in
            let documents = try write(month.statements, names: &names) { _ in stage }
            // Every line that its total is made of: what a limit or a person took off, too.
            for (name, part) in [("fees.csv", StatementTotals.Part.fees), ("penalties.csv", .penalties)] {
                let rows = documents.flatMap { document in
                    StatementTable.rows(document) { StatementLine.Kind(rawValue: $0.kind)?.part.total == part }
                }
                try write(name, StatementTable.text(rows), names: &names)
            }
            try write("summary.json", month.summary.json.text, names: &names)
            let page = try StatementPage().html(
                month.summary, documents, seal: Self.seal(month.statements), stage: stage)
            try write(Self.month, page, names: &names)
            return true
        }
    }

    /// Only the statements of a closed month, byte for byte as the close wrote them. Their pages lead to the month's page: where the
    /// folder has none of that month with those very statements (a preview may have left one with others), a list of the statements is written in its place.
    @discardableResult
    package func write(kept statements: [PeriodStore.StoredStatement], of period: Period) throws -> Int {
        try replacing { names in
            let page = try? String(contentsOf: folder.appending(path: Self.month), encoding: .utf8)
            let marks = [
                StatementTemplates.title(period.description), StatementTemplates.seal(Self.seal(statements)),
            ]
            let hasMonth = page.map { page in marks.allSatisfy { page.contains($0) } } ?? false
            let documents = try write(statements, names: &names) { _ in .closed }
            if !hasMonth { try write(Self.month, StatementPage().html(documents, of: period), names: &names) }
            return hasMonth
        }
    }

    /// What tells a month's statements from any others: the SHA-256 of their digests.
    private static func seal(_ statements: [PeriodStore.StoredStatement]) -> String {
        let lines = statements.sorted { $0.contract < $1.contract }
            .map { "\($0.contract) \(LedgerTree.hex($0.digest))\n" }
        return LedgerTree.hex(LedgerTree.hash(Array(lines.joined().utf8), []))
    }

    /// Pre-statements, and a list of them: there is no month's page yet.
    ///
    /// - Parameter until: by contract, until when its agency may object.
    @discardableResult
    package func write(
        issued statements: [PeriodStore.StoredStatement], of period: Period, until: [Int32: Timestamp]
    ) throws -> Int {
        try replacing { names in
            let documents = try write(statements, names: &names) { .issued(until: until[$0.contract]) }
            let list = PageStage.issued(until: until.values.max())
            try write(Self.month, StatementPage().html(documents, of: period, stage: list), names: &names)
            return false
        }
    }

    private func write(
        _ statements: [PeriodStore.StoredStatement], names: inout [String],
        stage: (PeriodStore.StoredStatement) -> PageStage
    ) throws -> [StatementDocument] {
        let page = try StatementPage()
        return try statements.map { statement in
            try Interruption.check("the files are not there yet")
            let document = try StatementDocument(statement.body)
            let name = "\(Self.statements)/C\(statement.contract)"
            let digest = statement.digest.map { $0 < 16 ? "0" + String($0, radix: 16) : String($0, radix: 16) }.joined()
            try write(name + ".json", statement.body, names: &names)
            try write(name + ".csv", StatementTable.text(StatementTable.rows(document) { _ in true }), names: &names)
            try write(
                name + ".html", page.html(document, digest: digest, stage: stage(statement)), names: &names)
            return document
        }
    }

    // MARK: - Whole or not at all

    /// - Parameter body: writes the files, and tells whether the tables of the month's page stay.
    private func replacing(_ body: (inout [String]) throws -> Bool) throws -> Int {
        Interruption.arm()
        defer { Interruption.disarm() }
        Interruption.enter(.writing)
        return try locked {
            var names: [String] = []
            do {
                try makeFolders()
                let keepsTables = try body(&names)
                // Before the statements come: what stops us between leaves none of them beside tables of another month.
                if !keepsTables { try removeTables() }
                for name in names { try move(name) }
                try removeOthers(than: Set(names))
            } catch {
                try? remove(passing)
                throw error
            }
            try remove(passing)
            return names.count
        }
    }

    private func locked<R>(_ work: () throws -> R) throws -> R {
        try FileLock.holding(
            folder: folder.path, waitMax: waitMax, make: { try make(folder) },
            check: { try Interruption.check("the files are not there yet") }, work)
    }

    /// The folder, and an empty one of the passing name: what a killed run left there is removed.
    private func makeFolders() throws {
        try remove(passing)
        for parent in [folder, passing] {
            try make(parent.appending(path: Self.statements, directoryHint: .isDirectory))
        }
    }

    private func make(_ place: URL) throws {
        do {
            try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        } catch {
            let reason = errno
            throw Self.isBelowFile(place)
                ? CommandFailure(
                    .environment, "cannot write \(place.path): it is a file, or lies below one",
                    remedy: "Give a folder, or a name that is not there yet.")
                : failure(place.path, reason)
        }
    }

    /// Foundation finds by itself that a file stands where a folder is to be, and then `errno` is of no call that failed.
    private static func isBelowFile(_ place: URL) -> Bool {
        var (place, status) = (place, stat())
        while stat(place.path, &status) != 0 {
            guard place.pathComponents.count > 1 else { return false }
            place.deleteLastPathComponent()
        }
        return status.st_mode & S_IFMT != S_IFDIR
    }

    private func write(_ name: String, _ text: String, names: inout [String]) throws {
        try write(name, text)
        names.append(name)
    }

    private func write(_ name: String, _ text: String) throws {
        let path = passing.appending(path: name).path
        guard let file = fopen(path, "w") else { throw failure(path, errno) }
        let isWritten = Array(text.utf8).withUnsafeBufferPointer {
            fwrite($0.baseAddress, 1, $0.count, file) == $0.count
        }
        let reason = errno
        guard fclose(file) == 0, isWritten else { throw failure(path, isWritten ? errno : reason) }
    }

    private func move(_ name: String) throws {
        let path = folder.appending(path: name).path
        guard rename(passing.appending(path: name).path, path) == 0 else { throw failure(path, errno) }
    }

    /// The month's tables of a close or preview that was written here before: they are of other statements than those that come.
    private func removeTables() throws {
        let ours = [
            ("fees.csv", StatementTable.header.joined(separator: ",")),
            ("penalties.csv", StatementTable.header.joined(separator: ",")), ("summary.json", "{"),
        ]
        for (name, start) in ours {
            let place = folder.appending(path: name)
            guard let text = try? String(contentsOf: place, encoding: .utf8), text.hasPrefix(start) else { continue }
            if name == "summary.json", !text.contains("\"format\":\"\(MonthSummary.format)\"") { continue }
            try remove(place)
        }
    }

    /// Statements of contracts that are none of this month's any more, from an earlier run.
    private func removeOthers(than names: Set<String>) throws {
        let statements = folder.appending(path: Self.statements, directoryHint: .isDirectory)
        for name in (try? FileManager.default.contentsOfDirectory(atPath: statements.path)) ?? [] {
            let parts = name.split(separator: ".", omittingEmptySubsequences: false)
            let isOurs =
                parts.count == 2 && ["json", "csv", "html"].contains(parts[1]) && parts[0].hasPrefix("C")
                && Int32(parts[0].dropFirst()) != nil
            if isOurs, !names.contains("\(Self.statements)/\(name)") { try remove(statements.appending(path: name)) }
        }
    }

    private func remove(_ place: URL) throws {
        var status = stat()
        guard lstat(place.path, &status) == 0 else { return }
        do { try FileManager.default.removeItem(at: place) } catch { throw failure(place.path, errno) }
    }

    private func failure(_ path: String, _ reason: Int32) -> CommandFailure {
        CommandFailure(
            .environment, "cannot write \(path): \(String(cString: strerror(reason)))",
            remedy: "Check that the folder can be written to and the disk is not full. What is closed stays closed: "
                + "`dispatcherd statement export` and the same close write the files again.")
    }
}
