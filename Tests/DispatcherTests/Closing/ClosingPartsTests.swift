// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
@testable import PgStore
import Testing
import TestSupport

/// A large month is counted by several links at once, each with some of the delegations.
struct ClosingPartsTests {
    private let one = (count: 1, from: Int64(0))
    private let two = (count: 2, from: Int64(0))

    private func closing(_ link: PgLink, _ parts: (count: Int, from: Int64)) -> MonthClosing {
        MonthClosing(link, period: ClosingFixture.period, parts: parts)
    }

    @Test func `a month counted by two links gives the bytes of one counted by one`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            for seed in 201...210 {
                try ClosingFixture.make(link, seed: seed)
                try link.script(ClosingSectionOracle.facts)
                let (whole, divided) = (closing(link, one), closing(link, two))
                let (month, same) = (try whole.preview(), try divided.preview())

                #expect(month.statements.map(\.body) == same.statements.map(\.body), "seed \(seed)")
                #expect(month.records == same.records)
                #expect(MonthPage(month.summary).lines == MonthPage(same.summary).lines)
                #expect(Set(month.statements.map(\.body)).count == 3)
                let (cards, others) = (try whole.scorecards(), try divided.scorecards())
                #expect(cards.rows == others.rows)
                #expect(cards.rows.contains { $0.points != nil })
                #expect(cards.conduct == others.conduct)
                try link.script(ClosingSectionOracle.emptied + ClosingFixture.emptied)
            }
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a month closed by two links is found the same by one`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 3)

            #expect(try closing(link, two).close().result == .closed)
            #expect(try closing(link, one).close().result == .identical)
            let cards = try link.run("SELECT count(*) FROM scorecard").first?.int64(0)
            #expect(cards == 6)
            // The other link is gone with the close.
            try await until {
                try link.run("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")[0].int64(0)
                    == 1
            }
        }
    }

    @Test func `both links see the moment of the first one`() async throws {
        try await TestDatabase.with { database in
            let (link, other) = (try database.link(), try database.link())
            try ClosingFixture.make(link, seed: 6)
            func count() throws -> [Int64] {
                let parts = try MonthParts(link, period: ClosingFixture.period, count: 2, from: 0)
                #expect(parts.parts.count == 2)
                return try parts.run { "SELECT count(*) FROM outcome o WHERE \($0.has("o.delegation_id"))" }
                    .map { $0.int64(0) }
            }
            try link.transaction {
                try link.script("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                let all = try link.run("SELECT count(*) FROM outcome")[0].int64(0)
                try other.script("DELETE FROM outcome")

                let counts = try count()
                #expect(counts.count == 2)
                #expect(counts.allSatisfy { $0 > 0 })
                #expect(counts.reduce(0, +) == all)
            }
            #expect(try link.run("SELECT count(*) FROM outcome")[0].int64(0) == 0)
        }
    }

    @Test func `without a second connection one link counts the month`() async throws {
        try await TestDatabase.with { database in
            let name = String(database.conninfo.split(separator: "=").last ?? "")
            let link = try database.link()
            try ClosingFixture.make(link, seed: 7)
            try link.script("CREATE ROLE only_\(name) LOGIN CONNECTION LIMIT 1")
            try link.script("GRANT SELECT ON ALL TABLES IN SCHEMA public TO only_\(name)")
            let single = try PgLink("\(database.conninfo) user=only_\(name)", application: "test")
            try single.snapshot {
                let parts = try MonthParts(single, period: ClosingFixture.period, count: 2, from: 0)

                #expect(parts.parts.count == 1)
                let rows = try parts.run { _ in "SELECT 5" }
                #expect(rows.map { $0.int32(0) } == [5])
            }
            try link.script("DROP OWNED BY only_\(name); DROP ROLE only_\(name)")
        }
    }

    @Test(arguments: [(Int64(0), 2), (1, 2), (24, 2), (1_000_000, 1)])
    func `a month is divided from so many dealt accounts on`(from: Int64, links: Int) async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 4)
            try link.transaction {
                try link.script("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                let parts = try MonthParts(link, period: ClosingFixture.period, count: 5, from: from)

                #expect(parts.parts.count == links, "no more than there are delegations")
            }
        }
    }

    /// What fails on one link must not leave another one busy: the caller goes on with both.
    @Test func `a statement that fails on one link is waited for on all`() async throws {
        try await TestDatabase.with { database in
            let (first, second) = (try database.link(), try database.link())
            for failing in [0, 1] {
                let queries = (0...1).map { PgQuery($0 == failing ? "SELECT 1 / (pg_backend_pid() * 0)" : "SELECT 7") }
                var code: String?
                do { _ = try PgLink.together([(first, queries[0]), (second, queries[1])]) } catch {
                    code = (error as? PgError)?.code
                }

                #expect(code == "22012")
                #expect(try first.run("SELECT 1")[0].int32(0) == 1)
                #expect(try second.run("SELECT 2")[0].int32(0) == 2)
            }
            let rows = try PgLink.together([(first, PgQuery("SELECT 3")), (second, PgQuery("SELECT 4"))])
            #expect(rows.map { $0[0].int32(0) } == [3, 4])
        }
    }
}
