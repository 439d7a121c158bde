// SPDX-License-Identifier: Apache-2.0

/// The records of a delegation's blocks, unpacked once for all that look at them.
struct LedgerRecords {
    struct Record {
        /// The number and the month of its block.
        let block: Int64
        let period: Int32
        let bytes: ArraySlice<UInt8>

        var text: String { String(decoding: bytes, as: UTF8.self) }
        var fields: LogFields { LogFields(text[...]) }
        /// The receipt that was given for it.
        var leaf: [UInt8] { Merkle.leaf(bytes) }
    }

    /// By the numbers of their blocks, in each in its order.
    let all: [Record]
    private var places: [String: [Int]] = [:]

    /// What follows a record that is cut off is left out: ``LedgerChecks`` tells of it.
    init(_ history: History) {
        all = history.blocks.sorted { $0.id < $1.id }.flatMap { block in
            Merkle.records(block.records).map { Record(block: block.id, period: block.period, bytes: $0) }
        }
        for (place, record) in all.enumerated() {
            places[String(decoding: record.bytes.prefix { $0 != 0x20 }, as: UTF8.self), default: []].append(place)
        }
    }

    /// Those whose first word that is.
    func of(_ kind: String) -> some Sequence<Record> { (places[kind] ?? []).lazy.map { all[$0] } }
}
