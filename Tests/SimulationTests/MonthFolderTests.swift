// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Simulation
import Testing

/// What `agentsim month` says of a folder that has something already.
struct MonthFolderTests {
    private func write(_ names: [String], in folder: String) throws {
        try Folder.make(folder)
        for name in names { try FileOutput(path: "\(folder)/\(name)").write("a".utf8) }
    }

    /// One that a daemon works with has the same files as a month's.
    @Test(arguments: [
        ["note"], ["reparto.yaml"], ["postgres", "reparto.yaml", "run.lock"], ["month", "reparto.yaml"],
    ])
    func `nobody is told to remove a folder that no month was made in, and nothing is written into it`(
        names: [String]
    ) throws {
        let folder = try TemporaryFolder()
        try write(names, in: folder.path)
        let failure = #expect(throws: SimulationFailure.self) { try MonthFolder.requireUnused(folder.path) }

        #expect(failure?.exit == .usage && failure?.found == "\(folder.path) is not empty, and has no month")
        #expect(failure?.remedy == "Name a new folder with --out")
        #expect(try Folder.names(in: folder.path) == names)
    }

    @Test(arguments: [(["month"], "played and closed"), ([], "which was not played to its end")])
    func `what begins a month anew can be copied into a shell, whatever the folder's name`(
        more: [String], state: String
    ) throws {
        let root = try TemporaryFolder()
        let folder = "\(root.path)/a month's"
        let names = (more + [MonthFolder.mark, "postgres", "reparto.yaml"]).sorted()
        try write(names, in: folder)
        let failure = #expect(throws: SimulationFailure.self) { try MonthFolder.requireUnused(folder) }

        #expect(failure?.found == "\(folder) has a month already, \(state)")
        let quoted = #"'\#(root.path)/a month'\''s"#
        #expect(
            failure?.remedy.contains(
                "dispatcherd database stop --data-dir \(quoted)/postgres' && rm -r \(quoted)', and the same") == true)
        #expect(try Folder.names(in: folder) == names)
    }

    @Test func `a profile of an agency that the portfolio has not is refused before anything is made`() async throws {
        let root = try TemporaryFolder()
        let folder = "\(root.path)/month"
        let specification = try PortfolioSpecification(
            accounts: 100, seed: 7, period: try #require(Period(text: "2024-03")), agencies: 29, contracts: 88,
            zones: ZoneMap())
        var settings = WholeMonth.Settings(
            folder: folder, specification: specification, program: ChildProcess.sibling("dispatcherd"),
            schedules: "policies/schedules.csv")
        settings.profiles = try ProfileFile(text: "agencies: {ACE29: drawn, ACE30: drawn}\n", path: "p.yaml")
        let failure = await #expect(throws: SimulationFailure.self) { try await WholeMonth(settings).run { _ in } }

        #expect(failure?.exit == .usage)
        #expect(
            failure?.found == "the profiles name ACE30, which has no contract in a portfolio of 29 agencies")
        #expect(!Folder.exists(folder))
    }

    @Test func `who works in a folder is named, and one that is missing or empty is free`() throws {
        let folder = try TemporaryFolder()
        #expect(throws: Never.self) { try MonthFolder.requireUnused("\(folder.path)/none") }
        #expect(throws: Never.self) { try MonthFolder.requireUnused(folder.path) }
        let lock = try FolderLock(folder.path, option: "--out")
        let failure = #expect(throws: SimulationFailure.self) { try MonthFolder.requireUnused(folder.path) }
        #expect(failure?.found.hasPrefix("another run works in \(folder.path), process ") == true)
        lock.release()
    }

    @Test(arguments: [
        ("/tmp/a-1.b_c", "/tmp/a-1.b_c"), ("", "''"), ("a b", "'a b'"), ("$(a)", "'$(a)'"), ("a'b", #"'a'\''b'"#),
    ])
    func `a word is quoted where a shell would read it otherwise`(word: String, quoted: String) {
        #expect(ShellWord.quoted(word) == quoted)
    }
}
