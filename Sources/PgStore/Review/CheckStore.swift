// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// Automatic checks of a month's outcomes, and the seeded sample of the others.
package struct CheckStore {
    package struct Sampling: Equatable, Sendable {
        package let seed: Int64
        package let rate: BasisPoints
        package let by: String

        package init(seed: Int64, rate: BasisPoints, by: String) {
            self.seed = seed
            self.rate = rate
            self.by = by
        }
    }

    private let link: PgLink
    private let period: Period

    package init(_ link: PgLink, period: Period) {
        self.link = link
        self.period = period
    }

    /// - Locks: the period's row against its close, until the transaction ends.
    package func lockPeriod() throws(PgError) -> String? {
        try link.run("SELECT state FROM period WHERE period = $1 FOR KEY SHARE", [.int32(period.number)])
            .first?.text(0)
    }

    package func sampling() throws(PgError) -> Sampling? {
        try link.run("SELECT seed, rate_bp, set_by FROM review_sampling WHERE period = $1", [.int32(period.number)])
            .first.flatMap { row in
                BasisPoints(Int64(row.int32(1))).map { Sampling(seed: row.int64(0), rate: $0, by: row.text(2)) }
            }
    }

    /// Whether the month has outcomes and nobody ever ran the checks.
    package func neverRan() throws(PgError) -> Bool {
        try link.run(
            """
            SELECT EXISTS (SELECT FROM outcome WHERE period = $1)
                AND NOT EXISTS (SELECT FROM review_sampling WHERE period = $1)
            """, [.int32(period.number)])[0].bool(0)
    }

    /// When the checks ran first; `nil`: never.
    package func firstRunAt() throws(PgError) -> Timestamp? {
        try link.run("SELECT set_at FROM review_sampling WHERE period = $1", [.int32(period.number)])
            .first?.timestamp(0)
    }

    /// How many outcomes that came after the checks ran first would be noted by them now, and are not: what was reported late, or while
    /// they ran. Exact at any time, because neither checks nor sample depend on when they run.
    package func unchecked() throws(PgError) -> Int64 {
        guard let sampling = try sampling(), let first = try firstRunAt() else { return 0 }
        return try link.run(
            Self.unchecked,
            parameters(sampling) + [.timestamp(first.advanced(by: .seconds(-Self.commitSeconds)))]
        )[0].int64(0)
    }

    /// A report that was received before the checks looked may be committed behind them; none takes so long.
    private static let commitSeconds = 3600

    /// Until when reviews of the month count: so many business days behind its last day; or, where the checks ran for the first time or
    /// found something after that, behind the day on which they last did, so that what they found can still be approved.
    package func reviewsUntil(businessDays days: Int) throws(PgError) -> Timestamp {
        let own = period.reviewDeadline(businessDays: days)
        guard let last = try [firstRunAt(), lastFoundAt()].compactMap(\.self).max(), last >= own else { return own }
        return last.deadline(businessDays: days)
    }

    private func lastFoundAt() throws(PgError) -> Timestamp? {
        try link.run("SELECT max(found_at) FROM review_demand WHERE period = $1", [.int32(period.number)])[0]
            .optionalTimestamp(0)
    }

    package func set(_ sampling: Sampling) throws(PgError) {
        try link.run(
            """
            INSERT INTO review_sampling (period, seed, rate_bp, set_by, set_at)
            VALUES ($1, $2, $3, $4, now_instant()) ON CONFLICT DO NOTHING
            """,
            [
                .int32(period.number), .int64(sampling.seed), .int32(Int32(clamping: sampling.rate.value)),
                .text(sampling.by),
            ])
    }

    /// Notes every outcome that fails a check, and those that the sample draws of the rest. What was noted stays so.
    ///
    /// - Returns: how many are new.
    package func run(_ sampling: Sampling) throws(PgError) -> Int {
        try link.run(Self.checks, parameters(sampling)).affected
    }

    private func parameters(_ sampling: Sampling) -> [PgValue] {
        [
            .int32(period.number), .texts(ReviewClass.allResults.map(\.rawValue)),
            .texts(ReviewClass.acceptedMarks), .int32(Int32(OutcomeCheck.promiseDaysMax)),
            .int32(Int32(OutcomeCheck.repeatedWithin)), .text("\(sampling.seed):"),
            .int32(Int32(clamping: sampling.rate.value)), .texts(OutcomeCheck.allCases.map(\.rawValue)),
        ]
    }

    /// How many outcomes each cause has, and how many of them were approved and rejected.
    package func counts() throws(PgError) -> [(cause: String, all: Int64, approved: Int64, rejected: Int64)] {
        try link.run(
            """
            SELECT d.cause, count(*), count(*) FILTER (WHERE r.decision = 'approved'),
                count(*) FILTER (WHERE r.decision = 'rejected')
            FROM review_demand d
            LEFT JOIN standing_review r ON r.delegation_id = d.delegation_id AND r.outcome_id = d.outcome_id
            WHERE d.period = $1 GROUP BY 1 ORDER BY 1
            """, [.int32(period.number)]
        ).map { ($0.text(0), $0.int64(1), $0.int64(2), $0.int64(3)) }
    }

    /// By delegation and number, one at a time.
    package func each(_ body: (_ outcome: Int64, _ delegation: Int16, _ cause: String) throws -> Void) throws {
        try link.copyOut(
            "COPY (SELECT outcome_id, delegation_id, cause FROM review_demand WHERE period = \(period.number) "
                + "ORDER BY delegation_id, outcome_id) TO STDOUT (FORMAT binary)"
        ) { row in
            try body(row.int64(), row.int16(), row.text())
        }
    }

    /// $1 period, $2 results that need a review anyway, $3 marks that ask for none, $4 days, $5 seconds, $6 the sample's salt,
    /// $7 its rate, $8 names of the checks.
    ///
    /// The sample is the outcomes whose SHA-256 of salt and number, its first four bytes as a number, modulo 10,000 lies below the
    /// rate: no order and no server decides it.
    private static let checks = """
        INSERT INTO review_demand (period, delegation_id, outcome_id, cause, found_at)
        SELECT $1, delegation_id, outcome_id, cause, now_instant() FROM (\(found(among: "true"))) found
        ON CONFLICT (delegation_id, outcome_id) DO UPDATE SET cause = excluded.cause, found_at = excluded.found_at
            WHERE review_demand.cause = 'sample' AND excluded.cause <> 'sample'
        """

    /// Those received from $9 on; checked among all of their accounts' outcomes.
    private static let unchecked = """
        SELECT count(*)
        FROM (\(found(among: late))) found
        LEFT JOIN review_demand q USING (delegation_id, outcome_id)
        WHERE received_at >= $9 AND (q.outcome_id IS NULL OR q.cause = 'sample' AND found.cause <> 'sample')
        """

    private static let late = """
        (o.delegation_id, o.account_id) IN (
            SELECT delegation_id, account_id FROM outcome WHERE period = $1 AND received_at >= $9)
        """

    /// What fails a check or is drawn, of the accounts whose outcomes `o` a condition names.
    private static func found(among condition: String) -> String {
        """
        SELECT delegation_id, outcome_id, received_at, coalesce(failed, 'sample') AS cause
        FROM (
            SELECT o.delegation_id, o.outcome_id, o.received_at,
                CASE
                    WHEN o.result IN ('promise', 'refusal', 'payment-announced') AND o.contact IN ('none', 'unlocatable')
                        THEN ($8::text[])[1]
                    WHEN o.result IN ('session-held', 'no-show') AND o.channel <> 'mediation-session'
                        OR o.result = 'wrong-number' AND o.channel NOT IN ('phone-out', 'phone-in', 'sms')
                        THEN ($8::text[])[2]
                    WHEN o.result = 'promise'
                        AND o.promised_on > (o.worked_at AT TIME ZONE interval '-6 hours')::date + $4::int
                        THEN ($8::text[])[3]
                    WHEN o.result = 'promise' AND o.amount > a.balance THEN ($8::text[])[4]
                    WHEN o.worked_at - lag(o.worked_at) OVER (
                        PARTITION BY o.delegation_id, o.account_id, o.agency_id, o.channel, o.contact, o.result
                        ORDER BY o.worked_at, o.outcome_id) < $5::int * interval '1 second'
                        THEN ($8::text[])[5]
                END AS failed
            FROM outcome o
            LEFT JOIN account a ON a.period = $1 AND a.delegation_id = o.delegation_id AND a.account_id = o.account_id
            WHERE o.period = $1 AND NOT o.result = ANY ($2::text[]) AND coalesce(o.marks <@ $3::text[], true) AND \(condition)) checked
        WHERE failed IS NOT NULL
            OR ('x' || left(encode(sha256(convert_to($6::text || outcome_id, 'UTF8')), 'hex'), 8))::bit(32)::bigint
                % 10000 < $7::int
        """
    }
}
