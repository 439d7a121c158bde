// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// What an objection can be about, so that upholding it has an effect: a penalty that the pre-statement has, fees, and what a budget cut.
///
/// IVA, limits, and what persons changed follow from other lines or were decided by two persons.
enum ObjectionScope {
    /// What upholding proposes; `nil` where nothing would follow.
    ///
    /// - Parameter rule: or a line of it, `PEN-01:telephone`.
    static func effect(of rule: String) -> Adjustment.Kind? {
        if PenaltyRule(rawValue: PenaltySubject(rule).rule) != nil { return .waiver }
        return isOfFees(rule) || rule == FeeTariff.budgetRule ? .credit : nil
    }

    /// All that an objection can be about anywhere.
    static let everything =
        PenaltyRule.allCases.map(\.rawValue) + [FeeTariff.rule] + MoraBand.allCases.map(\.rawValue)
        + [FeeTariff.budgetRule]

    /// What fees lack may be objected to where there is no line. They have no lines to be told apart by.
    static func isOfFees(_ rule: String) -> Bool { rule == FeeTariff.rule || MoraBand(rawValue: rule) != nil }

    /// Fees are objected to where they are billed, in a delegation, and by bands where the contract pays by them.
    ///
    /// - Parameter shown: the contract's pre-statement; `nil` where it has none.
    /// - Returns: what it is about: of a penalty with several lines there, one of them.
    /// - Throws: ``CommandFailure`` with what could be named instead.
    static func require(
        _ rule: String, contract: Int32, delegation: Int16?, on shown: StatementDocument?
    ) throws(CommandFailure) -> PenaltySubject {
        let section = shown?.sections.first { $0.delegation == delegation.map(Int.init) }
        let choices = section.map { Self.choices($0, on: shown) } ?? []
        guard let effect = effect(of: rule) else {
            throw CommandFailure(
                .usage, "an objection is about a penalty or about fees, and \(rule) is neither",
                remedy: "IVA and limits follow from other lines: name one of those, "
                    + (choices.isEmpty ? everything : choices).joined(separator: ", ") + ".")
        }
        let about = PenaltySubject(rule)
        if effect == .waiver, let section,
            let found = try line(about, in: section, of: "the pre-statement of contract \(contract)")
        {
            return found
        }
        if choices.contains(rule) { return about }
        throw CommandFailure(
            .findings, "the pre-statement of contract \(contract) has no \(rule) there",
            remedy: (section == nil
                ? ""
                : choices.isEmpty
                    ? "There is nothing there to object to. "
                    : "It can be about \(choices.joined(separator: ", ")) there. ")
                + (delegation == nil
                    ? "Fees, and most penalties, are a delegation's: name it with --delegation."
                    : "Without --delegation a line is one on the whole invoice."))
    }

    /// The line of a penalty that is meant: the one that there is, or the one that is named.
    ///
    /// - Parameter whose: for people: the statement.
    /// - Returns: `nil` where the section has no such line.
    /// - Throws: ``CommandFailure`` with all of them, where there are several and none is named.
    static func line(
        _ about: PenaltySubject, in section: StatementDocument.Section, of whose: String
    ) throws(CommandFailure) -> PenaltySubject? {
        let found = charges(section).subjects(of: about)
        guard found.count > 1 else { return found.first }
        throw CommandFailure(
            .usage,
            "\(whose) has \(found.count) lines of \(about.text) there, and each is waived and objected to by itself",
            remedy: "Name one of them: \(found.map(\.text).joined(separator: " or ")).")
    }

    /// The penalties of a section.
    static func charges(_ section: StatementDocument.Section) -> WaivableCharges {
        var charges = WaivableCharges()
        for line in section.lines where line.kind == StatementLine.Kind.penalty.rawValue {
            charges.add(PenaltySubject(rule: line.rule, subject: line.subject), Cents(pesos: line.amount) ?? .zero)
        }
        return charges
    }

    private static func isCut(_ line: StatementDocument.Line) -> Bool {
        line.rule == FeeTariff.budgetRule && line.kind == StatementLine.Kind.feeCut.rawValue
    }

    private static func choices(_ section: StatementDocument.Section, on shown: StatementDocument?) -> [String] {
        let charges = charges(section)
        let penalties = Set(
            PenaltyRule.allCases.flatMap { charges.subjects(of: PenaltySubject($0.rawValue)) }.map(\.text))
        let cuts = section.lines.contains(where: isCut) ? [FeeTariff.budgetRule] : []
        guard section.delegation != nil else { return cuts + penalties.sorted() }
        let paysByBands = shown?.sections.contains { !($0.bands ?? []).isEmpty } ?? false
        return penalties.sorted() + cuts + [FeeTariff.rule] + (paysByBands ? MoraBand.allCases.map(\.rawValue) : [])
    }
}
