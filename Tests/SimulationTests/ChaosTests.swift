// SPDX-License-Identifier: Apache-2.0

import Assignment
import FoundationEssentials
import Glibc
@testable import Simulation
import TestSupport
import Testing

struct ChaosTests {
    /// Two minutes of faults, every one of them at least once. Those that need root or a C compiler may be skipped where those are
    /// missing, and then say so; all the others have to run.
    @Test(.timeLimit(.minutes(10)))
    func `a daemon under every fault loses nothing, counts nothing twice and answers everybody`() async throws {
        let folder = try TemporaryFolder()
        var settings = ChaosSettings(
            folder: folder.path + "/chaos", program: ChildProcess.sibling("dispatcherd"),
            policies: Checkout.root + "/policies")
        settings.duration = .seconds(120)
        settings.accounts = 6_000
        let report = try await ChaosRun(settings).run { _ in }

        #expect(report.failures == [], "\(report.text)")
        // Clocks need a compiler, and the disk needs root.
        let hasCompiler = ChaosShim.make(in: folder.path) != nil
        let mayBeSkipped = Set(
            (hasCompiler ? [] : [ChaosFault.nodeClock, .serverClock]) + (geteuid() == 0 ? [] : [.diskFull]))
        #expect(report.skipped.filter { !mayBeSkipped.contains($0.fault) }.map(\.fault) == [], "\(report.text)")
        #expect(report.acknowledged > 200)
        #expect(report.stoppedAccounts > 0)
        // What was answered to RESUME is in the logs, and judged with them.
        #expect(report.comparisons > 20, "\(report.text)")
        let (operations, _) = try ClientLog.read(folder: folder.path + "/chaos/clients")
        let told = operations.compactMap { if case .compared(_, let isHeld) = $0.reply { isHeld } else { nil } }
        #expect(told.contains(true) && told.contains(false), "\(report.text)")
        for (fault, why) in report.skipped { #expect(report.text.contains("  \(fault.rawValue): \(why)")) }
        withExtendedLifetime(folder) {}
    }

    @Test(.timeLimit(.minutes(2)))
    func `a run for JSON that is interrupted is an object all the same`() async throws {
        let folder = try TemporaryFolder()
        let run = try ManagedProcess(
            [
                "/bin/sh", "-c", "exec \"$@\" >\"$0\"", "\(folder.path)/told", ChildProcess.sibling("agentsim"),
                "chaos", "--json",
                "--out", "\(folder.path)/chaos", "--policies", "\(Checkout.root)/policies",
            ], environment: ["PATH": "/usr/bin:/bin"], log: "\(folder.path)/said")
        // Its first step, before there is any server to be ended.
        try await until {
            !run.isRunning || (try? Folder.text("\(folder.path)/said"))?.contains("making a portfolio") == true
        }
        run.signal(SIGINT)

        #expect(await run.ended(within: .seconds(100)))
        let told = try Folder.text("\(folder.path)/told")
        #expect(told.hasPrefix(#"{"failures":["interrupted. rm -r "#) && told.hasSuffix("\"seed\":7}\n"), "\(told)")
    }

    @Test func `a fault that was skipped is told with its reason and not counted, and a run of nothing is no success`()
        throws
    {
        var settings = ChaosSettings(folder: "f", program: "p", policies: "policies")
        settings.faults = [.diskFull, .nodeKill, .netCut]
        let report = ChaosReport(
            settings,
            entries: [
                ChaosReport.Entry(fault: .diskFull, at: .seconds(1), effect: .skipped("it needs root")),
                ChaosReport.Entry(fault: .netCut, at: .seconds(2), effect: .ran("2 connections")),
            ], counts: ChaosCounts(), stopped: 0, starts: [1],
            verdict: VerdictReport(Verdict(), operations: [], delegations: 0, period: "2024-03"))

        #expect(report.skipped.map(\.fault) == [.diskFull, .nodeKill])
        #expect(report.skipped.map(\.why) == ["it needs root", "there was no time for it"])
        #expect(report.text.contains("  disk-full: it needs root"))
        #expect(report.text.contains("  net-cut ") && !report.text.contains("  node-kill  "))
        #expect(try report.jsonText().contains(#""disk-full":"it needs root""#))
        #expect(
            report.failures == [
                "there was nothing to judge: the logs acknowledge nothing, and the database has no lease"
            ])
    }

    @Test func `a node that listens and answers nothing is a failure by its name, whatever the others answer`() throws {
        let settings = ChaosSettings(folder: "f", program: "p", policies: "policies")
        var entry = ChaosReport.Entry(fault: .netCut, at: .seconds(2), effect: .ran("2 connections"))
        entry.silentNodes = [2]
        let verdict = VerdictReport(Verdict(), operations: [], delegations: 0, period: "2024-03")
        let report = ChaosReport(
            settings, entries: [entry], counts: ChaosCounts(), stopped: 0, starts: [1, 1], silentNodes: [1],
            verdict: verdict)

        #expect(report.failures.contains("node 2 listened and answered nothing for 30.0 s after net-cut"))
        #expect(report.failures.contains("node 1 answered nothing for 30.0 s after everything was made whole"))
        let time = ChaosTime(.hour(0))
        time.acknowledge(node: 1)
        time.acknowledge(node: 1)
        #expect(time.acknowledged == 2 && time.acknowledgedByNode == [1: 2])
    }

    @Test func `what is told as lost is written with a time not before the answer, as held with one that is settled`() {
        let time = ChaosTime(.hour(0))
        time.announce(.hour(5))
        // The database may have been set, and its answer lost.
        #expect(time.now == .hour(0) && time.latest == .hour(5))
        time.set(.hour(1))
        time.set(.hour(2))
        #expect(time.now == .hour(2) && time.latest == .hour(5) && time.settled() == .hour(0))
        let later = ContinuousClock.now + ChaosTime.lag
        #expect(time.settled(at: later) == .hour(2))
        time.set(.hour(6))
        #expect(time.latest == .hour(6) && time.settled(at: later - .seconds(1)) == .hour(0))
    }

    @Test func `what a node's clock shows is read from its log`() throws {
        let log = """
            2026-11-30T00:33:27+0000 info dispatcherd: incarnation=1 [Dispatcher] Database opened
            2026-11-30T05:33:28+0000 info dispatcherd: period=2024-03 [Dispatcher] Month projected
            listening on 127.0.0.1:35587

            """
        #expect(ChaosNode.latestTime(log)?.description == "2026-11-30T05:33:28.000Z")
        #expect(ChaosNode.latestTime("listening on 127.0.0.1:35587\n") == nil)
    }

    @Test func `a seed decides the order of the faults, each of which comes once`() {
        let order = ChaosFault.schedule(ChaosFault.allCases, seed: 7)

        #expect(order == ChaosFault.schedule(ChaosFault.allCases, seed: 7))
        #expect(order != ChaosFault.schedule(ChaosFault.allCases, seed: 8))
        #expect(Set(order) == Set(ChaosFault.allCases) && order.count == ChaosFault.allCases.count)
    }

    @Test func `each time of each fault draws for itself, whatever others met`() {
        func drawn(_ fault: ChaosFault, _ time: Int, seed: UInt64 = 7) -> UInt64 {
            var stream = FaultDriver.stream(of: fault, time, seed: seed)
            return stream.next()
        }
        #expect(drawn(.netSlow, 2) == drawn(.netSlow, 2))
        let others = [drawn(.netSlow, 1), drawn(.netSlow, 3), drawn(.netCut, 2), drawn(.netSlow, 2, seed: 8)]
        #expect(!others.contains(drawn(.netSlow, 2)))
    }

    @Test func `a seed decides which of the held accounts are stopped`() {
        let held = (1...50).map { (account: Int64($0), delegation: Int16(9)) }
        func chosen(_ number: Int, seed: UInt64 = 7) -> [Int64] {
            ChaosStops.chosen(held, number, seed: seed).map(\.account)
        }
        #expect(chosen(1) == chosen(1) && Set(chosen(1)).count == 12)
        #expect(chosen(1) != chosen(2) && chosen(1) != chosen(1, seed: 8))
        #expect(ChaosStops.chosen([held[3]], 1, seed: 7).map(\.account) == [4])
    }

    @Test(arguments: [([2, 2], true), ([3, 1], false), ([1, 1], false), ([2], true), ([3, 0], false)])
    func `a storm is one where every node came up and was killed again`(kills: [Int], isStorm: Bool) {
        #expect(FaultDriver.isStorm(kills) == isStorm)
    }

    @Test func `what a run has started ends with it, also where it is killed, and nothing else does`() async throws {
        let folder = "/tmp/agentsim-chaos-\(UInt64.random(in: 0...UInt64.max))"
        try Folder.make("\(folder)/disk")
        var kept: ProcessGuard? = try ProcessGuard(name: folder, .removal)
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

    @Test func `what only has to stop is asked to end, killed where it does not, and what comes behind is done`()
        async throws
    {
        let folder = try TemporaryFolder()
        let name = "\(folder.path) \(getpid())"
        var kept: ProcessGuard? = try ProcessGuard(
            name: name, .stop(then: ["/bin/sh", "-c", "echo done >\"$0\"", "\(folder.path)/after"]))
        let usual = ["PATH": "/usr/bin:/bin"].merging(try #require(kept?.mark)) { $1 }
        // Each says when it is ready to hear a signal.
        func start(_ script: String, _ name: String) throws -> ManagedProcess {
            let words = ["/bin/sh", "-c", "\(script); echo >\"$0.ready\"; while :; do sleep 0.1; done"]
            return try ManagedProcess(words + ["\(folder.path)/\(name)"], environment: usual, log: "/dev/null")
        }
        let polite = try start("trap 'echo >\"$0.asked\"; exit 0' TERM", "polite")
        let deaf = try start("trap '' TERM", "deaf")
        let other = try ManagedProcess(
            ["/bin/sleep", "60"], environment: ["PATH": "/usr/bin:/bin", "AGENTSIM_RUN": folder.path], log: "/dev/null")
        for file in ["polite.ready", "deaf.ready"] { try await Self.waits(for: "\(folder.path)/\(file)") }
        kept = nil

        #expect(await polite.ended(within: .seconds(20)))
        #expect(polite.isSuccess && Folder.exists("\(folder.path)/polite.asked"))
        #expect(await deaf.ended(within: .seconds(40)))
        try await Self.waits(for: "\(folder.path)/after")
        #expect(other.isRunning)
        await other.end(SIGKILL, within: .seconds(5))
    }

    private static func waits(for path: String) async throws {
        for _ in 0..<1_000 where !Folder.exists(path) { try await Task.sleep(for: .milliseconds(20)) }
        try #require(Folder.exists(path))
    }

    @Test func `a run in a folder without the policies says how to name them, as JSON too, and makes nothing`() throws {
        let folder = try TemporaryFolder()
        func run(_ more: String...) throws -> (code: Int32, text: String) {
            // What it says on both streams, one after the other.
            try ChildProcess.run(
                "/bin/sh",
                [
                    "-c", "cd \"$1\"; program=$0; shift; \"$program\" chaos \"$@\" 2>&1; echo \"ended with $?\"",
                    ChildProcess.sibling("agentsim"), folder.path,
                ] + more)
        }
        let usual = try run()
        #expect(usual.text.contains("there is no file policies/zones.csv. Name the folder"), "\(usual.text)")
        #expect(usual.text.contains("--policies") && usual.text.contains("ended with 2"))
        let lines = try run("--json", "--seed", "9").text.split(separator: "\n")
        struct Object: Decodable {
            let seed: Int
            let failures: [String]
        }
        let object = try JSONDecoder().decode(Object.self, from: Data((lines.first ?? "").utf8))
        #expect(object.seed == 9)
        #expect(object.failures.count == 1)
        #expect(object.failures.first?.hasPrefix("there is no file policies/zones.csv") == true)
        #expect(try run("--json", "--only", "nope").text.hasPrefix("{\"failures\":[\"there is no fault nope."))
        #expect(try Folder.names(in: folder.path) == [])
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
