// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import FoundationEssentials
import Logging
import PgStore
import TestSupport
import Testing

/// A node that encrypts, and renews its certificate while it serves.
struct TLSNodeTests {
    private static let folder =
        Checkout.root + "/Tests/AgentProtocolTests/Certificates/"

    @Test(.timeLimit(.minutes(1)))
    func `a node takes a renewed certificate by itself, and signatures follow it`() async throws {
        let own = FileManager.default.temporaryDirectory.path() + "/tls-\(UInt64.random(in: 0...UInt64.max))"
        try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: own) }
        func put(_ name: String) throws {
            for kind in ["pem", "key"] {
                try Data(contentsOf: URL(filePath: "\(Self.folder)\(name).\(kind)")).write(
                    to: URL(filePath: "\(own)/node.\(kind)"))
            }
        }
        try put("server")
        let tls = try ServerTLS(TLSFiles(certificate: own + "/node.pem", key: own + "/node.key"))
        try await DealtMonth.with { month in
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            var server = AgentServerSettings(node: "test")
            server.limits.draining = .milliseconds(200)
            server.tls = tls
            var settings = DispatcherNode.Settings(server: server)
            settings.pace.certificate = .milliseconds(20)
            let node = try await DispatcherNode(
                conninfo: month.database.conninfo, settings: settings, logger: logger
            ).start()
            func connect(_ sequence: Int64) async throws -> AgentConnection {
                var settings = AgentConnectionSettings(
                    port: node.port, agency: try #require(AgencyID(1)), instance: try #require(Token("one")),
                    sequence: sequence, privateKey: month.keys[0])
                settings.tls = ClientTLS(authorities: Self.folder + "authority.pem")
                return try await AgentConnection.connect(settings)
            }
            let before = try await connect(1)
            let first = tls.certificateHash
            try put("renewed")
            while tls.certificateHash == first { try await Task.sleep(for: .milliseconds(10)) }

            #expect(try await connect(2).lease(DealtMonth.lease(1)).leasedAccounts.count == 5)
            #expect(try await before.lease(DealtMonth.lease(1)).leasedAccounts.count == 5)
            #expect(try month.number("SELECT count(*) FROM lease_grant") == 1)
            await node.stop()
        }
    }
}
