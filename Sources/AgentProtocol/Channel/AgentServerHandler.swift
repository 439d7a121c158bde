// SPDX-License-Identifier: Apache-2.0

import Assignment
import NIOCore
import Synchronization

/// One connection: reads, asks the session, performs. Lives on its event loop and owns the connection's only timer.
final class AgentServerHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Output leaves in pieces of this size, so that progress of a slow reader is seen.
    private static let pieceBytes = 16_384
    private let shell: SessionShell
    private var session: AgentSession
    private var context: ChannelHandlerContext?
    private var mailbox: ReplyMailbox?
    private var output: [UInt8] = []
    private var isReading = true
    private var isClosing = false
    /// Pieces that were handed to the channel and have not left.
    private var piecesUnsent = 0
    private let isEncrypted: Bool
    private let openedAt = NIODeadline.now()
    /// Whether anything has left: of what is encrypted nothing does before the handshake.
    private var hasWritten = false
    private var isAdmitted = false
    /// Whose connection it turned out to be, as noted with the other connections.
    private var agency: AgencyID?
    private var timer: (deadline: Duration, scheduled: Scheduled<Void>)?

    /// - Parameter certificateHash: of the certificate that this connection shows; `nil` without TLS.
    init(_ shell: SessionShell, certificateHash: [UInt8]?) {
        self.shell = shell
        isEncrypted = certificateHash != nil
        let seed = shell.settings.seed()
        self.session = AgentSession(
            server: shell.settings.node, sessionID: seed.session, nonce: seed.nonce, limits: shell.settings.limits)
        self.session.certificateHash = certificateHash
    }

    // MARK: The channel's events

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        let mailbox = ReplyMailbox(self, on: context.eventLoop)
        self.mailbox = mailbox
        let address = context.remoteAddress?.ipAddress ?? "?"
        if let refusal = shell.sessions.admit(
            SessionHandle(mailbox: mailbox), as: ObjectIdentifier(self), from: AddressBlock(address))
        {
            if refusal == .tooManyOfAddress {
                shell.settings.refused(.crowded(address: address, unsigned: shell.settings.unsignedPerAddress))
            } else if refusal.code == .limit {
                shell.settings.refused(.full(address: address, open: shell.sessions.count))
            }
            output.append(text: "*")
            refusal.write(to: &output)
            output.append(.lineFeed)
            return close()
        }
        isAdmitted = true
        session.address = context.remoteAddress?.ipAddress ?? ""
        perform(session.opened(at: shell.now()))
        settle()
        context.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isClosing else { return }
        let buffer = unwrapInboundIn(data)
        perform(session.received(Array(buffer.readableBytesView), at: shell.now()))
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        settle()
        if isReading || isClosing { context.read() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event as? ChannelEvent == .inputClosed {
            // Who stops sending may still be reading what it asked for.
            if isClosing { return piecesUnsent == 0 ? context.close(promise: nil) : () }
            perform(session.inputEnded(at: shell.now()))
            settle()
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        session.lost()
        timer?.scheduled.cancel()
        timer = nil
        mailbox?.close()
        mailbox = nil
        self.context = nil
        if isAdmitted { shell.sessions.leave(ObjectIdentifier(self), agency: agency) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A reset or a failed read: the peer is gone, and its leases are none of the connection's business.
        context.close(promise: nil)
    }

    // MARK: Events from elsewhere, on the event loop

    func completed(_ replies: [(RequestNumber, Reply)]) {
        perform(session.completed(replies.map { ($0, entering($1)) }, at: shell.now()))
        settle()
    }

    /// Whom `AUTH` let in is noted as its agency's, unless that has as many connections as it may.
    private func entering(_ reply: Reply) -> Reply {
        guard case .authenticated(let admission) = reply, agency == nil, isAdmitted, context != nil, !isClosing else {
            return reply
        }
        guard shell.sessions.enter(ObjectIdentifier(self), as: admission.identity) else {
            shell.settings.refused(.share(agency: admission.identity.agency))
            return .refused(.tooManyOfAgency)
        }
        agency = admission.identity.agency
        return reply
    }

    func push(_ pushes: [Push]) {
        perform(session.push(pushes, at: shell.now()))
        settle()
    }

    func drain() {
        perform(session.drain(at: shell.now()))
        settle()
    }

    func keyEnded() {
        perform(session.keyEnded(at: shell.now()))
        settle()
    }

    private func wrote(_ bytes: Int) {
        piecesUnsent -= 1
        hasWritten = true
        guard !isClosing else { return piecesUnsent == 0 ? sayFarewell() : waitForReader() }
        perform(session.wrote(bytes, at: shell.now()))
        settle()
    }

    private func timerFired() {
        timer = nil
        perform(session.tick(at: shell.now()))
        settle()
    }

    // MARK: Actions

    private func perform(_ actions: [SessionAction]) {
        for action in actions {
            switch action {
            case .send(let bytes): output += bytes
            case .perform(let number, let request): submit(number, request)
            case .pauseReading: isReading = false
            case .resumeReading:
                isReading = true
                context?.read()
            case .close: close()
            case .cutOff: close(cutsOff: true)
            }
        }
    }

    private func submit(_ number: RequestNumber, _ request: SessionRequest) {
        guard let mailbox else { return }
        shell.submit(session.identity, request) { reply in mailbox.put(number, reply) }
    }

    /// Ends an event: everything that it wants to say leaves in one flush, and the timer follows the session.
    private func settle() {
        flush()
        guard !isClosing else { return }
        setTimer()
    }

    private func flush() {
        guard let context, !output.isEmpty else { return }
        let loop = context.eventLoop
        let me = NIOLoopBound(self, eventLoop: loop)
        var rest = output[...]
        output = []
        while !rest.isEmpty {
            let piece = rest.prefix(Self.pieceBytes)
            rest = rest.dropFirst(Self.pieceBytes)
            let bytes = piece.count
            piecesUnsent += 1
            let written = loop.makePromise(of: Void.self)
            written.futureResult.whenSuccess { me.value.wrote(bytes) }
            context.write(wrapOutboundOut(context.channel.allocator.buffer(bytes: piece)), promise: written)
        }
        context.flush()
    }

    /// Ends the connection once what was said has left, however slowly the peer reads, as long as it does.
    ///
    /// - Parameter cutsOff: whether what has not left by the farewell's end is given up.
    private func close(cutsOff: Bool = false) {
        guard let context, !isClosing else { return }
        isClosing = true
        flush()
        if cutsOff || piecesUnsent == 0 { sayFarewell() } else { waitForReader() }
        context.read()
    }

    /// Gives the peer the time that a silent reader has, anew with each piece; before the end of a handshake, only what is left of the
    /// time to sign in.
    private func waitForReader() {
        let limits = shell.settings.limits
        guard isEncrypted, !hasWritten else { return closeLater(limits.writeIdle) }
        closeLater(max(.zero, limits.authentication - .nanoseconds((NIODeadline.now() - openedAt).nanoseconds)))
    }

    private func sayFarewell() {
        guard let context else { return }
        let me = NIOLoopBound(self, eventLoop: context.eventLoop)
        // Ordered after the writes; then the peer sees the end of the stream and closes in its turn.
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).whenComplete { _ in
            me.value.context?.close(mode: .output, promise: nil)
        }
        closeLater(shell.settings.limits.farewell)
    }

    private func closeLater(_ delay: Duration) {
        guard let context else { return }
        timer?.scheduled.cancel()
        let me = NIOLoopBound(self, eventLoop: context.eventLoop)
        let (seconds, attoseconds) = delay.components
        let amount = TimeAmount.nanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
        timer = (.zero, context.eventLoop.scheduleTask(in: amount) { me.value.context?.close(promise: nil) })
    }

    /// One timer, armed for the nearest deadline; a deadline that only moves away is looked at when the timer fires.
    private func setTimer() {
        guard let context, let deadline = session.nextDeadline else { return }
        if let timer, timer.deadline <= deadline { return }
        timer?.scheduled.cancel()
        let (seconds, attoseconds) = deadline.components
        let instant = NIODeadline.uptimeNanoseconds(UInt64(seconds * 1_000_000_000 + attoseconds / 1_000_000_000))
        let me = NIOLoopBound(self, eventLoop: context.eventLoop)
        timer = (deadline, context.eventLoop.scheduleTask(deadline: instant) { me.value.timerFired() })
    }
}

/// Carries replies from the engine's threads to the connection, many in one hop.
final class ReplyMailbox: Sendable {
    private let handler: NIOLoopBound<AgentServerHandler>
    private let loop: any EventLoop
    /// `nil` once the connection is gone: what comes later has nobody to go to, and the loop may have ended.
    private let waiting = Mutex<[(RequestNumber, Reply)]?>([])

    init(_ handler: AgentServerHandler, on loop: any EventLoop) {
        self.handler = NIOLoopBound(handler, eventLoop: loop)
        self.loop = loop
    }

    func put(_ number: RequestNumber, _ reply: Reply) {
        let isFirst = waiting.withLock {
            $0?.append((number, reply))
            return $0?.count == 1
        }
        guard isFirst else { return }
        loop.execute {
            let replies = self.waiting.withLock { waiting in
                defer { if waiting != nil { waiting = [] } }
                return waiting ?? []
            }
            self.handler.value.completed(replies)
        }
    }

    func drain() {
        loop.execute { self.handler.value.drain() }
    }

    func keyEnded() {
        guard waiting.withLock({ $0 != nil }) else { return }
        loop.execute { self.handler.value.keyEnded() }
    }

    func push(_ pushes: [Push]) {
        guard waiting.withLock({ $0 != nil }) else { return }
        loop.execute { self.handler.value.push(pushes) }
    }

    func close() { waiting.withLock { $0 = nil } }
}

/// A connection as others see it.
struct SessionHandle: Sendable {
    fileprivate let mailbox: ReplyMailbox
    func drain() { mailbox.drain() }
    func push(_ pushes: [Push]) { mailbox.push(pushes) }
    func keyEnded() { mailbox.keyEnded() }
}
