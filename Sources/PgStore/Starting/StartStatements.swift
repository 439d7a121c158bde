// SPDX-License-Identifier: Apache-2.0

/// The statements of starts. What is written into them are our own column names and numbers.
enum StartStatements {
    /// What a staged row `s` says beyond its key.
    static let changes =
        "jsonb_strip_nulls(to_jsonb(s) - '{line,account_id,delegation_id,reason,on_date}'::text[])"

    /// How many certificates of a row's account are revoked, where that makes it another start than before.
    static let revocations = """
        CASE WHEN s.reason = 'exclusion-ended'
             THEN (SELECT count(*)::integer FROM certificate c
                    WHERE c.delegation_id = s.delegation_id AND c.account_id = s.account_id AND c.revoked_at IS NOT NULL)
             ELSE 0 END
        """

    /// Ends the stops that the file names, by account and by municipality. A stop that begins later is another one.
    ///
    /// Two statements: joined by one thing or another, each row would be held against every stop of its delegation.
    static let endStops = [
        "t.account_id = s.account_id", "s.account_id IS NULL AND t.municipality = s.municipality",
    ].map { meant in
        """
        UPDATE stop t SET ended_on = s.on_date
          FROM import_row s
         WHERE t.delegation_id = s.delegation_id AND \(meant) AND t.reason = ANY (string_to_array(s.ended, ';'))
           AND t.ended_on IS NULL AND t.from_on <= s.on_date AND (t.until_on IS NULL OR t.until_on >= s.on_date)
        """
    }

    /// The accounts at work that had a session of mediation. $1 delegation
    static let invited = "SELECT account_id FROM start_row WHERE delegation_id = $1 AND former_rule LIKE 'mediation.%'"

    /// One row for each account of the cut that a municipality's row means; a row of its own goes before.
    /// $1 period
    static let expandMunicipalities = """
        INSERT INTO import_row (line, delegation_id, account_id, reason, on_date, ended)
        SELECT DISTINCT ON (t.delegation_id, t.account_id)
               s.line, t.delegation_id, t.account_id, s.reason, s.on_date, s.ended
          FROM import_row s
          JOIN stop t ON t.delegation_id = s.delegation_id AND t.municipality = s.municipality
                     AND t.reason = ANY (string_to_array(s.ended, ';')) AND t.ended_on IS NULL
                     AND t.from_on <= s.on_date AND (t.until_on IS NULL OR t.until_on >= s.on_date)
          JOIN account a ON a.period = $1 AND a.delegation_id = t.delegation_id AND a.account_id = t.account_id
         WHERE s.account_id IS NULL
           AND NOT EXISTS (SELECT FROM import_row o
                            WHERE o.delegation_id = t.delegation_id AND o.account_id = t.account_id)
         ORDER BY t.delegation_id, t.account_id, s.line
        """

    /// Rows of municipalities that no account starts by: nothing is stopped there any more, or each account has a row of its own.
    static let countIdleMunicipalities = """
        SELECT count(*) FROM import_row s
         WHERE s.account_id IS NULL
           AND NOT EXISTS (SELECT FROM import_row o WHERE o.account_id IS NOT NULL AND o.line = s.line)
        """

    static let dropMunicipalities = "DELETE FROM import_row WHERE account_id IS NULL"

    static let dropKnown = """
        DELETE FROM import_row s USING start t
         WHERE t.delegation_id = s.delegation_id AND t.account_id = s.account_id AND t.reason = s.reason
           AND t.on_date = s.on_date AND t.revocations = \(revocations)
        """

    /// The rows at work, with the account as it was. $1 period
    static let keepFormer = """
        INSERT INTO start_row (delegation_id, account_id, line, reason, on_date, revocations, ended, changes, former,
                               former_rule, former_epoch)
        SELECT s.delegation_id, s.account_id, s.line, s.reason, s.on_date, \(revocations),
               coalesce(string_to_array(s.ended, ';'), '{}'), \(changes), to_jsonb(a),
               (SELECT p.rule FROM placement p
                 WHERE p.period = $1 AND p.delegation_id = s.delegation_id AND p.account_id = s.account_id),
               (SELECT max(d.epoch) FROM deal d WHERE d.delegation_id = s.delegation_id AND d.account_id = s.account_id)
          FROM import_row s
          LEFT JOIN account a ON a.period = $1 AND a.delegation_id = s.delegation_id AND a.account_id = s.account_id
        """

    static let makeRows = """
        CREATE TEMPORARY TABLE start_row (
            delegation_id smallint, account_id bigint, line integer, reason text, on_date date,
            revocations integer, ended text[], changes jsonb, former jsonb,
            former_rule text, former_epoch bigint, PRIMARY KEY (delegation_id, account_id)) ON COMMIT DROP;
        CREATE TEMPORARY TABLE start_verdict (
            delegation_id smallint, account_id bigint, strategy smallint, tactic text, portfolio smallint,
            priority smallint, rule text, exclusion text, offers bigint,
            PRIMARY KEY (delegation_id, account_id)) ON COMMIT DROP;
        CREATE TEMPORARY TABLE start_waiting (
            delegation_id smallint, account_id bigint, epoch bigint, hand_id integer, position integer, is_current boolean,
            room_of integer[], PRIMARY KEY (delegation_id, account_id)) ON COMMIT DROP;
        CREATE TEMPORARY TABLE start_room (
            delegation_id smallint, strategy smallint, portfolio smallint, contract_id integer, accounts bigint,
            exposure bigint, waiting_accounts numeric, waiting_exposure numeric,
            PRIMARY KEY (delegation_id, strategy, portfolio, contract_id)) ON COMMIT DROP;
        CREATE TEMPORARY TABLE start_fate (
            delegation_id smallint, account_id bigint, fate text, epoch bigint,
            PRIMARY KEY (delegation_id, account_id)) ON COMMIT DROP
        """

    static let defaultJobLoss = """
        UPDATE import_row SET job_lost_on = on_date WHERE reason = 'job-loss' AND job_lost_on IS NULL
        """

    /// $1 period
    static func updateAccounts(_ columns: [StartStore.Column]) -> String {
        let sets = columns.map { "\($0.name) = \(changed($0.name))" }.joined(separator: ",\n               ")
        return """
            UPDATE account a SET \(sets)
              FROM import_row s JOIN start_row r USING (delegation_id, account_id)
             WHERE a.period = $1 AND a.delegation_id = s.delegation_id AND a.account_id = s.account_id
               AND s.reason <> 'new-account'
            """
    }

    /// What an exclusion that ended leaves of the column that says it; otherwise the row's value, or what was there.
    private static func changed(_ column: String) -> String {
        func unless(_ reason: String, _ ended: String) -> String {
            "CASE WHEN '\(reason)' = ANY (r.ended) THEN \(ended) ELSE a.\(column) END"
        }
        func shortened(_ reason: String) -> String {
            unless(reason, "CASE WHEN a.\(column) >= s.on_date THEN s.on_date - 1 ELSE a.\(column) END")
        }
        switch column {
        case "lawsuit_on": return unless("lawsuit", "NULL")
        case "dispute_on": return unless("dispute", "NULL")
        case "extension_until": return shortened("extension")
        case "fpp_until": return shortened("fpp")
        case "disaster_until": return shortened("disaster")
        case "situation":
            return """
                CASE WHEN a.situation = 2 AND 'payoff' = ANY (r.ended) OR a.situation = 3 AND 'death' = ANY (r.ended)
                     THEN 1::smallint ELSE a.situation END
                """
        default: return "coalesce(s.\(column), a.\(column))"
        }
    }

    /// $1 period
    static func insertAccounts(_ columns: [StartStore.Column]) -> String {
        let names = columns.map(\.name).joined(separator: ", ")
        let values = columns.map { column in
            column.fallback.map { "coalesce(s.\(column.name), \($0))" } ?? "s.\(column.name)"
        }.joined(separator: ", ")
        return """
            INSERT INTO account (period, line, delegation_id, account_id, \(names))
            SELECT $1, s.line, s.delegation_id, s.account_id, \(values)
              FROM import_row s WHERE s.reason = 'new-account'
            """
    }

    /// A new account in a municipality that is stopped is stopped too. $1 period, $2 import_id, $3 today
    static let stopNewAccounts = """
        INSERT INTO stop (period, delegation_id, account_id, reason, from_on, until_on, import_id, municipality)
        SELECT DISTINCT $1, s.delegation_id, s.account_id, t.reason, t.from_on, t.until_on, $2, t.municipality
          FROM import_row s
          JOIN stop t ON t.delegation_id = s.delegation_id AND t.municipality = s.municipality
                     AND t.ended_on IS NULL AND (t.until_on IS NULL OR t.until_on >= $3)
         WHERE s.reason = 'new-account'
        ON CONFLICT (delegation_id, account_id, reason, from_on, coalesce(municipality, 0)) DO NOTHING
        """

    static let copyVerdicts = """
        COPY start_verdict (delegation_id, account_id, strategy, tactic, portfolio, priority, rule, exclusion, offers)
            FROM STDIN (FORMAT binary)
        """

    /// $1 period
    static let dropPlacements = """
        DELETE FROM placement p USING start_verdict v
         WHERE p.period = $1 AND p.delegation_id = v.delegation_id AND p.account_id = v.account_id
        """

    /// $1 period
    static let putPlacements = """
        INSERT INTO placement (period, delegation_id, account_id, strategy, tactic, portfolio, priority, rule, exclusion,
                               offers)
        SELECT $1, delegation_id, account_id, strategy, tactic, portfolio, priority, rule, exclusion, offers
          FROM start_verdict WHERE rule IS NOT NULL
        """

    static let stageEndings = """
        INSERT INTO to_end (delegation_id, account_id, kind, reason)
        SELECT delegation_id, account_id, 'exclusion', exclusion FROM start_verdict WHERE exclusion IS NOT NULL
        """

    /// Every account at work, with its latest deal: the epoch where that is live, held or waiting in a front hand as it is now;
    /// and where it waited before it was withdrawn. $1 period, $2 today
    static let accounts = """
        SELECT v.delegation_id, v.account_id, r.reason, r.on_date, v.rule,
               v.exclusion IS NOT NULL OR EXISTS (
                   SELECT FROM standing_stop t
                    WHERE t.delegation_id = v.delegation_id AND t.account_id = v.account_id
                      AND (t.until_on IS NULL OR t.until_on >= $2)),
               CASE WHEN d.is_live THEN d.epoch END, coalesce(d.epoch & 4294967295, 0),
               v.strategy, v.portfolio, v.priority, v.tactic, a.arrears, a.due, a.overdue, a.balance, a.municipality,
               a.reference, r.line, r.former_rule,
               w.is_current, w.strategy, w.portfolio, w.exposure, w.arm, w.reason, w.contract_ids, w.sharers
          FROM start_verdict v
          JOIN start_row r USING (delegation_id, account_id)
          JOIN account a ON a.period = $1 AND a.delegation_id = v.delegation_id AND a.account_id = v.account_id
          LEFT JOIN LATERAL (\(waited)) w ON true
          LEFT JOIN LATERAL (
               SELECT d.epoch,
                      NOT EXISTS (SELECT FROM ending e
                                   WHERE e.delegation_id = d.delegation_id AND e.account_id = d.account_id
                                     AND e.epoch = d.epoch)
                      AND CASE WHEN g.last_position >= d.position
                               THEN g.state = 'open' AND d.position <> ALL (coalesce(g.skipped, '{}'))
                               ELSE h.state <> 'closed' END AS is_live
                 FROM deal d
                 LEFT JOIN hand h ON h.delegation_id = d.delegation_id AND h.hand_id = d.hand_id
                 LEFT JOIN LATERAL (\(WaitingStatements.grant)) g ON true
                WHERE d.delegation_id = v.delegation_id AND d.account_id = v.account_id
                ORDER BY d.epoch DESC LIMIT 1) d ON true
         ORDER BY v.delegation_id, v.account_id
        """

    /// Where an account waits or waited: the position, and the contracts that may still draw from its hand. $2 today
    private static let waited = """
        SELECT s.is_current, h.strategy, h.portfolio, p.exposure, p.arm, p.reason,
               ARRAY(SELECT c.contract_id FROM contract c JOIN agency y USING (agency_id)
                      WHERE c.contract_id = ANY (h.contract_ids) AND c.contract_id <> ALL (h.barred_ids)
                        AND $2 BETWEEN c.starts_on AND c.ends_on AND y.status = 'active'
                        AND NOT EXISTS (SELECT FROM agency_suspension u
                                         WHERE u.agency_id = c.agency_id AND u.strategy = h.strategy AND u.band = '')
                      ORDER BY 1) AS contract_ids,
               cardinality(h.contract_ids) AS sharers
          FROM start_waiting s
          JOIN hand h ON h.delegation_id = s.delegation_id AND h.hand_id = s.hand_id
          JOIN position p ON p.delegation_id = s.delegation_id AND p.hand_id = s.hand_id AND p.position = s.position
         WHERE s.delegation_id = v.delegation_id AND s.account_id = v.account_id
        """

    /// What each contract in force may be dealt of the pools at work, by what it holds, and what waits for it in open hands, of shared
    /// ones its part. What was released and not folded yet counts as released; it is read with the follower's place in one snapshot.
    ///
    /// It goes through all that waits there, so it runs before any hand is locked. That is early enough: until the import commits
    /// nobody else deals, a pull turns what waits into what is held, and what is given back only makes room. $1 today
    static let noteRooms = """
        WITH pool AS (SELECT DISTINCT delegation_id, strategy, portfolio FROM start_verdict WHERE strategy IS NOT NULL)
        INSERT INTO start_room (delegation_id, strategy, portfolio, contract_id, accounts, exposure, waiting_accounts,
                                waiting_exposure)
        SELECT q.delegation_id, q.strategy, q.portfolio, q.contract_id,
               q.limit_accounts - (coalesce(t.total_accounts, 0) - q.released_accounts - unfolded.accounts),
               q.limit_exposure - (coalesce(t.total_exposure, 0) - q.released_exposure - unfolded.exposure),
               waiting.accounts, waiting.exposure
          FROM pool
          JOIN quota q USING (delegation_id, strategy, portfolio)
          JOIN contract c ON c.contract_id = q.contract_id AND $1 BETWEEN c.starts_on AND c.ends_on
          JOIN agency y ON y.agency_id = c.agency_id AND y.status = 'active'
           AND NOT EXISTS (SELECT FROM agency_suspension u
                            WHERE u.agency_id = y.agency_id AND u.strategy = q.strategy AND u.band = '')
          LEFT JOIN LATERAL (SELECT g.total_accounts, g.total_exposure FROM lease_grant g
                              WHERE g.delegation_id = q.delegation_id AND g.quota_id = q.quota_id
                              ORDER BY g.total_accounts DESC LIMIT 1) t ON true
         CROSS JOIN LATERAL (
               SELECT coalesce(sum(r.accounts), 0)::bigint AS accounts, coalesce(sum(r.exposure), 0)::bigint AS exposure
                 FROM release r
                WHERE r.delegation_id = q.delegation_id AND r.quota_id = q.quota_id
                  AND (r.transaction, r.release_id) > (
                      coalesce((SELECT f.transaction FROM follower f WHERE f.name = 'release'), '0'::xid8),
                      coalesce((SELECT f.number FROM follower f WHERE f.name = 'release'), 0))) unfolded
         CROSS JOIN LATERAL (
               SELECT coalesce(sum(1::numeric / cardinality(h.contract_ids)), 0) AS accounts,
                      coalesce(sum(p.exposure::numeric / cardinality(h.contract_ids)), 0) AS exposure
                 FROM hand h
                 LEFT JOIN LATERAL (SELECT g.last_position FROM lease_grant g
                                     WHERE g.delegation_id = h.delegation_id AND g.hand_id = h.hand_id
                                     ORDER BY g.first_position DESC LIMIT 1) u ON true
                 JOIN position p ON p.delegation_id = h.delegation_id AND p.hand_id = h.hand_id
                                AND p.position > coalesce(u.last_position, 0)
                 LEFT JOIN ending e ON e.delegation_id = p.delegation_id AND e.account_id = p.account_id
                                   AND e.epoch = p.epoch
                WHERE h.delegation_id = q.delegation_id AND h.state = 'open' AND h.strategy = q.strategy
                  AND h.portfolio = q.portfolio AND q.contract_id = ANY (h.contract_ids) AND e.epoch IS NULL) waiting
        """

    /// What is left of that for each contract, parts of shared hands rounded up. What the import itself has ended since makes room where
    /// it waited or was held, unless it was dealt again: by now that is what went to the front of where it had waited.
    static let rooms = """
        WITH freed AS (
            SELECT s.delegation_id, h.strategy, h.portfolio, c.contract_id,
                   sum(1::numeric / cardinality(s.room_of)) AS accounts,
                   sum(p.exposure::numeric / cardinality(s.room_of)) AS exposure
              FROM start_waiting s
              JOIN hand h ON h.delegation_id = s.delegation_id AND h.hand_id = s.hand_id
              JOIN position p ON p.delegation_id = s.delegation_id AND p.hand_id = s.hand_id AND p.position = s.position
             CROSS JOIN unnest(s.room_of) AS c (contract_id)
             WHERE NOT s.is_current
               AND NOT EXISTS (SELECT FROM deal d WHERE d.delegation_id = s.delegation_id AND d.account_id = s.account_id
                                                    AND d.epoch > s.epoch)
             GROUP BY 1, 2, 3, 4)
        SELECT r.delegation_id, r.strategy, r.portfolio, r.contract_id,
               r.accounts - ceil(r.waiting_accounts - coalesce(f.accounts, 0))::bigint,
               r.exposure - ceil(r.waiting_exposure - coalesce(f.exposure, 0))::bigint
          FROM start_room r
          LEFT JOIN freed f USING (delegation_id, strategy, portfolio, contract_id)
         ORDER BY r.delegation_id, r.strategy, r.portfolio, r.contract_id
        """

    static let copyFates = "COPY start_fate (delegation_id, account_id, fate, epoch) FROM STDIN (FORMAT binary)"

    /// Each account as it is now is put into words once, behind OFFSET 0: otherwise it is done again for each of its columns.
    /// $1 period, $2 placed_on, $3 import_id
    static let record = """
        INSERT INTO start (period, delegation_id, account_id, reason, on_date, revocations, changes, former, placed_on, rule,
                           fate, epoch, import_id, former_rule, former_epoch)
        SELECT $1, r.delegation_id, r.account_id, r.reason, r.on_date, r.revocations, r.changes,
               CASE WHEN r.former IS NOT NULL THEN (
                    SELECT coalesce(jsonb_object_agg(b.key, b.value), '{}')
                      FROM jsonb_each(r.former) b
                     WHERE b.value IS DISTINCT FROM n.account -> b.key) END,
               $2, v.rule, f.fate, f.epoch, $3, r.former_rule, r.former_epoch
          FROM start_row r
          JOIN start_verdict v USING (delegation_id, account_id)
          JOIN start_fate f USING (delegation_id, account_id)
          JOIN account a ON a.period = $1 AND a.delegation_id = r.delegation_id AND a.account_id = r.account_id
         CROSS JOIN LATERAL (SELECT to_jsonb(a) AS account OFFSET 0) n
         ORDER BY r.line, r.delegation_id, r.account_id
        """

    /// The rule that an account was dealt by: the first start after the deal tells what had placed it until then. In a select
    /// with the deal `d` and the placement `l`.
    static let ruleOfDeal = """
        coalesce((SELECT t.former_rule FROM start t
                   WHERE t.delegation_id = d.delegation_id AND t.account_id = d.account_id AND t.former_epoch >= d.epoch
                   ORDER BY t.start_id LIMIT 1), l.rule)
        """

    /// $1 period; the plans that make or keep starts impossible
    static let plans =
        "SELECT period, state, plan_id, seed FROM plan WHERE period >= $1 AND state <> 'discarded' ORDER BY period"

    /// Each start as it was recorded, and where its account is by now: in its latest deal, or what keeps it from one.
    /// $1 period, $2 today
    static let list = """
        SELECT t.delegation_id, t.account_id, t.reason, t.on_date, coalesce(t.rule, 'nothing-to-collect'), t.fate,
               t.epoch, dealt.contract_ids,
               CASE WHEN d.is_held THEN 'held'
                    WHEN d.waits THEN 'waiting'
                    WHEN EXISTS (SELECT FROM standing_stop s
                                  WHERE s.delegation_id = t.delegation_id AND s.account_id = t.account_id
                                    AND (s.until_on IS NULL OR s.until_on >= $2)) THEN 'stopped'
                    WHEN l.exclusion IS NOT NULL THEN 'excluded'
                    WHEN l.rule IS NULL THEN 'nothing-to-collect'
                    ELSE 'unassigned' END,
               CASE WHEN d.is_held THEN ARRAY[d.contract_id] WHEN d.waits THEN d.contract_ids END
          FROM start t
          LEFT JOIN LATERAL (
               SELECT h.contract_ids FROM deal d JOIN hand h USING (delegation_id, hand_id)
                WHERE d.delegation_id = t.delegation_id AND d.account_id = t.account_id AND d.epoch = t.epoch) dealt ON true
          LEFT JOIN placement l ON l.period = t.period AND l.delegation_id = t.delegation_id AND l.account_id = t.account_id
          LEFT JOIN LATERAL (
               SELECT h.contract_ids, g.contract_id,
                      e.epoch IS NULL AND coalesce(g.last_position >= d.position AND g.state = 'open'
                                                   AND d.position <> ALL (coalesce(g.skipped, '{}')), false) AS is_held,
                      e.epoch IS NULL AND h.state = 'open' AND d.position > coalesce(g.last_position, 0) AS waits
                 FROM deal d
                 JOIN hand h ON h.delegation_id = d.delegation_id AND h.hand_id = d.hand_id
                 LEFT JOIN ending e ON e.delegation_id = d.delegation_id AND e.account_id = d.account_id
                                   AND e.epoch = d.epoch
                 LEFT JOIN LATERAL (\(WaitingStatements.grant)) g ON true
                WHERE d.delegation_id = t.delegation_id AND d.account_id = t.account_id
                ORDER BY d.epoch DESC LIMIT 1) d ON true
         WHERE t.period = $1
         ORDER BY t.start_id
        """
}
