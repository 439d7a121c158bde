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
        /// Lines that are listed; a total has many.
        package var linesMax = 200
        /// Of the pre-statements that are out, in place of the kept ones.
        package var isOfPreStatements = false

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
        /// The same in English; empty where the statement has none.
        package let arithmeticInEnglish: String
        package let facts: [String]
        package let recordCount: Int
        package let records: [Record]
        /// The statement that the line is in, and what is signed of it.
        package let statement: String
    }

    package let period: String
    /// Whether they are of the statements that were closed, or of those that were out before.
    package let isFinal: Bool
    /// How the asked amount is made of the lines below; empty without an amount.
    package let sums: [String]
    /// How many lines fit; not all need be listed.
    package let lineCount: Int
    package let lines: [Line]

    /// Looks for an amount in sections first, then in statements, then in all of them together: the smallest that it is a figure of.
    ///
    /// - Throws: ``CommandFailure`` where there are no such statements, or nothing of them fits the question.
    package init(_ link: PgLink, period: Period, _ question: Question) throws {
        var sections: [Part] = []
        for statement in try Self.statements(link, period, question)
        where question.contract == nil || statement.contract == question.contract {
            let document = try StatementDocument(statement.body)
            sections += document.sections
                .filter { question.delegation == nil || $0.delegation == question.delegation.map(Int.init) }
                .map { Part(statement: statement, document: document, section: $0) }
        }
        let (sums, found) = Self.find(question, in: sections)
        guard !found.isEmpty else {
            throw CommandFailure(
                .findings, "nothing in the statements of \(period) fits",
                remedy: "Ask with less, such as `--contract` alone; `dispatcherd statement export` writes all lines.")
        }
        self.period = "\(period)"
        isFinal = !question.isOfPreStatements
        self.sums = sums
        lineCount = found.count
        let store = ExplainStore(link)
        lines = try found.prefix(question.linesMax).map { part, line in
            try Line(line, part.section, part.document, part.statement, period, store, question.recordsMax)
        }
    }

    /// A section with the statement that it is in.
    fileprivate struct Part {
        let statement: PeriodStore.StoredStatement
        let document: StatementDocument
        let section: StatementDocument.Section

        var place: String {
            section.delegation.map { "delegation \($0)" } ?? "the whole invoice"
        }
    }

    private static func statements(
        _ link: PgLink, _ period: Period, _ question: Question
    ) throws -> [PeriodStore.StoredStatement] {
        guard question.isOfPreStatements else { return try MonthClosing(link, period: period).kept() }
        let issued = try StageStore(link).preStatements(period)
        guard !issued.isEmpty else {
            throw CommandFailure(
                .usage, "no pre-statement of \(period) is out",
                remedy:
                    "`dispatcherd statement issue --period \(period)` puts them out; a closed month is asked about without --pre."
            )
        }
        return issued
    }

    private typealias Found = [(part: Part, line: StatementDocument.Line)]

    private static func find(_ question: Question, in parts: [Part]) -> (sums: [String], found: Found) {
        let candidates: [Found] = parts.map { part in
            part.section.lines.filter { question.rule == nil || $0.rule == question.rule }.map { (part, $0) }
        }
        guard let amount = question.amount else { return ([], candidates.flatMap(\.self)) }
        var sums: [String] = []
        var found: Found = []
        func look(_ indices: [Int], _ name: String) {
            let own = indices.flatMap { candidates[$0] }
            let match = AmountMatch(amount, totals: indices.map { parts[$0].section.totals }, own.map(\.line))
            sums += match.sums.map { "\(name): \($0)" }
            found += match.indices.map { own[$0] }
        }
        for (index, part) in parts.enumerated() { look([index], "contract \(part.statement.contract), \(part.place)") }
        if !found.isEmpty { return (sums, found) }
        let contracts = Dictionary(grouping: parts.indices) { parts[$0].statement.contract }
        if question.delegation == nil {
            for contract in contracts.keys.sorted() {
                look(contracts[contract, default: []], "contract \(contract), the whole statement")
            }
            if !found.isEmpty { return (sums, found) }
        }
        if question.contract == nil {
            let place = question.delegation.map { ", delegation \($0)" } ?? ""
            look(Array(parts.indices), "\(contracts.count) contracts\(place)")
        }
        return (sums, found)
    }
}

/// The ways in which an amount can be one of a section's, or of several together: a line, a line with its IVA, all lines of a rule, or a
/// total.
struct AmountMatch {
    private(set) var sums: [String] = []
    /// Of the candidates, the lines that it is made of; ascending.
    private(set) var indices: [Int] = []

    private let amount: Cents

    init(_ amount: Cents, totals: [StatementDocument.Totals], _ candidates: [StatementDocument.Line]) {
        self.amount = amount
        if totals.count == 1 { matchLines(candidates) }
        if indices.isEmpty { matchTotals(totals, candidates) }
        if indices.isEmpty { matchRules(candidates) }
    }

    private mutating func matchLines(_ candidates: [StatementDocument.Line]) {
        let tax = candidates.first { $0.kind.hasPrefix("tax") }?.rate.percent.flatMap { BasisPoints(percent: $0) }
        for (index, line) in candidates.enumerated() {
            guard let own = Cents(pesos: line.amount) else { continue }
            if own == amount {
                indices.append(index)
                sums.append("\(grouped(amount)) is the line \(line.rule) \(line.subject)".trimmed)
            } else if let tax, !line.kind.hasPrefix("tax"), own + own.charge(tax) == amount {
                indices.append(index)
                sums.append(
                    "\(grouped(amount)) is \(line.rule) \(line.subject)".trimmed
                        + ", \(grouped(own)), with IVA \(grouped(own.charge(tax)))")
            }
        }
    }

    /// What a rule adds to its total, less what limits and persons took of it.
    private mutating func matchRules(_ candidates: [StatementDocument.Line]) {
        for rule in Set(candidates.map(\.rule)).sorted() where rule != PenaltyTerms.taxRule {
            let own = candidates.indices.filter { candidates[$0].rule == rule }
            guard own.count > 1, own.reduce(Cents.zero, { $0 + candidates[$1].signed }) == amount else { continue }
            indices = own
            sums.append("\(grouped(amount)) is the sum of \(rule), \(own.count) lines")
            return
        }
    }

    private mutating func matchTotals(_ totals: [StatementDocument.Totals], _ candidates: [StatementDocument.Line]) {
        func sum(_ figure: KeyPath<StatementDocument.Totals, String>) -> Cents {
            totals.reduce(.zero) { $0 + (Cents(pesos: $1[keyPath: figure]) ?? .zero) }
        }
        let (fees, penalties) = (sum(\.fees), sum(\.penalties))
        let (onFees, onPenalties) = (sum(\.taxOnFees), sum(\.taxOnPenalties))
        let sides: [(String, Cents, Set<StatementTotals.Part>)] = [
            ("fees", fees, [.fees]), ("penalties", penalties, [.penalties]),
            ("fees with IVA", fees + onFees, [.fees, .taxOnFees]),
            ("penalties with IVA", penalties + onPenalties, [.penalties, .taxOnPenalties]),
            ("IVA on fees", onFees, [.taxOnFees]), ("IVA on penalties", onPenalties, [.taxOnPenalties]),
            ("what is payable", sum(\.payable), [.fees, .penalties, .taxOnFees, .taxOnPenalties]),
        ]
        for (name, sum, parts) in sides where sum == amount {
            indices = candidates.indices.filter { candidates[$0].part.map(parts.contains) ?? false }
            guard !indices.isEmpty else { continue }
            sums.append("\(grouped(amount)) is the sum of its \(name), \(indices.count) lines")
            return
        }
    }
}

extension StatementDocument.Line {
    fileprivate var part: StatementTotals.Part? { StatementLine.Kind(rawValue: kind)?.part.total }

    /// Below zero where it lowers its total.
    fileprivate var signed: Cents {
        let own = Cents(pesos: amount) ?? .zero
        return StatementLine.Kind(rawValue: kind)?.part.isLowering == true ? -own : own
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
        arithmeticInEnglish = line.arithmeticInEnglish ?? ""
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
            if !line.arithmeticInEnglish.isEmpty { words.append("  \(line.arithmeticInEnglish)") }
            words += line.facts.map { "  fact \($0)" }
            words += line.records.map { record in
                "  outcome \(record.outcome): account \(record.account), \(record.worked), \(record.channel), "
                    + record.result + (record.review.map { ", \($0)" } ?? "") + "  [\(record.receipt.prefix(16))…]"
            }
            if line.recordCount > line.records.count {
                words.append("  \(line.recordCount - line.records.count) more outcomes; --records N shows more")
            }
            words.append("  in \(isFinal ? "statement" : "pre-statement") \(line.statement)")
        }
        if lineCount > lines.count {
            words += [
                "",
                "\(lineCount - lines.count) more lines; --lines N shows more, --contract and --delegation narrow it down",
            ]
        }
        return words.first == "" ? Array(words.dropFirst()) : words
    }
}

extension String {
    fileprivate var trimmed: String { hasSuffix(" ") ? String(dropLast()) : self }
}
