// SPDX-License-Identifier: Apache-2.0

/// A goal of a work plan: what a contract, or a delegation for itself, has to reach in a month (WP-01, WP-03).
package struct WorkGoal: Equatable, Sendable {
    package enum Indicator: String, Sendable, CaseIterable {
        /// Accounts with a valid outcome, reached, with a promise, with an agreement.
        case worked, contacted, promises, agreements
        /// Pesos paid.
        case recovered
        /// Pesos paid on accounts without an employer's deduction; a delegation's own (IND-07).
        case flow

        /// Whether it counts accounts, so that it is prorated when the institution takes some away.
        package var isCount: Bool {
            switch self {
            case .worked, .contacted, .promises, .agreements: true
            case .recovered, .flow: false
            }
        }
    }

    package let id: String
    /// `nil`: the delegation's own.
    package let contract: ContractID?
    package let delegation: Delegation
    package let tactic: String?
    package let indicator: Indicator
    /// In ten-thousandths of an account or peso.
    package let minimum: Int64
    package let weight: Int64

    package init(
        id: String, contract: ContractID?, delegation: Delegation, tactic: String?, indicator: Indicator,
        minimum: Int64, weight: Int64
    ) {
        self.id = id
        self.contract = contract
        self.delegation = delegation
        self.tactic = tactic
        self.indicator = indicator
        self.minimum = minimum
        self.weight = weight
    }

    /// How facts name it: `worked`, or `worked:rest` of one tactic.
    package var subject: String { indicator.rawValue + (tactic.map { ":" + $0 } ?? "") }

    /// Goals carry up to four decimals.
    package static let scale: Int64 = 10_000

    /// Of a minimum in accounts, the part that is left to reach when the institution took accounts away: in proportion to what was left
    /// assigned, cut off in the agency's favour.
    ///
    /// - Parameters:
    ///   - minimum: in ten-thousandths.
    ///   - accounts: what the minimum was set for, and what the institution withdrew, recalled or excluded of it.
    package static func prorated(_ minimum: Int64, taken accounts: (dealt: Int64, taken: Int64)) -> Int64 {
        let (dealt, taken) = accounts
        guard dealt > 0, taken > 0 else { return minimum }
        let left = max(0, dealt - taken)
        return Int64(clamping: Int128(minimum) * Int128(left) / Int128(dealt))
    }
}
