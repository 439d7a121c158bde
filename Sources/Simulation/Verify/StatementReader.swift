// SPDX-License-Identifier: Apache-2.0

package import Assignment
internal import FoundationEssentials
package import PgStore

/// The lines of all kept statements by their delegation, read from their canonical JSON.
package enum StatementReader {
    private struct Body: Decodable {
        struct Section: Decodable {
            let delegation: Int16?
            let lines: [Line]
        }
        struct Line: Decodable {
            let kind: String
            let rule: String
            let subject: String
            let amount: String
            let records: [Int64]
        }
        let sections: [Section]
    }

    /// - Throws: ``SimulationFailure`` of findings where a kept statement is no JSON of a statement.
    package static func lines(_ link: PgLink) throws -> [Delegation: [History.StatementLine]] {
        var lines: [Delegation: [History.StatementLine]] = [:]
        for row in try link.run("SELECT period, contract_id, body FROM statement ORDER BY 1, 2") {
            let (period, contract) = (row.int32(0), row.int32(1))
            guard let body = try? JSONDecoder().decode(Body.self, from: Data(row.text(2).utf8)) else {
                throw SimulationFailure(
                    .findings, "the statement of contract \(contract) for \(period) cannot be read",
                    remedy: "dispatcherd ledger verify tells whether it is the one that was signed")
            }
            for section in body.sections {
                guard let delegation = section.delegation.flatMap({ Delegation($0) }) else { continue }
                lines[delegation, default: []] += section.lines.map { line in
                    History.StatementLine(
                        period: period, contract: contract, rule: line.rule, subject: line.subject,
                        isFee: line.kind == "fee", amount: line.amount, records: line.records)
                }
            }
        }
        return lines
    }
}
