// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
import PgStore
import TestSupport
import Testing

/// The next month is dealt while something still deals in the last one: whoever is first, no account is in the hands of both.
struct MonthTurnRaceTests {
    /// All of March waits for nobody, so that April's plan has no hand to close when it begins.
    @Test(.timeLimit(.minutes(2)))
    func `hands that a round opens while the next month's plan waits for it are closed by that plan`() async throws {
        try await StartedMonth.with { month in
            try month.openApril()
            for action in [AgencyOrder.Action.hold, .release] {
                for agency in ["ACE01", "ACE02", "ACE03", "ACE04"] {
                    _ = try AgencyOrder(
                        action, agency: agency, strategy: nil, band: nil, motive: "audit", recallOn: nil, by: "ana"
                    ).run(on: month.link, isPreview: false, asJSON: false)
                }
            }
            #expect(try month.count("hand WHERE state = 'open'") == 0)
            let database = month.database
            let blocker = try month.block("position")
            async let dealt = beside {
                try RedealRun(
                    try database.link("redeal"), scope: RedealScope(.leftOver), reason: "left-over", by: "eva"
                ).run()
            }
            #expect(try await month.waits(1))
            async let applied = beside {
                try PlanRun(try database.link("apply"), period: PlannedMonth.april).apply()
            }
            #expect(try await month.waits(2), "the plan waits, because a pool of March is just being dealt")
            try blocker.script("COMMIT")
            let (round, plan) = try await (dealt, applied)

            #expect(round.accounts > 0 && plan.state == .applied)
            try month.expectOneMonth()
        }
    }

    /// The turns sweep over both.
    @Test(.timeLimit(.minutes(3)), arguments: 0..<16)
    func `whenever the next month is dealt while this one is dealt again, no account is in the hands of both`(
        turn: Int
    ) async throws {
        try await StartedMonth.with { month in
            try month.openApril()
            let database = month.database
            let manner = turn % 2 == 0 ? RedealScope.Manner.everything : .leftOver
            if manner == .leftOver {
                // Something to deal: what all of them had.
                for action in [AgencyOrder.Action.hold, .release] {
                    for agency in ["ACE01", "ACE02", "ACE03", "ACE04"] {
                        _ = try AgencyOrder(
                            action, agency: agency, strategy: nil, band: nil, motive: "audit", recallOn: nil, by: "ana"
                        ).run(on: month.link, isPreview: false, asJSON: false)
                    }
                }
            }
            async let dealt = beside { () -> Bool in
                do {
                    _ = try RedealRun(
                        try database.link("redeal"), scope: RedealScope(manner), reason: "rebalance", by: "eva"
                    ).run()
                    return true
                } catch is CommandFailure {
                    // April was first.
                    return false
                }
            }
            // No event tells where the round is: each turn April comes at another moment of it.
            try await Task.sleep(for: .milliseconds(turn * 20))
            let plan = try await beside {
                try PlanRun(try database.link("apply"), period: PlannedMonth.april).apply()
            }
            _ = try await dealt

            #expect(plan.state == .applied)
            try month.expectOneMonth()
        }
    }

    /// Two hands with one account are nothing that the product makes; whoever copies rows does.
    @Test func `an account in two open hands is found by the ledger's check and the plan's`() async throws {
        try await StartedMonth.with(accounts: 60) { month in
            let check = PlanCheckRun(month.link, period: PlannedMonth.march)
            #expect(try check.run().faults == [])
            #expect(try LedgerVerification(month.link).run().findings == [])
            // A closed hand has what was dealt of it elsewhere since.
            _ = try month.redeal(.everything)
            #expect(try LedgerVerification(month.link).run().findings == [])
            let former = "state = 'closed' AND delegation_id = 9 AND contract_ids = '{1}'"
            let doubled = try month.number("SELECT sum(size)::bigint FROM hand WHERE \(former)")
            try month.link.script(
                """
                UPDATE hand SET state = 'open', withdrawn_at = NULL, withdrawn_reason = NULL, withdrawn_from = NULL
                 WHERE \(former)
                """)
            let text = "\(doubled) accounts wait in two open hands"

            #expect(doubled > 0)
            #expect(try check.run().faults.filter { $0.hasPrefix(text) }.count == 1)
            #expect(
                try LedgerVerification(month.link).run().findings.map(\.found).filter { $0.hasPrefix(text) }.count == 1)
        }
    }
}

extension StartedMonth {
    /// A cut of April, placed, on its first day.
    fileprivate func openApril() throws {
        try link.script("UPDATE clock SET virtual_now = '2024-04-01T15:00:00Z'")
        try month.openPeriod(PlannedMonth.april)
        try month.addCut(PlannedMonth.april, count: 420)
        try month.segment(PlannedMonth.april)
    }

    fileprivate func expectOneMonth() throws {
        #expect(try count("hand WHERE state = 'open' AND period < 202404") == 0)
        #expect(try count("hand WHERE state = 'open' AND period = 202404") > 0)
        #expect(try link.countDoubled(in: nil) == 0)
        #expect(try count(waiting) == count("placement WHERE period = 202404 AND strategy IS NOT NULL"))
        #expect(try broken() == [])
    }
}
