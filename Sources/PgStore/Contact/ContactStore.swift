// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// One account's contact data, sealed; the database has no key to it.
package struct SealedContact: Sendable {
    package let delegation: Delegation
    package let account: AccountID
    package let keyID: String
    package let sealed: [UInt8]
    /// Taken in: its address is another one than the account had before.
    package var hasNewAddress = false

    package init(delegation: Delegation, account: AccountID, keyID: String, sealed: [UInt8]) {
        self.delegation = delegation
        self.account = account
        self.keyID = keyID
        self.sealed = sealed
    }
}

extension PgLink {
    /// Puts contact data in the place of what the accounts had.
    package func writeContacts(_ contacts: [SealedContact]) throws(PgError) {
        try run(
            """
            INSERT INTO contact_data (delegation_id, account_id, key_id, sealed, loaded_at, address_since)
            SELECT delegation_id, account_id, key_id, sealed, now_instant(),
                   CASE WHEN has_new_address THEN (now_instant() AT TIME ZONE 'America/Mexico_City')::date END
              FROM unnest($1::smallint[], $2::bigint[], $3::text[], $4::bytea[], $5::bool[])
                   AS r (delegation_id, account_id, key_id, sealed, has_new_address)
                ON CONFLICT (delegation_id, account_id) DO UPDATE
               SET key_id = excluded.key_id, sealed = excluded.sealed, loaded_at = excluded.loaded_at,
                   address_since = coalesce(excluded.address_since, contact_data.address_since)
            """,
            [
                .int16s(contacts.map(\.delegation.value)), .int64s(contacts.map(\.account.value)),
                .texts(contacts.map(\.keyID)), .byteArrays(contacts.map(\.sealed)),
                .bools(contacts.map(\.hasNewAddress)),
            ])
    }

    /// What the accounts have, in no order; an account without contact data is missing.
    package func readContacts(_ accounts: [(Delegation, AccountID)]) throws(PgError) -> [SealedContact] {
        try run(
            """
            SELECT c.delegation_id, c.account_id, c.key_id, c.sealed
              FROM unnest($1::smallint[], $2::bigint[]) AS r (delegation_id, account_id)
              JOIN contact_data c USING (delegation_id, account_id)
            """, [.int16s(accounts.map(\.0.value)), .int64s(accounts.map(\.1.value))]
        ).compactMap { row in
            guard let delegation = Delegation(row.int16(0)), let account = AccountID(row.int64(1)) else { return nil }
            return SealedContact(delegation: delegation, account: account, keyID: row.text(2), sealed: row.bytes(3))
        }
    }

    package func readContact(_ delegation: Delegation, _ account: AccountID) throws(PgError) -> SealedContact? {
        try run(
            "SELECT key_id, sealed FROM contact_data WHERE delegation_id = $1 AND account_id = $2",
            [.int16(delegation.value), .int64(account.value)]
        ).first.map {
            SealedContact(delegation: delegation, account: account, keyID: $0.text(0), sealed: $0.bytes(1))
        }
    }

    /// Keeps the lease of an account as it is until the end of the transaction.
    ///
    /// - Locks: its grant, so that it can be reported on and not ended.
    package func lockLease(_ lease: LeaseKey) throws(PgError) {
        try run(
            EngineStatements.lockGrantsShared,
            [
                .int16s([lease.delegation.value]), .int64s([lease.account.value]), .int64s([lease.epoch.value]),
                .int16s([]), .int32s([]), .int32s([]),
            ])
    }
}
