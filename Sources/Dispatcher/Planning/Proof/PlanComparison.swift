// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// Two plans side by side: who gets more, who fewer, and what is left.
package struct PlanComparison: Encodable, Sendable {
    package struct Row: Encodable, Sendable {
        package let what: String
        package let before: Int64
        package let after: Int64
    }
    package struct Quota: Encodable, Sendable {
        package let delegation: Int16
        package let strategy: String
        package let portfolio: String
        package let contract: Int32
        package let agency: String
        /// With what is held.
        package let before: Int64
        package let after: Int64
        package let bindingBefore: String?
        package let bindingAfter: String?
    }

    package let before: String
    package let after: String
    package let totals: [Row]
    package let strategies: [Row]
    package let agencies: [Row]
    package let unplaced: [Row]
    /// Quotas that differ, the largest difference first.
    package let quotas: [Quota]

    init(_ before: Side, _ after: Side) {
        self.before = before.name
        self.after = after.name
        self.totals = [
            Row(what: "waiting", before: before.waiting, after: after.waiting),
            Row(what: "to be dealt", before: before.assigned, after: after.assigned),
            Row(what: "held", before: before.held, after: after.held),
            Row(what: "weight", before: before.plan.weight, after: after.plan.weight),
        ]
        self.strategies = Self.rows(before.byStrategy, after.byStrategy)
        self.agencies = Self.rows(before.byAgency, after.byAgency)
        self.unplaced = Self.rows(before.byReason, after.byReason)
        self.quotas = Self.quotas(before, after)
    }

    /// One of both.
    struct Side {
        let name: String
        let plan: AllocationPlan
        let input: PlanInput

        var waiting: Int64 { input.demands.reduce(0) { $0 + $1.accounts + $1.banned } }
        var assigned: Int64 { plan.quotas.reduce(0) { $0 + $1.accounts } }
        /// Of all pools, also of those in which nothing waits.
        var held: Int64 { input.contracts.reduce(0) { $0 + $1.held.values.reduce(0) { $0 + $1.accounts } } }

        var byStrategy: [String: Int64] { sums { $0.key.cell.pool.strategy.name } }
        var byAgency: [String: Int64] {
            let agencies = self.agencies
            return sums { agencies[$0.key.contract] ?? "" }
        }
        var byReason: [String: Int64] {
            plan.unplaced.reduce(into: [:]) { $0[$1.reason.rawValue, default: 0] += $1.accounts }
        }
        var agencies: [ContractID: String] {
            Dictionary(input.contracts.map { ($0.contract, $0.agency.description) }) { first, _ in first }
        }
        var byKey: [PlanKey: AllocationPlan.Quota] {
            Dictionary(plan.quotas.map { ($0.key, $0) }) { first, _ in first }
        }
        /// What is to be dealt and what is held together, also of those who take no part and of pools in which nothing waits.
        var accountsByKey: [PlanKey: Int64] {
            var accounts: [PlanKey: Int64] = [:]
            for contract in input.contracts {
                for (cell, held) in contract.held {
                    accounts[PlanKey(cell: cell, contract: contract.contract), default: 0] += held.accounts
                }
            }
            for quota in plan.quotas { accounts[quota.key, default: 0] += quota.accounts }
            return accounts
        }

        private func sums(_ key: (AllocationPlan.Quota) -> String) -> [String: Int64] {
            plan.quotas.reduce(into: [:]) { $0[key($1), default: 0] += $1.accounts }
        }
    }

    private static func rows(_ before: [String: Int64], _ after: [String: Int64]) -> [Row] {
        Set(before.keys).union(after.keys).sorted().map {
            Row(what: $0, before: before[$0] ?? 0, after: after[$0] ?? 0)
        }
    }

    private static func quotas(_ before: Side, _ after: Side) -> [Quota] {
        let (old, new) = (before.byKey, after.byKey)
        let (accountsBefore, accountsAfter) = (before.accountsByKey, after.accountsByKey)
        let agencies = before.agencies.merging(after.agencies) { first, _ in first }
        let all = Set(accountsBefore.keys).union(accountsAfter.keys).sorted().map { key in
            Quota(
                delegation: key.cell.pool.delegation.value, strategy: key.cell.pool.strategy.name,
                portfolio: key.cell.pool.portfolio.name, contract: key.contract.value,
                agency: agencies[key.contract] ?? "", before: accountsBefore[key] ?? 0,
                after: accountsAfter[key] ?? 0, bindingBefore: old[key]?.binding.rawValue,
                bindingAfter: new[key]?.binding.rawValue)
        }
        return all.enumerated().filter { $1.before != $1.after }
            .sorted { left, right in
                let (a, b) = (
                    abs(left.element.after - left.element.before), abs(right.element.after - right.element.before)
                )
                return (b, left.offset) < (a, right.offset)
            }
            .map(\.element)
    }

    // MARK: - For people

    private static let quotasShown = 20

    package var lines: [String] {
        var table = TextTable(columns: [.left, .right, .right, .right])
        table.row(["", before, after, ""])
        for row in totals { table.row(cells(row)) }
        for (title, rows) in [("to be dealt, by strategy", strategies), ("to be dealt, by agency", agencies)] {
            table.row([title, "", "", ""])
            for row in rows { table.row(cells(row, indent: "  ")) }
        }
        if !unplaced.isEmpty { table.row(["unassigned", "", "", ""]) }
        for row in unplaced { table.row(cells(row, indent: "  ")) }
        var lines = table.lines
        lines.append("")
        lines.append(quotas.isEmpty ? "no quota differs" : "quotas that differ, with what is held: \(quotas.count)")
        lines += quotas.prefix(Self.quotasShown).map { quota in
            "  delegation \(quota.delegation), \(quota.strategy), \(quota.portfolio), contract \(quota.contract) "
                + "\(quota.agency): \(quota.before) -> \(quota.after)" + binding(quota)
        }
        if quotas.count > Self.quotasShown {
            lines.append("  and \(quotas.count - Self.quotasShown) more; --json has all")
        }
        return lines
    }

    private func cells(_ row: Row, indent: String = "") -> [String] {
        let change = row.after - row.before
        return [
            indent + row.what, Console.grouped(Int(row.before)), Console.grouped(Int(row.after)),
            change == 0 ? "" : (change > 0 ? "+" : "-") + Console.grouped(Int(abs(change))),
        ]
    }

    private func binding(_ quota: Quota) -> String {
        guard let now = quota.bindingAfter, now != "share" else { return "" }
        return ", limit: \(now)"
    }
}
