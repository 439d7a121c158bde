// SPDX-License-Identifier: Apache-2.0

internal import Assignment

extension TableFormat {
    /// What a row of an opening tells.
    private static let openingKinds = ["holding", "holder", "breach", "agreement", "extension"]
    /// How an earlier holding ended.
    private static let openingEnds = ["return", "expiry", "recall", "agreement", "payoff"]

    package static let opening = TableFormat(
        name: "opening",
        purpose:
            "A running operation as it comes on board, before the first plan: who holds what since when, who held it "
            + "before, and what the months before count for. The ledger marks it as imported.",
        columns: [
            ColumnFormat(
                "kind", .word(openingKinds), example: "holding", rules: "ASG-03, PEN-08, SOL-14",
                "what it says; see below"),
            ColumnFormat(
                "account", .account, optional: true, as: "account_id", example: "1900012345", rules: "ASG-01",
                "the credit's number"),
            ColumnFormat(
                "delegation", .delegation, as: "delegation_id", example: "14", rules: "GEO-01",
                "its regional delegation"),
            ColumnFormat(
                "contract", .contract, optional: true, as: "contract_id", example: "31", rules: "AGY-01",
                "under which contract it is held, was agreed, or the breach was charged"),
            ColumnFormat(
                "agency", .agency, optional: true, leftOut: .empty, as: "agency_id", example: "", rules: "ASG-07",
                "who held it"),
            ColumnFormat(
                "strategy", .code(Strategy.allCases.map(\.name)), optional: true, example: "administrative",
                rules: "ASG-01", "under which strategy it is held"),
            ColumnFormat(
                "portfolio", .code(Portfolio.allCases.map(\.name)), optional: true, example: "telephone",
                rules: "AGY-07", "by which advisers it is worked"),
            ColumnFormat(
                "from_on", .pastDate, optional: true, example: "2024-02-12", rules: "ASG-03", "first day"),
            ColumnFormat(
                "until_on", .date, optional: true, example: "2024-03-20", rules: "ASG-03", "last day"),
            ColumnFormat(
                "value", .text(.identifier, max: 40), optional: true, example: "", rules: "PEN-08, SOL-01, SOL-14",
                "a reason, a rule or a number"),
        ],
        rowRules: [
            "`holding`: `account`, `contract`, `strategy`, `portfolio`, `from_on` and `until_on`, the term. The account is in "
                + "the period's cut, nothing stops it and it is dealt to nobody; the contract works there and does not end "
                + "before the term.",
            "`holder`: `account`, `agency`, `from_on`, `until_on`, and in `value` how it ended: "
                + openingEnds.map { "`\($0)`" }.joined(separator: ", ") + ".",
            "`breach`: `contract`, `from_on`, a day of one of the six months before the period, and in `value` `PEN-02` or "
                + "`PEN-04` (PEN-08).",
            "`agreement`: `account`, `contract`, `from_on`, the day of its signature, and in `value` the payments in a row kept "
                + "before the period, 0 to 11; `agreements show` follows it on from there.",
            "`extension`: `account`, and in `value` the months of prórroga used, 1 to 24; before the period is segmented.",
            "What a kind does not name is empty. An account is held once, agreed once and extended once in all files.",
            "No plan has been applied yet.",
        ])

    /// What a row of an opening must have beyond its single values.
    static func openingFaults(_ row: TableReader) -> [(column: String, reason: String)] {
        let kind = row.text(named: "kind") ?? ""
        let needed: Set<String> =
            switch kind {
            case "holding": ["account", "contract", "strategy", "portfolio", "from_on", "until_on"]
            case "holder": ["account", "agency", "from_on", "until_on", "value"]
            case "breach": ["contract", "from_on", "value"]
            case "agreement": ["account", "contract", "from_on", "value"]
            default: ["account", "value"]
            }
        var faults: [(column: String, reason: String)] = []
        for column in ["account", "contract", "agency", "strategy", "portfolio", "from_on", "until_on", "value"] {
            switch (needed.contains(column), row.text(named: column) != nil) {
            case (true, false): faults.append((column, "is empty, and a row of kind \(kind) needs it"))
            case (false, true): faults.append((column, "does not go with a row of kind \(kind)"))
            case (true, true), (false, false): break
            }
        }
        guard faults.isEmpty else { return faults }
        if needed.contains("until_on"), row.number("until_on") < row.number("from_on") {
            faults.append(("until_on", "is before from_on"))
        }
        if let fault = openingValueFault(kind, row.text(named: "value") ?? "") { faults.append(("value", fault)) }
        return faults
    }

    private static func openingValueFault(_ kind: String, _ value: String) -> String? {
        switch kind {
        case "holder":
            return openingEnds.contains(value) ? nil : "is none of \(openingEnds.joined(separator: ", "))"
        case "breach": return ["PEN-02", "PEN-04"].contains(value) ? nil : "is neither PEN-02 nor PEN-04"
        case "agreement": return Int(value).map { (0...11).contains($0) } ?? false ? nil : "is not 0 to 11"
        case "extension": return Int(value).map { (1...24).contains($0) } ?? false ? nil : "is not 1 to 24"
        default: return nil
        }
    }
}
