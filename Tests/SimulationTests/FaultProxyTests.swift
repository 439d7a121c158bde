// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix
@testable import Simulation
import TestSupport
import Testing

/// A way counts what its weather struck, so that a fault over which nothing went is none.
struct FaultProxyTests {
    /// Sends a line over a way to something that says everything again.
    private static func exchange(_ proxy: FaultProxy, _ group: any EventLoopGroup) async throws -> String {
        let stream = try await ClientBootstrap(group: group).connect(host: "127.0.0.1", port: proxy.port) { channel in
            channel.eventLoop.makeCompletedFuture { try FaultProxy.Stream(wrappingChannelSynchronously: channel) }
        }
        return try await stream.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: "a line of some length\n"))
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
