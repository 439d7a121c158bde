// SPDX-License-Identifier: Apache-2.0

package import Assignment
package import PgStore

/// Reads the history of one delegation from the database. The statements are the checker's own: a judge that asked the
/// engine's code for the truth would share its mistakes.
package struct HistoryReader {
    let link: PgLink
    private let operations: [Delegation: [ClientOperation]]
    private let statementLines: [Delegation: [History.StatementLine]]
    private let comparesRecords: Bool

    /// - Parameters:
    ///   - operations: of all clients, in the order of their logs.
    ///   - statementLines: of all kept statements.
    ///   - comparesRecords: whether rows are held against their records in the ledger.
    package init(
        _ link: PgLink, operations: [ClientOperation], statementLines: [Delegation: [History.StatementLine]] = [:],
        comparesRecords: Bool = false
    ) {
        self.link = link
        self.statementLines = statementLines
        self.comparesRecords = comparesRecords
        self.operations = Dictionary(grouping: operations, by: \.delegation)
    }

    /// One snapshot of one delegation.
    package func history(_ delegation: Delegation) throws -> History {
        try link.transaction {
            try link.script("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            let clock = try link.run("SELECT now_instant(), outage_us, virtual_now IS NOT NULL FROM clock")
            var history = History(delegation: delegation, now: clock[0].timestamp(0))
            history.outageMicroseconds = clock[0].int64(1)
            history.isVirtual = clock[0].bool(2)
            history.operations = operations[delegation] ?? []
            history.statementLines = statementLines[delegation] ?? []
            try common(&history)
            try dealt(&history)
            try hands(&history)
            try granted(&history)
            try reported(&history)
            try stopped(&history)
            try caused(&history)
            try ordered(&history)
            try bounds(&history)
            try excluded(&history)
            try ledger(&history)
            try stored(&history)
            return history
        }
    }

    /// Delegations that have hands, and those that a client told of.
    package func delegations() throws -> [Delegation] {
        let rows = try link.run("SELECT DISTINCT delegation_id FROM hand ORDER BY 1")
        return Set(rows.compactMap { Delegation($0.int16(0)) }).union(operations.keys).sorted()
    }

    func copy(_ select: String, _ history: History, _ row: (inout PgCopyReader) throws -> Void) throws {
        let text = select.replacing("$delegation", with: history.delegation.description)
        try link.copyOut("COPY (\(text)) TO STDOUT (FORMAT binary)", row)
    }

    private func common(_ history: inout History) throws {
        for row in try link.run("SELECT contract_id, ends_on, agency_id FROM contract") {
            history.contractEnds[row.int32(0)] = row.date(1)
            history.contractAgencies[row.int32(0)] = row.int32(2)
        }
        for row in try link.run("SELECT agency_id, instance, instance_id FROM agency_instance") {
            history.instances[History.instanceName(agency: row.int32(0), instance: row.text(1))] = row.int32(2)
        }
        for row in try link.run("SELECT period FROM period WHERE state = 'closed'") {
            history.closedPeriods.insert(row.int32(0))
        }
        history.outages = try link.run(
            "SELECT from_at, booked_at, microseconds, total_us FROM outage ORDER BY total_us"
        ).map {
            History.Outage(
                from: $0.optionalTimestamp(0), bookedAt: $0.timestamp(1), microseconds: $0.int64(2),
                totalMicroseconds: $0.int64(3))
        }
    }

    private func dealt(_ history: inout History) throws {
        try copy("SELECT hand_id, period, state FROM hand WHERE delegation_id = $delegation", history) { reader in
            let hand = reader.int32()
            history.handPeriods[hand] = reader.int32()
            if reader.text() == "open" { history.openHands.insert(hand) }
        }
        try copy(
            "SELECT hand_id, position, account_id, epoch, exposure FROM position WHERE delegation_id = $delegation",
            history
        ) { reader in
            let hand = reader.int32()
            let position = reader.int32()
            guard let held = Self.held(&reader) else { return }
            history.positions.append(
                History.Position(hand: hand, position: position, held: held, exposure: reader.int64()))
        }
        // What a plan that is not in force yet deals is still coming in, and its quotas' limits are written with its end.
        let hands = try link.run(
            """
            SELECT h.hand_id, q.quota_id, h.size FROM hand h
              JOIN quota q ON q.delegation_id = h.delegation_id AND q.contract_id = h.contract_ids[1]
                          AND q.strategy = h.strategy AND q.portfolio = h.portfolio
             WHERE h.delegation_id = $1 AND cardinality(h.contract_ids) = 1 AND NOT h.is_front AND h.state <> 'inactive'
            """, [.int16(history.delegation.value)])
        history.hands = hands.map { History.Hand(hand: $0.int32(0), quota: $0.int32(1), size: $0.int32(2)) }
        // A plan that was stopped before it opened leaves its deals behind, so that no epoch is dealt twice, and no hand.
        try copy(
            """
            SELECT d.account_id, d.epoch, d.hand_id, d.position FROM deal d
             WHERE d.delegation_id = $delegation
               AND EXISTS (SELECT FROM hand h WHERE h.delegation_id = $delegation AND h.hand_id = d.hand_id)
            """, history
        ) { reader in
            guard let held = Self.held(&reader) else { return }
            history.deals.append((held, reader.int32(), reader.int32()))
        }
    }

    private func granted(_ history: inout History) throws {
        let rows = try link.run(
            """
            SELECT hand_id, first_position, last_position, skipped, quota_id, contract_id, agency_id, instance_id, key,
                   accounts, exposure, total_accounts, total_exposure, granted_at, granted_term, term, grace_us, outage_us,
                   closed_at
            FROM lease_grant WHERE delegation_id = $1 ORDER BY hand_id, first_position
            """, [.int16(history.delegation.value)])
        for row in rows {
            history.grants.append(
                History.Grant(
                    grant: GrantID(hand: row.int32(0), first: row.int32(1)), last: row.int32(2),
                    skipped: row.optionalInt32s(3) ?? [], quota: row.int32(4), contract: row.int32(5),
                    agency: row.int32(6),
                    instance: row.int32(7), key: row.optionalInt64(8), accounts: row.int32(9), exposure: row.int64(10),
                    totalAccounts: row.int64(11), totalExposure: row.int64(12), grantedAt: row.timestamp(13),
                    announcedTerm: row.timestamp(14), term: row.timestamp(15), graceMicroseconds: row.int64(16),
                    outageMicroseconds: row.int64(17), closedAt: row.optionalTimestamp(18)))
        }
        try copy(
            "SELECT account_id, epoch, kind, reason, ended_at, was_held FROM ending WHERE delegation_id = $delegation",
            history
        ) { reader in
            guard let held = Self.held(&reader) else { return }
            history.endings.append(
                History.Ending(
                    held: held, kind: reader.text(), reason: reader.text(), endedAt: reader.timestamp(),
                    wasHeld: reader.bool()))
        }
        try copy(
            """
            SELECT quota_id, since, limit_accounts, limit_exposure FROM quota_history
             WHERE delegation_id = $delegation ORDER BY quota_id, entry
            """, history
        ) { reader in
            history.limits.append(
                History.Limit(
                    quota: reader.int32(), since: reader.timestamp(), accounts: reader.int64(),
                    exposure: reader.optionalInt64()))
        }
        try copy(
            "SELECT quota_id, limit_accounts, limit_exposure FROM quota WHERE delegation_id = $delegation", history
        ) { reader in
            history.limitsInForce.append(
                History.Limit(
                    quota: reader.int32(), since: history.now, accounts: reader.int64(),
                    exposure: reader.optionalInt64()))
        }
        try notices(&history)
    }

    private func reported(_ history: inout History) throws {
        try copy(
            """
            SELECT agency_id, instance_id, key, received_at, account_id, epoch, worked_at, channel, contact, result, amount,
                   promised_on, outcome_id, contract_id, extra ->> 'branch', extra ->> 'motive', extra ->> 'position',
                   extra ->> 'solution', extra ->> 'evidence'
            FROM outcome WHERE delegation_id = $delegation
            """, history
        ) { reader in
            let (agency, instance, key) = (reader.int32(), reader.int32(), reader.int64())
            let receivedAt = reader.timestamp()
            guard let held = Self.held(&reader) else { return }
            var report = ClientOperation.Report(
                held: held, at: reader.timestamp(), channel: reader.text(), contact: reader.text(),
                result: reader.text(),
                amount: reader.optionalInt64().map { Cents($0) }, promised: reader.optionalDate(),
                outcome: reader.int64())
            let contract = reader.int32()
            let details = ["branch", "motive", "position", "solution", "evidence"].map { ($0, reader.optionalText()) }
            report.solution = details[3].1
            history.outcomes.append(
                History.Outcome(
                    agency: agency, instance: instance, key: key, receivedAt: receivedAt, report: report,
                    contract: contract, content: ClientLog.content(report, history.delegation, details)))
        }
        try copy("SELECT agency_id, instance_id, verb, key FROM request WHERE delegation_id = $delegation", history) {
            reader in
            history.requests.insert(
                History.Request(
                    agency: reader.int32(), instance: reader.int32(), verb: reader.text(), key: reader.int64()))
        }
        try copy(
            """
            SELECT agency_id, instance_id, key FROM evidence
             WHERE delegation_id = $delegation AND (counts OR decision = 'accepted')
            """, history
        ) { reader in
            history.lateAccepted.insert(
                History.Request(
                    agency: reader.int32(), instance: reader.int32(), verb: "REPORT", key: reader.int64()))
        }
        try refused(&history)
    }

    private func stopped(_ history: inout History) throws {
        try copy(
            """
            SELECT s.account_id, s.reason, s.from_on, least(s.until_on, s.ended_on - 1), i.imported_at
            FROM stop s JOIN import i USING (import_id)
            WHERE s.delegation_id = $delegation AND (s.ended_on IS NULL OR s.ended_on > s.from_on)
            UNION ALL
            SELECT account_id, 'exhaustion', valid_from, (revoked_at AT TIME ZONE interval '-6 hours')::date - 1, validated_at
            FROM certificate WHERE delegation_id = $delegation
            """, history
        ) { reader in
            guard let account = AccountID(reader.int64()) else { return }
            history.stops.append(
                History.Stop(
                    account: account, reason: reader.text(), from: reader.date(), until: reader.optionalDate(),
                    importedAt: reader.timestamp()))
        }
    }

    private func ordered(_ history: inout History) throws {
        let rows = try link.run(
            """
            SELECT agency_id, action <> 'release', ordered_at FROM agency_order
             WHERE action IN ('hold', 'terminate') OR action = 'release' AND strategy IS NULL
             ORDER BY agency_id, order_id
            """)
        history.orders = rows.map { History.Order(agency: $0.int32(0), isHold: $0.bool(1), at: $0.timestamp(2)) }
    }

    private func ledger(_ history: inout History) throws {
        try copy(
            """
            SELECT block_id, period, records, count, root, transaction::text::bigint FROM block
             WHERE delegation_id = $delegation
            """, history
        ) { reader in
            history.blocks.append(
                History.Block(
                    id: reader.int64(), period: reader.int32(), records: reader.bytes(), count: reader.int32(),
                    root: reader.bytes(), transaction: reader.int64()))
        }
        try copy(
            "SELECT period, height, block_id, head FROM chain WHERE delegation_id = $delegation", history
        ) { reader in
            history.links.append(
                History.Link(
                    period: reader.int32(), height: reader.int64(), block: reader.int64(), head: reader.bytes()))
        }
    }

    /// What the sequencer has passed and what was signed, and the rows that have records and no part in a lease.
    private func stored(_ history: inout History) throws {
        history.hasLedger = comparesRecords
        try copy(
            """
            SELECT b.block_id FROM block b, follower f
             WHERE b.delegation_id = $delegation AND f.name = 'sequencer'
               AND (b.transaction, b.block_id) <= (f.transaction, f.number)
            """, history
        ) { reader in history.sequencedBlocks.insert(reader.int64()) }
        for row in try link.run("SELECT period, leaves FROM period_root") {
            for line in row.text(1).split(separator: "\n") {
                let fields = LogFields(line)
                guard fields.kind == "chain", fields["delegation"] == history.delegation.description[...],
                    let height = fields.number("height"), let head = fields["head"].flatMap({ Hex.bytes($0) })
                else { continue }
                history.signedEnds[row.int32(0)] = History.SignedEnd(height: height, head: head)
            }
        }
        history.statementDigests = try statementDigests()
        history.signedRoots = Set(try link.run("SELECT root FROM period_root").map { $0.bytes(0) })
        for query in StoredRowQuery.all {
            let rows = try link.run(query.sql, [.int16(history.delegation.value)])
            history.stored += rows.map(query.row)
        }
    }

    static func held(_ reader: inout PgCopyReader) -> Held? {
        guard let account = AccountID(reader.int64()), let epoch = Epoch(reader.int64()) else { return nil }
        return Held(account: account, epoch: epoch)
    }
}
