// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// Writes the cut as one stream: no account is kept once its row is out.
struct CutWriter {
    static let header = [
        "account", "delegation", "municipality", "debtor", "regime", "accounting", "situation", "book", "currency",
        "original_amount", "balance", "due", "overdue", "unpaid", "arrears", "days_late", "extension_until",
        "extension_months", "fpp_until", "disaster_until", "job_lost_on", "last_payment_on", "incomplete_payments",
        "restructures", "restructure_in_cure", "judicial_on", "suit_profiled", "lawsuit_on", "dispute_on",
        "agreement_available", "instalment_drop", "signed", "payment_probability", "cofinanced", "has_phone",
        "has_email",
        "has_address", "reference", "continuous_payments", "bimester_paid", "pension_resolution", "pension_enrolments",
        "fpp_months", "reserve_share", "max_arrears_4m", "paid_4m", "opened_on", "affiliated_employer", "issste",
        "documents_missing", "legal_referral",
    ]
    private(set) var rows: RowWriter
    private let periodNumber: Int

    init(path: String, period: Period) throws(SimulationFailure) {
        self.rows = try RowWriter(path: path, header: Self.header)
        self.periodNumber = Int(period.number)
    }

    mutating func write(_ draft: AccountDraft) throws(SimulationFailure) {
        identity(draft)
        amounts(draft)
        history(draft)
        solutions(draft)
        reliefs(draft)
        try rows.endRow()
    }

    mutating func finish() throws(SimulationFailure) { try rows.finish() }

    private mutating func identity(_ draft: AccountDraft) {
        rows.field(draft.account)
        rows.field(draft.delegation)
        rows.field(draft.municipality, width: 5)
        rows.field(draft.debtor)
        switch draft.regime {
        case .rea: rows.field(plain: "REA")
        case .roa: rows.field(plain: "ROA")
        case .re: rows.field(plain: "RE")
        }
        rows.field(plain: draft.isOverdue ? "vencido" : "vigente")
        switch draft.situation {
        case .active: rows.field(plain: "active")
        case .liquidated: rows.field(plain: "liquidated")
        case .insured: rows.field(plain: "insured")
        }
        rows.field(plain: draft.book)
        rows.field(plain: draft.isVSM ? "vsm" : "pesos")
    }

    private mutating func amounts(_ draft: AccountDraft) {
        rows.field(cents: draft.originalAmount)
        rows.field(cents: draft.balance)
        rows.field(cents: draft.due)
        rows.field(cents: draft.overdue)
        rows.field(draft.arrears)
        rows.field(draft.arrears)
        rows.field(draft.daysLate)
    }

    private mutating func history(_ draft: AccountDraft) {
        rows.field(date: draft.extensionUntil)
        rows.field(draft.extensionMonths)
        rows.field(date: draft.fppUntil)
        rows.field(date: draft.disasterUntil)
        rows.field(date: draft.jobLostOn)
        rows.field(date: draft.lastPaymentOn)
        rows.field(draft.incompletePayments)
        rows.field(draft.restructures)
        rows.field(draft.isRestructureInCure)
        rows.field(date: draft.judicialOn)
        rows.field(draft.isSuitProfiled)
        rows.field(date: draft.lawsuitOn)
        rows.field(date: draft.disputeOn)
    }

    private mutating func solutions(_ draft: AccountDraft) {
        rows.field(draft.isAgreementAvailable)
        rows.field(draft.instalmentDrop / 100)
        rows.field(draft.isSigned)
        rows.field(draft.paymentProbability / 100)
        rows.field(draft.isCofinanced)
        rows.field(draft.hasPhone)
        rows.field(draft.hasEmail)
        rows.field(draft.hasAddress)
        rows.field(draft.account, width: 10)
        rows.append(periodNumber, width: 6)
        rows.append(Self.checkDigits(draft.account, periodNumber), width: 2)
    }

    private mutating func reliefs(_ draft: AccountDraft) {
        rows.field(draft.continuousPayments)
        rows.field(draft.bimesterPaid / 100)
        rows.field(draft.hasPensionResolution)
        rows.field(draft.pensionEnrolments)
        rows.field(draft.fppMonths)
        rows.field(draft.reserveShare / 100)
        rows.field(draft.maxArrears4M)
        rows.field(draft.paid4M / 100)
        rows.field(date: draft.openedOn)
        rows.field(draft.isAtAffiliatedEmployer)
        rows.field(draft.isCivilServant)
        rows.field(draft.areDocumentsMissing)
        rows.field(draft.isLegalReferral)
    }

    /// Two digits by ISO 7064 mod 97-10, which catch every single wrong digit and every swap of neighbours.
    static func checkDigits(_ account: Int, _ period: Int) -> Int {
        98 - ((account * 1_000_000 + period) % 97 * 100) % 97
    }
}
