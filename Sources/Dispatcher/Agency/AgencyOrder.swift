// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
internal import Assignment
internal import PgStore

/// An order about an agency as an operator gives it: no more work for it, all of it or a part, or work again (AGY-16,
/// ASG-06, SUS-01). Looked at first, then put in force.
///
/// In force at once: nothing more can be pulled, what waits in its hands is withdrawn, and its limits are what it holds.
/// What it holds stays until the term, or is recalled in two steps.
package struct AgencyOrder {
    package enum Action: String, Sendable, CaseIterable { case hold, release, suspend, terminate }

    let agency: AgencyID
    let action: AgencyOrderRow.Action
    let strategy: Strategy?
    let band: String?
    let motive: String
    private let finalAt: Timestamp?
    let by: String
    /// Of a release: whether recalls that are under way end with it.
    let withdrawsRecalls: Bool

    /// - Parameters:
    ///   - recallOn: the day on which what is held is taken back; `nil`: it stays until its term.
    ///   - withdrawsRecalls: of a release; recalls of what it covers end with it.
    /// - Throws: ``CommandFailure`` of usage.
    package init(
        _ action: Action, agency: String, strategy: String?, band: String?, motive: String, recallOn: String?,
        by: String, withdrawsRecalls: Bool = false
    ) throws(CommandFailure) {
        self.withdrawsRecalls = withdrawsRecalls
        self.agency = try Words.agency(agency)
        self.action = AgencyOrderRow.Action(rawValue: action.rawValue) ?? .hold
        self.strategy = try strategy.map(Words.strategy)
        self.band = try band.map { text throws(CommandFailure) in try Words.token(text, "band") }
        self.motive = try Words.token(motive, "motive")
        self.finalAt = try recallOn.map(Words.midnight)
        self.by = try Words.person(by)
        if self.band != nil, self.strategy == nil {
            throw CommandFailure(
                .usage, "a band is given without its strategy", remedy: "Give --strategy too.")
        }
    }

    /// One band of a strategy, because its minimum was missed (SUS-01). What is held stays.
    ///
    /// - Parameter by: in any spelling; the ledger has it as one word.
    init(suspending band: String, of strategy: Strategy, for agency: AgencyID, by: String) {
        self.init(missed: .suspend, strategy: strategy, band: band, agency: agency, by: by)
    }

    /// All of an agency's work, because it missed a band's minimum again and again (SUS-02). What is held stays until its term.
    init(terminating agency: AgencyID, by: String) {
        self.init(missed: .terminate, strategy: nil, band: nil, agency: agency, by: by)
    }

    private init(missed action: AgencyOrderRow.Action, strategy: Strategy?, band: String?, agency: AgencyID, by: String)
    {
        self.agency = agency
        self.action = action
        self.strategy = strategy
        self.band = band
        motive = Self.missedMotive
        finalAt = nil
        self.by = by
        withdrawsRecalls = false
    }

    static let missedMotive = "minimum-missed"

    /// - Parameter isPreview: shows what would happen, and changes nothing.
    package func run(on link: DatabaseLink, isPreview: Bool, asJSON: Bool) throws -> String {
        try result(on: link, isPreview: isPreview, asJSON: asJSON).text
    }

    /// - Parameter isPreview: shows what would happen, and changes nothing.
    /// - Returns: the report, and a failure (findings) where the order is in force and what waits is not dealt to others.
    package func result(
        on link: DatabaseLink, isPreview: Bool, asJSON: Bool
    ) throws -> (text: String, failure: CommandFailure?) {
        let report = try self.report(link, isPreview: isPreview)
        return (try report.text(asJSON: asJSON), isPreview ? nil : report.failure)
    }

    private func report(_ link: PgLink, isPreview: Bool) throws -> AgencyOrderReport {
        do {
            if let finalAt, finalAt <= (try link.readNow()) {
                throw CommandFailure(
                    .usage, "\(finalAt) has passed", remedy: "Give a later day; a notice gives the agency time.")
            }
            try requireWorked(link)
            try checkBand(link)
            if isPreview { return try preview(link) }
            // Before the order: what waits already is not its doing.
            let waited = action == .release ? 0 : try redeal(link).waiting()
            var report = try link.transaction { try putInForce(link) }
            report.waitedBefore = waited
            if action == .release {
                try tellRest(link, &report)
            } else {
                report.add(held: try link.countHeld(by: agency, strategy: strategy, tactic: band), isRecalled: false)
                if let finalAt { try recall(link, finalAt, &report) }
                report.isBeingDealt = try RedealStore(link).dealingPeriod() != nil
                report.dealtAgain = try isMonthDealt(link) ? dealAgain(link) : nil
            }
            return report
        } catch let error as PgError {
            throw CommandFailure(
                error, work: "\(agency)", left: "what was noticed stays so; give the order again for the rest")
        }
    }

    /// What the order would do, by what is in the tables now. Locks no hand and writes nothing.
    private func preview(_ link: PgLink) throws -> AgencyOrderReport {
        try check(try link.readAgencyStatus(of: agency).first?.status)
        var report = emptyReport
        report.isPreview = true
        let held = try link.countHeld(by: agency, strategy: strategy, tactic: band)
        report.add(held: held, isRecalled: finalAt != nil)
        guard action != .release else {
            try requireReleasable(link)
            report.addRecalls(underWay: Self.underWay(held), areWithdrawn: withdrawsRecalls)
            return report
        }
        report.waitedBefore = try redeal(link).waiting()
        let withdrawal = OrderedWithdrawal(agency: agency, strategy: strategy, band: band)
        for (place, accounts) in try link.countWaiting(withdrawal) { report.add(withdrawn: accounts, at: place) }
        guard try isMonthDealt(link) else { return report }
        // Whom the others' plan counts follows from the order's standing, which is in force within this transaction only.
        do {
            report.dealtAgain = .success(
                try link.rolledBack {
                    try link.apply(row(at: try link.readNow()))
                    return try redeal(link).preview(supposing: withdrawal)
                })
        } catch let failure as CommandFailure {
            report.dealtAgain = .failure(failure)
        }
        return report
    }

    /// Where no month is dealt nothing waits for anybody; one that is just being dealt keeps to the order, and says so.
    private func isMonthDealt(_ link: PgLink) throws -> Bool {
        let store = RedealStore(link)
        return try store.dealtPeriod() != nil || store.dealingPeriod() != nil
    }

    /// Gives notice of all that is held, page by page.
    private func recall(_ link: PgLink, _ finalAt: Timestamp, _ report: inout AgencyOrderReport) throws {
        while true {
            let leases = try recallable(link)
            let noticed = try Recalls.notice(link, leases, reason: motive, finalAt: finalAt, by: by)
            for row in noticed {
                guard let strategy = row.strategy else { continue }
                report.add(
                    recalled: 1,
                    at: AgencyPlace(delegation: row.lease.delegation, agency: agency, strategy: strategy))
            }
            // Who is noticed is not recallable again; where nobody was, all of the page have ended meanwhile.
            if leases.count < Int(RecallOrder.max) || noticed.isEmpty { return }
        }
    }

    /// Deals what was withdrawn to the others. The order is in force whatever comes of that.
    func dealAgain(_ link: PgLink) -> Result<RedealReport, CommandFailure> {
        do {
            return .success(try redeal(link).run())
        } catch let failure as CommandFailure {
            return .failure(failure)
        } catch {
            return .failure(CommandFailure(.environment, "\(error)", remedy: ""))
        }
    }

    private func redeal(_ link: PgLink) -> RedealRun {
        RedealRun(
            link, scope: RedealScope(.leftOver, strategies: strategy.map { [$0] }), reason: reason, by: by)
    }

    private var emptyReport: AgencyOrderReport {
        AgencyOrderReport(
            agency: agency, action: action, strategy: strategy, band: band, motive: motive, finalAt: finalAt)
    }

    private func row(at now: Timestamp) -> AgencyOrderRow {
        AgencyOrderRow(
            agency: agency, action: action, strategy: strategy, band: band, motive: motive,
            held: finalAt == nil ? .keep : .recall, finalAt: finalAt, by: by, at: now)
    }

    private var reason: String {
        switch action {
        case .terminate: "termination"
        case .suspend: "suspension"
        case .hold, .release: "hold"
        }
    }

    /// - Throws: ``CommandFailure``: usage where there is no such agency, or the order does not fit what is in force.
    private func check(_ status: String?) throws(CommandFailure) {
        switch (status, action) {
        case (nil, _):
            throw CommandFailure(
                .usage, "there is no agency \(agency)", remedy: "`dispatcherd agency list` shows them.")
        case ("terminated", _):
            throw CommandFailure(
                .usage, "\(agency) is terminated, and that is for good",
                remedy: "It takes part again under a number of its own, with a contract of its own.")
        case (_, _): break
        }
        if action == .suspend, strategy == nil {
            throw CommandFailure(
                .usage, "a suspension needs a strategy",
                remedy: "Give --strategy, and --band for one band of it; `agency hold` stops everything.")
        }
    }

    /// A band that the month's policy has not is a slip of the pen: nothing would be withdrawn, and nobody would notice.
    private func checkBand(_ link: PgLink) throws {
        guard let band, let strategy, action == .suspend, let dealt = try RedealStore(link).dealtPeriod(),
            try SegmentationStore(link, period: dealt.period).segmentation() != nil
        else { return }
        let (_, file) = try PlanDraft.placements(link, period: dealt.period)
        let policy = try file.policy(for: dealt.period)
        let known = policy.tactics(of: strategy)
        guard !known.contains(band) else { return }
        throw CommandFailure(
            .usage, "the policy of \(dealt.period) has no band '\(band)' in \(strategy.name)",
            remedy: known.isEmpty
                ? "It places nothing there."
                : (nearestName(to: band, among: known).map { "Did you mean \($0)? " } ?? "")
                    + "It has \(known.joined(separator: ", ")).")
    }

    private func recallable(_ link: PgLink) throws -> [LeaseKey] {
        var scope = RecallScope()
        scope.agency = agency
        scope.strategy = strategy
        scope.tactic = band
        return try link.readRecallable(scope, limit: RecallOrder.max).map(\.lease)
    }

    /// In a transaction of the caller's.
    func putInForce(_ link: PgLink) throws -> AgencyOrderReport {
        var report = emptyReport
        try check(try link.lockAgencyStatus(agency))
        if action == .release { try requireReleasable(link) }
        let now = try link.readNow()
        let period = Period.ofWork(at: now)
        try link.apply(row(at: now))
        let places = try link.readPlaces().filter {
            $0.agency == agency && (strategy == nil || $0.strategy == strategy)
        }.sorted { ($0.delegation, $0.strategy.rawValue) < ($1.delegation, $1.strategy.rawValue) }
        var records = Set(places.map(\.delegation)).sorted().map {
            LedgerRecord.standing(
                agency, action.rawValue, in: $0, strategy: strategy, band: band, motive: motive, finalAt: finalAt,
                by: LedgerRecord.word(by), period: period, at: now)
        }
        if action != .release { records += try withdraw(link, period, now, &report) }
        if band == nil {
            try link.announce(places, isPaused: action != .release, word: motive)
            report.places = places.count
        }
        try link.insertBlocks(LedgerBlock.seal(records))
        return report
    }

    private func withdraw(
        _ link: PgLink, _ period: Period, _ now: Timestamp, _ report: inout AgencyOrderReport
    ) throws -> [LedgerRecord] {
        let done = try AgencyWithdrawal(agency: agency, strategy: strategy, band: band, reason: reason)
            .run(link, period: period, at: now)
        report.add(done.endings)
        for hand in done.hands { report.add(hand) }
        return done.records
    }
}

extension LedgerRecord {
    static func standing(
        _ agency: AgencyID, _ action: String, in delegation: Delegation, strategy: Strategy?, band: String?,
        motive: String, finalAt: Timestamp?, by: String, period: Period, at now: Timestamp
    ) -> LedgerRecord {
        var text = "standing agency=\(agency) delegation=\(delegation) action=\(action)"
        if let strategy { text += " strategy=\(strategy.name)" }
        if let band { text += " band=\(band)" }
        text += " motive=\(motive) held=\(finalAt == nil ? "keep" : "recall")"
        if let finalAt { text += " final=\(finalAt)" }
        return LedgerRecord(delegation: delegation, period: period, text + " by=\(by) at=\(now)")
    }

    static func withdrawal(
        _ hand: WithdrawnHand, reason: String, period: Period, at now: Timestamp
    ) -> LedgerRecord {
        LedgerRecord(
            delegation: hand.key.delegation, period: period,
            "withdrawal delegation=\(hand.key.delegation) hand=\(hand.key.hand) from=\(hand.cursor + 1)"
                + " accounts=\(hand.accounts) reason=\(reason) at=\(now)")
    }

    /// A limit that something else than a plan put in force.
    static func limit(_ quota: QuotaRow, why: String, period: Period) -> LedgerRecord {
        LedgerRecord(
            delegation: quota.pool.delegation, period: period,
            "quota why=\(why) \(quota.pool.words) contract=\(quota.contract) accounts=\(quota.limitAccounts) "
                + "exposure=\(quota.limitExposure.map { Cents($0).description } ?? "none")")
    }
}
