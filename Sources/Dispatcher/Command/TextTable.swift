// SPDX-License-Identifier: Apache-2.0

/// Rows of text with aligned columns, for people. Widths count characters.
package struct TextTable: Sendable {
    package enum Alignment: Sendable { case left, right }

    private let columns: [Alignment]
    private var rows: [[String]] = []

    package init(columns: [Alignment]) { self.columns = columns }

    /// - Parameter cells: one per column.
    package mutating func row(_ cells: [String]) { rows.append(cells) }

    /// One line per row, two spaces between columns, nothing after the last word.
    package var lines: [String] {
        let widths = columns.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                let space = String(repeating: " ", count: widths[column] - cell.count)
                line += (column > 0 ? "  " : "") + (columns[column] == .left ? cell + space : space + cell)
            }
            while line.last == " " { line.removeLast() }
            return line
        }
    }
}
