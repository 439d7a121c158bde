// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatch
import Glibc
import Synchronization
import TestSupport
import Testing

/// Real sockets on loopback, with a desk in memory behind them.
struct AgentServerTests {
    @Test func `a session's name is four bytes, two digits each`() {
        // One in sixteen begins with a zero.
        let names = (0..<1_000).map { _ in SessionSeed.random().session }

        #expect(names.allSatisfy { $0.utf8.count == 8 && HexBytes(hex: $0) != nil })
    }

    @Test func `an agency works a day over a real connection`() async throws {
        let server = try await TestServer()
        let agent = try await server.connect()
        let leased = try await agent.lease(.example())
        let summary = try #require(leased.leaseSummary)
        let accounts = leased.leasedAccounts

        #expect(agent.admission.fields.number("held") == 0)
        #expect(accounts.map(\.account.value) == [1_900_012_345, 1_900_077_120])
        #expect(accounts.first == .example(1_900_012_345, epoch: 7, due: 4_310_22, overdue: 9_120_87))
        #expect(summary.left == 1 && summary.stop == .limit && summary.grant == Desk.grant)
        #expect(try await agent.report(.example()).fields.number("outcome") == 55_120)
        #expect(try await agent.report(.example()).fields.number("outcome") == 55_120)
        let stale = try await agent.report(.example(key: 3, account: 1_900_012_345))
        #expect(stale.code == .reassigned && stale.replyClass == .refresh && stale.fields.number("epoch") == 7)
        let extended = try await agent.extend(
            ExtendRequest(key: 4, delegation: delegation14, grant: Desk.grant, until: Desk.ceiling))
        #expect(extended.fields.timestamp("term") == Desk.ceiling)
        let returned = try await agent.giveBack(
            ReturnRequest(
                key: 5, delegation: delegation14, account: anAccount(1_900_077_120), epoch: anEpoch(3), reason: .paid))
        #expect(returned.isOK)
        var digest = HeldDigest.empty
        digest.add(delegation14, anAccount(1_900_012_345), anEpoch(7))
        #expect(try await agent.resume(ResumeRequest(count: 1, digest: digest.bytes)).fields["match"] == "yes")
        let differing = try await agent.resume(ResumeRequest(count: 0, digest: HeldDigest.empty.bytes))
        #expect(differing.heldAccounts.map(\.account.value) == [1_900_012_345])
        #expect(try await agent.ping().fields.timestamp("time") == instant("2024-03-04T15:00:00Z"))
        try await agent.bye()
        await server.stop()
    }

    @Test func `where nobody listens, that is what is said, with the address`() async throws {
        let settings = AgentConnectionSettings(
            port: 1, agency: ace07, instance: valid(Token("one")), sequence: 1, privateKey: AgencyPrivateKey())
        let failure = await #expect(throws: AgentConnectionError.self) { try await AgentConnection.connect(settings) }

        #expect(failure?.description == "cannot connect to 127.0.0.1:1: nobody listens there")
    }

    @Test func `ten thousand reports in one go are answered each by its own`() async throws {
        let server = try await TestServer(isForgiving: true)
        let agent = try await server.connect()
        let reports = (0..<10_000).map { AgentRequest.report(.example(key: Int64($0), account: Int64($0 + 1))) }
        let replies = try await agent.send(reports)

        #expect(replies.count == 10_000)
        #expect(replies.allSatisfy { $0.isOK })
        #expect(Set(replies.compactMap { $0.fields.number("outcome") }).count == 10_000)
        try await agent.bye()
        await server.stop()
    }

    @Test func `many tasks share one connection, and many connections one server`() async throws {
        let server = try await TestServer(isForgiving: true)
        let outcomes = try await withThrowingTaskGroup(of: [Int64].self) { group in
            for agency in 1...30 {
                group.addTask {
                    let agent = try await server.connect(agency: AgencyID(Int32(agency)))
                    let outcomes = try await withThrowingTaskGroup(of: Int64?.self) { tasks in
                        for task in 0..<100 {
                            tasks.addTask {
                                let key = Int64(agency * 1_000 + task)
                                return try await agent.report(.example(key: key)).fields.number("outcome")
                            }
                        }
                        return try await tasks.reduce(into: []) { $0.append($1) }.compactMap(\.self)
                    }
                    try await agent.bye()
                    return outcomes
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }

        #expect(Set(outcomes).count == 3_000)
        await server.stop()
        #expect(server.connectionCount == 0)
    }

    @Test func `a port in use is named as such`() async throws {
        let server = try await TestServer()
        var settings = AgentServerSettings(node: "mx-2")
        settings.port = server.port

        await #expect(throws: AgentServerError.portInUse(host: "127.0.0.1", port: server.port)) {
            _ = try await AgentServer.start(settings, clock: { instant("2024-03-04T15:00:00Z") }) { _, _, _ in }
        }
        await server.stop()
    }

    @Test(arguments: ["0.0.0.0", "::", "192.0.2.1", "127.example.org"])
    func `without encryption the server listens on loopback only`(host: String) async {
        var settings = AgentServerSettings(node: "mx-1")
        settings.host = host

        await #expect(throws: AgentServerError.plainOffLoopback(host: host)) {
            _ = try await AgentServer.start(settings, clock: { instant("2024-03-04T15:00:00Z") }) { _, _, _ in }
        }
    }

    @Test func `more replies than the output bound are all delivered`() async throws {
        let server = try await TestServer(handSize: 1_000)
        let agent = try await server.connect()
        let replies = try await agent.send((0..<8).map { .lease(.example(key: $0, max: 1_000)) })

        #expect(replies.map(\.leasedAccounts.count) == [1_000, 0, 0, 0, 0, 0, 0, 0])
        let again = try await agent.send((0..<64).map { _ in .lease(.example(key: 0, max: 1_000)) })
        #expect(again.count == 64)
        #expect(again.allSatisfy { $0 == replies[0] })
        try await agent.bye()
        await server.stop()
    }

    @Test func `a wrong key is refused, and so is a sequence used before`() async throws {
        let server = try await TestServer()
        let first = try await server.connect(sequence: 5)

        #expect(await server.refusal(sequence: 5, privateKey: Desk.secret) == .clone)
        #expect(await server.refusal(sequence: 6, privateKey: AgencyPrivateKey().bytes) == .auth)
        try await first.bye()
        await server.stop()
    }

    @Test func `a connection too many is told so, and the operator is told`() async throws {
        let refused = Mutex<[RefusedConnection]>([])
        let server = try await TestServer(connectionsMax: 1) { one in refused.withLock { $0.append(one) } }
        let first = try await server.connect()

        await #expect(throws: AgentConnectionError.ended(code: "LIMIT")) { try await server.connect(sequence: 2) }
        #expect(refused.withLock { $0 } == [.full(address: "127.0.0.1", open: 1)])
        try await first.bye()
        await server.stop()
    }

    @Test(.timeLimit(.minutes(1)))
    func `an address has so many connections that have not signed in, and room again once one has`() async throws {
        let refused = Mutex<[RefusedConnection]>([])
        let server = try await TestServer(unsignedPerAddress: 2) { one in refused.withLock { $0.append(one) } }
        var idle: [Int32] = []
        try RawClient.connect(1, port: server.port, &idle)
        // Two who signed in are not counted.
        let agents = [try await server.connect(), try await server.connect()]
        try RawClient.connect(1, port: server.port, &idle)

        let said = try await RawClient.talk(port: server.port, [])
        #expect(said == ["* NO LIMIT class=retry after=5 reason=address"])
        #expect(refused.withLock { $0 } == [.crowded(address: "127.0.0.1", unsigned: 2)])
        for descriptor in idle { close(descriptor) }
        try await until { server.connectionCount == 2 }
        try await server.connect().bye()
        for agent in agents { try await agent.bye() }
        await server.stop()
    }

    @Test(.timeLimit(.minutes(1)))
    func `one agency has half of the connections at most, and leaves the others to others`() async throws {
        let refused = Mutex<[RefusedConnection]>([])
        let server = try await TestServer(connectionsMax: 4) { one in refused.withLock { $0.append(one) } }
        let agents = [try await server.connect(), try await server.connect()]

        do {
            try await server.connect()
            Issue.record("a third one was let in")
        } catch AgentConnectionError.refused(let reply) {
            #expect(reply.code == .limit && reply.fields["reason"] == "agency" && reply.afterSeconds == 5)
        }
        #expect(refused.withLock { $0 } == [.share(agency: ace07)])
        let other = try await server.connect(agency: AgencyID(8))
        try await other.bye()
        try await agents[0].bye()
        try await until { server.connectionCount == 1 }
        try await server.connect().bye()
        try await agents[1].bye()
        await server.stop()
    }

    @Test(.timeLimit(.minutes(1))) func `a connection that the system has no file for is told once, and taken later`()
        async throws
    {
        let refused = Mutex<[RefusedConnection]>([])
        let server = try await TestServer { one in refused.withLock { $0.append(one) } }
        let greeting = try await RawClient.greetingWithoutFiles(port: server.port) { refused.withLock { !$0.isEmpty } }

        #expect(greeting.hasPrefix("* REPARTO "))
        // The pause is a second; without it there would be thousands.
        #expect(refused.withLock { $0 } == [.notAccepted(reason: "Too many open files")])
        await server.stop()
    }

    @Test func `draining is announced, refuses what is new and ends`() async throws {
        var limits = SessionLimits()
        limits.draining = .seconds(1)
        let server = try await TestServer(limits: limits)
        let agent = try await server.connect()
        let stopping = Task { await server.stop() }
        var pushes = agent.pushes.makeAsyncIterator()

        #expect(await pushes.next()?.name == "DRAINING")
        #expect(try await agent.lease(.example()).code == .unavailable)
        try await agent.bye()
        await stopping.value
        #expect(server.connectionCount == 0)
    }

    @Test func `a client without our library is answered, even after it stops sending`() async throws {
        let server = try await TestServer()
        let said = try await RawClient.talk(
            port: server.port,
            bytes(
                "a1 PING\r\na2 HELLO version=9 agency=ACE07 instance=i sequence=1 "
                    + "nonce=a0a1a2a3a4a5a6a7a8a9aaabacadaeaf\n"
            ))

        #expect(said.count == 3)
        #expect(said.first?.hasPrefix("* REPARTO versions=1 node=mx-1 time=2024-03-04T15:00:00.000Z nonce=") == true)
        #expect(said.dropFirst() == ["a1 OK time=2024-03-04T15:00:00.000Z", "a2 NO VERSION class=fatal versions=1"])
        await server.stop()
    }

    @Test func `a client that floods before authentication gets the reason and the end`() async throws {
        let server = try await TestServer()
        let said = try await RawClient.talk(port: server.port, Array(repeating: 0x78, count: 100_000))

        #expect(said.last == "* NO FRAMING class=fatal reason=line-too-long")
        await server.stop()
    }

    @Test func `a connection cut in the middle fails what waits and nothing else`() async throws {
        let server = try await TestServer(isSilent: true)
        let agent = try await server.connect()
        let waiting = Task { try await agent.lease(.example()) }
        _ = try await agent.ping()
        agent.abandon()

        await #expect(throws: AgentConnectionError.closed) { try await waiting.value }
        await #expect(throws: AgentConnectionError.closed) { try await agent.ping() }
        await server.stop()
    }
}
