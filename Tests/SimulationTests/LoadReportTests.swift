// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import FoundationEssentials
import Glibc
import Histogram
import NIOCore
import NIOEmbedded
@testable import Simulation
import Synchronization
import TestSupport
import Testing

/// What a load tells: before it, and of what makes its figures other than they look.
struct LoadReportTests {
    @Test func `agencies that run dry one by one are counted and warned of in text, page and JSON`() async throws {
        try await LoadSite.with(handSize: 100_000, otherHand: 21) { site in
            var settings = site.settings
            settings.connections = 4
            settings.warmUp = .zero
            let told = Said()
            let report = try await LoadRun(settings).run(note: { told.say($0) }) { _ in }

            #expect(
                told.lines == [
                    "the 2 agencies can lease at most 100,021 accounts; ACE02 21, ACE01 100,000"
                ])
            #expect(report.couldLease == ["ACE01": 100_000, "ACE02": 21])
            #expect(report.cut == nil && report.dryConnections == 2 && report.dryAgencies == ["ACE02"])
            let (first, last) = (try #require(report.firstDrySeconds), try #require(report.lastDrySeconds))
            #expect(first <= last && last < report.seconds)
            let warnings = try #require(report.warnings)
            #expect(warnings.contains { $0.hasPrefix("2 of 4 connections had nothing left to lease (ACE02), ") })
            for warning in warnings { #expect(report.lines.contains("warning: \(warning)")) }
            #expect(report.lines.filter { $0.hasPrefix("warning: ") }.count == warnings.count)
            let json = try report.jsonText()
            for warning in warnings {
                #expect(json.contains(warning) && LoadPage(report).html.contains(warning), "\(warning)")
            }
            let again = try JSONDecoder().decode(LoadReport.self, from: Data(json.utf8))
            #expect(again.warnings == warnings && again.lines == report.lines)
        }
    }

    @Test func `a result says when, against what and by which version it was made, and a page cuts no line off`()
        async throws
    {
        try await LoadSite.with(handSize: 100_000) { site in
            let second = try await site.secondNode()
            var settings = site.settings
            settings.duration = .milliseconds(300)
            settings.addresses.append(LoadAddress(host: "127.0.0.1", port: second.port))
            let report = try await LoadRun(settings).run { _ in }
            await second.stop()

            let address = "127.0.0.1:\(settings.addresses[0].port)"
            #expect(report.addresses?.first == address && report.version == ProgramVersion.text)
            #expect(report.startedAt.flatMap { Timestamp(text: $0) } != nil)
            #expect(report.lines.contains(report.circumstances) && report.circumstances.contains(address))
            let page = LoadPage(report).html
            #expect(page.contains("<h1>Load of \(address), ") && page.contains(report.circumstances))
            #expect(page.contains("white-space: pre-wrap"))
            // Both nodes live in this process.
            #expect(report.daemons?.map(\.process) == [getpid()])
            #expect(report.daemons?.first?.addresses == report.addresses)
        }
    }

    @Test func `what two nodes used is told by node where there are two`() throws {
        let old = try Self.sample()
        let nodes =
            #"[{"addresses":["a:1"],"process":11,"processorPercent":40,"residentBytes":1572864},"#
            + #"{"addresses":[],"process":12,"processorPercent":2,"residentBytes":1048576}]"#
        let report = try Self.sample(["\"daemons\":\(nodes)"])

        #expect(old.lines.filter { $0.contains("  of it ") } == [])
        #expect(
            report.lines.filter { $0.contains("  of it ") } == [
                "  of it a:1 (process 11) used 40 % of one processor and 2 MiB",
                "  of it process 12 used 2 % of one processor and 1 MiB",
            ])
    }

    @Test(arguments: [
        (1, 0, 0, "before the measurement"), (2, 0, 0, "all of them before the measurement"),
        (2, 0.52, 0.54, "all of them after 0.5 s"),
        (2, 0, 0.5, "the first one before the measurement, the last one after 0.5 s"),
    ])
    func `when connections ran dry is said once where it is the same of the first and the last`(
        count: Int, first: Double, last: Double, words: String
    ) throws {
        let report = try Self.sample([
            "\"dryConnections\":\(count)", "\"dryAgencies\":[\"ACE02\"]", "\"firstDrySeconds\":\(first)",
            "\"lastDrySeconds\":\(last)",
        ])

        #expect(
            report.lines.contains {
                $0.hasPrefix(
                    "warning: \(count) of 3 connections had nothing left to lease (ACE02), \(words): from then on ")
            }, "\(report.lines)")
    }

    @Test(arguments: [
        (89, 1, 94, nil), (90, 1, 99, "the load may be"), (179, 2, 95, "no processor"), (180, 2, 5, "the load may be"),
        // Of four threads three have a connection, and only these are busy.
        (269, 4, 94, nil), (270, 4, 94, "the load may be"),
    ])
    func `a load that is the bottleneck itself, or leaves no processor idle, is warned of`(
        own: Int, threads: Int, machine: Int, warning: String?
    ) throws {
        let report = try Self.sample(
            ["\"ownProcessorPercent\":\(own)", "\"threads\":\(threads)", "\"machineBusyPercent\":\(machine)"])

        let warnings = report.lines.filter { $0.hasPrefix("warning: ") }
        #expect(warnings.count == (warning == nil ? 0 : 1))
        if let warning { #expect(warnings.first?.hasPrefix("warning: \(warning)") == true, "\(warnings)") }
    }

    @Test(arguments: [(999, nil), (1_000, "127.0.1.2"), (1_999, "127.0.1.2"), (2_000, "127.0.1.3")])
    func `many connections of loopback come from several of its addresses`(number: Int, source: String?) throws {
        let here = LoadAddress(host: "127.0.0.1", port: 7607)
        #expect(try LoadConnector.source(number, to: here)?.ipAddress == source)
        #expect(try LoadConnector.source(number, to: LoadAddress(host: "db.example", port: 7607)) == nil)
    }

    @Test func `a comparison rounds to the nearest, and says where connections ran dry`() throws {
        let folder = try TemporaryFolder()
        let (before, after) = ("\(folder.path)/a.json", "\(folder.path)/b.json")
        try Data(try Self.sample().jsonText().utf8).write(to: URL(filePath: before))
        let other = try Self.sample([
            "\"accountsPerSecond\":2", "\"daemonResidentBytes\":1572864", "\"dryConnections\":1",
        ])
        try Data(try other.jsonText().utf8).write(to: URL(filePath: after))
        let comparison = try LoadComparison(before, after)

        #expect(comparison.differences == ["connections that ran dry: 0 and 1"])
        // Two of three, and a megabyte and a half of one.
        #expect(comparison.lines.contains { $0.hasPrefix("accounts a second") && $0.hasSuffix("0.67") })
        #expect(comparison.lines.contains { $0.hasPrefix("daemon's memory MiB") && $0.hasSuffix("2.00") })
    }

    /// Free of coordinated omission, as for pulls: what a report waits for behind those before it is its latency too.
    @Test func `under a rate a report counts from the answer to its pull`() throws {
        let tally = try Self.twoPulls { hear, _, worker in
            // So long the reports wait for their answers, by the clock that latencies are read from.
            usleep(60_000)
            hear("r0 OK outcome=1")
            hear("r0 OK outcome=2")
            _ = worker.drain()
        }

        #expect(tally.leases.totalCount == 2 && tally.reports.totalCount == 2)
        #expect(tally.reports.min >= 60_000)
    }

    @Test(arguments: [0, 1, 2])
    func `reports whose pull was answered are due at the end, also behind a burst that hangs`(answered: Int) throws {
        let tally = try Self.twoPulls { hear, seat, worker in
            _ = worker.drain()
            // A burst that hangs: what is due behind it waits as long.
            usleep(20_000)
            #expect(seat.isReporting)
            for _ in 0..<answered { hear("r0 OK outcome=1") }
            #expect(seat.isReporting == (answered < 2))
        }

        #expect(tally.reports.totalCount == 2 && tally.reportsWaiting == 2 - Int64(answered))
        #expect(tally.reports.min >= 20_000)
    }

    /// A refusal is quick: with its time among the latencies, a daemon that takes nothing would be the fastest of all.
    @Test func `reports that are refused for good are in no latency, and are counted and warned of`() throws {
        let tally = try Self.twoPulls { hear, _, worker in
            hear("r0 NO REASSIGNED class=refresh")
            hear("r0 OK outcome=2")
            _ = worker.drain()
        }
        #expect(tally.reportsRefused == 1 && tally.reports.totalCount == 1)
        let retried = try Self.twoPulls { hear, _, worker in
            hear("r0 NO BUSY class=retry after=1")
            _ = worker.drain()
        }
        #expect(retried.reportsRefused == 0)

        let refused = try Self.sample([#""refusedReports":2"#, #""refusals":{"REPORT PERIOD-CLOSED":2}"#])
        #expect(!refused.isTaken && refused.isAnswered)
        let warning = "warning: 2 reports were refused for good and are in no latency; none was taken, so there is"
        #expect(refused.lines.contains { $0.hasPrefix(warning) }, "\(refused.lines)")
        #expect(try Self.sample().isTaken)
    }

    /// Whether it had let the connection in or not, and whatever node it was.
    @Test func `one reason of a lost connection is one key, with the addresses beside`() throws {
        let tally = try Self.twoPulls { _, seat, worker in
            struct Broken: Error {}
            let other = LoadAddress(host: "127.0.0.1", port: 2)
            for _ in 0..<2 {
                let (identity, address) = seat.next(of: [other])
                let connection = LoadConnection(seat, identity: identity, address: address)
                let channel = EmbeddedChannel(handler: connection)
                channel.pipeline.fireErrorCaught(Broken())
                _ = try? channel.finish(acceptAlreadyClosed: true)
            }
            let (identity, address) = seat.next(of: [LoadAddress(host: "127.0.0.1", port: 3)])
            let connection = LoadConnection(seat, identity: identity, address: address)
            let channel = EmbeddedChannel(handler: connection)
            let nonce = String(repeating: "00", count: 16)
            for line in ["* REPARTO node=n nonce=\(nonce)\n", "h1 OK\n", "h2 OK held=0\n"] {
                try channel.writeInbound(ByteBuffer(string: line))
            }
            channel.pipeline.fireErrorCaught(Broken())
            _ = try? channel.finish(acceptAlreadyClosed: true)
            _ = seat.next(of: [other])
            seat.lost("connection refused", of: nil)
            _ = worker
        }
        #expect(
            tally.lost == [
                LoadLoss(reason: "network error", address: "127.0.0.1:2"): 2,
                LoadLoss(reason: "network error", address: "127.0.0.1:3"): 1,
                LoadLoss(reason: "not made: connection refused", address: "127.0.0.1:2"): 1,
            ])
        let told = try Self.sample([
            #""nodes":2"#, #""lostConnections":{"network error":3,"not made: connection refused":1}"#,
            #""lostByAddress":{"b:2":{"network error":2,"not made: connection refused":1},"a:1":{"network error":1}}"#,
        ]).lines
        #expect(told.contains("connections lost, network error: 3 (a:1: 1, b:2: 2)"), "\(told)")
        #expect(told.contains("connections not made, connection refused: 1 (b:2: 1)"))
        // Of one node, and of results of before, nothing is told of it.
        #expect(
            try Self.sample([#""lostConnections":{"closed":1}"#, #""nodes":2"#]).lines.contains(
                "connections lost, closed: 1"))
    }

    @Test func `how long was waited for what was due is told from a second on`() throws {
        #expect(
            try Self.sample([#""drainSeconds":12.34"#]).lines.contains(
                "what was due was waited for 12.3 s after the end"))
        #expect(try !Self.sample([#""drainSeconds":0.9"#]).lines.contains { $0.contains("was waited for") })
    }

    /// Gaps of an exponential distribution have a standard deviation as large as their mean, and one in e is longer than that.
    @Test func `pulls arrive evenly, or at times that the seed draws`() {
        func times(_ spread: LoadSettings.Spread, seed: UInt64) -> [Int64] {
            var arrivals = LoadArrivals(pullsPerSecond: 500, spread: spread, seed: seed)
            return (0..<20_000).map { _ in arrivals.take() }
        }
        #expect(times(.even, seed: 1)[..<4] == [0, 2_000_000, 4_000_000, 6_000_000])
        let drawn = times(.poisson, seed: 1)
        #expect(drawn == times(.poisson, seed: 1) && drawn != times(.poisson, seed: 2))
        let gaps = zip(drawn.dropFirst(), drawn).map { $0 - $1 }
        #expect(gaps.allSatisfy { $0 >= 0 })
        let longer = gaps.count { $0 > 2_000_000 }
        #expect((7_000...7_700).contains(longer), "\(longer)")
        #expect((39_000_000_000...41_000_000_000).contains(drawn[19_999]), "\(drawn[19_999])")
    }

    /// Waits are told in full, however long.
    @Test func `a wait of five minutes is one of five minutes`() {
        var tally = LoadTally()
        tally.lease(microseconds: 300_000_000)
        var sum = LoadTally()
        sum.add(tally)

        #expect(sum.leases.max >= 299_000_000)
    }

    /// Two pulls of one account over one connection, the second of which was answered before the report on the first.
    private static func twoPulls(
        _ body: (_ hear: (String) -> Void, LoadSeat, LoadWorker) throws -> Void
    ) throws -> LoadTally {
        let loop = EmbeddedEventLoop()
        let settings = LoadSettings(
            addresses: [LoadAddress(host: "127.0.0.1", port: 1)], keysFolder: "", contractsPath: "")
        let worker = LoadWorker(
            isOpenLoop: true, clock: LoadClock(fixed: Timestamp(microseconds: 0)), loop: loop,
            connector: try LoadConnector(settings), closedContacts: ClosedContacts())
        let agency = try #require(AgencyID(1))
        let identity = LoadIdentity(
            agency: agency, instance: try #require(Token("load-0")), sequence: 1,
            key: try #require(AgencyPrivateKey(bytes: [UInt8](repeating: 7, count: 32))))
        let pool = LoadPool(
            contract: try #require(ContractID(1)), delegation: try #require(Delegation(9)), strategy: .administrative)
        let seat = LoadSeat(identity, pools: [pool], settings: settings, number: 0, worker: worker)
        let connection = LoadConnection(seat, identity: identity, address: LoadAddress(host: "127.0.0.1", port: 1))
        let channel = EmbeddedChannel(handler: connection, loop: loop)
        worker.start()
        worker.measure()
        seat.ready(connection)
        func hear(_ line: String) {
            Array(line.utf8).withUnsafeBytes { seat.take($0) }
            connection.flush()
        }
        let due = NIODeadline.now()
        seat.arrive(at: due)
        seat.arrive(at: due)
        hear("l - account=1 epoch=1 tactic=a")
        hear("l OK grant=1 granted=1 left=9 stop=limit")
        // The second pull travels with the first report, and its answer comes first.
        hear("l - account=2 epoch=1 tactic=a")
        hear("l OK grant=2 granted=1 left=8 stop=limit")
        try body(hear, seat, worker)
        seat.giveUp(at: .now())
        let tally = worker.finish()
        _ = try channel.finish(acceptAlreadyClosed: true)
        return tally
    }

    @Test func `two loads of one machine do not sign in by the same names`() async throws {
        try await LoadSite.with(handSize: 100_000) { site in
            var settings = site.settings
            settings.duration = .milliseconds(200)
            let names = try LoadNames(settings)
            let refused = await #expect(throws: SimulationFailure.self) { try await LoadRun(settings).run { _ in } }
            #expect(refused?.exit == .environment && refused?.remedy.contains("--instance") == true)
            var other = settings
            other.instance = "other"
            #expect(try await LoadRun(other).run { _ in }.accounts > 0)
            names.release()
            #expect(try await LoadRun(settings).run { _ in }.accounts > 0)
        }
    }

    @Test func `without a terminal one line of progress in ten seconds is told`() {
        var pace = ProgressPace()
        let start = ContinuousClock.now
        let told = [0, 1, 9, 10, 11, 19, 20, 45, 46].filter { pace.isDue(at: start + .seconds($0)) }

        #expect(told == [10, 20, 45])
    }

    @Test(
        arguments: [
            (["--rate", "-5"], "--rate is -5. It takes 1 to 10000000"),
            (["--seconds", "-1"], "--seconds is -1. It takes 1 to 86400"),
            (["--arrivals", "poisson"], "--arrivals is given without --rate"),
            (["--rate", "5", "--arrivals", "random"], "--arrivals is random. It takes even or poisson"),
            (["--tls-ca", "nope.pem"], "--tls-ca cannot be taken: nope.pem: cannot be read"),
        ])
    func `options that cannot be taken are told in words, as JSON too, with exit code 2`(words: [String], said: String)
        throws
    {
        let folder = try TemporaryFolder()
        let (code, text) = try ChildProcess.run(
            "/bin/sh",
            [
                "-c", "\"$@\" >\"$0/out\" 2>\"$0/err\"; echo $?", folder.path, ChildProcess.sibling("agentsim"), "load",
                "--json", "--port", "1", "--keys", "none",
            ] + words)

        #expect(code == 0 && text == "2\n")
        #expect(try Folder.text("\(folder.path)/err").contains("error: \(said)"))
        let told = try Folder.text("\(folder.path)/out")
        #expect(told.hasPrefix(#"{"failure":""#) && told.contains(said), "\(told)")
    }

    @Test(.timeLimit(.minutes(1)))
    func `a load for JSON that is interrupted before its figures is an object all the same`() async throws {
        let silent = try SilentListener()
        defer { silent.close() }
        try await LoadSite.with(handSize: 20) { site in
            let folder = try TemporaryFolder()
            let load = try ManagedProcess(
                [
                    "/bin/sh", "-c", "exec \"$@\" >\"$0\"", "\(folder.path)/out", ChildProcess.sibling("agentsim"),
                    "load",
                    "--json", "--port", "\(silent.port)", "--keys", site.settings.keysFolder, "--contracts",
                    site.settings.contractsPath,
                ], environment: ["PATH": "/usr/bin:/bin"], log: "\(folder.path)/said")
            // It listens to signals before it connects, and has taken its names before that.
            try await until { !load.isRunning || LoadReportTests.isConnected(load.pid) }
            load.signal(SIGINT)

            #expect(await load.ended(within: .seconds(30)))
            let told = try Folder.text("\(folder.path)/out")
            #expect(told.hasPrefix(#"{"failure":"interrupted before anything was measured"#), "\(told)")
        }
    }

    @Test func `of several ports of a run each is looked at`() async throws {
        try await LoadSite.with(handSize: 20) { site in
            let day = try #require(LocalDate(text: "2024-03-04"))
            var settings = MonthSettings(
                port: site.settings.addresses[0].port, keysFolder: "", contractsPath: "", logFolder: "", from: day,
                to: day,
                seed: 7, program: DaemonProgram(path: "", options: []))
            #expect(try settings.reachable() == [])
            settings.otherPorts = [1]
            #expect(try settings.reachable() == ["nobody listens on 127.0.0.1:1: the agencies work over the others"])
            settings.port = 1
            #expect(throws: SimulationFailure.self) { try settings.reachable() }
        }
    }

    /// Whether a process has a connection, or is making one.
    private static func isConnected(_ process: Int32) -> Bool {
        !SocketPeers.peers(of: SocketPeers.sockets(of: process)).isEmpty
    }

    /// A result of before, of three accounts a second.
    ///
    /// - Parameter changes: members in the place of those of the same name.
    private static func sample(_ changes: [String] = []) throws -> LoadReport {
        let latency = #"{"count":0,"curve":[],"max":0,"p50":0,"p90":0,"p99":0,"p999":0}"#
        var members = [
            #""connections":3"#, #""agencies":1"#, #""leaseSizes":"1""#, #""reportsPerAccount":"1""#,
            #""isPaired":true"#,
            #""seed":7"#, #""isEncrypted":false"#, #""nodes":1"#, #""seconds":1"#, #""accounts":3"#,
            #""accountsPerSecond":3"#, #""reportsPerSecond":3"#, #""lease":"# + latency, #""report":"# + latency,
            #""emptyPulls":0"#, #""duePulls":3"#, #""waitingPulls":0"#, #""dryPulls":0"#, #""waitingReports":0"#,
            #""refusals":{}"#, #""lostConnections":{}"#, #""ownProcessorPercent":1"#, #""ownResidentBytes":0"#,
            #""threads":1"#, #""machineBusyPercent":5"#, #""samples":[]"#, #""notes":[]"#,
            #""daemonProcessorPercent":42"#, #""daemonResidentBytes":1048576"#,
        ]
        for change in changes {
            let name = change.prefix { $0 != ":" }
            members.removeAll { $0.hasPrefix("\(name):") }
            members.append(change)
        }
        return try JSONDecoder().decode(LoadReport.self, from: Data("{\(members.joined(separator: ","))}".utf8))
    }
}

/// Lines that were told on the way.
private final class Said: Sendable {
    private let all = Mutex<[String]>([])
    var lines: [String] { all.withLock { $0 } }
    func say(_ line: String) { all.withLock { $0.append(line) } }
}
