// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// What the nodes' own verifications of the ledger found. Decides nothing.
package struct WatchStore {
    package struct Row: Equatable, Sendable {
        package let at: Timestamp
        package let delegations: [Int16]
        package let seed: Int64
        package let records: Int64
        package let findings: [String]
    }

    private let link: PgLink

    package init(_ link: PgLink) { self.link = link }

    /// The lock that keeps two nodes from looking at once; held until the transaction ends.
    ///
    /// - Returns: whether it is ours, and nobody has looked since `interval`.
    package func isDue(every interval: Duration) throws(PgError) -> Bool {
        guard try link.run("SELECT pg_try_advisory_xact_lock(7607000012)")[0].bool(0) else { return false }
        return try link.run(
            """
            SELECT NOT EXISTS (SELECT FROM ledger_watch
                WHERE began_at > now_instant() - $1::bigint * interval '1 second' AND began_at <= now_instant())
            """, [.int64(interval.components.seconds)])[0].bool(0)
    }

    /// How often nodes have looked: the next one's seed.
    package func count() throws(PgError) -> Int64 {
        try link.run("SELECT coalesce(max(watch_id), 0) FROM ledger_watch")[0].int64(0)
    }

    package func add(delegations: [Int16], seed: Int64, records: Int64, findings: [String]) throws(PgError) {
        try link.run(
            """
            INSERT INTO ledger_watch (began_at, delegations, seed, records, findings)
            VALUES (now_instant(), $1, $2, $3, $4)
            """, [.int16s(delegations), .int64(seed), .int64(records), .texts(findings)])
    }

    /// The latest first.
    package func rows(limit: Int32) throws(PgError) -> [Row] {
        try link.run(
            """
            SELECT began_at, delegations, seed, records, findings FROM ledger_watch ORDER BY watch_id DESC LIMIT $1
            """, [.int32(limit)]
        ).map { row in
            Row(
                at: row.timestamp(0), delegations: row.int16s(1), seed: row.int64(2), records: row.int64(3),
                findings: row.texts(4))
        }
    }

    /// How many looks found something, of how many.
    package func totals() throws(PgError) -> (looks: Int64, withFindings: Int64) {
        let row = try link.run("SELECT count(*), count(*) FILTER (WHERE cardinality(findings) > 0) FROM ledger_watch")[
            0]
        return (row.int64(0), row.int64(1))
    }
}
