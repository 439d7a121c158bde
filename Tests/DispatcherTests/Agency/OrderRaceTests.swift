// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
import FoundationEssentials
import PgStore
import TestSupport
import Testing

/// Orders that come while something deals: a plan's apply, a round within the month, an import of starts. Whoever is first, an agency
/// that was ordered to get nothing has nothing waiting once both have ended.
struct OrderRaceTests {
    /// What contract 1's agency is ordered, and what may not wait for it then.
    enum Order: CaseIterable, Sendable {
        case hold, terminate, suspendStrategy, suspendBand

        var barred: String {
            switch self {
            case .hold, .terminate: "true"
            case .suspendStrategy: "h.strategy = 2"
            case .suspendBand: "h.strategy = 2 AND p.tactic = 'rest'"
            }
        }

        func run(_ database: TestDatabase, agency: String = "ACE01") throws -> String {
            let link = try database.link("order")
            let order =
                switch self {
                case .hold: try order(.hold, agency)
                case .terminate: try order(.terminate, agency)
                case .suspendStrategy: try order(.suspend, agency, "administrative")
                case .suspendBand: try order(.suspend, agency, "administrative", "rest")
                }
            return try order.run(on: link, isPreview: false, asJSON: false)
        }

        private func order(
            _ action: AgencyOrder.Action, _ agency: String, _ strategy: String? = nil, _ band: String? = nil
        ) throws -> AgencyOrder {
            try AgencyOrder(
                action, agency: agency, strategy: strategy, band: band, motive: "audit", recallOn: nil, by: "ana")
        }
    }

    @Test(.timeLimit(.minutes(2)), arguments: Order.allCases)
    func `what is ordered while a plan is dealt holds when its hands are opened, and the others get it`(
        order: Order
    ) async throws {
        try await StartedMonth.with(applied: false) { month in
            let database = month.database
            let blocker = try month.block("position")
            async let applied = beside {
                try PlanRun(try database.link("apply"), period: PlannedMonth.march).apply(by: "Ana Ruiz")
            }
            #expect(try await month.waits(1))
            let text = try order.run(database)
            try blocker.script("COMMIT")
            let dealt = try #require(try await applied.dealt)

            #expect(text.contains("is just being dealt"))
            #expect(dealt.withheld.map(\.agency) == ["ACE01"])
            #expect((dealt.withheld.first?.accounts ?? 0) > 0 && dealt.withheld.first?.accounts == dealt.passedOn)
            #expect(dealt.waiting == nil)
            try month.expectNothingWaits(order)
        }
    }

    @Test(.timeLimit(.minutes(2)), arguments: Order.allCases)
    func `an order waits for the pool that is dealt again, and no pool behind it gives the agency anything`(
        order: Order
    ) async throws {
        try await StartedMonth.with { month in
            let database = month.database
            let blocker = try month.block("position")
            async let dealt = beside {
                try RedealRun(
                    try database.link("redeal"), scope: RedealScope(.everything), reason: "rebalance", by: "eva"
                ).run()
            }
            #expect(try await month.waits(1))
            async let ordered = beside { try order.run(database) }
            #expect(try await month.waits(2), "the order waits, because a pool is just being dealt")
            try blocker.script("COMMIT")
            _ = try await (dealt, ordered)
            // What was withdrawn behind the last pool that needed anybody else.
            _ = try month.redeal(.leftOver)

            try month.expectNothingWaits(order)
        }
    }

    @Test(.timeLimit(.minutes(2)), arguments: [Order.hold, .terminate])
    func `an order waits for starts that are dealt, and withdraws their front hands`(order: Order) async throws {
        try await StartedMonth.with { month in
            try month.makeRoom(1)
            let database = month.database
            let path = "\(month.folder)/starts.csv"
            try Data("\(StartedMonth.header)\n900014,9,job-loss,2024-03-11\n".utf8).write(to: URL(filePath: path))
            let blocker = try month.block("position")
            async let started = beside {
                try ImportRun(.starts, path: path, period: PlannedMonth.march).run(on: try database.link("starts"))
            }
            #expect(try await month.waits(1))
            // Contract 4 alone takes preventive accounts.
            async let ordered = beside { try order.run(database, agency: "ACE04") }
            #expect(try await month.waits(2), "the order waits, because starts are just being dealt")
            try blocker.script("COMMIT")
            _ = try await (started, ordered)

            #expect(try month.fate(900_014) == "dealt")
            #expect(try month.count("hand WHERE is_front AND contract_ids = '{4}' AND state = 'closed'") == 1)
            #expect(try month.count("hand WHERE contract_ids = '{4}' AND state = 'open'") == 0)
            #expect(try month.broken() == [])
        }
    }

    /// The turns sweep over the whole of the dealing, from before it to after it.
    @Test(.timeLimit(.minutes(3)), arguments: 0..<20)
    func `whenever an order comes while a month is dealt, nothing waits for the agency in the end`(
        turn: Int
    ) async throws {
        let dealsAgain = turn % 2 == 1
        let order = Order.allCases[turn / 2 % 4]
        try await StartedMonth.with(applied: dealsAgain) { month in
            let database = month.database
            async let dealt = beside {
                let link = try database.link("dealing")
                if dealsAgain {
                    _ = try RedealRun(link, scope: RedealScope(.everything), reason: "rebalance", by: "eva").run()
                } else {
                    _ = try PlanRun(link, period: PlannedMonth.march).apply()
                }
            }
            // No event tells where the dealing is: each turn the order comes at another moment of it.
            try await Task.sleep(for: .milliseconds(turn * 30))
            _ = try order.run(database)
            try await dealt
            _ = try month.redeal(.leftOver)

            try month.expectNothingWaits(order)
        }
    }

    @Test
    func `an agency that is released while a plan is dealt gets nothing of it, and one that is held and released all`()
        async throws
    {
        try await StartedMonth.with(applied: false) { month in
            let database = month.database
            func give(_ action: AgencyOrder.Action, _ agency: String) throws {
                _ = try AgencyOrder(
                    action, agency: agency, strategy: nil, band: nil, motive: "audit", recallOn: nil, by: "ana"
                ).run(on: try database.link(), isPreview: false, asJSON: false)
            }
            try give(.hold, "ACE01")
            let blocker = try month.block("position")
            async let applied = beside {
                try PlanRun(try database.link("apply"), period: PlannedMonth.march).apply()
            }
            #expect(try await month.waits(1))
            try give(.release, "ACE01")
            try give(.hold, "ACE02")
            try give(.release, "ACE02")
            try blocker.script("COMMIT")
            let report = try await applied

            #expect(report.dealt?.withheld.isEmpty == true && report.dealt?.passedOn == nil)
            #expect(try month.count(month.waiting + " AND h.contract_ids = '{1}'") == 0)
            #expect(try month.count(month.waiting + " AND h.contract_ids = '{2}'") > 0)
            #expect(try month.count("hand WHERE state = 'closed'") == 0)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `settings that are put while a plan is made wait for it, and are refused`() async throws {
        try await StartedMonth.with(applied: false) { month in
            let database = month.database
            let blocker = try month.block("plan_proof")
            async let applied = beside {
                try PlanRun(try database.link("apply"), period: PlannedMonth.march).apply()
            }
            #expect(try await month.waits(1), "the settings are read, and the plan is not noted yet")
            async let put = beside { () -> CommandFailure? in
                let file = try PlanSettingsFile(text: "settings: other")
                do {
                    _ = try PlanSettingsBook(try database.link("put")).put(file, from: PlannedMonth.march, by: "eva")
                    return nil
                } catch let failure as CommandFailure {
                    return failure
                }
            }
            #expect(try await month.waits(2))
            try blocker.script("COMMIT")

            #expect(try await applied.settings == "standard")
            #expect(try await put?.found.hasPrefix("plan 1 of 2024-03 is ") == true)
            #expect(try PlanSettingsBook(month.link).inForce(PlannedMonth.march) == .standard)
        }
    }
}

extension StartedMonth {
    /// Nothing waits that the order keeps from the agency, nothing is lost, every limit is right and recorded, and the plan's record
    /// holds.
    fileprivate func expectNothingWaits(_ order: OrderRaceTests.Order) throws {
        #expect(try count(waiting + " AND h.contract_ids = '{1}' AND (\(order.barred))") == 0)
        #expect(try count(waiting) == count("placement WHERE strategy IS NOT NULL"))
        let strategies = order == .suspendStrategy ? "AND strategy = 2" : ""
        if order != .suspendBand {
            #expect(
                try number(
                    "SELECT coalesce(sum(limit_accounts), 0)::bigint FROM quota WHERE contract_id = 1 \(strategies)")
                    == 0)
        }
        #expect(try count("hand WHERE state = 'inactive'") == 0)
        #expect(try PlanCheckRun(link, period: PlannedMonth.march).run().faults == [])
        #expect(try broken() == [])
        #expect(try unrecordedLimits() == [])
    }
}
