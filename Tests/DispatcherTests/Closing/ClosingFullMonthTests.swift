// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import PgStore
import TestSupport
import Testing

/// Whole statements of months that have everything, figure by figure against a second computation.
struct ClosingFullMonthTests {
    private static func sum(_ section: StatementDocument.Section, _ rule: String, _ seen: inout Set<String>) -> String {
        let amounts = section.lines.filter { $0.rule == rule }.compactMap { Cents(pesos: $0.amount) }
        if !amounts.isEmpty { seen.insert(rule) }
        return amounts.reduce(Cents.zero, +).description
    }

    private static func byPortfolio(_ counts: [String: Int64]) -> String {
        "\(counts["telephone", default: 0])/\(counts["home-visit", default: 0])"
    }

    /// As ``ClosingSectionOracle/sections(_:)`` has it.
    private static func figures(
        _ contract: Int32, _ delegation: Int, _ section: StatementDocument.Section,
        _ counted: StatementDocument.Indicators, _ seen: inout Set<String>
    ) -> String {
        let counts = [
            counted.dealt.values.reduce(0, +), counted.assigned, counted.pulled, counted.worked, counted.contacted,
            counted.promises, counted.agreements, counted.outcomes, counted.validOutcomes, counted.pendingOutcomes,
        ]
        let money = [counted.recovered, counted.recoveredFromBorrowers, section.totals.fees]
        let penalties = [
            sum(section, "PEN-01", &seen), sum(section, "PEN-02", &seen), sum(section, "PEN-03", &seen),
            sum(section, "PEN-04", &seen), sum(section, "PEN-05", &seen) + "/" + sum(section, "PEN-07", &seen),
            sum(section, "PEN-08", &seen),
        ]
        let gone = [
            byPortfolio(counted.withdrawn), byPortfolio(counted.recalled), byPortfolio(counted.excluded),
            byPortfolio(counted.unlocatable ?? [:]),
        ]
        let returned = counted.returned.filter { $0.value != 0 }.sorted { $0.key < $1.key }
            .map { "\($0.key)=\($0.value)" }.joined(separator: ",")
        for (name, isThere) in [
            ("withdrawn", gone[0] != "0/0"), ("recalled", gone[1] != "0/0"), ("excluded", gone[2] != "0/0"),
            ("unlocatable", gone[3] != "0/0"), ("returned", !returned.isEmpty),
        ] where isThere { seen.insert(name) }
        let totals = [
            section.totals.penalties, section.totals.taxOnFees, section.totals.taxOnPenalties, section.totals.payable,
        ]
        let all =
            ["\(contract)", "\(delegation)"] + counts.map { "\($0)" } + money + penalties + gone
            + [returned.isEmpty ? "-" : returned] + totals
        return all.joined(separator: " ")
    }

    /// Of every fifth month what the close kept, of the others a preview: the same to the byte, but closed for good takes longer.
    @Test func `the statements of fifty full months agree with plain SQL, figure by figure`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            var seen: Set<String> = []
            for seed in 101...150 {
                try ClosingFixture.make(link, seed: seed)
                try link.script(ClosingSectionOracle.facts)
                let closing = MonthClosing(link, period: ClosingFixture.period)
                // The oracle looks at the month first: a close ends nothing of what it counts, and it shall not be asked to say so.
                let (oracle, invoice, whole) = (
                    try ClosingSectionOracle.sections(link), try ClosingSectionOracle.invoices(link),
                    try ClosingSectionOracle.statements(link)
                )
                let isClosed = seed % 5 == 0
                if isClosed { #expect(try closing.close().result == .closed) }
                let statements = try isClosed ? closing.kept() : closing.preview().statements
                var sections: [String] = []
                var invoices: [String] = []
                var totals: [String] = []
                for statement in statements {
                    let document = try StatementDocument(statement.body)
                    for section in document.sections {
                        guard let delegation = section.delegation, let counted = section.indicators else {
                            invoices.append("\(statement.contract) \(Self.sum(section, "PEN-06", &seen))")
                            continue
                        }
                        sections.append(Self.figures(statement.contract, delegation, section, counted, &seen))
                    }
                    let sums = document.totals
                    totals.append(
                        [
                            "\(statement.contract)", sums.fees, sums.penalties, sums.taxOnFees, sums.taxOnPenalties,
                            sums.payable,
                        ].joined(separator: " "))
                }

                #expect(sections == oracle, "seed \(seed)")
                #expect(invoices == invoice, "seed \(seed)")
                #expect(totals == whole, "seed \(seed)")
                try link.script(ClosingSectionOracle.emptied + ClosingFixture.emptied)
            }
            #expect(
                seen == [
                    "PEN-01", "PEN-02", "PEN-03", "PEN-04", "PEN-05", "PEN-06", "PEN-07", "PEN-08", "withdrawn",
                    "recalled", "excluded", "unlocatable", "returned",
                ], "each penalty was charged, and everything happened, in some month")
        }
    }
}
