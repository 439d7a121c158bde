// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import FoundationEssentials
import Glibc
import Logging
import PgStore
@testable import Simulation
import Synchronization
import TestSupport
import Testing

struct LoadTests {
    @Test(arguments: [true, false])
    func `every account that a load leases is reported, and what it counts is in the tables`(isPaired: Bool)
        async throws
    {
        try await LoadSite.with(handSize: 100_000) { site in
            var settings = site.settings
            settings.isPaired = isPaired
            let report = try await LoadRun(settings).run { _ in }

            let leased = try site.number("SELECT sum(accounts)::bigint FROM lease_grant")
            let outcomes = try site.number("SELECT count(*) FROM outcome")
            #expect(report.accounts > 0)
            #expect(report.accountsPerSecond == Int64((Double(report.accounts) / report.seconds).rounded()))
            #expect(report.report.count > 0)
            #expect(report.refusals.isEmpty)
            #expect(report.lostConnections.isEmpty)
            // Before and after the measurement there are more; the last pull of each connection is not reported.
            #expect(report.accounts <= leased)
            #expect(outcomes >= report.report.count)
            #expect(leased - outcomes <= Int64(settings.connections * settings.leaseSizes.max))
            #expect(report.lease.p50 <= report.lease.p99 && report.lease.p99 <= report.lease.max)
        }
    }

    @Test func `an open loop pulls no more often than pulls arrive`() async throws {
        try await LoadSite.with(handSize: 100_000) { site in
            var settings = site.settings
            settings.arrival = .open(pullsPerSecond: 50)
            settings.duration = .seconds(2)
            let report = try await LoadRun(settings).run { _ in }

            // A hundred in two seconds, and one more of each connection whose turns begin and end with the measured time. A closed loop
            // would make thousands.
            #expect((1...Int64(100 + settings.connections)).contains(report.duePulls))
            #expect(report.lease.count == report.duePulls)
            #expect(report.pullsPerSecond == 50)
            #expect(report.isAnswered)
        }
    }

    /// Free of coordinated omission: who asked and got no answer is in the figures, and so is who could not even ask.
    @Test func `a daemon that hangs until after the end shows in the percentiles of an open loop`() async throws {
        try await LoadSite.with(handSize: 100_000) { site in
            var settings = site.settings
            settings.arrival = .open(pullsPerSecond: 100)
            settings.duration = .seconds(1)
            settings.patience = .milliseconds(600)
            let hold = LoadHold()
            let report = try await LoadRun(settings).run { line in
                if line.hasPrefix("warming up") { hold.take(site.database) }
            }
            hold.release()

            #expect(hold.failure == nil)
            // Three connections asked, and nearly a hundred pulls had no connection to leave on.
            #expect(report.duePulls > 50)
            #expect(report.waitingPulls == report.duePulls)
            #expect(report.lease.count == report.duePulls)
            #expect(report.lease.p50 > 600_000)
            #expect(!report.isAnswered)
            let unsent = try #require(report.unsentPulls)
            // Those that were sent may have been due before the measured time.
            #expect((0...Int64(settings.connections)).contains(report.waitingPulls - unsent))
            #expect(report.drainSeconds.map { $0 >= 0.6 && $0 < 30 } == true)
            let told = "that they had waited; \(Terminal.grouped(Int(unsent))) of the pulls had not left, because"
            #expect(report.lines.contains { $0.contains("not answered in the end") && $0.contains(told) })
        }
    }

    @Test func `connections that a node loses are made again elsewhere, and what had no answer is sent once more`()
        async throws
    {
        try await LoadSite.with(handSize: 100_000) { site in
            let second = try await site.secondNode()
            var settings = site.settings
            settings.addresses.append(LoadAddress(host: "127.0.0.1", port: second.port))
            settings.connections = 4
            settings.duration = .seconds(2)
            // Into the measurement, and a second before its end.
            let isMeasuring = LoadFlag()
            let stopping = Task {
                await isMeasuring.wait()
                await second.stop()
            }
            defer { stopping.cancel() }
            let report = try await LoadRun(settings).run { line in
                if line.hasPrefix("1 s: ") { isMeasuring.set() }
            }
            await stopping.value

            #expect(report.lostConnections["the node stopped"] == 2)
            let place = "127.0.0.1:\(second.port)"
            #expect(report.lostByAddress?[place]?["the node stopped"] == 2)
            #expect(report.isAnswered)
            #expect(Set(report.refusals.keys).isSubset(of: ["LEASE UNAVAILABLE", "REPORT UNAVAILABLE"]))
            let leased = try site.number("SELECT sum(accounts)::bigint FROM lease_grant")
            let outcomes = try site.number("SELECT count(*) FROM outcome")
            // Each account once, but for the last pull of each connection.
            #expect(outcomes == (try site.number("SELECT count(DISTINCT account_id) FROM outcome")))
            #expect(leased - outcomes <= Int64(settings.connections * settings.leaseSizes.max))
            #expect(report.lines.contains("connections lost, the node stopped: 2 (\(place): 2)"))
        }
    }

    @Test func `a load whose reports are all refused tells so, and has no latency of reports`() async throws {
        try await LoadSite.with(handSize: 100_000) { site in
            try site.database.link().script("UPDATE period SET state = 'closed'")
            var settings = site.settings
            settings.arrival = .open(pullsPerSecond: 200, spread: .poisson)
            let report = try await LoadRun(settings).run { _ in }

            #expect(report.accounts > 0 && report.report.count == 0 && report.isAnswered && !report.isTaken)
            #expect(report.refusedReports.map { $0 > 0 && $0 <= report.refusals["REPORT PERIOD-CLOSED"] ?? 0 } == true)
            #expect(report.arrivalText == "200 pulls a second, at drawn times (Poisson)")
        }
    }

    @Test func `a connection that has nothing to do for long is not taken for dead`() async throws {
        try await LoadSite.with(handSize: 100_000, idle: .seconds(1)) { site in
            var settings = site.settings
            settings.arrival = .open(pullsPerSecond: 1)
            settings.duration = .seconds(3)
            let report = try await LoadRun(settings).run { _ in }

            #expect(report.lostConnections.isEmpty)
        }
    }

    // A hand of 21 makes the last pull a partial one; an open loop gives its pulls to who has accounts left.
    @Test(arguments: [20, 21], [LoadSettings.Arrival.closed, .open(pullsPerSecond: 50)])
    func `a load that has nothing left to pull says so, with what was measured until then`(
        handSize: Int32, arrival: LoadSettings.Arrival
    ) async throws {
        try await LoadSite.with(handSize: handSize) { site in
            var settings = site.settings
            settings.arrival = arrival
            settings.warmUp = .zero
            settings.duration = .seconds(60)
            let report = try await LoadRun(settings).run { _ in }

            #expect(report.cut == .dry)
            #expect(report.cutText?.contains(" s of 60 s") == true || report.accounts == 0)
            #expect(report.seconds < 60)
            // Whatever was drawn before the measurement began.
            #expect(report.accounts <= Int64(handSize))
            #expect(report.lines.contains { $0.hasPrefix("partial: all pools ran dry") })
            #expect(report.lines.contains { $0.hasPrefix("warning: nobody had accounts left") })
            #expect(report.dryConnections == settings.connections)
            // What has nothing to lease is not loaded again.
            let empty = await #expect(throws: SimulationFailure.self) { try await LoadRun(settings).run { _ in } }
            #expect(empty?.exit == .findings)
            #expect(empty?.found.hasPrefix("none of the 1 agencies has an account that it could lease") == true)
            let again = try JSONDecoder().decode(LoadReport.self, from: Data(try report.jsonText().utf8))
            #expect(again.cut == .dry && again.wantedSeconds == 60)
        }
    }

    @Test func `a load that is interrupted tells what was measured until then, and of nothing before`() async throws {
        try await LoadSite.with(handSize: 100_000) { site in
            var settings = site.settings
            settings.duration = .seconds(60)
            let asked = LoadFlag()
            let report = try await LoadRun(settings, isInterrupted: { asked.isSet }).run { line in
                if line.hasPrefix("2 s: ") { asked.set() }
            }

            #expect(report.cut == .interrupted)
            #expect(report.accounts > 0 && report.lease.count > 0 && report.samples.count >= 2)
            #expect(report.seconds < 60)
            let said = "partial: interrupted after \(LoadReport.tenths(report.seconds)) s of 60 s"
            #expect(report.seconds >= 2 && report.lines.first?.hasPrefix(said) == true)
            #expect(LoadPage(report).html.contains(said))
            let early = await #expect(throws: SimulationFailure.self) {
                try await LoadRun(settings, isInterrupted: { true }).run { _ in }
            }
            #expect(early?.exit == .environment && early?.found == "interrupted before anything was measured")
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a load that is interrupted behind its time waits for nothing more, and says so`() async throws {
        try await LoadSite.with(handSize: 100_000) { site in
            var settings = site.settings
            settings.arrival = .open(pullsPerSecond: 100)
            settings.duration = .milliseconds(500)
            settings.patience = .seconds(3_600)
            let hold = LoadHold()
            let asked = LoadFlag()
            let report = try await LoadRun(settings, isInterrupted: { asked.isSet }).run { line in
                if line.hasPrefix("warming up") { hold.take(site.database) }
                if line.hasPrefix("waiting for the answers") { asked.set() }
            }
            hold.release()

            #expect(hold.failure == nil)
            #expect(report.cut == nil && !report.isAnswered)
            #expect(report.lines.first?.hasPrefix("interrupted behind the measured time") == true)
        }
    }

    @Test func `a load that is interrupted before a mute server has said anything ends`() async throws {
        let silent = try SilentListener()
        defer { silent.close() }
        try await LoadSite.with(handSize: 20) { site in
            var settings = site.settings
            settings.addresses = [LoadAddress(host: "127.0.0.1", port: silent.port)]
            let failure = await #expect(throws: SimulationFailure.self) {
                try await LoadRun(settings, isInterrupted: { true }).run { _ in }
            }

            #expect(failure?.found == "interrupted before anything was measured")
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func `a load that is interrupted behind its figures says that the page alone is missing`() async throws {
        try await LoadSite.with(handSize: 100_000) { site in
            let folder = try TemporaryFolder()
            // A pipe that is full: the page waits to be written.
            let page = "\(folder.path)/page"
            try #require(mkfifo(page, 0o600) == 0)
            let pipe = open(page, O_RDWR | O_NONBLOCK | O_CLOEXEC)
            defer { close(pipe) }
            let block = [UInt8](repeating: 0, count: 4_096)
            while write(pipe, block, block.count) > 0 {}
            let load = try ManagedProcess(
                [
                    ChildProcess.sibling("agentsim"), "load", "--port", "\(site.settings.addresses[0].port)", "--keys",
                    site.settings.keysFolder, "--contracts", site.settings.contractsPath, "--connections", "1",
                    "--warm-up", "0", "--seconds", "1", "--html", page,
                ], environment: ["PATH": "/usr/bin:/bin"], log: "\(folder.path)/said")
            try await until {
                !load.isRunning
                    || ((try? Folder.names(in: "/proc/\(load.pid)/fd")) ?? []).contains {
                        Folder.isSame("/proc/\(load.pid)/fd/\($0)", page)
                    }
            }
            load.signal(SIGINT)

            #expect(await load.ended(within: .seconds(30)))
            let said = try Folder.text("\(folder.path)/said")
            #expect(said.contains("accounts leased in "), "\(said)")
            #expect(
                said.hasSuffix(
                    "error: interrupted; the figures are told, and \(page) is not written. What was pulled stays leased.\n"
                ),
                "\(said)")
        }
    }

    @Test func `of several nodes those that are there are loaded, and the others are told`() async throws {
        try await LoadSite.with(handSize: 100_000) { site in
            var settings = site.settings
            settings.addresses.insert(LoadAddress(host: "127.0.0.1", port: 1), at: 0)
            settings.duration = .seconds(1)
            let report = try await LoadRun(settings).run { _ in }

            #expect(report.accounts > 0 && report.nodes == 1)
            #expect(report.notes == ["nobody listens on 127.0.0.1:1: the others are loaded"])
            // Where there is no report, the failure names it.
            try site.database.link().script("UPDATE quota SET limit_accounts = 0")
            let empty = await #expect(throws: SimulationFailure.self) { try await LoadRun(settings).run { _ in } }
            #expect(empty?.found.hasPrefix("none of the 1 agencies has an account that it could lease") == true)
            #expect(empty?.found.hasSuffix("; nobody listens on 127.0.0.1:1") == true, "\(empty?.found ?? "")")
        }
    }

    @Test func `a node that is started again within a load is loaded on`() async throws {
        try await LoadSite.with(handSize: 100_000) { site in
            let first = try await site.secondNode()
            var settings = site.settings
            settings.addresses = [LoadAddress(host: "127.0.0.1", port: first.port)]
            settings.duration = .seconds(4)
            // Into the measurement.
            let isMeasuring = LoadFlag()
            let restarting = Task {
                await isMeasuring.wait()
                await first.stop()
                let again = try await site.secondNode(port: first.port)
                return (again, try site.number("SELECT sum(accounts)::bigint FROM lease_grant"))
            }
            defer { restarting.cancel() }
            let report = try await LoadRun(settings).run { line in
                if line.hasPrefix("1 s: ") { isMeasuring.set() }
            }
            let (again, before) = try await restarting.value
            await again.stop()

            #expect(report.lostConnections["the node stopped"] == 3)
            #expect(report.cut == nil && report.isAnswered)
            #expect(try site.number("SELECT sum(accounts)::bigint FROM lease_grant") > before)
        }
    }

    /// Two loads that sign in at the same time overtake each other's sequences.
    @Test(arguments: ["load-0", "load-clock"])
    func `who is overtaken under the same names is told to take other ones`(name: String) async throws {
        try await LoadSite.with(handSize: 100_000) { site in
            try site.database.link().run(
                "INSERT INTO agency_instance (agency_id, instance, sequence, seen_at) VALUES (1, $1, 9000000000000000000, now_instant())",
                [.text(name)])
            let failure = await #expect(throws: SimulationFailure.self) {
                try await LoadRun(site.settings).run { _ in }
            }
            #expect(failure?.exit == .environment && failure?.found.contains("CLONE") == true)
            #expect(failure?.remedy.contains("--instance") == true)
            var other = site.settings
            other.instance = "other"
            other.duration = .milliseconds(500)
            #expect(try await LoadRun(other).run { _ in }.lostConnections == [:])
            other.instance = "no name"
            let wrong = await #expect(throws: SimulationFailure.self) { try await LoadRun(other).run { _ in } }
            #expect(wrong?.exit == .usage)
        }
    }

    @Test(
        arguments: [
            // Within one power of ten there are as many as make a scale.
            (300, 400, [200, 500]), (1_000, 1_000, [1_000, 2_000]),
            (900, 12_000, [500, 1_000, 2_000, 5_000, 10_000, 20_000]),
            (3, 4_000_000, [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000]), (0, 0, [1, 2]),
        ] as [(UInt64, UInt64, [Double])])
    func `the picture's scale of times has at least two marks, around all that was measured`(
        fastest: UInt64, slowest: UInt64, marks: [Double]
    ) {
        #expect(LoadPage.timeTicks(from: fastest, to: slowest) == marks)
    }

    @Test(arguments: [(0, 1), (4, 1), (5, 2), (100, 25), (101, 50), (1_000, 250), (9_999, 2_500), (10_001, 5_000)])
    func `four steps of the picture's scale of accounts reach the greatest`(most: Double, step: Double) {
        #expect(LoadPage.step(of: most) == step)
    }

    @Test func `a page into a folder that is not there is refused before the load, and says how to make it`() throws {
        let folder = try TemporaryFolder()
        for (path, said) in [("none/load.html", "mkdir -p \(folder.path)/none"), ("", "is a folder")] {
            let (code, text) = try ChildProcess.run(
                ChildProcess.sibling("agentsim"),
                ["load", "--port", "1", "--keys", "\(folder.path)/keys", "--html", "\(folder.path)/\(path)"])
            #expect(code == 2)
            #expect(text.contains(said), "\(text)")
        }
        #expect(throws: Never.self) { try FileOutput.requireWritable("\(folder.path)/load.html") }
        #expect(throws: Never.self) { try FileOutput.requireWritable("load.html") }
        #expect(throws: Never.self) { try FileOutput.requireWritable("/dev/null") }
    }

    @Test func `a daemon that encrypts is loaded over TLS`() async throws {
        let folder =
            Checkout.root + "/Tests/AgentProtocolTests/Certificates"
        let tls = try ServerTLS(TLSFiles(certificate: folder + "/server.pem", key: folder + "/server.key"))
        try await LoadSite.with(handSize: 20_000, tls: tls) { site in
            var settings = site.settings
            settings.tls = WireTLS(authorities: folder + "/authority.pem")
            _ = try await LoadRun(settings).run { _ in }

            #expect(try site.number("SELECT count(*) FROM outcome") > 0)
        }
    }

    @Test func `idle connections are counted, and what each one costs is the slope`() async throws {
        let slope = IdleReport(few: (1_000, 60_000_000), many: (20_000, 250_000_000))
        #expect(slope.bytesPerConnection == 10_000)
        #expect(slope.lines.last == "10,000 bytes for each one more")
        try await LoadSite.with(handSize: 20) { site in
            var settings = site.settings
            settings.connections = 40
            let report = try await LoadRun(settings).idle(daemon: getpid()) { _ in }

            #expect(report.fewConnections == 20)
            #expect(report.manyConnections == 40)
            #expect(report.fewBytes > 0)
            #expect(try site.number("SELECT count(*) FROM lease_grant") == 0)
        }
    }

    @Test func `lease sizes and bursts of reports are drawn by their weights`() async throws {
        #expect(LoadMix(text: "1:80,100:20", in: 1...1_000)?.max == 100)
        for text in ["", "0", "1001", "1:", "1:0", "a", "1:2:3", "1,"] {
            #expect(LoadMix(text: text, in: 1...1_000) == nil, "\(text)")
        }
        var random = Simulation.SplitMix64(seed: 7)
        let mix = try #require(LoadMix(text: "1:80,100:20", in: 1...1_000))
        let large = (0..<10_000).count { _ in mix.draw(&random) == 100 }
        #expect((1_850...2_150).contains(large))
        try await LoadSite.with(handSize: 100_000) { site in
            var settings = site.settings
            settings.leaseSizes = try #require(LoadMix(text: "1:1,9:1", in: 1...1_000))
            settings.reportsPerAccount = LoadMix(3)
            let report = try await LoadRun(settings).run { _ in }

            #expect(try site.number("SELECT count(DISTINCT accounts) FROM lease_grant") == 2)
            let most = "SELECT max(n) FROM (SELECT count(*) AS n FROM outcome GROUP BY account_id) x"
            #expect(try site.number(most) == 3)
            #expect(report.reportsPerSecond > report.accountsPerSecond)
        }
    }

    @Test func `a result tells what was used, makes a page, and is compared with another one`() async throws {
        try await LoadSite.with(handSize: 100_000) { site in
            let report = try await LoadRun(site.settings).run { _ in }
            let folder = try TemporaryFolder()
            let path = folder.path + "/a.json"
            try Data(try report.jsonText().utf8).write(to: URL(filePath: path))

            // The node runs in this process.
            #expect(report.daemonResidentBytes ?? 0 > 1 << 20)
            // Whatever way the tests' PostgreSQL is reached by; it alone writes what is leased.
            #expect(report.postgresResidentBytes ?? 0 > 1 << 20)
            #expect(report.postgresProcessorPercent ?? 0 > 0)
            #expect(report.lines.contains { $0.hasPrefix("PostgreSQL used ") })
            #expect(report.samples.map(\.accounts).reduce(0, +) <= report.accounts)
            #expect(report.lease.curve.map(\.microseconds) == report.lease.curve.map(\.microseconds).sorted())
            #expect(LoadPage(report).html.contains("<polyline points="))
            let same = try LoadComparison(path, path)
            #expect(same.differences == [])
            #expect(same.lines.contains { $0.hasPrefix("accounts a second") && $0.hasSuffix("1.00") })
            var other = site.settings
            other.connections = 2
            other.duration = .milliseconds(300)
            let second = try await LoadRun(other).run { _ in }
            try Data(try second.jsonText().utf8).write(to: URL(filePath: folder.path + "/b.json"))
            #expect(try LoadComparison(path, folder.path + "/b.json").differences.first == "connections: 3 and 2")
            let failure = #expect(throws: SimulationFailure.self) { try LoadComparison(path, #filePath) }
            #expect(failure?.exit == .usage)
        }
    }

    @Test func `a daemon that is not there is an error with a remedy`() async throws {
        try await LoadSite.with(handSize: 20) { site in
            var settings = site.settings
            settings.addresses = [LoadAddress(host: "127.0.0.1", port: 1)]
            let failure = await #expect(throws: SimulationFailure.self) { try await LoadRun(settings).run { _ in } }

            #expect(failure?.exit == .environment)
            #expect(failure?.remedy.contains("dispatcherd serve") == true)
            // Nor is the process that was named.
            settings = site.settings
            settings.postgres = .max
            let named = await #expect(throws: SimulationFailure.self) { try await LoadRun(settings).run { _ in } }
            #expect(named?.found == "there is no process \(Int32.max)")
            settings.postgres = getpid()
            let other = await #expect(throws: SimulationFailure.self) { try await LoadRun(settings).run { _ in } }
            #expect(other?.exit == .usage && other?.found.contains("no PostgreSQL") == true)
        }
    }
}
