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
        /// What supervision recorded or persons decided.
        package struct Fact: Encodable {
            package let text: String
            /// Of its record in the ledger; empty where it has none.
            package let receipt: String
            /// Of a goal that was counted: the accounts, and of each of the first ones the outcome that counts.
            package let recordCount: Int
            package let records: [Record]

            init(_ text: String) { self.init(text: text, receipt: "") }

            init(text: String, receipt: String, recordCount: Int = 0, records: [Record] = []) {
                self.text = text
                self.receipt = receipt
                self.recordCount = recordCount
                self.records = records
            }
        }

        package struct Payment: Encodable {
            package let payment: String
            package let paidOn: String
            /// The month of the feed that brought it.
            package let feed: String
            package let amount: String
            package let origin: String
            /// The payment that it takes back.
            package let reverses: String?
            package let file: String
            package let receipt: String
        }

        package struct Account: Encodable {
            package let account: String
            /// By the latest cut up to the month; `nil` where there is none.
            package let daysLate: Int32?
            /// The most that it counts, unless the contract's rate is of all that was paid (AMB-09).
            package let overdue: String?
            /// Below zero where it was taken back.
            package let paid: String
            package let payments: [Payment]
        }

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
        /// What the schedule has under the rule, as `parameter value`.
        package let terms: [String]
        /// What the base is made of, and of contingency the band's goal.
        package let grounds: [String]
        package let facts: [Fact]
        package let recordCount: Int
        package let records: [Record]
        /// Of contingency: accounts whose payments it counts, or takes back.
        package let accountCount: Int
        package let accounts: [Account]
        /// The statement that the line is in, and what is signed of it.
        package let statement: String
        /// Of the record that the ledger has of the statement; empty before the close.
        package let statementReceipt: String
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
        var documents: [StatementDocument] = []
        for statement in try Self.statements(link, period, question) {
            let document = try StatementDocument(statement.body)
            documents.append(document)
            guard question.contract == nil || statement.contract == question.contract else { continue }
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
        let grounds = StatementGrounds(
            store: ExplainStore(link), stages: StageStore(link), period: period, recordsMax: question.recordsMax,
            isFinal: isFinal, documents: documents)
        lines = try found.prefix(question.linesMax).map { part, line in
            try Line(line, part, grounds, isFinal: !question.isOfPreStatements)
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
            part.section.lines.filter { line in
                let own = PenaltySubject(rule: line.rule, subject: line.subject)
                return question.rule.map { PenaltySubject(Words.rule($0)).covers(own) } ?? true
            }.map { (part, $0) }
        }
        guard let amount = question.amount else { return ([], candidates.flatMap(\.self)) }
        var sums: [String] = []
        var found: Found = []
        func look(_ indices: [Int], _ name: String) {
            let own = indices.flatMap { candidates[$0] }
            let match = AmountMatch(
                amount, totals: indices.map { parts[$0].section.totals }, own.map(\.line),
                taxes: SectionTaxes(indices.flatMap { parts[$0].section.lines }))
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
    private let taxes: SectionTaxes

    /// - Parameters:
    ///   - candidates: the lines that are asked about.
    ///   - taxes: of all lines that they are among, because a question about a rule leaves the line of IVA out.
    init(
        _ amount: Cents, totals: [StatementDocument.Totals], _ candidates: [StatementDocument.Line], taxes: SectionTaxes
    ) {
        self.amount = amount
        self.taxes = taxes
        if totals.count == 1 { matchLines(candidates) }
        if indices.isEmpty { matchTotals(totals, candidates) }
        if indices.isEmpty { matchRules(candidates) }
    }

    private mutating func matchLines(_ candidates: [StatementDocument.Line]) {
        for (index, line) in candidates.enumerated() {
            guard let own = Cents(pesos: line.amount) else { continue }
            if own == amount {
                indices.append(index)
                sums.append("\(grouped(amount)) is the line \(line.rule) \(line.subject)".trimmed)
            } else if let tax = taxes.rate(on: line), own + own.charge(tax) == amount {
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
            ("payable amount", sum(\.payable), [.fees, .penalties, .taxOnFees, .taxOnPenalties]),
        ]
        for (name, sum, parts) in sides where sum == amount {
            indices = candidates.indices.filter { candidates[$0].part.map(parts.contains) ?? false }
            guard !indices.isEmpty else { continue }
            sums.append("\(grouped(amount)) is the sum of its \(name), \(indices.count) lines")
            return
        }
    }
}

/// The IVA of a section, fees and penalties apart: one side may have none, or another rate.
struct SectionTaxes {
    private let onFees: BasisPoints?
    private let onPenalties: BasisPoints?

    init(_ lines: [StatementDocument.Line]) {
        func rate(_ part: StatementTotals.Part) -> BasisPoints? {
            lines.first { $0.part == part }?.rate.percent.flatMap { BasisPoints(percent: $0) }
        }
        onFees = rate(.taxOnFees)
        onPenalties = rate(.taxOnPenalties)
    }

    /// `nil` where the line is not taxed, or is IVA itself.
    func rate(on line: StatementDocument.Line) -> BasisPoints? {
        switch line.part {
        case .fees: onFees
        case .penalties: onPenalties
        case .taxOnFees, .taxOnPenalties, nil: nil
        }
    }
}

extension StatementDocument.Line {
    fileprivate var part: StatementTotals.Part? { StatementLine.Kind(rawValue: kind)?.part.total }
}

extension StatementExplanation.Line {
    fileprivate init(
        _ line: StatementDocument.Line, _ part: StatementExplanation.Part, _ grounds: StatementGrounds, isFinal: Bool
    ) throws {
        let (section, document, statement) = (part.section, part.document, part.statement)
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
        terms = try grounds.terms(line)
        self.grounds =
            grounds.base(line, section, document) + grounds.goal(line, section, document)
            + (try grounds.earlier(line, statement.contract, section.delegation))
        facts = try grounds.facts(line, statement.contract, section.delegation)
        recordCount = line.records.count
        records =
            try section.delegation.flatMap { Int16(exactly: $0) }.flatMap(Delegation.init)
            .map { try grounds.records(line.records, $0) } ?? []
        let accounts = try grounds.accounts(line, contract: statement.contract, section.delegation)
        accountCount = accounts.count
        self.accounts = accounts.accounts
        self.statement = "C\(statement.contract), SHA-256 \(LedgerTree.hex(statement.digest))"
        statementReceipt = isFinal ? document.receipt(of: section, digest: statement.digest, grounds.period) : ""
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
                "  clause: \(line.clause)",
            ]
            if !line.terms.isEmpty { words.append("  terms of \(line.rule): \(line.terms.joined(separator: ", "))") }
            words += ["  base \(line.base), rate \(line.rate)", "  \(line.arithmetic)"]
            if !line.arithmeticInEnglish.isEmpty { words.append("  \(line.arithmeticInEnglish)") }
            words += line.grounds.map { "  \($0)" }
            for fact in line.facts {
                words.append("  fact \(fact.text)" + receipt(fact.receipt))
                words += records(fact.records, of: fact.recordCount, indent: "    ")
            }
            words += records(line.records, of: line.recordCount, indent: "  ")
            words += line.accounts.flatMap(\.words)
            if line.accountCount > line.accounts.count {
                words.append("  \(line.accountCount - line.accounts.count) more accounts; --records N shows more")
            }
            words.append(
                "  in \(isFinal ? "statement" : "pre-statement") \(line.statement)" + receipt(line.statementReceipt))
        }
        if lineCount > lines.count {
            words += [
                "",
                "\(lineCount - lines.count) more lines; --lines N shows more, --contract and --delegation narrow it down",
            ]
        }
        return words.first == "" ? Array(words.dropFirst()) : words
    }

    private func records(_ records: [Record], of count: Int, indent: String) -> [String] {
        var words = records.map { record in
            indent + "outcome \(record.outcome): account \(record.account), \(record.worked), \(record.channel), "
                + record.result + (record.review.map { ", \($0)" } ?? "") + receipt(record.receipt)
        }
        if count > records.count {
            words.append(indent + "\(count - records.count) more outcomes; --records N shows more")
        }
        return words
    }
}

extension StatementExplanation.Line.Account {
    fileprivate var words: [String] {
        var text = "  account \(account)"
        if let daysLate { text += ", \(daysLate) days late" }
        if let overdue { text += ", overdue \(overdue)" }
        return [text + (paid.hasPrefix("-") ? ", taken back \(paid.dropFirst())" : ", paid \(paid)")]
            + payments.map { payment in
                "    payment \(payment.payment) of \(payment.paidOn): \(payment.amount), \(payment.origin)"
                    + (payment.reverses.map { ", takes back \($0)" } ?? "")
                    + ", feed of \(payment.feed), from \(payment.file)"
                    + receipt(payment.receipt)
            }
    }
}

/// The beginning of a receipt; nothing where there is none.
private func receipt(_ text: String) -> String { text.isEmpty ? "" : "  [\(text.prefix(16))…]" }

extension String {
    fileprivate var trimmed: String { hasSuffix(" ") ? String(dropLast()) : self }
}
