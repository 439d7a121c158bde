// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials

/// What a chaos run did, what it met, and what the judge says.
package struct ChaosReport: Sendable {
    struct Entry: Sendable {
        let fault: ChaosFault
        let at: Duration
        let effect: FaultDriver.Effect
        /// The longest time without an acknowledged request from its beginning to its recovery.
        var silence = Duration.zero
        var isRecovered = true
        /// Nodes that listened, and answered nothing for long after it, by their numbers.
        var silentNodes: [Int] = []

        /// Whether it had an effect; else it is not counted.
        var hasRun: Bool {
            if case .ran = effect { true } else { false }
        }

        var line: String {
            let head = "\(ChaosReport.seconds(at))  \(fault.rawValue)"
            switch effect {
            case .ran(let what):
                return "\(head): \(what); "
                    + (isRecovered ? "nothing answered for \(ChaosReport.seconds(silence))" : "NO ANSWER within 45 s")
            case .skipped(let why): return "\(head): skipped, \(why)"
            }
        }
    }

    private let settings: ChaosSettings
    private let entries: [Entry]
    private let counts: ChaosCounts
    private let stopped: Int
    private let starts: [Int]
    /// Nodes that answered nothing for long after everything was made whole, by their numbers.
    private let silentNodes: [Int]
    private let verdict: VerdictReport

    init(
        _ settings: ChaosSettings, entries: [Entry], counts: ChaosCounts, stopped: Int, starts: [Int],
        silentNodes: [Int] = [], verdict: VerdictReport
    ) {
        self.silentNodes = silentNodes
        self.settings = settings
        self.entries = entries
        self.counts = counts
        self.stopped = stopped
        self.starts = starts
        self.verdict = verdict
    }

    /// What a system clock that is off can show in a run whose time is virtual.
    static let systemClocks =
        "leases, terms and money go by the virtual clock, so a system clock that is off shows in beats, timeouts, sessions and logs alone; "
        + "outages are not credited under a virtual clock"

    /// How often each fault ran; one that was skipped is not there.
    package var ran: [ChaosFault: Int] {
        var ran: [ChaosFault: Int] = [:]
        for entry in entries where entry.hasRun { ran[entry.fault, default: 0] += 1 }
        return ran
    }

    /// Faults that never ran, with the reason.
    package var skipped: [(fault: ChaosFault, why: String)] {
        settings.faults.filter { ran[$0] == nil }.map { fault in
            let reasons = entries.compactMap { entry -> String? in
                guard entry.fault == fault, case .skipped(let why) = entry.effect else { return nil }
                return why
            }
            return (fault, reasons.last ?? "there was no time for it")
        }
    }

    package var acknowledged: Int { counts.acknowledged }
    /// Answers to `RESUME`.
    package var comparisons: Int { counts.comparisons }
    /// Accounts that were stopped while they were held.
    package var stoppedAccounts: Int { stopped }

    /// Why the run is no success, each in a line; the judge's findings are told by its own report.
    package var failures: [String] {
        var failures: [String] = []
        if !verdict.isClean { failures.append("\(VerdictReport.breaks(verdict.findings)) in the history") }
        if verdict.isEmpty { failures.append("there was nothing to judge: \(verdict.emptiness)") }
        let lost = entries.filter { !$0.isRecovered }
        if !lost.isEmpty {
            failures.append("no answer for 45 s after \(lost.map(\.fault.rawValue).joined(separator: ", "))")
        }
        for entry in entries {
            failures += entry.silentNodes.map {
                "node \($0) listened and answered nothing for \(Self.seconds(FaultDriver.nodePatience)) after \(entry.fault.rawValue)"
            }
        }
        failures += silentNodes.map {
            "node \($0) answered nothing for \(Self.seconds(FaultDriver.nodePatience)) after everything was made whole"
        }
        if counts.givenUp > 0 { failures.append("\(counts.givenUp) requests were never answered") }
        if counts.unequal > 0 { failures.append("\(counts.unequal) repetitions got another reply") }
        return failures
    }

    package var text: String {
        let grouped = Terminal.grouped
        var lines = ["Chaos with seed \(settings.seed), \(settings.nodes) nodes, \(settings.agencies) agencies:"]
        for fault in ChaosFault.allCases {
            guard let count = ran[fault] else { continue }
            let silence = entries.filter { $0.fault == fault }.map(\.silence).max() ?? .zero
            let longest = ", silence of \(Self.seconds(silence)) at most"
            let padding = String(repeating: " ", count: max(1, 18 - fault.rawValue.count))
            lines.append("  \(fault.rawValue)\(padding)\(count) x  \(fault.title)\(longest)")
        }
        if !skipped.isEmpty { lines.append("skipped, and not counted:") }
        lines += skipped.map { "  \($0.fault.rawValue): \($0.why)" }
        lines += [
            "\(grouped(counts.acknowledged)) requests acknowledged: \(grouped(counts.grants)) grants, "
                + "\(grouped(counts.reports)) reports, \(grouped(counts.returns)) returns, \(grouped(counts.extensions)) extensions; "
                + "\(grouped(counts.repetitions)) repetitions, \(counts.unequal) of them answered otherwise",
            "\(grouped(counts.connections)) connections made, \(grouped(counts.unanswered)) requests unanswered and sent again, "
                + "the longest answered after \(Self.seconds(counts.longest)); nodes started \(starts.map(String.init).joined(separator: " and ")) times; "
                + "\(stopped) accounts stopped while held",
            "\(grouped(counts.comparisons)) comparisons (RESUME) after lost connections: \(grouped(counts.toldLost)) accounts told as lost, "
                + "\(grouped(counts.toldHeld)) as held that were not believed to be",
        ]
        if ran[.serverClock] ?? 0 > 0 || ran[.nodeClock] ?? 0 > 0 { lines.append("note: \(Self.systemClocks)") }
        for (code, count) in counts.refused.sorted(by: { $0.key < $1.key }) {
            lines.append("  refused: \(code) \(grouped(count))")
        }
        lines.append(verdict.text)
        lines += failures.map { "FAILED: \($0)" }
        return lines.joined(separator: "\n")
    }

    /// Of a run that came to no report: the seed, where it is known, and the failure where a report has its own.
    package static func json(of failure: any Error, seed: UInt64?) -> String {
        struct Body: Encodable {
            let seed: UInt64?
            let failures: [String]
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let bytes = try? encoder.encode(Body(seed: seed, failures: ["\(failure)"]))
        return bytes.map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }

    package func jsonText() throws -> String {
        struct Body: Encodable {
            struct Fault: Encodable {
                let fault: String
                let at: Double
                let ran: Bool
                let what: String
                let silenceSeconds: Double
            }
            let seed: UInt64
            let nodes: Int
            let agencies: Int
            let faults: [Fault]
            let skipped: [String: String]
            let acknowledged: Int
            let unanswered: Int
            let connections: Int
            let comparisons: Int
            let longestSeconds: Double
            let refused: [String: Int]
            let failures: [String]
        }
        let faults = entries.map { entry in
            let (ran, what) =
                switch entry.effect {
                case .ran(let what): (true, what)
                case .skipped(let why): (false, why)
                }
            return Body.Fault(
                fault: entry.fault.rawValue, at: Self.number(entry.at), ran: ran, what: what,
                silenceSeconds: Self.number(entry.silence))
        }
        let body = Body(
            seed: settings.seed, nodes: settings.nodes, agencies: settings.agencies, faults: faults,
            skipped: Dictionary(uniqueKeysWithValues: skipped.map { ($0.fault.rawValue, $0.why) }),
            acknowledged: counts.acknowledged, unanswered: counts.unanswered, connections: counts.connections,
            comparisons: counts.comparisons, longestSeconds: Self.number(counts.longest), refused: counts.refused,
            failures: failures)
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let own = String(decoding: try encoder.encode(body), as: UTF8.self)
        return "\(own.dropLast()),\"verdict\":\(verdict.json)}"
    }

    private static func number(_ duration: Duration) -> Double {
        let (whole, attoseconds) = duration.components
        return Double(whole * 1_000 + attoseconds / 1_000_000_000_000_000) / 1_000
    }

    static func seconds(_ duration: Duration) -> String {
        let (whole, attoseconds) = duration.components
        let tenths = whole * 10 + attoseconds / 100_000_000_000_000_000
        return "\(tenths / 10).\(tenths % 10) s"
    }
}
