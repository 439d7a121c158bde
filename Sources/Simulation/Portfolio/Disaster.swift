// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// The hurricane of October 2023 in Guerrero, as far as its accounts were published: 39,371 credits in balance, of them 33,770 in
/// force and 5,601 overdue, by regime and with 26,474 extensions (ORA-60); and 7,661 beside the balance, in four groups that are not named,
/// which are all taken for segregated ones.
///
/// Two municipalities are struck (an assumption; the published list by municipality has ten). Every account in them is suspended
/// (SOL-03: two blocks of three months).
enum Disaster {
    static let delegation = 12
    /// Acapulco de Juárez and Coyuca de Benítez.
    static let municipalities = [12_001, 12_021]
    /// 39,371 of 5,513,092 in balance are 0.714 %, which are 83.7 % of those struck; the delegation is drawn with 1.1 %, and 90.91 % of
    /// all accounts are in balance.
    private static let struckPerTenThousand = 7_050
    /// 7,661 of the 47,032 that were struck.
    private static let besideBalance = (part: 7_661, of: 47_032)

    static func isStruck(_ draft: AccountDraft) -> Bool {
        draft.delegation == delegation && municipalities.contains(draft.municipality)
    }

    static func strike(_ draft: inout AccountDraft, asOf: LocalDate, _ random: inout SplitMix64) {
        guard random.chance(struckPerTenThousand) else {
            if municipalities.contains(draft.municipality) { draft.municipality = 12_029 }
            return
        }
        draft.municipality = municipalities[random.chance(8_500) ? 0 : 1]
        draft.situation = .active
        if random.below(besideBalance.of) < besideBalance.part {
            draft.book = .segregated
        } else if !draft.isInBalance {
            draft.book = .infonavit
        }
        draft.disasterUntil = asOf.advanced(byDays: random.between(30...120))
        draft.fppUntil = nil
        draft.lawsuitOn = nil
        draft.disputeOn = nil
        draft.extensionUntil = nil
        switch random.below(39_371) {
        case ..<5_601:
            draft.kind = .overdue(random.between(4...20))
            draft.regime = random.below(5_601) < 391 ? .roa : .rea
        case ..<(5_601 + 26_474):
            draft.kind = .current
            draft.regime = random.chance(1_546) ? .rea : .roa
            draft.extensionUntil = asOf.advanced(byDays: random.between(20...150))
            draft.extensionMonths = random.between(1...6)
        case ..<(5_601 + 26_474 + 6_168):
            draft.kind = .current
            draft.regime = .roa
        default:
            draft.kind = .current
            draft.regime = .rea
        }
        fit(&draft, asOf: asOf, &random)
    }

    /// Amounts and days that follow from what it became.
    private static func fit(_ draft: inout AccountDraft, asOf: LocalDate, _ random: inout SplitMix64) {
        draft.jobLostOn = nil
        draft.judicialOn = nil
        draft.isSuitProfiled = false
        draft.incompletePayments = 0
        if draft.balance == 0 { draft.balance = draft.originalAmount / 100 * random.between(41...105) }
        draft.due = draft.originalAmount / 10_000 * random.between(65...86)
        draft.arrears = if case .overdue(let arrears) = draft.kind { arrears } else { 0 }
        draft.daysLate = draft.arrears == 0 ? 0 : (draft.arrears - 1) * 30 + random.between(1...30)
        draft.overdue = min(draft.balance, draft.due * draft.arrears)
        draft.lastPaymentOn = asOf.advanced(byDays: -(draft.arrears * 30 + random.below(30)))
        draft.maxArrears4M = draft.arrears
        draft.isAtAffiliatedEmployer = draft.regime == .roa && draft.isAtAffiliatedEmployer
        draft.isCivilServant = draft.isCivilServant && draft.isAtAffiliatedEmployer
    }
}
