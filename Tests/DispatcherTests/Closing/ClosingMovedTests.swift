// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import PgStore
import Testing

/// Accounts whose debtor moved to another delegation while an agency held them (decisions 55 and 160).
struct ClosingMovedTests {
    /// Account 5001 is contract 1's in delegation 9 since February, until 10 March; March's cut has it in 14, where a round deals it to
    /// contract 2. Both call; contract 2 twice.
    private static let moved = """
        INSERT INTO period VALUES (202402, 'closed', '2024-02-01', now(), NULL);
        CREATE TABLE account_202403 PARTITION OF account FOR VALUES IN (202403);
        """ + LeanMonth.hand(1, 5_001...5_002, period: 202402)
        + LeanMonth.grant(1, 1...2, at: "2024-02-10T18:00:00Z", until: "2024-03-10T18:00:00Z")
        + LeanMonth.hand(2, 5_001...5_001, contracts: [2], delegation: 14, epoch: 2)
        + LeanMonth.grant(2, 1...1, contract: 2, delegation: 14, at: "2024-03-12T18:00:00Z")
        + LeanMonth.hand(3, 6_001...6_001, contracts: [3])
        + account("(202403, 14, 5001), (202403, 9, 5002)")

    /// In cuts, as `(month, delegation, account)`: 45 days late, 100.00 overdue.
    private static func account(_ rows: String) -> String {
        """
        INSERT INTO account (period, delegation_id, account_id, line, municipality, regime, accounting, situation, book, currency,
            original_amount, balance, due, overdue, unpaid, arrears, days_late, extension_months, incomplete_payments,
            restructures, restructure_in_cure, suit_profiled, agreement_available, instalment_drop_bp, signed,
            payment_probability_bp, cofinanced, has_phone, has_email, has_address, reference)
        SELECT p, d, a, 1, 9001, 1, 2, 1, 1, 1, 1, 1, 1, 10000, 2, 2, 45, 0, 0, 0, false, false, true, 0, false, 0, false, true,
            true, true, 'r' FROM (VALUES \(rows)) x (p, d, a);

        """
    }

    private func billed(_ month: LeanMonth, parts: Int) throws -> [String] {
        try MonthClosing(month.link, period: LeanMonth.march, parts: (count: parts, from: 0)).preview().statements
            .flatMap {
                statement in
                try StatementDocument(statement.body).sections.flatMap { section in
                    section.lines.filter { $0.rule == "FEE-11" }
                        .map { "\(statement.contract) \(section.delegation ?? 0) \($0.subject) \($0.records)" }
                }
            }
    }

    /// Account 5001 pays on 8 March while contract 1 holds it in delegation 9, and on 15 March under contract 2 in 14; 5002 pays twice,
    /// once by a row of where it moved to in the month. One payment is taken back.
    @Test(arguments: [1, 2])
    func `a payment is of who held its account, whatever delegation its row has`(parts: Int) async throws {
        let payments = """
            INSERT INTO payment VALUES (202403, 'A', 14, 5001, '2024-03-08', 10000, 'borrower', NULL, 1),
                (202403, 'B', 14, 5001, '2024-03-15', 2000, 'borrower', NULL, 1), (202403, 'C', 9, 5002, '2024-03-08', 500, 'borrower', NULL, 1),
                (202403, 'D', 20, 5002, '2024-03-09', 70, 'borrower', NULL, 1), (202403, 'E', 20, 5002, '2024-03-20', 70, 'borrower', NULL, 1),
                (202403, 'F', 14, 5001, '2024-03-09', 300, 'borrower', NULL, 1), (202403, 'G', 14, 5001, '2024-03-31', 300, 'borrower', 'F', 1);
            INSERT INTO notice VALUES (9, 5001, 1, 'delegation-changed', '2024-03-02', '2024-03-10');
            """
        try await LeanMonth.with(Self.moved + payments) { month in
            #expect(try recovered(month, parts: parts) == ["1 9 105.70", "2 14 20.00"])
            // The lease of 5002 had ended on the 20th.
            try month.link.transaction {
                let store = try ClosingStore(month.link, period: LeanMonth.march) { _ in }
                try store.attributePayments(grace: [])
                let nobodys = try store.unattributed()
                #expect(nobodys.payments == 1 && nobodys.amount == Cents(70))
            }
        }
    }

    /// Accounts 5003 to 5005 were contract 1's in delegation 9 for ten days of February, and their debtors moved to 14, where March's cut
    /// has them, and February's 5005. February's feed has the payment of 5004 with the new delegation already. March's takes all back:
    /// 10.00, 20.00 and 3.00.
    @Test(arguments: [1, 2])
    func `what is taken back is taken from who had it, wherever the debtor lives by then`(parts: Int) async throws {
        let taken =
            """
            INSERT INTO period VALUES (202402, 'closed', '2024-02-01', now(), NULL);
            CREATE TABLE account_202402 PARTITION OF account FOR VALUES IN (202402);
            CREATE TABLE account_202403 PARTITION OF account FOR VALUES IN (202403);
            """ + LeanMonth.hand(1, 5_003...5_005, period: 202402)
            + LeanMonth.grant(1, 1...3, at: "2024-02-10T18:00:00Z", until: "2024-02-20T18:00:00Z")
            + LeanMonth.hand(2, 6_001...6_001, contracts: [2], delegation: 14)
            + LeanMonth.hand(3, 6_002...6_002, contracts: [3])
            + Self.account("(202402, 9, 5003), (202402, 9, 5004), (202402, 14, 5005)")
            + Self.account("(202403, 14, 5003), (202403, 14, 5004), (202403, 14, 5005)")
                + """
                INSERT INTO payment VALUES (202402, 'P3', 9, 5003, '2024-02-15', 1000, 'borrower', NULL, 1),
                    (202402, 'P4', 14, 5004, '2024-02-16', 2000, 'borrower', NULL, 1),
                    (202402, 'P5', 9, 5005, '2024-02-17', 300, 'borrower', NULL, 1),
                    (202403, 'R5', 14, 5005, '2024-03-05', 300, 'borrower', 'P5', 1),
                    (202403, 'R3', 14, 5003, '2024-03-05', 1000, 'borrower', 'P3', 1),
                    (202403, 'R4', 14, 5004, '2024-03-05', 2000, 'borrower', 'P4', 1);
                """
        try await LeanMonth.with(taken) { month in
            let found = try recovered(month, parts: parts)
            #expect(found == ["1 9 -33.00"])
        }
    }

    /// Contract 1 ended with February; its lease of 5001 in delegation 9 goes on until 10 March.
    @Test func `a contract that is over has the payment of a debtor who moved, in a statement of that month`()
        async throws
    {
        let payment = """
            UPDATE contract SET ends_on = '2024-02-29' WHERE contract_id = 1;
            INSERT INTO payment VALUES (202403, 'A', 14, 5001, '2024-03-08', 10000, 'borrower', NULL, 1);
            INSERT INTO notice VALUES (9, 5001, 1, 'delegation-changed', '2024-03-02', '2024-03-10');
            """
        try await LeanMonth.with(Self.moved + payment) { month in
            let found = try recovered(month, parts: 1)
            #expect(found == ["1 9 100.00"])
        }
    }

    /// Contract 1's lease of 5003 was in February; its debtor lives in 14, and the payment of 150.00 comes late, with March's feed. 100.00
    /// were overdue: FEE-02 pays 4 % of that, and April takes as much back.
    @Test func `of what was paid late from another delegation no more is given back than was paid on (FEE-02)`()
        async throws
    {
        let late =
            """
            INSERT INTO period VALUES (202402, 'closed', '2024-02-01', now(), NULL);
            CREATE TABLE account_202402 PARTITION OF account FOR VALUES IN (202402);
            CREATE TABLE account_202403 PARTITION OF account FOR VALUES IN (202403);
            CREATE TABLE account_202404 PARTITION OF account FOR VALUES IN (202404);
            """ + LeanMonth.hand(1, 5_003...5_003, period: 202402, overdue: 10_000)
            + LeanMonth.grant(1, 1...1, at: "2024-02-10T18:00:00Z", until: "2024-02-20T18:00:00Z")
            + LeanMonth.hand(2, 6_001...6_001) + Self.account("(202402, 9, 5003), (202404, 14, 5003)")
                + """
                INSERT INTO schedule SELECT 'fees', 'fee', '2023-01-01', 'FEE-02', p, v
                FROM (VALUES ('minimum', '65'), ('0-100', '4')) x (p, v);
                INSERT INTO payment VALUES (202403, 'L', 14, 5003, '2024-02-15', 15000, 'borrower', NULL, 1);
                """
        try await LeanMonth.with(late) { month in
            #expect(try month.lines("fee") == ["FEE-02 4.00"])
            try PeriodStore(month.link, period: LeanMonth.march).keep(month.statements())
            try month.link.script(
                LeanMonth.aprilIsOver
                    + "INSERT INTO payment VALUES (202404, 'LR', 14, 5003, '2024-04-05', 15000, 'borrower', 'L', 1);")
            #expect(try month.lines("fee-cut", 1, LeanMonth.april) == ["FEE-02 4.00"])
            var question = StatementExplanation.Question()
            question.rule = "FEE-02"
            try month.link.script("UPDATE period SET state = 'closed' WHERE period = 202403")
            let accounts = try StatementExplanation(month.link, period: LeanMonth.march, question).lines
                .flatMap(\.accounts)
            #expect(accounts.map { "\($0.account) \($0.overdue ?? "") \($0.paid)" } == ["5003 100.00 150.00"])
        }
    }

    private func recovered(_ month: LeanMonth, parts: Int) throws -> [String] {
        try MonthClosing(month.link, period: LeanMonth.march, parts: (count: parts, from: 0)).preview().statements
            .flatMap { statement in
                try StatementDocument(statement.body).sections.compactMap { section in
                    section.indicators.map { "\(statement.contract) \(section.delegation ?? 0) \($0.recovered)" }
                }
            }.filter { !$0.hasSuffix(" 0.00") }
    }

    @Test(arguments: [1, 2])
    func `an account that is worked in two delegations bills a service once in the month (FEE-11)`(parts: Int)
        async throws
    {
        let work =
            LeanMonth.worked(1, 1...2, at: "2024-03-05T18:00:00Z")
            + LeanMonth.worked(2, 1...1, contract: 2, delegation: 14)
            + LeanMonth.worked(2, 1...1, contract: 2, delegation: 14)
            + "UPDATE outcome SET channel = 'visit' WHERE outcome_id = 4;"
        try await LeanMonth.with(Self.moved + work) { month in
            // The visit is another service; of the calls the first one bills, and 5002 is nobody else's.
            #expect(
                try billed(month, parts: parts)
                    == ["1 9 administrative.phone [1, 2]", "2 14 administrative.visit [4]"])
            // Whoever came first in the other delegation bills there.
            try month.link.script("UPDATE outcome SET outcome_id = 9 WHERE outcome_id = 1")
            #expect(
                try billed(month, parts: parts)
                    == [
                        "1 9 administrative.phone [2]", "2 14 administrative.phone [3]",
                        "2 14 administrative.visit [4]",
                    ])
        }
    }
}
