// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
import Foundation
import PgStore
import Simulation
import TestSupport
import Testing

/// What an order about an agency leaves to the others.
struct OrderedRedealTests {
    /// Contract 4 alone takes preventive accounts.
    @Test func `what finds nobody is told with its reason, by the order and by each try to deal it again`() async throws
    {
        try await StartedMonth.with { month in
            let waiting = try month.count(month.waiting + " AND h.strategy = 1")
            let text = try AgencyOrder(
                .terminate, agency: "ACE04", strategy: nil, band: nil, motive: "audit", recallOn: nil, by: "ana"
            ).run(on: month.link, isPreview: false, asJSON: false)

            #expect(waiting > 0)
            #expect(text.contains("wait on, and nobody can be given them") && text.contains("no-contract \(waiting)"))
            for manner in [RedealScope.Manner.leftOver, .everything] {
                let run = RedealRun(month.link, scope: RedealScope(manner), reason: "rebalance", by: "ana")
                let reports = [try run.preview(), try run.run()]
                #expect(reports.allSatisfy { $0.unassigned["no-contract"] == Int64(waiting) })
                #expect(
                    reports.allSatisfy { report in report.summary.contains { $0.contains("no-contract \(waiting)") } })
            }
        }
    }

    @Test func `what an agency on hold had not pulled is dealt to the others, and never to it`() async throws {
        try await StartedMonth.with { month in
            try month.month.lease(hand: try month.hand(of: 1), accounts: 5)
            let before = try month.count(month.waiting)
            let order = try AgencyOrder(
                .hold, agency: "ACE01", strategy: nil, band: nil, motive: "audit", recallOn: nil, by: "ana")
            let text = try order.run(on: month.link, isPreview: false, asJSON: false)

            #expect(text.contains(" by this order, 0 from before") && text.contains(" of them dealt to others"))
            #expect(try month.count(month.waiting) == before)
            #expect(try month.count("hand WHERE state = 'open' AND contract_ids = '{1}'") == 0)
            #expect(try month.count("hand WHERE state = 'open' AND is_front AND contract_ids = '{2}'") > 0)
            #expect(try month.number("SELECT sum(limit_accounts)::bigint FROM quota WHERE contract_id = 1") == 5)
            // The hands of the others were not touched.
            #expect(try month.count("hand WHERE contract_ids = '{2}' AND state = 'closed'") == 0)
            #expect(try month.broken() == [])
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func `a preview of an order deals to the others what the order then deals, and locks no hand`() async throws {
        try await StartedMonth.with { month in
            try month.month.lease(hand: try month.hand(of: 1), accounts: 5)
            // Waited for nobody before: it comes with what the order withdraws.
            try month.month.lease(hand: try month.hand(of: 2), accounts: 4)
            try month.giveBack(
                try month.number(
                    "SELECT p.account_id FROM lease_grant g JOIN position p USING (delegation_id, hand_id) WHERE g.contract_id = 2 LIMIT 1"
                ), reason: "capacity")
            func text(isPreview: Bool, _ band: String? = nil) throws -> String {
                try AgencyOrder(
                    band == nil ? .hold : .suspend, agency: "ACE01", strategy: band.map { _ in "administrative" },
                    band: band,
                    motive: "audit", recallOn: nil, by: "ana"
                ).run(on: month.link, isPreview: isPreview, asJSON: true)
            }
            let other = try month.database.link()
            try other.script("BEGIN; SELECT FROM hand FOR NO KEY UPDATE; SELECT FROM quota FOR NO KEY UPDATE")
            let before = try month.count("agency_order")
            let preview = try text(isPreview: true)
            try other.script("COMMIT")
            #expect(try month.count("agency_order") == before)
            #expect(try month.count("agency WHERE status <> 'active'") == 0)
            let done = try text(isPreview: false)

            let figures = try [preview, done].map { try JSONDecoder().decode(Orders.self, from: Data($0.utf8)) }
            #expect(figures[0].withdrawn == figures[1].withdrawn && figures[0].withdrawn > 0)
            #expect(figures[0].dealtAgain == figures[1].dealtAgain)
            #expect((figures[1].dealtAgain ?? 0) > 0)
            #expect(figures[0].places == figures[1].places && Set(figures[0].places.map(\.delegation)) == [9, 14])

            // A band is a tactic of the policy: a slip of the pen would suspend nothing, and nobody would notice.
            let refused = #expect(throws: CommandFailure.self) { try text(isPreview: true, "band-31-60") }
            #expect(
                refused?.exit == .usage && refused?.found.contains("no band 'band-31-60' in administrative") == true)
            #expect(refused?.remedy.contains("rest") == true)
        }
    }

    private struct Orders: Decodable {
        struct Place: Decodable, Equatable {
            let delegation: Int16
            let strategy: String
            let withdrawn, held, recalled, dealtToOthers: Int64
        }
        let withdrawn: Int64
        let dealtAgain: Int64?
        let places: [Place]
    }

    @Test func `a suspended band is dealt to others by the month's plan too`() async throws {
        try await StartedMonth.with(applied: false) { month in
            let tactic = try month.text(
                "SELECT tactic FROM placement WHERE delegation_id = 9 AND strategy = 2 ORDER BY account_id LIMIT 1")
            _ = try AgencyOrder(
                .suspend, agency: "ACE01", strategy: "administrative", band: tactic, motive: "goal-missed",
                recallOn: nil, by: "ana"
            ).run(on: month.link, isPreview: false, asJSON: false)
            let report = try month.month.plan().apply()

            // The plan counts for nobody what it may not be dealt.
            #expect(report.dealt?.accounts == report.assigned)
            #expect(report.pools.contains { $0.part == "band \(tactic)" && $0.quotas.allSatisfy { $0.contract != 1 } })
            let dealt =
                "position p JOIN hand h USING (delegation_id, hand_id) WHERE h.strategy = 2 AND p.tactic = '\(tactic)'"
            #expect(try month.count(dealt + " AND h.contract_ids = '{1}'") == 0)
            #expect(try month.count(dealt + " AND h.contract_ids = '{2}'") > 0)
            #expect(try month.count("hand WHERE contract_ids = '{1}' AND strategy = 2 AND size > 0") > 0)
        }
    }

    @Test func `a suspended band is dealt to others`() async throws {
        try await StartedMonth.with { month in
            let tactic = try month.text(
                "SELECT p.tactic FROM position p WHERE p.hand_id = \(try month.hand(of: 1)) ORDER BY position LIMIT 1")
            _ = try AgencyOrder(
                .suspend, agency: "ACE01", strategy: "administrative", band: tactic, motive: "goal-missed",
                recallOn: nil, by: "ana"
            ).run(on: month.link, isPreview: false, asJSON: false)
            _ = try month.redeal(.everything)

            #expect(
                try month.count(
                    month.waiting + " AND h.contract_ids = '{1}' AND h.strategy = 2 AND p.tactic = '\(tactic)'") == 0)
            #expect(try month.count(month.waiting + " AND h.contract_ids = '{2}' AND p.tactic = '\(tactic)'") > 0)
            #expect(try month.broken() == [])
        }
    }
}
