// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import Crypto
internal import PgStore

/// A period's quotas as they follow from what is in the tables now. Writes nothing.
struct PlanDraft {
    let policy: Policy
    let segmentation: SegmentationRow
    let seed: Int64
    let input: PlanInput
    /// Verified against the input.
    let plan: AllocationPlan
    let contracts: [ContractID: ContractRow]
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
        let input = try supply.input(try store.demands()).amended(link, period: period)
        return PlanDraft(
            policy: try file.policy(for: period), segmentation: segmentation, seed: seed, input: input,
            plan: try verified(input), contracts: supply.contracts, holdings: supply.holdings,
            warnings: supply.warnings + PlanWords(supply.contracts).warnings(input))
    }

    /// Plans, and has the plan verified by what shares no code with the planner.
    static func verified(_ input: PlanInput) throws -> AllocationPlan {
        let plan: AllocationPlan
        do {
            plan = try AllocationPlan(input)
        } catch {
            throw PlanWords.failure(error)
        }
        if let fault = PlanCheck(plan, of: input).faults.first {
            throw CommandFailure(
                .environment, "the plan contradicts its own check: \(fault)",
                remedy: "Nothing is written; this is a fault of the program, please report it with these numbers")
        }
        return plan
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
        var limits: [Place: (accounts: Int64, exposure: Int64?)] = [:]
        for row in holdings {
            let isLimiting = contracts[row.contract]?.exposure.isLimiting ?? false
            limits[Place(pool: row.pool, contract: row.contract)] = (row.accounts, isLimiting ? row.exposure : nil)
        }
        for quota in plan.quotas {
            let place = Place(pool: quota.key.cell.pool, contract: quota.key.contract)
            let before = limits[place] ?? (0, nil)
            limits[place] = (
                before.accounts + quota.accounts, quota.exposureMax.map { $0 + (before.exposure ?? 0) }
            )
        }
        return limits.keys.sorted().compactMap { place in
            limits[place].map {
                QuotaRow(
                    pool: place.pool, contract: place.contract, limitAccounts: $0.accounts,
                    limitExposure: $0.exposure)
            }
        }
    }

    private struct Place: Hashable, Comparable {
        let pool: PoolKey
        let contract: ContractID

        static func < (left: Place, right: Place) -> Bool {
            (left.pool, left.contract) < (right.pool, right.contract)
        }
    }

    /// SHA-256 over the seed, the segmentation and every quota: two plans of one digest deal the same.
    var digest: [UInt8] {
        var hash = SHA256()
        hash.update(data: Array("plan seed=\(seed) segmentation=\(LedgerTree.hex(segmentation.digest))\n".utf8))
        for quota in plan.quotas {
            let exposure = quota.exposureMax.map(String.init) ?? "none"
            let (cell, contract) = (quota.key.cell, quota.key.contract)
            var line = "\(cell.pool.words) contract=\(contract) \(quota.accounts) \(exposure)"
            if cell.band != 0 { line += " band=\(cell.band)" }
            if quota.arm != 0 { line += " arm=\(quota.arm)" }
            hash.update(data: Array("\(line)\n".utf8))
        }
        return Array(hash.finalize())
    }
}

extension PoolKey {
    /// As in reports and in the ledger.
    var words: String { "delegation=\(delegation) strategy=\(strategy.name) portfolio=\(portfolio.name)" }
}
