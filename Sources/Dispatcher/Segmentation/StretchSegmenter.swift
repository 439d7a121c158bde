// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// What a policy said of the accounts of one stretch of the cut's table.
struct StretchVerdicts: Sendable {
    /// By delegation number, from 0 on: how many accounts there are, and those that get a row.
    var accounts = [Int64](repeating: 0, count: Int(Delegation.range.upperBound) + 1)
    var lists = [VerdictList](repeating: VerdictList(), count: Int(Delegation.range.upperBound) + 1)
    /// By code; candidates count where they were placed.
    var counts: ColumnCounts
    var sum = ColumnSum()
}

/// Segments stretches one after the other, with the same memory.
final class StretchSegmenter {
    private let columns: ColumnSegmenter
    private let store: SegmentationStore
    private let overlay: ColumnOverlay
    private let batch: ColumnBatch
    private let verdicts: ColumnVerdicts
    private let summer: ColumnSummer
    private let nothing: UInt16
    private let isCandidate: [Bool]

    init(_ columns: ColumnSegmenter, _ store: SegmentationStore, overlay: ColumnOverlay) {
        self.columns = columns
        self.store = store
        self.overlay = overlay
        self.batch = columns.makeBatch()
        self.verdicts = columns.makeVerdicts()
        self.summer = ColumnSummer(fields: columns.fields)
        self.nothing = UInt16(columns.outcomes.firstIndex(of: .nothingToCollect) ?? 0)
        self.isCandidate = columns.outcomes.map { outcome in
            if case .placed(_, .some) = outcome { return true }
            return false
        }
    }

    func segment(_ scope: CutScope) throws -> StretchVerdicts {
        var result = StretchVerdicts(counts: columns.makeCounts())
        summer.reset()
        try store.readColumns(scope, overlay: overlay, into: batch) { batch in
            columns.evaluate(batch, into: verdicts)
            verdicts.count(into: &result.counts)
            summer.add(batch)
            take(batch, into: &result)
        }
        result.sum = summer.sum
        return result
    }

    private func take(_ batch: ColumnBatch, into result: inout StretchVerdicts) {
        let hasOffers = !columns.segmenter.policy.relief.isEmpty
        let delegations = batch.delegations
        verdicts.withCodes { codes in
            for index in codes.indices {
                let (code, delegation) = (codes[index], Int(delegations[index]))
                precondition(Delegation.range.contains(delegations[index]), "no delegation \(delegation)")
                result.accounts[delegation] += 1
                guard code != nothing else { continue }
                result.lists[delegation].append(batch.accounts[index], code)
                if hasOffers { result.lists[delegation].append(offers: verdicts.offers(index)) }
                if isCandidate[Int(code)] {
                    let arrears = batch.raw(.arrears, index)
                    result.lists[delegation].append(
                        VerdictList.Candidate(
                            account: batch.accounts[index], arrears: arrears == AccountRow.missing ? 0 : arrears,
                            code: code))
                }
            }
        }
    }
}
