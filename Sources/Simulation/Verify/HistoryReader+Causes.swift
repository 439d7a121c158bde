// SPDX-License-Identifier: Apache-2.0

package import Assignment
internal import PgStore

/// What each hand was dealt as, and what takes a lease from its holder.
extension HistoryReader {
    func hands(_ history: inout History) throws {
        let rows = try link.run(
            """
            SELECT hand_id, contract_ids, strategy, portfolio, size, state = 'inactive', activity_days, unlocatable_days,
                   grace_us, late_report_us
              FROM hand WHERE delegation_id = $1
            """, [.int16(history.delegation.value)])
        for row in rows {
            history.dealtHands[row.int32(0)] = History.DealtHand(
                contracts: row.int32s(1), strategy: row.int16(2), portfolio: row.int16(3), size: row.int32(4),
                isInactive: row.bool(5), activityDays: row.optionalInt32(6), unlocatableDays: row.optionalInt32(7),
                graceMicroseconds: row.int64(8), lateReportMicroseconds: row.int64(9))
        }
    }

    /// Whatever ends leases by itself, and of whom. A stop is none before the day that it names.
    func caused(_ history: inout History) throws {
        try copy(
            """
            SELECT s.account_id, s.reason, greatest(i.imported_at, s.from_on::timestamp AT TIME ZONE 'UTC'), s.until_on, NULL::timestamptz
              FROM stop s JOIN import i USING (import_id) WHERE s.delegation_id = $delegation
            UNION ALL
            SELECT account_id, 'exhaustion', validated_at, NULL, revoked_at
              FROM certificate WHERE delegation_id = $delegation
            UNION ALL
            SELECT t.account_id, 'start', i.imported_at, NULL, NULL
              FROM start t JOIN import i USING (import_id) WHERE t.delegation_id = $delegation
            """, history
        ) { reader in
            guard let account = AccountID(reader.int64()) else { return }
            history.causes[account, default: []].append(
                History.Cause(
                    reason: reader.text(), knownAt: reader.timestamp(), until: reader.optionalDate(),
                    revokedAt: reader.optionalTimestamp()))
        }
    }

    func notices(_ history: inout History) throws {
        try copy(
            """
            SELECT account_id, epoch, reason, noticed_at, final_at,
                   CASE WHEN objected_at IS NOT NULL THEN coalesce(held_until, final_at) END, decision, decided_at
              FROM notice WHERE delegation_id = $delegation
            """, history
        ) { reader in
            guard let held = Self.held(&reader) else { return }
            history.notices[held] = History.Notice(
                reason: reader.text(), noticedAt: reader.timestamp(), finalAt: reader.timestamp(),
                heldUntil: reader.optionalTimestamp(), decision: reader.optionalText(),
                decidedAt: reader.optionalTimestamp())
        }
    }

    /// What each kept statement says of itself.
    package func statementDigests() throws -> [History.StatementDigest] {
        try link.run(
            """
            SELECT period, contract_id, digest,
                   ARRAY(SELECT (s ->> 'delegation')::smallint FROM jsonb_array_elements(body::jsonb -> 'sections') s
                          WHERE s ->> 'delegation' IS NOT NULL)
              FROM statement ORDER BY 1, 2
            """
        ).map {
            History.StatementDigest(
                period: $0.int32(0), contract: $0.int32(1), digest: $0.bytes(2),
                delegations: Set($0.int16s(3).compactMap { Delegation($0) }))
        }
    }

    /// The statements of each month that was signed.
    package func signedStatements() throws -> [Int32: [Int32: [UInt8]]] {
        var signed: [Int32: [Int32: [UInt8]]] = [:]
        for row in try link.run("SELECT period, leaves FROM period_root") {
            signed[row.int32(0)] = [:]
            for line in row.text(1).split(separator: "\n") {
                let fields = LogFields(line)
                guard fields.kind == "statement",
                    let contract = fields.number("contract").flatMap({ Int32(exactly: $0) }),
                    let digest = fields["digest"].flatMap({ Hex.bytes($0) })
                else { continue }
                signed[row.int32(0), default: [:]][contract] = digest
            }
        }
        return signed
    }

    /// Accounts that were dealt in more than one delegation.
    ///
    /// Read once for the country: each delegation by itself cannot show that such an account has two holders.
    package func moved() throws -> Set<AccountID> {
        var moved: Set<AccountID> = []
        try link.copyOut(
            """
            COPY (SELECT account_id FROM position GROUP BY account_id HAVING min(delegation_id) <> max(delegation_id))
              TO STDOUT (FORMAT binary)
            """
        ) { reader in
            if let account = AccountID(reader.int64()) { moved.insert(account) }
        }
        return moved
    }
}
