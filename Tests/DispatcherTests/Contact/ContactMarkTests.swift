// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import PgStore
import TestSupport
import Testing

/// What breaks a contact rule is recorded and marked, against a real node.
struct ContactMarkTests {
    /// A month whose hands were dealt under `packs`, and a connection of its first agency.
    private func with(
        _ packs: String, _ body: (DealtMonth, AgentConnection, PgLink) async throws -> Void
    ) async throws {
        try await DealtMonth.with { month in
            let link = try month.database.link()
            try link.script("UPDATE hand SET rule_packs = '{\(packs)}'")
            let node = try await DealtMonth.startNode(month.database)
            try await body(month, try await month.connect(1, to: node), link)
            await node.stop()
        }
    }

    private func marks(_ month: DealtMonth) throws -> [String] {
        try month.database.link().run("SELECT coalesce(marks, '{}')::text FROM outcome ORDER BY outcome_id").map {
            $0.text(0)
        }
    }

    @Test func `a call at night is taken, and marked`() async throws {
        try await with("infonavit-2023") { month, agent, _ in
            let account = try #require(try await agent.lease(DealtMonth.lease(1)).leasedAccounts.first)
            #expect(account.window == "07:00-22:00/America/Mexico_City")
            #expect(account.next == "call/2024-03-04")
            try month.setClock("2024-03-05T15:00:00Z")
            for (key, at) in zip(2..., ["2024-03-05T03:59:59Z", "2024-03-05T04:00:00Z"]) {
                #expect(try await agent.report(DealtMonth.report(Int64(key), account, at: at)).isOK)
            }

            #expect(try marks(month) == ["{}", "{contact-window}"])
        }
    }

    @Test func `a visit in a territory without visits is taken, and marked (GEO-02)`() async throws {
        try await with("fna") { month, agent, link in
            try link.script(
                "INSERT INTO visit_ban VALUES (9, 9010, 'fna', now_instant()), (9, 0, 'fonacot', now_instant())")
            let account = try #require(try await agent.lease(DealtMonth.lease(1)).leasedAccounts.first)
            #expect(account.window == "06:30-20:00/America/Mexico_City")
            var visit = try DealtMonth.report(2, account)
            visit.channel = .visit
            #expect(try await agent.report(visit).isOK)
            #expect(try await agent.report(DealtMonth.report(3, account)).isOK)

            #expect(try marks(month) == ["{visit-ban}", "{}"])
        }
    }

    @Test func `a follower marks what the contacts before forbid, and HELD tells the next step`() async throws {
        try await with("fna") { month, agent, link in
            let account = try #require(try await agent.lease(DealtMonth.lease(1, max: 1)).leasedAccounts.first)
            // Two months in arrears: a second call five days after the first, by CAD-03.
            for (key, at) in zip(2..., ["2024-03-04T15:00:00Z", "2024-03-08T15:00:00Z", "2024-03-09T15:00:00Z"]) {
                try month.setClock(at)
                var report = try DealtMonth.report(Int64(key), account, at: at)
                report.contact = key == 2 ? .direct : .nobody
                #expect(try await agent.report(report).isOK)
            }
            // The first run finds where it begins.
            try ContactFollower.run(link)
            while try month.number("SELECT count(*) FROM contact_history") == 0 { try ContactFollower.run(link) }
            try ContactFollower.run(link)

            // Early on the eighth; the ninth is a Saturday, which is not for who has been reached, and the third call comes later.
            #expect(try marks(month) == ["{}", "{call-early}", "{contact-window,call-early}"])
            #expect(try month.number("SELECT calls::bigint FROM contact_history") == 3)
            #expect(try await agent.held(HeldRequest()).data.first?["next"] == nil)
        }
    }

    @Test func `where nothing follows a cadence the follower reads nothing`() async throws {
        try await with("infonavit-2023") { month, agent, link in
            let account = try #require(try await agent.lease(DealtMonth.lease(1, max: 1)).leasedAccounts.first)
            #expect(try await agent.report(DealtMonth.report(2, account)).isOK)
            for _ in 0..<3 { try ContactFollower.run(link) }

            #expect(try month.number("SELECT count(*) FROM contact_history") == 0)
            #expect(try await agent.held(HeldRequest()).data.first?["next"] == "call/2024-03-04")
        }
    }

    @Test func `a broken restructure takes no agreement but a payoff (FIN-08)`() async throws {
        try await with("fonacot") { month, agent, link in
            try link.script("UPDATE position SET tactic = 'payoff-only' WHERE position = 1")
            let accounts = try await agent.lease(DealtMonth.lease(1, max: 2)).leasedAccounts
            func sign(_ key: Int64, _ account: LeasedAccount, _ solution: String) async throws -> ClientReply {
                var report = try DealtMonth.report(key, account, result: .agreementSigned)
                report.solution = Token(solution)
                return try await agent.report(report)
            }
            let refused = try await sign(2, accounts[0], "plan-50-50")

            #expect(refused.code == .badValue)
            #expect(refused.fields["field"] == "solution")
            #expect(refused.fields["expected"] == "payoff")
            #expect(try await sign(2, accounts[0], "payoff").isOK)
            #expect(try await sign(3, accounts[1], "plan-50-50").isOK)
        }
    }
}
