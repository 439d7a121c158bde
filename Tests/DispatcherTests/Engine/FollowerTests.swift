// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import PgStore
import TestSupport
import Testing

/// What follows a table, and what goes through it in pages.
struct FollowerTests {
    private static let released = "SELECT released_accounts FROM quota"

    private func release(_ link: PgLink, _ accounts: Int) throws {
        try link.script(
            "INSERT INTO release (delegation_id, quota_id, accounts, exposure) VALUES (9, 1, \(accounts), 0)")
    }

    /// A lower number can commit later: whoever had gone past it would never count it.
    @Test(.timeLimit(.minutes(1)))
    func `what is released is folded once everything older has ended, and each once`() async throws {
        var pace = Upkeep.Pace()
        pace.round = .seconds(3_600)
        try await DealtMonth.with(.init(agencies: 1), pace: pace) { month in
            let link = try month.database.link()
            while try link.run("SELECT FROM follower WHERE name = 'release'").count == 0 {
                _ = try link.foldReleases(limit: 100)
            }
            let late = try month.database.link()
            try late.script("BEGIN")
            try release(late, 1)
            try release(link, 2)
            #expect(try link.foldReleases(limit: 100) == 0)
            #expect(try month.number(Self.released) == 0)
            try late.script("COMMIT")
            // Whoever else runs on this server holds the fold up.
            try await until { try link.foldReleases(limit: 100) > 0 || month.number(Self.released) == 3 }
            try await until {
                _ = try link.foldReleases(limit: 1)
                return try month.number(Self.released) >= 3
            }
            _ = try link.foldReleases(limit: 100)
            #expect(try month.number(Self.released) == 3)
        }
    }

    /// Three pages of overdue grants; one of the second page cannot be written.
    @Test(.timeLimit(.minutes(1)))
    func `a sweep goes page by page and stops where its own writes fail`() async throws {
        // Without a node, which sweeps when it starts.
        try await TestDatabase.with { database in
            try DealtMonth.deal(.init(agencies: 1, handSize: 1_200), [AgencyPrivateKey()], database)
            let link = try database.link()
            func number(_ sql: String) throws -> Int64 { try #require(try link.run(sql).first).int64(0) }
            try link.script(
                """
                INSERT INTO lease_grant (delegation_id, hand_id, first_position, last_position, quota_id, contract_id,
                       agency_id, instance_id, key, request_hash, skipped, accounts, exposure, total_accounts, total_exposure,
                       left_accounts, stop, held_digest, granted_at, granted_term, term, ceiling, grace_us, outage_us)
                SELECT 9, 1, i, i, 1, 1, 1, 0, i, '', NULL, 1, 10000, i, i * 10000, 0, 'limit', '', now_instant() - interval '9 days',
                       t, t, t, 0, 0
                  FROM generate_series(1, 1200) i, LATERAL (VALUES (now_instant() - interval '1 day')) v (t);
                CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
                    $$ BEGIN IF NEW.first_position = 777 THEN RAISE 'no room'; END IF; RETURN NEW; END $$;
                CREATE TRIGGER refuse BEFORE UPDATE ON lease_grant FOR EACH ROW EXECUTE FUNCTION refuse()
                """)
            #expect(throws: PgError.self) { try Sweep.run(link) }
            let closed = "SELECT coalesce(max(first_position), 0)::bigint FROM lease_grant WHERE state = 'closed'"
            let (last, count) = (
                try number(closed), try number("SELECT count(*) FROM lease_grant WHERE state = 'closed'")
            )
            let released = try number("SELECT coalesce(sum(accounts), 0)::bigint FROM release")
            #expect(last == 500 && count == 500 && released == 500)

            try link.script("DROP TRIGGER refuse ON lease_grant")
            let swept = try Sweep.run(link)
            #expect(swept == 700)
            #expect(try number("SELECT sum(accounts)::bigint FROM release") == 1_200)
        }
    }

    /// The recall of a long import, whose transaction is older than what was read before its commit.
    @Test func `a push that is committed behind a younger one is told all the same, and each once`() async throws {
        try await TestDatabase.with { database in
            func push(_ link: PgLink, _ word: String) throws {
                try link.run(
                    "INSERT INTO push (agency_id, kind, delegation_id, account_id, word) VALUES (7, 'RECALL', 9, 1, $1)",
                    [.text(word)])
            }
            let link = try database.link()
            let slow = try database.link()
            let agencies: Set = [try #require(AgencyID(7))]
            var cursor = try link.readPushCursor()
            func read() throws -> [String?] { try link.readPushes(after: &cursor, for: agencies).map(\.word) }
            try slow.script("BEGIN")
            try push(slow, "older")
            try push(link, "younger")
            #expect(try read() == ["younger"])
            #expect(try read().isEmpty)
            try slow.script("COMMIT")
            #expect(try read() == ["older"])
            #expect(try read().isEmpty)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `no block of the ledger is followed before everything older has ended, and each is once`() async throws {
        try await TestDatabase.with { database in
            try DealtMonth.deal(.init(agencies: 1), [AgencyPrivateKey()], database)
            let link = try database.link()
            try link.script("UPDATE hand SET rule_packs = '{fna}'")
            func seal(_ link: PgLink, _ byte: UInt8) throws {
                try link.run(
                    "INSERT INTO block (delegation_id, period, records, count, root) VALUES (9, 202403, $1, 1, '')",
                    [.bytes([byte])])
            }
            func read() throws -> [[UInt8]] { try link.transaction { try link.lockUnfollowed(limit: 10) } }
            let slow = try database.link()
            try slow.script("BEGIN")
            try seal(slow, 1)
            try seal(link, 2)
            #expect(try read().isEmpty)
            try slow.script("COMMIT")
            // Whoever else runs on this server holds the follower up.
            var blocks: [[UInt8]] = []
            try await until {
                blocks += try read()
                return blocks.count >= 2
            }
            #expect(try blocks + read() == [[1], [2]])
        }
    }
}
