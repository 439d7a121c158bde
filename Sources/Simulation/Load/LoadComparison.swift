// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials

/// Two results of `load --json`, side by side.
package struct LoadComparison: Sendable {
    let before: LoadReport
    let after: LoadReport

    /// - Throws: ``SimulationFailure`` where a file is no such result.
    package init(_ before: String, _ after: String) throws(SimulationFailure) {
        self.before = try Self.read(before)
        self.after = try Self.read(after)
    }

    private static func read(_ path: String) throws(SimulationFailure) -> LoadReport {
        let text = try Folder.text(path)
        guard let report = try? JSONDecoder().decode(LoadReport.self, from: Data(text.utf8)) else {
            throw SimulationFailure(
                .usage, "\(path) is no result of a load", remedy: "Write one with 'agentsim load … --json >FILE'")
        }
        return report
    }

    /// What was measured under other conditions, which makes the figures incomparable.
    package var differences: [String] {
        var differences: [String] = []
        func note(_ name: String, _ left: String, _ right: String) {
            if left != right { differences.append("\(name): \(left) and \(right)") }
        }
        note("connections", "\(before.connections)", "\(after.connections)")
        note("lease sizes", before.leaseSizes, after.leaseSizes)
        note("reports of an account", before.reportsPerAccount, after.reportsPerAccount)
        note("contact data asked for, %", "\(before.contactPercent ?? 0)", "\(after.contactPercent ?? 0)")
        note("arrival", before.arrivalText, after.arrivalText)
        note("agencies", "\(before.agencies)", "\(after.agencies)")
        note("nodes", "\(before.nodes)", "\(after.nodes)")
        note("encrypted", "\(before.isEncrypted)", "\(after.isEncrypted)")
        note("reports with the next pull", "\(before.isPaired)", "\(after.isPaired)")
        note("threads of the load", "\(before.threads)", "\(after.threads)")
        for (name, report) in [("the first one", before), ("the second one", after)] {
            if let cut = report.cutText { differences.append("\(name) is partial: \(cut)") }
        }
        note("seconds", "\(Int(before.seconds.rounded()))", "\(Int(after.seconds.rounded()))")
        func warmUp(_ report: LoadReport) -> String { report.warmUpSeconds.map(LoadReport.tenths) ?? "not known" }
        note("seconds of warm-up", warmUp(before), warmUp(after))
        note("seed", "\(before.seed)", "\(after.seed)")
        note("connections that ran dry", "\(before.dryConnections ?? 0)", "\(after.dryConnections ?? 0)")
        return differences
    }

    package var lines: [String] {
        var lines = differences.map { "not the same load: \($0)" }
        lines.append("                            before       after       ratio")
        func row(_ name: String, _ left: Int64, _ right: Int64) {
            let ratio = left > 0 ? Self.hundredths((right * 100 + left / 2) / left) : "-"
            lines.append(
                name + String(repeating: " ", count: max(1, 22 - name.count)) + Self.padded(Terminal.grouped(Int(left)))
                    + Self.padded(Terminal.grouped(Int(right))) + Self.padded(ratio))
        }
        row("accounts a second", before.accountsPerSecond, after.accountsPerSecond)
        for (verb, left, right) in [("LEASE", before.lease, after.lease), ("REPORT", before.report, after.report)] {
            for (name, pick) in [
                ("p50", \LoadReport.Latency.p50), ("p90", \.p90), ("p99", \.p99), ("p99.9", \.p999), ("max", \.max),
            ] as [(String, KeyPath<LoadReport.Latency, UInt64> & Sendable)] {
                row("\(verb) \(name) µs", Int64(left[keyPath: pick]), Int64(right[keyPath: pick]))
            }
        }
        row("refusals", before.refusals.values.reduce(0, +), after.refusals.values.reduce(0, +))
        row("unanswered", before.waitingPulls + before.waitingReports, after.waitingPulls + after.waitingReports)
        row("connections lost", before.lostConnections.values.reduce(0, +), after.lostConnections.values.reduce(0, +))
        func used(_ who: String, _ percent: KeyPath<LoadReport, Int?>, _ bytes: KeyPath<LoadReport, Int64?>) {
            if let left = before[keyPath: percent], let right = after[keyPath: percent] {
                row("\(who) processor %", Int64(left), Int64(right))
            }
            if let left = before[keyPath: bytes], let right = after[keyPath: bytes] {
                row("\(who) memory MiB", Int64(LoadReport.mebibytes(left)), Int64(LoadReport.mebibytes(right)))
            }
        }
        used("daemon's", \.daemonProcessorPercent, \.daemonResidentBytes)
        used("PostgreSQL's", \.postgresProcessorPercent, \.postgresResidentBytes)
        row("machine busy %", Int64(before.machineBusyPercent), Int64(after.machineBusyPercent))
        return lines
    }

    private static func padded(_ text: String) -> String {
        String(repeating: " ", count: max(1, 12 - text.count)) + text
    }

    private static func hundredths(_ value: Int64) -> String {
        "\(value / 100).\(value % 100 < 10 ? "0" : "")\(value % 100)"
    }
}
