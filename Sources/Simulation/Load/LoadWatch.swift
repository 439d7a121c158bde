// SPDX-License-Identifier: Apache-2.0

/// One second of a load.
package struct LoadSample: Codable, Equatable, Sendable {
    package let second: Int
    package let accounts: Int64
    /// Of one processor, in percent; `nil` where the daemon is not on this machine.
    package let daemonProcessorPercent: Int?
    package let daemonResidentBytes: Int64?
    package let ownProcessorPercent: Int
    /// Of all processors.
    package let machineBusyPercent: Int
}

/// Looks once a second at what the daemon, the load itself and the machine use.
struct LoadWatch {
    private let daemons: [ProcessMeter]
    private let own = ProcessMeter(process: ProcessTime.ownNumber)
    private var before: Reading
    private(set) var samples: [LoadSample] = []
    private(set) var ownResidentBytes: Int64 = 0

    private struct Reading {
        var at = ContinuousClock.now
        var daemons: Int64?
        var own: Int64
        var machine: (busy: Int64, all: Int64)
        var accounts: Int64 = 0
    }

    /// - Parameter daemons: process numbers; none where they are elsewhere.
    init(daemons: [Int32]) {
        self.daemons = daemons.map { ProcessMeter(process: $0) }
        before = Reading(
            daemons: Self.sum(self.daemons), own: own.microseconds ?? 0, machine: ProcessMeter.machine)
    }

    private static func sum(_ meters: [ProcessMeter]) -> Int64? {
        let all = meters.compactMap(\.microseconds)
        return all.count == meters.count && !all.isEmpty ? all.reduce(0, +) : nil
    }

    /// - Parameter accounts: leased since the measurement began.
    mutating func look(accounts: Int64) -> LoadSample {
        let now = Reading(
            daemons: Self.sum(daemons), own: own.microseconds ?? 0, machine: ProcessMeter.machine, accounts: accounts)
        let (whole, attoseconds) = (now.at - before.at).components
        let elapsed = max(1, whole * 1_000_000 + attoseconds / 1_000_000_000_000)
        let used = now.daemons.flatMap { later in before.daemons.map { Int((later - $0) * 100 / elapsed) } }
        let sample = LoadSample(
            second: samples.count + 1, accounts: accounts - before.accounts, daemonProcessorPercent: used,
            daemonResidentBytes: daemons.isEmpty ? nil : daemons.compactMap(\.residentBytes).reduce(0, +),
            ownProcessorPercent: Int((now.own - before.own) * 100 / elapsed),
            machineBusyPercent: Int(
                (now.machine.busy - before.machine.busy) * 100 / max(1, now.machine.all - before.machine.all)))
        samples.append(sample)
        ownResidentBytes = max(ownResidentBytes, own.residentBytes ?? 0)
        before = now
        return sample
    }
}
