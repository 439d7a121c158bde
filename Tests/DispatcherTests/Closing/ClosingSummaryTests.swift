// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import PgStore
import TestSupport
import Testing

/// The month's page against the rows that it counts.
struct ClosingSummaryTests {
    /// The fixture's front hands are a later round's; three accounts of one of them were dealt by nothing before, and two of these
    /// were given out.
    private static let round = """
        INSERT INTO redeal (period, plan_id, reason, closes_all, ordered_by, seed, digest, state, started_at, backend, backend_start,
            beat_at)
        SELECT 202403, plan_id, 'left-over', false, 'ana', 1, '', 'done', now(), 1, now(), now() FROM plan;
        UPDATE hand SET redeal_id = (SELECT redeal_id FROM redeal) WHERE is_front;
        CREATE TEMP TABLE late AS SELECT * FROM hand WHERE is_front AND size > 0 ORDER BY delegation_id, hand_id LIMIT 1;
        INSERT INTO position
        SELECT delegation_id, hand_id, size + n, 990000 + n, 1, 0, 0, 0, 1, 'rest', 1, 0, 0, 9001, '' FROM late, generate_series(1, 3) n;
        INSERT INTO deal SELECT delegation_id, 990000 + n, 1, hand_id, size + n FROM late, generate_series(1, 3) n;
        UPDATE hand h SET size = h.size + 3 FROM late l WHERE h.delegation_id = l.delegation_id AND h.hand_id = l.hand_id;
        UPDATE lease_grant g SET last_position = g.last_position + 2, accounts = g.accounts + 2
          FROM late l WHERE g.delegation_id = l.delegation_id AND g.hand_id = l.hand_id;
        DROP TABLE late;
        """

    private static let distinct = """
        SELECT count(DISTINCT (d.delegation_id, d.account_id)),
            count(DISTINCT (d.delegation_id, d.account_id)) FILTER (WHERE g.hand_id IS NOT NULL)
        FROM deal d
        LEFT JOIN lease_grant g ON g.delegation_id = d.delegation_id AND g.hand_id = d.hand_id
            AND d.position BETWEEN g.first_position AND g.last_position AND d.position <> ALL (coalesce(g.skipped, '{}'))
        """

    @Test
    func
        `a month's statements are listed as they are: those that are out before the close, those of the close after it`()
        async throws
    {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 8)
            let period = ClosingFixture.period
            let nothing = #expect(throws: CommandFailure.self) { try StatementList(link, period: period) }
            #expect(nothing?.found == "2024-03 is not closed, so it has no statements")

            _ = try StageCommands(link, needsTwo: false).issue(period, by: "Ana")
            let out = try StatementList(link, period: period)
            #expect(!out.isFinal && out.statements.map(\.contract) == [1, 2, 3])

            let month = try MonthClosing(link, period: period).close().month
            let list = try StatementList(link, period: period)
            #expect(list.isFinal && list.statements.map(\.digest) == month.statements.map { LedgerTree.hex($0.digest) })
            for (row, statement) in zip(list.statements, month.statements) {
                let totals = try StatementDocument(statement.body).totals
                #expect(row.payable == totals.payable && row.fees == totals.fees && row.penalties == totals.penalties)
                let sum = [row.fees, row.tax].compactMap { Cents(pesos: $0) }.reduce(.zero, +)
                #expect("\(sum - (Cents(pesos: row.penalties) ?? .zero))" == row.payable)
            }
            #expect(try list.text(asJSON: false).hasSuffix("3 statements of 2024-03"))
        }
    }

    @Test func `what found a contract only in a later round is dealt and leased too, and nothing is so twice`()
        async throws
    {
        try await TestDatabase.with { database in
            let link = try database.link()
            for seed in 1...5 {
                try ClosingFixture.make(link, seed: seed)
                try link.script(Self.round)
                let again = try link.run("SELECT count(*) FROM deal WHERE epoch = 2")[0].int64(0)
                try #require(again > 0)

                let strategies = try MonthClosing(link, period: ClosingFixture.period).preview().summary.strategies

                let rows = try link.run(Self.distinct)[0]
                #expect(strategies.reduce(0) { $0 + $1.dealt } == rows.int64(0), "seed \(seed)")
                #expect(strategies.reduce(0) { $0 + $1.leased } == rows.int64(1), "seed \(seed)")
                try link.script("TRUNCATE redeal CASCADE;" + ClosingFixture.emptied)
            }
        }
    }
}
