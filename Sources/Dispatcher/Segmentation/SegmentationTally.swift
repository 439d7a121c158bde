// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import Crypto
internal import PgStore

/// Counts and digests of one segmentation while its delegations go by.
struct SegmentationTally {
    private struct Key: Hashable {
        let strategy: Strategy
        let tactic: Int16
        let portfolio: Portfolio
    }

    private let segmenter: Segmenter
    private(set) var accounts: Int64 = 0
    private var placed: [Key: Int64] = [:]
    private var excluded: [Int64]
    private var nothing: Int64 = 0
    private var sessions: (capacity: Int64, candidates: Int64, invited: Int64) = (0, 0, 0)
    private var cutHash = SHA256()
    private var placementHash = SHA256()

    init(_ segmenter: Segmenter) {
        self.segmenter = segmenter
        self.excluded = Array(repeating: 0, count: segmenter.policy.exclusions.count)
    }

    /// The rows of one delegation, by account number.
    ///
    /// - Parameter accounts: how many the cut has there; session capacity is measured by it.
    /// - Parameter read: gives each account with its values, by account number.
    mutating func place(
        _ delegation: Delegation, accounts: Int64,
        read: (_ body: (Int64, borrowing AccountRow) throws -> Void) throws -> Void
    ) throws -> [PlacementRow] {
        var rows: [PlacementRow] = []
        var round = InvitationRound()
        try read { account, row in
            self.accounts += 1
            row.withUnsafeBytes { cutHash.update(bufferPointer: $0) }
            withUnsafeBytes(of: account) { cutHash.update(bufferPointer: $0) }
            switch segmenter.verdict(for: row) {
            case .excluded(let index):
                excluded[index] += 1
                rows.append(excludedRow(account, index))
            case .placed(let placement):
                if let invited = segmenter.invited(row, placed: placement) {
                    round.add(account: account, arrears: row[.arrears] ?? 0, placed: placement, invited: invited)
                } else {
                    rows.append(placedRow(account, placement))
                }
            case .nothingToCollect:
                nothing += 1
            }
        }
        settle(round, delegation: delegation, accounts: accounts, into: &rows)
        rows.sort { $0.account < $1.account }
        for row in rows { digest(delegation, row) }
        return rows
    }

    private mutating func settle(
        _ round: InvitationRound, delegation: Delegation, accounts: Int64, into rows: inout [PlacementRow]
    ) {
        guard let invitation = segmenter.policy.invitation else { return }
        let capacity = invitation.sessions.capacity(delegation: delegation.value, accounts: accounts)
        sessions.capacity += capacity
        sessions.candidates += Int64(round.count)
        sessions.invited += min(capacity, Int64(round.count))
        for (account, placement) in round.settled(capacity: capacity) { rows.append(placedRow(account, placement)) }
    }

    private mutating func placedRow(_ account: Int64, _ placement: Placement) -> PlacementRow {
        let key = Key(strategy: placement.strategy, tactic: placement.tactic, portfolio: placement.portfolio)
        placed[key, default: 0] += 1
        return PlacementRow(
            account: account, strategy: placement.strategy, tactic: segmenter.tactics[Int(placement.tactic)],
            portfolio: placement.portfolio, priority: placement.priority, rule: segmenter.rule(placement),
            exclusion: nil)
    }

    private func excludedRow(_ account: Int64, _ index: Int) -> PlacementRow {
        let reason = segmenter.policy.exclusions[index].reason
        return PlacementRow(
            account: account, strategy: nil, tactic: nil, portfolio: nil, priority: nil, rule: "exclusion.\(reason)",
            exclusion: reason)
    }

    /// Every column of the row, texts behind a zero byte so that two rows cannot read the same.
    private mutating func digest(_ delegation: Delegation, _ row: PlacementRow) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(64)
        withUnsafeBytes(of: delegation.value.bigEndian) { bytes.append(contentsOf: $0) }
        withUnsafeBytes(of: row.account.bigEndian) { bytes.append(contentsOf: $0) }
        bytes.append(UInt8(row.strategy?.rawValue ?? 0))
        bytes.append(UInt8(row.portfolio?.rawValue ?? 0))
        withUnsafeBytes(of: (row.priority ?? 0).bigEndian) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: row.rule.utf8)
        bytes.append(0)
        placementHash.update(data: bytes)
    }

    func digests() -> (cut: [UInt8], placements: [UInt8]) {
        (Array(cutHash.finalize()), Array(placementHash.finalize()))
    }

    func report(
        period: Period, file: PolicyFile, digests: (cut: [UInt8], placements: [UInt8]), isUnchanged: Bool
    ) -> SegmentationReport {
        let order = placed.keys.sorted { left, right in
            (right.strategy, left.tactic, left.portfolio) < (left.strategy, right.tactic, right.portfolio)
        }
        return SegmentationReport(
            period: period.description, policy: file.policy.name, policyVersion: file.policy.version,
            accounts: accounts,
            placedAccounts: placed.values.reduce(0, +), excludedAccounts: excluded.reduce(0, +),
            placed: order.map { key in
                SegmentationReport.Placed(
                    strategy: key.strategy.name, tactic: segmenter.tactics[Int(key.tactic)],
                    portfolio: key.portfolio.name,
                    accounts: placed[key] ?? 0)
            },
            excluded: zip(file.policy.exclusions, excluded).map { exclusion, accounts in
                SegmentationReport.Excluded(
                    reason: exclusion.reason, title: exclusion.title.english, accounts: accounts)
            },
            nothingToCollect: nothing,
            sessions: .init(capacity: sessions.capacity, candidates: sessions.candidates, invited: sessions.invited),
            policyDigest: LedgerTree.hex(file.digest), cutDigest: LedgerTree.hex(digests.cut),
            digest: LedgerTree.hex(digests.placements), isUnchanged: isUnchanged)
    }
}
