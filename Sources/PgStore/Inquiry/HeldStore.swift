// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// One account that an agency holds, with everything that its holder is told again.
package struct HeldDetail: Sendable {
    package let lease: LeaseKey
    package let grant: GrantID
    package let position: Int32
    package let term: Timestamp
    package let contract: ContractID?
    package let strategy: Strategy?
    package let portfolio: Portfolio?
    package let dealt: DealtAccount
    package let recall: PendingRecall?
    package let paid: PaidSince?
    package let started: StartedSince?
    package let contactRules: ContactRules
    package let grantedAt: Timestamp
    /// What was done about it so far; `nil` where contacts follow no cadence, or nothing was done.
    package let history: ContactHistory?
    package let place: ContactPlace
}

/// A recall that was noticed and not withdrawn.
package struct PendingRecall: Sendable {
    package let reason: String
    package let notice: RecallNotice
}

/// What happened to an account since it was leased, by which it would start to be collected: the latest of it.
package struct StartedSince: Sendable {
    package let reason: String
    package let on: LocalDate
}

/// What came in for an account since it was leased, less what was taken back.
package struct PaidSince: Sendable {
    package let amount: Cents
    package let latest: LocalDate
}

extension PgLink {
    /// A page of what the agency holds, in the order of delegation, hand and position, behind `after`.
    package func readHeldDetails(
        of agency: AgencyID, in delegation: Delegation?, after: (delegation: Int16, hand: Int32, position: Int32),
        limit: Int32
    ) throws(PgError) -> [HeldDetail] {
        let delegations = delegation.map { [$0] } ?? Delegation.all
        return try run(
            HeldStatements.page,
            [
                .int32(agency.value), .int16s(delegations.map(\.value)), .int16(after.delegation), .int32(after.hand),
                .int32(after.position), .int32(limit),
            ]
        ).compactMap(HeldDetail.init)
    }

    /// The page of ``readHeldPage(of:after:limit:)`` up to a place.
    package func readHeldPage(
        of agency: AgencyID, after: (delegation: Int16, account: Int64), through: (delegation: Int16, account: Int64),
        limit: Int32
    ) throws(PgError) -> [HeldLease] {
        try run(
            HeldStatements.range,
            [
                .int32(agency.value), .int16s(Delegation.all.map(\.value)), .int16(after.delegation),
                .int64(after.account), .int16(through.delegation), .int64(through.account), .int32(limit),
            ]
        ).compactMap { row in
            guard let lease = LeaseKey(row) else { return nil }
            return HeldLease(
                lease: lease, grant: GrantID(hand: row.int32(3), first: row.int32(4)), term: row.timestamp(5))
        }
    }

    /// What decides about leases that a client believes in, by lease; those that were never leased are missing.
    package func readLeases(_ leases: [LeaseKey]) throws(PgError) -> (now: Timestamp, leases: [LeaseKey: LeaseFacts]) {
        let (now, rows) = try readLeaseRows(leases)
        return (now, rows.mapValues(\.facts))
    }

    /// The same, with where each lease stands and under which contract.
    package func readLeaseRows(
        _ leases: [LeaseKey]
    ) throws(PgError) -> (now: Timestamp, leases: [LeaseKey: GroupAnswer.Lease]) {
        let clock = try run(EngineStatements.clock)[0]
        let outage = Duration.microseconds(clock.int64(1))
        var found: [LeaseKey: GroupAnswer.Lease] = [:]
        let values: [PgValue] = [
            .int16s(leases.map(\.delegation.value)), .int64s(leases.map(\.account.value)),
            .int64s(leases.map(\.epoch.value)),
        ]
        for row in try run(EngineStatements.leases, values) {
            found[leases[Int(row.int64(0)) - 1]] = GroupAnswer.Lease(row, outage: outage)
        }
        return (clock.timestamp(0), found)
    }
}

extension HeldDetail {
    fileprivate init?(_ row: PgRow) {
        guard let delegation = Delegation(row.int16(0)), let dealt = DealtAccount(row, at: 1) else { return nil }
        lease = LeaseKey(delegation: delegation, account: dealt.position.account, epoch: dealt.position.epoch)
        grant = GrantID(hand: row.int32(11), first: row.int32(12))
        position = dealt.position.position
        term = row.timestamp(13)
        contract = ContractID(row.int32(14))
        strategy = Strategy(rawValue: row.int16(15))
        portfolio = Portfolio(rawValue: row.int16(16))
        self.dealt = dealt
        recall = RecallNotice(row, at: 17).map { PendingRecall(reason: row.optionalText(21) ?? "", notice: $0) }
        paid = row.optionalInt64(22).map { PaidSince(amount: Cents($0), latest: row.date(23)) }
        contactRules = ContactRules(names: row.texts(24))
        grantedAt = row.timestamp(25)
        history = ContactHistory(row, at: 26)
        place = ContactPlace(row, at: 26 + ContactHistory.columns)
        let last = 26 + ContactHistory.columns + ContactPlace.columns
        started = row.optionalText(last).map { StartedSince(reason: $0, on: row.date(last + 1)) }
    }
}

private enum HeldStatements {
    /// $1 agency, $2 delegations, $3 … $5 the place behind which it begins, $6 how many
    static let page = """
        WITH held AS MATERIALIZED (
            SELECT p.delegation_id, p.position, p.account_id, p.epoch, p.exposure, p.tactic, p.arrears, p.due, p.overdue,
                   p.municipality, p.reference, g.hand_id, g.first_position, g.term, g.contract_id, g.granted_at,
                   h.strategy, h.portfolio, h.rule_packs
              FROM lease_grant g
              JOIN hand h ON h.delegation_id = g.delegation_id AND h.hand_id = g.hand_id
              JOIN position p ON p.delegation_id = g.delegation_id AND p.hand_id = g.hand_id
                             AND p.position BETWEEN g.first_position AND g.last_position
                             AND p.position <> ALL (coalesce(g.skipped, '{}'))
             WHERE g.delegation_id = ANY ($2) AND g.agency_id = $1 AND g.state = 'open'
               AND (g.delegation_id, g.hand_id, g.last_position) > ($3, $4, $5)
               AND (p.delegation_id, p.hand_id, p.position) > ($3, $4, $5)
               AND NOT EXISTS (SELECT FROM ending e
                                WHERE e.delegation_id = p.delegation_id AND e.account_id = p.account_id
                                  AND e.epoch = p.epoch)
             ORDER BY p.delegation_id, p.hand_id, p.position
             LIMIT $6)
        SELECT s.delegation_id, s.position, s.account_id, s.epoch, s.exposure, s.tactic, s.arrears, s.due,
               s.overdue, s.municipality, s.reference, s.hand_id, s.first_position, s.term, s.contract_id, s.strategy,
               s.portfolio, n.final_at, n.objected_at, n.held_until, n.decision, n.reason, paid.amount, paid.latest,
               s.rule_packs, s.granted_at, \(ContactHistoryStatements.columns("ch")),
               \(ContactHistoryStatements.place("s.delegation_id", "s.account_id", "s.municipality", "s.rule_packs")),
               started.reason, started.on_date
          FROM held s
          LEFT JOIN contact_history ch ON ch.delegation_id = s.delegation_id AND ch.account_id = s.account_id
                                      AND ch.epoch = s.epoch
          LEFT JOIN notice n ON n.delegation_id = s.delegation_id AND n.account_id = s.account_id AND n.epoch = s.epoch
                            AND n.decision IS DISTINCT FROM 'withdrawn'
          LEFT JOIN LATERAL (
               SELECT sum(CASE WHEN m.reverses IS NULL THEN m.amount ELSE -m.amount END)::bigint AS amount,
                      max(m.paid_on) AS latest
                 FROM payment m
                WHERE m.delegation_id = s.delegation_id AND m.account_id = s.account_id
                  AND m.paid_on >= (s.granted_at AT TIME ZONE 'America/Mexico_City')::date) paid ON true
          LEFT JOIN LATERAL (
               SELECT t.reason, t.on_date FROM start t JOIN import i USING (import_id)
                WHERE t.delegation_id = s.delegation_id AND t.account_id = s.account_id AND t.epoch = s.epoch
                  AND t.fate = 'in-hand' AND i.imported_at >= s.granted_at
                ORDER BY t.start_id DESC LIMIT 1) started ON true
         ORDER BY s.delegation_id, s.hand_id, s.position
        """

    /// $1 agency, $2 delegations, $3 and $4 the place behind which it begins, $5 and $6 the last place, $7 how many
    static let range = """
        SELECT p.delegation_id, p.account_id, p.epoch, g.hand_id, g.first_position, g.term
          FROM lease_grant g
          JOIN position p ON p.delegation_id = g.delegation_id AND p.hand_id = g.hand_id
                         AND p.position BETWEEN g.first_position AND g.last_position
                         AND p.position <> ALL (coalesce(g.skipped, '{}'))
         WHERE g.delegation_id = ANY ($2) AND g.agency_id = $1 AND g.state = 'open'
           AND (p.delegation_id, p.account_id) > ($3, $4) AND (p.delegation_id, p.account_id) <= ($5, $6)
           AND NOT EXISTS (SELECT FROM ending e
                            WHERE e.delegation_id = p.delegation_id AND e.account_id = p.account_id AND e.epoch = p.epoch)
         ORDER BY p.delegation_id, p.account_id
         LIMIT $7
        """
}
