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
            "`reverses` names a payment of the same account and `origin` that is loaded already, by a feed of this month or an earlier one, or stands in the same file; its delegation may be another one, to which the debtor moved.",
            "A payment is taken back once, not before its day, for no more than it was, and what takes one back is not taken back itself.",
        ])

    package static let stops = TableFormat(
        name: "stops",
        purpose: "Accounts that may not be collected from now on. One that is dealt or held is taken back at once.",
        columns: [
            ColumnFormat(
                "account", .account, optional: true, as: "account_id", example: "1900012345", rules: "ASG-01",
                "the credit's number; empty where a municipality is named"),
            delegation,
            ColumnFormat(
                "municipality", .municipality, optional: true, leftOut: .empty, example: "", rules: "SOL-03, GEO-01",
                "instead of an account: every account that the cut has there"),
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
            "A row names an account or a municipality of the delegation. A municipality is stopped for `disaster` or "
                + "`extension`, and the period's cut has accounts there.",
            "Account or municipality, reason and first day together stand in the file once; with another last day than "
                + "the one loaded they are refused.",
            "`until_on` is not before `from_on`.",
            "The delegation is the one that the cut has the account in; with another one the row is refused.",
            "A stop whose last day has passed is recorded and takes nothing back.",
            "A stop is withdrawn, or ended early, by a start (`exclusion-ended`); loading it again does not renew it.",
            "The period has a cut.",
        ])

    /// What a row of stops must have beyond its single values.
    static func stopFaults(_ row: TableReader) -> [(column: String, reason: String)] {
        var faults: [(column: String, reason: String)] = []
        let isTown = row.text(named: "municipality") != nil
        switch (row.text(named: "account") != nil, isTown) {
        case (true, true): faults.append(("municipality", "is given, and so is account; a row names one of them"))
        case (false, false): faults.append(("account", "is empty, and so is municipality"))
        case (true, false), (false, true): break
        }
        if isTown, row.number("municipality") / 1_000 != row.number("delegation") {
            faults.append(("municipality", "lies in another delegation, \(row.number("municipality") / 1_000)"))
        }
        if isTown, let reason = row.text(named: "reason"), !["disaster", "extension"].contains(reason) {
            faults.append(("reason", "goes by account; a municipality is stopped for disaster or extension"))
        }
        if row.text(named: "until_on") != nil, row.number("until_on") < row.number("from_on") {
            faults.append(("until_on", "is before from_on"))
        }
        return faults
    }

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
            ColumnFormat(
                "on_date", .date, example: "2024-03-29", rules: "PEN-01…08",
                "the day it was so, not after the period nor after today; of an `improvement` without `value` the day it is due"
            ),
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
                + "the same file; of the same month, but for an `improvement` without `value`. Facts that correct one another in a "
                + "ring are refused.",
            "The tactic of a goal (`worked:rest`) is one of the policy that placed the month; of a month that is not segmented yet "
                + "nobody can tell, and the import warns.",
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

    package static let contacts = TableFormat(
        name: "contacts",
        purpose:
            "How debtors are reached (`dispatcherd contacts load FILE`). A row takes the place of what its account had. It is "
            + "stored sealed, and disclosed to the account's holder only.",
        columns: [
            account, delegation,
            contact("name", max: 120, example: "Ana Torres", "the debtor's name"),
            contact("phone_1", max: 40, example: "+52 33 1234 5678", "a telephone number"),
            contact("phone_2", max: 40, example: "", "another one"),
            contact("phone_3", max: 40, example: "", "another one"),
            contact("email", max: 120, example: "", "an e-mail address"),
            contact("address", max: 300, example: "", "where the debtor lives"),
        ],
        rowRules: ["Bad rows are told by line, column and reason; their values are a debtor's and are not shown."])

    private static func contact(_ name: String, max: Int, example: String, _ purpose: String) -> ColumnFormat {
        ColumnFormat(name, .text(.line, max: max), optional: true, example: example, rules: "", purpose)
    }

    /// All of them, in the order of the documentation.
    package static let all = [
        zones, schedules, contracts, keys, cut, opening, payments, stops, starts, goals, facts, weights, scores,
        reviews, contacts,
    ]
}
