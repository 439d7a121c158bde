// SPDX-License-Identifier: Apache-2.0

package import Assignment
package import PgStore

/// Why an account goes where it goes: every rule in its order with what the account says to it. Writes nothing.
///
/// Reads one snapshot of the database, also while others write and on closed periods. The verdict is that of `segment`
/// on the cut as it is now, stops included; that of an account that started within the period is that of its start, as of
/// the day on which it was placed.
package struct PolicyExplain {
    private let link: PgLink
    private let period: Period
    private let wish: PolicyChoice.Wish

    package init(_ link: PgLink, period: Period, policy: PolicyChoice.Wish = .applied) {
        self.link = link
        self.period = period
        self.wish = policy
    }

    /// - Throws: ``CommandFailure`` (usage) where the period has no cut, the account is not in it, or the period was
    ///   not segmented and its policy is asked for.
    package func run(_ account: AccountID) throws -> ExplainReport {
        try link.snapshotOrFailure(period) {
            let store = SegmentationStore(link, period: period)
            let delegation = try locate(account, store)
            let choice = try PolicyChoice(wish, link, period: period)
            let start = try store.start(delegation, account)
            let cut = start?.placedOn ?? SegmentationRun.cutDay(period)
            guard let row = try store.readAccount(delegation, account, cut: cut) else { throw missing(account) }
            let segmenter = Segmenter(choice.policy, cut: cut)
            let trace = PolicyTracer(segmenter, row: row, cut: cut)
            // Sessions are given out when the cut is segmented, and not again for whoever starts later.
            let invitation =
                trace.invited == nil || start != nil ? nil : try rank(account, delegation, choice.policy)
            return ExplainReport(
                account, delegation, period: period, choice: choice, segmenter: segmenter, row: row, trace: trace,
                start: start, round: invitation, recorded: try store.placement(delegation, account),
                isSegmented: try store.segmentation() != nil)
        }
    }

    private func locate(_ account: AccountID, _ store: SegmentationStore) throws -> Delegation {
        try store.requireCut()
        guard let delegation = try store.delegation(of: account) else { throw missing(account) }
        return delegation
    }

    private func missing(_ account: AccountID) -> CommandFailure {
        CommandFailure(
            .usage, "account \(account) is not in the cut of \(period)",
            remedy: "Check the number, and the month: an account that was not in a cut was not placed then")
    }

    /// The account's place among all who may be invited in its delegation.
    private func rank(
        _ account: AccountID, _ delegation: Delegation, _ policy: Policy
    ) throws -> ExplainReport.Invitation? {
        let columns = try SegmentationRun.compiled(policy, cut: SegmentationRun.cutDay(period))
        guard let sessions = policy.invitation?.sessions else { return nil }
        let store = SegmentationStore(link, period: period)
        let overlay = try store.readOverlay(
            delegation, cut: SegmentationRun.cutDay(period), fields: columns.fields)
        let verdicts = try StretchSegmenter(columns, store, overlay: overlay).segment(.delegation(delegation))
        let index = Int(delegation.value)
        let round = InvitationRound(verdicts.lists[index].candidates, columns)
        let capacity = sessions.capacity(delegation: delegation.value, accounts: verdicts.accounts[index])
        return round.rank(of: account.value).map { rank in
            ExplainReport.Invitation(
                rank: rank, candidates: Int64(round.count), capacity: capacity, isInvited: rank <= capacity)
        }
    }
}
