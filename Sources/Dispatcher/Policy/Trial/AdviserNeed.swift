// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// How many advisers the placed accounts need where they are, by what the period's contracts say that one adviser
/// carries.
///
/// Where several contracts work, their accounts per adviser are averaged by the advisers that each has committed. Where
/// none works, the average of all delegations is taken.
/// - Source: AGY-07; the sources print no ratio (GAP-advisers-ratio), so it is the contracts'.
struct AdviserNeed: Sendable {
    private struct Offer: Sendable {
        var advisers: Int64 = 0
        /// Accounts that all of them can carry.
        var accounts: Int64 = 0
    }
    private var offers: [Station: Offer] = [:]
    private var national: [Portfolio: Offer] = [:]

    init(_ capacities: [CapacityRow]) {
        for row in capacities where row.committed > 0 {
            let accounts = Int64(row.committed) * Int64(row.accountsPerAdviser)
            offers[row.station, default: Offer()].advisers += Int64(row.committed)
            offers[row.station, default: Offer()].accounts += accounts
            national[row.station.portfolio, default: Offer()].advisers += Int64(row.committed)
            national[row.station.portfolio, default: Offer()].accounts += accounts
        }
    }

    func committed(_ station: Station) -> Int64 { offers[station]?.advisers ?? 0 }

    /// Rounded up; `nil` where no contract of the period has advisers of this portfolio.
    func needed(_ station: Station, accounts: Int64) -> Int64? {
        guard let offer = offers[station] ?? national[station.portfolio] else { return nil }
        return (accounts * offer.advisers + offer.accounts - 1) / offer.accounts
    }

    /// Where advisers are committed or accounts are placed, by delegation and portfolio.
    func stations(_ placed: [Station: Int64]) -> [Station] {
        Set(offers.keys).union(placed.keys)
            .sorted { ($0.delegation, $0.portfolio) < ($1.delegation, $1.portfolio) }
    }
}
