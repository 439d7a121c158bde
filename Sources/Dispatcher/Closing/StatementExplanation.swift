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
        /// A line's amount, with or without IVA, or a total of a section or statement; with the sign that pages show, or the other.
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
    /// How many of those are of 0.00; they come last.
    package let emptyLineCount: Int
    package let lines: [Line]

    /// Looks for an amount in sections first, then in statements, then in all of them together: the smallest that it is a figure of. One
    /// that is found nowhere is looked for with the other sign.
    ///
    /// - Throws: ``CommandFailure`` where there are no such statements, or nothing of them fits the question.
    package init(_ link: PgLink, period: Period, _ question: Question) throws {
        if let delegation = question.delegation { _ = try Words.delegation(delegation) }
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
        var (sums, found) = Self.find(question, in: sections)
        if found.isEmpty, let amount = question.amount {
            var other = question
            other.amount = -amount
            (sums, found) = Self.find(other, in: sections)
        }
        guard !found.isEmpty else { throw QuestionFault(period, question, documents).failure }
        let empty = found.filter { $0.line.signed == .zero }
        found = found.filter { $0.line.signed != .zero } + empty
        self.period = "\(period)"
        isFinal = !question.isOfPreStatements
        self.sums = sums
        lineCount = found.count
        emptyLineCount = empty.count
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
            look(Array(parts.indices), Words.counted(Int64(contracts.count), "contract") + place)
        }
        return (sums, found)
    }
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
        if !sums.isEmpty, emptyLineCount > 0 {
            words.append(
                emptyLineCount == 1
                    ? "the line of 0.00 comes last"
                    : "\(Words.counted(Int64(emptyLineCount), "line")) of 0.00 come last")
        }
        for line in lines {
            words += [
                "",
                "\(line.shown)  \(line.rule) \(line.subject)".trimmed + "  (\(line.kind), "
                    + (line.delegation.map { "delegation \($0)" } ?? "the whole invoice") + ")",
                "  contract \(line.contract) of \(line.agency); schedule \(line.schedule)",
                "  clause: \(line.clause)",
            ]
            if !line.terms.isEmpty { words.append("  terms of \(line.rule): \(line.terms.joined(separator: ", "))") }
            words += ["  base \(amounts(line.base)), rate \(amounts(line.rate))", "  \(line.arithmetic)"]
            if !line.arithmeticInEnglish.isEmpty { words.append("  \(line.arithmeticInEnglish)") }
            words += line.grounds.map { "  \($0)" }
            for fact in line.facts {
                words.append("  fact \(fact.text)" + receipt(fact.receipt))
                words += records(fact.records, of: fact.recordCount, indent: "    ")
            }
            words += records(line.records, of: line.recordCount, indent: "  ")
            words += line.accounts.flatMap(\.words)
            if line.accountCount > line.accounts.count {
                let more = Int64(line.accountCount - line.accounts.count)
                words.append("  \(Words.counted(more, "more account")); --records N shows more")
            }
            words.append(
                "  in \(isFinal ? "statement" : "pre-statement") \(line.statement)" + receipt(line.statementReceipt))
        }
        if lineCount > lines.count {
            words += [
                "",
                Words.counted(Int64(lineCount - lines.count), "more line")
                    + "; --lines N shows more, --contract and --delegation narrow it down",
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
            words.append(
                indent + Words.counted(Int64(count - records.count), "more outcome") + "; --records N shows more")
        }
        return words
    }
}

extension StatementExplanation.Line.Account {
    fileprivate var words: [String] {
        var text = "  account \(account)"
        if let daysLate { text += ", \(daysLate) days late" }
        if let overdue { text += ", overdue \(amounts(overdue))" }
        return [
            text
                + (paid.hasPrefix("-")
                    ? ", taken back \(amounts(String(paid.dropFirst())))" : ", paid \(amounts(paid))")
        ]
            + payments.map { payment in
                "    payment \(payment.payment) of \(payment.paidOn): \(amounts(payment.amount)), \(payment.origin)"
                    + (payment.reverses.map { ", takes back \($0)" } ?? "")
                    + ", feed of \(payment.feed), from \(payment.file)"
                    + receipt(payment.receipt)
            }
    }
}

extension StatementExplanation.Line {
    /// As pages have it: below zero where it is taken from what the contract is paid.
    fileprivate var shown: String {
        let own = Cents(pesos: amount) ?? .zero
        return grouped(StatementLine.Kind(rawValue: kind)?.isTaken == true ? -own : own)
    }
}

/// The same words with the thousands of an amount or count at their beginning apart: `5808.00 pesos` as `5,808.00 pesos`.
private func amounts(_ text: String) -> String {
    let parts = text.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard let first = parts.first, !first.isEmpty, parts.last != "%" else { return text }
    let own = Int64(first).map { grouped($0) } ?? Cents(pesos: first).map { grouped($0) } ?? first
    return ([own] + parts.dropFirst()).joined(separator: " ")
}

/// The beginning of a receipt, which `ledger prove` takes; nothing where there is none.
private func receipt(_ text: String) -> String { text.isEmpty ? "" : "  [\(text.prefix(16))…]" }

extension String {
    /// Without the space behind a rule that has no subject.
    var trimmed: String { hasSuffix(" ") ? String(dropLast()) : self }
}
