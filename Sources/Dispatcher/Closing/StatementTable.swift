// SPDX-License-Identifier: Apache-2.0

/// Statements as CSV (RFC 4180): one row per line, figures plain.
enum StatementTable {
    static let header = [
        "period", "contract", "agency", "delegation", "kind", "rule", "subject", "schedule", "base", "base_unit",
        "rate",
        "rate_unit", "amount", "facts", "records", "clause", "arithmetic", "clause_in_english", "arithmetic_in_english",
    ]

    /// `delegation` is empty for a charge on the whole invoice, `records` is how many outcomes are behind the line:
    /// their numbers are in the JSON.
    static func rows(_ document: StatementDocument, where isWanted: (StatementDocument.Line) -> Bool) -> [[String]] {
        document.sections.flatMap { section in
            section.lines.filter(isWanted).map { line in
                [
                    document.period, String(document.contract), document.agency,
                    section.delegation.map { String($0) } ?? "",
                    line.kind, line.rule, line.subject, line.schedule,
                    line.base.count.map { String($0) } ?? line.base.pesos ?? "",
                    line.base.unit ?? "pesos", line.rate.pesos ?? line.rate.percent ?? "",
                    line.rate.pesos == nil ? "percent" : "pesos", line.amount, line.facts.joined(separator: " "),
                    String(line.records.count), line.clause, line.arithmetic,
                    EnglishClause.text(kind: line.kind, rule: line.rule, isObjection: line.isObjection),
                    line.arithmeticInEnglish ?? "",
                ]
            }
        }
    }

    static func text(_ rows: [[String]], header: [String] = Self.header) -> String {
        ([header] + rows).map { $0.map(field).joined(separator: ",") + "\r\n" }.joined()
    }

    private static func field(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 == 0x2C || $0 == 0x22 || $0 == 0x0A || $0 == 0x0D }) else { return text }
        return "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }
}
