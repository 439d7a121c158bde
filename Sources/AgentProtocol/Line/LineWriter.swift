// SPDX-License-Identifier: Apache-2.0

/// How lines are written. Everything that leaves the process as a field goes through here, so nothing that a table or a
/// peer put into a text can break a line.
extension [UInt8] {
    mutating func append(text: StaticString) {
        text.withUTF8Buffer { self.append(contentsOf: $0) }
    }

    mutating func append(field key: StaticString, _ value: some WireValue) {
        append(.space)
        append(text: key)
        append(.equals)
        value.write(to: &self)
    }

    mutating func append(field key: StaticString, _ value: (some WireValue)?) {
        if let value { append(field: key, value) }
    }

    mutating func append(field key: StaticString, _ value: Int) { append(field: key, Int64(value)) }

    mutating func append(field key: StaticString, text value: String) {
        append(.space)
        append(text: key)
        append(.equals)
        append(value: value)
    }

    mutating func append(field key: StaticString, text value: String?) {
        if let value { append(field: key, text: value) }
    }

    /// A text, quoted where it has to be. A control character, which no line can carry, becomes U+FFFD.
    mutating func append(value: String) {
        let bytes = value.utf8
        if !bytes.isEmpty, bytes.allSatisfy(\.isBare) { return append(contentsOf: bytes) }
        append(.quote)
        for scalar in value.unicodeScalars {
            if scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) {
                append(contentsOf: "\u{FFFD}".utf8)
            } else {
                if scalar == "\"" || scalar == "\\" { append(.backslash) }
                append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            }
        }
        append(.quote)
    }
}
