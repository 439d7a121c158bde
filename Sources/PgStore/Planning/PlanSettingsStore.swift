// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// Plan settings and scores as they were put. Decides nothing.
package struct PlanSettingsStore {
    package struct Row: Sendable {
        /// From which on it is in force.
        package let period: Period
        package let digest: [UInt8]
        package let body: String
        package let person: String
        package let at: Timestamp
    }

    private let link: PgLink

    package init(_ link: PgLink) { self.link = link }

    /// What is in force for a period: of the latest first period the latest row.
    package func inForce(_ period: Period) throws(PgError) -> Row? {
        try link.run(
            """
            SELECT period, digest, body, put_by, put_at FROM plan_settings
             WHERE period <= $1 ORDER BY period DESC, settings_id DESC LIMIT 1
            """, [.int32(period.number)]
        ).first.flatMap(Self.row)
    }

    /// Everything that was ever put, in that order.
    package func history() throws(PgError) -> [Row] {
        try link.run("SELECT period, digest, body, put_by, put_at FROM plan_settings ORDER BY settings_id")
            .compactMap(Self.row)
    }

    package func put(_ period: Period, digest: [UInt8], body: String, by person: String) throws(PgError) {
        try link.run(
            """
            INSERT INTO plan_settings (period, digest, body, put_by, put_at)
            VALUES ($1, $2, $3, $4, now_instant())
            """, [.int32(period.number), .bytes(digest), .text(body), .text(person)])
    }

    /// The scores of every period before `period`, and which of them is the latest that is closed: those that were loaded, else
    /// those that the close kept.
    package func scores(before period: Period) throws(PgError) -> TargetSource.Scores {
        var scores = TargetSource.Scores()
        let rows = try link.run(
            """
            SELECT s.period, s.delegation_id, s.contract_id, s.points, p.state = 'closed'
              FROM (SELECT period, delegation_id, contract_id, points FROM score
                     UNION ALL
                    SELECT period, delegation_id, contract_id, points FROM scorecard c
                     WHERE points IS NOT NULL AND NOT EXISTS (SELECT FROM score l WHERE l.period = c.period)) s
              JOIN period p USING (period)
             WHERE s.period < $1
             ORDER BY s.period
            """, [.int32(period.number)])
        for row in rows {
            guard let month = Period(number: row.int32(0)), let delegation = Delegation(row.int16(1)),
                let contract = ContractID(row.int32(2))
            else { continue }
            scores.points[month, default: [:]][delegation, default: [:]][contract] = Int64(row.int32(3))
            if row.bool(4) { scores.latestClosed = month }
        }
        return scores
    }

    private static func row(_ row: PgRow) -> Row? {
        Period(number: row.int32(0)).map {
            Row(
                period: $0, digest: row.bytes(1), body: row.text(2), person: row.text(3), at: row.timestamp(4))
        }
    }
}
