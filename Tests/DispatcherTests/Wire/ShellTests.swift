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

    /// - Parameters:
    ///   - onTerminal: whether a terminal is between, as with a person; lines then end where the return key is pressed.
    ///   - ends: the exit code that it has to end with.
    /// - Returns: what the shell says to the lines, and behind it what it says of them all.
    private func typed(
        _ lines: String..., in month: DealtMonth, onTerminal: Bool = false, ends: Int32 = 0
    ) throws -> String {
        let path = FileManager.default.temporaryDirectory.path() + "/shell-\(UInt64.random(in: 0...UInt64.max)).key"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data("\(Data(Self.secret).base64EncodedString())\n".utf8).write(to: URL(filePath: path))
        let key = try #require(AgencyPrivateKey(bytes: Self.secret))
        try month.database.link().run(
            "INSERT INTO agency_key (agency_id, key_name, public_key, added_at) VALUES (1, 'shell', $1, now_instant()) ON CONFLICT DO NOTHING",
            [.bytes(key.publicKey)])
        let words = lines.joined(separator: "\\n")
        let shell = "\(ChildProcess.sibling("agentsim")) shell --port \(month.node.port) --agency ACE01 --key \(path)"
        let (code, text) = try ChildProcess.run(
            "/bin/sh",
            [
                "-c",
                "printf '\(words)\\n' | " + (onTerminal ? "script -qec '\(shell)' /dev/null" : shell)
                    + " 2>&1; echo \"(ended with $?)\"",
            ])
        let end = "(ended with \(ends))\n"
        try #require(code == 0 && text.hasSuffix(end), "\(text)")
        return String(text.dropLast(end.count))
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
            let text = try typed("ping", "FORGET it", "help forget", "LEASE delegation=9", "PING", in: month, ends: 1)

            #expect(text.contains("not sent: UNKNOWN-VERB expected=PING (there is no verb ping; there are LEASE "))
            #expect(text.contains("not sent: UNKNOWN-VERB (there is no verb FORGET; there are LEASE "))
            #expect(text.contains("\nthere is no verb forget; there are LEASE "))
            #expect(text.contains("not sent: MISSING-KEY field=strategy"))
            #expect(text.contains("OK time=2024-03-04T15:00:00.000Z"))
            // What came from a pipe was seen by nobody. 'help' sends nothing, and is no line that was not sent.
            #expect(
                text.contains("3 lines of the input were not sent. What is wrong with each is said above"), "\(text)")
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `at the end of what is piped it leaves without a word where all was sent, whatever the answers`() async throws
    {
        try await DealtMonth.with { month in
            let text = try typed("RETURN delegation=9 account=1 epoch=1 reason=capacity", "help", "PING", in: month)

            #expect(text.hasSuffix("OK time=2024-03-04T15:00:00.000Z\n"), "\(text)")
            // Also where it takes leave itself.
            #expect(try typed("FORGET it", "quit", in: month, ends: 1).contains("1 line of the input was not sent"))
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `on a terminal somebody sees what was not sent, and the shell ends with 0`() async throws {
        try await DealtMonth.with { month in
            let text = try typed("FORGET it", "quit", in: month, onTerminal: true)

            #expect(text.contains("not sent: UNKNOWN-VERB") && !text.contains("of the input"), "\(text)")
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
