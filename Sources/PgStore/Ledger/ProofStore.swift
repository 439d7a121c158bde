// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// A public key that roots of periods are signed with.
package struct SigningKeyRow: Equatable, Sendable {
    package let id: String
    package let publicKey: [UInt8]
    /// 1 for the first; each later one replaces the one before it.
    package let number: Int32
    /// What the key before it signed.
    package let message: String
    /// `nil` for the first one, and where the one before it was lost.
    package let endorsement: [UInt8]?

    package init(id: String, publicKey: [UInt8], number: Int32, message: String, endorsement: [UInt8]?) {
        self.id = id
        self.publicKey = publicKey
        self.number = number
        self.message = message
        self.endorsement = endorsement
    }
}

/// A period's root as it was signed.
package struct PeriodRootRow: Equatable, Sendable {
    package let period: Period
    package let leaves: [String]
    package let root: [UInt8]
    package let message: String
    package let key: String
    package let signature: [UInt8]

    package init(
        period: Period, leaves: [String], root: [UInt8], message: String, key: String, signature: [UInt8]
    ) {
        self.period = period
        self.leaves = leaves
        self.root = root
        self.message = message
        self.key = key
        self.signature = signature
    }
}

/// One block in the order of its chain; `link` is `nil` where the sequencer has not reached it.
package struct LedgerBlockRow: Sendable {
    package let number: Int64
    package let records: [UInt8]
    package let count: Int32
    package let root: [UInt8]
    package let link: (height: Int64, head: [UInt8])?
}

/// Reads the ledger for proofs, and keeps keys and roots.
package struct ProofStore {
    package let link: PgLink

    package init(_ link: PgLink) { self.link = link }

    // MARK: - Keys

    /// In the order of their succession; the last one signs.
    package func keys() throws(PgError) -> [SigningKeyRow] {
        try link.run("SELECT key_id, public_key, number, message, endorsement FROM signing_key ORDER BY number").map {
            SigningKeyRow(
                id: $0.text(0), publicKey: $0.bytes(1), number: $0.int32(2), message: $0.text(3),
                endorsement: $0.optionalBytes(4))
        }
    }

    /// - Throws: ``PgError`` with code 23505 where another key took the number meanwhile.
    package func add(_ key: SigningKeyRow) throws(PgError) {
        try link.run(
            """
            INSERT INTO signing_key (key_id, public_key, number, added_at, message, endorsement)
            VALUES ($1, $2, $3, now_instant(), $4, $5)
            """,
            [
                .text(key.id), .bytes(key.publicKey), .int32(key.number), .text(key.message),
                key.endorsement.map(PgValue.bytes) ?? .null,
            ])
    }

    // MARK: - Roots

    private static let rootColumns = "period, leaves, root, message, key_id, signature"

    package func root(of period: Period) throws(PgError) -> PeriodRootRow? {
        try link.run("SELECT \(Self.rootColumns) FROM period_root WHERE period = $1", [.int32(period.number)])
            .first.flatMap(Self.root)
    }

    /// Whether they are numbered from 1 on without a gap, as they were signed.
    package func areRootsNumbered() throws(PgError) -> Bool {
        try link.run("SELECT count(*), coalesce(max(number), 0), coalesce(min(number), 1) FROM period_root").allSatisfy
        {
            $0.int64(0) == Int64($0.int32(1)) && $0.int32(2) == 1
        }
    }

    /// When each key was added, by name.
    package func addedKeys() throws(PgError) -> [String: Timestamp] {
        let rows = try link.run("SELECT key_id, added_at FROM signing_key")
        return Dictionary(rows.map { ($0.text(0), $0.timestamp(1)) }, uniquingKeysWith: { $1 })
    }

    /// In the order of signing.
    package func roots() throws(PgError) -> [PeriodRootRow] {
        try link.run("SELECT \(Self.rootColumns) FROM period_root ORDER BY number").compactMap(Self.root)
    }

    private static func root(_ row: PgRow) -> PeriodRootRow? {
        Period(number: row.int32(0)).map {
            PeriodRootRow(
                period: $0, leaves: row.text(1).split(separator: "\n").map(String.init), root: row.bytes(2),
                message: row.text(3), key: row.text(4), signature: row.bytes(5))
        }
    }

    /// - Throws: ``PgError`` with code 23505 where the period was signed meanwhile.
    package func add(_ root: PeriodRootRow, number: Int32) throws(PgError) {
        try link.run(
            """
            INSERT INTO period_root (period, leaves, root, message, key_id, signature, number)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            """,
            [
                .int32(root.period.number), .text(root.leaves.joined(separator: "\n")), .bytes(root.root),
                .text(root.message), .text(root.key), .bytes(root.signature), .int32(number),
            ])
        try link.run(
            "UPDATE period SET root = $2 WHERE period = $1", [.int32(root.period.number), .bytes(root.root)])
    }

    /// Ascending.
    package func closedPeriods() throws(PgError) -> [Period] {
        try link.run("SELECT period FROM period WHERE state = 'closed' ORDER BY period")
            .compactMap { Period(number: $0.int32(0)) }
    }

    package struct PeriodState: Sendable {
        package let period: Period
        package let state: PeriodStore.State
        /// That was signed; `nil` where none is.
        package let root: [UInt8]?
    }

    /// Ascending.
    package func periodStates() throws(PgError) -> [PeriodState] {
        try link.run("SELECT period, state, root FROM period ORDER BY period").compactMap { row in
            guard let period = Period(number: row.int32(0)), let state = PeriodStore.State(rawValue: row.text(1))
            else { return nil }
            return PeriodState(period: period, state: state, root: row.optionalBytes(2))
        }
    }

    /// Of every kept statement: the SHA-256 of its text as it is now, and what is stored as that.
    package func statementDigests() throws(PgError) -> [(
        period: Period, contract: Int32, computed: [UInt8], stored: [UInt8]
    )] {
        try link.run(
            "SELECT period, contract_id, sha256(convert_to(body, 'UTF8')), digest FROM statement ORDER BY 1, 2"
        )
        .compactMap { row in
            guard let period = Period(number: row.int32(0)) else { return nil }
            return (period, row.int32(1), row.bytes(2), row.bytes(3))
        }
    }

    // MARK: - Blocks

    /// The delegations and periods that have blocks, ascending.
    package func places() throws(PgError) -> [(delegation: Delegation, period: Period)] {
        try link.run("SELECT DISTINCT delegation_id, period FROM block ORDER BY 1, 2").compactMap { row in
            guard let delegation = Delegation(row.int16(0)), let period = Period(number: row.int32(1)) else {
                return nil
            }
            return (delegation, period)
        }
    }

    /// Chains whose last link is of a block that is not there, ascending.
    package func endsWithoutBlock() throws(PgError) -> [(delegation: Delegation, period: Period)] {
        try link.run(
            """
            SELECT delegation_id, period FROM (
                SELECT DISTINCT ON (delegation_id, period) * FROM chain ORDER BY delegation_id, period, height DESC) c
            WHERE NOT EXISTS (SELECT FROM block b WHERE b.transaction = c.transaction AND b.block_id = c.block_id)
            """
        ).compactMap { row in
            guard let delegation = Delegation(row.int16(0)), let period = Period(number: row.int32(1)) else {
                return nil
            }
            return (delegation, period)
        }
    }

    /// How many blocks a period has that no chain has yet.
    package func unchained(_ period: Period) throws(PgError) -> Int64 {
        try link.run(
            """
            SELECT count(*) FROM block b WHERE b.period = $1 AND NOT EXISTS (
                SELECT FROM chain c WHERE c.delegation_id = b.delegation_id AND c.period = b.period
                    AND c.transaction = b.transaction AND c.block_id = b.block_id)
            """, [.int32(period.number)])[0].int64(0)
    }

    /// The links of a chain without their blocks' records, from the first one on: the block's root and the head.
    package func links(_ delegation: Delegation, _ period: Period) throws(PgError) -> [(root: [UInt8], head: [UInt8])] {
        try link.run(
            """
            SELECT b.root, c.head FROM chain c JOIN block b USING (transaction, block_id)
            WHERE c.delegation_id = $1 AND c.period = $2 ORDER BY c.height
            """, [.int16(delegation.value), .int32(period.number)]
        ).map { ($0.bytes(0), $0.bytes(1)) }
    }

    /// Every block of a delegation and period, in the order of its chain, those outside of it last; one at a time.
    package func eachBlock(
        _ delegation: Delegation, _ period: Period, _ body: (LedgerBlockRow) throws -> Void
    ) throws {
        // COPY takes no parameters; these are numbers.
        let statement = """
            COPY (
                SELECT b.block_id, b.records, b.count, b.root, c.height IS NULL, coalesce(c.height, 0),
                    coalesce(c.head, '')
                FROM block b
                LEFT JOIN chain c ON c.delegation_id = b.delegation_id AND c.period = b.period
                    AND c.transaction = b.transaction AND c.block_id = b.block_id
                WHERE b.delegation_id = \(delegation.value) AND b.period = \(period.number)
                ORDER BY c.height NULLS LAST, b.block_id
            ) TO STDOUT (FORMAT binary)
            """
        try link.copyOut(statement) { row in
            let (number, records, count, root) = (row.int64(), row.bytes(), row.int32(), row.bytes())
            let isLoose = row.bool()
            let (height, head) = (row.int64(), row.bytes())
            try body(
                LedgerBlockRow(
                    number: number, records: records, count: count, root: root,
                    link: isLoose ? nil : (height, head)))
        }
    }
}
