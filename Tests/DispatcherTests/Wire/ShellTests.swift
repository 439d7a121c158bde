// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import FoundationEssentials
import PgStore
import Simulation
import TestSupport
import Testing

/// `agentsim shell`, as somebody types into it, against a node.
struct ShellTests {
    private static let secret = (1...32).map { UInt8($0) }

    /// - Parameter onTerminal: whether a terminal is between, as with a person; lines then end where the return key is pressed.
    /// - Returns: what the shell says to the lines.
    private func typed(_ lines: String..., in month: DealtMonth, onTerminal: Bool = false) throws -> String {
        let path = FileManager.default.temporaryDirectory.path() + "/shell-\(UInt64.random(in: 0...UInt64.max)).key"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data("\(Data(Self.secret).base64EncodedString())\n".utf8).write(to: URL(filePath: path))
        let key = try #require(AgencyPrivateKey(bytes: Self.secret))
        try month.database.link().run(
            "INSERT INTO agency_key (agency_id, key_name, public_key, added_at) VALUES (1, 'shell', $1, now_instant())",
            [.bytes(key.publicKey)])
        let words = lines.joined(separator: "\\n")
        let shell = "\(ChildProcess.sibling("agentsim")) shell --port \(month.node.port) --agency ACE01 --key \(path)"
        let (code, text) = try ChildProcess.run(
            "/bin/sh", ["-c", "printf '\(words)\\n' | " + (onTerminal ? "script -qec '\(shell)' /dev/null" : shell)])
        try #require(code == 0, "\(text)")
        return text
    }

    @Test(.timeLimit(.minutes(1)))
    func `what is typed is sent with a key of its own, and shown as it came`() async throws {
        try await DealtMonth.with { month in
            let text = try typed("LEASE delegation=9 strategy=administrative max=1", "HELD", "quit", in: month)

            #expect(text.contains("> LEASE ") && text.contains(" key="))
            #expect(text.contains("OK grant=4294967297 contract=1 portfolio=telephone granted=1 "))
            #expect(text.contains("OK listed=1"))
            #expect(try month.number("SELECT count(*) FROM lease_grant") == 1)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `what is wrong is not sent, and the shell says what was meant`() async throws {
        try await DealtMonth.with { month in
            let text = try typed("ping", "FORGET it", "help forget", "LEASE delegation=9", "PING", in: month)

            #expect(text.contains("not sent: UNKNOWN-VERB expected=PING (there is no verb ping; there are LEASE "))
            #expect(text.contains("not sent: UNKNOWN-VERB (there is no verb FORGET; there are LEASE "))
            #expect(text.contains("\nthere is no verb forget; there are LEASE "))
            #expect(text.contains("not sent: MISSING-KEY field=strategy"))
            #expect(text.contains("OK time=2024-03-04T15:00:00.000Z"))
            // At the end of what is typed it leaves without a word.
            #expect(text.hasSuffix("OK time=2024-03-04T15:00:00.000Z\n"), "\(text)")
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `on a terminal the tabulator completes verbs, keys and words, and the arrow brings a line back`() async throws
    {
        try await DealtMonth.with { month in
            let text = try typed(
                "lea\\tdel\\t9 str\\tadm\\tmax=1", "\\033[A", "help QU\\t", "HELD", "quit", in: month, onTerminal: true)

            #expect(text.contains("OK grant=4294967297 contract=1 portfolio=telephone granted=1 "), "\(text)")
            #expect(text.contains("OK grant=4294967298 contract=1 portfolio=telephone granted=1 "), "\(text)")
            #expect(text.contains("state= on off"))
            #expect(text.contains("OK listed=2"))
        }
    }
}
