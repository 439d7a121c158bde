// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// What a statement's line is about, in English; the clause that binds is the Spanish one beside it.
enum EnglishClause {
    /// - Parameters:
    ///   - kind: the line's, as the statement has it.
    ///   - rule: as it is cited.
    ///   - isObjection: whether a credit is about the month itself, by an objection.
    static func text(kind: String, rule: String, isObjection: Bool = false) -> String {
        if let rule = PenaltyRule(rawValue: rule), kind == StatementLine.Kind.penalty.rawValue {
            return text(rule)
        }
        switch StatementLine.Kind(rawValue: kind) {
        case .fee:
            return rule == FeeTariff.rule
                ? "Price per service; an account is billed at most once per service and period."
                : "Part of the overdue value recovered in the band, by the percent recovered."
        case .feeCut where rule != FeeTariff.budgetRule:
            return "Contingency fee given back: the payment behind it was taken back."
        case .feeCut: return "The contract's budget: what goes beyond it is not billed."
        case .penaltyCap:
            return "Limit of the month's penalties as a part of the invoice: what goes beyond it is not charged."
        case .waiver: return "A penalty that two persons waived."
        case .credit where isObjection: return "Credit by an objection that was upheld, agreed by two persons."
        case .credit: return "Credit about an earlier month, agreed by two persons."
        case .debit: return "Debit about an earlier month, agreed by two persons."
        case .taxOnFees: return "IVA on fees."
        case .taxOnPenalties: return "IVA on penalties, and on fees that debits take back."
        case .penalty, nil: return ""
        }
    }

    private static func text(_ rule: PenaltyRule) -> String {
        switch rule {
        case .capacity: "Installed capacity: fewer advisers present than the assigned portfolio requires."
        case .workPlan: "Work plan: less reached than the least demanded of the month's goals."
        case .absence: "Adviser absent at supervision, or office closed without prior notice."
        case .improvement: "Improvement plan: commitments of the monthly supervision not met, by their impact."
        case .dwelling: "Irregular dwelling: the delegation rejected more than the limit of what it reviewed."
        case .telephoneQuality: "Evaluation of the telephone channel below the minimum; on the month's invoice."
        case .agreement: "Agreements: the delegation rejected more than the limit of what it reviewed."
        case .recidivism: "Recidivism in work plan and/or improvement plan within the months that count."
        case .preventiveQuality: "Call quality below the level required; on the month's invoice."
        case .preventiveRequirement: "Any requirement of supervision not met; on the month's invoice."
        case .preventiveWorkPlan: "Work plan not met; on the month's invoice."
        }
    }
}
