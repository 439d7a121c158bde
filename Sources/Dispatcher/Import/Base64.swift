// SPDX-License-Identifier: Apache-2.0

/// Base64 by RFC 4648 section 4, in its only spelling: padded, without line breaks, unused bits zero.
package enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let values: [UInt8: UInt32] = Dictionary(
        uniqueKeysWithValues: alphabet.enumerated().map { ($1, UInt32($0)) })

    package static func bytes(_ text: some StringProtocol) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count % 4 == 0 else { return nil }
        var bytes: [UInt8] = []
        for start in stride(from: 0, to: digits.count, by: 4) {
            let isLast = start + 4 == digits.count
            let padding = isLast ? digits[start..<start + 4].reversed().prefix { $0 == 0x3D }.count : 0
            guard padding <= 2 else { return nil }
            var group: UInt32 = 0
            for index in start..<start + 4 {
                guard let value = index >= start + 4 - padding ? 0 : values[digits[index]] else { return nil }
                group = group << 6 | value
            }
            let triple = [UInt8(group >> 16 & 0xFF), UInt8(group >> 8 & 0xFF), UInt8(group & 0xFF)]
            guard triple[(3 - padding)...].allSatisfy({ $0 == 0 }) else { return nil }
            bytes += triple[..<(3 - padding)]
        }
        return bytes
    }

    package static func text(_ bytes: [UInt8]) -> String {
        var digits: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let part = bytes[start..<min(start + 3, bytes.count)]
            var group: UInt32 = 0
            for offset in 0..<3 { group = group << 8 | UInt32(offset < part.count ? part[start + offset] : 0) }
            for place in 0..<4 {
                digits.append(place <= part.count ? alphabet[Int(group >> (18 - 6 * UInt32(place)) & 63)] : 0x3D)
            }
        }
        return String(decoding: digits, as: UTF8.self)
    }
}
