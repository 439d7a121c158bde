// SPDX-License-Identifier: Apache-2.0

/// The tables of docs/formats.md, made from the formats themselves so that page and code cannot part.
package enum FormatsPage {
    /// The section of one kind of file, from its heading to the line before the next.
    package static func section(_ format: TableFormat) -> String {
        var lines = ["## \(format.name)", "", format.purpose, ""]
        lines.append("| column | type | unit | range | empty | example | read by | meaning |")
        lines.append("|---|---|---|---|---|---|---|---|")
        for column in format.columns.prefix(format.listed ?? format.columns.count) {
            let cells = [
                "`\(column.name)`", column.type.label, column.type.unit, column.type.range,
                (column.isOptional ? "allowed" : "no") + leftOut(column),
                column.example.isEmpty ? "" : "`\(column.example)`", column.rules, column.meaning,
            ]
            lines.append("| " + cells.joined(separator: " | ") + " |")
        }
        lines.append("")
        lines += format.rowRules.map { "- \($0)" }
        return lines.joined(separator: "\n") + "\n"
    }

    /// What a column that may be left out of the file counts as.
    private static func leftOut(_ column: ColumnFormat) -> String {
        switch (column.leftOut, column.type) {
        case (.refused, _): return ""
        case (.empty, _): return "; column left out: empty"
        case (.same(as: let other), _): return "; column left out: as `\(other)`"
        case (.value(let value), .yesNo): return "; column left out: `\(value == 0 ? "no" : "yes")`"
        case (.value(let value), .percent): return "; column left out: `\(value / 100)`"
        case (.value(let value), _): return "; column left out: `\(value)`"
        }
    }

    /// - Parameter kind: the name of one format; all without it.
    package static func text(_ kind: String?) throws(CommandFailure) -> String {
        guard let kind else { return sections }
        guard let format = TableFormat.all.first(where: { $0.name == kind }) else {
            throw CommandFailure(
                .usage, "there is no file of kind \(kind)",
                remedy: "The kinds are \(TableFormat.all.map(\.name).joined(separator: ", ")).")
        }
        return section(format)
    }

    /// All sections, in the order of ``TableFormat/all``.
    package static var sections: String { TableFormat.all.map(section).joined(separator: "\n") }
}
