// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import FoundationEssentials
package import PgStore

/// Keys of agencies as the command line has them: words in, lines out.
package enum AgencyKeyCommands {
    package static func key(
        agency: String, name: String, base64: String, expires: String?
    ) throws(CommandFailure) -> AgencyKey {
        var day: LocalDate?
        if let expires {
            guard let date = LocalDate(text: expires) else {
                throw CommandFailure(.usage, "\(expires) is no day", remedy: "Write a day as 2024-12-31.")
            }
            day = date
        }
        return try AgencyKeyring.key(agency: known(agency), name: name, base64: base64, expiresOn: day)
    }

    /// - Parameter by: who does it, for the ledger.
    package static func add(_ key: AgencyKey, by: String, _ link: DatabaseLink) throws {
        tell(try told { try AgencyKeyring(link, by: try Words.person(by)).add(key) })
    }

    /// - Throws: ``CommandFailure`` where there is no such file, before a database is looked for.
    package static func requireFile(_ path: String) throws(CommandFailure) { _ = try InputFile(path) }

    package static func add(file: String, by: String, _ link: DatabaseLink) throws {
        tell(try told { try AgencyKeyring(link, by: try Words.person(by)).add(file: file) })
    }

    package static func revoke(agency: String, name: String, by: String, _ link: DatabaseLink) throws {
        let agency = try known(agency)
        let instant = try told { try AgencyKeyring(link, by: try Words.person(by)).revoke(agency, name: name) }
        Console.done("\(agency) \(name): revoked at \(instant)")
    }

    package static func rotate(
        agency: String, old: String, name: String, base64: String, keepDays: Int32, by: String, _ link: DatabaseLink
    ) throws {
        guard (0...365).contains(keepDays) else {
            throw CommandFailure(.usage, "--keep-days is \(keepDays)", remedy: "It is 0 to 365.")
        }
        let key = try key(agency: agency, name: name, base64: base64, expires: nil)
        let end = try told {
            try AgencyKeyring(link, by: try Words.person(by)).rotate(key, replacing: old, afterDays: keepDays)
        }
        Console.done("\(key.agency) \(name): added; \(old) is taken until \(end)")
    }

    /// One line per key, or a JSON array of them.
    package static func list(agency: String?, asJSON: Bool, _ link: DatabaseLink) throws -> String {
        let known = try agency.map(known)
        let keys = try told { try AgencyKeyStore(link).list(known) }
        if asJSON {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(keys.map(ListedKey.init)), as: UTF8.self)
        }
        guard !keys.isEmpty else { return "no keys" }
        return keys.map { key in
            let state =
                key.revokedAt.map { "revoked at \($0)" } ?? key.expiresAt.map { "expires at \($0)" }
                ?? "does not expire"
            return "\(key.agency)  \(key.name)  \(Base64.text(key.publicKey))  \(state)"
        }.joined(separator: "\n")
    }

    private struct ListedKey: Encodable {
        let agency, name, publicKey: String
        let addedAt, expiresAt, revokedAt: String?

        init(_ key: AgencyKey) {
            agency = key.agency.description
            name = key.name
            publicKey = Base64.text(key.publicKey)
            addedAt = key.addedAt?.description
            expiresAt = key.expiresAt?.description
            revokedAt = key.revokedAt?.description
        }
    }

    private static func known(_ text: String) throws(CommandFailure) -> AgencyID {
        guard let agency = AgencyID(text: text) else {
            throw CommandFailure(.usage, "\(text) is no agency", remedy: "Agencies are written as ACE07.")
        }
        return agency
    }

    private static func told<Value>(_ body: () throws -> Value) throws -> Value {
        do { return try body() } catch let error as PgError {
            throw CommandFailure(error, work: "the keys", left: "no key was changed")
        }
    }

    private static func tell(_ additions: AgencyKeyring.Additions) {
        Console.done(
            "keys added: \(additions.added)"
                + (additions.unchanged > 0 ? ", already there: \(additions.unchanged)" : ""))
    }
}
