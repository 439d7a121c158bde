// SPDX-License-Identifier: Apache-2.0

package import Assignment
internal import Glibc
package import PgStore

/// Deals again within an applied month: after staffing, a bond or an agency's standing changed, for what came back, for
/// what nobody pulls.
///
/// The limits are computed and noted first, with every lowered one in force; then pool after pool is dealt and its raised
/// limits put in force. Whatever stops it in between leaves a round that the next run, or any node that serves, goes on
/// with. There is one round at a time.
package struct RedealRun {
    private let link: PgLink
    private let store: RedealStore
    private let scope: RedealScope
    private let reason: String
    private let by: String
    private let seed: Int64?
    /// Whether somebody looks on; a node has its log.
    private let showsProgress: Bool

    /// How often limits are computed anew because a contract drew more than it was to have; then pulls wait for it.
    private static let draftsMax = 4
    /// How many rounds of left-overs follow at once while each deals something.
    private static let followingMax = 3

    /// - Parameters:
    ///   - reason: one word, for the ledger and the withdrawn hands.
    ///   - seed: of the shuffle; without one the plan's.
    package init(
        _ link: PgLink, scope: RedealScope, reason: String, by: String, seed: Int64? = nil, showsProgress: Bool = true
    ) {
        self.link = link
        self.store = RedealStore(link)
        self.scope = scope
        self.reason = reason
        self.by = by
        self.seed = seed
        self.showsProgress = showsProgress
    }

    /// Another one deals, or the month went on meanwhile: nothing is wrong, and what there is to do is done by that one, or is
    /// there in the next run.
    struct Outrun: Error {
        let failure: CommandFailure

        init(_ found: String, remedy: String) { failure = CommandFailure(.environment, found, remedy: remedy) }
        init(_ failure: CommandFailure) { self.failure = failure }
    }

    /// What it would come to. Writes nothing.
    package func preview(_ period: Period? = nil) throws -> RedealReport {
        try Self.guarded {
            try link.transaction { try tried(period, supposing: nil) }
        }
    }

    /// What it would come to once a withdrawal is in force, in a transaction of the caller's, who has put the order's standing
    /// in force there and takes it back. Locks no hand.
    func preview(supposing withdrawal: OrderedWithdrawal) throws -> RedealReport {
        try Self.guarded { try tried(nil, supposing: withdrawal) }
    }

    /// The limits, and every pool dealt as a run would deal it, down to rotation and centavos, only that nothing is written.
    private func tried(_ period: Period?, supposing withdrawal: OrderedWithdrawal?) throws -> RedealReport {
        let (month, plan) = try dealt(period)
        let draft = try self.draft(month, supposing: withdrawal)
        var report = RedealReport(preview: draft, reason: reason)
        guard !draft.pools.isEmpty else { return report }
        let now = try link.readNow()
        var dealer = try Self.dealer(
            link,
            RedealRow(
                id: try store.nextRound(), period: month, plan: plan, reason: reason,
                closesAll: scope.manner == .everything, by: by,
                seed: try seed ?? PlanningStore(link, period: month, cut: month.firstDay).plan()?.seed ?? 0,
                startedAt: now, isAlive: true, pools: Int64(draft.pools.count), poolsDone: 0))
        dealer.isTrial = true
        let quotas = Dictionary(grouping: draft.quotas, by: \.key.cell.pool)
        let states = Dictionary(grouping: draft.states.values, by: \.key.cell.pool)
        for pool in draft.pools {
            let mine = Dictionary((states[pool] ?? []).map { ($0.key, $0) }) { first, _ in first }
            report.add(pool, try dealer.tried(pool, quotas[pool] ?? [], mine, supposing: withdrawal))
        }
        return report
    }

    /// Accounts that it would deal as things stand; 0 where no month is dealt. Locks and writes nothing.
    func waiting() throws -> Int64 {
        guard let period = try store.dealtPeriod()?.period else { return 0 }
        let planning = PlanningStore(link, period: period, cut: SegmentationRun.cutDay(period))
        return try RedealDraft.waiting(planning, scope, try PlanSettingsBook(link).inForce(period).settings).accounts
    }

    /// - Parameter period: the one that is meant; refused where it is not the one that is dealt.
    /// - Throws: ``CommandFailure``: usage where nothing is dealt yet; environment where another command deals again.
    package func run(_ period: Period? = nil) throws -> RedealReport {
        try Self.guarded { try deal(period) }
    }

    /// - Returns: accounts that were dealt; 0 where somebody else deals, or the month is not dealt any more.
    func dealOrYield() throws -> Int64 {
        do {
            return try deal(nil).accounts
        } catch is Outrun {
            return 0
        }
    }

    private func deal(_ period: Period?) throws -> RedealReport {
        // Before a limit is lowered for a round that could not be dealt.
        _ = try Recovery.dealingIncarnation(link)
        try Self.goOn(link, showsProgress: showsProgress)
        let (month, _) = try dealt(period)
        if scope.manner == .leftOver { try EndedContracts.withdraw(link, scope) }
        var report = try round(month)
        var last = report
        for _ in 0..<Self.followingMax where last.leavesMore {
            guard let next = try following(month) else { break }
            report.add(following: next)
            last = next
            if next.accounts == 0 { break }
        }
        return report
    }

    private func round(_ period: Period) throws -> RedealReport {
        let (draft, begun) = try begin(period)
        guard let round = begun else { return RedealReport(nothingOf: draft, reason: reason) }
        var report = RedealReport(applied: draft, reason: reason, redeal: round.id)
        try Self.dealPools(link, round, showsProgress: showsProgress, into: &report)
        return report
    }

    /// What rotation kept from the contract that it was planned for, and what an order did, is offered to the others in front hands.
    /// A plan knows of each account the latest holder alone, and of a pool that is dealt as a whole none.
    ///
    /// - Returns: `nil` where somebody else deals by now, or the month went on: then it is there in the next run.
    private func following(_ period: Period) throws -> RedealReport? {
        guard try store.dealtPeriod()?.period == period else { return nil }
        var rest = scope
        rest.manner = .leftOver
        do {
            return try RedealRun(
                link, scope: rest, reason: reason, by: by, seed: seed, showsProgress: showsProgress
            ).round(period)
        } catch is Outrun {
            return nil
        }
    }

    /// Goes on with a round whose process is gone.
    ///
    /// - Returns: what was still to be dealt; `nil` where nothing was.
    /// - Throws: ``CommandFailure`` (environment) where its process is at work.
    @discardableResult
    package static func finishAbandoned(_ link: PgLink, showsProgress: Bool = true) throws -> RedealReport? {
        try guarded { try goOn(link, showsProgress: showsProgress) }
    }

    /// - Throws: ``Outrun`` where its process is at work.
    @discardableResult
    static func goOn(_ link: PgLink, showsProgress: Bool) throws -> RedealReport? {
        let store = RedealStore(link)
        guard let round = try store.unfinished() else { return nil }
        guard !round.isAlive, try store.takeOver(round.id) else {
            throw Outrun(
                "\(round.period) is being dealt again since \(round.startedAt) by \(round.by) (\(round.reason)); "
                    + "\(round.poolsDone) of \(round.pools) pools are done",
                remedy: "Run this when that has ended.")
        }
        if showsProgress { Console.note("redeal \(round.id) of \(round.period) was stopped and is gone on with") }
        var report = RedealReport(goneOnWith: round)
        try dealPools(link, round, showsProgress: showsProgress, into: &report)
        return report
    }

    // MARK: - Steps

    /// What a command is told; a node has its own way with both.
    private static func guarded<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let outrun as Outrun {
            throw outrun.failure
        } catch let error as PgError {
            throw CommandFailure(
                error, work: "the hands", left: "pools that were dealt stay so, the next run goes on with the rest")
        }
    }

    private func dealt(_ period: Period?) throws -> (period: Period, plan: Int64) {
        guard let dealt = try store.dealtPeriod() else {
            if let (month, plan) = try store.dealingPeriod() {
                throw Outrun(
                    "plan \(plan) of \(month) is just being dealt, and keeps to what is ordered until its hands are open",
                    remedy: "Run this when that has ended.")
            }
            if let period, try PeriodStore(link, period: period).state() == .closed {
                throw Outrun(
                    CommandFailure(
                        .usage, "\(period) is closed, and nothing is dealt in it any more",
                        remedy:
                            "Deal a month that is open: dispatcherd plan apply --period \(period.advanced(byMonths: 1))"
                    ))
            }
            throw Outrun(
                CommandFailure(
                    .usage, "no open month has a plan that is applied", remedy: "Deal one: dispatcherd plan apply"))
        }
        guard period == nil || period == dealt.period else {
            throw CommandFailure(
                .usage, "\(dealt.period) is the month that is dealt",
                remedy: "Deal that one again, or leave --period out.")
        }
        return dealt
    }

    private func draft(_ period: Period, supposing withdrawal: OrderedWithdrawal? = nil) throws -> RedealDraft {
        let planning = PlanningStore(link, period: period, cut: SegmentationRun.cutDay(period))
        guard try planning.lockPeriods() == "open" else {
            throw Outrun(
                CommandFailure(.usage, "\(period) is not open any more", remedy: "Deal an open month again."))
        }
        let today = MexicanTimeZone.mexicoCity.local(try link.readNow()).date
        return try RedealDraft.make(
            link, period: period, scope: scope, supposing: withdrawal,
            today: min(max(today, period.firstDay), period.lastDay))
    }

    /// Computes the limits and notes the round; none where nothing can be dealt and no limit falls.
    private func begin(_ period: Period) throws -> (RedealDraft, RedealRow?) {
        for attempt in 1...Self.draftsMax {
            let isLast = attempt == Self.draftsMax
            // Without locks that pulls wait for, until they have outrun it three times.
            let made = isLast ? nil : try link.transaction { try draft(period) }
            if let made, made.pools.isEmpty, !made.lowersLimits { return (made, nil) }
            let noted = try link.transaction { () throws -> (RedealDraft, Int64)? in
                _ = try PlanningStore(link, period: period, cut: SegmentationRun.cutDay(period)).lockPeriods()
                try store.lockQuotas()
                let draft = try made ?? self.draft(period)
                guard draft.fits(try store.heldStates()) else { return nil }
                return (draft, try note(draft))
            }
            if let (draft, id) = noted {
                guard let round = try store.unfinished(), round.id == id else { break }
                return (draft, round)
            }
        }
        throw Outrun("another command deals \(period) again", remedy: "Run this when that has ended.")
    }

    private func note(_ draft: RedealDraft) throws -> Int64 {
        let (period, plan) = try dealt(draft.period)
        let seed = try self.seed ?? PlanningStore(link, period: period, cut: period.firstDay).plan()?.seed ?? 0
        guard
            let redeal = try store.insert(
                period: period, plan: plan, reason: reason, closesAll: scope.manner == .everything, by: by, seed: seed,
                digest: draft.digest, pools: draft.pools, quotas: draft.quotas)
        else {
            throw Outrun("another command deals \(period) again", remedy: "Run this when that has ended.")
        }
        let lowered = try store.lower(draft.quotas, plan: plan)
        let now = try link.readNow()
        let month = Period.ofWork(at: now)
        try link.insertBlocks(
            LedgerBlock.seal(
                Set(draft.pools.map(\.delegation)).sorted().map { delegation in
                    LedgerRecord(
                        delegation: delegation, period: month,
                        "redeal id=\(redeal) plan=\(plan) delegation=\(delegation) reason=\(reason)"
                            + " closes=\(scope.manner == .everything ? "all" : "none")"
                            + " limits=\(LedgerTree.hex(draft.digest)) by=\(LedgerRecord.word(by)) at=\(now)")
                } + lowered.map { .limit($0, why: reason, period: month) }))
        return redeal
    }

    private static func dealPools(
        _ link: PgLink, _ round: RedealRow, showsProgress: Bool, into report: inout RedealReport
    ) throws {
        let store = RedealStore(link)
        let dealer = try Self.dealer(link, round)
        for (pool, isClosed) in try store.openPools(round.id) {
            guard let result = try dealer.run(pool, isClosed: isClosed) else { break }
            report.add(pool, result)
            if showsProgress { Console.progress("dealt again", done: Int(report.accounts), of: nil) }
            // Pulls get as much time as they had to wait, so that whoever needs many pools is not held from all of them.
            if result.pause > .zero { pause(min(result.pause, .seconds(1))) }
        }
        if showsProgress { Console.progress("dealt again", done: Int(report.accounts), of: nil, isDone: true) }
        try link.transaction {
            guard try store.beat(round.id) else { return }
            try store.finish(round.id)
        }
    }

    private static func dealer(_ link: PgLink, _ round: RedealRow) throws -> PoolRedeal {
        let (_, file) = try PlanDraft.placements(link, period: round.period)
        let policy = try file.policy(for: round.period)
        let planning = PlanningStore(link, period: round.period, cut: SegmentationRun.cutDay(round.period))
        return PoolRedeal(
            link: link, store: RedealStore(link), round: round, policy: policy,
            tactics: Segmenter(policy, cut: LocalDate(daysSince1970: 0)).tactics,
            settings: try PlanSettingsBook(link).inForce(round.period).settings,
            contracts: Dictionary(try planning.contracts().map { ($0.contract, $0) }) { first, _ in first },
            elsewhere: try planning.placedElsewhere())
    }

    private static func pause(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        usleep(UInt32(seconds * 1_000_000 + attoseconds / 1_000_000_000_000))
    }
}
