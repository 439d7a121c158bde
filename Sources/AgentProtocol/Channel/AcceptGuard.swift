// SPDX-License-Identifier: Apache-2.0

package import Assignment
import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A connection that was not let in, for the operator: the peer is told little or nothing.
package enum RefusedConnection: Equatable, Sendable, CustomStringConvertible {
    /// As many as the node takes are open; the peer was told `LIMIT`.
    case full(address: String, open: Int)
    /// Its address has as many that have not signed in as one may have; the peer was told `LIMIT` with `reason=address`.
    case crowded(address: String, unsigned: Int)
    /// The agency that signed in has half of the connections that the node takes; it was told `LIMIT` with `reason=agency`.
    case share(agency: AgencyID)
    /// The system had no file or memory for it. It waits in the system's queue, and is tried again in a second.
    case notAccepted(reason: String)

    package var description: String {
        switch self {
        case .full(let address, let open): "\(open) connections are open, which is the limit; \(address) was told LIMIT"
        case .crowded(let address, let unsigned):
            "\(unsigned) connections of \(address) have not signed in, which is the limit; it was told LIMIT"
        case .share(let agency): "\(agency) has half of the connections that are taken; it was told LIMIT"
        case .notAccepted(let reason): "the system could not take it: \(reason)"
        }
    }
}

/// At the listener: tells of connections that the system could not take, and does not look for the next one at once. Without the
/// pause the event loop would go round and round in `accept`, and serve nobody.
final class AcceptGuard: ChannelInboundHandler {
    typealias InboundIn = any Channel

    private static let pause = TimeAmount.seconds(1)
    private let refused: @Sendable (RefusedConnection) -> Void

    init(_ refused: @escaping @Sendable (RefusedConnection) -> Void) { self.refused = refused }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let failure = error as? IOError else { return context.fireErrorCaught(error) }
        refused(.notAccepted(reason: String(cString: strerror(failure.errnoCode))))
        // A read that was asked for stays asked for after an error; only without automatic reads does the listener rest.
        let listener = context.channel
        listener.setOption(.autoRead, value: false).whenSuccess {
            listener.eventLoop.scheduleTask(in: Self.pause) { listener.setOption(.autoRead, value: true) }
        }
    }
}
