// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import PgStore
import TestSupport
import Testing

/// Accounts that are stopped after their lease was over, and not dealt again.
struct LateStopTests {
    /// The term ends with the third of April and is enforced until the end of its grace; the stop comes on the twentieth.
    @Test(.timeLimit(.minutes(1)), arguments: ["exclusion", "payoff"])
    func `a stop after the term makes no work count, and is not what ended the lease`(kind: String) async throws {
        try await DealtMonth.with(pace: DealtMonth.quickPace) { month in
            let link = try month.database.link()
            try link.script(
                """
                INSERT INTO period (period, opened_at) VALUES (202404, now_instant());
                CREATE TABLE outcome_202404 PARTITION OF outcome FOR VALUES IN (202404);
                """)
            let agent = try await month.connect(1)
            let lease = try await agent.lease(DealtMonth.lease(1, max: 1))
            let account = try #require(lease.leasedAccounts.first)
            try month.setClock("2024-04-05T07:00:00Z")
            try await until { try month.number("SELECT count(*) FROM lease_grant WHERE state = 'closed'") == 1 }
            try month.setClock("2024-04-20T15:00:00Z")
            let count = try link.transaction {
                let endings = DealEndings(link)
                try endings.stage()
                try link.script("INSERT INTO to_end VALUES (9, \(account.account), '\(kind)', 'lawsuit')")
                return try endings.run(tells: true) { _, _ in [] }
            }
            #expect(count.ended == 1 && count.held == 0)

            let after = try await agent.report(DealtMonth.report(2, account, at: "2024-04-15T15:00:00Z"))
            let before = try await agent.report(DealtMonth.report(3, account, at: "2024-03-20T15:00:00Z"))
            let back = try await agent.giveBack(DealtMonth.giveBack(4, account))
            #expect([after, before, back].map(\.code) == [.expired, .expired, .expired])
            #expect([after, before, back].map { $0.fields["counts"] } == ["no", "pending", "no"])
            #expect(try month.number("SELECT count(*) FROM outcome") == 0)
            let grant = try #require(lease.fields["grant"].flatMap(GrantID.init(text:)))
            let extended = try await agent.extend(
                ExtendRequest(
                    key: 5, delegation: DealtMonth.delegation, grant: grant,
                    until: try #require(Timestamp(text: "2024-05-01T06:00:00Z"))))
            #expect(extended.code == .expired)
            let why = try await agent.explain(
                ExplainRequest(delegation: DealtMonth.delegation, subject: .account(account.account)))
            let ended = why.data.filter { $0["event"] == "ended" }
            #expect(ended.map { $0["kind"] } == ["term"])
            #expect(ended.first?["at"] == "2024-04-04T06:00:00.000Z")
        }
    }
}
