// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// Runs one or two policies over a period's cut side by side, and writes nothing.
///
/// Each account gets of each policy the verdict that `segment` would give it, with the mediation sessions given out.
/// Runs inside the caller's snapshot: several links read it, a stretch of the table each at a time, so that the table is
/// read once in whatever order its rows lie.
struct PolicyTrial {
    /// One policy at work.
    struct Party: Sendable {
        let columns: ColumnSegmenter
        let table: VerdictTable
        let codes: TrialCodes

        var policy: Policy { columns.segmenter.policy }

        init(_ policy: Policy, cut: LocalDate) throws(CommandFailure) {
            self.columns = try SegmentationRun.compiled(policy, cut: cut)
            self.table = VerdictTable(columns.segmenter)
            self.codes = TrialCodes(columns, table)
        }
    }

    struct Sessions: Sendable {
        var capacity: Int64 = 0
        var candidates: Int64 = 0
        var invited: Int64 = 0

        static func += (left: inout Sessions, right: Sessions) {
            left.capacity += right.capacity
            left.candidates += right.candidates
            left.invited += right.invited
        }
    }

    let parties: [Party]
    private let link: PgLink
    private let period: Period

    /// - Throws: ``CommandFailure`` (usage) where the period has no cut, or a policy has more outcomes than codes.
    init(_ policies: [Policy], _ link: PgLink, period: Period) throws {
        let cut = SegmentationRun.cutDay(period)
        self.parties = try policies.map { try Party($0, cut: cut) }
        self.link = link
        self.period = period
        try SegmentationStore(link, period: period).requireCut()
    }

    /// What is read of an account.
    static func fields(_ parties: [Party]) -> [AccountField] {
        let read = Set(parties.flatMap(\.columns.fields)).union([.overdue, .balance])
        return AccountField.stored.filter { read.contains($0) }
    }

    /// - Parameters:
    ///   - question: which accounts are given by themselves; none without it.
    ///   - undealable: whether it is told of accounts that they are held or stopped.
    func run(_ question: TrialQuestion? = nil, undealable: Bool = false) throws -> TrialResult {
        let (period, parties) = (period, parties)
        let store = SegmentationStore(link, period: period)
        let open = link.opener("dispatcherd policy")
        let snapshot = try store.exportSnapshot()
        let stretches = try store.stretches()
        let overlay = try store.readOverlay(
            cut: SegmentationRun.cutDay(period), fields: Self.fields(parties))
        let held = undealable ? try readUndealable(snapshot) : []
        var tally = StretchTally(parties)
        var done: Int64 = 0
        try OrderedWork.run(
            parts: stretches.count, threads: OrderedWork.threads,
            worker: {
                let store = SegmentationStore(try open(), period: period)
                try store.beginReading(snapshot)
                let trial = StretchTrial(parties, store, overlay: overlay, question: question, undealable: held)
                return { try trial.run(stretches[$0]) }
            },
            take: { next in
                while let part = try next() {
                    done += part.accounts.reduce(0, +)
                    tally.add(part)
                    if let count = question?.countMax { tally.keepAsked(first: count) }
                    Console.progress("tried", done: Int(done), of: nil)
                }
            })
        Console.progress("tried", done: Int(done), of: nil, isDone: true)
        return TrialResult(tally, parties, question: question)
    }

    /// The accounts that are held or stopped, by delegation number, ascending.
    private func readUndealable(_ snapshot: String) throws -> [[Int64]] {
        let (period, open) = (period, link.opener("dispatcherd policy"))
        var accounts = [[Int64]](repeating: [], count: StretchTally.delegations)
        try OrderedWork.run(
            parts: Delegation.all.count, threads: OrderedWork.threads,
            worker: {
                let link = try open()
                try SegmentationStore(link, period: period).beginReading(snapshot)
                let planning = PlanningStore(link, period: period, cut: SegmentationRun.cutDay(period))
                return { try planning.undealable(Delegation.all[$0]) }
            },
            take: { next in
                for delegation in Delegation.all {
                    accounts[Int(delegation.value)] = try next() ?? []
                    Console.progress("delegations asked for what is held", done: Int(delegation.value), of: 32)
                }
            })
        Console.progress("delegations asked for what is held", done: 32, of: 32, isDone: true)
        return accounts
    }
}
