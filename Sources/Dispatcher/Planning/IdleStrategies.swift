// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// Strategies that contracts are made for and that nobody is in.
struct IdleStrategies {
    private let contracts: [Strategy: [ContractID]]

    /// - Parameter contracts: those that take part in a plan.
    init(_ contracts: [ContractRow]) {
        var found: [Strategy: [ContractID]] = [:]
        for contract in contracts {
            for strategy in contract.strategies { found[strategy, default: []].append(contract.contract) }
        }
        self.contracts = found
    }

    /// A line for each that has contracts and no account.
    /// - Parameter placed: how many accounts a policy places in a strategy.
    func words(placed: (Strategy) -> Int64) -> [String] { words("no account is placed in", counting: placed) }

    /// The same of a plan.
    /// - Parameter waiting: how many accounts of a strategy wait to be dealt.
    func undealtWords(waiting: (Strategy) -> Int64) -> [String] {
        words("no account waits to be dealt in", counting: waiting)
    }

    private func words(_ what: String, counting count: (Strategy) -> Int64) -> [String] {
        Strategy.allCases.reversed().compactMap { strategy in
            guard let idle = contracts[strategy], count(strategy) == 0 else { return nil }
            return "\(what) \(strategy.name), which \(idle.count == 1 ? "contract" : "contracts") "
                + "\(idle.sorted().map { "\($0)" }.listed(5)) \(idle.count == 1 ? "is" : "are") for: nothing of it is dealt"
        }
    }
}
