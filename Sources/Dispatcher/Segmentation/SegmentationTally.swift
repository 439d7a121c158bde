// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import Crypto
internal import PgStore

/// Counts and digests of one segmentation.
struct SegmentationTally {
    private struct Key: Hashable {
        let strategy: Strategy
        let tactic: Int16
        let portfolio: Portfolio
    }

    private let columns: ColumnSegmenter
    private(set) var accounts: Int64 = 0
    /// Rows written so far.
    private(set) var rows: Int64 = 0
    private var counts: ColumnCounts
    private var invited: [UInt16: Int64] = [:]
    private var sessions: (capacity: Int64, candidates: Int64) = (0, 0)
    private var sum = ColumnSum()
    private var placementHash = SHA256()

    init(_ columns: ColumnSegmenter) {
        self.columns = columns
        self.counts = columns.makeCounts()
    }

    mutating func add(_ verdicts: StretchVerdicts) {
        accounts += verdicts.accounts.reduce(0, +)
        counts.add(verdicts.counts)
        sum.add(verdicts.sum)
    }

    /// Delegations are added in ascending order: the digest goes by it.
    mutating func add(_ verdicts: DelegationVerdicts) {
        rows += Int64(verdicts.rows.count)
        invited.merge(verdicts.invited, uniquingKeysWith: +)
        sessions.capacity += verdicts.capacity
        sessions.candidates += verdicts.candidates
        placementHash.update(data: verdicts.digest)
    }

    /// That of the cut is of what the policy reads: the names of the fields, and the sum of the accounts (``ColumnSum``).
    func digests() -> (cut: [UInt8], placements: [UInt8]) {
        var cut = SHA256()
        cut.update(data: Array(columns.fields.map(\.name).joined(separator: " ").utf8))
        cut.update(data: Array(" \(sum.count) \(sum.low) \(sum.high)\n".utf8))
        return (Array(cut.finalize()), Array(placementHash.finalize()))
    }

    func report(
        period: Period, file: PolicyFile, digests: (cut: [UInt8], placements: [UInt8]), isUnchanged: Bool
    ) -> SegmentationReport {
        let policy = columns.segmenter.policy
        let totals = totals()
        func place(_ key: Key) -> Int {
            policy.place(ofTactic: columns.segmenter.tactics[Int(key.tactic)], in: key.strategy)
        }
        let order = totals.placed.keys.sorted { left, right in
            (right.strategy, place(left), left.portfolio) < (left.strategy, place(right), right.portfolio)
        }
        return SegmentationReport(
            period: period.description, policy: policy.name, policyVersion: policy.version, accounts: accounts,
            placedAccounts: totals.placed.values.reduce(0, +), excludedAccounts: totals.excluded.reduce(0, +),
            placed: order.map { key in
                SegmentationReport.Placed(
                    strategy: key.strategy.name, tactic: columns.segmenter.tactics[Int(key.tactic)],
                    portfolio: key.portfolio.name, accounts: totals.placed[key] ?? 0)
            },
            excluded: zip(policy.exclusions, totals.excluded).map { exclusion, accounts in
                SegmentationReport.Excluded(
                    reason: exclusion.reason, title: exclusion.title.english, accounts: accounts)
            },
            nothingToCollect: totals.nothing,
            sessions: .init(
                capacity: sessions.capacity, candidates: sessions.candidates, invited: invited.values.reduce(0, +)),
            policyDigest: LedgerTree.hex(file.digest), cutDigest: LedgerTree.hex(digests.cut),
            digest: LedgerTree.hex(digests.placements), isUnchanged: isUnchanged)
    }

    private func totals() -> (placed: [Key: Int64], excluded: [Int64], nothing: Int64) {
        var placed: [Key: Int64] = [:]
        var excluded = [Int64](repeating: 0, count: columns.segmenter.policy.exclusions.count)
        var nothing: Int64 = 0
        func add(_ placement: Placement, _ count: Int64) {
            let key = Key(strategy: placement.strategy, tactic: placement.tactic, portfolio: placement.portfolio)
            placed[key, default: 0] += count
        }
        for (code, outcome) in columns.outcomes.enumerated() where counts[code] > 0 {
            switch outcome {
            case .excluded(let index): excluded[index] += counts[code]
            case .nothingToCollect: nothing += counts[code]
            case .placed(let placement, let goes):
                let gone = invited[UInt16(code)] ?? 0
                if counts[code] > gone { add(placement, counts[code] - gone) }
                if let goes, gone > 0 { add(goes, gone) }
            }
        }
        return (placed, excluded, nothing)
    }
}
