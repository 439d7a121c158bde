// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
internal import Assignment
internal import NIOCore

/// One connection of the load: signs in, then pulls and reports without end. Lives on its event loop.
///
/// Reads no more of a line than it must: the load shares the machine with what it measures.
final class LoadConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum Phase { case greeting, admission, ready, over }

    private let identity: LoadIdentity
    private let leaseSizes: LoadMix
    private let reportsPerAccount: LoadMix
    private var random: SplitMix64
    private let isPaired: Bool
    private let worker: LoadWorker
    private var phase = Phase.greeting
    private var context: ChannelHandlerContext?
    private var input = ByteBuffer()
    private var output = ByteBuffer()
    /// The pools that still have accounts; the first one is pulled from.
    private var pools: [LoadPool]
    private var key: Int64
    private var leaseDue = NIODeadline.now()
    private var isLeasing = false
    private var reportsSentAt = NIODeadline.now()
    private var reportsOut = 0
    /// `account=… epoch=…` of what was leased and not reported yet, one after the other.
    private var leased = ByteBuffer()
    private var leasedFrom: LoadPool?
    private var leasedEnds: [Int] = []
    /// Arrivals of the open loop that have not been served.
    private var arrivals = CircularBuffer<NIODeadline>()

    init(_ identity: LoadIdentity, pools: [LoadPool], settings: LoadSettings, number: Int, worker: LoadWorker) {
        self.identity = identity
        self.pools = pools
        self.leaseSizes = settings.leaseSizes
        self.reportsPerAccount = settings.reportsPerAccount
        self.isPaired = settings.isPaired
        self.random = SplitMix64(seed: 7, 0x10AD, number)
        self.worker = worker
        self.key = identity.sequence
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func channelInactive(context: ChannelHandlerContext) { end("closed") }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { end("network error") }

    /// A pull is due, of an open loop.
    func arrive(at due: NIODeadline) {
        arrivals.append(due)
        goOn()
        flush()
    }

    /// The first pull of a closed loop; later ones follow by themselves.
    func start() {
        leaseDue = .now()
        pull()
        flush()
    }

    // MARK: Reading

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

    func channelReadComplete(context: ChannelHandlerContext) { flush() }

    private func take(_ line: UnsafeRawBufferPointer) {
        guard line.count > 3 else { return end("short line") }
        switch phase {
        case .greeting: signIn(String(decoding: line, as: UTF8.self))
        case .admission: admitted(String(decoding: line, as: UTF8.self))
        case .ready: reply(line)
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
        output.writeBytes(lines)
        phase = .admission
    }

    private func admitted(_ line: String) {
        if line.hasPrefix("h1 OK") { return }
        guard line.hasPrefix("h2 OK") else { return end(line.split(separator: " ").dropFirst().joined(separator: " ")) }
        phase = .ready
        worker.ready()
    }

    /// Tags are `l` for a pull and `r` for a report.
    private func reply(_ line: UnsafeRawBufferPointer) {
        guard let space = line.firstIndex(of: 0x20), space + 1 < line.count else { return end("short reply") }
        let kind = line[space + 1]
        switch (line[0], kind) {
        case (0x6C, 0x2D): leasedAccount(line, from: space + 3)
        case (0x6C, 0x4F): leaseEnded(isPoolDone: !line.ends("stop=limit") && !line.ends("stop=hand"))
        case (0x6C, 0x4E):
            let words = refusal(line, of: "LEASE")
            leaseEnded(isPoolDone: !words.contains("class=retry"))
        case (0x72, _):
            if kind == 0x4E { _ = refusal(line, of: "REPORT") }
            reportEnded(isRefused: kind == 0x4E)
        default:
            // Pushes are of no interest; the end of the session is.
            if kind == 0x4E { end(String(decoding: line, as: UTF8.self)) }
        }
    }

    /// Keeps `account=… epoch=…`, which the reply begins with and a report quotes.
    private func leasedAccount(_ line: UnsafeRawBufferPointer, from start: Int) {
        var end = start
        var spaces = 0
        while end < line.count {
            if line[end] == 0x20 {
                spaces += 1
                if spaces == 2 { break }
            }
            end += 1
        }
        leased.writeBytes(UnsafeRawBufferPointer(rebasing: line[start..<end]))
        leasedEnds.append(leased.writerIndex)
    }

    private func leaseEnded(isPoolDone: Bool) {
        isLeasing = false
        let granted = leasedEnds.count
        if worker.isMeasuring, granted > 0 {
            worker.tally.lease(microseconds: (.now() - leaseDue).nanoseconds / 1_000)
            worker.tally.leasedAccounts += Int64(granted)
        }
        if granted == 0, worker.isMeasuring { worker.tally.emptyPulls += 1 }
        if isPoolDone { pools.removeFirst() }
        if reportsOut == 0 { goOn() }
    }

    private func reportEnded(isRefused: Bool) {
        reportsOut -= 1
        if worker.isMeasuring, !isRefused {
            worker.tally.report(microseconds: (.now() - reportsSentAt).nanoseconds / 1_000)
        }
        if reportsOut == 0, !isLeasing { goOn() }
    }

    private func refusal(_ line: UnsafeRawBufferPointer, of verb: String) -> [Substring] {
        let words = String(decoding: line, as: UTF8.self).split(separator: " ")
        worker.tally.refusals["\(verb) \(words.count > 2 ? words[2] : "?")", default: 0] += 1
        return words
    }

    // MARK: Writing

    /// Both halves of the last exchange are over: reports what came, and pulls again when it is time.
    private func goOn() {
        guard phase == .ready, !isLeasing, reportsOut == 0, !worker.isStopping else { return }
        if !leasedEnds.isEmpty { report() }
        let hasReports = reportsOut > 0
        guard isPaired || !hasReports else { return }
        if worker.isOpenLoop {
            guard let due = arrivals.popFirst() else { return }
            leaseDue = due
        } else {
            leaseDue = .now()
        }
        pull()
    }

    private func pull() {
        guard let pool = pools.first else { return worker.ranDry() }
        key += 1
        isLeasing = true
        leasedFrom = pool
        output.writeString(
            "l LEASE key=\(key) delegation=\(pool.delegation) strategy=\(pool.strategy.name) contract=\(pool.contract) max=\(leaseSizes.draw(&random))\n"
        )
    }

    private func report() {
        let at = worker.workedAt()
        var start = leased.readerIndex
        reportsSentAt = .now()
        let delegation = leasedFrom?.delegation.description ?? ""
        let times = reportsPerAccount.draw(&random)
        for end in leasedEnds {
            for _ in 0..<times {
                key += 1
                output.writeString("r\(reportsOut) REPORT key=\(key) delegation=\(delegation) ")
                if let bytes = leased.viewBytes(at: start, length: end - start) { output.writeBytes(bytes) }
                output.writeString(" at=\(at) channel=phone-out contact=none result=no-answer\n")
                reportsOut += 1
            }
            start = end
        }
        leased.clear()
        leasedEnds.removeAll(keepingCapacity: true)
    }

    private func flush() {
        guard output.readableBytes > 0, let context else { return }
        context.writeAndFlush(wrapOutboundOut(output), promise: nil)
        output = context.channel.allocator.buffer(capacity: 4_096)
    }

    /// Keeps a session alive that does nothing else; the answer is of no interest.
    func ping() {
        guard phase == .ready else { return }
        output.writeStaticString("p PING\n")
        flush()
    }

    func close() { end(nil) }

    private func end(_ reason: String?) {
        guard phase != .over else { return }
        phase = .over
        if let reason, !worker.isStopping { worker.lost(reason) }
        context?.close(promise: nil)
        context = nil
    }
}

extension UnsafeRawBufferPointer {
    fileprivate func ends(_ text: StaticString) -> Bool {
        text.withUTF8Buffer { suffix(text.utf8CodeUnitCount).elementsEqual($0) }
    }
}
