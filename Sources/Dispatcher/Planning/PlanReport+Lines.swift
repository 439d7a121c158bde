// SPDX-License-Identifier: Apache-2.0

internal import Assignment

extension PlanReport {
    // MARK: - For people

    /// Every pool with its contracts.
    package var detail: [String] {
        var table = TextTable(
            columns: [.left, .left, .right, .left, .right, .right, .right, .right, .right, .left, .left])
        table.row([
            "delegation, strategy", "portfolio", "placed", "contract", "quota", "held", "share", "target", "last month",
            "", "",
        ])
        var last: Int16 = 0
        for pool in pools {
            if pool.delegation != last {
                table.row(["\(pool.delegation) \(pool.delegationName)"] + [String](repeating: "", count: 10))
                last = pool.delegation
            }
            let left = pool.unassigned.map { "\(Self.grouped($0.accounts)) unassigned: \($0.reason)" }
            table.row(
                ["  \(pool.strategy)" + (pool.part.map { ", \($0)" } ?? ""), pool.portfolio]
                    + [Self.grouped(pool.accounts), "", "", "", "", "", "", "", left.joined(separator: ", ")])
            for quota in pool.quotas { table.row(["", "", ""] + cells(quota)) }
        }
        return table.lines
    }

    /// Against the limits of last month.
    private var changes: [String] {
        let quotas = pools.flatMap(\.quotas)
        guard quotas.contains(where: { $0.lastMonth > 0 }) else { return [] }
        let differences = quotas.map { $0.accounts + $0.held - $0.lastMonth }
        let more = differences.filter { $0 > 0 }.reduce(0, +)
        let fewer = -differences.filter { $0 < 0 }.reduce(0, +)
        return ["against last month: \(Self.grouped(more)) more, \(Self.grouped(fewer)) fewer"]
    }

    /// Who has too few advisers for what the plan gives, and what more would be worth.
    private var shortages: [String] {
        let short = staffing.filter { $0.missing > 0 }
        var lines = short.prefix(20).map { line in
            "contract \(line.contract) \(line.agency), delegation \(line.delegation), \(line.portfolio): "
                + "\(line.needed) advisers needed, \(line.committed) committed"
                + (line.present.map { ", \($0) present" } ?? "") + ": PEN-01 "
                + (line.penalty.map { "\($0)" } ?? "has no price in its schedule")
        }
        if short.count > lines.count { lines.append("and \(short.count - lines.count) more short of advisers") }
        lines += worth.map { worth in
            "\(worth.limit): \(worth.more) more would place \(Self.grouped(worth.accounts)) more accounts, weight "
                + Self.grouped(worth.weight)
                + (worth.perPeso.map { "; one peso is worth \($0) of weight at most" } ?? "")
        }
        if bound > weight { lines.append("weight \(Self.grouped(weight)), no plan passes \(Self.grouped(bound))") }
        return lines
    }

    private func cells(_ quota: Quota) -> [String] {
        let bond = quota.exposureMax.map { "bond \(quota.exposureExpected ?? "") of \($0)" } ?? ""
        return [
            "\(quota.contract) \(quota.agency)" + (quota.arm > 0 ? " (arm \(quota.arm))" : ""),
            Self.grouped(quota.accounts), quota.held > 0 ? Self.grouped(quota.held) : "", quota.share,
            quota.targetShare, quota.lastMonth > 0 ? Self.grouped(quota.lastMonth) : "",
            quota.binding == "share" ? "" : "limit: \(quota.binding)",
            [quota.limit.map { "shared, up to \(Self.grouped($0))" } ?? "", bond].filter { !$0.isEmpty }
                .joined(separator: ", "),
        ]
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
                Self.grouped(mine.flatMap(\.unassigned).reduce(0) { $0 + $1.accounts }),
            ])
        }
        let left = accounts - assigned
        table.row(["all", Self.grouped(accounts), Self.grouped(assigned), Self.grouped(left)])
        var lines: [String] = []
        if let alarm { lines += ["WARNING: \(alarm)", ""] }
        if state == .preview, isApplied, let plan {
            lines += [
                "plan \(plan) of \(period) is in force, and a month is dealt once: what follows is what a plan of today's "
                    + "data would be, and cannot be applied", "",
            ]
        }
        lines += table.lines
        lines += changes + shortages
        lines += unassigned.map { "unassigned, \($0.reason): \(Self.grouped($0.accounts))" }
        if let dealt {
            lines.append("dealt: \(Self.grouped(dealt.accounts)) accounts in \(Self.grouped(Int64(dealt.hands))) hands")
            let reasons = dealt.reasons.filter { $0.reason != "share" }
            if !reasons.isEmpty {
                let words = reasons.map { "\($0.reason) \(Self.grouped($0.accounts))" }.joined(separator: ", ")
                lines.append("not by turn: \(words)")
            }
            if dealt.apart > 0 { lines.append("apart from the debtor's other credits: \(Self.grouped(dealt.apart))") }
            lines += dealt.left.map { "placed and not dealt, \($0.reason): \(Self.grouped($0.accounts))" }
            if dealt.earlierHandsClosed > 0 {
                lines.append("hands of earlier periods closed: \(dealt.earlierHandsClosed)")
            }
            lines += Self.orders(dealt)
        }
        if recalled > 0 {
            let verb = state == .applied || state == .unchanged ? "notice given" : "notice of a recall to be given"
            lines.append("\(verb) of \(Self.grouped(Int64(recalled))) held accounts whose strategy changed")
        }
        lines += Words.first(20, of: warnings.map { "warning: \($0)" })
        lines.append(
            "settings \(settings), seed \(seed), digests: placements \(segmentationDigest.prefix(16)), plan \(digest.prefix(16))"
        )
        return lines
    }

    /// What was ordered while the plan was dealt.
    private static func orders(_ dealt: Dealt) -> [String] {
        var lines = dealt.withheld.map { withheld in
            let what = [withheld.strategy, withheld.band].compactMap(\.self).joined(separator: ", ")
            return
                "\(withheld.agency) was ordered to get nothing\(what.isEmpty ? "" : " of \(what)") meanwhile (\(withheld.reason)): "
                + "\(grouped(withheld.accounts)) accounts taken back at once"
        }
        if let passedOn = dealt.passedOn { lines.append("\(grouped(passedOn)) accounts dealt to others") }
        if let waiting = dealt.waiting {
            lines += [waiting, "once somebody has room: dispatcherd plan rebalance --left-over"]
        }
        return lines
    }

    private static func grouped(_ value: Int64) -> String { Console.grouped(Int(value)) }
}
