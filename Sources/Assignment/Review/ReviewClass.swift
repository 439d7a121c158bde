// SPDX-License-Identifier: Apache-2.0

/// The gestiones that count for nothing until the delegation has approved them.
///
/// Source: GES-01, GES-02. Every other outcome is valid by itself, unless it broke a contact rule; one that did waits
/// for the delegation as well.
package enum ReviewClass: String, Sendable, CaseIterable {
    /// A dictum on a dwelling (PEN-05).
    case dwelling
    /// A signed agreement (PEN-07).
    case agreement

    /// The results that belong to it.
    package var results: [OutcomeResult] {
        switch self {
        case .dwelling: [.dwellingIrregular, .dwellingInhabited]
        case .agreement: [FeeService.agreementResult]
        }
    }

    /// What of them the penalty judges: of dwellings the irregular ones alone, as the contracts' table says (PEN-05).
    package var penalised: [OutcomeResult] {
        switch self {
        case .dwelling: [.dwellingIrregular]
        case .agreement: results
        }
    }

    package static let allResults = allCases.flatMap(\.results)

    /// Marks that ask for no review: a late report that the policy accepted counts like one in time.
    package static let acceptedMarks = ["late"]
}

/// What the delegation decided about one outcome.
package enum ReviewDecision: String, Sendable, CaseIterable { case approved, rejected }

/// How one class of gestiones of a contract fared in one delegation and period.
///
/// What was not reviewed is outside of numerator and denominator of PEN-05 and PEN-07 (AMB-17), and listed.
package struct ReviewCount: Equatable, Sendable {
    package let reviewClass: ReviewClass
    package let approved: Int64
    /// The outcomes that were rejected, ascending.
    package let rejected: [Int64]
    package let pending: Int64

    package init(_ reviewClass: ReviewClass, approved: Int64, rejected: [Int64], pending: Int64) {
        self.reviewClass = reviewClass
        self.approved = approved
        self.rejected = rejected
        self.pending = pending
    }

    package var reviewed: Int64 { approved + Int64(rejected.count) }
}
