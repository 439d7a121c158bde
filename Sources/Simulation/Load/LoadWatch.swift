// SPDX-License-Identifier: Apache-2.0

/// One second of a load.
package struct LoadSample: Codable, Equatable, Sendable {
    package let second: Int
    package let accounts: Int64
    /// How long it was: less than a thousand at the end of a load.
    package let milliseconds: Int?
    /// Of one processor, in percent; `nil` where the daemon is not on this machine.
    package let daemonProcessorPercent: Int?
    package let daemonResidentBytes: Int64?
    /// The same of PostgreSQL, all its processes together; `nil` where it is not on this machine, or not ours to look into.
    package let postgresProcessorPercent: Int?
    package let postgresResidentBytes: Int64?
    package let ownProcessorPercent: Int
    /// Of all processors.
    package let machineBusyPercent: Int
}

/// What one node used over the whole load.
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
    }

    private var used: [Int32: Usage] = [:]
    private var daemons: [ProcessMeter] = []
    private var postgres: PostgresMeter?
    private let namedPostgres: Int32?
    private let find: () -> [Daemon]
    private var isFound = (daemons: false, postgres: false)
    private let own = ProcessMeter(process: ProcessTime.ownNumber)
    private var before: Reading
    private(set) var samples: [LoadSample] = []
    private(set) var ownResidentBytes: Int64 = 0

    /// What one process used while it was looked at.
    private struct Usage {
        var latest: Int64?
        var at = ContinuousClock.now
        var microseconds: Int64 = 0
        /// How long it was looked at, in microseconds too.
        var elapsed: Int64 = 0
        var residentBytes: Int64 = 0
        var addresses: [String] = []
    }

    private struct Reading {
        var at = ContinuousClock.now
        var daemons: Int64?
        var postgres: Int64?
        var own: Int64
        var machine: (busy: Int64, all: Int64)
        var accounts: Int64 = 0
    }

    /// - Parameters:
    ///   - postgres: the number of PostgreSQL's first process; by itself the one that the daemons are connected to.
    ///   - daemons: their process numbers; none where they are elsewhere. Asked again where one of them has ended.
    init(postgres: Int32? = nil, daemons: @escaping () -> [Daemon]) {
        namedPostgres = postgres
        find = daemons
        before = Reading(own: own.microseconds ?? 0, machine: ProcessMeter.machine)
        look(for: daemons())
        before.daemons = Self.sum(self.daemons)
        before.postgres = self.postgres?.microseconds
        isFound = (!self.daemons.isEmpty, self.postgres != nil)
    }

    private mutating func look(for processes: [Daemon]) {
        daemons = processes.map { ProcessMeter(process: $0.process) }
        postgres =
            namedPostgres.map { PostgresMeter(postmaster: $0) } ?? PostgresMeter(behind: processes.map(\.process))
        for daemon in processes {
            used[daemon.process, default: Usage()].addresses = daemon.addresses
            used[daemon.process]?.latest = ProcessMeter(process: daemon.process).microseconds
            used[daemon.process]?.at = .now
        }
    }

    /// What each node used, in the order of their processes; one that was started again is two.
    var nodes: [LoadNode] {
        used.keys.sorted().compactMap { process in
            guard let usage = used[process], usage.elapsed > 0 else { return nil }
            return LoadNode(
                process: process, addresses: usage.addresses,
                processorPercent: Int((usage.microseconds * 100 + usage.elapsed / 2) / usage.elapsed),
                residentBytes: usage.residentBytes)
        }
    }

    private mutating func lookAtEach() {
        for meter in daemons {
            guard let now = meter.microseconds, var usage = used[meter.process] else { continue }
            let instant = ContinuousClock.now
            if let latest = usage.latest {
                usage.microseconds += now - latest
                usage.elapsed += Self.microseconds(instant - usage.at)
            }
            usage.latest = now
            usage.at = instant
            usage.residentBytes = max(usage.residentBytes, meter.residentBytes ?? 0)
            used[meter.process] = usage
        }
    }

    private static func microseconds(_ duration: Duration) -> Int64 {
        let (whole, attoseconds) = duration.components
        return whole * 1_000_000 + attoseconds / 1_000_000_000_000
    }

    /// Who was started again is measured on from here; a second in which somebody was not there all the time has no figure of it.
    private mutating func lookAgain() {
        let isDaemonGone = isFound.daemons && Self.sum(daemons) == nil
        let isServerGone = isFound.postgres && postgres?.microseconds == nil
        guard isDaemonGone || isServerGone else { return }
        let (formerDaemons, formerPostgres) = (daemons.map(\.process), postgres?.process)
        look(for: find())
        if daemons.map(\.process) != formerDaemons { before.daemons = nil }
        if postgres?.process != formerPostgres { before.postgres = nil }
    }

    private static func sum(_ meters: [ProcessMeter]) -> Int64? {
        let all = meters.compactMap(\.microseconds)
        return all.count == meters.count && !all.isEmpty ? all.reduce(0, +) : nil
    }

    /// - Parameter accounts: leased since the measurement began.
    mutating func look(accounts: Int64) -> LoadSample {
        lookAgain()
        let now = Reading(
            daemons: Self.sum(daemons), postgres: postgres?.microseconds, own: own.microseconds ?? 0,
            machine: ProcessMeter.machine, accounts: accounts)
        let elapsed = max(1, Self.microseconds(now.at - before.at))
        func percent(_ reading: KeyPath<Reading, Int64?>) -> Int? {
            guard let later = now[keyPath: reading], let earlier = before[keyPath: reading] else { return nil }
            return Int((later - earlier) * 100 / elapsed)
        }
        let sample = LoadSample(
            second: samples.count + 1, accounts: accounts - before.accounts, milliseconds: Int(elapsed / 1_000),
            daemonProcessorPercent: percent(\.daemons),
            daemonResidentBytes: now.daemons == nil ? nil : daemons.compactMap(\.residentBytes).reduce(0, +),
            postgresProcessorPercent: percent(\.postgres), postgresResidentBytes: postgres?.residentBytes,
            ownProcessorPercent: Int((now.own - before.own) * 100 / elapsed),
            machineBusyPercent: Int(
                (now.machine.busy - before.machine.busy) * 100 / max(1, now.machine.all - before.machine.all)))
        lookAtEach()
        samples.append(sample)
        ownResidentBytes = max(ownResidentBytes, own.residentBytes ?? 0)
        before = now
        return sample
    }
}
