// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import PgStore
import Testing

/// How much of a penalty may be waived, and of which of its lines.
struct ClosingWaiverTests {
    private let period = ClosingStageSite.period

    private func propose(
        _ stages: StageCommands, _ amount: Cents?, rule: String = "PEN-03", contract: Int32 = 1, delegation: Int16 = 9
    ) throws -> Int64 {
        try stages.propose(
            ClosingStageSite.waiver(rule, amount: amount), in: period, contract: contract, delegation: delegation,
            by: "Ana")
    }

    private func approve(_ stages: StageCommands, _ number: Int64) throws {
        try stages.decide(adjustment: number, isApproved: true, reason: "r", by: "Luis")
    }

    /// What contract 1 is charged for the absent adviser in delegation 9.
    private func charged(_ link: PgLink) throws -> Cents {
        let statement = try StatementDocument(try MonthClosing(link, period: period).preview().statements[0].body)
        let line = try #require(
            statement.sections.first { $0.delegation == 9 }?.lines.first { $0.rule == "PEN-03" })
        return try #require(Cents(pesos: line.amount))
    }

    @Test func `a waiver is at most the penalty, and more is refused with the amounts`() async throws {
        try await ClosingStageSite.with { link, stages in
            let all = try charged(link)
            let failure = ClosingStageSite.failure { _ = try propose(stages, all + Cents(1)) }

            #expect(
                failure.found
                    == "a waiver of \(grouped(all + Cents(1))) of PEN-03 is more than there is to waive: \(grouped(all)) are "
                    + "charged in delegation 9, 0.00 were waived already, \(grouped(all)) are left")
            #expect(failure.remedy.hasPrefix("Waive \(grouped(all)) at most") && failure.exit == .usage)
            #expect(try stages.adjustments(period).isEmpty)
            try approve(stages, propose(stages, all))
            let none = ClosingStageSite.failure { _ = try propose(stages, nil) }
            #expect(none.found.hasSuffix("\(grouped(all)) were waived already, 0.00 are left"))
            #expect(none.remedy.contains("`adjustment withdraw`"))
        }
    }

    @Test func `a second waiver is held to what the first left, and told with it`() async throws {
        try await ClosingStageSite.with { link, stages in
            let all = try charged(link)
            let first = try propose(stages, Cents(100))
            #expect(try stages.besideWaivers(adjustment: first) == nil)
            try approve(stages, first)
            let failure = ClosingStageSite.failure { _ = try propose(stages, all - Cents(99)) }
            #expect(
                failure.found.hasSuffix("1.00 were waived already, \(grouped(all - Cents(100))) are left"))
            let second = try propose(stages, all - Cents(100))
            #expect(
                try stages.besideWaivers(adjustment: second)
                    == "beside a waiver of \(grouped(all - Cents(100))) of PEN-03 of this proposal there is in force "
                    + "a waiver of 1.00 of PEN-03, adjustment \(first)")
            // One that is taken back leaves its room again.
            try stages.decide(adjustment: second, isApproved: false, reason: "r", by: "Luis")
            let withdrawal = try stages.withdraw(adjustment: first, reason: "r", by: "Ana")
            try approve(stages, withdrawal)
            let third = try propose(stages, all)
            #expect(try stages.besideWaivers(adjustment: third) == nil)
        }
    }

    @Test func `an objection that is upheld is held to the penalty as well, and stays undecided`() async throws {
        try await ClosingStageSite.with { link, stages in
            let all = try charged(link)
            _ = try stages.issue(period, by: "Ana")
            let number = try stages.object(
                period, contract: 1, delegation: 9, rule: "PEN-03", reason: "r", by: "ACE01")
            func uphold(_ amount: Cents?) throws -> Int64? {
                try stages.decide(objection: number, isUpheld: true, amount: amount, reason: "r", by: "Ana")
            }
            #expect(
                ClosingStageSite.found { _ = try uphold(all + Cents(1)) }.contains("is more than there is to waive: "))
            #expect(try stages.objections(period).map(\.decision) == [nil])
            // A waiver of another amount waits: what upholding proposes would be lost.
            let waiting = try propose(stages, Cents(100))
            #expect(
                ClosingStageSite.found { _ = try uphold(nil) }
                    == "adjustment \(waiting), a waiver of 1.00 of PEN-03, waits for its decision, and upholding proposes "
                    + "a waiver of all of PEN-03")
            #expect(try stages.objections(period).map(\.decision) == [nil])
            #expect(try uphold(Cents(100)) == waiting)
        }
    }

    // MARK: - Lines of one rule

    /// Contract 1 lacks advisers of both portfolios in delegation 9.
    private let bothPortfolios = """
        DELETE FROM fact WHERE kind = 'staffing';
        INSERT INTO fact (period, fact_id, kind, contract_id, delegation_id, on_date, portfolio, value, import_id)
        SELECT 202403, 'Z-' || p, 'staffing', 1, 9, '2024-03-30', p, '0', 1 FROM generate_series(1, 2) p;
        """

    private func lines(_ link: PgLink, _ kind: String) throws -> [StatementDocument.Line] {
        let statement = try StatementDocument(try MonthClosing(link, period: period).preview().statements[0].body)
        return (statement.sections.first { $0.delegation == 9 }?.lines ?? []).filter {
            $0.kind == kind && $0.rule == "PEN-01"
        }
    }

    @Test func `each portfolio of PEN-01 is objected to and waived by itself`() async throws {
        try await ClosingStageSite.with { link, stages in
            try link.script(bothPortfolios)
            let charged = try lines(link, "penalty")
            #expect(charged.map(\.subject) == ["telephone", "home-visit"])
            _ = try stages.issue(period, by: "Ana")
            func object(_ rule: String) throws -> Int64 {
                try stages.object(period, contract: 1, delegation: 9, rule: rule, reason: "r", by: "ACE01")
            }
            for failure in [
                ClosingStageSite.failure { _ = try object("PEN-01") },
                ClosingStageSite.failure { _ = try propose(stages, nil, rule: "PEN-01") },
            ] {
                #expect(
                    failure.found.hasSuffix(
                        " of contract 1 has 2 lines of PEN-01 there, and each is waived and objected to by itself"))
                #expect(failure.remedy == "Name one of them: PEN-01:home-visit or PEN-01:telephone.")
                #expect(failure.exit == .usage)
            }
            let visits = try object("PEN-01:home-visit")
            let calls = try object("PEN-01:telephone")
            #expect(
                ClosingStageSite.found { _ = try object("PEN-01:telephone") }
                    == "objection \(calls) is about the same line, and waits for its decision")
            #expect(try stages.decide(objection: calls, isUpheld: false, reason: "no", by: "Ana") == nil)
            let waiver = try #require(
                try stages.decide(objection: visits, isUpheld: true, reason: "yes", by: "Ana"))
            try approve(stages, waiver)
            let waived = try lines(link, "waiver")
            #expect(waived.map(\.subject) == ["home-visit"] && waived.map(\.amount) == [charged[1].amount])
            #expect(waived[0].arithmetic.contains(" de PEN-01 (domiciliar"))
            #expect(waived[0].arithmeticInEnglish?.contains(" of PEN-01 (home-visit): ") == true)
            // The other one is there still, by its name; a question about it leads to its line alone.
            _ = try propose(stages, nil, rule: "PEN-01:telephone")
            var question = StatementExplanation.Question()
            question.rule = "PEN-01:telephone"
            question.isOfPreStatements = true
            question.contract = 1
            question.delegation = 9
            #expect(
                try StatementExplanation(link, period: period, question).lines.map(\.subject) == ["telephone"])
        }
    }

    @Test func `where there is one line its rule names it`() async throws {
        try await ClosingStageSite.with { link, stages in
            try link.script(bothPortfolios + "DELETE FROM fact WHERE fact_id = 'Z-2'")
            _ = try propose(stages, Cents(100), rule: "PEN-01")

            #expect(try stages.adjustments(period).map(\.adjustment.rule) == ["PEN-01:telephone"])
            #expect(
                ClosingStageSite.found { _ = try propose(stages, nil, rule: "PEN-01:home-visit") }
                    == "the statement of contract 1 has no PEN-01:home-visit in delegation 9")
        }
    }

    /// An objection and a waiver that are older than subjects.
    @Test func `one that names the rule alone is about all of its lines, as it was`() async throws {
        try await ClosingStageSite.with { link, stages in
            try link.script(bothPortfolios)
            _ = try stages.issue(period, by: "Ana")
            let sum = try lines(link, "penalty").reduce(Cents.zero) { $0 + (Cents(pesos: $1.amount) ?? .zero) }
            let old = try StageStore(link).raise(
                period, contract: 1, delegation: 9, rule: "PEN-01", reason: "r", by: "ACE01")
            #expect(
                ClosingStageSite.found {
                    _ = try stages.object(
                        period, contract: 1, delegation: 9, rule: "PEN-01:telephone", reason: "r", by: "ACE01")
                } == "objection \(old) is about the same line, and waits for its decision")
            let waiver = try #require(
                try stages.decide(objection: old, isUpheld: true, reason: "yes", by: "Ana"))
            try approve(stages, waiver)
            let waived = try lines(link, "waiver")

            #expect(waived.map(\.amount) == [sum.description] && waived.map(\.subject) == ["2024-03"])
            #expect(
                ClosingStageSite.found { _ = try propose(stages, nil, rule: "PEN-01:telephone") }
                    == "adjustment \(waiver) is about the same penalty, and took back all of it")
        }
    }

    // MARK: - Objections after waivers, and penalties that rose

    @Test func `an objection to what was waived in parts is upheld, and proposes nothing more`() async throws {
        try await ClosingStageSite.with { link, stages in
            let all = try charged(link)
            _ = try stages.issue(period, by: "Ana")
            let number = try stages.object(
                period, contract: 1, delegation: 9, rule: "PEN-03", reason: "r", by: "ACE01")
            for part in [Cents(100), all - Cents(100)] { try approve(stages, propose(stages, part)) }
            func uphold(_ amount: Cents?) throws -> Int64? {
                try stages.decide(objection: number, isUpheld: true, amount: amount, reason: "r", by: "Ana")
            }
            #expect(ClosingStageSite.found { _ = try uphold(Cents(1)) }.contains("0.00 are left"))
            #expect(try uphold(nil) == nil)
            #expect(try stages.objections(period).map(\.decision) == ["upheld"])
            #expect(try stages.adjustments(period).count == 2)
        }
    }

    @Test func `a penalty that rose since its pre-statement may be waived as it is now`() async throws {
        try await ClosingStageSite.with { link, stages in
            let shown = try charged(link)
            _ = try stages.issue(period, by: "Ana")
            let number = try stages.object(
                period, contract: 1, delegation: 9, rule: "PEN-03", reason: "r", by: "ACE01")
            try link.script("UPDATE schedule SET value = (value::numeric * 2)::text WHERE rule = 'PEN-03'")
            let statement = try StatementDocument(try MonthClosing(link, period: period).preview().statements[0].body)
            let now = (statement.sections.first { $0.delegation == 9 }?.lines ?? [])
                .filter { $0.rule == "PEN-03" && $0.kind == "penalty" }
                .reduce(Cents.zero) { $0 + (Cents(pesos: $1.amount) ?? .zero) }
            #expect(now > shown)
            func uphold(_ amount: Cents?) throws -> Int64? {
                try stages.decide(objection: number, isUpheld: true, amount: amount, reason: "r", by: "Ana")
            }
            #expect(
                ClosingStageSite.found { _ = try propose(stages, now + Cents(1)) }.hasSuffix(
                    "0.00 were waived already, \(grouped(now)) are left"))
            #expect(
                ClosingStageSite.found { _ = try uphold(now + Cents(1)) }.contains("is more than there is to waive"))
            try approve(stages, propose(stages, shown))
            try approve(stages, propose(stages, Cents(1)))
            #expect(try uphold(now - shown - Cents(1)) != nil)
            #expect(try stages.adjustments(period).count == 3)
        }
    }

    @Test func `what gave a penalty back in an earlier month uses no budget up (AGY-15)`() async throws {
        try await ClosingStageSite.with { link, _ in
            try link.script(
                #"""
                INSERT INTO period VALUES (202402, 'closed', now(), now(), NULL);
                INSERT INTO statement (period, contract_id, digest, body, made_at) VALUES (202402, 1, '', '{"sections": [
                    {"lines": [{"kind": "credit", "rule": "PEN-03", "amount": "30.00"},
                        {"kind": "penalty", "rule": "PEN-03", "amount": "4.00"}]},
                    {"lines": [{"kind": "credit", "rule": "FEE-11", "amount": "7.00"}]}],
                    "totals": {"fees": "137.25"}}', now());
                """#)
            let spent = try link.transaction {
                try ClosingStore(link, period: period, step: { _ in }).spent()
            }

            #expect(spent == [1: Cents(107_25)])
        }
    }
}
