// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
import PgStore
import TestSupport
import Testing

struct AgencyConductTests {
    private static let agency = """
        INSERT INTO agency (agency_id, name) VALUES (7, 'ACE07');
        INSERT INTO contract VALUES (1001, 7, 'C-1', '248/GA/2022', 5, '{2}', '2023-01-01', '2024-12-31', 'committed', 0, 'none',
                                     0, 'x', 'x', '{infonavit-2023}');
        INSERT INTO agency_instance (agency_id, instance, sequence, seen_at) VALUES (7, 'one', 5, now_instant())
        """

    /// The last instant of March by the clocks of Mexico City is 05:59:59 UTC of the first of April.
    @Test func `a refused sign-in is of the month in which it was made, on both of its ends`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try link.script(Self.agency)
            let agency = try #require(AgencyID(7))
            for instant in [
                "2024-03-01T05:59:59Z", "2024-03-01T06:00:00Z", "2024-04-01T05:59:59Z", "2024-04-01T06:00:00Z",
            ] {
                try link.script("UPDATE clock SET virtual_now = '\(instant)'")
                try link.noteClone(agency, instance: "one")
            }
            func clones(_ month: String) throws -> Int64? {
                try AgencyConduct(link, period: try #require(Period(text: month))).rows.first?.clones
            }

            #expect(try clones("2024-02") == 1)
            #expect(try clones("2024-03") == 2)
            #expect(try clones("2024-04") == 1)
            #expect(try clones("2024-05") == 0)
        }
    }

    /// A hand of nine that agencies 7, 8 and 9 share: one pulls nothing, one its part, one more than that. Agency 9 has two contracts in it.
    @Test func `who pulls nothing of a shared hand shows, be it the first of its sharers or the last`() async throws {
        for quiet in [7, 8] as [Int32] {
            try await TestDatabase.with { database in
                let link = try database.link()
                let other = quiet == 7 ? 8 : 7
                try link.script(
                    """
                    INSERT INTO period (period, opened_at) VALUES (202403, now_instant());
                    INSERT INTO plan (period, state, seed, segmentation_digest, digest, made_at)
                    VALUES (202403, 'applied', 1, '', '', now_instant());
                    INSERT INTO agency (agency_id, name) VALUES (7, 'ACE07'), (8, 'ACE08'), (9, 'ACE09');
                    INSERT INTO contract SELECT 1000 + n, a, 'C-' || n, 't', 5, '{2}', '2023-01-01', '2024-12-31', 'committed', 0,
                           'none', 0, 'x', 'x', '{infonavit-2023}' FROM (VALUES (1, 7), (2, 8), (3, 9), (4, 9)) AS c (n, a);
                    INSERT INTO quota (delegation_id, contract_id, strategy, portfolio, limit_accounts, plan_id)
                    SELECT 9, 1000 + n, 2, 1, 100, 1 FROM generate_series(1, 4) n;
                    INSERT INTO hand (delegation_id, hand_id, contract_ids, strategy, portfolio, period, plan_id, is_front, state,
                           size, term_days, ceiling_days, grace_us, late_report_us, digest)
                    VALUES (9, 1, '{1001,1002,1003,1004}', 2, 1, 202403, 1, false, 'open', 12, 30, 60, 0, 0, ''),
                           (9, 2, '{1003}', 2, 1, 202403, 1, false, 'open', 5, 30, 60, 0, 0, '');
                    INSERT INTO lease_grant (delegation_id, hand_id, first_position, last_position, quota_id, contract_id, agency_id,
                           instance_id, key, request_hash, accounts, exposure, total_accounts, total_exposure, left_accounts, stop,
                           held_digest, granted_at, granted_term, term, ceiling, grace_us, outage_us)
                    SELECT 9, 1, first, last, q.quota_id, contract_id, agency_id, 1, 1, '', last - first + 1, 0, 0, 0, 0, 'limit', '',
                           now_instant(), now_instant(), now_instant(), now_instant(), 0, 0
                      FROM (VALUES (1, 5, \(other)), (6, 7, 9)) AS g (first, last, agency_id)
                      JOIN contract USING (agency_id) JOIN quota q USING (contract_id) WHERE contract_id <> 1004;
                    """)
                let rows = try AgencyConduct(link, period: try #require(Period(text: "2024-03"))).rows
                let told = Dictionary(uniqueKeysWithValues: rows.map { ($0.agency.value, [$0.dealt, $0.pulled]) })
                #expect(told == [quiet: [3, 0], Int32(other): [5, 5], 9: [6 + 5, 2]])
            }
        }
    }
}
