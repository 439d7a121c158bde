// SPDX-License-Identifier: Apache-2.0

/// The statements of a group's transaction. Every one names delegation_id, is bounded by its arrays, and runs on indexes alone
/// (``PgLink/prepareForEngine(lockWait:)``).
///
/// Plans are made once, often while a table is still empty, and must hold when it has millions of rows. So what is looked up per
/// row of the arrays stands in a LATERAL with OFFSET 0: the planner does not look behind that, and cannot turn the loop
/// around and read the whole table for each group. Grants have three indexes, which look alike while the table is empty: an
/// order that only one of them has, with LIMIT 1, chooses it.
enum EngineStatements {
    // MARK: - Keys

    /// The keys that another transaction uses just now; the others are this one's until it ends. $1 lock bigint[]
    static let tryKeys = """
        SELECT r.i FROM unnest($1::bigint[]) WITH ORDINALITY AS r (lock, i) WHERE NOT pg_try_advisory_xact_lock(r.lock)
        """

    // MARK: - Locks: hand, quota, grant, each ascending

    /// $1 delegation smallint[], $2 hand int[]
    static let lockHands = """
        SELECT h.delegation_id, h.hand_id
          FROM unnest($1::smallint[], $2::int[]) AS r (delegation_id, hand_id)
          JOIN hand h ON h.delegation_id = r.delegation_id AND h.hand_id = r.hand_id
         ORDER BY h.delegation_id, h.hand_id
           FOR NO KEY UPDATE OF h
        """

    /// $1 delegation smallint[], $2 quota int[]
    static let lockQuotas = """
        SELECT q.delegation_id, q.quota_id
          FROM unnest($1::smallint[], $2::int[]) AS r (delegation_id, quota_id)
          JOIN quota q ON q.delegation_id = r.delegation_id AND q.quota_id = r.quota_id
         ORDER BY q.delegation_id, q.quota_id
           FOR NO KEY UPDATE OF q
        """

    /// The grants of reported or returned accounts and of extensions, in one order, so that no two groups can wait for each other.
    /// KEY SHARE where the group only reports; UPDATE where it also extends or returns.
    ///
    /// $1 delegation smallint[], $2 account bigint[], $3 epoch bigint[], $4 delegation smallint[], $5 hand int[], $6 first int[]
    static func lockGrants(forUpdate: Bool) -> String {
        """
        SELECT g.first_position
          FROM (SELECT d.delegation_id, d.hand_id, f.first_position
                  FROM unnest($1::smallint[], $2::bigint[], $3::bigint[]) AS r (delegation_id, account_id, epoch)
                 CROSS JOIN LATERAL (\(dealOfLease)) d
                 CROSS JOIN LATERAL (\(grantOfPosition("d.delegation_id", "d.hand_id", "d.position"))) f
                 UNION
                SELECT r.delegation_id, r.hand_id, f.first_position
                  FROM unnest($4::smallint[], $5::int[], $6::int[]) AS r (delegation_id, hand_id, first_position)
                 CROSS JOIN LATERAL (\(grantOfPosition("r.delegation_id", "r.hand_id", "r.first_position"))) f
                 ORDER BY 1, 2, 3) AS k
         CROSS JOIN LATERAL (\(grantOfPosition("k.delegation_id", "k.hand_id", "k.first_position"))
                                FOR \(forUpdate ? "UPDATE" : "KEY SHARE")) g
        """
    }
    static let lockGrantsShared = lockGrants(forUpdate: false)
    static let lockGrantsForUpdate = lockGrants(forUpdate: true)

    /// The grant row that a position belongs to, if it was granted: the last one that starts at or before it.
    static func grantOfPosition(_ delegation: String, _ hand: String, _ position: String) -> String {
        """
        SELECT x.* FROM lease_grant x
         WHERE x.delegation_id = \(delegation) AND x.hand_id = \(hand) AND x.first_position <= \(position)
         ORDER BY x.first_position DESC LIMIT 1
        """
    }

    /// The grant row of a key, by the row `r` of the arrays. Between a place and itself, because then only the index of that order fits:
    /// of an equation the planner believes, while the table is empty, that any index is as good, and reads all grants by it.
    static func grantOfKey(_ columns: String, lock: String = "") -> String {
        """
        SELECT \(columns) FROM lease_grant x
         WHERE x.delegation_id = r.delegation_id AND x.hand_id = r.hand_id
           AND x.first_position BETWEEN r.first_position AND r.first_position
         ORDER BY x.first_position DESC LIMIT 1 \(lock)
        """
    }

    /// The deal that a lease quotes, by the row `r` of the arrays.
    private static let dealOfLease = """
        SELECT x.delegation_id, x.hand_id, x.position FROM deal x
         WHERE x.delegation_id = r.delegation_id AND x.account_id = r.account_id AND x.epoch = r.epoch OFFSET 0
        """

    // MARK: - What somebody else keeps locked

    /// $1 delegation smallint[], $2 hand int[]
    static let freeHands = lockHands + " SKIP LOCKED"
    /// $1 delegation smallint[], $2 quota int[]
    static let freeQuotas = lockQuotas + " SKIP LOCKED"

    /// The grants of leases, unlocked. $1 delegation smallint[], $2 account bigint[], $3 epoch bigint[]
    static let grantsOfLeases = """
        SELECT r.i, f.hand_id, f.first_position
          FROM unnest($1::smallint[], $2::bigint[], $3::bigint[]) WITH ORDINALITY AS r (delegation_id, account_id, epoch, i)
         CROSS JOIN LATERAL (\(dealOfLease)) d
         CROSS JOIN LATERAL (\(grantOfPosition("d.delegation_id", "d.hand_id", "d.position"))) f
         ORDER BY r.i
        """

    /// Ascending by key. $1 delegation smallint[], $2 hand int[], $3 first int[]
    static func lookUpGrants(lock: String) -> String {
        """
        SELECT r.i
          FROM (SELECT * FROM unnest($1::smallint[], $2::int[], $3::int[]) WITH ORDINALITY
                       AS k (delegation_id, hand_id, first_position, i) ORDER BY 1, 2, 3) AS r
         CROSS JOIN LATERAL (\(grantOfKey("x.first_position", lock: lock))) g
        """
    }
    static let presentGrants = lookUpGrants(lock: "")
    static let freeGrants = lookUpGrants(lock: "FOR UPDATE SKIP LOCKED")

    /// Books an outage that no node has booked yet, before anything is judged; in all other groups it touches nothing.
    static let bookOutage = """
        UPDATE clock SET outage_us = outage_us + \(Outage.gap("clock")), latest_beat = clock_timestamp()
         WHERE \(Outage.isUnderWay("clock"))
        """

    // MARK: - Reads, after the locks

    /// What now_instant() is, written out: a function's body would be planned anew in each group.
    static let clock = """
        SELECT coalesce(virtual_now, clock_timestamp()), \(Outage.total("clock")), restored_at IS NOT NULL FROM clock
        """

    /// The same of what is booked alone, for a group, which has booked before: a gap that grew too long behind its booking is booked
    /// by the next one, and a grant made now says how much was booked when it was made.
    static let groupClock = """
        SELECT coalesce(virtual_now, clock_timestamp()), outage_us, restored_at IS NOT NULL FROM clock
        """

    /// Of places those with a pause, whoever's. $1 delegation smallint[], $2 agency int[], $3 strategy smallint[]
    static let paused = """
        SELECT r.i
          FROM unnest($1::smallint[], $2::int[], $3::smallint[]) WITH ORDINALITY AS r (delegation_id, agency_id, strategy, i)
         CROSS JOIN LATERAL (SELECT 1 FROM pause p
                              WHERE p.delegation_id = r.delegation_id AND p.agency_id = r.agency_id
                                AND p.strategy = r.strategy LIMIT 1) p
        """

    static let periods = "SELECT period, state = 'open' FROM period ORDER BY period"

    /// $1 delegation smallint[], $2 hand int[] -> order, is open, size, cursor, barred contracts
    static let hands = """
        SELECT r.i, h.state = 'open', h.size, coalesce(c.last_position, 0), h.barred_ids
          FROM unnest($1::smallint[], $2::int[]) WITH ORDINALITY AS r (delegation_id, hand_id, i)
         CROSS JOIN LATERAL (SELECT x.state, x.size, x.barred_ids FROM hand x
                              WHERE x.delegation_id = r.delegation_id AND x.hand_id = r.hand_id OFFSET 0) h
          LEFT JOIN LATERAL (SELECT g.last_position FROM lease_grant g
                              WHERE g.delegation_id = r.delegation_id AND g.hand_id = r.hand_id
                              ORDER BY g.first_position DESC LIMIT 1) c ON true
         ORDER BY r.i
        """

    /// $1 delegation smallint[], $2 quota int[] -> order, limits, released, running totals
    static let quotas = """
        SELECT r.i, q.limit_accounts, q.limit_exposure, q.released_accounts, q.released_exposure,
               coalesce(t.total_accounts, 0), coalesce(t.total_exposure, 0)
          FROM unnest($1::smallint[], $2::int[]) WITH ORDINALITY AS r (delegation_id, quota_id, i)
         CROSS JOIN LATERAL (SELECT x.* FROM quota x
                              WHERE x.delegation_id = r.delegation_id AND x.quota_id = r.quota_id OFFSET 0) q
          LEFT JOIN LATERAL (SELECT g.total_accounts, g.total_exposure FROM lease_grant g
                              WHERE g.delegation_id = r.delegation_id AND g.quota_id = r.quota_id
                              ORDER BY g.total_accounts DESC LIMIT 1) t ON true
         ORDER BY r.i
        """

    /// The next accounts of each hand behind its cursor that may be leased, at most as many as wanted. Looks no further than
    /// 1,024 positions beyond that, so that a long row of excluded ones cannot hold the group's locks.
    ///
    /// $1 delegation smallint[], $2 hand int[], $3 how many int[]
    static let windows = """
        SELECT r.i, p.position, p.account_id, p.epoch, p.exposure, p.tactic, p.arrears, p.due, p.overdue, p.municipality,
               p.reference
          FROM unnest($1::smallint[], $2::int[], $3::int[]) WITH ORDINALITY AS r (delegation_id, hand_id, want, i)
          LEFT JOIN LATERAL (SELECT g.last_position FROM lease_grant g
                              WHERE g.delegation_id = r.delegation_id AND g.hand_id = r.hand_id
                              ORDER BY g.first_position DESC LIMIT 1) c ON true
         CROSS JOIN LATERAL (SELECT x.* FROM position x
                              WHERE x.delegation_id = r.delegation_id AND x.hand_id = r.hand_id
                                AND x.position > coalesce(c.last_position, 0)
                                AND x.position <= coalesce(c.last_position, 0) + r.want + \(windowSlack)
                                AND NOT EXISTS (SELECT FROM ending e
                                                 WHERE e.delegation_id = x.delegation_id AND e.account_id = x.account_id
                                                   AND e.epoch = x.epoch)
                              ORDER BY x.position
                              LIMIT r.want) p
         ORDER BY r.i, p.position
        """
    static let windowSlack: Int32 = 1_024

    /// The accounts of a grant as they were leased, for a replay.
    ///
    /// $1 delegation smallint, $2 hand int, $3 first int, $4 last int, $5 skipped int[]
    static let grantedAccounts = """
        SELECT p.position, p.account_id, p.epoch, p.exposure, p.tactic, p.arrears, p.due, p.overdue,
               p.municipality, p.reference
          FROM position p
         WHERE p.delegation_id = $1 AND p.hand_id = $2 AND p.position BETWEEN $3 AND $4
           AND p.position <> ALL (coalesce($5::int[], '{}'))
         ORDER BY p.position
        """

    /// Everything that decides about one account under one epoch.
    ///
    /// $1 delegation smallint[], $2 account bigint[], $3 epoch bigint[]
    static let leases = """
        SELECT r.i, d.hand_id, d.position, p.exposure, p.municipality, h.late_report_us,
               g.first_position, g.quota_id, g.contract_id, g.agency_id, g.granted_at, g.term, g.ceiling, g.grace_us,
               g.outage_us, g.closed_at, e.kind, e.ended_at, later.epoch,
               n.final_at, n.objected_at, n.held_until, n.decision, h.rule_packs, p.tactic,
               EXISTS (SELECT FROM visit_ban b
                        WHERE b.delegation_id = r.delegation_id AND b.municipality IN (0, p.municipality)
                          AND b.rule_pack = ANY (h.rule_packs)), n.objection, r.delegation_id, r.account_id, r.epoch,
               later.agency_id = g.agency_id AND later.state = 'open'
                   AND NOT EXISTS (SELECT FROM ending x
                                    WHERE x.delegation_id = r.delegation_id AND x.account_id = r.account_id
                                      AND x.epoch = later.epoch)
          FROM unnest($1::smallint[], $2::bigint[], $3::bigint[]) WITH ORDINALITY AS r (delegation_id, account_id, epoch, i)
         CROSS JOIN LATERAL (\(dealOfLease)) d
         CROSS JOIN LATERAL (SELECT x.late_report_us, x.rule_packs FROM hand x
                              WHERE x.delegation_id = d.delegation_id AND x.hand_id = d.hand_id OFFSET 0) h
         CROSS JOIN LATERAL (SELECT x.exposure, x.municipality, x.tactic FROM position x
                              WHERE x.delegation_id = d.delegation_id AND x.hand_id = d.hand_id
                                AND x.position = d.position OFFSET 0) p
         CROSS JOIN LATERAL (\(grantOfPosition("d.delegation_id", "d.hand_id", "d.position"))) g
          LEFT JOIN LATERAL (SELECT x.kind, x.ended_at FROM ending x
                              WHERE x.delegation_id = r.delegation_id AND x.account_id = r.account_id
                                AND x.epoch = r.epoch OFFSET 0) e ON true
          LEFT JOIN LATERAL (SELECT x.final_at, x.objected_at, x.held_until, x.decision, x.objection FROM notice x
                              WHERE x.delegation_id = r.delegation_id AND x.account_id = r.account_id
                                AND x.epoch = r.epoch OFFSET 0) n ON true
          LEFT JOIN LATERAL (SELECT d.epoch, y.agency_id, y.state FROM deal d
                              CROSS JOIN LATERAL (\(grantOfPosition("d.delegation_id", "d.hand_id", "d.position"))) y
                              WHERE d.delegation_id = r.delegation_id AND d.account_id = r.account_id AND d.epoch > r.epoch
                                AND y.last_position >= d.position AND d.position <> ALL (coalesce(y.skipped, '{}'))
                              ORDER BY d.epoch DESC LIMIT 1) later ON true
         WHERE d.position <= g.last_position AND d.position <> ALL (coalesce(g.skipped, '{}'))
         ORDER BY r.i
        """

    /// Also what bars an extension: the holder's termination, or the first of its accounts with a pending recall. What was stopped
    /// after its term counts as held in it: it did not end before.
    ///
    /// $1 delegation smallint[], $2 hand int[], $3 first int[]
    static let grants = """
        SELECT r.i, g.agency_id, g.granted_at, g.term, g.ceiling, g.grace_us, g.outage_us, g.closed_at,
               EXISTS (SELECT FROM agency a WHERE a.agency_id = g.agency_id AND a.status = 'terminated'),
               (SELECT p.account_id FROM position p
                        CROSS JOIN LATERAL (SELECT x.decision, x.finished_at FROM notice x
                                             WHERE x.delegation_id = p.delegation_id AND x.account_id = p.account_id
                                               AND x.epoch = p.epoch OFFSET 0) n
                        WHERE p.delegation_id = g.delegation_id AND p.hand_id = g.hand_id
                          AND p.position BETWEEN g.first_position AND g.last_position
                          AND n.decision IS DISTINCT FROM 'withdrawn' AND n.finished_at IS NULL
                          AND NOT EXISTS (SELECT FROM ending e
                                           WHERE e.delegation_id = p.delegation_id AND e.account_id = p.account_id
                                             AND e.epoch = p.epoch)
                        ORDER BY p.position LIMIT 1),
               (SELECT count(*)
                  FROM (SELECT FROM position p
                         WHERE p.delegation_id = g.delegation_id AND p.hand_id = g.hand_id
                           AND p.position BETWEEN g.first_position AND g.last_position
                           AND p.position <> ALL (coalesce(g.skipped, '{}'))
                           AND NOT EXISTS (SELECT FROM ending e
                                            WHERE e.delegation_id = p.delegation_id AND e.account_id = p.account_id
                                              AND e.epoch = p.epoch AND e.was_held)
                         ORDER BY p.position LIMIT 1000) held)
          FROM unnest($1::smallint[], $2::int[], $3::int[]) WITH ORDINALITY AS r (delegation_id, hand_id, first_position, i)
         CROSS JOIN LATERAL (\(grantOfPosition("r.delegation_id", "r.hand_id", "r.first_position"))) g
         WHERE g.first_position = r.first_position
         ORDER BY r.i
        """

    // MARK: - Keys seen before

    private static let hasKeyOfRow = """
        x.delegation_id = r.delegation_id AND x.agency_id = r.agency_id AND x.instance_id = r.instance_id AND x.key = r.key
        """

    /// $1 delegation smallint[], $2 agency int[], $3 instance int[], $4 key bigint[]
    static let leaseKeys = """
        SELECT r.i, g.hand_id, g.first_position, g.last_position, g.skipped, g.request_hash, g.left_accounts, g.stop,
               g.granted_term, g.grace_us,
               coalesce(g.closed_at, g.term + (g.grace_us + c.outage_us - g.outage_us) * interval '1 microsecond'),
               g.granted_at, h.activity_days, h.rule_packs, g.contract_id, h.portfolio, g.ceiling
          FROM clock c, unnest($1::smallint[], $2::int[], $3::int[], $4::bigint[]) WITH ORDINALITY
               AS r (delegation_id, agency_id, instance_id, key, i)
         CROSS JOIN LATERAL (SELECT x.* FROM lease_grant x
                              WHERE x.delegation_id = r.delegation_id AND x.agency_id = r.agency_id
                                AND x.instance_id = r.instance_id AND x.key <= r.key
                              ORDER BY x.key DESC LIMIT 1) g
         CROSS JOIN LATERAL (SELECT x.activity_days, x.rule_packs, x.portfolio FROM hand x
                              WHERE x.delegation_id = g.delegation_id AND x.hand_id = g.hand_id OFFSET 0) h
         WHERE g.key = r.key
         ORDER BY r.i
        """

    /// $1 … $4 as above, $5 periods int[]
    static let outcomeKeys = """
        SELECT r.i, o.outcome_id, o.request_hash, o.period, o.account_id, o.epoch, o.contract_id, o.worked_at,
               o.received_at, o.channel, o.contact, o.result, o.amount, o.promised_on,
               coalesce('visit-ban' = ANY (o.marks), false)
          FROM unnest($1::smallint[], $2::int[], $3::int[], $4::bigint[]) WITH ORDINALITY
               AS r (delegation_id, agency_id, instance_id, key, i)
         CROSS JOIN LATERAL (SELECT x.* FROM outcome x WHERE x.period = ANY ($5::int[]) AND \(hasKeyOfRow) OFFSET 0) o
         ORDER BY r.i, o.period
        """

    /// $1 … $4 as above
    static let evidenceKeys = """
        SELECT r.i, v.evidence_id, v.request_hash, v.code, v.live_epoch, v.counts
          FROM unnest($1::smallint[], $2::int[], $3::int[], $4::bigint[]) WITH ORDINALITY
               AS r (delegation_id, agency_id, instance_id, key, i)
         CROSS JOIN LATERAL (SELECT x.* FROM evidence x WHERE \(hasKeyOfRow) AND x.verb = 'REPORT' OFFSET 0) v
         ORDER BY r.i
        """

    /// $1 … $4 as above, $5 verb text[]
    static let requestKeys = """
        SELECT r.i, q.request_hash, q.reply
          FROM unnest($1::smallint[], $2::int[], $3::int[], $4::bigint[], $5::text[]) WITH ORDINALITY
               AS r (delegation_id, agency_id, instance_id, key, verb, i)
         CROSS JOIN LATERAL (SELECT x.* FROM request x WHERE x.verb = r.verb AND \(hasKeyOfRow) OFFSET 0) q
         ORDER BY r.i
        """

    // MARK: - Writes, none of which may reach fewer rows than it is to: the COMMIT follows in the same round trip

    /// An update that fails where it reaches another number of rows than $n. `parameter` is that number's place.
    private static func reaching(_ update: String, parameter: Int) -> String {
        "WITH w AS (\(update) RETURNING 1) SELECT 1 / (count(*) = $\(parameter)::bigint)::int FROM w"
    }

    /// Whether one of them failed because somebody else was first: an insert by its unique key, an update by ``reaching(_:parameter:)``.
    static func isTaken(_ error: PgError) -> Bool { ["23505", "22012"].contains(error.code) }

    static let insertGrants = """
        INSERT INTO lease_grant
               (delegation_id, hand_id, first_position, last_position, quota_id, contract_id, agency_id, instance_id, key,
                request_hash, skipped, accounts, exposure, total_accounts, total_exposure, left_accounts, stop, held_digest,
                granted_at, granted_term, term, ceiling, grace_us, outage_us)
        SELECT delegation_id, hand_id, first_position, last_position, quota_id, contract_id, agency_id, instance_id, key,
               request_hash, skipped::int[], accounts, exposure, total_accounts, total_exposure, left_accounts, stop,
               held_digest, $22, term, term, ceiling, grace_us, $23
          FROM unnest($1::smallint[], $2::int[], $3::int[], $4::int[], $5::int[], $6::int[], $7::int[], $8::int[],
                      $9::bigint[], $10::bytea[], $11::text[], $12::int[], $13::bigint[], $14::bigint[], $15::bigint[],
                      $16::bigint[], $17::text[], $18::bytea[], $19::timestamptz[], $20::timestamptz[], $21::bigint[])
            AS r (delegation_id, hand_id, first_position, last_position, quota_id, contract_id, agency_id, instance_id, key,
                  request_hash, skipped, accounts, exposure, total_accounts, total_exposure, left_accounts, stop,
                  held_digest, term, ceiling, grace_us)
        """

    static let insertOutcomes = """
        INSERT INTO outcome
               (period, delegation_id, agency_id, instance_id, key, outcome_id, account_id, epoch, hand_id, position,
                contract_id, worked_at, received_at, channel, contact, result, amount, promised_on, marks, extra,
                request_hash)
        SELECT period, delegation_id, agency_id, instance_id, key, outcome_id, account_id, epoch, hand_id, position,
               contract_id, worked_at, $21, channel, contact, result, amount, promised_on, marks::text[], extra::jsonb,
               request_hash
          FROM unnest($1::int[], $2::smallint[], $3::int[], $4::int[], $5::bigint[], $6::bigint[], $7::bigint[],
                      $8::bigint[], $9::int[], $10::int[], $11::int[], $12::timestamptz[], $13::text[], $14::text[],
                      $15::text[], $16::bigint[], $17::date[], $18::text[], $19::text[], $20::bytea[])
            AS r (period, delegation_id, agency_id, instance_id, key, outcome_id, account_id, epoch, hand_id, position,
                  contract_id, worked_at, channel, contact, result, amount, promised_on, marks, extra, request_hash)
        """

    static let insertEvidence = """
        INSERT INTO evidence
               (delegation_id, agency_id, instance_id, key, verb, evidence_id, code, account_id, epoch, live_epoch, counts,
                received_at, content, request_hash)
        SELECT delegation_id, agency_id, instance_id, key, verb, evidence_id, code, account_id, epoch, live_epoch, counts,
               $13, content, request_hash
          FROM unnest($1::smallint[], $2::int[], $3::int[], $4::bigint[], $5::bigint[], $6::text[], $7::bigint[],
                      $8::bigint[], $9::bigint[], $10::bool[], $11::text[], $12::bytea[], $14::text[])
            AS r (delegation_id, agency_id, instance_id, key, evidence_id, code, account_id, epoch, live_epoch, counts,
                  content, request_hash, verb)
        """

    static let insertEndings = """
        INSERT INTO ending (delegation_id, account_id, epoch, kind, reason, ended_at, hand_id, position, was_held)
        SELECT delegation_id, account_id, epoch, kind, reason, $8, hand_id, position, true
          FROM unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::int[], $7::int[])
            AS r (delegation_id, account_id, epoch, kind, reason, hand_id, position)
        """

    static let insertReleases = """
        INSERT INTO release (delegation_id, quota_id, accounts, exposure)
        SELECT * FROM unnest($1::smallint[], $2::int[], $3::bigint[], $4::bigint[])
        """

    static let extendGrants = reaching(
        """
        UPDATE lease_grant g SET term = k.term
          FROM (SELECT f.place, r.term
                  FROM unnest($1::smallint[], $2::int[], $3::int[], $4::timestamptz[])
                       AS r (delegation_id, hand_id, first_position, term)
                 CROSS JOIN LATERAL (\(grantOfKey("x.ctid AS place"))) f) k
         WHERE g.ctid = k.place
        """, parameter: 5)

    static let insertObjections = reaching(
        """
        UPDATE notice n SET objected_at = $6, objection = r.reason, held_until = r.held_until
          FROM unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::text[], $5::timestamptz[])
               AS r (delegation_id, account_id, epoch, reason, held_until)
         WHERE n.delegation_id = r.delegation_id AND n.account_id = r.account_id AND n.epoch = r.epoch
           AND n.objected_at IS NULL AND n.decision IS NULL
        """, parameter: 7)

    static let insertRequests = """
        INSERT INTO request (delegation_id, agency_id, instance_id, verb, key, request_hash, reply, received_at)
        SELECT delegation_id, agency_id, instance_id, verb, key, request_hash, reply, $8
          FROM unnest($1::smallint[], $2::int[], $3::int[], $4::text[], $5::bigint[], $6::bytea[], $7::text[])
            AS r (delegation_id, agency_id, instance_id, verb, key, request_hash, reply)
        """

    static let insertBlocks = """
        INSERT INTO block (delegation_id, period, records, count, root)
        SELECT * FROM unnest($1::smallint[], $2::int[], $3::bytea[], $4::int[], $5::bytea[])
        """

    /// $1 how many outcome numbers, $2 how many evidence numbers: reserved ahead, so that a receipt can be computed before the insert.
    static let reserveNumbers = """
        SELECT ARRAY(SELECT nextval('outcome_number') FROM generate_series(1, $1::int)),
               ARRAY(SELECT nextval('evidence_number') FROM generate_series(1, $2::int))
        """
}
