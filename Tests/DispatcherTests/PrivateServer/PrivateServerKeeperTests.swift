// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
@testable import Dispatcher
import FoundationEssentials
import Glibc
import Logging
import PgStore
import Testing

/// These kill a real server under a real node.
@Suite(.serialized) struct PrivateServerKeeperTests {
    @Test(.timeLimit(.minutes(3)))
    func `a killed server comes back under a serving node, which asks for patience meanwhile`() async throws {
        let home = Home(folder: "/tmp/reparto-home-\(UInt64.random(in: 0 ... .max))")
        defer { try? FileManager.default.removeItem(atPath: home.folder) }
        try FileManager.default.createDirectory(atPath: home.folder, withIntermediateDirectories: true)
        let process = try home.started()
        defer { _ = try? home.server().stop() }
        let key = AgencyPrivateKey()
        try admit(key, try home.link())
        let node = try await node(home)
        let watch = PrivateServerKeeper(try home.server(), Self.quiet)
        let keeper = Task { await watch.run() }
        let agent = try await connect(key, node.port)
        try #require(try await ask(agent).allSatisfy { $0.replyClass != .retry })

        kill(process, SIGKILL)
        var refused: [ClientReply] = []
        repeat {
            refused += try await ask(agent).filter { !$0.isOK }
            try await Task.sleep(for: .milliseconds(50))
        } while try !home.runs(otherThan: process)
        var last = try await ask(agent)
        while last.contains(where: { $0.replyClass == .retry }) {
            try await Task.sleep(for: .milliseconds(50))
            last = try await ask(agent)
        }

        #expect(last.map(\.code) == [nil, .scope])
        #expect(refused.contains { $0.code == .unavailable })
        #expect(refused.allSatisfy { $0.replyClass == .retry || $0.code == .scope })
        keeper.cancel()
        await keeper.value
        await node.stop()
    }

    @Test func `a server that was stopped on purpose is not taken for a killed one`() throws {
        let home = Home(folder: "/tmp/reparto-home-\(UInt64.random(in: 0 ... .max))")
        defer { try? FileManager.default.removeItem(atPath: home.folder) }
        try FileManager.default.createDirectory(atPath: home.folder, withIntermediateDirectories: true)
        defer { _ = try? home.server().stop() }
        let process = try home.started()
        #expect(try !home.server().wasKilled)

        kill(process, SIGKILL)
        try home.awaitStop()
        #expect(try home.server().wasKilled)

        _ = try home.started()
        _ = try home.server().stop()
        #expect(try !home.server().wasKilled)
    }

    // MARK: A node with one agency that holds nothing

    private static var quiet: Logger {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }

    private func admit(_ key: AgencyPrivateKey, _ link: PgLink) throws {
        try Migrator.migrate(link)
        try link.script("INSERT INTO agency (agency_id, name) VALUES (1, 'agency')")
        try link.run(
            "INSERT INTO agency_key (agency_id, key_name, public_key, added_at) VALUES (1, 'k', $1, now_instant())",
            [.bytes(key.publicKey)])
    }

    private func node(_ home: Home) async throws -> DispatcherNode.Running {
        try await DispatcherNode(
            conninfo: home.server().connection,
            settings: DispatcherNode.Settings(server: AgentServerSettings(node: "test")), logger: Self.quiet
        ).start()
    }

    private func connect(_ key: AgencyPrivateKey, _ port: Int) async throws -> AgentConnection {
        try await AgentConnection.connect(
            AgentConnectionSettings(
                port: port, agency: try #require(AgencyID(1)), instance: try #require(Token("one")), sequence: 1,
                privateKey: key))
    }

    /// One question to each of the two connections that answer agencies.
    private func ask(_ agent: AgentConnection) async throws -> [ClientReply] {
        [
            try await agent.resume(ResumeRequest(count: 0, digest: HeldDigest.empty.bytes)),
            try await agent.lease(LeaseRequest(key: 1, delegation: Delegation.all[8], strategy: .dual, max: 1)),
        ]
    }
}

extension Home {
    fileprivate func runs(otherThan process: Int32) throws -> Bool {
        if case .running(let now) = try server().status { now != process } else { false }
    }
}
