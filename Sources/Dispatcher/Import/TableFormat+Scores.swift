// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// Scorecards: what they weigh, and points that were given elsewhere.
extension TableFormat {
    package static let weights = TableFormat(
        name: "weights",
        purpose:
            "What scorecards weigh, for this month and those that follow, until another file. A file takes the place of the month's earlier one.",
        columns: [
            ColumnFormat(
                "measure", .word(ScorecardMeasure.allCases.map(\.rawValue)), example: "IND-05",
                rules: "GAP-allocation", "an indicator, `compliance`, `conduct` or `mediation`; see docs/indicators.md"),
            ColumnFormat(
                "weight", .integer(0...1_000, unit: "", storage: .int32), example: "25", rules: "GAP-allocation",
                "how much it counts; only the ratios decide"),
            ColumnFormat(
                "sample", .integer(0...1_000_000, unit: "", storage: .int32), example: "30", rules: "GAP-allocation",
                "the least denominator that counts: accounts, outcomes or centavos"),
        ],
        rowRules: [
            "A measure stands in the file once.", "Some measure weighs more than nothing.",
        ])

    package static let scores = TableFormat(
        name: "scores",
        purpose:
            "How contracts were rated in the month, for shares by scorecard. A file takes the place of the month's "
            + "earlier one.",
        columns: [
            ColumnFormat(
                "contract", .contract, as: "contract_id", example: "31", rules: "GAP-allocation", "who was rated"),
            ColumnFormat(
                "delegation", .delegation, as: "delegation_id", example: "14", rules: "GEO-01", "where"),
            ColumnFormat(
                "points", .integer(0...1_000_000, unit: "points", storage: .int32), example: "815",
                rules: "GAP-allocation", "shares are in proportion to them"),
        ],
        rowRules: [
            "Contract and delegation together stand in the file once.",
            "The contract is known and works in the delegation.",
        ])
}
