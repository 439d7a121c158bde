// SPDX-License-Identifier: Apache-2.0

import Dispatcher
import Testing

struct CsvReaderTests {
    /// How many bytes arrive at a time: one, few, and all at once.
    static let chunks = [1, 2, 3, 7, 4096]

    @Test(arguments: chunks) func `fields are what stands between commas`(chunk: Int) {
        let steps = Steps.of("a,b,c\n1,,3\n", chunk: chunk)

        #expect(steps == [.row(1, ["a", "b", "c"]), .row(2, ["1", "", "3"]), .end])
    }

    @Test(arguments: chunks) func `rows end in CRLF as well as in LF`(chunk: Int) {
        let steps = Steps.of("a,b\r\n1,2\n3,4\r\n", chunk: chunk)

        #expect(steps == [.row(1, ["a", "b"]), .row(2, ["1", "2"]), .row(3, ["3", "4"]), .end])
    }

    @Test(arguments: chunks) func `the last row may lack its line break`(chunk: Int) {
        #expect(Steps.of("a,b\n1,2", chunk: chunk) == [.row(1, ["a", "b"]), .row(2, ["1", "2"]), .end])
    }

    @Test(arguments: chunks) func `a byte order mark is no part of the first name`(chunk: Int) {
        #expect(Steps.of("\u{FEFF}a,b\n", chunk: chunk) == [.row(1, ["a", "b"]), .end])
    }

    @Test(arguments: chunks) func `quotes keep commas, line breaks and doubled quotes`(chunk: Int) {
        let steps = Steps.of("\"a,b\",\"say \"\"ah\"\"\",\"two\r\nlines\"\n1,2,3\n", chunk: chunk)

        #expect(steps == [.row(1, ["a,b", "say \"ah\"", "two\r\nlines"]), .row(3, ["1", "2", "3"]), .end])
    }

    @Test(arguments: chunks) func `a quoted empty field is a field`(chunk: Int) {
        #expect(Steps.of("\"\"\n\"\",\"\"\n", chunk: chunk) == [.row(1, [""]), .row(2, ["", ""]), .end])
    }

    @Test(arguments: chunks) func `four quotes are one`(chunk: Int) {
        #expect(Steps.of("\"\"\"\",x\n", chunk: chunk) == [.row(1, ["\"", "x"]), .end])
    }

    @Test(arguments: chunks) func `empty lines are passed over and counted`(chunk: Int) {
        #expect(Steps.of("a,b\n\n\r\n1,2\n\n", chunk: chunk) == [.row(1, ["a", "b"]), .row(4, ["1", "2"]), .end])
    }

    @Test(arguments: chunks) func `a quote inside a plain field breaks only its row`(chunk: Int) {
        let steps = Steps.of("a,b\n1\",2\n3,4\n", chunk: chunk)

        #expect(
            steps == [
                .row(1, ["a", "b"]), .malformed(2, "a quote stands inside a field that is not quoted"),
                .row(3, ["3", "4"]), .end,
            ])
    }

    @Test(arguments: chunks) func `text behind a closing quote breaks only its row`(chunk: Int) {
        let steps = Steps.of("a,b\n\"1\"x,2\n3,4\n", chunk: chunk)

        #expect(
            steps == [
                .row(1, ["a", "b"]),
                .malformed(2, "text follows the closing quote of a field that was opened in line 2"),
                .row(3, ["3", "4"]), .end,
            ])
    }

    @Test(arguments: chunks) func `a lone carriage return breaks only its row`(chunk: Int) {
        let steps = Steps.of("a,b\n1\r,2\n3,4\n", chunk: chunk)

        #expect(
            steps == [
                .row(1, ["a", "b"]), .malformed(2, "a carriage return stands without its line feed"),
                .row(3, ["3", "4"]), .end,
            ])
    }

    @Test(arguments: chunks) func `a quote that is never closed cuts the file off where it was opened`(chunk: Int) {
        let steps = Steps.of("a,b\n1,2\n3,\"4\n5,6\n", chunk: chunk)

        #expect(
            steps == [
                .row(1, ["a", "b"]), .row(2, ["1", "2"]),
                .cutOff(3, "a quoted field begins here and is never closed"), .end,
            ])
    }

    @Test(arguments: chunks) func `a closing quote ends the file`(chunk: Int) {
        #expect(Steps.of("a,\"b\"", chunk: chunk) == [.row(1, ["a", "b"]), .end])
    }

    @Test func `a row longer than the room for one cuts the file off`() {
        let long = String(repeating: "x", count: 80)

        #expect(Steps.of("a,b\n\(long)\n1,2\n", chunk: 16, rowBytesMax: 64).last == .end)
        #expect(
            Steps.of("a,b\n\(long)\n1,2\n", chunk: 16, rowBytesMax: 64)[1]
                == .tooLong(2, "the row is longer than 64 bytes"))
    }

    @Test func `a row that just fits the room is read`() {
        let long = String(repeating: "x", count: 63)

        #expect(Steps.of("a,b\n\(long)\n1,2\n", chunk: 16, rowBytesMax: 64)[1] == .row(2, [long]))
    }

    @Test func `nothing at all is an end`() {
        #expect(Steps.of("", chunk: 1) == [.end])
        #expect(Steps.of("\u{FEFF}", chunk: 1) == [.end])
    }

    @Test(arguments: 0..<200 as Range<UInt64>) func `rows that were written come back, however they arrive`(
        seed: UInt64
    ) {
        var random = Seeded(seed)
        let rows = random.rows()
        let text = rows.map { $0.map { random.written($0) }.joined(separator: ",") }.joined(separator: "\n") + "\n"

        let steps = Steps.of(text, chunk: Int(random.below(40)) + 1)

        #expect(steps.fields == rows)
    }
}

/// What a reader said about a text, step by step, without the hunger in between.
enum Steps: Equatable {
    case row(Int, [String])
    case malformed(Int, String)
    case cutOff(Int, String)
    case tooLong(Int, String)
    case end

    static func of(_ text: String, chunk: Int, rowBytesMax: Int = CsvReader.rowBytesMax) -> [Steps] {
        var reader = CsvReader(rowBytesMax: rowBytesMax)
        var rest = Array(text.utf8)[...]
        var steps: [Steps] = []
        while true {
            switch reader.next() {
            case .hungry:
                reader.fill { room in
                    let part = rest.prefix(min(chunk, room.count))
                    room.copyBytes(from: part)
                    rest = rest.dropFirst(part.count)
                    return part.count
                }
            case .row: steps.append(.row(reader.line, (0..<reader.fieldCount).map { reader.text($0) }))
            case .malformed(let line, let reason): steps.append(.malformed(line, reason))
            case .cutOff(let line, let reason): steps.append(.cutOff(line, reason))
            case .tooLong(let line, let reason): steps.append(.tooLong(line, reason))
            case .end: return steps + [.end]
            }
        }
    }
}

extension [Steps] {
    var fields: [[String]] {
        compactMap { if case .row(_, let fields) = $0 { fields } else { nil } }
    }
}

/// Rows out of a seed: few characters, and those that matter often.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
    mutating func below(_ bound: UInt64) -> UInt64 { next() % bound }

    mutating func rows() -> [[String]] {
        (0..<Int(below(8)) + 1).map { _ in (0..<Int(below(4)) + 2).map { _ in field() } }
    }
    private mutating func field() -> String {
        let alphabet: [Character] = ["a", "ñ", ",", "\"", "\n", "\r\n", "7", " "]
        return String((0..<Int(below(5))).map { _ in alphabet[Int(below(UInt64(alphabet.count)))] })
    }
    mutating func written(_ field: String) -> String {
        let mustQuote = field.unicodeScalars.contains { ",\"\r\n".unicodeScalars.contains($0) }
        guard mustQuote || below(2) == 0 else { return field }
        return "\"" + field.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }
}
