// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
internal import Assignment
internal import Glibc
internal import NIOCore
internal import NIOPosix

/// Loads one daemon, or several nodes of one database, over real connections, and measures what they take.
package struct LoadRun: Sendable {
    let settings: LoadSettings

    package init(_ settings: LoadSettings) { self.settings = settings }

    /// - Parameter progress: called once a second with a line for people.
    package func run(progress: @escaping @Sendable (String) -> Void) async throws -> LoadReport {
        try raiseFileLimit()
        let agencies = try agencies()
        let clock = try await clock(agencies)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: settings.threads)
        defer { group.shutdownGracefully { _ in } }
        let isOpenLoop = settings.arrival != .closed
        let workers = group.makeIterator().map { loop in
            NIOLoopBoundBox.makeBoxSendingValue(LoadWorker(isOpenLoop: isOpenLoop, clock: clock), eventLoop: loop)
        }
        try await connect(0..<settings.connections, agencies, workers, progress)
        for worker in workers {
            worker.eventLoop.execute { if self.settings.arrival == .closed { worker.value.start() } }
        }
        let arrivals = schedule(workers)
        defer { arrivals.cancel() }
        progress("warming up for \(settings.warmUp)")
        try await Task.sleep(for: settings.warmUp)
        let own = ProcessTime.own()
        let begun = ContinuousClock.now
        for worker in workers { try await worker.eventLoop.submit { worker.value.measure() }.get() }
        try await watch(workers, until: begun + settings.duration, progress)
        var total = LoadTally()
        for worker in workers { total.add(try await worker.eventLoop.submit { worker.value.stop() }.get()) }
        let elapsed = ContinuousClock.now - begun
        let used = ProcessTime.own() - own
        // What is in flight is answered before the connections go.
        try await Task.sleep(for: .milliseconds(200))
        for worker in workers { try await worker.eventLoop.submit { worker.value.close() }.get() }
        return LoadReport(settings, total, elapsed: elapsed, ownProcessorTime: used)
    }

    struct Agency {
        let id: AgencyID
        let key: AgencyPrivateKey
        let pools: [LoadPool]
    }

    func agencies() throws -> [Agency] {
        let book = try ContractBook(path: settings.contractsPath)
        return try book.posts.keys.sorted().map { id in
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
        guard let first = agencies.first, let address = settings.addresses.first, let instance = Token("load-clock")
        else { throw SimulationFailure(.usage, "there are no agencies", remedy: "Give the contracts of a portfolio") }
        var connection = AgentConnectionSettings(
            port: address.port, agency: first.id, instance: instance, sequence: Self.nowMicroseconds(),
            privateKey: first.key)
        connection.host = address.host
        connection.tls = settings.tls?.client
        do {
            let link = try await AgentConnection.connect(connection)
            let before = try await link.ping().fields.timestamp("time")
            try await Task.sleep(for: .milliseconds(20))
            let after = try await link.ping().fields.timestamp("time")
            try await link.bye()
            return LoadClock(fixed: before == after ? after : nil)
        } catch let error as AgentConnectionError {
            throw SimulationFailure(
                .environment, "\(address): \(error)",
                remedy: "Check that dispatcherd serve listens there, and that keys.csv of this portfolio was loaded")
        }
    }

    static func nowMicroseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
    }

    func connect(
        _ numbers: Range<Int>, _ agencies: [Agency], _ workers: [NIOLoopBoundBox<LoadWorker>],
        _ progress: @Sendable (String) -> Void
    ) async throws {
        let sequence = Self.nowMicroseconds()
        let tls = try settings.tls.map { try ClientTLS.Context($0.client) }
        for number in numbers {
            let agency = agencies[number % agencies.count]
            let worker = workers[number % workers.count]
            let address = settings.addresses[number % settings.addresses.count]
            guard let instance = Token("load-\(number)") else { continue }
            let identity = LoadIdentity(agency: agency.id, instance: instance, sequence: sequence, key: agency.key)
            // Each connection of an agency begins with another of its pools.
            let turn = number / agencies.count % max(1, agency.pools.count)
            let pools = Array(agency.pools[turn...] + agency.pools[..<turn])
            let settings = settings
            let bootstrap = ClientBootstrap(group: worker.eventLoop)
                .channelOption(.socketOption(.tcp_nodelay), value: 1)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let handler = LoadConnection(
                            identity, pools: pools, batch: settings.batch, isPaired: settings.isPaired,
                            worker: worker.value)
                        worker.value.add(handler)
                        if let tls {
                            try channel.pipeline.syncOperations.addHandler(
                                ClientTLS.handler(tls, host: address.host, serverName: settings.tls?.serverName))
                        }
                        try channel.pipeline.syncOperations.addHandler(handler)
                    }
                }
            do {
                _ = try await bootstrap.connect(host: address.host, port: address.port).get()
            } catch {
                throw SimulationFailure(
                    .environment, "connection \(number + 1) to \(address) failed: \(error)",
                    remedy: "Check that dispatcherd serve listens there; --connections asks for fewer")
            }
        }
        let deadline = ContinuousClock.now + .seconds(30)
        while true {
            var ready = 0
            var lost: [String: Int64] = [:]
            for worker in workers {
                let state = try await worker.eventLoop.submit { (worker.value.readyCount, worker.value.tally.lost) }
                    .get()
                ready += state.0
                lost.merge(state.1, uniquingKeysWith: +)
            }
            if let refused = lost.first {
                throw SimulationFailure(
                    .environment, "\(refused.value) connections were not let in: \(refused.key)",
                    remedy: "Load keys.csv of this portfolio with dispatcherd agency key add --file")
            }
            if ready == numbers.upperBound { break }
            guard ContinuousClock.now < deadline else {
                throw SimulationFailure(
                    .environment, "only \(ready) of \(numbers.upperBound) connections were let in within 30 s",
                    remedy: "Ask for fewer with --connections")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        progress("\(numbers.upperBound) connections of \(min(agencies.count, numbers.upperBound)) agencies")
    }

    /// Lets pulls arrive at their times, evenly spread; a late timer lets all that are due arrive, each with its own time.
    private func schedule(_ workers: [NIOLoopBoundBox<LoadWorker>]) -> Task<Void, Never> {
        guard case .open(let rate) = settings.arrival else { return Task {} }
        return Task {
            let begun = NIODeadline.now()
            var sent = 0
            while !Task.isCancelled {
                let elapsed = (NIODeadline.now() - begun).nanoseconds
                let due = Int(elapsed / 1_000 * Int64(rate) / 1_000_000)
                while sent < due {
                    let at = begun + .nanoseconds(Int64(sent) * 1_000_000_000 / Int64(rate))
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

    private func watch(
        _ workers: [NIOLoopBoundBox<LoadWorker>], until end: ContinuousClock.Instant,
        _ progress: @Sendable (String) -> Void
    ) async throws {
        var before: Int64 = 0
        while ContinuousClock.now < end {
            let rest = end - .now
            try await Task.sleep(for: min(.seconds(1), rest))
            var accounts: Int64 = 0
            var dry = 0
            for worker in workers {
                let state = try await worker.eventLoop.submit {
                    (worker.value.tally.leasedAccounts, worker.value.dryCount)
                }.get()
                accounts += state.0
                dry += state.1
            }
            progress("\(Terminal.grouped(Int(accounts - before))) accounts in the last second")
            before = accounts
            if dry == settings.connections {
                throw SimulationFailure(
                    .findings, "all pools ran dry after \(Terminal.grouped(Int(accounts))) accounts",
                    remedy: "Load for a shorter time, or plan a larger portfolio")
            }
        }
    }

    /// Each connection is a file.
    func raiseFileLimit() throws(SimulationFailure) {
        var limit = rlimit()
        let wanted = rlim_t(settings.connections + 256)
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        guard limit.rlim_cur < wanted else { return }
        limit.rlim_cur = min(wanted, limit.rlim_max)
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        guard limit.rlim_cur >= wanted else {
            throw SimulationFailure(
                .environment,
                "\(settings.connections) connections need \(wanted) files, and \(limit.rlim_max) are allowed",
                remedy: "Raise it with 'ulimit -n \(wanted)', or ask for fewer with --connections")
        }
    }
}

/// What a process used of the processors.
struct ProcessTime: Sendable {
    let microseconds: Int64

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
