// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// Draws the accounts of a cut, each from its own random stream.
///
/// Calibrated on: currency ORA-01, overdue share by currency ORA-02, preventive ORA-11, dual and its agreements ORA-13, ten and more
/// unpaid ORA-14, certificates ORA-34, segregated ORA-35, pensioners ORA-42, FPP ORA-44, extensions ORA-45; ``CutFigures`` holds it to
/// them. What no source prints (shares of arrears within a class, regimes, contact
/// flags, mean balance) is assumed.
package struct AccountMaker: Sendable {
    let seed: UInt64
    let asOf: LocalDate
    /// A disaster in the state of Guerrero, as that of October 2023 (ORA-60).
    let hasDisaster: Bool

    package init(seed: UInt64, asOf: LocalDate, hasDisaster: Bool = false) {
        self.seed = seed
        self.asOf = asOf
        self.hasDisaster = hasDisaster
    }

    /// The account with this number, from 0 on; the same whatever the size of the portfolio.
    func account(_ index: Int) -> AccountDraft {
        var random = SplitMix64(seed: seed, stream: UInt64(index))
        var draft = AccountDraft()
        draft.account = 1_000_000_000 + index * 11 + random.below(11)
        // Neighbours in the file share a debtor now and then, as a couple or a second credit does.
        draft.debtor = 500_000_000 + (random.chance(200) && index > 0 ? index - 1 : index)
        draft.delegation = Int(Country.delegationOfTicket[random.below(Country.weightTotal)])
        draft.municipality = Country.municipality(of: draft.delegation, &random)
        draft.isVSM = random.chance(3_084)
        draft.kind = kind(isVSM: draft.isVSM, &random)
        money(&draft, &random)
        history(&draft, &random)
        exclusions(&draft, &random)
        judicial(&draft, &random)
        solutions(&draft, &random)
        contact(&draft, &random)
        reliefs(&draft, &random)
        risk(&draft, &random)
        if hasDisaster, draft.delegation == Disaster.delegation { Disaster.strike(&draft, asOf: asOf, &random) }
        return draft
    }

    private func kind(isVSM: Bool, _ random: inout SplitMix64) -> AccountDraft.Kind {
        if random.chance(isVSM ? 2_409 : 927) {
            switch random.below(100) {
            case ..<45: return .overdue(random.between(4...9))
            case ..<75: return .overdue(random.between(10...24))
            default: return .overdue(random.between(25...60))
            }
        }
        // Of the accounts in force, 13.7 % go to the preventive segment: 650,000 of 5.5 million (ORA-11); the rest of
        // these 1,560 in ten thousand is taken out by an extension, FPP and the like.
        switch random.below(10_000) {
        case ..<480: return .jobLost
        case ..<800: return .incomplete
        case ..<1_270: return .late(1)
        case ..<1_465: return .late(2)
        case ..<1_560: return .late(3)
        default: return .current
        }
    }

    private func money(_ draft: inout AccountDraft, _ random: inout SplitMix64) {
        // Mean 450,000 pesos and a part of 73 % still owed: 328,500.
        draft.originalAmount = 20_000_000 + (random.below(25_000_000) + random.below(25_000_000))
        draft.balance = draft.originalAmount / 10_000 * random.between(4_100...10_500)
        // Instalments as far as they are published: $3,386 is the mean payment of the 37,819 credits of ORA-10, which the
        // preventive ones are not; of those $1,783 were to be recovered each (ORA-11: 1,159 of 650,000).
        switch draft.kind {
        case .current, .overdue: draft.due = draft.originalAmount / 10_000 * random.between(65...86)
        case .jobLost, .incomplete, .late: draft.due = draft.originalAmount / 10_000 * random.between(29...39)
        }
        switch draft.kind {
        case .current, .jobLost: break
        case .incomplete:
            draft.overdue = draft.due / 100 * random.between(8...70)
            draft.daysLate = random.between(1...29)
            draft.incompletePayments = random.between(1...3)
        case .late(let arrears), .overdue(let arrears):
            draft.arrears = arrears
            draft.overdue = draft.due * arrears - draft.due / 100 * random.below(90)
            // RES-04: arrears = days late by the month, rounded up.
            draft.daysLate = (arrears - 1) * 30 + random.between(1...30)
            draft.incompletePayments = random.chance(draft.isOverdue ? 2_000 : 1_500) ? random.between(1...2) : 0
        }
        draft.overdue = min(draft.overdue, draft.balance)
    }

    private func history(_ draft: inout AccountDraft, _ random: inout SplitMix64) {
        switch random.below(100) {
        case ..<60: draft.regime = .roa
        case ..<92: draft.regime = .rea
        default: draft.regime = .re
        }
        if draft.kind == .jobLost {
            draft.regime = .rea
            draft.jobLostOn = asOf.advanced(byDays: -random.between(1...58))
        } else if draft.regime == .rea, random.chance(6_000) {
            draft.jobLostOn = asOf.advanced(byDays: -random.between(90...1_400))
        }
        if draft.regime == .re {
            draft.restructures = random.between(1...2)
            draft.isRestructureInCure = random.chance(3_000)
        } else if random.chance(500) {
            draft.restructures = 1
        }
        if !random.chance(150) {
            let days = draft.arrears * 30 + random.between(0...29)
            draft.lastPaymentOn = asOf.advanced(byDays: -days)
        }
    }

    private func exclusions(_ draft: inout AccountDraft, _ random: inout SplitMix64) {
        switch random.below(1_000) {
        case ..<6: draft.situation = .liquidated
        case ..<9: draft.situation = .insured
        default: break
        }
        if draft.situation == .liquidated {
            draft.balance = 0
            draft.due = 0
            draft.overdue = 0
            draft.arrears = 0
            draft.daysLate = 0
            draft.incompletePayments = 0
            draft.kind = .current
        }
        // An account in extension or FPP is current by construction (SOL-04).
        if draft.arrears == 0 {
            if random.chance(draft.kind == .jobLost ? 2_500 : 235) {
                draft.extensionUntil = asOf.advanced(byDays: random.between(20...330))
                draft.extensionMonths = random.between(1...12)
            } else if random.chance(draft.kind == .jobLost ? 700 : 89) {
                draft.fppUntil = asOf.advanced(byDays: random.between(20...170))
            }
        } else if random.chance(400) {
            draft.extensionMonths = random.between(1...24)
        }
        if random.chance(10) { draft.disputeOn = asOf.advanced(byDays: -random.between(1...60)) }
    }

    private func judicial(_ draft: inout AccountDraft, _ random: inout SplitMix64) {
        guard draft.isOverdue, draft.arrears > 4 else { return }
        // 110,000 dual of 763,000 overdue (ORA-13, ORA-02), more of the older ones; then the profiled and the sued.
        // Of those with ten or more, 125,000 are collected socially (ORA-14): the others are with the courts.
        let isOld = draft.arrears > 9
        let dual = isOld ? 2_050 : 1_010
        switch random.below(10_000) {
        case ..<dual: transfer(&draft, &random)
        case ..<(dual + (isOld ? 1_000 : 400)):
            transfer(&draft, &random)
            draft.isSuitProfiled = true
        case ..<(isOld ? 9_070 : 2_110):
            transfer(&draft, &random)
            draft.isSuitProfiled = true
            draft.lawsuitOn = draft.judicialOn?.advanced(byDays: random.between(30...400))
        default: break
        }
    }

    /// Transferred between 2018 and the middle of 2022, before the dictamen was issued.
    private func transfer(_ draft: inout AccountDraft, _ random: inout SplitMix64) {
        guard let first = LocalDate(year: 2018, month: 1, day: 1) else { return }
        draft.judicialOn = first.advanced(byDays: random.below(1_560))
    }

    private func solutions(_ draft: inout AccountDraft, _ random: inout SplitMix64) {
        draft.isAgreementAvailable = draft.arrears > 0 && random.chance(draft.isDual ? 7_550 : 4_500)
        if draft.isAgreementAvailable { draft.instalmentDrop = random.between(5...75) * 100 }
        draft.isSigned = draft.arrears > 0 && random.chance(700)
        let ceiling = max(5, 92 - draft.arrears * 5)
        draft.paymentProbability = random.between(1...ceiling) * 100
        draft.isCofinanced = random.chance(400)
        // 551,125 segregated beside 5,513,092 in balance (ORA-35).
        switch random.below(10_000) {
        case ..<8_291: break
        case ..<9_200: draft.book = .segregated
        case ..<9_400: draft.book = .securitised
        case ..<9_500: draft.book = .trust
        case ..<9_900: draft.book = .improvements
        default: draft.book = .empleavit
        }
    }

    private func contact(_ draft: inout AccountDraft, _ random: inout SplitMix64) {
        draft.hasPhone = random.chance(9_300)
        draft.hasEmail = random.chance(5_500)
        draft.hasAddress = random.chance(9_750)
    }
}

/// What relief, exhaustion and scores read. Drawn last, so that the values above stay what they were.
extension AccountMaker {
    private func reliefs(_ draft: inout AccountDraft, _ random: inout SplitMix64) {
        // Employers pay by bimester, so theirs are even numbers of months.
        let paid = draft.arrears == 0 ? random.between(0...36) : random.chance(1_500) ? random.between(3...5) : 0
        draft.continuousPayments = draft.regime == .roa ? paid / 2 * 2 : paid
        draft.bimesterPaid = draft.arrears == 0 ? 10_000 : random.between(0...95) * 100
        // ORA-42: 134,000 pensioners of 5.5 million.
        draft.hasPensionResolution = random.chance(243)
        if draft.hasPensionResolution { draft.pensionEnrolments = random.below(5) }
        if draft.fppUntil != nil {
            draft.fppMonths = random.between(1...5)
        } else if draft.jobLostOn != nil, random.chance(2_000) {
            draft.fppMonths = random.between(1...6)
        }
        // Some few are nearly paid off.
        if draft.arrears == 0, draft.situation == .active, random.chance(120) {
            draft.balance = draft.originalAmount / 100 * random.between(1...24)
            draft.overdue = min(draft.overdue, draft.balance)
        }
        // ORA-34: 3,411 certificates a month, of the 125,000 that are far behind and collected.
        if draft.arrears > 9, draft.regime != .re, random.chance(296) {
            draft.extensionMonths = 24
            draft.restructures = max(draft.restructures, 1)
        }
    }

    private func risk(_ draft: inout AccountDraft, _ random: inout SplitMix64) {
        switch draft.arrears {
        case 0: draft.reserveShare = random.between(1...8) * 100
        case ..<10: draft.reserveShare = random.between(10...60) * 100
        case ..<36: draft.reserveShare = random.between(50...100) * 100
        default: draft.reserveShare = random.chance(8_500) ? 10_000 : random.between(80...99) * 100
        }
        draft.maxArrears4M = draft.arrears + random.below(2)
        draft.paid4M = max(0, 100 - 25 * min(draft.arrears, 4)) * 100
        if draft.paid4M > 0 { draft.paid4M -= random.between(0...15) * 100 }
        draft.openedOn = asOf.advanced(byDays: -random.between(200...9_000))
        draft.isAtAffiliatedEmployer = draft.regime == .roa && random.chance(9_000)
        draft.isCivilServant = draft.isAtAffiliatedEmployer && random.chance(800)
        draft.areDocumentsMissing = draft.arrears > 0 && random.chance(1_500)
        draft.isLegalReferral = draft.daysLate > 120 && random.chance(4_000)
    }
}
