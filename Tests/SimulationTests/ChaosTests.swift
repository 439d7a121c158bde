// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
@testable import Simulation
import Testing

struct ChaosTests {
    /// Two minutes of faults, every one of them at least once. Those that need root or a C compiler may be skipped where those are
    /// missing, and then say so; all the others have to run.
    @Test(.timeLimit(.minutes(10)))
    func `a daemon under every fault loses nothing, counts nothing twice and answers everybody`() async throws {
        let folder = try TemporaryFolder()
        let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
        var settings = ChaosSettings(
            folder: folder.path + "/chaos", program: ChildProcess.sibling("dispatcherd"), policies: root + "/policies")
        settings.duration = .seconds(120)
        settings.accounts = 6_000
        let report = try await ChaosRun(settings).run { _ in }

        #expect(report.failures == [], "\(report.text)")
        let privileged: Set<ChaosFault> = [.diskFull, .nodeClock, .serverClock]
        #expect(report.skipped.filter { !privileged.contains($0.fault) }.map(\.fault) == [], "\(report.text)")
        #expect(report.acknowledged > 200)
        #expect(report.stoppedAccounts > 0)
        for (fault, why) in report.skipped { #expect(report.text.contains("  \(fault.rawValue): \(why)")) }
        withExtendedLifetime(folder) {}
    }

    @Test func `a seed decides the order of the faults, each of which comes once`() {
        let order = ChaosFault.schedule(ChaosFault.allCases, seed: 7)

        #expect(order == ChaosFault.schedule(ChaosFault.allCases, seed: 7))
        #expect(order != ChaosFault.schedule(ChaosFault.allCases, seed: 8))
        #expect(Set(order) == Set(ChaosFault.allCases) && order.count == ChaosFault.allCases.count)
    }

    @Test func `what a run has started ends with it, also where it is killed, and nothing else does`() async throws {
        let folder = "/tmp/agentsim-chaos-\(UInt64.random(in: 0...UInt64.max))"
        try Folder.make("\(folder)/disk")
        var kept: ChaosGuard? = try ChaosGuard(folder: folder)
        let usual = ["PATH": "/usr/bin:/bin"]
        let mark = try #require(kept?.mark)
        let mine = try ManagedProcess(
            ["/bin/sh", "-c", "sleep 60 & wait"], environment: usual.merging(mark) { $1 }, log: "/dev/null")
        let other = try ManagedProcess(["/bin/sleep", "60"], environment: usual, log: "/dev/null")
        #expect(kept?.mark.count == 1)
        // As when we are killed: nobody releases it.
        kept = nil

        #expect(await mine.ended(within: .seconds(10)))
        #expect(other.isRunning)
        await other.end(SIGKILL, within: .seconds(5))
        for _ in 0..<200 where FileManager.default.fileExists(atPath: folder) { usleep(20_000) }
        #expect(!FileManager.default.fileExists(atPath: folder))
    }

    @Test func `a folder that has a run is not written into again`() async throws {
        let folder = try TemporaryFolder()
        try Folder.make(folder.path + "/clients")
        let settings = ChaosSettings(folder: folder.path, program: "/nowhere/dispatcherd", policies: "policies")
        let failure = await #expect(throws: SimulationFailure.self) { try await ChaosRun(settings).run { _ in } }

        #expect(failure?.exit == .usage)
        #expect(failure?.remedy.contains("--out") == true)
    }
}
