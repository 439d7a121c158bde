// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import FoundationEssentials
import PgStore
import Testing
import TestSupport

/// Scorecards from the facts of a month to the shares of the next plan.
struct ScorecardReportTests {
    private let period = ClosingFixture.period

    /// Samples of one account, so that the small fixture is rated.
    private static let weights = """
        INSERT INTO scorecard_weight VALUES
            (202403, 'IND-02', 3, 1, 1), (202403, 'compliance', 2, 0, 1), (202403, 'conduct', 1, 0, 1), (202403, 'mediation', 1, 0, 1);
        INSERT INTO fact (period, fact_id, kind, contract_id, delegation_id, on_date, subject, value, import_id)
        VALUES (202403, 'C1', 'complaint', 3, 9, '2024-03-20', 'tone', '4', 1),
            (202403, 'M1', 'mediation', 1, 9, '2024-03-20', 'sessions', '99', 1),
            (202403, 'M2', 'mediation', 1, 9, '2024-03-20', 'invitations', '97', 1),
            (202403, 'M3', 'mediation', 1, 9, '2024-03-20', 'facilities', '95.5', 1);
        """

    @Test func `the close keeps what the open month showed, and plans take it`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 11)
            try link.script(Self.weights)
            let open = try ScorecardReport(link, period: period)
            #expect(!open.isFinal && !open.rows.isEmpty)
            #expect(open.rows.allSatisfy { $0.weights == "2024-03" })
            _ = try MonthClosing(link, period: period).close()
            let final = try ScorecardReport(link, period: period)

            #expect(final.isFinal)
            #expect(final.rows == open.rows)
            #expect(try MonthClosing(link, period: period).close().result == .identical)
            let scores = try PlanSettingsStore(link).scores(before: period.advanced(byMonths: 1))
            #expect(scores.latestClosed == period)
            for row in final.rows {
                let delegation = try #require(Delegation(row.delegation))
                let contract = try #require(ContractID(row.contract))
                #expect(scores.points[period]?[delegation]?[contract] == row.points)
            }
            try link.script("INSERT INTO score VALUES (202403, 9, 1, 77, 1)")
            let loaded = try PlanSettingsStore(link).scores(before: period.advanced(byMonths: 1))
            #expect(loaded.points[period]?.values.map { Array($0.values) } == [[77]])
        }
    }

    @Test func `a contract is told in pesos, one that there is not from one that was dealt nothing`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 11)
            let report = try ScorecardReport(link, period: period)
            let row = try #require(report.rows.first { $0.contract == 1 })
            let value = try #require(row.measures.first { $0.measure == "IND-05" })
            let contacted = try #require(row.measures.first { $0.measure == "IND-02" })
            let lines = report.lines(delegation: row.delegation, contract: 1)

            #expect(
                lines.contains {
                    $0.hasPrefix(
                        "  IND-05: \(grouped(Cents(value.numerator))) ÷ \(grouped(Cents(value.denominator))) = ")
                })
            #expect(lines.contains { $0.hasPrefix("  IND-02: \(contacted.numerator) ÷ \(contacted.denominator) = ") })
            try ScorecardReport.requireKnown(contract: 1, delegation: 9, link)
            let unknown = #expect(throws: CommandFailure.self) {
                try ScorecardReport.requireKnown(contract: 99, delegation: nil, link)
            }
            #expect(unknown?.found == "there is no contract 99")
            #expect(throws: CommandFailure.self) {
                try ScorecardReport.requireKnown(contract: nil, delegation: 33, link)
            }
            #expect(report.lines(contract: 99) == ["nothing was dealt to contract 99 in 2024-03"])
        }
    }

    /// The parts against a count that shares nothing with theirs.
    @Test func `compliance and contact are those of statements and indicators`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 12)
            try link.script(Self.weights)
            let month = try MonthClosing(link, period: period).close().month
            let report = try ScorecardReport(link, period: period)
            for row in report.rows {
                let statement = try #require(month.statements.first { $0.contract == row.contract })
                let section = try #require(
                    try StatementDocument(statement.body).sections.first { $0.delegation == Int(row.delegation) })
                let fees = try #require(Cents(pesos: section.totals.fees))
                let penalties = try #require(Cents(pesos: section.totals.penalties))
                let compliance = try #require(row.measures.first { $0.measure == "compliance" })
                let left = max(0, 1_000_000 * (fees.value - penalties.value))
                #expect(abs(compliance.numerator - left / fees.value) <= 1)
                let contacted = try #require(row.measures.first { $0.measure == "IND-02" })
                #expect(contacted.denominator == section.indicators?.assigned)
            }
            let mediated = try #require(report.rows.first { $0.contract == 1 && $0.delegation == 9 })
            let mediation = try #require(mediated.measures.first { $0.measure == "mediation" })
            #expect(mediation.numerator == 29_150 && mediation.denominator == 30_000 && mediation.relative == 1_000_000)
            let worst = try #require(report.conduct.first { $0.agency.value == 2 })
            #expect(worst.counts[.complaints]?.bad == 4)
            #expect(worst.process.criteria[0].sharePoints == Ratio(1))
            #expect(report.conductLines.contains { $0.contains("complaints") })
        }
    }

    @Test func `the file of weights that ships says what the program takes without one`() async throws {
        let text = try String(contentsOfFile: Checkout.root + "/policies/scorecard-weights.csv", encoding: .utf8)
        let entries = text.split(separator: "\n").dropFirst().compactMap { line -> ScorecardWeights.Entry? in
            let fields = line.split(separator: ",").map(String.init)
            guard fields.count == 3, let measure = ScorecardMeasure(rawValue: fields[0]), let weight = Int64(fields[1]),
                let sample = Int64(fields[2])
            else { return nil }
            return ScorecardWeights.Entry(measure, weight: weight, sample: sample)
        }

        #expect(ScorecardWeights(entries) == .standard)
    }
}
