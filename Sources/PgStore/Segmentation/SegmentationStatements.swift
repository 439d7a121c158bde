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
    /// $1 how many
    static let monthsWithCut =
        "SELECT period FROM import WHERE kind = 'cut' GROUP BY period ORDER BY period DESC LIMIT $1"

    static let hasCut = "SELECT EXISTS (SELECT FROM account WHERE period = $1)"

    /// $1 period integer, $2 delegation smallint, $3 account bigint; the latest, by what they were numbered
    static let startOf = """
        SELECT reason, on_date, placed_on, coalesce(former_rule LIKE 'mediation.%', false)
          FROM start
         WHERE period = $1 AND delegation_id = $2 AND account_id = $3
         ORDER BY start_id DESC
         LIMIT 1
        """

    /// $1 period integer
    static let state = "SELECT state FROM period WHERE period = $1"

    /// $1 table text; null where there is no such table
    static let blocks = """
        SELECT pg_relation_size(to_regclass($1)) / current_setting('block_size')::bigint
        """

    /// An account stands in one delegation's cut only. Each of the 32 is one look at the key. $1 period integer,
    /// $2 account bigint
    static let delegationOf = """
        SELECT a.delegation_id
          FROM generate_series(1, 32) AS d (n)
          JOIN account a ON a.delegation_id = d.n::smallint
         WHERE a.period = $1 AND a.account_id = $2
         ORDER BY a.delegation_id
         LIMIT 1
        """

    /// $1 period integer, $2 delegation smallint, $3 account bigint
    static let placementOf = """
        SELECT strategy, tactic, portfolio, priority, rule, exclusion
          FROM placement
         WHERE period = $1 AND delegation_id = $2 AND account_id = $3
        """

    /// - Parameter only: a select of account numbers, where not all accounts of the delegation are asked for.
    static func copyCut(
        fields: [AccountField], period: Int32, delegation: Int16, cut: LocalDate, lastDay: LocalDate,
        only: String? = nil
    ) -> String {
        """
        COPY (SELECT \((["a.account_id"] + fields.map(\.column)).joined(separator: ", "))
                FROM account a
                \(overlay(fields, delegation: delegation, cut: cut, lastDay: lastDay))
               WHERE a.period = \(period) AND a.delegation_id = \(delegation)
                     \(only.map { "AND a.account_id IN (\($0))" } ?? "")
               ORDER BY a.account_id) TO STDOUT (FORMAT binary)
        """
    }

    /// The accounts of which something is known beyond the cut, with it; of all delegations or of one.
    static func copyOverlaid(
        fields: [AccountField], period: Int32, delegation: Int16?, cut: LocalDate, lastDay: LocalDate
    ) -> String {
        let stopped = "\(standing(delegation: delegation, cut: cut, lastDay: lastDay)) s"
        // A full join is hashed or merged. How many accounts are stopped cannot be told from the table, and a planner that takes
        // them for a few would go through all of them once for each.
        let (known, delegationID, accountID) =
            readsDwelling(fields)
            ? (
                """
                \(stopped)
                FULL JOIN \(dwellings(delegation)) w
                  ON w.delegation_id = s.delegation_id AND w.account_id = s.account_id
                """,
                "coalesce(s.delegation_id, w.delegation_id)", "coalesce(s.account_id, w.account_id)"
            ) : (stopped, "s.delegation_id", "s.account_id")
        return """
            COPY (SELECT \((["a.account_id"] + fields.map(\.column)).joined(separator: ", "))
                    FROM \(known)
                    JOIN account a ON a.delegation_id = \(delegationID) AND a.account_id = \(accountID)
                   WHERE a.period = \(period)) TO STDOUT (FORMAT binary)
            """
    }

    /// All accounts of the scope, as the cut alone has them.
    static func copyColumns(columns: [String], period: Int32, scope: CutScope) -> String {
        let (condition, order) =
            switch scope {
            case .delegation(let delegation): ("a.delegation_id = \(delegation.value)", " ORDER BY a.account_id")
            case .stretch(let first, let end): ("a.ctid >= '(\(first),0)' AND a.ctid < '(\(end),0)'", "")
            }
        return """
            COPY (SELECT \((["a.account_id"] + columns).joined(separator: ", "))
                    FROM account a
                   WHERE a.period = \(period) AND \(condition)\(order)) TO STDOUT (FORMAT binary)
            """
    }

    /// What is known of the accounts `a` beside the cut: stops and certificates that stand (`s`), and, where a field asks for
    /// it, what approved reviews say of the dwelling (`w`).
    private static func overlay(
        _ fields: [AccountField], delegation: Int16?, cut: LocalDate, lastDay: LocalDate
    ) -> String {
        """
        LEFT JOIN \(standing(delegation: delegation, cut: cut, lastDay: lastDay)) s
          ON s.delegation_id = a.delegation_id AND s.account_id = a.account_id
        """
            + (readsDwelling(fields)
                ? """

                LEFT JOIN \(dwellings(delegation)) w
                  ON w.delegation_id = a.delegation_id AND w.account_id = a.account_id
                """ : "")
    }

    /// One row for each account of which something stands at the cut, or from a day in the period on.
    private static func standing(delegation: Int16?, cut: LocalDate, lastDay: LocalDate) -> String {
        """
        (SELECT delegation_id, account_id,
                bool_or(reason = 'payoff') AS is_paid_off,
                bool_or(reason = 'death') AS is_dead,
                max(coalesce(until_on, '2199-12-31')) FILTER (WHERE reason = 'extension') AS extension_until,
                max(coalesce(until_on, '2199-12-31')) FILTER (WHERE reason = 'fpp') AS fpp_until,
                max(coalesce(until_on, '2199-12-31')) FILTER (WHERE reason = 'disaster') AS disaster_until,
                min(from_on) FILTER (WHERE reason = 'lawsuit') AS lawsuit_on,
                min(from_on) FILTER (WHERE reason = 'dispute') AS dispute_on,
                min(from_on) FILTER (WHERE reason = 'exhaustion') AS exhausted_on
           FROM standing_stop
          WHERE \(delegation.map { "delegation_id = \($0) AND " } ?? "")
                from_on <= '\(lastDay)' AND (until_on IS NULL OR until_on >= '\(cut)')
          GROUP BY delegation_id, account_id)
        """
    }

    private static func readsDwelling(_ fields: [AccountField]) -> Bool { fields.contains(.irregularDwelling) }

    /// The latest dwelling outcome that a review has approved decides (SOL-46); what nobody has reviewed says nothing.
    private static func dwellings(_ delegation: Int16?) -> String {
        """
        (SELECT DISTINCT ON (o.delegation_id, o.account_id) o.delegation_id, o.account_id,
                o.result = 'dwelling-irregular' AS is_irregular
           FROM outcome o
           JOIN review r ON r.delegation_id = o.delegation_id AND r.outcome_id = o.outcome_id AND r.decision = 'approved'
          WHERE \(delegation.map { "o.delegation_id = \($0) AND " } ?? "")
                o.result IN ('dwelling-irregular', 'dwelling-inhabited')
          ORDER BY o.delegation_id, o.account_id, o.worked_at DESC, o.outcome_id DESC)
        """
    }

    static func startPlacements(_ period: Int32) -> String { "SELECT start_partition('placement', \(period))" }

    /// Frozen rows need not be looked at again: the table is of this transaction, so nobody sees them too early.
    static func copyPlacements(_ period: Int32) -> String {
        """
        COPY placement_\(period)_load
            (period, delegation_id, account_id, strategy, tactic, portfolio, priority, rule, exclusion, offers)
            FROM STDIN (FORMAT binary, FREEZE)
        """
    }

    static func attachPlacements(_ period: Int32) -> String {
        """
        SET LOCAL maintenance_work_mem = '256MB';
        SELECT index_partition('placement', \(period));
        SELECT swap_partition('placement', \(period))
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

    /// As ``putSegmentation``, and $10 duration_ms bigint
    static let putRun = """
        INSERT INTO segmentation_run (period, policy, policy_version, policy_digest, cut_digest, accounts, placed, excluded,
                                      digest, made_at, duration_ms)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, now_instant(), $10)
        """

    /// $1 period integer, 0: all
    static let runs = """
        SELECT period, policy, policy_version, policy_digest, cut_digest, accounts, placed, excluded, digest, made_at, duration_ms
          FROM segmentation_run
         WHERE $1 IN (0, period)
         ORDER BY run_id
        """
}
