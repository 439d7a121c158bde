// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import Glibc
internal import PgStore

/// Performs one fault after the other, and says what each did; one that had no effect is skipped, not counted.
struct FaultDriver {
    let site: ChaosSite
    private let seed: UInt64
    /// Of the fault that is performed: each time of each fault has its own, so that what one met, and did not draw, changes nothing in
    /// the others.
    private var random: SplitMix64
    /// The quiet between two faults.
    private var pauses: SplitMix64
    private var performed: [ChaosFault: Int] = [:]
    private var server: ChaosServer { site.server }
    /// `nil`: none could be made.
    private let shimLibrary: String?
    /// The domain's time that is left for jumps: leases have terms of a month, which end at the end of the run.
    private var jumps = 0
    /// Kinds of silence that were longer than anybody's patience once.
    private var outwaited: Set<ChaosFault> = []

    init(site: ChaosSite, seed: UInt64) {
        self.site = site
        self.seed = seed
        random = SplitMix64(seed: seed, 0xD21E)
        pauses = SplitMix64(seed: seed, 0x9A05)
        self.shimLibrary = ChaosShim.make(in: site.server.folder)
    }

    enum Effect: Sendable {
        case ran(String)
        case skipped(String)
    }

    // MARK: - Whether it works

    /// How long nobody may answer after a fault, and how long a node that listens.
    static let patience: Duration = .seconds(45)
    static let nodePatience: Duration = .seconds(30)

    /// Waits until a request is acknowledged from now on.
    func works(within most: Duration) async -> Bool {
        let before = site.time.acknowledged
        return await comes(within: most) { site.time.acknowledged > before }
    }

    /// Waits until every node that listens has acknowledged a request from now on: agencies go from one to the other all the time, so
    /// one that answers nothing hangs, whatever the others do. One that ends meanwhile is started again, and has no part in it.
    ///
    /// - Parameter all: also those that do not listen yet.
    /// - Returns: the places of those that have not; what they then are is for people to see.
    func silentNodes(all: Bool = false) async -> [Int] {
        let before = site.time.acknowledgedByNode
        let starts = site.nodes.map(\.starts)
        func silent() -> [Int] {
            let now = site.time.acknowledgedByNode
            return site.nodes.indices.filter { index in
                let node = site.nodes[index]
                guard now[index] ?? 0 <= before[index] ?? 0 else { return false }
                return all || node.isListening && node.starts == starts[index]
            }
        }
        _ = await comes(within: Self.nodePatience) { silent().isEmpty }
        return silent()
    }

    private func comes(within most: Duration, _ isThere: () -> Bool) async -> Bool {
        let deadline = ContinuousClock.now + most
        while ContinuousClock.now < deadline {
            if isThere() { return true }
            // Cancelled, it has nothing to wait for.
            try? await Task.sleep(for: .milliseconds(20))
            if Task.isCancelled { return false }
        }
        return false
    }

    /// Takes back all that a fault may have left, and starts what does not run.
    func heal() async throws {
        for proxy in site.proxies + site.stores { proxy.clear() }
        for node in site.nodes {
            node.set(environment: [:])
            node.signal(SIGCONT)
        }
        server.freeDisk()
        _ = server.pause(false)
        try await ensureServer()
    }

    private func ensureServer() async throws {
        guard !server.isRunning else { return }
        try await server.start()
    }

    // MARK: - The faults

    /// What a fault needs of PostgreSQL may fail of itself, because somebody else holds the locks or an earlier fault is still felt: then
    /// it had no effect, and the run goes on.
    mutating func perform(_ fault: ChaosFault) async throws -> Effect {
        performed[fault, default: 0] += 1
        random = Self.stream(of: fault, performed[fault] ?? 0, seed: seed)
        do {
            return try await act(fault)
        } catch let error as PgError {
            return .skipped("PostgreSQL did not do its part: \(error)")
        }
    }

    /// What a fault draws the first, the second, … time.
    static func stream(of fault: ChaosFault, _ time: Int, seed: UInt64) -> SplitMix64 {
        let place = ChaosFault.allCases.firstIndex(of: fault) ?? 0
        return SplitMix64(seed: seed, 0xD21E, place, time)
    }

    /// How long it is quiet before the next one.
    mutating func pause() -> Duration { .milliseconds(pauses.between(100...700)) }

    private mutating func act(_ fault: ChaosFault) async throws -> Effect {
        switch fault {
        case .nodeKill: node("killed") { $0.signal(SIGKILL) }
        case .nodePause: try await pauseNode()
        case .nodeDrain: node("told to end") { $0.signal(SIGTERM) }
        case .nodeStorm: try await storm()
        case .nodeClock: try await shiftNode()
        case .backendKill: try backend(SIGKILL, "killed")
        case .backendTerminate: try terminateBackends()
        case .backendPause: try await pauseBackend()
        case .serverKill: try await killServer()
        case .serverPause: try await pauseServer()
        case .serverRestart: try await restartServer([:], "restarted")
        case .serverClock: try await shiftServer()
        case .netCut: cut(site.proxies)
        case .netSlow: try await weather(site.proxies, slowness(), "slow")
        case .netSplit: try await weather(site.proxies, FaultProxy.Weather(isSplit: true), "in pieces of 7 bytes")
        case .netSilent:
            try await weather(
                site.proxies, FaultProxy.Weather(isSilent: true), "silent",
                outlasting: (.netSilent, ChaosAgency.replySeconds))
        case .storeCut: cut(site.stores)
        case .storeSlow: try await weather(site.stores, slowness(), "slow")
        case .storeSilent:
            try await weather(
                site.stores, FaultProxy.Weather(isSilent: true), "silent",
                outlasting: (.storeSilent, Self.databaseAnswerSeconds))
        case .netReplay: try await replay()
        case .diskFull: try await fillDisk()
        case .clockJump: jump()
        case .idleTransaction: try await lockHands()
        case .longReader: try await readLong()
        }
    }

    private mutating func node(_ what: String, _ act: (ChaosNode) -> Bool) -> Effect {
        let node = random.pick(site.nodes)
        // One that is still starting has no sessions that could be lost.
        guard node.isListening, act(node) else { return .skipped("node \(node.number) did not listen") }
        return .ran("node \(node.number) \(what)")
    }

    private mutating func pauseNode() async throws -> Effect {
        let node = random.pick(site.nodes)
        guard node.isListening, node.signal(SIGSTOP) else { return .skipped("node \(node.number) did not listen") }
        let pause = Duration.milliseconds(random.between(1_000...2_500))
        // How long the fault lasts, drawn by the seed.
        try await Task.sleep(for: pause)
        node.signal(SIGCONT)
        return .ran("node \(node.number) for \(ChaosReport.seconds(pause))")
    }

    private mutating func storm() async throws -> Effect {
        var kills = [Int](repeating: 0, count: site.nodes.count)
        for round in 0..<Self.stormRoundsMax where round < 4 || kills.contains(where: { $0 < 2 }) {
            for (index, node) in site.nodes.enumerated() where node.signal(SIGKILL) { kills[index] += 1 }
            // Long enough for some to begin to listen, too short for all.
            try await Task.sleep(for: .milliseconds(random.between(100...400)))
        }
        let told = kills.map(String.init).joined(separator: " and ")
        return Self.isStorm(kills)
            ? .ran("nodes killed \(told) times") : .skipped("not every node came up in between: killed \(told) times")
    }

    private static let stormRoundsMax = 8

    /// - Parameter kills: of each node.
    static func isStorm(_ kills: [Int]) -> Bool { kills.allSatisfy { $0 >= 2 } }

    private mutating func shiftNode() async throws -> Effect {
        guard let (shim, hours) = shim() else { return .skipped(Self.noShim) }
        let node = random.pick(site.nodes)
        guard let before = node.pid else { return .skipped("node \(node.number) did not run") }
        node.set(environment: shim)
        node.signal(SIGKILL)
        let deadline = ContinuousClock.now + .seconds(20)
        while ContinuousClock.now < deadline {
            // Another process tells us nothing of how far it is.
            try await Task.sleep(for: .milliseconds(100))
            guard let pid = node.pid, pid != before, try node.keep() != nil else { continue }
            // It listens; whether its clock is another one is told by the times in its log.
            guard let told = node.loggedAt else { continue }
            let shift = told.microseconds - LoadRun.nowMicroseconds()
            guard abs(shift - Int64(hours) * 3_600_000_000) < Self.clockTolerance else { continue }
            return .ran("node \(node.number) by \(hours) hours (a preloaded shim)")
        }
        node.set(environment: [:])
        return .skipped("node \(node.number) did not start with another clock")
    }

    /// A line of a log may be minutes old; shifts are of hours.
    private static let clockTolerance: Int64 = 1_800_000_000

    private static let noShim = "there is no C compiler to make the shim with"

    /// The environment that shifts a program's clock by some hours, not the one that it measures spans by.
    private mutating func shim() -> (environment: [String: String], hours: Int)? {
        let hours = random.between(2...9) * (random.chance(5_000) ? 1 : -1)
        return shimLibrary.map { (["LD_PRELOAD": $0, ChaosShim.variable: "\(hours * 3_600)"], hours) }
    }

    // MARK: - PostgreSQL

    /// Processes that serve the nodes.
    private func backends() throws -> [pid_t] {
        try server.link("agentsim chaos").run(
            "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'reparto-%' ORDER BY pid"
        ).map { $0.int32(0) }
    }

    private mutating func backend(_ number: Int32, _ what: String) throws -> Effect {
        let all = try backends()
        guard !all.isEmpty else { return .skipped("no node was connected") }
        let one = random.pick(all)
        guard server.signal(backend: one, number) else { return .skipped("the backend had ended") }
        return .ran("backend \(one) \(what)")
    }

    private func terminateBackends() throws -> Effect {
        let count = try server.link("agentsim chaos").run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'reparto-%'"
        ).count { $0.bool(0) }
        return count > 0 ? .ran("\(count) backends") : .skipped("no node was connected")
    }

    private mutating func pauseBackend() async throws -> Effect {
        let link = try server.link("agentsim chaos")
        // Those that were used last: one that nobody uses would stand still unseen.
        let busiest = try link.run(
            """
            SELECT pid, query_start FROM pg_stat_activity WHERE application_name LIKE 'reparto-%' AND query_start IS NOT NULL
             ORDER BY query_start DESC LIMIT 2
            """)
        guard !busiest.isEmpty else { return .skipped("no node was connected") }
        let row = random.pick(Array(busiest))
        let (one, before) = (row.int32(0), row.timestamp(1))
        guard server.signal(backend: one, SIGSTOP) else { return .skipped("the backend had ended") }
        let pause = Duration.milliseconds(random.between(1_000...2_500))
        // How long the fault lasts, drawn by the seed.
        try await Task.sleep(for: pause)
        _ = server.signal(backend: one, SIGCONT)
        // What was sent to it meanwhile it takes at once. A longer look would take a later use for one of the pause; where a busy machine
        // needs longer, the fault is told as skipped, and is not counted.
        try await Task.sleep(for: .milliseconds(150))
        let after = try link.run(
            "SELECT 1 FROM pg_stat_activity WHERE pid = $1 AND query_start = $2 AND state = 'idle'",
            [.int32(one), .timestamp(before)])
        guard after.isEmpty else { return .skipped("nobody used backend \(one) meanwhile") }
        return .ran("backend \(one) for \(ChaosReport.seconds(pause))")
    }

    private mutating func killServer() async throws -> Effect {
        let count = await server.killAll()
        // How long the server is away, drawn by the seed.
        try await Task.sleep(for: .milliseconds(random.between(100...800)))
        try await server.start()
        return count > 0 ? .ran("\(count) processes") : .skipped("it did not run")
    }

    private mutating func pauseServer() async throws -> Effect {
        let count = server.pause(true)
        let pause = Duration.milliseconds(random.between(1_000...2_500))
        // How long the fault lasts, drawn by the seed.
        try await Task.sleep(for: pause)
        _ = server.pause(false)
        return count > 0 ? .ran("\(count) processes for \(ChaosReport.seconds(pause))") : .skipped("it did not run")
    }

    private func restartServer(_ environment: [String: String], _ what: String) async throws -> Effect {
        await server.stop()
        try await server.start(environment)
        return .ran(what)
    }

    private mutating func shiftServer() async throws -> Effect {
        guard let (shim, hours) = shim() else { return .skipped(Self.noShim) }
        _ = try await restartServer(shim, "")
        // Seconds may pass between the two clocks, hours do not.
        guard abs(try skew() - Int64(hours) * 3_600) < 600 else {
            _ = try await restartServer([:], "")
            return .skipped("the shim did not move its clock")
        }
        return .ran("by \(hours) hours (a preloaded shim)")
    }

    /// How many seconds its clock is ahead of ours.
    private func skew() throws -> Int64 {
        let row = try server.link("agentsim chaos").run("SELECT extract(epoch FROM clock_timestamp())::bigint")[0]
        return row.int64(0) - Int64(time(nil))
    }

    // MARK: - Ways, disk, time, readers

    private func cut(_ ways: [FaultProxy]) -> Effect {
        let count = ways.reduce(0) { $0 + $1.cut() }
        return count > 0 ? .ran("\(count) connections") : .skipped("nobody was connected")
    }

    private mutating func slowness() -> FaultProxy.Weather {
        FaultProxy.Weather(delay: .milliseconds(random.between(40...150)))
    }

    /// `database.answer-seconds` as nodes have it by themselves.
    private static let databaseAnswerSeconds = 10

    /// - Parameter patience: seconds after which who uses the ways gives up by itself; until it struck once it lasts longer than that, so
    ///   that lost bytes are met by a timeout and not only by the cut behind them.
    private mutating func weather(
        _ ways: [FaultProxy], _ weather: FaultProxy.Weather, _ what: String,
        outlasting patience: (of: ChaosFault, seconds: Int)? = nil
    ) async throws -> Effect {
        let proxies = random.chance(5_000) ? ways : [random.pick(ways)]
        for proxy in proxies { proxy.set(weather) }
        var span = Duration.milliseconds(random.between(1_000...2_500))
        if let patience, !outwaited.contains(patience.of) { span += .seconds(patience.seconds) }
        // How long the fault lasts, drawn by the seed.
        try await Task.sleep(for: span)
        let struck = proxies.reduce(0) { $0 + $1.clear() }
        guard struck > 0 else { return .skipped("nothing went over the ways meanwhile") }
        if let patience { outwaited.insert(patience.of) }
        return .ran(
            "\(proxies.count) of \(ways.count) ways \(what) for \(ChaosReport.seconds(span)), \(struck) pieces of bytes"
        )
    }

    private func replay() async throws -> Effect {
        var (sent, unsent) = (0, 0)
        for proxy in site.proxies {
            let replay = await proxy.replay()
            (sent, unsent) = (sent + replay.sent, unsent + replay.unsent)
            guard replay.accepted == 0 else {
                throw SimulationFailure(
                    .findings, "\(replay.accepted) sessions were accepted by what another connection had sent",
                    remedy: "A proof must hold for one greeting only")
            }
        }
        guard sent > 0 else {
            return .skipped(unsent > 0 ? "no node heard it" : "nobody was connected")
        }
        return .ran(
            "\(sent) connections, none accepted" + (unsent > 0 ? "; \(unsent) more were heard by no node" : ""))
    }

    private mutating func fillDisk() async throws -> Effect {
        guard server.hasOwnDisk else { return .skipped(server.diskReason) }
        let before = server.fullDisks
        let bytes = server.fillDisk()
        let span = Duration.milliseconds(random.between(1_500...3_000))
        // How long the fault lasts, drawn by the seed.
        try await Task.sleep(for: span)
        let hasDied = !server.isRunning
        server.freeDisk()
        try await ensureServer()
        guard hasDied || server.fullDisks > before else {
            return .skipped("PostgreSQL needed no space in \(ChaosReport.seconds(span))")
        }
        return .ran(
            "\(bytes >> 20) MiB filled for \(ChaosReport.seconds(span)) (a mount)\(hasDied ? ", PostgreSQL ended" : "")"
        )
    }

    private mutating func jump() -> Effect {
        guard jumps < 3 else { return .skipped("the month is nearly over") }
        jumps += 1
        let days = random.between(2...5)
        guard site.advance(.seconds(days * 86_400)) else { return .skipped("the database did not answer") }
        return .ran("\(days) days")
    }

    private mutating func lockHands() async throws -> Effect {
        let link = try server.link("agentsim chaos idle")
        try link.script("SET lock_timeout = '3s'; BEGIN")
        let count = try link.run("SELECT hand_id FROM hand WHERE state = 'open' FOR UPDATE").count
        guard count > 0 else { return .skipped("no hand was open") }
        let span = Duration.milliseconds(random.between(1_000...3_000))
        let own = try link.run("SELECT pg_backend_pid()")[0].int32(0)
        let watch = try server.link("agentsim chaos")
        var waiting: Set<Int32> = []
        let end = ContinuousClock.now + span
        // How long the fault lasts, drawn by the seed.
        while ContinuousClock.now < end {
            waiting.formUnion(
                try watch.run("SELECT pid FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))", [.int32(own)])
                    .map { $0.int32(0) })
            // Who waits, waits for as long as the locks are held; cancelled, nobody looks any more.
            try await Task.sleep(for: .milliseconds(50))
        }
        // The server may have ended it.
        try? link.script("ROLLBACK")
        guard !waiting.isEmpty else { return .skipped("nobody waited for the \(count) hands") }
        return .ran(
            "\(count) hands for \(ChaosReport.seconds(span)), \(Terminal.counted(waiting.count, "backend")) waited")
    }

    /// Goes on beside the faults that follow. Its snapshot is an old one once others have written since.
    private mutating func readLong() async throws -> Effect {
        let span = random.between(8...20)
        let link = try server.link("agentsim chaos reader")
        try link.script(
            "SET statement_timeout = '5s'; BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM outcome")
        let own = try link.run("SELECT pg_backend_pid()")[0].int32(0)
        var passed: Int32 = 0
        let deadline = ContinuousClock.now + .seconds(5)
        let watch = try server.link("agentsim chaos")
        while passed == 0, ContinuousClock.now < deadline {
            // What others write meanwhile is theirs to say.
            try await Task.sleep(for: .milliseconds(50))
            passed =
                try watch.run(
                    "SELECT age(backend_xmin) FROM pg_stat_activity WHERE pid = $1 AND state = 'idle in transaction'",
                    [.int32(own)]
                ).first?.optionalInt32(0) ?? 0
        }
        guard passed > 0 else {
            try? link.script("ROLLBACK")
            return .skipped("nobody wrote anything behind its snapshot")
        }
        Task {
            // It ends with the server, or with its time. How long the old snapshot is kept; cancelled, it ends at once.
            try? await Task.sleep(for: .seconds(span))
            try? link.script("ROLLBACK")
        }
        return .ran("for \(span) s or until its server ends, beside what follows")
    }
}
