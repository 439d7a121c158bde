// SPDX-License-Identifier: Apache-2.0

package import Assignment
import Crypto

/// The bytes that a client signs. They name both ends, both nonces and who claims what, so that a signature is good for
/// this one connection, and a server cannot use it elsewhere.
///
/// Seven fields, each after its length in two bytes, big-endian: the label `reparto-agent-auth-v1`, the server's name
/// as greeted, the server's nonce, the client's nonce, the agency as written (`ACE07`), the instance, the sequence in
/// eight bytes, big-endian. Names are UTF-8; nonces are the bytes, not their digits. Under TLS an eighth follows: SHA-256
/// of the server's certificate in DER, so that a signature made for one end of an encrypted connection is no use at another.
package struct AuthenticationMessage: Equatable, Sendable {
    package static let label = "reparto-agent-auth-v1"
    package let bytes: [UInt8]

    /// - Parameter certificate: the hash of the server's certificate; `nil` without TLS.
    package init(server: String, serverNonce: [UInt8], hello: HelloRequest, certificate: [UInt8]? = nil) {
        var sequence: [UInt8] = []
        sequence.append(bigEndian: UInt64(hello.sequence))
        var fields = [
            Array(Self.label.utf8), Array(server.utf8), serverNonce, hello.nonce, Array(hello.agency.description.utf8),
            Array(hello.instance.text.utf8), sequence,
        ]
        if let certificate { fields.append(certificate) }
        var bytes: [UInt8] = []
        for field in fields {
            bytes.append(bigEndian: UInt16(field.count))
            bytes += field
        }
        self.bytes = bytes
    }
}

/// What a client claims and what it offers as proof; the engine knows the agency's keys and decides.
package struct AuthenticationClaim: Equatable, Sendable {
    package let agency: AgencyID
    package let instance: String
    package let sequence: Int64
    package let client: String?
    package let message: [UInt8]
    package let signature: [UInt8]
    /// Where the connection comes from, so that failures can be counted; empty where nobody knows.
    package let address: String

    package init(hello: HelloRequest, message: AuthenticationMessage, signature: [UInt8], address: String = "") {
        self.address = address
        agency = hello.agency
        instance = hello.instance.text
        sequence = hello.sequence
        client = hello.client
        self.message = message.bytes
        self.signature = signature
    }

    /// Whether the holder of `publicKey` (32 bytes, Ed25519) made the signature. `false` for a key that is none.
    package func isSigned(by publicKey: [UInt8]) -> Bool {
        guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: publicKey) else { return false }
        return key.isValidSignature(signature, for: message)
    }
}

/// An agency's secret: the 32 bytes of an Ed25519 private key.
package struct AgencyPrivateKey: Sendable {
    private let key: Curve25519.Signing.PrivateKey

    package init() { key = Curve25519.Signing.PrivateKey() }

    /// `nil` where `bytes` are not 32.
    package init?(bytes: [UInt8]) {
        guard let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: bytes) else { return nil }
        self.key = key
    }

    package var bytes: [UInt8] { Array(key.rawRepresentation) }
    package var publicKey: [UInt8] { Array(key.publicKey.rawRepresentation) }

    /// `nil` where the cryptographic library refuses, which for this curve it does not.
    package func sign(_ message: AuthenticationMessage) -> [UInt8]? {
        (try? key.signature(for: message.bytes)).map(Array.init)
    }
}
