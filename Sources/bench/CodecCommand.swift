// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
import ArgumentParser
internal import Assignment
internal import CAllocations
internal import Dispatcher

/// What a request of the hot path costs from its bytes to the engine and from the answer to the bytes of its reply, by itself: in
/// allocations, which do not grow with its keys, and in time beside a plain pass over its bytes.
struct CodecCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "codec", abstract: "Counts allocations and time of lines through codec and session, as JSON.")
    @Option(help: "How often each line is read.")
    var repeats = 200_000

    private struct Line: Encodable {
        let verb: String
        let keys: Int
        let bytes: Int
        let allocations: Double
        let nanoseconds: Double
        /// Of a pass that finds the spaces of the same bytes.
        let passNanoseconds: Double
    }

    /// Each verb with the keys it must have, and with those it may have.
    private static let lines: [(verb: String, necessary: String, more: String)] = [
        (
            "LEASE", "key=90017 delegation=14 strategy=administrative max=500",
            "contract=88 portfolio=telephone tactic=agreements-50"
        ),
        (
            "REPORT",
            "key=90018 delegation=14 account=1900077120 epoch=3 at=2024-03-04T08:42:10-06:00 channel=phone-out contact=direct result=refusal",
            "amount=1250.00 promised=2024-03-20 branch=b-12 motive=no-work position=19.432608,-99.133209 solution=private"
        ),
        ("EXTEND", "key=5 delegation=14 grant=12884901889 until=2024-04-13T06:00:00Z", ""),
        ("RETURN", "key=6 delegation=14 account=1900077120 epoch=3 reason=capacity", ""),
    ]

    func validate() throws {
        guard repeats > 0 else { throw ValidationError("--repeats \(repeats): at least 1") }
    }

    func run() throws {
        var results: [Line] = []
        for (verb, necessary, more) in Self.lines {
            for fields in more.isEmpty ? [necessary] : [necessary, necessary + " " + more] {
                results.append(try measure(verb, fields))
            }
        }
        Console.out(try JSONText.of(results))
    }

    private func measure(_ verb: String, _ fields: String) throws -> Line {
        var line = Array("t1 \(verb) \(fields)\n".utf8)
        var peer = try Peer()
        for _ in 0..<100 { try peer.exchange(line) }
        let clock = ContinuousClock()
        let start = clock.now
        allocations_begin()
        for _ in 0..<repeats { try peer.exchange(line) }
        let allocations = allocations_end()
        let middle = clock.now
        var spaces = 0
        for number in 0..<repeats {
            // Other bytes each time, or the compiler counts them once.
            line[1] = 0x30 + UInt8(number % 10)
            spaces &+= Self.spaces(line)
        }
        let end = clock.now
        guard spaces == repeats * (fields.split(separator: " ").count + 1) else {
            throw CommandFailure(.findings, "the pass found \(spaces) spaces", remedy: "The benchmark has a fault")
        }
        return Line(
            verb: verb, keys: fields.split(separator: " ").count, bytes: line.count,
            allocations: Double(allocations) / Double(repeats), nanoseconds: (middle - start).nanoseconds(per: repeats),
            passNanoseconds: (end - middle).nanoseconds(per: repeats))
    }

    @inline(never) private static func spaces(_ line: [UInt8]) -> Int {
        var count = 0
        for byte in line where byte == 0x20 { count += 1 }
        return count
    }
}

/// An agency that is signed in, and an engine that answers everything with one word.
private struct Peer {
    private var session = AgentSession(
        server: "bench", sessionID: "0", nonce: [UInt8](repeating: 0, count: 32), limits: SessionLimits())
    private let now = Moment(uptime: .seconds(1), time: Timestamp(microseconds: 1_709_564_400_000_000))

    init() throws {
        _ = session.opened(at: now)
        let hello = "h HELLO version=1 agency=ACE07 instance=i sequence=1 nonce=00000000000000000000000000000000\n"
        _ = session.received(Array(hello.utf8), at: now)
        let proof = String(repeating: "0", count: 128)
        for action in session.received(Array("a AUTH method=ed25519 proof=\(proof)\n".utf8), at: now) {
            guard case .perform(let number, .authenticate(let claim)) = action else { continue }
            let identity = AgentIdentity(agency: claim.agency, instanceID: 1)
            take(
                session.completed(
                    number, .authenticated(Admission(identity: identity, held: 0, contracts: 1)), at: now))
        }
        guard session.identity != nil else {
            throw CommandFailure(.findings, "the session let nobody in", remedy: "The benchmark has a fault")
        }
    }

    mutating func exchange(_ line: [UInt8]) throws {
        for action in session.received(line, at: now) {
            guard case .perform(let number, _) = action else {
                throw CommandFailure(
                    .findings, "a line was refused: \(String(decoding: line, as: UTF8.self))",
                    remedy: "Mend the benchmark's line")
            }
            take(session.completed(number, .refused(.unavailable, after: 1), at: now))
        }
    }

    private mutating func take(_ actions: [SessionAction]) {
        for case .send(let bytes) in actions { _ = session.wrote(bytes.count, at: now) }
    }
}

extension Duration {
    fileprivate func nanoseconds(per count: Int) -> Double {
        (Double(components.seconds) * 1e9 + Double(components.attoseconds) / 1e9) / Double(count)
    }
}
