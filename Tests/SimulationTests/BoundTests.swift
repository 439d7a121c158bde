// SPDX-License-Identifier: Apache-2.0

import Assignment
import Simulation
import Testing

/// Limits that span quotas and delegations: each quota keeps to its own.
struct BoundTests {
    /// The sound history with a second quota of the same contract and portfolio, of which one more account of one peso is leased.
    private func history(delegation: Int16 = 14) throws -> History {
        var history = try History.sound()
        history.delegation = try #require(Delegation(delegation))
        history.operations = []
        history.outcomes = []
        history.limits.append(History.Limit(quota: 4, since: .hour(0), accounts: 5, exposure: 500))
        history.quotaPlaces[4] = History.QuotaPlace(contract: 1_001, portfolio: 1)
        history.handPeriods[6] = 202_403
        history.positions.append(History.Position(hand: 6, position: 1, held: try .sample(201), exposure: 100))
        history.grants.append(.sample(first: 1, last: 1, at: .hour(12), total: 1, key: 9, hand: 6, quota: 4))
        return history
    }

    private func advisers(_ count: Int64, countsPresent: Bool = false) -> History.Advisers {
        History.Advisers(
            contract: 1_001, portfolio: 1, committed: count, accountsPerAdviser: 1, countsPresent: countsPresent)
    }

    @Test(arguments: [(4, false), (3, false), (2, true)] as [(Int64, Bool)])
    func `what the quotas of one place hold together is no more than its advisers carry`(
        advisers: Int64, isBroken: Bool
    ) throws {
        var history = try history()
        history.advisers = [self.advisers(advisers)]

        #expect(Judge.judge(history).broken == (isBroken ? [.capacity] : []))
    }

    @Test func `what was given back before makes room, and another portfolio is another place`() throws {
        var history = try history()
        history.advisers = [advisers(2)]
        history.grants[1].grantedAt = .hour(30)
        #expect(Judge.judge(history).broken == [])

        history.grants[1].grantedAt = .hour(29)
        #expect(Judge.judge(history).broken == [.capacity])
        history.quotaPlaces[4]?.portfolio = 2
        #expect(Judge.judge(history).broken == [])
    }

    @Test func `advisers and bonds of a later import do not judge what was granted before`() throws {
        var history = try history()
        history.advisers = [advisers(0)]
        history.bonds = [1_001: 0]
        history.contractsImportedAt = .hour(1)
        var country = CountryHistory()
        #expect(Judge.judge(history, adding: &country).broken == [])
        #expect(country.judge().broken == [])

        history.contractsImportedAt = .hour(0)
        #expect(Judge.judge(history, adding: &country).broken == [.capacity])
        #expect(country.judge().broken == [.bond])
    }

    @Test func `those who are there count by what was known when the limit was put`() throws {
        var history = try history()
        let day = try #require(LocalDate(year: 2024, month: 3, day: 1))
        var present = advisers(9, countsPresent: true)
        #expect(judged(present, &history) == [])

        present.found = [History.Advisers.Found(count: 2, on: day, importedAt: .hour(0))]
        #expect(judged(present, &history) == [.capacity])
        present.found[0].importedAt = .hour(1)
        #expect(judged(present, &history) == [])
        present.found[0].importedAt = .hour(0)
        present.found[0].supersededAt = .hour(0)
        #expect(judged(present, &history) == [])
        present.found[0].supersededAt = .hour(1)
        #expect(judged(present, &history) == [.capacity])
    }

    private func judged(_ advisers: History.Advisers, _ history: inout History) -> [Invariant] {
        history.advisers = [advisers]
        return Judge.judge(history).broken
    }

    @Test(arguments: [(600, false), (599, true)] as [(Int64, Bool)])
    func `a bond covers what all delegations hold together`(bond: Int64, isBroken: Bool) throws {
        var country = CountryHistory()
        for delegation: Int16 in [14, 15] {
            var history = try history(delegation: delegation)
            history.bonds = [1_001: bond]
            #expect(Judge.judge(history, adding: &country).broken == [])
        }
        let verdict = country.judge()

        #expect(verdict.broken == (isBroken ? [.bond] : []))
        #expect(verdict.checked[.bond] == 4)
        // The bond, as many delegations as it takes, and the grant that was too much.
        #expect(verdict.findings.allSatisfy { $0.events.count == 4 })
    }

    @Test func `what ended in another delegation makes room in the bond`() throws {
        var country = CountryHistory()
        for (delegation, isFirst) in [(14, true), (15, false)] as [(Int16, Bool)] {
            var history = try history(delegation: delegation)
            history.bonds = [1_001: 400]
            if isFirst {
                history.endings.append(
                    History.Ending(held: try .sample(101), kind: "recall", reason: "lawsuit", endedAt: .hour(35)))
                history.notices = [try .sample(101): .sample("lawsuit", final: 35)]
            } else {
                for index in history.grants.indices { history.grants[index].grantedAt = .hour(40 + index) }
                history.endings = []
            }
            _ = Judge.judge(history, adding: &country)
        }

        // 100 left in the first, 300 in the second.
        #expect(country.judge().broken == [])
    }
}
