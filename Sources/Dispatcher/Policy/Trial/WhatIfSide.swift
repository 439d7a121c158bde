// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// What one policy comes to over a whole cut: verdicts, pools, sessions.
struct WhatIfSide: Sendable {
    private let table: VerdictTable
    private(set) var codes: [Int32: VerdictTotals] = [:]
    private var delegations: [Delegation: [Int32: VerdictTotals]] = [:]
    private(set) var sessions = PolicyTrial.Sessions()
    /// Placed accounts, by where their advisers work.
    private(set) var stations: [Station: Int64] = [:]
    /// Placed accounts that no plan would deal, because they are held or stopped.
    private(set) var undealable: Int64 = 0
    private var waiting: [PoolKey: [Int16: VerdictTotals]] = [:]

    init(_ table: VerdictTable) { self.table = table }

    mutating func add(_ result: TrialResult, party: Int) {
        sessions += result.sessions[party]
        for (delegation, cells) in result.delegations {
            for (cell, totals) in cells {
                let side = cell.sides[party]
                put(side.code, totals, delegation: delegation)
                if cell.isUndealable {
                    if side.priority > 0 { undealable += totals.accounts }
                } else if let key = pool(side.code, delegation) {
                    waiting[key, default: [:]][side.priority, default: VerdictTotals()] += totals
                }
            }
        }
    }

    private mutating func put(_ code: Int32, _ totals: VerdictTotals, delegation: Delegation) {
        codes[code, default: VerdictTotals()] += totals
        delegations[delegation, default: [:]][code, default: VerdictTotals()] += totals
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
    var kinds: [Verdict.Kind: VerdictTotals] { kinds(codes) }

    func kinds(of delegation: Delegation) -> [Verdict.Kind: VerdictTotals] { kinds(delegations[delegation] ?? [:]) }

    private func kinds(_ codes: [Int32: VerdictTotals]) -> [Verdict.Kind: VerdictTotals] {
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
