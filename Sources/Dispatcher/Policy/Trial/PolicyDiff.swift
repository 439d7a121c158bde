// SPDX-License-Identifier: Apache-2.0

package import Assignment
package import PgStore

/// What another policy would change: who moves from which verdict to which. Writes nothing.
///
/// Both policies run over the cut as it is now, stops included, so that every move comes from the policies alone. Reads
/// one snapshot of the database, also while others write and on closed periods.
package struct PolicyDiff {
    /// Which accounts to show, and where.
    package struct Asked: Sendable {
        package var byDelegation = false
        package var cell: MoveCell?
        /// How many accounts the screen shows.
        package var limit = 20
        /// A file for all accounts of the cell, or all that move where no cell is named; `-` is standard output.
        package var csv: String?

        package init() {}
    }

    static let header = "delegation,account,from,to,from_portfolio,to_portfolio,overdue,balance"

    private let link: PgLink
    private let period: Period
    private let old: PolicyChoice.Wish
    private let new: PolicyChoice.Wish

    package init(_ link: PgLink, period: Period, old: PolicyChoice.Wish, new: PolicyChoice.Wish) {
        self.link = link
        self.period = period
        self.old = old
        self.new = new
    }

    /// - Throws: ``CommandFailure`` (usage) where the period has no cut, was not segmented and `applied` is asked for,
    ///   or a cell names a verdict that its policy cannot give.
    package func run(_ asked: Asked = Asked()) throws -> PolicyDiffReport {
        let start = ContinuousClock.now
        return try link.snapshotOrFailure(period) {
            let choices = [try PolicyChoice(old, link, period: period), try PolicyChoice(new, link, period: period)]
            try asked.cell?.check(old: choices[0].policy, new: choices[1].policy)
            let trial = try PolicyTrial(choices.map(\.policy), link, period: period)
            var draft = Draft(trial, asked: asked)
            if let path = asked.csv {
                try OutputFile.writing(path) { file in
                    try file.write(Self.header)
                    try trial.run { try draft.add($0, file: file) }
                }
            } else {
                try trial.run { try draft.add($0, file: nil) }
            }
            return PolicyDiffReport(
                draft, period: period, choices: choices, asked: asked, took: ContinuousClock.now - start)
        }
    }

    /// What is gathered while the delegations go by.
    struct Draft {
        let trial: PolicyTrial
        private let asked: Asked
        private let codes: [Int]
        private(set) var tally: MoveTally
        private(set) var delegations: [(delegation: Delegation, tally: MoveTally)] = []
        private(set) var sessions: [PolicyTrial.Sessions]
        /// The first accounts of the cell, in words of ``PolicyDiff/header``.
        private(set) var shown: [[String]] = []
        private(set) var behind: Int64 = 0
        /// Whether a move is asked for, worked out once for each pair of verdicts.
        private var isAsked: [MoveTally.Pair: Bool] = [:]

        init(_ trial: PolicyTrial, asked: Asked) {
            self.trial = trial
            self.asked = asked
            self.tally = MoveTally(reliefs: trial.parties.map(\.policy.relief.count))
            self.codes = trial.parties.map(\.table.count)
            self.sessions = trial.parties.map { _ in PolicyTrial.Sessions() }
        }

        mutating func add(_ slice: PolicyTrial.Slice, file: OutputFile?) throws {
            tally.add(slice, codes: codes)
            for side in sessions.indices { sessions[side] += slice.outcomes[side].sessions }
            if asked.byDelegation {
                var mine = MoveTally(reliefs: tally.relief.map(\.count))
                mine.add(slice, codes: codes)
                delegations.append((slice.delegation, mine))
            }
            guard asked.cell != nil || file != nil else { return }
            for index in slice.accounts.indices {
                let pair = MoveTally.Pair(old: slice.outcomes[0].codes[index], new: slice.outcomes[1].codes[index])
                guard takes(pair) else { continue }
                behind += 1
                guard file != nil || shown.count < asked.limit else { continue }
                let fields = fields(slice, index, pair)
                if shown.count < asked.limit { shown.append(fields) }
                try file?.write(fields.joined(separator: ","))
            }
        }

        private mutating func takes(_ pair: MoveTally.Pair) -> Bool {
            if let known = isAsked[pair] { return known }
            let (from, to) = (trial.parties[0].table.verdict(pair.old), trial.parties[1].table.verdict(pair.new))
            let found = asked.cell.map { $0.holds(from.kind, to.kind) } ?? (from != to)
            isAsked[pair] = found
            return found
        }

        private func fields(_ slice: PolicyTrial.Slice, _ index: Int, _ pair: MoveTally.Pair) -> [String] {
            let (from, to) = (trial.parties[0].table.verdict(pair.old), trial.parties[1].table.verdict(pair.new))
            // None of these can hold a comma or a quote: numbers and the policy's own names.
            return [
                slice.delegation.description, String(slice.accounts[index]), from.kind.rule, to.kind.rule,
                from.portfolio?.name ?? "", to.portfolio?.name ?? "", Cents(slice.overdue[index]).description,
                Cents(slice.balance[index]).description,
            ]
        }
    }
}

extension PgLink {
    /// A snapshot for a command that only looks; what the database refuses becomes the command's failure.
    func snapshotOrFailure<Value>(_ period: Period, _ body: () throws -> Value) throws -> Value {
        do {
            return try snapshot(body)
        } catch let error as PgError {
            throw CommandFailure(error, work: "\(period)", left: "nothing was to be changed")
        }
    }
}
