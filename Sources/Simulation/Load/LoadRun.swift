// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
internal import Assignment
internal import Glibc
internal import NIOCore
internal import NIOPosix

/// Loads one daemon, or several nodes of one database, over real connections, and measures what they take.
package struct LoadRun: Sendable {
    private(set) var settings: LoadSettings
    /// Whether somebody wants it to end early, with what was measured until then.
    private let isInterrupted: @Sendable () -> Bool
    /// How long nobody else may be let in before it gives up.
    private static let signInPatience = Duration.seconds(30)

    package init(_ settings: LoadSettings, isInterrupted: @escaping @Sendable () -> Bool = { false }) {
        self.settings = settings
        self.isInterrupted = isInterrupted
    }

    /// - Parameters:
    ///   - note: called with what is to be known before the load.
    ///   - progress: called once a second with a line for people.
    /// - Throws: ``SimulationFailure``; findings where no agency has an account that it could lease.
    package func run(
        note: @escaping @Sendable (String) -> Void = { _ in }, progress: @escaping @Sendable (String) -> Void
    ) async throws -> LoadReport {
        for process in settings.daemons + [settings.postgres].compactMap(\.self)
        where ProcessMeter(process: process).microseconds == nil {
            throw SimulationFailure(
                .usage, "there is no process \(process)", remedy: "Give the number of one that is on this machine")
        }
        if let process = settings.postgres, !PostgresMeter.isServer(process) {
            throw SimulationFailure(
                .usage, "--postgres is \(process), which is '\(ProcessMeter(process: process).name)' and no PostgreSQL",
                remedy: "Give the number of its first process: the first line of postmaster.pid in its data folder")
        }
        var notes: [String] = []
        for process in settings.daemons {
            let name = ProcessMeter(process: process).name
            if name != "dispatcherd" {
                notes.append("process \(process) is '\(name)' and no dispatcherd; its use is told all the same")
            }
        }
        try AgencyKey.require(folder: settings.keysFolder)
        var adapted = self
        adapted.settings.connections = try raiseFileLimit(&notes)
        let (addresses, absent) = try listening()
        adapted.settings.addresses = addresses
        notes += absent.map { "\($0): the others are loaded" }
        do {
            return try await adapted.measure(notes, note, progress)
        } catch let failure as SimulationFailure where !absent.isEmpty {
            // There is no report that names it.
            throw SimulationFailure(
                failure.exit, ([failure.found] + absent).joined(separator: "; "), remedy: failure.remedy)
        }
    }

    /// The addresses at which somebody listens: one of several nodes may be down.
    ///
    /// - Returns: the addresses, and a line for each where nobody does.
    /// - Throws: ``SimulationFailure`` where nobody listens at any.
    private func listening() throws(SimulationFailure) -> (addresses: [LoadAddress], absent: [String]) {
        var found: [LoadAddress] = []
        var failures: [SimulationFailure] = []
        for address in settings.addresses {
            do {
                try Reachability.check(host: address.host, port: address.port)
                found.append(address)
            } catch {
                failures.append(error)
            }
        }
        if let failure = failures.first, found.isEmpty { throw failure }
        return (found, failures.map(\.found))
    }

    private func measure(
        _ notes: [String], _ note: @escaping @Sendable (String) -> Void,
        _ progress: @escaping @Sendable (String) -> Void
    ) async throws -> LoadReport {
        var notes = notes
        let names = try LoadNames(settings)
        defer { names.release() }
        let agencies = try agencies()
        let clock = try await unlessInterrupted { try await self.clock(agencies) }
        let stock = try await unlessInterrupted { try await self.stock(agencies) }
        try stock.requireSome()
        note(stock.line)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: settings.threads)
        defer { group.shutdownGracefully { _ in } }
        let workers = try workers(group, clock)
        let pings = Self.keepAlive(workers)
        defer { pings.cancel() }
        let connections = try await connect(0..<settings.connections, agencies, workers, &notes, progress)
        for worker in workers { try await worker.eventLoop.submit { worker.value.start() }.get() }
        let arrivals = schedule(workers)
        defer { arrivals.cancel() }
        progress("warming up for \(settings.warmUp)")
        if try await cut(before: .now + settings.warmUp, workers, connections) == .interrupted {
            throw Self.earlyInterruption
        }
        // Looking for the daemon's processes takes a tenth of a second, which is none of what is measured.
        var watch = LoadWatch(postgres: settings.postgres) { daemons() }
        let own = ProcessTime.own()
        let begun = ContinuousClock.now
        let startedAt = Timestamp(microseconds: Self.nowMicroseconds())
        for worker in workers { try await worker.eventLoop.submit { worker.value.measure() }.get() }
        let cut = try await look(&watch, workers, connections, from: begun, progress)
        arrivals.cancel()
        for worker in workers { _ = try await worker.eventLoop.submit { worker.value.drain() }.get() }
        let elapsed = ContinuousClock.now - begun
        let used = ProcessTime.own() - own
        let ended = ContinuousClock.now
        let isHasty = try await drained(workers, progress)
        let drain = ContinuousClock.now - ended
        if isHasty, cut == nil {
            notes.append("interrupted behind the measured time: what was due then was waited for no longer than 2 s")
        }
        var total = LoadTally()
        for worker in workers { total.add(try await worker.eventLoop.submit { worker.value.finish() }.get()) }
        for worker in workers { try await worker.eventLoop.submit { worker.value.close() }.get() }
        return LoadReport(
            settings, total, startedAt: startedAt, elapsed: elapsed, drain: drain, cut: cut, ownProcessorTime: used,
            connections: connections, agencies: agencies.count, stock: stock, watch: watch, notes: notes)
    }

    func workers(_ group: MultiThreadedEventLoopGroup, _ clock: LoadClock) throws -> [NIOLoopBoundBox<LoadWorker>] {
        let connector = try LoadConnector(settings)
        let isOpenLoop = settings.arrival != .closed
        let closedContacts = ClosedContacts()
        return group.makeIterator().map { loop in
            NIOLoopBoundBox.makeBoxSendingValue(
                LoadWorker(
                    isOpenLoop: isOpenLoop, clock: clock, loop: loop, connector: connector,
                    closedContacts: closedContacts), eventLoop: loop)
        }
    }

    /// What becomes of work that cannot be cancelled; it is left to itself where somebody wants the load to end.
    private func unlessInterrupted<Value: Sendable>(
        _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let (ends, ended) = AsyncStream.makeStream(of: Result<Value, any Error>.self)
        Task {
            do { ended.yield(.success(try await work())) } catch { ended.yield(.failure(error)) }
            ended.finish()
        }
        let watch = Task {
            // Cancelled in its sleep, it ends.
            while !isInterrupted(), (try? await Task.sleep(for: .milliseconds(50))) != nil {}
            ended.finish()
        }
        defer { watch.cancel() }
        guard let end = await ends.first(where: { _ in true }) else {
            try Task.checkCancellation()
            throw Self.earlyInterruption
        }
        return try end.get()
    }

    /// Waits for what was due, as ``LoadDrain`` decides.
    ///
    /// - Returns: whether somebody wanted it to end, and something was still due.
    private func drained(
        _ workers: [NIOLoopBoundBox<LoadWorker>], _ progress: @Sendable (String) -> Void
    ) async throws -> Bool {
        var drain = LoadDrain(patience: settings.patience, most: settings.patienceMax, from: .now)
        var told = ContinuousClock.now
        while true {
            var due = LoadDrain.Due()
            for worker in workers { due.add(try await worker.eventLoop.submit { LoadDrain.Due(worker.value) }.get()) }
            switch drain.look(due, isHurried: isInterrupted(), at: .now) {
            case .over: return drain.isHurried
            case .sendNothingNew:
                for worker in workers { try await worker.eventLoop.submit { worker.value.end() }.get() }
            case .wait: break
            }
            if ContinuousClock.now - told > .seconds(1) {
                told = .now
                progress(
                    "waiting for the answers to \(Terminal.grouped(due.waiting)) pulls that were due; "
                        + "\(Terminal.grouped(due.unanswered)) requests are under way")
            }
            // To look at twenty thousand connections takes a millisecond or two from those that are answered.
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private static let earlyInterruption = SimulationFailure(
        .environment, "interrupted before anything was measured",
        remedy: "What was pulled stays leased; run the same command again")

    /// The daemon's processes: those that were named, as long as they are there, or whoever listens here on the ports.
    private func daemons() -> [LoadWatch.Daemon] {
        let named = settings.daemons
        if !named.isEmpty, named.allSatisfy({ ProcessMeter(process: $0).microseconds != nil }) {
            return named.map { LoadWatch.Daemon(process: $0) }
        }
        let local = settings.addresses.filter { $0.host.hasPrefix("127.") || $0.host == "localhost" }
        var found: [Int32: [String]] = [:]
        for address in local {
            if let process = SocketPeers.listening(on: address.port) {
                found[process, default: []].append("\(address)")
            }
        }
        return found.keys.sorted().map { LoadWatch.Daemon(process: $0, addresses: found[$0] ?? []) }
    }

    struct Agency {
        let id: AgencyID
        let key: AgencyPrivateKey
        let pools: [LoadPool]
    }

    /// Those that get a connection: the first ones of the contracts.
    func agencies() throws -> [Agency] {
        let book = try ContractBook(path: settings.contractsPath)
        return try book.posts.keys.sorted().prefix(settings.connections).map { id in
            let key = try AgencyKey(path: "\(settings.keysFolder)/\(id).key")
            guard let secret = AgencyPrivateKey(bytes: key.secret) else {
                throw SimulationFailure(
                    .usage, "the key of \(id) is not an Ed25519 key", remedy: "Make the portfolio again")
            }
            let pools = (book.posts[id] ?? []).flatMap { post in
                post.strategies.map { LoadPool(contract: post.contract, delegation: post.delegation, strategy: $0) }
            }
            return Agency(id: id, key: secret, pools: pools)
        }
    }

    /// Asks the daemon twice what time it is: a virtual clock stands still in between.
    func clock(_ agencies: [Agency]) async throws -> LoadClock {
        guard let first = agencies.first else {
            throw SimulationFailure(.usage, "there are no agencies", remedy: "Give the contracts of a portfolio")
        }
        let link = try await connect(first, "clock")
        do {
            let before = try await link.ping().fields.timestamp("time")
            try await Task.sleep(for: .milliseconds(20))
            let after = try await link.ping().fields.timestamp("time")
            try await link.bye()
            return LoadClock(fixed: before == after ? after : nil)
        } catch let error as AgentConnectionError {
            throw SimulationFailure(
                .environment, "\(settings.addresses[0]): \(error)", remedy: Self.remedy("\(error)"))
        }
    }

    static func nowMicroseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
    }

    /// - Returns: how many connections there are: as many as were asked for, or as the daemon has room for.
    func connect(
        _ numbers: Range<Int>, _ agencies: [Agency], _ workers: [NIOLoopBoundBox<LoadWorker>], _ notes: inout [String],
        _ progress: @Sendable (String) -> Void
    ) async throws -> Int {
        let sequence = Self.nowMicroseconds()
        for number in numbers {
            let agency = agencies[number % agencies.count]
            let worker = workers[number % workers.count]
            guard let instance = Token("\(settings.instance)-\(number)") else {
                throw SimulationFailure(
                    .usage, "\(settings.instance) is no name of an installation",
                    remedy: "It has 1 to 50 of A-Z a-z 0-9 . _ -")
            }
            let identity = LoadIdentity(agency: agency.id, instance: instance, sequence: sequence, key: agency.key)
            // Each connection of an agency begins with another of its pools.
            let turn = number / agencies.count % max(1, agency.pools.count)
            let pools = Array(agency.pools[turn...] + agency.pools[..<turn])
            let settings = settings
            do {
                try await worker.eventLoop.flatSubmit {
                    worker.value.add(
                        LoadSeat(identity, pools: pools, settings: settings, number: number, worker: worker.value))
                }.get()
            } catch {
                throw SimulationFailure(
                    .environment,
                    "connection \(number + 1) to \(settings.addresses[number % settings.addresses.count]) failed: "
                        + AgentConnectionError.reason(error),
                    remedy: "Check that dispatcherd serve listens there; --connections asks for fewer")
            }
        }
        // Each of them proves who it is, and the daemon checks that and writes it down: thousands take minutes. Who makes progress is waited for.
        var most = -1
        var deadline = ContinuousClock.now + Self.signInPatience
        while true {
            var ready = 0
            var lost: [LoadLoss: Int64] = [:]
            for worker in workers {
                let state = try await worker.eventLoop.submit { (worker.value.signedInCount, worker.value.tally.lost) }
                    .get()
                ready += state.0
                lost.merge(state.1, uniquingKeysWith: +)
            }
            // Who has no room for all of them is loaded with those that it has room for.
            let full = lost.filter { $0.key.reason.contains(Self.noRoom) }.values.reduce(0, +)
            if let refused = lost.first(where: { !$0.key.reason.contains(Self.noRoom) }) {
                // Of several nodes one may be other than the rest: who was not let in says where.
                throw SimulationFailure(
                    .environment,
                    "\(Terminal.counted(Int(refused.value), "connection was", "connections were")) not let in: "
                        + "\(refused.key.address): \(refused.key.reason)",
                    remedy: Self.remedy(refused.key.reason))
            }
            guard !isInterrupted() else { throw Self.earlyInterruption }
            if ready + Int(full) >= numbers.upperBound, ready > 0 {
                guard full > 0 else { break }
                for worker in workers {
                    _ = try await worker.eventLoop.submit { worker.value.leaveOut(refusedBy: Self.noRoom) }.get()
                }
                notes.append(
                    "\(Terminal.grouped(ready)) connections instead of \(Terminal.grouped(numbers.upperBound)): the daemon "
                        + "has room for no more (LIMIT); a higher limit of files ('ulimit -n') for it raises that")
                progress("\(Terminal.grouped(ready)) connections: the daemon has room for no more")
                return ready
            }
            if ready > most {
                most = ready
                deadline = .now + Self.signInPatience
                progress(
                    "\(Terminal.grouped(ready)) of \(Terminal.grouped(numbers.upperBound)) connections are signed in")
            }
            guard ContinuousClock.now < deadline else {
                throw SimulationFailure(
                    .environment,
                    "only \(ready) of \(numbers.upperBound) connections were let in, and none of the others for "
                        + "\(Self.signInPatience.components.seconds) s",
                    remedy: "Ask for fewer with --connections")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        progress(
            "\(Terminal.grouped(numbers.upperBound)) connections of \(min(agencies.count, numbers.upperBound)) agencies"
        )
        return numbers.upperBound
    }

    /// What a daemon says that is full.
    private static let noRoom = "LIMIT"

    /// Who has nothing to send says so in time, and is not taken for dead; who sends anyhow says nothing more.
    static func keepAlive(_ workers: [NIOLoopBoundBox<LoadWorker>]) -> Task<Void, Never> {
        Task {
            while !Task.isCancelled {
                // Cancelled in its sleep, the loop ends.
                try? await Task.sleep(for: .milliseconds(250))
                guard !Task.isCancelled else { return }
                for worker in workers { worker.eventLoop.execute { worker.value.ping() } }
            }
        }
    }

    /// Lets pulls arrive at their times; a late timer lets all that are due arrive, each with its own time.
    private func schedule(_ workers: [NIOLoopBoundBox<LoadWorker>]) -> Task<Void, Never> {
        guard case .open(let rate, let spread) = settings.arrival else { return Task {} }
        let seed = settings.seed
        return Task {
            let begun = NIODeadline.now()
            var arrivals = LoadArrivals(pullsPerSecond: rate, spread: spread, seed: seed)
            var sent = 0
            while !Task.isCancelled {
                let elapsed = (NIODeadline.now() - begun).nanoseconds
                while arrivals.next <= elapsed {
                    let at = begun + .nanoseconds(arrivals.take())
                    let number = sent
                    let worker = workers[number % workers.count]
                    worker.eventLoop.execute { worker.value.arrive(number / workers.count, at: at) }
                    sent += 1
                }
                // Cancelled in its sleep, the loop ends.
                try? await Task.sleep(for: .milliseconds(1))
            }
        }
    }

    /// What somebody is to do whom a daemon does not let in.
    static func remedy(_ reason: String) -> String {
        if reason.contains(LoadReport.clone) {
            return
                "Somebody else is signed in by the same names of installations, most likely another load: wait for its end, or give "
                + "this one names of its own with --instance"
        }
        if reason.contains("AUTH") {
            return "Load keys.csv of this portfolio with dispatcherd agency key add --file"
        }
        return "Look at the daemon's log, and check that dispatcherd serve listens there, with TLS or without"
    }

    /// Waits until then, or until nothing is left to do.
    ///
    /// - Returns: why it did not wait longer; `nil`: the time is over.
    private func cut(
        before end: ContinuousClock.Instant, _ workers: [NIOLoopBoundBox<LoadWorker>], _ connections: Int
    ) async throws -> LoadReport.Cut? {
        while true {
            if isInterrupted() { return .interrupted }
            var dry = 0
            for worker in workers { dry += try await worker.eventLoop.submit { worker.value.dryCount }.get() }
            if dry == connections { return .dry }
            let rest = end - .now
            guard rest > .zero else { return nil }
            // A signal, and a seat that has nothing left, tell nobody.
            try await Task.sleep(for: min(.milliseconds(100), rest))
        }
    }

    private func look(
        _ watch: inout LoadWatch, _ workers: [NIOLoopBoundBox<LoadWorker>], _ connections: Int,
        from begun: ContinuousClock.Instant, _ progress: @Sendable (String) -> Void
    ) async throws -> LoadReport.Cut? {
        let end = begun + settings.duration
        while true {
            let second = begun + .seconds(watch.samples.count + 1)
            let cut = try await cut(before: min(second, end), workers, connections)
            var accounts: Int64 = 0
            for worker in workers {
                accounts += try await worker.eventLoop.submit { worker.value.tally.leasedAccounts }.get()
            }
            let sample = watch.look(accounts: accounts)
            progress(
                "\(sample.second) s: \(Terminal.grouped(Int(sample.accounts))) accounts in the last second, "
                    + (sample.daemonProcessorPercent.map { "the daemon at \($0) %, " } ?? "")
                    + (sample.postgresProcessorPercent.map { "PostgreSQL at \($0) %, " } ?? "")
                    + "the load at \(sample.ownProcessorPercent) %, the machine busy by \(sample.machineBusyPercent) %")
            guard cut == nil, second < end else { return cut }
        }
    }

    /// Files of its own: the program, its threads, what it reads of the daemon's processes, the page.
    static let spareFiles = 256

    /// Each connection is a file. Where the system gives fewer, the load is made with those, and says so.
    ///
    /// - Returns: how many connections there can be.
    func raiseFileLimit(_ notes: inout [String]) throws(SimulationFailure) -> Int {
        var limit = rlimit()
        let spare = Self.spareFiles
        let wanted = rlim_t(settings.connections + spare)
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        guard limit.rlim_cur < wanted else { return settings.connections }
        // Root may go beyond the hard limit; for others it is the end.
        var raised = rlimit(rlim_cur: wanted, rlim_max: max(wanted, limit.rlim_max))
        if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 { return settings.connections }
        limit.rlim_cur = min(wanted, limit.rlim_max)
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        guard limit.rlim_cur < wanted else { return settings.connections }
        let possible = Int(limit.rlim_cur) - spare
        guard possible > 0 else {
            throw SimulationFailure(
                .environment, "only \(limit.rlim_max) files are allowed",
                remedy: "Raise it with 'ulimit -n \(wanted)'")
        }
        notes.append(
            "\(Terminal.grouped(possible)) connections instead of \(Terminal.grouped(settings.connections)): only "
                + "\(limit.rlim_max) files are allowed; 'ulimit -n \(wanted)' raises that")
        return possible
    }
}

/// What a process used of the processors.
struct ProcessTime: Sendable {
    let microseconds: Int64

    static var ownNumber: Int32 { getpid() }

    static func own() -> ProcessTime {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        let seconds = Int64(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
        return ProcessTime(microseconds: seconds * 1_000_000 + Int64(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec))
    }

    static func - (left: ProcessTime, right: ProcessTime) -> ProcessTime {
        ProcessTime(microseconds: left.microseconds - right.microseconds)
    }
}
