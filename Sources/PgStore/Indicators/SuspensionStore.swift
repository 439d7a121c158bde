// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// Goals of bands as kept statements have them, and what persons decided about those that were missed.
package struct SuspensionStore {
    private let link: PgLink

    package init(_ link: PgLink) { self.link = link }

    /// Per agency, of the six months that end with `period` and those before that a row of misses may reach.
    package func goals(through period: Period) throws(PgError) -> [(agency: AgencyID, goal: BandGoal)] {
        try link.run(
            """
            SELECT c.agency_id, s.period, band ->> 'band', sum((band ->> 'assigned')::numeric * 100)::bigint,
                sum((band ->> 'recovered')::numeric * 100)::bigint, max((band ->> 'minimum')::bigint),
                bool_and(coalesce(band ->> 'fraction' = 'round', false))
            FROM statement s
            JOIN contract c USING (contract_id)
            CROSS JOIN LATERAL jsonb_array_elements(s.body::jsonb -> 'sections') section
            CROSS JOIN LATERAL jsonb_array_elements(coalesce(section -> 'bands', '[]')) band
            WHERE s.period BETWEEN $1 AND $2
            GROUP BY 1, 2, 3 ORDER BY 1, 3, 2
            """, [.int32(period.advanced(byMonths: -11).number), .int32(period.number)]
        ).compactMap { row in
            guard let agency = AgencyID(row.int32(0)), let period = Period(number: row.int32(1)),
                let band = MoraBand(rawValue: row.text(2))
            else { return nil }
            return (
                agency,
                BandGoal(
                    period: period, band: band, assigned: Cents(row.int64(3)), recovered: Cents(row.int64(4)),
                    minimum: row.int64(5), fraction: row.bool(6) ? .round : .cut)
            )
        }
    }

    package struct Decision: Sendable {
        package let agency: AgencyID
        package let band: MoraBand
        package let kind: SuspensionProposal.Kind
        package let decision: String
        package let reason: String
        package let by: String
        package let accounts: Int64

        package init(
            agency: AgencyID, band: MoraBand, kind: SuspensionProposal.Kind, decision: String, reason: String,
            by: String,
            accounts: Int64
        ) {
            self.agency = agency
            self.band = band
            self.kind = kind
            self.decision = decision
            self.reason = reason
            self.by = by
            self.accounts = accounts
        }
    }

    package func decisions(_ period: Period) throws(PgError) -> [Decision] {
        try link.run(
            """
            SELECT agency_id, band, kind, decision, reason, decided_by, accounts FROM suspension WHERE period = $1
            ORDER BY agency_id, band, kind
            """, [.int32(period.number)]
        ).compactMap { row in
            guard let agency = AgencyID(row.int32(0)), let band = MoraBand(rawValue: row.text(1)),
                let kind = SuspensionProposal.Kind(rawValue: row.text(2))
            else { return nil }
            return Decision(
                agency: agency, band: band, kind: kind, decision: row.text(3), reason: row.text(4), by: row.text(5),
                accounts: row.int64(6))
        }
    }

    /// - Throws: ``PgError`` with code 23505 where it was decided before.
    package func add(_ decision: Decision, _ period: Period) throws(PgError) {
        try link.run(
            """
            INSERT INTO suspension (period, agency_id, band, kind, decision, reason, decided_by, decided_at, accounts)
            VALUES ($1, $2, $3, $4, $5, $6, $7, now_instant(), $8)
            """,
            [
                .int32(period.number), .int32(decision.agency.value), .text(decision.band.rawValue),
                .text(decision.kind.rawValue), .text(decision.decision), .text(decision.reason), .text(decision.by),
                .int64(decision.accounts),
            ])
    }

    /// The tactics whose placements of the latest segmented month all lie in the band: what an agency is suspended from, so that
    /// no plan, round or start gives it any.
    package func tactics(of band: MoraBand) throws(PgError) -> [(strategy: Strategy, tactic: String)] {
        try link.run(
            """
            SELECT p.strategy, p.tactic
            FROM placement p JOIN account a USING (period, delegation_id, account_id)
            WHERE p.period = (SELECT max(period) FROM segmentation) AND p.strategy IS NOT NULL
            GROUP BY 1, 2
            HAVING bool_and(a.days_late >= $1 AND ($2::int IS NULL OR a.days_late <= $2))
            ORDER BY 1, 2
            """, [.int32(band.days.first), .optional(band.days.last)]
        ).compactMap { row in Strategy(rawValue: row.int16(0)).map { ($0, row.text(1)) } }
    }

    /// The agency's contracts in force, by whether they pay by bands as agreed for the month, each ascending.
    package func contracts(
        of agency: AgencyID, _ period: Period
    ) throws(PgError) -> (byBands: [Int32], others: [Int32]) {
        let rows = try link.run(
            """
            SELECT c.contract_id, EXISTS (SELECT FROM schedule x WHERE x.kind = 'fee'
                AND x.schedule = t.fee_schedule AND x.rule = ANY ($3::text[]))
            FROM contract c JOIN (\(ClosingStatements.terms(of: "$2"))) t USING (contract_id)
            WHERE c.agency_id = $1 AND (now_instant() AT TIME ZONE interval '-6 hours')::date BETWEEN c.starts_on AND c.ends_on
            ORDER BY 1
            """,
            [.int32(agency.value), .int32(period.number), .texts(MoraBand.allCases.map(\.rawValue))])
        return (
            rows.filter { $0.bool(1) }.map { $0.int32(0) }, rows.filter { !$0.bool(1) }.map { $0.int32(0) }
        )
    }

    /// Ends contracts on this day, by all of their terms that have begun, whatever fee schedule these name. A file that names one of those
    /// schedules again leaves them at their end, as it does where a budget is used up.
    package func end(_ contracts: [Int32]) throws(PgError) {
        for table in ["contract_term", "contract"] {
            try link.run(
                """
                UPDATE \(table) t SET spent_on = coalesce(t.spent_on, today.day), ends_on = least(t.ends_on, today.day)
                FROM (SELECT (now_instant() AT TIME ZONE interval '-6 hours')::date AS day) today
                WHERE t.contract_id = ANY ($1) AND t.starts_on <= today.day
                """, [.int32s(contracts)])
        }
    }

    /// Puts what the contracts were dealt in the band and have not pulled into the table that ``DealEndings`` ends.
    ///
    /// - Parameter band: `nil`: of any, and of none.
    /// - Returns: how many accounts. Hands that are shared are left alone.
    /// - Locks: their open hands, ascending, so that no pull takes meanwhile what is found here; until the end of the transaction.
    package func stageUnpulled(of contracts: [Int32], in band: MoraBand?) throws(PgError) -> Int {
        try link.run(
            """
            SELECT FROM hand h
            WHERE h.state = 'open' AND cardinality(h.contract_ids) = 1
                AND h.contract_ids[1] = ANY ($1)
            ORDER BY h.delegation_id, h.hand_id FOR NO KEY UPDATE
            """, [.int32s(contracts)])
        return try link.run(
            """
            INSERT INTO to_end (delegation_id, account_id, kind, reason)
            SELECT p.delegation_id, p.account_id, 'withdrawal', 'suspension'
            FROM hand h
            JOIN position p USING (delegation_id, hand_id)
            LEFT JOIN account a ON a.period = h.period AND a.delegation_id = p.delegation_id AND a.account_id = p.account_id
            WHERE h.state = 'open' AND cardinality(h.contract_ids) = 1 AND h.contract_ids[1] = ANY ($1)
                AND ($2::int IS NULL OR a.days_late >= $2 AND ($3::int IS NULL OR a.days_late <= $3))
                AND p.position > coalesce((
                    SELECT max(g.last_position) FROM lease_grant g
                    WHERE g.delegation_id = h.delegation_id AND g.hand_id = h.hand_id), 0)
                AND NOT EXISTS (SELECT FROM ending e WHERE e.delegation_id = p.delegation_id
                    AND e.account_id = p.account_id AND e.epoch = p.epoch)
            ON CONFLICT DO NOTHING
            """, [.int32s(contracts), .optional(band?.days.first), .optional(band?.days.last)]
        ).affected
    }
}
