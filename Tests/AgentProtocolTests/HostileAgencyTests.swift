// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Glibc
import TestSupport
import Testing

/// What somebody can do who was let in: as before, each gets a named answer or a named close, and nobody else notices.
struct HostileAgencyTests {
    private static let longest = SessionLimits().lineOpenMaxBytes
    private static let start = bytes("x PING a=")

    private static func line(_ length: Int) -> [UInt8] {
        start + [UInt8](repeating: 0x62, count: length - start.count) + [0x0A]
    }

    /// Signs in as the same agency under another installation.
    @Sendable private static func signIn(_ greeting: String) -> [UInt8] {
        let fields = greeting.split(separator: " ").reduce(into: [Substring: Substring]()) { all, word in
            let parts = word.split(separator: "=", maxSplits: 1)
            if parts.count == 2 { all[parts[0]] = parts[1] }
        }
        let hello = HelloRequest.example
        let message = AuthenticationMessage(
            server: String(fields["node"] ?? ""), serverNonce: hex(String(fields["nonce"] ?? "")), hello: hello)
        let proof = valid(AgencyPrivateKey(bytes: Desk.secret)?.sign(message))
        return bytes("a1 \(TestSession.hello)\na2 AUTH method=ed25519 proof=\(HexBytes(proof))\n")
    }

    struct Misdeed: Sendable, CustomTestStringConvertible {
        let sent: [UInt8]
        /// The last line that comes back.
        let answer: String
        var testDescription: String { "\(sent.count) bytes: \(answer)" }

        init(_ sent: [UInt8], _ answer: String) { (self.sent, self.answer) = (sent, answer) }
    }

    private static let misdeeds = [
        Misdeed(line(longest), "x NO UNKNOWN-KEY class=fix field=a"),
        Misdeed(line(longest + 1), "* NO FRAMING class=fatal reason=line-too-long"),
        // Not ended, and never to be.
        Misdeed([UInt8](repeating: 0x78, count: 8 * longest), "* NO FRAMING class=fatal reason=line-too-long"),
        Misdeed(bytes("x PING\r\r\n"), "* NO FRAMING class=fatal reason=control-character"),
        Misdeed(bytes("x PI\rNG\n"), "* NO FRAMING class=fatal reason=control-character"),
        Misdeed([0x78, 0x00, 0x0A], "* NO FRAMING class=fatal reason=control-character"),
        Misdeed([0x78, 0x20, 0xC0, 0x80, 0x0A], "* NO FRAMING class=fatal reason=invalid-utf8"),
        Misdeed(
            bytes("x LEASE key=1 key=1 delegation=14 strategy=dual max=1\n"),
            "x NO SYNTAX class=fix field=key expected=\"each key once\""),
        Misdeed(
            bytes("x LEASE key=9223372036854775808 delegation=14 strategy=dual max=1\n"),
            "x NO BAD-VALUE class=fix field=key expected=\"whole number below 2^63, no sign, no leading zero\""),
        Misdeed(
            bytes("x LEASE key=1 delegation=14 strategy=dual max=1001\n"),
            "x NO BAD-VALUE class=fix field=max expected=\"1 to 1000\""),
        Misdeed(bytes("x \(TestSession.hello)\n"), "x NO STATE class=fatal"),
        Misdeed(
            bytes("x LEASE key=1 delegation=14 strategy=dual max=1\nx PING\n"), "* NO TAG-IN-USE class=fatal tag=x"),
        Misdeed(bytes("_ PING\n"), "* NO SYNTAX class=fix at=tag"),
    ]

    @Test(.timeLimit(.minutes(1)), arguments: misdeeds)
    func `who was let in gets a name for what is wrong, and others are served meanwhile`(
        misdeed: Misdeed
    ) async throws {
        // Whoever pulls waits, so that its tag does.
        let server = try await TestServer(takesOver: { request, _ in
            if case .lease = request { true } else { false }
        })
        let other = try await server.connect()
        let said = try await RawClient.talk(port: server.port, misdeed.sent, signIn: Self.signIn)
        #expect(said.last == misdeed.answer)
        #expect(try await other.ping().isOK)
        try await other.bye()
        await server.stop()
    }

    @Test(.timeLimit(.minutes(1)), arguments: ["x PI", "x PING\ny PI"])
    func `who was let in and writes no whole line in time is sent away by name`(begun: String) async throws {
        var limits = SessionLimits()
        limits.idle = .milliseconds(300)
        let server = try await TestServer(limits: limits)
        let said = try await RawClient.talk(port: server.port, bytes(begun), endsInput: false, signIn: Self.signIn)

        #expect(said.last == "* NO IDLE class=retry reason=silence")
        await server.stop()
    }

    @Test func `who was let in and ends its sending side in a line has all answers to the lines before`() async throws {
        let server = try await TestServer()
        let said = try await RawClient.talk(
            port: server.port,
            bytes("x LEASE key=1 delegation=14 strategy=administrative max=2\ny PING\nz REPORT key=2 delega"),
            pieceBytes: 1, signIn: Self.signIn)

        #expect(Set(said.map { $0.prefix(4) }) == ["x - ", "x OK", "y OK"])
        #expect(said.count == 4)
        await server.stop()
    }

    /// Nothing is kept of them but what the system keeps: they have 16 KiB each of this process, and somebody who works is served.
    ///
    /// Fewer than two thousand where the system gives fewer files: each connection has two ends here.
    @Test(.timeLimit(.minutes(2)))
    func `two thousand connections that say nothing take little memory, and hold up nobody`() async throws {
        let server = try await TestServer(connectionsMax: 3_000)
        let agent = try await server.connect()
        var idle: [Int32] = []
        defer { for descriptor in idle { close(descriptor) } }
        let (count, grown) = try RawClient.withFiles(2 * 2_200) { files in
            // What the first ones take is the process's own.
            try RawClient.connect(200, port: server.port, &idle)
            let (count, before) = (max(0, files / 2 - 200), try residentBytes())
            try RawClient.connect(count, port: server.port, &idle)
            return (count, try residentBytes() - before)
        }
        try #require(count > 0)
        #expect(server.connectionCount == 201 + count)
        #expect(try await agent.lease(.example()).isOK)
        #expect(grown / count <= 16_384, "\(grown / count) bytes for each of \(count)")

        for descriptor in idle { close(descriptor) }
        idle = []
        try await until {
            try await agent.ping().isOK && server.connectionCount == 1
        }
        try await agent.bye()
        await server.stop()
    }

    private func residentBytes() throws -> Int {
        guard let file = fopen("/proc/self/statm", "r") else { throw RawClient.Failure(call: "fopen") }
        defer { fclose(file) }
        var text = [CChar](repeating: 0, count: 128)
        guard fgets(&text, Int32(text.count), file) != nil else { throw RawClient.Failure(call: "fgets") }
        let words = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            .split(separator: " ")
        return (Int(words[1]) ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
    }
}
