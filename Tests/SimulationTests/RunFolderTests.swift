// SPDX-License-Identifier: Apache-2.0

import Assignment
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
}
