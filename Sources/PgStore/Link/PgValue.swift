// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// One parameter of a statement, sent in PostgreSQL's binary form with its type.
package enum PgValue: Sendable {
    case null
    case bool(Bool)
    case int16(Int16)
    case int32(Int32)
    case int64(Int64)
    case text(String)
    case bytes([UInt8])
    case timestamp(Timestamp)
    case date(LocalDate)
    case bools([Bool])
    case int16s([Int16])
    case int32s([Int32])
    case int64s([Int64])
    case texts([String])
    case byteArrays([[UInt8]])
    case timestamps([Timestamp])
    case dates([LocalDate])
    case optionalInt16s([Int16?])
    case optionalInt32s([Int32?])
    case optionalInt64s([Int64?])
    case optionalTexts([String?])
    case optionalBools([Bool?])
    case optionalDates([LocalDate?])
    case optionalTimestamps([Timestamp?])

    package static func optional(_ value: Int16?) -> PgValue { value.map(PgValue.int16) ?? .null }
    package static func optional(_ value: Int32?) -> PgValue { value.map(PgValue.int32) ?? .null }
    package static func optional(_ value: Int64?) -> PgValue { value.map(PgValue.int64) ?? .null }
    package static func optional(_ value: String?) -> PgValue { value.map(PgValue.text) ?? .null }
    package static func optional(_ value: LocalDate?) -> PgValue { value.map(PgValue.date) ?? .null }
    package static func optional(_ value: Timestamp?) -> PgValue { value.map(PgValue.timestamp) ?? .null }

    /// The type's number in pg_type; 0 lets the server infer it.
    var type: UInt32 {
        switch self {
        case .null: 0
        case .bool: 16
        case .int16: 21
        case .int32: 23
        case .int64: 20
        case .text: 25
        case .bytes: 17
        case .timestamp: 1184
        case .date: 1082
        case .bools, .optionalBools: 1000
        case .int16s, .optionalInt16s: 1005
        case .int32s, .optionalInt32s: 1007
        case .int64s, .optionalInt64s: 1016
        case .texts, .optionalTexts: 1009
        case .byteArrays: 1001
        case .timestamps, .optionalTimestamps: 1185
        case .dates, .optionalDates: 1182
        }
    }

    /// Appends the value's binary form; `false` for null, which has none.
    func encode(into bytes: inout [UInt8]) -> Bool {
        switch self {
        case .null: return false
        case .bool(let value): bytes.append(value ? 1 : 0)
        case .int16(let value): bytes.append(bigEndian: value)
        case .int32(let value): bytes.append(bigEndian: value)
        case .int64(let value): bytes.append(bigEndian: value)
        case .text(let value): bytes.append(contentsOf: value.utf8)
        case .bytes(let value): bytes.append(contentsOf: value)
        case .timestamp(let value): bytes.append(bigEndian: value.pgMicroseconds)
        case .date(let value): bytes.append(bigEndian: value.pgDays)
        case .bools(let values): bytes.append(array: values, of: 16) { $0.append($1 ? 1 : 0) }
        case .int16s(let values): bytes.append(array: values, of: 21) { $0.append(bigEndian: $1) }
        case .int32s(let values): bytes.append(array: values, of: 23) { $0.append(bigEndian: $1) }
        case .int64s(let values): bytes.append(array: values, of: 20) { $0.append(bigEndian: $1) }
        case .texts(let values): bytes.append(array: values, of: 25) { $0.append(contentsOf: $1.utf8) }
        case .byteArrays(let values): bytes.append(array: values, of: 17) { $0.append(contentsOf: $1) }
        case .timestamps(let values): bytes.append(array: values, of: 1184) { $0.append(bigEndian: $1.pgMicroseconds) }
        case .dates(let values): bytes.append(array: values, of: 1082) { $0.append(bigEndian: $1.pgDays) }
        case .optionalInt16s(let values): bytes.append(array: values, of: 21) { $0.append(bigEndian: $1) }
        case .optionalInt32s(let values): bytes.append(array: values, of: 23) { $0.append(bigEndian: $1) }
        case .optionalInt64s(let values): bytes.append(array: values, of: 20) { $0.append(bigEndian: $1) }
        case .optionalTexts(let values): bytes.append(array: values, of: 25) { $0.append(contentsOf: $1.utf8) }
        case .optionalBools(let values): bytes.append(array: values, of: 16) { $0.append($1 ? 1 : 0) }
        case .optionalDates(let values): bytes.append(array: values, of: 1082) { $0.append(bigEndian: $1.pgDays) }
        case .optionalTimestamps(let values):
            bytes.append(array: values, of: 1184) { $0.append(bigEndian: $1.pgMicroseconds) }
        }
        return true
    }
}

extension Timestamp {
    /// PostgreSQL counts from 2000-01-01T00:00:00Z.
    private static let pgEpochMicroseconds: Int64 = 946_684_800_000_000
    var pgMicroseconds: Int64 { microseconds - Self.pgEpochMicroseconds }
    init(pgMicroseconds: Int64) { self.init(microseconds: pgMicroseconds + Self.pgEpochMicroseconds) }
}

extension LocalDate {
    private static let pgEpochDays: Int32 = 10_957
    var pgDays: Int32 { daysSince1970 - Self.pgEpochDays }
    init(pgDays: Int32) { self.init(daysSince1970: pgDays + Self.pgEpochDays) }
}

extension [UInt8] {
    mutating func append<Number: FixedWidthInteger>(bigEndian value: Number) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }

    mutating func append<Item>(array: [Item], of type: UInt32, _ encode: (inout [UInt8], Item) -> Void) {
        appendArrayHeader(count: array.count, hasNulls: false, type: type)
        for element in array { appendSized { encode(&$0, element) } }
    }

    mutating func append<Item>(array: [Item?], of type: UInt32, _ encode: (inout [UInt8], Item) -> Void) {
        appendArrayHeader(count: array.count, hasNulls: true, type: type)
        for element in array {
            if let element {
                appendSized { encode(&$0, element) }
            } else {
                append(bigEndian: Int32(-1))
            }
        }
    }

    private mutating func appendArrayHeader(count: Int, hasNulls: Bool, type: UInt32) {
        append(bigEndian: Int32(count == 0 ? 0 : 1))
        append(bigEndian: Int32(hasNulls ? 1 : 0))
        append(bigEndian: type)
        guard count > 0 else { return }
        append(bigEndian: Int32(count))
        append(bigEndian: Int32(1))
    }

    /// Writes the length in front of what `body` appends.
    mutating func appendSized(_ body: (inout [UInt8]) -> Void) {
        let start = count
        append(bigEndian: Int32(0))
        body(&self)
        let size = Int32(count - start - 4).bigEndian
        Swift.withUnsafeBytes(of: size) { bytes in
            for index in 0..<4 { self[start + index] = bytes[index] }
        }
    }
}
