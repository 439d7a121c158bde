// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import Crypto
internal import PgStore

/// Deals the accounts of one pool into hands: the order is ``Dealing``'s, the rows are the tables'.
struct HandDealer {
    /// Every tactic of the policy; a tactic's place is its stratum.
    let tactics: [String]
    /// The high half of every epoch.
    let incarnation: Int64

    func deal(
        _ rows: [DealableRow], shares: [Dealing.Share], seed: UInt64
    ) -> (dealing: Dealing, strata: [Int16]) {
        let strata = rows.map { Int16(tactics.firstIndex(of: $0.tactic) ?? tactics.count) + 1 }
        let candidates = rows.indices.map { place in
            Dealing.Candidate(
                account: rows[place].account, priority: rows[place].priority, stratum: strata[place],
                overdue: rows[place].overdue, balance: rows[place].balance)
        }
        return (Dealing(candidates, shares: shares, seed: seed), strata)
    }

    /// One hand as it is written, with its accounts in order and their next epochs.
    func hand(
        _ hand: Dealing.Hand, number: Int32, pool: PoolKey, rows: [DealableRow], strata: [Int16], holding: Holding,
        exposure: Exposure?
    ) -> (HandRow, [PositionRow]) {
        let exposure = exposure ?? Exposure(basis: .none, factorBasisPoints: 0)
        var hash = SHA256()
        var positions: [PositionRow] = []
        positions.reserveCapacity(hand.places.count)
        for (index, place) in hand.places.enumerated() {
            let row = rows[place]
            let epoch = incarnation << 32 + row.latestDeal + 1
            withUnsafeBytes(of: row.account.bigEndian) { hash.update(bufferPointer: $0) }
            withUnsafeBytes(of: epoch.bigEndian) { hash.update(bufferPointer: $0) }
            positions.append(
                PositionRow(
                    hand: number, position: Int32(index) + 1, epoch: epoch,
                    exposure: exposure.of(overdue: row.overdue, balance: row.balance), stratum: strata[place],
                    dealt: row))
        }
        let row = HandRow(
            hand: number, contract: hand.contract, strategy: pool.strategy, portfolio: pool.portfolio,
            size: Int32(hand.places.count), holding: holding, digest: Array(hash.finalize()))
        return (row, positions)
    }
}
