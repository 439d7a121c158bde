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
}

/// A closed list of words and what they stand for, made once: to read a word allocates nothing.
struct WordTable<Meaning: Sendable>: Sendable {
    private let words: [PackedWord]
    private let meanings: [Meaning]

    /// - Parameter word: how a meaning is written, in at most 32 bytes.
    init(_ meanings: [Meaning], word: (Meaning) -> String) {
        self.meanings = meanings
        self.words = meanings.map { meaning in
            guard let packed = PackedWord(Array(word(meaning).utf8)[...]) else {
                preconditionFailure("\(word(meaning)) is longer than \(PackedWord.bytesMax) bytes")
            }
            return packed
        }
    }

    /// `nil` for a word that is not on the list.
    subscript(bytes: ArraySlice<UInt8>) -> Meaning? {
        guard let word = PackedWord(bytes) else { return nil }
        for index in words.indices where words[index] == word { return meanings[index] }
        return nil
    }
}
