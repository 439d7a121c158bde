// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// What the ledger says of rounds of dealing again: who began each and why, and the digest of the limits that it worked with.
struct RedealRecords {
    private struct Said: Hashable {
        let text: String
        let limits: String
    }

    /// By number; the record of each delegation says the same.
    private var rounds: [Int64: Set<Said>] = [:]

    private static let kind = Array("redeal ".utf8)

    mutating func take(_ record: [UInt8]) {
        guard record.starts(with: Self.kind), let fields = LedgerFields(String(decoding: record, as: UTF8.self)),
            let number = fields.number("id")
        else { return }
        let text = Self.words(
            plan: fields["plan"], reason: fields["reason"], closes: fields["closes"], by: fields["by"])
        rounds[number, default: []].insert(Said(text: text, limits: fields["limits"] ?? ""))
    }

    /// - Parameter isComplete: whether every chain was read; only then a round that deals something and has no record is told.
    func compare(_ link: PgLink, isComplete: Bool, _ report: inout LedgerVerification.Report) throws {
        var left = rounds
        for row in try RecordedPlans(link).redeals() {
            let place = "round \(row.number)"
            guard let said = left.removeValue(forKey: row.number) else {
                if isComplete, row.hasPools { report.add(place, "it is there, and was never recorded") }
                continue
            }
            let text = Self.words(
                plan: "\(row.plan)", reason: row.reason, closes: row.closesAll ? "all" : "none",
                by: LedgerRecord.word(row.by))
            if Set(said.map(\.text)) != [text] { report.add(place, "it is stored otherwise than it was recorded") }
            let limits = LedgerTree.hex(RedealDraft.digest(of: try RedealStore(link).quotas(row.number)))
            if Set(said.map(\.limits)) != [limits] {
                report.add(place, "the limits that it worked with are stored otherwise than they were recorded")
            }
        }
        for number in left.keys.sorted() { report.add("round \(number)", "it was recorded, and is gone") }
    }

    private static func words(plan: String?, reason: String?, closes: String?, by: String?) -> String {
        [plan, reason, closes, by].map { $0 ?? "" }.joined(separator: " ")
    }
}
