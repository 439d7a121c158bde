// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
import FoundationEssentials
import PgStore
import Testing

struct PolicyOffersTests {
    @Test(arguments: 1...2 as ClosedRange<Int32>)
    func `what is listed is what each placed or excluded account may be offered`(seed: Int32) async throws {
        try await PlannedMonth.with { month in
            try month.addRandomCut(seed: seed, count: 60)
            try month.segment()
            var asked = PolicyOffers.Asked()
            asked.limit = 10_000
            let report = try PolicyOffers(month.link, period: PlannedMonth.march, asked: asked)
            let recorded = try month.link.run("SELECT account_id FROM placement ORDER BY delegation_id, account_id")
            var expected: [String] = []
            for account in recorded.map({ $0.int64(0) }) {
                for relief in try month.explain(account).relief where relief.held {
                    expected.append("\(account) \(relief.rule) \(relief.origins)")
                }
            }

            #expect(expected.count > 50)
            #expect(report.offers.map { "\($0.account) \($0.solution) \($0.origins)" } == expected)
            #expect(report.count == Int64(expected.count))
            #expect(report.solutions.reduce(0) { $0 + $1.accounts } == report.count)
            #expect(
                report.solutions.reduce(0) { $0 + $1.excluded }
                    == Int64(report.offers.count { $0.rule.hasPrefix("exclusion.") }))
            #expect(Int64(Set(report.offers.map(\.account)).count) == report.accounts)
        }
    }

    @Test func `it is asked by solution, by delegation and by contract`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut(count: 200)
            try month.segment()
            let before = try month.offers { $0.contract = 1 }
            _ = try month.plan().apply()
            let all = try month.offers { _ in }
            let fresh = try month.offers { $0.solution = "private-fresh-start" }
            let here = try month.offers { $0.delegation = 14 }
            let first = try month.offers { $0.contract = 1 }
            let both = try month.offers {
                $0.solution = "private-fresh-start"
                $0.contract = 2
            }
            let dealt = try month.number(
                """
                SELECT count(*) FROM deal d JOIN hand h USING (delegation_id, hand_id)
                  JOIN placement p USING (delegation_id, account_id) WHERE h.contract_ids = '{1}' AND p.offers <> 0
                """)

            #expect(before.accounts == 0)
            #expect(fresh.offers == all.offers.filter { $0.solution == "private-fresh-start" })
            #expect(fresh.count > 0 && fresh.count < all.count)
            #expect(fresh.solutions.map(\.solution) == ["private-fresh-start"])
            #expect(here.offers == all.offers.filter { $0.delegation == 14 })
            #expect(here.count > 0 && here.count < all.count)
            #expect(first.offers == all.offers.filter { $0.contract == 1 })
            #expect(dealt > 0 && first.accounts == dealt)
            #expect(both.offers == fresh.offers.filter { $0.contract == 2 })
        }
    }

    @Test func `what was given back is nobody's`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut(count: 200)
            try month.segment()
            _ = try month.plan().apply()
            let before = try month.offers { $0.contract = 1 }
            let account = try #require(before.offers.first?.account)
            try month.link.script(
                """
                INSERT INTO ending (delegation_id, account_id, epoch, kind, reason, ended_at, hand_id, position, was_held)
                SELECT delegation_id, account_id, epoch, 'return', 'unlocatable', now_instant(), hand_id, position, true
                  FROM deal WHERE account_id = \(account)
                """)
            let after = try month.offers { $0.contract = 1 }

            #expect(after.accounts == before.accounts - 1)
            #expect(try month.offers { _ in }.offers.contains { $0.account == account && $0.contract == nil })
        }
    }

    @Test func `the file has all of them, the screen the first`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut(count: 100)
            try month.segment()
            let path = FileManager.default.temporaryDirectory.path + "/offers-\(UInt64.random(in: 0 ... .max)).csv"
            defer { try? FileManager.default.removeItem(atPath: path) }
            var asked = PolicyOffers.Asked()
            asked.limit = 2
            let report = try PolicyOffers(month.link, period: PlannedMonth.march, asked: asked, csv: path)
            let lines = try String(contentsOf: URL(filePath: path), encoding: .utf8).split(separator: "\n")
            let row = try #require(report.offers.first)

            #expect(report.offers.count == 2)
            #expect(Int64(lines.count) == report.count + 1)
            #expect(lines[0] == "delegation,account,solution,clause,rule,contract")
            #expect(
                lines[1]
                    == "\(row.delegation),\(row.account),\(row.solution),\(row.origins.joined(separator: " ")),\(row.rule),"
            )
            #expect(try month.offers { $0.limit = 2 }.lines.contains { $0.contains("the first 2 are shown") })
        }
    }

    @Test func `a solution that the policy does not have is a plain error`() async throws {
        try await PlannedMonth.with { month in
            let unplaced = #expect(throws: CommandFailure.self) { try month.offers { _ in } }
            try month.addCut(count: 20)
            try month.segment()
            let misspelt = #expect(throws: CommandFailure.self) { try month.offers { $0.solution = "fresh-strat" } }
            let nowhere = #expect(throws: CommandFailure.self) { try month.offers { $0.delegation = 33 } }

            #expect(unplaced?.found == "2024-03 has no placements")
            #expect(misspelt?.found == "policy infonavit-2023 2023-12 has no solution 'fresh-strat'")
            #expect(misspelt?.remedy.hasPrefix("Did you mean fresh-start? ") == true)
            #expect(nowhere?.found == "33 is no delegation")
            #expect([unplaced, misspelt, nowhere].allSatisfy { $0?.exit == .usage })
        }
    }

    @Test func `an account's history has what it may be offered, month by month`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut(count: 100)
            try month.segment()
            let row = try #require(try month.offers { $0.solution = "private-fresh-start" }.offers.first)
            let audit = try AccountAudit(month.link, account: row.account)
            let place = try #require(audit.placements.first)

            #expect(place.offers.map(\.solution) == (try month.explain(row.account).relief.filter(\.held).map(\.rule)))
            #expect(
                place.offers.contains { $0.solution == "private-fresh-start" && $0.origins == ["SOL-09", "SOL-18"] })
            #expect(audit.lines[1].contains("private-fresh-start (SOL-09, SOL-18)"))
        }
    }
}

extension PlannedMonth {
    fileprivate func offers(_ ask: (inout PolicyOffers.Asked) -> Void) throws -> PolicyOffers {
        var asked = PolicyOffers.Asked()
        asked.limit = 100_000
        ask(&asked)
        return try PolicyOffers(link, period: Self.march, asked: asked)
    }
}
