// SPDX-License-Identifier: Apache-2.0

import Assignment
import TestSupport
import Testing

@testable import PgStore

/// A group's statements are planned once, often on the first day of a month, while the tables are empty. Their plans must
/// still read by key when a month is in them: a plan that reads a table for each group holds the group's locks meanwhile.
struct EnginePlanTests {
    /// A statement, and the arrays that ask it for the last of the grown tables' rows.
    struct Lookup: Sendable, CustomTestStringConvertible {
        let name: String
        let sql: String
        let types: String
        let values: String
        /// The same where the tables are empty, if that makes a difference.
        var valuesOfNone: String?
        var testDescription: String { name }

        func parameters(_ list: String) -> String { list.isEmpty ? "" : " (\(list))" }
    }

    private static let last = 3_000
    static let lookups: [Lookup] = [
        Lookup(
            name: "lock hands", sql: EngineStatements.lockHands, types: "smallint[], int[]",
            values: "'{9}', '{\(last)}'"),
        Lookup(
            name: "lock quotas", sql: EngineStatements.lockQuotas, types: "smallint[], int[]",
            values: "'{9}', '{\(last)}'"),
        Lookup(
            name: "lock grants of leases", sql: EngineStatements.lockGrantsShared,
            types: "smallint[], bigint[], bigint[], smallint[], int[], int[]",
            values: "'{9}', '{\(last)}', '{1}', '{}', '{}', '{}'"),
        Lookup(
            name: "lock grants by number", sql: EngineStatements.lockGrantsForUpdate,
            types: "smallint[], bigint[], bigint[], smallint[], int[], int[]",
            values: "'{}', '{}', '{}', '{9}', '{\(last)}', '{1}'"),
        Lookup(name: "hands", sql: EngineStatements.hands, types: "smallint[], int[]", values: "'{9}', '{\(last)}'"),
        Lookup(name: "quotas", sql: EngineStatements.quotas, types: "smallint[], int[]", values: "'{9}', '{\(last)}'"),
        Lookup(
            name: "paused", sql: EngineStatements.paused, types: "smallint[], int[], smallint[]",
            values: "'{9}', '{\(last)}', '{2}'"),
        Lookup(name: "periods", sql: EngineStatements.periods, types: "", values: ""),
        Lookup(
            name: "grants of leases", sql: EngineStatements.grantsOfLeases, types: "smallint[], bigint[], bigint[]",
            values: "'{9}', '{\(last)}', '{1}'"),
        Lookup(
            name: "present grants", sql: EngineStatements.presentGrants, types: "smallint[], int[], int[]",
            values: "'{9}', '{\(last)}', '{1}'"),
        Lookup(
            name: "free grants", sql: EngineStatements.freeGrants, types: "smallint[], int[], int[]",
            values: "'{9}', '{\(last)}', '{1}'"),
        Lookup(
            name: "extend grants", sql: EngineStatements.extendGrants,
            types: "smallint[], int[], int[], timestamptz[], bigint",
            values: "'{9}', '{\(last)}', '{1}', '{2024-05-01}', 1",
            valuesOfNone: "'{9}', '{\(last)}', '{1}', '{2024-05-01}', 0"),
        Lookup(
            name: "lock grants of a sweep", sql: UpkeepStatements.lockGrants, types: "smallint[], int[], int[]",
            values: "'{9}', '{\(last)}', '{1}'"),
        Lookup(
            name: "overdue grants", sql: UpkeepStatements.overdue, types: "smallint[], int[], int[]",
            values: "'{9}', '{\(last)}', '{1}'"),
        Lookup(
            name: "close grants", sql: UpkeepStatements.closeGrants, types: "smallint[], int[], int[], timestamptz[]",
            values: "'{9}', '{\(last)}', '{1}', '{2024-05-01}'"),
        Lookup(
            name: "windows", sql: EngineStatements.windows, types: "smallint[], int[], int[]",
            values: "'{9}', '{\(last)}', '{1}'"),
        Lookup(
            name: "leases", sql: EngineStatements.leases, types: "smallint[], bigint[], bigint[]",
            values: "'{9}', '{\(last)}', '{1}'"),
        Lookup(
            name: "grants", sql: EngineStatements.grants, types: "smallint[], int[], int[]",
            values: "'{9}', '{\(last)}', '{1}'"),
        Lookup(
            name: "lease keys", sql: EngineStatements.leaseKeys, types: "smallint[], int[], int[], bigint[]",
            values: "'{9}', '{1}', '{1}', '{\(last)}'"),
        Lookup(
            name: "outcome keys", sql: EngineStatements.outcomeKeys, types: "smallint[], int[], int[], bigint[], int[]",
            values: "'{9}', '{1}', '{1}', '{\(last)}', '{202403}'"),
        Lookup(
            name: "evidence keys", sql: EngineStatements.evidenceKeys, types: "smallint[], int[], int[], bigint[]",
            values: "'{9}', '{1}', '{1}', '{\(last)}'"),
        Lookup(
            name: "request keys", sql: EngineStatements.requestKeys,
            types: "smallint[], int[], int[], bigint[], text[]",
            values: "'{9}', '{1}', '{1}', '{\(last)}', '{EXTEND}'"),
    ]

    /// Enough for a handful of index descents and rows; reading any of the tables takes more.
    private static let buffersMax: Int64 = 60

    @Test func `a plan made on empty tables reads by key when they have grown`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try link.script("CREATE TABLE outcome_202403 PARTITION OF outcome FOR VALUES IN (202403)")
            try link.prepareForEngine()
            for (number, lookup) in Self.lookups.enumerated() {
                try link.script("PREPARE p\(number)\(lookup.parameters(lookup.types)) AS \(lookup.sql)")
                try link.script("EXECUTE p\(number)\(lookup.parameters(lookup.valuesOfNone ?? lookup.values))")
            }
            try Self.grow(database.link())

            for (number, lookup) in Self.lookups.enumerated() {
                let lines = try link.run(
                    "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) EXECUTE p\(number)\(lookup.parameters(lookup.values))"
                ).map { $0.text(0) }
                #expect(Self.buffers(lines) <= Self.buffersMax, "\(lookup.name):\n\(lines.joined(separator: "\n"))")
            }
        }
    }

    /// All of them are of one agency and delegation. Their rows fill some four times as many pages as the entries of their key.
    @Test func `the outcomes of one account are found in the index of their key, and not row by row`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try link.script(
                """
                CREATE TABLE outcome_202403 PARTITION OF outcome FOR VALUES IN (202403);
                INSERT INTO outcome (period, delegation_id, agency_id, instance_id, key, outcome_id, account_id, epoch, hand_id, position,
                       contract_id, worked_at, received_at, channel, contact, result, extra, request_hash)
                SELECT 202403, 9, 1, 1, i, i, i, 1, i, 1, 1, now(), now(), 'phone-out', 'none', 'no-answer',
                       '{"branch": "FR-12", "motive": "job-loss"}', decode(md5(i::text), 'hex') FROM generate_series(1, 20000) i
                """)
            try link.script("VACUUM outcome_202403")
            try link.prepareForEngine()
            let sql = AccountHistoryStatements.outcomes
            try link.script("PREPARE q (smallint, bigint, int, int, int) AS \(sql)")
            let lines = try link.run("EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) EXECUTE q (9, 7000, 1, 202403, 202403)")
                .map { $0.text(0) }
            let pages = try link.run("SELECT pg_relation_size('outcome_202403') / 8192")[0].int64(0)

            #expect(lines.contains { $0.contains("rows=1 ") && $0.contains("Limit") }, "\(lines)")
            #expect(Self.buffers(lines) < pages / 2, "\(pages) pages:\n\(lines.joined(separator: "\n"))")
        }
    }

    /// Account 7000 has a second holder; of the many reports of its first one none is read.
    @Test(arguments: [false, true])
    func `whether the next holder has reported is looked for among that one's reports`(hasReported: Bool) async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try link.script(
                """
                SET session_replication_role = replica;
                CREATE TABLE outcome_202403 PARTITION OF outcome FOR VALUES IN (202403);
                INSERT INTO deal VALUES (9, 7000, 1, 1, 7000), (9, 7000, 2, 2, 1);
                INSERT INTO lease_grant SELECT 9, h, 1, 20000, h, h, h, 1, 1, '', NULL, 1, 1, 1, 1, 1, 'limit', '', now(), now(), now(), now(), 0, 0
                  FROM generate_series(1, 2) h;
                INSERT INTO outcome (period, delegation_id, agency_id, instance_id, key, outcome_id, account_id, epoch, hand_id, position,
                       contract_id, worked_at, received_at, channel, contact, result, request_hash)
                SELECT 202403, 9, 1, 1, i, i, i, 1, 1, i, 1, now(), now(), 'phone-out', 'none', 'no-answer', ''::bytea
                  FROM generate_series(1, 20000) i UNION ALL
                SELECT 202403, 9, 2, 1, 1, 20001, 7000, 2, 2, 1, 2, now(), now(), 'sms', 'none', 'no-answer', ''::bytea WHERE \(hasReported);
                RESET session_replication_role;
                """)
            try link.prepareForEngine()
            try link.script("PREPARE q (int, smallint, bigint, bigint) AS \(EvidenceStatements.later)")
            let lines = try link.run("EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) EXECUTE q (202403, 9, 7000, 1)").map {
                $0.text(0)
            }
            let lease = LeaseKey(
                delegation: try #require(Delegation(9)), account: try #require(AccountID(7_000)),
                epoch: try #require(Epoch(1)))

            #expect(try link.hasLaterOutcome(lease, from: try #require(Period(text: "2024-03"))) == hasReported)
            #expect(Self.buffers(lines) <= Self.buffersMax, "\(lines.joined(separator: "\n"))")
        }
    }

    /// One account, hand, quota, grant and row of each key per number.
    private static func grow(_ link: PgLink) throws {
        try link.script(
            """
            SET session_replication_role = replica;
            INSERT INTO hand SELECT 9, i, '{1}', 2, 1, 202403, 1, false, 'open', 1, 30, 60, 0, 0, '' FROM generate_series(1, \(last)) i;
            INSERT INTO position SELECT 9, i, 1, i, 1, 1, 0, 0, 1, 't', 1, 1, 1, 9010, 'r' FROM generate_series(1, \(last)) i;
            INSERT INTO deal SELECT 9, i, 1, i, 1 FROM generate_series(1, \(last)) i;
            INSERT INTO quota (delegation_id, quota_id, contract_id, strategy, portfolio, limit_accounts, plan_id)
            OVERRIDING SYSTEM VALUE SELECT 9, i, i, 2, 1, 1, 1 FROM generate_series(1, \(last)) i;
            INSERT INTO lease_grant SELECT 9, i, 1, 1, i, 1, 1, 1, i, '', NULL, 1, 1, 1, 1, 1, 'limit', '', now(), now(), now(), now(), 0, 0
              FROM generate_series(1, \(last)) i;
            INSERT INTO pause SELECT 9, i, 2, 'agency', 'x', now() FROM generate_series(1, \(last)) i;
            INSERT INTO period (period, opened_at) SELECT 202001 + 100 * y + m, now() FROM generate_series(0, 9) y, generate_series(0, 11) m;
            INSERT INTO outcome (period, delegation_id, agency_id, instance_id, key, outcome_id, account_id, epoch, hand_id, position,
                   contract_id, worked_at, received_at, channel, contact, result, request_hash)
            SELECT 202403, 9, 1, 1, i, i, i, 1, i, 1, 1, now(), now(), 'phone-out', 'none', 'no-answer', '' FROM generate_series(1, \(last)) i;
            INSERT INTO evidence (delegation_id, agency_id, instance_id, key, verb, evidence_id, code, account_id, epoch, received_at,
                   content, request_hash)
            SELECT 9, 1, 1, i, 'REPORT', i, 'CLOSED', i, 1, now(), '', '' FROM generate_series(1, \(last)) i;
            INSERT INTO request SELECT 9, 1, 1, 'EXTEND', i, '', '', now() FROM generate_series(1, \(last)) i;
            """)
    }

    /// What the topmost node read, found in memory or not.
    private static func buffers(_ lines: [String]) -> Int64 {
        guard let line = lines.first(where: { $0.contains("Buffers: shared") }) else { return 0 }
        return line.split(separator: " ").compactMap { word in
            let parts = word.split(separator: "=")
            return parts.count == 2 && (parts[0] == "hit" || parts[0] == "read") ? Int64(parts[1]) : nil
        }.reduce(0, +)
    }
}
