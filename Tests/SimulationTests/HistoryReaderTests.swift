// SPDX-License-Identifier: Apache-2.0

import Assignment
import PgStore
import Simulation
import TestSupport
import Testing

struct HistoryReaderTests {
    /// Its quota's limit is written when it comes into force, and its accounts may still come in.
    @Test func `hands of a plan that is still being dealt are not held to a quota`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try link.script(
                """
                SET session_replication_role = replica;
                INSERT INTO quota (delegation_id, contract_id, strategy, portfolio, limit_accounts, plan_id)
                VALUES (9, 1, 2, 1, 5, 1);
                INSERT INTO hand (delegation_id, hand_id, contract_ids, strategy, portfolio, period, plan_id, is_front, state,
                    size, term_days, ceiling_days, grace_us, late_report_us, digest)
                SELECT 9, i, '{1}', 2, 1, 202403, i, false, CASE i WHEN 1 THEN 'closed' WHEN 2 THEN 'open' ELSE 'inactive' END,
                    5, 30, 60, 0, 0, '' FROM generate_series(1, 3) i;
                """)
            let delegation = try #require(Delegation(9))
            let history = try HistoryReader(link, operations: []).history(delegation)

            #expect(history.hands.map(\.hand).sorted() == [1, 2])
        }
    }
}
