// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// A public key with which an agency signs in.
package struct AgencyKey: Hashable, Sendable {
    package let agency: AgencyID
    package let name: String
    /// Ed25519, 32 bytes.
    package let publicKey: [UInt8]
    package let expiresAt: Timestamp?
    package let addedAt: Timestamp?
    package let revokedAt: Timestamp?

    package init(agency: AgencyID, name: String, publicKey: [UInt8], expiresAt: Timestamp?) {
        self.init(agency: agency, name: name, publicKey: publicKey, expiresAt: expiresAt, addedAt: nil, revokedAt: nil)
    }

    init(
        agency: AgencyID, name: String, publicKey: [UInt8], expiresAt: Timestamp?, addedAt: Timestamp?,
        revokedAt: Timestamp?
    ) {
        self.agency = agency
        self.name = name
        self.publicKey = publicKey
        self.expiresAt = expiresAt
        self.addedAt = addedAt
        self.revokedAt = revokedAt
    }
}

/// Table agency_key. A key is never changed: it is added, given an earlier end, and revoked.
package struct AgencyKeyStore {
    private let link: PgLink

    package init(_ link: PgLink) { self.link = link }

    package enum Addition: Equatable, Sendable {
        case added, unchanged, unknownAgency, nameTaken, keyTaken(AgencyID, String)
    }

    /// Adds a key. The same one again changes nothing; a name is never used for another key, nor a key twice.
    package func add(_ key: AgencyKey) throws(PgError) -> Addition {
        let agency = PgValue.int32(key.agency.value)
        if try link.run("SELECT 1 FROM agency WHERE agency_id = $1", [agency]).isEmpty { return .unknownAgency }
        let holder = try link.run(
            """
            SELECT agency_id, key_name FROM agency_key
            WHERE public_key = $1 AND (agency_id, key_name) <> ($2, $3) ORDER BY agency_id, key_name LIMIT 1
            """, [.bytes(key.publicKey), agency, .text(key.name)]
        ).first
        if let holder, let other = AgencyID(holder.int32(0)) { return .keyTaken(other, holder.text(1)) }
        let added = try link.run(
            """
            INSERT INTO agency_key (agency_id, key_name, public_key, added_at, expires_at)
            VALUES ($1, $2, $3, now_instant(), $4) ON CONFLICT DO NOTHING
            """, [agency, .text(key.name), .bytes(key.publicKey), .optional(key.expiresAt)]
        ).affected
        if added == 1 { return .added }
        let isSame = try link.run(
            """
            SELECT 1 FROM agency_key
            WHERE agency_id = $1 AND key_name = $2 AND public_key = $3 AND expires_at IS NOT DISTINCT FROM $4
            AND   revoked_at IS NULL
            """, [agency, .text(key.name), .bytes(key.publicKey), .optional(key.expiresAt)])
        return isSame.isEmpty ? .nameTaken : .unchanged
    }

    /// Keys by agency and name, of one agency or of all.
    package func list(_ agency: AgencyID?) throws(PgError) -> [AgencyKey] {
        try link.run(
            """
            SELECT agency_id, key_name, public_key, expires_at, added_at, revoked_at
            FROM   agency_key WHERE $1::integer IS NULL OR agency_id = $1
            ORDER  BY agency_id, key_name
            """, [.optional(agency?.value)]
        ).compactMap { row in
            AgencyID(row.int32(0)).map { agency in
                AgencyKey(
                    agency: agency, name: row.text(1), publicKey: row.bytes(2), expiresAt: row.optionalTimestamp(3),
                    addedAt: row.timestamp(4), revokedAt: row.optionalTimestamp(5))
            }
        }
    }

    /// Gives a key that is in force an end, unless it ends before anyway.
    ///
    /// - Returns: when it ends; `nil` where there is no such key in force.
    package func expire(_ agency: AgencyID, name: String, afterDays days: Int32) throws(PgError) -> Timestamp? {
        try link.run(
            """
            UPDATE agency_key SET expires_at = least(expires_at, now_instant() + $3 * interval '1 day')
            WHERE agency_id = $1 AND key_name = $2 AND revoked_at IS NULL
            AND   (expires_at IS NULL OR expires_at > now_instant()) RETURNING expires_at
            """, [.int32(agency.value), .text(name), .int32(days)]
        ).first?.timestamp(0)
    }

    /// - Returns: when it was revoked, and whether that is now; `nil` where there is no such key.
    package func revoke(_ agency: AgencyID, name: String) throws(PgError) -> (at: Timestamp, isNew: Bool)? {
        try link.run(
            """
            WITH before AS (SELECT revoked_at FROM agency_key WHERE agency_id = $1 AND key_name = $2 FOR UPDATE)
            UPDATE agency_key SET revoked_at = coalesce(agency_key.revoked_at, now_instant()) FROM before
            WHERE agency_id = $1 AND key_name = $2 RETURNING agency_key.revoked_at, before.revoked_at IS NULL
            """, [.int32(agency.value), .text(name)]
        ).first.map { ($0.timestamp(0), $0.bool(1)) }
    }

    /// Where the contracts of an agency, or of each, are: the delegations in whose ledgers its keys are recorded, ascending.
    package func delegations(of agency: AgencyID?) throws(PgError) -> [AgencyID: [Delegation]] {
        var delegations: [AgencyID: [Delegation]] = [:]
        for row in try link.run(
            """
            SELECT DISTINCT k.agency_id, c.delegation_id
            FROM contract_capacity c JOIN contract k ON k.contract_id = c.contract_id
            WHERE $1::integer IS NULL OR k.agency_id = $1 ORDER BY k.agency_id, c.delegation_id
            """, [.optional(agency?.value)])
        {
            if let agency = AgencyID(row.int32(0)), let delegation = Delegation(row.int16(1)) {
                delegations[agency, default: []].append(delegation)
            }
        }
        return delegations
    }
}
