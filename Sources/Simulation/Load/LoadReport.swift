// SPDX-License-Identifier: Apache-2.0

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

    package let connections: Int
    package let agencies: Int
    package let leaseSizes: String
    package let reportsPerAccount: String
    package let isPaired: Bool
    /// `nil`: the closed loop.
    package let pullsPerSecond: Int?
    package let seed: UInt64
    /// Whether the connections are encrypted.
    package let isEncrypted: Bool
    package let nodes: Int
    package let seconds: Double
    /// What it was to last; `nil` in results of before.
    package let wantedSeconds: Double?
    /// `nil`: it lasted as long as it was to.
    package let cut: Cut?
    package let accounts: Int64
    package let accountsPerSecond: Int64
    package let reportsPerSecond: Int64
    package let lease: Latency
    package let report: Latency
    package let emptyPulls: Int64
    /// Pulls that were due in the measured time; those of them that were not answered when the load gave up waiting, and those for
    /// which nobody had accounts left. In the latencies the former count with the time that they waited.
    package let duePulls: Int64
    package let waitingPulls: Int64
    package let dryPulls: Int64
    package let waitingReports: Int64
    /// By verb and code.
    package let refusals: [String: Int64]
    package let lostConnections: [String: Int64]
    /// Of one processor, by the load itself, in percent.
    package let ownProcessorPercent: Int
    package let ownResidentBytes: Int64
    package let threads: Int
    /// Of one processor, by all nodes that are on this machine; `nil` where they are elsewhere.
    package let daemonProcessorPercent: Int?
    package let daemonResidentBytes: Int64?
    /// The same of PostgreSQL, all its processes together; `nil` where it is not on this machine, or not ours to look into.
    package let postgresProcessorPercent: Int?
    package let postgresResidentBytes: Int64?
    /// Of all processors, by everybody.
    package let machineBusyPercent: Int
    package let samples: [LoadSample]
    /// What could not be had, a line each.
    package let notes: [String]

    init(
        _ settings: LoadSettings, _ tally: LoadTally, elapsed: Duration, cut: Cut?, ownProcessorTime: ProcessTime,
        connections: Int, agencies: Int, watch: LoadWatch, notes: [String]
    ) {
        func micros(_ duration: Duration) -> Int64 {
            let (whole, attoseconds) = duration.components
            return whole * 1_000_000 + attoseconds / 1_000_000_000_000
        }
        let microseconds = micros(elapsed)
        self.cut = cut
        wantedSeconds = Double(micros(settings.duration)) / 1_000_000
        self.connections = connections
        self.agencies = Swift.min(agencies, connections)
        seed = settings.seed
        isEncrypted = settings.tls != nil
        nodes = settings.addresses.count
        leaseSizes = settings.leaseSizes.description
        reportsPerAccount = settings.reportsPerAccount.description
        isPaired = settings.isPaired
        pullsPerSecond = if case .open(let rate) = settings.arrival { rate } else { nil }
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
        emptyPulls = tally.emptyPulls
        duePulls = tally.due
        waitingPulls = tally.waiting
        dryPulls = tally.dry
        waitingReports = tally.reportsWaiting
        refusals = tally.refusals
        lostConnections = tally.lost
        ownProcessorPercent = Int(ownProcessorTime.microseconds * 100 / Swift.max(1, microseconds))
        ownResidentBytes = watch.ownResidentBytes
        threads = settings.threads
        samples = watch.samples
        func mean(_ shares: [Int]) -> Int? { shares.isEmpty ? nil : shares.reduce(0, +) / shares.count }
        daemonProcessorPercent = mean(samples.compactMap(\.daemonProcessorPercent))
        daemonResidentBytes = samples.compactMap(\.daemonResidentBytes).max()
        postgresProcessorPercent = mean(samples.compactMap(\.postgresProcessorPercent))
        postgresResidentBytes = samples.compactMap(\.postgresResidentBytes).max()
        machineBusyPercent = samples.isEmpty ? 0 : samples.map(\.machineBusyPercent).reduce(0, +) / samples.count
        self.notes = notes
    }

    package var arrivalText: String {
        pullsPerSecond.map { "\($0) pulls a second, evenly spread" } ?? "closed loop"
    }
    /// Whether everything that was due was answered in the end.
    package var isAnswered: Bool { waitingPulls == 0 && waitingReports == 0 && dryPulls == 0 }
    /// Whether the load had no more of its processors than it used.
    package var isBottleneck: Bool { ownProcessorPercent >= 90 * threads }

    /// Why the figures are not those of the whole time, as a sentence; `nil`: they are.
    package var cutText: String? {
        let spans = "after \(Self.tenths(seconds)) s of \(Self.tenths(wantedSeconds ?? seconds)) s"
        return switch cut {
        case nil: nil
        case .interrupted: "interrupted \(spans)"
        case .dry where accounts == 0 && lease.count == 0: "all pools ran dry in the warm-up"
        case .dry: "all pools ran dry \(spans)"
        }
    }

    /// With one decimal.
    static func tenths(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return tenths.isMultiple(of: 10) ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
    }

    package var lines: [String] {
        var lines = notes
        if let cutText { lines.append("partial: \(cutText); all figures are those until then") }
        lines += [
            "\(Terminal.grouped(connections)) connections of \(agencies) agencies x \(leaseSizes) accounts x \(reportsPerAccount) reports, "
                + arrivalText
                + (isPaired ? ", reports together with the next pull" : ", reports answered before the next pull"),
            "\(Terminal.grouped(Int(accounts))) accounts leased in \(Self.tenths(seconds)) s: "
                + "\(Terminal.grouped(Int(accountsPerSecond))) a second, and \(Terminal.grouped(Int(reportsPerSecond))) reports a second",
            "seed \(seed)"
                + (pullsPerSecond == nil
                    ? "; a connection that waits offers nothing, so these latencies are those of a full daemon: --rate measures waiting"
                    : "; \(Terminal.grouped(Int(duePulls))) pulls were due, \(Terminal.grouped(Int(duePulls - waitingPulls - dryPulls))) brought something"),
            "microseconds      p50       p90       p99     p99.9       max     count",
            Self.line("LEASE ", lease), Self.line("REPORT", report),
            "(counted: what was due or sent in that time, also where the answer came after it)",
        ]
        for (code, count) in refusals.sorted(by: { $0.key < $1.key }) {
            lines.append("refused: \(code) \(Terminal.grouped(Int(count)))")
        }
        for (reason, count) in lostConnections.sorted(by: { $0.key < $1.key }) {
            let isNotMade = reason.hasPrefix(Self.notMade)
            lines.append(
                "connections \(isNotMade ? "not made, \(reason.dropFirst(Self.notMade.count))" : "lost, \(reason)"): "
                    + Terminal.grouped(Int(count)))
        }
        if lostConnections.keys.contains(where: { $0.contains("CLONE") }) {
            lines.append(
                "warning: somebody else signs in by the same names of installations, most likely another load; give one of them "
                    + "names of its own with --instance")
        }
        if emptyPulls > 0 { lines.append("pulls that brought nothing: \(Terminal.grouped(Int(emptyPulls)))") }
        for (who, percent, bytes) in [
            ("the daemon", daemonProcessorPercent, daemonResidentBytes),
            ("PostgreSQL", postgresProcessorPercent, postgresResidentBytes),
        ] {
            guard let percent, let bytes else {
                if samples.isEmpty { continue }
                lines.append("what \(who) used is not known: it is not on this machine, or not ours to look into")
                continue
            }
            lines.append("\(who) used \(percent) % of one processor and \(Terminal.grouped(Int(bytes >> 20))) MiB")
        }
        lines.append(
            "the load itself used \(ownProcessorPercent) % of one processor and \(Terminal.grouped(Int(ownResidentBytes >> 20))) MiB; "
                + "the machine was busy by \(machineBusyPercent) %")
        if waitingPulls + waitingReports > 0 {
            lines.append(
                "warning: \(Terminal.grouped(Int(waitingPulls))) pulls and \(Terminal.grouped(Int(waitingReports))) reports were "
                    + "not answered in the end; they count above with the time that they had waited")
        }
        if dryPulls > 0 || cut == .dry {
            lines.append(
                "warning: nobody had accounts left\(dryPulls > 0 ? " for \(Terminal.grouped(Int(dryPulls))) pulls" : ""); load for a "
                    + "shorter time, or plan a larger portfolio")
        }
        if isBottleneck {
            lines.append(
                "warning: the load may be the bottleneck itself; give it --threads \(threads + 1), or another machine")
        } else if machineBusyPercent >= 95 {
            lines.append(
                "warning: no processor was idle; the load took \(ownProcessorPercent) % of one from what it measures")
        }
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
