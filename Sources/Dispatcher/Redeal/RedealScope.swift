// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// Which pools are dealt again, and how.
package struct RedealScope: Sendable {
    package enum Manner: Sendable, Equatable {
        /// Every hand is closed and all that nobody holds is dealt anew.
        case everything
        /// What waits for nobody is dealt into front hands; the hands that are out stay as they are.
        case leftOver
    }

    package var manner: Manner
    /// `nil`: every one.
    package var delegations: Set<Delegation>?
    package var strategies: Set<Strategy>?
    /// Contracts that get nothing of it, and where.
    package var excluded: [ContractID: Set<Station>] = [:]

    package init(
        _ manner: Manner, delegations: Set<Delegation>? = nil, strategies: Set<Strategy>? = nil,
        excluded: [ContractID: Set<Station>] = [:]
    ) {
        self.manner = manner
        self.delegations = delegations
        self.strategies = strategies
        self.excluded = excluded
    }

    func contains(_ pool: PoolKey) -> Bool {
        (delegations?.contains(pool.delegation) ?? true) && (strategies?.contains(pool.strategy) ?? true)
    }
}
