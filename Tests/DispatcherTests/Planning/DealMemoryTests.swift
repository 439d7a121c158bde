// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
import PgStore
import Testing

/// What a month's deal remembers of the months before, through the real tables.
struct DealMemoryTests {
    @Test func `returns, promises, cures, debtors and searches of one month decide the next month's holders`()
        async throws
    {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            _ = try month.plan().apply()
            let hand = try month.hand(of: 1, "administrative", "telephone", in: 9)
            // Given back: the first twenty. Bound: 21 by a promise, 22 by an agreement in cure, 23 by a promise that is
            // past, 24 by an agreement that is not in cure.
            try month.lease(hand: hand, accounts: 40)
            try month.end(hand, 1...10, "return", reason: "capacity")
            try month.end(hand, 11...20, "return", reason: "unlocatable")
            try month.end(hand, 21...40, "sweep", reason: "term")
            try month.report(hand, position: 21, result: "promise", promisedOn: "2024-04-20")
            try month.report(hand, position: 22, result: "agreement-signed")
            try month.report(hand, position: 23, result: "promise", promisedOn: "2024-03-20")
            try month.report(hand, position: 24, result: "agreement-signed")
            try month.link.script("UPDATE clock SET virtual_now = '2024-04-01T06:00:00Z'")
            try month.openPeriod(PlannedMonth.april)
            try month.addCut(PlannedMonth.april)
            try month.link.script(
                """
                UPDATE account SET restructure_in_cure = true WHERE period = 202404
                   AND account_id = (SELECT account_id FROM position WHERE hand_id = \(hand) AND position = 22)
                """)
            try month.segment(PlannedMonth.april)
            let file = try PlanSettingsFile(text: "settings: mine\nsearch: [ACE02]\n")
            _ = try PlanSettingsBook(month.link).put(file, from: PlannedMonth.april, by: "ana")
            let report = try month.plan(PlannedMonth.april).apply()

            #expect(try month.april(hand, 1...20, contract: 1) == 0)
            #expect(try month.april(hand, 1...20, contract: 2) == 20)
            // Who was not found goes to the one that searches, and the position says so.
            #expect(try month.april(hand, 11...20, contract: 2, reason: .search) == 10)
            #expect(try month.april(hand, 21...22, contract: 1, reason: .promise) == 2)
            #expect(try month.april(hand, 23...24, reason: .promise) == 0)
            #expect(report.dealt?.reasons.first { $0.reason == "promise" }?.accounts == 2)
            #expect(report.dealt?.reasons.first { $0.reason == "search" }?.accounts == 10)
        }
    }

    @Test func `with a span of periods nobody who held an account in it gets it again`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            _ = try month.plan().apply()
            let hand = try month.hand(of: 2, "administrative", "telephone", in: 9)
            try month.lease(hand: hand, accounts: 30)
            try month.end(hand, 1...30, "sweep", reason: "term")
            try month.link.script("UPDATE clock SET virtual_now = '2024-04-01T06:00:00Z'")
            try month.openPeriod(PlannedMonth.april)
            try month.addCut(PlannedMonth.april)
            try month.segment(PlannedMonth.april)
            let file = try PlanSettingsFile(text: "settings: mine\nrotation: 1 periods\n")
            _ = try PlanSettingsBook(month.link).put(file, from: PlannedMonth.april, by: "ana")
            _ = try month.plan(PlannedMonth.april).apply()

            #expect(try month.april(hand, 1...30, contract: 2) == 0)
            #expect(try month.april(hand, 1...30, contract: 1) == 30)
        }
    }

    @Test func `up to four former holders are remembered, whatever their numbers are`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            // The fourth one back has contract 2. In sixteen bits the latest would be ACE01, who has contract 1.
            try month.link.script(
                """
                INSERT INTO agency (agency_id, name) SELECT n, 'A' || n FROM unnest('{65537,70000,65538,99999}'::int[]) n;
                UPDATE contract SET agency_id = 99999 WHERE contract_id = 2;
                INSERT INTO opening_holder
                SELECT delegation_id, account_id, n, '2024-02-28'::date - place::integer, '2024-02-29', 'expiry',
                       (SELECT min(import_id) FROM import)
                  FROM placement, unnest('{65537,70000,65538,99999}'::int[]) WITH ORDINALITY AS former (n, place)
                 WHERE delegation_id = 9;
                """)
            let file = try PlanSettingsFile(text: "settings: mine\nrotation: 1 periods\n")
            _ = try PlanSettingsBook(month.link).put(file, from: PlannedMonth.march, by: "ana")
            _ = try month.plan().apply()
            func dealt(_ contract: Int, in delegation: Int) throws -> Int64 {
                try month.number(
                    "SELECT coalesce(sum(size), 0)::bigint FROM hand WHERE contract_ids[1] = \(contract) "
                        + "AND delegation_id = \(delegation)")
            }

            #expect(try dealt(2, in: 14) > 100)
            #expect(try dealt(2, in: 9) == 0)
            #expect(try dealt(1, in: 9) > 100)
        }
    }

    @Test func `the credits of one debtor go to one agency, and to the one that holds some`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.link.script("UPDATE account SET debtor = 500000 + account_id / 2 WHERE delegation_id = 9")
            try month.segment()
            _ = try month.plan().apply()
            let scattered = """
                SELECT count(*) FROM (
                    SELECT a.debtor FROM position p JOIN hand h USING (delegation_id, hand_id)
                      JOIN account a ON a.period = h.period AND a.delegation_id = p.delegation_id
                       AND a.account_id = p.account_id
                     WHERE a.debtor IS NOT NULL AND h.contract_ids[1] IN (1, 2)
                     GROUP BY a.debtor HAVING count(DISTINCT h.contract_ids) > 1) d
                """

            #expect(try month.number("SELECT count(*) FROM position WHERE reason = 2") > 100)
            // Every quota has room for its part, so what is apart is at most what the last of a pool had no room for.
            #expect(try month.number(scattered) <= 12)
        }
    }
}

extension PlannedMonth {
    func hand(of contract: Int32, _ strategy: String, _ portfolio: String, in delegation: Int16) throws -> Int32 {
        let found = try link.run(
            """
            SELECT hand_id FROM hand
             WHERE contract_ids = ARRAY[$1]::integer[] AND strategy = $2 AND portfolio = $3 AND delegation_id = $4
            """,
            [
                .int32(contract), .int16(Strategy(name: strategy)?.rawValue ?? 0),
                .int16(Portfolio(name: portfolio)?.rawValue ?? 0), .int16(delegation),
            ])
        return found.first?.int32(0) ?? 0
    }

    /// Ends the leases of some positions, as the engine would.
    func end(_ hand: Int32, _ positions: ClosedRange<Int32>, _ kind: String, reason: String) throws {
        try link.run(
            """
            INSERT INTO ending
            SELECT delegation_id, account_id, epoch, $4, $5, now_instant(), hand_id, position, true
              FROM position WHERE hand_id = $1 AND position BETWEEN $2 AND $3
            """,
            [.int32(hand), .int32(positions.lowerBound), .int32(positions.upperBound), .text(kind), .text(reason)])
    }

    func report(_ hand: Int32, position: Int32, result: String, promisedOn: String? = nil) throws {
        try link.run(
            """
            INSERT INTO outcome
            SELECT 202403, p.delegation_id, h.contract_ids[1], 1, p.position, p.position, p.account_id, p.epoch,
                   p.hand_id, p.position, h.contract_ids[1], now_instant(), now_instant(), 'phone-out', 'direct', $3,
                   NULL, $4::date, NULL, NULL, ''
              FROM position p JOIN hand h USING (delegation_id, hand_id)
             WHERE p.hand_id = $1 AND p.position = $2
            """, [.int32(hand), .int32(position), .text(result), promisedOn.map { .text($0) } ?? .null])
    }

    /// How many of some positions of a March hand a contract was dealt in April.
    func april(
        _ hand: Int32, _ positions: ClosedRange<Int32>, contract: Int32? = nil, reason: DealResult.Reason? = nil
    ) throws -> Int64 {
        try number(
            """
            SELECT count(*) FROM position o
              JOIN position n ON n.delegation_id = o.delegation_id AND n.account_id = o.account_id
              JOIN hand h ON h.delegation_id = n.delegation_id AND h.hand_id = n.hand_id AND h.period = 202404
             WHERE o.hand_id = \(hand) AND o.position BETWEEN \(positions.lowerBound) AND \(positions.upperBound)
               AND \(contract.map { "h.contract_ids[1] = \($0)" } ?? "true")
               AND \(reason.map { "n.reason = \($0.rawValue)" } ?? "true")
            """)
    }
}
