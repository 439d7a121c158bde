// SPDX-License-Identifier: Apache-2.0

package import Assignment
package import PgStore

/// From a figure of a closed month down to the clause, the arithmetic and the records: «why 71,604.93 in delegation 14?».
package struct StatementExplanation: Encodable {
    /// What of the month is asked about; what is not named is not narrowed down.
    package struct Question: Sendable {
        package var contract: Int32?
        package var delegation: Int16?
        /// `PEN-02`, `FEE-11`, `IVA`.
        package var rule: String?
        /// A line's amount, with or without IVA, or a total of a section or statement.
        package var amount: Cents?
        /// Outcomes that are listed per line.
        package var recordsMax = 20

        package init() {}
    }

    package struct Record: Encodable {
        package let outcome: Int64
        package let account: String
        package let worked: String
        package let channel: String
        package let result: String
        package let review: String?
        package let receipt: String
    }

    package struct Line: Encodable {
        package let contract: Int32
        package let agency: String
        package let delegation: Int?
        package let kind: String
        package let rule: String
        package let subject: String
        package let schedule: String
        package let clause: String
        package let base: String
        package let rate: String
        package let amount: String
        package let arithmetic: String
        package let facts: [String]
        package let recordCount: Int
        package let records: [Record]
        /// The statement that the line is in, and what is signed of it.
        package let statement: String
    }

    package let period: String
    /// How the asked amount is made of the lines below; empty without an amount.
    package let sums: [String]
    package let lines: [Line]

    /// - Throws: ``CommandFailure`` where the month is not closed, or nothing of it fits the question.
    package init(_ link: PgLink, period: Period, _ question: Question) throws {
        let statements = try MonthClosing(link, period: period).kept().filter {
            question.contract == nil || $0.contract == question.contract
        }
        var sums: [String] = []
        var found:
            [(PeriodStore.StoredStatement, StatementDocument, StatementDocument.Section, [StatementDocument.Line])] = []
        for statement in statements {
            let document = try StatementDocument(statement.body)
            for section in document.sections
            where question.delegation == nil || section.delegation == question.delegation.map(Int.init) {
                var lines = section.lines.filter { question.rule == nil || $0.rule == question.rule }
                if let amount = question.amount {
                    let match = AmountMatch(amount, in: section, lines)
                    lines = match.lines
                    sums += match.sums.map { "contract \(statement.contract), \(Self.place(section)): \($0)" }
                }
                if !lines.isEmpty { found.append((statement, document, section, lines)) }
            }
        }
        guard !found.isEmpty else {
            throw CommandFailure(
                .findings, "nothing in the statements of \(period) fits",
                remedy: "Ask with less, such as `--contract` alone; `dispatcherd statement export` writes all lines.")
        }
        self.period = "\(period)"
        self.sums = sums
        let store = ExplainStore(link)
        lines = try found.flatMap { statement, document, section, lines in
            try lines.map { try Line($0, section, document, statement, period, store, question.recordsMax) }
        }
    }

    fileprivate static func place(_ section: StatementDocument.Section) -> String {
        section.delegation.map { "delegation \($0)" } ?? "the whole invoice"
    }
}

/// The ways in which an amount can be one of a section's: a line, a line with its IVA, or a total.
struct AmountMatch {
    private(set) var sums: [String] = []
    private(set) var lines: [StatementDocument.Line] = []

    init(_ amount: Cents, in section: StatementDocument.Section, _ candidates: [StatementDocument.Line]) {
        let tax = section.lines.first { $0.kind.hasPrefix("tax") }?.rate.percent.flatMap { BasisPoints(percent: $0) }
        for line in candidates {
            guard let own = Cents(pesos: line.amount) else { continue }
            if own == amount {
                lines.append(line)
                sums.append("\(grouped(amount)) is the line \(line.rule) \(line.subject)")
            } else if let tax, !line.kind.hasPrefix("tax"), own + own.charge(tax) == amount {
                lines.append(line)
                sums.append(
                    "\(grouped(amount)) is \(line.rule) \(line.subject), \(grouped(own)), with IVA \(grouped(own.charge(tax)))"
                )
            }
        }
        guard lines.isEmpty else { return }
        let totals = section.totals
        let (fees, penalties) = (Cents(pesos: totals.fees) ?? .zero, Cents(pesos: totals.penalties) ?? .zero)
        let (onFees, onPenalties) = (
            Cents(pesos: totals.taxOnFees) ?? .zero, Cents(pesos: totals.taxOnPenalties) ?? .zero
        )
        let sides: [(String, Cents, Set<StatementTotals.Part>)] = [
            ("fees", fees, [.fees]), ("penalties", penalties, [.penalties]),
            ("fees with IVA", fees + onFees, [.fees, .taxOnFees]),
            ("penalties with IVA", penalties + onPenalties, [.penalties, .taxOnPenalties]),
            (
                "what is payable", Cents(pesos: totals.payable) ?? .zero,
                [.fees, .penalties, .taxOnFees, .taxOnPenalties]
            ),
        ]
        for (name, sum, parts) in sides where sum == amount && lines.isEmpty {
            lines = candidates.filter {
                StatementLine.Kind(rawValue: $0.kind).map { parts.contains($0.part.total) } ?? false
            }
            if !lines.isEmpty { sums.append("\(grouped(amount)) is the sum of its \(name), \(lines.count) lines") }
        }
    }
}

extension StatementExplanation.Line {
    fileprivate init(
        _ line: StatementDocument.Line, _ section: StatementDocument.Section, _ document: StatementDocument,
        _ statement: PeriodStore.StoredStatement, _ period: Period, _ store: ExplainStore, _ recordsMax: Int
    ) throws {
        contract = statement.contract
        agency = "\(document.agency) \(document.agencyName)"
        delegation = section.delegation
        kind = line.kind
        rule = line.rule
        subject = line.subject
        schedule = line.schedule
        clause = line.clause
        base = line.base.count.map { "\($0) \(line.base.unit ?? "")" } ?? line.base.pesos.map { "\($0) pesos" } ?? ""
        rate = line.rate.percent.map { "\($0) %" } ?? line.rate.pesos.map { "\($0) pesos each" } ?? ""
        amount = line.amount
        arithmetic = line.arithmetic
        let known = try store.facts(line.facts)
        let others = Set(line.facts).subtracting(known.map(\.id)).sorted()
        facts = known.map(\.words) + others
        recordCount = line.records.count
        let place = section.delegation.flatMap { Delegation(Int16($0)) }
        records =
            try place.map { delegation in
                try store.outcomes(Array(line.records.prefix(recordsMax)), delegation, period).map(
                    StatementExplanation.Record.init)
            } ?? []
        self.statement = "C\(statement.contract), SHA-256 \(LedgerTree.hex(statement.digest))"
    }
}

extension StatementExplanation.Record {
    fileprivate init(_ outcome: ExplainStore.Outcome) {
        self.outcome = outcome.row.number
        account = "\(outcome.row.account)"
        worked = "\(outcome.row.workedAt)"
        channel = outcome.row.channel
        result = outcome.row.result
        review = outcome.review.map { "\($0.decision) by \($0.reviewer): \($0.reason)" }
        receipt = LedgerTree.hex(LedgerRecord.outcome(outcome.row).receipt)
    }
}

extension ExplainStore.Fact {
    fileprivate var words: String {
        var text = "\(id): \(kind) of \(on)"
        if let subject { text += ", \(subject)" }
        text += " = \(value)"
        if let minimum { text += ", minimum \(minimum)" }
        if let note { text += " (\(note))" }
        return text + ", from \(file)"
    }
}

extension StatementExplanation {
    package var words: [String] {
        var words = sums
        for line in lines {
            words += [
                "",
                "\(line.amount)  \(line.rule) \(line.subject)".trimmed + "  (\(line.kind), "
                    + (line.delegation.map { "delegation \($0)" } ?? "the whole invoice") + ")",
                "  contract \(line.contract) of \(line.agency); schedule \(line.schedule)",
                "  clause: \(line.clause)", "  base \(line.base), rate \(line.rate)", "  \(line.arithmetic)",
            ]
            words += line.facts.map { "  fact \($0)" }
            words += line.records.map { record in
                "  outcome \(record.outcome): account \(record.account), \(record.worked), \(record.channel), "
                    + record.result + (record.review.map { ", \($0)" } ?? "") + "  [\(record.receipt.prefix(16))…]"
            }
            if line.recordCount > line.records.count {
                words.append("  \(line.recordCount - line.records.count) more outcomes; --records N shows more")
            }
            words.append("  in statement \(line.statement)")
        }
        return words.first == "" ? Array(words.dropFirst()) : words
    }
}

extension String {
    fileprivate var trimmed: String { hasSuffix(" ") ? String(dropLast()) : self }
}
