// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import PgStore
import TestSupport
import Testing

/// Starts while agencies are at work: a real node, a real server, real sockets.
struct StartServingTests {
    /// Runs `body` with a node that serves the month, and an agent of ACE04, whose contract has the preventive accounts.
    private func serving(
        _ month: StartedMonth, _ body: (_ connect: (String) async throws -> AgentConnection) async throws -> Void
    ) async throws {
        let key = AgencyPrivateKey()
        try month.link.run(
            "INSERT INTO agency_key (agency_id, key_name, public_key, added_at) VALUES (4, 'k', $1, now_instant())",
            [.bytes(key.publicKey)])
        var pace = Upkeep.Pace()
        pace.round = .milliseconds(50)
        let node = try await DealtMonth.startNode(month.database, pace)
        do {
            try await body { instance in
                try await AgentConnection.connect(
                    AgentConnectionSettings(
                        port: node.port, agency: try #require(AgencyID(4)), instance: try #require(Token(instance)),
                        sequence: 1, privateKey: key))
            }
        } catch {
            await node.stop()
            throw error
        }
        await node.stop()
    }

    private static func lease(_ key: Int64, max: Int) -> LeaseRequest {
        LeaseRequest(key: key, delegation: DealtMonth.delegation, strategy: .preventive, max: max)
    }

    @Test func `the pull after an import of starts gets the started account first`() async throws {
        try await StartedMonth.with { month in
            try await serving(month) { connect in
                let agent = try await connect("one")
                let before = try await agent.lease(Self.lease(1, max: 2))
                try month.makeRoom(1)
                try month.start("900014,9,job-loss,2024-03-11")
                // The node reads the open hands every 50 ms; until then it draws from the main hand.
                var first: [Int64] = []
                for key in 2...60 as ClosedRange<Int64> where !first.contains(900_014) {
                    try await Task.sleep(for: .milliseconds(50))
                    first = try await agent.lease(Self.lease(key, max: 1)).leasedAccounts.map(\.account.value)
                }

                #expect(before.leasedAccounts.count == 2)
                #expect(first == [900_014])
                #expect(
                    try month.count("lease_grant g JOIN hand h USING (delegation_id, hand_id) WHERE h.is_front") == 1)
            }
        }
    }

    @Test func `the pull after a start gets what waited at the hand's end first, and a holder is told`() async throws {
        try await StartedMonth.with { month in
            try await serving(month) { connect in
                let agent = try await connect("one")
                let mine = try #require(try await agent.lease(Self.lease(1, max: 1)).leasedAccounts.first)
                let last = try month.number(
                    """
                    SELECT p.account_id FROM position p JOIN hand h USING (delegation_id, hand_id)
                     WHERE h.delegation_id = 9 AND h.strategy = 1 AND h.portfolio = 1 AND p.arrears < 3
                     ORDER BY p.position DESC LIMIT 1
                    """)
                try month.start(
                    "\(last),9,missed-payment,2024-03-11,3", "\(mine.account),9,missed-payment,2024-03-11,5",
                    columns: ",arrears")
                var first: [Int64] = []
                for key in 2...60 as ClosedRange<Int64> where !first.contains(last) {
                    try await Task.sleep(for: .milliseconds(50))
                    first = try await agent.lease(Self.lease(key, max: 1)).leasedAccounts.map(\.account.value)
                }
                let update = await agent.next(.update)
                let held = try await agent.held(HeldRequest())
                let line = held.data.first { $0["account"] == "\(mine.account)" }

                #expect(first == [last])
                #expect(update?["account"] == "\(mine.account)")
                #expect(update?["change"] == "missed-payment")
                #expect(update?["on"] == "2024-03-11")
                #expect(line?["changed"] == "missed-payment")
                #expect(line?["changed-on"] == "2024-03-11")
                #expect(held.data.filter { $0["changed"] != nil }.count == 1)
            }
        }
    }

    @Test func `starts and stops beside pulls double nobody and pass no quota`() async throws {
        try await StartedMonth.with(accounts: 1_400) { month in
            try month.makeRoom(6)
            try await serving(month) { connect in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for instance in ["one", "two"] {
                        let agent = try await connect(instance)
                        group.addTask {
                            for key in 1...150 as ClosedRange<Int64> {
                                let reply = try await agent.lease(Self.lease(key, max: 3))
                                // Every tenth goes back, so that quota and epochs move.
                                if key.isMultiple(of: 10), let account = reply.leasedAccounts.first {
                                    _ = try await agent.giveBack(DealtMonth.giveBack(1_000 + key, account))
                                }
                            }
                        }
                    }
                    for link in [try month.database.link(), try month.database.link()] {
                        let rows = (0..<40).map { "\(900_000 + 14 * (1 + $0 * 2)),9,job-loss,2024-03-11" }
                        for part in 0..<8 {
                            let mine = rows[(part * 5)..<(part * 5 + 5)].joined(separator: "\n")
                            try month.load(.starts, "\(StartedMonth.header)\n\(mine)\n", on: link)
                            let stopped = 900_000 + 14 * (1 + part * 10)
                            try month.load(
                                .stops,
                                "account,delegation,reason,from_on,until_on\n\(stopped),9,dispute,2024-03-0\(1 + part),\n",
                                on: link)
                        }
                    }
                    try await group.waitForAll()
                }
            }
            #expect(try month.count("(SELECT account_id FROM deal GROUP BY 1, epoch HAVING count(*) > 1) x") == 0)
            #expect(try month.count("hand WHERE is_front") > 0)
            // No account has more than one deal that is held or can still be pulled.
            #expect(
                try month.count(
                    """
                    (SELECT d.account_id FROM deal d JOIN hand h USING (delegation_id, hand_id)
                      WHERE NOT EXISTS (SELECT FROM ending e WHERE e.account_id = d.account_id AND e.epoch = d.epoch)
                      GROUP BY 1 HAVING count(*) > 1) x
                    """) == 0)
            // What is held and what waits together never pass the limit.
            #expect(
                try month.count(
                    """
                    (SELECT q.quota_id FROM quota q JOIN hand h ON h.delegation_id = q.delegation_id
                        AND h.contract_ids = ARRAY[q.contract_id] AND h.strategy = q.strategy AND h.portfolio = q.portfolio
                       JOIN position p ON p.delegation_id = h.delegation_id AND p.hand_id = h.hand_id
                      WHERE NOT EXISTS (SELECT FROM ending e WHERE e.account_id = p.account_id AND e.epoch = p.epoch)
                      GROUP BY q.quota_id, q.limit_accounts HAVING count(*) > q.limit_accounts) x
                    """) == 0)
        }
    }

    @Test func `a certificate recalls what is held, and reports on it do not count any more`() async throws {
        try await StartedMonth.with { month in
            try await serving(month) { connect in
                let agent = try await connect("one")
                let account = try #require(try await agent.lease(Self.lease(1, max: 1)).leasedAccounts.first)
                try ExhaustionTests.exhaust(month, "\(account.account)")
                let certificates = try ExhaustionTests.validate(month.link, account.account.value)
                let report = try await agent.report(DealtMonth.report(2, account, at: "2024-03-12T15:00:00Z"))

                #expect(certificates.first?.recalled == 1)
                #expect(report.code == .recalled)
                #expect(try month.count("release WHERE accounts = 1") == 1)
            }
        }
    }
}
