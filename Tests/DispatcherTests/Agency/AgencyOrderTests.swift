// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import Foundation
import PgStore
import TestSupport
import Testing

/// Holds, suspensions and terminations while agencies are at work: a real node, a real server, real sockets.
struct AgencyOrderTests {
    @discardableResult
    private func order(
        _ action: AgencyOrder.Action, _ month: DealtMonth, agency: String = "ACE01", strategy: String? = nil,
        band: String? = nil, recallOn: String? = nil, preview: Bool = false, json: Bool = false
    ) throws -> String {
        try AgencyOrder(
            action, agency: agency, strategy: strategy, band: band, motive: "audit", recallOn: recallOn, by: "ana"
        ).run(on: try month.database.link(), isPreview: preview, asJSON: json)
    }

    /// The stop of a pull, asked for until the node has read what is in force; the time limit of the test bounds it.
    private func stop(_ agent: AgentConnection, from key: Int64, until wanted: String) async throws -> String? {
        var next = key
        while true {
            let stop = try await agent.lease(DealtMonth.lease(next, max: 1)).fields["stop"]
            if stop == wanted { return stop }
            next += 1
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `an agency on hold can pull nothing from that instant, keeps what it holds, and is told why`() async throws {
        try await DealtMonth.with(pace: DealtMonth.quickPace) { month in
            let agent = try await month.connect(1)
            let accounts = try await agent.lease(DealtMonth.lease(1)).leasedAccounts
            let text = try order(.hold, month)
            // The very next pull, whether the node knows or not.
            let next = try await agent.lease(DealtMonth.lease(2))
            let told = await agent.next(.paused)

            #expect(text.contains("15 accounts that it had not pulled withdrawn"))
            #expect(next.leasedAccounts.isEmpty)
            #expect(try await stop(agent, from: 3, until: "suspended") == "suspended")
            #expect(told?["reason"] == "audit" && told?["by"] == "institution")
            #expect(try await agent.report(DealtMonth.report(900, accounts[0])).isOK)
            #expect(try month.number("SELECT limit_accounts FROM quota WHERE contract_id = 1") == 5)
            #expect(try month.number("SELECT count(*) FROM hand WHERE state = 'closed' AND withdrawn_from = 5") == 1)
            #expect(try month.number("SELECT count(*) FROM hand WHERE state = 'open'") == 1)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `once an agency has been told, the very next pull says the order's word, however rarely the hands are read`()
        async throws
    {
        var pace = DealtMonth.quickPace
        pace.round = .seconds(3_600)
        try await DealtMonth.with(pace: pace) { month in
            let agent = try await month.connect(1)
            try order(.hold, month)
            #expect(await agent.next(.paused) != nil)
            #expect(try await agent.lease(DealtMonth.lease(1)).fields["stop"] == "suspended")
            try order(.release, month)
            #expect(await agent.next(.resumed) != nil)
            #expect(try await agent.lease(DealtMonth.lease(2)).fields["stop"] == "empty")
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a released agency is told, and its pulls say that nothing is dealt`() async throws {
        try await DealtMonth.with(pace: DealtMonth.quickPace) { month in
            let agent = try await month.connect(1)
            try order(.hold, month)
            #expect(try await stop(agent, from: 1, until: "suspended") == "suspended")
            try order(.release, month)

            #expect(await agent.next(.resumed)?["strategy"] == "administrative")
            #expect(try await stop(agent, from: 200, until: "empty") == "empty")
            #expect(try month.number("SELECT count(*) FROM agency_order WHERE ordered_by = 'ana'") == 2)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a terminated agency works off a recall in two steps, extends nothing, and then signs in no more`()
        async throws
    {
        try await DealtMonth.with(pace: DealtMonth.quickPace) { month in
            let agent = try await month.connect(1)
            let leased = try await agent.lease(DealtMonth.lease(1))
            let account = try #require(leased.leasedAccounts.first)
            let text = try order(.terminate, month, recallOn: "2024-03-20")
            #expect(text.contains("5 that it holds recalled, final 2024-03-20"))
            let again = try await month.connect(1, instance: "two")
            #expect(try await again.report(DealtMonth.report(2, account)).isOK)
            #expect(try await again.object(DealtMonth.object(3, account)).isOK)
            let grant = try #require(leased.fields["grant"].flatMap(GrantID.init(text:)))
            let extended = try await again.extend(
                ExtendRequest(
                    key: 4, delegation: DealtMonth.delegation, grant: grant,
                    until: try #require(Timestamp(text: "2024-04-20T06:00:00Z"))))
            #expect(extended.code == .terminated)
            try month.setClock("2024-05-20T06:00:00Z")
            try await until { try month.number("SELECT count(*) FROM lease_grant WHERE state = 'open'") == 0 }
            await #expect(throws: (any Error).self) { try await month.connect(1, instance: "three") }
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a terminated agency that gave all of it back signs in until the term is over, and reports late`()
        async throws
    {
        try await DealtMonth.with(pace: DealtMonth.quickPace) { month in
            let agent = try await month.connect(1)
            let account = try #require(try await agent.lease(DealtMonth.lease(1, max: 1)).leasedAccounts.first)
            #expect(try await agent.giveBack(DealtMonth.giveBack(2, account)).isOK)
            _ = try order(.terminate, month)
            let again = try await month.connect(1, instance: "two")
            #expect(try await again.report(DealtMonth.report(3, account)).code == .closed)
            try month.setClock("2024-05-20T06:00:00Z")
            try await until { try month.number("SELECT count(*) FROM lease_grant WHERE state = 'open'") == 0 }
            await #expect(throws: (any Error).self) { try await month.connect(1, instance: "three") }
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a suspended band is passed over, and the rest of the hand is pulled as before`() async throws {
        try await DealtMonth.with(pace: DealtMonth.quickPace) { month in
            try month.database.link().script("UPDATE position SET tactic = 'signed' WHERE position % 2 = 0")
            let agent = try await month.connect(1)
            let text = try order(.suspend, month, strategy: "administrative", band: "signed")
            let pulled = try await agent.lease(DealtMonth.lease(1, max: 100)).leasedAccounts

            #expect(text.contains("10 accounts"))
            #expect(pulled.map(\.account.value) == stride(from: 1_001, to: 1_020, by: 2).map(Int64.init))
            #expect(try month.number("SELECT count(*) FROM ending WHERE kind = 'withdrawal' AND NOT was_held") == 10)
            #expect(try month.number("SELECT count(*) FROM ending WHERE reason = 'suspension'") == 10)
        }
    }

    @Test func `a preview counts the same and changes nothing`() async throws {
        try await DealtMonth.with { month in
            let agent = try await month.connect(1)
            _ = try await agent.lease(DealtMonth.lease(1))
            let preview = try order(.terminate, month, recallOn: "2024-03-20", preview: true)

            #expect(preview.contains("15 accounts that it had not pulled would be withdrawn"))
            #expect(preview.contains("5 that it holds would be recalled"))
            #expect(
                try month.number(
                    "SELECT (SELECT count(*) FROM agency_order) + (SELECT count(*) FROM notice) + (SELECT count(*) FROM push)"
                ) == 0)
            #expect(try month.number("SELECT count(*) FROM hand WHERE state = 'open'") == 2)
        }
    }

    private struct Said: Decodable {
        struct Place: Decodable, Equatable {
            let delegation: Int16
            let strategy: String
            let withdrawn, held, recalled, dealtToOthers: Int64
        }
        let withdrawn, held, recalled: Int64
        let places: [Place]
    }

    private func said(_ text: String) throws -> Said { try JSONDecoder().decode(Said.self, from: Data(text.utf8)) }

    @Test func `a preview says per delegation and strategy what the order then does, of a band that band alone`()
        async throws
    {
        try await DealtMonth.with { month in
            let link = try month.database.link()
            try link.script("UPDATE position SET tactic = 'signed' WHERE position % 2 = 0")
            let agent = try await month.connect(1)
            _ = try await agent.lease(DealtMonth.lease(1))
            // Stopped while it waited: nobody withdraws it any more.
            try link.script(
                """
                INSERT INTO ending SELECT delegation_id, account_id, epoch, 'exclusion', 'payoff', now_instant(), hand_id,
                                          position, false FROM position WHERE hand_id = 1 AND position = 12
                """)
            func both(_ action: AgencyOrder.Action, _ strategy: String?, _ band: String?, _ day: String?) throws
                -> [Said]
            {
                try [true, false].map {
                    try said(
                        order(action, month, strategy: strategy, band: band, recallOn: day, preview: $0, json: true))
                }
            }
            // 2 and 4 of the five are held; 6 to 20 wait, less one.
            let band = try both(.suspend, "administrative", "signed", "2024-03-20")
            for said in band {
                #expect(
                    said.places == [
                        .init(
                            delegation: 9, strategy: "administrative", withdrawn: 7, held: 2, recalled: 2,
                            dealtToOthers: 0)
                    ])
            }
            // The rest; a recall that is under way is not given notice of again.
            let hold = try both(.hold, nil, nil, "2024-03-20")
            for said in hold {
                #expect(
                    said.places == [
                        .init(
                            delegation: 9, strategy: "administrative", withdrawn: 7, held: 5, recalled: 3,
                            dealtToOthers: 0)
                    ])
            }
            #expect(try month.number("SELECT count(*) FROM notice") == 5)
            let kept = try both(.hold, nil, nil, nil)
            #expect(kept.map(\.recalled) == [0, 0] && kept.map(\.held) == [5, 5] && kept.map(\.withdrawn) == [0, 0])
        }
    }

    @Test func `what waits in a shared hand is not withdrawn, and a preview does not say so`() async throws {
        try await DealtMonth.with { month in
            try month.database.link().script("UPDATE hand SET contract_ids = '{1,2}' WHERE hand_id = 1")
            #expect(try said(order(.hold, month, preview: true, json: true)).withdrawn == 0)
            #expect(try said(order(.hold, month, json: true)).withdrawn == 0)
            #expect(try month.number("SELECT count(*) FROM hand WHERE state = 'open'") == 2)
        }
    }

    @Test func `orders that do not fit are refused with what to do`() async throws {
        try await DealtMonth.with { month in
            #expect(throws: CommandFailure.self) { try order(.suspend, month) }
            #expect(throws: CommandFailure.self) { try order(.hold, month, agency: "ACE77") }
            #expect(throws: CommandFailure.self) { try order(.hold, month, recallOn: "2024-03-01") }
            #expect(throws: CommandFailure.self) { try order(.suspend, month, band: "signed") }
            try order(.terminate, month)
            #expect(throws: CommandFailure.self) { try order(.release, month) }
        }
    }

    @Test func `the ledger has the order, each withdrawn hand and each lowered limit`() async throws {
        try await DealtMonth.with { month in
            try order(.hold, month, json: true)
            let blocks = try month.database.link().run("SELECT records FROM block ORDER BY transaction, block_id")
            let records = blocks.flatMap { LedgerBlock.unpack($0.bytes(0)) }.map { String(decoding: $0, as: UTF8.self) }

            #expect(
                records == [
                    "standing agency=ACE01 delegation=9 action=hold motive=audit held=keep by=ana at=2024-03-04T15:00:00.000Z",
                    "withdrawal delegation=9 hand=1 from=1 accounts=20 reason=hold at=2024-03-04T15:00:00.000Z",
                    "quota why=hold delegation=9 strategy=administrative portfolio=telephone contract=1 accounts=0 exposure=none",
                ])
        }
    }

    @Test func `the list says who stands how, and of one agency what was ever ordered`() async throws {
        try await DealtMonth.with { month in
            try order(.suspend, month, strategy: "administrative", band: "signed")
            try order(.hold, month)
            let link = try month.database.link()
            let all = try AgencyList.text(agency: nil, asJSON: false, link).split(separator: "\n")
            let one = try AgencyList.text(agency: "ACE01", asJSON: false, link).split(separator: "\n")

            #expect(all.count == 3)
            #expect(all[1].contains("hold") && all[1].contains("administrative:signed") && all[2].contains("active"))
            #expect(one.count == 5 && one[3].contains("hold") && one[4].contains("suspend"))
        }
    }
}
