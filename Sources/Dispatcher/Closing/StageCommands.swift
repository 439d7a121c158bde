// SPDX-License-Identifier: Apache-2.0

package import Assignment
package import PgStore

/// The steps of a month between its end and its final statements: pre-statements, objections, adjustments, the second person.
package struct StageCommands {
    let link: PgLink
    private let store: StageStore
    private let needsTwo: Bool
    private let objectionDays: Int
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

    private func facts(_ period: Period) throws -> PeriodStage.Facts {
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

    // MARK: - Pre-statements and objections

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
                .findings, "\(different.count) contracts differ from their pre-statements of \(month.period): \(names)",
                remedy:
                    "Issue them again with `dispatcherd statement issue`, so that agencies can object to what is new.")
        }
    }

    /// Records what an agency says against a line of its pre-statement, within the time of that one.
    ///
    /// - Parameter by: the contract's agency.
    /// - Returns: the objection's number.
    package func object(
        _ period: Period, contract: Int32, delegation: Int16?, rule: String, reason: String, by: String
    ) throws -> Int64 {
        let agency = try Words.agency(by)
        try requireReason(reason)
        let facts = try facts(period)
        guard let latest = facts.objectionsUntil, !facts.isClosed else {
            throw CommandFailure(
                .findings, facts.isClosed ? "\(period) is closed" : "no pre-statement of \(period) is out",
                remedy: Self.tooLate)
        }
        let own = try store.issuedAt(period, contract: contract)?.deadline(businessDays: objectionDays)
        let until = own ?? latest
        guard try link.readNow() < until else {
            throw CommandFailure(
                .findings, "the time to object to \(period) was over at \(until)", remedy: Self.tooLate)
        }
        return try link.transaction {
            try requireOpen(period)
            let shown = try store.preStatement(period, contract: contract).map { try StatementDocument($0) }
            let about = try ObjectionScope.require(rule, contract: contract, delegation: delegation, on: shown)
            if let shown, AgencyID(text: shown.agency) != agency {
                throw CommandFailure(
                    .usage, "contract \(contract) is \(shown.agency)'s, and not \(agency)'s",
                    remedy: "An agency objects to its own pre-statements; check --contract and --by.")
            }
            // Fees were once objected to on the whole invoice as well; such a one is about those of every delegation.
            let former = try store.objections(period).last {
                $0.contract == contract && PenaltySubject($0.rule).meets(about) && $0.decision != "rejected"
                    && ($0.delegation == delegation || $0.delegation == nil && ObjectionScope.isOfFees(about.rule))
            }
            if let former {
                throw CommandFailure(
                    .findings,
                    "objection \(former.number) is about the same line, and "
                        + (former.decision == nil ? "waits for its decision" : "was upheld"),
                    remedy: "A line is objected to once at a time; `dispatcherd objection list` shows it.")
            }
            let number = try store.raise(
                period, contract: contract, delegation: delegation, rule: about.text, reason: reason, by: "\(agency)")
            try link.insertBlocks(
                LedgerBlock.seal(try store.objections(nil, number: number).map(LedgerRecord.objection)))
            return number
        }
    }

    private static let tooLate = "What is wrong in a final statement is put right by an adjustment in a later one."

    /// An objection that is upheld against a penalty proposes its waiver, and one about fees a credit in the same statement, for another
    /// person to approve.
    ///
    /// - Parameter amount: of an upheld objection about fees, what is owed before IVA; of a penalty what is waived, `nil`: all of it.
    /// - Returns: the number of the adjustment that waits for another person: the proposed one, or a waiver of the same line that waits
    ///   already; `nil` where there is nothing to approve.
    package func decide(
        objection number: Int64, isUpheld: Bool, amount: Cents? = nil, reason: String, by: String
    ) throws -> Int64? {
        try requireNamed(by)
        try requireReason(reason)
        try requireAmount(amount)
        let room = isUpheld ? try chargesMeant(by: number, amount: amount) : nil
        return try link.transaction {
            guard let objection = try store.objections(nil, number: number).first, objection.decision == nil else {
                throw CommandFailure(
                    .findings, "there is no objection \(number) that waits for a decision",
                    remedy: "`dispatcherd objection list` shows them.")
            }
            try requireOpen(objection.period)
            try requireOther(by, than: objection.raisedBy, who: "raised it", isTo: "decide about objection \(number)")
            let effect = ObjectionScope.effect(of: objection.rule)
            if isUpheld, effect == .credit, amount == nil {
                throw CommandFailure(
                    .usage, "objection \(number) is about fees, and what they lack is not named",
                    remedy: "Give --amount, in pesos before IVA.")
            }
            guard try store.decide(number, isUpheld: isUpheld, reason: reason, by: by) else {
                throw CommandFailure(
                    .findings, "objection \(number) was decided meanwhile",
                    remedy: "`dispatcherd objection list` shows it.")
            }
            try link.insertBlocks(
                LedgerBlock.seal(
                    try store.objections(nil, number: number).compactMap(LedgerRecord.objectionDecision)))
            guard isUpheld, let effect else { return nil }
            let proposed = Adjustment(
                number: 0, kind: effect, rule: objection.rule, amount: amount, about: objection.period, reason: reason)
            if effect == .waiver {
                let place = WaiverPlace(
                    store, objection.period, contract: objection.contract, delegation: objection.delegation)
                if let former = try place.bar(PenaltySubject(objection.rule)) {
                    guard former.decision == nil else { return nil }
                    guard former.adjustment.rule == objection.rule, former.adjustment.amount == amount else {
                        throw CommandFailure(
                            .findings,
                            "adjustment \(former.adjustment.number), \(WaiverPlace.words(former.adjustment)), waits for its decision, "
                                + "and upholding proposes \(WaiverPlace.words(proposed))",
                            remedy:
                                "Decide about that one first (`dispatcherd adjustment approve` or `reject \(former.adjustment.number)`)."
                        )
                    }
                    return former.adjustment.number
                }
                if let room {
                    // Waived in parts already: the agency is right, and there is nothing left to take back.
                    if amount == nil, try !place.hasRoom(for: proposed, of: room) { return nil }
                    try place.requireRoom(for: proposed, of: room)
                }
            }
            return try store.propose(
                proposed, in: objection.period, contract: objection.contract, delegation: objection.delegation,
                objection: number, by: by)
        }
    }

    /// What is charged where an objection to a penalty is; `nil` where there is none that waits, or nothing is charged there.
    ///
    /// - Parameter amount: that is to be waived, `nil`: all of it.
    private func chargesMeant(by number: Int64, amount: Cents?) throws -> WaivableCharges? {
        guard let objection = try store.objections(nil, number: number).first, objection.decision == nil,
            ObjectionScope.effect(of: objection.rule) == .waiver
        else { return nil }
        let (period, contract) = (objection.period, objection.contract)
        let shown = try store.preStatement(period, contract: contract).map { try StatementDocument($0) }
        guard let section = shown?.sections.first(where: { $0.delegation == objection.delegation.map(Int.init) })
        else { return nil }
        let waiver = Adjustment(
            number: 0, kind: .waiver, rule: objection.rule, amount: amount, about: period, reason: objection.reason)
        return try widened(
            ObjectionScope.charges(section), for: waiver, in: period, contract: contract,
            delegation: objection.delegation)
    }

    /// What was shown of a penalty, and what it came to since where that is more and is needed: the month is computed only then.
    private func widened(
        _ shown: WaivableCharges, for waiver: Adjustment, in period: Period, contract: Int32, delegation: Int16?
    ) throws -> WaivableCharges {
        let place = WaiverPlace(store, period, contract: contract, delegation: delegation)
        guard try !place.hasRoom(for: waiver, of: shown) else { return shown }
        return shown.larger(
            try AdjustmentScope(link, period).charges(contract: contract, delegation: delegation))
    }

    package func objections(_ period: Period?) throws -> [StageStore.Objection] { try store.objections(period) }

    // MARK: - Adjustments

    /// - Returns: the adjustment's number.
    package func propose(
        _ adjustment: Adjustment, in period: Period, contract: Int32, delegation: Int16?, by: String
    ) throws -> Int64 {
        try requireNamed(by)
        try requireReason(adjustment.reason)
        try requireAmount(adjustment.amount)
        try requireOpen(period, try facts(period))
        try requireFitting(adjustment, in: period)
        let (about, shown) = try AdjustmentScope(link, period).require(
            adjustment, contract: contract, delegation: delegation)
        let proposed = adjustment.ofRule(about.text)
        let charges =
            adjustment.kind == .waiver
            ? try widened(shown, for: proposed, in: period, contract: contract, delegation: delegation) : shown
        return try link.transaction {
            try requireOpen(period)
            if adjustment.kind == .waiver {
                let place = WaiverPlace(store, period, contract: contract, delegation: delegation)
                if let former = try place.bar(about) {
                    throw CommandFailure(
                        .findings,
                        "adjustment \(former.adjustment.number) is about the same penalty, and "
                            + (former.decision == nil ? "waits for its decision" : "took back all of it"),
                        remedy: "A penalty is waived once; decide that one first (`dispatcherd adjustment list`).")
                }
                try place.requireRoom(for: proposed, of: charges)
            }
            return try store.propose(
                proposed, in: period, contract: contract, delegation: delegation, objection: nil, by: by)
        }
    }

    /// Months and amounts that go with the kind.
    private func requireFitting(_ adjustment: Adjustment, in period: Period) throws {
        switch adjustment.kind {
        case .waiver:
            guard adjustment.about == period, adjustment.rule.hasPrefix("PEN-") else {
                throw CommandFailure(
                    .usage, "a waiver is of a penalty of the month itself",
                    remedy: "About an earlier month it is a credit or a debit.")
            }
        case .credit, .debit:
            let about = try facts(adjustment.about)
            guard about.isClosed, adjustment.about < period, adjustment.amount != nil else {
                throw CommandFailure(
                    .usage, "a credit or debit has an amount and is about an earlier month that is closed",
                    remedy: "Name it with --about, and the amount before IVA with --amount.")
            }
        }
    }

    /// Proposes to take an approved adjustment back while its month is open; it is decided about as any other adjustment.
    ///
    /// - Returns: the withdrawal's number.
    package func withdraw(adjustment number: Int64, reason: String, by: String) throws -> Int64 {
        try requireNamed(by)
        try requireReason(reason)
        return try link.transaction {
            guard let row = try store.adjustments(nil, number: number).first else {
                throw CommandFailure(
                    .findings, "there is no adjustment \(number)",
                    remedy: "`dispatcherd adjustment list` shows them.")
            }
            try requireOpen(row.period)
            guard row.isApproved, row.adjustment.withdraws == nil else {
                throw CommandFailure(
                    .usage, "adjustment \(number) is \(Self.standing(of: row)), so there is nothing to withdraw",
                    remedy: row.decision == nil
                        ? "`dispatcherd adjustment reject \(number)` keeps it out of force."
                        : "What is to be otherwise is proposed anew.")
            }
            let former = try store.adjustments(row.period).last {
                $0.adjustment.withdraws == number && $0.decision != "rejected"
            }
            if let former {
                throw CommandFailure(
                    .findings,
                    "withdrawal \(former.adjustment.number) of adjustment \(number) "
                        + (former.decision == nil ? "waits for its decision" : "took it out of force"),
                    remedy: "`dispatcherd adjustment list` shows it.")
            }
            return try store.propose(
                .withdrawal(of: number, in: row.period, reason: reason), in: row.period, contract: row.contract,
                delegation: row.delegation, objection: nil, by: by)
        }
    }

    private static func standing(of row: StageStore.AdjustmentRow) -> String {
        if row.decision == nil { return "not decided yet" }
        return row.adjustment.withdraws == nil ? "rejected" : "a withdrawal itself"
    }

    /// What to tell of a waiver of a penalty of which others took something back before; `nil` where none did.
    package func besideWaivers(adjustment number: Int64) throws -> String? {
        guard let row = try store.adjustments(nil, number: number).first, row.adjustment.kind == .waiver,
            row.adjustment.withdraws == nil
        else { return nil }
        return try WaiverPlace(store, row.period, contract: row.contract, delegation: row.delegation)
            .others(beside: row.adjustment)
    }

    /// What to tell where credits, or debits, about a month come to more than its invoice; `nil` where they do not.
    ///
    /// - Parameter number: of one of them; those that were rejected or withdrawn do not count.
    package func beyondInvoice(adjustment number: Int64) throws -> String? {
        guard let row = try store.adjustments(nil, number: number).first, row.adjustment.kind != .waiver else {
            return nil
        }
        let all = try store.adjustments(nil)
        let withdrawn = Set(all.filter(\.isApproved).compactMap(\.adjustment.withdraws))
        let sum = all.filter {
            ($0.adjustment.kind, $0.adjustment.about, $0.contract)
                == (row.adjustment.kind, row.adjustment.about, row.contract)
                && $0.decision != "rejected" && !withdrawn.contains($0.adjustment.number)
        }.reduce(Cents.zero) { $0 + ($1.adjustment.amount ?? .zero) }
        let (about, contract) = (row.adjustment.about, row.contract)
        let body =
            try about == row.period
            ? store.preStatement(about, contract: contract) : store.statement(about, contract: contract)
        let invoice = try body.flatMap { Cents(pesos: try StatementDocument($0).totals.fees) } ?? .zero
        guard sum > invoice else { return nil }
        return "\(row.adjustment.kind.rawValue)s about \(about) of contract \(contract) come to \(grouped(sum)), "
            + "more than its invoice of \(grouped(invoice))"
    }

    package func decide(adjustment number: Int64, isApproved: Bool, reason: String, by: String) throws {
        try requireNamed(by)
        try requireReason(reason)
        try link.transaction {
            guard let row = try store.adjustments(nil, number: number).first, row.decision == nil else {
                throw CommandFailure(
                    .findings, "there is no adjustment \(number) that waits for a decision",
                    remedy: "`dispatcherd adjustment list` shows them.")
            }
            try requireOpen(row.period)
            try requireOther(by, than: row.proposedBy, isTo: "decide about adjustment \(number)")
            if let objection = try row.objection.flatMap({ try store.objections(nil, number: $0).first }) {
                try requireOther(
                    by, than: objection.raisedBy, who: "raised objection \(objection.number)",
                    isTo: "decide about adjustment \(number)")
            }
            guard try store.decide(adjustment: number, isApproved: isApproved, reason: reason, by: by) else {
                throw CommandFailure(
                    .findings, "adjustment \(number) was decided meanwhile",
                    remedy: "`dispatcherd adjustment list` shows it.")
            }
            guard let decided = try store.adjustments(nil, number: number).first else { return }
            try link.insertBlocks(LedgerBlock.seal([.adjustment(decided)]))
        }
    }

    package func adjustments(_ period: Period?) throws -> [StageStore.AdjustmentRow] { try store.adjustments(period) }

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
                "\(changes.count) contracts of \(month.period) differ from what \(proposal.by) proposed to close at "
                    + "\(proposal.at): \(shown)",
                remedy:
                    "Nothing was closed. Look at it with `--preview`; who stands for it proposes it again with `--propose`."
            )
        }
    }

    /// Until when something of the month may still be reviewed: its own time, and that of each contest.
    package func reviewsUntil(_ period: Period) throws -> Timestamp {
        try ContestStore(link).open(period).map { $0.at.deadline(businessDays: reviewDays) }
            .reduce(try CheckStore(link, period: period).reviewsUntil(businessDays: reviewDays), max)
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
                .findings, "\(facts.undecided) objections or adjustments of \(period) wait for a decision",
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
        guard try CheckStore(link, period: period).neverRan() else { return }
        throw CommandFailure(
            .findings,
            "the automatic checks of \(period) never ran, so nobody validated the outcomes that need no review, and fees are due for "
                + "no others",
            remedy:
                "Run `dispatcherd review check --period \(period) --by NAME`; what it finds has a time for reviews of its own where "
                + "that of the month is over.")
    }

    // MARK: - Persons

    private func requireOther(
        _ by: String, than first: String, who did: String = "proposed it", isTo what: String
    ) throws(CommandFailure) {
        guard needsTwo, PersonName.isSame(by, first) else { return }
        throw CommandFailure(
            .usage, "\(first) \(did), and another person has to \(what)",
            remedy: "closing.two-persons switches this off.")
    }

    private func requireNamed(_ by: String) throws(CommandFailure) {
        _ = try Words.person(by)
    }

    private func requireAmount(_ amount: Cents?) throws(CommandFailure) {
        guard let amount, amount <= .zero || amount > Adjustment.amountMax else { return }
        throw CommandFailure(
            .usage, "an amount of \(amount) is none",
            remedy: "It is above 0 and at most \(Adjustment.amountMax), in pesos before IVA.")
    }

    private func requireReason(_ reason: String) throws(CommandFailure) {
        guard (1...500).contains(reason.count), !PersonName.folded(reason).isEmpty else {
            throw CommandFailure(.usage, "a reason has 1 to 500 characters", remedy: "Say why with --reason.")
        }
    }

    /// Keeps the month from being closed until the end of the transaction.
    private func requireOpen(_ period: Period) throws {
        _ = try PeriodStore(link, period: period).lock()
        try requireOpen(period, try facts(period))
    }

    private func requireOpen(_ period: Period, _ facts: PeriodStage.Facts) throws(CommandFailure) {
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
