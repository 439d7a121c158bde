// SPDX-License-Identifier: Apache-2.0

import Dispatcher
import Logging
import PgStore
import TestSupport
import Testing

/// Which schema a node and a command work with, and who changes it.
struct SchemaRangeTests {
    private static let latest = Migrator.range.upperBound

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
                    failure.found.hasPrefix("the database's schema is \(Self.latest - 1), and this program works with"))
                #expect(failure.remedy == "Run 'dispatcherd migrate' as the database's owner.")
            }
            #expect(try Migrator.version(link) == Self.latest - 1)
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
            #expect(try Database.migrate(settings) == Array(1...Self.latest))
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
