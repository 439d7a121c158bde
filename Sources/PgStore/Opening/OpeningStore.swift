// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// One account that an agency held before this installation was there.
package struct OpeningHolding: Sendable {
    package let delegation: Delegation
    package let contract: ContractID
    package let agency: AgencyID
    package let exposure: Exposure
    package let strategy: Strategy
    package let portfolio: Portfolio
    package let fromOn: LocalDate
    package let untilOn: LocalDate
    /// What a position keeps of it.
    package let dealable: DealableRow
}

/// One grant that stands for what an agency was given on a day, with its term.
package struct OpeningGrant: Sendable {
    package let grant: GrantKey
    package let last: Int32
    package let contract: ContractID
    package let agency: AgencyID
    package let strategy: Strategy
    package let portfolio: Portfolio
    package let accounts: Int32
    package let exposure: Int64
    /// Of the quota, over all grants up to this one.
    package let totalAccounts: Int64
    package let totalExposure: Int64
    package let heldDigest: [UInt8]
    package let grantedAt: Timestamp
    package let term: Timestamp
    package let key: Int64

    package init(
        grant: GrantKey, last: Int32, contract: ContractID, agency: AgencyID, strategy: Strategy, portfolio: Portfolio,
        accounts: Int32, exposure: Int64, totalAccounts: Int64, totalExposure: Int64, heldDigest: [UInt8],
        grantedAt: Timestamp, term: Timestamp, key: Int64
    ) {
        self.grant = grant
        self.last = last
        self.contract = contract
        self.agency = agency
        self.strategy = strategy
        self.portfolio = portfolio
        self.accounts = accounts
        self.exposure = exposure
        self.totalAccounts = totalAccounts
        self.totalExposure = totalExposure
        self.heldDigest = heldDigest
        self.grantedAt = grantedAt
        self.term = term
        self.key = key
    }
}

/// What came before the first plan, taken over from the rows that ``ImportStore`` staged, in its transaction.
package struct OpeningStore {
    /// A row that is kept as history, as the ledger has it.
    package struct Memory: Sendable {
        package let kind: String
        package let delegation: Delegation
        package let account: Int64?
        package let contract: Int32?
        package let agency: AgencyID?
        package let fromOn: LocalDate?
        package let untilOn: LocalDate?
        package let value: String
    }

    /// The installation that opening grants belong to: no client has it.
    package static let instance: Int32 = 0

    private let link: PgLink
    private let period: Period

    /// - Parameter period: the first one that is planned here.
    package init(_ link: PgLink, period: Period) {
        self.link = link
        self.period = period
    }

    /// The first period that a plan was made for here; the plan of an opening is none.
    package func firstPlanned() throws(PgError) -> Period? {
        try link.run(
            "SELECT period FROM plan WHERE state <> 'discarded' AND digest <> '' ORDER BY period LIMIT 1"
        ).first.flatMap { Period(number: $0.int32(0)) }
    }

    /// The month before, as the one that the holdings were dealt in: closed, because its statements were made elsewhere.
    ///
    /// - Returns: the plan that stands for its deals; `nil` where that month is not closed here.
    package func formerPlan() throws(PgError) -> Int64? {
        let former = PgValue.int32(period.advanced(byMonths: -1).number)
        try link.run(
            """
            INSERT INTO period (period, state, opened_at, closed_at) VALUES ($1, 'closed', now_instant(), now_instant())
            ON CONFLICT DO NOTHING
            """, [former])
        let state = try link.run("SELECT state FROM period WHERE period = $1 FOR NO KEY UPDATE", [former])
        guard state.first?.text(0) == "closed" else { return nil }
        let known = try link.run("SELECT plan_id FROM plan WHERE period = $1 AND state <> 'discarded'", [former])
        if let plan = known.first { return plan.int64(0) }
        return try link.run(
            """
            INSERT INTO plan (period, state, seed, segmentation_digest, digest, made_at)
            VALUES ($1, 'applied', 0, '', '', now_instant()) RETURNING plan_id
            """, [former]
        ).first?.int64(0)
    }

    /// The staged holdings by delegation, contract, strategy, portfolio, dates and account.
    package func holdings() throws(PgError) -> [OpeningHolding] {
        try link.run(OpeningStatements.holdings, [.int32(period.number)]).compactMap { row in
            guard let delegation = Delegation(row.int16(0)), let contract = ContractID(row.int32(1)),
                let agency = AgencyID(row.int32(2)), let basis = Exposure.Basis(rawValue: row.text(3)),
                let strategy = Strategy(rawValue: row.int16(5)), let portfolio = Portfolio(rawValue: row.int16(6))
            else { return nil }
            return OpeningHolding(
                delegation: delegation, contract: contract, agency: agency,
                exposure: Exposure(basis: basis, factorBasisPoints: Int64(row.int32(4))), strategy: strategy,
                portfolio: portfolio, fromOn: row.date(7), untilOn: row.date(8),
                dealable: DealableRow(
                    account: row.int64(9), strategy: strategy, portfolio: portfolio, priority: 1,
                    tactic: ShortText("opening"),
                    arrears: row.int16(10), due: row.int64(11), overdue: row.int64(12), balance: row.int64(13),
                    municipality: row.int32(14), reference: ShortText(row.text(15)), latestDeal: 0))
        }
    }

    /// What a contract's quota had granted before, and the highest key of an opening's grants.
    package func totals() throws(PgError) -> (quotas: [PoolKey: [ContractID: (Int64, Int64)]], key: Int64) {
        var quotas: [PoolKey: [ContractID: (Int64, Int64)]] = [:]
        for row in try link.run(OpeningStatements.totals) {
            guard let delegation = Delegation(row.int16(0)), let contract = ContractID(row.int32(1)),
                let strategy = Strategy(rawValue: row.int16(2)), let portfolio = Portfolio(rawValue: row.int16(3))
            else { continue }
            let pool = PoolKey(delegation: delegation, strategy: strategy, portfolio: portfolio)
            quotas[pool, default: [:]][contract] = (row.int64(4), row.int64(5))
        }
        let key = try link.run(
            "SELECT coalesce(max(key), 0) FROM lease_grant WHERE delegation_id = ANY ($1) AND instance_id = $2",
            [.int16s(Delegation.all.map(\.value)), .int32(Self.instance)])
        return (quotas, key.first?.int64(0) ?? 0)
    }

    /// Writes the grants over hands that are there, closes those hands, and makes each quota what its contract holds.
    package func write(_ grants: [OpeningGrant], plan: Int64) throws(PgError) {
        try link.run(
            OpeningStatements.quotas,
            [
                .int64(plan), .int16s(grants.map(\.grant.delegation.value)), .int32s(grants.map(\.contract.value)),
                .int16s(grants.map(\.strategy.rawValue)), .int16s(grants.map(\.portfolio.rawValue)),
                .int64s(grants.map { Int64($0.accounts) }), .int64s(grants.map(\.exposure)),
            ])
        try link.run(OpeningStatements.history, [.int64(plan)])
        try link.run(
            OpeningStatements.grants,
            [
                .int16s(grants.map(\.grant.delegation.value)), .int32s(grants.map(\.grant.grant.hand)),
                .int32s(grants.map(\.grant.grant.first)), .int32s(grants.map(\.last)),
                .int32s(grants.map(\.contract.value)), .int32s(grants.map(\.agency.value)), .int64s(grants.map(\.key)),
                .int32s(grants.map(\.accounts)), .int64s(grants.map(\.exposure)), .int64s(grants.map(\.totalAccounts)),
                .int64s(grants.map(\.totalExposure)), .byteArrays(grants.map(\.heldDigest)),
                .timestamps(grants.map(\.grantedAt)), .timestamps(grants.map(\.term)), .int32(Self.instance),
            ])
        try link.run("UPDATE hand SET state = 'closed' WHERE plan_id = $1 AND state = 'inactive'", [.int64(plan)])
    }

    /// Staged agreements of accounts that the cut does not have in cure: they bind nobody until a cut says so.
    package func uncuredAgreements() throws(PgError) -> Int64 {
        try link.run(
            """
            SELECT count(*) FROM import_row s
              JOIN account a ON a.period = $1 AND a.delegation_id = s.delegation_id AND a.account_id = s.account_id
             WHERE s.kind = 'agreement' AND NOT a.restructure_in_cure
            """, [.int32(period.number)]
        ).first?.int64(0) ?? 0
    }

    /// Keeps the staged rows that are history.
    ///
    /// - Returns: them, by kind and line.
    package func remember(importID: Int64) throws(PgError) -> [Memory] {
        let values: [PgValue] = [.int64(importID)]
        for statement in OpeningStatements.memories { try link.run(statement, values) }
        try link.run(OpeningStatements.extendAccounts, [.int32(period.number)])
        return try link.run(OpeningStatements.remembered).compactMap { row in
            guard let delegation = Delegation(row.int16(1)) else { return nil }
            return Memory(
                kind: row.text(0), delegation: delegation, account: row.optionalInt64(2),
                contract: row.optionalInt32(3),
                agency: row.optionalInt32(4).flatMap { AgencyID($0) }, fromOn: row.optionalDate(5),
                untilOn: row.optionalDate(6), value: row.text(7))
        }
    }
}

private enum OpeningStatements {
    /// $1 period
    static let holdings = """
        SELECT s.delegation_id, s.contract_id, c.agency_id, c.exposure_basis, c.exposure_factor_bp, s.strategy, s.portfolio,
               s.from_on, s.until_on, s.account_id, a.arrears, a.due, a.overdue, a.balance, a.municipality, a.reference
          FROM import_row s
          JOIN contract c ON c.contract_id = s.contract_id
          JOIN account a ON a.period = $1 AND a.delegation_id = s.delegation_id AND a.account_id = s.account_id
         WHERE s.kind = 'holding'
         ORDER BY s.delegation_id, s.contract_id, s.strategy, s.portfolio, s.from_on, s.until_on, s.account_id
        """

    static let totals = """
        SELECT q.delegation_id, q.contract_id, q.strategy, q.portfolio, t.total_accounts, t.total_exposure
          FROM quota q
          JOIN LATERAL (SELECT g.total_accounts, g.total_exposure FROM lease_grant g
                         WHERE g.delegation_id = q.delegation_id AND g.quota_id = q.quota_id
                         ORDER BY g.total_accounts DESC LIMIT 1) t ON true
         ORDER BY q.delegation_id, q.contract_id, q.strategy, q.portfolio
        """

    /// $1 plan; then per grant: $2 delegation, $3 contract, $4 strategy, $5 portfolio, $6 accounts, $7 exposure
    static let quotas = """
        INSERT INTO quota (delegation_id, contract_id, strategy, portfolio, limit_accounts, limit_exposure, plan_id)
        SELECT g.delegation_id, g.contract_id, g.strategy, g.portfolio, sum(g.accounts)::bigint,
               CASE WHEN c.exposure_basis <> 'none' THEN sum(g.exposure)::bigint END, $1
          FROM unnest($2::smallint[], $3::integer[], $4::smallint[], $5::smallint[], $6::bigint[], $7::bigint[])
               AS g (delegation_id, contract_id, strategy, portfolio, accounts, exposure)
          JOIN contract c ON c.contract_id = g.contract_id
         GROUP BY g.delegation_id, g.contract_id, g.strategy, g.portfolio, c.exposure_basis
         ORDER BY g.delegation_id, g.contract_id, g.strategy, g.portfolio
        ON CONFLICT (delegation_id, contract_id, strategy, portfolio) DO UPDATE
           SET limit_accounts = quota.limit_accounts + excluded.limit_accounts,
               limit_exposure = quota.limit_exposure + excluded.limit_exposure
        """

    /// From the day of the first grant on, so that each of them lies within its limit; of several files the last one has the
    /// whole. $1 plan
    static let history = """
        INSERT INTO quota_history (delegation_id, quota_id, since, limit_accounts, limit_exposure, plan_id, cause)
        SELECT delegation_id, quota_id, timestamptz '1900-01-01 00:00Z', limit_accounts, limit_exposure, plan_id, 'opening'
          FROM quota WHERE plan_id = $1
        """

    /// Per grant $1 delegation … $14 term; $15 instance
    static let grants = """
        INSERT INTO lease_grant
               (delegation_id, hand_id, first_position, last_position, quota_id, contract_id, agency_id, instance_id, key,
                request_hash, accounts, exposure, total_accounts, total_exposure, left_accounts, stop, held_digest,
                granted_at, granted_term, term, ceiling, grace_us, outage_us)
        SELECT g.delegation_id, g.hand_id, g.first, g.last, q.quota_id, g.contract_id, g.agency_id, $15, g.key, '', g.accounts,
               g.exposure, g.total_accounts, g.total_exposure, 0, 'limit', g.digest, g.granted_at, g.term, g.term, g.term,
               h.grace_us, (SELECT \(Outage.total("clock")) FROM clock)
          FROM unnest($1::smallint[], $2::integer[], $3::integer[], $4::integer[], $5::integer[], $6::integer[],
                      $7::bigint[], $8::integer[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bytea[],
                      $13::timestamptz[], $14::timestamptz[])
               AS g (delegation_id, hand_id, first, last, contract_id, agency_id, key, accounts, exposure, total_accounts,
                     total_exposure, digest, granted_at, term)
          JOIN hand h ON h.delegation_id = g.delegation_id AND h.hand_id = g.hand_id
          JOIN quota q ON q.delegation_id = g.delegation_id AND q.contract_id = g.contract_id AND q.strategy = h.strategy
                      AND q.portfolio = h.portfolio
        """

    /// $1 import_id
    static let memories = [
        """
        INSERT INTO opening_holder (delegation_id, account_id, agency_id, from_on, until_on, ended_by, import_id)
        SELECT delegation_id, account_id, agency_id, from_on, until_on, value, $1 FROM import_row WHERE kind = 'holder'
        ON CONFLICT DO NOTHING
        """,
        """
        INSERT INTO opening_breach (period, contract_id, delegation_id, rule, import_id)
        SELECT DISTINCT (extract(year FROM from_on) * 100 + extract(month FROM from_on))::integer, contract_id,
               delegation_id, value, $1
          FROM import_row WHERE kind = 'breach'
        ON CONFLICT DO NOTHING
        """,
        """
        INSERT INTO opening_agreement (delegation_id, account_id, contract_id, signed_on, payments, import_id)
        SELECT delegation_id, account_id, contract_id, from_on, value::smallint, $1 FROM import_row WHERE kind = 'agreement'
        """,
        """
        INSERT INTO opening_extension (delegation_id, account_id, months, import_id)
        SELECT delegation_id, account_id, value::smallint, $1 FROM import_row WHERE kind = 'extension'
        """,
    ]

    /// The cut may know of more. $1 period
    static let extendAccounts = """
        UPDATE account a SET extension_months = s.value::smallint
          FROM import_row s
         WHERE s.kind = 'extension' AND a.period = $1 AND a.delegation_id = s.delegation_id
           AND a.account_id = s.account_id AND a.extension_months < s.value::smallint
        """

    static let remembered = """
        SELECT kind, delegation_id, account_id, contract_id, agency_id, from_on, until_on, value
          FROM import_row WHERE kind <> 'holding'
         ORDER BY kind, line
        """
}
