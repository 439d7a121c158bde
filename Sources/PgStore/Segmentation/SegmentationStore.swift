// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// One row of the segmentation table: what was read, by which policy, and what came out.
package struct SegmentationRow: Sendable {
    package let policy: String
    package let policyVersion: String
    package let policyDigest: [UInt8]
    package let cutDigest: [UInt8]
    package let accounts: Int64
    package let placed: Int64
    package let excluded: Int64
    package let digest: [UInt8]

    package init(
        policy: String, policyVersion: String, policyDigest: [UInt8], cutDigest: [UInt8], accounts: Int64,
        placed: Int64, excluded: Int64, digest: [UInt8]
    ) {
        self.policy = policy
        self.policyVersion = policyVersion
        self.policyDigest = policyDigest
        self.cutDigest = cutDigest
        self.accounts = accounts
        self.placed = placed
        self.excluded = excluded
        self.digest = digest
    }
}

/// Reads the cut of one period and replaces its placements. Runs inside the caller's transaction.
package struct SegmentationStore {
    let link: PgLink
    package let period: Period

    package init(_ link: PgLink, period: Period) {
        self.link = link
        self.period = period
    }

    /// The state of the period: open, closing, closed; `nil` where nothing of it was ever imported.
    /// - Locks: the period's row, so that imports, plans and the close wait until the transaction ends.
    package func lockPeriod() throws(PgError) -> String? {
        try link.run(SegmentationStatements.lockPeriod, [.int32(period.number)]).first?.text(0)
    }

    /// The plan of the period that is not discarded.
    package func plan() throws(PgError) -> (id: Int64, state: String)? {
        try link.run(SegmentationStatements.plan, [.int32(period.number)]).first.map { ($0.int64(0), $0.text(1)) }
    }

    package func segmentation() throws(PgError) -> SegmentationRow? {
        try link.run(SegmentationStatements.segmentation, [.int32(period.number)]).first.map { row in
            SegmentationRow(
                policy: row.text(0), policyVersion: row.text(1), policyDigest: row.bytes(2), cutDigest: row.bytes(3),
                accounts: row.int64(4), placed: row.int64(5), excluded: row.int64(6), digest: row.bytes(7))
        }
    }

    /// The policy's file as it was when it placed accounts; `nil` where none has this digest.
    package func policyText(_ digest: [UInt8]) throws(PgError) -> String? {
        try link.run(SegmentationStatements.policyText, [.bytes(digest)]).first?.text(0)
    }

    /// Gives each account of one delegation, by account number, in one row that is reused.
    ///
    /// Stops that are in force at the cut, or start in the period, overlay what the cut says.
    ///
    /// - Parameters:
    ///   - only: a select of account numbers, where not all of them are asked for.
    ///   - fields: what is read; the others are missing in the row.
    package func readCut(
        _ delegation: Delegation, cut: LocalDate, only: String? = nil, fields: [AccountField] = AccountField.stored,
        _ body: (Int64, borrowing AccountRow) throws -> Void
    ) throws {
        let sql = SegmentationStatements.copyCut(
            fields: fields, period: period.number, delegation: delegation.value, cut: cut, lastDay: period.lastDay,
            only: only)
        var row = AccountRow(cut: cut)
        try link.copyOut(sql) { reader in
            let account = reader.int64()
            for field in fields { row[field] = field.read(&reader) }
            try body(account, row)
        }
    }

    /// Makes the table that becomes the period's partition.
    package func startPlacements() throws(PgError) {
        try link.script(SegmentationStatements.startPlacements(period.number))
    }

    /// Writes rows that ``PlacementEncoder`` made, as long as `next` gives any.
    package func writePlacements(_ next: () throws -> PlacementEncoder.Rows?) throws {
        try link.copyIn(SegmentationStatements.copyPlacements(period.number)) { writer in
            while let rows = try next() {
                var failure: PgError?
                rows.bytes.withUnsafeBytes { bytes in
                    do throws(PgError) { try writer.encoded(bytes, rows: rows.count) } catch { failure = error }
                }
                if let failure { throw failure }
            }
        }
    }

    /// Puts the new placements in the place of the old ones and records what they came from.
    /// - Parameter milliseconds: what the run has taken so far.
    package func finish(
        _ row: SegmentationRow, policy: Policy, body: String, milliseconds: Int64
    ) throws(PgError) {
        try link.script(SegmentationStatements.attachPlacements(period.number))
        try link.run(
            SegmentationStatements.putPolicy,
            [
                .bytes(row.policyDigest), .text(policy.name), .text(policy.version), .date(policy.effectiveOn),
                .text(body),
            ])
        let values: [PgValue] = [
            .int32(period.number), .text(row.policy), .text(row.policyVersion), .bytes(row.policyDigest),
            .bytes(row.cutDigest), .int64(row.accounts), .int64(row.placed), .int64(row.excluded), .bytes(row.digest),
        ]
        try link.run(SegmentationStatements.putSegmentation, values)
        try link.run(SegmentationStatements.putRun, values + [.int64(milliseconds)])
    }

    /// The runs that changed placements, of one period or of all, in the order in which they were made.
    package static func runs(
        _ link: PgLink, period: Period?
    ) throws(PgError) -> [(period: Period, row: SegmentationRow, madeAt: Timestamp, milliseconds: Int64?)] {
        try link.run(SegmentationStatements.runs, [.int32(period?.number ?? 0)]).compactMap { row in
            guard let period = Period(number: row.int32(0)) else { return nil }
            return (
                period,
                SegmentationRow(
                    policy: row.text(1), policyVersion: row.text(2), policyDigest: row.bytes(3),
                    cutDigest: row.bytes(4), accounts: row.int64(5), placed: row.int64(6), excluded: row.int64(7),
                    digest: row.bytes(8)), row.timestamp(9), row.optionalInt64(10)
            )
        }
    }
}
