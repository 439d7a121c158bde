// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import FoundationEssentials
import Glibc
import Logging
import PgStore
import TestSupport
import Testing

/// What becomes of a group whose COMMIT does not come back, comes back late, or with a warning; and of one whose statement fails.
struct AnswerBoundTests {
    /// Makes every transaction that inserts into the table do this before its COMMIT is done.
    private func atCommit(_ month: DealtMonth, of table: String, _ body: String) throws {
        try month.database.link().script(
            """
            CREATE FUNCTION at_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \(body); RETURN NULL; END $$;
            CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON \(table) DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW EXECUTE FUNCTION at_commit()
            """)
    }

    /// Ends what the server still does of groups that were given up.
    private func endGroups(_ month: DealtMonth) throws {
        try month.database.link().script(
            """
            SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
             WHERE datname = current_database() AND application_name = 'reparto-groups'
            """)
    }

    /// The server goes on with a COMMIT that nobody waits for any more: after a second it is done; the other one never is.
    @Test(.timeLimit(.minutes(2)), arguments: [1, 60])
    func `a commit that does not come back is of unknown result: others go on, and the key tells`(
        seconds: Int
    ) async throws {
        try await DealtMonth.with { month in
            try atCommit(
                month, of: "lease_grant", "IF NEW.agency_id = 1 THEN PERFORM pg_sleep(\(seconds)); END IF")
            let node = try await DealtMonth.startNode(month.database, answerWait: .milliseconds(400))
            let agent = try await month.connect(1, to: node)
            let other = try await month.connect(2, to: node)
            let unknown = try await agent.lease(DealtMonth.lease(1))
            #expect(unknown.code == .unavailable && unknown.replyClass == .retry && unknown.fields["after"] == "2")
            #expect(try await other.lease(DealtMonth.lease(1)).leasedAccounts.count == 5)
            if seconds == 1 {
                try await until { try month.number("SELECT count(*) FROM lease_grant WHERE agency_id = 1") == 1 }
            }
            try endGroups(month)
            try month.database.link().script("DROP TRIGGER at_commit ON lease_grant")
            let known = try await agent.lease(DealtMonth.lease(1))
            #expect(known.leasedAccounts.count == 5)
            #expect(try await agent.lease(DealtMonth.lease(1)).text == known.text)
            #expect(try month.number("SELECT count(*) FROM lease_grant WHERE agency_id = 1") == 1)
            await node.stop()
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func `a statement that does not come back is given up, and undone`() async throws {
        try await DealtMonth.with { month in
            try month.database.link().script(
                """
                CREATE FUNCTION in_write() RETURNS trigger LANGUAGE plpgsql AS
                    $$ BEGIN PERFORM pg_sleep(60); RETURN NEW; END $$;
                CREATE TRIGGER in_write BEFORE INSERT ON outcome_202403 FOR EACH ROW EXECUTE FUNCTION in_write()
                """)
            let node = try await DealtMonth.startNode(month.database, answerWait: .milliseconds(400))
            let agent = try await month.connect(1, to: node)
            let accounts = try await agent.lease(DealtMonth.lease(1)).leasedAccounts
            #expect(try await agent.report(DealtMonth.report(2, accounts[0])).code == .unavailable)
            try endGroups(month)
            try month.database.link().script("DROP TRIGGER in_write ON outcome_202403")
            #expect(try await agent.report(DealtMonth.report(2, accounts[0])).isOK)
            #expect(try month.number("SELECT count(*) FROM outcome") == 1)
            await node.stop()
        }
    }

    private func isUnanswered(_ body: () throws -> Void) -> Bool {
        do { try body() } catch { return (error as? PgError)?.isUnanswered == true }
        return false
    }

    private func prepare(_ link: PgLink, _ use: EngineLink.Use) throws {
        try EngineLink.prepare(
            link, allowsUnsafeDurability: true, requiresStandby: false, use: use, answerWait: .milliseconds(300),
            witness: HomeWitness())
    }

    /// Whoever is stopped within a transaction keeps its locks no longer than that.
    @Test(
        arguments: [
            (EngineLink.Use.requests, "10s"), (.questions, "10s"), (.chores, "10s"), (.pools, "15min"), (nil, "15min"),
        ] as [(EngineLink.Use?, String)])
    func `every link has a bound for the pauses in its transactions`(use: EngineLink.Use?, bound: String) async throws {
        try await TestDatabase.with { database in
            // One that somebody made for people.
            try database.link().script(
                """
                DO $$ BEGIN
                    EXECUTE format('ALTER DATABASE %I SET idle_in_transaction_session_timeout = 0', current_database());
                END $$
                """)
            for prepares in [true, false] {
                let link = try PgLink(database.conninfo, application: "test", prepares: prepares)
                if let use { try prepare(link, use) }
                let shown = try link.transaction {
                    try link.run("SHOW idle_in_transaction_session_timeout")[0].text(0)
                }
                #expect(shown == bound)
            }
        }
    }

    /// A chore's statement that is given up would be begun anew for ever; what is given up of a question ends at the server.
    @Test(
        .timeLimit(.minutes(1)),
        arguments: [
            (EngineLink.Use.requests, true, "0"), (.questions, true, "2s"), (.chores, false, "0"),
            (.pools, false, "2s"),
        ])
    func `chores have a bound for their COMMITs alone, requests and questions for every statement`(
        use: EngineLink.Use, isBounded: Bool, check: String
    ) async throws {
        try await TestDatabase.with { database in
            let other = try database.link()
            try other.script(
                """
                CREATE TABLE t (n integer);
                CREATE FUNCTION at_commit() RETURNS trigger LANGUAGE plpgsql AS
                    $$ BEGIN PERFORM pg_sleep(60); RETURN NULL; END $$;
                CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED
                    FOR EACH ROW EXECUTE FUNCTION at_commit()
                """)
            let link = try database.link()
            try prepare(link, use)
            #expect(try link.run("SHOW client_connection_check_interval")[0].text(0) == check)
            #expect(isUnanswered { try link.run("SELECT pg_sleep(1)") } == isBounded)
            let second = try database.link()
            try prepare(second, use)
            #expect(isUnanswered { try second.transaction { _ = try second.run("INSERT INTO t VALUES (1)") } })
            let third = try database.link()
            try prepare(third, use)
            #expect(isUnanswered { try third.answeredInTime { _ = try third.run("SELECT pg_sleep(60)") } })
            // Whoever keeps the beat waiting keeps nobody waiting without an end.
            try other.script("BEGIN; UPDATE clock SET beats = beats")
            let fourth = try database.link()
            #expect(isUnanswered { try prepare(fourth, use) })
        }
    }

    /// A role's or a database's time-out is made for people's statements.
    @Test(.timeLimit(.minutes(1)), arguments: [true, false])
    func `no statement time-out of the database applies to a group`(prepares: Bool) async throws {
        try await DealtMonth.with { month in
            try month.database.link().script(
                """
                CREATE FUNCTION in_write() RETURNS trigger LANGUAGE plpgsql AS
                    $$ BEGIN PERFORM pg_sleep(0.6); RETURN NEW; END $$;
                CREATE TRIGGER in_write BEFORE INSERT ON lease_grant FOR EACH ROW EXECUTE FUNCTION in_write()
                """)
            let name = try #require(month.database.conninfo.split(separator: "=").last)
            try month.database.link().script("ALTER DATABASE \(name) SET statement_timeout = '200ms'")
            let pooler = String(cString: try #require(getenv("REPARTO_TEST_POOLER")))
            let database = prepares ? month.database : TestDatabase(conninfo: "\(pooler) dbname=\(name)")
            let node = try await DealtMonth.startNode(database, prepares: prepares)
            #expect(
                try await month.connect(1, to: node).lease(DealtMonth.lease(1)).leasedAccounts.count == 5)
            await node.stop()
        }
    }

    /// A wait for a standby that somebody cancelled ends with a warning and what looks like success. The key finds what was done.
    @Test(.timeLimit(.minutes(1)))
    func `a commit with a warning is asked for again by its key, and done once`() async throws {
        try await DealtMonth.with { month in
            let agent = try await month.connect(1)
            func groups() throws -> Int64 {
                try month.number(
                    """
                    SELECT pid::bigint FROM pg_stat_activity
                     WHERE datname = current_database() AND application_name = 'reparto-groups'
                    """)
            }
            _ = try await agent.lease(DealtMonth.lease(9, max: 1))
            let before = try groups()
            try atCommit(month, of: "lease_grant", "RAISE WARNING 'the standby was not waited for'")
            let first = try await agent.lease(DealtMonth.lease(1))
            #expect(first.leasedAccounts.count == 5)
            #expect(try month.number("SELECT count(*) FROM lease_grant") == 2)
            #expect(try groups() != before)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `of a group that fails the culprit alone is refused, and its key stays free`() async throws {
        try await DealtMonth.with { month in
            let agent = try await month.connect(1)
            let accounts = try await agent.lease(DealtMonth.lease(1, max: 16)).leasedAccounts
            try month.database.link().script(
                """
                CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
                    $$ BEGIN IF NEW.account_id = 1011 THEN RAISE 'not this one'; END IF; RETURN NEW; END $$;
                CREATE TRIGGER refuse BEFORE INSERT ON outcome_202403 FOR EACH ROW EXECUTE FUNCTION refuse()
                """)
            let reports = try accounts.enumerated().map {
                AgentRequest.report(try DealtMonth.report(Int64($0.offset) + 2, $0.element))
            }
            let replies = try await agent.send(reports)
            #expect(replies.count == 16)
            for (account, reply) in zip(accounts, replies) {
                #expect(account.account.value == 1_011 ? reply.code == .unavailable : reply.isOK, "\(reply.text)")
            }
            #expect(try month.number("SELECT count(*) FROM outcome") == 15)
            try month.database.link().script("DROP TRIGGER refuse ON outcome_202403")
            #expect(try await agent.send([reports[10]])[0].isOK)
            #expect(try month.number("SELECT count(*) FROM outcome") == 16)
        }
    }

    /// What a server is checked for at the start, it is checked for on every new link.
    @Test(.timeLimit(.minutes(1)))
    func `a server that became unsafe is refused at the next link, and served again once it is safe`() async throws {
        try await DealtMonth.with { month in
            let agent = try await month.connect(1)
            let name = try #require(month.database.conninfo.split(separator: "=").last)
            let link = try month.database.link()
            func cut() throws {
                try link.script(
                    """
                    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
                     WHERE datname = current_database() AND application_name LIKE 'reparto-%'
                    """)
            }
            try link.script("ALTER DATABASE \(name) SET synchronous_commit = off")
            try cut()
            #expect(try await agent.lease(DealtMonth.lease(1)).code == .unavailable)
            #expect(try month.number("SELECT count(*) FROM lease_grant") == 0)
            let failure = await #expect(throws: CommandFailure.self) {
                _ = try await DealtMonth.startNode(month.database)
            }
            #expect(failure?.found.contains("synchronous_commit = off") == true)
            try link.script("ALTER DATABASE \(name) RESET synchronous_commit")
            try cut()
            #expect(try await agent.lease(DealtMonth.lease(1)).leasedAccounts.count == 5)
        }
    }
}

/// These change settings of a whole server, and have one of their own.
@Suite(.serialized) struct OwnServerTests {
    /// The standby is gone: what waits for it is not answered, is seen by nobody, and is there once it is back.
    @Test(.timeLimit(.minutes(2)))
    func `a standby that is gone stops no node, and what waits for it is not given out twice`() async throws {
        try await Home.serving { database, link in
            let keys = [AgencyPrivateKey()]
            try DealtMonth.deal(.init(agencies: 1), keys, database)
            let node = try await DealtMonth.startNode(database, answerWait: .milliseconds(400))
            let month = DealtMonth(database: database, node: node, keys: keys)
            let agent = try await month.connect(1)
            #expect(try await agent.lease(DealtMonth.lease(1)).leasedAccounts.count == 5)
            try link.script("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
            try link.script("SELECT pg_reload_conf()")
            try await until {
                try database.link().run("SHOW synchronous_standby_names")[0].text(0) == "nobody"
            }
            for _ in 1...3 {
                #expect(try await agent.lease(DealtMonth.lease(2)).code == .unavailable)
            }
            try link.script("ALTER SYSTEM RESET synchronous_standby_names")
            try link.script("SELECT pg_reload_conf()")
            var again = try await agent.lease(DealtMonth.lease(2))
            while again.replyClass == .retry {
                // No event tells that the server commits again: an agency asks again after a while, as here.
                try await Task.sleep(for: .milliseconds(100))
                again = try await agent.lease(DealtMonth.lease(2))
            }
            #expect(again.leasedAccounts.count == 5)
            #expect(try month.number("SELECT count(*) FROM lease_grant") == 2)
            await node.stop()
        }
    }
}

extension Home {
    /// A migrated database on a server of its own, with a virtual clock.
    static func serving(_ body: (TestDatabase, PgLink) async throws -> Void) async throws {
        let home = Home(folder: "/tmp/reparto-home-\(UInt64.random(in: 0 ... .max))")
        defer { try? FileManager.default.removeItem(atPath: home.folder) }
        try FileManager.default.createDirectory(atPath: home.folder, withIntermediateDirectories: true)
        defer { _ = try? home.server().stop() }
        _ = try home.started()
        let link = try home.link()
        try Migrator.migrate(link)
        try await body(TestDatabase(conninfo: try home.server().connection), link)
    }
}
