// SPDX-License-Identifier: Apache-2.0

internal import CLibPQ
package import Assignment

/// The rows that one statement gave, in the statement's order.
///
/// Holds libpq's own memory of them until the last copy is gone. It is written once, before anybody else can see it, and
/// only read afterwards, which is what makes handing it to another thread safe.
package struct PgRows: @unchecked Sendable {
    private final class Storage {
        let result: OpaquePointer?
        init(_ result: OpaquePointer?) { self.result = result }
        deinit { PQclear(result) }
    }
    private let storage: Storage
    package let count: Int
    /// How many rows the statement inserted, updated or deleted.
    package let affected: Int
    let columns: Int

    init(_ result: OpaquePointer?) {
        self.storage = Storage(result)
        self.count = Int(PQntuples(result))
        self.affected = Int(String(cString: PQcmdTuples(result))) ?? 0
        self.columns = Int(PQnfields(result))
    }

    package var isEmpty: Bool { count == 0 }
    package var first: PgRow? { count > 0 ? self[0] : nil }
    package subscript(row: Int) -> PgRow {
        precondition(row < count, "row \(row) of \(count)")
        return PgRow(rows: self, row: Int32(row))
    }

    fileprivate func field(_ row: Int32, _ column: Int) -> UnsafeRawBufferPointer? {
        let column = Int32(column)
        guard PQgetisnull(storage.result, row, column) == 0 else { return nil }
        return UnsafeRawBufferPointer(
            start: PQgetvalue(storage.result, row, column), count: Int(PQgetlength(storage.result, row, column)))
    }
}

extension PgRows: Sequence {
    package func makeIterator() -> AnyIterator<PgRow> {
        var index = 0
        return AnyIterator {
            guard index < count else { return nil }
            defer { index += 1 }
            return self[index]
        }
    }
}

/// One row. Columns are read by index; reading a null as a value that cannot be null traps.
package struct PgRow: Sendable {
    fileprivate let rows: PgRows
    fileprivate let row: Int32

    private func required<Value>(_ column: Int, _ read: (UnsafeRawBufferPointer) -> Value) -> Value {
        guard let field = rows.field(row, column) else { preconditionFailure("null in column \(column)") }
        return withExtendedLifetime(rows) { read(field) }
    }

    private func optional<Value>(_ column: Int, _ read: (UnsafeRawBufferPointer) -> Value) -> Value? {
        guard let field = rows.field(row, column) else { return nil }
        return withExtendedLifetime(rows) { read(field) }
    }

    /// How many columns it has.
    var columns: Int { rows.columns }
    package func isNull(_ column: Int) -> Bool { rows.field(row, column) == nil }
    package func bool(_ column: Int) -> Bool { required(column) { $0[0] != 0 } }
    package func int16(_ column: Int) -> Int16 { required(column) { PgBinary.number($0, Int16.self) } }
    package func int32(_ column: Int) -> Int32 { required(column) { PgBinary.number($0, Int32.self) } }
    package func int64(_ column: Int) -> Int64 { required(column) { PgBinary.number($0, Int64.self) } }
    package func text(_ column: Int) -> String { required(column, PgBinary.text) }
    package func bytes(_ column: Int) -> [UInt8] { required(column) { Array($0) } }
    package func timestamp(_ column: Int) -> Timestamp { Timestamp(pgMicroseconds: int64(column)) }
    package func date(_ column: Int) -> LocalDate { LocalDate(pgDays: int32(column)) }
    package func int16s(_ column: Int) -> [Int16] {
        required(column) { PgBinary.array($0) { PgBinary.number($0, Int16.self) } }
    }
    package func int32s(_ column: Int) -> [Int32] {
        required(column) { PgBinary.array($0) { PgBinary.number($0, Int32.self) } }
    }
    package func int64s(_ column: Int) -> [Int64] {
        required(column) { PgBinary.array($0) { PgBinary.number($0, Int64.self) } }
    }
    package func texts(_ column: Int) -> [String] { required(column) { PgBinary.array($0, PgBinary.text) } }
    package func optionalBool(_ column: Int) -> Bool? { optional(column) { $0[0] != 0 } }
    package func optionalInt16(_ column: Int) -> Int16? { optional(column) { PgBinary.number($0, Int16.self) } }
    package func optionalInt32(_ column: Int) -> Int32? { optional(column) { PgBinary.number($0, Int32.self) } }
    package func optionalInt64(_ column: Int) -> Int64? { optional(column) { PgBinary.number($0, Int64.self) } }
    package func optionalText(_ column: Int) -> String? { optional(column, PgBinary.text) }
    package func optionalBytes(_ column: Int) -> [UInt8]? { optional(column) { Array($0) } }
    package func optionalDate(_ column: Int) -> LocalDate? {
        optional(column) { LocalDate(pgDays: PgBinary.number($0, Int32.self)) }
    }
    package func optionalTimestamp(_ column: Int) -> Timestamp? {
        optional(column) { Timestamp(pgMicroseconds: PgBinary.number($0, Int64.self)) }
    }
    package func optionalInt32s(_ column: Int) -> [Int32]? {
        optional(column) { PgBinary.array($0) { PgBinary.number($0, Int32.self) } }
    }
    package func optionalTexts(_ column: Int) -> [String]? {
        optional(column) { PgBinary.array($0, PgBinary.text) }
    }
}
