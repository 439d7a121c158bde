// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
@testable import Simulation
import Testing

/// `agentsim month` that is stopped from outside: what it had started ends, and what it leaves is told.
struct InterruptedMonthTests {
    private static let environment = ["PATH": "/usr/bin:/bin", "REPARTO_DATABASE_URL": ""]

    /// Processes that bear the folder in their command lines.
    private static func processes(of folder: String) throws -> [String] {
        try Folder.names(in: "/proc").filter { Int32($0) != nil }.filter { number in
            ((try? Folder.text("/proc/\(number)/cmdline")) ?? "").contains(folder)
        }
    }

    @Test(.timeLimit(.minutes(5)), arguments: [SIGTERM, SIGKILL])
    func `a month that is stopped takes its daemon and its PostgreSQL with it, and says how to begin anew`(
        signal: Int32
    ) async throws {
        let folder = try TemporaryFolder()
        let month = "\(folder.path)/month"
        let program = ChildProcess.sibling("agentsim")
        let words = [program, "month", "--out", month, "--period", "2024-03", "--accounts", "1500"]
        let running = try ManagedProcess(words, environment: Self.environment, log: "\(folder.path)/said")
        for _ in 0..<6_000 where running.isRunning && !Folder.exists("\(month)/dispatcherd.ready") {
            try await Task.sleep(for: .milliseconds(20))
        }
        try #require(running.isRunning)
        let second = try ChildProcess.run(program, Array(words.dropFirst()))
        #expect(second.code == 2)
        #expect(second.text.contains("another run works in \(month), process \(running.pid)"), "\(second.text)")
        running.signal(signal)

        #expect(await running.ended(within: .seconds(60)))
        // The guard of one that was killed works on behind it.
        for _ in 0..<3_000 where try signal == SIGKILL && !Self.processes(of: month).isEmpty {
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(try Self.processes(of: month) == [])
        let (code, state) = try ChildProcess.run(
            ChildProcess.sibling("dispatcherd"), ["database", "status", "--data-dir", "\(month)/postgres"])
        #expect(code == 0 && state.hasPrefix("stopped"), "\(state)")
        if signal == SIGTERM {
            let said = try Folder.text("\(folder.path)/said")
            #expect(said.contains("error: interrupted; what this month had started is stopped"), "\(said)")
            #expect(said.hasSuffix("--data-dir \(month)/postgres\n"), "nothing is said behind it: \(said)")
        }
        let again = try ChildProcess.run(program, Array(words.dropFirst()))
        #expect(again.code == 2)
        #expect(again.text.contains("\(month) has a month already, which was not played to its end"), "\(again.text)")
        #expect(again.text.contains("rm -r \(month), and the same command"))
    }

    @Test func `a month without the files that it reads leaves no folder`() throws {
        let folder = try TemporaryFolder()
        let script = "cd \"$1\" && exec \"$0\" month --out month --period 2024-03"
        let (code, text) = try ChildProcess.run(
            "/bin/sh", ["-c", script, ChildProcess.sibling("agentsim"), folder.path])

        #expect(code == 2)
        #expect(text.contains("there is no file policies/schedules.csv. Name the schedules of fees with --schedules"))
        #expect(try Folder.names(in: folder.path) == [])
    }
}
