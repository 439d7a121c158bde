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
            // In whichever letters: a verb that is typed small is meant all the same.
            return verbs.map(\.name).filter { $0.hasPrefix(line.uppercased()) }
                + ["help", "quit"].filter { $0.hasPrefix(line) && !line.isEmpty }
        }
        if first == "help" {
            return words.count == 2 ? verbs.map(\.name).filter { $0.hasPrefix(last.uppercased()) } : []
        }
        guard let verb = verbs.first(where: { $0.name == first }) else { return [] }
        if let equals = last.firstIndex(of: "=") {
            let key = last[..<equals]
            let begun = last[last.index(after: equals)...]
            return values(String(key), verb).filter { $0.hasPrefix(begun) }.map { "\(key)=\($0)" }
        }
        let typed = Set(words.dropFirst().compactMap { $0.split(separator: "=").first.map(String.init) })
        let keys = (verb.keys.required + verb.keys.optional).map(\.name)
        return keys.filter { $0.hasPrefix(last) && !typed.contains($0) || $0 == last }.map { "\($0)=" }
    }

    /// What can be asked once a session is signed in.
    package static let verbs = Verb.allCases.filter { $0 != .hello && $0 != .auth }

    /// What is said of a word that is none of the verbs, whichever way it came.
    package static func noVerb(_ word: String) -> String {
        // What cannot be seen is not shown, and what goes on and on is not shown whole.
        let shown = word.unicodeScalars.filter { $0.value > 0x20 && $0.value != 0x7F }.prefix(40)
        return
            "there is no verb \(String(String.UnicodeScalarView(shown))); there are \(verbs.map(\.name).joined(separator: " "))"
    }

    /// The verb with its keys, those that it may have in brackets, and below them the words that a key takes.
    ///
    /// - Returns: `nil` where there is no such verb.
    package static func help(_ word: String) -> [String]? {
        guard let verb = verbs.first(where: { $0.name == word.uppercased() }) else { return nil }
        let needed = verb.keys.required.map { $0 == .key ? "[key]" : $0.name }
        let optional = verb.keys.optional.map { "[\($0.name)]" }
        let words = (verb.keys.required + verb.keys.optional).compactMap { key -> String? in
            let words = key == .delegation ? [] : values(key.name, verb)
            return words.isEmpty ? nil : "  \(key.name)= \(words.joined(separator: " "))"
        }
        return [([verb.name] + needed + optional).joined(separator: " ")] + words
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
