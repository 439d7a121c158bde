// SPDX-License-Identifier: Apache-2.0

/// The verdict for people and for programs.
package struct VerdictReport: Sendable {
    package let verdict: Verdict
    /// What clients were told was done, and what they were refused.
    let operations: Int
    let refusals: Int
    let delegations: Int
    let period: String
    /// How many findings are told in full.
    private static let shownMax = 10

    package init(_ verdict: Verdict, operations: [ClientOperation], delegations: Int, period: String) {
        self.verdict = verdict
        self.operations = operations.count { $0.isAcknowledged }
        refusals = operations.count { if case .refused = $0.reply { true } else { false } }
        self.delegations = delegations
        self.period = period
    }

    /// Where most of what the logs acknowledge is not in the database, it is hardly lost: the database is another one. For people, with what
    /// they can do; `nil`: it is not so.
    package var mismatch: String? {
        let lost = verdict.findings.count { $0.invariant == .nothingLost }
        guard operations > 0, 2 * lost > operations else { return nil }
        return "This looks like another database than that of the logs: \(Terminal.grouped(lost)) of "
            + "\(Terminal.counted(operations, "acknowledged operation")) are not in it. Name that of the played month with --data-dir or "
            + "--database, or its logs with --log; if it is this one, it has lost them."
    }

    package var text: String {
        var lines = [mismatch].compactMap(\.self)
        lines += [
            "History up to \(period): \(Terminal.grouped(operations)) acknowledged operations, \(Terminal.grouped(refusals)) \(refusals == 1 ? "refusal" : "refusals"), "
                + "\(delegations) \(delegations == 1 ? "delegation" : "delegations")."
        ]
        for invariant in Invariant.allCases {
            let checks = verdict.checked[invariant] ?? 0
            let count = Terminal.grouped(checks)
            let broken = verdict.findings.filter { $0.invariant == invariant }.count
            let padding = String(repeating: " ", count: max(1, 92 - invariant.title.count - count.count))
            lines.append(
                "  \(broken > 0 ? "BROKEN" : checks > 0 ? "holds " : "no case") \(invariant.title)"
                    + "\(broken == 0 && checks == 0 ? String(padding.dropLast()) : padding)"
                    + "\(count) \(checks == 1 ? "check" : "checks")" + (broken == 0 ? "" : ", \(Self.breaks(broken))"))
        }
        lines += notes.map { "  note: \($0)" }
        for finding in verdict.findings.prefix(Self.shownMax) {
            lines.append("break of \(finding.invariant.rawValue) in delegation \(finding.delegation): \(finding.found)")
            lines += finding.events.enumerated().map { "  \($0.offset + 1). \($0.element)" }
        }
        if verdict.findings.count > Self.shownMax {
            lines.append("and \(verdict.findings.count - Self.shownMax) more; --json lists all")
        }
        lines.append(
            isEmpty
                ? "There was nothing to judge: \(emptiness)."
                : verdict.findings.isEmpty ? "Nothing is broken." : "\(Self.breaks(verdict.findings.count)).")
        return lines.joined(separator: "\n")
    }

    /// How many there are, for people.
    package static func breaks(_ count: Int) -> String {
        "\(Terminal.grouped(count)) \(count == 1 ? "break" : "breaks")"
    }

    /// Whether it says nothing: nobody was told anything, and no lease was looked at.
    package var isEmpty: Bool { operations == 0 && verdict.checked[.oneHolder] ?? 0 == 0 && verdict.findings.isEmpty }

    /// Why, in words.
    package var emptiness: String { "the logs acknowledge nothing, and the database has no lease" }

    private var notes: [String] {
        guard verdict.unlogged > 0 else { return verdict.notes }
        return verdict.notes + [
            "\(Terminal.grouped(verdict.unlogged)) grants, outcomes, extensions, returns, refusals and contact data stand in no log: their answers were lost with a client, or a log was cut"
        ]
    }

    package var json: String {
        let invariants = Invariant.allCases.map { invariant in
            let broken = verdict.findings.filter { $0.invariant == invariant }.count
            return
                "{\"invariant\":\"\(invariant.rawValue)\",\"checks\":\(verdict.checked[invariant] ?? 0),\"breaks\":\(broken)}"
        }
        let findings = verdict.findings.map { finding in
            "{\"invariant\":\"\(finding.invariant.rawValue)\",\"delegation\":\(finding.delegation),"
                + "\"found\":\(Self.quoted(finding.found)),\"events\":[\(finding.events.map(Self.quoted).joined(separator: ","))]}"
        }
        return
            "{\"period\":\"\(period)\",\"operations\":\(operations),\"refusals\":\(refusals),\"nothingToJudge\":\(isEmpty),\"otherDatabase\":\(mismatch != nil),\"delegations\":\(delegations),"
            + "\"invariants\":[\(invariants.joined(separator: ","))],\"notes\":[\(notes.map(Self.quoted).joined(separator: ","))],"
            + "\"findings\":[\(findings.joined(separator: ","))]}"
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\u{0}"..."\u{1F}":
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
