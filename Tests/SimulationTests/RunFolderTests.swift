// SPDX-License-Identifier: Apache-2.0

import Assignment
import FoundationEssentials
@testable import Simulation
import Testing

struct RunFolderTests {
    @Test func `a folder is one run's at a time, and the next one's afterwards`() throws {
        let folder = try TemporaryFolder()
        let first = try FolderLock(folder.path)
        let failure = #expect(throws: SimulationFailure.self) { try FolderLock(folder.path) }

        #expect(failure?.exit == .usage)
        #expect(failure?.found.hasPrefix("another run works in \(folder.path), process ") == true)
        first.release()
        #expect(throws: Never.self) { try FolderLock(folder.path) }
    }

    @Test func `a run against a port where nobody listens leaves nothing`() throws {
        let folder = try TemporaryFolder()
        let (code, text) = try ChildProcess.run(
            "/bin/sh",
            [
                "-c",
                "exec \"$0\" run --port 1 --keys \"$1/keys\" --from 2024-03-01 --to 2024-03-02 --log \"$1/log\"",
                ChildProcess.sibling("agentsim"), folder.path,
            ])

        #expect(code == 3)
        #expect(text.contains("nobody listens on 127.0.0.1:1"))
        #expect(try Folder.names(in: folder.path) == [])
    }

    @Test(arguments: [
        ("", "without a word"), ("made\nerror: no room. Free some..\n \n", "no room. Free some"), ("done", "done"),
    ])
    func `what a program said last is part of a sentence`(text: String, said: String) {
        #expect(DaemonProgram.lastWords(text) == said)
    }

    @Test func `a verification without a database says what is missing and how to name it, and makes none`() throws {
        let folder = try TemporaryFolder()
        try Folder.make("\(folder.path)/log")
        let (code, text) = try ChildProcess.run(
            "/bin/sh",
            [
                "-c",
                "unset REPARTO_DATABASE_URL; exec \"$0\" verify --period 2024-03 --log \"$1/log\" --data-dir \"$1/data\"",
                ChildProcess.sibling("agentsim"), folder.path,
            ])

        #expect(code == 3)
        #expect(text.contains("there is no private PostgreSQL in \(folder.path)/data"))
        #expect(text.contains("--data-dir") && text.contains("REPARTO_DATABASE_URL"))
        #expect(text.split(separator: "\n").count == 1)
        #expect(try Folder.names(in: folder.path) == ["log"])
    }

    @Test func `a database without tables of Reparto is told as such`() throws {
        let folder = try TemporaryFolder()
        try Data().write(to: URL(filePath: "\(folder.path)/ACE01.log"))
        let server = try #require(ProcessInfo.processInfo.environment["REPARTO_TEST_DATABASE"])
        let period = try #require(Period(text: "2024-03"))
        let failure = #expect(throws: SimulationFailure.self) {
            try Verification(database: server, logFolder: folder.path, period: period).run { _, _ in }
        }

        #expect(failure?.exit == .environment)
        #expect(failure?.found == "the database has no tables of Reparto")
    }
}
