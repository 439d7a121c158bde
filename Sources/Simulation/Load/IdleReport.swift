// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials

/// What a daemon's memory grows by for each connection that is signed in and does nothing: the slope between two counts, so that what
/// the daemon needs in any case does not show.
package struct IdleReport: Encodable, Sendable {
    package let fewConnections: Int
    package let manyConnections: Int
    package let fewBytes: Int64
    package let manyBytes: Int64
    package let bytesPerConnection: Int64
    /// What could not be had, a line each.
    package let notes: [String]

    package init(few: (connections: Int, bytes: Int64), many: (connections: Int, bytes: Int64), notes: [String] = []) {
        self.notes = notes
        fewConnections = few.connections
        fewBytes = few.bytes
        manyConnections = many.connections
        manyBytes = many.bytes
        bytesPerConnection = (many.bytes - few.bytes) / Int64(max(1, many.connections - few.connections))
    }

    package var lines: [String] {
        func row(_ connections: Int, _ bytes: Int64) -> String {
            "\(Terminal.grouped(connections)) idle connections: \(Terminal.grouped(Int(bytes / 1_024))) KiB resident"
        }
        return notes + [
            row(fewConnections, fewBytes), row(manyConnections, manyBytes),
            "\(Terminal.grouped(Int(bytesPerConnection))) bytes for each one more",
        ]
    }

    package func jsonText() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}
