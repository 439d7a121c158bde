// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// Agreements and promises over all months, with what was paid afterwards.
package struct AgreementStore {
    private let link: PgLink

    package init(_ link: PgLink) { self.link = link }

    package struct Agreement: Sendable {
        /// `nil`: an opening brought it.
        package let outcome: Int64?
        package let delegation: Int16
        package let account: Int64
        package let contract: Int32
        /// Of the hand that it was worked from; `nil` where none is known.
        package let strategy: Strategy?
        package let tactic: String?
        /// In the cut of the month.
        package let daysLate: Int32?
        /// The month of the account's first deal.
        package let vintage: Period?
        package let signedOn: LocalDate
        /// The account's, by month and feed.
        package let money: [AgreementCourse.Money]
        /// Of one that an opening brought.
        package var kept: AgreementCourse.Kept?
    }

    /// The first approved agreement of each account and month of work, up to `through`, whatever delegation it was worked in; by month,
    /// delegation and account.
    ///
    /// - Parameters:
    ///   - through: payments of its feed and of earlier ones count.
    ///   - first: only those of this month of work or later; `nil`: since ever.
    package func agreements(from first: Period? = nil, through: Period) throws(PgError) -> [Agreement] {
        try link.run(
            """
            SELECT o.outcome_id, o.delegation_id, o.account_id, o.contract_id, (o.worked_at AT TIME ZONE interval '-6 hours')::date,
                coalesce(paid.months, '{}'), coalesce(paid.feeds, '{}'), coalesce(paid.amounts, '{}'),
                coalesce(paid.by_employer, '{}'), h.strategy, p.tactic, a.days_late,
                (SELECT min(f.period) FROM deal d JOIN hand f USING (delegation_id, hand_id)
                    WHERE d.delegation_id = o.delegation_id AND d.account_id = o.account_id)
            FROM (
                SELECT DISTINCT ON (o.period, o.account_id) o.* FROM outcome o
                JOIN standing_review r ON r.period = o.period AND r.delegation_id = o.delegation_id
                    AND r.outcome_id = o.outcome_id AND r.decision = 'approved'
                WHERE o.result = $2 AND o.period BETWEEN $3 AND $1
                ORDER BY o.period, o.account_id, o.outcome_id) o
            LEFT JOIN hand h ON h.delegation_id = o.delegation_id AND h.hand_id = o.hand_id
            LEFT JOIN position p ON p.delegation_id = o.delegation_id AND p.hand_id = o.hand_id AND p.position = o.position
            LEFT JOIN account a ON a.period = o.period AND a.delegation_id = o.delegation_id AND a.account_id = o.account_id
            CROSS JOIN LATERAL (\(Self.money(of: "o"))) paid
            ORDER BY o.period, o.delegation_id, o.account_id
            """,
            [
                .int32(through.number), .text(FeeService.agreementResult.rawValue), .int32(first?.number ?? 0),
            ]
        ).map { row in
            Agreement(
                outcome: row.int64(0), delegation: row.int16(1), account: row.int64(2), contract: row.int32(3),
                strategy: row.optionalInt16(9).flatMap(Strategy.init), tactic: row.optionalText(10),
                daysLate: row.optionalInt32(11), vintage: row.optionalInt32(12).flatMap { Period(number: $0) },
                signedOn: row.date(4), money: Self.money(row, from: 5))
        }
    }

    /// The agreements that openings brought until `through`, by account. What they were worked from is not known.
    ///
    /// - Parameter through: payments of its feed and of earlier ones are told.
    package func brought(through: Period) throws(PgError) -> [Agreement] {
        try link.run(
            """
            SELECT g.delegation_id, g.account_id, g.contract_id, g.signed_on, i.period,
                coalesce(paid.months, '{}'), coalesce(paid.feeds, '{}'), coalesce(paid.amounts, '{}'),
                coalesce(paid.by_employer, '{}'), g.payments, coalesce(a.regime = $2, false), a.days_late,
                (SELECT min(f.period) FROM deal d JOIN hand f USING (delegation_id, hand_id)
                    WHERE d.delegation_id = g.delegation_id AND d.account_id = g.account_id)
            FROM opening_agreement g JOIN import i USING (import_id)
            LEFT JOIN account a ON a.period = i.period AND a.delegation_id = g.delegation_id AND a.account_id = g.account_id
            CROSS JOIN LATERAL (\(Self.money(of: "g"))) paid
            WHERE i.period <= $1
            ORDER BY g.delegation_id, g.account_id
            """, [.int32(through.number), .int16(Self.throughEmployer)]
        ).compactMap { row in
            guard let since = Period(number: row.int32(4)) else { return nil }
            return Agreement(
                outcome: nil, delegation: row.int16(0), account: row.int64(1), contract: row.int32(2), strategy: nil,
                tactic: nil, daysLate: row.optionalInt32(11),
                vintage: row.optionalInt32(12).flatMap { Period(number: $0) },
                signedOn: row.date(3), money: Self.money(row, from: 5),
                kept: AgreementCourse.Kept(payments: Int(row.int16(9)), since: since, byEmployer: row.bool(10)))
        }
    }

    /// The regime ROA, as the cut's column is stored: who pays through an employer.
    private static let throughEmployer: Int16 = 2

    /// What feeds until $1 have of the account of `row`, net of what was taken back, by the month in which it was paid and the feed that
    /// says so: arrays `months`, `feeds`, `amounts` and `by_employer`. An account has one number in all delegations, and its payments have
    /// that in which its debtor lives by then.
    private static func money(of row: String) -> String {
        """
        SELECT array_agg(month) AS months, array_agg(feed) AS feeds, array_agg(amount) AS amounts,
            array_agg(by_employer) AS by_employer
        FROM (
            SELECT extract(year FROM p.paid_on)::int * 100 + extract(month FROM p.paid_on)::int AS month, feed,
                sum(p.amount)::bigint AS amount,
                coalesce(sum(p.amount) FILTER (WHERE p.origin = 'employer'), 0)::bigint AS by_employer
            FROM (SELECT coalesce(f.paid_on, x.paid_on) AS paid_on, coalesce(f.origin, x.origin) AS origin, x.period AS feed,
                    CASE WHEN x.reverses IS NULL THEN x.amount ELSE -x.amount END AS amount
                FROM payment x LEFT JOIN payment f ON f.payment_id = x.reverses
                WHERE x.account_id = \(row).account_id AND x.period <= $1) p
            GROUP BY 1, 2) m
        """
    }

    private static func money(_ row: PgRow, from column: Int) -> [AgreementCourse.Money] {
        let feeds = row.int32s(column + 1)
        let amounts = row.int64s(column + 2)
        let byEmployer = row.int64s(column + 3)
        return row.int32s(column).enumerated().compactMap { index, month in
            guard let month = Period(number: month), let feed = Period(number: feeds[index]) else { return nil }
            return AgreementCourse.Money(
                month: month, feed: feed, amount: amounts[index], byEmployer: byEmployer[index])
        }
    }

    package struct Sessions: Equatable, Sendable {
        package let contract: Int32
        /// Outcomes: scheduled, held, missed; of those that were held, agreement refused and agreement signed.
        package let counts: [Int64]

        package init(contract: Int32, counts: [Int64]) {
            self.contract = contract
            self.counts = counts
        }
    }

    /// Valid outcomes about sessions, by contract. A session is an outcome of that channel, and held as where it bills (FEE-11, IND-12),
    /// whatever came of it; one is scheduled through any channel.
    package func sessions(_ period: Period) throws(PgError) -> [Sessions] {
        try link.run(
            """
            SELECT o.contract_id, count(*) FILTER (WHERE o.result = $4),
                count(*) FILTER (WHERE h.is_held), count(*) FILTER (WHERE NOT h.is_held AND o.result <> $4),
                count(*) FILTER (WHERE h.is_held AND o.result = $5), count(*) FILTER (WHERE h.is_held AND o.result = $2)
            FROM outcome o
            CROSS JOIN LATERAL (SELECT o.result <> ALL ($6) AS is_held) h
            LEFT JOIN standing_review r ON r.period = o.period AND r.delegation_id = o.delegation_id
                AND r.outcome_id = o.outcome_id
            LEFT JOIN review_demand q ON q.delegation_id = o.delegation_id AND q.outcome_id = o.outcome_id
            WHERE o.period = $1 AND (o.channel = ANY ($7) OR o.result = $4)
                AND coalesce(r.decision = 'approved', o.result <> ALL ($8) AND coalesce(o.marks <@ $3::text[], true)
                    AND coalesce(q.cause = 'sample', true))
            GROUP BY 1 ORDER BY 1
            """,
            [
                .int32(period.number), .text(FeeService.agreementResult.rawValue), .texts(ReviewClass.acceptedMarks),
                .text(OutcomeResult.sessionScheduled.rawValue), .text(OutcomeResult.agreementRefused.rawValue),
                .texts(FeeService.notHeld.map(\.rawValue)),
                .texts(OutcomeChannel.allCases.filter { $0.kind == .session }.map(\.rawValue)),
                .texts(ReviewClass.allResults.map(\.rawValue)),
            ]
        ).map { row in Sessions(contract: row.int32(0), counts: (1...5).map { row.int64($0) }) }
    }

    package struct Promise: Sendable {
        package let outcome: Int64
        package let delegation: Int16
        package let account: Int64
        package let contract: Int32
        package let amount: Cents?
        package let madeOn: LocalDate
        package let by: LocalDate
        /// From the day of the promise until the grace was over, net of reversals.
        package let paid: Cents
    }

    /// The promises of a month's valid work, by their number.
    package func promises(_ period: Period, graceDays: Int) throws(PgError) -> [Promise] {
        try link.run(
            """
            SELECT o.outcome_id, o.delegation_id, o.account_id, o.contract_id, o.amount, m.made_on, o.promised_on,
                coalesce((SELECT sum(CASE WHEN x.reverses IS NULL THEN x.amount ELSE -x.amount END)
                    FROM payment x LEFT JOIN payment f ON f.payment_id = x.reverses
                    WHERE x.account_id = o.account_id AND coalesce(f.paid_on, x.paid_on) BETWEEN m.made_on AND o.promised_on + $2::int), 0)::bigint
            FROM outcome o
            CROSS JOIN LATERAL (SELECT (o.worked_at AT TIME ZONE interval '-6 hours')::date AS made_on) m
            LEFT JOIN standing_review r ON r.period = o.period AND r.delegation_id = o.delegation_id
                AND r.outcome_id = o.outcome_id
            LEFT JOIN review_demand q ON q.delegation_id = o.delegation_id AND q.outcome_id = o.outcome_id
            WHERE o.period = $1 AND o.result = 'promise' AND o.promised_on IS NOT NULL
                AND coalesce(r.decision = 'approved',
                    coalesce(o.marks <@ $3::text[], true) AND coalesce(q.cause = 'sample', true))
            ORDER BY o.outcome_id
            """,
            [.int32(period.number), .int32(Int32(clamping: graceDays)), .texts(ReviewClass.acceptedMarks)]
        ).map { row in
            Promise(
                outcome: row.int64(0), delegation: row.int16(1), account: row.int64(2), contract: row.int32(3),
                amount: row.optionalInt64(4).map(Cents.init), madeOn: row.date(5), by: row.date(6),
                paid: Cents(row.int64(7)))
        }
    }
}
