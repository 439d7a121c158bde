// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import PgStore
import Synchronization
import Testing

/// The client of the package against real nodes.
struct AgentClientTests {
    private func settings(
        _ month: DealtMonth, nodes: [DispatcherNode.Running], instance: String = "client"
    ) throws -> AgentClientSettings {
        let latest = Counter()
        var settings = try AgentClientSettings(
            addresses: nodes.map { .init(host: "127.0.0.1", port: $0.port) }, agency: "ACE01", instance: instance,
            key: month.keys[0].bytes, nextSequence: { latest.next() })
        settings.pauseFirst = .milliseconds(10)
        return settings
    }

    private final class Counter: Sendable {
        private let value = Mutex<Int64>(0)
        func next() -> Int64 {
            value.withLock {
                $0 += 1
                return $0
            }
        }
    }

    private func leases(_ reply: AgentReply) -> [AgentLease] {
        reply.data.compactMap { line in
            guard let account = line["account"].flatMap({ Int64($0) }), let epoch = line["epoch"].flatMap({ Int64($0) })
            else { return nil }
            return AgentLease(delegation: 9, account: account, epoch: epoch)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a client works on through a rolling restart, on the other node, with the same leases`() async throws {
        try await DealtMonth.with { month in
            let other = try await DealtMonth.startNode(month.database)
            let client = AgentClient(try settings(month, nodes: [other, month.node]))
            let held = leases(try await client.lease(delegation: 9, strategy: "administrative", max: 4))
            #expect(held.count == 4)
            // Both at once: the reports meet the node as it goes.
            async let stopped: Void = other.stop()
            var refused: [AgentReply] = []
            for lease in held {
                let reply = try await client.report(
                    lease,
                    ["at": "2024-03-04T15:00:00Z", "channel": "phone-out", "contact": "none", "result": "no-answer"])
                if !reply.isOK { refused.append(reply) }
            }
            await stopped
            #expect(refused == [])
            #expect(try await client.giveBack(held[0], reason: "capacity").isOK)
            #expect(await client.held == Array(held.dropFirst()))
            #expect(try month.number("SELECT count(*) FROM outcome") == 4)
            await client.close()
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `after a new connection the client finds what it lost and what another installation leased`() async throws {
        try await DealtMonth.with(pace: DealtMonth.quickPace) { month in
            let first = AgentClient(try settings(month, nodes: [month.node]))
            let second = AgentClient(try settings(month, nodes: [month.node], instance: "two"))
            let held = leases(try await first.lease(delegation: 9, strategy: "administrative", max: 3))
            var found: [AgentLease] = []
            #expect(try await second.send("PING").isOK)
            for await case .difference(_, let leases) in second.events {
                found = leases
                break
            }
            #expect(found == held)
            #expect(try await second.giveBack(held[0], reason: "capacity").isOK)
            #expect(
                try await first.report(
                    held[0],
                    ["at": "2024-03-04T15:00:00Z", "channel": "sms", "contact": "none", "result": "no-answer"]
                ).code == "CLOSED")
            #expect(await first.held == Array(held.dropFirst()))
            await first.close()
            await second.close()
        }
    }

    @Test func `what no line of the protocol can be is refused before it is sent`() async throws {
        try await DealtMonth.with { month in
            let client = AgentClient(try settings(month, nodes: [month.node]))
            for (verb, fields) in [
                ("LEESE", [:]), ("LEASE", ["delegation": "9"]), ("STATUS", ["colour": "red"]), ("HELD", ["max": "x"]),
            ] as [(String, [String: String])] {
                await #expect(throws: AgentClientError.self) { try await client.send(verb, fields) }
            }
            await client.close()
            await #expect(throws: AgentClientError.closed) { try await client.send("PING") }
        }
    }

    @Test(.timeLimit(.minutes(1))) func `who is not let in is told so and does not try again`() async throws {
        try await DealtMonth.with { month in
            var settings = try AgentClientSettings(
                addresses: [.init(host: "127.0.0.1", port: month.node.port)], agency: "ACE01", instance: "x",
                key: [UInt8](repeating: 1, count: 32), nextSequence: { 1 })
            settings.pauseFirst = .milliseconds(10)
            let client = AgentClient(settings)
            let error = await #expect(throws: AgentClientError.self) { try await client.send("PING") }

            #expect(error.map { "\($0)" } == "not let in: AUTH")
        }
    }
}
