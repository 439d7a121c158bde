// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// How each field of a rule lies in the table of the cut.
extension AccountField {
    /// What is selected for it. Stop events that are in force overlay the cut (`s`): they are news of the same facts.
    var column: String {
        switch self {
        case .situation:
            "CASE WHEN s.is_paid_off THEN 2::smallint WHEN s.is_dead THEN 3::smallint ELSE a.situation END"
        case .extensionUntil: "greatest(a.extension_until, s.extension_until)"
        case .fppUntil: "greatest(a.fpp_until, s.fpp_until)"
        case .disasterUntil: "greatest(a.disaster_until, s.disaster_until)"
        case .lawsuitOn: "least(a.lawsuit_on, s.lawsuit_on)"
        case .disputeOn: "least(a.dispute_on, s.dispute_on)"
        case .instalmentDrop, .paymentProbability, .bimesterPaid, .reserveShare, .paid4M: "a.\(name)_bp"
        case .delegation: "a.delegation_id"
        // What this system found out itself: the dictum on the dwelling (`w`), and a valid certificate.
        case .irregularDwelling: "coalesce(w.is_irregular, false)"
        case .exhaustedOn: "s.exhausted_on"
        default: "a.\(name)"
        }
    }

    /// What the cut alone says of it; `nil` where no column of the cut has it.
    var ownColumn: String? {
        switch self {
        case .situation, .extensionUntil, .fppUntil, .disasterUntil, .lawsuitOn, .disputeOn: "a.\(name)"
        case .irregularDwelling, .exhaustedOn: nil
        default: column
        }
    }

    /// Whether something else than the cut can change it.
    var isOverlaid: Bool { ownColumn != column }

    /// Reads its value in the width that the column has.
    func read(_ reader: inout PgCopyReader) -> Int64? {
        switch self {
        case .delegation, .regime, .accounting, .situation, .book, .currency, .unpaid, .arrears, .extensionMonths,
            .incompletePayments, .restructures, .continuousPayments, .pensionEnrolments, .fppMonths, .maxArrears4M:
            Int64(reader.int16())
        case .municipality, .daysLate, .instalmentDrop, .paymentProbability, .bimesterPaid, .reserveShare, .paid4M:
            Int64(reader.int32())
        case .originalAmount, .balance, .due, .overdue:
            reader.int64()
        case .extensionUntil, .fppUntil, .disasterUntil, .jobLostOn, .lastPaymentOn, .judicialOn, .lawsuitOn,
            .disputeOn, .openedOn, .exhaustedOn:
            reader.optionalDate().map { Int64($0.daysSince1970) }
        case .restructureInCure, .suitProfiled, .agreementAvailable, .signed, .cofinanced, .hasPhone, .hasEmail,
            .hasAddress, .pensionResolution, .affiliatedEmployer, .issste, .documentsMissing, .legalReferral,
            .irregularDwelling:
            reader.bool() ? 1 : 0
        case .balanceShare, .defaultProbability, .expectedLoss:
            preconditionFailure("\(name) follows from other fields and is in no table")
        }
    }
}
