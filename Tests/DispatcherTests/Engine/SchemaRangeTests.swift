// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Dispatcher
import Logging
@testable import PgStore
import TestSupport
import Testing

/// Which schema a node and a command work with, and who changes it.
struct SchemaRangeTests {
    private static let latest = Migrator.range.upperBound
    private static let numbers = Migrator.migrations.map(\.number)
    /// The latest one of a program of before.
    private static let former = numbers[numbers.count - 2]

    /// What a command and a node say to the database of a URL.
    private func failures(_ database: TestDatabase) async throws -> [CommandFailure] {
        let settings = try Settings(
            flags: [.databaseURL: database.conninfo, .listenPort: "0", .listenHost: "127.0.0.1"], environment: [:])
        let node = await #expect(throws: CommandFailure.self) {
            try await Serving.run(settings, readyFile: nil, logger: Logger(label: "test"))
        }
        let command = #expect(throws: CommandFailure.self) {
            try Database.open(settings, application: "test", founds: true)
        }
        return [try #require(node), try #require(command)]
    }

    /// As a program of before left it: its newest tables are not looked at, the number alone is.
    @Test(.timeLimit(.minutes(1)))
    func `a database of an older schema is refused by nodes and commands, with the command that mends it`()
        async throws
    {
        try await TestDatabase.with { database in
            let link = try database.link()
            try link.run("DELETE FROM migration WHERE number = $1", [.int32(Self.latest)])
            for failure in try await failures(database) {
                #expect(failure.exit == .environment)
                #expect(
                    failure.found.hasPrefix("the database's schema is \(Self.former), and this program works with"))
                #expect(failure.remedy == "Run 'dispatcherd migrate' as the database's owner.")
            }
            #expect(try Migrator.version(link) == Self.former)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `an empty database of a URL stays empty before somebody migrates it`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try link.script("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
            for failure in try await failures(database) {
                #expect(failure.exit == .environment)
                #expect(failure.found.hasPrefix("the database's schema is empty"))
                #expect(failure.remedy.contains("dispatcherd migrate"))
            }
            #expect(try link.run("SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace").count == 0)
            let settings = try Settings(flags: [.databaseURL: database.conninfo], environment: [:])
            #expect(try Database.migrate(settings) == Self.numbers)
            _ = try Database.open(settings, application: "test", founds: false)
            #expect(try Database.migrate(settings) == [])
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a database of a newer schema is refused with its number, and nothing migrates it`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try link.run("INSERT INTO migration (number) VALUES ($1)", [.int32(Self.latest + 1)])
            let settings = try Settings(flags: [.databaseURL: database.conninfo], environment: [:])
            let migration = try #require(throws: CommandFailure.self) { try Database.migrate(settings) }
            for failure in try await failures(database) + [migration] {
                #expect(failure.exit == .environment)
                #expect(
                    failure.found.hasPrefix("the database's schema is \(Self.latest + 1), and this program works with"))
                #expect(failure.remedy == "Use a newer dispatcherd.")
            }
        }
    }

    /// Links break as where a database went away, and find one that somebody migrated or put in its place.
    @Test(.timeLimit(.minutes(1)), arguments: [true, false])
    func `a link that is opened anew refuses a schema that is not ours, until it is`(isNewer: Bool) async throws {
        try await TestDatabase.with { database in
            let keys = [AgencyPrivateKey()]
            try DealtMonth.deal(.init(agencies: 1), keys, database)
            let log = KeptLog()
            var settings = DispatcherNode.Settings(server: .init(node: "test"))
            settings.server.port = 0
            settings.server.limits.draining = .milliseconds(50)
            let node = try await DispatcherNode(
                conninfo: database.conninfo, settings: settings, logger: Logger(label: "test") { _ in log }
            ).start()
            let agent = try await DealtMonth(database: database, node: node, keys: keys).connect(1)
            let link = try database.link()
            let (change, mend) =
                isNewer
                ? (
                    "INSERT INTO migration (number) VALUES (\(Self.latest + 1))",
                    "DELETE FROM migration WHERE number > \(Self.latest)"
                )
                : ("ALTER TABLE migration RENAME TO other", "ALTER TABLE other RENAME TO migration")
            let text =
                isNewer
                ? "the database's schema is \(Self.latest + 1), and this program works with up to \(Self.latest). Use a newer dispatcherd."
                : "the database's schema is empty, and this program works with"
            try link.script(change)
            try link.run(
                """
                SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid()
                """)
            // What was under way when its link broke may have got its answer by it.
            try await until { log.lines.contains { $0.contains("cannot be served") && $0.contains(text) } }
            #expect(try await agent.lease(DealtMonth.lease(1)).code == .unavailable)
            #expect(try await agent.status(StatusRequest()).code == .unavailable)
            #expect(try link.run("SELECT count(*) FROM lease_grant")[0].int64(0) == 0)
            try link.script(mend)
            #expect(try await agent.status(StatusRequest()).isOK)
            #expect(try await agent.lease(DealtMonth.lease(1)).leasedAccounts.count == 5)
            await node.stop()
            #expect(log.lines.filter { $0.hasPrefix("warning") && $0.contains("schema") } == [])
        }
    }

    @Test func `the private server is brought to the schema by whoever opens it, and one of a newer is refused`()
        async throws
    {
        try Home.with { home in
            _ = try home.started()
            let settings = try Settings(flags: [.databaseDataDir: home.data], environment: [:])
            #expect(try Migrator.version(home.link()) == nil)
            _ = try Database.open(settings, application: "test", founds: false)
            #expect(try Migrator.version(home.link()) == Self.latest)
            try home.link().run("INSERT INTO migration (number) VALUES ($1)", [.int32(Self.latest + 1)])
            let failure = #expect(throws: CommandFailure.self) {
                try Database.open(settings, application: "test", founds: true)
            }
            #expect(failure?.remedy == "Use a newer dispatcherd.")
        }
    }
}
