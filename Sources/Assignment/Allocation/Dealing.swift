// SPDX-License-Identifier: Apache-2.0

/// Deals one pool into ordered hands.
///
/// Priority classes go in order. Within a class the accounts of each stratum are shuffled by the plan's seed and dealt
/// in turns that follow the quotas, and each hand mixes its strata evenly. So a hand has, at every moment of the month,
/// of each stratum what the pool has of it: nobody gains by pulling early, and agencies can be compared.
/// The order of the input does not matter.
package struct Dealing: Hashable, Sendable {
    /// One account of the pool; results name it by its place in the input.
    package struct Candidate: Hashable, Sendable {
        package let account: Int64
        /// 1 goes first.
        package let priority: Int16
        package let stratum: Int16
        package let overdue: Int64
        package let balance: Int64

        package init(account: Int64, priority: Int16, stratum: Int16, overdue: Int64, balance: Int64) {
            self.account = account
            self.priority = priority
            self.stratum = stratum
            self.overdue = overdue
            self.balance = balance
        }
    }

    /// What one contract may be dealt of this pool.
    package struct Share: Hashable, Sendable {
        package let contract: ContractID
        package let accounts: Int64
        package let exposureMax: Int64?
        package let exposure: Exposure

        package init(contract: ContractID, accounts: Int64, exposureMax: Int64?, exposure: Exposure) {
            self.contract = contract
            self.accounts = accounts
            self.exposureMax = exposureMax
            self.exposure = exposure
        }
    }

    /// The places of a contract's accounts in their order, and the exposure of all of them.
    package struct Hand: Hashable, Sendable {
        package let contract: ContractID
        package let places: [Int]
        package let exposure: Int64
    }

    /// By contract, one for each share.
    package let hands: [Hand]
    /// What no quota was left for, in the order in which it would have been dealt.
    package let beyondQuota: [Int]
    /// What a quota was left for, and no bond.
    package let beyondBond: [Int]

    package init(_ candidates: [Candidate], shares: [Share], seed: UInt64) {
        var dealer = Dealer(candidates, shares: shares.sorted { $0.contract < $1.contract })
        let ordered = Self.ordered(candidates, seed: seed)
        let total = shares.reduce(0) { $0 + $1.accounts }
        // The quotas reach so far; after that comes the lowest priority, and of the last class each stratum its part.
        let chosen = ordered.prefix(Int(min(total, Int64(ordered.count))))
        for place in Self.byStratum(chosen, candidates) { dealer.deal(place) }
        self.hands = dealer.hands.map { hand in
            Hand(
                contract: hand.share.contract,
                places: Self.evenly(hand.places, candidates), exposure: hand.exposure)
        }
        self.beyondQuota = Array(ordered.dropFirst(chosen.count))
        self.beyondBond = dealer.refused
    }

    /// The whole pool: classes in order, each class a shuffled and even mixture of its strata.
    private static func ordered(_ candidates: [Candidate], seed: UInt64) -> [Int] {
        var places = Array(candidates.indices)
        places.sort { left, right in
            let (a, b) = (candidates[left], candidates[right])
            return (a.priority, a.stratum, a.account) < (b.priority, b.stratum, b.account)
        }
        var ordered: [Int] = []
        ordered.reserveCapacity(places.count)
        for group in groups(places, by: { candidates[$0].priority }) {
            let strata = groups(group, by: { candidates[$0].stratum }).map { stratum in
                var shuffled = stratum
                let first = candidates[stratum[0]]
                var random = SplitMix64(
                    seed: seed,
                    parts: [UInt64(bitPattern: Int64(first.priority)), UInt64(bitPattern: Int64(first.stratum))])
                random.shuffle(&shuffled)
                return shuffled
            }
            ordered += mixed(strata)
        }
        return ordered
    }

    /// Class by class and, within, stratum by stratum, each in the order that it has.
    private static func byStratum(_ places: ArraySlice<Int>, _ candidates: [Candidate]) -> [Int] {
        groups(Array(places), by: { candidates[$0].priority }).flatMap { strata(of: $0, candidates).flatMap { $0 } }
    }

    /// Each class an even mixture of its strata.
    private static func evenly(_ places: [Int], _ candidates: [Candidate]) -> [Int] {
        groups(places, by: { candidates[$0].priority }).flatMap { mixed(strata(of: $0, candidates)) }
    }

    private static func strata(of places: [Int], _ candidates: [Candidate]) -> [[Int]] {
        var found: [Int16: [Int]] = [:]
        for place in places { found[candidates[place].stratum, default: []].append(place) }
        return found.keys.sorted().compactMap { found[$0] }
    }

    /// Runs of neighbours with the same key.
    private static func groups<Key: Equatable>(_ places: [Int], by key: (Int) -> Key) -> [[Int]] {
        var found: [[Int]] = []
        for place in places {
            if let last = found.last?.last, key(last) == key(place) {
                found[found.count - 1].append(place)
            } else {
                found.append([place])
            }
        }
        return found
    }

    /// Merges rows so that each is spread evenly over the whole: the i-th of n stands at (2i + 1) / 2n of the way.
    private static func mixed(_ rows: [[Int]]) -> [Int] {
        guard rows.count > 1 else { return rows.first ?? [] }
        var next = rows.map { _ in 0 }
        var merged: [Int] = []
        for _ in 0..<rows.reduce(0, { $0 + $1.count }) {
            var best = -1
            for row in rows.indices where next[row] < rows[row].count {
                let isEarlier =
                    best < 0 || (2 * next[row] + 1) * rows[best].count < (2 * next[best] + 1) * rows[row].count
                if isEarlier { best = row }
            }
            merged.append(rows[best][next[best]])
            next[best] += 1
        }
        return merged
    }
}

/// Gives out accounts one by one, each to the contract that is furthest behind its part.
private struct Dealer {
    struct Open {
        let share: Dealing.Share
        var places: [Int] = []
        var exposure: Int64 = 0
    }
    let candidates: [Dealing.Candidate]
    let total: Int64
    var hands: [Open]
    var dealt: Int64 = 0
    var refused: [Int] = []

    init(_ candidates: [Dealing.Candidate], shares: [Dealing.Share]) {
        self.candidates = candidates
        self.total = shares.reduce(0) { $0 + $1.accounts }
        self.hands = shares.map { Open(share: $0) }
    }

    /// To the one furthest behind whose quota and bond have room for this account; ties by contract.
    mutating func deal(_ place: Int) {
        var best: (hand: Int, behind: Int64, exposure: Int64)?
        for (index, hand) in hands.enumerated() where Int64(hand.places.count) < hand.share.accounts {
            let exposure = hand.share.exposure.of(
                overdue: candidates[place].overdue, balance: candidates[place].balance)
            if let limit = hand.share.exposureMax, hand.exposure + exposure > limit { continue }
            let behind = hand.share.accounts * (dealt + 1) - total * Int64(hand.places.count)
            if let best, best.behind >= behind { continue }
            best = (index, behind, exposure)
        }
        dealt += 1
        guard let best else {
            refused.append(place)
            return
        }
        hands[best.hand].places.append(place)
        hands[best.hand].exposure += best.exposure
    }
}
