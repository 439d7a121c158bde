// SPDX-License-Identifier: Apache-2.0

import Assignment

/// A value with exactly one spelling on the wire.
protocol WireValue {
    /// What a refusal tells the client to send.
    static var expected: String { get }
    init?(wire bytes: ArraySlice<UInt8>)
    func write(to output: inout [UInt8])
}

extension Int64: WireValue {
    static var expected: String { "whole number below 2^63, no sign, no leading zero" }

    init?(wire bytes: ArraySlice<UInt8>) {
        guard let first = bytes.first, bytes.count <= 19, first != 0x30 || bytes.count == 1 else { return nil }
        var value: Int64 = 0
        for byte in bytes {
            guard byte.isDigit else { return nil }
            let (tens, overflowed) = value.multipliedReportingOverflow(by: 10)
            let (sum, carried) = tens.addingReportingOverflow(Int64(byte - 0x30))
            guard !overflowed, !carried else { return nil }
            value = sum
        }
        self = value
    }

    func write(to output: inout [UInt8]) {
        guard self >= 0 else { return output.append(contentsOf: String(self).utf8) }
        var rest = UInt64(self)
        let start = output.count
        repeat {
            output.append(0x30 + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        } while rest > 0
        output[start...].reverse()
    }
}

extension AccountID: WireValue {
    static var expected: String { "account, 1 to 9999999999" }
    init?(wire bytes: ArraySlice<UInt8>) {
        guard let value = Int64(wire: bytes) else { return nil }
        self.init(value)
    }
    func write(to output: inout [UInt8]) { value.write(to: &output) }
}

extension Epoch: WireValue {
    static var expected: String { "epoch as leased" }
    init?(wire bytes: ArraySlice<UInt8>) {
        guard let value = Int64(wire: bytes) else { return nil }
        self.init(value)
    }
    func write(to output: inout [UInt8]) { value.write(to: &output) }
}

extension Delegation: WireValue {
    static var expected: String { "delegation, 1 to 32" }
    init?(wire bytes: ArraySlice<UInt8>) {
        guard let value = Int64(wire: bytes), let narrow = Int16(exactly: value) else { return nil }
        self.init(narrow)
    }
    func write(to output: inout [UInt8]) { Int64(value).write(to: &output) }
}

extension ContractID: WireValue {
    static var expected: String { "contract, 1 to 99999" }
    init?(wire bytes: ArraySlice<UInt8>) {
        guard let value = Int64(wire: bytes), let narrow = Int32(exactly: value) else { return nil }
        self.init(narrow)
    }
    func write(to output: inout [UInt8]) { Int64(value).write(to: &output) }
}

extension GrantID: WireValue {
    static var expected: String { "grant, the number as leased" }
    init?(wire bytes: ArraySlice<UInt8>) {
        // To a client it is a number like another: one that never was a grant is unknown, and not misspelt.
        guard let value = Int64(wire: bytes) else { return nil }
        self.init(hand: Int32(value >> 32), first: Int32(truncatingIfNeeded: value))
    }
    func write(to output: inout [UInt8]) { number.write(to: &output) }
}

extension AgencyID: WireValue {
    static var expected: String { "agency, as ACE07" }
    init?(wire bytes: ArraySlice<UInt8>) { self.init(text: String(decoding: bytes, as: UTF8.self)) }
    func write(to output: inout [UInt8]) { output.append(contentsOf: description.utf8) }
}

extension Cents: WireValue {
    static var expected: String { "pesos with two decimals, as 4310.22, up to 9999999999999.99" }

    init?(wire bytes: ArraySlice<UInt8>) {
        // At most 15 digits in all: far above any balance, far below the range of the arithmetic.
        guard (4...16).contains(bytes.count) else { return nil }
        let point = bytes.endIndex - 3
        guard bytes[point] == .period, let pesos = Int64(wire: bytes[bytes.startIndex..<point]),
            bytes[point + 1].isDigit,
            bytes[point + 2].isDigit
        else { return nil }
        self.init(pesos * 100 + Int64(bytes[point + 1] - 0x30) * 10 + Int64(bytes[point + 2] - 0x30))
    }
    func write(to output: inout [UInt8]) {
        guard value >= 0 else { return output.append(contentsOf: description.utf8) }
        (value / 100).write(to: &output)
        output.append(.period)
        output.append(0x30 + UInt8(value / 10 % 10))
        output.append(0x30 + UInt8(value % 10))
    }
}

extension LocalDate: WireValue {
    static var expected: String { "day, as 2024-03-11, from 1900 to 2199" }
    init?(wire bytes: ArraySlice<UInt8>) { self.init(utf8: bytes) }
    func write(to output: inout [UInt8]) {
        let (year, month, day) = parts
        output.append(digits: year, count: 4)
        output.append(.hyphen)
        output.append(digits: month, count: 2)
        output.append(.hyphen)
        output.append(digits: day, count: 2)
    }
}

extension Timestamp: WireValue {
    static var expected: String {
        "instant, as 2024-03-04T15:42:10-06:00, from 1900 to 2199, its offset up to 14:59, six decimals at most"
    }
    init?(wire bytes: ArraySlice<UInt8>) { self.init(utf8: bytes) }

    /// In UTC, exact: three decimals of a second, or six where three would not do.
    func write(to output: inout [UInt8]) {
        let (date, second) = local(offsetSeconds: 0)
        let fraction = Int(microseconds - Timestamp(date: date, secondsOfDay: second).microseconds)
        date.write(to: &output)
        output.append(0x54)
        output.append(digits: second / 3_600, count: 2)
        output.append(0x3A)
        output.append(digits: second / 60 % 60, count: 2)
        output.append(0x3A)
        output.append(digits: second % 60, count: 2)
        output.append(.period)
        if fraction % 1_000 == 0 {
            output.append(digits: fraction / 1_000, count: 3)
        } else {
            output.append(digits: fraction, count: 6)
        }
        output.append(0x5A)
    }
}

extension [UInt8] {
    /// The last `count` decimal digits of a number, with leading zeros.
    fileprivate mutating func append(digits number: Int, count: Int) {
        let start = self.count
        var rest = number
        for _ in 0..<count {
            append(0x30 + UInt8(rest % 10))
            rest /= 10
        }
        self[start...].reverse()
    }
}
