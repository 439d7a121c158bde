// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import PgStore
import TestSupport

/// The fixture's month behind its end, with a penalty in delegation 9 of contract 1; its clock shows Tuesday, April 9.
enum ClosingStageSite {
    static let period = ClosingFixture.period

    static func with(needsTwo: Bool = true, _ body: (PgLink, StageCommands) throws -> Void) async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try make(link)
            try body(link, StageCommands(link, needsTwo: needsTwo))
        }
    }

    static func make(_ link: PgLink) throws {
        try ClosingFixture.make(link, seed: 5)
        try link.script(
            """
            INSERT INTO fact (period, fact_id, kind, contract_id, delegation_id, on_date, subject, value, import_id)
            VALUES (202403, 'V-9', 'visit', 1, 9, '2024-03-10', 'adviser-absent', 'no', 1);
            """)
    }

    /// What a command found, and what it advises; "nothing was thrown" where it did not fail.
    static func failure(_ body: () throws -> Void) -> (found: String, remedy: String, exit: CommandFailure.Exit?) {
        do { try body() } catch {
            let failure = error as? CommandFailure
            return (failure?.found ?? "\(error)", failure?.remedy ?? "", failure?.exit)
        }
        return ("nothing was thrown", "", nil)
    }

    static func found(_ body: () throws -> Void) -> String { failure(body).found }

    static func waiver(_ rule: String, amount: Cents? = nil) -> Adjustment {
        Adjustment(number: 0, kind: .waiver, rule: rule, amount: amount, about: period, reason: "r")
    }

    /// Another name of contract 3's agency: its statement is another, and no amount is.
    static let renamed = "UPDATE agency SET name = 'Otra' WHERE agency_id = 2"
    /// What contract 1 did in delegation 9 is gone, and with it what that bills.
    static let lessWork = "DELETE FROM outcome WHERE contract_id = 1 AND delegation_id = 9"
}
