// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import FoundationEssentials
import Logging
import PgStore
import TestSupport
import Testing

@testable import Dispatcher

/// Whatever was answered OK is on the disk: a server that does not keep to that is refused, by nodes and by commands. These change
/// settings of a whole server, and have one of their own.
@Suite(.serialized) struct UnsafeServerTests {
    private func nodeFailure(_ database: TestDatabase, allowing: Bool) async throws -> CommandFailure? {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        var settings = DispatcherNode.Settings(server: AgentServerSettings(node: "test"))
        settings.server.port = 0
        settings.allowsUnsafeDurability = allowing
        do {
            let node = try await DispatcherNode(
                conninfo: database.conninfo, settings: settings, logger: logger
            ).start()
            await node.stop()
            return nil
        } catch {
            return try #require(error as? CommandFailure)
        }
    }

    private func commandFailure(_ database: TestDatabase, allowing: Bool) throws -> CommandFailure? {
        let settings = try Settings(
            flags: [.databaseURL: database.conninfo, .databaseAllowUnsafeDurability: "\(allowing)"], environment: [:])
        do {
            _ = try Database.open(settings, application: "test", founds: false)
            return nil
        } catch {
            return try #require(error as? CommandFailure)
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func `a server that could lose what was answered is refused by name, unless losing is allowed`() async throws {
        try await Home.withSettable { database, link in
            func set(_ name: String, _ value: String) async throws {
                try link.script("ALTER SYSTEM SET \(name) = \(value)")
                try link.script("SELECT pg_reload_conf()")
                try await until { try database.link().run("SHOW \(name)")[0].text(0) == value }
            }
            for (name, value) in [
                ("fsync", "off"), ("full_page_writes", "off"), ("synchronous_commit", "off"),
                ("synchronous_commit", "local"), ("synchronous_commit", "remote_write"),
            ] {
                try await set(name, value)
                let node = try await nodeFailure(database, allowing: false)
                let command = try commandFailure(database, allowing: false)
                for refused in [node, command] {
                    #expect(refused?.exit == .environment, "\(name) = \(value)")
                    #expect(refused?.found.contains("\(name) = \(value)") == true, "\(refused?.found ?? "none")")
                    #expect(refused?.remedy.contains("--allow-unsafe-durability") == true)
                }
                #expect(try await nodeFailure(database, allowing: true) == nil, "\(name) = \(value)")
                #expect(try commandFailure(database, allowing: true) == nil, "\(name) = \(value)")
                try await set(name, "on")
            }
            try await set("synchronous_commit", "remote_apply")
            #expect(try await nodeFailure(database, allowing: false) == nil)
            #expect(try commandFailure(database, allowing: false) == nil)
        }
    }
}

extension Home {
    /// A migrated database on a server of its own whose settings may be changed: nothing of them stands on its command line.
    static func withSettable(_ body: (TestDatabase, PgLink) async throws -> Void) async throws {
        try await Home.with { home in
            _ = try home.started()
            _ = try home.server().stop()
            let server = try home.server()
            try server.makeSocketFolder()
            let options = "-c listen_addresses='' -c port=5432 -c unix_socket_directories=\(server.folders.socket)"
            let ending = try server.account.run(
                [
                    try ServerBinaries.find(dataMajor: server.dataMajor).control, "start", "-w", "-s", "-t", "60", "-l",
                    "server.log", "-o", options,
                ], folder: server.folders.data, environment: ["PGDATA": server.folders.data])
            guard ending.isSuccess else { throw CommandFailure(.environment, ending.output, remedy: "none") }
            let link = try home.link()
            try Migrator.migrate(link)
            try await body(TestDatabase(conninfo: try home.server().connection), link)
        }
    }
}
