// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// What the ledger says last of rows that change: recalls, decisions about evidence, terms of grants. Over all months of a delegation,
/// because a row of one month may be decided about in the next.
struct LatestRecords {
    /// By what it is about, as findings name it.
    private var latest: [String: Said] = [:]

    private struct Said {
        let at: Timestamp
        let text: String
    }

    /// A row's instant was once read a moment before or after its record's: less than this apart, they are one.
    private static let slack: Int64 = 1_000_000
    private static let kinds = ["notice ", "objection ", "decision ", "adjudication ", "extension "].map {
        Array($0.utf8)
    }

    mutating func take(_ record: [UInt8]) {
        guard Self.kinds.contains(where: { record.starts(with: $0) }) else { return }
        let text = String(decoding: record, as: UTF8.self)
        guard let fields = LedgerFields(text) else { return }
        let said = Said(
            at: fields["at"].flatMap { Timestamp(text: $0) } ?? Timestamp(microseconds: .min), text: text)
        switch fields.kind {
        case "adjudication": keep(said, "adjudication evidence=\(fields["evidence"] ?? "")")
        case "extension": keep(said, "extension grant=\(fields["grant"] ?? "")")
        default:
            let lease = "account=\(fields["account"] ?? "") epoch=\(fields["epoch"] ?? "")"
            let notice = "notice \(lease)"
            guard fields.kind == "notice" else {
                // What was said of a recall before it was withdrawn and noticed anew.
                if let noticed = latest[notice], said.at < noticed.at { return }
                keep(said, "\(fields.kind) \(lease)")
                return
            }
            guard keep(said, notice) else { return }
            // A recall that was withdrawn may be noticed anew; what was said of the former one is no row any more.
            for name in ["objection \(lease)", "decision \(lease)"] {
                if let former = latest[name], former.at <= said.at { latest[name] = nil }
            }
        }
    }

    /// Two transactions may be chained the other way round than they took place: an earlier instant takes no later one's place. Of the
    /// same instant the later one in the chain stands.
    ///
    /// - Returns: whether it is the latest now.
    @discardableResult
    private mutating func keep(_ said: Said, _ name: String) -> Bool {
        if let former = latest[name], said.at < former.at { return false }
        latest[name] = said
        return true
    }

    /// Each row is what the ledger said last of it, and what the ledger said last has its row.
    func compare(_ delegation: Delegation, _ link: PgLink, _ report: inout LedgerVerification.Report) throws {
        var left = latest.mapValues(\.text)
        let place = "delegation \(delegation)"
        /// - Parameter record: that the row makes, with the period left open: it is no part of the text.
        func take(_ name: String, at: Timestamp, _ record: (Period, Timestamp) -> LedgerRecord) {
            let recorded = left.removeValue(forKey: name)
            let said = recorded.flatMap { LedgerFields($0)?["at"] }.flatMap { Timestamp(text: $0) }
            let instant =
                said.flatMap { abs($0.microseconds - at.microseconds) < Self.slack ? $0 : nil } ?? at
            guard recorded.map({ Array($0.utf8) }) != record(.ofWork(at: at), instant).bytes else { return }
            report.add(place, "\(name) is stored otherwise than it was recorded, or was never recorded")
        }
        for row in try link.recordedNotices(delegation) {
            let lease = "account=\(row.lease.account) epoch=\(row.lease.epoch)"
            take("notice \(lease)", at: row.at) {
                .notice(row.lease, reason: row.reason, finalAt: row.finalAt, by: row.by, period: $0, at: $1)
            }
            if let (objection, at) = row.objection {
                take("objection \(lease)", at: at) { .objection(objection, period: $0, at: $1) }
            }
            if let decision = row.decision {
                take("decision \(lease)", at: decision.at) {
                    .decision(
                        row.lease, decision: decision.word, reason: decision.reason, by: decision.by, period: $0, at: $1
                    )
                }
            }
        }
        for row in try link.recordedAdjudications(delegation) {
            take("adjudication evidence=\(row.number)", at: row.at) {
                .adjudication(
                    row.number, lease: row.lease, agency: row.agency, decision: row.decision, reason: row.reason,
                    by: row.by, period: $0, at: $1)
            }
        }
        // A grant keeps its term, and not when it was extended.
        for (grant, term) in try link.extendedTerms(delegation) {
            let name = "extension grant=\(grant)"
            let recorded = left.removeValue(forKey: name).flatMap { LedgerFields($0) }
            guard recorded?["term"] != "\(term)" else { continue }
            report.add(place, "\(name) is stored otherwise than it was recorded, or was never recorded")
        }
        for name in left.keys.sorted() {
            report.add(place, "\(name) was recorded, and nothing is stored that fits it")
        }
    }
}

extension LedgerRecord {
    /// The record of a row of evidence. What was kept of the request is held to its hash, which the record has.
    static func evidence(_ recorded: RecordedEvidence, period: Period) -> LedgerRecord {
        let row = recorded.row
        let isWhole = Array(LedgerTree.hash(Array(row.content.utf8), []).prefix(16)) == row.requestHash
        return .evidence(
            EvidenceRow(
                verb: row.verb, key: row.key, number: row.number, code: row.code, account: row.account,
                epoch: row.epoch, liveEpoch: row.liveEpoch, counts: row.counts, content: row.content,
                requestHash: isWhole ? row.requestHash : []), period: period, at: recorded.at)
    }
}
