// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import FoundationEssentials
import PgStore
import TestSupport
import Testing

/// What scorecards are made of: the trend, penalties on the whole invoice, and the counts behind conduct.
struct ScorecardFigureTests {
    private let period = ClosingFixture.period

    private static let weights = """
        INSERT INTO scorecard_weight VALUES (202403, 'IND-02', 3, 1, 1), (202403, 'compliance', 2, 0, 1);
        """

    private func with(seed: Int, _ script: String, _ body: (PgLink) throws -> Void) async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: seed)
            try link.script(script)
            try body(link)
        }
    }

    /// February rated contract 1 in delegation 9 at 40, contract 2 in delegation 14 at 99.5 of 100, contract 3 in delegation 9 at nothing,
    /// and the others not at all. January's are no month before.
    @Test func `the trend is against the points of the month before, where there were any`() async throws {
        let former = """
            INSERT INTO period VALUES (202401, 'closed', '2024-01-01', '2024-02-09', NULL),
                (202402, 'closed', '2024-02-01', '2024-03-09', NULL);
            INSERT INTO scorecard (period, delegation_id, contract_id, points, is_neutral, body) VALUES
                (202402, 9, 1, 400000, false, '{}'), (202402, 14, 2, 995000, true, '{}'), (202402, 9, 3, NULL, true, '{}'),
                (202401, 9, 2, 100000, false, '{}');
            """
        try await with(seed: 11, Self.weights + former) { link in
            let report = try ScorecardReport(link, period: period)
            func row(_ contract: Int32, _ delegation: Int16) throws -> ScorecardReport.Row {
                try #require(report.rows.first { $0.contract == contract && $0.delegation == delegation })
            }
            let (risen, fallen) = (try row(1, 9), try row(2, 14))
            let points = (try #require(risen.points), try #require(fallen.points))

            func told(_ change: Int64) -> Substring {
                Substring((change > 0 ? "+" : "") + Ratio(Int128(change), over: 10_000).hundredths)
            }

            #expect(risen.trend == points.0 - 400_000)
            #expect(fallen.trend == points.1 - 995_000)
            for other in [try row(3, 9), try row(2, 9), try row(1, 14), try row(3, 14)] { #expect(other.trend == nil) }
            for (row, shown) in [
                (risen, told(points.0 - 400_000)), (fallen, told(points.1 - 995_000)), (try row(2, 9), "new"),
            ] {
                let line = report.lines(delegation: row.delegation, contract: row.contract)[1]
                #expect(line.split(separator: " ")[4] == shown, "\(line)")
            }
        }
    }

    /// Telephone quality of 60 costs 2 % of the whole invoice (PEN-06): compliance loses the part of all fees that it is.
    @Test func `a penalty on the whole invoice lowers compliance in each of its delegations`() async throws {
        let quality = """
            INSERT INTO schedule VALUES ('fines', 'penalty', '2023-01-01', 'PEN-06', 'rate', '2'),
                ('fines', 'penalty', '2023-01-01', 'PEN-06', 'threshold', '80');
            DELETE FROM fact;
            INSERT INTO fact (period, fact_id, kind, contract_id, delegation_id, on_date, portfolio, value, import_id)
            VALUES (202403, 'Q-1', 'quality', 1, 9, '2024-03-20', 1, '60', 1);
            INSERT INTO fact (period, fact_id, kind, contract_id, delegation_id, on_date, subject, value, import_id)
            VALUES (202403, 'V-1', 'visit', 1, 14, '2024-03-10', 'adviser-absent', 'no', 1);
            DELETE FROM review WHERE decision = 'rejected';
            """
        try await with(seed: 12, Self.weights + quality) { link in
            let report = try ScorecardReport(link, period: period)
            func left(_ contract: Int32, _ delegation: Int16) throws -> Int64 {
                let row = try #require(report.rows.first { $0.contract == contract && $0.delegation == delegation })
                return try #require(row.measures.first { $0.measure == "compliance" }).numerator
            }

            // To a fiftieth of a percent, because centavos are whole: 2 % of the invoice in both delegations; an adviser was absent in delegation 14, which is 2.5 % of its fees.
            #expect(abs(try left(1, 9) - 980_000) <= 200)
            #expect(abs(try left(1, 14) - 955_000) <= 200)
            for delegation: Int16 in [9, 14] { #expect(try left(2, delegation) == 1_000_000) }
        }
    }

    /// An adviser was absent in delegation 14, which is 2.5 % of its fees; a penalty of an earlier month is given back with four times the
    /// fees.
    @Test func `a penalty that is given back is no fee, for compliance and for pesos per peso (IND-11)`() async throws {
        let fact = """
            INSERT INTO period VALUES (202402, 'closed', '2024-02-01', '2024-03-09', NULL);
            DELETE FROM fact; DELETE FROM review WHERE decision = 'rejected';
            INSERT INTO fact (period, fact_id, kind, contract_id, delegation_id, on_date, subject, value, import_id)
            VALUES (202403, 'V-1', 'visit', 1, 14, '2024-03-10', 'adviser-absent', 'no', 1);
            """
        let refund = """
            INSERT INTO adjustment (period, about, contract_id, delegation_id, kind, rule, reason, proposed_by, proposed_at,
                decided_by, decided_at, amount, decision)
            VALUES (202403, 202402, 1, 14, 'credit', 'PEN-03', 'r', 'Ana', now(), 'Luis', now(), 390000, 'approved');
            """
        func spent(_ link: PgLink) throws -> Int64? {
            try PeriodStore(link, period: period).keep(MonthClosing(link, period: period).preview().statements)
            try link.script("UPDATE period SET state = 'closed' WHERE period = 202403")
            let row = try IndicatorReport(link, period: period).rows(by: .contractDelegation).first { $0.key == "1/14" }
            try link.script("DELETE FROM statement; UPDATE period SET state = 'open' WHERE period = 202403")
            return row?.figures.first { $0.indicator == .perPeso }?.denominator
        }
        try await with(seed: 12, Self.weights + fact) { link in
            func left() throws -> Int64? {
                try ScorecardReport(link, period: period).rows.first { $0.contract == 1 && $0.delegation == 14 }?
                    .measures.first { $0.measure == "compliance" }?.numerator
            }
            let before = try #require(try left())
            #expect(abs(before - 975_000) <= 200)
            let fees = try #require(try spent(link))
            try link.script(refund)
            #expect(try left() == before)
            #expect(try spent(link) == fees && fees > 0)
        }
    }

    /// The same from the tables, outcome by outcome: rejected and reviewed by class, broken contact rules, complaints and accounts worked.
    private static let conduct = """
        WITH judged AS (
            SELECT c.agency_id, o.contract_id, o.account_id, r.decision, CASE WHEN o.result LIKE 'dwelling-%' THEN 'dwelling'
                WHEN o.result = 'agreement-signed' THEN 'agreements' ELSE 'sampled' END AS class,
                coalesce('HRS-01' = ANY (o.marks), false) AS is_marked
            FROM outcome o JOIN contract c USING (contract_id) LEFT JOIN review r USING (outcome_id)),
        agencies AS (SELECT DISTINCT agency_id FROM judged)
        SELECT agency_id,
            (SELECT coalesce(sum(f.value::bigint), 0)::bigint FROM fact f JOIN contract c USING (contract_id)
                WHERE f.kind = 'complaint' AND c.agency_id = a.agency_id),
            (SELECT count(DISTINCT (contract_id, account_id)) FROM judged j WHERE j.agency_id = a.agency_id
                AND coalesce(decision = 'approved', class = 'sampled' AND NOT is_marked)),
            (SELECT count(*) FROM judged j WHERE j.agency_id = a.agency_id AND class = 'dwelling' AND decision = 'rejected'),
            (SELECT count(*) FROM judged j WHERE j.agency_id = a.agency_id AND class = 'dwelling' AND decision IS NOT NULL),
            (SELECT count(*) FROM judged j WHERE j.agency_id = a.agency_id AND class = 'agreements' AND decision = 'rejected'),
            (SELECT count(*) FROM judged j WHERE j.agency_id = a.agency_id AND class = 'agreements' AND decision IS NOT NULL),
            (SELECT count(*) FROM judged j WHERE j.agency_id = a.agency_id AND class = 'sampled' AND decision = 'rejected'),
            (SELECT count(*) FROM judged j WHERE j.agency_id = a.agency_id AND class = 'sampled' AND decision IS NOT NULL),
            (SELECT count(*) FROM judged j WHERE j.agency_id = a.agency_id AND is_marked),
            (SELECT count(*) FROM judged j WHERE j.agency_id = a.agency_id)
        FROM agencies a ORDER BY agency_id
        """

    @Test(arguments: [21, 22, 23])
    func `conduct is counted from complaints, reviews and broken contact rules, agency by agency (IDT-01, IDT-06)`(
        seed: Int
    ) async throws {
        let complaints = """
            INSERT INTO fact (period, fact_id, kind, contract_id, delegation_id, on_date, subject, value, import_id)
            VALUES (202403, 'C1', 'complaint', 3, 9, '2024-03-20', 'tone', '4', 1),
                (202403, 'C2', 'complaint', 1, 14, '2024-03-20', 'tone', '2', 1);
            """
        try await with(seed: seed, complaints) { link in
            let conduct = try ScorecardReport(link, period: period).conduct
            let expected = try link.run(Self.conduct)
            #expect(conduct.map { $0.agency.value } == expected.map { $0.int32(0) } && expected.count == 2)
            for (score, row) in zip(conduct, expected) {
                for (index, criterion) in [
                    ConductScore.Criterion.complaints, .dwelling, .agreements, .sampled, .contact,
                ].enumerated() {
                    #expect(
                        score.counts[criterion]
                            == ConductScore.Count(bad: row.int64(1 + 2 * index), all: row.int64(2 + 2 * index)),
                        "\(criterion) of \(score.agency)")
                }
            }
            for index in 0..<5 { #expect(expected.contains { $0.int64(2 + 2 * index) > 0 }) }
        }
    }

    private struct Told: Decodable {
        struct Criterion: Decodable {
            let criterion: String
            let weight: Int64
            let bad: Int64
            let all: Int64
            let indexPoints: String
            let sharePoints: String
            let points: String
        }

        let agency: String
        let points: String
        let criteria: [Criterion]
    }

    @Test func `conduct as JSON has every criterion with its count and its points`() async throws {
        try await with(seed: 21, "") { link in
            let report = try ScorecardReport(link, period: period)
            let told = try JSONDecoder().decode([Told].self, from: Data(report.conductJSON.utf8))

            #expect(told.map(\.agency) == ["ACE01", "ACE02"])
            for (agency, score) in zip(told, report.conduct) {
                #expect(agency.points == score.points.hundredths)
                #expect(
                    agency.criteria.map(\.criterion) == ["complaints", "dwelling", "agreements", "sampled", "contact"])
                #expect(agency.criteria.map(\.weight) == [40, 15, 15, 15, 15])
                for (criterion, own) in zip(agency.criteria, score.process.criteria) {
                    let count = ConductScore.Criterion(rawValue: criterion.criterion).flatMap { score.counts[$0] }
                    #expect(criterion.bad == count?.bad && criterion.all == count?.all)
                    #expect(criterion.indexPoints == own.indexPoints.hundredths)
                    #expect(criterion.sharePoints == own.sharePoints?.hundredths)
                    #expect(criterion.points == own.points.hundredths)
                }
            }
        }
    }
}
