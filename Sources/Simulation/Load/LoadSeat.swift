// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
internal import Assignment
internal import NIOCore

/// One installation of an agency in the load: pulls and reports without end, over one connection after the other. Lives on one event
/// loop.
///
/// What a lost connection left unanswered is sent again with its own keys over the next one, and its time runs on meanwhile.
/// Reads no more of a line than it must: the load shares the machine with what it measures.
final class LoadSeat {
    /// A pull, from the moment when it was due until it brings something.
    private struct Pull {
        let due: NIODeadline
        var line = ByteBuffer()
        /// Sent, and neither answered nor lost.
        var isOut = false
    }

    /// What is asked and reported of one pull's accounts, which travels together.
    private struct Burst {
        enum State { case out, answered, due }
        /// The first so many ask for contact data; the others are reports.
        var asks = 0
        /// When it was due: of an open loop, when its pull was answered, whatever held it up since; else when it was sent.
        var dueAt = NIODeadline.now()
        var lines = ByteBuffer()
        var ends: [Int] = []
        var states: [State] = []
        var open = 0
    }

    private static let reconnectDelays: [TimeAmount] = [
        .milliseconds(50), .milliseconds(200), .seconds(1), .seconds(2),
    ]
    /// Where a refusal names no time.
    private static let retryDelay = TimeAmount.milliseconds(100)

    let number: Int
    private let worker: LoadWorker
    private let leaseSizes: LoadMix
    private let reportsPerAccount: LoadMix
    private let contactPercent: Int
    private let isPaired: Bool
    private var identity: LoadIdentity
    private var random: SplitMix64
    private var connection: LoadConnection?
    /// Whether a connection is being made.
    private var isComing = false
    /// Where it is made to.
    private var place = ""
    private var attempts = 0
    private var failures = 0
    /// The pools that still have accounts; the first one is pulled from.
    private var pools: [LoadPool]
    private var key: Int64
    private var pull: Pull?
    private var burst = Burst()
    /// `account=… epoch=…` of what was leased and not reported yet, one after the other.
    private var leased = ByteBuffer()
    private var leasedFrom: LoadPool?
    private var leasedEnds: [Int] = []
    private var leasedAt = NIODeadline.now()
    /// Arrivals of the open loop that wait for the pull before them.
    private var arrivals = CircularBuffer<NIODeadline>()
    private(set) var isDry = false

    init(_ identity: LoadIdentity, pools: [LoadPool], settings: LoadSettings, number: Int, worker: LoadWorker) {
        self.identity = identity
        self.pools = pools
        self.number = number
        self.worker = worker
        leaseSizes = settings.leaseSizes
        reportsPerAccount = settings.reportsPerAccount
        contactPercent = settings.contactPercent
        isPaired = settings.isPaired
        random = SplitMix64(seed: settings.seed, 0x10AD, number)
        key = identity.sequence
    }

    var isSignedIn: Bool { connection != nil }

    /// Pulls that were due and have brought nothing yet.
    var waiting: Int { arrivals.count + (pull == nil ? 0 : 1) }
    /// Requests that were sent, on whatever connection, and have no answer.
    var unanswered: Int { burst.open + (pull.map { $0.line.readableBytes > 0 ? 1 : 0 } ?? 0) }
    /// Whether reports are under way, or wait for those before them.
    var isReporting: Bool { burst.open > 0 || hasReportsDue }
    private var hasReportsDue: Bool {
        pull == nil && !leasedEnds.isEmpty && worker.mayReport(since: leasedAt, waiting: arrivals.count)
    }

    // MARK: Connections

    /// Who signs in over the next connection, and where; each time with a higher sequence, as the protocol wants it.
    ///
    /// - Parameter addresses: of the nodes; each attempt goes to the next one.
    func next(of addresses: [LoadAddress]) -> (LoadIdentity, LoadAddress) {
        identity.sequence = max(identity.sequence + 1, LoadRun.nowMicroseconds())
        let address = addresses[(number + attempts) % addresses.count]
        place = "\(address)"
        attempts += 1
        isComing = true
        return (identity, address)
    }

    func ready(_ connection: LoadConnection) {
        self.connection = connection
        isComing = false
        failures = 0
        worker.signedIn()
        guard worker.isRunning else { return }
        resumePull()
        resumeBurst()
        goOn()
        connection.flush()
    }

    /// - Parameter connection: `nil`: there was none yet.
    func lost(_ reason: String, of connection: LoadConnection?) {
        guard isComing || (connection != nil && self.connection === connection) else { return }
        isComing = false
        self.connection = nil
        pull?.isOut = false
        for index in burst.states.indices where burst.states[index] == .out {
            // A question has no key: asked again, the data would be told twice. It has waited so long at least.
            if index < burst.asks {
                worker.disclosed(since: burst.dueAt)
                burst.states[index] = .answered
                burst.open -= 1
            } else {
                burst.states[index] = .due
            }
        }
        worker.lost(
            LoadLoss(
                reason: connection == nil ? LoadReport.notMade + reason : reason, address: connection?.place ?? place))
        guard worker.isRunning else { return }
        let delay = Self.reconnectDelays[min(failures, Self.reconnectDelays.count - 1)]
        failures += 1
        worker.after(delay) { [self] in if worker.isRunning { worker.connect(self) } }
    }

    func ping(at now: NIODeadline) { connection?.ping(at: now) }

    func close() {
        connection?.close()
        connection = nil
    }

    // MARK: Arrivals

    /// A pull is due, of an open loop.
    func arrive(at due: NIODeadline) {
        arrivals.append(due)
        goOn()
        connection?.flush()
    }

    /// The first pull of a closed loop; later ones follow by themselves.
    func start() {
        goOn()
        connection?.flush()
    }

    /// Hands over what waits and cannot be served here any more.
    private func ranDry() {
        if !isDry { worker.dried(identity.agency) }
        isDry = true
        if let pull { worker.handOver(pull.due) }
        pull = nil
        while let due = arrivals.popFirst() { worker.handOver(due) }
    }

    /// The time is over: what still waits is counted with the time that it has waited so far.
    func giveUp(at now: NIODeadline) {
        if pull == nil, !leasedEnds.isEmpty, worker.owesReports(since: leasedAt) {
            for _ in 0..<leasedEnds.count * reportsPerAccount.draw(&random) {
                worker.reportStillWaiting(since: leasedAt, at: now, isContact: false)
            }
        }
        if let pull { worker.stillWaiting(since: pull.due, at: now, wasSent: pull.line.readableBytes > 0) }
        pull = nil
        while let due = arrivals.popFirst() { worker.stillWaiting(since: due, at: now, wasSent: false) }
        for index in burst.states.indices where burst.states[index] != .answered {
            worker.reportStillWaiting(since: burst.dueAt, at: now, isContact: index < burst.asks)
        }
        burst = Burst()
    }

    // MARK: Reading

    /// Tags are `l` for a pull and `r` with a number for a report.
    func take(_ line: UnsafeRawBufferPointer) {
        guard let space = line.firstIndex(of: 0x20), space + 1 < line.count else {
            return connection?.end("short reply") ?? ()
        }
        let kind = line[space + 1]
        switch (line[0], kind) {
        case (0x6C, 0x2D): leasedAccount(line, from: space + 3)
        case (0x6C, 0x4F): granted(line)
        case (0x6C, 0x4E): pullRefused(line)
        case (0x72, _):
            var index = 0
            // A line of what was asked for.
            if kind == 0x2D { return }
            for byte in line[1..<space] { index = index * 10 + Int(byte &- 0x30) }
            guard burst.states.indices.contains(index) else { return connection?.end("unknown tag") ?? () }
            reported(index, kind == 0x4E ? refusal(line, of: index < burst.asks ? "CONTACT" : "REPORT") : nil)
        default: break
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

    private func granted(_ line: UnsafeRawBufferPointer) {
        guard let asked = pull else { return }
        worker.answered()
        let count = leasedEnds.count
        leasedAt = .now()
        if count > 0 { worker.pulled(count, since: asked.due) } else { worker.emptyPull() }
        pull = nil
        if line.ends("stop=limit") || line.ends("stop=hand") {
            // The pool goes on.
        } else if line.contains("stop=paused") {
            if count == 0 { return pullAgain(asked.due, after: Self.delay(line) ?? Self.retryDelay) }
        } else {
            pools.removeFirst()
        }
        if count == 0 { arrivals.prepend(asked.due) }
        if burst.open == 0 { goOn() }
    }

    private func pullRefused(_ line: UnsafeRawBufferPointer) {
        guard let asked = pull else { return }
        worker.answered()
        let words = refusal(line, of: "LEASE")
        if words.contains("class=retry") {
            pull?.isOut = false
            return worker.after(Self.delay(line) ?? Self.retryDelay) { [self] in
                resumePull()
                connection?.flush()
            }
        }
        pull = nil
        pools.removeFirst()
        arrivals.prepend(asked.due)
        if burst.open == 0 { goOn() }
    }

    /// A new pull for what was due then, with a key of its own.
    private func pullAgain(_ due: NIODeadline, after delay: TimeAmount) {
        pull = Pull(due: due)
        worker.after(delay) { [self] in
            guard pull?.due == due, pull?.isOut == false, pull?.line.readableBytes == 0 else { return }
            pull = nil
            arrivals.prepend(due)
            goOn()
            connection?.flush()
        }
    }

    /// - Parameter refusal: its words.
    private func reported(_ index: Int, _ refusal: [Substring]?) {
        guard burst.states[index] != .answered else { return }
        worker.answered()
        if let refusal, refusal.contains("class=retry") {
            burst.states[index] = .due
            let seconds = refusal.first { $0.hasPrefix("after=") }.flatMap { Int64($0.dropFirst(6)) }
            return worker.after(seconds.map { .seconds($0) } ?? Self.retryDelay) { [self] in
                resumeBurst()
                connection?.flush()
            }
        }
        burst.states[index] = .answered
        burst.open -= 1
        if refusal == nil {
            if index < burst.asks { worker.disclosed(since: burst.dueAt) } else { worker.reported(since: burst.dueAt) }
        } else if index >= burst.asks {
            worker.reportRefused(since: burst.dueAt)
        }
        if burst.open == 0 { goOn() }
    }

    private func refusal(_ line: UnsafeRawBufferPointer, of verb: String) -> [Substring] {
        let words = String(decoding: line, as: UTF8.self).split(separator: " ")
        let code = words.count > 2 ? words[2] : "?"
        if verb == "CONTACT", code == ReplyCode.unsupported.rawValue, let connection {
            worker.unserved(at: connection.place)
        } else {
            worker.refused("\(verb) \(code)")
        }
        return words
    }

    /// What `after=` says.
    private static func delay(_ line: UnsafeRawBufferPointer) -> TimeAmount? {
        String(decoding: line, as: UTF8.self).split(separator: " ").first { $0.hasPrefix("after=") }
            .flatMap { Int64($0.dropFirst(6)) }.map { .seconds($0) }
    }

    // MARK: Writing

    /// Both halves of the last exchange are over: reports what came, and pulls again when it is time.
    private func goOn() {
        guard connection != nil, pull == nil, burst.open == 0 else { return }
        // What its pull has made due is reported, also where the time is over meanwhile.
        if hasReportsDue { report() }
        guard worker.mayPull(waiting: arrivals.count), isPaired || burst.open == 0 else { return }
        if worker.isOpenLoop {
            guard let due = arrivals.popFirst() else { return }
            pull = Pull(due: due)
        } else {
            pull = Pull(due: arrivals.popFirst() ?? .now())
        }
        guard let pool = pools.first else { return ranDry() }
        key += 1
        leasedFrom = pool
        pull?.line.writeString(
            "l LEASE key=\(key) delegation=\(pool.delegation) strategy=\(pool.strategy.name) contract=\(pool.contract) max=\(leaseSizes.draw(&random))\n"
        )
        resumePull()
    }

    /// Sends the pull that is due, the first time or again.
    private func resumePull() {
        guard let connection, let line = pull?.line, line.readableBytes > 0, pull?.isOut == false else { return }
        // What a lost connection brought of its answer comes again whole.
        leased.clear()
        leasedEnds.removeAll(keepingCapacity: true)
        connection.output.writeImmutableBuffer(line)
        pull?.isOut = true
    }

    private func report() {
        let at = worker.workedAt()
        let delegation = leasedFrom?.delegation.description ?? ""
        let times = reportsPerAccount.draw(&random)
        burst.lines.clear()
        burst.ends.removeAll(keepingCapacity: true)
        burst.states.removeAll(keepingCapacity: true)
        func write(_ verb: String, _ account: Range<Int>, _ rest: String) {
            burst.lines.writeString("r\(burst.ends.count) \(verb) delegation=\(delegation) ")
            if let bytes = leased.viewBytes(at: account.lowerBound, length: account.count) {
                burst.lines.writeBytes(bytes)
            }
            burst.lines.writeString(rest)
            burst.ends.append(burst.lines.writerIndex)
            burst.states.append(.due)
        }
        let accounts = zip([leased.readerIndex] + leasedEnds, leasedEnds).map { $0..<$1 }
        // Who asks for nothing draws nothing, so that the load is the one of a seed without it.
        if contactPercent > 0, let connection, worker.servesContacts(at: connection.place) {
            for account in accounts where random.below(100) < contactPercent { write("CONTACT", account, "\n") }
        }
        burst.asks = burst.ends.count
        for account in accounts {
            for _ in 0..<times {
                key += 1
                write("REPORT key=\(key)", account, " at=\(at) channel=phone-out contact=none result=no-answer\n")
            }
        }
        burst.open = burst.ends.count
        burst.dueAt = worker.isOpenLoop ? leasedAt : .now()
        leased.clear()
        leasedEnds.removeAll(keepingCapacity: true)
        resumeBurst()
    }

    /// Sends the reports that are due, the first time or again.
    private func resumeBurst() {
        guard let connection, burst.open > 0 else { return }
        var start = burst.lines.readerIndex
        for (index, end) in burst.ends.enumerated() {
            if burst.states[index] == .due {
                if let bytes = burst.lines.viewBytes(at: start, length: end - start) {
                    connection.output.writeBytes(bytes)
                }
                burst.states[index] = .out
            }
            start = end
        }
    }
}

extension UnsafeRawBufferPointer {
    fileprivate func ends(_ text: StaticString) -> Bool {
        text.withUTF8Buffer { suffix(text.utf8CodeUnitCount).elementsEqual($0) }
    }

    fileprivate func contains(_ text: String) -> Bool { String(decoding: self, as: UTF8.self).contains(text) }
}
