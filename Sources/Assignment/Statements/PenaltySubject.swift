// SPDX-License-Identifier: Apache-2.0

/// What an objection or a waiver is about: a rule, and of one that has several lines in a place (PEN-01 by portfolio) which of them.
///
/// Written `PEN-03` and `PEN-01:telephone`. A rule alone, as those were named that are older than subjects, means all of its lines.
package struct PenaltySubject: Hashable, Sendable {
    package let rule: String
    /// The lines' subject; `nil`: whatever it is.
    package let subject: String?

    package init(_ text: String) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        rule = String(parts.first ?? "")
        subject = parts.count > 1 ? String(parts[1]) : nil
    }

    /// - Parameter subject: of a line; empty where the rule alone says it.
    package init(rule: String, subject: String) {
        self.rule = rule
        self.subject = subject.isEmpty ? nil : subject
    }

    init(_ line: StatementLine) { self.init(rule: line.rule, subject: line.subject) }

    package var text: String { subject.map { "\(rule):\($0)" } ?? rule }

    /// Whether what is said about this one is about `other` as well.
    package func covers(_ other: PenaltySubject) -> Bool {
        rule == other.rule && (subject == nil || subject == other.subject)
    }

    /// Whether both are about a line that is the same.
    package func meets(_ other: PenaltySubject) -> Bool { covers(other) || other.covers(self) }

    var spanish: String {
        subject.map { "\(rule) (\(Portfolio(name: $0)?.spanish ?? $0))" } ?? rule
    }

    var english: String { subject.map { "\(rule) (\($0))" } ?? rule }
}
