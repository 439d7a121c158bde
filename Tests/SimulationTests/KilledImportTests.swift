// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import PgStore
import Simulation
import TestSupport
import Testing

struct KilledImportTests {
    /// Asks until it is so, for twenty seconds at most.
    private func becomes(_ link: PgLink, _ isSo: String) throws -> Bool {
        for _ in 0..<200 {
            if try link.run("SELECT \(isSo)").first?.bool(0) ?? false { return true }
            usleep(100_000)
        }
        return false
    }

    @Test func `the server soon ends the work of an import that was killed, and nothing of it is there`() async throws {
        try await TestDatabase.with { database in
            let folder = try TemporaryFolder()
            let file = "\(folder.path)/stops.csv"
            try Data("account,delegation,reason,from_on\n77,14,death,2024-03-01\n".utf8).write(to: URL(filePath: file))
            let holder = try database.link()
            try holder.script("INSERT INTO period (period, opened_at) VALUES (202403, now())")
            try holder.script("BEGIN; UPDATE period SET period = period")
            // The shell ends at once and leaves the import to us; it waits for the period.
            let script = #"""
                "$0" import stops "$1" --period 2024-03 --database "$2" --allow-unsafe-durability >"$1.out" 2>&1 & echo $!
                """#
            let words = ["-c", script, ChildProcess.sibling("dispatcherd"), file, database.conninfo]
            let started = try ChildProcess.run("/bin/sh", words)
            let process = try #require(pid_t(started.text.filter(\.isNumber)))
            let watcher = try database.link()
            let others =
                "FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'dispatcherd%'"

            #expect(try becomes(watcher, "EXISTS (SELECT \(others) AND wait_event_type = 'Lock')"))
            kill(process, SIGKILL)
            #expect(try becomes(watcher, "NOT EXISTS (SELECT \(others))"))
            try holder.script("ROLLBACK")
            #expect(try watcher.run("SELECT count(*) FROM import").first?.int64(0) == 0)
        }
    }
}
