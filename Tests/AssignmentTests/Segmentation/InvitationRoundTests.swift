// SPDX-License-Identifier: Apache-2.0

import Assignment
import Testing

struct InvitationRoundTests {
    private let dual = Placement(strategy: .dual, tactic: 0, portfolio: .homeVisit, priority: 2)
    private let mediation = Placement(strategy: .mediation, tactic: 0, portfolio: .telephone, priority: 2)

    @Test(arguments: [(0, []), (1, [3]), (2, [3, 1]), (3, [3, 1, 2]), (9, [3, 1, 2])] as [(Int64, [Int64])])
    func `the first by priority, arrears and number are invited, the rest stays`(capacity: Int64, invited: [Int64]) {
        var urgent = mediation
        urgent.priority = 1
        var urgentDual = dual
        urgentDual.priority = 1
        var round = InvitationRound()
        round.add(account: 2, arrears: 12, placed: dual, invited: mediation)
        round.add(account: 1, arrears: 15, placed: dual, invited: mediation)
        round.add(account: 3, arrears: 10, placed: urgentDual, invited: urgent)
        let settled = round.settled(capacity: capacity)

        #expect(settled.map(\.account) == [1, 2, 3])
        #expect(Set(settled.filter { $0.placement.strategy == .mediation }.map(\.account)) == Set(invited))
    }

    @Test(arguments: [(949, 0), (950, 1), (1_899, 1), (1_900, 2)] as [(Int64, Int64)])
    func `a ratio gives one session per so many accounts, rounded down`(accounts: Int64, sessions: Int64) {
        let capacity = Invitation.Sessions(accountsPerSession: 950, fixed: [:])

        #expect(capacity.capacity(delegation: 14, accounts: accounts) == sessions)
    }

    @Test func `a fixed number goes before the ratio`() {
        let capacity = Invitation.Sessions(accountsPerSession: 950, fixed: [14: 7])

        #expect(capacity.capacity(delegation: 14, accounts: 100_000) == 7)
        #expect(capacity.capacity(delegation: 9, accounts: 100_000) == 105)
    }
}
