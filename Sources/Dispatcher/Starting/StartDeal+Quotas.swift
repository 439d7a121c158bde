// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

extension StartDeal {
    /// Deals each pool to the contracts that have room, urgent classes first; what finds none is left with its reason.
    ///
    /// What moved to the front before waits in its new hands by now, and counts there.
    mutating func dealByQuotas(_ starts: [Start], _ tools: Tools) throws {
        let pools = Dictionary(grouping: starts, by: \.pool)
        let rooms = pools.isEmpty ? [:] : Dictionary(grouping: try store.rooms(), by: \.pool)
        var done = 0
        for pool in pools.keys.sorted() {
            let shares = (rooms[pool] ?? []).compactMap { room in
                tools.contracts[room.contract].map {
                    DealShare(
                        contract: $0.contract, agency: $0.agency, accounts: room.accounts, exposureMax: room.exposure,
                        exposure: $0.exposure)
                }
            }
            let mine = pools[pool] ?? []
            try deal(pool, mine, shares, tools)
            done += mine.count
            Console.progress("starts dealt or left", done: done, of: starts.count)
        }
        Console.progress("starts dealt or left", done: starts.count, of: starts.count, isDone: true)
    }

    private mutating func deal(_ pool: PoolKey, _ starts: [Start], _ shares: [DealShare], _ tools: Tools) throws {
        guard !shares.isEmpty, let holding = policy.holding(pool.strategy) else {
            for start in starts { note(start, .noContract) }
            return
        }
        var split = StartSplit(starts, shares, tools, seed: seed(of: pool))
        split.deal()
        for (place, reason) in split.left { note(starts[place], StartFate(reason)) }
        try write(split.hands, of: pool, starts, holding, tools) { $0.account.waiting == nil ? .dealt : .dealtAnew }
    }
}

/// One pool's starts between the contracts that have room.
///
/// Whoever had an account in a hand before keeps it, as far as its room goes; so where there is such an account, classes are
/// dealt one after the other, and no class takes the room of one before it.
private struct StartSplit {
    private let starts: [StartDeal.Start]
    private let tools: StartDeal.Tools
    private let seed: UInt64
    private var shares: [DealShare]
    private var dealing = DelegationDealing()
    private var positions: [ContractID: [DealResult.Position]] = [:]
    /// Places of what found no room.
    private(set) var left: [(place: Int, reason: DealResult.Left.Reason)] = []

    init(_ starts: [StartDeal.Start], _ shares: [DealShare], _ tools: StartDeal.Tools, seed: UInt64) {
        self.starts = starts
        self.shares = shares
        self.tools = tools
        self.seed = seed
    }

    var hands: [DealResult.Hand] {
        shares.map(\.contract).sorted().map {
            DealResult.Hand(contracts: [$0], arm: 0, positions: positions[$0] ?? [])
        }
    }

    mutating func deal() {
        guard starts.contains(where: { keeper(of: $0) != nil }) else { return deal(Array(starts.indices)) }
        let classes = Dictionary(grouping: starts.indices) { starts[$0].row.priority }
        for priority in classes.keys.sorted() {
            let rest = (classes[priority] ?? []).filter { !keep($0) }
            if !rest.isEmpty { deal(rest) }
        }
    }

    /// The share of whoever alone had it in a hand, where it may have it still.
    private func keeper(of start: StartDeal.Start) -> Int? {
        guard let waiting = start.account.waiting, waiting.sharers == 1, let contract = waiting.contracts.first,
            !tools.bars(start, from: contract)
        else { return nil }
        return shares.firstIndex { $0.contract == contract }
    }

    private mutating func keep(_ place: Int) -> Bool {
        let row = starts[place].row
        guard let share = keeper(of: starts[place]), shares[share].accounts > 0 else { return false }
        let exposure = shares[share].exposure.of(overdue: row.overdue, balance: row.balance)
        guard exposure <= shares[share].exposureMax ?? .max else { return false }
        take(DealResult.Position(place: Int32(place), reason: .share, exposure: exposure), share)
        return true
    }

    private mutating func take(_ position: DealResult.Position, _ share: Int) {
        shares[share].accounts -= 1
        if let room = shares[share].exposureMax { shares[share].exposureMax = room - position.exposure }
        positions[shares[share].contract, default: []].append(position)
    }

    private mutating func deal(_ places: [Int]) {
        let dealt = dealing.deal(places.map { starts[$0].candidate }, shares, seed: seed, bars: tools.bars.sets)
        left += dealt.left.map { (places[Int($0.place)], $0.reason) }
        for hand in dealt.hands {
            guard let share = shares.firstIndex(where: { [$0.contract] == hand.contracts }) else { continue }
            for position in hand.positions {
                take(
                    DealResult.Position(
                        place: Int32(places[Int(position.place)]), reason: position.reason, exposure: position.exposure),
                    share)
            }
        }
    }
}
