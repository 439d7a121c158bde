// SPDX-License-Identifier: Apache-2.0

/// Where accounts wait to be dealt: one delegation's placements of one strategy and portfolio that nobody holds.
package struct PoolKey: Hashable, Sendable, Comparable, Codable {
    package let delegation: Delegation
    package let strategy: Strategy
    package let portfolio: Portfolio

    package init(delegation: Delegation, strategy: Strategy, portfolio: Portfolio) {
        self.delegation = delegation
        self.strategy = strategy
        self.portfolio = portfolio
    }

    /// By delegation, then in the order in which strategies are served, then by portfolio.
    package static func < (left: PoolKey, right: PoolKey) -> Bool {
        (left.delegation, left.strategy.turn, left.portfolio) < (right.delegation, right.strategy.turn, right.portfolio)
    }
}

extension Strategy {
    /// When a strategy takes its part of the capacity that all share: mediation first, because a session that nobody
    /// is invited to is lost; preventive last, because it is the largest.
    package var turn: Int {
        switch self {
        case .mediation: 1
        case .dual: 2
        case .administrative: 3
        case .preventive: 4
        }
    }
}

/// Where a contract's advisers work.
package struct Station: Hashable, Sendable, Comparable, Codable {
    package let delegation: Delegation
    package let portfolio: Portfolio

    package init(delegation: Delegation, portfolio: Portfolio) {
        self.delegation = delegation
        self.portfolio = portfolio
    }

    package static func < (left: Station, right: Station) -> Bool {
        (left.delegation, left.portfolio) < (right.delegation, right.portfolio)
    }
}
