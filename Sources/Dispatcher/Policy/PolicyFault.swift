// SPDX-License-Identifier: Apache-2.0

/// One thing that is wrong in a policy file: where, what was found, and what would be right.
package struct PolicyFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// From 1 on; 0 where the file as a whole is meant.
    package let line: Int
    package let column: Int
    /// The way to it, as in `strategies[2].when.all[1]`.
    package let field: String
    package let found: String
    package let expected: String

    package var description: String {
        let place = line > 0 ? "line \(line), column \(column)" : "the file"
        return "\(place): \(field.isEmpty ? "" : field + ": ")found \(found); expected \(expected)"
    }
}
