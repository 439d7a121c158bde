// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import Assignment
package import PgStore

/// Writes a month's files into a folder: each statement as JSON, CSV and page, and the month's page and tables.
package struct StatementFiles {
    private let folder: URL

    /// - Parameter path: is made where it does not exist.
    package init(_ path: String) {
        folder = URL(filePath: path, directoryHint: .isDirectory)
    }

    /// Makes the folder and writes a file there, so that a close that could not leave its files is not begun.
    package func probe() throws {
        let probe = folder.appending(path: ".probe")
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try Data("probe".utf8).write(to: probe)
            try FileManager.default.removeItem(at: probe)
        } catch {
            throw CommandFailure(
                .environment, "cannot write into \(folder.path); nothing was closed",
                remedy: "Check that the folder can be written to and the disk is not full.")
        }
    }

    /// - Returns: how many files were written.
    package func write(_ month: ClosedMonth) throws -> Int {
        let documents = try write(month.statements, withMonth: true)
        try write("index.html", StatementPage().html(month.summary, documents))
        try write("summary.json", month.summary.json.text)
        for (name, kind) in [("fees.csv", "fee"), ("penalties.csv", "penalty")] {
            let rows = documents.flatMap { StatementTable.rows($0) { $0.kind.hasPrefix(kind) } }
            try write(name, StatementTable.text(rows))
        }
        return month.statements.count * 3 + 4
    }

    /// Only the statements.
    @discardableResult
    package func write(statements: [PeriodStore.StoredStatement]) throws -> Int {
        try write(statements, withMonth: false).count * 3
    }

    /// - Parameter withMonth: whether the month's page is beside them, to be linked.
    private func write(
        _ statements: [PeriodStore.StoredStatement], withMonth: Bool
    ) throws -> [StatementDocument] {
        try failingAsEnvironment {
            try FileManager.default.createDirectory(
                at: folder.appending(path: "statements", directoryHint: .isDirectory), withIntermediateDirectories: true
            )
        }
        let page = try StatementPage()
        return try statements.map { statement in
            let document = try StatementDocument(statement.body)
            let name = "statements/C\(statement.contract)"
            let digest = statement.digest.map { $0 < 16 ? "0" + String($0, radix: 16) : String($0, radix: 16) }.joined()
            try write(name + ".json", statement.body)
            try write(name + ".csv", StatementTable.text(StatementTable.rows(document) { _ in true }))
            try write(name + ".html", page.html(document, digest: digest, withMonth: withMonth))
            return document
        }
    }

    private func write(_ name: String, _ text: String) throws {
        try failingAsEnvironment {
            try Data(text.utf8).write(to: folder.appending(path: name), options: .atomic)
        }
    }

    private func failingAsEnvironment(_ body: () throws -> Void) throws {
        do { try body() } catch {
            throw CommandFailure(
                .environment, "cannot write into \(folder.path)",
                remedy:
                    "Check that the folder can be written to and the disk is not full; what is closed stays closed, "
                    + "and `dispatcherd statement export` writes the files again.")
        }
    }
}
