// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// Stop events: recorded, and the stopped account's deal ended, whether it is held or only dealt (ASG-10).
extension ImportStore {
    var stopChecks: [String] {
        [
            duplicates(
                "delegation_id, account_id, reason, from_on", column: "account", value: "s.account_id::text",
                what: "the same account, reason and day"),
            """
            SELECT s.line, 'until_on', s.until_on::text,
                   'the stop is recorded with ' || coalesce(t.until_on::text, 'no last day')
                       || '; a change needs a row with a later from_on'
            FROM   import_row s JOIN stop t USING (delegation_id, account_id, reason, from_on)
            WHERE  t.until_on IS DISTINCT FROM s.until_on
            """,
        ]
    }

    func applyStops(_ importID: Int64, seal: SealEndings) throws -> [ImportCount] {
        let added = try link.run(
            """
            INSERT INTO stop (period, delegation_id, account_id, reason, from_on, until_on, import_id)
            SELECT $1, delegation_id, account_id, reason, from_on, until_on, $2 FROM import_row ORDER BY line
            ON CONFLICT (delegation_id, account_id, reason, from_on) DO NOTHING
            """, [.int32(period.number), .int64(importID)]
        ).affected
        let known = try count("SELECT count(*) FROM import_row") - Int64(added)
        // The locks in the order in which a group of requests takes them: all hands, then all grants.
        try link.run(Self.lockHands)
        try link.run(Self.lockGrants)
        var ended: Int64 = 0
        var held: Int64 = 0
        var page = try nextPage(after: (0, 0))
        while let current = page {
            let endings = try endDeals(current)
            ended += Int64(endings.count)
            held += Int64(endings.count { $0.wasHeld })
            if let instant = endings.first?.endedAt {
                try insertBlocks(seal(endings.map(\.row), instant))
            }
            page = try nextPage(after: (current.delegation, current.last))
        }
        return [
            ImportCount("stops recorded", Int64(added)), ImportCount("stops already recorded", known),
            ImportCount("dealt accounts taken back", ended), ImportCount("of them held and recalled", held),
        ]
    }

    /// A bounded part of the stopped accounts: of one delegation, `first` to `last`.
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
            FROM   (SELECT delegation_id, account_id FROM import_row
                    WHERE (delegation_id, account_id) > ($1, $2)
                    AND   delegation_id = (SELECT min(delegation_id) FROM import_row
                                           WHERE (delegation_id, account_id) > ($1, $2))
                    ORDER BY account_id LIMIT 5000) p
            GROUP  BY delegation_id
            """, [.int16(after.delegation), .int64(after.account)]
        ).first.map { Page(delegation: $0.int16(0), first: $0.int64(1), last: $0.int64(2)) }
    }

    /// In a statement of its own behind the locks, so that it sees what was committed while they were waited for.
    private func endDeals(_ page: Page) throws(PgError) -> [EndedDeal] {
        let rows = try link.run(Self.endStopped, [.int16(page.delegation), .int64(page.first), .int64(page.last)])
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

    private func insertBlocks(_ blocks: [BlockRow]) throws(PgError) {
        try link.run(
            EngineStatements.insertBlocks,
            [
                .int16s(blocks.map(\.delegation.value)), .int32s(blocks.map(\.period.number)),
                .byteArrays(blocks.map(\.records)), .int32s(blocks.map { Int32($0.count) }),
                .byteArrays(blocks.map(\.root)),
            ])
    }

    // MARK: Statements

    /// The latest deal of each stopped account, where nothing ended it, with the reason of the file's first stop
    /// that is in force today; a payoff goes before other reasons.
    private static func stoppedDeals(_ bounds: String = "") -> String {
        """
        SELECT s.delegation_id, d.account_id, d.epoch, d.hand_id, d.position, s.reason
        FROM   (SELECT DISTINCT ON (delegation_id, account_id) delegation_id, account_id, reason
                FROM   import_row
                WHERE  (until_on IS NULL OR until_on >= (now_instant() - interval '5 hours')::date) \(bounds)
                ORDER  BY delegation_id, account_id, reason = 'payoff' DESC, line) s
        JOIN   LATERAL (SELECT account_id, epoch, hand_id, position
                        FROM deal
                        WHERE delegation_id = s.delegation_id AND account_id = s.account_id
                        ORDER BY epoch DESC LIMIT 1) d ON true
        WHERE  NOT EXISTS (SELECT FROM ending e
                           WHERE e.delegation_id = s.delegation_id AND e.account_id = d.account_id
                               AND e.epoch = d.epoch)
        """
    }

    /// The same with the grant over the position, if one went over it, and whether that grant holds the account.
    private static func stoppedLeases(_ bounds: String = "") -> String {
        """
        SELECT t.*, g.first_position, g.quota_id,
               coalesce(g.state = 'open' AND t.position <= g.last_position
                        AND NOT t.position = ANY (coalesce(g.skipped, '{}')), false) AS was_held
        FROM   (\(stoppedDeals(bounds))) t
        LEFT   JOIN LATERAL (SELECT first_position, last_position, skipped, state, quota_id
                             FROM lease_grant
                             WHERE delegation_id = t.delegation_id AND hand_id = t.hand_id
                                 AND first_position <= t.position
                             ORDER BY first_position DESC LIMIT 1) g ON true
        """
    }

    private static let lockHands = """
        SELECT 1 FROM hand h
        WHERE  (delegation_id, hand_id) IN (SELECT delegation_id, hand_id FROM (\(stoppedDeals())) t)
        ORDER  BY delegation_id, hand_id
        FOR NO KEY UPDATE
        """

    private static let lockGrants = """
        SELECT 1 FROM lease_grant g
        WHERE  (delegation_id, hand_id, first_position) IN (
                   SELECT delegation_id, hand_id, first_position FROM (\(stoppedLeases())) t
                       WHERE first_position IS NOT NULL)
        ORDER  BY delegation_id, hand_id, first_position
        FOR UPDATE
        """

    /// $1 delegation, $2 and $3 the first and the last account of the page.
    private static let endStopped = """
        WITH stopped AS MATERIALIZED (
            \(stoppedLeases("AND delegation_id = $1 AND account_id BETWEEN $2 AND $3"))),
        ended AS (
            INSERT INTO ending (delegation_id, account_id, epoch, kind, reason, ended_at, hand_id, position, was_held)
            SELECT delegation_id, account_id, epoch, CASE WHEN reason = 'payoff' THEN 'payoff' ELSE 'exclusion' END,
                   reason, (SELECT now_instant()), hand_id, position, was_held
            FROM   stopped
            ON CONFLICT (delegation_id, account_id, epoch) DO NOTHING
            RETURNING *),
        ended_position AS MATERIALIZED (
            SELECT e.*, s.quota_id, p.exposure
            FROM   ended e
            JOIN   stopped s USING (delegation_id, account_id, epoch)
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
