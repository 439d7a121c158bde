// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// Which life of the database this is, and whether it may give anything out.
package struct DatabaseHome: Sendable, Equatable {
    /// The high half of every epoch dealt from now on. Rises with every restore, copy and failover, to a number that no
    /// earlier life of the database can have had: a restored one has forgotten its own.
    package let incarnation: Int32
    /// When it was noticed that the database was restored; `nil`: it was not, or somebody has recovered it.
    package let restoredAt: Timestamp?

    /// A dump was loaded into it beside what was there: it is neither.
    package let isMixed: Bool

    package var awaitsRecovery: Bool { restoredAt != nil }
}

/// What is recorded of a database's home, for whoever decides about a recovery.
package struct HomeRecord: Sendable {
    package let home: DatabaseHome
    /// The latest instant that the database knows of a node: what was granted after it is lost.
    package let latestBeat: Timestamp?
    package let openHands: Int64
    /// Accounts behind the cursors of those hands.
    package let waiting: Int64
}

extension PgLink {
    /// Compares where the database lives with where it lived, and takes note of a new home before anything is done there: no
    /// epoch dealt before a restore is ever dealt again.
    ///
    /// A dump that was restored, and a copy, have another server, database or table; after a recovery to a point in time, or
    /// a failover, the server writes another timeline. What lost nothing is told from what did by the nodes' beats: a failover
    /// comes within a minute of the latest one. A dump that was loaded beside what was there leaves a second mark. A data folder that was put back in its place shows nothing of it; that is
    /// noticed by a node that had seen more beats, and else has to be said by whoever put it there.
    ///
    /// - Parameter seenBeats: as many as this process has seen committed.
    /// - Returns: the home now in force. On a standby, and in a transaction that only reads, nothing is noted.
    @discardableResult
    package func checkHome(seenBeats: Int64 = 0) throws(PgError) -> DatabaseHome {
        let state = try run(HomeStatements.state)[0]
        if state.bool(2) { return DatabaseHome(state) }
        let values: [PgValue] = [.int64(seenBeats)]
        guard try run(HomeStatements.hasMoved, values)[0].bool(0) else { return DatabaseHome(state) }
        try run(HomeStatements.move, values)
        return DatabaseHome(try run(HomeStatements.state)[0])
    }

    /// Whether the database was restored and waits for somebody who says what was lost.
    package func awaitsRecovery() throws(PgError) -> Bool {
        DatabaseHome(try run(HomeStatements.state)[0]).awaitsRecovery
    }

    /// The same as ``checkHome(seenBeats:)``, held until the transaction ends: nobody raises the incarnation by a recovery
    /// before what is dealt under this one is committed.
    package func lockHome() throws(PgError) -> DatabaseHome {
        try checkHome()
        return DatabaseHome(try run(HomeStatements.share)[0])
    }

    package func readHomeRecord() throws(PgError) -> HomeRecord {
        let row = try run(HomeStatements.record)[0]
        return HomeRecord(
            home: DatabaseHome(row), latestBeat: row.optionalTimestamp(4), openHands: row.int64(5),
            waiting: row.int64(6))
    }

    /// Raises the incarnation, and the numbers that agencies and reviewers quote, beyond what an earlier life can have given
    /// out; brings what followers read into the order of this server. The caller holds a transaction.
    ///
    /// - Parameter nothingLost: the database was only moved; otherwise it waits until ``finishRecovery()``.
    /// - Returns: the incarnation now in force, and the delegations in which something was dealt.
    /// - Locks: the clock, until the transaction ends; waits for whoever is dealing.
    package func beginRecovery(
        nothingLost: Bool, by person: String
    ) throws(PgError) -> (incarnation: Int32, delegations: [Delegation]) {
        try run(HomeStatements.lock)
        // Here is where it lives from now on; otherwise the next look would find it restored once more.
        try checkHome()
        let incarnation = try run(HomeStatements.raise, [.bool(nothingLost)])[0].int32(0)
        try run(HomeStatements.raiseNumbers, [.int64(Int64(incarnation) << 20)])
        try rebaseTransactions()
        try run(HomeStatements.insert, [.int32(incarnation), .text(person), .bool(nothingLost)])
        let delegations = try run("SELECT DISTINCT delegation_id FROM hand ORDER BY delegation_id")
        return (incarnation, delegations.compactMap { Delegation($0.int16(0)) })
    }

    /// From here on the database gives out again.
    package func finishRecovery() throws(PgError) { try run("UPDATE clock SET restored_at = NULL, known_until = NULL") }

    /// A dump keeps the numbers of transactions of the server that it was made on, and another server counts from its own: what
    /// is written from now on would sort below what was read, and never be read. So what is there goes below all of it, in the
    /// same order for each follower: what all have read, what only some have, what nobody has.
    private func rebaseTransactions() throws(PgError) {
        guard try run(HomeStatements.isForeign)[0].bool(0) else { return }
        for statement in HomeStatements.rebase { try run(statement) }
    }
}

extension DatabaseHome {
    fileprivate init(_ row: PgRow) {
        self.init(incarnation: row.int32(0), restoredAt: row.optionalTimestamp(1), isMixed: row.bool(3))
    }
}

private enum HomeStatements {
    private static let isMixed = "(SELECT count(*) > 1 FROM dump_witness)"

    static let state = """
        SELECT incarnation, restored_at, pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on', \(isMixed)
          FROM clock
        """

    /// The write-ahead log's own timeline: that of the control file is the one of before until the first checkpoint.
    private static let here = """
        SELECT s.system_identifier, ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer AS timeline,
               d.oid::bigint AS database_oid, 'clock'::regclass::oid::bigint AS clock_oid
          FROM pg_control_system() s, pg_database d WHERE d.datname = current_database()
        """

    private static let moved = """
        (c.system_identifier, c.timeline, c.database_oid, c.clock_oid)
           IS DISTINCT FROM (h.system_identifier, h.timeline, h.database_oid, h.clock_oid) OR c.beats < $1
           OR c.restored_at IS NULL AND \(isMixed)
        """

    /// $1 beats that were seen
    static let hasMoved = "WITH h AS (\(here)) SELECT \(moved) FROM clock c, h"

    /// Real seconds since 2020, so that two restores of one backup have not the same number either.
    private static let next =
        "greatest(c.incarnation + 1, (extract(epoch FROM clock_timestamp()) - 1577836800)::integer)"

    /// Recorded for the first time, or by a program that did not know of databases yet.
    private static let isNew = """
        c.system_identifier IS NULL
           OR c.database_oid IS NULL AND (c.system_identifier, c.timeline) = (h.system_identifier, h.timeline) AND c.beats >= $1
        """

    /// $1 beats that were seen
    private static let isRestored = """
        \(isMixed) OR NOT (\(isNew))
            AND (c.beats < $1 OR c.system_identifier <> h.system_identifier
                 OR c.database_oid <> h.database_oid OR c.clock_oid <> h.clock_oid
                 OR c.timeline <> h.timeline AND clock_timestamp() - c.latest_beat > interval '60 s')
        """

    /// $1 beats that were seen
    static let move = """
        WITH h AS MATERIALIZED (\(here))
        UPDATE clock c
           SET incarnation = CASE WHEN \(isNew) THEN c.incarnation ELSE \(next) END,
               restored_at = CASE WHEN \(isRestored) THEN coalesce(c.restored_at, clock_timestamp()) ELSE c.restored_at END,
               known_until = CASE WHEN \(isRestored) THEN coalesce(c.known_until, c.latest_beat) ELSE c.known_until END,
               system_identifier = h.system_identifier, timeline = h.timeline, database_oid = h.database_oid,
               clock_oid = h.clock_oid, beats = greatest(c.beats, $1)
          FROM h
         WHERE \(moved)
        """

    /// Beats go on meanwhile; a recovery waits.
    static let share = "SELECT incarnation, restored_at, false, \(isMixed) FROM clock FOR KEY SHARE"
    static let lock = "SELECT incarnation FROM clock FOR UPDATE"

    static let record = """
        SELECT c.incarnation, c.restored_at, false, \(isMixed), coalesce(c.known_until, c.latest_beat), w.hands, w.accounts
          FROM clock c
         CROSS JOIN LATERAL (
               SELECT count(*) AS hands,
                      coalesce(sum(h.size - coalesce((SELECT g.last_position FROM lease_grant g
                                                       WHERE g.delegation_id = h.delegation_id AND g.hand_id = h.hand_id
                                                       ORDER BY g.first_position DESC LIMIT 1), 0)), 0)::bigint AS accounts
                 FROM hand h WHERE h.state = 'open') w
        """

    /// $1 whether nothing was lost
    static let raise = """
        UPDATE clock c
           SET incarnation = \(next),
               restored_at = CASE WHEN NOT $1 THEN coalesce(c.restored_at, clock_timestamp()) END,
               known_until = CASE WHEN NOT $1 THEN coalesce(c.known_until, c.latest_beat) END
        RETURNING incarnation
        """

    /// The numbers of outcomes and evidence go by the incarnation; those of hands have 31 bits, and leave room for a million
    /// that were made meanwhile. $1 the first number of outcomes and evidence
    static let raiseNumbers = """
        SELECT setval('outcome_number', greatest((SELECT last_value FROM outcome_number), $1)),
               setval('evidence_number', greatest((SELECT last_value FROM evidence_number), $1)),
               setval('hand_number', (SELECT last_value FROM hand_number) + 1048576)
        """

    /// $1 incarnation, $2 by, $3 whether nothing was lost
    static let insert = """
        INSERT INTO recovery (incarnation, recovered_at, ordered_by, nothing_lost) VALUES ($1, now_instant(), $2, $3)
        """

    /// What is visible was committed, so on its own server its number is below the next one.
    static let isForeign = """
        SELECT coalesce(greatest((SELECT max(transaction) FROM release), (SELECT max(transaction) FROM block),
                                 (SELECT max(transaction) FROM push), (SELECT max(transaction) FROM follower))
                        >= pg_snapshot_xmax(pg_current_snapshot()), false)
        """

    static let rebase: [String] =
        ["CREATE TEMP TABLE former_follower ON COMMIT DROP AS SELECT name, transaction, number FROM follower"]
        + rebase("release", "release_id", ["release"]) + rebase("block", "block_id", ["sequencer", "contacts"])
        + ["UPDATE push SET transaction = '3'", "DROP TABLE former_follower"]

    /// The first numbers that PostgreSQL gives to transactions are above 3 and the followers of a table together.
    private static func rebase(_ table: String, _ id: String, _ followers: [String]) -> [String] {
        let names = followers.map { "'\($0)'" }.joined(separator: ", ")
        var statements = [
            // Followers that are not there yet have read nothing.
            """
            CREATE TEMP TABLE place_\(table) ON COMMIT DROP AS
            SELECT b.transaction AS was, b.\(id) AS id,
                   3 + \(followers.count) - (SELECT count(*) FROM former_follower f
                          WHERE f.name IN (\(names)) AND (b.transaction, b.\(id)) <= (f.transaction, f.number)) AS place
              FROM \(table) b
            """,
            """
            UPDATE \(table) b SET transaction = p.place::text::xid8 FROM place_\(table) p
             WHERE b.transaction = p.was AND b.\(id) = p.id
            """,
        ]
        if table == "block" {
            statements.append(
                """
                UPDATE chain c SET transaction = p.place::text::xid8 FROM place_block p
                 WHERE c.transaction = p.was AND c.block_id = p.id
                """)
        }
        statements += followers.map { follower in
            """
            UPDATE follower f SET transaction = coalesce(m.place::text, '0')::xid8, number = coalesce(m.id, 0)
              FROM former_follower o
              LEFT JOIN LATERAL (SELECT p.place, p.id FROM place_\(table) p
                                  WHERE (p.was, p.id) <= (o.transaction, o.number)
                                  ORDER BY p.place DESC, p.id DESC LIMIT 1) m ON true
             WHERE f.name = '\(follower)' AND o.name = f.name
            """
        }
        return statements + ["DROP TABLE place_\(table)"]
    }
}
