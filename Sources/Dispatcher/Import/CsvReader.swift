// SPDX-License-Identifier: Apache-2.0

/// Cuts a file into rows and fields by RFC 4180, in a fixed amount of memory and however its bytes arrive.
///
/// Whoever owns it loops: ``fill(_:)`` when ``next()`` is hungry, and read ``field(_:)`` while the row is the
/// current one.
/// Rows end in CRLF or LF, the last one may lack it; a byte order mark at the start and empty lines are passed over.
/// Fields stay bytes: what they mean, and whether they are UTF-8, is for the column to say.
package struct CsvReader: Sendable {
    /// The longest row, and all that is held of the file: an unclosed quote is found after this much at the latest.
    package static let rowBytesMax = 256 * 1024
    /// Fields beyond these are counted, not kept.
    package static let columnsMax = 128

    package enum Step: Equatable, Sendable {
        /// A row is there: ``fieldCount`` fields that begin in line ``line``.
        case row
        /// A row that breaks the quoting rules; the reader goes on behind the end of its line.
        case malformed(line: Int, reason: String)
        /// More bytes are needed to say.
        case hungry
        /// The file ends inside a quoted field: what follows means nothing.
        case cutOff(line: Int, reason: String)
        /// A row has no end within reach: what follows cannot be told apart.
        case tooLong(line: Int, reason: String)
        case end
    }

    /// The line on which the current row begins, from 1; line breaks inside quotes count.
    package private(set) var line = 1
    package private(set) var fieldCount = 0
    /// Whether a line break stands behind the current row, malformed or not; only the last row of a file can lack it.
    package private(set) var isEndedByLineBreak = true

    private(set) var buffer: [UInt8]
    private var starts = [Int](repeating: 0, count: CsvReader.columnsMax)
    private var ends = [Int](repeating: 0, count: CsvReader.columnsMax)
    private var hasDoubledQuotes = [Bool](repeating: false, count: CsvReader.columnsMax)
    private var head = 0
    private var tail = 0
    private var nextLine = 1
    private var isComplete = false
    private var isAtStart = true

    package init(rowBytesMax: Int = CsvReader.rowBytesMax) {
        self.buffer = [UInt8](repeating: 0, count: max(rowBytesMax, 16))
    }

    /// Takes more of the file. `read` writes into the room it is given and returns how many bytes it wrote; 0 is
    /// the end.
    package mutating func fill(_ read: (UnsafeMutableRawBufferPointer) throws -> Int) rethrows {
        let kept = head..<tail
        let count = try buffer.withUnsafeMutableBytes { bytes in
            if kept.lowerBound > 0 {
                bytes.copyBytes(from: UnsafeRawBufferPointer(rebasing: bytes[kept]))
            }
            return try read(UnsafeMutableRawBufferPointer(rebasing: bytes[kept.count...]))
        }
        head = 0
        tail = kept.count + count
        if count == 0 { isComplete = true }
    }

    /// The next row, or what is in its way. The fields of the row before are gone.
    package mutating func next() -> Step {
        if isAtStart, let step = skipByteOrderMark() { return step }
        while true {
            line = nextLine
            if head == tail, isComplete { return .end }
            switch scan() {
            case .row(let end, let lineBreaks, let isEnded):
                head = end
                nextLine += lineBreaks
                isEndedByLineBreak = isEnded
                if fieldCount == 1, starts[0] == ends[0], !hasDoubledQuotes[0] { continue }
                for index in 0..<min(fieldCount, Self.columnsMax) where hasDoubledQuotes[index] {
                    joinDoubledQuotes(index)
                }
                return .row
            case .broken(let end, let lineBreaks, let isEnded, let reason):
                head = end
                nextLine += lineBreaks
                isEndedByLineBreak = isEnded
                return .malformed(line: line, reason: reason)
            case .unfinished(let openQuoteLine):
                guard isComplete || tail - head == buffer.count else { return .hungry }
                head = tail
                isComplete = true
                guard let openQuoteLine else {
                    return .tooLong(line: line, reason: "the row is longer than \(buffer.count) bytes")
                }
                return .cutOff(line: openQuoteLine, reason: "a quoted field begins here and is never closed")
            }
        }
    }

    /// The bytes of field `index` of the current row, quotes taken off.
    package func field(_ index: Int) -> Range<Int> { starts[index]..<ends[index] }

    package func text(_ index: Int) -> String { String(decoding: buffer[field(index)], as: UTF8.self) }

    // MARK: Scanning

    private enum Scan {
        case row(end: Int, lineBreaks: Int, isEnded: Bool)
        case broken(end: Int, lineBreaks: Int, isEnded: Bool, reason: String)
        case unfinished(openQuoteLine: Int?)
    }

    private enum FieldEnd {
        case comma(Int)
        case lineBreak(Int)
        case file
        case broken(Int, String)
        case hungry
    }

    /// One pass over the row that begins at `head`. It begins again from there when the row is not all there yet.
    private mutating func scan() -> Scan {
        var index = head
        var lineBreaks = 0
        fieldCount = 0
        while true {
            let end: FieldEnd
            if index < tail, buffer[index] == quote {
                let quoteLine = line + lineBreaks
                guard let closing = closingQuote(after: index + 1, &lineBreaks) else {
                    return .unfinished(openQuoteLine: quoteLine)
                }
                keep(index + 1, closing.index, hasDoubledQuotes: closing.hasDoubled, isQuoted: true)
                end = fieldEnd(at: closing.index + 1, quoteLine: quoteLine)
            } else {
                let stop = unquotedEnd(from: index)
                keep(index, stop, hasDoubledQuotes: false, isQuoted: false)
                end = fieldEnd(at: stop, quoteLine: nil)
            }
            switch end {
            case .comma(let next): index = next
            case .lineBreak(let next): return .row(end: next, lineBreaks: lineBreaks + 1, isEnded: true)
            case .file: return .row(end: tail, lineBreaks: lineBreaks, isEnded: false)
            case .hungry: return .unfinished(openQuoteLine: nil)
            case .broken(let at, let reason):
                return rest(from: at, lineBreaks, reason)
            }
        }
    }

    private mutating func keep(_ start: Int, _ end: Int, hasDoubledQuotes doubled: Bool, isQuoted: Bool) {
        if fieldCount < Self.columnsMax {
            starts[fieldCount] = start
            ends[fieldCount] = end
            // A quoted empty field is a row of its own, unlike an empty line.
            hasDoubledQuotes[fieldCount] = doubled || (isQuoted && start == end)
        }
        fieldCount += 1
    }

    private func unquotedEnd(from start: Int) -> Int {
        let bytes = buffer.span
        var index = start
        while index < tail {
            let byte = bytes[index]
            // All four stops are at or below the comma, and most data above it.
            if byte <= comma, byte == comma || byte == lineFeed || byte == carriageReturn || byte == quote { break }
            index += 1
        }
        return index
    }

    private func closingQuote(after start: Int, _ lineBreaks: inout Int) -> (index: Int, hasDoubled: Bool)? {
        let bytes = buffer.span
        var index = start
        var hasDoubled = false
        while index < tail {
            let byte = bytes[index]
            if byte == quote {
                if index + 1 == tail { return isComplete ? (index, hasDoubled) : nil }
                guard bytes[index + 1] == quote else { return (index, hasDoubled) }
                hasDoubled = true
                index += 1
            } else if byte == lineFeed {
                lineBreaks += 1
            }
            index += 1
        }
        return nil
    }

    private func fieldEnd(at index: Int, quoteLine: Int?) -> FieldEnd {
        guard index < tail else { return isComplete ? .file : .hungry }
        switch buffer[index] {
        case comma: return .comma(index + 1)
        case lineFeed: return .lineBreak(index + 1)
        case carriageReturn:
            guard index + 1 < tail else {
                return isComplete ? .broken(index, "a carriage return ends the file without a line feed") : .hungry
            }
            if buffer[index + 1] == lineFeed { return .lineBreak(index + 2) }
            return .broken(index + 1, "a carriage return stands without its line feed")
        default:
            guard let quoteLine else { return .broken(index + 1, "a quote stands inside a field that is not quoted") }
            return .broken(index, "text follows the closing quote of a field that was opened in line \(quoteLine)")
        }
    }

    /// Passes over the rest of a broken row: up to the end of the line, as quotes mean nothing in it any more.
    private func rest(from start: Int, _ lineBreaks: Int, _ reason: String) -> Scan {
        var index = start
        while index < tail {
            if buffer[index] == lineFeed {
                return .broken(end: index + 1, lineBreaks: lineBreaks + 1, isEnded: true, reason: reason)
            }
            index += 1
        }
        guard isComplete else { return .unfinished(openQuoteLine: nil) }
        return .broken(end: tail, lineBreaks: lineBreaks, isEnded: false, reason: reason)
    }

    private mutating func joinDoubledQuotes(_ field: Int) {
        var target = starts[field]
        var index = target
        while index < ends[field] {
            buffer[target] = buffer[index]
            index += buffer[index] == quote ? 2 : 1
            target += 1
        }
        ends[field] = target
    }

    private mutating func skipByteOrderMark() -> Step? {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        guard tail - head >= mark.count || isComplete else { return .hungry }
        if buffer[head..<tail].starts(with: mark) { head += mark.count }
        isAtStart = false
        return nil
    }
}

private let quote: UInt8 = 0x22
private let comma: UInt8 = 0x2C
private let lineFeed: UInt8 = 0x0A
private let carriageReturn: UInt8 = 0x0D
