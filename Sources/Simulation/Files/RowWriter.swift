// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// Writes CSV rows by hand into one block of memory that never grows: fields need no String, and a file of any length
/// needs no more than the block.
package struct RowWriter {
    /// Longer than any row that the simulator writes: 51 fields of at most 32 bytes.
    private static let rowBytesMax = 4_096
    private static let blockBytes = 1 << 18
    /// `nil`: rows are made to be taken, not written.
    private let file: FileOutput?
    private var block: [UInt8]
    private var end = 0
    private var isRowStart = true
    private var rowStart = 0
    package private(set) var rows = 0

    /// - Parameter path: where the file comes to be with ``finish()``, or never.
    package init(path: String, header: [String]) throws(SimulationFailure) {
        self.file = try FileOutput(replacing: path)
        self.block = [UInt8](repeating: 0, count: Self.blockBytes)
        for name in header { field(text: name) }
        block[end] = 0x0A
        end += 1
        isRowStart = true
        rowStart = end
    }

    /// For rows that are taken with ``takeFields()``.
    init() {
        file = nil
        block = [UInt8](repeating: 0, count: Self.rowBytesMax)
    }

    package mutating func endRow() throws(SimulationFailure) {
        block[end] = 0x0A
        end += 1
        isRowStart = true
        rows += 1
        if end > Self.blockBytes - Self.rowBytesMax { try flush() }
        rowStart = end
    }

    /// The fields since the last row, without a line feed; they are not written.
    mutating func takeFields() -> [UInt8] {
        let bytes = Array(block[rowStart..<end])
        end = rowStart
        isRowStart = true
        return bytes
    }

    /// Bytes that are written as they are. At most as many as a row may have.
    mutating func write(raw bytes: [UInt8], isRow: Bool) throws(SimulationFailure) {
        for byte in bytes.prefix(Self.rowBytesMax) { put(byte) }
        if isRow { rows += 1 }
        if end > Self.blockBytes - Self.rowBytesMax { try flush() }
        rowStart = end
    }

    /// The file is whole and gets its name.
    package mutating func finish() throws(SimulationFailure) {
        try flush()
        try file?.finish()
    }

    private mutating func flush() throws(SimulationFailure) {
        try file?.write(block[..<end])
        end = 0
    }

    package mutating func empty() { separate() }

    package mutating func field(_ value: Int) {
        separate()
        digits(value)
    }

    package mutating func field(_ value: Bool) { field(plain: value ? "yes" : "no") }

    /// Pesos with two decimals.
    package mutating func field(cents: Int) {
        separate()
        digits(cents / 100)
        put(0x2E)
        twoDigits(cents % 100)
    }

    package mutating func field(date: LocalDate?) {
        separate()
        guard let (year, month, day) = date?.parts else { return }
        twoDigits(year / 100)
        twoDigits(year % 100)
        put(0x2D)
        twoDigits(month)
        put(0x2D)
        twoDigits(day)
    }

    /// Digits with leading zeros up to `width`.
    package mutating func field(_ value: Int, width: Int) {
        separate()
        padded(value, width: width)
    }

    /// A text that is known to need no quotes.
    package mutating func field(plain text: StaticString) {
        separate()
        text.withUTF8Buffer { bytes in
            for byte in bytes { put(byte) }
        }
    }

    /// Any text; quoted where RFC 4180 asks for it.
    package mutating func field(text: String) {
        separate()
        let needsQuotes = text.utf8.contains { $0 == 0x2C || $0 == 0x22 || $0 == 0x0A || $0 == 0x0D }
        if needsQuotes { put(0x22) }
        for byte in text.utf8 {
            if byte == 0x22 { put(0x22) }
            put(byte)
        }
        if needsQuotes { put(0x22) }
    }

    /// More digits in the field that was begun last.
    package mutating func append(_ value: Int, width: Int) { padded(value, width: width) }

    private mutating func separate() {
        if isRowStart { isRowStart = false } else { put(0x2C) }
    }

    private mutating func put(_ byte: UInt8) {
        block[end] = byte
        end += 1
    }

    private mutating func twoDigits(_ value: Int) {
        put(0x30 + UInt8(truncatingIfNeeded: value / 10))
        put(0x30 + UInt8(truncatingIfNeeded: value % 10))
    }

    private mutating func padded(_ value: Int, width: Int) {
        var left = value
        for index in stride(from: end + width - 1, through: end, by: -1) {
            block[index] = 0x30 + UInt8(truncatingIfNeeded: left % 10)
            left /= 10
        }
        end += width
    }

    private mutating func digits(_ value: Int) {
        if value < 0 { put(0x2D) }
        var width = 1
        var bound = 10
        let magnitude = abs(value)
        while magnitude >= bound, width < 18 {
            width += 1
            bound *= 10
        }
        padded(magnitude, width: width)
    }
}
