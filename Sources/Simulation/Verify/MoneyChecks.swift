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
        let rejected = rejected()
        let payments = payments()
        var shared: [String: History.StatementLine] = [:]
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
                if line.isFee { worth(outcome, line, rejected, &verdict) }
                guard line.isFee, let other = paid.updateValue(line, forKey: Paid(rule: line.rule, record: record))
                else { continue }
                verdict.add(
                    Finding(
                        .countedOnce, history.delegation, "outcome \(record) is paid twice by \(line.rule)",
                        events: [other.text, line.text]))
            }
            guard line.isFee, line.base != nil else { continue }
            contingency(line, payments, &verdict)
            once(line, &shared, &verdict)
        }
    }

    /// A payment is somebody's, once: no two lines are parts of the same one, of whatever contract, month or statement.
    private func once(
        _ line: History.StatementLine, _ shared: inout [String: History.StatementLine], _ verdict: inout Verdict
    ) {
        for name in line.facts {
            verdict.count(.countedOnce)
            guard let other = shared.updateValue(line, forKey: name) else { continue }
            verdict.add(
                Finding(
                    .countedOnce, history.delegation, "payment \(name) is paid for twice",
                    events: [other.text, line.text]))
        }
    }

    /// What was rejected, and by nobody approved after all.
    private func rejected() -> Set<String> {
        let reviews = Dictionary(grouping: history.stored.filter { $0.kind == "review" }, by: \.name)
        return Set(
            reviews.filter { _, rows in
                let decisions = rows.compactMap { $0.fields["decision"] ?? nil }
                return decisions.contains("rejected") && !decisions.contains("approved")
            }.keys)
    }

    /// Centavos by what a statement calls them; below nothing where a payment is taken back.
    private func payments() -> [String: Int64] {
        Dictionary(
            history.stored.filter { $0.kind == "payment" }.map { row in
                let amount = (row.fields["amount"] ?? nil).flatMap { Cents(pesos: $0)?.value } ?? 0
                return (row.name, (row.fields["reverses"] ?? nil) == nil ? amount : -amount)
            }
        ) { first, _ in first }
    }

    /// Work that is paid was done in the statement's month, and was not rejected.
    private func worth(
        _ outcome: History.Outcome, _ line: History.StatementLine, _ rejected: Set<String>, _ verdict: inout Verdict
    ) {
        let number = outcome.report.outcome
        if rejected.contains("\(number)") {
            add("a statement pays work that was rejected", line, number, [], &verdict)
        }
        // By the clocks of the country, which are five to eight hours behind.
        let months = [-8, -5].map { outcome.report.at.local(offsetSeconds: $0 * 3_600).date.period.number }
        guard !months.contains(line.period) else { return }
        add(
            "a statement pays work of another month", line, number, ["it was worked at \(outcome.report.at)"], &verdict)
    }

    /// A part of what was recovered: of payments that are there, and of no more than they come to.
    private func contingency(
        _ line: History.StatementLine, _ payments: [String: Int64], _ verdict: inout Verdict
    ) {
        guard let base = line.base.flatMap({ Cents(pesos: $0)?.value }), base > 0 else { return }
        let named = line.facts.map { (name: $0, amount: payments[StoredRow.word($0)]) }
        if let missing = named.first(where: { $0.amount == nil }) {
            verdict.add(
                Finding(
                    .money, history.delegation, "a fee names a payment that is not there",
                    events: [line.text, "there is no payment \(missing.name)"]))
        }
        let sum = named.reduce(0) { $0 + ($1.amount ?? 0) }
        guard base > sum else { return }
        verdict.add(
            Finding(
                .money, history.delegation, "a fee is on more than its payments come to",
                events: [
                    line.text + ", on \(Cents(base))",
                    "the \(named.count) payments that it names come to \(Cents(sum))",
                ]))
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
