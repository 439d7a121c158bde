// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import Crypto
internal import PgStore

/// Takes accounts into collection within a month that is dealt: places them by the month's policy and deals what may
/// be collected into front hands of contracts that have room (SEG-01: immediate contact; GAP-distribution-frequency).
///
/// Runs inside the transaction of the import. Front hands are new ones: what waits in an older hand is withdrawn there and
/// dealt anew, so no hand that is out is written to, and a node serves the new ones as soon as it has read the open hands
/// again. What is held stays with its holder.
struct StartRun {
    private let link: PgLink
    private let period: Period
    private let store: StartStore
    private let planning: PlanningStore
    /// Of the endings of what waited in a hand and is dealt anew or not at all.
    static let withdrawal = "placed-anew"
    /// How many of the held accounts that the policy now places otherwise are named.
    private static let namedMax = 10
    /// The day as of which accounts are placed, and dates of the policy count.
    private let today: LocalDate
    private let plan: (id: Int64, seed: Int64)
    private let policy: Policy
    private let segmenter: Segmenter
    private let settings: PlanSettings

    /// - Throws: ``CommandFailure`` (usage) where the period is not dealt, or a later one is.
    /// - Locks: every period that is not closed, as a plan does: no stop is imported and nothing else dealt meanwhile; then every
    ///   agency, shared: an order about one of them waits, and then finds the front hands that were opened.
    init(_ link: PgLink, period: Period) throws {
        let planning = PlanningStore(link, period: period, cut: SegmentationRun.cutDay(period))
        _ = try planning.lockPeriods()
        _ = try link.lockOrders()
        let today = try min(
            max(ImportStore(link, kind: .starts, period: period).today(), SegmentationRun.cutDay(period)),
            period.lastDay)
        let store = StartStore(link, period: period, today: today)
        let plans = try store.plans()
        guard let plan = plans.mine, plan.state == "applied" else {
            try SegmentationStore(link, period: period).requireCut()
            throw CommandFailure(
                .usage, "\(period) has no plan that is applied",
                remedy: "What changes before the deal belongs into the cut; afterwards starts can be loaded.")
        }
        if let later = plans.later {
            throw CommandFailure(
                .usage, "\(later) is planned already, so nothing is dealt in \(period) any more",
                remedy: "Load the starts into \(later).")
        }
        self.link = link
        self.period = period
        self.store = store
        self.planning = planning
        self.today = today
        self.plan = (plan.id, plan.seed)
        self.policy = try PlanDraft.placements(link, period: period).1.policy(for: period)
            .onTheGround(link, period: period)
        self.segmenter = Segmenter(policy, cut: today)
        self.settings = try PlanSettingsBook(link).inForce(period).settings
    }

    /// What was done, in words for people, and what is held and placed otherwise now.
    struct Done {
        let counts: [ImportCount]
        let warnings: [BadValue]
    }

    /// - Returns: counts of which those of fates come to what was recorded, each account in one of them.
    func apply(importID: Int64, digest: [UInt8]) throws -> Done {
        let prepared = try store.prepare(TableFormat.startColumns, importID: importID)
        var placed = 0
        for delegation in prepared.delegations {
            var verdicts: [StartStore.Verdict] = []
            let invited = try store.invited(delegation)
            try store.readAccounts(delegation) { account, row in
                verdicts.append(verdict(account, row, isInvited: invited.contains(account)))
            }
            try store.writeVerdicts(delegation, verdicts)
            placed += verdicts.count
            Console.progress("starts placed", done: placed, of: nil)
        }
        Console.progress("starts placed", done: placed, of: nil, isDone: true)
        let ended = try store.place(withdrawing: Self.withdrawal) { endings, now in
            LedgerBlock.seal(endings.map { LedgerRecord.ending($0, period: Period.ofWork(at: now), at: now) })
        }
        let accounts = try store.accounts()
        var deal = StartDeal(
            store: store, planning: planning, period: period, plan: plan, policy: policy, segmenter: segmenter,
            settings: settings, digest: digest, link: link)
        try deal.run(accounts)
        let fates = Dictionary(uniqueKeysWithValues: deal.outcomes.map { ($0.place, $0) })
        let recorded = try store.record(deal.outcomes.map(\.recorded), importID: importID)
        try link.insertBlocks(
            LedgerBlock.seal(
                deal.records
                    + accounts.compactMap { account in
                        fates[account.place].map { .start(account, $0, period: period) }
                    }))
        let counts = Dictionary(grouping: deal.outcomes, by: \.fate).mapValues { Int64($0.count) }
        let differing = accounts.filter { fates[$0.place]?.fate == .held && $0.rule != $0.formerRule }
        return Done(
            counts: [
                ImportCount("starts recorded", recorded), ImportCount("starts already recorded", prepared.known),
                ImportCount("municipalities without an account to start", prepared.idleMunicipalities),
            ] + StartFate.allCases.map { ImportCount($0.label, counts[$0] ?? 0) } + [
                ImportCount("held ones that the policy now places otherwise", Int64(differing.count)),
                ImportCount("withdrawn from hands where they waited", ended.withdrawn),
                ImportCount("stops ended", prepared.stopsEnded),
                ImportCount("dealt accounts taken back", ended.excluded),
                ImportCount("of them held and recalled", ended.recalled),
            ],
            warnings: differing.sorted { $0.line < $1.line }.prefix(Self.namedMax).map(Self.warning))
    }

    private static func warning(_ account: StartStore.Account) -> BadValue {
        BadValue(
            line: Int(account.line), column: "account", value: "\(account.account)",
            reason:
                "is held, and stays so as \(account.formerRule ?? "nothing to collect"); the policy now places it as "
                + (account.rule ?? "nothing to collect"))
    }

    /// - Parameter isInvited: whether it has a session. It keeps it as long as the policy would invite it: no start gets another one,
    ///   and nobody else gets this one.
    private func verdict(_ account: Int64, _ row: borrowing AccountRow, isInvited: Bool) -> StartStore.Verdict {
        let offers = segmenter.offers(for: row)
        var placement = segmenter.row(account, row)
        if isInvited, case .placed(let placed) = segmenter.verdict(for: row, offers: offers),
            let invited = segmenter.invited(row, placed: placed)
        {
            placement = .placed(account, invited, segmenter)
        }
        return StartStore.Verdict(account: account, placement: placement, offers: offers)
    }
}
