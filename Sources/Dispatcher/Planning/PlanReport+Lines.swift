// SPDX-License-Identifier: Apache-2.0

internal import Assignment

extension PlanReport {
    // MARK: - For people

    /// Every pool with its contracts, then every contract's advisers, then the bonds.
    package var detail: [String] { poolLines + adviserLines + bondLines }

    private var poolLines: [String] {
        var table = TextTable(
            columns: [.left, .left, .right, .left, .right, .right, .right, .right, .right, .right, .left, .left])
        table.row([
            "delegation, strategy", "portfolio", "placed", "contract", "quota", "held", "share", "target", "last month",
            "change", "limit", "",
        ])
        var last: Int16 = 0
        for pool in pools {
            if pool.delegation != last {
                table.row(["\(pool.delegation) \(pool.delegationName)"] + [String](repeating: "", count: 11))
                last = pool.delegation
            }
            let left = pool.unassigned.map { "\(Self.grouped($0.accounts)) unassigned: \($0.reason)" }
            table.row(
                ["  \(pool.strategy)" + (pool.part.map { ", \($0)" } ?? ""), pool.portfolio]
                    + [Self.grouped(pool.accounts), "", "", "", "", "", "", "", "", left.joined(separator: ", ")])
            for quota in pool.quotas { table.row(["", "", ""] + cells(quota)) }
        }
        return table.lines
    }

    /// What each contract's accounts of one place take of advisers, strategies together.
    private var adviserLines: [String] {
        guard !staffing.isEmpty else { return [] }
        var table = TextTable(columns: [.left, .left, .left, .right, .right, .right, .right, .right, .right])
        table.row([
            "advisers, in delegation", "portfolio", "contract", "accounts", "needed", "committed", "present", "missing",
            "PEN-01",
        ])
        for line in staffing {
            table.row([
                "  \(line.delegation)", line.portfolio, "\(line.contract) \(line.agency)", Self.grouped(line.accounts),
                Self.grouped(line.needed), Self.grouped(line.committed), line.present.map(Self.grouped) ?? "",
                line.missing > 0 ? Self.grouped(line.missing) : "",
                line.missing > 0 ? line.penalty ?? "no price" : "",
            ])
        }
        return table.lines
    }

    private var bondLines: [String] {
        guard !bonds.isEmpty else { return [] }
        var table = TextTable(columns: [.left, .left, .right, .right, .right, .right, .left])
        table.row(["bonds, of contract", "covers", "bond", "held", "to deal", "left", ""])
        for bond in bonds {
            table.row([
                "  \(bond.contract) \(bond.agency)", bond.basis, bond.bond, bond.held, bond.dealt, bond.left,
                bond.binds > 0 ? "binds \(bond.binds) of \(bond.quotas) quotas" : "",
            ])
        }
        return table.lines
    }

    /// Against the limits of last month.
    private var changes: [String] {
        guard let change else { return [] }
        return ["against last month: \(Self.grouped(change.more)) more, \(Self.grouped(change.fewer)) fewer"]
    }

    /// Who has too few advisers for what the plan gives, and what more would be worth.
    private var shortages: [String] {
        let short = staffing.filter { $0.missing > 0 }
        var lines = short.prefix(20).map { line in
            "contract \(line.contract) \(line.agency), delegation \(line.delegation), \(line.portfolio): "
                + "\(Words.counted(line.needed, "adviser")) needed, \(line.committed) committed"
                + (line.present.map { ", \($0) present" } ?? "") + ": PEN-01 "
                + (line.penalty.map { "\($0)" } ?? "has no price in its schedule")
        }
        if short.count > lines.count { lines.append("and \(short.count - lines.count) more short of advisers") }
        lines += worth.map { worth in
            "\(worth.limit): \(worth.more) more would place \(Self.grouped(worth.accounts)) more account\(worth.accounts == 1 ? "" : "s"), weight "
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
            quota.targetShare, quota.lastMonth > 0 ? Self.grouped(quota.lastMonth) : "", changed(quota),
            quota.binding,
            [quota.limit.map { "shared, up to \(Self.grouped($0))" } ?? "", bond].filter { !$0.isEmpty }
                .joined(separator: ", "),
        ]
    }

    /// With its sign; nothing where no earlier month was planned.
    private func changed(_ quota: Quota) -> String {
        guard change != nil, let change = quota.change, change != 0 else { return "" }
        return (change > 0 ? "+" : "-") + Self.grouped(abs(change))
    }

    /// The totals, what is left and why, and the warnings.
    package var summary: [String] {
        var table = TextTable(columns: [.left, .right, .right, .right])
        table.row(["", "placed", "with a quota", "unassigned"])
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
            let verb = state == .preview ? "would be dealt" : "dealt"
            lines.append(
                "\(verb): \(Words.counted(dealt.accounts, "account")) in \(Words.counted(Int64(dealt.hands), "hand"))")
            let reasons = dealt.reasons.filter { $0.reason != "share" }
            if !reasons.isEmpty {
                let words = reasons.map { "\($0.reason) \(Self.grouped($0.accounts))" }.joined(separator: ", ")
                lines.append("not by turn: \(words)")
            }
            if dealt.apart > 0 { lines.append("apart from the debtor's other credits: \(Self.grouped(dealt.apart))") }
            // What keeps an account back is told of all that found nobody, with a quota left for them or without.
            if assigned > dealt.accounts {
                lines.append("with a quota and not dealt: \(Self.grouped(assigned - dealt.accounts))")
            }
            if !dealt.left.isEmpty {
                let words = dealt.left.map { "\($0.reason) \(Self.grouped($0.accounts))" }.joined(separator: ", ")
                lines.append("what kept accounts from everybody, beside quotas: \(words)")
            }
            if dealt.earlierHandsClosed > 0 {
                lines.append("hands of earlier periods closed: \(dealt.earlierHandsClosed)")
            }
            lines += Self.orders(dealt)
        }
        if state == .preview, dealt == nil, !isApplied {
            lines.append(
                "not dealt in trial, because so many wait: --deal tells what rotation and single bonds leave over")
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
                + "\(Words.counted(withheld.accounts, "account")) taken back at once"
        }
        if let passedOn = dealt.passedOn { lines.append("\(Words.counted(passedOn, "account")) dealt to others") }
        if let waiting = dealt.waiting {
            lines += [waiting, "once somebody has room: dispatcherd plan rebalance --left-over"]
        }
        return lines
    }

    private static func grouped(_ value: Int64) -> String { Console.grouped(Int(value)) }
}
