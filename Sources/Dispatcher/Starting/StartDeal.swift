// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// Deals what one file of starts placed into front hands.
///
/// First what waits where it would wait again: it goes to the front as it is, with its exposure, and takes nothing of any
/// quota. Then pool by pool the rest, within what the contracts have room for by then, urgent classes first. What waited
/// elsewhere stays with its contract where that works the new pool and has room.
struct StartDeal {
    let store: StartStore
    let planning: PlanningStore
    let period: Period
    let plan: (id: Int64, seed: Int64)
    let policy: Policy
    let segmenter: Segmenter
    let settings: PlanSettings
    /// Of the file: each is shuffled by itself, so how often an import was tried changes nothing.
    let digest: [UInt8]
    let link: PgLink
    private(set) var outcomes: [StartOutcome] = []
    /// Of the hands that were dealt.
    private(set) var records: [LedgerRecord] = []

    init(
        store: StartStore, planning: PlanningStore, period: Period, plan: (id: Int64, seed: Int64), policy: Policy,
        segmenter: Segmenter, settings: PlanSettings, digest: [UInt8], link: PgLink
    ) {
        self.store = store
        self.planning = planning
        self.period = period
        self.plan = plan
        self.policy = policy
        self.segmenter = segmenter
        self.settings = settings
        self.digest = digest
        self.link = link
    }

    /// An account with what can be dealt of it.
    struct Start {
        let account: StartStore.Account
        let row: DealableRow
        var candidate: DealCandidate

        var pool: PoolKey {
            PoolKey(delegation: account.delegation, strategy: row.strategy, portfolio: row.portfolio)
        }
        var dealtFate: StartFate { account.waiting == nil ? .dealt : .dealtAnew }
    }

    mutating func run(_ accounts: [StartStore.Account]) throws {
        let contracts = Dictionary(try planning.contracts().map { ($0.contract, $0) }) { first, _ in first }
        let dealer = HandDealer(
            strata: Strata(tactics: segmenter.tactics, traits: settings.strata),
            incarnation: try Recovery.dealingIncarnation(link))
        var bars = try DealBars(contracts, link)
        var open: [StartStore.Account] = []
        for account in accounts {
            if let fate = StartFate(withoutDeal: account) {
                outcomes.append(StartOutcome(place: account.place, fate: fate, epoch: account.liveEpoch))
            } else {
                open.append(account)
            }
        }
        let rows = open.compactMap(\.dealable)
        let candidates = bars.barring(dealer.candidates(rows), rows)
        let tools = Tools(contracts: contracts, dealer: dealer, bars: bars)
        let rest = try move(
            zip(open, zip(rows, candidates)).map { Start(account: $0, row: $1.0, candidate: $1.1) }, tools)
        try dealByQuotas(rest, tools)
    }

    struct Tools {
        let contracts: [ContractID: ContractRow]
        let dealer: HandDealer
        let bars: DealBars

        /// Whether the contract may not have it, whatever room it has.
        func bars(_ start: Start, from contract: ContractID) -> Bool {
            start.candidate.bar > 0 && bars.sets[Int(start.candidate.bar) - 1].contains(contract)
        }
    }

    /// Writes hands, and notes what became of their accounts.
    mutating func write(
        _ dealt: [DealResult.Hand], of pool: PoolKey, _ starts: [Start], _ holding: Holding, _ tools: Tools,
        fate: (Start) -> StartFate
    ) throws {
        let rows = starts.map(\.row)
        let (hands, positions) = try tools.dealer.hands(
            dealt, pool: pool, rows: rows, candidates: starts.map(\.candidate), holding: holding,
            isPicked: settings.isPicked(pool.target), keepsEmpty: false, numbers: planning.handNumbers)
        guard !hands.isEmpty else { return }
        try planning.writeHands(
            pool.delegation, plan: plan.id, hands: hands, dealt: [DealtRows(rows: rows, positions: positions)],
            packs: policy.packs, front: true)
        let opened = try RecordedHands(link).openings(pool.delegation, hands.map(\.hand))
        records += hands.map {
            .deal(
                $0, delegation: pool.delegation, period: period, plan: plan.id, isFront: true, openedAt: opened[$0.hand]
            )
        }
        let epochs = Dictionary(uniqueKeysWithValues: positions.map { ($0.account, $0.epoch) })
        for start in dealt.flatMap(\.positions).map({ starts[Int($0.place)] }) {
            note(start, fate(start), epoch: epochs[start.account.account])
        }
    }

    mutating func note(_ start: Start, _ fate: StartFate, epoch: Int64? = nil) {
        outcomes.append(StartOutcome(place: start.account.place, fate: fate, epoch: epoch))
    }

    /// Each pool is shuffled by itself, from the plan's seed and the file's own bytes.
    func seed(of pool: PoolKey) -> UInt64 {
        let file = digest.prefix(8).reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
        let parts = [
            Int64(pool.delegation.value), Int64(pool.strategy.rawValue), Int64(pool.portfolio.rawValue),
            Int64(bitPattern: file),
        ]
        var random = SplitMix64(seed: UInt64(bitPattern: plan.seed), parts: parts.map { UInt64(bitPattern: $0) })
        return random.next()
    }

    // MARK: - To the front

    /// The hands that what moves comes from, as far as they differ for the new one.
    private struct MoveKey: Hashable, Comparable {
        let pool: PoolKey
        let contracts: [ContractID]
        let arm: Int16

        static func < (left: MoveKey, right: MoveKey) -> Bool {
            if left.pool != right.pool { return left.pool < right.pool }
            if left.contracts != right.contracts { return left.contracts.lexicographicallyPrecedes(right.contracts) }
            return left.arm < right.arm
        }
    }

    /// Moves what still belongs where it waited.
    ///
    /// - Returns: the others.
    private mutating func move(_ starts: [Start], _ tools: Tools) throws -> [Start] {
        var moves: [MoveKey: [Start]] = [:]
        var rest: [Start] = []
        for start in starts {
            if let key = moveKey(start, tools) {
                moves[key, default: []].append(start)
            } else {
                rest.append(start)
            }
        }
        for key in moves.keys.sorted() {
            guard let moving = moves[key] else { continue }
            guard let holding = policy.holding(key.pool.strategy),
                let contract = key.contracts.first.flatMap({ tools.contracts[$0] })
            else {
                rest += moving
                continue
            }
            // The contract is settled, so nobody is barred; what is asked for is the order alone.
            let open = moving.map { start in
                var candidate = start.candidate
                candidate.bar = 0
                return candidate
            }
            var dealing = DelegationDealing()
            let ordered = dealing.deal(
                open, [DealShare(contract: contract.contract, agency: contract.agency, accounts: Int64(moving.count))],
                seed: seed(of: key.pool)
            ).hands.flatMap(\.positions)
            let positions = ordered.map { position in
                let waited = moving[Int(position.place)].account.waiting
                return DealResult.Position(
                    place: position.place, reason: waited?.reason ?? position.reason,
                    exposure: waited?.exposure ?? position.exposure)
            }
            let hand = DealResult.Hand(contracts: key.contracts, arm: key.arm, positions: positions)
            try write([hand], of: key.pool, moving, holding, tools) { _ in .moved }
        }
        return rest
    }

    /// Where a start goes to the front as it is; `nil` where it waited nowhere, is placed in another pool now, or whoever had it
    /// may not have it any more.
    private func moveKey(_ start: Start, _ tools: Tools) -> MoveKey? {
        guard let waiting = start.account.waiting, waiting.pool == start.pool, !waiting.contracts.isEmpty,
            // Of what waits in a shared hand each counts its part; among fewer the parts would be greater.
            waiting.contracts.count == Int(waiting.sharers),
            waiting.contracts.allSatisfy({ !tools.bars(start, from: $0) })
        else { return nil }
        return MoveKey(pool: start.pool, contracts: waiting.contracts, arm: waiting.arm)
    }
}
