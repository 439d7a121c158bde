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
            let draft =
                if let path = asked.csv {
                    // Opened first: a folder that is not there is not to be found out after a minute's work.
                    try OutputFile.writing(path) { file in
                        let draft = try Draft(trial, asked: asked)
                        try draft.write(to: file)
                        return draft
                    }
                } else {
                    try Draft(trial, asked: asked)
                }
            return PolicyDiffReport(
                draft, period: period, choices: choices, drift: try drift(choices), asked: asked,
                took: ContinuousClock.now - start)
        }
    }

    /// Where what is on record differs from what the policy that made it would come to; `nil` where nothing is.
    private func drift(_ choices: [PolicyChoice]) throws -> RecordDrift? {
        if let applied = choices.first(where: \.isApplied) {
            return try RecordDrift(applied.policy, applied.territory, link, period: period)
        }
        guard try SegmentationStore(link, period: period).segmentation() != nil else { return nil }
        let applied: PolicyChoice
        do {
            applied = try PolicyChoice(.applied, link, period: period)
        } catch is CommandFailure {
            // By a policy that this version cannot read; two files can be compared all the same.
            return nil
        }
        return try RecordDrift(applied.policy, applied.territory, link, period: period)
    }

    /// What the report is made from.
    struct Draft {
        let parties: [PolicyTrial.Party]
        let result: TrialResult
        let tally: MoveTally
        /// Empty unless asked for.
        let delegations: [(delegation: Delegation, tally: MoveTally)]
        /// The first accounts of the cell, in words of ``PolicyDiff/header``.
        private(set) var shown: [[String]] = []

        init(_ trial: PolicyTrial, asked: Asked) throws {
            self.parties = trial.parties
            self.result = try trial.run(Self.question(trial.parties, asked))
            var tally = MoveTally()
            for (_, cells) in result.delegations { tally.add(cells) }
            self.tally = tally
            self.delegations =
                asked.byDelegation
                ? result.delegations.map { delegation, cells in
                    var mine = MoveTally()
                    mine.add(cells)
                    return (delegation, mine)
                } : []
            showing: for (delegation, accounts) in result.asked {
                for account in accounts {
                    guard shown.count < asked.limit else { break showing }
                    shown.append(fields(delegation, account))
                }
            }
        }

        /// The cell's accounts, or all that move; only as many as are shown where no file wants them all.
        private static func question(_ parties: [PolicyTrial.Party], _ asked: Asked) -> TrialQuestion? {
            guard asked.cell != nil || asked.csv != nil else { return nil }
            let (from, to, cell) = (parties[0].table, parties[1].table, asked.cell)
            return TrialQuestion(
                isAsked: { old, new in
                    let (old, new) = (from.verdict(old), to.verdict(new))
                    return cell.map { $0.holds(old.kind, new.kind) } ?? (old != new)
                }, countMax: asked.csv == nil ? asked.limit : nil)
        }

        fileprivate func write(to file: OutputFile) throws {
            try file.write(PolicyDiff.header)
            for (delegation, accounts) in result.asked {
                for account in accounts { try file.write(fields(delegation, account).joined(separator: ",")) }
            }
        }

        private func fields(_ delegation: Delegation, _ account: TrialAccount) -> [String] {
            let (from, to) = (parties[0].table.verdict(account.old), parties[1].table.verdict(account.new))
            // None of these can hold a comma or a quote: numbers and the policy's own names.
            return [
                delegation.description, String(account.account), from.kind.rule, to.kind.rule,
                from.portfolio?.name ?? "", to.portfolio?.name ?? "", Cents(account.overdue).description,
                Cents(account.balance).description,
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
