// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
internal import Assignment
internal import NIOCore

/// What the connections of one event loop share. Touched on that loop only.
final class LoadWorker {
    let isOpenLoop: Bool
    var tally = LoadTally()
    private(set) var isMeasuring = false
    private(set) var isStopping = false
    private(set) var readyCount = 0
    private(set) var dryCount = 0
    private var connections: [LoadConnection] = []
    private let clock: LoadClock

    init(isOpenLoop: Bool, clock: LoadClock) {
        self.isOpenLoop = isOpenLoop
        self.clock = clock
    }

    func add(_ connection: LoadConnection) { connections.append(connection) }
    func ready() { readyCount += 1 }
    func ranDry() { dryCount += 1 }
    func lost(_ reason: String) { tally.lost[reason, default: 0] += 1 }
    func workedAt() -> String { clock.now() }

    func start() { for connection in connections { connection.start() } }

    /// One arrival for the connection whose turn it is.
    func arrive(_ number: Int, at due: NIODeadline) { connections[number % connections.count].arrive(at: due) }

    func measure() {
        tally = LoadTally()
        isMeasuring = true
    }

    /// Ends the measurement; what is in flight is answered and not counted.
    func stop() -> LoadTally {
        isMeasuring = false
        isStopping = true
        return tally
    }

    /// Says that everybody is still there.
    func ping() { for connection in connections { connection.ping() } }

    func close() { for connection in connections { connection.close() } }
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
    let sequence: Int64
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
