// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import FoundationEssentials
import PgStore
import Testing

struct PolicyDiffTests {
    private static let later = [("arrears: {above: 3}", "arrears: {above: 4}"), ("one_per: 950", "one_per: 150")]

    @Test(arguments: 1...6 as ClosedRange<Int32>)
    func `it adds up to both segmentations, in accounts and in money`(seed: Int32) async throws {
        try await PlannedMonth.with { month in
            try month.addRandomCut(seed: seed)
            let other = try month.variant(Self.later)
            let report = try month.diff(.file(month.policy), .file(other))
            try month.segment()
            let before = try month.placed()
            try month.segment(by: other)
            let after = try month.placed()

            let old = report.margins.filter { $0.oldAccounts > 0 }
            let new = report.margins.filter { $0.newAccounts > 0 }
            #expect(
                Dictionary(
                    uniqueKeysWithValues: old.map {
                        ($0.rule, ["\($0.oldAccounts)", "\($0.oldOverdue)", "\($0.oldBalance)"])
                    }) == before)
            #expect(
                Dictionary(
                    uniqueKeysWithValues: new.map {
                        ($0.rule, ["\($0.newAccounts)", "\($0.newOverdue)", "\($0.newBalance)"])
                    }) == after)
            #expect(report.moved > 0)
            #expect(report.moved + report.stayed == report.accounts)
            #expect(report.old.sessions.invited < report.new.sessions.invited)
        }
    }

    @Test(arguments: 1...3 as ClosedRange<Int32>)
    func `rows and columns of the matrix add up to its margins`(seed: Int32) async throws {
        try await PlannedMonth.with { month in
            try month.addRandomCut(seed: seed)
            var asked = PolicyDiff.Asked()
            asked.byDelegation = true
            let report = try month.diff(.file(month.policy), .file(try month.variant(Self.later)), asked)

            #expect(
                report.margins.map { margin in
                    report.moves.filter { $0.from == margin.rule }.reduce(0) { $0 + $1.accounts }
                } == report.margins.map(\.oldAccounts))
            #expect(
                report.margins.map { margin in
                    report.moves.filter { $0.to == margin.rule }.reduce(0) { $0 + $1.accounts }
                } == report.margins.map(\.newAccounts))
            #expect(report.margins.allSatisfy { $0.oldAccounts - $0.left + $0.came == $0.newAccounts })
            #expect(report.delegations?.map(\.delegation) == [9, 14])
            #expect(report.delegations?.reduce(0) { $0 + $1.moved } == report.moved)
            #expect(report.delegations?.reduce(0) { $0 + $1.stayed } == report.stayed)
        }
    }

    @Test func `the same file twice moves nothing and says so`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            let report = try month.diff(.applied, .file(month.policy))

            #expect(report.isSamePolicy)
            #expect(report.old.isApplied)
            #expect(report.moved == 0)
            #expect(report.lines.contains("no account moves"))
            #expect(report.lines.contains("nothing changes: both are the same version of the same file"))
        }
    }

    @Test func `another portfolio or class under the same rule is told`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            let other = try month.variant([
                ("portfolio: telephone\n    term: 20 days", "portfolio: home-visit\n    term: 20 days"),
                ("priority: 3", "priority: 4"),
            ])
            let report = try month.diff(.file(month.policy), .file(other))

            #expect(report.moved == 0)
            #expect(report.reworked.contains { $0.change == "telephone to home-visit" && $0.accounts > 0 })
            #expect(report.reworked.contains { $0.rule == "preventive.containment" && $0.change == "class 3 to 4" })
            #expect(!report.isSamePolicy)
        }
    }

    @Test func `a cell shows some of its accounts and writes all of them`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            let path = FileManager.default.temporaryDirectory.appending(path: "diff-\(UUID()).csv").path
            defer { try? FileManager.default.removeItem(atPath: path) }
            var asked = PolicyDiff.Asked()
            asked.cell = MoveCell(from: "administrative", to: "any")
            asked.limit = 3
            asked.csv = path
            let report = try month.diff(.file(month.policy), .file(try month.variant(Self.later)), asked)

            let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
            let administrative = report.margins.filter { $0.rule.hasPrefix("administrative.") }
            #expect(lines.count - 1 == administrative.reduce(0) { $0 + Int($1.oldAccounts) })
            #expect(report.behind == Int64(lines.count - 1))
            #expect(report.shown?.count == 3)
            #expect(report.shown?.map { $0.joined(separator: ",") } == lines[1...3].map(String.init))
            #expect(lines.dropFirst().allSatisfy { $0.contains(",administrative.") })
        }
    }

    @Test func `relief is counted over all accounts, with those that nothing is to be collected of`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            let fna = try PolicyFile(text: ShippedPolicy.text("fna-bands"))
            let report = try month.diff(.file(month.policy), .file(fna))
            let insured = try #require(report.relief.first { $0.relief == "damage-insurance" })

            // Of 1,900 in each of two delegations those without arrears.
            #expect(insured.oldAccounts == 270)
            #expect(insured.newAccounts == nil)
            #expect(
                report.lines.contains("relief on offer, over all accounts, those with nothing to collect too:"))
        }
    }

    @Test func `a cell that no verdict can fill is refused with the nearest word`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            var asked = PolicyDiff.Asked()
            asked.cell = MoveCell(from: "dual.rset", to: "any")

            let failure = #expect(throws: CommandFailure.self) {
                try month.diff(.file(month.policy), .file(month.policy), asked)
            }
            #expect(failure?.description.contains("Did you mean 'dual.rest'?") == true)
        }
    }

    @Test func `a period without a cut or without placements is refused`() async throws {
        try await PlannedMonth.with { month in
            let uncut = #expect(throws: CommandFailure.self) {
                try month.diff(.file(month.policy), .file(month.policy))
            }
            try month.addCut()
            let unplaced = #expect(throws: CommandFailure.self) { try month.diff(.applied, .file(month.policy)) }

            #expect(uncut?.found == "2024-03 has no cut")
            #expect(unplaced?.found == "2024-03 has no placements")
        }
    }

    @Test func `it reads a closed period, in a transaction that cannot write`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            try month.link.script("UPDATE period SET state = 'closed'")
            let report = try month.diff(.applied, .file(try month.variant(Self.later)))

            #expect(report.moved > 0)
            #expect(throws: PgError.self) {
                try month.link.snapshot { try month.link.script("UPDATE period SET state = 'open'") }
            }
        }
    }

    /// Each account is in one part, whatever the rules are called; the money of the parts is the cut's.
    @Test(arguments: [("fna-bands", 1), ("fonacot-pool", 2), ("infonavit-2023", 3)] as [(String, Int32)])
    func `the sum says who is collected now, who no more and who otherwise`(name: String, seed: Int32) async throws {
        try await PlannedMonth.with { month in
            try month.addRandomCut(seed: seed)
            let other = try PolicyFile(text: ShippedPolicy.text(name))
            let report = try month.diff(.file(month.policy), .file(other))
            let sum = report.summary
            func verdicts(_ policy: PolicyFile) throws -> [Int64: (Int16?, Int16?)] {
                try month.segment(by: policy)
                let rows = try month.link.run("SELECT account_id, strategy, portfolio FROM placement")
                return Dictionary(
                    uniqueKeysWithValues: rows.map { ($0.int64(0), ($0.optionalInt16(1), $0.optionalInt16(2))) })
            }
            let (old, new) = (try verdicts(month.policy), try verdicts(other))
            var counts = [Int64](repeating: 0, count: 6)
            for row in try month.link.run("SELECT account_id FROM account") {
                let (from, to) = (old[row.int64(0)] ?? (nil, nil), new[row.int64(0)] ?? (nil, nil))
                let part =
                    switch (from.0, to.0) {
                    case (nil, nil): 5
                    case (nil, _): 0
                    case (_, nil): 1
                    default: from.0 != to.0 ? 2 : from.1 != to.1 ? 3 : 4
                    }
                counts[part] += 1
            }
            let parts = [
                sum.collectedNow, sum.collectedNoMore, sum.otherStrategy, sum.otherPortfolio, sum.asBefore, sum.neither,
            ]

            #expect(parts.map(\.accounts) == counts)
            #expect(
                parts.reduce(Int128(0)) { $0 + $1.overdue.centavos }
                    == report.margins.reduce(Int128(0)) { $0 + $1.oldOverdue.centavos })
            #expect((sum.collectedNow.accounts > 0) == (name != "infonavit-2023"))
            #expect((sum.otherStrategy.accounts > 0) == (name != "infonavit-2023"))
            #expect(
                report.lines.contains {
                    $0.hasPrefix("collected now, not before ") && $0.contains(" \(Figure.grouped(counts[0])) ")
                })
        }
    }

    @Test func `terms alone are told, with the accounts that are held by them`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            let terms = "term: 20 days\n    ceiling: 40 days\n"
            let other = try month.variant([(terms, "term: 10 days\n    ceiling: 40 days\n    activity: 1 day\n")])
            let report = try month.diff(.file(month.policy), .file(other))
            let held = report.margins.filter { $0.rule.hasPrefix("preventive.") }.reduce(0) { $0 + $1.newAccounts }

            #expect(report.moved == 0)
            #expect(held > 0)
            #expect(
                report.terms == [
                    TermChange(strategy: "preventive", term: "term", old: "20 days", new: "10 days", accounts: held),
                    TermChange(strategy: "preventive", term: "activity", old: nil, new: "1 day", accounts: held),
                ])
            #expect(report.lines.contains("held otherwise in the same strategy:"))
            #expect(!report.lines.contains { $0.hasPrefix("nobody is placed") })
            let same = try month.diff(.file(month.policy), .file(month.policy))
            #expect(same.terms == [])
            #expect(!same.lines.contains("held otherwise in the same strategy:"))
        }
    }

    @Test func `files that differ in what moves nobody are told as that`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            let report = try month.diff(
                .file(month.policy), .file(try month.variant([("en: Preventive segment", "en: Early segment")])))

            #expect(!report.isSamePolicy)
            #expect(
                report.lines.contains(
                    "nobody is placed, worked, held or offered anything otherwise; the files differ in other things"))
        }
    }

    /// The fixture has n arrears and money overdue with each; preventive takes from 1 on.
    @Test func `what no strategy takes is told apart from what owes nothing`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            let other = try month.variant(Self.later)
            let report = try month.diff(.file(month.policy), .file(other))
            let none = try #require(report.margins.first { $0.rule == "none" })
            try month.segment(by: other)
            let late = try month.number(
                """
                SELECT count(*) FROM account a
                 WHERE overdue > 0 AND NOT EXISTS (SELECT FROM placement p WHERE p.account_id = a.account_id)
                """)

            #expect(none.oldLate == 0)
            #expect(none.newLate == late)
            #expect(late > 0 && late < none.newAccounts)
            #expect(
                report.lines.contains(
                    "of none, overdue and taken by no strategy: 0 accounts old, \(Figure.grouped(late)) new"))
        }
    }
}
