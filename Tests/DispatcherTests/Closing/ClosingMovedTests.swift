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
            + """
            INSERT INTO account (period, delegation_id, account_id, line, municipality, regime, accounting, situation, book, currency,
                original_amount, balance, due, overdue, unpaid, arrears, days_late, extension_months, incomplete_payments,
                restructures, restructure_in_cure, suit_profiled, agreement_available, instalment_drop_bp, signed,
                payment_probability_bp, cofinanced, has_phone, has_email, has_address, reference)
            SELECT 202403, d, a, 1, 9001, 1, 2, 1, 1, 1, 1, 1, 1, 10000, 2, 2, 45, 0, 0, 0, false, false, true, 0, false, 0, false, true,
                true, true, 'r' FROM (VALUES (14, 5001), (9, 5002)) x (d, a);
            """

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
            let closing = MonthClosing(month.link, period: LeanMonth.march, parts: (count: parts, from: 0))
            let recovered = try closing.preview().statements.flatMap { statement in
                try StatementDocument(statement.body).sections.compactMap { section in
                    section.indicators.map { "\(statement.contract) \(section.delegation ?? 0) \($0.recovered)" }
                }
            }
            #expect(recovered.filter { !$0.hasSuffix(" 0.00") } == ["1 9 105.70", "2 14 20.00"])
            // The lease of 5002 had ended on the 20th.
            try month.link.transaction {
                let store = try ClosingStore(month.link, period: LeanMonth.march) { _ in }
                try store.attributePayments(grace: [])
                let nobodys = try store.unattributed()
                #expect(nobodys.payments == 1 && nobodys.amount == Cents(70))
            }
        }
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
