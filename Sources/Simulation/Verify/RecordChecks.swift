// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// What a row says of itself in the words of the ledger, to be compared with the record that was made of it.
package struct StoredRow: Hashable, Sendable {
    /// The record's kind: `grant`, `outcome`, `payment`, ….
    package var kind: String
    /// What tells it from others of its kind.
    package var name: String
    /// Fields that the record must have, word by word; `nil` where it must not have one.
    package var fields: [String: String?]

    package init(kind: String, name: String, fields: [String: String?]) {
        self.kind = kind
        self.name = name
        self.fields = fields
    }
}

/// Holds every row against its record in the ledger, and every record against a row: who changes the one without the other
/// is found, and who takes both away leaves the receipt behind.
struct RecordChecks {
    let history: History
    let leases: [Lease]
    let records: LedgerRecords

    private struct Name: Hashable {
        let kind: String
        let name: String
    }

    func run(_ verdict: inout Verdict) {
        guard history.hasLedger else { return }
        let recorded = recorded()
        let extended = recorded.filter { $0.key.kind == "extension" }
        var left = recorded
        for row in rows() {
            verdict.count(.records)
            let key = Name(kind: row.kind, name: row.name)
            guard let mine = left[key], !mine.isEmpty else {
                add("what is stored was never recorded", ["\(row.kind) \(row.name)\(row.text)"], &verdict)
                continue
            }
            guard let index = mine.firstIndex(where: { $0.fits(row) }) else {
                changed(row, mine[0], &verdict)
                left[key]?.removeFirst()
                continue
            }
            left[key]?.remove(at: index)
        }
        for key in left.keys.sorted(by: { ($0.kind, $0.name) < ($1.kind, $1.name) })
        where Self.compared.contains(key.kind) {
            for record in left[key] ?? [] {
                add("what was recorded is not stored", [String(record.text.prefix(240))], &verdict)
            }
        }
        limits(recorded, &verdict)
        terms(extended, &verdict)
    }

    /// Kinds of which every record must have its row.
    private static let compared: Set = ["grant", "outcome", "ending", "evidence", "review", "payment", "fact", "sweep"]

    private struct Record {
        let text: String
        let fields: LogFields

        func fits(_ row: StoredRow) -> Bool {
            row.fields.allSatisfy { fields[Substring($0.key)].map(String.init) == $0.value }
        }
    }

    private func recorded() -> [Name: [Record]] {
        var recorded: [Name: [Record]] = [:]
        for record in records.all {
            let text = record.text
            let fields = LogFields(text[...])
            guard let name = Self.name(fields) else { continue }
            recorded[Name(kind: String(fields.kind), name: name), default: []].append(
                Record(text: text, fields: fields))
        }
        return recorded
    }

    private static func name(_ fields: LogFields) -> String? {
        switch fields.kind {
        case "grant": return fields["id"].map(String.init)
        case "outcome", "evidence": return fields["number"].map(String.init)
        case "ending": return fields.held?.description
        case "extension", "sweep": return fields["grant"].map(String.init)
        case "review": return fields["outcome"].map(String.init)
        case "payment", "fact": return fields["id"].map(String.init)
        case "quota": return ["contract", "strategy", "portfolio"].compactMap { fields[$0] }.joined(separator: " ")
        default: return nil
        }
    }

    // MARK: - What the rows say

    private func rows() -> [StoredRow] {
        let held = Dictionary(grouping: leases, by: \.grant.grant)
        return history.grants.map { row($0, held[$0.grant] ?? []) } + history.grants.compactMap(Self.sweep)
            + history.outcomes.map(Self.row)
            + history.endings.map(Self.row) + history.stored.filter { $0.kind != "quota" }
    }

    private func row(_ grant: History.Grant, _ leases: [Lease]) -> StoredRow {
        StoredRow(
            kind: "grant", name: "\(grant.grant)",
            fields: [
                "contract": "\(grant.contract)", "agency": AgencyID(grant.agency)?.description,
                "first": "\(grant.grant.first)", "last": "\(grant.last)", "accounts": "\(grant.accounts)",
                "exposure": "\(Cents(grant.exposure))", "total": "\(grant.totalAccounts)", "at": "\(grant.grantedAt)",
                "term": "\(grant.announcedTerm)", "leases": Hex.text(sum(leases)),
                "skipped": grant.skipped.isEmpty ? nil : grant.skipped.map(String.init).joined(separator: ","),
            ])
    }

    /// The sum modulo 2^128 of the first 16 bytes of each lease's hash, of its delegation in two bytes, its account and its epoch.
    private func sum(_ leases: [Lease]) -> [UInt8] {
        let place = withUnsafeBytes(of: history.delegation.value.bigEndian) { Array($0) }
        let sum = leases.reduce(UInt128(0)) { sum, lease in
            let hash = Merkle.hash(
                place + Merkle.bytes(lease.held.account.value) + Merkle.bytes(lease.held.epoch.value))
            return sum &+ hash.prefix(16).reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
        }
        return withUnsafeBytes(of: sum.bigEndian) { Array($0) }
    }

    private static func sweep(_ grant: History.Grant) -> StoredRow? {
        grant.closedAt.map { StoredRow(kind: "sweep", name: "\(grant.grant)", fields: ["end": "\($0)"]) }
    }

    private static func row(_ outcome: History.Outcome) -> StoredRow {
        let report = outcome.report
        var row = StoredRow(
            kind: "outcome", name: "\(report.outcome)",
            fields: [
                "contract": outcome.contract.map(String.init), "agency": AgencyID(outcome.agency)?.description,
                "instance": "\(outcome.instance)", "key": "\(outcome.key)", "account": "\(report.held.account)",
                "epoch": "\(report.held.epoch)", "worked": "\(report.at)", "received": "\(outcome.receivedAt)",
                "channel": report.channel, "contact": report.contact, "result": report.result,
                "amount": report.amount?.description, "promised": report.promised?.description,
            ])
        // What else was reported stands in the hash of the request alone.
        if let content = outcome.content {
            row.fields["content"] = Hex.text(Merkle.hash(Array(content.utf8)).prefix(16))
        }
        return row
    }

    private static func row(_ ending: History.Ending) -> StoredRow {
        StoredRow(
            kind: "ending", name: "\(ending.held)",
            fields: ["kind": ending.kind, "reason": ending.reason, "at": "\(ending.endedAt)"])
    }

    // MARK: - What has no record of its own

    /// Each limit that was ever in force was recorded when it came into force, and in that order; and each that was recorded came.
    private func limits(_ records: [Name: [Record]], _ verdict: inout Verdict) {
        var stored: [Name: [StoredRow]] = [:]
        for row in history.stored where row.kind == "quota" {
            stored[Name(kind: row.kind, name: row.name), default: []].append(row)
        }
        let recorded = records.filter { $0.key.kind == "quota" }
        for name in Set(stored.keys).union(recorded.keys).sorted(by: { $0.name < $1.name }) {
            let (rows, mine) = (stored[name] ?? [], recorded[name] ?? [])
            verdict.count(.records, max(rows.count, mine.count))
            let index = zip(rows, mine).prefix { $1.fits($0) }.count
            guard index < max(rows.count, mine.count) else { continue }
            let told = index < mine.count ? "recorded: \(mine[index].text.prefix(240))" : "no more was recorded of it"
            let kept = index < rows.count ? "stored: quota \(name.name)\(rows[index].text)" : "no more is stored of it"
            add(
                "a limit was never recorded as it stands", ["limit \(index + 1) of quota \(name.name)", told, kept],
                &verdict)
        }
        var latest: [Int32: History.Limit] = [:]
        for limit in history.limits {
            if let before = latest[limit.quota], limit.since < before.since {
                add(
                    "a limit was put in force before the one that it takes the place of",
                    [
                        "quota \(limit.quota): \(before.accounts) accounts since \(before.since)",
                        "then \(limit.accounts) accounts since \(limit.since)",
                    ], &verdict)
            }
            latest[limit.quota] = limit
        }
    }

    /// The term in force is the announced one or that of the last extension.
    private func terms(_ extended: [Name: [Record]], _ verdict: inout Verdict) {
        for grant in history.grants {
            verdict.count(.records)
            let mine = extended[Name(kind: "extension", name: "\(grant.grant)")] ?? []
            let terms = mine.compactMap { $0.fields.instant("term")?.description } + ["\(grant.announcedTerm)"]
            guard let last = terms.max(), last != grant.term.description else { continue }
            add(
                "a term is not the one that was recorded",
                [
                    "grant \(grant.grant) was announced until \(grant.announcedTerm)"
                        + (mine.isEmpty ? ", and never extended" : "")
                ] + mine.map { String($0.text.prefix(240)) } + ["its row has the term \(grant.term)"], &verdict)
        }
    }

    private func changed(_ row: StoredRow, _ record: Record, _ verdict: inout Verdict) {
        let differing = row.fields.keys.sorted().filter {
            record.fields[Substring($0)].map(String.init) != row.fields[$0] ?? nil
        }
        add(
            "a row is not what was recorded of it",
            [
                "recorded: \(record.text.prefix(240))",
                "stored: \(row.kind) \(row.name) "
                    + differing.map { "\($0)=\((row.fields[$0] ?? nil) ?? "nothing")" }.joined(separator: " "),
            ], &verdict)
    }

    private func add(_ found: String, _ events: [String], _ verdict: inout Verdict) {
        verdict.add(Finding(.records, history.delegation, found, events: events))
    }
}

extension StoredRow {
    fileprivate var text: String {
        fields.keys.sorted().compactMap { key in (fields[key] ?? nil).map { " \(key)=\($0)" } }.joined()
    }

    /// Text of people's as one word, as the ledger has it: every byte up to the space, `%` and DEL as two digits.
    package static func word(_ text: String) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if byte <= 0x20 || byte == 0x25 || byte == 0x7F {
                bytes += Array("%\(Hex.text([byte]))".utf8)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
