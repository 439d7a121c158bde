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
}
