// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
import PgStore
import Testing

/// Sessions of mediation are given out when the month is segmented, two in each delegation here (SEG-08): a start gives none, and
/// takes none from who would be invited still.
struct StartMediationTests {
    private func candidate(_ month: StartedMonth, strategy: Int) throws -> Int64 {
        try month.number(
            """
            SELECT p.account_id FROM placement p JOIN account a USING (period, delegation_id, account_id)
             WHERE p.delegation_id = 9 AND p.strategy = \(strategy) AND a.arrears > 9 ORDER BY 1 LIMIT 1
            """)
    }

    @Test(arguments: [(9, false), (10, true), (11, true)])
    func `who has a session keeps it above nine arrears when another payment is missed`(
        arrears: Int, isInvited: Bool
    ) async throws {
        try await StartedMonth.with(accounts: 1_900) { month in
            let account = try candidate(month, strategy: 4)
            let sessions = try month.count("placement WHERE delegation_id = 9 AND strategy = 4")
            let hand = """
                SELECT h.contract_ids::text FROM deal d JOIN hand h USING (delegation_id, hand_id)
                 WHERE d.account_id = \(account) AND h.strategy = 4 ORDER BY d.epoch DESC LIMIT 1
                """
            let contracts = try month.text(hand)
            let report = try month.start(
                "\(account),9,missed-payment,2024-03-11,\(arrears)", columns: ",arrears")
            let explained = try month.month.explain(account)
            let rule = try month.text("SELECT rule FROM placement WHERE account_id = \(account)")

            #expect(sessions == 2)
            #expect(rule.hasPrefix(isInvited ? "mediation." : "dual."))
            #expect(report.count("moved to the front of the hands where they waited") == (isInvited ? 1 : 0))
            #expect(
                try month.count("deal d JOIN hand h USING (delegation_id, hand_id) WHERE h.strategy = 4 AND h.is_front")
                    == (isInvited ? 1 : 0))
            #expect(try month.text(hand) == contracts)
            #expect(explained.decision.rule == rule)
            let kept = "sessions of mediation were given out when 2024-03 was segmented, and it keeps its own"
            #expect(explained.notes == (isInvited ? [kept] : []))
            #expect(try month.broken() == [])
        }
    }

    @Test func `a candidate without a session gets none by a start`() async throws {
        try await StartedMonth.with(accounts: 1_900) { month in
            let account = try candidate(month, strategy: 3)
            try month.start("\(account),9,missed-payment,2024-03-11,12", columns: ",arrears")
            let explained = try month.month.explain(account)

            #expect(try month.text("SELECT rule FROM placement WHERE account_id = \(account)").hasPrefix("dual."))
            #expect(try month.count("placement WHERE delegation_id = 9 AND strategy = 4") == 2)
            #expect(
                explained.notes
                    == ["sessions of mediation were given out when 2024-03 was segmented, so it was not invited"])
        }
    }
}
