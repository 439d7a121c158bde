// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
@testable import Dispatcher
import PgStore
import Testing
import TestSupport

/// Projections from the facts of a month to the agency's STATUS.
struct MonthProjectionTests {
    private let period = ClosingFixture.period

    /// With all penalties of administrative contracts, with fees by band and penalties of preventive ones, and with neither.
    @Test(arguments: ["", ClosingSectionOracle.facts, ClosingContingencyOracle.terms])
    func `on the last day what is projected is what the close would charge`(more: String) async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            var charges: Set<String> = []
            for seed in [41, 42, 43] {
                try ClosingFixture.make(link, seed: seed)
                try link.script(more)
                // A limit takes from the penalties together, and is told of by itself.
                try link.script("DELETE FROM schedule WHERE rule = 'AMB-15'")
                try link.script("UPDATE clock SET virtual_now = '2024-03-31T18:00:00Z'")
                let projection = try MonthProjection(link, period: period)
                #expect(projection.progress == ProjectedMonth.Progress(elapsed: 31, days: 31))
                let month = try MonthClosing(link, period: period).preview()
                for statement in month.statements {
                    for section in try StatementDocument(statement.body).sections {
                        let charged = section.lines.filter { $0.kind == "penalty" }
                            .map { "\($0.rule) \($0.subject) \($0.amount)" }.sorted()
                        // A missed preventive plan is told by the first delegation that missed it, and charged on the whole invoice.
                        let projected = projection.rows.filter {
                            let place = $0.line.rule == "PEN-22" ? nil : $0.line.delegation.map { Int($0.value) }
                            return $0.contract.value == statement.contract && $0.line.charge > .zero
                                && place == section.delegation
                        }.map { row in
                            // Of a plan the projection names what is short.
                            let subject = ["PEN-02", "PEN-22"].contains(row.line.rule) ? "" : row.line.subject
                            return "\(row.line.rule) \(subject) \(row.line.charge)"
                        }.sorted()
                        #expect(projected == charged, "seed \(seed), contract \(statement.contract)")
                        charges.formUnion(section.lines.filter { $0.kind == "penalty" }.map(\.rule))
                    }
                }
                if more == ClosingSectionOracle.facts { try link.script(ClosingSectionOracle.emptied) }
                if more == ClosingContingencyOracle.terms { try link.script(ClosingContingencyOracle.emptied) }
                try link.script(ClosingFixture.emptied)
            }
            let expected: Set =
                more == ClosingSectionOracle.facts
                ? ["PEN-01", "PEN-02", "PEN-03", "PEN-04", "PEN-06", "PEN-08"]
                : more.isEmpty ? ["PEN-01", "PEN-03"] : ["PEN-01", "PEN-03", "PEN-20", "PEN-21"]
            #expect(charges.isSuperset(of: expected), "\(charges.sorted())")
        }
    }

    @Test func `contracts and agencies that there are not are refused, not said to be fine`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 41)
            try MonthProjection.require(agency: AgencyID(1), contract: 1, link)
            for (agency, contract, found) in [
                (AgencyID(99), Int32?.none, "there is no agency ACE99"), (nil, 4711, "there is no contract 4711"),
            ] {
                let failure = #expect(throws: CommandFailure.self) {
                    try MonthProjection.require(agency: agency, contract: contract, link)
                }
                #expect(failure?.found == found)
            }
        }
    }

    @Test func `a month that is being closed is not said to be closed`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 41)
            try link.script("UPDATE clock SET virtual_now = '2024-03-20T18:00:00Z'")
            _ = try PeriodStore(link, period: period).markClosing()
            let failure = #expect(throws: CommandFailure.self) { try MonthProjection(link, period: period) }

            #expect(failure?.found == "2024-03 is being closed, so there is nothing to project")
            #expect(failure?.remedy.contains("`dispatcherd close --period 2024-03 --give-back`") == true)
        }
    }

    @Test func `what costs most is told first, and places without a staffing report are one line`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 41)
            try link.script("UPDATE clock SET virtual_now = '2024-03-20T18:00:00Z'")
            let projection = try MonthProjection(link, period: period)
            func row(
                _ contract: Int32, _ rule: String, _ level: ProjectedMonth.Level, charge: Int64 = 0, now: String = ""
            ) throws -> MonthProjection.Row {
                MonthProjection.Row(
                    contract: try #require(ContractID(contract)), agency: try #require(AgencyID(contract)),
                    line: ProjectedMonth.Line(
                        delegation: Delegation.all[8], rule: rule, subject: "", level: level, now: now, limit: "5",
                        end: "", charge: Cents(charge), need: "", mend: ""))
            }
            let counted = [
                try row(1, "SUS-01", .risk), try row(2, "PEN-01", .breach, charge: 100, now: "3"),
                try row(3, "PEN-02", .breach, charge: 900), try row(4, "PEN-01", .risk, now: "5"),
            ]
            func unreported(_ count: Int32) throws -> [MonthProjection.Row] {
                try (0..<count).map { try row(10 + $0, "PEN-01", .risk) }
            }
            func order(_ lines: [String]) -> [String] {
                lines.dropFirst().prefix { !$0.isEmpty && !$0.hasPrefix("risk:") }.compactMap {
                    $0.split(separator: " ").first.map(String.init)
                }
            }
            let two = projection.table(try unreported(2) + counted)
            #expect(order(two) == ["3", "2", "10", "11", "1", "4"])
            #expect(!two.contains { $0.hasPrefix("risk: staffing") })
            let three = projection.table(try unreported(3) + counted)
            #expect(order(three) == ["3", "2", "1", "4"])
            #expect(
                three.contains {
                    $0.hasPrefix("risk: staffing was not reported yet in 3 places of contracts 10, 11, 12 (PEN-01)")
                })
            let alone = projection.table(try unreported(3))
            #expect(alone.first?.hasPrefix("risk: staffing was not reported yet in 3 places") == true)
            #expect(projection.json(try unreported(3)).contains("PEN-01"))
        }
    }

    @Test func `a node projects when it is due, and an agency is told of its own`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 44)
            try link.script("UPDATE clock SET virtual_now = '2024-03-20T18:00:00Z'")
            #expect(try MonthProjection.keep(link, every: .seconds(3_600)) == [period])
            #expect(try MonthProjection.keep(link, every: .seconds(3_600)) == [])
            try link.script("UPDATE clock SET virtual_now = '2024-03-20T19:00:00Z'")
            #expect(try MonthProjection.keep(link, every: .seconds(3_600)) == [period])
            let first = try #require(AgencyID(1))
            let second = try #require(AgencyID(2))
            let own = try ProjectionStore(link).warnings(of: first, in: nil)
            let others = try ProjectionStore(link).warnings(of: second, in: nil)

            #expect(Set(own.map(\.contract.value)).isSubset(of: [1, 2]) && !own.isEmpty)
            #expect(Set(others.map(\.contract.value)) == [3])
            #expect(own.allSatisfy { $0.line.level != .fine })
            let projection = try MonthProjection(link, period: period)
            let shown = projection.shown(agency: first, contract: nil, all: false)
            #expect(own.map(\.line) == shown.map(\.line))
            let fields = try #require(own.first).fields
            #expect(fields.first?.key.text == "warning")
            let here = try #require(Delegation(9))
            #expect(
                try ProjectionStore(link).warnings(of: first, in: here).allSatisfy {
                    $0.line.delegation == here || $0.line.delegation == nil
                })
            // A month that is over is not projected, and agencies are told nothing of a closed one.
            try link.script(ClosingFixture.isOver)
            #expect(try MonthProjection.keep(link, every: .seconds(1)) == [])
            _ = try MonthClosing(link, period: period).close()
            #expect(try ProjectionStore(link).warnings(of: first, in: nil).isEmpty)
            #expect(throws: CommandFailure.self) { try MonthProjection(link, period: period) }
        }
    }
}
