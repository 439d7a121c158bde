// SPDX-License-Identifier: Apache-2.0

/// The name that a client gives to a request, so that it knows the reply: 1 to 16 of `A–Z a–z 0–9 . -`.
package struct Tag: Hashable, Sendable, CustomStringConvertible {
    // Kept in one register: a tag is compared and written for each line, and a string of 16 would be allocated.
    private let packed: UInt128

    package init?(_ bytes: ArraySlice<UInt8>) {
        // A lone hyphen marks data lines.
        guard (1...16).contains(bytes.count), bytes.count > 1 || bytes.first != .hyphen else { return nil }
        var packed: UInt128 = 0
        for byte in bytes {
            guard byte.isLetter || byte.isDigit || byte == .hyphen || byte == .period else { return nil }
            packed = packed << 8 | UInt128(byte)
        }
        self.packed = packed
    }

    package init?(_ text: String) { self.init(Array(text.utf8)[...]) }

    /// The tag that is written as `number` in base 10; clients that only count need no other.
    package init(number: UInt64) {
        var rest = number % 10_000_000_000_000_000
        var packed: UInt128 = 0
        var shift: UInt128 = 0
        repeat {
            packed |= UInt128(0x30 + rest % 10) << shift
            rest /= 10
            shift += 8
        } while rest > 0
        self.packed = packed
    }

    package var description: String {
        var bytes: [UInt8] = []
        bytes.append(tag: self)
        return String(decoding: bytes, as: UTF8.self)
    }

    fileprivate func write(to output: inout [UInt8]) {
        var shift = 128 - packed.leadingZeroBitCount / 8 * 8
        while shift > 0 {
            shift -= 8
            output.append(UInt8(truncatingIfNeeded: packed >> UInt128(shift)))
        }
    }
}

extension [UInt8] {
    mutating func append(tag: Tag) { tag.write(to: &self) }
}
