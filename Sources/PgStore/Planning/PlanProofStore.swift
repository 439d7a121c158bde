// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// Plans as they are kept for later: what each was made from, who decided, what it put in force.
package struct PlanProofStore {
    package struct Row: Sendable {
        package let plan: Int64
        package let period: Period
        package let state: String
        package let digest: [UInt8]
        package let madeAt: Timestamp
        package let appliedBy: [String]
        package let appliedAt: Timestamp?
        /// Empty for plans of before there were records.
        package let body: String
    }

    private let link: PgLink

    package init(_ link: PgLink) { self.link = link }

    private static let columns = """
        SELECT p.plan_id, p.period, p.state, p.digest, p.made_at, p.applied_by, p.applied_at, coalesce(r.body, '')
          FROM plan p LEFT JOIN plan_proof r USING (plan_id)
        """

    package func write(_ plan: Int64, settings: [UInt8], body: String) throws(PgError) {
        try link.run(
            "INSERT INTO plan_proof (plan_id, settings_digest, body) VALUES ($1, $2, $3)",
            [.int64(plan), .bytes(settings), .text(body)])
    }

    /// The plan of a period that is not discarded.
    package func plan(of period: Period) throws(PgError) -> Row? {
        try link.run("\(Self.columns) WHERE p.period = $1 AND p.state <> 'discarded'", [.int32(period.number)])
            .first.flatMap(Self.row)
    }

    package func plan(_ number: Int64) throws(PgError) -> Row? {
        try link.run("\(Self.columns) WHERE p.plan_id = $1", [.int64(number)]).first.flatMap(Self.row)
    }

    /// The limits that a plan put in force, as the history of quotas has them; what dealing again put in force within its
    /// month, for contracts too that the plan gave nothing, came later.
    package func limits(_ plan: Int64) throws(PgError) -> [QuotaRow] {
        let rows = try link.run(
            """
            SELECT DISTINCT ON (q.delegation_id, q.contract_id, q.strategy, q.portfolio)
                   q.delegation_id, q.contract_id, q.strategy, q.portfolio, h.limit_accounts, h.limit_exposure
              FROM quota_history h JOIN quota q USING (delegation_id, quota_id)
              JOIN plan p ON p.plan_id = h.plan_id
             WHERE h.plan_id = $1
               AND (h.cause = 'plan' OR h.cause IS NULL AND h.since <= coalesce(p.applied_at, 'infinity'))
             ORDER BY q.delegation_id, q.contract_id, q.strategy, q.portfolio, h.since, h.entry
            """, [.int64(plan)])
        return rows.compactMap { row in
            guard let pool = PlanningStore.pool(row, 0, 2, 3), let contract = ContractID(row.int32(1)) else {
                return nil
            }
            return QuotaRow(
                pool: pool, contract: contract, limitAccounts: row.int64(4), limitExposure: row.optionalInt64(5))
        }
    }

    /// Why the contracts of a delegation got what a plan dealt them: accounts by contract, pool and reason;
    /// what several share counts for each of them.
    package func reasons(
        _ plan: Int64, _ delegation: Delegation
    ) throws(PgError) -> [(contract: ContractID, pool: PoolKey, reason: DealResult.Reason, accounts: Int64)] {
        let rows = try link.run(
            """
            SELECT h.delegation_id, c, h.strategy, h.portfolio, p.reason, count(*)
              FROM hand h JOIN position p ON p.delegation_id = h.delegation_id AND p.hand_id = h.hand_id
             CROSS JOIN unnest(h.contract_ids) AS c
             WHERE h.plan_id = $1 AND h.delegation_id = $2 AND NOT h.is_front AND h.redeal_id IS NULL
             GROUP BY h.delegation_id, c, h.strategy, h.portfolio, p.reason
             ORDER BY 2, 3, 4, 5
            """, [.int64(plan), .int16(delegation.value)])
        return rows.compactMap { row in
            guard let pool = PlanningStore.pool(row, 0, 2, 3), let contract = ContractID(row.int32(1)),
                let reason = DealResult.Reason(rawValue: UInt8(row.int16(4)))
            else { return nil }
            return (contract, pool, reason, row.int64(5))
        }
    }

    /// The hands of a plan as it was applied, and the accounts in them; what was dealt later is not counted.
    package func dealt(_ plan: Int64) throws(PgError) -> (hands: Int, accounts: Int64) {
        let row = try link.run(
            """
            SELECT count(*), coalesce(sum(size), 0)::bigint FROM hand
             WHERE plan_id = $1 AND NOT is_front AND redeal_id IS NULL
            """, [.int64(plan)]
        ).first
        return (Int(row?.int64(0) ?? 0), row?.int64(1) ?? 0)
    }

    // MARK: - Who decides

    /// Notes that a person wants the plan as it would come out.
    ///
    /// - Returns: everyone who does, by name.
    package func approve(_ period: Period, digest: [UInt8], by person: String) throws(PgError) -> [String] {
        try link.run(
            """
            INSERT INTO plan_approval (period, digest, person, approved_at) VALUES ($1, $2, $3, now_instant())
            ON CONFLICT DO NOTHING
            """, [.int32(period.number), .bytes(digest), .text(person)])
        return try link.run(
            "SELECT person FROM plan_approval WHERE period = $1 AND digest = $2 ORDER BY person",
            [.int32(period.number), .bytes(digest)]
        ).map { $0.text(0) }
    }

    package func setPersons(_ plan: Int64, _ persons: [String]) throws(PgError) {
        try link.run(
            "UPDATE plan SET applied_by = $2, applied_at = now_instant() WHERE plan_id = $1",
            [.int64(plan), .texts(persons)])
    }

    private static func row(_ row: PgRow) -> Row? {
        Period(number: row.int32(1)).map {
            Row(
                plan: row.int64(0), period: $0, state: row.text(2), digest: row.bytes(3), madeAt: row.timestamp(4),
                appliedBy: row.texts(5), appliedAt: row.optionalTimestamp(6), body: row.text(7))
        }
    }
}
