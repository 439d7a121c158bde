// SPDX-License-Identifier: Apache-2.0

extension LoadReport {
    package var arrivalText: String {
        pullsPerSecond.map {
            "\($0) pulls a second, " + (spread == .poisson ? "at drawn times (Poisson)" : "evenly spread")
        } ?? "closed loop"
    }
    /// Whether everything that was due was answered in the end.
    package var isAnswered: Bool { waitingPulls == 0 && waitingReports == 0 && dryPulls == 0 }
    /// Whether no report that was due was refused for good.
    package var isTaken: Bool { (refusedReports ?? 0) == 0 }
    /// Whether the load had no more of its processors than it used: a thread without connections has nothing to do.
    package var isBottleneck: Bool { ownProcessorPercent >= 90 * max(1, min(threads, connections)) }

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

    /// What the load was made by and against, and when; empty for results of before.
    package var circumstances: String {
        guard let version, let addresses, let startedAt else { return "" }
        return "agentsim \(version) against \(addresses.joined(separator: ", ")), from \(startedAt)"
    }

    package var lines: [String] {
        var lines = notes
        if let cutText { lines.append("partial: \(cutText); all figures are those until then") }
        if !circumstances.isEmpty { lines.append(circumstances) }
        lines += [
            "\(Terminal.counted(connections, "connection")) of \(Terminal.counted(agencies, "agency", "agencies")) x "
                + "\(leaseSizes) \(leaseSizes == "1" ? "account" : "accounts") x "
                + "\(reportsPerAccount) \(reportsPerAccount == "1" ? "report" : "reports"), " + arrivalText
                + (isPaired ? ", reports together with the next pull" : ", reports answered before the next pull"),
            "\(Terminal.counted(Int(accounts), "account")) leased in \(Self.tenths(seconds)) s: "
                + "\(Terminal.grouped(Int(accountsPerSecond))) a second, and \(Terminal.counted(Int(reportsPerSecond), "report")) a second",
            "seed \(seed)"
                + (pullsPerSecond == nil
                    ? "; a connection that waits offers nothing, so these latencies are those of a full daemon: --rate measures waiting"
                    : "; \(Terminal.grouped(Int(duePulls))) pulls were due, \(Terminal.grouped(Int(duePulls - waitingPulls - dryPulls))) brought something"),
            "microseconds      p50       p90       p99     p99.9       max     count",
            Self.line("LEASE ", lease), Self.line("REPORT", report),
        ]
        if let contact, let contactPercent {
            lines.append(Self.line("CONTACT", contact) + "   (of \(contactPercent) accounts in a hundred)")
        }
        lines += [
            pullsPerSecond == nil
                ? "(counted: what was due or sent in that time, also where the answer came after it)"
                : "(counted: what was due in that time, from then on: a pull by the rate, a report once its pull was answered)"
        ]
        for (code, count) in refusals.sorted(by: { $0.key < $1.key }) {
            lines.append("refused: \(code) \(Terminal.grouped(Int(count)))")
        }
        for (reason, count) in lostConnections.sorted(by: { $0.key < $1.key }) {
            let isNotMade = reason.hasPrefix(Self.notMade)
            lines.append(
                "connections \(isNotMade ? "not made, \(reason.dropFirst(Self.notMade.count))" : "lost, \(reason)"): "
                    + Terminal.grouped(Int(count)) + lostWhere(reason))
        }
        if let drainSeconds, drainSeconds >= 1 {
            lines.append("what was due was waited for \(Self.tenths(drainSeconds)) s after the end")
        }
        if emptyPulls > 0 { lines.append("pulls that brought nothing: \(Terminal.grouped(Int(emptyPulls)))") }
        for (who, percent, bytes) in [
            ("the daemon", daemonProcessorPercent, daemonResidentBytes),
            ("PostgreSQL", postgresProcessorPercent, postgresResidentBytes),
        ] {
            guard let percent, let bytes else { continue }
            lines.append(Self.used(who, percent, bytes))
            if who == "the daemon", let daemons, daemons.count > 1 {
                lines += daemons.map { Self.used("  of it \($0.name)", $0.processorPercent, $0.residentBytes) }
            }
        }
        lines.append(
            Self.used("the load itself", ownProcessorPercent, ownResidentBytes)
                + "; the machine was busy by \(machineBusyPercent) %")
        return lines + (warnings ?? found).map { "warning: \($0)" }
    }

    /// What makes the figures other than they look.
    var found: [String] {
        var warnings: [String] = []
        if lostConnections.keys.contains(where: { $0.contains(Self.clone) }) {
            warnings.append(
                "somebody else signs in by the same names of installations, most likely another load; give one of them "
                    + "names of its own with --instance")
        }
        if waitingPulls + waitingReports > 0 {
            warnings.append(
                "\(Terminal.counted(Int(waitingPulls), "pull")) and \(Terminal.counted(Int(waitingReports), "report"))"
                    + "\(contact == nil ? "" : ", questions for contact data included,") were "
                    + "not answered in the end; they count above with the time that they had waited" + unsentText)
        }
        for (address, count) in (contactsUnserved ?? [:]).sorted(by: { $0.key < $1.key }) {
            warnings.append(
                "\(address) has no key to contact data (contact.key-file): it answered UNSUPPORTED to "
                    + "\(Terminal.counted(Int(count), "question")), and was not asked again")
        }
        if let refusedReports, refusedReports > 0 {
            warnings.append(
                "\(Terminal.counted(Int(refusedReports), "report")) \(refusedReports == 1 ? "was" : "were") refused for good and "
                    + "\(refusedReports == 1 ? "is" : "are") in no latency"
                    + (report.count == 0 ? "; none was taken, so there is no latency of reports" : "")
                    + ": see by which codes, and load a month in which nothing is taken back")
        }
        if let dryText { warnings.append(dryText) }
        if dryPulls > 0 || cut == .dry {
            warnings.append(
                "nobody had accounts left\(dryPulls > 0 ? " for \(Terminal.grouped(Int(dryPulls))) pulls" : ""); load for a "
                    + "shorter time, or plan a larger portfolio")
        }
        if isBottleneck {
            warnings.append(
                "the load may be the bottleneck itself; give it --threads \(threads + 1), or another machine")
        } else if machineBusyPercent >= 95 {
            warnings.append(
                "no processor was idle, so these are the figures of a machine that was full: of one processor the load took "
                    + "\(ownProcessorPercent) %\(daemonProcessorPercent.map { ", the daemon \($0) %" } ?? "")"
                    + "\(postgresProcessorPercent.map { ", PostgreSQL \($0) %" } ?? ""), and others the rest")
        }
        return warnings
    }

    /// Of several nodes, how often it was which.
    private func lostWhere(_ reason: String) -> String {
        guard nodes > 1, let lostByAddress else { return "" }
        let places = lostByAddress.compactMap { address, reasons in reasons[reason].map { (address, $0) } }
        return " ("
            + places.sorted { $0.0 < $1.0 }.map { "\($0.0): \(Terminal.grouped(Int($0.1)))" }.joined(separator: ", ")
            + ")"
    }

    private var unsentText: String {
        guard let unsentPulls, unsentPulls > 0 else { return "" }
        return
            "; \(Terminal.grouped(Int(unsentPulls))) of the pulls had not left, because their connections waited for the ones before: "
            + "they arrive faster than they are served"
    }

    /// Agencies that ran dry one by one leave fewer and fewer connections at work: such latencies are of a load that fades.
    private var dryText: String? {
        guard let dryConnections, dryConnections > 0, let firstDrySeconds, let lastDrySeconds else { return nil }
        func when(_ seconds: Double) -> String {
            seconds == 0 ? "before the measurement" : "after \(Self.tenths(seconds)) s"
        }
        let names = dryAgencies ?? []
        let shown = names.prefix(8).joined(separator: ", ") + (names.count > 8 ? " and \(names.count - 8) more" : "")
        let (first, last) = (when(firstDrySeconds), when(lastDrySeconds))
        let spans =
            dryConnections == 1
            ? first : first == last ? "all of them \(first)" : "the first one \(first), the last one \(last)"
        return
            "\(Terminal.grouped(dryConnections)) of \(Terminal.grouped(connections)) connections had nothing left to lease "
            + "(\(shown)), \(spans): from then on fewer connections loaded the daemon, and "
            + (pullsPerSecond == nil
                ? "accounts a second and latencies are those of that smaller load"
                : "those that were left had all pulls, so the latencies have their waiting")
    }

    private static func used(_ who: String, _ percent: Int, _ bytes: Int64) -> String {
        "\(who) used \(percent) % of one processor and \(Terminal.grouped(mebibytes(bytes))) MiB"
    }

    /// To the nearest.
    static func mebibytes(_ bytes: Int64) -> Int { Int((bytes + (1 << 19)) >> 20) }

    private static func line(_ name: String, _ latency: Latency) -> String {
        let columns = [latency.p50, latency.p90, latency.p99, latency.p999, latency.max, UInt64(latency.count)]
        return name + String(repeating: " ", count: Swift.max(1, 10 - name.count))
            + columns.map { value in
                let text = Terminal.grouped(Int(value))
                return String(repeating: " ", count: Swift.max(1, 10 - text.count)) + text
            }.joined()
    }
}

extension LoadNode {
    /// For people: where it listens, and its process.
    fileprivate var name: String {
        addresses.isEmpty ? "process \(process)" : "\(addresses.joined(separator: ", ")) (process \(process))"
    }
}
