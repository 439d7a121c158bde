// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import FoundationEssentials
import PgStore
import Testing
import TestSupport

struct ReviewTests {
    /// In delegation 9: 1 (a signed agreement), 2 (no answer), 3 (no answer, outside of hours), 6 (no answer, reported late and
    /// accepted); 4 (a dwelling) in 14; 5 in a closed month.
    private static let outcomes = """
        INSERT INTO period VALUES (202403, 'open', '2024-03-01', NULL, NULL), (202402, 'closed', '2024-02-01', '2024-03-05', NULL);
        CREATE TABLE outcome_202403 PARTITION OF outcome FOR VALUES IN (202403);
        CREATE TABLE outcome_202402 PARTITION OF outcome FOR VALUES IN (202402);
        INSERT INTO outcome
        SELECT p, d, 7, 1, n, n, 1000 + n, 1, 1, 1, 12, '2024-03-04T16:00:00Z', '2024-03-04T17:00:00Z', 'visit', 'direct', r,
            amount, NULL, marks::text[], NULL, ''
        FROM (VALUES (202403, 9, 1, 'agreement-signed', 431022, NULL), (202403, 9, 2, 'no-answer', NULL, NULL),
            (202403, 9, 3, 'no-answer', NULL, '{HRS-01}'), (202403, 14, 4, 'dwelling-irregular', NULL, NULL),
            (202402, 9, 5, 'agreement-signed', NULL, NULL),
            (202403, 9, 6, 'no-answer', NULL, '{late}')) AS o (p, d, n, r, amount, marks);
        """

    private func with(_ body: (PgLink) throws -> Void) async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try link.script(Self.outcomes)
            try body(link)
        }
    }

    /// Writes the rows to a file and imports it.
    private func take(_ rows: [String], acceptsGood: Bool = false, _ link: PgLink) throws -> (
        ReviewReport, bad: [String]
    ) {
        let path = "/tmp/reviews-\(UInt64.random(in: 0...UInt64.max)).csv"
        let header = "outcome,delegation,decision,reason,reviewer"
        try Data((([header] + rows).joined(separator: "\n") + "\n").utf8).write(to: URL(filePath: path))
        defer {
            for file in [path, path + ".bad.csv"] { try? FileManager.default.removeItem(atPath: file) }
        }
        // A list of an earlier try, which must not outlive a clean file.
        try Data("line,column,value,reason\n9,outcome,9,of before\n".utf8).write(to: URL(filePath: path + ".bad.csv"))
        let report = try ReviewImport(path, acceptsGood: acceptsGood).run(on: link)
        let bad = (try? Data(contentsOf: URL(filePath: path + ".bad.csv"))) ?? Data()
        return (report, String(decoding: bad, as: UTF8.self).split(separator: "\n").dropFirst().map(String.init))
    }

    /// Approved, rejected, unchanged.
    private func figures(_ report: ReviewReport) -> [Int64]? {
        report.applied.map { [$0.approved, $0.rejected, $0.unchanged] }
    }

    private func kept(_ link: PgLink) throws -> [String] {
        try link.run("SELECT outcome_id || ' ' || decision FROM review ORDER BY outcome_id").map { $0.text(0) }
    }

    @Test func `what waits are agreements, dwellings and broken contact rules without a decision`() async throws {
        try await with { link in
            _ = try take(["3,9,rejected,out-of-hours,ana"], link)
            let (rows, count) = try ReviewList(link, period: ClosingFixture.period).pending()

            #expect(count == 2)
            #expect(
                rows.map { $0.joined(separator: ",") } == [
                    "1,9,12,ACE07,1001,2024-03-04T16:00:00.000Z,visit,direct,agreement-signed,4310.22",
                    "4,14,12,ACE07,1004,2024-03-04T16:00:00.000Z,visit,direct,dwelling-irregular,",
                ])
        }
    }

    @Test func `a file of decisions is taken once; the same again changes nothing`() async throws {
        try await with { link in
            let rows = ["1,9,approved,evidence-complete,ana", "4,14,rejected,no-evidence,luis"]
            let first = try take(rows, link)
            let second = try take(rows, link)

            #expect(figures(first.0) == [1, 1, 0])
            #expect(figures(second.0) == [0, 0, 2])
            #expect(try kept(link) == ["1 approved", "4 rejected"])
        }
    }

    @Test(arguments: [
        ("99,9,approved,r,ana", "2,outcome,99,is no outcome of this delegation"),
        ("1,14,approved,r,ana", "2,outcome,1,is no outcome of this delegation"),
        ("2,9,approved,r,ana", "2,outcome,2,needs no review"),
        ("6,9,approved,r,ana", "2,outcome,6,needs no review"),
        ("5,9,approved,r,ana", "2,outcome,5,\"belongs to 2024-02, which takes no more reviews\""),
        ("1,9,approved, ,ana", "2,reason, ,is blank; say why"),
        ("1,9,approved,r,\u{200B}", "2,reviewer,\u{200B},is blank; say who decided"),
        ("1,9,approved,r,\u{430}na", "2,reviewer,\u{430}na,has a character that is no Latin letter: U+0430"),
    ])
    func `a decision that cannot be taken is listed with its reason`(row: String, bad: String) async throws {
        try await with { link in
            let result = try take([row, "4,14,approved,r,ana"], link)

            #expect(result.0.applied == nil && result.0.failure?.exit == .findings)
            #expect(result.0.json.text.contains("\"result\":\"refused\""))
            #expect(result.bad == [bad])
            #expect(try kept(link) == [])
        }
    }

    @Test func `an outcome decided twice in one file is bad, unless it is decided the same`() async throws {
        try await with { link in
            let rows = ["1,9,approved,r,ana", "1,9,approved,r,luis", "1,9,rejected,r,ana"]
            let result = try take(rows, acceptsGood: true, link)

            #expect(figures(result.0) == [1, 0, 1])
            #expect(result.bad == ["4,decision,rejected,\"differs from line 2, which is about the same outcome\""])
        }
    }

    @Test func `a decision stands`() async throws {
        try await with { link in
            _ = try take(["1,9,approved,r,ana"], link)
            let result = try take(["1,9,rejected,r,ana"], link)

            #expect(result.bad == ["2,decision,rejected,was decided before: approved (r) by ana"])
            #expect(throws: CommandFailure.self) {
                try ReviewDecisions(.rejected, outcomes: [1], reason: "r", reviewer: "ana").run(on: link)
            }
            #expect(try kept(link) == ["1 approved"])
        }
    }

    @Test(arguments: [
        (" ", "ana", "--reason is blank; say why"), ("r", " \u{200B}", "--by is blank; say who decided"),
        ("r", "\u{410}na", "--by has a character that is no Latin letter: U+0410"),
    ])
    func `nobody decides without a name or a reason`(reason: String, reviewer: String, told: String) async throws {
        try await with { link in
            let failure = #expect(throws: CommandFailure.self) {
                try ReviewDecisions(.approved, outcomes: [1], reason: reason, reviewer: reviewer).run(on: link)
            }
            #expect(failure?.found == told)
        }
    }

    @Test func `decisions by command find the delegation themselves, and are taken all or none`() async throws {
        try await with { link in
            let report = try ReviewDecisions(.approved, outcomes: [1, 4], reason: "ok", reviewer: "ana").run(on: link)

            #expect(report.applied?.approved == 2)
            #expect(throws: CommandFailure.self) {
                try ReviewDecisions(.approved, outcomes: [3, 2], reason: "ok", reviewer: "ana").run(on: link)
            }
            #expect(try kept(link) == ["1 approved", "4 approved"])
        }
    }
}
