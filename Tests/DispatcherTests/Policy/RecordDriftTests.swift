// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
import PgStore
import Testing

/// A trial sees the stops and starts of today, the placements on record were made with those of then: what differs is told.
struct RecordDriftTests {
    @Test func `nothing is told where all is on record as it would be placed`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut(count: 140)
            try month.segment()
            let report = try month.whatIf(month.policy)

            #expect(report.onRecord?.accounts == 0)
            #expect(report.onRecord?.moves.isEmpty == true)
            #expect(!report.lines.contains { $0.contains("on record") })
        }
    }

    @Test func `a stop since the placements is a move although the policies agree, and segment then makes it`()
        async throws
    {
        try await PlannedMonth.with { month in
            try month.addCut(count: 140)
            try month.segment()
            let recorded = try month.number("SELECT count(*) FROM placement WHERE strategy IS NOT NULL")
            try month.addStop(account: 900_016, reason: "dispute")
            try month.addStop(account: 900_030, reason: "payoff")
            let report = try month.whatIf(month.policy)
            let diff = try month.diff(.applied, .file(month.policy))
            try month.segment()

            let drift = try #require(report.onRecord)
            #expect(report.isSamePolicy)
            #expect(drift.accounts == 2)
            #expect(Set(drift.moves.map(\.to)) == ["exclusion.dispute", "exclusion.liquidated"])
            #expect(drift.moves.allSatisfy { $0.cause == "stop" && $0.accounts == 1 })
            #expect((drift.placedOnRecordOnly, drift.placedNowOnly) == (2, 0))
            #expect(report.tried.placed == recorded - 2)
            #expect(
                report.lines.contains {
                    $0.hasPrefix("on record otherwise than the policy in force would place them today: 2 accounts")
                })
            #expect(diff.onRecord?.accounts == 2)
            #expect(diff.moved == 0)
            // What was counted as placed is what segment writes, and then nothing differs any more.
            #expect(
                try month.number("SELECT count(*) FROM placement WHERE strategy IS NOT NULL") == report.tried.placed)
            #expect(try month.whatIf(month.policy).onRecord?.accounts == 0)
        }
    }

    @Test func `a start is told apart: it was placed as of its own day`() async throws {
        try await StartedMonth.with(accounts: 140) { month in
            try month.start("900014,9,job-loss,2024-03-11")
            let report = try month.month.whatIf(month.month.policy)
            let drift = try #require(report.onRecord)

            #expect(drift.moves.map(\.cause) == ["start"])
            #expect(drift.moves.map(\.to) == ["none"])
            #expect(report.lines.contains { $0.contains("-> ") && $0.hasSuffix(" 1  by starts") })
            #expect((drift.placedOnRecordOnly, drift.placedNowOnly) == (1, 0))
        }
    }

    /// Otherwise two lines would read the same.
    @Test func `where the class alone is another one, both are told`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut(count: 140)
            let policy = try month.variant([("when: {dispute_on: known}", "when: {dispute_on: {after: 2030-01-01}}")])
            try month.segment(by: policy)
            let account = try month.number("SELECT min(account_id) FROM placement WHERE strategy = 1")
            try month.addStop(account: account, reason: "dispute")
            let at = "WHERE account_id = \(account)"
            let (rule, priority) = try #require(
                try month.link.run("SELECT rule, priority FROM placement \(at)").first.map { ($0.text(0), $0.int16(1)) }
            )
            let before = try month.whatIf(policy)
            try month.link.script("UPDATE placement SET priority = \(priority + 1) \(at)")
            let moves = try #require(try month.whatIf(policy).onRecord).moves

            #expect(before.onRecord?.moves.isEmpty == true)
            #expect(moves.map(\.from) == ["\(rule) by telephone, class \(priority + 1)"])
            #expect(moves.map(\.to) == ["\(rule) by telephone, class \(priority)"])
        }
    }

    @Test func `a cut that came after the placements is told`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut(count: 140)
            try month.link.script("UPDATE clock SET virtual_now = '2024-03-01T12:00:00Z'")
            try month.segment()
            let before = try month.whatIf(month.policy)
            try month.link.script(
                """
                UPDATE clock SET virtual_now = '2024-03-01T13:00:00Z';
                INSERT INTO import (kind, period, file_name, digest, rows_good, rows_bad, imported_at)
                VALUES ('cut', 202403, 'again.csv', '\\x01', 0, 0, now_instant())
                """)
            let after = try month.whatIf(month.policy)

            #expect(before.onRecord?.hasNewerCut == false)
            #expect(after.onRecord?.hasNewerCut == true)
            #expect(after.lines.contains("the cut is newer than the placements on record: segment again"))
        }
    }
}
