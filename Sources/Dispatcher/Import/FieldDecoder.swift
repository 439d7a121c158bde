// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// Reads the fields of one column out of a row's bytes: to a number, without making a string of it, or to a checked
/// text.
///
/// Numbers: whole ones as they are, money in centavos, percents in basis points, days since 1970-01-01, 0 and 1 for no
/// and yes, places in the list for words that are stored as codes.
///
/// A class, because one is asked per field: a copy of a structure with words in it costs more than reading the field.
final class FieldDecoder: Sendable {
    /// Why a field was refused; the text is made only then.
    struct Refusal: Error { let reason: String }

    private enum Shape: Sendable {
        case integer, decimal, yesNo, date, municipality, agency, code, word, words, text
    }

    let isOptional: Bool
    let isText: Bool
    private let type: ColumnType
    private let shape: Shape
    private let lowest: Int64
    private let highest: Int64
    private let words: [PackedWord]

    /// - Parameter latestDay: the last day on which something can have happened.
    init(_ column: ColumnFormat, latestDay: LocalDate) {
        type = column.type
        isOptional = column.isOptional
        isText = column.type.storage == .text
        words = column.type.words.map { PackedWord(Array($0.utf8)) }
        let range: ClosedRange<Int64>
        switch column.type {
        case .account: (shape, range) = (.integer, AccountID.range)
        case .delegation: (shape, range) = (.integer, Delegation.range.widened)
        case .zone: (shape, range) = (.integer, Zone.range.widened)
        case .contract: (shape, range) = (.integer, ContractID.range.widened)
        case .integer(let bounds, _, _): (shape, range) = (.integer, bounds)
        case .money(let bounds), .percent(let bounds): (shape, range) = (.decimal, bounds)
        case .municipality: (shape, range) = (.municipality, 0...0)
        case .agency: (shape, range) = (.agency, AgencyID.range.widened)
        case .yesNo: (shape, range) = (.yesNo, 0...1)
        case .date: (shape, range) = (.date, Int64.min...Int64.max)
        case .pastDate: (shape, range) = (.date, Int64.min...Int64(latestDay.daysSince1970))
        case .code: (shape, range) = (.code, 0...0)
        case .word: (shape, range) = (.word, 0...0)
        case .words: (shape, range) = (.words, 0...0)
        case .text(_, let max): (shape, range) = (.text, 1...Int64(max))
        }
        lowest = range.lowerBound
        highest = range.upperBound
    }

    /// The value of `field`, which is not empty. Texts come back as 0 once they are checked: the row has their bytes.
    func number(_ field: Range<Int>, in bytes: Span<UInt8>) throws(Refusal) -> Int64 {
        switch shape {
        case .integer: try bounded(integer(field, bytes))
        case .decimal: try bounded(decimal(field, bytes))
        case .yesNo: try yesNo(field, bytes)
        case .date: try day(field, bytes)
        case .municipality: try municipality(field, bytes)
        case .agency: try agency(field, bytes)
        case .code: try place(field, bytes)
        case .word: try place(field, bytes) * 0
        case .words: try list(field, bytes)
        case .text: try text(field, bytes)
        }
    }

    // MARK: Numbers

    private func integer(_ field: Range<Int>, _ bytes: Span<UInt8>) throws(Refusal) -> Int64 {
        let isNegative = bytes[field.lowerBound] == 0x2D
        let first = isNegative ? field.lowerBound + 1 : field.lowerBound
        guard first < field.upperBound, field.upperBound - first <= 18,
            bytes[first] != 0x30 || field.upperBound - first == 1
        else { throw notANumber(field, bytes) }
        var value: Int64 = 0
        for index in first..<field.upperBound {
            guard let digit = bytes[index].digit else { throw notANumber(field, bytes) }
            value = value * 10 + digit
        }
        return isNegative ? -value : value
    }

    private func decimal(_ field: Range<Int>, _ bytes: Span<UInt8>) throws(Refusal) -> Int64 {
        let isNegative = bytes[field.lowerBound] == 0x2D
        let first = isNegative ? field.lowerBound + 1 : field.lowerBound
        guard field.upperBound - first <= 17 else { throw notADecimal() }
        var value: Int64 = 0
        var decimals: Int?
        for index in first..<field.upperBound {
            if bytes[index] == 0x2E, decimals == nil, index > first {
                decimals = 0
                continue
            }
            guard let digit = bytes[index].digit, (decimals ?? 0) < 2 else { throw notADecimal() }
            value = value * 10 + digit
            decimals = decimals.map { $0 + 1 }
        }
        guard first < field.upperBound, decimals != 0 else { throw notADecimal() }
        value *= decimals == 2 ? 1 : decimals == 1 ? 10 : 100
        return isNegative ? -value : value
    }

    private func bounded(_ value: Int64) throws(Refusal) -> Int64 {
        guard value >= lowest, value <= highest else {
            switch type {
            case .delegation: throw Refusal(reason: "no such delegation; they are numbered \(type.range)")
            case .zone: throw Refusal(reason: "no such zone; they are numbered \(type.range)")
            case .money where value < 0 && lowest >= 0: throw Refusal(reason: "is negative; it must be \(type.range)")
            default: throw Refusal(reason: "is out of range; it must be \(type.range)")
            }
        }
        return value
    }

    private func notANumber(_ field: Range<Int>, _ bytes: Span<UInt8>) -> Refusal {
        if bytes[field.lowerBound] == 0x30, field.count > 1 {
            return Refusal(reason: "is not a whole number in plain digits, without leading zeros")
        }
        return Refusal(reason: "is not a whole number in plain digits")
    }

    private func notADecimal() -> Refusal {
        let what = if case .percent = type { "a percent" } else { "an amount in pesos" }
        return Refusal(reason: "is not \(what) with a point and two decimals at most, without separators")
    }

    // MARK: Days, places, words

    private func yesNo(_ field: Range<Int>, _ bytes: Span<UInt8>) throws(Refusal) -> Int64 {
        let start = field.lowerBound
        if field.count == 2, bytes[start] == 0x6E, bytes[start + 1] == 0x6F { return 0 }
        if field.count == 3, bytes[start] == 0x79, bytes[start + 1] == 0x65, bytes[start + 2] == 0x73 { return 1 }
        throw Refusal(reason: "is neither `yes` nor `no`")
    }

    private func day(_ field: Range<Int>, _ bytes: Span<UInt8>) throws(Refusal) -> Int64 {
        let start = field.lowerBound
        guard field.count == 10, bytes[start + 4] == 0x2D, bytes[start + 7] == 0x2D,
            let year = digits(start, 4, bytes), let month = digits(start + 5, 2, bytes),
            let day = digits(start + 8, 2, bytes), let date = LocalDate(year: year, month: month, day: day)
        else { throw Refusal(reason: "is not a day as 2024-03-31") }
        guard Int64(date.daysSince1970) <= highest else {
            throw Refusal(reason: "lies in the future; the latest day is \(LocalDate(daysSince1970: Int32(highest)))")
        }
        return Int64(date.daysSince1970)
    }

    private func municipality(_ field: Range<Int>, _ bytes: Span<UInt8>) throws(Refusal) -> Int64 {
        guard field.count == 5, let value = digits(field.lowerBound, 5, bytes), Municipality(Int32(value)) != nil
        else { throw Refusal(reason: "is no municipality key; it must be \(type.range)") }
        return Int64(value)
    }

    private func agency(_ field: Range<Int>, _ bytes: Span<UInt8>) throws(Refusal) -> Int64 {
        guard field.count <= 8, let agency = AgencyID(text: bytes.text(field)) else {
            throw Refusal(reason: "is no agency; they are written \(type.range)")
        }
        return Int64(agency.value)
    }

    private func digits(_ start: Int, _ count: Int, _ bytes: Span<UInt8>) -> Int? {
        var value: Int64 = 0
        for index in start..<start + count {
            guard let digit = bytes[index].digit else { return nil }
            value = value * 10 + digit
        }
        return Int(value)
    }

    private func place(_ field: Range<Int>, _ bytes: Span<UInt8>) throws(Refusal) -> Int64 {
        let word = PackedWord(field, bytes)
        guard let index = words.firstIndex(of: word) else {
            let nearest = nearestName(to: bytes.text(field), among: type.words)
            let hint = nearest.map { "; did you mean `\($0)`?" } ?? ""
            throw Refusal(reason: "is none of \(type.range)\(hint)")
        }
        return Int64(index + 1)
    }

    // MARK: Texts

    private func list(_ field: Range<Int>, _ bytes: Span<UInt8>) throws(Refusal) -> Int64 {
        guard field.count <= 400 else { throw Refusal(reason: "is longer than 400 characters") }
        let names = bytes.text(field).split(separator: ";", omittingEmptySubsequences: false)
        for (index, name) in names.enumerated() {
            guard !names[..<index].contains(name) else { throw Refusal(reason: "names `\(name.prefix(40))` twice") }
            guard !name.isEmpty else { throw Refusal(reason: "must be \(type.range)") }
            guard type.words.contains(where: { $0 == name }) else {
                let known = type.words.map { "`\($0)`" }.joined(separator: ", ")
                let hint = nearestName(to: String(name), among: type.words).map { "; did you mean `\($0)`?" } ?? ""
                throw Refusal(reason: "names `\(name.prefix(40))`, which is none of \(known)\(hint)")
            }
        }
        return 0
    }

    private func text(_ field: Range<Int>, _ bytes: Span<UInt8>) throws(Refusal) -> Int64 {
        guard case .text(let textShape, _) = type else { return 0 }
        var isAscii = true
        for index in field where bytes[index] >= 0x80 || bytes[index] < 0x20 || bytes[index] == 0x7F {
            if bytes[index] >= 0x80 {
                isAscii = false
            } else {
                throw Refusal(reason: "has a control character or line break")
            }
        }
        let count: Int
        if isAscii {
            count = field.count
        } else {
            guard let text = bytes.validText(field) else { throw Refusal(reason: "is not valid UTF-8") }
            count = text.unicodeScalars.count
        }
        guard count <= highest else { throw Refusal(reason: "is longer than \(highest) characters") }
        switch textShape {
        case .line: break
        case .identifier:
            for index in field where !bytes[index].isIdentifierByte { throw Refusal(reason: "must be \(type.range)") }
        case .value:
            let text = bytes.text(field)
            guard Int64(decimal: text, places: 4) != nil || text.utf8.allSatisfy(\.isNameByte) else {
                throw Refusal(reason: "must be \(type.range)")
            }
        case .key:
            guard Base64.bytes(bytes.text(field))?.count == 32 else {
                throw Refusal(reason: "is not the Base64 of a public key's 32 bytes")
            }
        }
        return 0
    }
}

/// A word of at most 16 bytes as one number, so that it is compared in one step.
private struct PackedWord: Equatable, Sendable {
    private var value: UInt128 = 0
    private var count: Int

    init(_ word: [UInt8]) { self.init(0..<word.count, word.span) }

    init(_ field: Range<Int>, _ bytes: Span<UInt8>) {
        count = field.count
        guard count <= 16 else { return }
        for index in field { value = value << 8 | UInt128(bytes[index]) }
    }
}

extension ColumnType {
    /// The words of a list, in their order.
    var words: [String] {
        switch self {
        case .code(let words), .word(let words), .words(let words): words
        case .account, .delegation, .zone, .municipality, .agency, .contract, .integer, .money, .percent, .yesNo, .date,
            .pastDate, .text:
            []
        }
    }
}

extension ClosedRange where Bound: FixedWidthInteger {
    fileprivate var widened: ClosedRange<Int64> { Int64(lowerBound)...Int64(upperBound) }
}

extension UInt8 {
    fileprivate var digit: Int64? { (0x30...0x39).contains(self) ? Int64(self - 0x30) : nil }
    fileprivate var isNameByte: Bool { isLetterOrDigit || self == 0x2D }
    fileprivate var isIdentifierByte: Bool {
        isLetterOrDigit || self == 0x2D || self == 0x5F || self == 0x2E || self == 0x2F || self == 0x3A
    }
    private var isLetterOrDigit: Bool {
        (0x30...0x39).contains(self) || (0x41...0x5A).contains(self) || (0x61...0x7A).contains(self)
    }
}

extension Span<UInt8> {
    /// The field's text; bytes that are not UTF-8 come out as replacement characters.
    func text(_ field: Range<Int>) -> String {
        withUnsafeBufferPointer { String(decoding: UnsafeBufferPointer(rebasing: $0[field]), as: UTF8.self) }
    }

    func validText(_ field: Range<Int>) -> String? {
        withUnsafeBufferPointer { String(validating: UnsafeBufferPointer(rebasing: $0[field]), as: UTF8.self) }
    }
}
