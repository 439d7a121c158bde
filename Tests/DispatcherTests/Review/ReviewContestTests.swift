// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import PgStore
import Testing
import TestSupport

/// Until when reviews count, and the one contest of a rejection.
struct ReviewContestTests {
    /// Outcomes 1 and 2 of ACE07 in delegation 9, both signed agreements. The clock shows Friday, March 29.
    private func with(_ body: (PgLink) throws -> Void) async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try link.script(
                """
                UPDATE clock SET virtual_now = '2024-03-29T18:00:00Z';
                INSERT INTO period VALUES (202403, 'open', '2024-03-01', NULL, NULL);
                CREATE TABLE outcome_202403 PARTITION OF outcome FOR VALUES IN (202403);
                INSERT INTO outcome
                SELECT 202403, 9, 7, 1, n, n, 1000 + n, 1, 1, 1, 12, '2024-03-04T16:00:00Z', '2024-03-04T17:00:00Z',
                    'visit', 'direct', 'agreement-signed', NULL, NULL, NULL, NULL, ''
                FROM generate_series(1, 2) n;
                """)
            try body(link)
        }
    }

    private func decide(_ decision: ReviewDecision, _ outcome: Int64, _ link: PgLink, days: Int? = 5) throws {
        var decisions = ReviewDecisions(decision, outcomes: [outcome], reason: "r", reviewer: "ana")
        decisions.deadlineDays = days
        _ = try decisions.run(on: link)
    }

    private func contest(_ outcome: Int64, by agency: String = "ACE07", _ link: PgLink) throws {
        try ReviewContest(outcome: outcome, reason: "the photo is there", by: agency, days: 5).run(on: link)
    }

    private func found(_ body: () throws -> Void) -> String {
        do { try body() } catch { return (error as? CommandFailure)?.found ?? "\(error)" }
        return "nothing was thrown"
    }

    private func standing(_ link: PgLink) throws -> [String] {
        try link.run("SELECT outcome_id || ' ' || decision FROM standing_review ORDER BY 1").map { $0.text(0) }
    }

    @Test(arguments: [("2024-04-06T05:59:59Z", true), ("2024-04-06T06:00:00Z", false)])
    func `reviews count until behind the fifth business day`(now: String, isTaken: Bool) async throws {
        try await with { link in
            try link.script("UPDATE clock SET virtual_now = '\(now)'")
            let found = found { try decide(.approved, 1, link) }

            #expect(
                found
                    == (isTaken
                        ? "nothing was thrown" : "no period takes reviews: each is closed, or its deadline is over"))
            try decide(.approved, 2, link, days: nil)
        }
    }

    @Test func `a rejection is contested once, and the second decision stands`() async throws {
        try await with { link in
            try decide(.rejected, 1, link)
            try decide(.approved, 2, link)
            #expect(found { try contest(2, link) } == "no outcome 2 of ACE07 in an open period is rejected")
            #expect(
                found { try contest(1, by: "ACE08", link) } == "no outcome 1 of ACE08 in an open period is rejected")
            #expect(found { try decide(.approved, 1, link) }.contains("was decided before"))
            try contest(1, link)
            #expect(try standing(link) == ["1 rejected", "2 approved"])
            #expect(try ReviewList(link, period: ClosingFixture.period).pending().rows.map { $0[0] } == ["1"])
            try decide(.approved, 1, link)
            #expect(try standing(link) == ["1 approved", "2 approved"])
            #expect(try ReviewList(link, period: ClosingFixture.period).pending().count == 0)
            #expect(found { try decide(.rejected, 1, link) }.contains("was decided before: approved"))
            #expect(found { try contest(1, link) } == "outcome 1 was contested before")
            let records = try link.run("SELECT records FROM block ORDER BY block_id").flatMap { row in
                LedgerBlock.unpack(row.bytes(0)).map { String(decoding: $0, as: UTF8.self).prefix(16) }
            }
            #expect(records == ["review outcome=1", "review outcome=2", "contest outcome=", "review outcome=1"])
        }
    }

    /// Rejected on the last day for reviews, contested on Monday, April 8: the delegation has until Monday, April 15.
    @Test(arguments: [("2024-04-16T05:59:59Z", true), ("2024-04-16T06:00:00Z", false)])
    func `what is contested has a time of its own for its second decision`(now: String, isTaken: Bool) async throws {
        try await with { link in
            try link.script("UPDATE clock SET virtual_now = '2024-04-05T18:00:00Z'")
            try decide(.rejected, 1, link)
            try link.script("UPDATE clock SET virtual_now = '2024-04-08T18:00:00Z'")
            try contest(1, link)
            #expect(found { try decide(.approved, 2, link) } == "there is no outcome 2 in a period that takes reviews")
            try link.script("UPDATE clock SET virtual_now = '\(now)'")

            #expect(
                found { try decide(.approved, 1, link) }
                    == (isTaken
                        ? "nothing was thrown" : "no period takes reviews: each is closed, or its deadline is over"))
            #expect(try standing(link) == [isTaken ? "1 approved" : "1 rejected"])
            #expect(found { try decide(.approved, 1, link) }.hasPrefix("no period takes reviews"))
        }
    }

    /// Five business days behind Friday, March 29, is Friday, April 5.
    @Test(arguments: [("2024-04-06T05:59:59Z", true), ("2024-04-06T06:00:00Z", false)])
    func `a contest has its time`(now: String, isTaken: Bool) async throws {
        try await with { link in
            try decide(.rejected, 1, link)
            try link.script("UPDATE clock SET virtual_now = '\(now)'")

            #expect(found { try contest(1, link) }.hasPrefix("the time to contest") != isTaken)
        }
    }
}
