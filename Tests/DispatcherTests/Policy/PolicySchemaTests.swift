// SPDX-License-Identifier: Apache-2.0

import Dispatcher
import Foundation
import TestSupport
import Testing
import Yams

struct PolicySchemaTests {
    @Test func `the schema in the repository is the one that the reader's tables make`() throws {
        let path = Checkout.root + "/policies/policy.schema.json"
        let written = try String(contentsOf: URL(filePath: path), encoding: .utf8)

        #expect(written == PolicySchema.text, "write it with `dispatcherd policy schema`")
    }

    @Test(arguments: PolicyProbe.names) func `a shipped policy fits the schema and names it`(name: String) throws {
        let text = try ShippedPolicy.text(name)

        #expect(text.hasPrefix("# yaml-language-server: $schema=policy.schema.json\n"))
        #expect(try Schema().fits(text))
    }

    @Test(arguments: BrokenPolicyTests.names) func `schema and reader agree on shapes`(name: String) throws {
        let text = try BrokenPolicyTests.text("\(name).yaml")
        let isYAML = (try? Yams.compose(yaml: text)) ?? nil
        guard isYAML != nil else { return }

        #expect(try Schema().fits(text) == !name.hasPrefix("shape-"))
    }
}

/// As much of JSON Schema as the policies' schema uses.
private struct Schema {
    private let root: [String: Any]

    init() throws {
        let parsed = try JSONSerialization.jsonObject(with: Data(PolicySchema.text.utf8))
        self.root = try #require(parsed as? [String: Any])
    }

    func fits(_ yaml: String) throws -> Bool {
        let node = try #require(try Yams.compose(yaml: yaml))
        return try fits(node, root)
    }

    private func fits(_ node: Node, _ schema: [String: Any]) throws -> Bool {
        if let reference = schema["$ref"] as? String {
            let definitions = try #require(root["$defs"] as? [String: Any])
            let name = try #require(reference.split(separator: "/").last)
            let definition = try #require(definitions[String(name)] as? [String: Any])
            guard try fits(node, definition) else { return false }
        }
        if let options = schema["anyOf"] as? [[String: Any]], try !options.contains(where: { try fits(node, $0) }) {
            return false
        }
        if let types = schema["type"] as? [String] ?? (schema["type"] as? String).map({ [$0] }) {
            guard types.contains(type(node)) || type(node) == "integer" && types.contains("number") else {
                return false
            }
        }
        if let words = schema["enum"] as? [String], !words.contains(node.scalar?.string ?? "") { return false }
        if let word = schema["const"] as? String, node.scalar?.string != word { return false }
        switch node {
        case .scalar(let scalar): return try fits(scalar.string, schema)
        case .sequence(let members): return try fits(Array(members), schema)
        case .mapping(let members): return try fits(members, schema)
        case .alias: return false
        }
    }

    /// As YAML 1.2 has it, in which `yes` is a word.
    private func type(_ node: Node) -> String {
        switch node {
        case .mapping: return "object"
        case .sequence: return "array"
        case .alias: return "alias"
        case .scalar(let scalar):
            guard scalar.style == .plain || scalar.style == .any else { return "string" }
            if Int64(scalar.string) != nil { return "integer" }
            return Double(scalar.string) != nil ? "number" : "string"
        }
    }

    private func fits(_ text: String, _ schema: [String: Any]) throws -> Bool {
        if let pattern = schema["pattern"] as? String, try Regex(pattern).firstMatch(in: text) == nil { return false }
        if let minimum = schema["minimum"] as? Int, (Int(text) ?? .min) < minimum { return false }
        if let maximum = schema["maximum"] as? Int, (Int(text) ?? .max) > maximum { return false }
        return true
    }

    private func fits(_ members: [Node], _ schema: [String: Any]) throws -> Bool {
        if let least = schema["minItems"] as? Int, members.count < least { return false }
        if let most = schema["maxItems"] as? Int, members.count > most { return false }
        guard let items = schema["items"] as? [String: Any] else { return true }
        return try members.allSatisfy { try fits($0, items) }
    }

    private func fits(_ members: Node.Mapping, _ schema: [String: Any]) throws -> Bool {
        let names = members.keys.map { $0.scalar?.string ?? "" }
        if let least = schema["minProperties"] as? Int, names.count < least { return false }
        if let most = schema["maxProperties"] as? Int, names.count > most { return false }
        if let required = schema["required"] as? [String], !Set(required).isSubset(of: names) { return false }
        let known = schema["properties"] as? [String: [String: Any]] ?? [:]
        for (key, value) in members {
            if let own = known[key.scalar?.string ?? ""] {
                guard try fits(value, own) else { return false }
            } else if schema["additionalProperties"] as? Bool == false {
                return false
            }
        }
        return true
    }
}
