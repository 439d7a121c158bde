// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Foundation
import PgStore
@testable import Simulation
import TestSupport
import Testing

/// `dispatcherd serve` under TLS, told by SIGHUP to read its certificate anew.
struct TLSReloadTests {
    private static let certificates =
        Checkout.root + "/Tests/AgentProtocolTests/Certificates/"

    /// A daemon of its own, with a folder for its certificate and its log.
    private struct Daemon {
        let process: ManagedProcess
        let folder: String
        let port: Int

        /// Starts it, runs `body`, and ends it.
        static func with(_ database: TestDatabase, _ body: (Daemon) async throws -> Void) async throws {
            let folder = FileManager.default.temporaryDirectory.path() + "/hup-\(UInt64.random(in: 0...UInt64.max))"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: folder) }
            try put("server", as: ["pem", "key"], in: folder)
            let process = try ManagedProcess(
                [
                    ChildProcess.sibling("dispatcherd"), "serve", "--port", "0", "--ready-file", folder + "/ready",
                    "--database", database.conninfo, "--tls-certificate", folder + "/node.pem", "--tls-key",
                    folder + "/node.key",
                ], environment: ProcessInfo.processInfo.environment, log: folder + "/log")
            do {
                try await body(Daemon(process: process, folder: folder, port: port(of: process, in: folder)))
            } catch {
                await process.end(SIGTERM, within: .seconds(10))
                throw error
            }
            await process.end(SIGTERM, within: .seconds(10))
        }

        private static func port(of process: ManagedProcess, in folder: String) async throws -> Int {
            var port: Int?
            try await until {
                try #require(process.isRunning, "\(log(in: folder))")
                let text = (try? String(contentsOfFile: folder + "/ready", encoding: .utf8)) ?? ""
                if text.hasSuffix("\n") { port = text.split(whereSeparator: \.isWhitespace).last.flatMap { Int($0) } }
                return port != nil
            }
            return try #require(port)
        }

        private static func log(in folder: String) -> String {
            (try? String(contentsOfFile: folder + "/log", encoding: .utf8)) ?? ""
        }

        private static func put(_ name: String, as kinds: [String], in folder: String) throws {
            for kind in kinds {
                let data = try Data(contentsOf: URL(filePath: "\(certificates)\(name).\(kind)"))
                // At once: a look in between would find half a file.
                try data.write(to: URL(filePath: "\(folder)/node.\(kind)"), options: .atomic)
            }
        }

        var log: String { Self.log(in: folder) }

        /// How often the certificate was looked at and could not be taken.
        var refusals: Int { log.split(separator: "\n").count { $0.contains("Certificate not renewed") } }

        func put(_ name: String, as kinds: [String]) throws { try Self.put(name, as: kinds, in: folder) }
        func hangUp() { process.signal(SIGHUP) }
    }

    private static func connect(_ daemon: Daemon, _ key: AgencyPrivateKey, _ sequence: Int64, name: String? = nil)
        async throws -> AgentConnection
    {
        var settings = AgentConnectionSettings(
            port: daemon.port, agency: try #require(AgencyID(1)), instance: try #require(Token("one")),
            sequence: sequence, privateKey: key)
        settings.tls = ClientTLS(authorities: certificates + "authority.pem", serverName: name)
        return try await AgentConnection.connect(settings)
    }

    /// The node itself looks every ten seconds, which is too seldom for a dozen looks within the test's time. Of the two certificates
    /// the first one alone is good for 127.0.0.1, so that whoever connects to it without a name can tell which one is in force.
    @Test(.timeLimit(.minutes(1)))
    func `a daemon that is hung up takes the certificate that is there, and keeps the old one where files do not fit`()
        async throws
    {
        try await TestDatabase.with { database in
            let key = AgencyPrivateKey()
            try DealtMonth.deal(.init(agencies: 1), [key], database)
            try await Daemon.with(database) { daemon in
                let before = try await Self.connect(daemon, key, 1)

                // The certificate of one pair and the key of another.
                try daemon.put("named", as: ["pem"])
                for _ in 1...12 {
                    let refusals = daemon.refusals
                    daemon.hangUp()
                    try await until { daemon.refusals > refusals }
                }
                #expect(try await Self.connect(daemon, key, 2).lease(DealtMonth.lease(1)).leasedAccounts.count == 5)

                try daemon.put("named", as: ["key"])
                daemon.hangUp()
                try await until { daemon.log.contains("Certificate renewed") }
                await #expect(throws: AgentConnectionError.self) { _ = try await Self.connect(daemon, key, 3) }
                let after = try await Self.connect(daemon, key, 4, name: "mx-1.example")
                #expect(try await after.lease(DealtMonth.lease(2)).leasedAccounts.count == 5)
                // Nobody was disconnected: the first one goes on under the certificate that it began with.
                #expect(try await before.lease(DealtMonth.lease(1)).leasedAccounts.count == 5)
                #expect(daemon.process.isRunning)
                try await before.bye()
                try await after.bye()
            }
        }
    }
}
