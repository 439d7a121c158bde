// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import PgStore
import Testing

/// What stands in the way of a close, and what mends each of it.
struct CloseObstacleTests {
    private let period = ClosingStageSite.period

    private func lines(_ link: PgLink, _ stages: StageCommands) throws -> [String] {
        try CloseObstacles(link, period: period, stages).lines()
    }

    /// The fixture leaves some outcomes without a review; its clock shows April 9, behind their time.
    private let reviewed = """
        INSERT INTO review
        SELECT period, delegation_id, outcome_id, 'approved', 'r', 's', '2024-03-31' FROM outcome o
        WHERE (result LIKE 'dwelling-%' OR result = 'agreement-signed' OR 'HRS-01' = ANY (marks))
            AND NOT EXISTS (SELECT FROM review r WHERE r.outcome_id = o.outcome_id);
        """

    @Test func `nothing stands in the way of a month that is over, reviewed and decided about`() async throws {
        try await ClosingStageSite.with { link, stages in
            try link.script(reviewed)

            #expect(try lines(link, stages) == [])
        }
    }

    /// Rejected on Friday, April 5, the last day for reviews: contested until Friday, April 12.
    @Test func `a month waits for the time to contest its rejections`() async throws {
        try await ClosingStageSite.with { link, stages in
            try link.script(
                reviewed
                    + "UPDATE review SET decision = 'rejected', reviewed_at = '2024-04-05T18:00:00Z' WHERE outcome_id ="
                    + " (SELECT min(outcome_id) FROM review);")
            let until = "2024-04-13T06:00:00.000Z"
            #expect(
                try lines(link, stages) == [
                    "agencies may contest 1 rejection until \(until): `dispatcherd close` after that, or with --before-reviews, for good"
                ])
            #expect(
                ClosingStageSite.found { try stages.requireClosable(period, by: "Ana") }
                    == "1 rejection of 2024-03 may be contested until \(until), and what is rejected at its close is never billed"
            )
            let proposed = "nobody has proposed to close 2024-03"
            #expect(
                ClosingStageSite.found { try stages.requireClosable(period, by: "Ana", beforeReviews: true) }
                    == proposed)
            try link.script("UPDATE clock SET virtual_now = '2024-04-13T06:00:00Z'")
            #expect(ClosingStageSite.found { try stages.requireClosable(period, by: "Ana") } == proposed)
            // What was contested cannot be contested again; it waits for its second decision.
            try link.script(
                "UPDATE clock SET virtual_now = '2024-04-09T06:00:00Z'; INSERT INTO contest (delegation_id, outcome_id, period, reason,"
                    + " contested_by, contested_at, decision) SELECT delegation_id, outcome_id, period, 'r', 'ACE01', '2024-04-08', 'rejected'"
                    + " FROM review WHERE reviewed_at > '2024-04-01'")
            #expect(ClosingStageSite.found { try stages.requireClosable(period, by: "Ana") } == proposed)
        }
    }

    @Test func `everything is told with the command that mends it`() async throws {
        try await ClosingStageSite.with { link, stages in
            _ = try stages.issue(period, by: "Ana")
            let objection = try stages.object(
                period, contract: 1, delegation: 9, rule: "PEN-03", reason: "r", by: "ACE01")
            let waiver = try stages.propose(
                ClosingStageSite.waiver("PEN-05"), in: period, contract: 2, delegation: 14, by: "Ana")
            try link.script(
                """
                INSERT INTO period VALUES (202402, 'open', '2024-02-01', NULL, NULL);
                INSERT INTO payment VALUES (202402, 'P-1', 9, 1, '2024-02-03', 100, 'borrower', NULL, 1);
                \(ClosingStageSite.renamed);
                """)
            let waiting = try ReviewStore(link).progress(period).reduce(Int64(0)) { $0 + $1.pending }
            let told = try lines(link, stages)

            #expect(waiting > 1)
            #expect(
                told == [
                    "2024-02 is not closed, so 2024-03 knows neither what was breached then (PEN-08) nor what was billed (AGY-15): "
                        + "`dispatcherd close` of those first",
                    "\(waiting) outcomes wait for review, their time was over at 2024-04-06T06:00:00.000Z, and the close never bills "
                        + "them: `dispatcherd review list --period 2024-03 --pending` shows them",
                    "objection \(objection) (contract 1, delegation 9, PEN-03) waits for a decision: "
                        + "`dispatcherd objection uphold \(objection)` or `dispatcherd objection reject \(objection)`",
                    "adjustment \(waiver) (waiver, contract 2, delegation 14, PEN-05) waits for a decision: "
                        + "`dispatcherd adjustment approve \(waiver)` or `dispatcherd adjustment reject \(waiver)`",
                    "agencies may object to the pre-statements until 2024-04-17T06:00:00.000Z: `dispatcherd close` after that",
                ])
            // Amounts that are others are told as well, and mended by pre-statements that are issued again.
            try link.script(ClosingStageSite.lessWork)
            #expect(
                try lines(link, stages).last
                    == "contract 1 differs from its pre-statement of 2024-03: `dispatcherd statement issue --period 2024-03`, "
                    + "and agencies may object again")
        }
    }

    @Test func `a month whose reviews count is told how to decide them, and until when`() async throws {
        try await ClosingStageSite.with { link, stages in
            try link.script("UPDATE clock SET virtual_now = '2024-03-31T18:00:00Z'")
            let told = try lines(link, stages)

            #expect(told.count == 4)
            #expect(told[0].hasPrefix("2024-03 ends at 2024-04-01T06:00:00.000Z"))
            #expect(
                told[1].hasSuffix(
                    " outcomes wait for review: `dispatcherd review list --period 2024-03 --pending --csv pending.csv`, then "
                        + "`dispatcherd review import FILE` with the decisions"))
            #expect(told[2].hasPrefix("reviews count until 2024-04-06T06:00:00.000Z"))
            #expect(told.last?.hasPrefix("agencies may contest ") == true)
            #expect(told.last?.contains(" rejections until 2024-04-06T06:00:00.000Z: ") == true)
        }
    }

    /// April 1 is a Monday: five business days behind it are over with the 8th, behind the 5th with the 12th.
    @Test func `contests without a second decision are told one by one, those out of time first`() async throws {
        try await ClosingStageSite.with { link, stages in
            try link.script(
                reviewed + """
                    UPDATE review SET decision = 'rejected' WHERE outcome_id IN (
                        SELECT outcome_id FROM review JOIN outcome USING (period, delegation_id, outcome_id)
                        WHERE result LIKE 'dwelling-%' ORDER BY outcome_id LIMIT 2);
                    INSERT INTO contest (delegation_id, outcome_id, period, reason, contested_by, contested_at)
                    SELECT review.delegation_id, outcome_id, 202403, 'r', 'ACE01',
                        CASE row_number() OVER (ORDER BY outcome_id) WHEN 1 THEN '2024-04-05T18:00:00Z'::timestamptz
                            ELSE '2024-04-01T18:00:00Z' END
                    FROM review JOIN outcome USING (period, delegation_id, outcome_id)
                    WHERE result LIKE 'dwelling-%' ORDER BY outcome_id LIMIT 2;
                    """)
            let numbers = try link.run("SELECT outcome_id FROM contest ORDER BY 1").map { $0.int64(0) }
            let told = try lines(link, stages)

            #expect(numbers.count == 2)
            try #require(told.count == 3)
            #expect(
                told[0]
                    == "the contest of outcome \(numbers[1]), raised at 2024-04-01T18:00:00.000Z, was not decided until "
                    + "2024-04-09T06:00:00.000Z and is out of time: its rejection stands")
            #expect(
                told[1]
                    == "the contest of outcome \(numbers[0]), raised at 2024-04-05T18:00:00.000Z, waits for its second decision until "
                    + "2024-04-13T06:00:00.000Z: `dispatcherd review import FILE` with it, else its rejection stands")
            #expect(told[2].hasPrefix("reviews count until 2024-04-13T06:00:00.000Z"))
        }
    }

    @Test func `of many decisions that wait the first are told, and how many more there are`() async throws {
        try await ClosingStageSite.with { link, stages in
            try link.script(reviewed)
            let store = StageStore(link)
            for _ in 0..<(CloseObstacles.shownMax + 3) {
                _ = try store.raise(period, contract: 1, delegation: 9, rule: "FEE-11", reason: "r", by: "ACE01")
            }
            let told = try lines(link, stages)

            #expect(told.count == CloseObstacles.shownMax + 1)
            #expect(
                told.last == "3 more objections wait for a decision: `dispatcherd objection list --period 2024-03`")
        }
    }

    /// After the proposal is committed: whoever reads that it failed would propose again.
    @Test func `what cannot be looked up after the proposal is told, and fails nothing`() async throws {
        try await ClosingStageSite.with { link, stages in
            try link.script("DROP TABLE review CASCADE")
            #expect(throws: (any Error).self) { try lines(link, stages) }
            let notes = CloseObstacles(link, period: period, stages).notes()

            #expect(notes.count == 1)
            #expect(notes[0].hasPrefix("what stands in its way could not be looked up: "))
        }
    }
}
