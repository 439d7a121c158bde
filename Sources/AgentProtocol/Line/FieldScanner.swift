// SPDX-License-Identifier: Apache-2.0

/// Where the line stops following the grammar: the peer's mistake; the same line again will fail again.
package enum SyntaxError: String, Error, Equatable, Sendable, CaseIterable {
    case tag
    case verb
    case spacing
    case key
    case value
    case quotes

    /// What should stand there, in words.
    var expected: String {
        switch self {
        case .tag: "1 to 16 of A-Z a-z 0-9 . -"
        case .verb: "a verb in capitals"
        case .spacing: "one space between two parts, and none at the end"
        case .key: "key=value, the key 1 to 32 of a-z 0-9 -, a letter first"
        case .value: "printable ASCII without space, quote, equals sign and backslash; any other value stands in quotes"
        case .quotes:
            "a closing quote, and nothing behind it; a quote or backslash in the value has a backslash before it"
        }
    }
}

/// One `key=value` of a line, as places in it. The value is without its quotes, but with its escapes.
struct RawField: Equatable, Sendable {
    let key: Range<Int>
    let value: Range<Int>
    let isEscaped: Bool
}

/// Reads a line from left to right: words first, then fields. Holds places, copies nothing.
struct FieldScanner {
    let line: ArraySlice<UInt8>
    private var index: Int
    /// The key whose value is being read: what a mistake in it is told by.
    private(set) var openKey: Range<Int>?

    init(_ line: ArraySlice<UInt8>) {
        self.line = line
        self.index = line.startIndex
    }

    var isAtEnd: Bool { index == line.endIndex }
    /// What has not been read.
    var rest: ArraySlice<UInt8> { line[index...] }

    /// The bytes up to the next space, which is skipped; empty where there are none.
    mutating func word() throws(SyntaxError) -> ArraySlice<UInt8> {
        let word = wordAlone()
        try skipSpace()
        return word
    }

    /// The bytes up to the next space, which stays to be read: so a tag is known before what follows it is judged.
    mutating func wordAlone() -> ArraySlice<UInt8> {
        let end = line[index...].firstIndex(of: UInt8.space) ?? line.endIndex
        let word = line[index..<end]
        index = end
        return word
    }

    /// The next field; `nil` at the end of the line.
    mutating func field() throws(SyntaxError) -> RawField? {
        guard !isAtEnd else { return nil }
        openKey = nil
        let start = index
        guard line[start].isLowercaseLetter else { throw line[start] == .space ? .spacing : .key }
        while index < line.endIndex, line[index].isLowercaseLetter || line[index].isDigit || line[index] == .hyphen {
            index += 1
        }
        guard index < line.endIndex, line[index] == .equals, index - start <= 32 else { throw .key }
        let key = start..<index
        openKey = key
        index += 1
        guard index < line.endIndex else { throw .value }
        let field = line[index] == .quote ? try quoted(key) : try bare(key)
        openKey = nil
        try skipSpace()
        return field
    }

    private mutating func bare(_ key: Range<Int>) throws(SyntaxError) -> RawField {
        let start = index
        while index < line.endIndex, line[index].isBare { index += 1 }
        guard index > start, isAtEnd || line[index] == .space else { throw .value }
        return RawField(key: key, value: start..<index, isEscaped: false)
    }

    private mutating func quoted(_ key: Range<Int>) throws(SyntaxError) -> RawField {
        index += 1
        let start = index
        var isEscaped = false
        while index < line.endIndex, line[index] != .quote {
            if line[index] == .backslash {
                isEscaped = true
                index += 1
                guard index < line.endIndex, line[index] == .quote || line[index] == .backslash else { throw .quotes }
            }
            index += 1
        }
        guard index < line.endIndex else { throw .quotes }
        let value = start..<index
        index += 1
        guard isAtEnd || line[index] == .space else { throw .quotes }
        return RawField(key: key, value: value, isEscaped: isEscaped)
    }

    /// Exactly one space stands between two parts, and none at the end of the line.
    mutating func skipSpace() throws(SyntaxError) {
        guard !isAtEnd else { return }
        index += 1
        guard !isAtEnd else { throw .spacing }
    }
}

extension ArraySlice<UInt8> {
    /// The value of a field with its escapes taken out.
    func unescaped(_ field: RawField) -> ArraySlice<UInt8> {
        guard field.isEscaped else { return self[field.value] }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(field.value.count)
        var isLiteral = false
        for byte in self[field.value] {
            if byte == .backslash, !isLiteral {
                isLiteral = true
            } else {
                bytes.append(byte)
                isLiteral = false
            }
        }
        return bytes[...]
    }
}
