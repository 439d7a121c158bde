// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// Who held the accounts that were dealt in more than one delegation: debtors move, and an account has one holder in the whole
/// country (ASG-01).
///
/// Takes one history after the other and keeps of each only the leases of those accounts.
package struct HolderHistory: Sendable {
    private struct Place: Sendable {
        let delegation: Delegation
        /// What came later is not in its history.
        let readAt: Timestamp
        let lease: Lease
        /// Blocks of all delegations are numbered together; `nil`: not known, or still live.
        let grantBlock: Int64?
        let endBlock: Int64?

        var end: Timestamp { lease.until ?? readAt }

        /// Whether it was still live when another delegation's lease began. Where it was live when its delegation was read, it may have
        /// ended before a lease that began later.
        func overlaps(_ later: Place) -> Bool {
            guard delegation != later.delegation else { return false }
            guard let endBlock, let block = later.grantBlock else { return later.lease.from < end }
            return later.lease.from < end || block <= endBlock
        }
    }

    private let moved: Set<AccountID>
    private var places: [AccountID: [Place]] = [:]

    package init(moved: Set<AccountID> = []) { self.moved = moved }

    mutating func add(_ history: History, leases: [Lease], order: LedgerOrder) {
        guard !moved.isEmpty else { return }
        for lease in leases where moved.contains(lease.held.account) {
            places[lease.held.account, default: []].append(
                Place(
                    delegation: history.delegation, readAt: history.now, lease: lease,
                    grantBlock: order.block(of: lease.grant.grant),
                    endBlock: lease.until == nil ? nil : order.block(ofEndOf: lease)))
        }
    }

    /// For each account the first two leases of two delegations that overlap; those of one delegation are judged there.
    package func judge() -> Verdict {
        var verdict = Verdict()
        for account in places.keys.sorted() {
            let ordered = (places[account] ?? []).sorted {
                ($0.lease.from, $0.grantBlock ?? 0, $0.delegation) < ($1.lease.from, $1.grantBlock ?? 0, $1.delegation)
            }
            verdict.count(.oneHolder, ordered.count)
            // Behind a lease that lasts long others may end: the latest end of each delegation counts.
            var latest: [Delegation: Place] = [:]
            for place in ordered {
                if let other = latest.values.filter({ $0.overlaps(place) }).min(by: { $0.delegation < $1.delegation }) {
                    verdict.add(
                        Finding(
                            .oneHolder, place.delegation,
                            "account \(account) was leased in two delegations at a time",
                            events: [other, place].map { "delegation \($0.delegation): \($0.lease.line)" }))
                    break
                }
                if let before = latest[place.delegation],
                    (before.end, before.endBlock ?? 0) >= (place.end, place.endBlock ?? 0)
                {
                    continue
                }
                latest[place.delegation] = place
            }
        }
        return verdict
    }
}
