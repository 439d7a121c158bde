// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import FoundationEssentials
import PgStore
import TestSupport
import Testing

/// Every kind of line is led down to its records and its clause.
struct ExplanationTests {
    private func explain(
        _ link: PgLink, _ rule: String, period: Period = ClosingFixture.period,
        _ change: (inout StatementExplanation.Question) -> Void = { _ in }
    ) throws -> StatementExplanation {
        var question = StatementExplanation.Question()
        question.rule = rule
        change(&question)
        return try StatementExplanation(link, period: period, question)
    }

    private func with(_ script: String, _ body: (PgLink) throws -> Void) async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 9)
            try link.script(script)
            _ = try MonthClosing(link, period: ClosingFixture.period).close()
            try body(link)
        }
    }

    /// The line of 6.00: 4 % of three payments of 50.00, on accounts that are 45 days late and 100.00 overdue.
    @Test func `contingency goes down to goal, rate, accounts and payments (FEE-01 to FEE-05)`() async throws {
        try await with(SuspensionsTests.bands) { link in
            let explanation = try explain(link, "FEE-02")
            let line = try #require(explanation.lines.first)

            #expect(explanation.lines.count == 1 && line.amount == "6.00")
            #expect(line.terms == ["minimum 65", "0-40 4", "41-100 6.5"])
            #expect(
                line.grounds.contains {
                    $0.hasPrefix("goal of the band 31–60: ")
                        && $0.hasSuffix(
                            " % recovered by this contract in delegation 9 alone; the minimum, 65 %, is the agency's over all that "
                                + "follows")
                })
            #expect(
                line.grounds.contains {
                    $0.hasPrefix("of the agency in the band: contract 1, delegation 9, 150.00 recovered of ")
                })
            // The agency's other contract and delegations, in which nothing was recovered.
            #expect(line.grounds.count { $0.hasPrefix("of the agency in the band: ") } == 4)
            #expect(line.facts.isEmpty)
            #expect(line.accounts.map(\.account) == ["1001", "1002", "1003"])
            #expect(line.accounts.allSatisfy { $0.daysLate == 45 && $0.overdue == "100.00" && $0.paid == "50.00" })
            #expect(line.accounts.flatMap { $0.payments.map(\.payment) } == ["P1", "P2", "P3"])
            #expect(
                explanation.words.contains {
                    $0.hasPrefix("    payment P1 of 2024-03-03: 50.00, borrower, feed of 2024-03, from f  [")
                })
            let few = try explain(link, "FEE-02") { $0.recordsMax = 1 }
            #expect(few.lines[0].accounts.count == 1 && few.lines[0].accountCount == 3)
            #expect(few.words.contains("  2 more accounts; --records N shows more"))
        }
    }

    @Test func `what is given back names the payment, and the statement that paid it`() async throws {
        try await with(SuspensionsTests.bands) { link in
            try link.script(
                """
                INSERT INTO period VALUES (202404, 'open', now(), NULL, NULL);
                CREATE TABLE outcome_202404 PARTITION OF outcome FOR VALUES IN (202404);
                INSERT INTO payment VALUES (202404, 'R1', 9, 1001, '2024-04-02', 5000, 'borrower', 'P1', 1);
                UPDATE clock SET virtual_now = '2024-05-20T06:00:00Z';
                """)
            let april = ClosingFixture.period.advanced(byMonths: 1)
            _ = try MonthClosing(link, period: april).close(evenIfEmpty: true)
            let line = try #require(try explain(link, "FEE-02", period: april).lines.first)

            #expect(line.kind == "fee-cut" && line.amount == "2.00")
            #expect(line.accounts.map(\.account) == ["1001"] && line.accounts[0].paid == "-50.00")
            #expect(line.accounts[0].payments.map(\.reverses) == ["P1"])
            #expect(
                line.grounds == [
                    "paid by the statement of 2024-03: `dispatcherd statement explain --period 2024-03 --contract 1 "
                        + "--delegation 9 --rule FEE-02`"
                ])
        }
    }

    private static let plan = """
        INSERT INTO schedule VALUES ('fines', 'penalty', '2023-01-01', 'PEN-02', 'rate', '5'),
            ('fines', 'penalty', '2023-01-01', 'PEN-02', 'threshold', '80');
        INSERT INTO fact (period, fact_id, kind, contract_id, delegation_id, on_date, subject, value, minimum, weight, import_id)
        VALUES (202403, 'G-1', 'goal', 1, 14, '2024-03-01', 'worked', '', '5000', '2', 1),
            (202403, 'G-2', 'goal', 1, 14, '2024-03-01', 'promises:rest', '', '5000', '1', 1),
            (202403, 'G-3', 'goal', 1, 14, '2024-03-01', 'contacted', '10', '10', '1', 1);
        """

    @Test func `a goal that was counted leads to the outcomes that it counts`() async throws {
        try await with(Self.plan) { link in
            let line = try #require(try explain(link, "PEN-02") { $0.recordsMax = 3 }.lines.first)
            let valid = """
                SELECT count(DISTINCT o.account_id) FROM outcome o LEFT JOIN review r USING (outcome_id)
                JOIN position p ON p.hand_id = o.hand_id AND p.position = o.position
                WHERE o.contract_id = 1 AND o.delegation_id = 14 AND coalesce(r.decision = 'approved',
                    NOT (o.result ~ '^dwelling-|^agreement-signed$' OR coalesce('HRS-01' = ANY (o.marks), false)))
                """
            let worked = try link.run(valid)[0].int64(0)
            let promised = try link.run(valid + " AND o.result = 'promise' AND p.tactic = 'rest'")[0].int64(0)

            #expect(line.terms == ["rate 5", "threshold 80"])
            #expect(line.facts.map { Int64($0.recordCount) } == [worked, promised, 0])
            #expect(worked > 3 && promised > 0)
            #expect(line.facts[0].text.contains("worked: \(worked) accounts counted from valid outcomes, minimum 5000"))
            #expect(line.facts[2].text.contains("contacted = 10, minimum 10"))
            #expect(line.facts[0].records.count == 3 && Set(line.facts[0].records.map(\.account)).count == 3)
            #expect(line.facts[1].records.allSatisfy { $0.result == "promise" })
            // What the rate is of: the delegation's fees.
            #expect(
                line.grounds.count == 1 && line.grounds[0].hasPrefix("its base is FEE-11 administrative.agreement "))
        }
    }

    /// Five breaches in delegation 14 by March: on the whole invoice of November, brought by an opening, in January, by a debit about
    /// February that March's statement has, and March's own.
    @Test func `each breach of PEN-08 leads to what charged it, be it a debit, the whole invoice or an opening`()
        async throws
    {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 9)
            try link.script(Self.plan + Self.breaches)
            let march = ClosingFixture.period
            let body = try #require(
                try MonthClosing(link, period: march).preview().statements.first { $0.contract == 1 }
            ).body
            let january = body.replacing(#""period":"2024-03""#, with: #""period":"2024-01""#)
            let november = body.replacing(#""period":"2024-03""#, with: #""period":"2023-11""#)
                .replacing("PEN-02", with: "PEN-04").replacing(#""delegation":14,"#, with: "")
            try link.script(Self.debit)
            for (period, body) in [(202401, january), (202311, november)] as [(Int32, String)] {
                try link.run(
                    "INSERT INTO statement VALUES ($1, 1, sha256(convert_to($2, 'UTF8')), $2, now())",
                    [.int32(period), .text(body)])
            }
            _ = try MonthClosing(link, period: march).close()
            let line = try #require(try explain(link, "PEN-08") { $0.delegation = 14 }.lines.first { $0.contract == 1 })

            #expect(
                line.facts.map { $0.text.replacing(/`[^`]*`/, with: "…") } == [
                    "2023-11/PEN-04: a breach of 2023-11; on the whole invoice: …",
                    "2023-12/PEN-04: a breach of 2023-12; brought by an opening, o.csv",
                    "2024-01/PEN-02: a breach of 2024-01; …",
                    "2024-02/PEN-02: a breach of 2024-02; by the debit A-1 in the statement of 2024-03: …",
                    "2024-03/PEN-02: a breach of 2024-03; …",
                ])
            let kinds = try line.facts.map { try asked($0.text, link) }
            #expect(kinds == [["penalty"], [], ["penalty"], ["penalty", "debit"], ["penalty", "debit"]])
        }
    }

    /// The kinds of the lines that a command of a fact's text finds; none where it names no command.
    private func asked(_ text: String, _ link: PgLink) throws -> [String] {
        let parts = text.split(separator: "`").map(String.init)
        guard parts.count > 1 else { return [] }
        let words = parts[1].split(separator: " ").map(String.init)
        var options: [String: String] = [:]
        for (name, value) in zip(words, words.dropFirst()) where name.hasPrefix("--") { options[name] = value }
        var question = StatementExplanation.Question()
        question.rule = options["--rule"]
        question.contract = options["--contract"].flatMap { Int32($0) }
        question.delegation = options["--delegation"].flatMap { Int16($0) }
        let period = try #require(options["--period"].flatMap { Period(text: $0) })
        return try StatementExplanation(link, period: period, question).lines.map(\.kind)
    }

    private static let breaches = """
        INSERT INTO schedule VALUES ('fines', 'penalty', '2023-01-01', 'PEN-08', 'rate', '1'),
            ('fines', 'penalty', '2023-01-01', 'PEN-08', 'count', '5'), ('fines', 'penalty', '2023-01-01', 'PEN-08', 'months', '6');
        INSERT INTO period SELECT p, 'closed', '2023-01-01', '2024-01-01' FROM unnest('{202311,202312,202401,202402}'::int[]) p;
        INSERT INTO import (kind, period, file_name, digest, rows_good, rows_bad, imported_at)
        VALUES ('opening', 202402, 'o.csv', 'o', 1, 0, '2024-02-01');
        INSERT INTO opening_breach (period, contract_id, delegation_id, rule, import_id)
        SELECT 202312, 1, 14, 'PEN-04', max(import_id) FROM import;
        """

    private static let debit = """
        INSERT INTO adjustment (period, about, contract_id, delegation_id, kind, rule, amount, decision, reason, proposed_by, proposed_at,
            decided_by, decided_at)
        VALUES (202403, 202402, 1, 14, 'debit', 'PEN-02', 500, 'approved', 'found late', 'Ana', now(), 'Luis', now());
        """

    @Test func `what persons changed names them, their reasons and the objection`() async throws {
        try await ProvenMonth.with(stages: true) { month in
            let explanation = try explain(month.link, "FEE-11") {
                $0.contract = 1
                $0.delegation = 9
            }
            let credit = try #require(explanation.lines.first { $0.kind == "credit" })
            try #require(credit.facts.count == 2)
            #expect(credit.facts[0].text.contains("proposed by Ana Ruiz: "))
            #expect(credit.facts[0].text.contains("approved by Luis Soto: seen"))
            #expect(credit.facts[1].text.contains("by ACE01 at ") && credit.facts[1].text.contains(": one more"))
            #expect(credit.facts[1].text.hasSuffix("upheld by Ana Ruiz: yes"))
            // Each is a record, and so is the statement.
            for receipt in credit.facts.map(\.receipt) + [credit.statementReceipt] {
                let bytes = try #require(LedgerTree.bytes(hex: receipt))
                _ = try RootSigning(month.link).prove(receipt: bytes).check()
            }
        }
    }

    /// An invoice of 1,234,567.89 in delegation 14 and a work plan that was missed: 5 % are 61,728.39, with IVA 71,604.93.
    private static let invoice = """
        DELETE FROM review;
        DELETE FROM outcome WHERE contract_id = 1 AND delegation_id = 14 AND outcome_id <> (
            SELECT min(outcome_id) FROM outcome o JOIN hand h USING (delegation_id, hand_id)
            WHERE o.contract_id = 1 AND o.delegation_id = 14 AND h.strategy = 2);
        UPDATE outcome SET channel = 'phone-out', contact = 'direct', result = 'refusal', marks = NULL
        WHERE contract_id = 1 AND delegation_id = 14;
        UPDATE schedule SET value = '1234567.89' WHERE parameter = 'administrative.phone';
        """

    @Test(arguments: [nil, "PEN-02"] as [String?])
    func `why 71,604.93 in delegation 14, also where the rule is named`(rule: String?) async throws {
        try await with(Self.plan + Self.invoice) { link in
            var question = StatementExplanation.Question()
            question.rule = rule
            question.delegation = 14
            question.amount = Cents(71_604_93)
            let explanation = try StatementExplanation(link, period: ClosingFixture.period, question)

            #expect(
                explanation.sums == [
                    "contract 1, delegation 14: 71,604.93 is PEN-02, 61,728.39, with IVA 9,876.54"
                ])
            #expect(explanation.lines.map(\.rule) == ["PEN-02"])
            #expect(explanation.lines.first?.amount == "61728.39")
        }
    }

    private static func line(_ kind: String, _ rule: String, _ amount: String, percent: String) throws
        -> StatementDocument.Line
    {
        let text = """
            {"kind": "\(kind)", "rule": "\(rule)", "schedule": "s@2023-01-01", "subject": "", "clause": "", "base": {}, "rate":
             {"percent": "\(percent)"}, "amount": "\(amount)", "facts": [], "records": [], "arithmetic": ""}
            """
        return try JSONDecoder().decode(StatementDocument.Line.self, from: Data(text.utf8))
    }

    /// Fees of 100.00 at 16 %, penalties of 100.00 at 8 % or without IVA: each side has its own rate, or none.
    @Test func `a line with its IVA is of its own side's rate`() throws {
        let fee = try Self.line("fee", "FEE-01", "100.00", percent: "5")
        let penalty = try Self.line("penalty", "PEN-02", "100.00", percent: "5")
        let onFees = try Self.line("tax-on-fees", "IVA", "16.00", percent: "16")
        let onPenalties = try Self.line("tax-on-penalties", "IVA", "8.00", percent: "8")
        func found(_ pesos: Int64, _ taxes: [StatementDocument.Line]) -> [String] {
            let totals = try? JSONDecoder().decode(
                StatementDocument.Totals.self,
                from: Data(
                    #"{"fees": "0", "penalties": "0", "taxOnFees": "0", "taxOnPenalties": "0", "payable": "0"}"#.utf8))
            return AmountMatch(
                Cents(pesos * 100), totals: totals.map { [$0] } ?? [], [fee, penalty], taxes: SectionTaxes(taxes)
            ).sums
        }

        #expect(found(116, [onFees, onPenalties]) == ["116.00 is FEE-01, 100.00, with IVA 16.00"])
        #expect(found(108, [onFees, onPenalties]) == ["108.00 is PEN-02, 100.00, with IVA 8.00"])
        #expect(found(116, [onFees]) == ["116.00 is FEE-01, 100.00, with IVA 16.00"])
        #expect(found(108, [onFees]) == [])
        #expect(found(116, [onPenalties]) == [])
    }

    /// Contract 2's budget runs out, its penalties have a limit; all of it with what it is made of.
    @Test func `taxes, budgets, limits and staffing name what they are made of`() async throws {
        try await with(
            Self.plan
                + """
                INSERT INTO schedule VALUES ('fees', 'fee', '2023-01-01', 'AGY-15', 'budget', '900.00'),
                    ('fines', 'penalty', '2023-01-01', 'AMB-15', 'max_total_pct', '1');
                """
        ) { link in
            for rule in ["IVA", "AGY-15", "AMB-15", "PEN-01", "PEN-02"] {
                let lines = try explain(link, rule).lines.filter { $0.amount != "0.00" }
                #expect(!lines.isEmpty && lines.allSatisfy { !$0.grounds.isEmpty }, "\(rule)")
            }
            let tax = try #require(try explain(link, "IVA").lines.first { $0.kind == "tax-on-fees" })
            #expect(tax.grounds.first?.hasPrefix("its base is FEE-11 ") == true)
            let staffing = try #require(try explain(link, "PEN-01").lines.first)
            #expect(staffing.grounds[0].hasPrefix("assigned: ") && staffing.grounds[0].contains(" dealt − "))
            let limit = try #require(try explain(link, "AMB-15").lines.first)
            #expect(limit.grounds[0].hasPrefix("limited: PEN-"))
            #expect(limit.terms == ["max_total_pct 1"])
        }
    }
}
