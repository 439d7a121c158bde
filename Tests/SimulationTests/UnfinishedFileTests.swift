// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
@testable import Simulation
import Testing

struct UnfinishedFileTests {
    @Test func `a file has its name once it is whole, and leaves nothing where it never was`() throws {
        let folder = try TemporaryFolder()
        func write(_ name: String, finishes: Bool) throws {
            var rows = try RowWriter(path: "\(folder.path)/\(name)", header: ["a"])
            rows.field(1)
            try rows.endRow()
            #expect(try Folder.names(in: folder.path).contains("\(name).part"))
            if finishes { try rows.finish() }
        }
        try write("whole.csv", finishes: true)
        try write("cut-off.csv", finishes: false)

        #expect(try Folder.names(in: folder.path) == ["whole.csv"])
        #expect(try Folder.text("\(folder.path)/whole.csv") == "a\n1\n")
    }

    /// 400 blocks of 512 bytes: the small files fit, the cut does not.
    @Test func `a portfolio for which there is no room leaves no half file, and says why`() throws {
        let folder = try TemporaryFolder()
        let (code, text) = try agentsim(
            "ulimit -f 400; exec \"$0\" portfolio --out \"$1\" --period 2024-03 --accounts 100000", folder.path)

        #expect(code == 3)
        #expect(text.contains("error: cannot write \(folder.path)/cut.csv.part: File too large"))
        #expect(try Folder.names(in: folder.path).filter { $0.hasSuffix(".part") } == [])
        #expect(!Folder.exists("\(folder.path)/cut.csv"))
    }

    @Test(.timeLimit(.minutes(1)), arguments: ["INT", "TERM"])
    func `a portfolio that is interrupted leaves no half file`(signal: String) throws {
        let folder = try TemporaryFolder()
        let (code, text) = try agentsim(
            """
            "$0" portfolio --out "$1" --period 2024-03 --accounts 10000000 & process=$!
            until [ -s "$1/cut.csv.part" ]; do sleep 0.05; done
            kill -\(signal) $process; wait $process
            """, folder.path)

        #expect(code == 3)
        #expect(text.contains("error: interrupted"))
        #expect(try Folder.names(in: folder.path).filter { $0.hasSuffix(".part") } == [])
    }

    @Test func `an input that is not there is the caller's to mend, as everywhere`() throws {
        let folder = try TemporaryFolder()
        let missing = "\(folder.path)/nope.csv"
        let file = #expect(throws: SimulationFailure.self) { try Table(path: missing, required: []) }
        let isFolder = #expect(throws: SimulationFailure.self) { try Folder.text(folder.path) }
        let (code, text) = try agentsim("exec \"$0\" review --in \"$1/nope.csv\" --out \"$1/out.csv\"", folder.path)

        #expect(file?.exit == .usage)
        #expect(isFolder?.exit == .usage)
        #expect(code == 2)
        #expect(text == "error: there is no file \(missing). Check the path\n")
    }

    /// Runs the program in a shell, which gets its path as `$0` and the folder as `$1`.
    private func agentsim(_ script: String, _ folder: String) throws -> (code: Int32, text: String) {
        try ChildProcess.run("/bin/sh", ["-c", script, ChildProcess.sibling("agentsim"), folder])
    }
}
