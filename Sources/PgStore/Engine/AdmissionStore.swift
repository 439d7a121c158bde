// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// Which leases an agency holds, summed up per open grant.
package struct HeldSummary: Sendable {
    /// Leased accounts and the 16-byte digest of each open grant, as they were granted.
    package let grants: [(accounts: Int64, digest: [UInt8])]
    /// The leases of those grants that have ended since.
    package let ended: [LeaseKey]
}

/// What became of an installation that wants in.
package enum InstanceAdmission: Equatable, Sendable {
    /// With its number.
    case admitted(Int32)
    /// The sequence is not greater than the greatest one seen: a clone, or a client that was restored from a backup.
    case wasSeenBefore
    /// The agency has as many installations as it may, and this is none of them.
    case isOneTooMany
}

/// One account that an agency holds.
package struct HeldLease: Sendable {
    package let lease: LeaseKey
    package let grant: GrantID
    package let term: Timestamp
    package let recall: PendingRecall?
    package let paid: PaidSince?
    package let started: StartedSince?
}

extension PgLink {
    /// The agencies' public keys that are in force now, by name; none of an agency that is unknown, or
    /// terminated and without an open grant: until the last one is swept it reports, also late what it gave back, returns and objects.
    package func readKeys(of agencies: Set<AgencyID>) throws(PgError) -> [AgencyID: [[UInt8]]] {
        var keys: [AgencyID: [[UInt8]]] = [:]
        for row in try run(
            AdmissionStatements.keys,
            [.int32s(agencies.map(\.value).sorted()), .int16s(Delegation.all.map(\.value))])
        {
            if let agency = AgencyID(row.int32(0)) { keys[agency, default: []].append(row.bytes(1)) }
        }
        return keys
    }

    /// Which of these keys are in force no more: revoked, expired, or of an agency that is terminated and has no open grant.
    package func readEndedKeys(
        _ keys: [(agency: AgencyID, key: [UInt8])]
    ) throws(PgError) -> [(agency: AgencyID, key: [UInt8])] {
        try run(
            AdmissionStatements.endedKeys,
            [
                .int32s(keys.map(\.agency.value)), .int16s(Delegation.all.map(\.value)), .byteArrays(keys.map(\.key)),
            ]
        ).map { keys[Int($0.int64(0)) - 1] }
    }

    /// Takes note of installations' sequence numbers, one after the other, in one transaction and one round trip: all or none of them.
    ///
    /// - Parameter instancesMax: installations that an agency may have; side by side some may come above it.
    /// - Returns: what became of each, in their order.
    /// - Throws: where the link was not lost, nothing was noted.
    package func admit(
        _ installations: [(agency: AgencyID, instance: String, sequence: Int64)], instancesMax: Int32
    ) throws(PgError) -> [InstanceAdmission] {
        let notes = installations.map { one in
            PgQuery(
                AdmissionStatements.admit,
                [.int32(one.agency.value), .text(one.instance), .int64(one.sequence), .int32(instancesMax)])
        }
        return try pipeline([PgQuery("BEGIN")] + notes + [PgQuery("COMMIT")]).dropFirst().dropLast().map { rows in
            if let number = rows[0].optionalInt32(0) { return .admitted(number) }
            return rows[0].bool(1) ? .wasSeenBefore : .isOneTooMany
        }
    }

    /// Counts a sign-in that was refused as a clone's: one row for each installation and month, however often it is tried.
    package func noteClone(_ agency: AgencyID, instance: String) throws(PgError) {
        try run(AdmissionStatements.clone, [.int32(agency.value), .text(instance)])
    }

    /// How many accounts each agency holds over all of its quotas, and how many contracts it has in force.
    package func readStanding(
        of agencies: Set<AgencyID>
    ) throws(PgError) -> [AgencyID: (held: Int64, contracts: Int64)] {
        var standing: [AgencyID: (held: Int64, contracts: Int64)] = [:]
        for row in try run(
            AdmissionStatements.standing,
            [.int32s(agencies.map(\.value).sorted()), .int16s(Delegation.all.map(\.value))])
        {
            if let agency = AgencyID(row.int32(0)) { standing[agency] = (row.int64(1), row.int64(2)) }
        }
        return standing
    }

    package func readHeld(by agency: AgencyID) throws(PgError) -> HeldSummary {
        let values: [PgValue] = [.int32(agency.value), .int16s(Delegation.all.map(\.value))]
        let results = try pipeline([
            PgQuery("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"), PgQuery(AdmissionStatements.heldGrants, values),
            PgQuery(AdmissionStatements.endedLeases, values), PgQuery("COMMIT"),
        ])
        return HeldSummary(
            grants: results[1].map { ($0.int64(0), $0.bytes(1)) },
            ended: results[2].compactMap { LeaseKey($0) })
    }
}

extension LeaseKey {
    /// Reads delegation, account and epoch from the first three columns.
    init?(_ row: PgRow) { self.init(row, from: 0) }

    /// Reads delegation, account and epoch from `column` on.
    init?(_ row: PgRow, from column: Int) {
        guard let delegation = Delegation(row.int16(column)), let account = AccountID(row.int64(column + 1)),
            let epoch = Epoch(row.int64(column + 2))
        else { return nil }
        self.init(delegation: delegation, account: account, epoch: epoch)
    }
}

private enum AdmissionStatements {
    /// Of a key `k` of an agency `a`. $2 delegations
    private static let isInForce = """
        k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now_instant())
           AND (a.status <> 'terminated'
                OR EXISTS (SELECT FROM lease_grant g
                            WHERE g.delegation_id = ANY ($2) AND g.agency_id = a.agency_id AND g.state = 'open'
                              AND g.key IS NOT NULL))
        """

    /// $1 agencies
    static let keys = """
        SELECT k.agency_id, k.public_key
          FROM unnest($1::integer[]) AS x (agency_id)
          JOIN agency_key k ON k.agency_id = x.agency_id
          JOIN agency a ON a.agency_id = k.agency_id
         WHERE \(isInForce)
         ORDER BY k.agency_id, k.key_name
        """

    /// $1 agency int[], $2 delegations, $3 key bytea[]
    static let endedKeys = """
        SELECT r.i
          FROM unnest($1::int[], $3::bytea[]) WITH ORDINALITY AS r (agency_id, public_key, i)
         WHERE NOT EXISTS (SELECT FROM agency_key k
                             JOIN agency a ON a.agency_id = k.agency_id
                            WHERE k.agency_id = r.agency_id AND k.public_key = r.public_key AND \(isInForce))
        """

    /// The installation's number, or null; and whether the agency had it, or has room for it. Only of a new one are the others counted.
    static let admit = """
        WITH room AS MATERIALIZED (
            SELECT EXISTS (SELECT FROM agency_instance WHERE agency_id = $1 AND instance = $2)
                OR (SELECT count(*) FROM (SELECT FROM agency_instance WHERE agency_id = $1 LIMIT $4) x) < $4 AS is_there),
        admitted AS (
            INSERT INTO agency_instance AS i (agency_id, instance, sequence, seen_at)
            SELECT $1, $2, $3, now_instant() FROM room WHERE is_there
                ON CONFLICT (agency_id, instance) DO UPDATE SET sequence = excluded.sequence, seen_at = excluded.seen_at
             WHERE i.sequence < excluded.sequence
            RETURNING instance_id)
        SELECT (SELECT instance_id FROM admitted), is_there FROM room
        """

    /// Kept beside the replies of the rare verbs, as of no delegation; the key is the month by the clocks of Mexico City, the reply how
    /// often it was given in it.
    static let clone = """
        INSERT INTO request AS q (delegation_id, agency_id, instance_id, verb, key, request_hash, reply, received_at)
        SELECT 0, agency_id, instance_id, 'HELLO', to_char(now_instant() AT TIME ZONE interval '-6 hours', 'YYYYMM')::bigint,
               '', '1', now_instant()
          FROM agency_instance WHERE agency_id = $1 AND instance = $2
            ON CONFLICT (delegation_id, agency_id, instance_id, verb, key)
            DO UPDATE SET reply = (q.reply::bigint + 1)::text, received_at = excluded.received_at
        """

    /// $1 agencies, $2 delegations
    static let standing = """
        SELECT x.agency_id,
               (SELECT coalesce(sum(coalesce(t.total_accounts, 0) - q.released_accounts), 0)::bigint
                  FROM contract c
                  JOIN quota q ON q.delegation_id = ANY ($2) AND q.contract_id = c.contract_id
                  LEFT JOIN LATERAL (SELECT g.total_accounts FROM lease_grant g
                                      WHERE g.delegation_id = q.delegation_id AND g.quota_id = q.quota_id
                                      ORDER BY g.total_accounts DESC LIMIT 1) t ON true
                 WHERE c.agency_id = x.agency_id),
               (SELECT count(*) FROM contract c
                 WHERE c.agency_id = x.agency_id
                   AND (now_instant() AT TIME ZONE 'America/Mexico_City')::date BETWEEN c.starts_on AND c.ends_on)
          FROM unnest($1::integer[]) AS x (agency_id)
        """

    static let heldGrants = """
        SELECT g.accounts::bigint, g.held_digest
          FROM lease_grant g, clock c
         WHERE g.delegation_id = ANY ($2) AND g.agency_id = $1 AND g.accounts > 0 AND \(Outage.isLive("g", "c"))
        """

    private static let leased = """
               lease_grant g
          JOIN clock c ON true
          JOIN position p ON p.delegation_id = g.delegation_id AND p.hand_id = g.hand_id
                         AND p.position BETWEEN g.first_position AND g.last_position
                         AND p.position <> ALL (coalesce(g.skipped, '{}'))
        """

    static let endedLeases = """
        SELECT e.delegation_id, e.account_id, e.epoch
          FROM \(leased)
          JOIN ending e ON e.delegation_id = p.delegation_id AND e.account_id = p.account_id AND e.epoch = p.epoch
         WHERE g.delegation_id = ANY ($2) AND g.agency_id = $1 AND \(Outage.isLive("g", "c"))
        """
}
