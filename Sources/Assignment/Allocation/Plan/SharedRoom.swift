// SPDX-License-Identifier: Apache-2.0

/// How far each contract may pull beyond its quota where a pool's hands are shared, first come first served.
///
/// A plan gives every contract a quota, shared or not, and no two quotas use the same adviser or the same part of the
/// cap. What a contract has left of its advisers at a station, of its advisers over a portfolio and of its agency's cap
/// after all quotas, it may use in the shared pools there, at most all that is dealt of them. So all limits together
/// stay within what each contract may hold, whoever pulls first. A bond is parted as ever: each part is a pool's own. Where
/// nothing is left of it, a contract shares in nothing: its advisers do not help.
/// - Source: AGY-07, AGY-08, ASG-07.
package struct SharedRoom: Sendable {
    /// By pool and contract, on top of the quota: an entry for everyone who may pull of a shared pool.
    package let extra: [PlanKey: Int64]

    /// - Parameters:
    ///   - planned: per pool (undivided) and contract, what comes on top of what `input` says is held.
    ///   - bonds: centavos of bond that a contract has for the pool beside what is held; absent: no bond limits it.
    ///   - waiting: what waits in hands of a pool beside that.
    package init(
        _ input: PlanInput, planned: [PlanKey: Int64], bonds: [PlanKey: Int64], waiting: [PoolKey: Int64] = [:]
    ) {
        let shared = Set(input.shared ?? [])
        guard !shared.isEmpty else {
            extra = [:]
            return
        }
        let contracts = Dictionary(input.contracts.map { ($0.contract, $0) }) { first, _ in first }
        var sizes = waiting
        for (key, accounts) in planned { sizes[key.cell.pool, default: 0] += accounts }
        var capRooms = input.agencyRooms
        for (key, accounts) in planned {
            if let agency = contracts[key.contract]?.agency { capRooms[agency]? -= accounts }
        }
        let takers = planned.keys.filter { key in
            let pool = key.cell.pool
            return shared.contains(TargetKey(delegation: pool.delegation, strategy: pool.strategy))
                && contracts[key.contract]?.absence(from: key.cell, on: input.firstDay) == nil
                && bonds[key] ?? 1 > 0
        }
        var extra: [PlanKey: Int64] = [:]
        let byContract = Dictionary(grouping: planned, by: \.key.contract)
        for (number, keys) in Dictionary(grouping: takers, by: \.contract).sorted(by: { $0.key < $1.key }) {
            guard let contract = contracts[number] else { continue }
            let mine = byContract[number] ?? []
            var portfolioRooms: [Portfolio: Int64] = [:]
            for portfolio in Portfolio.allCases {
                portfolioRooms[portfolio] = contract.room(in: portfolio).map { room in
                    room - Self.sum(mine) { $0.portfolio == portfolio }
                }
            }
            for (station, places) in Dictionary(grouping: keys, by: \.cell.pool.station).sorted(by: { $0.key < $1.key })
            {
                let places = places.sorted()
                let own = contract.room(at: station).map { $0 - Self.sum(mine) { $0.station == station } }
                let rooms = [own, portfolioRooms[station.portfolio], capRooms[contract.agency]].compactMap(\.self)
                let wants = places.map { max(0, (sizes[$0.cell.pool] ?? 0) - (planned[$0] ?? 0)) }
                let wanted = wants.reduce(0, +)
                let room = max(0, min(wanted, rooms.min() ?? wanted))
                for (key, more) in zip(places, Proportion.split(room, weights: wants)) { extra[key] = more }
                portfolioRooms[station.portfolio]? -= room
                capRooms[contract.agency]? -= room
            }
        }
        self.extra = extra
    }

    private static func sum(_ planned: [(key: PlanKey, value: Int64)], where fits: (PoolKey) -> Bool) -> Int64 {
        planned.reduce(0) { fits($1.key.cell.pool) ? $0 + $1.value : $0 }
    }
}

extension PoolKey {
    package var station: Station { Station(delegation: delegation, portfolio: portfolio) }
}

extension AllocationPlan {
    /// To be dealt per pool and contract, over all parts of a pool.
    package var byPool: [PlanKey: Int64] {
        quotas.reduce(into: [:]) {
            $0[PlanKey(cell: PlanCell($1.key.cell.pool), contract: $1.key.contract), default: 0] += $1.accounts
        }
    }

    /// Centavos of bond that may be dealt at most, per pool and contract; only where a bond limits.
    package var bondsByPool: [PlanKey: Int64] {
        quotas.reduce(into: [:]) { bonds, quota in
            guard let exposure = quota.exposureMax else { return }
            bonds[PlanKey(cell: PlanCell(quota.key.cell.pool), contract: quota.key.contract), default: 0] += exposure
        }
    }
}
