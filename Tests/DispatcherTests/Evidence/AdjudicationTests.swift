// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import PgStore
import TestSupport
import Testing

/// Late reports that no rule settles, as an operator decides about them.
struct AdjudicationTests {
    @Test func `what comes later than the span waits, and counts once a person has accepted it`() async throws {
        try await DealtMonth.with { month in
            let agent = try await month.connect(1)
            let accounts = try await agent.lease(DealtMonth.lease(1, max: 2)).leasedAccounts
            let link = try month.database.link()
            // The term's end and a day of grace, and the two days of the span.
            try month.setClock("2024-04-06T06:00:01Z")
            var late: [ClientReply] = []
            for (key, account) in zip(2..., accounts) {
                late.append(
                    try await agent.report(
                        DealtMonth.report(Int64(key), account, at: "2024-03-05T15:00:00Z", result: .dispute)))
            }
            #expect(late.map(\.code) == [.expired, .expired])
            #expect(late.map { $0.fields["counts"] } == ["pending", "pending"])
            let numbers = late.compactMap { $0.fields.number("evidence") }
            let list = try Adjudication.list(waiting: true, agency: "ACE01", asJSON: false, link)
            #expect(list.split(separator: "\n").count == 3)
            #expect(
                try Adjudication.list(waiting: true, agency: "ACE02", asJSON: false, link)
                    == "no evidence waits for a decision")

            let accepted = try Adjudication.decide([numbers[0]], .accepted, reason: "line-down", by: "ana", link)
            #expect(accepted == "ACE01 account \(accounts[0].account): evidence \(numbers[0]) accepted")
            _ = try Adjudication.decide([numbers[1]], .rejected, reason: "no", by: "ana", link)
            #expect(try month.number("SELECT count(*) FROM outcome WHERE marks = '{late}' AND result = 'dispute'") == 1)
            let why = try await agent.explain(
                ExplainRequest(delegation: DealtMonth.delegation, subject: .account(accounts[0].account)))
            #expect(why.data.last?["event"] == "late-report")
            #expect(why.data.last?["counts"] == "accepted")
            // A repetition says what it said, and nothing is decided twice.
            #expect(
                try await agent.report(
                    DealtMonth.report(2, accounts[0], at: "2024-03-05T15:00:00Z", result: .dispute)
                ).text == late[0].text)
            #expect(throws: CommandFailure.self) {
                try Adjudication.decide([numbers[1]], .accepted, reason: "x", by: "ana", link)
            }
            let records = try link.run("SELECT records FROM block").flatMap { LedgerBlock.unpack($0.bytes(0)) }
            #expect(records.filter { String(decoding: $0, as: UTF8.self).hasPrefix("adjudication ") }.count == 2)
            #expect(
                try Adjudication.list(waiting: false, agency: nil, asJSON: true, link).contains("decidedBy")
            )
        }
    }

    /// The late work is of March; the next holder's is of the same month, of the next one, of the one after.
    @Test(arguments: [202_403, 202_404, 202_405])
    func `nothing is accepted once the next holder has reported, or the month is closed`(reported: Int) async throws {
        try await DealtMonth.with { month in
            try month.database.link().script(
                [202_404, 202_405].map { "CREATE TABLE outcome_\($0) PARTITION OF outcome FOR VALUES IN (\($0));" }
                    .joined())
            let agent = try await month.connect(1)
            let account = try #require(try await agent.lease(DealtMonth.lease(1, max: 1)).leasedAccounts.first)
            let link = try month.database.link()
            try month.setClock("2024-04-06T06:00:01Z")
            let late = try await agent.report(DealtMonth.report(2, account, at: "2024-03-05T15:00:00Z"))
            let number = try #require(late.fields.number("evidence"))
            _ = try await month.connect(2).lease(DealtMonth.lease(1, max: 1))
            try link.script(
                """
                INSERT INTO deal VALUES (9, \(account.account), 2, 2, 1);
                INSERT INTO outcome (period, delegation_id, agency_id, instance_id, key, outcome_id, account_id, epoch, hand_id,
                       position, contract_id, worked_at, received_at, channel, contact, result, request_hash)
                VALUES (\(reported), 9, 2, 1, 1, 9000, \(account.account), 2, 2, 1, 2, now_instant(), now_instant(), 'sms', 'none',
                        'no-answer', '')
                """)
            let refusal = #expect(throws: CommandFailure.self) {
                try Adjudication.decide([number], .accepted, reason: "x", by: "ana", link)
            }
            #expect(
                refusal?.found == "evidence \(number) cannot be accepted: the next holder has reported on the account")
            try link.script("DELETE FROM outcome; UPDATE period SET state = 'closed'")
            #expect(throws: CommandFailure.self) {
                try Adjudication.decide([number], .accepted, reason: "x", by: "ana", link)
            }
            #expect(try month.number("SELECT count(*) FROM evidence WHERE counts IS NULL AND decision IS NULL") == 1)
        }
    }

    /// The fifth of March at three and at eleven in the morning of Mexico City; the bans came before the report, or behind it.
    @Test(
        arguments: [
            ("09:00:00", OutcomeChannel.phoneOut, nil, "{late,contact-window}"),
            ("17:00:00", .phoneOut, nil, "{late}"),
            ("17:00:00", .visit, "2024-03-01T00:00:00Z", "{late,visit-ban}"),
            ("17:00:00", .visit, "2024-04-07T00:00:00Z", "{late}"),
        ] as [(String, OutcomeChannel, String?, String)])
    func `what is accepted has the marks that the same report in time would have had`(
        time: String, channel: OutcomeChannel, banned: String?, marks: String
    ) async throws {
        var pace = Upkeep.Pace()
        // What the cadence says of it is marked later, by whoever follows the ledger.
        pace.round = .seconds(3_600)
        try await DealtMonth.with(pace: pace) { month in
            let link = try month.database.link()
            try link.script("UPDATE hand SET rule_packs = '{fna}'")
            if let banned { try link.script("INSERT INTO visit_ban VALUES (9, 0, 'fna', '\(banned)')") }
            let node = try await DealtMonth.startNode(month.database, pace)
            let agent = try await month.connect(1, to: node)
            let account = try #require(try await agent.lease(DealtMonth.lease(1, max: 1)).leasedAccounts.first)
            try month.setClock("2024-04-06T06:00:01Z")
            var report = try DealtMonth.report(2, account, at: "2024-03-05T\(time)Z")
            report.channel = channel
            let number = try #require(try await agent.report(report).fields.number("evidence"))
            _ = try Adjudication.decide([number], .accepted, reason: "line-down", by: "ana", link)
            #expect(try link.run("SELECT marks::text FROM outcome").first?.text(0) == marks)
            await node.stop()
        }
    }

    /// The next holder's report holds its grant until it is committed.
    @Test(.timeLimit(.minutes(1)))
    func `a report of the next holder that is under way comes before the decision`() async throws {
        try await DealtMonth.with { month in
            let agent = try await month.connect(1)
            let account = try #require(try await agent.lease(DealtMonth.lease(1, max: 1)).leasedAccounts.first)
            try month.setClock("2024-04-06T06:00:01Z")
            let late = try await agent.report(DealtMonth.report(2, account, at: "2024-03-05T15:00:00Z"))
            let number = try #require(late.fields.number("evidence"))
            _ = try await month.connect(2).lease(DealtMonth.lease(1, max: 1))
            let reporting = try month.database.link("reporting")
            try reporting.script("INSERT INTO deal VALUES (9, \(account.account), 2, 2, 1)")
            try reporting.script(
                """
                BEGIN;
                SELECT FROM lease_grant WHERE hand_id = 2 FOR KEY SHARE;
                INSERT INTO outcome (period, delegation_id, agency_id, instance_id, key, outcome_id, account_id, epoch, hand_id,
                       position, contract_id, worked_at, received_at, channel, contact, result, request_hash)
                VALUES (202403, 9, 2, 1, 1, 9000, \(account.account), 2, 2, 1, 2, now_instant(), now_instant(), 'sms', 'none',
                        'no-answer', '')
                """)
            async let decided = onThread {
                do {
                    return try Adjudication.decide(
                        [number], .accepted, reason: "x", by: "ana", try month.database.link("person"))
                } catch let failure as CommandFailure {
                    return failure.found
                }
            }
            try await until { try month.database.waiting("person") == 1 }
            try reporting.script("COMMIT")
            #expect(
                try await decided
                    == "evidence \(number) cannot be accepted: the next holder has reported on the account")
        }
    }
}
