// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import FoundationEssentials
import PgStore
import Testing
import TestSupport

/// The indicators against a count that shares nothing with theirs.
struct IndicatorReportTests {
    private static let assigned = """
        WITH valid AS (
            SELECT o.* FROM outcome o LEFT JOIN review r USING (outcome_id)
            WHERE coalesce(r.decision = 'approved',
                NOT (o.result ~ '^dwelling-|^agreement-signed$' OR coalesce('HRS-01' = ANY (o.marks), false)))),
        latest AS (
            SELECT DISTINCT ON (h.contract_ids[1], d.account_id) h.contract_ids[1] AS contract_id, d.account_id, e.kind, e.ended_at,
                e.reason, e.reason = 'unlocatable' AND EXISTS (SELECT FROM outcome o JOIN review r USING (outcome_id)
                    WHERE o.account_id = d.account_id AND o.epoch = d.epoch AND o.contact = 'unlocatable'
                        AND r.decision = 'approved') AS is_confirmed
            FROM deal d JOIN hand h USING (hand_id) LEFT JOIN ending e USING (account_id, epoch) WHERE h.period = 202403
            ORDER BY h.contract_ids[1], d.account_id, d.epoch DESC),
        assigned AS (
            SELECT *, coalesce(kind IN ('return', 'recall') AND ended_at < '2024-04-01T06:00:00Z' AND is_confirmed, false) AS is_lost
            FROM latest
            WHERE kind IS NULL OR kind IN ('return', 'payoff') OR kind = 'recall' AND reason = 'unlocatable'
                OR ended_at >= '2024-04-01T06:00:00Z')
        """

    private static let independent = """
        \(assigned)
        SELECT a.contract_id::text, count(*),
            count(*) FILTER (WHERE a.kind IN ('return', 'recall') AND a.reason = 'unlocatable' AND a.ended_at < '2024-04-01T06:00:00Z' OR EXISTS (SELECT FROM valid v
                WHERE v.contract_id = a.contract_id AND v.account_id = a.account_id AND v.contact = 'unlocatable')),
            count(*) FILTER (WHERE NOT is_lost AND EXISTS (SELECT FROM valid v WHERE v.contract_id = a.contract_id
                AND v.account_id = a.account_id AND v.contact IN ('direct', 'third-party'))),
            (SELECT count(*) FROM valid v WHERE v.contract_id = a.contract_id),
            (SELECT count(*) FROM outcome o WHERE o.contract_id = a.contract_id), count(*) FILTER (WHERE NOT is_lost)
        FROM assigned a GROUP BY a.contract_id ORDER BY a.contract_id
        """

    @Test func `shares of accounts and outcomes agree with plain SQL`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            for seed in [3, 4, 5] {
                try ClosingFixture.make(link, seed: seed)
                let rows = try IndicatorReport(link, period: ClosingFixture.period).rows(by: .contract)
                let expected = try link.run(Self.independent)
                #expect(rows.map(\.key) == expected.map { $0.text(0) })
                for (row, sql) in zip(rows, expected) {
                    let figures = Dictionary(row.figures.map { ($0.indicator, $0) }, uniquingKeysWith: { $1 })
                    #expect(figures[.unlocatable] == IndicatorFigure(.unlocatable, sql.int64(2), over: sql.int64(1)))
                    #expect(figures[.contacted] == IndicatorFigure(.contacted, sql.int64(3), over: sql.int64(6)))
                    #expect(
                        figures[.validOutcomes] == IndicatorFigure(.validOutcomes, sql.int64(4), over: sql.int64(5)))
                }
                try link.script(ClosingFixture.emptied)
            }
        }
    }

    /// By agency: promises of those reached and of all, accounts paid, what they paid, and work that was paid or not.
    private static let paying = """
        \(assigned), paid AS (
            SELECT account_id, contract_id, sum(amount) AS amount FROM (
                SELECT y.account_id, y.amount * CASE WHEN y.reverses IS NULL THEN 1 ELSE -1 END AS amount, \(OraclePayments.ofHolder)) y
            GROUP BY 1, 2),
        told AS (
            SELECT c.agency_id, NOT a.is_lost AS counts, coalesce(p.amount, 0) AS paid,
                EXISTS (SELECT FROM valid v WHERE (v.contract_id, v.account_id) = (a.contract_id, a.account_id)) AS is_worked,
                EXISTS (SELECT FROM valid v WHERE (v.contract_id, v.account_id) = (a.contract_id, a.account_id)
                    AND v.contact IN ('direct', 'third-party')) AS is_reached,
                EXISTS (SELECT FROM valid v WHERE (v.contract_id, v.account_id) = (a.contract_id, a.account_id)
                    AND v.result = 'promise') AS is_promised
            FROM assigned a JOIN contract c USING (contract_id) LEFT JOIN paid p USING (contract_id, account_id))
        SELECT 'ACE0' || agency_id, count(*) FILTER (WHERE is_promised), count(*) FILTER (WHERE paid > 0),
            coalesce(sum(paid) FILTER (WHERE paid > 0), 0)::bigint, count(*) FILTER (WHERE is_worked AND paid > 0),
            count(*) FILTER (WHERE is_worked), count(*) FILTER (WHERE is_worked AND paid <= 0), count(*),
            count(*) FILTER (WHERE is_promised AND is_reached), count(*) FILTER (WHERE is_reached),
            (SELECT count(*) FROM told t WHERE NOT t.counts AND t.is_reached AND t.agency_id = told.agency_id)
        FROM told WHERE counts GROUP BY agency_id ORDER BY agency_id
        """

    @Test
    func `promises, payments and how well work pays agree with plain SQL (IND-03, IND-04, IND-14, AMB-02, AMB-12)`()
        async throws
    {
        try await TestDatabase.with { database in
            let link = try database.link()
            // Accounts that were reached and left what is assigned: the institution took them back, or nobody can be found there.
            var lost: Int64 = 0
            for seed in [13, 14, 15] {
                try ClosingFixture.make(link, seed: seed)
                try link.script(ClosingSectionOracle.facts)
                let rows = try IndicatorReport(link, period: ClosingFixture.period).rows(by: .agency)
                let expected = try link.run(Self.paying)
                #expect(rows.map(\.key) == expected.map { $0.text(0) } && rows.count == 2)
                for (row, sql) in zip(rows, expected) {
                    let figures = Dictionary(row.figures.map { ($0.indicator, $0) }, uniquingKeysWith: { $1 })
                    for (indicator, numerator, denominator) in [
                        (.promisedOfAssigned, 1, 7), (.recoveredAccounts, 2, 7), (.meanPayment, 3, 2),
                        (.paidOfWorked, 4, 5), (.unpaidWork, 6, 7), (.promised, 8, 9), (.contacted, 9, 7),
                    ] as [(Indicator, Int, Int)] {
                        #expect(
                            figures[indicator]
                                == IndicatorFigure(indicator, sql.int64(numerator), over: sql.int64(denominator)))
                    }
                    #expect(sql.int64(4) > 0 && sql.int64(6) > 0)
                    lost += sql.int64(10)
                }
                try link.script(ClosingSectionOracle.emptied + ClosingFixture.emptied)
            }
            #expect(lost > 0)
        }
    }

    @Test func `every cut adds up to the whole, and the exported accounts are those that are counted`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 6)
            let report = IndicatorReport(link, period: ClosingFixture.period)
            let whole = try #require(try report.rows(by: .total).first)
            for cut in IndicatorCut.allCases {
                let rows = try report.rows(by: cut)
                for index in Indicator.allCases.indices
                where ![.perPeso, .programmedFlow, .overdueShare, .overdueBalance].contains(Indicator.allCases[index]) {
                    #expect(rows.reduce(0) { $0 + $1.figures[index].numerator } == whole.figures[index].numerator)
                    #expect(rows.reduce(0) { $0 + $1.figures[index].denominator } == whole.figures[index].denominator)
                }
            }
            let folder = "/tmp/indicators-\(UInt64.random(in: 0...UInt64.max))"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let count = try report.export(to: folder)
            let accounts = try String(contentsOfFile: folder + "/accounts.csv", encoding: .utf8).split(separator: "\n")
            #expect(accounts.count == count.accounts + 1 && count.accounts > 0)
            let agreements = try String(contentsOfFile: folder + "/agreements.csv", encoding: .utf8).split(
                separator: "\n")
            #expect(agreements.count == count.agreements + 1 && count.agreements > 0)
            // The ninth column says whether the account is assigned.
            #expect(
                Int64(accounts.count { $0.split(separator: ",", omittingEmptySubsequences: false)[8] == "true" })
                    == whole.figures[1].denominator)
        }
    }

    @Test func `the page of indicators says what each column of accounts.csv is`() throws {
        let page = try String(contentsOfFile: Checkout.root + "/docs/indicators.md", encoding: .utf8)
        let head = try #require(page.firstRange(of: "| column of `accounts.csv` | |\n|---|---|\n"))
        var named: [String] = []
        for row in page[head.upperBound...].split(separator: "\n", omittingEmptySubsequences: false) {
            guard row.hasPrefix("| `"), let columns = row.split(separator: "|").first else { break }
            named += columns.split(separator: ",").map { name in String(name.filter { $0 != " " && $0 != "`" }) }
        }
        #expect(named == IndicatorStore.recordColumns)
    }

    @Test(arguments: [("session-held", true), ("no-show", false), ("session-scheduled", false)])
    func `a session that was missed or only scheduled was not held (IND-12)`(result: String, isHeld: Bool) async throws
    {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 3)
            try link.script(
                "UPDATE outcome SET result = '\(result)', marks = NULL WHERE channel = 'mediation-session' AND result <> 'agreement-signed'"
            )
            let row = try #require(try IndicatorReport(link, period: ClosingFixture.period).rows(by: .total).first)
            let figure = try #require(row.figures.first { $0.indicator == .signing })
            let (held, signed) = (
                try link.run(
                    """
                    SELECT count(DISTINCT (contract_id, account_id)) FROM outcome o LEFT JOIN review r USING (outcome_id)
                    WHERE o.channel = 'mediation-session' AND (o.result = 'session-held' AND r.decision IS DISTINCT FROM 'rejected'
                        OR o.result = 'agreement-signed' AND r.decision = 'approved')
                    """)[0].int64(0),
                try link.run(
                    """
                    SELECT count(DISTINCT (contract_id, account_id)) FROM outcome o JOIN review r USING (outcome_id)
                    WHERE o.channel = 'mediation-session' AND o.result = 'agreement-signed' AND r.decision = 'approved'
                    """)[0].int64(0)
            )
            // What was signed on the telephone or at the door was signed without a session.
            #expect(
                try link.run(
                    "SELECT count(*) FROM outcome WHERE channel <> 'mediation-session' AND result = 'agreement-signed'")[
                        0
                    ]
                    .int64(0) > 0)
            #expect(signed > 0)

            #expect(figure == IndicatorFigure(.signing, signed, over: held))
            #expect((held > signed) == isHeld)
        }
    }

    @Test func `pesos per peso are over the fees of the kept statements`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 7)
            let month = try MonthClosing(link, period: ClosingFixture.period).close().month
            let row = try #require(try IndicatorReport(link, period: ClosingFixture.period).rows(by: .total).first)
            let figure = try #require(row.figures.first { $0.indicator == .perPeso })
            let fees = try month.statements.reduce(Cents.zero) {
                $0 + (Cents(pesos: try StatementDocument($1.body).totals.fees) ?? .zero)
            }

            #expect(figure.denominator == fees.value)
        }
    }

    /// IND-11 by each of its cuts, and IND-15 by delegation, against plain SQL.
    @Test func `pesos per peso and what is overdue agree with plain SQL, cut by cut`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 8)
            try link.script(
                ClosingSectionOracle.facts
                    + """
                    CREATE TABLE account_202403 PARTITION OF account FOR VALUES IN (202403);
                    INSERT INTO account (period, delegation_id, account_id, line, municipality, regime, accounting, situation,
                        book, currency,
                        original_amount, balance, due, overdue, unpaid, arrears, days_late, extension_months, incomplete_payments,
                        restructures, restructure_in_cure, suit_profiled, agreement_available, instalment_drop_bp, signed,
                        payment_probability_bp, cofinanced, has_phone, has_email, has_address, reference)
                    SELECT DISTINCT ON (delegation_id, account_id) 202403, delegation_id, account_id, 1, 9001, 1,
                        1 + (account_id % 3 = 0)::int,
                        1, 1, 1, 1, account_id, 1, 1, 2, 2, 45, 0, 0, 0, false, false, true, 0, false, 0, false, true, true, true, 'r'
                    FROM position;
                    """)
            // A lease of the month before: its work and its money are this month's, and it is not among what was dealt.
            try link.script(
                """
                INSERT INTO period VALUES (202402, 'closed', now(), now(), NULL);
                UPDATE hand SET period = 202402 WHERE hand_id = 1;
                UPDATE lease_grant SET granted_at = '2024-02-20T18:00:00Z' WHERE hand_id = 1;
                INSERT INTO payment VALUES (202403, 'OLD', 9, 1001, '2024-03-02', 777, 'borrower', NULL, 1);
                INSERT INTO schedule VALUES ('fees', 'fee', '2023-01-01', 'AGY-15', 'budget', '300.00');
                DELETE FROM ending WHERE account_id = 1001; DELETE FROM deal WHERE account_id = 1001 AND epoch = 2;
                """)
            _ = try MonthClosing(link, period: ClosingFixture.period).close()
            let report = IndicatorReport(link, period: ClosingFixture.period)
            // By what it is divided is said as it is counted.
            for (cut, whole) in [(.total, "of the cut"), (.delegation, "of the cut"), (.agency, "assigned")]
                as [(IndicatorCut, String)]
            {
                let legend = try report.lines(by: cut).filter { $0.hasPrefix("IND-15  ") }
                #expect(legend.count == 1 && legend[0].hasSuffix("÷ accounts \(whole), in percent"))
            }
            func found(_ indicator: Indicator, _ cut: IndicatorCut) throws -> [String] {
                try report.rows(by: cut).compactMap { row in
                    row.figures.first { $0.indicator == indicator && $0.denominator != 0 }
                        .map { "\(row.key) \($0.numerator) \($0.denominator)" }
                }.sorted()
            }
            let sections = """
                WITH section AS (
                    SELECT s.contract_id, c.agency_id, (x ->> 'delegation')::int AS delegation_id,
                        (x -> 'totals' ->> 'fees')::numeric * 100 AS fees,
                        coalesce((x -> 'indicators' ->> 'recovered')::numeric * 100, 0) AS recovered
                    FROM statement s JOIN contract c USING (contract_id)
                    CROSS JOIN LATERAL jsonb_array_elements(s.body::jsonb -> 'sections') x WHERE s.period = 202403)
                """
            for (cut, key, rows) in [
                (IndicatorCut.total, "'all'", "true"), (.agency, "'ACE0' || agency_id", "true"),
                (.contract, "contract_id::text", "true"),
                (.delegation, "delegation_id::text", "delegation_id IS NOT NULL"),
                (.contractDelegation, "contract_id || '/' || delegation_id", "delegation_id IS NOT NULL"),
            ] {
                let expected = try link.run(
                    """
                    \(sections) SELECT \(key), sum(recovered)::bigint, sum(fees)::bigint FROM section WHERE \(rows) GROUP BY 1
                    HAVING sum(fees) <> 0
                    """
                ).map { "\($0.text(0)) \($0.int64(1)) \($0.int64(2))" }.sorted()
                #expect(try found(.perPeso, cut) == expected, "\(cut)")
                #expect(!expected.isEmpty)
            }
            let overdue = try link.run(
                """
                SELECT delegation_id::text, count(*) FILTER (WHERE account_id % 3 = 0), count(*),
                    sum(balance) FILTER (WHERE account_id % 3 = 0)::bigint, sum(balance)::bigint FROM account GROUP BY 1
                """)
            #expect(
                try found(.overdueShare, .delegation)
                    == overdue.map { "\($0.text(0)) \($0.int64(1)) \($0.int64(2))" }.sorted())
            #expect(
                try found(.overdueBalance, .delegation)
                    == overdue.map { "\($0.text(0)) \($0.int64(3)) \($0.int64(4))" }.sorted())
            let assigned = try link.run(
                """
                \(Self.assigned)
                SELECT a.contract_id::text, count(*) FILTER (WHERE account_id % 3 = 0), count(*),
                    coalesce(sum(balance) FILTER (WHERE account_id % 3 = 0), 0)::bigint, sum(balance)::bigint
                FROM assigned a JOIN account USING (account_id) WHERE NOT is_lost GROUP BY 1
                """)
            #expect(
                try found(.overdueShare, .contract)
                    == assigned.map { "\($0.text(0)) \($0.int64(1)) \($0.int64(2))" }.sorted())
            #expect(
                try found(.overdueBalance, .contract)
                    == assigned.map { "\($0.text(0)) \($0.int64(3)) \($0.int64(4))" }.sorted())
            // By strategy: what services bill, over what was paid on leases of it.
            let strategies = try link.run(
                """
                WITH paid AS (SELECT y.amount * CASE WHEN y.reverses IS NULL THEN 1 ELSE -1 END AS amount, y.account_id, y.delegation_id,
                    day.paid_on, \(OraclePayments.ofHolder)),
                billed AS (
                    SELECT split_part(line ->> 'subject', '.', 1) AS strategy, sum((line ->> 'amount')::numeric * 100)::bigint AS fees
                    FROM statement s CROSS JOIN LATERAL jsonb_array_elements(s.body::jsonb -> 'sections') x
                    CROSS JOIN LATERAL jsonb_array_elements(x -> 'lines') line WHERE line ->> 'rule' = 'FEE-11' GROUP BY 1)
                SELECT b.strategy, b.fees, (SELECT sum(p.amount)::bigint FROM paid p WHERE p.contract_id IS NOT NULL AND b.strategy = (
                    SELECT CASE h.strategy WHEN 2 THEN 'administrative' ELSE 'dual' END FROM deal d JOIN hand h USING (hand_id)
                    JOIN lease_grant g ON g.hand_id = d.hand_id AND d.position BETWEEN g.first_position AND g.last_position
                        AND (g.skipped IS NULL OR d.position <> ALL (g.skipped))
                    LEFT JOIN ending e ON e.account_id = d.account_id AND e.epoch = d.epoch
                    WHERE d.account_id = p.account_id AND (g.granted_at AT TIME ZONE interval '-6 hours')::date <= p.paid_on
                        AND (least(e.ended_at, g.term) AT TIME ZONE interval '-6 hours')::date >= p.paid_on
                    ORDER BY g.granted_at DESC LIMIT 1))
                FROM billed b ORDER BY 1
                """)
            #expect(
                try found(.perPeso, .strategy)
                    == strategies.map { "\($0.text(0)) \($0.int64(2)) \($0.int64(1))" }.sorted())
            #expect(strategies.count == 2)
        }
    }
}
