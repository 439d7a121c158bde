// SPDX-License-Identifier: Apache-2.0

import Dispatcher
import FoundationEssentials
import Glibc
import PgStore
import Testing

/// These start and kill a real server in a folder of their own.
@Suite(.serialized) struct PrivateServerTests {
    @Test func `a second start finds the first one's server`() throws {
        try Home.with { home in
            let first = try home.started()
            let second = try home.started()

            #expect(first == second)
            #expect(try home.answers())
        }
    }

    @Test func `a killed server is recovered with what it had committed`() throws {
        try Home.with { home in
            let process = try home.started()
            try home.link().script("CREATE TABLE kept AS SELECT 1 AS value")

            kill(process, SIGKILL)

            #expect(try home.started() != process)
            #expect(try home.link().run("SELECT value FROM kept").count == 1)
        }
    }

    @Test func `a stale process number that went to somebody else does not count as a running server`() throws {
        try Home.with { home in
            kill(try home.started(), SIGKILL)
            try home.awaitStop()
            try home.overwriteProcessNumber(with: getpid())

            #expect(try home.server().status == .stopped)
            _ = try home.started()
            #expect(try home.answers())
        }
    }

    @Test func `what a cut-off initdb left is made anew`() throws {
        try Home.with { home in
            try FileManager.default.createDirectory(
                atPath: home.data + ".new/base", withIntermediateDirectories: true)

            _ = try home.started()

            #expect(try home.answers())
            #expect(!FileManager.default.fileExists(atPath: home.data + ".new"))
        }
    }

    @Test func `stopping twice stops once`() throws {
        try Home.with { home in
            _ = try home.started()

            #expect(try home.server().stop())
            #expect(try !home.server().stop())
            #expect(try home.server().status == .stopped)
        }
    }

    @Test func `a paused server is stopped all the same`() throws {
        try Home.with { home in
            kill(try home.started(), SIGSTOP)

            #expect(try home.server().stop())
            #expect(try home.server().status == .stopped)
        }
    }

    @Test func `a path that is too long for PostgreSQL is refused before anything is made`() throws {
        try Home.with { home in
            let long = Home(folder: home.folder + String(repeating: "/" + String(repeating: "x", count: 99), count: 9))

            let failure = #expect(throws: CommandFailure.self) { try long.started() }

            #expect(failure?.exit == .usage && failure?.found.contains("bytes; PostgreSQL takes 900") == true)
            #expect(!FileManager.default.fileExists(atPath: long.folder))
        }
    }

    @Test func `data of a version that is not installed is named with its remedy`() throws {
        try Home.with { home in
            try FileManager.default.createDirectory(atPath: home.data, withIntermediateDirectories: true)
            try Data("9\n".utf8).write(to: URL(filePath: home.data + "/PG_VERSION"))

            let failure = #expect(throws: CommandFailure.self) { try home.started() }

            #expect(failure?.exit == .environment)
            #expect(
                failure?.found.hasPrefix("the data folder was made by PostgreSQL 9, and what is installed here is")
                    == true)
        }
    }

    @Test func `a folder with something else in it is not taken for data`() throws {
        try Home.with { home in
            try FileManager.default.createDirectory(atPath: home.data + "/holiday", withIntermediateDirectories: true)

            let failure = #expect(throws: CommandFailure.self) { try home.started() }

            #expect(failure?.exit == .usage)
            #expect(FileManager.default.fileExists(atPath: home.data + "/holiday"))
        }
    }
}

/// A folder for one test's private server, stopped and removed at the end.
struct Home {
    let folder: String
    var data: String { folder + "/the data" }

    static func with(_ body: (Home) throws -> Void) throws {
        let home = try made()
        defer { home.remove() }
        try body(home)
    }

    static func with(_ body: (Home) async throws -> Void) async throws {
        let home = try made()
        defer { home.remove() }
        try await body(home)
    }

    private static func made() throws -> Home {
        let home = Home(folder: "/tmp/reparto-home-\(UInt64.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(atPath: home.folder, withIntermediateDirectories: true)
        return home
    }

    private func remove() {
        _ = try? server().stop()
        try? FileManager.default.removeItem(atPath: folder)
    }

    func server() throws -> PrivateServer { try PrivateServer(dataFolder: data, accountName: "postgres") }

    /// The process of the server after it was started, or found.
    func started() throws -> Int32 {
        var server = try server()
        _ = try server.start()
        guard case .running(let process) = server.status else { return 0 }
        return process
    }

    func link() throws -> PgLink { try PgLink(server().connection, application: "test") }
    func answers() throws -> Bool { try link().run("SELECT 1").count == 1 }

    func awaitStop() throws {
        // A process that is not our child tells us nothing when it ends.
        while case .running = try server().status { usleep(10_000) }
    }

    func overwriteProcessNumber(with process: Int32) throws {
        let path = data + "/postmaster.pid"
        let text = FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
        let rest = text.split(separator: "\n", omittingEmptySubsequences: false).dropFirst().joined(separator: "\n")
        try Data("\(process)\n\(rest)".utf8).write(to: URL(filePath: path))
    }
}
