// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import PgStore
import TestSupport
import Testing

@testable import Dispatcher

/// One key, sent to two nodes at the same time. A report becomes an outcome of one of several months, or evidence: no index of the
/// database sees all of them.
struct KeyRaceTests {
    @Test func `a report whose key another node is at work on is told BUSY, and nothing else is`() async throws {
        try await DealtMonth.with { month in
            let agent = try await month.connect(1)
            let accounts = try await agent.lease(DealtMonth.lease(1)).leasedAccounts
            let instance = Int32(try month.number("SELECT instance_id::bigint FROM agency_instance"))
            let agency = try #require(AgencyID(1))
            let other = try month.database.link()
            var question = GroupQuestion()
            question.reportKeys = [
                IdempotencyKey(delegation: DealtMonth.delegation, agency: agency, instance: instance, key: 2)
            ]
            question.periods = [Period.ofWork(at: try #require(Timestamp(text: "2024-03-04T15:00:00Z")))]
            #expect(try other.openGroup(question).busyKeys.isEmpty)
            let busy = try await agent.report(DealtMonth.report(2, accounts[0]))
            #expect(busy.code == .busy && busy.replyClass == .retry && busy.fields["after"] == "1")
            #expect(try await agent.report(DealtMonth.report(3, accounts[0])).isOK)
            #expect(try await agent.giveBack(DealtMonth.giveBack(2, accounts[1])).isOK)
            other.abandonGroup()
            #expect(try await agent.report(DealtMonth.report(2, accounts[0])).isOK)
            #expect(try month.number("SELECT count(*) FROM outcome") == 2)
        }
    }

    /// The other content is of an account that nobody leased, or of work in another month.
    @Test(.timeLimit(.minutes(1)), arguments: [false, true])
    func `of two contents under one key on two nodes one binds, and the other is told KEY-REUSED`(
        isOtherMonth: Bool
    ) async throws {
        try await DealtMonth.with { month in
            try month.database.link().script(
                """
                INSERT INTO period (period, opened_at) VALUES (202404, now_instant());
                CREATE TABLE outcome_202404 PARTITION OF outcome FOR VALUES IN (202404);
                """)
            let node = try await DealtMonth.startNode(month.database)
            let first = try await month.connect(1)
            let second = try await month.connect(1, sequence: 2, to: node)
            let accounts = try await first.lease(DealtMonth.lease(1)).leasedAccounts
            try month.setClock("2024-04-01T15:00:00Z")
            var other = accounts[1]
            if !isOtherMonth { other.account = try #require(AccountID(999_999)) }
            let day = isOtherMonth ? "2024-04-01" : "2024-03-04"
            let keys = 100..<220 as Range<Int64>
            let codes = try await withThrowingTaskGroup(of: (Int64, ReplyCode?).self) { group in
                for key in keys {
                    group.addTask { (key, try await Self.settled(first, DealtMonth.report(key, accounts[0]))) }
                    group.addTask { [other] in
                        let report = try DealtMonth.report(key, other, at: "\(day)T15:00:00Z")
                        return (key, try await Self.settled(second, report))
                    }
                }
                return try await group.reduce(into: [Int64: [ReplyCode?]]()) { $0[$1.0, default: []].append($1.1) }
            }
            await node.stop()

            let bound = try month.number(
                "SELECT (SELECT count(*) FROM outcome) + (SELECT count(*) FROM evidence WHERE verb = 'REPORT')")
            #expect(bound == Int64(keys.count))
            #expect(codes.values.allSatisfy { $0.count { $0 == .keyReused } == 1 })
        }
    }

    private static func settled(_ agent: AgentConnection, _ report: ReportRequest) async throws -> ReplyCode? {
        while true {
            let reply = try await agent.report(report)
            if reply.code != .busy { return reply.code }
        }
    }
}
