// SPDX-License-Identifier: Apache-2.0

import Assignment
import Synchronization
import TestSupport
import Testing

@testable import PgStore

/// How often the server is waited for, and what becomes of a transaction whose end is not told.
struct LinkRoundTripTests {
    private static func key(_ number: Int64) throws -> IdempotencyKey {
        IdempotencyKey(delegation: Delegation.all[8], agency: try #require(AgencyID(1)), instance: 1, key: number)
    }

    private static func writes(_ number: Int64, _ answer: GroupAnswer) throws -> GroupWrites {
        var writes = GroupWrites(now: answer.now, outage: answer.outage)
        writes.replies = [KeptReplyRow(verb: .return, key: try key(number), requestHash: [1], reply: "OK")]
        writes.blocks = [
            BlockRow(
                delegation: Delegation.all[8], period: try #require(Period(number: 202_403)), records: [0], count: 1,
                root: [2])
        ]
        return writes
    }

    private static func question(_ number: Int64) throws -> GroupQuestion {
        var question = GroupQuestion()
        question.keptKeys[.return] = [try key(number)]
        question.pulls = [
            AgencyPlace(
                delegation: Delegation.all[8], agency: try #require(AgencyID(1)), strategy: .administrative)
        ]
        return question
    }

    @Test(arguments: [true, false])
    func `a group that writes is two round trips, with its COMMIT`(prepares: Bool) async throws {
        try await TestDatabase.with { database in
            let link = try PgLink(database.conninfo, application: "test", prepares: prepares)
            try link.prepareForEngine()
            func group(_ number: Int64) throws -> Int {
                let before = link.roundTrips
                try link.finishGroup(Self.writes(number, try link.openGroup(Self.question(number))))
                return link.roundTrips - before
            }
            // The first one prepares its statements.
            _ = try group(1)
            #expect(try group(2) == 2)
            #expect(try group(3) == 2)
            #expect(!link.isInTransaction)
            #expect(try link.run("SELECT count(*) FROM request")[0].int64(0) == 3)
        }
    }

    @Test func `a group whose key somebody else used meanwhile commits nothing, and may be tried again`() async throws {
        try await TestDatabase.with { database in
            let (link, other) = (try database.link(), try database.link())
            let answer = try link.openGroup(Self.question(1))
            try other.finishGroup(Self.writes(1, try other.openGroup(Self.question(1))))
            let error = #expect(throws: PgError.self) { try link.finishGroup(Self.writes(1, answer)) }
            #expect(error?.code == "40001" && error?.isRetryable == true)
            #expect(!link.isInTransaction)
            #expect(try link.run("SELECT count(*) FROM block")[0].int64(0) == 1)
        }
    }

    /// An update that reaches fewer rows than it is to: somebody has decided the recall meanwhile.
    @Test func `an objection to what was decided meanwhile commits nothing`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            let answer = try link.openGroup(Self.question(1))
            var writes = try Self.writes(1, answer)
            writes.objections = [
                ObjectionRow(
                    lease: LeaseKey(
                        delegation: Delegation.all[8], account: try #require(AccountID(1)),
                        epoch: try #require(Epoch(1))),
                    reason: "other", heldUntil: answer.now)
            ]
            let error = #expect(throws: PgError.self) { try link.finishGroup(writes) }
            #expect(error?.code == "40001")
            #expect(try link.run("SELECT count(*) FROM request")[0].int64(0) == 0)
        }
    }

    /// As where the wait for a standby is cancelled: it looks like success, and is none.
    @Test(arguments: [true, false])
    func `a commit with a warning is of unknown result`(inPipeline: Bool) async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try link.script(
                """
                CREATE TABLE t (n integer);
                CREATE FUNCTION warn() RETURNS trigger LANGUAGE plpgsql AS
                    $$ BEGIN RAISE WARNING 'w'; RETURN NULL; END $$;
                CREATE CONSTRAINT TRIGGER warn AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED
                    FOR EACH ROW EXECUTE FUNCTION warn()
                """)
            let error = #expect(throws: PgError.self) {
                if inPipeline {
                    try link.script("BEGIN")
                    try link.commit(after: [PgQuery("INSERT INTO t VALUES (1)")])
                } else {
                    _ = try link.transaction { try link.run("INSERT INTO t VALUES (1)") }
                }
            }
            #expect(error?.code == PgError.unknownCommit && error?.isUnanswered == false)
            #expect(try link.run("SELECT count(*) FROM t")[0].int64(0) == 1)
        }
    }

    @Test(.timeLimit(.minutes(1)), arguments: [true, false])
    func `a server that does not answer in time is given up, whatever was asked`(inCommit: Bool) async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            link.answerBound = .milliseconds(300)
            let error = #expect(throws: PgError.self) {
                if inCommit {
                    try link.script("BEGIN")
                    try link.commit(after: [PgQuery("SELECT pg_sleep(60)")])
                } else {
                    _ = try link.run("SELECT pg_sleep(60)")
                }
            }
            #expect(error?.isUnanswered == true)
            #expect(error?.code == (inCommit ? PgError.unknownCommit : PgError.connectionLost))
            #expect(!link.isAlive)
            // What comes late is not taken for the answer to something else.
            #expect(throws: PgError.self) { _ = try link.run("SELECT 1") }
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `what was not answered in time is not asked again`() async throws {
        try await TestDatabase.with { database in
            let connection = PgConnection(database.conninfo, application: "test") {
                $0.answerBound = .milliseconds(300)
            }
            let sleeper = Sleeper()
            try await connection.ask { try sleeper.sleep($0, seconds: 0) }
            let error = await #expect(throws: PgError.self) {
                try await connection.ask { try sleeper.sleep($0, seconds: 60) }
            }
            #expect(error?.isUnanswered == true)
            #expect(sleeper.tries.withLock { $0 } == 2)
        }
    }

    /// A gap that grows too long between the booking and the reading of the clock, as one that nobody can book.
    @Test func `a group goes by the outages that are booked`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try link.script(
                """
                UPDATE clock SET virtual_now = NULL, latest_beat = clock_timestamp() - interval '100 s';
                CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
                CREATE TRIGGER keep BEFORE UPDATE ON clock FOR EACH ROW EXECUTE FUNCTION keep()
                """)
            #expect(try link.openGroup(Self.question(1)).outage == .zero)
            link.abandonGroup()
            #expect(try link.readTermClock().outage >= .seconds(100))
        }
    }

    /// Behind a pooler each statement has a transaction of its own, with what the link is told.
    @Test func `a statement that fails leaves no transaction behind, and no setting`() async throws {
        try await TestDatabase.with { database in
            let link = try PgLink(database.conninfo, application: "test", prepares: false)
            try link.prepareForEngine(lockWait: .milliseconds(123))
            #expect(throws: PgError.self) { _ = try link.run("SELECT 1 / 0") }
            #expect(!link.isInTransaction)
            #expect(try link.run("SELECT current_setting('lock_timeout')")[0].text(0) == "123ms")
            let inside = try link.transaction {
                try link.run("SELECT current_setting('enable_seqscan')")[0].text(0)
            }
            #expect(inside == "off")
            try link.script("CREATE TABLE kept AS SELECT current_setting('enable_seqscan') AS value")
            #expect(try link.run("SELECT value FROM kept")[0].text(0) == "on")
        }
    }

    @Test func `two migrations of one database at the same time apply each file once`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try link.script("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
            let applied = try await withThrowingTaskGroup(of: [Int32].self) { group in
                for _ in 1...3 {
                    group.addTask { try Migrator.migrate(try database.link()) }
                }
                return try await group.reduce(into: [Int32]()) { $0 += $1 }
            }
            #expect(applied.sorted() == Migrator.migrations.map(\.number))
        }
    }
}

/// Lets the server sleep, and counts how often.
private final class Sleeper: Sendable {
    let tries = Mutex(0)

    func sleep(_ link: PgLink, seconds: Int32) throws {
        tries.withLock { $0 += 1 }
        try link.run("SELECT pg_sleep($1::integer)", [.int32(seconds)])
    }
}
