// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import Histogram

/// What a load measured.
package struct LoadReport: Encodable, Sendable {
    /// Microseconds.
    package struct Latency: Encodable, Sendable {
        package let count: Int64
        package let p50: UInt64
        package let p90: UInt64
        package let p99: UInt64
        package let p999: UInt64
        package let max: UInt64

        fileprivate init(_ histogram: Histogram<UInt64>) {
            count = Int64(histogram.totalCount)
            p50 = histogram.valueAtPercentile(50)
            p90 = histogram.valueAtPercentile(90)
            p99 = histogram.valueAtPercentile(99)
            p999 = histogram.valueAtPercentile(99.9)
            max = histogram.max
        }
    }
    package let connections: Int
    package let batch: Int
    package let isPaired: Bool
    /// `nil`: the closed loop.
    package let pullsPerSecond: Int?
    package let seconds: Double
    package let accounts: Int64
    package let accountsPerSecond: Int64
    package let lease: Latency
    package let report: Latency
    package let emptyPulls: Int64
    package let refusals: [String: Int64]
    package let lostConnections: [String: Int64]
    /// Of one processor, by the load itself, in percent.
    package let ownProcessorPercent: Int

    init(_ settings: LoadSettings, _ tally: LoadTally, elapsed: Duration, ownProcessorTime: ProcessTime) {
        let (whole, attoseconds) = elapsed.components
        let microseconds = whole * 1_000_000 + attoseconds / 1_000_000_000_000
        connections = settings.connections
        batch = settings.batch
        isPaired = settings.isPaired
        pullsPerSecond = if case .open(let rate) = settings.arrival { rate } else { nil }
        seconds = Double(microseconds) / 1_000_000
        accounts = tally.leasedAccounts
        accountsPerSecond = tally.leasedAccounts * 1_000_000 / Swift.max(1, microseconds)
        lease = Latency(tally.leases)
        report = Latency(tally.reports)
        emptyPulls = tally.emptyPulls
        refusals = tally.refusals
        lostConnections = tally.lost
        ownProcessorPercent = Int(ownProcessorTime.microseconds * 100 / Swift.max(1, microseconds))
    }

    package var lines: [String] {
        var lines = [
            "\(connections) connections x \(batch) accounts, "
                + (pullsPerSecond.map { "\($0) pulls a second" } ?? "closed loop")
                + (isPaired ? ", reports together with the next pull" : ", reports answered before the next pull"),
            "\(Terminal.grouped(Int(accounts))) accounts leased and reported in \(Int(seconds.rounded())) s: "
                + "\(Terminal.grouped(Int(accountsPerSecond))) a second",
            "microseconds      p50       p90       p99     p99.9       max     count",
            Self.line("LEASE ", lease), Self.line("REPORT", report),
        ]
        for (code, count) in refusals.sorted(by: { $0.key < $1.key }) {
            lines.append("refused with \(code): \(Terminal.grouped(Int(count)))")
        }
        for (reason, count) in lostConnections.sorted(by: { $0.key < $1.key }) {
            lines.append("connections lost, \(reason): \(Terminal.grouped(Int(count)))")
        }
        if emptyPulls > 0 { lines.append("pulls that brought nothing: \(Terminal.grouped(Int(emptyPulls)))") }
        lines.append(
            "the load itself used \(ownProcessorPercent) % of one processor"
                + (ownProcessorPercent >= 90 ? "; it may be the bottleneck itself: give it --threads 2" : ""))
        return lines
    }

    private static func line(_ name: String, _ latency: Latency) -> String {
        let columns = [latency.p50, latency.p90, latency.p99, latency.p999, latency.max, UInt64(latency.count)]
        return name + "    "
            + columns.map { value in
                let text = Terminal.grouped(Int(value))
                return String(repeating: " ", count: Swift.max(1, 10 - text.count)) + text
            }.joined()
    }
}

extension LoadReport {
    /// One object on one line, its keys in order.
    package func jsonText() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}
