// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// Counts a month's indicators, over one row per contract and account. In the transaction of the ``ClosingStore`` that
/// counted the month, after its payments were attributed.
package struct IndicatorStore {
    private let link: PgLink
    private let parts: MonthParts
    private let period: Period

    /// Whether what single accounts paid and were billed is there to be told apart.
    private let isDetailed: Bool

    /// Makes the rows that everything else is counted from.
    ///
    /// - Parameters:
    ///   - parts: what counted the month; `nil`: `link` alone.
    ///   - withVintage: whether the month of each account's first deal is looked for, and what single accounts paid and were billed by the
    ///     kept statements, which takes longer than all else. Only over `link` alone.
    package init(
        _ link: PgLink, period: Period, parts: MonthParts? = nil, withVintage: Bool = true
    ) throws(PgError) {
        precondition(parts == nil || !withVintage, "details are counted over one link")
        self.link = link
        self.parts = parts ?? MonthParts(link)
        self.period = period
        isDetailed = withVintage
        let next = Timestamp(
            date: period.advanced(byMonths: 1).firstDay,
            offsetSeconds: MexicanTimeZone.mexicoCity.standardOffsetSeconds)
        try self.parts.run(
            [
                .int32(period.number), .timestamp(next), .int32s(MoraBand.allCases.map(\.days.first)),
                .int32(period.advanced(byMonths: 1).number), .int32(period.advanced(byMonths: 4).number),
                .int16(Self.withoutEmployer),
            ]
        ) { IndicatorStatements.accounts(withVintage: withVintage, $0) }
        guard isDetailed else { return }
        let bands = PgValue.int32s(MoraBand.allCases.map(\.days.first))
        let rules = PgValue.texts(MoraBand.allCases.map(\.rawValue))
        try link.run(IndicatorFeeStatements.lines, [.int32(period.number), rules])
        for statement in IndicatorFeeStatements.behind { try link.run(statement) }
        try link.run(IndicatorFeeStatements.fees, [.int32(period.number), bands, rules])
        try link.run(IndicatorFeeStatements.paid, [.int32(period.number), bands])
    }

    /// The regime REA, as the cut's column is stored.
    private static let withoutEmployer: Int16 = 1

    /// What kept statements billed, for the figures per peso.
    package struct Fees: Sendable {
        /// By contract and delegation; delegation 0: what falls on the whole invoice.
        package var byPlace: [StatementPlace: Cents]

        package init(byPlace: [StatementPlace: Cents] = [:]) { self.byPlace = byPlace }
    }

    /// The figures per value of the cut, ascending in each part of the month; a figure that nothing is behind has a denominator of zero.
    ///
    /// - Parameter agreements: those of agreements (IND-13), by the cut's values as they are stored: a strategy's and month's number, the
    ///   first day of a band.
    package func figures(
        by cut: IndicatorCut, fees: Fees, agreements: [String: [IndicatorFigure]] = [:]
    ) throws(PgError) -> [(key: String, figures: [IndicatorFigure])] {
        let spent = try spent(by: cut, fees)
        let received = try received(by: cut)
        var rows = try figures(by: cut, spent: spent, received: received)
        if isDetailed {
            rows = Self.completed(rows, spent: spent, received: received ?? [:], also: Set(agreements.keys))
        }
        return rows.map { key, figures in
            let own = agreements[key, default: []]
            return (key, figures.map { figure in own.first { $0.indicator == figure.indicator } ?? figure })
        }
    }

    /// `nil` where it is not told apart by the cut; a value of the cut without an entry received nothing.
    private func received(by cut: IndicatorCut) throws(PgError) -> [String: Int64]? {
        let statement: String
        if let column = IndicatorFeeStatements.column(of: cut) {
            guard isDetailed else { return nil }
            statement = IndicatorFeeStatements.sums(of: "indicator_paid", by: column)
        } else {
            statement = IndicatorStatements.received(by: cut)
        }
        return Dictionary(
            try parts.run([], { _ in statement }).map { ($0.text(0), $0.int64(1)) }, uniquingKeysWith: +)
    }

    /// With a row for each value of the cut that something was billed of and nothing was dealt of in the month, such as a vintage of which
    /// only deals of earlier months were worked: it has pesos per peso, and no other figure. Where more was given back than was billed, what
    /// was spent is below zero.
    ///
    /// - Parameter keys: values that have a row in any case.
    private static func completed(
        _ rows: [(key: String, figures: [IndicatorFigure])], spent: [String: Int64], received: [String: Int64],
        also keys: Set<String>
    ) -> [(key: String, figures: [IndicatorFigure])] {
        let known = Set(rows.map(\.key))
        let others = keys.union(spent.filter { $0.value != 0 }.keys).subtracting(known)
        guard !others.isEmpty else { return rows }
        let added = others.map { key in
            (
                key: key,
                figures: Indicator.allCases.map { indicator in
                    indicator == .perPeso && spent[key, default: 0] != 0
                        ? IndicatorFigure(indicator, received[key, default: 0], over: spent[key, default: 0])
                        : IndicatorFigure(indicator, 0, over: 0)
                }
            )
        }
        /// Numbers by their size, all else by its letters.
        func place(_ key: String) -> ([Int64], String) {
            let numbers = key.split(separator: "/").compactMap { Int64($0) }
            return numbers.isEmpty ? ([], key) : (numbers, "")
        }
        return (rows + added).sorted { left, right in
            let (left, right) = (place(left.key), place(right.key))
            return left.0 == right.0 ? left.1 < right.1 : left.0.lexicographicallyPrecedes(right.0)
        }
    }

    private func spent(by cut: IndicatorCut, _ fees: Fees) throws(PgError) -> [String: Int64] {
        if let column = IndicatorFeeStatements.column(of: cut) {
            guard isDetailed else { return [:] }
            return Dictionary(
                try link.run(IndicatorFeeStatements.sums(of: "indicator_fee", by: column))
                    .map { ($0.text(0), $0.int64(1)) }, uniquingKeysWith: +)
        }
        let fees = fees.byPlace
        let places = fees.keys.sorted { ($0.contract, $0.delegation) < ($1.contract, $1.delegation) }
        return Dictionary(
            try link.run(
                IndicatorStatements.spent(by: cut),
                [
                    .int32s(places.map(\.contract)), .int16s(places.map(\.delegation)),
                    .int64s(places.map { fees[$0]?.value ?? 0 }),
                ]
            ).map { ($0.text(0), $0.int64(1)) }, uniquingKeysWith: +)
    }

    private func figures(
        by cut: IndicatorCut, spent: [String: Int64], received: [String: Int64]?
    ) throws(PgError) -> [(key: String, figures: [IndicatorFigure])] {
        let book = Dictionary(
            try link.run(IndicatorStatements.book(by: cut), [.int32(period.number)])
                .map { ($0.text(0), (1...4).map($0.int64)) }, uniquingKeysWith: { $1 })
        let programmed = Dictionary(
            try link.run(IndicatorStatements.programmed(by: cut), [.int32(period.number)])
                .map { ($0.text(0), $0.int64(1)) }, uniquingKeysWith: +)
        return try counts(by: cut).map { key, counts in
            var column = -1
            func next() -> Int64 {
                column += 1
                return counts[column]
            }
            var figures: [IndicatorFigure] = []
            for indicator in Indicator.allCases {
                switch indicator {
                case .perPeso:
                    // Fees are of all that was worked, and so is what was recovered: on deals of earlier months, too.
                    let dealt = next()
                    let recovered = received.map { $0[key, default: 0] } ?? dealt
                    figures.append(IndicatorFigure(indicator, recovered, over: spent[key, default: 0]))
                case .secondPayment, .thirdPayment, .agreementCured, .agreementMaintained:
                    // No account dealt in the month tells of them.
                    figures.append(IndicatorFigure(indicator, 0, over: 0))
                case .programmedFlow:
                    figures.append(IndicatorFigure(indicator, next(), over: programmed[key, default: 0]))
                case .overdueShare, .overdueBalance:
                    let assigned = (next(), next())
                    let first = indicator == .overdueShare ? 0 : 2
                    let counts = book[key].map { ($0[first], $0[first + 1]) } ?? assigned
                    figures.append(IndicatorFigure(indicator, counts.0, over: counts.1))
                default:
                    let numerator = next()
                    figures.append(IndicatorFigure(indicator, numerator, over: next()))
                }
            }
            return (key, figures)
        }
    }

    /// What the figures are made of, by the cut. All are counts and sums, so those of several parts add up.
    private func counts(by cut: IndicatorCut) throws(PgError) -> [(key: String, counts: [Int64])] {
        var rows: [(key: String, counts: [Int64])] = []
        var places: [String: Int] = [:]
        let statement = IndicatorStatements.figures(by: cut)
        for row in try parts.run([], { _ in statement }) {
            let key = row.text(0)
            let counts = (1..<row.columns).map(row.int64)
            if let place = places[key] {
                rows[place].counts = zip(rows[place].counts, counts).map(+)
            } else {
                places[key] = rows.count
                rows.append((key, counts))
            }
        }
        return rows
    }

    /// The accounts behind the figures as CSV fields, in the order of ``recordColumns``, one at a time.
    package func eachRecord(_ body: ([String]) throws -> Void) throws {
        for part in parts.parts {
            try part.link.copyOut(
                "COPY (SELECT \(Self.recordColumns.map { "\($0)::text" }.joined(separator: ", ")) FROM indicator_account "
                    + "ORDER BY contract_id, delegation_id, account_id) TO STDOUT (FORMAT binary)"
            ) { row in
                try body(Self.recordColumns.map { _ in row.optionalText() ?? "" })
            }
        }
    }

    package static let recordColumns = [
        "contract_id", "agency_id", "delegation_id", "account_id", "strategy", "tactic", "band", "vintage",
        "is_assigned",
        "is_confirmed", "outcomes", "valid", "is_unlocatable", "is_contacted", "is_promised", "is_agreed",
        "is_agreed_in_session", "had_session", "due",
        "overdue",
        "paid", "is_programmed", "was_overdue", "balance", "arrears", "next_arrears", "next_overdue", "later_overdue",
    ]
}

enum IndicatorStatements {
    /// One row per contract and account that was dealt to it, or that it worked. $1 period, $2 its end, $3 first days of the bands,
    /// $4 the next period, $5 the fourth one on, $6 the regime without an employer's deduction. A cut has an account once over all
    /// delegations, and a later one where its debtor lives by then.
    static func accounts(withVintage: Bool, _ part: MonthParts.Part) -> String {
        let vintage =
            withVintage
            ? """
            (SELECT min(h.period) FROM deal x JOIN hand h USING (delegation_id, hand_id)
                WHERE x.delegation_id = d.delegation_id AND x.account_id = d.account_id)
            """ : "NULL::int"
        return """
            CREATE TEMP TABLE indicator_account ON COMMIT DROP AS
            WITH dealt AS (
                SELECT DISTINCT ON (contract_id, delegation_id, account_id)
                    coalesce(g.contract_id, h.contract_ids[1]) AS contract_id, p.delegation_id, p.account_id, h.strategy,
                    p.tactic, p.due, p.overdue,
                    NOT (\(ClosingStatements.isGone("p")) OR u.position IS NOT NULL) AS is_assigned,
                    u.position IS NOT NULL AS is_confirmed,
                    coalesce(e.kind IN ('return', 'recall') AND e.reason = 'unlocatable' AND e.ended_at < $2, false) AS is_returned_unlocatable
                FROM hand h
                JOIN position p USING (delegation_id, hand_id)
                LEFT JOIN ending e ON e.delegation_id = p.delegation_id AND e.account_id = p.account_id
                    AND e.epoch = p.epoch
                LEFT JOIN close_unlocatable u ON u.delegation_id = p.delegation_id AND u.hand_id = p.hand_id
                    AND u.position = p.position
                LEFT JOIN lease_grant g ON cardinality(h.contract_ids) > 1 AND g.delegation_id = p.delegation_id
                    AND g.hand_id = p.hand_id AND p.position BETWEEN g.first_position AND g.last_position
                    AND NOT p.position = ANY (coalesce(g.skipped, '{}')) AND g.granted_at < $2
                WHERE h.period = $1 AND \(ClosingStatements.isDealt("h")) AND \(part.has("h.delegation_id"))
                    AND (cardinality(h.contract_ids) = 1 OR g.contract_id IS NOT NULL)
                ORDER BY contract_id, delegation_id, account_id, \(ClosingStatements.isWithdrawn("p")), p.epoch DESC),
            work AS (
                SELECT contract_id, delegation_id, account_id, sum(outcomes)::bigint AS outcomes, sum(valid)::bigint AS valid,
                    bool_or(is_unlocatable) AS is_unlocatable, bool_or(is_contacted) AS is_contacted,
                    bool_or(is_promised) AS is_promised, bool_or(is_agreed) AS is_agreed,
                    bool_or(is_agreed_in_session) AS is_agreed_in_session,
                    bool_or(\(ClosingStatements.billedBy(.session)) IS NOT NULL OR is_agreed_in_session) AS had_session
                FROM close_work GROUP BY 1, 2, 3),
            paid AS (
                SELECT contract_id, delegation_id, account_id, sum(amount)::bigint AS amount FROM close_payment
                WHERE contract_id IS NOT NULL GROUP BY 1, 2, 3)
            SELECT d.contract_id, c.agency_id, d.delegation_id, d.account_id, d.strategy, d.tactic,
                coalesce((SELECT max(first) FROM unnest($3::int[]) first WHERE first <= a.days_late), 0) AS band,
                \(vintage) AS vintage,
                d.is_assigned, d.is_confirmed, coalesce(w.outcomes, 0) AS outcomes, coalesce(w.valid, 0) AS valid,
                coalesce(w.is_unlocatable, false) OR d.is_returned_unlocatable AS is_unlocatable,
                coalesce(w.is_contacted, false) AS is_contacted, coalesce(w.is_promised, false) AS is_promised,
                coalesce(w.is_agreed, false) AS is_agreed, coalesce(w.is_agreed_in_session, false) AS is_agreed_in_session,
                coalesce(w.had_session, false) AS had_session,
                d.due, d.overdue, coalesce(p.amount, 0) AS paid, coalesce(a.regime = $6, false)
                    AND d.delegation_id IN (SELECT g.delegation_id FROM work_goal g WHERE g.period = $1
                        AND g.contract_id IS NULL AND g.indicator = 'flow' AND g.decision = 'approved') AS is_programmed,
                a.accounting = 2 AS was_overdue, a.balance, a.arrears,
                n.arrears AS next_arrears, n.accounting = 2 AS next_overdue, l.accounting = 2 AS later_overdue
            FROM dealt d
            JOIN contract c USING (contract_id)
            LEFT JOIN work w USING (contract_id, delegation_id, account_id)
            LEFT JOIN paid p USING (contract_id, delegation_id, account_id)
            LEFT JOIN account a ON a.period = $1 AND a.delegation_id = d.delegation_id AND a.account_id = d.account_id
                AND \(part.has("a.delegation_id"))
            LEFT JOIN account n ON n.period = $4 AND n.account_id = d.account_id
            LEFT JOIN account l ON l.period = $5 AND l.account_id = d.account_id
            """
    }

    private static func key(_ cut: IndicatorCut) -> String {
        switch cut {
        case .total: "'all'"
        case .agency: "'ACE' || lpad(agency_id::text, greatest(2, length(agency_id::text)), '0')"
        case .contract: "contract_id::text"
        case .delegation: "delegation_id::text"
        case .band: "band::text"
        case .strategy: "strategy::text"
        case .tactic: "tactic"
        case .vintage: "vintage::text"
        case .contractDelegation: "contract_id || '/' || delegation_id"
        }
    }

    /// In the order of ``Indicator/allCases``, without those of agreements: numerator and denominator each, the figure per peso without its denominator. What is
    /// overdue is of the accounts assigned; of the whole cut it is in ``book(by:)``.
    static func figures(by cut: IndicatorCut) -> String {
        """
        SELECT \(key(cut)) AS key,
            count(*) FILTER (WHERE is_unlocatable AND (is_assigned OR is_confirmed)),
            count(*) FILTER (WHERE is_assigned OR is_confirmed),
            count(*) FILTER (WHERE is_contacted AND is_assigned), count(*) FILTER (WHERE is_assigned),
            count(*) FILTER (WHERE is_promised AND is_contacted AND is_assigned),
            count(*) FILTER (WHERE is_contacted AND is_assigned),
            count(*) FILTER (WHERE is_promised AND is_assigned), count(*) FILTER (WHERE is_assigned),
            count(*) FILTER (WHERE paid > 0 AND is_assigned), count(*) FILTER (WHERE is_assigned),
            coalesce(sum(least(paid, overdue)) FILTER (WHERE is_assigned), 0)::bigint,
            coalesce(sum(overdue) FILTER (WHERE is_assigned), 0)::bigint,
            coalesce(sum(paid) FILTER (WHERE is_assigned), 0)::bigint,
            coalesce(sum(due) FILTER (WHERE is_assigned), 0)::bigint,
            coalesce(sum(paid) FILTER (WHERE is_assigned AND is_programmed), 0)::bigint,
            count(*) FILTER (WHERE is_assigned AND next_arrears <= arrears),
            count(*) FILTER (WHERE is_assigned AND next_arrears IS NOT NULL),
            count(*) FILTER (WHERE is_assigned AND was_overdue AND NOT next_overdue),
            count(*) FILTER (WHERE is_assigned AND was_overdue AND next_overdue IS NOT NULL),
            count(*) FILTER (WHERE is_assigned AND NOT was_overdue AND NOT later_overdue),
            count(*) FILTER (WHERE is_assigned AND NOT was_overdue AND later_overdue IS NOT NULL),
            coalesce(sum(paid), 0)::bigint,
            count(*) FILTER (WHERE is_agreed_in_session), count(*) FILTER (WHERE had_session),
            coalesce(sum(valid), 0)::bigint, coalesce(sum(outcomes), 0)::bigint,
            coalesce(sum(paid) FILTER (WHERE paid > 0 AND is_assigned), 0)::bigint,
            count(*) FILTER (WHERE paid > 0 AND is_assigned),
            count(*) FILTER (WHERE valid > 0 AND paid > 0 AND is_assigned),
            count(*) FILTER (WHERE valid > 0 AND is_assigned),
            count(*) FILTER (WHERE valid > 0 AND NOT paid > 0 AND is_assigned), count(*) FILTER (WHERE is_assigned),
            count(*) FILTER (WHERE was_overdue AND is_assigned),
            count(*) FILTER (WHERE was_overdue IS NOT NULL AND is_assigned),
            coalesce(sum(balance) FILTER (WHERE was_overdue AND is_assigned), 0)::bigint,
            coalesce(sum(balance) FILTER (WHERE is_assigned), 0)::bigint
        FROM indicator_account
        GROUP BY 1
        ORDER BY \(cut == .tactic || cut == .total || cut == .agency ? "1"
            : cut == .contractDelegation ? "min(contract_id), min(delegation_id)" : "min(\(number(cut)))")
        """
    }

    private static func number(_ cut: IndicatorCut) -> String {
        switch cut {
        case .total, .agency, .tactic, .contractDelegation: "1"
        case .contract: "contract_id"
        case .delegation: "delegation_id"
        case .band: "band"
        case .strategy: "strategy"
        case .vintage: "vintage"
        }
    }

    /// Fees by a cut that a contract and its delegation tell apart; what falls on a whole invoice is of no delegation. $1 contracts,
    /// $2 delegations, $3 centavos.
    static func spent(by cut: IndicatorCut) -> String {
        """
        SELECT \(key(cut)) AS key, sum(fee)::bigint
        FROM unnest($1::int[], $2::smallint[], $3::bigint[]) f (contract_id, delegation_id, fee)
        JOIN contract USING (contract_id)
        WHERE \(cut == .delegation || cut == .contractDelegation ? "delegation_id <> 0" : "true") GROUP BY 1
        """
    }

    /// What was paid while somebody held the accounts, by such a cut.
    static func received(by cut: IndicatorCut) -> String {
        "SELECT \(key(cut)) AS key, sum(amount)::bigint FROM close_payment JOIN contract USING (contract_id) GROUP BY 1"
    }

    /// Overdue and all accounts of the cut and their balances, in all and by delegation. $1 period.
    static func book(by cut: IndicatorCut) -> String {
        let key = cut == .delegation ? "delegation_id::text" : "'all'"
        let isAsked = cut == .delegation || cut == .total
        return """
            SELECT \(key) AS key, count(*) FILTER (WHERE accounting = 2), count(*),
                coalesce(sum(balance) FILTER (WHERE accounting = 2), 0)::bigint, coalesce(sum(balance), 0)::bigint
            FROM account WHERE period = $1 AND \(isAsked ? "true" : "false") GROUP BY 1
            """
    }

    /// What the delegations' own approved goals that stand programme as flow, in centavos, in all and by delegation. $1 period.
    static func programmed(by cut: IndicatorCut) -> String {
        let key = cut == .delegation ? "delegation_id::text" : "'all'"
        let isAsked = cut == .delegation || cut == .total
        return """
            SELECT \(key) AS key, sum(minimum::numeric * 100)::bigint FROM work_goal g
            WHERE period = $1 AND contract_id IS NULL AND indicator = 'flow' AND decision = 'approved'
                AND NOT EXISTS (SELECT FROM work_goal o WHERE o.replaces = g.goal_id AND o.decision = 'approved')
                AND \(isAsked ? "true" : "false") GROUP BY 1
            """
    }
}
