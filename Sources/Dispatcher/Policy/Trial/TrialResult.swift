// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// What came out of a trial, when every account was read and the sessions of mediation were given out.
struct TrialResult: Sendable {
    /// Accounts of the cut.
    let accounts: Int64
    /// Per policy.
    private(set) var sessions: [PolicyTrial.Sessions]
    /// Per policy: accounts that may be offered each relief.
    let relief: [[Int64]]
    /// By delegation, ascending; those without accounts are left out.
    private(set) var delegations: [(delegation: Delegation, cells: [TrialCell: VerdictTotals])] = []
    /// Those that were asked for, by delegation and number.
    private(set) var asked: [(delegation: Delegation, accounts: [TrialAccount])] = []
    /// How many were asked for.
    private(set) var askedCount: Int64 = 0

    init(_ tally: StretchTally, _ parties: [PolicyTrial.Party], question: TrialQuestion?) {
        self.accounts = tally.accounts.reduce(0, +)
        self.sessions = parties.map { _ in PolicyTrial.Sessions() }
        self.relief = parties.enumerated().map { index, party in
            party.policy.relief.indices.map { tally.offers[index][$0] }
        }
        var left = question?.countMax ?? Int.max
        for delegation in Delegation.all where tally.accounts[Int(delegation.value)] > 0 {
            settle(delegation, tally, parties, question: question, left: &left)
        }
    }

    /// Gives one delegation's sessions out, and counts its accounts where they end up.
    private mutating func settle(
        _ delegation: Delegation, _ tally: StretchTally, _ parties: [PolicyTrial.Party], question: TrialQuestion?,
        left: inout Int
    ) {
        let index = Int(delegation.value)
        var cells: [TrialCell: VerdictTotals] = [:]
        for (slot, key) in tally.keys.enumerated() {
            let totals = tally.totals(slot, index)
            guard totals.accounts > 0 else { continue }
            let sides = parties.enumerated().map { $1.codes.placed[key.code($0)] }
            cells[TrialCell(sides: sides, isUndealable: key.isUndealable), default: VerdictTotals()] += totals
        }
        var mine = tally.asked[index]
        let candidates = tally.candidates[index]
        let invited = parties.indices.map { party in
            chosen(candidates, party, parties[party], delegation, accounts: tally.accounts[index])
        }
        for candidate in candidates {
            let sides = parties.enumerated().map { number, party in
                let code = candidate.key.code(number)
                return invited[number].contains(candidate.account)
                    ? party.codes.invited[code] : party.codes.placed[code]
            }
            let cell = TrialCell(sides: sides, isUndealable: candidate.key.isUndealable)
            cells[cell, default: VerdictTotals()].add(overdue: candidate.overdue, balance: candidate.balance)
            guard let question, question.holds(sides) else { continue }
            mine.append(
                TrialAccount(
                    account: candidate.account, overdue: candidate.overdue, balance: candidate.balance,
                    old: sides[0].code, new: sides[1].code))
        }
        delegations.append((delegation, cells))
        guard let question else { return }
        for (cell, totals) in cells where question.holds(cell.sides) { askedCount += totals.accounts }
        mine.sort { $0.account < $1.account }
        let taken = Array(mine.prefix(left))
        left -= taken.count
        if !taken.isEmpty { asked.append((delegation, taken)) }
    }

    /// The accounts that one policy invites.
    private mutating func chosen(
        _ candidates: [StretchTally.Candidate], _ number: Int, _ party: PolicyTrial.Party, _ delegation: Delegation,
        accounts: Int64
    ) -> Set<Int64> {
        guard let invitation = party.policy.invitation else { return [] }
        var round = InvitationRound()
        for candidate in candidates {
            guard let (placed, invited) = party.codes.candidates[candidate.key.code(number)] else { continue }
            round.add(account: candidate.account, arrears: candidate.arrears, placed: placed, invited: invited)
        }
        let capacity = invitation.sessions.capacity(delegation: delegation.value, accounts: accounts)
        let chosen = round.invited(capacity: capacity)
        sessions[number] += PolicyTrial.Sessions(
            capacity: capacity, candidates: Int64(round.count), invited: Int64(chosen.count))
        return Set(chosen)
    }
}
