// SPDX-License-Identifier: Apache-2.0

package import Assignment
internal import Crypto
internal import FoundationEssentials
internal import Glibc
package import PgStore

/// Computes a period's statements, and closes it.
///
/// Close is: mark the period `closing`, commit, wait until what began before has ended, then compute and keep all
/// of it in one transaction. Until that commits, nothing of it is there.
package struct MonthClosing {
    /// How long older transactions may take before the close gives up.
    package static let waitMax = Duration.seconds(60)

    package enum Result: Equatable, Sendable {
        case closed
        /// It was closed before, and the facts still give the same bytes.
        case identical
    }

    private let link: PgLink
    private let period: Period
    private let show: (String) -> Void
    private let parts: (count: Int, from: Int64)

    /// - Parameters:
    ///   - parts: how many links count the month at the same time, and from how many accounts dealt on.
    ///   - step: told what is being done, for people.
    package init(
        _ link: PgLink, period: Period,
        parts: (count: Int, from: Int64) = (MonthParts.standard, MonthParts.dividedFrom),
        step: @escaping (String) -> Void = { _ in }
    ) {
        self.link = link
        self.period = period
        self.parts = parts
        self.show = step
    }

    /// The statements as the facts are now; nothing is written. An open month can be looked at any day.
    package func preview() throws -> ClosedMonth {
        _ = try existingState()
        return try onOneSnapshot { try compute().month }
    }

    /// What to tell of a month that still runs by the database's clock and Mexico City's calendar; `nil` once it is over.
    package func unfinished() throws -> String? {
        let now = try store.now()
        guard now < period.end else { return nil }
        return "\(period) ends at \(period.end), midnight in Mexico City, and the database's clock shows \(now)"
    }

    /// What to tell of earlier months that are not closed; `nil` where all are.
    ///
    /// Recidivism counts the breaches of earlier statements (PEN-08), and a budget what they billed (AGY-15).
    package func openBefore() throws -> String? {
        let months = try store.openBefore().map(\.description)
        guard !months.isEmpty else { return nil }
        return "\(months.joined(separator: ", ")) \(months.count == 1 ? "is" : "are") not closed, so "
            + "\(period) knows neither what was breached then (PEN-08) nor what was billed (AGY-15)"
    }

    /// Closes the period; a closed one is computed again and compared with what was kept.
    ///
    /// - Parameters:
    ///   - beforeItsEnd: also where the month still runs; what happens in the rest of it then counts nowhere.
    ///   - evenIfEmpty: also where nothing of the month was ever placed, dealt or reported: mostly a mistaken period.
    ///   - beforeEarlier: also where earlier months are open; their breaches and fees then never count in this one.
    ///   - check: looks at what is to be kept, in its transaction; what it throws leaves the month open.
    /// - Throws: ``CommandFailure`` where the month still runs, or with the contracts whose statement would differ.
    package func close(
        beforeItsEnd: Bool = false, evenIfEmpty: Bool = false, beforeEarlier: Bool = false,
        check: (ClosedMonth) throws -> Void = { _ in }
    ) throws -> (month: ClosedMonth, result: Result) {
        switch try existingState() {
        case .closed:
            let month = try onOneSnapshot { try compute().month }
            try compare(month)
            return (month, .identical)
        case .open, .closing:
            try refuseFormerClose()
            if !beforeItsEnd { try refuseUnfinished() } else { try refuseUnbegun() }
            guard try !store.hasStoppedPlan() else {
                throw CommandFailure(
                    .usage, "a plan of \(period) was stopped while it was dealt",
                    remedy: "Run 'dispatcherd plan apply' or 'dispatcherd plan discard' for \(period) first.")
            }
            guard try evenIfEmpty || !store.isEmpty() else {
                throw CommandFailure(
                    .usage, "nothing of \(period) was ever placed, dealt, reported or paid",
                    remedy: "Check the period. A close is for good: `--even-if-empty` closes it all the same.")
            }
            if !beforeEarlier, let found = try openBefore() {
                throw CommandFailure(
                    .usage, found,
                    remedy: "Close months in their order; `--before-earlier` closes this one first, for good.")
            }
            return try closeOpen(check)
        }
    }

    /// Gives a period back that a killed close left `closing`, so that reviews and payments can be taken in again.
    ///
    /// - Throws: ``CommandFailure`` where it is not in that state.
    package func giveBack() throws {
        guard try store.reopen() else {
            // A close that was under way has ended meanwhile, so what was there before says nothing.
            let state = try existingState()
            throw CommandFailure(
                .usage, "\(period) is \(state.rawValue), not closing, so there is nothing to give back",
                remedy: state == .closed ? "Its statements stand." : "It takes imports and reviews as it is.")
        }
    }

    private func closeOpen(_ check: (ClosedMonth) throws -> Void) throws -> (month: ClosedMonth, result: Result) {
        Interruption.arm()
        defer { Interruption.disarm() }
        Interruption.enter(.computing)
        do {
            try waitForOlder(try store.markClosing())
            try judgeContacts()
            let month = try onOneSnapshot {
                // A second close of the same period waits here, and then finds it closed.
                guard try store.lock() == .closing else { throw Overtaken() }
                // What was raised since somebody looked would wait for a decision for ever.
                let undecided = try StageStore(link).undecided(period)
                guard undecided == 0 else {
                    throw CommandFailure(
                        .findings, Words.undecided(Int64(undecided), period),
                        remedy: "`dispatcherd objection list` and `dispatcherd adjustment list` show them.")
                }
                let (month, parts) = try compute()
                try check(month)
                try store.keep(month.statements)
                try store.end(month.summary.tally.spent.map(\.value))
                try ScorecardStore(link, period: period).keep(
                    try ScorecardBook(link, period: period, parts: parts, statements: month.statements).kept)
                try link.insertBlocks(LedgerBlock.seal(month.records))
                try Interruption.check(Self.undone)
                Interruption.enter(.committing)
                return month
            }
            return (month, .closed)
        } catch let error where Self.isOvertaken(error) {
            guard try existingState() == .closed else {
                throw CommandFailure(
                    .environment, "\(period) was given back by another command while it was closed",
                    remedy: "Look at it with `--preview`, and close again.")
            }
            show("another close was quicker; comparing with it")
            // It is closed, so nothing is refused any more.
            return try close()
        } catch {
            // The cause is `error`; where even this fails, the next close goes on from `closing`.
            _ = try? store.reopen()
            throw error
        }
    }

    private static let undone = "nothing was closed, and the period is open again"

    /// Another command has changed the period's state since it was marked.
    private struct Overtaken: Error {}

    private static func isOvertaken(_ error: any Error) -> Bool {
        error is Overtaken || ["40001", "23505"].contains((error as? PgError)?.code)
    }

    /// How the running month would end, contract by contract.
    ///
    /// - Throws: ``CommandFailure`` where it has not begun or is closed.
    func projection() throws -> (ProjectedMonth.Progress, [MonthProjection.Row]) {
        switch try existingState() {
        case .open: break
        case .closing:
            throw CommandFailure(
                .usage, "\(period) is being closed, so there is nothing to project",
                remedy: "Wait for its close; one that was killed is given back with "
                    + "`dispatcherd close --period \(period) --give-back`.")
        case .closed:
            throw CommandFailure(
                .usage, "\(period) is closed, so there is nothing to project",
                remedy: "`dispatcherd statement explain --period \(period)` tells what it came to.")
        }
        try refuseUnbegun()
        return try onOneSnapshot { try projectionInTransaction() }
    }

    /// The same in a transaction of the caller's, on one snapshot.
    func projectionInTransaction() throws -> (ProjectedMonth.Progress, [MonthProjection.Row]) {
        let today = MexicanTimeZone.mexicoCity.local(try self.store.now()).date
        let first = period.firstDay.daysSince1970
        let days = period.lastDay.daysSince1970 - first + 1
        // The range keeps a clock outside of the month within it.
        let progress = ProjectedMonth.Progress(elapsed: Int64(today.daysSince1970 - first + 1), days: Int64(days))
        let store = try ClosingStore(link, period: period, step: show)
        let parties = try MonthParties(store, period: period)
        let schedules = parties.schedules
        let book = try MonthBook(store, period: period, contracts: parties.contracts, schedules: schedules)
        var rows: [MonthProjection.Row] = []
        for contract in book.contracts {
            guard var month = book.month(of: contract), let tariff = schedules.tariff(of: contract),
                let terms = schedules.terms(of: contract)
            else { continue }
            month.bill(try store.billed(of: contract.id))
            let projected = try readable { () throws(ScheduleError) in
                try ProjectedMonth(month, tariff: tariff, terms: terms, progress: progress)
            }
            rows += projected.lines.map {
                MonthProjection.Row(contract: month.contract, agency: month.agency, line: $0)
            }
        }
        return (progress, rows)
    }

    /// What was reached of each goal by the facts so far, and what is left to reach, in ten-thousandths.
    func goalFigures(_ goals: [WorkGoal]) throws -> [(achieved: Int64, minimum: Int64)?] {
        guard !goals.isEmpty else { return [] }
        return try onOneSnapshot {
            let store = try ClosingStore(link, period: period, step: show)
            let parties = try MonthParties(store, period: period)
            var book = try MonthBook(
                store, period: period, contracts: parties.contracts, schedules: parties.schedules)
            if goals.contains(where: { $0.tactic != nil }) { try book.readTactics(store) }
            let flow = goals.contains { $0.indicator == .flow } ? try store.flow() : [:]
            return goals.map { goal in
                let delegation = goal.delegation.value
                if goal.indicator == .flow { return ((flow[delegation] ?? 0) * 100, goal.minimum) }
                let contracts = goal.contract.map { [$0.value] } ?? book.contracts(in: delegation)
                let places = contracts.map { StatementPlace(contract: $0, delegation: delegation) }
                let achieved = places.reduce(0) { $0 + book.achieved(goal.indicator, $1, goal.tactic) }
                guard goal.indicator.isCount else { return (achieved, goal.minimum) }
                let accounts = places.map { book.accounts($0, goal.tactic) }
                    .reduce((dealt: Int64(0), taken: Int64(0))) { ($0.dealt + $1.dealt, $0.taken + $1.taken) }
                return (achieved, WorkGoal.prorated(goal.minimum, taken: accounts))
            }
        }
    }

    /// How the month rates its contracts: as kept, or as an open month is now; with what conduct is scored from.
    func scorecards() throws -> (isFinal: Bool, rows: [ScorecardStore.Kept], conduct: [ConductScore]) {
        let isClosed = try existingState() == .closed
        let store = ScorecardStore(link, period: period)
        return try onOneSnapshot {
            let (month, parts) = try compute()
            let conduct = ConductScore.scores(try store.conduct(parts))
            if isClosed { return (true, try store.kept(), conduct) }
            let book = try ScorecardBook(link, period: period, parts: parts, statements: month.statements)
            return (false, book.kept, conduct)
        }
    }

    /// The statements of a closed period as they were kept.
    package func kept() throws -> [PeriodStore.StoredStatement] {
        guard try existingState() == .closed else {
            throw CommandFailure(
                .usage, "\(period) is not closed, so it has no statements",
                remedy: "Close it with `dispatcherd close --period \(period)`, or look at it with `--preview`.")
        }
        return try intact()
    }

    /// The kept statements, each with the text that it was closed with.
    ///
    /// - Throws: ``CommandFailure`` of findings with the contracts whose text was changed in the database.
    private func intact() throws -> [PeriodStore.StoredStatement] {
        let statements = try store.statements()
        let changed = statements.filter { Array(SHA256.hash(data: Array($0.body.utf8))) != $0.digest }
        guard changed.isEmpty else {
            let shown = changed.prefix(10).map { String($0.contract) }.joined(separator: ", ")
            throw CommandFailure(
                .findings,
                "the kept statements of \(Words.counted(Int64(changed.count), "contract")) of \(period) are not as they were closed: their text was "
                    + "changed in the database: \(shown)",
                remedy:
                    "`dispatcherd ledger verify` tells what else was; put them back from a backup or from the files of "
                    + "the close.")
        }
        return statements
    }

    // MARK: - Steps

    private var store: PeriodStore { PeriodStore(link, period: period) }

    private func existingState() throws -> PeriodStore.State {
        guard let state = try store.state() else {
            throw CommandFailure(
                .usage, "there is nothing of \(period): no file was ever imported for it",
                remedy: "Check the period, or import with `dispatcherd import … --period \(period)`.")
        }
        return state
    }

    /// A close writes the statements and the state together: a month that has one without the other was changed beside it.
    private func refuseFormerClose() throws {
        guard let former = try store.formerClose() else { return }
        let left = [
            former.statements > 0 ? Words.counted(former.statements, "statement", "statements") : nil,
            former.isSigned ? "a signed root" : nil,
        ].compactMap(\.self).joined(separator: " and ")
        throw CommandFailure(
            .findings,
            "\(period) was closed before and has \(left), and is stored as \(former.state.rawValue): its state was changed in "
                + "the database",
            remedy: "`dispatcherd ledger verify` tells what else was; put it back from a backup.")
    }

    private func refuseUnfinished() throws {
        guard let found = try unfinished() else { return }
        throw CommandFailure(
            .usage, found,
            remedy:
                "Close it after that, when its reviews are in (a virtual clock goes on with `dispatcherd clock set`); "
                + "`--preview` shows the month so far, `--before-its-end` closes it now for good.")
    }

    private func refuseUnbegun() throws {
        let begin = period.advanced(byMonths: -1).end
        let now = try store.now()
        guard now < begin else { return }
        throw CommandFailure(
            .usage, "\(period) begins at \(begin), and the database's clock shows \(now)",
            remedy: "Check the period: a month that has not begun has nothing to close.")
    }

    private func waitForOlder(_ mark: PeriodStore.Mark) throws {
        var announced = 0
        try wait {
            let running = try store.olderTransactions(than: mark)
            if running.isEmpty { return nil }
            if running.count != announced { show("waiting for \(running.count) older transactions") }
            announced = running.count
            return "transactions from before the close still run: \(Set(running).sorted().joined(separator: ", "))"
        }
    }

    /// - Parameter look: what is still in the way; `nil` once nothing is.
    /// - Throws: ``CommandFailure`` of environment with what is in the way after ``waitMax``.
    private func wait(_ look: () throws -> String?) throws {
        let deadline = ContinuousClock.now.advanced(by: Self.waitMax)
        while let found = try look() {
            try Interruption.check(Self.undone)
            guard ContinuousClock.now < deadline else {
                throw CommandFailure(
                    .environment, found,
                    remedy: "End those transactions, then close again; the period is open again meanwhile.")
            }
            // The server tells nobody when a transaction of another session ends.
            usleep(50_000)
        }
    }

    /// Reads on where the nodes' follower of contacts stands, so that what broke a cadence is marked, and waits for its review, before
    /// anything is billed. Nothing older runs any more, so all of the month's reports are there to be read.
    private func judgeContacts() throws {
        let behind = try link.countUnfollowed(period)
        guard behind > 0 else { return }
        show("contacts: \(behind) blocks of the ledger")
        let limit = try link.newTransaction()
        try wait {
            try ContactFollower.run(link)
            let left = try link.countUnfollowed(period, before: limit)
            guard left > 0 else { return nil }
            return
                "contacts of \(left) blocks of \(period) are not judged, because transactions of before them still run"
        }
    }

    /// What to tell of contacts of an open month that were reported and not judged yet, whose outcomes may still come to need a review;
    /// `nil` where all are.
    package func unjudged() throws -> String? {
        guard try existingState() != .closed else { return nil }
        let behind = try link.countUnfollowed(period)
        guard behind > 0 else { return nil }
        return
            "the contacts of \(behind) blocks of the ledger are not judged yet; a node does so, and the close waits for it"
    }

    private func onOneSnapshot<Value>(_ body: () throws -> Value) throws -> Value {
        try link.transaction {
            try link.script("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            return try body()
        }
    }

    private func compute() throws -> (month: ClosedMonth, parts: MonthParts) {
        let parts = try MonthParts(link, period: period, count: parts.count, from: parts.from)
        let store = try ClosingStore(link, period: period, parts: parts, step: show)
        try Interruption.check(Self.undone)
        let parties = try MonthParties(store, period: period, step: show)
        let schedules = parties.schedules
        try Interruption.check(Self.undone)
        show("statements")
        let book = try MonthBook(store, period: period, contracts: parties.contracts, schedules: schedules)
        var kept: [PeriodStore.StoredStatement] = []
        var records: [LedgerRecord] = []
        var tally = MonthTally()
        for contract in book.contracts {
            guard var month = book.month(of: contract), let tariff = schedules.tariff(of: contract),
                let terms = schedules.terms(of: contract)
            else { continue }
            try Interruption.check(Self.undone)
            month.bill(try store.billed(of: contract.id))
            let statement = try readable { () throws(ScheduleError) in
                try Statement(month, tariff: tariff, terms: terms)
            }
            tally.add(statement, month, terms)
            let body = statement.json.bytes
            let digest = Array(SHA256.hash(data: body))
            kept.append(
                PeriodStore.StoredStatement(
                    contract: month.contract, digest: digest, body: String(decoding: body, as: UTF8.self)))
            let places = statement.sections.compactMap { section in section.delegation.map { ($0, section.totals) } }
            // One without a place is recorded as well, or nobody could prove it, or find that it was changed.
            records += (places.isEmpty ? [(LedgerRecord.chain(of: nil), statement.totals)] : places).map {
                .statement(
                    contract: month.contract.value, delegation: $0, period: period, digest: digest, totals: $1)
            }
        }
        var summary = MonthSummary(
            period: period, strategies: try store.strategies(), cut: try store.cut(),
            excluded: try store.excluded(), startedInVain: try store.startedInVain(),
            unattributed: try store.unattributed(), tally: tally)
        summary.endedRules = schedules.ended
        summary.openContests = try ContestStore(link).open(period).count
        summary.unknownTactics = try unknownTactics(store)
        summary.hasChecks = try CheckStore(link, period: period).sampling() != nil
        return (ClosedMonth(period: period, statements: kept, summary: summary, records: records), parts)
    }

    /// Of goals that came before the month was segmented: nobody could refuse them then.
    private func unknownTactics(
        _ store: ClosingStore
    ) throws -> [(fact: String, contract: Int32, tactic: String, fault: String)] {
        let goals = try store.facts().compactMap { fact -> (fact: ClosingStore.Fact, tactic: String)? in
            guard fact.kind == "goal", fact.value.isEmpty, let subject = fact.subject,
                let colon = subject.firstIndex(of: ":")
            else { return nil }
            return (fact, String(subject[subject.index(after: colon)...]))
        }
        guard !goals.isEmpty, let known = try KnownTactics(link, period: period) else { return [] }
        return goals.filter { !known.names.contains($0.tactic) }
            .map { ($0.fact.id, $0.fact.place.contract, $0.tactic, known.fault) }
    }

    private func compare(_ month: ClosedMonth) throws {
        let before = Dictionary(uniqueKeysWithValues: try intact().map { ($0.contract, $0.digest) })
        let now = Dictionary(uniqueKeysWithValues: month.statements.map { ($0.contract, $0.digest) })
        let different = Set(before.keys).union(now.keys).filter { before[$0] != now[$0] }.sorted()
        guard different.isEmpty else {
            let shown = different.prefix(10).map(String.init).joined(separator: ", ")
            throw CommandFailure(
                .findings,
                "\(period) is closed, and its facts now give other statements for \(Words.counted(Int64(different.count), "contract")): "
                    + shown,
                remedy:
                    "The kept statements stand (`dispatcherd statement export`); what changed belongs in a later one."
            )
        }
    }
}

/// A period's statements and its page.
package struct ClosedMonth: Sendable {
    package let period: Period
    /// Ascending by contract.
    package let statements: [PeriodStore.StoredStatement]
    package let summary: MonthSummary
    /// What the ledger is told of the statements.
    let records: [LedgerRecord]
}

extension ContractMonth {
    /// Puts what is billed in its delegations. Only delegations with deals, outcomes or facts have billed outcomes.
    fileprivate mutating func bill(_ billed: [(delegation: Int16, BilledService)]) {
        let services = Dictionary(grouping: billed) { $0.delegation }
        for index in delegations.indices {
            delegations[index].billed = services[delegations[index].delegation.value, default: []].map(\.1)
        }
    }
}
