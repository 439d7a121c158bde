// SPDX-License-Identifier: Apache-2.0

/// Deals the pools of one delegation, one after the other, and remembers which agency has which debtor. Holds one
/// pool at a time.
package struct DelegationDealing {
    /// By debtor, the agency that has credits of the debtor; who holds some already is given, who is dealt some is
    /// added.
    package private(set) var debtors: [Int64: AgencyID]

    package init(debtors: [Int64: AgencyID] = [:]) { self.debtors = debtors }

    /// Deals one pool. Priority classes go in order. Within a class the accounts of each stratum are shuffled by the
    /// seed and dealt to whoever is furthest behind, and each hand spreads its strata evenly: at every moment it has of
    /// each stratum what the pool has of it.
    ///
    /// What a promise binds goes to its holder before all else, whatever its class; then, within each stratum, what may
    /// not go to everybody. Where quotas do not reach, the lowest class is left. The order of the input does not
    /// matter.
    ///
    /// Where shares are of one hand, it holds what any of them may have, in one order; what some may not have, or what
    /// goes to one of them for a reason, waits in that one's own hand.
    ///
    /// - Parameter bars: contracts that may not have some accounts; candidates name theirs by place, from 1 on.
    /// - Source: ASG-01, ASG-06, ASG-08, AGY-08, GEO-02.
    package mutating func deal(
        _ candidates: [DealCandidate], _ shares: [DealShare], seed: UInt64, bars: [Set<ContractID>] = []
    ) -> DealResult {
        var dealer = PoolDealer(candidates, shares.sorted { $0.contract < $1.contract }, seed: seed, bars: bars)
        return dealer.deal(&debtors)
    }
}

/// One pool at work. Orders are places in `ordered`: by class, then by stratum, then shuffled.
private struct PoolDealer {
    private struct Row {
        let orders: Range<Int>
        let classRank: Int
        /// How many of it are dealt, promises aside, before quotas run out.
        var quota = 0
    }
    private struct Room {
        var accounts: Int64
        var exposure: Int64
        /// Kept for promises that are still to come.
        var promised: Int64 = 0
        var promisedExposure: Int64 = 0
    }

    private let candidates: [DealCandidate]
    private let shares: [DealShare]
    private let ordered: [KeyedPlace]
    private var rows: [Row]
    private var rooms: [Room]
    private let total: Int64
    private var dealt: Int64 = 0
    private var counts: [Int64]
    /// Per order: the share that got it, -1: none; and why.
    private var owners: [Int16]
    private var reasons: [UInt8]
    private var lefts: [(order: Int, reason: DealResult.Left.Reason)] = []
    private var apart: [Int32] = []
    private let hasSpecials: Bool
    private let bars: [Set<ContractID>]
    /// Per shared hand the shares of it; ascending by number.
    private let sharing: [[Int]]

    init(_ candidates: [DealCandidate], _ shares: [DealShare], seed: UInt64, bars: [Set<ContractID>]) {
        self.bars = bars
        self.sharing = Dictionary(grouping: shares.indices.filter { shares[$0].sharing != nil }) {
            shares[$0].sharing ?? 0
        }.filter { $0.value.count > 1 }.sorted { $0.key < $1.key }.map(\.value)
        self.candidates = candidates
        self.shares = shares
        self.rooms = shares.map { Room(accounts: $0.accounts, exposure: $0.exposureMax ?? Int64.max) }
        self.counts = shares.map { _ in 0 }
        self.total = max(1, shares.reduce(0) { $0 + $1.accounts })
        (self.ordered, self.rows) = Self.order(candidates, seed)
        self.owners = [Int16](repeating: -1, count: candidates.count)
        self.reasons = [UInt8](repeating: 0, count: candidates.count)
        self.hasSpecials = candidates.contains {
            $0.promisedTo != nil || $0.debtor != 0 || $0.needsSearch || !$0.former.isEmpty || $0.bar != 0
        }
    }

    mutating func deal(_ debtors: inout [Int64: AgencyID]) -> DealResult {
        if hasSpecials { reservePromises() }
        chooseRows()
        for row in rows.indices { deal(row: row, &debtors) }
        dealRest(&debtors)
        return result()
    }

    // MARK: - Order

    /// By class, stratum and a number that seed and account give; strata in an order that the seed gives, so that what
    /// a bond has no room for at the end is not always of the same one.
    private static func order(_ candidates: [DealCandidate], _ seed: UInt64) -> ([KeyedPlace], [Row]) {
        var ranks: [UInt64: UInt64] = [:]
        for candidate in candidates { ranks[rowKey(candidate)] = 0 }
        let keys = ranks.keys.sorted { left, right in
            (left >> 32, shuffled(left, seed), left) < (right >> 32, shuffled(right, seed), right)
        }
        for (rank, key) in keys.enumerated() { ranks[key] = UInt64(rank) }
        var ordered: [KeyedPlace] = []
        ordered.reserveCapacity(candidates.count)
        for (place, candidate) in candidates.enumerated() {
            let rank = ranks[rowKey(candidate)] ?? 0
            let random = shuffled(UInt64(bitPattern: candidate.account), seed) >> 24
            ordered.append(KeyedPlace(key: rank << 40 | random, place: Int32(place)))
        }
        ordered.sortByKey()
        breakTies(&ordered, candidates)
        let classes = Dictionary(
            uniqueKeysWithValues: Set(keys.map { $0 >> 32 }).sorted().enumerated().map { ($1, $0) })
        var rows: [Row] = []
        var start = 0
        for (rank, key) in keys.enumerated() {
            var end = start
            while end < ordered.count, ordered[end].key >> 40 == UInt64(rank) { end += 1 }
            rows.append(Row(orders: start..<end, classRank: classes[key >> 32] ?? 0))
            start = end
        }
        return (ordered, rows)
    }

    private static func rowKey(_ candidate: DealCandidate) -> UInt64 {
        UInt64(UInt16(bitPattern: candidate.priority)) << 32 | UInt64(UInt32(bitPattern: candidate.stratum.value))
    }

    private static func shuffled(_ number: UInt64, _ seed: UInt64) -> UInt64 {
        var random = SplitMix64(seed: seed ^ number &* 0x9E37_79B9_7F4A_7C15)
        _ = random.next()
        return random.next()
    }

    /// Equal keys are rare and would keep the order of the input.
    private static func breakTies(_ ordered: inout [KeyedPlace], _ candidates: [DealCandidate]) {
        var start = 0
        while start + 1 < ordered.count {
            var end = start + 1
            while end < ordered.count, ordered[end].key == ordered[start].key { end += 1 }
            if end - start > 1 {
                ordered[start..<end].sort {
                    candidates[Int($0.place)].account < candidates[Int($1.place)].account
                }
            }
            start = end
        }
    }

    // MARK: - Who is dealt at all

    /// Keeps room for what promises bind, in order, as far as their holders' quotas and bonds reach.
    private mutating func reservePromises() {
        let places = Dictionary(shares.enumerated().map { ($1.contract, $0) }) { first, _ in first }
        for (order, item) in ordered.enumerated() {
            let candidate = candidates[Int(item.place)]
            guard let holder = candidate.promisedTo, let share = places[holder],
                rooms[share].promised < rooms[share].accounts, !isBarred(candidate, share)
            else { continue }
            let exposure = exposure(of: candidate, share)
            guard rooms[share].promisedExposure + exposure <= rooms[share].exposure else { continue }
            rooms[share].promised += 1
            rooms[share].promisedExposure += exposure
            owners[order] = Int16(share)
            reasons[order] = DealResult.Reason.promise.rawValue
        }
    }

    /// Whole classes as far as the quotas reach; of the class in which they end, each stratum its part.
    private mutating func chooseRows() {
        var left = rooms.reduce(0) { $0 + $1.accounts - $1.promised }
        var start = 0
        while start < rows.count {
            let end = rows[start...].firstIndex { $0.classRank != rows[start].classRank } ?? rows.count
            let sizes = (start..<end).map { row in
                Int64(hasSpecials ? rows[row].orders.count { owners[$0] < 0 } : rows[row].orders.count)
            }
            let size = sizes.reduce(0, +)
            let parts = size <= left ? sizes : Proportion.split(left, weights: sizes)
            for (row, part) in zip(start..<end, parts) { rows[row].quota = Int(part) }
            left -= min(left, size)
            start = end
        }
    }

    // MARK: - Dealing

    private func exposure(of candidate: DealCandidate, _ share: Int) -> Int64 {
        shares[share].exposure.of(overdue: candidate.overdue, balance: candidate.balance)
    }

    private mutating func give(_ order: Int, to share: Int, _ reason: DealResult.Reason, _ exposure: Int64) {
        owners[order] = Int16(share)
        reasons[order] = reason.rawValue
        rooms[share].accounts -= 1
        if shares[share].exposureMax != nil { rooms[share].exposure -= exposure }
        counts[share] += 1
        dealt += 1
    }

    private mutating func deal(row: Int, _ debtors: inout [Int64: AgencyID]) {
        var free: [Int] = []
        var chosen = 0
        for order in rows[row].orders {
            if owners[order] >= 0 {
                keepPromise(order, &debtors)
                continue
            }
            guard chosen < rows[row].quota else {
                lefts.append((order, .quota))
                continue
            }
            chosen += 1
            if isRestricted(order) { deal(order, &debtors) } else { free.append(order) }
        }
        for order in free { deal(order, &debtors) }
    }

    private mutating func keepPromise(_ order: Int, _ debtors: inout [Int64: AgencyID]) {
        let share = Int(owners[order])
        let candidate = candidates[Int(ordered[order].place)]
        let exposure = exposure(of: candidate, share)
        rooms[share].promised -= 1
        rooms[share].promisedExposure -= exposure
        give(order, to: share, .promise, exposure)
        if candidate.debtor != 0, debtors[candidate.debtor] == nil { debtors[candidate.debtor] = shares[share].agency }
    }

    private func isBarred(_ candidate: DealCandidate, _ share: Int) -> Bool {
        candidate.bar != 0 && bars[Int(candidate.bar) - 1].contains(shares[share].contract)
    }

    /// What may not go to everybody is dealt first within its stratum, while there is room everywhere.
    private func isRestricted(_ order: Int) -> Bool {
        guard hasSpecials else { return false }
        let candidate = candidates[Int(ordered[order].place)]
        return candidate.needsSearch || !candidate.former.isEmpty || candidate.debtor != 0 || candidate.bar != 0
    }

    private mutating func deal(_ order: Int, _ debtors: inout [Int64: AgencyID]) {
        let candidate = candidates[Int(ordered[order].place)]
        if candidate.debtor != 0, let agency = debtors[candidate.debtor] {
            if let share = behindMost(candidate, where: { $0.agency == agency }) {
                return give(order, to: share, .together, exposure(of: candidate, share))
            }
            apart.append(ordered[order].place)
        }
        let share: Int?
        var reason = DealResult.Reason.share
        if candidate.needsSearch {
            share = behindMost(candidate) { $0.searches && !candidate.former.contains($0.agency) }
            reason = .search
        } else if candidate.former.isEmpty {
            share = behindMost(candidate) { _ in true }
        } else {
            share = behindMost(candidate) { !candidate.former.contains($0.agency) }
            if share != behindMost(candidate, where: { _ in true }) { reason = .rotation }
        }
        guard let share else { return lefts.append((order, whyLeft(candidate))) }
        give(order, to: share, reason, exposure(of: candidate, share))
        if candidate.debtor != 0, debtors[candidate.debtor] == nil { debtors[candidate.debtor] = shares[share].agency }
    }

    /// The one furthest behind its part of the pool that may have the account and has room for it; ties by contract.
    @inline(__always)
    private func behindMost(_ candidate: DealCandidate, where isAllowed: (DealShare) -> Bool) -> Int? {
        var best = -1
        var most = Int64.min
        for share in shares.indices {
            let behind = shares[share].accounts * (dealt + 1) - total * counts[share]
            guard behind > most, rooms[share].accounts > rooms[share].promised, isAllowed(shares[share]),
                !isBarred(candidate, share)
            else { continue }
            if shares[share].exposureMax != nil,
                exposure(of: candidate, share) > rooms[share].exposure - rooms[share].promisedExposure
            {
                continue
            }
            best = share
            most = behind
        }
        return best < 0 ? nil : best
    }

    private func whyLeft(_ candidate: DealCandidate) -> DealResult.Left.Reason {
        let open = shares.indices.filter { rooms[$0].accounts > rooms[$0].promised }
        if open.isEmpty { return .quota }
        let unbarred = open.filter { !isBarred(candidate, $0) }
        if unbarred.isEmpty { return .ban }
        let allowed = unbarred.filter {
            !candidate.former.contains(shares[$0].agency) && (!candidate.needsSearch || shares[$0].searches)
        }
        if !allowed.isEmpty { return .bond }
        return candidate.needsSearch ? .search : .rotation
    }

    /// Where something chosen found no room, its quota goes to what was left for want of quota.
    private mutating func dealRest(_ debtors: inout [Int64: AgencyID]) {
        let waiting = lefts
        lefts = []
        for (index, left) in waiting.enumerated() {
            guard rooms.contains(where: { $0.accounts > 0 }) else {
                lefts += waiting[index...]
                break
            }
            if left.reason == .quota { deal(left.order, &debtors) } else { lefts.append(left) }
        }
        lefts.sort { $0.order < $1.order }
    }

    // MARK: - Hands

    /// Each class of a hand is an even mixture of its strata: the i-th of n stands at (2i + 1) / 2n of the way.
    ///
    /// Hands are those of the shares, then the shared ones.
    private mutating func result() -> DealResult {
        let places = places()
        var orders = (0..<shares.count + sharing.count).map { _ in [KeyedPlace]() }
        for share in shares.indices { orders[share].reserveCapacity(Int(counts[share])) }
        var sizes = orders.map { _ in UInt64(0) }
        var turns = sizes
        for (rank, row) in rows.enumerated() {
            for hand in sizes.indices {
                sizes[hand] = 0
                turns[hand] = 0
            }
            for order in row.orders where places[order] >= 0 { sizes[Int(places[order])] += 1 }
            for order in row.orders where places[order] >= 0 {
                let hand = Int(places[order])
                let way = ((2 * turns[hand] + 1) << 39) / sizes[hand]
                let key = UInt64(row.classRank) << 56 | way << 16 | UInt64(rank & 0xFFFF)
                orders[hand].append(KeyedPlace(key: key, place: Int32(order)))
                turns[hand] += 1
            }
        }
        let hands = orders.indices.map { hand -> DealResult.Hand in
            orders[hand].sortByKey()
            return self.hand(hand, orders[hand])
        }
        return DealResult(
            hands: hands,
            left: lefts.map { DealResult.Left(place: ordered[$0.order].place, reason: $0.reason) }, apart: apart)
    }

    /// Per order the hand that it is in: its owner's, or the one that the owner shares with others.
    private mutating func places() -> [Int16] {
        guard !sharing.isEmpty else { return owners }
        var places = owners
        for (number, members) in sharing.enumerated() {
            for order in owners.indices where owners[order] >= 0 && members.contains(Int(owners[order])) {
                guard reasons[order] == DealResult.Reason.share.rawValue, isForAll(order, members) else { continue }
                places[order] = Int16(shares.count + number)
                reasons[order] = DealResult.Reason.shared.rawValue
            }
        }
        return places
    }

    private func isForAll(_ order: Int, _ members: [Int]) -> Bool {
        guard hasSpecials else { return true }
        let candidate = candidates[Int(ordered[order].place)]
        guard candidate.debtor == 0, !candidate.needsSearch else { return false }
        return members.allSatisfy { !candidate.former.contains(shares[$0].agency) && !isBarred(candidate, $0) }
    }

    private func hand(_ hand: Int, _ orders: [KeyedPlace]) -> DealResult.Hand {
        let members = hand < shares.count ? [hand] : sharing[hand - shares.count]
        let positions = orders.map { item -> DealResult.Position in
            let place = ordered[Int(item.place)].place
            return DealResult.Position(
                place: place, reason: DealResult.Reason(rawValue: reasons[Int(item.place)]) ?? .share,
                exposure: exposure(of: candidates[Int(place)], members[0]))
        }
        return DealResult.Hand(
            contracts: members.map { shares[$0].contract }, arm: hand < shares.count ? shares[hand].arm : 0,
            positions: positions)
    }
}
