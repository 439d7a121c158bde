// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import PgStore
import Testing
import TestSupport

struct ClosingTests {
    private func totals(_ month: ClosedMonth) throws -> [ClosingOracle.Totals] {
        try month.statements.map { statement in
            let totals = try StatementDocument(statement.body).totals
            return ClosingOracle.Totals(
                contract: statement.contract,
                figures: [totals.fees, totals.penalties, totals.taxOnFees, totals.taxOnPenalties])
        }
    }

    private func findings(_ body: () throws -> Void) -> CommandFailure? {
        do { try body() } catch { return error as? CommandFailure }
        return nil
    }

    /// In one database, emptied between two months: making a database takes longer than closing a small month.
    @Test func `the statements of fifty months agree with plain SQL to the centavo`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            for seed in 1...50 {
                try ClosingFixture.make(link, seed: seed)
                let month = try MonthClosing(link, period: ClosingFixture.period).preview()
                let oracle = try ClosingOracle.totals(link)

                #expect(try totals(month) == oracle, "seed \(seed)")
                #expect(oracle.contains { $0.figures[1] != "0.00" })
                try link.script(ClosingFixture.emptied)
            }
        }
    }

    @Test func `penalties beyond the invoice or the bond are told before the close`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 2)
            let closing = MonthClosing(link, period: ClosingFixture.period)
            func told(_ what: String) throws -> String? {
                try closing.preview().summary.warnings.first { $0.hasPrefix("penalties pass the \(what) of ") }
            }
            let penalties = try closing.preview().statements.map { statement in
                let totals = try StatementDocument(statement.body).totals
                return (statement.contract, Cents(pesos: totals.penalties) ?? .zero, Cents(pesos: totals.fees) ?? .zero)
            }
            let first = try #require(penalties.first { $0.1 > .zero })
            let passing = penalties.filter { $0.1 > $0.2 }.map { "\($0.0)" }

            #expect(try told("bond") == nil)
            #expect(try told("invoice")?.hasSuffix(": " + passing.joined(separator: ", ")) == !passing.isEmpty)
            for (bond, isTold) in [(first.1.value - 1, true), (first.1.value, false)] {
                try link.run("UPDATE contract SET bond = $1 WHERE contract_id = $2", [.int64(bond), .int32(first.0)])
                #expect(try (told("bond") == "penalties pass the bond of 1 contract: \(first.0)") == isTold)
            }
        }
    }

    @Test func `a preview writes nothing`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 1)
            _ = try MonthClosing(link, period: ClosingFixture.period).preview()

            #expect(try link.run("SELECT count(*) FROM statement").first?.int64(0) == 0)
            #expect(try PeriodStore(link, period: ClosingFixture.period).state() == .open)
        }
    }

    /// March ends in Mexico City at 06:00Z on April 1.
    @Test(arguments: [
        ("2024-04-01T05:59:59.999999Z", true), ("2024-04-01T06:00:00Z", false), ("2024-04-01T06:00:00.000001Z", false),
    ])
    func `a month that still runs is not closed`(now: String, isRefused: Bool) async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 1)
            try link.script("UPDATE clock SET virtual_now = '\(now)'")
            let closing = MonthClosing(link, period: ClosingFixture.period)
            let failure = findings { _ = try closing.close() }

            #expect((failure?.exit == .usage) == isRefused)
            #expect((failure?.found.contains("2024-04-01T05:59:59.999Z") == true) == isRefused)
            #expect((try closing.unfinished() != nil) == isRefused)
            #expect(try PeriodStore(link, period: ClosingFixture.period).state() == (isRefused ? .open : .closed))
        }
    }

    @Test func `a month is closed before its end where that is asked for, and again at any time`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 1)
            try link.script("UPDATE clock SET virtual_now = '2024-03-20T00:00:00Z'")
            let closing = MonthClosing(link, period: ClosingFixture.period)

            #expect(try closing.close(beforeItsEnd: true).result == .closed)
            #expect(try closing.close().result == .identical)
        }
    }

    @Test func `of two closes at once one closes, and the other finds the same`() async throws {
        try await TestDatabase.with { database in
            try ClosingFixture.make(try database.link(), seed: 3)
            let results = try await withThrowingTaskGroup(of: MonthClosing.Result.self) { group in
                for _ in 1...2 {
                    let link = try database.link()
                    group.addTask { try MonthClosing(link, period: ClosingFixture.period).close().result }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }

            #expect(results.contains(.closed) && results.contains(.identical))
        }
    }

    @Test func `a close that comes second does not disturb the first one's snapshot`() async throws {
        try await TestDatabase.with { database in
            let (first, second) = (try database.link(), try database.link())
            try ClosingFixture.make(first, seed: 3)
            let store = PeriodStore(first, period: ClosingFixture.period)
            _ = try store.markClosing()
            try first.transaction {
                try first.script("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT state FROM period")
                _ = try PeriodStore(second, period: ClosingFixture.period).markClosing()
                #expect(try store.lock() == .closing)
            }
        }
    }

    @Test func `a month that a killed close left closing is given back, and no other`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 1)
            let store = PeriodStore(link, period: ClosingFixture.period)
            let closing = MonthClosing(link, period: ClosingFixture.period)
            #expect(findings { try closing.giveBack() }?.exit == .usage)
            _ = try store.markClosing()
            try closing.giveBack()
            #expect(try store.state() == .open)
            _ = try closing.close()

            #expect(findings { try closing.giveBack() }?.found.contains("is closed") == true)
            #expect(try store.state() == .closed)
        }
    }

    @Test func `a month that has not begun is not closed, whatever is asked for`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 1)
            try link.script("UPDATE clock SET virtual_now = '2024-03-01T05:59:59Z'")
            let failure = findings {
                _ = try MonthClosing(link, period: ClosingFixture.period).close(beforeItsEnd: true)
            }

            #expect(failure?.exit == .usage)
            #expect(failure?.found.contains("begins at 2024-03-01T06:00:00.000Z") == true)
        }
    }

    @Test func `closing again gives the same bytes`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 2)
            let closing = MonthClosing(link, period: ClosingFixture.period)
            let first = try closing.close()
            let second = try closing.close()

            #expect(first.result == .closed)
            #expect(second.result == .identical)
            #expect(first.month.statements.map(\.body) == second.month.statements.map(\.body))
            #expect(try closing.kept().map(\.digest) == first.month.statements.map(\.digest))
        }
    }

    /// Hands outlive their month's close: of one contract and shared ones, with a goal of a tactic and bands that count their deals.
    @Test(arguments: [ClosingSectionOracle.facts, ClosingContingencyOracle.terms])
    func `what is drawn from a month's hands after its end changes no statement`(more: String) async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 5)
            try link.script(
                more
                    + """
                    UPDATE hand SET contract_ids = '{1,2}' WHERE hand_id = 1;
                    INSERT INTO schedule VALUES ('fines', 'penalty', '2023-01-01', 'PEN-02', 'rate', '5'),
                        ('fines', 'penalty', '2023-01-01', 'PEN-02', 'threshold', '80') ON CONFLICT DO NOTHING;
                    INSERT INTO fact (period, fact_id, kind, contract_id, delegation_id, on_date, subject, value, minimum, weight, import_id)
                    SELECT 202403, 'T-' || t, 'goal', 1, 9, '2024-03-01', 'worked:' || t, '', '500', '1', 1 FROM unnest('{rest,signed}'::text[]) t;
                    """)
            let closing = MonthClosing(link, period: ClosingFixture.period)
            let first = try closing.close().month
            let statement = """
                INSERT INTO lease_grant (delegation_id, hand_id, first_position, last_position, quota_id, contract_id, agency_id,
                    instance_id, key, request_hash, skipped, accounts, exposure, total_accounts, total_exposure, left_accounts,
                    stop, held_digest, granted_at, granted_term, term, ceiling, grace_us, outage_us)
                SELECT delegation_id, hand_id, 10, 11, 1, contract_ids[1], 1, 1, hand_id * 10 + 9, '', NULL, 2, 0, 0, 0, 0, 'limit', '',
                    $1::timestamptz, '2024-05-05', '2024-05-05', '2024-06-05', 0, 0
                FROM hand WHERE hand_id IN (1, 2)
                """
            try link.run(statement, [.timestamp(ClosingFixture.period.end)])

            let again = try closing.close()
            #expect(again.result == .identical)
            #expect(again.month.statements.map(\.body) == first.statements.map(\.body))

            try link.script("DELETE FROM lease_grant WHERE first_position = 10")
            try link.run(statement, [.timestamp(ClosingFixture.period.end.advanced(by: .microseconds(-1)))])
            #expect(
                try closing.preview().statements.map(\.body) != first.statements.map(\.body), "drawn within the month")
        }
    }

    @Test func `a kept statement whose text was changed is not handed out, and closing again names it`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 2)
            let closing = MonthClosing(link, period: ClosingFixture.period)
            _ = try closing.close()
            #expect(try closing.kept().count == 3)
            try link.script(
                "UPDATE statement SET body = replace(body, '\"payable\"', '\"payable \"') WHERE contract_id = 2")

            let failures = [findings { _ = try closing.kept() }, findings { _ = try closing.close() }]
            for failure in failures {
                #expect(failure?.exit == .findings)
                #expect(failure?.found.hasSuffix("changed in the database: 2") == true)
            }
        }
    }

    @Test func `a fact that changed after the close is named with its contract`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 3)
            let closing = MonthClosing(link, period: ClosingFixture.period)
            _ = try closing.close()
            try link.script("DELETE FROM fact WHERE contract_id = 2")
            let failure = findings { _ = try closing.close() }

            #expect(failure?.exit == .findings)
            #expect(failure?.found.hasSuffix("for 1 contract: 2") == true)
        }
    }

    @Test func `a contract without a schedule stops the close and leaves the month open`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 4)
            try link.script("UPDATE contract SET penalty_schedule = 'lost' WHERE contract_id = 3")
            let failure = findings { _ = try MonthClosing(link, period: ClosingFixture.period).close() }

            #expect(failure?.exit == .findings)
            #expect(failure?.found == "the penalty schedule \"lost\" of contract 3 does not exist")
            #expect(try PeriodStore(link, period: ClosingFixture.period).state() == .open)
            #expect(try link.run("SELECT count(*) FROM statement").first?.int64(0) == 0)
        }
    }

    @Test func `a month whose plan was stopped while it was dealt is not closed`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 4)
            try link.script("UPDATE plan SET state = 'dealing'")
            let failure = findings { _ = try MonthClosing(link, period: ClosingFixture.period).close() }

            #expect(failure?.exit == .usage)
            #expect(try PeriodStore(link, period: ClosingFixture.period).state() == .open)
        }
    }

    @Test func `a month of which nothing was placed, dealt, reported or paid is closed only by one who says so`()
        async throws
    {
        try await TestDatabase.with { database in
            let link = try database.link()
            try link.script(
                """
                INSERT INTO period VALUES (202403, 'open', now(), NULL, NULL);
                UPDATE clock SET virtual_now = '2024-04-10T06:00:00Z'
                """)
            let closing = MonthClosing(link, period: ClosingFixture.period)
            let failure = #expect(throws: CommandFailure.self) { try closing.close() }
            #expect(failure?.exit == .usage)
            #expect(failure?.found == "nothing of 2024-03 was ever placed, dealt, reported or paid")
            #expect(try link.run("SELECT count(*) FROM period WHERE state = 'open'")[0].int64(0) == 1)

            #expect(try closing.close(evenIfEmpty: true).result == .closed)
        }
    }

    @Test func `a period that nothing was imported for is a mistake of the caller`() async throws {
        try await TestDatabase.with { database in
            let closing = MonthClosing(try database.link(), period: ClosingFixture.period)

            #expect(findings { _ = try closing.preview() }?.exit == .usage)
        }
    }

    @Test func `the close waits for a transaction that writes`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            let writer = try database.link()
            try ClosingFixture.make(link, seed: 5)
            try writer.script("BEGIN; SELECT pg_current_xact_id()")
            var waits = 0
            let closing = MonthClosing(link, period: ClosingFixture.period) { step in
                guard step.hasPrefix("waiting") else { return }
                waits += 1
                // A failure to commit shows in the close, which then never ends its wait.
                try? writer.script("COMMIT")
            }

            #expect(try closing.close().result == .closed)
            #expect(waits > 0)
        }
    }

    @Test func `an earlier breach in a kept statement counts toward recidivism`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 6)
            try link.script(
                """
                INSERT INTO schedule VALUES ('fines', 'penalty', '2023-01-01', 'PEN-08', 'rate', '1'),
                    ('fines', 'penalty', '2023-01-01', 'PEN-08', 'count', '3'),
                    ('fines', 'penalty', '2023-01-01', 'PEN-08', 'months', '6');
                INSERT INTO period SELECT p, 'closed', '2023-01-01', '2024-01-01' FROM unnest('{202309,202310,202401,202402}'::int[]) p;
                INSERT INTO statement
                SELECT p, 1, '', '{"sections":[{"delegation":14,"lines":[{"rule":"PEN-02","kind":"penalty","amount":"9.00"}]}]}', '2024-01-01'
                FROM unnest('{202310,202401,202402}'::int[]) p;
                INSERT INTO statement
                SELECT p, 2, '', '{"sections":[{"delegation":14,"lines":[{"rule":"PEN-04","kind":"penalty","amount":"9.00"}]}]}', '2024-01-01'
                FROM unnest('{202309,202401,202402}'::int[]) p;
                """)
            let month = try MonthClosing(link, period: ClosingFixture.period).preview()
            let charged = try month.statements.map { statement in
                try StatementDocument(statement.body).sections.filter { $0.lines.contains { $0.rule == "PEN-08" } }
                    .map(\.delegation)
            }

            #expect(charged == [[14], [], []])
        }
    }

    /// February had PEN-02 of 9.00, January one that stands: two make recidivism.
    @Test(
        arguments: [
            ([("penalty", "9.00")], nil, true), ([("penalty", "9.00"), ("waiver", "9.00")], nil, false),
            ([("penalty", "9.00"), ("waiver", "8.99")], nil, true),
            ([("penalty", "9.00"), ("waiver", "4.00"), ("waiver", "5.00")], nil, false),
            ([("penalty", "0.00")], nil, true), ([("penalty", "0.00"), ("waiver", "0.00")], nil, false),
            ([("credit", "9.00")], nil, false), ([("debit", "9.00")], nil, false),
            ([("penalty", "9.00")], "900, 'approved'", false), ([("penalty", "9.00")], "899, 'approved'", true),
            ([("penalty", "9.00")], "900, 'rejected'", true),
            ([("penalty", "9.00"), ("waiver", "4.00")], "500, 'approved'", false),
        ] as [([(String, String)], String?, Bool)])
    func `a breach that was waived or credited as a whole counts no more, and a credit or debit is none (PEN-08)`(
        lines: [(String, String)], credit: String?, isCharged: Bool
    ) async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 6)
            let february = lines.map { #"{"rule":"PEN-02","kind":"\#($0.0)","amount":"\#($0.1)"}"# }.joined(
                separator: ",")
            try link.script(
                """
                INSERT INTO schedule VALUES ('fines', 'penalty', '2023-01-01', 'PEN-08', 'rate', '1'),
                    ('fines', 'penalty', '2023-01-01', 'PEN-08', 'count', '2'),
                    ('fines', 'penalty', '2023-01-01', 'PEN-08', 'months', '6');
                INSERT INTO period SELECT p, 'closed', '2023-01-01', '2024-01-01' FROM unnest('{202401,202402}'::int[]) p;
                INSERT INTO statement VALUES
                    (202401, 1, '', '{"sections":[{"delegation":14,"lines":[{"rule":"PEN-02","kind":"penalty","amount":"9.00"}]}]}', now()),
                    (202402, 1, '', '{"sections":[{"delegation":14,"lines":[\(february)]}]}', now());
                """)
            if let credit {
                try link.script(
                    """
                    INSERT INTO adjustment (period, about, contract_id, delegation_id, kind, rule, reason, proposed_by, proposed_at,
                        decided_by, decided_at, amount, decision)
                    VALUES (202403, 202402, 1, 14, 'credit', 'PEN-02', 'r', 'Ana', now(), 'Luis', now(), \(credit))
                    """)
            }
            let month = try MonthClosing(link, period: ClosingFixture.period).preview()
            let rules = try StatementDocument(month.statements[0].body).sections.first { $0.delegation == 14 }?.lines
                .map(\.rule)

            #expect(rules?.contains("PEN-08") == isCharged)
        }
    }

    @Test func `a month with payments alone comes before later ones, too`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 1)
            let closing = MonthClosing(link, period: ClosingFixture.period)
            try link.script("INSERT INTO period VALUES (202402, 'open', now(), NULL, NULL)")
            #expect(try closing.openBefore() == nil)
            try link.script(
                "INSERT INTO payment VALUES (202402, 'P0', 9, 1001, '2024-02-05', 100, 'borrower', NULL, 1)")

            #expect(try closing.openBefore()?.hasPrefix("2024-02 is not closed, so 2024-03 knows neither") == true)
        }
    }

    @Test func `months are closed in their order, unless it is meant otherwise`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 1)
            let april = ClosingFixture.period.advanced(byMonths: 1)
            try link.script(
                """
                INSERT INTO period VALUES (202402, 'open', now(), NULL, NULL), (202404, 'open', now(), NULL, NULL);
                CREATE TABLE outcome_202404 PARTITION OF outcome FOR VALUES IN (202404);
                UPDATE clock SET virtual_now = '2024-05-20T06:00:00Z';
                """)
            let later = MonthClosing(link, period: april)
            let failure = findings { _ = try later.close(evenIfEmpty: true) }
            #expect(failure?.exit == .usage)
            #expect(failure?.found.hasPrefix("2024-03 is not closed, so 2024-04 knows neither") == true)
            #expect(try PeriodStore(link, period: april).state() == .open)

            // Nothing was ever dealt in February.
            #expect(try MonthClosing(link, period: ClosingFixture.period).close().result == .closed)
            #expect(try later.close(evenIfEmpty: true).result == .closed)
        }
    }

    @Test func `a month may be closed before an earlier one where that is asked for`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 1)
            try link.script(
                "INSERT INTO period VALUES (202404, 'open', now(), NULL, NULL); CREATE TABLE outcome_202404 PARTITION OF outcome FOR VALUES IN (202404); UPDATE clock SET virtual_now = '2024-05-20T06:00:00Z';"
            )
            let april = ClosingFixture.period.advanced(byMonths: 1)

            #expect(
                try MonthClosing(link, period: april).close(evenIfEmpty: true, beforeEarlier: true).result == .closed)
        }
    }

    @Test func `the close warns of checks that never ran, and of contests that nobody decided`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 9)
            try link.script("DELETE FROM review_sampling")
            let closing = MonthClosing(link, period: ClosingFixture.period)
            func has(_ text: String) throws -> Bool {
                try closing.preview().summary.warnings.contains { $0.contains(text) }
            }
            #expect(try has("automatic checks of outcomes never ran"))
            #expect(try !has("contested"))
            try link.script(ClosingFixture.checked)
            try link.script(
                """
                INSERT INTO contest (delegation_id, outcome_id, period, reason, contested_by, contested_at)
                SELECT delegation_id, outcome_id, period, 'r', 'ACE01', now() FROM review WHERE decision = 'rejected' ORDER BY outcome_id LIMIT 2
                """)

            #expect(try !has("automatic checks"))
            #expect(try has("2 contested rejections wait for their second decision"))
        }
    }

    /// 1 of 2 irregular dwellings is rejected; inhabited ones dilute nothing (PEN-05).
    @Test(arguments: [("dwelling-inhabited", true), ("dwelling-irregular", false)])
    func `dictums of inhabited dwellings are not counted among the irregular`(others: String, isCharged: Bool)
        async throws
    {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 6)
            try link.script(
                """
                DELETE FROM review;
                UPDATE outcome SET marks = NULL, result = CASE WHEN result LIKE 'dwelling-%' THEN 'refusal' ELSE result END;
                CREATE TEMP TABLE mine AS SELECT outcome_id, delegation_id, row_number() OVER (ORDER BY outcome_id) AS n FROM outcome
                    WHERE contract_id = 1 AND delegation_id = 14 AND result = 'refusal' LIMIT 12;
                UPDATE outcome o SET result = CASE WHEN n <= 2 THEN 'dwelling-irregular' ELSE '\(others)' END
                    FROM mine m WHERE m.outcome_id = o.outcome_id;
                INSERT INTO review SELECT 202403, delegation_id, outcome_id, CASE WHEN n = 1 THEN 'rejected' ELSE 'approved' END, 'r',
                    's', '2024-03-31' FROM mine;
                """)
            let month = try MonthClosing(link, period: ClosingFixture.period).preview()
            let rules = try StatementDocument(month.statements[0].body).sections.first { $0.delegation == 14 }?.lines
                .map(\.rule)

            #expect(try link.run("SELECT count(*) FROM mine")[0].int64(0) > 5)
            #expect(rules?.contains("PEN-05") == isCharged)
        }
    }

    @Test func `goals without a figure are counted from valid outcomes, by tactic where they name one`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 7)
            try link.script(
                """
                INSERT INTO schedule VALUES ('fines', 'penalty', '2023-01-01', 'PEN-02', 'rate', '5'),
                    ('fines', 'penalty', '2023-01-01', 'PEN-02', 'threshold', '80');
                INSERT INTO fact (period, fact_id, kind, contract_id, delegation_id, on_date, subject, value, minimum, weight,
                    import_id)
                SELECT 202403, 'G' || c || '-' || subject, 'goal', c, 14, '2024-03-01', subject, '', '1000', '1', 1
                FROM generate_series(1, 2) c, unnest('{worked,worked:rest}'::text[]) subject WHERE c = 1 OR subject = 'worked';
                """)
            let rows = try link.run(
                """
                SELECT count(DISTINCT o.account_id), count(DISTINCT o.account_id) FILTER (WHERE p.tactic = 'rest')
                FROM outcome o JOIN position p ON p.hand_id = o.hand_id AND p.position = o.position
                LEFT JOIN review r USING (outcome_id)
                WHERE o.contract_id = 1 AND o.delegation_id = 14 AND CASE WHEN o.result ~ '^dwelling-|^agreement-signed$'
                    OR 'HRS-01' = ANY (o.marks) THEN r.decision = 'approved' ELSE true END
                """)
            let counts = try #require(rows.first)
            let store = try link.transaction { () -> [Int64] in
                let closing = try ClosingStore(link, period: ClosingFixture.period, step: { _ in })
                try closing.attributePayments(grace: [])
                let book = try MonthBook(closing, period: ClosingFixture.period, contracts: closing.contracts())
                let month = book.contracts.first.flatMap(book.month)
                return month?.delegations.first { $0.delegation.value == 14 }?.goals.map { $0.achieved / 10_000 } ?? []
            }

            #expect(store == [counts.int64(0), counts.int64(1)])
            #expect(counts.int64(1) > 0)
        }
    }
}
