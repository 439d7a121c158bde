// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials

/// docs/protocol.md, cut into what can be executed.
package struct ProtocolDocument: Sendable {
    private let lines: [String]

    package init() {
        let text = (try? String(contentsOf: URL(filePath: Checkout.root + "/docs/protocol.md"), encoding: .utf8)) ?? ""
        lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    /// The sessions of the document: those of a client that keeps to it, and those of one that does not.
    package var transcripts: [[String]] { blocks("transcript") + blocks("transcript-fault") }

    /// The fenced blocks of one kind.
    package func blocks(_ kind: String) -> [[String]] {
        lines.indices.filter { lines[$0] == "```" + kind }.map { start in
            Array(lines[(start + 1)...].prefix { $0 != "```" })
        }
    }

    /// The paragraph that starts like that, its lines joined by spaces; empty where there is none.
    package func paragraph(_ start: String) -> String {
        guard let first = lines.firstIndex(where: { $0.hasPrefix(start) }) else { return "" }
        return lines[first...].prefix { !$0.isEmpty }.joined(separator: " ")
    }

    /// The cells of the table whose heading starts like that, row by row.
    package func table(under heading: String) -> [[String]] {
        guard let start = lines.firstIndex(where: { $0.hasPrefix(heading) }) else { return [] }
        return lines[(start + 2)...].prefix { $0.hasPrefix("|") }.map { row in
            row.split(separator: "|", omittingEmptySubsequences: false).dropFirst().dropLast().map {
                String($0.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
            }
        }
    }
}
