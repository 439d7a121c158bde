// SPDX-License-Identifier: Apache-2.0

/// A small CSV file in memory: contracts, zones, outcomes to review. RFC 4180, with or without a byte order mark.
package struct Table: Sendable {
    package let path: String
    private let columns: [String: Int]
    package let rows: [[String]]

    /// - Throws: ``SimulationFailure`` (usage) where the file has no header, a column of `required` is missing, or a
    /// row
    ///   has another number of fields than the header.
    package init(path: String, required: [String]) throws(SimulationFailure) {
        try self.init(text: try Folder.text(path), path: path, required: required)
    }

    package init(text: String, path: String, required: [String]) throws(SimulationFailure) {
        var lines = Self.parse(text)
        guard let header = lines.first, header != [""] else {
            throw SimulationFailure(.usage, "\(path) is empty", remedy: "Give a CSV file with a header line")
        }
        lines.removeFirst()
        self.path = path
        var columns: [String: Int] = [:]
        for (index, name) in header.enumerated() { columns[name] = index }
        self.columns = columns
        if let missing = required.first(where: { columns[$0] == nil }) {
            throw SimulationFailure(
                .usage, "\(path) has no column \(missing)",
                remedy: "Its header must name: \(required.joined(separator: ","))")
        }
        if let bad = lines.firstIndex(where: { $0.count != header.count }) {
            throw SimulationFailure(
                .usage, "row \(bad + 1) of \(path) has \(lines[bad].count) fields, its header \(header.count)",
                remedy: "Mend the row")
        }
        self.rows = lines
    }

    /// The field of a column that was required.
    package func text(_ row: [String], _ column: String) -> String { columns[column].map { row[$0] } ?? "" }

    private static func parse(_ text: String) -> [[String]] {
        var rows: [[String]] = []
        var row: [String] = []
        var field: [UInt8] = []
        var isQuoted = false
        var wasQuote = false
        func end() {
            row.append(String(decoding: field, as: UTF8.self))
            field.removeAll(keepingCapacity: true)
            wasQuote = false
        }
        let bytes = Array(text.utf8)
        for byte in bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...] {
            switch (byte, isQuoted) {
            case (0x22, true):
                isQuoted = false
                wasQuote = true
            case (0x22, false):
                // A quote right after a closing one is a quote inside the field.
                if wasQuote { field.append(0x22) }
                isQuoted = true
                wasQuote = false
            case (0x2C, false): end()
            case (0x0D, false): break
            case (0x0A, false):
                end()
                rows.append(row)
                row = []
            default: field.append(byte)
            }
        }
        if !field.isEmpty || !row.isEmpty {
            end()
            rows.append(row)
        }
        return rows.filter { $0 != [""] }
    }
}
