// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import PgStore
import Testing

/// Contingency of payments that are taken back, in the same feed or a later one.
struct ClosingGivenBackTests {
    /// A hand of accounts that are 45 days late, 10,000.00 overdue each, and a scale of FEE-02.
    private static func month(_ accounts: ClosedRange<Int>) -> String {
        "CREATE TABLE account_202403 PARTITION OF account FOR VALUES IN (202403);"
            + LeanMonth.hand(1, accounts, overdue: 1_000_000) + LeanMonth.grant(1, 1...accounts.count)
                + """
                INSERT INTO account (period, delegation_id, account_id, line, municipality, regime, accounting, situation, book, currency,
                    original_amount, balance, due, overdue, unpaid, arrears, days_late, extension_months, incomplete_payments,
                    restructures, restructure_in_cure, suit_profiled, agreement_available, instalment_drop_bp, signed,
                    payment_probability_bp, cofinanced, has_phone, has_email, has_address, reference)
                SELECT 202403, 9, account_id, 1, 9001, 1, 2, 1, 1, 1, 1, 1, 1, 1000000, 2, 2, 45, 0, 0, 0, false, false, true, 0, false, 0,
                    false, true, true, true, 'r' FROM position;
                INSERT INTO schedule SELECT 'fees', 'fee', '2023-01-01', 'FEE-02', p, v
                FROM (VALUES ('minimum', '65'), ('0-40', '4'), ('41-50', '4.5'), ('51-60', '5'), ('61-100', '6.5')) x (p, v);
                """
    }

    private static func payment(
        _ id: String, _ accounts: ClosedRange<Int>, centavos: Int, feed: Int = 202403, day: String = "2024-03-08",
        reverses: String? = nil
    ) -> String {
        """
        INSERT INTO payment SELECT \(feed), '\(id)' || n, 9, n, '\(day)', \(centavos), 'borrower',
            \(reverses.map { "'\($0)' || n" } ?? "NULL"), 1 FROM generate_series(\(accounts.lowerBound), \(accounts.upperBound)) n;

        """
    }

    /// 80,000.00 are left assigned, and 41,000.00 of that recovered. Two accounts of 20,000.00 were recalled on 10 March; of one of them
    /// 5,000.00 were paid, and taken back in the same feed.
    @Test func `what was recalled counts on neither side where its payment was taken back (FEE-02)`() async throws {
        let month =
            Self.month(1...10) + LeanMonth.ended(1, 9...10, "recall", "ordered", at: "2024-03-10T18:00:00Z")
            + Self.payment("P", 1...4, centavos: 1_000_000) + Self.payment("Q", 5...5, centavos: 100_000)
            + Self.payment("B", 9...9, centavos: 500_000)
            + Self.payment("R", 9...9, centavos: 500_000, day: "2024-03-20", reverses: "B")
        try await LeanMonth.with(month) { month in
            let section = try month.section()
            #expect((section.bands ?? []).map { "\($0.recovered) of \($0.assigned)" } == ["41000.00 of 80000.00"])
            #expect(
                section.lines.filter { $0.rule == "FEE-02" }.map { "\($0.rate.percent ?? "") \($0.amount)" } == [
                    "5 2050.00"
                ])
            // Paid and not taken back it is on both sides.
            try month.link.script("DELETE FROM payment WHERE payment_id = 'R9'")
            #expect(
                (try month.section().bands ?? []).map { "\($0.recovered) of \($0.assigned)" } == [
                    "46000.00 of 90000.00"
                ])
        }
    }

    /// 6.5 % of 12,000,000.00 are 780,000.00, of which the budget pays 650,000.00. April takes 1,000,000.00 back, May 1,500,000.00:
    /// without all of them 617,500.00 would have been billed.
    @Test func `what the budget had cut of a payment is not given back when it is taken back (AGY-15)`() async throws {
        let month =
            Self.month(1...1_300) + Self.payment("P", 1...1_200, centavos: 1_000_000)
            + "INSERT INTO schedule VALUES ('fees', 'fee', '2023-01-01', 'AGY-15', 'budget', '650000.00');"
        try await LeanMonth.with(month) { month in
            let march = try month.statements()
            #expect(try month.lines("fee-cut") == ["AGY-15 130000.00"])
            try PeriodStore(month.link, period: LeanMonth.march).keep(march)
            try month.link.script(
                LeanMonth.aprilIsOver
                    + Self.payment("R", 1...100, centavos: 1_000_000, feed: 202404, day: "2024-04-05", reverses: "P"))
            #expect(try month.lines("fee-cut", 1, LeanMonth.april) == ["FEE-02 0.00"])
            try PeriodStore(month.link, period: LeanMonth.april).keep(month.statements(LeanMonth.april))
            try month.link.script(
                """
                INSERT INTO period VALUES (202405, 'open', '2024-05-01', NULL, NULL);
                CREATE TABLE outcome_202405 PARTITION OF outcome FOR VALUES IN (202405);
                CREATE TABLE placement_202405 PARTITION OF placement FOR VALUES IN (202405);
                UPDATE clock SET virtual_now = '2024-06-20T06:00:00Z';
                """ + Self.payment("S", 101...250, centavos: 1_000_000, feed: 202405, day: "2024-05-05", reverses: "P"))
            #expect(try month.lines("fee-cut", 1, LeanMonth.april.advanced(byMonths: 1)) == ["FEE-02 32500.00"])
        }
    }
}
