// SPDX-License-Identifier: Apache-2.0

package import Assignment
package import PgStore

/// Plans a period: shows what would be dealt, or deals it. The system assigns, a person looks and applies (ASG-02).
///
/// Applying takes short transactions, so that pulls wait for none of them long: close the hands of earlier periods; fix
/// the quotas and note that the plan is being dealt; write each delegation's hands, inactive; put the quotas in force
/// and open all hands at once. Whatever stops it before the last one leaves a plan that the next apply takes back.
package struct PlanRun {
    private let link: PgLink
    private let period: Period
    private let seed: Int64
    private let settings: PlanSettingsFile?
    private let dealsNothing: Bool
    private let expected: PlanDigest?
    private let store: PlanningStore

    /// - Parameters:
    ///   - seed: of the shuffle; without one the period's number, so that preview and apply agree.
    ///   - settings: tried in the place of those in force; only for a preview.
    ///   - dealsNothing: apply also where nobody takes any account.
    ///   - expected: apply only the plan that has it, as a preview showed it.
    package init(
        _ link: PgLink, period: Period, seed: Int64? = nil, settings: PlanSettingsFile? = nil,
        dealsNothing: Bool = false, expected: PlanDigest? = nil
    ) {
        self.link = link
        self.period = period
        self.settings = settings
        self.dealsNothing = dealsNothing
        self.expected = expected
        self.seed = seed ?? Int64(period.number)
        self.store = PlanningStore(link, period: period, cut: SegmentationRun.cutDay(period))
    }

    /// So many accounts are dealt for a preview without being asked for: a few seconds.
    private static let triedMax: Int64 = 500_000

    /// - Parameter deals: deal in memory whatever waits, to tell to the account what finds nobody; `nil`: up to half a
    ///   million.
    /// - Throws: ``CommandFailure`` (usage) where the period cannot be planned.
    package func preview(deals: Bool? = nil) throws -> PlanReport {
        try guarded { try link.rolledBack { try previewed(deals) } }
    }

    private func previewed(_ deals: Bool?) throws -> PlanReport {
        // As apply finds it.
        try Sweep.runWithin(link)
        let draft = try PlanDraft.make(link, period: period, seed: seed, settings: settings)
        let plan = try store.plan()
        let isApplied = plan?.state == "applied"
        let dealt = try deals ?? (draft.waiting <= Self.triedMax) && !isApplied ? tried(draft) : nil
        return PlanReport(
            draft, period: period, state: .preview, plan: plan?.id, dealt: dealt,
            recalled: isApplied ? 0 : try store.turned().count, isApplied: isApplied)
    }

    /// What apply would deal, group by group as it would, only that nothing is written.
    private func tried(_ draft: PlanDraft) throws -> PlanReport.Dealt {
        let dealing = DelegationDeal(
            draft, incarnation: Int64(try link.readHomeRecord().home.incarnation),
            elsewhere: try store.placedElsewhere())
        var tally = DealTally()
        for group in DelegationDeal.groups(draft, threads: 1) {
            for part in try dealing.make(group, store, isTrial: true, write: { $1.summary($0) }) { tally.add(part) }
        }
        return tally.report(earlierHandsClosed: 0)
    }

    /// - Throws: ``CommandFailure``: usage where the period cannot be planned or another plan is applied; findings where the plan
    ///   is not the one that is expected; environment where another command took the plan back meanwhile.
    ///
    /// - Parameter person: who applies. Where the settings ask for two persons the first one's wish is noted, and nothing
    ///   happens until another one applies the same plan.
    package func apply(by name: String = PersonName.unnamed) throws -> PlanReport {
        let person = try Words.person(name)
        if let report = try appliedAlready(person) { return report }
        try requireNamed(person)
        // A lease is over at its enforced term, whether a node was there to close it or not.
        let swept = try Sweep.run(link)
        if swept > 0 { Console.note("leases whose term was over were closed first, in \(swept) grants") }
        let needsOne = try expected == nil && PlanSettingsBook(link).inForce(period).settings.persons == 1
        var wished: (draft: PlanDraft, persons: [String])?
        var closed = 0
        // What there is to close is closed only for a plan that can be made, and made again when the set is frozen.
        if try !needsOne || store.hasEarlierHands() {
            let asked = try transaction { try wish(person) }
            guard asked.persons.count >= asked.draft.settings.settings.persons else {
                return PlanReport(
                    asked.draft, period: period, state: .awaiting, plan: nil, dealt: nil, persons: asked.persons)
            }
            wished = asked
            closed = try transaction {
                _ = try store.lockPeriods()
                return try store.closeEarlierHands()
            }
        }
        let (draft, plan, persons, orders) = try transaction { try start(wished, person) }
        var dealt = try deal(draft, plan: plan, persons, closed: closed, orders)
        passOn(&dealt, by: person)
        let recalled = try recallTurned(by: person)
        return PlanReport(
            draft, period: period, state: .applied, plan: plan, dealt: dealt, persons: persons, recalled: recalled)
    }

    /// Two persons are two names that somebody gave: whoever left `--by` out could be the one that gives a name next.
    private func requireNamed(_ person: String) throws {
        guard PersonName.isSame(person, PersonName.unnamed),
            try PlanSettingsBook(link).inForce(period).settings.persons > 1
        else { return }
        throw CommandFailure(
            .usage, "the plan settings of \(period) ask for two persons, and --by names none",
            remedy: "Give your name: dispatcherd plan apply --period \(period) --by NAME; another person does the same."
        )
    }

    /// A month is dealt once, and a plan of nothing is mostly a month without its contracts.
    private func refuseNothing(_ draft: PlanDraft) throws(CommandFailure) {
        guard let alarm = draft.alarm, !dealsNothing else { return }
        throw CommandFailure(
            .usage, "\(alarm); a month is dealt once, so it is not applied",
            remedy:
                "Import the month's contracts with their bonds and advisers (dispatcherd import contracts FILE --period "
                + "\(period)) or release its agencies; with --deal-nothing it is applied all the same.")
    }

    /// Whoever looked at a plan applies that one: accounts, contracts, settings or placements may have changed since.
    private func refuseOther(_ draft: PlanDraft) throws(CommandFailure) {
        guard let expected, !expected.fits(draft.digest) else { return }
        throw CommandFailure(
            .findings,
            "the plan of \(period) is not \(expected) any more: it is \(LedgerTree.hex(draft.digest).prefix(16)) now, assigns "
                + "\(Console.grouped(Int(draft.assigned))) of \(Words.counted(draft.waiting, "account")), and goes by the placements "
                + "\(LedgerTree.hex(draft.segmentation.digest).prefix(16)) and the settings \(draft.settings.settings.name)",
            remedy: "Look at it again with plan preview, and apply the one that it shows")
    }

    private func wish(_ person: String) throws -> (draft: PlanDraft, persons: [String]) {
        let draft = try PlanDraft.make(link, period: period, seed: seed)
        try refuseOther(draft)
        try refuseNothing(draft)
        let persons = try PlanProofStore(link).approve(period, digest: draft.digest, by: person)
        // A wish of nobody's may be there from before two persons were asked for.
        let counting =
            draft.settings.settings.persons > 1
            ? persons.filter { !PersonName.isSame($0, PersonName.unnamed) } : persons
        return (draft, PersonName.distinct(counting))
    }

    /// Takes back a plan whose apply was stopped.
    /// - Returns: its number; `nil` where there is none.
    package func discard() throws -> Int64? {
        try transaction {
            _ = try store.lockPeriods()
            guard let plan = try store.plan() else { return nil }
            guard plan.state == "dealing" else {
                throw CommandFailure(
                    .usage, "plan \(plan.id) of \(period) is applied",
                    remedy: "Its hands are out; only a stopped apply can be dropped")
            }
            guard !plan.isBeingDealt else { throw beingDealt(plan) }
            try store.discard(plan.id)
            return plan.id
        }
    }

    private func transaction<Value>(_ body: () throws -> Value) throws -> Value {
        try guarded { try link.transaction(body) }
    }

    private func guarded<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as PgError {
            throw CommandFailure(error, work: "\(period)", left: "the plan is not in force")
        }
    }

    /// The report on the plan that is in force, where it is the one asked for: by its own record, not by what a plan of
    /// today would be.
    private func appliedAlready(_ person: String) throws -> PlanReport? {
        let found: (PlanDraft, Int64, PlanReport.Dealt, [String], String?)? = try transaction {
            guard let plan = try store.plan(), plan.state == "applied" else { return nil }
            try PlanDraft.checkPeriod(store)
            let (segmentation, _) = try PlanDraft.placements(link, period: period)
            guard plan.seed == seed, plan.segmentationDigest == segmentation.digest else {
                throw CommandFailure(
                    .usage, "plan \(plan.id) with seed \(plan.seed) is applied for \(period)",
                    remedy: "A period is dealt once; plan the next one")
            }
            let proofs = PlanProofStore(link)
            let row = try PlanRecord.row(proofs, of: period)
            let (hands, accounts) = try proofs.dealt(plan.id)
            let draft = try PlanDraft.recorded(link, row)
            guard expected?.fits(draft.digest) ?? true else {
                throw CommandFailure(
                    .findings,
                    "plan \(plan.id) is applied for \(period), and its digest is \(LedgerTree.hex(draft.digest).prefix(16))",
                    remedy: "A period is dealt once; look at it with plan explain")
            }
            return (
                draft, plan.id,
                PlanReport.Dealt(
                    hands: hands, accounts: accounts, left: [], reasons: [], apart: 0, earlierHandsClosed: 0),
                row.appliedBy, row.appliedAt?.description
            )
        }
        guard let (draft, plan, dealt, persons, at) = found else { return nil }
        // The one that opened the hands may have been stopped before it gave all notices.
        let recalled = try recallTurned(by: person)
        return PlanReport(
            draft, period: period, state: .unchanged, plan: plan, dealt: dealt, persons: persons, recalled: recalled,
            appliedAt: at)
    }

    /// Gives notice of the leases that the period's placements take from their holders, in a recall of two steps.
    ///
    /// - Returns: how many.
    private func recallTurned(by person: String) throws -> Int {
        let turned = try store.turned()
        guard !turned.isEmpty else { return 0 }
        let days = try PlanSettingsBook(link).inForce(period).settings.recallDays
        let finalAt = try Words.midnight(store.today().advanced(byDays: days).description)
        var count = 0
        for reason in TurnReason.allCases {
            let leases = turned.filter { $0.reason == reason }.map(\.lease)
            count += try Recalls.notice(link, leases, reason: reason.rawValue, finalAt: finalAt, by: person).count
        }
        return count
    }

    /// Deals to others what was taken back at once. The plan is in force whatever comes of that.
    private func passOn(_ dealt: inout PlanReport.Dealt, by person: String) {
        guard let first = dealt.withheld.first else { return }
        do {
            let report = try RedealRun(
                link, scope: RedealScope(.leftOver), reason: first.reason, by: LedgerRecord.word(person)
            ).run(period)
            dealt.passedOn = report.accounts
            dealt.waiting = report.shortage
        } catch {
            dealt.waiting = "what was taken back is not dealt yet: \((error as? CommandFailure)?.found ?? "\(error)")"
        }
    }

    /// Fixes the quotas and notes the plan; takes back one that was stopped.
    ///
    /// - Parameter wished: the plan that the persons saw; `nil` where one person applies whatever there is.
    /// - Returns: with the orders that the quotas keep to at least.
    private func start(
        _ wished: (draft: PlanDraft, persons: [String])?, _ person: String
    ) throws -> (PlanDraft, plan: Int64, persons: [String], OrdersInForce) {
        // Before the contracts are read: what is ordered in between then counts as ordered since.
        let orders = try link.readOrders()
        // Once more: until the plan is noted below, starts and rounds of an earlier period can still open hands of theirs. Each does
        // under the periods' lock: behind it what they opened is seen, and whoever comes later finds this plan, and deals nothing.
        _ = try store.lockPeriods()
        _ = try store.closeEarlierHands()
        _ = try Recovery.dealingIncarnation(link)
        let draft = try PlanDraft.make(link, period: period, seed: seed)
        try refuseNothing(draft)
        // Accounts come back or go until the hands are closed. Two persons must have seen the very plan.
        let isFree = draft.settings.settings.persons == 1 && expected == nil
        guard isFree || draft.digest == wished?.draft.digest else {
            throw CommandFailure(
                .findings,
                "the plan of \(period) changed while it was applied: accounts were leased, returned or stopped",
                remedy: "Its hands of earlier months are closed now; look at the plan and apply it again")
        }
        if let former = try store.plan() {
            guard former.state == "dealing" else {
                throw CommandFailure(
                    .usage, "plan \(former.id) of \(period) was applied by another command",
                    remedy: "Look at it with plan preview")
            }
            guard !former.isBeingDealt else { throw beingDealt(former) }
            try store.discard(former.id)
            Console.note("plan \(former.id) was stopped before it was open and is taken back")
        }
        for month in [period, period.advanced(byMonths: 1)] { try store.makeOutcomePartition(month) }
        let plan = try store.insertPlan(
            seed: seed, segmentationDigest: draft.segmentation.digest, digest: draft.digest)
        let proofs = PlanProofStore(link)
        try proofs.write(plan, settings: draft.settings.digest, body: draft.proof.text())
        let persons = try wished?.persons ?? proofs.approve(period, digest: draft.digest, by: person)
        return (draft, plan, persons, orders)
    }

    private func beingDealt(_ plan: PlanRow) -> CommandFailure {
        CommandFailure(
            .usage, "plan \(plan.id) of \(period) is being dealt by another command",
            remedy: "Wait until that has ended; once it was stopped, run this again and it is taken back.")
    }

    /// Groups of delegations side by side, each in a transaction of its own on a link of its own.
    ///
    /// - Parameter orders: what the quotas keep to. What was ordered since takes its part back as soon as the hands are open, as
    ///   it would have, had they been open before.
    private func deal(
        _ draft: PlanDraft, plan: Int64, _ persons: [String], closed: Int, _ orders: OrdersInForce
    ) throws -> PlanReport.Dealt {
        let groups = DelegationDeal.groups(draft, threads: OrderedWork.threads)
        let dealing = DelegationDeal(
            draft, incarnation: try Recovery.dealingIncarnation(link),
            elsewhere: try store.placedElsewhere())
        let (open, period) = (link.opener("dispatcherd plan"), period)
        var tally = DealTally()
        var records: [LedgerRecord] = []
        do {
            try OrderedWork.run(
                parts: groups.count, threads: OrderedWork.threads,
                worker: {
                    let store = PlanningStore(try open(), period: period, cut: SegmentationRun.cutDay(period))
                    return { try Self.deal(dealing, groups[$0], plan: plan, store) }
                },
                take: { next in
                    while let parts = try next() {
                        for part in parts {
                            tally.add(part)
                            records += part.hands.map {
                                .deal($0, delegation: part.delegation, period: period, plan: plan)
                            }
                        }
                        try store.beat(plan)
                        Console.progress("dealt", done: Int(tally.accounts), of: nil)
                    }
                })
        } catch let error as PgError {
            throw CommandFailure(error, work: "\(period)", left: "the plan is not in force")
        }
        Console.progress("dealt", done: Int(tally.accounts), of: nil, isDone: true)
        let withheld = try transaction {
            try checkStillOurs(plan)
            let ordered = AgencyWithdrawal.ordered(try link.lockOrders(), since: orders)
            let quotas = draft.quotaRows
            try store.open(plan, quotas: quotas)
            try PlanProofStore(link).setPersons(plan, persons)
            records += quotas.map { .quota($0, period: period, plan: plan) }
            records += groups.joined().map { .plan(plan, draft, delegation: $0, period: period, persons) }
            let withheld = try withhold(ordered, &records)
            try link.insertBlocks(LedgerBlock.seal(records))
            return withheld
        }
        var dealt = tally.report(earlierHandsClosed: closed)
        dealt.withheld = withheld
        return dealt
    }

    /// Takes back what agencies were dealt that were ordered to get nothing while the plan was dealt.
    private func withhold(
        _ ordered: [AgencyWithdrawal], _ records: inout [LedgerRecord]
    ) throws -> [PlanReport.Withheld] {
        guard !ordered.isEmpty else { return [] }
        let now = try link.readNow()
        var withheld: [PlanReport.Withheld] = []
        for withdrawal in ordered {
            let done = try withdrawal.run(link, period: Period.ofWork(at: now), at: now)
            records += done.records
            guard done.accounts > 0 else { continue }
            withheld.append(
                PlanReport.Withheld(
                    agency: withdrawal.agency.description, strategy: withdrawal.strategy?.name, band: withdrawal.band,
                    reason: withdrawal.reason, accounts: done.accounts))
        }
        return withheld
    }

    private static func deal(
        _ dealing: DelegationDeal, _ delegations: [Delegation], plan: Int64, _ store: PlanningStore
    ) throws -> [DelegationDeal.Summary] {
        try store.link.transaction {
            guard try store.shareDealing(plan) else { throw takenBack(plan, store.period) }
            // Each worker has a link of its own, and a failover can come between two.
            guard try Recovery.dealingIncarnation(store.link) == dealing.incarnation else {
                throw CommandFailure(
                    .environment, "the database failed over while plan \(plan) of \(store.period) was dealt",
                    remedy: "Run the same command again: it takes that plan back.")
            }
            return try dealing.make(delegations, store) { delegation, dealt in
                try store.writeHands(
                    delegation, plan: plan, hands: dealt.hands, dealt: dealt.dealt, packs: dealing.packs)
                return dealt.summary(delegation)
            }
        }
    }

    /// Where this command was taken for gone, behind a pooler, another one took the plan back: it finds out before it
    /// writes more.
    private func checkStillOurs(_ plan: Int64) throws {
        let state = try store.lockPeriods()
        guard state == "open", try store.lockDealing(plan) else { throw Self.takenBack(plan, period) }
    }

    private static func takenBack(_ plan: Int64, _ period: Period) -> CommandFailure {
        CommandFailure(
            .usage, "plan \(plan) of \(period) was taken back by another command while it was dealt",
            remedy: "Look at the plan in force with plan preview")
    }
}

extension LedgerRecord {
    /// Of the period as a whole; it stands with the first delegation that is planned.
    fileprivate static func plan(
        _ plan: Int64, _ draft: PlanDraft, delegation: Delegation, period: Period, _ persons: [String]
    ) -> LedgerRecord {
        LedgerRecord(
            delegation: delegation, period: period,
            "plan plan=\(plan) delegation=\(delegation) digest=\(LedgerTree.hex(draft.digest)) placements="
                + "\(LedgerTree.hex(draft.segmentation.digest)) settings=\(LedgerTree.hex(draft.settings.digest)) "
                + "seed=\(draft.seed) by=\(persons.map(word).joined(separator: ","))")
    }

    static func deal(
        _ hand: HandRow, delegation: Delegation, period: Period, plan: Int64, isFront: Bool = false,
        openedAt: Timestamp? = nil
    ) -> LedgerRecord {
        LedgerRecord(
            delegation: delegation, period: period,
            "deal plan=\(plan) delegation=\(delegation) hand=\(hand.hand) contract=\(hand.contractWords) "
                + "strategy=\(hand.strategy.name) portfolio=\(hand.portfolio.name) accounts=\(hand.size) "
                + "leases=\(LedgerTree.hex(hand.digest))\(isFront ? " front=yes" : "")"
                + (openedAt.map { " opened=\($0)" } ?? ""))
    }

    fileprivate static func quota(_ quota: QuotaRow, period: Period, plan: Int64) -> LedgerRecord {
        LedgerRecord(
            delegation: quota.pool.delegation, period: period,
            "quota plan=\(plan) \(quota.pool.words) contract=\(quota.contract) accounts=\(quota.limitAccounts) "
                + "exposure=\(quota.limitExposure.map { Cents($0).description } ?? "none")")
    }
}
