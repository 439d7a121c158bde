// SPDX-License-Identifier: Apache-2.0

/// A short word in two registers, so that a word of a line is compared with a table without a string in between.
struct PackedWord: Hashable, Sendable {
    static let bytesMax = 32
    private let high: UInt128
    private let low: UInt128

    /// `nil` where it is longer than any word of the protocol.
    init?(_ bytes: ArraySlice<UInt8>) {
        guard bytes.count <= Self.bytesMax else { return nil }
        var high: UInt128 = 0
        var low: UInt128 = 0
        for byte in bytes {
            high = high << 8 | low >> 120
            low = low << 8 | UInt128(byte)
        }
        self.high = high
        self.low = low
    }

    /// A table in the order of `words`.
    static func table(_ words: [String]) -> [PackedWord] {
        words.map { word in
            guard let packed = PackedWord(Array(word.utf8)[...]) else {
                preconditionFailure("\(word) is longer than \(bytesMax) bytes")
            }
            return packed
        }
    }
}
