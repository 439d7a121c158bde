// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import PgStore
import Testing

/// What an upheld objection proposed, rejected by the second person, is proposed again within its month.
struct ClosingSecondTryTests {
    private let period = ClosingStageSite.period

    private func object(_ stages: StageCommands, _ rule: String) throws -> Int64 {
        try stages.object(period, contract: 1, delegation: 9, rule: rule, reason: "r", by: "ACE01")
    }

    private func uphold(_ stages: StageCommands, _ number: Int64, _ amount: Cents?) throws -> Int64 {
        try #require(try stages.decide(objection: number, isUpheld: true, amount: amount, reason: "yes", by: "Ana"))
    }

    private func again(_ stages: StageCommands, _ number: Int64, _ amount: Cents?, by: String = "Ana") throws -> Int64?
    {
        try stages.proposeAgain(objection: number, amount: amount, reason: "once more", by: by)
    }

    private func decide(_ stages: StageCommands, _ number: Int64, _ isApproved: Bool) throws {
        try stages.decide(adjustment: number, isApproved: isApproved, reason: "r", by: "Luis")
    }

    @Test func `a credit that was rejected is proposed again, and both stay on record with the objection`() async throws
    {
        try await ClosingStageSite.with { link, stages in
            _ = try stages.issue(period, by: "Ana")
            let number = try object(stages, "FEE-11")
            #expect(
                ClosingStageSite.found { _ = try again(stages, number, Cents(1)) }
                    == "there is no objection \(number) that was upheld")
            let first = try uphold(stages, number, Cents(310_00))
            #expect(
                ClosingStageSite.found { _ = try again(stages, number, Cents(250_00)) }
                    == "adjustment \(first) follows from objection \(number), and waits for its decision")
            try decide(stages, first, false)
            #expect(
                ClosingStageSite.found { _ = try again(stages, number, nil) }
                    == "objection \(number) is about fees, and what they lack is not named")
            #expect(
                ClosingStageSite.found { _ = try again(stages, number, Cents(250_00), by: "ace 01") }.hasPrefix(
                    "ACE01 raised it"))
            let second = try #require(try again(stages, number, Cents(250_00)))
            #expect(
                ClosingStageSite.found {
                    try stages.decide(adjustment: second, isApproved: true, reason: "r", by: "ACE01")
                }.hasPrefix("ACE01 raised objection \(number)"))
            try decide(stages, second, true)
            #expect(
                ClosingStageSite.found { _ = try again(stages, number, Cents(1)) }
                    == "adjustment \(second) follows from objection \(number), and is in force")
            // Taken back by two persons it may be proposed once more.
            try decide(stages, stages.withdraw(adjustment: second, reason: "r", by: "Ana"), true)
            let third = try #require(try again(stages, number, Cents(200_00)))
            try decide(stages, third, true)

            let rows = try stages.adjustments(period)
            #expect(rows.map(\.objection) == [number, number, nil, number])
            #expect(rows.map(\.decision) == ["rejected", "approved", "approved", "approved"])
            let statement = try StatementDocument(try MonthClosing(link, period: period).preview().statements[0].body)
            let credits = (statement.sections.first { $0.delegation == 9 }?.lines ?? []).filter { $0.kind == "credit" }
            #expect(credits.map(\.amount) == ["200.00"])
            #expect(credits.first?.arithmetic == "200.00 sobre FEE-11 de 2024-03, objeción \(number): once more")
            // Each with its persons is in the ledger.
            #expect(
                try link.run("SELECT count(*) FROM adjustment WHERE decided_by = 'Luis'")[0].int64(0) == 4)
        }
    }

    @Test func `a waiver is proposed again within what there is to waive`() async throws {
        try await ClosingStageSite.with { link, stages in
            _ = try stages.issue(period, by: "Ana")
            let body = try #require(try stages.preStatements(period).first?.body)
            let all = try #require(
                try StatementDocument(body).sections.first { $0.delegation == 9 }?.lines.first { $0.rule == "PEN-03" }
                    .flatMap { Cents(pesos: $0.amount) })
            let number = try object(stages, "PEN-03")
            try decide(stages, uphold(stages, number, Cents(1_00)), false)
            #expect(
                ClosingStageSite.found { _ = try again(stages, number, all + Cents(1)) }.contains(
                    "is more than there is to waive: "))
            try decide(stages, try #require(try again(stages, number, all - Cents(1))), true)

            #expect(try stages.adjustments(period).map(\.adjustment.amount) == [Cents(1_00), all - Cents(1)])
            let other = try object(stages, "FEE-11")
            _ = try stages.decide(objection: other, isUpheld: false, reason: "no", by: "Ana")
            #expect(
                ClosingStageSite.found { _ = try again(stages, other, Cents(1)) }
                    == "there is no objection \(other) that was upheld")
            _ = try MonthClosing(link, period: period).close()
            #expect(ClosingStageSite.found { _ = try again(stages, number, Cents(1)) } == "2024-03 is closed")
        }
    }

    @Test func `a waiver that waited follows from the objection that upholds it`() async throws {
        try await ClosingStageSite.with { _, stages in
            _ = try stages.issue(period, by: "Ana")
            let waiver = try stages.propose(
                ClosingStageSite.waiver("PEN-03"), in: period, contract: 1, delegation: 9, by: "Ana")
            let number = try object(stages, "PEN-03")
            #expect(try uphold(stages, number, nil) == waiver)

            #expect(try stages.adjustments(period).map(\.objection) == [number])
            #expect(
                ClosingStageSite.found {
                    try stages.decide(adjustment: waiver, isApproved: true, reason: "r", by: "ACE01")
                } == "ACE01 raised objection \(number), and another person has to decide about adjustment \(waiver)")
            try decide(stages, waiver, true)
        }
    }

    @Test func `a contract that is none and rules in small letters are told apart from lines that are not there`()
        async throws
    {
        try await ClosingStageSite.with { _, stages in
            _ = try stages.issue(period, by: "Ana")
            func object(_ contract: Int32, _ rule: String) throws -> Int64 {
                try stages.object(period, contract: contract, delegation: 9, rule: rule, reason: "r", by: "ACE01")
            }
            #expect(ClosingStageSite.found { _ = try object(99, "PEN-03") } == "there is no contract 99")
            _ = try object(1, "pen-03")
            #expect(try stages.objections(period).map(\.rule) == ["PEN-03"])
            // Where the contract has no such place, all that there can be is told.
            let failure = ClosingStageSite.failure {
                _ = try stages.object(period, contract: 1, delegation: 20, rule: "iva", reason: "r", by: "ACE01")
            }
            #expect(failure.found == "an objection is about a penalty or about fees, and IVA is neither")
            #expect(failure.remedy.contains("PEN-01, ") && failure.remedy.contains("FEE-05, AGY-15."))
            func waive() throws {
                _ = try stages.propose(
                    ClosingStageSite.waiver("pen-03"), in: period, contract: 1, delegation: 9, by: "Ana")
            }
            try waive()
            let waiver = try #require(try stages.adjustments(period).first?.adjustment.number)
            #expect(
                ClosingStageSite.failure { try waive() }.remedy
                    == "Decide about that one first: `dispatcherd adjustment approve \(waiver)` or `reject \(waiver)`.")
            try decide(stages, waiver, true)
            #expect(
                ClosingStageSite.failure { try waive() }.remedy
                    == "There is nothing left to waive; `dispatcherd adjustment withdraw \(waiver)` takes that one back."
            )
        }
    }
}
