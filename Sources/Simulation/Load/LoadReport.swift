// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import FoundationEssentials
internal import Histogram

/// What a load measured.
package struct LoadReport: Codable, Sendable {
    /// Microseconds.
    package struct Latency: Codable, Sendable {
        package struct Point: Codable, Sendable {
            package let percentile: Double
            package let microseconds: UInt64
        }
        package let count: Int64
        package let p50: UInt64
        package let p90: UInt64
        package let p99: UInt64
        package let p999: UInt64
        package let max: UInt64
        /// From the fastest to the slowest, denser towards the end.
        package let curve: [Point]

        fileprivate init(_ histogram: Histogram<UInt64>) {
            count = Int64(histogram.totalCount)
            p50 = histogram.valueAtPercentile(50)
            p90 = histogram.valueAtPercentile(90)
            p99 = histogram.valueAtPercentile(99)
            p999 = histogram.valueAtPercentile(99.9)
            max = histogram.max
            let percentiles =
                stride(from: 0.0, to: 90, by: 5).map { $0 } + stride(from: 90.0, to: 99, by: 1).map { $0 }
                + [99, 99.3, 99.6, 99.8, 99.9, 99.95, 99.98, 99.99, 99.995, 99.999]
            curve =
                count == 0
                ? [] : percentiles.map { Point(percentile: $0, microseconds: histogram.valueAtPercentile($0)) }
        }
    }
    /// Why a load ended before its time.
    package enum Cut: String, Codable, Sendable { case interrupted, dry }
    /// How a reason begins in ``lostConnections`` where a connection was not lost, but could not be made again.
    static let notMade = "not made: "
    /// What a daemon says where somebody else signed in by the same name.
    static let clone = "CLONE"

    /// When the measurement began, UTC, the version of the program that loads, and the addresses; `nil` in results of before.
    package let startedAt: String?
    package let version: String?
    package let addresses: [String]?
    package let connections: Int
    package let agencies: Int
    package let leaseSizes: String
    package let reportsPerAccount: String
    package let isPaired: Bool
    /// Of a hundred accounts, those whose contact data was asked for; `nil` in results of before: none.
    package let contactPercent: Int?
    /// `nil`: the closed loop.
    package let pullsPerSecond: Int?
    /// How those pulls follow each other; `nil` in the closed loop, and in results of before: evenly.
    package let spread: LoadSettings.Spread?
    package let seed: UInt64
    /// Whether the connections are encrypted.
    package let isEncrypted: Bool
    package let nodes: Int
    package let seconds: Double
    /// What it was to last; `nil` in results of before.
    package let wantedSeconds: Double?
    /// How long it was loaded before; `nil` in results of before.
    package let warmUpSeconds: Double?
    /// `nil`: it lasted as long as it was to.
    package let cut: Cut?
    package let accounts: Int64
    package let accountsPerSecond: Int64
    package let reportsPerSecond: Int64
    package let lease: Latency
    package let report: Latency
    /// Of questions for contact data; `nil` where none was asked.
    package let contact: Latency?
    package let emptyPulls: Int64
    /// Pulls that were due in the measured time; those of them that were not answered when the load gave up waiting, and those for
    /// which nobody had accounts left. In the latencies the former count with the time that they waited.
    package let duePulls: Int64
    package let waitingPulls: Int64
    package let dryPulls: Int64
    /// Of ``waitingPulls``, those that never left, because their connection waited for the one before; `nil` in results of before.
    package let unsentPulls: Int64?
    /// How long what was due was waited for after the end; `nil` in results of before.
    package let drainSeconds: Double?
    package let waitingReports: Int64
    /// Reports that were due and refused for good; they are in no latency. `nil` in results of before.
    package let refusedReports: Int64?
    /// Connections whose agency had nothing left to lease before the time was over, and when, in seconds of the measurement (0: before
    /// it); from the first one on ever fewer load the daemon. `nil` in results of before.
    package let dryConnections: Int?
    package let firstDrySeconds: Double?
    package let lastDrySeconds: Double?
    package let dryAgencies: [String]?
    /// What each agency could lease at most before the load, by what `STATUS` told.
    package let couldLease: [String: Int64]?
    /// By verb and code.
    package let refusals: [String: Int64]
    /// By the reason, whatever node it was and whether it had let the connection in.
    package let lostConnections: [String: Int64]
    /// The same by the address of the node, and there by the reason; `nil` in results of before.
    package let lostByAddress: [String: [String: Int64]]?
    /// By the address of a node without a key to contact data: how often it was asked for some before that was known, from the warm-up
    /// on. Nobody asked it again. `nil` in results of before.
    package let contactsUnserved: [String: Int64]?
    /// Of one processor, by the load itself, in percent.
    package let ownProcessorPercent: Int
    package let ownResidentBytes: Int64
    package let threads: Int
    /// Of one processor, by all nodes that are on this machine together, over the seconds in which all of them were there; `nil` where they
    /// are elsewhere.
    package let daemonProcessorPercent: Int?
    package let daemonResidentBytes: Int64?
    /// The same of PostgreSQL, all its processes together; `nil` where it is not on this machine, or not ours to look into.
    package let postgresProcessorPercent: Int?
    package let postgresResidentBytes: Int64?
    /// By each node that is on this machine, over the time in which it was there itself; one that was started again is two.
    package let daemons: [LoadNode]?
    /// Of all processors, by everybody.
    package let machineBusyPercent: Int
    package let samples: [LoadSample]
    /// What could not be had, a line each.
    package let notes: [String]
    /// What makes figures other than they look, a sentence each; the same in text, page and JSON.
    package private(set) var warnings: [String]?

    init(
        _ settings: LoadSettings, _ tally: LoadTally, startedAt: Timestamp, elapsed: Duration, drain: Duration,
        cut: Cut?, ownProcessorTime: ProcessTime, connections: Int, agencies: Int, stock: LoadStock, watch: LoadWatch,
        notes: [String]
    ) {
        func micros(_ duration: Duration) -> Int64 {
            let (whole, attoseconds) = duration.components
            return whole * 1_000_000 + attoseconds / 1_000_000_000_000
        }
        let microseconds = micros(elapsed)
        self.startedAt = startedAt.description
        version = ProgramVersion.text
        addresses = settings.addresses.map(\.description)
        dryConnections = tally.dried.count
        firstDrySeconds = tally.dried.map(\.seconds).min()
        lastDrySeconds = tally.dried.map(\.seconds).max()
        dryAgencies = Set(tally.dried.map(\.agency)).sorted()
        couldLease = stock.byName
        self.cut = cut
        wantedSeconds = Double(micros(settings.duration)) / 1_000_000
        warmUpSeconds = Double(micros(settings.warmUp)) / 1_000_000
        self.connections = connections
        self.agencies = Swift.min(agencies, connections)
        seed = settings.seed
        isEncrypted = settings.tls != nil
        nodes = settings.addresses.count
        leaseSizes = settings.leaseSizes.description
        reportsPerAccount = settings.reportsPerAccount.description
        isPaired = settings.isPaired
        contactPercent = settings.contactPercent
        (pullsPerSecond, spread) =
            if case .open(let rate, let spread) = settings.arrival { (rate, spread) } else { (nil, nil) }
        seconds = Double(microseconds) / 1_000_000
        accounts = tally.leasedAccounts
        func rate(_ count: Int64) -> Int64 {
            // To the nearest: who divides by hand gets the same.
            (count * 1_000_000 + microseconds / 2) / Swift.max(1, microseconds)
        }
        accountsPerSecond = rate(tally.leasedAccounts)
        reportsPerSecond = rate(tally.reported)
        lease = Latency(tally.leases)
        report = Latency(tally.reports)
        contact = settings.contactPercent > 0 ? Latency(tally.contacts) : nil
        emptyPulls = tally.emptyPulls
        duePulls = tally.due
        waitingPulls = tally.waiting
        unsentPulls = tally.unsent
        drainSeconds = Double(micros(drain)) / 1_000_000
        dryPulls = tally.dry
        waitingReports = tally.reportsWaiting
        refusedReports = tally.reportsRefused
        refusals = tally.refusals
        lostConnections = tally.lost.reduce(into: [:]) { $0[$1.key.reason, default: 0] += $1.value }
        lostByAddress = tally.lost.reduce(into: [:]) {
            $0[$1.key.address, default: [:]][$1.key.reason, default: 0] += $1.value
        }
        contactsUnserved = tally.unserved
        ownProcessorPercent = Int(
            (ownProcessorTime.microseconds * 100 + microseconds / 2) / Swift.max(1, microseconds))
        ownResidentBytes = watch.ownResidentBytes
        threads = settings.threads
        samples = watch.samples
        daemons = watch.nodes
        daemonProcessorPercent = watch.daemonProcessorPercent
        daemonResidentBytes = samples.compactMap(\.daemonResidentBytes).max()
        postgresProcessorPercent = watch.postgresProcessorPercent
        postgresResidentBytes = samples.compactMap(\.postgresResidentBytes).max()
        machineBusyPercent = watch.machineBusyPercent
        var notes = notes + watch.notes
        for (who, isKnown) in [
            ("the daemon", daemonProcessorPercent != nil && daemonResidentBytes != nil),
            ("PostgreSQL", postgresProcessorPercent != nil && postgresResidentBytes != nil),
        ] where !isKnown && !samples.isEmpty {
            notes.append("what \(who) used is not known: it is not on this machine, or not ours to look into")
        }
        self.notes = notes
        warnings = found
    }
}

extension LoadReport {
    /// One object on one line, its keys in order.
    package func jsonText() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    /// Of a load that came to no result: why.
    package static func json(of failure: any Error) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(["failure": "\(failure)"])).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
}
