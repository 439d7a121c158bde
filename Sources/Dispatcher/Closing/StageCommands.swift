// SPDX-License-Identifier: Apache-2.0

package import Assignment
package import PgStore

/// The steps of a month between its end and its final statements: pre-statements, objections, adjustments, the second person.
package struct StageCommands {
    let link: PgLink
    let store: StageStore
    private let needsTwo: Bool
    let objectionDays: Int
    private let reviewDays: Int
    let contestDays: Int

    package init(_ link: PgLink, _ settings: Settings) {
        self.init(
            link, needsTwo: settings.closingNeedsTwo, objectionDays: settings.closingObjectionDays,
            reviewDays: settings.reviewDeadlineDays, contestDays: settings.reviewContestDays)
    }

    /// - Parameters:
    ///   - needsTwo: what one person proposes, another one has to decide.
    ///   - objectionDays: business days that agencies have after pre-statements are out.
    ///   - reviewDays: business days behind the month's end in which its reviews count, and behind a contest.
    ///   - contestDays: business days behind a rejection in which its agency may contest it.
    package init(
        _ link: PgLink, needsTwo: Bool, objectionDays: Int = 5, reviewDays: Int = 5, contestDays: Int = 5
    ) {
        self.contestDays = contestDays
        self.link = link
        store = StageStore(link)
        self.needsTwo = needsTwo
        self.objectionDays = objectionDays
        self.reviewDays = reviewDays
    }

    /// The day in Mexico City by the database's clock.
    package static func today(_ link: DatabaseLink) throws -> LocalDate {
        try link.readNow().local(offsetSeconds: MexicanTimeZone.mexicoCity.standardOffsetSeconds).date
    }

    // MARK: - Where a month stands

    package func stage(of period: Period) throws -> PeriodStage {
        PeriodStage(try facts(period), at: try link.readNow())
    }

    func facts(_ period: Period) throws -> PeriodStage.Facts {
        guard let facts = try store.facts(of: period, objectionDays: objectionDays) else {
            throw CommandFailure(
                .usage, "there is nothing of \(period): no file was ever imported for it", remedy: "Check the period.")
        }
        return facts
    }

    /// One row per month.
    package func stages() throws -> [(period: Period, stage: PeriodStage, facts: PeriodStage.Facts)] {
        let now = try link.readNow()
        return try store.periods().map { period in
            let facts = try facts(period)
            return (period, PeriodStage(facts, at: now), facts)
        }
    }

    // MARK: - Pre-statements

    /// What became of the pre-statements.
    package struct Issued: Equatable, Sendable {
        package let statements: Int
        /// Those that were not out before, byte for byte.
        package let changed: Int
        /// Until when agencies may object to the latest of them.
        package let until: Timestamp
    }

    /// Computes the statements and puts them out for objections. What is out already, byte for byte, stays as it is, and so does the time
    /// to object to it.
    package func issue(_ period: Period, by: String) throws -> Issued {
        try requireNamed(by)
        try requireOpen(period, try facts(period))
        let now = try link.readNow()
        guard now >= period.end else {
            throw CommandFailure(
                .usage, "\(period) has not ended",
                remedy: "Pre-statements go out after the month's end and before its close.")
        }
        // Their close would be refused, after agencies spent their time on them.
        try requireChecked(period)
        let month = try MonthClosing(link, period: period).preview()
        let changed = try link.transaction {
            try requireOpen(period)
            return try store.issue(month.statements, period, by: by)
        }
        return Issued(
            statements: month.statements.count, changed: changed,
            until: try facts(period).objectionsUntil ?? now.deadline(businessDays: objectionDays))
    }

    package func preStatements(_ period: Period) throws -> [PeriodStore.StoredStatement] {
        try store.preStatements(period)
    }

    /// Writes what is out into a folder, with the time to object to each.
    package func write(preStatementsOf period: Period, into folder: String) throws {
        let statements = try preStatements(period)
        var until: [Int32: Timestamp] = [:]
        for statement in statements {
            until[statement.contract] = try store.issuedAt(period, contract: statement.contract)?
                .deadline(businessDays: objectionDays)
        }
        try StatementFiles(folder).write(issued: statements, of: period, until: until)
    }

    /// Holds what is to be closed to what agencies were shown and could object to.
    ///
    /// - Throws: ``CommandFailure`` with the contracts that would be charged or billed otherwise, beyond what persons decided
    ///   since.
    package func requireAsIssued(_ month: ClosedMonth) throws {
        let issued = Dictionary(
            try store.preStatements(month.period).map { ($0.contract, $0.body) }, uniquingKeysWith: { $1 })
        guard !issued.isEmpty else { return }
        let final = Dictionary(month.statements.map { ($0.contract, $0.body) }, uniquingKeysWith: { $1 })
        let different = try Set(issued.keys).union(final.keys).filter { contract in
            guard let shown = issued[contract], let closed = final[contract] else { return true }
            return try !IssuedCharges(closed).follow(IssuedCharges(shown))
        }.sorted()
        guard different.isEmpty else {
            let names =
                different.prefix(10).map(String.init).joined(separator: ", ") + (different.count > 10 ? " …" : "")
            throw CommandFailure(
                .findings,
                different.count == 1
                    ? "contract \(names) differs from its pre-statement of \(month.period)"
                    : "\(different.count) contracts differ from their pre-statements of \(month.period): \(names)",
                remedy:
                    "Issue them again with `dispatcherd statement issue`, so that agencies can object to what is new.")
        }
    }

    // MARK: - The close

    /// Proposes to close the month with the statements as they are now; another person closes those and no others.
    ///
    /// - Returns: whose proposal it takes the place of, and of when, be it of the same moment; `nil` where it is the first one.
    @discardableResult
    package func proposeClose(_ period: Period, by: String) throws -> String? {
        try requireNamed(by)
        try requireOpen(period, try facts(period))
        try requireChecked(period)
        let month = try MonthClosing(link, period: period).preview()
        let shown = try PreviewDifference.figures(month)
        return try link.transaction {
            try requireOpen(period)
            return try store.proposeClose(period, shown, by: by).map { "\($0.by)'s of \($0.at)" }
        }
    }

    /// What a close holds its statements to within its own transaction: what was reported, decided or issued since it was looked
    /// at whether the month can be closed counts.
    ///
    /// - Parameter by: who closes.
    package func requireStillClosable(_ month: ClosedMonth, by: String?) throws {
        try requireChecked(month.period)
        try requireAsIssued(month)
        try requireAsProposed(month, by: by)
    }

    /// Holds what is to be closed to what another person proposed.
    ///
    /// - Parameter by: who closes.
    /// - Throws: ``CommandFailure`` with the contracts whose statements are others by now.
    package func requireAsProposed(_ month: ClosedMonth, by: String?) throws {
        guard needsTwo, let proposal = try store.proposal(of: month.period) else { return }
        try requireOther(by ?? "", than: proposal.by, isTo: "close \(month.period)")
        let former = try store.preview(month.period)
        // Proposals of before their figures were kept have none; nor has a month without statements.
        let isKept = former.map { $0.at == proposal.at } ?? month.statements.isEmpty
        let changes = try PreviewDifference.changes(
            from: isKept ? former?.shown ?? [:] : [:], to: PreviewDifference.figures(month))
        guard changes.isEmpty else {
            let shown = changes.prefix(10).joined(separator: "; ") + (changes.count > 10 ? "; …" : "")
            throw CommandFailure(
                .findings,
                "\(Words.counted(Int64(changes.count), "contract")) of \(month.period) \(changes.count == 1 ? "differs" : "differ") from what \(proposal.by) proposed to close at "
                    + "\(proposal.at): \(shown)",
                remedy:
                    "Nothing was closed. Look at it with `--preview`; who stands for it proposes it again with `--propose`."
            )
        }
    }

    /// Until when something of the month may still be reviewed: its own time, and that of each contest.
    package func reviewsUntil(_ period: Period) throws -> Timestamp {
        try openContests(period).map(\.until)
            .reduce(try CheckStore(link, period: period).reviewsUntil(businessDays: reviewDays), max)
    }

    /// Contests of rejections that have no second decision, by outcome; each with the time that it has for one.
    func openContests(_ period: Period) throws -> [(outcome: Int64, raised: Timestamp, until: Timestamp)] {
        try ContestStore(link).open(period).map { ($0.outcome, $0.at, $0.at.deadline(businessDays: reviewDays)) }
    }

    /// Whether this person may close the month now; a closed one may be compared by anybody.
    ///
    /// - Parameter beforeReviews: also while reviews still count, and rejections may be contested.
    /// - Throws: ``CommandFailure`` with what is missing.
    package func requireClosable(_ period: Period, by: String?, beforeReviews: Bool = false) throws {
        let facts = try facts(period)
        guard !facts.isClosed else { return }
        if let by { try requireNamed(by) }
        if facts.undecided > 0 {
            throw CommandFailure(
                .findings, Words.undecided(Int64(facts.undecided), period),
                remedy: "`dispatcherd objection list` and `dispatcherd adjustment list` show them.")
        }
        if let until = facts.objectionsUntil, try link.readNow() < until {
            throw CommandFailure(
                .usage, "agencies may object to the pre-statements of \(period) until \(until)",
                remedy: "Close it after that.")
        }
        try requireChecked(period)
        let until = try reviewsUntil(period)
        if !beforeReviews, try link.readNow() < until {
            throw CommandFailure(
                .usage, "reviews of \(period) count until \(until), and what waits at its close is never billed",
                remedy: "Close it after that; `--before-reviews` closes it now for good.")
        }
        if !beforeReviews, let open = try contestable(period) {
            throw CommandFailure(
                .usage,
                "\(Words.counted(Int64(open.rejections), "rejection")) of \(period) may be contested until \(open.until), and what is "
                    + "rejected at its close is never billed",
                remedy: "Close it after that; `--before-reviews` closes it now for good.")
        }
        guard needsTwo else { return }
        guard let by else {
            throw CommandFailure(
                .usage, "a month is closed by two persons",
                remedy:
                    "One runs `dispatcherd close --period \(period) --propose --by NAME`, the other one the same without "
                    + "--propose; closing.two-persons switches it off.")
        }
        guard let proposal = try store.proposal(of: period) else {
            throw CommandFailure(
                .usage, "nobody has proposed to close \(period)",
                remedy: "Another person runs `dispatcherd close --period \(period) --propose --by NAME`.")
        }
        try requireOther(by, than: proposal.by, isTo: "close \(period)")
    }

    /// Fees are due for outcomes that were approved or validated, and what nobody ever checked is neither (FEE-11).
    private func requireChecked(_ period: Period) throws {
        let store = CheckStore(link, period: period)
        guard try store.neverRan() else {
            let missed = try store.unchecked()
            guard missed > 0 else { return }
            throw CommandFailure(
                .findings,
                Words.counted(missed, "outcome")
                    + " of \(period) came after the automatic checks ran, and would wait for review if "
                    + "they ran now",
                remedy:
                    "Run `dispatcherd review check --period \(period) --by NAME` again; what it finds has a time for reviews of its own "
                    + "where that of the month is over.")
        }
        throw CommandFailure(
            .findings,
            "the automatic checks of \(period) never ran, so nobody validated the outcomes that need no review, and fees are due for "
                + "no others",
            remedy:
                "Run `dispatcherd review check --period \(period) --by NAME`; what it finds has a time for reviews of its own where "
                + "that of the month is over.")
    }

    // MARK: - Persons

    func requireOther(
        _ by: String, than first: String, who did: String = "proposed it", isTo what: String
    ) throws(CommandFailure) {
        guard needsTwo, PersonName.isSame(by, first) else { return }
        throw CommandFailure(
            .usage, "\(first) \(did), and another person has to \(what)",
            remedy: "closing.two-persons switches this off.")
    }

    func requireNamed(_ by: String) throws(CommandFailure) {
        _ = try Words.person(by)
    }

    func requireAmount(_ amount: Cents?) throws(CommandFailure) {
        guard let amount, amount <= .zero || amount > Adjustment.amountMax else { return }
        throw CommandFailure(
            .usage, "an amount of \(amount) is none",
            remedy: "It is above 0 and at most \(Adjustment.amountMax), in pesos before IVA.")
    }

    func requireReason(_ reason: String) throws(CommandFailure) {
        guard (1...500).contains(reason.count), !PersonName.folded(reason).isEmpty else {
            throw CommandFailure(.usage, "a reason has 1 to 500 characters", remedy: "Say why with --reason.")
        }
    }

    /// Keeps the month from being closed until the end of the transaction.
    func requireOpen(_ period: Period) throws {
        _ = try PeriodStore(link, period: period).lock()
        try requireOpen(period, try facts(period))
    }

    func requireOpen(_ period: Period, _ facts: PeriodStage.Facts) throws(CommandFailure) {
        if facts.isClosing {
            throw CommandFailure(
                .usage, "\(period) is being closed",
                remedy: "Wait for its close; one that was killed is given back with "
                    + "`dispatcherd close --period \(period) --give-back`.")
        }
        guard !facts.isClosed else {
            throw CommandFailure(
                .usage, "\(period) is closed",
                remedy: "Its statements stand; put it right by a credit or a debit in a later month.")
        }
    }
}
