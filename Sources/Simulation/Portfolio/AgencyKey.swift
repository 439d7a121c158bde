// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import FoundationEssentials

/// The Ed25519 key of a simulated agency, drawn from the seed so that a portfolio can be made again; for tests and
/// demonstrations only, never for a real agency.
package struct AgencyKey: Sendable {
    package static let name = "simulated"
    /// 32 bytes.
    package let secret: [UInt8]
    /// 32 bytes.
    package let publicKey: [UInt8]

    init(seed: UInt64, agency: Int) throws(SimulationFailure) {
        try self.init(secret: Array(SHA256.hash(data: Array("agentsim key \(seed) \(agency)".utf8))))
    }

    /// Reads the file that ``write(to:)`` made, or an Ed25519 key in PEM (PKCS #8) without a passphrase, as docs/protocol.md tells
    /// agencies to make it.
    package init(path: String) throws(SimulationFailure) {
        guard let bytes = Self.secret(try Folder.text(path)) else {
            throw SimulationFailure(
                .usage, "\(path) is not a key",
                remedy:
                    "It is one line of Base64 of 32 bytes, as agentsim portfolio makes it, or PEM without a passphrase, as "
                    + "'openssl genpkey -algorithm ed25519' does")
        }
        try self.init(secret: bytes)
    }

    /// - Throws: ``SimulationFailure`` (usage) where the folder of the keys is none; what is looked for in it or beside it is told by that.
    package static func require(folder: String) throws(SimulationFailure) {
        guard !Folder.isFolder(folder) else { return }
        throw SimulationFailure(
            .usage, Folder.exists(folder) ? "\(folder) is no folder" : "there is no folder \(folder)",
            remedy: "Name with --keys the folder of the agencies' private keys, such as agentsim portfolio makes")
    }

    private static func secret(_ text: String) -> [UInt8]? {
        // RFC 8410: all that stands before the 32 bytes is the same for every Ed25519 key.
        let header: [UInt8] = [0x30, 0x2E, 2, 1, 0, 0x30, 5, 6, 3, 0x2B, 0x65, 0x70, 4, 0x22, 4, 0x20]
        let lines = text.split(whereSeparator: \.isNewline).map { String($0.filter { !$0.isWhitespace }) }
        let isPEM = lines.first == "-----BEGINPRIVATEKEY-----" && lines.last == "-----ENDPRIVATEKEY-----"
        let packed = isPEM ? lines.dropFirst().dropLast().joined() : lines.joined()
        guard let bytes = Data(base64Encoded: packed).map(Array.init) else { return nil }
        guard isPEM else { return bytes.count == 32 ? bytes : nil }
        return bytes.count == 48 && bytes.starts(with: header) ? Array(bytes.dropFirst(16)) : nil
    }

    private init(secret: [UInt8]) throws(SimulationFailure) {
        guard let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: secret) else {
            throw SimulationFailure(.environment, "Ed25519 is not available", remedy: "Build with swift-crypto")
        }
        self.secret = secret
        self.publicKey = Array(key.publicKey.rawRepresentation)
    }

    /// The private key in base64 on one line, readable by its owner alone.
    func write(to path: String) throws(SimulationFailure) {
        let file = try FileOutput(path: path, mode: 0o600)
        try file.write((Data(secret).base64EncodedString() + "\n").utf8)
    }

    var publicText: String { Data(publicKey).base64EncodedString() }
}
