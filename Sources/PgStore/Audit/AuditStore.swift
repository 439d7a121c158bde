// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// What an auditor asks about one account, over all months and agencies.
package struct AuditStore {
    private let link: PgLink

    package init(_ link: PgLink) { self.link = link }

    /// One deal of the account, leased or not, and why it was dealt so.
    package struct Deal: Sendable {
        package let delegation: Delegation
        package let epoch: Int64
        package let period: Period
        package let strategy: Strategy?
        package let portfolio: Portfolio?
        package let tactic: String
        /// Of the policy in force for the period; `nil` where the placement is gone.
        package let rule: String?
        package let policy: (name: String, version: String)?
        package let plan: Int64
        package let seed: Int64
        package let hand: Int32
        package let position: Int32
        package let handSize: Int32
        package let isFront: Bool
        /// Taken over by an opening: it was dealt elsewhere.
        package let isOpening: Bool
        /// Who could have drawn it, by contract.
        package let dealtTo: [(contract: Int32, agency: AgencyID)]
        /// `open`, `closed`, or `inactive` while its plan is being dealt; and why it was closed within its month.
        package let handState: String
        package let withdrawn: String?
        /// A draw went past it, because it was stopped or barred by then.
        package let isPassed: Bool
        package let ending: (kind: String, reason: String, at: Timestamp)?
        /// `nil` where it was dealt and never leased.
        package let lease: Lease?
    }

    package struct Lease: Sendable {
        package let grant: GrantID
        package let contract: Int32
        package let contractNumber: String
        package let agency: AgencyID?
        package let agencyName: String
        package let from: Timestamp
        package let term: Timestamp
        /// When it ended: by its ending, by the sweep, or by its enforced term, which may lie ahead.
        package let until: Timestamp
        /// Whether its term is over and closed by the sweep.
        package let isSwept: Bool
    }

    /// Oldest first.
    package func deals(of account: AccountID) throws(PgError) -> [Deal] {
        try link.run(
            Self.dealsStatement, [.int16s(Delegation.all.map(\.value)), .int64(account.value)]
        ).compactMap(Deal.init)
    }

    /// Where the cuts have it: placed by a rule, excluded, or with nothing to collect.
    package struct Placement: Sendable {
        package let period: Period
        package let delegation: Delegation
        package let strategy: Strategy?
        package let rule: String
        package let exclusion: String?
        /// Bits of the policy's relief, by its order.
        package let offers: UInt64
    }

    package func placements(of account: AccountID) throws(PgError) -> [Placement] {
        try link.run(
            """
            SELECT period, delegation_id, strategy, rule, exclusion, offers FROM placement
            WHERE delegation_id = ANY ($1) AND account_id = $2 ORDER BY period
            """, [.int16s(Delegation.all.map(\.value)), .int64(account.value)]
        ).compactMap { row in
            guard let period = Period(number: row.int32(0)), let delegation = Delegation(row.int16(1)) else {
                return nil
            }
            return Placement(
                period: period, delegation: delegation, strategy: row.optionalInt16(2).flatMap(Strategy.init),
                rule: row.text(3), exclusion: row.optionalText(4), offers: UInt64(bitPattern: row.int64(5)))
        }
    }

    /// The cuts that have the account, whatever became of it there, with what was owed in all.
    package func cuts(
        of account: AccountID
    ) throws(PgError) -> [(period: Period, delegation: Delegation, balance: Cents)] {
        try link.run(
            """
            SELECT period, delegation_id, balance FROM account
            WHERE delegation_id = ANY ($1) AND account_id = $2 ORDER BY period
            """, [.int16s(Delegation.all.map(\.value)), .int64(account.value)]
        ).compactMap { row in
            guard let period = Period(number: row.int32(0)), let delegation = Delegation(row.int16(1)) else {
                return nil
            }
            return (period, delegation, Cents(row.int64(2)))
        }
    }

    /// Blocks that hold the text `account=N ` in one of their records, or what was recorded of a grant of those that it was leased by,
    /// with their period, in the order of their making.
    ///
    /// Reads every block of the delegations: a question of minutes on a large ledger, and rare.
    package func blocks(
        naming account: AccountID, grants: [GrantID], in delegations: [Delegation]
    ) throws(PgError) -> [(period: Period, records: [UInt8])] {
        // One pattern for all, so that each block is looked through once. Records are of ASCII where it asks.
        var pattern = "account=\(account)"
        if !grants.isEmpty { pattern += "|(?:id|grant)=(?:\(grants.map(\.description).joined(separator: "|")))" }
        return try link.run(
            """
            SELECT period, records FROM block WHERE delegation_id = ANY ($1) AND encode(records, 'escape') ~ $2
            ORDER BY transaction, block_id
            """, [.int16s(delegations.map(\.value)), .text(" (?:\(pattern)) ")]
        ).compactMap { row in Period(number: row.int32(0)).map { ($0, row.bytes(1)) } }
    }

    package func contests(of outcomes: [Int64], in delegations: [Delegation]) throws(PgError) -> [RecordedContest] {
        try link.run(
            """
            SELECT \(RecordedRows.contestColumns) FROM contest
            WHERE delegation_id = ANY ($1) AND outcome_id = ANY ($2) ORDER BY contested_at, outcome_id
            """, [.int16s(delegations.map(\.value)), .int64s(outcomes)]
        ).compactMap(RecordedRows.contest)
    }

    package func reviews(of outcomes: [Int64], in delegations: [Delegation]) throws(PgError) -> [RecordedReview] {
        try link.run(
            """
            SELECT \(RecordedRows.reviewColumns) FROM review
            WHERE delegation_id = ANY ($1) AND outcome_id = ANY ($2)
            UNION ALL
            SELECT delegation_id, period, outcome_id, decision, decision_reason, reviewer, decided_at FROM contest
            WHERE delegation_id = ANY ($1) AND outcome_id = ANY ($2) AND decision IS NOT NULL
            ORDER BY 7, 3
            """, [.int16s(delegations.map(\.value)), .int64s(outcomes)]
        ).compactMap(RecordedRows.review)
    }

    package func stops(of account: AccountID) throws(PgError) -> [(reason: String, from: LocalDate, until: LocalDate?)]
    {
        try link.run(
            """
            SELECT reason, from_on, until_on FROM standing_stop
            WHERE delegation_id = ANY ($1) AND account_id = $2 ORDER BY from_on, reason
            """, [.int16s(Delegation.all.map(\.value)), .int64(account.value)]
        ).map { ($0.text(0), $0.date(1), $0.optionalDate(2)) }
    }

    private static let dealsStatement = """
        SELECT d.delegation_id, d.epoch, h.period, h.strategy, h.portfolio, p.tactic, \(StartStatements.ruleOfDeal), s.policy, s.policy_version,
            h.plan_id, pl.seed, d.hand_id, d.position, h.size, h.is_front, e.kind, e.reason, e.ended_at,
            g.first_position, g.contract_id, c.number, g.agency_id, a.name, g.granted_at, g.term,
            least(e.ended_at, coalesce(
                g.closed_at, g.term + (g.grace_us + \(Outage.total("clock")) - g.outage_us) * interval '1 microsecond')),
            g.state = 'closed', pl.digest = '', h.state, h.withdrawn_reason, passed.is_passed,
            ARRAY(SELECT k.contract_id FROM contract k WHERE k.contract_id = ANY (h.contract_ids) ORDER BY 1),
            ARRAY(SELECT k.agency_id FROM contract k WHERE k.contract_id = ANY (h.contract_ids) ORDER BY k.contract_id)
        FROM clock, deal d
        JOIN hand h USING (delegation_id, hand_id)
        JOIN position p USING (delegation_id, hand_id, position)
        JOIN plan pl ON pl.plan_id = h.plan_id
        LEFT JOIN placement l ON l.period = h.period AND l.delegation_id = d.delegation_id
            AND l.account_id = d.account_id
        LEFT JOIN segmentation s ON s.period = h.period
        LEFT JOIN ending e ON e.delegation_id = d.delegation_id AND e.account_id = d.account_id AND e.epoch = d.epoch
        LEFT JOIN LATERAL (
            SELECT * FROM (
                SELECT * FROM lease_grant x
                WHERE x.delegation_id = d.delegation_id AND x.hand_id = d.hand_id AND x.first_position <= d.position
                ORDER BY x.first_position DESC LIMIT 1) x
            WHERE x.last_position >= d.position AND NOT d.position = ANY (coalesce(x.skipped, '{}'))) g ON true
        CROSS JOIN LATERAL (
            SELECT EXISTS (SELECT FROM lease_grant x
                            WHERE x.delegation_id = d.delegation_id AND x.hand_id = d.hand_id
                              AND x.last_position >= d.position) AS is_passed) passed
        LEFT JOIN contract c ON c.contract_id = g.contract_id
        LEFT JOIN agency a ON a.agency_id = g.agency_id
        WHERE d.delegation_id = ANY ($1) AND d.account_id = $2
        ORDER BY d.epoch
        """
}

extension AuditStore.Deal {
    fileprivate init?(_ row: PgRow) {
        guard let delegation = Delegation(row.int16(0)), let period = Period(number: row.int32(2)) else { return nil }
        self.delegation = delegation
        epoch = row.int64(1)
        self.period = period
        strategy = Strategy(rawValue: row.int16(3))
        portfolio = Portfolio(rawValue: row.int16(4))
        tactic = row.text(5)
        rule = row.optionalText(6)
        policy = row.optionalText(7).map { ($0, row.optionalText(8) ?? "") }
        plan = row.int64(9)
        seed = row.int64(10)
        hand = row.int32(11)
        position = row.int32(12)
        handSize = row.int32(13)
        isFront = row.bool(14)
        ending = row.optionalText(15).map { ($0, row.text(16), row.timestamp(17)) }
        lease = row.optionalInt32(18).map { first in
            AuditStore.Lease(
                grant: GrantID(hand: row.int32(11), first: first), contract: row.int32(19),
                contractNumber: row.optionalText(20) ?? "", agency: AgencyID(row.int32(21)),
                agencyName: row.optionalText(22) ?? "", from: row.timestamp(23), term: row.timestamp(24),
                until: row.timestamp(25), isSwept: row.bool(26))
        }
        isOpening = row.bool(27)
        handState = row.text(28)
        withdrawn = row.optionalText(29)
        isPassed = row.bool(30)
        dealtTo = zip(row.int32s(31), row.int32s(32)).compactMap { contract, agency in
            AgencyID(agency).map { (contract, $0) }
        }
    }
}
