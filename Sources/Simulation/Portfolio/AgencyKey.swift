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

    /// Reads the file that ``write(to:)`` made.
    package init(path: String) throws(SimulationFailure) {
        let text = try Folder.text(path).filter { !$0.isWhitespace }
        guard let bytes = Data(base64Encoded: text), bytes.count == 32 else {
            throw SimulationFailure(
                .usage, "\(path) is not a key", remedy: "Give the keys folder that agentsim portfolio made")
        }
        try self.init(secret: Array(bytes))
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
