// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// A tally of moves in words, in the order in which verdicts are listed.
struct MoveMatrix {
    let moves: [PolicyDiffReport.Move]
    let margins: [PolicyDiffReport.Margin]
    let reworked: [PolicyDiffReport.Rework]
    let moved: Int64
    let stayed: Int64

    private struct Cell: Hashable {
        let from: Verdict.Kind
        let to: Verdict.Kind
    }
    private struct Change: Hashable {
        let kind: Verdict.Kind
        let words: String
    }

    init(_ tally: MoveTally, parties: [PolicyTrial.Party]) {
        let (old, new) = (parties[0].table, parties[1].table)
        var cells: [Cell: VerdictTotals] = [:]
        var changes: [Change: Int64] = [:]
        for (pair, totals) in tally.pairs {
            let (from, to) = (old.verdict(pair.old), new.verdict(pair.new))
            cells[Cell(from: from.kind, to: to.kind), default: VerdictTotals()] += totals
            if from.kind == to.kind, let before = from.portfolio, let after = to.portfolio, before != after {
                changes[Change(kind: to.kind, words: "\(before.name) to \(after.name)"), default: 0] += totals.accounts
            }
        }
        for (classes, accounts) in tally.classes {
            let (from, to) = (old.verdict(classes.pair.old).kind, new.verdict(classes.pair.new).kind)
            guard from == to else { continue }
            changes[Change(kind: to, words: "class \(classes.old) to \(classes.new)"), default: 0] += accounts
        }
        // A verdict that one policy alone has is ordered by that one.
        let kinds = Set(cells.keys.flatMap { [$0.from, $0.to] })
            .sorted { left, right in
                let (a, b) = (old.order(left) + new.order(left), old.order(right) + new.order(right))
                return a.lexicographicallyPrecedes(b) || (a == b && left.rule < right.rule)
            }
        let place = Dictionary(uniqueKeysWithValues: kinds.enumerated().map { ($1, $0) })
        func before(_ left: Verdict.Kind, _ right: Verdict.Kind) -> Bool { (place[left] ?? 0) < (place[right] ?? 0) }

        let ordered = cells.sorted { left, right in
            left.key.from == right.key.from
                ? before(left.key.to, right.key.to) : before(left.key.from, right.key.from)
        }
        self.moves = ordered.map { cell, totals in
            PolicyDiffReport.Move(
                from: cell.from.rule, to: cell.to.rule, accounts: totals.accounts,
                overdue: Pesos(totals.overdue), balance: Pesos(totals.balance))
        }
        self.margins = kinds.map { kind in Self.margin(kind, cells) }
        self.reworked = changes.sorted { left, right in
            left.key.kind == right.key.kind
                ? left.key.words < right.key.words : before(left.key.kind, right.key.kind)
        }.map { PolicyDiffReport.Rework(rule: $0.kind.rule, change: $0.words, accounts: $1) }
        self.stayed = cells.reduce(0) { $0 + ($1.key.from == $1.key.to ? $1.value.accounts : 0) }
        self.moved = cells.reduce(0) { $0 + $1.value.accounts } - stayed
    }

    private static func margin(_ kind: Verdict.Kind, _ cells: [Cell: VerdictTotals]) -> PolicyDiffReport.Margin {
        var (old, new, stay) = (VerdictTotals(), VerdictTotals(), VerdictTotals())
        for (cell, totals) in cells {
            if cell.from == kind { old += totals }
            if cell.to == kind { new += totals }
            if cell.from == kind, cell.to == kind { stay += totals }
        }
        return PolicyDiffReport.Margin(
            rule: kind.rule, oldAccounts: old.accounts, left: old.accounts - stay.accounts,
            came: new.accounts - stay.accounts, newAccounts: new.accounts, oldOverdue: Pesos(old.overdue),
            newOverdue: Pesos(new.overdue), oldBalance: Pesos(old.balance),
            newBalance: Pesos(new.balance), oldLate: old.late, newLate: new.late)
    }
}
