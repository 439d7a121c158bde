// SPDX-License-Identifier: Apache-2.0

import Assignment
import FoundationEssentials
import Synchronization
import TestSupport
import Testing

@testable import AgentProtocol

/// What the client promises in moments that a real node seldom has: each is made by answering when the test says so.
struct ClientPromiseTests {
    /// A request that waits for the test to answer it.
    private final class Later: Sendable {
        private let waiting = Mutex<(@Sendable (Reply) -> Void)?>(nil)

        func put(_ reply: @escaping @Sendable (Reply) -> Void) { waiting.withLock { $0 = reply } }
        func answer(_ reply: Reply) { waiting.withLock { $0 }?(reply) }
        func isAsked() async throws {
            while waiting.withLock({ $0 == nil }) { try await Task.sleep(for: .milliseconds(2)) }
        }
    }

    private func settings(
        port: Int, orElse other: Int? = nil, state: String? = nil, patience: Duration = .seconds(20)
    ) throws -> AgentClientSettings {
        let addresses = [port, other].compactMap(\.self).map {
            AgentClientSettings.Address(host: "127.0.0.1", port: $0)
        }
        let sequences = Mutex<Int64>(0)
        var settings =
            try state.map {
                try AgentClientSettings(addresses: addresses, agency: "ACE07", key: Desk.secret, state: $0)
            }
            ?? AgentClientSettings(
                addresses: addresses, agency: "ACE07", instance: "promise", key: Desk.secret,
                nextSequence: {
                    sequences.withLock {
                        $0 += 1
                        return $0
                    }
                })
        settings.pauseFirst = .milliseconds(10)
        settings.pauseMax = .milliseconds(50)
        settings.patience = patience
        return settings
    }

    private func lease(_ account: LeasedAccount) -> AgentLease {
        AgentLease(delegation: 14, account: account.account.value, epoch: account.epoch.value)
    }

    private func hear(_ name: Push.Name, _ client: AgentClient) async {
        for await case .push(name.rawValue, _) in client.events { return }
    }

    private let pull = AgentCall("LEASE", ["delegation": "14", "strategy": "administrative", "max": "1"])

    @Test(.timeLimit(.minutes(1)))
    func `what a server had no time for when the client closed is not asked for by the next process`() async throws {
        let state = FileManager.default.temporaryDirectory.path() + "/state-\(UInt64.random(in: 0...UInt64.max))"
        defer { try? FileManager.default.removeItem(atPath: state) }
        let asked = Mutex(0)
        let server = try await TestServer(takesOver: { request, reply in
            guard case .lease = request,
                asked.withLock({ count in
                    count += 1
                    return count == 1
                })
            else { return false }
            reply(.refused(.busy, after: 5))
            return true
        })
        let first = AgentClient(try settings(port: server.port, state: state))
        let pulled = Task { await first.send(all: [pull]) }
        while asked.withLock({ $0 == 0 }) { try await Task.sleep(for: .milliseconds(2)) }
        await first.close()
        // Else it would be told after its five seconds.
        pulled.cancel()
        let next = AgentClient(try settings(port: server.port, state: state))
        try await next.open()

        #expect(try await pulled.value[0].get().code == "BUSY")
        #expect(await next.unanswered == [])
        #expect(await next.held == [])
        #expect(asked.withLock { $0 } == 1)
        await next.close()
        await server.stop()
    }

    @Test(.timeLimit(.minutes(1)))
    func `who waits for a connection together with others has all of its own patience`() async throws {
        let gone = try await TestServer()
        let port = gone.port
        await gone.stop()
        let client = AgentClient(try settings(port: port, patience: .milliseconds(400)))
        async let first = client.send(all: [AgentCall("PING")])
        // More than half of the first one's patience is over when the second one joins it.
        try await Task.sleep(for: .milliseconds(250))
        let start = ContinuousClock.now
        let second = await client.send(all: [AgentCall("PING")])

        #expect(ContinuousClock.now - start >= .milliseconds(400))
        let ends = await first + second
        #expect(
            ends.map { if case .failure(.cannotConnect) = $0 { true } else { false } } == [true, true], "\(ends)")
        await client.close()
    }

    /// It began the connection that nobody answers, and the second one joined it.
    @Test(.timeLimit(.minutes(1)))
    func `a connection that takes longer is waited for as long as there is patience, and no longer`() async throws {
        let silent = try SilentListener()
        defer { silent.close() }
        var settings = try settings(port: silent.port, patience: .milliseconds(400))
        settings.connectTimeout = .seconds(30)
        let client = AgentClient(settings)
        let start = ContinuousClock.now
        async let first = client.send(all: [AgentCall("PING")])
        try await until { await client.connecting != nil }
        let ends = await client.send(all: [AgentCall("PING")]) + first

        #expect(ContinuousClock.now - start < .seconds(20), "it has 0.5 s; the connection 30")
        #expect(
            ends.map { if case .failure(.cannotConnect) = $0 { true } else { false } } == [true, true], "\(ends)")
        await client.close()
    }

    @Test(.timeLimit(.minutes(1)))
    func `who is cancelled while a connection is made, or what is held compared, is told so`() async throws {
        func isCancelled(_ ends: [Result<AgentReply, AgentClientError>]) -> Bool { ends == [.failure(.cancelled)] }
        let silent = try SilentListener()
        defer { silent.close() }
        let alone = AgentClient(try settings(port: silent.port))
        let connecting = Task { await alone.send(all: [AgentCall("PING")]) }
        try await until { await alone.connecting != nil }
        connecting.cancel()
        #expect(isCancelled(await connecting.value))
        await alone.close()

        let later = Later()
        let server = try await TestServer(takesOver: { request, reply in
            guard case .resume = request else { return false }
            later.put(reply)
            return true
        })
        let client = AgentClient(try settings(port: server.port))
        async let comparison: Void = client.compare()
        try await later.isAsked()
        let waiting = Task { await client.send(all: [AgentCall("PING")]) }
        waiting.cancel()
        #expect(isCancelled(await waiting.value))
        later.answer(.resumed(HeldComparison(held: 0, isMatch: true)))
        try await comparison
        #expect(try await client.send("PING").isOK)
        await client.close()
        await server.stop()
    }

    @Test(.timeLimit(.minutes(1)))
    func `a server that takes the connection and does not greet is given up`() async throws {
        let silent = try SilentListener()
        defer { silent.close() }
        let server = try await TestServer()
        var settings = try settings(port: silent.port, orElse: server.port)
        settings.connectTimeout = .milliseconds(100)
        let client = AgentClient(settings)

        #expect(try await client.send("PING").isOK)
        await client.close()
        await server.stop()
    }

    @Test(.timeLimit(.minutes(1)))
    func `events that nobody read are counted, and what they told of leases is known all the same`() async throws {
        let server = try await TestServer(handSize: 100)
        let client = AgentClient(try settings(port: server.port))
        _ = try await client.lease(delegation: 14, strategy: "administrative", max: 50)
        let paused = [Push](repeating: Push(.paused, [ReplyField("delegation", delegation14)]), count: 200)
        // In lots that a connection keeps, each heard to its end.
        for number in 1...6 {
            server.push(paused)
            server.recall(.example(1_900_100_003 + Int64(number), epoch: 1, due: 1, overdue: 1), saying: .recall)
            try await until { await client.held.count == 50 - number }
        }
        var events: [AgentClientEvent] = []
        for await event in client.events {
            events.append(event)
            if events.count == 1_025 { break }
        }

        // They were preceded by that of the connection.
        #expect(events.first == .missed(1 + 6 * 201 - 1_024))
        #expect(events.dropFirst().allSatisfy { if case .push = $0 { true } else { false } })
        await client.close()
        await server.stop()
    }

    @Test(.timeLimit(.minutes(1)))
    func `a recall that comes before the last reply of a lot is not forgotten`() async throws {
        let later = Later()
        let server = try await TestServer(takesOver: { request, reply in
            guard case .status = request else { return false }
            later.put(reply)
            return true
        })
        let client = AgentClient(try settings(port: server.port))
        async let ends = client.send(all: [pull, AgentCall("STATUS")])
        try await later.isAsked()
        server.recall(Desk.first, saying: .recall)
        await hear(.recall, client)
        later.answer(.listed([], end: [ReplyField("held", 0)]))

        let told = await ends
        #expect(told.map { try? $0.get().isOK } == [true, true])
        // Whatever comes next waits for the comparison.
        #expect(try await client.send("PING").isOK)
        #expect(await client.held == [])
        await client.close()
        await server.stop()
    }

    @Test(.timeLimit(.minutes(1)), arguments: [Push.Name.recall, .missed])
    func `what is pushed in the middle of a comparison is compared once more`(name: Push.Name) async throws {
        let later = Later()
        let pages = Mutex(0)
        @Sendable func listed(_ account: LeasedAccount) -> HeldAccount {
            HeldAccount(
                delegation: delegation14, account: account.account, epoch: account.epoch, grant: Desk.grant,
                term: instant("2024-04-03T00:00:00-06:00"))
        }
        let server = try await TestServer(takesOver: { request, reply in
            guard case .resume = request else { return false }
            switch pages.withLock({ count in
                count += 1
                return count
            }) {
            case 1:
                let next = HeldCursor(delegation: delegation14, account: Desk.second.account)
                reply(.resumed(HeldComparison(held: 2, isMatch: false, page: [listed(Desk.first)], next: next)))
            case 2: later.put(reply)
            default: return false
            }
            return true
        })
        let client = AgentClient(try settings(port: server.port))
        _ = try await client.lease(delegation: 14, strategy: "administrative", max: 2)
        #expect(await client.held == [lease(Desk.first), lease(Desk.second)])
        async let comparison: Void = client.compare()
        try await later.isAsked()
        server.recall(Desk.first, saying: name)
        await hear(name, client)
        later.answer(.resumed(HeldComparison(held: 2, isMatch: false, page: [listed(Desk.second)])))
        try await comparison

        #expect(await client.held == [lease(Desk.second)])
        #expect(pages.withLock { $0 } == 3)
        await client.close()
        await server.stop()
    }
}
