// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// One account that an agency holds, with everything that its holder is told again.
package struct HeldDetail: Sendable {
    package let lease: LeaseKey
    package let grant: GrantID
    package let position: Int32
    package let term: Timestamp
    package let ceiling: Timestamp
    package let grace: Duration
    /// By when the first work must be reported; `nil` where the term alone counts.
    package let workBy: Timestamp?
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
    /// Whether the holder objected.
    package let isObjected: Bool

    /// Reads final_at, objected_at, held_until, decision, reason from `column` on; `nil` where no recall was noticed.
    init?(_ row: PgRow, at column: Int) {
        guard let notice = RecallNotice(row, at: column) else { return nil }
        self.notice = notice
        isObjected = !row.isNull(column + 1)
        reason = row.optionalText(column + 4) ?? ""
    }
}

/// What happened to an account since it was leased, by which it would start to be collected: the latest of it.
package struct StartedSince: Sendable {
    package let reason: String
    package let on: LocalDate

    /// Reads reason and day from `column` on; `nil` where nothing happened.
    init?(_ row: PgRow, at column: Int) {
        guard let reason = row.optionalText(column) else { return nil }
        self.reason = reason
        on = row.date(column + 1)
    }
}

/// What became known of payments since an account was leased.
package struct PaidSince: Sendable {
    /// Payments less what was taken back of them; zero where all of it was.
    package let amount: Cents
    /// The latest day of those payments; `nil` where there are none.
    package let latest: LocalDate?
    /// What was taken back of payments that were known before the lease.
    package let reversed: Cents

    /// Reads amount, latest, reversed from `column` on; `nil` where nothing came.
    init?(_ row: PgRow, at column: Int) {
        amount = Cents(row.optionalInt64(column) ?? 0)
        latest = row.optionalDate(column + 1)
        reversed = Cents(row.optionalInt64(column + 2) ?? 0)
        if amount == .zero, reversed == .zero { return nil }
    }
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

    /// A page of the accounts that the agency holds, by delegation and account, after `after` and up to `through`.
    package func readHeldPage(
        of agency: AgencyID, after: (delegation: Int16, account: Int64) = (0, 0),
        through: (delegation: Int16, account: Int64) = (.max, .max), limit: Int32
    ) throws(PgError) -> [HeldLease] {
        try run(
            HeldStatements.range,
            [
                .int32(agency.value), .int16s(Delegation.all.map(\.value)), .int16(after.delegation),
                .int64(after.account), .int32(limit), .int16(through.delegation), .int64(through.account),
            ]
        ).compactMap(HeldLease.init)
    }

    /// The part of that page of which something became known at `since` or later: a payment, one that was taken back, something that
    /// happened to the debtor, a recall, or what became of one. A little more than that, because a file takes its time to load.
    package func readHeldNews(
        of agency: AgencyID, since: Timestamp, after: (delegation: Int16, account: Int64) = (0, 0), limit: Int32
    ) throws(PgError) -> [HeldLease] {
        // Mostly there is nothing, and then it costs nothing.
        guard try run(HeldStatements.hasNews, [.timestamp(since)])[0].bool(0) else { return [] }
        return try run(
            HeldStatements.news,
            [
                .int32(agency.value), .int16s(Delegation.all.map(\.value)), .int16(after.delegation),
                .int64(after.account), .int32(limit), .timestamp(since),
            ]
        ).compactMap(HeldLease.init)
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
        recall = PendingRecall(row, at: 17)
        paid = PaidSince(row, at: 22)
        started = StartedSince(row, at: 25)
        contactRules = ContactRules(names: row.texts(27))
        grantedAt = row.timestamp(28)
        ceiling = row.timestamp(29)
        grace = .microseconds(row.int64(30))
        workBy = LeaseTerms.workBy(
            grantedAt: grantedAt, activityDays: row.optionalInt32(31).map(Int.init), term: row.timestamp(32))
        history = ContactHistory(row, at: 33)
        place = ContactPlace(row, at: 33 + ContactHistory.columns)
    }
}

extension HeldLease {
    fileprivate init?(_ row: PgRow) {
        guard let lease = LeaseKey(row) else { return nil }
        self.lease = lease
        grant = GrantID(hand: row.int32(3), first: row.int32(4))
        term = row.timestamp(5)
        recall = PendingRecall(row, at: 6)
        paid = PaidSince(row, at: 11)
        started = StartedSince(row, at: 14)
    }
}

enum HeldStatements {
    /// What became known of an account's payments since it was leased: what was paid on the day of the lease or later, and what came
    /// with a file of that day or later, whenever it was paid. A file is known when it is loaded, so what it takes back of one that
    /// was known before the lease stands for itself. The latest day is that of a payment of which something is left. Payments of an
    /// account whose debtor moved have the new delegation.
    static func paid(_ account: String, since grantedAt: String) -> String {
        let day = "(\(grantedAt) AT TIME ZONE 'America/Mexico_City')::date"
        func isNew(_ payment: String, _ file: String) -> String {
            "(\(payment).paid_on >= \(day) OR (\(file).imported_at AT TIME ZONE 'America/Mexico_City')::date >= \(day))"
        }
        return """
            SELECT sum(CASE WHEN m.reverses IS NULL THEN m.amount WHEN \(isNew("o", "oi")) THEN -m.amount END)::bigint AS amount,
                   max(m.paid_on) FILTER (WHERE m.reverses IS NULL AND m.amount > coalesce((
                       SELECT sum(r.amount) FROM payment r
                        WHERE r.account_id = m.account_id AND r.reverses = m.payment_id), 0)) AS latest,
                   sum(m.amount) FILTER (WHERE m.reverses IS NOT NULL AND NOT \(isNew("o", "oi")))::bigint AS reversed
              FROM payment m
              JOIN import i ON i.import_id = m.import_id
              LEFT JOIN payment o ON o.payment_id = m.reverses
              LEFT JOIN import oi ON oi.import_id = o.import_id
             WHERE \(grantedAt) IS NOT NULL AND m.account_id = \(account) AND \(isNew("m", "i"))
            """
    }

    /// final_at, objected_at, held_until, decision, reason; amount, latest, reversed; what started, and when: of the leases `s`.
    private static let newsColumns = """
        n.final_at, n.objected_at, n.held_until, n.decision, n.reason, paid.amount, paid.latest, paid.reversed,
        started.reason, started.on_date
        """
    private static let newsJoins = """
          LEFT JOIN notice n ON n.delegation_id = s.delegation_id AND n.account_id = s.account_id AND n.epoch = s.epoch
                            AND n.decision IS DISTINCT FROM 'withdrawn'
          LEFT JOIN LATERAL (\(paid("s.account_id", since: "s.granted_at"))) paid ON true
          LEFT JOIN LATERAL (
               SELECT t.reason, t.on_date FROM start t JOIN import i USING (import_id)
                WHERE t.delegation_id = s.delegation_id AND t.account_id = s.account_id AND t.epoch = s.epoch
                  AND t.fate = 'in-hand' AND i.imported_at >= s.granted_at
                ORDER BY t.start_id DESC LIMIT 1) started ON true
        """

    /// $1 agency, $2 delegations, $3 … $5 the place behind which it begins, $6 how many
    static let page = """
        WITH held AS MATERIALIZED (
            SELECT p.delegation_id, p.position, p.account_id, p.epoch, p.exposure, p.tactic, p.arrears, p.due, p.overdue,
                   p.municipality, p.reference, g.hand_id, g.first_position, g.term, g.contract_id, g.granted_at,
                   g.ceiling, g.grace_us, g.granted_term, h.strategy, h.portfolio, h.rule_packs, h.activity_days
              FROM lease_grant g
              JOIN clock c ON true
              JOIN hand h ON h.delegation_id = g.delegation_id AND h.hand_id = g.hand_id
              JOIN position p ON p.delegation_id = g.delegation_id AND p.hand_id = g.hand_id
                             AND p.position BETWEEN g.first_position AND g.last_position
                             AND p.position <> ALL (coalesce(g.skipped, '{}'))
             WHERE g.delegation_id = ANY ($2) AND g.agency_id = $1 AND \(Outage.isLive("g", "c"))
               AND (g.delegation_id, g.hand_id, g.last_position) > ($3, $4, $5)
               AND (p.delegation_id, p.hand_id, p.position) > ($3, $4, $5)
               AND NOT EXISTS (SELECT FROM ending e
                                WHERE e.delegation_id = p.delegation_id AND e.account_id = p.account_id
                                  AND e.epoch = p.epoch)
             ORDER BY p.delegation_id, p.hand_id, p.position
             LIMIT $6)
        SELECT s.delegation_id, s.position, s.account_id, s.epoch, s.exposure, s.tactic, s.arrears, s.due,
               s.overdue, s.municipality, s.reference, s.hand_id, s.first_position, s.term, s.contract_id, s.strategy,
               s.portfolio, \(newsColumns),
               s.rule_packs, s.granted_at, s.ceiling, s.grace_us, s.activity_days, s.granted_term,
               \(ContactHistoryStatements.columns("ch")),
               \(ContactHistoryStatements.place("s.delegation_id", "s.account_id", "s.municipality", "s.rule_packs"))
          FROM held s
          LEFT JOIN contact_history ch ON ch.delegation_id = s.delegation_id AND ch.account_id = s.account_id
                                      AND ch.epoch = s.epoch
        \(newsJoins)
         ORDER BY s.delegation_id, s.hand_id, s.position
        """

    /// $1 agency, $2 delegations, $3 and $4 the place behind which it begins, $5 how many; the condition may use the lease as `p`.
    private static func leases(where condition: String) -> String {
        """
        WITH page AS MATERIALIZED (
            SELECT p.delegation_id, p.account_id, p.epoch, g.hand_id, g.first_position, g.term, g.granted_at
              FROM lease_grant g
              JOIN clock c ON true
              JOIN position p ON p.delegation_id = g.delegation_id AND p.hand_id = g.hand_id
                             AND p.position BETWEEN g.first_position AND g.last_position
                             AND p.position <> ALL (coalesce(g.skipped, '{}'))
             WHERE g.delegation_id = ANY ($2) AND g.agency_id = $1 AND \(Outage.isLive("g", "c"))
               AND (p.delegation_id, p.account_id) > ($3, $4) AND \(condition)
               AND NOT EXISTS (SELECT FROM ending e
                                WHERE e.delegation_id = p.delegation_id AND e.account_id = p.account_id
                                  AND e.epoch = p.epoch)
             ORDER BY p.delegation_id, p.account_id
             LIMIT $5)
        SELECT s.delegation_id, s.account_id, s.epoch, s.hand_id, s.first_position, s.term, \(newsColumns)
          FROM page s
        \(newsJoins)
         ORDER BY s.delegation_id, s.account_id
        """
    }

    /// $6 and $7 the last place
    static let range = leases(where: "(p.delegation_id, p.account_id) <= ($6, $7)")

    /// A file's time is that of its loading's beginning; it is seen at the end.
    private static func isSince(_ instant: String, _ parameter: String) -> String {
        "\(instant) >= \(parameter)::timestamptz - interval '1 hour'"
    }
    private static func noticeChanged(_ parameter: String) -> String {
        isSince("greatest(n.noticed_at, n.objected_at, n.decided_at)", parameter)
    }

    /// $6 since when
    static let news = leases(
        where: """
            (EXISTS (SELECT FROM payment m JOIN import i ON i.import_id = m.import_id
                      WHERE m.account_id = p.account_id AND \(isSince("i.imported_at", "$6")))
             OR EXISTS (SELECT FROM start t JOIN import i ON i.import_id = t.import_id
                         WHERE t.delegation_id = p.delegation_id AND t.account_id = p.account_id AND t.epoch = p.epoch
                           AND t.fate = 'in-hand' AND \(isSince("i.imported_at", "$6")))
             OR EXISTS (SELECT FROM notice n
                         WHERE n.delegation_id = p.delegation_id AND n.account_id = p.account_id AND n.epoch = p.epoch
                           AND \(noticeChanged("$6"))))
            """)

    /// $1 since when
    static let hasNews = """
        SELECT EXISTS (SELECT FROM import i WHERE i.kind IN ('payments', 'starts') AND \(isSince("i.imported_at", "$1")))
            OR EXISTS (SELECT FROM notice n WHERE n.finished_at IS NULL AND \(noticeChanged("$1")))
        """
}
