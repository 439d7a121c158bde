// SPDX-License-Identifier: Apache-2.0

package import Assignment
package import PgStore

/// Plans a period: shows what would be dealt, or deals it.
///
/// Applying takes short transactions, so that pulls wait for none of them long: close the hands of earlier periods; fix
/// the quotas and note that the plan is being dealt; write each delegation's hands, inactive; put the quotas in force
/// and open all hands at once. Whatever stops it before the last one leaves a plan that the next apply takes back.
package struct PlanRun {
    private let link: PgLink
    private let period: Period
    private let seed: Int64
    private let store: PlanningStore

    /// - Parameter seed: of the shuffle; without one the period's number, so that preview and apply agree.
    package init(_ link: PgLink, period: Period, seed: Int64? = nil) {
        self.link = link
        self.period = period
        self.seed = seed ?? Int64(period.number)
        self.store = PlanningStore(link, period: period, cut: SegmentationRun.cutDay(period))
    }

    /// - Throws: ``CommandFailure`` (usage) where the period cannot be planned.
    package func preview() throws -> PlanReport {
        try transaction {
            let draft = try PlanDraft.make(link, period: period, seed: seed)
            let plan = try store.plan()
            return PlanReport(draft, period: period, state: .preview, plan: plan?.id, dealt: nil)
        }
    }

    /// - Throws: ``CommandFailure``: usage where the period cannot be planned or another plan is applied; environment
    ///   where another command took the plan back meanwhile.
    package func apply() throws -> PlanReport {
        if let report = try appliedAlready() { return report }
        let closed = try transaction {
            // Checked before anything is closed, and again afterwards, when the set is frozen.
            _ = try PlanDraft.make(link, period: period, seed: seed)
            return try store.closeEarlierHands()
        }
        let (draft, plan) = try transaction { try start() }
        let dealt = try deal(draft, plan: plan, closed: closed)
        return PlanReport(draft, period: period, state: .applied, plan: plan, dealt: dealt)
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
            try store.discard(plan.id)
            return plan.id
        }
    }

    private func transaction<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try link.transaction(body)
        } catch let error as PgError {
            throw CommandFailure(error, work: "\(period)", left: "the plan is not in force")
        }
    }

    /// The report on the plan that is in force, where it is the one asked for.
    private func appliedAlready() throws -> PlanReport? {
        try transaction {
            guard let plan = try store.plan(), plan.state == "applied" else { return nil }
            let draft = try PlanDraft.make(link, period: period, seed: seed)
            guard plan.seed == seed, plan.segmentationDigest == draft.segmentation.digest else {
                throw CommandFailure(
                    .usage, "plan \(plan.id) with seed \(plan.seed) is applied for \(period)",
                    remedy: "A period is dealt once; plan the next one")
            }
            return PlanReport(draft, period: period, state: .unchanged, plan: plan.id, dealt: nil)
        }
    }

    /// Fixes the quotas and notes the plan; takes back one that was stopped.
    private func start() throws -> (PlanDraft, Int64) {
        // Once more: until the plan is noted below, starts of an earlier period can still open hands of theirs.
        _ = try store.closeEarlierHands()
        let draft = try PlanDraft.make(link, period: period, seed: seed)
        if let former = try store.plan() {
            guard former.state == "dealing" else {
                throw CommandFailure(
                    .usage, "plan \(former.id) of \(period) was applied by another command",
                    remedy: "Look at it with plan preview")
            }
            try store.discard(former.id)
            Console.note("plan \(former.id) was stopped before it was open and is taken back")
        }
        for month in [period, period.advanced(byMonths: 1)] { try store.makeOutcomePartition(month) }
        let plan = try store.insertPlan(seed: seed, segmentationDigest: draft.segmentation.digest, digest: draft.digest)
        return (draft, plan)
    }

    private func deal(_ draft: PlanDraft, plan: Int64, closed: Int) throws -> PlanReport.Dealt {
        let incarnation = try store.incarnation()
        let delegations = Set(draft.allocation.quotas.map(\.pool.delegation)).sorted()
        var hands = 0
        var accounts: Int64 = 0
        var trimmed: Int64 = 0
        var records: [LedgerRecord] = []
        for delegation in delegations {
            let dealt = try transaction {
                try checkStillOurs(plan)
                let dealt = try DelegationDeal(draft, delegation: delegation, incarnation: incarnation).make(store)
                try store.writeHands(delegation, plan: plan, hands: dealt.hands, positions: dealt.positions)
                return dealt
            }
            hands += dealt.hands.count
            accounts += Int64(dealt.positions.count)
            trimmed += dealt.trimmed
            records += dealt.hands.map { .deal($0, delegation: delegation, period: period, plan: plan) }
            Console.progress("dealt", done: Int(accounts), of: nil)
        }
        Console.progress("dealt", done: Int(accounts), of: nil, isDone: true)
        try transaction {
            try checkStillOurs(plan)
            let quotas = draft.quotaRows
            try store.open(plan, quotas: quotas)
            records += quotas.map { .quota($0, period: period, plan: plan) }
            records += delegations.map {
                .plan(plan, seed: seed, digest: draft.digest, delegation: $0, period: period)
            }
            try link.insertBlocks(LedgerBlock.seal(records))
        }
        return PlanReport.Dealt(hands: hands, accounts: accounts, trimmed: trimmed, earlierHandsClosed: closed)
    }

    /// Two applies at once: the second takes the plan back, and the first finds out here before it writes more.
    private func checkStillOurs(_ plan: Int64) throws {
        let state = try store.lockPeriods()
        guard state == "open", try store.lockDealing(plan) else {
            throw CommandFailure(
                .environment, "plan \(plan) of \(period) was taken back by another command while it was dealt",
                remedy: "Look at the plan in force with plan preview")
        }
    }
}

extension LedgerRecord {
    static func deal(
        _ hand: HandRow, delegation: Delegation, period: Period, plan: Int64, isFront: Bool = false
    ) -> LedgerRecord {
        LedgerRecord(
            delegation: delegation, period: period,
            "deal plan=\(plan) delegation=\(delegation) hand=\(hand.hand) contract=\(hand.contract) "
                + "strategy=\(hand.strategy.name) portfolio=\(hand.portfolio.name) accounts=\(hand.size) "
                + "leases=\(LedgerTree.hex(hand.digest))\(isFront ? " front=yes" : "")")
    }

    fileprivate static func quota(_ quota: QuotaRow, period: Period, plan: Int64) -> LedgerRecord {
        LedgerRecord(
            delegation: quota.pool.delegation, period: period,
            "quota plan=\(plan) \(quota.pool.words) contract=\(quota.contract) accounts=\(quota.limitAccounts) "
                + "exposure=\(quota.limitExposure.map { Cents($0).description } ?? "none")")
    }
}
