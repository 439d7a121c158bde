// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import PgStore
import Testing
import TestSupport

/// Which facts of before and of one day count, and what the ledger has of a statement without a place.
struct ClosingFactTests {
    private let period = ClosingFixture.period

    private func with(_ change: String, _ body: (PgLink) throws -> Void) async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 5)
            try link.script("DELETE FROM fact;" + change)
            try body(link)
        }
    }

    private func lines(_ link: PgLink, _ rule: String) throws -> [StatementDocument.Line] {
        let statement = try MonthClosing(link, period: period).preview().statements[0]
        return try StatementDocument(statement.body).sections.flatMap(\.lines).filter { $0.rule == rule }
    }

    private func report(_ fact: String, present: Int, file: Int) -> String {
        """
        INSERT INTO fact (period, fact_id, kind, contract_id, delegation_id, on_date, portfolio, value, import_id)
        VALUES (202403, '\(fact)', 'staffing', 1, 9, '2024-03-29', 1, '\(present)', \(file));
        """
    }

    /// Of two files on the same day, the later one's; of one file, the one with the higher number, and not the one that sorts last.
    @Test(arguments: [1, 2])
    func `of two staffing reports of one day the one that was loaded last counts (PEN-01)`(file: Int) async throws {
        let second = file == 1 ? "F-10" : "A-1"
        let change =
            "INSERT INTO import (kind, period, file_name, digest, rows_good, rows_bad, imported_at)"
            + " VALUES ('facts', 202403, 'g', 'g', 1, 0, '2024-03-31');"
            + report(second, present: 0, file: file) + report("F-9", present: 1, file: 1)
        try await with(change) { link in
            let found = try lines(link, "PEN-01")
            #expect(found.map(\.facts) == [[second]])
        }
    }

    /// Three years back, where the schedule looks so far.
    @Test(arguments: [(36, false), (37, true)])
    func `recidivism reads as many months back as its schedule says (PEN-08)`(
        months: Int, isCharged: Bool
    ) async throws {
        let line = #"{"rule":"PEN-02","kind":"penalty","amount":"9.00"}"#
        let change = """
            INSERT INTO schedule VALUES ('fines', 'penalty', '2023-01-01', 'PEN-08', 'rate', '1'),
                ('fines', 'penalty', '2023-01-01', 'PEN-08', 'count', '2'),
                ('fines', 'penalty', '2023-01-01', 'PEN-08', 'months', '\(months)');
            INSERT INTO period SELECT p, 'closed', '2021-01-01', '2024-01-01' FROM unnest('{202103,202303}'::int[]) p;
            INSERT INTO statement SELECT p, 1, '', '{"sections":[{"delegation":9,"lines":[\(line)]}]}', now()
            FROM unnest('{202103,202303}'::int[]) p;
            """
        try await with(change) { link in
            let found = try lines(link, "PEN-08")
            #expect(found.isEmpty != isCharged)
        }
    }

    /// Both goals of contract 1 in delegation 9 get another weight, and only its own words would say so.
    @Test(arguments: [("60", "0"), ("0", "100"), ("60", "50")])
    func `a goal that no longer weighs is named with both weights, and a plan without any is told (PEN-02)`(
        minimum: String, weight: String
    ) async throws {
        func goal(_ id: String, _ minimum: String, _ weight: String, _ former: String) -> String {
            """
            INSERT INTO fact (period, fact_id, kind, contract_id, delegation_id, on_date, subject, value, minimum, weight, note, supersedes,
                import_id)
            VALUES (202403, '\(id)', 'goal', 1, 9, '2024-03-01', 'worked', '1', '\(minimum)', '\(weight)', 'why', \(former), 1);
            """
        }
        let change =
            "INSERT INTO schedule VALUES ('fines', 'penalty', '2023-01-01', 'PEN-02', 'rate', '5'),"
            + "('fines', 'penalty', '2023-01-01', 'PEN-02', 'threshold', '80');"
            + goal("G1", "60", "100", "NULL") + goal("Z1", minimum, weight, "'G1'")
        try await with(change) { link in
            let isJudged = minimum != "0" && weight != "0"
            #expect(try lines(link, "PEN-02").isEmpty == !isJudged)
            let month = try MonthClosing(link, period: period).preview()
            let sections = try StatementDocument(month.statements[0].body).sections
            let weights = weight == "100" ? ("", "") : ("peso \(weight), antes 100; ", "weight \(weight), before 100; ")
            #expect(
                sections.flatMap(\.notes).contains(
                    "Meta Z1 (worked): mínimo \(minimum), antes 60; \(weights.0)cambió con motivo: why."))
            #expect(
                sections.flatMap { $0.notesInEnglish ?? [] }.contains(
                    "Goal Z1 (worked): minimum \(minimum), before 60; \(weights.1)changed because: why."))
            let told = month.summary.warnings.filter { $0.contains("without a goal to judge") }
            #expect(
                told
                    == (isJudged
                        ? []
                        : [
                            "1 work plan without a goal to judge, since the minimum or weight of all is zero: neither PEN-02 nor PEN-22 is "
                                + "charged: contract 1 in \(try #require(Delegation(9)).name)"
                        ]))
        }
    }

    /// Contract 4 has no capacity and worked nothing: its statement is of the whole invoice alone.
    @Test func `a statement without a delegation's section is recorded in the first chain`() async throws {
        let change = """
            INSERT INTO contract SELECT (jsonb_populate_record(NULL::contract, to_jsonb(c) || '{"contract_id": 4}')).*
            FROM contract c WHERE contract_id = 3;
            """
        try await with(change) { link in
            let closed = try MonthClosing(link, period: period).close().month
            let own = try #require(closed.statements.last)
            let document = try StatementDocument(own.body)
            #expect(own.contract == 4 && document.sections.allSatisfy { $0.delegation == nil })
            let records = try link.run("SELECT records FROM block ORDER BY block_id").flatMap { row in
                LedgerBlock.unpack(row.bytes(0)).map { String(decoding: $0, as: UTF8.self) }
            }
            let digest = LedgerTree.hex(own.digest)
            #expect(
                records.filter { $0.contains(" contract=4 ") } == [
                    "statement delegation=1 contract=4 digest=\(digest) fees=0.00 penalties=0.00 payable=0.00"
                ])
            let receipt = document.receipt(of: try #require(document.sections.last), digest: own.digest, period)
            #expect(receipt.count == 64)
        }
    }
}
