// SPDX-License-Identifier: Apache-2.0

internal import Assignment

extension TableFormat {
    /// What a delegation decided about outcomes, as `review import` takes it.
    package static let reviews = TableFormat(
        name: "reviews",
        purpose: "Decisions of the delegations about outcomes that need one. The same decision again changes nothing.",
        columns: [
            ColumnFormat(
                "outcome", .integer(1...999_999_999_999_999_999, unit: "", storage: .int64), as: "outcome_id",
                example: "55120", rules: "GES-01", "the outcome's number, from `review list --pending --csv FILE`"),
            ColumnFormat(
                "delegation", .delegation, as: "delegation_id", example: "14", rules: "GES-02",
                "the deciding delegation"),
            ColumnFormat(
                "decision", .word(ReviewDecision.allCases.map(\.rawValue)), example: "approved",
                rules: "GES-01, PEN-05, PEN-07", "what was decided"),
            ColumnFormat(
                "reason", .text(.line, max: 200), example: "evidence-complete", rules: "GES-01", "why, as a code"),
            ColumnFormat("reviewer", .text(.line, max: 80), example: "supervisor-14", rules: "", "who decided"),
        ],
        rowRules: [
            "Reason and reviewer are not blank; the reviewer's name has Latin letters, with or without accents.",
            "The outcome is one of that delegation, in a period that is open, and needs a review.",
            "An outcome is decided once: another decision or reason than before, or than in the same file, is refused.",
        ])
}
