// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// A line taken apart: its verb and the places of its fields, with unknown and doubled keys already refused.
///
/// The values are read by the request that needs them, straight from the bytes of the line.
struct RequestLine {
    let verb: Verb
    private let line: ArraySlice<UInt8>
    private var fields: [(key: RequestKey, field: RawField)] = []

    /// Reads what follows the verb.
    init(verb: Verb, scanner: FieldScanner) throws(Refusal) {
        self.verb = verb
        self.line = scanner.line
        var scanner = scanner
        let known = verb.knownKeys
        var seen: UInt64 = 0
        fields.reserveCapacity(known.nonzeroBitCount)
        while let field = try Self.next(&scanner) {
            guard let key = RequestKey(line[field.key]), known & key.bit != 0 else {
                throw Self.unknown(String(decoding: line[field.key], as: UTF8.self), of: verb)
            }
            guard seen & key.bit == 0 else {
                throw Refusal(.syntax, [ReplyField("field", key.name), ReplyField("expected", "each key once")])
            }
            seen |= key.bit
            fields.append((key, field))
        }
    }

    /// A request again, from what was kept of it (``KeyedRequest/content``); `nil` for one of another verb.
    init?(kept content: String, key: Int64, verb: Verb) {
        var scanner = FieldScanner(Array("\(content) key=\(key)".utf8)[...])
        guard let word = try? scanner.word(), Verb(word) == verb,
            let line = try? RequestLine(verb: verb, scanner: scanner)
        else { return nil }
        self = line
    }

    func has(_ key: RequestKey) -> Bool { place(of: key) != nil }

    /// A value that has to be there.
    func required<Value: WireValue>(_ key: RequestKey) throws(Refusal) -> Value {
        guard let value: Value = try optional(key) else {
            throw Refusal(.missingKey, [ReplyField("field", key.name)])
        }
        return value
    }

    /// A value that may be left out; `nil` where it was.
    func optional<Value: WireValue>(_ key: RequestKey) throws(Refusal) -> Value? {
        guard let field = place(of: key) else { return nil }
        guard let value = Value(wire: line.unescaped(field)) else {
            throw .badValue(key, expected: Value.expected)
        }
        return value
    }

    private func place(of key: RequestKey) -> RawField? {
        for (known, field) in fields where known == key { return field }
        return nil
    }

    private static func next(_ scanner: inout FieldScanner) throws(Refusal) -> RawField? {
        do {
            return try scanner.field()
        } catch {
            throw .syntax(error, field: scanner.openKey.map { String(decoding: scanner.line[$0], as: UTF8.self) })
        }
    }

    /// With the key that was meant, where one is nearly the same.
    private static func unknown(_ name: String, of verb: Verb) -> Refusal {
        let known = (verb.keys.required + verb.keys.optional).map(\.name)
        let hint = nearestName(to: name, among: known).map { [ReplyField("expected", $0)] } ?? []
        return Refusal(.unknownKey, [ReplyField("field", name)] + hint)
    }
}

extension Refusal {
    /// The line leaves the grammar.
    ///
    /// - Parameter field: the key whose value it is.
    static func syntax(_ error: SyntaxError, field: String? = nil) -> Refusal {
        Refusal(
            .syntax,
            [ReplyField("at", error.rawValue)] + (field.map { [ReplyField("field", $0)] } ?? [])
                + [ReplyField("expected", error.expected)])
    }

    /// One of several keys has to be there.
    static func missing(_ key: RequestKey, expected: String) -> Refusal {
        Refusal(.missingKey, [ReplyField("field", key.name), ReplyField("expected", expected)])
    }

    static func badValue(_ key: RequestKey, expected: String) -> Refusal {
        Refusal(.badValue, [ReplyField("field", key.name), ReplyField("expected", expected)])
    }
}
