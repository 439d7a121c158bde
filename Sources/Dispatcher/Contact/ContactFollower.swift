// SPDX-License-Identifier: Apache-2.0

internal import Assignment
package import PgStore

/// Follows the ledger's outcomes and marks those that break the cadence of their contract's rule packs, within a second or two of the
/// report and so before any review. What is marked happened, and stays recorded.
///
/// It reads blocks whose transaction is older than every running one, in their order, so that it never misses one; two nodes that
/// follow are harmless, because the follower's row is locked.
/// - Source: CAD-01 … CAD-16, HRS-02.
package enum ContactFollower {
    private static let batchMax: Int32 = 500

    package static func run(_ link: PgLink) throws {
        while try link.transaction({ try step(link) }) == Int(batchMax) {}
    }

    private static func step(_ link: PgLink) throws -> Int {
        let blocks = try link.lockUnfollowed(limit: batchMax)
        let contacts = blocks.flatMap { LedgerBlock.unpack($0) }.compactMap(RecordedContact.init)
        guard !contacts.isEmpty else { return blocks.count }
        var leases = try link.readFollowed(Array(Set(contacts.map(\.lease))))
        for contact in contacts {
            guard var followed = leases[contact.lease] else { continue }
            let zone = followed.municipality?.timeZone ?? contact.lease.delegation.timeZone
            let (date, second) = zone.local(contact.workedAt)
            let marks = followed.history.add(
                contact.channel, contact.contact, on: date, secondOfDay: second,
                band: Cadence.Band(arrears: followed.arrears), at: followed.place, reading: followed.reading)
            leases[contact.lease] = followed
            if !marks.isEmpty {
                try link.markOutcome(
                    contact.key, period: Period.ofWork(at: contact.workedAt), marks: marks.map(\.rawValue))
            }
        }
        try link.writeHistories(Array(leases.values))
        return blocks.count
    }
}

/// An outcome as the ledger has it.
private struct RecordedContact {
    let key: IdempotencyKey
    let lease: LeaseKey
    let workedAt: Timestamp
    let channel: OutcomeChannel
    let contact: OutcomeContact

    /// `nil` for a record of another kind.
    init?(_ record: [UInt8]) {
        let words = String(decoding: record, as: UTF8.self).split(separator: " ")
        guard words.first == "outcome" else { return nil }
        func value(_ name: String) -> String? {
            words.first { $0.hasPrefix(name + "=") }.map { String($0.dropFirst(name.count + 1)) }
        }
        guard let delegation = value("delegation").flatMap({ Delegation(text: $0) }),
            let agency = value("agency").flatMap({ AgencyID(text: $0) }),
            let instance = value("instance").flatMap({ Int32($0) }), let number = value("key").flatMap({ Int64($0) }),
            let account = value("account").flatMap({ Int64($0) }).flatMap({ AccountID($0) }),
            let epoch = value("epoch").flatMap({ Int64($0) }).flatMap({ Epoch($0) }),
            let workedAt = value("worked").flatMap({ Timestamp(text: $0) }),
            let channel = value("channel").flatMap({ OutcomeChannel(rawValue: $0) }),
            let contact = value("contact").flatMap({ OutcomeContact(rawValue: $0) })
        else { return nil }
        key = IdempotencyKey(delegation: delegation, agency: agency, instance: instance, key: number)
        lease = LeaseKey(delegation: delegation, account: account, epoch: epoch)
        self.workedAt = workedAt
        self.channel = channel
        self.contact = contact
    }
}
