// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// The client's end of one connection: queues requests, matches replies to them. Lives on its event loop.
final class AgentConnectionHandler: ChannelInboundHandler {
    /// One line each, as ``LineDecoder`` cuts them.
    typealias InboundIn = [UInt8]
    typealias OutboundOut = ByteBuffer

    /// Replies may be as long as the server likes; this only bounds what a broken server can make us keep.
    static let lineMax = 65_536
    /// More data lines than any reply has.
    private static let dataLinesMax = 65_536

    let greeted: EventLoopPromise<ReplyFields>
    private let settings: AgentConnectionSettings
    private let pushed: UnreadQueue<ClientPush>
    private var context: ChannelHandlerContext?
    private var isGreeted = false
    private var window = 1
    private var keepAlive: TimeAmount = .seconds(10)
    private var latestTag: UInt64 = 0
    private var queue = CircularBuffer<(AgentRequest, BatchPlace?)>()
    private var inFlight: [Tag: Pending] = [:]
    private var output: [UInt8] = []
    private var isFlushScheduled = false
    private var failure: AgentConnectionError?
    /// From when the greeting has its time; `nil` while the connection itself is made, which has a time of its own.
    private var openedAt: NIODeadline?
    private var sentAt = NIODeadline.now()
    /// Why it ended, or that it did not.
    var ending: String { failure.map { "\($0)" } ?? "the connection works" }
    private var watch: Scheduled<Void>?

    init(_ settings: AgentConnectionSettings, pushed: UnreadQueue<ClientPush>, on loop: any EventLoop) {
        self.settings = settings
        self.pushed = pushed
        self.greeted = loop.makePromise(of: ReplyFields.self)
    }

    // MARK: Sending

    func send(_ requests: [AgentRequest], _ promise: EventLoopPromise<[Result<ClientReply, LostRequest>]>) {
        if let failure {
            return promise.succeed(requests.map { _ in .failure(LostRequest(error: failure, wasSent: false)) })
        }
        let batch = Batch(promise, count: requests.count)
        for (index, request) in requests.enumerated() {
            queue.append((request, BatchPlace(batch: batch, index: index)))
        }
        startWaiting()
        scheduleFlush()
    }

    private func startWaiting() {
        while inFlight.count < window, let (request, place) = queue.popFirst() {
            latestTag += 1
            let tag = Tag(number: latestTag)
            inFlight[tag] = Pending(place: place, sentAt: .now())
            let start = output.count
            request.write(tag, to: &output)
            settings.transcript?(">", String(decoding: output[start..<output.count - 1], as: UTF8.self))
        }
    }

    /// Tasks send one by one; what they send within one turn of the loop leaves together.
    private func scheduleFlush() {
        guard !output.isEmpty, !isFlushScheduled, let context else { return }
        isFlushScheduled = true
        let me = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.execute { me.value.flush() }
    }

    private func flush() {
        isFlushScheduled = false
        guard let context, !output.isEmpty else { return }
        sentAt = .now()
        context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(bytes: output)), promise: nil)
        output = []
    }

    // MARK: The channel's events

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        watchOver()
    }

    func channelActive(context: ChannelHandlerContext) { openedAt = .now() }

    func handlerRemoved(context: ChannelHandlerContext) { fail(.closed) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard failure == nil else { return }
        let line = unwrapInboundIn(data)
        do {
            settings.transcript?("<", String(decoding: line, as: UTF8.self))
            try take(line[...])
        } catch let error as AgentConnectionError {
            fail(error)
        } catch {
            fail(.protocolViolation(String(describing: error)))
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        startWaiting()
        flush()
    }

    func channelInactive(context: ChannelHandlerContext) { fail(.closed) }
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if error is FramingError { return fail(.protocolViolation(String(describing: error))) }
        // A certificate that is not believed, among others.
        let reason = AgentConnectionError.reason(error)
        fail(isGreeted ? .closed : .cannotConnect(host: settings.host, port: settings.port, reason: reason))
    }

    // MARK: Lines

    private func take(_ line: ArraySlice<UInt8>) throws {
        var scanner = FieldScanner(line)
        let first = try scanner.word()
        let kind = String(decoding: try scanner.word(), as: UTF8.self)
        if first.elementsEqual("*".utf8) { return try takeUntagged(kind, scanner) }
        guard let tag = Tag(first), let pending = inFlight[tag] else {
            throw AgentConnectionError.protocolViolation("a reply to no request")
        }
        if kind == "-" {
            guard pending.data.count < Self.dataLinesMax else {
                throw AgentConnectionError.protocolViolation("a reply without an end")
            }
            pending.data.append(try ReplyFields(scanner))
            return
        }
        let code = kind == "NO" ? String(decoding: try scanner.word(), as: UTF8.self) : ""
        guard kind == "OK" || kind == "NO" else { throw AgentConnectionError.protocolViolation("\(kind) after a tag") }
        // Read before it is taken out: what cannot be read is no reply, and its request is lost with the connection.
        let reply = ClientReply(
            data: pending.data, isOK: kind == "OK", codeText: code, fields: try ReplyFields(scanner))
        inFlight[tag] = nil
        pending.place?.fill(.success(reply))
    }

    private func takeUntagged(_ kind: String, _ scanner: FieldScanner) throws {
        var scanner = scanner
        switch kind {
        case "REPARTO":
            let greeting = try ReplyFields(scanner)
            isGreeted = true
            window = Int(greeting.number("window") ?? 1)
            // Well before the server thinks that nobody is there.
            keepAlive = .seconds(max(1, (greeting.number("idle") ?? 30) / 3))
            greeted.succeed(greeting)
        case "NO":
            fail(.ended(code: String(decoding: try scanner.word(), as: UTF8.self)))
        default:
            pushed.yield(ClientPush(name: kind, fields: try ReplyFields(scanner)))
        }
    }

    // MARK: Time and the end

    /// Looks once a second for a greeting or a reply that does not come, and keeps a quiet session alive.
    private func watchOver() {
        guard let context, failure == nil else { return }
        let now = NIODeadline.now()
        let timeout = TimeAmount(settings.replyTimeout)
        if !isGreeted, let openedAt, openedAt + TimeAmount(settings.connectTimeout) <= now { return fail(.noGreeting) }
        if inFlight.values.contains(where: { $0.sentAt + timeout <= now }) { return fail(.replyTimeout) }
        if isGreeted, inFlight.isEmpty, sentAt + keepAlive <= now {
            queue.append((.ping, nil))
            startWaiting()
            flush()
        }
        let me = NIOLoopBound(self, eventLoop: context.eventLoop)
        watch = context.eventLoop.scheduleTask(in: .seconds(1)) { me.value.watchOver() }
    }

    private func fail(_ error: AgentConnectionError) {
        guard failure == nil else { return }
        failure = error
        watch?.cancel()
        watch = nil
        greeted.fail(error)
        let sent = inFlight.values.compactMap(\.place)
        let waiting = queue.compactMap(\.1)
        inFlight = [:]
        queue.removeAll()
        for place in sent { place.fill(.failure(LostRequest(error: error, wasSent: true))) }
        for place in waiting { place.fill(.failure(LostRequest(error: error, wasSent: false))) }
        pushed.finish()
        context?.close(promise: nil)
        context = nil
    }
}

/// A request that waits for its reply; without a place nobody wants to know.
private final class Pending {
    let place: BatchPlace?
    let sentAt: NIODeadline
    var data: [ReplyFields] = []

    init(place: BatchPlace?, sentAt: NIODeadline) {
        self.place = place
        self.sentAt = sentAt
    }
}

/// Where in a batch a reply belongs.
private struct BatchPlace {
    let batch: Batch
    let index: Int

    func fill(_ end: Result<ClientReply, LostRequest>) { batch.fill(index, end) }
}

/// Requests that were sent together; who sent them waits for the last of them, and each has its own end.
private final class Batch {
    private let promise: EventLoopPromise<[Result<ClientReply, LostRequest>]>
    private var ends: [Result<ClientReply, LostRequest>?]
    private var missing: Int

    init(_ promise: EventLoopPromise<[Result<ClientReply, LostRequest>]>, count: Int) {
        self.promise = promise
        self.ends = Array(repeating: nil, count: count)
        self.missing = count
    }

    func fill(_ index: Int, _ end: Result<ClientReply, LostRequest>) {
        ends[index] = end
        missing -= 1
        if missing == 0 { promise.succeed(ends.compactMap(\.self)) }
    }
}
