// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// Runs policies over delegations one after the other, in columns, with the same memory.
final class DelegationTrial {
    /// What the codes of one policy's columns mean in its table.
    private struct Key {
        let placed: [Int32]
        /// The same where the account is invited.
        let invited: [Int32]
        let priorities: [Int16]
        let candidates: [(placed: Placement, invited: Placement)?]

        init(_ party: PolicyTrial.Party) {
            var placed: [Int32] = []
            var invited: [Int32] = []
            var priorities: [Int16] = []
            var candidates: [(placed: Placement, invited: Placement)?] = []
            for outcome in party.columns.outcomes {
                switch outcome {
                case .excluded(let index):
                    placed.append(party.table.code(exclusion: index))
                    invited.append(party.table.code(exclusion: index))
                    priorities.append(0)
                    candidates.append(nil)
                case .placed(let placement, let invitation):
                    placed.append(party.table.code(placement))
                    invited.append(party.table.code(invitation ?? placement))
                    priorities.append(placement.priority)
                    candidates.append(invitation.map { (placement, $0) })
                case .nothingToCollect:
                    placed.append(VerdictTable.none)
                    invited.append(VerdictTable.none)
                    priorities.append(0)
                    candidates.append(nil)
                }
            }
            self.placed = placed
            self.invited = invited
            self.priorities = priorities
            self.candidates = candidates
        }
    }

    private let parties: [PolicyTrial.Party]
    private let keys: [Key]
    private let store: SegmentationStore
    private let planning: PlanningStore?
    private let cut: LocalDate
    private let batch: ColumnBatch
    private let verdicts: [ColumnVerdicts]
    /// Per party: the codes of the delegation's accounts.
    private var codes: [[UInt16]]

    /// - Parameter undealable: whether the accounts that are held or stopped are read too.
    init(_ parties: [PolicyTrial.Party], _ link: PgLink, period: Period, undealable: Bool) {
        let cut = SegmentationRun.cutDay(period)
        let read = Set(parties.flatMap(\.columns.fields)).union([.overdue, .balance])
        self.parties = parties
        self.keys = parties.map(Key.init)
        self.store = SegmentationStore(link, period: period)
        self.planning = undealable ? PlanningStore(link, period: period, cut: cut) : nil
        self.cut = cut
        self.batch = ColumnBatch(fields: AccountField.stored.filter { read.contains($0) })
        self.verdicts = parties.map { $0.columns.makeVerdicts() }
        self.codes = parties.map { _ in [] }
    }

    func slice(_ delegation: Delegation) throws -> PolicyTrial.Slice {
        var slice = PolicyTrial.Slice(delegation: delegation)
        slice.outcomes = parties.map { _ in PolicyTrial.Outcome() }
        for index in parties.indices { codes[index].removeAll(keepingCapacity: true) }
        try store.readColumns(delegation, cut: cut, into: batch) { batch in
            slice.accounts.append(contentsOf: UnsafeBufferPointer(start: batch.accounts, count: batch.count))
            for place in 0..<batch.count {
                slice.overdue.append(batch.raw(.overdue, place))
                slice.balance.append(batch.raw(.balance, place))
            }
            for index in parties.indices { judge(batch, index, into: &slice.outcomes[index]) }
        }
        for index in parties.indices { settle(index, delegation, slice.accounts, into: &slice.outcomes[index]) }
        if let planning { slice.undealable = try planning.undealable(delegation) }
        return slice
    }

    private func judge(_ batch: ColumnBatch, _ index: Int, into outcome: inout PolicyTrial.Outcome) {
        let (party, verdicts, key) = (parties[index], verdicts[index], keys[index])
        party.columns.evaluate(batch, into: verdicts)
        verdicts.withCodes { codes[index].append(contentsOf: $0) }
        if !party.policy.relief.isEmpty {
            for place in 0..<batch.count { outcome.offers.append(verdicts.offers(place)) }
        }
        guard party.policy.invitation != nil else { return }
        verdicts.withCodes { codes in
            for (place, code) in codes.enumerated() {
                guard let (placed, invited) = key.candidates[Int(code)] else { continue }
                let arrears = batch.raw(.arrears, place)
                outcome.round.add(
                    account: batch.accounts[place], arrears: arrears == AccountRow.missing ? 0 : arrears,
                    placed: placed, invited: invited)
            }
        }
    }

    /// Gives the sessions out, and puts every code into the numbers of the table.
    private func settle(
        _ index: Int, _ delegation: Delegation, _ accounts: [Int64], into outcome: inout PolicyTrial.Outcome
    ) {
        let key = keys[index]
        let capacity =
            parties[index].policy.invitation.map { invitation in
                invitation.sessions.capacity(delegation: delegation.value, accounts: Int64(accounts.count))
            } ?? 0
        let chosen = outcome.round.invited(capacity: capacity)
        outcome.sessions = PolicyTrial.Sessions(
            capacity: capacity, candidates: Int64(outcome.round.count), invited: Int64(chosen.count))
        outcome.codes.reserveCapacity(accounts.count)
        outcome.priorities.reserveCapacity(accounts.count)
        var next = 0
        for (place, code) in codes[index].enumerated() {
            let isInvited = next < chosen.count && chosen[next] == accounts[place]
            if isInvited { next += 1 }
            outcome.codes.append(isInvited ? key.invited[Int(code)] : key.placed[Int(code)])
            outcome.priorities.append(key.priorities[Int(code)])
        }
    }
}
