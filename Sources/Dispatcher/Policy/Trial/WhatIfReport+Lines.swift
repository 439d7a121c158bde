// SPDX-License-Identifier: Apache-2.0

internal import Assignment

// MARK: - For people

extension WhatIfReport {
    /// How many delegations that lack advisers are named, unless all are asked for.
    private static let shortShownMax = 5

    /// Counts and money, then sessions, recovery, advisers, what is unplaced, and what to know.
    package var lines: [String] {
        var lines = ["\(period): what if \(tried.words) placed it"]
        if let inForce { lines[0] += ", against \(inForce.words) in force" }
        lines += [""] + rowLines + ["", sessionLine, ""]
        if !terms.isEmpty { lines += TermChange.lines(terms) + [""] }
        lines += Self.recoveryTitle + recoveryLines
        lines += ["", "advisers, by the accounts that the contracts of \(period) give to each:"] + adviserLines
        lines += ["", "unplaced by a plan of equal shares:"] + unplacedLines
        for mine in delegations ?? [] { lines += [""] + delegationLines(mine) }
        if let drift = onRecord?.lines, !drift.isEmpty { lines += [""] + drift }
        if isSamePolicy {
            lines += ["", "the policy changes nothing: this is the version of the file that is in force"]
        }
        if !notes.isEmpty { lines += [""] + Words.first(20, of: notes.map { "note: \($0)" }) }
        lines += ["", "nothing was written; \(took.words)"]
        return lines
    }

    private var rowLines: [String] { rowLines(rows) }

    /// One delegation: its rules, then what it lacks.
    private func delegationLines(_ mine: DelegationFigures) -> [String] {
        var lines = ["\(mine.delegation) \(mine.delegationName): \(Figure.grouped(mine.accounts)) accounts"]
        lines += rowLines(mine.rows)
        for row in mine.advisers {
            let needed = row.needed.map(Figure.grouped) ?? "not known"
            lines.append(
                "\(row.portfolio): \(Figure.grouped(row.accounts)) accounts, advisers needed \(needed), committed "
                    + Figure.grouped(row.committed))
        }
        lines += mine.advisers.compactMap(shortWords)
        for row in mine.unplaced {
            let now = row.accountsNow.map { ", \(Figure.grouped($0)) in force" } ?? ""
            lines.append("unplaced, \(row.strategy), \(row.reason): \(Figure.grouped(row.accounts))\(now)")
        }
        return lines
    }

    private func rowLines(_ rows: [Row]) -> [String] {
        var table = TextTable(columns: [.left, .right, .right, .right, .right, .right])
        table.row(["", "accounts", "in force", "change", "overdue", "change"])
        for strategy in Strategy.allCases.reversed() {
            let mine = rows.filter { $0.rule.hasPrefix(strategy.name + ".") }
            guard !mine.isEmpty else { continue }
            add(strategy.name, mine, to: &table)
            for row in mine { add("  " + row.rule.dropFirst(strategy.name.count + 1), [row], to: &table) }
        }
        let rest = rows.filter { $0.rule.hasPrefix("exclusion.") || $0.rule == "none" }
        let excluded = rest.filter { $0.rule != "none" }
        add("placed", rows.filter { row in !rest.contains { $0.rule == row.rule } }, to: &table)
        if !excluded.isEmpty { add("excluded", excluded, to: &table) }
        for row in excluded { add("  " + row.rule.dropFirst("exclusion.".count), [row], to: &table) }
        let none = rest.filter { $0.rule == "none" }
        add("no strategy takes it", none.map(\.overdueAlone), to: &table)
        add("nothing to collect", none.map(\.withoutOverdue), to: &table)
        add("all", rows, to: &table)
        return table.lines
    }

    private func add(_ name: String, _ rows: [Row], to table: inout TextTable) {
        let accounts = rows.reduce(0) { $0 + $1.accounts }
        let overdue = rows.reduce(Int128(0)) { $0 + $1.overdue.centavos }
        var cells = [name, Figure.grouped(accounts), "", "", Figure.grouped(Pesos(overdue)), ""]
        if inForce != nil {
            let before = rows.reduce(0) { $0 + ($1.accountsNow ?? 0) }
            cells[2] = Figure.grouped(before)
            cells[3] = Figure.signed(accounts - before)
            let overdueBefore = rows.reduce(Int128(0)) { $0 + ($1.overdueNow?.centavos ?? 0) }
            cells[5] = Figure.signed(Pesos(overdue - overdueBefore))
        }
        table.row(cells)
    }

    private var sessionLine: String {
        let mine = tried.sessions
        let now = inForce.map { ", \(Figure.grouped($0.sessions.invited)) in force" } ?? ""
        return "mediation: \(Figure.grouped(mine.invited)) invited of \(Figure.grouped(mine.candidates)) candidates, "
            + "for \(Figure.grouped(mine.capacity)) sessions\(now)"
    }

    private static let recoveryTitle = [
        "expected in a month by the national averages that Infonavit published of 2023, which are no forecast",
        "(by strategy and by tactic are two views of the same accounts, not to be added):",
    ]

    private var recoveryLines: [String] {
        let left = recoveryLeftOut.map { "left out: \($0)" }
        guard !recovery.isEmpty else { return left.isEmpty ? ["nothing is placed"] : left }
        var table = TextTable(columns: [.left, .left, .left, .right, .left, .right, .right])
        table.row(["", "rule", "published", "applied to", "", "expected", "in force"])
        for row in recovery {
            table.row([
                row.of, row.origin, row.rate, Self.figure(row.base), row.appliedTo,
                row.expected.map(Self.grouped) ?? "", row.expectedNow.map(Self.grouped) ?? "",
            ])
        }
        let mean = PublishedRates.meanEfficiencyPercent
        return table.lines + ["(the tactics' published mean is \(mean) %, STR-07)"] + left
    }

    private var adviserLines: [String] {
        guard advisers.contains(where: { $0.committed > 0 }) else {
            return ["not known: no contract in force on the first day of \(period) commits any"]
        }
        var table = TextTable(columns: [.left, .right, .right, .right, .right])
        table.row(["", "accounts", "needed", "committed", "needed in force"])
        for row in advisers {
            table.row([
                row.portfolio, Figure.grouped(row.accounts), row.needed.map(Figure.grouped) ?? "not known",
                Figure.grouped(row.committed), row.neededNow.map(Figure.grouped) ?? "",
            ])
        }
        let short = stations.filter { ($0.needed ?? 0) > $0.committed }
            .sorted { ($0.needed ?? 0) - $0.committed > ($1.needed ?? 0) - $1.committed }
        guard !short.isEmpty else {
            return table.lines + ["enough in every delegation, if all of them may work every strategy"]
        }
        let more = short.count - Self.shortShownMax
        return table.lines + short.prefix(Self.shortShownMax).compactMap(shortWords)
            + (more > 0 ? ["and short in \(more) more places; --by-delegation and --json have all"] : [])
    }

    /// What a delegation lacks of one portfolio's advisers; `nil` where it has enough.
    private func shortWords(_ row: Advisers) -> String? {
        guard let needed = row.needed, needed > row.committed, let number = row.delegation else { return nil }
        let name = Delegation(number).map { " \($0.name)" } ?? ""
        let lack = needed - row.committed
        return
            "short of \(Figure.grouped(lack)) \(row.portfolio) adviser\(lack == 1 ? "" : "s") in delegation \(number)\(name): "
            + "\(Figure.grouped(needed)) needed, \(Figure.grouped(row.committed)) committed"
    }

    private var unplacedLines: [String] {
        var lines: [String] = []
        if unplaced.isEmpty {
            lines.append("none")
        } else {
            var table = TextTable(columns: [.left, .left, .right, .right])
            table.row(["", "reason", "accounts", "in force"])
            for row in unplaced {
                table.row([
                    row.strategy, row.reason, Figure.grouped(row.accounts), row.accountsNow.map(Figure.grouped) ?? "",
                ])
            }
            table.row([
                "all", "", Figure.grouped(unplaced.reduce(0) { $0 + $1.accounts }),
                inForce == nil ? "" : Figure.grouped(unplaced.reduce(0) { $0 + ($1.accountsNow ?? 0) }),
            ])
            lines += table.lines
        }
        if tried.undealable > 0 {
            lines.append("held or stopped, so not dealt again: \(Figure.grouped(tried.undealable))")
        }
        return lines
    }

    private static func figure(_ quantity: Quantity) -> String {
        switch quantity {
        case .accounts(let count): Figure.grouped(count)
        case .pesos(let amount): Figure.grouped(amount)
        }
    }

    private static func grouped(_ quantity: Quantity) -> String {
        switch quantity {
        case .accounts: "\(figure(quantity)) accounts"
        case .pesos: "\(figure(quantity)) pesos"
        }
    }
}

extension WhatIfReport.Row {
    /// Its accounts with money overdue. The money is all theirs.
    fileprivate var overdueAlone: Self {
        Self(
            rule: rule, accounts: late, accountsNow: lateNow, overdue: overdue, overdueNow: overdueNow,
            balance: balance, balanceNow: balanceNow, late: late, lateNow: lateNow)
    }

    /// The others: nothing of theirs is overdue.
    fileprivate var withoutOverdue: Self {
        Self(
            rule: rule, accounts: accounts - late, accountsNow: accountsNow.map { $0 - (lateNow ?? 0) },
            overdue: Pesos(0), overdueNow: overdueNow.map { _ in Pesos(0) }, balance: balance, balanceNow: balanceNow,
            late: 0, lateNow: lateNow.map { _ in 0 })
    }
}

extension WhatIfReport.Choice {
    /// Two files can have the same name and version while they are worked on; their digests differ.
    fileprivate var words: String { "\(policy) \(version) (\(digest.prefix(8)))" }
}
