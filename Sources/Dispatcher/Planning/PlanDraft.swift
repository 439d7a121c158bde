// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import Crypto
internal import PgStore

/// A period's quotas as they follow from what is in the tables now. Writes nothing.
struct PlanDraft {
    let policy: Policy
    let segmentation: SegmentationRow
    let seed: Int64
    let pools: [Pool]
    let contracts: [ContractID: ContractRow]
    let allocation: Allocation
    let holdings: [HoldingRow]
    let warnings: [String]

    /// - Throws: ``CommandFailure`` (usage) where the period cannot be planned: closed, not segmented, or overtaken.
    static func make(_ link: PgLink, period: Period, seed: Int64) throws -> PlanDraft {
        let store = PlanningStore(link, period: period, cut: SegmentationRun.cutDay(period))
        try checkPeriod(store)
        let (segmentation, file) = try placements(link, period: period)
        guard segmentation.placed > 0 else {
            throw CommandFailure(
                .usage, "the segmentation of \(period) places no account, so there is nothing to plan",
                remedy: "Check the cut and the policy, and segment again")
        }
        let supply = try PlanSupply.read(store)
        let pools = try store.pools()
        return PlanDraft(
            policy: try file.policy(for: period), segmentation: segmentation, seed: seed, pools: pools,
            contracts: supply.contracts,
            allocation: Allocation(pools: pools, contracts: supply.rooms), holdings: supply.holdings,
            warnings: supply.warnings)
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

    /// What placed the period, and the policy behind it.
    static func placements(_ link: PgLink, period: Period) throws -> (SegmentationRow, PolicyFile) {
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
