// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
internal import NIOCore

/// One TCP connection of a ``LoadSeat``: signs in, and hands each line of the daemon to the seat. Lives on the seat's event loop.
final class LoadConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum Phase { case greeting, admission, ready, over }

    private let seat: LoadSeat
    private let identity: LoadIdentity
    /// The node's address, as reports name it.
    let place: String
    private var phase = Phase.greeting
    private var context: ChannelHandlerContext?
    private var input = ByteBuffer()
    /// What is written when the reading of a burst is over.
    var output = ByteBuffer()
    private var wroteAt = NIODeadline.now()
    /// A third of the time after which the daemon takes a session that says nothing for dead; its greeting tells.
    private var silence = TimeAmount.seconds(10)
    private var isDraining = false

    init(_ seat: LoadSeat, identity: LoadIdentity, address: LoadAddress) {
        place = "\(address)"
        self.seat = seat
        self.identity = identity
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func channelInactive(context: ChannelHandlerContext) { end(isDraining ? "the node stopped" : "closed") }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { end("network error") }
    func channelReadComplete(context: ChannelHandlerContext) { flush() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var incoming = unwrapInboundIn(data)
        input.writeBuffer(&incoming)
        let used = input.withUnsafeReadableBytes { bytes in
            var start = 0
            while phase != .over, let length = bytes[start...].firstIndex(of: 0x0A).map({ $0 - start }) {
                take(UnsafeRawBufferPointer(rebasing: bytes[start..<start + length]))
                start += length + 1
            }
            return start
        }
        input.moveReaderIndex(forwardBy: used)
        input.discardReadBytes()
    }

    private func take(_ line: UnsafeRawBufferPointer) {
        guard line.count > 3 else { return end("short line") }
        switch phase {
        case .greeting: signIn(String(decoding: line, as: UTF8.self))
        case .admission: admitted(String(decoding: line, as: UTF8.self))
        case .ready:
            if line[0] == 0x2A { said(String(decoding: line, as: UTF8.self)) } else { seat.take(line) }
        case .over: break
        }
    }

    private func signIn(_ greeting: String) {
        let fields = greeting.split(separator: " ")
        // A certificate that cannot be read makes a signature that is refused.
        let certificate = context.flatMap { (try? ClientTLS.certificateHash(of: $0.channel)) ?? nil }
        func value(_ name: String) -> String? {
            fields.first { $0.hasPrefix(name + "=") }.map { String($0.dropFirst(name.count + 1)) }
        }
        guard fields.prefix(2) == ["*", "REPARTO"], let node = value("node"), let nonce = value("nonce"),
            let lines = identity.signIn(node: node, nonce: nonce, certificate: certificate)
        else { return end(fields.dropFirst(2).first.map(String.init) ?? "greeting") }
        if let idle = value("idle").flatMap({ Int64($0) }) { silence = .milliseconds(idle * 1_000 / 3) }
        output.writeBytes(lines)
        phase = .admission
    }

    private func admitted(_ line: String) {
        if line.hasPrefix("h1 OK") { return }
        guard line.hasPrefix("h2 OK") else { return end(line.split(separator: " ").dropFirst().joined(separator: " ")) }
        phase = .ready
        seat.ready(self)
    }

    /// Of what the daemon says by itself only the end of the session is of interest.
    private func said(_ line: String) {
        if line.hasPrefix("* NO ") { end(line) }
        if line.hasPrefix("* DRAINING") { isDraining = true }
    }

    func flush() {
        guard output.readableBytes > 0, let context else { return }
        context.writeAndFlush(wrapOutboundOut(output), promise: nil)
        output = context.channel.allocator.buffer(capacity: 4_096)
        wroteAt = .now()
    }

    /// Keeps a session alive that has said nothing for a while; the answer is of no interest.
    func ping(at now: NIODeadline) {
        guard phase == .ready, now - wroteAt > silence else { return }
        output.writeStaticString("p PING\n")
        flush()
    }

    func close() { end(nil) }

    /// - Parameter reason: why the connection is of no more use; `nil`: the load is over.
    func end(_ reason: String?) {
        guard phase != .over else { return }
        phase = .over
        context?.close(promise: nil)
        context = nil
        if let reason { seat.lost(reason, of: self) }
    }
}
