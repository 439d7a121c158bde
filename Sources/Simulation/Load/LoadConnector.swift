// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
internal import NIOCore
internal import NIOPosix

/// Makes the connections of a load, the first ones and those after a loss; each attempt goes to the next of the addresses.
struct LoadConnector: Sendable {
    /// Many connections to one port spread over 127.0.0.0/8: each source address has some 28,000 ports of its own, and a node takes
    /// 2,000 of it that have not signed in.
    private static let connectionsPerSource = 1_000
    private static let patience = TimeAmount.seconds(5)

    private let addresses: [LoadAddress]
    private let tls: ClientTLS.Context?

    init(_ settings: LoadSettings) throws {
        addresses = settings.addresses
        tls = try settings.tls.map { try ClientTLS.Context($0.client) }
    }

    /// Called on the loop that the seat lives on.
    func connect(_ seat: LoadSeat, on loop: any EventLoop) -> EventLoopFuture<Void> {
        let (identity, address) = seat.next(of: addresses)
        let bound = NIOLoopBound(seat, eventLoop: loop)
        var bootstrap = ClientBootstrap(group: loop).connectTimeout(Self.patience)
        do {
            if let source = try Self.source(seat.number, to: address) { bootstrap = bootstrap.bind(to: source) }
        } catch {
            return loop.makeFailedFuture(error)
        }
        return bootstrap.channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { [tls] channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(tls.handler(host: address.host))
                    }
                    try channel.pipeline.syncOperations.addHandler(
                        LoadConnection(bound.value, identity: identity, address: address))
                }
            }
            .connect(host: address.host, port: address.port).map { _ in }
    }

    /// `nil`: the system's choice.
    static func source(_ number: Int, to address: LoadAddress) throws -> SocketAddress? {
        let block = number / connectionsPerSource
        guard block > 0, address.host.hasPrefix("127.") else { return nil }
        return try SocketAddress(ipAddress: "127.0.\(1 + block / 250).\(1 + block % 250)", port: 0)
    }
}
