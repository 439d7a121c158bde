// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// A grant whose enforced term may be over.
package struct OverdueGrant: Sendable {
    package let key: GrantKey
    package let quota: QuotaKey
    package let machine: GrantStateMachine
    /// The outage counter at its start.
    package let outageAtStart: Duration
    /// Granted accounts and exposure less what has ended before.
    package let accounts: Int64
    package let exposure: Cents
}

/// A grant that the sweep closes, with its ledger block.
package struct SweptGrant: Sendable {
    package let grant: OverdueGrant
    package let closedAt: Timestamp

    package init(grant: OverdueGrant, closedAt: Timestamp) {
        self.grant = grant
        self.closedAt = closedAt
    }
}

extension PgLink {
    /// The settings that decide whether an acknowledged commit survives a power cut, or the loss of the machine: name, value,
    /// whether it does.
    ///
    /// - Parameter requiresStandby: whether it has to be on a second machine as well.
    package func durability(requiresStandby: Bool) throws(PgError) -> [(String, String, Bool)] {
        let row = try run(
            """
            SELECT current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit'),
                   current_setting('synchronous_standby_names')
            """)[0]
        let standbys = row.text(3)
        return [
            ("fsync", row.text(0), row.text(0) == "on"), ("full_page_writes", row.text(1), row.text(1) == "on"),
            ("synchronous_commit", row.text(2), ["on", "remote_apply"].contains(row.text(2))),
            ("synchronous_standby_names", standbys.isEmpty ? "''" : standbys, !requiresStandby || !standbys.isEmpty),
        ]
    }

    /// Says that a node is alive, and books the outage where none was for more than 15 s: the first one to come back does,
    /// in one statement, so that two cannot book the same gap. A virtual clock stands still meanwhile and needs no credit.
    ///
    /// - Returns: how many beats the database has had: a node that reads fewer later knows that commits were lost.
    @discardableResult
    package func bookOutage() throws(PgError) -> Int64 {
        try run(UpkeepStatements.beat)[0].int64(0)
    }

    /// How far the server's clock is behind the latest beat that was committed; zero where it is not. A server that took over
    /// can be behind, and so can one whose clock was set.
    package func readClockLag() throws(PgError) -> Duration {
        .microseconds(try run(UpkeepStatements.clockLag).first?.optionalInt64(0) ?? 0)
    }

    /// Moves released counts into the quotas. Two followers are harmless: the follower's row is locked.
    ///
    /// - Parameter limit: rows of one fold at most.
    /// - Returns: how many rows were folded; at `limit` there may be more.
    package func foldReleases(limit: Int32) throws -> Int {
        try transaction {
            let cursor = try run(UpkeepStatements.followerForUpdate, [.text("release")])
            if cursor.isEmpty {
                try run(UpkeepStatements.insertFollower, [.text("release")])
                return 0
            }
            try run(UpkeepStatements.lockFolded, [.int32(limit)])
            return Int(try run(UpkeepStatements.fold, [.int32(limit)])[0].int64(0))
        }
    }

    /// Open grants after `after` whose announced term plus grace is over, in the order of their key.
    package func readOverdueGrants(after: GrantKey?, limit: Int32) throws(PgError) -> [GrantKey] {
        try run(
            UpkeepStatements.overdueKeys,
            [
                .int16(after?.delegation.value ?? 0), .int32(after?.grant.hand ?? 0), .int32(after?.grant.first ?? 0),
                .int32(limit),
            ]
        ).compactMap { row in
            Delegation(row.int16(0)).map {
                GrantKey(delegation: $0, grant: GrantID(hand: row.int32(1), first: row.int32(2)))
            }
        }
    }

    /// Locks grants in the order of their key. What was read of them before may be over by then: whoever decides about them reads
    /// them again, in a statement of its own behind this one. A statement that waits for a lock goes on with what it saw before.
    ///
    /// - Parameter waits: whether for those that somebody else keeps locked, too; else they are left out.
    /// - Returns: those that are locked.
    /// - Locks: those grants, until the end of the transaction.
    package func lockGrants(_ keys: [GrantKey], waits: Bool) throws(PgError) -> [GrantKey] {
        guard !keys.isEmpty else { return [] }
        return try run(
            waits ? UpkeepStatements.lockGrants : EngineStatements.freeGrants, Self.columns(keys)
        ).map { keys[Int($0.int64(0)) - 1] }
    }

    /// Of grants that the caller has locked those whose announced term plus grace is over, with what is held of them now.
    package func readOverdue(_ locked: [GrantKey]) throws(PgError) -> [OverdueGrant] {
        let rows = try run(UpkeepStatements.overdue, Self.columns(locked))
        return rows.compactMap { row in
            guard let delegation = Delegation(row.int16(0)) else { return nil }
            return OverdueGrant(
                key: GrantKey(delegation: delegation, grant: GrantID(hand: row.int32(1), first: row.int32(2))),
                quota: QuotaKey(delegation: delegation, quota: row.int32(3)),
                machine: GrantStateMachine(
                    state: .open(term: row.timestamp(5), ceiling: row.timestamp(6)), grantedAt: row.timestamp(4),
                    grace: .microseconds(row.int64(7))),
                outageAtStart: .microseconds(row.int64(8)), accounts: row.int64(9), exposure: Cents(row.int64(10)))
        }
    }

    private static func columns(_ keys: [GrantKey]) -> [PgValue] {
        [.int16s(keys.map(\.delegation.value)), .int32s(keys.map(\.grant.hand)), .int32s(keys.map(\.grant.first))]
    }

    /// The time, and all outage until then, booked or not.
    package func readTermClock() throws(PgError) -> (now: Timestamp, outage: Duration) {
        let row = try run(EngineStatements.clock)[0]
        return (row.timestamp(0), .microseconds(row.int64(1)))
    }

    /// Closes grants and releases what they still held.
    package func closeGrants(_ swept: [SweptGrant], blocks: [BlockRow]) throws(PgError) {
        let keys = swept.map(\.grant.key)
        try run(
            UpkeepStatements.closeGrants,
            [
                .int16s(keys.map(\.delegation.value)), .int32s(keys.map(\.grant.hand)),
                .int32s(keys.map(\.grant.first)),
                .timestamps(swept.map(\.closedAt)),
            ])
        try run(
            EngineStatements.insertReleases,
            [
                .int16s(keys.map(\.delegation.value)), .int32s(swept.map(\.grant.quota.quota)),
                .int64s(swept.map(\.grant.accounts)), .int64s(swept.map(\.grant.exposure.value)),
            ])
        try insertBlocks(blocks)
    }

    /// Appends sealed blocks to the ledger, for the sequencer to chain.
    package func insertBlocks(_ blocks: [BlockRow]) throws(PgError) {
        guard !blocks.isEmpty else { return }
        try run(
            EngineStatements.insertBlocks,
            [
                .int16s(blocks.map(\.delegation.value)), .int32s(blocks.map(\.period.number)),
                .byteArrays(blocks.map(\.records)), .int32s(blocks.map { Int32($0.count) }),
                .byteArrays(blocks.map(\.root)),
            ])
    }
}

enum UpkeepStatements {
    static let beat = """
        UPDATE clock
           SET outage_us = outage_us + \(Outage.gap("clock")),
               latest_beat = greatest(latest_beat, clock_timestamp()), beats = beats + 1
        RETURNING beats
        """

    static let clockLag = """
        SELECT CASE WHEN virtual_now IS NULL
                    THEN greatest(0, extract(epoch FROM latest_beat - clock_timestamp()) * 1000000) ELSE 0 END::bigint
          FROM clock
        """

    static let followerForUpdate = "SELECT number FROM follower WHERE name = $1 FOR UPDATE"

    static let insertFollower = """
        INSERT INTO follower (name, transaction, number) VALUES ($1, '0', 0) ON CONFLICT DO NOTHING
        """

    /// Rows whose transaction is older than every running one: a lower number can commit later, an older transaction cannot.
    private static let unfolded = """
        SELECT r.transaction, r.release_id, r.delegation_id, r.quota_id, r.accounts, r.exposure
          FROM release r, follower f
         WHERE f.name = 'release' AND (r.transaction, r.release_id) > (f.transaction, f.number)
           AND r.transaction < pg_snapshot_xmin(pg_current_snapshot())
         ORDER BY r.transaction, r.release_id
         LIMIT $1
        """

    /// Ascending, as groups lock them.
    static let lockFolded = """
        SELECT q.quota_id FROM quota q
         WHERE (q.delegation_id, q.quota_id) IN (SELECT delegation_id, quota_id FROM (\(unfolded)) u)
         ORDER BY q.delegation_id, q.quota_id
           FOR NO KEY UPDATE
        """

    static let fold = """
        WITH u AS MATERIALIZED (\(unfolded)),
             s AS (SELECT delegation_id, quota_id, sum(accounts)::bigint AS accounts, sum(exposure)::bigint AS exposure
                     FROM u GROUP BY delegation_id, quota_id),
             q AS (UPDATE quota SET released_accounts = released_accounts + s.accounts,
                                    released_exposure = released_exposure + s.exposure
                     FROM s WHERE quota.delegation_id = s.delegation_id AND quota.quota_id = s.quota_id),
             l AS (SELECT transaction, release_id FROM u ORDER BY transaction DESC, release_id DESC LIMIT 1),
             f AS (UPDATE follower SET transaction = l.transaction, number = l.release_id FROM l WHERE name = 'release')
        SELECT count(*) FROM u
        """

    private static let isOverdue = """
        g.state = 'open' AND g.accounts > 0 AND g.term + g.grace_us * interval '1 microsecond' <= now_instant()
        """

    /// $1 delegation, $2 hand, $3 first position: behind which it begins; $4 how many
    static let overdueKeys = """
        SELECT g.delegation_id, g.hand_id, g.first_position FROM lease_grant g
         WHERE (g.delegation_id, g.hand_id, g.first_position) > ($1, $2, $3) AND \(isOverdue)
         ORDER BY g.delegation_id, g.hand_id, g.first_position
         LIMIT $4
        """

    /// $1 delegation smallint[], $2 hand int[], $3 first int[]
    static let lockGrants = EngineStatements.lookUpGrants(lock: "FOR UPDATE")

    /// Behind the locks: what ended while they were waited for is ended here. $1 … $3 as above
    static let overdue = """
        SELECT g.delegation_id, g.hand_id, g.first_position, g.quota_id, g.granted_at, g.term, g.ceiling, g.grace_us,
               g.outage_us, g.accounts - ended.accounts, g.exposure - ended.exposure
          FROM unnest($1::smallint[], $2::int[], $3::int[]) AS r (delegation_id, hand_id, first_position)
         CROSS JOIN LATERAL (\(EngineStatements.grantOfKey("x.*"))) g
         CROSS JOIN LATERAL (
               SELECT count(*) AS accounts, coalesce(sum(p.exposure), 0)::bigint AS exposure
                 FROM position p
                 JOIN ending e ON e.delegation_id = p.delegation_id AND e.account_id = p.account_id AND e.epoch = p.epoch
                WHERE p.delegation_id = g.delegation_id AND p.hand_id = g.hand_id
                  AND p.position BETWEEN g.first_position AND g.last_position
                  AND p.position <> ALL (coalesce(g.skipped, '{}'))) ended
         WHERE \(isOverdue)
         ORDER BY g.delegation_id, g.hand_id, g.first_position
        """

    static let closeGrants = """
        UPDATE lease_grant g SET state = 'closed', closed_at = k.closed_at
          FROM (SELECT f.place, r.closed_at
                  FROM unnest($1::smallint[], $2::int[], $3::int[], $4::timestamptz[])
                       AS r (delegation_id, hand_id, first_position, closed_at)
                 CROSS JOIN LATERAL (\(EngineStatements.grantOfKey("x.ctid AS place"))) f) k
         WHERE g.ctid = k.place
        """
}
