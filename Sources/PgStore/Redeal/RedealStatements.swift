// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// The statements of dealing again. Who works on a round is told in real time, whatever the clock shows.
enum RedealStatements {
    static let dealtPeriod = """
        SELECT l.period, l.plan_id
          FROM plan l JOIN period p USING (period)
         WHERE l.state = 'applied' AND p.state = 'open'
           AND NOT EXISTS (SELECT FROM plan later WHERE later.period > l.period AND later.state <> 'discarded')
         ORDER BY l.period DESC LIMIT 1
        """

    /// A process that is gone has no backend; behind a pooler it has stopped beating.
    private static let isAlive = """
        r.beat_at > clock_timestamp() - interval '60 s'
               AND EXISTS (SELECT FROM pg_stat_activity a
                            WHERE a.pid = r.backend AND a.backend_start = r.backend_start)
        """

    static let unfinished = """
        SELECT r.redeal_id, r.period, r.plan_id, r.reason, r.closes_all, r.ordered_by, r.seed, r.started_at, \(isAlive),
               (SELECT count(*) FROM redeal_pool p WHERE p.redeal_id = r.redeal_id),
               (SELECT count(*) FROM redeal_pool p WHERE p.redeal_id = r.redeal_id AND p.state = 'done')
          FROM redeal r
         WHERE r.state = 'dealing'
        """

    private static let mine = "(SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid())"

    /// $1 period, $2 plan, $3 reason, $4 closes_all, $5 by, $6 seed, $7 digest
    static let insert = """
        INSERT INTO redeal (period, plan_id, reason, closes_all, ordered_by, seed, digest, state, started_at, backend,
                            backend_start, beat_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, 'dealing', now_instant(), pg_backend_pid(), \(mine), clock_timestamp())
        ON CONFLICT DO NOTHING
        RETURNING redeal_id
        """

    /// $1 redeal; per pool $2 delegation, $3 strategy, $4 portfolio
    static let insertPools = """
        INSERT INTO redeal_pool (redeal_id, delegation_id, strategy, portfolio)
        SELECT $1, * FROM unnest($2::smallint[], $3::smallint[], $4::smallint[])
        """

    /// $1 redeal; per quota $2 delegation, $3 contract, $4 strategy, $5 portfolio, $6 accounts, $7 exposure, $8 arm, $9 accounts
    /// to be dealt
    static let insertQuotas = """
        INSERT INTO redeal_quota (redeal_id, delegation_id, contract_id, strategy, portfolio, limit_accounts, limit_exposure,
                                  arm, accounts)
        SELECT $1, * FROM unnest($2::smallint[], $3::integer[], $4::smallint[], $5::smallint[], $6::bigint[], $7::bigint[],
                                 $8::smallint[], $9::bigint[])
        """

    /// $1 redeal
    static let takeOver = """
        UPDATE redeal r SET backend = pg_backend_pid(), backend_start = \(mine), beat_at = clock_timestamp()
         WHERE r.redeal_id = $1 AND r.state = 'dealing' AND NOT (\(isAlive))
        """

    /// $1 redeal
    static let beat = """
        UPDATE redeal SET beat_at = clock_timestamp()
         WHERE redeal_id = $1 AND state = 'dealing' AND backend = pg_backend_pid() AND backend_start = \(mine)
        """

    /// $1 redeal
    static let openPools = """
        SELECT delegation_id, strategy, portfolio, state = 'closed'
          FROM redeal_pool WHERE redeal_id = $1 AND state <> 'done'
         ORDER BY state = 'waiting', delegation_id, strategy, portfolio
        """

    /// $1 redeal, $2 delegation, $3 strategy, $4 portfolio
    static let quotas = """
        SELECT delegation_id, contract_id, strategy, portfolio, limit_accounts, limit_exposure, arm, accounts
          FROM redeal_quota WHERE redeal_id = $1 AND delegation_id = $2 AND strategy = $3 AND portfolio = $4
         ORDER BY contract_id
        """

    /// $1 redeal
    static let allQuotas = """
        SELECT delegation_id, contract_id, strategy, portfolio, limit_accounts, limit_exposure, arm, accounts
          FROM redeal_quota WHERE redeal_id = $1
         ORDER BY delegation_id, contract_id, strategy, portfolio
        """

    /// $1 redeal, $2 delegation, $3 strategy, $4 portfolio
    static let markClosed = """
        UPDATE redeal_pool SET state = 'closed', closed_at = clock_timestamp()
         WHERE redeal_id = $1 AND delegation_id = $2 AND strategy = $3 AND portfolio = $4
        """

    /// $1 redeal, $2 delegation, $3 strategy, $4 portfolio, $5 accounts
    static let markDone = """
        UPDATE redeal_pool SET state = 'done', opened_at = clock_timestamp(), accounts = $5
         WHERE redeal_id = $1 AND delegation_id = $2 AND strategy = $3 AND portfolio = $4
        RETURNING (extract(epoch FROM clock_timestamp() - closed_at) * 1000000)::bigint
        """

    /// $1 redeal, $2 delegation, $3 strategy, $4 portfolio
    static let openHands = """
        UPDATE hand SET state = 'open', opened_at = now_instant()
         WHERE redeal_id = $1 AND delegation_id = $2 AND strategy = $3 AND portfolio = $4 AND state = 'inactive'
        """

    /// $1 delegation, $2 strategy, $3 portfolio
    static let lockQuotasOfPool = """
        SELECT quota_id FROM quota WHERE delegation_id = $1 AND strategy = $2 AND portfolio = $3
         ORDER BY delegation_id, quota_id FOR NO KEY UPDATE
        """

    /// What of a quota is held, and what waits in open hands; of a shared hand its part.
    static let states = states("", countsWaiting: true)

    /// The same without what waits, which takes long to count.
    static let heldStates = states("", countsWaiting: false)

    /// $1 delegation, $2 strategy, $3 portfolio
    static let statesOfPool = states(
        "WHERE q.delegation_id = $1 AND q.strategy = $2 AND q.portfolio = $3", countsWaiting: true)

    /// A sum over positions of which each contract of a shared hand counts its equal part, rounded up.
    static func part(_ value: String) -> String {
        "ceil(coalesce(sum(\(value)::numeric / cardinality(h.contract_ids)), 0))::bigint"
    }

    private static let waiting = """
        CROSS JOIN LATERAL (
              SELECT \(part("1")) AS accounts, \(part("p.exposure")) AS exposure
                FROM hand h
                JOIN position p ON p.delegation_id = h.delegation_id AND p.hand_id = h.hand_id
                               AND p.position > coalesce((SELECT g.last_position FROM lease_grant g
                                                           WHERE g.delegation_id = h.delegation_id
                                                             AND g.hand_id = h.hand_id
                                                           ORDER BY g.first_position DESC LIMIT 1), 0)
               WHERE h.delegation_id = q.delegation_id AND h.state = 'open' AND h.strategy = q.strategy
                 AND h.portfolio = q.portfolio AND q.contract_id = ANY (h.contract_ids)
                 AND NOT EXISTS (SELECT FROM ending e WHERE e.delegation_id = p.delegation_id
                                    AND e.account_id = p.account_id AND e.epoch = p.epoch)) waiting
        """

    private static func states(_ filter: String, countsWaiting: Bool) -> String {
        let columns = countsWaiting ? "waiting.accounts, waiting.exposure" : "0::bigint, 0::bigint"
        return """
            SELECT q.delegation_id, q.contract_id, q.strategy, q.portfolio, q.limit_accounts, q.limit_exposure,
                   \(ReleasedStatements.heldAccounts),
                   \(ReleasedStatements.heldExposure), \(columns)
              FROM quota q
              LEFT JOIN LATERAL (SELECT g.total_accounts, g.total_exposure FROM lease_grant g
                                  WHERE g.delegation_id = q.delegation_id AND g.quota_id = q.quota_id
                                  ORDER BY g.total_accounts DESC LIMIT 1) t ON true
              \(ReleasedStatements.unfolded)
             \(countsWaiting ? waiting : "")
             \(filter)
             ORDER BY q.delegation_id, q.contract_id, q.strategy, q.portfolio
            """
    }

    /// Who had accounts placed in the pool within the period and has them no more, the latest first.
    /// $1 delegation, $2 strategy, $3 portfolio, $4 period
    static let formerHolders = """
        SELECT d.account_id, array_agg(g.agency_id ORDER BY d.epoch DESC)
          FROM placement p
          JOIN deal d ON d.delegation_id = p.delegation_id AND d.account_id = p.account_id
         CROSS JOIN LATERAL (\(EngineStatements.grantOfPosition("d.delegation_id", "d.hand_id", "d.position"))) g
          JOIN hand h ON h.delegation_id = d.delegation_id AND h.hand_id = d.hand_id
         WHERE p.period = $4 AND p.delegation_id = $1 AND p.strategy = $2 AND p.portfolio = $3 AND h.period = $4
           AND d.position <= g.last_position AND d.position <> ALL (coalesce(g.skipped, '{}'))
           AND (g.state = 'closed' OR EXISTS (SELECT FROM ending e WHERE e.delegation_id = d.delegation_id
                                                 AND e.account_id = d.account_id AND e.epoch = d.epoch))
         GROUP BY d.account_id
        """

    // MARK: - What is dealt

    /// Held, waiting in an open hand where hands stay, or back for a reason that the institution looks into. `grants`
    /// and `hands` bound it to a delegation.
    private static func taken(
        _ period: String, leavesWaiting: Bool, supposing withdrawal: OrderedWithdrawal?, grants: String, hands: String
    ) -> String {
        let reasons = NextAction.checkedReasons.sorted().map { "'\($0)'" }.joined(separator: ", ")
        let left = withdrawal.map { "AND NOT (\($0.condition))" } ?? ""
        let waiting = """
             UNION ALL
            SELECT p.delegation_id, p.account_id
              FROM hand h
              JOIN position p ON p.delegation_id = h.delegation_id AND p.hand_id = h.hand_id
                             AND p.position > coalesce((SELECT g.last_position FROM lease_grant g
                                                         WHERE g.delegation_id = h.delegation_id AND g.hand_id = h.hand_id
                                                         ORDER BY g.first_position DESC LIMIT 1), 0)
             WHERE h.state = 'open' \(hands) \(left) AND \(unended)
            """
        return """
            SELECT p.delegation_id, p.account_id
              FROM lease_grant g
              JOIN position p ON p.delegation_id = g.delegation_id AND p.hand_id = g.hand_id
                             AND p.position BETWEEN g.first_position AND g.last_position
                             AND p.position <> ALL (coalesce(g.skipped, '{}'))
             WHERE g.state = 'open' AND g.key IS NOT NULL \(grants) AND \(unended)
             UNION ALL
            SELECT e.delegation_id, e.account_id
              FROM ending e
              JOIN hand h ON h.delegation_id = e.delegation_id AND h.hand_id = e.hand_id
             WHERE e.kind = 'return' AND e.reason IN (\(reasons)) AND h.period = \(period) \(hands)
               AND NOT EXISTS (SELECT FROM deal d WHERE d.delegation_id = e.delegation_id
                                  AND d.account_id = e.account_id AND d.epoch > e.epoch)
            \(leavesWaiting ? waiting : "")
            """
    }

    private static let unended = """
        NOT EXISTS (SELECT FROM ending e WHERE e.delegation_id = p.delegation_id AND e.account_id = p.account_id
                                       AND e.epoch = p.epoch)
        """

    /// Placed accounts `p` with what the cut says of them `a`: not taken, wherever, and not stopped since they were placed.
    private static func dealable(_ period: String, cut: String, lastDay: String) -> String {
        """
          FROM placement p
          JOIN account a ON a.period = p.period AND a.delegation_id = p.delegation_id AND a.account_id = p.account_id
         WHERE p.period = \(period) AND p.strategy IS NOT NULL
           AND NOT EXISTS (SELECT FROM taken t WHERE t.account_id = p.account_id)
           AND NOT EXISTS (SELECT FROM standing_stop s
                            WHERE s.delegation_id = p.delegation_id AND s.account_id = p.account_id
                              AND s.from_on <= \(lastDay) AND (s.until_on IS NULL OR s.until_on >= \(cut)))
        """
    }

    /// $1 period integer, $2 cut date, $3 the period's last day
    static func demands(
        leavesWaiting: Bool, supposing withdrawal: OrderedWithdrawal?, banned: [Portfolio: Set<Int32>],
        parted: DemandParts
    ) -> String {
        let taken = Self.taken("$1", leavesWaiting: leavesWaiting, supposing: withdrawal, grants: "", hands: "")
        return """
            WITH taken AS MATERIALIZED (\(taken)),
            former AS MATERIALIZED (
                SELECT DISTINCT ON (p.delegation_id, p.account_id) p.delegation_id, p.account_id, g.agency_id
                  FROM hand h
                  JOIN lease_grant g ON g.delegation_id = h.delegation_id AND g.hand_id = h.hand_id
                  JOIN position p ON p.delegation_id = g.delegation_id AND p.hand_id = g.hand_id
                                 AND p.position BETWEEN g.first_position AND g.last_position
                                 AND p.position <> ALL (coalesce(g.skipped, '{}'))
                 WHERE h.period = $1 AND (g.state = 'closed' OR NOT \(unended))
                 ORDER BY p.delegation_id, p.account_id, p.epoch DESC)
            SELECT x.delegation_id, x.strategy, x.portfolio, x.priority, count(*), sum(greatest(x.overdue, 0))::bigint,
                   sum(greatest(x.balance, 0))::bigint, x.band, x.packs, x.agency_id
              FROM (SELECT p.delegation_id, p.strategy, p.portfolio, p.priority, a.overdue, a.balance,
                           coalesce((SELECT f.agency_id FROM former f WHERE f.delegation_id = p.delegation_id
                                        AND f.account_id = p.account_id), 0) AS agency_id,
                           \(parted.band) AS band, \(parted.packs) AS packs
                    \(dealable("$1", cut: "$2", lastDay: "$3"))
                       AND NOT \(PlanningStatements.isBanned(banned))) x
             GROUP BY 1, 2, 3, 4, 8, 9, 10
             ORDER BY 1, 2, 3, 4, 8, 9, 10
            """
    }

    /// What is not dealt again of one delegation. COPY takes no parameters; what is written into it are numbers alone.
    static func taken(
        _ period: Period, _ delegation: Delegation, leavesWaiting: Bool, supposing withdrawal: OrderedWithdrawal?
    ) -> String {
        taken(
            period.number.description, leavesWaiting: leavesWaiting, supposing: withdrawal,
            grants: "AND g.delegation_id = \(delegation)",
            hands: "AND h.delegation_id = \(delegation)")
    }

    // MARK: - Limits

    private static func put(_ set: String) -> String {
        """
        WITH r AS MATERIALIZED (
            SELECT * FROM unnest($2::smallint[], $3::integer[], $4::smallint[], $5::smallint[], $6::bigint[], $7::bigint[],
                                 $8::smallint[])
                AS r (delegation_id, contract_id, strategy, portfolio, limit_accounts, limit_exposure, arm)),
        changed AS (
            \(set)
            RETURNING q.*),
        kept AS (
            INSERT INTO quota_history (delegation_id, quota_id, since, limit_accounts, limit_exposure, plan_id, cause)
            SELECT delegation_id, quota_id, now_instant(), limit_accounts, limit_exposure, plan_id, 'redeal' FROM changed)
        SELECT delegation_id, strategy, portfolio, contract_id, limit_accounts, limit_exposure
          FROM changed ORDER BY delegation_id, contract_id, strategy, portfolio
        """
    }

    /// $1 plan; per quota $2 … $8 as in ``insertQuotas``
    static let lowerQuotas = put(
        """
        UPDATE quota q SET limit_accounts = least(q.limit_accounts, r.limit_accounts),
                           limit_exposure = least(q.limit_exposure, r.limit_exposure), plan_id = $1
          FROM r
         WHERE q.delegation_id = r.delegation_id AND q.contract_id = r.contract_id AND q.strategy = r.strategy
           AND q.portfolio = r.portfolio
           AND (q.limit_accounts > r.limit_accounts OR q.limit_exposure > r.limit_exposure)
        """)

    /// $1 plan; per quota $2 … $8 as in ``insertQuotas``
    static let putQuotas = put(
        """
        INSERT INTO quota AS q (delegation_id, contract_id, strategy, portfolio, limit_accounts, limit_exposure, plan_id)
        SELECT delegation_id, contract_id, strategy, portfolio, limit_accounts, limit_exposure, $1 FROM r
         ORDER BY delegation_id, contract_id, strategy, portfolio
        ON CONFLICT (delegation_id, contract_id, strategy, portfolio) DO UPDATE
           SET limit_accounts = excluded.limit_accounts, limit_exposure = excluded.limit_exposure,
               plan_id = excluded.plan_id
        """)
}
