// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// Why nothing of a month's statements fits a question: which of its words names nothing, and what there is.
struct QuestionFault {
    private let period: Period
    private let question: StatementExplanation.Question
    /// The statements that the question is about.
    private let documents: [StatementDocument]
    private let contracts: [Int]

    /// - Parameter documents: every statement of the month.
    init(_ period: Period, _ question: StatementExplanation.Question, _ documents: [StatementDocument]) {
        self.period = period
        self.question = question
        contracts = documents.map(\.contract).sorted()
        self.documents = documents.filter { question.contract == nil || $0.contract == question.contract.map(Int.init) }
    }

    var failure: CommandFailure {
        if let contract = question.contract, documents.isEmpty {
            return failure(
                "there is no \(kind) of contract \(contract) of \(period)", "There are those of",
                contracts.map(String.init))
        }
        let sections = documents.flatMap(\.sections)
        let there = sections.filter { question.delegation == nil || $0.delegation == question.delegation.map(Int.init) }
        if let delegation = question.delegation, there.isEmpty {
            return failure(
                "there is no delegation \(delegation) in \(statements)", "There are the delegations",
                Set(sections.compactMap(\.delegation)).sorted().map(String.init))
        }
        let lines = there.flatMap(\.lines)
        let place = question.delegation.map { ", delegation \($0)" } ?? ""
        if let rule = question.rule.map(Words.rule),
            !lines.contains(where: { PenaltySubject(rule).covers(PenaltySubject(rule: $0.rule, subject: $0.subject)) })
        {
            return failure(
                "there is no line of \(rule) in \(statements)\(place)", "There are lines of",
                Set(lines.map(\.rule)).sorted())
        }
        guard let amount = question.amount else {
            return CommandFailure(
                .findings, "there is no line in \(statements)\(place)",
                remedy: "Nothing is billed or charged there, and so there is nothing to explain.")
        }
        let rule = question.rule.map { " of \(Words.rule($0))" } ?? ""
        return CommandFailure(
            .findings,
            "\(grouped(amount)) is no line, sum of a rule or total\(rule) in \(statements)\(place), with either sign",
            remedy:
                "Ask without --amount to see all its lines; `dispatcherd statement list --period \(period)` has the totals."
        )
    }

    private var kind: String { question.isOfPreStatements ? "pre-statement" : "statement" }

    private var statements: String {
        question.contract.map { "the \(kind) of contract \($0) of \(period)" } ?? "the \(kind)s of \(period)"
    }

    private func failure(_ found: String, _ words: String, _ there: [String]) -> CommandFailure {
        let list = there.prefix(40).joined(separator: ", ") + (there.count > 40 ? " …" : "")
        return CommandFailure(.findings, found, remedy: there.isEmpty ? "There are none." : "\(words) \(list).")
    }
}
