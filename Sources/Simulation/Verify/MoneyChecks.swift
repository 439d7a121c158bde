// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// No peso without its facts: what a statement's lines name is there, belongs to that contract, and is paid for once.
struct MoneyChecks {
    let history: History

    func run(_ verdict: inout Verdict) {
        let outcomes = Dictionary(history.outcomes.map { ($0.report.outcome, $0) }) { first, _ in first }
        struct Paid: Hashable {
            var rule: String
            var record: Int64
        }
        var paid: [Paid: History.StatementLine] = [:]
        for line in history.statementLines {
            verdict.count(.money, max(1, line.records.count))
            for record in line.records {
                guard let outcome = outcomes[record] else {
                    add("a statement names a record that is not there", line, record, [], &verdict)
                    continue
                }
                if let contract = outcome.contract, contract != line.contract {
                    add(
                        "a statement names another contract's record", line, record,
                        ["outcome \(record) on \(outcome.report.held) is of contract \(contract)"], &verdict)
                }
                guard line.isFee, let other = paid.updateValue(line, forKey: Paid(rule: line.rule, record: record))
                else { continue }
                verdict.add(
                    Finding(
                        .countedOnce, history.delegation, "outcome \(record) is paid twice by \(line.rule)",
                        events: [other.text, line.text]))
            }
        }
    }

    private func add(
        _ found: String, _ line: History.StatementLine, _ record: Int64, _ more: [String], _ verdict: inout Verdict
    ) {
        verdict.add(
            Finding(
                .money, history.delegation, found, events: ["\(line.text) names outcome \(record)"] + more))
    }
}

extension History.StatementLine {
    fileprivate var text: String { "statement of \(period), contract \(contract): \(rule) \(subject), \(amount)" }
}
