// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
@testable import Dispatcher
import PgStore
import TestSupport
import Testing

/// Pulls that name no contract and no portfolio, of an agency that has several limits.
struct PassedLimitTests {
    /// The contract has a hand of home visits behind that of the telephone, with a limit of its own of three accounts, and a third
    /// one of the same limit.
    private static let homeVisits = """
        INSERT INTO quota (delegation_id, contract_id, strategy, portfolio, limit_accounts, limit_exposure, plan_id)
        VALUES (9, 1, 2, 2, 3, NULL, 1);
        INSERT INTO contract_capacity VALUES (1, 9, 2, 10, 100);
        INSERT INTO hand (delegation_id, hand_id, contract_ids, strategy, portfolio, period, plan_id, is_front, state,
               size, term_days, ceiling_days, grace_us, late_report_us, digest)
        SELECT 9, i, '{1}', 2, 2, 202403, 1, false, 'open', 5, 30, 60, 86400000000, 172800000000, ''
          FROM generate_series(3, 4) i;
        INSERT INTO position SELECT 9, h, i, h * 1000 + i, 1, 10000, 0, 0, 1, 'containment', 2, 431022, 912087, 9010, 'ref' || i
          FROM generate_series(3, 4) h, generate_series(1, 5) i;
        INSERT INTO deal SELECT delegation_id, account_id, epoch, hand_id, position FROM position WHERE hand_id > 2;
        """

    @Test func `a pull costs a group for each limit that it finds used up, and none more`() async throws {
        try await DealtMonth.with(.init(agencies: 1)) { month in
            let link = try month.database.link()
            try link.script(Self.homeVisits)
            let routes = RouteTable(try link.readRouting())
            var full: Set<QuotaKey> = []
            var seen: [(Portfolio, Bool)] = []
            for _ in 1...3 {
                let choice = routes.choose(
                    DealtMonth.lease(1), for: try #require(AgencyID(1)),
                    on: try #require(LocalDate(text: "2024-03-04")), full: full)
                guard case .hand(let route, _, let goesOn) = choice else {
                    Issue.record("\(choice)")
                    return
                }
                seen.append((route.portfolio, goesOn))
                full.insert(route.quota)
            }
            #expect(seen.map(\.0) == [.telephone, .homeVisit, .telephone])
            #expect(seen.map(\.1) == [true, false, false])
        }
    }

    @Test(
        .timeLimit(.minutes(1)),
        arguments: [
            (DealtMonth.Shape(agencies: 1, limitAccounts: 5), "", "quota"),
            (
                DealtMonth.Shape(agencies: 1, limitAccounts: 5),
                "UPDATE contract_capacity SET committed_advisers = 1, accounts_per_adviser = 5 WHERE portfolio = 1",
                "capacity"
            ),
            (DealtMonth.Shape(agencies: 1, limitExposure: 50_000), "", "bond"),
        ] as [(DealtMonth.Shape, String, String)])
    func `a pull passes a limit that is used up, and says whose it is where all of them are`(
        shape: DealtMonth.Shape, change: String, stop: String
    ) async throws {
        try await DealtMonth.with(shape) { month in
            try month.database.link().script(Self.homeVisits + change)
            let node = try await DealtMonth.startNode(month.database)
            let agent = try await month.connect(1, to: node)
            #expect(try await agent.lease(DealtMonth.lease(1, max: 5)).fields["portfolio"] == "telephone")
            let other = try await agent.lease(DealtMonth.lease(2, max: 2))
            #expect(other.leasedAccounts.count == 2 && other.fields["portfolio"] == "home-visit", "\(other.text)")
            let rest = try await agent.lease(DealtMonth.lease(3, max: 2))
            #expect(rest.leasedAccounts.count == 1 && rest.fields["stop"] == "quota", "\(rest.text)")
            let none = try await agent.lease(DealtMonth.lease(4, max: 2))
            #expect(none.leasedAccounts.isEmpty && none.fields["stop"] == stop && none.fields["after"] == "60")
            #expect(none.fields["contract"] == "1" && none.fields["portfolio"] == "telephone", "\(none.text)")
            // Who names one is told of that one.
            var named = DealtMonth.lease(5, max: 2)
            named.portfolio = .homeVisit
            let visits = try await agent.lease(named)
            #expect(visits.fields["stop"] == "quota" && visits.fields["portfolio"] == "home-visit")
            // What came back of the first one is had again, and the key of a lease of nothing is free.
            try month.database.link().script(
                "UPDATE quota SET limit_accounts = limit_accounts + 1, limit_exposure = NULL")
            let again = try await agent.lease(DealtMonth.lease(4, max: 1))
            #expect(again.leasedAccounts.count == 1 && again.fields["portfolio"] == "telephone", "\(again.text)")
            await node.stop()
        }
    }
}
