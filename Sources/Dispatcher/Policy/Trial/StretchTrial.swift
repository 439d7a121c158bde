// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// Runs one or two policies over stretches of the cut one after the other, with the same memory.
final class StretchTrial {
    private let parties: [PolicyTrial.Party]
    private let store: SegmentationStore
    private let overlay: ColumnOverlay
    private let question: TrialQuestion?
    /// By delegation number, ascending.
    private let undealable: [[Int64]]
    private let batch: ColumnBatch
    private let verdicts: [ColumnVerdicts]
    /// By the codes of each policy: whether it may invite such an account.
    private let isCandidate: [[Bool]]

    init(
        _ parties: [PolicyTrial.Party], _ store: SegmentationStore, overlay: ColumnOverlay, question: TrialQuestion?,
        undealable: [[Int64]]
    ) {
        precondition((1...2).contains(parties.count), "\(parties.count) policies at once")
        self.parties = parties
        self.store = store
        self.overlay = overlay
        self.question = question
        self.undealable = undealable
        self.batch = ColumnBatch(fields: PolicyTrial.fields(parties))
        self.verdicts = parties.map { $0.columns.makeVerdicts() }
        self.isCandidate = parties.map { $0.codes.candidates.map { $0 != nil } }
    }

    func run(_ scope: CutScope) throws -> StretchTally {
        var tally = StretchTally(parties)
        try store.readColumns(scope, overlay: overlay, into: batch) { batch in
            for (index, party) in parties.enumerated() {
                party.columns.evaluate(batch, into: verdicts[index])
                if !party.policy.relief.isEmpty { verdicts[index].countOffers(into: &tally.offers[index]) }
            }
            verdicts[0].withCodes { first in
                guard verdicts.count > 1 else { return take(batch, first, nil, into: &tally) }
                verdicts[1].withCodes { take(batch, first, $0, into: &tally) }
            }
        }
        if let count = question?.countMax { tally.keepAsked(first: count) }
        return tally
    }

    private func take(
        _ batch: ColumnBatch, _ first: UnsafeBufferPointer<UInt16>, _ second: UnsafeBufferPointer<UInt16>?,
        into tally: inout StretchTally
    ) {
        let delegations = batch.delegations
        let overdue = batch.column(.overdue).assumingMemoryBound(to: Int64.self)
        let balance = batch.column(.balance).assumingMemoryBound(to: Int64.self)
        // Most neighbours are alike, so what the last key came to is asked for again most of the time.
        var known: StretchTally.Key?
        var (slot, isOpen) = (0, false)
        var sides: [TrialSide] = []
        for index in first.indices {
            let delegation = Int(delegations[index])
            precondition(Delegation.range.contains(delegations[index]), "no delegation \(delegation)")
            tally.accounts[delegation] += 1
            let key = StretchTally.Key(
                first: first[index], second: second?[index] ?? 0,
                isUndealable: isUndealable(batch.accounts[index], delegation))
            if known != key {
                (known, isOpen) = (key, isCandidate(key))
                if !isOpen { (slot, sides) = (tally.slot(key), askedSides(key)) }
            }
            if isOpen {
                let arrears = batch.raw(.arrears, index)
                tally.candidates[delegation].append(
                    StretchTally.Candidate(
                        account: batch.accounts[index], arrears: arrears == AccountRow.missing ? 0 : arrears,
                        overdue: overdue[index], balance: balance[index], key: key))
                continue
            }
            tally.count(slot, delegation, overdue: overdue[index], balance: balance[index])
            guard !sides.isEmpty else { continue }
            tally.asked[delegation].append(
                TrialAccount(
                    account: batch.accounts[index], overdue: overdue[index], balance: balance[index],
                    old: sides[0].code, new: sides[1].code))
        }
    }

    /// Whether one of the policies may invite such an account.
    private func isCandidate(_ key: StretchTally.Key) -> Bool {
        isCandidate.indices.contains { isCandidate[$0][key.code($0)] }
    }

    /// What the policies say of such accounts, where they are asked for by themselves; otherwise nothing.
    private func askedSides(_ key: StretchTally.Key) -> [TrialSide] {
        guard let question else { return [] }
        let sides = parties.enumerated().map { $1.codes.placed[key.code($0)] }
        return question.holds(sides) ? sides : []
    }

    private func isUndealable(_ account: Int64, _ delegation: Int) -> Bool {
        guard !undealable.isEmpty else { return false }
        let accounts = undealable[delegation]
        var (low, high) = (0, accounts.count)
        while low < high {
            let middle = (low + high) / 2
            if accounts[middle] < account { low = middle + 1 } else { high = middle }
        }
        return low < accounts.count && accounts[low] == account
    }
}
