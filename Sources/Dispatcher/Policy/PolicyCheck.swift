// SPDX-License-Identifier: Apache-2.0

internal import Assignment
package import PgStore

/// A policy file looked at by itself, and where a database is at hand, against the months that are closed.
package struct PolicyCheck: Encodable, Sendable {
    package struct Fault: Encodable, Sendable {
        package let line: Int
        package let column: Int
        package let field: String
        package let found: String
        package let expected: String
    }

    package let file: String
    package let faults: [Fault]
    package private(set) var warnings: [PolicyWarning]
    /// Whether the closed months were asked for rules that they have been placed by, in words.
    package private(set) var closedMonths = "not asked"
    private let policy: PolicyFile?
    private let faultLines: [String]

    /// - Throws: ``CommandFailure`` (usage) where the file cannot be read at all.
    package init(path: String) throws(CommandFailure) { self.init(bytes: try PolicyFile.bytes(path), file: path) }

    /// - Parameter file: what the file is called in the lines.
    package init(text: String, file: String) { self.init(bytes: Array(text.utf8), file: file) }

    package init(bytes: [UInt8], file: String) {
        self.file = file
        do throws(PolicyFaults) {
            let policy = try PolicyFile(text: try PolicyFile.text(bytes))
            // Before the rules are compared with each other, which takes a time that grows with the square of their number.
            for version in policy.versions {
                do {
                    _ = try ColumnSegmenter(version, cut: version.effectiveOn)
                } catch {
                    throw PolicyFaults(found: "\(error) in version \(version.version)", expected: "fewer rules")
                }
            }
            self.policy = policy
            self.faults = []
            self.faultLines = []
            self.warnings = PolicyReview.warnings(policy.read)
        } catch {
            self.policy = nil
            self.warnings = []
            self.faults = error.list.map {
                Fault(line: $0.line, column: $0.column, field: $0.field, found: $0.found, expected: $0.expected)
            }
            self.faultLines = error.list.map { "\(file): \($0)" } + ["faults: \(error.list.count)"]
        }
    }

    /// Adds a warning for each version that reaches into closed months which other rules placed.
    package mutating func compareWithClosed(_ link: PgLink) throws {
        guard let policy else { return }
        var told: Set<String> = []
        let months = try PolicyHistoryStore(link).closed()
        closedMonths = months.isEmpty ? "none" : "\(months.count) compared"
        for closed in months {
            let day = closed.period.firstDay
            guard let now = policy.read.last(where: { $0.policy.effectiveOn <= day }),
                let then = try? PolicyFile(text: closed.body).policy(on: day), then != now.policy,
                told.insert(now.policy.version).inserted
            else { continue }
            let place = now.places["version"]
            warnings.append(
                PolicyWarning(
                    line: place?.line ?? 0, column: place?.column ?? 0, rule: "version \(now.policy.version)",
                    found:
                        "it is in force from \(now.policy.effectiveOn), but \(closed.period) is closed and was placed by "
                        + (then.name != now.policy.name
                            ? "\(then.name) \(then.version)"
                            : then.version == now.policy.version
                                ? "other rules under the same name" : "version \(then.version)"),
                    advice: "its placements stay; let the new rules begin after the last closed month"))
        }
    }

    /// Notes that the closed months were not asked.
    /// - Parameter reason: why, as in `there is no database here`.
    package mutating func leaveClosed(because reason: String) { closedMonths = "not asked: \(reason)" }

    /// For people, one line each.
    package var lines: [String] {
        guard let policy else { return faultLines }
        var lines = policy.versions.map { version in
            "\(file): \(version.name) \(version.version), in force from \(version.effectiveOn)"
        }
        let newest = policy.policy
        if !newest.relief.isEmpty {
            lines.append("\(newest.relief.count) solutions: \(newest.relief.map(\.name).listed(20))")
        }
        lines += [
            "\(newest.exclusions.count) exclusions: \(newest.exclusions.map(\.reason).listed(20))",
            "\(newest.strategies.count) strategies: " + newest.strategies.map(\.strategy.name).joined(separator: ", ")
                + (newest.invitation == nil ? "" : "; mediation by invitation"),
        ]
        lines += warnings.map { "\(file): \($0)" }
        lines.append("closed months: \(closedMonths)")
        lines.append(warnings.isEmpty ? "no faults" : "no faults; warnings: \(warnings.count)")
        return lines
    }

    private enum CodingKeys: String, CodingKey { case file, faults, warnings, closedMonths }
}
