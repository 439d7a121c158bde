// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// A certificate of exhaustion as it is kept.
package struct CertificateRow: Sendable {
    package struct Revocation: Sendable {
        package let by: String
        package let at: Timestamp
        package let reason: String
    }
    package let folio: Folio
    package let delegation: Delegation
    package let account: Int64
    package let validatedBy: String
    package let validatedAt: Timestamp
    /// Canonical JSON.
    package let body: String
    package let digest: [UInt8]
    package let revocation: Revocation?
}

/// What the period's agencies, and those before them, did about one account.
package struct AccountHistory: Sendable {
    package struct Attempts: Sendable {
        package let channel: String
        package let outcomes: Int64
        /// Of them with the debtor or somebody who answered.
        package let contacts: Int64
        package let first: Timestamp
        package let last: Timestamp
    }
    /// The latest dwelling outcome that a review approved.
    package struct Dwelling: Sendable {
        package let outcome: Int64
        package let result: String
        package let branch: String?
        package let workedAt: Timestamp
        package let reviewer: String
        package let reviewedAt: Timestamp
    }
    /// By channel.
    package var attempts: [Attempts] = []
    package var agreements: Int64 = 0
    package var dwelling: Dwelling?

    package init() {}
}

/// Certificates, and what they are made from. All calls of one validation belong into one transaction.
package struct ExhaustionStore {
    private let link: PgLink
    private let period: Period

    package init(_ link: PgLink, period: Period) {
        self.link = link
        self.period = period
    }

    package func now() throws(PgError) -> Timestamp { try link.readNow() }

    /// The delegation that the period's cut has each account in; accounts that are not in it are left out.
    package func delegations(of accounts: [Int64]) throws(PgError) -> [Int64: Delegation] {
        var found: [Int64: Delegation] = [:]
        for row in try link.run(ExhaustionStatements.locate, [.int32(period.number), .int64s(accounts)]) {
            found[row.int64(0)] = Delegation(row.int16(1))
        }
        return found
    }

    /// The folio of the valid certificate of each account that has one.
    package func valid() throws(PgError) -> [Int64: String] {
        var found: [Int64: String] = [:]
        for row in try link.run("SELECT account_id, folio FROM certificate WHERE revoked_at IS NULL") {
            found[row.int64(0)] = row.text(1)
        }
        return found
    }

    /// Why accounts of a delegation are excluded from collection by the period's placements; only those that are.
    package func exclusions(_ delegation: Delegation, _ accounts: [Int64]) throws(PgError) -> [Int64: String] {
        var found: [Int64: String] = [:]
        let rows = try link.run(
            """
            SELECT account_id, exclusion FROM placement
             WHERE period = $1 AND delegation_id = $2 AND account_id = ANY ($3) AND exclusion IS NOT NULL
            """, [.int32(period.number), .int16(delegation.value), .int64s(accounts)])
        for row in rows { found[row.int64(0)] = row.text(1) }
        return found
    }

    /// What was reported of each account, over all periods.
    package func histories(_ accounts: [(delegation: Delegation, account: Int64)]) throws(PgError)
        -> [Int64: AccountHistory]
    {
        let keys: [PgValue] = [.int16s(accounts.map(\.delegation.value)), .int64s(accounts.map(\.account))]
        var histories: [Int64: AccountHistory] = [:]
        for row in try link.run(ExhaustionStatements.attempts, keys) {
            histories[row.int64(0), default: AccountHistory()].attempts.append(
                AccountHistory.Attempts(
                    channel: row.text(1), outcomes: row.int64(2), contacts: row.int64(3), first: row.timestamp(4),
                    last: row.timestamp(5)))
        }
        for row in try link.run(ExhaustionStatements.agreements, keys) {
            histories[row.int64(0), default: AccountHistory()].agreements = row.int64(1)
        }
        for row in try link.run(ExhaustionStatements.dwellings, keys) {
            histories[row.int64(0), default: AccountHistory()].dwelling = AccountHistory.Dwelling(
                outcome: row.int64(1), result: row.text(2), branch: row.optionalText(3), workedAt: row.timestamp(4),
                reviewer: row.text(5), reviewedAt: row.timestamp(6))
        }
        return histories
    }

    /// The number that the period's next certificate gets.
    ///
    /// - Precondition: the period's row is locked, so that no two get the same and none is left out.
    package func nextNumber() throws(PgError) -> Int32 {
        try link.run(
            "SELECT coalesce(max(number), 0) + 1 FROM certificate WHERE period = $1", [.int32(period.number)]
        ).first?.int32(0) ?? 1
    }

    package func insert(
        _ certificate: CertificateRow, policyDigest: [UInt8], validFrom: LocalDate
    ) throws(PgError) {
        try link.run(
            ExhaustionStatements.insert,
            [
                .int32(period.number), .int32(certificate.folio.number), .text(certificate.folio.description),
                .int16(certificate.delegation.value), .int64(certificate.account), .bytes(policyDigest),
                .text(certificate.validatedBy), .timestamp(certificate.validatedAt), .date(validFrom),
                .text(certificate.body), .bytes(certificate.digest),
            ])
    }

    /// Takes accounts out of collection: their deals end, held or not, and who held them is told.
    package func endDeals(of accounts: [(delegation: Delegation, account: Int64)], seal: DealEndings.Seal) throws
        -> DealEndings.Count
    {
        let endings = DealEndings(link)
        try endings.stage()
        try link.run(
            ExhaustionStatements.stageEndings,
            [.int16s(accounts.map(\.delegation.value)), .int64s(accounts.map(\.account))])
        return try endings.run(tells: true, seal: seal)
    }

    /// Of the period, in the order of their numbers.
    package func certificates() throws(PgError) -> [CertificateRow] {
        try link.run(ExhaustionStatements.select + " WHERE period = $1 ORDER BY number", [.int32(period.number)])
            .compactMap(CertificateRow.init)
    }

    package static func certificate(_ folio: Folio, _ link: PgLink) throws(PgError) -> CertificateRow? {
        try link.run(
            ExhaustionStatements.select + " WHERE period = $1 AND number = $2",
            [.int32(folio.period.number), .int32(folio.number)]
        ).first.flatMap(CertificateRow.init)
    }

    /// Revokes a certificate that is valid.
    ///
    /// - Returns: whether it was; of two at once the second one finds it revoked.
    package static func revoke(_ folio: Folio, by: String, reason: String, _ link: PgLink) throws(PgError) -> Bool {
        try link.run(
            ExhaustionStatements.revoke,
            [.int32(folio.period.number), .int32(folio.number), .text(by), .text(reason)]
        ).affected == 1
    }
}

extension CertificateRow {
    package init(
        folio: Folio, delegation: Delegation, account: Int64, validatedBy: String, validatedAt: Timestamp, body: String,
        digest: [UInt8]
    ) {
        self.init(
            folio: folio, delegation: delegation, account: account, validatedBy: validatedBy, validatedAt: validatedAt,
            body: body, digest: digest, revocation: nil)
    }

    fileprivate init?(_ row: PgRow) {
        guard let period = Period(number: row.int32(0)), let delegation = Delegation(row.int16(2)) else { return nil }
        var revocation: Revocation?
        if let by = row.optionalText(8), let at = row.optionalTimestamp(9), let reason = row.optionalText(10) {
            revocation = Revocation(by: by, at: at, reason: reason)
        }
        self.init(
            folio: Folio(period: period, number: row.int32(1)), delegation: delegation, account: row.int64(3),
            validatedBy: row.text(4), validatedAt: row.timestamp(5), body: row.text(6), digest: row.bytes(7),
            revocation: revocation)
    }
}

private enum ExhaustionStatements {
    /// $1 period, $2 account bigint[]; every delegation is asked, so that each look-up is one on the key
    static let locate = """
        SELECT w.account_id, a.delegation_id
          FROM unnest($2::bigint[]) AS w (account_id)
          JOIN account a ON a.period = $1 AND a.account_id = w.account_id
                        AND a.delegation_id = ANY (ARRAY(SELECT generate_series(1, 32)::smallint))
        """

    /// $1 delegation smallint[], $2 account bigint[]
    private static let wanted = """
        FROM unnest($1::smallint[], $2::bigint[]) AS w (delegation_id, account_id)
          JOIN outcome o ON o.delegation_id = w.delegation_id AND o.account_id = w.account_id
        """

    static let attempts = """
        SELECT o.account_id, o.channel, count(*), count(*) FILTER (WHERE o.contact IN ('direct', 'third-party')),
               min(o.worked_at), max(o.worked_at)
          \(wanted)
         GROUP BY o.account_id, o.channel
         ORDER BY o.account_id, o.channel
        """

    static let agreements = """
        SELECT o.account_id, count(*)
          \(wanted)
          JOIN review r ON r.delegation_id = o.delegation_id AND r.outcome_id = o.outcome_id AND r.decision = 'approved'
         WHERE o.result = 'agreement-signed'
         GROUP BY o.account_id
        """

    static let dwellings = """
        SELECT DISTINCT ON (o.account_id)
               o.account_id, o.outcome_id, o.result, o.extra ->> 'branch', o.worked_at, r.reviewer, r.reviewed_at
          \(wanted)
          JOIN review r ON r.delegation_id = o.delegation_id AND r.outcome_id = o.outcome_id AND r.decision = 'approved'
         WHERE o.result IN ('dwelling-irregular', 'dwelling-inhabited')
         ORDER BY o.account_id, o.worked_at DESC, o.outcome_id DESC
        """

    static let insert = """
        INSERT INTO certificate (period, number, folio, delegation_id, account_id, policy_digest, validated_by,
                                 validated_at, valid_from, body, digest)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        """

    /// $1 delegation smallint[], $2 account bigint[]
    static let stageEndings = """
        INSERT INTO to_end (delegation_id, account_id, kind, reason)
        SELECT delegation_id, account_id, 'exclusion', 'exhaustion'
          FROM unnest($1::smallint[], $2::bigint[]) AS w (delegation_id, account_id)
        """

    static let select = """
        SELECT period, number, delegation_id, account_id, validated_by, validated_at, body, digest, revoked_by, revoked_at,
               revocation
          FROM certificate
        """

    /// $1 period, $2 number, $3 by, $4 reason
    static let revoke = """
        UPDATE certificate SET revoked_by = $3, revoked_at = now_instant(), revocation = $4
         WHERE period = $1 AND number = $2 AND revoked_at IS NULL
        """
}
