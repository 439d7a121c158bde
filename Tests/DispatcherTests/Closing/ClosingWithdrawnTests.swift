// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import PgStore
import TestSupport
import Testing

/// What an order takes out of a hand and a round deals to the same contract again was never taken from it.
struct ClosingWithdrawnTests {
    private struct Counted: Equatable {
        var dealt: Int64
        var withdrawn: [String: Int64]
        var assigned: Int64
        /// Of the goal of 48 accounts worked, where it was lowered.
        var goal: String?
    }

    /// Of contract 1 in delegation 9; the last three of its first hand wait there, and nothing ended them.
    private static let month = """
        DELETE FROM ending WHERE delegation_id = 9 AND hand_id = 1 AND position > 9;
        INSERT INTO schedule VALUES ('fines', 'penalty', '2023-01-01', 'PEN-02', 'rate', '5'),
            ('fines', 'penalty', '2023-01-01', 'PEN-02', 'threshold', '80');
        INSERT INTO fact (period, fact_id, kind, contract_id, delegation_id, on_date, subject, value, minimum, weight, import_id)
        SELECT 202403, 'G', 'goal', 1, 9, '2024-03-01', 'worked', '', '48', '1', max(import_id) FROM import;
        """
    private static let taken = """
        UPDATE hand SET state = 'closed', withdrawn_at = '2024-03-20T18:00:00Z', withdrawn_from = 9, withdrawn_reason = 'hold'
         WHERE delegation_id = 9 AND hand_id = 1;
        """
    /// To the same contract, into its front hand.
    private static let dealtAgain = """
        INSERT INTO position
        SELECT 9, f.hand_id, f.size + p.position - 9, p.account_id, 3, 0, 0, 0, 1, p.tactic, 1, 0, 0, 9001, ''
          FROM position p, hand f
         WHERE p.delegation_id = 9 AND p.hand_id = 1 AND p.position > 9
           AND f.delegation_id = 9 AND f.is_front AND f.contract_ids = '{1}';
        INSERT INTO deal SELECT delegation_id, account_id, epoch, hand_id, position FROM position WHERE epoch = 3;
        UPDATE hand SET size = size + 3 WHERE delegation_id = 9 AND is_front AND contract_ids = '{1}';
        """
    private static let takenAgain = """
        UPDATE hand SET state = 'closed', withdrawn_at = '2024-03-25T18:00:00Z', withdrawn_from = size - 3, withdrawn_reason = 'hold'
         WHERE delegation_id = 9 AND is_front AND contract_ids = '{1}';
        """

    private func counted(_ link: PgLink) throws -> Counted {
        let month = try MonthClosing(link, period: ClosingFixture.period).preview()
        let section = try #require(
            try StatementDocument(month.statements[0].body).sections.first { $0.delegation == 9 })
        let indicators = try #require(section.indicators)
        return Counted(
            dealt: indicators.dealt.values.reduce(0, +), withdrawn: indicators.withdrawn, assigned: indicators.assigned,
            goal: (section.notesInEnglish ?? []).first { $0.hasPrefix("Goal G ") })
    }

    @Test(arguments: 1...4)
    func
        `an account that an order took back and a round dealt to the same contract again counts once, and lowers no goal`(
            seed: Int
        ) async throws
    {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: seed)
            try link.script(Self.month)
            let before = try counted(link)

            try link.script(Self.taken)
            let taken = try counted(link)
            let gone = before.withdrawn.values.reduce(3, +)
            #expect(taken.dealt == before.dealt && taken.assigned == before.assigned - 3)
            #expect(taken.withdrawn.values.reduce(0, +) == gone && taken.goal != before.goal)

            try link.script(Self.dealtAgain)
            #expect(try counted(link) == before)

            try link.script(Self.takenAgain)
            #expect(try counted(link) == taken)
        }
    }
}
