// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// The JSON Schema of policy files, made from the tables that the reader walks by, so that editors complete and check what
/// the reader takes. It knows shapes and single values; what only the whole file tells (names that must exist, order) is
/// the checker's.
package enum PolicySchema {
    /// The schema as `policies/policy.schema.json` holds it.
    package static var text: String {
        let root = SchemaNode.object(
            [
                ("$schema", .string("https://json-schema.org/draft/2020-12/schema")),
                ("title", .string("A policy of Reparto")),
            ] + shape(.file).members + [
                (
                    "anyOf",
                    .array([
                        .object([("required", .array([.string("version"), .string("effective")]))]),
                        .object([("required", .array([.string("versions")]))]),
                    ])
                ),
                (
                    "$defs",
                    .object([
                        ("word", word), ("condition", condition), ("portfolio", portfolio),
                        ("number", test(.number)), ("money", test(.money)), ("percent", test(.percent)),
                        ("share", shareTest),
                        ("date", test(.date)), ("flag", test(.flag)),
                        (
                            "origins",
                            array(.object([("type", .string("string")), ("pattern", .string(origin))]), min: 1)
                        ),
                    ])
                ),
            ])
        return root.text + "\n"
    }

    private static let origin: String = {
        let families = PolicyPack.catalogue.map { family, ranges in
            let numbers = ranges.joined().map { $0 < 10 ? "0\($0)" : "\($0)" }
            return "\(family)-(\(numbers.joined(separator: "|")))"
        }
        return "^(\(families.joined(separator: "|"))|GAP-[a-z-]+)$"
    }()

    private static func shape(_ shape: PolicyShape) -> SchemaNode {
        .object([
            ("type", .string("object")),
            ("required", .array(shape.required.map { .string($0) })),
            (
                "properties",
                .object(
                    shape.keys.map { key in
                        (key.name, .object([("description", .string(key.meaning))] + value(key.value).members))
                    })
            ),
            ("additionalProperties", .bool(false)),
        ])
    }

    private static func value(_ value: PolicyShape.Value) -> SchemaNode {
        switch value {
        case .word: reference("word")
        case .text: line
        case .date: pattern("^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
        case .origins: reference("origins")
        case .condition: reference("condition")
        case .portfolio: reference("portfolio")
        case .range: comparisons(anyNumber, names: PolicyShape.comparisons(.number))
        case .integer(let range): integer(range)
        case .quantity(let unit, let range):
            pattern(
                "^((0|[1-9][0-9]*) \(unit)" + (range.contains(1) ? "|1 \(unit.dropLast())" : "") + ")$")
        case .oneOf(let words): .object([("enum", .array(words.map { .string($0) }))])
        case .byDelegation(let range):
            .object([
                ("type", .string("object")),
                ("properties", .object(Delegation.all.map { ($0.description, integer(range)) })),
                ("additionalProperties", .bool(false)),
            ])
        case .list(let member, let isFilled): array(self.value(member), min: isFilled ? 1 : nil)
        case .record(let shape): self.shape(shape)
        }
    }

    private static func reference(_ name: String) -> SchemaNode { .object([("$ref", .string("#/$defs/\(name)"))]) }

    private static func scalar(_ types: [String]) -> SchemaNode {
        .object([("type", .array(types.map { .string($0) }))])
    }

    private static func pattern(_ text: String) -> SchemaNode {
        .object([("type", .string("string")), ("pattern", .string(text))])
    }

    private static func integer(_ range: ClosedRange<Int64>) -> SchemaNode {
        .object([
            ("type", .string("integer")), ("minimum", .number(range.lowerBound)),
            ("maximum", .number(range.upperBound)),
        ])
    }

    private static func array(_ items: SchemaNode, min: Int64? = nil, max: Int64? = nil) -> SchemaNode {
        .object(
            [("type", .string("array")), ("items", items)] + (min.map { [("minItems", .number($0))] } ?? [])
                + (max.map { [("maxItems", .number($0))] } ?? []))
    }

    private static func anyOf(_ nodes: [SchemaNode]) -> SchemaNode { .object([("anyOf", .array(nodes))]) }

    private static let name = "^[a-z0-9.-]{1,40}$"
    /// Names that look like numbers are names too.
    private static let word = anyOf([pattern(name), scalar(["integer"])])
    private static let amount = pattern("^[0-9]+([.][0-9]{1,2})? pesos$")
    private static let percent = pattern("^0*(100([.]00?)?|[0-9]{1,2}([.][0-9]{1,2})?) ?%$")
    /// Of a part that can be more than the whole.
    private static let share = pattern("^0*(1000([.]00?)?|[0-9]{1,3}([.][0-9]{1,2})?) ?%$")
    /// What the reader takes of a number; what a field can have is the review's question.
    private static let number = integer(0...1_000_000_000)
    private static let anyNumber = anyOf([number, amount, share])
    /// On one line, without what moves a cursor.
    private static let line = SchemaNode.object([
        ("type", .array([.string("string"), .string("number")])),
        ("pattern", .string("^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029]*$")),
    ])
    private static let day = pattern("^([0-9]{4}-[0-9]{2}-[0-9]{2}|cut|(0|[1-9][0-9]*) days? (before|after) cut)$")

    private static let portfolio = anyOf([
        .object([("enum", .array(Portfolio.allCases.map { .string($0.name) }))]),
        array(
            .object([
                ("type", .string("object")), ("minProperties", .number(1)), ("maxProperties", .number(1)),
                ("properties", .object(Portfolio.allCases.map { ($0.name, reference("condition")) })),
                ("additionalProperties", .bool(false)),
            ]), min: 1),
    ])

    private static let condition: SchemaNode = {
        let nested = array(reference("condition"), min: 1)
        let names = anyOf([reference("word"), array(reference("word"), min: 1)])
        let connectives: [(String, SchemaNode)] = [
            ("all", nested), ("any", nested), ("not", reference("condition")), ("band", names), ("offered", names),
        ]
        return anyOf([
            .object([("const", .string("always"))]),
            .object([
                ("type", .string("object")), ("minProperties", .number(1)), ("maxProperties", .number(1)),
                ("properties", .object(connectives + AccountField.allCases.map { ($0.name, reference(to: $0)) })),
                ("additionalProperties", .bool(false)),
            ]),
        ])
    }()

    private static func reference(to field: AccountField) -> SchemaNode {
        switch field.kind {
        case .number: reference("number")
        case .money: reference("money")
        case .percent: reference(field.percentMax > 100 ? "share" : "percent")
        case .date: reference("date")
        case .flag: reference("flag")
        case .code: test(field.kind)
        }
    }

    /// What may be asked of a field: a value, a list of them, known or unknown, or a comparison.
    private static func test(_ kind: AccountField.Kind) -> SchemaNode {
        let value: SchemaNode =
            switch kind {
            case .number: anyOf([number, pattern("^[0-9]+$")])
            case .money: amount
            case .percent: percent
            case .date: day
            case .flag: .object([("enum", .array([.string("yes"), .string("no")]))])
            case .code(let words): .object([("enum", .array(words.map { .string($0) }))])
            }
        return test(value, kind)
    }

    private static let shareTest = test(share, .percent)

    private static func test(_ value: SchemaNode, _ kind: AccountField.Kind) -> SchemaNode {
        let known = SchemaNode.object([("enum", .array([.string("known"), .string("unknown")]))])
        let names = PolicyShape.comparisons(kind)
        return anyOf([value, array(value, min: 1), known] + (names.isEmpty ? [] : [comparisons(value, names: names)]))
    }

    private static func comparisons(_ value: SchemaNode, names: [String]) -> SchemaNode {
        .object([
            ("type", .string("object")), ("minProperties", .number(1)), ("maxProperties", .number(2)),
            (
                "properties",
                .object(names.map { ($0, $0 == "between" ? array(value, min: 2, max: 2) : value) })
            ),
            ("additionalProperties", .bool(false)),
        ])
    }
}

/// A JSON document whose members keep their order.
indirect enum SchemaNode: Sendable {
    case string(String)
    case number(Int64)
    case bool(Bool)
    case array([SchemaNode])
    case object([(String, SchemaNode)])

    var members: [(String, SchemaNode)] {
        if case .object(let members) = self { return members }
        return []
    }

    var text: String { text(indent: "") }

    /// Short lists and objects stay on one line.
    private func text(indent: String) -> String {
        let deeper = indent + "  "
        switch self {
        case .string(let value): return Self.quoted(value)
        case .number(let value): return String(value)
        case .bool(let value): return value ? "true" : "false"
        case .array(let items):
            return Self.wrapped("[", items.map { $0.text(indent: deeper) }, "]", indent: indent)
        case .object(let members):
            let parts = members.map { "\(Self.quoted($0)): \($1.text(indent: deeper))" }
            return Self.wrapped("{", parts, "}", indent: indent)
        }
    }

    private static func wrapped(_ open: String, _ parts: [String], _ close: String, indent: String) -> String {
        let line = open + parts.joined(separator: ", ") + close
        if line.utf8.count + indent.utf8.count <= 110, !line.contains("\n") { return line }
        return open + "\n" + parts.map { indent + "  " + $0 }.joined(separator: ",\n") + "\n" + indent + close
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for character in text {
            switch character {
            case "\"", "\\": result += "\\\(character)"
            default: result.append(character)
            }
        }
        return result + "\""
    }
}
