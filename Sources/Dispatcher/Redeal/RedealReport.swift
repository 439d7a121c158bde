// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// A round of dealing again, for people and programs: whose limits change, what was dealt, how long pulls had to wait.
package struct RedealReport: Encodable, Sendable {
    package enum State: String, Encodable, Sendable { case preview, applied, resumed, nothing }

    package struct Quota: Encodable, Sendable {
        package let delegation: Int16
        package let strategy: String
        package let portfolio: String
        package let contract: Int32
        package let agency: String
        package let held: Int64
        package let waiting: Int64
        package let before: Int64
        package let after: Int64
        /// To be dealt by the round, at most.
        package let toDeal: Int64
    }
    package struct PoolLine: Encodable, Sendable {
        package let delegation: Int16
        package let strategy: String
        package let portfolio: String
        package let withdrawn: Int64
        package let hands: Int
        package let accounts: Int64
        /// Accounts that found no room, by why, and were not dealt by a round that followed.
        package fileprivate(set) var left: [String: Int64]
        /// Accounts that wait on because the contract that was to have them was ordered, meanwhile, to get nothing.
        package fileprivate(set) var withheld: Int64
        /// Milliseconds for which pulls of the pool got nothing.
        package let pauseMilliseconds: Int64

        fileprivate var pool: PoolKey? {
            guard let delegation = Delegation(delegation), let strategy = Strategy(name: strategy),
                let portfolio = Portfolio(name: portfolio)
            else { return nil }
            return PoolKey(delegation: delegation, strategy: strategy, portfolio: portfolio)
        }
    }

    package let state: State
    package let period: String
    package let reason: String
    package let redeal: Int64?
    /// Accounts that nobody holds and that are to be dealt.
    package let demand: Int64
    /// Of these what nobody can be given, by why.
    package private(set) var unassigned: [String: Int64]
    package let quotas: [Quota]
    /// Rounds of left-overs that followed at once, by number.
    package private(set) var followedBy: [Int64] = []
    package private(set) var pools: [PoolLine] = []
    package private(set) var accounts: Int64 = 0
    package private(set) var longestPauseMilliseconds: Int64 = 0
    package let warnings: [String]
    /// Of what the plan gave nobody, how many of each pool, by why.
    private var planned: [PoolKey: [String: Int64]] = [:]
    /// Where the lines of the latest round begin in ``pools``.
    private var latest = 0

    private enum CodingKeys: CodingKey {
        case state, period, reason, redeal, demand, unassigned, quotas, followedBy, pools, accounts,
            longestPauseMilliseconds,
            warnings
    }

    init(preview draft: RedealDraft, reason: String) {
        self.init(draft, .preview, reason, nil)
    }

    init(applied draft: RedealDraft, reason: String, redeal: Int64) {
        self.init(draft, .applied, reason, redeal)
    }

    /// Nothing can be dealt: nothing waits, or nobody has room for it.
    init(nothingOf draft: RedealDraft, reason: String) {
        self.init(draft, .nothing, reason, nil)
    }

    init(goneOnWith round: RedealRow) {
        self.init(.resumed, round.period, round.reason, round.id, demand: 0, unassigned: [:], quotas: [], warnings: [])
    }

    private init(_ draft: RedealDraft, _ state: State, _ reason: String, _ redeal: Int64?) {
        let quotas = draft.quotas.map { quota in
            let before = draft.states[quota.key]
            let pool = quota.key.cell.pool
            return Quota(
                delegation: pool.delegation.value, strategy: pool.strategy.name, portfolio: pool.portfolio.name,
                contract: quota.key.contract.value,
                agency: draft.contracts[quota.key.contract]?.agency.description ?? "", held: before?.heldAccounts ?? 0,
                waiting: before?.waitingAccounts ?? 0, before: before?.limitAccounts ?? 0, after: quota.limitAccounts,
                toDeal: quota.accounts)
        }
        let unassigned = draft.plan.unplaced.reduce(into: [String: Int64]()) {
            $0[$1.reason.rawValue, default: 0] += $1.accounts
        }
        self.init(
            state, draft.period, reason, redeal, demand: draft.demand, unassigned: unassigned, quotas: quotas,
            warnings: draft.warnings)
        for unplaced in draft.plan.unplaced {
            planned[unplaced.cell.pool, default: [:]][unplaced.reason.rawValue, default: 0] += unplaced.accounts
        }
    }

    private init(
        _ state: State, _ period: Period, _ reason: String, _ redeal: Int64?, demand: Int64,
        unassigned: [String: Int64], quotas: [Quota], warnings: [String]
    ) {
        self.state = state
        self.period = period.description
        self.reason = reason
        self.redeal = redeal
        self.demand = demand
        self.unassigned = unassigned
        self.quotas = quotas
        self.warnings = warnings
    }

    mutating func add(_ pool: PoolKey, _ result: PoolRedeal.Result) {
        let (seconds, attoseconds) = result.pause.components
        let pause = seconds * 1_000 + attoseconds / 1_000_000_000_000_000
        pools.append(
            PoolLine(
                delegation: pool.delegation.value, strategy: pool.strategy.name, portfolio: pool.portfolio.name,
                withdrawn: result.withdrawn, hands: result.hands, accounts: result.accounts,
                left: Dictionary(uniqueKeysWithValues: result.left.map { ($0.key.name, $0.value) }),
                withheld: min(result.withheld, result.left[.quota] ?? 0),
                pauseMilliseconds: pause))
        accounts += result.accounts
        longestPauseMilliseconds = max(longestPauseMilliseconds, pause)
    }

    /// Whether accounts wait that another contract than the one they were meant for may have room for.
    var leavesMore: Bool {
        pools.contains { $0.withheld > 0 || $0.left[DealResult.Left.Reason.rotation.name] ?? 0 > 0 }
    }

    /// A round of left-overs that came right behind this one: what waits on is what that one leaves.
    mutating func add(following report: RedealReport) {
        followedBy += [report.redeal].compactMap(\.self)
        for index in pools.indices {
            pools[index].left = [:]
            pools[index].withheld = 0
        }
        unassigned = report.unassigned
        planned = report.planned
        latest = pools.count
        pools += report.pools
        accounts += report.accounts
        longestPauseMilliseconds = max(longestPauseMilliseconds, report.longestPauseMilliseconds)
    }

    /// Who is to be dealt something, and whose limit changes.
    package var detail: [String] {
        var table = TextTable(columns: [.right, .left, .left, .right, .left, .right, .right, .right, .right, .right])
        table.row(
            [
                "delegation", "strategy", "portfolio", "contract", "agency", "held", "waiting", "limit before",
                "limit after", "to deal, at most",
            ])
        let shown = quotas.filter { $0.before != $0.after || $0.toDeal > 0 }
        for quota in shown {
            table.row([
                "\(quota.delegation)", quota.strategy, quota.portfolio, "\(quota.contract)", quota.agency,
                Console.grouped(Int(quota.held)), Console.grouped(Int(quota.waiting)),
                Console.grouped(Int(quota.before)), Console.grouped(Int(quota.after)),
                quota.toDeal > 0 ? Console.grouped(Int(quota.toDeal)) : "",
            ])
        }
        return shown.isEmpty ? ["no limit changes"] : table.lines
    }

    /// Of a preview, which deals one round: a run goes on.
    package var following: [String] {
        state == .preview && leavesMore
            ? ["what rotation keeps from one is offered to the others in rounds that follow"] : []
    }

    /// One that was dealt twice counts once.
    private var poolCount: Int {
        Set(pools.map { [$0.delegation.description, $0.strategy, $0.portfolio] }).count
    }

    /// How many accounts wait on, by why, each counted once.
    package var waiting: [String: Int64] {
        var waiting = unassigned
        // What is above the quotas the plan has counted already.
        let quota = DealResult.Left.Reason.quota.name
        for pool in pools { waiting.merge(pool.left.filter { $0.key != quota }, uniquingKeysWith: +) }
        // The plan counts by means: what the dealing kept from everybody for a reason of its own is among what the plan gave nobody.
        for line in pools[latest...] {
            guard let pool = line.pool, let plan = planned[pool] else { continue }
            var twice = plan.values.reduce(0, +) - max(0, (line.left[quota] ?? 0) - line.withheld)
            for (reason, count) in plan.sorted(by: { ($0.value, $1.key) > ($1.value, $0.key) }) where twice > 0 {
                let less = min(twice, count)
                waiting[reason, default: 0] -= less
                twice -= less
            }
        }
        let withheld = pools.reduce(0) { $0 + $1.withheld }
        if withheld > 0 { waiting["order"] = withheld }
        return waiting.filter { $0.value > 0 }
    }

    /// What waits on, with why; `nil` where everything finds somebody.
    package var shortage: String? {
        let waiting = waiting
        let total = waiting.values.reduce(0, +)
        guard total > 0 else { return nil }
        let reasons = waiting.keys.sorted().map { "\($0) \(Console.grouped(Int(waiting[$0] ?? 0)))" }
        return "\(Console.grouped(Int(total))) \(total == 1 ? "waits" : "wait") on, and nobody can be given "
            + "\(total == 1 ? "it" : "them"): \(reasons.joined(separator: ", "))"
    }

    package var summary: [String] {
        let warned = warnings.map { "warning: \($0)" }
        switch state {
        case .nothing: return warned + [shortage ?? "nothing waits to be dealt again in \(period)"]
        case .preview:
            return warned + ["\(Words.counted(accounts, "account")) would be dealt again"]
                + [shortage].compactMap(\.self) + following + ["nothing was changed"]
        case .applied, .resumed:
            return warned + [
                "\(Words.counted(accounts, "account")) of \(Words.counted(Int64(poolCount), "pool")) dealt again"
            ] + [shortage].compactMap(\.self) + [
                "the longest that pulls of one pool had to wait: \(longestPauseMilliseconds) ms"
            ]
        }
    }
}
