// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// A receipt is that of the operation that it was given for: it names the record of just this grant, report, extension, return or
/// disclosure.
struct ReceiptChecks {
    let history: History

    func run(_ verdict: inout Verdict) {
        guard history.hasLedger else { return }
        let records = records(of: Set(history.operations.compactMap(\.receipt)))
        for operation in history.operations {
            guard let receipt = operation.receipt else {
                without(operation, &verdict)
                continue
            }
            // One that is in no block is told by the ledger.
            guard let record = records[receipt] else { continue }
            verdict.count(.ledger)
            guard !fits(operation, LogFields(record[...])) else { continue }
            add("a receipt is that of something else", operation, "its record: \(record.prefix(200))", &verdict)
        }
    }

    private func without(_ operation: ClientOperation, _ verdict: inout Verdict) {
        switch operation.reply {
        case .reported, .extended, .returned, .disclosed:
            verdict.count(.ledger)
            add("something was acknowledged without a receipt", operation, "its line has none", &verdict)
        case .granted, .compared, .refused, .repeated, .altered: return
        }
    }

    private func records(of receipts: Set<[UInt8]>) -> [[UInt8]: String] {
        var records: [[UInt8]: String] = [:]
        for block in history.blocks {
            for bytes in Merkle.records(block.records) {
                let leaf = Merkle.leaf(bytes)
                if receipts.contains(leaf) { records[leaf] = String(decoding: bytes, as: UTF8.self) }
            }
        }
        return records
    }

    private func fits(_ operation: ClientOperation, _ record: LogFields) -> Bool {
        let isItsAgency = record["agency"].map { $0 == operation.agency.description } ?? true
        switch operation.reply {
        case .granted(let told):
            return record.kind == "grant" && isItsAgency && record["id"].map(String.init) == "\(told.grant)"
        case .reported(let told):
            return record.kind == "outcome" && isItsAgency && record.held == told.held
                && record.number("number") == told.outcome && record.number("key") == operation.key
        case .extended(let told):
            return record.kind == "extension" && record.grant == told.grant
                && record.instant("term")?.description == told.term.description
        case .returned(let told):
            return record.kind == "ending" && record["kind"] == "return" && record.held == told.held
                && record["reason"].map(String.init) == told.reason
        case .disclosed(let held): return record.kind == "disclosure" && isItsAgency && record.held == held
        case .compared, .refused, .repeated, .altered: return true
        }
    }

    private func add(_ found: String, _ operation: ClientOperation, _ why: String, _ verdict: inout Verdict) {
        verdict.add(
            Finding(
                .ledger, history.delegation, found,
                events: ["\(operation.place) of \(operation.agency): \(ClientLog.line(operation).prefix(240))", why]))
    }
}
