// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// A way to a node, or from a node to PostgreSQL, over which bytes can be late, in crumbs, lost or cut off. Who uses it knows its port;
/// where it leads may change under it.
final class FaultProxy: Sendable {
    typealias Stream = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    /// What the way is like for the next bytes.
    struct Weather: Sendable {
        /// Each piece of bytes waits so long, in both directions.
        var delay: Duration = .zero
        /// Bytes arrive in pieces of a few.
        var isSplit = false
        /// Nothing arrives, and nobody is told: what is dropped while this lasts makes the connection useless.
        var isSilent = false

        var isUnusual: Bool { delay > .zero || isSplit || isSilent }
    }

    /// Where a way leads.
    enum Target: Sendable {
        case port(Int)
        /// The path of a socket.
        case socket(String)
    }

    private struct State {
        var weather = Weather()
        /// Pieces of bytes that met another weather than the usual since it was set.
        var struck = 0
        var target: Target?
        var next = 0
        var open: [Int: Pair] = [:]
    }

    private struct Pair {
        var client: any Channel
        var node: any Channel
        /// The first bytes that the client sent.
        var opening: [UInt8] = []
        var isDamaged = false
    }

    private static let openingMax = 65_536
    private static let betweenPieces = Duration.microseconds(50)
    let port: Int
    private let state = Mutex(State())
    private let group: any EventLoopGroup
    private let listener: NIOAsyncChannel<Stream, Never>
    private let task = Mutex<Task<Void, Never>?>(nil)

    static func start(on group: any EventLoopGroup) async throws -> FaultProxy {
        let listener = try await ServerBootstrap(group: group)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .bind(host: "127.0.0.1", port: 0) { channel in
                channel.eventLoop.makeCompletedFuture { try Stream(wrappingChannelSynchronously: channel) }
            }
        let proxy = FaultProxy(group, listener)
        let running = Task { await proxy.serve() }
        proxy.task.withLock { $0 = running }
        return proxy
    }

    private init(_ group: any EventLoopGroup, _ listener: NIOAsyncChannel<Stream, Never>) {
        self.group = group
        self.listener = listener
        self.port = listener.channel.localAddress?.port ?? 0
    }

    /// - Parameter target: where it leads; `nil`: nowhere, and clients are hung up on.
    func set(target: Target?) { state.withLock { $0.target = target } }

    func set(_ weather: Weather) {
        state.withLock {
            $0.weather = weather
            $0.struck = 0
        }
    }

    /// Pieces of bytes that met the present weather so far.
    var struck: Int { state.withLock { $0.struck } }

    /// Bytes flow again. What lost bytes is cut: its peers could wait for ever.
    ///
    /// - Returns: how many pieces of bytes met the weather that is over.
    @discardableResult
    func clear() -> Int {
        let (damaged, struck) = state.withLock { state in
            defer { state.struck = 0 }
            state.weather = Weather()
            return (state.open.values.filter(\.isDamaged), state.struck)
        }
        for pair in damaged { Self.close(pair) }
        return struck
    }

    /// - Returns: how many connections were cut.
    func cut() -> Int {
        let all = state.withLock { Array($0.open.values) }
        for pair in all { Self.close(pair) }
        return all.count
    }

    /// Sends what each client has sent since it connected once more to the node, over a second connection, as somebody would who had listened.
    ///
    /// - Returns: how many were sent and heard, how many of those got more than refusals (a session or a second effect), and how many no
    ///   node heard.
    func replay() async -> (sent: Int, accepted: Int, unsent: Int) {
        let (openings, target) = state.withLock { ($0.open.values.map(\.opening).filter { !$0.isEmpty }, $0.target) }
        guard let target else { return (0, 0, openings.count) }
        var (sent, accepted) = (0, 0)
        for bytes in openings {
            // A node greets whoever it hears: without a word of it nothing was tried.
            guard let said = try? await Self.send(bytes, to: target, group), !said.isEmpty else { continue }
            sent += 1
            // The proof is of another greeting: nothing after HELLO, which proves nothing yet, may be answered with OK.
            let lines = said.split(separator: "\n")
            if lines.contains(where: { $0.contains(" OK") && !$0.contains("session=") }) { accepted += 1 }
        }
        return (sent, accepted, openings.count - sent)
    }

    private static func connect(to target: Target, _ group: any EventLoopGroup) async throws -> Stream {
        let bootstrap = ClientBootstrap(group: group).connectTimeout(.seconds(2))
        switch target {
        case .port(let port):
            return try await bootstrap.channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .connect(host: "127.0.0.1", port: port) { channel in
                    channel.eventLoop.makeCompletedFuture { try Stream(wrappingChannelSynchronously: channel) }
                }
        case .socket(let path):
            return try await bootstrap.connect(unixDomainSocketPath: path) { channel in
                channel.eventLoop.makeCompletedFuture { try Stream(wrappingChannelSynchronously: channel) }
            }
        }
    }

    private static func send(_ bytes: [UInt8], to target: Target, _ group: any EventLoopGroup) async throws -> String {
        let stream = try await connect(to: target, group)
        return try await stream.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(bytes: bytes))
            let hangUp = Task {
                // As long as the node may take to refuse what is sent a second time.
                try await Task.sleep(for: .milliseconds(500))
                try await stream.channel.close()
            }
            defer { hangUp.cancel() }
            var said = ""
            do {
                for try await part in inbound { said += String(buffer: part) }
            } catch {
                // The node hung up on it; what it said before counts.
            }
            return said
        }
    }

    func stop() async {
        _ = cut()
        task.withLock { $0 }?.cancel()
        await task.withLock { $0 }?.value
    }

    private static func close(_ pair: Pair) {
        pair.client.close(promise: nil)
        pair.node.close(promise: nil)
    }

    // MARK: - Carrying bytes

    private func serve() async {
        // It ends when it is cancelled; a client whose connection fails is no error of the proxy's.
        try? await listener.executeThenClose { clients in
            try await withThrowingDiscardingTaskGroup { group in
                for try await client in clients {
                    group.addTask { await self.carry(client) }
                }
            }
        }
    }

    private func carry(_ client: Stream) async {
        let target = state.withLock { $0.target }
        // Either end may fail at any time; then both are closed.
        try? await client.executeThenClose { fromClient, toClient in
            guard let target else { return }
            let node = try await Self.connect(to: target, self.group)
            let number = self.state.withLock { state in
                state.next += 1
                state.open[state.next] = Pair(client: client.channel, node: node.channel)
                return state.next
            }
            defer { self.state.withLock { $0.open[number] = nil } }
            try await node.executeThenClose { fromNode, toNode in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await self.pump(fromClient, toNode, number, isFromClient: true) }
                    group.addTask { try await self.pump(fromNode, toClient, number, isFromClient: false) }
                    // The first end that is over is the end of both.
                    _ = try await group.next()
                    group.cancelAll()
                }
            }
        }
    }

    private func pump(
        _ from: NIOAsyncChannelInboundStream<ByteBuffer>, _ to: NIOAsyncChannelOutboundWriter<ByteBuffer>,
        _ number: Int, isFromClient: Bool
    ) async throws {
        for try await part in from {
            let weather = state.withLock { state in
                if isFromClient, let known = state.open[number]?.opening.count, known < Self.openingMax {
                    state.open[number]?.opening += Array(part.readableBytesView.prefix(Self.openingMax - known))
                }
                if state.weather.isSilent { state.open[number]?.isDamaged = true }
                if state.weather.isUnusual { state.struck += 1 }
                return state.weather
            }
            if weather.isSilent { continue }
            // The fault itself: bytes that come late.
            if weather.delay > .zero { try await Task.sleep(for: weather.delay) }
            guard weather.isSplit else {
                try await to.write(part)
                continue
            }
            var rest = part
            while let piece = rest.readSlice(length: min(rest.readableBytes, 7)), piece.readableBytes > 0 {
                try await to.write(piece)
                // Written at once they would meet again in one segment, and nothing were in pieces.
                try await Task.sleep(for: Self.betweenPieces)
            }
        }
    }
}
