// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Glibc
import TestSupport
import Testing

/// What a hostile peer can do to a real listener: each gets a named answer or a named close, and nobody else notices.
struct HostilePeerTests {
    @Test func `a proof that was recorded on another connection lets nobody in`() async throws {
        let server = try await TestServer()
        let said = try await RawClient.talk(
            port: server.port,
            bytes("a1 \(TestSession.hello)\na2 AUTH method=ed25519 proof=\(HexBytes(TestSession.proof))\n"))

        #expect(said.last == "a2 NO AUTH class=fatal")
        await server.stop()
    }

    @Test func `a line in a thousand packets is one line`() async throws {
        let server = try await TestServer()
        let client = String(repeating: "x", count: 60)
        let line = "a1 HELLO version=9 agency=ACE07 client=\(client) instance=i sequence=1 nonce=\(client)\n"
        let said = try await RawClient.talk(
            port: server.port, bytes(String(repeating: "a0 PING\n", count: 100) + line), pieceBytes: 1)

        #expect(said.count == 102)
        #expect(said.last?.hasPrefix("a1 NO BAD-VALUE class=fix field=nonce") == true)
        await server.stop()
    }

    @Test(.timeLimit(.minutes(1)))
    func `who sends and never reads is closed, and others are served meanwhile`() async throws {
        var limits = SessionLimits()
        limits.writeIdle = .milliseconds(300)
        let server = try await TestServer(limits: limits)
        // A million unknown verbs, and answers of 28 megabytes, more than the kernel takes; nothing is read until everything was
        // sent.
        let flood = Task {
            try await RawClient.talk(port: server.port, bytes(String(repeating: "a NOSUCHVERB\n", count: 1_000_000)))
        }
        let agent = try await server.connect()
        try await until {
            try await agent.ping().isOK && server.connectionCount == 1
        }

        #expect(try await flood.value.count < 1_000_000)
        try await agent.bye()
        await server.stop()
    }

    @Test(.timeLimit(.minutes(1)))
    func `BYE waits for a slow reader: every answer before it arrives, however long that takes`() async throws {
        var limits = SessionLimits()
        limits.outputMaxBytes = 64 * 1_024 * 1_024
        limits.farewell = .milliseconds(10)
        let server = try await TestServer(limits: limits)
        // More than the kernel takes, and nothing is read for many times the farewell.
        let said = try await RawClient.talk(
            port: server.port, bytes(String(repeating: "a NOSUCHVERB\n", count: 400_000) + "z BYE\n"),
            beforeReading: { usleep(300_000) })

        #expect(said.count == 400_002)
        #expect(said.last == "z OK")
        await server.stop()
    }

    @Test(arguments: ["", "a1 HELLO version=1 agency=ACE07 inst"])
    func `who says nothing whole in time is sent away by name`(begun: String) async throws {
        var limits = SessionLimits()
        limits.authentication = .milliseconds(200)
        let server = try await TestServer(limits: limits)
        let said = try await RawClient.talk(port: server.port, bytes(begun), endsInput: false)

        #expect(said.last == "* NO IDLE class=retry reason=authentication")
        await server.stop()
    }

    @Test(
        arguments: [
            ([0x61, 0x20, 0xFF, 0xFE, 0x0A], "invalid-utf8"), ([0x61, 0x00, 0x62, 0x0A], "control-character"),
            ([0x61, 0x0D, 0x0D, 0x0A], "control-character"),
            ([0x16, 0x03, 0x01, 0x02, 0x00, 0x0A], "control-character"),
        ] as [([UInt8], String)])
    func `bytes that are no line end the session by name, a TLS greeting among them`(
        sent: [UInt8], reason: String
    ) async throws {
        let server = try await TestServer()
        let said = try await RawClient.talk(port: server.port, sent)

        #expect(said.last == "* NO FRAMING class=fatal reason=\(reason)")
        await server.stop()
    }
}
