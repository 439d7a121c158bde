// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import Crypto
internal import PgStore

/// Between the tables and the dealing: accounts as they can be dealt, hands as they are written.
struct HandDealer {
    let strata: Strata
    /// The high half of every epoch.
    let incarnation: Int64

    /// Debtors of whom something is to be kept together: with several credits among these, or with one that is held.
    static func debtors(
        of rows: some Sequence<DealableRow>, held: [Int64: AgencyID]
    ) -> Set<Int64> {
        var seen: Set<Int64> = []
        var several: Set<Int64> = []
        for row in rows where row.past.debtor != 0 {
            let debtor = row.past.debtor
            if held[debtor] != nil || !seen.insert(debtor).inserted { several.insert(debtor) }
        }
        return several
    }

    /// - Parameter together: the debtors whose credits go to one agency.
    func candidates(_ rows: [DealableRow], together: Set<Int64> = []) -> [DealCandidate] {
        rows.map { row in
            var candidate = DealCandidate(
                account: row.account, priority: row.priority, stratum: strata.key(row), overdue: row.overdue,
                balance: row.balance)
            candidate.promisedTo = row.past.boundTo
            candidate.debtor = together.contains(row.past.debtor) ? row.past.debtor : 0
            candidate.former = row.past.former
            candidate.needsSearch = row.past.isUnfound
            return candidate
        }
    }

    /// Hands as they are written, with their accounts in order and their next epochs.
    ///
    /// Where pulls may name a tactic, each is parted into hands of one tactic and priority class, in the order of classes.
    /// A shared hand takes the place of what its sharers have none of.
    ///
    /// - Parameters:
    ///   - keepsEmpty: whether who was dealt nothing gets a hand, so that its pulls are told so.
    ///   - numbers: gives so many new numbers.
    func hands(
        _ dealt: [DealResult.Hand], pool: PoolKey, rows: [DealableRow], candidates: [DealCandidate], holding: Holding,
        isPicked: Bool, keepsEmpty: Bool, numbers: (Int) throws -> [Int32]
    ) rethrows -> ([HandRow], [PositionRow]) {
        let sharers = Set(dealt.filter { $0.contracts.count > 1 && !$0.positions.isEmpty }.flatMap(\.contracts))
        var parts: [(hand: DealResult.Hand, places: [DealResult.Position], pick: HandRow.Pick?)] = []
        for hand in dealt {
            if hand.positions.isEmpty {
                guard keepsEmpty, hand.contracts.count == 1, sharers.isDisjoint(with: hand.contracts) else { continue }
                parts.append((hand, [], isPicked ? HandRow.Pick(tactic: "", priority: 0) : nil))
            } else if isPicked {
                parts += picked(hand, rows).map { (hand, $0.places, $0.pick) }
            } else {
                parts.append((hand, hand.positions, nil))
            }
        }
        var written: ([HandRow], [PositionRow]) = ([], [])
        written.1.reserveCapacity(parts.reduce(0) { $0 + $1.places.count })
        for (part, number) in zip(parts, try numbers(parts.count)) {
            written.0.append(
                write(
                    part.places, of: part.hand, pick: part.pick, number: number, pool: pool, rows: rows,
                    candidates: candidates, holding: holding, into: &written.1))
        }
        return written
    }

    private struct PickKey: Hashable {
        let priority: Int16
        let tactic: ShortText
    }

    private func picked(
        _ hand: DealResult.Hand, _ rows: [DealableRow]
    ) -> [(pick: HandRow.Pick, places: [DealResult.Position])] {
        let groups = Dictionary(grouping: hand.positions) { position in
            let row = rows[Int(position.place)]
            return PickKey(priority: row.priority, tactic: row.tactic)
        }
        return groups.map { (HandRow.Pick(tactic: $0.key.tactic.text, priority: $0.key.priority), $0.value) }
            .sorted { ($0.0.priority, $0.0.tactic) < ($1.0.priority, $1.0.tactic) }
    }

    private func write(
        _ places: [DealResult.Position], of hand: DealResult.Hand, pick: HandRow.Pick?, number: Int32, pool: PoolKey,
        rows: [DealableRow], candidates: [DealCandidate], holding: Holding, into positions: inout [PositionRow]
    ) -> HandRow {
        var digest = HandDigest()
        for (index, dealt) in places.enumerated() {
            let account = candidates[Int(dealt.place)].account
            let epoch = incarnation << 32 + rows[Int(dealt.place)].latestDeal + 1
            digest.add(account, epoch)
            positions.append(
                PositionRow(
                    hand: number, position: Int32(index) + 1, epoch: epoch, exposure: dealt.exposure,
                    stratum: candidates[Int(dealt.place)].stratum, arm: hand.arm, reason: dealt.reason,
                    account: account, place: dealt.place))
        }
        return HandRow(
            hand: number, contracts: hand.contracts, strategy: pool.strategy, portfolio: pool.portfolio,
            size: Int32(places.count), holding: holding, digest: digest.finalize(), pick: pick)
    }
}

/// SHA-256 of a hand's accounts in their order: number and epoch of each, eight bytes each, highest first.
struct HandDigest {
    private static let gatheredMax = 4_096
    private var hash = SHA256()
    // Hashed many at a time: a call for each number takes longer than the number itself.
    private var gathered: [UInt8] = []

    mutating func add(_ account: Int64, _ epoch: Int64) {
        withUnsafeBytes(of: (account.bigEndian, epoch.bigEndian)) { gathered.append(contentsOf: $0) }
        if gathered.count >= Self.gatheredMax {
            hash.update(data: gathered)
            gathered.removeAll(keepingCapacity: true)
        }
    }

    consuming func finalize() -> [UInt8] {
        hash.update(data: gathered)
        return Array(hash.finalize())
    }
}
