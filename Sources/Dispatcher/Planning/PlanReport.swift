// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// A plan for people and programs: who gets how many of each pool, what kept them from more, and what is left.
package struct PlanReport: Encodable, Sendable {
    package enum State: String, Encodable, Sendable {
        case preview, applied, unchanged
        /// One person wants it; the settings ask for two.
        case awaiting
    }

    package struct Quota: Encodable, Sendable {
        package let contract: Int32
        package let agency: String
        /// To be dealt.
        package let accounts: Int64
        /// Held from earlier periods; the limit in force is the sum, where hands are shared ``limit``.
        package let held: Int64
        /// What it may hold at most, where it pulls from a shared hand, first come first served.
        package let limit: Int64?
        /// The target in accounts, what is held included, and as a percentage of what waits and is held.
        package let target: Int64
        package let targetShare: String
        /// What dealt and held accounts together are of what waits and is held.
        package let share: String
        /// The limit that an earlier period's plan set; 0 where there was none.
        package let lastMonth: Int64
        /// Dealt and held accounts together less ``lastMonth``; absent where the pool is in parts, whose limits were not
        /// set one by one.
        package let change: Int64?
        package let binding: String
        /// Of an experiment; 0: none.
        package let arm: Int16
        /// Pesos of so many accounts of the pool's mean; absent where the contract's basis is none.
        package let exposureExpected: String?
        package let exposureMax: String?
    }
    package struct PoolLine: Encodable, Sendable {
        package let delegation: Int16
        package let delegationName: String
        package let strategy: String
        package let portfolio: String
        /// 0: the pool itself, or what of it everybody may have.
        package let band: Int16
        /// What the part is: `band containment`, `no visits under fna`; absent for the pool itself.
        package let part: String?
        package let accounts: Int64
        package let quotas: [Quota]
        package let unassigned: [Left]
    }
    package struct Left: Encodable, Sendable {
        package let reason: String
        package let accounts: Int64
    }
    /// Advisers of one contract in one place. `missing` is against those present, or committed where nobody counted;
    /// `penalty` what PEN-01 would charge for them at the close, in pesos.
    package struct Staffing: Encodable, Sendable {
        package let delegation: Int16
        package let portfolio: String
        package let contract: Int32
        package let agency: String
        package let accounts: Int64
        package let needed: Int64
        package let committed: Int64
        package let present: Int64?
        package let missing: Int64
        package let penalty: String?
    }
    /// A bond against what is to cover it, in pesos.
    package struct Bond: Encodable, Sendable {
        package let contract: Int32
        package let agency: String
        package let bond: String
        /// What of an account it covers: `overdue` or `total`.
        package let basis: String
        /// Of what is held, and of what is to be dealt, each account counted as its pool's mean.
        package let held: String
        package let dealt: String
        /// Below zero where more is held than the bond covers.
        package let left: String
        /// How many of the contract's quotas it binds, and how many there are.
        package let binds: Int
        package let quotas: Int
    }
    /// Limits of all contracts and pools together, against last month.
    package struct Change: Encodable, Sendable {
        package let more: Int64
        package let fewer: Int64
    }
    /// What a little more of a scarce limit would place.
    package struct Worth: Encodable, Sendable {
        package let limit: String
        package let more: String
        package let accounts: Int64
        /// The same, each account times the weight of its class.
        package let weight: Int64
        /// Of a bond: the weight that one peso more is worth at most, as the plan's certificate proves.
        package let perPeso: String?
    }
    package struct Dealt: Encodable, Sendable {
        package let hands: Int
        package let accounts: Int64
        /// Accounts that the plan placed and the dealing could not: no bond had room to the centavo, or nobody who may
        /// have them.
        package let left: [Left]
        /// Why contracts got the accounts that they got: `share`, `promise`, `together`, `rotation`, `search`.
        package let reasons: [Left]
        /// Credits whose debtor has others with an agency that had no room for them.
        package let apart: Int64
        package let earlierHandsClosed: Int
        /// What agencies were dealt and had taken back at once; in ``accounts`` all the same.
        package var withheld: [Withheld] = []
        /// How many accounts were dealt to others then; `nil` where nothing was taken back, or nothing could be dealt.
        package var passedOn: Int64?
        /// What of it waits on, and why.
        package var waiting: String?
    }
    /// An agency was ordered to get nothing, of all, a strategy or a band, while the plan was dealt.
    package struct Withheld: Encodable, Sendable {
        package let agency: String
        package let strategy: String?
        package let band: String?
        /// `hold`, `termination` or `suspension`.
        package let reason: String
        package let accounts: Int64
    }

    package let state: State
    package let plan: Int64?
    package let period: String
    package let policy: String
    package let seed: Int64
    package let segmentationDigest: String
    /// The plan settings that it goes by.
    package let settings: String
    package let settingsDigest: String
    package let digest: String
    package let pools: [PoolLine]
    package let warnings: [String]
    /// Who applied it, or wants to.
    package let persons: [String]
    /// When it was applied; absent before that.
    package let appliedAt: String?
    /// Of a preview: whether ``plan`` is in force already, so that this one cannot be.
    package let isApplied: Bool
    /// Said before everything else: a plan that deals nothing although accounts wait.
    package let alarm: String?
    /// Of a preview what would be dealt; absent where it was not tried, or a plan is applied.
    package let dealt: Dealt?
    /// Held accounts that another strategy takes now, or none: notice of a recall was given of so many, or will be.
    package let recalled: Int
    /// Over all pools.
    package let accounts: Int64
    package let assigned: Int64
    package let unassigned: [Left]
    package let staffing: [Staffing]
    /// Of contracts whose bond limits them.
    package let bonds: [Bond]
    /// Absent where no earlier month was planned.
    package let change: Change?
    /// Of a preview only.
    package let worth: [Worth]
    /// Accounts placed, each times the weight of its class; and what no plan can pass.
    package let weight: Int64
    package let bound: Int64

    init(
        _ draft: PlanDraft, period: Period, state: State, plan: Int64?, dealt: Dealt?, persons: [String] = [],
        recalled: Int = 0, isApplied: Bool = false, appliedAt: String? = nil
    ) {
        self.state = state
        self.plan = plan
        self.period = period.description
        self.policy = "\(draft.segmentation.policy) \(draft.segmentation.policyVersion)"
        self.seed = draft.seed
        self.segmentationDigest = LedgerTree.hex(draft.segmentation.digest)
        self.settings = draft.settings.settings.name
        self.settingsDigest = LedgerTree.hex(draft.settings.digest)
        self.digest = LedgerTree.hex(draft.digest)
        self.warnings = draft.warnings
        self.persons = persons
        self.appliedAt = appliedAt
        self.isApplied = isApplied || state == .unchanged || state == .applied
        self.alarm = draft.alarm
        self.recalled = recalled
        self.dealt = dealt
        self.pools = Self.pools(draft)
        self.accounts = pools.reduce(0) { $0 + $1.accounts }
        self.assigned = draft.plan.quotas.reduce(0) { $0 + $1.accounts }
        self.unassigned = Self.left(draft.plan.unplaced)
        self.staffing = PlanStaffing(
            draft.contracts.values, penalties: draft.penalties, firstDay: draft.input.firstDay
        ).lines(draft.plan, draft.input)
        self.bonds = Self.bonds(draft)
        self.change = Self.change(draft)
        self.worth = state == .preview ? PlanScarcity(draft.plan, draft.input).lines : []
        self.weight = draft.plan.weight
        self.bound = draft.plan.bound
    }

    private static func pools(_ draft: PlanDraft) -> [PoolLine] {
        let quotas = Dictionary(grouping: draft.plan.quotas, by: \.key.cell)
        let left = Dictionary(grouping: draft.plan.unplaced, by: \.cell)
        let limits = sharedLimits(draft)
        let parts = Dictionary(draft.input.demands.map { ($0.cell.pool, 1) }, uniquingKeysWith: +)
        return draft.input.demands.sorted { $0.cell < $1.cell }.map { demand in
            let mine = quotas[demand.cell] ?? []
            let pool = demand.cell.pool
            let base = demand.accounts + mine.reduce(0) { $0 + $1.held }
            return PoolLine(
                delegation: pool.delegation.value, delegationName: pool.delegation.name,
                strategy: pool.strategy.name, portfolio: pool.portfolio.name, band: demand.cell.band,
                part: demand.cell.band == 0 ? nil : draft.parts.words(demand.cell.band),
                accounts: demand.accounts + demand.banned,
                quotas: mine.map { quota($0, base: base, isWhole: parts[pool] == 1, draft, limits) },
                unassigned: Self.left(left[demand.cell] ?? []))
        }
    }

    private static func left(_ unplaced: [AllocationPlan.Unplaced]) -> [Left] {
        let counts = unplaced.reduce(into: [String: Int64]()) { $0[$1.reason.rawValue, default: 0] += $1.accounts }
        return counts.keys.sorted().map { Left(reason: $0, accounts: counts[$0] ?? 0) }
    }

    /// What whoever pulls of a shared hand may hold at most, by pool and contract.
    private static func sharedLimits(_ draft: PlanDraft) -> [PlanKey: Int64] {
        var limits = draft.sharedRoom.extra
        for quota in draft.plan.quotas {
            limits[PlanKey(cell: PlanCell(quota.key.cell.pool), contract: quota.key.contract)]? +=
                quota.accounts + quota.held
        }
        return limits
    }

    private static func quota(
        _ quota: AllocationPlan.Quota, base: Int64, isWhole: Bool, _ draft: PlanDraft, _ limits: [PlanKey: Int64]
    ) -> Quota {
        Quota(
            contract: quota.key.contract.value,
            agency: draft.contracts[quota.key.contract]?.agency.description ?? "",
            accounts: quota.accounts, held: quota.held,
            limit: limits[PlanKey(cell: PlanCell(quota.key.cell.pool), contract: quota.key.contract)],
            target: quota.target,
            targetShare: PlanWords.percent(quota.part),
            share: PlanWords.percent(base > 0 ? (quota.accounts + quota.held) * ShareTarget.whole / base : 0),
            lastMonth: quota.lastMonth, change: isWhole ? quota.accounts + quota.held - quota.lastMonth : nil,
            binding: quota.binding.rawValue, arm: quota.arm,
            exposureExpected: quota.exposureMax.map { _ in Cents(quota.exposureExpected).description },
            exposureMax: quota.exposureMax.map { Cents($0).description })
    }

    private static func bonds(_ draft: PlanDraft) -> [Bond] {
        let quotas = Dictionary(grouping: draft.plan.quotas, by: \.key.contract)
        return draft.input.contracts.filter(\.exposure.isLimiting).sorted { $0.contract < $1.contract }.compactMap {
            contract in
            let mine = quotas[contract.contract] ?? []
            let held = contract.held.values.reduce(0) { $0 + $1.exposure }
            guard !mine.isEmpty || held > 0 else { return nil }
            let dealt = mine.reduce(0) { $0 + $1.exposureExpected }
            return Bond(
                contract: contract.contract.value, agency: contract.agency.description,
                bond: Cents(contract.bond).description, basis: contract.exposure.basis.rawValue,
                held: Cents(held).description, dealt: Cents(dealt).description,
                left: Cents(contract.bond - held - dealt).description,
                binds: mine.count { $0.binding == .bond }, quotas: mine.count)
        }
    }

    /// By pool and contract, so that whoever had a limit and has none now is counted too.
    private static func change(_ draft: PlanDraft) -> Change? {
        guard draft.input.lastMonth.values.contains(where: { $0 > 0 }) else { return nil }
        var differences: [PlanKey: Int64] = [:]
        func add(_ accounts: Int64, _ cell: PlanCell, _ contract: ContractID) {
            differences[PlanKey(cell: PlanCell(cell.pool), contract: contract), default: 0] += accounts
        }
        for (key, limit) in draft.input.lastMonth { add(-limit, key.cell, key.contract) }
        for quota in draft.plan.quotas { add(quota.accounts, quota.key.cell, quota.key.contract) }
        for contract in draft.input.contracts {
            for (cell, held) in contract.held { add(held.accounts, cell, contract.contract) }
        }
        return Change(
            more: differences.values.reduce(0) { $0 + max(0, $1) },
            fewer: differences.values.reduce(0) { $0 + max(0, -$1) })
    }
}
