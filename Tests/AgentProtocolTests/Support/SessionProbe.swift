// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment

/// Any bytes, as a peer could send them, through the codec and the session, with every promise checked that holds whatever comes. The
/// fuzzer calls it, and the tests replay what the fuzzer found.
///
/// The first byte says how: its low bit, whether the peer is let in before anything else; the next bit, whether answers wait until
/// the end; the rest, into pieces of how many bytes the input is cut.
package enum SessionProbe {
    package struct Broken: Error, CustomStringConvertible { package let description: String }

    package static func run(_ input: [UInt8]) throws {
        guard let first = input.first else { return }
        var probe = Probe(answersAtOnce: first & 2 == 0)
        try probe.open()
        if first & 1 == 1 { try probe.signIn() }
        let piece = Int(first >> 2) + 1
        var rest = input.dropFirst()
        while !rest.isEmpty {
            try probe.receive(Array(rest.prefix(piece)))
            rest = rest.dropFirst(piece)
        }
        try probe.end()
    }
}

private struct Probe {
    private var session: AgentSession
    private let answersAtOnce: Bool
    private var waiting: [(RequestNumber, SessionRequest)] = []
    private var isClosed = false
    private var seconds: Int64 = 0
    private let limits = SessionLimits()

    init(answersAtOnce: Bool) {
        self.answersAtOnce = answersAtOnce
        session = AgentSession(
            server: "probe", sessionID: "0", nonce: [UInt8](repeating: 0, count: 32), limits: SessionLimits())
    }

    private var now: Moment {
        Moment(uptime: .seconds(seconds), time: Timestamp(microseconds: 1_709_564_400_000_000 + seconds * 1_000_000))
    }

    mutating func open() throws { try perform(session.opened(at: now)) }

    mutating func signIn() throws {
        try receive(
            Array("h HELLO version=1 agency=ACE07 instance=i sequence=1 nonce=00000000000000000000000000000000\n".utf8))
        try receive(Array("a AUTH method=ed25519 proof=\(String(repeating: "0", count: 128))\n".utf8))
        try answerAll()
    }

    mutating func receive(_ bytes: [UInt8]) throws {
        guard !isClosed else { return }
        seconds += 1
        try perform(session.received(bytes, at: now))
        if answersAtOnce { try answerAll() }
    }

    mutating func end() throws {
        try answerAll()
        guard !isClosed else { return }
        try perform(session.inputEnded(at: now))
        try answerAll()
        if !isClosed { throw SessionProbe.Broken(description: "the session lives after the end of its input") }
    }

    private mutating func answerAll() throws {
        while !isClosed, !waiting.isEmpty {
            let (number, request) = waiting.removeFirst()
            try perform(session.completed(number, Self.reply(request), at: now))
        }
    }

    private static func reply(_ request: SessionRequest) -> Reply {
        switch request {
        case .authenticate(let claim):
            .authenticated(
                Admission(identity: AgentIdentity(agency: claim.agency, instanceID: 1), held: 0, contracts: 1))
        case .lease: .leased(accounts: [], grant: .nothing(stop: .empty))
        default: .refused(.unavailable, after: 1)
        }
    }

    private mutating func perform(_ actions: [SessionAction]) throws {
        for action in actions {
            if isClosed { throw SessionProbe.Broken(description: "something after the close") }
            switch action {
            case .send(let bytes):
                try check(bytes)
                try perform(session.wrote(bytes.count, at: now))
            case .perform(let number, let request):
                waiting.append((number, request))
                guard waiting.count <= limits.window else {
                    throw SessionProbe.Broken(description: "more in flight than the window")
                }
            case .pauseReading, .resumeReading: break
            case .close, .cutOff: isClosed = true
            }
        }
    }

    /// Whole lines of printable bytes, each with a tag or a star.
    private func check(_ bytes: [UInt8]) throws {
        guard bytes.last == 0x0A else { throw SessionProbe.Broken(description: "half a line") }
        for line in bytes.dropLast().split(separator: 0x0A, omittingEmptySubsequences: false) {
            guard line.count >= 4, line.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }), line.contains(0x20) else {
                throw SessionProbe.Broken(description: "a line that is none")
            }
        }
    }
}
