// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// The statements of a plan. COPY takes no parameters; what is written into it here are numbers and dates alone.
enum PlanningStatements {
    /// Every period that is not closed, so that no import of stops runs beside a deal. $1 period integer
    static let lockPeriods = """
        SELECT period, state FROM period WHERE period = $1 OR state <> 'closed' ORDER BY period FOR NO KEY UPDATE
        """

    /// The same for those who deal side by side: none of them keeps another out. $1 period integer
    static let sharePeriods = """
        SELECT period, state FROM period WHERE period = $1 OR state <> 'closed' ORDER BY period FOR SHARE
        """

    /// $1 plan_id bigint
    static let sharePlan = "SELECT plan_id FROM plan WHERE plan_id = $1 AND state = 'dealing' FOR SHARE"

    /// $1 period integer; at most one row, by the unique index
    static let plan = """
        SELECT plan_id, state, seed, segmentation_digest, digest, \(isAlive)
          FROM plan
         WHERE period = $1 AND state <> 'discarded'
        """

    /// Whether another process deals the plan. One that is gone has no backend; behind a pooler it has stopped beating.
    private static let isAlive = """
        EXISTS (SELECT FROM plan_dealing d
                  JOIN pg_stat_activity a ON a.pid = d.backend AND a.backend_start = d.backend_start
                 WHERE d.plan_id = plan.plan_id AND d.backend <> pg_backend_pid()
                   AND d.beat_at > clock_timestamp() - interval '10 minutes')
        """

    /// $1 plan_id bigint
    static let beginDealing = """
        INSERT INTO plan_dealing (plan_id, backend, backend_start, beat_at)
        SELECT $1, pid, backend_start, clock_timestamp() FROM pg_stat_activity WHERE pid = pg_backend_pid()
        """

    /// $1 plan_id bigint
    static let beatDealing = "UPDATE plan_dealing SET beat_at = clock_timestamp() WHERE plan_id = $1"

    /// $1 plan_id bigint
    static let endDealing = "DELETE FROM plan_dealing WHERE plan_id = $1"

    /// $1 period integer
    static let laterPlan = """
        SELECT period, plan_id, state FROM plan WHERE period > $1 AND state <> 'discarded' ORDER BY period LIMIT 1
        """

    static let contracts = """
        SELECT c.contract_id, c.agency_id, a.status, c.strategies, c.starts_on, c.ends_on, c.capacity_basis, c.bond,
               c.exposure_basis, c.exposure_factor_bp, a.motive,
               c.rule_packs, c.penalty_schedule
          FROM contract c
          JOIN agency a USING (agency_id)
         ORDER BY c.contract_id
        """

    /// The latest staffing that supervision recorded by a day. $1 date; ties by import, then by number
    static let capacities = """
        SELECT k.contract_id, k.delegation_id, k.portfolio, k.committed_advisers, k.accounts_per_adviser, s.advisers
          FROM contract_capacity k
          LEFT JOIN (SELECT DISTINCT ON (f.contract_id, f.delegation_id, f.portfolio)
                            f.contract_id, f.delegation_id, f.portfolio, f.value::integer AS advisers
                       FROM fact f
                      WHERE f.kind = 'staffing' AND f.on_date <= $1
                        AND NOT EXISTS (SELECT FROM fact later WHERE later.supersedes = f.fact_id)
                      ORDER BY f.contract_id, f.delegation_id, f.portfolio,
                               f.on_date DESC, f.import_id DESC, f.fact_id DESC
                    ) s USING (contract_id, delegation_id, portfolio)
         ORDER BY k.contract_id, k.delegation_id, k.portfolio
        """

    /// What each quota's grants hold: all that was granted less all that was released, folded into the quota yet or not.
    static let holdings = """
        SELECT q.delegation_id, q.contract_id, q.strategy, q.portfolio,
               \(ReleasedStatements.heldAccounts), \(ReleasedStatements.heldExposure)
          FROM quota q
          \(ReleasedStatements.unfolded)
          LEFT JOIN LATERAL (SELECT g.total_accounts, g.total_exposure
                               FROM lease_grant g
                              WHERE g.delegation_id = q.delegation_id AND g.quota_id = q.quota_id
                              ORDER BY g.total_accounts DESC LIMIT 1) t ON true
         ORDER BY q.delegation_id, q.contract_id, q.strategy, q.portfolio
        """

    /// What each quota was by the latest plan of an earlier period. $1 period integer
    static let lastMonth = """
        SELECT q.delegation_id, q.contract_id, q.strategy, q.portfolio, h.limit_accounts
          FROM quota q
         CROSS JOIN LATERAL (SELECT h.limit_accounts
                               FROM quota_history h
                               JOIN plan l USING (plan_id)
                              WHERE h.delegation_id = q.delegation_id AND h.quota_id = q.quota_id AND l.period < $1
                              ORDER BY h.since DESC, h.entry DESC LIMIT 1) h
         ORDER BY q.delegation_id, q.contract_id, q.strategy, q.portfolio
        """

    /// Accounts with a live lease: in an open grant, not skipped, not ended. `filter` bounds it to a delegation.
    private static func held(_ filter: String) -> String {
        """
        SELECT p.delegation_id, p.account_id
          FROM lease_grant g
          JOIN position p ON p.delegation_id = g.delegation_id AND p.hand_id = g.hand_id
                         AND p.position BETWEEN g.first_position AND g.last_position
         WHERE g.state = 'open' AND g.key IS NOT NULL \(filter)
           AND p.position <> ALL (coalesce(g.skipped, '{}'))
           AND NOT EXISTS (SELECT FROM ending e
                            WHERE e.delegation_id = p.delegation_id AND e.account_id = p.account_id
                              AND e.epoch = p.epoch)
        """
    }

    /// Placed accounts `p` of the period: not held, by whomever and wherever, and not stopped since they were placed.
    /// With what the cut says of them `a`, where that is asked for.
    private static func dealable(_ period: String, cut: String, lastDay: String, joinsCut: Bool = true) -> String {
        let cutRows =
            "JOIN account a ON a.period = p.period AND a.delegation_id = p.delegation_id AND a.account_id = p.account_id"
        return """
              FROM placement p
              \(joinsCut ? cutRows : "")
             WHERE p.period = \(period) AND p.strategy IS NOT NULL
               AND NOT EXISTS (SELECT FROM held h WHERE h.account_id = p.account_id)
               AND NOT EXISTS (SELECT FROM standing_stop s
                                WHERE s.delegation_id = p.delegation_id AND s.account_id = p.account_id
                                  AND s.from_on <= \(lastDay) AND (s.until_on IS NULL OR s.until_on >= \(cut)))
            """
    }

    /// $1 period integer, $2 cut date, $3 the period's last day; banned accounts are counted apart, without amounts
    ///
    /// - Parameter amounts: whether overdue amounts and balances are asked for; else they are 0.
    static func demands(banned: [Portfolio: Set<Int32>], parted: DemandParts, amounts: Bool) -> String {
        let isBanned = self.isBanned(banned)
        let hasBans = isBanned != "false"
        func sum(_ column: String) -> String {
            amounts
                ? "coalesce(sum(greatest(a.\(column), 0))\(hasBans ? " FILTER (WHERE NOT \(isBanned))" : ""), 0)::bigint"
                : "0::bigint"
        }
        let keys = ["p.delegation_id", "p.strategy", "p.portfolio", "p.priority"] + parted.keys
        return """
            WITH held AS MATERIALIZED (\(held("")))
            SELECT p.delegation_id, p.strategy, p.portfolio, p.priority,
                   count(*)\(hasBans ? " FILTER (WHERE NOT \(isBanned))" : ""), \(sum("overdue")), \(sum("balance")),
                   \(parted.band), \(parted.packs), \(hasBans ? "count(*) FILTER (WHERE \(isBanned))" : "0::bigint")
            \(dealable("$1", cut: "$2", lastDay: "$3", joinsCut: amounts || hasBans || parted.needsCut))
             GROUP BY \(keys.joined(separator: ", "))
             ORDER BY 1, 2, 3, 4, 8, 9
            """
    }

    /// Whether an account's portfolio cannot work where it is (GEO-02).
    static func isBanned(_ banned: [Portfolio: Set<Int32>]) -> String {
        let places = banned.filter { !$0.value.isEmpty }.sorted { $0.key < $1.key }.map { portfolio, municipalities in
            let list = municipalities.sorted().map(\.description).joined(separator: ",")
            return "p.portfolio = \(portfolio.rawValue) AND a.municipality IN (\(list))"
        }
        return places.isEmpty ? "false" : "(\(places.joined(separator: " OR ")))"
    }

    /// The accounts of some delegations that can be dealt, in any order, with the number of their latest deal and what is
    /// remembered of them.
    ///
    /// - Parameters:
    ///   - held: what selects the accounts that are not dealt, in the place of those with a live lease.
    ///   - pool: of one pool alone.
    static func copyDealable(
        period: Period, delegations: [Delegation], cut: LocalDate, memory: DealMemory, held taken: String? = nil,
        pool: PoolKey? = nil
    ) -> String {
        let filter =
            pool.map { " AND p.strategy = \($0.strategy.rawValue) AND p.portfolio = \($0.portfolio.rawValue)" } ?? ""
        let numbers = delegations.map(\.description).joined(separator: ",")
        let here = "delegation_id = ANY ('{\(numbers)}')"
        let parts = DealMemoryStatements(period: period, delegations: numbers, memory: memory)
        return """
            COPY (WITH held AS MATERIALIZED (\(taken ?? held("AND g.\(here)"))),
                       latest AS (SELECT delegation_id, account_id, max(epoch) AS epoch FROM deal
                                   WHERE \(here) GROUP BY delegation_id, account_id)\(parts.tables)
                  SELECT delegation_id, account_id, x.strategy, x.portfolio, x.priority, x.tactic, x.arrears, x.due,
                         x.overdue, x.balance, x.municipality, x.reference, x.payment_probability_bp, x.regime,
                         l.epoch & 4294967295, \(parts.columns)
                    FROM (SELECT p.delegation_id, p.account_id, p.strategy, p.portfolio, p.priority, p.tactic, a.arrears,
                                 a.due, a.overdue, a.balance, a.municipality, a.reference, a.payment_probability_bp,
                                 a.regime, a.debtor, a.restructure_in_cure
                          \(dealable("\(period.number)", cut: "'\(cut)'", lastDay: "'\(period.lastDay)'"))
                            AND p.\(here) AND a.\(here) AND NOT \(isBanned(memory.banned))\(filter)) x
                    LEFT JOIN latest l USING (delegation_id, account_id)\(parts.joins)) TO STDOUT (FORMAT binary)
            """
    }

    /// The accounts of one delegation that would not be dealt wherever they are placed: held, or stopped.
    static func copyUndealable(delegation: Int16, cut: LocalDate, lastDay: LocalDate) -> String {
        """
        COPY (WITH held AS MATERIALIZED (\(held("AND g.delegation_id = \(delegation)")))
              SELECT account_id FROM held
               UNION
              SELECT account_id FROM standing_stop
               WHERE delegation_id = \(delegation)
                 AND from_on <= '\(lastDay)' AND (until_on IS NULL OR until_on >= '\(cut)')
               ORDER BY account_id) TO STDOUT (FORMAT binary)
        """
    }

    // MARK: - Applying

    /// Hands of earlier periods give nothing more out. $1 period integer
    static let closeHands = """
        UPDATE hand SET state = 'closed'
          FROM (SELECT delegation_id, hand_id FROM hand
                 WHERE state = 'open' AND period < $1
                 ORDER BY delegation_id, hand_id
                   FOR NO KEY UPDATE) old
         WHERE hand.delegation_id = old.delegation_id AND hand.hand_id = old.hand_id
        """

    /// $1 period integer
    static let hasEarlierHands = "SELECT EXISTS (SELECT FROM hand WHERE state = 'open' AND period < $1)"

    /// $1 period integer, $2 seed bigint, $3 segmentation_digest bytea, $4 digest bytea
    static let insertPlan = """
        INSERT INTO plan (period, state, seed, segmentation_digest, digest, made_at)
        VALUES ($1, 'dealing', $2, $3, $4, now_instant())
        RETURNING plan_id
        """

    /// Whether the plan is still being dealt. $1 plan_id bigint; locked until the transaction ends
    static let lockPlan = """
        SELECT plan_id FROM plan WHERE plan_id = $1 AND state = 'dealing' FOR NO KEY UPDATE
        """

    /// $1 how many integer
    static let handNumbers = "SELECT nextval('hand_number')::integer FROM generate_series(1, $1)"

    static let copyPositions = """
        COPY position (delegation_id, hand_id, position, account_id, epoch, exposure, stratum, arm, reason, priority,
                       tactic, arrears, due, overdue, municipality, reference)
            FROM STDIN (FORMAT binary)
        """

    static let copyDeals = "COPY deal (delegation_id, account_id, epoch, hand_id, position) FROM STDIN (FORMAT binary)"

    /// $1 delegation smallint, $2 period integer, $3 plan_id bigint; then per hand: $4 hand, $5 contracts, $6 strategy,
    /// $7 portfolio, $8 size, $9 term_days, $10 ceiling_days, $11 grace_us, $12 late_report_us, $13 digest,
    /// $17 activity_days, $18 unlocatable_days, $19 tactic, $20 priority, both null: a mixed hand; for all: $14 is_front boolean, $15 state text, $16 redeal_id bigint or null,
    /// $21 the policy's rule packs text[], which join those of the contract
    static let insertHands = """
        INSERT INTO hand (delegation_id, hand_id, contract_ids, strategy, portfolio, period, plan_id, is_front, state,
                          size, term_days, ceiling_days, grace_us, late_report_us, digest, redeal_id, activity_days,
                          unlocatable_days, rule_packs, tactic, priority, opened_at)
        SELECT $1, h.hand_id, h.contracts::integer[], h.strategy, h.portfolio, $2, $3, $14, $15,
               h.size, h.term_days, h.ceiling_days, h.grace_us, h.late_report_us, h.digest, $16::bigint,
               h.activity_days, h.unlocatable_days,
               ARRAY(SELECT unnest(c.rule_packs) FROM contract c WHERE c.contract_id = (h.contracts::integer[])[1]
                     UNION SELECT unnest($21::text[]) ORDER BY 1),
               h.tactic, h.priority, CASE WHEN $15 = 'open' THEN now_instant() END
          FROM unnest($4::integer[], $5::text[], $6::smallint[], $7::smallint[], $8::integer[], $9::integer[],
                      $10::integer[], $11::bigint[], $12::bigint[], $13::bytea[], $17::integer[], $18::integer[], $19::text[], $20::smallint[])
               AS h (hand_id, contracts, strategy, portfolio, size, term_days, ceiling_days, grace_us, late_report_us,
                     digest, activity_days, unlocatable_days, tactic, priority)
        """

    /// $1 plan_id bigint
    static let lockHandsOfPlan = """
        SELECT hand_id FROM hand WHERE plan_id = $1 ORDER BY delegation_id, hand_id FOR NO KEY UPDATE
        """

    static let lockQuotas = "SELECT quota_id FROM quota ORDER BY delegation_id, quota_id FOR NO KEY UPDATE"

    /// $1 plan_id bigint; then per quota: $2 delegation, $3 contract, $4 strategy, $5 portfolio, $6 limit_accounts,
    /// $7 limit_exposure
    static let putQuotas = """
        INSERT INTO quota (delegation_id, contract_id, strategy, portfolio, limit_accounts, limit_exposure, plan_id)
        SELECT q.*, $1
          FROM unnest($2::smallint[], $3::integer[], $4::smallint[], $5::smallint[], $6::bigint[], $7::bigint[])
               AS q (delegation_id, contract_id, strategy, portfolio, limit_accounts, limit_exposure)
         ORDER BY q.delegation_id, q.contract_id, q.strategy, q.portfolio
        ON CONFLICT (delegation_id, contract_id, strategy, portfolio) DO UPDATE
           SET limit_accounts = excluded.limit_accounts, limit_exposure = excluded.limit_exposure,
               plan_id = excluded.plan_id
        """

    /// $1 plan_id bigint
    static let recordQuotas = """
        INSERT INTO quota_history (delegation_id, quota_id, since, limit_accounts, limit_exposure, plan_id, cause)
        SELECT delegation_id, quota_id, now_instant(), limit_accounts, limit_exposure, plan_id, 'plan'
          FROM quota
         WHERE plan_id = $1
        """

    /// $1 plan_id bigint
    static let openHands = "UPDATE hand SET state = 'open' WHERE plan_id = $1 AND state = 'inactive'"

    /// $1 plan_id bigint, $2 state text
    static let setPlanState = "UPDATE plan SET state = $2 WHERE plan_id = $1"

    /// What was dealt but never opened goes; the deals stay, so that no epoch is given out again. $1 plan_id bigint
    static let discardPositions = """
        DELETE FROM position p
         USING hand h
         WHERE h.plan_id = $1 AND p.delegation_id = h.delegation_id AND p.hand_id = h.hand_id
        """
    /// $1 plan_id bigint
    static let discardHands = "DELETE FROM hand WHERE plan_id = $1"

    static func outcomePartition(_ period: Int32) -> String { "SELECT make_outcomes(\(period))" }
}
