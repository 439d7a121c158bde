// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// A lease whose contacts follow a cadence, and what was done about it so far.
package struct FollowedLease: Sendable {
    package let lease: LeaseKey
    package let arrears: Int16
    package let municipality: Municipality?
    package let place: ContactPlace
    /// Of the hand that it was dealt in.
    package let reading: CadenceReading
    package var history: ContactHistory
}

/// The histories that the follower of contacts adds up. The callers hold a transaction.
extension PgLink {
    /// The records of blocks that are committed for good and that the follower has not seen, in the order of their transactions.
    ///
    /// Where no hand follows a cadence there is nothing to read: the follower moves on to where the ledger ends.
    ///
    /// - Locks: the follower `contacts`, so that one node follows at a time.
    package func lockUnfollowed(limit: Int32) throws(PgError) -> [[UInt8]] {
        try run(
            "INSERT INTO follower (name, transaction, number) VALUES ('contacts', '0', 0) ON CONFLICT DO NOTHING")
        guard
            let cursor = try run(
                "SELECT transaction::text, number FROM follower WHERE name = 'contacts' FOR UPDATE"
            ).first
        else { return [] }
        guard try run(ContactHistoryStatements.hasCadence)[0].bool(0) else {
            try run(ContactHistoryStatements.skip)
            return []
        }
        let rows = try run(
            ContactHistoryStatements.unfollowed, [.int32(limit), .text(cursor.text(0)), .int64(cursor.int64(1))])
        if !rows.isEmpty {
            let last = rows[rows.count - 1]
            try run(
                "UPDATE follower SET transaction = $1::text::xid8, number = $2 WHERE name = 'contacts'",
                [.text(last.text(1)), .int64(last.int64(2))])
        }
        return rows.map { $0.bytes(0) }
    }

    /// How many blocks of a period the follower has still to read; 0 where no hand follows a cadence.
    ///
    /// - Parameter limit: only those of transactions before this one.
    package func countUnfollowed(_ period: Period, before limit: String? = nil) throws(PgError) -> Int64 {
        guard try run(ContactHistoryStatements.hasCadence)[0].bool(0) else { return 0 }
        return try run(ContactHistoryStatements.behind, [.int32(period.number), .optional(limit)])[0].int64(0)
    }

    /// A number that every transaction of before is below.
    package func newTransaction() throws(PgError) -> String {
        try run("SELECT pg_current_xact_id()::text")[0].text(0)
    }

    /// Those of the leases whose contacts follow a cadence.
    package func readFollowed(_ leases: [LeaseKey]) throws(PgError) -> [LeaseKey: FollowedLease] {
        var found: [LeaseKey: FollowedLease] = [:]
        for row in try run(
            ContactHistoryStatements.followed,
            [
                .int16s(leases.map(\.delegation.value)), .int64s(leases.map(\.account.value)),
                .int64s(leases.map(\.epoch.value)),
            ])
        {
            guard let lease = LeaseKey(row) else { continue }
            found[lease] = FollowedLease(
                lease: lease, arrears: row.int16(3), municipality: Municipality(row.int32(4)),
                place: ContactPlace(row, at: 5 + ContactHistory.columns),
                reading: CadenceReading(names: row.texts(5 + ContactHistory.columns + ContactPlace.columns)),
                history: ContactHistory(row, at: 5) ?? ContactHistory())
        }
        return found
    }

    package func writeHistories(_ leases: [FollowedLease]) throws(PgError) {
        guard !leases.isEmpty else { return }
        let histories = leases.map(\.history)
        try run(
            ContactHistoryStatements.write,
            [
                .int16s(leases.map(\.lease.delegation.value)), .int64s(leases.map(\.lease.account.value)),
                .int64s(leases.map(\.lease.epoch.value)), .optionalDates(histories.map(\.firstCallOn)),
                .int32s(histories.map { Int32($0.calls) }), .bools(histories.map(\.reachedDebtor)),
                .bools(histories.map(\.reachedOthers)), .optionalDates(histories.map(\.unlocatableOn)),
                .optionalDates(histories.map(\.letterOn)), .optionalDates(histories.map(\.certifiedOn)),
                .optionalDates(histories.map(\.visitedOn)), .optionalDates(histories.map(\.searchedOn)),
            ])
    }

    /// Adds marks to an outcome, by the key of its row.
    package func markOutcome(_ key: IdempotencyKey, period: Period, marks: [String]) throws(PgError) {
        try run(
            ContactHistoryStatements.mark,
            [
                .int32(period.number), .int16(key.delegation.value), .int32(key.agency.value), .int32(key.instance),
                .int64(key.key), .texts(marks),
            ])
    }
}

extension ContactHistory {
    static let columns = 9

    /// Reads ``ContactHistoryStatements/columns(_:)`` from `column` on; `nil` where there is none.
    init?(_ row: PgRow, at column: Int) {
        guard let calls = row.optionalInt32(column + 1) else { return nil }
        self.init(
            firstCallOn: row.optionalDate(column), calls: Int(calls), reachedDebtor: row.bool(column + 2),
            reachedOthers: row.bool(column + 3), unlocatableOn: row.optionalDate(column + 4),
            letterOn: row.optionalDate(column + 5), certifiedOn: row.optionalDate(column + 6),
            visitedOn: row.optionalDate(column + 7), searchedOn: row.optionalDate(column + 8))
    }
}

extension ContactPlace {
    /// How many columns of a row it takes.
    static let columns = 3

    /// Reads ``ContactHistoryStatements/place(_:_:_:_:)`` from `column` on.
    init(_ row: PgRow, at column: Int) {
        self.init(
            isVisitBanned: row.bool(column), hasCentre: row.bool(column + 1), addressSince: row.optionalDate(column + 2)
        )
    }
}

enum ContactHistoryStatements {
    /// The columns of a history, as the table `table` has them.
    static func columns(_ table: String) -> String {
        [
            "first_call_on", "calls", "reached_debtor", "reached_others", "unlocatable_on", "letter_on", "certified_on",
            "visited_on", "searched_on",
        ].map { "\(table).\($0)" }.joined(separator: ", ")
    }

    /// What matters about where an account's debtor lives, where contacts follow a cadence; each argument is an expression.
    static func place(_ delegation: String, _ account: String, _ municipality: String, _ packs: String) -> String {
        """
        'fna' = ANY (\(packs)) AND EXISTS (SELECT FROM visit_ban b
                WHERE b.delegation_id = \(delegation) AND b.municipality IN (0, \(municipality)) AND b.rule_pack = ANY (\(packs))),
        'fna' = ANY (\(packs)) AND EXISTS (SELECT FROM conciliation_centre b
                WHERE b.delegation_id = \(delegation) AND b.municipality = \(municipality)),
        CASE WHEN 'fna' = ANY (\(packs)) THEN (SELECT b.address_since FROM contact_data b
                WHERE b.delegation_id = \(delegation) AND b.account_id = \(account)) END
        """
    }

    static let hasCadence = "SELECT EXISTS (SELECT FROM hand WHERE 'fna' = ANY (rule_packs))"

    static let skip = """
        UPDATE follower SET transaction = pg_snapshot_xmin(pg_current_snapshot()), number = 0
         WHERE name = 'contacts' AND transaction < pg_snapshot_xmin(pg_current_snapshot())
        """

    /// $1 limit, $2 and $3 the place behind which it begins
    static let unfollowed = """
        SELECT b.records, b.transaction::text, b.block_id
          FROM block b
         WHERE (b.transaction, b.block_id) > ($2::text::xid8, $3)
           AND b.transaction < pg_snapshot_xmin(pg_current_snapshot())
         ORDER BY b.transaction, b.block_id
         LIMIT $1
        """

    /// $1 period, $2 a transaction, or null
    static let behind = """
        SELECT count(*)
          FROM block b
         WHERE b.period = $1 AND ($2::text IS NULL OR b.transaction < $2::text::xid8) AND NOT EXISTS (SELECT FROM follower f
                WHERE f.name = 'contacts' AND (f.transaction, f.number) >= (b.transaction, b.block_id))
        """

    /// $1 delegation smallint[], $2 account bigint[], $3 epoch bigint[]
    static let followed = """
        SELECT r.delegation_id, r.account_id, r.epoch, p.arrears, p.municipality, \(columns("c")),
               \(place("r.delegation_id", "r.account_id", "p.municipality", "h.rule_packs")), h.rule_packs
          FROM unnest($1::smallint[], $2::bigint[], $3::bigint[]) AS r (delegation_id, account_id, epoch)
          JOIN deal d ON d.delegation_id = r.delegation_id AND d.account_id = r.account_id AND d.epoch = r.epoch
          JOIN hand h ON h.delegation_id = d.delegation_id AND h.hand_id = d.hand_id AND 'fna' = ANY (h.rule_packs)
          JOIN position p ON p.delegation_id = d.delegation_id AND p.hand_id = d.hand_id AND p.position = d.position
          LEFT JOIN contact_history c ON c.delegation_id = r.delegation_id AND c.account_id = r.account_id
                                     AND c.epoch = r.epoch
        """

    static let write = """
        INSERT INTO contact_history (delegation_id, account_id, epoch, first_call_on, calls, reached_debtor, reached_others,
               unlocatable_on, letter_on, certified_on, visited_on, searched_on)
        SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::date[], $5::int[], $6::bool[], $7::bool[],
                             $8::date[], $9::date[], $10::date[], $11::date[], $12::date[])
            ON CONFLICT (delegation_id, account_id, epoch) DO UPDATE
           SET first_call_on = excluded.first_call_on, calls = excluded.calls, reached_debtor = excluded.reached_debtor,
               reached_others = excluded.reached_others, unlocatable_on = excluded.unlocatable_on,
               letter_on = excluded.letter_on, certified_on = excluded.certified_on, visited_on = excluded.visited_on,
               searched_on = excluded.searched_on
        """

    /// $1 period, $2 delegation, $3 agency, $4 instance, $5 key, $6 marks
    static let mark = """
        UPDATE outcome SET marks = coalesce(marks, '{}') || (SELECT array_agg(m) FROM unnest($6::text[]) m
                                                              WHERE m <> ALL (coalesce(marks, '{}')))
         WHERE period = $1 AND delegation_id = $2 AND agency_id = $3 AND instance_id = $4 AND key = $5
           AND NOT coalesce(marks, '{}') @> $6::text[]
        """
}
