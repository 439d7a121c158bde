// SPDX-License-Identifier: Apache-2.0

package import Assignment
internal import Crypto
package import PgStore

/// Places every account of a period's cut by a policy and replaces the period's placements as a whole.
///
/// One transaction: it is all there or nothing is. Delegations go one by one, so memory is bounded by the placements
/// of the largest one. The same cut and policy give the same bytes, and a run that finds them already there writes
/// nothing.
package struct SegmentationRun {
    private let link: PgLink
    private let period: Period
    private let file: PolicyFile
    private let store: SegmentationStore
    private let cut: LocalDate

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
        guard file.policy.effectiveOn <= period.firstDay else {
            throw CommandFailure(
                .usage,
                "policy \(file.policy.name) \(file.policy.version) is in force from \(file.policy.effectiveOn), "
                    + "after \(period) starts", remedy: "Take the version that was in force on \(period.firstDay)")
        }
        do {
            return try link.transaction {
                let report = try place()
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

    private func place() throws -> SegmentationReport {
        try checkPeriod()
        let sizes = try store.cutSizes()
        guard !sizes.isEmpty else {
            throw CommandFailure(
                .usage, "\(period) has no cut", remedy: "Import one: dispatcherd import cut FILE --period \(period)")
        }
        let total = sizes.reduce(0) { $0 + $1.accounts }
        var tally = SegmentationTally(Segmenter(file.policy, cut: cut))
        try store.startPlacements()
        for (delegation, accounts) in sizes {
            let rows = try tally.place(delegation, accounts: accounts) { body in
                try store.readCut(delegation, cut: cut, body)
            }
            try store.writePlacements(delegation, rows)
            Console.progress("segmented", done: Int(tally.accounts), of: Int(total))
        }
        Console.progress("segmented", done: Int(tally.accounts), of: Int(total), isDone: true)
        return try finish(tally)
    }

    private func checkPeriod() throws {
        guard let state = try store.lockPeriod() else {
            throw CommandFailure(
                .usage, "\(period) has no cut", remedy: "Import one: dispatcherd import cut FILE --period \(period)")
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
                    : "Accounts are dealt; what changes now is placed by stops and by the next period")
        }
    }

    private func finish(_ tally: SegmentationTally) throws -> SegmentationReport {
        let digests = tally.digests()
        let before = try store.segmentation()
        let isUnchanged =
            before.map {
                $0.digest == digests.placements && $0.policyDigest == file.digest && $0.cutDigest == digests.cut
            }
            ?? false
        let report = tally.report(period: period, file: file, digests: digests, isUnchanged: isUnchanged)
        guard !isUnchanged else { return report }
        try store.finish(
            SegmentationRow(
                policy: file.policy.name, policyVersion: file.policy.version, policyDigest: file.digest,
                cutDigest: digests.cut, accounts: tally.accounts, placed: report.placedAccounts,
                excluded: report.excludedAccounts, digest: digests.placements),
            policy: file.policy, body: file.text)
        return report
    }
}
