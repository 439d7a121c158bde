// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// What one policy comes to over a whole cut, gathered delegation by delegation: verdicts, pools, sessions.
struct WhatIfSide: Sendable {
    private let table: VerdictTable
    private(set) var codes: [Int32: VerdictTotals] = [:]
    private(set) var sessions = PolicyTrial.Sessions()
    /// Placed accounts, by where their advisers work.
    private(set) var stations: [Station: Int64] = [:]
    /// Placed accounts that no plan would deal, because they are held or stopped.
    private(set) var undealable: Int64 = 0
    private var waiting: [PoolKey: [Int16: VerdictTotals]] = [:]

    init(_ table: VerdictTable) { self.table = table }

    mutating func add(_ slice: PolicyTrial.Slice, _ outcome: PolicyTrial.Outcome) {
        sessions += outcome.sessions
        var all = [VerdictTotals](repeating: VerdictTotals(), count: table.count)
        let classes = Int(outcome.priorities.max() ?? 0) + 1
        var left = [VerdictTotals](repeating: VerdictTotals(), count: table.count * classes)
        var next = 0
        for index in slice.accounts.indices {
            let code = Int(outcome.codes[index])
            all[code].add(overdue: slice.overdue[index], balance: slice.balance[index])
            while next < slice.undealable.count, slice.undealable[next] < slice.accounts[index] { next += 1 }
            guard next < slice.undealable.count, slice.undealable[next] == slice.accounts[index] else {
                // A pool counts every amount as 0 or more.
                left[code * classes + Int(outcome.priorities[index])].add(
                    overdue: max(slice.overdue[index], 0), balance: max(slice.balance[index], 0))
                continue
            }
            if outcome.priorities[index] > 0 { undealable += 1 }
        }
        for (code, totals) in all.enumerated() where totals.accounts > 0 {
            put(Int32(code), totals, delegation: slice.delegation)
        }
        for (place, totals) in left.enumerated() where totals.accounts > 0 {
            guard let key = pool(Int32(place / classes), slice.delegation) else { continue }
            waiting[key, default: [:]][Int16(place % classes), default: VerdictTotals()] += totals
        }
    }

    private mutating func put(_ code: Int32, _ totals: VerdictTotals, delegation: Delegation) {
        codes[code, default: VerdictTotals()] += totals
        guard let portfolio = table.verdict(code).portfolio else { return }
        stations[Station(delegation: delegation, portfolio: portfolio), default: 0] += totals.accounts
    }

    private func pool(_ code: Int32, _ delegation: Delegation) -> PoolKey? {
        let verdict = table.verdict(code)
        guard let strategy = verdict.kind.strategy, let portfolio = verdict.portfolio else { return nil }
        return PoolKey(delegation: delegation, strategy: strategy, portfolio: portfolio)
    }

    /// What a plan would be made from.
    var demands: [PlanDemand] {
        waiting.map { key, classes in
            PlanDemand(
                cell: PlanCell(key),
                classes: classes.map { priority, totals in
                    PlanDemand.PriorityClass(
                        priority: priority, accounts: totals.accounts, overdue: Int64(clamping: totals.overdue),
                        balance: Int64(clamping: totals.balance))
                }.sorted { $0.priority < $1.priority })
        }
    }

    /// By rule, portfolios together.
    var kinds: [Verdict.Kind: VerdictTotals] {
        var kinds: [Verdict.Kind: VerdictTotals] = [:]
        for (code, totals) in codes { kinds[table.verdict(code).kind, default: VerdictTotals()] += totals }
        return kinds
    }

    /// By strategy.
    var strategies: [Strategy: VerdictTotals] {
        var found: [Strategy: VerdictTotals] = [:]
        for (kind, totals) in kinds {
            if let strategy = kind.strategy { found[strategy, default: VerdictTotals()] += totals }
        }
        return found
    }

    /// By tactic, over all strategies.
    var tactics: [String: VerdictTotals] {
        var found: [String: VerdictTotals] = [:]
        for (kind, totals) in kinds {
            if case .placed(_, let tactic) = kind { found[tactic, default: VerdictTotals()] += totals }
        }
        return found
    }

    /// All that is placed.
    var placed: VerdictTotals {
        strategies.values.reduce(into: VerdictTotals()) { $0 += $1 }
    }
}
