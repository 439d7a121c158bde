// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
@testable import Dispatcher
import Logging
import PgStore
import TestSupport
import Testing

/// Many agencies that sign in at once.
struct CrowdTests {
    /// A listener that lets everybody in, and connections of so many agencies.
    private func crowd(
        _ count: Int, _ body: (AgentServer, [AgentConnection]) async throws -> Void
    ) async throws {
        let server = try await AgentServer.start(
            AgentServerSettings(node: "test"), clock: { Timestamp(microseconds: 0) }
        ) { _, request, reply in
            guard case .authenticate(let claim) = request else { return reply(.refused(.state)) }
            let identity = AgentIdentity(agency: claim.agency, instanceID: 1, key: [])
            reply(.authenticated(Admission(identity: identity, held: 0, contracts: 1)))
        }
        do {
            var connections: [AgentConnection] = []
            for number in 1...count {
                connections.append(
                    try await AgentConnection.connect(
                        AgentConnectionSettings(
                            port: server.port, agency: try #require(AgencyID(Int32(number))),
                            instance: try #require(Token("one")), sequence: 1, privateKey: AgencyPrivateKey())))
            }
            try await body(server, connections)
            for connection in connections { try await connection.bye() }
        } catch {
            await server.drain()
            throw error
        }
        await server.drain()
    }

    /// The news compare the keys of all sessions each time, which can be done with the table of keys alone.
    @Test(.timeLimit(.minutes(1)))
    func `however many sign in at once are told how things stand without a look at everybody's keys for each few`()
        async throws
    {
        try await TestDatabase.with { database in
            try DealtMonth.deal(.init(agencies: 1), [AgencyPrivateKey()], database)
            let link = try database.link()
            try link.script("ALTER TABLE agency_key RENAME TO agency_key_away")
            let log = KeptLog()
            let logger = Logger(label: "test") { _ in log }
            let connection = PgConnection(database.conninfo, application: "test")
            let engine = LeaseEngine(
                connection: PgConnection(database.conninfo, application: "test"), limits: LeaseEngine.Limits(),
                now: try link.readNow(), logger: logger)
            try await crowd(60) { server, _ in
                let follower = PushFollower(
                    connection: connection, server: server, engine: engine, pause: .seconds(600), lead: .seconds(60),
                    logger: logger)
                let following = Task { await follower.run() }
                try await until { server.newConnections(max: 1).agencies.isEmpty }
                following.cancel()
                await following.value
            }
            engine.close()
            await connection.close()

            #expect(log.lines == [])
        }
    }

    /// Somebody keeps the rows of agencies 1 and 3 locked, so that the others stand in line behind the first one.
    @Test(.timeLimit(.minutes(1)), arguments: [false, true])
    func `those who stand in line are written down together, and one that cannot be holds up no other`(
        isOneLocked: Bool
    ) async throws {
        try await TestDatabase.with { database in
            let keys = (1...3).map { _ in AgencyPrivateKey() }
            try DealtMonth.deal(.init(agencies: 3), keys, database)
            let connection = PgConnection(
                database.conninfo, application: "test", onConnect: { try $0.prepareForEngine(lockWait: .seconds(2)) })
            let admissions = Admissions(
                connection: connection, instancesMax: 100, logger: Logger(label: "test") { _ in KeptLog() })
            func claim(_ agency: Int32, _ instance: String, _ sequence: Int64) throws -> AuthenticationClaim {
                let hello = HelloRequest(
                    agency: try #require(AgencyID(agency)), client: "test", instance: try #require(Token(instance)),
                    sequence: sequence, nonce: [UInt8](repeating: 1, count: 16))
                let message = AuthenticationMessage(
                    server: "test", serverNonce: [UInt8](repeating: 2, count: 32), hello: hello)
                let signature = try #require(keys[Int(agency) - 1].sign(message))
                return AuthenticationClaim(hello: hello, message: message, signature: signature)
            }
            for agency: Int32 in [1, 3] {
                let known = try claim(agency, "one", 1)
                #expect(await admissions.authenticate(known).isIn)
            }
            let locker = try database.link()
            try locker.script("BEGIN; SELECT 1 FROM agency_instance FOR UPDATE")
            let blocked = try claim(1, "one", 2)
            let first = Task { await admissions.authenticate(blocked) }
            try await until {
                try database.link().run("SELECT FROM pg_locks WHERE NOT granted").count > 0
            }
            let claims =
                try (1...20).map { try claim(2, "i\($0)", 1) }
                + [try claim(isOneLocked ? 3 : 1, "one", 3)]
            let waiting = claims.map { claim in Task { await admissions.authenticate(claim) } }
            try await until { admissions.waitingCount == claims.count }

            #expect(await first.value == .refused(.busy, after: 1))
            for one in waiting.dropLast() { #expect(await one.value.isIn) }
            #expect(await waiting[20].value == .refused(.busy, after: 1))
            try locker.script("ROLLBACK")
            let written = try database.link().run(
                "SELECT count(*), count(DISTINCT xmin::text) FROM agency_instance WHERE agency_id = 2")[0]
            #expect(written.int64(0) == 20 && written.int64(1) == (isOneLocked ? 20 : 1))
            await connection.close()
        }
    }
}

extension Reply {
    fileprivate var isIn: Bool { if case .authenticated = self { true } else { false } }
}
