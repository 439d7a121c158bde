// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The IDs of the rules, counted out by hand: what docs/rules.md is compared with, so that no row of it can vanish.
enum RuleCatalogue {
    struct Family: Sendable {
        let name: String
        let numbers: [ClosedRange<Int>]

        init(_ name: String, _ numbers: ClosedRange<Int>...) {
            self.name = name
            self.numbers = numbers
        }

        var identifiers: [String] { numbers.joined().map { RuleCatalogue.identifier(name, $0) } }
    }

    static let families = [
        Family("SEG", 1...17), Family("STR", 1...9), Family("SOL", 1...19, 40...47), Family("FIN", 1...20),
        Family("AGY", 1...18), Family("GEO", 1...3), Family("WP", 1...4), Family("ASG", 1...10),
        Family("GES", 1...8), Family("CAD", 1...16), Family("HRS", 1...4),
        Family("PEN", 1...9, 20...22, 30...30, 33...33), Family("FEE", 1...5, 10...12), Family("SUS", 1...3),
        Family("IND", 1...16), Family("IDT", 1...10), Family("RES", 1...10), Family("GOV", 1...6),
        Family("ORA", 1...6, 10...18, 20...25, 30...36, 40...51, 60...68, 70...70), Family("AMB", 1...23),
    ]

    /// What no source states has a name instead of a number.
    static let gaps = [
        "advisers-ratio", "exposure-factor", "term", "batch-size", "zone-map", "unit-prices", "goal-values",
        "cut-thresholds", "fpp-share", "cure", "hours", "distribution-frequency", "allocation", "match-order",
        "late-payment", "retention", "minimum-sample", "time-series",
    ]

    static let identifiers = Set(families.flatMap(\.identifiers) + gaps.map { "GAP-" + $0 })

    static func identifier(_ family: String, _ number: Int) -> String {
        family + (number < 10 ? "-0" : "-") + String(number)
    }
}

/// The files of the repository whose citations count, each with the IDs that it cites.
enum RuleSources {
    /// Tests/AssignmentTests/RuleCatalogue.swift is three steps below the root.
    static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Columns of files and tables name the rules that they serve, done or not; they decide nothing.
    private static let describing = ["Sources/Dispatcher/Import/TableFormat", "Sources/PgStore/Migrations/"]

    static let coded = citations(under: ["Sources", "policies"])
    /// Code and data that act on a rule.
    static let acting = coded.filter { file in !describing.contains { file.key.hasPrefix($0) } }
    /// What may speak of any rule, but not of one that does not exist.
    static let speaking = coded.filter { acting[$0.key] == nil }.merging(
        citations(under: ["docs", "README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md"])
    ) { here, _ in here }
    static let testing = citations(under: ["Tests"])

    static func page() throws -> RulePage {
        RulePage(try String(contentsOf: root.appending(path: "docs/rules.md"), encoding: .utf8))
    }

    /// By path from the root. A folder or file that is not there has none.
    private static func citations(under places: [String]) -> [String: Set<String>] {
        var found: [String: Set<String>] = [:]
        for path in places.flatMap(files(under:)) {
            guard let content = FileManager.default.contents(atPath: absolute(path)) else { continue }
            found[path] = RuleCitations([UInt8](content)).identifiers
        }
        return found
    }

    private static func files(under place: String) -> [String] {
        let path = absolute(place)
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else { return [] }
        guard isDirectory.boolValue else { return [place] }
        let names = (try? FileManager.default.subpathsOfDirectory(atPath: path)) ?? []
        return names.map { place + "/" + $0 }
    }

    private static func absolute(_ path: String) -> String {
        root.appending(path: path).path(percentEncoded: false)
    }
}

/// The rows of docs/rules.md, in its order.
struct RulePage {
    struct Row: Equatable {
        let line: Int
        let family: String
        let cells: [String]

        var identifier: String { cells[0] }
        var rule: String { cells[1] }
        var status: String { cells[2] }
        var place: String { cells[3] }

        /// What stands between backticks in the last column and names a part of the repository.
        var paths: [String] {
            place.split(separator: "`", omittingEmptySubsequences: false).enumerated()
                .filter { $0.offset % 2 == 1 }.map { String($0.element) }
                .filter { $0.hasPrefix("Sources/") || $0.hasPrefix("policies/") || $0.hasPrefix("Tests/") }
        }
    }

    private(set) var rows: [Row] = []
    /// Lines of tables that do not have four cells.
    private(set) var brokenLines: [Int] = []

    /// The family of a row is the first word of the heading above it.
    init(_ text: String) {
        var family = ""
        for (offset, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if line.hasPrefix("## ") { family = line.dropFirst(3).split(separator: " ").first.map(String.init) ?? "" }
            guard line.hasPrefix("|"), !line.hasPrefix("| ID |"), !line.hasPrefix("|---") else { continue }
            let cells = line.split(separator: "|", omittingEmptySubsequences: false).dropFirst().dropLast()
                .map { $0.trimmingCharacters(in: .whitespaces) }
            if cells.count == 4 {
                rows.append(Row(line: offset + 1, family: family, cells: cells))
            } else {
                brokenLines.append(offset + 1)
            }
        }
    }
}

/// The IDs that a text cites: `AGY-07`, ranges (`SEG-01…08`, `PEN-20...22`) and lists (`AGY-07/08`).
///
/// An ID of a known family with a number of another width is cited too, so that a slip of the pen is found. Reads
/// bytes: a few megabytes of sources in a debug build are too much for regular expressions.
struct RuleCitations {
    private(set) var identifiers: Set<String> = []
    private let text: [UInt8]
    private static let prefixes = (RuleCatalogue.families.map(\.name) + ["GAP"])
        .map { (name: $0, bytes: Array(($0 + "-").utf8)) }
    private static let rangeSigns = ["…", "...", "..", "–"].map { Array($0.utf8) }

    init(_ text: [UInt8]) {
        self.text = text
        var index = 0
        while index < text.count {
            let startsWord = index == 0 || !Self.isWord(text[index - 1])
            index = startsWord && Self.isUpper(text[index]) ? citation(at: index) ?? index + 1 : index + 1
        }
    }

    /// Reads a citation with what continues it; nil where there is none, else where it ends.
    private mutating func citation(at start: Int) -> Int? {
        guard let prefix = Self.prefixes.first(where: { has($0.bytes, at: start) }) else { return nil }
        let body = start + prefix.bytes.count
        guard prefix.name != "GAP" else { return gap(at: body) }
        var end = run(at: body, while: Self.isDigit)
        guard end > body, end == text.count || !Self.isWord(text[end]) else { return nil }
        identifiers.insert(prefix.name + "-" + string(body..<end))
        var first = Int(string(body..<end)) ?? 0
        while let next = continuation(at: end, of: prefix) {
            let numbers = next.isRange ? (first...max(first, next.number)) : (next.number...next.number)
            // A range may run across numbers that were never given.
            identifiers.formUnion(
                numbers.map { RuleCatalogue.identifier(prefix.name, $0) }.filter(RuleCatalogue.identifiers.contains))
            identifiers.insert(RuleCatalogue.identifier(prefix.name, next.number))
            first = next.number
            end = next.end
        }
        return end
    }

    private mutating func gap(at start: Int) -> Int? {
        let end = run(at: start) { (0x61...0x7A).contains($0) || $0 == 0x2D }
        guard end > start else { return nil }
        identifiers.insert("GAP-" + string(start..<end))
        return end
    }

    private func continuation(
        at start: Int, of prefix: (name: String, bytes: [UInt8])
    ) -> (number: Int, end: Int, isRange: Bool)? {
        let sign = Self.rangeSigns.first { has($0, at: start) }
        var index = start + (sign?.count ?? 1)
        guard sign != nil || has([0x2F], at: start) else { return nil }
        if has(prefix.bytes, at: index) { index += prefix.bytes.count }
        let end = run(at: index, while: Self.isDigit)
        guard end - index == 2, let number = Int(string(index..<end)) else { return nil }
        return (number, end, sign != nil)
    }

    private func has(_ bytes: [UInt8], at index: Int) -> Bool {
        index + bytes.count <= text.count && text[index..<index + bytes.count].elementsEqual(bytes)
    }

    private func run(at start: Int, while holds: (UInt8) -> Bool) -> Int {
        var end = start
        while end < text.count, holds(text[end]) { end += 1 }
        return end
    }

    private func string(_ range: Range<Int>) -> String { String(decoding: text[range], as: UTF8.self) }
    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    private static func isUpper(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte) }
    private static func isWord(_ byte: UInt8) -> Bool {
        isDigit(byte) || isUpper(byte) || (0x61...0x7A).contains(byte) || byte == 0x5F
    }
}
