// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// Projections of open months as they were last made: agencies are told from them. Decides nothing.
package struct ProjectionStore {
    package struct Row: Equatable, Sendable {
        package let period: Period
        package let contract: ContractID
        package let line: ProjectedMonth.Line

        package init(period: Period, contract: ContractID, line: ProjectedMonth.Line) {
            self.period = period
            self.contract = contract
            self.line = line
        }
    }

    private let link: PgLink

    package init(_ link: PgLink) { self.link = link }

    /// The open months that the clock is in, whose projection is older than `interval`. One node at a time: the lock holds until the
    /// transaction ends.
    package func due(every interval: Duration) throws(PgError) -> [Period] {
        guard try link.run("SELECT pg_try_advisory_xact_lock(7607000013)")[0].bool(0) else { return [] }
        return try link.run(
            """
            SELECT p.period FROM period p LEFT JOIN projection j USING (period)
            WHERE p.state = 'open' AND EXISTS (SELECT FROM plan x WHERE x.period = p.period AND x.state = 'applied')
                AND p.period = extract(year FROM (now_instant() AT TIME ZONE interval '-6 hours'))::int * 100
                    + extract(month FROM (now_instant() AT TIME ZONE interval '-6 hours'))::int
                AND (j.made_at IS NULL OR j.made_at <= now_instant() - $1::bigint * interval '1 second')
            ORDER BY 1
            """, [.int64(interval.components.seconds)]
        ).compactMap { Period(number: $0.int32(0)) }
    }

    /// Puts a projection in the place of the month's former one.
    package func replace(_ period: Period, with rows: [Row]) throws(PgError) {
        try link.run("DELETE FROM projection WHERE period = $1", [.int32(period.number)])
        try link.run(
            "INSERT INTO projection (period, made_at) VALUES ($1, now_instant())", [.int32(period.number)])
        let lines = rows.map(\.line)
        try link.run(
            """
            INSERT INTO projection_line (period, contract_id, delegation_id, number, rule, subject, level, now_text,
                limit_text, projected_text, charge, need, mend)
            SELECT $1, contract_id, delegation_id, number, rule, subject, level, now_text, limit_text, projected_text, charge,
                need, mend
            FROM unnest($2::int[], $3::smallint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
                $10::bigint[], $11::text[], $12::text[]) WITH ORDINALITY
                AS l (contract_id, delegation_id, rule, subject, level, now_text, limit_text, projected_text, charge, need, mend,
                    number)
            """,
            [
                .int32(period.number), .int32s(rows.map(\.contract.value)),
                .int16s(lines.map { $0.delegation?.value ?? 0 }), .texts(lines.map(\.rule)),
                .texts(lines.map(\.subject)), .texts(lines.map(\.level.rawValue)), .texts(lines.map(\.now)),
                .texts(lines.map(\.limit)), .texts(lines.map(\.end)), .int64s(lines.map(\.charge.value)),
                .texts(lines.map(\.need)), .texts(lines.map(\.mend)),
            ])
    }

    /// What an agency is told of the open months: charges and minimums that are missed or nearly, by contract and delegation.
    ///
    /// - Parameter delegation: only that one, with what is on the whole invoice.
    package func warnings(of agency: AgencyID, in delegation: Delegation?) throws(PgError) -> [Row] {
        try link.run(
            """
            SELECT l.period, l.contract_id, l.delegation_id, l.rule, l.subject, l.level, l.now_text, l.limit_text,
                l.projected_text, l.charge, l.need, l.mend
            FROM projection_line l JOIN period p USING (period) JOIN contract c USING (contract_id)
            WHERE c.agency_id = $1 AND p.state = 'open' AND l.level <> 'fine'
                AND ($2::smallint IS NULL OR l.delegation_id IN (0, $2))
            ORDER BY l.period, l.contract_id, l.delegation_id, l.number
            """, [.int32(agency.value), .optional(delegation?.value)]
        ).compactMap { row in
            guard let period = Period(number: row.int32(0)), let contract = ContractID(row.int32(1)),
                let level = ProjectedMonth.Level(rawValue: row.text(5))
            else { return nil }
            return Row(
                period: period, contract: contract,
                line: ProjectedMonth.Line(
                    delegation: Delegation(row.int16(2)), rule: row.text(3), subject: row.text(4), level: level,
                    now: row.text(6), limit: row.text(7), end: row.text(8), charge: Cents(row.int64(9)),
                    need: row.text(10), mend: row.text(11)))
        }
    }
}
