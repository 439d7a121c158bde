// SPDX-License-Identifier: Apache-2.0

/// What ``ClosingStatements/bands(_:)`` and ``ClosingStatements/givenBack`` count, account by account: for whoever tells a line of
/// contingency apart.
///
/// All parameters are expressions over names of outside. The names that mean something else within: `d`, `h`, `p`, `a`, `f`, `g`, `e`,
/// `again`, `later`, `counted`, `fed`, `undone`, `holder`, `own`, `gone`, `ended`, `clock`.
enum ContingencyAccounts {
    /// The deals by which an account that paid counts for a contract, as `bands` takes them: those of the month, but for what was dealt
    /// to the same contract again in it; and of its leases of earlier months those that were alive into the month and not taken away in
    /// it, and those for which payments count. Columns `overdue`, and `days_late` by the month's cut, or else, also where that has it as
    /// current, by that of the deal's month.
    ///
    /// - Parameter isNamed: whether a payment, given as an expression of its number, is one that the contract's line of the month names:
    ///   it counted for the contract, so that of its leases the one that had it need only be found.
    static func counted(
        contract: String, delegation: String, account: String, period: String, isNamed: (String) -> String
    ) -> String {
        """
        SELECT p.overdue, CASE WHEN a.days_late > 0 THEN a.days_late ELSE f.days_late END AS days_late
        FROM deal d
        JOIN hand h ON h.delegation_id = d.delegation_id AND h.hand_id = d.hand_id
        JOIN position p ON p.delegation_id = d.delegation_id AND p.hand_id = d.hand_id AND p.position = d.position
        LEFT JOIN account a ON a.period = \(period) AND a.delegation_id = d.delegation_id AND a.account_id = d.account_id
        LEFT JOIN account f ON f.period = h.period AND f.delegation_id = d.delegation_id AND f.account_id = d.account_id
        WHERE d.delegation_id = \(delegation) AND d.account_id = \(account) AND h.period <= \(period) AND h.state <> 'inactive'
            AND CASE WHEN h.period = \(period) AND NOT (\(ClosingStatements.isDealt("h", by: end(of: period)))) THEN false
                WHEN h.period = \(period) AND cardinality(h.contract_ids) = 1
                    THEN h.contract_ids[1] = \(contract) AND NOT (\(isSuperseded(contract)))
                WHEN h.period = \(period)
                    THEN EXISTS (\(leases(of: "d", contract: contract)) AND g.granted_at < \(end(of: period)))
                        AND NOT (\(isSuperseded(contract)))
                ELSE EXISTS (\(leases(of: "d", contract: contract)) AND g.granted_at < \(end(of: period))
                        AND ended.at >= \(begin(of: period)) AND NOT \(isTaken(before: end(of: period), period: period)))
                    OR (SELECT sum(CASE WHEN fed.reverses IS NULL THEN fed.amount ELSE -fed.amount END)
                        FROM payment fed LEFT JOIN payment undone ON undone.payment_id = fed.reverses
                        WHERE fed.account_id = d.account_id AND fed.period = \(period)
                            AND \(isNamed("fed.payment_id"))
                            AND (\(holder(contract: contract, on: "coalesce(undone.paid_on, fed.paid_on)"))) = d.epoch) > 0 END
        """
    }

    /// Of ``counted(contract:delegation:account:period:isNamed:)`` the most that was overdue: what the account counts at most.
    static func overdue(
        contract: String, delegation: String, account: String, period: String, isNamed: (String) -> String
    ) -> String {
        """
        (SELECT max(counted.overdue) FROM (
            \(counted(contract: contract, delegation: delegation, account: account, period: period, isNamed: isNamed))) counted)
        """
    }

    /// The contract's leases of a deal, with their endings and when they ended, swept or not.
    private static func leases(of deal: String, contract: String, columns: String = "") -> String {
        """
        SELECT \(columns) FROM clock CROSS JOIN lease_grant g
            LEFT JOIN ending e ON e.delegation_id = \(deal).delegation_id AND e.account_id = \(deal).account_id
                AND e.epoch = \(deal).epoch
            CROSS JOIN LATERAL (SELECT least(e.ended_at, coalesce(g.closed_at,
                g.term + (g.grace_us + \(Outage.total("clock")) - g.outage_us) * interval '1 microsecond')) AS at) ended
            WHERE g.delegation_id = \(deal).delegation_id AND g.hand_id = \(deal).hand_id AND g.contract_id = \(contract)
                AND \(deal).position BETWEEN g.first_position AND g.last_position
                AND NOT \(deal).position = ANY (coalesce(g.skipped, '{}'))
        """
    }

    /// The epoch of the deal under which the contract had the account of `d` on a day, or had returned it last, as
    /// ``ClosingStatements/payments(_:)`` finds it: that a payment in grace was in time is known where it counted.
    private static func holder(contract: String, on day: String) -> String {
        """
        SELECT holder.epoch FROM deal holder
        CROSS JOIN LATERAL (
            SELECT own.granted_at, own.last, own.kind FROM (
                \(leases(
                    of: "holder", contract: contract,
                    columns: "g.granted_at, (ended.at AT TIME ZONE interval '-6 hours')::date AS last, e.kind"))) own) gone
        WHERE holder.delegation_id = d.delegation_id AND holder.account_id = d.account_id
            AND (gone.granted_at AT TIME ZONE interval '-6 hours')::date <= \(day)
            AND (gone.last >= \(day) OR gone.kind = 'return')
        ORDER BY gone.last < \(day), gone.granted_at DESC, holder.epoch DESC LIMIT 1
        """
    }

    /// For which month a payment of a day counts: its day's, or that in which the contract's lease of the account was over before that;
    /// never one before the lease's hand. `NULL` where the contract never had the account by then.
    static func month(contract: String, delegation: String, account: String, day: String) -> String {
        """
        (SELECT \(month(hand: "dealt.period", day: day, last: "gone.last")) FROM deal holder
            JOIN hand dealt ON dealt.delegation_id = holder.delegation_id AND dealt.hand_id = holder.hand_id
            CROSS JOIN LATERAL (
                SELECT own.granted_at, own.last, own.kind FROM (
                    \(leases(
                        of: "holder", contract: contract,
                        columns: "g.granted_at, (ended.at AT TIME ZONE interval '-6 hours')::date AS last, e.kind"))) own) gone
            WHERE holder.delegation_id = \(delegation) AND holder.account_id = \(account)
                AND (gone.granted_at AT TIME ZONE interval '-6 hours')::date <= \(day)
                AND (gone.last >= \(day) OR gone.kind = 'return')
            ORDER BY gone.last < \(day), gone.granted_at DESC, holder.epoch DESC LIMIT 1)
        """
    }

    /// - Parameters:
    ///   - hand: the month of the lease's hand.
    ///   - day: of the payment.
    ///   - last: the lease's last day.
    static func month(hand: String, day: String, last: String) -> String {
        "greatest(\(hand), to_char(least(\(day), \(last)), 'YYYYMM')::int)"
    }

    /// The payments of feeds before one's month that lines of kept statements were paid on, net of what was taken back of them until a feed: columns
    /// `contract_id`, `account_id`, `payment_id`, `paid_on`, `amount`.
    ///
    /// - Parameters:
    ///   - whose: a relation with `contract_id` and `account_id`; small.
    ///   - before: the month before which the statements are.
    ///   - taken: a condition on the month `undone.period` of what takes a payment back.
    static func billed(whose: String, before: String, taken: String) -> String {
        """
        SELECT DISTINCT named.contract_id, fed.account_id, fed.payment_id, coalesce(first.paid_on, fed.paid_on) AS paid_on,
            CASE WHEN fed.reverses IS NULL THEN fed.amount ELSE -fed.amount END
                - coalesce((SELECT sum(undone.amount) FROM payment undone
                    WHERE undone.reverses = fed.payment_id AND undone.period > fed.period AND \(taken)), 0) AS amount
        FROM (
            SELECT s.contract_id, s.period, fact.payment_id
            FROM statement s
            CROSS JOIN LATERAL jsonb_array_elements(s.body::jsonb -> 'sections') section
            CROSS JOIN LATERAL jsonb_array_elements(section -> 'lines') line
            CROSS JOIN LATERAL jsonb_array_elements_text(line -> 'facts') fact (payment_id)
            WHERE s.period < \(before) AND (s.contract_id, s.period) IN (
                    SELECT w.contract_id, y.period FROM \(whose) w JOIN payment y USING (account_id) WHERE y.period < \(before))
                AND line ->> 'kind' = 'fee' AND line ->> 'rule' BETWEEN 'FEE-01' AND 'FEE-05') named
        JOIN payment fed ON fed.payment_id = named.payment_id AND fed.period = named.period
        JOIN (SELECT DISTINCT contract_id, account_id FROM \(whose)) w
            ON w.contract_id = named.contract_id AND w.account_id = fed.account_id
        LEFT JOIN payment first ON first.payment_id = fed.reverses
        """
    }

    /// As ``ClosingStatements/isTaken`` and ``ClosingStatements/unlocatable`` have it, of the ending `e` of the deal `d`.
    private static func isTaken(before end: String, period: String) -> String {
        """
        coalesce(e.ended_at < \(end) AND (
            e.kind IN ('withdrawal', 'recall', 'exclusion') AND NOT (e.kind = 'recall' AND e.reason IN \(ClosingStatements.idleReasons))
            OR e.kind IN ('return', 'recall') AND e.reason = 'unlocatable' AND EXISTS (
                SELECT FROM outcome found JOIN standing_review r ON r.period = found.period
                    AND r.delegation_id = found.delegation_id AND r.outcome_id = found.outcome_id
                WHERE found.period = \(period) AND found.delegation_id = d.delegation_id AND found.account_id = d.account_id
                    AND found.epoch = d.epoch AND found.contact = 'unlocatable' AND r.decision = 'approved')), false)
        """
    }

    /// As ``ClosingStatements/superseded(_:)`` has it, of the deal `d` of the hand `h`.
    private static func isSuperseded(_ contract: String) -> String {
        """
        EXISTS (
            SELECT FROM deal again JOIN hand later ON later.delegation_id = again.delegation_id AND later.hand_id = again.hand_id
            WHERE again.delegation_id = d.delegation_id AND again.account_id = d.account_id
                AND later.period = h.period AND \(ClosingStatements.isDealt("later", by: end(of: "later.period")))
                AND CASE WHEN cardinality(later.contract_ids) = 1 THEN later.contract_ids[1] = \(contract)
                    ELSE EXISTS (\(leases(of: "again", contract: contract)) AND g.granted_at < \(end(of: "later.period"))) END
                AND (\(isWithdrawn("later", "again")), -again.epoch) < (\(isWithdrawn("h", "d")), -d.epoch))
        """
    }

    private static func isWithdrawn(_ hand: String, _ deal: String) -> String {
        "coalesce(\(hand).withdrawn_at < \(end(of: "\(hand).period")) AND \(deal).position > \(hand).withdrawn_from, false)"
    }

    /// The first instant of a month, by the clock of Mexico City.
    private static func begin(of period: String) -> String {
        "(make_timestamp(\(period) / 100, \(period) % 100, 1, 0, 0, 0) AT TIME ZONE interval '-6 hours')"
    }

    /// The first instant after a month, by the clock of Mexico City.
    private static func end(of period: String) -> String {
        """
        ((make_timestamp(\(period) / 100, \(period) % 100, 1, 0, 0, 0) + interval '1 month') AT TIME ZONE interval '-6 hours')
        """
    }
}
