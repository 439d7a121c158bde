// SPDX-License-Identifier: Apache-2.0

import Assignment

extension AgentRequest {
    /// A request as a program writes it: a verb and fields, read by the same rules as a line of the wire.
    ///
    /// - Throws: ``AgentClientError/badRequest(_:)``.
    init(verb word: String, fields: [String: String]) throws(AgentClientError) {
        var line = Array(word.utf8)
        for (key, value) in fields.sorted(by: { $0.key < $1.key }) {
            line.append(.space)
            line.append(contentsOf: key.utf8)
            line.append(.equals)
            line.append(value: value)
        }
        do {
            self = try Self(line: line[...])
        } catch let refusal as Refusal where refusal.code == .unknownVerb {
            throw .badRequest("\(refusal.code.rawValue): \(TypedRequest.noVerb(word))")
        } catch let refusal as Refusal {
            let field = refusal.fields.first { $0.key.text == "field" }.map { " of \($0.value)" } ?? ""
            throw .badRequest("\(refusal.code.rawValue)\(field)")
        } catch {
            throw .badRequest("a field that no line can carry")
        }
    }

    /// A line without its tag.
    ///
    /// - Throws: ``Refusal`` or ``SyntaxError``.
    init(line: ArraySlice<UInt8>) throws {
        var scanner = FieldScanner(line)
        let word = try scanner.word()
        guard let verb = Verb(word) else { throw Refusal(.unknownVerb, Verb.hint(word)) }
        self = try AgentRequest(verb: verb, scanner: scanner, batchMax: .max)
    }

    /// What may be sent again without knowing whether it was done.
    enum Repetition {
        /// A key makes sure that it is done once.
        case keyed(KeyedPlace)
        /// It only asks, or sets what it would set again.
        case harmless
        /// Each time counts: a disclosure of contact data is a record.
        case never
    }

    var repetition: Repetition {
        switch self {
        case .lease(let request): .keyed(KeyedPlace(.lease, request.delegation, request.key))
        case .report(let request): .keyed(KeyedPlace(.report, request.delegation, request.key))
        case .extend(let request): .keyed(KeyedPlace(.extend, request.delegation, request.key))
        case .giveBack(let request): .keyed(KeyedPlace(.giveBack, request.delegation, request.key))
        case .object(let request): .keyed(KeyedPlace(.object, request.delegation, request.key))
        case .resume, .held, .status, .explain, .quiet, .ping: .harmless
        case .contact, .hello, .auth, .bye: .never
        }
    }

    var keyedPlace: KeyedPlace? {
        if case .keyed(let place) = repetition { place } else { nil }
    }

    /// Whether anything but an answer comes of it.
    var hasEffect: Bool {
        switch self {
        case .lease, .report, .extend, .giveBack, .object, .contact, .quiet: true
        case .hello, .auth, .resume, .held, .status, .explain, .ping, .bye: false
        }
    }
}

/// What a key belongs to, within one instance.
struct KeyedPlace: Hashable, Comparable {
    let verb: Verb
    let delegation: Delegation
    let key: Int64

    init(_ verb: Verb, _ delegation: Delegation, _ key: Int64) {
        self.verb = verb
        self.delegation = delegation
        self.key = key
    }

    static func < (left: KeyedPlace, right: KeyedPlace) -> Bool {
        (left.key, left.delegation, left.verb.rawValue) < (right.key, right.delegation, right.verb.rawValue)
    }
}
