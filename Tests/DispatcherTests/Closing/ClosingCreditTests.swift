// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import PgStore
import Testing
import TestSupport

/// How much of a closed month's penalty may be given back, and of which of its lines.
struct ClosingCreditTests {
    private let period = ClosingStageSite.period
    private var april: Period { period.advanced(byMonths: 1) }

    private func closeMarch(_ link: PgLink) throws {
        try link.script(
            """
            INSERT INTO period VALUES (202404, 'open', '2024-04-01', NULL, NULL);
            CREATE TABLE outcome_202404 PARTITION OF outcome FOR VALUES IN (202404)
            """)
        _ = try MonthClosing(link, period: period).close()
    }

    /// What contract 1 is charged of a rule in delegation 9 by March's statement.
    private func charged(_ link: PgLink, _ rule: String = "PEN-03") throws -> Cents {
        let body = try #require(try StageStore(link).statement(period, contract: 1))
        let section = try #require(try StatementDocument(body).sections.first { $0.delegation == 9 })
        return section.lines.filter { $0.kind == "penalty" && $0.rule == rule }
            .reduce(Cents.zero) { $0 + (Cents(pesos: $1.amount) ?? .zero) }
    }

    private func propose(
        _ stages: StageCommands, _ amount: Cents, _ kind: Adjustment.Kind = .credit, rule: String = "PEN-03",
        delegation: Int16? = 9
    ) throws -> Int64 {
        try stages.propose(
            Adjustment(number: 0, kind: kind, rule: rule, amount: amount, about: period, reason: "r"), in: april,
            contract: 1, delegation: delegation, isBeyondInvoice: true, by: "Ana")
    }

    private func decide(_ stages: StageCommands, _ number: Int64, isApproved: Bool = true) throws {
        try stages.decide(adjustment: number, isApproved: isApproved, reason: "r", by: "Luis")
    }

    @Test func `a credit about a penalty is at most what was charged less what was waived and credited`() async throws {
        try await ClosingStageSite.with { link, stages in
            let waiver = try stages.propose(
                ClosingStageSite.waiver("PEN-03", amount: Cents(1_00)), in: period, contract: 1, delegation: 9,
                by: "Ana")
            try decide(stages, waiver)
            try closeMarch(link)
            let all = try charged(link)
            let failure = ClosingStageSite.failure { _ = try propose(stages, all - Cents(99)) }
            #expect(
                failure.found
                    == "a credit of \(grouped(all - Cents(99))) about PEN-03 of 2024-03 is more than there is to give back: "
                    + "\(grouped(all)) were charged in delegation 9, 1.00 were waived or credited already, "
                    + "\(grouped(all - Cents(1_00))) are left")
            #expect(
                failure.remedy.hasPrefix("Credit \(grouped(all - Cents(1_00))) at most. ") && failure.exit == .usage)
            // In small letters it is the same rule.
            try decide(stages, propose(stages, Cents(50), rule: "pen-03"))
            #expect(try stages.adjustments(april).map(\.adjustment.rule) == ["PEN-03"])
            let left = all - Cents(1_50)
            #expect(
                ClosingStageSite.found { _ = try propose(stages, left + Cents(1)) }.hasSuffix(
                    "\(grouped(left)) are left"))
            let waiting = try propose(stages, left)
            let none = ClosingStageSite.failure { _ = try propose(stages, Cents(1)) }
            #expect(none.found.hasSuffix("\(grouped(all)) were waived or credited already, 0.00 are left"))
            #expect(none.remedy == "Of it waits for a decision: adjustment \(waiting).")
            // What was rejected or withdrawn leaves its room, and a debit that is in force makes more.
            try decide(stages, waiting, isApproved: false)
            let again = try propose(stages, left)
            try decide(stages, again)
            try decide(stages, stages.withdraw(adjustment: again, reason: "r", by: "Ana"))
            let debit = try propose(stages, Cents(7), .debit)
            #expect(
                ClosingStageSite.found { _ = try propose(stages, left + Cents(7)) }.hasSuffix(
                    "\(grouped(left)) are left"))
            try decide(stages, debit)
            _ = try propose(stages, left + Cents(7))
            // Fees are held to no line.
            _ = try propose(stages, all + all, rule: "FEE-11")
        }
    }

    /// 39,000.00 of PEN-01 and 5,000.00 of PEN-02, of which the limit of 10,000.00 left 10,000.00. A debit of 100.00 came later.
    @Test func `what a limit of penalties did not charge is not given back (AMB-15)`() async throws {
        let body = """
            {"sections":[{"delegation":9,"lines":[\(Self.line("PEN-01", "penalty", "39000.00", "telephone"))]},
            {"delegation":14,"lines":[\(Self.line("PEN-02", "penalty", "5000.00"))]},
            {"lines":[\(Self.line("AMB-15", "penalty-cap", "34000.00"))]}]}
            """
        try await LeanMonth.with(LeanMonth.aprilIsOver) { month in
            let document = try #require(try month.statements().first { $0.contract == 1 })
            let stages = StageCommands(month.link, needsTwo: true)
            // The kept statement of the month, with the lines of the scenario in the place of its own.
            try month.link.run(
                """
                INSERT INTO statement
                SELECT 202403, 1, '', ($1::jsonb || jsonb_build_object('sections', (
                    SELECT jsonb_agg(jsonb_build_object('notes', '[]'::jsonb, 'totals', $1::jsonb -> 'totals') || s)
                    FROM jsonb_array_elements($2::jsonb -> 'sections') s)))::text, now()
                """, [.text(document.body), .text(body)])
            try month.link.script("UPDATE period SET state = 'closed', closed_at = now() WHERE period = 202403")
            func refused(_ amount: Int64, _ rule: String = "PEN-01:telephone", _ delegation: Int16 = 9) -> String {
                let failure = ClosingStageSite.failure {
                    _ = try propose(stages, Cents(amount), rule: rule, delegation: delegation)
                }
                return failure.remedy.hasPrefix("Credit ")
                    ? String(failure.remedy.prefix { $0 != ";" }.prefix(28)) : failure.found
            }
            let failure = ClosingStageSite.failure {
                _ = try propose(stages, Cents(39_000_00), rule: "PEN-01:telephone")
            }
            #expect(
                failure.found.hasSuffix(
                    "39,000.00 are left; of the month's penalties the limit (AMB-15) did not charge 34,000.00, so that without what is "
                        + "credited 5,000.00 less would have been"))
            #expect(failure.remedy.hasPrefix("Credit 5,000.00 at most. "))
            // Without PEN-02 alone as much would be charged as is.
            #expect(refused(1, "PEN-02", 14).hasSuffix("0.00 less would have been"))
            try decide(stages, propose(stages, Cents(5_000_00), rule: "PEN-01:telephone"))
            #expect(refused(1).hasSuffix("0.00 less would have been"))
            // What was given back may be charged again, and no limit cut that.
            let debit = try propose(stages, Cents(100_00), .debit, rule: "PEN-01:telephone")
            try decide(stages, debit)
            #expect(refused(100_01) == "Credit 100.00 at most. `disp")
            try decide(stages, propose(stages, Cents(100_00), rule: "PEN-01:telephone"))
            #expect(refused(1).hasSuffix("0.00 less would have been"))
            // Without both nothing is charged: the other 5,000.00 are left.
            #expect(refused(5_000_01, "PEN-02", 14) == "Credit 5,000.00 at most. `di")
            _ = try propose(stages, Cents(5_000_00), rule: "PEN-02", delegation: 14)
        }
    }

    /// The month's penalties may be as much as its invoice, of which they are less, or what it charged where the limit took something.
    @Test(arguments: ["100", "0"])
    func `debits about penalties stay below the limit of their month (AMB-15)`(percent: String) async throws {
        try await ClosingStageSite.with { link, stages in
            try link.script(
                """
                INSERT INTO schedule SELECT schedule, kind, effective_on, 'AMB-15', 'max_total_pct', '\(percent)'
                FROM schedule WHERE kind = 'penalty' AND rule = 'IVA' AND parameter = 'rate';
                UPDATE schedule SET value = value::numeric * 1000 WHERE rule = 'FEE-11' AND value ~ '^[0-9.]+$';
                """)
            try closeMarch(link)
            let statement = try StatementDocument(try #require(try StageStore(link).statement(period, contract: 1)))
            let lines = statement.sections.flatMap(\.lines)
            func sum(_ kinds: Set<String>) -> Cents {
                lines.filter { kinds.contains($0.kind) }.reduce(Cents.zero) { $0 + (Cents(pesos: $1.amount) ?? .zero) }
            }
            let charged = sum(["penalty"]) - sum(["penalty-cap"])
            let limit = percent == "0" ? charged : sum(["fee"])
            let left = limit - charged
            #expect((left == .zero) == (percent == "0"))
            let failure = ClosingStageSite.failure { _ = try propose(stages, left + Cents(1), .debit) }
            let start =
                "a debit of \(grouped(left + Cents(1))) about PEN-03 of 2024-03 is more than the month's limit of penalties (AMB-15) "
            let end =
                "leaves: it is \(grouped(limit)), of which \(grouped(charged)) were charged and 0.00 debited since, 0.00 were credited, "
            let told = start + end + "and \(grouped(left)) are left"
            #expect(failure.found == told && failure.exit == .usage)
            let namesMost = failure.remedy.contains(" at most. ")
            #expect(namesMost == (percent != "0"))
            // Fees have no such limit.
            _ = try propose(stages, left + Cents(1), .debit, rule: "FEE-11")
            guard percent != "0" else { return }
            let first = try propose(stages, left, .debit)
            let more = ClosingStageSite.failure { _ = try propose(stages, Cents(1), .debit) }
            #expect(more.remedy == "Of it waits for a decision: adjustment \(first).")
            // Of the contract, and not of the place; and by what holds when it is approved.
            let elsewhere = ClosingStageSite.failure { _ = try propose(stages, Cents(1), .debit, delegation: 14) }
            #expect(elsewhere.found.hasSuffix("and 0.00 are left"))
            try link.script("UPDATE schedule SET value = '0.01' WHERE rule = 'AMB-15'")
            let late = ClosingStageSite.failure { try decide(stages, first) }
            #expect(late.found.contains("AMB-15"))
            try link.script("UPDATE schedule SET value = '\(percent)' WHERE rule = 'AMB-15'")
            try decide(stages, first)
            // Once a credit is approved, there is room again.
            let credit = try propose(stages, Cents(5))
            let early = ClosingStageSite.failure { _ = try propose(stages, Cents(5), .debit) }
            #expect(early.found.hasSuffix("and 0.00 are left"))
            try decide(stages, credit)
            _ = try propose(stages, Cents(5), .debit)
        }
    }

    private static func line(_ rule: String, _ kind: String, _ amount: String, _ subject: String = "") -> String {
        """
        {"rule":"\(rule)","kind":"\(kind)","amount":"\(amount)","subject":"\(subject)","schedule":"fines@2023-01-01","clause":"",
        "base":{"pesos":"0.00"},"rate":{"pesos":"0.00"},"facts":[],"records":[],"arithmetic":"","arithmeticInEnglish":""}
        """
    }

    @Test func `a credit is about a penalty that the statement has there`() async throws {
        try await ClosingStageSite.with { link, stages in
            try closeMarch(link)
            for (rule, delegation, told) in [
                ("PEN-03", nil, "PEN-03 on the whole invoice"), ("PEN-06", 9, "PEN-06 in delegation 9"),
                ("PEN-03", 20, "PEN-03 in delegation 20"), ("PEN-03:telephone", 9, "PEN-03:telephone in delegation 9"),
            ] as [(String, Int16?, String)] {
                let failure = ClosingStageSite.failure {
                    _ = try propose(stages, Cents(1), rule: rule, delegation: delegation)
                }
                #expect(failure.found == "the statement of contract 1 of 2024-03 has no \(told)")
                #expect((delegation == 9) == (failure.remedy.contains("PEN-03")) && failure.exit == .usage)
            }
            for rule in ["PEN-01:" + "fax", "PEN-03:telephone"] {
                #expect(
                    ClosingStageSite.found { _ = try propose(stages, Cents(1), .debit, rule: rule) }
                        == "\(rule.prefix(6)) has no line \(rule.dropFirst(7))")
            }
            #expect(
                ClosingStageSite.found { _ = try propose(stages, Cents(1), rule: "FEE-11:telephone") }
                    == "FEE-11:telephone is no rule of fees or penalties")
            #expect(try stages.adjustments(april).isEmpty)
        }
    }

    @Test func `each portfolio of PEN-01 is credited and debited by itself`() async throws {
        try await ClosingStageSite.with { link, stages in
            try link.script(
                """
                DELETE FROM fact WHERE kind = 'staffing';
                INSERT INTO fact (period, fact_id, kind, contract_id, delegation_id, on_date, portfolio, value, import_id)
                SELECT 202403, 'Z-' || p, 'staffing', 1, 9, '2024-03-30', p, '0', 1 FROM generate_series(1, 2) p;
                """)
            try closeMarch(link)
            let failure = ClosingStageSite.failure { _ = try propose(stages, Cents(1), rule: "PEN-01") }
            #expect(failure.found.contains(" has 2 lines of PEN-01 there"))
            #expect(failure.remedy == "Name one of them: PEN-01:home-visit or PEN-01:telephone.")
            let body = try #require(try StageStore(link).statement(period, contract: 1))
            let telephone = try #require(
                try StatementDocument(body).sections.first { $0.delegation == 9 }?.lines.first {
                    $0.rule == "PEN-01" && $0.subject == "telephone"
                }.flatMap { Cents(pesos: $0.amount) })
            let whole = try charged(link, "PEN-01")
            #expect(telephone > .zero && telephone < whole)
            #expect(
                ClosingStageSite.found { _ = try propose(stages, telephone + Cents(1), rule: "PEN-01:telephone") }
                    .contains("\(grouped(telephone)) were charged in delegation 9, 0.00 were waived"))
            try decide(stages, propose(stages, telephone, rule: "pen-01:Telephone"))
            try decide(stages, propose(stages, Cents(5), .debit, rule: "PEN-01:home-visit"))
            // The other one is there still.
            _ = try propose(stages, whole - telephone + Cents(5), rule: "PEN-01:home-visit")
            let statement = try StatementDocument(try MonthClosing(link, period: april).preview().statements[0].body)
            let lines = (statement.sections.first { $0.delegation == 9 }?.lines ?? []).filter {
                ["credit", "debit"].contains($0.kind)
            }
            #expect(lines.map(\.rule) == ["PEN-01", "PEN-01"] && lines.map(\.subject) == ["2024-03", "2024-03"])
            #expect(lines.first?.arithmetic == "\(grouped(telephone)) sobre PEN-01:telephone de 2024-03: r")
        }
    }

    /// Each in a month of its own, so that they meet at the month that they are about. Nobody can store an adjustment before both of them
    /// wait: for that, or one for the other.
    @Test(.timeLimit(.minutes(2)))
    func `of two sessions that credit the same penalty at once one is told that nothing is left`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingStageSite.make(link)
            try closeMarch(link)
            try link.script("INSERT INTO period VALUES (202405, 'open', '2024-05-01', NULL, NULL)")
            let all = try charged(link)
            let (about, months) = (period, [april, april.advanced(byMonths: 1)])
            let gate = try database.link()
            try gate.script("BEGIN; LOCK TABLE adjustment IN SHARE MODE")
            let results = try await withThrowingTaskGroup(of: String.self) { group in
                for month in months {
                    group.addTask {
                        try await onThread {
                            do {
                                _ = try StageCommands(try database.link(), needsTwo: true).propose(
                                    Adjustment(
                                        number: 0, kind: .credit, rule: "PEN-03", amount: all, about: about, reason: "r"
                                    ),
                                    in: month, contract: 1, delegation: 9, by: "Ana")
                                return "taken"
                            } catch let failure as CommandFailure {
                                return String(failure.found.suffix(13))
                            }
                        }
                    }
                }
                try await until {
                    try link.run(
                        """
                        SELECT count(*) FROM pg_stat_activity
                        WHERE datname = current_database() AND wait_event_type = 'Lock'
                        """)[0].int64(0) == Int64(months.count)
                }
                try gate.script("COMMIT")
                return try await group.reduce(into: [String]()) { $0.append($1) }
            }

            #expect(results.sorted() == ["0.00 are left", "taken"].sorted())
            #expect(try StageStore(link).adjustments(nil).map(\.adjustment.amount) == [all])
        }
    }
}
