// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// Takes an experiment back: as a whole where nothing was dealt by it, else from the month on that is not dealt yet. What was dealt
/// by it stays as it is, and is read on.
package struct ExperimentWithdrawal {
    private let name: String
    private let motive: String
    private let by: String

    /// - Throws: ``CommandFailure`` of usage.
    package init(name: String, motive: String, by: String) throws(CommandFailure) {
        self.name = name
        self.motive = try Words.token(motive, "motive")
        self.by = try Words.person(by)
    }

    /// - Returns: what became of it, in words for people.
    /// - Throws: ``CommandFailure`` (usage) where there is no such experiment, its last month is dealt, or a plan of it is
    ///   being dealt.
    /// - Locks: every period that is not closed, against plans.
    package func run(on link: DatabaseLink) throws -> String {
        try link.transaction { try withdraw(link) }
    }

    private func withdraw(_ link: PgLink) throws -> String {
        let store = ExperimentStore(link)
        guard let design = try store.designs().first(where: { $0.name == name }) else {
            throw CommandFailure(
                .usage, "there is no experiment \(name)", remedy: "`dispatcherd experiment list` shows them.")
        }
        _ = try PlanningStore(link, period: design.first, cut: design.first.firstDay).lockPeriods()
        if let period = try store.beingDealt(design) {
            throw CommandFailure(
                .usage, "a plan of \(period) is being dealt",
                remedy: "Wait until that has ended; a stopped one is taken back by dispatcherd plan discard.")
        }
        let now = try link.readNow()
        let last = try store.hasDealt(design) ? store.lastPlanned(design) : nil
        if let last {
            guard last < design.last else {
                throw CommandFailure(
                    .usage,
                    "\(name) ends with \(design.last), which is dealt, so there is no month to withdraw it from",
                    remedy: "Look at what it says: dispatcherd experiment read \(name)")
            }
            try store.end(design, with: last)
        } else {
            try store.delete(design)
        }
        let month = Period.ofWork(at: now)
        try link.insertBlocks(
            LedgerBlock.seal(
                design.delegations.map { delegation in
                    LedgerRecord(
                        delegation: delegation, period: month,
                        "experiment-end name=\(name) delegation=\(delegation) strategy=\(design.strategy.name)"
                            + " last=\(last?.description ?? "none") motive=\(motive) by=\(LedgerRecord.word(by)) at=\(now)"
                    )
                }))
        guard let last else {
            return "\(name) is withdrawn: nothing was dealt by it, and its months, delegations and name are free"
        }
        return "\(name) ends with \(last): what was dealt by it stays in its arms, and plans from "
            + "\(last.advanced(byMonths: 1)) on deal as without it"
    }
}
