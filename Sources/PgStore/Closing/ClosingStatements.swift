// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// The close's statements. All run in one transaction on one snapshot; the temporary tables are gone at its end.
///
/// They are set-based and touch each row of the month once or twice: the outcomes shrink to one row per deal before anything is
/// counted. Several links count at the same time, each the delegations of its part.
enum ClosingStatements {
    /// One row per deal that was worked. $1 period, $2 results that need a review, $3 the agreement's result, $4 channels, $5 their kinds'
    /// numbers, $6 marks that ask for no review, $7 results of a session that was not held: it is of no kind.
    ///
    /// Valid: approved, or needing no review; what broke a contact rule or failed an automatic check needs one. Of each kind of work the lowest
    /// number of a valid outcome is the one that bills. What is asked of each outcome is asked once, below OFFSET 0: the planner
    /// would put it into every count instead.
    static func work(_ part: MonthParts.Part) -> String {
        """
        CREATE TEMP TABLE close_work ON COMMIT DROP AS
        SELECT delegation_id, hand_id, position, account_id, contract_id,
            count(*) AS outcomes,
            count(*) FILTER (WHERE is_valid) AS valid,
            count(*) FILTER (WHERE is_pending) AS pending,
            count(*) FILTER (WHERE is_marked) AS marked,
            \(FeeService.Kind.allCases.map {
                "min(outcome_id) FILTER (WHERE is_valid AND kind = \($0.number)) AS \(billedBy($0))"
            }.joined(separator: ", ")),
            bool_or(is_valid AND contact IN ('direct', 'third-party')) AS is_contacted,
            bool_or(is_valid AND contact = 'unlocatable') AS is_unlocatable,
            bool_or(is_approved AND contact = 'unlocatable') AS is_confirmed_unlocatable,
            bool_or(is_valid AND result = 'promise') AS is_promised,
            bool_or(is_valid AND result = $3::text) AS is_agreed,
            bool_or(is_valid AND result = $3::text AND is_session) AS is_agreed_in_session
        FROM (
            SELECT o.delegation_id, o.hand_id, o.position, o.account_id, o.contract_id, o.outcome_id, o.result, o.contact,
                coalesce(r.decision = 'approved', NOT n.needs_review) AS is_valid,
                r.decision IS NULL AND n.needs_review AS is_pending,
                coalesce(r.decision = 'approved', false) AS is_approved,
                NOT coalesce(o.marks <@ $6::text[], true) AS is_marked,
                c.kind = \(FeeService.Kind.session.number) AS is_session,
                CASE WHEN o.result = $3::text THEN \(FeeService.Kind.agreement.number)
                    WHEN c.kind = \(FeeService.Kind.session.number) AND o.result = ANY ($7::text[]) THEN NULL
                    ELSE c.kind END AS kind
            FROM outcome o
            LEFT JOIN standing_review r
                ON r.period = $1::int AND r.delegation_id = o.delegation_id AND r.outcome_id = o.outcome_id
            LEFT JOIN review_demand d
                ON d.period = $1::int AND d.delegation_id = o.delegation_id AND d.outcome_id = o.outcome_id
            LEFT JOIN unnest($4::text[], $5::smallint[]) AS c (channel, kind) ON c.channel = o.channel
            CROSS JOIN LATERAL (
                SELECT o.result = ANY ($2::text[]) OR NOT coalesce(o.marks <@ $6::text[], true)
                    OR coalesce(d.cause <> 'sample', false) AS needs_review) n
            WHERE o.period = $1::int AND \(part.has("o.delegation_id"))
            OFFSET 0) o
        GROUP BY delegation_id, hand_id, position, account_id, contract_id
        """
    }

    /// The column of ``work(_:)`` with the outcome that bills the kind.
    static func billedBy(_ kind: FeeService.Kind) -> String { "\(kind.rawValue)_by" }

    /// The outcomes that were reviewed, and those that a penalty judges. $1 period, $2 results that need a review.
    static func judged(_ part: MonthParts.Part) -> String {
        """
        CREATE TEMP TABLE close_judged ON COMMIT DROP AS
        SELECT o.contract_id, o.delegation_id, o.outcome_id, o.result, r.decision
        FROM outcome o
        LEFT JOIN standing_review r ON r.period = $1::int AND r.delegation_id = o.delegation_id AND r.outcome_id = o.outcome_id
        WHERE o.period = $1::int AND \(part.has("o.delegation_id"))
            AND (r.decision IS NOT NULL OR o.result = ANY ($2::text[]))
        """
    }

    /// Deals whose account came to the same contract again in the period, be it that a shared hand gave it the account the first time: it
    /// counts once, by the latest of them that its hand still had, or else by the latest: what waited in a hand when it was withdrawn and
    /// came to the same contract again was not taken from it. Of one tactic where both deals were of it: of another one it was taken
    /// where a start moved it. $1 period, $2 its end.
    static func superseded(_ part: MonthParts.Part) -> String {
        """
        CREATE TEMP TABLE close_superseded ON COMMIT DROP AS
        WITH again AS (
            SELECT DISTINCT p.delegation_id, p.account_id
            FROM hand later JOIN position p USING (delegation_id, hand_id)
            WHERE later.period = $1 AND (later.is_front OR later.redeal_id IS NOT NULL) AND \(isDealt("later"))
                AND \(part.has("later.delegation_id"))),
        dealt AS (
            SELECT d.delegation_id, d.hand_id, d.position, d.account_id, d.epoch, p.tactic, h.portfolio,
                coalesce(g.contract_id, h.contract_ids[1]) AS contract_id, \(isWithdrawn("d")) AS is_withdrawn
            FROM again a
            JOIN deal d USING (delegation_id, account_id)
            JOIN hand h ON h.delegation_id = d.delegation_id AND h.hand_id = d.hand_id AND h.period = $1 AND \(isDealt("h"))
            JOIN position p ON p.delegation_id = d.delegation_id AND p.hand_id = d.hand_id AND p.position = d.position
            LEFT JOIN lease_grant g ON cardinality(h.contract_ids) > 1 AND g.delegation_id = p.delegation_id
                AND g.hand_id = p.hand_id AND p.position BETWEEN g.first_position AND g.last_position
                AND NOT p.position = ANY (coalesce(g.skipped, '{}')) AND g.granted_at < $2
            WHERE cardinality(h.contract_ids) = 1 OR g.contract_id IS NOT NULL)
        SELECT delegation_id, hand_id, position, contract_id, portfolio, place_in_tactic > 1 AS is_in_tactic
        FROM (
            SELECT *, row_number() OVER (
                    PARTITION BY delegation_id, account_id, contract_id ORDER BY is_withdrawn, epoch DESC) AS place,
                row_number() OVER (
                    PARTITION BY delegation_id, account_id, contract_id, tactic ORDER BY is_withdrawn, epoch DESC) AS place_in_tactic
            FROM dealt) deals
        WHERE place > 1
        """
    }

    /// Whether a hand was dealt in its month, which ends at $2: what is dealt into hands of a month that is over, by a round or a start
    /// before the next plan, is none of it. Hands of which no hour is known were opened with their plan.
    static func isDealt(_ hand: String, by end: String = "$2") -> String {
        "\(hand).state <> 'inactive' AND coalesce(\(hand).opened_at < \(end), true)"
    }

    private static func isDealtAnything(_ contract: String, period: String, end: String, _ filter: String = "")
        -> String
    {
        "EXISTS (SELECT FROM hand h WHERE h.period = \(period) AND \(isDealt("h", by: end)) AND \(contract) = ANY (h.contract_ids) \(filter))"
    }

    /// Whether a deal waited in its hand `h` when that was withdrawn before the month's end ($2).
    static func isWithdrawn(_ deal: String) -> String {
        "coalesce(h.withdrawn_at < $2 AND \(deal).position > h.withdrawn_from, false)"
    }

    /// Why a hand was withdrawn that its holder did not pull from: the holder's own doing. What waited in it stays assigned, so that pulling
    /// little betters no rate.
    static let idleHand = "'unpulled'"

    /// Whether the institution took a deal away from what is assigned before the month's end, by an ending `e` or with its hand `h`; what came
    /// after the hand was withdrawn changes nothing about it.
    static func isGone(_ deal: String) -> String {
        """
        CASE WHEN \(isWithdrawn(deal)) AND NOT coalesce(e.ended_at <= h.withdrawn_at, false)
                THEN h.withdrawn_reason <> \(idleHand) ELSE \(isTaken) END
        """
    }

    /// Reasons of a recall that is the holder's own doing: nobody worked the account in its time, or who could not find the debtor did
    /// not give it back. It stays assigned, as a return does.
    static let idleReasons = "('not-worked', 'unlocatable')"

    /// Whether an ending took the account away from what is assigned before the month's end: the institution withdrew, excluded or
    /// recalled it. `e` is the ending, `$2` the month's end.
    static let isTaken = """
        coalesce(e.kind IN ('withdrawal', 'recall', 'exclusion') AND NOT (e.kind = 'recall' AND e.reason IN \(idleReasons))
            AND e.ended_at < $2, false)
        """

    /// Deals that ended before the month's end because the debtor cannot be found, where the delegation approved an outcome of that
    /// lease which says so: they leave what is assigned. $1 the month's end.
    static let unlocatable = """
        CREATE TEMP TABLE close_unlocatable ON COMMIT DROP AS
        SELECT DISTINCT w.contract_id, w.delegation_id, w.hand_id, w.position
        FROM close_work w
        JOIN ending e ON e.delegation_id = w.delegation_id AND e.account_id = w.account_id AND e.hand_id = w.hand_id
            AND e.position = w.position
        WHERE w.is_confirmed_unlocatable AND e.kind IN ('return', 'recall') AND e.reason = 'unlocatable' AND e.ended_at < $1
        """

    /// A hand of one contract is dealt as a whole; of a shared one, what the contract pulled. $1 period, $2 its end: hands outlive their
    /// month's close, and what is drawn from them then changes no statement.
    static func dealt(_ part: MonthParts.Part) -> String {
        """
        SELECT contract_id, delegation_id, portfolio, sum(accounts)::bigint
        FROM (
            SELECT contract_ids[1] AS contract_id, delegation_id, portfolio, size AS accounts FROM hand
            WHERE period = $1 AND \(isDealt("hand")) AND cardinality(contract_ids) = 1 AND \(part.has("delegation_id"))
            UNION ALL
            SELECT g.contract_id, g.delegation_id, h.portfolio, g.accounts
            FROM lease_grant g JOIN hand h USING (delegation_id, hand_id)
            WHERE h.period = $1 AND cardinality(h.contract_ids) > 1 AND g.granted_at < $2 AND \(part.has("h.delegation_id"))
            UNION ALL
            SELECT contract_id, delegation_id, portfolio, -1 FROM close_superseded) dealt
        GROUP BY contract_id, delegation_id, portfolio
        """
    }

    /// What ended in the period, by kind and reason. $1 period, $2 its end. A superseded deal's ending took nothing from what is
    /// assigned; a return is counted whenever it happened, and so is what was taken back because its holder did nothing. What
    /// waited in a hand when it was withdrawn is a withdrawal, whatever ended it afterwards.
    static func endings(_ part: MonthParts.Part) -> String {
        """
        SELECT h.contract_ids[1], h.delegation_id, h.portfolio,
            CASE WHEN h.withdrawn_reason = \(idleHand) THEN 'return' ELSE 'withdrawal' END, h.withdrawn_reason,
            sum(h.size - h.withdrawn_from - (
                SELECT count(*) FROM position p
                LEFT JOIN ending e ON e.delegation_id = p.delegation_id AND e.account_id = p.account_id
                    AND e.epoch = p.epoch AND e.ended_at <= h.withdrawn_at
                LEFT JOIN close_superseded s ON s.delegation_id = p.delegation_id AND s.hand_id = p.hand_id
                    AND s.position = p.position
                WHERE p.delegation_id = h.delegation_id AND p.hand_id = h.hand_id AND p.position > h.withdrawn_from
                    AND (e.epoch IS NOT NULL OR s.position IS NOT NULL AND h.withdrawn_reason <> \(idleHand))))::bigint
        FROM hand h
        WHERE h.period = $1 AND h.withdrawn_at < $2 AND cardinality(h.contract_ids) = 1 AND \(part.has("h.delegation_id"))
        GROUP BY 1, 2, 3, 4, 5
        UNION ALL
        SELECT coalesce(g.contract_id, h.contract_ids[1]), e.delegation_id, h.portfolio, k.kind, e.reason, count(*)
        FROM ending e
        JOIN hand h USING (delegation_id, hand_id)
        LEFT JOIN close_superseded s
            ON s.delegation_id = e.delegation_id AND s.hand_id = e.hand_id AND s.position = e.position
        LEFT JOIN LATERAL (
            SELECT contract_id, last_position FROM lease_grant g
            WHERE g.delegation_id = e.delegation_id AND g.hand_id = e.hand_id AND g.first_position <= e.position
            ORDER BY g.first_position DESC LIMIT 1) g
            ON cardinality(h.contract_ids) > 1 AND e.was_held AND g.last_position >= e.position
        CROSS JOIN LATERAL (
            SELECT CASE WHEN e.kind = 'recall' AND e.reason IN \(idleReasons) THEN 'return' ELSE e.kind END AS kind) k
        WHERE h.period = $1 AND h.state <> 'inactive' AND e.ended_at < $2 AND \(part.has("h.delegation_id"))
            AND k.kind IN ('return', 'withdrawal', 'recall', 'exclusion')
            AND (k.kind = 'return' OR s.position IS NULL)
            AND (cardinality(h.contract_ids) = 1 OR g.contract_id IS NOT NULL)
            AND (h.withdrawn_at IS NULL OR e.position <= h.withdrawn_from OR e.ended_at <= h.withdrawn_at)
        GROUP BY 1, 2, 3, 4, 5
        UNION ALL
        SELECT u.contract_id, u.delegation_id, h.portfolio, 'unlocatable', '', count(*)
        FROM close_unlocatable u
        JOIN hand h USING (delegation_id, hand_id)
        LEFT JOIN close_superseded s USING (delegation_id, hand_id, position)
        WHERE h.period = $1 AND h.state <> 'inactive' AND s.position IS NULL
        GROUP BY 1, 2, 3
        """
    }

    /// $1 period, $2 its end.
    static func pulled(_ part: MonthParts.Part) -> String {
        """
        SELECT g.contract_id, g.delegation_id, sum(g.accounts)::bigint
        FROM lease_grant g JOIN hand h USING (delegation_id, hand_id)
        WHERE h.period = $1 AND g.granted_at < $2 AND \(part.has("h.delegation_id"))
        GROUP BY 1, 2
        """
    }

    static let worked = """
        SELECT contract_id, delegation_id, sum(outcomes)::bigint, sum(valid)::bigint, sum(pending)::bigint,
            count(*) FILTER (WHERE valid > 0), count(*) FILTER (WHERE is_contacted),
            count(*) FILTER (WHERE is_promised), count(*) FILTER (WHERE is_agreed)
        FROM (
            SELECT contract_id, delegation_id, account_id, sum(outcomes) AS outcomes, sum(valid) AS valid,
                sum(pending) AS pending, bool_or(is_contacted) AS is_contacted, bool_or(is_promised) AS is_promised,
                bool_or(is_agreed) AS is_agreed
            FROM close_work GROUP BY contract_id, delegation_id, account_id) account
        GROUP BY contract_id, delegation_id
        """

    /// The same counts per tactic; asked for only where a goal names one.
    static let workedByTactic = """
        SELECT contract_id, delegation_id, tactic, count(*) FILTER (WHERE valid > 0),
            count(*) FILTER (WHERE is_contacted), count(*) FILTER (WHERE is_promised),
            count(*) FILTER (WHERE is_agreed)
        FROM (
            SELECT w.contract_id, w.delegation_id, w.account_id, p.tactic, sum(w.valid) AS valid,
                bool_or(w.is_contacted) AS is_contacted, bool_or(w.is_promised) AS is_promised,
                bool_or(w.is_agreed) AS is_agreed
            FROM close_work w JOIN position p USING (delegation_id, hand_id, position)
            GROUP BY w.contract_id, w.delegation_id, w.account_id, p.tactic) account
        GROUP BY contract_id, delegation_id, tactic
        """

    /// Deals by tactic, each account once per contract and tactic by its latest deal of it, and those that the institution took back before the month's
    /// end. $1 period, $2 its end.
    static func dealtByTactic(_ part: MonthParts.Part) -> String {
        """
        SELECT contract_id, delegation_id, tactic, count(*), count(*) FILTER (WHERE is_taken)
        FROM (
            SELECT coalesce(g.contract_id, h.contract_ids[1]) AS contract_id, p.delegation_id, p.tactic,
                \(isGone("p")) AS is_taken
            FROM hand h
            JOIN position p USING (delegation_id, hand_id)
            LEFT JOIN ending e ON e.delegation_id = p.delegation_id AND e.account_id = p.account_id
                AND e.epoch = p.epoch
            LEFT JOIN close_superseded s ON s.delegation_id = p.delegation_id AND s.hand_id = p.hand_id
                AND s.position = p.position AND s.is_in_tactic
            LEFT JOIN lease_grant g ON cardinality(h.contract_ids) > 1 AND g.delegation_id = p.delegation_id
                AND g.hand_id = p.hand_id AND p.position BETWEEN g.first_position AND g.last_position
                AND NOT p.position = ANY (coalesce(g.skipped, '{}')) AND g.granted_at < $2
            WHERE h.period = $1 AND \(isDealt("h")) AND s.position IS NULL AND \(part.has("h.delegation_id"))
                AND (cardinality(h.contract_ids) = 1 OR g.contract_id IS NOT NULL)) deals
        GROUP BY 1, 2, 3
        """
    }

    /// $1 period.
    static let flow = """
        SELECT p.delegation_id, sum(p.amount)::bigint FROM close_payment p
        JOIN account a ON a.period = $1 AND a.delegation_id = p.delegation_id AND a.account_id = p.account_id
        WHERE p.contract_id IS NOT NULL AND a.regime = 1
        GROUP BY 1
        """

    /// $1 results of the class.
    static let reviews = """
        SELECT contract_id, delegation_id, count(*) FILTER (WHERE decision = 'approved'),
            count(*) FILTER (WHERE decision IS NULL),
            coalesce(array_agg(outcome_id ORDER BY outcome_id) FILTER (WHERE decision = 'rejected'), '{}')
        FROM close_judged
        WHERE result = ANY ($1::text[])
        GROUP BY contract_id, delegation_id
        """

    /// What each contract's earlier statements billed, before IVA and after cuts. A penalty that is given back is no pay. $1 this period.
    static let spent = """
        SELECT contract_id, coalesce(sum(((b.body -> 'totals' ->> 'fees')::numeric - coalesce(r.refunded, 0)) * 100), 0)::bigint
        FROM statement s, LATERAL (SELECT s.body::jsonb AS body) b, LATERAL (
            SELECT sum((l ->> 'amount')::numeric) AS refunded FROM jsonb_path_query(
                b.body, '$.sections[*].lines[*] ? (@.kind == "credit" && @.rule starts with "PEN-")') l) r
        WHERE period < $1 GROUP BY contract_id
        """

    static let recovered = """
        SELECT contract_id, delegation_id, sum(amount)::bigint,
            coalesce(sum(amount) FILTER (WHERE origin = 'borrower'), 0)::bigint
        FROM close_payment WHERE contract_id IS NOT NULL
        GROUP BY contract_id, delegation_id
        """

    /// Of rows that hold from a month on the one of a period: the latest of before or of it, else the first of all.
    static func inForce(_ period: String) -> String {
        "ORDER BY t.period > \(period), abs(t.period - \(period)) LIMIT 1"
    }

    /// $1 period.
    static let reversedPeriods = """
        SELECT DISTINCT o.period FROM payment r JOIN payment o ON o.payment_id = r.reverses
        WHERE r.period = $1 AND r.reverses IS NOT NULL AND o.period < $1
        ORDER BY 1
        """

    /// Of the period $1.
    static let feeSchedules = """
        SELECT contract_id, fee_schedule FROM (\(terms(of: "$1"))) c ORDER BY 1
        """

    static let workers = "SELECT DISTINCT contract_id FROM close_work"

    static let payees = "SELECT DISTINCT contract_id FROM close_payment WHERE contract_id IS NOT NULL"

    /// $1 first day, $2 last day, $3 period, $4 contracts that worked in it, $5 its end. Terms are those of the period; a contract that only
    /// a later month's file brought was not in force in it, whatever first day that gives, unless it was dealt accounts or supervised. The
    /// last column: only a payment may concern it, on an account that it once leased. $6 contracts that are known to be paid.
    static let contracts = """
        WITH c AS (
            SELECT c.*, coalesce(
                c.starts_on <= $2 AND c.ends_on >= $1
                    AND (NOT c.is_later OR \(isDealtAnything("c.contract_id", period: "$3", end: "$5"))
                        OR EXISTS (SELECT FROM fact f WHERE f.period = $3 AND f.contract_id = c.contract_id))
                OR c.contract_id = ANY ($4::int[])
                OR c.contract_id IN (SELECT contract_id FROM adjustment WHERE period = $3 AND decision = 'approved'),
                false) AS is_of_month
            FROM (\(terms(of: "$3"))) c)
        SELECT c.contract_id, c.agency_id, c.name, c.number, c.tender, c.fee_schedule, c.penalty_schedule, c.bond, NOT c.is_of_month
        FROM c
        WHERE c.is_of_month OR c.contract_id = ANY ($6::int[])
            OR c.contract_id IN (
                SELECT g.contract_id FROM payment p JOIN deal d USING (delegation_id, account_id)
                JOIN lease_grant g ON g.delegation_id = d.delegation_id AND g.hand_id = d.hand_id
                    AND d.position BETWEEN g.first_position AND g.last_position
                WHERE p.period = $3)
        ORDER BY c.contract_id
        """

    /// What contracts say in a period, which an expression gives.
    static func terms(of period: String) -> String {
        """
        SELECT c.contract_id, c.agency_id, coalesce(n.name, a.name) AS name, coalesce(t.number, c.number) AS number,
            coalesce(t.tender, c.tender) AS tender, coalesce(t.fee_schedule, c.fee_schedule) AS fee_schedule,
            coalesce(t.penalty_schedule, c.penalty_schedule) AS penalty_schedule, coalesce(t.bond, c.bond) AS bond,
            coalesce(t.starts_on, c.starts_on) AS starts_on, coalesce(t.ends_on, c.ends_on) AS ends_on,
            coalesce(t.period > \(period), false) AS is_later
        FROM contract c JOIN agency a USING (agency_id)
        LEFT JOIN LATERAL (SELECT * FROM contract_term t WHERE t.contract_id = c.contract_id \(inForce(period))) t ON true
        LEFT JOIN LATERAL (SELECT * FROM agency_term t WHERE t.agency_id = c.agency_id \(inForce(period))) n ON true
        """
    }

    /// Of the period $1, which ends at $2. A delegation that the contract's file of a later month brought is none of it, unless accounts were
    /// dealt to it there.
    static let capacity = """
        SELECT c.contract_id, c.delegation_id, c.portfolio, coalesce(t.accounts_per_adviser, c.accounts_per_adviser)
        FROM contract_capacity c
        LEFT JOIN LATERAL (SELECT * FROM capacity_term t WHERE (t.contract_id, t.delegation_id, t.portfolio)
                = (c.contract_id, c.delegation_id, c.portfolio)
            ORDER BY t.period > $1, abs(t.period - $1) LIMIT 1) t ON true
        WHERE t.period IS NULL
            OR t.period <= greatest($1, (SELECT min(first.period) FROM contract_term first WHERE first.contract_id = c.contract_id))
            OR \(isDealtAnything("c.contract_id", period: "$1", end: "$2", "AND h.delegation_id = c.delegation_id"))
        ORDER BY c.contract_id, c.delegation_id, c.portfolio
        """

    static let schedules = """
        SELECT schedule, kind, effective_on, rule, parameter, value FROM schedule
        ORDER BY kind, schedule, effective_on, rule, parameter
        """

    /// What stands: a fact that a later one corrects is left out. A goal that came after the contract's first grant there, by whatever
    /// way, has its reason. A commitment without a value is one that nobody judged yet: it is there from the month of its day on, until
    /// a fact of that month or before judges it. Those of one day come as they were loaded, and in one file by number: F-9 before F-10.
    /// $1 period, $2 its last day.
    static let facts = """
        WITH begun AS (
            SELECT g.contract_id, g.delegation_id, min(g.granted_at) AS at
            FROM lease_grant g JOIN hand h USING (delegation_id, hand_id) WHERE h.period = $1 GROUP BY 1, 2)
        SELECT f.fact_id, f.kind, f.contract_id, f.delegation_id, f.portfolio, f.subject, f.value, f.minimum, f.weight,
            CASE WHEN f.kind = 'goal' AND (f.supersedes IS NOT NULL OR coalesce(g.is_late, i.imported_at > b.at))
                THEN coalesce(f.note, '') END,
            former.minimum, f.on_date, former.weight
        FROM fact f
        LEFT JOIN import i ON i.import_id = f.import_id
        LEFT JOIN begun b ON f.kind = 'goal' AND (b.contract_id, b.delegation_id) = (f.contract_id, f.delegation_id)
        LEFT JOIN work_goal g ON g.goal_id = f.fact_id
        LEFT JOIN fact former ON former.fact_id = f.supersedes
        WHERE (f.period = $1 AND (f.kind <> 'improvement' OR f.value <> '')
                OR f.period <= $1 AND f.kind = 'improvement' AND f.value = '' AND f.on_date <= $2)
            AND NOT EXISTS (SELECT FROM fact later WHERE later.supersedes = f.fact_id AND later.period <= $1)
        ORDER BY f.contract_id, f.delegation_id, f.on_date, f.import_id, length(f.fact_id), f.fact_id
        """

    /// Breaches of the plans in earlier statements, and those of before the first statement. $1 first period, $2 this one, $3 rules.
    ///
    /// A breach is a penalty that stands, charged there or by a debit about that month since: what was waived as a whole there, or given back
    /// as a whole by a credit since, is none. One on the whole invoice is a breach of each delegation that a fact of it is about.
    static let earlierBreaches = """
        WITH line AS (
            SELECT s.contract_id, s.period, coalesce((section ->> 'delegation')::smallint, 0::smallint) AS delegation_id, line ->> 'rule' AS rule,
                line ->> 'kind' AS kind, (line ->> 'amount')::numeric * 100 AS amount, line -> 'facts' AS facts
            FROM statement s
            CROSS JOIN LATERAL jsonb_array_elements(s.body::jsonb -> 'sections') section
            CROSS JOIN LATERAL jsonb_array_elements(section -> 'lines') line
            WHERE s.period >= $1 AND s.period < $2 AND line ->> 'rule' = ANY ($3::text[])),
        charged AS (
            SELECT contract_id, period, delegation_id, rule, sum(amount) FILTER (WHERE kind = 'penalty') AS amount,
                sum(amount) FILTER (WHERE kind = 'waiver') AS waived
            FROM line GROUP BY 1, 2, 3, 4),
        adjusted AS (
            SELECT contract_id, about AS period, coalesce(delegation_id, 0::smallint) AS delegation_id, rule,
                sum(amount) FILTER (WHERE kind = 'credit') AS credited, sum(amount) FILTER (WHERE kind = 'debit') AS debited
            FROM adjustment a
            WHERE kind IN ('credit', 'debit') AND decision = 'approved' AND period <= $2 AND about >= $1 AND about < $2
                AND rule = ANY ($3::text[])
                AND NOT EXISTS (SELECT FROM adjustment w WHERE w.rule = 'A-' || a.adjustment_id AND w.decision = 'approved')
            GROUP BY 1, 2, 3, 4),
        standing AS (
            SELECT contract_id, period, delegation_id, rule FROM charged
            FULL JOIN adjusted USING (contract_id, period, delegation_id, rule)
            WHERE (charged.amount IS NOT NULL OR debited IS NOT NULL)
                AND (coalesce(waived, credited) IS NULL
                    OR coalesce(waived, 0) + coalesce(credited, 0) < coalesce(charged.amount, 0) + coalesce(debited, 0)))
        SELECT contract_id, period, delegation_id, rule FROM standing WHERE delegation_id > 0
        UNION
        SELECT s.contract_id, s.period, f.delegation_id, s.rule
        FROM standing s JOIN line l USING (contract_id, period, delegation_id, rule)
        CROSS JOIN LATERAL jsonb_array_elements_text(l.facts) AS found (fact_id) JOIN fact f ON f.fact_id = found.fact_id
        WHERE s.delegation_id = 0 AND l.kind = 'penalty'
        UNION
        SELECT contract_id, period, delegation_id, rule FROM opening_breach
        WHERE period >= $1 AND period < $2 AND rule = ANY ($3::text[])
        ORDER BY 1, 2, 3, 4
        """

    /// By strategy. $1 period, $2 its end. What was dealt again within the month, by a round or after a start, is not dealt or leased twice here, but once where it was not before; its work
    /// and its money count.
    static func summary(_ part: MonthParts.Part) -> String {
        """
        WITH placed AS (
            SELECT strategy, count(*) AS n FROM placement
            WHERE period = $1 AND strategy IS NOT NULL AND \(part.has("delegation_id")) GROUP BY 1),
        dealt AS (
            SELECT strategy, sum(size) AS n FROM hand
            WHERE period = $1 AND \(isDealt("hand")) AND redeal_id IS NULL AND NOT is_front
                AND \(part.has("delegation_id")) GROUP BY 1),
        leased AS (
            SELECT h.strategy, sum(g.accounts) AS n
            FROM lease_grant g JOIN hand h USING (delegation_id, hand_id)
            WHERE h.period = $1 AND h.redeal_id IS NULL AND NOT h.is_front AND g.granted_at < $2
                AND \(part.has("h.delegation_id")) GROUP BY 1),
        again AS MATERIALIZED (
            SELECT p.delegation_id, p.account_id, (array_agg(h.strategy ORDER BY p.epoch))[1] AS strategy,
                bool_or(l.is_leased) AS is_leased
            FROM hand h JOIN position p USING (delegation_id, hand_id)
            CROSS JOIN LATERAL (\(isLeased("p"))) l
            WHERE h.period = $1 AND \(isDealt("h")) AND (h.redeal_id IS NOT NULL OR h.is_front)
                AND \(part.has("h.delegation_id"))
            GROUP BY 1, 2),
        late AS (
            SELECT coalesce(f.strategy, a.strategy) AS strategy, count(*) FILTER (WHERE f.is_leased IS NULL) AS dealt,
                count(*) FILTER (WHERE a.is_leased AND f.is_leased IS NOT TRUE) AS leased
            FROM again a
            CROSS JOIN LATERAL (
                SELECT bool_or(l.is_leased) AS is_leased, (array_agg(h.strategy ORDER BY d.epoch))[1] AS strategy
                FROM deal d JOIN hand h USING (delegation_id, hand_id)
                CROSS JOIN LATERAL (\(isLeased("d"))) l
                WHERE d.delegation_id = a.delegation_id AND d.account_id = a.account_id
                    AND h.period = $1 AND \(isDealt("h")) AND h.redeal_id IS NULL AND NOT h.is_front) f
            GROUP BY 1),
        worked AS (
            SELECT strategy, sum(outcomes) AS outcomes, count(*) FILTER (WHERE valid > 0) AS accounts
            FROM (
                SELECT h.strategy, sum(w.outcomes) AS outcomes, sum(w.valid) AS valid
                FROM close_work w JOIN hand h USING (delegation_id, hand_id)
                GROUP BY h.strategy, w.delegation_id, w.account_id) account
            GROUP BY 1),
        recovered AS (
            SELECT strategy, sum(amount) AS n FROM close_payment WHERE strategy IS NOT NULL GROUP BY 1)
        SELECT s.strategy, coalesce(placed.n, 0)::bigint, (coalesce(dealt.n, 0) + coalesce(late.dealt, 0))::bigint, (coalesce(leased.n, 0) + coalesce(late.leased, 0))::bigint,
            coalesce(worked.accounts, 0)::bigint, coalesce(worked.outcomes, 0)::bigint, coalesce(recovered.n, 0)::bigint
        FROM generate_series(1, 4) AS s (strategy)
        LEFT JOIN placed USING (strategy) LEFT JOIN dealt USING (strategy) LEFT JOIN leased USING (strategy)
        LEFT JOIN late USING (strategy)
        LEFT JOIN worked USING (strategy) LEFT JOIN recovered USING (strategy)
        ORDER BY s.strategy
        """
    }

    /// Whether the account of a deal was given out under it.
    private static func isLeased(_ deal: String) -> String {
        """
        SELECT EXISTS (SELECT FROM (\(EngineStatements.grantOfPosition("\(deal).delegation_id", "\(deal).hand_id", "\(deal).position"))) g
                        WHERE \(deal).position <= g.last_position AND g.granted_at < $2
                          AND \(deal).position <> ALL (coalesce(g.skipped, '{}'))) AS is_leased
        """
    }

    static let unattributed = """
        SELECT count(*), coalesce(sum(amount), 0)::bigint FROM close_payment WHERE contract_id IS NULL
        """

    static let segmentation = "SELECT accounts, placed, excluded FROM segmentation WHERE period = $1"

    /// Accounts that a start placed within the month, that found no contract, quota or bond, and that were not dealt later either.
    static let startedInVain = """
        SELECT count(DISTINCT (s.delegation_id, s.account_id))
          FROM start s
          JOIN placement p ON p.period = s.period AND p.delegation_id = s.delegation_id AND p.account_id = s.account_id
         WHERE s.period = $1 AND s.fate IN ('no-contract', 'quota', 'bond') AND p.strategy IS NOT NULL
           AND NOT EXISTS (SELECT FROM deal d JOIN hand h USING (delegation_id, hand_id)
                            WHERE d.delegation_id = s.delegation_id AND d.account_id = s.account_id
                              AND h.period = $1 AND \(isDealt("h")))
        """

    static let exclusions = "SELECT count(*) FROM placement WHERE period = $1 AND strategy IS NULL"
}

extension FeeService.Kind {
    /// Its place among all, from 1 on: what stands for it while a month is counted.
    var number: Int16 { Int16((Self.allCases.firstIndex(of: self) ?? 0) + 1) }

    init?(number: Int16) {
        guard Self.allCases.indices.contains(Int(number) - 1) else { return nil }
        self = Self.allCases[Int(number) - 1]
    }
}
