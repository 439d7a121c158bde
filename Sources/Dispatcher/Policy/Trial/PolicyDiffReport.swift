// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// The moves between two policies, for people and programs. Amounts are pesos.
///
/// It adds up: what leaves a verdict and what stays there is what the old policy has there, what comes and what stays
/// is what the new one has, in accounts and in money.
package struct PolicyDiffReport: Encodable, Sendable {
    package struct Side: Encodable, Sendable {
        package let policy: String
        package let version: String
        package let digest: String
        /// Whether it is the one that placed the period.
        package let isApplied: Bool
        package let sessions: SegmentationReport.Sessions

        /// Two files can have the same name and version while they are worked on; their digests differ.
        fileprivate var words: String { "\(policy) \(version) (\(isApplied ? "applied, " : "")\(digest.prefix(8)))" }
    }
    /// From one verdict to another, or to the same: those are the accounts that stay.
    package struct Move: Encodable, Sendable {
        package let from: String
        package let to: String
        package let accounts: Int64
        package let overdue: Pesos
        package let balance: Pesos
    }
    /// One verdict before and after.
    package struct Margin: Encodable, Sendable {
        package let rule: String
        package let oldAccounts: Int64
        package let left: Int64
        package let came: Int64
        package let newAccounts: Int64
        package let oldOverdue: Pesos
        package let newOverdue: Pesos
        package let oldBalance: Pesos
        package let newBalance: Pesos
        /// Those with money overdue; of `none` they are what no strategy takes, and the others owe nothing.
        package let oldLate: Int64
        package let newLate: Int64
    }
    /// Accounts that keep their rule, but not how they are worked.
    package struct Rework: Encodable, Sendable {
        package let rule: String
        package let change: String
        package let accounts: Int64
    }
    package struct ReliefCount: Encodable, Sendable {
        package let relief: String
        /// Absent where that policy does not have it.
        package let oldAccounts: Int64?
        package let newAccounts: Int64?
    }
    package struct DelegationMoves: Encodable, Sendable {
        package let delegation: Int16
        package let delegationName: String
        package let moved: Int64
        package let stayed: Int64
        package let moves: [Move]
    }

    package let period: String
    package let old: Side
    package let new: Side
    /// Whether both are the same version of the same file; then nothing can move.
    package let isSamePolicy: Bool
    package let accounts: Int64
    package let moved: Int64
    package let stayed: Int64
    package let summary: MoveSummary
    package let moves: [Move]
    package let margins: [Margin]
    package let reworked: [Rework]
    /// How long accounts are held, where the policies differ for a strategy that both have.
    package let terms: [TermChange]
    package let relief: [ReliefCount]
    /// Absent unless asked for.
    package let delegations: [DelegationMoves]?
    /// How many accounts are behind the cell or in the file; absent where none was asked for.
    package let behind: Int64?
    /// The first of them, by the columns of the file.
    package let shown: [[String]]?
    /// Where the placements on record differ from what the policy that made them would come to today.
    package let onRecord: RecordDrift?
    package let notes: [String]

    /// For people alone: the same question gives the same bytes.
    private let took: Duration
    private let file: String?

    private enum CodingKeys: String, CodingKey {
        case period, old, new, isSamePolicy, accounts, moved, stayed, summary, moves, margins, reworked, terms, relief
        case delegations, behind, shown, onRecord, notes
    }

    init(
        _ draft: PolicyDiff.Draft, period: Period, choices: [PolicyChoice], drift: RecordDrift?,
        asked: PolicyDiff.Asked, took: Duration
    ) {
        let matrix = MoveMatrix(draft.tally, parties: draft.parties)
        let sides = zip(choices, draft.result.sessions).map { choice, sessions in
            Side(
                policy: choice.policy.name, version: choice.policy.version, digest: LedgerTree.hex(choice.file.digest),
                isApplied: choice.isApplied,
                sessions: .init(
                    capacity: sessions.capacity, candidates: sessions.candidates, invited: sessions.invited))
        }
        self.period = period.description
        self.old = sides[0]
        self.new = sides[1]
        self.isSamePolicy = sides[0].digest == sides[1].digest && sides[0].version == sides[1].version
        self.accounts = draft.result.accounts
        self.moved = matrix.moved
        self.stayed = matrix.stayed
        self.moves = matrix.moves
        self.margins = matrix.margins
        self.reworked = matrix.reworked
        self.summary = MoveSummary(draft.tally, parties: draft.parties)
        self.terms = Self.terms(draft, matrix.margins)
        self.relief = Self.relief(draft)
        self.delegations =
            asked.byDelegation
            ? draft.delegations.map { delegation, tally in
                let matrix = MoveMatrix(tally, parties: draft.parties)
                return DelegationMoves(
                    delegation: delegation.value, delegationName: delegation.name, moved: matrix.moved,
                    stayed: matrix.stayed, moves: matrix.moves)
            } : nil
        self.behind = asked.cell != nil || asked.csv != nil ? draft.result.askedCount : nil
        self.shown = asked.cell != nil ? draft.shown : nil
        self.onRecord = drift
        self.notes = choices.flatMap(\.notes)
        self.took = took
        self.file = asked.csv
    }

    private static func terms(_ draft: PolicyDiff.Draft, _ margins: [Margin]) -> [TermChange] {
        TermChange.all(from: draft.parties[0].policy, to: draft.parties[1].policy) { strategy in
            margins.filter { $0.rule.hasPrefix(strategy.name + ".") }.reduce(0) { $0 + $1.newAccounts }
        }
    }

    private static func relief(_ draft: PolicyDiff.Draft) -> [ReliefCount] {
        let names = draft.parties.map { $0.policy.relief.map(\.name) }
        let counts = zip(names, draft.result.relief).map { names, counts in
            Dictionary(zip(names, counts), uniquingKeysWith: { first, _ in first })
        }
        let all = names[0] + names[1].filter { !names[0].contains($0) }
        return all.map { ReliefCount(relief: $0, oldAccounts: counts[0][$0], newAccounts: counts[1][$0]) }
    }

    // MARK: - For people

    /// The verdicts before and after, then the moves, then what was asked for besides.
    package var lines: [String] {
        var lines = [
            "\(period): from \(old.words) to \(new.words)", "",
        ]
        lines += marginLines + noneLines + [""] + summary.lines + [""] + moveLines(moves, total: true)
        if !reworked.isEmpty { lines += ["", "worked otherwise under the same rule:"] + reworkLines }
        if !terms.isEmpty { lines += [""] + TermChange.lines(terms) }
        if changesRelief {
            lines += ["", "relief on offer, over all accounts, those with nothing to collect too:"] + reliefLines
        }
        for mine in delegations ?? [] {
            lines += ["", "\(mine.delegation) \(mine.delegationName): \(Figure.grouped(mine.moved)) move"]
            if mine.moved > 0 { lines += moveLines(mine.moves, total: false) }
        }
        if let shown, let behind { lines += [""] + accountLines(shown, of: behind) }
        if let file, let behind { lines += ["", "\(Figure.grouped(behind)) accounts are in \(file)"] }
        if let drift = onRecord?.lines, !drift.isEmpty { lines += [""] + drift }
        if isSamePolicy {
            lines += ["", "nothing changes: both are the same version of the same file"]
        } else if moved == 0, reworked.isEmpty, terms.isEmpty, !changesRelief {
            lines += [
                "", "nobody is placed, worked, held or offered anything otherwise; the files differ in other things",
            ]
        }
        lines += notes.map { "note: \($0)" }
        lines += ["", "nothing was written; \(took.words)"]
        return lines
    }

    private var changesRelief: Bool { relief.contains { $0.oldAccounts != $0.newAccounts } }

    private var marginLines: [String] {
        var table = TextTable(columns: [.left, .right, .right, .right, .right, .right, .right])
        table.row(["", "old", "leave", "come", "new", "overdue old", "overdue new"])
        for row in margins {
            table.row([
                row.rule, Figure.grouped(row.oldAccounts), row.left == 0 ? "" : "-" + Figure.grouped(row.left),
                row.came == 0 ? "" : "+" + Figure.grouped(row.came), Figure.grouped(row.newAccounts),
                Figure.grouped(row.oldOverdue), Figure.grouped(row.newOverdue),
            ])
        }
        return table.lines
    }

    /// `none` is two things: what owes nothing, and what is overdue and yet nobody's.
    private var noneLines: [String] {
        guard let none = margins.first(where: { $0.rule == Verdict.Kind.nothing.rule }), none.oldLate + none.newLate > 0
        else { return [] }
        return [
            "of none, overdue and taken by no strategy: \(Figure.grouped(none.oldLate)) accounts old, "
                + "\(Figure.grouped(none.newLate)) new"
        ]
    }

    private func moveLines(_ moves: [Move], total: Bool) -> [String] {
        let moving = moves.filter { $0.from != $0.to }
        guard !moving.isEmpty else { return ["no account moves"] }
        var table = TextTable(columns: [.left, .left, .left, .right, .right, .right])
        table.row(["from", "", "to", "accounts", "overdue", "balance"])
        for move in moving {
            table.row([
                move.from, "->", move.to, Figure.grouped(move.accounts), Figure.grouped(move.overdue),
                Figure.grouped(move.balance),
            ])
        }
        return table.lines
            + (total ? ["\(Figure.grouped(moved)) accounts move, \(Figure.grouped(stayed)) stay"] : [])
    }

    private var reworkLines: [String] {
        var table = TextTable(columns: [.left, .left, .right])
        for row in reworked { table.row(["  " + row.rule, row.change, Figure.grouped(row.accounts)]) }
        return table.lines
    }

    private var reliefLines: [String] {
        var table = TextTable(columns: [.left, .right, .right])
        table.row(["", "old", "new"])
        for row in relief where row.oldAccounts != row.newAccounts {
            table.row(
                ["  " + row.relief] + [row.oldAccounts, row.newAccounts].map { $0.map(Figure.grouped) ?? "not there" })
        }
        return table.lines
    }

    private func accountLines(_ shown: [[String]], of behind: Int64) -> [String] {
        guard behind > 0 else { return ["no account is behind this cell"] }
        let names = PolicyDiff.header.split(separator: ",").map(String.init)
        let numbers: Set = ["delegation", "account", "overdue", "balance"]
        var table = TextTable(columns: names.map { numbers.contains($0) ? .right : .left })
        table.row(names)
        for row in shown { table.row(row) }
        let rest = behind > shown.count ? "; the first \(shown.count) are shown, --csv FILE has all" : ""
        return table.lines + ["\(Figure.grouped(behind)) accounts are behind this cell\(rest)"]
    }
}
