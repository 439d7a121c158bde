// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// The delegations' decisions: what waits for one, and taking them in by sets. All calls belong into one transaction.
package struct ReviewStore {
    package static let stageSQL = """
        COPY review_row (line, delegation_id, outcome_id, decision, reason, reviewer) FROM STDIN (FORMAT binary)
        """

    private static let results = ReviewClass.allResults.map(\.rawValue)

    private let link: PgLink

    package init(_ link: PgLink) { self.link = link }

    /// What still takes reviews.
    package struct Reviewable: Sendable {
        /// All open periods, ascending.
        package let open: [Int32]
        /// Those of them whose time for reviews is not over.
        package let inTime: [Int32]
        /// Outcomes of the others that an agency contested, and whose second decision is still in its own time.
        package let contested: [Int64]

        package var isEmpty: Bool { inTime.isEmpty && contested.isEmpty }
    }

    /// The periods that still take reviews, kept from closing until the transaction ends.
    ///
    /// - Parameter deadlineDays: business days behind a period's last day, after which it takes none, and behind a contest; `nil`: until
    ///   its close.
    /// - Locks: their rows, shared.
    package func lockOpenPeriods(deadlineDays: Int? = nil) throws(PgError) -> Reviewable {
        let rows = try link.run(
            "SELECT period, now_instant() FROM period WHERE state = 'open' ORDER BY period FOR SHARE")
        let open = rows.map { $0.int32(0) }
        guard let deadlineDays, let now = rows.first?.timestamp(1) else {
            return Reviewable(open: open, inTime: open, contested: [])
        }
        var inTime: [Int32] = []
        for number in open {
            guard let period = Period(number: number) else { continue }
            if now < (try CheckStore(link, period: period).reviewsUntil(businessDays: deadlineDays)) {
                inTime.append(number)
            }
        }
        let late = open.filter { !inTime.contains($0) }.compactMap { Period(number: $0) }
        var contested: [Int64] = []
        for period in late {
            contested += try ContestStore(link).open(period)
                .filter { now < $0.at.deadline(businessDays: deadlineDays) }.map(\.outcome)
        }
        return Reviewable(open: open, inTime: inTime, contested: contested)
    }

    // MARK: - Taking decisions in

    /// Makes the empty table that ``stageSQL`` fills.
    package func stage() throws(PgError) {
        try link.script(
            """
            CREATE TEMP TABLE review_row (
                line integer, delegation_id smallint, outcome_id bigint, decision text, reason text, reviewer text
            ) ON COMMIT DROP
            """)
    }

    package struct Fault: Sendable {
        package let line: Int32
        /// `outcome` or `decision`.
        package let column: String
        package let value: String
        package let reason: String
    }

    /// Compares what was staged with the outcomes of `periods` and with itself.
    ///
    /// - Returns: what cannot be taken, by line; those rows are gone from the stage.
    package func check(periods: Reviewable, report: (Fault) throws -> Void) throws {
        try link.script("ANALYZE review_row")
        try link.run(
            ReviewStatements.target,
            [
                .int32s(periods.open), .texts(Self.results), .texts(ReviewClass.acceptedMarks),
                .int32s(periods.inTime), .int64s(periods.contested),
            ])
        let rows = try link.run(ReviewStatements.faults)
        for row in rows {
            try report(
                Fault(line: row.int32(0), column: row.text(1), value: row.text(2), reason: row.text(3)))
        }
        try link.run(
            "DELETE FROM review_target WHERE line = ANY ($1)", [.int32s(rows.map { $0.int32(0) })])
    }

    package struct Applied: Equatable, Sendable {
        package let approved: Int64
        package let rejected: Int64
        /// Decisions that were there already, or stood in the file before.
        package let unchanged: Int64
    }

    /// Writes the decisions that passed ``check(periods:report:)``.
    ///
    /// - Parameter record: told what was written, for the ledger, in the same transaction.
    package func apply(record: ([RecordedReview]) throws -> Void) throws -> Applied {
        let staged = try link.run(ReviewStatements.staged)[0].int64(0)
        let written = try link.run(ReviewStatements.apply).compactMap(RecordedRows.review)
        try record(written)
        let approved = Int64(written.count { $0.decision == ReviewDecision.approved.rawValue })
        return Applied(
            approved: approved, rejected: Int64(written.count) - approved, unchanged: staged - Int64(written.count))
    }

    /// The delegation of an outcome of one of `periods`; `nil` where there is none of that number.
    package func delegation(of outcome: Int64, periods: Reviewable) throws(PgError) -> Int16? {
        let isContested = periods.contested.contains(outcome)
        let rows = try link.run(
            "SELECT delegation_id FROM outcome WHERE period = ANY ($1) AND outcome_id = $2 LIMIT 1",
            [.int32s(isContested ? periods.open : periods.inTime), .int64(outcome)])
        return rows.first?.int16(0)
    }

    // MARK: - What waits

    package struct Pending: Sendable {
        package let outcome: Int64
        package let delegation: Int16
        package let contract: Int32
        package let agency: Int32
        package let account: Int64
        package let workedAt: Timestamp
        package let channel: String
        package let contact: String
        package let result: String
        package let amount: Cents?
    }

    /// What is listed for the delegations.
    package enum Listing: Sendable {
        /// Outcomes that need a review and have none.
        case pending
        /// Outcomes without a review behind what was given back as unlocatable.
        case unlocatable
    }

    /// Every outcome of a period that the listing is of, by delegation and number, one at a time.
    package func each(_ listing: Listing, _ period: Period, _ body: (Pending) throws -> Void) throws {
        let statement =
            switch listing {
            case .pending: ReviewStatements.pending(period.number, Self.results, ReviewClass.acceptedMarks)
            case .unlocatable: ReviewStatements.unlocatable(period.number)
            }
        try link.copyOut(statement) { row in
            try body(
                Pending(
                    outcome: row.int64(), delegation: row.int16(), contract: row.int32(), agency: row.int32(),
                    account: row.int64(), workedAt: row.timestamp(), channel: row.text(), contact: row.text(),
                    result: row.text(), amount: row.optionalInt64().map(Cents.init)))
        }
    }

    package struct Progress: Sendable {
        package let delegation: Int16
        package let approved: Int64
        package let rejected: Int64
        package let pending: Int64
    }

    /// How far the delegations are with a period; ascending.
    package func progress(_ period: Period) throws(PgError) -> [Progress] {
        try link.run(
            ReviewStatements.progress,
            [.int32(period.number), .texts(Self.results), .texts(ReviewClass.acceptedMarks)]
        ).map { row in
            Progress(
                delegation: row.int16(0), approved: row.int64(1), rejected: row.int64(2), pending: row.int64(3))
        }
    }
}
