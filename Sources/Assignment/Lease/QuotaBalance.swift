// SPDX-License-Identifier: Apache-2.0

/// What a contract may hold of one delegation, strategy and portfolio, and what it holds.
///
/// Held is granted minus released. Released is folded a little late and so errs on the safe side: it can only make held look greater.
package struct QuotaBalance: Equatable, Sendable {
    package let limitAccounts: Int64
    /// `nil` where the contract's bond does not cover exposure (basis none).
    package let limitExposure: Cents?
    package private(set) var grantedAccounts: Int64
    package private(set) var grantedExposure: Cents
    package let releasedAccounts: Int64
    package let releasedExposure: Cents

    package init(
        limitAccounts: Int64, limitExposure: Cents?, grantedAccounts: Int64, grantedExposure: Cents,
        releasedAccounts: Int64, releasedExposure: Cents
    ) {
        self.limitAccounts = limitAccounts
        self.limitExposure = limitExposure
        self.grantedAccounts = grantedAccounts
        self.grantedExposure = grantedExposure
        self.releasedAccounts = releasedAccounts
        self.releasedExposure = releasedExposure
    }

    package var heldAccounts: Int64 { grantedAccounts - releasedAccounts }
    package var heldExposure: Cents { grantedExposure - releasedExposure }
    /// How many more accounts fit; 0 where a lowered limit lies below what is held.
    package var freeAccounts: Int64 { max(0, limitAccounts - heldAccounts) }

    /// Whether one more account of this exposure stays within the bond (AGY-08, AGY-09).
    package func covers(_ exposure: Cents) -> Bool {
        guard let limitExposure else { return true }
        return heldExposure + exposure <= limitExposure
    }

    package mutating func book(accounts: Int64, exposure: Cents) {
        grantedAccounts += accounts
        grantedExposure += exposure
    }
}
