// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// Ends deals from outside, whether they are held or only dealt: for stops, exclusions and certificates (ASG-10).
///
/// The accounts are staged in the temporary table `to_end`, each once, with the kind and the reason of its ending. All
/// calls belong into one transaction.
package struct DealEndings {
    /// Makes the ledger's blocks of what one page ended, all at one instant.
    package typealias Seal = ([EndingRow], Timestamp) -> [BlockRow]

    package struct Count: Equatable, Sendable {
        package var ended: Int64 = 0
        /// Of them leased, and so recalled.
        package var held: Int64 = 0

        package init() {}
    }

    private let link: PgLink

    package init(_ link: PgLink) { self.link = link }

    /// Makes the empty table `to_end`, or empties it.
    package func stage() throws(PgError) {
        try link.script(
            """
            CREATE TEMPORARY TABLE IF NOT EXISTS to_end (
                delegation_id smallint, account_id bigint, kind text, reason text,
                PRIMARY KEY (delegation_id, account_id)) ON COMMIT DROP;
            TRUNCATE to_end
            """)
    }

    /// Ends the latest deal of each staged account, where nothing ended it before.
    ///
    /// - Parameter tells: whether the holders of what is recalled are told here. Of a file of stops or starts a node tells them,
    ///   once it is loaded.
    /// - Locks: all their hands, then all their grants, each ascending, as a group of requests takes them; until the
    ///   end of the transaction.
    package func run(tells: Bool = false, seal: Seal) throws -> Count {
        try link.script("ANALYZE to_end")
        try link.run(Self.lockHands)
        try link.run(Self.lockGrants)
        var count = Count()
        var page = try nextPage(after: (0, 0))
        while let current = page {
            let endings = try endDeals(current)
            count.ended += Int64(endings.count)
            count.held += Int64(endings.count { $0.wasHeld })
            if tells { try tell(endings.filter(\.wasHeld)) }
            if let instant = endings.first?.endedAt {
                try link.insertBlocks(seal(endings.map(\.row), instant))
            }
            page = try nextPage(after: (current.delegation, current.last))
        }
        return count
    }

    /// A bounded part of the accounts: of one delegation, `first` to `last`.
    private struct Page {
        let delegation: Int16
        let first: Int64
        let last: Int64
    }

    private struct EndedDeal {
        let row: EndingRow
        let wasHeld: Bool
        let endedAt: Timestamp
    }

    private func nextPage(after: (delegation: Int16, account: Int64)) throws(PgError) -> Page? {
        try link.run(
            """
            SELECT delegation_id, min(account_id), max(account_id)
            FROM   (SELECT delegation_id, account_id FROM to_end
                    WHERE (delegation_id, account_id) > ($1, $2)
                    AND   delegation_id = (SELECT min(delegation_id) FROM to_end
                                           WHERE (delegation_id, account_id) > ($1, $2))
                    ORDER BY account_id LIMIT 5000) p
            GROUP  BY delegation_id
            """, [.int16(after.delegation), .int64(after.account)]
        ).first.map { Page(delegation: $0.int16(0), first: $0.int64(1), last: $0.int64(2)) }
    }

    /// In a statement of its own behind the locks, so that it sees what was committed while they were waited for.
    private func endDeals(_ page: Page) throws(PgError) -> [EndedDeal] {
        let rows = try link.run(Self.endStaged, [.int16(page.delegation), .int64(page.first), .int64(page.last)])
        return rows.compactMap { row in
            guard let delegation = Delegation(row.int16(0)), let account = AccountID(row.int64(1)),
                let epoch = Epoch(row.int64(2)), let kind = EndingKind(rawValue: row.text(3))
            else { return nil }
            let ending = EndingRow(
                lease: LeaseKey(delegation: delegation, account: account, epoch: epoch), kind: kind,
                reason: row.text(4), hand: row.int32(5), position: row.int32(6), quota: row.optionalInt32(7) ?? 0,
                exposure: Cents(row.int64(8)))
            return EndedDeal(row: ending, wasHeld: row.bool(9), endedAt: row.timestamp(10))
        }
    }

    private func tell(_ recalled: [EndedDeal]) throws(PgError) {
        guard let instant = recalled.first?.endedAt else { return }
        let rows = recalled.map(\.row)
        try link.run(
            Self.push,
            [
                .int16s(rows.map(\.lease.delegation.value)), .int64s(rows.map(\.lease.account.value)),
                .int64s(rows.map(\.lease.epoch.value)), .texts(rows.map(\.reason)), .int32s(rows.map(\.hand)),
                .int32s(rows.map(\.position)), .timestamp(instant),
            ])
    }

    // MARK: Statements

    /// $1 delegation, $2 account, $3 epoch, $4 reason, $5 hand, $6 position arrays; $7 when they ended
    private static let push = """
        INSERT INTO push (agency_id, kind, delegation_id, account_id, epoch, word, at, is_final)
        SELECT g.agency_id, 'RECALL', r.delegation_id, r.account_id, r.epoch, r.reason, $7, true
        FROM   unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::text[], $5::integer[], $6::integer[])
                   AS r (delegation_id, account_id, epoch, reason, hand_id, position)
        CROSS  JOIN LATERAL (\(EngineStatements.grantOfPosition("r.delegation_id", "r.hand_id", "r.position"))) g
        ORDER  BY r.delegation_id, r.account_id
        """

    /// The latest deal of each staged account, where nothing ended it.
    private static func deals(_ bounds: String = "") -> String {
        """
        SELECT s.delegation_id, d.account_id, d.epoch, d.hand_id, d.position, s.kind, s.reason
        FROM   to_end s
        JOIN   LATERAL (SELECT account_id, epoch, hand_id, position
                        FROM deal
                        WHERE delegation_id = s.delegation_id AND account_id = s.account_id
                        ORDER BY epoch DESC LIMIT 1) d ON true
        WHERE  NOT EXISTS (SELECT FROM ending e
                           WHERE e.delegation_id = s.delegation_id AND e.account_id = d.account_id
                               AND e.epoch = d.epoch) \(bounds)
        """
    }

    /// The same with the grant over the position, if one went over it, and whether that grant holds the account.
    private static func leases(_ bounds: String = "") -> String {
        """
        SELECT t.*, g.first_position, g.quota_id,
               coalesce(g.state = 'open' AND t.position <= g.last_position
                        AND NOT t.position = ANY (coalesce(g.skipped, '{}')), false) AS was_held
        FROM   (\(deals(bounds))) t
        LEFT   JOIN LATERAL (SELECT first_position, last_position, skipped, state, quota_id
                             FROM lease_grant
                             WHERE delegation_id = t.delegation_id AND hand_id = t.hand_id
                                 AND first_position <= t.position
                             ORDER BY first_position DESC LIMIT 1) g ON true
        """
    }

    private static let lockHands = """
        SELECT 1 FROM hand h
        WHERE  (delegation_id, hand_id) IN (SELECT delegation_id, hand_id FROM (\(deals())) t)
        ORDER  BY delegation_id, hand_id
        FOR NO KEY UPDATE
        """

    private static let lockGrants = """
        SELECT 1 FROM lease_grant g
        WHERE  (delegation_id, hand_id, first_position) IN (
                   SELECT delegation_id, hand_id, first_position FROM (\(leases())) t
                       WHERE first_position IS NOT NULL)
        ORDER  BY delegation_id, hand_id, first_position
        FOR UPDATE
        """

    /// $1 delegation, $2 and $3 the first and the last account of the page.
    private static let endStaged = """
        WITH staged AS MATERIALIZED (
            \(leases("AND s.delegation_id = $1 AND s.account_id BETWEEN $2 AND $3"))),
        ended AS (
            INSERT INTO ending (delegation_id, account_id, epoch, kind, reason, ended_at, hand_id, position, was_held)
            SELECT delegation_id, account_id, epoch, kind, reason, (SELECT now_instant()), hand_id, position, was_held
            FROM   staged
            ON CONFLICT (delegation_id, account_id, epoch) DO NOTHING
            RETURNING *),
        ended_position AS MATERIALIZED (
            SELECT e.*, s.quota_id, p.exposure
            FROM   ended e
            JOIN   staged s USING (delegation_id, account_id, epoch)
            JOIN   position p ON p.delegation_id = e.delegation_id AND p.hand_id = e.hand_id
                AND p.position = e.position),
        released AS (
            INSERT INTO release (delegation_id, quota_id, accounts, exposure)
            SELECT delegation_id, quota_id, 1, exposure FROM ended_position WHERE was_held)
        SELECT delegation_id, account_id, epoch, kind, reason, hand_id, position, quota_id, exposure, was_held, ended_at
        FROM   ended_position
        ORDER  BY account_id
        """
}
