// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// Of what a group needs, what somebody else keeps locked: an import, an order, a round that deals again.
package struct LockedRows: Sendable {
    package private(set) var hands: Set<HandKey> = []
    package private(set) var quotas: Set<QuotaKey> = []
    package private(set) var grants: Set<GrantKey> = []
    /// The leases whose grants are among ``grants``.
    package private(set) var leases: Set<LeaseKey> = []

    package init() {}

    package var isEmpty: Bool { hands.isEmpty && quotas.isEmpty && grants.isEmpty }
}

extension PgLink {
    /// Looks which of the rows that a group would lock somebody else keeps. Waits for none of them, and keeps none.
    package func findLocked(_ question: GroupQuestion) throws -> LockedRows {
        try rolledBack {
            var locked = LockedRows()
            try locked.addHands(Array(question.hands.keys), self)
            try locked.addQuotas(Array(question.quotas), self)
            try locked.addGrants(question, self)
            return locked
        }
    }
}

extension LockedRows {
    fileprivate mutating func addHands(_ asked: [HandKey], _ link: PgLink) throws(PgError) {
        guard !asked.isEmpty else { return }
        let free = try link.run(
            EngineStatements.freeHands, [.int16s(asked.map(\.delegation.value)), .int32s(asked.map(\.hand))])
        hands = Set(asked)
        for row in free {
            if let delegation = Delegation(row.int16(0)) {
                hands.remove(HandKey(delegation: delegation, hand: row.int32(1)))
            }
        }
    }

    fileprivate mutating func addQuotas(_ asked: [QuotaKey], _ link: PgLink) throws(PgError) {
        guard !asked.isEmpty else { return }
        let free = try link.run(
            EngineStatements.freeQuotas, [.int16s(asked.map(\.delegation.value)), .int32s(asked.map(\.quota))])
        quotas = Set(asked)
        for row in free {
            if let delegation = Delegation(row.int16(0)) {
                quotas.remove(QuotaKey(delegation: delegation, quota: row.int32(1)))
            }
        }
    }

    fileprivate mutating func addGrants(_ question: GroupQuestion, _ link: PgLink) throws(PgError) {
        let asked = Array(question.leases)
        var ofLease: [LeaseKey: GrantKey] = [:]
        if !asked.isEmpty {
            let rows = try link.run(
                EngineStatements.grantsOfLeases,
                [
                    .int16s(asked.map(\.delegation.value)), .int64s(asked.map(\.account.value)),
                    .int64s(asked.map(\.epoch.value)),
                ])
            for row in rows {
                let lease = asked[Int(row.int64(0)) - 1]
                ofLease[lease] = GrantKey(
                    delegation: lease.delegation, grant: GrantID(hand: row.int32(1), first: row.int32(2)))
            }
        }
        let keys = Array(question.grants.union(ofLease.values))
        guard !keys.isEmpty else { return }
        let free = try link.run(
            EngineStatements.freeGrants,
            [
                .int16s(keys.map(\.delegation.value)), .int32s(keys.map(\.grant.hand)),
                .int32s(keys.map(\.grant.first)),
            ])
        grants = Set(keys)
        for row in free { grants.remove(keys[Int(row.int64(0)) - 1]) }
        // A grant that somebody made up is not there, and so not locked.
        grants.subtract(try missing(Array(grants), link))
        leases = Set(ofLease.filter { grants.contains($0.value) }.keys)
    }

    private func missing(_ keys: [GrantKey], _ link: PgLink) throws(PgError) -> Set<GrantKey> {
        guard !keys.isEmpty else { return [] }
        let rows = try link.run(
            EngineStatements.presentGrants,
            [
                .int16s(keys.map(\.delegation.value)), .int32s(keys.map(\.grant.hand)),
                .int32s(keys.map(\.grant.first)),
            ])
        return Set(keys).subtracting(rows.map { keys[Int($0.int64(0)) - 1] })
    }
}
