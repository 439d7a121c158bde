// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// What an objection can be about, so that upholding it has an effect: a penalty that the pre-statement has, fees, and what a budget cut.
///
/// IVA, limits, and what persons changed follow from other lines or were decided by two persons.
enum ObjectionScope {
    /// What upholding proposes; `nil` where nothing would follow.
    static func effect(of rule: String) -> Adjustment.Kind? {
        if PenaltyRule(rawValue: rule) != nil { return .waiver }
        return isOfFees(rule) || rule == FeeTariff.budgetRule ? .credit : nil
    }

    /// What fees lack may be objected to where there is no line.
    static func isOfFees(_ rule: String) -> Bool { rule == FeeTariff.rule || MoraBand(rawValue: rule) != nil }

    /// - Parameter shown: the contract's pre-statement; `nil` where it has none.
    /// - Throws: ``CommandFailure`` with what could be named instead.
    static func require(
        _ rule: String, contract: Int32, delegation: Int16?, on shown: StatementDocument?
    ) throws(CommandFailure) {
        let section = shown?.sections.first { $0.delegation == delegation.map(Int.init) }
        guard effect(of: rule) != nil else {
            throw CommandFailure(
                .usage, "an objection is about a penalty or about fees, and \(rule) is neither",
                remedy: "IVA and limits follow from other lines: name one of those, "
                    + "\(choices(section).joined(separator: ", ")).")
        }
        guard let section, isOfFees(rule) || section.lines.contains(where: { isOpen($0, rule) }) else {
            throw CommandFailure(
                .findings, "the pre-statement of contract \(contract) has no \(rule) there",
                remedy: (section.map { "It can be about \(choices($0).joined(separator: ", ")) there. " } ?? "")
                    + "Without --delegation a line is one on the whole invoice.")
        }
    }

    private static func isOpen(_ line: StatementDocument.Line, _ rule: String) -> Bool {
        line.rule == rule && (line.kind == "penalty" || rule == FeeTariff.budgetRule && line.kind == "fee-cut")
    }

    private static func choices(_ section: StatementDocument.Section?) -> [String] {
        let lines = (section?.lines ?? []).filter { isOpen($0, $0.rule) }.map(\.rule)
        return Set(lines).sorted() + [FeeTariff.rule] + MoraBand.allCases.map(\.rawValue)
    }
}
