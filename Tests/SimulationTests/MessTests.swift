// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
import PgStore
@testable import Simulation
import TestSupport
import Testing

struct MessTests {
    private func write(_ folder: String, accounts: Int = 1_500, times: Int = 2) throws {
        var specification = try PortfolioSpecification(
            accounts: accounts, seed: 7, period: try #require(Period(text: "2024-03")), agencies: 29, contracts: 88,
            zones: ZoneMap())
        specification.messTimes = times
        _ = try PortfolioFolder(specification).write(to: folder) { _ in }
    }

    @Test func `an import finds every damage that was planted and nothing else, and takes the rest`() async throws {
        let folder = try TemporaryFolder()
        try write(folder.path)
        let planted = try Table(path: "\(folder.path)/planted.csv", required: MessPlan.header)
        let places = planted.rows.map { "\(planted.text($0, "line")) \(planted.text($0, "column"))" }

        try await TestDatabase.with { database in
            var run = ImportRun(.cut, path: "\(folder.path)/cut.csv", period: try #require(Period(text: "2024-03")))
            let link = try database.link()
            #expect(try run.run(on: link).result == .refused)
            run.acceptsGood = true
            let report = try run.run(on: link)
            let found = try Table(path: "\(folder.path)/cut.csv.bad.csv", required: ["line", "column"])
            let lines = Set(found.rows.map { found.text($0, "line") })
            let columns = Set(found.rows.map { "\(found.text($0, "line")) \(found.text($0, "column"))" })

            #expect(Set(planted.rows.map { planted.text($0, "kind") }) == Set(Damage.allCases.map(\.rawValue)))
            // Of each duplicate both rows.
            #expect(places.count == 2 * (Damage.allCases.count + 2))
            #expect(Set(places).subtracting(columns) == [])
            #expect(lines.subtracting(planted.rows.map { planted.text($0, "line") }) == [])
            #expect(report.result == .imported)
            #expect(report.rowsBad == places.count)
        }
    }

    @Test func `the month's files are damaged as well, and an import finds what was planted and nothing else`()
        async throws
    {
        let (clean, messy) = (try TemporaryFolder(), try TemporaryFolder())
        let period = try #require(Period(text: "2024-03"))
        var specification = try PortfolioSpecification(
            accounts: 60_000, seed: 7, period: period, agencies: 29, contracts: 88, zones: ZoneMap())
        _ = try PortfolioFolder(specification).write(to: clean.path) { _ in }
        specification.messTimes = 1
        _ = try PortfolioFolder(specification).write(to: messy.path) { _ in }

        try await TestDatabase.with { database in
            let link = try database.link()
            _ = try ImportRun(.cut, path: "\(clean.path)/cut.csv", period: period).run(on: link)
            try link.script("UPDATE clock SET virtual_now = '2024-03-31T20:00:00Z'")
            // Starts come into a month that is dealt; without contracts nobody has room for them.
            let policy = try PolicyFile(text: try Folder.text("policies/infonavit-2023.yaml"))
            _ = try SegmentationRun(link, period: period, policy: policy).run()
            _ = try PlanRun(link, period: period, dealsNothing: true).apply()
            for (kind, name, damages) in [
                (ImportKind.stops, "stops", 13), (.payments, "payments", 18), (.starts, "starts", 13),
            ] {
                let planted = try Table(path: "\(messy.path)/planted-\(name).csv", required: MessPlan.header)
                let places = Set(planted.rows.map { "\(planted.text($0, "line")) \(planted.text($0, "column"))" })
                var run = ImportRun(kind, path: "\(messy.path)/\(name).csv", period: period)
                run.acceptsGood = true
                #expect(try run.run(on: link).result == .imported)
                let found = try Table(path: "\(messy.path)/\(name).csv.bad.csv", required: ["line", "column"])
                let columns = Set(found.rows.map { "\(found.text($0, "line")) \(found.text($0, "column"))" })

                #expect(Set(planted.rows.map { planted.text($0, "kind") }).count == damages, "\(name)")
                #expect(places.subtracting(columns) == [], "\(name)")
                #expect(
                    Set(found.rows.map { found.text($0, "line") })
                        .subtracting(planted.rows.map { planted.text($0, "line") }) == [], "\(name)")
            }
        }
        #expect(!Folder.exists("\(clean.path)/planted-stops.csv"))
    }

    @Test func `files that are damaged as a whole are refused, and oddities are taken`() async throws {
        let folder = try TemporaryFolder()
        try write(folder.path)
        let files = try Table(path: "\(folder.path)/mess/files.csv", required: ["file", "taken"])

        try await TestDatabase.with { database in
            let link = try database.link()
            for row in files.rows {
                let name = files.text(row, "file")
                var run = ImportRun(
                    .cut, path: "\(folder.path)/mess/\(name)", period: try #require(Period(text: "2024-03")))
                run.isDryRun = true
                let isTaken = (try? run.run(on: link))?.result == .checked
                #expect(isTaken == (files.text(row, "taken") == "yes"), "\(name)")
            }
        }
        #expect(files.rows.count == WholeFileMess.allCases.count)
    }

    @Test(arguments: [(119, 1), (10, 0), (1_000_000, 1_001)])
    func `too much damage for a cut is refused as usage`(accounts: Int, times: Int) {
        let failure = #expect(throws: SimulationFailure.self) {
            try MessPlan(times: times, accounts: accounts, seed: 1)
        }

        #expect(failure?.exit == .usage)
    }
}
