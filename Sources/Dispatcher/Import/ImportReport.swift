// SPDX-License-Identifier: Apache-2.0

package import Assignment
internal import FoundationEssentials
package import PgStore

/// What became of one file.
package struct ImportReport: Sendable {
    package enum Result: String, Sendable, Encodable {
        /// Its rows are in.
        case imported
        /// All was checked, nothing was changed, as asked.
        case checked
        /// The same bytes were taken in before.
        case unchanged
        /// It has bad rows, and nothing of it was taken.
        case refused
    }

    package let kind: ImportKind
    package let period: Period
    package let file: String
    package let result: Result
    package let digest: [UInt8]
    package let rowsGood: Int
    package let rowsBad: Int
    /// Where the bad rows are listed; `nil` without any.
    package let badRowsFile: String?
    /// The first of them.
    package let badValues: [BadValue]
    package let badValueCount: Int
    package internal(set) var counts: [ImportCount]
    /// What was taken and looks wrong: the first ten of it. How many there are is among the counts.
    package internal(set) var warnings: [BadValue] = []

    /// Whether nothing was ever imported for the period before.
    package internal(set) var opensPeriod = false

    /// For people: what was found, line by line.
    package var lines: [String] {
        var lines = badValues.map { bad in
            let place = "\(file):\(bad.line)" + (bad.column.isEmpty ? "" : ": \(bad.column)")
            return place + (bad.value.isEmpty ? "" : " `\(bad.value)`") + ": \(bad.reason)"
        }
        if badValueCount > badValues.count {
            lines.append("… and \(Console.grouped(badValueCount - badValues.count)) more")
        }
        switch result {
        case .imported:
            lines.append("\(kind.rawValue) of \(period): \(rows(rowsGood)) imported\(leftOut)")
        case .checked:
            lines.append(
                "\(kind.rawValue) of \(period): \(rows(rowsGood)) good\(leftOut); a dry run, nothing was changed")
        case .unchanged:
            lines.append(
                "\(kind.rawValue) of \(period): \(file) is loaded already (\(rows(rowsGood))\(leftOut)); "
                    + "nothing was changed"
            )
        case .refused: break
        }
        if opensPeriod {
            lines.append(
                "  \(period) is a new month: nothing was imported for it before; it is open until `dispatcherd close`")
        }
        lines += counts.filter { $0.count != 0 }.map { "  \($0.label): \(Console.grouped(Int($0.count)))" }
        lines += warnings.map { "warning: \(file):\($0.line): \($0.column) `\($0.value)`: \($0.reason)" }
        if let badRowsFile { lines.append("bad rows are listed in \(badRowsFile)") }
        return lines
    }

    private func rows(_ count: Int) -> String { "\(Console.grouped(count)) row\(count == 1 ? "" : "s")" }
    private var leftOut: String { rowsBad == 0 ? "" : ", \(rows(rowsBad)) left out" }

    /// The same for programs, keys in order.
    package func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    /// Why the command ends with 1; `nil` where all is well.
    package var failure: CommandFailure? {
        guard result == .refused else { return nil }
        return CommandFailure(
            .findings,
            "bad rows: \(Console.grouped(rowsBad)) of \(Console.grouped(rowsGood + rowsBad)); nothing was imported",
            remedy: rowsGood == 0
                ? "Mend what is listed."
                : "Mend what is listed, or take the good ones (\(Console.grouped(rowsGood))) with --accept-good.")
    }
}

extension ImportReport: Encodable {
    private enum Key: String, CodingKey {
        case kind, period, file, result, sha256, rowsGood, rowsBad, badRowsFile, badValues, counts, warnings,
            opensPeriod
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(kind.rawValue, forKey: .kind)
        try container.encode(period.description, forKey: .period)
        try container.encode(file, forKey: .file)
        try container.encode(result, forKey: .result)
        try container.encode(LedgerTree.hex(digest), forKey: .sha256)
        try container.encode(rowsGood, forKey: .rowsGood)
        try container.encode(rowsBad, forKey: .rowsBad)
        try container.encodeIfPresent(badRowsFile, forKey: .badRowsFile)
        try container.encode(badValues, forKey: .badValues)
        try container.encode(warnings, forKey: .warnings)
        try container.encode(opensPeriod, forKey: .opensPeriod)
        try container.encode(
            Dictionary(counts.map { ($0.label, $0.count) }, uniquingKeysWith: { first, _ in first }), forKey: .counts)
    }
}
