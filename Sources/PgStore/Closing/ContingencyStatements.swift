// SPDX-License-Identifier: Apache-2.0

/// Whose each payment is, and what contracts that pay by bands are paid for it (FEE-01 … FEE-05).
extension ClosingStatements {
    /// Each payment of the period's feed with the lease that held its account on that day: granted on it or before, and
    /// not ended before it. Of two leases that touch on one day the later one. A reversal follows its payment, and is of its origin and
    /// delegation: its own row may have another one, because the debtor moved.
    ///
    /// A lease that no sweep has closed yet ends where the sweep would end it, so that money does not depend on when
    /// that ran. Days are Mexico City's, as the feed's are.
    ///
    /// Where nobody holds it, a lease that ended by a return has the payment for the contract's grace (GAP-late-payment):
    /// $2 contracts, $3 their days, $4 the periods of feeds in which they hold: a reversal goes by those of its payment's feed.
    static func payments(_ part: MonthParts.Part) -> String {
        """
        CREATE TEMP TABLE close_payment ON COMMIT DROP AS
        SELECT paid.*, held.contract_id, held.strategy, held.hand_id, held.position
        FROM (
            SELECT coalesce(o.delegation_id, p.delegation_id) AS delegation_id, p.account_id, p.payment_id, coalesce(o.origin, p.origin) AS origin,
                coalesce(o.paid_on, p.paid_on) AS paid_on,
                coalesce(o.period < p.period, false) AS is_of_before, coalesce(o.period, p.period) AS fed,
                CASE WHEN p.reverses IS NULL THEN p.amount ELSE -p.amount END AS amount
            FROM payment p LEFT JOIN payment o ON o.payment_id = p.reverses
            WHERE p.period = $1 AND \(part.has("coalesce(o.delegation_id, p.delegation_id)"))) paid
        LEFT JOIN LATERAL (\(holder("d.delegation_id = paid.delegation_id"))) held ON true
        """
    }

    /// The lease of ``payments(_:)``, of the payment `paid`, among deals `d` of some delegations. $2 to $4 as there.
    private static func holder(_ isThere: String) -> String {
        """
        SELECT d.delegation_id, g.contract_id, h.strategy, d.hand_id, d.position
        FROM clock, deal d
        JOIN hand h ON h.delegation_id = d.delegation_id AND h.hand_id = d.hand_id
        CROSS JOIN LATERAL (
            SELECT * FROM lease_grant g
            WHERE g.delegation_id = d.delegation_id AND g.hand_id = d.hand_id AND g.first_position <= d.position
            ORDER BY g.first_position DESC LIMIT 1) g
        LEFT JOIN ending e
            ON e.delegation_id = d.delegation_id AND e.account_id = d.account_id AND e.epoch = d.epoch
        LEFT JOIN unnest($2::int[], $3::int[], $4::int[]) grace (contract_id, days, period)
            ON grace.contract_id = g.contract_id AND grace.period = paid.fed AND e.kind = 'return'
        CROSS JOIN LATERAL (
            SELECT least(
                e.ended_at,
                coalesce(
                    g.closed_at,
                    g.term + (g.grace_us + \(Outage.total("clock")) - g.outage_us) * interval '1 microsecond')) AS at) ended
        WHERE \(isThere) AND d.account_id = paid.account_id
            AND g.last_position >= d.position AND NOT d.position = ANY (coalesce(g.skipped, '{}'))
            AND (g.granted_at AT TIME ZONE interval '-6 hours')::date <= paid.paid_on
            AND (ended.at IS NULL
                OR (ended.at AT TIME ZONE interval '-6 hours')::date + coalesce(grace.days, 0) >= paid.paid_on)
        ORDER BY coalesce((ended.at AT TIME ZONE interval '-6 hours')::date < paid.paid_on, false),
            g.granted_at DESC, d.epoch DESC LIMIT 1
        """
    }

    /// Payments that nobody of their own delegation held, of an account that is held in another one: its debtor moved, and the feed says
    /// where to (decision 55). Only of accounts that the cut of the feed's month has not there, or that were recalled elsewhere: those are
    /// few, and looked for in every delegation. A reversal goes by its payment's feed. With their place in the delegation that held them.
    /// Parameters as of ``payments(_:)``.
    static let movedPayments = """
        SELECT held.delegation_id, paid.account_id, paid.payment_id, paid.origin, paid.amount, paid.is_of_before, held.contract_id,
            held.strategy, held.hand_id, held.position
        FROM close_payment paid
        CROSS JOIN LATERAL (\(holder(
            "d.delegation_id = ANY (ARRAY(SELECT generate_series(1, 32)::smallint)) AND d.delegation_id <> paid.delegation_id"))) held
        WHERE paid.contract_id IS NULL AND (
            paid.account_id IN (SELECT account_id FROM notice)
            OR NOT EXISTS (
                SELECT FROM account a
                WHERE a.period = paid.fed AND a.delegation_id = paid.delegation_id AND a.account_id = paid.account_id))
        """

    static let withoutPayments = "DELETE FROM close_payment WHERE payment_id = ANY ($1::text[])"

    /// Each in the part that has its delegation now. The columns of ``movedPayments``, $1 to $10.
    static func put(_ part: MonthParts.Part) -> String {
        """
        INSERT INTO close_payment (delegation_id, account_id, payment_id, origin, amount, is_of_before, contract_id, strategy, hand_id,
            position)
        SELECT m.* FROM unnest($1::smallint[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::text[]::boolean[], $7::int[],
            $8::smallint[], $9::int[], $10::int[]) AS m (delegation_id, account_id, payment_id, origin, amount, is_of_before,
                contract_id, strategy, hand_id, position)
        WHERE \(part.has("m.delegation_id"))
        """
    }

    /// Overdue value assigned and recovered, by contract, delegation and first day of the band. $1 period, $2 its end, $3 contracts
    /// that pay by bands, $4 the origins that count for each, joined by commas, $5 first days of the bands.
    ///
    /// Assigned is what was dealt less what the institution took back and the unlocatables that a review confirmed, unless something was
    /// paid before that and not taken back in the same feed: then it stays on both sides. So it is with a lease of an earlier month that was alive in this one, or
    /// for which a payment of its feed counts; no other lease of before counts, whatever the account pays. An account counts once for a
    /// contract, by the most that was overdue of it under those deals, in the band of this month's cut; where that has it no more, or has
    /// it as current after it paid, in that of the latest of those leases' own months. An account counts at most its overdue value, and
    /// nothing where nothing of it was paid. Of a payment that counts for an earlier month (`late`) only that counts which would have beside what a kept
    /// statement was paid on of the same account for that month (`again` is what would not). What takes a payment of an earlier feed back is in
    /// ``givenBack``. $6 the month's first instant. ``ContingencyAccounts`` says the same of one account.
    static func bands(_ part: MonthParts.Part) -> String {
        """
        WITH contingent AS (SELECT * FROM unnest($3::int[], $4::text[]) c (contract_id, origins)),
        dealt AS (
            SELECT coalesce(g.contract_id, h.contract_ids[1]) AS contract_id, p.delegation_id, p.account_id, p.overdue,
                \(isGone("p")) OR u.position IS NOT NULL AS is_taken,
                (SELECT max(first) FROM unnest($5::int[]) first WHERE first <= a.days_late) AS band
            FROM hand h
            JOIN position p USING (delegation_id, hand_id)
            JOIN account a ON a.period = h.period AND a.delegation_id = p.delegation_id AND a.account_id = p.account_id
            LEFT JOIN ending e ON e.delegation_id = p.delegation_id AND e.account_id = p.account_id
                AND e.epoch = p.epoch
            LEFT JOIN close_superseded s ON s.delegation_id = p.delegation_id AND s.hand_id = p.hand_id
                AND s.position = p.position
            LEFT JOIN close_unlocatable u ON u.delegation_id = p.delegation_id AND u.hand_id = p.hand_id
                AND u.position = p.position
            LEFT JOIN lease_grant g ON cardinality(h.contract_ids) > 1 AND g.delegation_id = p.delegation_id
                AND g.hand_id = p.hand_id AND p.position BETWEEN g.first_position AND g.last_position
                AND NOT p.position = ANY (coalesce(g.skipped, '{}')) AND g.granted_at < $2
            WHERE h.period = $1 AND \(isDealt("h")) AND s.position IS NULL AND \(part.has("h.delegation_id"))
                AND (cardinality(h.contract_ids) = 1 OR g.contract_id IS NOT NULL)),
        paid AS (
            SELECT p.contract_id, p.delegation_id, p.account_id, sum(p.amount) AS amount,
                array_agg(p.payment_id ORDER BY p.payment_id) AS payments
            FROM close_payment p JOIN contingent c USING (contract_id)
            WHERE p.origin = ANY (string_to_array(c.origins, ',')) AND NOT p.is_of_before
            GROUP BY 1, 2, 3),
        paid_lease AS (
            SELECT p.contract_id, p.delegation_id, p.hand_id, p.position
            FROM close_payment p JOIN contingent c USING (contract_id)
            WHERE p.origin = ANY (string_to_array(c.origins, ',')) AND NOT p.is_of_before
            GROUP BY 1, 2, 3, 4 HAVING sum(p.amount) > 0),
        of_lease AS (
            SELECT p.contract_id, p.delegation_id, p.account_id, p.amount,
                \(ContingencyAccounts.month(
                    hand: "h.period", day: "day.paid_on", last: "(ended.at AT TIME ZONE interval '-6 hours')::date")) AS month
            FROM close_payment p JOIN contingent c USING (contract_id)
            CROSS JOIN clock
            JOIN hand h ON h.delegation_id = p.delegation_id AND h.hand_id = p.hand_id AND h.period < $1
            JOIN position s ON s.delegation_id = p.delegation_id AND s.hand_id = p.hand_id AND s.position = p.position
            JOIN lease_grant g ON g.delegation_id = p.delegation_id AND g.hand_id = p.hand_id AND g.contract_id = p.contract_id
                AND p.position BETWEEN g.first_position AND g.last_position
            LEFT JOIN ending e ON e.delegation_id = p.delegation_id AND e.account_id = p.account_id AND e.epoch = s.epoch
            CROSS JOIN LATERAL (SELECT least(e.ended_at, coalesce(g.closed_at,
                g.term + (g.grace_us + \(Outage.total("clock")) - g.outage_us) * interval '1 microsecond')) AS at) ended
            CROSS JOIN LATERAL (SELECT coalesce(p.paid_on, (SELECT coalesce(o.paid_on, y.paid_on)
                FROM payment y LEFT JOIN payment o ON o.payment_id = y.reverses WHERE y.payment_id = p.payment_id)) AS paid_on) day
            WHERE p.origin = ANY (string_to_array(c.origins, ',')) AND NOT p.is_of_before),
        late AS MATERIALIZED (
            SELECT contract_id, delegation_id, account_id, month, sum(amount) AS amount FROM of_lease WHERE month < $1
            GROUP BY 1, 2, 3, 4),
        billed AS MATERIALIZED (\(ContingencyAccounts.billed(whose: "late", before: "$1", taken: "undone.period <= $1"))),
        beside AS (
            SELECT l.contract_id, l.delegation_id, l.account_id, l.month, l.amount, sum(b.amount) AS before
            FROM late l JOIN billed b USING (contract_id, account_id)
            WHERE \(ContingencyAccounts.month(
                contract: "l.contract_id", delegation: "l.delegation_id", account: "l.account_id", day: "b.paid_on")) = l.month
            GROUP BY 1, 2, 3, 4, 5 HAVING sum(b.amount) > 0),
        again AS (
            SELECT l.contract_id, l.delegation_id, l.account_id,
                sum(l.amount - greatest(0, least(l.before + l.amount, cap.overdue)) + least(l.before, cap.overdue)) AS amount
            FROM beside l CROSS JOIN LATERAL (SELECT \(ContingencyAccounts.overdue(
                contract: "l.contract_id", delegation: "l.delegation_id", account: "l.account_id", period: "l.month"
            ) { _ in "true" }) AS overdue) cap
            WHERE cap.overdue IS NOT NULL GROUP BY 1, 2, 3),
        lease AS (
            SELECT contract_id, delegation_id, hand_id, position, true AS is_paid FROM paid_lease
            UNION ALL
            SELECT g.contract_id, p.delegation_id, p.hand_id, p.position, false
            FROM contingent c
            JOIN lease_grant g USING (contract_id)
            CROSS JOIN clock
            JOIN hand h ON h.delegation_id = g.delegation_id AND h.hand_id = g.hand_id AND h.period < $1
            JOIN position p ON p.delegation_id = g.delegation_id AND p.hand_id = g.hand_id
                AND p.position BETWEEN g.first_position AND g.last_position
                AND NOT p.position = ANY (coalesce(g.skipped, '{}'))
            LEFT JOIN ending e ON e.delegation_id = p.delegation_id AND e.account_id = p.account_id
                AND e.epoch = p.epoch
            WHERE \(part.has("g.delegation_id")) AND g.granted_at < $2
                AND coalesce(g.closed_at, g.term + (g.grace_us + \(Outage.total("clock")) - g.outage_us) * interval '1 microsecond') >= $6
                AND coalesce(e.ended_at >= $6, true)),
        kept AS (
            SELECT l.contract_id, p.delegation_id, p.account_id, p.overdue, p.epoch,
                (\(isTaken) OR u.position IS NOT NULL) AND NOT l.is_paid AS is_taken,
                (SELECT max(first) FROM unnest($5::int[]) first WHERE first <= a.days_late) AS band,
                CASE WHEN a.account_id IS NULL OR l.is_paid
                    THEN (SELECT max(first) FROM unnest($5::int[]) first WHERE first <= f.days_late) END AS own
            FROM lease l
            JOIN hand h ON h.delegation_id = l.delegation_id AND h.hand_id = l.hand_id AND h.period < $1
            JOIN position p ON p.delegation_id = l.delegation_id AND p.hand_id = l.hand_id AND p.position = l.position
            LEFT JOIN ending e ON e.delegation_id = p.delegation_id AND e.account_id = p.account_id
                AND e.epoch = p.epoch
            LEFT JOIN close_unlocatable u ON u.delegation_id = p.delegation_id AND u.hand_id = p.hand_id
                AND u.position = p.position
            LEFT JOIN account a ON a.period = $1 AND a.delegation_id = p.delegation_id AND a.account_id = p.account_id
            LEFT JOIN account f ON f.period = h.period AND f.delegation_id = p.delegation_id
                AND f.account_id = p.account_id),
        of_before AS (
            SELECT contract_id, delegation_id, account_id, max(overdue) AS overdue, max(band) AS band,
                (array_agg(own ORDER BY epoch DESC) FILTER (WHERE own IS NOT NULL))[1] AS own
            FROM kept WHERE NOT is_taken GROUP BY 1, 2, 3),
        counted AS (
            SELECT d.contract_id, d.delegation_id, d.account_id, coalesce(max(d.band), max(d.own)) AS band,
                max(d.overdue) AS overdue
            FROM (
                SELECT d.contract_id, d.delegation_id, d.account_id, d.overdue, d.band, NULL::int AS own
                FROM dealt d JOIN contingent c USING (contract_id)
                LEFT JOIN paid USING (contract_id, delegation_id, account_id)
                WHERE NOT d.is_taken OR paid.amount > 0
                UNION ALL
                SELECT contract_id, delegation_id, account_id, overdue, band, own FROM of_before) d
            GROUP BY 1, 2, 3 HAVING coalesce(max(d.band), max(d.own)) IS NOT NULL)
        SELECT contract_id, delegation_id, band, sum(overdue)::bigint,
            sum(greatest(0, least(coalesce(paid.amount, 0) - coalesce(again.amount, 0), overdue)))::bigint,
            coalesce((SELECT array_agg(id ORDER BY id) FROM (
                SELECT unnest(x.payments) AS id FROM paid x JOIN counted y USING (contract_id, delegation_id, account_id)
                WHERE y.contract_id = counted.contract_id AND y.delegation_id = counted.delegation_id
                    AND y.band = counted.band) ids), '{}'),
            sum(greatest(0, coalesce(paid.amount, 0)))::bigint
        FROM counted LEFT JOIN paid USING (contract_id, delegation_id, account_id)
        LEFT JOIN again USING (contract_id, delegation_id, account_id)
        GROUP BY contract_id, delegation_id, band
        ORDER BY contract_id, delegation_id, band
        """
    }

    /// What the budgets of the months whose payments this one takes back had cut of them (AGY-15), by contract and month, in centavos, less what
    /// of it earlier months were not given back for that reason. $1 period.
    static let cutBefore = """
        SELECT s.contract_id, s.period, (cut.amount - coalesce(absorbed.amount, 0))::bigint
        FROM statement s
        CROSS JOIN LATERAL (
            SELECT sum((l ->> 'amount')::numeric * 100) AS amount FROM jsonb_path_query(
                s.body::jsonb, '$.sections[*].lines[*] ? (@.kind == "fee-cut" && @.rule == "AGY-15")') l) cut
        LEFT JOIN LATERAL (
            SELECT sum(round((l #>> '{base,pesos}')::numeric * (l #>> '{rate,percent}')::numeric / 100, 2) * 100
                - (l ->> 'amount')::numeric * 100) AS amount
            FROM statement later
            CROSS JOIN LATERAL jsonb_path_query(
                later.body::jsonb, '$.sections[*].lines[*] ? (@.kind == "fee-cut" && @.rule starts with "FEE-")') l
            WHERE later.contract_id = s.contract_id AND later.period > s.period AND later.period < $1
                AND l ->> 'subject' = s.period / 100 || '-' || lpad((s.period % 100)::text, 2, '0')) absorbed ON cut.amount > 0
        WHERE cut.amount > 0 AND s.period IN (
            SELECT o.period FROM payment r JOIN payment o ON o.payment_id = r.reverses WHERE r.period = $1 AND o.period < $1)
        """

    /// Contingency that a kept statement paid on payments which this month's feed takes back: the overdue value that does not count
    /// any more, by contract, delegation, band and month of that statement, with the rate that it paid, the schedule that it paid by, and
    /// what the rate was of by that one. $1 period.
    ///
    /// An account counted there at most what was overdue of it under the deals by which it counted, and under no other, so that only
    /// what falls below that is given back; nor is what later feeds' payments for the same month, which kept statements name, hold above it (`of_month`).
    /// Beside it all that was taken back, for a rate that was of what was paid (AMB-09).
    static let givenBack = """
        WITH reversed AS (
            SELECT r.payment_id AS reversal, o.payment_id, o.period, r.amount
            FROM payment r JOIN payment o ON o.payment_id = r.reverses
            WHERE r.period = $1 AND o.period < $1),
        line AS MATERIALIZED (
            SELECT s.contract_id, s.period, (section ->> 'delegation')::smallint AS delegation_id, line ->> 'rule' AS rule,
                line -> 'rate' ->> 'percent' AS rate, line ->> 'schedule' AS schedule, line -> 'facts' AS facts
            FROM statement s
            CROSS JOIN LATERAL jsonb_array_elements(s.body::jsonb -> 'sections') section
            CROSS JOIN LATERAL jsonb_array_elements(section -> 'lines') line
            WHERE s.period IN (SELECT period FROM reversed) AND line ->> 'kind' = 'fee' AND line ->> 'rule' BETWEEN 'FEE-01' AND 'FEE-05'
                AND line -> 'facts' ?| (SELECT array_agg(payment_id) FROM reversed)),
        charged AS (
            SELECT l.contract_id, l.period, l.delegation_id, l.rule, l.rate, l.schedule, l.facts, y.account_id,
                sum(CASE WHEN y.reverses IS NULL THEN y.amount ELSE -y.amount END
                    - coalesce((SELECT sum(x.amount) FROM payment x
                        WHERE x.reverses = y.payment_id AND x.period > l.period AND x.period < $1), 0)) AS before,
                sum(r.amount) AS taken, array_agg(r.reversal) FILTER (WHERE r.reversal IS NOT NULL) AS reversals,
                array_agg(DISTINCT \(ContingencyAccounts.month(
                    contract: "l.contract_id", delegation: "l.delegation_id", account: "y.account_id", day: "y.paid_on"
                ))) FILTER (WHERE r.reversal IS NOT NULL) AS months
            FROM line l
            CROSS JOIN LATERAL jsonb_array_elements_text(l.facts) fact (payment_id)
            JOIN payment y ON y.payment_id = fact.payment_id
            LEFT JOIN reversed r ON r.payment_id = y.payment_id
            GROUP BY 1, 2, 3, 4, 5, 6, 7, 8 HAVING sum(r.amount) > 0),
        billed AS MATERIALIZED (\(ContingencyAccounts.billed(whose: "charged", before: "$1", taken: "undone.period < $1"))),
        together AS (
            SELECT x.*, coalesce((SELECT sum(b.amount) FROM billed b
                    WHERE b.contract_id = x.contract_id AND b.account_id = x.account_id AND \(ContingencyAccounts.month(
                        contract: "x.contract_id", delegation: "x.delegation_id", account: "x.account_id", day: "b.paid_on"
                    )) = ANY (x.months)), before)
                - coalesce((SELECT sum(z.taken) FROM charged z
                    WHERE z.contract_id = x.contract_id AND z.delegation_id = x.delegation_id AND z.account_id = x.account_id
                        AND z.period > x.period AND z.months && x.months), 0) AS of_month
            FROM charged x),
        capped AS (
            SELECT x.*, least(
                    greatest(0, least(before, overdue)) - greatest(0, least(before - taken, overdue)),
                    greatest(0, least(of_month, overdue)) - greatest(0, least(of_month - taken, overdue))) AS lost,
                greatest(0, before) - greatest(0, before - taken) AS unpaid
            FROM together x
            CROSS JOIN LATERAL (SELECT \(ContingencyAccounts.overdue(
                contract: "x.contract_id", delegation: "x.delegation_id", account: "x.account_id", period: "x.period"
            ) { "x.facts ? \($0)" }) AS overdue) o)
        SELECT contract_id, delegation_id, rule, period, rate, sum(lost)::bigint,
            array_agg(id ORDER BY id), sum(unpaid)::bigint, schedule,
            coalesce((SELECT value FROM schedule x WHERE x.kind = 'fee' AND x.rule = 'AMB-09' AND x.parameter = 'base'
                AND x.schedule || '@' || x.effective_on = lost.schedule), 'overdue')
        FROM (SELECT contract_id, delegation_id, rule, period, rate, schedule, CASE WHEN n = 1 THEN lost ELSE 0 END AS lost,
                CASE WHEN n = 1 THEN unpaid ELSE 0 END AS unpaid, id
            FROM capped CROSS JOIN LATERAL unnest(reversals) WITH ORDINALITY u (id, n) WHERE unpaid > 0) lost
        GROUP BY contract_id, delegation_id, rule, period, rate, schedule ORDER BY contract_id, delegation_id, rule, period, rate
        """
}
