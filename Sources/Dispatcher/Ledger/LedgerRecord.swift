// SPDX-License-Identifier: Apache-2.0

package import Assignment
package import PgStore
internal import Crypto

/// One line of the ledger: what moved a lease or a peso, as text that needs no schema to be read.
///
/// A word for the kind, then `key=value` pairs in a fixed order. Nothing about the debtor but the account number, so that
/// personal data can be erased without breaking a chain. The agency's receipt is the record's leaf hash.
package struct LedgerRecord: Equatable, Sendable {
    package let delegation: Delegation
    package let period: Period
    package let bytes: [UInt8]

    package init(delegation: Delegation, period: Period, _ text: String) {
        self.delegation = delegation
        self.period = period
        self.bytes = Array(text.utf8)
    }

    /// SHA-256 over a zero byte and the record: a leaf of the block's Merkle tree, and the receipt.
    package var receipt: [UInt8] { LedgerTree.leaf(bytes) }
}

extension LedgerRecord {
    package static func outcome(_ row: OutcomeRow) -> LedgerRecord {
        var text = "outcome number=\(row.number) delegation=\(row.key.delegation) contract=\(row.contract)"
        text += " agency=\(row.key.agency) instance=\(row.key.instance) key=\(row.key.key)"
        text += " account=\(row.account) epoch=\(row.epoch) worked=\(row.workedAt) received=\(row.receivedAt)"
        text += " channel=\(row.channel) contact=\(row.contact) result=\(row.result)"
        if let amount = row.amount { text += " amount=\(amount)" }
        if let promised = row.promisedOn { text += " promised=\(promised)" }
        text += " content=\(LedgerTree.hex(row.requestHash))"
        return LedgerRecord(delegation: row.key.delegation, period: row.period, text)
    }

    /// - Parameter isImported: it was given before this installation was there; then `now` is that day.
    package static func grant(
        _ row: GrantRow, period: Period, at now: Timestamp, isImported: Bool = false
    ) -> LedgerRecord {
        var text = "grant id=\(row.grant) delegation=\(row.delegation) contract=\(row.contract) agency=\(row.agency)"
        text += " first=\(row.grant.first) last=\(row.last) accounts=\(row.accounts) exposure=\(row.exposure)"
        text += " total=\(row.totalAccounts) at=\(now) term=\(row.term) leases=\(LedgerTree.hex(row.heldDigest))"
        if !row.skipped.isEmpty { text += " skipped=\(row.skipped.map(String.init).joined(separator: ","))" }
        if isImported { text += " imported=yes" }
        return LedgerRecord(delegation: row.delegation, period: period, text)
    }

    package static func ending(_ row: EndingRow, period: Period, at now: Timestamp) -> LedgerRecord {
        LedgerRecord(
            delegation: row.lease.delegation, period: period,
            "ending delegation=\(row.lease.delegation) account=\(row.lease.account) epoch=\(row.lease.epoch)"
                + " kind=\(row.kind.rawValue) reason=\(row.reason) at=\(now)")
    }

    package static func extension_(_ grant: GrantKey, term: Timestamp, period: Period, at now: Timestamp)
        -> LedgerRecord
    {
        LedgerRecord(
            delegation: grant.delegation, period: period,
            "extension delegation=\(grant.delegation) grant=\(grant.grant) term=\(term) at=\(now)")
    }

    /// The verb stands in it where it is not a report, which was the only one that evidence could be of before.
    package static func evidence(_ row: EvidenceRow, period: Period, at now: Timestamp) -> LedgerRecord {
        LedgerRecord(
            delegation: row.key.delegation, period: period,
            "evidence number=\(row.number) delegation=\(row.key.delegation) agency=\(row.key.agency)"
                + (row.verb == .report ? "" : " verb=\(row.verb.rawValue)")
                + " account=\(row.account) epoch=\(row.epoch) code=\(row.code.rawValue) counts=\(row.counts.map { $0 ? "yes" : "no" } ?? "pending")"
                + " content=\(LedgerTree.hex(row.requestHash)) at=\(now)")
    }

    /// A person decided about evidence that no rule settles.
    package static func adjudication(
        _ number: Int64, lease: LeaseKey, agency: AgencyID, decision: String, reason: String, by: String,
        period: Period,
        at now: Timestamp
    ) -> LedgerRecord {
        LedgerRecord(
            delegation: lease.delegation, period: period,
            "adjudication evidence=\(number) delegation=\(lease.delegation) agency=\(agency) account=\(lease.account)"
                + " epoch=\(lease.epoch) decision=\(decision) reason=\(reason) by=\(word(by)) at=\(now)")
    }

    package static func notice(
        _ lease: LeaseKey, reason: String, finalAt: Timestamp, by: String, period: Period, at now: Timestamp
    ) -> LedgerRecord {
        LedgerRecord(
            delegation: lease.delegation, period: period,
            "notice delegation=\(lease.delegation) account=\(lease.account) epoch=\(lease.epoch) reason=\(reason)"
                + " final=\(finalAt) by=\(word(by)) at=\(now)")
    }

    package static func objection(_ row: ObjectionRow, period: Period, at now: Timestamp) -> LedgerRecord {
        LedgerRecord(
            delegation: row.lease.delegation, period: period,
            "objection delegation=\(row.lease.delegation) account=\(row.lease.account) epoch=\(row.lease.epoch)"
                + " reason=\(row.reason) until=\(row.heldUntil) at=\(now)")
    }

    /// - Parameter decision: `upheld` or `withdrawn`.
    package static func decision(
        _ lease: LeaseKey, decision: String, reason: String, by: String, period: Period, at now: Timestamp
    ) -> LedgerRecord {
        LedgerRecord(
            delegation: lease.delegation, period: period,
            "decision delegation=\(lease.delegation) account=\(lease.account) epoch=\(lease.epoch)"
                + " decision=\(decision) reason=\(reason) by=\(word(by)) at=\(now)")
    }

    /// Contact data was given to an account's holder. What was given is not told: it is the debtor's.
    package static func disclosure(
        _ lease: LeaseKey, agency: AgencyID, instance: Int32, period: Period, at now: Timestamp
    ) -> LedgerRecord {
        LedgerRecord(
            delegation: lease.delegation, period: period,
            "disclosure delegation=\(lease.delegation) account=\(lease.account) epoch=\(lease.epoch) agency=\(agency)"
                + " instance=\(instance) at=\(now)")
    }

    /// A pause begins or, with `isLifted`, ends.
    package static func pause(
        _ place: AgencyPlace, side: String, reason: String, isLifted: Bool, period: Period, at now: Timestamp
    ) -> LedgerRecord {
        LedgerRecord(
            delegation: place.delegation, period: period,
            "\(isLifted ? "resume" : "pause") delegation=\(place.delegation) agency=\(place.agency)"
                + " strategy=\(place.strategy.name) side=\(side) reason=\(reason) at=\(now)")
    }

    package static func sweep(
        delegation: Delegation, grant: GrantID, accounts: Int64, period: Period, end: Timestamp, at now: Timestamp
    ) -> LedgerRecord {
        LedgerRecord(
            delegation: delegation, period: period,
            "sweep delegation=\(delegation) grant=\(grant) accounts=\(accounts) end=\(end) at=\(now)")
    }
}

/// The hashes of the ledger, and nothing else: what is signed and proved is defined here, byte by byte.
package enum LedgerTree {
    package static let firstHead = [UInt8](repeating: 0, count: 32)

    package static func leaf(_ record: [UInt8]) -> [UInt8] { hash([0x00], record) }

    /// The Merkle root of the leaves: neighbours are joined pair by pair, an odd one at the end moves up as it is.
    ///
    /// - Parameter leaves: one or more; none gives the hash of nothing.
    package static func root(_ leaves: [[UInt8]]) -> [UInt8] {
        guard var level = Optional(leaves), !level.isEmpty else { return hash([], []) }
        while level.count > 1 {
            level = stride(from: 0, to: level.count, by: 2).map { index in
                index + 1 < level.count ? node(level[index], level[index + 1]) : level[index]
            }
        }
        return level[0]
    }

    /// The chain's next head.
    package static func head(after previous: [UInt8], root: [UInt8]) -> [UInt8] { hash(previous, root) }

    package static func hash(_ first: [UInt8], _ second: [UInt8]) -> [UInt8] {
        var sha = SHA256()
        sha.update(data: first)
        sha.update(data: second)
        return Array(sha.finalize())
    }

    package static func hex(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}

/// Seals the records of one transaction: one block per delegation and period, with its Merkle root.
package enum LedgerBlock {
    package static func seal(_ records: [LedgerRecord]) -> [BlockRow] {
        struct Key: Hashable {
            let delegation: Delegation
            let period: Period
        }
        var order: [Key] = []
        var groups: [Key: [[UInt8]]] = [:]
        for record in records {
            let key = Key(delegation: record.delegation, period: record.period)
            if groups[key] == nil { order.append(key) }
            groups[key, default: []].append(record.bytes)
        }
        return order.map { key in
            let bodies = groups[key] ?? []
            return BlockRow(
                delegation: key.delegation, period: key.period, records: pack(bodies), count: bodies.count,
                root: LedgerTree.root(bodies.map(LedgerTree.leaf)))
        }
    }

    /// The records of a block, in order; what follows a record that is cut off is left out.
    package static func unpack(_ packed: [UInt8]) -> [[UInt8]] {
        var records: [[UInt8]] = []
        var rest = packed[...]
        while rest.count >= 4 {
            let size = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            rest = rest.dropFirst(4)
            guard rest.count >= size else { break }
            records.append(Array(rest.prefix(size)))
            rest = rest.dropFirst(size)
        }
        return records
    }

    /// Each record behind its length in four bytes, big-endian.
    static func pack(_ records: [[UInt8]]) -> [UInt8] {
        var packed: [UInt8] = []
        for record in records {
            withUnsafeBytes(of: UInt32(record.count).bigEndian) { packed.append(contentsOf: $0) }
            packed += record
        }
        return packed
    }
}
