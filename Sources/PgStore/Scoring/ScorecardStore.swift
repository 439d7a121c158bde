// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// Scorecards of closed months as they were kept, what they weigh, and the counts behind an agency's conduct. Decides nothing.
package struct ScorecardStore {
    private let link: PgLink
    private let period: Period

    package init(_ link: PgLink, period: Period) {
        self.link = link
        self.period = period
    }

    /// The weights in force for the period, and the month that they were loaded for; `nil`: nobody has loaded any.
    package func weights() throws(PgError) -> (from: Period, weights: ScorecardWeights)? {
        let rows = try link.run(
            """
            SELECT period, measure, weight, sample FROM scorecard_weight
            WHERE period = (SELECT max(period) FROM scorecard_weight WHERE period <= $1)
            """, [.int32(period.number)])
        guard let from = rows.first.flatMap({ Period(number: $0.int32(0)) }) else { return nil }
        let entries = rows.compactMap { row in
            ScorecardMeasure(rawValue: row.text(1)).map {
                ScorecardWeights.Entry($0, weight: Int64(row.int32(2)), sample: Int64(row.int32(3)))
            }
        }
        return (from, ScorecardWeights(entries))
    }

    package struct Kept: Equatable, Sendable {
        package let delegation: Int16
        package let contract: Int32
        package let points: Int64?
        package let isNeutral: Bool
        /// Canonical JSON.
        package let body: String

        package init(delegation: Int16, contract: Int32, points: Int64?, isNeutral: Bool, body: String) {
            self.delegation = delegation
            self.contract = contract
            self.points = points
            self.isNeutral = isNeutral
            self.body = body
        }
    }

    /// By delegation and contract.
    package func kept() throws(PgError) -> [Kept] {
        try link.run(
            """
            SELECT delegation_id, contract_id, points, is_neutral, body FROM scorecard WHERE period = $1
            ORDER BY delegation_id, contract_id
            """, [.int32(period.number)]
        ).map { row in
            Kept(
                delegation: row.int16(0), contract: row.int32(1), points: row.optionalInt32(2).map(Int64.init),
                isNeutral: row.bool(3), body: row.text(4))
        }
    }

    package func keep(_ rows: [Kept]) throws(PgError) {
        try link.run(
            """
            INSERT INTO scorecard (period, delegation_id, contract_id, points, is_neutral, body)
            SELECT $1, delegation_id, contract_id, nullif(points, -1), is_neutral = 1, body
            FROM unnest($2::smallint[], $3::int[], $4::int[], $5::smallint[], $6::text[])
                AS s (delegation_id, contract_id, points, is_neutral, body)
            """,
            [
                .int32(period.number), .int16s(rows.map(\.delegation)), .int32s(rows.map(\.contract)),
                .int32s(rows.map { Int32(clamping: $0.points ?? -1) }), .int16s(rows.map { $0.isNeutral ? 1 : 0 }),
                .texts(rows.map(\.body)),
            ])
    }

    /// Whose contract each is.
    package func agencies() throws(PgError) -> [Int32: AgencyID] {
        Dictionary(
            try link.run("SELECT contract_id, agency_id FROM contract").compactMap { row in
                AgencyID(row.int32(1)).map { (row.int32(0), $0) }
            }, uniquingKeysWith: { $1 })
    }

    /// Scores of mediation's supervision by place: their sum in hundredths of a percent, and how many.
    package func mediation() throws(PgError) -> [StatementPlace: (sum: Int64, count: Int64)] {
        Dictionary(
            try link.run(
                """
                SELECT f.contract_id, f.delegation_id, round(sum(f.value::numeric) * 100)::bigint, count(*) FROM fact f
                WHERE f.period = $1 AND f.kind = 'mediation'
                    AND NOT EXISTS (SELECT FROM fact later WHERE later.supersedes = f.fact_id AND later.period = $1)
                GROUP BY 1, 2
                """, [.int32(period.number)]
            ).map { row in
                (
                    StatementPlace(contract: row.int32(0), delegation: row.int16(1)),
                    (sum: row.int64(2), count: row.int64(3))
                )
            }, uniquingKeysWith: { $1 })
    }

    package typealias ConductCounts = [ConductScore.Criterion: ConductScore.Count]

    /// What each agency's conduct is scored from: complaints over accounts worked, rejections over reviews, marked outcomes over all.
    ///
    /// - Parameter parts: what counted the month, in this transaction.
    package func conduct(_ parts: MonthParts) throws(PgError) -> [AgencyID: ConductCounts] {
        var counts: [AgencyID: ConductCounts] = [:]
        let classes = ReviewClass.allCases.map(\.results).map { $0.map(\.rawValue) }
        for row in try parts.run(
            [
                .int32(period.number), .texts(classes.first ?? []), .texts(classes.last ?? []),
            ], Self.conductCounts)
        {
            guard let agency = AgencyID(row.int32(0)) else { continue }
            for (index, criterion) in ConductScore.Criterion.allCases.enumerated() {
                let before = counts[agency]?[criterion]
                counts[agency, default: [:]][criterion] = ConductScore.Count(
                    bad: (before?.bad ?? 0) + row.int64(1 + 2 * index),
                    all: (before?.all ?? 0) + row.int64(2 + 2 * index))
            }
        }
        return counts
    }

    /// In the order of ``ConductScore/Criterion``. $1 period, $2 results of dwellings, $3 of agreements.
    private static func conductCounts(_ part: MonthParts.Part) -> String {
        """
        WITH worked AS (
            SELECT contract_id, count(*) AS n FROM (
                SELECT contract_id, delegation_id, account_id FROM close_work WHERE valid > 0 GROUP BY 1, 2, 3) a
            GROUP BY 1),
        complaint AS (
            SELECT f.contract_id, sum(f.value::bigint) AS n FROM fact f
            WHERE f.period = $1 AND f.kind = 'complaint' AND \(part.has("f.delegation_id"))
                AND NOT EXISTS (SELECT FROM fact later WHERE later.supersedes = f.fact_id AND later.period = $1)
            GROUP BY 1),
        reviewed AS (
            SELECT contract_id,
                count(*) FILTER (WHERE result = ANY ($2::text[]) AND decision = 'rejected') AS dwelling_bad,
                count(*) FILTER (WHERE result = ANY ($2::text[])) AS dwelling,
                count(*) FILTER (WHERE result = ANY ($3::text[]) AND decision = 'rejected') AS agreement_bad,
                count(*) FILTER (WHERE result = ANY ($3::text[])) AS agreement,
                count(*) FILTER (WHERE NOT result = ANY ($2::text[] || $3::text[]) AND decision = 'rejected') AS other_bad,
                count(*) FILTER (WHERE NOT result = ANY ($2::text[] || $3::text[])) AS other
            FROM close_judged WHERE decision IS NOT NULL
            GROUP BY 1),
        done AS (
            SELECT contract_id, sum(marked)::bigint AS marked, sum(outcomes)::bigint AS n FROM close_work GROUP BY 1)
        SELECT c.agency_id, coalesce(sum(m.n), 0)::bigint, coalesce(sum(w.n), 0)::bigint,
            coalesce(sum(r.dwelling_bad), 0)::bigint, coalesce(sum(r.dwelling), 0)::bigint,
            coalesce(sum(r.agreement_bad), 0)::bigint, coalesce(sum(r.agreement), 0)::bigint,
            coalesce(sum(r.other_bad), 0)::bigint, coalesce(sum(r.other), 0)::bigint,
            coalesce(sum(d.marked), 0)::bigint, coalesce(sum(d.n), 0)::bigint
        FROM contract c
        LEFT JOIN complaint m USING (contract_id) LEFT JOIN worked w USING (contract_id)
        LEFT JOIN reviewed r USING (contract_id) LEFT JOIN done d USING (contract_id)
        WHERE m.n > 0 OR d.n > 0
        GROUP BY 1 ORDER BY 1
        """
    }
}
