// SPDX-License-Identifier: Apache-2.0

/// Damage that leaves nothing of a file to be taken, and oddities that are none: each a small file of its own, made from the first
/// rows of a good one.
package enum WholeFileMess: String, CaseIterable, Sendable {
    case utf16 = "utf-16"
    case semicolons
    case cutOff = "cut-off"
    case openQuote = "open-quote"
    case renamedColumn = "renamed-column"
    case missingColumn = "missing-column"
    case noHeader = "no-header"
    case noRows = "no-rows"
    case marked = "byte-order-mark"
    case windowsLines = "windows-lines"
    case quoted = "all-quoted"
    case emptyLines = "empty-lines"

    /// Whether an import takes all of it.
    package var isHarmless: Bool {
        switch self {
        case .utf16, .semicolons, .cutOff, .openQuote, .renamedColumn, .missingColumn, .noHeader, .noRows: false
        case .marked, .windowsLines, .quoted, .emptyLines: true
        }
    }

    package var fileName: String { "cut-\(rawValue).csv" }

    package func bytes(header: String, rows: [String]) -> [UInt8] {
        let lines = [header] + rows
        let text = lines.joined(separator: "\n") + "\n"
        switch self {
        case .utf16: return [0xFF, 0xFE] + text.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        case .semicolons: return Array(text.utf8.map { $0 == 0x2C ? 0x3B : $0 })
        case .cutOff: return Array(text.utf8.dropLast(30))
        case .openQuote:
            guard let comma = text.utf8.lastIndex(of: 0x2C) else { return Array(text.utf8) }
            return Array(text.utf8[...comma]) + [0x22] + Array(text.utf8[text.utf8.index(after: comma)...])
        case .renamedColumn: return Array("acount\(text.dropFirst("account".count))".utf8)
        case .missingColumn:
            return Array((lines.map { String($0.drop { $0 != "," }.dropFirst()) }.joined(separator: "\n") + "\n").utf8)
        case .noHeader: return Array((rows.joined(separator: "\n") + "\n").utf8)
        case .noRows: return Array("\(header)\n".utf8)
        case .marked: return [0xEF, 0xBB, 0xBF] + Array(text.utf8)
        case .windowsLines: return Array((lines.joined(separator: "\r\n") + "\r\n").utf8)
        case .quoted:
            let quoted = lines.map { line in
                line.split(separator: ",", omittingEmptySubsequences: false)
                    .map { $0.isEmpty ? "" : "\"\($0)\"" }.joined(separator: ",")
            }
            return Array((quoted.joined(separator: "\n") + "\n").utf8)
        case .emptyLines: return Array((lines.joined(separator: "\n\n") + "\n\n").utf8)
        }
    }
}
