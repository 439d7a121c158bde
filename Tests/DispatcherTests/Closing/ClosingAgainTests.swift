// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import PgStore
import Testing

/// Accounts that come to a contract twice in a month, and hands that were taken from it.
struct ClosingAgainTests {
    private static let plan = """
        INSERT INTO schedule VALUES ('fines', 'penalty', '2023-01-01', 'PEN-02', 'rate', '5'),
            ('fines', 'penalty', '2023-01-01', 'PEN-02', 'threshold', '80');
        """

    private static func goal(_ subject: String, _ minimum: Int) -> String {
        LeanMonth.fact("G", "kind, subject, value, minimum, weight", "'goal', '\(subject)', '', '\(minimum)', '1'")
    }

    // MARK: - Shared hands

    /// 8,000 accounts at 400 per adviser, 20 present. Of 8,000 pulled from a shared hand 30 came back, and a round dealt them to who had
    /// them before, in a hand of its own.
    @Test func `an account of a shared hand that comes back to its contract counts once (PEN-01)`() async throws {
        let month =
            "UPDATE contract_capacity SET accounts_per_adviser = 400;"
            + LeanMonth.hand(1, 1...8_000, contracts: [1, 2], overdue: 1_000)
            + LeanMonth.grant(1, 1...8_000) + LeanMonth.ended(1, 1...30, "return", "capacity")
            + LeanMonth.hand(2, 1...30, epoch: 2, overdue: 1_000, isFront: true)
            + "UPDATE hand SET redeal_id = 1, opened_at = '2024-03-16T18:00:00Z' WHERE hand_id = 2;"
            + LeanMonth.grant(2, 1...30, at: "2024-03-17T18:00:00Z")
            + LeanMonth.fact("S", "kind, portfolio, value", "'staffing', 1, '20'")
        try await LeanMonth.with(month) { month in
            let indicators = try #require(try month.section().indicators)
            #expect(indicators.dealt.values.reduce(0, +) == 8_000 && indicators.assigned == 8_000)
            #expect(try month.lines("penalty") == [])
            try month.link.transaction {
                let store = try ClosingStore(month.link, period: LeanMonth.march) { _ in }
                try store.attributePayments(grace: [])
                #expect(try store.dealtByTactic().map(\.dealt) == [8_000])
                // The institution takes the second deal of ten of them: they are gone.
                try month.link.script(LeanMonth.ended(2, 1...10, "recall", "ordered", at: "2024-03-20T18:00:00Z"))
                #expect(try store.endings().map { "\($0.kind) \($0.count)" }.sorted() == ["recall 10", "return 30"])
            }
        }
    }

    // MARK: - Tactics

    /// 60 dealt; a start moves 30 that wait to `signed`, of the same contract. The 30 that are left are worked, of a goal of 48.
    @Test func `a goal of a tactic falls with what a start moved to another tactic of the contract`() async throws {
        let month =
            Self.plan + LeanMonth.hand(1, 1...60) + LeanMonth.grant(1, 1...30) + LeanMonth.worked(1, 1...30)
            + LeanMonth.ended(1, 31...60, "withdrawal", "started", wasHeld: false)
            + LeanMonth.hand(2, 31...60, epoch: 2, tactic: "signed", isFront: true) + Self.goal("worked:rest", 48)
        try await LeanMonth.with(month) { month in
            let section = try month.section()
            #expect((section.notesInEnglish ?? []).contains { $0.hasPrefix("Goal G ") && $0.contains("24") })
            #expect(try month.lines("penalty") == [])
            #expect(section.indicators?.assigned == 60)
        }
    }

    /// The same where an agency gave them back: it was dealt them under that tactic, and nobody took them.
    @Test func `what an agency gave back lowers no goal of a tactic, though it comes back under another`() async throws
    {
        let month =
            Self.plan + LeanMonth.hand(1, 1...60) + LeanMonth.grant(1, 1...60) + LeanMonth.worked(1, 1...30)
            + LeanMonth.ended(1, 31...60, "return", "capacity")
            + LeanMonth.hand(2, 31...60, epoch: 2, tactic: "signed", isFront: true) + Self.goal("worked:rest", 48)
        try await LeanMonth.with(month) { month in
            let penalties = try month.lines("penalty")
            #expect(penalties == ["PEN-02 35.06"])
        }
    }

    // MARK: - Hands that were not pulled from

    /// 10,000 dealt at 400 per adviser, 4,000 pulled and worked; the rest of the hand is taken on 20 March.
    @Test(arguments: [
        ("unpulled", 10_000, ["PEN-01 105000.00", "PEN-02 4674.00"]), ("hold", 4_000, []),
    ])
    func `what its holder did not pull stays assigned, and lowers no goal`(
        reason: String, assigned: Int64, penalties: [String]
    ) async throws {
        let month =
            Self.plan + "UPDATE contract_capacity SET accounts_per_adviser = 400;"
            + LeanMonth.hand(1, 1...10_000, overdue: 1_000) + LeanMonth.grant(1, 1...4_000)
            + LeanMonth.worked(1, 1...4_000)
                + """
                UPDATE hand SET state = 'closed', withdrawn_at = '2024-03-20T18:00:00Z', withdrawn_from = 4000,
                    withdrawn_reason = '\(reason)';
                """
            + LeanMonth.fact("S", "kind, portfolio, value", "'staffing', 1, '10'") + Self.goal("worked", 8_000)
        try await LeanMonth.with(month) { month in
            let section = try month.section()
            let indicators = try #require(section.indicators)
            #expect(indicators.dealt.values.reduce(0, +) == 10_000 && indicators.assigned == assigned)
            #expect(indicators.returned["unpulled"] == (reason == "unpulled" ? 6_000 : nil))
            #expect(indicators.withdrawn.values.reduce(0, +) == (reason == "unpulled" ? 0 : 6_000))
            #expect(try month.lines("penalty") == penalties)
            try month.link.transaction {
                let store = try ClosingStore(month.link, period: LeanMonth.march) { _ in }
                try store.attributePayments(grace: [])
                let all = try IndicatorStore(month.link, period: LeanMonth.march).figures(by: .total, fees: .init())
                #expect(all.first?.figures.first { $0.indicator == .contacted }?.denominator == assigned)
            }
        }
    }
}
