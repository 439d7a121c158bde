// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import Crypto
internal import PgStore

/// A period's quotas as they follow from what is in the tables now. Writes nothing.
struct PlanDraft {
    let policy: PolicyFile
    let segmentation: SegmentationRow
    let seed: Int64
    let pools: [Pool]
    let contracts: [ContractID: ContractRow]
    let allocation: Allocation
    let holdings: [HoldingRow]
    let warnings: [String]

    /// The last day of the period whose staffing facts still count as staffing at its start.
    static func staffingDay(_ period: Period) -> LocalDate { period.firstDay.advanced(byDays: 6) }

    /// - Throws: ``CommandFailure`` (usage) where the period cannot be planned: closed, not segmented, or overtaken.
    static func make(_ link: PgLink, period: Period, seed: Int64) throws -> PlanDraft {
        let store = PlanningStore(link, period: period, cut: SegmentationRun.cutDay(period))
        try checkPeriod(store)
        let (segmentation, policy) = try placements(link, period: period)
        guard segmentation.placed > 0 else {
            throw CommandFailure(
                .usage, "the segmentation of \(period) places no account, so there is nothing to plan",
                remedy: "Check the cut and the policy, and segment again")
        }
        let holdings = try store.holdings()
        let pools = try store.pools()
        var warnings: [String] = []
        let contracts = try store.contracts()
        let inForce = contracts.filter { contract in
            guard let motive = absence(contract, period: period) else { return true }
            warnings.append("contract \(contract.contract) of \(contract.agency) is left out: \(motive)")
            return false
        }
        let capacities = try store.capacities(staffedBy: staffingDay(period))
        let rooms = inForce.map { room($0, capacities: capacities, holdings: holdings, warnings: &warnings) }
        return PlanDraft(
            policy: policy, segmentation: segmentation, seed: seed, pools: pools,
            contracts: Dictionary(uniqueKeysWithValues: contracts.map { ($0.contract, $0) }),
            allocation: Allocation(pools: pools, contracts: rooms), holdings: holdings, warnings: warnings)
    }

    private static func checkPeriod(_ store: PlanningStore) throws {
        guard let state = try store.lockPeriods() else {
            throw CommandFailure(
                .usage, "\(store.period) has no cut",
                remedy: "Import one: dispatcherd import cut FILE --period \(store.period)")
        }
        guard state == "open" else {
            throw CommandFailure(.usage, "\(store.period) is \(state)", remedy: "Plan an open period")
        }
        if let later = try store.laterPlan() {
            throw CommandFailure(
                .usage, "a plan of \(later) is applied already",
                remedy: "Periods are planned in order; plan one after \(later)")
        }
    }

    private static func placements(_ link: PgLink, period: Period) throws -> (SegmentationRow, PolicyFile) {
        let store = SegmentationStore(link, period: period)
        guard let segmentation = try store.segmentation() else {
            throw CommandFailure(
                .usage, "\(period) has no placements", remedy: "Run dispatcherd segment --period \(period) first")
        }
        guard let text = try store.policyText(segmentation.policyDigest) else {
            throw CommandFailure(
                .environment, "the policy behind the placements of \(period) is missing",
                remedy: "Run dispatcherd segment --period \(period) again")
        }
        do {
            return (segmentation, try PolicyFile(text: text))
        } catch {
            throw CommandFailure(
                .usage,
                "this version cannot read the policy \(segmentation.policy) \(segmentation.policyVersion) any more",
                remedy: "Run dispatcherd segment --period \(period) with a policy of this version")
        }
    }

    /// Why a contract takes no part; `nil` where it does. It must be in force when the period starts, because from then
    /// on its hands can be pulled.
    private static func absence(_ contract: ContractRow, period: Period) -> String? {
        if contract.startsOn > period.firstDay { return "it starts on \(contract.startsOn)" }
        if contract.endsOn < period.firstDay { return "it ended on \(contract.endsOn)" }
        return contract.agencyStatus == "active" ? nil : "the agency is on \(contract.agencyStatus)"
    }

    /// What the contract can take on top of what it holds (AGY-09).
    private static func room(
        _ contract: ContractRow, capacities: [CapacityRow], holdings: [HoldingRow], warnings: inout [String]
    ) -> ContractRoom {
        let held = holdings.filter { $0.contract == contract.contract }
        var capacity: [Station: Int64] = [:]
        var unstaffed: [Station] = []
        // Where the contract promises no advisers, it does not work.
        for row in capacities where row.contract == contract.contract && row.committed > 0 {
            var advisers = row.committed
            if contract.capacityBasis == "present" {
                if let present = row.present { advisers = present } else { unstaffed.append(row.station) }
            }
            let heldHere = held.filter {
                $0.pool.delegation == row.station.delegation && $0.pool.portfolio == row.station.portfolio
            }
            let limit = Int64(advisers) * Int64(row.accountsPerAdviser)
            capacity[row.station] = max(0, limit - heldHere.reduce(0) { $0 + $1.accounts })
        }
        if !unstaffed.isEmpty {
            let places = Set(unstaffed.map { $0.delegation }).sorted().map(\.description).joined(separator: ", ")
            warnings.append(
                "contract \(contract.contract) goes by present advisers and has no staffing fact for delegation "
                    + "\(places): the committed ones are taken")
        }
        return ContractRoom(
            contract: contract.contract, strategies: contract.strategies, capacity: capacity,
            bond: max(0, contract.bond - held.reduce(0) { $0 + $1.exposure }), exposure: contract.exposure)
    }

    // MARK: - What is put in force

    /// The limits: what is held and what is dealt on top. A quota that this plan gives nothing keeps what it holds, so
    /// that nothing more is granted and nothing is over the limit.
    var quotaRows: [QuotaRow] {
        var rows = allocation.quotas.map { quota in
            let held = holdings.first { $0.pool == quota.pool && $0.contract == quota.contract }
            return QuotaRow(
                pool: quota.pool, contract: quota.contract, limitAccounts: quota.accounts + (held?.accounts ?? 0),
                limitExposure: quota.exposureMax.map { $0 + (held?.exposure ?? 0) })
        }
        let planned = Set(allocation.quotas.map { Held(pool: $0.pool, contract: $0.contract) })
        for row in holdings where !planned.contains(Held(pool: row.pool, contract: row.contract)) {
            let isLimiting = contracts[row.contract]?.exposure.isLimiting ?? false
            rows.append(
                QuotaRow(
                    pool: row.pool, contract: row.contract, limitAccounts: row.accounts,
                    limitExposure: isLimiting ? row.exposure : nil))
        }
        return rows
    }

    private struct Held: Hashable {
        let pool: PoolKey
        let contract: ContractID
    }

    /// SHA-256 over the seed, the segmentation and every quota: two plans of one digest deal the same.
    var digest: [UInt8] {
        var hash = SHA256()
        hash.update(data: Array("plan seed=\(seed) segmentation=\(LedgerTree.hex(segmentation.digest))\n".utf8))
        for quota in allocation.quotas {
            let exposure = quota.exposureMax.map(String.init) ?? "none"
            hash.update(
                data: Array("\(quota.pool.words) contract=\(quota.contract) \(quota.accounts) \(exposure)\n".utf8))
        }
        return Array(hash.finalize())
    }
}

extension PoolKey {
    /// As in reports and in the ledger.
    var words: String { "delegation=\(delegation) strategy=\(strategy.name) portfolio=\(portfolio.name)" }
}
