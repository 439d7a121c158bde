// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
internal import Assignment
internal import Crypto
internal import FoundationEssentials
internal import Glibc
internal import PgStore

/// The private key that roots of periods are signed with (Ed25519), from a file beside the program, never from the database.
package struct SigningKey: Sendable {
    private let key: Curve25519.Signing.PrivateKey

    package init() { key = Curve25519.Signing.PrivateKey() }

    /// Reads 32 bytes in 64 hexadecimal digits from a file that nobody else may read.
    package init(file path: String) throws(CommandFailure) {
        let remedy = "Name it with ledger.key-file, or make one with `dispatcherd ledger key new`."
        guard let data = try? Data(contentsOf: URL(filePath: path)) else {
            throw CommandFailure(.environment, "the signing key \(path) cannot be read", remedy: remedy)
        }
        let text = String(decoding: data.filter { $0 > 0x20 }, as: UTF8.self)
        guard let bytes = LedgerTree.bytes(hex: text), bytes.count == 32,
            let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: bytes)
        else { throw CommandFailure(.environment, "\(path) is no signing key", remedy: remedy) }
        let mode = (try? FileManager.default.attributesOfItem(atPath: path))?[.posixPermissions] as? Int ?? 0
        guard mode & 0o077 == 0 else {
            throw CommandFailure(
                .environment, "others may read the signing key \(path)", remedy: "Run 'chmod 600 \(path)'.")
        }
        self.key = key
    }

    /// Writes it where no file is yet, for its owner alone.
    package func write(to path: String) throws(CommandFailure) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        guard descriptor >= 0 else {
            let reason = String(cString: strerror(errno))
            throw CommandFailure(
                errno == EEXIST ? .usage : .environment, "cannot make \(path): \(reason)",
                remedy: "Name a file that is not there yet, in a folder that can be written to.")
        }
        let text = Array((LedgerTree.hex(Array(key.rawRepresentation)) + "\n").utf8)
        let written = text.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        guard fsync(descriptor) == 0, close(descriptor) == 0, written == text.count else {
            throw CommandFailure(.environment, "cannot write \(path)", remedy: "Check that the disk is not full.")
        }
    }

    package var publicKey: [UInt8] { Array(key.publicKey.rawRepresentation) }
    package var id: String { SigningKeyRow.id(of: publicKey) }

    func sign(_ message: String) throws -> [UInt8] { Array(try key.signature(for: Array(message.utf8))) }
}

extension SigningKeyRow {
    /// The first 16 hexadecimal digits of the SHA-256 of the 32 bytes.
    package static func id(of publicKey: [UInt8]) -> String {
        LedgerTree.hex(Array(SHA256.hash(data: publicKey).prefix(8)))
    }

    package static let label = "reparto-ledger-key-1"

    /// What the key before it signs: who follows it.
    static func message(publicKey: [UInt8], previous: String?, at now: Timestamp) -> String {
        "\(label)\nkey=\(id(of: publicKey))\npublic=\(Base64.text(publicKey))\nprevious=\(previous ?? "none")\n"
            + "added=\(now)\n"
    }
}

package enum LedgerSignature {
    /// Whether the holder of `publicKey` (32 bytes, Ed25519) signed the text. `false` for a key that is none.
    package static func isValid(_ signature: [UInt8], of message: String, by publicKey: [UInt8]) -> Bool {
        guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: publicKey) else { return false }
        return key.isValidSignature(signature, for: Array(message.utf8))
    }
}
