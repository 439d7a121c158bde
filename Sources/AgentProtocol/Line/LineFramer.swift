// SPDX-License-Identifier: Apache-2.0

/// What breaks framing. Always the peer's mistake; the stream cannot be trusted any further, so the session ends.
package enum FramingError: String, Error, Equatable, Sendable, CaseIterable {
    case lineTooLong = "line-too-long"
    case controlCharacter = "control-character"
    case invalidUTF8 = "invalid-utf8"
}

/// Cuts a stream of bytes into lines.
///
/// A line ends with LF; one CR directly before it is not part of the line. What is kept between two calls is the
/// unfinished line, never more than the bound, and whatever the reader has not taken yet.
package struct LineFramer: Sendable {
    /// The greatest length of a line in bytes, its terminator not counted.
    package var lineMax: Int
    private var buffer: [UInt8] = []
    private var head = 0
    /// Of what lies behind `head`.
    private var scan = LineScan()

    package init(lineMax: Int) { self.lineMax = lineMax }

    /// Bytes that came in and have not been taken as lines.
    package var pendingBytes: Int { buffer.count - head }

    /// Takes what the peer sent. A piece that can only make the unfinished line too long is refused before it is kept.
    package mutating func append(_ bytes: [UInt8]) throws(FramingError) {
        if scan.searched == pendingBytes, pendingBytes > 0 {
            let end = bytes.firstIndex(of: UInt8.lineFeed) ?? bytes.count
            // The carriage return before the terminator is not counted, hence one more than the bound.
            guard pendingBytes + end <= lineMax + 1 else { throw .lineTooLong }
        }
        if head == buffer.count {
            buffer = bytes
        } else {
            buffer.removeSubrange(..<head)
            buffer.append(contentsOf: bytes)
        }
        head = 0
    }

    /// The next whole line, without its terminator; `nil` until one is complete. The line is checked: its length, its
    /// characters, its encoding.
    package mutating func nextLine() throws(FramingError) -> ArraySlice<UInt8>? {
        guard let length = try scan.next(in: buffer[head...], lineMax: lineMax) else {
            if pendingBytes == 0 { release() }
            return nil
        }
        let line = buffer[head..<(head + length.line)]
        head += length.total
        return line
    }

    private mutating func release() {
        // An idle connection keeps no buffer.
        buffer = []
        head = 0
    }
}

extension UInt8 {
    static let lineFeed: UInt8 = 0x0A
    static let carriageReturn: UInt8 = 0x0D
    static let space: UInt8 = 0x20
    static let quote: UInt8 = 0x22
    static let hyphen: UInt8 = 0x2D
    static let period: UInt8 = 0x2E
    static let equals: UInt8 = 0x3D
    static let backslash: UInt8 = 0x5C

    /// Printable ASCII.
    var isPlain: Bool { self >= 0x20 && self < 0x7F }
    var isDigit: Bool { (0x30...0x39).contains(self) }
    var isLowercaseLetter: Bool { (0x61...0x7A).contains(self) }
    var isLetter: Bool { isLowercaseLetter || (0x41...0x5A).contains(self) }
    /// Printable ASCII that a value may have without quotes.
    var isBare: Bool { self > .space && self < 0x7F && self != .quote && self != .equals && self != .backslash }
}
