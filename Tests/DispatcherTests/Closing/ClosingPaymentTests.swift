// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import PgStore
import Testing
import TestSupport

/// A payment belongs to the lease that held its account on the day.
struct ClosingPaymentTests {
    /// Hand 1 of contract 1 leased account 1001 on March 2; each case adds endings and payments.
    private func recovered(_ change: String) async throws -> [String] {
        try await TestDatabase.with { database in
            let link = try database.link()
            try link.script(
                ClosingFixture.parties + ClosingFixture.schedules + ClosingFixture.deals
                    + "DELETE FROM ending; DELETE FROM deal WHERE epoch = 2;"
                    + "INSERT INTO import (kind, period, file_name, digest, rows_good, rows_bad, imported_at)"
                    + " VALUES ('payments', 202403, 'f', '', 1, 0, '2024-03-31');" + change)
            return try MonthClosing(link, period: ClosingFixture.period).preview().statements.map { statement in
                let sections = try StatementDocument(statement.body).sections
                return sections.compactMap { $0.indicators.flatMap { Cents(pesos: $0.recovered) } }
                    .reduce(Cents.zero, +).description
            }
        }
    }

    private func payment(
        _ name: String, _ day: String, amount: Int = 10_000, account: Int = 1001, reverses: String? = nil,
        origin: String = "borrower"
    ) -> String {
        """
        INSERT INTO payment SELECT 202403, '\(name)', delegation_id, \(account), '\(day)', \(amount), '\(origin)',
            \(reverses.map { "'\($0)'" } ?? "NULL"), 1 FROM deal WHERE account_id = \(account) AND epoch = 1;
        """
    }

    private let returned = """
        INSERT INTO ending SELECT delegation_id, account_id, epoch, 'return', 'x', '2024-03-10T18:00:00Z', hand_id, position, true
        FROM deal WHERE account_id = 1001 AND epoch = 1;
        """

    /// To contract 3, in hand 24 of the same delegation, from its second grant on.
    private let dealtAgain = """
        INSERT INTO deal SELECT delegation_id, 1001, 2, (SELECT max(h.hand_id) FROM hand h WHERE h.delegation_id = d.delegation_id
            AND h.contract_ids = '{3}' AND NOT h.is_front), 7 FROM deal d WHERE account_id = 1001 AND epoch = 1;
        UPDATE lease_grant SET granted_at = '2024-03-10T20:00:00Z' WHERE contract_id = 3 AND first_position = 7;
        """

    @Test(arguments: [("2024-03-01", "0.00"), ("2024-03-02", "100.00"), ("2024-03-31", "100.00")])
    func `a payment counts from the day of the lease on`(day: String, amount: String) async throws {
        #expect(try await recovered(payment("P", day))[0] == amount)
    }

    @Test(arguments: [("2024-03-10", "100.00"), ("2024-03-11", "0.00")])
    func `a payment counts up to the day of the return`(day: String, amount: String) async throws {
        #expect(try await recovered(returned + payment("P", day))[0] == amount)
    }

    @Test func `on the day that a lease passes on, the payment is the new holder's`() async throws {
        #expect(try await recovered(returned + dealtAgain + payment("P", "2024-03-10")) == ["0.00", "0.00", "100.00"])
        #expect(try await recovered(returned + dealtAgain + payment("P", "2024-03-09")) == ["100.00", "0.00", "0.00"])
    }

    @Test func `a reversal takes back from whoever the payment counted for`() async throws {
        let change =
            payment("P", "2024-03-05") + payment("Q", "2024-03-06", amount: 2_550) + returned + dealtAgain
            + payment("R", "2024-03-20", reverses: "P")

        #expect(try await recovered(change) == ["25.50", "0.00", "0.00"])
    }

    /// Loaded before imports compared the origins.
    @Test func `a reversal is of its payment's origin`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 9)
            try link.script(
                SuspensionsTests.bands + "DELETE FROM payment; DELETE FROM ending;"
                    + payment("P", "2024-03-05") + payment("R", "2024-03-20", reverses: "P", origin: "employer"))
            let sections = try MonthClosing(link, period: ClosingFixture.period).preview().statements.flatMap {
                try StatementDocument($0.body).sections
            }
            #expect(
                sections.compactMap(\.indicators).allSatisfy {
                    $0.recovered == "0.00" && $0.recoveredFromBorrowers == "0.00"
                })
            #expect(sections.flatMap { $0.bands ?? [] }.map(\.recovered).allSatisfy { $0 == "0.00" })
        }
    }

    @Test func `what was dealt and not leased, or skipped, counts for nobody`() async throws {
        #expect(try await recovered(payment("P", "2024-03-20", account: 1008)) == ["0.00", "0.00", "0.00"])
        #expect(try await recovered(payment("P", "2024-03-20", account: 1011)) == ["0.00", "0.00", "0.00"])
    }

    @Test func `a payment of a contract that is over is its own, and one that is not makes no statement`() async throws
    {
        let over = "UPDATE contract SET ends_on = '2024-02-29' WHERE contract_id = 1;"

        #expect(try await recovered(over) == ["0.00", "0.00"])
        #expect(try await recovered(over + payment("P", "2024-03-01")) == ["0.00", "0.00"])
        #expect(try await recovered(over + payment("P", "2024-03-02")) == ["100.00", "0.00", "0.00"])
    }

    /// The grant that holds account 1001, with a term inside the month: it ends on March 12 with two days of grace and
    /// one of outage since.
    private let overdue = """
        UPDATE clock SET outage_us = 90000000000;
        UPDATE lease_grant SET term = '2024-03-09T06:00:00Z', grace_us = 172800000000, outage_us = 3600000000
        WHERE hand_id = 1 AND first_position = 1;
        """

    @Test(arguments: [("2024-03-12", "100.00"), ("2024-03-13", "0.00")])
    func `a lease that no sweep has closed counts up to its enforced term`(day: String, amount: String) async throws {
        #expect(try await recovered(overdue + payment("P", day))[0] == amount)
    }

    @Test(arguments: ["2024-03-11", "2024-03-12", "2024-03-13"])
    func `the same month with and without a sweep gives the same bytes`(day: String) async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 11)
            try link.script(
                "DELETE FROM ending WHERE account_id = 1001; DELETE FROM deal WHERE account_id = 1001 AND epoch = 2;"
                    + overdue + payment("P", day))
            let closing = MonthClosing(link, period: ClosingFixture.period)
            let unswept = try closing.preview().statements.map(\.body)

            #expect(try Sweep.run(link) > 0)
            #expect(try closing.preview().statements.map(\.body) == unswept)
        }
    }

    // MARK: - Grace after a return (GAP-late-payment)

    private func grace(_ days: Int) -> String {
        "INSERT INTO schedule VALUES ('fees', 'fee', '2023-01-01', 'GAP-late-payment', 'days', '\(days)');"
    }

    /// Given back on March 10, with a grace of five days.
    @Test(arguments: [
        ("2024-03-10", "100.00"), ("2024-03-11", "100.00"), ("2024-03-15", "100.00"), ("2024-03-16", "0.00"),
    ])
    func `a payment after a return is its holder's for the contract's grace`(day: String, amount: String) async throws {
        #expect(try await recovered(returned + grace(5) + payment("P", day))[0] == amount)
    }

    @Test func `not while another agency holds the account, and not of another's contract without grace`() async throws
    {
        #expect(
            try await recovered(returned + dealtAgain + grace(5) + payment("P", "2024-03-11")) == [
                "0.00", "0.00", "100.00",
            ])
        #expect(
            try await recovered(
                returned + grace(5)
                    + "INSERT INTO schedule VALUES ('strict', 'fee', '2023-01-01', 'FEE-11', 'dual.visit', '1');"
                    + "UPDATE contract SET fee_schedule = 'strict' WHERE contract_id = 1;" + payment("P", "2024-03-11"))[
                    0]
                == "0.00")
    }

    @Test(arguments: [("recall", "0.00"), ("payoff", "0.00"), ("exclusion", "0.00"), ("return", "100.00")])
    func `only a return has grace`(kind: String, amount: String) async throws {
        let ended = returned.replacing("'return'", with: "'\(kind)'")

        #expect(try await recovered(ended + grace(5) + payment("P", "2024-03-12"))[0] == amount)
    }
}
