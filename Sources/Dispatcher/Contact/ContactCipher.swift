// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import Crypto
internal import FoundationEssentials

/// Seals and opens contact data with AES-GCM under a key that lives in a file beside the program, never in the database. What was
/// sealed for one account opens for no other.
package struct ContactCipher: Sendable {
    private let key: SymmetricKey
    /// Which key it is, without telling anything about it.
    package let keyID: String

    package init(bytes: [UInt8]) {
        key = SymmetricKey(data: bytes)
        let digest = SHA256.hash(data: Array("reparto-contact-key-v1".utf8) + bytes)
        keyID = LedgerTree.hex(Array(digest.prefix(8)))
    }

    /// Reads 32 bytes in 64 hexadecimal digits from a file that nobody else may read.
    package init(file path: String) throws(CommandFailure) {
        guard let data = try? Data(contentsOf: URL(filePath: path)) else {
            throw CommandFailure(
                .environment, "the key file \(path) cannot be read",
                remedy: "Name it with contact.key-file, or make one with `dispatcherd contacts new-key`.")
        }
        let text = String(decoding: data, as: UTF8.self).filter { !$0.isWhitespace }
        var bytes: [UInt8] = []
        var rest = Substring(text)
        while rest.count >= 2, let byte = UInt8(rest.prefix(2), radix: 16) {
            bytes.append(byte)
            rest = rest.dropFirst(2)
        }
        guard bytes.count == 32, rest.isEmpty else {
            throw CommandFailure(
                .environment, "\(path) is no key file", remedy: "It has 64 hexadecimal digits and nothing else.")
        }
        let mode = (try? FileManager.default.attributesOfItem(atPath: path))?[.posixPermissions] as? Int ?? 0
        guard mode & 0o077 == 0 else {
            throw CommandFailure(
                .environment, "others may read the key file \(path)", remedy: "Run 'chmod 600 \(path)'.")
        }
        self.init(bytes: bytes)
    }

    /// A new random key as the text of its file.
    package static func newKeyText() -> String {
        SymmetricKey(size: .bits256).withUnsafeBytes { LedgerTree.hex(Array($0)) } + "\n"
    }

    func seal(_ plain: [UInt8], delegation: Delegation, account: AccountID) throws -> [UInt8] {
        let box = try AES.GCM.seal(plain, using: key, authenticating: Self.name(delegation, account))
        // A nonce of the usual length always combines.
        return box.combined.map { Array($0) } ?? []
    }

    /// `nil` where it was sealed for another account or with another key.
    func open(_ sealed: [UInt8], delegation: Delegation, account: AccountID) -> [UInt8]? {
        guard let box = try? AES.GCM.SealedBox(combined: sealed) else { return nil }
        return (try? AES.GCM.open(box, using: key, authenticating: Self.name(delegation, account))).map { Array($0) }
    }

    private static func name(_ delegation: Delegation, _ account: AccountID) -> [UInt8] {
        Array("\(delegation):\(account)".utf8)
    }
}
