// SPDX-License-Identifier: Apache-2.0

import Dispatcher
import TestSupport
import Testing

/// docs/protocol.md, played by the Swift client against a node over a database: the same sessions as ``TranscriptTests``.
struct ClientTranscriptTests {
    /// What the client cannot be made to say: lines that are no lines, a second greeting, another version, a tag in use, silence instead
    /// of a proof, a question before it, and a request to a node that said it goes away. Everything else of the document it says.
    private static let unsaid: Set = [
        "> a6 LEASE key=1 key=2 delegation=14 strategy=administrative max=2",
        "> a8 LEASE key=1 delegation=14 strategy=administrative  max=2",
        "> p1 PING ",
        "> p2 HELD after=14.3.1=",
        "> p8 STATUS",
        "> b2 HELLO version=1 agency=ACE07 instance=mty-2 sequence=482 nonce=a0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
        "> b1 LEASE key=6 delegation=14 strategy=administrative max=2",
        "> a1 HELLO version=2 agency=ACE07 instance=mty-2 sequence=481 nonce=a0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
        "> a1\tPING",
        "> a3 LEASE key=1 delegation=14 strategy=administrative max=2",
        "> a3 PING",
    ]

    @Test(.timeLimit(.minutes(3)))
    func `the Swift client plays every transcript of the document against a node`() async throws {
        try await TestDatabase.with { month in
            try TranscriptMonth.make(try month.link())
            var unsaid: Set<String> = []
            for transcript in ProtocolDocument().transcripts {
                try await month.copied { database in
                    let stage = try await TranscriptStage(database, for: transcript)
                    do {
                        let player = try ClientPlayer(stage)
                        try await player.play(transcript)
                        await player.end()
                        unsaid.formUnion(player.unsaid)
                        for difference in player.differences { Issue.record("\(difference)") }
                        await stage.end()
                    } catch {
                        await stage.end()
                        throw error
                    }
                }
            }
            #expect(unsaid == Self.unsaid)
        }
    }
}
