// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import Glibc
internal import PgStore

/// Runs policies over a period's cut side by side, delegation by delegation, and writes nothing.
///
/// Each account gets of each policy the verdict that `segment` would give it, with the mediation sessions given out.
/// Runs inside the caller's snapshot; several links read it, a delegation each at a time.
struct PolicyTrial {
    /// One policy at work.
    struct Party: Sendable {
        let columns: ColumnSegmenter
        let table: VerdictTable

        var policy: Policy { columns.segmenter.policy }

        init(_ policy: Policy, cut: LocalDate) throws(CommandFailure) {
            self.columns = try SegmentationRun.compiled(policy, cut: cut)
            self.table = VerdictTable(columns.segmenter)
        }
    }

    /// What came out for one delegation: by account number; one outcome per policy, in their order.
    struct Slice: Sendable {
        let delegation: Delegation
        var accounts: [Int64] = []
        /// Centavos.
        var overdue: [Int64] = []
        var balance: [Int64] = []
        var outcomes: [Outcome] = []
        /// Its accounts that no plan would deal, because they are held or stopped, ascending; empty unless asked for.
        var undealable: [Int64] = []
    }

    struct Outcome: Sendable {
        /// In the numbers of the policy's ``VerdictTable``.
        var codes: [Int32] = []
        /// Classes; 0 where nobody works the account.
        var priorities: [Int16] = []
        /// Bits of the policy's reliefs; empty where it has none.
        var offers: [UInt64] = []
        var round = InvitationRound()
        var sessions = Sessions()
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
    /// Accounts of the cut.
    let accounts: Int64
    private let link: PgLink
    private let period: Period
    private let sizes: [(delegation: Delegation, accounts: Int64)]

    /// - Throws: ``CommandFailure`` (usage) where the period has no cut, or a policy has more outcomes than codes.
    init(_ policies: [Policy], _ link: PgLink, period: Period) throws {
        let cut = SegmentationRun.cutDay(period)
        self.parties = try policies.map { try Party($0, cut: cut) }
        self.link = link
        self.period = period
        self.sizes = try SegmentationStore(link, period: period).cutSizes()
        self.accounts = sizes.reduce(0) { $0 + $1.accounts }
        guard accounts > 0 else { throw CommandFailure.noCut(period) }
    }

    /// Gives each delegation's slice, ascending. Holds a few at a time.
    ///
    /// - Parameter undealable: whether the accounts that are held or stopped are read too.
    func run(undealable: Bool = false, _ body: (Slice) throws -> Void) throws {
        let (period, parties, delegations) = (period, parties, sizes.map(\.delegation))
        let open = link.opener("dispatcherd policy")
        let snapshot = try SegmentationStore(link, period: period).exportSnapshot()
        var done: Int64 = 0
        try OrderedWork.run(
            parts: delegations.count, threads: Self.readers,
            worker: {
                let link = try open()
                try SegmentationStore(link, period: period).beginReading(snapshot)
                let trial = DelegationTrial(parties, link, period: period, undealable: undealable)
                return { try trial.slice(delegations[$0]) }
            },
            take: { next in
                while let slice = try next() {
                    try body(slice)
                    done += Int64(slice.accounts.count)
                    Console.progress("tried", done: Int(done), of: Int(accounts))
                }
            })
        Console.progress("tried", done: Int(done), of: Int(accounts), isDone: true)
    }

    /// One per processor, up to a few: the database needs processors too.
    private static var readers: Int { min(max(sysconf(Int32(_SC_NPROCESSORS_ONLN)), 1), 4) }
}

extension CommandFailure {
    static func noCut(_ period: Period) -> CommandFailure {
        CommandFailure(
            .usage, "\(period) has no cut", remedy: "Import one: dispatcherd import cut FILE --period \(period)")
    }
}
