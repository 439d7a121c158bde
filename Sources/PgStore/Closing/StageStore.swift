// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// What is said and decided about a month between its end and its final statements.
package struct StageStore {
    private let link: PgLink

    package init(_ link: PgLink) { self.link = link }

    /// `nil` where nothing was ever imported for the period.
    ///
    /// - Parameter objectionDays: business days that agencies have behind the day of the latest issue.
    package func facts(of period: Period, objectionDays: Int) throws(PgError) -> PeriodStage.Facts? {
        let rows = try link.run(
            """
            SELECT p.state, r.period IS NOT NULL,
                (SELECT max(issued_at) FROM pre_statement s WHERE s.period = p.period),
                (SELECT count(*) FROM statement_objection o WHERE o.period = p.period AND o.decision IS NULL)
                    + (SELECT count(*) FROM adjustment a WHERE a.period = p.period AND a.decision IS NULL),
                EXISTS (SELECT FROM adjustment a JOIN period b ON b.period = a.period
                    WHERE a.about = p.period AND a.period > p.period AND a.decision = 'approved' AND b.state = 'closed'
                        AND NOT EXISTS (SELECT FROM adjustment w
                            WHERE w.rule = 'A-' || a.adjustment_id AND w.decision = 'approved'))
            FROM period p LEFT JOIN period_root r USING (period) WHERE p.period = $1
            """, [.int32(period.number)])
        guard let row = rows.first else { return nil }
        let end = Timestamp(
            date: period.advanced(byMonths: 1).firstDay,
            offsetSeconds: MexicanTimeZone.mexicoCity.standardOffsetSeconds)
        var facts = PeriodStage.Facts(end: end)
        facts.isClosing = row.text(0) == PeriodStore.State.closing.rawValue
        facts.isClosed = row.text(0) == PeriodStore.State.closed.rawValue
        facts.isSigned = row.bool(1)
        facts.objectionsUntil = row.optionalTimestamp(2)?.deadline(businessDays: objectionDays)
        facts.undecided = row.int64(3)
        facts.isAdjusted = row.bool(4)
        return facts
    }

    /// Objections and adjustments of a period that wait for a decision.
    package func undecided(_ period: Period) throws(PgError) -> Int64 {
        try link.run(
            """
            SELECT (SELECT count(*) FROM statement_objection WHERE period = $1 AND decision IS NULL)
                + (SELECT count(*) FROM adjustment WHERE period = $1 AND decision IS NULL)
            """, [.int32(period.number)])[0].int64(0)
    }

    /// Ascending.
    package func periods() throws(PgError) -> [Period] {
        try link.run("SELECT period FROM period ORDER BY period").compactMap { Period(number: $0.int32(0)) }
    }

    // MARK: - Pre-statements

    /// Puts them in the place of those that were out. One that is byte for byte what was out stays as it is, with the day it was issued.
    ///
    /// - Returns: how many are new or changed.
    package func issue(
        _ statements: [PeriodStore.StoredStatement], _ period: Period, by: String
    ) throws(PgError) -> Int {
        try link.run(
            """
            DELETE FROM pre_statement p WHERE period = $1 AND NOT EXISTS (
                SELECT FROM unnest($2::int[], $3::bytea[]) n (contract_id, digest)
                WHERE (n.contract_id, n.digest) = (p.contract_id, p.digest))
            """,
            [
                .int32(period.number), .int32s(statements.map(\.contract)), .byteArrays(statements.map(\.digest)),
            ])
        var changed = 0
        for statement in statements {
            changed += try link.run(
                """
                INSERT INTO pre_statement (period, contract_id, digest, body, issued_by, issued_at)
                VALUES ($1, $2, $3, $4, $5, now_instant()) ON CONFLICT DO NOTHING
                """,
                [
                    .int32(period.number), .int32(statement.contract), .bytes(statement.digest), .text(statement.body),
                    .text(by),
                ]
            ).affected
        }
        return changed
    }

    /// When the contract's pre-statement was put out as it is; `nil` where it has none.
    package func issuedAt(_ period: Period, contract: Int32) throws(PgError) -> Timestamp? {
        try link.run(
            "SELECT issued_at FROM pre_statement WHERE period = $1 AND contract_id = $2",
            [.int32(period.number), .int32(contract)]
        ).first?.timestamp(0)
    }

    /// What is out, ascending by contract.
    package func preStatements(_ period: Period) throws(PgError) -> [PeriodStore.StoredStatement] {
        try link.run(
            "SELECT contract_id, digest, body FROM pre_statement WHERE period = $1 ORDER BY contract_id",
            [.int32(period.number)]
        ).map { PeriodStore.StoredStatement(contract: $0.int32(0), digest: $0.bytes(1), body: $0.text(2)) }
    }

    package func preStatement(_ period: Period, contract: Int32) throws(PgError) -> String? {
        try link.run(
            "SELECT body FROM pre_statement WHERE period = $1 AND contract_id = $2",
            [.int32(period.number), .int32(contract)]
        ).first?.text(0)
    }

    /// A closed month's statement of a contract; `nil` where it has none.
    package func statement(_ period: Period, contract: Int32) throws(PgError) -> String? {
        try link.run(
            "SELECT body FROM statement WHERE period = $1 AND contract_id = $2",
            [.int32(period.number), .int32(contract)]
        ).first?.text(0)
    }

    /// Where a contract works, ascending; `nil` where there is no such contract.
    package func delegations(ofContract contract: Int32) throws(PgError) -> [Int16]? {
        try link.run(
            """
            SELECT ARRAY(SELECT DISTINCT delegation_id::int FROM contract_capacity p
                WHERE p.contract_id = c.contract_id ORDER BY 1)
            FROM contract c WHERE c.contract_id = $1
            """, [.int32(contract)]
        ).first?.int32s(0).map { Int16(clamping: $0) }
    }

    /// The name of a contract's fee schedule, as agreed for a month.
    package func feeSchedule(ofContract contract: Int32, in period: Period) throws(PgError) -> String? {
        try link.run(
            "SELECT fee_schedule FROM (\(ClosingStatements.feeSchedules)) c WHERE contract_id = $2",
            [.int32(period.number), .int32(contract)]
        ).first?.text(0)
    }

    // MARK: - Objections

    package struct Objection: Sendable {
        package let number: Int64
        package let period: Period
        package let contract: Int32
        package let delegation: Int16?
        package let rule: String
        package let reason: String
        package let raisedBy: String
        package let raisedAt: Timestamp
        package let decision: String?
        package let decisionReason: String?
        package let decidedBy: String?
    }

    package func raise(
        _ period: Period, contract: Int32, delegation: Int16?, rule: String, reason: String, by: String
    ) throws(PgError) -> Int64 {
        try link.run(
            """
            INSERT INTO statement_objection (period, contract_id, delegation_id, rule, reason, raised_by, raised_at)
            VALUES ($1, $2, $3, $4, $5, $6, now_instant()) RETURNING objection_id
            """,
            [
                .int32(period.number), .int32(contract), .optional(delegation), .text(rule), .text(reason), .text(by),
            ])[0].int64(0)
    }

    /// - Parameter number: only this one.
    package func objections(_ period: Period?, number: Int64? = nil) throws(PgError) -> [Objection] {
        try link.run(
            """
            SELECT objection_id, period, contract_id, delegation_id, rule, reason, raised_by, raised_at, decision,
                decision_reason, decided_by
            FROM statement_objection
            WHERE ($1::int IS NULL OR period = $1) AND ($2::bigint IS NULL OR objection_id = $2) ORDER BY objection_id
            """, [.optional(period?.number), .optional(number)]
        ).compactMap { row in
            Period(number: row.int32(1)).map { period in
                Objection(
                    number: row.int64(0), period: period, contract: row.int32(2), delegation: row.optionalInt16(3),
                    rule: row.text(4), reason: row.text(5), raisedBy: row.text(6), raisedAt: row.timestamp(7),
                    decision: row.optionalText(8), decisionReason: row.optionalText(9), decidedBy: row.optionalText(10))
            }
        }
    }

    /// - Returns: whether it was there and undecided.
    package func decide(_ number: Int64, isUpheld: Bool, reason: String, by: String) throws(PgError) -> Bool {
        try link.run(
            """
            UPDATE statement_objection SET decision = $2, decision_reason = $3, decided_by = $4, decided_at = now_instant()
            WHERE objection_id = $1 AND decision IS NULL
            """, [.int64(number), .text(isUpheld ? "upheld" : "rejected"), .text(reason), .text(by)]
        ).affected == 1
    }

    // MARK: - Adjustments

    package struct AdjustmentRow: Sendable {
        package let adjustment: Adjustment
        package let period: Period
        package let contract: Int32
        package let delegation: Int16?
        package let proposedBy: String
        package let decision: String?
        package let decidedBy: String?
        /// `nil` also where it was decided before reasons were asked for.
        package let decisionReason: String?
        /// The objection that was upheld, where it came of one.
        package let objection: Int64?

        package var isApproved: Bool { decision == "approved" }
    }

    /// Those that are in force or wait: neither rejected nor withdrawn. Of all of a contract's rows.
    package static func standing(_ rows: [AdjustmentRow]) -> [AdjustmentRow] {
        let withdrawn = Set(rows.filter(\.isApproved).compactMap(\.adjustment.withdraws))
        return rows.filter { $0.decision != "rejected" && !withdrawn.contains($0.adjustment.number) }
    }

    package func propose(
        _ adjustment: Adjustment, in period: Period, contract: Int32, delegation: Int16?, objection: Int64?, by: String
    ) throws(PgError) -> Int64 {
        try link.run(
            """
            INSERT INTO adjustment (period, about, contract_id, delegation_id, kind, rule, amount, reason, objection_id,
                proposed_by, proposed_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, now_instant()) RETURNING adjustment_id
            """,
            [
                .int32(period.number), .int32(adjustment.about.number), .int32(contract), .optional(delegation),
                .text(adjustment.kind.rawValue), .text(adjustment.rule), .optional(adjustment.amount?.value),
                .text(adjustment.reason), .optional(objection), .text(by),
            ])[0].int64(0)
    }

    /// - Returns: whether it was there and undecided.
    package func decide(adjustment number: Int64, isApproved: Bool, reason: String, by: String) throws(PgError) -> Bool
    {
        try link.run(
            """
            UPDATE adjustment SET decision = $2, decided_by = $3, decision_reason = $4, decided_at = now_instant()
            WHERE adjustment_id = $1 AND decision IS NULL
            """, [.int64(number), .text(isApproved ? "approved" : "rejected"), .text(by), .text(reason)]
        ).affected == 1
    }

    /// Notes that an adjustment which waits follows from an objection as well.
    package func adopt(adjustment number: Int64, objection: Int64) throws(PgError) {
        try link.run(
            """
            UPDATE adjustment SET objection_id = $2
            WHERE adjustment_id = $1 AND decision IS NULL AND objection_id IS NULL
            """, [.int64(number), .int64(objection)])
    }

    /// In the order of their proposal.
    package func adjustments(_ period: Period?, number: Int64? = nil) throws(PgError) -> [AdjustmentRow] {
        try link.run(
            """
            SELECT adjustment_id, period, about, contract_id, delegation_id, kind, rule, amount, reason, proposed_by,
                decision, decided_by, decision_reason, objection_id
            FROM adjustment
            WHERE ($1::int IS NULL OR period = $1) AND ($2::bigint IS NULL OR adjustment_id = $2)
            ORDER BY adjustment_id
            """, [.optional(period?.number), .optional(number)]
        ).compactMap { row in
            guard let period = Period(number: row.int32(1)), let about = Period(number: row.int32(2)),
                let kind = Adjustment.Kind(rawValue: row.text(5))
            else { return nil }
            return AdjustmentRow(
                adjustment: Adjustment(
                    number: row.int64(0), kind: kind, rule: row.text(6), amount: row.optionalInt64(7).map(Cents.init),
                    about: about, reason: row.text(8),
                    objection: kind == .credit ? row.optionalInt64(13) : nil),
                period: period, contract: row.int32(3), delegation: row.optionalInt16(4), proposedBy: row.text(9),
                decision: row.optionalText(10), decidedBy: row.optionalText(11), decisionReason: row.optionalText(12),
                objection: row.optionalInt64(13))
        }
    }

    // MARK: - The close

    package struct Proposal: Sendable {
        package let by: String
        package let at: Timestamp
    }

    /// Keeps who proposes the close, and the figures that are proposed in the place of the latest preview's. The latest proposal stands.
    ///
    /// - Returns: the one whose place it takes.
    @discardableResult
    package func proposeClose(
        _ period: Period, _ shown: [(contract: Int32, figures: Shown)], by: String
    ) throws(PgError) -> Proposal? {
        let former = try proposal(of: period)
        let now = try link.run("SELECT now_instant()")[0].timestamp(0)
        try link.run(
            """
            INSERT INTO closing_proposal (period, proposed_by, proposed_at) VALUES ($1, $2, $3)
            ON CONFLICT (period) DO UPDATE SET proposed_by = excluded.proposed_by, proposed_at = excluded.proposed_at
            """, [.int32(period.number), .text(by), .timestamp(now)])
        try keepPreview(period, shown, at: now)
        return former
    }

    package func proposal(of period: Period) throws(PgError) -> Proposal? {
        try link.run(
            "SELECT proposed_by, proposed_at FROM closing_proposal WHERE period = $1", [.int32(period.number)]
        ).first.map { Proposal(by: $0.text(0), at: $0.timestamp(1)) }
    }

    // MARK: - Previews

    package struct Shown: Equatable, Sendable {
        package let fees: Cents
        package let penalties: Cents
        /// Of the whole statement.
        package let digest: [UInt8]

        package init(fees: Cents, penalties: Cents, digest: [UInt8]) {
            self.fees = fees
            self.penalties = penalties
            self.digest = digest
        }
    }

    /// What the latest preview showed, by contract, and when.
    package func preview(_ period: Period) throws(PgError) -> (shown: [Int32: Shown], at: Timestamp)? {
        let rows = try link.run(
            "SELECT contract_id, fees, penalties, made_at, digest FROM preview WHERE period = $1",
            [.int32(period.number)])
        guard let first = rows.first else { return nil }
        let shown = rows.map {
            ($0.int32(0), Shown(fees: Cents($0.int64(1)), penalties: Cents($0.int64(2)), digest: $0.bytes(4)))
        }
        return (Dictionary(shown, uniquingKeysWith: { $1 }), first.timestamp(3))
    }

    /// - Parameter now: when they were shown.
    package func keepPreview(
        _ period: Period, _ shown: [(contract: Int32, figures: Shown)], at now: Timestamp
    ) throws(PgError) {
        try link.run("DELETE FROM preview WHERE period = $1", [.int32(period.number)])
        try link.run(
            """
            INSERT INTO preview (period, contract_id, fees, penalties, digest, made_at)
            SELECT $1, c, f, p, d, $6
            FROM unnest($2::int[], $3::bigint[], $4::bigint[], $5::bytea[]) r (c, f, p, d)
            """,
            [
                .int32(period.number), .int32s(shown.map(\.contract)), .int64s(shown.map(\.figures.fees.value)),
                .int64s(shown.map(\.figures.penalties.value)), .byteArrays(shown.map(\.figures.digest)),
                .timestamp(now),
            ])
    }
}
