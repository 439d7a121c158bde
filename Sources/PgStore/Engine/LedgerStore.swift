// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// A block that no chain has yet.
package struct UnchainedBlock: Sendable {
    package let delegation: Delegation
    package let period: Period
    package let root: [UInt8]
    fileprivate let transaction: String
    fileprivate let number: Int64
}

/// A block by its key, which is its place in the order of the sequencer.
package struct BlockPlace: Hashable, Comparable, Sendable {
    package let transaction: String
    package let number: Int64

    package init(transaction: String, number: Int64) {
        self.transaction = transaction
        self.number = number
    }

    /// As the sequencer takes them: by transaction, which is a number without leading zeros, then by number.
    package static func < (left: Self, right: Self) -> Bool {
        (left.transaction.utf8.count, left.transaction, left.number)
            < (right.transaction.utf8.count, right.transaction, right.number)
    }
}

extension BlockPlace {
    fileprivate init(_ row: PgRow) { self.init(transaction: row.text(0), number: row.int64(1)) }
}

/// A block's place in its chain.
package struct ChainLink: Sendable {
    package let block: UnchainedBlock
    package let height: Int64
    package let head: [UInt8]

    package init(block: UnchainedBlock, height: Int64, head: [UInt8]) {
        self.block = block
        self.height = height
        self.head = head
    }
}

/// Where one chain ends.
package struct ChainEnd: Sendable {
    package let height: Int64
    package let head: [UInt8]

    package init(height: Int64, head: [UInt8]) {
        self.height = height
        self.head = head
    }
}

extension PgLink {
    /// Blocks that are committed for good and not yet chained, in the order in which they are to be chained, with the ends of the chains
    /// that they continue. The caller holds a transaction; the sequencer's row stays locked until its end.
    ///
    /// - Locks: the follower `sequencer`, so that one node sequences at a time.
    package func lockUnchained(
        limit: Int32
    ) throws(PgError) -> (blocks: [UnchainedBlock], ends: [Delegation: [Period: ChainEnd]]) {
        let place = "SELECT transaction::text, number FROM follower WHERE name = 'sequencer' FOR UPDATE"
        var cursor = try run(place).first
        if cursor == nil {
            try run(
                "INSERT INTO follower (name, transaction, number) VALUES ('sequencer', '0', 0) ON CONFLICT DO NOTHING")
            // Another node may have made the row, and chained, while this one waited for it.
            cursor = try run(place).first
        }
        let after: [PgValue] = [.text(cursor?.text(0) ?? "0"), .int64(cursor?.int64(1) ?? 0)]
        let rows = try run(LedgerStatements.unchained, [.int32(limit)] + after)
        let blocks = rows.compactMap { row -> UnchainedBlock? in
            guard let delegation = Delegation(row.int16(0)), let period = Period(number: row.int32(1)) else {
                return nil
            }
            return UnchainedBlock(
                delegation: delegation, period: period, root: row.bytes(2), transaction: row.text(3),
                number: row.int64(4))
        }
        var ends: [Delegation: [Period: ChainEnd]] = [:]
        guard !blocks.isEmpty else { return (blocks, ends) }
        let chains = Set(blocks.map { Chain(delegation: $0.delegation.value, period: $0.period.number) })
        let keys: [PgValue] = [.int16s(chains.map(\.delegation)), .int32s(chains.map(\.period))]
        for row in try run(LedgerStatements.ends, keys) {
            guard let delegation = Delegation(row.int16(0)), let period = Period(number: row.int32(1)) else { continue }
            ends[delegation, default: [:]][period] = ChainEnd(height: row.int64(2), head: row.bytes(3))
        }
        return (blocks, ends)
    }

    /// From the oldest block that no chain has to the newest, be it only because an older transaction is still running; `nil`: all are
    /// chained.
    package func readUnchained() throws(PgError) -> ClosedRange<BlockPlace>? {
        let place = try run("SELECT transaction::text, number FROM follower WHERE name = 'sequencer'").first
        let rows = try run(
            LedgerStatements.oldest, [.text(place?.text(0) ?? "0"), .int64(place?.int64(1) ?? 0)])
        guard let oldest = rows.first.map(BlockPlace.init), let newest = try run(LedgerStatements.newest).first else {
            return nil
        }
        return oldest...max(oldest, BlockPlace(newest))
    }

    /// Who has the oldest transaction of the database that is still running, as PostgreSQL shows him: the sequencer waits for it.
    package func readOldestTransaction() throws(PgError) -> String? {
        try run(
            """
            SELECT format('%s, %s s old', coalesce(nullif(application_name, ''), 'pid ' || pid),
                          extract(epoch FROM clock_timestamp() - xact_start)::bigint)
              FROM pg_stat_activity
             WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid()
             ORDER BY age(backend_xid) DESC LIMIT 1
            """
        ).first?.text(0)
    }

    /// Appends to the chains and moves the sequencer on.
    package func appendChain(_ links: [ChainLink]) throws(PgError) {
        guard let last = links.last else { return }
        try run(
            LedgerStatements.appendChain,
            [
                .int16s(links.map(\.block.delegation.value)), .int32s(links.map(\.block.period.number)),
                .int64s(links.map(\.height)), .texts(links.map(\.block.transaction)),
                .int64s(links.map(\.block.number)),
                .byteArrays(links.map(\.head)),
            ])
        try run(
            "UPDATE follower SET transaction = $1::text::xid8, number = $2 WHERE name = 'sequencer'",
            [.text(last.block.transaction), .int64(last.block.number)])
    }
}

private struct Chain: Hashable {
    let delegation: Int16
    let period: Int32
}

private enum LedgerStatements {
    /// $1 limit int, $2 transaction text, $3 number bigint. The place is a parameter, not a join: only so is it a bound of
    /// the index, and not a filter over all blocks that ever were.
    static let unchained = """
        SELECT b.delegation_id, b.period, b.root, b.transaction::text, b.block_id
          FROM block b
         WHERE (b.transaction, b.block_id) > ($2::text::xid8, $3)
           AND b.transaction < pg_snapshot_xmin(pg_current_snapshot())
         ORDER BY b.transaction, b.block_id
         LIMIT $1
        """

    /// $1 transaction text, $2 number bigint
    static let oldest = """
        SELECT b.transaction::text, b.block_id FROM block b
         WHERE (b.transaction, b.block_id) > ($1::text::xid8, $2)
         ORDER BY b.transaction, b.block_id LIMIT 1
        """

    static let newest = """
        SELECT b.transaction::text, b.block_id FROM block b ORDER BY b.transaction DESC, b.block_id DESC LIMIT 1
        """

    /// $1 delegation smallint[], $2 period int[]
    static let ends = """
        SELECT r.delegation_id, r.period, c.height, c.head
          FROM unnest($1::smallint[], $2::int[]) AS r (delegation_id, period)
         CROSS JOIN LATERAL (SELECT x.height, x.head FROM chain x
                              WHERE x.delegation_id = r.delegation_id AND x.period = r.period
                              ORDER BY x.height DESC LIMIT 1) c
        """

    static let appendChain = """
        INSERT INTO chain (delegation_id, period, height, transaction, block_id, head)
        SELECT delegation_id, period, height, transaction::xid8, block_id, head
          FROM unnest($1::smallint[], $2::int[], $3::bigint[], $4::text[], $5::bigint[], $6::bytea[])
            AS r (delegation_id, period, height, transaction, block_id, head)
        """
}
