// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// The statements of a segmentation. COPY takes no parameters; what is written into it here are numbers and dates.
enum SegmentationStatements {
    /// $1 period integer
    static let lockPeriod = """
        SELECT state FROM period WHERE period = $1 FOR NO KEY UPDATE
        """

    /// $1 period integer; at most one row, by the unique index
    static let plan = """
        SELECT plan_id, state FROM plan WHERE period = $1 AND state <> 'discarded'
        """

    /// $1 period integer
    static let segmentation = """
        SELECT policy, policy_version, policy_digest, cut_digest, accounts, placed, excluded, digest
          FROM segmentation
         WHERE period = $1
        """

    /// $1 digest bytea
    static let policyText = "SELECT body FROM policy WHERE digest = $1"

    /// $1 period integer
    static let cutSizes = """
        SELECT delegation_id, count(*)
          FROM account
         WHERE period = $1
         GROUP BY delegation_id
         ORDER BY delegation_id
        """

    static func copyCut(columns: [String], period: Int32, delegation: Int16, cut: LocalDate, lastDay: LocalDate)
        -> String
    {
        """
        COPY (SELECT a.account_id, \(columns.joined(separator: ", "))
                FROM account a
                LEFT JOIN (SELECT account_id,
                                  bool_or(reason = 'payoff') AS is_paid_off,
                                  bool_or(reason = 'death') AS is_dead,
                                  max(coalesce(until_on, '2199-12-31'))
                                      FILTER (WHERE reason = 'extension') AS extension_until,
                                  max(coalesce(until_on, '2199-12-31'))
                                      FILTER (WHERE reason = 'fpp') AS fpp_until,
                                  max(coalesce(until_on, '2199-12-31'))
                                      FILTER (WHERE reason = 'disaster') AS disaster_until,
                                  min(from_on) FILTER (WHERE reason = 'lawsuit') AS lawsuit_on,
                                  min(from_on) FILTER (WHERE reason = 'dispute') AS dispute_on
                             FROM stop
                            WHERE delegation_id = \(delegation)
                              AND from_on <= '\(lastDay)' AND (until_on IS NULL OR until_on >= '\(cut)')
                            GROUP BY account_id) s USING (account_id)
               WHERE a.period = \(period) AND a.delegation_id = \(delegation)
               ORDER BY a.account_id) TO STDOUT (FORMAT binary)
        """
    }

    static func startPlacements(_ period: Int32) -> String {
        "CREATE TABLE placement_\(period)_load (LIKE placement INCLUDING ALL)"
    }

    static func copyPlacements(_ period: Int32) -> String {
        """
        COPY placement_\(period)_load
            (period, delegation_id, account_id, strategy, tactic, portfolio, priority, rule, exclusion)
            FROM STDIN (FORMAT binary)
        """
    }

    /// The key is built once over all rows, which costs less than keeping it while they come in.
    static func attachPlacements(_ period: Int32) -> String {
        """
        ALTER TABLE placement_\(period)_load
            ADD CONSTRAINT placement_\(period)_load_pkey PRIMARY KEY (delegation_id, account_id);
        ANALYZE placement_\(period)_load;
        DROP TABLE IF EXISTS placement_\(period);
        ALTER TABLE placement_\(period)_load RENAME TO placement_\(period);
        ALTER INDEX placement_\(period)_load_pkey RENAME TO placement_\(period)_pkey;
        ALTER TABLE placement ATTACH PARTITION placement_\(period) FOR VALUES IN (\(period))
        """
    }

    /// $1 digest bytea, $2 name text, $3 version text, $4 effective_on date, $5 body text
    static let putPolicy = """
        INSERT INTO policy (digest, name, version, effective_on, body, recorded_at)
        VALUES ($1, $2, $3, $4, $5, now_instant())
        ON CONFLICT (digest) DO NOTHING
        """

    /// $1 period integer, $2 policy text, $3 policy_version text, $4 policy_digest bytea, $5 cut_digest bytea,
    /// $6 accounts bigint, $7 placed bigint, $8 excluded bigint, $9 digest bytea
    static let putSegmentation = """
        INSERT INTO segmentation (period, policy, policy_version, policy_digest, cut_digest, accounts, placed, excluded,
                                  digest, made_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, now_instant())
        ON CONFLICT (period) DO UPDATE
           SET policy = excluded.policy, policy_version = excluded.policy_version,
               policy_digest = excluded.policy_digest, cut_digest = excluded.cut_digest,
               accounts = excluded.accounts, placed = excluded.placed, excluded = excluded.excluded,
               digest = excluded.digest, made_at = excluded.made_at
        """
}
