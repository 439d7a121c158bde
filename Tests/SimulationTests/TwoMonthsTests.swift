// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
import PgStore
@testable import Simulation
import TestSupport
import Testing

struct TwoMonthsTests {
    /// The second month is dealt while the first is open, and the first is closed while the second is worked: leases, promises and late
    /// reports go over the turn.
    @Test(.timeLimit(.minutes(5)))
    func `two months in a row hold every invariant, and each is known by itself`() async throws {
        try await TestDatabase.with { database in
            let folder = try TemporaryFolder()
            let march = try #require(Period(text: "2024-03"))
            let april = march.advanced(byMonths: 1)
            var specification = try PortfolioSpecification(
                accounts: 3_000, seed: 7, period: march, agencies: 29, contracts: 88, zones: ZoneMap())
            specification.cutsAfter = 1
            var settings = WholeMonth.Settings(
                folder: "\(folder.path)/months", specification: specification,
                program: ChildProcess.sibling("dispatcherd"), schedules: "policies/schedules.csv")
            settings.database = database.conninfo
            settings.months = 2
            let verdict = try #require(try await WholeMonth(settings).run { _ in })

            #expect(verdict.isClean, "\(verdict.text)")
            let link = try database.link()
            #expect(try link.run("SELECT count(DISTINCT period) FROM statement")[0].int64(0) == 2)
            let clients = "\(settings.folder)/clients"
            // What a played month comes to is what was published, by its report.
            let figures = try MonthFigures(
                log: clients, cut: "\(settings.folder)/portfolio/cut.csv",
                reviews: "\(settings.folder)/reviews-\(march).csv", period: march)
            #expect(figures.measured.filter { $0.verdict == .outside }.map(\.figure.name) == [], "\(figures.measured)")
            #expect(figures.measured.filter { $0.verdict == .inside }.count >= 10)
            for period in [march, april] {
                let logs = try MonthRecord(log: clients, period: period)
                let rows = try MonthRecord(database: database.conninfo, period: period)
                #expect(rows.holdings.count > 300)
                // Every lease is in both. A log does not say what was recalled, which late report was accepted, and what came
                // without agencies.
                let missing = rows.holdings.reduce(0) { sum, entry in
                    sum
                        + entry.value.count { holding in
                            let told = logs.holdings[entry.key]?.first { $0.held == holding.held }
                            return told.map {
                                $0.agency != holding.agency || $0.reports > holding.reports || $0.paid > holding.paid
                            } ?? true
                        }
                }
                #expect(missing == 0)
                #expect(rows.starts?.isEmpty == false && rows.stops?.isEmpty == false)
            }
            let turned = try link.run(
                """
                SELECT count(*) FROM lease_grant g JOIN hand h USING (delegation_id, hand_id)
                 WHERE h.period = 202403 AND g.term >= '2024-04-01T06:00Z'
                """)
            #expect(turned[0].int64(0) > 0)
            try replay(april, database, settings)
        }
    }

    /// The second month under its own policy: what was held over its begin stays.
    private func replay(_ month: Period, _ database: TestDatabase, _ settings: WholeMonth.Settings) throws {
        let policy = try PolicyFile(text: try Folder.text("policies/infonavit-2023.yaml")).policy(for: month)
        let files = try MonthFileNames(of: month, in: "\(settings.folder)/portfolio")
        func again(_ month: Period, on cut: String) throws -> ReplayRun {
            try ReplayRun(
                .database(database.conninfo), cut: cut, contracts: "\(settings.folder)/portfolio/contracts.csv",
                facts: files.openingFacts, period: month,
                policy: ModelPolicy(name: "the same", policy: policy, settings: .standard), seed: UInt64(month.number))
        }
        let replay = try again(month, on: files.cut)
        let accounts = replay.sums.filter { ![.unrecorded, .stopped, .laterHolder].contains($0.key) }.map(
            \.value.accounts)

        #expect(replay.heldOver > 0)
        #expect(accounts.reduce(0, +) == replay.recorded.accounts)
        #expect((replay.sums[.stands]?.accounts ?? 0) >= replay.heldOver / 2)
        // Neither on the accounts of another month, nor where there is nothing to replay.
        for (other, cut) in [(month, "cut.csv"), (month.advanced(byMonths: 5), "cut.csv")] {
            let failure = #expect(throws: SimulationFailure.self) {
                try again(other, on: "\(settings.folder)/portfolio/\(cut)")
            }
            #expect(failure?.exit == .usage)
        }
    }

    @Test func `the months after have files that fit: nobody stops and starts, and new accounts are new in each`()
        throws
    {
        let folder = try TemporaryFolder()
        var specification = try PortfolioSpecification(
            accounts: 8_000, seed: 7, period: try #require(Period(text: "2024-03")), agencies: 29, contracts: 88,
            zones: ZoneMap())
        specification.cutsAfter = 2
        _ = try PortfolioFolder(specification).write(to: folder.path) { _ in }
        func accounts(_ name: String, of reason: String? = nil) throws -> Set<String> {
            let table = try Table(path: "\(folder.path)/\(name).csv", required: ["account"])
            let rows = reason == nil ? table.rows : table.rows.filter { table.text($0, "reason") == reason }
            return Set(rows.map { table.text($0, "account") })
        }
        var new: Set<String> = []
        for month in ["", "-2024-04", "-2024-05"] {
            let (stops, starts) = (try accounts("stops\(month)"), try accounts("starts\(month)"))
            let begun = try accounts("starts\(month)", of: "new-account")
            let cut = try accounts("cut\(month)")

            let paid = try Table(
                path: "\(folder.path)/payments\(month).csv", required: ["account", "origin", "paid_on"])
            let payers = Set(paid.rows.map { paid.text($0, "account") })
            let endings = try Table(
                path: "\(folder.path)/stops\(month).csv", required: ["account", "reason", "from_on"])
            for row in endings.rows where endings.text(row, "reason") == "payoff" {
                #expect(
                    paid.rows.contains {
                        paid.text($0, "account") == endings.text(row, "account")
                            && paid.text($0, "paid_on") == endings.text(row, "from_on")
                    })
            }
            #expect(payers.count == paid.rows.count && payers.isDisjoint(with: starts) && cut.isSuperset(of: payers))
            #expect(stops.count > 3 && starts.count > 20 && !begun.isEmpty)
            #expect(stops.isDisjoint(with: starts) && cut.isSuperset(of: stops))
            #expect(cut.isDisjoint(with: begun) && cut.isSuperset(of: starts.subtracting(begun)))
            #expect(new.isDisjoint(with: begun))
            new.formUnion(begun)
        }
        #expect(try accounts("stops") != accounts("stops-2024-04"))
        let facts = try Table(path: "\(folder.path)/facts-2024-04.csv", required: ["fact", "on_date"])
        #expect(facts.rows.allSatisfy { facts.text($0, "on_date").hasPrefix("2024-04") })
    }
}
