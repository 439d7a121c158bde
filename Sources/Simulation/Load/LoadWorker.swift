// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
internal import Assignment
internal import NIOCore

/// What the seats of one event loop share. Touched on that loop only.
final class LoadWorker {
    private enum Phase: Int { case connecting, warmingUp, measuring, draining, ending, over }

    let isOpenLoop: Bool
    private(set) var tally = LoadTally()
    private(set) var signedInCount = 0
    private var dried: [(agency: AgencyID, at: NIODeadline)] = []
    private var phase = Phase.connecting
    private var seats: [LoadSeat] = []
    /// Pulls that were due from here on count, to the end of the measurement.
    private var measuredFrom = NIODeadline.distantFuture
    private var measuredUntil = NIODeadline.distantFuture
    private let clock: LoadClock
    private let loop: any EventLoop
    private let connector: LoadConnector
    private let closedContacts: ClosedContacts

    /// - Parameter closedContacts: shared by all workers of a load.
    init(
        isOpenLoop: Bool, clock: LoadClock, loop: any EventLoop, connector: LoadConnector,
        closedContacts: ClosedContacts
    ) {
        self.isOpenLoop = isOpenLoop
        self.clock = clock
        self.loop = loop
        self.connector = connector
        self.closedContacts = closedContacts
    }

    /// Whether a connection that is lost is made again.
    var isRunning: Bool { phase != .connecting && phase != .over }
    /// Seats that have nothing left to pull.
    var dryCount: Int { seats.count(where: \.isDry) }
    /// What is waited for when the time is over: requests that were sent and are not answered.
    var unansweredCount: Int { seats.reduce(0) { $0 + $1.unanswered } }
    /// Pulls that are due and have brought nothing yet.
    var waitingCount: Int { seats.reduce(0) { $0 + $1.waiting } }
    var isReporting: Bool { seats.contains(where: \.isReporting) }

    func after(_ delay: TimeAmount, _ work: @escaping () -> Void) {
        loop.assumeIsolated().scheduleTask(in: delay, work)
    }

    // MARK: Seats

    /// Takes a seat in and lets it sign in.
    func add(_ seat: LoadSeat) -> EventLoopFuture<Void> {
        seats.append(seat)
        return connector.connect(seat, on: loop)
    }

    func connect(_ seat: LoadSeat) {
        let bound = NIOLoopBound(seat, eventLoop: loop)
        connector.connect(seat, on: loop).whenFailure { error in
            bound.value.lost(AgentConnectionError.reason(error), of: nil)
        }
    }

    func signedIn() { signedInCount += 1 }

    func lost(_ loss: LoadLoss) {
        if phase != .over { tally.lost[loss, default: 0] += 1 }
    }

    /// Gives up the seats that the daemon has no room for.
    ///
    /// - Returns: how many there were.
    func leaveOut(refusedBy word: String) -> Int64 {
        let refused = tally.lost.filter { $0.key.reason.contains(word) }
        for loss in refused.keys { tally.lost[loss] = nil }
        seats.removeAll { !$0.isSignedIn }
        return refused.values.reduce(0, +)
    }

    // MARK: The run

    func workedAt() -> String { clock.now() }

    func start() {
        phase = .warmingUp
        if !isOpenLoop { for seat in seats { seat.start() } }
    }

    /// One arrival, for the seat whose turn it is.
    func arrive(_ number: Int, at due: NIODeadline) {
        guard !seats.isEmpty, phase.rawValue < Phase.draining.rawValue else { return }
        if isMeasured(due) { tally.due += 1 }
        give(due, from: number % seats.count)
    }

    /// A seat has nothing left that it could pull.
    func dried(_ agency: AgencyID) {
        if phase.rawValue < Phase.draining.rawValue { dried.append((agency, .now())) }
    }

    /// What a seat had to serve and has no accounts for goes to one that has.
    func handOver(_ due: NIODeadline) {
        if isOpenLoop { give(due, from: 0) }
    }

    private func give(_ due: NIODeadline, from first: Int) {
        for step in seats.indices {
            let seat = seats[(first + step) % seats.count]
            if !seat.isDry { return seat.arrive(at: due) }
        }
        if isMeasured(due) { tally.dry += 1 }
    }

    /// - Parameter waiting: the seat's own arrivals. When the time is over, these are served and no others.
    func mayPull(waiting: Int) -> Bool {
        switch phase {
        case .connecting, .ending, .over: false
        case .warmingUp, .measuring: true
        case .draining: waiting > 0
        }
    }

    /// Whether reports that are due since then are sent: of an open loop also when the time is over, where they fell due within it.
    func mayReport(since due: NIODeadline, waiting: Int) -> Bool {
        mayPull(waiting: waiting) || phase == .draining && isOpenLoop && isMeasured(due)
    }

    /// Whether reports that are due since then and were not sent count as unanswered.
    func owesReports(since due: NIODeadline) -> Bool { isOpenLoop && isMeasured(due) }

    /// Who has said nothing for a while says that it is still there.
    func ping() {
        let now = NIODeadline.now()
        for seat in seats { seat.ping(at: now) }
    }

    func measure() {
        // Who was lost in the warm-up was lost all the same.
        let (lost, unserved, hasLeased, answers) = (tally.lost, tally.unserved, tally.hasLeased, tally.answers)
        tally = LoadTally()
        tally.answers = answers
        tally.lost = lost
        tally.unserved = unserved
        tally.hasLeased = hasLeased
        phase = .measuring
        measuredFrom = .now()
    }

    /// The time is over. What was due in it is still served.
    ///
    /// - Returns: what was leased within it.
    func drain() -> Int64 {
        measuredUntil = .now()
        phase = .draining
        return tally.leasedAccounts
    }

    /// Nothing new is sent: what had no connection to leave on by now never leaves. What was sent is still waited for.
    func end() { phase = .ending }

    /// Ends waiting; what still waits counts with the time that it has waited so far.
    func finish() -> LoadTally {
        let now = NIODeadline.now()
        for seat in seats { seat.giveUp(at: now) }
        tally.dried = dried.map { dry in
            LoadDry(
                agency: dry.agency.description, seconds: Double(max(0, (dry.at - measuredFrom).nanoseconds)) / 1e9)
        }
        phase = .over
        return tally
    }

    func close() {
        phase = .over
        for seat in seats { seat.close() }
    }

    // MARK: What is counted

    private func isMeasured(_ due: NIODeadline) -> Bool { due >= measuredFrom && due < measuredUntil }

    func pulled(_ accounts: Int, since due: NIODeadline) {
        tally.hasLeased = true
        if phase == .measuring { tally.leasedAccounts += Int64(accounts) }
        guard isMeasured(due) else { return }
        if !isOpenLoop { tally.due += 1 }
        tally.lease(microseconds: (.now() - due).nanoseconds / 1_000)
    }

    /// Something came back, be it a refusal.
    func answered() { tally.answers += 1 }

    func emptyPull() { if phase == .measuring { tally.emptyPulls += 1 } }

    func reported(since sent: NIODeadline) {
        if phase == .measuring { tally.reported += 1 }
        if isMeasured(sent) { tally.report(microseconds: (.now() - sent).nanoseconds / 1_000) }
    }

    /// A report is not taken, and will not be.
    func reportRefused(since sent: NIODeadline) {
        if isMeasured(sent) { tally.reportsRefused += 1 }
    }

    func refused(_ words: String) { tally.refusals[words, default: 0] += 1 }

    /// A node has no key to contact data. That is no fault of the load, and none of the connections asks it again.
    func unserved(at place: String) {
        tally.unserved[place, default: 0] += 1
        closedContacts.close(at: place)
    }

    func servesContacts(at place: String) -> Bool { !closedContacts.isClosed(at: place) }

    /// - Parameter wasSent: else it waited for a connection to leave on.
    func stillWaiting(since due: NIODeadline, at now: NIODeadline, wasSent: Bool) {
        guard isMeasured(due) else { return }
        if !isOpenLoop { tally.due += 1 }
        tally.waiting += 1
        if !wasSent { tally.unsent += 1 }
        tally.lease(microseconds: (now - due).nanoseconds / 1_000)
    }

    func disclosed(since sent: NIODeadline) {
        if isMeasured(sent) { tally.contact(microseconds: (.now() - sent).nanoseconds / 1_000) }
    }

    /// - Parameter isContact: it is no report but a question for contact data; it is counted with them all the same.
    func reportStillWaiting(since sent: NIODeadline, at now: NIODeadline, isContact: Bool) {
        guard isMeasured(sent) else { return }
        tally.reportsWaiting += 1
        let waited = (now - sent).nanoseconds / 1_000
        if isContact { tally.contact(microseconds: waited) } else { tally.report(microseconds: waited) }
    }
}

/// The time that reports carry. A database with a virtual clock stands still, so its own time is used there.
struct LoadClock: Sendable {
    /// `nil`: real time.
    let fixed: Timestamp?

    func now() -> String {
        if let fixed { return fixed.description }
        let instant = Timestamp(microseconds: LoadRun.nowMicroseconds())
        var bytes: [UInt8] = []
        instant.appendMicroseconds(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension Timestamp {
    /// `2024-03-04T15:42:10.123456Z`: milliseconds would lie before the lease that was granted within the same one.
    fileprivate func appendMicroseconds(to bytes: inout [UInt8]) {
        let (date, second) = local(offsetSeconds: 0)
        let micros = Int(microseconds - Timestamp(date: date, secondsOfDay: second).microseconds)
        bytes += Array(date.description.utf8)
        bytes.append(0x54)
        for (value, separator) in [(second / 3_600, 0x3A), (second / 60 % 60, 0x3A), (second % 60, 0x2E)] {
            bytes += [UInt8(0x30 + value / 10), UInt8(0x30 + value % 10), UInt8(separator)]
        }
        var divisor = 100_000
        while divisor > 0 {
            bytes.append(UInt8(0x30 + micros / divisor % 10))
            divisor /= 10
        }
        bytes.append(0x5A)
    }
}

/// Who a connection says it is, and the proof of it.
struct LoadIdentity: Sendable {
    let agency: AgencyID
    let instance: Token
    var sequence: Int64
    let key: AgencyPrivateKey

    /// `HELLO` and `AUTH`, as lines; `nil` where the greeting's nonce cannot be read.
    ///
    /// - Parameter certificate: the hash of what the server showed; `nil` without TLS.
    func signIn(node: String, nonce: String, certificate: [UInt8]?) -> [UInt8]? {
        guard let nonce = HexBytes(hex: nonce) else { return nil }
        var random = SystemRandomNumberGenerator()
        let hello = HelloRequest(
            agency: agency, client: "agentsim-load/1", instance: instance, sequence: sequence,
            nonce: (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &random) })
        guard let first = Tag("h1"), let second = Tag("h2"),
            let proof = key.sign(
                AuthenticationMessage(server: node, serverNonce: nonce.bytes, hello: hello, certificate: certificate))
        else { return nil }
        var lines: [UInt8] = []
        AgentRequest.hello(hello).write(first, to: &lines)
        AgentRequest.auth(AuthRequest(proof: proof)).write(second, to: &lines)
        return lines
    }
}
