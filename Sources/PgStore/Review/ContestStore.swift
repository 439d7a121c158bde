// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// An agency's contest of a rejection: once, and within a time.
package struct ContestStore {
    private let link: PgLink

    package init(_ link: PgLink) { self.link = link }

    package struct Rejection: Sendable {
        package let delegation: Delegation
        package let period: Period
        package let decision: String
        package let reviewedAt: Timestamp
        /// The agency that reported the outcome.
        package let agency: AgencyID
        package let isContested: Bool
    }

    /// What was decided about an outcome of one of `periods`; `nil` where nothing was.
    package func rejection(of outcome: Int64, periods: [Int32]) throws(PgError) -> Rejection? {
        let rows = try link.run(
            """
            SELECT r.delegation_id, r.period, r.decision, r.reviewed_at, o.agency_id, c.outcome_id IS NOT NULL
            FROM review r
            JOIN outcome o ON o.period = r.period AND o.delegation_id = r.delegation_id AND o.outcome_id = r.outcome_id
            LEFT JOIN contest c ON c.delegation_id = r.delegation_id AND c.outcome_id = r.outcome_id
            WHERE r.period = ANY ($1) AND r.outcome_id = $2
            """, [.int32s(periods), .int64(outcome)])
        guard let row = rows.first, let delegation = Delegation(row.int16(0)),
            let period = Period(number: row.int32(1)),
            let agency = AgencyID(row.int32(4))
        else { return nil }
        return Rejection(
            delegation: delegation, period: period, decision: row.text(2), reviewedAt: row.timestamp(3), agency: agency,
            isContested: row.bool(5))
    }

    /// Contests of a period's outcomes that wait for their second decision, and when each was raised; by outcome.
    package func open(_ period: Period) throws(PgError) -> [(outcome: Int64, at: Timestamp)] {
        try link.run(
            "SELECT outcome_id, contested_at FROM contest WHERE period = $1 AND decision IS NULL ORDER BY outcome_id",
            [.int32(period.number)]
        ).map { ($0.int64(0), $0.timestamp(1)) }
    }

    /// Rejections of a period that nobody contested, by when they were decided, ascending: how many of each instant.
    package func contestable(_ period: Period) throws(PgError) -> [(at: Timestamp, count: Int)] {
        try link.run(
            """
            SELECT r.reviewed_at, count(*) FROM review r
            WHERE r.period = $1 AND r.decision = 'rejected' AND NOT EXISTS (SELECT FROM contest c
                WHERE c.delegation_id = r.delegation_id AND c.outcome_id = r.outcome_id)
            GROUP BY 1 ORDER BY 1
            """, [.int32(period.number)]
        ).map { ($0.timestamp(0), Int($0.int64(1))) }
    }

    /// - Parameter now: as its record has it.
    package func add(
        _ outcome: Int64, _ rejection: Rejection, reason: String, by: String, at now: Timestamp
    ) throws(PgError) {
        try link.run(
            """
            INSERT INTO contest (delegation_id, outcome_id, period, reason, contested_by, contested_at)
            VALUES ($1, $2, $3, $4, $5, $6)
            """,
            [
                .int16(rejection.delegation.value), .int64(outcome), .int32(rejection.period.number), .text(reason),
                .text(by), .timestamp(now),
            ])
    }
}
