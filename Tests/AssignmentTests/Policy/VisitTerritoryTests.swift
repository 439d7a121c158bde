// SPDX-License-Identifier: Apache-2.0

import Assignment
import Testing

struct VisitTerritoryTests {
    private static func strategy(_ portfolio: Choice<Portfolio>) -> Policy {
        let rest = Tactic(name: "rest", title: Title(spanish: "", english: ""), origins: [], when: .always, priority: 1)
        return Policy(
            name: "p", version: "1", effectiveOn: LocalDate(daysSince1970: 0), title: Title(spanish: "", english: ""),
            packs: ["fna"], exclusions: [],
            strategies: [
                StrategyRule(
                    strategy: .administrative, title: Title(spanish: "", english: ""), origins: [], when: .always,
                    portfolio: portfolio, urgent: [], tactics: [], rest: rest,
                    holding: Holding(termDays: 1, ceilingDays: 1, graceHours: 0, lateReportHours: 0))
            ], invitation: nil)
    }

    private static func portfolio(_ policy: Policy, delegation: Int64, municipality: Int64) -> Portfolio? {
        var row = AccountRow(cut: LocalDate(daysSince1970: 19_782))
        row[.delegation] = delegation
        row[.municipality] = municipality
        row[.arrears] = 4
        guard case .placed(let placement) = Segmenter(policy, cut: row.cut).verdict(for: row) else { return nil }
        return placement.portfolio
    }

    private static let territory: VisitTerritory = {
        var territory = VisitTerritory()
        if let seven = Delegation(7) { territory.ban(seven) }
        if let town = Municipality(14_039) { territory.ban(town) }
        return territory
    }()

    @Test(
        arguments: [(7, 7_001, .telephone), (14, 14_039, .telephone), (14, 14_040, .homeVisit), (8, 8_001, .homeVisit)]
            as [(Int64, Int64, Portfolio)])
    func `what would be visited is called where there are no visits, and nowhere else`(
        delegation: Int64, municipality: Int64, portfolio: Portfolio
    ) {
        let visited = Self.strategy(Choice(otherwise: .homeVisit)).withoutVisits(in: Self.territory)
        let some = Self.strategy(
            Choice(
                [Choice.Option(.telephone, when: .range(.arrears, atLeast: nil, atMost: .value(3)))],
                otherwise: .homeVisit)
        ).withoutVisits(in: Self.territory)

        #expect(Self.portfolio(visited, delegation: delegation, municipality: municipality) == portfolio)
        #expect(Self.portfolio(some, delegation: delegation, municipality: municipality) == portfolio)
    }

    @Test func `what is called anyway, and a territory without places, change nothing of a policy`() {
        let called = Self.strategy(Choice(otherwise: .telephone))
        let visited = Self.strategy(Choice(otherwise: .homeVisit))

        #expect(called.withoutVisits(in: Self.territory) == called)
        #expect(visited.withoutVisits(in: VisitTerritory()) == visited)
        #expect(Self.territory.words == "delegation 7, municipality 14039")
    }
}
