// SPDX-License-Identifier: Apache-2.0

/// One second of a load.
package struct LoadSample: Codable, Equatable, Sendable {
    package let second: Int
    package let accounts: Int64
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

/// Looks once a second at what the daemon, its PostgreSQL, the load itself and the machine use.
struct LoadWatch {
    private let daemons: [ProcessMeter]
    private let postgres: PostgresMeter?
    private let own = ProcessMeter(process: ProcessTime.ownNumber)
    private var before: Reading
    private(set) var samples: [LoadSample] = []
    private(set) var ownResidentBytes: Int64 = 0

    private struct Reading {
        var at = ContinuousClock.now
        var daemons: Int64?
        var postgres: Int64?
        var own: Int64
        var machine: (busy: Int64, all: Int64)
        var accounts: Int64 = 0
    }

    /// - Parameters:
    ///   - daemons: process numbers; none where they are elsewhere.
    ///   - postgres: the number of PostgreSQL's first process; by itself the one that the daemons are connected to.
    init(daemons: [Int32], postgres: Int32? = nil) {
        self.daemons = daemons.map { ProcessMeter(process: $0) }
        self.postgres = postgres.map { PostgresMeter(postmaster: $0) } ?? PostgresMeter(behind: daemons)
        before = Reading(
            daemons: Self.sum(self.daemons), postgres: self.postgres?.microseconds, own: own.microseconds ?? 0,
            machine: ProcessMeter.machine)
    }

    private static func sum(_ meters: [ProcessMeter]) -> Int64? {
        let all = meters.compactMap(\.microseconds)
        return all.count == meters.count && !all.isEmpty ? all.reduce(0, +) : nil
    }

    /// - Parameter accounts: leased since the measurement began.
    mutating func look(accounts: Int64) -> LoadSample {
        let now = Reading(
            daemons: Self.sum(daemons), postgres: postgres?.microseconds, own: own.microseconds ?? 0,
            machine: ProcessMeter.machine, accounts: accounts)
        let (whole, attoseconds) = (now.at - before.at).components
        let elapsed = max(1, whole * 1_000_000 + attoseconds / 1_000_000_000_000)
        func percent(_ reading: KeyPath<Reading, Int64?>) -> Int? {
            guard let later = now[keyPath: reading], let earlier = before[keyPath: reading] else { return nil }
            return Int((later - earlier) * 100 / elapsed)
        }
        let sample = LoadSample(
            second: samples.count + 1, accounts: accounts - before.accounts,
            daemonProcessorPercent: percent(\.daemons),
            daemonResidentBytes: daemons.isEmpty ? nil : daemons.compactMap(\.residentBytes).reduce(0, +),
            postgresProcessorPercent: percent(\.postgres), postgresResidentBytes: postgres?.residentBytes,
            ownProcessorPercent: Int((now.own - before.own) * 100 / elapsed),
            machineBusyPercent: Int(
                (now.machine.busy - before.machine.busy) * 100 / max(1, now.machine.all - before.machine.all)))
        samples.append(sample)
        ownResidentBytes = max(ownResidentBytes, own.residentBytes ?? 0)
        before = now
        return sample
    }
}
