// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
import PgStore
import TestSupport
import Testing

/// What an order about an agency says of itself: what it did, what would have happened anyway, and what goes on.
struct AgencyOrderReportTests {
    @discardableResult
    private func order(
        _ action: AgencyOrder.Action, _ month: StartedMonth, agency: String = "ACE01", strategy: String? = nil,
        band: String? = nil, recallOn: String? = nil, by: String = "ana", withdrawsRecalls: Bool = false,
        preview: Bool = false, json: Bool = false
    ) throws -> String {
        try AgencyOrder(
            action, agency: agency, strategy: strategy, band: band, motive: "audit", recallOn: recallOn, by: by,
            withdrawsRecalls: withdrawsRecalls
        ).run(on: month.link, isPreview: preview, asJSON: json)
    }

    /// Leases five accounts of contract 1 and gives three of them back.
    private func returnThree(_ month: StartedMonth) throws {
        let hand = try month.hand(of: 1)
        try month.month.lease(hand: hand, accounts: 5)
        for place in 1...3 {
            let account = try month.number(
                "SELECT account_id FROM position WHERE hand_id = \(hand) AND position = \(place)")
            try month.giveBack(account, reason: "no-progress")
        }
    }

    @Test func `an order tells what waited for others before apart from what it withdraws`() async throws {
        try await StartedMonth.with { month in
            try returnThree(month)
            let mine = try month.count(month.waiting + " AND h.contract_ids = '{2}'")
            let waited = try RedealRun(month.link, scope: RedealScope(.leftOver), reason: "left-over", by: "ana")
                .preview().demand
            #expect(waited >= 3)
            let preview = try order(.hold, month, agency: "ACE02", preview: true)
            #expect(mine > 0)
            #expect(preview.contains("\(mine) accounts that it had not pulled would be withdrawn"))
            #expect(
                preview.contains(
                    "\(mine + waited) accounts would wait for others: \(mine) by this order, \(waited) anyway"))

            let text = try order(.hold, month, agency: "ACE02")
            #expect(
                text.contains(
                    "\(mine + waited) accounts waited for others: \(mine) by this order, \(waited) from before"))
            let left = try RedealRun(month.link, scope: RedealScope(.leftOver), reason: "left-over", by: "ana")
                .preview().demand
            let again = try order(.hold, month, agency: "ACE02")
            #expect(again.contains("0 accounts that it had not pulled withdrawn"))
            #expect(
                again.contains(left == 0 ? "nothing waits for others" : ": 0 by this order, \(left) from before"))
        }
    }

    @Test func `an order that withdraws nothing says that all that is dealt waited before it`() async throws {
        try await StartedMonth.with { month in
            try returnThree(month)
            // Whatever waited for agency 3 is gone from its hands.
            try month.link.script("UPDATE hand SET state = 'closed' WHERE contract_ids = '{3}'")
            let waited = try RedealRun(month.link, scope: RedealScope(.leftOver), reason: "left-over", by: "ana")
                .preview().demand
            let text = try order(.hold, month, agency: "ACE03")
            #expect(text.contains("0 accounts that it had not pulled withdrawn"))
            #expect(
                waited >= 3
                    && text.contains("\(waited) accounts waited for others: 0 by this order, \(waited) from before"))
            #expect(try order(.hold, month, agency: "ACE03", json: true).contains("\"waitedBefore\""))
        }
    }

    @Test func `an order whose dealing fails is in force, ends with 1, and says so in both forms`() async throws {
        try await StartedMonth.with { month in
            func hold(_ agency: String, json: Bool, preview: Bool = false) throws -> (
                text: String, failure: CommandFailure?
            ) {
                try AgencyOrder(
                    .hold, agency: agency, strategy: nil, band: nil, motive: "audit", recallOn: nil, by: "ana"
                ).result(on: month.link, isPreview: preview, asJSON: json)
            }
            #expect(try hold("ACE03", json: true).failure == nil)
            #expect(try !hold("ACE03", json: true).text.contains("notDealt"))
            // Another round is at work.
            let other = try month.database.link()
            try other.script(
                """
                INSERT INTO redeal (period, plan_id, reason, closes_all, ordered_by, seed, digest, state, started_at, backend,
                                    backend_start, beat_at)
                SELECT 202403, plan_id, 'other', false, 'eva', 1, '', 'dealing', now_instant(), a.pid, a.backend_start,
                       clock_timestamp()
                  FROM plan, pg_stat_activity a WHERE a.pid = pg_backend_pid()
                """)
            let (text, failure) = try hold("ACE02", json: false)
            #expect(failure?.exit == .findings && failure?.remedy.contains("plan rebalance --left-over") == true)
            #expect(text.contains("what waits for others is not dealt yet: 2024-03 is being dealt again since"))
            #expect(try hold("ACE02", json: true).text.contains("\"notDealt\" : \"2024-03 is being dealt again since"))
            #expect(try month.text("SELECT status FROM agency WHERE agency_id = 2") == "hold")
            try other.script("SELECT 1")
        }
    }

    @Test func `while a plan is being dealt an order says so and does not fail, for the plan keeps to it`() async throws
    {
        try await StartedMonth.with(accounts: 60, applied: false) { month in
            try month.link.script(
                """
                INSERT INTO plan (period, state, seed, segmentation_digest, digest, made_at)
                VALUES (202403, 'dealing', 1, '', 'x', now_instant())
                """)
            let order = try AgencyOrder(
                .hold, agency: "ACE01", strategy: nil, band: nil, motive: "audit", recallOn: nil, by: "ana")
            let (text, failure) = try order.result(on: month.link, isPreview: false, asJSON: false)
            #expect(failure == nil && text.contains("of 2024-03 is just being dealt"))
        }
    }

    @Test func `where no month is dealt an order has nothing to deal, and does not fail`() async throws {
        try await StartedMonth.with(accounts: 60, applied: false) { month in
            let order = try AgencyOrder(
                .hold, agency: "ACE01", strategy: nil, band: nil, motive: "audit", recallOn: nil, by: "ana")
            #expect(try !order.result(on: month.link, isPreview: true, asJSON: false).text.contains("others"))
            let (text, failure) = try order.result(on: month.link, isPreview: false, asJSON: false)
            #expect(failure == nil && !text.contains("others") && text.contains("ACE01 on hold"))
        }
    }

    @Test func `a release of nothing is refused, and says what is in force`() async throws {
        try await StartedMonth.with { month in
            func refused(strategy: String? = nil, band: String? = nil, preview: Bool = false) throws -> CommandFailure {
                try #require(throws: CommandFailure.self) {
                    try order(.release, month, strategy: strategy, band: band, preview: preview)
                }
            }
            #expect(try refused().found == "ACE01 is neither on hold nor suspended")
            #expect(try refused(preview: true).exit == .usage)
            try order(.suspend, month, strategy: "administrative", band: "signed")
            #expect(try refused(strategy: "dual").found == "ACE01 is not suspended of dual")
            let other = try refused(strategy: "administrative", band: "rest")
            #expect(other.found == "ACE01 is not suspended of administrative, rest")
            #expect(other.remedy == "It is suspended of administrative, signed.")
            #expect(try month.count("agency_order") == 1)

            try order(.hold, month)
            let part = try order(.release, month, strategy: "administrative", band: "signed")
            #expect(part.contains("it is on hold still"))
            #expect(try refused(strategy: "administrative").remedy == "It is on hold.")
            #expect(try !order(.release, month).contains("still"))
            #expect(try refused().remedy == "Nothing is to be released.")
        }
    }

    @Test func `a release says which recalls go on, and withdraws them where that is asked for`() async throws {
        try await StartedMonth.with { month in
            try month.month.lease(hand: try month.hand(of: 1), accounts: 5)
            #expect(
                try order(.suspend, month, strategy: "administrative", recallOn: "2024-03-20")
                    .contains("5 that it holds recalled"))
            let preview = try order(.release, month, strategy: "administrative", preview: true)
            #expect(preview.contains("5 recalls of what it holds go on"))
            let released = try order(.release, month, strategy: "administrative")
            #expect(
                released.contains("5 recalls of what it holds go on")
                    && released.contains(
                        "release ACE01 --strategy administrative --motive audit --withdraw-recalls ends")
            )
            #expect(try month.count("notice WHERE decision IS NULL") == 5)
            // What is recalled of another strategy is not in question, and nothing else is in force.
            #expect(throws: CommandFailure.self) {
                try order(.release, month, strategy: "dual", withdrawsRecalls: true)
            }

            let ended = try order(
                .release, month, strategy: "administrative", by: "Ana Ruiz", withdrawsRecalls: true)
            #expect(ended.contains("5 recalls of what it holds withdrawn") && !ended.contains("go on"))
            #expect(try month.count("notice WHERE decision = 'withdrawn' AND decided_by = 'Ana Ruiz'") == 5)
            #expect(try month.count("push WHERE kind = 'RECALL' AND side = 'withdrawn'") == 5)
            #expect(try month.ledger().contains("decision=withdrawn reason=audit by=Ana%20Ruiz at="))
            #expect(throws: CommandFailure.self) {
                try order(.release, month, strategy: "administrative", withdrawsRecalls: true)
            }
        }
    }

    @Test func `one recall that goes on is one, and a band's release looks at its own`() async throws {
        try await StartedMonth.with { month in
            let hand = try month.hand(of: 1)
            try month.month.lease(hand: hand, accounts: 3)
            try month.link.script(
                """
                UPDATE position SET tactic = CASE position WHEN 2 THEN 'signed' ELSE 'rest' END
                 WHERE hand_id = \(hand) AND position <= 3
                """)
            let suspended = try order(
                .suspend, month, strategy: "administrative", band: "signed", recallOn: "2024-03-20", preview: true)
            #expect(suspended.contains("1 that it holds would be recalled"))
            try order(.suspend, month, strategy: "administrative", band: "signed", recallOn: "2024-03-20")
            #expect(
                try order(.release, month, strategy: "administrative", band: "signed")
                    .contains("1 recall of what it holds goes on"))
        }
    }

    @Test func `a band that the month's policy has not is refused with those that it has`() async throws {
        try await StartedMonth.with { month in
            let failure = #expect(throws: CommandFailure.self) {
                try order(.suspend, month, strategy: "administrative", band: "band-31-60", preview: true)
            }
            #expect(failure?.exit == .usage && failure?.remedy.contains("signed, high-payment-probability") == true)
            #expect(throws: CommandFailure.self) {
                try order(.suspend, month, strategy: "administrative", band: "nope")
            }
            let orders = try month.count("agency_order")
            #expect(orders == 0)
        }
    }

    @Test func `a suspension of what no contract of the agency has is refused, and a near name is offered`()
        async throws
    {
        try await StartedMonth.with(accounts: 60) { month in
            let failure = #expect(throws: CommandFailure.self) {
                try order(.suspend, month, agency: "ACE04", strategy: "dual")
            }
            #expect(failure?.exit == .usage && failure?.found == "no contract of ACE04 has dual")
            #expect(failure?.remedy == "It works preventive.")
            try order(.suspend, month, agency: "ACE04", strategy: "preventive")
            // What a contract to come has counts, what one that is over had does not.
            try month.link.script(
                "UPDATE contract SET strategies = '{1,3}', starts_on = '2024-04-01' WHERE contract_id = 4")
            _ = try order(.suspend, month, agency: "ACE04", strategy: "dual", preview: true)
            try month.link.script("UPDATE contract SET ends_on = '2024-03-12' WHERE contract_id = 3")
            _ = try order(.suspend, month, agency: "ACE03", strategy: "administrative", preview: true)
            let mediation = #expect(throws: CommandFailure.self) {
                try order(.suspend, month, agency: "ACE03", strategy: "mediation", preview: true)
            }
            #expect(mediation?.remedy == "It works administrative.")
            let near = #expect(throws: CommandFailure.self) {
                try order(.suspend, month, strategy: "administrative", band: "singed")
            }
            #expect(near?.remedy.hasPrefix("Did you mean signed? It has ") == true)
            #expect(try month.count("agency_order") == 1)
        }
    }

    @Test func `who orders is named in any spelling, and is one word in the ledger`() async throws {
        try await StartedMonth.with { month in
            try order(.hold, month, by: "Ana Ruiz")
            #expect(try month.count("agency_order WHERE ordered_by = 'Ana Ruiz'") == 1)
            #expect(try month.ledger().contains("held=keep by=Ana%20Ruiz at="))
            #expect(!(try month.ledger().contains("by=Ana Ruiz")))
            let failure = #expect(throws: CommandFailure.self) { try order(.release, month, by: "  ") }
            #expect(failure?.found == "--by names nobody")
        }
    }

    @Test func `an order about a terminated agency is refused, and changes nothing`() async throws {
        try await StartedMonth.with { month in
            try order(.terminate, month, agency: "ACE03")
            for action in [AgencyOrder.Action.release, .hold, .terminate] {
                let failure = #expect(throws: CommandFailure.self) { try order(action, month, agency: "ACE03") }
                #expect(failure?.exit == .usage && failure?.found.hasSuffix("that is for good") == true)
            }
            #expect(try month.number("SELECT count(*) FROM agency_order") == 1)
        }
    }

    @Test func `an agency that there is not is a wrong call`() async throws {
        try await StartedMonth.with(accounts: 60) { month in
            let failure = #expect(throws: CommandFailure.self) { try order(.hold, month, agency: "ACE77") }
            #expect(failure?.exit == .usage)
            let list = #expect(throws: CommandFailure.self) {
                try AgencyList.text(agency: "ACE77", asJSON: false, month.link)
            }
            #expect(list?.exit == .usage)
        }
    }
}
