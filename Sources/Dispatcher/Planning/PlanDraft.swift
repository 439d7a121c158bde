// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// A period's quotas as they follow from what is in the tables now. Writes nothing.
struct PlanDraft {
    let policy: Policy
    let segmentation: SegmentationRow
    let seed: Int64
    let input: PlanInput
    /// Verified against the input.
    let plan: AllocationPlan
    /// How far limits pass the quotas where hands are shared.
    let sharedRoom: SharedRoom
    let parts: PoolParts
    let settings: PlanSettingsFile
    let contracts: [ContractID: ContractRow]
    /// All penalty schedules, by name.
    let penalties: [String: [Schedule]]
    let warnings: [String]

    /// - Throws: ``CommandFailure`` (usage) where the period cannot be planned: closed, not segmented, or overtaken.
    static func make(
        _ link: PgLink, period: Period, seed: Int64, settings: PlanSettingsFile? = nil
    ) throws -> PlanDraft {
        let store = PlanningStore(link, period: period, cut: SegmentationRun.cutDay(period))
        try checkPeriod(store)
        let (segmentation, file) = try placements(link, period: period)
        guard segmentation.placed > 0 else {
            throw CommandFailure(
                .usage, "the segmentation of \(period) places no account, so there is nothing to plan",
                remedy: "Check the cut and the policy, and segment again")
        }
        let supply = try PlanSupply.read(store, settings: settings)
        let penalties = try link.readSchedules("penalty")
        // Amounts are asked for where a bond covers accounts by them.
        let parts = PoolParts(
            try store.demands(
                banned: supply.settings.settings.bannedMunicipalities,
                amounts: supply.planned.contains { $0.exposure.isLimiting }), byFormer: false)
        var (input, experiments) = try supply.input(parts.demands).amended(link, period: period)
        let suspensions = try link.readSuspensions()
        for index in input.contracts.indices {
            let packs = supply.contracts[input.contracts[index].contract]?.packs ?? []
            parts.restrict(&input.contracts[index], suspensions, packs: packs)
        }
        let plan = try verified(input)
        return PlanDraft(
            policy: try file.policy(for: period), segmentation: segmentation, seed: seed, input: input,
            plan: plan, sharedRoom: try sharedRoom(plan, input), parts: parts, settings: supply.settings,
            contracts: supply.contracts, penalties: penalties,
            warnings: supply.warnings + idle(supply, input) + ending(supply, plan, period) + experiments
                + PlanWords(supply.contracts).warnings(input) + PlanWords.warnings(plan))
    }

    /// Strategies that go empty, with the contracts that are made for them.
    private static func idle(_ supply: PlanSupply, _ input: PlanInput) -> [String] {
        var waiting: [Strategy: Int64] = [:]
        for demand in input.demands {
            waiting[demand.cell.pool.strategy, default: 0] += demand.accounts + demand.banned
        }
        return IdleStrategies(supply.taking).undealtWords(waiting: { waiting[$0] ?? 0 })
    }

    /// Contracts that are dealt a whole month's accounts and end within it.
    private static func ending(_ supply: PlanSupply, _ plan: AllocationPlan, _ period: Period) -> [String] {
        var accounts: [ContractID: Int64] = [:]
        for quota in plan.quotas { accounts[quota.key.contract, default: 0] += quota.accounts }
        return supply.planned.compactMap { contract in
            guard contract.lastDay < period.lastDay, let count = accounts[contract.contract], count > 0 else {
                return nil
            }
            return
                "contract \(contract.contract) of \(contract.agency) ends on \(contract.lastDay), within the month: what it has not "
                + "pulled by then of \(Words.counted(count, "account")) is dealt to others afterwards"
        }
    }

    /// An applied plan as it was kept, whatever is in the other tables by now.
    ///
    /// - Throws: ``CommandFailure``: usage where it was made before plans were kept with what they were made from, or its
    ///   settings are of another version; environment where its record cannot be read.
    static func recorded(_ link: PgLink, _ row: PlanProofStore.Row) throws -> PlanDraft {
        let period = row.period
        let proof = try PlanProof(text: PlanRecord.recorded(row).body)
        let (segmentation, file) = try placements(link, period: period)
        let contracts = try PlanningStore(link, period: period, cut: SegmentationRun.cutDay(period)).contracts()
        let rows = Dictionary(uniqueKeysWithValues: contracts.map { ($0.contract, $0) })
        return PlanDraft(
            policy: try file.policy(for: period), segmentation: segmentation, seed: proof.seed, input: proof.input,
            plan: proof.plan,
            sharedRoom: SharedRoom(proof.input, planned: proof.plan.byPool, bonds: proof.plan.bondsByPool),
            parts: PoolParts(recorded: proof.input.demands),
            settings: try PlanSettingsBook(link).kept(digest: proof.settings), contracts: rows,
            penalties: try link.readSchedules("penalty"),
            warnings: PlanWords(rows).warnings(proof.input) + PlanWords.warnings(proof.plan))
    }

    /// Accounts that wait to be dealt.
    var waiting: Int64 { input.demands.reduce(0) { $0 + $1.accounts + $1.banned } }
    var assigned: Int64 { plan.quotas.reduce(0) { $0 + $1.accounts } }

    /// What is to be said before everything else: where nobody takes any of the accounts that wait.
    var alarm: String? {
        guard waiting > 0, assigned == 0 else { return nil }
        let reasons = plan.unplaced.reduce(into: [String: Int64]()) {
            $0[$1.reason.rawValue, default: 0] += $1.accounts
        }
        let words = reasons.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map {
            "\($0.key) \(Console.grouped(Int($0.value)))"
        }
        return
            "this plan deals nothing: nobody takes any of \(Words.counted(waiting, "account")) that \(waiting == 1 ? "waits" : "wait") "
            + "(\(words.joined(separator: ", ")))"
    }

    /// Plans, and has the plan verified by what shares no code with the planner.
    static func verified(_ input: PlanInput) throws -> AllocationPlan {
        let plan: AllocationPlan
        do {
            plan = try AllocationPlan(input)
        } catch {
            throw PlanWords.failure(error, of: input.targets)
        }
        if let fault = PlanCheck(plan, of: input).faults.first {
            throw CommandFailure(
                .environment, "the plan contradicts its own check: \(fault)",
                remedy: "Nothing is written; this is a fault of the program, please report it with these numbers")
        }
        return plan
    }

    /// Widens the quotas of shared pools, and has all limits verified together.
    private static func sharedRoom(_ plan: AllocationPlan, _ input: PlanInput) throws -> SharedRoom {
        let planned = plan.byPool
        let room = SharedRoom(input, planned: planned, bonds: plan.bondsByPool)
        var limits = planned.merging(room.extra, uniquingKeysWith: +)
        for contract in input.contracts {
            for (cell, held) in contract.held {
                limits[PlanKey(cell: cell, contract: contract.contract), default: 0] += held.accounts
            }
        }
        if let fault = LimitCheck(limits, of: input).faults.first {
            throw CommandFailure(
                .environment, "the plan contradicts its own check: \(fault)",
                remedy: "Nothing is written; this is a fault of the program, please report it with these numbers")
        }
        return room
    }

    static func checkPeriod(_ store: PlanningStore) throws {
        guard let state = try store.lockPeriods() else {
            throw CommandFailure(
                .usage, "\(store.period) has no cut",
                remedy: "Import one: dispatcherd import cut FILE --period \(store.period)")
        }
        guard state == "open" else {
            throw CommandFailure(.usage, "\(store.period) is \(state)", remedy: "Plan an open period")
        }
        try refuseLater(store, remedy: "Periods are planned in order")
    }

    /// What a later month is planned by is not changed under it.
    static func refuseLater(_ store: PlanningStore, remedy: String) throws {
        guard let later = try store.laterPlan() else { return }
        guard later.state == "applied" else {
            throw CommandFailure(
                .usage, "plan \(later.id) of \(later.period) is \(later.state) already",
                remedy: "\(remedy); or take that one back: dispatcherd plan discard --period \(later.period)")
        }
        throw CommandFailure(
            .usage, "a plan of \(later.period) is applied already",
            remedy: "\(remedy): choose one after \(later.period)")
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

    /// The plan with all that it was made from.
    var proof: PlanProof {
        PlanProof(
            seed: seed, segmentation: segmentation.digest, settings: settings.digest, input: input, plan: plan)
    }

    var quotaRows: [QuotaRow] { proof.limits }
    var digest: [UInt8] { proof.digest }
}
