// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import FoundationEssentials
import Logging
import PgStore
import Synchronization
import TestSupport
import Testing

@testable import Dispatcher

/// A database that is away is told once for all links: when it goes, ever more seldom, and when it is back.
@Suite(.serialized) struct AbsenceTests {
    private static let start = ContinuousClock.now

    @Test func `it is told when it goes, at pauses that double up to a minute, and when it is back`() {
        var absence = Absence()
        var told: [Int: Absence.Line] = [:]
        // Eight links ask at every second.
        for second in 10...300 {
            for _ in 1...8 {
                if let line = absence.lost(opened: nil, at: Self.start + .seconds(second)) { told[second] = line }
            }
        }
        let still = [11, 13, 17, 25, 41, 73, 133, 193, 253]
        #expect(Set(told.keys) == Set([10] + still))
        #expect(told[10] == .away)
        for second in still { #expect(told[second] == .stillAway(.seconds(second - 10))) }
        // What was asked before it went was answered by then.
        #expect(absence.answered(begun: Self.start + .seconds(9), at: Self.start + .seconds(301)) == nil)
        #expect(
            absence.answered(begun: Self.start + .seconds(302), at: Self.start + .seconds(303))
                == .back(after: .seconds(293)))
        #expect(absence.answered(begun: Self.start + .seconds(304), at: Self.start + .seconds(304)) == nil)
    }

    @Test func `a link of before that is found broken later is no new absence`() {
        var absence = Absence()
        #expect(absence.lost(opened: Self.start, at: Self.start + .seconds(1)) == .away)
        #expect(absence.answered(begun: Self.start + .seconds(2), at: Self.start + .seconds(3)) != nil)
        #expect(absence.lost(opened: Self.start, at: Self.start + .seconds(100)) == nil)
        #expect(absence.lost(opened: Self.start + .seconds(4), at: Self.start + .seconds(101)) == .away)
    }

    /// As where one link of many cannot be opened because there are too many of them.
    @Test func `one that comes and goes is told ever more seldom, and after a minute of peace at once`() {
        var absence = Absence()
        var lines: [Int] = []
        for second in stride(from: 0, to: 600, by: 2) {
            let now = Self.start + .seconds(second)
            if absence.lost(opened: nil, at: now) != nil { lines.append(second) }
            _ = absence.answered(begun: now + .milliseconds(1), at: now + .milliseconds(2))
        }
        #expect(lines == [0, 2, 4, 8, 16, 32, 64, 124, 184, 244, 304, 364, 424, 484, 544])
        #expect(absence.lost(opened: nil, at: Self.start + .seconds(700)) == .away)
        #expect(absence.lost(opened: nil, at: Self.start + .seconds(701)) == .stillAway(.seconds(1)))
    }

    /// A real server that is stopped and started again, while an agency goes on asking.
    @Test(.timeLimit(.minutes(2)))
    func `a node whose database goes and comes back says so in three kinds of lines, and no link says more`()
        async throws
    {
        try await Home.with { home in
            _ = try home.started()
            let keys = [AgencyPrivateKey()]
            let database = TestDatabase(conninfo: try home.server().connection)
            try Migrator.migrate(database.link())
            try DealtMonth.deal(.init(agencies: 1), keys, database)
            let log = KeptLog()
            var settings = DispatcherNode.Settings(server: .init(node: "test"))
            settings.server.port = 0
            settings.server.limits.draining = .milliseconds(50)
            settings.pace = DealtMonth.quickPace
            settings.pace.beat = .milliseconds(100)
            let node = try await DispatcherNode(
                conninfo: database.conninfo, settings: settings, logger: Logger(label: "test") { _ in log }
            ).start()
            let month = DealtMonth(database: database, node: node, keys: keys)
            let agent = try await month.connect(1)
            #expect(try await agent.lease(DealtMonth.lease(1)).leasedAccounts.count == 5)
            #expect(try await agent.status(StatusRequest()).isOK)
            func lines(_ start: String) -> [String] { log.lines.filter { $0.hasPrefix(start) } }

            _ = try home.server().stop()
            try await until { !lines("error The database is away").isEmpty }
            #expect(try await agent.lease(DealtMonth.lease(2)).code == .unavailable)
            #expect(try await agent.status(StatusRequest()).code == .unavailable)
            try await until { !lines("error The database is still away").isEmpty }
            _ = try home.started()
            try await until { !lines("notice The database is back").isEmpty }
            try await until { try await agent.lease(DealtMonth.lease(2)).replyClass != .retry }
            // Whoever had a link of before asks by it now.
            _ = try await month.connect(1, instance: "two")
            #expect(try await agent.status(StatusRequest()).isOK)
            await node.stop()

            #expect(lines("error The database is away").count == 1)
            #expect(lines("notice The database is back").count == 1)
            #expect(lines("notice The database is back")[0].contains("seconds"))
            let others = log.lines.filter {
                ($0.hasPrefix("warning") || $0.hasPrefix("error")) && !$0.hasPrefix("error The database is ")
            }
            // What was under way when it went may be of unknown result, which is another thing to tell.
            #expect(others.filter { !$0.contains("is behind") } == [])
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `what a database that is there refuses, or takes too long for, is no absence`() async throws {
        try await TestDatabase.with { database in
            let sights = Sights()
            let connection = PgConnection(
                database.conninfo, application: "test", onConnect: { $0.answerBound = .milliseconds(300) },
                onSight: { sights.add($0) })
            try await connection.run { _ = try $0.run("SELECT 1") }
            for sql in ["SELECT 1 / 0", "SELECT pg_sleep(60)"] {
                let error = await #expect(throws: PgError.self) { try await connection.run { _ = try $0.run(sql) } }
                #expect(error?.isAway == false)
            }
            #expect(sights.lost == 0)

            let other = try database.link()
            let process = try await connection.run { try $0.run("SELECT pg_backend_pid()")[0].int32(0) }
            try other.run("SELECT pg_terminate_backend($1, 5000)", [.int32(process)])
            let ended = await #expect(throws: PgError.self) { try await connection.run { _ = try $0.run("SELECT 1") } }
            #expect(ended?.isAway == true)
            let nowhere = PgConnection("host=/nowhere", application: "test", onSight: { sights.add($0) })
            let absent = await #expect(throws: PgError.self) { try await nowhere.run { _ = try $0.run("SELECT 1") } }
            #expect(absent?.isAway == true)
            #expect(sights.lost == 2)
        }
    }
}

private final class Sights: Sendable {
    private let kept = Mutex<[PgConnection.Sight]>([])
    func add(_ sight: PgConnection.Sight) { kept.withLock { $0.append(sight) } }
    var lost: Int {
        kept.withLock { $0.count { if case .lost = $0 { true } else { false } } }
    }
}
