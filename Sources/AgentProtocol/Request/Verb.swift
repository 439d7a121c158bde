// SPDX-License-Identifier: Apache-2.0

/// What a client can ask for. Verbs that version 1 names and this server does not serve yet are known, so that they are
/// refused as such and not as a typing mistake.
package enum Verb: UInt8, Sendable, CaseIterable {
    case hello, auth, lease, report, extend, giveBack, resume, ping, bye
    case contact, object, held, status, explain, quiet

    package var name: String { Self.names[Int(rawValue)] }

    init?(_ bytes: ArraySlice<UInt8>) {
        guard let word = PackedWord(bytes), let place = Self.words.firstIndex(of: word) else { return nil }
        self = Self.allCases[place]
    }

    private static let names = allCases.map { $0 == .giveBack ? "RETURN" : String(describing: $0).uppercased() }
    private static let words = PackedWord.table(names)

    /// The keys that it knows, as bits.
    var knownKeys: UInt64 { Self.knownKeys[Int(rawValue)] }
    private static let knownKeys = allCases.map { verb in
        (verb.keys.required + verb.keys.optional).reduce(UInt64(0)) { $0 | $1.bit }
    }

    package var isServed: Bool {
        switch self {
        case .hello, .auth, .lease, .report, .extend, .giveBack, .resume, .ping, .bye: true
        case .contact, .object, .held, .status, .explain, .quiet: false
        }
    }

    /// The keys that it must have, then those that it may have.
    package var keys: (required: [RequestKey], optional: [RequestKey]) {
        switch self {
        case .hello: ([.version, .agency, .instance, .sequence, .nonce], [.client])
        case .auth: ([.method, .proof], [])
        case .lease: ([.key, .delegation, .strategy, .max], [.contract, .portfolio, .tactic])
        case .report:
            (
                [.key, .delegation, .account, .epoch, .at, .channel, .contact, .result],
                [.amount, .promised, .branch, .motive, .position, .solution, .evidence]
            )
        case .extend: ([.key, .delegation, .grant, .until], [])
        case .giveBack: ([.key, .delegation, .account, .epoch, .reason], [])
        case .resume: ([.count, .digest], [.after])
        case .ping, .bye, .contact, .object, .held, .status, .explain, .quiet: ([], [])
        }
    }
}

/// The keys of all verbs. The number is the key's place in a set of keys.
package enum RequestKey: UInt8, Sendable, CaseIterable {
    case account, after, agency, amount, at, branch, channel, client, contact, contract, count, delegation, digest
    case epoch, evidence, grant, instance, key, max, method, motive, nonce, portfolio, position, promised, proof
    case reason, result, sequence, solution, strategy, tactic, until, version

    package var name: String { Self.names[Int(rawValue)] }

    /// Its place in a set of keys.
    var bit: UInt64 { 1 << UInt64(rawValue) }

    init?(_ bytes: ArraySlice<UInt8>) {
        guard let word = PackedWord(bytes), let place = Self.words.firstIndex(of: word) else { return nil }
        self = Self.allCases[place]
    }

    private static let names = allCases.map { String(describing: $0) }
    private static let words = PackedWord.table(names)
}
