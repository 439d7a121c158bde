// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// JSON as it comes, to hold documents to a schema.
enum AnyJSON: Decodable, Equatable {
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case array([AnyJSON])
    case object([String: AnyJSON])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([AnyJSON].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: AnyJSON].self))
        }
    }

    static func read(_ text: String) throws -> AnyJSON {
        try JSONDecoder().decode(AnyJSON.self, from: Data(text.utf8))
    }

    subscript(_ key: String) -> AnyJSON? {
        if case .object(let members) = self { members[key] } else { nil }
    }
}

/// The part of JSON Schema 2020-12 that our schemas use. A keyword that it does not know is a fault of the schema.
struct JSONSchema {
    private let root: AnyJSON

    init(_ text: String) throws { root = try AnyJSON.read(text) }

    /// One sentence per fault, with where it is.
    func faults(_ document: AnyJSON) -> [String] { faults(document, root, "$") }

    private func faults(_ value: AnyJSON, _ schema: AnyJSON, _ place: String) -> [String] {
        guard case .object(let keywords) = schema else { return ["\(place): the schema is no object"] }
        return keywords.sorted { $0.key < $1.key }.flatMap { keyword, rule in
            faults(value, keyword, rule, keywords, place)
        }
    }

    private func faults(
        _ value: AnyJSON, _ keyword: String, _ rule: AnyJSON, _ schema: [String: AnyJSON], _ place: String
    ) -> [String] {
        switch (keyword, rule, value) {
        case ("$schema", _, _), ("$id", _, _), ("$defs", _, _), ("title", _, _), ("description", _, _): return []
        case ("$ref", .string(let path), _):
            guard let target = path.split(separator: "/").dropFirst().reduce(root as AnyJSON?, { $0?[String($1)] })
            else {
                return ["\(place): no \(path)"]
            }
            return faults(value, target, place)
        case ("type", .string(let type), _): return isOf(type, value) ? [] : ["\(place) is no \(type)"]
        case ("const", _, _): return value == rule ? [] : ["\(place) is not the constant"]
        case ("enum", .array(let values), _): return values.contains(value) ? [] : ["\(place) is none of the words"]
        case ("pattern", .string(let pattern), .string(let text)):
            guard let regex = try? Regex(pattern) else { return ["\(place): a bad pattern"] }
            return text.contains(regex) ? [] : ["\(place) does not match \(pattern)"]
        case ("minLength", .integer(let least), .string(let text)):
            return text.count >= least ? [] : ["\(place) is short"]
        case ("minimum", .integer(let least), .integer(let number)):
            return number >= least ? [] : ["\(place) is too small"]
        case ("maximum", .integer(let most), .integer(let number)):
            return number <= most ? [] : ["\(place) is too large"]
        case ("minItems", .integer(let least), .array(let items)):
            return items.count >= least ? [] : ["\(place) is empty"]
        case ("items", _, .array(let items)):
            return items.enumerated().flatMap { faults($1, rule, "\(place)[\($0)]") }
        case ("required", .array(let names), .object(let members)):
            return names.compactMap { name in
                if case .string(let name) = name, members[name] == nil { "\(place).\(name) is missing" } else { nil }
            }
        case ("properties", .object(let properties), .object(let members)):
            return members.sorted { $0.key < $1.key }.flatMap { name, member in
                properties[name].map { faults(member, $0, "\(place).\(name)") } ?? []
            }
        case ("additionalProperties", _, .object(let members)):
            let known = schema["properties"].flatMap { properties in
                if case .object(let names) = properties { Set(names.keys) } else { nil }
            }
            let others = members.filter { !(known?.contains($0.key) ?? false) }
            if rule == .bool(false) { return others.keys.sorted().map { "\(place).\($0) is unknown" } }
            return others.flatMap { faults($1, rule, "\(place).\($0)") }
        case ("pattern", _, _), ("minLength", _, _), ("minimum", _, _), ("maximum", _, _), ("minItems", _, _),
            ("items", _, _), ("required", _, _), ("properties", _, _), ("additionalProperties", _, _):
            return []
        default: return ["\(place): the keyword \(keyword) is not known here"]
        }
    }

    private func isOf(_ type: String, _ value: AnyJSON) -> Bool {
        switch (type, value) {
        case ("object", .object), ("array", .array), ("string", .string), ("integer", .integer), ("boolean", .bool):
            true
        default: false
        }
    }
}
