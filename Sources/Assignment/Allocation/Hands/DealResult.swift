// SPDX-License-Identifier: Apache-2.0

/// A pool as dealt: what each contract's hand holds, in order, and what is left.
package struct DealResult: Hashable, Sendable {
    /// Why this contract got this account.
    package enum Reason: UInt8, Sendable, CaseIterable {
        /// Its turn.
        case share
        /// A live promise or an agreement in cure binds it.
        case promise
        /// The agency has another credit of the debtor.
        case together
        /// It would have been the turn of an agency that had the account before.
        case rotation
        /// Not found before; the agency searches (ASG-08).
        case search
        /// It waits in a hand that several contracts share.
        case shared

        package var name: String {
            switch self {
            case .share: "share"
            case .promise: "promise"
            case .together: "together"
            case .rotation: "rotation"
            case .search: "search"
            case .shared: "shared"
            }
        }
    }

    package struct Position: Hashable, Sendable {
        /// Place in the input.
        package let place: Int32
        package let reason: Reason
        /// Centavos.
        package let exposure: Int64

        package init(place: Int32, reason: Reason, exposure: Int64) {
            self.place = place
            self.reason = reason
            self.exposure = exposure
        }
    }

    package struct Hand: Hashable, Sendable {
        /// Whose it is: one, or all that share it, ascending.
        package let contracts: [ContractID]
        package let arm: Int16
        /// In the order in which they are leased.
        package let positions: [Position]
        /// Centavos of all positions.
        package let exposure: Int64

        package init(contracts: [ContractID], arm: Int16, positions: [Position]) {
            self.contracts = contracts
            self.arm = arm
            self.positions = positions
            self.exposure = positions.reduce(0) { $0 + $1.exposure }
        }
    }

    package struct Left: Hashable, Sendable {
        package enum Reason: UInt8, Sendable, CaseIterable {
            /// No quota is left.
            case quota
            /// Quotas are, but no bond has room for the account, to the centavo.
            case bond
            /// Only agencies that had it before have room.
            case rotation
            /// No agency that searches, and has not had it, has room.
            case search
            /// Whoever has room may not work it: its band is suspended for the agency, or there are no visits.
            case ban

            package var name: String {
                switch self {
                case .quota: "quota"
                case .bond: "bond"
                case .rotation: "rotation"
                case .search: "search"
                case .ban: "ban"
                }
            }
        }
        package let place: Int32
        package let reason: Reason

        package init(place: Int32, reason: Reason) {
            self.place = place
            self.reason = reason
        }
    }

    /// By contract, one for each share, then the shared ones by number.
    package var hands: [Hand]
    /// In the order in which they would have been dealt.
    package var left: [Left]
    /// Places whose debtor has other credits with an agency that had no room for this one.
    package var apart: [Int32]
}
