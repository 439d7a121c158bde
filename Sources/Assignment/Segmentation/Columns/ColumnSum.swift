// SPDX-License-Identifier: Apache-2.0

/// 128 bits that stand for a set of accounts with their values, whatever the order in which they come.
///
/// The sum, modulo 2⁶⁴ twice over, of two numbers per account into which its number and values are mixed. Sums of parts
/// add up to that of the whole. It tells two cuts apart that differ by chance; it is no seal against somebody who looks for
/// two with the same sum.
package struct ColumnSum: Hashable, Sendable {
    package private(set) var count: Int64 = 0
    package private(set) var low: UInt64 = 0
    package private(set) var high: UInt64 = 0

    package init() {}

    package mutating func add(_ other: ColumnSum) {
        count += other.count
        low &+= other.low
        high &+= other.high
    }

    fileprivate mutating func add(count: Int, low: UInt64, high: UInt64) {
        self.count += Int64(count)
        self.low &+= low
        self.high &+= high
    }
}

/// Adds batches up. Holds working memory, so every thread needs one of its own.
package final class ColumnSummer {
    package private(set) var sum = ColumnSum()
    private let fields: [AccountField]
    private let capacity: Int
    private let words: UnsafeMutablePointer<UInt64>
    private let low: UnsafeMutablePointer<UInt64>
    private let high: UnsafeMutablePointer<UInt64>

    package init(fields: [AccountField], capacity: Int = ColumnBatch.capacityDefault) {
        // The widest first, so that words are filled without gaps.
        self.fields = fields.sorted { ($1.width.rawValue, $0.rawValue) < ($0.width.rawValue, $1.rawValue) }
        self.capacity = capacity
        self.words = .allocate(capacity: capacity)
        self.low = .allocate(capacity: capacity)
        self.high = .allocate(capacity: capacity)
    }

    deinit {
        words.deallocate()
        low.deallocate()
        high.deallocate()
    }

    package func reset() { sum = ColumnSum() }

    package func add(_ batch: ColumnBatch) {
        precondition(batch.count <= capacity, "\(batch.count) accounts for \(capacity)")
        let count = batch.count
        for index in 0..<count {
            let account = UInt64(bitPattern: batch.accounts[index])
            low[index] = account &* 0x9E37_79B9_7F4A_7C15
            high[index] = account ^ 0x6A09_E667_F3BC_C908
            words[index] = 0
        }
        var bits = 0
        for field in fields {
            let width = field.width.rawValue * 8
            if bits + width > 64 {
                mix(count)
                bits = 0
            }
            pack(batch.column(field), field.width, count)
            bits += width
        }
        mix(count)
        var (lows, highs): (UInt64, UInt64) = (0, 0)
        for index in 0..<count {
            lows &+= Self.finished(low[index])
            highs &+= Self.finished(high[index])
        }
        sum.add(count: count, low: lows, high: highs)
    }

    private func pack(_ column: UnsafeMutableRawPointer, _ width: ColumnWidth, _ count: Int) {
        let words = words
        switch width {
        case .int8:
            let values = column.assumingMemoryBound(to: UInt8.self)
            for index in 0..<count { words[index] = words[index] << 8 | UInt64(values[index]) }
        case .int16:
            let values = column.assumingMemoryBound(to: UInt16.self)
            for index in 0..<count { words[index] = words[index] << 16 | UInt64(values[index]) }
        case .int32:
            let values = column.assumingMemoryBound(to: UInt32.self)
            for index in 0..<count { words[index] = words[index] << 32 | UInt64(values[index]) }
        case .int64:
            let values = column.assumingMemoryBound(to: UInt64.self)
            for index in 0..<count { words[index] = values[index] }
        }
    }

    /// Takes the words up. Both steps can be undone for a known word, so no difference between two accounts is lost.
    private func mix(_ count: Int) {
        let (words, low, high) = (words, low, high)
        for index in 0..<count {
            var left = (low[index] ^ words[index]) &* 0xBF58_476D_1CE4_E5B9
            left ^= left >> 29
            low[index] = left
            var right = (high[index] &+ words[index]) &* 0x94D0_49BB_1331_11EB
            right ^= right >> 31
            high[index] = right
            words[index] = 0
        }
    }

    private static func finished(_ value: UInt64) -> UInt64 {
        var mixed = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
