// SPDX-License-Identifier: Apache-2.0

internal import Assignment

extension TableFormat {
    package static let goals = TableFormat(
        name: "goals",
        purpose:
            "A work plan as it is proposed: the goals of an agency's contract in a delegation, or of a delegation for itself. They count once they are approved "
            + "(`dispatcherd workplan`).",
        columns: [
            ColumnFormat(
                "goal", .text(.identifier, max: 60), as: "goal_id", example: "W-14-0031-1", rules: "WP-01",
                "the goal's number, unique for ever, also among facts"),
            ColumnFormat(
                "contract", .contract, optional: true, as: "contract_id", example: "31", rules: "WP-01, WP-03",
                "whose goal it is; empty: the delegation's own"),
            ColumnFormat("delegation", .delegation, as: "delegation_id", example: "14", rules: "GEO-01", "where"),
            ColumnFormat(
                "tactic", .text(.identifier, max: 40), optional: true, example: "rest", rules: "WP-01",
                "a tactic of the policy; empty: all of them"),
            ColumnFormat(
                "indicator", .word(WorkGoal.Indicator.allCases.map(\.rawValue)), example: "worked", rules: "WP-01",
                "what is counted"),
            ColumnFormat(
                "minimum", .text(.value, max: 20), example: "120", rules: "WP-02, PEN-02",
                "what has to be reached: accounts, or pesos of `recovered` and `flow`"),
            ColumnFormat(
                "weight", .text(.value, max: 20), example: "50", rules: "AMB-04, PEN-02",
                "its weight among the goals of the delegation"),
            ColumnFormat(
                "note", .text(.line, max: 500), optional: true, example: "", rules: "", "for people; no personal data"),
        ],
        rowRules: [
            "A goal's number is used once; the same number with other content is refused.",
            "The contract is known and works in the delegation.",
            "`minimum` and `weight` are numbers of 0 or more, with two decimals at most.",
            "A tactic is one of the policy that placed the month; of a month that is not segmented yet nobody can tell, and the import warns.",
            "`flow` is a delegation's own goal (IND-07); neither it nor `recovered` has a tactic.",
            "Contract, delegation, tactic and indicator together stand in the file once.",
        ])

    /// What a row of goals must have beyond its single values.
    static func goalFaults(_ row: TableReader) -> [(column: String, reason: String)] {
        var faults: [(column: String, reason: String)] = []
        for column in ["minimum", "weight"] {
            let value = row.text(named: column).flatMap { Int64(decimal: $0, places: 2) }
            if value.map({ $0 < 0 }) ?? true { faults.append((column, "is not a number of 0 or more")) }
        }
        if row.text(named: "indicator") == WorkGoal.Indicator.flow.rawValue {
            if row.text(named: "contract") != nil {
                faults.append(("contract", "is given; flow is a delegation's own"))
            }
        }
        let indicator = row.text(named: "indicator").flatMap(WorkGoal.Indicator.init)
        if let indicator, !indicator.isCount, row.text(named: "tactic") != nil {
            faults.append(("tactic", "is given; \(indicator.rawValue) is of all of them"))
        }
        return faults
    }
}
