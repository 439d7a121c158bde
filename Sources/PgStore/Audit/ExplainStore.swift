// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// The records behind a line of a statement, as they are stored.
package struct ExplainStore {
    private let link: PgLink

    package init(_ link: PgLink) { self.link = link }

    /// A fact as its ledger record has it, with its note and the file that it came with.
    package struct Fact: Sendable {
        package let row: RecordedFact
        package let note: String?
        package let file: String
    }

    /// Facts by their numbers, in the order of day and number.
    package func facts(_ ids: [String]) throws(PgError) -> [Fact] {
        try link.run(
            """
            SELECT \(RecordedRows.factColumns), note,
                (SELECT file_name FROM import i WHERE i.import_id = fact.import_id)
            FROM fact WHERE fact_id = ANY ($1) ORDER BY on_date, fact_id
            """, [.texts(ids)]
        ).compactMap { row in
            RecordedRows.fact(row).map { Fact(row: $0, note: row.optionalText(12), file: row.text(13)) }
        }
    }

    /// A payment as its ledger record has it, with what its account owed.
    package struct Payment: Sendable {
        package let row: RecordedPayment
        package let file: String
        /// By the cut of the month that counted it, or else of a month that the account was dealt in; `nil` where neither has it.
        package let daysLate: Int32?
        /// The most that the account could count of its payments there; `nil` where the contract has no deal of it.
        package let overdue: Cents?
    }

    /// Payments by their numbers, by account and number: those of the first accounts, and of how many accounts all are.
    ///
    /// - Parameters:
    ///   - delegation: in which their accounts were held; a payment's own may be where the debtor moved to.
    ///   - period: of the statement that counted them, also where they are taken back.
    ///   - isTaken: whether they are taken back: then the payments by which their accounts counted are those of that statement's line.
    package func payments(
        _ ids: [String], contract: Int32, delegation: Int16, _ period: Period, band: MoraBand, isTaken: Bool,
        accountsMax: Int
    ) throws(PgError) -> (payments: [Payment], accountCount: Int) {
        let count = try link.run(
            "SELECT count(DISTINCT account_id) FROM payment WHERE payment_id = ANY ($1)", [.texts(ids)]
        )[0].int64(0)
        let isNamed = isTaken ? Self.isNamedByTheLine : Self.isAsked
        let counted = ContingencyAccounts.counted(
            contract: "$2::int", delegation: "\(delegation)::smallint", account: "y.account_id", period: "$3::int",
            isNamed: isNamed)
        let overdue = ContingencyAccounts.overdue(
            contract: "$2::int", delegation: "\(delegation)::smallint", account: "y.account_id", period: "$3::int",
            isNamed: isNamed)
        let payments = try link.run(
            """
            SELECT y.delegation_id, y.period, y.payment_id, y.account_id, y.paid_on, y.amount, y.origin, y.reverses, i.file_name,
                (SELECT max(c.days_late) FROM (\(counted)) c
                    WHERE (SELECT max(first) FROM unnest($5::int[]) first WHERE first <= c.days_late) = $4::int),
                \(overdue)
            FROM payment y JOIN import i USING (import_id)
            WHERE y.payment_id = ANY ($1) AND y.account_id IN (
                SELECT DISTINCT x.account_id FROM payment x WHERE x.payment_id = ANY ($1) ORDER BY x.account_id LIMIT $6)
            ORDER BY y.account_id, y.payment_id
            """,
            [
                .texts(ids), .int32(contract), .int32(period.number), .int32(band.days.first),
                .int32s(MoraBand.allCases.map(\.days.first)), .int64(Int64(accountsMax)),
            ] + (isTaken ? [.text(band.rawValue)] : [])
        ).compactMap { row in
            RecordedRows.payment(row).map {
                Payment(
                    row: $0, file: row.text(8), daysLate: row.optionalInt32(9),
                    overdue: row.optionalInt64(10).map(Cents.init))
            }
        }
        return (payments, Int(count))
    }

    private static func isAsked(_ payment: String) -> String { "\(payment) = ANY ($1)" }

    /// Whether the line of the band names it in the statement that counted it.
    private static func isNamedByTheLine(_ payment: String) -> String {
        """
        EXISTS (
            SELECT FROM statement s
            CROSS JOIN LATERAL jsonb_array_elements(s.body::jsonb -> 'sections') section (body)
            CROSS JOIN LATERAL jsonb_array_elements(section.body -> 'lines') entry (body)
            WHERE s.period = $3::int AND s.contract_id = $2::int AND entry.body ->> 'kind' = 'fee'
                AND entry.body -> 'facts' ? \(payment) AND entry.body ->> 'rule' = $7)
        """
    }

    /// What a version of a schedule has under a rule, as `parameter value`, in the order in which people read it.
    package func terms(of version: ScheduleVersion, rule: String) throws(PgError) -> [String] {
        try link.run(
            """
            SELECT DISTINCT parameter, value, substring(parameter from '^([0-9]+)-')::int FROM schedule
            WHERE schedule = $1 AND effective_on = $2 AND rule = $3 ORDER BY 3 NULLS FIRST, 1
            """, [.text(version.name), .date(version.effectiveOn), .text(rule)]
        ).map { "\($0.text(0)) \($0.text(1))" }
    }

    /// What the contract's statements of earlier months billed, before IVA and after cuts.
    package func billed(_ contract: Int32, before period: Period) throws(PgError) -> [(period: Period, fees: Cents)] {
        try link.run(
            """
            SELECT period, ((body::jsonb -> 'totals' ->> 'fees')::numeric * 100)::bigint FROM statement
            WHERE contract_id = $1 AND period < $2 ORDER BY period
            """, [.int32(contract), .int32(period.number)]
        ).compactMap { row in Period(number: row.int32(0)).map { ($0, Cents(row.int64(1))) } }
    }

    /// Where a breach of an earlier month was charged.
    package struct Breach: Sendable {
        /// By the kept statement of the month, in the delegation or on the whole invoice.
        package let isChargedThere: Bool
        package let isChargedOnInvoice: Bool
        /// Debits about it that are in force: their numbers, and the months whose statements have them.
        package let debits: [(number: Int64, period: Period)]
        /// The opening that brought it.
        package let file: String?
    }

    /// - Parameter until: the last month whose debits are told.
    package func breach(
        _ rule: String, of month: Period, _ place: StatementPlace, until period: Period
    ) throws(PgError) -> Breach {
        let values: [PgValue] = [
            .int32(month.number), .int32(place.contract), .text(rule), .int16(place.delegation),
        ]
        let charged = try link.run(
            """
            SELECT coalesce(bool_or(section ? 'delegation'), false), coalesce(bool_or(NOT section ? 'delegation'), false)
            FROM statement s
            CROSS JOIN LATERAL jsonb_array_elements(s.body::jsonb -> 'sections') section
            CROSS JOIN LATERAL jsonb_array_elements(section -> 'lines') line
            WHERE s.period = $1 AND s.contract_id = $2 AND line ->> 'kind' = 'penalty' AND line ->> 'rule' = $3
                AND coalesce((section ->> 'delegation')::smallint = $4, true)
            """, values)[0]
        let debits = try link.run(
            """
            SELECT a.adjustment_id, a.period FROM adjustment a
            WHERE a.about = $1 AND a.contract_id = $2 AND a.rule = $3 AND a.delegation_id = $4 AND a.period <= $5
                AND a.kind = 'debit' AND a.decision = 'approved'
                AND NOT EXISTS (SELECT FROM adjustment w WHERE w.rule = 'A-' || a.adjustment_id AND w.decision = 'approved')
            ORDER BY a.adjustment_id
            """, values + [.int32(period.number)]
        ).compactMap { row in Period(number: row.int32(1)).map { (number: row.int64(0), period: $0) } }
        let file = try link.run(
            """
            SELECT i.file_name FROM opening_breach b JOIN import i USING (import_id)
            WHERE b.period = $1 AND b.contract_id = $2 AND b.rule = $3 AND b.delegation_id = $4
            ORDER BY b.import_id LIMIT 1
            """, values
        ).first?.text(0)
        return Breach(
            isChargedThere: charged.bool(0), isChargedOnInvoice: charged.bool(1), debits: debits, file: file)
    }

    /// The objection that an adjustment came of; `nil` where nobody objected.
    package func objection(ofAdjustment number: Int64) throws(PgError) -> Int64? {
        try link.run("SELECT objection_id FROM adjustment WHERE adjustment_id = $1", [.int64(number)])
            .first?.optionalInt64(0)
    }

    /// The outcomes by which a goal was counted: of each account the first valid one that reaches it.
    ///
    /// - Parameters:
    ///   - indicator: one that counts accounts; any other has none.
    ///   - tactic: of the deal that was worked; `nil`: of all.
    package func counted(
        _ indicator: WorkGoal.Indicator, tactic: String?, _ place: StatementPlace, _ period: Period
    ) throws(PgError) -> [Int64] {
        let reached =
            switch indicator {
            case .worked: "true"
            case .contacted: "o.contact IN ('direct', 'third-party')"
            case .promises: "o.result = 'promise'"
            case .agreements: "o.result = '\(FeeService.agreementResult.rawValue)'"
            case .recovered, .flow: "false"
            }
        return try link.run(
            """
            SELECT min(o.outcome_id) FROM outcome o
            LEFT JOIN standing_review r ON r.period = $1 AND r.delegation_id = o.delegation_id AND r.outcome_id = o.outcome_id
            LEFT JOIN review_demand d ON d.period = $1 AND d.delegation_id = o.delegation_id AND d.outcome_id = o.outcome_id
            LEFT JOIN position p ON p.delegation_id = o.delegation_id AND p.hand_id = o.hand_id AND p.position = o.position
            WHERE o.period = $1 AND o.delegation_id = $2 AND o.contract_id = $3
                AND o.agency_id = (SELECT agency_id FROM contract WHERE contract_id = $3) AND \(reached)
                AND ($4::text IS NULL OR p.tactic = $4)
                AND coalesce(r.decision = 'approved', NOT (o.result = ANY ($5::text[]) OR NOT coalesce(o.marks <@ $6::text[], true)
                    OR coalesce(d.cause <> 'sample', false)))
            GROUP BY o.account_id ORDER BY 1
            """,
            [
                .int32(period.number), .int16(place.delegation), .int32(place.contract), .optional(tactic),
                .texts(ReviewClass.allResults.map(\.rawValue)), .texts(ReviewClass.acceptedMarks),
            ]
        ).map { $0.int64(0) }
    }

    package struct Outcome: Sendable {
        package let row: OutcomeRow
        package let review: RecordedReview?
    }

    /// Outcomes of a period and delegation by their numbers, ascending.
    package func outcomes(_ numbers: [Int64], _ delegation: Delegation, _ period: Period) throws(PgError) -> [Outcome] {
        let reviews = Dictionary(
            try AuditStore(link).reviews(of: numbers, in: [delegation]).map { ($0.outcome, $0) },
            uniquingKeysWith: { $1 })
        return try RecordedRows(link).outcomes(delegation, period, only: numbers)
            .map { Outcome(row: $0.row, review: reviews[$0.row.number]) }
            .sorted { $0.row.number < $1.row.number }
    }
}
