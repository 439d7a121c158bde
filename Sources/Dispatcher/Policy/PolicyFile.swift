// SPDX-License-Identifier: Apache-2.0

package import Assignment
internal import Crypto
internal import FoundationEssentials
internal import Yams

/// A policy with the bytes that it was read from.
package struct PolicyFile: Sendable {
    /// A policy of every rule of the catalogue has some 300 lines; this is room for a hundred of them.
    package static let bytesMax = 1_048_576

    package let policy: Policy
    package let text: String
    /// SHA-256 of the file's bytes.
    package let digest: [UInt8]

    /// - Throws: ``PolicyFaults``, never empty.
    package init(text: String) throws(PolicyFaults) {
        guard text.utf8.count <= Self.bytesMax else {
            throw PolicyFaults(found: "\(text.utf8.count) bytes", expected: "at most \(Self.bytesMax)")
        }
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            throw PolicyFaults(yaml: error)
        }
        guard let root else { throw PolicyFaults(found: "nothing", expected: "a policy") }
        let reader = PolicyReader()
        guard let policy = reader.policy(root) else { throw PolicyFaults(list: reader.faults) }
        self.policy = policy
        self.text = text
        self.digest = Array(SHA256.hash(data: Array(text.utf8)))
    }

    /// Reads `path`.
    /// - Throws: ``CommandFailure``: usage where the file is missing or wrong; its text lists the first ten faults.
    package init(path: String) throws(CommandFailure) {
        let text = try Self.read(path)
        do {
            try self.init(text: text)
        } catch {
            let shown = error.list.prefix(10).map { "\n  \($0)" }.joined()
            let more = error.list.count > 10 ? "\n  and \(error.list.count - 10) more" : ""
            throw CommandFailure(
                .usage,
                "the policy file \(path) has faults, \(error.list.count) of them:\(shown)\(more)",
                remedy: "")
        }
    }

    static func read(_ path: String) throws(CommandFailure) -> String {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw CommandFailure(
                .usage, "the policy file \(path) cannot be read", remedy: "Name an existing one with --policy FILE")
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw CommandFailure(.usage, "the policy file \(path) is not UTF-8", remedy: "Save it as UTF-8")
        }
        return text
    }
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

    init(yaml error: any Error) {
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            list = [
                PolicyFault(line: mark.line, column: mark.column, field: "", found: problem, expected: "valid YAML")
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
