// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import PgStore
import Testing
import TestSupport

/// Outcomes that need no review: automatic checks, and a sample that anybody can draw again.
struct ReviewChecksTests {
    private let period = ClosingFixture.period

    private func with(_ body: (PgLink) throws -> Void) async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 31)
            // An hour between all, so that only what is made for it is repeated. Nobody has run the checks.
            try link.script(
                "DELETE FROM review_sampling; UPDATE outcome SET worked_at = '2024-03-03T06:00:00Z'::timestamptz + outcome_id * interval '1 hour' / 4"
            )
            try body(link)
        }
    }

    private func causes(_ link: PgLink) throws -> [Int64: String] {
        Dictionary(
            try link.run("SELECT outcome_id, cause FROM review_demand").map { ($0.int64(0), $0.text(1)) },
            uniquingKeysWith: { $1 })
    }

    @Test func `each check finds what it says, and no more`() async throws {
        try await with { link in
            try link.script(
                """
                UPDATE outcome SET result = 'refusal', contact = 'direct', channel = 'phone-out', marks = NULL;
                UPDATE outcome SET contact = 'none' WHERE outcome_id = 1;
                UPDATE outcome SET result = 'no-show', channel = 'phone-out' WHERE outcome_id = 2;
                UPDATE outcome SET result = 'no-show', channel = 'mediation-session' WHERE outcome_id = 3;
                UPDATE outcome SET result = 'promise', amount = 100, promised_on = (worked_at AT TIME ZONE interval '-6 hours')::date + 60
                    WHERE outcome_id = 4;
                UPDATE outcome SET result = 'promise', amount = 100, promised_on = (worked_at AT TIME ZONE interval '-6 hours')::date + 61
                    WHERE outcome_id = 5;
                UPDATE outcome SET result = 'wrong-number', channel = 'visit' WHERE outcome_id = 6;
                UPDATE outcome SET result = 'agreement-signed', contact = 'none' WHERE outcome_id = 7;
                UPDATE outcome SET contact = 'none', marks = '{HRS-01}' WHERE outcome_id = 8;
                """)
            // The second one is 299 seconds behind the first, the third 300 behind the second.
            let account = try #require(
                try link.run(
                    "SELECT account_id FROM outcome WHERE outcome_id > 8 GROUP BY 1 HAVING count(*) > 2 ORDER BY 1 LIMIT 1"
                ).first
            )
            .int64(0)
            let numbers = try link.run(
                "SELECT outcome_id FROM outcome WHERE account_id = $1 AND outcome_id > 8 ORDER BY 1", [.int64(account)]
            ).map { $0.int64(0) }
            for (index, seconds) in [0, 299, 599].enumerated() {
                try link.script(
                    """
                    UPDATE outcome SET worked_at = '2024-03-29T18:00:00Z'::timestamptz + interval '\(seconds) seconds'
                    WHERE outcome_id = \(numbers[index])
                    """)
            }
            let report = try ReviewChecks(link, period: period).run(rate: "0", seed: 5, by: "Ana")

            #expect(
                try causes(link) == [
                    1: "nobody-reached", 2: "wrong-channel", 5: "promise-date", 6: "wrong-channel",
                    numbers[1]: "repeated",
                ])
            #expect(report.found == 5)
            #expect(report.counts.first { $0.cause == "wrong-channel" }?.all == 2)
            #expect(try ReviewChecks(link, period: period).run(rate: nil, seed: nil, by: "Eva").found == 0)
        }
    }

    @Test func `what fails a check waits, what the sample draws counts unless it is rejected`() async throws {
        try await with { link in
            let closing = MonthClosing(link, period: period)
            func valid() throws -> Int64 {
                try closing.preview().statements.flatMap { try StatementDocument($0.body).sections }
                    .reduce(0) { $0 + ($1.indicators?.validOutcomes ?? 0) }
            }
            try link.script("UPDATE outcome SET contact = 'direct' WHERE result IN ('promise', 'refusal')")
            let before = try valid()
            #expect(try ReviewChecks(link, period: period).run(rate: "20", seed: 5, by: "Ana").found > 0)
            #expect(try Set(causes(link).values) == ["sample"])
            #expect(try valid() == before)
            let drawn = try causes(link).keys.sorted()
            _ = try ReviewDecisions(.rejected, outcomes: [drawn[0]], reason: "no-recording", reviewer: "Eva").run(
                on: link)
            _ = try ReviewDecisions(.approved, outcomes: [drawn[1]], reason: "ok", reviewer: "Eva").run(on: link)
            #expect(try valid() == before - 1)
            try link.run(
                "UPDATE outcome SET contact = 'none', result = 'promise' WHERE outcome_id = $1", [.int64(drawn[2])])
            #expect(try ReviewChecks(link, period: period).run(rate: nil, seed: nil, by: "Ana").found == 1)
            #expect(try causes(link)[drawn[2]] == "nobody-reached")
            #expect(try valid() == before - 2)
        }
    }

    @Test(arguments: [("2024-04-06T05:59:59Z", true), ("2024-04-06T06:00:00Z", false)])
    func `checks run again while there is time for reviews`(now: String, isRun: Bool) async throws {
        try await with { link in
            let checks = ReviewChecks(link, period: period, deadlineDays: 5)
            try link.script("UPDATE clock SET virtual_now = '2024-04-01T18:00:00Z'")
            _ = try checks.run(rate: nil, seed: nil, by: "Ana")
            try link.script("UPDATE clock SET virtual_now = '\(now)'")
            if isRun {
                _ = try checks.run(rate: nil, seed: nil, by: "Ana")
            } else {
                let failure = #expect(throws: CommandFailure.self) { try checks.run(rate: nil, seed: nil, by: "Ana") }
                #expect(failure?.found.hasPrefix("reviews of 2024-03 counted until") == true)
            }
        }
    }

    /// Fees are due for outcomes that were approved or validated (FEE-11): of a month that nobody checked, for none.
    @Test func `a month whose checks never ran is neither shown to agencies, proposed nor closed`() async throws {
        try await with { link in
            let stages = StageCommands(link, needsTwo: false)
            let refused = [
                ClosingStageSite.failure { try stages.requireClosable(period, by: nil) },
                ClosingStageSite.failure { _ = try stages.issue(period, by: "Ana") },
                ClosingStageSite.failure { try stages.proposeClose(period, by: "Ana") },
                // In the close's own transaction: what is reported since it was looked at.
                ClosingStageSite.failure {
                    _ = try MonthClosing(link, period: period).close(
                        check: { try stages.requireStillClosable($0, by: nil) })
                },
                ClosingStageSite.failure { try stages.requireClosable(period, by: nil, beforeReviews: true) },
            ]
            for failure in refused {
                #expect(failure.found.hasPrefix("the automatic checks of 2024-03 never ran"))
                #expect(failure.remedy.contains("`dispatcherd review check --period 2024-03 --by NAME`"))
                #expect(failure.exit == .findings)
            }
            _ = try MonthClosing(link, period: period).preview()
            #expect(try stages.preStatements(period).isEmpty)
            try link.script("DELETE FROM review; DELETE FROM outcome")
            try stages.requireClosable(period, by: nil)
        }
    }

    /// Tuesday, April 9, is behind the month's own time for reviews; five business days behind it are over with Tuesday, April 16.
    @Test(arguments: [("2024-04-17T05:59:59Z", true), ("2024-04-17T06:00:00Z", false)])
    func `what first checks find late has a time for reviews of its own`(now: String, isTaken: Bool) async throws {
        try await with { link in
            let stages = StageCommands(link, needsTwo: false)
            let checks = ReviewChecks(link, period: period, deadlineDays: 5)
            _ = try checks.run(rate: "100", seed: nil, by: "Ana")
            let found = try #require(try causes(link).keys.min())
            #expect("\(try stages.reviewsUntil(period))" == "2024-04-17T06:00:00.000Z")
            try link.script("UPDATE clock SET virtual_now = '\(now)'")
            var decisions = ReviewDecisions(.approved, outcomes: [found], reason: "complete", reviewer: "Eva Luna")
            decisions.deadlineDays = 5

            let failure = ClosingStageSite.failure { _ = try decisions.run(on: link) }
            #expect((failure.found == "nothing was thrown") == isTaken, "\(failure.found)")
            #expect(
                ClosingStageSite.found { try stages.requireClosable(period, by: nil) }.hasPrefix(
                    isTaken ? "reviews of 2024-03 count until 2024-04-17" : "nothing was thrown"))
            // Nor are checks run again behind it.
            #expect(
                (ClosingStageSite.found { _ = try checks.run(rate: nil, seed: nil, by: "Ana") } == "nothing was thrown")
                    == isTaken)
        }
    }

    /// A copy of an outcome that no check finds, or of one with nobody reached, reported on the last day of the month.
    private func report(_ link: PgLink, contact: String, at received: String) throws {
        try link.script(
            """
            INSERT INTO outcome
            SELECT period, delegation_id, agency_id, instance_id, nextval('outcome_number'), lastval(), account_id, epoch, hand_id,
                position, contract_id, '2024-03-31T20:00:00Z', '\(received)', 'phone-out', '\(contact)', 'refusal', NULL, NULL, NULL,
                NULL, ''
            FROM outcome ORDER BY outcome_id LIMIT 1
            """)
    }

    /// Reviews of the month end with Friday, April 5. In the close's own transaction, too.
    @Test func `what came after the last checks is not billed before they ran again`() async throws {
        try await with { link in
            let stages = StageCommands(link, needsTwo: false)
            let checks = ReviewChecks(link, period: period, deadlineDays: 5)
            try link.script("UPDATE clock SET virtual_now = '2024-03-31T18:00:00Z'")
            _ = try checks.run(rate: "0", seed: nil, by: "Ana")
            try link.script("UPDATE clock SET virtual_now = '2024-04-09T06:00:00Z'")
            try report(link, contact: "direct", at: "2024-03-31T20:00:00Z")
            // Nothing finds it: it is what a check would have left alone.
            try stages.requireClosable(period, by: nil)
            try report(link, contact: "none", at: "2024-03-31T20:00:00Z")
            // Received before the checks looked, and committed behind them.
            try report(link, contact: "none", at: "2024-03-31T17:59:59Z")
            func valid() throws -> Int64 {
                try MonthClosing(link, period: period).preview().statements
                    .flatMap { try StatementDocument($0.body).sections }.reduce(0) {
                        $0 + ($1.indicators?.validOutcomes ?? 0)
                    }
            }
            let billed = try valid()
            let refused = [
                ClosingStageSite.failure { try stages.requireClosable(period, by: nil) },
                ClosingStageSite.failure { _ = try stages.issue(period, by: "Ana") },
                ClosingStageSite.failure { try stages.proposeClose(period, by: "Ana") },
                ClosingStageSite.failure {
                    _ = try MonthClosing(link, period: period).close(
                        check: { try stages.requireStillClosable($0, by: nil) })
                },
            ]
            for failure in refused {
                #expect(
                    failure.found
                        == "2 outcomes of 2024-03 came after the automatic checks ran, and would wait for review if they ran now"
                )
                #expect(failure.remedy.hasPrefix("Run `dispatcherd review check --period 2024-03 --by NAME` again"))
                #expect(failure.exit == .findings)
            }
            // Their time is over, and they run all the same; what they find has a time of its own.
            #expect("\(try stages.reviewsUntil(period))" == "2024-04-06T06:00:00.000Z")
            #expect(try checks.run(rate: nil, seed: nil, by: "Ana").found == 2)
            #expect("\(try stages.reviewsUntil(period))" == "2024-04-17T06:00:00.000Z")
            #expect(try valid() == billed - 2)
            let found = try #require(try causes(link).filter { $0.value == "nobody-reached" }.keys.max())
            var decisions = ReviewDecisions(.approved, outcomes: [found], reason: "complete", reviewer: "Eva Luna")
            decisions.deadlineDays = 5
            _ = try decisions.run(on: link)
            #expect(try valid() == billed - 1)
            try link.script("UPDATE clock SET virtual_now = '2024-04-17T06:00:00Z'")
            #expect(
                ClosingStageSite.found { _ = try checks.run(rate: nil, seed: nil, by: "Ana") }.hasPrefix(
                    "reviews of 2024-03 counted until 2024-04-17T06:00:00.000Z, and no outcome came after"))
            try stages.requireClosable(period, by: nil)
        }
    }

    @Test func `the sample is that of its seed, and is set once`() async throws {
        try await with { link in
            let checks = ReviewChecks(link, period: period)
            _ = try checks.run(rate: "10", seed: 5, by: "Ana")
            let drawn = try link.run("SELECT outcome_id FROM review_demand WHERE cause = 'sample' ORDER BY 1").map {
                $0.int64(0)
            }
            let others = try link.run(
                """
                SELECT outcome_id FROM outcome o WHERE NOT result ~ '^dwelling-|^agreement-signed$'
                    AND NOT coalesce('HRS-01' = ANY (marks), false) ORDER BY 1
                """
            ).map { $0.int64(0) }
            let failed = try causes(link).filter { $0.value != "sample" }
            let expected = others.filter { number in
                let hash = LedgerTree.hash(Array("5:\(number)".utf8), [])
                let head = hash.prefix(4).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
                return head % 10_000 < 1_000 && failed[number] == nil
            }

            #expect(drawn == expected)
            #expect(!drawn.isEmpty)
            let failure = #expect(throws: CommandFailure.self) { try checks.run(rate: "10", seed: 6, by: "Ana") }
            #expect(failure?.found == "the sample of 2024-03 is 10 % with seed 5, set by Ana")
            #expect(failure?.exit == .usage)
            #expect(
                failure?.remedy.contains("`dispatcherd review check --period 2024-03 --by NAME` without --sample")
                    == true)
            #expect(throws: CommandFailure.self) { try checks.run(rate: "11", seed: nil, by: "Ana") }
            _ = try MonthClosing(link, period: period).close()
            #expect(throws: CommandFailure.self) { try checks.run(rate: nil, seed: nil, by: "Ana") }
        }
    }
}
