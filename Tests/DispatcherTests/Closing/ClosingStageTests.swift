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
        try await ClosingStageSite.with(body)
    }

    private func found(_ body: () throws -> Void) -> String { ClosingStageSite.found(body) }

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
            #expect(found { try stages.proposeClose(period, by: " \u{200B}") }.hasPrefix("--by names nobody"))
            for nobody in ["", " ", "\u{200B}", String(repeating: "x", count: 81)] {
                #expect(found { try stages.requireClosable(period, by: nobody) }.hasPrefix("--by names nobody"))
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
            let early = ClosingStageSite.failure {
                _ = try stages.object(period, contract: 1, delegation: 9, rule: "PEN-03", reason: "r", by: "ACE01")
            }
            #expect(early.remedy.contains("`dispatcherd statement issue --period 2024-03`"))
            #expect(!early.remedy.contains("adjustment"))
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
            #expect(found { try stages.requireClosable(period, by: "Luis") }.hasPrefix("1 objection or adjustment of"))
            let waiver = try #require(
                try stages.decide(objection: objection, isUpheld: true, reason: "it was", by: "Ana"))
            #expect(
                found { try stages.decide(adjustment: waiver, isApproved: true, reason: "r", by: "Ana") }.hasPrefix(
                    "Ana proposed it"))
            let before = try MonthClosing(link, period: period).preview()
            try stages.decide(adjustment: waiver, isApproved: true, reason: "r", by: "Luis")
            #expect(
                found { try stages.decide(adjustment: waiver, isApproved: false, reason: "r", by: "Luis") }.hasPrefix(
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

    /// Also of a contract that ended with the month.
    @Test(arguments: ["2024-12-31", "2024-03-31"])
    func `a closed month is put right by a credit in a later one`(end: String) async throws {
        try await with { link, stages in
            try link.script("UPDATE contract SET ends_on = '\(end)' WHERE contract_id = 1")
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
            // What no page could add up is refused before anybody approves it.
            for amount in [Cents(0), Cents(Adjustment.amountMax.value + 1), Cents(Int64.max)] {
                let slip = Adjustment(
                    number: 0, kind: .credit, rule: "FEE-11", amount: amount, about: period, reason: "late review")
                #expect(
                    found { _ = try stages.propose(slip, in: april, contract: 1, delegation: nil, by: "Ana") }
                        .hasPrefix(
                            "an amount of \(amount) is none"))
            }
            let number = try stages.propose(credit, in: april, contract: 1, delegation: nil, by: "Ana")
            try stages.decide(adjustment: number, isApproved: true, reason: "r", by: "Luis")
            let month = try MonthClosing(link, period: april).close(beforeItsEnd: true).month
            let document = try StatementDocument(month.statements[0].body)

            #expect(month.statements.map(\.contract) == [1, 2, 3])
            #expect(document.totals.fees == "310.00")
            // The fixture's schedule has a rate of 99 % from April on.
            #expect(document.totals.taxOnFees == "306.90")
            #expect(document.sections.last?.lines.first?.clause.contains("periodo anterior") == true)
            #expect(try stages.stage(of: period) == .closed)
        }
    }

    @Test func `what is closed is what agencies were shown, but for what persons decided`() async throws {
        try await with { link, stages in
            let closing = MonthClosing(link, period: period)
            _ = try stages.issue(period, by: "Ana")
            #expect(try stages.preStatements(period).map(\.body) == closing.preview().statements.map(\.body))
            let waiver = try stages.propose(
                Adjustment(number: 0, kind: .waiver, rule: "PEN-03", amount: nil, about: period, reason: "r"),
                in: period, contract: 1, delegation: 9, by: "Ana")
            try stages.decide(adjustment: waiver, isApproved: true, reason: "r", by: "Luis")
            try stages.requireAsIssued(closing.preview())
            try link.script(
                """
                INSERT INTO fact (period, fact_id, kind, contract_id, delegation_id, on_date, subject, value, import_id)
                SELECT 202403, 'V-late', 'visit', c, 14, '2024-03-10', 'adviser-absent', 'no', 1 FROM generate_series(2, 2) c;
                DELETE FROM outcome WHERE contract_id = 3;
                """)
            #expect(
                found { _ = try closing.close(check: stages.requireAsIssued) }.contains(
                    "differ from their pre-statements of 2024-03: "))
            #expect(try PeriodStore(link, period: period).state() == .open)
            _ = try stages.issue(period, by: "Ana")
            #expect(try closing.close(check: stages.requireAsIssued).result == .closed)
        }
    }

    @Test func `what was raised since somebody looked keeps the month open`() async throws {
        try await with { link, stages in
            let adjustment = Adjustment(
                number: 0, kind: .waiver, rule: "PEN-03", amount: nil, about: period, reason: "r")
            let number = try stages.propose(adjustment, in: period, contract: 1, delegation: 9, by: "Ana")
            let closing = MonthClosing(link, period: period)
            #expect(found { _ = try closing.close() }.hasPrefix("1 objection or adjustment of 2024-03 waits"))
            #expect(try PeriodStore(link, period: period).state() == .open)
            try stages.decide(adjustment: number, isApproved: false, reason: "r", by: "Luis")
            #expect(try closing.close().result == .closed)
        }
    }

    @Test func `a line is objected to once at a time`() async throws {
        try await with { _, stages in
            func object() throws -> Int64 {
                try stages.object(period, contract: 1, delegation: 9, rule: "PEN-03", reason: "r", by: "ACE01")
            }
            _ = try stages.issue(period, by: "Ana")
            let first = try object()
            #expect(
                found { _ = try object() } == "objection \(first) is about the same line, and waits for its decision")
            _ = try stages.decide(objection: first, isUpheld: false, reason: "no", by: "Ana")
            let second = try object()
            _ = try stages.decide(objection: second, isUpheld: true, reason: "yes", by: "Ana")
            #expect(found { _ = try object() } == "objection \(second) is about the same line, and was upheld")
        }
    }

    @Test func `a penalty is waived once`() async throws {
        try await with { _, stages in
            func propose(_ amount: Int64?) throws -> Int64 {
                try stages.propose(
                    Adjustment(
                        number: 0, kind: .waiver, rule: "PEN-03", amount: amount.map(Cents.init), about: period,
                        reason: "r"),
                    in: period, contract: 1, delegation: 9, by: "Ana")
            }
            let first = try propose(100)
            #expect(
                found { _ = try propose(nil) }
                    == "adjustment \(first) is about the same penalty, and waits for its decision")
            try stages.decide(adjustment: first, isApproved: true, reason: "r", by: "Luis")
            let second = try propose(nil)
            _ = try stages.issue(period, by: "Ana")
            let objection = try stages.object(
                period, contract: 1, delegation: 9, rule: "PEN-03", reason: "r", by: "ACE01")
            #expect(try stages.decide(objection: objection, isUpheld: true, reason: "yes", by: "Ana") == second)
            try stages.decide(adjustment: second, isApproved: true, reason: "r", by: "Luis")
            #expect(
                found { _ = try propose(100) }
                    == "adjustment \(second) is about the same penalty, and took back all of it")
        }
    }

    /// Five business days behind Sunday, March 31, are over with Friday, April 5.
    @Test(arguments: [("2024-04-06T05:59:59.999Z", true), ("2024-04-06T06:00:00Z", false)])
    func `a month is not closed while its reviews count, unless it is meant`(now: String, isRefused: Bool) async throws
    {
        try await with { link, _ in
            let stages = StageCommands(link, needsTwo: false)
            try link.script("UPDATE clock SET virtual_now = '\(now)'")

            #expect(
                found { try stages.requireClosable(period, by: nil) }.hasPrefix("reviews of 2024-03 count until")
                    == isRefused)
            try stages.requireClosable(period, by: nil, beforeReviews: true)
        }
    }

    /// A contest of Monday, April 8, has until Monday, April 15.
    @Test(arguments: [("2024-04-16T05:59:59.999Z", true), ("2024-04-16T06:00:00Z", false)])
    func `nor while a contest waits in its time`(now: String, isRefused: Bool) async throws {
        try await with { link, _ in
            let stages = StageCommands(link, needsTwo: false)
            try link.script(
                """
                INSERT INTO contest (delegation_id, outcome_id, period, reason, contested_by, contested_at)
                SELECT delegation_id, outcome_id, period, 'r', 'ACE01', '2024-04-08T18:00:00Z' FROM review
                WHERE decision = 'rejected' ORDER BY outcome_id LIMIT 1;
                UPDATE clock SET virtual_now = '\(now)'
                """)
            #expect(
                found { try stages.requireClosable(period, by: nil) }.hasPrefix("reviews of 2024-03 count until")
                    == isRefused)
            try link.script(
                "UPDATE contest SET decision = 'approved', decision_reason = 'r', reviewer = 's', decided_at = now()")
            try stages.requireClosable(period, by: nil)
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

    // MARK: - Fees

    @Test func `an objection about fees that is upheld is a credit in the same statement`() async throws {
        try await with { link, stages in
            _ = try stages.issue(period, by: "Ana")
            let number = try stages.object(
                period, contract: 1, delegation: 9, rule: "FEE-11", reason: "outcome 7 was approved", by: "ACE01")
            #expect(
                found { _ = try stages.decide(objection: number, isUpheld: true, reason: "yes", by: "Ana") }
                    == "objection \(number) is about fees, and what they lack is not named")
            #expect(try stages.objections(period)[0].decision == nil)
            let credit = try #require(
                try stages.decide(objection: number, isUpheld: true, amount: Cents(310_00), reason: "yes", by: "Ana"))
            #expect(
                found { try stages.decide(adjustment: credit, isApproved: true, reason: "r", by: "ana") }.hasPrefix(
                    "Ana proposed it"))
            try stages.decide(adjustment: credit, isApproved: true, reason: "seen", by: "Luis")
            try link.script("UPDATE clock SET virtual_now = '2024-04-17T06:00:00Z'")
            let before = try StatementDocument(stages.preStatements(period)[0].body)
            let after = try StatementDocument(
                try MonthClosing(link, period: period).close(check: stages.requireAsIssued).month.statements[0].body)
            let line = try #require(after.sections.first { $0.delegation == 9 }?.lines.first { $0.kind == "credit" })

            #expect(line.amount == "310.00")
            #expect(line.clause == "Ajuste a favor de la agencia por una objeción procedente, autorizado.")
            #expect(line.arithmetic == "310.00 sobre FEE-11 de 2024-03, objeción \(number): yes")
            #expect(line.arithmeticInEnglish == "310.00 about FEE-11 of 2024-03, objection \(number): yes")
            #expect(line.isObjection)
            let (was, now) = (Cents(pesos: before.totals.fees) ?? .zero, Cents(pesos: after.totals.fees) ?? .zero)
            #expect(now - was == Cents(310_00))
            #expect(try stages.adjustments(period).map(\.decisionReason) == ["seen"])
        }
    }

    @Test func `what a statement's fees lack can be objected to, a penalty that is not there cannot`() async throws {
        try await with { _, stages in
            _ = try stages.issue(period, by: "Ana")
            _ = try stages.object(period, contract: 1, delegation: 9, rule: "FEE-11", reason: "r", by: "ACE01")
            #expect(
                found {
                    _ = try stages.object(period, contract: 1, delegation: 9, rule: "PEN-06", reason: "r", by: "ACE01")
                }.hasSuffix("has no PEN-06 there"))
            #expect(
                found {
                    _ = try stages.object(period, contract: 1, delegation: 20, rule: "FEE-11", reason: "r", by: "ACE01")
                }.hasSuffix("has no FEE-11 there"))
        }
    }

    @Test func `an objection to a penalty may be upheld for a part of it`() async throws {
        try await with { _, stages in
            _ = try stages.issue(period, by: "Ana")
            let number = try stages.object(
                period, contract: 1, delegation: 9, rule: "PEN-03", reason: "r", by: "ACE01")
            let waiver = try #require(
                try stages.decide(objection: number, isUpheld: true, amount: Cents(100), reason: "half", by: "Ana"))

            #expect(
                try stages.adjustments(period).first { $0.adjustment.number == waiver }?.adjustment.amount == Cents(100)
            )
        }
    }

    @Test(arguments: ["", String(repeating: "x", count: 501)])
    func `an adjustment is approved or rejected with a reason`(reason: String) async throws {
        try await with { _, stages in
            let number = try stages.propose(
                Adjustment(number: 0, kind: .waiver, rule: "PEN-03", amount: nil, about: period, reason: "r"),
                in: period, contract: 1, delegation: 9, by: "Ana")
            for isApproved in [true, false] {
                #expect(
                    found { try stages.decide(adjustment: number, isApproved: isApproved, reason: reason, by: "Luis") }
                        == "a reason has 1 to 500 characters")
            }
            try stages.decide(
                adjustment: number, isApproved: false, reason: String(repeating: "x", count: 500), by: "Luis")
            #expect(try stages.adjustments(period)[0].decision == "rejected")
        }
    }

    @Test func `a preview tells of a contract whose amounts are the same and whose statement is another`() async throws
    {
        try await with { link, _ in
            let closing = MonthClosing(link, period: period)
            _ = try PreviewDifference(link, closing.preview())
            try link.script(
                "UPDATE ending SET reason = 'capacity' WHERE kind = 'payoff'; UPDATE agency SET name = 'Otra' WHERE agency_id = 2"
            )
            let lines = try PreviewDifference(link, closing.preview()).lines

            #expect(lines.count == 2)
            #expect(lines.last == "  contract 3: the same amounts, and other indicators, records or facts behind them")
        }
    }

    @Test func `a contract whose budget is used up ends with the close, and goes on under another fee schedule`()
        async throws
    {
        try await with { link, _ in
            try link.script("INSERT INTO schedule VALUES ('fees', 'fee', '2023-01-01', 'AGY-15', 'budget', '100.00')")
            let closing = MonthClosing(link, period: period)
            let warnings = try closing.preview().summary.warnings
            #expect(warnings.contains("the budget of 3 contracts is used up, and the close ends them: 1, 2, 3"))
            #expect(try link.run("SELECT count(*) FROM contract WHERE spent_on IS NOT NULL")[0].int64(0) == 0)
            _ = try closing.close()

            #expect(
                try link.run("SELECT DISTINCT ends_on::text, spent_on::text FROM contract").map {
                    [$0.text(0), $0.text(1)]
                }
                    == [["2024-04-09", "2024-04-09"]])
            #expect(try closing.close().result == .identical)
        }
    }
}
