// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import PgStore
import Synchronization
import TestSupport
import Testing

@testable import Dispatcher

/// When a group waits for those who were answered just now.
struct LingerTests {
    private static let longest = Duration.microseconds(100)
    private let start = ContinuousClock.now

    private func answered(_ count: Int, waiting: Int, longest: Duration = longest, groupMax: Int = 256) -> Linger {
        var linger = Linger(longest: longest, groupMax: groupMax)
        linger.answered(count, waiting: waiting, at: start)
        return linger
    }

    @Test(arguments: [(0, nil), (1, 20), (19, 20), (20, nil), (21, nil)] as [(Int, Int?)])
    func `as many are waited for as were answered and wait already, and nobody who is alone`(
        waiting: Int, wanted: Int?
    ) {
        var linger = answered(15, waiting: 5)
        #expect(linger.wait(for: waiting, at: start)?.count == wanted)
    }

    @Test func `it is waited until a moment after the answers, once, and who comes later waits for nobody`() {
        var linger = answered(2, waiting: 0)
        #expect(linger.wait(for: 1, at: start)?.until == start + Self.longest)
        #expect(linger.wait(for: 1, at: start) == nil)

        var late = answered(2, waiting: 0)
        #expect(late.wait(for: 1, at: start + Self.longest) == nil)
    }

    @Test func `a group that may not be larger waits for no more, and a linger of zero for nothing`() {
        var linger = answered(200, waiting: 100)
        #expect(linger.wait(for: 100, at: start)?.count == 256)

        var never = answered(2, waiting: 0, longest: .zero)
        #expect(never.wait(for: 1, at: start) == nil)
    }

    /// How many groups leave at once after each wait that brought too few.
    @Test func `where less than half come, ever more groups leave at once, and half of them is enough again`() {
        var linger = Linger(longest: Self.longest, groupMax: 256)
        func groupsUntilNext() -> Int {
            for number in 0... {
                linger.answered(8, waiting: 0, at: start)
                if linger.wait(for: 1, at: start) != nil { return number }
            }
            return 0
        }
        var between: [Int] = []
        for _ in 1...9 {
            between.append(groupsUntilNext())
            linger.waited(for: 7, came: 3)
        }
        #expect(between == [0, 1, 2, 4, 8, 16, 32, 64, 64])
        #expect(groupsUntilNext() == 64)
        linger.waited(for: 7, came: 4)
        #expect(groupsUntilNext() == 0)
    }

    @Test func `a wait that was over already ends no younger one, and each goes on once`() {
        var group = LingeringGroup<String>()
        let first = group.next()
        group.wait(first, for: 3, "first")
        #expect(group.came(2) == nil)
        #expect(group.came(3) == "first")
        #expect(group.came(4) == nil)
        let second = group.next()
        group.wait(second, for: 3, "second")
        #expect(group.end(first) == nil)
        #expect(group.end(second) == "second")
        #expect(group.end(second) == nil && group.came(9) == nil)
    }

    /// The third agency's first pull waits for a lock while the other two come; once it is answered, they wait for it to come again.
    @Test(.timeLimit(.minutes(1)))
    func `agents that were answered share the next group with those who wait`() async throws {
        var limits = LeaseEngine.Limits()
        limits.linger = .seconds(300)
        limits.lockWait = .seconds(50)
        try await DealtMonth.with(.init(agencies: 3), engine: limits) { month in
            let answers = Mutex(0)
            var agents: [AgentConnection] = []
            for agency in 1...3 {
                var settings = AgentConnectionSettings(
                    port: month.node.port, agency: try #require(AgencyID(Int32(agency))),
                    instance: try #require(Token("one")), sequence: 1, privateKey: month.keys[agency - 1])
                settings.transcript = { _, line in if line.contains(" OK time=") { answers.withLock { $0 += 1 } } }
                agents.append(try await AgentConnection.connect(settings))
            }
            let blocks = try month.number("SELECT count(*) FROM block")
            let locker = try month.database.link()
            try locker.script("BEGIN; SELECT 1 FROM hand WHERE hand_id = 3 FOR UPDATE")
            let first = Task { [agent = agents[2]] in try await agent.lease(DealtMonth.lease(1, max: 1)) }
            try await until { try month.number("SELECT count(*) FROM pg_locks WHERE NOT granted") > 0 }
            let others = agents.prefix(2).map { agent in
                Task { try await agent.send([.lease(DealtMonth.lease(1, max: 1)), .ping])[0] }
            }
            // Read behind the pulls, and answered without the database.
            try await until { answers.withLock { $0 } == 2 }
            try locker.script("COMMIT")
            #expect(try await first.value.isOK)
            #expect(try month.number("SELECT count(*) FROM block") == blocks + 1)
            #expect(try await agents[2].lease(DealtMonth.lease(2, max: 1)).isOK)
            for other in others { #expect(try await other.value.isOK) }

            #expect(try month.number("SELECT count(*) FROM lease_grant") == 4)
            #expect(try month.number("SELECT count(*) FROM block") == blocks + 2)
        }
    }
}
