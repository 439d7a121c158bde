// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import PgStore
import Testing

/// What adjustments may be about, what is told of large ones, and how they are taken back.
struct ClosingAdjustmentTests {
    private let period = ClosingStageSite.period
    private var april: Period { period.advanced(byMonths: 1) }

    private func waive(
        _ stages: StageCommands, _ rule: String = "PEN-03", contract: Int32 = 1, delegation: Int16? = 9
    ) throws -> Int64 {
        try stages.propose(
            ClosingStageSite.waiver(rule), in: period, contract: contract, delegation: delegation, by: "Ana")
    }

    @Test(
        arguments: [
            (7, 9, "PEN-03", "there is no contract 7"), (1, 9, "PEN" + "-77", "PEN" + "-77 is no penalty"),
            (1, 9, "PEN-06", "the statement of contract 1 has no PEN-06 in delegation 9"),
            (1, nil, "PEN-03", "the statement of contract 1 has no PEN-03 on the whole invoice"),
            (1, 20, "PEN-03", "the statement of contract 1 has no PEN-03 in delegation 20"),
            (1, 9, "A-1", "a waiver is of a penalty of the month itself"),
        ] as [(Int32, Int16?, String, String)])
    func `a waiver is of a penalty that the contract's statement has`(
        contract: Int32, delegation: Int16?, rule: String, told: String
    ) async throws {
        try await ClosingStageSite.with { _, stages in
            let failure = ClosingStageSite.failure {
                _ = try waive(stages, rule, contract: contract, delegation: delegation)
            }
            let left = try stages.adjustments(period)

            #expect(failure.found == told && failure.exit == .usage)
            #expect(!told.hasPrefix("the statement") || failure.remedy.contains("PEN-03 in delegation 9"))
            #expect(left.isEmpty)
        }
    }

    @Test func `a penalty of since the pre-statements may be waived as well`() async throws {
        try await ClosingStageSite.with { link, stages in
            try link.script("UPDATE fact SET value = 'yes', subject = 'ok' WHERE kind = 'visit'")
            _ = try stages.issue(period, by: "Ana")
            #expect(ClosingStageSite.found { _ = try waive(stages) }.contains("has no PEN-03 in delegation 9"))
            try link.script("UPDATE fact SET subject = 'adviser-absent' WHERE fact_id = 'V-9'")

            _ = try waive(stages)
        }
    }

    // MARK: - Credits and debits

    private func closeMarch(_ link: PgLink) throws -> Cents {
        try link.script(
            """
            INSERT INTO period VALUES (202404, 'open', '2024-04-01', NULL, NULL);
            CREATE TABLE outcome_202404 PARTITION OF outcome FOR VALUES IN (202404)
            """)
        let month = try MonthClosing(link, period: period).close().month
        return try #require(Cents(pesos: try StatementDocument(month.statements[0].body).totals.fees))
    }

    private func propose(
        _ stages: StageCommands, _ kind: Adjustment.Kind, _ amount: Cents, rule: String = "FEE-11", contract: Int32 = 1,
        delegation: Int16? = nil
    ) throws -> Int64 {
        try stages.propose(
            Adjustment(number: 0, kind: kind, rule: rule, amount: amount, about: period, reason: "r"), in: april,
            contract: contract, delegation: delegation, isBeyondInvoice: true, by: "Ana")
    }

    /// Contract 1 is paid by services; with the published bands it is paid by those, too.
    @Test(arguments: [Adjustment.Kind.credit, .debit])
    func `fees are put right by the rules that the contract's schedule has`(kind: Adjustment.Kind) async throws {
        try await ClosingStageSite.with { link, stages in
            _ = try closeMarch(link)
            for rule in ["FEE-02", "fee-05", "AGY-15"] {
                let failure = ClosingStageSite.failure { _ = try propose(stages, kind, Cents(1), rule: rule) }
                #expect(failure.found == "contract 1 had no \(rule.uppercased()) in 2024-03" && failure.exit == .usage)
                #expect(failure.remedy == "Its fees are put right by FEE-11; IVA follows from them.")
            }
            // The statement was billed by it, whatever the schedule says by now.
            try link.script(
                """
                UPDATE statement SET body = replace(body, '"rule":"FEE-11"', '"rule":"FEE-02"') WHERE contract_id = 1;
                INSERT INTO schedule VALUES ('fees', 'fee', '2023-01-01', 'AGY-15', 'budget', '99999999.00')
                """)
            _ = try propose(stages, kind, Cents(1), rule: "FEE-02", delegation: 9)
            _ = try propose(stages, kind, Cents(1), rule: "AGY-15")
            let failure = ClosingStageSite.failure {
                _ = try propose(stages, kind, Cents(1), rule: "AGY-15", delegation: 9)
            }
            #expect(failure.found == "AGY-15 limits the whole invoice, and no delegation of it")
            #expect(
                ClosingStageSite.failure { _ = try propose(stages, kind, Cents(1), rule: "FEE-01") }.remedy
                    == "Its fees are put right by FEE-11, AGY-15, FEE-02; IVA follows from them.")
            try link.script(
                """
                INSERT INTO schedule VALUES ('fees', 'fee', '2023-01-01', 'FEE-01', 'minimum', '75'),
                    ('fees', 'fee', '2023-01-01', 'FEE-01', '0-100', '3')
                """)
            _ = try propose(stages, kind, Cents(1), rule: "FEE-01")
        }
    }

    @Test func `a debit beyond the invoice needs to be meant`() async throws {
        try await ClosingStageSite.with { link, stages in
            let invoice = try closeMarch(link)
            func debit(_ amount: Cents, isMeant: Bool = false) throws -> Int64 {
                try stages.propose(
                    Adjustment(
                        number: 0, kind: .debit, rule: "PEN-03", amount: amount, about: period, reason: "r"),
                    in: april, contract: 1, delegation: 9, isBeyondInvoice: isMeant, by: "Ana")
            }
            let first = try debit(Cents(1))
            let failure = ClosingStageSite.failure { _ = try debit(invoice) }
            #expect(
                failure.found
                    == "debits about 2024-03 of contract 1 come to \(grouped(invoice + Cents(1))), more than its invoice of "
                    + grouped(invoice))
            #expect(failure.remedy.contains("--beyond-invoice") && failure.exit == .usage)
            #expect(try stages.adjustments(april).map(\.adjustment.number) == [first])
            _ = try debit(invoice - Cents(1))
            _ = try debit(Cents(1), isMeant: true)
        }
    }

    @Test(
        arguments: [
            (7, 9, "FEE-11", "there is no contract 7"), (1, 9, "IVA", "IVA is no rule of fees or penalties"),
            (1, 20, "FEE-11", "contract 1 does not work in delegation 20"),
        ] as [(Int32, Int16?, String, String)])
    func `a credit is of a rule, a contract and where that works`(
        contract: Int32, delegation: Int16?, rule: String, told: String
    ) async throws {
        try await ClosingStageSite.with { link, stages in
            _ = try closeMarch(link)
            let failure = ClosingStageSite.failure {
                _ = try propose(stages, .credit, Cents(1), rule: rule, contract: contract, delegation: delegation)
            }

            #expect(failure.found == told && failure.exit == .usage)
            #expect(told.hasPrefix("contract 1") == (failure.remedy == "It works in 9, 14."))
            _ = try propose(stages, .credit, Cents(1), rule: "PEN-03", delegation: 9)
            _ = try propose(stages, .credit, Cents(1), delegation: 14)
        }
    }

    @Test(arguments: [Adjustment.Kind.credit, .debit])
    func `what comes to more than the invoice is told with both figures`(kind: Adjustment.Kind) async throws {
        try await ClosingStageSite.with { link, stages in
            let invoice = try closeMarch(link)
            let all = try propose(stages, kind, invoice)
            let other = try propose(stages, kind == .credit ? .debit : .credit, Cents(1))
            #expect(try stages.beyondInvoice(adjustment: all) == nil)
            let more = try propose(stages, kind, Cents(1))
            let told =
                "\(kind.rawValue)s about 2024-03 of contract 1 come to \(grouped(invoice + Cents(1))), more than its invoice of "
                + grouped(invoice)
            #expect(try stages.beyondInvoice(adjustment: more) == told)
            #expect(try stages.beyondInvoice(adjustment: all) == told)
            #expect(try stages.beyondInvoice(adjustment: other) == nil)
            try stages.decide(adjustment: more, isApproved: true, reason: "r", by: "Luis")
            #expect(try stages.beyondInvoice(adjustment: more) == told)
            let withdrawal = try stages.withdraw(adjustment: more, reason: "r", by: "Ana")
            try stages.decide(adjustment: withdrawal, isApproved: true, reason: "r", by: "Luis")

            #expect(try stages.beyondInvoice(adjustment: all) == nil)
        }
    }

    @Test func `a credit of an objection is held to the invoice of the month itself`() async throws {
        try await ClosingStageSite.with { _, stages in
            _ = try stages.issue(period, by: "Ana")
            let fees = try #require(
                Cents(pesos: try StatementDocument(try stages.preStatements(period)[0].body).totals.fees))
            func uphold(_ delegation: Int16, _ amount: Cents) throws -> Int64 {
                let number = try stages.object(
                    period, contract: 1, delegation: delegation, rule: "FEE-11", reason: "r", by: "ACE01")
                return try #require(
                    try stages.decide(objection: number, isUpheld: true, amount: amount, reason: "r", by: "Ana"))
            }
            #expect(try stages.beyondInvoice(adjustment: uphold(9, fees)) == nil)
            #expect(try stages.beyondInvoice(adjustment: uphold(14, Cents(1))) != nil)
        }
    }

    // MARK: - Withdrawals

    @Test func `an approved adjustment is taken back by two persons, and both stay on record`() async throws {
        try await ClosingStageSite.with { link, stages in
            let closing = MonthClosing(link, period: period)
            let before = try closing.preview().statements.map(\.body)
            let waiver = try waive(stages)
            try stages.decide(adjustment: waiver, isApproved: true, reason: "r", by: "Luis")
            let waived = try closing.preview().statements.map(\.body)
            #expect(waived != before)
            let withdrawal = try stages.withdraw(adjustment: waiver, reason: "of another contract", by: "Luis")
            #expect(try closing.preview().statements.map(\.body) == waived)
            #expect(ClosingStageSite.found { _ = try closing.close() }.hasPrefix("1 objection or adjustment of"))
            #expect(
                ClosingStageSite.found {
                    try stages.decide(adjustment: withdrawal, isApproved: true, reason: "r", by: "Luis")
                }.hasPrefix("Luis proposed it"))
            try stages.decide(adjustment: withdrawal, isApproved: true, reason: "seen", by: "Ana")

            #expect(try closing.preview().statements.map(\.body) == before)
            let list = try StageLists.adjustments(stages.adjustments(period), asJSON: false).split(separator: "\n")
            #expect(list.count == 3)
            #expect(list[1].contains(" waiver ") && list[1].contains(" withdrawn "))
            #expect(list[2].contains(" withdrawal ") && list[2].contains(" A-\(waiver) "))
            #expect(list[2].contains("of another contract"))
            // The penalty stands, and may be waived anew.
            _ = try waive(stages)
        }
    }

    @Test func `a withdrawal that is rejected leaves the adjustment in force, and may be proposed again`() async throws
    {
        try await ClosingStageSite.with { link, stages in
            let waiver = try waive(stages)
            try stages.decide(adjustment: waiver, isApproved: true, reason: "r", by: "Luis")
            let waived = try MonthClosing(link, period: period).preview().statements.map(\.body)
            func withdraw() throws -> Int64 { try stages.withdraw(adjustment: waiver, reason: "r", by: "Ana") }
            let first = try withdraw()
            #expect(
                ClosingStageSite.found { _ = try withdraw() }
                    == "withdrawal \(first) of adjustment \(waiver) waits for its decision")
            try stages.decide(adjustment: first, isApproved: false, reason: "r", by: "Luis")
            #expect(try MonthClosing(link, period: period).preview().statements.map(\.body) == waived)
            let second = try withdraw()
            try stages.decide(adjustment: second, isApproved: true, reason: "r", by: "Luis")

            #expect(
                ClosingStageSite.found { _ = try withdraw() }
                    == "withdrawal \(second) of adjustment \(waiver) took it out of force")
        }
    }

    @Test func `what is not in force, or of a closed month, is not withdrawn`() async throws {
        try await ClosingStageSite.with { link, stages in
            func told(_ number: Int64) -> String {
                ClosingStageSite.found { _ = try stages.withdraw(adjustment: number, reason: "r", by: "Ana") }
            }
            let number = try waive(stages)
            #expect(told(number) == "adjustment \(number) is not decided yet, so there is nothing to withdraw")
            try stages.decide(adjustment: number, isApproved: false, reason: "r", by: "Luis")
            #expect(told(number) == "adjustment \(number) is rejected, so there is nothing to withdraw")
            #expect(told(99) == "there is no adjustment 99")
            let other = try waive(stages)
            try stages.decide(adjustment: other, isApproved: true, reason: "r", by: "Luis")
            let withdrawal = try stages.withdraw(adjustment: other, reason: "r", by: "Ana")
            try stages.decide(adjustment: withdrawal, isApproved: true, reason: "r", by: "Luis")
            #expect(
                told(withdrawal)
                    == "adjustment \(withdrawal) is a withdrawal itself, so there is nothing to withdraw")
            _ = try MonthClosing(link, period: period).close()
            #expect(told(other) == "2024-03 is closed")
        }
    }

    /// January and February had PEN-02 of 9.00; in April a debit of 5.00 charges that of March.
    @Test(
        arguments: [
            ("9, 'debit', 'PEN-02', 500, 'approved'", "3 breaches from 2023-11 to 2024-04, limit 3"),
            ("9, 'debit', 'PEN-02', 500, 'rejected'", nil), ("14, 'debit', 'PEN-02', 500, 'approved'", nil),
            ("9, 'debit', 'PEN-03', 500, 'approved'", nil), ("NULL, 'debit', 'PEN-02', 500, 'approved'", nil),
            ("9, 'debit', 'PEN-02', 500, 'approved'), (202404, 202403, 1, 9, 'credit', 'PEN-02', 500, 'approved'", nil),
            (
                "9, 'debit', 'PEN-02', 500, 'approved'), (202404, 202402, 1, 9, 'debit', 'PEN-02', 500, 'approved'",
                "3 breaches from 2023-11 to 2024-04, limit 3"
            ),
        ] as [(String, String?)])
    func `a breach that was found later, and charged by a debit, counts toward recidivism (PEN-08)`(
        adjustments: String, counted: String?
    ) async throws {
        try await LeanMonth.with(LeanMonth.aprilIsOver) { month in
            let line = #"{"rule":"PEN-02","kind":"penalty","amount":"9.00"}"#
            try month.link.script(
                """
                INSERT INTO schedule VALUES ('fines', 'penalty', '2024-04-01', 'PEN-08', 'rate', '1'),
                    ('fines', 'penalty', '2024-04-01', 'PEN-08', 'count', '3'),
                    ('fines', 'penalty', '2024-04-01', 'PEN-08', 'months', '6');
                INSERT INTO period SELECT p, 'closed', '2023-01-01', '2024-01-01' FROM unnest('{202401,202402}'::int[]) p;
                INSERT INTO statement SELECT p, 1, '', '{"sections":[{"delegation":9,"lines":[\(line)]}]}', now()
                FROM unnest('{202401,202402}'::int[]) p;
                INSERT INTO adjustment (period, about, contract_id, delegation_id, kind, rule, amount, decision, reason, proposed_by,
                    proposed_at, decided_by, decided_at)
                SELECT period, about, contract, delegation::int::smallint, kind, rule, amount, decision, 'r', 'Ana', now(), 'Luis', now()
                FROM (VALUES (202404, 202403, 1, \(adjustments))) a (period, about, contract, delegation, kind, rule, amount, decision);
                """)
            let lines = try month.sections(1, LeanMonth.april).flatMap(\.lines).filter { $0.rule == "PEN-08" }
            #expect(lines.count == (counted == nil ? 0 : 1))
            #expect(lines.allSatisfy { ($0.arithmeticInEnglish ?? "").hasPrefix(counted ?? "?") })
        }
    }

    /// Charged once on the whole invoice of January and February, by commitments of delegation 9 and 14; waived in February.
    @Test func `a charge on the whole invoice is a breach of each delegation that it tells of (PEN-08, AMB-07)`()
        async throws
    {
        try await LeanMonth.with { month in
            let line = #"{"rule":"PEN-04","kind":"penalty","amount":"9.00","facts":["I9","I14"]}"#
            let waiver = #",{"rule":"PEN-04","kind":"waiver","amount":"9.00","facts":["A-1"]}"#
            try month.link.script(
                """
                INSERT INTO period SELECT p, 'closed', '2023-01-01', '2024-01-01' FROM unnest('{202401,202402}'::int[]) p;
                INSERT INTO fact (period, fact_id, kind, contract_id, delegation_id, on_date, subject, value, import_id)
                SELECT 202401, 'I' || d, 'improvement', 1, d, '2024-01-20', 'low', 'no', 1 FROM unnest('{9,14}'::int[]) d;
                INSERT INTO statement SELECT p, 1, '', '{"sections":[{"lines":[\(line)' || CASE WHEN p = 202402 THEN '\(waiver)' ELSE '' END || ']}]}', now()
                FROM unnest('{202401,202402}'::int[]) p;
                """)
            try month.link.transaction {
                let store = try ClosingStore(month.link, period: LeanMonth.march) { _ in }
                let breaches = try store.earlierBreaches(since: LeanMonth.march.advanced(byMonths: -5))
                #expect(
                    breaches.map { "\($0.place.delegation) \($0.breach.period) \($0.breach.rule.rawValue)" }
                        == ["9 2024-01 PEN-04", "14 2024-01 PEN-04"])
            }
        }
    }

    /// January and February had PEN-02; February's was given back, and that was withdrawn.
    @Test(arguments: [(false, false), (true, true)])
    func `a breach whose credit was withdrawn counts toward recidivism again (PEN-08)`(
        isWithdrawn: Bool, isCharged: Bool
    ) async throws {
        try await ClosingStageSite.with { link, _ in
            let line = #"{"rule":"PEN-02","kind":"penalty","amount":"9.00"}"#
            try link.script(
                """
                INSERT INTO schedule VALUES ('fines', 'penalty', '2023-01-01', 'PEN-08', 'rate', '1'),
                    ('fines', 'penalty', '2023-01-01', 'PEN-08', 'count', '2'),
                    ('fines', 'penalty', '2023-01-01', 'PEN-08', 'months', '6');
                INSERT INTO period SELECT p, 'closed', '2023-01-01', '2024-01-01' FROM unnest('{202401,202402}'::int[]) p;
                INSERT INTO statement SELECT p, 1, '', '{"sections":[{"delegation":9,"lines":[\(line)]}]}', now()
                FROM unnest('{202401,202402}'::int[]) p;
                INSERT INTO adjustment (period, about, contract_id, delegation_id, kind, rule, reason, proposed_by, proposed_at,
                    decided_by, decided_at, amount, decision)
                VALUES (202403, 202402, 1, 9, 'credit', 'PEN-02', 'r', 'Ana', now(), 'Luis', now(), 900, 'approved'),
                    (202403, 202403, 1, 9, 'waiver', 'A-1', 'r', 'Ana', now(), 'Luis', now(), NULL,
                        '\(isWithdrawn ? "approved" : "rejected")')
                """)
            let month = try MonthClosing(link, period: period).preview()
            let rules = try StatementDocument(month.statements[0].body).sections.first { $0.delegation == 9 }?.lines
                .map(\.rule)

            #expect(rules?.contains("PEN-08") == isCharged)
            #expect(rules?.contains("PEN-02") == !isWithdrawn)
        }
    }
}
