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
        rows.field(draft.account)
        rows.field(draft.delegation)
        rows.cutFields(draft, periodNumber)
        try rows.endRow()
    }

    /// The account's row without its line feed; it is not written.
    mutating func bytes(_ draft: AccountDraft) -> [UInt8] {
        rows.field(draft.account)
        rows.field(draft.delegation)
        rows.cutFields(draft, periodNumber)
        return rows.takeFields()
    }

    mutating func write(raw bytes: [UInt8], isRow: Bool = true) throws(SimulationFailure) {
        try rows.write(raw: bytes, isRow: isRow)
    }

    mutating func finish() throws(SimulationFailure) { try rows.finish() }

    /// Two digits by ISO 7064 mod 97-10, which catch every single wrong digit and every swap of neighbours.
    static func checkDigits(_ account: Int, _ period: Int) -> Int {
        98 - ((account * 1_000_000 + period) % 97 * 100) % 97
    }
}

extension RowWriter {
    /// All columns of the cut behind account and delegation.
    mutating func cutFields(_ draft: AccountDraft, _ periodNumber: Int) {
        identity(draft)
        amounts(draft)
        history(draft)
        solutions(draft, periodNumber)
        reliefs(draft)
    }

    private mutating func identity(_ draft: AccountDraft) {
        field(draft.municipality, width: 5)
        field(draft.debtor)
        switch draft.regime {
        case .rea: field(plain: "REA")
        case .roa: field(plain: "ROA")
        case .re: field(plain: "RE")
        }
        field(plain: draft.isOverdue ? "vencido" : "vigente")
        switch draft.situation {
        case .active: field(plain: "active")
        case .liquidated: field(plain: "liquidated")
        case .insured: field(plain: "insured")
        }
        switch draft.book {
        case .infonavit: field(plain: "infonavit")
        case .segregated: field(plain: "segregated")
        case .securitised: field(plain: "securitised")
        case .trust: field(plain: "trust")
        case .improvements: field(plain: "improvements")
        case .empleavit: field(plain: "empleavit")
        }
        field(plain: draft.isVSM ? "vsm" : "pesos")
    }

    private mutating func amounts(_ draft: AccountDraft) {
        field(cents: draft.originalAmount)
        field(cents: draft.balance)
        field(cents: draft.due)
        field(cents: draft.overdue)
        field(draft.arrears)
        field(draft.arrears)
        field(draft.daysLate)
    }

    private mutating func history(_ draft: AccountDraft) {
        field(date: draft.extensionUntil)
        field(draft.extensionMonths)
        field(date: draft.fppUntil)
        field(date: draft.disasterUntil)
        field(date: draft.jobLostOn)
        field(date: draft.lastPaymentOn)
        field(draft.incompletePayments)
        field(draft.restructures)
        field(draft.isRestructureInCure)
        field(date: draft.judicialOn)
        field(draft.isSuitProfiled)
        field(date: draft.lawsuitOn)
        field(date: draft.disputeOn)
    }

    private mutating func solutions(_ draft: AccountDraft, _ periodNumber: Int) {
        field(draft.isAgreementAvailable)
        field(draft.instalmentDrop / 100)
        field(draft.isSigned)
        field(draft.paymentProbability / 100)
        field(draft.isCofinanced)
        field(draft.hasPhone)
        field(draft.hasEmail)
        field(draft.hasAddress)
        field(draft.account, width: 10)
        append(periodNumber, width: 6)
        append(CutWriter.checkDigits(draft.account, periodNumber), width: 2)
    }

    private mutating func reliefs(_ draft: AccountDraft) {
        field(draft.continuousPayments)
        field(draft.bimesterPaid / 100)
        field(draft.hasPensionResolution)
        field(draft.pensionEnrolments)
        field(draft.fppMonths)
        field(draft.reserveShare / 100)
        field(draft.maxArrears4M)
        field(draft.paid4M / 100)
        field(date: draft.openedOn)
        field(draft.isAtAffiliatedEmployer)
        field(draft.isCivilServant)
        field(draft.areDocumentsMissing)
        field(draft.isLegalReferral)
    }
}
