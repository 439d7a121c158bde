// SPDX-License-Identifier: Apache-2.0

/// One second of a load.
package struct LoadSample: Codable, Equatable, Sendable {
    package let second: Int
    package let accounts: Int64
    /// How long it was: less than a thousand at the end of a load.
    package let milliseconds: Int?
    /// Of one processor, in percent, by all nodes together; `nil` where the daemon is not on this machine, or where one of the nodes was
    /// not there all the time.
    package let daemonProcessorPercent: Int?
    package let daemonResidentBytes: Int64?
    /// The same of PostgreSQL, all its processes together; `nil` where it is not on this machine, or not ours to look into.
    package let postgresProcessorPercent: Int?
    package let postgresResidentBytes: Int64?
    package let ownProcessorPercent: Int
    /// Of all processors.
    package let machineBusyPercent: Int
}

/// What one node used while it was there. One that was started again is two.
package struct LoadNode: Codable, Equatable, Sendable {
    package let process: Int32
    /// Where it listens; empty where it was named by its process.
    package let addresses: [String]
    /// Of one processor.
    package let processorPercent: Int
    package let residentBytes: Int64
}

/// Looks once a second at what the daemon, its PostgreSQL, the load itself and the machine use.
struct LoadWatch {
    /// A daemon's process on this machine.
    struct Daemon: Equatable, Sendable {
        let process: Int32
        /// Where it listens, as far as it was found by that.
        var addresses: [String] = []

        /// For people.
        fileprivate var name: String {
            "process \(process)" + (addresses.isEmpty ? "" : " (\(addresses.joined(separator: ", ")))")
        }
    }

    /// What was used in a time, both in microseconds.
    private struct Use {
        var microseconds: Int64 = 0
        var elapsed: Int64 = 0

        /// Of one processor, to the nearest; `nil` where there was no time.
        var percent: Int? { elapsed > 0 ? Int((microseconds * 100 + elapsed / 2) / elapsed) : nil }

        mutating func add(_ other: Use?) {
            microseconds += other?.microseconds ?? 0
            elapsed += other?.elapsed ?? 0
        }
    }

    /// What one process used while it was looked at.
    private struct Watched {
        var daemon: Daemon
        var latest: Int64
        var at: ContinuousClock.Instant
        var use = Use()
        var residentBytes: Int64 = 0
    }

    private struct Reading {
        var at = ContinuousClock.now
        /// By process; `nil` where a node is missing.
        var daemons: [Int32: Int64]?
        var postgres: Int64?
        var own: Int64
        var machine: (busy: Int64, all: Int64)
        var accounts: Int64 = 0
    }

    private var watched: [Int32: Watched] = [:]
    private var daemons: [Daemon] = []
    private var postgres: PostgresMeter?
    private let namedPostgres: Int32?
    private let find: () -> [Daemon]
    /// What there is when nobody is missing.
    private let whole: (processes: Int, addresses: Set<String>, postgres: Bool)
    private let own = ProcessMeter(process: ProcessTime.ownNumber)
    private var before: Reading
    private var daemonUse = Use()
    private var postgresUse = Use()
    private var machineUse = Use()
    private(set) var samples: [LoadSample] = []
    private(set) var ownResidentBytes: Int64 = 0

    /// - Parameters:
    ///   - postgres: the number of PostgreSQL's first process; by itself the one that the daemons are connected to.
    ///   - daemons: their process numbers; none where they are elsewhere. Asked again for as long as one of them is missing.
    init(postgres: Int32? = nil, daemons: @escaping () -> [Daemon]) {
        namedPostgres = postgres
        find = daemons
        let found = daemons()
        self.daemons = found
        self.postgres = Self.meter(postgres, found)
        whole = (found.count, Set(found.flatMap(\.addresses)), self.postgres != nil)
        before = Reading(own: 0, machine: (0, 0))
        // Behind the search, which is none of what is measured.
        before = readNow(0)
    }

    private static func meter(_ named: Int32?, _ daemons: [Daemon]) -> PostgresMeter? {
        named.map { PostgresMeter(postmaster: $0) } ?? PostgresMeter(behind: daemons.map(\.process))
    }

    // MARK: Results

    /// What each node used, in the order of their processes.
    var nodes: [LoadNode] {
        watched.keys.sorted().compactMap { process in
            guard let node = watched[process], let percent = node.use.percent else { return nil }
            return LoadNode(
                process: process, addresses: node.daemon.addresses, processorPercent: percent,
                residentBytes: node.residentBytes)
        }
    }

    /// Of one processor, by all nodes together, over the seconds in which all were there; `nil`: there was none.
    var daemonProcessorPercent: Int? { daemonUse.percent }
    var postgresProcessorPercent: Int? { postgresUse.percent }
    /// Of all processors.
    var machineBusyPercent: Int { machineUse.percent ?? 0 }

    /// What became of nodes that ended, a line each.
    var notes: [String] {
        let ended = watched.keys.sorted().compactMap { watched[$0]?.daemon }.filter { !daemons.contains($0) }
        return ended.map { node in
            let next = daemons.first {
                $0.process != node.process && $0.addresses.contains(where: node.addresses.contains)
            }
            return "\(node.name) ended within the load; "
                + (next.map { "process \($0.process) came in its place, and is measured on" }
                    ?? "nobody was found in its place, so what the daemons used is that of the time before")
        }
    }

    // MARK: Looking

    /// What every node has used so far; it is added to what is known of each.
    ///
    /// - Returns: `nil` where a node is missing.
    private mutating func readings(at instant: ContinuousClock.Instant) -> [Int32: Int64]? {
        var readings: [Int32: Int64] = [:]
        for daemon in daemons {
            let meter = ProcessMeter(process: daemon.process)
            guard let now = meter.microseconds else { continue }
            readings[daemon.process] = now
            var node = watched[daemon.process] ?? Watched(daemon: daemon, latest: now, at: instant)
            node.use.add(Use(microseconds: now - node.latest, elapsed: Self.microseconds(instant - node.at)))
            (node.latest, node.at, node.daemon) = (now, instant, daemon)
            node.residentBytes = max(node.residentBytes, meter.residentBytes ?? 0)
            watched[daemon.process] = node
        }
        let addresses = Set(daemons.filter { readings[$0.process] != nil }.flatMap(\.addresses))
        let isWhole =
            !readings.isEmpty && readings.count == daemons.count
            && (whole.addresses.isEmpty ? readings.count >= whole.processes : addresses.isSuperset(of: whole.addresses))
        return isWhole ? readings : nil
    }

    private static func microseconds(_ duration: Duration) -> Int64 {
        let (whole, attoseconds) = duration.components
        return whole * 1_000_000 + attoseconds / 1_000_000_000_000
    }

    /// Who is missing is looked for, each time anew, and measured on from where it is found. The search takes its time, so everything is
    /// read anew behind it: a use and the time in which it was are of one and the same moment.
    private mutating func reading(_ accounts: Int64) -> Reading {
        let now = readNow(accounts)
        guard whole.processes > 0 && now.daemons == nil || whole.postgres && now.postgres == nil else { return now }
        daemons = find()
        let formerPostgres = postgres?.process
        postgres = Self.meter(namedPostgres, daemons)
        if postgres?.process != formerPostgres { before.postgres = nil }
        return readNow(accounts)
    }

    private mutating func readNow(_ accounts: Int64) -> Reading {
        var now = Reading(
            postgres: postgres?.microseconds, own: own.microseconds ?? 0, machine: ProcessMeter.machine,
            accounts: accounts)
        now.daemons = readings(at: now.at)
        return now
    }

    /// A second in which somebody was not there all the time has no figure of it.
    ///
    /// - Parameter accounts: leased since the measurement began.
    mutating func look(accounts: Int64) -> LoadSample {
        let now = reading(accounts)
        let elapsed = max(1, Self.microseconds(now.at - before.at))
        func use(_ later: Int64?, _ earlier: Int64?) -> Use? {
            guard let later, let earlier else { return nil }
            return Use(microseconds: later - earlier, elapsed: elapsed)
        }
        let areSame = now.daemons != nil && now.daemons.map { Set($0.keys) } == before.daemons.map { Set($0.keys) }
        let byDaemons =
            areSame ? use(now.daemons?.values.reduce(0, +), before.daemons?.values.reduce(0, +)) : nil
        let byPostgres = use(now.postgres, before.postgres)
        let byMachine = Use(
            microseconds: now.machine.busy - before.machine.busy, elapsed: now.machine.all - before.machine.all)
        daemonUse.add(byDaemons)
        postgresUse.add(byPostgres)
        machineUse.add(byMachine)
        let sample = LoadSample(
            second: samples.count + 1, accounts: accounts - before.accounts, milliseconds: Int(elapsed / 1_000),
            daemonProcessorPercent: byDaemons?.percent,
            daemonResidentBytes: now.daemons.map { daemons in
                daemons.keys.reduce(0) { $0 + (ProcessMeter(process: $1).residentBytes ?? 0) }
            },
            postgresProcessorPercent: byPostgres?.percent, postgresResidentBytes: postgres?.residentBytes,
            ownProcessorPercent: use(now.own, before.own)?.percent ?? 0, machineBusyPercent: byMachine.percent ?? 0)
        samples.append(sample)
        ownResidentBytes = max(ownResidentBytes, own.residentBytes ?? 0)
        before = now
        return sample
    }
}
