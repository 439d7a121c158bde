// SPDX-License-Identifier: Apache-2.0

import Assignment

/// A request as a person types it: a verb and fields, without a tag, and without a key where the next one will do.
package struct TypedRequest: Equatable, Sendable {
    package let request: AgentRequest
    /// The line as it is sent, without its tag.
    package let text: String

    /// - Parameter key: for a verb that needs one and was typed without.
    /// - Throws: ``Refusal``, as a server would say it.
    package init(_ line: String, key: Int64) throws(Refusal) {
        var bytes = Array(line.utf8)
        var scanner = FieldScanner(bytes[...])
        let verb = try Self.verb(&scanner)
        let words = line.split(separator: " ")
        if verb.keys.required.contains(.key), !words.contains(where: { $0.hasPrefix("key=") }) {
            bytes.append(field: "key", key)
            scanner = FieldScanner(bytes[...])
            _ = try Self.verb(&scanner)
        }
        request = try AgentRequest(verb: verb, scanner: scanner, batchMax: .max)
        text = String(decoding: bytes, as: UTF8.self)
    }

    private static func verb(_ scanner: inout FieldScanner) throws(Refusal) -> Verb {
        let word: ArraySlice<UInt8>
        do throws(SyntaxError) {
            word = try scanner.word()
        } catch {
            throw Refusal(.syntax, [ReplyField("at", error.rawValue)])
        }
        guard let verb = Verb(word) else { throw Refusal(.unknownVerb, Verb.hint(word)) }
        return verb
    }

    /// What may follow what was typed so far: whole words to put in the place of the last one.
    package static func completions(of line: String) -> [String] {
        let words = line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        guard words.count > 1, let first = words.first, let last = words.last else {
            return (Verb.allCases.map(\.name) + ["help", "quit"]).filter { $0.hasPrefix(line) }
        }
        guard let verb = Verb.allCases.first(where: { $0.name == first }) else { return [] }
        if let equals = last.firstIndex(of: "=") {
            let key = last[..<equals]
            let begun = last[last.index(after: equals)...]
            return values(String(key), verb).filter { $0.hasPrefix(begun) }.map { "\(key)=\($0)" }
        }
        let typed = Set(words.dropFirst().compactMap { $0.split(separator: "=").first.map(String.init) })
        let keys = (verb.keys.required + verb.keys.optional).map(\.name)
        return keys.filter { $0.hasPrefix(last) && !typed.contains($0) || $0 == last }.map { "\($0)=" }
    }

    private static func values(_ key: String, _ verb: Verb) -> [String] {
        switch (key, verb) {
        case ("strategy", _): Strategy.allCases.map(\.name)
        case ("portfolio", _): Portfolio.allCases.map(\.name)
        case ("channel", _): OutcomeChannel.allCases.map(\.rawValue)
        case ("contact", _): OutcomeContact.allCases.map(\.rawValue)
        case ("result", _): OutcomeResult.allCases.map(\.rawValue)
        case ("reason", .giveBack): ReturnReason.allCases.map(\.rawValue)
        case ("reason", .object): ObjectionReason.allCases.map(\.rawValue)
        case ("state", _): ["on", "off"]
        case ("delegation", _): Delegation.all.map(\.description)
        default: []
        }
    }
}
