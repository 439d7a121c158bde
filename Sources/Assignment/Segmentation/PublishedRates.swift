// SPDX-License-Identifier: Apache-2.0

/// What the institution published of how much its collection brings in: national averages of 2023.
///
/// They say what such accounts brought on average, once, in the whole country; none of them forecasts a portfolio.
/// - Source: STR-01…07, ORA-10…13.
package enum PublishedRates {
    /// What a tactic achieves, by the rule that it comes from.
    ///
    /// The sources print efficiencies without their base; here they are applied to accounts.
    /// - Source: STR-01…06.
    package static let efficiencies: [(origin: String, percent: Int64)] = [
        ("STR-01", 78), ("STR-02", 72), ("STR-03", 72), ("STR-04", 41), ("STR-05", 28), ("STR-06", 8),
    ]

    /// The plain mean over the tactics, as printed (STR-07).
    package static let meanEfficiencyPercent: Int64 = 33

    /// The efficiency of a tactic of these origins; `nil` where none of them has one.
    package static func efficiency(of origins: [String]) -> (origin: String, percent: Int64)? {
        efficiencies.first { origins.contains($0.origin) }
    }

    /// How a strategy's money is estimated.
    package enum Yield: Hashable, Sendable {
        /// So many percent of what is overdue.
        case overdue(percent: Int64)
        /// So many pesos were brought in by so many assigned accounts in a month.
        case perAccount(pesos: Int64, accounts: Int64)

        /// Centavos, rounded down.
        package func expected(accounts: Int64, overdue: Int128) -> Int128 {
            switch self {
            case .overdue(let percent): overdue * Int128(percent) / 100
            case .perAccount(let pesos, let among): Int128(accounts) * Int128(pesos) * 100 / Int128(among)
            }
        }
    }

    /// - Source: ORA-11 (preventive), ORA-12 (administrative), ORA-13 (dual, of which mediation invites).
    package static func yield(_ strategy: Strategy) -> (origin: String, yield: Yield) {
        switch strategy {
        case .preventive: ("ORA-11", .overdue(percent: 32))
        case .administrative: ("ORA-12", .overdue(percent: 4))
        case .dual, .mediation: ("ORA-13", .perAccount(pesos: 34_200_000, accounts: 110_000))
        }
    }

    /// Of the accounts that tactics were applied to, so many percent paid, and so much each on average (ORA-10).
    package static let payersPercent: Int64 = 28
    package static let meanPayment = Cents(3_386_00)

    /// Of assigned dual accounts, so many percent paid something, and so many in full (ORA-13).
    package static let dualSomePercent: Int64 = 9
    package static let dualFullPercent: Int64 = 5
}
