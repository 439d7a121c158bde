// SPDX-License-Identifier: Apache-2.0

extension TableFormat {
    /// The portfolio as it is loaded for a period: what segmentation and every later rule read.
    package static let cut = TableFormat(
        name: "cut",
        purpose: "The portfolio for one period, one row per account. It replaces the period's former cut as a whole.",
        columns: identity + money + delays + benefits + judicial + solutions + contact + reliefs + risk,
        rowRules: [
            "An account stands in the file once, over all delegations.",
            "The municipality lies in the delegation (its first two digits are the delegation's number).",
            "The period has no plan that was applied. Where it was only segmented, the segmentation is dropped.",
        ])

    /// The two columns that the check of a row compares.
    static let cutDelegation = 1
    static let cutMunicipality = 2

    private static let identity = [
        ColumnFormat(
            "account", .account, as: "account_id", example: "1900012345", rules: "ASG-01", "the credit's number"),
        ColumnFormat(
            "delegation", .delegation, as: "delegation_id", example: "14", rules: "GEO-01",
            "the regional delegation, numbered as the states are"),
        ColumnFormat(
            "municipality", .municipality, example: "14039", rules: "GEO-01",
            "national key of the municipality; it decides the time zone"),
        ColumnFormat(
            "debtor", .integer(1...999_999_999_999_999, unit: "", storage: .int64), optional: true, example: "771200",
            rules: "ASG-01", "a number that accounts of one debtor share, so that one agency gets them together"),
        ColumnFormat(
            "regime", .code(["REA", "ROA", "RE"]), example: "REA", rules: "SEG-10, SOL-08",
            "pays without an employer, through an employer, or under a restructure in force"),
        ColumnFormat(
            "accounting", .code(["vigente", "vencido"]), example: "vencido", rules: "SEG-10, IND-09",
            "accounting status"),
        ColumnFormat(
            "situation", .code(["active", "liquidated", "insured"]), example: "active", rules: "SEG-10, ASG-10, SOL-17",
            "whether there is still something to collect"),
        ColumnFormat(
            "book", .code(["infonavit", "segregated", "securitised", "trust", "improvements", "empleavit"]),
            example: "infonavit", rules: "SEG-10", "whose balance sheet the credit is on"),
        ColumnFormat(
            "currency", .code(["pesos", "vsm"]), example: "pesos", rules: "SEG-10, SOL-11", "currency of the credit"),
    ]

    private static let amounts: ClosedRange<Int64> = 0...99_999_999_999_99

    private static let money = [
        ColumnFormat(
            "original_amount", .money(amounts), example: "412000.00", rules: "SOL-12",
            "amount of the credit when granted"),
        ColumnFormat("balance", .money(amounts), example: "329000.00", rules: "AGY-09, SOL-12", "what is owed in all"),
        ColumnFormat("due", .money(amounts), example: "4310.22", rules: "IND-06", "the instalment due in the period"),
        ColumnFormat("overdue", .money(amounts), example: "9120.87", rules: "AGY-09, IND-05", "what is overdue"),
    ]

    private static func count(_ max: Int64) -> ColumnType { .integer(0...max, unit: "", storage: .int16) }

    private static let delays = [
        ColumnFormat(
            "unpaid", count(999), example: "3", rules: "SEG-07, SOL-07, AMB-20", "unpaid instalments (omisos)"),
        ColumnFormat(
            "arrears", .integer(0...999, unit: "months", storage: .int16), leftOut: .same(as: "unpaid"), example: "3",
            rules: "SEG-05, SEG-08, AMB-20",
            "months overdue (atrasos)"),
        ColumnFormat(
            "days_late", .integer(0...99_999, unit: "days", storage: .int32), example: "74", rules: "SEG-11",
            "days since the oldest unpaid instalment fell due"),
    ]

    private static let benefits = [
        ColumnFormat(
            "extension_until", .date, optional: true, example: "2024-08-31", rules: "ASG-10, SOL-01",
            "last day of a deferral (prórroga) in force"),
        ColumnFormat(
            "extension_months", .integer(0...999, unit: "months", storage: .int16), example: "0", rules: "SOL-01",
            "months of deferral used so far"),
        ColumnFormat(
            "fpp_until", .date, optional: true, example: "2024-05-31", rules: "ASG-10, SOL-05",
            "last day of cover by the payment protection fund (FPP)"),
        ColumnFormat(
            "disaster_until", .date, optional: true, example: "2024-04-30", rules: "ASG-10, SOL-03",
            "last day of a suspension after a disaster"),
        ColumnFormat(
            "job_lost_on", .pastDate, optional: true, example: "2024-02-12", rules: "SEG-01, SOL-02",
            "day on which formal employment ended"),
        ColumnFormat(
            "last_payment_on", .pastDate, optional: true, example: "2024-01-29", rules: "STR-04",
            "day of the last payment"),
        ColumnFormat(
            "incomplete_payments", count(999), example: "1", rules: "SEG-01, STR-01",
            "latest instalments that were paid only in part"),
        ColumnFormat("restructures", count(99), example: "0", rules: "SOL-10", "restructures so far"),
        ColumnFormat(
            "restructure_in_cure", .yesNo, example: "no", rules: "SOL-14",
            "whether a restructure is being paid into good standing"),
    ]

    private static let judicial = [
        ColumnFormat(
            "judicial_on", .pastDate, optional: true, example: "2022-11-30", rules: "SEG-04, AMB-01",
            "day of the transfer to the judicial segment"),
        ColumnFormat(
            "suit_profiled", .yesNo, example: "no", rules: "SEG-04", "whether it is picked for immediate suit"),
        ColumnFormat(
            "lawsuit_on", .pastDate, optional: true, example: "", rules: "SEG-09, ASG-10",
            "day on which a suit was filed"),
        ColumnFormat(
            "dispute_on", .pastDate, optional: true, example: "", rules: "ASG-10",
            "day on which the debtor disputed the debt"),
    ]

    private static let solutions = [
        ColumnFormat(
            "agreement_available", .yesNo, example: "yes", rules: "SEG-07, ASG-09",
            "whether an agreement can be offered"),
        ColumnFormat(
            "instalment_drop", .percent(0...10_000), as: "instalment_drop_bp", example: "52.5", rules: "STR-06",
            "by how much that agreement lowers the instalment"),
        ColumnFormat("signed", .yesNo, example: "no", rules: "STR-02", "whether an agreement is signed"),
        ColumnFormat(
            "payment_probability", .percent(0...10_000), as: "payment_probability_bp", example: "37.25",
            rules: "STR-03",
            "the institution's own estimate that the next instalment is paid"),
        ColumnFormat("cofinanced", .yesNo, example: "no", rules: "SEG-10", "whether a bank shares the credit"),
    ]

    private static let contact = [
        ColumnFormat("has_phone", .yesNo, example: "yes", rules: "AGY-17", "whether a telephone number is known"),
        ColumnFormat("has_email", .yesNo, example: "no", rules: "AGY-17", "whether an e-mail address is known"),
        ColumnFormat("has_address", .yesNo, example: "yes", rules: "SEG-02", "whether a postal address is known"),
        ColumnFormat(
            "reference", .text(.identifier, max: 40), example: "19000123450", rules: "AGY-11",
            "what the debtor pays with"),
    ]

    /// Columns that came later; files without them are taken.
    private static let reliefs = [
        ColumnFormat(
            "continuous_payments", .integer(0...999, unit: "months", storage: .int16), leftOut: .value(0), example: "3",
            rules: "SOL-08, SOL-45", "payments in a row up to the cut, in months; a bimester of an employer counts two"),
        ColumnFormat(
            "bimester_paid", .percent(0...100_000), leftOut: .value(0), as: "bimester_paid_bp", example: "55",
            rules: "SOL-08, AMB-22", "how much of the last two bimesters' bills together was paid"),
        ColumnFormat(
            "pension_resolution", .yesNo, leftOut: .value(0), example: "no", rules: "SOL-10",
            "whether the debtor has a pension ruling"),
        ColumnFormat(
            "pension_enrolments", count(99), leftOut: .value(0), example: "0", rules: "SOL-10",
            "enrolments in the pensioners' support so far"),
        ColumnFormat(
            "fpp_months", .integer(0...999, unit: "months", storage: .int16), leftOut: .value(0), example: "0",
            rules: "SOL-05, SOL-06, FIN-09, FIN-10", "months of payment protection or insurance used so far"),
        ColumnFormat(
            "reserve_share", .percent(0...100_000), leftOut: .value(0), as: "reserve_share_bp", example: "18.5",
            rules: "SOL-44", "the reserve as a part of the balance"),
    ]

    private static let risk = [
        ColumnFormat(
            "max_arrears_4m", .integer(0...999, unit: "months", storage: .int16), leftOut: .value(0), example: "3",
            rules: "RES-03", "the most months overdue at the ends of the last four months"),
        ColumnFormat(
            "paid_4m", .percent(0...100_000), leftOut: .value(10_000), as: "paid_4m_bp", example: "62.5",
            rules: "RES-05", "what was paid of what was due, the mean of the last four months; a month unknown is 100"),
        ColumnFormat(
            "opened_on", .pastDate, optional: true, leftOut: .empty, example: "2016-05-20", rules: "RES-03",
            "day on which the credit was granted"),
        ColumnFormat(
            "affiliated_employer", .yesNo, leftOut: .value(0), example: "no", rules: "SEG-13, RES-06, RES-07",
            "whether the debtor works for an employer that is affiliated"),
        ColumnFormat(
            "issste", .yesNo, leftOut: .value(0), example: "no", rules: "RES-06",
            "whether the debtor is insured as a civil servant"),
        ColumnFormat(
            "documents_missing", .yesNo, leftOut: .value(0), example: "no", rules: "SEG-13",
            "whether papers for a suit are missing"),
        ColumnFormat(
            "legal_referral", .yesNo, leftOut: .value(0), example: "no", rules: "SEG-12",
            "whether the debt qualifies for legal referral"),
    ]
}
