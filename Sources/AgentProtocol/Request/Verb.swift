// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// What a client can ask for.
package enum Verb: UInt8, Sendable, CaseIterable {
    case hello, auth, lease, contact, report, extend, giveBack, object, resume, held, status, explain, quiet, ping, bye

    package var name: String { Self.names[Int(rawValue)] }

    init?(_ bytes: ArraySlice<UInt8>) {
        guard let meaning = Self.table[bytes] else { return nil }
        self = meaning
    }

    /// The verb that was meant, where it is as good as said: in small letters, or a letter away.
    static func hint(_ word: ArraySlice<UInt8>) -> [ReplyField] {
        // What is longer than any verb by more is none of them; nothing is spent on it.
        guard word.count <= 9, word.allSatisfy(\.isLetter),
            let name = nearestName(to: String(decoding: word, as: UTF8.self).uppercased(), among: names)
        else { return [] }
        return [ReplyField("expected", name)]
    }

    private static let names = allCases.map { $0 == .giveBack ? "RETURN" : String(describing: $0).uppercased() }
    private static let table = WordTable(allCases, word: \.name)

    /// The keys that it knows, as bits.
    var knownKeys: UInt64 { Self.knownKeys[Int(rawValue)] }
    private static let knownKeys = allCases.map { verb in
        (verb.keys.required + verb.keys.optional).reduce(UInt64(0)) { $0 | $1.bit }
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
        case .object: ([.key, .delegation, .account, .epoch, .reason], [])
        case .contact: ([.delegation, .account, .epoch], [])
        case .resume: ([], [.count, .digest, .leases, .through, .after, .since])
        case .held: ([], [.delegation, .max, .after])
        case .status: ([], [.delegation, .strategy])
        case .explain: ([.delegation], [.account, .strategy])
        case .quiet: ([.delegation, .strategy, .state], [])
        case .ping, .bye: ([], [])
        }
    }
}

/// The keys of all verbs. The number is the key's place in a set of keys.
package enum RequestKey: UInt8, Sendable, CaseIterable {
    case account, after, agency, amount, at, branch, channel, client, contact, contract, count, delegation, digest
    case epoch, evidence, grant, instance, key, leases, max, method, motive, nonce, portfolio, position, promised, proof
    case reason, result, sequence, since, solution, state, strategy, tactic, through, until, version

    package var name: String { Self.names[Int(rawValue)] }

    /// Its place in a set of keys.
    var bit: UInt64 { 1 << UInt64(rawValue) }

    init?(_ bytes: ArraySlice<UInt8>) {
        guard let meaning = Self.table[bytes] else { return nil }
        self = meaning
    }

    private static let names = allCases.map { String(describing: $0) }
    private static let table = WordTable(allCases, word: \.name)
}
