// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
import PgStore
import Testing

/// Where the pack of a policy has no visits (GEO-02): segment, trials, the plan and starts, with contracts that do not have the pack.
struct VisitTerritoryPlacementTests {
    private static func with(_ body: (PlannedMonth, PolicyFile) throws -> Void) async throws {
        let fna = try PolicyFile(text: ShippedPolicy.text("fna-bands"))
        try await PlannedMonth.with { month in
            try month.addCut(count: 700)
            try body(month, fna)
        }
    }

    private func visited(_ month: PlannedMonth, in delegation: Int) throws -> Int64 {
        try month.number("SELECT count(*) FROM placement WHERE delegation_id = \(delegation) AND portfolio = 2")
    }

    private func ban(_ month: PlannedMonth, municipality: String?, delegation: Int16 = 9, pack: String = "fna") throws {
        _ = try VisitBanOrder(delegation: delegation, municipality: municipality, pack: pack).add(month.link)
    }

    @Test(arguments: ["09001", nil]) func `under a policy that brings the pack nobody there is visited`(town: String?)
        async throws
    {
        try await Self.with { month, fna in
            try month.segment(by: fna)
            let before = try (visited(month, in: 9), visited(month, in: 14))
            let placed = try month.number(
                "SELECT count(*) FROM placement WHERE delegation_id = 9 AND strategy IS NOT NULL")
            try ban(month, municipality: town)
            let report = try SegmentationRun(month.link, period: PlannedMonth.march, policy: fna).run()

            #expect(before.0 > 0)
            #expect(try visited(month, in: 9) == 0)
            #expect(try visited(month, in: 14) == before.1)
            #expect(
                try month.number("SELECT count(*) FROM placement WHERE delegation_id = 9 AND strategy IS NOT NULL")
                    == placed)
            #expect(report.noVisits == (town.map { "municipality \($0)" } ?? "delegation 9"))
            #expect(report.lines.contains { $0.contains("no visits there (GEO-02)") })
            let quotas = try month.plan().preview().pools.filter { $0.delegation == 9 && $0.portfolio == "home-visit" }
            #expect(quotas.reduce(0) { $0 + $1.accounts } == 0)
        }
    }

    @Test func `a policy that does not bring the pack, and another pack's ban, change nothing`() async throws {
        try await Self.with { month, fna in
            try ban(month, municipality: nil)
            try month.segment()
            let infonavit = try visited(month, in: 9)
            _ = try VisitBanOrder(delegation: 9, municipality: nil, pack: "fna").remove(month.link)
            try month.segment(by: fna)
            let before = try visited(month, in: 9)
            try ban(month, municipality: nil, pack: "fonacot")
            try month.segment(by: fna)

            #expect(infonavit > 0)
            #expect(try visited(month, in: 9) == before)
        }
    }

    @Test func `trials and explanations see it, and an order after the placements is a difference from the record`()
        async throws
    {
        try await Self.with { month, fna in
            try month.segment(by: fna)
            let account = try month.number(
                "SELECT min(account_id) FROM placement WHERE delegation_id = 9 AND portfolio = 2")
            let count = try visited(month, in: 9)
            try ban(month, municipality: "09001")
            let report = try month.whatIf(fna)
            let stations = report.stations.filter { $0.delegation == 9 && $0.portfolio == "home-visit" }
            let explained = try month.explain(account)

            #expect(stations.reduce(0) { $0 + $1.accounts } == 0)
            #expect(report.notes.contains { $0.contains("nobody is visited in municipality 09001 (GEO-02)") })
            #expect(report.onRecord?.accounts == count)
            #expect(
                report.onRecord?.moves.allSatisfy {
                    $0.from.hasSuffix(" by home-visit") && $0.to.hasSuffix(" by telephone")
                } == true)
            #expect(explained.lines.contains { $0.contains("no visits there (GEO-02)") })
        }
    }
}
