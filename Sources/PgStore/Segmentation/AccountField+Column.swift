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
        case .instalmentDrop, .paymentProbability: "a.\(name)_bp"
        case .delegation: "a.delegation_id"
        default: "a.\(name)"
        }
    }

    /// Reads its value in the width that the column has.
    func read(_ reader: inout PgCopyReader) -> Int64? {
        switch self {
        case .delegation, .regime, .accounting, .situation, .book, .currency, .unpaid, .arrears, .extensionMonths,
            .incompletePayments, .restructures:
            Int64(reader.int16())
        case .municipality, .daysLate, .instalmentDrop, .paymentProbability:
            Int64(reader.int32())
        case .originalAmount, .balance, .due, .overdue:
            reader.int64()
        case .extensionUntil, .fppUntil, .disasterUntil, .jobLostOn, .lastPaymentOn, .judicialOn, .lawsuitOn,
            .disputeOn:
            reader.optionalDate().map { Int64($0.daysSince1970) }
        case .restructureInCure, .suitProfiled, .agreementAvailable, .signed, .cofinanced, .hasPhone, .hasEmail,
            .hasAddress:
            reader.bool() ? 1 : 0
        }
    }
}
