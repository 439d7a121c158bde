// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import FoundationEssentials
import PgStore
import Testing
import TestSupport

/// Fees by band, budgets, limits and preventive penalties against a second computation.
struct ClosingContingencyTests {
    @Test func `fees by band, budgets, limits and preventive penalties of fifty months agree with plain SQL`()
        async throws
    {
        try await TestDatabase.with { database in
            let link = try database.link()
            var seen: Set<String> = []
            var goals: Set<String> = []
            for seed in 201...250 {
                try ClosingFixture.make(link, seed: seed)
                try link.script(ClosingContingencyOracle.terms)
                let statements = try MonthClosing(link, period: ClosingFixture.period).preview().statements
                let contracts = try statements.map { statement in
                    let document = try StatementDocument(statement.body)
                    let lines = document.sections.flatMap(\.lines)
                    func sum(_ isWanted: (StatementDocument.Line) -> Bool) -> String {
                        let wanted = lines.filter(isWanted)
                        for line in wanted where line.amount != "0.00" { seen.insert("\(line.kind) \(line.rule)") }
                        return wanted.reduce(Cents.zero) { $0 + (Cents(pesos: $1.amount) ?? .zero) }.description
                    }
                    let totals = document.totals
                    let preventive = ["PEN-20", "PEN-21", "PEN-22"]
                    return [
                        "\(statement.contract)", sum { MoraBand(rawValue: $0.rule) != nil },
                        sum { $0.rule == "AGY-15" },
                        sum { $0.kind == "penalty" && !preventive.contains($0.rule) }, sum { $0.kind == "penalty-cap" },
                        sum { $0.rule == "PEN-20" }, sum { $0.rule == "PEN-21" }, sum { $0.rule == "PEN-22" },
                        totals.fees,
                        totals.penalties, totals.taxOnFees, totals.taxOnPenalties,
                    ].joined(separator: " ")
                }

                #expect(try contracts == ClosingContingencyOracle.contracts(link), "seed \(seed)")
                let bands = try statements.flatMap { statement in
                    try StatementDocument(statement.body).sections.flatMap { section in
                        (section.bands ?? []).map { band in
                            goals.insert("\(band.band) \(band.minimum)")
                            return "\(statement.contract) \(section.delegation ?? 0) \(band.band) \(band.assigned) "
                                + "\(band.recovered) \(band.percent)"
                        }
                    }
                }
                #expect(try bands == ClosingContingencyOracle.bands(link), "seed \(seed)")
                try link.script(ClosingContingencyOracle.emptied + ClosingFixture.emptied)
            }
            #expect(goals == ["FEE-01 75", "FEE-02 65", "FEE-03 55", "FEE-04 40", "FEE-05 20"])
            let rules = [
                "fee FEE-01", "fee FEE-02", "fee FEE-03", "fee FEE-04", "fee FEE-05", "fee-cut AGY-15",
                "penalty-cap AMB-15",
            ]
            #expect(
                seen.isSuperset(of: rules + ["penalty PEN-20", "penalty PEN-21", "penalty PEN-22"]), "\(seen.sorted())")
        }
    }

    @Test func `a statement with a budget that ran out and a limit of penalties keeps the schema`() async throws {
        let schema = try JSONSchema(
            String(contentsOfFile: Checkout.root + "/docs/statement.schema.json", encoding: .utf8))
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 201)
            try link.script(
                ClosingContingencyOracle.terms + "UPDATE schedule SET value = '100.00' WHERE rule = 'AGY-15';"
                    + "UPDATE schedule SET value = '1' WHERE rule = 'AMB-15';")
            let bodies = try MonthClosing(link, period: ClosingFixture.period).preview().statements.map(\.body)
            for body in bodies { #expect(try schema.faults(AnyJSON.read(body)) == []) }
            let last = try #require(try StatementDocument(bodies[1]).sections.last)

            // The whole invoice's section takes back more than it adds: so does its IVA.
            #expect(last.lines.filter { $0.kind.hasPrefix("tax") }.allSatisfy { $0.amount.hasPrefix("-") })
            #expect(try StatementDocument(bodies[1]).totals.fees == "100.00")
        }
    }
}
