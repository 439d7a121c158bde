// SPDX-License-Identifier: Apache-2.0

import Assignment
import Testing

struct PlanProofTests {
    @Test(arguments: 0..<1_000 as Range<UInt64>)
    func `the checker accepts every plan, and the gap is at most one account per bonded contract and delegation`(
        seed: UInt64
    ) throws {
        let input = PlanInstance.input(seed)
        let plan = try AllocationPlan(input)

        #expect(PlanCheck(plan, of: input).faults == [])
        let bonded = plan.quotas.filter { $0.bondAccountsMax != nil }
        let pairs = Set(bonded.map { [Int32($0.key.cell.pool.delegation.value), $0.key.contract.value] })
        #expect(plan.gap <= Int64(pairs.count) * (input.weightByClass.values.max() ?? 0))
    }

    @Test(arguments: 0..<100 as Range<UInt64>)
    func `the order of the input does not matter to a plan`(seed: UInt64) throws {
        var input = PlanInstance.input(seed)
        let plan = try AllocationPlan(input)
        var random = SplitMix64(seed: seed &+ 77)
        random.shuffle(&input.demands)
        random.shuffle(&input.contracts)
        for index in input.demands.indices { random.shuffle(&input.demands[index].classes) }

        #expect(try AllocationPlan(input) == plan)
    }

    @Test(arguments: 0..<300 as Range<UInt64>)
    func `trying every plan finds none that is better`(seed: UInt64) throws {
        let input = PlanInstance.tiny(seed)
        let plan = try AllocationPlan(input)
        let all = EveryPlan(input, plan)

        #expect(all.bestWeight <= plan.bound)
        #expect(all.bestWeight - plan.weight <= plan.gap)
        #expect(all.bestWithinParts == plan.weight)
        #expect(all.nearest == plan.quotas.map(\.accounts))
    }
}

/// Every plan of a tiny input, one after the other.
private struct EveryPlan {
    private let input: PlanInput
    private let plan: AllocationPlan
    private let rooms: [(room: Int64, quotas: [(place: Int, amount: Int64)])]
    private let demands: [PlanCell: PlanDemand]
    /// With any parts of the bonds.
    private(set) var bestWeight: Int64 = 0
    /// Within the parts that the plan states.
    private(set) var bestWithinParts: Int64 = 0
    private(set) var nearest: [Int64] = []
    private var leastRanks: [Rank] = []

    private struct Rank {
        let part: Int64
        let whole: Int64
        let ties: [Int]

        static func order(_ left: Rank, _ right: Rank) -> Bool {
            let (a, b) = (left.part * right.whole, right.part * left.whole)
            return a == b ? left.ties.lexicographicallyPrecedes(right.ties) : a < b
        }
    }

    init(_ input: PlanInput, _ plan: AllocationPlan) {
        self.input = input
        self.plan = plan
        self.demands = Dictionary(uniqueKeysWithValues: input.demands.map { ($0.cell, $0) })
        let contracts = Dictionary(uniqueKeysWithValues: input.contracts.map { ($0.contract, $0) })
        var rooms: [PlanLimit: (room: Int64, quotas: [(place: Int, amount: Int64)])] = [:]
        for (place, quota) in plan.quotas.enumerated() {
            guard let contract = contracts[quota.key.contract], let demand = demands[quota.key.cell] else { continue }
            let pool = quota.key.cell.pool
            let station = Station(delegation: pool.delegation, portfolio: pool.portfolio)
            let limits: [(PlanLimit, Int64?, Int64)] = [
                (.station(contract.contract, station), contract.room(at: station), 1),
                (.portfolio(contract.contract, pool.portfolio), contract.room(in: pool.portfolio), 1),
                (.bond(contract.contract), contract.bondRoom, demand.meanExposure(contract.exposure)),
                (.agency(contract.agency), input.agencyRooms[contract.agency], 1),
            ]
            for (limit, room, amount) in limits {
                guard let room else { continue }
                rooms[limit, default: (room, [])].quotas.append((place, amount))
            }
        }
        self.rooms = Array(rooms.values)
        var accounts = plan.quotas.map { _ in Int64(0) }
        tryAll(&accounts, from: 0)
    }

    private mutating func tryAll(_ accounts: inout [Int64], from place: Int) {
        guard place < accounts.count else { return judge(accounts) }
        let cell = plan.quotas[place].key.cell
        let taken = plan.quotas.indices.filter { $0 < place && plan.quotas[$0].key.cell == cell }
        let left = (demands[cell]?.accounts ?? 0) - taken.reduce(0) { $0 + accounts[$1] }
        for count in 0...left {
            accounts[place] = count
            let isWithin = rooms.allSatisfy { limit in
                limit.quotas.reduce(0) { $0 + ($1.place <= place ? accounts[$1.place] * $1.amount : 0) } <= limit.room
            }
            guard isWithin else { break }
            tryAll(&accounts, from: place + 1)
        }
        accounts[place] = 0
    }

    private mutating func judge(_ accounts: [Int64]) {
        var weight: Int64 = 0
        for demand in input.demands {
            var left = plan.quotas.indices.reduce(0) {
                $0 + (plan.quotas[$1].key.cell == demand.cell ? accounts[$1] : 0)
            }
            for item in demand.classes.sorted(by: { $0.priority < $1.priority }) {
                weight += min(left, item.accounts) * (input.weightByClass[item.priority] ?? 0)
                left -= min(left, item.accounts)
            }
        }
        bestWeight = max(bestWeight, weight)
        let isWithinParts = zip(accounts, plan.quotas).allSatisfy { $0 <= $1.bondAccountsMax ?? Int64.max }
        guard isWithinParts, weight >= bestWithinParts else { return }
        let ranks = ranks(accounts)
        if weight > bestWithinParts || nearest.isEmpty
            || ranks.lexicographicallyPrecedes(leastRanks, by: Rank.order)
        {
            nearest = accounts
            leastRanks = ranks
        }
        bestWithinParts = weight
    }

    /// Worst first.
    private func ranks(_ accounts: [Int64]) -> [Rank] {
        plan.quotas.indices.map { place in
            let quota = plan.quotas[place]
            let cell = plan.quotas.filter { $0.key.cell == quota.key.cell }
            let base = (demands[quota.key.cell]?.accounts ?? 0) + cell.reduce(0) { $0 + $1.held }
            let total = accounts[place] + quota.held
            let distance = total * ShareTarget.whole - base * quota.part
            let isMove = distance > 0 ? total > quota.lastMonth : total < quota.lastMonth
            return Rank(
                part: abs(distance), whole: max(base * quota.part, 1),
                ties: [isMove ? 1 : 0, distance > 0 ? 1 : 0, plan.quotas.count - place])
        }.sorted { Rank.order($1, $0) }
    }
}
