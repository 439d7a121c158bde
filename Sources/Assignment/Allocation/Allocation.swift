// SPDX-License-Identifier: Apache-2.0

/// How many accounts of each pool each contract gets, and what stays unassigned.
///
/// Equal shares per contract within a pool; bounded by the capacity of contract, delegation and portfolio, which the
/// strategies share in their turn, and by the contract's bond over all of its pools. What one contract cannot take
/// goes to the others. The order of the input does not matter.
/// - Source: AGY-07…09, ASG-07; the sources leave the method open (GAP-allocation).
package struct Allocation: Hashable, Sendable {
    /// What kept a contract from more.
    package enum Binding: String, Sendable { case share, capacity, bond }

    package struct Quota: Hashable, Sendable {
        package let pool: PoolKey
        package let contract: ContractID
        package let accounts: Int64
        /// Centavos that may be dealt at most; `nil`: the contract's basis is none.
        package let exposureMax: Int64?
        /// Centavos of so many accounts of the pool's mean.
        package let exposureExpected: Int64
        package let binding: Binding
    }

    package struct Unassigned: Hashable, Sendable {
        package enum Reason: String, Sendable { case noContract = "no-contract", capacity, bond }
        package let pool: PoolKey
        package let accounts: Int64
        package let reason: Reason

        package init(pool: PoolKey, accounts: Int64, reason: Reason) {
            self.pool = pool
            self.accounts = accounts
            self.reason = reason
        }
    }

    /// By pool, then by contract; one for every contract that takes the pool, with 0 accounts too.
    package let quotas: [Quota]
    /// By pool; only where something is left.
    package let unassigned: [Unassigned]

    package init(pools: [Pool], contracts: [ContractRoom]) {
        var solver = AllocationSolver(pools: pools, contracts: contracts)
        solver.solve()
        self.quotas = solver.quotas()
        self.unassigned = solver.unassigned()
    }
}

/// One allocation at work. Indices are places in the sorted input.
private struct AllocationSolver {
    let pools: [Pool]
    let contracts: [ContractRoom]
    /// Per pool, the contracts that take it, ascending.
    let takers: [[Int]]
    /// Per contract that its bond limits: what each of its pools gets of the bond.
    var bondParts: [Int: [Int: (centavos: Int64, accounts: Int64)]] = [:]
    /// Per pool and taker.
    var shares: [[Int64]] = []
    var bindings: [[Allocation.Binding]] = []

    init(pools: [Pool], contracts: [ContractRoom]) {
        let contracts = contracts.sorted { $0.contract < $1.contract }
        self.pools = pools.sorted { $0.key < $1.key }
        self.contracts = contracts
        self.takers = self.pools.map { pool in contracts.indices.filter { contracts[$0].takes(pool.key) } }
    }

    /// Shares without bonds first; then every contract that would exceed its bond is held to it, and the rest is shared
    /// again, until nobody exceeds. A contract held once stays within its bond, so there are no more rounds than
    /// contracts.
    mutating func solve() {
        while true {
            share()
            let exceeding = contracts.indices.filter {
                contracts[$0].exposure.isLimiting && bondParts[$0] == nil && expected($0) > contracts[$0].bond
            }
            if exceeding.isEmpty { return }
            for contract in exceeding { bondParts[contract] = parts(of: contract) }
        }
    }

    private mutating func share() {
        var room = contracts.map(\.capacity)
        shares = []
        bindings = []
        for (number, pool) in pools.enumerated() {
            let station = Station(delegation: pool.key.delegation, portfolio: pool.key.portfolio)
            let capacity = takers[number].map { room[$0][station] ?? 0 }
            let bond = takers[number].map { taker in bondParts[taker].map { $0[number]?.accounts ?? 0 } ?? Int64.max }
            let filled = EqualShares.fill(pool.accounts, limits: zip(capacity, bond).map { min($0, $1) })
            let isShort = filled.reduce(0, +) < pool.accounts
            let largest = filled.max() ?? 0
            shares.append(filled)
            bindings.append(
                filled.indices.map { place in
                    // A full contract was held back only if others got more, or something is left.
                    guard filled[place] < largest || isShort else { return .share }
                    if filled[place] == bond[place] { return .bond }
                    return filled[place] == capacity[place] ? .capacity : .share
                })
            for (place, taker) in takers[number].enumerated() { room[taker][station] = capacity[place] - filled[place] }
        }
    }

    /// Centavos of `accounts` accounts of the pool's mean, rounded up.
    private func expected(_ accounts: Int64, of pool: Pool, _ exposure: Exposure) -> Int64 {
        guard pool.accounts > 0 else { return 0 }
        let (quotient, remainder) = pool.accounts.dividingFullWidth(
            pool.exposure(exposure).multipliedFullWidth(by: accounts))
        return quotient + (remainder > 0 ? 1 : 0)
    }

    private func expected(_ contract: Int) -> Int64 { expectedByPool(contract).reduce(0) { $0 + $1.centavos } }

    private func expectedByPool(_ contract: Int) -> [(pool: Int, centavos: Int64)] {
        pools.indices.compactMap { number in
            guard let place = takers[number].firstIndex(of: contract) else { return nil }
            return (number, expected(shares[number][place], of: pools[number], contracts[contract].exposure))
        }
    }

    /// The contract's bond over its pools, in proportion to what they would need; and how many accounts of the pool's
    /// mean each part covers, rounded down.
    private func parts(of contract: Int) -> [Int: (centavos: Int64, accounts: Int64)] {
        let needs = expectedByPool(contract)
        let parts = EqualShares.proportion(contracts[contract].bond, weights: needs.map(\.centavos))
        var found: [Int: (centavos: Int64, accounts: Int64)] = [:]
        for (need, part) in zip(needs, parts) {
            let pool = pools[need.pool]
            let total = pool.exposure(contracts[contract].exposure)
            // Without exposure nothing is needed of the bond.
            let accounts =
                total > 0 && part < total
                ? total.dividingFullWidth(part.multipliedFullWidth(by: pool.accounts)).quotient : pool.accounts
            found[need.pool] = (part, accounts)
        }
        return found
    }

    func quotas() -> [Allocation.Quota] {
        // Whom the bond does not limit gets all of it spread, so that dealing has room for accounts above the mean.
        let spread = contracts.indices.map { contract -> [Int: (centavos: Int64, accounts: Int64)]? in
            contracts[contract].exposure.isLimiting ? bondParts[contract] ?? parts(of: contract) : nil
        }
        return pools.indices.flatMap { number in
            takers[number].enumerated().map { place, taker in
                Allocation.Quota(
                    pool: pools[number].key, contract: contracts[taker].contract, accounts: shares[number][place],
                    exposureMax: spread[taker].map { $0[number]?.centavos ?? 0 },
                    exposureExpected: expected(shares[number][place], of: pools[number], contracts[taker].exposure),
                    binding: bindings[number][place])
            }
        }
    }

    func unassigned() -> [Allocation.Unassigned] {
        pools.indices.compactMap { number in
            let left = pools[number].accounts - shares[number].reduce(0, +)
            guard left > 0 else { return nil }
            let reason: Allocation.Unassigned.Reason
            if takers[number].isEmpty {
                reason = .noContract
            } else {
                reason = bindings[number].contains(.bond) ? .bond : .capacity
            }
            return Allocation.Unassigned(pool: pools[number].key, accounts: left, reason: reason)
        }
    }
}
