// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// One delegation's leases over all months: each is given back to its quota once, by an ending or by the sweep of its grant.
///
/// What a sweep says that it gave back is what was granted less what had ended before it. Before is what has the lower block: both
/// lock the grant before they write, and number their blocks behind that; chains are in the order of transactions, whose numbers are
/// given before locks are waited for.
struct ReleaseCheck {
    private struct Ended {
        let lease: LeaseKey
        let position: Int32
        let wasHeld: Bool
        /// `nil`: no record of it is known, which is told elsewhere.
        let block: Int64?
    }

    /// By the number of the grant.
    private var sweeps: [Int64: [(accounts: Int64?, block: Int64)]] = [:]
    /// By hand.
    private var endings: [Int32: [Ended]] = [:]

    mutating func take(sweep: LedgerFields, block: Int64) {
        guard let grant = sweep.number("grant") else { return }
        sweeps[grant, default: []].append((sweep.number("accounts"), block))
    }

    /// - Parameter block: of its record.
    mutating func take(_ ending: EndingRow, wasHeld: Bool, block: Int64?) {
        endings[ending.hand, default: []].append(
            Ended(lease: ending.lease, position: ending.position, wasHeld: wasHeld, block: block))
    }

    /// - Parameter grants: all of the delegation's.
    func compare(_ delegation: Delegation, _ grants: [RecordedHands.Grant], _ report: inout LedgerVerification.Report) {
        let place = "delegation \(delegation)"
        var left = endings
        for hand in Dictionary(grouping: grants, by: \.grant.hand).sorted(by: { $0.key < $1.key }) {
            var ended = (left.removeValue(forKey: hand.key) ?? []).sorted { $0.position < $1.position }[...]
            for grant in hand.value.sorted(by: { $0.grant.first < $1.grant.first }) {
                // What lies before it is of no grant.
                let unleased = ended.prefix { $0.position < grant.grant.first }
                let within = ended.dropFirst(unleased.count).prefix { $0.position <= grant.last }
                ended = ended[within.endIndex...]
                let held = within.filter { !grant.skipped.contains($0.position) }
                for ending in unleased + within.filter({ grant.skipped.contains($0.position) }) {
                    compare(ending, isOfLease: false, place, &report)
                }
                compare(grant, held, place, &report)
            }
            for ending in ended { compare(ending, isOfLease: false, place, &report) }
        }
        for ending in left.sorted(by: { $0.key < $1.key }).flatMap(\.value) {
            compare(ending, isOfLease: false, place, &report)
        }
    }

    private func compare(
        _ grant: RecordedHands.Grant, _ endings: [Ended], _ place: String, _ report: inout LedgerVerification.Report
    ) {
        let sweeps = sweeps[grant.grant.number, default: []]
        if sweeps.count > 1 {
            report.add(place, "grant id=\(grant.grant) was swept \(sweeps.count) times")
        }
        let sweep = sweeps.min { $0.block < $1.block }
        var before: Int64 = 0
        for ending in endings {
            let isBefore = sweep.map { (ending.block ?? 0) < $0.block } ?? true
            if isBefore { before += 1 }
            compare(ending, isOfLease: isBefore, place, &report)
        }
        guard let sweep else { return }
        let rest = Int64(grant.accounts) - before
        if sweep.accounts != rest {
            let told = sweep.accounts.map(grouped) ?? "an unknown number of"
            report.add(
                place,
                "the sweep of grant id=\(grant.grant) gave back \(told) accounts, and \(grouped(rest)) were left of it")
        }
    }

    private func compare(
        _ ending: Ended, isOfLease: Bool, _ place: String, _ report: inout LedgerVerification.Report
    ) {
        guard ending.wasHeld != isOfLease else { return }
        let lease = ending.lease
        let name = "ending delegation=\(lease.delegation) account=\(lease.account) epoch=\(lease.epoch)"
        report.add(
            place,
            isOfLease
                ? "\(name) ended a lease, and gave nothing back to its quota"
                : "\(name) gave back an account that no grant held any more")
    }
}
