// SPDX-License-Identifier: Apache-2.0

internal import Glibc
package import PgStore

/// A database of its own for one test or suite, on the throwaway server that `make test` starts: migrated, with a virtual
/// clock at 2024-03-01T06:00:00Z, and dropped at the end.
///
///     try await TestDatabase.with { database in
///         let link = try database.link()
///         …
///     }
package struct TestDatabase: Sendable {
    package let conninfo: String

    package init(conninfo: String) { self.conninfo = conninfo }

    package func link(_ application: String = "test") throws -> PgLink {
        try PgLink(conninfo, application: application)
    }

    package static func with<Value>(_ body: (TestDatabase) async throws -> Value) async throws -> Value {
        guard let raw = getenv("REPARTO_TEST_DATABASE") else { throw MissingServer() }
        let server = String(cString: raw)
        var random = SystemRandomNumberGenerator()
        let name = "test_\(String(random.next(), radix: 36))"
        try PgLink(server, application: "test").script("CREATE DATABASE \(name)")
        let database = TestDatabase(conninfo: "\(server) dbname=\(name)")
        let result: Result<Value, any Error>
        do {
            let link = try database.link()
            try Migrator.migrate(link)
            try link.script("UPDATE clock SET virtual_now = '2024-03-01T06:00:00Z'")
            result = .success(try await body(database))
        } catch {
            result = .failure(error)
        }
        try PgLink(server, application: "test").script("DROP DATABASE \(name) WITH (FORCE)")
        return try result.get()
    }

    /// Runs `body` on a copy of this database as it is now; dropped at the end. Links to this one are cut.
    package func copied<Value>(_ body: (TestDatabase) async throws -> Value) async throws -> Value {
        guard let raw = getenv("REPARTO_TEST_DATABASE"), let name = conninfo.split(separator: "=").last else {
            throw MissingServer()
        }
        let server = String(cString: raw)
        let copy = "\(name)_copy"
        let link = try PgLink(server, application: "test")
        try link.script("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '\(name)'")
        try link.script("CREATE DATABASE \(copy) TEMPLATE \(name)")
        let result: Result<Value, any Error>
        do {
            result = .success(try await body(TestDatabase(conninfo: "\(server) dbname=\(copy)")))
        } catch {
            result = .failure(error)
        }
        try link.script("DROP DATABASE \(copy) WITH (FORCE)")
        return try result.get()
    }

    /// The tests need a real PostgreSQL; they do not pass without one.
    package struct MissingServer: Error, CustomStringConvertible {
        package var description: String {
            "REPARTO_TEST_DATABASE is not set: run `make test`, which starts a private PostgreSQL and sets it"
        }
    }
}
