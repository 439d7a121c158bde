// SPDX-License-Identifier: Apache-2.0

/// Some thousands of accounts, laid out in one typed column per field that is read.
///
/// The memory is made once and used again from batch to batch. Not to be written by one thread while another reads it:
/// whoever fills a batch hands it over when it is full, which is what makes it safe to send.
package final class ColumnBatch: @unchecked Sendable {
    /// What one evaluation takes at a time. Larger ones do not fit into the caches nearest to the processor.
    package static let capacityDefault = 4_096

    package let fields: [AccountField]
    package let capacity: Int
    /// How many accounts it holds. Whoever writes the columns sets it.
    package var count = 0 {
        didSet { precondition((0...capacity).contains(count), "\(count) accounts in a batch for \(capacity)") }
    }
    /// The account numbers, `capacity` of them.
    package let accounts: UnsafeMutablePointer<Int64>
    private let memory: UnsafeMutableRawPointer
    private let offsets: [Int]

    /// - Parameter fields: those that get a column, stored ones; each once.
    package init(fields: [AccountField], capacity: Int = ColumnBatch.capacityDefault) {
        var offsets = Array(repeating: -1, count: AccountField.allCases.count)
        var size = Self.padded(capacity * 8)
        for field in fields where offsets[field.rawValue] < 0 {
            precondition(!field.isDerived, "\(field.name) is derived, and has no column")
            offsets[field.rawValue] = size
            size += Self.padded(capacity * field.width.rawValue)
        }
        self.fields = fields
        self.capacity = capacity
        self.offsets = offsets
        self.memory = .allocate(byteCount: size, alignment: 64)
        // What lies behind the last account is tested with it, and must be something.
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        self.accounts = memory.bindMemory(to: Int64.self, capacity: capacity)
    }

    deinit { memory.deallocate() }

    /// Columns start on cache lines of their own.
    private static func padded(_ bytes: Int) -> Int { (bytes + 63) / 64 * 64 }

    /// The column of a field, `capacity` values of its ``AccountField/width``.
    package func column(_ field: AccountField) -> UnsafeMutableRawPointer {
        let offset = offsets[field.rawValue]
        precondition(offset >= 0, "the batch has no column \(field.name)")
        return memory + offset
    }

    package func has(_ field: AccountField) -> Bool { offsets[field.rawValue] >= 0 }

    /// Adds one account. A value that its column cannot hold traps: no cut has it.
    package func append(_ account: Int64, _ row: borrowing AccountRow) {
        let index = count
        count += 1
        accounts[index] = account
        for field in fields { set(field, index, row.raw(field)) }
    }

    package func removeAll() { count = 0 }

    /// Sets a whole column, also for accounts that are still to come.
    package func fill(_ field: AccountField, with value: Int64) {
        for index in 0..<capacity { set(field, index, value) }
    }

    /// The delegations' numbers of its accounts.
    package var delegations: UnsafeBufferPointer<Int16> {
        UnsafeBufferPointer(start: column(.delegation).assumingMemoryBound(to: Int16.self), count: count)
    }

    /// The same accounts in memory of their own, as much as they need.
    package func copy() -> ColumnBatch {
        let copy = ColumnBatch(fields: fields, capacity: count)
        copy.accounts.update(from: accounts, count: count)
        for field in fields {
            copy.column(field).copyMemory(from: column(field), byteCount: count * field.width.rawValue)
        }
        copy.count = count
        return copy
    }

    /// Takes over what another batch of the same fields says of one account.
    package func replace(_ index: Int, by other: ColumnBatch, _ otherIndex: Int) {
        for field in fields { set(field, index, other.raw(field, otherIndex)) }
    }

    /// The value of one account, or ``AccountRow/missing``.
    package func raw(_ field: AccountField, _ index: Int) -> Int64 {
        precondition(index < count, "account \(index) of \(count)")
        let column = column(field)
        let value =
            switch field.width {
            case .int8: Int64(column.load(fromByteOffset: index, as: Int8.self))
            case .int16: Int64(column.load(fromByteOffset: index * 2, as: Int16.self))
            case .int32: Int64(column.load(fromByteOffset: index * 4, as: Int32.self))
            case .int64: column.load(fromByteOffset: index * 8, as: Int64.self)
            }
        return value == field.width.missing ? AccountRow.missing : value
    }

    /// Reads one account into `row`; fields without a column become missing.
    package func read(_ index: Int, into row: inout AccountRow) {
        for field in AccountField.stored {
            guard has(field) else {
                row[field] = nil
                continue
            }
            let value = raw(field, index)
            row[field] = value == AccountRow.missing ? nil : value
        }
    }

    private func set(_ field: AccountField, _ index: Int, _ value: Int64) {
        let width = field.width
        precondition(
            value == AccountRow.missing || width.range.contains(value), "\(field.name) cannot be \(value)")
        let stored = value == AccountRow.missing ? width.missing : value
        let column = column(field)
        switch width {
        case .int8: column.storeBytes(of: Int8(truncatingIfNeeded: stored), toByteOffset: index, as: Int8.self)
        case .int16: column.storeBytes(of: Int16(truncatingIfNeeded: stored), toByteOffset: index * 2, as: Int16.self)
        case .int32: column.storeBytes(of: Int32(truncatingIfNeeded: stored), toByteOffset: index * 4, as: Int32.self)
        case .int64: column.storeBytes(of: stored, toByteOffset: index * 8, as: Int64.self)
        }
    }
}
