// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// Which held accounts a recall is about. What is `nil` does not matter.
package struct RecallScope: Sendable {
    package var delegation: Delegation?
    package var accounts: [AccountID] = []
    package var agency: AgencyID?
    package var contract: ContractID?
    package var strategy: Strategy?
    package var tactic: String?
    /// So many at most, those leased last first.
    package var limit: Int32?

    package init() {}
}

/// A held account that can be recalled, or a recall that is under way.
package struct RecallRow: Sendable {
    package let lease: LeaseKey
    package let agency: AgencyID
    package let contract: ContractID?
    package let strategy: Strategy?
    package let grantedAt: Timestamp
    package let overdue: Cents
    package let hand: Int32
    package let position: Int32
    package let quota: Int32
    package let exposure: Cents
    /// Of a recall that is under way.
    package let notice: Notice?

    package struct Notice: Sendable {
        package let reason: String
        package let by: String
        package let state: RecallNotice
        package let noticedAt: Timestamp
        package let objection: String?
        /// Who decided about it; `nil` while nobody did.
        package let decidedBy: String?
    }
}

/// Recalls in two steps: notices, decisions, and what is final. The callers hold transactions.
extension PgLink {
    /// Live leases without a pending recall, the newest first.
    package func readRecallable(_ scope: RecallScope, limit: Int32) throws(PgError) -> [RecallRow] {
        try run(
            RecallStatements.candidates,
            [
                .int16s(scope.delegation.map { [$0.value] } ?? Delegation.all.map(\.value)),
                .int64s(scope.accounts.map(\.value)), .optional(scope.agency?.value), .optional(scope.contract?.value),
                .optional(scope.strategy?.rawValue), .int32(limit), .optional(scope.tactic),
            ]
        ).compactMap(RecallRow.init)
    }

    /// What an agency holds of a strategy and a tactic, by place: all of it, and what has no recall under way. `nil`: of
    /// every one. Locks nothing.
    package func countHeld(
        by agency: AgencyID, strategy: Strategy?, tactic: String?
    ) throws(PgError) -> [AgencyPlace: (held: Int64, recallable: Int64)] {
        var counts: [AgencyPlace: (held: Int64, recallable: Int64)] = [:]
        let rows = try run(
            RecallStatements.held,
            [
                .int16s(Delegation.all.map(\.value)), .int32(agency.value), .optional(strategy?.rawValue),
                .optional(tactic),
            ])
        for row in rows {
            guard let delegation = Delegation(row.int16(0)), let strategy = Strategy(rawValue: row.int16(1))
            else { continue }
            counts[AgencyPlace(delegation: delegation, agency: agency, strategy: strategy)] = (
                row.int64(2), row.int64(3)
            )
        }
        return counts
    }

    /// Recalls under way, by date: all of them, or only those with an objection that waits for a decision.
    package func readRecalls(objected: Bool, limit: Int32) throws(PgError) -> [RecallRow] {
        try run(RecallStatements.pending, [.bool(objected), .int32(limit)]).compactMap(RecallRow.init)
    }

    /// Recalls under way of what an agency holds, by account; of one strategy or tactic where it is given.
    package func readRecalls(
        of agency: AgencyID, strategy: Strategy?, tactic: String?, limit: Int32
    ) throws(PgError) -> [RecallRow] {
        try run(
            RecallStatements.pendingOf,
            [.int32(agency.value), .optional(strategy?.rawValue), .optional(tactic), .int32(limit)]
        ).compactMap(RecallRow.init)
    }

    /// Recalls whose date has come, by delegation and account, behind `after`.
    package func readDueRecalls(after: LeaseKey?, limit: Int32) throws(PgError) -> [RecallRow] {
        try run(RecallStatements.due, [.int32(limit)] + Self.place(after)).compactMap(RecallRow.init)
    }

    private static func place(_ lease: LeaseKey?) -> [PgValue] {
        [.int16(lease?.delegation.value ?? 0), .int64(lease?.account.value ?? 0)]
    }

    /// Locks the grants of these leases in the order in which groups lock them, and reads them again: those that are still held.
    ///
    /// - Locks: the grants, until the end of the transaction.
    package func lockRecalled(_ leases: [LeaseKey]) throws(PgError) -> [RecallRow] {
        try run(
            EngineStatements.lockGrantsForUpdate, Self.columns(leases) + [.int16s([]), .int32s([]), .int32s([])])
        return try run(RecallStatements.these, Self.columns(leases)).compactMap(RecallRow.init)
    }

    /// The same, leaving out what lies in grants that somebody else keeps locked, which are not waited for.
    ///
    /// - Returns: besides, whether none was left out.
    /// - Locks: the other grants, until the end of the transaction.
    package func lockFreeRecalled(_ leases: [LeaseKey]) throws(PgError) -> (rows: [RecallRow], areAll: Bool) {
        var grants: [GrantKey: [LeaseKey]] = [:]
        for row in try run(EngineStatements.grantsOfLeases, Self.columns(leases)) {
            let lease = leases[Int(row.int64(0)) - 1]
            let grant = GrantID(hand: row.int32(1), first: row.int32(2))
            grants[GrantKey(delegation: lease.delegation, grant: grant), default: []].append(lease)
        }
        let locked = try lockGrants(Array(grants.keys), waits: false)
        let free = locked.flatMap { grants[$0] ?? [] }
        let rows = try run(RecallStatements.these, Self.columns(free)).compactMap(RecallRow.init)
        return (rows, locked.count == grants.count)
    }

    private static func columns(_ leases: [LeaseKey]) -> [PgValue] {
        [
            .int16s(leases.map(\.delegation.value)), .int64s(leases.map(\.account.value)),
            .int64s(leases.map(\.epoch.value)),
        ]
    }

    /// Notes the recalls and tells the holders. A recall that was withdrawn before begins anew.
    ///
    /// - Parameter now: the instant that the ledger's records of them have.
    package func insertNotices(
        _ rows: [RecallRow], reason: String, finalAt: Timestamp, by: String, at now: Timestamp
    ) throws(PgError) {
        try run(
            RecallStatements.notice,
            [
                .int16s(rows.map(\.lease.delegation.value)), .int64s(rows.map(\.lease.account.value)),
                .int64s(rows.map(\.lease.epoch.value)), .int32s(rows.map(\.agency.value)), .text(reason),
                .timestamp(finalAt), .text(by), .timestamp(now),
            ])
    }

    /// Decides a recall and tells the holder.
    ///
    /// - Parameters:
    ///   - decision: `upheld` or `withdrawn`.
    ///   - now: the instant that the ledger's record of it has.
    package func decideRecall(
        _ row: RecallRow, decision: String, reason: String, by: String, at now: Timestamp
    ) throws(PgError) {
        try run(
            RecallStatements.decide,
            [
                .int16(row.lease.delegation.value), .int64(row.lease.account.value), .int64(row.lease.epoch.value),
                .text(decision), .text(reason), .text(by), .int32(row.agency.value), .timestamp(now),
            ])
    }

    /// Grants whose deadline for the first work has passed, each once, in the order of their key, behind `after`.
    package func readIdleGrants(after: GrantKey?, limit: Int32) throws(PgError) -> [GrantKey] {
        try run(
            RecallStatements.idleGrants,
            [
                .int32(limit), .int16(after?.delegation.value ?? 0), .int32(after?.grant.hand ?? 0),
                .int32(after?.grant.first ?? 0),
            ]
        ).compactMap { row in
            Delegation(row.int16(0)).map {
                GrantKey(delegation: $0, grant: GrantID(hand: row.int32(1), first: row.int32(2)))
            }
        }
    }

    /// The live leases of these grants on which nothing was reported; the grants count as looked at from then on.
    ///
    /// - Parameter grants: the caller has their locks.
    package func takeUnworked(_ grants: [GrantKey]) throws(PgError) -> [RecallRow] {
        let values: [PgValue] = [
            .int16s(grants.map(\.delegation.value)), .int32s(grants.map(\.grant.hand)),
            .int32s(grants.map(\.grant.first)),
        ]
        let rows = try run(RecallStatements.unworked, values).compactMap(RecallRow.init)
        try run(RecallStatements.noteChecked, values)
        return rows
    }

    /// Live leases whose debtor was reported as unlocatable, whose days for giving back are over, and of whom nobody was
    /// reached since; by delegation and account, behind `after`.
    package func readUnlocatable(after: LeaseKey?, limit: Int32) throws(PgError) -> [RecallRow] {
        try run(RecallStatements.unlocatable, [.int32(limit)] + Self.place(after)).compactMap(RecallRow.init)
    }

    /// Ends the leases, releases what they held, and tells the former holders.
    ///
    /// - Parameter reason: why each is taken back.
    /// - Returns: the leases that this ended; another ending may have been first.
    package func endRecalled(_ rows: [RecallRow], reason: (RecallRow) -> String) throws(PgError) -> [LeaseKey] {
        let ended = try run(
            RecallStatements.end,
            [
                .int16s(rows.map(\.lease.delegation.value)), .int64s(rows.map(\.lease.account.value)),
                .int64s(rows.map(\.lease.epoch.value)), .texts(rows.map(reason)),
                .int32s(rows.map(\.hand)), .int32s(rows.map(\.position)), .int32s(rows.map(\.quota)),
                .int64s(rows.map(\.exposure.value)), .int32s(rows.map(\.agency.value)),
            ]
        ).compactMap(LeaseKey.init)
        return ended
    }

    /// Marks notices of leases that are over, in whatever way, as done.
    package func finishNotices(limit: Int32) throws {
        try transaction { _ = try run(RecallStatements.finish, [.int32(limit)]) }
    }
}

extension RecallRow {
    /// Reads the columns of ``RecallStatements/columns``.
    init?(_ row: PgRow) {
        guard let lease = LeaseKey(row), let agency = AgencyID(row.int32(3)) else { return nil }
        self.lease = lease
        self.agency = agency
        contract = ContractID(row.int32(4))
        strategy = Strategy(rawValue: row.int16(5))
        grantedAt = row.timestamp(6)
        overdue = Cents(row.int64(7))
        hand = row.int32(8)
        position = row.int32(9)
        quota = row.int32(10)
        exposure = Cents(row.int64(11))
        notice = RecallNotice(row, at: 12).map {
            Notice(
                reason: row.optionalText(16) ?? "", by: row.optionalText(17) ?? "", state: $0,
                noticedAt: row.timestamp(18), objection: row.optionalText(19), decidedBy: row.optionalText(20))
        }
    }
}

enum RecallStatements {
    static let columns = """
        p.delegation_id, p.account_id, p.epoch, g.agency_id, g.contract_id, h.strategy, g.granted_at, p.overdue,
               p.hand_id, p.position, g.quota_id, p.exposure, n.final_at, n.objected_at, n.held_until, n.decision, n.reason,
               n.noticed_by, n.noticed_at, n.objection, n.decided_by
        """

    static let live = """
        g.state = 'open' AND NOT EXISTS (SELECT FROM ending e WHERE e.delegation_id = p.delegation_id
                                            AND e.account_id = p.account_id AND e.epoch = p.epoch)
        """

    /// $1 delegations, $2 accounts or none, $3 agency, $4 contract, $5 strategy, $6 how many, $7 tactic
    static let candidates = """
        SELECT \(columns)
          FROM lease_grant g
          JOIN hand h ON h.delegation_id = g.delegation_id AND h.hand_id = g.hand_id
          JOIN position p ON p.delegation_id = g.delegation_id AND p.hand_id = g.hand_id
                         AND p.position BETWEEN g.first_position AND g.last_position
                         AND p.position <> ALL (coalesce(g.skipped, '{}'))
          LEFT JOIN notice n ON n.delegation_id = p.delegation_id AND n.account_id = p.account_id AND n.epoch = p.epoch
         WHERE g.delegation_id = ANY ($1) AND ($3::integer IS NULL OR g.agency_id = $3)
           AND ($4::integer IS NULL OR g.contract_id = $4) AND ($5::smallint IS NULL OR h.strategy = $5)
           AND (cardinality($2::bigint[]) = 0 OR p.account_id = ANY ($2))
           AND ($7::text IS NULL OR p.tactic = $7)
           AND \(live) AND (n.epoch IS NULL OR n.decision = 'withdrawn')
         ORDER BY g.granted_at DESC, p.delegation_id, p.hand_id, p.position DESC
         LIMIT $6
        """

    /// $1 delegations, $2 agency, $3 strategy or null, $4 tactic or null
    static let held = """
        SELECT g.delegation_id, h.strategy, count(*), count(*) FILTER (WHERE n.epoch IS NULL OR n.decision = 'withdrawn')
          FROM lease_grant g
          JOIN hand h ON h.delegation_id = g.delegation_id AND h.hand_id = g.hand_id
          JOIN position p ON p.delegation_id = g.delegation_id AND p.hand_id = g.hand_id
                         AND p.position BETWEEN g.first_position AND g.last_position
                         AND p.position <> ALL (coalesce(g.skipped, '{}'))
          LEFT JOIN notice n ON n.delegation_id = p.delegation_id AND n.account_id = p.account_id AND n.epoch = p.epoch
         WHERE g.delegation_id = ANY ($1) AND g.agency_id = $2 AND ($3::smallint IS NULL OR h.strategy = $3)
           AND ($4::text IS NULL OR p.tactic = $4) AND \(live)
         GROUP BY g.delegation_id, h.strategy
         ORDER BY g.delegation_id, h.strategy
        """

    private static let noticed = """
        notice n
          JOIN deal d ON d.delegation_id = n.delegation_id AND d.account_id = n.account_id AND d.epoch = n.epoch
          JOIN hand h ON h.delegation_id = d.delegation_id AND h.hand_id = d.hand_id
          JOIN position p ON p.delegation_id = d.delegation_id AND p.hand_id = d.hand_id AND p.position = d.position
         CROSS JOIN LATERAL (\(EngineStatements.grantOfPosition("d.delegation_id", "d.hand_id", "d.position"))) g
        """

    /// $1 whether only those with an open objection, $2 how many
    static let pending = """
        SELECT \(columns)
          FROM \(noticed)
         WHERE n.finished_at IS NULL AND n.decision IS DISTINCT FROM 'withdrawn' AND \(live)
           AND (NOT $1 OR (n.objected_at IS NOT NULL AND n.decision IS NULL))
         ORDER BY n.final_at, n.delegation_id, n.account_id
         LIMIT $2
        """

    /// $1 agency, $2 strategy or null, $3 tactic or null, $4 how many
    static let pendingOf = """
        SELECT \(columns)
          FROM \(noticed)
         WHERE n.finished_at IS NULL AND n.decision IS DISTINCT FROM 'withdrawn' AND \(live)
           AND g.agency_id = $1 AND ($2::smallint IS NULL OR h.strategy = $2) AND ($3::text IS NULL OR p.tactic = $3)
         ORDER BY n.delegation_id, n.account_id
         LIMIT $4
        """

    /// $1 how many, $2 delegation and $3 account behind which it begins
    static let due = """
        SELECT \(columns)
          FROM \(noticed)
         WHERE n.finished_at IS NULL AND n.decision IS DISTINCT FROM 'withdrawn' AND \(live)
           AND n.final_at <= now_instant() AND (n.delegation_id, n.account_id) > ($2, $3)
           AND (n.objected_at IS NULL OR n.decision = 'upheld' OR n.held_until <= now_instant())
         ORDER BY n.delegation_id, n.account_id
         LIMIT $1
        """

    /// $1 delegation smallint[], $2 account bigint[], $3 epoch bigint[]
    static let these = """
        SELECT \(columns)
          FROM unnest($1::smallint[], $2::bigint[], $3::bigint[]) AS r (delegation_id, account_id, epoch)
          JOIN deal d ON d.delegation_id = r.delegation_id AND d.account_id = r.account_id AND d.epoch = r.epoch
          JOIN hand h ON h.delegation_id = d.delegation_id AND h.hand_id = d.hand_id
          JOIN position p ON p.delegation_id = d.delegation_id AND p.hand_id = d.hand_id AND p.position = d.position
         CROSS JOIN LATERAL (\(EngineStatements.grantOfPosition("d.delegation_id", "d.hand_id", "d.position"))) g
          LEFT JOIN notice n ON n.delegation_id = r.delegation_id AND n.account_id = r.account_id AND n.epoch = r.epoch
         WHERE \(live) AND p.position <= g.last_position AND p.position <> ALL (coalesce(g.skipped, '{}'))
         ORDER BY p.delegation_id, p.account_id
        """

    /// Midnight in Mexico City so many days after an instant, and the grace and the outage since the grant behind it.
    private static func deadline(_ instant: String, _ days: String) -> String {
        """
        (((\(instant) AT TIME ZONE 'America/Mexico_City')::date + \(days))::timestamp AT TIME ZONE 'America/Mexico_City')
               + (g.grace_us + \(Outage.total("c")) - g.outage_us) * interval '1 microsecond'
        """
    }

    /// $1 how many, $2 delegation, $3 hand, $4 first position behind which it begins
    static let idleGrants = """
        SELECT g.delegation_id, g.hand_id, g.first_position
          FROM clock c, lease_grant g
          JOIN hand h ON h.delegation_id = g.delegation_id AND h.hand_id = g.hand_id
         WHERE g.state = 'open' AND g.accounts > 0 AND h.activity_days IS NOT NULL
           AND (g.delegation_id, g.hand_id, g.first_position) > ($2, $3, $4)
           AND \(deadline("g.granted_at", "h.activity_days")) <= now_instant()
           AND NOT EXISTS (SELECT FROM activity_check a
                            WHERE a.delegation_id = g.delegation_id AND a.hand_id = g.hand_id
                              AND a.first_position = g.first_position)
         ORDER BY g.delegation_id, g.hand_id, g.first_position
         LIMIT $1
        """

    /// What was reported on a grant is read once, along the key of its agency's outcomes since the grant's month.
    static func workedPositions(_ grant: String) -> String {
        """
        SELECT ARRAY(SELECT o.position FROM outcome o
                      WHERE o.period >= to_char(\(grant).granted_at AT TIME ZONE 'America/Mexico_City', 'YYYYMM')::integer
                        AND o.delegation_id = \(grant).delegation_id AND o.agency_id = \(grant).agency_id
                        AND o.hand_id = \(grant).hand_id
                        AND o.position BETWEEN \(grant).first_position AND \(grant).last_position) AS positions
        """
    }

    /// $1 delegation smallint[], $2 hand int[], $3 first int[]
    static let unworked = """
        SELECT \(columns)
          FROM unnest($1::smallint[], $2::int[], $3::int[]) AS r (delegation_id, hand_id, first_position)
          JOIN lease_grant g ON g.delegation_id = r.delegation_id AND g.hand_id = r.hand_id
                            AND g.first_position = r.first_position
          JOIN hand h ON h.delegation_id = g.delegation_id AND h.hand_id = g.hand_id
         CROSS JOIN LATERAL (\(workedPositions("g"))) worked
          JOIN position p ON p.delegation_id = g.delegation_id AND p.hand_id = g.hand_id
                         AND p.position BETWEEN g.first_position AND g.last_position
                         AND p.position <> ALL (coalesce(g.skipped, '{}')) AND p.position <> ALL (worked.positions)
          LEFT JOIN notice n ON n.delegation_id = p.delegation_id AND n.account_id = p.account_id AND n.epoch = p.epoch
         WHERE \(live)
         ORDER BY p.delegation_id, p.account_id
        """

    /// $1 … $3 as above
    static let noteChecked = """
        INSERT INTO activity_check
        SELECT delegation_id, hand_id, first_position, now_instant()
          FROM unnest($1::smallint[], $2::int[], $3::int[]) AS r (delegation_id, hand_id, first_position)
            ON CONFLICT DO NOTHING
        """

    /// The day of the report counts as none, the last day is the holder's to its end. $1 how many, $2 delegation and
    /// $3 account behind which it begins
    static let unlocatable = """
        SELECT DISTINCT ON (p.delegation_id, p.account_id) \(columns)
          FROM clock c, outcome o
          JOIN hand h ON h.delegation_id = o.delegation_id AND h.hand_id = o.hand_id
          JOIN position p ON p.delegation_id = o.delegation_id AND p.hand_id = o.hand_id AND p.position = o.position
         CROSS JOIN LATERAL (\(EngineStatements.grantOfPosition("o.delegation_id", "o.hand_id", "o.position"))) g
          LEFT JOIN notice n ON n.delegation_id = p.delegation_id AND n.account_id = p.account_id AND n.epoch = p.epoch
         WHERE o.contact = 'unlocatable' AND h.unlocatable_days IS NOT NULL
           AND o.worked_at > now_instant() - interval '400 days' AND (o.delegation_id, o.account_id) > ($2, $3)
           AND \(deadline("o.worked_at", "h.unlocatable_days + 1")) <= now_instant() AND \(live)
           AND NOT EXISTS (SELECT FROM outcome x
                            WHERE x.period >= o.period AND x.delegation_id = o.delegation_id
                              AND x.agency_id = o.agency_id AND x.account_id = o.account_id AND x.epoch = o.epoch
                              AND x.contact IN ('direct', 'third-party') AND x.worked_at > o.worked_at)
         ORDER BY p.delegation_id, p.account_id
         LIMIT $1
        """

    /// $1 delegation, $2 account, $3 epoch, $4 agency arrays; $5 reason, $6 final, $7 by, $8 now
    static let notice = """
        WITH new AS (
            INSERT INTO notice (delegation_id, account_id, epoch, reason, noticed_at, final_at, noticed_by)
            SELECT r.delegation_id, r.account_id, r.epoch, $5, $8, $6, $7
              FROM unnest($1::smallint[], $2::bigint[], $3::bigint[]) AS r (delegation_id, account_id, epoch)
                ON CONFLICT (delegation_id, account_id, epoch) DO UPDATE
               SET reason = excluded.reason, noticed_at = excluded.noticed_at, final_at = excluded.final_at,
                   noticed_by = excluded.noticed_by, objected_at = NULL, objection = NULL, held_until = NULL,
                   decision = NULL, decided_at = NULL, decided_by = NULL, decision_reason = NULL, finished_at = NULL
             WHERE notice.decision = 'withdrawn')
        INSERT INTO push (agency_id, kind, delegation_id, account_id, epoch, word, at, is_final)
        SELECT r.agency_id, 'RECALL', r.delegation_id, r.account_id, r.epoch, $5, $6, false
          FROM unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::integer[])
               AS r (delegation_id, account_id, epoch, agency_id)
        """

    /// $1 delegation, $2 account, $3 epoch, $4 decision, $5 reason, $6 by, $7 agency, $8 now
    static let decide = """
        WITH decided AS (
            UPDATE notice SET decision = $4, decided_at = $8, decision_reason = $5, decided_by = $6,
                   finished_at = CASE WHEN $4 = 'withdrawn' THEN $8 END
             WHERE delegation_id = $1 AND account_id = $2 AND epoch = $3
            RETURNING reason, final_at)
        INSERT INTO push (agency_id, kind, delegation_id, account_id, epoch, word, at, is_final, side)
        SELECT $7, 'RECALL', $1, $2, $3, reason, final_at, false, $4 FROM decided
        """

    /// $1 delegation, $2 account, $3 epoch, $4 reason, $5 hand, $6 position, $7 quota, $8 exposure, $9 agency arrays
    static let end = """
        WITH r AS MATERIALIZED (
            SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::text[], $5::integer[], $6::integer[],
                                 $7::integer[], $8::bigint[], $9::integer[])
                AS r (delegation_id, account_id, epoch, reason, hand_id, position, quota_id, exposure, agency_id)),
        ended AS (
            INSERT INTO ending (delegation_id, account_id, epoch, kind, reason, ended_at, hand_id, position, was_held)
            SELECT delegation_id, account_id, epoch, 'recall', reason, (SELECT now_instant()), hand_id, position, true FROM r
                ON CONFLICT DO NOTHING
            RETURNING delegation_id, account_id, epoch, ended_at),
        released AS (
            INSERT INTO release (delegation_id, quota_id, accounts, exposure)
            SELECT delegation_id, r.quota_id, count(*), sum(r.exposure)::bigint
              FROM ended JOIN r USING (delegation_id, account_id, epoch) GROUP BY delegation_id, r.quota_id),
        told AS (
            INSERT INTO push (agency_id, kind, delegation_id, account_id, epoch, word, at, is_final)
            SELECT r.agency_id, 'RECALL', delegation_id, account_id, epoch, r.reason, ended.ended_at, true
              FROM ended JOIN r USING (delegation_id, account_id, epoch)),
        done AS (
            UPDATE notice n SET finished_at = e.ended_at FROM ended e
             WHERE n.delegation_id = e.delegation_id AND n.account_id = e.account_id AND n.epoch = e.epoch)
        SELECT delegation_id, account_id, epoch FROM ended ORDER BY delegation_id, account_id
        """

    /// $1 how many
    static let finish = """
        UPDATE notice n SET finished_at = now_instant()
          FROM (SELECT n.delegation_id, n.account_id, n.epoch FROM \(noticed)
                 WHERE n.finished_at IS NULL AND NOT (\(live))
                 ORDER BY n.delegation_id, n.account_id LIMIT $1) o
         WHERE n.delegation_id = o.delegation_id AND n.account_id = o.account_id AND n.epoch = o.epoch
        """
}
