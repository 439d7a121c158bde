// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Dispatcher
import Logging
import PgStore
import TestSupport
import Testing

/// A receipt can be proven once its block is chained; where that takes long, somebody is told.
struct SequencerLagTests {
    private static let blocks = (0...40).map { BlockPlace(transaction: "\($0)", number: 1) }

    @Test func `a block that waits is told of after five seconds, when that doubles, and once it is chained`() {
        let start = ContinuousClock.now
        var lag = SequencerLag()
        func note(_ block: BlockPlace?, _ seconds: Int) -> SequencerLag.Alarm? {
            lag.note(block.map { $0...$0 }, at: start + .seconds(seconds))
        }
        #expect(note(nil, 0) == nil)
        #expect(note(Self.blocks[0], 1) == nil)
        #expect(note(Self.blocks[0], 5) == nil)
        // Another one: the first is chained in time.
        #expect(note(Self.blocks[1], 6) == nil)
        #expect(note(Self.blocks[1], 10) == nil)
        #expect(note(Self.blocks[1], 11) == .late(.seconds(5)))
        #expect(note(Self.blocks[1], 15) == nil)
        #expect(note(Self.blocks[1], 16) == .late(.seconds(10)))
        #expect(note(Self.blocks[1], 60) == .late(.seconds(54)))
        #expect(note(Self.blocks[1], 85) == nil)
        #expect(note(Self.blocks[1], 86) == .late(.seconds(80)))
        #expect(note(Self.blocks[2], 90) == .level(after: .seconds(84)))
        #expect(note(nil, 91) == nil)
    }

    /// The oldest block is another one at each look, and eight seconds old.
    @Test func `a chain that moves and is behind is told of by its oldest block's own age`() {
        let start = ContinuousClock.now
        var lag = SequencerLag()
        var told: [Int: SequencerLag.Alarm] = [:]
        for second in 0...30 {
            let oldest = second < 30 ? max(0, second - 8) : 29
            told[second] = lag.note(Self.blocks[oldest]...Self.blocks[second], at: start + .seconds(second))
        }
        #expect(told == [5: .late(.seconds(5)), 30: .level(after: .seconds(30))])
    }

    @Test(.timeLimit(.minutes(1)))
    func `a node says as an error that the chain is behind, and whose transaction it waits for`() async throws {
        try await TestDatabase.with { database in
            let log = KeptLog()
            var logger = Logger(label: "test") { _ in log }
            logger.logLevel = .info
            let link = try database.link("a long import")
            try link.script("BEGIN; SELECT pg_current_xact_id()")
            try database.link().script(
                "INSERT INTO block (delegation_id, period, records, count, root) VALUES (9, 202403, '', 0, '')")
            var settings = DispatcherNode.Settings(server: .init(node: "test"))
            settings.server.port = 0
            settings.pace.beat = .milliseconds(20)
            settings.pace.round = .milliseconds(20)
            settings.pace.lagBound = .milliseconds(100)
            let node = try await DispatcherNode(
                conninfo: database.conninfo, settings: settings, logger: logger
            ).start()
            try await until { log.lines.contains { $0.hasPrefix("error The ledger's chain is behind") } }
            try link.script("COMMIT")
            try await until { log.lines.contains { $0.hasPrefix("info The ledger's chain is level again") } }
            await node.stop()
            #expect(log.lines.contains { $0.hasPrefix("error") && $0.contains("s old") })
        }
    }
}
