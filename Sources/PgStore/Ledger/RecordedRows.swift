// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// A review as its ledger record has it.
package struct RecordedReview: Sendable {
    package let delegation: Delegation
    package let period: Period
    package let outcome: Int64
    package let decision: String
    package let reason: String
    package let reviewer: String
    package let at: Timestamp
}

/// An agency's contest of a rejection as its ledger record has it.
package struct RecordedContest: Sendable {
    package let delegation: Delegation
    package let period: Period
    package let outcome: Int64
    package let reason: String
    package let by: String
    package let at: Timestamp
}

/// A payment as its ledger record has it.
package struct RecordedPayment: Sendable {
    package let delegation: Delegation
    package let period: Period
    package let id: String
    package let account: Int64
    package let paidOn: LocalDate
    package let amount: Cents
    package let origin: String
    package let reverses: String?
}

/// A fact as its ledger record has it.
package struct RecordedFact: Sendable {
    package let delegation: Delegation
    package let period: Period
    package let id: String
    package let contract: Int32
    package let kind: String
    package let on: LocalDate
    package let portfolio: Int16?
    package let subject: String?
    package let value: String
    package let minimum: String?
    package let weight: String?
    package let supersedes: String?
}

/// A start within the month as its ledger record has it.
package struct StartedRow: Sendable {
    package let delegation: Delegation
    package let account: Int64
    package let reason: String
    package let onDate: LocalDate
    package let rule: String?
    package let fate: String
    package let epoch: Int64?

    package init(
        delegation: Delegation, account: Int64, reason: String, onDate: LocalDate, rule: String?, fate: String,
        epoch: Int64?
    ) {
        self.delegation = delegation
        self.account = account
        self.reason = reason
        self.onDate = onDate
        self.rule = rule
        self.fate = fate
        self.epoch = epoch
    }
}

/// Rows that have a record in the ledger, as the tables have them now: to write the records, and to compare with them.
package struct RecordedRows {
    private let link: PgLink

    package init(_ link: PgLink) { self.link = link }

    // MARK: - By import, inside its transaction

    package func eachPayments(
        ofFile number: Int64, pageMax: Int32, _ body: ([RecordedPayment]) throws -> Void
    ) throws {
        let rows = "SELECT \(Self.paymentColumns) FROM payment WHERE import_id = \(number) ORDER BY delegation_id"
        try pages(of: rows, as: "recorded_payments", pageMax) { try body($0.compactMap(Self.payment)) }
    }

    package func eachFacts(ofFile number: Int64, pageMax: Int32, _ body: ([RecordedFact]) throws -> Void) throws {
        let rows = "SELECT \(Self.factColumns) FROM fact WHERE import_id = \(number) ORDER BY delegation_id"
        try pages(of: rows, as: "recorded_facts", pageMax) { try body($0.compactMap(Self.fact)) }
    }

    /// - Parameter cursor: one name per shape of rows, because a prepared FETCH keeps the shape it was prepared with.
    private func pages(
        of select: String, as cursor: String, _ pageMax: Int32, _ body: (PgRows) throws -> Void
    ) throws {
        // A cursor takes no parameters; what is put in are numbers.
        try link.script("DECLARE \(cursor) CURSOR FOR \(select)")
        while true {
            let rows = try link.run("FETCH \(pageMax) FROM \(cursor)")
            if rows.isEmpty { break }
            try body(rows)
        }
        try link.script("CLOSE \(cursor)")
    }

    // MARK: - By place

    package func reviews(_ delegation: Delegation, _ period: Period) throws(PgError) -> [RecordedReview] {
        try link.run(
            """
            SELECT \(Self.reviewColumns) FROM review WHERE delegation_id = $1 AND period = $2
            UNION ALL
            SELECT delegation_id, period, outcome_id, decision, decision_reason, reviewer, decided_at FROM contest
            WHERE delegation_id = $1 AND period = $2 AND decision IS NOT NULL
            """, [.int16(delegation.value), .int32(period.number)]
        ).compactMap(Self.review)
    }

    package func contests(_ delegation: Delegation, _ period: Period) throws(PgError) -> [RecordedContest] {
        try link.run(
            "SELECT \(Self.contestColumns) FROM contest WHERE delegation_id = $1 AND period = $2",
            [.int16(delegation.value), .int32(period.number)]
        ).compactMap(Self.contest)
    }

    package func payments(_ delegation: Delegation, _ period: Period) throws(PgError) -> [RecordedPayment] {
        try link.run(
            "SELECT \(Self.paymentColumns) FROM payment WHERE delegation_id = $1 AND period = $2",
            [.int16(delegation.value), .int32(period.number)]
        ).compactMap(Self.payment)
    }

    package func facts(_ delegation: Delegation, _ period: Period) throws(PgError) -> [RecordedFact] {
        try link.run(
            "SELECT \(Self.factColumns) FROM fact WHERE delegation_id = $1 AND period = $2",
            [.int16(delegation.value), .int32(period.number)]
        ).compactMap(Self.fact)
    }

    package func starts(_ delegation: Delegation, _ period: Period) throws(PgError) -> [StartedRow] {
        try link.run(
            "SELECT account_id, reason, on_date, rule, fate, epoch FROM start WHERE delegation_id = $1 AND period = $2",
            [.int16(delegation.value), .int32(period.number)]
        ).map {
            StartedRow(
                delegation: delegation, account: $0.int64(0), reason: $0.text(1), onDate: $0.date(2),
                rule: $0.optionalText(3), fate: $0.text(4), epoch: $0.optionalInt64(5))
        }
    }

    package static let reviewColumns = """
        delegation_id, period, outcome_id, decision, reason, reviewer, reviewed_at
        """
    static let contestColumns = "delegation_id, period, outcome_id, reason, contested_by, contested_at"
    private static let paymentColumns = """
        delegation_id, period, payment_id, account_id, paid_on, amount, origin, reverses
        """
    static let factColumns = """
        delegation_id, period, fact_id, contract_id, kind, on_date, portfolio, subject, value, minimum, weight, supersedes
        """

    package static func review(_ row: PgRow) -> RecordedReview? {
        guard let delegation = Delegation(row.int16(0)), let period = Period(number: row.int32(1)) else { return nil }
        return RecordedReview(
            delegation: delegation, period: period, outcome: row.int64(2), decision: row.text(3), reason: row.text(4),
            reviewer: row.text(5), at: row.timestamp(6))
    }

    static func contest(_ row: PgRow) -> RecordedContest? {
        guard let delegation = Delegation(row.int16(0)), let period = Period(number: row.int32(1)) else { return nil }
        return RecordedContest(
            delegation: delegation, period: period, outcome: row.int64(2), reason: row.text(3), by: row.text(4),
            at: row.timestamp(5))
    }

    static func payment(_ row: PgRow) -> RecordedPayment? {
        guard let delegation = Delegation(row.int16(0)), let period = Period(number: row.int32(1)) else { return nil }
        return RecordedPayment(
            delegation: delegation, period: period, id: row.text(2), account: row.int64(3), paidOn: row.date(4),
            amount: Cents(row.int64(5)), origin: row.text(6), reverses: row.optionalText(7))
    }

    static func fact(_ row: PgRow) -> RecordedFact? {
        guard let delegation = Delegation(row.int16(0)), let period = Period(number: row.int32(1)) else { return nil }
        return RecordedFact(
            delegation: delegation, period: period, id: row.text(2), contract: row.int32(3), kind: row.text(4),
            on: row.date(5), portfolio: row.optionalInt16(6), subject: row.optionalText(7), value: row.text(8),
            minimum: row.optionalText(9), weight: row.optionalText(10), supersedes: row.optionalText(11))
    }

    /// Outcomes of a place as they were recorded.
    ///
    /// - Parameter numbers: only these; all of them without it.
    package func outcomes(
        _ delegation: Delegation, _ period: Period, only numbers: [Int64]? = nil
    ) throws(PgError) -> [RecordedOutcome] {
        try link.run(
            """
            SELECT o.agency_id, o.instance_id, o.key, o.outcome_id, o.account_id, o.epoch, o.contract_id, o.worked_at,
                o.received_at, o.channel, o.contact, o.result, o.amount, o.promised_on, o.request_hash,
                NOT coalesce(o.marks <@ $3::text[], true) OR coalesce(q.cause <> 'sample', false), h.strategy,
                o.extra ->> 'branch', o.extra ->> 'motive', o.extra ->> 'position', o.extra ->> 'solution',
                o.extra ->> 'evidence',
                o.extra IS NOT NULL AND (jsonb_typeof(o.extra) <> 'object'
                    OR o.extra - '{branch,motive,position,solution,evidence}'::text[] <> '{}')
            FROM outcome o LEFT JOIN hand h USING (delegation_id, hand_id)
            LEFT JOIN review_demand q USING (delegation_id, outcome_id)
            WHERE o.period = $1 AND o.delegation_id = $2 AND ($4::bigint[] IS NULL OR o.outcome_id = ANY ($4))
            """,
            [
                .int32(period.number), .int16(delegation.value), .texts(ReviewClass.acceptedMarks),
                numbers.map(PgValue.int64s) ?? .null,
            ]
        ).compactMap { row in
            guard let agency = AgencyID(row.int32(0)), let account = AccountID(row.int64(4)),
                let epoch = Epoch(row.int64(5)), let contract = ContractID(row.int32(6))
            else { return nil }
            let key = IdempotencyKey(
                delegation: delegation, agency: agency, instance: row.int32(1), key: row.int64(2))
            return RecordedOutcome(
                row: OutcomeRow(
                    key: key, period: period, number: row.int64(3), account: account, epoch: epoch,
                    contract: contract, workedAt: row.timestamp(7), receivedAt: row.timestamp(8), channel: row.text(9),
                    contact: row.text(10), result: row.text(11), amount: row.optionalInt64(12).map(Cents.init),
                    promisedOn: row.optionalDate(13), requestHash: row.bytes(14)),
                isMarked: row.bool(15), strategy: row.optionalInt16(16).flatMap(Strategy.init),
                details: RecordedOutcome.Details(row, at: 17))
        }
    }

    /// Endings in a stretch of time: what their record has, and whether the account was leased.
    package func endings(
        _ delegation: Delegation, from: Timestamp, until: Timestamp
    ) throws(PgError) -> [(row: EndingRow, at: Timestamp, wasHeld: Bool)] {
        try link.run(
            """
            SELECT account_id, epoch, kind, reason, hand_id, position, ended_at, was_held FROM ending
            WHERE delegation_id = $1 AND ended_at >= $2 AND ended_at < $3
            """, [.int16(delegation.value), .timestamp(from), .timestamp(until)]
        ).compactMap { row in
            guard let account = AccountID(row.int64(0)), let epoch = Epoch(row.int64(1)),
                let kind = EndingKind(rawValue: row.text(2))
            else { return nil }
            let ending = EndingRow(
                lease: LeaseKey(delegation: delegation, account: account, epoch: epoch), kind: kind,
                reason: row.text(3), hand: row.int32(4), position: row.int32(5), quota: 0, exposure: .zero)
            return (ending, row.timestamp(6), row.bool(7))
        }
    }

    /// A grant as its record has it, with its instant.
    package typealias RecordedGrant = (row: GrantRow, at: Timestamp)

    /// Grants in a stretch of time, without those of an opening, whose days lie before their records.
    package func grants(
        _ delegation: Delegation, from: Timestamp, until: Timestamp
    ) throws(PgError) -> [RecordedGrant] {
        try link.run(
            """
            SELECT \(Self.grantColumns) FROM lease_grant
            WHERE delegation_id = $1 AND granted_at >= $2 AND granted_at < $3 AND instance_id <> $4
            """,
            [.int16(delegation.value), .timestamp(from), .timestamp(until), .int32(OpeningStore.instance)]
        ).compactMap { Self.grant($0, delegation) }
    }

    /// Grants that an opening brought, of whatever day, by hand and position.
    package func openingGrants(_ delegation: Delegation) throws(PgError) -> [RecordedGrant] {
        try link.run(
            """
            SELECT \(Self.grantColumns) FROM lease_grant WHERE delegation_id = $1 AND instance_id = $2
            ORDER BY hand_id, first_position
            """, [.int16(delegation.value), .int32(OpeningStore.instance)]
        ).compactMap { Self.grant($0, delegation) }
    }

    private static let grantColumns = """
        hand_id, first_position, last_position, quota_id, contract_id, agency_id, instance_id, skipped, accounts, exposure,
        total_accounts, granted_at, granted_term, held_digest
        """

    private static func grant(_ row: PgRow, _ delegation: Delegation) -> RecordedGrant? {
        guard let contract = ContractID(row.int32(4)), let agency = AgencyID(row.int32(5)) else { return nil }
        let grant = GrantRow(
            key: nil, agency: agency, instance: row.int32(6), delegation: delegation,
            grant: GrantID(hand: row.int32(0), first: row.int32(1)), last: row.int32(2), quota: row.int32(3),
            contract: contract, requestHash: [], skipped: row.optionalInt32s(7) ?? [], accounts: Int(row.int32(8)),
            exposure: Cents(row.int64(9)), totalAccounts: row.int64(10), totalExposure: .zero, left: 0, stop: .limit,
            heldDigest: row.bytes(13), term: row.timestamp(12), ceiling: row.timestamp(12), grace: .zero)
        return (grant, row.timestamp(11))
    }

    /// The quotas' counters: what they ever leased, and what was released of it, folded or not; and what they allow.
    package struct Counter: Sendable {
        package let contract: Int32
        package let strategy: Int16
        package let portfolio: Int16
        package let leased: Int64
        package let released: Int64
        package let limitAccounts: Int64
        /// `nil`: the contract's basis is none.
        package let limitExposure: Cents?
    }

    package func counters(_ delegation: Delegation) throws(PgError) -> [Counter] {
        try link.run(
            """
            SELECT q.contract_id, q.strategy, q.portfolio,
                coalesce((SELECT max(g.total_accounts) FROM lease_grant g
                    WHERE g.delegation_id = q.delegation_id AND g.quota_id = q.quota_id), 0)::bigint,
                (q.released_accounts + coalesce((
                    SELECT sum(r.accounts) FROM release r
                    WHERE r.delegation_id = q.delegation_id AND r.quota_id = q.quota_id
                        AND (r.transaction, r.release_id) > (
                            SELECT coalesce(max(f.transaction), '0'), coalesce(max(f.number), 0) FROM follower f
                            WHERE f.name = 'release')), 0))::bigint,
                q.limit_accounts, q.limit_exposure
            FROM quota q WHERE q.delegation_id = $1
            """, [.int16(delegation.value)]
        ).map {
            Counter(
                contract: $0.int32(0), strategy: $0.int16(1), portfolio: $0.int16(2), leased: $0.int64(3),
                released: $0.int64(4), limitAccounts: $0.int64(5), limitExposure: $0.optionalInt64(6).map { Cents($0) })
        }
    }
}

/// An outcome with what decides whether and as what it bills.
package struct RecordedOutcome: Sendable {
    package let row: OutcomeRow
    /// It broke a contact rule, and so needs a review.
    package let isMarked: Bool
    /// Of the hand that it was leased from; `nil` where that is gone.
    package let strategy: Strategy?
    /// `nil` where it has none.
    package let details: Details?

    /// What its report said beside its own columns.
    package struct Details: Sendable {
        package let branch: String?
        package let motive: String?
        package let position: String?
        package let solution: String?
        package let evidence: String?
        /// Something is kept that no report can say.
        package let hasMore: Bool

        fileprivate init?(_ row: PgRow, at column: Int) {
            branch = row.optionalText(column)
            motive = row.optionalText(column + 1)
            position = row.optionalText(column + 2)
            solution = row.optionalText(column + 3)
            evidence = row.optionalText(column + 4)
            hasMore = row.bool(column + 5)
            guard hasMore || [branch, motive, position, solution, evidence].contains(where: { $0 != nil }) else {
                return nil
            }
        }
    }
}
