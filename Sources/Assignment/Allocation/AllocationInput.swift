// SPDX-License-Identifier: Apache-2.0

/// Where accounts wait to be dealt: one delegation's placements of one strategy and portfolio that nobody holds.
package struct PoolKey: Hashable, Sendable, Comparable {
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

/// How much waits in a pool. Amounts are centavos, each account's counted as 0 or more.
package struct Pool: Hashable, Sendable {
    package let key: PoolKey
    package let accounts: Int64
    package let overdue: Int64
    package let balance: Int64

    package init(key: PoolKey, accounts: Int64, overdue: Int64, balance: Int64) {
        self.key = key
        self.accounts = accounts
        self.overdue = overdue
        self.balance = balance
    }

    func exposure(_ exposure: Exposure) -> Int64 { exposure.of(overdue: overdue, balance: balance) }
}

/// Where a contract's advisers work.
package struct Station: Hashable, Sendable, Comparable {
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

/// What a contract can still take, with what it holds from earlier periods taken off.
package struct ContractRoom: Hashable, Sendable {
    package let contract: ContractID
    package let strategies: [Strategy]
    /// Accounts that its advisers can still carry, 0 or more, shared by its strategies; no entry: it does not work
    /// there.
    package let capacity: [Station: Int64]
    /// Centavos of bond that nothing uses yet, 0 or more.
    package let bond: Int64
    package let exposure: Exposure

    package init(
        contract: ContractID, strategies: [Strategy], capacity: [Station: Int64], bond: Int64, exposure: Exposure
    ) {
        self.contract = contract
        self.strategies = strategies
        self.capacity = capacity
        self.bond = bond
        self.exposure = exposure
    }

    func takes(_ key: PoolKey) -> Bool {
        strategies.contains(key.strategy)
            && capacity[Station(delegation: key.delegation, portfolio: key.portfolio)] != nil
    }
}
