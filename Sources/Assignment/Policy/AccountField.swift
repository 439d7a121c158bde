// SPDX-License-Identifier: Apache-2.0

/// What a rule may read of an account (SEG-10): the columns of the cut, what this system itself found out, and what
/// follows from other fields.
///
/// Every value is one `Int64`: booleans 0 or 1, money in centavos, percents in basis points, dates in days since
/// 1970, codes by their position from 1 on. Shares and probabilities that are worked out are finer; see ``numbersPerBasisPoint``. So a rule runs over rows and over columns alike.
package enum AccountField: Int, Sendable, CaseIterable {
    case delegation, municipality, regime, accounting, situation, book, currency, originalAmount, balance, due, overdue
    case unpaid, arrears, daysLate, extensionUntil, extensionMonths, fppUntil, disasterUntil, jobLostOn, lastPaymentOn
    case incompletePayments, restructures, restructureInCure, judicialOn, suitProfiled, lawsuitOn, disputeOn
    case agreementAvailable, instalmentDrop, signed, paymentProbability, cofinanced, hasPhone, hasEmail, hasAddress
    case continuousPayments, bimesterPaid, pensionResolution, pensionEnrolments, fppMonths, reserveShare
    case maxArrears4M, paid4M, openedOn, affiliatedEmployer, issste, documentsMissing, legalReferral
    // Not in the cut: what an approved review found of the dwelling, and the day of a valid exhaustion certificate.
    case irregularDwelling, exhaustedOn
    // Never stored: they follow from the fields above.
    case balanceShare, defaultProbability, expectedLoss

    /// How a value is written in a policy, and what its number means.
    package enum Kind: Hashable, Sendable {
        case number
        /// Centavos; written in pesos.
        case money
        /// Basis points; written in percent.
        case percent
        /// Days since 1970; can be missing.
        case date
        /// 0 or 1; written `no` or `yes`.
        case flag
        /// One of these words, numbered from 1.
        case code([String])
    }

    /// The word for it in policies and in the cut's header.
    package var name: String { Self.descriptions[rawValue].name }
    package var kind: Kind { Self.descriptions[rawValue].kind }

    package init?(name: some StringProtocol) {
        guard let index = Self.descriptions.firstIndex(where: { $0.name == name }) else { return nil }
        self.init(rawValue: index)
    }

    /// The fields that an account brings along: those whose values are stored and read.
    package static let stored = allCases.filter { !$0.isDerived }

    /// In the order of the cases.
    private static let descriptions: [(name: String, kind: Kind)] = [
        ("delegation", .number), ("municipality", .number), ("regime", .code(["REA", "ROA", "RE"])),
        ("accounting", .code(["vigente", "vencido"])), ("situation", .code(["active", "liquidated", "insured"])),
        ("book", .code(["infonavit", "segregated", "securitised", "trust", "improvements", "empleavit"])),
        ("currency", .code(["pesos", "vsm"])), ("original_amount", .money), ("balance", .money), ("due", .money),
        ("overdue", .money), ("unpaid", .number), ("arrears", .number), ("days_late", .number),
        ("extension_until", .date), ("extension_months", .number), ("fpp_until", .date), ("disaster_until", .date),
        ("job_lost_on", .date), ("last_payment_on", .date), ("incomplete_payments", .number),
        ("restructures", .number), ("restructure_in_cure", .flag), ("judicial_on", .date), ("suit_profiled", .flag),
        ("lawsuit_on", .date), ("dispute_on", .date), ("agreement_available", .flag), ("instalment_drop", .percent),
        ("signed", .flag), ("payment_probability", .percent), ("cofinanced", .flag), ("has_phone", .flag),
        ("has_email", .flag), ("has_address", .flag), ("continuous_payments", .number), ("bimester_paid", .percent),
        ("pension_resolution", .flag), ("pension_enrolments", .number), ("fpp_months", .number),
        ("reserve_share", .percent), ("max_arrears_4m", .number), ("paid_4m", .percent), ("opened_on", .date),
        ("affiliated_employer", .flag), ("issste", .flag), ("documents_missing", .flag), ("legal_referral", .flag),
        ("irregular_dwelling", .flag), ("exhausted_on", .date), ("balance_share", .percent),
        ("default_probability", .percent), ("expected_loss", .money),
    ]
}
