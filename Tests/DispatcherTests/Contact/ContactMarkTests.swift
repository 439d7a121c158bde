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
            let order = try VisitBanOrder(delegation: 9, municipality: "09010", pack: "fna")
            #expect(try order.add(link) == "delegation 9 municipality 09010 under fna: no visits from now on")
            _ = try VisitBanOrder(delegation: 9, municipality: nil, pack: "fonacot").add(link)
            #expect(try VisitBanOrder.list(asJSON: false, link).split(separator: "\n").count == 3)
            let account = try #require(try await agent.lease(DealtMonth.lease(1)).leasedAccounts.first)
            #expect(account.window == "06:30-20:00/America/Mexico_City")
            var visit = try DealtMonth.report(2, account)
            visit.channel = .visit
            #expect(try await agent.report(visit).isOK)
            #expect(try await agent.report(DealtMonth.report(3, account)).isOK)

            #expect(try order.remove(link) == "delegation 9 municipality 09010 under fna: visits are allowed again")
            #expect(throws: CommandFailure.self) { try order.remove(link) }
            visit.key = 4
            #expect(try await agent.report(visit).isOK)

            #expect(try marks(month) == ["{visit-ban}", "{}", "{}"])
        }
    }

    @Test(
        arguments: [(33, nil, "fna"), (9, "14039", "fna"), (9, "9", "fna"), (9, nil, "fnn")]
            as [(Int16, String?, String)])
    func `a territory or a pack that is none is refused`(delegation: Int16, municipality: String?, pack: String) {
        #expect(throws: CommandFailure.self) {
            try VisitBanOrder(delegation: delegation, municipality: municipality, pack: pack)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a follower marks what the contacts before forbid, and HELD tells the next step`() async throws {
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
            try await until {
                try ContactFollower.run(link)
                return try month.number("SELECT count(*) FROM contact_history") > 0
            }
            try ContactFollower.run(link)

            // Early on the eighth; the ninth is a Saturday, which is not for who has been reached, and the third call comes later.
            #expect(try marks(month) == ["{}", "{call-early}", "{contact-window,call-early}"])
            #expect(try month.number("SELECT calls::bigint FROM contact_history") == 3)
            #expect(try await agent.held(HeldRequest()).data.first?["next"] == nil)
        }
    }

    /// Two months in arrears: the third call on the fifteenth day is early by the text, five days behind it.
    @Test(
        .timeLimit(.minutes(1)),
        arguments: [
            ("fna", "{call-early}", "call+letter/2024-03-25"),
            ("fna,fna-third-from-first", "{}", "call+letter/2024-03-19"),
        ])
    func `the words beside a hand's packs say how its cadence is read (AMB-06)`(
        packs: String, mark: String, step: String
    ) async throws {
        try await with(packs) { month, agent, link in
            let account = try #require(try await agent.lease(DealtMonth.lease(1, max: 1)).leasedAccounts.first)
            try ContactFollower.run(link)
            var told: String?
            for (key, at) in zip(2..., ["2024-03-04T15:00:00Z", "2024-03-11T15:00:00Z", "2024-03-19T15:00:00Z"]) {
                try month.setClock(at)
                if key == 4 { told = try await agent.held(HeldRequest()).data.first?["next"] }
                var report = try DealtMonth.report(Int64(key), account, at: at)
                report.contact = .direct
                #expect(try await agent.report(report).isOK)
                for _ in 0..<3 { try ContactFollower.run(link) }
            }

            #expect(try marks(month) == ["{}", "{}", mark])
            #expect(told == step)
        }
    }

    @Test func `letters, visits and searches that are due are told by HELD, and marked when missed (CAD-12 … CAD-16)`()
        async throws
    {
        try await with("fna") { month, agent, link in
            let account = try #require(try await agent.lease(DealtMonth.lease(1, max: 1)).leasedAccounts.first)
            var key: Int64 = 1
            func work(_ channel: OutcomeChannel, at: String) async throws {
                key += 1
                try month.setClock(at)
                var report = try DealtMonth.report(key, account, at: at)
                report.channel = channel
                report.contact = .direct
                #expect(try await agent.report(report).isOK)
            }
            /// Follows, and tells the next step.
            func next() async throws -> String? {
                for _ in 0..<3 { try ContactFollower.run(link) }
                return try await agent.held(HeldRequest()).data.first?["next"]
            }
            try ContactFollower.run(link)
            // Three months in arrears: certified mail in any case.
            try link.script("UPDATE position SET arrears = 3")
            try await work(.phoneOut, at: "2024-03-04T15:00:00Z")
            #expect(try await next() == "letter/2024-03-04")
            try await work(.letter, at: "2024-03-04T16:00:00Z")
            #expect(try await next() == "call+letter/2024-03-12")

            // Four: a visit in any case, but where a centre is; and a search of the new address.
            try link.script("UPDATE position SET arrears = 4")
            #expect(try await next() == "visit/2024-03-04")
            let order = try ConciliationCentreOrder(municipality: "09010")
            #expect(try order.add(link) == "municipality 09010: it has a conciliation centre from now on")
            #expect(try order.add(link) == "municipality 09010: it had one before")
            #expect(try ConciliationCentreOrder.list(asJSON: false, link).split(separator: "\n").count == 2)
            #expect(try await next() == "call+letter/2024-03-14")
            try await work(.visit, at: "2024-03-05T15:00:00Z")
            try link.script(
                """
                INSERT INTO contact_data (delegation_id, account_id, key_id, sealed, loaded_at, address_since)
                VALUES (9, \(account.account), '', '', now_instant(), '2024-03-05')
                """)
            #expect(try await next() == "location-visit/2024-03-05")
            try await work(.phoneOut, at: "2024-03-14T15:00:00Z")
            try await work(.locationVisit, at: "2024-03-14T16:00:00Z")
            #expect(try await next() == "call+letter/2024-03-19")

            #expect(try marks(month) == ["{}", "{}", "{conciliation-centre}", "{search-missing}", "{}"])
            #expect(try order.remove(link) == "municipality 09010: it has no conciliation centre any more")
            #expect(throws: CommandFailure.self) { try order.remove(link) }
            #expect(throws: CommandFailure.self) { try ConciliationCentreOrder(municipality: "9") }
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

    /// The term is over on the fourth of April; on the fifth the span is not, on the seventh it is.
    @Test func `an agreement that is void in time is void late, and nobody accepts it (FIN-08)`() async throws {
        try await with("fonacot") { month, agent, link in
            try link.script("UPDATE position SET tactic = 'payoff-only' WHERE position <= 2")
            let accounts = try await agent.lease(DealtMonth.lease(1, max: 4)).leasedAccounts
            func sign(_ key: Int64, _ account: LeasedAccount, _ solution: String) async throws -> ClientReply {
                var report = try DealtMonth.report(key, account, at: "2024-03-20T15:00:00Z", result: .agreementSigned)
                report.solution = Token(solution)
                return try await agent.report(report)
            }
            try month.setClock("2024-04-05T06:00:00Z")
            let refused = try await sign(2, accounts[0], "plan-50-50")
            #expect(refused.code == .badValue && refused.fields["expected"] == "payoff")
            #expect(try await sign(2, accounts[0], "payoff").fields["counts"] == "yes")
            #expect(try await sign(3, accounts[2], "plan-50-50").fields["counts"] == "yes")
            try month.setClock("2024-04-07T06:00:00Z")
            #expect(try await sign(4, accounts[1], "plan-50-50").code == .badValue)
            let waiting = try await sign(5, accounts[3], "plan-50-50")
            #expect(waiting.fields["counts"] == "pending")
            // As if a version had kept it that did not look.
            try link.script("UPDATE position SET tactic = 'payoff-only'")
            let number = try #require(waiting.fields.number("evidence"))
            let failure = #expect(throws: CommandFailure.self) {
                try Adjudication.decide([number], .accepted, reason: "x", by: "ana", link)
            }
            #expect(failure?.found.contains("can only be paid off") == true)
            #expect(try month.number("SELECT count(*) FROM outcome WHERE result = 'agreement-signed'") == 2)
        }
    }
}
