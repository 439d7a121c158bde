// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import PgStore
import Testing
import TestSupport

/// Fees by band from payments that are loaded, and what a missed minimum allows.
struct SuspensionsTests {
    /// The fixture's month with every account 45 days late and 100.00 overdue. Contracts pay by band: 65 % and half a payment each.
    static let bands = """
        CREATE TABLE account_202403 PARTITION OF account FOR VALUES IN (202403);
        UPDATE position SET overdue = 10000;
        INSERT INTO account (period, delegation_id, account_id, line, municipality, regime, accounting, situation, book, currency,
            original_amount, balance, due, overdue, unpaid, arrears, days_late, extension_months, incomplete_payments,
            restructures, restructure_in_cure, suit_profiled, agreement_available, instalment_drop_bp, signed,
            payment_probability_bp, cofinanced, has_phone, has_email, has_address, reference)
        SELECT DISTINCT ON (delegation_id, account_id) 202403, delegation_id, account_id, 1, 9001, 1, 2, 1, 1, 1, 1, 1, 1, 10000, 2,
            2, 45, 0, 0, 0, false, false, true, 0, false, 0, false, true, true, true, 'r'
        FROM position;
        INSERT INTO schedule VALUES
            ('fees', 'fee', '2023-01-01', 'FEE-02', 'minimum', '65'), ('fees', 'fee', '2023-01-01', 'FEE-02', '0-40', '4'),
            ('fees', 'fee', '2023-01-01', 'FEE-02', '41-100', '6.5');
        INSERT INTO payment
        SELECT 202403, 'P' || n, 9, 1000 + n, '2024-03-03', 5000, 'borrower', NULL, 1 FROM generate_series(1, 3) n;
        INSERT INTO payment VALUES (202403, 'E1', 9, 1004, '2024-03-03', 5000, 'employer', NULL, 1);
        """

    private func with(_ body: (PgLink) throws -> Void) async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 9)
            try link.script(Self.bands)
            try body(link)
        }
    }

    @Test func `a statement bills the band by what was recovered and names the payments`() async throws {
        try await with { link in
            let month = try MonthClosing(link, period: ClosingFixture.period).preview()
            let document = try StatementDocument(month.statements[0].body)
            let lines = document.sections.flatMap(\.lines).filter { $0.rule == "FEE-02" }

            // Three payments of borrowers, 50.00 each; the employer's is of an origin that the schedule does not name.
            #expect(lines.map(\.base.pesos) == ["150.00"])
            #expect(lines.map(\.facts) == [["P1", "P2", "P3"]])
            #expect(lines.map(\.amount) == ["6.00"])
            #expect(lines[0].arithmetic.contains("por debajo del mínimo de 65 %"))
        }
    }

    private func lines(_ statement: PeriodStore.StoredStatement) throws -> [StatementDocument.Line] {
        try StatementDocument(statement.body).sections.flatMap(\.lines).filter { $0.rule == "FEE-02" }
    }

    /// The other contract and the other delegation of the same agency recover most of their band.
    @Test func `what selects the rate is what the agency recovered in the band (AMB-10)`() async throws {
        try await with { link in
            try link.script(
                """
                INSERT INTO payment
                SELECT 202403, 'A' || account_id, delegation_id, account_id, '2024-03-03', 10000, 'borrower', NULL, 1
                FROM position JOIN hand USING (delegation_id, hand_id)
                WHERE epoch = 1 AND (contract_ids = '{2}' OR contract_ids = '{1}' AND delegation_id = 14);
                """)
            let statements = try MonthClosing(link, period: ClosingFixture.period).preview().statements
            let line = try #require(try lines(statements[0]).first { $0.facts == ["P1", "P2", "P3"] })

            #expect(line.rate.percent == "6.5")
            #expect(line.amount == "9.75")
            #expect(line.arithmetic.contains("de la agencia en la franja"))
            #expect(try lines(statements[2]).isEmpty)
        }
    }

    /// Hand 1, with accounts 1001 to 1012, is February's; its leases end by their term.
    @Test(arguments: [
        ("2024-03-03T06:00:00Z", "2024-03-03", ["150.00"]), ("2024-03-03T05:59:59Z", "2024-03-03", []),
        ("2024-03-04T06:00:00Z", "2024-03-03", ["150.00"]),
        ("2024-02-20T06:00:00Z", "2024-02-19", ["150.00"]), ("2024-02-20T06:00:00Z", "2024-03-03", []),
    ])
    func `a lease of the month before counts in the band as long as it pays`(
        term: String, paidOn: String, bases: [String]
    )
        async throws
    {
        try await with { link in
            try link.script(
                """
                INSERT INTO period VALUES (202402, 'closed', now(), now(), NULL);
                UPDATE hand SET period = 202402 WHERE hand_id = 1;
                UPDATE lease_grant SET granted_at = '2024-02-15T18:00:00Z', term = '\(term)' WHERE hand_id = 1;
                DELETE FROM ending WHERE hand_id = 1;
                UPDATE payment SET paid_on = '\(paidOn)';
                """)
            let statement = try MonthClosing(link, period: ClosingFixture.period).preview().statements[0]

            #expect(try lines(statement).compactMap(\.base.pesos) == bases)
        }
    }

    @Test func `a lease that is alive into the month is assigned in its band, paid or not`() async throws {
        try await with { link in
            func assigned() throws -> [String] {
                let body = try MonthClosing(link, period: ClosingFixture.period).preview().statements[0].body
                return try StatementDocument(body).sections.first { $0.delegation == 9 }?.bands?.map(\.assigned) ?? []
            }
            try link.script(
                """
                DELETE FROM ending; DELETE FROM deal WHERE epoch = 2; DELETE FROM position WHERE epoch = 2;
                DELETE FROM payment; UPDATE hand SET size = 0 WHERE is_front;
                """)
            // Four hands of twelve accounts, each 100.00 overdue; of a hand eight are leased.
            #expect(try assigned() == ["4800.00"])
            try link.script(
                """
                INSERT INTO period VALUES (202402, 'closed', now(), now(), NULL);
                UPDATE hand SET period = 202402 WHERE hand_id = 1;
                UPDATE lease_grant SET granted_at = '2024-02-15T18:00:00Z', term = '2024-03-01T06:00:00Z' WHERE hand_id = 1;
                """)
            #expect(try assigned() == ["4400.00"])
            try link.script("UPDATE lease_grant SET term = '2024-03-01T05:59:59Z' WHERE hand_id = 1")
            #expect(try assigned() == ["3600.00"])
        }
    }

    /// March paid 4 % of 150.00. An account counts at most 100.00: what is paid beyond that is not given back.
    @Test(
        arguments: [(0, "50.00", "2.00"), (2_500, "50.00", "2.00"), (7_500, "25.00", "1.00"), (10_000, nil, nil)]
            as [(Int64, String?, String?)])
    func `contingency goes back at the rate that was paid, where its payment is taken back later`(
        more: Int64, base: String?, amount: String?
    ) async throws {
        try await with { link in
            if more > 0 {
                try link.script(
                    "INSERT INTO payment VALUES (202403, 'P9', 9, 1001, '2024-03-03', \(more), 'borrower', NULL, 1)")
            }
            let march = try MonthClosing(link, period: ClosingFixture.period).close().month
            #expect(try lines(march.statements[0]).map(\.rate.percent) == ["4"])
            try link.script(
                """
                INSERT INTO period VALUES (202404, 'open', now(), NULL, NULL);
                CREATE TABLE outcome_202404 PARTITION OF outcome FOR VALUES IN (202404);
                INSERT INTO payment VALUES (202404, 'R1', 9, 1001, '2024-04-02', 5000, 'borrower', 'P1', 1);
                UPDATE clock SET virtual_now = '2024-05-20T06:00:00Z';
                """)
            let april = MonthClosing(link, period: ClosingFixture.period.advanced(byMonths: 1))
            let document = try StatementDocument(try april.preview().statements[0].body)
            let back = document.sections.flatMap(\.lines).filter { $0.kind == "fee-cut" }

            #expect(back.first?.base.pesos == base)
            #expect(back.map(\.amount) == [amount].compactMap { $0 })
            #expect(back.allSatisfy { $0.rule == "FEE-02" && $0.facts == ["R1"] && $0.subject == "2024-03" })
            #expect(document.totals.fees == (amount.map { "-\($0)" } ?? "0.00"))
            // Once taken, it is not taken again.
            _ = try april.close(evenIfEmpty: true)
            try link.script(
                "INSERT INTO period VALUES (202405, 'open', now(), NULL, NULL); CREATE TABLE outcome_202405 PARTITION OF outcome FOR VALUES IN (202405);"
            )
            let may = try MonthClosing(link, period: ClosingFixture.period.advanced(byMonths: 2)).preview()
            #expect(try may.statements.flatMap { try lines($0) }.isEmpty)
        }
    }

    /// March paid 4 % of all that was paid, 225.00 of it on an account of 100.00 overdue; from April on the schedule reads otherwise.
    @Test func `contingency goes back by the schedule that it was paid by (AMB-09)`() async throws {
        try await with { link in
            try link.script(
                """
                INSERT INTO schedule VALUES ('fees', 'fee', '2023-01-01', 'AMB-09', 'base', 'paid');
                INSERT INTO schedule
                SELECT schedule, kind, '2024-04-01', rule, parameter, CASE parameter WHEN '0-40' THEN '3' ELSE value END
                FROM schedule WHERE kind = 'fee' AND rule <> 'AMB-09';
                INSERT INTO payment VALUES (202403, 'P9', 9, 1001, '2024-03-03', 12500, 'borrower', NULL, 1);
                """)
            let march = try MonthClosing(link, period: ClosingFixture.period).close().month
            #expect(try lines(march.statements[0]).map(\.base.pesos) == ["275.00"])
            try link.script(
                """
                INSERT INTO period VALUES (202404, 'open', now(), NULL, NULL);
                CREATE TABLE outcome_202404 PARTITION OF outcome FOR VALUES IN (202404);
                INSERT INTO payment VALUES (202404, 'R1', 9, 1001, '2024-04-02', 5000, 'borrower', 'P1', 1);
                UPDATE clock SET virtual_now = '2024-05-20T06:00:00Z';
                """)
            let period = ClosingFixture.period.advanced(byMonths: 1)
            // A month that only takes payments back is not empty.
            let april = try MonthClosing(link, period: period).close().month
            let document = try StatementDocument(april.statements[0].body)
            let back = try #require(document.sections.flatMap(\.lines).first { $0.kind == "fee-cut" })

            // Less is billed than nothing, and no penalty is the cause.
            #expect(document.totals.fees == "-2.00" && document.totals.penalties == "0.00")
            #expect(!april.summary.warnings.contains { $0.hasPrefix("penalties pass") })
            #expect(
                april.summary.warnings.contains(
                    "fees@2024-04-01 applies for the first time and lacks AMB-09, which fees@2023-01-01 has: none of it counts any "
                        + "more for contract 1, 2, 3"))
            #expect(back.arithmeticInEnglish == "4 % of 50.00, paid in 2024-03 and taken back since = 2.00")
            // Of 175.00 on the account 125.00 stay, more than is overdue: nothing by April's reading, 50.00 by March's.
            #expect(back.base.pesos == "50.00" && back.rate.percent == "4" && back.amount == "2.00")
            #expect(back.schedule == "fees@2023-01-01" && document.feeSchedule == "fees@2024-04-01")
            // Both versions are signed with the month.
            #expect(
                try PeriodGrounds.lines(link, period).map(PeriodGrounds.name).filter { $0.contains("kind=fee ") }
                    == ["2023-01-01", "2024-04-01"].map { "schedule kind=fee name=fees from=\($0)" })
        }
    }

    @Test func `a missed band is proposed, decided once, and taken from the hands at once`() async throws {
        try await with { link in
            // A contract without bands that begins later makes no other agency of it.
            try link.script(
                """
                INSERT INTO schedule SELECT 'plain', kind, effective_on, rule, parameter, value FROM schedule
                WHERE schedule = 'fees' AND rule = 'FEE-11';
                CREATE TEMP TABLE later ON COMMIT PRESERVE ROWS AS SELECT * FROM contract WHERE contract_id = 2;
                UPDATE later SET contract_id = 77, number = 'C-77', fee_schedule = 'plain', starts_on = '2024-06-01', ends_on = '2025-06-01';
                INSERT INTO contract SELECT * FROM later
                """)
            _ = try MonthClosing(link, period: ClosingFixture.period).close()
            let suspensions = try Suspensions(link, period: ClosingFixture.period)
            let rows = try suspensions.rows()
            #expect(
                rows.contains { $0.agency.value == 1 && $0.proposal.kind == .band && $0.proposal.band == .days31to60 })
            #expect(!rows.contains { $0.proposal.kind == .termination })
            // The policy's tactic `rest` is that band alone; `signed` has one account of another.
            try link.script(
                """
                INSERT INTO policy VALUES ('', 'p', '2024-01-01', '2024-01-01', '', '2024-03-01');
                INSERT INTO segmentation (period, policy, policy_version, policy_digest, cut_digest, accounts, placed, excluded,
                    digest, made_at) VALUES (202403, 'p', '2024-01-01', '', '', 2, 2, 0, '', '2024-03-01');
                UPDATE account SET days_late = 61 WHERE account_id = (SELECT min(account_id) FROM account);
                INSERT INTO placement (period, delegation_id, account_id, strategy, tactic, portfolio, priority, rule)
                SELECT 202403, delegation_id, account_id, 2, CASE WHEN days_late = 61 THEN 'signed' ELSE 'rest' END, 1, 1, 'r'
                FROM account WHERE days_late = 61 OR account_id = (SELECT max(account_id) FROM account);
                """)
            let blank = #expect(throws: CommandFailure.self) {
                try suspensions.decide(
                    agency: "ACE01", band: .over120, kind: .band, isSuspended: true, reason: "missed", by: " ")
            }
            #expect(blank?.found == "--by names nobody")
            func decide(_ band: MoraBand) throws -> Int64 {
                let effect = try suspensions.decide(
                    agency: "ACE01", band: band, kind: .band, isSuspended: true, reason: "missed", by: "Ana Ruiz")
                #expect(effect.tactics == ["administrative/rest"])
                return effect.accounts
            }
            #expect(throws: CommandFailure.self) { try decide(.over120) }
            func refused(_ band: MoraBand) -> String? {
                #expect(throws: CommandFailure.self) {
                    try suspensions.requireUndecided(agency: "ACE01", band: band, kind: .band)
                }?.found
            }
            #expect(refused(.over120)?.hasPrefix("nothing is proposed about ACE01, band ") == true)
            try suspensions.requireUndecided(agency: "ACE01", band: .days31to60, kind: .band)
            let unpulled = try link.run(
                """
                SELECT count(*) FROM position p JOIN hand h USING (delegation_id, hand_id)
                WHERE h.contract_ids[1] IN (1, 2) AND NOT h.is_front AND p.position > 9
                    AND NOT EXISTS (SELECT FROM ending e WHERE e.account_id = p.account_id AND e.epoch = p.epoch)
                """)[0].int64(0)
            let held = "SELECT count(*) FROM ending WHERE was_held"
            let before = try link.run(held)[0].int64(0)

            #expect(try decide(.days31to60) == unpulled)
            #expect(unpulled > 0)
            #expect(try link.run(held)[0].int64(0) == before)
            #expect(try link.run("SELECT count(*) FROM ending WHERE reason = 'suspension'")[0].int64(0) == unpulled)
            #expect(throws: CommandFailure.self) { try decide(.days31to60) }
            #expect(refused(.days31to60) == "that was decided before")
            #expect(try suspensions.lines.contains { $0.contains("suspended by Ana Ruiz: missed") })
            // One mechanism: plans, rounds and starts read the same orders as those of `agency suspend`.
            #expect(
                try link.readSuspensions()
                    == [SuspensionRow(agency: #require(AgencyID(1)), strategy: .administrative, band: "rest")])
        }
    }

    @Test func `the end of a contract that a person decides acts at once: nothing more of any band, for good`()
        async throws
    {
        try await with { link in
            _ = try MonthClosing(link, period: ClosingFixture.period).close()
            try link.script(
                """
                INSERT INTO period SELECT p, 'closed', now(), now(), NULL FROM unnest('{202401,202402}'::int[]) p;
                INSERT INTO statement SELECT p, 1, '', body, now()
                FROM statement, unnest('{202401,202402}'::int[]) p WHERE period = 202403 AND contract_id = 1;
                """)
            let suspensions = try Suspensions(link, period: ClosingFixture.period)
            #expect(
                try suspensions.rows().contains { $0.agency.value == 1 && $0.proposal.kind == .termination })
            func decide() throws -> Suspensions.Effect {
                try suspensions.decide(
                    agency: "ACE01", band: .days31to60, kind: .termination, isSuspended: true, reason: "three times",
                    by: "Ana Ruiz")
            }
            let effect = try decide()

            #expect(effect.accounts > 0 && effect.tactics == [])
            #expect(
                try link.run("SELECT status, motive FROM agency WHERE agency_id = 1").map { [$0.text(0), $0.text(1)] }
                    == [["terminated", "minimum-missed"]])
            #expect(
                try link.run(
                    "SELECT count(*) FROM hand WHERE contract_ids[1] IN (1, 2) AND withdrawn_at IS NULL AND size > 9")[
                        0
                    ].int64(0) == 0)
            #expect(throws: CommandFailure.self) { try decide() }
        }
    }

    /// Contract 2 of the same agency is paid by services alone: no minimum of its was missed.
    @Test(arguments: [SuspensionProposal.Kind.band, .termination])
    func `what is decided is about the contracts that pay by bands (SUS-01, SUS-02)`(
        kind: SuspensionProposal.Kind
    ) async throws {
        try await with { link in
            try link.script(
                """
                INSERT INTO schedule SELECT 'plain', kind, effective_on, rule, parameter, value FROM schedule
                WHERE schedule = 'fees' AND rule = 'FEE-11';
                UPDATE contract SET fee_schedule = 'plain' WHERE contract_id = 2;
                """)
            _ = try MonthClosing(link, period: ClosingFixture.period).close()
            try link.script(
                """
                INSERT INTO period SELECT p, 'closed', now(), now(), NULL FROM unnest('{202401,202402}'::int[]) p;
                INSERT INTO statement SELECT p, 1, '', body, now()
                FROM statement, unnest('{202401,202402}'::int[]) p WHERE period = 202403 AND contract_id = 1;
                """)
            // One account that waits in a hand of each contract is of the next band.
            try link.script(
                """
                UPDATE account SET days_late = 61 WHERE account_id IN (
                    SELECT min(p.account_id) FROM position p JOIN hand h USING (delegation_id, hand_id)
                    WHERE NOT h.is_front AND p.position > 9
                        AND NOT EXISTS (SELECT FROM ending e WHERE e.account_id = p.account_id AND e.epoch = p.epoch)
                    GROUP BY h.contract_ids)
                """)
            func unpulled(_ contract: Int32) throws -> Int64 {
                try link.run(
                    """
                    SELECT count(*) FROM position p JOIN hand h USING (delegation_id, hand_id)
                    WHERE h.contract_ids[1] = $1 AND h.withdrawn_at IS NULL AND p.position > coalesce((
                            SELECT max(g.last_position) FROM lease_grant g
                            WHERE g.delegation_id = h.delegation_id AND g.hand_id = h.hand_id), 0)
                        AND NOT EXISTS (SELECT FROM ending e WHERE e.account_id = p.account_id AND e.epoch = p.epoch)
                    """, [.int32(contract)])[0].int64(0)
            }
            // The contract has another fee schedule since.
            try link.script(
                """
                INSERT INTO contract_term SELECT contract_id, 202403, number, tender, starts_on, ends_on, bond, fee_schedule,
                    penalty_schedule, rule_packs FROM contract WHERE contract_id = 1;
                INSERT INTO schedule SELECT 'newer', kind, effective_on, rule, parameter, value FROM schedule WHERE schedule = 'fees';
                UPDATE contract SET fee_schedule = 'newer' WHERE contract_id = 1;
                """)
            let (own, others) = (try unpulled(1), try unpulled(2))
            let ofOtherBands: Int64 = kind == .band ? 1 : 0
            let effect = try Suspensions(link, period: ClosingFixture.period).decide(
                agency: "ACE01", band: .days31to60, kind: kind, isSuspended: true, reason: "missed", by: "Ana Ruiz")

            #expect(own > 1 && others > 0)
            #expect(effect.accounts == own - ofOtherBands && effect.tactics == [] && effect.untouched == [2])
            #expect(try unpulled(1) == ofOtherBands)
            #expect(try unpulled(2) == others)
            #expect(try link.run("SELECT status FROM agency WHERE agency_id = 1")[0].text(0) == "active")
            #expect(try link.readSuspensions().isEmpty)
            let ended = try link.run("SELECT contract_id FROM contract WHERE ends_on = '2024-04-09'").map {
                $0.int32(0)
            }
            #expect(ended == (kind == .termination ? [1] : []))
        }
    }
}
