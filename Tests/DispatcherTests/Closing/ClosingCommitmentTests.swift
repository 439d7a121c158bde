// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import PgStore
import Testing

/// Commitments of improvement plans that lie ahead (WP-04, PEN-04): agreed in one month, due in another.
struct ClosingCommitmentTests {
    private let march = ImportSite.march
    private var april: Period { march.advanced(byMonths: 1) }
    private var may: Period { march.advanced(byMonths: 2) }

    /// Contract 31 in delegation 14, and in March a commitment for April 10, of a high impact; the clock stands in May.
    private func with(_ body: (ImportSite) throws -> Void) async throws {
        try await ImportSite.with { site in
            try site.seedContracts()
            try site.load(
                .schedules,
                ScheduleText.header
                    + [("low", "1.5"), ("medium", "2"), ("high", "2.5")]
                    .map { "penalties-248-2022,penalty,2024-01-01,PEN-04,\($0.0),\($0.1)\n" }.joined()
                    + "penalties-248-2022,penalty,2024-01-01,IVA,rate,16\n", acceptsFewerRules: true)
            try site.load(.facts, Self.fact("F-1", "", on: "2024-04-10"))
            try site.link.script("UPDATE clock SET virtual_now = '2024-05-31T18:00:00Z'")
            try body(site)
        }
    }

    private static func fact(_ number: String, _ value: String, on day: String, of former: String = "") -> String {
        ExampleText.file(
            .facts,
            [
                [
                    "fact": number, "kind": "improvement", "portfolio": "", "subject": "high", "value": value,
                    "on_date": day,
                    "supersedes": former,
                ]
            ])
    }

    /// Facts of what PEN-04 charges in delegation 14, and the commitments that its note names.
    private func told(_ site: ImportSite, _ period: Period) throws -> [String] {
        try site.link.run(
            "INSERT INTO period VALUES ($1, 'open', '2024-01-01', NULL, NULL) ON CONFLICT DO NOTHING",
            [.int32(period.number)])
        let month = try MonthClosing(site.link, period: period).preview()
        let section = try #require(
            try StatementDocument(month.statements[0].body).sections.first { $0.delegation == 14 })
        let notes = (section.notesInEnglish ?? []).filter { $0.hasPrefix("PEN-04") }
        let warnings = month.summary.warnings.filter { $0.contains("commitments of improvement plans") }
        #expect(notes.count == warnings.count)
        return section.lines.filter { $0.rule == "PEN-04" }.flatMap(\.facts) + notes
    }

    private let undecided =
        "PEN-04: commitments due until 2024-04-10 of which nobody recorded the result: F-1; not charged."

    @Test func `one that lies ahead is charged in no month, and told from its month on until it is judged`()
        async throws
    {
        try await with { site in
            let found = try [march, april, may].map { try told(site, $0) }

            #expect(found == [[], [undecided], [undecided]])
            // Where the schedule has no PEN-04, neither the statement nor the close speaks of it.
            try site.link.script("DELETE FROM schedule WHERE rule = 'PEN-04'")
            #expect(try told(site, april) == [])
        }
    }

    @Test(arguments: [("no", ["F-2"]), ("yes", [])])
    func `it is charged in the month in which somebody found it missed`(value: String, charged: [String]) async throws {
        try await with { site in
            try site.load(.facts, Self.fact("F-2", value, on: "2024-05-02", of: "F-1"), period: may)

            #expect(try told(site, march) == [])
            // What was found in May changes nothing of April.
            #expect(try told(site, april) == [undecided])
            #expect(try told(site, may) == charged)
        }
    }

    @Test func `it may get another day, and then is due on that`() async throws {
        try await with { site in
            try site.load(.facts, Self.fact("F-2", "", on: "2024-05-20", of: "F-1"), period: april)

            #expect(try told(site, april) == [])
            #expect(try told(site, may) == [undecided.replacing("04-10", with: "05-20").replacing("F-1", with: "F-2")])
        }
    }

    @Test(
        arguments: [
            ("no", "2024-04-09", "supersedes: that commitment is due on 2024-04-10, and was not missed before"),
            ("no", "2024-04-10", nil), ("yes", "2024-04-01", nil),
            ("no", "2024-06-01", "on_date: lies in the future; the latest day is 2024-04-30"),
            ("met", "2024-04-10", "value: of an improvement says whether it was met, `yes` or `no`"),
        ] as [(String, String, String?)])
    func `it is not missed before its day, and nothing else lies ahead`(
        value: String, day: String, reason: String?
    ) async throws {
        try await with { site in
            let report = try site.load(.facts, Self.fact("F-2", value, on: day, of: "F-1"), period: april)

            #expect(report.badValues.map { "\($0.column): \($0.reason)" } == [reason].compactMap(\.self))
        }
    }

    @Test func `one that was judged is of its month alone`() async throws {
        try await with { site in
            try site.load(.facts, Self.fact("F-2", "no", on: "2024-04-12", of: "F-1"), period: april)
            let report = try site.load(.facts, Self.fact("F-3", "yes", on: "2024-05-02", of: "F-2"), period: may)

            #expect(report.badValues.map(\.column) == ["supersedes"])
            #expect(try told(site, april) == ["F-2"])
            #expect(try told(site, may) == [])
        }
    }

    @Test func `the projection tells what falls due in its month while it can be met`() async throws {
        try await with { site in
            func line() throws -> ProjectedMonth.Line? {
                _ = try told(site, april)
                return try MonthProjection(site.link, period: april).rows.map(\.line)
                    .first { $0.rule == "PEN-04" && $0.delegation?.value == 14 }
            }
            try site.link.script("UPDATE clock SET virtual_now = '2024-04-05T18:00:00Z'")
            let ahead = try #require(try line())
            #expect(ahead.level == .risk && ahead.need == "1" && ahead.charge == .zero)
            #expect(ahead.mend == "1 due until 2024-04-10 to be met, and recorded as met")

            try site.load(.facts, Self.fact("F-2", "yes", on: "2024-04-05", of: "F-1"), period: april)
            #expect(try line() == nil)
        }
    }
}
