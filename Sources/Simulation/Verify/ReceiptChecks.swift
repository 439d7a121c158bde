// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// A receipt is that of the operation that it was given for: it names the record of just this grant, report, extension, return or
/// disclosure.
struct ReceiptChecks {
    let history: History
    let records: LedgerRecords

    func run(_ verdict: inout Verdict) {
        guard history.hasLedger else { return }
        let named = named(by: Set(history.operations.compactMap(\.receipt)))
        for operation in history.operations {
            guard let receipt = operation.receipt else {
                without(operation, &verdict)
                continue
            }
            // One that is in no block is told by the ledger.
            guard let record = named[receipt]?.text else { continue }
            verdict.count(.ledger)
            guard !fits(operation, LogFields(record[...])) else { continue }
            add("a receipt is that of something else", operation, "its record: \(record.prefix(200))", &verdict)
        }
        disclosures(named, &verdict)
    }

    /// A question has no key by which a second line of one answer would show. Each answer is a record of its own: two of one instant are
    /// alike, and so are their receipts, but there are no more lines than records.
    private func disclosures(_ named: [[UInt8]: (text: String, count: Int)], _ verdict: inout Verdict) {
        var told: [[UInt8]: [ClientOperation]] = [:]
        for operation in history.operations {
            guard case .disclosed = operation.reply, let receipt = operation.receipt else { continue }
            told[receipt, default: []].append(operation)
        }
        for operations in told.values.sorted(by: { $0[0].place < $1[0].place }) {
            guard let receipt = operations[0].receipt, let record = named[receipt], operations.count > record.count
            else { continue }
            let repeated = operations[record.count]
            verdict.add(
                Finding(
                    .logs, history.delegation, Self.repetition,
                    events: [operations[0], repeated].map(\.line)
                        + ["its receipt is that of \(record.count) \(record.count == 1 ? "record" : "records")"]))
        }
    }

    /// What is said of a line that repeats another one.
    static let repetition = "an answer stands twice in its client's log"

    private func without(_ operation: ClientOperation, _ verdict: inout Verdict) {
        switch operation.reply {
        case .reported, .extended, .returned, .disclosed:
            verdict.count(.ledger)
            add("something was acknowledged without a receipt", operation, "its line has none", &verdict)
        case .granted, .compared, .refused, .repeated, .altered: return
        }
    }

    /// The record of each receipt, and how many are the same.
    private func named(by receipts: Set<[UInt8]>) -> [[UInt8]: (text: String, count: Int)] {
        var named: [[UInt8]: (text: String, count: Int)] = [:]
        for record in records.all {
            let leaf = record.leaf
            if receipts.contains(leaf) { named[leaf, default: (record.text, 0)].count += 1 }
        }
        return named
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
                events: [operation.line, why]))
    }
}
