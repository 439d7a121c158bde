// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// One thing that an agency is told without asking.
package struct PushRow: Sendable {
    package let number: Int64
    package let agency: AgencyID
    package let kind: String
    package let delegation: Delegation
    package let account: AccountID?
    package let epoch: Epoch?
    package let grant: GrantID?
    package let strategy: Strategy?
    package let word: String?
    package let at: Timestamp?
    package let day: LocalDate?
    package let amount: Cents?
    package let isFinal: Bool?
    package let side: String?
    /// Of an UPDATE: how the account's payments stand since it was leased.
    package let paid: PaidSince?
}

/// How far a node has read the pushes: everything of transactions that had ended below `horizon`, and single ones above it.
package struct PushCursor: Sendable {
    fileprivate var horizon: String
    fileprivate var seen: Set<Int64> = []
    /// A reading that takes several pages: where the latest one ended, the horizon of the first one, and what was read above it.
    fileprivate var reading: (transaction: String, number: Int64, horizon: String, seen: Set<Int64>)?

    fileprivate init(horizon: String) { self.horizon = horizon }

    /// Whether more is there already.
    package var isBehind: Bool { reading != nil }
}

extension PgLink {
    /// The place from which a node that starts now reads on: what was pushed before it had connections is not for it.
    package func readPushCursor() throws(PgError) -> PushCursor {
        PushCursor(horizon: try run("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")[0].text(0))
    }

    /// What was pushed to these agencies since the last time, each once.
    ///
    /// A transaction that is still running can commit below one that was read already; so everything from the oldest running one
    /// on is read again the next time, and what was seen is left out. Nothing waits for a long transaction, and nothing is missed.
    /// Where there is more than a page, the next ones go on behind it, and the horizon is that of the first one.
    package func readPushes(
        after cursor: inout PushCursor, for agencies: Set<AgencyID>
    ) throws(PgError) -> [PushRow] {
        let ids = agencies.map(\.value).sorted()
        let begun = cursor.reading
        let rows = try run(
            PushStatements.read,
            [
                .text(begun?.transaction ?? cursor.horizon), .int32s(ids), .int32(PushStatements.max),
                .int64(begun?.number ?? 0), .optional(begun?.horizon),
            ])
        // The first row is the horizon alone.
        let horizon = begun?.horizon ?? rows.first?.text(14) ?? cursor.horizon
        // A dump that was restored on another server begins with smaller numbers; what it had pushed before is no news.
        if begun == nil, let now = UInt64(horizon), let before = UInt64(cursor.horizon), now < before {
            cursor = PushCursor(horizon: horizon)
            return []
        }
        let read = rows.filter { !$0.isNull(0) }
        let seen = (begun?.seen ?? []).union(read.filter { $0.bool(15) }.map { $0.int64(0) })
        let news = read.compactMap(PushRow.init).filter { !cursor.seen.contains($0.number) }
        if read.count == Int(PushStatements.max), let last = read.last {
            cursor.reading = (last.text(17), last.int64(0), horizon, seen)
        } else {
            cursor.reading = nil
            cursor.horizon = horizon
            cursor.seen = seen
        }
        return news
    }

    /// Terms that an agency is told of when a connection of it is new, the nearest ones; and as many days of first work.
    package static let standingTermsMax: Int32 = 200

    /// How things stand with these agencies: the pauses in force, then the terms that are near, and then the days by which first work
    /// must be reported where some of it was not, ``standingTermsMax`` of each agency and kind.
    ///
    /// - Parameter lead: how long before a term, or such a day, it is near.
    package func readPushStanding(of agencies: Set<AgencyID>, lead: Duration) throws(PgError) -> [PushRow] {
        let ids = agencies.map(\.value).sorted()
        let rows = try run(PushStatements.pauses, [.int32s(ids)]).compactMap(PushRow.init)
        let near = try run(
            PushStatements.nearTerms,
            [
                .int32s(ids), .int16s(Delegation.all.map(\.value)), .int64(lead.microseconds),
                .int32(Self.standingTermsMax),
            ])
        return try rows + near.compactMap(PushRow.init) + readNearWork(of: ids, lead: lead)
    }

    /// Throws old pushes away, some at a time.
    package func dropOldPushes(limit: Int32) throws(PgError) {
        try run(PushStatements.drop, [.int32(limit)])
    }

    /// Pushes the news of one file of payments, stops or starts that nobody has pushed yet.
    ///
    /// - Returns: whether there was one.
    package func announceImport() throws -> Bool {
        guard let next = try run(PushStatements.nextImport).first else { return false }
        let (number, kind) = (next.int64(0), next.text(1))
        try transaction {
            // Two nodes may come at once; the key decides.
            guard try run(PushStatements.claimImport, [.int64(number)]).affected == 1 else { return }
            switch kind {
            case "payments": try run(PushStatements.pushPayments, [.int64(number)])
            case "starts":
                try run(PushStatements.pushStarts, [.int64(number)])
                try run(PushStatements.pushStartedExclusions, [.int64(number)])
            default: try run(PushStatements.pushStops, [.int64(number)])
            }
        }
        return true
    }

    /// Pushes the terms that are near, each once, and the days by which the first work must be reported, where some of it was not.
    ///
    /// - Parameter lead: how long before.
    package func announceTerms(lead: Duration) throws -> Int {
        try transaction {
            try run(PushStatements.pushTerms, [.int64(lead.microseconds)]).affected
                + run(PushStatements.pushWorkBy, [.int64(lead.microseconds)]).affected
        }
    }
}

extension PushRow {
    fileprivate init?(_ row: PgRow) {
        guard !row.isNull(0), let agency = AgencyID(row.int32(1)), let delegation = Delegation(row.int16(3)) else {
            return nil
        }
        number = row.int64(0)
        self.agency = agency
        kind = row.text(2)
        self.delegation = delegation
        account = row.optionalInt64(4).flatMap { AccountID($0) }
        epoch = row.optionalInt64(5).flatMap { Epoch($0) }
        grant = row.optionalInt32(6).map { GrantID(hand: $0, first: row.optionalInt32(7) ?? 0) }
        strategy = row.optionalInt16(8).flatMap { Strategy(rawValue: $0) }
        word = row.optionalText(9)
        at = row.optionalTimestamp(10)
        day = row.optionalDate(11)
        amount = row.optionalInt64(12).map(Cents.init)
        isFinal = row.optionalBool(13)
        side = row.optionalText(16)
        paid = PaidSince(row, at: 18)
    }
}

private enum PushStatements {
    /// Pushes of one page; a node that is further behind reads again at once.
    static let max: Int32 = 5_000

    /// The first row is the horizon of the snapshot that all were read in. $1 and $4 the place behind which it begins, $2 agencies,
    /// $3 how many, $5 the horizon of the first page, or null where this is it
    static let read = """
        SELECT x.push_id, x.agency_id, x.kind, x.delegation_id, x.account_id, x.epoch, x.hand_id, x.first_position,
               x.strategy, x.word, x.at, x.on_date, x.amount, x.is_final, s.horizon::text, x.transaction >= coalesce($5::text::xid8, s.horizon), x.side,
               x.transaction::text, paid.amount, paid.latest, paid.reversed
          FROM (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS horizon) s
         CROSS JOIN LATERAL (
               SELECT '0'::xid8 AS transaction, NULL::bigint AS push_id, NULL::integer AS agency_id, NULL::text AS kind,
                      NULL::smallint AS delegation_id, NULL::bigint AS account_id, NULL::bigint AS epoch,
                      NULL::integer AS hand_id, NULL::integer AS first_position, NULL::smallint AS strategy,
                      NULL::text AS word, NULL::timestamptz AS at, NULL::date AS on_date, NULL::bigint AS amount,
                      NULL::boolean AS is_final, NULL::text AS side
                UNION ALL
               (SELECT p.transaction, p.push_id, p.agency_id, p.kind, p.delegation_id, p.account_id, p.epoch, p.hand_id,
                       p.first_position, p.strategy, p.word, p.at, p.on_date, p.amount, p.is_final, p.side
                  FROM push p
                 WHERE (p.transaction, p.push_id) > ($1::text::xid8, $4) AND p.agency_id = ANY ($2)
                 ORDER BY p.transaction, p.push_id LIMIT $3)) x
          LEFT JOIN LATERAL (SELECT g.granted_at FROM deal d
                              CROSS JOIN LATERAL (\(EngineStatements.grantOfPosition("d.delegation_id", "d.hand_id", "d.position"))) g
                              WHERE x.kind = 'UPDATE' AND d.delegation_id = x.delegation_id
                                AND d.account_id = x.account_id AND d.epoch = x.epoch) l ON true
          LEFT JOIN LATERAL (\(HeldStatements.paid("x.account_id", since: "l.granted_at"))) paid ON true
         ORDER BY x.transaction, x.push_id NULLS FIRST
        """

    /// The columns of ``read``, as far as a row has them.
    private static func row(
        _ kind: String, of table: String, grant: String, strategy: String, word: String, at: String, side: String
    ) -> String {
        """
        0::bigint, \(table).agency_id, '\(kind)', \(table).delegation_id, NULL::bigint, NULL::bigint, \(grant), \(strategy),
               \(word), \(at), NULL::date, NULL::bigint, NULL::boolean, NULL::text, NULL::boolean, \(side), NULL::text,
               NULL::bigint, NULL::date, NULL::bigint
        """
    }

    /// $1 agencies
    static let pauses = """
        SELECT \(row("PAUSED", of: "p", grant: "NULL::integer, NULL::integer", strategy: "p.strategy", word: "p.reason", at: "p.until", side: "p.side"))
          FROM pause p
         WHERE p.agency_id = ANY ($1) AND (p.until IS NULL OR p.until > now_instant())
         ORDER BY p.agency_id, p.delegation_id, p.strategy, p.side
        """

    /// Whether something of a grant is held, besides some of its positions.
    private static func isHeld(_ grant: String, except positions: String = "ARRAY[]::integer[]") -> String {
        """
        (SELECT true FROM position p
                        WHERE p.delegation_id = \(grant).delegation_id AND p.hand_id = \(grant).hand_id
                          AND p.position BETWEEN \(grant).first_position AND \(grant).last_position
                          AND p.position <> ALL (coalesce(\(grant).skipped, '{}')) AND p.position <> ALL (\(positions))
                          AND NOT EXISTS (SELECT FROM ending e
                                           WHERE e.delegation_id = p.delegation_id AND e.account_id = p.account_id
                                             AND e.epoch = p.epoch)
                        LIMIT 1)
        """
    }

    /// Of grants of which something is held, those whose terms end first. What is held of one is looked up only until there are
    /// enough of them: an agency may have thousands. $1 agencies, $2 delegations, $3 how long before the term in microseconds,
    /// $4 how many of each agency
    static let nearTerms = """
        SELECT \(row("EXPIRING", of: "g", grant: "g.hand_id, g.first_position", strategy: "NULL::smallint", word: "NULL::text", at: "g.term", side: "NULL::text"))
          FROM unnest($1::integer[]) AS a (agency_id)
         CROSS JOIN LATERAL (
               SELECT n.* FROM (
                      SELECT x.* FROM unnest($2::smallint[]) AS d (delegation_id)
                       CROSS JOIN LATERAL (SELECT y.* FROM lease_grant y
                                            WHERE y.delegation_id = d.delegation_id AND y.agency_id = a.agency_id
                                              AND y.state = 'open' AND y.key IS NOT NULL OFFSET 0) x
                       WHERE x.term > now_instant() AND x.term <= now_instant() + $3 * interval '1 microsecond'
                       ORDER BY x.term, x.delegation_id, x.hand_id, x.first_position OFFSET 0) n
                WHERE \(isHeld("n"))
                ORDER BY n.term, n.delegation_id, n.hand_id, n.first_position
                LIMIT $4) g
         ORDER BY g.agency_id, g.term, g.delegation_id, g.hand_id, g.first_position
        """

    static let drop = """
        DELETE FROM push
         WHERE (transaction, push_id) IN (SELECT transaction, push_id FROM push
                                           WHERE pushed_at < clock_timestamp() - interval '2 days'
                                           ORDER BY transaction, push_id LIMIT $1)
        """

    static let nextImport = """
        SELECT i.import_id, i.kind FROM import i
         WHERE i.kind IN ('payments', 'stops', 'starts')
           AND NOT EXISTS (SELECT FROM announced_import a WHERE a.import_id = i.import_id)
         ORDER BY i.import_id LIMIT 1
        """

    static let claimImport = "INSERT INTO announced_import (import_id) VALUES ($1) ON CONFLICT DO NOTHING"

    /// The holders of the paid accounts, also in a delegation that the debtor has left: of that the recall is noticed. $1 import
    static let pushPayments = """
        INSERT INTO push (agency_id, kind, delegation_id, account_id, epoch, word, on_date, amount)
        SELECT g.agency_id, 'UPDATE', d.delegation_id, d.account_id, d.epoch,
               CASE WHEN d.reverses IS NULL THEN 'payment' ELSE 'payment-reversed' END, d.paid_on, d.amount
          FROM (SELECT m.payment_id, m.paid_on, m.amount, m.reverses, d.*
                  FROM payment m
                 CROSS JOIN LATERAL (SELECT * FROM deal
                                      WHERE delegation_id = m.delegation_id AND account_id = m.account_id
                                      ORDER BY epoch DESC LIMIT 1) d
                 WHERE m.import_id = $1
                 UNION ALL
                SELECT m.payment_id, m.paid_on, m.amount, m.reverses, d.*
                  FROM payment m
                  JOIN notice n ON n.account_id = m.account_id AND n.delegation_id <> m.delegation_id AND n.finished_at IS NULL
                  JOIN deal d ON d.delegation_id = n.delegation_id AND d.account_id = n.account_id AND d.epoch = n.epoch
                 WHERE m.import_id = $1) d
         CROSS JOIN LATERAL (\(EngineStatements.grantOfPosition("d.delegation_id", "d.hand_id", "d.position"))) g
         WHERE g.state = 'open' AND d.position <= g.last_position AND d.position <> ALL (coalesce(g.skipped, '{}'))
           AND NOT EXISTS (SELECT FROM ending e WHERE e.delegation_id = d.delegation_id
                              AND e.account_id = d.account_id AND e.epoch = d.epoch)
         ORDER BY d.payment_id
        """

    /// The former holders of what the stops of a file took back. $1 import
    static let pushStops = """
        INSERT INTO push (agency_id, kind, delegation_id, account_id, epoch, word, at, is_final)
        SELECT g.agency_id, 'RECALL', e.delegation_id, e.account_id, e.epoch, e.reason, e.ended_at, true
          FROM stop s
          JOIN import i ON i.import_id = s.import_id
          JOIN ending e ON e.delegation_id = s.delegation_id AND e.account_id = s.account_id
                       AND e.kind IN ('exclusion', 'payoff') AND e.reason = s.reason AND e.was_held
                       AND e.ended_at >= i.imported_at - interval '1 day'
         CROSS JOIN LATERAL (\(EngineStatements.grantOfPosition("e.delegation_id", "e.hand_id", "e.position"))) g
         WHERE s.import_id = $1
         ORDER BY e.delegation_id, e.account_id
        """

    /// The holders of what started while it was held. $1 import
    static let pushStarts = """
        INSERT INTO push (agency_id, kind, delegation_id, account_id, epoch, word, on_date)
        SELECT g.agency_id, 'UPDATE', t.delegation_id, t.account_id, t.epoch, t.reason, t.on_date
          FROM start t
          JOIN deal d ON d.delegation_id = t.delegation_id AND d.account_id = t.account_id AND d.epoch = t.epoch
         CROSS JOIN LATERAL (\(EngineStatements.grantOfPosition("t.delegation_id", "d.hand_id", "d.position"))) g
         WHERE t.import_id = $1 AND t.fate = 'in-hand' AND g.state = 'open' AND d.position <= g.last_position
           AND d.position <> ALL (coalesce(g.skipped, '{}'))
           AND NOT EXISTS (SELECT FROM ending e WHERE e.delegation_id = t.delegation_id
                              AND e.account_id = t.account_id AND e.epoch = t.epoch)
         ORDER BY t.start_id
        """

    /// The former holders of what a file of starts excluded. $1 import
    static let pushStartedExclusions = """
        INSERT INTO push (agency_id, kind, delegation_id, account_id, epoch, word, at, is_final)
        SELECT g.agency_id, 'RECALL', e.delegation_id, e.account_id, e.epoch, e.reason, e.ended_at, true
          FROM start t
          JOIN import i ON i.import_id = t.import_id
          JOIN ending e ON e.delegation_id = t.delegation_id AND e.account_id = t.account_id
                       AND e.epoch = t.former_epoch AND e.kind = 'exclusion' AND e.was_held
                       AND e.ended_at >= i.imported_at - interval '1 day'
         CROSS JOIN LATERAL (\(EngineStatements.grantOfPosition("e.delegation_id", "e.hand_id", "e.position"))) g
         WHERE t.import_id = $1 AND t.fate = 'excluded'
         ORDER BY e.delegation_id, e.account_id
        """

    /// Of which nothing is held any more, nothing will be: such a term is noted as said, and not said.
    /// $1 how long before the term, in microseconds
    static let pushTerms = """
        WITH near AS (
            INSERT INTO announced_term (delegation_id, hand_id, first_position, term)
            SELECT g.delegation_id, g.hand_id, g.first_position, g.term FROM lease_grant g
             WHERE g.state = 'open' AND g.accounts > 0
               AND g.term <= now_instant() + $1 * interval '1 microsecond' AND g.term > now_instant()
                ON CONFLICT DO NOTHING
            RETURNING delegation_id, hand_id, first_position, term)
        INSERT INTO push (agency_id, kind, delegation_id, hand_id, first_position, at, amount)
        SELECT g.agency_id, 'EXPIRING', g.delegation_id, g.hand_id, g.first_position, n.term, NULL
          FROM near n JOIN lease_grant g USING (delegation_id, hand_id, first_position)
         WHERE \(isHeld("g"))
        """

    /// Where that day is the term itself, the term is told. $1 how long before, in microseconds
    static let pushWorkBy = """
        WITH near AS (
            INSERT INTO announced_term (delegation_id, hand_id, first_position, term)
            SELECT g.delegation_id, g.hand_id, g.first_position, w.work_by
              FROM lease_grant g
              JOIN hand h ON h.delegation_id = g.delegation_id AND h.hand_id = g.hand_id
             CROSS JOIN LATERAL (
                   SELECT \(NearWork.workBy) AS work_by) w
             WHERE g.state = 'open' AND g.accounts > 0 AND h.activity_days IS NOT NULL AND w.work_by < g.granted_term
               AND w.work_by <= now_instant() + $1 * interval '1 microsecond' AND w.work_by > now_instant()
                ON CONFLICT DO NOTHING
            RETURNING delegation_id, hand_id, first_position, term)
        INSERT INTO push (agency_id, kind, delegation_id, hand_id, first_position, at, word)
        SELECT g.agency_id, 'EXPIRING', g.delegation_id, g.hand_id, g.first_position, n.term, 'work-by'
          FROM near n JOIN lease_grant g USING (delegation_id, hand_id, first_position)
         CROSS JOIN LATERAL (\(RecallStatements.workedPositions("g"))) worked
         WHERE \(isHeld("g", except: "worked.positions"))
        """
}
