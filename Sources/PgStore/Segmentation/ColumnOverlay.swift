// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// The accounts of which more is known than the cut says, with all that is read of them.
///
/// Most accounts of a batch are not among them, and are told so by one bit each.
package struct ColumnOverlay: Sendable {
    static let partSize = 512
    private let parts: [ColumnBatch]
    private var places: [Int64: Int] = [:]
    private var filter: [UInt64]
    private let shift: UInt64

    init(_ parts: [ColumnBatch]) {
        self.parts = parts
        let accounts = parts.reduce(0) { $0 + $1.count }
        // Sixteen bits per account, a power of two of them.
        let bits = max(6, Int.bitWidth - (accounts * 16).leadingZeroBitCount)
        self.shift = UInt64(64 - bits)
        self.filter = Array(repeating: 0, count: 1 << (bits - 6))
        places.reserveCapacity(accounts)
        for (number, part) in parts.enumerated() {
            for index in 0..<part.count {
                places[part.accounts[index]] = number * Self.partSize + index
                let bit = Self.bit(part.accounts[index], shift)
                filter[Int(bit / 64)] |= 1 << (bit % 64)
            }
        }
    }

    package var count: Int { places.count }

    private static func bit(_ account: Int64, _ shift: UInt64) -> UInt64 {
        (UInt64(bitPattern: account) &* 0x9E37_79B9_7F4A_7C15) >> shift
    }

    /// - Returns: whether it changed any account of the batch.
    @discardableResult
    func apply(to batch: ColumnBatch) -> Bool {
        guard !places.isEmpty else { return false }
        var isChanged = false
        filter.withUnsafeBufferPointer { filter in
            for index in 0..<batch.count {
                let bit = Self.bit(batch.accounts[index], shift)
                guard filter[Int(bit / 64)] & 1 << (bit % 64) != 0, let place = places[batch.accounts[index]] else {
                    continue
                }
                batch.replace(index, by: parts[place / Self.partSize], place % Self.partSize)
                isChanged = true
            }
        }
        return isChanged
    }
}
