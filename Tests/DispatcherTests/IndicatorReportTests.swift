// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import FoundationEssentials
import PgStore
import Testing
import TestSupport

/// The indicators against a count that shares nothing with theirs.
struct IndicatorReportTests {
    private static let independent = """
        WITH valid AS (
            SELECT o.* FROM outcome o LEFT JOIN review r USING (outcome_id)
            WHERE CASE WHEN o.result ~ '^dwelling-|^agreement-signed$' OR 'HRS-01' = ANY (o.marks)
                THEN r.decision = 'approved' ELSE true END),
        latest AS (
            SELECT DISTINCT ON (h.contract_ids[1], d.account_id) h.contract_ids[1] AS contract_id, d.account_id, e.kind, e.ended_at,
                e.reason
            FROM deal d JOIN hand h USING (hand_id) LEFT JOIN ending e USING (account_id, epoch)
            ORDER BY h.contract_ids[1], d.account_id, d.epoch DESC),
        assigned AS (
            SELECT * FROM latest
            WHERE kind IS NULL OR kind IN ('return', 'payoff') OR ended_at >= '2024-04-01T06:00:00Z')
        SELECT a.contract_id::text, count(*),
            count(*) FILTER (WHERE a.kind = 'return' AND a.reason = 'unlocatable' OR EXISTS (SELECT FROM valid v
                WHERE v.contract_id = a.contract_id AND v.account_id = a.account_id AND v.contact = 'unlocatable')),
            count(*) FILTER (WHERE EXISTS (SELECT FROM valid v WHERE v.contract_id = a.contract_id
                AND v.account_id = a.account_id AND v.contact IN ('direct', 'third-party'))),
            (SELECT count(*) FROM valid v WHERE v.contract_id = a.contract_id),
            (SELECT count(*) FROM outcome o WHERE o.contract_id = a.contract_id)
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
                    #expect(figures[.contacted] == IndicatorFigure(.contacted, sql.int64(3), over: sql.int64(1)))
                    #expect(
                        figures[.validOutcomes] == IndicatorFigure(.validOutcomes, sql.int64(4), over: sql.int64(5)))
                }
                try link.script(ClosingFixture.emptied)
            }
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
            #expect(accounts.count == count + 1 && count > 0)
            // The ninth column says whether the account is assigned.
            #expect(
                Int64(accounts.count { $0.split(separator: ",", omittingEmptySubsequences: false)[8] == "true" })
                    == whole.figures[0].denominator)
        }
    }

    @Test(arguments: [("session-held", true), ("no-show", false), ("session-scheduled", false)])
    func `a session that was missed or only scheduled was not held (IND-12)`(result: String, isHeld: Bool) async throws
    {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 3)
            try link.script("UPDATE outcome SET result = '\(result)', marks = NULL WHERE channel = 'mediation-session'")
            let row = try #require(try IndicatorReport(link, period: ClosingFixture.period).rows(by: .total).first)
            let figure = try #require(row.figures.first { $0.indicator == .signing })
            let (held, signed) = (
                try link.run(
                    """
                    SELECT count(DISTINCT (contract_id, account_id)) FROM outcome o LEFT JOIN review r USING (outcome_id)
                    WHERE o.result = 'session-held' AND r.decision IS DISTINCT FROM 'rejected' OR o.result = 'agreement-signed' AND r.decision = 'approved'
                    """)[0].int64(0),
                try link.run(
                    """
                    SELECT count(DISTINCT (contract_id, account_id)) FROM outcome o JOIN review r USING (outcome_id)
                    WHERE o.result = 'agreement-signed' AND r.decision = 'approved'
                    """)[0].int64(0)
            )

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
}
