// SPDX-License-Identifier: Apache-2.0

/// Something of which there is only so much: it can bind a plan, and it can have a price.
package enum PlanLimit: Hashable, Sendable, Codable {
    case station(ContractID, Station)
    case portfolio(ContractID, Portfolio)
    case agency(AgencyID)
    case bond(ContractID)
}

/// Why no plan can place more: a price for each scarce limit.
///
/// Take any plan. Each account that it places pays the prices of the limits on its way. What all accounts pay together
/// is at most the prices times what there is of each limit; and what an account's weight has above the cheapest way
/// of its cell is at most what it would gain. So the sum of both bounds the weight of every plan, whatever the prices
/// are; with the right ones it is tight.
package struct PlanCertificate: Hashable, Sendable, Codable {
    /// A bond's price is for so many centavos; what a part of them pays is rounded down, what all pay is rounded up.
    package static let bondUnit: Int64 = 1_000_000_000

    /// Prices are per account, a bond's per ``bondUnit``, in units of one weight divided by this.
    package var scale: Int64
    /// Above zero; a limit that is not named is free.
    package var prices: [PlanLimit: Int64]

    package init(scale: Int64, prices: [PlanLimit: Int64]) {
        self.scale = scale
        self.prices = prices
    }
}
