// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import FoundationEssentials
import Logging
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
