// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Testing

struct AuthenticationTests {
    static let nonce = (0..<32).map(UInt8.init)

    @Test func `the holder of the key is known by its signature`() throws {
        let key = AgencyPrivateKey()
        let claim = try claim(by: key, .example)

        #expect(claim.isSigned(by: key.publicKey))
        #expect(!claim.isSigned(by: AgencyPrivateKey().publicKey))
        #expect(!claim.isSigned(by: []))
    }

    @Test func `the key of RFC 8032 is read and written as it stands`() {
        let key = valid(AgencyPrivateKey(bytes: Desk.secret))

        #expect(key.publicKey == Desk.publicKey)
        #expect(key.bytes == Desk.secret)
        #expect(AgencyPrivateKey(bytes: [1, 2, 3]) == nil)
    }

    @Test func `a signature is good for nothing else`() throws {
        let key = AgencyPrivateKey()
        let signature = valid(key.sign(AuthenticationMessage(server: "mx-1", serverNonce: Self.nonce, hello: .example)))
        var others: [AuthenticationMessage] = [
            AuthenticationMessage(server: "mx-2", serverNonce: Self.nonce, hello: .example),
            AuthenticationMessage(server: "mx-1", serverNonce: Self.nonce.reversed(), hello: .example),
            AuthenticationMessage(
                server: "mx-1", serverNonce: Self.nonce, hello: .example, certificate: [UInt8](repeating: 1, count: 32)),
        ]
        for edit in [
            { $0.agency = valid(AgencyID(8)) }, { $0.instance = valid(Token("mty-3")) }, { $0.sequence = 482 },
            { $0.nonce[0] = 0 },
        ] as [(inout HelloRequest) -> Void] {
            var hello = HelloRequest.example
            edit(&hello)
            others.append(AuthenticationMessage(server: "mx-1", serverNonce: Self.nonce, hello: hello))
        }
        let claims = others.map { AuthenticationClaim(hello: .example, message: $0, signature: signature) }

        #expect(claims.count == 7)
        #expect(claims.allSatisfy { !$0.isSigned(by: key.publicKey) })
    }

    @Test func `a wrong proof is refused and closes`() {
        var test = TestSession()
        test.send(
            "a1 \(TestSession.hello)")
        _ = test.take()
        test.send("a2 AUTH method=ed25519 proof=\(String(repeating: "00", count: 64))")

        #expect(test.lines == ["a2 NO AUTH class=fatal"])
        #expect(test.isClosed)
    }

    private func claim(by key: AgencyPrivateKey, _ hello: HelloRequest) throws -> AuthenticationClaim {
        let message = AuthenticationMessage(server: "mx-1", serverNonce: Self.nonce, hello: hello)
        return AuthenticationClaim(hello: hello, message: message, signature: try #require(key.sign(message)))
    }
}
