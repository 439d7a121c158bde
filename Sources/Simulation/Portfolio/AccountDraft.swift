// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// One row of the cut, with fields that fit together. Amounts in centavos, rates in basis points, days since 1970.
struct AccountDraft {
    /// What the account is at the cut; the shares are published, the finer ones assumed.
    enum Kind: Equatable {
        case current, jobLost, incomplete, late(Int), overdue(Int)
    }

    var account = 0
    var delegation = 0
    var municipality = 0
    var debtor = 0
    var kind = Kind.current
    var isVSM = false
    var regime = Regime.roa
    var situation = Situation.active
    var book = Book.infonavit
    var originalAmount = 0
    var balance = 0
    var due = 0
    var overdue = 0
    var arrears = 0
    var daysLate = 0
    var extensionUntil: LocalDate?
    var extensionMonths = 0
    var fppUntil: LocalDate?
    var disasterUntil: LocalDate?
    var jobLostOn: LocalDate?
    var lastPaymentOn: LocalDate?
    var incompletePayments = 0
    var restructures = 0
    var isRestructureInCure = false
    var judicialOn: LocalDate?
    var isSuitProfiled = false
    var lawsuitOn: LocalDate?
    var disputeOn: LocalDate?
    var isAgreementAvailable = false
    var instalmentDrop = 0
    var isSigned = false
    var paymentProbability = 0
    var isCofinanced = false
    var hasPhone = true
    var hasEmail = true
    var hasAddress = true
    var continuousPayments = 0
    var bimesterPaid = 10_000
    var hasPensionResolution = false
    var pensionEnrolments = 0
    var fppMonths = 0
    var reserveShare = 0
    var maxArrears4M = 0
    var paid4M = 10_000
    var openedOn: LocalDate?
    var isAtAffiliatedEmployer = false
    var isCivilServant = false
    var areDocumentsMissing = false
    var isLegalReferral = false

    enum Regime { case rea, roa, re }
    enum Book { case infonavit, segregated, securitised, trust, improvements, empleavit }
    enum Situation { case active, liquidated, insured }

    var isOverdue: Bool {
        if case .overdue = kind { return true }
        return false
    }

    /// Whether the cut itself keeps it from being collected (ASG-10).
    var isExcluded: Bool {
        situation != .active || extensionUntil != nil || fppUntil != nil || disasterUntil != nil || lawsuitOn != nil
            || disputeOn != nil || (judicialOn != nil && isSuitProfiled)
    }

    /// On the institution's balance sheet: what was segregated is not (ORA-35).
    var isInBalance: Bool { book != .segregated }

    /// What is to be recovered of it this month: what is overdue, the instalment at least. Centavos.
    var toRecover: Int { max(due, overdue) }

    var isPreventive: Bool {
        switch kind {
        case .jobLost, .incomplete, .late: !isExcluded
        case .current, .overdue: false
        }
    }

    /// Whether the policy ends social collection of it: no means are left (SOL-40, the second branch of SOL-42).
    var isExhausted: Bool {
        !isExcluded && arrears > 9 && regime != .re && extensionMonths >= 24 && restructures > 0
    }

    /// Transferred before the dictamen began to be issued, not profiled, not sued (SEG-04), more than 4 arrears
    /// (SEG-05).
    var isDual: Bool { judicialOn != nil && !isSuitProfiled && lawsuitOn == nil && arrears > 4 }

    /// Whether it gives an agency something to do this month.
    var isCollected: Bool { !isExcluded && kind != .current }
}
