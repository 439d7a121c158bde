// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// What kept statements billed, and what was paid, account by account, so that pesos per peso (IND-11) can be told apart by what a
/// contract and its delegation do not tell: band, strategy, tactic and vintage.
///
/// A service is of the outcome that billed it. Contingency is of the accounts whose payments it counts, in proportion to what each of
/// them counts; what was given back of it, of those whose payments were taken back. What a budget or a person changed is of no account.
enum IndicatorFeeStatements {
    /// The column that a cut goes by; `nil` where contract and delegation tell it.
    static func column(of cut: IndicatorCut) -> String? {
        switch cut {
        case .band: "band"
        case .strategy: "strategy"
        case .tactic: "tactic"
        case .vintage: "vintage"
        case .total, .agency, .contract, .delegation, .contractDelegation: nil
        }
    }

    static func sums(of table: String, by column: String) -> String {
        "SELECT coalesce(\(column)::text, ''), sum(amount)::bigint FROM \(table) GROUP BY 1"
    }

    /// The lines of kept statements that are of accounts. $1 period, $2 the rules of the bands.
    static let lines = """
        CREATE TEMP TABLE indicator_line ON COMMIT DROP AS
        SELECT row_number() OVER () AS n, s.contract_id, (section ->> 'delegation')::smallint AS delegation_id,
            line ->> 'rule' AS rule, line ->> 'kind' AS kind, line ->> 'schedule' AS schedule, line -> 'records' AS records,
            line -> 'facts' AS facts, line ->> 'subject' AS subject, (line #>> '{rate,pesos}')::numeric * 100 AS price,
            (line ->> 'amount')::numeric * 100 AS amount
        FROM statement s
        CROSS JOIN LATERAL jsonb_array_elements(s.body::jsonb -> 'sections') section
        CROSS JOIN LATERAL jsonb_array_elements(section -> 'lines') line
        WHERE s.period = $1 AND section ? 'delegation' AND (line ->> 'rule' = '\(FeeTariff.rule)' AND line ->> 'kind' = 'fee'
            OR line ->> 'rule' = ANY ($2::text[]) AND line ->> 'kind' IN ('fee', 'fee-cut'))
        """

    /// The outcomes behind services, and the payments behind contingency: tables of their own, because the planner takes a list in a
    /// statement for a hundred rows, whatever it has, and joins outcomes the wrong way round.
    static let behind = [
        """
        CREATE TEMP TABLE indicator_record ON COMMIT DROP AS
        SELECT l.contract_id, l.delegation_id, l.price, r.number::bigint AS outcome_id
        FROM indicator_line l CROSS JOIN LATERAL jsonb_array_elements_text(l.records) r (number)
        WHERE l.rule = '\(FeeTariff.rule)'
        """,
        """
        CREATE TEMP TABLE indicator_fact ON COMMIT DROP AS
        SELECT l.n, f.payment_id
        FROM indicator_line l CROSS JOIN LATERAL jsonb_array_elements_text(l.facts) f (payment_id)
        WHERE l.rule <> '\(FeeTariff.rule)' AND l.kind = 'fee'
        """, "CREATE INDEX ON indicator_fact (payment_id)", "ANALYZE indicator_line", "ANALYZE indicator_record",
        "ANALYZE indicator_fact",
    ]

    /// $1 period, $2 first days of the bands, $3 the rules of the bands, in the same order.
    ///
    /// Each line of contingency is cut up by running sums, so that its parts add up to it to the centavo. Accounts weigh what they count
    /// in `ClosingStatements.bands`, or what `givenBack` takes of them.
    static let fees = """
        CREATE TEMP TABLE indicator_fee ON COMMIT DROP AS
        WITH service AS (
            SELECT r.contract_id, r.delegation_id, o.account_id, h.strategy, p.tactic, h.period, NULL::int AS band,
                r.price AS amount
            FROM indicator_record r
            JOIN outcome o ON o.period = $1 AND o.delegation_id = r.delegation_id AND o.outcome_id = r.outcome_id
            JOIN hand h ON h.delegation_id = o.delegation_id AND h.hand_id = o.hand_id
            JOIN position p ON p.delegation_id = o.delegation_id AND p.hand_id = o.hand_id AND p.position = o.position),
        base AS (
            SELECT l.*, coalesce((SELECT value FROM schedule x WHERE x.kind = 'fee' AND x.rule = 'AMB-09' AND x.parameter = 'base'
                    AND x.schedule || '@' || x.effective_on = l.schedule), 'overdue') = 'paid' AS is_of_paid,
                (SELECT first FROM unnest($2::int[], $3::text[]) b (first, rule) WHERE b.rule = l.rule) AS first
            FROM indicator_line l WHERE l.rule <> '\(FeeTariff.rule)'),
        paid AS (
            SELECT b.n, y.account_id, sum(CASE WHEN y.reverses IS NULL THEN y.amount ELSE -y.amount END) AS moved
            FROM indicator_fact b
            JOIN payment y ON y.payment_id = b.payment_id
            GROUP BY b.n, y.account_id),
        earned AS (
            SELECT b.n, paid.account_id, greatest(0, CASE WHEN b.is_of_paid THEN moved ELSE least(moved, \(ContingencyAccounts.overdue(
                contract: "b.contract_id", delegation: "b.delegation_id", account: "paid.account_id", period: "$1"
            ) { "EXISTS (SELECT FROM indicator_fact i WHERE i.payment_id = \($0) AND i.n = b.n)" })) END) AS weight
            FROM paid JOIN base b USING (n)),
        former AS MATERIALIZED (
            SELECT b.n, s.period, line -> 'facts' AS facts
            FROM base b
            JOIN statement s ON s.contract_id = b.contract_id
                AND s.period = CASE b.kind WHEN 'fee-cut' THEN replace(b.subject, '-', '')::int END
            CROSS JOIN LATERAL jsonb_array_elements(s.body::jsonb -> 'sections') section
            CROSS JOIN LATERAL jsonb_array_elements(section -> 'lines') line
            WHERE b.kind = 'fee-cut' AND (section ->> 'delegation')::smallint = b.delegation_id AND line ->> 'kind' = 'fee'
                AND line ->> 'rule' = b.rule),
        taken AS (
            SELECT b.n, y.account_id, f.period, f.facts,
                sum(CASE WHEN y.reverses IS NULL THEN y.amount ELSE -y.amount END
                    - coalesce((SELECT sum(x.amount) FROM payment x
                        WHERE x.reverses = y.payment_id AND x.period > f.period AND x.period < $1), 0)) AS before,
                sum(r.amount) AS taken
            FROM base b JOIN former f USING (n)
            CROSS JOIN LATERAL jsonb_array_elements_text(f.facts) fact (payment_id)
            JOIN payment y ON y.payment_id = fact.payment_id
            LEFT JOIN payment r ON r.reverses = y.payment_id AND r.period = $1 AND b.facts ? r.payment_id
            GROUP BY b.n, y.account_id, f.period, f.facts HAVING sum(r.amount) > 0),
        lost AS (
            SELECT b.n, t.account_id, CASE WHEN b.is_of_paid THEN greatest(0, before) - greatest(0, before - taken)
                ELSE greatest(0, least(before, o.overdue)) - greatest(0, least(before - taken, o.overdue)) END AS weight
            FROM taken t JOIN base b USING (n)
            CROSS JOIN LATERAL (SELECT \(ContingencyAccounts.overdue(
                contract: "b.contract_id", delegation: "b.delegation_id", account: "t.account_id", period: "t.period"
            ) { "t.facts ? \($0)" }) AS overdue) o),
        weighed AS (
            SELECT w.n, w.account_id, w.weight, place.*
            FROM (SELECT * FROM earned UNION ALL SELECT * FROM lost) w JOIN base b USING (n)
            CROSS JOIN LATERAL (\(place("b.contract_id", "b.delegation_id", "w.account_id"))) place
            WHERE w.weight > 0),
        parts AS (
            SELECT *, sum(weight) OVER (PARTITION BY n ORDER BY account_id) AS upto, sum(weight) OVER (PARTITION BY n) AS whole
            FROM weighed),
        contingency AS (
            SELECT l.contract_id, l.delegation_id, w.account_id, w.strategy, w.tactic, w.period,
                l.first AS band,
                (round(l.amount * upto / whole) - round(l.amount * (upto - weight) / whole))
                    * CASE l.kind WHEN 'fee' THEN 1 ELSE -1 END AS amount
            FROM parts w JOIN base l USING (n)),
        billed AS (SELECT * FROM service UNION ALL SELECT * FROM contingency)
        SELECT b.strategy, b.tactic, coalesce(b.band, \(band("b"))) AS band, \(vintage("b")) AS vintage, b.amount
        FROM billed b
        """

    /// What was paid while somebody held the accounts. $1 period, $2 first days of the bands.
    static let paid = """
        CREATE TEMP TABLE indicator_paid ON COMMIT DROP AS
        SELECT b.strategy, place.tactic, \(band("b", period: "place.period")) AS band, \(vintage("b")) AS vintage, b.amount
        FROM close_payment b
        LEFT JOIN LATERAL (
            \(place("b.contract_id", "b.delegation_id", "b.account_id", strategy: "b.strategy"))) place ON true
        WHERE b.contract_id IS NOT NULL
        """

    /// The latest deal of the month or before under which a contract leased an account.
    private static func place(
        _ contract: String, _ delegation: String, _ account: String, strategy: String = "h.strategy"
    ) -> String {
        """
        SELECT h.strategy, p.tactic, h.period
        FROM deal d
        JOIN hand h ON h.delegation_id = d.delegation_id AND h.hand_id = d.hand_id
        JOIN position p ON p.delegation_id = d.delegation_id AND p.hand_id = d.hand_id AND p.position = d.position
        JOIN lease_grant g ON g.delegation_id = d.delegation_id AND g.hand_id = d.hand_id
            AND d.position BETWEEN g.first_position AND g.last_position AND NOT d.position = ANY (coalesce(g.skipped, '{}'))
        WHERE d.delegation_id = \(delegation) AND d.account_id = \(account) AND g.contract_id = \(contract)
            AND h.strategy = \(strategy) AND h.period <= $1 AND h.state <> 'inactive'
        ORDER BY d.epoch DESC LIMIT 1
        """
    }

    /// First day of the band that the month's cut has the account in, or that of the deal's month where it is in this one no more; 0: current.
    private static func band(_ row: String, period: String? = nil) -> String {
        """
        coalesce((SELECT max(first) FROM unnest($2::int[]) first WHERE first <= (
            SELECT a.days_late FROM account a
            WHERE a.period IN ($1, \(period ?? row + ".period")) AND a.delegation_id = \(row).delegation_id
                AND a.account_id = \(row).account_id
            ORDER BY a.period DESC LIMIT 1)), 0)
        """
    }

    private static func vintage(_ row: String) -> String {
        """
        (SELECT min(h.period) FROM deal x JOIN hand h USING (delegation_id, hand_id)
            WHERE x.delegation_id = \(row).delegation_id AND x.account_id = \(row).account_id)
        """
    }
}
