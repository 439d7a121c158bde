// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// What the ledger says of rows that belong to no delegation, or to each: closes, agencies' keys, segmentations, plans and rounds.
struct WholeRecords {
    private var closes: CloseRecords
    private var keys = KeyRecords()
    private var plans = PlanRecords()
    private var rounds = RedealRecords()

    init(_ store: ProofStore, roots: [Period: PeriodRootRow]) throws {
        closes = try CloseRecords(store, roots: roots)
    }

    /// - Parameters:
    ///   - period: whose chain the record is in.
    ///   - block: the number of its block.
    mutating func take(
        _ record: [UInt8], _ period: Period, block: Int64, _ report: inout LedgerVerification.Report
    ) {
        closes.take(record, period, &report)
        keys.take(record)
        plans.take(record, period, block: block)
        rounds.take(record)
    }

    /// After the chains that are looked at.
    ///
    /// - Parameter isComplete: whether these were all: a sample has not seen every record, and a key's last one may be elsewhere.
    func finish(_ store: ProofStore, isComplete: Bool, _ report: inout LedgerVerification.Report) throws {
        if isComplete { closes.finish(&report) }
        closes.compareStates(try store.periodStates(), &report)
        if isComplete { keys.compare(try AgencyKeyStore(store.link).list(nil), &report) }
        try plans.compare(store.link, isComplete: isComplete, &report)
        try rounds.compare(store.link, isComplete: isComplete, &report)
    }
}

/// What the ledger says of each key with which an agency signs in.
///
/// A key is never changed but for an end that comes earlier and its revocation, and each of these is said in every delegation of its
/// agency: so nothing here depends on the order of the records, and the earliest end stands.
struct KeyRecords {
    private struct Key: Hashable, Comparable {
        let agency: String
        let name: String

        static func < (one: Key, other: Key) -> Bool { (one.agency, one.name) < (other.agency, other.name) }
    }

    private struct Said {
        /// In hexadecimal; `nil`: nothing says which key it is.
        var publicKey: String?
        var until: Timestamp?
        var revokedAt: Timestamp?
    }

    private var said: [Key: Said] = [:]

    private static let kind = Array("key ".utf8)

    mutating func take(_ record: [UInt8]) {
        guard record.starts(with: Self.kind), let fields = LedgerFields(String(decoding: record, as: UTF8.self)),
            let agency = fields["agency"], let name = fields["name"]
        else { return }
        let until = fields["until"].flatMap { Timestamp(text: $0) }
        var key = said[Key(agency: agency, name: name)] ?? Said()
        if fields["action"] == "revoke" {
            key.revokedAt = until
        } else {
            key.publicKey = fields["public"] ?? key.publicKey
            key.until = [key.until, until].compactMap(\.self).min()
        }
        said[Key(agency: agency, name: name)] = key
    }

    /// - Parameter rows: all keys of all agencies.
    func compare(_ rows: [AgencyKey], _ report: inout LedgerVerification.Report) {
        var left = said
        for row in rows {
            let place = "agency \(row.agency)"
            guard let said = left.removeValue(forKey: Key(agency: "\(row.agency)", name: row.name)) else {
                report.add(place, "its key \(row.name) is there, and was never recorded")
                continue
            }
            // One that is known only as revoked lets nobody in, whatever it is.
            let isThatKey = said.publicKey.map { $0 == LedgerTree.hex(row.publicKey) } ?? (said.revokedAt != nil)
            let hasItsEnd = said.publicKey == nil || Self.isSame(row.expiresAt, said.until)
            if !isThatKey || !hasItsEnd || !Self.isSame(row.revokedAt, said.revokedAt) {
                report.add(place, "its key \(row.name) is stored otherwise than it was recorded")
            }
        }
        for key in left.keys.sorted() {
            report.add("agency \(key.agency)", "its key \(key.name) was recorded, and is gone")
        }
    }

    /// As records write them.
    private static func isSame(_ one: Timestamp?, _ other: Timestamp?) -> Bool {
        one?.description == other?.description
    }
}
