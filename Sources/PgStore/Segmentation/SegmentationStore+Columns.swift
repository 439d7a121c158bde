// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// Some of a period's accounts.
package enum CutScope: Hashable, Sendable {
    /// By account number. Where the cut's file was not sorted by delegation, this reads most of the table for each.
    case delegation(Delegation)
    /// A stretch of the table, in whatever order it lies there: all stretches together read the table once.
    case stretch(first: Int64, end: Int64)
}

/// The cut in columns.
extension SegmentationStore {
    /// 32 MiB: enough to make asking for it worth while, and little enough for threads to share the table evenly.
    private static let blocksPerStretch: Int64 = 4_096

    /// The period's table, cut into stretches; none where there is no cut.
    package func stretches() throws(PgError) -> [CutScope] {
        guard let row = try link.run(SegmentationStatements.blocks, [.text("account_\(period.number)")]).first,
            !row.isNull(0)
        else { return [] }
        let blocks = row.int64(0)
        return stride(from: 0, to: blocks, by: Int64.Stride(Self.blocksPerStretch)).map { first in
            .stretch(first: first, end: min(first + Self.blocksPerStretch, blocks))
        }
    }

    /// What is selected for the fields where nothing overlays the cut, for whoever measures what reading alone costs.
    package static func ownColumns(_ fields: [AccountField]) -> String {
        (["a.account_id"] + fields.compactMap(\.ownColumn)).joined(separator: ", ")
    }

    /// What is known beyond the cut, of all accounts or those of one delegation.
    package func readOverlay(
        _ delegation: Delegation? = nil, cut: LocalDate, fields: [AccountField]
    ) throws -> ColumnOverlay {
        guard fields.contains(where: \.isOverlaid) else { return ColumnOverlay([]) }
        let sql = SegmentationStatements.copyOverlaid(
            fields: fields, period: period.number, delegation: delegation?.value, cut: cut, lastDay: period.lastDay)
        var parts: [ColumnBatch] = []
        var part = ColumnBatch(fields: fields, capacity: ColumnOverlay.partSize)
        var filler = ColumnFiller(part, fields: fields)
        try link.copyOutRows(sql) { row in
            filler.append(row)
            guard part.count == part.capacity else { return }
            parts.append(part)
            part = ColumnBatch(fields: fields, capacity: ColumnOverlay.partSize)
            filler = ColumnFiller(part, fields: fields)
        }
        return ColumnOverlay(parts + [part])
    }

    /// Fills `batch` with accounts of the scope as often as they fill it, and gives it to `body` each time; the last time it
    /// may be partly filled. Only the batch's fields are read.
    ///
    /// Stops that are in force at the cut, or start in the period, overlay what the cut says. They are few, so their accounts
    /// are read beforehand, with the stops, and put in the place of what the cut alone says.
    ///
    /// - Parameter overlay: what ``readOverlay(_:cut:fields:)`` gave for the same fields.
    package func readColumns(
        _ scope: CutScope, overlay: ColumnOverlay, into batch: ColumnBatch, _ body: (ColumnBatch) throws -> Void
    ) throws {
        let plain = batch.fields.filter { $0.ownColumn != nil }
        clear(batch)
        let filler = ColumnFiller(batch, fields: plain)
        batch.removeAll()
        let sql = SegmentationStatements.copyColumns(
            columns: plain.compactMap(\.ownColumn), period: period.number, scope: scope)
        try link.copyOutRows(sql) { row in
            filler.append(row)
            guard batch.count == batch.capacity else { return }
            let isOverlaid = overlay.apply(to: batch)
            try body(batch)
            batch.removeAll()
            if isOverlaid { clear(batch) }
        }
        guard batch.count > 0 else { return }
        overlay.apply(to: batch)
        try body(batch)
        batch.removeAll()
    }

    /// What no column of the cut has: a flag is not set, anything else is missing.
    private func clear(_ batch: ColumnBatch) {
        for field in batch.fields where field.ownColumn == nil {
            batch.fill(field, with: field.kind == .flag ? 0 : AccountRow.missing)
        }
    }

    // MARK: - One snapshot for several links

    /// Makes what this link's transaction sees visible to other links: they see the same, whatever happens meanwhile.
    package func exportSnapshot() throws(PgError) -> String {
        try link.run("SELECT pg_export_snapshot()").first?.text(0) ?? ""
    }

    /// Starts a transaction that reads only, and sees what another link's exported snapshot does.
    /// - Parameter snapshot: `nil` for a new one.
    package func beginReading(_ snapshot: String?) throws(PgError) {
        try link.script("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        guard let snapshot else { return }
        let isPlain = snapshot.utf8.allSatisfy { (48...57).contains($0) || (65...70).contains($0) || $0 == 45 }
        guard isPlain else { throw PgError(code: PgError.malformed, statement: "BEGIN", message: "no snapshot's name") }
        try link.script("SET TRANSACTION SNAPSHOT '\(snapshot)'")
    }
}
