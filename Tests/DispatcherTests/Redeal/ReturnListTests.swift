// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
import PgStore
import TestSupport
import Testing

/// The list of what came back within a month: how often each account did, and what comes next of it.
struct ReturnListTests {
    private func list(_ month: StartedMonth) throws -> ReturnList {
        try ReturnList(month.link, period: try PeriodArgument(text: "2024-03"))
    }

    /// Contracts 1 and 2 alone work there.
    @Test func `an account that goes to and fro is counted as often as it came back, and named`() async throws {
        try await StartedMonth.with { month in
            try month.month.lease(hand: try month.hand(of: 1), accounts: 1)
            let account = try month.number(
                "SELECT p.account_id FROM lease_grant g JOIN position p USING (delegation_id, hand_id) WHERE p.position = 1"
            )
            let deal =
                "deal d JOIN hand h USING (delegation_id, hand_id) WHERE d.account_id = \(account) ORDER BY d.epoch DESC LIMIT 1"
            for (times, words) in [(1, "1 time"), (2, "2 times"), (3, "3 times")] {
                try month.giveBack(account, reason: "unlocatable")
                _ = try month.redeal(.leftOver)
                let lines = try list(month).lines
                #expect(lines.contains("1 account came back, \(words) in all; the last time of each is listed"))
                let named = lines.filter { $0.contains("of them came back from an agency that had them before") }
                // From the third time on one of the two had it twice.
                #expect(named.count == (times > 2 ? 1 : 0))
                #expect(named.allSatisfy { $0.hasSuffix(": \(account) (3 times, 2 agencies)") })
                let row = try #require(lines.first { $0.contains("\(account) ") && $0.contains("unlocatable") })
                #expect(row.split(separator: " ").suffix(2) == ["\(times)", "\(min(times, 2))"])
                try month.month.lease(
                    hand: Int32(try month.number("SELECT d.hand_id::bigint FROM \(deal)")), accounts: 1)
                try month.link.script(
                    """
                    UPDATE lease_grant g SET total_accounts = n FROM (
                        SELECT hand_id, row_number() OVER (PARTITION BY quota_id ORDER BY granted_at, hand_id) AS n
                          FROM lease_grant) t WHERE t.hand_id = g.hand_id
                    """)
            }
            #expect(try list(month).json().contains("\"times\" : 3"))
        }
    }

    @Test func `what is not found is worked on, and the list of exhaustion says what is missing`() async throws {
        try await StartedMonth.with { month in
            try month.month.lease(hand: try month.hand(of: 1), accounts: 1)
            let account = try month.number(
                "SELECT p.account_id FROM lease_grant g JOIN position p USING (delegation_id, hand_id) WHERE p.position = 1"
            )
            try month.giveBack(account, reason: "unlocatable")
            for (unpaid, next) in [(9, "other-agency"), (10, "exhaustion")] {
                try month.link.script("UPDATE account SET unpaid = \(unpaid) WHERE account_id = \(account)")
                let lines = try list(month).lines
                #expect(lines.contains { $0.hasPrefix(next) })
                #expect(lines.contains { $0.contains("exhaustion list --all") } == (unpaid > 9))
            }

            // Only those who search get it then; contracts 1 and 2 alone work there, and it came back from 1.
            try month.link.script("UPDATE account SET unpaid = 0 WHERE account_id = \(account)")
            for (agency, next) in [("ACE01", "search"), ("ACE02", "other-agency")] {
                try month.link.script(
                    """
                    INSERT INTO plan_settings (period, digest, body, put_by, put_at)
                    VALUES (202403, sha256('\(agency)'), E'settings: mine\\nsearch: [\(agency)]\\n', 'ana', now_instant())
                    """)
                #expect(try list(month).lines.contains { $0.hasPrefix(next) })
            }
        }
    }
}
