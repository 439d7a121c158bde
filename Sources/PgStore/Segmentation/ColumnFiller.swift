// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// Puts rows of a binary COPY into the columns of a batch, field by field, without making a value of any of them.
struct ColumnFiller {
    /// How a field comes, and how wide it is kept.
    private enum Move {
        case bool, int16AsInt8, int16, int32, date, int64

        var size: Int {
            switch self {
            case .bool: 1
            case .int16AsInt8, .int16: 2
            case .int32, .date: 4
            case .int64: 8
            }
        }
    }

    private struct Column {
        let move: Move
        let memory: UnsafeMutableRawPointer
        let missing: Int64
    }

    let batch: ColumnBatch
    private let columns: [Column]

    /// - Parameter fields: those that the rows have behind the account's number, in this order.
    init(_ batch: ColumnBatch, fields: [AccountField]) {
        self.batch = batch
        self.columns = fields.map { field in
            Column(move: Self.move(field), memory: batch.column(field), missing: field.width.missing)
        }
    }

    private static func move(_ field: AccountField) -> Move {
        switch (field.kind, field.width) {
        case (.flag, _): .bool
        case (.date, _): .date
        case (_, .int8): .int16AsInt8
        case (_, .int16): .int16
        case (_, .int32): .int32
        case (_, .int64): .int64
        }
    }

    /// Adds one row: the fields of a COPY behind their count.
    func append(_ row: UnsafeRawBufferPointer) {
        guard let start = row.baseAddress else { preconditionFailure("a row of no fields") }
        let index = batch.count
        var offset = 4
        precondition(row.count >= 12 && size(start, 0) == 8, "a row without an account's number")
        batch.accounts[index] = Int64(bigEndian: start.loadUnaligned(fromByteOffset: offset, as: Int64.self))
        offset += 8
        for column in columns {
            precondition(offset + 4 <= row.count, "a row with too few fields")
            let size = size(start, offset)
            offset += 4
            guard size >= 0 else {
                Self.put(column.missing, column, index)
                continue
            }
            precondition(size == column.move.size && offset + size <= row.count, "a field of \(size) bytes")
            Self.put(start + offset, column, index)
            offset += size
        }
        batch.count = index + 1
    }

    @inline(__always)
    private func size(_ start: UnsafeRawPointer, _ offset: Int) -> Int {
        Int(Int32(bigEndian: start.loadUnaligned(fromByteOffset: offset, as: Int32.self)))
    }

    @inline(__always)
    private static func put(_ field: UnsafeRawPointer, _ column: Column, _ index: Int) {
        switch column.move {
        case .bool:
            column.memory.storeBytes(of: field.load(as: UInt8.self) == 0 ? 0 : 1, toByteOffset: index, as: Int8.self)
        case .int16AsInt8:
            let value = Int16(bigEndian: field.loadUnaligned(as: Int16.self))
            // Codes are small; one that is not is still none of them, and not a missing one.
            column.memory.storeBytes(
                of: max(Int8(clamping: value), Int8.min + 1), toByteOffset: index, as: Int8.self)
        case .int16:
            column.memory.storeBytes(
                of: Int16(bigEndian: field.loadUnaligned(as: Int16.self)), toByteOffset: index * 2, as: Int16.self)
        case .int32:
            column.memory.storeBytes(
                of: Int32(bigEndian: field.loadUnaligned(as: Int32.self)), toByteOffset: index * 4, as: Int32.self)
        case .date:
            let days = LocalDate(pgDays: Int32(bigEndian: field.loadUnaligned(as: Int32.self))).daysSince1970
            column.memory.storeBytes(of: days, toByteOffset: index * 4, as: Int32.self)
        case .int64:
            column.memory.storeBytes(
                of: Int64(bigEndian: field.loadUnaligned(as: Int64.self)), toByteOffset: index * 8, as: Int64.self)
        }
    }

    private static func put(_ value: Int64, _ column: Column, _ index: Int) {
        switch column.move {
        case .bool, .int16AsInt8:
            column.memory.storeBytes(of: Int8(truncatingIfNeeded: value), toByteOffset: index, as: Int8.self)
        case .int16:
            column.memory.storeBytes(of: Int16(truncatingIfNeeded: value), toByteOffset: index * 2, as: Int16.self)
        case .int32, .date:
            column.memory.storeBytes(of: Int32(truncatingIfNeeded: value), toByteOffset: index * 4, as: Int32.self)
        case .int64: column.memory.storeBytes(of: value, toByteOffset: index * 8, as: Int64.self)
        }
    }
}
