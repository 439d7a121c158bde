// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import FoundationEssentials
import Logging
import PgStore
import TestSupport
import Testing

/// What `serve` finds wrong before it touches a database.
struct ServingTests {
    private let folder = "/tmp/reparto-serving-\(UInt64.random(in: 0 ... .max))"

    private func failure(
        port: Int, readyFile: String? = nil, _ flags: [SettingKey: String] = [:]
    ) async throws -> CommandFailure? {
        let base: [SettingKey: String] = [
            .listenPort: "\(port)", .databaseURL: "", .databaseDataDir: folder + "/postgres",
        ]
        let settings = try Settings(flags: base.merging(flags) { _, given in given }, environment: [:])
        do {
            try await Serving.run(settings, readyFile: readyFile, logger: Logger(label: "test"))
            return nil
        } catch {
            return error as? CommandFailure
        }
    }

    /// The tests' server has none; without the setting all other tests work on it.
    @Test func `a database without a synchronous standby is refused where one is required, by nodes and by commands`()
        async throws
    {
        try await TestDatabase.with { database in
            var node = DispatcherNode.Settings(server: AgentServerSettings(node: "test"))
            node.requiresStandby = true
            let failure = await #expect(throws: CommandFailure.self) {
                try await DispatcherNode(
                    conninfo: database.conninfo, settings: node, logger: Logger(label: "test")
                ).start()
            }
            let settings = try Settings(
                flags: [.databaseURL: database.conninfo, .databaseRequireStandby: "true"], environment: [:])
            let command = #expect(throws: CommandFailure.self) {
                try Database.open(settings, application: "test", founds: false)
            }

            for refused in [failure, command] {
                #expect(refused?.exit == .environment)
                #expect(refused?.found.contains("synchronous_standby_names = ''") == true)
                #expect(refused?.remedy.contains("database.require-standby") == true)
            }
        }
    }

    @Test func `a port in use is one line, and no database is started for it`() async throws {
        let listener = try await AgentServer.start(
            AgentServerSettings(node: "first"), clock: { .init(microseconds: 0) }, submit: { _, _, _ in })
        let failure = try await failure(port: listener.port)
        await listener.drain()

        #expect(failure?.exit == .environment)
        #expect(failure?.found == "port \(listener.port) on 127.0.0.1 is in use by another process")
        #expect(!FileManager.default.fileExists(atPath: folder))
    }

    @Test(
        arguments: [
            ([.listenHost: "0.0.0.0"], .usage, "0.0.0.0 is not a loopback address, and this listener has no TLS"),
            ([.tlsCertificateFile: "/nowhere/a.pem"], .usage, "TLS needs both a certificate and its key"),
            ([.tlsClientCAFile: "/nowhere/ca.pem"], .usage, "TLS needs both a certificate and its key"),
            (
                [.tlsCertificateFile: "/nowhere/a.pem", .tlsKeyFile: "/nowhere/a.key"], .environment,
                "/nowhere/a.pem: cannot be read"
            ),
        ] as [([SettingKey: String], CommandFailure.Exit, String)])
    func `a listener that would not be safe is refused before anything is started`(
        flags: [SettingKey: String], exit: CommandFailure.Exit, found: String
    ) async throws {
        let failure = try await failure(port: 0, flags)

        #expect(failure?.exit == exit)
        #expect(failure?.found == found)
        #expect(!FileManager.default.fileExists(atPath: folder))
    }

    @Test(arguments: ["/nowhere/ready", "/tmp"])
    func `a ready file that cannot be written stops the node before it serves`(path: String) async throws {
        let failure = try await failure(port: 0, readyFile: path)

        #expect(failure?.exit == .environment)
        #expect(failure?.found.hasPrefix("the ready file \(path) cannot be written") == true)
        #expect(!FileManager.default.fileExists(atPath: folder))
    }
}
