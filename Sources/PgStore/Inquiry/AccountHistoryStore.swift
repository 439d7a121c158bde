// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// One deal of an account to an agency that leased it: why it was placed, how it was dealt, what became of it.
package struct AccountDeal: Sendable {
    package let epoch: Epoch
    package let period: Period
    package let strategy: Strategy?
    package let portfolio: Portfolio?
    package let tactic: String
    package let priority: Int16
    /// The rule of the policy that placed it, and the policy; `nil` where the placement is not there any more.
    package let rule: String?
    package let policy: (name: String, version: String)?
    package let plan: Int64
    package let hand: Int32
    package let position: Int32
    package let handSize: Int32
    package let contract: ContractID?
    package let grant: GrantID
    package let grantedAt: Timestamp
    package let term: Timestamp
    package let ending: (kind: String, reason: String, at: Timestamp)?
    package let recall: PendingRecall?
    package let closedAt: Timestamp?
}

/// One gestión that the agency reported and that counts, with what the delegation decided about it.
package struct AccountOutcome: Sendable {
    package let epoch: Epoch
    package let number: Int64
    package let workedAt: Timestamp
    package let channel: String
    package let contact: String
    package let result: String
    package let amount: Cents?
    package let promisedOn: LocalDate?
    package let isLate: Bool
    package let review: (decision: String, reason: String)?
}

extension PgLink {
    /// The agency's own outcomes of the account within some months, oldest first; the latest fifty where there are more.
    ///
    /// They are found in the index of the outcomes' key, which has the account beside it: the agency's entries of the delegation
    /// are read month by month, and of their rows only those that no vacuum has seen yet.
    package func readAccountOutcomes(
        of agency: AgencyID, in delegation: Delegation, account: AccountID, months: ClosedRange<Period>
    ) throws(PgError) -> [AccountOutcome] {
        try run(
            AccountHistoryStatements.outcomes,
            [
                .int16(delegation.value), .int64(account.value), .int32(agency.value),
                .int32(months.lowerBound.number), .int32(months.upperBound.number),
            ]
        ).reversed().compactMap(AccountOutcome.init)
    }

    /// The deals under which the agency leased the account, oldest first; nothing of other agencies shows.
    package func readAccountDeals(
        of agency: AgencyID, in delegation: Delegation, account: AccountID
    ) throws(PgError) -> [AccountDeal] {
        try run(dealsStatement, [.int16(delegation.value), .int64(account.value), .int32(agency.value)])
            .compactMap(AccountDeal.init)
    }
}

extension AccountDeal {
    fileprivate init?(_ row: PgRow) {
        guard let epoch = Epoch(row.int64(0)), let period = Period(number: row.int32(1)) else { return nil }
        self.epoch = epoch
        self.period = period
        strategy = Strategy(rawValue: row.int16(2))
        portfolio = Portfolio(rawValue: row.int16(3))
        tactic = row.text(4)
        priority = row.int16(5)
        rule = row.optionalText(6)
        policy = row.optionalText(7).map { ($0, row.optionalText(8) ?? "") }
        plan = row.int64(9)
        hand = row.int32(10)
        position = row.int32(11)
        handSize = row.int32(12)
        contract = ContractID(row.int32(13))
        grant = GrantID(hand: row.int32(10), first: row.int32(14))
        grantedAt = row.timestamp(15)
        term = row.timestamp(16)
        closedAt = row.optionalTimestamp(17)
        ending = row.optionalText(18).map { ($0, row.text(19), row.timestamp(20)) }
        recall = PendingRecall(row, at: 21)
    }
}

extension AccountOutcome {
    fileprivate init?(_ row: PgRow) {
        guard let epoch = Epoch(row.int64(0)) else { return nil }
        self.epoch = epoch
        number = row.int64(1)
        workedAt = row.timestamp(2)
        channel = row.text(3)
        contact = row.text(4)
        result = row.text(5)
        amount = row.optionalInt64(6).map { Cents($0) }
        promisedOn = row.optionalDate(7)
        isLate = row.bool(8)
        review = row.optionalText(9).map { ($0, row.optionalText(10) ?? "") }
    }
}

/// $1 delegation, $2 account, $3 agency, $4 first month, $5 last month
enum AccountHistoryStatements {
    static let outcomes = """
        WITH own AS MATERIALIZED (
             SELECT x.period, x.instance_id, x.key FROM outcome x
              WHERE x.period BETWEEN $4 AND $5 AND x.delegation_id = $1 AND x.agency_id = $3 AND x.account_id = $2)
        SELECT o.epoch, o.outcome_id, o.worked_at, o.channel, o.contact, o.result, o.amount, o.promised_on,
               coalesce('late' = ANY (o.marks), false), r.decision, r.reason
          FROM own w
          JOIN outcome o ON o.period = w.period AND o.delegation_id = $1 AND o.agency_id = $3
                        AND o.instance_id = w.instance_id AND o.key = w.key
          LEFT JOIN review r ON r.delegation_id = o.delegation_id AND r.outcome_id = o.outcome_id
         ORDER BY o.worked_at DESC, o.outcome_id DESC
         LIMIT 50
        """
}

/// $1 delegation, $2 account, $3 agency
private let dealsStatement = """
    SELECT d.epoch, h.period, h.strategy, h.portfolio, p.tactic, p.priority, \(StartStatements.ruleOfDeal),
           s.policy, s.policy_version, h.plan_id,
           d.hand_id, d.position, h.size, g.contract_id, g.first_position, g.granted_at, g.term, g.closed_at,
           e.kind, e.reason, e.ended_at, n.final_at, n.objected_at, n.held_until, n.decision, n.reason
      FROM deal d
      JOIN hand h ON h.delegation_id = d.delegation_id AND h.hand_id = d.hand_id
      JOIN position p ON p.delegation_id = d.delegation_id AND p.hand_id = d.hand_id AND p.position = d.position
     CROSS JOIN LATERAL (\(EngineStatements.grantOfPosition("d.delegation_id", "d.hand_id", "d.position"))) g
      LEFT JOIN placement l ON l.period = h.period AND l.delegation_id = d.delegation_id AND l.account_id = d.account_id
      LEFT JOIN segmentation s ON s.period = h.period
      LEFT JOIN ending e ON e.delegation_id = d.delegation_id AND e.account_id = d.account_id AND e.epoch = d.epoch
      LEFT JOIN notice n ON n.delegation_id = d.delegation_id AND n.account_id = d.account_id AND n.epoch = d.epoch
     WHERE d.delegation_id = $1 AND d.account_id = $2 AND g.agency_id = $3
       AND d.position <= g.last_position AND d.position <> ALL (coalesce(g.skipped, '{}'))
     ORDER BY d.epoch
     LIMIT 100
    """
