// SPDX-License-Identifier: Apache-2.0

internal import Glibc
package import PgStore
internal import Synchronization

/// A database of its own for one test or suite, on the throwaway server that `make test` starts: migrated, with a virtual
/// clock at 2024-03-01T06:00:00Z.
///
///     try await TestDatabase.with { database in
///         let link = try database.link()
///         …
///     }
///
/// It is a copy of one that was migrated once. It is dropped only where the server's data is in memory: the server dies with the run,
/// while each drop makes it write a checkpoint first, which takes longer on a disk than most tests do.
package struct TestDatabase: Sendable {
    package let conninfo: String

    package init(conninfo: String) { self.conninfo = conninfo }

    package func link(_ application: String = "test") throws -> PgLink {
        try PgLink(conninfo, application: application)
    }

    /// How many sessions of one application wait for a lock in this database; the server has other tests' too.
    package func waiting(_ application: String) throws -> Int64 {
        try link("watch").run(
            """
            SELECT count(*) FROM pg_stat_activity
             WHERE datname = current_database() AND application_name = $1 AND wait_event_type = 'Lock'
            """, [.text(application)])[0].int64(0)
    }

    package static func with<Value>(_ body: (TestDatabase) async throws -> Value) async throws -> Value {
        guard let raw = getenv("REPARTO_TEST_DATABASE") else { throw MissingServer() }
        let server = String(cString: raw)
        let template = try template.withLock { name in
            if let name { return name }
            let made = try makeTemplate(server)
            name = made
            return made
        }
        let name = "test_\(randomWord())"
        try PgLink(server, application: "test").script("CREATE DATABASE \(name) TEMPLATE \(template)")
        let result: Result<Value, any Error>
        do {
            result = .success(try await body(TestDatabase(conninfo: "\(server) dbname=\(name)")))
        } catch {
            result = .failure(error)
        }
        if getenv("REPARTO_TEST_DROPS") != nil {
            do { try PgLink(server, application: "test").script("DROP DATABASE \(name) WITH (FORCE)") } catch {
                // The test's own failure is the one to tell.
                _ = try result.get()
                throw error
            }
        }
        return try result.get()
    }

    /// The name of the migrated database that the others are copies of; `nil` until the first one is asked for.
    private static let template = Mutex<String?>(nil)

    private static func makeTemplate(_ server: String) throws -> String {
        let name = "template_\(randomWord())"
        try PgLink(server, application: "test").script("CREATE DATABASE \(name)")
        let link = try PgLink("\(server) dbname=\(name)", application: "test")
        try Migrator.migrate(link)
        try link.script("UPDATE clock SET virtual_now = '2024-03-01T06:00:00Z'")
        return name
    }

    private static func randomWord() -> String {
        var random = SystemRandomNumberGenerator()
        return String(random.next(), radix: 36)
    }

    /// Runs `body` on a copy of this database as it is now; dropped at the end. Links to this one are cut.
    ///
    /// - Parameter isKept: not dropped, where many copies are made: each drop makes the server write a checkpoint first.
    package func copied<Value>(
        isKept: Bool = false, _ body: (TestDatabase) async throws -> Value
    ) async throws -> Value {
        guard let raw = getenv("REPARTO_TEST_DATABASE"), let name = conninfo.split(separator: "=").last else {
            throw MissingServer()
        }
        let server = String(cString: raw)
        let copy = "\(name)_\(Self.randomWord())"
        let link = try PgLink(server, application: "test")
        try link.script("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '\(name)'")
        try link.script("CREATE DATABASE \(copy) TEMPLATE \(name)")
        let result: Result<Value, any Error>
        do {
            // It goes on in the place of the other one, and is no restored backup of it.
            try PgLink("\(server) dbname=\(copy)", application: "test").script(
                "UPDATE clock SET system_identifier = NULL")
            result = .success(try await body(TestDatabase(conninfo: "\(server) dbname=\(copy)")))
        } catch {
            result = .failure(error)
        }
        if !isKept { try link.script("DROP DATABASE \(copy) WITH (FORCE)") }
        return try result.get()
    }

    /// The tests need a real PostgreSQL; they do not pass without one.
    package struct MissingServer: Error, CustomStringConvertible {
        package var description: String {
            "REPARTO_TEST_DATABASE is not set: run `make test`, which starts a private PostgreSQL and sets it"
        }
    }
}
