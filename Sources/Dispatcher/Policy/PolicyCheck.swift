// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// A policy file looked at by itself.
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
    private let summary: [String]

    /// - Throws: ``CommandFailure`` (usage) where the file cannot be read at all.
    package init(path: String) throws(CommandFailure) {
        let text = try PolicyFile.read(path)
        self.file = path
        do throws(PolicyFaults) {
            let policy = try PolicyFile(text: text).policy
            self.faults = []
            self.summary = [
                "\(path): \(policy.name) \(policy.version), in force from \(policy.effectiveOn)",
                "\(policy.exclusions.count) exclusions: \(policy.exclusions.map(\.reason).joined(separator: ", "))",
                "\(policy.strategies.count) strategies: "
                    + policy.strategies.map(\.strategy.name).joined(separator: ", ")
                    + (policy.invitation == nil ? "" : "; mediation by invitation"),
                "no faults",
            ]
        } catch {
            self.faults = error.list.map {
                Fault(line: $0.line, column: $0.column, field: $0.field, found: $0.found, expected: $0.expected)
            }
            self.summary = error.list.map { "\(path): \($0)" } + ["faults: \(error.list.count)"]
        }
    }

    package var lines: [String] { summary }

    private enum CodingKeys: String, CodingKey { case file, faults }
}
