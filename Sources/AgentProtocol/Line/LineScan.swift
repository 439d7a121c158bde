// SPDX-License-Identifier: Apache-2.0

/// Finds where lines end, over whatever buffer they lie in, and remembers how far it has looked.
struct LineScan: Sendable {
    /// So many bytes of the unfinished line have no terminator; a long line that arrives in small pieces is searched once, not
    /// once per piece.
    private(set) var searched = 0
    /// Whether all of them are printable ASCII.
    private var isPlain = true

    /// Looks on for the end of the line that `bytes` begin with.
    ///
    /// - Parameters:
    ///   - bytes: what has come and is not taken, from the first byte of the unfinished line on.
    ///   - lineMax: the greatest length of a line in bytes, its terminator not counted.
    /// - Returns: how many bytes the line has, and how many with its terminator; `nil` until one is complete.
    /// - Throws: ``FramingError`` for a line that is too long, ended or not, or whose characters or encoding are wrong.
    mutating func next<Bytes: RandomAccessCollection<UInt8>>(
        in bytes: Bytes, lineMax: Int
    ) throws(FramingError) -> (line: Int, total: Int)? where Bytes.Index == Int {
        // One pass finds the end and whether all is plain; only what is not is looked at more closely.
        let (start, end) = (bytes.startIndex, bytes.endIndex)
        var index = start + searched
        while index < end, bytes[index] != UInt8.lineFeed {
            if !bytes[index].isPlain { isPlain = false }
            index += 1
        }
        searched = index - start
        guard index < end else {
            // The carriage return before the terminator is not counted, hence one more than the bound.
            guard searched <= lineMax + 1 else { throw .lineTooLong }
            if searched == lineMax + 1, bytes.last != UInt8.carriageReturn { throw .lineTooLong }
            return nil
        }
        let total = searched + 1
        var length = searched
        if length > 0, bytes[index - 1] == UInt8.carriageReturn { length -= 1 }
        guard length <= lineMax else { throw .lineTooLong }
        if !isPlain { try Self.check(bytes[start..<(start + length)]) }
        self = LineScan()
        return (length, total)
    }

    private static func check(_ line: some Collection<UInt8>) throws(FramingError) {
        if line.contains(where: { $0 < 0x20 || $0 == 0x7F }) { throw .controlCharacter }
        guard let text = String(validating: line, as: UTF8.self) else { throw .invalidUTF8 }
        // U+0080…U+009F are control characters in two bytes.
        guard !text.unicodeScalars.contains(where: { (0x80...0x9F).contains($0.value) }) else {
            throw .controlCharacter
        }
    }
}
