// SPDX-License-Identifier: Apache-2.0

package import Assignment
internal import FoundationEssentials
internal import PgStore

/// What `dispatcherd ledger` does beside verifying: lines for people, or JSON.
package enum LedgerCommands {
    /// Of a receipt's beginning: as many as are shown.
    private static let receiptDigitsMin = 16

    package static func prove(_ text: String, delegation: Int16?, _ link: DatabaseLink) throws -> String {
        // As `statement explain` shows it, too: `66464b36350f4c82…`.
        let digits = text.lowercased().filter { $0 != "…" }
        guard (Self.receiptDigitsMin...64).contains(digits.count), digits.allSatisfy("0123456789abcdef".contains) else {
            throw CommandFailure(
                .usage, "'\(text.prefix(80))' is no receipt",
                remedy:
                    "A receipt is 64 hexadecimal digits, as the agency has it; its first \(Self.receiptDigitsMin) or more do, as "
                    + "`statement explain` shows them, where no other begins so.")
        }
        return try RootSigning(link).prove(beginning: digits, delegation: delegation.map(Words.delegation)).text
    }

    /// - Parameter path: `-` is standard output.
    package static func write(_ text: String, to path: String) throws {
        try OutputFile.writing(path) { try $0.write(String(text.dropLast())) }
    }

    /// - Parameter statement: the file of a statement that the proof has to be of.
    /// - Throws: ``CommandFailure`` (findings) where the proof does not hold, or not by the key that was named, or is not of the statement.
    package static func check(
        _ path: String, key: String?, statement: String? = nil, asJSON: Bool
    ) throws -> [String] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw CommandFailure(.usage, "\(path) cannot be read", remedy: "Name a file that `ledger prove` wrote.")
        }
        let trusted = try key.map { text throws(CommandFailure) in
            guard let bytes = Base64.bytes(text), bytes.count == 32 else {
                throw CommandFailure(
                    .usage, "--key is no public key", remedy: "It is 32 bytes in Base64, as `ledger key list` shows.")
            }
            return bytes
        }
        let finding: LedgerProof.Finding
        do throws(LedgerProof.Broken) {
            finding = try LedgerProof(text: Array(data)).check(trusted: trusted)
        } catch {
            throw CommandFailure(
                .findings, "the proof does not hold: \(error)", remedy: "Ask for it again, and compare who changed it."
            )
        }
        guard finding.isTrusted != false else {
            throw CommandFailure(
                .findings,
                "it is signed by key \(finding.key), and nothing leads from the key that you trust to that one",
                remedy: "Ask the institution which keys are its own.")
        }
        if let statement { try requireStatement(statement, finding.record) }
        if asJSON {
            let json = CanonicalJSON.object([
                "record": .string(finding.record), "period": .string(finding.period),
                "delegation": .string(finding.delegation), "signed": .string(finding.signedAt),
                "key": .string(finding.key), "trusted": .string(finding.isTrusted == nil ? "unknown" : "yes"),
            ])
            return [String(json.text.dropLast())]
        }
        let trust =
            finding.isTrusted == nil ? "; compare it with the one that the institution publishes" : ", which you trust"
        return [
            "the proof holds: \(finding.record)",
            "in the ledger of \(finding.period), delegation \(finding.delegation), signed \(finding.signedAt) by key "
                + finding.key + trust,
        ] + (statement.map { ["\($0) is the statement that was signed, to the byte"] } ?? [])
    }

    /// A statement's record has the digest of the whole file.
    private static func requireStatement(_ path: String, _ record: String) throws {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw CommandFailure(.usage, "\(path) cannot be read", remedy: "Name a statement's JSON file.")
        }
        guard let fields = LedgerFields(record), fields.kind == "statement", let signed = fields["digest"] else {
            throw CommandFailure(
                .usage, "the proof is not of a statement",
                remedy: "Prove the receipt that `dispatcherd statement explain` shows behind the statement.")
        }
        let digest = LedgerTree.hex(LedgerTree.hash(Array(data), []))
        guard digest == signed else {
            throw CommandFailure(
                .findings,
                "\(path) is not the statement that was signed: its SHA-256 is \(digest), and \(signed) was signed",
                remedy: "`dispatcherd statement export` writes the one that is kept.")
        }
    }

    /// Says by which key a closed period is signed; signs it where it is not, and needs the key only then.
    package static func sign(_ period: Period, _ settings: Settings, _ link: DatabaseLink) throws -> String {
        if let root = try ProofStore(link).root(of: period) { return signed(root) }
        guard let path = settings.ledgerKeyFile else {
            throw CommandFailure(
                .usage, "there is no key to sign with",
                remedy: "Name its file with --key-file or ledger.key-file; `dispatcherd ledger key new FILE` makes one."
            )
        }
        return signed(try RootSigning(link).sign(period, with: SigningKey(file: path)))
    }

    /// Before anything is closed: a key that is named and cannot sign stops the close while the month is still open.
    package static func requireUsableKey(_ period: Period, _ settings: Settings, _ link: DatabaseLink) throws {
        guard let path = settings.ledgerKeyFile, try ProofStore(link).root(of: period) == nil else { return }
        try RootSigning(link).requireInUse(SigningKey(file: path))
    }

    /// The same after a close, where a missing key is no reason to fail: the month is closed all the same.
    package static func signIfPossible(
        _ period: Period, _ settings: Settings, _ link: DatabaseLink
    ) throws -> String {
        if settings.ledgerKeyFile == nil, try ProofStore(link).root(of: period) == nil {
            return "note: the root of \(period) is not signed; set ledger.key-file and run `dispatcherd ledger sign`"
        }
        return try sign(period, settings, link)
    }

    private static func signed(_ root: PeriodRootRow) -> String {
        "\(root.period) is signed by key \(root.key): root \(LedgerTree.hex(root.root))"
    }

    package static func newKey(
        _ path: String, former: String?, isLost: Bool, _ link: DatabaseLink
    ) throws -> [String] {
        let row = try RootSigning(link).makeKey(at: path, former: former, isLost: isLost)
        return [
            "key \(row.id) signs from now on; its private half is in \(path): set ledger.key-file to it",
            "public key, for whoever checks proofs: \(Base64.text(row.publicKey))",
        ]
    }

    package static func keys(_ link: DatabaseLink, asJSON: Bool) throws -> [String] {
        let keys = try ProofStore(link).keys()
        if asJSON {
            let json = CanonicalJSON.array(
                keys.map { key in
                    .object([
                        "key": .string(key.id), "public": .string(Base64.text(key.publicKey)),
                        "number": .number(Int64(key.number)),
                        "endorsed": .string(key.number == 1 ? "first" : key.endorsement == nil ? "no" : "yes"),
                    ])
                })
            return [String(json.text.dropLast())]
        }
        guard !keys.isEmpty else { return ["there is no key yet; `dispatcherd ledger key new FILE` makes one"] }
        var table = TextTable(columns: [.left, .left, .left])
        table.row(["key", "public", "endorsed"])
        for key in keys {
            table.row([
                key.id, Base64.text(key.publicKey), key.number == 1 ? "first" : key.endorsement == nil ? "no" : "yes",
            ])
        }
        return table.lines
    }
}
