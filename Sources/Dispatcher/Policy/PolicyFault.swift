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

/// A place in a policy file, from line 1 and column 1 on.
package struct PolicyPlace: Hashable, Sendable {
    package let line: Int
    package let column: Int
}

/// Every fault of a policy file, in the order of the file.
package struct PolicyFaults: Error, Sendable {
    package let list: [PolicyFault]

    init(list: [PolicyFault]) {
        self.list = list.sorted { ($0.line, $0.column) < ($1.line, $1.column) }
    }

    init(found: String, expected: String) {
        self.list = [PolicyFault(line: 0, column: 0, field: "", found: found, expected: expected)]
    }
}
