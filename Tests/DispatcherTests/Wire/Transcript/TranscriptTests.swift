// SPDX-License-Identifier: Apache-2.0

import Dispatcher
import TestSupport
import Testing

/// docs/protocol.md, played against a node over a database.
struct TranscriptTests {
    @Test(.timeLimit(.minutes(3)))
    func `every transcript of the document runs against a node as it stands`() async throws {
        try await TestDatabase.with { month in
            try TranscriptMonth.make(try month.link())
            for transcript in ProtocolDocument().transcripts {
                try await month.copied { database in
                    let said = try await TranscriptTests.play(transcript, database)
                    guard said != transcript else { return }
                    Issue.record("This was said instead:\n\(said.joined(separator: "\n"))\n")
                }
            }
        }
    }

    /// What a number depends on chance in: how much the kernel took, how much of a second is over.
    private static func settled(_ line: String, as expected: String) -> String {
        let isMissed = line.hasPrefix("* MISSED pushes=") && expected.hasPrefix("* MISSED pushes=")
        let isBarred =
            line.contains(" NO LIMIT class=retry after=") && expected.contains(" NO LIMIT class=retry after=")
        return isMissed || isBarred ? expected : line
    }

    /// Says what the client says, and hears as many lines as the document has.
    private static func play(_ transcript: [String], _ database: TestDatabase) async throws -> [String] {
        let stage = try await TranscriptStage(database, for: transcript)
        do {
            let said = try await play(transcript, stage)
            await stage.end()
            return said
        } catch {
            await stage.end()
            throw error
        }
    }

    private static func play(_ transcript: [String], _ stage: TranscriptStage) async throws -> [String] {
        var client = try TranscriptClient(port: stage.node.port)
        var said: [String] = []
        var expected: [String] = []
        var heard: [String] = []
        for line in transcript {
            let text = String(line.dropFirst(2))
            if line.first == "<" {
                expected.append(line)
                switch await hear(client, insteadOf: text) {
                case .line(let line): heard.append("< " + settled(line, as: text))
                case .end: heard.append("(the end of the connection)")
                case .silence: heard.append("(nothing)")
                }
                continue
            }
            said += ordered(heard, as: expected)
            (heard, expected) = ([], [])
            switch line.first {
            case ">": try? client.say(Array((text + "\n").utf8))
            case "!" where text == "another connection":
                said += await rest(client)
                client = try TranscriptClient(port: stage.node.port)
            case "!": try await stage.happens(text)
            default: break
            }
            said.append(line)
        }
        return said + ordered(heard, as: expected) + (await rest(client))
    }

    /// Pushes come when they come: between the lines of replies, which keep their own order.
    private static func ordered(_ heard: [String], as expected: [String]) -> [String] {
        func isReply(_ line: String) -> Bool { !line.hasPrefix("< * ") }
        return heard.sorted() == expected.sorted() && heard.filter(isReply) == expected.filter(isReply)
            ? expected : heard
    }

    /// A client that has not read for long hears what the buffers held first.
    private static func hear(_ client: TranscriptClient, insteadOf expected: String) async -> TranscriptClient.Heard {
        guard expected.hasPrefix("* MISSED") else { return await client.hear() }
        while true {
            let heard = await client.hear()
            guard case .line(let line) = heard, line.hasPrefix("* UPDATE") else { return heard }
        }
    }

    /// What a connection still had to say, which should be nothing.
    private static func rest(_ client: TranscriptClient) async -> [String] {
        client.endInput()
        var lines: [String] = []
        while case .line(let line) = await client.hear() { lines.append("< " + line) }
        return lines
    }
}
