// SPDX-License-Identifier: Apache-2.0

/// What a contract's bond must cover of each account it holds (AGY-08, AGY-09): a basis times a factor.
package struct Exposure: Hashable, Sendable, Codable {
    package enum Basis: String, Sendable, CaseIterable, Codable { case none, overdue, total }

    package let basis: Basis
    /// Hundredths of one percent, 0...100_000: the law of the contract may ask for more than the whole.
    package let factorBasisPoints: Int64

    package init(basis: Basis, factorBasisPoints: Int64) {
        self.basis = basis
        self.factorBasisPoints = factorBasisPoints
    }

    /// Whether the bond limits anything.
    package var isLimiting: Bool { basis != .none }

    /// Centavos of one account, rounded up so that the bond is never covered by less than it must; amounts below zero
    /// count as zero.
    package func of(overdue: Int64, balance: Int64) -> Int64 {
        let amount: Int64
        switch basis {
        case .none: return 0
        case .overdue: amount = max(overdue, 0)
        case .total: amount = max(balance, 0)
        }
        let (quotient, remainder) = Int64(10_000).dividingFullWidth(amount.multipliedFullWidth(by: factorBasisPoints))
        return quotient + (remainder > 0 ? 1 : 0)
    }
}
