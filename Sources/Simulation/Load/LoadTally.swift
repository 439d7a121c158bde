// SPDX-License-Identifier: Apache-2.0

internal import Histogram

/// A connection whose agency had nothing left that it could lease.
struct LoadDry: Equatable, Sendable {
    let agency: String
    /// Behind the beginning of the measured time; 0: before it.
    let seconds: Double
}

/// Why a connection was lost, or not made, and where it led to.
struct LoadLoss: Hashable, Sendable {
    let reason: String
    /// As reports name it.
    let address: String
}

/// What one event loop counted; added up at the end.
struct LoadTally {
    /// From a microsecond on, three digits. It grows with the longest: a wait is never told as a shorter one.
    private static func histogram() -> Histogram<UInt64> {
        var histogram = Histogram<UInt64>(highestTrackableValue: 120_000_000, numberOfSignificantValueDigits: .three)
        histogram.autoResize = true
        return histogram
    }

    var leases = LoadTally.histogram()
    var reports = LoadTally.histogram()
    var contacts = LoadTally.histogram()
    var leasedAccounts: Int64 = 0
    /// Pulls that were due while it was measured; those that had brought nothing when the load gave up waiting, and those for
    /// which nobody had accounts left.
    var due: Int64 = 0
    var waiting: Int64 = 0
    /// Of those that waited in the end, the ones that had not even left: their connection waited for the one before.
    var unsent: Int64 = 0
    /// What was answered from the beginning of the load on, of whatever kind: who waits for the end sees by it whether anything goes on.
    var answers: Int64 = 0
    var dry: Int64 = 0
    var reportsWaiting: Int64 = 0
    var reported: Int64 = 0
    /// Reports that were due while it was measured and are refused for good: they are in no latency.
    var reportsRefused: Int64 = 0
    var emptyPulls: Int64 = 0
    var refusals: [String: Int64] = [:]
    var lost: [LoadLoss: Int64] = [:]
    /// By the address of a node without a key to contact data: the questions that it was asked before that was known.
    var unserved: [String: Int64] = [:]
    /// Connections that had nothing left to pull before the time was over.
    var dried: [LoadDry] = []
    /// Whether anything was leased at all, in the warm-up too.
    var hasLeased = false

    mutating func lease(microseconds: Int64) { leases.record(UInt64(max(1, microseconds))) }
    mutating func report(microseconds: Int64) { reports.record(UInt64(max(1, microseconds))) }
    mutating func contact(microseconds: Int64) { contacts.record(UInt64(max(1, microseconds))) }

    mutating func add(_ other: LoadTally) {
        Self.add(other.leases, to: &leases)
        Self.add(other.reports, to: &reports)
        Self.add(other.contacts, to: &contacts)
        leasedAccounts += other.leasedAccounts
        due += other.due
        waiting += other.waiting
        unsent += other.unsent
        answers += other.answers
        dry += other.dry
        reportsWaiting += other.reportsWaiting
        reported += other.reported
        reportsRefused += other.reportsRefused
        emptyPulls += other.emptyPulls
        refusals.merge(other.refusals, uniquingKeysWith: +)
        lost.merge(other.lost, uniquingKeysWith: +)
        unserved.merge(other.unserved, uniquingKeysWith: +)
        dried += other.dried
        hasLeased = hasLeased || other.hasLeased
    }

    private static func add(_ from: Histogram<UInt64>, to: inout Histogram<UInt64>) {
        for value in from.recordedValues() { to.record(value.value, count: value.count) }
    }
}
