// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// A plan for people and programs: who gets how many of each pool, what kept them from more, and what is left.
package struct PlanReport: Encodable, Sendable {
    package enum State: String, Encodable, Sendable { case preview, applied, unchanged }

    package struct Quota: Encodable, Sendable {
        package let contract: Int32
        package let agency: String
        package let accounts: Int64
        /// Held from earlier periods; the limit in force is the sum.
        package let held: Int64
        package let binding: String
        /// Pesos of so many accounts of the pool's mean; absent where the contract's basis is none.
        package let exposureExpected: String?
        package let exposureMax: String?
    }
    package struct PoolLine: Encodable, Sendable {
        package let delegation: Int16
        package let delegationName: String
        package let strategy: String
        package let portfolio: String
        package let accounts: Int64
        package let quotas: [Quota]
        package let unassigned: Int64
        package let reason: String?
    }
    package struct Left: Encodable, Sendable {
        package let reason: String
        package let accounts: Int64
    }
    package struct Dealt: Encodable, Sendable {
        package let hands: Int
        package let accounts: Int64
        /// Accounts within a quota that no bond had room for, to the centavo.
        package let trimmed: Int64
        package let earlierHandsClosed: Int
    }

    package let state: State
    package let plan: Int64?
    package let period: String
    package let policy: String
    package let seed: Int64
    package let segmentationDigest: String
    package let digest: String
    package let pools: [PoolLine]
    package let warnings: [String]
    package let dealt: Dealt?
    /// Over all pools.
    package let accounts: Int64
    package let assigned: Int64
    package let unassigned: [Left]

    init(_ draft: PlanDraft, period: Period, state: State, plan: Int64?, dealt: Dealt?) {
        self.state = state
        self.plan = plan
        self.period = period.description
        self.policy = "\(draft.segmentation.policy) \(draft.segmentation.policyVersion)"
        self.seed = draft.seed
        self.segmentationDigest = LedgerTree.hex(draft.segmentation.digest)
        self.digest = LedgerTree.hex(draft.digest)
        self.warnings = draft.warnings
        self.dealt = dealt
        self.pools = Self.pools(draft)
        self.accounts = draft.pools.reduce(0) { $0 + $1.accounts }
        self.assigned = draft.allocation.quotas.reduce(0) { $0 + $1.accounts }
        var left: [String: Int64] = [:]
        for each in draft.allocation.unassigned { left[each.reason.rawValue, default: 0] += each.accounts }
        self.unassigned = left.keys.sorted().map { Left(reason: $0, accounts: left[$0] ?? 0) }
    }

    private static func pools(_ draft: PlanDraft) -> [PoolLine] {
        let quotas = Dictionary(grouping: draft.allocation.quotas, by: \.pool)
        return draft.pools.sorted { $0.key < $1.key }.map { pool in
            let left = draft.allocation.unassigned.first { $0.pool == pool.key }
            return PoolLine(
                delegation: pool.key.delegation.value, delegationName: pool.key.delegation.name,
                strategy: pool.key.strategy.name, portfolio: pool.key.portfolio.name, accounts: pool.accounts,
                quotas: (quotas[pool.key] ?? []).map { quota($0, draft) }, unassigned: left?.accounts ?? 0,
                reason: left?.reason.rawValue)
        }
    }

    private static func quota(_ quota: Allocation.Quota, _ draft: PlanDraft) -> Quota {
        let held = draft.holdings.first { $0.pool == quota.pool && $0.contract == quota.contract }
        return Quota(
            contract: quota.contract.value, agency: draft.contracts[quota.contract]?.agency.description ?? "",
            accounts: quota.accounts, held: held?.accounts ?? 0, binding: quota.binding.rawValue,
            exposureExpected: quota.exposureMax.map { _ in Cents(quota.exposureExpected).description },
            exposureMax: quota.exposureMax.map { Cents($0).description })
    }

    // MARK: - For people

    /// Every pool with its contracts.
    package var detail: [String] {
        var table = TextTable(columns: [.left, .left, .right, .left, .right, .right, .left, .left])
        table.row(["delegation, strategy", "portfolio", "placed", "contract", "quota", "", "", ""])
        var last: Int16 = 0
        for pool in pools {
            if pool.delegation != last {
                table.row(["\(pool.delegation) \(pool.delegationName)", "", "", "", "", "", "", ""])
                last = pool.delegation
            }
            let left = pool.reason.map { "\(Self.grouped(pool.unassigned)) unassigned: \($0)" } ?? ""
            table.row(["  \(pool.strategy)", pool.portfolio, Self.grouped(pool.accounts), "", "", "", "", left])
            for quota in pool.quotas {
                let bond = quota.exposureMax.map { "bond \(quota.exposureExpected ?? "") of \($0)" } ?? ""
                let held = quota.held > 0 ? "+\(Self.grouped(quota.held)) held" : ""
                table.row([
                    "", "", "", "\(quota.contract) \(quota.agency)", Self.grouped(quota.accounts), held,
                    quota.binding == "share" ? "" : "limit: \(quota.binding)", bond,
                ])
            }
        }
        return table.lines
    }

    /// The totals, what is left and why, and the warnings.
    package var summary: [String] {
        var table = TextTable(columns: [.left, .right, .right, .right])
        table.row(["", "placed", "assigned", "unassigned"])
        for strategy in Strategy.allCases.reversed() {
            let mine = pools.filter { $0.strategy == strategy.name }
            guard !mine.isEmpty else { continue }
            table.row([
                strategy.name, Self.grouped(mine.reduce(0) { $0 + $1.accounts }),
                Self.grouped(mine.reduce(0) { $0 + $1.quotas.reduce(0) { $0 + $1.accounts } }),
                Self.grouped(mine.reduce(0) { $0 + $1.unassigned }),
            ])
        }
        let left = accounts - assigned
        table.row(["all", Self.grouped(accounts), Self.grouped(assigned), Self.grouped(left)])
        var lines = table.lines
        lines += unassigned.map { "unassigned, \($0.reason): \(Self.grouped($0.accounts))" }
        if let dealt {
            lines.append("dealt: \(Self.grouped(dealt.accounts)) accounts in \(Self.grouped(Int64(dealt.hands))) hands")
            if dealt.trimmed > 0 { lines.append("trimmed by a bond's last centavo: \(Self.grouped(dealt.trimmed))") }
            if dealt.earlierHandsClosed > 0 {
                lines.append("hands of earlier periods closed: \(dealt.earlierHandsClosed)")
            }
        }
        lines += warnings.map { "warning: \($0)" }
        lines.append("seed \(seed), digests: placements \(segmentationDigest.prefix(16)), plan \(digest.prefix(16))")
        return lines
    }

    private static func grouped(_ value: Int64) -> String { Console.grouped(Int(value)) }
}
