// SPDX-License-Identifier: Apache-2.0

package import Assignment
internal import Glibc
package import PgStore

/// Places every account of a period's cut by a policy and replaces the period's placements as a whole.
///
/// One transaction: it is all there or nothing is. Several links read, a stretch of the table each at a time and all of one
/// snapshot; what is kept of an account is its verdict, so memory holds some twenty bytes for each one that is placed or
/// excluded. Then the run's own link writes delegation after delegation. The same cut and policy give the same bytes, in
/// whatever order the rows lie, and a run that finds them already there writes nothing.
package struct SegmentationRun {
    private let link: PgLink
    private let period: Period
    private let file: PolicyFile
    private let store: SegmentationStore
    private let cut: LocalDate
    private let began = ContinuousClock.now

    package init(_ link: PgLink, period: Period, policy: PolicyFile) {
        self.link = link
        self.period = period
        self.file = policy
        self.store = SegmentationStore(link, period: period)
        self.cut = Self.cutDay(period)
    }

    /// A period's cut shows the portfolio as of the end of the day before the period.
    package static func cutDay(_ period: Period) -> LocalDate { period.firstDay.advanced(byDays: -1) }

    /// - Throws: ``CommandFailure`` (usage) where the period is closed, has no cut or has a plan, or the policy is not
    ///   in force yet.
    package func run() throws -> SegmentationReport {
        let policy = try file.policy(for: period)
        do {
            return try link.transaction {
                let report = try place(policy)
                // What is there already need not be written again; the transaction takes the copy back.
                if report.isUnchanged { throw Unchanged(report: report) }
                return report
            }
        } catch let unchanged as Unchanged {
            return unchanged.report
        } catch let error as PgError {
            throw CommandFailure(error, work: "\(period)", left: "the placements are as they were")
        }
    }

    private struct Unchanged: Error { let report: SegmentationReport }

    private func place(_ policy: Policy) throws -> SegmentationReport {
        try checkPeriod()
        let territory = try VisitTerritory.read(policy.packs, link, period: period)
        let columns = try Self.compiled(policy.withoutVisits(in: territory), cut: cut)
        var tally = SegmentationTally(columns)
        let verdicts = try read(columns, &tally)
        guard tally.accounts > 0 else {
            throw try store.missingCut()
        }
        try store.startPlacements()
        try write(verdicts, columns, &tally)
        return try finish(tally, policy, territory)
    }

    /// - Throws: ``CommandFailure`` (usage) where the policy says more different things than there are codes for.
    package static func compiled(_ policy: Policy, cut: LocalDate) throws(CommandFailure) -> ColumnSegmenter {
        do {
            return try ColumnSegmenter(policy, cut: cut)
        } catch {
            throw CommandFailure(
                .usage, "policy \(policy.name) \(policy.version) has \(error)",
                remedy: "Take out what no account can meet, or join tactics and exclusions that are alike")
        }
    }

    /// Reads the whole table once and judges. The period's lock is held, so what a later snapshot shows is what this
    /// transaction sees.
    private func read(_ columns: ColumnSegmenter, _ tally: inout SegmentationTally) throws -> [StretchVerdicts] {
        let open = link.opener("dispatcherd segment")
        let anchor = SegmentationStore(try open(), period: period)
        try anchor.beginReading(nil)
        let (period, snapshot) = (period, try anchor.exportSnapshot())
        let stretches = try anchor.stretches()
        let overlay = try anchor.readOverlay(cut: cut, fields: columns.fields)
        var verdicts: [StretchVerdicts] = []
        try OrderedWork.run(
            parts: stretches.count, threads: OrderedWork.threads,
            worker: {
                let store = SegmentationStore(try open(), period: period)
                try store.beginReading(snapshot)
                let segmenter = StretchSegmenter(columns, store, overlay: overlay)
                return { try segmenter.segment(stretches[$0]) }
            },
            take: { next in
                while let part = try next() {
                    tally.add(part)
                    verdicts.append(part)
                    Console.progress("segmented", done: Int(tally.accounts), of: nil)
                }
            })
        Console.progress("segmented", done: Int(tally.accounts), of: nil, isDone: true)
        return verdicts
    }

    /// Writes delegation after delegation while the next ones are being put in order.
    private func write(
        _ verdicts: [StretchVerdicts], _ columns: ColumnSegmenter, _ tally: inout SegmentationTally
    ) throws {
        let segmenter = DelegationSegmenter(columns, period: period)
        try OrderedWork.run(
            parts: Delegation.all.count, threads: OrderedWork.threads,
            worker: {
                return { number in
                    let delegation = Delegation.all[number]
                    let index = Int(delegation.value)
                    let accounts = verdicts.reduce(0) { $0 + $1.accounts[index] }
                    return segmenter.segment(delegation, accounts: accounts, verdicts.map { $0.lists[index] })
                }
            },
            take: { next in
                try store.writePlacements {
                    guard let part = try next() else { return nil }
                    tally.add(part)
                    Console.progress("placements made", done: Int(tally.rows), of: nil)
                    return part.rows
                }
            })
        // Not yet written for good: where the same ones are there already, these are dropped.
        Console.progress("placements made", done: Int(tally.rows), of: nil, isDone: true)
    }

    private func checkPeriod() throws {
        guard let state = try store.lockPeriod() else {
            throw try store.missingCut()
        }
        guard state == "open" else {
            throw CommandFailure(
                .usage, "\(period) is \(state)", remedy: "Placements of a closed period stay as they are")
        }
        if let plan = try store.plan() {
            throw CommandFailure(
                .usage, "plan \(plan.id) of \(period) is \(plan.state) on the present placements",
                remedy: plan.state == "dealing"
                    ? "Finish it with dispatcherd plan apply --period \(period), or drop it with plan discard"
                    : "Accounts are dealt; what changes now is placed by import stops, import starts and the next period"
            )
        }
    }

    private func finish(
        _ tally: SegmentationTally, _ policy: Policy, _ territory: VisitTerritory
    ) throws -> SegmentationReport {
        let digests = tally.digests()
        let before = try store.segmentation()
        let isUnchanged =
            before.map {
                $0.digest == digests.placements && $0.policyDigest == file.digest && $0.cutDigest == digests.cut
            }
            ?? false
        var report = tally.report(period: period, file: file, digests: digests, isUnchanged: isUnchanged)
        report.noVisits = territory.isEmpty ? nil : territory.words
        report.warnings = IdleStrategies(try PlanSupply.taking(PlanningStore(link, period: period, cut: cut))).words {
            strategy in
            report.placed.reduce(0) { $0 + ($1.strategy == strategy.name ? $1.accounts : 0) }
        }
        guard !isUnchanged else { return report }
        let row = SegmentationRow(
            policy: policy.name, policyVersion: policy.version, policyDigest: file.digest,
            cutDigest: digests.cut, accounts: tally.accounts, placed: report.placedAccounts,
            excluded: report.excludedAccounts, digest: digests.placements)
        try store.finish(
            row, policy: policy, body: file.text, milliseconds: (ContinuousClock.now - began).wholeMilliseconds)
        try link.insertBlocks(
            LedgerBlock.seal(Delegation.all.map { .policy(row, delegation: $0, period: period) }))
        return report
    }
}
