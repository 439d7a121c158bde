// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import PgStore
import TestSupport
import Testing

/// A key is one of an agency's installation, of a delegation and of a verb.
struct KeyScopeTests {
    /// The agency's hand of delegation 9 once more in 14, with other accounts.
    private static let inFourteen = """
        INSERT INTO quota (delegation_id, contract_id, strategy, portfolio, limit_accounts, plan_id)
        SELECT 14, contract_id, strategy, portfolio, limit_accounts, plan_id FROM quota WHERE contract_id = 1;
        INSERT INTO contract_capacity VALUES (1, 14, 1, 10, 100);
        INSERT INTO hand (delegation_id, hand_id, contract_ids, strategy, portfolio, period, plan_id, is_front, state,
               size, term_days, ceiling_days, grace_us, late_report_us, digest)
        SELECT 14, hand_id, contract_ids, strategy, portfolio, period, plan_id, is_front, state,
               size, term_days, ceiling_days, grace_us, late_report_us, digest FROM hand WHERE hand_id = 1;
        INSERT INTO position SELECT 14, 1, i, 6000 + i, 1, 10000, 0, 0, 1, 'containment', 2, 431022, 912087,
               14039, 'ref' || i FROM generate_series(1, 20) i;
        INSERT INTO deal SELECT delegation_id, account_id, epoch, hand_id, position FROM position WHERE delegation_id = 14
        """

    /// - Returns: the replies to one request in each of the delegations.
    private func both(
        _ agent: AgentConnection, _ request: (Delegation) throws -> AgentRequest
    ) async throws -> [ClientReply] {
        let requests = try [Delegation.all[8], Delegation.all[13]].map(request)
        var replies: [ClientReply] = []
        for request in requests { replies.append(try await agent.send(request)) }
        #expect(replies[0].text != replies[1].text)
        // Behind both, each is what it was.
        for (request, reply) in zip(requests, replies) {
            #expect(try await agent.send(request).text == reply.text)
        }
        return replies
    }

    @Test(.timeLimit(.minutes(1)))
    func `one key in two delegations is two, in leases, reports, returns and what comes too late`() async throws {
        try await DealtMonth.after(.init(agencies: 1), pace: Upkeep.Pace(), changes: Self.inFourteen) { month in
            let agent = try await month.connect(1)
            let leases = try await both(agent) {
                .lease(LeaseRequest(key: 1, delegation: $0, strategy: .administrative, max: 2))
            }
            let accounts = leases.map(\.leasedAccounts)
            #expect(accounts.map { $0.map(\.account.value) } == [[1_001, 1_002], [6_001, 6_002]])
            let at = try #require(Timestamp(text: "2024-03-04T15:00:00Z"))
            func report(_ key: Int64, _ delegation: Delegation) throws -> AgentRequest {
                let account = try #require(accounts[delegation == DealtMonth.delegation ? 0 : 1].first)
                return .report(
                    ReportRequest(
                        key: key, delegation: delegation, account: account.account, epoch: account.epoch, at: at,
                        channel: .sms, contact: .nobody, result: .noAnswer))
            }
            let reported = try await both(agent) { try report(2, $0) }
            #expect(reported.map(\.isOK) == [true, true])
            let returned = try await both(agent) { delegation in
                let account = try #require(accounts[delegation == DealtMonth.delegation ? 0 : 1].first)
                return .giveBack(
                    ReturnRequest(
                        key: 2, delegation: delegation, account: account.account, epoch: account.epoch,
                        reason: .unlocatable))
            }
            #expect(returned.map(\.isOK) == [true, true])
            let late = try await both(agent) { try report(3, $0) }
            #expect(late.map(\.code) == [.closed, .closed])
        } _: { month, _ in
            let counts = try ["outcome", "evidence", "lease_grant"].map {
                try month.number("SELECT count(*) FROM \($0)")
            }
            #expect(counts == [2, 2, 2])
        }
    }
}
