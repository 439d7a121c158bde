// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import PgStore
import Testing
import TestSupport

/// Pesos per peso by what a contract and its delegation do not tell: band, strategy, tactic, vintage (IND-11).
struct IndicatorFeeTests {
    private static let cuts: [IndicatorCut] = [.band, .strategy, .tactic, .vintage]

    /// Key, what was recovered, what was spent; in centavos.
    private func perPeso(
        _ link: PgLink, _ cut: IndicatorCut, period: Period = ClosingFixture.period
    ) throws -> [String: [Int64]] {
        let rows = try IndicatorReport(link, period: period).rows(by: cut)
        let found = rows.compactMap { row in
            row.figures.first { $0.indicator == .perPeso && $0.denominator != 0 }
                .map { (row.key, [$0.numerator, $0.denominator]) }
        }
        #expect(Set(rows.map(\.key)).count == rows.count)
        return Dictionary(found, uniquingKeysWith: { $1 })
    }

    /// What the kept statements billed of services and of contingency, less what was given back of it.
    private func billed(_ link: PgLink) throws -> Cents {
        try PeriodStore(link, period: ClosingFixture.period).statements()
            .flatMap { try StatementDocument($0.body).sections.flatMap(\.lines) }
            .filter { $0.rule == FeeTariff.rule && $0.kind == "fee" || MoraBand(rawValue: $0.rule) != nil }
            .reduce(.zero) { $0 + $1.signed }
    }

    @Test(arguments: [201, 207, 219])
    func `each cut adds up to what was billed of accounts, to the centavo`(seed: Int) async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: seed)
            // Work and money on deals of the month before: of an older vintage, of which nothing was dealt now.
            try link.script(
                ClosingContingencyOracle.terms
                    + """
                    INSERT INTO period VALUES (202402, 'closed', now(), now(), NULL);
                    UPDATE hand SET period = 202402 WHERE hand_id = 1;
                    UPDATE lease_grant SET granted_at = '2024-02-20T18:00:00Z' WHERE hand_id = 1;
                    DELETE FROM review r USING outcome o WHERE o.outcome_id = r.outcome_id AND o.epoch = 2 AND o.account_id < 2000;
                    DELETE FROM outcome WHERE epoch = 2 AND account_id < 2000;
                    DELETE FROM deal WHERE epoch = 2 AND account_id < 2000; DELETE FROM position WHERE epoch = 2 AND account_id < 2000;
                    """)
            _ = try MonthClosing(link, period: ClosingFixture.period).close()
            let whole = try billed(link)
            let received = try #require(try perPeso(link, .total)["all"]).first
            for cut in Self.cuts {
                let found = try perPeso(link, cut)
                #expect(found.values.reduce(0) { $0 + $1[1] } == whole.value, "\(cut)")
                #expect(found.values.reduce(0) { $0 + $1[0] } == received, "\(cut)")
            }
            #expect(try perPeso(link, .vintage).keys.sorted() == ["2024-02", "2024-03"])
        }
    }

    @Test func `services are of the deal that was worked, contingency of its band`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 203)
            try link.script(ClosingContingencyOracle.terms)
            _ = try MonthClosing(link, period: ClosingFixture.period).close()
            let services = """
                WITH line AS (
                    SELECT line FROM statement CROSS JOIN LATERAL jsonb_array_elements(body::jsonb -> 'sections') section
                    CROSS JOIN LATERAL jsonb_array_elements(section -> 'lines') line),
                service AS (
                    SELECT o.*, (line -> 'rate' ->> 'pesos')::numeric * 100 AS price FROM line
                    CROSS JOIN LATERAL jsonb_array_elements_text(line -> 'records') number JOIN outcome o ON o.outcome_id = number::bigint
                    WHERE line ->> 'rule' = 'FEE-11')
                """
            let bands = Dictionary(
                try link.run(
                    """
                    \(services)
                    SELECT CASE WHEN days_late = 0 THEN 'current' WHEN days_late <= 30 THEN '1–30' WHEN days_late <= 60 THEN '31–60'
                            WHEN days_late <= 90 THEN '61–90' WHEN days_late <= 120 THEN '91–120' ELSE '> 120' END AS label,
                        (sum(price) + coalesce((SELECT sum((line ->> 'amount')::numeric * 100) FROM line
                            WHERE line ->> 'rule' = min(CASE WHEN days_late = 0 THEN '' WHEN days_late <= 30 THEN 'FEE-01'
                                WHEN days_late <= 60 THEN 'FEE-02' WHEN days_late <= 90 THEN 'FEE-03' WHEN days_late <= 120 THEN 'FEE-04'
                                ELSE 'FEE-05' END)), 0))::bigint
                    FROM service JOIN account USING (account_id) GROUP BY 1
                    """
                ).map { ($0.text(0), $0.int64(1)) }, uniquingKeysWith: { $1 })
            #expect(try perPeso(link, .band).mapValues { $0[1] } == bands)
            #expect(bands.count == 6)
            // Without contingency, by the tactic of the position that was worked.
            try link.script("UPDATE statement SET body = regexp_replace(body, '\"rule\":\"FEE.0', '\"rule\":\"X', 'g')")
            let tactics = Dictionary(
                try link.run(
                    """
                    \(services) SELECT tactic, sum(price)::bigint FROM service JOIN position USING (hand_id, position) GROUP BY 1
                    """
                ).map { ($0.text(0), $0.int64(1)) }, uniquingKeysWith: { $1 })
            #expect(try perPeso(link, .tactic).mapValues { $0[1] } == tactics)
            #expect(tactics.count == 2)
        }
    }

    /// Every account 45 days late; of three 175.00, 50.00 and 50.00 are paid, of the first 100.00 count: 4 % of 200.00, of which half is
    /// of the first. All of what is paid is recovered.
    @Test func `contingency is of each account in proportion to what it counts`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 9)
            try link.script(Self.three)
            _ = try MonthClosing(link, period: ClosingFixture.period).close()
            #expect(try billed(link) == Cents(8_00))
            #expect(
                try perPeso(link, .tactic)
                    == ["first": [175_00, 4_00], "second": [50_00, 2_00], "others": [50_00, 2_00]])
            #expect(try perPeso(link, .band) == ["31–60": [275_00, 8_00]])
            // By the other reading all that was paid counts (AMB-09): 175 of 275.
            try link.script(
                """
                UPDATE statement SET body = replace(replace(body, '"pesos":"200.00"', '"pesos":"275.00"'), '"amount":"8.00"', '"amount":"11.00"');
                INSERT INTO schedule VALUES ('fees', 'fee', '2023-01-01', 'AMB-09', 'base', 'paid');
                """)
            #expect(
                try perPeso(link, .tactic)
                    == ["first": [175_00, 7_00], "second": [50_00, 2_00], "others": [50_00, 2_00]])
        }
    }

    /// Three accounts of the tactics first, second and others, of which 175.00, 50.00 and 50.00 are paid, each 45 days late.
    private static let three =
        SuspensionsTests.bands
            + """
            DELETE FROM review; DELETE FROM outcome;
            DELETE FROM ending WHERE account_id <= 1004; DELETE FROM deal WHERE epoch = 2; DELETE FROM position WHERE epoch = 2;
            UPDATE position SET tactic = CASE account_id WHEN 1001 THEN 'first' WHEN 1002 THEN 'second' ELSE 'others' END;
            INSERT INTO payment VALUES (202403, 'P9', 9, 1001, '2024-03-03', 12500, 'borrower', NULL, 1);
            DELETE FROM payment WHERE payment_id = 'E1';
            """

    private func received(_ link: PgLink, _ cut: IndicatorCut) throws -> [String: Int64] {
        let rows = try IndicatorReport(link, period: ClosingFixture.period).rows(by: cut)
        return Dictionary(
            rows.compactMap { row in
                row.figures.first { $0.indicator == .perPeso }.map { (row.key, $0.numerator) }
            }, uniquingKeysWith: { $1 })
    }

    /// It waits in another hand, by another tactic, and was never leased there.
    @Test func `what an account paid under one tactic is not received by its next one as well`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 9)
            try link.script(
                Self.three
                    + """
                    INSERT INTO position
                    SELECT (jsonb_populate_record(p, '{"position": 13, "epoch": 2, "tactic": "waiting"}')).*
                    FROM position p WHERE account_id = 1001;
                    INSERT INTO deal SELECT delegation_id, account_id, 2, hand_id, 13 FROM deal WHERE account_id = 1001;
                    """)
            _ = try MonthClosing(link, period: ClosingFixture.period).close()

            #expect(
                try received(link, .tactic) == ["first": 175_00, "second": 50_00, "others": 50_00, "waiting": 0])
            #expect(try received(link, .total) == ["all": 275_00])
        }
    }

    /// What was dealt to the same contract again in the month counts by its later deal: 60.00, not the 100.00 of before.
    @Test func `accounts weigh what they count in the statement`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 9)
            try link.script(
                Self.three
                    + """
                    INSERT INTO position
                    SELECT (jsonb_populate_record(p, jsonb_build_object('hand_id', h.hand_id, 'position', 1, 'epoch', 2,
                        'overdue', 6000))).*
                    FROM position p, hand h
                    WHERE p.account_id = 1001 AND h.is_front AND h.delegation_id = 9 AND h.contract_ids = '{1}';
                    INSERT INTO deal SELECT delegation_id, account_id, epoch, hand_id, position FROM position WHERE epoch = 2;
                    """)
            _ = try MonthClosing(link, period: ClosingFixture.period).close()

            #expect(
                try perPeso(link, .tactic)
                    == ["first": [175_00, 2_40], "second": [50_00, 2_00], "others": [50_00, 2_00]])
            var question = StatementExplanation.Question()
            question.rule = "FEE-02"
            let line = try #require(
                try StatementExplanation(link, period: ClosingFixture.period, question).lines.first)
            #expect(line.amount == "6.40")
            #expect(line.accounts.map(\.overdue) == ["60.00", "100.00", "100.00"])
        }
    }

    /// Of 175.00 on the first account 50.00 stay, half of what counted; of the second nothing stays.
    @Test(arguments: [false, true])
    func `what is given back is of each account by what it loses`(isOfPaid: Bool) async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 9)
            try link.script(Self.three)
            if isOfPaid {
                try link.script("INSERT INTO schedule VALUES ('fees', 'fee', '2023-01-01', 'AMB-09', 'base', 'paid')")
            }
            _ = try MonthClosing(link, period: ClosingFixture.period).close()
            #expect(try billed(link) == Cents(isOfPaid ? 11_00 : 8_00))
            try link.script(
                """
                INSERT INTO period VALUES (202404, 'open', now(), NULL, NULL);
                CREATE TABLE outcome_202404 PARTITION OF outcome FOR VALUES IN (202404);
                INSERT INTO payment VALUES (202404, 'R2', 9, 1002, '2024-04-02', 5000, 'borrower', 'P2', 1),
                    (202404, 'R9', 9, 1001, '2024-04-02', 12500, 'borrower', 'P9', 1);
                UPDATE clock SET virtual_now = '2024-05-20T06:00:00Z';
                """)
            let april = ClosingFixture.period.advanced(byMonths: 1)
            _ = try MonthClosing(link, period: april).close(evenIfEmpty: true)
            let first: [Int64] = [-125_00, isOfPaid ? -5_00 : -2_00]
            let second: [Int64] = [-50_00, -2_00]

            #expect(try perPeso(link, .tactic, period: april) == ["first": first, "second": second])
            let whole = zip(first, second).map(+)
            #expect(try perPeso(link, .band, period: april) == ["31–60": whole])
            #expect(try perPeso(link, .vintage, period: april) == ["2024-03": whole])
            // More is given back than is billed: there is no figure, and both amounts are told.
            let report = IndicatorReport(link, period: april)
            #expect(
                try report.json(by: .tactic).contains(
                    "\"denominator\":\"-2.00\",\"indicator\":\"IND-11\",\"numerator\":\"-50.00\",\"value\":\"\""))
            #expect(try report.lines(by: .tactic).contains { $0.hasPrefix("first ") && $0.hasSuffix("–") })
        }
    }
}
