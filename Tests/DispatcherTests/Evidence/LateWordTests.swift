// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import PgStore
import Simulation
import TestSupport
import Testing

/// Returns and objections that come too late: refused by name, kept with their reason, and of no effect.
struct LateWordTests {
    @Test func `what is kept of an agency drains within a day`() throws {
        let (one, two) = (try #require(AgencyID(1)), try #require(AgencyID(2)))
        var bounds = EvidenceBounds(perDay: 100)
        bounds.keep(98, of: one, at: 0)
        #expect(bounds.room(of: one, at: 0) == 2 && bounds.room(of: two, at: 0) == 100)
        bounds.keep(2, of: one, at: 0)
        #expect(bounds.room(of: one, at: 0) == 0 && bounds.wait(of: one, at: 0) == 864)
        #expect(bounds.room(of: one, at: 864_000_000) == 1)
        #expect(bounds.room(of: one, at: 86_400_000_000) == 100)
    }

    @Test(.timeLimit(.minutes(1)))
    func `above the day's bound what comes too late is refused for now, kept nowhere, and taken later under its key`()
        async throws
    {
        var limits = LeaseEngine.Limits()
        limits.evidencePerDay = 2
        try await DealtMonth.with(engine: limits) { month in
            let agent = try await month.connect(1)
            let accounts = try await agent.lease(DealtMonth.lease(1, max: 4)).leasedAccounts
            for account in accounts.prefix(3) {
                try month.database.link().script(
                    """
                    INSERT INTO ending (delegation_id, account_id, epoch, kind, reason, ended_at, hand_id, position, was_held)
                    SELECT 9, account_id, 1, 'recall', 'x', now_instant(), hand_id, position, true FROM position
                     WHERE account_id = \(account.account)
                    """)
            }
            let late = try await agent.send(
                accounts.prefix(3).enumerated().map { .giveBack(DealtMonth.giveBack(Int64($0) + 2, $1)) })
            #expect(late.map(\.code) == [.recalled, .recalled, .limit])
            #expect(late[2].fields["reason"] == "evidence" && late[2].afterSeconds.map { $0 > 43_000 } == true)
            #expect(try await agent.report(DealtMonth.report(5, accounts[0])).code == .limit)
            #expect(try await agent.report(DealtMonth.report(6, accounts[3])).isOK)
            #expect(try month.number("SELECT count(*) FROM evidence") == 2)
            // Another node has bounds of its own, and the key was not used.
            let other = try await DealtMonth.startNode(month.database)
            let elsewhere = try await month.connect(1, sequence: 2, to: other)
            #expect(try await elsewhere.giveBack(DealtMonth.giveBack(4, accounts[2])).code == .recalled)
            await other.stop()
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `late returns and objections are kept under their own keys, listed with their reason, and count for nothing`()
        async throws
    {
        try await DealtMonth.with(pace: DealtMonth.quickPace) { month in
            let agent = try await month.connect(1)
            let accounts = try await agent.lease(DealtMonth.lease(1, max: 2)).leasedAccounts
            let account = accounts[1]
            try month.setClock("2024-04-05T07:00:00Z")
            // One key in three verbs: it is scoped to the verb.
            let report = try await agent.report(DealtMonth.report(2, accounts[0], at: "2024-03-05T15:00:00Z"))
            let back = try await agent.giveBack(DealtMonth.giveBack(2, account))
            let object = try await agent.object(DealtMonth.object(2, account))

            #expect([report.code, back.code, object.code] == [.expired, .expired, .expired])
            #expect([report, back, object].map { $0.fields["counts"] } == ["yes", "no", "no"])
            #expect(Set([report, back, object].map { $0.fields["evidence"] }).count == 3)
            let again = try await agent.report(DealtMonth.report(2, accounts[0], at: "2024-03-05T15:00:00Z"))
            #expect(again.text == report.text)
            #expect(try await agent.giveBack(DealtMonth.giveBack(2, account)).text == back.text)
            #expect(try await agent.object(DealtMonth.object(2, account)).text == object.text)
            #expect(try month.number("SELECT count(*) FROM evidence") == 3)

            let link = try month.database.link()
            let list = try Adjudication.list(waiting: false, agency: "ACE01", asJSON: false, link)
            #expect(list.contains("RETURN") && list.contains("unlocatable"))
            #expect(list.contains("OBJECT") && list.contains("promise-pending"))
            #expect(try Adjudication.list(waiting: true, agency: nil, asJSON: false, link).hasPrefix("no evidence"))
            let number = try #require(back.fields.number("evidence"))
            #expect(throws: CommandFailure.self) {
                try Adjudication.decide([number], .accepted, reason: "x", by: "ana", link)
            }
            let why = try await agent.explain(
                ExplainRequest(delegation: DealtMonth.delegation, subject: .account(account.account)))
            #expect(why.data.suffix(2).map { $0["event"] } == ["late-return", "late-objection"])
            #expect(why.data.suffix(2).map { $0["reason"] } == ["unlocatable", "promise-pending"])
            #expect(try month.number("SELECT count(*) FROM ending") == 0)
            // Conduct is about reports, and the judge sees one key in three verbs. The limits of this month nobody put in force.
            let conduct = try link.readConduct(
                try #require(Period(number: 202403)), from: try #require(Timestamp(text: "2024-03-01T06:00:00Z")),
                until: try #require(Timestamp(text: "2024-05-01T06:00:00Z")))
            #expect(conduct.first { $0.agency.value == 1 }?.evidence == 1)
            let findings = Judge.judge(try HistoryReader(link, operations: []).history(DealtMonth.delegation)).findings
            #expect(findings.filter { $0.invariant != .quotas && $0.invariant != .deals }.isEmpty, "\(findings)")
            // Each is a record of the ledger, and what it is about is no other agency's business.
            let records = try link.run("SELECT records FROM block").flatMap { LedgerBlock.unpack($0.bytes(0)) }
            let kept = records.map { String(decoding: $0, as: UTF8.self) }.filter { $0.hasPrefix("evidence ") }
            #expect(kept.count == 3)
            #expect(kept.filter { $0.contains(" verb=RETURN ") }.count == 1)
            #expect(kept.filter { $0.contains(" verb=OBJECT ") }.count == 1)
            let stranger = try await month.connect(2).giveBack(DealtMonth.giveBack(2, account))
            #expect(stranger.code == .unknown && stranger.fields["epoch"] == nil)
            // Whose row calls a return a report contradicts its record.
            let judged = {
                let history = try HistoryReader(link, operations: [], comparesRecords: true).history(
                    DealtMonth.delegation)
                return Judge.judge(history).findings.filter { $0.invariant == .records }.map(\.found)
            }
            #expect(try judged() == [])
            try link.script("UPDATE evidence SET verb = 'REPORT', key = 99 WHERE verb = 'RETURN' AND agency_id = 1")
            let tampered = try judged()
            #expect(tampered == ["a row is not what was recorded of it"], "\(tampered)")
        }
    }

    /// Between a recall's date and its ending lies a second, in which the lease is still live.
    @Test func `an objection on the date of the recall is late, ended or not`() async throws {
        var pace = DealtMonth.quickPace
        pace.round = .seconds(3_600)
        try await DealtMonth.with(pace: pace) { month in
            let agent = try await month.connect(1)
            let accounts = try await agent.lease(DealtMonth.lease(1, max: 2)).leasedAccounts
            try month.notice(accounts)
            try month.setClock("2024-03-20T05:59:59Z")
            #expect(try await agent.object(DealtMonth.object(2, accounts[0])).isOK)
            try month.setClock("2024-03-20T06:00:00Z")
            let late = try await agent.object(DealtMonth.object(3, accounts[1]))
            #expect(late.code == .recalled && late.fields["counts"] == "no")
            #expect(try month.number("SELECT count(*) FROM ending") == 0)
            #expect(try month.number("SELECT count(*) FROM notice WHERE objected_at IS NOT NULL") == 1)
        }
    }
}
