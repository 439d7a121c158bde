// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import PgStore
import Testing
import TestSupport

/// Who is assigned no more: what the institution took back, and who cannot be found, once a review confirmed it.
struct ClosingUnlocatableTests {
    /// Contract 1 was dealt 24 accounts by telephone in delegation 9, and 96 in all; 1001 is the first of them.
    private static let month =
        ClosingFixture.isOver + ClosingFixture.parties + ClosingFixture.schedules + ClosingFixture.deals
            + """
            DELETE FROM ending; DELETE FROM deal WHERE epoch = 2; DELETE FROM position WHERE epoch = 2;
            DELETE FROM lease_grant g USING hand h WHERE h.is_front AND (h.delegation_id, h.hand_id) = (g.delegation_id, g.hand_id);
            UPDATE hand SET size = 0 WHERE is_front;
            INSERT INTO outcome
            SELECT 202403, delegation_id, 1, 1, 900, 900, account_id, epoch, hand_id, position, 1, '2024-03-05T18:00:00Z',
                '2024-03-05T18:00:00Z', 'visit', 'unlocatable', 'no-answer', NULL, NULL, NULL, NULL, ''
            FROM deal WHERE account_id = 1001;

            """

    private static func ended(_ kind: String, _ reason: String, at: String) -> String {
        """
        INSERT INTO ending SELECT delegation_id, account_id, epoch, '\(kind)', '\(reason)', '\(at)', hand_id, position, true
        FROM deal WHERE account_id = 1001;
        """
    }

    private static func reviewed(_ decision: String?) -> String {
        decision.map {
            """
            INSERT INTO review (period, delegation_id, outcome_id, decision, reason, reviewer, reviewed_at)
            SELECT period, delegation_id, outcome_id, '\($0)', 'r', 's', '2024-04-01' FROM outcome;
            """
        } ?? ""
    }

    private func with(_ change: String, _ body: (PgLink) throws -> Void) async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try link.script(Self.month + change)
            try body(link)
        }
    }

    private func section(_ link: PgLink) throws -> StatementDocument.Indicators {
        let month = try MonthClosing(link, period: ClosingFixture.period).preview()
        let section = try StatementDocument(month.statements[0].body).sections.first { $0.delegation == 9 }
        return try #require(section?.indicators)
    }

    /// The month ends at 06:00Z of April 1. 48 accounts were dealt there.
    @Test(
        arguments: [
            ("return", "unlocatable", "2024-03-15T18:00:00Z", "approved", 47, 1),
            ("return", "unlocatable", "2024-03-15T18:00:00Z", "rejected", 48, 0),
            ("return", "unlocatable", "2024-03-15T18:00:00Z", nil, 48, 0),
            ("return", "unlocatable", "2024-04-01T05:59:59.999Z", "approved", 47, 1),
            ("return", "unlocatable", "2024-04-01T06:00:00Z", "approved", 48, 0),
            ("return", "capacity", "2024-03-15T18:00:00Z", "approved", 48, 0),
            ("recall", "unlocatable", "2024-03-15T18:00:00Z", "approved", 47, 1),
            ("recall", "unlocatable", "2024-03-15T18:00:00Z", nil, 48, 0),
            ("recall", "not-worked", "2024-03-15T18:00:00Z", "approved", 48, 0),
            ("recall", "reassignment", "2024-03-15T18:00:00Z", nil, 47, 0),
            ("payoff", "paid", "2024-03-15T18:00:00Z", "approved", 48, 0),
        ] as [(String, String, String, String?, Int64, Int64)])
    func `an unlocatable account leaves what is assigned once it was given back and a review confirmed it`(
        kind: String, reason: String, at: String, decision: String?, assigned: Int64, confirmed: Int64
    ) async throws {
        try await with(Self.ended(kind, reason, at: at) + Self.reviewed(decision)) { link in
            let counted = try section(link)

            #expect(counted.assigned == assigned)
            #expect(counted.unlocatable?["telephone"] == confirmed)
            #expect(counted.dealt["telephone"] == 24)
        }
    }

    @Test func `one that is still held stays assigned, whatever a review says`() async throws {
        try await with(Self.reviewed("approved")) { link in
            let assigned = try section(link).assigned
            #expect(assigned == 48)
        }
    }

    @Test func `what nobody worked and was taken back for it is shown with the returns`() async throws {
        try await with(Self.ended("recall", "not-worked", at: "2024-03-15T18:00:00Z")) { link in
            let counted = try section(link)

            #expect(counted.returned == ["not-worked": 1])
            #expect(counted.recalled.values.reduce(0, +) == 0)
        }
    }

    @Test func `a goal in accounts does not fall with what was confirmed, only with what the institution took`()
        async throws
    {
        let goal = """
            INSERT INTO schedule VALUES ('fines', 'penalty', '2023-01-01', 'PEN-02', 'rate', '5'),
                ('fines', 'penalty', '2023-01-01', 'PEN-02', 'threshold', '80');
            INSERT INTO import (kind, period, file_name, digest, rows_good, rows_bad, imported_at)
            VALUES ('facts', 202403, 'f', '', 1, 0, '2024-03-01');
            INSERT INTO fact (period, fact_id, kind, contract_id, delegation_id, on_date, subject, value, minimum, weight, import_id)
            VALUES (202403, 'G', 'goal', 1, 9, '2024-03-01', 'worked', '', '48', '1', 1);
            """
        func notes(_ change: String) async throws -> [String] {
            var notes: [String] = []
            try await with(goal + change) { link in
                let month = try MonthClosing(link, period: ClosingFixture.period).preview()
                notes =
                    try StatementDocument(month.statements[0].body).sections.first { $0.delegation == 9 }?
                    .notesInEnglish ?? []
            }
            return notes.filter { $0.hasPrefix("Goal G") }
        }
        let at = "2024-03-15T18:00:00Z"

        #expect(try await notes(Self.ended("return", "unlocatable", at: at) + Self.reviewed("approved")) == [])
        #expect(
            try await notes(Self.ended("recall", "reassignment", at: at)) == [
                "Goal G (worked): minimum 48 × 47 ÷ 48 = 47, because the institution took back or excluded 1 account."
            ])
    }

    @Test(arguments: [("approved", 95), (nil, 96)] as [(String?, Int64)])
    func `rates are over those that are left, but for the rate of unlocatables itself (IND-01)`(
        decision: String?, assigned: Int64
    ) async throws {
        try await with(
            Self.ended("return", "unlocatable", at: "2024-03-15T18:00:00Z") + Self.reviewed(decision)
        ) { link in
            let row = try #require(
                try IndicatorReport(link, period: ClosingFixture.period).rows(by: .contract).first { $0.key == "1" })
            let figures = Dictionary(row.figures.map { ($0.indicator, $0) }, uniquingKeysWith: { $1 })

            #expect(figures[.unlocatable] == IndicatorFigure(.unlocatable, 1, over: 96))
            #expect(figures[.contacted]?.denominator == assigned)
            #expect(figures[.recoveredAccounts]?.denominator == assigned)
        }
    }

    @Test func `delegations list what they may confirm, and confirm it by the commands for reviews`() async throws {
        try await with(Self.ended("return", "unlocatable", at: "2024-03-15T18:00:00Z")) { link in
            let list = ReviewList(link, period: ClosingFixture.period, unlocatable: true)
            #expect(try list.pending().rows.map { $0[0] } == ["900"])
            #expect(try ReviewList(link, period: ClosingFixture.period).pending().count == 0)
            _ = try ReviewDecisions(.approved, outcomes: [900], reason: "visited twice", reviewer: "Ana").run(on: link)

            #expect(try list.pending().count == 0)
            #expect(try section(link).assigned == 47)
            try link.script("UPDATE outcome SET contact = 'none', outcome_id = 901, key = 901")
            let failure = #expect(throws: CommandFailure.self) {
                try ReviewDecisions(.approved, outcomes: [901], reason: "r", reviewer: "s").run(on: link)
            }
            #expect(failure?.found == "outcome 901: 901 needs no review")
        }
    }
}
