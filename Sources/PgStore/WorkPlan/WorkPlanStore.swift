// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// Work plans as they were proposed and decided. Decides nothing.
package struct WorkPlanStore {
    package struct Row: Equatable, Sendable {
        package let goal: WorkGoal
        package let note: String?
        /// `approved`, `rejected`, or `nil` while it waits.
        package let decision: String?
        package let reason: String?
        package let isLate: Bool
        /// The goal that it took the place of.
        package let replaces: String?
        package let decidedBy: String?
        /// Whether an approved one was replaced since, by whatever fact.
        package let isReplaced: Bool
    }

    private let link: PgLink
    private let period: Period

    package init(_ link: PgLink, period: Period) {
        self.link = link
        self.period = period
    }

    /// - Locks: the period's row against its close, until the transaction ends.
    /// - Returns: the period's state; `nil` where there is none.
    package func lockPeriod() throws(PgError) -> String? {
        try link.run("SELECT state FROM period WHERE period = $1 FOR KEY SHARE", [.int32(period.number)])
            .first?.text(0)
    }

    /// By contract, the delegations' own first, then by delegation and number.
    package func rows() throws(PgError) -> [Row] {
        try link.run(
            """
            SELECT g.goal_id, g.contract_id, g.delegation_id, g.tactic, g.indicator, g.minimum, g.weight, g.note,
                g.decision, g.reason, g.is_late, g.replaces, g.decided_by,
                EXISTS (SELECT FROM fact f WHERE f.supersedes = g.goal_id AND f.period = g.period)
                    OR EXISTS (SELECT FROM work_goal o WHERE o.replaces = g.goal_id AND o.decision = 'approved')
            FROM work_goal g WHERE g.period = $1
            ORDER BY g.contract_id NULLS FIRST, g.delegation_id, g.goal_id
            """, [.int32(period.number)]
        ).compactMap { row in
            guard let delegation = Delegation(row.int16(2)),
                let indicator = WorkGoal.Indicator(rawValue: row.text(4)),
                let minimum = Int64(decimal: row.text(5), places: 4),
                let weight = Int64(decimal: row.text(6), places: 4)
            else { return nil }
            return Row(
                goal: WorkGoal(
                    id: row.text(0), contract: row.optionalInt32(1).flatMap { ContractID($0) }, delegation: delegation,
                    tactic: row.optionalText(3), indicator: indicator, minimum: minimum, weight: weight),
                note: row.optionalText(7), decision: row.optionalText(8), reason: row.optionalText(9),
                isLate: row.bool(10), replaces: row.optionalText(11), decidedBy: row.optionalText(12),
                isReplaced: row.bool(13))
        }
    }

    /// When the first account of the month was leased there, to the contract or, of a delegation's own goals, to anybody.
    package func firstGrant(contract: ContractID?, _ delegation: Delegation) throws(PgError) -> Timestamp? {
        try link.run(
            """
            SELECT min(g.granted_at) FROM lease_grant g JOIN hand h USING (delegation_id, hand_id)
            WHERE h.period = $1 AND g.delegation_id = $2 AND ($3::int IS NULL OR g.contract_id = $3)
            """, [.int32(period.number), .int16(delegation.value), .optional(contract?.value)]
        ).first?.optionalTimestamp(0)
    }

    /// The goal that stands for the same thing: a fact of the contract, or an approved goal of the delegation.
    package func standing(_ goal: WorkGoal) throws(PgError) -> String? {
        guard let contract = goal.contract else {
            return try link.run(
                """
                SELECT g.goal_id FROM work_goal g
                WHERE g.period = $1 AND g.delegation_id = $2 AND g.contract_id IS NULL AND g.decision = 'approved'
                    AND g.indicator = $3 AND g.tactic IS NOT DISTINCT FROM $4::text
                    AND NOT EXISTS (SELECT FROM work_goal o WHERE o.replaces = g.goal_id AND o.decision = 'approved')
                ORDER BY g.goal_id DESC LIMIT 1
                """,
                [
                    .int32(period.number), .int16(goal.delegation.value), .text(goal.indicator.rawValue),
                    .optional(goal.tactic),
                ]
            ).first?.text(0)
        }
        return try link.run(
            """
            SELECT f.fact_id FROM fact f
            WHERE f.period = $1 AND f.kind = 'goal' AND f.contract_id = $2 AND f.delegation_id = $3 AND f.subject = $4
                AND NOT EXISTS (SELECT FROM fact later WHERE later.supersedes = f.fact_id AND later.period = $1)
            ORDER BY f.on_date DESC, f.fact_id DESC LIMIT 1
            """,
            [
                .int32(period.number), .int32(contract.value), .int16(goal.delegation.value), .text(goal.subject),
            ]
        ).first?.text(0)
    }

    package func decide(
        _ goal: String, isApproved: Bool, reason: String?, isLate: Bool, replaces: String?, by: String
    ) throws(PgError) {
        try link.run(
            """
            UPDATE work_goal SET decision = $2, reason = $3, is_late = $4, replaces = $5, decided_by = $6,
                decided_at = now_instant()
            WHERE goal_id = $1 AND decision IS NULL
            """,
            [
                .text(goal), .text(isApproved ? "approved" : "rejected"), .optional(reason), .bool(isLate),
                .optional(replaces), .text(by),
            ])
    }

    /// An approved goal of a contract becomes a fact of supervision, dated on the first of the month.
    ///
    /// - Returns: as its ledger record has it.
    package func addFact(_ goal: String) throws(PgError) -> RecordedFact? {
        let rows = try link.run(
            """
            INSERT INTO fact (period, fact_id, kind, contract_id, delegation_id, on_date, subject, value, minimum, weight,
                note, supersedes, import_id)
            SELECT period, goal_id, 'goal', contract_id, delegation_id, $2, indicator || coalesce(':' || tactic, ''), '',
                minimum, weight, coalesce(reason, note), replaces, import_id
            FROM work_goal WHERE goal_id = $1 AND contract_id IS NOT NULL
            RETURNING \(RecordedRows.factColumns)
            """, [.text(goal), .date(period.firstDay)])
        return rows.first.flatMap(RecordedRows.fact)
    }
}
