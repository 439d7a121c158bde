// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix
@testable import Simulation
import Synchronization
import TestSupport
import Testing

/// A way counts what its weather struck, so that a fault over which nothing went is none.
struct FaultProxyTests {
    /// Sends a line over a way to something that says everything again.
    private static func exchange(
        _ proxy: FaultProxy, _ group: any EventLoopGroup, line: String = "a line of some length\n"
    ) async throws -> String {
        let stream = try await ClientBootstrap(group: group).connect(host: "127.0.0.1", port: proxy.port) { channel in
            channel.eventLoop.makeCompletedFuture { try FaultProxy.Stream(wrappingChannelSynchronously: channel) }
        }
        return try await stream.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: line))
            var said = ""
            for try await part in inbound {
                said += String(buffer: part)
                if said.hasSuffix("\n") { break }
            }
            return said
        }
    }

    /// Sends a line over a way, and lets the way send it once more while the connection is open.
    private static func replayed(
        _ line: String, _ proxy: FaultProxy, _ group: any EventLoopGroup,
        lostTo target: FaultProxy.Target? = nil
    ) async throws -> (sent: Int, accepted: Int, unsent: Int) {
        let stream = try await ClientBootstrap(group: group).connect(host: "127.0.0.1", port: proxy.port) { channel in
            channel.eventLoop.makeCompletedFuture { try FaultProxy.Stream(wrappingChannelSynchronously: channel) }
        }
        return try await stream.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: line))
            var said = ""
            for try await part in inbound {
                said += String(buffer: part)
                if said.hasSuffix("\n") { break }
            }
            if let target { proxy.set(target: target) }
            return await proxy.replay()
        }
    }

    private static func withEcho(_ body: (FaultProxy, any EventLoopGroup) async throws -> Void) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/echo"
        let listener = try await ServerBootstrap(group: group).bind(unixDomainSocketPath: path) { channel in
            channel.eventLoop.makeCompletedFuture { try FaultProxy.Stream(wrappingChannelSynchronously: channel) }
        }
        let echo = Task {
            try await listener.executeThenClose { clients in
                // Each by itself: one may stay while another comes.
                await withDiscardingTaskGroup { group in
                    do {
                        for try await client in clients {
                            group.addTask {
                                try? await client.executeThenClose { inbound, outbound in
                                    for try await part in inbound { try await outbound.write(part) }
                                }
                            }
                        }
                    } catch {
                        // The test is over.
                        group.cancelAll()
                    }
                }
            }
        }
        let proxy = try await FaultProxy.start(on: group)
        proxy.set(target: .socket(path))
        try await body(proxy, group)
        echo.cancel()
        await proxy.stop()
        try await group.shutdownGracefully()
        withExtendedLifetime(folder) {}
    }

    @Test(.timeLimit(.minutes(1)))
    func `bytes come late or in pieces over a way to a socket, whole all the same, and are counted`() async throws {
        try await Self.withEcho { proxy, group in
            let usual = try await Self.exchange(proxy, group)
            #expect(usual == "a line of some length\n")
            #expect(proxy.clear() == 0)

            proxy.set(FaultProxy.Weather(isSplit: true))
            #expect(proxy.clear() == 0)
            proxy.set(FaultProxy.Weather(isSplit: true))
            let split = try await Self.exchange(proxy, group)
            #expect(split == "a line of some length\n")
            #expect(proxy.clear() >= 1)
            proxy.set(FaultProxy.Weather(delay: .milliseconds(5)))
            let late = try await Self.exchange(proxy, group)
            #expect(late == "a line of some length\n")
            #expect(proxy.clear() >= 2)
            // What is over is not counted for the next one.
            #expect(proxy.clear() == 0)
        }
    }

    /// A node that keeps what comes, connection by connection, in the pieces in which it was read, and answers each line.
    private final class Listener: Sendable {
        private let heard = Mutex<[[String]]>([])
        private let ended = Mutex(0)
        var connections: [[String]] { heard.withLock { $0 } }
        var endedCount: Int { ended.withLock { $0 } }

        func serve(_ client: FaultProxy.Stream) async {
            let number = heard.withLock { heard in
                heard.append([])
                return heard.count - 1
            }
            try? await client.executeThenClose { inbound, outbound in
                for try await part in inbound {
                    let text = String(buffer: part)
                    heard.withLock { $0[number].append(text) }
                    if text.hasSuffix("\n") { try await outbound.write(ByteBuffer(string: "a1 NO AUTH class=fatal\n")) }
                }
            }
            ended.withLock { $0 += 1 }
        }
    }

    private static func withListener(_ body: (Listener, FaultProxy, any EventLoopGroup) async throws -> Void)
        async throws
    {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/node"
        let server = try await ServerBootstrap(group: group).bind(unixDomainSocketPath: path) { channel in
            channel.eventLoop.makeCompletedFuture { try FaultProxy.Stream(wrappingChannelSynchronously: channel) }
        }
        let listener = Listener()
        let serving = Task {
            try await server.executeThenClose { clients in
                try await withThrowingDiscardingTaskGroup { group in
                    for try await client in clients { group.addTask { await listener.serve(client) } }
                }
            }
        }
        let proxy = try await FaultProxy.start(on: group)
        proxy.set(target: .socket(path))
        try await body(listener, proxy, group)
        serving.cancel()
        await proxy.stop()
        try await group.shutdownGracefully()
        withExtendedLifetime(folder) {}
    }

    @Test(.timeLimit(.minutes(1)))
    func `a way that is cut ends for both, without what was sent after it, and the next one is whole`() async throws {
        try await Self.withListener { listener, proxy, group in
            let stream = try await ClientBootstrap(group: group).connect(host: "127.0.0.1", port: proxy.port) {
                channel in
                channel.eventLoop.makeCompletedFuture { try FaultProxy.Stream(wrappingChannelSynchronously: channel) }
            }
            try await stream.executeThenClose { inbound, outbound in
                try await outbound.write(ByteBuffer(string: "before\n"))
                var answers = inbound.makeAsyncIterator()
                let answer = try await answers.next()
                #expect(answer.map { String(buffer: $0) } == "a1 NO AUTH class=fatal\n")
                #expect(proxy.cut() == 1)
                let end = try? await answers.next()
                #expect(end == nil || end == .some(nil))
            }
            try await until { listener.endedCount == 1 }
            #expect(listener.connections == [["before\n"]])
            #expect(proxy.cut() == 0)
            let said = try await Self.exchange(proxy, group)
            #expect(said == "a1 NO AUTH class=fatal\n")
            #expect(listener.connections.last?.joined() == "a line of some length\n")
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a way that is split hands on pieces of seven bytes, each in its place`() async throws {
        try await Self.withListener { listener, proxy, group in
            let line = String(repeating: "0123456789", count: 500) + "\n"
            _ = try await Self.exchange(proxy, group, line: line)
            proxy.set(FaultProxy.Weather(isSplit: true))
            _ = try await Self.exchange(proxy, group, line: line)

            #expect(listener.connections.map { $0.joined() } == [line, line])
            // Two may meet again on their way, and what was read of the client ends with a shorter one; most are sevens all the same.
            let pieces = listener.connections[1].map(\.utf8.count)
            #expect(pieces.count > listener.connections[0].count, "\(pieces)")
            #expect(pieces.count { $0.isMultiple(of: 7) } * 10 >= pieces.count * 9, "\(pieces)")
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `what a client sent is sent once more over a connection of its own, byte for byte`() async throws {
        try await Self.withListener { listener, proxy, group in
            let found = try await Self.replayed("a1 HELLO version=1\n", proxy, group)

            #expect(found.sent == 1 && found.accepted == 0)
            #expect(listener.connections.map { $0.joined() } == Array(repeating: "a1 HELLO version=1\n", count: 2))
        }
    }

    /// Whoever says everything again lets in whom it should not.
    @Test(
        .timeLimit(.minutes(1)),
        arguments: [("a1 OK granted=1\n", 1), ("a1 NO AUTH class=fatal\n", 0), ("a1 OK session=1\n", 0)])
    func `who is let in by what another connection had sent is counted`(line: String, accepted: Int) async throws {
        try await Self.withEcho { proxy, group in
            let found = try await Self.replayed(line, proxy, group)
            #expect(found.sent == 1)
            #expect(found.accepted == accepted)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `what no node heard again is not told as refused`() async throws {
        try await Self.withEcho { proxy, group in
            let found = try await Self.replayed("x OK\n", proxy, group, lostTo: .socket("/nowhere"))
            #expect(found.sent == 0 && found.accepted == 0 && found.unsent == 1)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `what lost bytes is cut when the weather clears`() async throws {
        try await Self.withEcho { proxy, group in
            proxy.set(FaultProxy.Weather(isSilent: true))
            async let said = Self.exchange(proxy, group)
            // Until its bytes have reached the way.
            try await until { proxy.struck > 0 }
            #expect(proxy.clear() == 1)
            // Cut: the end of the stream, without an answer.
            let heard = try await said
            #expect(heard == "")
        }
    }
}
