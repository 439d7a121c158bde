// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// What each contract with a bond held over all delegations: a limit that no quota and no delegation shows by itself (AGY-08).
///
/// Takes one history after the other and keeps of each only when how much exposure came and went.
package struct BondHistory: Sendable {
    private struct Change: Sendable {
        let at: Timestamp
        /// Of its record, which blocks of all delegations are numbered with; `nil`: not known.
        let block: Int64?
        let delegation: Delegation
        /// Centavos that came; below zero: that went.
        let exposure: Int64
        /// Set where it is a grant that the bond must cover.
        let grant: GrantID?
    }

    private var bonds: [Int32: Int64] = [:]
    private var changes: [Int32: [Change]] = [:]

    package init() {}

    mutating func add(_ history: History, leases: [Lease], order: LedgerOrder) {
        bonds.merge(history.bonds) { _, last in last }
        let limits = LimitTimeline(history)
        for grant in history.grants where grant.accounts > 0 && history.bonds[grant.contract] != nil {
            let isBound = history.isBound(grant, by: limits.limit(of: grant.quota, at: grant.grantedAt))
            changes[grant.contract, default: []].append(
                Change(
                    at: grant.grantedAt, block: order.block(of: grant.grant), delegation: history.delegation,
                    exposure: grant.exposure,
                    grant: isBound ? grant.grant : nil))
        }
        for lease in leases where history.bonds[lease.grant.contract] != nil {
            guard let until = lease.until else { continue }
            changes[lease.grant.contract, default: []].append(
                Change(
                    at: until, block: order.block(ofEndOf: lease), delegation: history.delegation,
                    exposure: -lease.exposure, grant: nil))
        }
    }

    /// For each contract the first grant that its bond does not cover; what follows it only repeats it.
    package func judge() -> Verdict {
        var verdict = Verdict()
        for contract in bonds.keys.sorted() { judge(contract, &verdict) }
        return verdict
    }

    private func judge(_ contract: Int32, _ verdict: inout Verdict) {
        let bond = bonds[contract] ?? 0
        var held: [Delegation: Int64] = [:]
        for now in steps(changes[contract] ?? []) {
            for change in now { held[change.delegation, default: 0] += change.exposure }
            let grants = now.filter { $0.grant != nil }
            verdict.count(.bond, grants.count)
            guard let last = grants.last, let grant = last.grant, held.values.reduce(0, +) > bond else { continue }
            return verdict.add(finding(contract, bond, held, last, grant))
        }
    }

    /// What is to be judged together: by the blocks of the records, in each the grants first; where one is not known, all that an
    /// instant has, with what ended counted as gone.
    private func steps(_ changes: [Change]) -> [[Change]] {
        guard changes.allSatisfy({ $0.block != nil }) else {
            let byInstant = Dictionary(grouping: changes, by: \.at)
            return byInstant.keys.sorted().map { byInstant[$0] ?? [] }
        }
        let byBlock = Dictionary(grouping: changes) { $0.block ?? 0 }
        return byBlock.keys.sorted().flatMap { block in
            let all = byBlock[block] ?? []
            return [all.filter { $0.exposure > 0 }, all.filter { $0.exposure <= 0 }]
        }
    }

    private static let delegationsShownMax = 3

    /// The delegations that suffice to pass the bond, the largest first.
    private func finding(
        _ contract: Int32, _ bond: Int64, _ held: [Delegation: Int64], _ last: Change, _ grant: GrantID
    ) -> Finding {
        var shown: [(delegation: Delegation, exposure: Int64)] = []
        for (delegation, exposure) in held.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) where exposure > 0 {
            guard shown.reduce(0, { $0 + $1.exposure }) <= bond else { break }
            shown.append((delegation, exposure))
        }
        var events = ["the bond of contract \(contract) is \(Cents(bond))"]
        events += shown.prefix(Self.delegationsShownMax).map {
            "held in delegation \($0.delegation): \(Cents($0.exposure))"
        }
        let rest = shown.dropFirst(Self.delegationsShownMax)
        if !rest.isEmpty {
            events.append(
                "held in \(rest.count) more delegations: \(Cents(rest.reduce(0) { $0 + $1.exposure }))")
        }
        events.append(
            "grant \(grant) in delegation \(last.delegation) at \(last.at) brought it to "
                + "\(Cents(held.values.reduce(0, +))) in all")
        return Finding(
            .bond, last.delegation, "contract \(contract) holds more than its bond covers, over its delegations",
            events: events)
    }
}
