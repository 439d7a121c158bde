// SPDX-License-Identifier: Apache-2.0

import Assignment
import PgStore
import Testing
import TestSupport

struct PgLinkTests {
    @Test func `values come back as they were sent`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            let instant = try #require(Timestamp(text: "2024-03-04T15:00:00.123Z"))
            let day = try #require(LocalDate(text: "2024-02-29"))
            let rows = try link.run(
                "SELECT $1::smallint, $2::int, $3::bigint, $4::text, $5::bytea, $6::timestamptz, $7::date, $8::bool, $9::bigint",
                [
                    .int16(-3), .int32(70_000), .int64(9_999_999_999), .text("ñandú"), .bytes([0, 255]),
                    .timestamp(instant), .date(day), .bool(true), .null,
                ])
            let row = try #require(rows.first)

            #expect(row.int16(0) == -3)
            #expect(row.int32(1) == 70_000)
            #expect(row.int64(2) == 9_999_999_999)
            #expect(row.text(3) == "ñandú")
            #expect(row.bytes(4) == [0, 255])
            #expect(row.timestamp(5) == instant)
            #expect(row.date(6) == day)
            #expect(row.bool(7))
            #expect(row.optionalInt64(8) == nil)
        }
    }

    /// The server may have had it on disk and lost only the answer, so neither "done" nor "not done" is said.
    @Test func `a commit that nobody answers is of unknown result`() async throws {
        try await TestDatabase.with { database in
            let (link, other) = (try database.link(), try database.link())
            let process = try link.run("SELECT pg_backend_pid()")[0].int32(0)
            let error = #expect(throws: PgError.self) {
                try link.transaction {
                    try link.script("CREATE TABLE t AS SELECT 1 AS n")
                    _ = try other.run("SELECT pg_terminate_backend($1, 5000)", [.int32(process)])
                }
            }
            #expect(error?.code == PgError.unknownCommit)
            #expect(error?.isRetryable == true)
        }
    }

    @Test func `a transaction that is lost before its commit is lost, and nothing else`() async throws {
        try await TestDatabase.with { database in
            let (link, other) = (try database.link(), try database.link())
            let process = try link.run("SELECT pg_backend_pid()")[0].int32(0)
            let error = #expect(throws: PgError.self) {
                try link.transaction {
                    _ = try other.run("SELECT pg_terminate_backend($1, 5000)", [.int32(process)])
                    try link.script("CREATE TABLE t AS SELECT 1 AS n")
                }
            }
            #expect(error?.isConnectionLost == true && error?.code != PgError.unknownCommit)
        }
    }

    @Test func `arrays come back as they were sent`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            let rows = try link.run(
                "SELECT $1::bigint[], $2::text[], cardinality($3::bigint[]), $4::int[]",
                [.int64s([1, -2]), .texts(["a", ""]), .optionalInt64s([nil, 4]), .int32s([])])
            let row = try #require(rows.first)

            #expect(row.int64s(0) == [1, -2])
            #expect(row.texts(1) == ["a", ""])
            #expect(row.int32(2) == 2)
            #expect(row.int32s(3) == [])
        }
    }

    @Test func `rows copied in are the rows copied out`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try link.script("CREATE TABLE sample (id bigint, name text)")
            let written = try link.copyIn("COPY sample FROM STDIN (FORMAT binary)") { writer in
                for id in 1...50_000 as ClosedRange<Int64> {
                    try writer.row(columns: 2)
                    writer.int64(id)
                    writer.optionalText(id % 2 == 0 ? "n\(id)" : nil)
                }
            }
            var sum: Int64 = 0
            var names = 0
            try link.copyOut("COPY (SELECT id, name FROM sample ORDER BY id) TO STDOUT (FORMAT binary)") { reader in
                sum += reader.int64()
                names += reader.optionalText() == nil ? 0 : 1
            }

            #expect(written == 50_000)
            #expect(sum == 50_000 * 50_001 / 2)
            #expect(names == 25_000)
        }
    }

    @Test func `rows of one group lie together, in their order, as many as are gathered`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try link.script("CREATE TABLE sample (id integer, delegation smallint, filler text)")
            // Some 36 MB: they leave in two lots.
            let filler = String(repeating: "x", count: 4_000)
            let written = try link.copyIn("COPY sample FROM STDIN (FORMAT binary)") { writer in
                for id in 1...9_000 as ClosedRange<Int32> {
                    let delegation = Int16(3 - id % 3)
                    try writer.row(columns: 3, group: delegation)
                    writer.int32(id)
                    writer.int16(delegation)
                    writer.text(filler)
                }
            }
            var places: [(id: Int32, delegation: Int16)] = []
            for row in try link.run("SELECT id, delegation FROM sample ORDER BY ctid") {
                places.append((row.int32(0), row.int16(1)))
            }

            #expect(written == 9_000 && Set(places.map(\.id)).count == 9_000)
            let changes = zip(places, places.dropFirst()).filter { $0.delegation != $1.delegation }
            #expect(changes.count == 5, "three delegations, twice")
            let turns = zip(places, places.dropFirst()).filter { $0.delegation == $1.delegation && $0.id > $1.id }
            #expect(turns.isEmpty)
        }
    }

    @Test(arguments: ["", "containment", "Ñandú 47.00", String(repeating: "r", count: ShortText.bytesMax)])
    func `a short text goes in and out as it was`(text: String) async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try link.script("CREATE TABLE sample (reference text)")
            try link.copyIn("COPY sample FROM STDIN (FORMAT binary)") { writer in
                try writer.row(columns: 1)
                writer.text(ShortText(text))
            }
            var found: ShortText?
            try link.copyOut("COPY sample TO STDOUT (FORMAT binary)") { found = $0.shortText() }

            #expect(found?.text == text && found == ShortText(text))
            #expect(try link.run("SELECT reference FROM sample").first?.text(0) == text)
        }
    }

    @Test func `what stops a copy leaves no row`() async throws {
        struct Stopped: Error {}
        try await TestDatabase.with { database in
            let link = try database.link()
            try link.script("CREATE TABLE sample (id bigint)")

            #expect(throws: Stopped.self) {
                try link.copyIn("COPY sample FROM STDIN (FORMAT binary)") { writer in
                    try writer.row(columns: 1)
                    writer.int64(1)
                    throw Stopped()
                }
            }
            #expect(try link.run("SELECT count(*) FROM sample").first?.int64(0) == 0)
        }
    }

    @Test func `a pipeline gives one result per statement, in order`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            let results = try link.pipeline([
                PgQuery("BEGIN"), PgQuery("SELECT $1::bigint", [.int64(5)]),
                PgQuery("SELECT generate_series(1, $1::int)", [.int32(3)]), PgQuery("COMMIT"),
            ])

            #expect(results.map(\.count) == [0, 1, 3, 0])
            #expect(results[1][0].int64(0) == 5)
            #expect(!link.isInTransaction)
        }
    }

    @Test func `the first failure of a pipeline names its statement, and the link lives on`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            let failure = #expect(throws: PgError.self) {
                try link.pipeline([PgQuery("SELECT 1"), PgQuery("SELECT 1/0"), PgQuery("SELECT 2")])
            }

            #expect(failure?.code == "22012")
            #expect(failure?.statement == "SELECT 1/0")
            #expect(try link.run("SELECT 3::int").first?.int32(0) == 3)
        }
    }

    @Test func `a transaction that throws leaves nothing behind`() async throws {
        struct Stopped: Error {}
        try await TestDatabase.with { database in
            let link = try database.link()
            try link.script("CREATE TABLE sample (id bigint)")

            #expect(throws: Stopped.self) {
                try link.transaction {
                    try link.run("INSERT INTO sample VALUES (1)")
                    throw Stopped()
                }
            }
            #expect(try link.run("SELECT count(*) FROM sample").first?.int64(0) == 0)
        }
    }

    @Test func `a connection opens a new link after the old one was lost`() async throws {
        try await TestDatabase.with { database in
            let connection = PgConnection(database.conninfo, application: "lost")
            let other = try database.link()
            let process = try await connection.run { try $0.run("SELECT pg_backend_pid()").first?.int32(0) }
            try other.run("SELECT pg_terminate_backend($1)", [.optional(process)])

            await #expect(throws: PgError.self) { try await connection.run { try $0.run("SELECT 1") } }
            let answer = try await connection.run { try $0.run("SELECT 7::int").first?.int32(0) }
            #expect(answer == 7)
            await connection.close()
        }
    }
}
