// SPDX-License-Identifier: Apache-2.0

import Assignment

/// A closed list of words.
protocol WireWord: WireValue, CaseIterable, Sendable {
    var word: String { get }
    static var table: WordTable<Self> { get }
}

extension WireWord {
    static var expected: String { allCases.map(\.word).joined(separator: " | ") }

    init?(wire bytes: ArraySlice<UInt8>) {
        guard let meaning = Self.table[bytes] else { return nil }
        self = meaning
    }

    func write(to output: inout [UInt8]) { output.append(contentsOf: word.utf8) }
}

extension WireWord where Self: RawRepresentable<String> {
    var word: String { rawValue }
}

extension OutcomeChannel: WireWord {
    static let table = WordTable(allCases, word: \.rawValue)
}
extension OutcomeContact: WireWord {
    static let table = WordTable(allCases, word: \.rawValue)
}
extension OutcomeResult: WireWord {
    static let table = WordTable(allCases, word: \.rawValue)
}
extension ReturnReason: WireWord {
    static let table = WordTable(allCases, word: \.rawValue)
}
extension ObjectionReason: WireWord {
    static let table = WordTable(allCases, word: \.rawValue)
}
extension Strategy: WireWord {
    var word: String { name }
    static let table = WordTable(allCases, word: \.name)
}
extension Portfolio: WireWord {
    var word: String { name }
    static let table = WordTable(allCases, word: \.name)
}

/// A name that is not from a closed list of the protocol: a tactic, a branch, a motive, a solution, an instance.
///
/// 1 to 64 of `A–Z a–z 0–9 . _ -`: it is stored, compared and printed, and must not need quotes anywhere.
package struct Token: Hashable, Sendable, CustomStringConvertible, WireValue {
    static var expected: String { "1 to 64 of A-Z a-z 0-9 . _ -" }
    package let text: String

    package init?(_ text: String) { self.init(wire: Array(text.utf8)[...]) }

    init?(wire bytes: ArraySlice<UInt8>) {
        guard (1...64).contains(bytes.count),
            bytes.allSatisfy({ $0.isLetter || $0.isDigit || $0 == .hyphen || $0 == .period || $0 == 0x5F })
        else { return nil }
        self.text = String(decoding: bytes, as: UTF8.self)
    }

    func write(to output: inout [UInt8]) { output.append(contentsOf: text.utf8) }
    package var description: String { text }
}

/// Bytes in lowercase hexadecimal: nonces, signatures, digests, receipts.
package struct HexBytes: Hashable, Sendable, CustomStringConvertible, WireValue {
    static var expected: String { "lowercase hexadecimal, two digits per byte" }
    package let bytes: [UInt8]

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    package init?(hex: String) { self.init(wire: Array(hex.utf8)[...]) }

    init?(wire text: ArraySlice<UInt8>) {
        guard text.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 2)
        var index = text.startIndex
        while index < text.endIndex {
            guard let high = Self.value(text[index]), let low = Self.value(text[index + 1]) else { return nil }
            bytes.append(high << 4 | low)
            index += 2
        }
        self.bytes = bytes
    }

    func write(to output: inout [UInt8]) {
        output.reserveCapacity(output.count + bytes.count * 2)
        for byte in bytes {
            output.append(Self.digit(byte >> 4))
            output.append(Self.digit(byte & 15))
        }
    }

    package var description: String {
        var text: [UInt8] = []
        write(to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }

    private static func value(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }
}
