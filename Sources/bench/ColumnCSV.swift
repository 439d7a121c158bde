// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import Dispatcher
internal import Glibc

/// Writes the columns of batches as plain numbers; a missing value is an empty field.
struct ColumnCSV {
    private let file: UnsafeMutablePointer<FILE>
    private let fields: [AccountField]
    private let path: String
    private var bytes: [UInt8] = []

    init(path: String, fields: [AccountField]) throws {
        guard let file = fopen(path, "w") else {
            throw CommandFailure(.environment, "cannot write \(path)", remedy: "Check that its folder is there.")
        }
        self.file = file
        self.fields = fields
        self.path = path
        bytes.append(contentsOf: fields.map(\.name).joined(separator: ",").utf8)
        bytes.append(10)
    }

    mutating func write(_ batch: ColumnBatch) throws {
        for index in 0..<batch.count {
            for (number, field) in fields.enumerated() {
                if number > 0 { bytes.append(44) }
                let value = batch.raw(field, index)
                if value != AccountRow.missing { append(value) }
            }
            bytes.append(10)
        }
        try flush()
    }

    mutating func close() throws {
        try flush()
        guard fclose(file) == 0 else { throw failure() }
    }

    private mutating func append(_ value: Int64) {
        guard value > 9 || value < 0 else { return bytes.append(48 + UInt8(value)) }
        bytes.append(contentsOf: String(value).utf8)
    }

    private mutating func flush() throws {
        guard fwrite(bytes, 1, bytes.count, file) == bytes.count else { throw failure() }
        bytes.removeAll(keepingCapacity: true)
    }

    private func failure() -> CommandFailure {
        CommandFailure(.environment, "cannot write \(path)", remedy: "Check the free space.")
    }
}
