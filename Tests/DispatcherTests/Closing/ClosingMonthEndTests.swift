// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import PgStore
import Testing

/// What is dealt into hands of a month that is over is none of it, though the next plan closes them days later (decision 158).
struct ClosingMonthEndTests {
    /// 8,000 accounts at 400 per adviser, 20 present; a round deals 3,000 more.
    private static func month(roundOpened day: String) -> String {
        "UPDATE contract_capacity SET accounts_per_adviser = 400;" + LeanMonth.hand(1, 1...8_000)
            + LeanMonth.hand(2, 8_001...11_000, isFront: true)
            + "UPDATE hand SET redeal_id = 1, opened_at = '\(day)' WHERE hand_id = 2;"
            + LeanMonth.fact("S", "kind, portfolio, value", "'staffing', 1, '20'")
    }

    @Test(arguments: [
        ("2024-04-02T18:00:00Z", 8_000, [String]()), ("2024-04-01T06:00:00Z", 8_000, []),
        ("2024-04-01T05:59:59Z", 11_000, ["PEN-01 56000.00"]),
    ])
    func `advisers are required for what was dealt in the month (PEN-01)`(
        opened: String, dealt: Int64, penalties: [String]
    ) async throws {
        try await LeanMonth.with(Self.month(roundOpened: opened)) { month in
            let indicators = try #require(try month.section().indicators)
            #expect(indicators.dealt.values.reduce(0, +) == dealt && indicators.assigned == dealt)
            #expect(try month.lines("penalty") == penalties)
        }
    }

    /// The same accounts again, to the same contract, on 2 April: the deal of March is the one that counts, once.
    @Test func `an account that is dealt again after the month counts by its deal within it`() async throws {
        try await LeanMonth.with(
            LeanMonth.hand(1, 1...100, overdue: 1_000) + LeanMonth.ended(1, 1...40, "return", "capacity")
                + LeanMonth.hand(2, 1...40, epoch: 2, tactic: "signed", isFront: true)
                + "UPDATE hand SET redeal_id = 1, opened_at = '2024-04-02T18:00:00Z' WHERE hand_id = 2;"
        ) { month in
            let indicators = try #require(try month.section().indicators)
            #expect(indicators.dealt.values.reduce(0, +) == 100 && indicators.assigned == 100)
            try month.link.transaction {
                let store = try ClosingStore(month.link, period: LeanMonth.march) { _ in }
                #expect(try store.dealtByTactic().map { "\($0.tactic) \($0.dealt)" } == ["rest 100"])
                try store.attributePayments(grace: [])
                #expect(try store.strategies().map(\.dealt) == [0, 100, 0, 0])
                let indicators = try IndicatorStore(month.link, period: LeanMonth.march)
                #expect(try indicators.figures(by: .tactic, fees: .init()).map(\.key) == ["rest"])
            }
        }
    }
}
