// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// What one arm has in one stratum.
package struct ExperimentCell: Sendable {
    package let arm: Int16
    package let tactic: String
    /// As stored with the positions.
    package let stratum: StratumKey
    package let accounts: Int64
    package let contacted: Int64
    package let promised: Int64
    package let paid: Int64
    /// Centavos of all accounts, and the sum of their squares.
    package let recovered: Int64
    package let squares: Int128
    /// Centavos of fees that its work comes to.
    package let cost: Int64
}

/// The experiments of this installation, and what came of them.
package struct ExperimentStore {
    private let link: PgLink

    package init(_ link: PgLink) { self.link = link }

    /// Keeps a design. Belongs into a transaction.
    ///
    /// - Returns: whether it is kept now; `false` where there is one of that name.
    package func insert(_ design: ExperimentDesign, by: String) throws(PgError) -> Bool {
        let inserted = try link.run(
            ExperimentStatements.insert,
            [
                .text(design.name), .int16(design.strategy.rawValue), .int16s(design.delegations.map(\.value)),
                .int32(design.first.number), .int32(design.last.number), .texts(design.traits.map(\.rawValue)),
                .int32(Int32(design.smallestSample)), .text(by),
            ])
        guard let experiment = inserted.first?.int32(0) else { return false }
        for arm in design.arms {
            try link.run(
                "INSERT INTO experiment_arm (experiment_id, arm, name, share_bp, agencies) VALUES ($1, $2, $3, $4, $5)",
                [
                    .int32(experiment), .int16(arm.number), .text(arm.name), .int32(Int32(arm.share.value)),
                    .int32s(arm.agencies.map(\.value)),
                ])
        }
        return true
    }

    /// Every design, by name.
    package func designs() throws(PgError) -> [ExperimentDesign] {
        var arms: [Int32: [ExperimentDesign.Arm]] = [:]
        let rows = try link.run(
            "SELECT experiment_id, arm, name, share_bp, agencies FROM experiment_arm ORDER BY experiment_id, arm")
        for row in rows {
            guard let share = BasisPoints(Int64(row.int32(3))) else { continue }
            arms[row.int32(0), default: []].append(
                ExperimentDesign.Arm(
                    number: row.int16(1), name: row.text(2), share: share,
                    agencies: row.int32s(4).compactMap { AgencyID($0) }))
        }
        return try link.run(ExperimentStatements.list).compactMap { row in
            guard let strategy = Strategy(rawValue: row.int16(2)), let first = Period(number: row.int32(4)),
                let last = Period(number: row.int32(5))
            else { return nil }
            return ExperimentDesign(
                name: row.text(1), strategy: strategy, delegations: row.int16s(3).compactMap { Delegation($0) },
                first: first, last: last, traits: row.texts(6).compactMap(ExperimentDesign.Trait.init(rawValue:)),
                smallestSample: Int64(row.int32(7)), arms: arms[row.int32(0)] ?? [])
        }
    }

    /// Agencies that there are, of those asked for.
    package func known(_ agencies: [AgencyID]) throws(PgError) -> Set<AgencyID> {
        let rows = try link.run(
            "SELECT agency_id FROM agency WHERE agency_id = ANY ($1)", [.int32s(agencies.map(\.value))])
        return Set(rows.compactMap { AgencyID($0.int32(0)) })
    }

    // MARK: - What was dealt

    /// The last month that has a plan, or was dealt before this installation was there; of a design's months only, where one is given.
    package func lastPlanned(_ design: ExperimentDesign? = nil) throws(PgError) -> Period? {
        try link.run(
            """
            SELECT max(period) FROM plan
             WHERE state <> 'discarded' AND ($1::integer IS NULL OR period BETWEEN $1 AND $2)
            """, [.optional(design?.first.number), .optional(design?.last.number)]
        ).first?.optionalInt32(0).flatMap { Period(number: $0) }
    }

    /// A month of a design whose plan is being dealt, or was stopped in between.
    package func beingDealt(_ design: ExperimentDesign) throws(PgError) -> Period? {
        try link.run(
            "SELECT period FROM plan WHERE state = 'dealing' AND period BETWEEN $1 AND $2 ORDER BY period LIMIT 1",
            [.int32(design.first.number), .int32(design.last.number)]
        ).first.flatMap { Period(number: $0.int32(0)) }
    }

    /// Whether an account was dealt to an arm of the design. Reads every position of its pools where none was.
    package func hasDealt(_ design: ExperimentDesign) throws(PgError) -> Bool {
        try link.run(
            """
            SELECT EXISTS (
                SELECT FROM hand h JOIN position p ON p.delegation_id = h.delegation_id AND p.hand_id = h.hand_id
                 WHERE h.delegation_id = ANY ($1) AND h.strategy = $2 AND h.period BETWEEN $3 AND $4
                   AND h.state <> 'inactive' AND p.arm > 0)
            """,
            [
                .int16s(design.delegations.map(\.value)), .int16(design.strategy.rawValue), .int32(design.first.number),
                .int32(design.last.number),
            ]
        ).first?.bool(0) ?? false
    }

    /// Makes a month of the design its last one. Belongs into a transaction.
    package func end(_ design: ExperimentDesign, with period: Period) throws(PgError) {
        try link.run(
            "UPDATE experiment SET last_period = $2 WHERE name = $1", [.text(design.name), .int32(period.number)])
    }

    /// Forgets a design by which nothing was dealt. Belongs into a transaction.
    package func delete(_ design: ExperimentDesign) throws(PgError) {
        let name = PgValue.text(design.name)
        try link.run(
            "DELETE FROM experiment_arm USING experiment e WHERE e.name = $1 AND experiment_arm.experiment_id = e.experiment_id",
            [name])
        try link.run("DELETE FROM experiment WHERE name = $1", [name])
    }

    /// What came of a design up to now, by arm and stratum as dealt.
    ///
    /// An account counts for the arm that it was first dealt to, whoever had it afterwards; money counts from that day on.
    package func cells(_ design: ExperimentDesign) throws(PgError) -> [ExperimentCell] {
        let services = OutcomeChannel.allCases
        return try link.run(
            ExperimentStatements.cells,
            [
                .int32(design.first.number), .int32(design.last.number), .int16s(design.delegations.map(\.value)),
                .int16(design.strategy.rawValue), .texts(services.map(\.rawValue)),
                .texts(services.map(\.kind.rawValue)),
                .text(FeeService.agreementResult.rawValue), .text(FeeTariff.rule),
                .text(design.strategy.name),
            ]
        ).map { row in
            ExperimentCell(
                arm: row.int16(0), tactic: row.text(1), stratum: StratumKey(stored: row.int32(2)),
                accounts: row.int64(3), contacted: row.int64(4), promised: row.int64(5), paid: row.int64(6),
                recovered: row.int64(7), squares: Int128(row.text(8)) ?? 0, cost: row.int64(9))
        }
    }
}

private enum ExperimentStatements {
    /// $1 name, $2 strategy, $3 delegations, $4 first, $5 last, $6 traits, $7 smallest sample, $8 by
    static let insert = """
        INSERT INTO experiment (name, strategy, delegations, first_period, last_period, strata, smallest_sample, defined_by,
                                defined_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, now_instant())
        ON CONFLICT (name) DO NOTHING
        RETURNING experiment_id
        """

    static let list = """
        SELECT experiment_id, name, strategy, delegations, first_period, last_period, strata, smallest_sample
          FROM experiment ORDER BY name
        """

    /// $1 first period, $2 last, $3 delegations, $4 strategy, $5 channels, $6 their kinds of work, $7 the agreement's
    /// result, $8 the tariff's rule, $9 the strategy's name.
    ///
    /// Work that was rejected does not count. A fee is owed once per account, kind of work and month, at the price of the
    /// version in force on the month's first day.
    static let cells = """
        WITH dealt AS MATERIALIZED (
            SELECT DISTINCT ON (p.delegation_id, p.account_id)
                   p.delegation_id, p.account_id, p.arm, p.tactic, p.stratum, coalesce(h.opened_at, l.made_at) AS since
              FROM hand h
              JOIN plan l ON l.plan_id = h.plan_id
              JOIN position p ON p.delegation_id = h.delegation_id AND p.hand_id = h.hand_id
             WHERE h.delegation_id = ANY ($3) AND h.strategy = $4 AND h.period BETWEEN $1 AND $2 AND h.state <> 'inactive'
               AND p.arm > 0
             ORDER BY p.delegation_id, p.account_id, p.epoch),
        work AS MATERIALIZED (
            SELECT o.delegation_id, o.account_id, o.period, o.contract_id,
                   CASE WHEN o.result = $7 THEN 'agreement' ELSE c.kind END AS kind,
                   bool_or(o.contact IN ('direct', 'third-party')) AS is_contacted,
                   bool_or(o.result = 'promise') AS is_promised
              FROM outcome o
              LEFT JOIN unnest($5::text[], $6::text[]) AS c (channel, kind) ON c.channel = o.channel
              LEFT JOIN review r ON r.period = o.period AND r.delegation_id = o.delegation_id
                                AND r.outcome_id = o.outcome_id
             WHERE o.period BETWEEN $1 AND $2 AND o.delegation_id = ANY ($3)
               AND r.decision IS DISTINCT FROM 'rejected'
             GROUP BY 1, 2, 3, 4, 5),
        worked AS (
            SELECT delegation_id, account_id, bool_or(is_contacted) AS is_contacted, bool_or(is_promised) AS is_promised
              FROM work GROUP BY 1, 2),
        owed AS (
            SELECT w.delegation_id, w.account_id, sum(t.price)::bigint AS cost
              FROM (SELECT DISTINCT ON (delegation_id, account_id, period, kind) * FROM work WHERE kind IS NOT NULL
                     ORDER BY delegation_id, account_id, period, kind, contract_id) w
              JOIN contract c USING (contract_id)
             CROSS JOIN LATERAL (
                   SELECT (s.value::numeric * 100)::bigint AS price FROM schedule s
                    WHERE s.schedule = c.fee_schedule AND s.rule = $8 AND s.parameter = $9 || '.' || w.kind
                      AND s.effective_on <= make_date(w.period / 100, w.period % 100, 1)
                    ORDER BY s.effective_on DESC LIMIT 1) t
             GROUP BY 1, 2),
        paid AS (
            SELECT d.delegation_id, d.account_id,
                   sum(CASE WHEN y.reverses IS NULL THEN y.amount ELSE -y.amount END)::bigint AS amount
              FROM dealt d
              JOIN payment y ON y.account_id = d.account_id
             WHERE y.period BETWEEN $1 AND $2 AND y.paid_on >= (d.since AT TIME ZONE interval '-6 hours')::date
             GROUP BY 1, 2)
        SELECT d.arm, d.tactic, d.stratum::integer, count(*),
               count(*) FILTER (WHERE w.is_contacted), count(*) FILTER (WHERE w.is_promised),
               count(*) FILTER (WHERE y.amount > 0), coalesce(sum(y.amount), 0)::bigint,
               coalesce(sum(y.amount::numeric * y.amount), 0)::text, coalesce(sum(o.cost), 0)::bigint
          FROM dealt d
          LEFT JOIN worked w USING (delegation_id, account_id)
          LEFT JOIN owed o USING (delegation_id, account_id)
          LEFT JOIN paid y USING (delegation_id, account_id)
         GROUP BY 1, 2, 3
         ORDER BY 1, 2, 3
        """
}
