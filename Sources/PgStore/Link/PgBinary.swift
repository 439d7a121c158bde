// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// Reads values from PostgreSQL's binary form. A shape that does not fit the asked type is a mistake of the statement's
/// author, never of data, and traps with the type asked for.
enum PgBinary {
    static func number<Number: FixedWidthInteger>(_ bytes: UnsafeRawBufferPointer, _ type: Number.Type) -> Number {
        precondition(bytes.count == MemoryLayout<Number>.size, "\(type) read from \(bytes.count) bytes")
        return Number(bigEndian: bytes.loadUnaligned(as: Number.self))
    }

    static func text(_ bytes: UnsafeRawBufferPointer) -> String { String(decoding: bytes, as: UTF8.self) }

    /// The elements of a one-dimensional array; a null element traps.
    static func array<Element>(
        _ bytes: UnsafeRawBufferPointer, _ element: (UnsafeRawBufferPointer) -> Element
    ) -> [Element] {
        guard number(UnsafeRawBufferPointer(rebasing: bytes[0..<4]), Int32.self) > 0 else { return [] }
        let count = Int(number(UnsafeRawBufferPointer(rebasing: bytes[12..<16]), Int32.self))
        var result: [Element] = []
        result.reserveCapacity(count)
        var offset = 20
        for _ in 0..<count {
            let size = Int(number(UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + 4]), Int32.self))
            precondition(size >= 0, "null element of an array")
            offset += 4
            result.append(element(UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + size])))
            offset += size
        }
        return result
    }
}

/// The fields of one row in column order, read once and forward. Used by rows of COPY.
package struct PgCopyReader {
    private var rest: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) { self.rest = bytes }

    private mutating func next() -> UnsafeRawBufferPointer? {
        let size = Int(PgBinary.number(UnsafeRawBufferPointer(rebasing: rest[0..<4]), Int32.self))
        guard size >= 0 else {
            rest = UnsafeRawBufferPointer(rebasing: rest[4...])
            return nil
        }
        let field = UnsafeRawBufferPointer(rebasing: rest[4..<4 + size])
        rest = UnsafeRawBufferPointer(rebasing: rest[(4 + size)...])
        return field
    }

    private mutating func required() -> UnsafeRawBufferPointer {
        guard let field = next() else { preconditionFailure("null in a column read as never null") }
        return field
    }

    package mutating func bool() -> Bool { required()[0] != 0 }
    package mutating func int16() -> Int16 { PgBinary.number(required(), Int16.self) }
    package mutating func int32() -> Int32 { PgBinary.number(required(), Int32.self) }
    package mutating func int64() -> Int64 { PgBinary.number(required(), Int64.self) }
    package mutating func text() -> String { PgBinary.text(required()) }
    package mutating func shortText() -> ShortText { ShortText(required()) }
    package mutating func bytes() -> [UInt8] { Array(required()) }
    package mutating func timestamp() -> Timestamp { Timestamp(pgMicroseconds: int64()) }
    package mutating func date() -> LocalDate { LocalDate(pgDays: int32()) }
    package mutating func optionalBool() -> Bool? { next().map { $0[0] != 0 } }
    package mutating func optionalInt16() -> Int16? { next().map { PgBinary.number($0, Int16.self) } }
    package mutating func optionalInt32() -> Int32? { next().map { PgBinary.number($0, Int32.self) } }
    package mutating func optionalInt64() -> Int64? { next().map { PgBinary.number($0, Int64.self) } }
    package mutating func optionalText() -> String? { next().map(PgBinary.text) }
    package mutating func optionalDate() -> LocalDate? {
        next().map { LocalDate(pgDays: PgBinary.number($0, Int32.self)) }
    }
    package mutating func optionalTimestamp() -> Timestamp? {
        next().map { Timestamp(pgMicroseconds: PgBinary.number($0, Int64.self)) }
    }
    package mutating func skip() { _ = next() }
}

/// Rows in COPY's binary form, gathered up to `flushBytes` before they leave, or up to `groupedBytes` where rows of one group
/// leave together. Bounded: it never holds more than twice that and one row.
package struct PgCopyWriter {
    static let flushBytes = 1 << 18
    /// Sent at once: libpq keeps what the server does not take yet.
    private static let sentBytes = 1 << 20
    private static let groupedBytes = 1 << 25
    private var buffer: [UInt8] = []
    /// Where rows start, of which group each is; empty where groups do not count.
    private var starts: [(group: Int16, start: Int)] = []
    private let send: (UnsafeRawBufferPointer) throws(PgError) -> Void
    package private(set) var rows = 0

    init(_ send: @escaping (UnsafeRawBufferPointer) throws(PgError) -> Void) {
        self.send = send
        buffer.reserveCapacity(Self.flushBytes + (1 << 14))
        buffer.append(contentsOf: Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0x00])
        buffer.append(bigEndian: Int32(0))
        buffer.append(bigEndian: Int32(0))
    }

    /// Starts the next row. Exactly `columns` values must follow.
    package mutating func row(columns: Int) throws(PgError) {
        if buffer.count >= Self.flushBytes { try flush() }
        rows += 1
        buffer.append(bigEndian: Int16(columns))
    }

    /// Starts the next row, which leaves the writer next to others of its group: as many of them as fit into some megabytes
    /// come to lie together in the table. Within a group the order stays.
    package mutating func row(columns: Int, group: Int16) throws(PgError) {
        if buffer.count >= Self.groupedBytes { try flush() }
        starts.append((group, buffer.count))
        rows += 1
        buffer.append(bigEndian: Int16(columns))
    }

    /// Passes rows on that are in COPY's binary form already.
    mutating func encoded(_ bytes: UnsafeRawBufferPointer, rows count: Int) throws(PgError) {
        try flush()
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = rest.prefix(Self.flushBytes)
            try send(UnsafeRawBufferPointer(rebasing: part))
            rest = rest.dropFirst(part.count)
        }
        rows += count
    }

    mutating func flush() throws(PgError) {
        if !starts.isEmpty { group() }
        var failure: PgError?
        buffer.withUnsafeBytes { bytes in
            do throws(PgError) {
                var rest = bytes[...]
                while !rest.isEmpty {
                    let part = rest.prefix(Self.sentBytes)
                    try send(UnsafeRawBufferPointer(rebasing: part))
                    rest = rest.dropFirst(part.count)
                }
            } catch { failure = error }
        }
        if let failure { throw failure }
        buffer.removeAll(keepingCapacity: true)
    }

    /// Puts the rows in the order of their groups.
    private mutating func group() {
        let order = starts.indices.sorted { (starts[$0].group, $0) < (starts[$1].group, $1) }
        var grouped: [UInt8] = []
        grouped.reserveCapacity(buffer.capacity)
        grouped.append(contentsOf: buffer[..<starts[0].start])
        for row in order {
            let end = row + 1 < starts.count ? starts[row + 1].start : buffer.count
            grouped.append(contentsOf: buffer[starts[row].start..<end])
        }
        buffer = grouped
        starts.removeAll(keepingCapacity: true)
    }

    mutating func finish() throws(PgError) {
        if !starts.isEmpty { try flush() }
        buffer.append(bigEndian: Int16(-1))
        try flush()
    }

    package mutating func null() { buffer.append(bigEndian: Int32(-1)) }
    package mutating func bool(_ value: Bool) { sized(1) { $0.append(value ? 1 : 0) } }
    package mutating func int16(_ value: Int16) { sized(2) { $0.append(bigEndian: value) } }
    package mutating func int32(_ value: Int32) { sized(4) { $0.append(bigEndian: value) } }
    package mutating func int64(_ value: Int64) { sized(8) { $0.append(bigEndian: value) } }
    package mutating func timestamp(_ value: Timestamp) { int64(value.pgMicroseconds) }
    package mutating func date(_ value: LocalDate) { int32(value.pgDays) }
    package mutating func text(_ value: some StringProtocol) {
        buffer.appendSized { $0.append(contentsOf: value.utf8) }
    }
    package mutating func text(_ value: ShortText) {
        value.withUnsafeBytes { bytes in buffer.appendSized { $0.append(contentsOf: bytes) } }
    }
    package mutating func bytes(_ value: some Collection<UInt8>) { buffer.appendSized { $0.append(contentsOf: value) } }
    package mutating func optionalInt16(_ value: Int16?) { if let value { int16(value) } else { null() } }
    package mutating func optionalInt32(_ value: Int32?) { if let value { int32(value) } else { null() } }
    package mutating func optionalInt64(_ value: Int64?) { if let value { int64(value) } else { null() } }
    package mutating func optionalText(_ value: String?) { if let value { text(value) } else { null() } }
    package mutating func optionalDate(_ value: LocalDate?) { if let value { date(value) } else { null() } }
    /// Any other value, for the columns that have no method of their own.
    package mutating func value(_ value: PgValue) {
        let start = buffer.count
        buffer.append(bigEndian: Int32(-1))
        guard value.encode(into: &buffer) else { return }
        let size = Int32(buffer.count - start - 4).bigEndian
        withUnsafeBytes(of: size) { bytes in for index in 0..<4 { buffer[start + index] = bytes[index] } }
    }

    private mutating func sized(_ size: Int32, _ encode: (inout [UInt8]) -> Void) {
        buffer.append(bigEndian: size)
        encode(&buffer)
    }
}
