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

    private func failure(port: Int, readyFile: String? = nil) async throws -> CommandFailure? {
        let settings = try Settings(
            flags: [.listenPort: "\(port)", .databaseURL: "", .databaseDataDir: folder + "/postgres"], environment: [:])
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

    @Test(arguments: ["/nowhere/ready", "/tmp"])
    func `a ready file that cannot be written stops the node before it serves`(path: String) async throws {
        let failure = try await failure(port: 0, readyFile: path)

        #expect(failure?.exit == .environment)
        #expect(failure?.found.hasPrefix("the ready file \(path) cannot be written") == true)
        #expect(!FileManager.default.fileExists(atPath: folder))
    }
}
