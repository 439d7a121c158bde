// SPDX-License-Identifier: Apache-2.0

/// What a contract was dealt, took and did in one delegation and period, in accounts.
///
/// They stand side by side so that pulling little, or returning the hard ones, never betters a rate.
package struct DelegationIndicators: Equatable, Sendable {
    /// Accounts dealt, pulled or not, per portfolio; each once however often it was dealt to this contract.
    package var dealt: [Portfolio: Int64] = [:]
    /// What the institution took away again, per portfolio.
    package var withdrawn: [Portfolio: Int64] = [:]
    package var recalled: [Portfolio: Int64] = [:]
    package var excluded: [Portfolio: Int64] = [:]
    /// What was given back because the debtor cannot be found, as a review of the delegation confirmed, per portfolio. It is among
    /// ``returned`` as well.
    package var unlocatable: [Portfolio: Int64] = [:]
    /// Leases, endings ignored.
    package var pulled: Int64 = 0
    /// Accounts with at least one valid outcome in the month of the work.
    package var worked: Int64 = 0
    /// Accounts that the debtor or a valid third party was reached on (GES-04), among the worked.
    package var contacted: Int64 = 0
    package var promises: Int64 = 0
    package var agreements: Int64 = 0
    package var outcomes: Int64 = 0
    package var validOutcomes: Int64 = 0
    package var pendingOutcomes: Int64 = 0
    /// Leases given back, by reason.
    package var returned: [String: Int64] = [:]
    /// What the institution's feed says was paid on accounts while this contract held them.
    package var recovered = Cents.zero
    /// The part of it that borrowers paid themselves.
    package var recoveredFromBorrowers = Cents.zero

    package init() {}

    /// The denominator of every percentage: dealt, less what the institution withdrew, recalled or excluded, and less the unlocatables
    /// that a review confirmed.
    package func assigned(_ portfolio: Portfolio) -> Int64 {
        dealt[portfolio, default: 0] - withdrawn[portfolio, default: 0] - recalled[portfolio, default: 0]
            - excluded[portfolio, default: 0] - unlocatable[portfolio, default: 0]
    }

    package var assigned: Int64 { Portfolio.allCases.reduce(0) { $0 + assigned($1) } }

    /// What the institution took away, of all portfolios: by it goals in accounts fall.
    package var taken: Int64 { [withdrawn, recalled, excluded].flatMap(\.values).reduce(0, +) }
}
