// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// One account's contact data, sealed; the database has no key to it.
package struct SealedContact: Sendable {
    package let delegation: Delegation
    package let account: AccountID
    package let keyID: String
    package let sealed: [UInt8]

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
            INSERT INTO contact_data (delegation_id, account_id, key_id, sealed, loaded_at)
            SELECT delegation_id, account_id, key_id, sealed, now_instant()
              FROM unnest($1::smallint[], $2::bigint[], $3::text[], $4::bytea[])
                   AS r (delegation_id, account_id, key_id, sealed)
                ON CONFLICT (delegation_id, account_id) DO UPDATE
               SET key_id = excluded.key_id, sealed = excluded.sealed, loaded_at = excluded.loaded_at
            """,
            [
                .int16s(contacts.map(\.delegation.value)), .int64s(contacts.map(\.account.value)),
                .texts(contacts.map(\.keyID)), .byteArrays(contacts.map(\.sealed)),
            ])
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
