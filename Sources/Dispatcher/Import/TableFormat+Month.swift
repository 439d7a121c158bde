// SPDX-License-Identifier: Apache-2.0

extension TableFormat {
    private static let account = ColumnFormat(
        "account", .account, as: "account_id", example: "1900012345", rules: "ASG-01", "the credit's number")
    private static let delegation = ColumnFormat(
        "delegation", .delegation, as: "delegation_id", example: "14", rules: "GEO-01", "its regional delegation")

    package static let payments = TableFormat(
        name: "payments",
        purpose: "Money that came in. Rows that are there already change nothing.",
        columns: [
            ColumnFormat(
                "payment", .text(.identifier, max: 60), as: "payment_id", example: "P-20240305-000117", rules: "IND-04",
                "the payment's number, unique for ever"),
            account, delegation,
            ColumnFormat("paid_on", .pastDate, example: "2024-03-05", rules: "IND-04, IND-06", "day of the payment"),
            ColumnFormat(
                "amount", .money(1...99_999_999_999_99), example: "4310.22", rules: "IND-05, IND-06", "what was paid"),
            ColumnFormat(
                "origin", .word(["borrower", "employer", "fpp", "subaccount"]), example: "borrower", rules: "IND-04",
                "who paid"),
            ColumnFormat(
                "reverses", .text(.identifier, max: 60), optional: true, example: "", rules: "IND-04",
                "the payment that this one takes back"),
        ],
        rowRules: [
            "A payment's number is used once; the same number with other content is refused.",
            "`reverses` names a payment of the same account that is loaded already or stands in the same file.",
            "A payment is taken back once, for no more than it was, and what takes one back is not taken back itself.",
        ])

    package static let stops = TableFormat(
        name: "stops",
        purpose: "Accounts that may not be collected from now on. One that is dealt or held is taken back at once.",
        columns: [
            account, delegation,
            ColumnFormat(
                "reason", .word(["lawsuit", "death", "payoff", "fpp", "extension", "dispute", "disaster"]),
                example: "extension",
                rules: "ASG-10, SOL-17", "why"),
            ColumnFormat("from_on", .pastDate, example: "2024-03-11", rules: "ASG-10", "first day"),
            ColumnFormat(
                "until_on", .date, optional: true, example: "2024-08-31", rules: "ASG-10, SOL-01",
                "last day; empty where it is for good"),
        ],
        rowRules: [
            "Account, reason and first day together stand in the file once; with another last day than the one loaded "
                + "they are refused.",
            "`until_on` is not before `from_on`.",
            "A stop whose last day has passed is recorded and takes nothing back.",
        ])

    package static let facts = TableFormat(
        name: "facts",
        purpose:
            "What supervision recorded. Never edited: a correction is a new fact that names the one it supersedes.",
        columns: [
            ColumnFormat(
                "fact", .text(.identifier, max: 60), as: "fact_id", example: "F-14-0031-07", rules: "PEN-01…08",
                "the fact's number, unique for ever"),
            ColumnFormat(
                "kind", .word(FactKind.allCases.map(\.rawValue)), example: "staffing", rules: "PEN-01…08",
                "what it says; see below"),
            ColumnFormat(
                "contract", .contract, as: "contract_id", example: "31", rules: "PEN-01…08", "whom it is about"),
            delegation,
            ColumnFormat("on_date", .pastDate, example: "2024-03-29", rules: "PEN-01…08", "the day it was so"),
            ColumnFormat(
                "portfolio", .code(["telephone", "home-visit"]), optional: true, example: "telephone",
                rules: "AGY-07, PEN-01",
                "which advisers it is about"),
            ColumnFormat(
                "subject", .text(.identifier, max: 80), optional: true, example: "", rules: "PEN-02…04",
                "what in particular"),
            ColumnFormat(
                "value", .text(.value, max: 40), optional: true, example: "12", rules: "PEN-01…08", "what was found"),
            ColumnFormat(
                "minimum", .text(.value, max: 40), optional: true, example: "", rules: "WP-02, PEN-02",
                "of a goal: what had to be reached"),
            ColumnFormat(
                "weight", .text(.value, max: 40), optional: true, example: "", rules: "AMB-04, PEN-02",
                "of a goal: its weight"),
            ColumnFormat(
                "note", .text(.line, max: 500), optional: true, example: "", rules: "", "for people; no personal data"),
            ColumnFormat(
                "supersedes", .text(.identifier, max: 60), optional: true, example: "", rules: "",
                "the fact that this one corrects"),
        ],
        rowRules: [
            "A fact's number is used once; the same number with other content is refused.",
            "The contract is known and works in the delegation.",
            "`supersedes` names a fact of the same kind, contract and delegation that is loaded already or stands in "
                + "the same file.",
        ] + FactKind.allCases.map { "`\($0.rawValue)`: \($0.rule)" })

    package static let keys = TableFormat(
        name: "keys",
        purpose:
            "Public keys that agencies sign in with (`dispatcherd agency key add --file`). An agency may have several.",
        columns: [
            ColumnFormat("agency", .agency, as: "agency_id", example: "ACE07", rules: "AGY-10", "whose key it is"),
            ColumnFormat(
                "key_name", .text(.identifier, max: 40), example: "mty-2024", rules: "",
                "the key's name within the agency"),
            ColumnFormat(
                "public_key", .text(.key, max: 44), example: "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
                rules: "AGY-10",
                "Ed25519 public key"),
            ColumnFormat(
                "expires_on", .date, optional: true, example: "2024-12-31", rules: "", "last day on which it is taken"),
        ],
        rowRules: [
            "The agency is known.",
            "Agency and name together stand in the file once; a name that has another key is refused.",
        ])

    /// All of them, in the order of the documentation.
    package static let all = [zones, schedules, contracts, keys, cut, payments, stops, facts, reviews]
}
