// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import PgStore
import Testing
import TestSupport

/// From pre-statements to a final close by two persons.
struct ClosingStageTests {
    private let period = ClosingFixture.period

    private func with(_ body: (PgLink, StageCommands) throws -> Void) async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 5)
            // Every section of contract 1 has a penalty to object to.
            try link.script(
                """
                INSERT INTO fact (period, fact_id, kind, contract_id, delegation_id, on_date, subject, value, import_id)
                VALUES (202403, 'V-9', 'visit', 1, 9, '2024-03-10', 'adviser-absent', 'no', 1);
                """)
            try body(link, StageCommands(link, needsTwo: true))
        }
    }

    private func found(_ body: () throws -> Void) -> String {
        do { try body() } catch { return (error as? CommandFailure)?.found ?? "\(error)" }
        return "nothing was thrown"
    }

    @Test func `one proposes and another closes`() async throws {
        try await with { _, stages in
            #expect(try stages.stage(of: period) == .review)
            #expect(found { try stages.requireClosable(period, by: nil) } == "a month is closed by two persons")
            #expect(found { try stages.requireClosable(period, by: "Ana") } == "nobody has proposed to close 2024-03")
            try stages.proposeClose(period, by: "Ana")
            #expect(found { try stages.requireClosable(period, by: "Ana") }.hasPrefix("Ana proposed it"))
            try stages.requireClosable(period, by: "Luis")
        }
    }

    @Test func `a person is the same in capitals, with other blanks or marks without width`() async throws {
        try await with { _, stages in
            try stages.proposeClose(period, by: "Ana Ruiz")
            for name in ["ana ruiz", "ANA RUIZ", " Ana  Ruiz ", "AnaRuiz", "Ana\u{A0}Ruiz", "Ana\u{200B} Ruiz"] {
                #expect(found { try stages.requireClosable(period, by: name) }.hasPrefix("Ana Ruiz proposed it"))
            }
            #expect(found { try stages.proposeClose(period, by: " \u{200B}") }.hasPrefix("--by names a person"))
            for nobody in ["", " ", "\u{200B}", String(repeating: "x", count: 81)] {
                #expect(found { try stages.requireClosable(period, by: nobody) }.hasPrefix("--by names a person"))
            }
            try stages.requireClosable(period, by: "Ana Ruis")
        }
    }

    @Test func `where the setting does not ask, one person closes`() async throws {
        try await with { link, _ in try StageCommands(link, needsTwo: false).requireClosable(period, by: nil) }
    }

    @Test func `an objection that is upheld becomes a waiver of another person, and the statement has it`() async throws
    {
        try await with { link, stages in
            #expect(
                found {
                    _ = try stages.object(period, contract: 1, delegation: 9, rule: "PEN-03", reason: "r", by: "ACE01")
                }
                    == "no pre-statement of 2024-03 is out")
            let issued = try stages.issue(period, by: "Ana")
            #expect(issued.statements == 3)
            // The fixture's clock shows Tuesday, April 9.
            #expect("\(issued.until)" == "2024-04-17T06:00:00.000Z")
            #expect(try stages.stage(of: period) == .preStatement)
            #expect(
                found {
                    _ = try stages.object(period, contract: 1, delegation: 9, rule: "PEN-06", reason: "r", by: "ACE01")
                }
                .hasSuffix("has no PEN-06 there"))
            let objection = try stages.object(
                period, contract: 1, delegation: 9, rule: "PEN-03", reason: "the office was open", by: "ACE01")
            #expect(try stages.stage(of: period) == .objections)
            try link.script("UPDATE clock SET virtual_now = '2024-04-17T06:00:00Z'")
            try stages.proposeClose(period, by: "Ana")
            #expect(found { try stages.requireClosable(period, by: "Luis") }.hasPrefix("1 objections or adjustments"))
            let waiver = try #require(
                try stages.decide(objection: objection, isUpheld: true, reason: "it was", by: "Ana"))
            #expect(
                found { try stages.decide(adjustment: waiver, isApproved: true, by: "Ana") }.hasPrefix(
                    "Ana proposed it"))
            let before = try MonthClosing(link, period: period).preview()
            try stages.decide(adjustment: waiver, isApproved: true, by: "Luis")
            #expect(
                found { try stages.decide(adjustment: waiver, isApproved: false, by: "Luis") }.hasPrefix(
                    "there is no adjustment"))
            try stages.requireClosable(period, by: "Luis")
            let after = try MonthClosing(link, period: period).close().month

            let (old, new) = (
                try StatementDocument(before.statements[0].body), try StatementDocument(after.statements[0].body)
            )
            let waived = try #require(new.sections.first { $0.delegation == 9 }?.lines.first { $0.kind == "waiver" })
            let charged = try #require(old.sections.first { $0.delegation == 9 }?.lines.first { $0.rule == "PEN-03" })
            #expect(waived.amount == charged.amount)
            #expect(waived.facts == ["A-\(waiver)"])
            #expect(try stages.stage(of: period) == .closed)
            let failure = #expect(throws: CommandFailure.self) { try stages.proposeClose(period, by: "Ana") }
            #expect(failure?.found == "2024-03 is closed")
            #expect(failure?.exit == .usage)
        }
    }

    @Test func `objections end with their time, and a rejected one changes nothing`() async throws {
        try await with { link, stages in
            _ = try stages.issue(period, by: "Ana")
            let objection = try stages.object(
                period, contract: 1, delegation: 9, rule: "PEN-03", reason: "r", by: "ACE01")
            #expect(try stages.decide(objection: objection, isUpheld: false, reason: "no", by: "Ana") == nil)
            #expect(
                found { _ = try stages.decide(objection: objection, isUpheld: true, reason: "x", by: "B") }.hasPrefix(
                    "there is no objection"))
            try link.script("UPDATE clock SET virtual_now = '2024-04-17T05:59:59Z'")
            #expect(found { try stages.requireClosable(period, by: "Luis") }.hasPrefix("agencies may object"))
            _ = try stages.object(period, contract: 1, delegation: 9, rule: "PEN-03", reason: "r", by: "ACE01")
            try link.script("UPDATE clock SET virtual_now = '2024-04-17T06:00:00Z'")
            #expect(
                found {
                    _ = try stages.object(period, contract: 1, delegation: 9, rule: "PEN-03", reason: "r", by: "ACE01")
                }
                .hasPrefix("the time to object to 2024-03 was over"))
        }
    }

    @Test func `a closed month is put right by a credit in a later one`() async throws {
        try await with { link, stages in
            let credit = Adjustment(
                number: 0, kind: .credit, rule: "FEE-11", amount: Cents(310_00), about: period, reason: "late review")
            let april = period.advanced(byMonths: 1)
            try link.script(
                "INSERT INTO period VALUES (202404, 'open', '2024-04-01', NULL, NULL); CREATE TABLE outcome_202404 PARTITION OF outcome FOR VALUES IN (202404)"
            )
            #expect(
                found { _ = try stages.propose(credit, in: april, contract: 1, delegation: nil, by: "Ana") }.contains(
                    "an earlier month that is closed"))
            _ = try MonthClosing(link, period: period).close()
            let number = try stages.propose(credit, in: april, contract: 1, delegation: nil, by: "Ana")
            try stages.decide(adjustment: number, isApproved: true, by: "Luis")
            let month = try MonthClosing(link, period: april).close(beforeItsEnd: true).month
            let document = try StatementDocument(month.statements[0].body)

            #expect(document.totals.fees == "310.00")
            // The fixture's schedule has a rate of 99 % from April on.
            #expect(document.totals.taxOnFees == "306.90")
            #expect(document.sections.last?.lines.first?.clause.contains("periodo anterior") == true)
            #expect(try stages.stage(of: period) == .closed)
        }
    }

    @Test func `a preview tells what changed since the one before`() async throws {
        try await with { link, _ in
            let closing = MonthClosing(link, period: period)
            #expect(try PreviewDifference(link, closing.preview()).lines == [])
            #expect(try PreviewDifference(link, closing.preview()).lines.map { $0.prefix(15) } == ["nothing changed"])
            try link.script("DELETE FROM outcome WHERE contract_id = 1 AND delegation_id = 9")
            let lines = try PreviewDifference(link, closing.preview()).lines

            #expect(lines.first?.hasPrefix("since the preview of 2024-04-09") == true)
            #expect(lines.contains { $0.hasPrefix("  contract 1: fees ") && $0.contains("→") })
        }
    }
}
