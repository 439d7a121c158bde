// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// What a contract holds in one place against what its advisers carry there, over all of its quotas: each may be within its own
/// limit, and all together above what people can work (AGY-07).
struct CapacityChecks {
    let history: History
    let leases: [Lease]
    private let limits: LimitTimeline
    private let order: LedgerOrder

    init(history: History, leases: [Lease], order: LedgerOrder) {
        self.order = order
        self.history = history
        self.leases = leases
        self.limits = LimitTimeline(history)
    }

    private struct Station: Hashable {
        let contract: Int32
        let portfolio: Int16
    }

    func run(_ verdict: inout Verdict) {
        let grants = Dictionary(grouping: history.grants.filter { $0.accounts > 0 }) { station($0.quota) }
        let held = Dictionary(grouping: leases) { station($0.grant.quota) }
        for advisers in history.advisers {
            let station = Station(contract: advisers.contract, portfolio: advisers.portfolio)
            check(advisers, grants[station] ?? [], held[station] ?? [], &verdict)
        }
    }

    private func station(_ quota: Int32) -> Station? {
        history.quotaPlaces[quota].map { Station(contract: $0.contract, portfolio: $0.portfolio) }
    }

    /// What was granted and ended in one instant may have come in either order, where the ledger does not tell it: all that ended counts as gone.
    private func check(
        _ advisers: History.Advisers, _ grants: [History.Grant], _ leases: [Lease], _ verdict: inout Verdict
    ) {
        let releases = Releases(leases, before: grants, order)
        let byPlace = Dictionary(grouping: grants) { releases.place(of: $0) }
        var granted: Int64 = 0
        for place in byPlace.keys.sorted() {
            let now = byPlace[place] ?? []
            granted += now.reduce(0) { $0 + Int64($1.accounts) }
            for grant in now {
                let limit = limits.limit(of: grant.quota, at: grant.grantedAt)
                guard let limit, history.isBound(grant, by: limit) else { continue }
                verdict.count(.capacity)
                let carried = advisers.carried(knownAt: limit.since, periods: periods)
                let held = granted - Int64(releases.before(grant).accounts)
                guard held > carried else { continue }
                // What follows it in the same place only repeats it.
                return add(advisers, grant, held: held, carried: carried, leases, &verdict)
            }
        }
    }

    /// The first days of the months that hands were dealt for: a plan counts those who are there on that day.
    private var periods: [LocalDate] {
        Set(history.handPeriods.values).compactMap { Period(number: $0)?.firstDay }
    }

    private func add(
        _ advisers: History.Advisers, _ grant: History.Grant, held: Int64, carried: Int64, _ leases: [Lease],
        _ verdict: inout Verdict
    ) {
        let live = leases.filter { $0.from <= grant.grantedAt && ($0.until.map { $0 > grant.grantedAt } ?? true) }
        let byQuota = Dictionary(grouping: live, by: \.grant.quota).mapValues(\.count)
        let parts = byQuota.sorted { $0.key < $1.key }.map { "\($0.value) of quota \($0.key)" }
        verdict.add(
            Finding(
                .capacity, history.delegation,
                "contract \(advisers.contract) holds more than its advisers carry, over its quotas",
                events: [
                    "its \(Portfolio(rawValue: advisers.portfolio)?.name ?? "") advisers carry \(carried) accounts, "
                        + "\(advisers.accountsPerAdviser) each",
                    "held: \(parts.joined(separator: ", "))",
                    "grant \(grant.grant) of \(grant.accounts) accounts at \(grant.grantedAt) brought it to \(held)",
                ]))
    }
}

extension History.Advisers {
    /// Accounts that those who count carry, by what was known when a limit was put.
    ///
    /// - Parameter periods: first days of months; a plan is made ahead, and counts who is there on the first day.
    func carried(knownAt instant: Timestamp, periods: [LocalDate]) -> Int64 {
        guard countsPresent else { return committed * accountsPerAdviser }
        let today = instant.local(offsetSeconds: -6 * 3_600).date
        let days = [today] + periods.filter { $0 > today }
        let counts = days.map { day in
            found.last {
                $0.on <= day && $0.importedAt <= instant && $0.supersededAt.map { $0 > instant } ?? true
            }?.count ?? committed
        }
        return (counts.max() ?? committed) * accountsPerAdviser
    }
}
