// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// An import as it is asked for on the command line, its words checked.
package struct ImportRequest {
    /// The kinds of files, in the order in which a new installation takes them in.
    package static let kinds = ImportKind.allCases.map(\.rawValue)

    private let run: ImportRun

    /// - Throws: ``CommandFailure`` of usage where a word is none.
    package init(
        kind: String, file: String, period: String, isDryRun: Bool, acceptsGood: Bool,
        acceptsFewerRules: Bool = false, badRowsPath: String?
    ) throws(CommandFailure) {
        guard let known = ImportKind(rawValue: kind) else {
            throw CommandFailure(.usage, "there is no file of kind \(kind)", remedy: Self.hint(kind, file))
        }
        guard let month = Period(text: period) else {
            throw CommandFailure(.usage, "\(period) is no period", remedy: "Write a month as 2024-03.")
        }
        guard !acceptsFewerRules || known == .schedules else {
            throw CommandFailure(
                .usage, "--fewer-rules is for schedules, and not for \(kind)", remedy: "Leave it out.")
        }
        var run = ImportRun(known, path: file, period: month)
        run.isDryRun = isDryRun
        run.acceptsGood = acceptsGood
        run.acceptsFewerRules = acceptsFewerRules
        run.badRowsPath = badRowsPath
        // Before a database is asked for, or even started, for a file that is not there.
        _ = try run.openInput()
        self.run = run
    }

    /// Each kind with what it is for and its columns, for the command's help; those in brackets may be left out or be empty.
    package static var help: String {
        ImportKind.allCases.map { kind in
            let format = kind.format
            let columns = format.columns.prefix(format.listed ?? format.columns.count)
            let shown = columns.prefix(columnsMax).map { column in
                column.isOptional || column.leftOut != .refused ? "[\(column.name)]" : column.name
            }
            let more = format.columns.count > shown.count ? ", …" : ""
            return "\(format.name): \(format.purpose)\n  \(shown.joined(separator: ", "))\(more)"
        }.joined(separator: "\n")
    }

    /// A cut has some sixty.
    private static let columnsMax = 12

    /// Two kinds of files have commands of their own; of others the nearest kind is named.
    private static func hint(_ kind: String, _ file: String) -> String {
        switch kind {
        case "review", "reviews": return "Reviews are taken in with 'dispatcherd review import \(file)'."
        case "key", "keys": return "Keys are taken in with 'dispatcherd agency key add --file \(file)'."
        default:
            let nearest = nearestName(to: kind, among: kinds).map { "Did you mean \($0)? " } ?? ""
            return nearest + "The kinds are \(kinds.joined(separator: ", "))."
        }
    }

    /// Imports, prints what came of it, and fails where rows are bad.
    package func run(on link: DatabaseLink, asJSON: Bool) throws {
        let report = try run.run(on: link)
        if asJSON {
            Console.out(try report.json())
        } else {
            for line in report.lines { Console.out(line) }
        }
        if let failure = report.failure { throw failure }
    }
}
