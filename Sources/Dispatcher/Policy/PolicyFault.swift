// SPDX-License-Identifier: Apache-2.0

internal import Yams

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

    /// What the parser says, without its own "found".
    private static func plain(_ problem: String) -> String {
        for beginning in ["found ", "but found "] where problem.hasPrefix(beginning) {
            return String(problem.dropFirst(beginning.count))
        }
        return problem
    }

    init(yaml error: any Error) {
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            list = [
                PolicyFault(
                    line: mark.line, column: mark.column, field: "", found: Self.plain(problem), expected: "valid YAML")
            ]
        case .duplicatedKeysInMapping(let names, let context):
            list = [
                PolicyFault(
                    line: context.mark.line, column: context.mark.column, field: "",
                    found: "\(names.map { "'\($0)'" }.joined(separator: ", ")) twice in one mapping",
                    expected: "each name once")
            ]
        case .reader(let problem, _, _, _):
            list = [PolicyFault(line: 0, column: 0, field: "", found: problem, expected: "UTF-8 text")]
        case .no, .memory, .writer, .emitter, .representer, .dataCouldNotBeDecoded, nil:
            list = [
                PolicyFault(
                    line: 0, column: 0, field: "", found: "a text that YAML does not allow", expected: "valid YAML")
            ]
        }
    }
}
