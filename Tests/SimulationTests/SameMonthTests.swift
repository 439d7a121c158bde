// SPDX-License-Identifier: Apache-2.0

import Assignment
import PgStore
import Simulation
import TestSupport
import Testing

/// What docs/agentsim.md promises of a seed: two months of one come to the same money, to the centavo.
struct SameMonthTests {
    @Test func `a month of which nothing is dealt says so, and how one is played`() async throws {
        try await TestDatabase.with { database in
            let folder = try TemporaryFolder()
            let specification = try PortfolioSpecification(
                accounts: 2, seed: 7, period: try #require(Period(text: "2024-03")), agencies: 29, contracts: 88,
                zones: ZoneMap())
            var settings = WholeMonth.Settings(
                folder: "\(folder.path)/month", specification: specification,
                program: ChildProcess.sibling("dispatcherd"), schedules: "policies/schedules.csv")
            settings.database = database.conninfo
            let failure = await #expect(throws: SimulationFailure.self) {
                try await WholeMonth(settings).run { _ in }
            }

            #expect(failure?.exit == .usage)
            #expect(failure?.found == "the policy places none of the 2 accounts, so there is no month to play")
            #expect(failure?.remedy.hasPrefix("Play more with --accounts") == true)
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func `two months of one seed come to the same money, and another seed to other money`() async throws {
        func played(_ seed: UInt64) async throws -> [String] {
            try await TestDatabase.with { database in
                let folder = try TemporaryFolder()
                let specification = try PortfolioSpecification(
                    accounts: 700, seed: seed, period: try #require(Period(text: "2024-03")), agencies: 8,
                    contracts: 70,
                    zones: ZoneMap())
                var settings = WholeMonth.Settings(
                    folder: "\(folder.path)/month", specification: specification,
                    program: ChildProcess.sibling("dispatcherd"), schedules: "policies/schedules.csv")
                settings.database = database.conninfo
                let verdict = try await WholeMonth(settings).run { _ in }
                #expect(verdict?.isClean == true && verdict?.isEmpty == false)
                let said = try #require(try? Folder.text("\(folder.path)/month/steps.log"))
                #expect(said.contains("$ dispatcherd review check ") && said.contains("$ dispatcherd close "))
                // Without the numbers of outcomes, which are those of the order of commits.
                return try database.link().run(
                    """
                    SELECT contract_id || ' ' || (body::jsonb -> 'totals')::text || ' '
                           || (SELECT string_agg((line - 'records')::text, ' ' ORDER BY s, n)
                                 FROM jsonb_array_elements(body::jsonb -> 'sections') WITH ORDINALITY AS x (section, s),
                                      jsonb_array_elements(section -> 'lines') WITH ORDINALITY AS y (line, n))
                      FROM statement ORDER BY contract_id
                    """
                ).map { $0.optionalText(0) ?? "" }
            }
        }
        let (first, second) = (try await played(7), try await played(7))

        #expect(first.count == 70 && first.contains { $0.contains("FEE-") })
        #expect(first == second)
        #expect(try await played(8) != first)
    }
}
