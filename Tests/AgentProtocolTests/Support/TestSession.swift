// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment

/// A session with everything fixed, and a desk that answers at once. What the session says is kept as lines.
struct TestSession {
    var session: AgentSession
    var desk = Desk()
    private(set) var lines: [String] = []
    private(set) var performed: [(RequestNumber, SessionRequest)] = []
    private(set) var isPaused = false
    private(set) var isClosed = false
    private(set) var isCutOff = false
    /// Whether what is performed is answered at once, and what is sent has left at once.
    var answersAtOnce = true
    var writesAtOnce = true
    var now = Moment.second(0)

    init(limits: SessionLimits = SessionLimits()) {
        session = AgentSession(server: "mx-1", sessionID: "9f2c41d7", nonce: (0..<32).map(UInt8.init), limits: limits)
        perform(session.opened(at: now))
    }

    /// Past `HELLO` and `AUTH`, with the lines of both forgotten.
    static func authenticated(limits: SessionLimits = SessionLimits()) -> TestSession {
        var test = TestSession(limits: limits)
        test.send(
            "a1 \(TestSession.hello)")
        test.send("a2 AUTH method=ed25519 proof=\(HexBytes(proof))")
        test.lines = []
        test.performed = []
        return test
    }

    static let hello = "HELLO version=1 agency=ACE07 instance=mty-2 sequence=481 nonce=a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"

    static let proof: [UInt8] = {
        let message = AuthenticationMessage(server: "mx-1", serverNonce: (0..<32).map(UInt8.init), hello: .example)
        return valid(AgencyPrivateKey(bytes: Desk.secret)?.sign(message))
    }()

    mutating func send(_ line: String) { receive(bytes(line + "\n")) }
    mutating func receive(_ bytes: [UInt8]) { perform(session.received(bytes, at: now)) }
    mutating func endInput() { perform(session.inputEnded(at: now)) }
    mutating func push(_ pushes: [Push]) { perform(session.push(pushes, at: now)) }
    mutating func drain() { perform(session.drain(at: now)) }
    mutating func wrote(_ bytes: Int) { perform(session.wrote(bytes, at: now)) }
    mutating func complete(_ number: RequestNumber, _ reply: Reply) {
        perform(session.completed(number, reply, at: now))
    }

    mutating func pass(seconds: Int) {
        now = Moment(uptime: now.uptime + .seconds(seconds), time: now.time)
        if let deadline = session.nextDeadline, deadline <= now.uptime { perform(session.tick(at: now)) }
    }

    /// What was said since the last time.
    mutating func take() -> [String] {
        defer { lines = [] }
        return lines
    }

    private mutating func perform(_ actions: [SessionAction]) {
        for action in actions {
            switch action {
            case .send(let output):
                lines += text(output).split(separator: "\n").map(String.init)
                if writesAtOnce { perform(session.wrote(output.count, at: now)) }
            case .perform(let number, let request):
                performed.append((number, request))
                if answersAtOnce { perform(session.completed(number, desk.answer(request), at: now)) }
            case .pauseReading: isPaused = true
            case .resumeReading: isPaused = false
            case .close: isClosed = true
            case .cutOff: (isClosed, isCutOff) = (true, true)
            }
        }
    }
}
