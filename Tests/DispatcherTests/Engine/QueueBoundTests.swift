// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Logging
import PgStore
import Synchronization
import TestSupport
import Testing

@testable import Dispatcher

/// How many requests wait for a group, of all agencies and of one.
struct QueueBoundTests {
    private final class Answers: Sendable {
        private let replies = Mutex<[Reply]>([])
        var all: [Reply] { replies.withLock { $0 } }
        func add(_ reply: Reply) { replies.withLock { $0.append(reply) } }
    }

    /// The group under way waits for a hand that somebody keeps, and all others behind it.
    @Test(.timeLimit(.minutes(1)))
    func `one agency's requests are refused from half of the queue on, and the other half is the others'`()
        async throws
    {
        try await DealtMonth.with { month in
            for agency in 1...2 { try await month.connect(agency).bye() }
            let locker = try month.database.link()
            try locker.script("BEGIN; SELECT FROM hand WHERE hand_id = 1 FOR UPDATE")
            var limits = LeaseEngine.Limits()
            limits.queueMax = 10
            let link = try month.database.link()
            let engine = LeaseEngine(
                connection: PgConnection(month.database.conninfo, application: "queue") {
                    try $0.prepareForEngine(lockWait: .seconds(40))
                }, limits: limits, now: try link.readNow(), logger: Logger(label: "test"))
            engine.refresh(try link.readRouting(), begun: engine.beginReading())
            let instances = try link.run("SELECT agency_id, instance_id FROM agency_instance ORDER BY 1")
            func submit(_ agency: Int, _ keys: ClosedRange<Int64>) throws -> Answers {
                let answers = Answers()
                let row = instances[agency - 1]
                let identity = AgentIdentity(agency: try #require(AgencyID(row.int32(0))), instanceID: row.int32(1))
                for key in keys {
                    engine.submit(
                        PendingRequest(
                            identity: identity, work: .lease(DealtMonth.lease(key, max: 1)), answer: answers.add))
                }
                return answers
            }
            let first = try submit(1, 1...1)
            try await until { try month.database.waiting("queue") == 1 }
            let busy = Reply.refused(.busy, after: 1)

            let own = try submit(1, 2...20)
            #expect(own.all == Array(repeating: busy, count: 14))
            let others = try submit(2, 1...20)
            #expect(others.all == Array(repeating: busy, count: 15))

            try locker.script("COMMIT")
            try await until { first.all.count + own.all.count + others.all.count == 40 }
            for reply in first.all + own.all.dropFirst(14) + others.all.dropFirst(15) {
                guard case .leased(let accounts, _) = reply else {
                    Issue.record("\(reply)")
                    continue
                }
                #expect(accounts.count == 1)
            }
        }
    }
}
