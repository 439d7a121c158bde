// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// One value that cannot be taken: where it stands, what it is and what is wrong with it.
package struct BadValue: Hashable, Sendable, Encodable {
    package static let valueMax = 40

    package let line: Int
    /// The column's name; empty where the row as a whole is at fault.
    package let column: String
    /// At most ``valueMax`` characters of it, without control characters.
    package let value: String
    package let reason: String

    package init(line: Int, column: String, value: String, reason: String) {
        self.line = line
        self.column = column
        self.reason = reason
        let visible = value.unicodeScalars.prefix(Self.valueMax + 1).map { scalar in
            scalar.value < 0x20 || scalar.value == 0x7F ? "·" : Character(scalar)
        }
        self.value =
            String(visible.prefix(Self.valueMax - (visible.count > Self.valueMax ? 1 : 0)))
            + (visible.count > Self.valueMax ? "…" : "")
    }
}

/// Rows of one kind of file with every value checked against its column, in the order of the format, whatever the
/// order in the file is.
package struct TableReader: Sendable {
    package enum Step: Equatable, Sendable {
        /// A good row is there: ``number(_:)``, ``text(_:)``, ``isNull(_:)``.
        case row
        case bad([BadValue])
        case hungry
        case end
    }

    /// Why nothing of the file can be taken.
    package struct Unreadable: Error, Equatable, Sendable {
        package let line: Int
        package let reason: String
        package let remedy: String
    }

    package let format: TableFormat
    package private(set) var csv: CsvReader
    package private(set) var rowCount = 0
    private let decoders: [FieldDecoder]
    private let rowCheck: RowCheck
    /// The last day on which something can have happened.
    package let latestDay: LocalDate
    /// For each field of the file, the column of the format.
    private var columns: [Int] = []
    /// For each column of the format, the field of the file; `nil` where the file leaves the column out.
    private var fields: [Int?] = []
    /// Columns that the file leaves out because they are as another one is.
    private var copies: [(column: Int, of: Int)] = []
    private var numbers: [Int64]
    private var nulls: [Bool]
    private var faults: [BadValue] = []

    /// What must hold between the values of a row that are good one by one.
    package typealias RowCheck = @Sendable (TableReader) -> [(column: String, reason: String)]

    /// - Parameter latestDay: the last day on which something can have happened.
    package init(
        _ format: TableFormat, latestDay: LocalDate, csv: CsvReader = CsvReader(),
        rowCheck: @escaping RowCheck = { _ in [] }
    ) {
        self.format = format
        self.csv = csv
        self.rowCheck = rowCheck
        decoders = format.columns.map { FieldDecoder($0, latestDay: latestDay) }
        self.latestDay = latestDay
        numbers = [Int64](repeating: 0, count: format.columns.count)
        nulls = [Bool](repeating: false, count: format.columns.count)
    }

    package mutating func fill(_ read: (UnsafeMutableRawBufferPointer) throws -> Int) rethrows { try csv.fill(read) }

    /// The next row. The header is read, and checked, before the first.
    package mutating func next() throws(Unreadable) -> Step {
        if columns.isEmpty {
            switch csv.next() {
            case .row: try readHeader()
            case .hungry: return .hungry
            case .end: throw Unreadable(line: 1, reason: "the file is empty", remedy: "Ask its sender for it again.")
            case .malformed(let line, let reason), .cutOff(let line, let reason), .tooLong(let line, let reason):
                throw Unreadable(line: line, reason: "the header cannot be read: \(reason)", remedy: headerRemedy)
            }
        }
        switch csv.next() {
        case .row: return try readRow()
        case .malformed(let line, let reason):
            guard csv.isEndedByLineBreak else { throw unended(line) }
            rowCount += 1
            return .bad([BadValue(line: line, column: "", value: "", reason: reason)])
        case .hungry: return .hungry
        case .cutOff(let line, let reason): throw cutOff(line, reason)
        case .tooLong(let line, let reason): throw tooLong(line, reason)
        case .end:
            guard rowCount > 0 else {
                throw Unreadable(
                    line: 1, reason: "the file has a header and no rows", remedy: "Ask its sender for it again.")
            }
            return .end
        }
    }

    // MARK: The current row

    package var line: Int { csv.line }
    /// The value of a column by its place in the format; see ``FieldDecoder`` for units.
    package func number(_ column: Int) -> Int64 { numbers[column] }
    package func isNull(_ column: Int) -> Bool { nulls[column] }
    package func text(_ column: Int) -> String { fields[column].map { csv.text($0) } ?? "" }
    /// The bytes of a text, which are UTF-8.
    package func bytes(_ column: Int) -> ArraySlice<UInt8> { fields[column].map { csv.buffer[csv.field($0)] } ?? [] }

    package func number(_ name: String) -> Int64 { format.index(of: name).map { numbers[$0] } ?? 0 }
    /// The field as it stands in the file; `nil` where it is empty.
    package func text(named name: String) -> String? {
        guard let column = format.index(of: name), !nulls[column] else { return nil }
        return text(column)
    }

    private mutating func readRow() throws(Unreadable) -> Step {
        rowCount += 1
        guard csv.fieldCount == columns.count else {
            let what = "the row has \(csv.fieldCount) fields, the header \(columns.count)"
            if !csv.isEndedByLineBreak, csv.fieldCount < columns.count { throw cutOff(line, what) }
            guard csv.isEndedByLineBreak else { throw unended(line) }
            return .bad([BadValue(line: line, column: "", value: "", reason: what)])
        }
        guard csv.isEndedByLineBreak else { throw unended(line) }
        decode()
        if faults.isEmpty {
            for fault in rowCheck(self) {
                faults.append(
                    BadValue(
                        line: line, column: fault.column, value: text(named: fault.column) ?? "", reason: fault.reason))
            }
        }
        return faults.isEmpty ? .row : .bad(faults)
    }

    private mutating func decode() {
        if !faults.isEmpty { faults.removeAll() }
        // A second reference, so that the bytes are not borrowed from what is written to.
        let csv = csv
        let bytes = csv.buffer.span
        for place in 0..<columns.count {
            let column = columns[place]
            let field = csv.field(place)
            nulls[column] = field.isEmpty
            numbers[column] = 0
            if field.isEmpty {
                if !decoders[column].isOptional { faults.append(fault(column, "", "is empty")) }
                continue
            }
            do {
                numbers[column] = try decoders[column].number(field, in: bytes)
            } catch {
                let isText = bytes.validText(field) != nil
                faults.append(fault(column, bytes.text(field), isText ? error.reason : "is not valid UTF-8"))
            }
        }
        for (column, other) in copies { (numbers[column], nulls[column]) = (numbers[other], nulls[other]) }
    }

    private func fault(_ column: Int, _ value: String, _ reason: String) -> BadValue {
        BadValue(line: csv.line, column: format.columns[column].name, value: value, reason: reason)
    }

    /// A row that has all its fields can still lack the end of its last one: 43 may have been 4310.22.
    private func unended(_ line: Int) -> Unreadable {
        Unreadable(
            line: line, reason: "the last line has no line end, so the file may be cut off inside it",
            remedy: "If the file is whole, add a newline at its end; if not, ask its sender for all of it.")
    }

    private func tooLong(_ line: Int, _ reason: String) -> Unreadable {
        Unreadable(
            line: line, reason: reason,
            remedy: "Most often a line end is missing or a quote opens and is never closed. Correct that line; "
                + "nothing behind it can be told apart.")
    }

    private func cutOff(_ line: Int, _ reason: String) -> Unreadable {
        Unreadable(
            line: line, reason: "the file is cut off: \(reason)",
            remedy: "Ask its sender for the whole file; no part of a file that is cut off is taken.")
    }
}

// MARK: - Header

extension TableReader {
    private var headerRemedy: String { "The columns of this file are in docs/formats.md under `\(format.name)`." }

    private mutating func readHeader() throws(Unreadable) {
        let names = (0..<min(csv.fieldCount, CsvReader.columnsMax)).map { csv.text($0) }
        let wrong = Self.headerFaults(names, of: format)
        guard wrong.isEmpty, csv.fieldCount == names.count else {
            let tooMany = csv.fieldCount > names.count ? ["it has \(csv.fieldCount) columns"] : []
            throw Unreadable(
                line: csv.line, reason: "the header is wrong: " + (wrong + tooMany).joined(separator: "; "),
                remedy: headerRemedy)
        }
        columns = names.compactMap { format.index(of: $0) }
        fields = format.columns.indices.map { columns.firstIndex(of: $0) }
        // Columns that are left out have the same value in every row, so it is set once.
        for (column, field) in fields.enumerated() where field == nil {
            switch format.columns[column].leftOut {
            case .value(let value): numbers[column] = value
            case .same(as: let other): format.index(of: other).map { copies.append((column, $0)) }
            case .empty, .refused: nulls[column] = true
            }
        }
    }

    /// What is wrong with a header, in words; empty if nothing is.
    static func headerFaults(_ names: [String], of format: TableFormat) -> [String] {
        if names.count == 1, let separator = [";", "\t", "|"].first(where: { names[0].contains($0) }) {
            return ["columns are separated by commas, not by \(separator == "\t" ? "tabs" : "`\(separator)`")"]
        }
        if names.contains(where: { $0.contains("\0") }) || names.first?.hasPrefix("\u{FFFD}\u{FFFD}") == true {
            return ["the file is not UTF-8 (it looks like UTF-16); save it as UTF-8"]
        }
        let known = format.columns.map(\.name)
        let absent = format.columns.filter { !names.contains($0.name) }
        let missing = absent.filter { $0.leftOut == .refused }.map(\.name)
        var faults: [String] = []
        for (index, name) in names.enumerated() {
            let shown = BadValue(line: 1, column: "", value: name, reason: "").value
            if names[..<index].contains(name) {
                faults.append("`\(shown)` is there twice")
            } else if name.isEmpty {
                faults.append("column \(index + 1) has no name")
            } else if !known.contains(name) {
                let hint = nearestName(to: name, among: absent.map(\.name)).map { " (did you mean `\($0)`?)" } ?? ""
                faults.append("`\(shown)` is unknown\(hint)")
            }
        }
        if !missing.isEmpty {
            faults.append("missing: " + missing.map { "`\($0)`" }.joined(separator: ", "))
        }
        return faults
    }
}
