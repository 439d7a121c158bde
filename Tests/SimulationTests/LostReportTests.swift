// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import PgStore
import Simulation
import TestSupport
import Testing

/// Standard output that takes nothing: what was done is told, and nobody takes it for undone.
struct LostReportTests {
    private func run(_ program: String, _ words: String, _ arguments: [String]) throws -> (code: Int32, text: String) {
        try ChildProcess.run(
            "/bin/sh", ["-c", "exec \"$0\" \(words) >/dev/full", ChildProcess.sibling(program)] + arguments)
    }

    @Test func `a change whose report is lost is told as done, and a reading is not`() async throws {
        try await TestDatabase.with { database in
            func run(_ words: String) throws -> (code: Int32, text: String) {
                try self.run(
                    "dispatcherd", "\(words) --database \"$1\" --allow-unsafe-durability", [database.conninfo])
            }
            let told = "; but what the command was asked for is done and kept, and only this report of it is lost."
            for change in ["clock set 2024-03-01T06:00Z", "visit-ban add --delegation 12 --pack fna"] {
                let (code, text) = try run(change)
                #expect(code == 1 && text.contains(told), "\(change): \(text)")
            }
            #expect(try database.link().run("SELECT count(*) FROM visit_ban").first?.int64(0) == 1)
            for reading in ["clock show", "visit-ban list"] {
                let (code, text) = try run(reading)
                #expect(code == 3 && !text.contains("; but"), "\(reading): \(text)")
            }
        }
    }

    /// A pipe without a reader from the start on: opened for both ends, then left with the writer's alone.
    @Test func `a reader that goes away before the report is told what was done, and may go away from a reading`()
        async throws
    {
        let folder = try TemporaryFolder()
        try await TestDatabase.with { database in
            func run(_ words: String) throws -> (code: Int32, text: String) {
                try ChildProcess.run(
                    "/bin/sh",
                    [
                        "-c",
                        "rm -f \"$2\"; mkfifo \"$2\"; exec 3<>\"$2\" 1>\"$2\" 3>&-; "
                            + "exec \"$0\" \(words) --database \"$1\" --allow-unsafe-durability",
                        ChildProcess.sibling("dispatcherd"), database.conninfo, "\(folder.path)/pipe",
                    ])
            }
            let (code, text) = try run("visit-ban add --delegation 12 --pack fna")
            #expect(
                code == 1 && text.contains("Broken pipe; but what the command was asked for is done and kept"),
                "\(text)")
            #expect(try database.link().run("SELECT count(*) FROM visit_ban").first?.int64(0) == 1)
            let reading = try run("visit-ban list")
            #expect(reading.code != 1 && !reading.text.contains("error"), "\(reading)")
        }
    }

    /// As in `dispatcherd … 2>&1 | head -1`, where progress comes before the work is done.
    @Test func `a reader of progress that goes away does not end the work`() async throws {
        let folder = try TemporaryFolder()
        let zones = (1...32).map { "\(($0 - 1) % 20 + 1),\($0)\n" }.joined()
        try Data("zone,delegation\n\(zones)".utf8).write(to: URL(filePath: "\(folder.path)/zones.csv"))
        try await TestDatabase.with { database in
            let (code, text) = try ChildProcess.run(
                "/bin/sh",
                [
                    "-c",
                    "mkfifo \"$2/pipe\"; exec 3<>\"$2/pipe\" 2>\"$2/pipe\" 3>&-; exec \"$0\" import zones \"$2/zones.csv\" "
                        + "--period 2024-03 --database \"$1\" --allow-unsafe-durability",
                    ChildProcess.sibling("dispatcherd"), database.conninfo, folder.path,
                ])

            #expect(code == 0 && text.contains("32 rows imported"), "\(code): \(text)")
            #expect(try database.link().run("SELECT count(*) FROM zone_delegation").first?.int64(0) == 32)
        }
    }

    @Test func `a key that was made is told of, too`() throws {
        let folder = try TemporaryFolder()
        let (code, text) = try run("dispatcherd", "contacts new-key \"$1/key\"", [folder.path])

        #expect(code == 1 && text.contains("is done and kept"), "\(text)")
        #expect(Folder.exists("\(folder.path)/key"))
    }

    @Test func `a report of agentsim that is lost is no success`() throws {
        let folder = try TemporaryFolder()
        try Data("outcome,delegation,agency,account,worked_at,result\n".utf8)
            .write(to: URL(filePath: "\(folder.path)/pending.csv"))
        let (code, text) = try run("agentsim", "review --in \"$1/pending.csv\" --out \"$1/out.csv\"", [folder.path])

        #expect(code == 3 && text.contains("error: cannot write to standard output: No space left"), "\(text)")
    }
}
