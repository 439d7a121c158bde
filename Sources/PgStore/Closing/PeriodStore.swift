// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// The state of a period and the statements kept of it.
package struct PeriodStore {
    package enum State: String, Sendable { case open, closing, closed }

    package struct StoredStatement: Sendable {
        package let contract: Int32
        package let digest: [UInt8]
        package let body: String
    }

    private let link: PgLink
    private let period: Period

    package init(_ link: PgLink, period: Period) {
        self.link = link
        self.period = period
    }

    /// `nil` where nothing was ever imported for the period.
    package func state() throws(PgError) -> State? {
        let rows = try link.run("SELECT state FROM period WHERE period = $1", [.int32(period.number)])
        return rows.first.flatMap { State(rawValue: $0.text(0)) }
    }

    /// Of a period that is not closed: its kept statements, and whether its root is signed. `nil` where it has neither, or is closed.
    package func formerClose() throws(PgError) -> (state: State, statements: Int64, isSigned: Bool)? {
        let rows = try link.run(
            """
            SELECT p.state, (SELECT count(*) FROM statement s WHERE s.period = p.period),
                EXISTS (SELECT FROM period_root r WHERE r.period = p.period)
            FROM period p WHERE p.period = $1 AND p.state <> 'closed'
            """, [.int32(period.number)])
        guard let row = rows.first, let state = State(rawValue: row.text(0)), row.int64(1) > 0 || row.bool(2)
        else { return nil }
        return (state, row.int64(1), row.bool(2))
    }

    package func now() throws(PgError) -> Timestamp {
        try link.run("SELECT now_instant()").first?.timestamp(0) ?? Timestamp(microseconds: 0)
    }

    /// Whether an apply of a plan was begun and neither finished nor taken back.
    package func hasStoppedPlan() throws(PgError) -> Bool {
        let rows = try link.run(
            "SELECT EXISTS (SELECT FROM plan WHERE period = $1 AND state = 'dealing')", [.int32(period.number)])
        return rows[0].bool(0)
    }

    /// Earlier periods that are not closed and of which anything was placed, dealt, reported, paid or put right; ascending.
    package func openBefore() throws(PgError) -> [Period] {
        try link.run(
            """
            SELECT p.period FROM period p
            WHERE p.period < $1 AND p.state <> 'closed'
                AND (EXISTS (SELECT FROM placement x WHERE x.period = p.period)
                    OR EXISTS (SELECT FROM hand x WHERE x.period = p.period)
                    OR EXISTS (SELECT FROM outcome x WHERE x.period = p.period)
                    OR EXISTS (SELECT FROM payment x WHERE x.period = p.period)
                    OR EXISTS (SELECT FROM adjustment x WHERE x.period = p.period))
            ORDER BY p.period
            """, [.int32(period.number)]
        ).compactMap { Period(number: $0.int32(0)) }
    }

    /// Whether nothing of the period was placed, dealt, reported, paid, taken back or put right.
    package func isEmpty() throws(PgError) -> Bool {
        try !link.run(
            """
            SELECT EXISTS (SELECT FROM placement WHERE period = $1) OR EXISTS (SELECT FROM hand WHERE period = $1)
                OR EXISTS (SELECT FROM outcome WHERE period = $1) OR EXISTS (SELECT FROM payment WHERE period = $1)
                OR EXISTS (SELECT FROM adjustment WHERE period = $1)
            """, [.int32(period.number)])[0].bool(0)
    }

    /// Stops the period from taking more; commits at once. One that is marked already is not written again: another close that
    /// holds it in its snapshot would fail for it.
    ///
    /// The time is read after the commit: a transaction that began while the mark was on its way to the disk still saw the
    /// period open, and has to be waited for as well.
    ///
    /// - Returns: the number of the transaction that did it, and when it was there to be seen; what began before may write.
    package func markClosing() throws(PgError) -> Mark {
        let rows = try link.run(
            """
            WITH marked AS (UPDATE period SET state = 'closing' WHERE period = $1 AND state = 'open')
            SELECT pg_current_xact_id()::text::bigint
            """, [.int32(period.number)])
        let seen = try link.run("SELECT clock_timestamp()")
        return Mark(transaction: rows.first?.int64(0) ?? 0, at: seen[0].timestamp(0))
    }

    package struct Mark: Sendable {
        let transaction: Int64
        let at: Timestamp
    }

    /// Holds the period's row until the end of the transaction, so that it is closed by one at a time.
    ///
    /// - Returns: the state that it has then.
    @discardableResult
    package func lock() throws(PgError) -> State? {
        let rows = try link.run(
            "SELECT state FROM period WHERE period = $1 FOR NO KEY UPDATE", [.int32(period.number)])
        return rows.first.flatMap { State(rawValue: $0.text(0)) }
    }

    /// Gives the period back after a close that did not come to its end. Waits for one that is just committing.
    ///
    /// - Returns: whether it was `closing`.
    @discardableResult
    package func reopen() throws(PgError) -> Bool {
        try link.run(
            "UPDATE period SET state = 'open' WHERE period = $1 AND state = 'closing'", [.int32(period.number)]
        ).affected > 0
    }

    /// What still runs from before the mark, by application name; empty when the close may begin.
    ///
    /// A transaction that has written shows in the snapshot; one that has only read so far shows in the activity.
    package func olderTransactions(than mark: Mark) throws(PgError) -> [String] {
        let rows = try link.run(
            """
            SELECT coalesce(nullif(application_name, ''), 'unnamed') FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
                AND xact_start < $2
            UNION ALL
            SELECT 'a writing transaction' WHERE pg_snapshot_xmin(pg_current_snapshot())::text::bigint <= $1
            ORDER BY 1
            """, [.int64(mark.transaction), .timestamp(mark.at)])
        return rows.map { $0.text(0) }
    }

    /// The statements as they were closed, ascending by contract.
    package func statements() throws(PgError) -> [StoredStatement] {
        try link.run(
            "SELECT contract_id, digest, body FROM statement WHERE period = $1 ORDER BY contract_id",
            [.int32(period.number)]
        ).map { StoredStatement(contract: $0.int32(0), digest: $0.bytes(1), body: $0.text(2)) }
    }

    /// Ends contracts whose budget is used up (AGY-15), on the day of the close: they are leased, dealt and planned nothing more, and later
    /// months have no statement of them but for what is paid on their leases. Another fee schedule, with a budget of its own, takes one
    /// up again; a contract that has one already for later months goes on by it. Terms of the same schedule that start behind that day
    /// are a renewal: it begins on its day, and the close of a month of its own ends it, where the budget is used up then, too.
    package func end(_ contracts: [Int32]) throws(PgError) {
        guard !contracts.isEmpty else { return }
        let ended = """
            WITH day AS (SELECT (now_instant() AT TIME ZONE interval '-6 hours')::date AS day),
            ended AS (
                SELECT c.contract_id, day.day, coalesce(t.fee_schedule, c.fee_schedule) AS fee_schedule
                FROM contract c CROSS JOIN day
                LEFT JOIN LATERAL (SELECT * FROM contract_term t WHERE t.contract_id = c.contract_id
                    ORDER BY t.period > $2, abs(t.period - $2) LIMIT 1) t ON true
                WHERE c.contract_id = ANY ($1) AND c.spent_on IS NULL AND coalesce(t.starts_on, c.starts_on) <= day.day)
            """
        let parameters: [PgValue] = [.int32s(contracts), .int32(period.number)]
        try link.run(
            """
            \(ended)
            UPDATE contract_term t SET spent_on = coalesce(t.spent_on, ended.day), ends_on = least(t.ends_on, ended.day)
            FROM ended
            WHERE t.contract_id = ended.contract_id AND t.fee_schedule = ended.fee_schedule AND t.starts_on <= ended.day
            """, parameters)
        try link.run(
            """
            \(ended)
            UPDATE contract c SET spent_on = ended.day, ends_on = least(c.ends_on, ended.day) FROM ended
            WHERE c.contract_id = ended.contract_id AND c.fee_schedule = ended.fee_schedule AND c.starts_on <= ended.day
            """, parameters)
    }

    /// Keeps the statements and closes the period, in the caller's transaction.
    package func keep(_ statements: [StoredStatement]) throws(PgError) {
        for statement in statements {
            try link.run(
                """
                INSERT INTO statement (period, contract_id, digest, body, made_at)
                VALUES ($1, $2, $3, $4, now_instant())
                """,
                [.int32(period.number), .int32(statement.contract), .bytes(statement.digest), .text(statement.body)])
        }
        try link.run(
            "UPDATE period SET state = 'closed', closed_at = now_instant() WHERE period = $1", [.int32(period.number)])
    }
}

extension PeriodStore.StoredStatement {
    package init(contract: ContractID, digest: [UInt8], body: String) {
        self.init(contract: contract.value, digest: digest, body: body)
    }
}
