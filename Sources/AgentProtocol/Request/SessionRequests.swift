// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// Who wants in, and by which version. Nothing in it is believed before `AUTH`.
package struct HelloRequest: Equatable, Sendable {
    package var version: Int64
    package var agency: AgencyID
    /// The client's name and version, for the operator.
    package var client: String?
    /// One installation of the agency's software.
    package var instance: Token
    /// Rises with every connection of that installation; what does not rise is a clone or a restored backup.
    package var sequence: Int64
    /// 16 to 32 random bytes of the client's.
    package var nonce: [UInt8]

    package init(
        version: Int64 = 1, agency: AgencyID, client: String? = nil, instance: Token, sequence: Int64, nonce: [UInt8]
    ) {
        self.version = version
        self.agency = agency
        self.client = client
        self.instance = instance
        self.sequence = sequence
        self.nonce = nonce
    }

    init(_ line: RequestLine) throws(Refusal) {
        version = try line.required(.version)
        agency = try line.required(.agency)
        client = (try line.optional(.client) as Label?)?.text
        instance = try line.required(.instance)
        sequence = try line.required(.sequence)
        nonce = (try line.required(.nonce) as HexBytes).bytes
        guard (16...32).contains(nonce.count) else {
            throw .badValue(.nonce, expected: "16 to 32 bytes in lowercase hexadecimal")
        }
    }

    func write(to output: inout [UInt8]) {
        output.append(field: "version", version)
        output.append(field: "agency", agency)
        output.append(field: "client", text: client)
        output.append(field: "instance", instance)
        output.append(field: "sequence", sequence)
        output.append(field: "nonce", HexBytes(nonce))
    }
}

/// The proof that `HELLO` spoke the truth.
package struct AuthRequest: Equatable, Sendable {
    /// An Ed25519 signature of ``AuthenticationMessage``.
    package var proof: [UInt8]

    package init(proof: [UInt8]) { self.proof = proof }

    init(_ line: RequestLine) throws(Refusal) {
        let method: Token = try line.required(.method)
        guard method.text == "ed25519" else { throw .badValue(.method, expected: "ed25519") }
        proof = (try line.required(.proof) as HexBytes).bytes
        guard proof.count == 64 else { throw .badValue(.proof, expected: "64 bytes in lowercase hexadecimal") }
    }

    func write(to output: inout [UInt8]) {
        output.append(field: "method", text: "ed25519")
        output.append(field: "proof", HexBytes(proof))
    }
}

/// A free text of at most 64 bytes.
private struct Label: WireValue {
    static var expected: String { "1 to 64 bytes of text" }
    let text: String

    init?(wire bytes: ArraySlice<UInt8>) {
        guard (1...64).contains(bytes.count) else { return nil }
        text = String(decoding: bytes, as: UTF8.self)
    }

    func write(to output: inout [UInt8]) { output.append(value: text) }
}
