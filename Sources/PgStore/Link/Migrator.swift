// SPDX-License-Identifier: Apache-2.0

/// Brings a database to the schema that this binary works with, one numbered file at a time.
package enum Migrator {
    /// The numbered files, in order. Never edited after release: a change is a new file.
    static let migrations: [(number: Int32, sql: [UInt8])] = [
        (1, PackageResources.m0001_spine_sql),
        (2, PackageResources.m0002_policy_sql),
        (3, PackageResources.m0003_exhaustion_sql),
        (4, PackageResources.m0004_wire_sql),
        (5, PackageResources.m0005_starts_sql),
        (6, PackageResources.m0006_allocation_sql),
        (7, PackageResources.m0007_month_sql),
        (8, PackageResources.m0008_lifecycle_sql),
        (9, PackageResources.m0009_closing_sql),
        (10, PackageResources.m0010_dealing_sql),
        (11, PackageResources.m0011_contact_duties_sql),
        (12, PackageResources.m0012_proof_sql),
        (13, PackageResources.m0013_runs_sql),
        (14, PackageResources.m0014_recovery_sql),
        (15, PackageResources.m0015_terms_sql),
        (16, PackageResources.m0016_limits_sql), (17, PackageResources.m0017_late_words_sql),
        (18, PackageResources.m0018_outages_sql), (19, PackageResources.m0019_spent_sql),
        (20, PackageResources.m0020_dump_witness_sql), (21, PackageResources.m0021_agencies_sql),
        (22, PackageResources.m0022_partitions_sql), (23, PackageResources.m0023_moved_sql),
    ]

    /// The schema numbers that this binary can serve.
    package static let range: ClosedRange<Int32> = 23...23

    /// Applies what is missing, each file in one transaction, under an advisory lock so that two runs do not meet.
    ///
    /// - Returns: the numbers applied now, in order; empty where nothing was missing.
    /// - Throws: ``PgError``; files applied before the failing one stay.
    @discardableResult
    package static func migrate(_ link: PgLink) throws -> [Int32] {
        try link.script("SELECT pg_advisory_lock(7607000001)")
        defer { try? link.script("SELECT pg_advisory_unlock(7607000001)") }
        try link.script(
            """
            CREATE TABLE IF NOT EXISTS migration
                (number integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT clock_timestamp())
            """)
        let latest = try version(link) ?? 0
        var applied: [Int32] = []
        for migration in migrations where migration.number > latest {
            try link.transaction {
                try link.script(String(decoding: migration.sql, as: UTF8.self))
                try link.run("INSERT INTO migration (number) VALUES ($1)", [.int32(migration.number)])
            }
            applied.append(migration.number)
        }
        return applied
    }

    /// The latest migration applied to the database; `nil` where there is none, as in an empty one.
    package static func version(_ link: PgLink) throws(PgError) -> Int32? {
        let exists = try link.run("SELECT to_regclass('migration') IS NOT NULL").first?.bool(0) ?? false
        guard exists else { return nil }
        return try link.run("SELECT max(number) FROM migration").first?.optionalInt32(0)
    }
}
