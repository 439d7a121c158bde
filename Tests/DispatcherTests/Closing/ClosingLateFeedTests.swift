// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import PgStore
import Testing

/// Contingency of payments that a later feed brings (decision 174): all feeds together are paid on what one would have been.
struct ClosingLateFeedTests {
    /// Accounts 1 and 2, 45 days late, 100.00 overdue each.
    private static let month = """
        CREATE TABLE account_202403 PARTITION OF account FOR VALUES IN (202403);
        """ + LeanMonth.hand(1, 1...2, overdue: 10_000) + """
            INSERT INTO account (period, delegation_id, account_id, line, municipality, regime, accounting, situation, book, currency,
                original_amount, balance, due, overdue, unpaid, arrears, days_late, extension_months, incomplete_payments,
                restructures, restructure_in_cure, suit_profiled, agreement_available, instalment_drop_bp, signed,
                payment_probability_bp, cofinanced, has_phone, has_email, has_address, reference)
            SELECT 202403, 9, account_id, 1, 9001, 1, 2, 1, 1, 1, 1, 1, 1, 10000, 2, 2, 45, 0, 0, 0, false, false, true, 0, false, 0,
                false, true, true, true, 'r' FROM position;
            INSERT INTO schedule SELECT 'fees', 'fee', '2023-01-01', 'FEE-02', p, v
            FROM (VALUES ('minimum', '65'), ('0-100', '5')) x (p, v);
            INSERT INTO schedule VALUES ('fees', 'fee', '2023-01-01', 'GAP-late-payment', 'days', '10');

            """

    private static func payment(
        _ id: String, _ account: Int, _ centavos: Int, feed: Int = 202403, day: String = "2024-03-08",
        reverses: String? = nil
    ) -> String {
        """
        INSERT INTO payment VALUES (\(feed), '\(id)', 9, \(account), '\(day)', \(centavos), 'borrower',
            \(reverses.map { "'\($0)'" } ?? "NULL"), 1);

        """
    }

    private static let may = """
        INSERT INTO period VALUES (202405, 'open', '2024-05-01', NULL, NULL);
        CREATE TABLE outcome_202405 PARTITION OF outcome FOR VALUES IN (202405);
        CREATE TABLE placement_202405 PARTITION OF placement FOR VALUES IN (202405);
        UPDATE clock SET virtual_now = '2024-06-20T06:00:00Z';

        """

    /// What a month's lines of a kind are of.
    private func bases(_ month: LeanMonth, _ period: Period, _ kind: String = "fee") throws -> [String] {
        try month.sections(1, period).flatMap(\.lines).filter { $0.kind == kind && $0.rule == "FEE-02" }
            .compactMap(\.base.pesos)
    }

    private func keep(_ month: LeanMonth, _ period: Period) throws {
        try PeriodStore(month.link, period: period).keep(month.statements(period))
    }

    @Test(arguments: [
        (6_000, 7_000, ["60.00"], ["40.00"]), (10_000, 2_000, ["100.00"], []), (3_000, 2_000, ["30.00"], ["20.00"]),
    ])
    func `a payment that comes late counts up to what the month's feed left of the overdue value (FEE-02)`(
        first: Int, second: Int, march: [String], april: [String]
    ) async throws {
        let dealt = Self.month + LeanMonth.grant(1, 1...2, until: "2024-03-25T18:00:00Z")
        try await LeanMonth.with(dealt + Self.payment("P", 1, first) + Self.payment("Q", 1, second)) { month in
            let whole = Cents(Int64(min(first + second, 10_000))).description
            let found = try bases(month, LeanMonth.march)
            #expect(found == [whole])
        }
        try await LeanMonth.with(dealt + Self.payment("P", 1, first)) { month in
            #expect(try bases(month, LeanMonth.march) == march)
            try keep(month, LeanMonth.march)
            try month.link.script(
                LeanMonth.aprilIsOver + Self.payment("Q", 1, second, feed: 202404, day: "2024-03-05")
                    + Self.payment("X", 2, 1_000, feed: 202404, day: "2024-03-06"))
            // Account 2 paid nothing in March's feed: its 10.00 are in the same line.
            let others = Cents(1_000) + (april.first.flatMap { Cents(pesos: $0) } ?? .zero)
            let late = try bases(month, LeanMonth.april)
            #expect(late == [others.description])
        }
    }

    /// 100.00 were paid on in March. What is paid in April under the lease that lives into it counts anew; what is dated March does not.
    @Test func `a lease that lives into the month counts anew what is paid in it`() async throws {
        let dealt = Self.month + LeanMonth.grant(1, 1...2, until: "2024-04-20T18:00:00Z") + Self.payment("P", 1, 10_000)
        try await LeanMonth.with(dealt) { month in
            try keep(month, LeanMonth.march)
            try month.link.script(
                LeanMonth.aprilIsOver + Self.payment("Q", 1, 5_000, feed: 202404, day: "2024-03-20")
                    + Self.payment("R", 1, 3_000, feed: 202404, day: "2024-04-10"))
            #expect(try bases(month, LeanMonth.april) == ["30.00"])
        }
    }

    /// In grace in April, of a lease that was returned in March: March's overdue value, which was paid on.
    @Test func `a payment in grace counts for the month in which its lease was over`() async throws {
        let dealt =
            Self.month + LeanMonth.grant(1, 1...2, until: "2024-04-20T18:00:00Z")
            + LeanMonth.ended(1, 1...2, "return", "capacity", at: "2024-03-28T18:00:00Z") + Self.payment("P", 1, 9_000)
        try await LeanMonth.with(dealt) { month in
            try keep(month, LeanMonth.march)
            try month.link.script(
                LeanMonth.aprilIsOver + Self.payment("Q", 1, 4_000, feed: 202404, day: "2024-04-03"))
            #expect(try bases(month, LeanMonth.april) == ["10.00"])
        }
    }

    /// March paid on 60.00 and April on 40.00 of 70.00. Of 130.00 in all 30.00 lie above: only what goes below 100.00 is given back.
    @Test(arguments: [
        ([("P", 6_000)], ["30.00"]), ([("Q", 7_000)], ["40.00"]), ([("P", 6_000), ("Q", 7_000)], ["30.00", "70.00"]),
    ])
    func `of what two feeds paid no more is given back than falls below the overdue value`(
        taken: [(String, Int)], back: [String]
    ) async throws {
        let dealt =
            Self.month + LeanMonth.grant(1, 1...2, until: "2024-03-25T18:00:00Z") + Self.payment("P", 1, 6_000)
        try await LeanMonth.with(dealt) { month in
            try keep(month, LeanMonth.march)
            try month.link.script(LeanMonth.aprilIsOver + Self.payment("Q", 1, 7_000, feed: 202404, day: "2024-03-05"))
            #expect(try bases(month, LeanMonth.april) == ["40.00"])
            try keep(month, LeanMonth.april)
            try month.link.script(
                Self.may
                    + taken.map { Self.payment("T" + $0.0, 1, $0.1, feed: 202405, day: "2024-05-05", reverses: $0.0) }
                    .joined())
            let lines = try bases(month, LeanMonth.april.advanced(byMonths: 1), "fee-cut")
            func sum(_ bases: [String]) -> Cents {
                bases.reduce(Cents.zero) { $0 + (Cents(pesos: $1) ?? .zero) }
            }
            let (found, wanted) = (sum(lines), sum(back))
            #expect(found == wanted, "\(lines)")
        }
    }
}
