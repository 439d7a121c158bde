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
    func `two months of one seed come to the same plan, hands and money, and another seed to others`() async throws {
        func played(_ seed: UInt64) async throws -> (plan: [String], money: [String]) {
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
                // Some debtors' contact data was asked for.
                #expect(verdict?.verdict.checked[.disclosures] ?? 0 > 0)
                let said = try #require(try? Folder.text("\(folder.path)/month/steps.log"))
                #expect(said.contains("$ dispatcherd review check ") && said.contains("$ dispatcherd close "))
                // Digests, and every hand of the plan in its order; the numbers of hands are those of whichever thread dealt first.
                let plan = try database.link().run(
                    """
                    SELECT 'plan ' || encode(digest, 'hex') || ' of ' || encode(segmentation_digest, 'hex') FROM plan
                     UNION ALL
                    SELECT h.delegation_id || ' ' || h.contract_ids::text || ' ' || h.strategy || ' ' || h.portfolio || ' '
                           || string_agg(p.account_id || ':' || p.epoch, ' ' ORDER BY p.position)
                      FROM hand h JOIN position p USING (delegation_id, hand_id) WHERE NOT h.is_front
                     GROUP BY h.delegation_id, h.hand_id, h.contract_ids, h.strategy, h.portfolio ORDER BY 1
                    """
                ).map { $0.text(0) }
                // Without the numbers of outcomes, which are those of the order of commits.
                let money = try database.link().run(
                    """
                    SELECT contract_id || ' ' || (body::jsonb -> 'totals')::text || ' '
                           || (SELECT string_agg((line - 'records')::text, ' ' ORDER BY s, n)
                                 FROM jsonb_array_elements(body::jsonb -> 'sections') WITH ORDINALITY AS x (section, s),
                                      jsonb_array_elements(section -> 'lines') WITH ORDINALITY AS y (line, n))
                      FROM statement ORDER BY contract_id
                    """
                ).map { $0.optionalText(0) ?? "" }
                return (plan, money)
            }
        }
        let (first, second, other) = (try await played(7), try await played(7), try await played(8))

        #expect(first.money.count == 70 && first.money.contains { $0.contains("FEE-") })
        // Named, so that a difference that comes once in a hundred months can be followed.
        let differing = zip(first.money, second.money).filter { $0 != $1 }.map { "\($0)\n\($1)" }
        #expect(first.money == second.money, "\(differing.joined(separator: "\n"))")
        #expect(other.money != first.money)
        #expect(first.plan.count > 50 && first.plan.count { $0.hasPrefix("plan ") } == 1)
        #expect(first.plan == second.plan && other.plan != first.plan)
    }
}
