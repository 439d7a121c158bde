// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import Crypto
internal import PgStore

/// Between the tables and the dealing: accounts as they can be dealt, hands as they are written.
struct HandDealer {
    let strata: Strata
    /// The high half of every epoch.
    let incarnation: Int64

    func candidates(_ rows: [DealableRow]) -> [DealCandidate] {
        rows.map { row in
            var candidate = DealCandidate(
                account: row.account, priority: row.priority, stratum: strata.key(row), overdue: row.overdue,
                balance: row.balance)
            candidate.promisedTo = row.past.boundTo
            candidate.debtor = row.past.debtor
            candidate.former = row.past.former
            candidate.needsSearch = row.past.isUnfound
            return candidate
        }
    }

    /// One hand as it is written, with its accounts in order and their next epochs.
    func hand(
        _ hand: DealResult.Hand, number: Int32, pool: PoolKey, rows: [DealableRow], candidates: [DealCandidate],
        holding: Holding
    ) -> (HandRow, [PositionRow]) {
        var hash = SHA256()
        var positions: [PositionRow] = []
        positions.reserveCapacity(hand.positions.count)
        for (index, dealt) in hand.positions.enumerated() {
            let row = rows[Int(dealt.place)]
            let epoch = incarnation << 32 + row.latestDeal + 1
            withUnsafeBytes(of: row.account.bigEndian) { hash.update(bufferPointer: $0) }
            withUnsafeBytes(of: epoch.bigEndian) { hash.update(bufferPointer: $0) }
            positions.append(
                PositionRow(
                    hand: number, position: Int32(index) + 1, epoch: epoch, exposure: dealt.exposure,
                    stratum: candidates[Int(dealt.place)].stratum, arm: hand.arm, reason: dealt.reason, dealt: row))
        }
        let row = HandRow(
            hand: number, contract: hand.contract, strategy: pool.strategy, portfolio: pool.portfolio,
            size: Int32(hand.positions.count), holding: holding, digest: Array(hash.finalize()))
        return (row, positions)
    }
}
