// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
@testable import PgStore
@testable import Simulation
import TestSupport
import Testing

/// Half of a small month with one agency of each kind, played once over the real daemon, for all checks.
struct CheatTests {
    private static let month = Task { () async throws -> [String: ConductRow] in
        try await TestDatabase.with { database in
            let folder = try TemporaryFolder()
            guard let period = Period(text: "2024-03") else { return [:] }
            // Three zones, so that few contracts have many accounts each.
            var map = "zone,delegation\n"
            for delegation in 1...32 { map += "\(delegation % 3 + 1),\(delegation)\n" }
            let zones = try FileOutput(path: "\(folder.path)/zones.csv")
            try zones.write(map.utf8)
            let specification = try PortfolioSpecification(
                accounts: 9_000, seed: 7, period: period, agencies: 14, contracts: 22,
                zones: ZoneMap(path: "\(folder.path)/zones.csv"))
            var settings = WholeMonth.Settings(
                folder: "\(folder.path)/month", specification: specification,
                program: ChildProcess.sibling("dispatcherd"), schedules: "policies/schedules.csv")
            settings.database = database.conninfo
            settings.profiles = try ProfileFile(path: "profiles/agencies.yaml")
            settings.lastDay = period.firstDay.advanced(byDays: 14)
            _ = try await WholeMonth(settings).run { _ in }
            let link = try database.link()
            var payments = ImportRun(.payments, path: "\(folder.path)/month/clients/payments.csv", period: period)
            payments.acceptsGood = true
            _ = try payments.run(on: link)
            let conduct = try AgencyConduct(link, period: period)
            return Dictionary(uniqueKeysWithValues: conduct.rows.map { ($0.agency.description, $0) })
        }
    }

    private func conduct() async throws -> AgencyConduct {
        let rows = try await Self.month.value.values.sorted { $0.agency < $1.agency }
        return AgencyConduct(period: try #require(Period(text: "2024-03")), rows: rows)
    }

    @Test(
        .timeLimit(.minutes(5)),
        arguments: [
            ("ACE08", AgencyConduct.Figure.paying), ("ACE09", .late), ("ACE10", .returned), ("ACE11", .pulled),
            ("ACE12", .most), ("ACE13", .stale), ("ACE14", .clones),
        ])
    func `each cheat stands out in its figure`(agency: String, figure: AgencyConduct.Figure) async throws {
        let conduct = try await conduct()
        let row = try #require(conduct.rows.first { $0.agency.description == agency })

        #expect(conduct.standsOut(figure, row), "\(conduct.lines.joined(separator: "\n"))")
    }

    @Test(.timeLimit(.minutes(5))) func `a hundred on one is a hundred on a Monday, of which the half month has two`()
        async throws
    {
        let row = try #require(try await conduct().rows.first { $0.agency.description == "ACE12" })

        #expect((100..<300).contains(row.mostOnOne), "\(row.mostOnOne)")
    }

    @Test(.timeLimit(.minutes(5))) func `an honest agency stands out in none of them`() async throws {
        let conduct = try await conduct()
        let good = try #require(conduct.rows.first { $0.agency.description == "ACE03" })

        #expect(
            [AgencyConduct.Figure.paying, .late, .returned, .pulled, .most, .stale, .clones]
                .filter { conduct.standsOut($0, good) } == [], "\(conduct.lines.joined(separator: "\n"))")
    }

    @Test func `a figure stands out at twice the median, and at half of it`() throws {
        func row(_ agency: Int32, dealt: Int64 = 1_000, pulled: Int64, late: Int64) throws -> ConductRow {
            ConductRow(
                agency: try #require(AgencyID(agency)), dealt: dealt, pulled: pulled, outcomes: 1_000, worked: 100,
                mostOnOne: 1, late: late, reached: 0, reachedAndPaid: 0, returned: 0, evidence: 0, clones: 1)
        }
        let rows = [
            try row(1, pulled: 800, late: 100), try row(2, pulled: 800, late: 100), try row(3, pulled: 401, late: 199),
            try row(4, pulled: 400, late: 200), try row(5, pulled: 1_000, late: 0),
        ]
        let conduct = AgencyConduct(period: try #require(Period(text: "2024-03")), rows: rows)

        #expect(rows.map { conduct.standsOut(.pulled, $0) } == [false, false, false, true, false])
        #expect(rows.map { conduct.standsOut(.late, $0) } == [false, false, false, true, false])
        #expect(rows.allSatisfy { !conduct.standsOut(.paying, $0) })
        #expect(!conduct.standsOut(.pulled, try row(6, dealt: 9, pulled: 0, late: 0)))
        #expect(conduct.standsOut(.pulled, try row(6, dealt: 10, pulled: 0, late: 0)))
    }
}
